/* bars.c - bars made of quotes, trades or shorter bars. */
#include "trade/bars.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"

struct open {
    struct tw_ohlc bar;
    uint64_t count;                  /* records in it; 0: it is not open             */
    int64_t end_ns, last_ns;
    uint64_t seq;                    /* of the last one                              */
};

struct touched {
    int64_t end_ns;
    const char *name;                /* NULL: it is by id                            */
    uint32_t symbol;
};

struct tw_bars {
    struct tw_bars_options o;
    struct open *open;               /* by symbol                                    */
    size_t n_open;
    struct touched *touched;         /* those that are open                          */
    size_t n_touched, touched_room;
    struct tw_record *done;          /* from first on, n of them                     */
    size_t first, n, room;
    int64_t next_end_ns;             /* no bar by time ends before                   */
    uint64_t refused;
    bool has_price, has_volume;      /* a record that was taken                      */
};

struct tw_bars *tw_bars_new(const struct tw_bars_options *options)
{
    struct tw_bars *b = tw_calloc(1, sizeof *b);

    if (!b) return NULL;
    b->o = *options;
    b->next_end_ns = INT64_MAX;
    return b;
}

void tw_bars_free(struct tw_bars *b)
{
    if (!b) return;
    tw_free(b->open);
    tw_free(b->touched);
    tw_free(b->done);
    tw_free(b);
}

bool tw_bars_next(struct tw_bars *b, struct tw_record *out)
{
    if (b->first == b->n) return false;
    *out = b->done[b->first++];
    if (b->first == b->n) b->first = b->n = 0;
    return true;
}

uint64_t tw_bars_refused(const struct tw_bars *b)
{
    return b->refused;
}

bool tw_bars_lack(const struct tw_bars *b, bool *volume)
{
    *volume = b->has_price;
    return !b->has_price || (b->o.volume && !b->has_volume);
}

/* ---- room ---- */

/* All bars that are open could be complete, and one more. */
static int reserve(struct tw_bars *b, uint32_t symbol)
{
    size_t want = b->n + b->n_touched + 2;

    if (symbol >= b->n_open) {
        struct open *grown = tw_extend(b->open, &b->n_open, symbol, sizeof *grown);

        if (!grown) return -ENOMEM;
        b->open = grown;
    }
    if (b->n_touched == b->touched_room) {
        struct touched *grown = tw_grow(b->touched, &b->touched_room, b->n_touched + 1,
                                        sizeof *grown);

        if (!grown) return -ENOMEM;
        b->touched = grown;
    }
    if (want > b->room) {
        struct tw_record *grown = tw_grow(b->done, &b->room, want, sizeof *grown);

        if (!grown) return -ENOMEM;
        b->done = grown;
    }
    return 0;
}

/* ---- completing ---- */

/* There is room for it. */
static void complete(struct tw_bars *b, uint32_t symbol, uint64_t seq)
{
    struct open *o = &b->open[symbol];
    struct tw_record *r = &b->done[b->n];
    bool by_time = b->o.span_ns != 0;
    int64_t seconds = by_time ? b->o.span_ns / TW_FIXED_ONE : 0;

    *r = (struct tw_record){ .seq = seq, .symbol = symbol,
                             .time = by_time ? o->end_ns : o->last_ns };
    r->received = r->time;
    if (tw_bar_set(r, &o->bar, (uint32_t)seconds, b->o.price) == TW_OK) b->n++;
    else b->refused++;
    o->count = 0;
}

/* As they are told: the first that ends, then by name. */
static int compare(const void *x, const void *y)
{
    const struct touched *a = x, *b = y;

    if (a->end_ns != b->end_ns) return a->end_ns < b->end_ns ? -1 : 1;
    if (a->name && b->name && a->symbol != b->symbol) return strcmp(a->name, b->name);
    return (a->symbol > b->symbol) - (a->symbol < b->symbol);
}

/* Those that end up to a time. */
static void complete_due(struct tw_bars *b, int64_t time_ns, uint64_t seq)
{
    size_t done = 0;

    if (time_ns < b->next_end_ns) return;
    qsort(b->touched, b->n_touched, sizeof *b->touched, compare);
    while (done < b->n_touched && b->touched[done].end_ns <= time_ns)
        complete(b, b->touched[done++].symbol, seq);
    b->n_touched -= done;
    memmove(b->touched, b->touched + done, b->n_touched * sizeof *b->touched);
    b->next_end_ns = b->n_touched > 0 ? b->touched[0].end_ns : INT64_MAX;
}

