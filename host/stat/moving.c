/* moving.c - moving averages: sma, ema, smma, wma, hma; and macd, of two of them.
 *
 * Of x, with a window of n values; without n values there is no average yet.
 *
 *   sma   sum(x) / n
 *   ema   smooth.h, the weight 2 / (n + 1); the first is the sma.  ewma (average.c) is
 *         the one that begins with its first value
 *   smma  smooth.h, the weight 1 / n, also RMA or Wilder's; the first is the sma
 *         (Wilder, "New Concepts in Technical Trading Systems", 1978)
 *   wma   sum(i x_i) / (n (n + 1) / 2), i = 1 for the oldest, n for the newest
 *   hma   wma(2 wma(x, n / 2) - wma(x, n), sqrt(n)), both rounded down
 *         (Hull, "How to reduce lag in a moving average", 2005)
 *   macd  ema(x, fast) - ema(x, slow); signal = ema(macd, signal), histogram =
 *         macd - signal (Appel, "The Moving Average Convergence-Divergence Trading
 *         Method", 1979).  Each ema begins with the first n values that it gets: the
 *         fast one's do not wait for the slow one's.
 *
 * sma and wma are integers over integers where all values are decimals (exact.h): each
 * is rounded once, and so equal averages are equal; tw_compare compares them
 * without any rounding.
 *
 * wma: of S = sum(x) and W = sum(i x_i) before a push, W += n x - S.  Both are summed
 * anew where something that is no decimal has left a rounding behind.
 *
 * Layer host/stat.
 */
#include "stat/moving.h"
#include "stat/ratio.h"
#include "stat/smooth.h"

/* ---- sma ---- */

static inline void sma_push(const struct tw_stat *s, struct moving *m, const double *x,
                            int64_t time)
{
    (void)time;
    moving_push(m, s->o.window, x[0]);
}

static inline double sma_value(const struct tw_stat *s, const struct moving *m)
{
    return moving_mean(m, s->o.window);
}

TW_STAT_RUN(sma, struct moving, 1)
TW_STAT_STEP(sma, struct moving)

static size_t sma_size(const struct tw_stat *s)
{
    return moving_size(s->o.window);
}

static double sma_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct moving *m = state;

    return field ? m->n : sma_value(s, m);
}

static bool sma_valid(const struct tw_stat *s, const void *state)
{
    return moving_valid(state, s->o.window);
}

static bool sma_ratio(const struct tw_stat *s, const void *state, struct tw_ratio *r)
{
    const struct moving *m = state;

    return m->n == s->o.window && tw_ratio_of(r, &m->sum, s->o.window);
}

static const struct tw_stat_ops sma_ops = {
    .size = sma_size, .run = sma_run, .get = sma_get, .valid = sma_valid,
    .ratio = sma_ratio, .step = sma_step, .tells = true
};

/* ---- ema, smma ---- */

static inline void ema_push(const struct tw_stat *s, struct smooth *m, const double *x,
                            int64_t time)
{
    (void)time;
    smooth_ema(m, s->o.window, x[0]);
}

static inline void smma_push(const struct tw_stat *s, struct smooth *m, const double *x,
                             int64_t time)
{
    (void)time;
    smooth_wilder(m, s->o.window, x[0]);
}

static inline double ema_value(const struct tw_stat *s, const struct smooth *m)
{
    return smooth_of(m, s->o.window);
}
#define smma_value ema_value      /* read alike */

TW_STAT_RUN(ema, struct smooth, 1)
TW_STAT_RUN(smma, struct smooth, 1)
TW_STAT_STEP(ema, struct smooth)

TW_STAT_SIZE(smooth, struct smooth)

static double smooth_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct smooth *m = state;

    return field ? (double)m->count : ema_value(s, m);
}

static const struct tw_stat_ops ema_ops = {
    .size = smooth_size, .run = ema_run, .get = smooth_get, .step = ema_step,
    .tells = true
};
static const struct tw_stat_ops smma_ops = {
    .size = smooth_size, .run = smma_run, .get = smooth_get, .tells = true
};

/* ---- wma ---- */

struct weighted {
    struct tw_exact sum;      /* of i x_i */
    struct moving m;
};

static inline size_t weighted_size(uint32_t n)
{
    return offsetof(struct weighted, m) + moving_size(n);
}

/* Wraps around, in a damaged state. */
static inline void exact_add(struct tw_exact *e, tw_int128 v)
{
    tw_exact_set(e, (tw_int128)((tw_uint128)tw_exact_integer(e) + (tw_uint128)v));
}

/* sum += weight x, exactly where x is a decimal. */
static inline void weighted_add(struct tw_exact *sum, uint32_t weight, double x)
{
    int64_t fixed;

    if (tw_exact_decimal(x, &fixed))
        exact_add(sum, (tw_int128)fixed * weight);
    else
        tw_exact_loose(sum, weight * x);
}

