/* app.c - running what an app file declares, from the first thread to the last.
 *
 * Why: MAIN does nothing that a quote would wait for.  It sleeps in its event
 * loop until a thread rings or the tick comes, and then prints what the others
 * said, looks after the workers and finds out whether the run is over.
 *
 * The order of ending: feeds first, so that nothing new comes; then every
 * script's on_stop; then the workers; then FIX sessions, which have been up until
 * then, log out; then the figures.
 *
 * Layer lua.
 */
#include "run/app.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/appfile.h"
#include "attach/attach.h"
#include "attach/audit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "trade/desk.h"
#include "lerror.h"
#include "task/lpool.h"
#include "payload.h"
#include "tape/recording.h"
#include "reload/reload.h"
#include "run/floor.h"
#include "source.h"

enum { TICK_MS = 50, SHOW_EVERY = 5 };   /* ticks between two pictures */

void ltw_app_ring(void *ctx)
{
    struct tw_app *app = ctx;

    if (app->bell_open) uv_async_send(&app->bell);
}

void tw_app_stop(struct tw_app *app)
{
    /* order [app.flag] relaxed: the bell orders what the flag is about */
    atomic_store_explicit(&app->stop, true, memory_order_relaxed);
    ltw_app_ring(app);
}

static bool is_set(const atomic_bool *flag)
{
    /* order [app.flag] relaxed: the bell orders what the flag is about */
    return atomic_load_explicit(flag, memory_order_relaxed);
}

/* ---- opening ---- */

/* [-0, +0, e]  What the app file declares; its strings live while the table stands in the
 * registry. */
static int read_app_file(lua_State *L)
{
    struct tw_app *app = lua_touserdata(L, 1);

    tw_be_main();
    ltw_appfile_run(L, app, app->version);
    ltw_appfile_note(L, app);
    lua_getfield(L, -1, "file");
    app->path = lua_tostring(L, -1);
    return 0;
}

/* (level, who, text) -> was it taken? */
static int log_line(lua_State *L)
{
    const struct ltw_embedder *e = lua_touserdata(L, lua_upvalueindex(1));
    size_t n;
    const char *text = luaL_checklstring(L, 3, &n);

    lua_pushboolean(L, e->line(e->ctx, (enum tw_log_level)lua_tointeger(L, 1),
                               luaL_checkstring(L, 2), text, n));
    return 1;
}

static int build(lua_State *L)
{
    struct tw_app *app = lua_touserdata(L, 1);
    struct tw_error *error = lua_touserdata(L, 2);

    tw_be_main();
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.monitor");
    lua_call(L, 1, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, "tw.declared");
    ltw_app_build(L, app, error);
    return 0;
}

/* Runs f(app, extra) protected; its error goes to *error. */
static int protected(struct tw_app *app, lua_CFunction f, const void *extra,
                     struct tw_error *error)
{
    lua_State *L = app->state->L;

    lua_pushcfunction(L, ltw_error_as_text);
    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, app);
    lua_pushlightuserdata(L, (void *)extra);
    if (lua_pcall(L, 2, 0, -4) != LUA_OK) {
        const char *why = lua_tostring(L, -1);

        tw_fail(error, TW_ESCRIPT, "%s", why ? why : "an error that is not a text");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return error->code;
}

static void on_bell(uv_async_t *bell);
static void on_tick(uv_timer_t *tick);

static int open_loop(struct tw_app *app, struct tw_error *error)
{
    int rc = uv_loop_init(&app->loop);

    app->loop_open = rc == 0;
    if (rc == 0) rc = uv_async_init(&app->loop, &app->bell, on_bell);
    if (rc < 0) return tw_fail(error, rc, "%s", tw_strerror(rc));
    app->bell.data = app;
    app->bell_open = true;
    uv_timer_init(&app->loop, &app->tick);
    app->tick.data = app;
    uv_signal_init(&app->loop, &app->interrupt);
    uv_signal_init(&app->loop, &app->terminate);
    app->interrupt.data = app->terminate.data = app;
    return TW_OK;
}

