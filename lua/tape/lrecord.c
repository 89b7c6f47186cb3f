/* lrecord.c - records as Lua sees them: handles, their fields, handler parameters.
 *
 * Why: a full userdata for each quote costs an allocation and a collection; an
 * address in a light userdata would dangle when the ring comes round.  So a
 * handle is a light userdata that holds the record's number: reading a field
 * copies the record and finds out by its stamp whether it is still there.
 *
 *   63      56 55      48 47                                             0
 *   +---------+----------+-----------------------------------------------+
 *   |  0xA5   | tape (0) |               seq                             |
 *   +---------+----------+-----------------------------------------------+
 *
 * No pointer of a program has these upper bits on x86-64 or aarch64, so a
 * handle is told from other light userdata (cjson.null), with which it has to
 * share the one metatable that they all have.
 */
#include "tape/lrecord.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fixed.h"
#include "trade/lbook.h"
#include "share/lvalue.h"
#include "tape/bar.h"
#include "trade/order.h"

#define TAG      UINT64_C(0xA500000000000000)
#define SEQ_MASK UINT64_C(0x0000FFFFFFFFFFFF)

#define KEPT  "tw.record"
#define NAMES "tw.names"

/* ---- pushing ---- */

/* One table holds every name that this state has seen as a Lua string: symbols
 * at their id, sectors at minus theirs, the others above 2^32. */
enum { TOPICS = 1, SOURCES = 2, VALUES = 3 };
#define KEY(space, id) ((lua_Integer)(space) << 32 | (id))

void ltw_push_names(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, NAMES);
}

/* [-0, +1, m] */
static TW_APART void push_new_name(lua_State *L, int names, lua_Integer key,
                                   const char *text)
{
    lua_pop(L, 1);
    lua_pushstring(L, text);
    lua_pushvalue(L, -1);
    lua_rawseti(L, names, key);
}

static void push_sector(lua_State *L, const struct ltw_host *host, int names,
                        uint32_t sector)
{
    if (sector == 0) lua_pushnil(L);
    else if (lua_rawgeti(L, names, -(lua_Integer)sector) == LUA_TNIL)
        push_new_name(L, names, -(lua_Integer)sector,
                      tw_names_get(tw_symbols_sectors(host->symbols), sector));
}

static void push_attribute(lua_State *L, const struct ltw_host *host, int names,
                           uint32_t symbol, unsigned index)
{
    uint32_t value = tw_symbols_attribute_get(host->symbols, symbol, index);

    if (value == 0) lua_pushnil(L);
    else if (lua_rawgeti(L, names, KEY(VALUES, value)) == LUA_TNIL)
        push_new_name(L, names, KEY(VALUES, value),
                      tw_names_get(tw_symbols_values(host->symbols), value));
}

enum tw_field ltw_attribute(const struct ltw_host *host, enum tw_kind kind,
                            const char *name)
{
    int i = kind == TW_QUOTE || kind == TW_TRADE || kind == TW_BAR || kind == TW_LEVEL
        ? tw_symbols_attribute_find(host->symbols, name, strlen(name)) : -1;

    return i < 0 ? TW_NO_FIELD : (enum tw_field)(TW_FIELD_ATTRIBUTE + i);
}

static void push_instrument(lua_State *L, const struct ltw_host *host, int names,
                            uint32_t symbol, enum tw_field field)
{
    struct tw_instrument in = tw_symbols_get(host->symbols, symbol);

    switch (field) {
    case TW_FIELD_SECTOR:    push_sector(L, host, names, in.sector); break;
    case TW_FIELD_WEIGHT:    lua_pushnumber(L, in.weight); break;
    case TW_FIELD_TICK_SIZE: lua_pushnumber(L, tw_fixed_to_double(in.tick_fixed)); break;
    default:            lua_pushnumber(L, tw_fixed_to_double(in.lot_fixed)); break;
    }
}

/* A price whose side is not there is nil, never a number that it isn't. */
static void push_price(lua_State *L, int64_t price, int64_t size)
{
    if (price == 0 && size == 0) lua_pushnil(L);
    else lua_pushnumber(L, tw_fixed_to_double(price));
}

