/* bars.c - bars of random records against a plain account of them, and of 690,719 ticks
 * against the minute files of the same days. */
#include "trade/bars.h"

#include <stdlib.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "feed/csv.h"
#include "feed/input.h"
#include "feed/lean.h"
#include "random.h"
#include "tap.h"

#define ONE TW_FIXED_ONE

static struct tw_record trade(uint32_t symbol, int64_t time_ns, int64_t price,
                              int64_t size)
{
    struct tw_record r = { .kind = TW_TRADE, .symbol = symbol, .time = time_ns };

    r.trade.price = price;
    r.trade.size = size;
    return r;
}

/* "SYMBOL END OPEN HIGH LOW CLOSE VOLUME" in whole units, of what is complete. */
static const char *complete(struct tw_bars *b)
{
    static char text[1000];
    struct tw_record r;
    struct tw_ohlc o;

    text[0] = '\0';
    while (tw_bars_next(b, &r)) {
        char one[200];

        tw_bar_get(&r, &o);
        snprintf(one, sizeof one, "%s%u %d %d %d %d %d %d", text[0] ? ", " : "", r.symbol,
                 (int)(r.time / ONE), (int)(o.open / ONE), (int)(o.high / ONE),
                 (int)(o.low / ONE), (int)(o.close / ONE), (int)(o.volume / ONE));
        strcat(text, one);
    }
    return text;
}

static void take(struct tw_bars *b, uint32_t symbol, int64_t second, int64_t price,
                 int64_t size)
{
    struct tw_record r = trade(symbol, second * ONE, price * ONE, size * ONE);

    tw_bars_take(b, &r);
}

static void by_time(void)
{
    struct tw_bars *b = tw_bars_new(&(struct tw_bars_options){ .span_ns = 60 * ONE });
    struct tw_record timer = { .kind = TW_TIMER, .time = 240 * ONE };

    take(b, 2, 60, 10, 1);
    take(b, 1, 61, 20, 1);
    take(b, 2, 119, 12, 2);
    take(b, 2, 119, 9, 3);
    ok(strcmp(complete(b), "") == 0, "nothing is complete");
    take(b, 2, 120, 11, 4);
    ok(strcmp(complete(b), "1 120 20 20 20 20 1, 2 120 10 12 9 9 6") == 0,
       "at its end, in the order of symbols");
    tw_bars_take(b, &timer);
    ok(strcmp(complete(b), "2 180 11 11 11 11 4") == 0, "time alone, and no empty bar");
    take(b, 1, -1, 5, 1);
    take(b, 1, 0, 6, 1);
    ok(strcmp(complete(b), "1 0 5 5 5 5 1") == 0, "before the epoch");
    tw_bars_end(b);
    ok(strcmp(complete(b), "1 60 6 6 6 6 1") == 0, "the end of the data");
    tw_bars_free(b);
}

/* Ids are by who was registered first: with names they count for nothing. */
static void by_name(void)
{
    struct tw_symbols *names = tw_symbols_new(8);
    struct tw_bars_options minute = { .span_ns = 60 * ONE, .symbols = names };
    struct tw_bars *b = tw_bars_new(&minute);

    tw_symbols_intern(names, "C", 1), tw_symbols_intern(names, "A", 1);
    tw_symbols_intern(names, "B", 1);
    take(b, 3, 60, 10, 1);
    take(b, 2, 60, 20, 1);
    take(b, 1, 0, 30, 1);
    take(b, 1, 61, 40, 1);
    ok(strcmp(complete(b), "1 60 30 30 30 30 1") == 0, "the one that ends first");
    take(b, 3, 180, 50, 1);
    ok(strcmp(complete(b), "2 120 20 20 20 20 1, 3 120 10 10 10 10 1,"
                           " 1 120 40 40 40 40 1") == 0, "then by the symbols' names");
    take(b, 1, 240, 60, 1);
    take(b, 2, 241, 70, 1);
    tw_bars_end(b);
    ok(strcmp(complete(b), "3 240 50 50 50 50 1, 2 300 70 70 70 70 1,"
                           " 1 300 60 60 60 60 1") == 0, "at the end of the data, too");
    tw_bars_free(b);
    tw_symbols_free(names);
}

