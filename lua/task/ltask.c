/* ltask.c - what stdlib/task.lua is made of: scopes and tasks of this state. */
#include <stdio.h>

#include "lerror.h"
#include "share/lfuture.h"
#include "ltime.h"
#include "task/park.h"
#include "task/remote.h"
#include "run/script.h"
#include "task/tasks.h"

#define SCOPE "tw.scope"

/* ---- scopes: a userdata { scope }, its user value the list of errors ---- */

struct box {
    struct ltw_scope *scope;  /* NULL: it was left                           */
    struct ltw_task *in;      /* who opened it                               */
    bool lost;                /* a task failed, and no memory to tell of it  */
};

static struct box *check_scope(lua_State *L, int idx)
{
    struct box *b = luaL_checkudata(L, idx, SCOPE);

    luaL_argcheck(L, b->scope, idx, "a scope that is open expected");
    return b;
}

/* enter([seconds [, shield]]): a new scope around what the running task does next. */
static int enter(lua_State *L)
{
    struct ltw_task *t = ltw_task_current(L);
    int64_t due_ns = ltw_task_due_ns(L, 1);
    bool shield = lua_toboolean(L, 2);
    struct box *b;

    if (!t) return luaL_error(L, "task: can't wait here, outside a task and a handler");
    b = lua_newuserdatauv(L, sizeof *b, 1);
    *b = (struct box){ .in = t };
    luaL_setmetatable(L, SCOPE);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    b->scope = ltw_scope_new(ltw_state(L), t->scope);
    if (!b->scope) return luaL_error(L, "task: not enough memory");
    if (due_ns) b->scope->due_ns = due_ns;
    b->scope->shield = shield;
    ltw_scope_unref(t->scope);
    t->scope = b->scope;
    ltw_scope_ref(t->scope);
    return 1;
}

/* leave(scope): the task is again where it was before; also its __close. */
static int leave(lua_State *L)
{
    struct box *b = luaL_checkudata(L, 1, SCOPE);
    struct ltw_task *t = ltw_task_current(L);

    if (b->scope && t == b->in && ltw_scope_is_within(t->scope, b->scope)) {
        struct ltw_scope *outer = b->scope->parent;

        if (outer) ltw_scope_ref(outer);
        ltw_scope_unref(t->scope);
        t->scope = outer;
    }
    ltw_scope_unref(b->scope);
    b->scope = NULL;
    return 0;
}

static int scope_gc(lua_State *L)
{
    struct box *b = luaL_checkudata(L, 1, SCOPE);

    if (!ltw_is_finalizer(L)) return 0;
    ltw_scope_unref(b->scope);
    b->scope = NULL;
    return 0;
}

/* cancel(scope) */
static int cancel(lua_State *L)
{
    struct box *b = check_scope(L, 1);

    ltw_scope_cancel(ltw_state(L)->tasks, b->scope, "its scope was told to end");
    return 0;
}

/* is_over(scope, error) -> boolean: is the error that scope's own doing? */
static int is_over(lua_State *L)
{
    struct box *b = luaL_checkudata(L, 1, SCOPE);

    lua_pushboolean(L, b->scope && ltw_error_scope(L, 2) == b->scope);
    return 1;
}

/* is_end(error) -> boolean: is it the end of a wait, by whatever scope? */
static int is_end(lua_State *L)
{
    lua_pushboolean(L, ltw_error_scope(L, 1) != NULL);
    return 1;
}

/* errors(scope) -> list: of tasks spawned in it, in the order in which they came */
static int errors(lua_State *L)
{
    struct box *b = luaL_checkudata(L, 1, SCOPE);

    lua_getiuservalue(L, 1, 1);
    if (b->lost) {
        lua_pushliteral(L, "a task failed, and there was no memory to tell how");
        ltw_error_wrap(L, L);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    return 1;
}

static bool join_live(void *scope, struct tw_wait *node)
{
    struct ltw_scope *s = scope;

    if (s->live > 0) tw_waiters_add_held(&s->joiners, node);
    return s->live > 0;
}

static void leave_live(void *scope, struct tw_wait *node)
{
    struct ltw_scope *s = scope;

    tw_waiters_remove_held(&s->joiners, node);
}

static int join_again(lua_State *L, int status, lua_KContext context)
{
    struct box *b = check_scope(L, 1);
    struct ltw_task *t = ltw_task_current(L);

    (void)status, (void)context;
    while (b->scope->live > 0) {
        ltw_task_leave(L);   /* before its place is made anew */
        t->place = (struct ltw_place){ .join = join_live, .leave = leave_live,
                                       .thing = b->scope };
        if (ltw_task_park(L, &t->place, 1, 0, "scope"))
            return lua_yieldk(L, 0, 0, join_again);
    }
    ltw_task_leave(L);
    return 0;
}

/* check(): raises when the scope that the running task is in is over */
static int check_over(lua_State *L)
{
    ltw_task_check(L, "scope");
    return 0;
}

/* join(scope): waits until every task that was spawned in it has ended. */
static int join(lua_State *L)
{
    return join_again(L, LUA_OK, 0);
}

/* ---- tasks ---- */

struct handle {
    struct ltw_box box;       /* its future              */
    struct ltw_task *task;    /* NULL: it has ended      */
};

struct ending {
    struct ltw_task *task;
    lua_State *co;
    struct handle *handle;
    int status;
};

/* Was the error on top of co the end of a wait that the task was told to end? */
static bool was_cancelled(const struct ltw_task *t, lua_State *co)
{
    const struct ltw_scope *by = ltw_error_scope(co, -1);

    return by && ltw_scope_is_within(t->own, by);
}

/* [-0, +1, -]  The scope that a task was spawned in, or NULL: it is detached. */
static struct box *push_owner(lua_State *L, const struct handle *h)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, h);
    lua_getiuservalue(L, -1, 2);
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

