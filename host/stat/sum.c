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

TW_STAT_SIZE(count, uint64_t)

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

/* Behind those of a window are its values, the oldest at `at` once it is full. */
struct sums {
    uint64_t n;
    uint32_t at, age;         /* age: pushes since the window was summed anew */
    struct tw_exact of[];     /* x; or x w, in units of 1e-18, and w          */
};

enum { AGE = 1024 };   /* small windows are summed anew after more than a round */

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

static inline double *ring_of(const struct sums *m, unsigned inputs)
{
    return (double *)((char *)m + sums_size(inputs));
}

/* Any row; what is no decimal is forgotten when nothing like it is left. */
static __attribute__((noinline)) void step_any(struct sums *m, double x, double w,
                                               unsigned inputs, int sign)
{
    if (inputs == 2) {
        tw_exact_product(&m->of[0], x, w, sign);
        tw_exact_step(&m->of[1], w, sign);
    } else {
        tw_exact_step(&m->of[0], x, sign);
    }
    m->n += (uint64_t)(int64_t)sign;
    for (unsigned j = 0; sign < 0 && j < inputs; j++)
        if (m->of[j].loose == 0) m->of[j].rest = m->of[j].error = 0;
}

/* A row, and its decimals as integers. */
struct row {
    double x, w;
    int64_t fixed_x, fixed_w;
    bool is_loose;            /* x is surely finite and no decimal: of one input */
};

TW_STAT_INLINE void step(struct sums *m, struct row r, unsigned inputs, int sign)
{
    struct tw_exact *e = m->of;

    if (inputs == 1 && r.is_loose) {
        tw_exact_loose(e, sign * r.x);
        e->loose += (uint32_t)sign;
    } else if (r.fixed_x == TW_EXACT_OTHER
               || (inputs == 2 && r.fixed_w == TW_EXACT_OTHER)) {
        step_any(m, r.x, r.w, inputs, sign);
        return;
    } else if (inputs == 2) {
        tw_exact_add_product(&e[0], r.fixed_x, r.fixed_w, r.x * r.w, sign);
        tw_exact_add(&e[1], sign * r.fixed_w);
    } else {
        tw_exact_add(e, sign * r.fixed_x);
    }
    m->n += (uint64_t)(int64_t)sign;
}

