/* lresult.c - the result of a backtest as a Lua table. */
#include "backtest/lresult.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fixed.h"
#include "share/larray.h"
#include "lfield.h"

static void set_number(lua_State *L, const char *name, double value)
{
    if (isfinite(value)) ltw_set_number(L, name, value);   /* else it can't be said */
}

static void set_money(lua_State *L, const char *name, tw_money value)
{
    set_number(L, name, tw_money_to_double(value));
}

static void set_fixed(lua_State *L, const char *name, int64_t value)
{
    set_number(L, name, tw_fixed_to_double(value));
}

/* One that was asked for, or the data's only symbol. */
static bool has_benchmark(const struct ltw_backtest *b)
{
    return b->benchmark != 0 && (b->o.benchmark || !b->has_others) && b->n_market > 0;
}

/* ---- orders ---- */

/* [-0, +1, m] */
static void push_orders(lua_State *L, const struct ltw_listed *all, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        const struct ltw_entry *e = all[i].e;

        lua_createtable(L, 0, 16);
        ltw_set_integer(L, "id", (int64_t)e->id);
        ltw_set_integer(L, "owner", e->script);
        ltw_set_integer(L, "time", e->time_ns);
        ltw_set_text(L, "script", all[i].b->scripts[e->script - 1].name);
        ltw_set_text(L, "symbol", ltw_listed_symbol(all[i].b, e->symbol));
        ltw_set_text(L, "side", e->side == TW_SIDE_BUY ? "buy" : "sell");
        ltw_set_text(L, "type", tw_order_type_text((enum tw_order_type)e->type));
        ltw_set_text(L, "tif", tw_time_in_force_text((enum tw_time_in_force)e->tif));
        ltw_set_text(L, "status", ltw_listed_status((enum tw_order_status)e->status));
        ltw_set_text(L, "reason",
                     e->reason ? tw_reason_text((enum tw_reason)e->reason) : "");
        ltw_set_text(L, "label", e->label ? e->label : "");
        set_fixed(L, "quantity", e->quantity);
        if (e->price) set_fixed(L, "price", e->price);
        if (e->stop) set_fixed(L, "stop", e->stop);
        set_fixed(L, "filled", e->filled);
        if (e->average) set_fixed(L, "average", e->average);
        set_money(L, "fees", e->fees);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* ---- figures ---- */

static void set_ratios(lua_State *L, const char *name, const struct tw_ratios *r,
                       double alpha)
{
    lua_createtable(L, 0, 6);
    set_number(L, "annual_return", r->annual_return);
    set_number(L, "volatility", r->volatility);
    set_number(L, "sharpe", r->sharpe);
    set_number(L, "sortino", r->sortino);
    set_number(L, "calmar", r->calmar);
    set_number(L, "annual_alpha", alpha);
    lua_setfield(L, -2, name);
}

/* How many days of trading a year has, by those that there are: a market that is open on
 * Saturdays and on Sundays is always open; one of the two may be a zone's. */
static double periods_of(const struct tw_point *days, size_t n)
{
    size_t of[7] = { 0 };

    for (size_t i = 0; i < n; i++) {
        int64_t day = tw_clock_spans(days[i].time_ns - 1, TW_DAY_NS);

        of[((day + 3) % 7 + 7) % 7]++;             /* 1970-01-01 was a Thursday */
    }
    return of[5] * 20 > n && of[6] * 20 > n ? 365 : 252;
}

/* [-0, +0, m]  Of the days before which the market's price was known; NULL: of none.
 * Nothing is known of what it was before, so alpha begins at the end of the first. */
static void set_beside(lua_State *L, const struct tw_point *days, const double *market,
                       size_t n, struct tw_beside *out)
{
    double *r, *m;
    size_t first = 0;

    *out = (struct tw_beside){ NAN, NAN, NAN, NAN };
    if (!market) return;
    r = lua_newuserdatauv(L, 2 * n * sizeof *r, 0);
    m = r + n;
    for (size_t i = 0; i < n; i++) {
        if (isnan(market[first])) first = i;
        r[i] = i ? days[i].equity / days[i - 1].equity - 1 : NAN;
        m[i] = i ? market[i] / market[i - 1] - 1 : NAN;
    }
    tw_curve_beside(r, m, n, periods_of(days, n), out);
    lua_pop(L, 1);
    set_number(L, "beta", out->beta);
    set_number(L, "log_beta", out->log_beta);
    set_number(L, "alpha", days[n - 1].equity / days[first].equity - 1
                           - out->beta * (market[n - 1] / market[first] - 1));
}

/* start: what there was before the first of the days; market: its price at the end of
 * each day, or NULL; ruined_ns: since when nothing was left, or NULL. */
static void set_curve_figures(lua_State *L, double start, const struct tw_point *days,
                              const double *market, size_t n, const int64_t *ruined_ns)
{
    int64_t first = tw_clock_spans(days[0].time_ns - 1, TW_DAY_NS);
    struct tw_point from = { first * TW_DAY_NS, start };
    struct tw_curve_figures f;
    struct tw_beside beside;

    tw_curve_figures(&from, days, n, periods_of(days, n), &f);
    if (ruined_ns) tw_curve_ruin(&f, *ruined_ns);
    set_beside(L, days, f.ruined ? NULL : market, n, &beside);
    set_number(L, "total_return", f.total_return);
    set_number(L, "cagr", f.cagr);
    set_number(L, "peak", f.peak);
    set_number(L, "max_drawdown", f.max_drawdown);
    set_number(L, "max_drawdown_days", (double)f.max_drawdown_ns / (double)TW_DAY_NS);
    set_number(L, "average_drawdown", f.average_drawdown);
    set_number(L, "average_drawdown_days",
               (double)f.average_drawdown_ns / (double)TW_DAY_NS);
    set_ratios(L, "arithmetic", &f.arithmetic, beside.alpha);
    set_ratios(L, "geometric", &f.geometric, beside.compound_alpha);
}

static void set_trip_figures(lua_State *L, const struct tw_outcome *outcomes, size_t n)
{
    struct tw_trip_figures f;

    tw_trip_figures(outcomes, n, &f);
    ltw_set_count(L, "trades", f.trades);
    ltw_set_count(L, "won", f.won);
    set_number(L, "win_rate", f.win_rate);
    set_number(L, "best", f.best);
    set_number(L, "worst", f.worst);
    set_number(L, "average", f.average);
    set_number(L, "profit_factor", f.profit_factor);
    set_number(L, "expectancy", f.expectancy);
    set_number(L, "sqn", f.sqn);
    set_number(L, "kelly", f.kelly);
    set_number(L, "average_days", (double)f.average_ns / (double)TW_DAY_NS);
    set_number(L, "max_days", (double)f.max_ns / (double)TW_DAY_NS);
}

/* [-0, +1, m]  What the trades of all scripts came to, each's in their order. */
static const struct tw_outcome *push_outcomes(lua_State *L, const struct ltw_backtest *b,
                                              size_t *n)
{
    struct tw_outcome *all;
    size_t some;

    if (b->n == 1) {
        lua_pushnil(L);
        return tw_ledger_outcomes(b->journals[0]->trades, n);
    }

    *n = 0;
    for (unsigned i = 0; i < b->n; i++) {
        tw_ledger_outcomes(b->journals[i]->trades, &some);
        *n += some;
    }
    all = lua_newuserdatauv(L, (*n + 1) * sizeof *all, 0);
    *n = 0;
    for (unsigned i = 0; i < b->n; i++) {
        const struct tw_outcome *own = tw_ledger_outcomes(b->journals[i]->trades, &some);

        if (some > 0) memcpy(all + *n, own, some * sizeof *all);
        *n += some;
    }
    return all;
}

/* [-0, +1, m] */
static void push_trade(lua_State *L, const struct ltw_backtest *b,
                       const struct tw_trip *t, const struct tw_outcome *o)
{
    lua_createtable(L, 0, 9);
    ltw_set_text(L, "symbol", ltw_listed_symbol(b, t->symbol));
    ltw_set_integer(L, "entry", t->entry_ns);
    ltw_set_integer(L, "exit", t->entry_ns + o->open_ns);
    set_fixed(L, "quantity", t->quantity);
    set_fixed(L, "entry_price", t->entry_px);
    set_fixed(L, "exit_price", t->exit_px);
    set_number(L, "pnl", o->pnl);
    set_number(L, "fees", t->fees);
    set_number(L, "ratio", o->ratio);
}

static void push_trades(lua_State *L, const struct ltw_backtest *b)
{
    lua_Integer at = 0;

    lua_newtable(L);
    for (unsigned i = 0; i < b->n; i++) {
        const struct tw_ledger *trades = b->journals[i]->trades;
        size_t n;
        const struct tw_outcome *outcomes = tw_ledger_outcomes(trades, &n);
        const struct tw_trip *trips = tw_ledger_trips(trades, &n);

        for (size_t k = 0; k < n; k++) {
            push_trade(L, b, &trips[k], &outcomes[k]);
            lua_rawseti(L, -2, ++at);
        }
    }
}

static void set_figures(lua_State *L, const struct ltw_backtest *b,
                        const struct tw_outcome *outcomes, size_t n_outcomes)
{
    double traded = tw_money_to_double(ltw_backtest_sum(b, tw_account_traded)), mean = 0;
    size_t n;
    const struct tw_point *days = tw_ledger_days(b->curve, &n);

    for (size_t i = 0; i < n; i++) mean += days[i].equity / (double)n;
    lua_createtable(L, 0, 32);
    if (n > 0)
        set_curve_figures(L, tw_money_to_double(b->start), days,
                          has_benchmark(b) ? b->market : NULL, n,
                          b->ruined ? &b->ruined_ns : NULL);
    set_trip_figures(L, outcomes, n_outcomes);
    if (b->last_ns > b->since_ns)
        set_number(L, "exposure", (double)b->exposed_ns
                   / (double)((uint64_t)b->last_ns - (uint64_t)b->since_ns));
    if (mean > 0 && !b->ruined)
        set_number(L, "turnover", traded / mean);
    set_money(L, "fees", ltw_backtest_sum(b, tw_account_fees));
    lua_setfield(L, -2, "figures");
}

int ltw_figures(lua_State *L)
{
    size_t n = lua_rawlen(L, 1), n_trips = lua_rawlen(L, 2);
    double start = luaL_checknumber(L, 3);
    int64_t ruined_ns = luaL_optinteger(L, 4, 0);
    struct tw_point *days;
    struct tw_outcome *outcomes;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    days = lua_newuserdatauv(L, (n + 1) * sizeof *days, 0);
    outcomes = lua_newuserdatauv(L, (n_trips + 1) * sizeof *outcomes, 0);
    for (size_t i = 0; i < n; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        days[i] = (struct tw_point){ ltw_integer_at(L, -1, "time", 0),
                                     ltw_number_at(L, -1, "equity", 0) };
    }
    for (size_t i = 0; i < n_trips; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        outcomes[i] = (struct tw_outcome){
            .pnl = ltw_number_at(L, -1, "pnl", 0),
            .ratio = ltw_number_at(L, -1, "ratio", 0),
            .open_ns = ltw_integer_at(L, -1, "exit", 0)
                       - ltw_integer_at(L, -1, "entry", 0),
        };
    }
    lua_newtable(L);
    if (n > 0)
        set_curve_figures(L, start, days, NULL, n,
                          lua_isnoneornil(L, 4) ? NULL : &ruined_ns);
    set_trip_figures(L, outcomes, n_trips);
    return 1;
}

/* ---- curves and positions ---- */

static void set_days(lua_State *L, const struct ltw_backtest *b)
{
    size_t n;
    const struct tw_point *days = tw_ledger_days(b->curve, &n);

    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_createtable(L, 0, 2);
        ltw_set_integer(L, "time", days[i].time_ns);
        set_number(L, "equity", days[i].equity);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "days");
}

