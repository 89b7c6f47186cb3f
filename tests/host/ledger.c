/* ledger.c - closed trades of partial fills, and a curve of bounded length. */
#include "trade/ledger.h"

#include <math.h>

#include "base/memory.h"
#include "tap.h"

#define ONE TW_FIXED_ONE

static void trade(struct tw_ledger *l, int64_t second, int64_t quantity, int64_t price,
                  tw_money fee)
{
    struct tw_order o = { .symbol = 7,
                          .side = quantity < 0 ? TW_SIDE_SELL : TW_SIDE_BUY };
    struct tw_told t = { .order = &o, .report = { .exec = TW_EXEC_TRADE, .fee = fee,
        .last_px = price * ONE, .last_qty = (quantity < 0 ? -quantity : quantity) * ONE,
        .time_ns = second * ONE } };

    tw_ledger_told(l, &t);
}

static void trips(void)
{
    struct tw_ledger *l = tw_ledger_new(NULL);
    const struct tw_trip *t;
    size_t n;

    trade(l, 1, 10, 100, ONE);
    trade(l, 2, 10, 110, ONE);
    trade(l, 3, -5, 120, ONE);
    t = tw_ledger_trips(l, &n);
    ok(n == 0, "nothing is closed");
    trade(l, 4, -25, 130, ONE);               /* 15 close, 10 open short */
    t = tw_ledger_trips(l, &n);
    ok(n == 1 && t->symbol == 7 && t->entry_ns == ONE && t->exit_ns == 4 * ONE
       && t->quantity == 20 * ONE, "from flat to the other side");
    ok(t->entry_px == 105 * ONE && t->exit_px == 127500000000, "average prices");
    ok(t->pnl == 446 && t->fees == 4 && t->ratio == 446.0 / 2100, "what was gained");
    trade(l, 9, 10, 120, 2 * ONE);
    t = tw_ledger_trips(l, &n);
    ok(n == 2 && t[1].quantity == -10 * ONE && t[1].pnl == 98 && t[1].entry_ns == 4 * ONE,
       "the short side of it");
    tw_ledger_free(l);
}

static void curve(void)
{
    struct tw_ledger *l = tw_ledger_new(NULL);
    const struct tw_point *days, *points;
    size_t n_days, n;
    unsigned wrong = 0;

    ok(isnan(tw_ledger_exposure(l)), "no marks, no exposure");
    for (int64_t i = 1; i <= 500000; i++)
        wrong += tw_ledger_mark(l, i * 7 * ONE, (tw_money)i * ONE, i % 4 == 0) < 0;
    days = tw_ledger_days(l, &n_days);
    points = tw_ledger_curve(l, &n);
    ok(n_days == 41 && days[0].time_ns == 86394 * ONE && days[0].equity == 12342
       && days[40].equity == 500000, "the last value of each day");
    ok(n <= TW_LEDGER_POINTS && n >= TW_LEDGER_POINTS / 4, "a curve of %u points",
       (unsigned)n);
    for (size_t i = 1; i < n; i++) wrong += points[i].time_ns <= points[i - 1].time_ns;
    ok(wrong == 0 && points[n - 1].equity == 500000, "in order, up to the end");
    ok(tw_ledger_exposure(l) == 0.25, "exposure");
    tw_ledger_free(l);
}

static void without_memory(void)
{
    unsigned refused = 0;

    for (uint64_t n = 1; n < 6; n++) {
        struct tw_order o = { .symbol = 7, .side = TW_SIDE_BUY };
        struct tw_told t = { .order = &o, .report = { .exec = TW_EXEC_TRADE,
                             .last_px = ONE, .last_qty = ONE } };
        struct tw_ledger *l;

        tw_memory_fail_at(n);
        l = tw_ledger_new(NULL);
        refused += !l || tw_ledger_told(l, &t) < 0 || tw_ledger_mark(l, 5, 5, true) < 0;
        tw_memory_fail_at(0);
        tw_ledger_free(l);
    }
    ok(refused == 5, "no memory is said (%u)", refused);
}

int main(void)
{
    trips();
    curve();
    without_memory();
    return tap_done();
}