static inline double mean(const struct sums *m)
{
    return m->n ? tw_exact_mean(&m->of[0], m->n) : NAN;
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
    near = (v + TW_EXACT_SHIFT) - TW_EXACT_SHIFT;
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
static void sum_anew(struct sums *m, unsigned inputs)
{
    const double *ring = ring_of(m, inputs);
    uint64_t n = m->n;

    m->n = 0;
    for (unsigned j = 0; j < inputs; j++) m->of[j] = (struct tw_exact){ .low = 0 };
    for (uint64_t i = 0; i < n; i++, ring += inputs)
        step_any(m, ring[0], ring[inputs - 1], inputs, 1);
}

/* As an integer, what is in a sum of nothing but decimals: so it need not be asked. */
static inline int64_t fixed_in(const struct tw_exact *e, double x)
{
    return tw_exact_only_decimals(e) && fabs(x) < TW_EXACT_NEAR ? tw_exact_nearest(x)
        : TW_EXACT_OTHER;
}

TW_STAT_INLINE void window(const struct tw_stat *s, struct sums *m, struct row r,
                           unsigned inputs)
{
    double *place = ring_of(m, inputs) + m->at * inputs;
    bool loose = false;

    if (m->n == s->o.window) {
        const struct row old = { place[0], place[inputs - 1],
                                 fixed_in(&m->of[0], place[0]),
                                 fixed_in(&m->of[inputs - 1], place[inputs - 1]),
                                 m->of[0].loose == m->n };

        step(m, old, inputs, -1);
    }
    place[0] = r.x;
    if (inputs == 2) place[1] = r.w;
    step(m, r, inputs, 1);
    m->at = m->at + 1 == s->o.window ? 0 : m->at + 1;
    if (++m->age <= AGE + s->o.window) return;
    m->age = 0;
    for (unsigned j = 0; j < inputs; j++) loose = loose || m->of[j].loose > 0;
    if (loose) sum_anew(m, inputs);
}

static bool window_valid(const struct tw_stat *s, const struct sums *m)
{
    return m->n <= s->o.window && m->at < s->o.window
        && (m->n == s->o.window || m->at == m->n);
}

/* The ring's values in their order, pushed. */
static void window_merge(const struct tw_stat *s, void *into, const struct sums *m,
                         unsigned inputs)
{
    const double *ring = ring_of(m, inputs);
    uint64_t at = m->n == s->o.window ? m->at : 0;

    for (uint64_t i = 0; i < m->n; i++) {
        tw_stat_push(s, into, &ring[at * inputs], 0);
        if (++at == s->o.window) at = 0;
    }
}

/* The rows into sums of everything, or of windows. */
TW_STAT_INLINE void run(const struct tw_stat *s, void *states,
                        const struct tw_stat_rows *rows, unsigned inputs, bool is_window)
{
    const struct tw_stat_rows r = *rows;
    const double *x = r.x[0], *w = inputs == 2 ? r.x[1] : x;
    const size_t size = s->size;
    const unsigned before = tw_stat_before(&r, size);
    int64_t column[2][TW_STAT_BATCH], *fixed_x = column[0], *fixed_w = column[inputs - 1];

    for (unsigned j = 0; j < inputs; j++) tw_exact_column(r.n, r.x[j], column[j]);
    for (unsigned i = 0; i < r.n; i++) {
        struct sums *m = (struct sums *)((char *)states + r.key[i] * size);
        const struct row row = { x[i], w[i], fixed_x[i], fixed_w[i],
                                 fixed_x[i] == TW_EXACT_OTHER
                                     && fabs(x[i]) < TW_EXACT_NEAR };

        if (i < before) tw_stat_ahead(&r, i, states, size);
        if (!isnan(row.x) && (inputs == 1 || !isnan(row.w))) {
            if (is_window) window(s, m, row, inputs);
            else step(m, row, inputs, 1);
        }
        if (r.out) r.out[i] = figure(s, m, 0, inputs);
    }
}

/* The ways, of `inputs` inputs. */
#define WAYS(all, last, inputs) \
    static void all##_run(const struct tw_stat *s, void *states, \
                          const struct tw_stat_rows *r) \
    { \
        run(s, states, r, inputs, false); \
    } \
    static void last##_run(const struct tw_stat *s, void *states, \
                           const struct tw_stat_rows *r) \
    { \
        run(s, states, r, inputs, true); \
    } \
    static size_t all##_size(const struct tw_stat *s) \
    { \
        (void)s; \
        return sums_size(inputs); \
    } \
    static size_t last##_size(const struct tw_stat *s) \
    { \
        return sums_size(inputs) + s->o.window * (inputs) * sizeof(double); \
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
        return window_valid(s, m); \
    } \
    static const struct tw_stat_ops all##_ops = { .size = all##_size, \
        .run = all##_run, .get = all##_get, .merge = all##_merge, \
        .tells = (inputs) == 2 }; \
    static const struct tw_stat_ops last##_ops = { .size = last##_size, \
        .run = last##_run, .get = all##_get, .merge = last##_merge, \
        .valid = last##_valid, .tells = (inputs) == 2 }; \
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

#define SUM_KIND(its_name, what, ...) \
    .name = its_name, .inputs = { "x" }, .options = TW_STAT_WINDOW | TW_STAT_TIME, \
    .fields = (const char *const[]){ __VA_ARGS__, NULL }, .choose = plain_choose, \
    .formula = what, .source = NEUMAIER, \
    .cost = "2.5 ns a value, 64 bytes a key; window: 6 ns (no decimals: 10)," \
        " 64 + 8 n bytes"

static const struct sum_kind
    sum_kind = {
        { SUM_KIND("sum", "sum(x); of none 0", "value", "count", "mean") },
        { SUM, COUNT, MEAN }
    },
    mean_kind = {
        { SUM_KIND("mean", "sum(x) / n", "value", "count", "sum") },
        { MEAN, COUNT, SUM }
    };

#define WEIGHTED_KIND(its_name, a, b, what, from, ...) \
    .name = its_name, .inputs = { a, b }, .options = TW_STAT_WINDOW | TW_STAT_TIME, \
    .fields = (const char *const[]){ __VA_ARGS__, NULL }, .choose = weighted_choose, \
    .formula = what, .source = from, \
    .cost = "4 ns a row (no decimals: 8), 112 bytes a key; window: 11 ns," \
        " 112 + 16 n bytes"

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
