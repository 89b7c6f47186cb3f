/* larray.c - tw.array: columns of doubles that states share without a copy.
 *
 *   local array = require "tw.array"
 *   local mid = (bid + ask) / 2                  -- arrays of one length
 *   local change = mid:map("log"):diff()
 *   print(#change, change:mean(), change:std())
 *   print(change[1], change:slice(-10):max())
 *   array.csv({ { "bid", bid }, { "ask", ask } }, "quotes.csv")
 *
 * An array never changes.  Handing it to another state (a channel, the pool, the cache,
 * the board, tw.publish) copies nothing, nor does tw.freeze: all have the same memory.
 * Arrays are equal when they are the same one, as tables are.  ipairs, pairs and
 * table.unpack read one like a list.  A NaN stands for a value that is missing, and
 * what is computed with it is a NaN.
 *
 * The operators + - * / ^ and the unary - give a new array, element by element; the
 * other side is an array of the same length or a number.
 */
#include "share/larray.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

enum { SHOWN = 16 };   /* elements, by tostring */

struct tw_array *ltw_check_array(lua_State *L, int idx)
{
    return (struct tw_array *)ltw_check_object(L, idx, tw_array_type.name);
}

/* ---- in the state's memory ---- */

struct ltw_box *ltw_array_begin(lua_State *L, size_t n)
{
    if (n > TW_ARRAY_MAX) luaL_error(L, "an array has at most 2^31 elements");
    ltw_state_reserve(L, n * sizeof(double));
    return ltw_push_box(L, tw_array_type.name, 1);
}

void ltw_array_attach(lua_State *L, struct ltw_box *box, struct tw_array *a)
{
    if (!a) {
        luaL_error(L, "not enough memory");
        return;
    }
    box->object = tw_array_object(a);
    box->note = tw_array_length(a) * sizeof(double);
    ltw_state_add(ltw_state(L), box->note);
}

void ltw_array_end(lua_State *L, struct ltw_box *box)
{
    ltw_push_interned(L);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, box->object);
    lua_pop(L, 1);
}

static int array_gc(lua_State *L)
{
    struct ltw_box *box = ltw_to_box(L, 1, ltw_box_mark);

    if (!ltw_is_finalizer(L)) return 0;
    if (!box || !box->object || box->object->type != &tw_array_type) return 0;
    ltw_state(L)->bytes -= box->note;
    box->note = 0;
    return ltw_object_gc(L);
}

/* [-0, +1, e]  The array becomes what its box, on top, holds: see ltw_array_begin. */
static int push_new(lua_State *L, struct ltw_box *box, struct tw_array *a)
{
    ltw_array_attach(L, box, a);
    ltw_array_end(L, box);
    return 1;
}

/* ---- reading ---- */

/* array[i] -> number | nil
 * The i-th element; nil where there is none.
 * Yields: no.  Blocks: no.  Thread: any.
 * Errors: raises for a field that is neither a number nor a method, and when it is
 * written to.  Units: i from 1 on. */
static int array_index(lua_State *L)
{
    const struct tw_array *a = ltw_check_array(L, 1);
    lua_Unsigned i;

    if (lua_type(L, 2) == LUA_TNUMBER) {
        i = (lua_Unsigned)lua_tointeger(L, 2) - 1;
        if (i < tw_array_length(a)) lua_pushnumber(L, tw_array_data(a)[i]);
        else lua_pushnil(L);
        return 1;
    }
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
        return luaL_error(L, "an array has no field '%s'", luaL_tolstring(L, 2, NULL));
    return 1;
}

static int array_newindex(lua_State *L)
{
    return luaL_error(L, "an array can't be changed (field '%s')",
                      luaL_tolstring(L, 2, NULL));
}

/* #array -> integer
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: elements. */
static int array_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tw_array_length(ltw_check_array(L, 1)));
    return 1;
}