/* [-0, +0, e]  Field `name`: an array of n numbers, which *data are to be filled in. */
static double *begin_array(lua_State *L, size_t n, struct ltw_box **box)
{
    struct tw_array *a;
    double *data;

    *box = ltw_array_begin(L, n);
    a = tw_array_new(n, &data);
    ltw_array_attach(L, *box, a);
    return data;
}

static void end_array(lua_State *L, const char *name, struct ltw_box *box)
{
    ltw_array_end(L, box);
    lua_setfield(L, -2, name);
}

/* [-0, +0, e]  {SYMBOL = {time = array, close = array}} */
static void set_prices(lua_State *L, const struct ltw_backtest *b)
{
    lua_newtable(L);
    for (size_t s = 1; s < b->n_charts; s++) {
        const struct ltw_chart *c = &b->charts[s];
        struct ltw_box *box;
        double *data;

        if (c->n == 0) continue;
        lua_createtable(L, 0, 2);
        data = begin_array(L, c->n, &box);
        for (size_t i = 0; i < c->n; i++) data[i] = (double)c->point[i].time_ns;
        end_array(L, "time", box);
        data = begin_array(L, c->n, &box);
        for (size_t i = 0; i < c->n; i++) data[i] = tw_fixed_to_double(c->point[i].price);
        end_array(L, "close", box);
        lua_setfield(L, -2, ltw_listed_symbol(b, (uint32_t)s));
    }
    lua_setfield(L, -2, "prices");
}

