/* csv.c - text columns to quotes, trades and bars; LEAN's files as presets.
 *
 * Why: a row is one line, even with quoted fields, so that a stray quote costs
 * one row and not the rest of the file, and so that memchr finds the rows.
 *
 * Invariants
 *   C1  messages == records + ignored + errors: no row is lost unseen (the error of a
 *       header is no row's and comes on top; a row of two bars is two messages).
 *   C2  What comes out does not depend on where the input was cut.
 *   C3  Nothing outside bytes[0, n) is read.
 *   C4  last[id] is the quote of this stream's last row of id, and all zero
 *       for every id outside [low, high]; newest[id] likewise.
 *
 * Layer host/feed.  Thread: one at a time.
 */
#include "feed/csv.h"
#include "base/clock.h"
#include "base/fixed.h"
#include "base/memory.h"
#include "base/word.h"
#include "base/zone.h"
#include "feed/factor.h"
#include "tape/bar.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_MAX_BYTES = 64 * 1024,
    ROW = 2,                       /* records, at most   */
    BID = 1, ASK = 2,              /* sides of a bar     */
    SHOWN = 40,                    /* of a refused value */
    UNDECIDED = -1                 /* no time seen yet   */
};

#define LAST_BYTES (((size_t)TW_SYMBOL_MAX + 1) * sizeof(struct tw_quote))
#define NEWEST_BYTES (((size_t)TW_SYMBOL_MAX + 1) * sizeof(struct newest))

/* The last bar of a symbol: its time from INT64_MIN on, and the sides that were there. */
struct newest { uint64_t at; unsigned sides; };

struct csv {
    struct tw_codec codec;         /* first: what the caller holds        */
    struct tw_symbols *symbols;    /* constant, as all up to columns      */
    struct tw_quote *last;         /* C4; by symbol id, pages as touched  */
    struct newest *newest;         /* C4 */
    uint32_t symbol;               /* of every row, or 0                  */
    struct tw_zone *zone;          /* NULL: UTC                           */
    int64_t interval_ns;           /* of bars, or 0                       */
    bool label_end;
    int64_t base_ns;
    int64_t scale;                 /* prices are divided by it            */
    struct tw_factors *factors;    /* ... and then multiplied; or NULL    */
    int64_t from_ns, to_ns;        /* of records                          */
    int64_t day;                   /* of the row, as the file writes it   */
    const char *(*check)(void *ctx, const struct tw_record *r, uint64_t line);
    char separator;
    bool header;                   /* each stream begins with one         */
    bool pairs;                    /* price 0 with size 0: not this side  */
    int form_given;                /* enum tw_csv_time or UNDECIDED       */
    struct tw_columns columns;

    int form;                      /* the rest is this stream's           */
    int64_t span_ns;               /* of its bars, or 0: not known yet    */
    bool ready;                    /* columns hold                        */
    bool useless;                  /* the header was refused              */
    bool skipping;                 /* inside a line that is too long      */
    uint64_t line;
    uint32_t low, high;
    char name[TW_NAME_MAX + 1];    /* n_name bytes: the last symbol's ...  */
    size_t n_name;
    uint64_t begins;               /* its first bytes, up to 8             */
    uint32_t id;                   /* ... and its number                  */
    struct tw_timestamp_date date; /* the last row's                      */
    uint32_t numbers;              /* the columns that are read as they are */
    struct tw_csv_row row;         /* no field: not a column                */
};

#define RARE __attribute__((cold, noinline))

struct preset { const char *name, *columns; int64_t scale; bool pairs; };

#define QUOTE_BAR "time,bid_open,bid_high,bid_low,bid_close,bid_size," \
                  "ask_open,ask_high,ask_low,ask_close,ask_size"

static const struct preset presets[] = {
    {"lean-equity-quote", "time,bid,bid_size,ask,ask_size", 10000, true},
    {"lean-equity-trade", "time,price,size", 10000, false},
    {"lean-fx-quote", "time,bid,ask", 1, false},
    {"lean-equity-quote-bar", QUOTE_BAR, 10000, false},
    {"lean-equity-trade-bar", "time,open,high,low,close,size", 10000, false},
    {"lean-quote-bar", QUOTE_BAR, 1, false},
    {"lean-trade-bar", "time,open,high,low,close,size", 1, false},
};

