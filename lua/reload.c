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
#include "reload.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "code.h"
#include "job.h"
#include "lfuture.h"
#include "share/failure.h"
#include "watch.h"

enum { RETRY_MS = 1, KEPT_BYTES = 64 << 20 };

/* A script: one file, any number of instances. */
struct group {
    const char *name, *path;          /* constant: the app's                       */
    uint32_t id;                      /* constant: of its first instance           */
    unsigned instances;               /* constant                                  */
    struct ltw_version **versions;    /* from `dropped` on, kept for a rollback    */
    unsigned n, dropped;              /* numbers 1 to dropped + n                  */
    struct ltw_version *now;          /* that runs                                 */
    struct ltw_version *tried;        /* the last one that was tried               */
    struct ltw_version *next;         /* that a change is to, the work's, then MAIN's */
    bool suspect;                     /* a file of it may have changed             */
    char said[LTW_REASON];            /* why it can't be read, as it was said last */
};

struct request {
    struct request *next;
    struct group *group;              /* NULL: there is no such script             */
    int version;                      /* see ltw_reload_ask                        */
    bool watched;                     /* a file has changed: only if it is another */
    struct tw_future *future;         /* one reference, or NULL                    */
    char name[256];
};

enum phase { IDLE, TRYING, PREPARING, CHANGING };

struct ltw_reloads {
    struct tw_app *app;               /* constant                                  */
    struct group *groups;
    unsigned n;
    bool watch;                       /* constant: files are watched               */
    int64_t deadline_ms;              /* constant: a handler may wait so long      */
    struct ltw_watcher *watcher;
    pthread_mutex_t lock;             /* guards the three below                    */
    struct request *first, **last;    /* mutex                                     */
    bool stopped;                     /* mutex                                     */
    enum phase phase;
    struct request *current;
    uv_work_t work;
    char why[LTW_REASON];             /* the work failed                           */
    bool unchanged;                   /* the work found nothing new                */
    bool missing;                     /* or could not read it                      */
    struct ltw_job *job;
    uint64_t jobs;
    uv_timer_t timer;
    bool is_late;                     /* the first deadline has passed             */
};

/* ---- requests ---- */

static struct group *find(struct ltw_reloads *r, const char *name)
{
    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->groups[i].name, name) == 0) return &r->groups[i];
    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->groups[i].path, name) == 0) return &r->groups[i];
    for (unsigned i = 0; i < r->app->n_scripts; i++)   /* a name of another instance */
        if (strcmp(r->app->scripts[i].name, name) == 0)
            return find(r, r->app->scripts[i].path);
    return NULL;
}

static int post(struct ltw_reloads *r, struct request *q)
{
    bool stopped;

    pthread_mutex_lock(&r->lock);
    stopped = r->stopped;
    if (!stopped) {
        *r->last = q;
        r->last = &q->next;
    }
    pthread_mutex_unlock(&r->lock);
    if (stopped) return TW_ESTOPPED;
    ltw_app_ring(r->app);
    return TW_OK;
}

int ltw_reload_ask(struct ltw_reloads *r, const char *name, int version,
                   struct tw_future *future)
{
    struct request *q = tw_calloc(1, sizeof *q);
    int rc;

    if (!q) return UV_ENOMEM;
    q->group = find(r, name);
    q->version = version;
    q->future = future;
    snprintf(q->name, sizeof q->name, "%s", name);
    tw_future_ref(future);
    rc = post(r, q);
    if (rc == TW_OK) return rc;
    tw_future_unref(future);
    tw_free(q);
    return rc;
}

static struct request *take(struct ltw_reloads *r, bool stop)
{
    struct request *q;

    pthread_mutex_lock(&r->lock);
    r->stopped = r->stopped || stop;
    q = r->first;
    if (q) r->first = q->next;
    if (!r->first) r->last = &r->first;
    pthread_mutex_unlock(&r->lock);
    return q;
}

static bool is_stopped(struct ltw_reloads *r)
{
    bool stopped;

    pthread_mutex_lock(&r->lock);
    stopped = r->stopped;
    pthread_mutex_unlock(&r->lock);
    return stopped;
}

