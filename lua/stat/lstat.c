/* lstat.c - tw.stat: statistics at the speed of C.
 *
 *     local stat = require "tw.stat"
 *     local mean = stat.mean { window = 64 }
 *     mean:push(187.23)
 *     print(mean.value, mean.count)
 *
 *     local vol = stat.by_symbol(stat.ewma, 0.05)     -- one for each symbol
 *     vol[symbol]:push(ret * ret)
 *
 * An instance belongs to the state that made it: it can't be frozen.  What crosses to
 * another state, or lives on after a restart, is mean:save(), a string.
 *
 * With the text of an expression first, the same functions declare a statistic: it is
 * fed in C, before the handlers run.  `tidewire help statistics` teaches that.
 *
 *     self:track { spread = stat.mean("ask - bid"):by "symbol" }
 */
#include "stat/lstat.h"

#include <math.h>
#include <string.h>

#include "base/fixed.h"
#include "ltime.h"
#include "share/lvalue.h"
#include "tape/lrecord.h"
#include "stat/ratio.h"
#include "tape/bar.h"

#define NAME "statistic"

enum { TEXT = 512, READY = -1, OFTEN = 1024 };

static const char mark;

static inline struct ltw_stat *test(lua_State *L, int idx)
{
    struct ltw_stat *b = lua_touserdata(L, idx);

    return b && lua_rawlen(L, idx) >= sizeof *b && b->mark == &mark ? b : NULL;
}

const struct ltw_stat *ltw_test_stat(lua_State *L, int idx)
{
    return test(L, idx);
}

static inline struct ltw_stat *check(lua_State *L, int idx)
{
    struct ltw_stat *b = test(L, idx);

    if (!b) luaL_typeerror(L, idx, NAME);
    return b;
}

struct ltw_stat *ltw_check_stat(lua_State *L, int idx)
{
    return check(L, idx);
}

static void clear(struct ltw_stat *b)
{
    memset(b->state, 0, b->s.size);
    b->is_told = false;
    b->time = INT64_MIN;
}

/* The value; NaN: none. */
static double value_of(const struct ltw_stat *b)
{
    return b->is_told ? b->told : tw_stat_get(&b->s, b->state, 0);
}

/* ---- rows ---- */

/* [-0, +0, e] */
static int refuse_input(lua_State *L, const struct ltw_stat *b, unsigned i)
{
    return luaL_error(L, "push: number expected for '%s', got %s", b->s.kind->inputs[i],
                      luaL_typename(L, (int)i + 2));
}

/* [-0, +0, e]  What a bar has for each input: high, low, close, volume. */
static void inputs_of(lua_State *L, const struct ltw_stat *b, const struct tw_record *r,
                      double *x)
{
    static const char *const names[] = { "open", "high", "low", "close", "volume" };
    struct tw_ohlc bar;

    tw_bar_get(r, &bar);
    for (unsigned i = 0; i < b->s.n_inputs; i++) {
        const int64_t part[] = { bar.open, bar.high, bar.low, bar.close, bar.volume };
        unsigned k = 0;

        while (k < 5 && strcmp(names[k], b->s.kind->inputs[i]) != 0) k++;
        if (k == 5)
            luaL_error(L, "push: number expected for '%s', got a bar: which of its prices"
                       " is not said", b->s.kind->inputs[i]);
        x[i] = tw_fixed_to_double(part[k]);
    }
}

/* [-0, +0, e]  The time at idx, or when there is none that of r, or now. */
static int64_t time_at(lua_State *L, int idx, const struct tw_record *r)
{

    if (lua_isnoneornil(L, idx)) return r ? r->time : ltw_now_ns(ltw_state(L));
    if (!lua_isinteger(L, idx) || lua_gettop(L) > idx)
        luaL_error(L, "push: after %d number%s at most a time expected, an integer in ns",
                   idx - 2, idx == 3 ? "" : "s");
    return lua_tointeger(L, idx);
}

/* [-0, +(0|2), -]  What a crossing was made with. */
static void push_bound(lua_State *L)
{
    if (lua_getiuservalue(L, 1, 1) == LUA_TNONE) lua_pop(L, 1);
    else lua_getiuservalue(L, 1, 2);
}

