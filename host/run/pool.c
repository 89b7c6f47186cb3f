/* pool.c - background threads that take jobs from one bounded queue.
 *
 * Why one queue and one lock: a job is a call into Lua, thousands of times what
 * the lock costs, and only one queue gives the oldest job to the first free
 * thread.  The lock is never held while a job, a runner's step or a release runs.
 *
 *     submit --> queue[63]           thread 0: runner, running: job job job
 *                ...          take   thread 1: runner, running: job
 *                queue[1]  -------->
 *                queue[0]            idle: the threads that sleep, latest last
 *
 * Invariants
 *   P1  A job that was submitted ends exactly once, and its future is settled.
 *   P2  Where jobs are queued and threads with room and capacity sleep, as many
 *       are on their way (waking) as jobs are queued, or all of these threads: a
 *       thread goes among the idle first and looks at the queue after.
 *   P3  A thread has fewer than room(level) jobs begun when it takes one.  The
 *       room grows with the level, so there is always room for what the deepest
 *       of the jobs that wait may wait for.
 *   P4  Of a thread's running jobs those that it is to be told are cancelled
 *       come first; when there is one, the thread's mail is set and it was rung.
 *   P5  A slot is a job for ever: it is used again, and freed with the pool.  So a
 *       future's stop that comes when its job has ended finds a slot in another
 *       use, whose own future is not cancelled, or is, and then it is right.
 *
 * Layer host/run.  Thread: see each function in pool.h.
 */
#include "run/pool.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"

/* A thread that has done a job looks for the next one about as long as it takes to
 * be woken, so that calls that follow each other find it awake. */
enum { NICE = 10, SPIN_NS = 50000 };

struct tw_pool_thread {
    struct tw_pool *pool;             /* constant                                */
    unsigned index;                   /* constant                                */
    struct tw_worker *worker;         /* constant once it runs                   */
    void *runner;                     /* constant once open; NULL: it never was  */
    bool resting;                     /* owner: the thread; idle, or waking      */
    unsigned begun;                   /* mutex: the thread changes it; P3        */
    struct tw_job_list running;       /* mutex: P4                               */
    bool idle;                        /* mutex: among the idle, not waking       */
    _Alignas(TW_CACHELINE) atomic_bool mail;   /* atomic: under lock, all load   */
};

struct tw_pool {
    struct tw_pool_options o;         /* constant                                */
    struct tw_pool_thread *threads;   /* constant: o.threads of them             */
    struct tw_pool_thread **idle;     /* mutex                                   */
    pthread_mutex_t lock;             /* guards all that is below                */
    pthread_cond_t changed;           /* opened has, or no job is left           */
    unsigned opened, n_idle, waking;  /* mutex                                   */
    struct tw_job *spare;             /* mutex: linked by next                   */
    struct tw_pool_status status;     /* mutex; queued is in the queue           */
    struct tw_job_queue queue;        /* mutex                                   */
    atomic_bool stopping;             /* atomic: MAIN sets it under lock         */
};

/* P3 */
static bool has_room(const struct tw_pool_thread *t, int level)
{
    return level >= 0
        && t->begun < TW_POOL_RUNNING + (unsigned)level * TW_POOL_PER_LEVEL;
}

/* One more thread that is to be rung, if P2 wants one. */
static struct tw_pool_thread *wake_one_held(struct tw_pool *p)
{
    int top = tw_job_queue_top(&p->queue);

    if (p->queue.n <= p->waking) return NULL;
    for (unsigned i = p->n_idle; i-- > 0;) {
        struct tw_pool_thread *t = p->idle[i];

        if (!has_room(t, top)) continue;
        p->idle[i] = p->idle[--p->n_idle];
        t->idle = false;
        p->waking++;
        return t;
    }
    return NULL;
}

static void ring(struct tw_pool_thread *t)
{
    if (t) tw_worker_ring(t->worker);
}

/* ---- jobs ---- */

/* Tells tw_pool_finish when the last job has gone. */
static void count_out_held(struct tw_pool *p, uint64_t *count)
{
    ++*count;
    if (p->queue.n + p->status.running == 0) pthread_cond_signal(&p->changed);
}

/* The slot may be used again from here on (P5). */
static struct tw_job_cargo retire_held(struct tw_job *job)
{
    struct tw_pool *p = job->pool;
    struct tw_job_cargo c = tw_job_clear_held(job);

    job->next = p->spare;
    p->spare = job;
    return c;
}

struct tw_job *tw_job_new(struct tw_pool *p)
{
    struct tw_job *job;