static void by_count_and_volume(void)
{
    struct tw_bars *b = tw_bars_new(&(struct tw_bars_options){ .count = 2 });
    struct tw_bars *v = tw_bars_new(&(struct tw_bars_options){ .volume = 10 * ONE });
    struct tw_record most;
    struct tw_ohlc o;

    take(b, 1, 1, 10, 1);
    take(b, 2, 2, 20, 1);
    take(b, 1, 3, 11, 1);
    ok(strcmp(complete(b), "1 3 10 11 10 11 2") == 0, "two trades");
    take(v, 1, 1, 10, 4);
    take(v, 1, 2, 12, 4);
    ok(strcmp(complete(v), "") == 0, "8 of 10");
    take(v, 1, 3, 11, 15);
    ok(strcmp(complete(v), "1 3 10 12 10 11 23") == 0, "the trade that passes 10");
    for (int i = 0; i < 2; i++) {
        struct tw_record r = trade(1, (i + 1) * ONE, 5 * ONE, INT64_MAX / 3 * 2);

        tw_bars_take(b, &r);
    }
    ok(tw_bars_next(b, &most) && (tw_bar_get(&most, &o), o.volume == INT64_MAX),
       "a volume beyond 9.2e9 is the most that there can be");
    tw_bars_free(b);
    tw_bars_free(v);
}

static void of_bars(void)
{
    const struct tw_bars_options one = { .span_ns = 60 * ONE };
    const struct tw_bars_options five = { .span_ns = 300 * ONE };
    struct tw_bars *minutes = tw_bars_new(&one), *direct = tw_bars_new(&five);
    struct tw_bars *made = tw_bars_new(&(struct tw_bars_options){ .span_ns = 300 * ONE });
    char *a = calloc(1, 1 << 20), *c = calloc(1, 1 << 20);
    int64_t at = 0;

    for (unsigned i = 0; i < 20000; i++) {   /* one symbol: others may come later */
        struct tw_record r, bar;

        at += (int64_t)(next() % 20) * ONE;
        r = trade(1, at, (int64_t)(next() % 100 + 1) * ONE, ONE);
        tw_bars_take(direct, &r);
        tw_bars_take(minutes, &r);
        while (tw_bars_next(minutes, &bar)) tw_bars_take(made, &bar);
        if (i % 5 == 0) strcat(a, complete(direct)), strcat(c, complete(made));
    }
    ok(strlen(a) > 1000, "bars of five minutes");
    tw_bars_end(direct);
    tw_bars_end(minutes);
    for (struct tw_record bar; tw_bars_next(minutes, &bar);) tw_bars_take(made, &bar);
    tw_bars_end(made);
    strcat(a, complete(direct));
    strcat(c, complete(made));
    ok(strcmp(a, c) == 0, "made of trades, and of minutes, are the same");
    free(a);
    free(c);
    tw_bars_free(minutes);
    tw_bars_free(direct);
    tw_bars_free(made);
}

static struct tw_bars *of_price(enum tw_bar_price price, int64_t span, int64_t offset)
{
    return tw_bars_new(&(struct tw_bars_options){ .span_ns = span * ONE,
        .offset_ns = offset * ONE, .price = price });
}

/* One at 10 to 14 at second 50, one of an ask alone at 70, a trade at 100, and time. */
static const char *by_price(struct tw_bars *b)
{
    struct tw_record r = { .kind = TW_QUOTE, .symbol = 1, .time = 50 * ONE,
                           .quote = { 10 * ONE, 14 * ONE, ONE, ONE } };
    bool volume;

    if (!tw_bars_lack(b, &volume) || volume) return "nothing has a price yet";
    tw_bars_take(b, &r);
    r.time = 70 * ONE;
    r.quote = (struct tw_quote){ 0, 20 * ONE, 0, ONE };
    tw_bars_take(b, &r);
    take(b, 1, 100, 17, 3);
    take(b, 2, 300, 17, 3);
    if (tw_bars_lack(b, &volume)) return "it has";
    return complete(b);
}

