/* smooth.h - exponential smoothing that begins with a simple mean.
 *
 *     the first n values: e = sum(x) / n;  then  e += (x - e) / span
 *
 * With span = (n + 1) / 2 it is the EMA, whose weight is 2 / (n + 1); with span = n
 * it is Wilder's smoothing, e = ((n - 1) e + x) / n.  Before n values there is none.
 *
 * Layer host/stat.  Thread: who owns it.  Blocks: never.  Memory: none.
 */
#ifndef TW_SMOOTH_H
#define TW_SMOOTH_H

#include "stat/exact.h"
#include "stat/kernel.h"

struct smooth {
    struct tw_exact seed;     /* the sum of the first n */
    uint64_t count;
    double value;
};

static inline void smooth_push(struct smooth *m, uint32_t n, double span, double x)
{
    if (m->count++ >= n) {
        m->value += (x - m->value) / span;
        return;
    }
    tw_exact_step(&m->seed, x, 1);
    if (m->count == n) m->value = tw_exact_mean(&m->seed, n);
}

static inline void smooth_wilder(struct smooth *m, uint32_t n, double x)
{
    smooth_push(m, n, n, x);
}

static inline void smooth_ema(struct smooth *m, uint32_t n, double x)
{
    smooth_push(m, n, (n + 1.0) / 2, x);
}

static inline double smooth_of(const struct smooth *m, uint32_t n)
{
    return m->count >= n ? m->value : NAN;
}

#endif
