/* The made-up market is the same everywhere, keeps its invariants (S1-S3 of
 * host/feed/synthetic.c) and has the correlation that was asked for. */
#include "base/fixed.h"
#include "base/memory.h"
#include "feed/synthetic.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct tw_synthetic_options defaults(struct tw_symbols *symbols)
{
    return (struct tw_synthetic_options){
        .symbols = symbols, .trades = -1, .correlation = -1, .source = 3,
        .start_ns = INT64_C(1700000000000000000)
    };
}

static uint64_t hash_of(struct tw_synthetic *s, int n)
{
    uint64_t h = UINT64_C(14695981039346656037);
    struct tw_record r;

    for (int i = 0; i < n; i++) {
        tw_synthetic_next(s, &r);
        for (size_t k = 0; k < sizeof r; k++)
            h = (h ^ ((unsigned char *)&r)[k]) * UINT64_C(1099511628211);
    }
    return h;
}

static uint64_t first_records(uint64_t seed, uint32_t universe)
{
    struct tw_symbols *symbols = tw_symbols_new(TW_SYMBOL_MAX);
    struct tw_synthetic_options o = defaults(symbols);
    struct tw_synthetic *s;
    uint64_t h;

    o.seed = seed;
    o.universe = universe;
    s = tw_synthetic_new(&o);
    h = hash_of(s, 100000);
    tw_synthetic_free(s);
    tw_symbols_free(symbols);
    return h;
}

static void same_everywhere(void)
{
    uint64_t one = first_records(1, 0), many = first_records(9, 500);

    printf("# %016llx %016llx\n", (unsigned long long)one, (unsigned long long)many);
    ok(one == UINT64_C(0xbcf33177d976c844)
       && many == UINT64_C(0xb9e8e29a9c9bd22a),
       "the first 100,000 records are what they always were (S2)");
    ok(first_records(0, 0) == one && first_records(2, 0) != one,
       "the seed makes the difference, and 0 is 1");
}

static struct tw_instrument instrument(struct tw_symbols *s, const char *name)
{
    return tw_symbols_get(s, tw_symbols_find(s, name, strlen(name)));
}

static bool sector_is(struct tw_symbols *s, const char *name, const char *sector)
{
    return strcmp(tw_names_get(tw_symbols_sectors(s), instrument(s, name).sector),
                  sector) == 0;
}

