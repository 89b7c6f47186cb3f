/* moments.c - variance, standard deviation, z-score; skewness, kurtosis.
 *
 * Definitions, with M_k = sum((x - mean)^k) of n values:
 *   variance  M_2 / (n - 1), the sample's; NaN of fewer than two
 *   std       its square root
 *   zscore    (the newest value - mean) / std; NaN where std is 0
 *   skewness  g1 = sqrt(n) M_3 / M_2^1.5; NaN where all are equal
 *   kurtosis  g2 = n M_4 / M_2^2 - 3, the excess over a normal one; NaN as above
 * Neither g1 nor g2 has a correction for small n (so do numpy's and scipy's defaults;
 * pandas corrects).
 *
 * Over all: Welford's update (Technometrics 4, 1962) with Pébay's third and fourth
 * moments and his merge (Sandia report SAND2008-6212, 2008), of x minus the first
 * value: the mean of what is far from 0 then has all its digits, and M_2 of equal
 * values is 0.  An infinity makes all but the count NaN for good.
 *
 * Over the last n: sums of powers of x - c, where c was their mean not long ago
 * (shifted data: Chan, Golub, LeVeque, "Algorithms for Computing the Sample
 * Variance", 1983); the oldest value is subtracted.  All is computed anew around the
 * new mean after n + 256 values, and when what is left is so much less than what once
 * was in the sums that digits are missing (an outlier has left).  What is infinite
 * or past 1e72 makes all but the count NaN until it leaves.
 */
#include "stat/kernel.h"

/* What a kind's fields are, and a kind with its fields in their order. */
enum figure { COUNT, MEAN, VARIANCE, STD, ZSCORE, SKEWNESS, KURTOSIS };

struct moment_kind {
    struct tw_stat_kind kind;
    unsigned char order[6];
};

/* What all figures are made of. */
struct central {
    double n, mean, m2, m3, m4;
    double newest;    /* less the mean */
};

static inline double figure(const struct tw_stat *s, const struct central *c,
                            unsigned field)
{
    const double variance = c->n > 1 ? c->m2 / (c->n - 1) : NAN;

    switch (((const struct moment_kind *)s->kind)->order[field]) {
    case COUNT: return c->n;
    case MEAN: return c->n > 0 ? c->mean : NAN;
    case VARIANCE: return variance;
    case STD: return sqrt(variance);
    case ZSCORE: return c->m2 > 0 ? c->newest / sqrt(variance) : NAN;
    /* 0 / 0 is the NaN of equal values. */
    case SKEWNESS: return sqrt(c->n) * c->m3 / (c->m2 * sqrt(c->m2));
    default: return c->n * c->m4 / (c->m2 * c->m2) - 3;
    }
}

/* ---- over all ---- */

struct second {
    double n, first, mean, m2, last;    /* mean: of x - first */
};

struct fourth {
    struct second s;
    double m3, m4;
};

static inline double enter(struct second *m, double x)
{
    m->n += 1;
    if (m->n == 1) m->first = x;
    m->last = x;
    return x - m->first - m->mean;
}

static inline void second_push(const struct tw_stat *s, struct second *m,
                               const double *x, int64_t time)
{
    const double d = enter(m, x[0]), part = d / m->n;

    (void)s, (void)time;
    m->mean += part;
    m->m2 += d * (d - part);
}

static inline void fourth_push(const struct tw_stat *s, struct fourth *m,
                               const double *x, int64_t time)
{
    const double d = enter(&m->s, x[0]), n = m->s.n, part = d / n;
    const double square = part * part, term = d * part * (n - 1), m2 = m->s.m2;

    (void)s, (void)time;
    m->s.mean += part;
    m->m4 += term * square * (n * n - 3 * n + 3) + 6 * square * m2 - 4 * part * m->m3;
    m->m3 += term * part * (n - 2) - 3 * part * m2;
    m->s.m2 += term;
}

static inline struct central second_central(const struct second *m)
{
    return (struct central){ .n = m->n, .mean = m->first + m->mean, .m2 = m->m2,
                             .newest = m->last - m->first - m->mean };
}

static inline struct central fourth_central(const struct fourth *m)
{
    struct central c = second_central(&m->s);

    c.m3 = m->m3;
    c.m4 = m->m4;
    return c;
}

static void second_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct second *a = into;
    const struct second *b = from;
    const double n = a->n + b->n, d = b->first - a->first + b->mean - a->mean;

    (void)s;
    if (b->n == 0) return;
    if (a->n == 0) {
        *a = *b;
        return;
    }
    a->m2 += b->m2 + d * d * a->n * (b->n / n);
    a->mean += d * (b->n / n);
    a->n = n;
    a->last = b->last;
}

