/* digest.c - quantiles of any number of values: a t-digest.
 *
 * Neighbouring values share a centroid, a mean with a weight; one that lies at the
 * share q of all has at most SIZE (4 q (1 - q))^(3/4) of it, so that the tails are
 * fine and the middle coarse (Dunning and Ertl, "Computing extremely accurate
 * quantiles using t-digests", 2019: the merging kind; the power 3/4, between their
 * k1 with 1/2 and k2 with 1, bounds the centroids for any number of values, and has
 * finer tails than k1).  A centroid of equal values is these, at each of their
 * ranks; of unequal ones the mean stands at the middle rank.  Between them the
 * quantile goes in a straight line, as in R's type 7.
 *
 * Error: none while there are fewer than CENTROIDS different values (ticks, spreads,
 * sizes).  Beyond, p is off by half a centroid, 0.02 (4 p (1 - p))^(3/4), at most on
 * what the test tries, and mostly by a quarter of that: 0.02 at the median, 0.0018
 * at 0.99, 0.0003 at 0.999.  There is no bound for hostile data.  Values beyond
 * 2^960 count as infinite: these have ranks, but no mean.
 *
 * Invariants
 *   D1  The means ascend, and fewer than CENTROIDS are in use between two calls.
 *   D2  The first and the last centroid are the least and the greatest value.
 *
 * Layer host/stat.
 */
#include "stat/kernel.h"

enum { CENTROIDS = 192 };
static const double SIZE = 0.04, HUGE_VALUE = 0x1p960;

struct centroid {
    double mean;
    uint64_t weight : 63, mixed : 1;    /* mixed: its values are not all equal */
};

struct digest {
    uint64_t below, above;      /* -infinity, infinity           */
    double n;                   /* values in the centroids       */
    uint64_t used;
    struct centroid c[CENTROIDS];
};

static inline double limit(double q, double size)
{
    double v = 4 * q * (1 - q);

    return size * sqrt(v * sqrt(v));
}

/* The share that a centroid may have which begins at q: the lesser of the limits at
 * both of its ends, and no more than half of the rest.  So the first has one value,
 * and so has the last: D2. */
static inline double room(double q, double size)
{
    double start = limit(q, size), half = (1 - q) / 2, end;

    if (start > half) start = half;
    if (q + start <= 0.5) return start;     /* there the limit rises */
    end = limit(q + start, size);
    return end < start ? end : start;
}

static void squeeze(struct digest *d, double size)
{
    struct centroid *c = d->c;
    unsigned to = 0;
    double seen = 0, part = 1 / d->n;

    for (unsigned i = 0; i < d->used;) {
        struct centroid all = c[i];
        double first = all.mean, weight = (double)all.weight, sum = 0;
        double most = d->n * room(part * seen, size);

        for (i++; i < d->used && weight + (double)c[i].weight <= most; i++) {
            weight += (double)c[i].weight;
            sum += (double)c[i].weight * (c[i].mean - first);
            all.weight += c[i].weight;
            all.mixed = 1;
        }
        if (all.mixed) all.mean += sum / weight;
        /* Rounding must not lift it over its last value: D1. */
        if (all.mean > c[i - 1].mean) all.mean = c[i - 1].mean;
        c[to++] = all;
        seen += weight;
    }
    d->used = to;
}

static inline void insert(struct digest *d, struct centroid new)
{
    struct centroid *c = d->c;
    unsigned n = (unsigned)d->used;

    for (unsigned half; n > 0; n -= half) {     /* to the first that is above it */
        half = (n + 1) / 2;
        c += (c[half - 1].mean <= new.mean) * half;
    }
    d->n += (double)new.weight;
    if (c > d->c && c[-1].mean == new.mean && !c[-1].mixed && !new.mixed) {
        c[-1].weight += new.weight;
        return;
    }
    memmove(c + 1, c, (size_t)((char *)(d->c + d->used) - (char *)c));
    *c = new;
    d->used++;
    /* Once is enough, but for a foreign state. */
    for (double size = SIZE; d->used == CENTROIDS; size *= 2) squeeze(d, size);
}

static inline void digest_push(const struct tw_stat *s, struct digest *d, const double *x,
                               int64_t time)
{
    (void)s, (void)time;
    if (fabs(x[0]) <= HUGE_VALUE) insert(d, (struct centroid){ x[0], 1, 0 });
    else if (x[0] < 0) d->below++;
    else d->above++;
}

static double digest_at(const struct tw_stat *s, const void *state, double p)
{
    const struct digest *d = state;
    double n = (double)d->below + d->n + (double)d->above;
    double rank = p * (n - 1) - (double)d->below, seen = 0, before = 0, value = 0;

    (void)s;
    if (!(n > 0 && p >= 0 && p <= 1)) return NAN;
    if (rank < 0) return -INFINITY;
    if (rank > d->n - 1) return INFINITY;
    for (unsigned i = 0; i < d->used; i++) {
        const struct centroid c = d->c[i];
        double last = seen + (double)c.weight - 1, middle = (seen + last) / 2;
        double from = c.mixed ? middle : seen, to = c.mixed ? middle : last;

        if (rank < from)
            return tw_stat_between(value, c.mean, (rank - before) / (from - before));
        if (rank <= to) return c.mean;
        before = to;
        value = c.mean;
        seen = last + 1;
    }
    return value;
}

static inline double digest_value(const struct tw_stat *s, const struct digest *d)
{
    return digest_at(s, d, tw_stat_p(s));
}
TW_STAT_RUN(digest, struct digest, 1)

static double digest_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct digest *d = state;

    switch (field) {
    case 0: return digest_value(s, d);
    case 1: return (double)d->below + d->n + (double)d->above;
    case 2: return digest_at(s, d, 0);
    default: return digest_at(s, d, 1);
    }
}

static void digest_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct digest *d = into;
    const struct digest *f = from;

    (void)s;
    for (unsigned i = 0; i < f->used; i++) insert(d, f->c[i]);
    d->below += f->below;
    d->above += f->above;
}

TW_STAT_SIZE(digest, struct digest)

static bool digest_valid(const struct tw_stat *s, const void *state)
{
    const struct digest *d = state;
    double n = 0;

    (void)s;
    if (d->used >= CENTROIDS) return false;
    for (unsigned i = 0; i < d->used; i++) {
        if (!(fabs(d->c[i].mean) <= HUGE_VALUE) || !d->c[i].weight) return false;
        if (i > 0 && d->c[i].mean < d->c[i - 1].mean) return false;
        n += (double)d->c[i].weight;
    }
    /* Beyond, shares next to 1 are 1, where squeeze finds no room. */
    return n == d->n && n <= 0x1p50;
}

const struct tw_stat_ops tw_stat_digest = {
    .size = digest_size, .run = digest_run, .get = digest_get, .merge = digest_merge,
    .valid = digest_valid, .at = digest_at
};
