/* live.h - orders at a simulated venue, by the records that can touch them.
 *
 * Why: a record touches few of the orders that rest.  So an order is in a heap by the
 * price from which on records touch it, in another by the time of its end, and in the
 * list of its group: nobody walks over all of them.  A stop that follows the market is in
 * a third heap, by the price that it has followed: only a record beyond that moves it.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_LIVE_H
#define TW_LIVE_H

#include "trade/fill.h"

struct tw_live;

/* The smallest key comes first; then the smallest `then`. */
struct tw_live_heap {
    struct tw_live_item { int64_t key; uint64_t then; struct tw_live *live; } *item;
    size_t n, room;
};

/* Where in a heap an order is; it can be in one of each. */
enum tw_live_place {
    TW_LIVE_PRICE, TW_LIVE_TRAIL, TW_LIVE_END, TW_LIVE_TOUCHED, TW_LIVE_PLACES
};

struct tw_live {
    struct tw_resting r;                 /* first: it is found by that                */
    uint64_t rank;                       /* by arrival; the first is served first     */
    int64_t from_ns;                     /* OPG: the open that it is for              */
    int64_t ends_ns;                     /* INT64_MAX: never, or it has not arrived   */
    uint64_t tried;                      /* the match in which it was, as a stop      */
    bool dead;                           /* it has ended: to be freed                 */
    struct tw_live_heap *heap, *trails;  /* of prices, followed ones; NULL: none      */
    size_t at[TW_LIVE_PLACES];
    struct tw_live_group *group;         /* NULL: none                                */
    struct tw_live *next, **link;        /* there, or among the dead                  */
};

/* Of one instrument; the first came first. */
struct tw_live_group {
    uint64_t id;
    uint32_t symbol;
    struct tw_live *first, **last;
    struct tw_live_group *next;          /* of the bucket                             */
};
struct tw_live_groups {
    struct tw_live_group **bucket;
    size_t n, size;                      /* size: 0, or a power of two                */
};

/* Room for so many; *bytes has what that takes more.  UV_ENOMEM: there is none. */
int tw_live_grow(struct tw_live_heap *h, size_t n, size_t *bytes);
static inline int tw_live_reserve(struct tw_live_heap *h, size_t n, size_t *bytes)
{
    return n <= h->room ? 0 : tw_live_grow(h, n, bytes);
}

/* There is room.  pop: NULL when it is empty. */
void tw_live_put(struct tw_live_heap *h, enum tw_live_place place, int64_t key,
                 uint64_t then, struct tw_live *l);
void tw_live_remove(struct tw_live_heap *h, enum tw_live_place place, struct tw_live *l);
static inline struct tw_live *tw_live_pop(struct tw_live_heap *h,
                                          enum tw_live_place place)
{
    struct tw_live *l = h->n > 0 ? h->item[0].live : NULL;

    if (l) tw_live_remove(h, place, l);
    return l;
}

/* Of that place it is in heap h, with that key; NULL: in none.  *now: where it is. */
void tw_live_move(struct tw_live_heap **now, struct tw_live_heap *h,
                  enum tw_live_place place, int64_t key, struct tw_live *l);

/* Puts all of a symbol whose key is not above the bound into `out`, by their rank. */
void tw_live_touch_any(const struct tw_live_heap *h, int64_t bound, uint32_t symbol,
                       struct tw_live_heap *out);
static inline void tw_live_touch(const struct tw_live_heap *h, int64_t bound,
                                 uint32_t symbol, struct tw_live_heap *out)
{
    if (h->n > 0) tw_live_touch_any(h, bound, symbol, out);
}

/* The group of the order, which comes last in it.  UV_ENOMEM: it is in none. */
int tw_live_join(struct tw_live_groups *g, struct tw_live *l);
void tw_live_leave(struct tw_live_groups *g, struct tw_live *l);
size_t tw_live_groups_bytes(const struct tw_live_groups *g);

/* It comes last in its group from now on. */
void tw_live_to_tail(struct tw_live *l);

#endif
