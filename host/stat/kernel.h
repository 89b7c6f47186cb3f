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
#include <string.h>

#include "stat/stat.h"

/* The kinds that each file defines; every list ends in NULL. */
extern const struct tw_stat_kind
    *const tw_stat_sums[], *const tw_stat_moments[], *const tw_stat_averages[],
    *const tw_stat_extremes[], *const tw_stat_quantiles[], *const tw_stat_sketches[],
    *const tw_stat_pairs[], *const tw_stat_market[], *const tw_stat_series[];

/* Of book.c, in the market's list. */
extern const struct tw_stat_kind tw_stat_order_flow_imbalance, tw_stat_microprice,
    tw_stat_imbalance;

/* Of topk.c, in the list of sketches. */
extern const struct tw_stat_kind tw_stat_topk;

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

/* name_choose, of a kind that has one way: name_ops. */
#define TW_STAT_CHOOSE(name) \
    static const struct tw_stat_ops *name##_choose(const struct tw_stat_options *o) \
    { \
        (void)o; \
        return &name##_ops; \
    }

/* Rounds the bytes of a state up to what keeps the next one aligned. */
static inline size_t tw_stat_round(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

/* 64 well mixed bits (the finaliser of splitmix64); of 0 and -0 the same. */
static inline uint64_t tw_stat_hash(double x)
{
    uint64_t z;

    x += 0.0;       /* -0 becomes 0 */
    memcpy(&z, &x, sizeof z);
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

#endif
