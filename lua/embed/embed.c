/* embed.c - a host in a program: its life from tw_host_new to tw_host_free.
 *
 * Why so thin: an app runs the same here and in `tidewire run`.  What differs is that a
 * program hears what it says, is one of its feeds, and may be anything else meanwhile:
 * so every call gives back the role that its thread had before.
 *
 *     NEW --load--> LOADED --run, start--> RUNNING --> OVER --free-->
 *
 * Invariants
 *   E1  MAIN is one thread at a time: who loads, then who runs, then who frees.
 *   E2  RUNNING is shown when every script is loaded, so none misses what is pushed.
 */
#include "embed/embed.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "task/tasks.h"

enum { WORKERS_MAX = 1024, MODULE_MAX = 256 };

/* ---- what all calls need ---- */

enum ltw_phase ltw_phase(const struct tw_host *host)
{
    if (!host) return LTW_NEW;
    /* order [embed.phase] acquire: what was made before stands */
    return (enum ltw_phase)atomic_load_explicit(&host->phase, memory_order_acquire);
}

int ltw_check_running(const struct tw_host *host)
{
    enum ltw_phase phase = ltw_phase(host);

    if (phase == LTW_RUNNING) return TW_OK;
    return phase == LTW_OVER ? TW_ESTOPPED : TW_EBUSY;
}

int ltw_expect_running(const struct tw_host *host, struct tw_error *error)
{
    int rc = ltw_check_running(host);

    return rc < 0 ? tw_fail(error, rc, "the host %s", rc == TW_EBUSY
                            ? "does not run yet" : "has ended its run") : TW_OK;
}

int64_t ltw_until_ns(double seconds)
{
    if (seconds < 0 || seconds > 1e9) return INT64_MAX;
    return tw_clock_steady_ns() + (seconds > 0 ? (int64_t)(seconds * 1e9) : 0);
}

bool ltw_wait_held(struct tw_host *host, int64_t until_ns)
{
    struct timespec until = { .tv_sec = until_ns / 1000000000,
                              .tv_nsec = until_ns % 1000000000 };

    if (until_ns == INT64_MAX) return pthread_cond_wait(&host->changed, &host->lock) == 0;
    return pthread_cond_timedwait(&host->changed, &host->lock, &until) == 0;
}

static void enter(struct tw_host *host, enum ltw_phase phase)
{
    pthread_mutex_lock(&host->lock);
    /* order [embed.phase] release: what was made before stands */
    atomic_store_explicit(&host->phase, phase, memory_order_release);
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->lock);
}

/* ---- making ---- */

struct tw_host *tw_host_new(const struct tw_host_options *options,
                            struct tw_error *error)
{
    struct tw_host *host = tw_calloc_aligned(1, sizeof *host);
    pthread_condattr_t steady;

    if (!host) {
        tw_fail(error, UV_ENOMEM, "not enough memory");
        return NULL;
    }
    if (options) host->o = *options;
    if (host->o.workers > WORKERS_MAX || !(host->o.seconds >= 0)) {
        tw_fail(error, TW_EUSAGE, "%u workers for %g seconds: at most %d, for 0 or more",
                host->o.workers, host->o.seconds, WORKERS_MAX);
        tw_free(host);
        return NULL;
    }
    pthread_mutex_init(&host->lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&host->changed, &steady);
    pthread_condattr_destroy(&steady);
    return host;
}

static int add_module(struct tw_host *host, const char *name, tw_open opener,
                      struct tw_any value)
{
    struct ltw_embedded *given = &host->embedder.given;
    size_t n = strlen(name);
    struct ltw_given_module *modules;
    char *own;

    if (n == 0 || n > MODULE_MAX) return TW_EUSAGE;
    modules = tw_realloc(given->modules, (given->n_modules + 1) * sizeof *modules);
    if (!modules) return UV_ENOMEM;
    given->modules = modules;
    own = tw_calloc(1, n + 1);
    if (!own) return UV_ENOMEM;
    memcpy(own, name, n);
    modules[given->n_modules++] = (struct ltw_given_module){ own, opener, value };
    return TW_OK;
}

