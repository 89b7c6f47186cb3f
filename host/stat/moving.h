/* moving.h - the last n values in a ring, with their exact sum.
 *
 * Why: what the indicators share.  While the window has only decimals (exact.h) its
 * sum is an integer, and no rounding is ever left in it; else it is summed anew once
 * in every round of the ring, and while it overflows at each push.
 *
 * Layer host/stat.  Thread: who owns it.  Blocks: never.  Memory: none.
 */
#ifndef TW_MOVING_H
#define TW_MOVING_H

#include "stat/exact.h"
#include "stat/kernel.h"

struct moving {
    struct tw_exact sum;
    uint32_t n, at;      /* how many; the oldest is at `at` once the ring is full */
    double ring[];
};

static inline size_t moving_size(uint32_t window)
{
    return sizeof(struct moving) + window * sizeof(double);
}

static inline bool moving_valid(const struct moving *m, uint32_t window)
{
    return m->n <= window && m->at < window && (m->n == window || m->at == m->n);
}

static TW_APART void moving_anew(struct moving *m)
{
    m->sum = (struct tw_exact){ .low = 0 };
    for (uint32_t i = 0; i < m->n; i++) tw_exact_step(&m->sum, m->ring[i], 1);
}

static inline void moving_take(struct tw_exact *e, double x)
{
    if (tw_exact_only_decimals(e) && fabs(x) < TW_EXACT_NEAR) {
        tw_exact_add(e, -tw_exact_nearest(x));
    } else {
        tw_exact_step(e, x, -1);
        if (e->loose == 0) e->rest = e->error = 0;
    }
}

/* Returns the value that x has pushed out of the window, or NaN. */
static inline double moving_push(struct moving *m, uint32_t window, double x)
{
    double old = NAN;

    if (m->n == window) moving_take(&m->sum, old = m->ring[m->at]);
    else m->n++;
    m->ring[m->at] = x;
    tw_exact_step(&m->sum, x, 1);
    if (++m->at == window) m->at = 0;
    if (!tw_exact_only_decimals(&m->sum) && (m->at == 0 || !isfinite(m->sum.rest)))
        moving_anew(m);
    return old;
}

/* NaN before the window is full. */
static inline double moving_mean(const struct moving *m, uint32_t window)
{
    return m->n == window ? tw_exact_mean(&m->sum, window) : NAN;
}

#endif
