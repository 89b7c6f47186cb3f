/* Every form of row becomes exactly its record; every bad one is told by line;
 * where the input was cut makes no difference (C1-C4 of host/feed/csv.c). */
#include "base/fixed.h"
#include "base/memory.h"
#include "feed/csv.h"
#include "feed/input.h"
#include "feed/lean.h"
#include "tape/bar.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KEEP = 256 };

/* What a run gave. */
struct run {
    struct tw_codec_stats stats;
    struct tw_record r[KEEP];         /* the first of them        */
    struct tw_record last;
    uint64_t n, hash;
    char problems[4096];              /* the first, one a line    */
    struct tw_error error;
    struct tw_symbols *symbols;
};

static struct tw_batch batch;

static void keep(struct tw_batch *b)
{
    struct run *run = b->owner;

    for (unsigned i = 0; i < b->n; i++) {
        const unsigned char *p = (const unsigned char *)&b->r[i];

        if (run->n < KEEP) run->r[run->n] = b->r[i];
        run->n++;
        for (size_t k = 0; k < sizeof b->r[i]; k++)
            run->hash = (run->hash ^ p[k]) * UINT64_C(1099511628211);
    }
    if (b->n) run->last = b->r[b->n - 1];
    b->n = 0;
}

static void note(void *ctx, const char *text)
{
    struct run *run = ctx;
    size_t n = strlen(run->problems);

    snprintf(run->problems + n, sizeof run->problems - n, "%s\n", text);
}

static struct tw_codec *start(struct run *run, struct tw_csv_options o)
{
    *run = (struct run){ .hash = UINT64_C(14695981039346656037), .symbols = o.symbols };
    batch = (struct tw_batch){ .full = keep, .owner = run };
    o.problem = note;
    o.problem_ctx = run;
    o.source = 7;
    return tw_csv_decoder_new(&o, &run->error);
}

static void finish(struct run *run, struct tw_codec *c)
{
    keep(&batch);
    run->stats = c->stats;
    c->ops->free(c);
}

static struct tw_symbols *symbols;

/* Decodes a text that is given `step` bytes at a time (0: at once), what was
 * left undone before each, and ends the stream. */
static struct run *decode_in(struct tw_csv_options o, const char *text, size_t n,
                             size_t step)
{
    static struct run run;
    struct tw_codec *c;
    size_t from = 0, to = 0;

    if (!o.symbols) o.symbols = symbols;
    c = start(&run, o);
    if (!c) return &run;
    while (to < n) {
        to = step && to + step < n ? to + step : n;
        from += c->ops->decode(c, text + from, to - from, 99, &batch);
    }
    c->ops->end(c, text + from, n - from, 99, &batch);
    finish(&run, c);
    return &run;
}

static struct run *decode(struct tw_csv_options o, const char *text)
{
    return decode_in(o, text, strlen(text), 0);
}

static const char *why(struct tw_csv_options o)
{
    struct run *run = decode(o, "");

    return run->error.text;
}

static uint32_t id(const char *name)
{
    return tw_symbols_find(symbols, name, strlen(name));
}

static bool is_quote(const struct tw_record *r, const char *symbol, int64_t time,
                     int64_t bid, int64_t bid_size, int64_t ask, int64_t ask_size)
{
    return r->kind == TW_QUOTE && r->symbol == id(symbol) && r->time == time
        && r->quote.bid == bid && r->quote.bid_size == bid_size
        && r->quote.ask == ask && r->quote.ask_size == ask_size;
}

#define F(cents) ((int64_t)(cents) * 10000000)   /* 1.25 is F(125) */

static void rows_of_symbols(void)
{
    static const char *const want[] = { "A", "A", "AB", "A", "A", "B", "\"", "A", "AB" };
    struct run *run = decode((struct tw_csv_options){0},
        "time,symbol,bid\n1,A,1\n2,A,1\n3,AB,1\n4,A,1\n5,\"A\",1\n6,B,1\n"
        "7,\"\"\"\",1\n8,A,1\n9,AB,1\n10,,1\n11,A,1\n");
    unsigned wrong = run->r[9].symbol != id("A");

    for (unsigned i = 0; i < 9; i++) wrong += run->r[i].symbol != id(want[i]);
    ok(run->n == 10 && wrong == 0 && strstr(run->problems, "line 11: symbol ''"),
       "rows of one symbol, of others in between, of none");
}