/* [-0, +(1|2), e]  The iterator of pairs. */
static int array_next(lua_State *L)
{
    const struct tw_array *a = ltw_check_array(L, 1);
    lua_Unsigned i = (lua_Unsigned)luaL_checkinteger(L, 2);

    if (i >= tw_array_length(a)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_pushnumber(L, tw_array_data(a)[i]);
    return 2;
}

static int array_pairs(lua_State *L)
{
    ltw_check_array(L, 1);
    lua_pushcfunction(L, array_next);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

static int array_tostring(lua_State *L)
{
    const struct tw_array *a = ltw_check_array(L, 1);
    size_t n = tw_array_length(a);
    char text[64];
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    snprintf(text, sizeof text, "array(%zu) {", n);
    luaL_addstring(&b, text);
    for (size_t i = 0; i < n && i < SHOWN; i++) {
        double x = tw_array_data(a)[i];

        if (isnan(x)) snprintf(text, sizeof text, "%snan", i ? ", " : "");
        else snprintf(text, sizeof text, "%s%.14g", i ? ", " : "", x);
        luaL_addstring(&b, text);
    }
    luaL_addstring(&b, n > SHOWN ? ", …}" : "}");
    luaL_pushresult(&b);
    return 1;
}

/* A place as string.sub counts it: from the end when negative. */
static lua_Integer place(lua_Integer i, lua_Integer n)
{
    return i >= 0 ? i : i < -n ? 0 : n + i + 1;
}

/* array:slice(i [, j]) -> array
 * The elements from i to j, as string.sub counts: -1 is the last one, and j when it is
 * not given.  It shares the memory and keeps the whole of it: `slice + 0` is a copy that
 * does not.
 * Yields: no.  Blocks: no.  Thread: any.  Errors: raises for what is no integer.
 * Units: elements. */
static int array_slice(lua_State *L)
{
    struct tw_array *a = ltw_check_array(L, 1), *slice;
    lua_Integer n = (lua_Integer)tw_array_length(a);
    lua_Integer from = place(luaL_checkinteger(L, 2), n);
    lua_Integer to = place(luaL_optinteger(L, 3, -1), n);
    struct ltw_box *box = ltw_array_begin(L, 0);

    if (from < 1) from = 1;
    if (to > n) to = n;
    slice = from > to ? tw_array_slice(a, 0, 0)
                      : tw_array_slice(a, (size_t)from - 1, (size_t)(to - from) + 1);
    if (!slice) return luaL_error(L, "not enough memory");
    box->object = tw_array_object(slice);
    lua_pushvalue(L, 1);   /* which counts the memory of both */
    lua_setiuservalue(L, -2, 1);
    ltw_array_end(L, box);
    return 1;
}

/* array:totable() -> table
 * The elements as a list.
 * Yields: no.  Blocks: while it copies, some 20 ns for each element.  Thread: any.
 * Errors: none.  Units: none. */
static int array_totable(lua_State *L)
{
    const struct tw_array *a = ltw_check_array(L, 1);
    size_t n = tw_array_length(a);

    lua_createtable(L, n < INT_MAX ? (int)n : INT_MAX, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushnumber(L, tw_array_data(a)[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* array:pointer() -> light userdata
 * Where the first element is; the others follow it, as doubles of C.  It is valid for
 * as long as the array is in use: by this variable, a slice, a frozen value or another
 * state.  To write there is an error that nothing finds out.
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int array_pointer(lua_State *L)
{
    const double *data = tw_array_data(ltw_check_array(L, 1));

    lua_pushlightuserdata(L, (void *)(uintptr_t)data);
    return 1;
}

/* ---- one number of all elements ---- */

/* array:sum() -> number
 * Their sum, compensated for what rounding loses; 0 of none.
 * Yields: no.  Blocks: while it adds, below 1 ns for each element.  Thread: any.
 * Errors: none.  Units: those of the elements. */
static int array_sum(lua_State *L)
{
    lua_pushnumber(L, tw_array_sum(ltw_check_array(L, 1)));
    return 1;
}

/* array:mean() -> number
 * The sum divided by the number of elements; NaN of none.
 * Yields: no.  Blocks: as array:sum.  Thread: any.  Errors: none.
 * Units: those of the elements. */
static int array_mean(lua_State *L)
{
    lua_pushnumber(L, tw_array_mean(ltw_check_array(L, 1)));
    return 1;
}

/* array:variance() -> number
 * The variance of a sample: the squares of what each element differs from the mean by,
 * added and divided by n - 1; NaN of fewer than 2.
 * Yields: no.  Blocks: as array:sum, twice.  Thread: any.  Errors: none.
 * Units: the square of those of the elements. */
static int array_variance(lua_State *L)
{
    lua_pushnumber(L, tw_array_variance(ltw_check_array(L, 1)));
    return 1;
}

/* array:std() -> number
 * The standard deviation: the square root of array:variance.
 * Yields: no.  Blocks: as array:variance.  Thread: any.  Errors: none.
 * Units: those of the elements. */
static int array_std(lua_State *L)
{
    lua_pushnumber(L, sqrt(tw_array_variance(ltw_check_array(L, 1))));
    return 1;
}

/* array:min() -> number
 * The least element; NaN of none, and when one is missing.
 * Yields: no.  Blocks: as array:sum.  Thread: any.  Errors: none.
 * Units: those of the elements. */
static int array_min(lua_State *L)
{
    lua_pushnumber(L, tw_array_min(ltw_check_array(L, 1)));
    return 1;
}

/* array:max() -> number
 * The greatest element; NaN of none, and when one is missing.
 * Yields: no.  Blocks: as array:sum.  Thread: any.  Errors: none.
 * Units: those of the elements. */
static int array_max(lua_State *L)
{
    lua_pushnumber(L, tw_array_max(ltw_check_array(L, 1)));
    return 1;
}

void ltw_check_lengths(lua_State *L, const struct tw_array *a, const struct tw_array *b)
{
    size_t n = tw_array_length(a), m = tw_array_length(b);

    if (n != m) luaL_error(L, "lengths %I and %I differ", (lua_Integer)n, (lua_Integer)m);
}

/* array:dot(other) -> number
 * The sum of the products of the elements of both.
 * Yields: no.  Blocks: as array:sum.  Thread: any.
 * Errors: raises when their lengths differ.  Units: the product of theirs. */
static int array_dot(lua_State *L)
{
    const struct tw_array *a = ltw_check_array(L, 1), *b = ltw_check_array(L, 2);

    ltw_check_lengths(L, a, b);
    lua_pushnumber(L, tw_array_dot(a, b));
    return 1;
}

/* ---- new arrays ---- */

/* array:diff() -> array
 * Each element less the one before it: one element less than there are.
 * Yields: no.  Blocks: while it computes, some 1 ns for each element.  Thread: any.
 * Errors: none.  Units: those of the elements. */
static int array_diff(lua_State *L)
{
    const struct tw_array *a = ltw_check_array(L, 1);
    size_t n = tw_array_length(a);
    struct ltw_box *box = ltw_array_begin(L, n ? n - 1 : 0);

    return push_new(L, box, tw_array_diff(a));
}

/* array:cumsum() -> array
 * For each element the sum up to it, compensated for what rounding loses.
 * Yields: no.  Blocks: while it adds, some 3 ns for each element.  Thread: any.
 * Errors: none.  Units: those of the elements. */
static int array_cumsum(lua_State *L)
{
    const struct tw_array *a = ltw_check_array(L, 1);
    struct ltw_box *box = ltw_array_begin(L, tw_array_length(a));

    return push_new(L, box, tw_array_cumsum(a));
}

/* [-0, +1, e]  What the function at 2 gives for each element. */
static int map_with(lua_State *L, const struct tw_array *a)
{
    size_t n = tw_array_length(a);
    struct ltw_box *box = ltw_array_begin(L, n);
    double *data;

    ltw_array_attach(L, box, tw_array_new(n, &data));
    for (size_t i = 0; i < n; i++) {
        lua_pushvalue(L, 2);
        lua_pushnumber(L, tw_array_data(a)[i]);
        lua_call(L, 1, 1);
        if (lua_type(L, -1) != LUA_TNUMBER)
            return luaL_error(L, "map: the function gave a %s for element %I, not a"
                              " number", luaL_typename(L, -1), (lua_Integer)i + 1);
        data[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    ltw_array_end(L, box);
    return 1;
}

/* array:map(f) -> array
 * f of each element.  f is a function, called with the element alone, or a name, which
 * is computed in C: abs, acos, asin, atan, ceil, cos, exp, expm1, floor, log, log10,
 * log1p, log2, round (halves away from 0), sign (-1, 0 or 1), sin, sqrt, tan, tanh and
 * trunc.
 * Yields: no; a function can't wait.
 * Blocks: while it computes, 1 to 40 ns for each element, or what the function takes.
 * Thread: any.  Errors: raises for another name, when the function gives no number, and
 * what it raises.  Units: none. */
static int array_map(lua_State *L)
{
    const struct tw_array *a = ltw_check_array(L, 1);
    unsigned function;
    struct ltw_box *box;

    if (lua_isfunction(L, 2)) return map_with(L, a);
    function = (unsigned)luaL_checkoption(L, 2, NULL, tw_array_functions);
    box = ltw_array_begin(L, tw_array_length(a));
    return push_new(L, box, tw_array_map(a, function));
}

/* [-0, +0, e] */
static struct tw_array_side check_side(lua_State *L, int idx)
{
    struct tw_object *o = ltw_test_object(L, idx);

    if (lua_type(L, idx) == LUA_TNUMBER)
        return (struct tw_array_side){ .number = lua_tonumber(L, idx) };
    if (!o || o->type != &tw_array_type)
        luaL_error(L, "attempt to perform arithmetic on an array and a %s value",
                   luaL_typename(L, idx));
    return (struct tw_array_side){ .array = (struct tw_array *)o };
}

static int combine(lua_State *L, enum tw_array_op op)
{
    struct tw_array_side a = check_side(L, 1), b = check_side(L, 2);
    struct ltw_box *box;

    if (a.array && b.array) ltw_check_lengths(L, a.array, b.array);
    if (!a.array && !b.array) return luaL_error(L, "an array expected, got two numbers");
    box = ltw_array_begin(L, tw_array_length(a.array ? a.array : b.array));
    return push_new(L, box, tw_array_combine(op, a, b));
}

static int array_add(lua_State *L) { return combine(L, TW_ARRAY_ADD); }
static int array_sub(lua_State *L) { return combine(L, TW_ARRAY_SUB); }
static int array_mul(lua_State *L) { return combine(L, TW_ARRAY_MUL); }
static int array_div(lua_State *L) { return combine(L, TW_ARRAY_DIV); }
static int array_pow(lua_State *L) { return combine(L, TW_ARRAY_POW); }

static int array_unm(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushinteger(L, -1);   /* 0 - x would make 0 of 0, not -0 */
    return combine(L, TW_ARRAY_MUL);
}

static const luaL_Reg methods[] = {
    { "slice", array_slice },
    { "totable", array_totable },
    { "pointer", array_pointer },
    { "sum", array_sum },
    { "mean", array_mean },
    { "variance", array_variance },
    { "std", array_std },
    { "min", array_min },
    { "max", array_max },
    { "dot", array_dot },
    { "diff", array_diff },
    { "cumsum", array_cumsum },
    { "map", array_map },
    { NULL, NULL }
};

static const luaL_Reg meta[] = {
    { "__gc", array_gc },
    { "__newindex", array_newindex },
    { "__len", array_len },
    { "__pairs", array_pairs },
    { "__tostring", array_tostring },
    { "__add", array_add },
    { "__sub", array_sub },
    { "__mul", array_mul },
    { "__div", array_div },
    { "__pow", array_pow },
    { "__unm", array_unm },
    { NULL, NULL }
};

void ltw_array_open(lua_State *L)
{
    ltw_object_open(L, tw_array_type.name);
    luaL_setfuncs(L, meta, 0);
    luaL_newlib(L, methods);
    ltw_array_csv_method(L);
    lua_pushcclosure(L, array_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
