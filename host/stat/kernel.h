/* kernel.h - what the files that define statistics share.
 *
 * TW_STAT_RUN(mean, struct mean, 1) makes mean_run of
 *
 *     static inline void mean_push(const struct tw_stat *s, struct mean *m,
 *                                  const double *x, int64_t time);
 *     static inline double mean_value(const struct tw_stat *s, const struct mean *m);
 *
 * Layer host/stat.
 */
#ifndef TW_KERNEL_H
#define TW_KERNEL_H

#include <math.h>

#include "stat/stat.h"

/* The kinds that each file defines; every list ends in NULL. */
extern const struct tw_stat_kind
    *const tw_stat_sums[], *const tw_stat_moments[], *const tw_stat_averages[],
    *const tw_stat_extremes[], *const tw_stat_quantiles[], *const tw_stat_sketches[],
    *const tw_stat_pairs[], *const tw_stat_market[], *const tw_stat_series[];

/* Over time, for what can be merged: its states are panes of the inner one (panes.c). */
extern const struct tw_stat_ops tw_stat_panes;

/* T2: a row with a missing input leaves the state as it is. */
#define TW_STAT_RUN(name, type, inputs) \
    static void name##_run(const struct tw_stat *s, void *states, \
                           const struct tw_stat_rows *r) \
    { \
        const size_t size = s->size; \
        for (unsigned i = 0; i < r->n; i++) { \
            type *state = (type *)((char *)states + r->key[i] * size); \
            double x[inputs]; \
            bool missing = false; \
            for (unsigned j = 0; j < (inputs); j++) { \
                x[j] = r->x[j][i]; \
                missing = missing || isnan(x[j]); \
            } \
            if (!missing) name##_push(s, state, x, r->time[i]); \
            if (r->out) r->out[i] = name##_value(s, state); \
        } \
    }

/* Rounds the bytes of a state up to what keeps the next one aligned. */
static inline size_t tw_stat_round(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

#endif
