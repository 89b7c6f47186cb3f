/* kernel.h - what the files that define statistics share.
 *
 * TW_STAT_RUN(mean, struct mean, 1) makes mean_run of
 *
 *     static inline void mean_push(const struct tw_stat *s, struct mean *m,
 *                                  const double *x, int64_t time);
 *     static inline double mean_value(const struct tw_stat *s, const struct mean *m);
 *
 * Layer host/stat.  Thread: who owns the states.  Blocks: never.  Memory: none.
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
    *const tw_stat_pairs[], *const tw_stat_market[], *const tw_stat_series[],
    *const tw_stat_moving[], *const tw_stat_wilder[], *const tw_stat_momentum[],
    *const tw_stat_bands[];

/* Of book.c, in the market's list. */
extern const struct tw_stat_kind tw_stat_order_flow_imbalance, tw_stat_microprice,
    tw_stat_imbalance;

/* Of topk.c, in the list of sketches. */
extern const struct tw_stat_kind tw_stat_topk;

/* Quantiles over all (digest.c); fields "value", "count", "min", "max". */
extern const struct tw_stat_ops tw_stat_digest;

/* A window in time over `inner` (panes.c), or NULL: it can't be merged. */
const struct tw_stat_ops *tw_stat_panes(const struct tw_stat_ops *inner);

/* A push with a parameter that the compiler must see as a constant. */
#define TW_STAT_INLINE static inline __attribute__((always_inline))

/* Row i, unless an input is missing.  Written out: with a loop gcc -O2 keeps x in
 * memory, and a row of four inputs costs half as much again. */
static inline bool tw_stat_row(const struct tw_stat_rows *r, unsigned i, unsigned inputs,
                               double *x)
{
    bool missing = isnan(x[0] = r->x[0][i]);

    if (inputs > 1) missing |= isnan(x[1] = r->x[1][i]);
    if (inputs > 2) missing |= isnan(x[2] = r->x[2][i]);
    if (inputs > 3) missing |= isnan(x[3] = r->x[3][i]);
    return !missing;
}

enum { TW_STAT_AHEAD = 8, TW_STAT_LINE = 64 };

/* How many rows have one to look ahead to; none where small states make it cost more
 * than it saves. */
static inline unsigned tw_stat_before(const struct tw_stat_rows *r, size_t size)
{
    return size > 32 && r->n > TW_STAT_AHEAD ? r->n - TW_STAT_AHEAD : 0;
}

/* Calls into the cache what a row soon to come will change: where states are many,
 * waiting for them is most of the time.  (gcc takes a function that only prefetches
 * for one without effect, unless it is inlined early.) */
TW_STAT_INLINE void tw_stat_ahead(const struct tw_stat_rows *r, unsigned i,
                                  const void *states, size_t size)
{
    const char *state = (const char *)states + r->key[i + TW_STAT_AHEAD] * size;

    __builtin_prefetch(state, 1);
    if (size > TW_STAT_LINE) __builtin_prefetch(state + TW_STAT_LINE, 1);
}

/* T2: a row with a missing input leaves the state as it is. */
#define TW_STAT_RUN(name, type, inputs) \
    static void name##_run(const struct tw_stat *s, void *states, \
                           const struct tw_stat_rows *r) \
    { \
        const size_t size = s->size; \
        const unsigned before = tw_stat_before(r, size); \
        for (unsigned i = 0; i < r->n; i++) { \
            type *state = (type *)((char *)states + r->key[i] * size); \
            double x[TW_STAT_INPUTS]; \
            if (i < before) tw_stat_ahead(r, i, states, size); \
            if (tw_stat_row(r, i, inputs, x)) name##_push(s, state, x, r->time[i]); \
            if (r->out) r->out[i] = name##_value(s, state); \
        } \
    }

/* name_step, of the same two functions. */
#define TW_STAT_STEP(name, type) \
    static double name##_step(const struct tw_stat *s, void *state, const double *x, \
                              int64_t time) \
    { \
        name##_push(s, (type *)state, x, time); \
        return name##_value(s, (const type *)state); \
    }

/* name_choose, of a kind that has one way: name_ops. */
#define TW_STAT_CHOOSE(name) \
    static const struct tw_stat_ops *name##_choose(const struct tw_stat_options *o) \
    { \
        (void)o; \
        return &name##_ops; \
    }

/* name_size, of a state that no option makes larger. */
#define TW_STAT_SIZE(name, type) \
    static inline size_t name##_size(const struct tw_stat *s) \
    { \
        (void)s; \
        return sizeof(type); \
    }

/* Rounds the bytes of a state up to what keeps the next one aligned. */
static inline size_t tw_stat_round(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

/* Which quantile; where none is chosen, the median. */
static inline double tw_stat_p(const struct tw_stat *s)
{
    return isnan(s->o.p) ? 0.5 : s->o.p;
}

/* At the share f, 0 to 1, of the way from a to b; between an infinity and another
 * value the infinity, a's first. */
static inline double tw_stat_between(double a, double b, double f)
{
    if (f == 0 || isinf(a)) return a;
    return isinf(b) ? b : a + f * (b - a);
}

/* An option, or what it is where it isn't given. */
static inline uint32_t tw_stat_or(uint32_t option, uint32_t usual)
{
    return option ? option : usual;
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
