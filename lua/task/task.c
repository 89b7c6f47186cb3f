/* task.c - one task: from its spawn to its end.
 *
 * Why: a Lua coroutine can yield from any depth, so waiting needs no other kind
 * of function.  What waits is parked (park.c) at places, in the lists of what it
 * waits for; whoever changes one of these things, on whatever thread, tells the
 * task's waker, and the state's own thread lets it look again (tasks.c).
 *
 *   READY --run--> RUNNING --park--> WAITING --told, due, cancelled--> READY
 *                     '------------> DONE
 *
 * Invariant
 *   K1  A yield without a park is an error: nothing would ever resume it.
 */
#include "task/task.h"

#include <stdio.h>

#include "base/memory.h"
#include "lerror.h"
#include "run/script.h"
#include "share/cache_load.h"
#include "task/taskset.h"
#include "watchdog.h"

struct ltw_task *ltw_task_current(lua_State *L)
{
    return ltw_state(L)->task;
}

/* ---- beginning ---- */

static void list(struct ltw_task *t, struct ltw_task **in)
{
    t->next = *in;
    if (t->next) t->next->link = &t->next;
    t->link = in;
    *in = t;
}

static void unlist(struct ltw_task *t)
{
    *t->link = t->next;
    if (t->next) t->next->link = t->link;
}

/* Room for a task is made when it is spawned: becoming ready can't fail. */
static void push_ready(struct ltw_task *t)
{
    ltw_ready_push(&t->of->ready, t);
}

void ltw_task_init(struct ltw_task *t, struct ltw_tasks *ts, struct ltw_scope *scope,
                   void (*woken)(struct ltw_task *), const char *name)
{
    struct ltw_state *state = ts->state;

    tw_waker_init(&t->waker, &ts->box);
    t->of = ts;
    t->woken = woken;
    t->ref = LUA_NOREF;
    t->due_ns = INT64_MAX;
    t->what = "";
    t->scope = scope;
    if (scope) ltw_scope_ref(scope);
    t->note.who = state->who;
    t->note.script = t->script ? ltw_script_options(t->script)->name : NULL;
    snprintf(t->note.name, sizeof t->note.name, "%s", name);
    ltw_task_set_state(t, LTW_TASK_READY);
    list(t, t->own ? &ts->all : &ts->others);
    ltw_census_enter(state->host ? state->host->census : NULL, &t->note);
}

/* In the task's coroutine: what is raised gets its traceback where it happens, and
 * what is to be closed is closed there, so that closing may wait. */
static int body_end(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    if (status != LUA_OK && status != LUA_YIELD) return lua_error(L);
    return lua_gettop(L) - 1;
}

static int body(lua_State *L)
{
    const struct ltw_task *t = ltw_task_current(L);
    int n = lua_gettop(L) - 1;
    struct ltw_scope *s;

    if (!t->certain && (s = ltw_scope_over(t->scope))) {
        ltw_error_push_over(L, s, "start");
        return lua_error(L);
    }
    lua_pushcfunction(L, ltw_error_handler);
    lua_insert(L, 1);
    return body_end(L, lua_pcallk(L, n, LUA_MULTRET, 1, 0, body_end), 0);
}

struct ltw_task *ltw_task_spawn(lua_State *L, int n, struct ltw_scope *scope,
                                const char *name,
                                void (*ended)(struct ltw_task *, lua_State *, int),
                                void *ctx)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_tasks *ts = state->tasks;
    int function = lua_gettop(L) - n;
    lua_State *co = lua_newthread(L);
    struct ltw_task *t;
    int ref;

    lua_insert(L, function);
    luaL_checkstack(co, n + 8, "too many arguments");
    lua_pushcfunction(co, body);
    lua_xmove(L, co, n + 1);
    ref = luaL_ref(L, LUA_REGISTRYINDEX);
    t = tw_calloc(1, sizeof *t);
    if (!t || !ltw_ready_reserve(&ts->ready, ts->count + 2)
        || !(scope = ltw_scope_new(state, scope))) {
        tw_free(t);
        luaL_unref(L, LUA_REGISTRYINDEX, ref);
        luaL_error(L, "task.spawn: not enough memory");
        return NULL;
    }
    t->note.parent = state->task ? state->task->note.id : 0;
    t->script = state->script;
    t->own = scope;
    ltw_task_init(t, ts, scope, push_ready, name);
    t->co = co;
    t->ref = ref;
    t->level = state->task ? state->task->level : 0;
    t->load = state->task ? state->task->load : NULL;
    if (t->load) tw_load_ref(t->load);
    t->budget = state->task ? state->task->budget : NULL;
    if (t->budget) t->budget->references++;
    t->ended = ended;
    t->ctx = ctx;
    ts->count++;
    if (scope->parent) scope->parent->live++;
    push_ready(t);
    return t;
}