static void headers(void)
{
    struct run *run;

    run = decode((struct tw_csv_options){0},
                 "\xEF\xBB\xBF# made for this test\r\n"
                 "Exchange,Date/Time,Ticker,Bid Price,ASK_PRICE,bid-qty,askSize\r\n"
                 "\r\n"
                 "X,1700000000123456789,A,1.25,1.50,100,200\r\n"
                 "X, 1700000000123456790 ,\"B,\"\"x\"\"\" , \"2.25\" ,2.5,1.5,"
                 "0.000000001\r\n  \r\n"
                 "# between\r\n"
                 "X,1700000000123456791,A,1.26,1.51,1,2,\r\n"
                 "X,1700000000123456792,A,-37.63,1.52,,");
    ok(run->n == 4 && run->problems[0] == 0,
       "BOM, CRLF, comments, aliases, no last newline");
    ok(is_quote(&run->r[0], "A", 1700000000123456789, F(125), F(10000), F(150), F(20000)),
       "a quote is exact");
    ok(is_quote(&run->r[1], "B,\"x\"", 1700000000123456790, F(225), F(150), F(250), 1),
       "quoted fields, doubled quotes, blanks, the ninth decimal");
    ok(is_quote(&run->r[3], "A", 1700000000123456792, F(-3763), 0, F(152), 0),
       "a negative price, no sizes");
    ok(run->r[0].source == 7 && run->r[0].received == 99 && run->r[0].source_seq == 4
       && run->r[0].seq == 0, "source, received and line number are in the record");
    ok(run->stats.messages == 4 && run->stats.records == 4 && run->stats.errors == 0,
       "only rows are messages");

    run = decode((struct tw_csv_options){0},
                 "time,symbol,price,size,side,bid,ask\n1,A,10,5,BUY,,\n2,A,11,,S,,\n"
                 "3,A,,,,10,12\n4,A,10,1,,9,9\n5,A,1,1,maybe,,\n");
    ok(run->n == 4 && run->r[0].kind == TW_TRADE && run->r[0].trade.price == F(1000)
       && run->r[0].trade.size == F(500) && run->r[0].trade.side == TW_SIDE_BUY
       && run->r[1].trade.side == TW_SIDE_SELL && run->r[1].trade.size == 0
       && run->r[3].kind == TW_TRADE && run->r[3].trade.side == TW_SIDE_NONE,
       "rows with a price are trades");
    ok(is_quote(&run->r[2], "A", 3000000000, F(1000), 0, F(1200), 0),
       "others are quotes");
    ok(strcmp(run->problems, "csv: line 6: side 'maybe' is neither buy nor sell\n") == 0,
       "an unknown side is an error");

    run = decode((struct tw_csv_options){ .separator = '\t', .symbol = "T" },
                 "time\tbid\task\n1\t\t2\n2\t3\t\n");
    ok(run->n == 2 && is_quote(&run->r[1], "T", 2000000000, F(300), 0, F(200), 0),
       "tabs separate, an empty side keeps the last one");

    run = decode((struct tw_csv_options){0}, "when,bid,ask\n1,2,3\n4,5,6\n");
    ok(run->n == 0 && run->stats.errors == 1 && run->stats.skips == 1
       && run->stats.skipped == 12
       && strstr(run->problems, "csv: line 1: header: no time column, so no line of the "
                 "file can be read; it is 'when,bid,ask', and"), "a header without time");
    run = decode((struct tw_csv_options){0}, "time,bid,ask\n1,2,3\n");
    ok(strstr(run->problems, "no symbol column"), "a header without symbol");
    run = decode((struct tw_csv_options){0}, "time,symbol,last\n1,A,3\n");
    ok(strstr(run->problems, "no bid, ask or price"), "a header without price");
    run = decode((struct tw_csv_options){0}, "time,symbol,open\n1,A,3\n");
    ok(strstr(run->problems, "a bar needs open, high, low and close"), "half a bar");
    run = decode((struct tw_csv_options){0}, "time,ts,symbol,bid\n1,1,A,3\n");
    ok(strstr(run->problems, "columns 1 and 2 are both time"), "a header with two times");
    run = decode((struct tw_csv_options){0},
                 "time,symbol,price\n1,A,1,234.5\n2,A,3,\n3,A,3,,\n");
    ok(run->n == 1 && run->stats.errors == 2
       && strstr(run->problems, "line 2: more columns than the 3 of the header"),
       "a row with more columns than the header is refused");
}

static void maps(void)
{
    struct tw_csv_options o = { .columns = "time, symbol, bid, ask, -, bid_size,," };
    struct run *run = decode(o, "Zeit,Name,Geld,Brief,?,Menge\n1,A,2,3,x,7,y,z\n");

    ok(run->n == 1 && is_quote(&run->r[0], "A", 1000000000, F(200), F(700), F(300), 0)
       && run->stats.ignored == 1 && run->stats.messages == 2,
       "a column map; the file's own header is ignored, and counted");
    o.columns = "time,symbol,bidd";
    ok(strcmp(why(o), "csv: no column is called 'bidd'; did you mean bid?") == 0,
       "an unknown name with a suggestion: %s", why(o));
    o.columns = "time,symbol,ask_szie,bid";
    ok(strstr(why(o), "did you mean ask_size?"), "%s", why(o));
    o.columns = "time,symbol,colour,bid";
    ok(strcmp(why(o), "csv: no column is called 'colour'") == 0, "%s", why(o));
    o.columns = "time,symbol,bid,bid";
    ok(strcmp(why(o), "csv: columns 3 and 4 are both bid") == 0, "%s", why(o));
    o.columns = "time,bid";
    ok(strstr(why(o), "no symbol given"), "%s", why(o));
    o.columns = "symbol,bid";
    ok(strcmp(why(o), "csv: no time column") == 0, "%s", why(o));
    o.columns = "time,bid";
    o.symbol = "A";
    o.price_scale = 7;
    ok(strcmp(why(o), "csv: price_scale 7 does not divide 1000000000") == 0,
       "%s", why(o));
    o.price_scale = 0;
    o.time = "min";
    ok(strstr(why(o), "'min' is not one of"), "%s", why(o));
    o.time = NULL;
    o.separator = '.';
    ok(strcmp(why(o), "csv: '.' can't be the separator") == 0, "%s", why(o));
    o.separator = 0;
    o.preset = "lean";
    ok(strcmp(why(o), "csv: no preset is called 'lean'") == 0, "%s", why(o));
    o.preset = "lean-fx-quote";
    ok(strcmp(why(o), "csv: a preset and columns are both given") == 0, "%s", why(o));
}

