/* engine.c - what a worker runs: one Lua state and its scripts. */
#include "run/engine.h"

#include <string.h>

#include "base/memory.h"
#include "run/idle.h"
#include "run/instance.h"
#include "distrust.h"
#include "reload/job.h"
#include "output.h"
#include "task/remote.h"
#include "share/caches.h"
#include "task/tasks.h"
#include "watchdog.h"

enum { GC_BYTES = 65536 };   /* garbage that idle time is spent on */
enum { BACKOFF_MS = 100, BACKOFF_DOUBLINGS = 7 };
enum { IN_STEP_NS = 50000 };   /* the next record is near: longer than to bring it */

static void publish_memory(struct ltw_engine *e)
{
    /* order [engine.memory] relaxed: statistics for MAIN */
    atomic_store_explicit(&e->bytes, e->state->bytes, memory_order_relaxed);
    /* order [engine.memory] relaxed: statistics for MAIN */
    atomic_store_explicit(&e->bytes_peak, e->state->bytes_peak, memory_order_relaxed);
    /* order [engine.memory] relaxed: statistics for MAIN */
    atomic_store_explicit(&e->allocations, e->state->allocations, memory_order_relaxed);
}

int ltw_engine_set_path(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_setfield(L, LUA_REGISTRYINDEX, LTW_ENGINE);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s;%s", lua_tostring(L, 1), lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    return 0;
}

/* [-0, +0, e]  Protected: as ltw_engine_set_path, and what all its scripts may. */
static int prepare(lua_State *L)
{
    struct ltw_engine *e = lua_touserdata(L, 2);

    ltw_engine_set_path(L);
    if (ltw_distrust_as(L, NULL, e->options, e->n)) ltw_remotes_distrust(e->remotes);
    return 0;
}

static void ring(void *worker)
{
    tw_worker_ring(worker);
}

static void expect(void *worker, int64_t ns)
{
    tw_worker_expect(worker, ns);
}

static int make_tasks(struct ltw_engine *e)
{
    struct ltw_state *s = e->state;

    s->pulse = &e->pulse;
    memcpy(s->who, e->who, sizeof s->who);
    s->tasks = ltw_tasks_new(s, tw_worker_loop(e->worker), ring, e->worker);
    if (!s->tasks) return UV_ENOMEM;
    ltw_tasks_on_await(s->tasks, expect);
    return TW_OK;
}

static int engine_open(void *ctx)
{
    struct ltw_engine *e = ctx;
    lua_State *L;

    ltw_watchdog_join();
    e->state = ltw_state_new(e->host, e->host->memory_max);
    e->scripts = tw_calloc(e->n ? e->n : 1, sizeof *e->scripts);
    e->restarts = tw_calloc(e->n ? e->n : 1, sizeof *e->restarts);
    if (!e->state || !e->scripts || !e->restarts || make_tasks(e) < 0)
        return tw_fail(&e->error, UV_ENOMEM, "%s: %s", e->who, tw_strerror(UV_ENOMEM));
    L = e->state->L;
    lua_pushcfunction(L, prepare);
    lua_pushstring(L, e->path);
    lua_pushlightuserdata(L, e);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        return tw_fail(&e->error, TW_ESCRIPT, "%s", lua_tostring(L, -1));
    ltw_output_open(e->state);
    for (unsigned i = 0; i < e->n; i++) {
        e->scripts[i] = ltw_script_new(e, &e->options[i], &e->counts[i], &e->error);
        if (!e->scripts[i]) return e->error.code;
    }
    publish_memory(e);
    return TW_OK;
}

static void on_restart(uv_timer_t *timer)
{
    struct ltw_engine *e = timer->data;
    struct ltw_script *s = e->scripts[timer - e->restarts];
    struct tw_error error;

    if (e->stopping) return;
    if (ltw_script_is_changing(s)) {   /* it restarts with what is decided */
        uv_timer_start(timer, on_restart, BACKOFF_MS, 0);
        return;
    }
    if (ltw_script_restart(s, &error) == TW_OK) return;
    tw_log_printf(e->host->log, TW_LOG_ERROR, e->who, "can't restart: %s", error.text);
    e->failed(e->ctx, true);
}

/* After 0.1 s, then twice that, up to 12.8 s; past the limit the run ends. */
static void on_failure(struct ltw_engine *e, unsigned i)
{
    const struct ltw_script_options *o = ltw_script_options(e->scripts[i]);
    uv_timer_t *timer = &e->restarts[i];
    /* order [script.counts] relaxed: this thread's own count */
    uint64_t errors = atomic_load_explicit(&e->counts[i].errors, memory_order_relaxed);
    uint64_t ms;

    if (o->restarts == 0) {
        e->failed(e->ctx, true);
        return;
    }
    if (errors > o->restarts) {
        tw_log_printf(e->host->log, TW_LOG_ERROR, e->who,
                      "script %s failed %llu times: not restarted again", o->name,
                      (unsigned long long)errors);
        e->failed(e->ctx, true);
        return;
    }
    ms = BACKOFF_MS << (errors <= BACKOFF_DOUBLINGS ? errors - 1 : BACKOFF_DOUBLINGS);
    tw_log_printf(e->host->log, TW_LOG_WARN, e->who, "script %s restarts in %.1f s",
                  o->name, (double)ms / 1e3);
    if (!timer->data) {
        uv_timer_init(tw_worker_loop(e->worker), timer);
        timer->data = e;
        e->handles++;
    }
    uv_timer_start(timer, on_restart, ms, 0);
    e->failed(e->ctx, false);
}

static void tell_idle(struct ltw_engine *e)
{
    char text[LTW_IDLE_TEXT];

    e->has_told = true;
    for (unsigned i = 0; i < e->n; i++)
        if (ltw_idle_text(e->scripts[i], text))
            tw_log_printf(e->host->log, TW_LOG_WARN, "", "%s", text);
}