    pthread_mutex_lock(&p->lock);
    job = p->spare;
    if (job) {
        p->spare = job->next;
        job->next = NULL;
        job->place = TW_JOB_LOOSE;
    }
    pthread_mutex_unlock(&p->lock);
    if (job || !(job = tw_calloc(1, sizeof *job))) return job;
    job->pool = p;
    job->place = TW_JOB_LOOSE;
    return job;
}

void tw_job_free(struct tw_job *job)
{
    struct tw_job_cargo c;

    if (!job) return;
    pthread_mutex_lock(&job->pool->lock);
    c = retire_held(job);
    pthread_mutex_unlock(&job->pool->lock);
    tw_job_unload(&c);
}

/* Job runs and is wanted no more: its thread is to be told. */
static void cancel_held(struct tw_job *job)
{
    struct tw_pool_thread *t = job->thread;

    if (job->cancelled) return;
    job->cancelled = true;
    tw_job_list_remove_held(&t->running, job);
    tw_job_list_add_first_held(&t->running, job);   /* P4 */
    /* order [pool.mail] relaxed: a hint; who reads it then takes the lock */
    atomic_store_explicit(&t->mail, true, memory_order_relaxed);
    t->pool->o.ops->interrupt(t->runner, job);
}

/* The last one who wanted the job's future has left. */
static void abandon(void *arg)
{
    struct tw_job *job = arg;
    struct tw_pool *p = job->pool;
    struct tw_pool_thread *t = NULL;
    struct tw_job_cargo c = { .what.kind = TW_VALUE_NIL };

    pthread_mutex_lock(&p->lock);
    if (job->place >= TW_JOB_QUEUED
        && tw_future_peek(job->future, NULL) == TW_CANCELLED) {   /* P5 */
        if (job->place == TW_JOB_QUEUED) {
            tw_job_queue_remove_held(&p->queue, job);
            count_out_held(p, &p->status.cancelled);
            c = retire_held(job);
        } else {
            cancel_held(job);
            t = job->thread;
        }
    }
    pthread_mutex_unlock(&p->lock);
    ring(t);
    tw_job_unload(&c);
}

int tw_pool_submit(struct tw_pool *p, struct tw_job *job)
{
    struct tw_pool_thread *t = NULL;
    int rc = TW_OK;

    assert(job->pool == p && job->place == TW_JOB_LOOSE && job->future);
    if (job->level >= TW_POOL_LEVELS) return TW_ELIMIT;
    tw_future_on_abandoned(job->future, abandon, job);
    pthread_mutex_lock(&p->lock);
    /* order [pool.stopping] relaxed: it is set under this lock */
    if (atomic_load_explicit(&p->stopping, memory_order_relaxed)) rc = TW_ESTOPPED;
    else if (p->queue.n >= p->o.queue) rc = TW_EFULL;
    if (rc == TW_OK) {
        tw_job_queue_add_held(&p->queue, job);
        p->status.submitted++;
        t = wake_one_held(p);   /* P2 */
    }
    pthread_mutex_unlock(&p->lock);
    ring(t);
    return rc;
}

/* It is counted before its future is settled, so that who has waited sees it. */
static struct tw_job_cargo end(struct tw_job *job, uint64_t *count)
{
    struct tw_pool *p = job->pool;
    struct tw_pool_thread *t = job->thread;
    struct tw_job_cargo c;

    pthread_mutex_lock(&p->lock);
    assert(job->place == TW_JOB_RUNNING);
    tw_job_list_remove_held(&t->running, job);
    job->place = TW_JOB_LOOSE;
    t->begun--;
    p->status.running--;
    if (tw_future_peek(job->future, NULL) != TW_PENDING) count = &p->status.cancelled;
    count_out_held(p, count);
    c = retire_held(job);
    pthread_mutex_unlock(&p->lock);
    return c;
}

void tw_job_resolve(struct tw_job *job, struct tw_any value)
{
    struct tw_job_cargo c = end(job, &job->pool->status.done);

    tw_future_resolve(c.future, value);
    tw_job_unload(&c);
}

void tw_job_fail(struct tw_job *job, struct tw_any error)
{
    struct tw_job_cargo c = end(job, &job->pool->status.failed);

    tw_future_fail(c.future, error);
    tw_job_unload(&c);
}

void tw_job_cancel(struct tw_job *job)
{
    struct tw_job_cargo c = end(job, &job->pool->status.cancelled);

    tw_future_cancel(c.future);
    tw_job_unload(&c);
}

/* ---- a thread: what its worker steps ---- */

static bool is_stopping(const struct tw_pool *p)
{
    /* order [pool.stopping] relaxed: every thread is rung after it is set */
    return atomic_load_explicit(&p->stopping, memory_order_relaxed);
}

static bool has_mail(const struct tw_pool_thread *t)
{
    /* order [pool.mail] relaxed: a hint; the thread is rung after it is set */
    return atomic_load_explicit(&t->mail, memory_order_relaxed);
}