static bool time_is(const char *unit, const char *text, int64_t want)
{
    struct tw_csv_options o = { .columns = "time,bid", .symbol = "A", .time = unit };
    char line[100];
    struct run *run;

    snprintf(line, sizeof line, "%s,1\n", text);
    run = decode(o, line);
    if (run->n == 1 && run->r[0].time == want) return true;
    printf("# %s '%s': %lld, not %lld: %s", unit ? unit : "?", text,
           (long long)run->r[0].time, (long long)want, run->problems);
    return false;
}

static bool time_refused(const char *unit, const char *text, const char *message)
{
    struct tw_csv_options o = { .columns = "time,bid", .symbol = "A", .time = unit };
    char line[100];
    struct run *run;

    snprintf(line, sizeof line, "%s,1\n", text);
    run = decode(o, line);
    if (run->n == 0 && run->stats.errors == 1 && strstr(run->problems, message))
        return true;
    printf("# %s '%s' not refused so: %s", unit ? unit : "?", text, run->problems);
    return false;
}

static void times(void)
{
    const int64_t t = INT64_C(1704187800123456789);   /* 2024-01-02T09:30:00.123456789Z */
    const int64_t s = INT64_C(1704187800000000000), day = INT64_C(1704153600000000000);

    ok(time_is("ns", "1704187800123456789", t) && time_is("us", "1704187800123456.789", t)
       && time_is("ms", "1704187800123.456789", t)
       && time_is("s", "1704187800.123456789", t)
       && time_is("s", "1704187800.1234567890000", t), "units with decimals are exact");
    ok(time_is("ms", "42.4312", 42431200) && time_is("ms", "0", 0)
       && time_is("s", "-1.5", -1500000000), "small, zero and negative times");
    ok(time_is(NULL, "1704187800", s) && time_is(NULL, "1704187800000", s)
       && time_is(NULL, "1704187800000000", s) && time_is(NULL, "1704187800000000000", s)
       && time_is(NULL, "1704187800123456.789", t), "the unit by the number of digits");
    ok(time_is("iso", "2024-01-02T09:30:00.123456789Z", t)
       && time_is(NULL, "2024-01-02T09:30:00.123456789Z", t)
       && time_is(NULL, "2024-01-02 09:30:00.123456789", t)
       && time_is(NULL, "2024-01-02T14:30:00.123456789+05:00", t)
       && time_is(NULL, "2024-01-02T14:30:00.123456789+0500", t)
       && time_is(NULL, "2024-01-02 05:00:00.123456789-04:30", t)
       && time_is(NULL, "2024-01-02 05:30:00.123456789 -04", t), "ISO 8601 with zones");
    ok(time_is(NULL, "2024-01-02", day) && time_is(NULL, "20240102", day)
       && time_is(NULL, "2024-01-02T09:30", s) && time_is(NULL, "20240102 093000", s)
       && time_is(NULL, "20240102093000", s) && time_is(NULL, "20240102-09:30:00", s)
       && time_is(NULL, "20240102 093000123", s + 123000000)
       && time_is(NULL, "20240102093000123", s + 123000000), "dates and basic forms");
    ok(time_is("iso", "1970-01-01", 0)
       && time_is("iso", "2000-02-29", INT64_C(951782400000000000))
       && time_is("iso", "2016-12-31T23:59:60Z", INT64_C(1483228800000000000))
       && time_is("iso", "1678-01-01", INT64_C(-9214560000000000000)), "calendar edges");
    ok(time_refused("iso", "2023-02-29", "not a time")
       && time_refused("iso", "1900-02-29", "not a time")
       && time_refused("iso", "2024-13-01", "not a time")
       && time_refused("iso", "2024-01-02T24:00", "not a time")
       && time_refused("iso", "2024-01-02T09:30:00X", "not a time")
       && time_refused("iso", "2024-0102", "not a time")
       && time_refused("iso", "1500-01-01", "out of range")
       && time_refused("iso", "2024-01-02T09:30:00.1234567891", "finer than a nano"),
       "dates that are none");
    ok(time_refused("ns", "1.5", "finer than a nano")
       && time_refused("s", "9223372037", "out of range")
       && time_refused("ns", "9223372036854775808", "out of range")
       && time_refused("ns", "99999999999999999999", "out of range")
       && time_refused("ms", "12x", "time '12x' is not a time, read as ms")
       && time_refused("ms", "1.", "not a time") && time_refused("ms", "-", "not a time")
       && time_refused("s", "1.7e9", "not a time")
       && time_refused(NULL, "", "not a time"),
       "numbers that are none");

    struct tw_csv_options o = { .columns = "time,bid", .symbol = "A", .base_ns = 5 };
    struct run *run = decode(o, "1704187800000,1\n1704187800,1\n2024-01-02,1\n");

    ok(run->n == 2 && run->r[0].time == s + 5 && run->r[1].time == 1704187800000005
       && run->stats.errors == 1,
       "the first value decides for the file; base_ns is added");
}