static void check_end(struct ltw_engine *e)
{
    if (!e->stopping) return;
    for (unsigned i = 0; e->going && i < e->n; i++)
        if (!ltw_script_ended(e->scripts[i])) return;
    if (e->going && !e->has_told) tell_idle(e);
    if (e->leaving) return;
    if (ltw_remotes_running(e->remotes) > 0) return;
    tw_be_worker();
    tw_worker_quit(e->worker);
}

static bool step(void *ctx)
{
    struct ltw_engine *e = ctx;
    bool worked = false;

    for (unsigned i = 0; e->going && i < e->n; i++) {
        enum ltw_step did = ltw_script_step(e->scripts[i]);

        worked = worked || did != LTW_IDLE;
        if (did == LTW_FAILED) on_failure(e, i);
        ltw_script_yield_turn(e->scripts[i]);
    }
    for (unsigned i = 0; e->going && i < e->n; i++)
        worked = ltw_shadow_step(e->scripts[i]) || worked;
    ltw_shadow_sweep(e, false);
    worked = (e->going && ltw_remotes_step(e->remotes, e->state)) || worked;
    worked = ltw_tasks_step(e->state->tasks) || worked;
    if (e->going && worked && e->in_step) tw_worker_expect(e->worker, IN_STEP_NS);
    if (e->going && !ltw_tasks_ready(e->state->tasks))
        for (unsigned i = 0; i < e->n; i++) ltw_script_pass(e->scripts[i]);
    check_end(e);
    return worked;
}

static bool ready(void *ctx)
{
    struct ltw_engine *e = ctx;

    for (unsigned i = 0; e->going && i < e->n; i++)
        if (ltw_script_ready(e->scripts[i]) || ltw_shadow_ready(e->scripts[i]))
            return true;
    return ltw_tasks_ready(e->state->tasks)
        || (e->going && ltw_remotes_ready(e->remotes));
}

/* What the caches have to tidy, then a small step of the collector, as long as there
 * is much to collect. */
static bool idle(void *ctx)
{
    struct ltw_engine *e = ctx;

    publish_memory(e);
    if (tw_caches_advance(e->host->caches)) return true;
    if (e->state->bytes < e->collected + GC_BYTES) return false;
    if (lua_gc(e->state->L, LUA_GCSTEP, 0)) e->collected = e->state->bytes;
    return true;
}

static uint64_t quiet(void *ctx)
{
    struct ltw_engine *e = ctx;
    uint64_t min = UINT64_MAX;

    if (!e->going) return 0;   /* on_start is still to come */
    for (unsigned i = 0; i < e->n; i++) {
        uint64_t seq = ltw_script_quiet(e->scripts[i]);

        if (seq < min) min = seq;
    }
    return ltw_tasks_are_expecting(e->state->tasks) ? 0 : min;
}

static void halt(struct ltw_engine *e)
{
    if (!e->has_halted) e->halted(e->ctx);
    e->has_halted = true;
}

static void on_closed(uv_handle_t *h)
{
    struct ltw_engine *e = h->data;

    e->handles--;
}

static void engine_close(void *ctx)
{
    struct ltw_engine *e = ctx;

    if (e->state) publish_memory(e);
    for (unsigned i = 0; e->scripts && i < e->n; i++) {
        if (e->scripts[i]) ltw_script_free(e->scripts[i]);
        if (e->restarts && e->restarts[i].data)
            uv_close((uv_handle_t *)&e->restarts[i], on_closed);
    }
    ltw_shadow_sweep(e, true);
    while (e->handles > 0) uv_run(tw_worker_loop(e->worker), UV_RUN_NOWAIT);
    ltw_state_free(e->state);
    ltw_remotes_close(e->remotes);
    tw_free(e->scripts);
    tw_free(e->restarts);
    halt(e);
    e->closed(e->ctx);
}

const struct tw_worker_ops ltw_engine_ops = {
    engine_open, step, ready, idle, quiet, engine_close
};

void ltw_engine_prepare(struct ltw_engine *e)
{
    for (unsigned i = 0; i < e->n; i++)
        if (ltw_job_version(e->job, e->options[i].path))
            ltw_script_prepare(e->scripts[i], e->job);
}

void ltw_engine_hurry(struct ltw_engine *e)
{
    for (unsigned i = 0; i < e->n; i++) ltw_script_hurry(e->scripts[i]);
}

void ltw_engine_check(struct ltw_engine *e)
{
    for (unsigned i = 0; i < e->n; i++) ltw_shadow_check(e->scripts[i]);
}

void ltw_engine_go(struct ltw_engine *e)
{
    e->going = true;
}

void ltw_engine_tell_unknown(struct ltw_engine *e)
{
    const struct ltw_host *host = e->host;

    for (unsigned i = 0; i < e->n; i++) {
        const struct ltw_script *s = e->scripts[i];
        char **name = s->o->shard == 0 ? s->code.symbols.names : NULL;

        while ((name = ltw_filter_unknown(name, host->symbols)))
            tw_log_printf(host->log, TW_LOG_WARN, "", "script %s wants the symbol %s,"
                          " which no feed has had", s->o->name, *name++);
    }
}

void ltw_engine_stop(struct ltw_engine *e)
{
    if (e->error.code < 0) return;   /* it never opened: it is closing already */
    e->stopping = true;
    for (unsigned i = 0; i < e->n; i++) ltw_script_stop(e->scripts[i]);
    halt(e);
    check_end(e);
}

void ltw_engine_stop_remotes(struct ltw_engine *e)
{
    if (e->error.code < 0) return;
    ltw_remotes_stop(e->remotes, e->state);
    check_end(e);
}
