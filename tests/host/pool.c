/* pool.c - jobs are queued, begun, cancelled and ended (P1 to P5 of pool.c).
 *
 * The runners here know a few kinds of job; one that waits is put aside, as a Lua
 * task would be, and goes on when its runner's mailbox says so.
 */
#include "tap.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/memory.h"
#include "park.h"
#include "run/pool.h"

enum kind { ANSWER, FAIL, WAIT, NEST, SPIN, WAIT_AND_SPIN };

struct rig {
    struct tw_pool *pool;
    struct park park;                  /* of the main thread                      */
    _Atomic int runners;               /* made and not closed                     */
    _Atomic int tasks;                 /* made and not released                   */
    _Atomic int begun, told, interrupted, foreign;
    _Atomic bool shut;                 /* no capacity                             */
    int open_code;                     /* what open returns, on thread 1          */
    int order[16];                     /* numbers in the order of their beginning */
    char name[16];                     /* of thread 0                             */
    int nice;
    struct tw_worker *worker;          /* of thread 0                             */
};

struct runner { struct rig *rig; pthread_t thread; struct tw_mailbox box; };

struct task {
    struct rig *rig;
    struct tw_job *job;
    enum kind kind;
    int number;                        /* answered; NEST: and how deep to go      */
    struct tw_future *on;              /* what it waits for; its reference        */
    struct tw_waker waker;
    struct tw_wait node;
    bool cancelled;
    atomic_bool stopped;               /* interrupt was called                    */
};

static struct tw_any integer(int64_t i)
{
    return (struct tw_any){ .kind = TW_VALUE_INTEGER, .integer = i };
}

static void release_task(void *context)
{
    struct task *task = context;

    if (task->on) {
        tw_future_unwant(task->on);
        tw_future_unref(task->on);
    }
    atomic_fetch_sub(&task->rig->tasks, 1);
    free(task);
}

/* A job not yet submitted; NULL: no memory. */
static struct tw_job *job_of(struct rig *g, enum kind kind, int number)
{
    struct tw_job *job = tw_job_new(g->pool);
    struct task *task;

    if (!job) return NULL;
    job->future = tw_future_new(NULL);
    if (!job->future) {
        tw_job_free(job);
        return NULL;
    }
    task = calloc(1, sizeof *task);
    *task = (struct task){ .rig = g, .job = job, .kind = kind, .number = number };
    atomic_fetch_add(&g->tasks, 1);
    job->context = task;
    job->release = release_task;
    snprintf(job->label, sizeof job->label, "job %d", number);
    tw_future_want(job->future);
    return job;
}

/* Submits job and gives its future, wanted once; NULL: it was refused. */
static struct tw_future *submit(struct tw_job *job, int *code)
{
    struct tw_future *f = job->future;

    tw_future_ref(f);
    *code = tw_pool_submit(job->pool, job);
    if (*code == TW_OK) return f;
    tw_job_free(job);
    tw_future_unref(f);
    return NULL;
}

static struct tw_future *call(struct rig *g, enum kind kind, int number)
{
    int code;
    struct tw_future *f = submit(job_of(g, kind, number), &code);

    if (!f) abort();
    return f;
}

/* One that waits for `on`: WAIT, or WAIT_AND_SPIN. */
static struct tw_future *wait_for(struct rig *g, struct tw_future *on, enum kind kind)
{
    struct tw_job *job = job_of(g, kind, 0);
    struct task *task = job->context;
    int code;

    task->on = on;
    tw_future_ref(on);
    tw_future_want(on);
    return submit(job, &code);
}

static void drop(struct tw_future *f)
{
    tw_future_unwant(f);
    tw_future_unref(f);
}

/* ---- the runner ---- */

static void check_thread(struct runner *r)
{
    if (!pthread_equal(pthread_self(), r->thread)) atomic_fetch_add(&r->rig->foreign, 1);
}

static void runner_ring(void *ctx)
{
    tw_worker_ring(ctx);
}

static int runner_open(void *ctx, unsigned index, struct tw_worker *w, void **runner)
{
    struct rig *g = ctx;
    struct runner *r;

    if (index == 1 && g->open_code) return g->open_code;
    r = tw_calloc(1, sizeof *r);
    if (!r) return UV_ENOMEM;
    r->rig = g;
    r->thread = pthread_self();
    tw_mailbox_init(&r->box, runner_ring, w);
    if (index == 0) {
        g->worker = w;
        g->nice = getpriority(PRIO_PROCESS, 0);
        pthread_getname_np(pthread_self(), g->name, sizeof g->name);
    }
    atomic_fetch_add(&g->runners, 1);
    *runner = r;
    return TW_OK;
}

