/* gaps.c - gaps: times at which the data should have records and have none.
 *
 * Why no calendar: data of a market that is not known is to be judged, too.  What a
 * market leaves out each day (lunch, maintenance) it leaves out at one time of day, so
 * gaps are kept by the times of day between which they are, and those that are there on
 * many days are none.
 *
 * Invariants
 *   G1  A stream is what has one length, or kind, of one symbol; its last_ns never goes
 *       back.
 *   G2  Of each pair of times of day there is one entry of a stream, with the first gap.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#include "feed/gaps.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/memory.h"
#include "feed/resolution.h"

#define NIGHT_NS (6 * 3600 * TW_SECOND_NS)

enum {
    PAIRS_MAX = 1024, REST = -1,          /* of a stream; those of no own pair         */
    WEEK = 5,                             /* days of work that holidays take at most   */
    OFTEN = 5,                            /* a session's break is on a 5th of the days */
    SPARSE = 50, FEW = 3,                 /* more gaps than bars / 50: bars of trades  */
};

struct pair {                             /* G2                                        */
    int32_t from, to;                     /* slots of the day                          */
    uint32_t n;
    uint64_t missing;
    int64_t first_ns, till_ns;            /* of the first                              */
    struct tw_place place;                /* behind it                                 */
};

struct stream {                           /* G1                                        */
    struct stream *next;                  /* of the same symbol                        */
    uint32_t symbol, key, seconds;        /* seconds: of bars; 0: ticks                */
    int64_t last_ns, day, till_ns;            /* till: the hour's end                  */
    uint32_t days;
    uint64_t records;
    bool always;                          /* there are Saturdays                       */
    struct pair *pair;
    unsigned n, room;
};

struct tw_gaps {
    int64_t limit_ns;
    struct stream **by_symbol;            /* [0, room) by id                           */
    size_t room;
};

struct tw_gaps *tw_gaps_new(int64_t limit_ns)
{
    struct tw_gaps *g = tw_calloc(1, sizeof *g);

    if (g) g->limit_ns = limit_ns;
    return g;
}

void tw_gaps_free(struct tw_gaps *g)
{
    struct stream *next;

    if (!g) return;
    for (uint32_t i = 0; i < g->room; i++)
        for (struct stream *s = g->by_symbol[i]; s; s = next) {
            next = s->next;
            tw_free(s->pair);
            tw_free(s);
        }
    tw_free(g->by_symbol);
    tw_free(g);
}

static struct stream *find(struct tw_gaps *g, uint32_t symbol, uint32_t key)
{
    struct stream *s;

    if (symbol >= g->room) {
        struct stream **grown = tw_extend(g->by_symbol, &g->room, symbol, sizeof *grown);

        if (!grown) return NULL;
        g->by_symbol = grown;
    }
    for (s = g->by_symbol[symbol]; s && s->key != key;) s = s->next;
    if (s || !(s = tw_calloc(1, sizeof *s))) return s;
    s->symbol = symbol;
    s->key = key;
    s->next = g->by_symbol[symbol];
    g->by_symbol[symbol] = s;
    return s;
}

/* 0: Sunday */
static int weekday(int64_t day)
{
    return (int)(((day + 4) % 7 + 7) % 7);   /* 1970-01-01 was a Thursday */
}

static uint64_t days_of_work(int64_t from, int64_t to)
{
    uint64_t n = 0;

    for (int64_t day = from + 1; day < to; day++)
        n += weekday(day) != 0 && weekday(day) != 6;
    return n;
}

/* How much is missing between two of a stream; 0: nothing. */
static uint64_t missing(const struct tw_gaps *g, const struct stream *s, int64_t at_ns)
{
    int64_t step_ns = s->seconds * TW_SECOND_NS, gap_ns = at_ns - s->last_ns;
    uint64_t steps = s->seconds ? (uint64_t)(gap_ns / step_ns - 1) : 1, work;

    if (gap_ns - step_ns <= g->limit_ns || steps == 0) return 0;
    if (s->always || s->seconds > 86400) return steps;
    if (s->seconds < 86400) return gap_ns < NIGHT_NS ? steps : 0;
    work = days_of_work(tw_clock_spans(s->last_ns, TW_DAY_NS),
                        tw_clock_spans(at_ns, TW_DAY_NS));
    return work > WEEK || g->limit_ns > 0 ? work : 0;
}

static int32_t slot_of(const struct stream *s, int64_t ns)
{
    int64_t slot = s->seconds == 0 ? 900 : s->seconds;
    int64_t of_day_ns = ns - tw_clock_spans(ns, TW_DAY_NS) * TW_DAY_NS;

    return s->seconds < 86400 ? (int32_t)(of_day_ns / TW_SECOND_NS / slot) : 0;
}

static int keep(struct stream *s, uint64_t n, int64_t at_ns,
                const struct tw_place *place)
{
    int32_t from = slot_of(s, s->last_ns), to = slot_of(s, at_ns);
    unsigned room = s->room ? 2 * s->room : 8, i = 0;
    struct pair *grown;

    while (i < s->n && (s->pair[i].from != from || s->pair[i].to != to)) i++;
    if (i >= PAIRS_MAX - 1) {                          /* the last one has the rest */
        from = to = REST;
        i = PAIRS_MAX - 1;
    }
    if (i == s->room) {
        grown = tw_realloc(s->pair, room * sizeof *grown);
        if (!grown) return UV_ENOMEM;
        s->pair = grown;
        s->room = room;
    }
    if (i == s->n)
        s->pair[s->n++] = (struct pair){ from, to, 0, 0, s->last_ns, at_ns, *place };
    s->pair[i].n++;
    s->pair[i].missing += n;
    return TW_OK;
}

