/* sum.c - count, sum, mean; weighted sum, weighted mean, volume-weighted price.
 *
 * Definitions: the rows not missing counted; sum(x); sum(x) / n; sum(x w);
 * sum(x w) / sum(w), which with prices and sizes is the VWAP (Berkowitz, Logue and
 * Noser, "The Total Cost of Transactions on the NYSE", 1988).  As in SQL's count and
 * numpy's sum, the count and the sum of no rows are 0 (not NaN); their mean is NaN.
 *
 * How: decimals as integers, other values compensated (exact.h).  So ten times 0.1
 * is 1, a tie of two means of prices is a tie, and the weighted mean of equal prices
 * is that price.  An infinity makes a sum infinite, both make it NaN; it leaves a
 * window as it came.
 *
 * Windows of n values keep them in a ring: each push takes the oldest out.  What was
 * no decimal is summed anew after n + 1024 values, and forgotten when none is left.
 *
 * Cost and memory: see each kind; a window adds 8 (weighted: 16) bytes a value.
 */
#include "stat/exact.h"
#include "stat/kernel.h"

enum { ONE = 1000000000 };
#define ONE_SQUARED UINT64_C(1000000000000000000)

/* ---- count ---- */

static inline void count_push(const struct tw_stat *s, uint64_t *n, const double *x,
                              int64_t time)
{
    (void)s, (void)x, (void)time;
    ++*n;
}

static inline double count_value(const struct tw_stat *s, const uint64_t *n)
{
    (void)s;
    return (double)*n;
}

TW_STAT_RUN(count, uint64_t, 1)

static size_t count_size(const struct tw_stat *s)
{
    (void)s;
    return sizeof(uint64_t);
}

static double count_get(const struct tw_stat *s, const void *n, unsigned field)
{
    (void)field;
    return count_value(s, n);
}

static void count_merge(const struct tw_stat *s, void *into, const void *from)
{
    (void)s;
    *(uint64_t *)into += *(const uint64_t *)from;
}

static const struct tw_stat_ops count_ops = {
    .size = count_size, .run = count_run, .get = count_get, .merge = count_merge
};

/* ---- sums and means, of one input or of two (weighted) ---- */

struct sums {
    uint64_t n;
    struct tw_exact of[];     /* x; or x w, in units of 1e-18, and w */
};

enum { AGE = 1024 };   /* small windows are summed anew after more than a round */

/* Behind the sums of a window: its values, the oldest at `at` once it is full; age:
 * pushes since they were summed anew. */
struct ring {
    uint32_t at, age;
    double x[];
};

/* What a kind's fields are, and a kind with its fields in their order. */
enum figure { MEAN, SUM, COUNT, WEIGHT };

struct sum_kind {
    struct tw_stat_kind kind;
    unsigned char order[4];
};

static inline size_t sums_size(unsigned inputs)
{
    return sizeof(struct sums) + inputs * sizeof(struct tw_exact);
}

static inline void step(struct sums *m, const double *x, unsigned inputs, int sign)
{
    if (inputs == 2) {
        tw_exact_product(&m->of[0], x[0], x[1], sign);
        tw_exact_step(&m->of[1], x[1], sign);
    } else {
        tw_exact_step(&m->of[0], x[0], sign);
    }
    m->n += (uint64_t)(int64_t)sign;
}

/* One rational number is one double, whatever the sum and n that it comes from. */
static inline double mean(const struct sums *m)
{
    const struct tw_exact *x = &m->of[0];

    if (m->n == 0) return NAN;
    if (tw_exact_whole(x) && m->n < UINT64_C(1) << 32)
        return tw_exact_ratio(x, m->n * ONE);
    return tw_exact_value(x, ONE) / (double)m->n;
}

/* If a decimal of nine places is the exact ratio, it is that one. */
static double weighted_mean(const struct sums *m)
{
    const struct tw_exact *xw = &m->of[0], *w = &m->of[1];
    int64_t weight = (int64_t)w->low;
    double v, near;

    if (weight >> 63 != w->high || !tw_exact_whole(xw) || !tw_exact_whole(w))
        return tw_exact_value(xw, ONE_SQUARED) / tw_exact_value(w, ONE);
    v = tw_exact_about(xw) / (double)weight;
    near = rint(v);
    if (fabs(near) < 0x1p51
        && (tw_int128)(int64_t)near * weight == tw_exact_integer(xw)) v = near;
    return v / 1e9;
}