static void fourth_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct fourth *m = into;
    const struct fourth a = *m, *b = from;
    const double na = a.s.n, nb = b->s.n, n = na + nb;
    const double part = (b->s.first - a.s.first + b->s.mean - a.s.mean) / n;
    const double square = part * part;

    if (nb == 0) return;
    if (na == 0) {
        *m = *b;
        return;
    }
    second_merge(s, &m->s, &b->s);
    m->m3 = a.m3 + b->m3 + square * part * n * na * nb * (na - nb)
        + 3 * part * (na * b->s.m2 - nb * a.s.m2);
    m->m4 = a.m4 + b->m4 + square * square * n * na * nb * (na * na - na * nb + nb * nb)
        + 6 * square * (na * na * b->s.m2 + nb * nb * a.s.m2)
        + 4 * part * (na * b->m3 - nb * a.m3);
}

/* ---- over the last n ---- */

enum { AGE = 256 };          /* small windows are made anew after more than a round */
#define LEAST 0x1p-16    /* of 16 digits five may be lost */
#define WILD 1e72        /* 2^40 times the fourth power of twice it is finite */

/* Sums of powers of x - around. */
struct powers {
    double around, sum[4];
};

struct last {
    uint32_t n, at;
    uint32_t wild;               /* how many are past WILD, in no sum               */
    uint32_t age;                /* pushes since all was made anew                  */
    struct powers p;
    double most;                 /* the largest highest sum since it was made anew  */
    double x[];                  /* a ring; the oldest is at `at` when it is full   */
};

static inline bool tame(double x)
{
    return fabs(x) <= WILD;
}

TW_STAT_INLINE void add(struct powers *p, double x, double sign, unsigned order)
{
    const double d = x - p->around, square = d * d;

    p->sum[0] += sign * d;
    p->sum[1] += sign * square;
    if (order == 2) return;
    p->sum[2] += sign * (square * d);
    p->sum[3] += sign * (square * square);
}

/* From powers about `around` to those about the mean; nothing is n = 0. */
TW_STAT_INLINE struct central about_mean(const struct powers *p, double n,
                                         unsigned order)
{
    const double mean = p->sum[0] / n;
    struct central c = { .n = n, .mean = p->around + mean };

    c.m2 = p->sum[1] - mean * p->sum[0];
    if (order == 2) return c;
    c.m3 = p->sum[2] - mean * (3 * p->sum[1] - 2 * mean * p->sum[0]);
    c.m4 = p->sum[3] - mean * (4 * p->sum[2] - mean * (6 * p->sum[1]
                                                       - 3 * mean * p->sum[0]));
    return c;
}

static inline struct central last_central(const struct tw_stat *s, const struct last *m,
                                          unsigned order)
{
    struct central c = { .n = m->n, .mean = NAN, .m2 = NAN, .m3 = NAN, .m4 = NAN };

    if (m->n == 0 || m->wild) return c;
    c = about_mean(&m->p, m->n, order);
    c.newest = m->x[(m->at ? m->at : s->o.window) - 1] - m->p.around
        - m->p.sum[0] / m->n;
    return c;
}

/* Around the mean of what is in the ring. */
static void anew(struct last *m, unsigned order)
{
    double first = NAN, sum = 0;
    struct powers p = { .around = 0 };

    for (uint32_t i = 0; i < m->n; i++) {
        if (!tame(m->x[i])) continue;
        if (isnan(first)) first = m->x[i];
        sum += m->x[i] - first;
    }
    /* Exactly the values, where they are equal. */
    p.around = first + sum / (m->n - m->wild);
    for (uint32_t i = 0; i < m->n; i++)
        if (tame(m->x[i])) add(&p, m->x[i], 1, order);
    m->p = p;
    m->most = p.sum[order - 1];
    m->age = 0;
}

TW_STAT_INLINE void last_push(const struct tw_stat *s, struct last *m, double x,
                              unsigned order)
{
    const uint32_t window = s->o.window;
    const double old = m->x[m->at];
    struct powers p = { .around = m->p.around };
    double n, left;

    /* One by one: what has just been stored so is loaded faster so. */
    for (unsigned j = 0; j < order; j++) p.sum[j] = m->p.sum[j];
    if (m->n < window) m->n++;
    else if (tame(old)) add(&p, old, -1, order);
    else m->wild--;
    if (tame(x)) add(&p, x, 1, order);
    else m->wild++;
    for (unsigned j = 0; j < order; j++) m->p.sum[j] = p.sum[j];
    m->x[m->at] = x;
    m->at = m->at + 1 == window ? 0 : m->at + 1;
    m->most = p.sum[order - 1] > m->most ? p.sum[order - 1] : m->most;
    n = m->n - m->wild;
    left = order == 2 ? n * p.sum[1] - p.sum[0] * p.sum[0]
        : n * about_mean(&p, n, 4).m4;
    if (n > 0 && (++m->age > AGE + window || !(left >= n * m->most * LEAST)))
        anew(m, order);
}

static bool last_valid(const struct tw_stat *s, const void *state)
{
    const struct last *m = state;
    uint32_t wild = 0;

    if (m->n > s->o.window || m->at >= s->o.window
        || (m->n < s->o.window && m->at != m->n)) return false;
    for (uint32_t i = 0; i < m->n; i++) wild += !tame(m->x[i]);
    return wild == m->wild;
}

