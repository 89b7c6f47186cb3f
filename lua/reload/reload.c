/* reload.c - new versions of scripts in a running app.
 *
 * Why: MAIN leads a change of version, one at a time, and does nothing of it that
 * takes long: a thread of libuv's reads the files and runs them once in a scratch state
 * of its own, the workers prepare, and the instances decide among themselves (job.h).
 * The change has a place on the tape, a record of its own: each instance comes to it in
 * the order of the records, so nobody has to be asked where it stands.
 *
 *   TRYING --read, compiled, run in a scratch state--> PREPARING
 *     --prepared in every worker, record appended--> CHANGING
 *     --all have left--> over
 *
 * Layer lua.
 */
#include "reload/reload.h"

#include <stdio.h>
#include <string.h>

#include "run/appfile.h"
#include "base/clock.h"
#include "base/memory.h"
#include "reload/library.h"
#include "share/failure.h"
#include "reload/reloads.h"
#include "reload/watch.h"

enum { RETRY_MS = 1 };

/* ---- the end of a change ---- */

static void reset(struct ltw_reloads *r)
{
    ltw_request_drop(r->current);
    for (unsigned i = 0; i < r->n; i++) {
        ltw_version_unref(r->groups[i].next);
        r->groups[i].next = NULL;
    }
    ltw_job_unref(r->job);
    for (unsigned i = 0; i < r->app->o.workers; i++) r->app->engines[i].job = NULL;
    ltw_appfile_free(r->file);
    r->file = NULL;
    r->current = NULL;
    r->job = NULL;
    r->phase = RELOAD_IDLE;
    r->full_ns = 0;
    uv_timer_stop(&r->timer);
    uv_timer_stop(&r->watch_timer);
}

/* The old version goes on. */
static void refuse(struct ltw_reloads *r, const char *why)
{
    struct ltw_request *q = r->current;
    struct ltw_group *g = q->group;

    if (g)
        tw_log_printf(r->app->host.log, TW_LOG_ERROR, "", "reload of %s refused, version"
                      " %u goes on: %s", g->name, ltw_version_get_number(g->now), why);
    if (q->future && ltw_request_stopped(r)) {
        ltw_request_leave(r, q);
        r->current = NULL;
    } else if (q->future) {
        tw_future_fail(q->future, g ? tw_failure_new("reload of %s refused, version %u"
                       " goes on: %s", g->name, ltw_version_get_number(g->now), why)
                       : tw_failure_new("%s", why));
    }
    reset(r);
}

/* The group is at the version that is next. */
static void advance(struct ltw_reloads *r, struct ltw_group *g)
{
    unsigned number = ltw_version_get_number(g->next), of = ltw_version_get_of(g->next);
    char again[40] = "", how[1200];

    if (of) snprintf(again, sizeof again, " (version %u again)", of);
    if (g->is_app)
        snprintf(how, sizeof how, ": %s", ltw_appfile_differs(r->file));
    else
        snprintf(how, sizeof how, ", %u instance%s, paused %.2f ms", g->instances,
                 g->instances == 1 ? "" : "s", (double)ltw_job_pause_ns(r->job) / 1e6);
    tw_log_printf(r->app->host.log, TW_LOG_INFO, "", "%s: version %u%s since record"
                  " %llu%s", g->name, number, again,
                  (unsigned long long)ltw_job_seq(r->job), how);
    ltw_version_unref(g->now);
    ltw_version_ref(g->now = g->next);
    ltw_group_keep(g, g->next);
    ltw_library_replace(r->app->host.library, g->next);
    g->said[0] = '\0';
}

static void take_up(struct ltw_reloads *r, unsigned number) TW_ON(MAIN)
{
    struct ltw_appfile *file = r->file;

    r->file = NULL;
    r->app->version_number = number;
    r->app->version_since = ltw_job_seq(r->job);
    if (!ltw_appfile_commit(r->app, file))
        tw_log_printf(r->app->host.log, TW_LOG_ERROR, "", "%s: not enough memory to take"
                      " up all of version %u", r->groups[0].name, number);
}

static void succeed(struct ltw_reloads *r) TW_ON(MAIN)
{
    struct ltw_request *q = r->current;
    unsigned number = ltw_version_get_number(q->group->next);

    ltw_verdict_guard(r);
    for (unsigned i = 0; i < r->n; i++)
        if (r->groups[i].next) advance(r, &r->groups[i]);
    if (q->group->is_app) take_up(r, number);
    if (q->future)
        tw_future_resolve(q->future, (struct tw_any){ .kind = TW_VALUE_INTEGER,
                                                      .integer = number });
    reset(r);
    if (r->watcher) ltw_watcher_look(r->watcher);   /* there may be other files now */
}