static void refusals(void)
{
    static const struct { const char *row, *says; } bad[] = {
        {"1,A,12x,2,,", "bid '12x' is not a number"},
        {"1,A,1e3x,2,,", "bid '1e3x' is not a number"},
        {"1,A,+1,2,,", "bid '+1' is not a number"},
        {"1,A,nan,2,,", "bid 'nan' is not a number"},
        {"1,A,1,2,-5,", "bid_size '-5' is negative"},
        {"1,A,1,2,,1x", "ask_size '1x' is not a number"},
        {"1,A,1,0.1234567891,,", "ask '0.1234567891' does not fit nine decimals"},
        {"1,A,1,2,-0035201000000,", "the option columns leaves columns out"},
        {"1,A,1", "no column 4, which is ask"},
        {"1", "no column 2, which is symbol"},
        {"1,A,,,,", "neither bid, ask nor price"},
        {"1,A,,2,7,", "bid_size '7' without bid"},
        {"1,,1,2,,", "symbol '': empty"},
        {"1,\"A,1,2,,", "a quoted field does not end"},
        {"1,\"A\"b,1,2,,", "text after a quoted field"},
        {"1,A,1\t1,2,,", "bid '1?1' is not a number"},
        {"1,A,0123456789012345678901234567890123456789x,2,,",
         "bid '0123456789012345678901234567890123456789...' is not a number"},
        {"1,0123456789012345678901234567890123456789012345678901234567891234,1,2,,",
         "longer than 63 bytes"},
    };
    struct tw_csv_options o = { .columns = "time,symbol,bid,ask,bid_size,ask_size" };
    char text[400];
    struct run *run;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "2,A,1,2,3,4\n\n%s\n1,A,1,2,3,5\n", bad[i].row);
        run = decode(o, text);
        ok(run->n == 2 && run->stats.errors == 1 && run->stats.messages == 3
           && strncmp(run->problems, "csv: line 3: ", 13) == 0
           && strstr(run->problems, bad[i].says)
           && is_quote(&run->last, "A", 1000000000, F(100), F(300), F(200), F(500)),
           "%s", run->problems[0] ? strtok(run->problems, "\n") : bad[i].row);
    }

    /* A refused row leaves no trace in the next one-sided one (C4). */
    run = decode(o, "1,A,1,2,3,4\n2,A,5,x,5,5\n3,A,,9,,\n");
    ok(run->n == 2 && is_quote(&run->last, "A", 3000000000, F(100), F(300), F(900), 0),
       "a refused row changes no side");
}

static void long_lines(void)
{
    enum { LONG = 65536 };
    struct tw_csv_options o = { .columns = "time,bid,-", .symbol = "A" };
    size_t n = 0, step[] = { 0, 1000, 65536, 65537, 100000 };
    char *text = malloc(4 * LONG);
    struct run *run;

    if (!text) abort();
    n += (size_t)sprintf(text + n, "1,1,");
    memset(text + n, 'x', LONG - 4);              /* 65,536 bytes: just a row */
    n += LONG - 4;
    n += (size_t)sprintf(text + n, "\n2,1,");
    memset(text + n, 'x', LONG - 3);              /* one more: none */
    n += LONG - 3;
    n += (size_t)sprintf(text + n, "\n3,1\n4,");
    memset(text + n, 'x', LONG);
    n += LONG;
    for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
        run = decode_in(o, text, n, step[i]);
        ok(run->n == 2 && run->r[1].time == 3000000000 && run->r[1].source_seq == 3
           && run->stats.skips == 2 && run->stats.skipped == LONG + 2 + LONG + 2
           && run->stats.bytes == n && run->stats.errors == 0
           && strcmp(run->problems, "csv: line 2: longer than 65536 bytes, skipped\n"
                     "csv: line 4: longer than 65536 bytes, skipped\n") == 0,
           "a line that is too long is one skip, in steps of %zu", step[i]);
    }
    free(text);
}

