/* runner.c - a thread of the pool runs Lua: a state, jobs as its tasks.
 *
 * A job's value is a call (lcall.h).
 *
 * A state in which a job failed is not used for another: it may have left globals
 * in disorder, or memory at its limit.  So is one whose modules are of an older version
 * than what scripts run.  A new one takes its place, and it goes when the jobs that still
 * wait in it have ended.
 *
 * Jobs of scripts that the app does not trust have states of their own, which are
 * distrusted: what one leaves in globals and modules, no trusted script's job comes upon.
 *
 * A job that nobody wants any more is stopped where it runs, by the watchdog's
 * signal; one that waits is told, as a scope tells its tasks, and stopped when it then
 * computes for longer than a handler may.
 */
#include "task/runner.h"

#include <stdio.h>

#include "base/memory.h"
#include "distrust.h"
#include "share/lcall.h"
#include "lerror.h"
#include "reload/library.h"
#include "share/lvalue.h"
#include "output.h"
#include "share/cache_load.h"
#include "task/task.h"
#include "task/tasks.h"
#include "watchdog.h"

enum { GC_BYTES = 65536 };   /* garbage that idle time is spent on     */
enum { RETIRED_MAX = 16 };   /* states of a thread that wait for their end */

/* Whose jobs a state takes. */
enum { TRUSTED, DISTRUSTED, KINDS };

/* A state, and how many jobs it has. */
struct home {
    struct ltw_state *state;
    struct home *next;            /* of those retired        */
    unsigned jobs;                /* begun and not ended; or others' tasks */
    atomic_bool spoiled;          /* atomic: the runner's thread and its signals */
    size_t collected;             /* bytes that are no garbage */
    unsigned edition;             /* of the library: its modules are of that */
};

/* A pool thread. */
struct runner {
    struct ltw_host *host;
    struct tw_worker *worker;
    struct home *home[KINDS];     /* take jobs; NULL: there was no memory for it, or */
    bool used[KINDS];             /* … no such job has come yet */
    struct home *retired;
    unsigned n_retired;
    struct ltw_pulse pulse;
    unsigned index;
};

/* Nobody wants its result: it is stopped where it runs; or else it is told, as a scope
 * tells its tasks, and has time to tidy up. */
enum { WANTED, UNWANTED, TOLD };

void ltw_work_release(void *ctx)
{
    struct ltw_work *work = ctx;
    struct ltw_counted *counted = work->counted;

    if (work->watch.release) work->watch.release(work->watch.ctx);
    if (work->load) tw_load_unref(work->load);
    tw_any_unref(&work->value);
    tw_free(work);
    /* order [counted.jobs] release: its future has come before */
    if (counted) atomic_fetch_sub_explicit(&counted->jobs, 1, memory_order_release);
}

static struct ltw_work *work_of(const struct tw_job *job)
{
    return job->context;
}

static void on_ended(struct ltw_task *t, lua_State *co, int status);

/* ---- states ---- */

static int standing(const struct tw_job *job)
{
    /* order [pool.standing] relaxed: who set it sends the signal after it */
    return atomic_load_explicit(&work_of(job)->standing, memory_order_relaxed);
}

static bool is_spoiled(const struct home *h)
{
    /* order [pool.spoiled] relaxed: set by this thread or a signal handler on it */
    return atomic_load_explicit(&h->spoiled, memory_order_relaxed);
}

static void spoil(struct home *h)
{
    /* order [pool.spoiled] relaxed: read by this same thread */
    atomic_store_explicit(&h->spoiled, true, memory_order_relaxed);
}

/* Also in a signal handler of the runner's thread: does what runs now, the job's own
 * task or one that it spawned, belong to a job that nobody wants, or that was told and
 * has had its time? */
static bool may_stop(const struct ltw_state *state)
{
    const struct ltw_scope *s = state->task ? state->task->own : NULL;

    while (s && s->parent) s = s->parent;
    if (!s || !s->job) return s && state->late;   /* what a failed job has left */
    if (standing(s->job) != UNWANTED && !state->late) return false;
    spoil(work_of(s->job)->home);   /* it is stopped anywhere */
    return true;
}