static void push_mid_or_spread(lua_State *L, const struct tw_quote *q, bool mid)
{
    double bid = tw_fixed_to_double(q->bid), ask = tw_fixed_to_double(q->ask);

    if ((q->bid | q->bid_size) == 0 || (q->ask | q->ask_size) == 0) lua_pushnil(L);
    else lua_pushnumber(L, mid ? (bid + ask) * 0.5 : tw_fixed_to_double(q->ask - q->bid));
}

/* What a bar's prices are of: "bid", "ask", "mid", or nil for trades; a level's side. */
static void push_side(lua_State *L, const struct tw_record *r)
{
    static const char *const prices[] = { NULL, "bid", "ask", "mid" };
    static const char *const sides[] = { "bid", "ask" };
    uint32_t side = r->kind == TW_ORDER ? r->execution.side : r->trade.side;

    if (r->kind == TW_BAR) lua_pushstring(L, prices[tw_bar_price(r)]);
    else if (r->kind == TW_LEVEL)
        lua_pushstring(L, r->level.change == TW_LEVEL_CLEAR ? NULL
                                                            : sides[r->level.offer & 1]);
    else if (side == TW_SIDE_NONE) lua_pushnil(L);
    else lua_pushstring(L, side == TW_SIDE_BUY ? "buy" : "sell");
}

static void push_bar(lua_State *L, const struct tw_record *r, enum tw_field field)
{
    struct tw_ohlc b;

    if (field == TW_FIELD_VOLUME) {
        lua_pushnumber(L, tw_fixed_to_double(r->bar.volume));
        return;
    }
    tw_bar_get(r, &b);
    lua_pushnumber(L, tw_fixed_to_double(field == TW_FIELD_OPEN ? b.open
                                         : field == TW_FIELD_HIGH ? b.high : b.low));
}

static void push_change(lua_State *L, const struct tw_level *l)
{
    static const char *const names[] = { "set", "gone", "clear" };

    lua_pushstring(L, l->change <= TW_LEVEL_CLEAR ? names[l->change] : NULL);
}

/* [-0, +1, m]  What a status says; its text was cut where there was no room. */
static void push_status(lua_State *L, const struct tw_status *s, enum tw_field field)
{
    if (field == TW_FIELD_STATUS) lua_pushstring(L, tw_trading_name(s->status));
    else if (field == TW_FIELD_CODE && s->code) lua_pushinteger(L, s->code);
    else if (field == TW_FIELD_TEXT && s->text[0])
        lua_pushlstring(L, s->text, strnlen(s->text, sizeof s->text));
    else lua_pushnil(L);
}

/* [-0, +1, m]  What a message is about and says. */
static void push_message(lua_State *L, const struct ltw_host *host, int names,
                         const struct tw_record *r, enum tw_field field)
{
    if (field == TW_FIELD_VALUE) {
        struct tw_any v = { .kind = r->message.value_kind };

        v.integer = r->message.value.integer;
        ltw_push_any(L, &v);
    } else if (lua_rawgeti(L, names, KEY(TOPICS, r->message.topic)) == LUA_TNIL) {
        push_new_name(L, names, KEY(TOPICS, r->message.topic),
                      tw_names_get(host->topics, r->message.topic));
    }
}

/* [-0, +1, m]  What has come of an order. */
static void push_execution(lua_State *L, const struct tw_execution *e,
                           enum tw_field field)
{
    if (field == TW_FIELD_QUANTITY) lua_pushnumber(L, tw_fixed_to_double(e->quantity));
    else if (field == TW_FIELD_STATUS)
        lua_pushstring(L, tw_order_status_text((enum tw_order_status)e->status));
    else if (e->reason == TW_REASON_NONE) lua_pushnil(L);
    else lua_pushstring(L, tw_reason_text((enum tw_reason)e->reason));
}

