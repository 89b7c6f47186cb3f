/* momentum.c - stochastic, roc, cci, obv.
 *
 *   stochastic  %K: where the close is between the least low and the greatest high of
 *               the last n rows, 100 (close - low) / (high - low), 50 where those are
 *               equal; the mean of the last `smooth` of them (1: the fast one, 3: the
 *               slow one).  signal is %D, the mean of the last `signal` %K.  (Lane,
 *               "Lane's Stochastics", 1984)
 *   roc         100 (x - y) / y, y = the value n values ago; NaN where y is 0
 *   cci         Of t = (high + low + close) / 3: (t - m) / (0.015 d), m = the mean of
 *               the last n, d = the mean of |t - m|; 0 where all are equal.  (Lambert,
 *               "Commodity Channel Index", Commodities, October 1980)
 *   obv         The sum of the volumes of rows whose close is above the close before,
 *               less those below it; of the first row 0.  (Granville, "New Key to
 *               Stock Market Profits", 1963)
 *
 * Sums, and differences of prices, are exact for decimals (exact.h).  An infinity
 * leaves its window as it came; obv keeps it.  cci looks at all
 * n values at each push.
 *
 * Layer host/stat.
 */
#include "stat/moving.h"
#include "stat/recent.h"

/* ---- stochastic ---- */

/* Behind it: the least low, minus the greatest high, %K and %D. */
struct stochastic {
    uint64_t count;
};

enum { STOCHASTIC = 14, SMOOTH = 1, SIGNAL = 3 };

struct parts {
    uint32_t window, smooth, signal;
    struct recent *low, *high;
    struct moving *k, *d;
    size_t size;
};

static inline struct parts parts_of(const struct tw_stat *s, const void *state)
{
    struct parts p = { .window = tw_stat_or(s->o.window, STOCHASTIC),
                       .smooth = tw_stat_or(s->o.smooth, SMOOTH),
                       .signal = tw_stat_or(s->o.signal, SIGNAL) };
    const size_t low = sizeof(struct stochastic), high = low + recent_bytes(p.window);
    const size_t k = high + recent_bytes(p.window), d = k + moving_size(p.smooth);
    char *at = (char *)state;

    p.size = d + moving_size(p.signal);
    if (!at) return p;
    p.low = (void *)(at + low);
    p.high = (void *)(at + high);
    p.k = (void *)(at + k);
    p.d = (void *)(at + d);
    return p;
}

static inline void stochastic_push(const struct tw_stat *s, struct stochastic *m,
                                   const double *x, int64_t time)
{
    const struct parts p = parts_of(s, m);
    double low, range, k;

    (void)time;
    m->count++;
    recent_push(p.window, p.low, x[1]);
    recent_push(p.window, p.high, -x[0]);
    if (!p.low->full) return;
    low = recent_of(p.low);
    range = tw_exact_minus(-recent_of(p.high), low);
    k = range == 0 ? 50 : 100 * tw_exact_minus(x[2], low) / range;
    moving_push(p.k, p.smooth, k);
    if (p.k->n == p.smooth) moving_push(p.d, p.signal, moving_mean(p.k, p.smooth));
}

static inline double stochastic_value(const struct tw_stat *s,
                                      const struct stochastic *m)
{
    const struct parts p = parts_of(s, m);

    return moving_mean(p.k, p.smooth);
}

TW_STAT_RUN(stochastic, struct stochastic, 3)

static size_t stochastic_size(const struct tw_stat *s)
{
    return parts_of(s, NULL).size;
}

static double stochastic_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct stochastic *m = state;
    const struct parts p = parts_of(s, state);

    if (field == 1) return (double)m->count;
    return field ? moving_mean(p.d, p.signal) : stochastic_value(s, m);
}

static bool stochastic_valid(const struct tw_stat *s, const void *state)
{
    const struct parts p = parts_of(s, state);

    return recent_sound(p.low, p.window) && recent_sound(p.high, p.window)
        && moving_valid(p.k, p.smooth) && moving_valid(p.d, p.signal);
}

static const struct tw_stat_ops stochastic_ops = {
    .size = stochastic_size, .run = stochastic_run, .get = stochastic_get,
    .valid = stochastic_valid, .tells = true
};

/* ---- roc ---- */

struct roc {
    uint64_t count;
    double value;             /* NaN: none */
    uint64_t at;              /* the oldest, and where the next goes */
    double ring[];
};

enum { ROC = 10 };

static inline uint32_t roc_window(const struct tw_stat *s)
{
    return tw_stat_or(s->o.window, ROC);
}

static inline void roc_push(const struct tw_stat *s, struct roc *r, const double *x,
                            int64_t time)
{
    const double old = r->ring[r->at];

    (void)time;
    r->value = r->count++ < roc_window(s) || old == 0 ? NAN
        : 100 * tw_exact_minus(x[0], old) / old;
    r->ring[r->at] = x[0];
    if (++r->at == roc_window(s)) r->at = 0;
}

static inline double roc_value(const struct tw_stat *s, const struct roc *r)
{
    (void)s;
    return r->count ? r->value : NAN;
}

TW_STAT_RUN(roc, struct roc, 1)

static size_t roc_size(const struct tw_stat *s)
{
    return sizeof(struct roc) + roc_window(s) * sizeof(double);
}