static void prices(void)
{
    static const struct {
        enum tw_bar_price price;
        int64_t offset;
        const char *want;
    } of[] = {
        { TW_BAR_BID, 0, "1 60 10 10 10 10 0" },
        { TW_BAR_ASK, 0, "1 60 14 14 14 14 0, 1 120 20 20 20 20 0" },
        { TW_BAR_MID, 0, "1 60 12 12 12 12 0" },
        { TW_BAR_TRADES, 0, "1 120 17 17 17 17 3" },
        { TW_BAR_ASK, 40, "1 100 14 20 14 20 0" },
        { TW_BAR_TRADES, 40, "1 160 17 17 17 17 3" },
        { TW_BAR_ASK, -10, "1 110 14 20 14 20 0" },
    };

    for (unsigned i = 0; i < sizeof of / sizeof *of; i++) {
        struct tw_bars *b = of_price(of[i].price, 60, of[i].offset);
        const char *got = by_price(b);

        ok(strcmp(got, of[i].want) == 0, "price %d from %d: %s", (int)of[i].price,
           (int)of[i].offset, got);
        tw_bars_free(b);
    }
}

/* Minutes of bids make bars of three of them, and one of its own; others are left out. */
static void of_minutes(void)
{
    struct tw_bars *minutes = of_price(TW_BAR_BID, 60, 0);
    struct tw_bars *b = of_price(TW_BAR_BID, 180, 0), *same = of_price(TW_BAR_BID, 60, 0);
    struct tw_bars *asks = of_price(TW_BAR_ASK, 180, 0);
    struct tw_bars *less = of_price(TW_BAR_BID, 30, 0);
    struct tw_record bar;

    for (int i = 0; i < 7; i++) {
        struct tw_record r = { .kind = TW_QUOTE, .symbol = 1, .time = (i * 60 + 30) * ONE,
            .quote = { (10 + i) * ONE, (20 + i) * ONE, ONE, ONE } };

        if (i == 4) continue;
        tw_bars_take(minutes, &r);
        if (!tw_bars_next(minutes, &bar)) continue;
        tw_bars_take(b, &bar);
        tw_bars_take(same, &bar);
        tw_bars_take(asks, &bar);
        tw_bars_take(less, &bar);
        if (i == 3)
            ok(strcmp(complete(b), "1 180 10 12 10 12 0") == 0,
               "complete with the minute that ends there, not with the next one");
        if (i == 5)
            ok(strcmp(complete(b), "") == 0, "nor before");
    }
    ok(strcmp(complete(b), "1 360 13 15 13 15 0") == 0, "a minute may be missing");
    ok(strcmp(complete(same), "1 60 10 10 10 10 0, 1 120 11 11 11 11 0, 1 180 12 12 12 12"
              " 0, 1 240 13 13 13 13 0, 1 360 15 15 15 15 0") == 0,
       "as long as they are");
    tw_bars_end(asks);
    tw_bars_end(less);
    ok(strcmp(complete(asks), "") == 0 && strcmp(complete(less), "") == 0,
       "of another price, or longer: none");
    tw_bars_free(minutes);
    tw_bars_free(b);
    tw_bars_free(same);
    tw_bars_free(asks);
    tw_bars_free(less);
}

static void without_memory(void)
{
    unsigned refused = 0;

    for (uint64_t n = 1; n < 9; n++) {
        struct tw_bars *b;

        tw_memory_fail_at(n);
        b = tw_bars_new(&(struct tw_bars_options){ .span_ns = 60 * ONE });
        for (uint32_t i = 1; b && i < 100; i++) {
            struct tw_record r = trade(i, i * ONE, ONE, ONE);

            refused += tw_bars_take(b, &r) < 0;
        }
        refused += !b;
        tw_memory_fail_at(0);
        tw_bars_free(b);
    }
    ok(refused == 8, "no memory is said (%u)", refused);
}

/* ---- real data ---- */

struct reader {
    struct tw_batch batch;           /* first: it is found by that */
    struct tw_bars *bid, *ask;
    uint64_t ticks;
};

static void empty(struct tw_batch *batch)
{
    struct reader *r = (struct reader *)batch;

    for (unsigned i = 0; i < batch->n; i++) {
        tw_bars_take(r->bid, &batch->r[i]);
        tw_bars_take(r->ask, &batch->r[i]);
    }
    r->ticks += batch->n;
    batch->n = 0;
}

static char *whole(const char *path, size_t *n)
{
    struct tw_error error;
    struct tw_input *in = tw_input_open(path, NULL, &error);
    char *bytes = malloc(1 << 24);
    int64_t got;

    *n = 0;
    while (in && (got = tw_input_read(in, bytes + *n, (1 << 24) - 1 - *n, &error)) > 0)
        *n += (size_t)got;
    bytes[*n] = '\0';
    tw_input_close(in);
    return bytes;
}