/* [-0, +1, m]  The fields that a hot handler does not ask for. */
static TW_APART void push_rare(lua_State *L, const struct ltw_host *host, int names,
                               const struct tw_record *r, enum tw_field field)
{
    switch (field) {
    case TW_FIELD_SECTOR: case TW_FIELD_WEIGHT:
    case TW_FIELD_TICK_SIZE: case TW_FIELD_LOT_SIZE:
        push_instrument(L, host, names, r->symbol, field);
        break;
    case TW_FIELD_SIDE: push_side(L, r); break;
    case TW_FIELD_ID:
        lua_pushinteger(L, (lua_Integer)(r->kind == TW_ORDER ? r->execution.order
                                                             : r->trade.id));
        break;
    case TW_FIELD_OPEN: case TW_FIELD_HIGH: case TW_FIELD_LOW: case TW_FIELD_VOLUME:
        push_bar(L, r, field);
        break;
    case TW_FIELD_PLACE:  lua_pushinteger(L, r->level.place); break;
    case TW_FIELD_CHANGE: push_change(L, &r->level); break;
    case TW_FIELD_LAST:   lua_pushboolean(L, r->level.last); break;
    case TW_FIELD_BOOK:   ltw_push_book_of(L, r); break;
    case TW_FIELD_CODE: case TW_FIELD_TEXT: push_status(L, &r->status, field); break;
    case TW_FIELD_STATUS:
        if (r->kind == TW_STATUS) push_status(L, &r->status, field);
        else push_execution(L, &r->execution, field);
        break;
    case TW_FIELD_QUANTITY: case TW_FIELD_REASON:
        push_execution(L, &r->execution, field);
        break;
    case TW_FIELD_TOPIC: case TW_FIELD_VALUE:
        push_message(L, host, names, r, field);
        break;
    case TW_FIELD_SOURCE:
        if (lua_rawgeti(L, names, KEY(SOURCES, r->source)) == LUA_TNIL && r->source)
            push_new_name(L, names, KEY(SOURCES, r->source),
                          tw_sources_name(&host->sources, r->source));
        break;
    case TW_FIELD_TIMER:    lua_pushinteger(L, r->timer.timer); break;
    case TW_FIELD_INTERVAL:
        lua_pushnumber(L, r->kind == TW_BAR ? tw_bar_seconds(r)
                                            : (double)r->timer.interval_ns / 1e9);
        break;
    case TW_FIELD_COUNT:    lua_pushinteger(L, (lua_Integer)r->timer.count); break;
    case TW_FIELD_LOST:     lua_pushinteger(L, (lua_Integer)r->gap.lost); break;
    case TW_FIELD_FIRST:    lua_pushinteger(L, (lua_Integer)r->gap.first); break;
    case TW_FIELD_KIND:     lua_pushstring(L, tw_kind_name(r->kind)); break;
    default:
        if (field >= TW_FIELD_ATTRIBUTE)
            push_attribute(L, host, names, r->symbol, field - TW_FIELD_ATTRIBUTE);
        else
            lua_pushnil(L);
        break;
    }
}

void ltw_push_field(lua_State *L, const struct ltw_host *host, int names,
                    const struct tw_record *r, enum tw_field field)
{
    switch (field) {
    case TW_FIELD_RECORD:
        lua_pushlightuserdata(L, (void *)(uintptr_t)(TAG | (r->seq & SEQ_MASK)));
        break;
    case TW_FIELD_SYMBOL:
        if (lua_rawgeti(L, names, r->symbol) == LUA_TNIL && r->symbol)
            push_new_name(L, names, r->symbol, tw_symbols_name(host->symbols, r->symbol));
        break;
    case TW_FIELD_SYMBOL_ID: lua_pushinteger(L, r->symbol); break;
    case TW_FIELD_BID: push_price(L, r->quote.bid, r->quote.bid_size); break;
    case TW_FIELD_ASK: push_price(L, r->quote.ask, r->quote.ask_size); break;
    case TW_FIELD_BID_SIZE:
        lua_pushnumber(L, tw_fixed_to_double(r->quote.bid_size));
        break;
    case TW_FIELD_ASK_SIZE:
        lua_pushnumber(L, tw_fixed_to_double(r->quote.ask_size));
        break;
    case TW_FIELD_MID: push_mid_or_spread(L, &r->quote, true); break;
    case TW_FIELD_SPREAD: push_mid_or_spread(L, &r->quote, false); break;
    case TW_FIELD_PRICE:
        if (r->kind == TW_LEVEL && r->level.change == TW_LEVEL_CLEAR) lua_pushnil(L);
        else lua_pushnumber(L, tw_fixed_to_double(r->kind == TW_ORDER ? r->execution.price
                                                                      : r->trade.price));
        break;
    case TW_FIELD_CLOSE: lua_pushnumber(L, tw_fixed_to_double(r->bar.close)); break;
    case TW_FIELD_SIZE: lua_pushnumber(L, tw_fixed_to_double(r->trade.size)); break;
    case TW_FIELD_TIME: lua_pushinteger(L, r->time); break;
    case TW_FIELD_RECEIVED: lua_pushinteger(L, r->received); break;
    case TW_FIELD_SEQ: lua_pushinteger(L, (lua_Integer)r->seq); break;
    case TW_FIELD_SOURCE_SEQ: lua_pushinteger(L, r->source_seq); break;
    default:             push_rare(L, host, names, r, field); break;
    }
}

