/* market_data_until.c - until when quotes of a FIX session are good (62, 367): a side
 * that has run out is taken out of its book.
 *
 * Why a heap of subscriptions: of a market maker's stream each quote moves the time of
 * its symbol, and going through 100,000 symbols for each that runs out is too much.
 *
 * Invariant
 *   U1  until[0..until_n) are the subscriptions with a side that runs out, each once, in
 *       heap order of when the first of its sides does; until_at is its place, from 1.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/market_data_parts.h"

static const int64_t never = INT64_MAX;

static int64_t first_of(const struct tw_fix_sub *s)
{
    return s->until_ns[0] < s->until_ns[1] ? s->until_ns[0] : s->until_ns[1];
}

static bool is_before(const struct tw_fix_md *md, uint32_t a, uint32_t b)
{
    return first_of(&md->subs[md->until[a]]) < first_of(&md->subs[md->until[b]]);
}

static void exchange(struct tw_fix_md *md, uint32_t a, uint32_t b)
{
    uint32_t sub = md->until[a];

    md->until[a] = md->until[b];
    md->until[b] = sub;
    md->subs[md->until[a]].until_at = a + 1;
    md->subs[md->until[b]].until_at = b + 1;
}

/* U1: the place i is right again. */
static void settle(struct tw_fix_md *md, uint32_t i)
{
    for (; i > 0 && is_before(md, i, (i - 1) / 2); i = (i - 1) / 2)
        exchange(md, i, (i - 1) / 2);
    for (uint32_t child; (child = 2 * i + 1) < md->until_n; i = child) {
        if (child + 1 < md->until_n && is_before(md, child + 1, child)) child++;
        if (!is_before(md, child, i)) return;
        exchange(md, i, child);
    }
}

static bool put_in(struct tw_fix_md *md, struct tw_fix_sub *s)
{
    if (md->until_n == md->until_room) {
        void *more = tw_grow(md->until, &md->until_room, md->until_n + 1,
                             sizeof *md->until);

        if (!more) return false;
        md->until = more;
    }
    md->until[md->until_n++] = (uint32_t)(s - md->subs);
    s->until_at = md->until_n;
    return true;
}

static void take_out(struct tw_fix_md *md, struct tw_fix_sub *s)
{
    uint32_t at = s->until_at - 1, last = md->until_n - 1;

    if (at != last) exchange(md, at, last);
    md->until_n--;
    s->until_at = 0;
    if (at != last) settle(md, at);
}

int tw_fix_md_set_until(struct tw_fix_md *md, struct tw_fix_sub *s, unsigned side,
                        int64_t until_ns)
{
    if (s->until_ns[side] == until_ns) return TW_OK;
    s->until_ns[side] = until_ns;
    if (first_of(s) == never) {
        if (s->until_at) take_out(md, s);
        return TW_OK;
    }
    if (!s->until_at && !put_in(md, s)) {
        s->until_ns[0] = s->until_ns[1] = never;
        return UV_ENOMEM;
    }
    settle(md, s->until_at - 1);
    return TW_OK;
}

void tw_fix_md_no_quote(struct tw_fix_md *md, struct tw_fix_sub *s)
{
    s->until_ns[0] = s->until_ns[1] = never;
    s->quote = 0;
    if (s->until_at) take_out(md, s);
}

/* The sides of the first one that run out when its first side does. */
static void end_first(struct tw_fix_md *md, struct tw_fix_now now, struct tw_batch *out)
{
    struct tw_fix_sub *s = &md->subs[md->until[0]];
    const char *name = tw_symbols_name(md->o.symbols, s->symbol);
    struct tw_fix_md_sides q = {
        .time_ns = first_of(s), .symbol = { name, strlen(name) }, .until_ns = never,
        .id = s->quote,
    };

    for (unsigned side = 0; side < 2; side++)
        if (s->until_ns[side] == q.time_ns)
            q.side[q.n++] = (struct tw_fix_entry){ .type = (uint8_t)side,
                                                   .flags = TW_FIX_GONE };
    if (tw_fix_md_quote(md, now, &q, out) != TW_FIX_MD_USED) tw_fix_md_no_quote(md, s);
    md->stats.expired++;
}

void tw_fix_md_expire(struct tw_fix_md *md, struct tw_fix_now now, struct tw_batch *out)
{
    while (md->until_n > 0 && first_of(&md->subs[md->until[0]]) <= now.time_ns)
        end_first(md, now, out);
    md->expires_ns = never;
    if (md->until_n > 0) {
        int64_t left_ns;

        if (__builtin_sub_overflow(first_of(&md->subs[md->until[0]]), now.time_ns,
                                   &left_ns)
            || __builtin_add_overflow(now.steady_ns, left_ns, &md->expires_ns))
            md->expires_ns = never;
    }
}