/* The newer values, pushed. */
static void last_merge(const struct tw_stat *s, void *into, const void *from)
{
    const struct last *m = from;
    const uint32_t oldest = m->n < s->o.window ? 0 : m->at;

    for (uint32_t i = oldest; i < m->n; i++) tw_stat_push(s, into, &m->x[i], 0);
    for (uint32_t i = 0; i < oldest; i++) tw_stat_push(s, into, &m->x[i], 0);
}

static size_t last_size(const struct tw_stat *s)
{
    return sizeof(struct last) + s->o.window * sizeof(double);
}

/* ---- the ways ---- */

#define WAYS(all, newest, order) \
    static inline double all##_value(const struct tw_stat *s, const struct all *m) \
    { \
        const struct central c = all##_central(m); \
        return figure(s, &c, 0); \
    } \
    TW_STAT_RUN(all, struct all, 1) \
    static size_t all##_size(const struct tw_stat *s) \
    { \
        (void)s; \
        return sizeof(struct all); \
    } \
    static double all##_get(const struct tw_stat *s, const void *m, unsigned field) \
    { \
        const struct central c = all##_central(m); \
        return figure(s, &c, field); \
    } \
    static inline void newest##_push(const struct tw_stat *s, struct last *m, \
                                     const double *x, int64_t time) \
    { \
        (void)time; \
        last_push(s, m, x[0], order); \
    } \
    static inline double newest##_value(const struct tw_stat *s, const struct last *m) \
    { \
        const struct central c = last_central(s, m, order); \
        return figure(s, &c, 0); \
    } \
    TW_STAT_RUN(newest, struct last, 1) \
    static double newest##_get(const struct tw_stat *s, const void *m, unsigned field) \
    { \
        const struct central c = last_central(s, m, order); \
        return figure(s, &c, field); \
    } \
    static const struct tw_stat_ops all##_ops = { .size = all##_size, \
        .run = all##_run, .get = all##_get, .merge = all##_merge }; \
    static const struct tw_stat_ops newest##_ops = { .size = last_size, \
        .run = newest##_run, .get = newest##_get, .merge = last_merge, \
        .valid = last_valid }; \
    static const struct tw_stat_ops *all##_choose(const struct tw_stat_options *o) \
    { \
        return o->window ? &newest##_ops : &all##_ops; \
    }

WAYS(second, second_last, 2)
WAYS(fourth, fourth_last, 4)

/* ---- the kinds ---- */

#define KIND(its_name, way, what, from, its_cost, ...) \
    .name = its_name, .inputs = { "x" }, .options = TW_STAT_WINDOW | TW_STAT_TIME, \
    .fields = (const char *const[]){ __VA_ARGS__, NULL }, .choose = way, \
    .formula = what, .source = from, .cost = its_cost

#define WELFORD "Welford 1962; windows: Chan, Golub, LeVeque 1983"
#define PEBAY "Pébay 2008 (g1, g2); windows: Chan, Golub, LeVeque 1983"
#define COST_2 "2 ns a value, 48 bytes a key; window: 5 ns, 64 + 8 n bytes"
#define COST_4 "5 ns a value, 64 bytes a key; window: 8 ns, 64 + 8 n bytes"

static const struct moment_kind
    variance_kind = {
        { KIND("variance", second_choose, "sum((x - mean)^2) / (n - 1)", WELFORD, COST_2,
               "value", "count", "mean", "std") },
        { VARIANCE, COUNT, MEAN, STD }
    },
    std_kind = {
        { KIND("std", second_choose, "sqrt(sum((x - mean)^2) / (n - 1))", WELFORD,
               COST_2, "value", "count", "mean", "variance") },
        { STD, COUNT, MEAN, VARIANCE }
    },
    zscore_kind = {
        { KIND("zscore", second_choose, "(newest x - mean) / std", WELFORD, COST_2,
               "value", "count", "mean", "std") },
        { ZSCORE, COUNT, MEAN, STD }
    },
    skewness_kind = {
        { KIND("skewness", fourth_choose, "sqrt(n) M3 / M2^1.5, Mk = sum((x - mean)^k)",
               PEBAY, COST_4, "value", "count", "mean", "variance", "std", "kurtosis") },
        { SKEWNESS, COUNT, MEAN, VARIANCE, STD, KURTOSIS }
    },
    kurtosis_kind = {
        { KIND("kurtosis", fourth_choose, "n M4 / M2^2 - 3, Mk = sum((x - mean)^k)",
               PEBAY, COST_4, "value", "count", "mean", "variance", "std", "skewness") },
        { KURTOSIS, COUNT, MEAN, VARIANCE, STD, SKEWNESS }
    };

const struct tw_stat_kind *const tw_stat_moments[] = {
    &variance_kind.kind, &std_kind.kind, &zscore_kind.kind, &skewness_kind.kind,
    &kurtosis_kind.kind, NULL
};
