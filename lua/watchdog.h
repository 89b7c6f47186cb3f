/* watchdog.h - stops a script that does not return.
 *
 * Layer lua.
 */
#ifndef LTW_WATCHDOG_H
#define LTW_WATCHDOG_H

#include <time.h>

#include "run/engine.h"

/* Called around Lua code that must not run for ever.
 * Thread: the state's. */
void ltw_watchdog_enter(struct ltw_state *state, lua_State *co);
void ltw_watchdog_leave(struct ltw_state *state);

/* Another coroutine of what was entered runs now.  Thread: the state's. */
void ltw_watchdog_follow(struct ltw_state *state, lua_State *co);

/* Was what s is a part of told to end, and has it not ended yet?  Thread: the state's. */
bool ltw_watchdog_is_told(const struct ltw_state *s);

/* A handler begins: the one before has returned.  Thread: the state's. */
static inline void ltw_watchdog_beat(struct ltw_state *state)
{
    _Atomic uint64_t *beat = &state->pulse->beat;

    /* order [watchdog.beat] relaxed: only whether it moved matters; one writer */
    atomic_store_explicit(beat, atomic_load_explicit(beat, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* Ends the overrun script whose coroutine L is: yields, or raises where it may
 * not.  Never returns to Lua code.  [-0, +0, e] */
int ltw_watchdog_end(lua_State *L);

/* What MAIN keeps of one engine between two looks. */
struct ltw_watch { uint64_t beat; int64_t cpu_ns; bool told; };

/* One look: signals a worker whose handler has used more CPU time than
 * host->time_max_ns.  Thread: MAIN, while the worker runs.  Blocks: no. */
void ltw_watchdog_look(struct ltw_engine *e, struct ltw_watch *watch) TW_ON(MAIN);

/* Stops what runs on w's thread; if its state's may_stop does not agree, that task
 * steps aside, so that the thread looks up.
 * Thread: any, while w runs. */
void ltw_watchdog_signal(struct tw_worker *w);

/* Stops what runs now, in a state of the pool.  Thread: the state's. */
void ltw_watchdog_stop(struct ltw_state *s);

/* Takes the signal for the whole process, or gives it back when as many have; does
 * nothing where the program does not lend it.  What the program itself did with it is
 * done on all threads that have not joined.
 * Thread: any; before the first worker, after the last.  Blocks: a short lock. */
void ltw_watchdog_install(const struct ltw_host *host);
void ltw_watchdog_remove(const struct ltw_host *host);

/* Where MAIN itself runs a state's code, and nobody looks: a timer of the thread's CPU
 * time does. */
struct ltw_alarm {
    struct ltw_state *state;      /* constant, as all but the next three          */
    uint64_t beat;                /* owner: the thread, also in a signal handler: */
    int64_t since_ns;             /* CPU time when it was last seen to move       */
    bool was_ours;                /* the signal, before                           */
    struct ltw_alarm *outer;      /* of what waits for all of this; or NULL       */
    int64_t limit_ns;
    timer_t timer;
};

/* From here on a handler of s that takes longer than that (0: for ever) is stopped; what
 * waits on this thread for all of it has that much longer.  host: who lends the signal.
 * False: it does not, or there is no limit, or no timer.
 * Thread: the state's, until it is cleared. */
bool ltw_alarm_set(struct ltw_alarm *a, struct ltw_state *s, const struct ltw_host *host,
                   int64_t limit_ns);

/* One that was set, the last one of this thread. */
void ltw_alarm_clear(struct ltw_alarm *a, const struct ltw_host *host);

/* From here on the signal is for the states of this thread.  Thread: a worker's. */
void ltw_watchdog_join(void);

#endif
