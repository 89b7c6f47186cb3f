/* task.h - coroutines that wait: what runs them, what they wait for.
 *
 * A function that waits tries what it is for; when it can't be yet, it parks
 * the task and, when it runs again, tries anew:
 *
 *     static int recv(lua_State *L, int status, lua_KContext due_ns)
 *     {
 *         while (nothing is there to receive) {
 *             if (ltw_task_is_due(due_ns)) { failed: it is over; break; }
 *             if (ltw_task_park(L, &place, 1, due_ns, "recv"))
 *                 return lua_yieldk(L, 0, due_ns, recv);
 *         }
 *         ltw_task_leave(L);
 *         ...
 *     }
 *
 * Layer lua.  Thread: the state's, but for what says otherwise.
 */
#ifndef LTW_TASK_H
#define LTW_TASK_H

#include <uv.h>

#include "census.h"
#include "scope.h"
#include "share/wait.h"

/* Where a task stands in line for one thing: join puts node into the thing's
 * list or says no, because there is no need to wait; leave takes it out again,
 * also when it is in no list.  Who parks at the same places again, without having
 * left them, keeps its turn: join then finds node told, or still in the list. */
struct ltw_place {
    struct tw_wait node;
    bool (*join)(void *thing, struct tw_wait *node);
    void (*leave)(void *thing, struct tw_wait *node);
    void *thing;
};

/* What a task may use in all, with those that it spawns; the watchdog stops it then.
 * References: of tasks. */
struct ltw_budget { unsigned references; int64_t cpu_ns, bytes; };

struct ltw_task {
    struct tw_waker waker;            /* first: a waker is its task              */
    struct ltw_tasks *of;             /* constant                                */
    struct ltw_note note;             /* its entry in the census                 */
    struct ltw_task *next, **link;    /* in the list of its kind                 */
    struct ltw_scope *own;            /* constant; a spawned task's outermost    */
    struct ltw_scope *scope;          /* the innermost one that it runs in       */
    struct ltw_script *script;        /* whose code it is, or NULL               */
    void (*woken)(struct ltw_task *); /* constant; it may run again              */
    lua_State *co;                    /* its coroutine; the main task: the state */
    lua_State *at;                    /* the one in it that parked last          */
    int ref;                          /* registry: co; LUA_NOREF: not ours       */
    enum ltw_task_state state;
    bool aside, doomed;               /* ready behind all others; to be stopped  */
    bool certain;                     /* it starts even when its scope is over   */
    struct ltw_place place, *places;  /* what it waits for: n places             */
    unsigned n;
    int64_t due_ns;                   /* and how long at most; INT64_MAX: ever   */
    size_t timer;                     /* index among the timers, 0: none         */
    const char *what;                 /* it waits for, a constant text           */
    struct tw_load *load;             /* of a cache, that it is part of, or NULL */
    unsigned level;                   /* of the jobs that it may wait for        */
    struct ltw_budget *budget;        /* or NULL: it runs as a handler does      */
    unsigned took;                    /* things without a wait: ltw_task_rest    */
    void (*ended)(struct ltw_task *t, lua_State *L, int status);
                                      /* its results or error are on top of L    */
    void *ctx;                        /* of ended                                */
};

/* The n of TIDEWIRE_SEED=n in the environment; 0: there is none.  False: it is no
 * integer, which main refuses.  Thread: any. */
bool ltw_tasks_seed(uint64_t *seed);

/* The tasks of a state; what is ready runs in the order in which it became so, or with
 * TIDEWIRE_SEED=n in an order that n makes.
 * loop: the owner's, which ring_owner(ctx) wakes (thread: any); or NULL: one of their
 * own, which runs while the main task waits.  NULL: no memory. */
struct ltw_tasks *ltw_tasks_new(struct ltw_state *state, uv_loop_t *loop,
                                void (*ring_owner)(void *ctx), void *ctx);

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

/* Does any await what is sure to come, a future?  Who sleeps or waits for a channel
 * does not count: a run may end meanwhile. */
