/* lorder.c - module order: an order as Lua sees it, its fields, cancel and modify.
 *
 * A handle is the order's memory itself: reading a field is reading the order.  What a
 * handler of orders is given is as it was when that happened.
 *
 * Fields: id, symbol, side, type, tif, quantity, price, stop, trail, trail_percent,
 * label, parent (of an exit of a bracket); status, reason, filled, leaves, average
 * (price), fees, time (ns); text and code, what a gateway's venue said (see gateways).
 * status is as FIX names it: "pending_new", "new", "partially_filled", "filled",
 * "canceled", "rejected", "expired", ...
 */
#include <string.h>

#include "base/fixed.h"
#include "tape/lrecord.h"
#include "run/script.h"
#include "trade/trader.h"

#define ORDER "tw.order"

enum {
    H = 1, O = 2, F = 4, P = 8,       /* a handle; on_order, on_fill, on_position */
    ALL = H | O | F | P, TOLD = O | F | P, MOST = H | O | F
};

enum field {
    F_ORDER, F_ID, F_SYMBOL, F_SIDE, F_TYPE, F_TIF, F_STATUS, F_REASON, F_PRICE,
    F_QUANTITY, F_STOP, F_TRAIL, F_TRAIL_PERCENT, F_FILLED, F_LEAVES, F_AVERAGE, F_FEES,
    F_FEE, F_LIQUIDITY, F_POSITION, F_TIME, F_LABEL, F_PARENT, F_TEXT, F_CODE, F_NIL
};

static const struct { const char *name; unsigned who; enum field field; } fields[] = {
    { "order", TOLD, F_ORDER }, { "id", ALL, F_ID }, { "symbol", ALL, F_SYMBOL },
    { "side", MOST, F_SIDE }, { "type", H | O, F_TYPE }, { "tif", H | O, F_TIF },
    { "status", MOST, F_STATUS }, { "reason", H | O, F_REASON },
    { "price", ALL, F_PRICE }, { "quantity", MOST, F_QUANTITY },
    { "stop", H | O, F_STOP }, { "trail", H | O, F_TRAIL },
    { "trail_percent", H | O, F_TRAIL_PERCENT },
    { "filled", MOST, F_FILLED }, { "leaves", MOST, F_LEAVES },
    { "average", MOST, F_AVERAGE }, { "fees", H, F_FEES }, { "fee", F, F_FEE },
    { "liquidity", F, F_LIQUIDITY }, { "position", TOLD, F_POSITION },
    { "time", ALL, F_TIME }, { "label", ALL, F_LABEL }, { "parent", H | O, F_PARENT },
    { "text", H | O, F_TEXT }, { "code", H | O, F_CODE },
    { "_", TOLD, F_NIL },
};
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static unsigned who_of(int handler)
{
    return handler == LTW_ON_ORDER ? O : handler == LTW_ON_FILL ? F : P;
}

const char *ltw_push_told_fields(lua_State *L, int handler)
{
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    for (int i = 0; i < N_FIELDS; i++) {
        if (!(fields[i].who & who_of(handler))) continue;
        if (i > 0) luaL_addchar(&out, ' ');
        luaL_addstring(&out, fields[i].name);
    }
    luaL_pushresult(&out);
    return lua_tostring(L, -1);
}

int ltw_told_field(int handler, const char *name, const char **near)
{
    unsigned who = who_of(handler);
    int best = 3;

    *near = NULL;
    for (int i = 0; i < N_FIELDS; i++) {
        int d = tw_name_distance(name, strlen(name), fields[i].name);

        if (!(fields[i].who & who)) continue;
        if (d == 0) return fields[i].field;
        if (d < best && d < (int)strlen(name)) {
            best = d;
            *near = fields[i].name;
        }
    }
    return -1;
}

/* ---- fields ---- */

static void push_fixed(lua_State *L, int64_t v)
{
    lua_pushnumber(L, tw_fixed_to_double(v));
}

/* A price that is not there is nil. */
static void push_price(lua_State *L, int64_t v)
{
    if (v) push_fixed(L, v);
    else lua_pushnil(L);
}

static void push_text(lua_State *L, const char *text)
{
    if (text && *text) lua_pushstring(L, text);
    else lua_pushnil(L);
}

static void push_symbol(lua_State *L, int names, uint32_t symbol)
{
    struct tw_record r = { .symbol = symbol };

    ltw_push_field(L, ltw_state(L)->host, names, &r, TW_FIELD_SYMBOL);
}

