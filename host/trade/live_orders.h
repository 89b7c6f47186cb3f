/* live_orders.h - all orders at a simulated venue: where each is, until it has ended.
 *
 * Of each symbol they are in heaps by the nearest price that can touch them, stops apart;
 * all that can end are in one by that time.  Who has ended is kept until the next sweep:
 * somebody may still be about to look at it.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_LIVE_ORDERS_H
#define TW_LIVE_ORDERS_H

#include "trade/live.h"

/* Its orders are in the heaps from when they are on their way, each by the nearest price
 * that can touch it, the nearest first (see tw_live_key). */
struct tw_live_symbol {
    uint32_t id;
    struct tw_market market;
    struct tw_live_heap stops[2], others[2];   /* of buys and of sells              */
    struct tw_live_heap trails[2];   /* of these stops, those that follow a price   */
    size_t n;                        /* orders                                      */
};

enum { TW_LIVE_SPARE = 16 };

/* Zeroed: there are none. */
struct tw_live_orders {
    struct tw_live_symbol **symbols; /* by id; NULL: not seen                       */
    size_t n_symbols;
    struct tw_live_heap ends;        /* by time and rank: ids are by registration   */
    struct tw_live_heap touched;     /* what is looked at now: room for all orders  */
    struct tw_live_groups groups;
    struct tw_live *dead;            /* to be freed                                 */
    struct tw_live *spare[TW_LIVE_SPARE];    /* n_spare that were                   */
    size_t n_spare;
    size_t n;                        /* orders                                      */
    size_t bytes;                    /* of symbols and heaps                        */
    uint64_t rank;                   /* the last one                                */
};

void tw_live_orders_fini(struct tw_live_orders *t);

/* Made when it is new; NULL: no memory.  seen: NULL: it has not been seen. */
struct tw_live_symbol *tw_live_orders_add_symbol(struct tw_live_orders *t, uint32_t id);
static inline struct tw_live_symbol *tw_live_orders_symbol(struct tw_live_orders *t,
                                                           uint32_t id)
{
    return id < t->n_symbols && t->symbols[id] ? t->symbols[id]
                                               : tw_live_orders_add_symbol(t, id);
}
static inline struct tw_live_symbol *tw_live_orders_seen(const struct tw_live_orders *t,
                                                         uint32_t id)
{
    return id < t->n_symbols ? t->symbols[id] : NULL;
}

bool tw_live_is_stop(const struct tw_resting *r);

/* Records that do not come as near as that do nothing to it: its price, the nearer to the
 * market the smaller.  What is not looked at yet, and a stop without a price: all do.  On
 * its way, or for the close: none does. */
int64_t tw_live_key(const struct tw_live *l);

/* Room for one more order like that.  UV_ENOMEM. */
int tw_live_orders_reserve(struct tw_live_orders *t, const struct tw_order *o);

/* The order, behind all others, on its way until then; NULL: no memory. */
struct tw_live *tw_live_orders_add(struct tw_live_orders *t, struct tw_order *o,
                                   int64_t arrives_ns);

/* Where it belongs now.  tail: behind all others.  end: when its time is over. */
void tw_live_orders_place(struct tw_live_orders *t, struct tw_live *l);
void tw_live_orders_to_tail(struct tw_live_orders *t, struct tw_live *l);
void tw_live_orders_set_end(struct tw_live_orders *t, struct tw_live *l,
                            int64_t ends_ns);

/* It has ended; sweep frees those that have. */
void tw_live_orders_bury(struct tw_live_orders *t, struct tw_live *l);
void tw_live_orders_sweep_all(struct tw_live_orders *t);
static inline void tw_live_orders_sweep(struct tw_live_orders *t)
{
    if (t->dead) tw_live_orders_sweep_all(t);
}

/* Copies of all of another's, of copies of their orders, into none.  UV_ENOMEM. */
int tw_live_orders_adopt(struct tw_live_orders *t, const struct tw_live_orders *from,
                         tw_order_copy *copy, void *ctx);

size_t tw_live_orders_bytes(const struct tw_live_orders *t);

#endif