/* Until it is interrupted. */
static void spin(struct task *task)
{
    while (!atomic_load(&task->stopped)) sched_yield();
    tw_job_cancel(task->job);
}

/* What it waited for is settled, or it need not wait. */
static void go_on(struct task *task)
{
    struct tw_any value;
    enum tw_future_state state = tw_future_peek(task->on, &value);

    if (task->cancelled || state == TW_CANCELLED) tw_job_cancel(task->job);
    else if (state == TW_FAILED) tw_job_fail(task->job, value);
    else if (task->kind == WAIT_AND_SPIN) spin(task);
    else tw_job_resolve(task->job, integer(value.integer + 1));
}

static void begin_wait(struct runner *r, struct task *task)
{
    tw_waker_init(&task->waker, &r->box);
    task->node = (struct tw_wait){ .waker = &task->waker };
    if (!tw_future_wait(task->on, &task->node)) go_on(task);
}

static void nest(struct runner *r, struct task *task)
{
    struct tw_job *child;
    int code;

    if (task->number == 0) {
        tw_job_resolve(task->job, integer(0));
        return;
    }
    child = job_of(task->rig, NEST, task->number - 1);
    child->level = task->job->level + 1;
    task->on = submit(child, &code);
    if (task->on) begin_wait(r, task);
    else tw_job_fail(task->job, integer(code));
}

static void runner_run(void *runner, struct tw_job *job)
{
    struct runner *r = runner;
    struct task *task = job->context;
    int n = atomic_fetch_add(&r->rig->begun, 1);

    check_thread(r);
    if (n < 16) r->rig->order[n] = task->number;
    switch (task->kind) {
    case ANSWER: tw_job_resolve(job, integer(task->number)); break;
    case FAIL: tw_job_fail(job, integer(task->number)); break;
    case WAIT: case WAIT_AND_SPIN: begin_wait(r, task); break;
    case NEST: nest(r, task); break;
    case SPIN: spin(task);
    }
}

static void runner_cancel(void *runner, struct tw_job *job)
{
    struct runner *r = runner;
    struct task *task = job->context;

    check_thread(r);
    atomic_fetch_add(&r->rig->told, 1);
    task->cancelled = true;
    tw_future_leave(task->on, &task->node);
    if (!atomic_load(&task->waker.told)) tw_job_cancel(job);   /* else it is in the box */
}

static void runner_interrupt(void *runner, struct tw_job *job)
{
    struct runner *r = runner;
    struct task *task = job->context;

    atomic_store(&task->stopped, true);
    atomic_fetch_add(&r->rig->interrupted, 1);
}

static bool runner_capacity(void *runner)
{
    struct runner *r = runner;

    return !atomic_load(&r->rig->shut);
}

static bool runner_step(void *runner)
{
    struct runner *r = runner;
    struct tw_waker *w = tw_mailbox_take(&r->box);
    bool any = w != NULL;

    check_thread(r);
    while (w) {
        struct task *task = (struct task *)((char *)w - offsetof(struct task, waker));

        w = tw_waker_heard(w);
        tw_future_leave(task->on, &task->node);
        go_on(task);
    }
    return any;
}

static bool runner_ready(void *runner)
{
    struct runner *r = runner;

    return !tw_mailbox_is_empty(&r->box);
}

static bool runner_idle(void *runner)
{
    check_thread(runner);
    return false;
}

static void runner_close(void *runner)
{
    struct runner *r = runner;

    check_thread(r);
    atomic_fetch_sub(&r->rig->runners, 1);
    tw_free(r);
}

static const struct tw_pool_ops ops = {
    runner_open, runner_run, runner_cancel, runner_interrupt, runner_capacity,
    runner_step, runner_ready, runner_idle, runner_close
};

/* ---- the rig ---- */

static struct rig *rig_new(unsigned threads, size_t queue) TW_ON(MAIN)
{
    struct rig *g = calloc(1, sizeof *g);