static bool may_take(const struct tw_pool_thread *t)
{
    return has_room(t, tw_job_queue_top(&t->pool->queue))
        && t->pool->o.ops->capacity(t->runner);
}

static void rest(struct tw_pool_thread *t)
{
    struct tw_pool *p = t->pool;

    pthread_mutex_lock(&p->lock);
    p->idle[p->n_idle++] = t;
    t->idle = true;
    pthread_mutex_unlock(&p->lock);
    t->resting = true;
}

static void get_up_held(struct tw_pool_thread *t)
{
    struct tw_pool *p = t->pool;
    unsigned i = 0;

    t->resting = false;
    if (!t->idle) {
        p->waking--;
        return;
    }
    while (p->idle[i] != t) i++;
    p->idle[i] = p->idle[--p->n_idle];
    t->idle = false;
}

/* Leaves the idle, and takes a job if it may; who can't is stood in for (P2). */
static struct tw_job *look(struct tw_pool_thread *t, bool take)
{
    struct tw_pool *p = t->pool;
    struct tw_pool_thread *other;
    struct tw_job *job = NULL;

    pthread_mutex_lock(&p->lock);
    if (t->resting) get_up_held(t);
    if (take && has_room(t, tw_job_queue_top(&p->queue))) {
        job = tw_job_queue_first_held(&p->queue);
        tw_job_queue_remove_held(&p->queue, job);
        job->place = TW_JOB_RUNNING;
        job->thread = t;
        tw_job_list_add_last_held(&t->running, job);
        t->begun++;
        p->status.running++;
    }
    other = wake_one_held(p);
    pthread_mutex_unlock(&p->lock);
    ring(other);
    return job;
}

/* The next running job that is cancelled and does not know it (P4). */
static struct tw_job *next_mail(struct tw_pool_thread *t)
{
    struct tw_job *job;

    pthread_mutex_lock(&t->pool->lock);
    job = t->running.first;
    if (job && job->cancelled && !job->told) {
        job->told = true;
        tw_job_list_remove_held(&t->running, job);
        tw_job_list_add_last_held(&t->running, job);
    } else {
        job = NULL;
        /* order [pool.mail] relaxed: under the lock that it is set under */
        atomic_store_explicit(&t->mail, false, memory_order_relaxed);
    }
    pthread_mutex_unlock(&t->pool->lock);
    return job;
}

static bool read_mail(struct tw_pool_thread *t)
{
    struct tw_job *job;
    bool any = false;

    while ((job = next_mail(t))) {
        tw_future_cancel(job->future);   /* when it was the pool that stopped */
        t->pool->o.ops->cancel(t->runner, job);
        any = true;
    }
    return any;
}

static int pool_open(void *ctx)
{
    struct tw_pool_thread *t = ctx;
    const struct tw_pool_options *o = &t->pool->o;
    void *runner = NULL;
    int rc = o->ops->open(o->ctx, t->index, t->worker, &runner);

    if (rc >= 0) t->runner = runner;
    return rc;
}

static bool pool_step(void *ctx)
{
    struct tw_pool_thread *t = ctx;
    const struct tw_pool_ops *ops = t->pool->o.ops;
    bool did = has_mail(t) && read_mail(t), take;
    struct tw_job *job = NULL;

    if (is_stopping(t->pool) && t->begun == 0) {
        tw_be_worker();
        tw_worker_quit(t->worker);
        return true;
    }
    take = !ops->ready(t->runner) && may_take(t);
    if (take || t->resting) job = look(t, take);
    if (job && tw_future_peek(job->future, NULL) != TW_PENDING) tw_job_cancel(job);
    else if (job) ops->run(t->runner, job);
    return ops->step(t->runner) || job || did;
}

static bool pool_ready(void *ctx)
{
    struct tw_pool_thread *t = ctx;

    return t->pool->o.ops->ready(t->runner) || has_mail(t) || may_take(t)
        || (is_stopping(t->pool) && t->begun == 0);
}

static bool pool_idle(void *ctx)
{
    struct tw_pool_thread *t = ctx;

    if (t->pool->o.ops->idle(t->runner)) return true;
    if (!t->resting && t->pool->o.ops->capacity(t->runner)) rest(t);
    return false;
}

static uint64_t pool_quiet(void *ctx)
{
    (void)ctx;
    return 0;
}

static void pool_close(void *ctx)
{
    struct tw_pool_thread *t = ctx;

    if (t->runner) t->pool->o.ops->close(t->runner);
}

static const struct tw_worker_ops thread_ops = {
    pool_open, pool_step, pool_ready, pool_idle, pool_quiet, pool_close
};

/* ---- the pool ---- */

