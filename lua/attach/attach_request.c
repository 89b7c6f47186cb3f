/* attach_request.c - what workers and threads of the pool are asked, and what they say.
 *
 * Invariants
 *   A2  An evaluation is MAIN's until its worker has said that it ended, or has gone.
 */
#include "attach/attached.h"

#include <string.h>

#include "base/memory.h"
#include "attach/evaluate.h"
#include "watchdog.h"

/* What a worker has to say of an evaluation: text, or (NULL) that it has ended. */
struct ltw_news {
    struct ltw_news *next;
    struct ltw_evaluation *of;
    bool last;
    size_t n;
    char text[];
};

/* Thread: the worker's. */
static bool tell(struct ltw_evaluation *e, bool last, const char *text, size_t n)
{
    struct ltw_attach *a = e->ctx;
    struct ltw_news *m = tw_calloc(1, sizeof *m + n);

    if (!m) return false;
    m->of = e;
    m->last = last;
    m->n = n;
    if (n) memcpy(m->text, text, n);
    pthread_mutex_lock(&a->lock);
    *a->last = m;
    a->last = &m->next;
    pthread_mutex_unlock(&a->lock);
    uv_async_send(&a->bell);
    return true;
}

static bool on_said(struct ltw_evaluation *e, const char *text, size_t n)
{
    return tell(e, false, text, n);
}

/* Without memory nobody is told: MAIN gives it up at its deadline. */
static void on_ended(struct ltw_evaluation *e)
{
    tell(e, true, NULL, 0);
}

static void forget(struct ltw_attach *a, struct ltw_evaluation *e)
{
    struct ltw_evaluation **at = &a->evaluations;

    while (*at != e) at = &(*at)->next;
    *at = e->next;
    ltw_evaluation_unref(e);
}

static void hear(struct ltw_attach *a, const struct ltw_news *m)
{
    lua_State *L = a->app->state->L;
    struct ltw_evaluation *e = m->of;
    static const char no_memory[] = "not enough memory";

    lua_pushinteger(L, (lua_Integer)e->request);
    if (!m->last) {
        lua_pushlstring(L, m->text, m->n);
        ltw_attach_call(a, "said", 2);
        return;
    }
    lua_pushboolean(L, e->fine && e->text);
    if (e->text) lua_pushlstring(L, e->text, e->n);
    else lua_pushstring(L, no_memory);
    ltw_attach_call(a, "ended", 3);
    forget(a, e);
}

void ltw_request_hear(struct ltw_attach *a)
{
    struct ltw_news *m, *next;

    pthread_mutex_lock(&a->lock);
    m = a->first;
    a->first = NULL;
    a->last = &a->first;
    pthread_mutex_unlock(&a->lock);
    for (; m; m = next) {
        next = m->next;
        hear(a, m);
        tw_free(m);
    }
}

int ltw_request_send(struct ltw_attach *a, struct ltw_evaluation *e, unsigned place)
{
    unsigned workers = a->app->o.workers;
    int rc;

    e->said = on_said;
    e->ended = on_ended;
    e->ctx = a;
    e->next = a->evaluations;
    a->evaluations = e;
    if (place < workers) {
        e->engine = &a->app->engines[place];
        e->worker = e->engine->worker;
    } else {
        e->worker = tw_pool_worker(a->app->host.pool, place - workers, &e->runner);
    }
    rc = ltw_evaluation_begin(e);
    if (rc < 0) forget(a, e);
    else if (e->runner) ltw_watchdog_signal(e->worker);
    return rc;
}

void ltw_request_cancel(struct ltw_attach *a, uint64_t request)
{
    for (struct ltw_evaluation *e = a->evaluations; e && !a->stopping; e = e->next)
        if (request == 0 || e->request == request) ltw_evaluation_cancel(e);
}

/* A job that computes has no turns. */
void ltw_request_remind(struct ltw_attach *a)
{
    for (struct ltw_evaluation *e = a->evaluations; e && !a->stopping; e = e->next)
        if (e->runner) ltw_watchdog_signal(e->worker);
}

void ltw_request_forget_all(struct ltw_attach *a)
{
    while (a->first) {
        struct ltw_news *m = a->first;

        a->first = m->next;
        tw_free(m);
    }
    while (a->evaluations) forget(a, a->evaluations);   /* A2 */
}