static void drop_request(struct request *q)
{
    if (q->future) tw_future_unref(q->future);
    tw_free(q);
}

/* ---- the end of a change ---- */

static void reset(struct ltw_reloads *r)
{
    drop_request(r->current);
    for (unsigned i = 0; i < r->n; i++) {
        ltw_version_unref(r->groups[i].next);
        r->groups[i].next = NULL;
    }
    ltw_job_unref(r->job);
    for (unsigned i = 0; i < r->app->o.workers; i++) r->app->engines[i].job = NULL;
    r->current = NULL;
    r->job = NULL;
    r->phase = IDLE;
    uv_timer_stop(&r->timer);
}

/* The old version goes on. */
static void refuse(struct ltw_reloads *r, const char *why)
{
    struct request *q = r->current;
    struct group *g = q->group;

    if (g)
        tw_log_printf(r->app->host.log, TW_LOG_ERROR, "", "reload of %s refused, version"
                      " %u goes on: %s", g->name, ltw_version_get_number(g->now), why);
    if (q->future)
        tw_future_fail(q->future, g ? tw_failure_new("reload of %s refused, version %u"
                       " goes on: %s", g->name, ltw_version_get_number(g->now), why)
                       : tw_failure_new("%s", why));
    reset(r);
}

static bool reserve(struct group *g)
{
    struct ltw_version **grown = tw_realloc(g->versions, (g->n + 1) * sizeof *grown);

    if (grown) g->versions = grown;
    return grown != NULL;
}

/* In the room that was reserved.  The oldest go when all texts together take too much. */
static void keep(struct group *g, struct ltw_version *v)
{
    struct ltw_version **all = g->versions;
    size_t bytes = ltw_version_bytes(v);
    unsigned first = g->n;

    while (first > 0 && (bytes += ltw_version_bytes(all[first - 1])) < KEPT_BYTES)
        first--;
    for (unsigned i = 0; i < first; i++) ltw_version_unref(all[i]);
    memmove(all, all + first, (g->n - first) * sizeof *all);
    g->dropped += first;
    g->n -= first;
    ltw_version_ref(all[g->n++] = v);
}

/* The group is at the version that is next. */
static void advance(struct ltw_reloads *r, struct group *g)
{
    unsigned number = ltw_version_get_number(g->next), of = ltw_version_get_of(g->next);
    char again[40] = "";

    if (of) snprintf(again, sizeof again, " (version %u again)", of);
    tw_log_printf(r->app->host.log, TW_LOG_INFO, "", "%s: version %u%s since record %llu,"
                  " %u instance%s, paused %.2f ms", g->name, number, again,
                  (unsigned long long)ltw_job_seq(r->job), g->instances,
                  g->instances == 1 ? "" : "s", (double)ltw_job_pause_ns(r->job) / 1e6);
    ltw_version_unref(g->now);
    ltw_version_ref(g->now = g->next);
    keep(g, g->next);
    g->said[0] = '\0';
}

static void succeed(struct ltw_reloads *r) TW_ON(MAIN)
{
    struct request *q = r->current;
    unsigned number = ltw_version_get_number(q->group->next);

    for (unsigned i = 0; i < r->n; i++)
        if (r->groups[i].next) advance(r, &r->groups[i]);
    if (q->future)
        tw_future_resolve(q->future, (struct tw_any){ .kind = TW_VALUE_INTEGER,
                                                      .integer = number });
    reset(r);
    if (r->watcher) ltw_watcher_renew(r->watcher);
}

/* ---- trying ---- */

static bool differs(void *L, const struct ltw_part *before)
{
    struct tw_error error;
    struct ltw_part *now = ltw_part_read(L, before->name, before->path, &error);
    bool is_other = !now || now->n != before->n
                 || memcmp(now->bytes, before->bytes, now->n) != 0;

    ltw_part_free(now);
    return is_other;
}

/* [-0, +0, -]  Runs the file of the version where nothing has an effect. */
static void run(struct ltw_reloads *r, struct ltw_state *state)
{
    const struct group *g = r->current->group;
    struct ltw_code code;

    if (ltw_code_load(state, ltw_version_options(g->next, g->id), g->next, &code)
        != LUA_OK) {
        const char *why = lua_tostring(state->L, -1);

        snprintf(r->why, sizeof r->why, "%s", why ? why : "an error that is not a text");
    } else {
        ltw_code_drop(state, &code);
    }
}

