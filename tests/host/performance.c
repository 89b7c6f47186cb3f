/* performance.c - known answers: figures that public test suites state for public data,
 * and a whole backtest of each through the broker. */
#include "trade/performance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "feed/input.h"
#include "feed/timestamp.h"
#include "tap.h"
#include "trade/fees.h"
#include "trade/ledger.h"

#define ONE TW_FIXED_ONE

static void near(double got, double want, double by, const char *name)
{
    ok(fabs(got - want) <= by, "%s %.12g", name, want);
    if (!(fabs(got - want) <= by)) printf("# got %.15g\n", got);
}

static void returns(void)
{
    struct tw_point points[9] = { { .equity = 1 } };
    const double r[] = { NAN, 0.01, 0.10, -0.04, 0.02, 0.03, 0.02, 0.01, -0.10 };
    const double up[] = { NAN, 0.02, 0.04, -0.02, 0.03 };
    const double market[] = { NAN, 0.01, 0.02, -0.01, 0.015 };
    const double more[] = { NAN, 0, -0.01, 0.02, -0.005 };   /* 0.01 - market */
    double twice[5];                                         /* (1 + market)^2 - 1 */
    struct tw_curve_figures f;
    struct tw_beside beside;

    for (int i = 1; i < 9; i++) points[i].equity = points[i - 1].equity * (1 + r[i]);
    for (int i = 0; i < 5; i++) twice[i] = market[i] * (2 + market[i]);
    tw_curve_figures(points, points, 9, 252, &f);
    near(f.arithmetic.sharpe, 1.7238613961706866, 1e-12, "sharpe");
    near(f.arithmetic.volatility, 0.9136465399704637, 1e-12, "volatility");
    near(f.arithmetic.sortino, 2.605531251673693, 1e-12, "sortino");
    near(f.max_drawdown, -0.1, 1e-12, "max drawdown");
    near(f.arithmetic.annual_return, 1.9135925373194231, 1e-12, "annual return");
    near(f.arithmetic.calmar, 19.135925373194233, 1e-11, "calmar");
    tw_curve_beside(up, market, 5, 252, &beside);
    near(beside.beta, 2, 1e-12, "beta of twice the market");
    near(beside.alpha, 0, 1e-12, "alpha of it");
    near(beside.compound_alpha, 0, 1e-12, "alpha, compounded");
    tw_curve_beside(more, market, 5, 252, &beside);
    near(beside.beta, -1, 1e-12, "beta against the market");
    near(beside.alpha, 252 * 0.01, 1e-12, "alpha of a hundredth a period");
    near(beside.compound_alpha, pow(1.01, 252) - 1, 1e-9, "compounded");
    tw_curve_beside(twice, market, 5, 252, &beside);
    near(beside.log_beta, 2, 1e-12, "beta of growth twice as fast");
    tw_curve_beside(up, up, 1, 252, &beside);
    ok(isnan(beside.beta) && isnan(beside.alpha), "none without returns");
}

/* By hand: two won, one lost, one neither. */
static void trips(void)
{
    const struct tw_outcome four[] = { { .ratio = 0.1, .pnl = 10, .open_ns = 4 },
        { .ratio = -0.05, .pnl = -5, .open_ns = 12 }, { .open_ns = 8 },
        { .ratio = 0.2, .pnl = 20 } };
    struct tw_trip_figures f;

    tw_trip_figures(four, 4, &f);
    ok(f.trades == 4 && f.won == 2 && f.average_ns == 6 && f.max_ns == 12,
       "of four trades");
    near(f.best, 0.2, 0, "the best");
    near(f.worst, -0.05, 0, "the worst");
    near(f.win_rate, 0.5, 1e-12, "win rate");
    near(f.average, pow(1.1 * 0.95 * 1.2, 0.25) - 1, 1e-12, "average");
    near(f.expectancy, 0.0625, 1e-12, "expectancy");
    near(f.profit_factor, 6, 1e-12, "profit factor");
    near(f.sqn, 2 * 6.25 / sqrt(368.75 / 3), 1e-12, "SQN");
    near(f.kelly, 0.5 - 0.5 / 3, 1e-12, "Kelly");
    tw_trip_figures(four, 0, &f);
    ok(f.trades == 0 && isnan(f.best) && isnan(f.worst) && isnan(f.win_rate), "of none");
}