int tw_host_add_module(struct tw_host *host, const char *name, tw_open opener)
{
    struct tw_any none = { .kind = TW_VALUE_NIL };

    if (!host || ltw_phase(host) != LTW_NEW || !name || !opener) return TW_EUSAGE;
    return add_module(host, name, opener, none);
}

int tw_host_add_value(struct tw_host *host, const char *name, struct tw_item value)
{
    struct tw_any any;
    int rc;

    if (!host || ltw_phase(host) != LTW_NEW || !name || value.kind == TW_VALUE_NIL)
        return TW_EUSAGE;
    rc = tw_item_keep(value, &any);
    if (rc == TW_OK) rc = add_module(host, name, NULL, any);
    if (rc < 0) tw_any_unref(&any);
    return rc;
}

int tw_host_add_text(struct tw_host *host, const char *path, const char *text)
{
    struct ltw_embedded *given;
    struct ltw_given_text *t;
    size_t n_path, n;
    char *bytes;

    if (!host || !path || !*path || !text) return TW_EUSAGE;
    given = &host->embedder.given;
    n_path = strlen(path) + 1;
    n = strlen(text);
    t = tw_calloc(1, sizeof *t + n_path + n + 1);
    if (!t) return UV_ENOMEM;
    bytes = (char *)(t + 1);
    memcpy(bytes, path, n_path);
    memcpy(bytes + n_path, text, n);
    t->path = bytes;
    t->text = bytes + n_path;
    t->n = n;
    /* order [embed.texts] relaxed: one thread at a time adds */
    t->next = atomic_load_explicit(&given->texts, memory_order_relaxed);
    /* order [embed.texts] release: t is whole */
    atomic_store_explicit(&given->texts, t, memory_order_release);
    return TW_OK;
}

/* ---- what the app says ---- */

static bool on_line(void *ctx, enum tw_log_level level, const char *who,
                    const char *text, size_t n)
{
    struct tw_host *host = ctx;

    if (level == TW_LOG_ERROR) {
        pthread_mutex_lock(&host->lock);
        if (host->error.code == TW_OK)
            tw_fail(&host->error, TW_ESCRIPT, "%s%s%.*s", who, *who ? ": " : "",
                    n < sizeof host->error.text ? (int)n : (int)sizeof host->error.text,
                    text);
        pthread_mutex_unlock(&host->lock);
    }
    if (level == TW_LOG_PRINT) {
        if (host->o.print) host->o.print(host->o.ctx, text, n);
        return host->o.print != NULL;
    }
    if (host->o.log) host->o.log(host->o.ctx, level, who, text, n);
    return host->o.log != NULL;
}

static void on_look(void *ctx)
{
    struct tw_host *host = ctx;

    tw_be_main();
    ltw_call_look(host);
    ltw_tape_look(host);
}

static void on_begun(void *ctx)
{
    enter(ctx, LTW_RUNNING);   /* E2 */
    on_look(ctx);
}

/* ---- loading ---- */

static int load(struct tw_host *host, const char *path, struct tw_error *error)
    TW_ON(MAIN)
{
    struct tw_app_options o = {
        .workers = host->o.workers, .seconds = host->o.seconds, .set = host->o.set,
        .signals = host->o.signals, .attach = host->o.attach, .watch = host->o.watch,
        .embedder = &host->embedder,
    };
    char why[TW_APP_ERROR];

    host->embedder.given.watchdog = host->o.watchdog;
    host->embedder.given.ctx = host->o.ctx;
    host->embedder.memory_max = host->o.memory;
    host->embedder.line = on_line;
    host->embedder.begun = on_begun;
    host->embedder.look = on_look;
    host->embedder.ctx = host;
    host->app = tw_app_open(path, &o, why);
    if (!host->app) return tw_fail(error, TW_ESCRIPT, "%s", why);
    ltw_tasks_are_mine(NULL);   /* another thread may run it */
    host->app->unseen.held = &host->futures;
    ltw_call_load(host);
    return ltw_tape_load(host) < 0 ? tw_fail(error, UV_ENOMEM, "not enough memory") : 0;
}

