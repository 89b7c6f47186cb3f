/* code.c - a version of a script's file, loaded into one state.
 *
 * Why: a script is like a small program of its own.  Its file and the modules that it
 * requires share one table of globals, over the state's, and one set of loaded modules:
 * so two versions beside each other, or two scripts, never share a module, while what
 * is built in, and what is written in C, is there once for all of them.
 */
#include "code.h"

#include <lualib.h>
#include <string.h>

#include "base/memory.h"
#include "fix/fix.h"
#include "hint.h"
#include "lerror.h"
#include "share/lvalue.h"
#include "share/lview.h"
#include "run/script.h"
#include "source.h"
#include "stat/tracker.h"
#include "watchdog.h"

#define VERSION "tw.version"

/* ---- modules ---- */

static int version_gc(lua_State *L)
{
    struct ltw_version **v = luaL_checkudata(L, 1, VERSION);

    if (!ltw_is_finalizer(L)) return 0;
    ltw_version_unref(*v);
    *v = NULL;
    return 0;
}

/* [-0, +1, e]  The function of a file, whose globals are the table at env. */
static void load_part(lua_State *L, const struct ltw_part *t, int env)
{
    if (ltw_source_load_text(L, t->path, t->bytes, t->n) != LUA_OK) lua_error(L);
    lua_pushvalue(L, env);
    lua_setupvalue(L, -2, 1);
}

/* [-0, +0, m]  Is it built in, or Lua's own? */
static bool is_common(lua_State *L, const char *name)
{
    static const char *const own[] = {
        LUA_GNAME, LUA_LOADLIBNAME, LUA_COLIBNAME, LUA_TABLIBNAME, LUA_IOLIBNAME,
        LUA_OSLIBNAME, LUA_STRLIBNAME, LUA_MATHLIBNAME, LUA_UTF8LIBNAME, LUA_DBLIBNAME
    };
    bool is;

    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(name, own[i]) == 0) return true;
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    is = lua_getfield(L, -1, name) != LUA_TNIL;
    lua_pop(L, 2);
    return is;
}

/* [-0, +(0|1), e]  Where it is inside the program or package.path has it, or NULL. */
static const char *push_path(lua_State *L, const char *name)
{
    const char *path = ltw_source_push_module(L, name);

    if (path) return path;
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchpath");
    lua_pushstring(L, name);
    lua_getfield(L, -3, "path");
    lua_call(L, 2, 1);
    lua_remove(L, -2);
    if (lua_isstring(L, -1)) return lua_tostring(L, -1);
    lua_pop(L, 1);
    return NULL;
}

