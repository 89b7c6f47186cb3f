/* pair.c - statistics of two values: covariance, correlation, slope and beta,
 * and of a value and an earlier one: autocorrelation.
 *
 * Of n pairs with means mx and my, and deviations from them:
 *
 *   covariance(x, y)   sum((x - mx) * (y - my)) / (n - 1): of a sample
 *   correlation(x, y)  Pearson's: the covariance over both standard deviations
 *   slope(y, x)        of the least-squares line y = intercept + slope * x:
 *                      sum((x - mx) * (y - my)) / sum((x - mx)^2)
 *   beta(y, x)         the same under the market's name: of the returns y on those
 *                      of the market x.  What is explained comes first, as in "the
 *                      regression of y on x".
 *
 *   autocorrelation(x, lag=n)
 *                      correlation(x, lag(x)) over all pairs or the last `window`;
 *                      unlike Box & Jenkins' (1970) it takes each side's own mean
 *
 * The fields of a slope: r2 is the square of the correlation; std_error is
 * sqrt((1 - r2) * sum((y - my)^2) / (n - 2) / sum((x - mx)^2)), of 3 pairs or more.
 *
 * Each over all pairs, the last n, or with the weight alpha * (1 - alpha)^age: then
 * a covariance is the weighted mean of the products (no n - 1), and there is no
 * std_error.  How they are kept, and what infinities do: comoments.h.
 *
 * Layer host/stat.
 */
#include "stat/comoments.h"
#include "stat/lag.h"

/* ---- three ways to keep them ---- */

static inline void all_push(const struct tw_stat *s, struct comoments *c,
                            const double *x)
{
    (void)s;
    comoments_add(c, x[0], x[1]);
}

static inline void last_push(const struct tw_stat *s, struct comoments *c,
                             const double *x)
{
    pairs_push((struct pairs *)c, x[0], x[1], s->o.window);
}

static inline void decay_push(const struct tw_stat *s, struct comoments *c,
                              const double *x)
{
    comoments_decay(c, x[0], x[1], s->o.alpha);
}

static size_t size_of(const struct tw_stat *s)
{
    return s->o.window ? pairs_size(s->o.window) : sizeof(struct comoments);
}

static void all_merge(const struct tw_stat *s, void *into, const void *from)
{
    (void)s;
    comoments_merge(into, from);
}

static void last_merge(const struct tw_stat *s, void *into, const void *from)
{
    pairs_merge(into, from, s->o.window);
}

static bool last_valid(const struct tw_stat *s, const void *state)
{
    return pairs_valid(state, s->o.window);
}

/* ---- three ways to read them ---- */

static inline double covariance(const struct tw_stat *s, const struct comoments *c)
{
    if (c->n < 2) return NAN;
    return s->o.alpha > 0 ? c->ab : c->ab / (double)(c->n - 1);
}

static inline double correlation(const struct tw_stat *s, const struct comoments *c)
{
    (void)s;
    return comoments_correlation(c);
}

/* Of a on b. */
static inline double slope(const struct tw_stat *s, const struct comoments *c)
{
    (void)s;
    return c->bb > 0 ? c->ab / c->bb : NAN;
}

static double std_error(const struct tw_stat *s, const struct comoments *c)
{
    const double left = c->aa - slope(s, c) * c->ab;

    if (s->o.alpha > 0 || c->n < 3 || isnan(left)) return NAN;
    return left > 0 ? sqrt(left / (double)(c->n - 2) / c->bb) : 0;
}

static const char *const two_fields[] = { "value", "count", NULL };
static const char *const slope_fields[] =
    { "value", "intercept", "r2", "std_error", "count", NULL };

static double covariance_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct comoments *c = state;

    return field == 0 ? covariance(s, c) : (double)c->n;
}

static double correlation_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct comoments *c = state;

    return field == 0 ? correlation(s, c) : (double)c->n;
}

static double slope_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct comoments *c = state;
    const double r = comoments_correlation(c);

    switch (field) {
    case 0: return slope(s, c);
    case 1: return c->a - slope(s, c) * c->b;
    case 2: return r * r;
    case 3: return std_error(s, c);
    default: return (double)c->n;
    }
}

/* ---- the nine of them ---- */

