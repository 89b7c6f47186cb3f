/* embedded.c - what the states of a host have of the program around it. */
#include "embed/embedded.h"

#include <string.h>

#include <lualib.h>

#include "run/engine.h"
#include "share/lvalue.h"
#include "task/task.h"

/* os.exit(...)
 * Raises: it is the program that says when it ends. */
static int refuse_exit(lua_State *L)
{
    return luaL_error(L, "os.exit: a script can't end the program that it runs in");
}

/* [-0, +1, e]  A module that is a value. */
static int open_value(lua_State *L)
{
    ltw_push_any(L, lua_touserdata(L, lua_upvalueindex(1)));
    return 1;
}

void ltw_embedded_open(lua_State *L)
{
    const struct ltw_embedded *given = ltw_state(L)->embedded;

    if (!given) return;
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (unsigned i = 0; i < given->n_modules; i++) {
        lua_pushlightuserdata(L, &given->modules[i].value);
        lua_pushcclosure(L, given->modules[i].open ? given->modules[i].open : open_value,
                         1);
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
    const struct ltw_given_text *t = NULL;

    /* order [embed.texts] acquire: each text is whole */
    if (given) t = atomic_load_explicit(&given->texts, memory_order_acquire);
    while (t && strcmp(t->path, path) != 0) t = t->next;
    return t;
}

/* ---- what a program calls in its C modules ---- */

void tw_lua_push(lua_State *L, struct tw_item value)
{
    struct tw_any *owner;
    int rc;

    luaL_checkstack(L, 8, "tw_lua_push");
    owner = ltw_push_owner(L);
    rc = tw_item_keep(value, owner);
    if (rc < 0) luaL_error(L, "tw_lua_push: %s", tw_strerror(rc));
    ltw_adopt(L);
}

void tw_lua_value(lua_State *L, int index, struct tw_any *out)
{
    luaL_checkstack(L, 8, "tw_lua_value");
    *out = ltw_check_any(L, index);
}

void *tw_lua_context(lua_State *L)
{
    const struct ltw_embedded *given = ltw_state(L)->embedded;

    return given ? given->ctx : NULL;
}

/* ---- what a program has done to scripts ---- */

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

/* evaluate(name, instance, text) -> what it gives
 * Evaluates a text as the script's file would, as a task of the script. */
static int evaluate(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct ltw_script *s = check_script(L, name, (unsigned)luaL_checkinteger(L, 2));

    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.evaluate");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "values");
    lua_pushvalue(L, 3);
    ltw_script_push_self(L, s);
    if (lua_isnil(L, -1)) return luaL_error(L, "script %s has failed", name);
    ltw_state(L)->script = ltw_state(L)->task->script = s;
    lua_callk(L, 2, LUA_MULTRET, 4, finish);
    return finish(L, LUA_OK, 4);
}

/* pause(name, paused)
 * All instances of the script in this state take no more records, or do again. */
static int pause_all(lua_State *L)
{
    struct ltw_engine *e;
    const char *name = luaL_checkstring(L, 1);

    lua_getfield(L, LUA_REGISTRYINDEX, LTW_ENGINE);
    e = lua_touserdata(L, -1);
    for (unsigned i = 0; e && i < e->n; i++)
        if (strcmp(e->options[i].name, name) == 0)
            ltw_script_pause(e->scripts[i], lua_toboolean(L, 2));
    return 0;
}

static const luaL_Reg internal[] = {
    { "call", call }, { "evaluate", evaluate }, { "pause", pause_all }, { NULL, NULL }
};

int luaopen_tw_internal_embedded(lua_State *L)
{
    luaL_newlib(L, internal);
    return 1;
}