/* The price at `text`, where the next comma is. */
static int64_t price_at(char **text)
{
    int64_t v = -1;
    size_t n = strcspn(*text, ",\n\r");

    tw_fixed_parse(*text, n, &v);
    *text += n + 1;
    return v;
}

/* Rows of the minute file that the bars agree with in all eight prices. */
static void compare(const char *folder, const char *day, uint64_t *ticks, unsigned *same,
                    unsigned *rows)
{
    struct tw_bars_options o = { .span_ns = 60 * ONE, .price = TW_BAR_BID };
    struct reader *r = calloc(1, sizeof *r);
    struct tw_symbols *symbols = tw_symbols_new(16);
    struct tw_csv_options csv = { .symbols = symbols };
    char path[300];
    struct tw_lean lean;
    struct tw_error error;
    struct tw_codec *codec;
    size_t n, used;
    char *bytes;

    snprintf(path, sizeof path, folder, "tick", day);
    tw_lean_path(path, &lean, &error);
    csv.preset = lean.preset;
    csv.symbol = lean.symbol;
    csv.base_ns = lean.base_ns;
    codec = tw_csv_decoder_new(&csv, &error);
    r->batch.full = empty;
    r->bid = tw_bars_new(&o);
    o.price = TW_BAR_ASK;
    r->ask = tw_bars_new(&o);
    bytes = whole(path, &n);
    used = codec->ops->decode(codec, bytes, n, 0, &r->batch);
    codec->ops->end(codec, bytes + used, n - used, 0, &r->batch);
    empty(&r->batch);
    tw_bars_end(r->bid);
    tw_bars_end(r->ask);
    free(bytes);
    snprintf(path, sizeof path, folder, "minute", day);
    bytes = whole(path, &n);
    for (char *at = bytes; *at;) {
        struct tw_record bid, ask;
        struct tw_ohlc b, a;
        int64_t time_ns = lean.base_ns + price_at(&at) / 1000 + 60 * ONE;
        bool fine;

        if (!tw_bars_next(r->bid, &bid) || !tw_bars_next(r->ask, &ask)) break;
        tw_bar_get(&bid, &b);
        tw_bar_get(&ask, &a);
        fine = bid.time == time_ns && ask.time == time_ns;
        fine = price_at(&at) == b.open && fine;
        fine = price_at(&at) == b.high && fine;
        fine = price_at(&at) == b.low && fine;
        fine = price_at(&at) == b.close && fine;
        price_at(&at);
        fine = price_at(&at) == a.open && fine;
        fine = price_at(&at) == a.high && fine;
        fine = price_at(&at) == a.low && fine;
        fine = price_at(&at) == a.close && fine;
        price_at(&at);
        if (*at == '\n') at++;
        *same += fine;
        ++*rows;
    }
    *ticks += r->ticks;
    *rows += complete(r->bid)[0] != '\0';      /* bars that are not in the file */
    free(bytes);
    tw_bars_free(r->bid);
    tw_bars_free(r->ask);
    codec->ops->free(codec);
    tw_symbols_free(symbols);
    free(r);
}

static void real_ticks(void)
{
    static const char *const folders[] = {
        "../shared/data/lean/forex/fxcm/%s/eurusd/%s_quote.zip",
        "../shared/data/lean/forex/fxcm/%s/nzdusd/%s_quote.zip",
        "../shared/data/lean/forex/oanda/%s/eurusd/%s_quote.zip",
        "../shared/data/lean/forex/oanda/%s/nzdusd/%s_quote.zip",
    };
    FILE *there = fopen("../shared/data/README.md", "r");
    uint64_t ticks = 0;
    unsigned same = 0, rows = 0;

    if (!there) {
        ok(true, "minute bars of real ticks # SKIP no ../shared/data");
        return;
    }
    fclose(there);
    for (unsigned i = 0; i < 4; i++) {
        compare(folders[i], "20140507", &ticks, &same, &rows);
        compare(folders[i], "20140508", &ticks, &same, &rows);
    }
    ok(ticks == 690719, "%llu ticks", (unsigned long long)ticks);
    ok(same == 11390 && rows == 11390, "make %u minute bars, of %u in the files", same,
       rows);
}

int main(void)
{
    by_time();
    by_name();
    by_count_and_volume();
    of_bars();
    prices();
    of_minutes();
    without_memory();
    real_ticks();
    return tap_done();
}