/* A state that nobody else has.  NULL: no memory. */
static struct ltw_state *new_scratch(const struct tw_app *app, struct ltw_host *host)
{
    struct ltw_state *state = ltw_state_new(host, host->memory_max);

    if (!state) return NULL;
    strcpy(state->who, "scratch");
    state->muted = true;
    state->limit_ns = host->time_max_ns;
    lua_pushcfunction(state->L, ltw_engine_set_path);
    lua_pushstring(state->L, app->engines[0].path);
    if (lua_pcall(state->L, 1, 0, 0) == LUA_OK) return state;
    ltw_state_free(state);
    return NULL;
}

/* On a thread of libuv's: MAIN leaves alone what it uses. */
static void try(uv_work_t *work)
{
    struct ltw_reloads *r = work->data;
    struct group *g = r->current->group;
    struct ltw_state *state = new_scratch(r->app, &r->app->host);
    struct tw_error error = { .code = TW_OK };

    if (!state) {
        snprintf(r->why, sizeof r->why, "%s", tw_strerror(UV_ENOMEM));
        return;
    }
    if (r->current->watched) {
        r->unchanged = !ltw_version_each(g->now, differs, state->L);
        if (r->unchanged) ltw_version_ref(g->next = g->now);
        else r->unchanged = !ltw_version_each(g->tried, differs, state->L);
    }
    if (!r->unchanged && !g->next) {
        g->next = ltw_version_read(state->L, g->path, &error);
        if (g->next && !ltw_version_inherit(g->next, g->now)) {
            ltw_version_unref(g->next);
            g->next = NULL;
            tw_fail(&error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
        }
    }
    r->missing = !r->unchanged && !g->next;
    if (r->missing) snprintf(r->why, sizeof r->why, "%s", error.text);
    else if (!r->unchanged) run(r, state);
    ltw_state_free(state);
}

static void prepare(struct ltw_reloads *r);

static void tried(uv_work_t *work, int status)
{
    struct ltw_reloads *r = work->data;
    struct group *g = r->current->group;

    tw_be_main();
    if (g->next) {
        ltw_version_unref(g->tried);
        ltw_version_ref(g->tried = g->next);
    }
    if (status < 0 || is_stopped(r)) {
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
    } else {
        prepare(r);
    }
    ltw_app_ring(r->app);                /* the next one */
}

static struct ltw_version *kept(const struct group *g, int number)
{
    if (number <= (int)g->dropped || number > (int)(g->dropped + g->n)) return NULL;
    return g->versions[(unsigned)number - g->dropped - 1];
}

/* The version whose texts are wanted again: the one before, or that one. */
static bool find_version(struct ltw_reloads *r, int version)
{
    struct group *g = r->current->group;
    int now = (int)ltw_version_get_number(g->now), of = (int)ltw_version_get_of(g->now);
    int number = version < 0 ? (of ? of : now) - 1 : version;
    struct ltw_version *v = kept(g, number);

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
    struct request *q = r->current;
    char why[320];

    r->why[0] = '\0';
    r->unchanged = r->missing = r->is_late = false;
    if (!q->group) {
        snprintf(why, sizeof why, "tw.reload: the app has no script '%s'", q->name);
        refuse(r, why);
    } else if (q->version != 0 && !find_version(r, q->version)) {
        refuse(r, r->why);
    } else {
        r->phase = TRYING;
        r->work.data = r;
        uv_queue_work(&r->app->loop, &r->work, try, tried);
    }
}

/* ---- changing ---- */

static void tell(void *ctx)
{
    struct ltw_reloads *r = ctx;

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
        struct group *g = &r->groups[i];

        if (!g->next) continue;
        ltw_version_number(g->next, g->dropped + g->n + 1, ltw_version_get_of(g->next));
        versions[n++] = g->next;
        members += g->instances;
        fine = reserve(g);
    }
    if (fine) r->job = ltw_job_new(++r->jobs, versions, n, members, tell, r);
    tw_free(versions);
    return r->job != NULL;
}

