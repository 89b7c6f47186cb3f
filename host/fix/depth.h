/* depth.h - the book of one symbol as market data tells of it: bids and offers by level.
 *
 * A level is a price of a book of prices, or one order where the peer gives each an id.
 * Which it is shows in how entries refer to levels: by id, by position, or by price; so
 * each function takes a place, and there are three ways to find one.
 *
 * Invariants
 *   D1  a side has `max` levels at most; when one had to go for that, `cut` says so
 *   D2  levels that came by price stand in order, best first; of one price, as they came
 *
 * Layer host/fix.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_FIX_DEPTH_H
#define TW_FIX_DEPTH_H

#include "feed/fix_value.h"

/* An id of up to 15 bytes as it is; of more, a hash of 126 bits.  Zeros: none. */
struct tw_level_id { uint64_t word[2]; };   /* zeros: none */

/* Thread: any. */
static inline bool tw_level_has_id(struct tw_level_id id)
{
    return (id.word[0] | id.word[1]) != 0;
}
/* size 0: not known */
struct tw_depth_level { int64_t price, size; struct tw_level_id id; };

struct tw_depth_side {
    struct tw_depth_level *at;          /* [0, n), best first                 */
    uint32_t n, room;
    bool bids;                    /* constant: a higher price is better */
    bool cut;                     /* D1                                 */
};

struct tw_depth { struct tw_depth_side side[2]; };   /* bids, offers */

enum { TW_DEPTH_MAX = 1024 };     /* levels of a side, unless told */
#define TW_DEPTH_NONE UINT32_MAX

void tw_depth_init(struct tw_depth *d);
void tw_depth_fini(struct tw_depth *d);
void tw_depth_clear(struct tw_depth *d);   /* keeps its memory */

struct tw_level_id tw_level_id(struct tw_fix_text t);

/* The place of a level, or TW_DEPTH_NONE. */
uint32_t tw_depth_find_id(const struct tw_depth_side *s, struct tw_level_id id);
uint32_t tw_depth_find_price(const struct tw_depth_side *s, int64_t price);

/* Where a level of that price goes: behind all that are not worse. */
uint32_t tw_depth_place(const struct tw_depth_side *s, int64_t price);

/* Whether a price is worse than all others: the levels of a snapshot come so. */
static inline bool tw_depth_is_worst(const struct tw_depth_side *s, int64_t price)
{
    return s->n == 0 || (s->bids ? price < s->at[s->n - 1].price
                                 : price > s->at[s->n - 1].price);
}

/* Puts a level at a place, behind the last one at most; those from there on move back.
 * UV_ENOMEM: nothing changed.  Memory: twice as much when there is no room; D1. */
int tw_depth_insert(struct tw_depth_side *s, uint32_t place,
                    const struct tw_depth_level *l, uint32_t max);
void tw_depth_remove(struct tw_depth_side *s, uint32_t place);

/* Levels behind the first n go. */
void tw_depth_trim(struct tw_depth_side *s, uint32_t n);

/* Sets a level of a book of prices; size 0 takes it out.  As tw_depth_insert. */
int tw_depth_set(struct tw_depth_side *s, int64_t price, int64_t size, uint32_t max);

/* The best price of each side, with the sizes at it added up. */
struct tw_quote tw_depth_top(const struct tw_depth *d);

#endif