struct tw_app *tw_app_open(const char *path, const struct tw_app_options *options,
                           char why[TW_APP_ERROR])
{
    struct tw_app *app = tw_calloc_aligned(1, sizeof *app);
    struct tw_error error = { .code = TW_OK };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    tw_role_set(&MAIN);
    tw_be_main();
    if (!app) goto fail;
    app->o = *options;
    app->o.watch = options->watch || ltw_source_is_overridden();
    app->log_level = TW_LOG_INFO;
    app->program = -1;
    app->version_number = 1;
    if (app->o.workers == 0) app->o.workers = cores > 0 ? (unsigned)cores : 1;
    pthread_mutex_init(&app->lock, NULL);
    app->state = ltw_appfile_new_state(app, &error);
    if (!app->state || open_loop(app, &error) < 0) goto fail;
    app->version = ltw_version_read(app->state->L, path, &error);
    if (!app->version) goto fail;
    error.code = TW_OK;
    if (protected(app, read_app_file, NULL, &error) < 0) goto fail;
    app->state->host = &app->host;
    if (protected(app, build, &error, &error) < 0) goto fail;
    return app;
fail:
    if (error.code == TW_OK) tw_fail(&error, UV_ENOMEM, "not enough memory");
    snprintf(why, TW_APP_ERROR, "%s", error.text);
    tw_app_close(app);
    return NULL;
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h)) uv_close(h, NULL);
}

void tw_app_close(struct tw_app *app)
{
    if (!app) return;
    tw_be_main();
    app->bell_open = false;
    if (app->loop_open) {   /* first, for some of its handles are of the parts */
        uv_walk(&app->loop, close_handle, NULL);
        uv_run(&app->loop, UV_RUN_DEFAULT);
        uv_loop_close(&app->loop);
    }
    ltw_app_unbuild(app);
    pthread_mutex_destroy(&app->lock);
    tw_free(app);
}

/* ---- what MAIN says: all of it goes through stdlib/monitor.lua ---- */

static void fail(struct tw_app *app)
{
    /* order [app.flag] relaxed: MAIN's own flag as well */
    atomic_store_explicit(&app->failed, true, memory_order_relaxed);
}

/* A call of a function of tw.monitor, with what push pushes: so many values. */
struct call {
    const char *function;
    int (*push)(lua_State *L, const void *what);   /* NULL: none */
    const void *what;
};

/* [-0, +1, e]  Protected. */
static int call_monitor(lua_State *L)
{
    const struct call *c = lua_touserdata(L, 1);

    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "tw.monitor");
    lua_getfield(L, -1, c->function);
    lua_call(L, c->push ? c->push(L, c->what) : 0, 1);
    return 1;
}

/* Unless that returns true, the run has failed. */
static void monitor(struct tw_app *app, const char *function,
                    int (*push)(lua_State *L, const void *what), const void *what)
{
    struct call c = { function, push, what };
    lua_State *L = app->state->L;

    lua_pushcfunction(L, call_monitor);
    lua_pushlightuserdata(L, &c);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK || !lua_toboolean(L, -1)) fail(app);
    lua_pop(L, 1);
}

struct line { enum tw_log_level level; const char *who, *text; size_t n; };

static int push_line(lua_State *L, const void *what)
{
    const struct line *l = what;

    lua_pushinteger(L, l->level);
    lua_pushstring(L, l->who);
    lua_pushlstring(L, l->text, l->n);
    return 3;
}

void ltw_app_print(void *ctx, enum tw_log_level level, const char *who,
                   const char *text, size_t n)
{
    struct tw_app *app = ctx;
    bool is_audit = strcmp(who, "audit") == 0;

    ltw_attach_log(app->attach, level, who, text, n);
    if (level > app->log_level && level != TW_LOG_PRINT && !is_audit) return;
    if (app->o.embedder
        && app->o.embedder->line(app->o.embedder->ctx, level, who, text, n))
        return;
    monitor(app, "print", push_line, &(struct line){ level, who, text, n });
}

struct told { const char *feed; const struct ltw_change *change; };

static int push_change(lua_State *L, const void *what)
{
    const struct told *t = what;

    lua_pushstring(L, t->feed);
    lua_pushstring(L, ltw_feed_state_name(t->change->state));
    lua_pushstring(L, t->change->why);
    return 3;
}