/* ---- trying ---- */

static void try(uv_work_t *work)
{
    ltw_scratch_try(work->data);
}

static void prepare(struct ltw_reloads *r) TW_ON(MAIN);

static void tried(uv_work_t *work, int status)
{
    struct ltw_reloads *r = work->data;
    struct ltw_group *g = r->current->group;

    tw_be_main();
    if (g->next) {
        ltw_version_unref(g->tried);
        ltw_version_ref(g->tried = g->next);
    }
    if (status < 0 || ltw_request_stopped(r)) {
        refuse(r, "the run is ending");
    } else if (r->unchanged) {
        g->said[0] = '\0';
        reset(r);
    } else if (r->why[0] && r->missing && r->current->watched
               && strcmp(r->why, g->said) == 0) {
        reset(r);                        /* it was said already */
    } else if (r->why[0]) {
        snprintf(g->said, sizeof g->said, "%s", r->missing ? r->why : "");
        refuse(r, r->why);
    } else if (g->is_app && !ltw_groups_instruct(r, ltw_appfile_scripts(r->file))) {
        refuse(r, tw_strerror(UV_ENOMEM));
    } else {
        prepare(r);
    }
    ltw_app_ring(r->app);                /* the next one */
}

/* The version whose texts are wanted again: the one before, or that one. */
static bool find_version(struct ltw_reloads *r, int version)
{
    struct ltw_group *g = r->current->group;
    int now = (int)ltw_version_get_number(g->now), of = (int)ltw_version_get_of(g->now);
    int number = version < 0 ? (of ? of : now) - 1 : version;
    struct ltw_version *v = ltw_group_kept(g, number);

    if (!v) {
        snprintf(r->why, sizeof r->why, number < 1 ? "there is no version before it"
                 : "there is no version %d: those from %u to %u are kept", number,
                 g->dropped + 1, g->dropped + g->n);
        return false;
    }
    if (ltw_version_get_of(v)) number = (int)ltw_version_get_of(v);
    g->next = ltw_version_copy(v);
    if (!g->next) snprintf(r->why, sizeof r->why, "%s", tw_strerror(UV_ENOMEM));
    else ltw_version_number(g->next, 0, (unsigned)number);
    return g->next != NULL;
}

static void begin(struct ltw_reloads *r) TW_ON(MAIN)
{
    struct ltw_request *q = r->current;
    char why[320];

    if (q->guarded && q->guarded != ltw_version_get_number(q->group->now)) {
        reset(r);                        /* another one runs already */
        return;
    }
    r->why[0] = '\0';
    r->unchanged = r->missing = r->is_late = false;
    if (!q->group) {
        snprintf(why, sizeof why, "tw.reload: the app has no script '%s'", q->name);
        refuse(r, why);
    } else if (q->version != 0 && !find_version(r, q->version)) {
        refuse(r, r->why);
    } else {
        r->phase = RELOAD_TRYING;
        r->work.data = r;
        uv_queue_work(&r->app->loop, &r->work, try, tried);
    }
}

/* ---- changing ---- */

void ltw_reloads_tell(struct ltw_reloads *r)
{
    for (unsigned i = 0; i < r->app->o.workers; i++) tw_worker_ring(r->app->workers[i]);
    ltw_app_ring(r->app);
}

static void prepare_engine(void *engine)
{
    ltw_engine_prepare(engine);
}

static unsigned count_of(const struct ltw_engine *e, const struct ltw_job *job)
{
    unsigned n = 0;

    for (unsigned i = 0; i < e->n; i++)
        n += ltw_job_version(job, e->options[i].path) != NULL;
    return n;
}

/* The job of all groups that have a next version; false: no memory. */
static bool make_job(struct ltw_reloads *r)
{
    struct ltw_version **versions = tw_calloc(r->n, sizeof *versions);
    unsigned n = 0, members = 0;
    bool fine = versions != NULL;

    for (unsigned i = 0; fine && i < r->n; i++) {
        struct ltw_group *g = &r->groups[i];

        if (!g->next) continue;
        ltw_version_number(g->next, g->dropped + g->n + 1, ltw_version_get_of(g->next));
        versions[n++] = g->next;
        members += g->instances;
        fine = ltw_group_reserve(g);
    }
    if (fine) r->job = ltw_job_new(++r->jobs, versions, n, members, r);
    tw_free(versions);
    return r->job != NULL && ltw_verdict_prepare(r, members);
}