int tw_bars_end(struct tw_bars *b)
{
    if (reserve(b, 0) < 0) return -ENOMEM;
    qsort(b->touched, b->n_touched, sizeof *b->touched, compare);
    for (size_t i = 0; i < b->n_touched; i++)
        complete(b, b->touched[i].symbol, b->open[b->touched[i].symbol].seq);
    b->n_touched = 0;
    b->next_end_ns = INT64_MAX;
    return 0;
}

/* ---- adding ---- */

/* What the record says of the price that the bars are of; false: nothing. */
static bool read(const struct tw_bars *b, const struct tw_record *r, struct tw_ohlc *out)
{
    int64_t price = 0, volume = 0;

    if (r->kind == TW_BAR) {
        if (tw_bar_price(r) != b->o.price
            || (b->o.span_ns && tw_bar_seconds(r) * TW_FIXED_ONE > b->o.span_ns))
            return false;
        tw_bar_get(r, out);
        return true;
    }
    if (r->kind == TW_TRADE && b->o.price == TW_BAR_TRADES) {
        price = r->trade.price;
        volume = r->trade.size;
    } else if (r->kind == TW_QUOTE) {
        const struct tw_quote *q = &r->quote;

        if (b->o.price == TW_BAR_BID) price = q->bid;
        else if (b->o.price == TW_BAR_ASK) price = q->ask;
        else if (b->o.price == TW_BAR_MID && q->bid && q->ask)
            price = q->bid + (q->ask - q->bid) / 2;
    }
    *out = (struct tw_ohlc){ price, price, price, price, volume };
    return price != 0;
}

static int64_t end_of(const struct tw_bars *b, int64_t time_ns)
{
    int64_t into = (time_ns - b->o.offset_ns) % b->o.span_ns;

    return time_ns - into + (into < 0 ? 0 : b->o.span_ns);
}

static void add(struct tw_bars *b, const struct tw_record *r, const struct tw_ohlc *one)
{
    struct open *o = &b->open[r->symbol];

    if (o->count == 0) {
        o->bar = *one;
        o->end_ns = b->o.span_ns ? end_of(b, r->kind == TW_BAR ? tw_bar_began(r)
                                                              : r->time) : INT64_MAX;
        if (o->end_ns < b->next_end_ns) b->next_end_ns = o->end_ns;
        b->touched[b->n_touched++] = (struct touched){
            o->end_ns, b->o.symbols ? tw_symbols_name(b->o.symbols, r->symbol) : NULL,
            r->symbol };
    } else {
        if (one->high > o->bar.high) o->bar.high = one->high;
        if (one->low < o->bar.low) o->bar.low = one->low;
        o->bar.close = one->close;
        if (__builtin_add_overflow(o->bar.volume, one->volume, &o->bar.volume))
            o->bar.volume = INT64_MAX;
    }
    b->has_price = true;
    b->has_volume |= one->volume != 0;
    o->count++;
    o->last_ns = r->time;
    o->seq = r->seq;
}

/* It is complete with this record. */
static bool is_full(const struct tw_bars *b, const struct tw_record *r)
{
    const struct open *o = &b->open[r->symbol];

    return (b->o.count && o->count >= b->o.count)
        || (b->o.volume && o->bar.volume >= b->o.volume)
        || (r->kind == TW_BAR && o->end_ns <= r->time);
}

static void untouch(struct tw_bars *b, uint32_t symbol)
{
    for (size_t i = 0; i < b->n_touched; i++)
        if (b->touched[i].symbol == symbol) {
            b->touched[i] = b->touched[--b->n_touched];
            return;
        }
}

int tw_bars_take(struct tw_bars *b, const struct tw_record *r)
{
    struct tw_ohlc one;
    bool counts = read(b, r, &one);

    if (reserve(b, counts ? r->symbol : 0) < 0) return -ENOMEM;
    complete_due(b, r->kind == TW_BAR ? r->time - 1 : r->time, r->seq);
    if (!counts) return 0;
    if (r->kind == TW_BAR && b->open[r->symbol].count
        && b->open[r->symbol].end_ns <= tw_bar_began(r)) {
        complete(b, r->symbol, r->seq);
        untouch(b, r->symbol);
    }
    add(b, r, &one);
    if (is_full(b, r)) {
        complete(b, r->symbol, r->seq);
        untouch(b, r->symbol);
    }
    return 0;
}
