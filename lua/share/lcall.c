/* lcall.c - a function and its arguments on their way to another state.
 *
 * A frozen table: [1] the function (lfunction.h), [2] ... its arguments, n their
 * number, and via (stdlib/chunk.lua), when there is one.
 */
#include "share/lcall.h"

#include <stdio.h>

#include "share/lfunction.h"
#include "share/lvalue.h"
#include "reload/module.h"

static void set_label(lua_State *L, int idx, char *label, size_t n)
{
    lua_Debug ar;

    if (lua_type(L, idx) == LUA_TSTRING) {
        snprintf(label, n, "%s", lua_tostring(L, idx));
        return;
    }
    lua_pushvalue(L, idx);
    lua_getinfo(L, ">S", &ar);
    snprintf(label, n, "%.40s:%d", ar.short_src, ar.linedefined);
}

/* [-0, +0, e]  The n values from idx on as views, so that an error says which one
 * can't be sent, and what. */
static void freeze_arguments(lua_State *L, int idx, int n, const char *what)
{
    char name[64];

    for (int i = 1; i <= n; i++, idx++) {
        struct tw_any *owner;

        if (lua_type(L, idx) != LUA_TTABLE && lua_type(L, idx) != LUA_TUSERDATA
            && lua_type(L, idx) < LUA_TFUNCTION)
            continue;
        snprintf(name, sizeof name, "%s: argument %d", what, i);
        owner = ltw_push_owner(L);
        *owner = ltw_check_any_named(L, idx, name);
        ltw_adopt(L);
        lua_replace(L, idx);
    }
}

struct tw_any ltw_call_pack(lua_State *L, int idx, const char *what, char *label,
                            size_t label_bytes)
{
    int function = idx + 1, n = lua_gettop(L) - function;
    struct tw_any call;

    if (lua_type(L, function) != LUA_TSTRING && lua_type(L, function) != LUA_TFUNCTION)
        luaL_error(L, "%s: a function or \"module.name\" expected, got %s", what,
                   luaL_typename(L, function));
    set_label(L, function, label, label_bytes);
    ltw_function_pack(L, function, what);
    lua_replace(L, function);
    freeze_arguments(L, function + 1, n, what);
    lua_createtable(L, n + 1, 2);
    lua_insert(L, function);
    for (int i = n + 1; i > 0; i--) lua_rawseti(L, function, i);
    lua_pushinteger(L, n);
    lua_setfield(L, function, "n");
    lua_pushvalue(L, idx);
    lua_setfield(L, function, "via");
    call = ltw_check_any(L, function);
    lua_settop(L, idx - 1);
    return call;
}

int ltw_call_push(lua_State *L, const struct tw_any *call)
{
    int from = lua_gettop(L), n;
    bool via;

    ltw_push_any(L, call);
    lua_replace(L, from);
    lua_getfield(L, from, "n");
    n = (int)lua_tointeger(L, -1);
    lua_settop(L, from);
    luaL_checkstack(L, n + 8, "too many arguments");
    via = lua_getfield(L, from, "via") == LUA_TSTRING;
    if (via) {
        size_t bytes;
        const char *name;

        lua_pushfstring(L, "tw.chunk%c%s", '\0', lua_tostring(L, -1));
        name = lua_tolstring(L, -1, &bytes);
        ltw_module_find(L, name, bytes);   /* by no require that scripts may replace */
        lua_replace(L, from + 1);
        lua_settop(L, from + 1);
    } else {
        lua_settop(L, from);
    }
    lua_geti(L, from, 1);
    ltw_function_unpack(L, lua_gettop(L));
    lua_remove(L, -2);
    for (int i = 1; i <= n; i++) lua_geti(L, from, i + 1);
    return n + via;
}