#define WAY(kind, way, its_merge, its_valid) \
    static inline void kind##_##way##_push(const struct tw_stat *s, struct comoments *c, \
                                           const double *x, int64_t time) \
    { \
        (void)time; \
        way##_push(s, c, x); \
    } \
    static inline double kind##_##way##_value(const struct tw_stat *s, \
                                              const struct comoments *c) \
    { \
        return kind(s, c); \
    } \
    TW_STAT_RUN(kind##_##way, struct comoments, 2) \
    static const struct tw_stat_ops kind##_##way = { \
        .size = size_of, .run = kind##_##way##_run, .get = kind##_get, \
        .merge = its_merge, .valid = its_valid \
    };

#define WAYS(kind) \
    WAY(kind, all, all_merge, NULL) \
    WAY(kind, last, last_merge, last_valid) \
    WAY(kind, decay, NULL, NULL) \
    static const struct tw_stat_ops *kind##_choose(const struct tw_stat_options *o) \
    { \
        return o->window ? &kind##_last : o->alpha > 0 ? &kind##_decay : &kind##_all; \
    }

WAYS(covariance)
WAYS(correlation)
WAYS(slope)

/* ---- autocorrelation ---- */

/* Its pairs, then its lags. */
static inline struct lags *lags_in(const struct tw_stat *s, const struct comoments *c)
{
    return (struct lags *)((char *)c + size_of(s));
}

static inline void autocorrelation_push(const struct tw_stat *s, struct comoments *c,
                                        const double *x, int64_t time)
{
    struct lags *l = lags_in(s, c);

    (void)time;
    lags_push(s, l, x[0]);
    if (!l->l.old.bits) return;
    if (s->o.window) pairs_push((struct pairs *)c, x[0], kept(l->l.old), s->o.window);
    else comoments_add(c, x[0], kept(l->l.old));
}

static inline double autocorrelation_value(const struct tw_stat *s,
                                           const struct comoments *c)
{
    return correlation(s, c);
}

TW_STAT_RUN(autocorrelation, struct comoments, 1)

static size_t autocorrelation_size(const struct tw_stat *s)
{
    return size_of(s) + lags_size(s);
}

static bool autocorrelation_valid(const struct tw_stat *s, const void *state)
{
    return (!s->o.window || pairs_valid(state, s->o.window))
        && lags_valid(s, lags_in(s, state));
}

/* No merge: the first values of the newer part are gone. */
static const struct tw_stat_ops autocorrelation_ops = {
    .size = autocorrelation_size, .run = autocorrelation_run, .get = correlation_get,
    .valid = autocorrelation_valid
};

TW_STAT_CHOOSE(autocorrelation)

/* ---- their names ---- */

enum { OPTIONS = TW_STAT_WINDOW | TW_STAT_TIME | TW_STAT_ALPHA };

static const struct tw_stat_kind covariance_kind = {
    "covariance", { "x", "y" }, OPTIONS, 0, two_fields, covariance_choose,
    "sum((x - mean(x)) * (y - mean(y))) / (n - 1)",
    "Welford 1962; merged: Chan, Golub & LeVeque 1983; weighted: Finch 2009",
    "3 ns a row, 48 bytes a key; a window 7 ns, 64 + 16 n bytes"
}, correlation_kind = {
    "correlation", { "x", "y" }, OPTIONS, 0, two_fields, correlation_choose,
    "covariance(x, y) / (std(x) * std(y))",
    "Pearson 1895; kept as covariance",
    "as covariance, and 5 ns for each value that is read"
}, slope_kind = {
    "slope", { "y", "x" }, OPTIONS, 0, slope_fields, slope_choose,
    "covariance(x, y) / variance(x), of y = intercept + slope * x",
    "ordinary least squares; kept as covariance",
    "as covariance"
}, beta_kind = {
    "beta", { "y", "x" }, OPTIONS, 0, slope_fields, slope_choose,
    "covariance(x, y) / variance(x), of the returns y on the market's x",
    "Sharpe 1964; kept as covariance",
    "as covariance"
}, autocorrelation_kind = {
    "autocorrelation", { "x" }, TW_STAT_LAG | TW_STAT_WINDOW, TW_STAT_LAG, two_fields,
    autocorrelation_choose, "correlation(x, lag(x))",
    "Pearson 1895, of the pairs (x, lag(x)); kept as covariance",
    "5 ns a value, 72 + 8 lag bytes a key; a window 9 ns, 16 + 16 n more"
};

const struct tw_stat_kind *const tw_stat_pairs[] = {
    &covariance_kind, &correlation_kind, &slope_kind, &beta_kind,
    &autocorrelation_kind, NULL
};
