/* lresult.c - the result of a backtest as a Lua table.
 *
 * The order list, of which the hash is, has one line for each order, by time, script and
 * symbol; numbers of orders are not in it, as they depend on what else was of that time.
 */
#include "lresult.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fixed.h"
#include "base/sha256.h"
#include "larray.h"

#define DAY_NS INT64_C(86400000000000)

/* An order, and whose names it has. */
struct sorted { const struct ltw_backtest *b; const struct ltw_entry *e; };

static void set_number(lua_State *L, const char *name, double value)
{
    if (!isfinite(value)) return;      /* it can't be said */
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static void set_money(lua_State *L, const char *name, tw_money value)
{
    set_number(L, name, tw_money_to_double(value));
}

static void set_fixed(lua_State *L, const char *name, int64_t value)
{
    set_number(L, name, tw_fixed_to_double(value));
}

static void set_integer(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static const char *symbol_of(const struct ltw_backtest *b, uint32_t symbol)
{
    return tw_symbols_name(b->host.symbols, symbol);
}

/* ---- the order list ---- */

static int compare(const void *x, const void *y)
{
    const struct sorted *s = x, *t = y;
    const struct ltw_entry *p = s->e, *q = t->e;
    int order;

    if (p->time_ns != q->time_ns) return p->time_ns < q->time_ns ? -1 : 1;
    if (p->script != q->script) return p->script < q->script ? -1 : 1;
    order = p->symbol == q->symbol ? 0
          : strcmp(symbol_of(s->b, p->symbol), symbol_of(s->b, q->symbol));
    if (order != 0) return order;
    return p->id < q->id ? -1 : p->id > q->id;
}

/* [-0, +1, m]  All orders, in the order of the list. */
static struct sorted *push_sorted(lua_State *L, const struct ltw_backtest *b, size_t *n)
{
    struct sorted *all;

    *n = 0;
    for (unsigned i = 0; i < b->n; i++) *n += b->journals[i]->n;
    all = lua_newuserdatauv(L, (*n + 1) * sizeof *all, 0);
    *n = 0;
    for (unsigned i = 0; i < b->n; i++)
        for (size_t k = 0; k < b->journals[i]->n; k++)
            all[(*n)++] = (struct sorted){ b, &b->journals[i]->entry[k] };
    qsort(all, *n, sizeof *all, compare);
    return all;
}

/* One that was still on its way when the data ended counts as there: that depends on
 * whether anything else was of the same time. */
static const char *status_of(const struct ltw_entry *e)
{
    return tw_order_status_text(e->status == TW_STATUS_PENDING_NEW ? TW_STATUS_NEW
                                : (enum tw_order_status)e->status);
}

static void add_time(luaL_Buffer *out, int64_t ns)
{
    time_t s = (time_t)(ns / 1000000000);
    char text[64];
    struct tm tm;
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &tm));

    n += (size_t)snprintf(text + n, sizeof text - n, ".%09dZ", (int)(ns % 1000000000));
    luaL_addlstring(out, text, n);
}

static void add_fixed(luaL_Buffer *out, int64_t value)
{
    char text[TW_FIXED_TEXT];

    luaL_addchar(out, ',');
    luaL_addlstring(out, text, tw_fixed_format(value, text));
}

/* Empty where there is none. */
static void add_price(luaL_Buffer *out, int64_t value)
{
    if (value == 0) luaL_addchar(out, ',');
    else add_fixed(out, value);
}

static void add_text(luaL_Buffer *out, const char *text)
{
    luaL_addchar(out, ',');
    if (!strpbrk(text, ",\"\r\n")) {
        luaL_addstring(out, text);
        return;
    }
    luaL_addchar(out, '"');
    for (; *text; text++) {
        if (*text == '"') luaL_addchar(out, '"');
        luaL_addchar(out, *text);
    }
    luaL_addchar(out, '"');
}

static void add_order(luaL_Buffer *out, const struct sorted *s)
{
    const struct ltw_entry *e = s->e;
    char money[TW_MONEY_TEXT];

    add_time(out, e->time_ns);
    add_text(out, s->b->scripts[e->script - 1].name);
    add_text(out, symbol_of(s->b, e->symbol));
    add_text(out, e->side == TW_SIDE_BUY ? "buy" : "sell");
    add_text(out, tw_order_type_text((enum tw_order_type)e->type));
    add_text(out, tw_time_in_force_text((enum tw_time_in_force)e->tif));
    add_fixed(out, e->quantity);
    add_price(out, e->price);
    add_price(out, e->stop);
    add_text(out, status_of(e));
    add_text(out, e->reason ? tw_reason_text((enum tw_reason)e->reason) : "");
    add_fixed(out, e->filled);
    add_price(out, e->average);
    luaL_addchar(out, ',');
    luaL_addlstring(out, money, tw_money_format(e->fees, money));
    add_text(out, e->label ? e->label : "");
    luaL_addchar(out, '\n');
}

