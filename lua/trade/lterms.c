/* lterms.c - from what a script writes, { symbol = ..., quantity = ... }, to an order. */
#include "trade/lterms.h"

#include <stddef.h>
#include <string.h>

#include "base/fixed.h"
#include "tape/lrecord.h"

/* A percentage, given by mistake, is above it. */
static const int64_t MOST_WEIGHT = 10 * TW_FIXED_ONE;

enum kind { PRICE, WEIGHT, PERCENT, FLAG, TIME, OTHER };

/* What may be said of an order, and where it goes. */
static const struct { const char *name; enum kind kind; size_t at; } terms[] = {
    { "symbol", OTHER, 0 }, { "side", OTHER, 0 }, { "type", OTHER, 0 },
    { "tif", OTHER, 0 }, { "label", OTHER, 0 },
    { "quantity", PRICE, offsetof(struct ltw_order_terms, quantity) },
    { "weight", WEIGHT, offsetof(struct ltw_order_terms, weight) },
    { "price", PRICE, offsetof(struct ltw_order_terms, price) },
    { "stop", PRICE, offsetof(struct ltw_order_terms, stop) },
    { "trail", PRICE, offsetof(struct ltw_order_terms, trail) },
    { "trail_percent", PERCENT, offsetof(struct ltw_order_terms, trail_part) },
    { "take_profit", PRICE, offsetof(struct ltw_order_terms, take_profit) },
    { "stop_loss", PRICE, offsetof(struct ltw_order_terms, stop_loss) },
    { "expire", TIME, offsetof(struct ltw_order_terms, expire_ns) },
    { "post_only", FLAG, offsetof(struct ltw_order_terms, post_only) },
    { "reduce_only", FLAG, offsetof(struct ltw_order_terms, reduce_only) },
};
enum { N_TERMS = sizeof terms / sizeof terms[0] };

/* [-0, +1, e]  A text by its quotes. */
static const char *shown(lua_State *L, int idx)
{
    if (lua_isnone(L, idx)) return "nothing";
    if (lua_type(L, idx) == LUA_TSTRING)
        return lua_pushfstring(L, "'%s'", lua_tostring(L, idx));
    if (lua_istable(L, idx)) return "a table";
    return luaL_tolstring(L, idx, NULL);
}

/* The known symbol that is most like the name, or NULL. */
static const char *near_symbol(const struct tw_symbols *symbols, const char *name,
                               size_t n)
{
    const char *near = NULL;
    int best = n < 3 ? (int)n : 3;

    for (uint32_t id = tw_symbols_count(symbols); id > 0; id--) {
        const char *other = tw_symbols_name(symbols, id);
        int d = tw_name_distance(name, n, other);

        if (d >= best) continue;
        best = d;
        near = other;
    }
    return near;
}

uint32_t ltw_check_symbol(lua_State *L, int idx, const char *what)
{
    struct ltw_host *host = ltw_check_host(L, what);
    size_t n;
    const char *name;
    uint32_t id;

    if (lua_type(L, idx) != LUA_TSTRING)
        luaL_error(L, "%s: symbol: a text expected, got %s", what, shown(L, idx));
    name = lua_tolstring(L, idx, &n);
    id = tw_symbols_find(host->symbols, name, n);
    if (id == 0) {
        const char *near = near_symbol(host->symbols, name, n);

        luaL_error(L, "%s: symbol '%s' is not known: no feed has had it, nor"
                   " app.instruments%s%s%s", what, name, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
    }
    return id;
}

/* A table that no name or order follows may be what self:what{...} is given. */
void ltw_check_self(lua_State *L, const char *what)
{
    if (lua_istable(L, 1) && !lua_isnoneornil(L, 2) && !lua_istable(L, 2)) return;
    if (lua_istable(L, 1) && lua_getfield(L, 1, what) != LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    luaL_error(L, "%s: to be called with a colon, as self:%s(...)", what, what);
}

int64_t ltw_check_fixed(lua_State *L, int idx, const char *what, const char *name)
{
    int64_t v = 0;

    if (lua_type(L, idx) != LUA_TNUMBER)
        luaL_error(L, "%s: %s: a number expected, got %s%s", what, name,
                   lua_type(L, idx) == LUA_TSTRING ? "the text " : "", shown(L, idx));
    if (tw_fixed_from_double(lua_tonumber(L, idx), &v) < 0)
        luaL_error(L, "%s: %s: a number below 9.2e9 expected, got %s", what, name,
                   shown(L, idx));
    return v;
}

int64_t ltw_check_weight(lua_State *L, int idx, const char *what)
{
    int64_t v = ltw_check_fixed(L, idx, what, "weight");

    if (v > MOST_WEIGHT || v < -MOST_WEIGHT)
        luaL_error(L, "%s: weight: %s is %s times the equity; 0.5 is half of it, 10 the"
                   " most", what, shown(L, idx), shown(L, idx));
    return v;
}

/* [-0, +0, e] */
static const char *check_text(lua_State *L, const char *what, const char *name)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s: %s: a text expected, got %s", what, name,
                   luaL_tolstring(L, -1, NULL));
    return lua_tostring(L, -1);
}

/* [-0, +0, e]  The value on top is that of a term that is no number. */
static void read_other(lua_State *L, const char *what, const char *name,
                       struct ltw_order_terms *t)
{
    const char *text = check_text(L, what, name);
    int found;