static void presets(void)
{
    struct tw_csv_options o = { .preset = "lean-equity-quote", .symbol = "IBM",
                                .base_ns = 1000 };
    struct run *run = decode(o, "14400640,1800100,200,0,0,P,1,0\n"
                             "14400640,0,0,1826201,100,P,1,0\r\n"
                             "14400641.5,1800200,0,0,0,P,1,0\n"
                             "14400642,99999999999999,1,0,0,P,1,0\n"
                             "14400643,0,0,0,0,P,1,0\n"
                             "14400644,18.5,1,92000000000,1\n"
                             "14400645,18.50001,1,0,0\n14400646,18.500001,1,0,0");
    struct tw_codec *c;
    const char *text = "1,100,1,0,0\n", *more = "2,0,0,200,2\n";

    ok(run->n == 5 && run->stats.errors == 3
       && is_quote(&run->r[0], "IBM", 14400640001000, F(18001), F(20000), 0, 0)
       && is_quote(&run->r[1], "IBM", 14400640001000, F(18001), F(20000),
                   182620100000, F(10000))
       && is_quote(&run->r[2], "IBM", 14400641501000, F(18002), 0,
                   182620100000, F(10000)),
       "LEAN equity quotes: scaled prices, one side a row");
    ok(is_quote(&run->r[3], "IBM", 14400644001000, 1850000, F(100),
                INT64_C(9200000000000000), F(100)),
       "a scaled price beyond what the number itself could be");
    ok(run->r[4].quote.bid == 1850001 && strstr(run->problems,
       "line 8: bid '18.500001' does not fit nine decimals"),
       "a scaled price is exact or refused");

    o.preset = "lean-equity-trade";
    run = decode(o, "31669457,1821000,300,P,2000,0\n31669457,0x1,300,P,2000,0\n");
    ok(run->n == 1 && run->r[0].kind == TW_TRADE && run->r[0].trade.price == F(18210)
       && run->r[0].trade.size == F(30000) && run->stats.errors == 1,
       "LEAN equity trades");
    o.preset = "lean-fx-quote";
    run = decode(o, "42.4312,1290.33,1290.66\n42,1.39101,1.39114\r\n");
    ok(run->n == 2 && is_quote(&run->r[0], "IBM", 42432200, F(129033), 0, F(129066), 0),
       "LEAN currency quotes: decimals in the time");

    /* One decoder, two streams: the second starts from nothing (C4). */
    o = (struct tw_csv_options){ .preset = "lean-equity-quote", .symbol = "IBM",
                                 .symbols = symbols };
    static struct run two;
    c = start(&two, o);
    c->ops->end(c, text, strlen(text), 0, &batch);
    c->ops->end(c, more, strlen(more), 0, &batch);
    finish(&two, c);
    ok(two.n == 2 && is_quote(&two.r[1], "IBM", 2000000, 0, 0, F(2), F(200))
       && two.r[1].source_seq == 1, "a new stream forgets quotes and counts lines anew");
}

/* A page that can't be touched stands right behind (or before) the text. */
static char *guarded(size_t room, size_t *page)
{
    char *map;

    *page = (size_t)sysconf(_SC_PAGESIZE);
    room = (room + *page - 1) / *page * *page;
    map = mmap(NULL, room + *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
               -1, 0);
    mprotect(map + room, *page, PROT_NONE);
    return map + room;
}

static const char mixed[] =
    "\xEF\xBB\xBF" "time,symbol,bid,ask,\"bid_size\",ask_size,price,size,side\r\n"
    "2024-01-02T09:30:00.123456789Z,AA,1.25,1.5,100,200,,,\r\n"
    "2024-01-02 09:30:01,\"B,\"\"B\"\"\",,2.5,,7,,,\n\n"
    "# a comment\n2024-01-02,AA,,,,,3.5,10,buy\n"
    "20240102 093000123,AA,x,1.5,100,200,,,\n"
    "20240102 093000123,AA,1.000000001,,100,,,,\n"
    "20240102 093000124,\"AA,1\n20240102,AA,1,2,-3,4,,,\nshort\n"
    "20240102-09:30:00,CC,9223372036.854775807,0.1,1,1,,,";

/* A skip here is that of a refused header, whose error is no row's. */
static bool balanced(const struct tw_codec_stats *s, size_t bytes)
{
    return s->messages + s->skips == s->records + s->ignored + s->errors
        && s->bytes == bytes;
}

static void any_cut(void)
{
    size_t n = sizeof mixed - 1, page, wrong = 0;
    char *end = guarded(n, &page), *text = end - n;
    struct run whole, *run;

    memcpy(text, mixed, n);
    whole = *decode_in((struct tw_csv_options){0}, text, n, 0);
    ok(whole.n == 5 && whole.stats.errors == 4 && balanced(&whole.stats, n),
       "a text with everything in it: %llu records, %llu errors",
       (unsigned long long)whole.n, (unsigned long long)whole.stats.errors);
    for (size_t step = 1; step <= n; step++) {
        run = decode_in((struct tw_csv_options){0}, text, n, step);
        wrong += run->hash != whole.hash || strcmp(run->problems, whole.problems) != 0
            || memcmp(&run->stats, &whole.stats, sizeof run->stats) != 0;
    }
    ok(wrong == 0, "any chunking gives the same records, problems and counts (C2)");

    wrong = 0;
    for (size_t cut = 0; cut <= n; cut++) {
        memcpy(end - cut, cut == 4 ? "\xfd" "7zX" : mixed, cut);   /* of xz */
        run = decode_in((struct tw_csv_options){0}, end - cut, cut, 0);
        wrong += !balanced(&run->stats, cut);
    }
    ok(wrong == 0, "every prefix, with a guard page behind it (C1, C3)");

    wrong = 0;
    for (size_t i = 0; i < n; i++)
        for (unsigned flip = 1; flip < 256; flip = flip * 2 + 1) {
            memcpy(text, mixed, n);
            text[i] ^= (char)flip;
            run = decode_in((struct tw_csv_options){0}, text, n, 0);
            wrong += !balanced(&run->stats, n);
        }
    ok(wrong == 0, "every byte flipped");
    munmap(end - (n + page - 1) / page * page, (n + page - 1) / page * page + page);
}