static inline double figure(const struct tw_stat *s, const struct sums *m,
                            unsigned field, unsigned inputs)
{
    switch (((const struct sum_kind *)s->kind)->order[field]) {
    case MEAN: return inputs == 2 ? weighted_mean(m) : mean(m);
    case SUM: return tw_exact_value(&m->of[0], inputs == 2 ? ONE_SQUARED : ONE);
    case WEIGHT: return tw_exact_value(&m->of[1], ONE);
    default: return (double)m->n;
    }
}

/* What is in the ring, summed without what has left. */
static void sum_anew(struct sums *m, const struct ring *r, unsigned inputs)
{
    uint64_t n = m->n;

    m->n = 0;
    for (unsigned j = 0; j < inputs; j++) m->of[j] = (struct tw_exact){ .low = 0 };
    for (uint64_t i = 0; i < n; i++) step(m, &r->x[i * inputs], inputs, 1);
}

static inline void window(const struct tw_stat *s, struct sums *m, const double *x,
                          unsigned inputs)
{
    struct ring *r = (struct ring *)((char *)m + sums_size(inputs));
    double *place = &r->x[r->at * inputs];
    bool loose = false;

    if (m->n == s->o.window) step(m, place, inputs, -1);
    for (unsigned j = 0; j < inputs; j++) {
        if (m->of[j].loose == 0) m->of[j].rest = m->of[j].error = 0;
        place[j] = x[j];
    }
    step(m, x, inputs, 1);
    r->at = r->at + 1 == s->o.window ? 0 : r->at + 1;
    if (++r->age <= AGE + s->o.window) return;
    r->age = 0;
    for (unsigned j = 0; j < inputs; j++) loose = loose || m->of[j].loose > 0;
    if (loose) sum_anew(m, r, inputs);
}

static bool window_valid(const struct tw_stat *s, const struct sums *m, unsigned inputs)
{
    const struct ring *r = (const struct ring *)((const char *)m + sums_size(inputs));

    return m->n <= s->o.window && r->at < s->o.window
        && (m->n == s->o.window || r->at == m->n);
}

/* The ring's values in their order, pushed. */
static void window_merge(const struct tw_stat *s, void *into, const struct sums *m,
                         unsigned inputs)
{
    const struct ring *r = (const struct ring *)((const char *)m + sums_size(inputs));
    uint64_t at = m->n == s->o.window ? r->at : 0;

    for (uint64_t i = 0; i < m->n; i++) {
        window(s, into, &r->x[at * inputs], inputs);
        if (++at == s->o.window) at = 0;
    }
}

/* The ways, of `inputs` inputs. */
#define WAYS(all, last, inputs) \
    static inline void all##_push(const struct tw_stat *s, struct sums *m, \
                                  const double *x, int64_t time) \
    { \
        (void)s, (void)time; \
        step(m, x, inputs, 1); \
    } \
    static inline void last##_push(const struct tw_stat *s, struct sums *m, \
                                   const double *x, int64_t time) \
    { \
        (void)time; \
        window(s, m, x, inputs); \
    } \
    static inline double all##_value(const struct tw_stat *s, const struct sums *m) \
    { \
        return figure(s, m, 0, inputs); \
    } \
    static inline double last##_value(const struct tw_stat *s, const struct sums *m) \
    { \
        return figure(s, m, 0, inputs); \
    } \
    TW_STAT_RUN(all, struct sums, inputs) \
    TW_STAT_RUN(last, struct sums, inputs) \
    static size_t all##_size(const struct tw_stat *s) \
    { \
        (void)s; \
        return sums_size(inputs); \
    } \
    static size_t last##_size(const struct tw_stat *s) \
    { \
        return sums_size(inputs) + sizeof(struct ring) \
            + s->o.window * (inputs) * sizeof(double); \
    } \
    static double all##_get(const struct tw_stat *s, const void *m, unsigned field) \
    { \
        return figure(s, m, field, inputs); \
    } \
    static void all##_merge(const struct tw_stat *s, void *into, const void *from) \
    { \
        struct sums *m = into; \
        const struct sums *f = from; \
        (void)s; \
        m->n += f->n; \
        for (unsigned j = 0; j < (inputs); j++) \
            tw_exact_merge(&m->of[j], &f->of[j]); \
    } \
    static void last##_merge(const struct tw_stat *s, void *into, const void *from) \
    { \
        window_merge(s, into, from, inputs); \
    } \
    static bool last##_valid(const struct tw_stat *s, const void *m) \
    { \
        return window_valid(s, m, inputs); \
    } \
    static const struct tw_stat_ops all##_ops = { .size = all##_size, \
        .run = all##_run, .get = all##_get, .merge = all##_merge }; \
    static const struct tw_stat_ops last##_ops = { .size = last##_size, \
        .run = last##_run, .get = all##_get, .merge = last##_merge, \
        .valid = last##_valid }; \
    static const struct tw_stat_ops *all##_choose(const struct tw_stat_options *o) \
    { \
        return o->window ? &last##_ops : &all##_ops; \
    }