/* A detached task's error is told at once, unless somebody waits for it. */
static void tell_all(lua_State *L, struct tw_future *f, const struct tw_any *error)
{
    struct ltw_host *host = ltw_state(L)->host;

    if (!host || !host->unseen || tw_future_waiting(f) > 0) return;
    ltw_error_tell(L, error);
    tw_future_saw(f);
}

static void cancel_siblings(lua_State *L, const struct box *owner)
{
    if (owner->scope)
        ltw_scope_cancel(ltw_state(L)->tasks, owner->scope, "a task beside it failed");
}

/* [-0, +0, e]  The error at 3 is the handle's at 2 from now on; it is raised by the
 * scope that the task was spawned in. */
static void set_error(lua_State *L, const struct handle *h, struct tw_future *f)
{
    struct box *owner = push_owner(L, h);
    struct tw_any error;

    lua_pushvalue(L, 3);
    lua_setiuservalue(L, 2, 1);
    if (owner) {
        lua_getiuservalue(L, -1, 1);
        lua_pushvalue(L, 3);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        cancel_siblings(L, owner);
    }
    error = ltw_error_freeze(L, 3);
    if (owner) tw_future_saw(f);
    else tell_all(L, f, &error);
    tw_future_fail(f, error);
}

/* [-0, +0, e]  Protected: what the task gave goes to its handle. */
static int end(lua_State *L)
{
    struct ending *e = lua_touserdata(L, 1);
    struct tw_future *f = (struct tw_future *)e->handle->box.object;
    int n;

    lua_rawgetp(L, LUA_REGISTRYINDEX, e->handle);   /* 2: the handle */
    if (e->status == LUA_OK) {
        n = lua_gettop(e->co);
        luaL_checkstack(L, n + 2, "too many results");
        lua_createtable(L, n, 1);
        lua_xmove(e->co, L, n);
        for (int i = n; i > 0; i--) lua_rawseti(L, 3, i);
        lua_pushinteger(L, n);
        lua_setfield(L, 3, "n");
        lua_setiuservalue(L, 2, 1);
        tw_future_resolve(f, (struct tw_any){ .kind = TW_VALUE_NIL });
    } else if (was_cancelled(e->task, e->co)) {
        tw_future_cancel(f);
    } else {
        lua_xmove(e->co, L, 1);
        ltw_error_wrap(L, L);
        set_error(L, e->handle, f);
    }
    return 0;
}

/* There was no memory for the error or the results: that much can be told. */
static void lose(lua_State *L, const struct handle *h, struct tw_future *f)
{
    struct box *owner = push_owner(L, h);
    struct tw_any nil = { .kind = TW_VALUE_NIL };

    if (owner) {
        owner->lost = true;
        cancel_siblings(L, owner);
    } else {
        tell_all(L, f, &nil);
    }
    tw_future_fail(f, nil);
    lua_pop(L, 2);   /* the owner and the error */
}

static void on_ended(struct ltw_task *t, lua_State *co, int status)
{
    struct ending e = { t, co, t->ctx, status };
    lua_State *L = ltw_state(co)->L;
    struct tw_future *f = (struct tw_future *)e.handle->box.object;

    e.handle->task = NULL;
    lua_pushcfunction(L, end);
    lua_pushlightuserdata(L, &e);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lose(L, e.handle, f);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, e.handle);   /* there it was, so it needs none */
}

/* spawn(scope | nil, function, ...) -> handle: nil: it belongs to the script, or to
 * the program */
