/* embedded.c - what the states of a host have that a program is around. */
#include "embedded.h"

#include <string.h>

#include <lualib.h>

#include "engine.h"
#include "task.h"

/* os.exit(...)
 * Raises: it is the program that says when it ends. */
static int refuse_exit(lua_State *L)
{
    return luaL_error(L, "os.exit: a script can't end the program that it runs in");
}

void ltw_embedded_open(lua_State *L)
{
    const struct ltw_embedded *given = ltw_state(L)->embedded;

    if (!given) return;
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (unsigned i = 0; i < given->n_modules; i++) {
        lua_pushcfunction(L, given->modules[i].open);
        lua_setfield(L, -2, given->modules[i].name);
    }
    lua_getglobal(L, LUA_OSLIBNAME);
    lua_pushcfunction(L, refuse_exit);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 2);
}

const struct ltw_given_text *ltw_embedded_text(lua_State *L, const char *path)
{
    const struct ltw_embedded *given = ltw_state(L)->embedded;

    for (unsigned i = 0; given && i < given->n_texts; i++)
        if (strcmp(given->texts[i].path, path) == 0) return &given->texts[i];
    return NULL;
}

/* [-0, +0, e] */
static struct ltw_script *check_script(lua_State *L, const char *name, unsigned shard)
{
    struct ltw_engine *e;

    lua_getfield(L, LUA_REGISTRYINDEX, LTW_ENGINE);
    e = lua_touserdata(L, -1);
    lua_pop(L, 1);
    for (unsigned i = 0; e && i < e->n; i++) {
        const struct ltw_script_options *o = ltw_script_options(e->scripts[i]);

        if (o->shard == shard && strcmp(o->name, name) == 0) return e->scripts[i];
    }
    luaL_error(L, "there is no script %s here", name);
    return NULL;
}

static int finish(lua_State *L, int status, lua_KContext base)
{
    (void)status;
    return lua_gettop(L) - (int)base;
}

/* call(name, instance, function, ...) -> what it returns
 * Calls a function that a script returned, with its self, as a task of the script. */
static int call(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *function = luaL_checkstring(L, 3);
    struct ltw_script *s = check_script(L, name, (unsigned)luaL_checkinteger(L, 2));

    ltw_script_push_self(L, s);
    if (lua_isnil(L, -1)) return luaL_error(L, "script %s has failed", name);
    lua_getfield(L, -1, function);
    if (!lua_isfunction(L, -1))
        return luaL_error(L, "script %s: %s is a %s, not a function", name, function,
                          luaL_typename(L, -1));
    lua_insert(L, 4);
    lua_insert(L, 5);
    ltw_state(L)->script = ltw_state(L)->task->script = s;
    lua_callk(L, lua_gettop(L) - 4, LUA_MULTRET, 3, finish);
    return finish(L, LUA_OK, 3);
}

static const luaL_Reg internal[] = { { "call", call }, { NULL, NULL } };

int luaopen_tw_internal_embedded(lua_State *L)
{
    luaL_newlib(L, internal);
    return 1;
}