/* [-0, +1, m]  The text. */
static void push_list(lua_State *L, const struct sorted *all, size_t n)
{
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    luaL_addstring(&out, "time,script,symbol,side,type,tif,quantity,price,stop,status,"
                   "reason,filled,average,fees,label\n");
    for (size_t i = 0; i < n; i++) add_order(&out, &all[i]);
    luaL_pushresult(&out);
}

/* [-0, +0, m]  The hash of the text on top. */
static void set_hash(lua_State *L, int table)
{
    unsigned char digest[TW_SHA256];
    char hex[2 * TW_SHA256 + 1];
    size_t n;
    const char *text = lua_tolstring(L, -1, &n);

    tw_sha256(text, n, digest);
    for (int i = 0; i < TW_SHA256; i++) sprintf(hex + 2 * i, "%02x", digest[i]);
    lua_pushstring(L, hex);
    lua_setfield(L, table, "hash");
}

/* [-0, +1, m] */
static void push_orders(lua_State *L, const struct sorted *all, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        const struct ltw_entry *e = all[i].e;

        lua_createtable(L, 0, 16);
        set_integer(L, "id", (int64_t)e->id);
        set_integer(L, "time", e->time_ns);
        set_text(L, "script", all[i].b->scripts[e->script - 1].name);
        set_text(L, "symbol", symbol_of(all[i].b, e->symbol));
        set_text(L, "side", e->side == TW_SIDE_BUY ? "buy" : "sell");
        set_text(L, "type", tw_order_type_text((enum tw_order_type)e->type));
        set_text(L, "tif", tw_time_in_force_text((enum tw_time_in_force)e->tif));
        set_text(L, "status", status_of(e));
        set_text(L, "reason", e->reason ? tw_reason_text((enum tw_reason)e->reason) : "");
        set_text(L, "label", e->label ? e->label : "");
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

static void set_ratios(lua_State *L, const char *name, const struct tw_ratios *r)
{
    lua_createtable(L, 0, 5);
    set_number(L, "annual_return", r->annual_return);
    set_number(L, "volatility", r->volatility);
    set_number(L, "sharpe", r->sharpe);
    set_number(L, "sortino", r->sortino);
    set_number(L, "calmar", r->calmar);
    lua_setfield(L, -2, name);
}

/* How many days of trading a year has, by those that there are: a market that is open at
 * the weekend is always open. */
static double periods_of(const struct tw_point *days, size_t n)
{
    size_t weekend = 0;

    for (size_t i = 0; i < n; i++) {
        int64_t day = (days[i].time_ns - 1) / DAY_NS;

        weekend += (day + 3) % 7 >= 5;   /* 1970-01-01 was a Thursday */
    }
    return weekend * 10 > n ? 365 : 252;
}

static void set_curve_figures(lua_State *L, const struct tw_point *days, size_t n)
{
    struct tw_curve_figures f;

    tw_curve_figures(days, n, periods_of(days, n), 0, &f);
    set_number(L, "total_return", f.total_return);
    set_number(L, "cagr", f.cagr);
    set_number(L, "peak", f.peak);
    set_number(L, "max_drawdown", f.max_drawdown);
    set_number(L, "max_drawdown_days", (double)f.max_drawdown_ns / (double)DAY_NS);
    set_number(L, "average_drawdown", f.average_drawdown);
    set_number(L, "average_drawdown_days",
               (double)f.average_drawdown_ns / (double)DAY_NS);
    set_ratios(L, "arithmetic", &f.arithmetic);
    set_ratios(L, "geometric", &f.geometric);
}

static void set_trip_figures(lua_State *L, const struct tw_trip *trips, size_t n)
{
    struct tw_trip_figures f;

    tw_trip_figures(trips, n, &f);
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
    set_number(L, "average_days", (double)f.average_ns / (double)DAY_NS);
    set_number(L, "max_days", (double)f.max_ns / (double)DAY_NS);
}

/* [-0, +1, m]  The trades of all scripts, each's in their order. */
static struct tw_trip *push_trips(lua_State *L, const struct ltw_backtest *b, size_t *n)
{
    struct tw_trip *all;
    size_t some;

    *n = 0;
    for (unsigned i = 0; i < b->n; i++) {
        tw_ledger_trips(b->journals[i]->trips, &some);
        *n += some;
    }
    all = lua_newuserdatauv(L, (*n + 1) * sizeof *all, 0);
    *n = 0;
    for (unsigned i = 0; i < b->n; i++) {
        const struct tw_trip *trips = tw_ledger_trips(b->journals[i]->trips, &some);

        if (some > 0) memcpy(all + *n, trips, some * sizeof *all);
        *n += some;
    }
    return all;
}

static void push_trades(lua_State *L, const struct ltw_backtest *b,
                        const struct tw_trip *trips, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        const struct tw_trip *t = &trips[i];

        lua_createtable(L, 0, 9);
        set_text(L, "symbol", symbol_of(b, t->symbol));
        set_integer(L, "entry", t->entry_ns);
        set_integer(L, "exit", t->exit_ns);
        set_fixed(L, "quantity", t->quantity);
        set_fixed(L, "entry_price", t->entry_px);
        set_fixed(L, "exit_price", t->exit_px);
        set_number(L, "pnl", t->pnl);
        set_number(L, "fees", t->fees);
        set_number(L, "ratio", t->ratio);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void set_figures(lua_State *L, const struct ltw_backtest *b,
                        const struct tw_trip *trips, size_t n_trips)
{
    tw_money traded = 0, fees = 0;
    double mean = 0;
    size_t n;
    const struct tw_point *days = tw_ledger_days(b->curve, &n);

    for (unsigned i = 0; i < b->n; i++) {
        traded += tw_account_traded(ltw_backtest_account(b, i));
        fees += tw_account_fees(ltw_backtest_account(b, i));
    }
    for (size_t i = 0; i < n; i++) mean += days[i].equity / (double)n;
    lua_createtable(L, 0, 32);
    if (n > 0) set_curve_figures(L, days, n);
    set_trip_figures(L, trips, n_trips);
    if (b->handled > 0)
        set_number(L, "exposure", (double)b->exposed / (double)b->handled);
    if (mean > 0) set_number(L, "turnover", tw_money_to_double(traded) / mean);
    set_money(L, "fees", fees);
    lua_setfield(L, -2, "figures");
}

/* ---- curves and positions ---- */

static void set_days(lua_State *L, const struct ltw_backtest *b)
{
    size_t n;
    const struct tw_point *days = tw_ledger_days(b->curve, &n);

    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_createtable(L, 0, 2);
        set_integer(L, "time", days[i].time_ns);
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
        lua_setfield(L, -2, symbol_of(b, (uint32_t)s));
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

static void set_positions(lua_State *L, const struct ltw_backtest *b)
{
    const struct tw_position *p;
    lua_Integer n = 0;

    lua_newtable(L);
    for (unsigned s = 0; s < b->n; s++)
        for (size_t i = 0; (p = tw_account_at(ltw_backtest_account(b, s), i)); i++) {
            lua_createtable(L, 0, 9);
            set_text(L, "script", b->scripts[s].name);
            set_text(L, "symbol", symbol_of(b, p->symbol));
            set_fixed(L, "quantity", p->quantity);
            set_fixed(L, "price", tw_position_price(p));
            set_fixed(L, "mark", p->mark);
            set_money(L, "realised", p->realised);
            set_money(L, "unrealised", tw_position_unrealised(p));
            set_money(L, "fees", p->fees);
            ltw_set_count(L, "trades", p->trades);
            lua_rawseti(L, -2, ++n);
        }
    lua_setfield(L, -2, "positions");
}

static void set_symbols(lua_State *L, const struct ltw_backtest *b)
{
    uint32_t n = tw_symbols_count(b->host.symbols);

    lua_createtable(L, (int)n, 0);
    for (uint32_t id = 1; id <= n; id++) {
        lua_pushstring(L, symbol_of(b, id));
        lua_rawseti(L, -2, id);
    }
    lua_setfield(L, -2, "symbols");
}

static void set_account(lua_State *L, const struct ltw_backtest *b)
{
    tw_money start = 0;

    for (unsigned i = 0; i < b->n; i++)
        start += tw_account_deposits(ltw_backtest_account(b, i));
    set_text(L, "currency", tw_account_currency_name(ltw_backtest_account(b, 0), 0));
    set_money(L, "start", start);
    set_money(L, "final", ltw_backtest_equity(b));
}

void ltw_push_result(lua_State *L, struct ltw_backtest *b, bool detail, bool listed)
{
    int table = lua_gettop(L) + 1;
    struct sorted *orders;
    struct tw_trip *trips;
    size_t n, n_trips;

    lua_createtable(L, 0, 32);
    orders = push_sorted(L, b, &n);
    push_list(L, orders, n);
    set_hash(L, table);
    if (listed) lua_setfield(L, table, "list");
    else lua_pop(L, 1);
    if (detail) {
        push_orders(L, orders, n);
        lua_setfield(L, table, "orders");
    }
    trips = push_trips(L, b, &n_trips);
    if (detail) {
        push_trades(L, b, trips, n_trips);
        lua_setfield(L, table, "trades");
    }
    lua_pushvalue(L, table);
    ltw_set_count(L, "records", b->records);
    ltw_set_count(L, "handled", b->handled);
    ltw_set_count(L, "sent", n);
    set_integer(L, "from", b->first_ns);
    set_integer(L, "to", b->last_ns);
    set_number(L, "seconds", (double)b->took_ns / 1e9);
    ltw_set_count(L, "bytes", b->engine.state->bytes_peak);
    set_symbols(L, b);
    set_account(L, b);
    set_figures(L, b, trips, n_trips);
    set_days(L, b);
    if (detail) {
        set_curve(L, b);
        set_positions(L, b);
        set_prices(L, b);
    }
    lua_settop(L, table);
}