static void ring(void *worker)
{
    tw_worker_ring(worker);
}

/* [-0, +0, e]  package.path and cpath as in the other states, and what scripts have. */
static int set_paths(lua_State *L)
{
    const struct ltw_host *host = ltw_state(L)->host;
    bool distrusted = lua_toboolean(L, 1);

    lua_getglobal(L, "package");
    if (host->path) ltw_set_text(L, "path", host->path);
    if (host->cpath) {
        ltw_set_text(L, "cpath", host->cpath);
    }
    if (host->library) ltw_library_open(L, host->library);
    if (distrusted) ltw_distrust(L);
    return 0;
}

static unsigned edition(const struct ltw_host *host)
{
    return host->library ? ltw_library_edition(host->library) : 0;
}

static void free_home(struct home *h)
{
    if (h) ltw_state_free(h->state);
    tw_free(h);
}

static struct home *new_home(struct runner *r, int kind)
{
    struct home *h = tw_calloc(1, sizeof *h);
    struct ltw_state *s;

    if (!h) return NULL;
    h->edition = edition(r->host);
    s = h->state = ltw_state_new(r->host, r->host->pool_options.memory_max);
    if (!s) goto fail;
    snprintf(s->who, sizeof s->who, "pool %u", r->index % 1000);
    s->pulse = &r->pulse;
    s->may_stop = may_stop;
    s->tasks = ltw_tasks_new(s, tw_worker_loop(r->worker), ring, r->worker);
    if (!s->tasks) goto fail;
    lua_pushcfunction(s->L, set_paths);
    lua_pushboolean(s->L, kind == DISTRUSTED);
    if (lua_pcall(s->L, 1, 0, 0) != LUA_OK) goto fail;
    ltw_output_open(s);
    return h;
fail:
    free_home(h);
    return NULL;
}

/* The kind that is there from the start. */
static int first_kind(const struct runner *r)
{
    return r->host->distrusts ? DISTRUSTED : TRUSTED;
}

static int runner_open(void *ctx, unsigned index, struct tw_worker *w, void **runner)
{
    struct runner *r = tw_calloc_aligned(1, sizeof *r);
    int kind;

    if (!r) return UV_ENOMEM;
    r->host = ctx;
    r->worker = w;
    r->index = index;
    ltw_watchdog_join();
    kind = first_kind(r);
    r->used[kind] = true;
    r->home[kind] = new_home(r, kind);
    if (!r->home[kind]) {
        tw_free(r);
        return UV_ENOMEM;
    }
    *runner = r;
    return TW_OK;
}

/* Those in which no job waits any more. */
static void free_retired(struct runner *r)
{
    for (struct home **at = &r->retired, *h; (h = *at);) {
        if (h->jobs > 0) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        r->n_retired--;
        free_home(h);
    }
}

static void runner_close(void *runner)
{
    struct runner *r = runner;

    free_retired(r);
    for (int kind = 0; kind < KINDS; kind++) free_home(r->home[kind]);
    tw_free(r);
}

/* Is it time for a new home of that kind, and can there be one? */
static bool may_move(const struct runner *r, int kind)
{
    const struct home *h = r->home[kind];

    if (!r->used[kind]) return false;
    return !h || ((is_spoiled(h) || h->edition != edition(r->host))
                  && (h->jobs == 0 || r->n_retired < RETIRED_MAX));
}

/* Without memory for the new one, again at the next turn. */
static void move(struct runner *r, int kind)
{
    struct home *h = r->home[kind];

    if (h && h->jobs > 0) {
        h->next = r->retired;
        r->retired = h;
        r->n_retired++;
    } else {
        free_home(h);
    }
    r->home[kind] = new_home(r, kind);
}

/* ---- jobs ---- */

