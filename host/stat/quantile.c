/* quantile.c - quantiles and ranks of the last n values, exactly.
 *
 *   quantile   Of n values in order x[0] to x[n - 1], with h = p (n - 1):
 *              x[floor(h)] + (h - floor(h)) (x[floor(h) + 1] - x[floor(h)]); Hyndman
 *              and Fan's type 7 ("Sample quantiles in statistical packages", 1996),
 *              as R and numpy do by default.  Without a window: digest.c.
 *   median     quantile with p = 0.5.
 *   rank       Of the newest value: the share of the window's other values that are
 *              less, those that are equal counted half.  0 the least, 1 the
 *              greatest; NaN while it is alone.
 *   mad        Median absolute deviation: the median of |x - median|, times nothing
 *              (1.4826 of it estimates the standard deviation of a normal).
 *
 * The window is kept twice, as a ring and in order: a value takes the place of the
 * oldest in both, by two binary searches and one move of what is between them.
 * That is O(n), but of the fastest kind.  Infinities are in order; between one and
 * another value lies the infinity, a negative one first.
 *
 * Layer host/stat.
 */
#include "stat/kernel.h"

struct rolling {
    uint32_t next, count;       /* in the ring */
    double v[];                 /* the ring, n; then count values that ascend */
};

/* How many of n ascending values are less than x, or equal to it.  No branch depends
 * on the values: half of them would be foreseen wrongly. */
static inline uint32_t up_to(const double *v, uint32_t n, double x, bool equal)
{
    const double *base = v;

    for (uint32_t half; n > 0; n -= half) {
        half = (n + 1) / 2;
        base += (size_t)(equal ? base[half - 1] <= x : base[half - 1] < x) * half;
    }
    return (uint32_t)(base - v);
}

/* Every search is over what may be moved, so that no place is out of bounds even when
 * the order of a loaded state is not one. */
static inline void rolling_push(const struct tw_stat *s, struct rolling *r,
                                const double *input, int64_t time)
{
    const uint32_t n = s->o.window;
    double *sorted = r->v + n, x = input[0] + 0.0;      /* of 0 and -0 one */
    uint32_t from, to;

    (void)time;
    if (r->count < n) {
        to = up_to(sorted, r->count, x, true);
        memmove(sorted + to + 1, sorted + to, (r->count - to) * sizeof *sorted);
        r->count++;
    } else {
        double oldest = r->v[r->next];

        from = up_to(sorted, n - 1, oldest, false);
        if (x > oldest) {
            to = from + up_to(sorted + from + 1, n - 1 - from, x, true);
            memmove(sorted + from, sorted + from + 1, (to - from) * sizeof *sorted);
        } else {
            to = up_to(sorted, from, x, true);
            memmove(sorted + to + 1, sorted + to, (from - to) * sizeof *sorted);
        }
    }
    sorted[to] = x;
    r->v[r->next] = x;
    r->next = r->next + 1 < n ? r->next + 1 : 0;
}

static size_t rolling_size(const struct tw_stat *s)
{
    return sizeof(struct rolling) + 2 * (size_t)s->o.window * sizeof(double);
}

static void rolling_merge(const struct tw_stat *s, void *into, const void *from)
{
    const struct rolling *f = from;
    uint32_t oldest = f->count < s->o.window ? 0 : f->next;

    for (uint32_t i = 0; i < f->count; i++)
        rolling_push(s, into, &f->v[(oldest + i) % s->o.window], 0);
}

static bool rolling_valid(const struct tw_stat *s, const void *state)
{
    const struct rolling *r = state;

    return r->next < s->o.window
        && (r->count == s->o.window || (r->count < s->o.window && r->count == r->next));
}

/* ---- quantile and median ---- */

static inline double quantile_of(const double *sorted, uint32_t n, double p)
{
    double h = p * (n - 1.0);
    uint32_t k;

    if (!(n > 0 && p >= 0 && p <= 1)) return NAN;
    k = (uint32_t)h;
    return k + 1 < n ? tw_stat_between(sorted[k], sorted[k + 1], h - k) : sorted[n - 1];
}

static double quantile_at(const struct tw_stat *s, const void *state, double p)
{
    const struct rolling *r = state;

    return quantile_of(r->v + s->o.window, r->count, p);
}

#define quantile_push rolling_push
static inline double quantile_value(const struct tw_stat *s, const struct rolling *r)
{
    return quantile_of(r->v + s->o.window, r->count, tw_stat_p(s));
}
TW_STAT_RUN(quantile, struct rolling, 1)

static double quantile_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct rolling *r = state;

    switch (field) {
    case 0: return quantile_value(s, r);
    case 1: return r->count;
    case 2: return quantile_at(s, r, 0);
    default: return quantile_at(s, r, 1);
    }
}

