/* task.h - one task: a coroutine that waits.
 *
 * park.h has how it waits, tasks.h those of a state, loop.h what they wait in, and
 * scope.h how far a cancellation reaches.
 *
 * Layer lua.  Thread: the state's, but for what says otherwise.
 */
#ifndef LTW_TASK_H
#define LTW_TASK_H

#include <uv.h>

#include "task/census.h"
#include "task/scope.h"
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
struct ltw_budget {
    unsigned references;
    int64_t cpu_ns, bytes;
    timer_t timer;      /* see watchdog.c; while it runs, and has_timer */
    bool has_timer;
    bool has_held;      /* the others up, where it could not step aside */
    bool is_bounded;    /* methods of texts are those of stdlib/bounded.lua */
};

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
    uint64_t due_order;               /* of those that are due at once           */
    const char *what;                 /* it waits for, a constant text           */
    struct tw_load *load;             /* of a cache, that it is part of, or NULL */
    unsigned level;                   /* of the jobs that it may wait for        */
    struct ltw_budget *budget;        /* or NULL: it runs as a handler does      */
    unsigned took;                    /* things without a wait: ltw_task_rest    */
    void (*ended)(struct ltw_task *t, lua_State *L, int status);
                                      /* its results or error are on top of L    */
    void *ctx;                        /* of ended                                */
};

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

/* Ends the wait of a task, whatever it waits for: it looks again. */
void ltw_task_wake(struct ltw_task *t);

#endif
