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
#include "ltracked.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "larray.h"
#include "lstat.h"
#include "lvalue.h"

#define NAME  "tracked statistic"
#define KINDS "tracked statistic kinds"

enum { KEY = -1, SHOWN = 200 };

static const char is_tracked;

/* [-0, +0, e]  The plan goes when the script ends; views may live on. */
static void check_live(lua_State *L, const struct ltw_tracked *v)
{
    if (!v->tracker->plan) luaL_error(L, NAME ": its script has ended");
}

/* [-0, +0, e]  The one at 1, without the rows that wait. */
static struct ltw_tracked *check(lua_State *L)
{
    struct ltw_tracked *v = lua_touserdata(L, 1);

    if (!v || lua_rawlen(L, 1) != sizeof *v || v->mark != &is_tracked) {
        luaL_typeerror(L, 1, NAME);
        return NULL;
    }
    check_live(L, v);
    return v;
}

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

uint32_t ltw_tracked_next(const struct ltw_tracked *v, uint32_t key)
{
    const struct tw_keys *keys = ltw_tracked_keys(v);
    const uint32_t count = tw_keys_count(keys);

    while (++key <= count)
        if (tw_keys_was_seen(keys, key)) return key;
    return 0;
}

uint32_t ltw_tracked_count(const struct ltw_tracked *v)
{
    uint32_t n = 0;

    for (uint32_t key = 0; (key = ltw_tracked_next(v, key)) != 0;) n++;
    return n;
}

/* ---- keys ---- */

/* [-0, +1, m]  "symbol, side" */
static const char *push_by(lua_State *L, const struct tw_keys *keys)
{
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    for (unsigned i = 0; i < tw_keys_parts(keys); i++) {
        if (i > 0) luaL_addstring(&out, ", ");
        luaL_addstring(&out, tw_keys_part(keys, i));
    }
    luaL_pushresult(&out);
    return lua_tostring(L, -1);
}

/* [-0, +0, e] */
static void refuse_part(lua_State *L, const struct ltw_tracked *v, unsigned part, int idx)
{
    const struct tw_keys *keys = ltw_tracked_keys(v);

    luaL_error(L, "%s: a %s expected for %s, got %s", ltw_tracked_name(v),
               tw_keys_is_number(keys, part) ? "number" : "string",
               tw_keys_part(keys, part), luaL_typename(L, idx));
}

/* [-0, +0, e]  The key whose parts are the values from idx to the top; 0: no row has
 * brought it. */
static uint32_t find_key(lua_State *L, const struct ltw_tracked *v, int idx)
{
    const struct tw_keys *keys = ltw_tracked_keys(v);
    unsigned n = tw_keys_parts(keys);
    char number[TW_EXPR_KEYS][32];
    const char *part[TW_EXPR_KEYS];
    int given = lua_gettop(L) - idx + 1;
    bool is_text = true;
    uint32_t key;
    size_t length;

    if (given != (int)n)
        luaL_error(L, "%s is by %s: %d part%s of a key expected, got %d",
                   ltw_tracked_name(v), push_by(L, keys), (int)n, n == 1 ? "" : "s",
                   given);
    for (unsigned i = 0; i < n; i++, idx++) {
        bool is_number = tw_keys_is_number(keys, i);

        if (lua_type(L, idx) != (is_number ? LUA_TNUMBER : LUA_TSTRING))
            refuse_part(L, v, i, idx);
        if (is_number) {
            snprintf(number[i], sizeof number[i], "%.17g", lua_tonumber(L, idx));
            part[i] = number[i];
        } else {
            part[i] = lua_tolstring(L, idx, &length);
            is_text = is_text && strlen(part[i]) == length;
        }
    }
    key = is_text ? tw_keys_find(keys, part, n) : 0;
    return key && tw_keys_was_seen(keys, key) ? key : 0;
}