/* From a peak until it is reached again, or the end. */
static void average_fall(void)
{
    const int64_t day = 86400 * ONE;
    const double equity[] = { 100, 90, 100, 80, 90, 100, 110, 77 };
    struct tw_point points[8];
    struct tw_curve_figures f;

    for (int i = 0; i < 8; i++) points[i] = (struct tw_point){ i * day, equity[i] };
    tw_curve_figures(points, points, 6, 252, &f);
    near(f.average_drawdown, -0.15, 1e-12, "average drawdown of two");
    ok(f.average_drawdown_ns == 5 * day / 2 && f.max_drawdown_ns == 3 * day, "how long");
    tw_curve_figures(points, points, 8, 252, &f);
    near(f.average_drawdown, -0.2, 1e-12, "with one that lasts");
    ok(f.average_drawdown_ns == 2 * day, "until now");
}

/* A start before the first point: what the first period brings is counted. */
static void first_period(void)
{
    const int64_t day = 86400 * ONE;
    const struct tw_point start = { 0, 100 };
    const struct tw_point points[] = { { day, 90 }, { 2 * day, 99 }, { 3 * day, 110 } };
    struct tw_curve_figures f, inner;

    tw_curve_figures(&start, points, 1, 252, &f);
    near(f.total_return, -0.1, 1e-12, "one period alone: return");
    near(f.max_drawdown, -0.1, 1e-12, "its drawdown");
    near(f.cagr, pow(0.9, 365.25) - 1, 1e-12, "its CAGR");
    ok(f.max_drawdown_ns == day, "since the start");
    ok(f.start == 100 && f.final == 90 && f.peak == 100, "from the start to its end");
    ok(isnan(f.arithmetic.sharpe) && isnan(f.arithmetic.volatility),
       "there are no returns from one to the next");
    tw_curve_figures(&start, points, 3, 252, &f);
    tw_curve_figures(points, points, 3, 252, &inner);
    near(f.total_return, 0.1, 1e-12, "a loss first, then gains");
    near(f.cagr, pow(1.1, 365.25 / 3) - 1, 1e-6, "CAGR of three days");
    near(f.max_drawdown, -0.1, 1e-12, "drawdown of the first day");
    ok(f.max_drawdown_ns == 3 * day, "until the start is regained");
    ok(f.arithmetic.sharpe == inner.arithmetic.sharpe
       && f.arithmetic.annual_return == inner.arithmetic.annual_return
       && f.geometric.volatility == inner.geometric.volatility,
       "the returns of periods are the same without it");
    ok(inner.max_drawdown == 0 && inner.start == 90, "whose start is the first point");
}

static bool has_no_ratios(const struct tw_curve_figures *f)
{
    return isnan(f->cagr) && isnan(f->arithmetic.annual_return)
        && isnan(f->arithmetic.sharpe) && isnan(f->arithmetic.calmar)
        && isnan(f->geometric.volatility) && isnan(f->geometric.sortino);
}

/* With equity below zero a loss would count as a gain. */
static void ruin(void)
{
    const int64_t day = 86400 * ONE;
    const struct tw_point start = { 0, 100 }, nothing = { 0, 0 };
    struct tw_point p[] = { { day, 110 }, { 2 * day, -10 }, { 3 * day, -20 },
                            { 4 * day, -40 } };
    struct tw_curve_figures f;

    tw_curve_figures(&start, p, 4, 252, &f);
    ok(f.ruined && f.ruined_ns == 2 * day, "below zero: ruined, since then");
    ok(has_no_ratios(&f), "so its returns say nothing");
    near(f.total_return, -1.4, 1e-12, "but what is left does");
    near(f.max_drawdown, -40.0 / 110 - 1, 1e-12, "and how far it fell");
    near(f.worst_period, -120.0 / 110, 1e-12, "the return into ruin is the last one");
    ok(f.best_period == f.worst_period, "there is no other");
    p[1].equity = 0;
    p[3].equity = 400;
    tw_curve_figures(&start, p, 4, 252, &f);
    ok(f.ruined && f.ruined_ns == 2 * day && has_no_ratios(&f) && f.final == 400,
       "nothing left is ruin, whatever comes then");
    p[1].equity = p[2].equity = 50;
    tw_curve_figures(&start, p, 4, 252, &f);
    ok(!f.ruined && f.arithmetic.sharpe > 0 && f.cagr > 0, "half of it left is none");
    tw_curve_ruin(&f, 3 * day);
    tw_curve_ruin(&f, day);
    tw_curve_ruin(&f, 2 * day);
    ok(f.ruined && f.ruined_ns == day && has_no_ratios(&f), "ruin between the points");
    tw_curve_figures(&nothing, p, 4, 252, &f);
    ok(f.ruined && f.ruined_ns == 0 && has_no_ratios(&f) && isnan(f.total_return)
       && isnan(f.max_drawdown), "of nothing at the start there are no figures");
}

