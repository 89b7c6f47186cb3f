/* worth.c - the equity of a backtest's scripts over time, and the benchmark. */
#include "backtest/worth.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/memory.h"
#include "tape/bar.h"

/* The price of a record; 0: none. */
static int64_t price_of(const struct tw_record *r)
{
    struct tw_ohlc bar;

    if (r->kind == TW_TRADE) return r->trade.price;
    if (r->kind == TW_QUOTE) {
        const struct tw_quote *q = &r->quote;

        if (q->bid == 0 || q->ask == 0) return q->bid | q->ask;
        return q->bid + (q->ask - q->bid) / 2;
    }
    if (r->kind != TW_BAR) return 0;
    tw_bar_get(r, &bar);
    return bar.close;
}

/* The benchmark's price of each day that the curve has; NaN: not known yet. */
static bool mark_market(struct ltw_backtest *b)
{
    int64_t price = price_of(&b->beside);
    size_t n;

    tw_ledger_days(b->curve, &n);
    if (n > b->market_room) {
        size_t room = 2 * n + 64;
        double *grown = tw_realloc(b->market, room * sizeof *grown);

        if (!grown) return false;
        b->market = grown;
        b->market_room = room;
    }
    b->n_market = n;
    b->market[n - 1] = price ? tw_fixed_to_double(price) : NAN;
    return true;
}

void ltw_worth_meet(struct ltw_backtest *b, const struct tw_record *r)
{
    if (r->symbol == 0) return;                    /* a timer's */
    if (b->benchmark != 0)
        b->has_others = true;
    else if (!b->o.benchmark || strcmp(tw_symbols_name(b->host.symbols, r->symbol),
                                       b->o.benchmark) == 0)
        b->benchmark = r->symbol;
}

/* Do all accounts count in one currency by now?  The curves begin with that. */
static bool has_begun(struct ltw_backtest *b)
{
    for (unsigned i = 0; i < b->n && !b->rated; i++)
        if (ltw_backtest_rate(b, i) <= 0) return false;
    if (!b->rated) b->start = ltw_backtest_sum(b, tw_account_deposits);
    return b->rated = true;
}

/* Where the curves' next point stands.  A bar of a day is of that day, whatever its zone:
 * its end is that day's midnight, but where there is a point behind that already, or a
 * record before it yet to come. */
static int64_t mark_at(const struct ltw_backtest *b, int64_t next_ns)
{
    uint64_t behind = (uint64_t)b->last_ns - (uint64_t)b->at_ns;
    int64_t midnight_ns;
    size_t n;
    const struct tw_point *p = tw_ledger_days(b->curve, &n);

    if (behind != (uint64_t)TW_DAY_NS / 2 || b->at_ns > INT64_MAX - TW_DAY_NS)
        return b->last_ns;
    midnight_ns = (tw_clock_spans(b->at_ns, TW_DAY_NS) + 1) * TW_DAY_NS;
    return next_ns >= midnight_ns && (n == 0 || p[n - 1].time_ns <= midnight_ns)
         ? midnight_ns : b->last_ns;
}

void ltw_worth_look_for_ruin(struct ltw_backtest *b, int64_t next_ns)
{
    if (b->ruined || !has_begun(b) || ltw_backtest_sum(b, tw_account_equity) > 0) return;
    b->ruined = b->start > 0;
    b->ruined_ns = mark_at(b, next_ns);
}

bool ltw_worth_mark_curves(struct ltw_backtest *b, int64_t next_ns)
{
    tw_money equity = ltw_backtest_sum(b, tw_account_equity);

    if (!has_begun(b)) return true;
    if (tw_ledger_mark(b->curve, mark_at(b, next_ns), equity) < 0 || !mark_market(b))
        return tw_fail(&b->error, UV_ENOMEM, "not enough memory"), false;
    b->till_ns = tw_ledger_till(b->curve);
    return true;
}

bool ltw_worth_overdrawn(const struct ltw_backtest *b, unsigned script,
                         char out[LTW_WORTH_TEXT])
{
    struct tw_broker *broker = b->traders[script]->broker;
    struct tw_overdraft most = tw_broker_overdraft(broker);
    char at[TW_DATE_TEXT];

    if (most.most <= 0) return false;
    snprintf(out, LTW_WORTH_TEXT, "script %.100s bought more than it had cash for: up to"
             " %.2f %s more, first at %s; account = { limits = { buying_power = true } }"
             " refuses that, margin in app.instruments allows it",
             b->scripts[script].name, tw_money_to_double(most.most),
             tw_account_currency_name(tw_broker_account(broker), 0),
             tw_date_text(most.since_ns, TW_DATE_SECOND, at));
    return true;
}

bool ltw_worth_draw(struct ltw_backtest *b, const struct tw_record *r)
{
    int64_t price = price_of(r);

    if (price == 0 || r->symbol == 0) return true;
    if (r->symbol >= b->n_charts) {
        struct ltw_chart *grown = tw_extend(b->charts, &b->n_charts, r->symbol,
                                            sizeof *grown);

        if (!grown) return false;
        b->charts = grown;
    }
    return ltw_chart_add(&b->charts[r->symbol], r->time, price);
}
