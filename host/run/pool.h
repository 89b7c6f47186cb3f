/* pool.h - background threads that take jobs from one bounded queue.
 *
 * For work that must not delay quotes.  The pool knows queueing, waking and
 * stopping; what a job is, is behind struct tw_pool_ops.  A thread begins a job
 * as a task, and takes the next one when no task of its own can run, so a job
 * that waits for another holds no thread up.
 *
 * Layer host/run.
 */
#ifndef TW_POOL_H
#define TW_POOL_H

#include "run/job.h"
#include "run/worker.h"

enum {
    TW_POOL_QUEUE = 65536,      /* jobs that may be queued, unless said else     */
    TW_POOL_RUNNING = 1024,     /* jobs of level 0 that one thread may have begun */
    TW_POOL_PER_LEVEL = 16,     /* room on each thread for those of one level more */
    TW_POOL_THREADS_MAX = 256
};

/* The queue gives the highest level first, and within a level the oldest.  A job
 * that somebody is held up by comes before those that fill the time, and one
 * that a running job may wait for is one above that job: a thread has more room
 * for it, so those that wait never keep out what they wait for.  TW_POOL_LEVELS
 * is how deep they may wait for each other. */
enum { TW_LEVEL_BULK = 0, TW_LEVEL_URGENT = 1 };

struct tw_pool;

/* What runs the jobs of one thread: a runner.  All but interrupt are called on
 * that thread. */
struct tw_pool_ops {
    /* Makes the runner of thread index; negative: it can't, and has made nothing. */
    int (*open)(void *ctx, unsigned index, struct tw_worker *w, void **runner);
    /* Begins job; ends it, now or later, with tw_job_resolve, _fail or _cancel. */
    void (*run)(void *runner, struct tw_job *job);
    /* Job, begun and not ended, is wanted no more; it is to end soon. */
    void (*cancel)(void *runner, struct tw_job *job);
    /* The same on whatever thread, at once, as the runner's may be busy; also just
     * before run.  The pool's lock is held, so that job can't end meanwhile: it
     * marks and signals, and takes no lock. */
    void (*interrupt)(void *runner, struct tw_job *job);
    bool (*capacity)(void *runner);   /* may another job begin?              */
    bool (*step)(void *runner);       /* as those of struct tw_worker_ops ... */
    bool (*ready)(void *runner);
    bool (*idle)(void *runner);
    void (*close)(void *runner);      /* every job of its thread has ended   */
};

struct tw_pool_options {
    unsigned threads;   /* 0: one for each processor we may use; THREADS_MAX at most */
    size_t queue;       /* 0: TW_POOL_QUEUE */
    const struct tw_pool_ops *ops;
    void *ctx;          /* of ops->open                         */
};

/* submitted = done + failed + cancelled + queued + running */
struct tw_pool_status {
    unsigned threads;
    size_t queued, running;
    uint64_t submitted, done, failed, cancelled;
};

/* Makes no thread yet; what is submitted waits.  NULL: no memory.
 * Thread: MAIN.  Blocks: no. */
struct tw_pool *tw_pool_new(const struct tw_pool_options *options) TW_ON(MAIN);

/* Starts all threads and waits until each has opened.  Negative: what ops->open or
 * libuv said; then the pool is stopped.  Thread: MAIN.  Blocks: as ops->open does. */
int tw_pool_start(struct tw_pool *p) TW_ON(MAIN);

/* A job to be filled in; it is the caller's until it is submitted or freed.  NULL:
 * no memory.  Thread: any.  Blocks: a short lock.  Memory: that of jobs which have
 * ended, before new memory. */
struct tw_job *tw_job_new(struct tw_pool *p);

/* With all that it refers to.  Thread: any, of a job that was not submitted.
 * Blocks: as job->release does.  job may be NULL. */
void tw_job_free(struct tw_job *job);

/* Queues job, which is the pool's from then on.  It is abandoned with its future,
 * which nobody else may know before.  Else it stays the caller's:
 *   TW_EFULL: as many are queued as may be, also because every thread has begun
 *   as many as it may; TW_ELIMIT: level is past TW_POOL_LEVELS; TW_ESTOPPED.
 * Thread: any.  Blocks: a short lock.  Memory: none. */
int tw_pool_submit(struct tw_pool *p, struct tw_job *job);

/* Ends a job that run has begun, and settles its future, unless that is settled.
 * The reference in value or error passes on.
 * Thread: the job's, within ops or a callback of its loop.  Blocks: a short lock. */
void tw_job_resolve(struct tw_job *job, struct tw_any value);
void tw_job_fail(struct tw_job *job, struct tw_any error);
void tw_job_cancel(struct tw_job *job);

/* Waits until no job is queued or runs.  Thread: MAIN.  Blocks: until then. */
void tw_pool_finish(struct tw_pool *p) TW_ON(MAIN);

/* Takes no more jobs, cancels those queued and tells those that run.  Each thread
 * ends when its last job has.  Safe twice.  Thread: MAIN.  Blocks: short locks. */
void tw_pool_stop(struct tw_pool *p) TW_ON(MAIN);

/* Waits for the threads to end.  Thread: MAIN, after tw_pool_stop. */
void tw_pool_join(struct tw_pool *p) TW_ON(MAIN);

/* Stops, joins and frees.  No other thread submits or lets go of a future of this
 * pool any more.  Thread: MAIN.  Blocks: as tw_pool_join.  p may be NULL. */
void tw_pool_free(struct tw_pool *p) TW_ON(MAIN);

/* Thread i, to be posted to, and its runner.  Thread: MAIN, from tw_pool_start until
 * tw_pool_stop.  Blocks: no. */
struct tw_worker *tw_pool_worker(struct tw_pool *p, unsigned i, void **runner);

/* Thread: any.  Blocks: a short lock. */
void tw_pool_status(struct tw_pool *p, struct tw_pool_status *out);

#endif
