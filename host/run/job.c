/* job.c - a job of the pool, and the queue that it stands in.
 *
 * Layer host/run.  Thread: see each function in job.h.
 */
#include "run/job.h"

#include <string.h>

_Static_assert(TW_POOL_LEVELS == 64, "one bit each in levels");

void tw_job_list_remove_held(struct tw_job_list *list, struct tw_job *job)
{
    *(job->prev ? &job->prev->next : &list->first) = job->next;
    *(job->next ? &job->next->prev : &list->last) = job->prev;
    job->prev = job->next = NULL;
}

void tw_job_list_add_first_held(struct tw_job_list *list, struct tw_job *job)
{
    job->next = list->first;
    *(list->first ? &list->first->prev : &list->last) = job;
    list->first = job;
}

void tw_job_list_add_last_held(struct tw_job_list *list, struct tw_job *job)
{
    job->prev = list->last;
    *(list->last ? &list->last->next : &list->first) = job;
    list->last = job;
}

static uint64_t levels_of(const struct tw_job_queue *q)
{
    /* order [job.levels] relaxed: a hint; who acts on it takes the lock, and who
     * sleeps on it was among the idle, under the lock, before it looked */
    return atomic_load_explicit(&q->levels, memory_order_relaxed);
}

static void set_levels_held(struct tw_job_queue *q, uint64_t levels)
{
    /* order [job.levels] relaxed: see levels_of */
    atomic_store_explicit(&q->levels, levels, memory_order_relaxed);
}

int tw_job_queue_top(const struct tw_job_queue *q)
{
    uint64_t levels = levels_of(q);

    return levels ? 63 - __builtin_clzll(levels) : -1;
}

void tw_job_queue_add_held(struct tw_job_queue *q, struct tw_job *job)
{
    tw_job_list_add_last_held(&q->level[job->level], job);
    set_levels_held(q, levels_of(q) | UINT64_C(1) << job->level);
    job->place = TW_JOB_QUEUED;
    q->n++;
}

void tw_job_queue_remove_held(struct tw_job_queue *q, struct tw_job *job)
{
    struct tw_job_list *list = &q->level[job->level];

    tw_job_list_remove_held(list, job);
    if (!list->first) set_levels_held(q, levels_of(q) & ~(UINT64_C(1) << job->level));
    job->place = TW_JOB_LOOSE;
    q->n--;
}

struct tw_job *tw_job_queue_first_held(struct tw_job_queue *q)
{
    int top = tw_job_queue_top(q);

    return top < 0 ? NULL : q->level[top].first;
}

struct tw_job_cargo tw_job_clear_held(struct tw_job *job)
{
    struct tw_job_cargo c = { job->what, job->future, job->context, job->release };

    assert(job->place == TW_JOB_LOOSE);
    memset(job, 0, offsetof(struct tw_job, pool));   /* pool is read without the lock */
    job->thread = NULL;
    job->cancelled = job->told = false;
    job->place = TW_JOB_SPARE;
    return c;
}

void tw_job_unload(const struct tw_job_cargo *c)
{
    tw_any_unref(&c->what);
    if (c->future) tw_future_unref(c->future);
    if (c->release) c->release(c->context);
}