    if (strcmp(name, "symbol") == 0) {
        t->symbol = ltw_check_symbol(L, lua_gettop(L), what);
    } else if (strcmp(name, "side") == 0) {
        if (strcmp(text, "buy") != 0 && strcmp(text, "sell") != 0)
            luaL_error(L, "%s: side: 'buy' or 'sell' expected, got '%s'", what, text);
        t->side = *text == 'b' ? TW_SIDE_BUY : TW_SIDE_SELL;
    } else if (strcmp(name, "type") == 0) {
        found = tw_order_type_find(text);
        if (found < 0)
            luaL_error(L, "%s: type: '%s' is none of market, limit, stop, stop_limit,"
                       " trailing_stop", what, text);
        t->type = (uint8_t)found;
    } else if (strcmp(name, "tif") == 0) {
        found = tw_time_in_force_find(text);
        if (found < 0)
            luaL_error(L, "%s: tif: '%s' is none of day, gtc, gtd, ioc, fok, opg, cls",
                       what, text);
        t->tif = (uint8_t)found;
    }
}

/* [-0, +0, e]  The value on top is that of term i. */
static void read_term(lua_State *L, const char *what, int i, struct ltw_order_terms *t)
{
    void *at = (char *)t + terms[i].at;
    const char *name = terms[i].name;
    int64_t v;

    switch (terms[i].kind) {
    case PRICE:
    case WEIGHT:
    case PERCENT:
        v = terms[i].kind == WEIGHT ? ltw_check_weight(L, lua_gettop(L), what)
                                    : ltw_check_fixed(L, lua_gettop(L), what, name);
        if (terms[i].kind == PERCENT) v /= 100;
        if (v <= 0)
            luaL_error(L, "%s: %s: a number above 0 expected, got %s", what, name,
                       luaL_tolstring(L, -1, NULL));
        *(int64_t *)at = v;
        break;
    case TIME:
        if (!lua_isinteger(L, -1))
            luaL_error(L, "%s: %s: a time expected, an integer in ns, got %s", what,
                       name, luaL_tolstring(L, -1, NULL));
        *(int64_t *)at = lua_tointeger(L, -1);
        break;
    case FLAG:
        if (!lua_isboolean(L, -1))
            luaL_error(L, "%s: %s: true or false expected, got %s", what, name,
                       luaL_tolstring(L, -1, NULL));
        *(bool *)at = lua_toboolean(L, -1);
        break;
    default:
        read_other(L, what, name, t);
        break;
    }
}

/* [-0, +0, e] */
static void refuse(lua_State *L, const char *what, const char *name)
{
    const char *near = NULL;
    int best = 4;

    for (int i = 0; i < N_TERMS; i++) {
        int d = tw_name_distance(name, strlen(name), terms[i].name);

        if (d >= best || d >= (int)strlen(name)) continue;
        best = d;
        near = terms[i].name;
    }
    if (strcmp(name, "size") == 0 || strcmp(name, "qty") == 0) near = "quantity";
    if (strcmp(name, "percent") == 0) near = "weight";
    if (near)
        luaL_error(L, "%s: no option '%s'; did you mean '%s'?", what, name, near);
    luaL_error(L, "%s: no option '%s'; there are symbol quantity weight price stop trail"
               " trail_percent type tif expire post_only reduce_only label take_profit"
               " stop_loss",
               what, name);
}

void ltw_check_order_terms(lua_State *L, int idx, const char *what,
                           struct ltw_order_terms *t)
{
    luaL_checkstack(L, 6, what);
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        int i = 0;

        if (!name) {
            luaL_tolstring(L, -2, NULL);
            refuse(L, what, lua_tostring(L, -1));
        }
        while (i < N_TERMS && strcmp(terms[i].name, name) != 0) i++;
        if (i == N_TERMS) refuse(L, what, name);
        read_term(L, what, i, t);
    }
}

/* What follows from what was said. */
static uint8_t type_of(const struct ltw_order_terms *t)
{
    if (t->type) return t->type;
    if (t->trail || t->trail_part) return TW_TYPE_TRAILING_STOP;
    if (t->stop) return t->price ? TW_TYPE_STOP_LIMIT : TW_TYPE_STOP;
    return t->price ? TW_TYPE_LIMIT : TW_TYPE_MARKET;
}

void ltw_fill_order(lua_State *L, const char *what, const struct ltw_order_terms *t,
                    struct tw_order *o)
{
    if (!t->symbol) luaL_error(L, "%s: no symbol", what);
    if (!t->side) luaL_error(L, "%s: no side", what);
    if (!t->quantity && !t->weight) luaL_error(L, "%s: no quantity", what);
    if (t->quantity && t->weight)
        luaL_error(L, "%s: either a quantity or a weight", what);
    o->symbol = t->symbol;
    o->side = t->side;
    o->type = type_of(t);
    o->tif = t->tif ? t->tif : t->expire_ns ? TW_TIF_GTD : TW_TIF_GTC;
    o->quantity = t->quantity;
    o->part = t->weight;
    o->price = t->price;
    o->stop = t->stop;
    o->trail = t->trail;
    o->trail_part = t->trail_part;
    o->expire_ns = t->expire_ns;
    o->post_only = t->post_only;
    o->reduce_only = t->reduce_only;
}
