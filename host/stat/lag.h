/* lag.h - the values of the last rows: what was n values ago.
 *
 * Layer host/stat.  Thread: any; who owns a state calls.
 */
#ifndef TW_LAG_H
#define TW_LAG_H

#include <string.h>

#include "stat/kernel.h"

/* A value, kept so that no bits set is none: as it differs from NaN, which no value
 * is (T2).  So a lag of 1 fits into 16 bytes. */
struct kept { uint64_t bits; };

static const uint64_t nothing = UINT64_C(0x7ff8) << 48;

static inline struct kept keep(double x)
{
    struct kept k;

    memcpy(&k, &x, sizeof k);
    k.bits ^= nothing;
    return k;
}

static inline double kept(struct kept k)
{
    double x;

    k.bits ^= nothing;
    memcpy(&x, &k, sizeof x);
    return x;
}

struct lag {
    struct kept newest, old;     /* old is n values before */
};

struct lags {
    struct lag l;
    uint64_t at;                 /* the oldest, and where the next goes */
    struct kept ring[];          /* the last n */
};

static inline uint32_t lag_of(const struct tw_stat *s)
{
    return s->o.lag ? s->o.lag : 1;
}

static inline void lags_push(const struct tw_stat *s, struct lags *l, double x)
{
    struct kept *slot = &l->ring[l->at];

    l->l.old = *slot;
    *slot = l->l.newest = keep(x);
    if (++l->at == lag_of(s)) l->at = 0;
}

static inline size_t lags_size(const struct tw_stat *s)
{
    return sizeof(struct lags) + lag_of(s) * sizeof(struct kept);
}

static inline bool lags_valid(const struct tw_stat *s, const void *state)
{
    return ((const struct lags *)state)->at < lag_of(s);
}

#endif
