/* job.h - a job of the pool, and the queue that it stands in.
 *
 * For pool.c; what others do with a job is in pool.h.
 *
 * Layer host/run.
 */
#ifndef TW_JOB_H
#define TW_JOB_H

#include <stdatomic.h>

#include "share/future.h"

enum { TW_POOL_LEVELS = 64, TW_JOB_LABEL = 48 };

enum tw_job_place { TW_JOB_SPARE, TW_JOB_LOOSE, TW_JOB_QUEUED, TW_JOB_RUNNING };

/* Its maker fills in the first part before tw_pool_submit; nobody changes it after. */
struct tw_job {
    struct tw_any what;               /* function and arguments; the job's reference */
    struct tw_future *future;         /* of its result; the job's reference          */
    int64_t deadline_ns;              /* of the steady clock, for run; 0: none       */
    void *context;                    /* what it inherits                            */
    void (*release)(void *context);   /* at its end, on any thread; may be NULL      */
    unsigned level;
    char label[TW_JOB_LABEL];         /* "herd.lua:12"                               */

    struct tw_pool *pool;             /* the rest is the pool's alone                */
    struct tw_pool_thread *thread;    /* mutex: the one that runs it                 */
    struct tw_job *prev, *next;       /* mutex                                       */
    enum tw_job_place place;          /* mutex                                       */
    bool cancelled, told;             /* mutex: it is to end; its runner knows       */
};

struct tw_job_list { struct tw_job *first, *last; };

/* One list for each level, the highest first.  Guarded by the pool's lock. */
struct tw_job_queue {
    _Atomic uint64_t levels;          /* atomic: not empty; under lock, all load */
    size_t n;                         /* mutex                                   */
    struct tw_job_list level[TW_POOL_LEVELS];   /* mutex                         */
};

/* What a job refers to; it goes when no lock is held. */
struct tw_job_cargo {
    struct tw_any what;
    struct tw_future *future;
    void *context;
    void (*release)(void *context);
};

/* Thread: any, under the pool's lock.  Blocks: no.  Memory: none. */
void tw_job_list_remove_held(struct tw_job_list *list, struct tw_job *job);
void tw_job_list_add_first_held(struct tw_job_list *list, struct tw_job *job);
void tw_job_list_add_last_held(struct tw_job_list *list, struct tw_job *job);
void tw_job_queue_add_held(struct tw_job_queue *q, struct tw_job *job);
void tw_job_queue_remove_held(struct tw_job_queue *q, struct tw_job *job);
struct tw_job *tw_job_queue_first_held(struct tw_job_queue *q);   /* NULL: empty */

/* The highest level in which there are jobs, -1: none.  Thread: any, without the
 * lock a hint.  Blocks: never. */
int tw_job_queue_top(const struct tw_job_queue *q);

/* Empties a job that is in no list; pool stays.
 * Thread: any, under the pool's lock.  Blocks: no. */
struct tw_job_cargo tw_job_clear_held(struct tw_job *job);

/* Thread: any, with no lock held.  Blocks: as release does. */
void tw_job_unload(const struct tw_job_cargo *c);

#endif
