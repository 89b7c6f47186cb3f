/* module.c - what loaded modules hold: its name, and finding it by that name.
 *
 * Layer lua.
 */
#include "reload/module.h"

#include <stdint.h>
#include <string.h>

#include "distrust.h"

/* Registry: value -> rank and name.  A value with several names has the least. */
#define NAMES "tw.module.names"
enum { MODULE = '1', FIELD = '2', GLOBAL = '3' };

/* Registry: the sum of the addresses of the modules that NAMES covers. */
#define COVERED "tw.module.covered"

/* Registry: "module.name" -> the length of "module", of what was found. */
#define FOUND "tw.module.found"

/* [-2, +0, m]  The name and the value are on top. */
static void add_name(lua_State *L, int names)
{
    lua_pushvalue(L, -1);
    if (lua_rawget(L, names) == LUA_TNIL || lua_compare(L, -3, -1, LUA_OPLT)) {
        lua_pop(L, 1);
        lua_insert(L, -2);
        lua_rawset(L, names);
    } else {
        lua_pop(L, 3);
    }
}

/* [-0, +0, m] */
static void add_fields(lua_State *L, int names, int module, const char *name)
{
    bool globals = strcmp(name, LUA_GNAME) == 0;

    for (lua_pushnil(L); lua_next(L, module); lua_pop(L, 1)) {
        int type = lua_type(L, -1);
        bool wanted = globals ? lua_iscfunction(L, -1)
                              : type == LUA_TFUNCTION || type == LUA_TTABLE;

        if (!wanted || lua_type(L, -2) != LUA_TSTRING) continue;
        lua_pushfstring(L, "%c%s%c", globals ? GLOBAL : FIELD, name, '\0');
        lua_pushvalue(L, -3);
        lua_concat(L, 2);
        lua_pushvalue(L, -2);
        add_name(L, names);
    }
}

/* Registry: the tables of loaded modules; of the second one none may be there. */
static const char *const tables[] = { LUA_LOADED_TABLE, LTW_INTERNAL_LOADED };
enum { TABLES = sizeof tables / sizeof *tables };

/* [-0, +0, m]  Those of a table, if it is one. */
static void add_loaded(lua_State *L, int names, const char *table)
{
    int loaded = lua_gettop(L) + 1, value = loaded + 2;

    lua_getfield(L, LUA_REGISTRYINDEX, table);
    for (lua_pushnil(L); lua_istable(L, loaded) && lua_next(L, loaded); lua_pop(L, 1)) {
        int type = lua_type(L, value);

        if (lua_type(L, -2) != LUA_TSTRING) continue;
        if (type != LUA_TFUNCTION && type != LUA_TTABLE) continue;
        lua_pushfstring(L, "%c%s", MODULE, lua_tostring(L, -2));
        lua_pushvalue(L, value);
        add_name(L, names);
        if (type != LUA_TTABLE) continue;
        add_fields(L, names, value, lua_tostring(L, -2));
        if (!ltw_is_internal(lua_tostring(L, -2))
            || !luaL_getmetafield(L, value, "__index"))
            continue;
        lua_pushvalue(L, -3);                    /* its fields do not show */
        add_fields(L, names, value + 1, lua_tostring(L, -1));
        lua_pop(L, 2);
    }
    lua_settop(L, loaded - 1);
}

/* [-0, +0, m] */
static void add_modules(lua_State *L)
{
    int names = lua_gettop(L) + 1;

    if (!luaL_getsubtable(L, LUA_REGISTRYINDEX, NAMES)) {
        lua_createtable(L, 0, 1);
        lua_pushliteral(L, "k");
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, names);
    }
    for (int i = 0; i < TABLES; i++) add_loaded(L, names, tables[i]);
    lua_settop(L, names - 1);
}

void ltw_module_refresh(lua_State *L)
{
    int loaded = lua_gettop(L) + 1;
    lua_Integer sum = 0;

    for (int i = 0; i < TABLES; i++) {
        lua_getfield(L, LUA_REGISTRYINDEX, tables[i]);
        for (lua_pushnil(L); lua_istable(L, loaded) && lua_next(L, loaded); lua_pop(L, 1))
            sum += (lua_Integer)(uintptr_t)lua_topointer(L, -1);
        lua_settop(L, loaded - 1);
    }
    lua_getfield(L, LUA_REGISTRYINDEX, COVERED);
    if (lua_tointeger(L, -1) != sum) {
        add_modules(L);
        lua_pushinteger(L, sum);
        lua_setfield(L, LUA_REGISTRYINDEX, COVERED);
    }
    lua_settop(L, loaded - 1);
}

