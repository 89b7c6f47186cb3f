/* appfile.c - the app file: read at the start, and again while the app runs.
 *
 * Why states of their own: a version of the file may fail on its way, or never end, and
 * its functions share what its locals hold.  So each version runs once, in a state that
 * nobody else has, on a thread that nobody waits for; when it is taken up its functions
 * stay there, and MAIN's state calls them through a bridge.
 *
 * Layer lua.
 */
#include "run/appfile.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "code.h"
#include "embed/embedded.h"
#include "lerror.h"
#include "share/lvalue.h"
#include "output.h"
#include "reload/reload.h"
#include "source.h"
#include "task/tasks.h"
#include "watchdog.h"

enum { ARGS_MAX = 4 };

struct ltw_appfile {
    struct ltw_state *state;
    struct tw_any data;                   /* see stdlib/revision.lua */
    struct ltw_script_options *scripts;
    unsigned n;                           /* that are filled         */
    char differs[1024];
};

/* ---- a state for an app file ---- */

/* [-0, +0, e]  print(...) of the app file: nothing while it is tried; where a program is
 * around the host, for that. */
static int say(lua_State *L)
{
    const struct ltw_embedder *e = lua_touserdata(L, lua_upvalueindex(1));
    size_t n;
    const char *text;

    if (ltw_state(L)->muted) return 0;
    if (e) {
        ltw_push_line(L);
        text = lua_tolstring(L, -1, &n);
        if (e->line(e->ctx, TW_LOG_PRINT, "", text, n)) return 0;
        lua_insert(L, 1);
        lua_settop(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 0);
    return 0;
}

/* [-0, +0, e]  The state is the host's, too. */
static int open_state(lua_State *L)
{
    const struct tw_app *app = lua_touserdata(L, 1);

    if (app->o.embedder) {
        ltw_embedded_open(L);
        ltw_source_open(L);
    }
    lua_pushlightuserdata(L, (void *)app->o.embedder);
    lua_getglobal(L, "print");
    lua_pushcclosure(L, say, 2);
    lua_setglobal(L, "print");
    return 0;
}

struct ltw_state *ltw_appfile_new_state(struct tw_app *app, struct tw_error *error)
{
    struct ltw_state *state = ltw_state_new(NULL, 0);

    if (!state) goto fail;
    state->tasks = ltw_tasks_new(state, NULL, NULL, NULL);
    if (!state->tasks) goto fail;
    strcpy(state->who, "main");
    state->embedded = app->o.embedder ? &app->o.embedder->given : NULL;
    lua_pushcfunction(state->L, open_state);
    lua_pushlightuserdata(state->L, app);
    if (lua_pcall(state->L, 1, 0, 0) == LUA_OK) return state;
fail:
    ltw_state_free(state);
    tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    return NULL;
}

/* [-0, +1, e]  {name = text} of --set. */
static void push_sets(lua_State *L, const char *const *set)
{
    lua_newtable(L);
    for (; set && *set; set++) {
        const char *equals = strchr(*set, '=');

        if (!equals || equals == *set)
            luaL_error(L, "--set %s: name=value expected", *set);
        lua_pushlstring(L, *set, (size_t)(equals - *set));
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) != LUA_TNIL)
            luaL_error(L, "--set %s is given twice", lua_tostring(L, -2));
        lua_pop(L, 1);
        lua_pushstring(L, equals + 1);
        lua_rawset(L, -3);
    }
}

