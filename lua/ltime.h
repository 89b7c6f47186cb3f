/* ltime.h - what time it is for a state: the system's, or that of the events it reads.
 *
 * In a backtest time is that of the records: it stands still while code runs, and goes on
 * from one event to the next.  What waits is due by it, and costs no real time.
 *
 * Layer lua.
 */
#ifndef LTW_LTIME_H
#define LTW_LTIME_H

#include "base/clock.h"
#include "ltw.h"

/* Event time, since the epoch. */
struct ltw_time { _Atomic int64_t ns; };   /* atomic: the run's thread stores, caches of
                                            * it load on any                            */

static inline int64_t ltw_time_ns(const struct ltw_time *t)
{
    /* order [time.ns] relaxed: the number alone */
    return atomic_load_explicit(&t->ns, memory_order_relaxed);
}

static inline void ltw_time_set(struct ltw_time *t, int64_t ns)
{
    /* order [time.ns] relaxed: the number alone, one writer */
    atomic_store_explicit(&t->ns, ns, memory_order_relaxed);
}

/* Since the epoch.  Thread: the state's. */
static inline int64_t ltw_now_ns(const struct ltw_state *s)
{
    return s->time ? ltw_time_ns(s->time) : tw_clock_now_ns();
}

/* What waits are counted on; it never goes back.  Thread: the state's. */
static inline int64_t ltw_steady_ns(const struct ltw_state *s)
{
    return s->time ? ltw_time_ns(s->time) : tw_clock_steady_ns();
}

/* When to look again for what others do meanwhile: so long from now, or, by event time,
 * when they have had their turn. */
static inline int64_t ltw_again_ns(const struct ltw_state *s, int64_t delay_ns)
{
    return s->time ? ltw_time_ns(s->time) : tw_clock_steady_ns() + delay_ns;
}

#endif
