/* runner.h - a thread of the pool runs Lua: a state, jobs as its tasks.
 *
 * Layer lua.
 */
#ifndef LTW_RUNNER_H
#define LTW_RUNNER_H

#include "task/lpool.h"

/* A job's context.  Who makes the job fills in what is constant. */
struct ltw_work {
    struct home *home;            /* owner: the runner; NULL: it has not begun     */
    struct ltw_task *task;        /* owner: the runner                             */
    uint64_t parent;              /* constant: id of the task that sent it         */
    struct ltw_job_watch watch;   /* constant                                      */
    struct tw_load *load;         /* constant: what it is part of, or NULL         */
    struct ltw_counted *counted;  /* constant: where it counts, or NULL            */
    struct tw_any value;          /* owner: the runner; what its function gave     */
    bool distrusted;              /* constant: who sent it is                      */
    atomic_int standing;          /* atomic: any thread sets it, signals look      */
};

/* The state that takes jobs now, for a task that is none; it stays until home is left.
 * That of trusted scripts, if there are any.  NULL: there is none now.
 * Thread: the runner's. */
struct ltw_state *ltw_runner_enter(void *runner, struct home **home);
void ltw_runner_leave(struct home *home);

/* The release of a job.  Thread: any.  Blocks: no. */
void ltw_work_release(void *work);

extern const struct tw_pool_ops ltw_runner_ops;   /* ctx: struct ltw_host * */

#endif
