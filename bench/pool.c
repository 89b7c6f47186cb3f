/* pool.c - what it costs to have a job done by the pool.
 *
 * A round trip is submit, run, settle, and that the waiter knows.  Beside it
 * stands what waking a thread costs on this machine: two threads that wake each
 * other with a condition variable, so two wake-ups.  Medians of many.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "run/pool.h"

enum { TRIPS = 20000, RESTS = 1000, BATCH = 50000, BATCHES = 20 };

static int64_t took[TRIPS];

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void row(const char *what, int n)
{
    qsort(took, (size_t)n, sizeof *took, ascending);
    printf("%-58s %7.2f us   p99 %7.2f us\n", what, (double)took[n / 2] / 1e3,
           (double)took[n * 99 / 100] / 1e3);
}

/* ---- what waking costs ---- */

struct pair { pthread_mutex_t lock; pthread_cond_t changed[2]; int turn; };

static void pass(struct pair *p, int me)
{
    pthread_mutex_lock(&p->lock);
    while (p->turn != me) pthread_cond_wait(&p->changed[me], &p->lock);
    p->turn = !me;
    pthread_cond_signal(&p->changed[!me]);
    pthread_mutex_unlock(&p->lock);
}

static void *partner(void *arg)
{
    for (int i = 0; i <= TRIPS; i++) pass(arg, 1);
    return NULL;
}

static void wakings(void)
{
    struct pair p = {
        PTHREAD_MUTEX_INITIALIZER,
        { PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER }, 0
    };
    pthread_t other;
    int64_t then_ns, now_ns;

    pthread_create(&other, NULL, partner, &p);
    pass(&p, 0);
    then_ns = tw_clock_steady_ns();
    for (int i = 0; i < TRIPS; i++, then_ns = now_ns) {
        pass(&p, 0);
        now_ns = tw_clock_steady_ns();
        took[i] = now_ns - then_ns;
    }
    pthread_join(other, NULL);
    row("two threads wake each other (two wake-ups)", TRIPS);
}

/* ---- runners that answer at once ---- */

static int answer_open(void *ctx, unsigned index, struct tw_worker *w, void **runner)
{
    (void)index;
    (void)w;
    *runner = ctx;
    return TW_OK;
}

static void answer_run(void *runner, struct tw_job *job)
{
    (void)runner;
    tw_job_resolve(job, job->what);
}

static void ignore_job(void *runner, struct tw_job *job)
{
    (void)runner;
    (void)job;
}

static bool yes(void *runner)
{
    (void)runner;
    return true;
}

static bool no(void *runner)
{
    (void)runner;
    return false;
}

static void ignore(void *runner)
{
    (void)runner;
}

static const struct tw_pool_ops ops = {
    answer_open, answer_run, ignore_job, ignore_job, yes, no, no, no, ignore
};

static struct tw_pool *pool_of(unsigned threads) TW_ON(MAIN)
{
    static int ctx;
    struct tw_pool *p = tw_pool_new(&(struct tw_pool_options){
        .threads = threads, .ops = &ops, .ctx = &ctx,
    });

    if (!p || tw_pool_start(p) < 0) abort();
    return p;
}

static struct tw_future *submit(struct tw_pool *p)
{
    struct tw_job *job = tw_job_new(p);
    struct tw_future *f = tw_future_new(NULL);

    job->future = f;
    tw_future_ref(f);
    if (tw_pool_submit(p, job) < 0) abort();
    return f;
}

/* ---- a waiter that sleeps, or looks ---- */

struct waiter {
    struct tw_mailbox box;
    struct tw_waker waker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool rung;
};

static void ring(void *ctx)
{
    struct waiter *w = ctx;

    pthread_mutex_lock(&w->lock);
    w->rung = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void ring_none(void *ctx)
{
    (void)ctx;
}

static void await(struct waiter *w, struct tw_future *f, bool looks)
{
    struct tw_wait node = { .waker = &w->waker };
    struct tw_waker *told = NULL;

    if (tw_future_wait(f, &node)) {
        while (looks && tw_mailbox_is_empty(&w->box)) {
        }
        if (!looks) {
            pthread_mutex_lock(&w->lock);
            while (!w->rung) pthread_cond_wait(&w->changed, &w->lock);
            w->rung = false;
            pthread_mutex_unlock(&w->lock);
        }
        while (!told) told = tw_mailbox_take(&w->box);
        while (told) told = tw_waker_heard(told);
        tw_future_leave(f, &node);
    }
    tw_future_unref(f);
}

static void trips(const char *what, int n, int64_t rest_ns, bool looks) TW_ON(MAIN)
{
    struct tw_pool *p = pool_of(1);
    struct waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER };

    pthread_cond_init(&w.changed, NULL);
    tw_mailbox_init(&w.box, looks ? ring_none : ring, &w);
    tw_waker_init(&w.waker, &w.box);
    for (int i = 0; i < n; i++) {
        int64_t start_ns;

        if (rest_ns) nanosleep(&(struct timespec){ .tv_nsec = rest_ns }, NULL);
        start_ns = tw_clock_steady_ns();
        await(&w, submit(p), looks);
        took[i] = tw_clock_steady_ns() - start_ns;
    }
    row(what, n);
    tw_pool_free(p);
}

