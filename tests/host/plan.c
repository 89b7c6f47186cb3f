/* plan.c - declared statistics give what loops written by hand give. */
#include "stat/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tap.h"

enum { SYMBOLS = 40, SECTORS = 3, ROWS = 4000, WINDOW = 64 };

static const char *const sectors[SECTORS] = { "tech", "oil", "banks" };
static struct tw_sources sources = { { [1] = "fix" } };
static struct tw_symbols *symbols;
static struct tw_record rows[ROWS];

static double uniform(void) { return (double)random() / ((double)RAND_MAX + 1); }

static void make_rows(void)
{
    int64_t price[SYMBOLS];

    symbols = tw_symbols_new(1000);
    for (int i = 0; i < SYMBOLS; i++) {
        char name[16];
        struct tw_instrument in = { .weight = 1.0 / (i + 1) };

        snprintf(name, sizeof name, "S%02d", i);
        tw_symbols_intern(symbols, name, 3);
        if (i < SYMBOLS - 1) {
            const char *sector = sectors[i % SECTORS];

            in.sector = (uint32_t)tw_names_intern(tw_symbols_sectors(symbols), sector,
                                                  strlen(sector));
        }
        tw_symbols_set(symbols, (uint32_t)i + 1, &in);
        price[i] = 100000 + random() % 1000;
    }
    for (int i = 0; i < ROWS; i++) {
        struct tw_record *r = &rows[i];
        int s = (int)(uniform() * uniform() * SYMBOLS);

        price[s] += random() % 5 - 2;
        *r = (struct tw_record){ .seq = (uint64_t)i + 1, .symbol = (uint32_t)s + 1,
                                 .source = 1, .source_seq = (uint32_t)i,
                                 .kind = TW_QUOTE };
        r->time = INT64_C(1704187800000000000) + i * INT64_C(50000000);
        r->received = r->time;
        if (i % 10 == 9) {
            r->kind = TW_TRADE;
            r->trade.price = price[s] * 10000000;
            r->trade.size = (1 + random() % 9) * TW_SIDE_SELL * INT64_C(100000000000);
            r->trade.side = i % 20 == 9 ? TW_SIDE_BUY : TW_SIDE_SELL;
            continue;
        }
        r->quote.bid = price[s] * 10000000;
        r->quote.ask = (price[s] + 1 + random() % 3) * 10000000;
        r->quote.bid_size = (1 + random() % 9) * INT64_C(100000000000);
        r->quote.ask_size = (1 + random() % 9) * INT64_C(100000000000);
        if (i % 97 == 5) r->quote.ask = r->quote.ask_size = 0;
    }
}

/* The country of symbol i + 1; every fifth has none. */
static const char *country_of(int i) { return i % 5 == 4 ? NULL : i % 2 ? "GB" : "US"; }

static void make_countries(void)
{
    unsigned index = (unsigned)tw_symbols_attribute(symbols, "country", 7);

    for (int i = 0; i < SYMBOLS; i++)
        if (country_of(i))
            tw_symbols_attribute_set(symbols, (uint32_t)i + 1, index,
                (uint32_t)tw_names_intern(tw_symbols_values(symbols), country_of(i), 2));
}

static double bid_of(const struct tw_record *r) { return (double)r->quote.bid / 1e9; }
static double ask_of(const struct tw_record *r)
{
    return r->quote.ask_size ? (double)r->quote.ask / 1e9 : NAN;
}
static double mid_of(const struct tw_record *r) { return (bid_of(r) + ask_of(r)) * 0.5; }

static struct tw_plan *plan_of(const char *const *texts, unsigned n,
                               const char *const *names)
{
    struct tw_plan_options o = { .names = { symbols, &sources } };
    struct tw_plan *p = tw_plan_new(&o);
    struct tw_plan_item item[16] = { 0 };
    struct tw_error error = { 0 };

    for (unsigned i = 0; i < n; i++) {
        item[i].name = names[i];
        item[i].text = texts[i];
        item[i].n = strlen(texts[i]);
    }
    if (tw_plan_track(p, item, n, &error) < 0) {
        printf("# %s\n", error.text);
        tw_plan_free(p);
        return NULL;
    }
    return p;
}

static void add(struct tw_plan *p, const struct tw_record *r)
{
    unsigned room;

    *tw_plan_rows(p, &room) = *r;
    tw_plan_add(p, 1);
}

