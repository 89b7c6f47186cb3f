/* account_options.c - an account's options, from an app and a script, to its broker.
 *
 * stdlib/trade.lua has checked names, types and ranges, and made percents into ratios.
 */
#include "trade/account_options.h"

#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "trade/desk.h"

#define CASH 100000.0
#define SECOND_NS 1e9

/* [-0, +0, m]  A number of the table at the top, or `otherwise`. */
static double number(lua_State *L, const char *name, double otherwise)
{
    double d = otherwise;

    if (lua_istable(L, -1)) {
        if (lua_getfield(L, -1, name) == LUA_TNUMBER) d = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return d;
}

/* [-0, +0, e] */
static int64_t fixed(lua_State *L, const char *name)
{
    int64_t v = 0;

    if (tw_fixed_from_double(number(L, name, 0), &v) < 0)
        luaL_error(L, "account: %s is out of range", name);
    return v;
}

/* [-0, +0, e] */
static tw_money money(lua_State *L, const char *name, double otherwise)
{
    tw_money m = 0;

    if (tw_money_from_double(number(L, name, otherwise), &m) < 0)
        luaL_error(L, "account: %s is out of range", name);
    return m;
}

static bool boolean(lua_State *L, const char *name)
{
    bool b = false;

    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, name);
        b = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    return b;
}

/* [-0, +1, m]  The table of that name in the one at idx, or nil. */
static void push(lua_State *L, int idx, const char *name)
{
    if (lua_istable(L, idx)) lua_getfield(L, idx, name);
    else lua_pushnil(L);
}

/* [-0, +0, e] */
static void read_fees(lua_State *L, int idx, struct tw_fees *f)
{
    push(L, idx, "fees");
    *f = (struct tw_fees){
        .per_order = money(L, "per_order", 0), .per_share = fixed(L, "per_share"),
        .percent = fixed(L, "percent"), .maker = fixed(L, "maker"),
        .taker = fixed(L, "taker"), .minimum = money(L, "minimum", 0),
        .maximum = fixed(L, "maximum"),
    };
    push(L, lua_gettop(L), "tiers");
    for (int i = 1; lua_istable(L, -1) && i <= TW_FEE_TIERS; i++, lua_pop(L, 1)) {
        if (lua_rawgeti(L, -1, i) == LUA_TTABLE)
            f->tier[f->tiers++] = (struct tw_fee_tier){
                money(L, "from", 0), fixed(L, "percent"), fixed(L, "maker"),
                fixed(L, "taker") };
    }
    lua_pop(L, 2);
}

static void read_limits(lua_State *L, int idx, struct tw_limits *l)
{
    push(L, idx, "limits");
    *l = (struct tw_limits){
        .order_quantity = fixed(L, "order_quantity"),
        .order_value = money(L, "order_value", 0), .position = fixed(L, "position"),
        .open_orders = (unsigned)number(L, "open_orders", 0),
        .orders = (unsigned)number(L, "orders", 0),
        .per_ns = (int64_t)(number(L, "per", 1) * SECOND_NS),
        .collar = fixed(L, "collar"), .daily_loss = money(L, "daily_loss", 0),
        .self_match = boolean(L, "self_match"),
        .buying_power = boolean(L, "buying_power"),
    };
    lua_pop(L, 1);
}

/* [-0, +0, m]  Of the table on top; its list goes to `list`, which has room. */
static struct tw_latency read_latency(lua_State *L, const char *name, int64_t *list)
{
    struct tw_latency made = { 0 };

    push(L, lua_gettop(L), name);
    made.kind = (enum tw_latency_kind)number(L, "kind", 0);
    made.min_ns = (int64_t)(number(L, "min", 0) * SECOND_NS);
    made.max_ns = (int64_t)(number(L, "max", 0) * SECOND_NS);
    push(L, lua_gettop(L), "list");
    made.list = list;
    made.n = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
    for (size_t i = 0; i < made.n; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        list[i] = (int64_t)(lua_tonumber(L, -1) * SECOND_NS);
    }
    lua_pop(L, 2);
    return made;
}