/* ---- data ---- */

struct bar { int64_t time_ns; struct tw_ohlc o; };

/* Lines "DATE,O,H,L,C,V..."; those that begin with no digit are skipped.  scale: prices
 * are divided by it. */
static struct bar *load(const char *path, const char *member, int64_t scale, size_t *n)
{
    struct tw_error error;
    struct tw_input *in = tw_input_open(path, member, &error);
    char *bytes = calloc(1, 1 << 23), *place = NULL;
    struct bar *all = calloc(10000, sizeof *all);
    size_t used = 0;
    int64_t got;

    *n = 0;
    while (in && (got = tw_input_read(in, bytes + used, (1 << 23) - 1 - used,
                                      &error)) > 0)
        used += (size_t)got;
    for (char *line = strtok_r(bytes, "\r\n", &place); line;
         line = strtok_r(NULL, "\r\n", &place)) {
        struct bar *b = &all[*n];
        int64_t *field[] = { &b->o.open, &b->o.high, &b->o.low, &b->o.close,
                             &b->o.volume };
        size_t date = strcspn(line, ", ");

        if (*line < '0' || *line > '9'
            || tw_timestamp_parse(line, date, TW_CSV_ISO, &b->time_ns) < 0)
            continue;
        line += strcspn(line, ",");
        for (int i = 0; i < 5 && *line == ','; i++) {
            size_t length = strcspn(++line, ",");

            tw_fixed_parse(line, length, field[i]);
            if (i < 4) *field[i] /= scale;
            line += length;
        }
        b->time_ns += 86400 * ONE;            /* a day's bar is known at its end */
        ++*n;
    }
    tw_input_close(in);
    free(bytes);
    return all;
}

/* ---- a strategy ---- */

enum { ORDERS = 400 };

struct run {
    struct tw_broker *b;
    struct tw_terms terms;
    struct tw_order order[ORDERS];
    unsigned n, buys, sells;
    struct tw_ledger *ledger;
};

static const struct tw_terms *terms_of(void *ctx, uint32_t symbol)
{
    (void)symbol;
    return &((struct run *)ctx)->terms;
}

static struct run *begin(const struct tw_terms *terms, int64_t cash)
{
    struct tw_broker_options o = { .terms = terms_of,
                                   .simulator = { .model = TW_FILL_NEXT_OPEN } };
    struct run *r = calloc(1, sizeof *r);

    r->terms = *terms;
    o.ctx = r;
    r->b = tw_broker_new(&o);
    r->ledger = tw_ledger_new();
    tw_account_deposit(tw_broker_account(r->b), 0, (tw_money)cash * ONE);
    return r;
}

static void finish(struct run *r)
{
    tw_broker_free(r->b);
    tw_ledger_free(r->ledger);
    free(r);
}

static int64_t position(struct run *r)
{
    const struct tw_position *p = tw_account_find(tw_broker_account(r->b), 1);

    return p ? p->quantity : 0;
}

/* quantity below 0: sells; part of the equity, when that is not 0. */
static void order(struct run *r, int64_t quantity, int64_t part)
{
    struct tw_order *o = &r->order[r->n++];
    struct tw_error error;

    o->symbol = 1;
    o->side = quantity < 0 ? TW_SIDE_SELL : TW_SIDE_BUY;
    o->type = TW_TYPE_MARKET;
    o->tif = TW_TIF_GTC;
    o->quantity = quantity < 0 ? -quantity : quantity;
    o->part = part;
    if (tw_broker_submit(r->b, o, &error) < 0) printf("# %s\n", error.text);
}

