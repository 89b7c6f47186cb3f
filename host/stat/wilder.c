/* wilder.c - Wilder's indicators: rsi, atr, adx.
 *
 * All of J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978, with
 * his smoothing (smooth.h): the mean of the first n, then e += (x - e) / n.
 *
 *   rsi   Of each change of x its gain (0 where it falls) and its loss (0 where it
 *         rises) are smoothed: 100 - 100 / (1 + gain / loss), that is 100 gain /
 *         (gain + loss), from n + 1 values on.  Where nothing has moved, 50.
 *   atr   The true range, smoothed: max(high - low, |high - c|, |low - c|), c = the
 *         close of the row before; of the first row high - low.  From n rows on.
 *   adx   +DM = high - its last one, where that is above 0 and above low's fall;
 *         -DM the same of the fall; neither where both are equal.  With the true range
 *         all three are smoothed from the second row on: +DI = 100 +DM / TR, -DI
 *         alike, dx = 100 |+DI - -DI| / (+DI + -DI), adx = dx, smoothed; its first
 *         value is in row 2 n.  What is over 0 is 0: nothing moved, no direction.
 *
 * Differences of prices are those of the decimals (exact.h), so that equal moves are
 * equal.  An infinity makes all but the count NaN for good.
 *
 * Layer host/stat.
 */
#include "stat/smooth.h"

enum { USUAL = 14 };

static inline uint32_t window_of(const struct tw_stat *s)
{
    return tw_stat_or(s->o.window, USUAL);
}

/* ---- rsi ---- */

struct rsi {
    uint64_t count;
    double last;
    struct smooth gain, loss;
};

static inline void rsi_push(const struct tw_stat *s, struct rsi *r, const double *x,
                            int64_t time)
{
    const uint32_t n = window_of(s);

    (void)time;
    if (r->count++ > 0) {
        const double change = tw_exact_minus(x[0], r->last);

        smooth_wilder(&r->gain, n, change < 0 ? 0 : change);
        smooth_wilder(&r->loss, n, change > 0 ? 0 : -change);
    }
    r->last = x[0];
}

static inline double rsi_value(const struct tw_stat *s, const struct rsi *r)
{
    const uint32_t n = window_of(s);
    const double gain = smooth_of(&r->gain, n), loss = smooth_of(&r->loss, n);

    return gain == 0 && loss == 0 ? 50 : 100 * gain / (gain + loss);
}

TW_STAT_RUN(rsi, struct rsi, 1)

TW_STAT_SIZE(rsi, struct rsi)

static double rsi_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct rsi *r = state;

    switch (field) {
    case 0: return rsi_value(s, r);
    case 1: return (double)r->count;
    case 2: return smooth_of(&r->gain, window_of(s));
    default: return smooth_of(&r->loss, window_of(s));
    }
}

static const struct tw_stat_ops rsi_ops = {
    .size = rsi_size, .run = rsi_run, .get = rsi_get, .tells = true
};

/* ---- atr ---- */

enum { HIGH, LOW, CLOSE };

/* The row before is one where count > 0. */
static inline double true_range(const double *x, uint64_t count, double close)
{
    const double range = tw_exact_minus(x[HIGH], x[LOW]);

    if (count == 0) return range;
    return fmax(range, fmax(fabs(tw_exact_minus(x[HIGH], close)),
                            fabs(tw_exact_minus(x[LOW], close))));
}

struct atr {
    uint64_t count;
    double close, range;      /* of the newest row */
    struct smooth mean;
};

static inline void atr_push(const struct tw_stat *s, struct atr *a, const double *x,
                            int64_t time)
{
    (void)time;
    a->range = true_range(x, a->count++, a->close);
    a->close = x[CLOSE];
    smooth_wilder(&a->mean, window_of(s), a->range);
}

static inline double atr_value(const struct tw_stat *s, const struct atr *a)
{
    return smooth_of(&a->mean, window_of(s));
}

TW_STAT_RUN(atr, struct atr, 3)

TW_STAT_SIZE(atr, struct atr)

