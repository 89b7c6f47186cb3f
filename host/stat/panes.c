/* panes.c - a window in time over any statistic that can be merged.
 *
 * Why: a window of the last minute may hold a million rows; to keep them all, only
 * to take each out again, costs memory without bound, and most statistics can't take
 * out.  So time is cut into panes, PANES of them a window, and each has a state of
 * the statistic (Li et al., "No Pane, No Gain", SIGMOD Record 34, 2005).
 *
 * What is covered: the pane of the newest row and the PANES - 1 before it, that is
 * from more than window - window / PANES to window.  (A pane is a whole number of
 * nanoseconds, rounded up.)  Panes begin at multiples of their width since the epoch,
 * so equal rows meet equal windows.  A time before the newest counts as the newest.
 * Only rows move the window: what is read is as of the last one that is not missing.
 *
 * Layout of a state, in slots of the inner state's size:
 *
 *     clock | pane 0 ... PANES - 1 | newer | total
 *
 * Rows go to the pane `at` and to total, which is the window: reading merges nothing.
 * Panes are filled in turn, round by round.  Of the round before, pane i > at holds
 * the merge of its panes i to PANES - 1; newer is the merge of the complete panes of
 * this round.  So a new pane's total is that of pane at + 1 and newer (van Herk's and
 * Gil and Werman's running extremes, 1992 and 1993, for any merge).
 *
 * Cost: two inner pushes a row; two merges when it is the first of a pane, and PANES at
 * the end of a round.  A gap of any length clears at most all.  Memory: PANES + 3 inner
 * states.
 *
 * The inner pushes are of many rows at once: a turn of panes makes only those rows wait
 * no longer that have its key.
 */
#include <string.h>

#include "stat/kernel.h"

enum { PANES = 32, FIRST = 1, NEWER = FIRST + PANES, TOTAL, SLOTS };

struct clock {
    int64_t end;       /* of the pane `at`                  */
    uint32_t at;
    uint32_t begun;    /* 0: no row yet                     */
};

_Static_assert(sizeof(struct clock) <= 16, "fits in the smallest inner state");

/* The statistic of a pane. */
static struct tw_stat inner_of(const struct tw_stat *s)
{
    struct tw_stat in = *s;

    in.ops = s->inner;
    in.inner = NULL;
    in.o.window_ns = 0;
    in.size = tw_stat_round(in.ops->size(&in));
    return in;
}

static size_t size(const struct tw_stat *s)
{
    return SLOTS * inner_of(s).size;
}

/* ---- time ---- */

static void clear(const struct tw_stat *in, char *state, unsigned slot, unsigned n)
{
    memset(state + slot * in->size, 0, n * in->size);
}

static void copy(const struct tw_stat *in, char *state, unsigned to, unsigned from)
{
    memcpy(state + to * in->size, state + from * in->size, in->size);
}

static void merge(const struct tw_stat *in, char *state, unsigned into, unsigned from)
{
    in->ops->merge(in, state + into * in->size, state + from * in->size);
}

/* The last pane of a round is complete: of the others what the next round needs. */
static void close_round(const struct tw_stat *in, char *state)
{
    for (unsigned slot = FIRST + PANES - 2; slot > FIRST; slot--)
        merge(in, state, slot, slot + 1);
    clear(in, state, FIRST, 1);
    clear(in, state, NEWER, 1);
}

/* So many panes on, to one that is empty as those between; the oldest leave. */
static void turn(const struct tw_stat *in, char *state, uint32_t panes)
{
    struct clock *c = (struct clock *)state;

    while (panes > 0) {
        const uint32_t left = PANES - 1 - c->at, n = panes < left ? panes : left;

        if (left == 0) {
            close_round(in, state);
            c->at = 0;
            panes--;
            continue;
        }
        merge(in, state, NEWER, FIRST + c->at);
        clear(in, state, FIRST + c->at + 1, n);
        c->at += n;
        panes -= n;
    }
    copy(in, state, TOTAL, c->at == PANES - 1 ? NEWER : FIRST + c->at + 1);
    if (c->at > 0 && c->at < PANES - 1) merge(in, state, TOTAL, NEWER);
}

static inline bool is_past(const struct clock *c, int64_t time)
{
    return !c->begun || time >= c->end;
}