/* Feeds all rows, `batch` before each run. */
static void feed(struct tw_plan *p, unsigned batch)
{
    unsigned n = 0;

    for (int i = 0; i < ROWS; i++) {
        if (!(tw_plan_kinds(p) & 1u << rows[i].kind)) continue;
        add(p, &rows[i]);
        if (++n % batch == 0 && tw_plan_run(p) < 0) abort();
    }
    if (tw_plan_run(p) < 0) abort();
}

static double value_of(struct tw_plan *p, const char *name, const char *key)
{
    unsigned item = (unsigned)tw_plan_find(p, name);
    int64_t k = key ? tw_keys_intern(tw_plan_keys(p, item), &key, 1) : 1;
    void *state = k > 0 ? tw_plan_state(p, item, (uint32_t)k) : NULL;

    return state ? tw_stat_get(tw_plan_stat(p, item), state, 0) : NAN;
}

static bool near(double a, double b) { return fabs(a - b) <= 1e-9 * (1 + fabs(b)); }

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* The four of the fan-out workload. */
static void by_hand(void)
{
    static const char *const names[] = {
        "spread", "ewma", "vol", "tech", "index", "total", "trades",
    };
    static const char *const texts[] = {
        "mean(ask - bid) by symbol", "ewma(mid, alpha=0.05) by symbol",
        "variance(log(mid / prev(mid)), window=64) by symbol",
        "ewma((mid / prev(mid) - 1)^2, alpha=0.01, initial=0) by sector",
        "sum(weight * (mid - prev(mid, initial=0)))", "sum(index)",
        "sum(size) by side where price > 1000",
    };
    static double prev[SYMBOLS], n[SYMBOLS], mean[SYMBOLS], ewma[SYMBOLS];
    static double window[SYMBOLS][WINDOW];
    int filled[SYMBOLS] = { 0 };
    double sector[SECTORS] = { 0 }, index = 0, total = 0, bought = 0;
    bool spreads = true, ewmas = true, variances = true, sector_ok = true;
    struct tw_plan *p = plan_of(texts, 7, names);

    ok(p != NULL, "the workload is declared");
    if (!p) return;
    feed(p, TW_STAT_BATCH);
    for (int i = 0; i < ROWS; i++) {
        const struct tw_record *r = &rows[i];
        int s = (int)r->symbol - 1;
        double mid = mid_of(r), x;

        if (r->kind == TW_TRADE && r->trade.side == TW_SIDE_BUY
            && r->trade.price > 1000e9)
            bought += (double)r->trade.size / 1e9;
        if (r->kind == TW_QUOTE && isnan(mid)) total += index;   /* as it was */
        if (r->kind != TW_QUOTE || isnan(mid)) continue;
        n[s]++;
        mean[s] += (ask_of(r) - bid_of(r) - mean[s]) / n[s];
        ewma[s] = n[s] == 1 ? mid : ewma[s] + 0.05 * (mid - ewma[s]);
        if (prev[s] != 0) {
            x = mid / prev[s] - 1;
            if (s != SYMBOLS - 1)
                sector[s % SECTORS] += 0.01 * (x * x - sector[s % SECTORS]);
            window[s][filled[s]++ % WINDOW] = log(mid / prev[s]);
        }
        index += (1.0 / (s + 1)) * (mid - prev[s]);
        total += index;
        prev[s] = mid;
    }
    for (int s = 0; s < SYMBOLS; s++) {
        char name[16];
        int k = filled[s] < WINDOW ? filled[s] : WINDOW;
        double m = 0, v = 0;

        snprintf(name, sizeof name, "S%02d", s);
        if (n[s] == 0) continue;
        spreads = spreads && near(value_of(p, "spread", name), mean[s]);
        ewmas = ewmas && value_of(p, "ewma", name) == ewma[s];
        for (int i = 0; i < k; i++) m += window[s][i] / k;
        for (int i = 0; i < k; i++)
            v += (window[s][i] - m) * (window[s][i] - m) / (k - 1);
        if (k > 1)
            variances = variances && fabs(value_of(p, "vol", name) - v) < 1e-12 * v;
    }
    for (int c = 0; c < SECTORS; c++)
        sector_ok = sector_ok && value_of(p, "tech", sectors[c]) == sector[c];
    ok(spreads, "a mean by symbol");
    ok(ewmas, "an EWMA by symbol, to the bit");
    ok(variances, "a rolling variance of log returns by symbol");
    ok(sector_ok, "an EWMA of squared returns by sector, to the bit");
    ok(near(value_of(p, "index", NULL), index), "a weighted index");
    ok(near(value_of(p, "total", NULL), total), "the sum of the index after each quote");
    ok(value_of(p, "trades", "buy") == bought, "a sum of trades by side, filtered");
    tw_plan_free(p);
}