static double atr_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct atr *a = state;

    switch (field) {
    case 0: return atr_value(s, a);
    case 1: return (double)a->count;
    default: return a->count ? a->range : NAN;
    }
}

static const struct tw_stat_ops atr_ops = {
    .size = atr_size, .run = atr_run, .get = atr_get, .tells = true
};

/* ---- adx ---- */

struct adx {
    uint64_t count;
    double last[3];                 /* high, low, close of the newest row */
    struct smooth range, up, down, mean;
};

static inline double di_of(const struct adx *a, const struct smooth *of, uint32_t n)
{
    const double range = smooth_of(&a->range, n);

    return range == 0 ? 0 : 100 * smooth_of(of, n) / range;
}

static inline double dx_of(const struct adx *a, uint32_t n)
{
    const double up = smooth_of(&a->up, n), down = smooth_of(&a->down, n);

    return up + down == 0 ? 0 : 100 * fabs(up - down) / (up + down);
}

static inline void adx_push(const struct tw_stat *s, struct adx *a, const double *x,
                            int64_t time)
{
    const uint32_t n = window_of(s);

    (void)time;
    if (a->count++ > 0) {
        const double up = tw_exact_minus(x[HIGH], a->last[HIGH]);
        const double down = tw_exact_minus(a->last[LOW], x[LOW]);

        smooth_wilder(&a->range, n, true_range(x, 1, a->last[CLOSE]));
        smooth_wilder(&a->up, n, up > down && up > 0 ? up : 0);
        smooth_wilder(&a->down, n, down > up && down > 0 ? down : 0);
        if (a->range.count >= n) smooth_wilder(&a->mean, n, dx_of(a, n));
    }
    memcpy(a->last, x, sizeof a->last);
}

static inline double adx_value(const struct tw_stat *s, const struct adx *a)
{
    return smooth_of(&a->mean, window_of(s));
}

TW_STAT_RUN(adx, struct adx, 3)

TW_STAT_SIZE(adx, struct adx)

static double adx_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct adx *a = state;
    const uint32_t n = window_of(s);

    switch (field) {
    case 0: return adx_value(s, a);
    case 1: return (double)a->count;
    case 2: return di_of(a, &a->up, n);
    case 3: return di_of(a, &a->down, n);
    default: return dx_of(a, n);
    }
}

static const struct tw_stat_ops adx_ops = {
    .size = adx_size, .run = adx_run, .get = adx_get, .tells = true
};

/* ---- their names ---- */

TW_STAT_CHOOSE(rsi)
TW_STAT_CHOOSE(atr)
TW_STAT_CHOOSE(adx)

#define KIND(its_name, way, what, its_cost) \
    .name = its_name, .options = TW_STAT_WINDOW, .choose = way, .formula = what, \
    .source = "Wilder 1978", .cost = its_cost

static const struct tw_stat_kind rsi_kind = {
    .inputs = { "x" },
    .fields = (const char *const[]){ "value", "count", "gain", "loss", NULL },
    KIND("rsi", rsi_choose, "100 gain / (gain + loss), each smma(n = 14) of the changes;"
         " nothing moved: 50", "18 ns a value, 144 bytes a key")
}, atr_kind = {
    .inputs = { "high", "low", "close" },
    .fields = (const char *const[]){ "value", "count", "range", NULL },
    KIND("atr", atr_choose, "smma(n = 14) of max(high - low, |high - prev(close)|,"
         " |low - prev(close)|)", "16 ns a row, 96 bytes a key")
}, adx_kind = {
    .inputs = { "high", "low", "close" },
    .fields = (const char *const[]){ "value", "count", "plus_di", "minus_di", "dx",
                                     NULL },
    KIND("adx", adx_choose, "smma(n = 14) of dx = 100 |+DI - -DI| / (+DI + -DI); its"
         " first value in row 2 n", "36 ns a row, 288 bytes a key")
};

const struct tw_stat_kind *const tw_stat_wilder[] = {
    &rsi_kind, &atr_kind, &adx_kind, NULL
};
