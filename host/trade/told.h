/* told.h - a broker's reports, in the order in which things happened.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_TOLD_H
#define TW_TOLD_H

#include "tape/record.h"
#include "trade/order.h"

/* What happened to an order; what follows is as it was right after that. */
struct tw_told {
    struct tw_order *order;
    struct tw_report report;
    int64_t position;                 /* of its instrument                           */
    int64_t filled;                   /* of the order                                */
    uint8_t status;                   /* see tw_order_status                         */
};

/* A record of it, for the tape; script: whose order it is. */
void tw_told_record(const struct tw_told *t, uint32_t script, struct tw_record *out);

/* What a record of the tape says; o: its order, or NULL. */
struct tw_report tw_told_read(const struct tw_record *r, const struct tw_order *o);

/* Zeroed: empty; item is freed by tw_free. */
struct tw_told_ring {
    struct tw_told *item;
    size_t first, n, room;            /* room: a power of two                        */
};

/* Room for `more` ones.  UV_ENOMEM: there is none. */
int tw_told_grow(struct tw_told_ring *r, size_t more);
static inline int tw_told_reserve(struct tw_told_ring *r, size_t more)
{
    return r->n + more <= r->room ? 0 : tw_told_grow(r, more);
}

/* Where one more goes; there is room. */
static inline struct tw_told *tw_told_put(struct tw_told_ring *r)
{
    return &r->item[(r->first + r->n++) & (r->room - 1)];
}

/* The i-th; there are more. */
static inline const struct tw_told *tw_told_at(const struct tw_told_ring *r, size_t i)
{
    return &r->item[(r->first + i) & (r->room - 1)];
}

/* The first; false: it is empty. */
static inline bool tw_told_take(struct tw_told_ring *r, struct tw_told *out)
{
    if (r->n == 0) return false;
    *out = r->item[r->first];
    r->first = (r->first + 1) & (r->room - 1);
    r->n--;
    return true;
}

#endif