/* [-0, +0, e]  The input i of b, and whose value it is; false: it is missing. */
static bool input_at(lua_State *L, const struct ltw_stat *b, unsigned i,
                     struct tw_compared *to)
{
    const int idx = (int)i + 2, type = lua_type(L, idx);
    const struct ltw_stat *of = type == LUA_TUSERDATA ? ltw_test_stat(L, idx) : NULL;

    *to = (struct tw_compared){ .x = NAN };
    if (type == LUA_TNUMBER) to->x = lua_tonumber(L, idx);
    else if (of) *to = (struct tw_compared){ value_of(of), &of->s, of->state };
    else if (type != LUA_TNIL) refuse_input(L, b, i);
    return !isnan(to->x);
}

static bool tells(const struct ltw_stat *b)
{
    return b->s.inner ? b->s.inner->tells : b->s.ops->tells;
}

/* [-0, +1, -]  Likewise. */
static int push_value(lua_State *L, double v)
{
    if (isnan(v)) lua_pushnil(L);
    else lua_pushnumber(L, v);
    return 1;
}

/* A row that was read, where it counts. */
struct row {
    double x[TW_STAT_INPUTS];
    int64_t time;
};

/* Of the record being handled, or else the clock's. */
static inline int64_t time_now(lua_State *L)
{
    const struct ltw_state *state = ltw_state(L);

    return state->record ? state->record->time : ltw_now_ns(state);
}

/* [-0, +0, -]  The one number of most handlers. */
static inline bool read_number(lua_State *L, struct row *row)
{
    row->x[0] = lua_tonumber(L, 2);
    row->time = time_now(L);
    return !isnan(row->x[0]);
}

/* [-0, +0, -]  A crossing of two statistics, as they are now. */
static inline bool read_crossing(lua_State *L, const struct ltw_stat *b, struct row *row)
{
    const struct ltw_stat *x = b->bound[0], *y = b->bound[1];
    const struct tw_compared in[2] = { { value_of(x), &x->s, x->state },
                                       { value_of(y), &y->s, y->state } };

    if (isnan(in[0].x) || isnan(in[1].x)) return false;
    row->x[0] = tw_compare(&in[0], &in[1]);
    row->x[1] = 0;
    row->time = time_now(L);
    return true;
}

/* [-0, +0, e]  The bar at 2; false: there is none. */
static bool read_bar(lua_State *L, const struct ltw_stat *b, struct row *row)
{
    struct tw_record copy;
    const struct tw_record *r = ltw_test_stat(L, 2) ? NULL : ltw_test_record(L, 2, &copy);

    if (!r || r->kind != TW_BAR) return false;
    inputs_of(L, b, r, row->x);
    row->time = time_at(L, 3, r);
    return true;
}

/* [-0, +?, e]  A row of any kind. */
static TW_APART bool read_row(lua_State *L, const struct ltw_stat *b, int top,
                              struct row *row)
{
    const unsigned n = b->s.n_inputs;
    struct tw_compared in[TW_STAT_INPUTS];
    bool counts = true;

    if (top == 1) push_bound(L);
    else if (lua_isuserdata(L, 2) && read_bar(L, b, row)) return true;
    for (unsigned i = 0; i < n; i++) {
        counts &= input_at(L, b, i, &in[i]);
        row->x[i] = in[i].x;
    }
    row->time = time_at(L, (int)n + 2, ltw_state(L)->record);
    if (counts && b->s.kind == &tw_stat_crossover) {
        row->x[0] = tw_compare(&in[0], &in[1]);
        row->x[1] = 0;
    }
    return counts;
}

/* [-0, +(0|1), -]  Returns what push does. */
static inline int add(lua_State *L, struct ltw_stat *b, const struct row *row)
{
    if (row->time > b->time) b->time = row->time;
    if (!tells(b)) {
        tw_stat_push(&b->s, b->state, row->x, b->time);
        return 0;
    }
    b->told = tw_stat_push_get(&b->s, b->state, row->x, b->time);
    b->is_told = true;
    return push_value(L, b->told);
}

/* statistic:push(x, ... [, time]) -> number | nil
 * One row: a number for each input, or a statistic, whose value it is; or one bar, where
 * the inputs are called high, low, close or volume: atr:push(bar).  nil or NaN is
 * missing: such a row is not counted.  An indicator (see ta), vwap, weighted_mean,
 * weighted_sum and crossover return their value, nil: none yet, or the row is missing;
 * others return nothing.  A crossing compares averages as fractions, without rounding.
 * The time matters to windows and half-lives in time, and to what is by time; without
 * one it is that of the bar, or of the record being handled, else the clock's.  A time
 * that goes back counts as the newest so far.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for what is no number, naming the input.
 * Units: time in ns since the epoch. */