static double roc_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct roc *r = state;

    return field ? (double)r->count : roc_value(s, r);
}

static bool roc_valid(const struct tw_stat *s, const void *state)
{
    return ((const struct roc *)state)->at < roc_window(s);
}

static const struct tw_stat_ops roc_ops = {
    .size = roc_size, .run = roc_run, .get = roc_get, .valid = roc_valid, .tells = true
};

/* ---- cci ---- */

struct cci {
    double newest;            /* three times t, as in the ring */
    struct moving m;
};

enum { CCI = 20 };

/* high + low + close: of decimals a decimal. */
static inline double typical(const double *x)
{
    struct tw_exact sum = { .low = 0 };

    for (int i = 0; i < 3; i++) tw_exact_step(&sum, x[i], 1);
    return tw_exact_value(&sum, (uint64_t)TW_FIXED_ONE);
}

static inline uint32_t cci_window(const struct tw_stat *s)
{
    return tw_stat_or(s->o.window, CCI);
}

static inline void cci_push(const struct tw_stat *s, struct cci *c, const double *x,
                            int64_t time)
{
    (void)time;
    c->newest = typical(x);
    moving_push(&c->m, cci_window(s), c->newest);
}

static inline double cci_value(const struct tw_stat *s, const struct cci *c)
{
    const uint32_t n = cci_window(s);
    const double mean = moving_mean(&c->m, n);
    double sum = 0;

    if (isnan(mean)) return NAN;
    for (uint32_t i = 0; i < n; i++) sum += fabs(c->m.ring[i] - mean);
    return sum == 0 ? 0 : (c->newest - mean) / (0.015 * (sum / n));
}

TW_STAT_RUN(cci, struct cci, 3)

static size_t cci_size(const struct tw_stat *s)
{
    return offsetof(struct cci, m) + moving_size(cci_window(s));
}

static double cci_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct cci *c = state;

    return field ? c->m.n : cci_value(s, c);
}

static bool cci_valid(const struct tw_stat *s, const void *state)
{
    return moving_valid(&((const struct cci *)state)->m, cci_window(s));
}

static const struct tw_stat_ops cci_ops = {
    .size = cci_size, .run = cci_run, .get = cci_get, .valid = cci_valid, .tells = true
};

/* ---- obv ---- */

struct obv {
    struct tw_exact sum;
    uint64_t count;
    double close;
};

static inline void obv_push(const struct tw_stat *s, struct obv *o, const double *x,
                            int64_t time)
{
    (void)s, (void)time;
    if (o->count++ > 0 && x[0] != o->close)
        tw_exact_step(&o->sum, x[0] > o->close ? x[1] : -x[1], 1);
    o->close = x[0];
}

static inline double obv_value(const struct tw_stat *s, const struct obv *o)
{
    (void)s;
    return o->count ? tw_exact_value(&o->sum, (uint64_t)TW_FIXED_ONE) : NAN;
}

TW_STAT_RUN(obv, struct obv, 2)

TW_STAT_SIZE(obv, struct obv)

static double obv_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct obv *o = state;

    return field ? (double)o->count : obv_value(s, o);
}

static const struct tw_stat_ops obv_ops = {
    .size = obv_size, .run = obv_run, .get = obv_get, .tells = true
};

/* ---- their names ---- */

TW_STAT_CHOOSE(stochastic)
TW_STAT_CHOOSE(roc)
TW_STAT_CHOOSE(cci)
TW_STAT_CHOOSE(obv)

static const char *const two_fields[] = { "value", "count", NULL };

static const struct tw_stat_kind stochastic_kind = {
    .name = "stochastic", .inputs = { "high", "low", "close" },
    .options = TW_STAT_WINDOW | TW_STAT_SMOOTH | TW_STAT_SIGNAL,
    .fields = (const char *const[]){ "value", "count", "signal", NULL },
    .choose = stochastic_choose,
    .formula = "%K = 100 (close - low) / (high - low) over n = 14, smooth = 1;"
        " signal = sma(%K, 3)",
    .source = "Lane 1984", .cost = "47 ns a row, 272 + 16 n bytes a key"
}, roc_kind = {
    .name = "roc", .inputs = { "x" }, .options = TW_STAT_WINDOW, .fields = two_fields,
    .choose = roc_choose, .formula = "100 (x - y) / y, y = x of n = 10 values ago",
    .source = "by definition", .cost = "6 ns a value, 32 + 8 n bytes a key"
}, cci_kind = {
    .name = "cci", .inputs = { "high", "low", "close" }, .options = TW_STAT_WINDOW,
    .fields = two_fields, .choose = cci_choose,
    .formula = "(t - mean(t)) / (0.015 mean |t - mean(t)|) of n = 20,"
        " t = (high + low + close) / 3",
    .source = "Lambert 1980",
    .cost = "15 ns a row, 72 + 8 n bytes a key; read: 0.8 n ns more"
}, obv_kind = {
    .name = "obv", .inputs = { "close", "volume" }, .fields = two_fields,
    .choose = obv_choose,
    .formula = "the sum of volume where close rises, less volume where it falls",
    .source = "Granville 1963", .cost = "12 ns a row, 64 bytes a key"
};

const struct tw_stat_kind *const tw_stat_momentum[] = {
    &stochastic_kind, &roc_kind, &cci_kind, &obv_kind, NULL
};
