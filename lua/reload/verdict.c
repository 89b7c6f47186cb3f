/* verdict.c - decides on a new version that is on trial: it is accepted, given up, or
 * taken back.
 *
 * Why: MAIN alone sees all instances, and the requests that come meanwhile.  A newer
 * version of the same script replaces one that is still on trial; other requests wait,
 * as one change is made at a time.
 *
 * Layer lua.
 */
#include <stdio.h>

#include "base/clock.h"
#include "reload/reloads.h"

enum { LOOK_MS = 50 };

bool ltw_verdict_prepare(struct ltw_reloads *r, unsigned members)
{
    const struct ltw_terms *terms = &r->current->terms;
    struct ltw_trial *trial;

    if (r->current->group->is_app || (!ltw_terms_warm(terms) && terms->shadow == 0))
        return true;
    trial = ltw_trial_new(terms, members, r->app->reliable, r);
    if (!trial) return false;
    ltw_job_set_trial(r->job, trial);
    ltw_trial_unref(trial);
    if (terms->shadow == 0) return true;
    trial = ltw_trial_new(terms, members, false, r);
    if (!trial) return false;
    ltw_job_set_guard(r->job, trial);
    ltw_trial_unref(trial);
    return true;
}

bool ltw_verdict_accepts(struct ltw_reloads *r)
{
    struct ltw_trial *trial = ltw_job_trial(r->job);
    struct ltw_group *g = r->current->group;
    char report[LTW_REASON];

    ltw_trial_report(trial, report, sizeof report);
    if (ltw_trial_is_over(trial)) {
        ltw_job_refuse(r->job, "", report);
        return false;
    }
    tw_log_printf(r->app->host.log, TW_LOG_INFO, "", "%s: version %u beside version %u:"
                  " %s", g->name, ltw_version_get_number(g->next),
                  ltw_version_get_number(g->now), report);
    return true;
}

/* ---- while it is shown ---- */

static void check_engine(void *engine)
{
    ltw_engine_check(engine);
}

/* Each candidate that waits is looked at; who has not moved since the last time is not
 * waited for. */
static void check_engines(struct ltw_reloads *r) TW_ON(MAIN)
{
    int64_t now = tw_clock_steady_ns();

    if (now - r->checked_ns < r->deadline_ms * 1000000) return;
    r->checked_ns = now;
    for (unsigned i = 0; i < r->app->o.workers; i++)   /* or, without memory, next time */
        tw_worker_post(r->app->workers[i], check_engine, &r->app->engines[i]);
}

/* No feed will bring another record, and all that are there have been read. */
static bool is_dry(struct ltw_reloads *r) TW_ON(MAIN)
{
    struct tw_app *app = r->app;
    uint64_t head = tw_tape_head(app->host.tape);
    unsigned ended;

    if (!ltw_app_feeds_ended(app, &ended)) return false;
    for (unsigned i = 0; i < app->n_scripts; i++)
        /* order [script.counts] relaxed: it only grows */
        if (atomic_load_explicit(&app->counts[i].at, memory_order_relaxed) < head)
            return false;
    return ended > 0;
}

/* A market that has ended shows no more. */
static void check_shadow(struct ltw_reloads *r) TW_ON(MAIN)
{
    struct ltw_trial *trial = ltw_job_trial(r->job);
    char report[LTW_REASON], why[LTW_REASON];

    if (r->moved != ltw_trial_moved(trial)) r->looks = 0;
    r->moved = ltw_trial_moved(trial);
    r->looks++;
    if (!(r->looks > 1 && is_dry(r))      /* or somebody holds up feeds that wait */
        && !(r->app->reliable && r->looks * LOOK_MS > 2 * r->deadline_ms))
        return;
    ltw_trial_report(trial, report, sizeof report - 100);
    snprintf(why, sizeof why, "no more records come: %.3900s", report);
    ltw_job_refuse(r->job, "", why);
}

static void on_look(uv_timer_t *timer)
{
    struct ltw_reloads *r = timer->data;

    tw_be_main();
    if (!r->job || ltw_job_decision(r->job) != LTW_UNDECIDED) return;
    if (r->phase == RELOAD_WARMING || r->phase == RELOAD_SHADOWING) check_engines(r);
    if (r->phase == RELOAD_SHADOWING) check_shadow(r);
}

