/* lerror.c - errors that know where they happened, in whatever state.
 *
 * An error that leaves its task, or its state, is a table with these fields:
 *
 *   message     what was raised, as a text
 *   value       what was raised, when that was no text and can be frozen
 *   traceback   of the coroutine that raised it
 *   worker      the thread: "main", "worker 0", "pool 1"
 *   script      whose code it was, or nil
 *   task        the task's name, or nil
 *   cause       the error that this one passes on, or nil
 *   also        a list of other errors that came with it, or nil
 *   code        a number for what a program may expect (timed out), or nil
 *
 * tostring gives the message and every traceback, the first cause first.
 */
#include "lerror.h"

#include <string.h>
#include <uv.h>

#include "hint.h"
#include "run/script.h"
#include "share/failure.h"
#include "task/task.h"

#define ERROR "tw.error"
#define SCOPE "scope"    /* of an error that ends a wait: whose doing it is, in a */
#define HELD "tw.error.scope"   /* userdata that holds the scope */

static bool is_error(lua_State *L, int idx)
{
    bool is = false;

    if (lua_type(L, idx) == LUA_TTABLE && lua_getmetatable(L, idx)) {
        luaL_getmetatable(L, ERROR);
        is = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    return is;
}

const char *ltw_error_push_text(lua_State *L, int idx)
{
    int top = lua_gettop(L);
    struct tw_any value;

    idx = lua_absindex(L, idx);
    if (lua_isstring(L, idx)) return lua_pushstring(L, lua_tostring(L, idx));
    if (luaL_callmeta(L, idx, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
        return lua_tostring(L, -1);
    lua_settop(L, top);
    if (!lua_istable(L, idx) || ltw_try_any(L, idx, &value) != 0) {
        lua_settop(L, top);
        return lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, idx));
    }
    ltw_push_any(L, &value);
    tw_any_unref(&value);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}

int ltw_error_as_text(lua_State *L)
{
    ltw_error_push_text(L, 1);
    return 1;
}

/* [-0, +0, m]  Says in the error on top who runs. */
static void set_place(lua_State *L)
{
    struct ltw_state *state = ltw_state(L);

    ltw_set_text(L, "worker", state->who);
    if (state->script) ltw_set_text(L, "script", ltw_script_options(state->script)->name);
    if (state->task && state->task->note.name[0]) {
        ltw_set_text(L, "task", state->task->note.name);
    }
}

void ltw_error_wrap(lua_State *L, lua_State *co)
{
    int raised = lua_gettop(L);
    struct tw_any value;

    if (is_error(L, raised)) return;
    lua_newtable(L);
    ltw_error_push_text(L, raised);
    lua_setfield(L, raised + 1, "message");
    if (!lua_isstring(L, raised) && !lua_isnil(L, raised)) {
        if (ltw_try_any(L, raised, &value) == 0) {
            ltw_push_any(L, &value);
            tw_any_unref(&value);
            lua_setfield(L, raised + 1, "value");
        } else {
            lua_pop(L, 1);
        }
    }
    luaL_traceback(L, co, NULL, L == co);
    lua_setfield(L, raised + 1, "traceback");
    set_place(L);
    luaL_setmetatable(L, ERROR);
    lua_replace(L, raised);
}

int ltw_error_handler(lua_State *L)
{
    lua_settop(L, 1);
    ltw_hint(L, L, 1);
    ltw_error_wrap(L, L);
    return 1;
}

void ltw_error_chain(lua_State *L)
{
    int cause = lua_gettop(L);

    lua_newtable(L);
    lua_getfield(L, cause, "message");
    lua_setfield(L, -2, "message");
    lua_getfield(L, cause, "value");
    lua_setfield(L, -2, "value");
    lua_getfield(L, cause, "code");
    lua_setfield(L, -2, "code");
    luaL_traceback(L, L, NULL, 1);
    lua_setfield(L, -2, "traceback");
    set_place(L);
    lua_pushvalue(L, cause);
    lua_setfield(L, -2, "cause");
    luaL_setmetatable(L, ERROR);
    lua_replace(L, cause);
}

/* [-1, +1, m]  The message on top as an error of that code. */
static void push_coded(lua_State *L, int code)
{
    lua_newtable(L);
    lua_insert(L, -2);
    lua_setfield(L, -2, "message");
    ltw_set_integer(L, "code", code);
    luaL_traceback(L, L, NULL, 1);
    lua_setfield(L, -2, "traceback");
    set_place(L);
    luaL_setmetatable(L, ERROR);
}

void ltw_error_push_cancelled(lua_State *L, const char *what, const char *why)
{
    lua_pushfstring(L, "%s: cancelled: %s", what, why);
    push_coded(L, UV_ECANCELED);
}

void ltw_error_push_over(lua_State *L, struct ltw_scope *s, const char *what)
{
    struct ltw_scope **held;

    if (s->cancelled) {
        ltw_error_push_cancelled(L, what, s->why);
    } else {
        lua_pushfstring(L, "%s: the time is over", what);
        push_coded(L, UV_ETIMEDOUT);
    }
    held = lua_newuserdatauv(L, sizeof *held, 0);
    *held = NULL;
    luaL_setmetatable(L, HELD);
    *held = s;
    ltw_scope_ref(s);
    lua_setfield(L, -2, SCOPE);
}

static int held_gc(lua_State *L)
{
    struct ltw_scope **held = luaL_checkudata(L, 1, HELD);

    if (!ltw_is_finalizer(L)) return 0;
    ltw_scope_unref(*held);
    *held = NULL;
    return 0;
}

const struct ltw_scope *ltw_error_scope(lua_State *L, int idx)
{
    struct ltw_scope **held;

    if (!is_error(L, idx)) return NULL;
    lua_getfield(L, idx, SCOPE);
    held = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return held ? *held : NULL;
}

/* ---- across states ---- */

static const char *const kept[] = {
    "message", "value", "traceback", "worker", "script", "task", "code"
};

/* [-0, +1, e]  The error at idx, its causes too, as tables without metatables. */
static void push_plain(lua_State *L, int idx)
{
    idx = lua_absindex(L, idx);
    luaL_checkstack(L, 8, "error");
    lua_newtable(L);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        lua_getfield(L, idx, kept[i]);
        lua_setfield(L, -2, kept[i]);
    }
    if (lua_getfield(L, idx, "cause") == LUA_TTABLE) {
        push_plain(L, -1);
        lua_setfield(L, -3, "cause");
    }
    lua_pop(L, 1);
    if (lua_getfield(L, idx, "also") == LUA_TTABLE) {
        lua_newtable(L);
        for (lua_Integer i = 1; lua_geti(L, -2, i) == LUA_TTABLE; i++) {
            push_plain(L, -1);
            lua_rawseti(L, -3, i);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
        lua_setfield(L, -3, "also");
    }
    lua_pop(L, 1);
}

static int freeze(lua_State *L)
{
    struct tw_any *out = lua_touserdata(L, 2);

    push_plain(L, 1);
    *out = ltw_check_any(L, -1);
    return 0;
}

struct tw_any ltw_error_freeze(lua_State *L, int idx)
{
    struct tw_any error = { .kind = TW_VALUE_NIL };

    lua_pushvalue(L, idx);
    ltw_error_wrap(L, L);
    lua_pushcfunction(L, freeze);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, &error);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
    return error;
}