static void attributes(void)
{
    static const char *const names[] = { "n", "not_us", "us", "both", "again" };
    static const char *const texts[] = {
        "count() by country", "count() where country ~= \"US\"",
        "mean(bid) where \"US\" == country and bid > 0", "count() by country, symbol",
        "count() by country where n > 1000 and us > 0",
    };
    struct tw_plan *p = plan_of(texts, 5, names);
    double n[2] = { 0 }, total = 0, bids = 0, quotes = 0, both = 0;
    const char *us_s02[] = { "US", "S02" };
    struct tw_plan_edge edge = { 0 };
    struct tw_error error = { 0 };
    struct tw_keys *keys;
    uint32_t key;

    ok(p != NULL, "an attribute is a key, and compared with a text");
    if (!p) return;
    feed(p, 100);
    for (int i = 0; i < ROWS; i++) {
        const char *country = country_of((int)rows[i].symbol - 1);

        total++;
        both += rows[i].symbol == 3;
        if (!country) continue;
        n[*country == 'U']++;
        if (*country != 'U' || rows[i].kind != TW_QUOTE) continue;
        bids += bid_of(&rows[i]);
        quotes++;
    }
    ok(value_of(p, "n", "US") == n[1] && value_of(p, "n", "GB") == n[0], "by it");
    ok(tw_keys_count(tw_plan_keys(p, 0)) == 2, "what has none is in no key");
    ok(value_of(p, "not_us", NULL) == total - n[1], "it differs from every text");
    ok(near(value_of(p, "us", NULL), bids / quotes), "where it equals");
    keys = tw_plan_keys(p, 3);
    key = tw_keys_find(keys, us_s02, 2);
    ok(key && tw_stat_get(tw_plan_stat(p, 3), tw_plan_state(p, 3, key), 0) == both
       && !strcmp(tw_keys_text(keys, key, 0, NULL), "US")
       && !strcmp(tw_keys_part(keys, 0), "country") && !tw_keys_is_number(keys, 0),
       "beside another key; its names");
    ok(tw_plan_keys(p, 0) == tw_plan_keys(p, 4), "equal keys are one space");
    ok(value_of(p, "again", "US") > 0, "beside statistics");
    ok(tw_plan_when(p, "n.US > 5 and country == \"US\"", 28, &edge, &error) == 0,
       "in a condition %s", error.text);
    tw_plan_free(p);
}

static void batches(void)
{
    static const char *const names[] = { "a", "b", "c", "last_trade", "gap", "n" };
    static const char *const texts[] = {
        ("mean(ifelse(bid_size > ask_size, mid, prev(mid))) by sector"
         " where bid_size > 200"),
        "max(abs(mid - ewma(mid, alpha=0.1)))", "std(a - mid, window=20) by symbol",
        "last(price) by symbol", "mean(abs(mid - last_trade)) by symbol",
        "count() by (time // 10s % 7)",
    };
    static const unsigned sizes[] = { 1, 2, 3, 7, 64, 255, 256 };
    double want[6][8];
    bool equal = true;

    for (unsigned b = 0; b < sizeof sizes / sizeof sizes[0]; b++) {
        struct tw_plan *p = plan_of(texts, 6, names);

        if (!p) {
            ok(false, "declared");
            return;
        }
        feed(p, sizes[b]);
        for (unsigned i = 0; i < 6; i++)
            for (uint32_t k = 1; k < 8; k++) {
                void *state = k <= tw_keys_count(tw_plan_keys(p, i))
                    ? tw_plan_state(p, i, k) : NULL;
                double v = state ? tw_stat_get(tw_plan_stat(p, i), state, 0) : NAN;

                if (b == 0) want[i][k] = v;
                equal = equal && same(v, want[i][k]);
            }
        tw_plan_free(p);
    }
    ok(equal, "rows one by one or in batches of any size give the same bits");
    ok(want[5][1] > 0 && !isnan(want[4][1]),
       "keys that are numbers; names of the other kind");
}