static void unload(struct tw_host *host) TW_ON(MAIN)
{
    ltw_call_free(host);
    ltw_tape_free(host);
    tw_app_close(host->app);
    host->app = NULL;
}

int tw_host_load(struct tw_host *host, const char *path, struct tw_error *error)
{
    unsigned char role = tw_role_now;
    int rc;

    if (!host || !path) return tw_fail(error, TW_EUSAGE, path ? "no host" : "no path");
    if (ltw_phase(host) != LTW_NEW)
        return tw_fail(error, TW_EUSAGE, "a host loads one app");
    tw_role_set(&MAIN);
    tw_be_main();
    rc = load(host, path, error);
    if (rc < 0) unload(host);
    tw_role_now = role;
    if (rc == TW_OK) enter(host, LTW_LOADED);
    return rc;
}

/* ---- running ---- */

/* One thread runs it, once. */
static int claim(struct tw_host *host, struct tw_error *error)
{
    bool may;

    if (ltw_phase(host) == LTW_NEW)
        return tw_fail(error, TW_EUSAGE, "no app is loaded");
    pthread_mutex_lock(&host->lock);
    may = ltw_phase(host) == LTW_LOADED && !host->running;
    host->running = host->running || may;
    pthread_mutex_unlock(&host->lock);
    if (may) return TW_OK;
    return tw_fail(error, TW_EUSAGE, "a host runs once");
}

/* Thread: the host's. */
static void run(struct tw_host *host)
{
    unsigned char role = tw_role_now;
    int status;

    tw_role_set(&MAIN);
    tw_be_main();
    ltw_tasks_are_mine(host->app->state->tasks);
    status = tw_app_run(host->app);
    ltw_call_look(host);        /* what came last */
    while (ltw_tape_look(host)) { }
    ltw_tasks_are_mine(NULL);
    tw_role_now = role;
    pthread_mutex_lock(&host->lock);
    host->status = status > 128 ? status - 128 : status == 0 ? 0 : TW_ESCRIPT;
    pthread_mutex_unlock(&host->lock);
    enter(host, LTW_OVER);
}

/* What tw_host_run returns. */
static int result(struct tw_host *host, struct tw_error *error)
{
    int status;

    pthread_mutex_lock(&host->lock);
    status = host->status;
    if (status < 0)
        tw_fail(error, status, "%s",
                host->error.code < 0 ? host->error.text : "the run has failed");
    pthread_mutex_unlock(&host->lock);
    return status;
}

int tw_host_run(struct tw_host *host, struct tw_error *error)
{
    int rc = claim(host, error);

    if (rc < 0) return rc;
    run(host);
    return result(host, error);
}

/* The program's signals are for its own threads. */
static void *run_thread(void *host)
{
    run(host);
    return NULL;
}