/* [-0, +1, e]  What that function of a module is. */
static void push_function(lua_State *L, const char *module, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

void ltw_appfile_run(lua_State *L, struct tw_app *app, struct ltw_version *v)
{
    const char *path = ltw_version_file(v)->path, *slash = strrchr(path, '/');
    int dir = lua_gettop(L) + 1, search = dir + 1;

    lua_pushlstring(L, path, slash ? (size_t)(slash + 1 - path) : 0);
    lua_pushfstring(L, "%s?.lua", lua_tostring(L, dir));
    lua_getglobal(L, "package");                        /* where require looks */
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s;%s", lua_tostring(L, search), lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_settop(L, search);
    lua_pushvalue(L, dir);
    lua_setfield(L, LUA_REGISTRYINDEX, LTW_DIRECTORY);
    push_function(L, "tw.app", "open");
    lua_pushstring(L, path);
    push_sets(L, app->o.set);
    lua_pushinteger(L, app->o.workers);
    lua_pushboolean(L, app->o.embedder != NULL);
    ltw_code_push_program(L, v);
    lua_call(L, 5, 1);
    lua_insert(L, dir);
    lua_setfield(L, dir, "search");
    lua_setfield(L, dir, "dir");
    lua_pushstring(L, path);
    lua_setfield(L, dir, "file");
    lua_pushvalue(L, dir);
    lua_setfield(L, LUA_REGISTRYINDEX, "tw.declared");
}

/* [-0, +1, e] */
static void push_data(lua_State *L, int declared)
{
    declared = lua_absindex(L, declared);
    push_function(L, "tw.revision", "data");
    lua_pushvalue(L, declared);
    lua_call(L, 1, 1);
}

void ltw_appfile_note(lua_State *L, struct tw_app *app)
{
    push_data(L, -1);
    app->declared = ltw_check_any_named(L, -1, "app");
    lua_pop(L, 1);
}

/* ---- trying a version ---- */

struct trial {
    struct tw_app *app;
    struct ltw_version *version;
    struct ltw_appfile *file;
};

/* [-0, +1, e]  What runs, as revision.compare takes it: what the instances were given
 * last may be of another version than the app file's. */
static void push_running(lua_State *L, const struct tw_app *app)
{
    ltw_push_thawed(L, &app->declared);
    lua_getfield(L, -1, "scripts");
    for (unsigned i = 0; i < app->n_scripts; i++) {
        const struct ltw_script_options *o = ltw_reload_options(app->reloads, i);

        lua_rawgeti(L, -1, o->id);
        ltw_push_thawed(L, &o->options);
        lua_setfield(L, -2, "options");
        ltw_set_integer(L, "restarts", o->restarts);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* [-0, +0, e]  What the table on top says to the instances. */
static void read_scripts(lua_State *L, const struct tw_app *app, struct ltw_appfile *file)
{
    lua_getfield(L, -1, "scripts");
    for (unsigned i = 0; i < app->n_scripts; i++) {
        struct ltw_script_options *o = &file->scripts[i];

        *o = app->scripts[i];
        o->version = NULL;
        o->options = (struct tw_any){ .kind = TW_VALUE_NIL };
        file->n = i + 1;
        lua_rawgeti(L, -1, o->id);
        lua_getfield(L, -1, "restarts");
        o->restarts = (unsigned)lua_tointeger(L, -1);
        lua_getfield(L, -2, "options");
        o->options = ltw_check_any(L, -1);
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
}

/* [-0, +0, e]  In a coroutine of its own. */
static int read_version(lua_State *L)
{
    const struct trial *t = lua_touserdata(L, 1);
    int declared = 1, data = 2;

    lua_settop(L, 0);
    ltw_appfile_run(L, t->app, t->version);
    push_data(L, declared);
    push_function(L, "tw.revision", "compare");
    push_running(L, t->app);
    lua_pushvalue(L, data);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) return lua_error(L);
    snprintf(t->file->differs, sizeof t->file->differs, "%s", lua_tostring(L, -2));
    t->file->data = ltw_check_any_named(L, data, "app");
    lua_settop(L, declared);
    read_scripts(L, t->app, t->file);
    return 0;
}

/* [-0, +1, e]  Why it failed, when it did.  Protected. */
static int try_version(lua_State *L)
{
    struct trial *t = lua_touserdata(L, 1);
    struct ltw_state *state = ltw_state(L);
    lua_State *co = lua_newthread(L);
    int n, status;

    lua_pushcfunction(co, read_version);
    lua_pushlightuserdata(co, t);
    ltw_watchdog_enter(state, co);
    status = lua_resume(co, L, 1, &n);
    ltw_watchdog_leave(state);
    if (status == LUA_OK) return 0;
    if (state->overrun)
        lua_pushfstring(L, "it ran for more than %f s without returning",
                        (double)t->app->host.time_max_ns / 1e9);
    else
        lua_xmove(co, L, 1), ltw_error_push_text(L, -1);
    return 1;
}

struct ltw_appfile *ltw_appfile_try(struct tw_app *app, struct ltw_version *v,
                                    const atomic_bool *over, char why[LTW_REASON])
{
    struct ltw_appfile *file = tw_calloc(1, sizeof *file);
    struct trial t = { app, v, file };
    struct tw_error error = { .text = "not enough memory" };
    const char *text = error.text;

    if (!file) goto fail;
    file->scripts = tw_calloc(app->n_scripts ? app->n_scripts : 1, sizeof *file->scripts);
    file->state = file->scripts ? ltw_appfile_new_state(app, &error) : NULL;
    if (!file->state) goto fail;
    ltw_scratch_limit(file->state, &app->host, over);
    lua_pushcfunction(file->state->L, try_version);
    lua_pushlightuserdata(file->state->L, &t);
    if (lua_pcall(file->state->L, 1, 1, 0) == LUA_OK && lua_isnil(file->state->L, -1)) {
        lua_settop(file->state->L, 0);
        ltw_tasks_are_mine(NULL);   /* MAIN's from here on */
        return file;
    }
    if (lua_isstring(file->state->L, -1)) text = lua_tostring(file->state->L, -1);
fail:
    snprintf(why, LTW_REASON, "%s", text);
    ltw_appfile_free(file);
    return NULL;
}

const char *ltw_appfile_differs(const struct ltw_appfile *file)
{
    return file->differs;
}

const struct ltw_script_options *ltw_appfile_scripts(const struct ltw_appfile *file)
{
    return file->scripts;
}

void ltw_appfile_free(struct ltw_appfile *file)
{
    if (!file) return;
    ltw_state_free(file->state);
    for (unsigned i = 0; i < file->n; i++) tw_any_unref(&file->scripts[i].options);
    tw_free(file->scripts);
    tw_any_unref(&file->data);
    tw_free(file);
}

/* ---- its functions, called from MAIN's state ---- */

struct call { const char *name; struct tw_any args[ARGS_MAX]; int n; bool result; };

/* [-0, +0, e]  In the file's state.  Protected. */
static int call_there(lua_State *L)
{
    struct call *c = lua_touserdata(L, 1);

    lua_settop(L, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, "tw.declared");
    lua_getfield(L, 1, c->name);
    for (int i = 0; i < c->n; i++) ltw_push_thawed(L, &c->args[i]);
    lua_call(L, c->n, 1);
    c->result = lua_toboolean(L, -1);
    return 0;
}

/* The upvalues: the app, the function's name. */
static int bridge(lua_State *L)
{
    struct tw_app *app = lua_touserdata(L, lua_upvalueindex(1));
    struct call c = { .name = lua_tostring(L, lua_upvalueindex(2)) };
    lua_State *there;
    int status;

    tw_be_main();
    there = app->file->state->L;
    for (; c.n < lua_gettop(L) && c.n < ARGS_MAX; c.n++)
        if (ltw_try_any(L, c.n + 1, &c.args[c.n]) < 0) break;
    lua_pushcfunction(there, ltw_traceback);
    lua_pushcfunction(there, call_there);
    lua_pushlightuserdata(there, &c);
    status = lua_pcall(there, 1, 0, 1);
    for (int i = 0; i < c.n; i++) tw_any_unref(&c.args[i]);
    if (status != LUA_OK) lua_pushstring(L, lua_tostring(there, -1));
    lua_settop(there, 0);
    if (status != LUA_OK) return lua_error(L);
    lua_pushboolean(L, c.result);
    return 1;
}

/* [-0, +0, e]  The bridge to a function of the file, when it has that. */
static void set_bridge(lua_State *L, struct tw_app *app, int declared, bool has,
                       const char *name)
{
    lua_pushnil(L);
    if (has) {
        lua_pop(L, 1);
        lua_pushlightuserdata(L, app);
        lua_pushstring(L, name);
        lua_pushcclosure(L, bridge, 2);
    }
    lua_setfield(L, declared, name);
}

static bool has(lua_State *L, int table, const char *name)
{
    bool is = lua_getfield(L, table, name) != LUA_TNIL;

    lua_pop(L, 1);
    return is;
}

/* [-0, +0, e]  What MAIN's state looks at is what the file declares.  Protected. */
static int commit(lua_State *L)
{
    struct tw_app *app = lua_touserdata(L, 1);
    const struct ltw_appfile *file = lua_touserdata(L, 2);
    int data = 1, declared = 2;

    lua_settop(L, 0);
    ltw_push_thawed(L, &file->data);
    lua_getfield(L, LUA_REGISTRYINDEX, "tw.declared");
    set_bridge(L, app, declared, has(L, data, "on_feed"), "on_feed");
    set_bridge(L, app, declared, has(L, data, "on_end"), "on_end");
    lua_getfield(L, data, "screen");
    lua_setfield(L, declared, "screen");
    lua_getfield(L, data, "reload");
    ltw_reload_configure(L, app->reloads);
    return 0;
}

bool ltw_appfile_commit(struct tw_app *app, struct ltw_appfile *file)
{
    lua_State *L = app->state->L;
    bool fine;

    lua_pushcfunction(L, commit);
    lua_pushlightuserdata(L, app);
    lua_pushlightuserdata(L, file);
    fine = lua_pcall(L, 2, 0, 0) == LUA_OK;
    if (!fine) lua_pop(L, 1);
    file->state->muted = false;
    file->state->bytes_max = 0;
    file->state->limit_ns = 0;
    file->state->over = NULL;
    file->state->host = &app->host;
    ltw_appfile_free(app->file);
    app->file = file;
    tw_any_unref(&app->declared);
    app->declared = file->data;
    file->data = (struct tw_any){ .kind = TW_VALUE_NIL };
    return fine;
}