/* Tells the app file of changed feeds. */
static void tell_changes(struct tw_app *app)
{
    for (;;) {
        struct ltw_change change;

        pthread_mutex_lock(&app->lock);
        if (app->n_changes == 0) {
            pthread_mutex_unlock(&app->lock);
            return;
        }
        change = app->changes[0];
        memmove(app->changes, app->changes + 1, --app->n_changes * sizeof change);
        pthread_mutex_unlock(&app->lock);
        monitor(app, "feed", push_change,
                &(struct told){ tw_io_name(app->io, change.feed), &change });
    }
}

static int push_status(lua_State *L, const void *app)
{
    lua_pushcfunction(L, ltw_status);
    lua_pushlightuserdata(L, (void *)app);
    lua_call(L, 1, 1);
    return 1;
}

static void show(struct tw_app *app, const char *function)
{
    tw_be_main();
    monitor(app, function, push_status, app);
}

void ltw_app_speak(void *ctx)
{
    struct tw_app *app = ctx;

    tw_be_main();
    tw_log_drain(app->host.log, ltw_app_print, app);
    tell_changes(app);
}

/* ---- running ---- */

static void on_bell(uv_async_t *bell)
{
    struct tw_app *app = bell->data;

    tw_be_main();
    ltw_reloads_look(app->reloads);
    ltw_app_speak(app);
    if (app->o.embedder) app->o.embedder->look(app->o.embedder->ctx);
}

static void on_tick(uv_timer_t *tick)
{
    struct tw_app *app = tick->data;

    tw_be_main();
    for (unsigned i = 0; i < app->o.workers; i++)
        ltw_watchdog_look(&app->engines[i], &app->watches[i]);
    ltw_app_speak(app);
    ltw_attach_tick(app->attach);
    if (app->o.embedder) app->o.embedder->look(app->o.embedder->ctx);
    if (app->o.embedder || app->ended_ns) return;
    if (++app->ticks % SHOW_EVERY == 0) show(app, "tick");
}

/* A second SIGINT ends the process at once.  A second SIGTERM is the first one: it comes
 * twice to who is named and is in the group that is told, too, as with timeout(1), or a
 * make that passes it on.  It is caught while there are other threads, then held back. */
static void on_signal(uv_signal_t *signal, int number)
{
    struct tw_app *app = signal->data;
    sigset_t again;

    if (app->status) return;
    sigemptyset(&again);
    sigaddset(&again, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &again, NULL);
    uv_signal_stop(&app->interrupt);
    app->status = 128 + number;
    tw_log_printf(app->host.log, TW_LOG_INFO, "", number == SIGINT
                  ? "interrupted: stopping; once more ends at once"
                  : "terminated: stopping; SIGINT ends at once");
    tw_app_stop(app);
}

bool ltw_app_feeds_ended(struct tw_app *app, unsigned *n)
{
    *n = 0;
    for (unsigned i = 0; i < tw_io_count(app->io); i++) {
        struct tw_feed_status status;

        if (app->endless[i]) continue;
        tw_io_status(app->io, i, &status);
        if (status.state < TW_FEED_ENDED) return false;
        ++*n;
    }
    return true;
}

/* All feeds have ended and every script has read what they left. */
static bool is_quiet(struct tw_app *app) TW_ON(MAIN)
{
    uint64_t head = tw_tape_head(app->host.tape);
    unsigned ended;

    if (!ltw_app_feeds_ended(app, &ended)) return false;
    for (unsigned i = 0; i < app->o.workers; i++)
        if (tw_worker_quiet(app->workers[i]) < head) return false;
    if (app->host.pool) {
        struct tw_pool_status pool;

        tw_pool_status(app->host.pool, &pool);
        if (pool.queued + pool.running > 0) return false;
    }
    return ended > 0 && tw_floor_is_idle(app->host.desk->floor)
        && head == tw_tape_head(app->host.tape);
}

static bool is_over(struct tw_app *app) TW_ON(MAIN)
{
    int64_t now = tw_clock_steady_ns();

    if (is_set(&app->stop) || is_set(&app->failed)) return true;
    if (app->o.seconds > 0 && (double)(now - app->went_ns) / 1e9 >= app->o.seconds)
        return true;
    return is_quiet(app);
}

