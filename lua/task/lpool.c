/* lpool.c - the pool of a run or a program, and what stdlib/pool.lua calls. */
#include "task/lpool.h"

#include <string.h>
#include <unistd.h>

#include <lualib.h>

#include "base/memory.h"
#include "share/lcall.h"
#include "share/lfuture.h"
#include "task/runner.h"
#include "share/cache_load.h"
#include "task/task.h"
#include "watchdog.h"

/* ---- the pool of a host ---- */

int ltw_pool_open(struct ltw_host *host, struct tw_error *error)
{
    struct tw_pool_options o = {
        .threads = host->pool_options.threads, .queue = host->pool_options.queue,
        .ops = &ltw_runner_ops, .ctx = host
    };
    struct tw_pool *pool = tw_pool_new(&o);
    int rc;

    if (host->time) tw_tape_set_alone(host->tape, false);   /* jobs may publish */
    rc = pool ? tw_pool_start(pool) : UV_ENOMEM;
    if (rc < 0) {
        tw_pool_free(pool);
        return tw_fail(error, rc, "can't start the pool: %s", tw_strerror(rc));
    }
    ltw_watchdog_install(host);
    host->pool = pool;
    return TW_OK;
}

void ltw_pool_stop(struct ltw_host *host)
{
    tw_pool_stop(host->pool);
    tw_pool_join(host->pool);
}

void ltw_pool_close(struct ltw_host *host)
{
    if (!host->pool) return;
    tw_pool_free(host->pool);
    host->pool = NULL;
    ltw_watchdog_remove(host);
}

static const char path_key, cpath_key;

/* [-0, +0, m]  package.path, say, of a plain program, for as long as its state lives. */
static const char *keep_path(lua_State *L, const char *name, const void *key)
{
    const char *path = NULL;

    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_LOADLIBNAME);
    lua_getfield(L, -1, name);
    if (lua_type(L, -1) == LUA_TSTRING) path = lua_tostring(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    lua_pop(L, 2);
    return path;
}

/* [-0, +0, e]  The pool; a plain program starts it when it is first asked for. */
static struct tw_pool *check_pool(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    struct tw_error error;

    if (!host) luaL_error(L, "pool: there is none in an app file; use it in a script");
    if (!host->pool) {
        tw_be_main();
        host->path = keep_path(L, "path", &path_key);
        host->cpath = keep_path(L, "cpath", &cpath_key);
        if (ltw_pool_open(host, &error) < 0) luaL_error(L, "%s", error.text);
    }
    return host->pool;
}

/* What the running task passes on to its jobs.  A watched one serves others too: it
 * does not end with the time of who came first. */
static void inherit(lua_State *L, struct tw_job *job)
{
    struct ltw_task *t = ltw_task_current(L);
    struct ltw_work *work = job->context;
    int64_t due_ns;

    if (!t) return;
    work->parent = t->note.id;
    if (t->level > job->level) job->level = t->level;
    if (work->watch.ended) return;
    due_ns = ltw_scope_due_ns(t->scope);
    /* By event time it never comes while a job runs. */
    if (due_ns != INT64_MAX && !ltw_state(L)->time) job->deadline_ns = due_ns;
    work->load = t->load;
    if (work->load) tw_load_ref(work->load);
}