/* [-0, +1, m] */
static void push_reason(lua_State *L, const struct ltw_order *own, uint8_t reason)
{
    char text[TW_REASON_TEXT];

    push_text(L, tw_order_reason(&own->o, (enum tw_reason)reason, own->off, text));
}

/* [-0, +1, m]  The label is a user value of the order at idx, and so are the venue's
 * words and their code. */
static void push_field(lua_State *L, int idx, const struct ltw_order *own, int names,
                       enum field field)
{
    const struct tw_order *o = &own->o;

    switch (field) {
    case F_ORDER:    lua_pushvalue(L, idx); break;
    case F_ID:       lua_pushinteger(L, (lua_Integer)o->id); break;
    case F_SYMBOL:   push_symbol(L, names, o->symbol); break;
    case F_SIDE:     push_text(L, o->side == TW_SIDE_BUY ? "buy" : "sell"); break;
    case F_TYPE:
        push_text(L, tw_order_type_text((enum tw_order_type)o->type));
        break;
    case F_TIF:
        push_text(L, tw_time_in_force_text((enum tw_time_in_force)o->tif));
        break;
    case F_STATUS:   push_text(L, tw_order_status_text(tw_order_status(o))); break;
    case F_REASON:   push_reason(L, own, own->reason); break;
    case F_PRICE:    push_price(L, o->price); break;
    case F_QUANTITY: push_fixed(L, o->quantity); break;
    case F_STOP:     push_price(L, o->stop); break;
    case F_TRAIL:    push_price(L, o->trail); break;
    case F_TRAIL_PERCENT: push_price(L, 100 * o->trail_part); break;
    case F_FILLED:   push_fixed(L, o->cum_qty); break;
    case F_LEAVES:   push_fixed(L, tw_order_leaves(o)); break;
    case F_AVERAGE:  push_price(L, tw_order_avg_px(o)); break;
    case F_FEES:     lua_pushnumber(L, tw_money_to_double(tw_order_fees(o))); break;
    case F_TIME:     lua_pushinteger(L, o->time_ns); break;
    case F_LABEL:    lua_getiuservalue(L, idx, 1); break;
    case F_TEXT: case F_CODE:
        if (own->words) lua_getiuservalue(L, idx, field == F_TEXT ? 2 : 3);
        else lua_pushnil(L);
        break;
    case F_PARENT:
        if (o->parent) lua_pushinteger(L, (lua_Integer)o->parent);
        else lua_pushnil(L);
        break;
    default:         lua_pushnil(L); break;
    }
}

/* The price at which the position that is told of was traded. */
static int64_t position_price(const struct ltw_trader *t)
{
    const struct tw_position *p = tw_account_find(tw_broker_account(t->broker),
                                                  t->told.order->symbol);

    return p && t->told.position ? tw_position_price(p) : 0;
}

static int64_t leaves(const struct tw_told *told)
{
    switch (told->status) {
    case TW_STATUS_FILLED: case TW_STATUS_DONE_FOR_DAY: case TW_STATUS_CANCELED:
    case TW_STATUS_REJECTED: case TW_STATUS_EXPIRED:
        return 0;
    default:
        return told->order->quantity - told->filled;
    }
}

void ltw_push_told(lua_State *L, const struct ltw_trader *t, int names, int handler,
                   int field)
{
    const struct tw_told *told = &t->told;
    const struct tw_report *r = &told->report;
    const struct ltw_order *own = (const struct ltw_order *)told->order;
    bool is_fill = handler == LTW_ON_FILL;

    switch (field) {
    case F_STATUS:
        push_text(L, tw_order_status_text((enum tw_order_status)told->status));
        break;
    case F_REASON:   push_reason(L, own, r->reason); break;
    case F_TIME:     lua_pushinteger(L, r->time_ns); break;
    case F_POSITION: push_fixed(L, told->position); break;
    case F_FILLED:   push_fixed(L, told->filled); break;
    case F_LEAVES:   push_fixed(L, leaves(told)); break;
    case F_FEE:      lua_pushnumber(L, tw_money_to_double(r->fee)); break;
    case F_LIQUIDITY:
        push_text(L, r->liquidity == TW_LIQUIDITY_ADDED ? "added"
                     : r->liquidity == TW_LIQUIDITY_REMOVED ? "removed" : NULL);
        break;
    case F_PRICE:
        if (is_fill) push_fixed(L, r->last_px);
        else push_price(L, handler == LTW_ON_POSITION ? position_price(t) : own->o.price);
        break;
    case F_QUANTITY:
        push_fixed(L, is_fill ? r->last_qty : own->o.quantity);
        break;
    case F_NIL: lua_pushnil(L); break;
    default:
        lua_rawgeti(L, LUA_REGISTRYINDEX, own->ref);
        push_field(L, lua_gettop(L), own, names, (enum field)field);
        lua_remove(L, -2);
        break;
    }
}