static RARE void TW_PRINTF(2, 3) report(struct csv *c, const char *format, ...)
{
    char text[400];
    va_list args;
    int n;

    if (!c->codec.problem) return;
    n = snprintf(text, sizeof text, "csv: line %" PRIu64 ": ", c->line);
    va_start(args, format);
    vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    c->codec.problem(c->codec.problem_ctx, text);
}

/* A field as a message can show it. */
struct shown { char text[SHOWN + 4]; };

static struct shown show(struct tw_csv_field f)
{
    struct shown s;
    size_t n = f.n < SHOWN ? f.n : SHOWN;

    for (size_t i = 0; i < n; i++)
        s.text[i] = f.p[i] >= ' ' && f.p[i] < 127 ? f.p[i] : '?';
    strcpy(s.text + n, n < f.n ? "..." : "");
    return s;
}

/* What a file that is no text is, by its first bytes; NULL: it may be text. */
static const char *is_no_text(const char *p, size_t n)
{
    static const char known[][2][20] = {
        { "\x28\xb5\x2f\xfd", "packed with zstd" }, { "\xfd" "7zX", "packed with xz" },
        { "BZh", "packed with bzip2" }, { "PAR1", "a Parquet file" },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (n >= 4 && memcmp(p, known[i][0], strlen(known[i][0])) == 0)
            return known[i][1];
    return memchr(p, 0, n) ? "no text" : NULL;
}

static void read_header(struct csv *c, const char *p, const char *end)
{
    struct tw_csv_field all = { p, (size_t)(end - p) };
    const char *other = NULL;
    struct tw_error error;

    c->ready = tw_columns_header(&c->columns, p, end, c->separator, c->symbol == 0,
                                 &error) == 0;
    if (c->ready) return;
    c->useless = true;
    c->codec.stats.errors++;
    c->codec.stats.skips++;
    if (c->line == 1) other = is_no_text(p, all.n);
    if (other)
        report(c, "this is %s: text is read, plain, .gz or .zip", other);
    else
        report(c, "header: %.200s, so no line of the file can be read; it is '%s', and "
               "the options columns, symbol and separator say what there is", error.text,
               show(all).text);
}

/* A field that is no number: counted by the caller, told here. */
static RARE bool refuse(struct csv *c, enum tw_csv_column m, struct tw_csv_field f,
                        int code)
{
    report(c, "%s '%s' %s", tw_column_name(m), show(f).text,
           tw_fixed_why(f.p, f.n, code));
    return false;
}

static RARE bool refuse_negative(struct csv *c, enum tw_csv_column m,
                                 struct tw_csv_field f)
{
    report(c, "%s '%s' is negative", tw_column_name(m), show(f).text);
    return false;
}

static __attribute__((noinline))
bool read_adjusted(struct csv *c, enum tw_csv_column m, struct tw_csv_field f,
                   int64_t *out)
{
    int64_t v = 0;
    size_t i = 0;
    int r;

    /* Scaled prices are whole numbers, and what their text stands for may fit
     * where the number itself, with nine decimals, would not. */
    if (c->scale > 1 && f.n <= 18) {
        for (; i < f.n && f.p[i] >= '0' && f.p[i] <= '9'; i++)
            v = v * 10 + (f.p[i] - '0');
        if (i == f.n)
            return (!__builtin_mul_overflow(v, TW_FIXED_ONE / c->scale, out)
                    && tw_factors_adjust(c->factors, c->day, out) == 0)
                || refuse(c, m, f, TW_ERANGE);
    }
    r = tw_fixed_parse_near(f.p, f.n, &v);
    if (r == 0 && c->scale > 1 && v % c->scale != 0) r = TW_ERANGE;
    *out = c->scale > 1 ? v / c->scale : v;
    if (r == 0) r = tw_factors_adjust(c->factors, c->day, out);
    return r == 0 || refuse(c, m, f, r);
}

/* Already, with the row? */
static inline bool is_read(const struct csv *c, enum tw_csv_column m, int64_t *out)
{
    return (*out = c->row.fixed[m]) != TW_CSV_UNREAD;
}

static inline bool read_price(struct csv *c, enum tw_csv_column m, struct tw_csv_field f,
                              int64_t *out)
{
    int r;

    if (is_read(c, m, out)) return true;
    if (c->scale > 1 || c->factors) return read_adjusted(c, m, f, out);
    r = tw_fixed_parse_near(f.p, f.n, out);
    return r == 0 || refuse(c, m, f, r);
}

static inline bool read_size(struct csv *c, enum tw_csv_column m, struct tw_csv_field f,
                             int64_t *out)
{
    int r;

    if (is_read(c, m, out)) return true;
    *out = 0;
    if (f.n == 0) return true;
    r = tw_fixed_parse_near(f.p, f.n, out);
    if (r) return refuse(c, m, f, r);
    return (*out >= 0 && f.p[0] != '-') || refuse_negative(c, m, f);
}

/* The text of a row's time: where the date is a field of its own both, if they fit. */
static struct tw_csv_field join_time(const struct tw_csv_field f[],
                                     char joined[2 * SHOWN])
{
    struct tw_csv_field date = f[TW_CSV_DATE], time = f[TW_CSV_TIME];

    if (date.n == 0 || date.n + 1 + time.n >= 2 * SHOWN) return time;
    memcpy(joined, date.p, date.n);
    joined[date.n] = ' ';
    if (time.n) memcpy(joined + date.n + 1, time.p, time.n);
    return (struct tw_csv_field){joined, date.n + 1 + time.n};
}

static RARE struct shown show_time(const struct tw_csv_field f[])
{
    return show(join_time(f, (char[2 * SHOWN]){0}));
}

/* In the zone of the file; *ns shows its clocks. */
static void go_to_zone(const struct tw_zone *zone, int64_t *ns)
{
    int64_t second = tw_clock_spans(*ns, TW_SECOND_NS);

    *ns = tw_zone_time(zone, second) * TW_SECOND_NS + (*ns - second * TW_SECOND_NS);
}

/* As tw_timestamp_parse; *form: that of the file, or UNDECIDED, and then this one's. */
static TW_APART int read_joined(struct csv *c, const struct tw_csv_field f[], int *form,
                                bool *has_zone, int64_t *out)
{
    char joined[2 * SHOWN];
    struct tw_csv_field text = join_time(f, joined);

    if (*form == UNDECIDED) *form = tw_timestamp_look(text.p, text.n);
    if (*form < 0) return *form;
    *has_zone = c->zone && tw_timestamp_has_zone(text.p, text.n);
    return tw_timestamp_parse_next(text.p, text.n, (enum tw_csv_time)*form, &c->date,
                                   out);
}

/* more_ns: later, as the clocks there go. */
static bool read_time(struct csv *c, const struct tw_csv_field f[], int64_t more_ns,
                      int64_t *out)
{
    static const char *const forms[] = {"ns", "us", "ms", "s", "ISO 8601"};
    int form = c->form, r = 0;
    bool has_zone = false;

    if (form != TW_CSV_ISO || f[TW_CSV_DATE].n != 10 || f[TW_CSV_TIME].n != 8
        || !tw_timestamp_parse_apart(f[TW_CSV_DATE].p, f[TW_CSV_TIME].p, &c->date, out))
        r = read_joined(c, f, &form, &has_zone, out);
    /* The market's own day: base is its midnight. */
    if (c->factors && r == 0)
        c->day = tw_clock_spans(c->base_ns ? c->base_ns : *out, TW_DAY_NS);
    if (r == 0 && (__builtin_add_overflow(*out, c->base_ns, out)
                   || __builtin_add_overflow(*out, more_ns, out))) r = TW_ERANGE;
    if (r == 0) {
        if (c->zone && form == TW_CSV_ISO && !has_zone) go_to_zone(c->zone, out);
        c->form = form;
        return true;
    }
    report(c, "time '%s' is %s%s%s", show_time(f).text,
           r == TW_ERANGE ? "out of range, or finer than a nanosecond" : "not a time",
           form >= 0 ? ", read as " : r == TW_ERANGE ? ""
           : "; times are like 2024-12-31 13:30:00 or 20241231, or s, ms, us or ns since"
             " 1970", form < 0 ? "" : forms[form]);
    return false;
}

static TW_APART bool read_other_symbol(struct csv *c, struct tw_csv_field f,
                                       uint32_t *out)
{
    char name[TW_NAME_MAX + 1] = "";
    const char *text = f.p;
    size_t n = f.n;
    int64_t id;

    if (memchr(f.p, '"', f.n)) {
        n = 0;
        for (size_t i = 0; i < f.n && n < sizeof name; i++) {
            name[n++] = f.p[i];
            if (f.p[i] == '"') i++;   /* the second of two */
        }
        text = name;
    }
    id = tw_symbols_intern(c->symbols, text, n);
    if (id < 0) {
        report(c, "symbol '%s': %s", show(f).text,
               n == 0 ? "empty" : n > TW_NAME_MAX ? "longer than 63 bytes"
               : tw_strerror((int)id));
        return false;
    }
    *out = (uint32_t)id;
    if (text == f.p) {
        memcpy(c->name, text, n);
        c->n_name = n;
        c->begins = tw_word_load_part(text, n < 8 ? n : 8);
        c->id = *out;
    }
    return true;
}

static inline bool read_symbol(struct csv *c, struct tw_csv_field f, uint32_t *out)
{
    *out = c->id;
    if (f.n > 0 && f.n == c->n_name
        && tw_word_load_part(f.p, f.n < 8 ? f.n : 8) == c->begins
        && (f.n <= 8 || memcmp(f.p, c->name, f.n) == 0)) return true;
    return read_other_symbol(c, f, out);
}

static bool read_side(struct csv *c, struct tw_csv_field f, uint32_t *out)
{
    if (tw_column_side(f, out)) return true;
    report(c, "side '%s' is neither buy nor sell", show(f).text);
    return false;
}

/* One side of a quote: *price and *size stay when the row does not give it. */
static bool read_level(struct csv *c, const struct tw_csv_field *f,
                       enum tw_csv_column price_at, enum tw_csv_column size_at,
                       int64_t *price, int64_t *size, bool *given)
{
    int64_t p = 0, s;

    if (f[price_at].n && !read_price(c, price_at, f[price_at], &p)) return false;
    if (!read_size(c, size_at, f[size_at], &s)) return false;
    if (f[price_at].n == 0 && s != 0) {
        report(c, "%s '%s' without %s", tw_column_name(size_at), show(f[size_at]).text,
               tw_column_name(price_at));
        return false;
    }
    if (f[price_at].n == 0 || (c->pairs && p == 0 && s == 0)) return true;
    if (p == 0 && f[size_at].n == 0 && c->check) {   /* with a size of 0 it is no side */
        report(c, "a price of 0");
        return false;
    }
    *price = p;
    *size = s;
    *given = true;
    return true;
}

static bool read_quote(struct csv *c, const struct tw_csv_field *f, uint32_t symbol,
                       struct tw_quote *q)
{
    const int64_t *v = c->row.fixed;         /* what is not read is below 0 */
    bool given = false;

    *q = c->last[symbol];
    if (v[TW_CSV_BID] > 0 && v[TW_CSV_ASK] > 0
        && (v[TW_CSV_BID_SIZE] | v[TW_CSV_ASK_SIZE]) >= 0) {
        *q = (struct tw_quote){ v[TW_CSV_BID], v[TW_CSV_ASK], v[TW_CSV_BID_SIZE],
                                v[TW_CSV_ASK_SIZE] };
        given = true;
    } else if (!read_level(c, f, TW_CSV_BID, TW_CSV_BID_SIZE, &q->bid, &q->bid_size,
                           &given)
               || !read_level(c, f, TW_CSV_ASK, TW_CSV_ASK_SIZE, &q->ask, &q->ask_size,
                              &given)) return false;
    if (!given) {
        report(c, "neither bid, ask nor price");
        return false;
    }
    c->last[symbol] = *q;
    if (symbol < c->low) c->low = symbol;
    if (symbol > c->high) c->high = symbol;
    return true;
}

static bool split(struct csv *c, const char *p, const char *end, const char *limit)
{
    const struct tw_columns *k = &c->columns;
    unsigned i, count = k->total > k->wanted ? k->total : k->wanted;
    struct tw_csv_field rest, *f = c->row.f;
    const char *wrong;

    if (limit - end >= TW_CSV_BEYOND
        && tw_columns_read_plain(k, c->separator, c->numbers, p, end, &c->row))
        return true;
    tw_columns_unread(&c->row);
    for (i = 0; i < count && p; i++) {
        wrong = tw_field_take(c->separator, &p, end,
                              &f[i < k->wanted ? k->meaning[i] : TW_CSV_SKIP]);
        if (!wrong) continue;
        report(c, "%s", wrong);
        return false;
    }
    if (i < k->wanted) {
        while (k->meaning[i] == TW_CSV_SKIP) i++;
        report(c, "no column %u, which is %s", i + 1, k->meaning[i] == TW_CSV_SIZE
               && k->at[TW_CSV_OPEN] >= 0 ? "volume" : tw_column_name(k->meaning[i]));
        return false;
    }
    /* Rows that end in a separator are common, and harmless. */
    if (k->total && p
        && (tw_field_take(c->separator, &p, end, &rest) || rest.n || p)) {
        report(c, "more columns than the %u of the header", k->total);
        return false;
    }
    return true;
}

/* The four prices from a column on, of which not all are plain numbers above 0. */
static TW_APART bool read_prices(struct csv *c, const struct tw_csv_field *f,
                             enum tw_csv_column open)
{
    for (enum tw_csv_column m = open; m < open + 4; m++) {
        int64_t *at = &c->row.fixed[m];

        if (*at == TW_CSV_UNREAD && !read_price(c, m, f[m], at)) return false;
        if (*at != 0) continue;
        report(c, "%s is 0", tw_column_name(m));
        return false;
    }
    return true;
}

/* The open, high, low and close from a column on; false: refused. */
static bool read_bar(struct csv *c, const struct tw_csv_field *f, enum tw_csv_column open,
                     enum tw_csv_column volume, enum tw_bar_price price,
                     struct tw_record *r)
{
    const int64_t *v = &c->row.fixed[open];
    enum tw_csv_column high = open + 1, low = open + 2, out = open;
    struct tw_ohlc b;
    int rc;

    if ((v[0] <= 0 || v[1] <= 0 || v[2] <= 0 || v[3] <= 0) && !read_prices(c, f, open))
        return false;
    if (!read_size(c, volume, f[volume], &b.volume)) return false;
    b.open = v[0];
    b.high = v[1];
    b.low = v[2];
    b.close = v[3];
    rc = tw_bar_set(r, &b, (uint32_t)(c->span_ns / TW_SECOND_NS), price);
    if (rc == TW_OK) return true;
    if (b.close < b.low || b.close > b.high) out = open + 3;
    if (b.high < b.low)
        report(c, "%s '%s' is below %s '%s'", tw_column_name(high), show(f[high]).text,
               tw_column_name(low), show(f[low]).text);
    else if (rc == TW_EFORMAT)
        report(c, "%s '%s' is not between %s '%s' and %s '%s'", tw_column_name(out),
               show(f[out]).text, tw_column_name(low), show(f[low]).text,
               tw_column_name(high), show(f[high]).text);
    else
        report(c, "the prices of the bar are too far from each other for so many"
               " decimals");
    return false;
}

static RARE bool refuse_span(struct csv *c, const struct tw_csv_field f[])
{
    report(c, "time '%s' does not tell how long the bar is: say it with the option"
           " interval, as in interval=1m", show_time(f).text);
    return false;
}

static bool is_there(const struct csv *c, const struct tw_csv_field *f,
                     enum tw_csv_column open)
{
    return c->columns.at[open] >= 0
        && (f[open].n || f[open + 1].n || f[open + 2].n || f[open + 3].n);
}

/* How many bars: of trades, or of the sides that are there. */
static unsigned read_bars(struct csv *c, const struct tw_csv_field *f, uint32_t symbol,
                          int64_t time, struct tw_record r[ROW])
{
    uint64_t at = (uint64_t)time - (uint64_t)INT64_MIN;
    struct newest *newest = &c->newest[symbol];
    unsigned sides = is_there(c, f, TW_CSV_BID_OPEN) * BID
                   | is_there(c, f, TW_CSV_ASK_OPEN) * ASK, n = 0;

    if (newest->at >= at && (newest->at > at || !(~newest->sides & sides))) {
        report(c, "time '%s' is %s the symbol's last bar", show_time(f).text,
               newest->at > at ? "before that of" : "that of");
        return 0;
    }
    if (c->columns.at[TW_CSV_OPEN] < 0) r[1] = r[0];
    if (c->columns.at[TW_CSV_OPEN] >= 0)
        n = read_bar(c, f, TW_CSV_OPEN, TW_CSV_SIZE, TW_BAR_TRADES, &r[0]);
    else if (sides == 0)
        report(c, "neither bid nor ask");
    else if ((!(sides & ASK) || read_bar(c, f, TW_CSV_ASK_OPEN, TW_CSV_ASK_SIZE,
                                         TW_BAR_ASK, &r[sides & BID]))
             && (!(sides & BID) || read_bar(c, f, TW_CSV_BID_OPEN, TW_CSV_BID_SIZE,
                                            TW_BAR_BID, &r[0])))
        n = sides == (BID | ASK) ? 2 : 1;
    if (n == 0) return 0;
    newest->sides = sides | (newest->at == at ? newest->sides : 0);
    newest->at = at;
    if (symbol < c->low) c->low = symbol;
    if (symbol > c->high) c->high = symbol;
    return n;
}

/* How many records it is; 0: it is refused. */
static unsigned read_row(struct csv *c, const char *p, const char *end,
                         const char *limit, int64_t received_ns, struct tw_record r[ROW])
{
    struct tw_csv_field *f = c->row.f;
    uint32_t symbol = c->symbol;
    bool bars = tw_columns_have_bars(&c->columns);
    int64_t time;

    if (!split(c, p, end, limit)) return 0;
    /* How long a bar is, as its time tells where it was not said. */
    if (bars && !c->span_ns && c->columns.at[TW_CSV_DATE] < 0
        && tw_timestamp_is_date(f[TW_CSV_TIME].p, f[TW_CSV_TIME].n))
        c->span_ns = TW_DAY_NS;
    if (!read_time(c, f, bars && !c->label_end ? c->span_ns : 0, &time)) return 0;
    if (bars && c->span_ns <= 0) return refuse_span(c, f);
    if (c->columns.at[TW_CSV_SYMBOL] >= 0 && !read_symbol(c, f[TW_CSV_SYMBOL], &symbol))
        return 0;
    *r = (struct tw_record){
        .time = time, .received = received_ns ? received_ns : (int64_t)c->line,
        .symbol = symbol,
        .source = c->codec.source, .source_seq = (uint32_t)c->line
    };
    if (bars) return read_bars(c, f, symbol, time, r);
    if (f[TW_CSV_PRICE].n) {
        r->kind = TW_TRADE;
        return read_price(c, TW_CSV_PRICE, f[TW_CSV_PRICE], &r->trade.price)
            && read_size(c, TW_CSV_SIZE, f[TW_CSV_SIZE], &r->trade.size)
            && read_side(c, f[TW_CSV_SIDE], &r->trade.side);
    }
    r->kind = TW_QUOTE;
    return read_quote(c, f, symbol, &r->quote);
}

/* With given columns, a first line whose time begins with a letter is taken
 * for a header that the columns replace. */
static bool heading(struct csv *c, const char *p, const char *end)
{
    struct tw_csv_field f = {p, 0};

    for (int i = 0; i <= c->columns.at[TW_CSV_TIME]; i++)
        if (!p || tw_field_take(c->separator, &p, end, &f)) return false;
    return f.n > 0 && isalpha((unsigned char)f.p[0]);
}

/* Of the n records of a row, all or none. */
static unsigned passing(struct csv *c, const struct tw_record *r, unsigned n)
{
    for (unsigned i = 0; c->check && i < n; i++) {
        const char *why = c->check(c->codec.problem_ctx, &r[i], c->line);

        if (!why) continue;
        report(c, "%s", why);
        return 0;
    }
    return n;
}

/* limit: of what may be read. */
static void read_line(struct csv *c, const char *p, const char *end, const char *limit,
                      int64_t received_ns, struct tw_batch *out)
{
    struct tw_codec_stats *stats = &c->codec.stats;
    struct tw_record *r;
    int64_t at;
    bool is_out;
    unsigned n;

    c->line++;
    if (c->line == 1 && end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) p += 3;
    if (end > p && end[-1] == '\r') end--;
    while (end > p && end[-1] == ' ' && c->separator != ' ') end--;
    if (p == end || *p == '#') return;
    if (!c->ready && c->header) {
        read_header(c, p, end);
        return;
    }
    stats->messages++;
    if (!c->ready) {
        c->ready = true;
        if (heading(c, p, end)) {
            stats->ignored++;
            return;
        }
    }
    if (out->n + ROW > TW_BATCH) out->full(out);
    r = &out->r[out->n];
    n = read_row(c, p, end, limit, received_ns, r);
    at = n > 0 ? tw_record_at(r) : 0;
    is_out = n > 0 && (at < c->from_ns || at >= c->to_ns);
    if (!is_out) n = passing(c, r, n);
    if (n > 1) stats->messages++;         /* C1 */
    if (is_out) {
        stats->ignored += n;
        return;
    }
    out->n += n;
    stats->records += n;
    if (n == 0) stats->errors++;
}

/* A line too long to be a row; its bytes are counted as they are seen. */
static void skip_line(struct csv *c)
{
    c->line++;
    c->codec.stats.skips++;
    report(c, "longer than %d bytes, skipped", LINE_MAX_BYTES);
}

static size_t decode(struct tw_codec *codec, const char *bytes, size_t n,
                     int64_t received_ns, struct tw_batch *out)
{
    struct csv *c = (struct csv *)codec;
    struct tw_codec_stats *stats = &codec->stats;
    const char *p = bytes, *end = bytes + n, *stop;

    while (p < end && !c->useless) {
        stop = memchr(p, '\n', (size_t)(end - p));
        if (!c->skipping && (stop ? stop : end) - p > LINE_MAX_BYTES) {
            skip_line(c);
            c->skipping = true;
        }
        if (c->skipping) {
            c->skipping = !stop;
            stop = stop ? stop + 1 : end;
            stats->skipped += (uint64_t)(stop - p);
            p = stop;
            continue;
        }
        if (!stop) break;
        read_line(c, p, stop, end, received_ns, out);
        p = stop + 1;
    }
    if (c->useless) {
        stats->skipped += (uint64_t)(end - p);
        p = end;
    }
    stats->bytes += (uint64_t)(p - bytes);
    return (size_t)(p - bytes);
}

static void start_stream(struct csv *c)
{
    if (c->low <= c->high) {
        memset(c->last + c->low, 0, (c->high - c->low + 1) * sizeof *c->last);
        memset(c->newest + c->low, 0, (c->high - c->low + 1) * sizeof *c->newest);
    }
    c->span_ns = c->interval_ns;
    c->low = UINT32_MAX;
    c->high = 0;
    c->form = c->form_given;
    memset(&c->row, 0, sizeof c->row);
    tw_columns_unread(&c->row);
    c->ready = c->useless = c->skipping = false;
    c->line = 0;
}

static void end_stream(struct tw_codec *codec, const char *bytes, size_t n,
                       int64_t received_ns, struct tw_batch *out)
{
    struct csv *c = (struct csv *)codec;
    size_t done = decode(codec, bytes, n, received_ns, out);

    if (done < n)
        read_line(c, bytes + done, bytes + n, bytes + n, received_ns, out);
    codec->stats.bytes += n - done;
    start_stream(c);
}

static void csv_free(struct tw_codec *codec)
{
    struct csv *c = (struct csv *)codec;

    tw_unmap_used(c->last, LAST_BYTES, false, (c->high + 1) * sizeof *c->last);   /* C4 */
    tw_unmap_used(c->newest, NEWEST_BYTES, false, (c->high + 1) * sizeof *c->newest);
    tw_zone_free(c->zone);
    tw_factors_free(c->factors);
    tw_free(c);
}

static const struct tw_codec_ops ops = {decode, end_stream, csv_free, LINE_MAX_BYTES};

static int read_options(struct csv *c, const struct tw_csv_options *o,
                        struct tw_error *error)
{
    static const char *const forms[] = {"ns", "us", "ms", "s", "iso"};
    const struct preset *preset = NULL;
    const char *columns = o->columns;
    struct tw_error wrong;
    int64_t id;

    for (size_t i = 0; o->preset && i < sizeof presets / sizeof presets[0]; i++)
        if (strcmp(o->preset, presets[i].name) == 0) preset = &presets[i];
    if (o->preset && !preset)
        return tw_fail(error, TW_EUSAGE, "csv: no preset is called '%.40s'", o->preset);
    if (preset && columns)
        return tw_fail(error, TW_EUSAGE, "csv: a preset and columns are both given");
    if (preset) {
        columns = preset->columns;
        c->pairs = preset->pairs;
        c->form_given = TW_CSV_MS;
    }
    c->scale = o->price_scale ? o->price_scale : preset ? preset->scale : 1;
    if (c->scale < 1 || TW_FIXED_ONE % c->scale != 0)
        return tw_fail(error, TW_EUSAGE, "csv: price_scale %" PRId64
                       " does not divide 1000000000", c->scale);
    if (o->time) {
        c->form_given = TW_CSV_ISO;
        while (c->form_given >= 0 && strcmp(o->time, forms[c->form_given]) != 0)
            c->form_given--;
        if (c->form_given < 0)
            return tw_fail(error, TW_EUSAGE, "csv: time '%.40s' is not one of "
                           "ns, us, ms, s, iso", o->time);
    }
    c->interval_ns = o->interval_ns;
    if (o->interval_ns < 0 || o->interval_ns % TW_SECOND_NS != 0
        || o->interval_ns / TW_SECOND_NS > TW_BAR_SECONDS_MAX)
        return tw_fail(error, TW_EUSAGE, "csv: interval: whole seconds expected");
    c->label_end = o->label_end;
    c->from_ns = o->from_ns ? o->from_ns : INT64_MIN;
    c->to_ns = o->to_ns ? o->to_ns : INT64_MAX;
    if (o->zone && !(c->zone = tw_zone_open(o->zone, &wrong)))
        return tw_fail(error, wrong.code, "csv: %.200s", wrong.text);
    c->numbers = TW_CSV_SIZES | (c->scale > 1 || o->factors ? 0 : TW_CSV_PRICES);
    c->separator = o->separator ? o->separator : ',';
    if (isalnum((unsigned char)c->separator) || strchr("\"\r\n.-+:#", c->separator))
        return tw_fail(error, TW_EUSAGE, "csv: '%c' can't be the separator",
                       c->separator);
    if (o->factors && !(c->factors = tw_factors_open(o->factors, &wrong)))
        return tw_fail(error, wrong.code, "csv: factors: %.300s", wrong.text);
    if (o->symbol) {
        id = tw_symbols_intern(c->symbols, o->symbol, strlen(o->symbol));
        if (id < 0)
            return tw_fail(error, (int)id, "csv: symbol '%.80s': %s", o->symbol,
                           tw_strerror((int)id));
        c->symbol = (uint32_t)id;
    }
    c->header = !columns;
    if (!columns || tw_columns_map(&c->columns, columns, c->symbol == 0, &wrong) == 0)
        return 0;
    return tw_fail(error, wrong.code, "csv: %.200s", wrong.text);
}

struct tw_codec *tw_csv_decoder_new(const struct tw_csv_options *o,
                                    struct tw_error *error)
{
    struct csv *c = tw_calloc(1, sizeof *c);

    if (!c) goto no_memory;
    c->codec = (struct tw_codec){
        .ops = &ops, .source = o->source,
        .problem = o->problem, .problem_ctx = o->problem_ctx
    };
    c->symbols = o->symbols;
    c->base_ns = o->base_ns;
    c->check = o->check;
    c->form_given = UNDECIDED;
    if (read_options(c, o, error)) goto fail;
    c->last = tw_map(LAST_BYTES, false);
    c->newest = tw_map(NEWEST_BYTES, false);
    if (!c->last || !c->newest) goto no_memory;
    c->low = UINT32_MAX;
    start_stream(c);
    return &c->codec;

no_memory:
    tw_fail(error, -ENOMEM, "csv: no memory");
fail:
    if (c) csv_free(&c->codec);
    return NULL;
}