/* [-0, +0, m]  How many measured latencies the table on top has of that name. */
static size_t measured(lua_State *L, const char *name)
{
    size_t n = 0;

    push(L, lua_gettop(L), name);
    push(L, lua_gettop(L), "list");
    if (lua_istable(L, -1)) n = lua_rawlen(L, -1);
    lua_pop(L, 2);
    return n;
}

static void read_simulator(lua_State *L, int idx, struct ltw_trader *t,
                           struct tw_simulator_options *o)
{
    size_t n;

    push(L, idx, "latency");
    n = measured(L, "submit");
    t->latencies = tw_calloc(n + measured(L, "cancel") + 1, sizeof *t->latencies);
    if (!t->latencies) luaL_error(L, "not enough memory");
    o->submit = read_latency(L, "submit", t->latencies);
    o->cancel = read_latency(L, "cancel", t->latencies + n);
    lua_pop(L, 1);
    push(L, idx, "slippage");
    o->slippage = (struct tw_slippage){ .ticks = (int64_t)number(L, "ticks", 0),
                                        .bps = fixed(L, "bps"),
                                        .impact = fixed(L, "impact") };
    lua_pop(L, 1);
    lua_pushvalue(L, idx);
    o->model = (enum tw_fill_model)number(L, "fill", TW_FILL_AUTO);
    o->share = fixed(L, "volume_share");
    o->seed = (uint64_t)number(L, "seed", 0);
    lua_pop(L, 1);
}

void ltw_account_options(lua_State *L, int idx, struct ltw_trader *t,
                         struct tw_broker_options *o)
{
    luaL_checkstack(L, 10, "account");
    read_fees(L, idx, &t->fees);
    read_limits(L, idx, &o->limits);
    read_simulator(L, idx, t, &o->simulator);
    push(L, idx, "currency");
    o->currency = lua_tostring(L, -1);        /* the table's */
    lua_pop(L, 1);
}

/* [-0, +0, e]  A rate of exchange: {currency, rate} on top. */
static void add_rate(lua_State *L, struct ltw_trader *t)
{
    struct tw_account *a = tw_broker_account(t->broker);
    const char *symbol;
    bool inverse;
    int64_t id;
    int currency;

    lua_getfield(L, -1, "currency");
    currency = tw_account_currency(a, lua_tostring(L, -1));
    if (currency < 0) luaL_error(L, "account: rates: more than %d", TW_CURRENCIES);
    lua_pop(L, 1);
    if (currency == 0) luaL_error(L, "account: rates: that of its own currency is 1");
    if (lua_getfield(L, -1, "rate") == LUA_TNUMBER) {
        lua_pop(L, 1);
        tw_account_set_rate(a, (uint32_t)currency, fixed(L, "rate"));
        return;
    }
    symbol = lua_tostring(L, -1);
    inverse = strncmp(symbol, "1/", 2) == 0;
    if (inverse) symbol += 2;
    id = tw_symbols_intern(t->host->symbols, symbol, strlen(symbol));
    if (id <= 0) luaL_error(L, "account: rates: symbol '%s': %s", symbol,
                            tw_strerror((int)id));
    t->rate[t->n_rates++] = (struct ltw_rate){ (uint32_t)id, (uint32_t)currency,
                                               inverse };
    lua_pop(L, 1);
}

/* Is there a rate of it, or a symbol whose price it will be? */
static bool has_rate(const struct ltw_trader *t, const char *currency)
{
    struct tw_account *a = tw_broker_account(t->broker);
    int id = tw_account_currency(a, currency);

    if (id >= 0 && tw_account_rate(a, (uint32_t)id) > 0) return true;
    for (unsigned i = 0; i < t->n_rates; i++)
        if ((int)t->rate[i].currency == id) return true;
    return false;
}

