/* ltracked.c - tw.tracked: statistics of self:track, as their script reads them.
 *
 *     local all = self:track { spread = "mean(ask - bid) by symbol",
 *                              volume = "sum(size)" }
 *     local spread, volume = all.spread, all.volume
 *     ...
 *     spread:get(symbol)                    -- the value, or nil: the fast way
 *     spread.AAPL.value, spread.AAPL.count  -- a reading: every field of the statistic
 *     for symbol, reading in pairs(spread) do ... end    -- #spread of them
 *     for field, value in pairs(spread.AAPL) do ... end  -- those that have a value
 *     volume.value, volume.count            -- by nothing: no key
 *
 * A reading is of one key, and reads what is there when it is asked.  Whoever reads sees
 * all records that the script was given so far: the batch that waits is run first.
 *
 * A key is there when a row has brought it, also to another statistic of the script
 * that is by the same, and when it was loaded.
 */
#include "stat/ltracked.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stat/lstat.h"

#define NAME "tracked statistic"

enum { KEY = -1, SHOWN = 200 };

static const char is_tracked;

/* [-0, +0, e]  The plan goes when the script ends; views may live on. */
static void check_live(lua_State *L, const struct ltw_tracked *v)
{
    if (!v->tracker->plan) luaL_error(L, NAME ": its script has ended");
}

const struct ltw_tracked *ltw_test_tracked(lua_State *L, int idx)
{
    const struct ltw_tracked *v = lua_touserdata(L, idx);

    return v && lua_rawlen(L, idx) == sizeof *v && v->mark == &is_tracked ? v : NULL;
}

/* [-0, +0, e]  The one at 1, without the rows that wait. */
static struct ltw_tracked *check(lua_State *L)
{
    struct ltw_tracked *v = (struct ltw_tracked *)ltw_test_tracked(L, 1);

    if (!v) {
        luaL_typeerror(L, 1, NAME);
        return NULL;
    }
    check_live(L, v);
    return v;
}

/* Dispatch leaves no row waiting, unless it raised; but a read may make states, of keys
 * that another statistic brought, and a query's are new: running counts the memory. */
struct ltw_tracked *ltw_check_tracked(lua_State *L)
{
    struct ltw_tracked *v = check(L);

    ltw_tracker_run(L, v->tracker);
    return v;
}

void *ltw_tracked_state(lua_State *L, const struct ltw_tracked *v, uint32_t key)
{
    void *state = tw_plan_state_make(v->tracker->plan, v->item, key);

    if (!state) luaL_error(L, "%s: not enough memory", ltw_tracked_name(v));
    return state;
}

/* [-0, +1, m]  The reading of a key; view: the index of its statistic. */
static void push_reading(lua_State *L, int view, uint32_t key)
{
    const struct ltw_tracked *of = lua_touserdata(L, view);
    struct ltw_tracked *v = lua_newuserdatauv(L, sizeof *v, 1);

    *v = *of;
    v->key = key;
    lua_getiuservalue(L, view, 1);
    lua_setiuservalue(L, -2, 1);
    lua_getiuservalue(L, view, 2);
    lua_setmetatable(L, -2);
}

/* tracked[key | field] -> reading | number | nil
 * Of what is by one part, the reading of a key: spread.AAPL, hourly[17]; nil: no row has
 * brought it.  A method of that name comes first: tracked:at takes any key.
 * Of a reading, and of what is by nothing, a field: value, count, ...; each kind's help
 * lists its own; nil: no value yet.  A reading's `key` is the text or number, of several
 * parts a list of them.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for a field that it does not have; for a key of several parts or of
 * another type; for spread.value, when spread is by a key.
 * Units: those of the expression. */
static int point_index(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    lua_Integer field;

    lua_pushvalue(L, 2);
    switch (lua_rawget(L, lua_upvalueindex(1))) {
    case LUA_TFUNCTION:
        return 1;
    case LUA_TNUMBER:
        break;
    default:
        return ltw_stat_refuse_field(L, ltw_tracked_stat(v)->kind, ltw_tracked_name(v),
                                     2);
    }
    field = lua_tointeger(L, -1);
    if (field == KEY) {
        if (tw_keys_parts(ltw_tracked_keys(v)) == 0) lua_pushnil(L);
        else ltw_tracked_push_key(L, ltw_tracked_keys(v), v->key);
        return 1;
    }
    ltw_stat_push_field(L, ltw_tracked_stat(v), ltw_tracked_state(L, v, v->key),
                        (unsigned)field);
    return 1;
}