static void weighted_anew(struct weighted *w, uint32_t n)
{
    w->sum = (struct tw_exact){ .low = 0 };
    for (uint32_t i = 0; i < w->m.n; i++) {
        uint32_t at = w->m.n == n ? w->m.at + i : i;

        weighted_add(&w->sum, i + 1, w->m.ring[at < n ? at : at - n]);
    }
}

static inline void weighted_push(struct weighted *w, uint32_t n, double x)
{
    const struct tw_exact before = w->m.sum;
    const double old = moving_push(&w->m, n, x);
    const bool is_exact = tw_exact_only_decimals(&w->m.sum);

    if (!isnan(old)) {
        exact_add(&w->sum, (tw_int128)(0 - (tw_uint128)tw_exact_integer(&before)));
        if (!tw_exact_whole(&before)) {
            tw_exact_loose(&w->sum, -before.rest);
            tw_exact_loose(&w->sum, -before.error);
        }
    }
    weighted_add(&w->sum, w->m.n, x);
    if (is_exact ? !tw_exact_whole(&w->sum)
        : w->m.at == 0 || !isfinite(w->sum.rest))
        weighted_anew(w, n);
}

/* The weights, in units of 1e-9, fit 63 bits. */
static inline bool is_light(uint64_t n)
{
    return n * (n + 1) / 2 < UINT64_C(1) << 32;
}

static inline double weighted_of(const struct weighted *w, uint32_t n)
{
    const uint64_t weights = (uint64_t)n * (n + 1) / 2;

    if (w->m.n < n) return NAN;
    if (w->m.sum.up || w->m.sum.down) return tw_exact_mean(&w->m.sum, n);
    if (tw_exact_whole(&w->sum) && is_light(n))
        return tw_exact_ratio(&w->sum, weights * (uint64_t)TW_FIXED_ONE);
    return tw_exact_value(&w->sum, (uint64_t)TW_FIXED_ONE) / (double)weights;
}

static inline void wma_push(const struct tw_stat *s, struct weighted *w, const double *x,
                            int64_t time)
{
    (void)time;
    weighted_push(w, s->o.window, x[0]);
}

static inline double wma_value(const struct tw_stat *s, const struct weighted *w)
{
    return weighted_of(w, s->o.window);
}

TW_STAT_RUN(wma, struct weighted, 1)

static size_t wma_size(const struct tw_stat *s)
{
    return weighted_size(s->o.window);
}

static double wma_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct weighted *w = state;

    return field ? w->m.n : wma_value(s, w);
}

static bool wma_valid(const struct tw_stat *s, const void *state)
{
    return moving_valid(&((const struct weighted *)state)->m, s->o.window);
}

static bool wma_ratio(const struct tw_stat *s, const void *state, struct tw_ratio *r)
{
    const struct weighted *w = state;
    const uint64_t n = s->o.window;

    return w->m.n == n && is_light(n) && tw_exact_only_decimals(&w->m.sum)
        && tw_ratio_of(r, &w->sum, n * (n + 1) / 2);
}

static const struct tw_stat_ops wma_ops = {
    .size = wma_size, .run = wma_run, .get = wma_get, .valid = wma_valid,
    .ratio = wma_ratio, .tells = true
};

/* ---- hma: three wmas behind each other ---- */

static inline uint32_t half_of(const struct tw_stat *s)
{
    return s->o.window > 1 ? s->o.window / 2 : 1;
}

static inline uint32_t root_of(const struct tw_stat *s)
{
    return (uint32_t)sqrt(s->o.window);
}

static inline struct weighted *part_of(const struct tw_stat *s, const void *state,
                                       int part)
{
    char *at = (char *)state;

    if (part > 0) at += weighted_size(s->o.window);
    if (part > 1) at += weighted_size(half_of(s));
    return (struct weighted *)at;
}

static inline void hma_push(const struct tw_stat *s, void *state, const double *x,
                            int64_t time)
{
    struct weighted *whole = part_of(s, state, 0), *half = part_of(s, state, 1);
    double ahead;

    (void)time;
    weighted_push(whole, s->o.window, x[0]);
    weighted_push(half, half_of(s), x[0]);
    ahead = 2 * weighted_of(half, half_of(s)) - weighted_of(whole, s->o.window);
    if (!isnan(ahead)) weighted_push(part_of(s, state, 2), root_of(s), ahead);
}

static inline double hma_value(const struct tw_stat *s, const void *state)
{
    return weighted_of(part_of(s, state, 2), root_of(s));
}

TW_STAT_RUN(hma, void, 1)

static size_t hma_size(const struct tw_stat *s)
{
    return weighted_size(s->o.window) + weighted_size(half_of(s))
        + weighted_size(root_of(s));
}

