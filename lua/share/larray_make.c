/* larray_make.c - tw.array: the module, which makes arrays. */
#include <math.h>

#include "share/larray.h"

/* array(list) -> array
 * The numbers of a list, a table or a frozen one, as doubles: an integer beyond 2^53 is
 * rounded.
 * Yields: no.  Blocks: while it copies, some 20 ns for each element.  Thread: any.
 * Errors: raises, with the place, for an element that is no number, and past 2^31.
 * Units: none. */
static int array_of(lua_State *L)
{
    struct ltw_box *box;
    lua_Integer n;
    double *data;

    if (!lua_istable(L, 1) && !lua_isuserdata(L, 1))
        return luaL_typeerror(L, 1, "list of numbers");
    n = luaL_len(L, 1);
    luaL_argcheck(L, n >= 0, 1, "its length is negative");
    box = ltw_array_begin(L, (size_t)n);
    ltw_array_attach(L, box, tw_array_new((size_t)n, &data));
    for (lua_Integer i = 0; i < n; i++) {
        if (lua_geti(L, 1, i + 1) != LUA_TNUMBER)
            return luaL_error(L, "tw.array: element %I is a %s, not a number", i + 1,
                              luaL_typename(L, -1));
        data[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    ltw_array_end(L, box);
    return 1;
}

/* [-0, +1, e]  An array of n numbers from `first` on. */
static int push_steps(lua_State *L, size_t n, double first, double step)
{
    struct ltw_box *box = ltw_array_begin(L, n);
    double *data;

    ltw_array_attach(L, box, tw_array_new(n, &data));
    for (size_t i = 0; i < n; i++) data[i] = step == 0 ? first : first + (double)i * step;
    ltw_array_end(L, box);
    return 1;
}

/* array.new(n [, value]) -> array
 * n times the value, or 0.
 * Yields: no.  Blocks: while it writes, some 1 ns for each element.  Thread: any.
 * Errors: raises when n is negative or above 2^31.  Units: n in elements. */
static int array_new(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);
    double value = luaL_optnumber(L, 2, 0);

    luaL_argcheck(L, n >= 0, 1, "it is negative");
    return push_steps(L, (size_t)n, value, 0);
}

/* array.range(from, to [, step]) -> array
 * from, from + step, from + 2 * step and so on, none past `to`; step is 1 when it is not
 * given.
 * Yields: no.  Blocks: while it writes, some 1 ns for each element.  Thread: any.
 * Errors: raises for a step of 0, for what is not finite, and past 2^31 elements.
 * Units: none. */
static int array_range(lua_State *L)
{
    double from = luaL_checknumber(L, 1), to = luaL_checknumber(L, 2);
    double step = luaL_optnumber(L, 3, 1), last = floor((to - from) / step);

    luaL_argcheck(L, isfinite(from), 1, "it is not finite");
    luaL_argcheck(L, isfinite(to), 2, "it is not finite");
    luaL_argcheck(L, isfinite(step) && step != 0, 3, "a step is finite and not 0");
    if (last < 0) return push_steps(L, 0, from, step);
    /* The quotient may be rounded to the other side of an integer. */
    if (step > 0 ? from + last * step > to : from + last * step < to) last--;
    else if (step > 0 ? from + (last + 1) * step <= to : from + (last + 1) * step >= to)
        last++;
    luaL_argcheck(L, last < (double)TW_ARRAY_MAX, 2, "more than 2^31 elements");
    return push_steps(L, (size_t)last + 1, from, step);
}

/* [-0, +1, e]  The module is called: it stands before the arguments. */
static int call_module(lua_State *L)
{
    lua_remove(L, 1);
    return array_of(L);
}

int luaopen_tw_array(lua_State *L)
{
    static const luaL_Reg funcs[] = {
        { "new", array_new },
        { "range", array_range },
        { NULL, NULL }
    };

    luaL_newlib(L, funcs);
    ltw_array_csv_function(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, call_module);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    return 1;
}