static void start_engine(void *engine)
{
    ltw_engine_go(engine);
}

/* Starts all workers, waits until they have loaded their scripts, and lets them
 * go together.  *started: how many threads there are to be stopped. */
static int start_workers(struct tw_app *app, struct tw_error *error, unsigned *started)
{
    int rc;

    tw_be_main();
    for (; *started < app->o.workers; ++*started) {
        rc = tw_worker_start(app->workers[*started]);
        if (rc < 0) return tw_fail(error, rc, "cannot start a thread: %s",
                                   tw_strerror(rc));
    }
    for (unsigned i = 0; i < app->o.workers; i++) {
        while ((rc = tw_worker_opened(app->workers[i])) == TW_EBUSY) {
            if (is_set(&app->stop)) return error->code = TW_ESTOPPED;
            uv_run(&app->loop, UV_RUN_ONCE);
        }
        if (rc < 0) return tw_fail(error, rc, "%s", app->engines[i].error.text);
    }
    if (ltw_app_add_book(app, error) < 0) return error->code;
    if (app->o.signals) {   /* before that, nothing has begun: they may just kill */
        uv_signal_start(&app->interrupt, on_signal, SIGINT);
        uv_signal_start(&app->terminate, on_signal, SIGTERM);
    }
    for (unsigned i = 0; i < app->o.workers; i++) {
        rc = tw_worker_post(app->workers[i], start_engine, &app->engines[i]);
        if (rc < 0) return tw_fail(error, rc, "%s", tw_strerror(rc));
    }
    return TW_OK;
}

static void stop_engine(void *engine)
{
    ltw_engine_stop(engine);
}

static void tell_unknown(void *engine)
{
    ltw_engine_tell_unknown(engine);
}

static void stop_remotes(void *engine)
{
    ltw_engine_stop_remotes(engine);
}

/* Without memory: again after a tick. */
static void post_all(struct tw_app *app, unsigned n, void (*fn)(void *engine)) TW_ON(MAIN)
{
    for (unsigned i = 0; i < n; i++)
        while (tw_worker_post(app->workers[i], fn, &app->engines[i]) < 0)
            uv_run(&app->loop, UV_RUN_ONCE);
}

static void wait_for(struct tw_app *app, const atomic_uint *count, unsigned n)
{
    /* order [app.engines] acquire: what they did before they counted themselves */
    while (atomic_load_explicit(count, memory_order_acquire) < n)
        uv_run(&app->loop, UV_RUN_ONCE);
}

/* Ends the first n workers, listening to what they say meanwhile.  What scripts have
 * sent elsewhere ends after they were told themselves: else its end would look like a
 * failure to who waits for it. */
static void stop_workers(struct tw_app *app, unsigned n)
{
    tw_be_main();
    post_all(app, n, stop_engine);
    wait_for(app, &app->halted, n);
    if (app->host.pool) tw_pool_stop(app->host.pool);
    post_all(app, n, stop_remotes);
    wait_for(app, &app->closed, n);
    for (unsigned i = 0; i < n; i++) tw_worker_join(app->workers[i]);
}

static int add_feeds(lua_State *L)
{
    struct tw_app *app = lua_touserdata(L, 1);
    struct tw_error *error = lua_touserdata(L, 2);

    tw_be_main();
    lua_getfield(L, LUA_REGISTRYINDEX, "tw.declared");
    ltw_app_add_feeds(L, app, error);
    return 0;
}

/* A peer that was never there is a failure, though it was waited for. */
static void check_connected(struct tw_app *app)
{
    for (unsigned i = 0; i < tw_io_count(app->io); i++) {
        struct tw_feed_status status;

        tw_io_status(app->io, i, &status);
        if (!app->dials[i] || status.connects > 0) continue;
        fail(app);
        tw_log_printf(app->host.log, TW_LOG_ERROR, "",
                      "feed %s: its peer was never there", tw_io_name(app->io, i));
    }
}