/* [-0, +0, e]  {time = array, equity = array} */
static void set_curve(lua_State *L, const struct ltw_backtest *b)
{
    size_t n;
    const struct tw_point *points = tw_ledger_curve(b->curve, &n);
    struct ltw_box *box;
    double *data;

    lua_createtable(L, 0, 2);
    data = begin_array(L, n, &box);
    for (size_t i = 0; i < n; i++) data[i] = (double)points[i].time_ns;
    end_array(L, "time", box);
    data = begin_array(L, n, &box);
    for (size_t i = 0; i < n; i++) data[i] = points[i].equity;
    end_array(L, "equity", box);
    lua_setfield(L, -2, "curve");
}

/* What 1 of the position's currency is in the account's. */
static int64_t rate_of(const struct tw_account *a, const struct tw_position *p)
{
    int64_t rate = p->terms ? tw_account_rate(a, p->terms->currency) : 0;

    return rate > 0 ? rate : TW_FIXED_ONE;
}

static void set_positions(lua_State *L, const struct ltw_backtest *b)
{
    const struct tw_position *p;
    int64_t entry_ns;
    double value;
    lua_Integer n = 0;

    lua_newtable(L);
    for (unsigned s = 0; s < b->n; s++)
        for (size_t i = 0; (p = tw_account_at(ltw_backtest_account(b, s), i)); i++) {
            int64_t rate = rate_of(ltw_backtest_account(b, s), p);

            lua_createtable(L, 0, 11);
            ltw_set_text(L, "script", b->scripts[s].name);
            ltw_set_text(L, "symbol", ltw_listed_symbol(b, p->symbol));
            set_fixed(L, "quantity", p->quantity);
            set_fixed(L, "price", tw_position_price(p));
            set_fixed(L, "mark", p->mark);
            set_money(L, "realised", tw_money_ratio(p->realised, rate, TW_FIXED_ONE));
            set_money(L, "unrealised",
                      tw_money_ratio(tw_position_unrealised(p), rate, TW_FIXED_ONE));
            set_money(L, "fees", tw_money_ratio(p->fees, rate, TW_FIXED_ONE));
            ltw_set_count(L, "trades", p->trades);
            if (tw_ledger_open(b->journals[s]->trades, p->symbol, &entry_ns, &value)) {
                ltw_set_integer(L, "entry", entry_ns);
                set_number(L, "value", value * tw_fixed_to_double(rate));
            }
            lua_rawseti(L, -2, ++n);
        }
    lua_setfield(L, -2, "positions");
}