/* ---- a waiter that is a worker, as a script's is ---- */

struct caller {
    struct tw_worker *worker;
    struct tw_pool *pool;
    struct tw_mailbox box;
    struct tw_waker waker;
    struct tw_wait node;
    struct tw_future *f;
    int64_t expect_ns, start_ns;
    int n;
};

static void ring_worker(void *ctx)
{
    struct caller *c = ctx;

    tw_worker_ring(c->worker);
}

static int caller_open(void *ctx)
{
    struct caller *c = ctx;

    tw_mailbox_init(&c->box, ring_worker, c);
    tw_waker_init(&c->waker, &c->box);
    c->node.waker = &c->waker;
    return TW_OK;
}

static bool caller_step(void *ctx)
{
    struct caller *c = ctx;
    struct tw_waker *told = tw_mailbox_take(&c->box);

    tw_be_worker();
    while (told) told = tw_waker_heard(told);
    if (c->f && tw_future_peek(c->f, NULL) == TW_PENDING) return false;
    if (c->f) {
        tw_future_leave(c->f, &c->node);
        tw_future_unref(c->f);
        took[c->n++] = tw_clock_steady_ns() - c->start_ns;
        c->f = NULL;
    }
    if (c->n == TRIPS) {
        tw_worker_quit(c->worker);
        return false;
    }
    c->start_ns = tw_clock_steady_ns();
    c->f = submit(c->pool);
    tw_future_wait(c->f, &c->node);
    tw_worker_expect(c->worker, c->expect_ns);
    return true;
}

static bool caller_ready(void *ctx)
{
    struct caller *c = ctx;

    return !c->f || tw_future_peek(c->f, NULL) != TW_PENDING;
}

static uint64_t caller_quiet(void *ctx)
{
    (void)ctx;
    return 0;
}

static void workers_trips(const char *what, int64_t expect_ns) TW_ON(MAIN)
{
    static const struct tw_worker_ops caller_ops = {
        caller_open, caller_step, caller_ready, no, caller_quiet, ignore
    };
    struct caller c = { .expect_ns = expect_ns, .pool = pool_of(1) };
    struct tw_worker_options o = { .ops = &caller_ops, .ctx = &c };

    c.worker = tw_worker_new(&o);
    if (!c.worker || tw_worker_start(c.worker) < 0) abort();
    tw_worker_join(c.worker);
    row(what, TRIPS);
    tw_worker_free(c.worker);
    tw_pool_free(c.pool);
}

/* ---- many at a time ---- */

static void flood(unsigned threads) TW_ON(MAIN)
{
    static struct tw_future *f[BATCH];
    struct tw_pool *p = pool_of(threads);
    struct waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER };
    int64_t start_ns = tw_clock_steady_ns();

    pthread_cond_init(&w.changed, NULL);
    tw_mailbox_init(&w.box, ring, &w);
    tw_waker_init(&w.waker, &w.box);
    for (int b = 0; b < BATCHES; b++) {
        for (int i = 0; i < BATCH; i++) f[i] = submit(p);
        for (int i = 0; i < BATCH; i++) await(&w, f[i], false);
    }
    printf("%-58s %7.2f million/s\n", threads == 1 ? "jobs that do nothing, on one thread"
           : "on two threads", BATCH * 1e3 * BATCHES
           / (double)(tw_clock_steady_ns() - start_ns));
    tw_pool_free(p);
}

int main(void)
{
    tw_role_set(&MAIN);
    tw_be_main();
    wakings();
    trips("there and back, all asleep (two wake-ups)", RESTS, 300000, false);
    trips("the pool just done with another, the waiter asleep (one)", TRIPS, 0, false);
    trips("the waiter looks (none)", TRIPS, 0, true);
    workers_trips("the waiter is a worker, asleep (one)", 0);
    workers_trips("a worker that expects it (none)", 50000);
    flood(1);
    flood(2);
    return 0;
}