static void prepare(struct ltw_reloads *r) TW_ON(MAIN)
{
    struct tw_app *app = r->app;

    if (!make_job(r)) {
        refuse(r, tw_strerror(UV_ENOMEM));
        return;
    }
    r->phase = RELOAD_PREPARING;
    ltw_verdict_leave(r);
    if (r->current->group->is_app) {     /* MAIN is an instance */
        ltw_job_prepared(r->job);
        ltw_job_leave(r->job);
    }
    for (unsigned i = 0; i < app->o.workers; i++) {
        struct ltw_engine *e = &app->engines[i];
        unsigned n = count_of(e, r->job);

        if (n == 0) continue;
        e->job = r->job;
        if (tw_worker_post(app->workers[i], prepare_engine, e) == TW_OK) continue;
        ltw_job_refuse(r->job, e->who, tw_strerror(UV_ENOMEM));
        for (; n > 0; n--) {
            ltw_job_prepared(r->job);
            ltw_job_leave(r->job);
        }
    }
}

static void on_timer(uv_timer_t *timer);

/* Those who read it are behind, or paused. */
static void wait_for_room(struct ltw_reloads *r) TW_ON(MAIN)
{
    int64_t now = tw_clock_steady_ns();

    if (r->full_ns == 0) r->full_ns = now;
    if (now - r->full_ns > 2 * r->deadline_ms * 1000000)
        ltw_job_refuse(r->job, "", "there is no room on the tape for the record of the"
                       " change: a script that the tape waits for is behind, or paused");
    else
        uv_timer_start(&r->timer, on_timer, RETRY_MS, 0);
}

/* Puts the change on the tape; or, start, the record from which on it is compared. */
static void append(struct ltw_reloads *r, bool start) TW_ON(MAIN)
{
    struct tw_record record = { .kind = TW_RELOAD, .time = tw_clock_now_ns() };

    record.received = record.time;
    record.word[0] = ltw_job_id(r->job);
    record.word[1] = ltw_version_get_number(r->current->group->next);
    record.word[2] = start;
    if (tw_tape_try_append(r->app->host.tape, &record, 1) < 0) {
        wait_for_room(r);
        return;
    }
    r->full_ns = 0;
    if (start) {
        r->phase = RELOAD_SHADOWING;
        ltw_job_set_start(r->job, record.seq);
        tw_tape_wake(r->app->host.tape);
        ltw_verdict_watch(r);
        return;
    }
    r->phase = RELOAD_CHANGING;
    ltw_job_set_seq(r->job, record.seq);
    if (r->current->group->is_app) ltw_job_agree(r->job);
    tw_tape_wake(r->app->host.tape);
    uv_timer_start(&r->timer, on_timer, (uint64_t)r->deadline_ms, 0);
}

static void hurry_engine(void *engine)
{
    ltw_engine_hurry(engine);
}

/* First those that wait are told; then it is given up. */
static void on_deadline(struct ltw_reloads *r) TW_ON(MAIN)
{
    struct tw_app *app = r->app;
    char why[160];

    if (r->is_late) {
        snprintf(why, sizeof why, "not all instances came to record %llu within %.3f s:"
                 " they are behind, or wait and don't end",
                 (unsigned long long)ltw_job_seq(r->job),
                 2 * (double)r->deadline_ms / 1e3);
        ltw_job_refuse(r->job, "", why);
        return;
    }
    r->is_late = true;
    for (unsigned i = 0; i < app->o.workers; i++)
        tw_worker_post(app->workers[i], hurry_engine, &app->engines[i]);
    uv_timer_start(&r->timer, on_timer, (uint64_t)r->deadline_ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct ltw_reloads *r = timer->data;

    tw_be_main();
    if (r->phase == RELOAD_CHANGING && ltw_job_decision(r->job) == LTW_UNDECIDED)
        on_deadline(r);
    ltw_reloads_look(r);
}

/* A file of the group may be another now. */
static bool check_suspects(struct ltw_reloads *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct ltw_group *g = &r->groups[i];
        struct ltw_request *q = g->suspect || g->is_saved ? tw_calloc(1, sizeof *q)
                                                          : NULL;

        if (!q) continue;
        g->suspect = g->is_saved = false;
        q->group = g;
        q->watched = true;
        q->terms = ltw_request_usual(r);
        r->current = q;
        return true;
    }
    return false;
}

