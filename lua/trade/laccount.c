/* laccount.c - module account: what a script holds and is worth: self.account.
 *
 * Fields, in the account's currency: cash; equity, with what all positions are worth;
 * realised and unrealised gains (PnL); fees; margin that is held, and free cash
 * beside it; traded, the value of all trades; deposits, what it began with.  What
 * instruments in other currencies add to these is worth their rates as they are now.
 *
 * One value for all scripts of a state: it is the account of the script that runs.
 */
#include <string.h>

#include "trade/account_options.h"
#include "base/fixed.h"
#include "trade/lterms.h"

#define ACCOUNT "tw.account"

static const char account_mark;

/* ---- views ---- */

static void set_money(lua_State *L, const char *name, tw_money m)
{
    ltw_set_number(L, name, tw_money_to_double(m));
}

static void set_fixed(lua_State *L, const char *name, int64_t v)
{
    ltw_set_number(L, name, tw_fixed_to_double(v));
}

/* [-0, +1, m] */
static void push_position(lua_State *L, const struct ltw_trader *t,
                          const struct tw_position *p, uint32_t symbol)
{
    static const struct tw_position none;

    if (!p) p = &none;
    lua_createtable(L, 0, 8);
    ltw_set_text(L, "symbol", tw_symbols_name(t->host->symbols, symbol));
    set_fixed(L, "quantity", p->quantity);
    set_fixed(L, "price", p->quantity ? tw_position_price(p) : 0);
    set_fixed(L, "mark", p->mark);
    set_money(L, "value", tw_terms_value(p->terms, p->mark, p->quantity));
    set_money(L, "realised", p->realised);
    set_money(L, "unrealised", tw_position_unrealised(p));
    set_money(L, "fees", p->fees);
    ltw_set_count(L, "trades", p->trades);
}

/* account:position(symbol) -> table
 * { symbol, quantity, price, mark, value, realised, unrealised, fees, trades }: quantity
 * is below 0 when it is short, price the average that it was traded at, mark what it is
 * valued at; zeros where nothing was ever traded.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises outside a script, and for a symbol that is not known.
 * Units: the instrument's currency. */
static int position(lua_State *L)
{
    struct ltw_trader *t = ltw_check_trader(L, "account:position");
    uint32_t symbol = ltw_check_symbol(L, 2, "account:position");

    push_position(L, t, tw_account_find(tw_broker_account(t->broker), symbol), symbol);
    return 1;
}

/* account:value(symbol, price) -> number | nil, message
 * What 1 of the instrument is worth at that price, or what such a change of its price
 * comes to: with its multiplier, at the rate of its currency.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: nil before that rate's first price; raises outside a script, for a symbol that
 * is not known, and where the account has no rate of its currency.
 * Units: prices; of the result: the account's currency. */
static int value(lua_State *L)
{
    struct ltw_trader *t = ltw_check_trader(L, "account:value");
    uint32_t symbol = ltw_check_symbol(L, 2, "account:value");
    int64_t price = ltw_check_fixed(L, 3, "account:value", "price"), rate;
    const struct tw_terms *terms;

    if (!ltw_trader_learn(t, symbol)) return luaL_error(L, "not enough memory");
    ltw_account_check(L, t, "account:value", symbol);
    terms = t->terms[symbol];
    rate = tw_account_rate(tw_broker_account(t->broker), terms->currency);
    if (rate > 0) {
        lua_pushnumber(L, tw_money_to_double(tw_money_ratio(
            tw_terms_value(terms, price, TW_FIXED_ONE), rate, TW_FIXED_ONE)));
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, tw_reason_text(TW_REASON_RATE));
    return 2;
}

/* self:positions() -> table
 * A list of what is held, as account:position gives it, in the order in which the
 * instruments were first traded.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises outside a script.  Units: the instruments' currencies. */
int ltw_positions(lua_State *L)
{
    struct ltw_trader *t = ltw_check_trader(L, "positions");
    const struct tw_position *p;
    lua_Integer n = 0;

    ltw_check_self(L, "positions");
    lua_newtable(L);
    for (size_t i = 0; (p = tw_account_at(tw_broker_account(t->broker), i)); i++) {
        if (p->quantity == 0) continue;
        push_position(L, t, p, p->symbol);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* account:cash_in(currency) -> number
 * Cash in that currency: 0 where there never was any.  account.cash is that in the
 * account's own.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises outside a script, and past 32 currencies.  Units: that currency. */
static int cash_in(lua_State *L)
{
    struct ltw_trader *t = ltw_check_trader(L, "account:cash_in");
    struct tw_account *a = tw_broker_account(t->broker);
    int id = tw_account_currency(a, luaL_checkstring(L, 2));

    if (id < 0)
        return luaL_error(L, "account:cash_in: '%s' is no currency",
                          lua_tostring(L, 2));
    lua_pushnumber(L, tw_money_to_double(tw_account_cash(a, (uint32_t)id)));
    return 1;
}

static tw_money cash(const struct tw_account *a)
{
    return tw_account_cash(a, 0);
}

static const struct { const char *name; tw_money (*get)(const struct tw_account *); }
figures[] = {
    { "cash", cash }, { "equity", tw_account_equity },
    { "realised", tw_account_realised }, { "unrealised", tw_account_unrealised },
    { "fees", tw_account_fees }, { "margin", tw_account_margin },
    { "free", tw_account_free_cash }, { "traded", tw_account_traded },
    { "deposits", tw_account_deposits },
};

static int account_index(lua_State *L)
{
    struct ltw_trader *t = ltw_check_trader(L, "account");
    const struct tw_account *a = tw_broker_account(t->broker);
    const char *name = luaL_checkstring(L, 2);

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (strcmp(name, figures[i].name) == 0) {
            lua_pushnumber(L, tw_money_to_double(figures[i].get(a)));
            return 1;
        }
    if (strcmp(name, "position") == 0) lua_pushcfunction(L, position);
    else if (strcmp(name, "value") == 0) lua_pushcfunction(L, value);
    else if (strcmp(name, "cash_in") == 0) lua_pushcfunction(L, cash_in);
    else if (strcmp(name, "currency") == 0)
        lua_pushstring(L, tw_account_currency_name(a, 0));
    else
        return luaL_error(L, "an account has no field '%s'; there are cash equity"
                          " realised unrealised fees margin free traded deposits"
                          " currency, :position(symbol), :value(symbol, price) and"
                          " :cash_in(currency)", name);
    return 1;
}

static int account_tostring(lua_State *L)
{
    struct ltw_trader *t = ltw_check_trader(L, "account");
    const struct tw_account *a = tw_broker_account(t->broker);

    lua_pushfstring(L, "account %s: cash %f, equity %f, fees %f",
                    tw_account_currency_name(a, 0), tw_money_to_double(cash(a)),
                    tw_money_to_double(tw_account_equity(a)),
                    tw_money_to_double(tw_account_fees(a)));
    return 1;
}

void ltw_push_account(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &account_mark);
}

void ltw_account_open(lua_State *L)
{
    lua_newuserdatauv(L, 0, 0);
    luaL_newmetatable(L, ACCOUNT);
    lua_pushcfunction(L, account_index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, account_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &account_mark);
}