/* ---- text ---- */

static void side_text(char *out, size_t n, int64_t price, int64_t size)
{
    char p[TW_FIXED_TEXT], s[TW_FIXED_TEXT];

    if (price == 0 && size == 0) {
        snprintf(out, n, "none");
        return;
    }
    tw_fixed_format(price, p);
    tw_fixed_format(size, s);
    snprintf(out, n, "%s x %s", p, s);
}

/* "bar 17 AAPL 60 s, 187.2 187.3 187.1 187.25 x 1200". */
static void bar_text(const struct ltw_host *host, const struct tw_record *r, char *out,
                     size_t n)
{
    static const char *const prices[] = { "", " bid", " ask", " mid" };
    char open[TW_FIXED_TEXT], high[TW_FIXED_TEXT], low[TW_FIXED_TEXT];
    char close[TW_FIXED_TEXT], volume[TW_FIXED_TEXT], length[24] = "";
    struct tw_ohlc b;

    tw_bar_get(r, &b);
    tw_fixed_format(b.open, open);
    tw_fixed_format(b.high, high);
    tw_fixed_format(b.low, low);
    tw_fixed_format(b.close, close);
    tw_fixed_format(b.volume, volume);
    if (tw_bar_seconds(r)) snprintf(length, sizeof length, " %u s", tw_bar_seconds(r));
    snprintf(out, n, "bar %llu %s%s%s, %s %s %s %s x %s", (unsigned long long)r->seq,
             tw_symbols_name(host->symbols, r->symbol), length, prices[tw_bar_price(r)],
             open, high, low, close, volume);
}

/* "order 17 AAPL 3 buy 100 @ 187.2: filled". */
static void order_text(const struct ltw_host *host, const struct tw_record *r, char *out,
                       size_t n)
{
    const struct tw_execution *e = &r->execution;
    char quantity[TW_FIXED_TEXT], price[TW_FIXED_TEXT];

    tw_fixed_format(e->quantity, quantity);
    tw_fixed_format(e->price, price);
    snprintf(out, n, "order %llu %s %llu %s %s%s%s: %s%s%s", (unsigned long long)r->seq,
             tw_symbols_name(host->symbols, r->symbol), (unsigned long long)e->order,
             e->side == TW_SIDE_BUY ? "buy" : "sell", quantity, e->price ? " @ " : "",
             e->price ? price : "",
             tw_order_status_text((enum tw_order_status)e->status),
             e->reason ? ", " : "",
             e->reason ? tw_reason_text((enum tw_reason)e->reason) : "");
}

/* "level 17 AAPL bid 3: 187.2 x 100". */
static void level_text(const struct ltw_host *host, const struct tw_record *r, char *out,
                       size_t n)
{
    char price[TW_FIXED_TEXT], size[TW_FIXED_TEXT];
    const char *symbol = tw_symbols_name(host->symbols, r->symbol);
    unsigned long long seq = r->seq;

    tw_fixed_format(r->level.price, price);
    tw_fixed_format(r->level.size, size);
    if (r->level.change == TW_LEVEL_CLEAR)
        snprintf(out, n, "level %llu %s: none", seq, symbol);
    else
        snprintf(out, n, "level %llu %s %s %u: %s %s%s", seq, symbol,
                 r->level.offer ? "ask" : "bid", r->level.place, price,
                 r->level.change == TW_LEVEL_GONE ? "is gone" : "x ",
                 r->level.change == TW_LEVEL_GONE ? "" : size);
}

