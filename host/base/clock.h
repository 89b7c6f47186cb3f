/* clock.h - the clocks.  Times are int64 nanoseconds everywhere.
 *
 * Layer host/base.
 */
#ifndef TW_CLOCK_H
#define TW_CLOCK_H

#include <stdint.h>
#include <time.h>

#define TW_MS_NS     INT64_C(1000000)
#define TW_SECOND_NS INT64_C(1000000000)
#define TW_DAY_NS    INT64_C(86400000000000)

/* Any clock of the system: a thread's CPU time, say.  Thread: any. */
static inline int64_t tw_clock_of_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * TW_SECOND_NS + t.tv_nsec;
}

/* Since the epoch: what a record is stamped with.  Thread: any. */
static inline int64_t tw_clock_now_ns(void)
{
    return tw_clock_of_ns(CLOCK_REALTIME);
}

/* Never goes back: what a duration is measured with.  Thread: any. */
static inline int64_t tw_clock_steady_ns(void)
{
    return tw_clock_of_ns(CLOCK_MONOTONIC);
}

/* The same at the last tick of the system's timer, 1 to 10 ms ago: a quarter of the
 * cost.  Thread: any. */
static inline int64_t tw_clock_tick_ns(void)
{
    return tw_clock_of_ns(CLOCK_MONOTONIC_COARSE);
}

/* How many whole spans lie between the epoch and ns, rounded down: before 1970, too.
 * Thread: any. */
static inline int64_t tw_clock_spans(int64_t ns, int64_t span_ns)
{
    return ns / span_ns - (ns % span_ns < 0);
}

#endif
