/* ledger.c - closed trades of partial fills, and a curve of bounded length. */
#include "trade/ledger.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "tap.h"
#include "trade/terms.h"

#define ONE TW_FIXED_ONE

static const struct tw_account *account;
static const struct tw_terms *terms;

static void trade(struct tw_ledger *l, int64_t second, int64_t quantity, int64_t price,
                  tw_money fee)
{
    struct tw_order o = { .symbol = 7, .terms = terms,
                          .side = quantity < 0 ? TW_SIDE_SELL : TW_SIDE_BUY };
    struct tw_told t = { .order = &o, .report = { .exec = TW_EXEC_TRADE, .fee = fee,
        .last_px = price * ONE, .last_qty = (quantity < 0 ? -quantity : quantity) * ONE,
        .time_ns = second * ONE } };

    tw_ledger_told(l, account, &t);
}

static void trips(void)
{
    struct tw_ledger *l = tw_ledger_new();
    const struct tw_outcome *o;
    const struct tw_trip *t;
    int64_t entry_ns = 0;
    double value = 0;
    size_t n;

    ok(!tw_ledger_open(l, 7, &entry_ns, &value), "no position yet");
    trade(l, 1, 10, 100, ONE);
    trade(l, 2, 10, 110, ONE);
    trade(l, 3, -5, 120, ONE);
    t = tw_ledger_trips(l, &n);
    ok(n == 0, "nothing is closed");
    ok(tw_ledger_open(l, 7, &entry_ns, &value) && entry_ns == ONE && value == 1575,
       "15 of 20 are open, which have taken as much of 2100");
    trade(l, 4, -25, 130, ONE);               /* 15 close, 10 open short */
    t = tw_ledger_trips(l, &n);
    ok(n == 1 && t->symbol == 7 && t->entry_ns == ONE && t->quantity == 20 * ONE,
       "from flat to the other side");
    ok(t->entry_px == 105 * ONE && t->exit_px == 127500000000, "average prices");
    o = tw_ledger_outcomes(l, &n);
    ok(n == 1 && fabs(o->pnl - 446.4) < 1e-9 && t->fees == 3.6
       && o->ratio == o->pnl / 2100
       && o->open_ns == 3 * ONE, "what was gained, and how long it took");
    trade(l, 9, 10, 120, 2 * ONE);
    t = tw_ledger_trips(l, &n);
    o = tw_ledger_outcomes(l, &n);
    ok(n == 2 && t[1].quantity == -10 * ONE && fabs(o[1].pnl - 97.6) < 1e-9
       && t[1].entry_ns == 4 * ONE, "the short side of it");
    ok(!tw_ledger_open(l, 7, &entry_ns, &value) && !tw_ledger_open(l, 700, &entry_ns,
       &value), "no position any more");
    tw_ledger_free(l);
}

/* In euros at 1.1 and then at 1.25: counted in dollars. */
static void currencies(void)
{
    struct tw_account *a = tw_account_new("USD");
    struct tw_terms euros = { .currency = (uint32_t)tw_account_currency(a, "EUR"),
                              .multiplier = 2 * ONE };
    struct tw_ledger *l = tw_ledger_new();
    const struct tw_outcome *o;
    size_t n;

    account = a;
    terms = &euros;
    tw_account_set_rate(a, euros.currency, ONE / 10 * 11);
    trade(l, 1, 10, 100, ONE);
    tw_account_set_rate(a, euros.currency, ONE / 4 * 5);
    trade(l, 2, -10, 110, 3 * ONE);
    o = tw_ledger_outcomes(l, &n);
    ok(n == 1 && o->pnl == 245 && o->ratio == 196 / 2000.0
       && tw_ledger_trips(l, &n)->fees == 5, "196 euros are 245 dollars when it closes");
    tw_ledger_free(l);
    tw_account_free(a);
    account = NULL;
    terms = NULL;
}

/* It has traded more than 64 bits hold, and was never flat. */
static void turnover(void)
{
    struct tw_ledger *l = tw_ledger_new();
    const struct tw_trip *t;
    size_t n;

    for (int i = 0; i < 8; i++) {
        trade(l, i, INT64_C(5000000000), 100 + i % 2, 0);
        trade(l, i, -INT64_C(4999999999), 102 + i % 2, 0);
    }
    trade(l, 9, -8, 102, 0);
    t = tw_ledger_trips(l, &n);
    ok(n == 1 && t->entry_px == 100500000000 && t->exit_px == 102500000000,
       "average prices of a long trade: %lld and %lld", n ? (long long)t->entry_px : 0,
       n ? (long long)t->exit_px : 0);
    tw_ledger_free(l);
}