static void four(void)
{
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_synthetic_options o = defaults(symbols);
    int n = getenv("SMALL") ? 20000 : 1000000, count[5] = {0}, trades = 0;
    struct tw_quote last[5] = {{0}};
    int64_t spread[5] = {0}, moves = 0;
    uint64_t bad = 0, alone = 0, seen = 0, id = 0;
    struct tw_instrument in;
    struct tw_synthetic *s;
    struct tw_record r;

    tw_symbols_intern(symbols, "BP", 2);
    tw_symbols_set(symbols, 1, &(struct tw_instrument){ .tick_fixed = 5000000 });
    s = tw_synthetic_new(&o);
    in = instrument(symbols, "AAPL");
    ok(in.tick_fixed == TW_FIXED_ONE / 100 && in.lot_fixed == 100 * TW_FIXED_ONE
       && in.weight == 0.4 && instrument(symbols, "GOOG").weight == 0.3
       && instrument(symbols, "BP").weight == 0.1
       && instrument(symbols, "XOM").weight == 0.2, "tick, lot and weight are set");
    ok(sector_is(symbols, "AAPL", "tech") && sector_is(symbols, "GOOG", "tech")
       && sector_is(symbols, "BP", "oil") && sector_is(symbols, "XOM", "oil"), "sectors");
    ok(instrument(symbols, "BP").tick_fixed == 5000000, "what was there stays");

    for (int i = 0; i < n; i++) {
        int64_t time = tw_synthetic_time(s), tick;

        tw_synthetic_next(s, &r);
        bad += r.time != time || r.time != o.start_ns + i * INT64_C(50000)
            || r.source_seq != (uint32_t)i + 1 || r.source != 3 || r.seq || r.received
            || r.symbol < 1 || r.symbol > 4;
        if (bad) break;
        tick = tw_symbols_get(symbols, r.symbol).tick_fixed;
        count[r.symbol]++;
        if (r.kind == TW_TRADE) {
            struct tw_quote *q = &last[r.symbol];

            trades++;
            alone += r.trade.price != (r.trade.side == TW_SIDE_BUY ? q->ask : q->bid)
                || r.trade.side == TW_SIDE_NONE || r.trade.size <= 0
                || r.trade.size % (100 * TW_FIXED_ONE) != 0 || r.trade.id != ++id;
            continue;
        }
        seen += r.quote.bid <= 0 || r.quote.bid >= r.quote.ask || r.quote.bid % tick
            || r.quote.ask % tick || r.quote.ask - r.quote.bid > 8 * tick
            || r.quote.bid_size <= 0 || r.quote.bid_size % (100 * TW_FIXED_ONE)
            || r.quote.ask_size <= 0 || r.quote.ask_size % (100 * TW_FIXED_ONE);
        spread[r.symbol] |= INT64_C(1) << (r.quote.ask - r.quote.bid) / tick;
        moves += r.quote.bid != last[r.symbol].bid;
        last[r.symbol] = r.quote;
    }
    ok(bad == 0, "times are 1 / rate apart, numbers count from 1");
    ok(seen == 0, "bid below ask, both whole ticks, sizes whole lots (S1)");
    ok(alone == 0 && trades > n / 25 && trades < n / 16,
       "%d trades in %d records, each at the bid or the ask (S3)", trades, n);
    ok(count[2] > n * 0.38 && count[2] < n * 0.42 && count[1] > n * 0.09
       && count[1] < n * 0.11, "the weight is the popularity");
    for (int i = 1; i <= 4; i++)
        bad += (spread[i] & (spread[i] - 1)) == 0;
    ok(bad == 0 && moves > n / 100, "spreads vary, prices move");
    tw_synthetic_free(s);
    tw_symbols_free(symbols);
}

/* Correlations of the mids' relative moves over ten seconds of event time. */
static void correlation(double wanted, double tolerance)
{
    enum { RATE = 200, STEPS = 2000 };
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_synthetic_options o = defaults(symbols);
    double mid[5] = {0}, before[5], move[5], sum[5][5] = {{0}}, c[5][5];
    struct tw_synthetic *s;
    struct tw_record r;

    o.rate = RATE;
    o.seed = 7;
    o.correlation = wanted;
    s = tw_synthetic_new(&o);
    for (int step = 0; step < STEPS; step++) {
        memcpy(before, mid, sizeof mid);
        for (int i = 0; i < 10 * RATE; i++) {
            tw_synthetic_next(s, &r);
            if (r.kind == TW_QUOTE) mid[r.symbol] = (double)(r.quote.bid + r.quote.ask);
        }
        if (step == 0) continue;
        for (int a = 1; a <= 4; a++) move[a] = (mid[a] - before[a]) / before[a];
        for (int a = 1; a <= 4; a++)
            for (int b = 1; b <= 4; b++) sum[a][b] += move[a] * move[b];
    }
    for (int a = 1; a <= 4; a++)
        for (int b = 1; b <= 4; b++) c[a][b] = sum[a][b] / sqrt(sum[a][a] * sum[b][b]);
    ok(fabs(c[1][2] - wanted) < tolerance && fabs(c[3][4] - wanted) < tolerance,
       "correlation in a sector is %.3f and %.3f for %.1f", c[1][2], c[3][4], wanted);
    ok(fabs(c[1][3]) < tolerance && fabs(c[2][4]) < tolerance,
       "and %.3f and %.3f across sectors", c[1][3], c[2][4]);
    for (int a = 1; a <= 4; a++) c[a][a] = sqrt(sum[a][a] / (STEPS - 1) / 10);
    ok(c[1][1] > 2.7e-4 && c[1][1] < 3.3e-4 && c[3][3] > 2.7e-4 && c[3][3] < 3.5e-4,
       "volatility is %.2e and %.2e per root of a second", c[1][1], c[3][3]);
    tw_synthetic_free(s);
    tw_symbols_free(symbols);
}

