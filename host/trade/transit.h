/* transit.h - requests on their way to a simulated venue: latency and order.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_TRANSIT_H
#define TW_TRANSIT_H

#include "trade/order.h"

/* How long a request takes. */
enum tw_latency_kind {
    TW_LATENCY_CONSTANT,             /* min_ns                                      */
    TW_LATENCY_UNIFORM,              /* from min_ns to max_ns                       */
    TW_LATENCY_MEASURED              /* one of list[0..n)                           */
};
struct tw_latency {
    enum tw_latency_kind kind;
    int64_t min_ns, max_ns;
    const int64_t *list;             /* the caller's                                */
    size_t n;
};

/* What request `which` of the number-th order takes; chance is a hash.
 * Thread: any.  Blocks: never. */
int64_t tw_latency_of(const struct tw_latency *l, uint64_t seed, uint64_t number,
                      unsigned which);

enum tw_transit_kind { TW_TRANSIT_SUBMIT, TW_TRANSIT_CANCEL, TW_TRANSIT_REPLACE };

struct tw_transit_item {
    int64_t time_ns;                 /* of its arrival                              */
    uint64_t serial;                 /* when it was added: first come, first served */
    enum tw_transit_kind what;
    struct tw_order *order;
    int64_t quantity, price, stop;   /* of a replacement; 0: as it is then          */
};

/* A heap, the first at 0.  Zeroed: empty; item is freed by tw_free. */
struct tw_transit {
    struct tw_transit_item *item;
    size_t n, room;
    uint64_t serial;                 /* of the last one that was added              */
};

/* Room for `more` ones.  UV_ENOMEM: there is none. */
int tw_transit_reserve(struct tw_transit *q, size_t more);

/* There is room.  Counts it as a request of its order. */
void tw_transit_add(struct tw_transit *q, struct tw_transit_item r);

/* Takes the first; there is one. */
struct tw_transit_item tw_transit_take(struct tw_transit *q);

/* When the first arrives; INT64_MAX: there is none. */
static inline int64_t tw_transit_next_ns(const struct tw_transit *q)
{
    return q->n > 0 ? q->item[0].time_ns : INT64_MAX;
}

#endif