static int push(lua_State *L)
{
    struct ltw_stat *b = check(L, 1);
    const int top = lua_gettop(L);
    struct row row;
    bool counts;

    if (top == 2 && b->s.n_inputs == 1 && lua_type(L, 2) == LUA_TNUMBER)
        counts = read_number(L, &row);
    else if (top == 1 && b->bound[0] && b->bound[1])
        counts = read_crossing(L, b, &row);
    else
        counts = read_row(L, b, top, &row);
    if (counts) return add(L, b, &row);
    return tells(b) ? push_value(L, NAN) : 0;
}

/* statistic:reset()
 * It is empty again, as it was made.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int reset(lua_State *L)
{
    clear(ltw_check_stat(L, 1));
    return 0;
}

/* statistic:merge(other)
 * As if the rows of `other` had been pushed here, after its own ones: up to rounding,
 * or to the error of a sketch.  other stays as it is.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises when other is of another kind, has other options or is itself, and for
 * a kind that can't be merged.  Units: none. */
static int merge(lua_State *L)
{
    struct ltw_stat *b = ltw_check_stat(L, 1);
    const struct ltw_stat *other = ltw_check_stat(L, 2);
    char mine[TEXT], its[TEXT];

    if (b == other) return luaL_error(L, "merge: a statistic with itself");
    tw_stat_text(&b->s, mine, sizeof mine);
    tw_stat_text(&other->s, its, sizeof its);
    if (b->s.kind != other->s.kind || memcmp(&b->s.o, &other->s.o, sizeof b->s.o) != 0)
        return luaL_error(L, "merge: %s and %s differ", mine, its);
    if (!b->s.ops->merge) return luaL_error(L, "merge: %s can't be merged", mine);
    b->s.ops->merge(&b->s, b->state, other->state);
    b->is_told = false;
    if (other->time > b->time) b->time = other->time;
    return 0;
}

/* ---- reading ---- */

/* [-0, +0, m]  The instance at 1 gets a metatable of its own, whose __index is a table:
 * Lua finds a method there without a call of C, a seventh of the instructions.  What is
 * not in it is looked up by `index` as before, which is told whose it is, and puts the
 * methods that were asked for into it. */
static void give_methods(lua_State *L, lua_CFunction index)
{
    lua_getmetatable(L, 1);
    lua_createtable(L, 0, 4);
    for (lua_pushnil(L); lua_next(L, -3);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_createtable(L, 0, 1);                     /* the methods  */
    lua_createtable(L, 0, 1);                     /* their __index */
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, index, 2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, 1);
    lua_pop(L, 1);
}

/* statistic[field] -> number | boolean | nil
 * mean.value, mean.count, ...: each kind's help lists its fields; nil: no value yet.
 * mean.ready: it has a value.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for a field that it does not have.  Units: those of what is pushed. */
static int stat_index(lua_State *L)
{
    struct ltw_stat *own = lua_touserdata(L, lua_upvalueindex(2));
    struct ltw_stat *b = own ? own : ltw_check_stat(L, 1);
    double v;
    int field;

    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TFUNCTION) {
        if (own && lua_istable(L, 1)) {
            lua_pushvalue(L, 2);
            lua_pushvalue(L, 3);
            lua_rawset(L, 1);
        } else if (!own && ++b->asked == OFTEN) {
            give_methods(L, stat_index);
        }
        return 1;
    }
    if (lua_isnil(L, -1)) return ltw_stat_refuse_field(L, b->s.kind, b->s.kind->name, 2);
    field = (int)lua_tointeger(L, -1);
    v = field > 0 ? tw_stat_get(&b->s, b->state, (unsigned)field) : value_of(b);
    if (field == READY) lua_pushboolean(L, !isnan(v));
    else ltw_stat_push_value(L, &b->s, (unsigned)field, v);
    return 1;
}

/* statistic:quantile(p) -> number | nil
 * The quantile at any p, of a kind that keeps them; nil: no value yet.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for p outside 0 to 1, and for a kind without quantiles.  Units: none. */
