/* tasks.h - the tasks of a state: who is ready, and who may be told.
 *
 * Layer lua.  Thread: the state's, but for what says otherwise.
 */
#ifndef LTW_TASKS_H
#define LTW_TASKS_H

#include <uv.h>

#include "ltw.h"

/* The n of TIDEWIRE_SEED=n in the environment; 0: there is none.  False: it is no
 * integer, which main refuses.  Thread: any. */
bool ltw_tasks_seed(uint64_t *seed);

/* The tasks of a state; what is ready runs in the order in which it became so, or with
 * TIDEWIRE_SEED=n in an order that n makes.
 * loop: the owner's, which ring_owner(ctx) wakes (thread: any); or NULL: one of their
 * own, which runs while the main task waits.  NULL: no memory. */
struct ltw_tasks *ltw_tasks_new(struct ltw_state *state, uv_loop_t *loop,
                                void (*ring_owner)(void *ctx), void *ctx);

/* The same by the state's event time (ltime.h), without any loop: what is due waits for
 * ltw_tasks_wake_due. */
struct ltw_tasks *ltw_tasks_new_by_event(struct ltw_state *state,
                                         void (*ring_owner)(void *ctx), void *ctx);

/* The calling thread, as nothing but an address; and the one that has made them or called
 * ltw_tasks_are_mine last.  Thread: any. */
static inline void *ltw_this_thread(void)
{
    return __builtin_thread_pointer();
}
void *ltw_tasks_thread(const struct ltw_tasks *ts);

/* Does an owner run them when it is rung?  Else they run while the main task waits.
 * Thread: any. */
bool ltw_tasks_have_owner(const struct ltw_tasks *ts);

/* When the next wait ends, INT64_MAX: none does by itself; and ends those that do by
 * then.  By event time. */
int64_t ltw_tasks_due_ns(const struct ltw_tasks *ts);
void ltw_tasks_wake_due(struct ltw_tasks *ts, int64_t now_ns);

/* The owner of the loop hears of each task that begins to await a future: that may
 * come within ns, sooner than it would be woken.  ctx: as of ring_owner. */
void ltw_tasks_on_await(struct ltw_tasks *ts, void (*expect)(void *ctx, int64_t ns));

/* This thread hears them from now on without being rung: the one that made them did,
 * before.  ts may be NULL.  Thread: the owner's new one, or (NULL) its old one. */
void ltw_tasks_are_mine(struct ltw_tasks *ts);

/* Ends every task that is left, without running any code of it but what it has
 * to close.  Before lua_close. */
void ltw_tasks_free(struct ltw_tasks *ts);

/* Runs what was ready, each once; did any?  ready: would it? */
bool ltw_tasks_step(struct ltw_tasks *ts);
bool ltw_tasks_ready(const struct ltw_tasks *ts);

/* Tasks that were spawned and have not ended. */
unsigned ltw_tasks_count(const struct ltw_tasks *ts);

/* Ends the waits of the script's tasks that were spawned after so many scopes. */
void ltw_tasks_cancel(struct ltw_tasks *ts, const struct ltw_script *s, uint64_t after,
                      const char *why);

/* Does any await what is sure to come, a future, in a task or in a handler?  Who sleeps
 * or waits for a channel does not count: a run may end meanwhile. */
bool ltw_tasks_are_expecting(const struct ltw_tasks *ts);

#endif