/* All are prepared: the next phase. */
static void go_on(struct ltw_reloads *r) TW_ON(MAIN)
{
    struct ltw_trial *trial = ltw_job_trial(r->job);
    char text[120];

    if (trial && ltw_trial_warming(trial) > 0) {
        if (r->phase == RELOAD_WARMING) return;
        r->phase = RELOAD_WARMING;
        ltw_verdict_watch(r);
        return;
    }
    if (trial && r->phase < RELOAD_STARTING
        && ltw_trial_describe_warm(trial, text, sizeof text))
        tw_log_printf(r->app->host.log, TW_LOG_INFO, "", "%s: version %u is warm: %s",
                      r->current->group->name,
                      ltw_version_get_number(r->current->group->next), text);
    r->is_late = false;
    if (trial && ltw_trial_comparing(trial) > 0) {
        if (r->phase == RELOAD_SHADOWING) return;
        r->phase = RELOAD_STARTING;
        append(r, true);
        return;
    }
    if (trial && ltw_trial_terms(trial)->shadow > 0 && r->phase != RELOAD_APPENDING
        && !ltw_verdict_accepts(r))
        return;
    r->phase = RELOAD_APPENDING;
    append(r, false);
}

void ltw_reloads_look(struct ltw_reloads *r)
{
    if (!r) return;
    ltw_verdict_look(r);
    while (r->phase == RELOAD_IDLE && !ltw_request_stopped(r)) {
        r->current = ltw_request_take(r, false);
        if (!r->current && !check_suspects(r)) return;
        begin(r);
    }
    if (r->phase >= RELOAD_PREPARING && r->phase < RELOAD_CHANGING
        && ltw_job_preparing(r->job) == 0 && ltw_job_decision(r->job) == LTW_UNDECIDED)
        go_on(r);
    if (r->phase < RELOAD_PREPARING || ltw_job_preparing(r->job) > 0
        || ltw_job_members(r->job) > 0)
        return;
    if (ltw_job_decision(r->job) == LTW_COMMIT) {
        succeed(r);
    } else {
        ltw_job_reason(r->job, r->why);
        refuse(r, r->why);
    }
    ltw_app_ring(r->app);
}

/* ---- all of it ---- */

void ltw_reload_configure(lua_State *L, struct ltw_reloads *r)
{
    struct ltw_terms terms = { 0 };

    tw_be_main();
    r->deadline_ms = 1000;
    r->watch = r->app->o.watch;
    if (lua_istable(L, -1)) {
        ltw_request_terms(L, lua_gettop(L), "app.reload", &terms);
        lua_getfield(L, -1, "watch");
        if (!lua_isnil(L, -1)) r->watch = lua_toboolean(L, -1);
        if (lua_getfield(L, -2, "deadline") == LUA_TNUMBER)
            r->deadline_ms = (int64_t)(lua_tonumber(L, -1) * 1e3);
        lua_pop(L, 2);
    }
    ltw_request_set_usual(r, &terms);
    lua_pop(L, 1);
    if (r->runs) ltw_reloads_start(r);
}

struct ltw_reloads *ltw_reloads_new(lua_State *L, struct tw_app *app)
{
    struct ltw_reloads *r = tw_calloc(1, sizeof *r);

    if (!r) return NULL;
    r->app = app;
    r->last = &r->first;
    pthread_mutex_init(&r->lock, NULL);
    r->groups = tw_calloc(app->n_scripts + 1, sizeof *r->groups);
    uv_timer_init(&app->loop, &r->timer);
    uv_timer_init(&app->loop, &r->watch_timer);
    r->timer.data = r->watch_timer.data = r;
    lua_getfield(L, -1, "reload");
    ltw_reload_configure(L, r);
    if (r->groups && ltw_groups_add(r)) return r;
    ltw_reloads_free(r);
    return NULL;
}

void ltw_reloads_start(struct ltw_reloads *r)
{
    if (!r) return;
    r->runs = true;
    if (r->watch && !r->watcher)
        r->watcher = ltw_watcher_new(r, &r->app->loop, r->app->host.log);
}

void ltw_reloads_stop(struct ltw_reloads *r)
{
    struct ltw_request *q;

    if (!r) return;
    while ((q = ltw_request_take(r, true)) != NULL) ltw_request_leave(r, q);
    if (r->job) ltw_job_refuse(r->job, "", "the run is ending");
    /* order [watchdog.over] relaxed: nothing but that it is to end */
    atomic_store_explicit(&r->over, true, memory_order_relaxed);
    if (r->phase == RELOAD_TRYING) uv_cancel((uv_req_t *)&r->work);
    while (r->phase == RELOAD_TRYING || r->is_reading)
        uv_run(&r->app->loop, UV_RUN_ONCE);
    uv_timer_stop(&r->timer);
    uv_timer_stop(&r->watch_timer);
}

void ltw_reloads_free(struct ltw_reloads *r)
{
    struct ltw_request *q;

    if (!r) return;
    ltw_groups_free(r);
    while ((q = r->left) != NULL) {
        r->left = q->next;
        if (q->future) tw_future_cancel(q->future);
        ltw_request_drop(q);
    }
    ltw_watcher_free(r->watcher);
    pthread_mutex_destroy(&r->lock);
    tw_free(r);
}
