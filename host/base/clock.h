/* clock.h - the two clocks.  Times are int64 nanoseconds everywhere.
 *
 * Layer host/base.
 */
#ifndef TW_CLOCK_H
#define TW_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Since the epoch: what a record is stamped with.  Thread: any. */
static inline int64_t tw_clock_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Never goes back: what a duration is measured with.  Thread: any. */
static inline int64_t tw_clock_steady_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

#endif