static void no_allocation(void)
{
    struct tw_csv_options o = { .columns = "time,symbol,bid,ask", .symbols = symbols };
    static struct run run;
    struct tw_codec *c = start(&run, o);
    const char *text = "1,A,1,2\n2,A,,3\n3,A,x,3\n";
    uint64_t before;

    c->ops->decode(c, text, strlen(text), 0, &batch);
    before = tw_memory_count();
    for (int i = 0; i < 1000; i++) c->ops->decode(c, text, strlen(text), 0, &batch);
    ok(tw_memory_count() == before, "a row allocates nothing");
    finish(&run, c);

    for (int n = 1; n <= 2; n++) {
        tw_memory_fail_at((uint64_t)n);
        c = start(&run, o);
        ok(!c && strcmp(run.error.text, "csv: no memory") == 0, "allocation %d fails", n);
        if (c) c->ops->free(c);
    }
    tw_memory_fail_at(0);
}

static bool lean_is(const char *path, const char *preset, const char *symbol, int64_t s)
{
    struct tw_lean lean;
    struct tw_error error = {0};

    if (tw_lean_path(path, &lean, &error) == 0)
        return strcmp(lean.preset, preset) == 0 && strcmp(lean.symbol, symbol) == 0
            && lean.base_ns == s * TW_FIXED_ONE;
    printf("# %s\n", error.text);
    return false;
}

static bool lean_refused(const char *path, const char *says)
{
    struct tw_lean lean;
    struct tw_error error = {0};

    if (tw_lean_path(path, &lean, &error) == TW_EUSAGE && strstr(error.text, says))
        return true;
    printf("# %s: %s\n", path, error.text);
    return false;
}

static void lean_paths(void)
{
    ok(lean_is("/d/equity/usa/tick/ibm/20131008_quote.zip", "lean-equity-quote", "IBM",
               1381204800)
       && lean_is("equity/usa/tick/brk.a/20140108_trade.csv", "lean-equity-trade",
                  "BRK.A", 1389157200)
       && lean_is("x/forex/oanda/tick/eurusd/20140508_quote.zip", "lean-fx-quote",
                  "EURUSD", 1399507200)
       && lean_is("x/forex/fxcm/tick/eurusd/20140508_quote.zip", "lean-fx-quote",
                  "EURUSD", 1399525200)
       && lean_is("cfd/oanda/tick/xauusd/20140508_quote.zip", "lean-fx-quote", "XAUUSD",
                  1399507200), "preset, symbol and midnight of a path");
#define NEW_YORK(day, s) \
    lean_is("equity/usa/tick/a/" day "_quote.zip", "lean-equity-quote", "A", s)
    ok(NEW_YORK("20240310", 1710046800) && NEW_YORK("20240311", 1710129600)
       && NEW_YORK("20241103", 1730606400) && NEW_YORK("20241104", 1730696400)
       && NEW_YORK("20060402", 1143954000) && NEW_YORK("20060403", 1144036800)
       && NEW_YORK("20061029", 1162094400) && NEW_YORK("20061030", 1162184400)
       && NEW_YORK("20070311", 1173589200) && NEW_YORK("20070312", 1173672000)
       && NEW_YORK("19870405", 544597200) && NEW_YORK("19870406", 544680000),
       "New York's summer time, by both rules");
    ok(lean_refused("20131008_quote.zip", "is not a path like")
       && lean_refused("a/equity/usa/weekly/ibm/20131008_quote.zip", "of 'weekly'")
       && lean_refused("equity/usa/tick/ibm/20131308_quote.zip", "file name")
       && lean_refused("equity/usa/tick/ibm/20131008_depth.zip", "file name")
       && lean_refused("equity/usa/tick/ibm/x", "file name")
       && lean_refused("equity/india/tick/ibm/20131008_quote.zip", "no preset")
       && lean_refused("crypto/usa/tick/ibm/20131008_quote.zip", "no preset")
       && lean_refused("forex/fxcm/tick/eurusd/20131008_trade.zip",
                       "no preset for trades")
       && lean_refused("equity/usa/tick//20131008_quote.zip", "no symbol")
       && lean_refused("equity/usa/tick/ibm/19600108_quote.zip", "1987"),
       "paths that are not LEAN's");
}

/* Real files, by their own path. */
static void lean_file(const char *path, uint64_t rows, const struct tw_record *first,
                      const struct tw_record *last)
{
    enum { CHUNK = 128 * 1024 };
    static char buffer[CHUNK];
    static struct run run;
    struct tw_csv_options o = { .symbols = symbols };
    struct tw_error error = {0};
    struct tw_lean lean;
    struct tw_input *in;
    struct tw_codec *c;
    size_t n = 0, done;
    int64_t got = -1;

    in = tw_input_open(path, NULL, &error);
    if (!in || tw_lean_path(path, &lean, &error)) {
        tw_input_close(in);
        printf("# %s\n", error.text);
        ok(access(path, F_OK) != 0, "%s # SKIP not here", path);
        return;
    }
    o.preset = lean.preset;
    o.symbol = lean.symbol;
    o.base_ns = lean.base_ns;
    c = start(&run, o);
    while ((got = tw_input_read(in, buffer + n, CHUNK - n, &error)) > 0) {
        n += (size_t)got;
        done = c->ops->decode(c, buffer, n, 0, &batch);
        memmove(buffer, buffer + done, n -= done);
    }
    c->ops->end(c, buffer, n, 0, &batch);
    finish(&run, c);
    tw_input_close(in);
    if (run.problems[0]) printf("# %.200s", run.problems);
    if (got < 0) printf("# %s\n", error.text);
    ok(got == 0 && run.n == rows && run.stats.errors == 0 && run.stats.messages == rows,
       "%s: %llu rows", path, (unsigned long long)run.n);
    ok(run.r[0].time == first->time && run.last.time == last->time
       && run.r[0].kind == first->kind
       && memcmp(run.r[0].word, first->word, sizeof first->word) == 0
       && memcmp(run.last.word, last->word, sizeof last->word) == 0,
       "its first and last record");
}