bool ltw_tasks_are_expecting(const struct ltw_tasks *ts);

/* The main task of a plain interpreter: waits until every task has ended. */
void ltw_tasks_finish(struct ltw_tasks *ts);

/* The loop that turns while the main task waits.  NULL: no memory. */
uv_loop_t *ltw_tasks_loop(struct ltw_tasks *ts);

/* The main task waits for `what`, and the others run, until something in the loop calls
 * go_on.  False: it was interrupted. */
bool ltw_tasks_wait(struct ltw_tasks *ts, const char *what);
void ltw_tasks_go_on(struct ltw_tasks *ts);

/* Ends the wait of the main task by an error.  Thread: any, signal handlers. */
void ltw_tasks_interrupt(struct ltw_tasks *ts);

/* [-(n + 1), +0, e]  A task within scope that calls the function below the n
 * arguments on top of L; *ended is told of its results.  Raises: no memory. */
struct ltw_task *ltw_task_spawn(lua_State *L, int n, struct ltw_scope *scope,
                                const char *name,
                                void (*ended)(struct ltw_task *, lua_State *, int),
                                void *ctx);

/* Gives a task that has not begun a budget of its own; false: no memory. */
bool ltw_task_limit(struct ltw_task *t, int64_t cpu_ns, int64_t bytes);

/* For a coroutine that somebody else resumes (a script's): it can wait too. */
void ltw_task_init(struct ltw_task *t, struct ltw_tasks *ts, struct ltw_scope *scope,
                   void (*woken)(struct ltw_task *), const char *name);
void ltw_task_fini(struct ltw_task *t);

/* The task that runs now. */
struct ltw_task *ltw_task_current(lua_State *L);

/* [-0, +0, e]  Parks the running task at places, up to due_ns (steady clock; 0 or
 * INT64_MAX: for ever).  True: the caller has to yield now, with itself as the
 * continuation.  False: look again, there is no need to wait, or the main task has
 * waited in place.  Raises: the scope is over; where nothing can yield. */
bool ltw_task_park(lua_State *L, struct ltw_place *places, unsigned n, int64_t due_ns,
                   const char *what);

/* Takes a turn off a task that has taken many things in a row without waiting, for
 * the others' sake: true: the caller has to yield now, with its results on top. */
bool ltw_task_rest(lua_State *L);

/* Leaves the places of the last park.  What waited calls it before it returns. */
void ltw_task_leave(lua_State *L);

/* [-0, +0, e]  Raises when the scope that the running task is in is over: at the
 * beginning of every function that could wait. */
void ltw_task_check(lua_State *L, const char *what);

/* The scope for which ltw_task_check would raise, or NULL. */
const struct ltw_scope *ltw_task_over(lua_State *L);

/* When a wait of that many seconds from now ends: 0 (none) for none or nil at
 * idx.  [-0, +0, e]  Raises for what is no number or below 0. */
int64_t ltw_task_due_ns(lua_State *L, int idx);
bool ltw_task_is_due(int64_t due_ns);

/* The running task, which is about to yield where it has not asked to, is ready again,
 * behind all others. */
void ltw_task_step_aside(lua_State *L);

/* Ends the wait of a task, whatever it waits for: it looks again. */
void ltw_task_wake(struct ltw_task *t);

/* Ends the waits in a scope; every later one ends at once, too.  stop: and whoever has
 * stepped aside in it. */
void ltw_scope_stop(struct ltw_tasks *ts, struct ltw_scope *s, const char *why);
void ltw_scope_cancel(struct ltw_tasks *ts, struct ltw_scope *s, const char *why);

/* A coroutine that the running task resumed has parked it: true: yield, too; false:
 * resume it again, or (*refused) it can't wait here.  For coroutine.c. */
bool ltw_task_pass(lua_State *L, bool *refused);

/* co, whose innermost coroutine waits, is about to be closed: the task that it is a part
 * of leaves what it waits for and looks again.  False: co is a task's own. */
bool ltw_task_lose(lua_State *L, const lua_State *co, const lua_State *innermost);

#endif