static const struct tw_stat_ops quantile_ops = {
    .size = rolling_size, .run = quantile_run, .get = quantile_get,
    .merge = rolling_merge, .valid = rolling_valid, .at = quantile_at
};

static const struct tw_stat_ops *quantile_choose(const struct tw_stat_options *o)
{
    return o->window ? &quantile_ops : &tw_stat_digest;
}

static const char *const quantile_fields[] = { "value", "count", "min", "max", NULL };

#define QUANTILE_SOURCE "over n: Hyndman and Fan 1996, type 7; else Dunning and Ertl 2019"
#define ROLLING_COST \
    "55 ns a value at n = 64, 120 at 1000, 570 at 10^4; 8 + 16 n bytes a key"
#define QUANTILE_COST \
    ROLLING_COST "; without a window 20 to 75 ns, 250 when it is read, 3104 bytes"

static const struct tw_stat_kind quantile_kind = {
    "quantile", { "x" }, TW_STAT_P | TW_STAT_WINDOW | TW_STAT_TIME, TW_STAT_P,
    quantile_fields, quantile_choose,
    "in order, the value at p (n - 1), exact over n values; else a t-digest",
    QUANTILE_SOURCE, QUANTILE_COST
};
static const struct tw_stat_kind median_kind = {
    "median", { "x" }, TW_STAT_WINDOW | TW_STAT_TIME, 0, quantile_fields,
    quantile_choose, "the quantile at p = 0.5, exact over n values; else a t-digest",
    QUANTILE_SOURCE, QUANTILE_COST
};

/* ---- rank ---- */

#define rank_push rolling_push
static inline double rank_value(const struct tw_stat *s, const struct rolling *r)
{
    const double *sorted = r->v + s->o.window;
    double newest = r->v[(r->next ? r->next : s->o.window) - 1];
    uint32_t less, equal;

    if (r->count < 2) return NAN;
    less = up_to(sorted, r->count, newest, false);
    equal = up_to(sorted + less, r->count - less, newest, true);
    return (less + (equal - 1.0) / 2) / (r->count - 1.0);
}
TW_STAT_RUN(rank, struct rolling, 1)

static double rank_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct rolling *r = state;

    return field ? r->count : rank_value(s, r);
}

static const struct tw_stat_ops rank_ops = {
    .size = rolling_size, .run = rank_run, .get = rank_get, .merge = rolling_merge,
    .valid = rolling_valid
};
TW_STAT_CHOOSE(rank)

static const char *const rank_fields[] = { "value", "count", NULL };

static const struct tw_stat_kind rank_kind = {
    "rank", { "x" }, TW_STAT_WINDOW, TW_STAT_WINDOW, rank_fields, rank_choose,
    "(others less than the newest + half of those equal) / others, 0 to 1",
    "the mean rank of ties, scaled to 0 to 1",
    ROLLING_COST
};

/* ---- mad ---- */

/* The k-th least distance from m, k from 1: the k nearest values are neighbours. */
static double distance(const double *sorted, uint32_t n, double m, uint32_t k)
{
    uint32_t low = 0, high = n - k;
    double left, right;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (m - sorted[middle] > sorted[middle + k] - m) low = middle + 1;
        else high = middle;
    }
    left = m - sorted[low];
    right = sorted[low + k - 1] - m;
    return left > right ? left : right;
}

#define mad_push rolling_push
static inline double mad_value(const struct tw_stat *s, const struct rolling *r)
{
    const double *sorted = r->v + s->o.window;
    uint32_t n = r->count;
    double m = quantile_of(sorted, n, 0.5), d;

    if (!isfinite(m)) return NAN;
    d = distance(sorted, n, m, n / 2 + 1);
    return n % 2 ? d : tw_stat_between(distance(sorted, n, m, n / 2), d, 0.5);
}
TW_STAT_RUN(mad, struct rolling, 1)

static double mad_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct rolling *r = state;

    return field == 0 ? mad_value(s, r) : field == 1 ? r->count : quantile_at(s, r, 0.5);
}

static const struct tw_stat_ops mad_ops = {
    .size = rolling_size, .run = mad_run, .get = mad_get, .merge = rolling_merge,
    .valid = rolling_valid
};
TW_STAT_CHOOSE(mad)

static const char *const mad_fields[] = { "value", "count", "median", NULL };

static const struct tw_stat_kind mad_kind = {
    "mad", { "x" }, TW_STAT_WINDOW, TW_STAT_WINDOW, mad_fields, mad_choose,
    "median(|x - median(x)|)", "Hampel 1974",
    ROLLING_COST
};

const struct tw_stat_kind *const tw_stat_quantiles[] = {
    &quantile_kind, &median_kind, &rank_kind, &mad_kind, NULL
};