void ltw_record_text(const struct ltw_host *host, const struct tw_record *r,
                     char *out, size_t n)
{
    char bid[64], ask[64];
    const char *kind = tw_kind_name(r->kind);
    unsigned long long seq = r->seq;

    switch (r->kind) {
    case TW_QUOTE:
        side_text(bid, sizeof bid, r->quote.bid, r->quote.bid_size);
        side_text(ask, sizeof ask, r->quote.ask, r->quote.ask_size);
        snprintf(out, n, "%s %llu %s %s / %s", kind, seq,
                 tw_symbols_name(host->symbols, r->symbol), bid, ask);
        break;
    case TW_TRADE:
        side_text(bid, sizeof bid, r->trade.price, r->trade.size);
        snprintf(out, n, "%s %llu %s %s", kind, seq,
                 tw_symbols_name(host->symbols, r->symbol), bid);
        break;
    case TW_BAR:
        bar_text(host, r, out, n);
        break;
    case TW_ORDER:
        order_text(host, r, out, n);
        break;
    case TW_LEVEL:
        level_text(host, r, out, n);
        break;
    case TW_STATUS:
        snprintf(out, n, "%s %llu %s: %s%s%.*s", kind, seq,
                 tw_symbols_name(host->symbols, r->symbol),
                 tw_trading_name(r->status.status), r->status.text[0] ? ", " : "",
                 (int)sizeof r->status.text, r->status.text);
        break;
    case TW_MESSAGE:
        snprintf(out, n, "%s %llu on %s", kind, seq,
                 tw_names_get(host->topics, r->message.topic));
        break;
    case TW_GAP:
        snprintf(out, n, "%s of %llu records from %llu on", kind,
                 (unsigned long long)r->gap.lost, (unsigned long long)r->gap.first);
        break;
    default:
        snprintf(out, n, "%s %llu", kind, seq);
        break;
    }
}

/* ---- handles ---- */

const struct tw_record *ltw_test_record(lua_State *L, int idx, struct tw_record *copy)
{
    struct ltw_state *state = ltw_state(L);
    uint64_t handle = (uint64_t)(uintptr_t)lua_touserdata(L, idx);
    const struct tw_record *kept;
    struct ltw_host *host;

    if ((handle & ~SEQ_MASK) != TAG) {   /* nor is it the address of a kept one */
        kept = luaL_testudata(L, idx, KEPT);
        if (kept) ltw_check_host(L, "record");   /* which knows its names */
        return kept;
    }
    if (state->record && state->record->seq == (handle & SEQ_MASK)) return state->record;
    host = ltw_check_host(L, "record");
    if (tw_tape_read(host->tape, handle & SEQ_MASK, copy) != 1)
        luaL_error(L, "quote %I has expired (retention %I records)",
                   (lua_Integer)(handle & SEQ_MASK),
                   (lua_Integer)tw_tape_capacity(host->tape));
    return copy;
}

/* [-0, +0, e]  The record that argument 1 stands for. */
static const struct tw_record *check(lua_State *L, struct tw_record *copy)
{
    const struct tw_record *r = ltw_test_record(L, 1, copy);

    if (r) return r;
    if (lua_type(L, 1) != LUA_TLIGHTUSERDATA) return luaL_checkudata(L, 1, KEPT);
    luaL_error(L, "a light userdata has no fields (%p)", lua_touserdata(L, 1));
    return NULL;
}

void ltw_push_kept(lua_State *L, const struct tw_record *r)
{
    struct tw_record *kept = lua_newuserdatauv(L, sizeof *kept, 1);

    *kept = *r;
    luaL_setmetatable(L, KEPT);
}

/* record:keep() -> record
 * A copy that never expires; it has the same fields and equals only itself.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises when the record has expired, or is a message.  Units: none. */