static int spawn(lua_State *L)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_scope *scope = state->script ? ltw_script_scope(state->script) : NULL;
    struct handle *h;
    lua_Debug ar;
    char name[48];

    if (!lua_isnil(L, 1)) scope = check_scope(L, 1)->scope;
    else if (state->task && state->task->level > 0)
        return luaL_error(L, "task.detach: a job of the pool leaves no task behind;"
                          " task.scope waits for those that it spawns");
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (!state->tasks) return luaL_error(L, "task.spawn: the state is closing");
    lua_pushvalue(L, 2);
    lua_getinfo(L, ">S", &ar);
    snprintf(name, sizeof name, "%.40s:%d", ar.short_src, ar.linedefined);
    h = lua_newuserdatauv(L, sizeof *h, 2);
    *h = (struct handle){ .box.mark = ltw_task_mark };
    luaL_setmetatable(L, LTW_TASK);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    lua_insert(L, 1);
    h->box.object = (struct tw_object *)tw_future_new(NULL);
    if (!h->box.object) return luaL_error(L, "task.spawn: not enough memory");
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, h);   /* until it ends */
    lua_remove(L, 2);
    h->task = ltw_task_spawn(L, lua_gettop(L) - 2, scope, name, on_ended, h);
    return 1;
}

/* follow(scope, function, ...) -> handle: as spawn, for what has to close something */
static int follow(lua_State *L)
{
    spawn(L);
    ((struct handle *)lua_touserdata(L, -1))->task->certain = true;
    return 1;
}

/* Documented in stdlib/task.lua. */
static int task_cancel(lua_State *L)
{
    struct handle *h = luaL_checkudata(L, 1, LTW_TASK);

    if (h->task)
        ltw_scope_cancel(ltw_state(L)->tasks, h->task->own, "it was told to end");
    return 0;
}

static int yield_again(lua_State *L, int status, lua_KContext context)
{
    (void)L, (void)status, (void)context;
    return 0;
}

/* pause(): lets the other tasks run */
static int pause_task(lua_State *L)
{
    if (ltw_task_park(L, NULL, 0, ltw_steady_ns(ltw_state(L)), "pause"))
        return lua_yieldk(L, 0, 0, yield_again);
    return 0;
}

/* remaining() -> seconds | nil: until the nearest deadline of the running task */
static int remaining(lua_State *L)
{
    struct ltw_task *t = ltw_task_current(L);
    int64_t due_ns = t ? ltw_scope_due_ns(t->scope) : INT64_MAX;

    if (due_ns == INT64_MAX) return 0;
    lua_pushnumber(L, (lua_Number)(due_ns - ltw_steady_ns(ltw_state(L))) / 1e9);
    return 1;
}

/* wrap(error) -> error: a message handler */
static int wrap(lua_State *L)
{
    return ltw_error_handler(L);
}

/* live() -> tasks, blocks, objects: that have not ended, and of the whole process */
static int live(lua_State *L)
{
    lua_pushinteger(L, ltw_tasks_count(ltw_state(L)->tasks));
    lua_pushinteger(L, (lua_Integer)tw_value_live());
    lua_pushinteger(L, (lua_Integer)tw_object_live());
    return 3;
}

/* report(text): for what goes on, but must not go unnoticed */
static int report(lua_State *L)
{
    struct ltw_state *state = ltw_state(L);
    const char *text = luaL_checkstring(L, 1);

    if (state->host && state->host->log)
        tw_log_printf(state->host->log, TW_LOG_WARN, state->who, "%s", text);
    else
        lua_writestringerror("tidewire: %s\n", text);
    return 0;
}

/* chain(error) -> error: a new one, of which it is the cause */
static int chain(lua_State *L)
{
    lua_settop(L, 1);
    ltw_error_chain(L);
    return 1;
}

static const luaL_Reg internal[] = {
    { "wrap", wrap },
    { "chain", chain },
    { "live", live },
    { "report", report },
    { "enter", enter },
    { "leave", leave },
    { "cancel", cancel },
    { "check", check_over },
    { "is_over", is_over },
    { "is_end", is_end },
    { "errors", errors },
    { "join", join },
    { "list", ltw_census_list },
    { "settled", ltw_future_first },
    { "spawn", spawn },
    { "follow", follow },
    { "spawn_on", ltw_remote_spawn },
    { "pause", pause_task },
    { "remaining", remaining },
    { NULL, NULL }
};

int luaopen_tw_internal_task(lua_State *L)
{
    luaL_newmetatable(L, SCOPE);
    lua_pushcfunction(L, leave);
    lua_setfield(L, -2, "__close");
    lua_pushcfunction(L, scope_gc);
    lua_setfield(L, -2, "__gc");
    luaL_getmetatable(L, LTW_TASK);
    luaL_getmetatable(L, tw_future_type.name);
    lua_newtable(L);   /* a future's methods, but for cancel */
    lua_getfield(L, -2, "__index");
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_settable(L, -6);
    }
    lua_pop(L, 1);
    lua_pushcfunction(L, task_cancel);
    lua_setfield(L, -2, "cancel");
    lua_setfield(L, -3, "__index");
    luaL_newlib(L, internal);
    ltw_set_integer(L, "TIMEDOUT", UV_ETIMEDOUT);
    ltw_set_integer(L, "CANCELED", UV_ECANCELED);
    return 1;
}