bool ltw_task_limit(struct ltw_task *t, int64_t cpu_ns, int64_t bytes)
{
    t->budget = tw_calloc(1, sizeof *t->budget);
    if (!t->budget) return false;
    *t->budget = (struct ltw_budget){ .references = 1, .cpu_ns = cpu_ns, .bytes = bytes };
    return true;
}

/* ---- ending ---- */

void ltw_task_fini(struct ltw_task *t)
{
    struct ltw_tasks *ts = t->of;

    unlist(t);
    ltw_census_leave(&t->note);
    ltw_task_leave_places(t);
    ltw_due_remove(&ts->due, t);
    t->state = LTW_TASK_DONE;
    ltw_tasks_hear(ts);   /* nobody can tell it any more, but it may be in the box */
    ltw_scope_unref(t->scope);
    t->scope = NULL;
}

static void free_task(struct ltw_task *t)
{
    struct ltw_scope *spawned_in = t->own->parent;

    if (spawned_in && --spawned_in->live == 0)
        tw_waiters_tell_all_held(&spawned_in->joiners);
    luaL_unref(t->of->state->L, LUA_REGISTRYINDEX, t->ref);
    t->of->count--;
    ltw_scope_unref(t->own);
    if (t->load) tw_load_unref(t->load);
    if (t->budget && --t->budget->references == 0) tw_free(t->budget);
    ltw_task_fini(t);
    tw_free(t);
}

/* The results or the error of t are on top of its coroutine. */
static void end(struct ltw_task *t, int status)
{
    ltw_task_set_state(t, LTW_TASK_DONE);
    if (t->ended) t->ended(t, t->co, status);
    free_task(t);
}

/* ---- running ---- */

/* [-0, +1, m]  The error of a coroutine that yielded to nobody (K1). */
static int explain(lua_State *L)
{
    if (lua_toboolean(L, 1)) {
        lua_getfield(L, LUA_REGISTRYINDEX, LTW_OVERRUN);
        lua_pushfstring(L, "it ran for too long without waiting\n%s",
                        lua_tostring(L, -1));
    } else {
        lua_pushliteral(L, "coroutine.yield was called outside a coroutine of its own;"
                        " a task waits with task.sleep");
    }
    ltw_error_wrap(L, L);
    return 1;
}

/* Closes what a suspended coroutine has to close. */
static void reset(struct ltw_task *t)
{
    struct ltw_state *state = t->of->state;

    ltw_watchdog_enter(state, t->co);
    lua_resetthread(t->co);
    ltw_watchdog_leave(state);
    lua_settop(t->co, 0);
}

/* It yielded, but not to wait: that is its error. */
static void refuse(struct ltw_task *t)
{
    struct ltw_state *state = t->of->state;
    bool overrun = state->overrun;

    reset(t);
    lua_pushcfunction(state->L, explain);
    lua_pushboolean(state->L, overrun);
    lua_pcall(state->L, 1, 1, 0);   /* either way there is an error on top */
    lua_xmove(state->L, t->co, 1);
}

void ltw_task_run(struct ltw_task *t)
{
    struct ltw_state *state = t->of->state;
    struct ltw_task *before = state->task;
    int n, status;

    state->task = t;
    state->script = t->script;
    state->parked = false;
    ltw_task_set_state(t, LTW_TASK_RUNNING);
    ltw_watchdog_enter(state, t->co);
    n = lua_status(t->co) == LUA_YIELD ? 0 : lua_gettop(t->co) - 1;
    status = lua_resume(t->co, state->L, n, &n);
    ltw_watchdog_leave(state);
    if (status == LUA_YIELD && state->parked) {
        state->parked = false;
    } else {
        if (status == LUA_YIELD) refuse(t);   /* K1, or stopped by the watchdog */
        end(t, status);
    }
    state->task = before;
    state->script = before ? before->script : NULL;
}

void ltw_task_drop(struct ltw_task *t)
{
    t->of->state->task = t;
    reset(t);
    free_task(t);
}