/* [-0, +1, m]  A table of the registry with weak keys, or weak values too. */
static void push_kept(lua_State *L, const void *key, const char *mode)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
    lua_pop(L, 1);
    ltw_push_weak(L, mode);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

/* [-1, +1, m]  From the frozen table on top to an error of this state: the very same
 * each time, so that who is told of it twice can see that. */
static void revive(lua_State *L)
{
    static const char errors, views;
    int from = lua_gettop(L);

    luaL_checkstack(L, 10, "error");
    push_kept(L, &errors, "kv");
    lua_pushvalue(L, from);
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        lua_replace(L, from);
        lua_settop(L, from);
        return;
    }
    lua_settop(L, from);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        lua_getfield(L, from, kept[i]);
        lua_setfield(L, -2, kept[i]);
    }
    if (lua_getfield(L, from, "cause") != LUA_TNIL) revive(L);
    lua_setfield(L, from + 1, "cause");
    if (lua_getfield(L, from, "also") != LUA_TNIL) {
        lua_newtable(L);
        for (lua_Integer i = 1; lua_geti(L, -2, i) != LUA_TNIL; i++) {
            revive(L);
            lua_rawseti(L, -2, i);
        }
        lua_pop(L, 1);
        lua_setfield(L, from + 1, "also");
    }
    lua_settop(L, from + 1);
    luaL_setmetatable(L, ERROR);
    push_kept(L, &errors, "kv");
    lua_pushvalue(L, from);
    lua_pushvalue(L, from + 1);
    lua_rawset(L, -3);
    push_kept(L, &views, "k");   /* the view stays as long as the error */
    lua_pushvalue(L, from + 1);
    lua_pushvalue(L, from);
    lua_rawset(L, -3);
    lua_settop(L, from + 1);
    lua_replace(L, from);
}