bool tw_gaps_goes_on(struct tw_gaps *g, const struct tw_record *r)
{
    struct stream *s = r->kind == TW_BAR && r->symbol < g->room ? g->by_symbol[r->symbol]
                                                                : NULL;

    if (!s || s->key != r->source_seq || r->time >= s->till_ns
        || r->time - s->last_ns != s->seconds * TW_SECOND_NS || r->time == s->last_ns)
        return false;
    s->records++;
    s->last_ns = r->time;
    return true;
}

int tw_gaps_look(struct tw_gaps *g, const struct tw_record *r,
                 const struct tw_place *place)
{
    bool is_bar = r->kind == TW_BAR && tw_bar_seconds(r) > 0;
    int64_t at_ns = tw_record_at(r), day, hour;
    struct stream *s;
    uint64_t n;
    int rc = TW_OK;

    if (!is_bar && (g->limit_ns == 0 || (r->kind != TW_QUOTE && r->kind != TW_TRADE)))
        return TW_OK;
    s = find(g, r->symbol, is_bar ? r->source_seq : r->kind);
    if (!s) return UV_ENOMEM;
    s->seconds = is_bar ? tw_bar_seconds(r) : 0;
    day = tw_clock_spans(at_ns, TW_DAY_NS);
    hour = tw_clock_spans(at_ns - day * TW_DAY_NS, 3600 * TW_SECOND_NS);
    s->days += s->records == 0 || day != s->day;
    s->day = day;
    s->till_ns = s->seconds < 86400 ? (day * 24 + hour + 1) * 3600 * TW_SECOND_NS
                                    : INT64_MIN;
    s->always = s->always || (weekday(day) == 6 && hour >= 6 && hour < 20);
    if (s->records++ > 0) {
        if (at_ns <= s->last_ns) return TW_OK;
        n = missing(g, s, at_ns);
        if (n > 0) rc = keep(s, n, at_ns, place);
    }
    s->last_ns = at_ns;
    return rc;
}

/* ---- what is said ---- */

struct sum {
    uint64_t bars, places, ticks;
    const struct stream *s;
    const struct pair *first;             /* of s                                      */
};

/* What a session leaves out on many days. */
static bool is_break(const struct stream *s, const struct pair *p)
{
    return s->seconds < 86400 && p->from != REST && p->n > 1
        && (uint64_t)p->n * OFTEN >= s->days;
}

static void add(const struct tw_gaps *g, const struct stream *s, struct sum *sum)
{
    uint64_t places = 0;

    for (unsigned i = 0; i < s->n; i++)
        if (!is_break(s, &s->pair[i])) places += s->pair[i].n;
    if (g->limit_ns == 0 && places > FEW && places * SPARSE > s->records) return;
    for (unsigned i = 0; i < s->n; i++) {
        const struct pair *p = &s->pair[i];

        if (is_break(s, p)) continue;
        if (s->seconds) sum->bars += p->missing, sum->places += p->n;
        else sum->ticks += p->n;
        if (sum->first && sum->first->first_ns <= p->first_ns) continue;
        sum->first = p;
        sum->s = s;
    }
}

bool tw_gaps_text(const struct tw_gaps *g, const struct tw_symbols *symbols,
                  char out[TW_GAPS_TEXT])
{
    struct sum sum = { 0 };
    const struct tw_place *place;
    uint64_t number;
    char from[TW_DATE_TEXT], till[TW_DATE_TEXT], of[TW_LENGTH_TEXT], where[280] = "";
    enum tw_date form;
    int64_t till_ns;
    size_t n = 0;

    for (uint32_t i = 0; i < g->room; i++)
        for (const struct stream *s = g->by_symbol[i]; s; s = s->next) add(g, s, &sum);
    if (!sum.first) return false;
    form = sum.s->seconds >= 86400 ? TW_DATE_DAY : TW_DATE_SECOND;
    if (sum.bars > 0)
        n += (size_t)snprintf(out, 100, "%llu bar%s missing in %llu place%s",
                              (unsigned long long)sum.bars,
                              sum.bars == 1 ? " is" : "s are",
                              (unsigned long long)sum.places, sum.places == 1 ? "" : "s");
    if (sum.ticks > 0)
        n += (size_t)snprintf(out + n, 100, "%s%llu gap%s in quotes or trades",
                              n ? ", and " : "", (unsigned long long)sum.ticks,
                              sum.ticks == 1 ? "" : "s");
    till_ns = sum.first->till_ns;
    if (form == TW_DATE_SECOND) till_ns -= sum.s->seconds * TW_SECOND_NS;
    place = &sum.first->place;
    number = place->line ? place->line : place->record;
    if (number > 0)
        snprintf(where, sizeof where, ", before %s %llu of %.200s",
                 place->line ? "line" : "record", (unsigned long long)number,
                 place->path);
    else snprintf(where, sizeof where, ", in %.200s", place->path);
    snprintf(out + n, TW_GAPS_TEXT - n,
             "; the first: %.100s%s%s, behind %s and before %s%s",
             tw_symbols_name(symbols, sum.s->symbol), sum.s->seconds ? ", bars of " : "",
             sum.s->seconds ? tw_length_text(sum.s->seconds, of) : "",
             tw_date_text(sum.first->first_ns, form, from),
             tw_date_text(till_ns, form, till), where);
    return true;
}
