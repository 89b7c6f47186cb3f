/* taskset.h - what the tasks of a state are made of.
 *
 * Layer lua, for task.c, tasks.c, park.c, loop.c and scope.c alone.  Thread: the
 * state's, but for what says otherwise.
 */
#ifndef LTW_TASKSET_H
#define LTW_TASKSET_H

#include <uv.h>

#include "task/due.h"
#include "task/ready.h"
#include "run/bell.h"
#include "task/task.h"

/* Where there is a processor for whoever brings what is awaited, it may come within
 * that time, sooner than a sleeper would be woken. */
enum { LTW_LOOK_NS = 50000 };

struct ltw_tasks {
    struct ltw_state *state;          /* constant                                */
    struct tw_mailbox box;            /* see wait.h                              */
    void (*ring)(void *ctx);          /* constant; the owner's way to be woken   */
    void (*expect)(void *ctx, int64_t ns);   /* constant; see ltw_tasks_on_await */
    void *ctx;                        /* constant; of the two                    */
    struct ltw_task *all;             /* spawned ones                            */
    struct ltw_task *others;          /* the main one, or those of scripts       */
    struct ltw_task main;             /* what runs outside all coroutines        */
    struct ltw_ready ready;           /* those that may run                      */
    unsigned n_aside;                 /* of them                                 */
    struct ltw_due due;               /* those that wait up to a time            */
    unsigned count;                   /* of `all`                                */
    bool by_event;                    /* constant: there is no loop and no timer */
    uv_loop_t own, *loop;             /* loop: own, or somebody else's           */
    struct tw_bell bell;              /* of the own loop                         */
    uv_timer_t *timer;                /* for the nearest due_ns                  */
    _Atomic(void *) thread;           /* atomic: the owner's, which stores       */
    atomic_bool interrupted;          /* atomic: a signal handler sets it        */
    unsigned processors;              /* owner: that we may use                  */
};

static inline void ltw_task_set_state(struct ltw_task *t, enum ltw_task_state state)
{
    t->state = state;
    ltw_census_write(&t->note, state, t->what);
}

/* task.c: one turn of a ready task; the end of one without a turn, but for what it has
 * to close. */
void ltw_task_run(struct ltw_task *t);
void ltw_task_drop(struct ltw_task *t);

/* tasks.c: wakes those that were told. */
void ltw_tasks_hear(struct ltw_tasks *ts);

/* park.c: it stands in no line any more. */
void ltw_task_leave_places(struct ltw_task *t);

/* loop.c: makes the loop, where it is not the owner's, and the timer; false: no
 * memory.  arm: the timer is for the nearest end of a wait. */
bool ltw_loop_open(struct ltw_tasks *ts);
void ltw_loop_close(struct ltw_tasks *ts);
void ltw_loop_arm(struct ltw_tasks *ts);

/* loop.c: runs the others until the main task has been woken. */
void ltw_loop_wait_in_place(struct ltw_tasks *ts);

/* loop.c: was the main task interrupted?  Once. */
bool ltw_loop_take_interrupt(struct ltw_tasks *ts);

#endif
