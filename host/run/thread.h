/* thread.h - a named thread on the wire's side: role FEED, no signals.
 *
 * Layer host/run.
 */
#ifndef TW_THREAD_H
#define TW_THREAD_H

#include <stdatomic.h>
#include <time.h>
#include <uv.h>

#include "base/tw.h"

struct tw_thread {
    const char *name;           /* constant after start                     */
    void (*run)(void *arg);     /* constant after start                     */
    void *arg;                  /* constant after start                     */
    void (*waiting)(void *ctx); /* constant after start; may be NULL        */
    void *ctx;                  /* constant after start                     */
    uv_thread_t id;             /* owner: MAIN                              */
    clockid_t clock;            /* constant once state says that it runs    */
    atomic_int state;           /* atomic: MAIN stores, all load            */
    _Atomic int64_t cpu_ns;     /* atomic: the thread stores it as it ends  */
};

/* Runs run(arg) on a thread of its own with role FEED; name has 15 bytes at
 * most.  waiting and ctx are set before.  Returns 0 or libuv's code.
 * Thread: MAIN.  Blocks: no. */
int tw_thread_start(struct tw_thread *t, const char *name,
                    void (*run)(void *arg), void *arg) TW_ON(MAIN);

/* Safe twice and without a start.  Calls waiting meanwhile, some hundred times a
 * second: what the thread waits for itself (a full log) must go on.
 * Thread: MAIN.  Blocks: until run has returned. */
void tw_thread_join(struct tw_thread *t) TW_ON(MAIN);

/* CPU time used so far, 0 before the start.  Thread: any.  Blocks: never. */
int64_t tw_thread_cpu_ns(const struct tw_thread *t);

#endif