/* So many that the mappings grow a few times: nothing is lost or changed, and who keeps
 * outcomes alone has the same ones in less memory. */
static void outcomes(void)
{
    enum { TRADES = 20000 };
    struct tw_ledger *whole = tw_ledger_new(), *brief = tw_ledger_new();
    const struct tw_outcome *o, *other;
    const struct tw_trip *t;
    size_t n, n_other, n_trips;
    unsigned wrong = 0;

    tw_ledger_only_outcomes(brief);
    for (int64_t i = 0; i < TRADES; i++)
        for (int k = 0; k < 2; k++) {
            struct tw_ledger *l = k ? whole : brief;

            trade(l, 10 * i, 1, 100 + i, 0);
            trade(l, 10 * i + i % 7, -1, 101 + 2 * i, 0);
        }
    o = tw_ledger_outcomes(whole, &n);
    other = tw_ledger_outcomes(brief, &n_other);
    t = tw_ledger_trips(whole, &n_trips);
    ok(n == TRADES && n_other == TRADES && n_trips == TRADES, "all trades are there");
    for (int64_t i = 0; i < TRADES; i++)
        wrong += o[i].pnl != (double)(1 + i) || o[i].open_ns != i % 7 * ONE
              || t[i].entry_ns != 10 * i * ONE || t[i].exit_px != (101 + 2 * i) * ONE
              || other[i].pnl != o[i].pnl || other[i].ratio != o[i].ratio
              || other[i].open_ns != o[i].open_ns;
    ok(wrong == 0, "each as it was, %u are not", wrong);
    tw_ledger_trips(brief, &n_trips);
    ok(n_trips == 0 && tw_ledger_bytes(brief) + TRADES * sizeof *t
       == tw_ledger_bytes(whole), "outcomes alone are without the trips");
    tw_ledger_free(whole);
    tw_ledger_free(brief);
}

static void curve(void)
{
    struct tw_ledger *l = tw_ledger_new();
    const struct tw_point *days, *points;
    size_t n_days, n;
    unsigned wrong = 0;

    for (int64_t i = 1; i <= 500000; i++)
        wrong += tw_ledger_mark(l, i * 7 * ONE, (tw_money)i * ONE) < 0;
    days = tw_ledger_days(l, &n_days);
    points = tw_ledger_curve(l, &n);
    ok(n_days == 41 && days[0].time_ns == 86394 * ONE && days[0].equity == 12342
       && days[40].equity == 500000, "the last value of each day");
    ok(n <= TW_LEDGER_POINTS && n >= TW_LEDGER_POINTS / 4, "a curve of %u points",
       (unsigned)n);
    for (size_t i = 1; i < n; i++) wrong += points[i].time_ns <= points[i - 1].time_ns;
    ok(wrong == 0 && points[n - 1].equity == 500000, "in order, up to the end");
    tw_ledger_free(l);
}

static void without_memory(void)
{
    unsigned refused = 0;

    for (uint64_t n = 1; n < 7; n++) {
        struct tw_order o = { .symbol = 7, .side = TW_SIDE_BUY };
        struct tw_told t = { .order = &o, .report = { .exec = TW_EXEC_TRADE,
                             .last_px = ONE, .last_qty = ONE } };
        struct tw_ledger *l;

        tw_memory_fail_at(n);
        l = tw_ledger_new();
        refused += !l || tw_ledger_told(l, NULL, &t) < 0 || tw_ledger_mark(l, 5, 5) < 0;
        tw_memory_fail_at(0);
        tw_ledger_free(l);
    }
    ok(refused == 6, "no memory is said (%u)", refused);
}

/* No ledger begins with as much room: what is kept of each would never be used. */
static void given_back(void)
{
    enum { TRADES = 3000, BYTES = 4096 * sizeof(struct tw_outcome) };
    struct tw_ledger *l = tw_ledger_new();
    unsigned char in = 0;
    void *p;

    tw_ledger_only_outcomes(l);
    for (int i = 0; i < TRADES; i++) {
        trade(l, i, 1, 100, 0);
        trade(l, i, -1, 101, 0);
    }
    tw_ledger_free(l);
    p = tw_map(BYTES, false);
    ok(p && mincore(p, (size_t)sysconf(_SC_PAGESIZE), &in) == 0 && !(in & 1),
       "one whose room has grown keeps no memory when it goes");
    tw_unmap(p, BYTES);
}

int main(void)
{
    trips();
    currencies();
    turnover();
    outcomes();
    curve();
    without_memory();
    given_back();
    return tap_done();
}