static void universe(uint32_t n)
{
    struct tw_symbols *symbols = tw_symbols_new(TW_SYMBOL_MAX);
    struct tw_synthetic_options o = defaults(symbols);
    uint32_t *count = calloc(n + 1, sizeof *count), drawn = 0;
    uint64_t bad = 0;
    double weight = 0;
    struct tw_synthetic *s;
    struct tw_record r;

    o.universe = n;
    s = tw_synthetic_new(&o);
    ok(s && tw_symbols_count(symbols) == n
       && tw_names_count(tw_symbols_sectors(symbols)) == 10,
       "%u different symbols in ten sectors", n);
    for (uint32_t i = 1; i <= n; i++) {
        const char *name = tw_symbols_name(symbols, i);

        bad += strlen(name) < 4
            || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") < strlen(name);
        weight += tw_symbols_get(symbols, i).weight;
    }
    ok(bad == 0 && fabs(weight - 1) < 1e-9, "of capitals, whose weights are 1 in all");
    for (int i = 0; i < 1000000; i++) {
        tw_synthetic_next(s, &r);
        bad += r.kind == TW_QUOTE && (r.quote.bid <= 0 || r.quote.bid >= r.quote.ask);
        drawn += count[r.symbol]++ == 0;
    }
    ok(bad == 0 && count[1] > 1.7 * count[2] && count[1] < 2.3 * count[2]
       && drawn > n / 3,
       "the first is twice as busy as the second, %u were drawn", drawn);
    tw_synthetic_free(s);
    tw_symbols_free(symbols);
    free(count);
}

static void limits(void)
{
    struct tw_symbols *symbols = tw_symbols_new(2);
    struct tw_synthetic_options o = defaults(symbols);
    struct tw_synthetic *s;
    struct tw_record r;
    uint64_t before, bad = 0;
    int failed = 0;

    ok(!tw_synthetic_new(&o), "a table that is too small");
    tw_symbols_free(symbols);
    symbols = o.symbols = tw_symbols_new(100);
    o.universe = UINT32_MAX;
    ok(!tw_synthetic_new(&o), "more symbols than there can be");
    o.universe = 0;
    for (uint64_t i = 1;; i++) {
        tw_memory_fail_at(i);
        s = tw_synthetic_new(&o);
        tw_memory_fail_at(0);
        if (s) break;
        failed++;
    }
    ok(failed >= 5, "each of %d allocations fails once", failed);
    before = tw_memory_count();
    hash_of(s, 1000);
    ok(tw_memory_count() == before, "a record allocates nothing");
    tw_synthetic_free(s);

    /* The wildest there is: huge steps for as long as a test may take. */
    o.rate = 1e-9;
    o.trades = 0;
    s = tw_synthetic_new(&o);
    for (int i = 0; i < 200000; i++) {
        tw_synthetic_next(s, &r);
        bad += r.kind != TW_QUOTE || r.quote.bid <= 0 || r.quote.ask <= r.quote.bid;
    }
    ok(bad == 0, "prices stay positive however far they walk");
    tw_synthetic_free(s);

    o.rate = 3;
    s = tw_synthetic_new(&o);
    for (int i = 0; i < 3000000; i++) tw_synthetic_next(s, &r);
    ok(llabs(tw_synthetic_time(s) - o.start_ns - 1000000 * TW_FIXED_ONE) <= 1,
       "three million thirds are a million seconds");
    tw_synthetic_free(s);
    tw_symbols_free(symbols);
}

int main(void)
{
    same_everywhere();
    four();
    correlation(0.6, 0.06);
    correlation(0, 0.06);
    correlation(1, 0.06);
    universe(1000);
    universe(getenv("SMALL") ? 10000 : 100000);
    limits();
    return tap_done();
}