int ltw_pool_submit(lua_State *L, int idx, const char *what, unsigned level,
                    const struct ltw_job_watch *watch, struct tw_future **out)
{
    struct tw_pool *pool = check_pool(L);
    char label[TW_JOB_LABEL];
    struct tw_any value = ltw_call_pack(L, idx, what, label, sizeof label);
    struct tw_job *job = tw_job_new(pool);
    struct ltw_work *work = job ? tw_calloc(1, sizeof *work) : NULL;
    int rc;

    *out = tw_future_new(ltw_state(L)->host->unseen);
    if (!work || !*out) {
        tw_any_unref(&value);
        tw_free(work);
        tw_job_free(job);
        if (*out) tw_future_unref(*out);
        return UV_ENOMEM;
    }
    job->what = value;
    job->context = work;
    job->release = ltw_work_release;
    job->future = *out;
    job->level = level;
    tw_future_ref(*out);
    memcpy(job->label, label, sizeof label);
    work->distrusted = ltw_state(L)->distrusted;
    if (watch) work->watch = *watch;
    inherit(L, job);
    if (watch) {
        work->load = watch->load;
        if (watch->load) tw_load_ref(watch->load);
    }
    work->counted = ltw_state(L)->host->counted;
    /* order [counted.jobs] relaxed: this thread asks */
    if (work->counted)
        atomic_fetch_add_explicit(&work->counted->jobs, 1, memory_order_relaxed);
    rc = tw_pool_submit(pool, job);
    if (rc < 0) {
        work->watch.release = NULL;
        tw_job_free(job);
        tw_future_unref(*out);
    }
    return rc;
}

/* submit(what, job | nil, via | nil, function, ...) -> future | nil, message, code:
 * what names the caller in errors.  job: one of several, which gets its future from
 * here, for whoever runs may be stopped at the next instruction; it has that field. */
static int submit(lua_State *L)
{
    const char *what = luaL_checkstring(L, 1);
    bool is_one = lua_isnoneornil(L, 2);
    struct ltw_box *handle = ltw_future_push_empty(L);
    struct tw_future *f;
    int rc;

    luaL_checkany(L, 4);
    lua_insert(L, 2);
    rc = ltw_pool_submit(L, 4, what, is_one ? TW_LEVEL_URGENT : TW_LEVEL_BULK, NULL, &f);
    if (rc == UV_ENOMEM) return luaL_error(L, "%s: not enough memory", what);
    if (rc < 0) return ltw_fail(L, rc);
    ltw_future_attach(L, handle, f);
    if (!is_one) {
        lua_pushvalue(L, 2);
        lua_setfield(L, 3, "future");
    }
    lua_settop(L, 2);
    return 1;
}

/* configure(threads, queue, memory in MiB): before the first job */
static int configure(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;

    if (!host || host->pool)
        return luaL_error(L, "pool.configure: the pool runs already");
    host->pool_options = (struct ltw_pool_options){
        .threads = (unsigned)luaL_optinteger(L, 1, 0),
        .queue = (size_t)luaL_optinteger(L, 2, 0),
        .memory_max = (size_t)(luaL_optnumber(L, 3, 0) * 1048576),
    };
    return 0;
}

void ltw_push_pool_status(lua_State *L, const struct tw_pool_status *s)
{
    lua_createtable(L, 0, 7);
    ltw_set_count(L, "threads", s->threads);
    ltw_set_count(L, "queued", s->queued);
    ltw_set_count(L, "running", s->running);
    ltw_set_count(L, "submitted", s->submitted);
    ltw_set_count(L, "done", s->done);
    ltw_set_count(L, "failed", s->failed);
    ltw_set_count(L, "cancelled", s->cancelled);
}

/* status() -> table */
static int status(lua_State *L)
{
    struct tw_pool_status s;

    tw_pool_status(check_pool(L), &s);
    ltw_push_pool_status(L, &s);
    return 1;
}

/* is_terminal() -> boolean: may progress be drawn on standard error?  In a plain
 * program, and by one only: not by its jobs. */
static int is_terminal(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    const struct ltw_task *t = ltw_task_current(L);

    lua_pushboolean(L, host && !host->log && t && t->level == 0 && isatty(STDERR_FILENO));
    return 1;
}

static const luaL_Reg internal[] = {
    { "submit", submit },
    { "configure", configure },
    { "status", status },
    { "is_terminal", is_terminal },
    { NULL, NULL }
};

int luaopen_tw_internal_pool(lua_State *L)
{
    luaL_newlib(L, internal);
    ltw_set_integer(L, "FULL", TW_EFULL);
    return 1;
}