    park_open(&g->park);
    g->pool = tw_pool_new(&(struct tw_pool_options){
        .threads = threads, .queue = queue, .ops = &ops, .ctx = g,
    });
    return g;
}

static struct rig *rig_started(unsigned threads) TW_ON(MAIN)
{
    struct rig *g = rig_new(threads, 0);

    if (tw_pool_start(g->pool) < 0) abort();
    return g;
}

/* Sums up: each job has ended, and nothing is left. */
static void rig_free(struct rig *g, const char *what) TW_ON(MAIN)
{
    struct tw_pool_status s = { .threads = 0 };

    if (g->pool) {
        tw_pool_stop(g->pool);
        tw_pool_join(g->pool);
        tw_pool_status(g->pool, &s);
    }
    ok(s.submitted == s.done + s.failed + s.cancelled && s.queued + s.running == 0,
       "P1: every job has ended: %s", what);
    tw_pool_free(g->pool);
    ok(g->tasks == 0 && g->runners == 0 && tw_object_live() == 0, "and nothing is left");
    ok(g->foreign == 0, "all was called on the runner's thread");
    park_close(&g->park);
    free(g);
}

static struct tw_pool_status status(struct rig *g)
{
    struct tw_pool_status s;

    tw_pool_status(g->pool, &s);
    return s;
}

/* How f stands when it is settled; TW_PENDING: our patience ended. */
static enum tw_future_state await_in(struct park *park, struct tw_future *f,
                                     struct tw_any *out)
{
    struct tw_waker waker;
    struct tw_wait node = { .waker = &waker };

    tw_waker_init(&waker, &park->box);
    while (tw_future_wait(f, &node) && park_await(park)) {
    }
    tw_future_leave(f, &node);
    park_settle(park);
    return tw_future_peek(f, out);
}

/* What f comes to, as an integer; -1: it was cancelled. */
static int64_t result(struct rig *g, struct tw_future *f)
{
    struct tw_any value;
    enum tw_future_state state = await_in(&g->park, f, &value);

    tw_future_saw(f);
    tw_future_unref(f);
    if (state == TW_PENDING) abort();
    return state == TW_CANCELLED ? -1 : value.integer;
}

/* ---- the tests ---- */

enum { SUBMITTERS = 4, BURST = 32 };
static int rounds = 100000;            /* jobs of each kind of storm; fewer when SMALL */

struct submitter { struct rig *rig; unsigned seed; int wrong, dropped; };