WAYS(plain, plain_last, 1)
WAYS(weighted, weighted_last, 2)

static const struct tw_stat_ops *count_choose(const struct tw_stat_options *o)
{
    (void)o;
    return &count_ops;
}

/* ---- the kinds ---- */

#define BERKOWITZ "Berkowitz, Logue, Noser 1988; exact sums of decimals"
#define NEUMAIER "exact sums of decimals; others: Neumaier 1974"

static const struct tw_stat_kind count_kind = {
    .name = "count", .inputs = { "x" }, .options = TW_STAT_TIME,
    .fields = (const char *const[]){ "value", NULL }, .choose = count_choose,
    .formula = "rows where x is not missing; of none 0", .source = "SQL's count(x)",
    .cost = "1 ns a value, 16 bytes a key"
};

#define SUM_KIND(its_name, what, cost_text, ...) \
    .name = its_name, .inputs = { "x" }, .options = TW_STAT_WINDOW | TW_STAT_TIME, \
    .fields = (const char *const[]){ __VA_ARGS__, NULL }, .choose = plain_choose, \
    .formula = what, .source = NEUMAIER, .cost = cost_text

static const struct sum_kind
    sum_kind = {
        { SUM_KIND("sum", "sum(x); of none 0", "3 ns a value, 64 bytes a key; window:"
                   " 10 ns, 80 + 8 n bytes", "value", "count", "mean") },
        { SUM, COUNT, MEAN }
    },
    mean_kind = {
        { SUM_KIND("mean", "sum(x) / n", "3 ns a value, 64 bytes a key; window: 10 ns,"
                   " 80 + 8 n bytes", "value", "count", "sum") },
        { MEAN, COUNT, SUM }
    };

#define WEIGHTED_KIND(its_name, a, b, what, from, ...) \
    .name = its_name, .inputs = { a, b }, .options = TW_STAT_WINDOW | TW_STAT_TIME, \
    .fields = (const char *const[]){ __VA_ARGS__, NULL }, .choose = weighted_choose, \
    .formula = what, .source = from, \
    .cost = "8 ns a row, 128 bytes a key; window: 20 ns, 128 + 16 n bytes"

static const struct sum_kind
    weighted_sum_kind = {
        { WEIGHTED_KIND("weighted_sum", "x", "weight", "sum(x weight); of none 0",
                        NEUMAIER, "value", "count", "weight", "mean") },
        { SUM, COUNT, WEIGHT, MEAN }
    },
    weighted_mean_kind = {
        { WEIGHTED_KIND("weighted_mean", "x", "weight", "sum(x weight) / sum(weight)",
                        NEUMAIER, "value", "count", "weight", "sum") },
        { MEAN, COUNT, WEIGHT, SUM }
    },
    vwap_kind = {
        { WEIGHTED_KIND("vwap", "price", "size", "sum(price size) / sum(size)",
                        BERKOWITZ, "value", "count", "size", "turnover") },
        { MEAN, COUNT, WEIGHT, SUM }
    };

const struct tw_stat_kind *const tw_stat_sums[] = {
    &count_kind, &sum_kind.kind, &mean_kind.kind, &weighted_sum_kind.kind,
    &weighted_mean_kind.kind, &vwap_kind.kind, NULL
};