/* [-0, +0, e]  The key that the call is about: the one there is, or what the values
 * from idx to the top name; 0: no row has brought that. */
static uint32_t key_of(lua_State *L, const struct ltw_tracked *v, int idx)
{
    if (!v->key) return find_key(L, v, idx);
    if (lua_gettop(L) >= idx)
        luaL_error(L, "%s: no key expected: this is of one", ltw_tracked_name(v));
    return v->key;
}

const struct ltw_tracked *ltw_check_keyed(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);

    if (!v->key) return v;
    if (tw_keys_parts(ltw_tracked_keys(v)) == 0)
        luaL_error(L, "%s is by nothing: it has no keys", ltw_tracked_name(v));
    luaL_error(L, "%s: this is of one key; ask the statistic", ltw_tracked_name(v));
    return NULL;
}

void ltw_tracked_push_part(lua_State *L, const struct tw_keys *keys, uint32_t key,
                           unsigned i)
{
    char number[32];
    const char *text = tw_keys_text(keys, key, i, number);
    lua_Integer whole;
    double x;

    if (!tw_keys_is_number(keys, i)) {
        lua_pushstring(L, text);
        return;
    }
    x = strtod(text, NULL);
    if (lua_numbertointeger(x, &whole) && (double)whole == x) lua_pushinteger(L, whole);
    else lua_pushnumber(L, x);
}

