/* evaluate.c - a line of somebody attached, evaluated in a worker's state.
 *
 * Why not a task that MAIN's state sends (remote.h): a worker's own task can be given a
 * budget before its first instruction, and nothing but bytes comes back.
 */
#include "attach/evaluate.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "task/runner.h"

struct ltw_evaluation *ltw_evaluation_new(const char *line, size_t n)
{
    struct ltw_evaluation *e = tw_calloc(1, sizeof *e + n + 1);

    if (!e) return NULL;
    atomic_init(&e->references, 1);
    e->length = n;
    memcpy(e->line, line, n);
    return e;
}

void ltw_evaluation_unref(struct ltw_evaluation *e)
{
    /* order [evaluation.references] acq_rel: every use comes before the free */
    if (atomic_fetch_sub_explicit(&e->references, 1, memory_order_acq_rel) > 1) return;
    tw_free(e->text);
    tw_free(e);
}

/* ---- on the worker ---- */

static void finish(struct ltw_evaluation *e, bool fine, const char *text, size_t n)
{
    if (n > LTW_SAID_MAX) n = LTW_SAID_MAX;
    if (e->home) ltw_runner_leave(e->home);
    e->home = NULL;
    e->fine = fine;
    e->task = NULL;
    e->text = tw_calloc(1, n + 1);
    if (e->text) memcpy(e->text, text, n);
    e->n = e->text ? n : 0;
    e->ended(e);
}

static void refuse(struct ltw_evaluation *e, const char *why)
{
    finish(e, false, why, strlen(why));
}

static void on_ended(struct ltw_task *t, lua_State *co, int status);

static struct ltw_evaluation *current(lua_State *L)
{
    struct ltw_task *t = ltw_task_current(L);

    return t && t->ended == on_ended ? t->ctx : NULL;
}

/* [-0, +0, e]  say(text): what the evaluation prints, which comes at once.  A function
 * that kept it, and calls it later, says it to the run. */
static int say(lua_State *L)
{
    struct ltw_evaluation *e = current(L);
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);

    if (!e) {
        tw_log_write(ltw_state(L)->host->log, TW_LOG_PRINT, "", text, n);
        return 0;
    }
    if (n > LTW_SAID_MAX - e->said_bytes)
        return luaL_error(L, "print: more than %d KiB", LTW_SAID_MAX >> 10);
    e->said_bytes += n;
    if (!e->said(e, text, n)) return luaL_error(L, "not enough memory");
    return 0;
}

/* The budget was used up, or the error is its own, which is a text: what the line raises
 * is caught.  What ended it before its first turn has raised an object. */
static void tell_error(struct ltw_evaluation *e, const struct ltw_task *t, lua_State *co,
                       int status)
{
    const struct ltw_budget *left = t->budget;
    bool stopped = status == LUA_YIELD && left;
    bool ended = stopped || (left && lua_type(co, -1) != LUA_TSTRING);
    char text[160];
    size_t n;

    if (stopped && left->cpu_ns <= 0) {
        snprintf(text, sizeof text, "stopped: it took more than %g ms of CPU time; see"
                 " --cpu in `tidewire help attach`", (double)e->cpu_ns / 1e6);
        refuse(e, text);
    } else if (stopped && left->bytes <= 0) {
        snprintf(text, sizeof text, "stopped: it took more than %g MiB of memory; see"
                 " --memory in `tidewire help attach`", (double)e->bytes / 1048576);
        refuse(e, text);
    } else if (stopped && left->has_held) {
        refuse(e, "stopped: 10 ms in a place where it can't step aside (gsub, sort, an"
               " error handler)");
    } else if (ended && e->cancelled) {
        refuse(e, "cancelled");
    } else if (ended && tw_clock_steady_ns() >= t->own->due_ns) {
        snprintf(text, sizeof text, "stopped: it took longer than %g s; see --wait in"
                 " `tidewire help attach`", (double)e->wait_ns / 1e9);
        refuse(e, text);
    } else if (lua_type(co, -1) == LUA_TSTRING) {
        const char *s = lua_tolstring(co, -1, &n);

        finish(e, false, s, n);
    } else {   /* nothing of the line's runs here: it has no budget */
        refuse(e, "an error that can't be shown");
    }
}

static void on_ended(struct ltw_task *t, lua_State *co, int status)
{
    struct ltw_evaluation *e = t->ctx;
    size_t n = 0;
    const char *text;

    if (status != LUA_OK) {
        tell_error(e, t, co, status);
        return;
    }
    text = lua_tolstring(co, -1, &n);
    finish(e, lua_toboolean(co, -2), text ? text : "", n);
}

/* [-0, +0, e]  Protected: the evaluation becomes a task. */
static int start(lua_State *L)
{
    struct ltw_evaluation *e = lua_touserdata(L, 1);
    char name[LTW_TASK_NAME];

    lua_settop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.evaluate");
    lua_call(L, 1, 1);
    lua_getfield(L, 2, e->what);
    lua_pushlstring(L, e->line, e->length);
    lua_pushcfunction(L, say);
    if (e->script >= 0) ltw_script_push_self(L, e->engine->scripts[e->script]);
    else lua_pushnil(L);
    if (e->script >= 0 && lua_isnil(L, -1))
        return luaL_error(L, "the script has failed: it has no self");
    snprintf(name, sizeof name, "attached: %.*s", (int)strcspn(e->line, "\n"), e->line);
    e->task = ltw_task_spawn(L, 3, NULL, name, on_ended, e);
    if (e->script >= 0) e->task->script = e->engine->scripts[e->script];
    e->task->own->due_ns = tw_clock_steady_ns() + e->wait_ns;
    if (ltw_task_limit(e->task, e->cpu_ns, e->bytes)) {
        e->task->budget->is_bounded = strcmp(e->what, "change") != 0;
        return 0;
    }
    ltw_scope_cancel(e->state->tasks, e->task->own, "not enough memory");
    return 0;
}

static bool find_state(struct ltw_evaluation *e)
{
    const struct ltw_engine *g = e->engine;

    if (g) e->state = g->going && !g->stopping ? g->state : NULL;
    else e->state = ltw_runner_enter(e->runner, &e->home);
    return e->state != NULL;
}

static void begin(void *arg)
{
    struct ltw_evaluation *e = arg;
    lua_State *L;

    if (e->cancelled) {
        refuse(e, "cancelled");
        return;
    }
    if (!find_state(e)) {
        refuse(e, e->engine ? "the run is ending" : "there is no memory for a state");
        return;
    }
    L = e->state->L;
    lua_pushcfunction(L, start);
    lua_pushlightuserdata(L, e);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return;
    refuse(e, lua_isstring(L, -1) ? lua_tostring(L, -1) : "not enough memory");
    lua_pop(L, 1);
}

static void cancel(void *arg)
{
    struct ltw_evaluation *e = arg;

    e->cancelled = true;
    if (e->task)
        ltw_scope_cancel(e->state->tasks, e->task->own,
                         "who asked for it no longer wants it");
    ltw_evaluation_unref(e);
}

/* ---- on MAIN ---- */

int ltw_evaluation_begin(struct ltw_evaluation *e)
{
    return tw_worker_post(e->worker, begin, e);
}

void ltw_evaluation_cancel(struct ltw_evaluation *e)
{
    /* order [evaluation.references] relaxed: the caller has one already */
    atomic_fetch_add_explicit(&e->references, 1, memory_order_relaxed);
    if (tw_worker_post(e->worker, cancel, e) < 0) ltw_evaluation_unref(e);
}
