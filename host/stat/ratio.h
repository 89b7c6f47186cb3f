/* ratio.h - what a statistic holds as a fraction, compared without rounding.
 *
 * Why: two averages of unequal lengths are equal as fractions, or they are not; as
 * doubles they may cross where there is no cross.
 *
 * Layer host/stat.  Thread: any; who owns the states calls.  Blocks: never.
 * Memory: none.
 */
#ifndef TW_RATIO_H
#define TW_RATIO_H

#include "stat/exact.h"
#include "stat/stat.h"

/* (high 2^64 + low) / below, in units of 1e-9.  below: 1 to 2^32.  The statistic's
 * value is this, rounded once. */
struct tw_ratio {
    uint64_t low, below;
    int64_t high;
};

/* The sum / below; false: not of decimals alone. */
static inline bool tw_ratio_of(struct tw_ratio *r, const struct tw_exact *sum,
                               uint64_t below)
{
    *r = (struct tw_ratio){ sum->low, below, sum->high };
    return tw_exact_whole(sum);
}

/* A number, or the value of a statistic where there is one. */
struct tw_compared {
    double x;                     /* the value, in any case; no NaN */
    const struct tw_stat *s;
    const void *state;
};

/* Of series.c: what has sides to compare. */
extern const struct tw_stat_kind tw_stat_crossover;

/* -1, 0 or 1 as a is below b, equal or above: exactly where both are fractions or
 * decimals, else as doubles. */
int tw_compare(const struct tw_compared *a, const struct tw_compared *b);

#endif
