/* ladder.h - a book of prices: bids and offers by level, as records of levels tell of it.
 *
 * Layout: the best stands last, for it is there that books change: little has to move.
 *
 * Invariants
 *   L1  each side is in order, and has a price once
 *   L2  a side has TW_LADDER_MAX levels at most
 *
 * Layer host/tape.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_LADDER_H
#define TW_LADDER_H

#include "tape/record.h"

enum { TW_LADDER_MAX = 1 << 20 };

struct tw_rung { int64_t price, size; };

/* at: [0, n), worst first */
struct tw_ladder_side { struct tw_rung *at; uint32_t n, room; };

struct tw_ladder { struct tw_ladder_side side[2]; };   /* bids, offers; zeros: empty */

void tw_ladder_fini(struct tw_ladder *l);
void tw_ladder_clear(struct tw_ladder *l);   /* keeps its memory */

/* The place-th level of a side, 1 is the best; NULL: there are not so many. */
static inline const struct tw_rung *tw_ladder_at(const struct tw_ladder *l, bool offer,
                                                 uint32_t place)
{
    const struct tw_ladder_side *s = &l->side[offer];

    return place >= 1 && place <= s->n ? &s->at[s->n - place] : NULL;
}

/* The level of a price, or NULL. */
const struct tw_rung *tw_ladder_find(const struct tw_ladder *l, bool offer,
                                     int64_t price);

/* Puts a level there, or another size.  Its place; UV_ENOMEM, TW_ELIMIT (L2): nothing
 * has changed.  Memory: twice as much when there is no room. */
int tw_ladder_set(struct tw_ladder *l, bool offer, int64_t price, int64_t size);

/* Takes a level out: the place that it had; 0: it is not there. */
uint32_t tw_ladder_remove(struct tw_ladder *l, bool offer, int64_t price);

/* What a record tells of.  0, or as tw_ladder_set. */
int tw_ladder_take(struct tw_ladder *l, const struct tw_level *change);

/* ---- telling what becomes of a book, to those who take it as records ---- */

/* An update; its last change waits until there is another, or the end.  Zeros, but for
 * these two. */
struct tw_ladder_update {
    void (*put)(void *ctx, const struct tw_level *change);
    void *ctx;
    struct tw_level held;
    bool has;
};

/* Each changes the ladder and tells of it.  clear: the update begins with it.  side: all
 * of a side is now these n levels, best first; what is the same is not told.  0, or as
 * tw_ladder_set: the rest is not done. */
void tw_ladder_tell_clear(struct tw_ladder_update *u, struct tw_ladder *l);
int tw_ladder_tell_set(struct tw_ladder_update *u, struct tw_ladder *l, bool offer,
                       struct tw_rung to);
void tw_ladder_tell_gone(struct tw_ladder_update *u, struct tw_ladder *l, bool offer,
                         int64_t price);
int tw_ladder_tell_side(struct tw_ladder_update *u, struct tw_ladder *l, bool offer,
                        const struct tw_rung *now, uint32_t n);
void tw_ladder_tell_end(struct tw_ladder_update *u);

#endif
