/* pace.h - when a record is due that is played at its own times, or faster.
 *
 * The clock begins with the first record that says a time, so that nothing
 * drifts: each later one is due at its distance from that one.
 *
 * Layer host/run.  Values: one owner.
 */
#ifndef TW_PACE_H
#define TW_PACE_H

#include "base/tw.h"

struct tw_pace {
    double speed;                 /* 0: everything is due at once              */
    int64_t first_ns, began_ns;   /* event time of the first, and when it came;
                                   * 0: there was none                         */
};

/* How long after now_ns (tw_clock_steady_ns) a record of time_ns is due; 0 or
 * less: it is.  Thread: the owner's.  Blocks: never. */
static inline int64_t tw_pace_wait(struct tw_pace *p, int64_t time_ns, int64_t now_ns)
{
    double after;

    if (p->speed <= 0 || time_ns <= 0) return 0;
    if (p->first_ns == 0) {
        p->first_ns = time_ns;
        p->began_ns = now_ns;
    }
    after = (double)(time_ns - p->first_ns) / p->speed;
    if (after > 4e18) after = 4e18;
    if (after < 0) return 0;
    return p->began_ns + (int64_t)after - now_ns;
}

#endif