static int start_thread(struct tw_host *host)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT,
                               SIGPROF };
    sigset_t others, before;
    int rc;

    sigfillset(&others);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&others, own[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    rc = -pthread_create(&host->thread, NULL, run_thread, host);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int tw_host_start(struct tw_host *host, struct tw_error *error)
{
    int rc = ltw_is_hosts() ? tw_fail(error, TW_ECYCLE, "a host's thread must not wait")
                            : claim(host, error);

    if (rc < 0) return rc;
    rc = start_thread(host);
    if (rc < 0) {
        pthread_mutex_lock(&host->lock);
        host->running = false;
        pthread_mutex_unlock(&host->lock);
        return tw_fail(error, rc, "cannot start a thread: %s", tw_strerror(rc));
    }
    host->threaded = true;
    pthread_mutex_lock(&host->lock);
    while (ltw_phase(host) == LTW_LOADED) ltw_wait_held(host, INT64_MAX);
    pthread_mutex_unlock(&host->lock);
    rc = ltw_phase(host) == LTW_OVER ? result(host, error) : TW_OK;
    return rc < 0 ? rc : TW_OK;
}

int tw_host_wait(struct tw_host *host, double seconds, struct tw_error *error)
{
    int64_t until_ns = ltw_until_ns(seconds);
    bool running;

    if (ltw_is_hosts())
        return tw_fail(error, TW_ECYCLE, "a host's thread must not wait");
    if (ltw_phase(host) == LTW_NEW)
        return tw_fail(error, TW_EUSAGE, "no app is loaded");
    pthread_mutex_lock(&host->lock);
    running = host->running;
    while (running && ltw_phase(host) != LTW_OVER)
        if (!ltw_wait_held(host, until_ns)) break;
    pthread_mutex_unlock(&host->lock);
    if (!running) return tw_fail(error, TW_EUSAGE, "it was not started");
    if (ltw_phase(host) == LTW_OVER) return result(host, error);
    return tw_fail(error, UV_ETIMEDOUT, "the run goes on");
}

int tw_host_finish(struct tw_host *host)
{
    int rc = ltw_check_running(host);

    if (rc == TW_OK) tw_io_finish(host->app->io, (unsigned)host->app->program);
    return rc == TW_EBUSY ? rc : TW_OK;
}

void tw_host_stop(struct tw_host *host)
{
    if (ltw_phase(host) != LTW_NEW) tw_app_stop(host->app);
}

static void free_given(struct ltw_embedded *given)
{
    /* order [embed.texts] relaxed: no other thread is left */
    struct ltw_given_text *t = atomic_load_explicit(&given->texts, memory_order_relaxed);

    for (unsigned i = 0; i < given->n_modules; i++) {
        tw_free((char *)given->modules[i].name);
        tw_any_unref(&given->modules[i].value);
    }
    tw_free(given->modules);
    while (t) {
        struct ltw_given_text *next = t->next;

        tw_free(t);
        t = next;
    }
}

/* What the program still has would be of nothing: it says so, and waits. */
static int check_closed(struct tw_host *host) TW_ON(MAIN)
{
    /* order [future.held] relaxed: no other thread uses the host */
    unsigned futures = atomic_load_explicit(&host->futures, memory_order_relaxed);
    char text[100];

    if (!host->app || futures + host->cursors == 0) return TW_OK;
    snprintf(text, sizeof text,
             "tw_host_free: %u cursor%s and %u future%s are still open", host->cursors,
             host->cursors == 1 ? "" : "s", futures, futures == 1 ? "" : "s");
    ltw_app_print(host->app, TW_LOG_ERROR, "", text, strlen(text));
    return TW_EBUSY;
}

/* E1 */
static int close_app(struct tw_host *host)
{
    unsigned char role = tw_role_now;
    int rc;

    tw_role_set(&MAIN);
    tw_be_main();
    ltw_call_free(host);
    rc = check_closed(host);
    if (rc == TW_OK) unload(host);
    tw_role_now = role;
    return rc;
}

int tw_host_free(struct tw_host *host)
{
    int rc;

    if (!host) return TW_OK;
    if (ltw_is_hosts()) return TW_ECYCLE;
    tw_host_stop(host);
    tw_host_wait(host, TW_FOREVER, NULL);
    if (host->threaded) pthread_join(host->thread, NULL);
    host->threaded = false;
    rc = close_app(host);
    if (rc < 0) return rc;
    free_given(&host->embedder.given);
    pthread_cond_destroy(&host->changed);
    pthread_mutex_destroy(&host->lock);
    tw_free(host);
    return TW_OK;
}
