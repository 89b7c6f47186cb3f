/* worker.c - a worker steps, sleeps and is woken (W1 to W3 of worker.c). */
#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "run/worker.h"

static int rounds = 2000;   /* fewer when SMALL */

struct job {
    struct tw_worker *worker;
    struct tw_cursor cursor;
    pthread_t thread;             /* of the worker, once open */
    int fail;                     /* what open returns        */
    uint64_t seen;                /* records read             */
    int calls, out_of_order;      /* of posted letters        */
    bool opened, closed, foreign;
    bool woken;                   /* by the timer: step has something to do */
    uv_timer_t timer;
    sem_t did;                    /* the worker did what it was asked to    */
    sem_t opening;                /* open has returned                      */
};

/* W3 */
static void check_thread(struct job *j)
{
    if (!pthread_equal(pthread_self(), j->thread)) j->foreign = true;
}

static int job_open(void *ctx)
{
    struct job *j = ctx;

    j->thread = pthread_self();
    j->opened = true;
    uv_timer_init(tw_worker_loop(j->worker), &j->timer);
    j->timer.data = j;
    return j->fail;
}

static bool job_step(void *ctx)
{
    struct job *j = ctx;
    struct tw_record r;
    bool did = j->woken;

    check_thread(j);
    if (j->woken) sem_post(&j->did);
    j->woken = false;
    while (tw_cursor_next(&j->cursor, &r) == 1) {
        j->seen++;
        did = true;
        tw_cursor_commit(&j->cursor);
        sem_post(&j->did);
    }
    return did;
}

static bool job_ready(void *ctx)
{
    struct job *j = ctx;

    return j->woken || tw_cursor_ready(&j->cursor);
}

static bool job_idle(void *ctx)
{
    check_thread(ctx);
    return false;
}

static uint64_t job_quiet(void *ctx)
{
    struct job *j = ctx;

    return j->cursor.next;
}

static void job_close(void *ctx)
{
    struct job *j = ctx;

    check_thread(j);
    j->closed = true;
}

static const struct tw_worker_ops ops = {
    job_open, job_step, job_ready, job_idle, job_quiet, job_close
};

static void opened(void *ctx)
{
    struct job *j = ctx;

    sem_post(&j->opening);
}

static struct job *start(struct tw_tape *t, struct tw_epoch *e, int fail) TW_ON(MAIN)
{
    struct job *j = calloc(1, sizeof *j);
    struct tw_worker_options o = {
        .tape = t, .epoch = e, .ops = &ops, .ctx = j, .opened = opened, .told = j,
    };

    j->fail = fail;
    sem_init(&j->did, 0, 0);
    sem_init(&j->opening, 0, 0);
    tw_cursor_open(&j->cursor, t, true, tw_tape_head(t));
    j->worker = tw_worker_new(&o);
    if (!j->worker || tw_worker_start(j->worker) < 0) abort();
    sem_wait(&j->opening);
    return j;
}

static void quit(void *ctx)
{
    struct job *j = ctx;

    tw_be_worker();
    tw_worker_quit(j->worker);
}

static void finish(struct job *j) TW_ON(MAIN)
{
    tw_worker_join(j->worker);
    ok(j->closed && !j->foreign, "all was called on the worker's thread, close last");
    ok(tw_worker_cpu_ns(j->worker) > 0, "its CPU time is known after its end");
    tw_cursor_close(&j->cursor);
    tw_worker_free(j->worker);
    free(j);
}

struct letter { struct job *j; int number; };

static void call(void *ctx)
{
    struct letter *l = ctx;

    check_thread(l->j);
    if (l->number != l->j->calls++) l->j->out_of_order++;
    free(l);
}

static void call_back(void *ctx)
{
    struct job *j = ctx;

    sem_post(&j->did);
}

static void on_timer(uv_timer_t *timer)
{
    struct job *j = timer->data;

    j->woken = true;
}

/* A timer that is due at once: libuv runs it and would then sleep. */
static void set_timer(void *ctx)
{
    struct job *j = ctx;

    uv_timer_start(&j->timer, on_timer, 0, 0);
}

static void letters(struct job *j)
{
    for (int i = 0; i < rounds; i++) {
        struct letter *l = malloc(sizeof *l);

        *l = (struct letter){ j, i };
        if (tw_worker_post(j->worker, call, l) < 0) abort();
    }
    for (int i = 0; i < rounds; i++) {   /* each finds the worker asleep, or nearly */
        tw_worker_post(j->worker, call_back, j);
        sem_wait(&j->did);
    }
    ok(j->calls == rounds && j->out_of_order == 0, "W1: letters come, in their order");
}

static void records(struct job *j, struct tw_tape *t)
{
    for (int i = 0; i < rounds; i++) {
        struct tw_record r = { .kind = TW_TIMER };

        if (tw_tape_try_append(t, &r, 1) < 0) abort();
        tw_tape_wake(t);
        sem_wait(&j->did);
    }
    ok(j->seen == (uint64_t)rounds, "each record wakes it");
}

static void timers(struct job *j)
{
    for (int i = 0; i < rounds; i++) {
        tw_worker_post(j->worker, set_timer, j);
        sem_wait(&j->did);
    }
    ok(true, "what a timer makes ready is done without waiting for more");
}

/* ---- without a market: it is only rung ---- */

struct bare {
    struct tw_worker *worker;
    char name[16];
    int nice;
    _Atomic int asked;            /* rings so far: changed before each            */
    int seen;                     /* of them by step                              */
    bool blind;                   /* ready says no, so only the ring brings step  */
    sem_t did;
};

static int bare_open(void *ctx)
{
    struct bare *b = ctx;

    pthread_getname_np(pthread_self(), b->name, sizeof b->name);
    b->nice = getpriority(PRIO_PROCESS, 0);
    return TW_OK;
}