#define QUOTE(at, b, bs, a, as) \
    &(struct tw_record){ .time = at, .kind = TW_QUOTE, .quote = {b, a, bs, as} }
#define TRADE(at, p, s) \
    &(struct tw_record){ .time = at, .kind = TW_TRADE, .trade = {.price = p, .size = s} }

static void lean_files(void)
{
    const char *lean = "../shared/data/lean";
    char path[200];

    if (access(lean, F_OK) != 0) {
        ok(1, "LEAN's files # SKIP no %s", lean);
        return;
    }
    snprintf(path, sizeof path, "%s/equity/usa/tick/ibm/20131008_quote.zip", lean);
    lean_file(path, 125750,
              QUOTE(INT64_C(1381219200640000000), F(18001), F(20000), 0, 0),
              QUOTE(INT64_C(1381276800646000000), F(17905), F(10000), F(18500),
                    F(10000)));
    snprintf(path, sizeof path, "%s/equity/usa/tick/ibm/20131008_trade.zip", lean);
    lean_file(path, 33381, TRADE(INT64_C(1381236469457000000), F(18210), F(30000)),
              TRADE(INT64_C(1381274636822000000), F(17955), F(20000)));
    snprintf(path, sizeof path, "%s/forex/oanda/tick/eurusd/20140508_quote.zip", lean);
    lean_file(path, 87833,
              QUOTE(INT64_C(1399507208715000000), 1391010000, 0, 1391140000, 0),
              QUOTE(INT64_C(1399593589008000000), 1384220000, 0, 1384310000, 0));
    snprintf(path, sizeof path, "%s/forex/fxcm/tick/eurusd/20140508_quote.zip", lean);
    lean_file(path, 167466,
              QUOTE(INT64_C(1399525217007000000), 1391470000, 0, 1391480000, 0),
              QUOTE(INT64_C(1399611599235000000), 1383710000, 0, 1383740000, 0));
    snprintf(path, sizeof path, "%s/cfd/oanda/tick/xauusd/20140508_quote.zip", lean);
    lean_file(path, 199123,
              QUOTE(INT64_C(1399507200042431200), F(129033), 0, F(129066), 0),
              QUOTE(INT64_C(1399593599341445000), 1290875000000, 0, 1291209000000, 0));
}

static bool is_bar(const struct tw_record *r, int64_t time_s, uint32_t seconds,
                   enum tw_bar_price price, struct tw_ohlc want)
{
    struct tw_ohlc got;

    tw_bar_get(r, &got);
    return r->kind == TW_BAR && r->time == time_s * 1000000000
        && tw_bar_seconds(r) == seconds && tw_bar_price(r) == price
        && memcmp(&got, &want, sizeof got) == 0;
}