static int keyed_index(lua_State *L)
{
    const struct ltw_tracked *v = check(L);
    uint32_t key;

    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TFUNCTION) return 1;
    lua_settop(L, 2);
    ltw_tracker_run(L, v->tracker);
    key = ltw_tracked_find_key(L, v, 2);
    if (key) {
        push_reading(L, 1, key);
        return 1;
    }
    if (lua_type(L, 2) == LUA_TSTRING
        && tw_stat_field(ltw_tracked_stat(v), lua_tostring(L, 2)) >= 0)
        return luaL_error(L, "%s is by %s: '%s' is a field of a key's reading",
                          ltw_tracked_name(v),
                          ltw_tracked_push_by(L, ltw_tracked_keys(v)),
                          lua_tostring(L, 2));
    lua_pushnil(L);
    return 1;
}

/* tracked:at(key, ...) -> reading | nil
 * The reading of a key: one value for each part.  nil: no row has brought it.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for the wrong number of parts, or one of another type.  Units: none. */
static int at(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_keyed(L);
    uint32_t key = ltw_tracked_find_key(L, v, 2);

    if (key) push_reading(L, 1, key);
    else lua_pushnil(L);
    return 1;
}

/* tracked:get([key, ...]) -> number | nil
 * The value itself, without a reading: some 90 ns, by a number 300.  nil: no value yet,
 * or no row has brought that key.  Of what is by nothing, and of a reading, there is no
 * key to give.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for the wrong number of parts, or one of another type.
 * Units: those of the expression. */
static int get(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    uint32_t key = ltw_tracked_key_of(L, v, 2);

    if (key) ltw_stat_push_field(L, ltw_tracked_stat(v), ltw_tracked_state(L, v, key), 0);
    else lua_pushnil(L);
    return 1;
}

/* ---- all keys ---- */

/* [-0, +(1|2), e]  The iterator of pairs; upvalues: the view, the last key. */
static int next_pair(lua_State *L)
{
    const int view = lua_upvalueindex(1), last = lua_upvalueindex(2);
    const struct ltw_tracked *v = lua_touserdata(L, view);
    uint32_t key;

    check_live(L, v);
    key = ltw_tracked_next(v, (uint32_t)lua_tointeger(L, last));
    if (!key) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, key);
    lua_replace(L, last);
    ltw_tracked_push_key(L, ltw_tracked_keys(v), key);
    push_reading(L, view, key);
    return 2;
}

/* [-0, +1, m]  What pairs gives for the view at 1: next, which begins at 0. */
static int push_iterator(lua_State *L, lua_CFunction next)
{
    lua_settop(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next, 2);
    return 1;
}

static int keyed_pairs(lua_State *L)
{
    ltw_check_keyed(L);
    return push_iterator(L, next_pair);
}

/* [-0, +(1|2), e]  The iterator over the fields of one key; upvalues: what it is of, the
 * fields so far.  Those without a value are left out. */
static int next_field(lua_State *L)
{
    const struct ltw_tracked *v = lua_touserdata(L, lua_upvalueindex(1));
    lua_Integer field = lua_tointeger(L, lua_upvalueindex(2));
    const struct tw_stat *s;
    double value = NAN;

    check_live(L, v);
    s = ltw_tracked_stat(v);
    while (s->kind->fields[field] && isnan(value))
        value = tw_stat_get(s, ltw_tracked_state(L, v, v->key), (unsigned)field++);
    lua_pushinteger(L, field);
    lua_replace(L, lua_upvalueindex(2));
    if (isnan(value)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, s->kind->fields[field - 1]);
    ltw_stat_push_value(L, s, (unsigned)field - 1, value);
    return 2;
}

static int point_pairs(lua_State *L)
{
    ltw_check_tracked(L);
    return push_iterator(L, next_field);
}