static double hma_get(const struct tw_stat *s, const void *state, unsigned field)
{
    return field ? part_of(s, state, 0)->m.n : hma_value(s, state);
}

static bool hma_valid(const struct tw_stat *s, const void *state)
{
    return moving_valid(&part_of(s, state, 0)->m, s->o.window)
        && moving_valid(&part_of(s, state, 1)->m, half_of(s))
        && moving_valid(&part_of(s, state, 2)->m, root_of(s));
}

static const struct tw_stat_ops hma_ops = {
    .size = hma_size, .run = hma_run, .get = hma_get, .valid = hma_valid, .tells = true
};

/* ---- macd ---- */

struct macd {
    struct smooth fast, slow, signal;
};

enum { FAST = 12, SLOW = 26, SIGNAL = 9 };

static inline uint32_t fast_of(const struct tw_stat *s)
{
    return tw_stat_or(s->o.fast, FAST);
}

static inline uint32_t slow_of(const struct tw_stat *s)
{
    return tw_stat_or(s->o.slow, SLOW);
}

static inline double macd_value(const struct tw_stat *s, const struct macd *m)
{
    return smooth_of(&m->fast, fast_of(s)) - smooth_of(&m->slow, slow_of(s));
}

static inline double signal_of(const struct tw_stat *s, const struct macd *m)
{
    return smooth_of(&m->signal, tw_stat_or(s->o.signal, SIGNAL));
}

static inline void macd_push(const struct tw_stat *s, struct macd *m, const double *x,
                             int64_t time)
{
    const uint32_t fast = fast_of(s), slow = slow_of(s);

    (void)time;
    smooth_ema(&m->fast, fast, x[0]);
    smooth_ema(&m->slow, slow, x[0]);
    if (m->fast.count >= fast && m->slow.count >= slow)
        smooth_ema(&m->signal, tw_stat_or(s->o.signal, SIGNAL), macd_value(s, m));
}

TW_STAT_RUN(macd, struct macd, 1)

TW_STAT_SIZE(macd, struct macd)

static double macd_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct macd *m = state;

    switch (field) {
    case 0: return macd_value(s, m);
    case 1: return (double)m->slow.count;
    case 2: return signal_of(s, m);
    default: return macd_value(s, m) - signal_of(s, m);
    }
}

static const struct tw_stat_ops macd_ops = {
    .size = macd_size, .run = macd_run, .get = macd_get, .tells = true
};

/* ---- their names ---- */

TW_STAT_CHOOSE(sma)
TW_STAT_CHOOSE(ema)
TW_STAT_CHOOSE(smma)
TW_STAT_CHOOSE(wma)
TW_STAT_CHOOSE(hma)
TW_STAT_CHOOSE(macd)

static const char *const fields[] = { "value", "count", NULL };

#define KIND(its_name, way, what, from, its_cost) { \
    .name = its_name, .inputs = { "x" }, .options = TW_STAT_WINDOW, \
    .required = TW_STAT_WINDOW, .fields = fields, .choose = way, .formula = what, \
    .source = from, .cost = its_cost }

static const struct tw_stat_kind
    sma_kind = KIND("sma", sma_choose, "sum(x) / n of the last n; before n values none",
                    "by definition, exact for decimals",
                    "6 ns a value, 64 + 8 n bytes a key"),
    ema_kind = KIND("ema", ema_choose, "e += 2 / (n + 1) (x - e), from the first n's mean"
                    " on", "by definition", "2 to 8 ns a value, 64 bytes a key"),
    smma_kind = KIND("smma", smma_choose, "e += (x - e) / n, from the first n's mean on",
                     "Wilder 1978", "2 to 8 ns a value, 64 bytes a key"),
    wma_kind = KIND("wma", wma_choose, "sum(i x_i) / (n (n + 1) / 2), i = n for the"
                    " newest", "by definition, exact for decimals",
                    "10 ns a value, 112 + 8 n bytes a key"),
    hma_kind = KIND("hma", hma_choose, "wma(2 wma(x, n / 2) - wma(x, n), sqrt(n))",
                    "Hull 2005", "52 ns a value, 312 + 12 n + 8 sqrt(n) bytes a key"),
    macd_kind = {
        .name = "macd", .inputs = { "x" },
        .options = TW_STAT_FAST | TW_STAT_SLOW | TW_STAT_SIGNAL,
        .fields = (const char *const[]){ "value", "count", "signal", "histogram", NULL },
        .choose = macd_choose,
        .formula = "ema(x, fast = 12) - ema(x, slow = 26); signal = ema(macd, 9);"
            " histogram",
        .source = "Appel 1979", .cost = "8 ns a value, 192 bytes a key"
    };

const struct tw_stat_kind *const tw_stat_moving[] = {
    &sma_kind, &ema_kind, &smma_kind, &wma_kind, &hma_kind, &macd_kind, NULL
};