static void prepare(struct ltw_reloads *r)
{
    struct tw_app *app = r->app;

    if (!make_job(r)) {
        refuse(r, tw_strerror(UV_ENOMEM));
        return;
    }
    r->phase = PREPARING;
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

/* Puts the change on the tape. */
static void append(struct ltw_reloads *r)
{
    struct tw_record record = { .kind = TW_RELOAD, .time = tw_clock_now_ns() };

    record.received = record.time;
    record.word[0] = ltw_job_id(r->job);
    record.word[1] = ltw_version_get_number(r->current->group->next);
    if (tw_tape_try_append(r->app->host.tape, &record, 1) < 0) {
        uv_timer_start(&r->timer, on_timer, RETRY_MS, 0);
        return;
    }
    r->phase = CHANGING;
    ltw_job_set_seq(r->job, record.seq);
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
    if (r->phase == CHANGING && ltw_job_decision(r->job) == LTW_UNDECIDED) on_deadline(r);
    ltw_reloads_look(r);
}

/* A file of the group may be another now. */
static bool check_suspects(struct ltw_reloads *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct request *q = r->groups[i].suspect ? tw_calloc(1, sizeof *q) : NULL;

        if (!q) continue;
        r->groups[i].suspect = false;
        q->group = &r->groups[i];
        q->watched = true;
        r->current = q;
        return true;
    }
    return false;
}

void ltw_reloads_look(struct ltw_reloads *r)
{
    if (!r) return;
    while (r->phase == IDLE && !is_stopped(r)) {
        r->current = take(r, false);
        if (!r->current && !check_suspects(r)) return;
        begin(r);
    }
    if (r->phase == PREPARING && ltw_job_preparing(r->job) == 0
        && ltw_job_decision(r->job) == LTW_UNDECIDED)
        append(r);
    if (r->phase < PREPARING || ltw_job_preparing(r->job) > 0
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

/* ---- watching ---- */

static bool is_of(void *path, const struct ltw_part *t)
{
    return strcmp(t->path, path) == 0;
}

void ltw_reload_suspect(struct ltw_reloads *r, const char *path)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct group *g = &r->groups[i];

        if (!path || ltw_version_each(g->now, is_of, (void *)path)
            || ltw_version_each(g->tried, is_of, (void *)path))
            g->suspect = true;
    }
    ltw_reloads_look(r);
}

struct files { void (*look)(void *ctx, const char *path); void *ctx; };

static bool look_at(void *ctx, const struct ltw_part *t)
{
    const struct files *f = ctx;

    f->look(f->ctx, t->path);
    return false;
}

void ltw_reload_each_file(struct ltw_reloads *r,
                          void (*look)(void *ctx, const char *path), void *ctx)
{
    struct files f = { look, ctx };

    for (unsigned i = 0; i < r->n; i++) {
        ltw_version_each(r->groups[i].now, look_at, &f);
        if (r->groups[i].tried != r->groups[i].now)
            ltw_version_each(r->groups[i].tried, look_at, &f);
    }
}

/* ---- all of it ---- */

static struct group *group_of(struct ltw_reloads *r, const char *path)
{
    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->groups[i].path, path) == 0) return &r->groups[i];
    return NULL;
}

static bool add_groups(struct ltw_reloads *r)
{
    for (unsigned i = 0; i < r->app->n_scripts; i++) {
        const struct ltw_script_options *o = &r->app->scripts[i];
        struct group *g = group_of(r, o->path);

        if (!g) {
            g = &r->groups[r->n++];
            *g = (struct group){ .name = o->name, .path = o->path, .id = o->id,
                                 .now = o->version, .tried = o->version };
            ltw_version_ref(g->now);
            ltw_version_ref(g->tried);
            if (!reserve(g)) return false;
            keep(g, g->now);
        }
        g->instances++;
    }
    return true;
}

struct ltw_reloads *ltw_reloads_new(lua_State *L, struct tw_app *app)
{
    struct ltw_reloads *r = tw_calloc(1, sizeof *r);
    unsigned n = app->n_scripts;