static void shared(void)
{
    static const char *const names[] = { "a", "b", "c" };
    static const char *const texts[] = {
        "mean(mid / prev(mid)) by symbol", "std(mid / prev(mid)) by symbol",
        "max(log(mid / prev(mid))) by symbol",
    };
    struct tw_plan *one = plan_of(texts, 1, names), *three = plan_of(texts, 3, names);

    feed(one, 256);
    feed(three, 256);
    ok(tw_plan_bytes(three) - tw_plan_bytes(one) < 3 * sizeof(union tw_column) + 40 * 200,
       "equal parts are computed once");
    tw_plan_free(one);
    tw_plan_free(three);
}

/* Statistics by an equal number have their keys together, whatever records they are of;
 * by one that depends on what a statistic has seen, each has its own. */
static void shared_keys(void)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
    static const char *const texts[] = {
        "max(mid) by (time // 10s % 7), symbol",
        "sum(size) by ((time // 10s) % 7), symbol",
        "max(mid) by (time // 10s % 6), symbol", "max(mid) by (bid // a), symbol",
        "max(ask) by (count() // 10)", "sum(size) by (count() // 10)",
    };
    struct tw_plan *p = plan_of(texts, 6, names);
    const struct tw_keys *keys[6];
    double want[8] = { 0 };
    bool equal = true;

    for (unsigned i = 0; i < 6; i++) keys[i] = tw_plan_keys(p, i);
    ok(keys[0] == keys[1] && keys[0] != keys[2] && keys[0] != keys[3],
       "equal numbers are one space");
    ok(keys[4] != keys[5], "counts are not: of quotes, of trades");
    feed(p, 100);
    for (int i = 0; i < ROWS; i++)
        if (rows[i].symbol == 1 && rows[i].kind == TW_TRADE)
            want[rows[i].time / INT64_C(10000000000) % 7]
                += (double)llabs(rows[i].trade.size) / 1e9;
    for (int i = 0; i < 7; i++) {
        char number[2] = { (char)('0' + i), 0 };
        const char *const parts[] = { number, "S00" };
        uint32_t key = tw_keys_find(keys[1], parts, 2);
        double sum = key ? tw_stat_get(tw_plan_stat(p, 1), tw_plan_state(p, 1, key), 0)
                         : 0;

        equal = equal && near(sum, want[i]);
    }
    ok(equal, "each has what was fed to it");
    tw_plan_free(p);
}

/* A condition has rows run one by one: no statistic is another for that, with rows that
 * are missing (a quote without an ask) and in no key (a symbol without a country). */
static void one_by_one(void)
{
    static const char *const names[] = { "fast", "slow", "cross", "country", "seen" };
    static const char *const texts[] = {
        "sma(ask, window=3) by symbol", "ema(ask, window=5) by symbol",
        "crossover(fast, slow) by symbol", "sma(mid, window=7) by country",
        "mean(cross) by symbol",
    };
    struct tw_plan *columns = plan_of(texts, 5, names);
    struct tw_plan *single = plan_of(texts, 5, names);
    struct tw_plan_edge edge = { 0 };
    struct tw_error error;

    ok(columns && single && tw_plan_when(single, "cross == 1", 10, &edge, &error) == 0
       && !tw_plan_is_stepwise(columns) && tw_plan_is_stepwise(single),
       "the same statistics, with a condition and without");
    feed(columns, TW_STAT_BATCH);
    feed(single, TW_STAT_BATCH);
    for (unsigned item = 0; item < 5; item++) {
        const struct tw_stat *s = tw_plan_stat(columns, item);
        const uint32_t n = tw_keys_count(tw_plan_keys(columns, item));
        bool equal = n > 1 && n == tw_keys_count(tw_plan_keys(single, item));

        for (uint32_t key = 0; equal && key <= n; key++)
            equal = memcmp(tw_plan_state(columns, item, key),
                           tw_plan_state(single, item, key), s->size) == 0;
        ok(equal, "%s: row by row it is the same, to the bit", texts[item]);
    }
    tw_plan_free(columns);
    tw_plan_free(single);
}

/* ---- conditions ---- */

