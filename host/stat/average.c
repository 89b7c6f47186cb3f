/* average.c - exponentially weighted mean, variance and standard deviation.
 *
 * By alpha, in values: the first value is the mean, e, unless `initial` is given;
 * then every value does
 *
 *     d = x - e;  e += alpha d;  v = (1 - alpha) (v + alpha d^2)
 *
 * (Roberts, "Control Chart Tests Based on Geometric Moving Averages", 1959; v:
 * Finch, "Incremental calculation of weighted mean and variance", 2009).  So v is the
 * variance of a population in which the value of i values ago has the weight
 * alpha (1 - alpha)^i, and the first one what is left.  span n is alpha = 2 / (n + 1);
 * half_life n is alpha = 1 - 2^(-1/n).
 *
 * By half_life in time: a value of age t weighs 2^(-t / half_life), and all the
 * weights together W; so values of one instant count alike, and none is lost:
 *
 *     f = 2^(-dt / half_life);  W = f W + 1;  d = x - e
 *     e += d / W;  S = f S + d (x - e);  v = S / W
 *
 * (West, "Updating Mean and Variance Estimates", CACM 22, 1979, with weights that
 * decay.)  A time before the latest one seen counts as that.  `initial` is a value at
 * the time of the first.
 *
 * Of no values the mean is `initial`, if given.  One value has variance 0.  An
 * infinity makes the mean infinite, then NaN, for good.  The mean is a double: of
 * values around 1e9 that deviate by 1 the variance has seven digits.
 */
#include "stat/kernel.h"

/* What a kind's fields are, and a kind with its fields in their order. */
enum figure { MEAN, COUNT, VARIANCE, STD };

struct average_kind {
    struct tw_stat_kind kind;
    unsigned char order[4];
};

static inline double figure(const struct tw_stat *s, uint64_t n, double mean,
                            double variance, unsigned field)
{
    const enum figure f = ((const struct average_kind *)s->kind)->order[field];

    if (f == COUNT) return (double)n;
    if (n == 0) return f == MEAN ? s->o.initial : NAN;
    return f == MEAN ? mean : f == VARIANCE ? variance : sqrt(variance);
}

/* ---- by alpha ---- */

struct steps {
    uint64_t n;
    double mean, variance, base;   /* base: initial, or the first value */
};

TW_STAT_INLINE void step(const struct tw_stat *s, struct steps *m, double x,
                         bool with_variance)
{
    const double alpha = s->o.alpha;
    double d;

    if (m->n++ == 0) m->mean = m->base = isnan(s->o.initial) ? x : s->o.initial;
    d = x - m->mean;
    m->mean += alpha * d;
    if (with_variance) m->variance = (1 - alpha) * (m->variance + alpha * d * d);
}

static inline void mean_push(const struct tw_stat *s, struct steps *m, const double *x,
                             int64_t time)
{
    (void)time;
    step(s, m, x[0], false);
}

static inline double mean_value(const struct tw_stat *s, const struct steps *m)
{
    return m->n ? m->mean : s->o.initial;
}

static inline void variance_push(const struct tw_stat *s, struct steps *m,
                                 const double *x, int64_t time)
{
    (void)time;
    step(s, m, x[0], true);
}

static inline double variance_value(const struct tw_stat *s, const struct steps *m)
{
    return figure(s, m->n, m->mean, m->variance, 0);
}

TW_STAT_RUN(mean, struct steps, 1)
TW_STAT_RUN(variance, struct steps, 1)

TW_STAT_SIZE(steps, struct steps)

static double steps_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct steps *m = state;

    return figure(s, m->n, m->mean, m->variance, field);
}

/* In the later part its base has the weight q of all that came before it; a's
 * population takes that place. */
static void steps_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct steps *a = into;
    const struct steps *b = from;
    const double q = pow(1 - s->o.alpha, (double)b->n);
    const double da = a->mean - b->base, db = b->mean - b->base, d = db + q * da;

    if (b->n == 0) return;
    if (a->n == 0) {
        *a = *b;
        return;
    }
    a->variance = fmax(b->variance + db * db + q * (a->variance + da * da) - d * d, 0);
    a->mean = b->mean + q * da;
    a->n += b->n;
}

static const struct tw_stat_ops mean_ops = {
    .size = steps_size, .run = mean_run, .get = steps_get, .merge = steps_merge
};
static const struct tw_stat_ops variance_ops = {
    .size = steps_size, .run = variance_run, .get = steps_get, .merge = steps_merge
};

/* ---- by half-life in time ---- */