/* [-0, +n, e]  In the job's task, above 2 values: what its function gave. */
static int finish(lua_State *L, int status, lua_KContext context)
{
    struct tw_job *job = lua_touserdata(L, 1);
    int n = lua_gettop(L) - 2;

    (void)status, (void)context;
    if (work_of(job)->watch.ended) return n;
    if (n > 1)
        return luaL_error(L, "job %s returned %d values, and a future has one: put them"
                          " into a table", job->label, n);
    if (n == 1) {
        const char *name = lua_pushfstring(L, "job %s: result", job->label);

        work_of(job)->value = ltw_check_any_named(L, 3, name);
    }
    return 0;
}

/* [-0, +n, e]  The job, as a task: so its modules are loaded there too. */
static int perform(lua_State *L)
{
    struct tw_job *job = lua_touserdata(L, 1);
    int n;

    lua_pushnil(L);   /* 2: what the call lives in, for as long as it runs */
    n = ltw_call_push(L, &job->what);
    lua_callk(L, n, LUA_MULTRET, 0, finish);
    return finish(L, LUA_OK, 0);
}

struct ending {
    const struct ltw_task *task;
    lua_State *co;
    struct tw_any error;
    bool cancelled;
};

/* [-0, +0, e]  Protected: what was raised, on top of the job's coroutine. */
static int read_error(lua_State *L)
{
    struct ending *e = lua_touserdata(L, 1);

    lua_xmove(e->co, L, 1);
    e->cancelled = ltw_error_scope(L, 2) == e->task->own;
    if (e->cancelled) return 0;
    if (work_of(e->task->ctx)->watch.ended) {
        lua_xmove(L, e->co, 1);
        return 0;
    }
    lua_resetthread(e->co);   /* it may hold all the memory that there is */
    if (lua_type(L, 2) == LUA_TSTRING) {   /* no memory: it has passed no handler */
        lua_pushfstring(L, "job %s: %s", e->task->note.name, lua_tostring(L, 2));
        lua_replace(L, 2);
    }
    e->error = ltw_error_freeze(L, 2);
    return 0;
}

static void on_ended(struct ltw_task *t, lua_State *co, int status)
{
    struct tw_job *job = t->ctx;
    struct ltw_work *work = work_of(job);
    lua_State *L = ltw_state(co)->L;
    struct ending e = { t, co, { .kind = TW_VALUE_NIL },
                        standing(job) != WANTED };

    work->home->jobs--;
    work->task = NULL;
    t->own->job = NULL;
    if (status != LUA_OK)   /* what it spawned and has not waited for ends, too */
        ltw_scope_cancel(t->of, t->own, "the job that spawned it has ended");
    if (status != LUA_OK && !e.cancelled) {
        lua_pushcfunction(L, read_error);
        lua_pushlightuserdata(L, &e);
        if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_xmove(L, co, 1);
    }
    if (status == LUA_YIELD) spoil(work->home);   /* it was stopped anywhere */
    if (e.cancelled) {
        tw_job_cancel(job);
        return;
    }
    if (status != LUA_OK) spoil(work->home);
    if (work->watch.ended) work->watch.ended(work->watch.ctx, co, status);
    if (status == LUA_OK || work->watch.ended) {
        struct tw_any value = work->value;

        work->value.kind = TW_VALUE_NIL;
        tw_job_resolve(job, value);
    } else {
        tw_job_fail(job, e.error);
    }
}

/* [-0, +0, m]  Protected: the job's task. */
static int begin(lua_State *L)
{
    struct tw_job *job = lua_touserdata(L, 1);
    struct ltw_work *work = work_of(job);
    struct ltw_task *t;

    lua_pushcfunction(L, perform);
    lua_pushlightuserdata(L, job);
    t = ltw_task_spawn(L, 1, NULL, job->label, on_ended, job);
    if (job->deadline_ns) t->own->due_ns = job->deadline_ns;
    t->own->job = job;
    ltw_census_sent_by(&t->note, work->parent);
    t->level = job->level + 1;   /* what it may wait for has room beside it */
    t->load = work->load;
    if (t->load) tw_load_ref(t->load);
    work->task = t;
    return 0;
}

