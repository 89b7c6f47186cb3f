/* touched.c - a record looks at few orders; looking at all of them changes nothing.
 *
 * Random orders of all kinds meet random records, twice: as always, and with a probe, for
 * which every order of the symbol is looked at.  The reports are the same.
 */
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"
#include "tape/bar.h"
#include "trade/probe.h"
#include "trade/simulator.h"
#include "trade/terms.h"

enum { SYMBOLS = 3, ORDERS = 4000 };

struct run {
    struct tw_simulator *venue;
    struct tw_order order[ORDERS];
    size_t n;
    int64_t now_ns, price[SYMBOLS + 1];
    uint64_t seq, reports, trades, hash;
};

static int64_t below(uint64_t n)
{
    return (int64_t)(next() % n);
}

static void on_report(void *ctx, struct tw_order *o, const struct tw_report *r)
{
    struct run *run = ctx;
    uint64_t what[] = { r->order, r->exec, r->reason, (uint64_t)r->time_ns, r->seq,
                        (uint64_t)r->last_px, (uint64_t)r->last_qty, r->liquidity,
                        (uint64_t)r->quantity, (uint64_t)r->price };

    tw_order_apply(o, r);
    run->reports++;
    run->trades += r->exec == TW_EXEC_TRADE;
    for (size_t i = 0; i < sizeof what / sizeof *what; i++)
        run->hash = (run->hash ^ what[i]) * UINT64_C(1099511628211);
}

static int64_t room_of(void *ctx, const struct tw_order *o, int64_t price)
{
    (void)ctx, (void)price;
    return o->quantity / 2;
}

#define TICK (TW_FIXED_ONE / 100)

static int64_t near(const struct run *run, uint32_t symbol)
{
    return run->price[symbol] + (below(41) - 20) * TICK;
}

static void submit(struct run *run)
{
    static const uint8_t types[] = { '1', '2', '2', '2', '3', '4', 'P' };
    static const uint8_t tifs[] = { '0', '1', '1', '1', '2', '3', '4', '6', '7' };
    static const struct tw_terms terms = { .tick = TICK };
    struct tw_order *o = &run->order[run->n];

    *o = (struct tw_order){ .id = ++run->n, .terms = &terms, .time_ns = run->now_ns,
        .seq = run->seq, .symbol = 1 + (uint32_t)below(SYMBOLS),
        .side = below(2) ? TW_SIDE_BUY : TW_SIDE_SELL, .type = types[below(7)],
        .tif = tifs[below(9)], .quantity = (1 + below(9)) * TW_FIXED_ONE,
        .reduce_only = below(20) == 0, .group = below(4) ? 0 : (uint64_t)below(40) + 1 };
    if (o->type == '2' || o->type == '4') o->price = near(run, o->symbol);
    if (o->type == '3' || o->type == '4') o->stop = near(run, o->symbol);
    if (o->type == 'P' && below(2)) o->trail = (1 + below(20)) * TICK;
    else if (o->type == 'P') o->trail_part = (1 + below(200)) * TW_FIXED_ONE / 99900;
    if (o->tif == '6') o->expire_ns = run->now_ns + (1 + below(50)) * TW_FIXED_ONE;
    o->post_only = o->price && below(5) == 0;
    tw_order_apply(o, &(struct tw_report){ .exec = TW_EXEC_PENDING_NEW });
    tw_simulator_submit(run->venue, o);
}

static void ask(struct run *run)
{
    struct tw_order *o = &run->order[below(run->n)];

    if (!tw_order_is_open(o)) return;
    if (below(3) == 0) tw_simulator_cancel(run->venue, o, run->now_ns);
    else tw_simulator_replace(run->venue, o, o->quantity + (below(3) - 1) * TW_FIXED_ONE,
                              o->price ? near(run, o->symbol) : 0,
                              o->stop || (o->type == 'P' && below(2) == 0)
                                  ? near(run, o->symbol) : 0, run->now_ns);
}

static struct tw_record any_record(struct run *run)
{
    uint32_t symbol = 1 + (uint32_t)below(SYMBOLS);
    int64_t *p = &run->price[symbol];
    struct tw_record r = { .seq = ++run->seq, .symbol = symbol };
    struct tw_ohlc bar = { .open = *p, .volume = below(20) * TW_FIXED_ONE };

    if (below(4) == 0) run->now_ns += below(3) * TW_FIXED_ONE;
    r.time = run->now_ns;
    *p += (below(9) - 4) * TICK;
    switch (below(3)) {
    case 0:
        r.kind = TW_QUOTE;
        r.quote = (struct tw_quote){ .bid = *p, .ask = *p + below(4) * TICK,
            .bid_size = below(10) * TW_FIXED_ONE, .ask_size = below(10) * TW_FIXED_ONE };
        if (below(20) == 0) r.quote.bid = r.quote.bid_size = 0;
        if (below(20) == 0) r.quote.ask = r.quote.ask_size = 0;
        return r;
    case 1:
        r.kind = TW_TRADE;
        r.trade.price = *p;
        r.trade.size = below(10) * TW_FIXED_ONE;
        return r;
    default:
        bar.close = *p;
        bar.high = (bar.open > *p ? bar.open : *p) + below(4) * TICK;
        bar.low = (bar.open < *p ? bar.open : *p) - below(4) * TICK;
        tw_bar_set(&r, &bar, 1, symbol % 2 ? TW_BAR_TRADES
                                           : below(2) ? TW_BAR_BID : TW_BAR_ASK);
        return r;
    }
}

static void play(struct run *run, enum tw_fill_model model, uint64_t from,
                 struct tw_probe *probe, int rounds)
{
    struct tw_simulator_options o = { .model = model, .seed = from,
        .submit = { TW_LATENCY_UNIFORM, 0, 3 * TW_FIXED_ONE, NULL, 0 },
        .cancel = { TW_LATENCY_UNIFORM, 0, 3 * TW_FIXED_ONE, NULL, 0 },
        .slippage.ticks = 1 };

    seed = from;
    *run = (struct run){ .now_ns = INT64_C(1700000000) * TW_FIXED_ONE };
    run->venue = tw_simulator_new(&o, on_report, room_of, run);
    tw_simulator_probe(run->venue, probe);
    for (int i = 1; i <= SYMBOLS; i++) run->price[i] = 100 * TW_FIXED_ONE;
    for (int i = 0; i < rounds; i++) {
        struct tw_record r;

        if (below(2) && run->n < ORDERS) submit(run);
        if (below(8) == 0 && run->n) ask(run);
        if (below(500) == 0) run->now_ns += 86400 * TW_FIXED_ONE;
        r = any_record(run);
        tw_simulator_record(run->venue, &r);
    }
    tw_simulator_free(run->venue);
}

int main(void)
{
    static struct run all, few;
    int rounds = getenv("SMALL") ? 800 : 8000;

    for (int model = 0; model < TW_FILL_MODELS; model++) {
        struct tw_probe probe = { .id = 0 };          /* of no order */
        uint64_t from = (uint64_t)model + 1;

        play(&few, (enum tw_fill_model)model, from, NULL, rounds);
        play(&all, (enum tw_fill_model)model, from, &probe, rounds);
        tw_probe_fini(&probe);
        ok(few.hash == all.hash && few.reports == all.reports && few.trades > 0,
           "%s: the same %llu reports, %llu trades", tw_fill_models[model].name,
           (unsigned long long)few.reports, (unsigned long long)few.trades);
        if (getenv("SHOW")) printf("# %llx\n", (unsigned long long)few.hash);
    }
    return tap_done();
}