static bool bare_step(void *ctx)
{
    struct bare *b = ctx;
    int asked = atomic_load(&b->asked);

    if (asked < 0) {
        tw_be_worker();
        tw_worker_quit(b->worker);
        return true;
    }
    if (b->seen == asked) return false;
    b->seen = asked;
    sem_post(&b->did);
    return true;
}

static bool bare_ready(void *ctx)
{
    struct bare *b = ctx;

    return !b->blind && atomic_load(&b->asked) != b->seen;
}

static bool bare_idle(void *ctx)
{
    (void)ctx;
    return false;
}

static uint64_t bare_quiet(void *ctx)
{
    (void)ctx;
    return 0;
}

static void bare_close(void *ctx)
{
    (void)ctx;
}

static const struct tw_worker_ops bare_ops = {
    bare_open, bare_step, bare_ready, bare_idle, bare_quiet, bare_close
};

static void rings(bool blind, int64_t spin_ns) TW_ON(MAIN)
{
    struct bare b = { .blind = blind };
    struct tw_worker_options o = {
        .name = "tw-bare", .index = 7, .nice = 3, .spin_ns = spin_ns,
        .ops = &bare_ops, .ctx = &b,
    };

    sem_init(&b.did, 0, 0);
    b.worker = tw_worker_new(&o);
    if (!b.worker || tw_worker_start(b.worker) < 0) abort();
    for (int i = 1; i <= rounds; i++) {
        atomic_store(&b.asked, i);
        tw_worker_ring(b.worker);
        sem_wait(&b.did);
    }
    atomic_store(&b.asked, -1);
    tw_worker_ring(b.worker);
    tw_worker_join(b.worker);
    ok(b.seen == rounds, "each ring brings a turn: %s, spinning %d us",
       blind ? "nothing else tells it" : "ready tells it, too", (int)(spin_ns / 1000));
    ok(!strcmp(b.name, "tw-bare-7"), "the thread has its name: %s", b.name);
    ok(b.nice >= 3, "and stands back");
    tw_worker_free(b.worker);
}

/* ---- it expects something: then it does not sleep at once ---- */

struct expecting { struct bare bare; sem_t rested; int rests, before; };

static void on_rested(void *ctx)
{
    struct expecting *x = ctx;

    x->rests++;
    sem_post(&x->rested);
}

static void expect(void *ctx)
{
    struct expecting *x = ctx;

    tw_be_worker();
    tw_worker_expect(x->bare.worker, INT64_C(3600000000000));
    sem_post(&x->bare.did);
}

static void count_rests(void *ctx)
{
    struct expecting *x = ctx;

    x->before = x->rests;
    sem_post(&x->bare.did);
}

static void expects(void) TW_ON(MAIN)
{
    struct expecting x = { .rests = 0 };
    struct tw_worker_options o = {
        .ops = &bare_ops, .ctx = &x.bare, .rested = on_rested, .told = &x,
    };

    sem_init(&x.bare.did, 0, 0);
    sem_init(&x.rested, 0, 0);
    x.bare.worker = tw_worker_new(&o);
    if (!x.bare.worker || tw_worker_start(x.bare.worker) < 0) abort();
    sem_wait(&x.rested);
    tw_worker_post(x.bare.worker, expect, &x);
    sem_wait(&x.bare.did);
    tw_worker_post(x.bare.worker, count_rests, &x);
    sem_wait(&x.bare.did);
    sem_wait(&x.rested);
    atomic_store(&x.bare.asked, -1);
    tw_worker_ring(x.bare.worker);
    tw_worker_join(x.bare.worker);
    ok(x.before == 1, "one that expects something looks instead of sleeping");
    ok(x.rests == 2, "until it is rung, and once");
    tw_worker_free(x.bare.worker);
}

/* Whichever allocation fails: no worker, and nothing is left. */
static void no_memory(struct tw_tape *t, struct tw_epoch *e) TW_ON(MAIN)
{
    struct tw_worker_options o = { .tape = t, .epoch = e, .ops = &ops };
    struct tw_worker *w;
    int failed = 0;

    for (;;) {
        tw_memory_fail_at((uint64_t)failed + 1);
        errno = 0;
        w = tw_worker_new(&o);
        if (w || errno != ENOMEM) break;
        failed++;
    }
    tw_memory_fail_at(0);
    tw_worker_free(w);
    ok(w && failed > 0, "a worker without memory is none, and why (%d ways)", failed);
}

static void release(void *p)
{
    free(p);
}

int main(void)
{
    struct tw_tape *t = tw_tape_new(64);
    struct tw_epoch *e = tw_epoch_new(release);
    struct job *j;

    if (getenv("SMALL")) rounds = 100;
    tw_role_set(&MAIN);
    tw_be_main();
    j = start(t, e, TW_OK);
    ok(tw_worker_opened(j->worker) == TW_OK, "open's result is known");
    letters(j);
    records(j, t);
    timers(j);
    for (int i = 0; i < 1000; i++) tw_epoch_retire(e, malloc(1));   /* W2: ASan sees */
    tw_worker_post(j->worker, quit, j);
    finish(j);

    j = start(t, e, UV_EIO);
    ok(tw_worker_opened(j->worker) == UV_EIO, "a worker that can't open says why");
    tw_worker_post(j->worker, call_back, j);
    finish(j);
    no_memory(t, e);
    tw_epoch_free(e);
    tw_tape_free(t);
    rings(false, 0);
    rings(true, 0);
    rings(true, 20000);
    if (tw_worker_processors() > 1) expects();
    else ok(true, "with one processor none looks # SKIP");
    return tap_done();
}