static unsigned dice(unsigned *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

/* Bursts of jobs, some of which it does not wait for; between two bursts it waits
 * for all, so that a wake-up that is lost is found at once. */
static void *storm(void *arg)
{
    struct submitter *s = arg;
    struct park park;
    int left = rounds / SUBMITTERS;

    park_open(&park);
    while (left > 0) {
        struct tw_future *f[BURST];
        int number[BURST], n = 1 + (int)(dice(&s->seed) % (dice(&s->seed) % BURST + 1));

        if (n > left) n = left;
        for (int i = 0; i < n; i++) {
            unsigned kind = dice(&s->seed) % 8;

            number[i] = (int)(dice(&s->seed) % 1000);
            if (kind == 0) number[i] %= 4;
            f[i] = call(s->rig, kind == 0 ? NEST : kind == 1 ? FAIL : ANSWER, number[i]);
        }
        for (int i = 0; i < n; i++) {
            struct tw_any value;

            if (dice(&s->seed) % 8 == 0) {
                s->dropped++;
                drop(f[i]);
                continue;
            }
            if (await_in(&park, f[i], &value) == TW_PENDING) s->wrong = rounds;
            s->wrong += value.integer != number[i];
            tw_future_saw(f[i]);
            drop(f[i]);
        }
        left -= n;
        if (s->wrong >= rounds) break;
    }
    park_close(&park);
    return NULL;
}

static void test_storm(unsigned threads) TW_ON(MAIN)
{
    struct rig *g = rig_started(threads);
    struct submitter s[SUBMITTERS];
    pthread_t thread[SUBMITTERS];
    int wrong = 0, dropped = 0;
    char what[64];

    for (int i = 0; i < SUBMITTERS; i++) {
        s[i] = (struct submitter){ .rig = g, .seed = (unsigned)i + 1 };
        pthread_create(&thread[i], NULL, storm, &s[i]);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(thread[i], NULL);
        wrong += s[i].wrong;
        dropped += s[i].dropped;
    }
    ok(wrong == 0, "P2: no wake-up is lost, each answer is that of its question");
    ok(dropped > 0, "%d jobs were abandoned at some time", dropped);
    snprintf(what, sizeof what, "%d on %u threads", rounds, threads);
    rig_free(g, what);
}

/* One job at a time, each of which finds the pool asleep or about to be. */
static void test_single(void) TW_ON(MAIN)
{
    struct rig *g = rig_started(2);
    int wrong = 0, n = rounds / 10;

    for (int i = 0; i < n; i++) wrong += result(g, call(g, ANSWER, i)) != i;
    ok(wrong == 0 && status(g).done == (uint64_t)n, "each call of %d returns", n);
    ok(!strcmp(g->name, "tw-pool-0") && g->nice >= 10, "on %s, which stands back",
       g->name);
    rig_free(g, "one by one");
}

static void test_order(void) TW_ON(MAIN)
{
    struct rig *g = rig_new(1, 0);
    struct tw_future *f[6];
    int code, wrong = 0;

    for (int i = 0; i < 6; i++) {
        struct tw_job *job = job_of(g, ANSWER, i);

        job->level = i % 2 ? TW_LEVEL_URGENT : TW_LEVEL_BULK;
        f[i] = submit(job, &code);
    }
    tw_pool_start(g->pool);
    for (int i = 0; i < 6; i++) wrong += result(g, f[i]) != i;
    ok(wrong == 0 && g->order[0] == 1 && g->order[1] == 3 && g->order[2] == 5
       && g->order[3] == 0 && g->order[4] == 2 && g->order[5] == 4,
       "the urgent come first, and within a level the oldest");
    rig_free(g, "two levels");
}

static void test_nested(void) TW_ON(MAIN)
{
    struct rig *g = rig_started(1);
    int64_t deepest = TW_POOL_LEVELS - 1;

    ok(result(g, call(g, NEST, (int)deepest)) == deepest,
       "jobs wait for jobs on one thread, %d deep", (int)deepest);
    ok(result(g, call(g, NEST, (int)deepest + 1)) == TW_ELIMIT,
       "one deeper is refused");
    rig_free(g, "nested");
}

/* More jobs wait than a thread may have begun; what they wait for still runs. */
static void test_bound(void) TW_ON(MAIN)
{
    enum { EXTRA = 100, N = TW_POOL_RUNNING + EXTRA };
    struct rig *g = rig_new(1, 2 * N);
    struct tw_future *f[N], *gate = tw_future_new(NULL);
    struct tw_pool_status s;
    int wrong = 0;

    for (int i = 0; i < N; i++) f[i] = i % 2 ? call(g, NEST, 1) : wait_for(g, gate, WAIT);
    for (int i = 1; i < N; i += 2) {   /* those that it waits for have no room of 0 */
        if (i == 1) tw_pool_start(g->pool);
        wrong += result(g, f[i]) != 1;
    }
    ok(wrong == 0, "P3: what waits has not kept out what it waits for");
    for (int i = 0; i < N; i++)
        if (i % 2) f[i] = wait_for(g, gate, WAIT);
    while (s = status(g), s.running < TW_POOL_RUNNING) sched_yield();
    for (int i = 0; i < 100; i++) {
        struct tw_job *job = job_of(g, ANSWER, i);
        int code;

        job->level = TW_LEVEL_URGENT;
        wrong += result(g, submit(job, &code)) != i;
    }
    s = status(g);
    ok(wrong == 0 && s.running == TW_POOL_RUNNING && s.queued == EXTRA,
       "P3: %zu wait, %zu are queued, and one a level up is taken", s.running, s.queued);
    tw_future_resolve(gate, integer(1));
    for (int i = 0; i < N; i++) wrong += result(g, f[i]) != 2;
    ok(wrong == 0, "all of them go on");
    tw_future_unref(gate);
    rig_free(g, "at the bound");
}

static void test_full(void) TW_ON(MAIN)
{
    struct rig *g = rig_new(1, 4);
    struct tw_future *f[4];
    int code, cancelled = 0;

    for (int i = 0; i < 4; i++) f[i] = call(g, ANSWER, i);
    ok(!submit(job_of(g, ANSWER, 4), &code) && code == TW_EFULL,
       "a full queue says so");
    drop(f[2]);
    ok(status(g).queued == 3 && status(g).cancelled == 1 && g->tasks == 3,
       "an abandoned job leaves the queue at once");
    f[2] = call(g, ANSWER, 5);
    tw_pool_stop(g->pool);
    ok(!submit(job_of(g, ANSWER, 6), &code) && code == TW_ESTOPPED,
       "a pool that stops takes none");
    for (int i = 0; i < 4; i++) cancelled += result(g, f[i]) == -1;
    ok(cancelled == 4 && g->begun == 0,
       "what was queued is cancelled, and was not begun");
    rig_free(g, "never started");
}

static void wait_until_begun(struct rig *g, int n)
{
    while (atomic_load(&g->begun) < n) sched_yield();
}

static void test_cancel(void) TW_ON(MAIN)
{
    struct rig *g = rig_started(1);
    struct tw_future *gate = tw_future_new(NULL);
    struct tw_future *a = wait_for(g, gate, WAIT), *b = wait_for(g, gate, WAIT), *c;

    tw_future_want(b);
    wait_until_begun(g, 2);
    tw_future_unwant(a);
    ok(g->interrupted == 1, "a running job is interrupted at once");
    ok(result(g, call(g, ANSWER, 7)) == 7 && g->told == 1 && status(g).cancelled == 1
       && status(g).running == 1, "told on its thread, and ended there");
    ok(result(g, a) == -1, "its future is cancelled");
    tw_future_unwant(b);
    tw_future_resolve(gate, integer(1));
    ok(result(g, b) == 2 && g->interrupted == 1, "one that somebody wants goes on");

    c = call(g, SPIN, 0);
    wait_until_begun(g, 4);
    drop(c);
    ok(result(g, call(g, ANSWER, 8)) == 8 && g->interrupted == 2,
       "a busy thread is interrupted, too");

    c = call(g, SPIN, 0);
    a = call(g, ANSWER, 9);
    wait_until_begun(g, 6);
    tw_future_cancel(a);                  /* not by those who wanted it */
    drop(c);
    ok(result(g, call(g, ANSWER, 10)) == 10 && g->begun == 7,
       "a job whose future is settled already is not begun");
    tw_future_unref(a);
    tw_future_unref(gate);
    rig_free(g, "cancelled ones too");
}

static void test_stop(void) TW_ON(MAIN)
{
    enum { QUEUED = 50 };
    struct rig *g = rig_new(2, QUEUED);
    struct tw_future *gate = tw_future_new(NULL), *f[QUEUED], *busy[3];
    int cancelled = 0, code;

    tw_pool_start(g->pool);
    busy[0] = wait_for(g, gate, WAIT);
    wait_until_begun(g, 1);
    busy[1] = call(g, SPIN, 1);
    busy[2] = call(g, SPIN, 2);
    wait_until_begun(g, 3);               /* both threads stand still */
    for (int i = 0; i < QUEUED; i++) f[i] = call(g, ANSWER, i);
    ok(!submit(job_of(g, ANSWER, 0), &code) && code == TW_EFULL, "the queue is full");
    tw_pool_stop(g->pool);
    tw_pool_stop(g->pool);
    tw_pool_join(g->pool);
    for (int i = 0; i < QUEUED; i++) cancelled += result(g, f[i]) == -1;
    ok(cancelled == QUEUED, "a stop cancels what is queued");
    for (int i = 0; i < 3; i++) cancelled += result(g, busy[i]) == -1;
    ok(cancelled == QUEUED + 3 && g->interrupted == 3 && g->told == 1,
       "and what runs, on busy threads, too");
    tw_future_unref(gate);
    rig_free(g, "stopped");
}

/* A job whose thread is asleep by then, nearly always, hears of its end. */
static void test_cancel_asleep(void) TW_ON(MAIN)
{
    struct rig *g = rig_started(1);
    struct tw_future *gate = tw_future_new(NULL);

    for (int i = 1; i <= 50; i++) {
        struct tw_future *f = wait_for(g, gate, WAIT);
        int64_t asleep_ns;

        tw_future_want(gate);   /* the job that leaves is not the last */
        wait_until_begun(g, i);
        asleep_ns = tw_clock_steady_ns() + 200000;
        while (tw_clock_steady_ns() < asleep_ns) sched_yield();
        drop(f);
        while (status(g).running > 0) sched_yield();
    }
    ok(status(g).cancelled == 50 && g->told == 50, "a sleeping thread is told");
    tw_future_unref(gate);
    rig_free(g, "cancelled in their sleep");
}

/* The thread that is woken for a job has just got something else to do. */
static void test_stand_in(void) TW_ON(MAIN)
{
    struct rig *g = rig_started(2);
    int wrong = 0, n = rounds / 40;

    for (int i = 0; i < n; i++) {
        struct tw_future *gate = tw_future_new(NULL);
        struct tw_future *f = wait_for(g, gate, WAIT_AND_SPIN);

        wait_until_begun(g, 2 * i + 1);
        tw_future_resolve(gate, integer(1));
        wrong += result(g, call(g, ANSWER, i)) != i;   /* while f's thread is busy */
        drop(f);
        tw_future_unref(gate);
    }
    ok(wrong == 0, "P2: then another is woken");
    rig_free(g, "stood in for");
}

/* Futures are let go while their jobs begin, run and end. */
static void test_races(void) TW_ON(MAIN)
{
    struct rig *g = rig_started(2);
    unsigned seed = 1;

    for (int i = 0; i < rounds / 10; i++) {
        struct tw_future *gate = tw_future_new(NULL);
        struct tw_future *f = wait_for(g, gate, WAIT);

        for (unsigned n = dice(&seed) % 4; n > 0; n--) sched_yield();
        if (dice(&seed) % 2) tw_future_resolve(gate, integer(1));
        drop(f);
        tw_future_resolve(gate, integer(1));
        tw_future_unref(gate);
    }
    ok(g->told <= g->interrupted, "%d were told, %d interrupted", g->told,
       g->interrupted);
    rig_free(g, "let go at any time");
}

static void test_capacity(void) TW_ON(MAIN)
{
    struct rig *g = rig_started(1);
    struct tw_future *f;

    g->shut = true;
    f = call(g, ANSWER, 3);
    tw_worker_ring(g->worker);
    ok(status(g).queued == 1, "a runner without capacity is given nothing");
    g->shut = false;
    tw_worker_ring(g->worker);
    ok(result(g, f) == 3, "until it has some");
    rig_free(g, "a runner's capacity");
}

static void test_open(void) TW_ON(MAIN)
{
    struct rig *g = rig_new(2, 0);
    struct tw_future *f = call(g, ANSWER, 3);   /* thread 0 may be quick enough */
    int64_t came_to;

    g->open_code = UV_EIO;
    ok(tw_pool_start(g->pool) == UV_EIO, "a pool that can't open says why");
    came_to = result(g, f);
    ok(came_to == -1 || came_to == 3, "what was queued is settled: %d", (int)came_to);
    rig_free(g, "no pool");
}

static bool try_all(int *steps) TW_ON(MAIN)
{
    struct rig *g = rig_new(2, 0);
    struct tw_job *job;
    struct tw_future *f;
    int code = UV_ENOMEM;

    *steps = errno = 0;
    if (g->pool && (code = tw_pool_start(g->pool)) == TW_OK) {
        ++*steps;
        job = job_of(g, ANSWER, 1);
        if (job && (f = submit(job, &code))) *steps += result(g, f) == 1;
        else code = UV_ENOMEM;
    }
    tw_memory_fail_at(0);
    tw_pool_free(g->pool);
    if (g->tasks != 0 || g->runners != 0 || tw_object_live() != 0) *steps = -1;
    park_close(&g->park);
    free(g);
    return code == TW_OK;
}

static void test_memory(void) TW_ON(MAIN)
{
    int steps, left = 0;
    uint64_t n = 1;

    for (;; n++) {
        bool done;

        tw_memory_fail_at(n);
        done = try_all(&steps);
        left += steps < 0;
        if (done) break;
    }
    ok(n > 6 && left == 0 && steps == 2,
       "whichever of %d allocations fails, all is undone", (int)n - 1);
}

int main(void)
{
    if (getenv("SMALL")) rounds = 4000;
    tw_role_set(&MAIN);
    tw_be_main();
    test_single();
    test_order();
    test_nested();
    test_bound();
    test_full();
    test_cancel();
    test_stop();
    test_capacity();
    test_open();
    test_cancel_asleep();
    test_stand_in();
    test_races();
    test_storm(1);
    test_storm(3);
    test_memory();
    return tap_done();
}