static int quantile(lua_State *L)
{
    const struct ltw_stat *b = ltw_check_stat(L, 1);
    double p = luaL_checknumber(L, 2), v;

    if (!b->s.ops->at)
        return luaL_error(L, "quantile: %s keeps none", b->s.kind->name);
    luaL_argcheck(L, p >= 0 && p <= 1, 2, "0 to 1 expected");
    v = b->s.ops->at(&b->s, b->state, p);
    if (isnan(v)) lua_pushnil(L);
    else lua_pushnumber(L, v);
    return 1;
}

/* statistic:list([n]) -> table
 * Of a kind that keeps a list: its values, at most n, best first: {{value =, count =},
 * ...}.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for a kind without a list.  Units: none. */
static int list(lua_State *L)
{
    const struct ltw_stat *b = ltw_check_stat(L, 1);

    if (!b->s.ops->list) return luaL_error(L, "list: %s keeps none", b->s.kind->name);
    ltw_stat_push_list(L, &b->s, b->state, 2);
    return 1;
}

/* statistic:freeze() -> frozen table
 * Its fields as they are now, for other states: {value =, count =, ...}.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int freeze(lua_State *L)
{
    const struct ltw_stat *b = ltw_check_stat(L, 1);
    struct tw_any *owned;

    lua_settop(L, 1);
    ltw_stat_push_fields(L, &b->s, b->state);
    owned = ltw_push_owner(L);
    *owned = ltw_check_any(L, 2);
    ltw_adopt(L);
    return 1;
}

/* [-0, +1, e]  "mean(window=64): 1.23, count 5". */
static int stat_tostring(lua_State *L)
{
    const struct ltw_stat *b = ltw_check_stat(L, 1);
    char text[TEXT];
    size_t n = tw_stat_text(&b->s, text, sizeof text);
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    luaL_addlstring(&out, text, n - (text[n - 2] == '(' ? 2 : 0));
    luaL_addstring(&out, ": ");
    ltw_stat_add_fields(&out, &b->s, b->state);
    luaL_pushresult(&out);
    return 1;
}

/* ---- making ---- */

static int copy(lua_State *L);

static const luaL_Reg methods[] = {
    { "push", push },
    { "reset", reset },
    { "merge", merge },
    { "copy", copy },
    { "quantile", quantile },
    { "list", list },
    { "freeze", freeze },
    { NULL, NULL }
};

static const luaL_Reg meta[] = {
    { "__tostring", stat_tostring },
    { NULL, NULL }
};

static void add_methods(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
    ltw_stat_add_save(L);
    ltw_set_integer(L, "ready", READY);
}

static const struct ltw_stat_class class = { NAME, add_methods, stat_index, meta };

struct ltw_stat *ltw_push_bound_stat(lua_State *L, const struct tw_stat *s, int bound)
{
    const uintptr_t align = _Alignof(max_align_t);
    struct ltw_stat *b = lua_newuserdatauv(L, sizeof *b + align + s->size, bound);

    b->mark = &mark;
    b->asked = 0;
    b->bound[0] = b->bound[1] = NULL;
    b->s = *s;
    b->state = (void *)(((uintptr_t)(b + 1) + align - 1) & ~(align - 1));
    clear(b);
    ltw_stat_push_metatable(L, &class, s->kind);
    lua_setmetatable(L, -2);
    return b;
}

struct ltw_stat *ltw_push_stat(lua_State *L, const struct tw_stat *s)
{
    return ltw_push_bound_stat(L, s, 0);
}

void ltw_stat_bind(lua_State *L, int i)
{
    struct ltw_stat *b = lua_touserdata(L, -2);

    b->bound[i - 1] = ltw_test_stat(L, -1);
    lua_setiuservalue(L, -2, i);
}

/* statistic:copy() -> statistic
 * Another one with the same rows, that goes its own way.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int copy(lua_State *L)
{
    const struct ltw_stat *b = ltw_check_stat(L, 1);
    const bool is_bound = lua_getiuservalue(L, 1, 1) != LUA_TNONE;
    struct ltw_stat *new = ltw_push_bound_stat(L, &b->s, is_bound ? 2 : 0);

    for (int i = 1; is_bound && i <= 2; i++) {
        lua_getiuservalue(L, 1, i);
        ltw_stat_bind(L, i);
    }
    memcpy(new->state, b->state, b->s.size);
    new->time = b->time;
    return 1;
}