/* The state's own require.  That there is no such module is said of the caller. */
static int require_common(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_insert(L, 1);
    if (lua_pcall(L, 1, LUA_MULTRET, 0) == LUA_OK) return lua_gettop(L);
    if (lua_type(L, -1) == LUA_TSTRING
        && strncmp(lua_tostring(L, -1), "module '", strlen("module '")) == 0) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/* The `require` of a script: upvalues its version, its modules, its globals. */
static int require(lua_State *L)
{
    struct ltw_version **v = lua_touserdata(L, lua_upvalueindex(1));
    int modules = lua_upvalueindex(2);
    const char *name = luaL_checkstring(L, 1), *path;
    const struct ltw_part *text = NULL;
    struct tw_error error;

    lua_settop(L, 1);
    if (lua_getfield(L, modules, name) != LUA_TNIL) return 1;
    lua_pop(L, 1);
    if (!is_common(L, name)) {
        text = ltw_version_module(*v, L, name, NULL, NULL);
        path = text ? text->path : push_path(L, name);
        if (path && !text) {
            text = ltw_version_module(*v, L, name, path, &error);
            if (!text) return luaL_error(L, "%s", error.text);
        }
    }
    lua_settop(L, 1);
    if (!text) return require_common(L);
    load_part(L, text, lua_upvalueindex(3));
    lua_pushvalue(L, 1);
    lua_pushstring(L, text->path);
    lua_call(L, 2, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        if (lua_getfield(L, modules, name) == LUA_TNIL)
            lua_pop(L, 1), lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, modules, name);
    lua_pushstring(L, text->path);
    return 2;
}

/* [-0, +2, m]  The globals of a script, and its modules; of a program they are those of
 * the state. */
static void push_environment(lua_State *L, struct ltw_version *version, bool is_program)
{
    struct ltw_version **v;

    lua_newtable(L);
    lua_createtable(L, 0, 2);
    lua_pushglobaltable(L);
    if (is_program) lua_pushvalue(L, -1), lua_setfield(L, -3, "__newindex");
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    v = lua_newuserdatauv(L, sizeof *v, 0);
    *v = NULL;
    luaL_setmetatable(L, VERSION);
    ltw_version_ref(*v = version);
    if (is_program) luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    else lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_insert(L, -3);                     /* globals, modules, version, modules */
    lua_pushliteral(L, "require");
    lua_insert(L, -3);
    lua_pushvalue(L, -5);
    lua_pushcclosure(L, require, 3);
    lua_rawset(L, -4);
}

void ltw_code_push_program(lua_State *L, struct ltw_version *v)
{
    push_environment(L, v, true);
    lua_pop(L, 1);
    load_part(L, ltw_version_file(v), lua_gettop(L));
    lua_remove(L, -2);
}

/* ---- loading ---- */

/* [-0, +0, e]  The option of that name, from the app or else from the file. */
static char **list_option(lua_State *L, int options, int module, const char *name)
{
    char **list;

    if (lua_getfield(L, options, name) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getfield(L, module, name);
    }
    list = ltw_check_list(L, -1, name);
    lua_pop(L, 1);
    return list;
}

static void set_filters(lua_State *L, const struct ltw_script_options *o,
                        struct ltw_code *c, int options, int module)
{
    c->symbols.sectors = tw_symbols_sectors(ltw_state(L)->host->symbols);
    c->symbols.names = list_option(L, options, module, "symbols");
    c->symbols.groups = list_option(L, options, module, "sectors");
    c->symbols.shard = o->shard;
    c->symbols.shards = o->shards;
    c->symbols.all = !c->symbols.names && !c->symbols.groups && o->shards < 2;
    c->topics.names = list_option(L, options, module, "messages");
    c->topics.all = !c->topics.names;
    c->sessions.names = list_option(L, options, module, "sessions");
    c->sessions.all = !c->sessions.names;
    c->feeds.names = list_option(L, options, module, "sources");
    lua_getfield(L, module, "one_sided");
    c->one_sided = lua_toboolean(L, -1);
    lua_pop(L, 1);
}

/* [-0, +1, e]  What its account is, or nil; see stdlib/trade.lua. */
static void set_account(lua_State *L, struct ltw_code *c, int options, int module)
{
    int top = lua_gettop(L);

    lua_getfield(L, module, "account");
    lua_getfield(L, options, "account");
    lua_getfield(L, options, "accounts");
    if (lua_isnil(L, -1) && lua_isnil(L, -2) && lua_isnil(L, -3)) {
        lua_settop(L, top + 1);
        return;
    }
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.trade");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "own");
    lua_pushvalue(L, module);
    lua_pushvalue(L, top + 2);
    lua_pushvalue(L, top + 3);
    lua_getfield(L, options, "gateways");
    /* What is wrong with it is one line: none of the calls is the file's. */
    if (lua_pcall(L, 4, 2, 0) != LUA_OK) lua_error(L);
    c->trades = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

/* [-0, +bool, m]  Does the file declare its parameters?  Then what f of its metatable is,
 * and the declaration. */
static bool push_declared(lua_State *L, int module, const char *f)
{
    lua_pushliteral(L, "params");
    if (lua_rawget(L, module) == LUA_TTABLE && luaL_getmetafield(L, -1, f) != LUA_TNIL) {
        lua_insert(L, -2);
        return true;
    }
    lua_pop(L, 1);
    return false;
}

/* [-0, +0, e]  All parameters: what the app says, over what the file declares. */
static void set_params(lua_State *L, struct ltw_code *c, int options, int module)
{
    if (!push_declared(L, module, "__values")) return;
    lua_getfield(L, options, "params");
    lua_call(L, 2, 2);
    if (!lua_istable(L, -2)) luaL_error(L, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
    c->params = ltw_check_any_named(L, -1, "params");
    c->declares = true;
    lua_pop(L, 1);
}

bool ltw_code_push_declaration(lua_State *L, const struct ltw_code *c)
{
    ltw_code_push_module(L, c);
    if (!push_declared(L, lua_gettop(L), "__plain")) {
        lua_pop(L, 1);
        return false;
    }
    lua_call(L, 1, 1);
    lua_remove(L, -2);
    return true;
}

/* [-0, +0, e]  Methods that are not the file's own: track and when. */
static void add_methods(lua_State *L, int module)
{
    if (lua_getmetatable(L, module)) {
        lua_pop(L, 1);
        return;
    }
    lua_createtable(L, 0, 1);
    ltw_push_script_methods(L);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, module);
}

struct loading { const struct ltw_script_options *o; struct ltw_code *code; };

/* [-0, +1, e]  In its own coroutine: gives the list of enum LTW_CODE_. */
static int run_file(lua_State *L)
{
    const struct loading *it = lua_touserdata(L, 1);
    struct ltw_code *c = it->code;
    int options = 2, globals = 3, modules = 4, module = 5, list = 6;

    lua_settop(L, 1);
    ltw_push_thawed(L, &it->o->options);
    if (lua_isnil(L, options)) {
        lua_newtable(L);
        lua_replace(L, options);
    }
    push_environment(L, c->version, false);
    load_part(L, ltw_version_file(c->version), globals);
    lua_call(L, 0, 1);
    if (lua_type(L, module) != LUA_TTABLE)
        return luaL_error(L, "a script returns the table of its handlers, not a %s%s",
                          luaL_typename(L, module), lua_isnil(L, module) ?
                          ": its last line is `return M`" : "");
    ltw_handler_check(L, module);
    set_filters(L, it->o, c, options, module);
    add_methods(L, module);
    set_account(L, c, options, module);
    set_params(L, c, options, module);
    lua_createtable(L, LTW_CODE_HANDLERS + LTW_HANDLERS, 0);
    lua_insert(L, list);
    lua_rawseti(L, list, LTW_CODE_ACCOUNT);
    lua_pushvalue(L, module);
    lua_rawseti(L, list, LTW_CODE_MODULE);
    lua_pushvalue(L, modules);
    lua_rawseti(L, list, LTW_CODE_MODULES);
    for (int i = 0; i < LTW_HANDLERS; i++) {
        const char *name = ltw_handler_name(i);

        if (!name) continue;
        if (lua_getfield(L, module, name) == LUA_TFUNCTION)
            ltw_handler_bind(L, i, name, 0, &c->handler[i]);
        else if (!lua_isnil(L, -1))
            return luaL_error(L, "%s is a %s, not a function", name,
                              luaL_typename(L, -1));
        lua_rawseti(L, list, LTW_CODE_HANDLERS + i);
    }
    if (c->handler[LTW_ON_FIX].bound) {
        c->ear = ltw_fix_listen(ltw_state(L)->host, c->sessions.names);
        if (!c->ear) return luaL_error(L, "not enough memory");
    }
    for (int i = LTW_ON_ORDER; i <= LTW_ON_POSITION; i++)
        c->trades = c->trades || c->handler[i].bound;
    return 1;
}

/* [-0, +0, e]  Protected. */
static int load(lua_State *L)
{
    struct loading *it = lua_touserdata(L, 1);
    struct ltw_state *state = ltw_state(L);
    lua_State *co = lua_newthread(L);
    lua_Debug ar;
    int n, status;

    lua_pushcfunction(co, run_file);
    lua_pushlightuserdata(co, it);
    ltw_watchdog_enter(state, co);
    status = lua_resume(co, L, 1, &n);
    ltw_watchdog_leave(state);
    if (state->overrun) {
        lua_getfield(L, LUA_REGISTRYINDEX, LTW_OVERRUN);
        return luaL_error(L, "it ran for more than %f s without returning\n%s",
                          (double)state->host->time_max_ns / 1e9, lua_tostring(L, -1));
    }
    if (status == LUA_YIELD)
        return luaL_error(L, "the file itself can't wait; its on_start can");
    if (status != LUA_OK) {
        const char *text;

        lua_xmove(co, L, 1);
        ltw_error_push_text(L, -1);
        ltw_hint(L, co, 0);
        text = lua_tostring(L, -1);
        /* Only the file's own code has a way of calls worth telling. */
        if (lua_getstack(co, 1, &ar)) luaL_traceback(L, co, text, 0);
        else lua_pushstring(L, text);
        return lua_error(L);
    }
    lua_xmove(co, L, 1);
    it->code->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

int ltw_code_load(struct ltw_state *state, const struct ltw_script_options *o,
                  struct ltw_version *v, struct ltw_code *out)
{
    struct loading it = { o, out };
    int status;

    *out = (struct ltw_code){ .version = v, .ref = LUA_NOREF };
    ltw_version_ref(v);
    lua_pushcfunction(state->L, load);
    lua_pushlightuserdata(state->L, &it);
    status = lua_pcall(state->L, 1, 0, 0);
    if (status != LUA_OK) ltw_code_drop(state, out);
    return status;
}

void ltw_code_drop(struct ltw_state *state, struct ltw_code *c)
{
    if (!c->version) return;
    luaL_unref(state->L, LUA_REGISTRYINDEX, c->ref);
    if (c->metatypes) luaL_unref(state->L, LUA_REGISTRYINDEX, c->metatypes);
    ltw_fix_unlisten(state->host, c->ear);
    ltw_filter_free(&c->symbols);
    ltw_filter_free(&c->topics);
    ltw_filter_free(&c->sessions);
    tw_free(c->feeds.names);
    ltw_version_unref(c->version);
    if (c->declares) tw_any_unref(&c->params);
    *c = (struct ltw_code){ .ref = LUA_NOREF };
}

void ltw_code_push_module(lua_State *L, const struct ltw_code *c)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref);
    lua_rawgeti(L, -1, LTW_CODE_MODULE);
    lua_remove(L, -2);
}

void ltw_code_publish(lua_State *L, const struct ltw_code *c)
{
    int top = lua_gettop(L), modules = top + 2, loaded = top + 3;

    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref);
    lua_rawgeti(L, -1, LTW_CODE_MODULES);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    for (lua_pushnil(L); lua_next(L, modules); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, loaded);
    }
    lua_settop(L, top);
}

void ltw_code_open(lua_State *L)
{
    ltw_push_type(L, VERSION, version_gc);
    lua_pop(L, 1);
}