/* [-0, +1, -] */
static bool push_name(lua_State *L, int idx)
{
    lua_getfield(L, LUA_REGISTRYINDEX, NAMES);
    lua_pushvalue(L, idx);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    return !lua_isnil(L, -1);
}

bool ltw_module_name(lua_State *L, int idx)
{
    const char *text;
    size_t n;

    idx = lua_absindex(L, idx);
    if (!push_name(L, idx)) {
        if (!lua_iscfunction(L, idx)) return false;
        add_modules(L);   /* a field that is new: without a name it can't go */
        lua_pop(L, 1);
        if (!push_name(L, idx)) return false;
    }
    text = lua_tolstring(L, -1, &n);
    lua_pushlstring(L, text + 1, n - 1);
    lua_remove(L, -2);
    return true;
}

/* [-0, +1, e]  Calls require, unless the module is there. */
static void require(lua_State *L, const char *module)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, module);
    lua_remove(L, -2);
    if (lua_toboolean(L, -1)) return;
    lua_pop(L, 1);
    if (lua_getfield(L, LUA_REGISTRYINDEX, LTW_INTERNAL_REQUIRE) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getglobal(L, "require");
    }
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
}

/* [-1, +1, e]  The field of what is on top, which is called `of`. */
static void take_field(lua_State *L, const char *of, const char *field, size_t n)
{
    lua_pushlstring(L, field, n);
    lua_pushvalue(L, -1);
    if (!(lua_istable(L, -3) || lua_isuserdata(L, -3)) || lua_gettable(L, -3) == LUA_TNIL)
        luaL_error(L, "'%s' has no field '%s'", of, lua_tostring(L, -2));
    lua_replace(L, -3);
    lua_pop(L, 1);
}

void ltw_module_find(lua_State *L, const char *name, size_t n)
{
    size_t module = strlen(name);

    require(L, name);
    if (module < n) take_field(L, name, name + module + 1, n - module - 1);
}

static int call_require(lua_State *L)
{
    require(L, lua_tostring(L, 1));
    return 1;
}

/* [-0, +0, -]  Is the error on top require's own, that there is no such module? */
static bool is_missing(lua_State *L, const char *name, size_t n)
{
    static const char begin[] = "module '", end[] = "' not found:";
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    size_t length = sizeof begin - 1;

    return strncmp(text, begin, length) == 0 && strncmp(text + length, name, n) == 0
           && strncmp(text + length + n, end, sizeof end - 1) == 0;
}

/* [-0, +1, e]  The longest module that the name begins with; returns its length. */
static size_t require_prefix(lua_State *L, const char *name, size_t n)
{
    for (;;) {
        lua_pushcfunction(L, call_require);
        lua_pushlstring(L, name, n);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK) return n;
        if (!is_missing(L, name, n)) return (size_t)lua_error(L);
        while (n > 0 && name[n - 1] != '.') n--;
        if (n == 0) luaL_error(L, "'%s': %s", name, lua_tostring(L, -1));
        n--;
        lua_pop(L, 1);
    }
}

void ltw_module_resolve(lua_State *L, int idx)
{
    size_t n, end, module;
    const char *name = lua_tolstring(L, idx, &n);
    int name_at = lua_absindex(L, idx), found = lua_gettop(L) + 1, value = found + 1;

    luaL_getsubtable(L, LUA_REGISTRYINDEX, FOUND);
    lua_pushvalue(L, name_at);
    if (lua_rawget(L, found) == LUA_TNUMBER) {
        module = (size_t)lua_tointeger(L, -1);
        require(L, lua_pushlstring(L, name, module));
    } else {
        module = require_prefix(L, name, n);
    }
    lua_replace(L, value);
    lua_settop(L, value);
    for (end = module; end < n;) {
        const char *field = name + end + 1, *dot = memchr(field, '.', n - end - 1);
        size_t length = dot ? (size_t)(dot - field) : n - end - 1;

        lua_pushlstring(L, name, end);
        lua_pushvalue(L, value);
        take_field(L, lua_tostring(L, -2), field, length);
        lua_replace(L, value);
        lua_settop(L, value);
        end += length + 1;
    }
    if (!lua_isfunction(L, value))
        luaL_error(L, "'%s' is a %s, not a function", name, luaL_typename(L, value));
    lua_pushvalue(L, name_at);
    lua_pushinteger(L, (lua_Integer)module);
    lua_rawset(L, found);
    lua_replace(L, found);
}