void ltw_verdict_watch(struct ltw_reloads *r)
{
    r->looks = 0;
    r->checked_ns = tw_clock_steady_ns();
    uv_timer_start(&r->watch_timer, on_look, LOOK_MS, LOOK_MS);
}

/* ---- what is asked for meanwhile ---- */

static void say_held(struct ltw_reloads *r, const char *name) TW_ON(MAIN)
{
    const struct ltw_group *g = r->current->group;

    tw_log_printf(r->app->host.log, TW_LOG_INFO, "", "reload of %s waits until version %u"
                  " of %s has shown what it does", name, ltw_version_get_number(g->next),
                  g->name);
}

static void read_files(uv_work_t *work)
{
    struct ltw_reloads *r = work->data;

    r->is_other = ltw_scratch_differs(r, r->reading);
}

static void files_read(uv_work_t *work, int status)
{
    struct ltw_reloads *r = work->data;
    struct ltw_group *g = r->reading_of;

    tw_be_main();
    r->is_reading = false;
    if (status == 0 && r->is_other) {
        if (r->current && g->next == r->reading && r->phase <= RELOAD_SHADOWING)
            ltw_job_refuse(r->job, "", "a file of it was saved again meanwhile");
        else if (r->current && !g->is_saved)
            say_held(r, g->name);
        g->is_saved = true;
    }
    ltw_version_unref(r->reading);
    ltw_app_ring(r->app);
}

/* Whether the bytes of files that may have changed are others takes reading them. */
static void read_suspects(struct ltw_reloads *r) TW_ON(MAIN)
{
    struct ltw_group *g = r->groups;

    while (g < r->groups + r->n && !g->suspect) g++;
    if (r->is_reading || g == r->groups + r->n) return;
    g->suspect = false;
    r->reading_of = g;
    ltw_version_ref(r->reading = g->next ? g->next : g->tried);
    r->is_reading = true;
    r->reader.data = r;
    uv_queue_work(&r->app->loop, &r->reader, read_files, files_read);
}

static void look_at_requests(struct ltw_reloads *r) TW_ON(MAIN)
{
    const struct ltw_group *g = r->current->group;
    char name[256];

    if (ltw_request_is_waiting(r, g))
        ltw_job_refuse(r->job, "", "another version of it was asked for meanwhile");
    else
        read_suspects(r);
    while (ltw_request_is_held(r, name)) say_held(r, name);
}

/* ---- behind the change ---- */

void ltw_verdict_guard(struct ltw_reloads *r)
{
    struct ltw_group *g = r->current->group;

    if (!ltw_job_guard(r->job)) return;
    ltw_trial_ref(g->guard = ltw_job_guard(r->job));
    g->before = (int)ltw_version_get_number(g->now);
    g->guarded = ltw_version_get_number(g->next);
}

/* What the last change of the group shows: it is kept, or taken back.  left: its shadow
 * ends now, as another version comes. */
static void look_at_guard(struct ltw_reloads *r, struct ltw_group *g, bool left)
    TW_ON(MAIN)
{
    struct ltw_trial *guard = g->guard;
    bool is_over = ltw_trial_is_over(guard);
    char report[LTW_REASON];

    if (!is_over && !left && ltw_trial_comparing(guard) > 0) return;
    if (is_over && !ltw_request_push(r, g, g->before, g->guarded)) return;   /* again */
    ltw_trial_report(guard, report, sizeof report);
    tw_log_printf(r->app->host.log, is_over ? TW_LOG_ERROR : TW_LOG_INFO, "",
                  "%s: version %u %s version %d: %s", g->name, g->guarded,
                  is_over ? "goes back to" : left && ltw_trial_comparing(guard) > 0
                  ? "stays, as another one comes, with its shadow"
                  : "stays, with its shadow", g->before, report);
    g->guard = NULL;
    ltw_trial_unref(guard);
}

void ltw_verdict_leave(struct ltw_reloads *r)
{
    for (unsigned i = 0; i < r->n; i++)
        if (r->groups[i].guard && r->groups[i].next)
            look_at_guard(r, &r->groups[i], true);
}

void ltw_verdict_look(struct ltw_reloads *r)
{
    for (unsigned i = 0; i < r->n; i++)
        if (r->groups[i].guard) look_at_guard(r, &r->groups[i], false);
    if (r->phase >= RELOAD_WARMING && r->phase <= RELOAD_SHADOWING) look_at_requests(r);
}