    if (!r) return NULL;
    r->app = app;
    r->last = &r->first;
    pthread_mutex_init(&r->lock, NULL);
    r->groups = tw_calloc(n ? n : 1, sizeof *r->groups);
    uv_timer_init(&app->loop, &r->timer);
    r->timer.data = r;
    r->deadline_ms = 1000;
    r->watch = app->o.watch;
    if (lua_getfield(L, -1, "reload") == LUA_TTABLE) {
        lua_getfield(L, -1, "watch");
        if (!lua_isnil(L, -1)) r->watch = lua_toboolean(L, -1);
        if (lua_getfield(L, -2, "deadline") == LUA_TNUMBER)
            r->deadline_ms = (int64_t)(lua_tonumber(L, -1) * 1e3);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    if (r->groups && add_groups(r)) return r;
    ltw_reloads_free(r);
    return NULL;
}

void ltw_reloads_start(struct ltw_reloads *r)
{
    if (r && r->watch) r->watcher = ltw_watcher_new(r, &r->app->loop, r->app->host.log);
}

void ltw_reloads_stop(struct ltw_reloads *r)
{
    struct request *q;

    if (!r) return;
    while ((q = take(r, true)) != NULL) {
        if (q->future) tw_future_cancel(q->future);
        drop_request(q);
    }
    if (r->job) ltw_job_refuse(r->job, "", "the run is ending");
    if (r->phase == TRYING) uv_cancel((uv_req_t *)&r->work);
    while (r->phase == TRYING) uv_run(&r->app->loop, UV_RUN_ONCE);
    uv_timer_stop(&r->timer);
}

void ltw_reloads_free(struct ltw_reloads *r)
{
    if (!r) return;
    for (unsigned i = 0; i < r->n; i++) {
        struct group *g = &r->groups[i];

        for (unsigned k = 0; k < g->n; k++) ltw_version_unref(g->versions[k]);
        tw_free(g->versions);
        ltw_version_unref(g->now);
        ltw_version_unref(g->tried);
    }
    ltw_watcher_free(r->watcher);
    pthread_mutex_destroy(&r->lock);
    tw_free(r->groups);
    tw_free(r);
}

/* ---- tw.reload, tw.rollback ---- */

/* [-0, +1|3, e]  The future of a request. */
static int ask(lua_State *L, const char *what, int version)
{
    struct ltw_host *host = ltw_check_host(L, what);
    const char *name = luaL_checkstring(L, 1);
    struct ltw_box *handle;
    struct tw_future *f;
    int rc;

    if (!host->reloads) return luaL_error(L, "%s: no scripts run here", what);
    handle = ltw_future_push_empty(L);
    f = tw_future_new(host->unseen);
    if (!f) return luaL_error(L, "%s: not enough memory", what);
    tw_future_ref(f);
    ltw_future_attach(L, handle, f);
    rc = ltw_reload_ask(host->reloads, name, version, f);
    tw_future_unref(f);
    return rc == TW_OK ? 1 : ltw_fail(L, rc);
}

/* tw.reload(name) -> future | nil, message, code
 * Reads the file of a script again, with what it requires, and has all its instances go
 * on with that at one record of the tape, or none of them.  name: as app.script names
 * it.  The future has the number of the new version; it fails when that was refused: it
 * did not compile or run, or on_reload or on_check said no in any of the instances; the
 * old version goes on then.  A handler of the script itself should not await it: the
 * change waits for the handler.
 * Yields: no; awaiting the future does.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run; nil when the run is ending.  Units: none. */
int ltw_reload(lua_State *L)
{
    return ask(L, "tw.reload", 0);
}

/* tw.rollback(name [, version]) -> future | nil, message, code
 * As tw.reload, with the text of an earlier version of this run; the one before, when
 * none is named.  It gets a number of its own.
 * Yields: no; awaiting the future does.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run, and when version is not above 0; nil when the run is
 * ending.  Units: none. */
int ltw_rollback(lua_State *L)
{
    lua_Integer version = luaL_optinteger(L, 2, -1);

    luaL_argcheck(L, lua_isnoneornil(L, 2) || (version > 0 && version < INT32_MAX), 2,
                  "a version's number expected");
    return ask(L, "tw.rollback", (int)version);
}