static void conditions(void)
{
    static const char *const names[] = { "fast", "slow", "vol" };
    static const char *const texts[] = {
        "ewma(mid, alpha=0.2) by symbol", "ewma(mid, alpha=0.05) by symbol",
        "ewma((mid / prev(mid) - 1)^2, alpha=0.01) by sector",
    };
    struct tw_plan *p = plan_of(texts, 3, names);
    struct tw_plan_edge edge = { 0 }, level = { .level = true },
                        slow = { .level = true, .interval_ns = INT64_C(10000000000) },
                        reset = { .reset = "fast < slow", .reset_n = 11 };
    struct tw_error error;
    double fast[SYMBOLS] = { 0 }, late[SYMBOLS] = { 0 };
    bool up[SYMBOLS] = { false }, armed_up[SYMBOLS] = { false };
    unsigned fired[6] = { 0 }, want[3] = { 0 };
    int64_t before = 0, gap = INT64_MAX;
    const uint16_t *which;

    ok(tw_plan_when(p, "fast > slow", 11, &edge, &error) == 0
       && tw_plan_when(p, "fast > slow", 11, &level, &error) == 1
       && tw_plan_when(p, "fast > slow + 0.02", 18, &reset, &error) == 2
       && tw_plan_when(p, "vol.tech > 0 by symbol where symbol == \"S00\"", 44, &slow,
                       &error) == 3, "conditions are declared");
    for (int i = 0; i < ROWS; i++) {
        int s = (int)rows[i].symbol - 1;
        double mid = mid_of(&rows[i]);
        unsigned n;

        if (rows[i].kind != TW_QUOTE) continue;
        add(p, &rows[i]);
        if (tw_plan_run(p) < 0) abort();
        n = tw_plan_fired(p, &which);
        for (unsigned k = 0; k < n; k++) {
            fired[which[k]]++;
            if (which[k] != 3) continue;
            if (before && rows[i].time - before < gap) gap = rows[i].time - before;
            before = rows[i].time;
        }
        if (!isnan(mid)) {
            fast[s] = fast[s] == 0 ? mid : fast[s] + 0.2 * (mid - fast[s]);
            late[s] = late[s] == 0 ? mid : late[s] + 0.05 * (mid - late[s]);
        }
        want[0] += fast[s] > late[s] && !up[s];
        want[1] += fast[s] > late[s];
        up[s] = fast[s] > late[s];
        if (fast[s] < late[s]) armed_up[s] = false;
        if (fast[s] > late[s] + 0.02 && !armed_up[s]) {
            want[2]++;
            armed_up[s] = true;
        }
    }
    ok(fired[0] == want[0] && want[0] > 10, "on the edge, for each symbol (%u)",
       fired[0]);
    ok(fired[1] == want[1], "at the level (%u)", fired[1]);
    ok(fired[2] == want[2] && want[2] > 3, "again after the reset (%u)", fired[2]);
    ok(fired[3] > 3 && gap >= INT64_C(10000000000),
       "not more often than the interval");
    tw_plan_free(p);
}

/* ---- samples ---- */

static unsigned told;
static double told_last;

static void sampled(void *ctx, unsigned item, uint32_t key, double value, int64_t time)
{
    (void)ctx, (void)item, (void)key, (void)time;
    told++;
    told_last = value;
}

static void samples(void)
{
    struct tw_plan_options o = { { symbols, &sources }, sampled, NULL };
    struct tw_plan_item item[] = {
        { "n", "count(bid)", 10, .every_ns = INT64_C(1000000000), .history = 50,
          .tell = true },
        { "m", "count(bid) by symbol", 20, .every_rows = 10, .history = 5 },
    };
    struct tw_plan *p = tw_plan_new(&o);
    struct tw_error error;
    double value[64];
    int64_t time[64];
    unsigned n;
    bool steps = true;

    ok(tw_plan_track(p, item, 2, &error) == TW_OK, "sampled statistics are declared");
    feed(p, 100);
    n = tw_plan_history(p, 0, 1, 64, value, time);
    for (unsigned i = 1; i < n; i++)
        steps = steps && time[i] / 1000000000 == time[i - 1] / 1000000000 + 1
            && value[i] - value[i - 1] >= 16 && value[i] - value[i - 1] <= 20;
    ok(n == 50 && steps, "a history has the last of each second");
    ok(told == ROWS / 20 && value[n - 1] == told_last, "and each is told (%u)", told);
    ok(tw_plan_history(p, 1, 1, 3, value, time) == 3 && value[0] == value[1] - 10
       && fmod(value[2], 10) == 0, "every so many rows of a key");
    ok(tw_plan_history(p, 1, 1, 64, value, time) == 5, "no more than is kept");
    tw_plan_free(p);
}

/* ---- errors ---- */