/* ---- handles ---- */

struct ltw_order *ltw_push_new_order(lua_State *L)
{
    struct ltw_order *own = lua_newuserdatauv(L, sizeof *own, 3);

    *own = (struct ltw_order){ .ref = LUA_NOREF };
    lua_rawgeti(L, LUA_REGISTRYINDEX, ltw_state(L)->orders);
    lua_setmetatable(L, -2);
    return own;
}

void ltw_push_order(lua_State *L, const struct tw_order *o)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, ((const struct ltw_order *)o)->ref);
}

struct ltw_order *ltw_check_order(lua_State *L, int idx)
{
    return luaL_checkudata(L, idx, ORDER);
}

/* Upvalues: the names of fields, and of methods; the state's names. */
static int order_index(lua_State *L)
{
    const struct ltw_order *own = ltw_check_order(L, 1);

    lua_pushvalue(L, 2);
    switch (lua_rawget(L, lua_upvalueindex(1))) {
    case LUA_TNUMBER:
        push_field(L, 1, own, lua_upvalueindex(2), (enum field)lua_tointeger(L, -1));
        return 1;
    case LUA_TFUNCTION:
        return 1;
    default:
        return luaL_error(L, "an order has no field '%s'", luaL_tolstring(L, 2, NULL));
    }
}

static int order_newindex(lua_State *L)
{
    return luaL_error(L, "an order is changed by order:modify (field '%s')",
                      luaL_tolstring(L, 2, NULL));
}

static int order_tostring(lua_State *L)
{
    const struct tw_order *o = &ltw_check_order(L, 1)->o;
    const struct ltw_host *host = ltw_state(L)->host;
    char quantity[TW_FIXED_TEXT], filled[TW_FIXED_TEXT], price[TW_FIXED_TEXT];

    tw_fixed_format(o->quantity, quantity);
    tw_fixed_format(o->cum_qty, filled);
    tw_fixed_format(o->price ? o->price : o->stop, price);
    lua_pushfstring(L, "order %I %s %s %s %s%s%s: %s, %s filled", (lua_Integer)o->id,
                    o->side == TW_SIDE_BUY ? "buy" : "sell", quantity,
                    host ? tw_symbols_name(host->symbols, o->symbol) : "?",
                    tw_order_type_text((enum tw_order_type)o->type),
                    o->price || o->stop ? " " : "", o->price || o->stop ? price : "",
                    tw_order_status_text(tw_order_status(o)), filled);
    return 1;
}

/* order:cancel() -> boolean
 * Asks the venue to cancel the order; on_order tells what comes of it.  False: it has
 * ended already, or that was asked for before.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for an order of another script.  Units: none. */
static int cancel(lua_State *L)
{
    return ltw_order_cancel(L);
}

/* order:modify(changes) -> boolean
 * Asks for another quantity, price or stop: { price = 187.21 }; what is not named stays
 * as it is, or as was asked for before.
 * on_order tells what comes of it: limits may refuse it, and so is what would put an exit
 * of a bracket where it trades at once.  False: the order has ended.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for an order of another script, and for terms that can't be.
 * Units: as of the order. */
static int modify(lua_State *L)
{
    return ltw_order_modify(L);
}

static const luaL_Reg methods[] = {
    { "cancel", cancel },
    { "modify", modify },
    { NULL, NULL }
};

void ltw_order_open(lua_State *L)
{
    luaL_newmetatable(L, ORDER);
    lua_newtable(L);
    for (int i = 0; i < N_FIELDS; i++) {
        if (!(fields[i].who & H)) continue;
        ltw_set_integer(L, fields[i].name, fields[i].field);
    }
    luaL_setfuncs(L, methods, 0);
    ltw_push_names(L);
    lua_pushcclosure(L, order_index, 2);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, order_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, order_tostring);
    lua_setfield(L, -2, "__tostring");
    ltw_state(L)->orders = luaL_ref(L, LUA_REGISTRYINDEX);
}