void ltw_tracked_push_key(lua_State *L, const struct tw_keys *keys, uint32_t key)
{
    unsigned n = tw_keys_parts(keys);

    if (n == 1) {
        ltw_tracked_push_part(L, keys, key, 0);
        return;
    }
    lua_createtable(L, (int)n, 0);
    for (unsigned i = 0; i < n; i++) {
        ltw_tracked_push_part(L, keys, key, i);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* ---- values ---- */

void ltw_tracked_push_value(lua_State *L, const struct tw_stat *s, unsigned field,
                            double value)
{
    const char *name = field ? s->kind->fields[field] : s->kind->name;

    if (isnan(value)) lua_pushnil(L);
    else if (value < 0x1p53 && strcmp(name, "count") == 0)
        lua_pushinteger(L, (lua_Integer)value);
    else lua_pushnumber(L, value);
}

int ltw_tracked_refuse(lua_State *L, const struct ltw_tracked *v, int idx)
{
    const struct tw_stat_kind *k = ltw_tracked_stat(v)->kind;
    const char *name = luaL_tolstring(L, idx, NULL);
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    for (unsigned i = 0; k->fields[i]; i++) {
        if (i > 0) luaL_addstring(&out, ", ");
        luaL_addstring(&out, k->fields[i]);
    }
    luaL_pushresult(&out);
    return luaL_error(L, "%s has no field '%s': %s has %s", ltw_tracked_name(v), name,
                      k->name, lua_tostring(L, -1));
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
    const struct tw_stat *s;
    lua_Integer field;

    lua_pushvalue(L, 2);
    switch (lua_rawget(L, lua_upvalueindex(1))) {
    case LUA_TFUNCTION:
        return 1;
    case LUA_TNUMBER:
        break;
    default:
        return ltw_tracked_refuse(L, v, 2);
    }
    field = lua_tointeger(L, -1);
    if (field == KEY) {
        if (tw_keys_parts(ltw_tracked_keys(v)) == 0) lua_pushnil(L);
        else ltw_tracked_push_key(L, ltw_tracked_keys(v), v->key);
        return 1;
    }
    s = ltw_tracked_stat(v);
    ltw_tracked_push_value(L, s, (unsigned)field, tw_stat_get(
        s, ltw_tracked_state(L, v, v->key), (unsigned)field));
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
    key = find_key(L, v, 2);
    if (key) {
        push_reading(L, 1, key);
        return 1;
    }
    if (lua_type(L, 2) == LUA_TSTRING
        && tw_stat_field(ltw_tracked_stat(v), lua_tostring(L, 2)) >= 0)
        return luaL_error(L, "%s is by %s: '%s' is a field of a key's reading",
                          ltw_tracked_name(v), push_by(L, ltw_tracked_keys(v)),
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
    uint32_t key = find_key(L, v, 2);

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
    const struct tw_stat *s = ltw_tracked_stat(v);
    uint32_t key = key_of(L, v, 2);

    if (key)
        ltw_tracked_push_value(L, s, 0, tw_stat_get(s, ltw_tracked_state(L, v, key), 0));
    else
        lua_pushnil(L);
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
    ltw_tracked_push_value(L, s, (unsigned)field - 1, value);
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

/* ---- one key ---- */

/* tracked:history([n [, key, ...]]) -> array, table
 * The last n samples (all that are kept), oldest first, and a list of their times.
 * Yields: no.  Blocks: while it copies, some 10 ns for each sample.
 * Thread: the state's.
 * Errors: raises when no history is kept, and for the wrong number of parts of a key.
 * Units: those of the expression; times in ns since the epoch, integers. */
static int history(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_plan *p = v->tracker->plan;
    lua_Integer max = tw_plan_history_max(p, v->item), n = luaL_optinteger(L, 2, max);
    struct ltw_box *box;
    uint32_t key;
    double *value, *data;
    int64_t *time;

    luaL_argcheck(L, n >= 0, 2, "0 or more expected");
    if (lua_gettop(L) < 2) lua_settop(L, 2);
    if (max == 0) return luaL_error(L, "%s keeps no history", ltw_tracked_name(v));
    key = key_of(L, v, 3);
    if (n > max) n = max;
    value = lua_newuserdatauv(L, (size_t)n * (sizeof *value + sizeof *time), 0);
    time = (int64_t *)(value + n);
    n = key ? tw_plan_history(p, v->item, key, (unsigned)n, value, time) : 0;
    box = ltw_array_begin(L, (size_t)n);
    ltw_array_attach(L, box, tw_array_new((size_t)n, &data));
    memcpy(data, value, (size_t)n * sizeof *data);
    ltw_array_end(L, box);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 0; i < n; i++) {
        lua_pushinteger(L, time[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 2;
}

/* tracked:quantile(p [, key, ...]) -> number | nil
 * The quantile at any p, of a kind that keeps them; nil: no value yet.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for p outside 0 to 1, for a kind without quantiles, and for the wrong
 * number of parts of a key.  Units: those of the expression. */
static int quantile(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_stat *s = ltw_tracked_stat(v);
    double p = luaL_checknumber(L, 2);
    uint32_t key;

    if (!s->ops->at)
        return luaL_error(L, "%s: %s keeps no quantiles", ltw_tracked_name(v),
                          s->kind->name);
    luaL_argcheck(L, p >= 0 && p <= 1, 2, "0 to 1 expected");
    key = key_of(L, v, 3);
    if (key)
        ltw_tracked_push_value(L, s, 0, s->ops->at(s, ltw_tracked_state(L, v, key), p));
    else
        lua_pushnil(L);
    return 1;
}

/* tracked:list([n [, key, ...]]) -> table
 * Of a kind that keeps a list: its values, at most n, best first: {{value =, count =},
 * ...}.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for a kind without a list, and for the wrong number of parts of a key.
 * Units: those of the expression. */
static int list(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_stat *s = ltw_tracked_stat(v);
    uint32_t key;

    if (!s->ops->list)
        return luaL_error(L, "%s: %s keeps no list", ltw_tracked_name(v), s->kind->name);
    if (lua_gettop(L) < 2) lua_settop(L, 2);
    key = key_of(L, v, 3);
    ltw_push_stat_list(L, s, key ? ltw_tracked_state(L, v, key) : NULL, 2);
    return 1;
}

/* tracked:reset([key, ...])
 * It is empty again: for that key, or for all.  What its history has stays.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for the wrong number of parts of a key.  Units: none. */
static int reset(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    size_t size = ltw_tracked_stat(v)->size;
    uint32_t key;

    if (v->key || lua_gettop(L) > 1) {
        key = key_of(L, v, 2);
        if (key) memset(ltw_tracked_state(L, v, key), 0, size);
        return 0;
    }
    for (key = 0; (key = ltw_tracked_next(v, key)) != 0;)
        memset(ltw_tracked_state(L, v, key), 0, size);
    return 0;
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
    const struct tw_stat *s = ltw_tracked_stat(v);
    const struct tw_keys *k = ltw_tracked_keys(v);
    const void *state = ltw_tracked_state(L, v, v->key);
    char text[100];
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    luaL_addstring(&out, ltw_tracked_name(v));
    for (unsigned i = 0; i < tw_keys_parts(k); i++) {
        luaL_addchar(&out, '.');
        luaL_addstring(&out, tw_keys_text(k, v->key, i, text));
    }
    luaL_addstring(&out, ": ");
    if (tw_keys_parts(k) == 0) {
        add_bounded(&out, tw_plan_text(v->tracker->plan, v->item));
        luaL_addstring(&out, ": ");
    }
    for (unsigned i = 0; s->kind->fields[i]; i++) {
        double x = tw_stat_get(s, state, i);

        if (isnan(x) && i > 0) continue;
        snprintf(text, sizeof text, "%s%s%s%.14g", i ? ", " : "",
                 i ? s->kind->fields[i] : "", i ? " " : "", x);
        luaL_addstring(&out, isnan(x) ? "no value" : text);
    }
    luaL_pushresult(&out);
    return 1;
}

/* ---- metatables ---- */

static const luaL_Reg methods[] = {
    { "at", at },
    { "get", get },
    { "history", history },
    { "quantile", quantile },
    { "list", list },
    { "reset", reset },
    { NULL, NULL }
};

/* [-1, +1, m]  The metatable whose __index has the table on top. */
static void push_metatable(lua_State *L, lua_CFunction index, lua_CFunction tostring)
{
    lua_createtable(L, 0, 6);
    lua_rotate(L, -2, 1);
    lua_pushcclosure(L, index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, NAME);
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, NAME);
    lua_setfield(L, -2, "__metatable");
}

/* [-0, +1, m]  The table of the methods. */
static void push_methods(lua_State *L)
{
    luaL_newlib(L, methods);
    ltw_tracked_all_open(L);
    ltw_tracked_save_open(L);
}

/* [-0, +1, m]  Of readings and of what is by nothing, for each kind. */
static void push_point_metatable(lua_State *L, const struct tw_stat_kind *k)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, KINDS);
    if (lua_rawgetp(L, -1, k) == LUA_TNIL) {
        lua_pop(L, 1);
        push_methods(L);
        for (unsigned i = 0; k->fields[i]; i++) {
            lua_pushinteger(L, i);
            lua_setfield(L, -2, k->fields[i]);
        }
        lua_pushinteger(L, KEY);
        lua_setfield(L, -2, "key");
        push_metatable(L, point_index, point_tostring);
        lua_pushcfunction(L, point_pairs);
        lua_setfield(L, -2, "__pairs");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, k);
    }
    lua_remove(L, -2);
}

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
    push_point_metatable(L, k);
    if (is_keyed) {
        lua_setiuservalue(L, -2, 2);
        luaL_getmetatable(L, NAME);
    }
    lua_setmetatable(L, -2);
}

void ltw_tracked_open(lua_State *L)
{
    push_methods(L);
    push_metatable(L, keyed_index, keyed_tostring);
    lua_pushcfunction(L, keyed_pairs);
    lua_setfield(L, -2, "__pairs");
    lua_pushcfunction(L, keyed_len);
    lua_setfield(L, -2, "__len");
    lua_setfield(L, LUA_REGISTRYINDEX, NAME);
}