static void errors(void)
{
    static const struct { const char *a, *b, *want; } bad[] = {
        { "mean(b)", "mean(a)", "depends on itself" },
        { "mean(mid - a)", "count()", "depends on itself" },
        { "mean(bidd)", "count()", "no field or statistic 'bidd'; did you mean 'bid'?" },
        { "mean(b.gold) by symbol", "count() by side", "has no key 'gold'" },
        { "count() by exchange", "count()", "by what? 'exchange' is neither" },
        { "count() by (time // 1s)", "count() by contry",
          "column 12: by what? 'contry' is neither a field with names nor an attribute;"
          " did you mean 'country'?" },
        { "count() by sectr", "count()", "did you mean 'sector'?" },
        { "count() by b", "count()", "by what? 'b' is a statistic, a number" },
        { "count() where contry == \"US\"", "count()", "column 15: 'contry' is neither" },
        { "count() where b == \"US\"", "count()", "column 15: 'b' is a statistic" },
        { "count() where country > 1", "count()", "column 15: an attribute is a name" },
        { "count() where country == sector", "count()", "can't be equal" },
        { "mean(mid", "count()", "column" },
        { "count() where symbol == 1", "count()", "column" },
        { "count() where side == \"up\"", "count()", "no such name" },
    };
    struct tw_plan_options o = { .names = { symbols, &sources } };
    struct tw_plan *p = tw_plan_new(&o);
    struct tw_plan_item good = { .name = "a", .text = "mean(mid)", .n = 9 };
    struct tw_plan_edge edge = { 0 };
    struct tw_error error;
    size_t bytes = tw_plan_bytes(p);

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct tw_plan_item item[] = {
            { .name = "a", .text = bad[i].a, .n = strlen(bad[i].a) },
            { .name = "b", .text = bad[i].b, .n = strlen(bad[i].b) },
        };

        ok(tw_plan_track(p, item, 2, &error) == TW_EUSAGE
           && strstr(error.text, bad[i].want), "%s", error.text);
    }
    ok(tw_plan_items(p) == 0 && tw_plan_bytes(p) == bytes && !tw_plan_kinds(p),
       "nothing is left of a declaration that failed");
    ok(tw_plan_track(p, &good, 1, &error) == TW_OK
       && tw_plan_track(p, &good, 1, &error) == TW_EUSAGE, "%s", error.text);
    ok(tw_plan_when(p, "a + 1", 5, &edge, &error) == TW_EUSAGE, "%s", error.text);
    ok(tw_plan_when(p, "c > 1", 5, &edge, &error) == TW_EUSAGE, "%s", error.text);
    ok(tw_plan_when(p, "series > 1", 10, &edge, &error) == TW_EUSAGE
       && !strstr(error.text, "did you"), "a field that none is: %s", error.text);
    tw_plan_free(p);
}

/* Every allocation fails once: an error, nothing lost. */
static void memory(void)
{
    static const char *const texts[] = { "mean(mid / prev(mid)) by country where a > 0",
                                         "max(mid) by (time // 1h), symbol" };
    bool fine = true;
    char last[500] = "";
    int rc = -1, n;

    for (n = 1; rc < 0 && n < 500; n++) {
        struct tw_plan_options o = { .names = { symbols, &sources } };
        struct tw_plan *p;
        struct tw_plan_item item[] = {
            { "b", texts[0], strlen(texts[0]), .every_rows = 1, .history = 4 },
            { .name = "a", .text = texts[1], .n = strlen(texts[1]) },
        };
        struct tw_plan_edge edge = { 0 };
        struct tw_error error = { 0 };

        tw_memory_fail_at((uint64_t)n);
        p = tw_plan_new(&o);
        rc = p ? tw_plan_track(p, item, 2, &error) : -1;
        if (rc >= 0) rc = tw_plan_when(p, "a > 1", 5, &edge, &error);
        fine = fine && (rc >= 0 || !p || strstr(error.text, "memory"));
        strcpy(last, error.text);
        for (int i = 0; i < 200 && rc >= 0; i++) {
            if (rows[i].kind != TW_QUOTE) continue;
            add(p, &rows[i]);
            rc = tw_plan_run(p);
        }
        tw_memory_fail_at(0);
        tw_plan_free(p);
    }
    ok(fine && rc >= 0 && n > 20, "without memory it is an error (%d allocations)", n);
    if (rc < 0) printf("# %s\n", last);
}

int main(void)
{
    srandom(1);
    make_rows();
    make_countries();
    by_hand();
    attributes();
    batches();
    shared();
    shared_keys();
    one_by_one();
    conditions();
    samples();
    errors();
    memory();
    tw_symbols_free(symbols);
    return tap_done();
}