static void set_symbols(lua_State *L, const struct ltw_backtest *b)
{
    uint32_t n = tw_symbols_count(b->host.symbols);

    lua_createtable(L, (int)n, 0);
    for (uint32_t id = 1; id <= n; id++) {
        lua_pushstring(L, ltw_listed_symbol(b, id));
        lua_rawseti(L, -2, id);
    }
    lua_setfield(L, -2, "symbols");
}

static void set_account(lua_State *L, const struct ltw_backtest *b)
{
    ltw_set_text(L, "currency", tw_account_currency_name(ltw_backtest_account(b, 0), 0));
    set_money(L, "start", b->start);
    set_money(L, "final", ltw_backtest_sum(b, tw_account_equity));
}

void ltw_push_result(lua_State *L, struct ltw_backtest *b, bool detail, bool listed)
{
    int table = lua_gettop(L) + 1;
    struct ltw_listed *orders;
    const struct tw_outcome *outcomes;
    size_t n, n_outcomes;

    lua_createtable(L, 0, 32);
    orders = ltw_orderlist_push(L, b, &n);
    ltw_orderlist_end(L, &b->list, table, orders, n, listed);
    if (detail) {
        push_orders(L, orders, n);
        lua_setfield(L, table, "orders");
    }
    outcomes = push_outcomes(L, b, &n_outcomes);
    if (detail) {
        push_trades(L, b);
        lua_setfield(L, table, "trades");
    }
    lua_pushvalue(L, table);
    ltw_set_count(L, "records", b->records);
    ltw_set_count(L, "handled", b->handled);
    ltw_set_count(L, "sent", b->list.n);
    ltw_set_integer(L, "from", b->since_ns);
    ltw_set_integer(L, "to", b->last_ns);
    if (b->ruined) ltw_set_integer(L, "ruined", b->ruined_ns);
    set_number(L, "seconds", (double)b->took_ns / 1e9);
    ltw_set_count(L, "bytes", b->engine.state->bytes_peak);
    if (has_benchmark(b))
        ltw_set_text(L, "benchmark", ltw_listed_symbol(b, b->benchmark));
    set_symbols(L, b);
    set_account(L, b);
    set_figures(L, b, outcomes, n_outcomes);
    set_days(L, b);
    if (detail) {
        set_curve(L, b);
        set_positions(L, b);
        set_prices(L, b);
    }
    lua_settop(L, table);
}