static void day(struct run *r, const struct bar *b, uint64_t seq)
{
    struct tw_record record = { .seq = seq, .symbol = 1, .time = b->time_ns };
    struct tw_told t;

    tw_bar_set(&record, &b->o, 86400, TW_BAR_TRADES);
    tw_broker_record(r->b, &record);
    while (tw_broker_next(r->b, &t)) {
        tw_ledger_told(r->ledger, NULL, &t);
        r->buys += t.report.exec == TW_EXEC_TRADE && t.order->side == TW_SIDE_BUY;
        r->sells += t.report.exec == TW_EXEC_TRADE && t.order->side == TW_SIDE_SELL;
    }
    tw_ledger_mark(r->ledger, b->time_ns, tw_account_equity(tw_broker_account(r->b)));
}

/* The sum of n closes up to and with i. */
static int64_t sum(const struct bar *b, size_t i, size_t n)
{
    int64_t s = 0;

    for (size_t k = 0; k < n; k++) s += b[i - k].o.close;
    return s;
}

/* +1: the average of 10 comes from below that of 30 to above; -1: the other way. */
static int crosses(const struct bar *b, size_t i)
{
    int64_t before = 3 * sum(b, i - 1, 10) - sum(b, i - 1, 30);
    int64_t now = 3 * sum(b, i, 10) - sum(b, i, 30);

    return before < 0 && now > 0 ? 1 : before > 0 && now < 0 ? -1 : 0;
}

static void google(void)
{
    size_t n;
    struct bar *b = load("../shared/data/backtesting.py/GOOG.csv.gz", NULL, 1, &n);
    struct tw_terms terms = { .lot = ONE };
    struct run *r;
    struct tw_curve_figures f;
    struct tw_trip_figures t;
    const struct tw_point *days;
    const struct tw_outcome *outcomes;
    size_t n_days, n_trips;

    if (n == 0) {
        ok(true, "GOOG, SMA 10/30 # SKIP no ../shared/data");
        free(b);
        return;
    }
    r = begin(&terms, 10000);
    for (size_t i = 0; i < n; i++) {
        int64_t held;

        day(r, &b[i], i + 1);
        held = position(r);
        if (i < 30 || i > n - 2) continue;
        if (i == n - 2) {
            if (held) order(r, -held, 0);
        } else if (crosses(b, i)) {
            if (held) order(r, -held, 0);
            order(r, crosses(b, i), ONE);
        }
    }
    days = tw_ledger_days(r->ledger, &n_days);
    outcomes = tw_ledger_outcomes(r->ledger, &n_trips);
    tw_curve_figures(days, days, n_days, 252, &f);
    tw_trip_figures(outcomes, n_trips, &t);
    ok(n_days == n, "GOOG: a value for each day");
    ok(n_trips == 66, "66 trades (%u)", (unsigned)n_trips);
    near(f.final, 51422.99, 0.005, "final");
    near(f.peak, 75787.44, 0.005, "peak");
    near(100 * f.total_return, 414.2299, 5e-5, "return");
    near(f.geometric.sharpe, 0.580623224, 5e-10, "sharpe");
    near(f.geometric.sortino, 1.085343435, 5e-10, "sortino");
    near(f.geometric.calmar, 0.441664092, 5e-10, "calmar");
    near(100 * f.max_drawdown, -47.980127050, 5e-9, "max drawdown");
    ok(f.max_drawdown_ns / 86400 / ONE == 584, "for 584 days (%d)",
       (int)(f.max_drawdown_ns / 86400 / ONE));
    near(100 * t.win_rate, 46.969696970, 5e-9, "win rate");
    near(t.profit_factor, 2.167945974, 5e-10, "profit factor");
    near(t.sqn, 1.076618736, 5e-10, "SQN");
    near(t.kelly, 0.151870513, 5e-10, "Kelly");
    finish(r);
    free(b);
}