/* A file that is empty is told of; where nothing else came the run has failed. */
static void check_records(struct tw_app *app)
{
    unsigned n = tw_io_count(app->io);
    struct tw_feed_status status;
    bool any = false;

    for (unsigned i = 0; i < n && !any; i++) {
        tw_io_status(app->io, i, &status);
        any = !app->endless[i] && status.records > 0;
    }
    for (unsigned i = 0; i < n; i++) {
        tw_io_status(app->io, i, &status);
        if (!app->reads[i] || status.records > 0 || status.state != TW_FEED_ENDED)
            continue;
        if (!any) fail(app);
        tw_log_printf(app->host.log, any ? TW_LOG_WARN : TW_LOG_ERROR, "",
                      "feed %s: there was no record%s", tw_io_name(app->io, i),
                      any ? "" : ", so nothing has happened");
    }
}

/* A built program has its own name, whatever the app in it was called.  Without a socket
 * the run goes on all the same. */
static void open_attach(struct tw_app *app)
{
    struct tw_error error;

    if (!app->o.attach) return;
    app->attach = ltw_attach_open(app, ltw_payload_app() ? program_invocation_short_name
                                  : app->path, &error);
    if (app->attach) return;
    tw_log_printf(app->host.log, TW_LOG_WARN, "", "nobody can attach: %s", error.text);
}

/* What the app declares, whether it has a screen, and who else takes lines. */
static int push_screen(lua_State *L, const void *what)
{
    const struct tw_app *app = what;

    lua_getfield(L, LUA_REGISTRYINDEX, "tw.declared");
    lua_pushboolean(L, app->o.screen && isatty(STDOUT_FILENO));
    if (!app->o.embedder) {
        lua_pushnil(L);
        return 3;
    }
    lua_pushlightuserdata(L, (void *)app->o.embedder);
    lua_pushcclosure(L, log_line, 1);
    return 3;
}

int tw_app_run(struct tw_app *app)
{
    struct tw_error error = { .code = TW_OK };
    unsigned started = 0;

    tw_be_main();
    monitor(app, "open", push_screen, app);
    ltw_watchdog_install(&app->host);
    if (app->o.audit && ltw_audit_write(app->o.audit, NULL, 0, &error) < 0) goto end;
    open_attach(app);
    app->began_ns = tw_clock_steady_ns();
    uv_timer_start(&app->tick, on_tick, TICK_MS, TICK_MS);
    if (protected(app, add_feeds, &error, &error) < 0
        || ltw_recording_start(app, &error) < 0
        || ltw_pool_open(&app->host, &error) < 0
        || start_workers(app, &error, &started) < 0)
        goto end;
    ltw_attach_go(app->attach);
    ltw_reloads_start(app->reloads);
    if (tw_io_start(app->io, &error) < 0) goto end;
    app->went_ns = tw_clock_steady_ns();
    if (app->o.embedder) app->o.embedder->begun(app->o.embedder->ctx);
    while (!is_over(app)) uv_run(&app->loop, UV_RUN_ONCE);
    if (is_quiet(app) && !is_set(&app->failed)) post_all(app, started, tell_unknown);
end:
    app->ended_ns = tw_clock_steady_ns();
    ltw_attach_stop(app->attach);
    ltw_reloads_stop(app->reloads);
    monitor(app, "leave", NULL, NULL);
    if (app->io) tw_io_halt(app->io);
    stop_workers(app, started);
    if (app->io) tw_io_stop(app->io);
    ltw_reloads_look(app->reloads);
    if (app->host.pool) ltw_pool_stop(&app->host);   /* its figures stay */
    ltw_recording_stop(app);
    ltw_watchdog_remove(&app->host);
    ltw_app_speak(app);
    ltw_attach_close(app->attach);
    app->attach = NULL;
    uv_timer_stop(&app->tick);
    ltw_app_speak(app);
    if (error.code == TW_ESTOPPED) return app->status;
    if (error.code < 0) {
        ltw_app_print(app, TW_LOG_ERROR, "", error.text, strlen(error.text));
        return 1;
    }
    check_connected(app);
    check_records(app);
    ltw_app_speak(app);
    show(app, "finish");
    return is_set(&app->failed) || is_set(&app->unseen_failure) ? 1 : app->status;
}