static int record_keep(lua_State *L)
{
    struct tw_record copy;
    const struct tw_record *r = check(L, &copy);

    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TLIGHTUSERDATA) ltw_push_kept(L, r);
    return 1;
}

static int record_index(lua_State *L)
{
    struct tw_record copy;
    const struct tw_record *r = check(L, &copy);
    const struct ltw_host *host = ltw_state(L)->host;
    int names = lua_upvalueindex(TW_KINDS + 1);
    const char *name, *near;
    enum tw_field own;

    lua_pushvalue(L, 2);
    switch (lua_rawget(L, lua_upvalueindex(1 + (r->kind < TW_KINDS ? r->kind : 0)))) {
    case LUA_TNUMBER:
        if (lua_tointeger(L, -1) == TW_FIELD_SERIES && lua_type(L, 1) == LUA_TUSERDATA) {
            if (lua_getiuservalue(L, 1, LTW_KEPT_SERIES) != LUA_TNUMBER) lua_pushnil(L);
        } else ltw_push_field(L, host, names, r, (enum tw_field)lua_tointeger(L, -1));
        return 1;
    case LUA_TFUNCTION:
        return 1;
    default:
        name = luaL_tolstring(L, 2, NULL);
        own = ltw_attribute(host, r->kind, name);
        if (own != TW_NO_FIELD) {
            ltw_push_field(L, host, names, r, own);
            return 1;
        }
        tw_field_find(1u << r->kind, name, strlen(name), &near);
        return near
            ? luaL_error(L, "a %s has no field '%s'; did you mean '%s'?",
                         tw_kind_name(r->kind), name, near)
            : luaL_error(L, "a %s has no field '%s'", tw_kind_name(r->kind), name);
    }
}

static int record_newindex(lua_State *L)
{
    return luaL_error(L, "a record can't be changed (field '%s')",
                      luaL_tolstring(L, 2, NULL));
}

static int record_tostring(lua_State *L)
{
    struct tw_record copy;
    uint64_t handle = (uint64_t)(uintptr_t)lua_touserdata(L, 1);
    char text[256];

    if (lua_type(L, 1) == LUA_TLIGHTUSERDATA && (handle & ~SEQ_MASK) != TAG) {
        lua_pushfstring(L, "userdata: %p", lua_touserdata(L, 1));
        return 1;
    }
    ltw_record_text(ltw_state(L)->host, check(L, &copy), text, sizeof text);
    lua_pushstring(L, text);
    return 1;
}

static const luaL_Reg record_methods[] = {
    { "keep", record_keep },
    { NULL, NULL }
};

/* [-0, +TW_KINDS, m]  For each kind, names to field numbers and methods. */
static void push_field_tables(lua_State *L)
{
    for (int kind = 0; kind < TW_KINDS; kind++) {
        const struct tw_field_name *f;

        lua_newtable(L);
        for (unsigned i = 0; (f = tw_field_at(i)) != NULL; i++) {
            if (!(f->kinds & 1u << kind) || f->field <= TW_FIELD_RECORD) continue;
            ltw_set_integer(L, f->name, f->field);
        }
        if (kind == TW_QUOTE || kind == TW_TRADE || kind == TW_BAR || kind == TW_ORDER
            || kind == TW_LEVEL || kind == TW_STATUS)
            luaL_setfuncs(L, record_methods, 0);
    }
}

void ltw_record_open(lua_State *L)
{
    static const char *const all[] = {
        "__index", "__newindex", "__tostring", "__metatable"
    };

    luaL_newmetatable(L, KEPT);
    push_field_tables(L);
    ltw_push_names(L);
    lua_pushcclosure(L, record_index, TW_KINDS + 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, record_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, record_tostring);
    lua_setfield(L, -2, "__tostring");
    ltw_set_flag(L, "__metatable", false);
    /* The same for light userdata, which are no kept ones. */
    lua_pushlightuserdata(L, NULL);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        lua_getfield(L, -3, all[i]);
        lua_setfield(L, -2, all[i]);
    }
    lua_setmetatable(L, -2);
    lua_pop(L, 2);
}