void ltw_account_charged(struct ltw_trader *t, const char *currency)
{
    struct tw_account *a = tw_broker_account(t->broker);
    int id = tw_account_currency(a, currency);
    uint64_t bit = UINT64_C(1) << (id >= 0 ? id : TW_CURRENCIES);

    if (t->unrated & bit || (id >= 0 && has_rate(t, currency))) return;
    t->unrated |= bit;
    if (id < 0) {
        tw_log_printf(t->host->log, TW_LOG_WARN, "account", "%s: what the venue charges"
                      " in %s, and in others, is booked nowhere: an account has %d"
                      " currencies at most", t->heir.account.name, currency,
                      TW_CURRENCIES);
        return;
    }
    tw_log_printf(t->host->log, TW_LOG_WARN, "account", "%s: the venue charges in %s, for"
                  " which the account has no rate: that is in account:cash_in(\"%s\")"
                  " alone, and in no fees or equity: rates = { %s = 1.1 }",
                  t->heir.account.name, currency, currency, currency);
}

void ltw_account_check_rate(lua_State *L, const struct ltw_trader *t, const char *what,
                            const char *subject, const char *of, const char *or_else)
{
    const char *own = tw_account_currency_name(tw_broker_account(t->broker), 0);

    if (!*of || has_rate(t, of)) return;
    luaL_error(L, "%s: %s is in %s, and the account, which is in %s, has no rate for"
               " that: rates = { %s = 1.1 }, or of the symbol whose price it is,"
               " rates = { %s = \"%s%s\" }%s", what, subject, of, own, of, of, of, own,
               or_else);
}

/* [-0, +0, e]  Likewise the amounts of app.risk. */
static void check_risk(lua_State *L, const struct ltw_trader *t)
{
    const struct tw_desk *d = &t->host->desk->desk;
    const char *own = tw_account_currency_name(tw_broker_account(t->broker), 0);

    if (t->muted || !tw_desk_has_amounts(d)) return;
    lua_pushfstring(L, ", or app.risk { currency = \"%s\" }", own);
    ltw_account_check_rate(L, t, "account", "app.risk", d->currency,
                           lua_tostring(L, -1));
    lua_pop(L, 1);
}

void ltw_account_begin(lua_State *L, int idx, struct ltw_trader *t)
{
    int top = lua_gettop(L);

    lua_pushvalue(L, idx);
    tw_account_deposit(tw_broker_account(t->broker), 0, money(L, "cash", CASH));
    push(L, idx, "rates");
    for (int i = 1; lua_istable(L, top + 2); i++) {
        if (lua_rawgeti(L, top + 2, i) != LUA_TTABLE) break;
        add_rate(L, t);
        lua_settop(L, top + 2);
    }
    lua_settop(L, top);
    check_risk(L, t);
}

void ltw_account_check(lua_State *L, const struct ltw_trader *t, const char *what,
                       uint32_t symbol)
{
    const struct ltw_desk *d = t->host->desk;
    const struct ltw_instrument_terms *said = d->terms;
    size_t n = d->n;

    if (symbol) {
        said = ltw_desk_terms(d, symbol);
        n = said ? 1 : 0;
    }
    for (; n > 0; n--, said++)
        ltw_account_check_rate(L, t, what,
                               tw_symbols_name(t->host->symbols, said->symbol),
                               said->currency, "");
}

/* ---- for stdlib/trade.lua ---- */

/* fills(): a list of { name, records, market, limit, stop, auction }, in words */
static int fills(lua_State *L)
{
    lua_createtable(L, TW_FILL_MODELS, 0);
    for (int i = 0; i < TW_FILL_MODELS; i++) {
        const struct tw_fill_text *text = &tw_fill_models[i];
        const char *const fields[][2] = {
            { "name", text->name }, { "records", text->records },
            { "market", text->market }, { "limit", text->limit }, { "stop", text->stop },
            { "auction", text->auction },
        };

        lua_createtable(L, 0, 6);
        for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
            lua_pushstring(L, fields[f][1]);
            lua_setfield(L, -2, fields[f][0]);
        }
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static const luaL_Reg internal[] = {
    { "fills", fills },
    { NULL, NULL }
};

int luaopen_tw_internal_trade(lua_State *L)
{
    luaL_newlib(L, internal);
    return 1;
}