/* To the pane of a time that is past this one. */
static void advance(const struct tw_stat *in, char *state, int64_t window, int64_t time)
{
    struct clock *c = (struct clock *)state;
    const uint64_t width = (uint64_t)(window / PANES + (window % PANES != 0));
    const uint64_t since = (uint64_t)time - (uint64_t)c->end, panes = since / width + 1;
    int64_t left;       /* of the new pane, from that time on */

    if (c->begun && panes < PANES) {
        turn(in, state, (uint32_t)panes);
        left = (int64_t)(panes * width - since);
    } else {
        clear(in, state, FIRST, SLOTS - FIRST);
        *c = (struct clock){ .begun = 1 };
        left = (int64_t)width - time % (int64_t)width - (time % (int64_t)width < 0
                                                         ? (int64_t)width : 0);
    }
    if (__builtin_add_overflow(time, left, &c->end)) c->end = INT64_MAX;
}

/* ---- rows ---- */

static bool missing(const struct tw_stat *s, const struct tw_stat_rows *r, unsigned i)
{
    for (unsigned j = 0; j < s->n_inputs; j++)
        if (isnan(r->x[j][i])) return true;
    return false;
}

/* Rows [from, to) into their panes and totals. */
static void push(const struct tw_stat *in, void *states, const struct tw_stat_rows *r,
                 unsigned from, unsigned to, const uint32_t *pane, const uint32_t *total)
{
    struct tw_stat_rows part = { .n = to - from, .key = pane + from,
                                 .time = r->time + from };

    for (unsigned j = 0; j < in->n_inputs; j++) part.x[j] = r->x[j] + from;
    in->ops->run(in, states, &part);
    part.key = total + from;
    part.out = r->out ? r->out + from : NULL;
    in->ops->run(in, states, &part);
}

/* Keys that may have rows waiting to be pushed: of all with one remainder the number
 * of the push that the latest of them waits for. */
struct waiting {
    uint16_t now, push[128];
};

static inline uint16_t *waits(struct waiting *w, uint32_t key)
{
    return &w->push[key % (sizeof w->push / sizeof *w->push)];
}

static void run(const struct tw_stat *s, void *states, const struct tw_stat_rows *r)
{
    const struct tw_stat in = inner_of(s);
    uint32_t pane[TW_STAT_BATCH], total[TW_STAT_BATCH];
    const unsigned before = tw_stat_before(r, s->size);
    struct waiting waiting = { .now = 1 };
    unsigned from = 0;

    for (unsigned i = 0; i < r->n; i++) {
        const uint32_t key = r->key[i];
        char *state = (char *)states + key * s->size;
        const struct clock *c = (const struct clock *)state;

        if (i < before)
            __builtin_prefetch((char *)states + r->key[i + TW_STAT_AHEAD] * s->size, 1);
        if (is_past(c, r->time[i]) && !missing(s, r, i)) {
            if (*waits(&waiting, key) == waiting.now) {
                push(&in, states, r, from, i, pane, total);
                from = i;
                waiting.now++;
            }
            advance(&in, state, s->o.window_ns, r->time[i]);
        }
        pane[i] = key * SLOTS + FIRST + c->at;
        total[i] = key * SLOTS + TOTAL;
        *waits(&waiting, key) = waiting.now;
    }
    push(&in, states, r, from, r->n, pane, total);
}

/* ---- reading: the total ---- */

static double get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct tw_stat in = inner_of(s);

    return in.ops->get(&in, (const char *)state + TOTAL * in.size, field);
}

static double at(const struct tw_stat *s, const void *state, double argument)
{
    const struct tw_stat in = inner_of(s);

    return in.ops->at(&in, (const char *)state + TOTAL * in.size, argument);
}

static unsigned list(const struct tw_stat *s, const void *state, double (*out)[2],
                     unsigned max)
{
    const struct tw_stat in = inner_of(s);

    return in.ops->list(&in, (const char *)state + TOTAL * in.size, out, max);
}

static bool valid(const struct tw_stat *s, const void *state)
{
    const struct tw_stat in = inner_of(s);
    const struct clock *c = state;

    if (c->at >= PANES || c->begun > 1) return false;
    for (unsigned i = FIRST; in.ops->valid && i < SLOTS; i++)
        if (!in.ops->valid(&in, (const char *)state + i * in.size)) return false;
    return true;
}

#define PANES_OF .size = size, .run = run, .get = get, .valid = valid

const struct tw_stat_ops *tw_stat_panes(const struct tw_stat_ops *inner)
{
    static const struct tw_stat_ops ways[2][2] = {
        { { PANES_OF }, { PANES_OF, .list = list } },
        { { PANES_OF, .at = at }, { PANES_OF, .at = at, .list = list } },
    };

    return inner->merge ? &ways[inner->at != NULL][inner->list != NULL] : NULL;
}