void ltw_error_push(lua_State *L, const struct tw_any *error)
{
    if (error->kind == TW_VALUE_BLOCK) {
        ltw_push_any(L, error);
        revive(L);
    } else {
        lua_pushliteral(L, "not enough memory for what the error was");
        lua_newtable(L);
        lua_insert(L, -2);
        lua_setfield(L, -2, "message");
        luaL_setmetatable(L, ERROR);
    }
}

/* ---- text ---- */

/* [-0, +1, m]  A line break, "in pool 1, script x.lua: " and the traceback of the error
 * at idx; nothing when it has neither, as one that no code raised. */
static void push_story(lua_State *L, int idx)
{
    const char *worker, *script, *traceback;
    int top = lua_gettop(L);

    lua_getfield(L, idx, "worker");
    lua_getfield(L, idx, "script");
    lua_getfield(L, idx, "traceback");
    worker = lua_tostring(L, top + 1);
    script = lua_tostring(L, top + 2);
    traceback = lua_tostring(L, top + 3);
    if (!worker && !traceback)
        lua_pushliteral(L, "");
    else
        lua_pushfstring(L, "\nin %s%s%s: %s", worker ? worker : "?",
                        script ? ", script " : "", script ? script : "",
                        traceback ? traceback : "no traceback");
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

/* [-0, +0, m]  The errors that came with the one at idx, behind the text at 2. */
static void add_also(lua_State *L, int idx)
{
    int top = lua_gettop(L);

    if (lua_getfield(L, idx, "also") == LUA_TTABLE)
        for (lua_Integer i = 1; lua_geti(L, top + 1, i) == LUA_TTABLE; i++) {
            luaL_tolstring(L, -1, NULL);
            lua_pushfstring(L, "%s\nalso: %s", lua_tostring(L, 2), lua_tostring(L, -1));
            lua_replace(L, 2);
            lua_settop(L, top + 1);
        }
    lua_settop(L, top);
}

static int error_tostring(lua_State *L)
{
    lua_settop(L, 1);
    lua_getfield(L, 1, "message");
    luaL_tolstring(L, -1, NULL);
    lua_replace(L, 2);
    lua_settop(L, 2);
    /* 3, 4, ...: the error and its causes, to be told from the last one on */
    lua_pushvalue(L, 1);
    while (lua_checkstack(L, 8) && lua_getfield(L, -1, "cause") == LUA_TTABLE) {
    }
    lua_pop(L, 1);
    for (int i = lua_gettop(L); i >= 3; i--) {
        push_story(L, i);
        lua_pushfstring(L, "%s%s", lua_tostring(L, 2), lua_tostring(L, -1));
        lua_replace(L, 2);
        lua_pop(L, 1);
    }
    for (int i = lua_gettop(L); i >= 3; i--) add_also(L, i);
    lua_settop(L, 2);
    return 1;
}

void ltw_error_open(lua_State *L)
{
    luaL_newmetatable(L, ERROR);
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    ltw_push_type(L, HELD, held_gc);
    lua_pop(L, 2);
}

void ltw_error_tell(lua_State *L, const struct tw_any *error)
{
    struct ltw_host *host = ltw_state(L)->host;
    struct ltw_script *script = ltw_state(L)->script;
    char text[4096];

    if (script && ltw_script_is_muted(script)) {
        tw_failure_text(error, text, sizeof text);
        ltw_shadow_failed(script, text);
    } else {
        host->unseen->tell(host->unseen->ctx, error);
    }
}