static void bars(void)
{
    const struct tw_ohlc bar = { F(100), F(300), F(50), F(200), F(700) };
    struct run *run = decode((struct tw_csv_options){ .symbol = "A" },
        "Date,Open,High,Low,Close,Volume,OpenInterest\n2006-01-02,1,3,.5,2,7,0\n");

    ok(run->n == 1 && is_bar(&run->r[0], 1136246400, 86400, TW_BAR_TRADES, bar),
       "a date alone is a day's bar, known at its end");
    run = decode((struct tw_csv_options){ .symbol = "A" },
                 ",Open,High,Low,Close,Volume\n2006-01-02,1,3,.5,2,7\n");
    ok(run->n == 1 && is_bar(&run->r[0], 1136246400, 86400, TW_BAR_TRADES, bar),
       "a first column without a name is the time");
    run = decode((struct tw_csv_options){ .symbol = "A", .interval_ns = 60000000000 },
                 "date,time,open,high,low,close,volume\n2006-01-02,09:30,1,3,.5,2,7\n"
                 "20060102,093100,1,3,.5,2,7\n");
    ok(run->n == 2 && is_bar(&run->r[0], 1136194260, 60, TW_BAR_TRADES, bar)
       && is_bar(&run->r[1], 1136194320, 60, TW_BAR_TRADES, bar),
       "a date and a time of the day");
    run = decode((struct tw_csv_options){ .symbol = "A", .interval_ns = 60000000000,
                                          .label_end = true },
                 "time,open,high,low,close,volume\n1136194260,1,3,.5,2,7\n");
    ok(run->n == 1 && is_bar(&run->r[0], 1136194260, 60, TW_BAR_TRADES, bar),
       "named by their ends");
    run = decode((struct tw_csv_options){ .symbol = "A", .zone = "+01:00" },
                 "time,open,high,low,close,volume\n2006-01-02,1,3,.5,2,7\n"
                 "2006-01-03T00:00:00Z,1,3,.5,2,7\n");
    ok(run->n == 2 && is_bar(&run->r[0], 1136242800, 86400, TW_BAR_TRADES, bar)
       && is_bar(&run->r[1], 1136332800, 86400, TW_BAR_TRADES, bar),
       "clocks of a zone, but where a time says its own");
    run = decode((struct tw_csv_options){ .preset = "lean-equity-quote-bar",
                                          .symbol = "A", .interval_ns = 60000000000 },
                 "60000,10000,30000,5000,20000,7,20000,40000,20000,30000,8\n"
                 "120000,,,,,,20000,40000,20000,30000,8\n"
                 "180000,10000,30000,5000,20000,7,,,,,\n240000,,,,,,,,,,\n");
    ok(run->n == 4 && is_bar(&run->r[0], 120, 60, TW_BAR_BID, bar)
       && is_bar(&run->r[1], 120, 60, TW_BAR_ASK, (struct tw_ohlc){ F(200), F(400),
                                                     F(200), F(300), F(800) })
       && tw_bar_price(&run->r[2]) == TW_BAR_ASK
       && tw_bar_price(&run->r[3]) == TW_BAR_BID, "bars of both sides, or of one");
    ok(run->stats.messages == run->stats.records + run->stats.errors
       && strstr(run->problems, "line 4: neither bid nor ask"), "C1 with them");
    run = decode((struct tw_csv_options){ .symbol = "A", .interval_ns = 60000000000 },
                 "time,open,high,low,close,volume\n60,1,.5,3,2,7\n60,4,3,.5,2,7\n"
                 "60,1,3,.5,4,7\n60,1,3,0,2,7\n60,1,3,,2,7\n60,1,3,.5,2,-7\n"
                 "60,nan,3,.5,2,7\n-60,1,3,.5,2,7\n-99,1,3,.5,2,7\n-60,1,3,.5,2,7\n"
                 "180,9000000000,9000000000,.000000001,2,7\n");
    ok(run->n == 1 && run->stats.errors == 10 && strcmp(run->problems,
        "csv: line 2: high '.5' is below low '3'\n"
        "csv: line 3: open '4' is not between low '.5' and high '3'\n"
        "csv: line 4: close '4' is not between low '.5' and high '3'\n"
        "csv: line 5: low is 0\n"
        "csv: line 6: low '' is not a number\n"
        "csv: line 7: size '-7' is negative\n"
        "csv: line 8: open 'nan' is not a number\n"
        "csv: line 10: time '-99' is before that of the symbol's last bar\n"
        "csv: line 11: time '-60' is that of the symbol's last bar\n"
        "csv: line 12: the prices of the bar are too far from each other for so many"
        " decimals\n") == 0, "bad bars are told by line");
    run = decode((struct tw_csv_options){ .symbol = "A" },
                 "time,open,high,low,close,volume\n2006-01-02 09:30,1,3,.5,2,7\n");
    ok(strstr(run->problems, "with the option interval"), "no length, no date");
    ok(strstr(why((struct tw_csv_options){ .interval_ns = 5 }), "whole seconds")
       && strstr(why((struct tw_csv_options){ .zone = "Mars" }), "Mars"),
       "bad options of bars");
}

static bool lean_bars_are(const char *path, const char *preset, const char *symbol,
                          int64_t seconds, const char *zone)
{
    struct tw_lean lean;
    struct tw_error error;

    return tw_lean_path(path, &lean, &error) == 0 && strcmp(lean.preset, preset) == 0
        && strcmp(lean.symbol, symbol) == 0 && lean.interval_ns == seconds * 1000000000
        && (zone ? lean.zone && strcmp(lean.zone, zone) == 0 : !lean.zone);
}

static void lean_bars(void)
{
    ok(lean_bars_are("equity/usa/minute/spy/20131011_trade.zip", "lean-equity-trade-bar",
                     "SPY", 60, NULL)
       && lean_bars_are("equity/usa/second/spy/20131011_quote.zip",
                        "lean-equity-quote-bar", "SPY", 1, NULL)
       && lean_bars_are("x/equity/usa/daily/spy.zip", "lean-equity-trade-bar", "SPY",
                        86400, "America/New_York")
       && lean_bars_are("x/forex/fxcm/hour/nzdusd.zip", "lean-quote-bar", "NZDUSD", 3600,
                        "-05:00")
       && lean_bars_are("x/crypto/coinbase/daily/btcusd_trade.zip", "lean-trade-bar",
                        "BTCUSD", 86400, "UTC")
       && lean_bars_are("forex/oanda/minute/eurusd/20140507_quote.zip", "lean-quote-bar",
                        "EURUSD", 60, NULL), "paths of bars");
}

int main(void)
{
    symbols = tw_symbols_new(1000);
    headers();
    rows_of_symbols();
    maps();
    times();
    refusals();
    long_lines();
    presets();
    any_cut();
    no_allocation();
    lean_paths();
    bars();
    lean_bars();
    lean_files();
    tw_symbols_free(symbols);
    return tap_done();
}