struct timed {
    uint64_t n;
    int64_t time;              /* the latest                              */
    double weight, mean, sum;  /* sum: of weighted squared deviations     */
    double initial;            /* its weight, which is not in the others  */
};

static inline double decay(const struct tw_stat *s, int64_t from, int64_t to)
{
    if (to <= from) return 1;
    return exp2(-(double)((uint64_t)to - (uint64_t)from) / (double)s->o.half_life_ns);
}

static inline void timed_push(const struct tw_stat *s, struct timed *m, const double *x,
                              int64_t time)
{
    double f, d;

    if (m->n++ == 0) {
        m->time = time;
        m->initial = 1;
    }
    f = decay(s, m->time, time);
    d = x[0] - m->mean;
    m->initial *= f;
    m->weight = f * m->weight + 1;
    m->mean += d / m->weight;
    m->sum = f * m->sum + d * (x[0] - m->mean);
    if (time > m->time) m->time = time;
}

/* Adds to m what has that weight, mean and sum. */
static inline void combine(struct timed *m, double weight, double mean, double sum)
{
    const double d = mean - m->mean, all = m->weight + weight;

    m->sum += sum + d * d * m->weight * (weight / all);
    m->mean += d * (weight / all);
    m->weight = all;
}

static inline double timed_figure(const struct tw_stat *s, const struct timed *state,
                                  unsigned field)
{
    struct timed m = *state;

    if (!isnan(s->o.initial) && m.n > 0) combine(&m, m.initial, s->o.initial, 0);
    return figure(s, m.n, m.mean, m.sum / m.weight, field);
}

static inline double timed_value(const struct tw_stat *s, const struct timed *m)
{
    return timed_figure(s, m, 0);
}

TW_STAT_RUN(timed, struct timed, 1)

TW_STAT_SIZE(timed, struct timed)

static double timed_get(const struct tw_stat *s, const void *state, unsigned field)
{
    return timed_figure(s, state, field);
}

static void timed_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct timed *a = into;
    const struct timed *b = from;
    const double f = decay(s, a->time, b->time);

    if (b->n == 0) return;
    if (a->n == 0) {
        *a = *b;
        return;
    }
    a->weight *= f;
    a->sum *= f;
    a->initial *= f;
    combine(a, b->weight, b->mean, b->sum);
    a->n += b->n;
    if (b->time > a->time) a->time = b->time;
}

static const struct tw_stat_ops timed_ops = {
    .size = timed_size, .run = timed_run, .get = timed_get, .merge = timed_merge
};

/* ---- the kinds ---- */

static const struct tw_stat_ops *mean_choose(const struct tw_stat_options *o)
{
    return o->alpha > 0 ? &mean_ops : o->half_life_ns ? &timed_ops : NULL;
}

static const struct tw_stat_ops *variance_choose(const struct tw_stat_options *o)
{
    return o->alpha > 0 ? &variance_ops : o->half_life_ns ? &timed_ops : NULL;
}

#define KIND(its_name, way, what, from, its_cost, ...) \
    .name = its_name, .inputs = { "x" }, \
    .options = TW_STAT_ALPHA | TW_STAT_HALF_LIFE | TW_STAT_INITIAL, \
    .fields = (const char *const[]){ __VA_ARGS__, NULL }, .choose = way, \
    .formula = what, .source = from, .cost = its_cost

#define FINCH "Finch 2009; half-life in time: West 1979"
#define COST "2 ns a value, 32 bytes a key; half-life in time: 9 ns, 48 bytes"

static const struct average_kind
    ewma_kind = {
        { KIND("ewma", mean_choose, "e += alpha (x - e); in time: weights"
               " 2^(-age / half_life)", "Roberts 1959; half-life in time: West 1979",
               COST, "value", "count") },
        { MEAN, COUNT }
    },
    ewvar_kind = {
        { KIND("ewvar", variance_choose, "v = (1 - alpha) (v + alpha (x - e)^2); in time:"
               " weights 2^(-age / half_life)", FINCH, COST,
               "value", "count", "mean", "std") },
        { VARIANCE, COUNT, MEAN, STD }
    },
    ewstd_kind = {
        { KIND("ewstd", variance_choose, "sqrt(ewvar)", FINCH, COST,
               "value", "count", "mean", "variance") },
        { STD, COUNT, MEAN, VARIANCE }
    };

const struct tw_stat_kind *const tw_stat_averages[] = {
    &ewma_kind.kind, &ewvar_kind.kind, &ewstd_kind.kind, NULL
};
