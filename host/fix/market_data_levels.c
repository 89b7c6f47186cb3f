/* market_data_levels.c - books of market data as records: what changed, level by level.
 *
 * A book may have several levels of one price, or one out of order where levels are known
 * by their positions; on the tape it is a book of prices.  What has been told of it is
 * kept beside it, so that only what has changed is told: of the prices that a message
 * touched, or where those don't say it (a snapshot, positions, levels that had to go), of
 * all.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/market_data_parts.h"

/* Where the changes of an update go. */
struct told { const struct tw_record *like; struct tw_batch *out; };

static void put(void *ctx, const struct tw_level *change)
{
    struct told *t = ctx;
    struct tw_record *r = tw_batch_next(t->out);

    *r = *t->like;
    r->kind = TW_LEVEL;
    r->level = *change;
}

static void add_size(struct tw_rung *r, int64_t size)
{
    if (__builtin_add_overflow(r->size, size, &r->size)) r->size = INT64_MAX;
}

/* ---- prices that were touched ---- */

void tw_fix_md_touch(struct tw_fix_md *md, const struct tw_depth_side *s, int64_t price)
{
    if (!md->o.levels || md->touched_all) return;
    md->touched_all = md->touched_n == TW_FIX_MD_TOUCHED;
    if (!md->touched_all)
        md->touched[md->touched_n++] = (struct tw_fix_touched){ price, !s->bids };
}

static int tell_price(struct tw_ladder_update *u, const struct tw_depth_side *s,
                      struct tw_ladder *l, bool offer, int64_t price)
{
    uint32_t at = tw_depth_find_price(s, price);
    const struct tw_rung *was = tw_ladder_find(l, offer, price);
    struct tw_rung now = { price, 0 };

    if (at == TW_DEPTH_NONE) {
        tw_ladder_tell_gone(u, l, offer, price);
        return TW_OK;
    }
    for (; at < s->n && s->at[at].price == price; at++) add_size(&now, s->at[at].size);
    return was && was->size == now.size ? TW_OK : tw_ladder_tell_set(u, l, offer, now);
}

/* ---- all of a side ---- */

/* The prices of a side, in md->rungs, best first; how many, or UV_ENOMEM. */
static int64_t collect(struct tw_fix_md *md, const struct tw_depth_side *s)
{
    int64_t n = 0;

    if (s->n > md->rungs_room) {
        void *more = tw_realloc(md->rungs, s->room * sizeof *md->rungs);

        if (!more) return UV_ENOMEM;
        md->rungs = more;
        md->rungs_room = s->room;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        int64_t price = s->at[i].price, at = n;

        /* Nearly always it is the worst so far, or that once more. */
        while (at > 0 && (s->bids ? md->rungs[at - 1].price < price
                                  : md->rungs[at - 1].price > price))
            at--;
        if (at > 0 && md->rungs[at - 1].price == price) {
            add_size(&md->rungs[at - 1], s->at[i].size);
            continue;
        }
        memmove(md->rungs + at + 1, md->rungs + at, (size_t)(n - at) * sizeof *md->rungs);
        md->rungs[at] = (struct tw_rung){ price, s->at[i].size };
        n++;
    }
    return n;
}

static int tell_side(struct tw_fix_md *md, struct tw_ladder_update *u,
                     const struct tw_depth_side *s, struct tw_ladder *l, bool offer)
{
    int64_t n = collect(md, s);

    return n < 0 ? (int)n : tw_ladder_tell_side(u, l, offer, md->rungs, (uint32_t)n);
}

int tw_fix_md_tell_levels(struct tw_fix_md *md, struct tw_fix_sub *s,
                          const struct tw_record *like, struct tw_batch *out)
{
    struct told t = { like, out };
    struct tw_ladder_update u = { .put = put, .ctx = &t };
    bool all = md->touched_all || !s->is_told;
    int rc = TW_OK;

    if (!s->is_told) {
        tw_ladder_tell_clear(&u, &s->told);
        s->is_told = true;
    }
    for (int i = 0; all && i < 2 && rc == TW_OK; i++)
        rc = tell_side(md, &u, &s->book.side[i], &s->told, i);
    for (uint32_t i = 0; !all && i < md->touched_n && rc == TW_OK; i++)
        rc = tell_price(&u, &s->book.side[md->touched[i].offer], &s->told,
                        md->touched[i].offer, md->touched[i].price);
    tw_ladder_tell_end(&u);
    return rc;
}

void tw_fix_md_retell(struct tw_fix_md *md, struct tw_fix_now now, struct tw_batch *out)
{
    for (uint32_t i = 0; i < md->subs_n; i++) {
        struct tw_fix_sub *s = &md->subs[i];
        struct tw_record like = { .time = now.time_ns, .received = now.time_ns,
                                  .symbol = s->symbol & TW_SYMBOL_MAX,
                                  .source = md->o.source };

        if (s->state != TW_FIX_MD_LIVE || !s->is_told) continue;
        s->is_told = false;
        if (tw_fix_md_tell_levels(md, s, &like, out) < 0)
            tw_fix_md_lose(md, now, s, 0, 0, out);
    }
}