/* One of close - average, of its last value that is not 0. */
static void euro_stoxx(const struct tw_terms *terms, const char *name, tw_money value,
                       tw_money cash)
{
    size_t n;
    struct bar *b = load("../shared/data/backtrader/2006-day-001.txt.gz", NULL, 1, &n);
    struct run *r;
    struct tw_account *a;
    int last = 0;

    if (n == 0) {
        ok(true, "%s # SKIP no ../shared/data", name);
        free(b);
        return;
    }
    r = begin(terms, 10000);
    a = tw_broker_account(r->b);
    for (size_t i = 0; i < n; i++) {
        int64_t over;
        int cross = 0;

        day(r, &b[i], i + 1);
        if (i < 14) continue;
        over = 15 * b[i].o.close - sum(b, i, 15);
        if (over > 0) cross = last < 0 ? 1 : 0, last = 1;
        else if (over < 0) cross = last > 0 ? -1 : 0, last = -1;
        if (cross > 0 && position(r) == 0) order(r, ONE, 0);
        else if (cross < 0 && position(r) > 0) order(r, -ONE, 0);
    }
    ok(r->buys == 12 && r->sells == 11, "%s: 12 buys, 11 sells (%u, %u)", name, r->buys,
       r->sells);
    ok(tw_account_equity(a) == value, "%s: value %.2f (%.2f)", name,
       tw_money_to_double(value), tw_money_to_double(tw_account_equity(a)));
    ok(tw_account_free_cash(a) == cash, "%s: cash %.2f (%.2f)", name,
       tw_money_to_double(cash), tw_money_to_double(tw_account_free_cash(a)));
    finish(r);
    free(b);
}

/* All in at the first close, of prices adjusted by the factor of the file. */
static void spy(void)
{
    size_t n;
    struct bar *b = load("../shared/data/lean/equity/usa/daily/spy.zip", NULL, 10000, &n);
    struct tw_fees fees = { .per_share = 5 * ONE / 1000, .minimum = ONE };
    struct tw_terms terms = { .lot = ONE, .fees = &fees };
    const int64_t from = INT64_C(1381190400) * ONE;       /* 2013-10-08 */
    const int64_t factor = 8646266 * (ONE / 10000000);     /* up to 2013-12-19 */
    struct tw_account *a;
    struct run *r;

    if (n == 0) {
        ok(true, "SPY, buy and hold # SKIP no ../shared/data");
        free(b);
        return;
    }
    r = begin(&terms, 100000);
    a = tw_broker_account(r->b);
    for (size_t i = 0; i < n; i++) {
        int64_t *price[] = { &b[i].o.open, &b[i].o.high, &b[i].o.low, &b[i].o.close };

        if (b[i].time_ns <= from || b[i].time_ns > from + 10 * 86400 * ONE) continue;
        for (int k = 0; k < 4; k++)
            *price[k] = (int64_t)tw_money_ratio(*price[k], factor, ONE);
        day(r, &b[i], i + 1);
        if (r->n == 0)
            order(r, (int64_t)(tw_account_equity(a) * 9975 / 10000 / b[i].o.close) * ONE,
                  0);
    }
    ok(position(r) == 697 * ONE, "SPY: 697 shares (%d)", (int)(position(r) / ONE));
    ok(tw_account_fees(a) == 3485 * (tw_money)ONE / 1000, "fees of 3.485");
    near(tw_money_to_double(tw_account_equity(a)), 104486.22, 0.005, "end");
    finish(r);
    free(b);
}

int main(void)
{
    struct tw_terms stock = { 0 };
    struct tw_fees fees = { .per_share = 2 * ONE };
    struct tw_terms future = { .multiplier = 10 * ONE, .margin = 1000 * ONE,
                               .settles_daily = true, .fees = &fees };

    returns();
    trips();
    average_fall();
    first_period();
    ruin();
    google();
    spy();
    euro_stoxx(&stock, "Euro Stoxx as a share", (tw_money)1028410 * ONE / 100,
               (tw_money)616416 * ONE / 100);
    euro_stoxx(&future, "as a future", (tw_money)12795 * ONE, (tw_money)11795 * ONE);
    return tap_done();
}
