/* sketch.c - how many different values there were: HyperLogLog.
 *
 *   distinct   Each value is hashed to 64 bits; the first p choose one of m = 2^p
 *              registers, which keeps the greatest "position of the first one bit"
 *              of the rest (Flajolet, Fusy, Gandouet and Meunier 2007).  The
 *              estimate is Ertl's improved one ("New cardinality estimation
 *              algorithms for HyperLogLog sketches", 2017, algorithm 6): from the
 *              histogram of the registers, with no table of corrections, from 0 to
 *              2^60 values.  Standard error 1.04 / sqrt(m): 1.6 % at p = 12; far
 *              less while there are fewer values than registers.
 *
 * A value is its bits: 0 and -0 are one.  Merging takes the greater registers, and
 * so is exact: the estimate of two parts is that of the whole.
 *
 * Layout: the rows, the histogram (count[0], of the empty registers, is what the
 * others leave of m, so that all zero is empty), the registers.
 *
 * Layer host/stat.
 */
#include "stat/kernel.h"

enum { REGISTER_MAX = 64 - 4 + 1, PRECISION = 12 };

struct distinct {
    uint64_t rows;
    uint32_t count[REGISTER_MAX + 1];   /* registers by what they say; [0] unused */
    uint8_t reg[];
};

static inline unsigned precision(const struct tw_stat *s)
{
    return s->o.precision ? s->o.precision : PRECISION;
}

/* The register r of a state now says n, which is more. */
static inline void raise_register(struct distinct *d, size_t r, unsigned n)
{
    if (d->reg[r]) d->count[d->reg[r]]--;
    d->count[n]++;
    d->reg[r] = (uint8_t)n;
}

static inline void distinct_push(const struct tw_stat *s, struct distinct *d,
                                 const double *x, int64_t time)
{
    const unsigned p = precision(s);
    uint64_t h = tw_stat_hash(x[0]);
    /* The bit below the rest ends the search for a one. */
    unsigned n = 1 + (unsigned)__builtin_clzll(h << p | UINT64_C(1) << (p - 1));

    (void)time;
    d->rows++;
    if (n > d->reg[h >> (64 - p)]) raise_register(d, h >> (64 - p), n);
}

/* Ertl's sigma: x + sum of 2^(k-1) x^(2^k), for a share x of empty registers. */
static double sigma(double x)
{
    double y = 1, z = x, before;

    if (x == 1) return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y *= 2;
    } while (z != before);
    return z;
}

/* Ertl's tau, for a share 1 - x of full ones. */
static double tau(double x)
{
    double y = 1, z = 1 - x, before;

    if (x == 0 || x == 1) return 0;
    do {
        x = sqrt(x);
        before = z;
        y /= 2;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

static double distinct_value(const struct tw_stat *s, const struct distinct *d)
{
    const unsigned q = 64 - precision(s);
    const double m = (double)(1u << precision(s));
    double empty = m - d->count[q + 1], z = m * tau(1 - d->count[q + 1] / m);

    for (unsigned k = q; k > 0; k--) {
        empty -= d->count[k];
        z = 0.5 * (z + d->count[k]);
    }
    return m * m / (2 * M_LN2 * (z + m * sigma(empty / m)));
}
TW_STAT_RUN(distinct, struct distinct, 1)

static size_t distinct_size(const struct tw_stat *s)
{
    return sizeof(struct distinct) + ((size_t)1 << precision(s));
}

static double distinct_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct distinct *d = state;

    return field ? (double)d->rows : distinct_value(s, d);
}

static void distinct_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct distinct *d = into;
    const struct distinct *f = from;

    uint64_t eight;

    d->rows += f->rows;
    for (size_t r = 0; r < (size_t)1 << precision(s); r += sizeof eight) {
        memcpy(&eight, &f->reg[r], sizeof eight);
        if (eight == 0) continue;     /* as most are, after few rows */
        for (size_t i = r; i < r + sizeof eight; i++)
            if (f->reg[i] > d->reg[i]) raise_register(d, i, f->reg[i]);
    }
}

static bool distinct_valid(const struct tw_stat *s, const void *state)
{
    const struct distinct *d = state;
    uint32_t count[REGISTER_MAX + 1] = { 0 };

    for (size_t r = 0; r < (size_t)1 << precision(s); r++) {
        if (d->reg[r] > 64 - precision(s) + 1) return false;
        count[d->reg[r]]++;
    }
    count[0] = 0;
    return memcmp(count, d->count, sizeof count) == 0;
}

static const struct tw_stat_ops distinct_ops = {
    .size = distinct_size, .run = distinct_run, .get = distinct_get,
    .merge = distinct_merge, .valid = distinct_valid
};
TW_STAT_CHOOSE(distinct)

static const char *const distinct_fields[] = { "value", "count", NULL };

static const struct tw_stat_kind distinct_kind = {
    "distinct", { "x" }, TW_STAT_PRECISION | TW_STAT_TIME, 0, distinct_fields,
    distinct_choose,
    "how many different x; standard error 1.04 / sqrt(2^precision), 1.6 % at 12",
    "HyperLogLog: Flajolet et al. 2007, Ertl's improved estimator 2017",
    "5 ns a value, 80 when it is read; 256 + 2^precision bytes a key (4352)"
};

const struct tw_stat_kind *const tw_stat_sketches[] = {
    &distinct_kind, &tw_stat_topk, NULL
};