static int keyed_len(lua_State *L)
{
    lua_pushinteger(L, ltw_tracked_count(ltw_check_keyed(L)));
    return 1;
}

/* ---- as text ---- */

/* [-0, +0, m]  At most SHOWN bytes, whole characters, and then "…". */
static void add_bounded(luaL_Buffer *out, const char *text)
{
    size_t n = strlen(text), shown = n;

    if (n > SHOWN)
        for (shown = SHOWN; shown > 0 && (text[shown] & 0xC0) == 0x80;) shown--;
    luaL_addlstring(out, text, shown);
    if (shown < n) luaL_addstring(out, "…");
}

/* "spread: mean(ask - bid) by symbol, 1000 keys" */
static int keyed_tostring(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_keyed(L);
    uint32_t n = ltw_tracked_count(v);
    char text[32];
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    luaL_addstring(&out, ltw_tracked_name(v));
    luaL_addstring(&out, ": ");
    add_bounded(&out, tw_plan_text(v->tracker->plan, v->item));
    snprintf(text, sizeof text, ", %u key%s", n, n == 1 ? "" : "s");
    luaL_addstring(&out, text);
    luaL_pushresult(&out);
    return 1;
}

/* "volume: sum(size): 1.23, count 5"; a reading: "spread.AAPL: 0.02, count 17". */
static int point_tostring(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_keys *k = ltw_tracked_keys(v);
    const void *state = ltw_tracked_state(L, v, v->key);
    char number[32];
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    luaL_addstring(&out, ltw_tracked_name(v));
    for (unsigned i = 0; i < tw_keys_parts(k); i++) {
        luaL_addchar(&out, '.');
        luaL_addstring(&out, tw_keys_text(k, v->key, i, number));
    }
    luaL_addstring(&out, ": ");
    if (tw_keys_parts(k) == 0) {
        add_bounded(&out, tw_plan_text(v->tracker->plan, v->item));
        luaL_addstring(&out, ": ");
    }
    ltw_stat_add_fields(&out, ltw_tracked_stat(v), state);
    luaL_pushresult(&out);
    return 1;
}

/* ---- making ---- */

static const luaL_Reg methods[] = {
    { "at", at },
    { "get", get },
    { NULL, NULL }
};

static void add_methods(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
    ltw_tracked_add_one(L);
    ltw_tracked_add_all(L);
    ltw_tracked_add_save(L);
}

static const luaL_Reg keyed_meta[] = {
    { "__tostring", keyed_tostring },
    { "__pairs", keyed_pairs },
    { "__len", keyed_len },
    { NULL, NULL }
};

static const struct ltw_stat_class keyed = { NAME, add_methods, keyed_index, keyed_meta };

static void add_point_methods(lua_State *L)
{
    add_methods(L);
    ltw_set_integer(L, "key", KEY);
}

static const luaL_Reg point_meta[] = {
    { "__tostring", point_tostring },
    { "__pairs", point_pairs },
    { NULL, NULL }
};

/* Readings, and what is by nothing. */
static const struct ltw_stat_class point = { NAME, add_point_methods, point_index,
                                             point_meta };

void ltw_push_tracked(lua_State *L, int tracker, unsigned item)
{
    struct ltw_tracked *v;
    const struct tw_stat_kind *k;
    bool is_keyed;

    tracker = lua_absindex(L, tracker);
    v = lua_newuserdatauv(L, sizeof *v, 2);
    *v = (struct ltw_tracked){ .mark = &is_tracked, .item = item,
                               .tracker = lua_touserdata(L, tracker) };
    k = ltw_tracked_stat(v)->kind;
    is_keyed = tw_keys_parts(ltw_tracked_keys(v)) > 0;
    v->key = is_keyed ? 0 : 1;
    lua_pushvalue(L, tracker);
    lua_setiuservalue(L, -2, 1);
    ltw_stat_push_metatable(L, &point, k);
    if (is_keyed) {
        lua_setiuservalue(L, -2, 2);
        ltw_stat_push_metatable(L, &keyed, NULL);
    }
    lua_setmetatable(L, -2);
}