struct tw_pool *tw_pool_new(const struct tw_pool_options *options)
{
    struct tw_pool *p = tw_calloc_aligned(1, sizeof *p);

    if (!p) return NULL;
    p->o = *options;
    if (p->o.threads == 0) p->o.threads = tw_worker_processors();
    if (p->o.threads > TW_POOL_THREADS_MAX) p->o.threads = TW_POOL_THREADS_MAX;
    if (p->o.queue == 0) p->o.queue = TW_POOL_QUEUE;
    p->status.threads = p->o.threads;
    atomic_init(&p->queue.levels, 0);
    atomic_init(&p->stopping, false);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->threads = tw_calloc_aligned(p->o.threads, sizeof *p->threads);
    p->idle = tw_calloc(p->o.threads, sizeof(struct tw_pool_thread *));
    if (p->threads && p->idle) return p;
    tw_pool_free(p);
    return NULL;
}

static void on_opened(void *arg)
{
    struct tw_pool *p = arg;

    pthread_mutex_lock(&p->lock);
    p->opened++;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static int start_thread(struct tw_pool *p, unsigned i) TW_ON(MAIN)
{
    struct tw_pool_thread *t = &p->threads[i];
    struct tw_worker_options o = {
        .name = "tw-pool", .index = i, .nice = NICE, .spin_ns = SPIN_NS,
        .ops = &thread_ops, .ctx = t, .opened = on_opened, .told = p,
    };

    t->pool = p;
    t->index = i;
    atomic_init(&t->mail, false);
    t->worker = tw_worker_new(&o);
    return t->worker ? tw_worker_start(t->worker) : -errno;
}

int tw_pool_start(struct tw_pool *p)
{
    unsigned started = 0;
    int rc = TW_OK;

    while (started < p->o.threads && (rc = start_thread(p, started)) == TW_OK)
        started++;
    pthread_mutex_lock(&p->lock);
    while (p->opened < started) pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < started && rc == TW_OK; i++)
        if (tw_worker_opened(p->threads[i].worker) < 0)
            rc = tw_worker_opened(p->threads[i].worker);
    if (rc == TW_OK) return TW_OK;
    tw_pool_stop(p);
    tw_pool_join(p);
    return rc;
}

void tw_pool_finish(struct tw_pool *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->queue.n + p->status.running > 0) pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

/* Takes the job out that is queued first, when there is one. */
static bool cancel_first(struct tw_pool *p)
{
    struct tw_job *job;

    pthread_mutex_lock(&p->lock);
    job = tw_job_queue_first_held(&p->queue);
    if (job) {
        tw_job_queue_remove_held(&p->queue, job);
        count_out_held(p, &p->status.cancelled);
    }
    pthread_mutex_unlock(&p->lock);
    if (!job) return false;
    tw_future_cancel(job->future);
    tw_job_free(job);
    return true;
}

void tw_pool_stop(struct tw_pool *p)
{
    pthread_mutex_lock(&p->lock);
    /* order [pool.stopping] relaxed: under the lock that submit looks under; every
     * thread is rung below */
    atomic_store_explicit(&p->stopping, true, memory_order_relaxed);
    pthread_mutex_unlock(&p->lock);
    while (cancel_first(p)) {
    }
    for (unsigned i = 0; i < p->o.threads; i++) {
        struct tw_pool_thread *t = &p->threads[i];
        struct tw_job *next;

        if (!t->worker) continue;
        pthread_mutex_lock(&p->lock);
        for (struct tw_job *job = t->running.first; job; job = next) {
            next = job->next;
            cancel_held(job);
        }
        pthread_mutex_unlock(&p->lock);
        ring(t);
    }
}

void tw_pool_join(struct tw_pool *p)
{
    for (unsigned i = 0; i < p->o.threads; i++)
        if (p->threads[i].worker) tw_worker_join(p->threads[i].worker);
}

void tw_pool_free(struct tw_pool *p)
{
    struct tw_job *job;

    if (!p) return;
    if (p->threads) {
        tw_pool_stop(p);
        tw_pool_join(p);
        for (unsigned i = 0; i < p->o.threads; i++) tw_worker_free(p->threads[i].worker);
    }
    while ((job = p->spare)) {
        p->spare = job->next;
        tw_free(job);
    }
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    tw_free(p->idle);
    tw_free(p->threads);
    tw_free(p);
}

struct tw_worker *tw_pool_worker(struct tw_pool *p, unsigned i, void **runner)
{
    *runner = p->threads[i].runner;
    return p->threads[i].worker;
}

void tw_pool_status(struct tw_pool *p, struct tw_pool_status *out)
{
    pthread_mutex_lock(&p->lock);
    *out = p->status;
    out->queued = p->queue.n;
    pthread_mutex_unlock(&p->lock);
}