/* Where a job begins.  Scripts may have changed, and have sent it, since it was asked
 * whether the runner is ready. */
static struct home *home_now(struct runner *r, int kind)
{
    r->used[kind] = true;
    if (may_move(r, kind)) move(r, kind);
    return r->home[kind];
}

static void runner_run(void *runner, struct tw_job *job)
{
    struct home *h = home_now(runner, work_of(job)->distrusted ? DISTRUSTED : TRUSTED);
    lua_State *L;

    work_of(job)->home = h;
    if (!h) {
        tw_job_fail(job, (struct tw_any){ .kind = TW_VALUE_NIL });
        return;
    }
    L = h->state->L;
    lua_pushcfunction(L, begin);
    lua_pushlightuserdata(L, job);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) {
        h->jobs++;
        return;
    }
    lua_pop(L, 1);
    spoil(h);   /* there was no memory for one more task */
    tw_job_fail(job, (struct tw_any){ .kind = TW_VALUE_NIL });
}

struct ltw_state *ltw_runner_enter(void *runner, struct home **home)
{
    *home = home_now(runner, first_kind(runner));
    if (!*home) return NULL;
    (*home)->jobs++;
    return (*home)->state;
}

void ltw_runner_leave(struct home *home)
{
    home->jobs--;
}

static void runner_cancel(void *runner, struct tw_job *job)
{
    struct ltw_task *t = work_of(job)->task;

    (void)runner;
    /* order [pool.standing] relaxed: for this thread and a signal handler on it */
    atomic_store_explicit(&work_of(job)->standing, TOLD, memory_order_relaxed);
    if (t) ltw_scope_stop(t->of, t->own, "nobody wants its result any more");
}

static void runner_interrupt(void *runner, struct tw_job *job)
{
    struct runner *r = runner;

    /* order [pool.standing] relaxed: the signal comes after it */
    atomic_store_explicit(&work_of(job)->standing, UNWANTED, memory_order_relaxed);
    ltw_watchdog_signal(r->worker);
}

static bool runner_capacity(void *runner)
{
    struct runner *r = runner;

    for (int kind = 0; kind < KINDS; kind++)
        if (r->used[kind] && (!r->home[kind] || is_spoiled(r->home[kind]))) return false;
    return true;
}

static bool step_home(struct home *h)
{
    return h && ltw_tasks_step(h->state->tasks);
}

static bool runner_step(void *runner)
{
    struct runner *r = runner;
    bool worked = false;

    for (int kind = 0; kind < KINDS; kind++) worked |= step_home(r->home[kind]);
    if (r->retired) {
        for (struct home *h = r->retired; h; h = h->next) worked |= step_home(h);
        free_retired(r);
    }
    for (int kind = 0; kind < KINDS; kind++)
        if (may_move(r, kind)) move(r, kind);
    return worked;
}

static bool runner_ready(void *runner)
{
    struct runner *r = runner;

    for (int kind = 0; kind < KINDS; kind++) {
        struct home *h = r->home[kind];

        if (may_move(r, kind) || (h && ltw_tasks_ready(h->state->tasks))) return true;
    }
    for (struct home *h = r->retired; h; h = h->next)
        if (ltw_tasks_ready(h->state->tasks)) return true;
    return false;
}

/* One small step of the collector, as long as there is much to collect. */
static bool collect(struct home *h)
{
    if (!h || h->state->bytes < h->collected + GC_BYTES) return false;
    if (lua_gc(h->state->L, LUA_GCSTEP, 0)) h->collected = h->state->bytes;
    return true;
}

static bool runner_idle(void *runner)
{
    struct runner *r = runner;
    bool worked = false;

    for (int kind = 0; kind < KINDS; kind++) worked |= collect(r->home[kind]);
    return worked;
}

const struct tw_pool_ops ltw_runner_ops = {
    .open = runner_open, .run = runner_run, .cancel = runner_cancel,
    .interrupt = runner_interrupt, .capacity = runner_capacity, .step = runner_step,
    .ready = runner_ready, .idle = runner_idle, .close = runner_close
};
