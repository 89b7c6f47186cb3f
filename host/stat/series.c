/* series.c - values in their order: last and first, lags, changes and returns,
 * crossings.
 *
 *   last(x), first(x)       the newest and the oldest value
 *   lag(x, lag=n)           the value n values before the newest: in the column of x
 *                           the one n rows up; `initial`, else NaN, before there is one
 *   prev(x)                 lag(x, lag=1)
 *   delta(x, lag=n)         x - lag(x), n = 1 unless given; with `initial` the first n
 *                           values count from that
 *   simple_return(x, lag=n) x / lag(x) - 1
 *   log_return(x, lag=n)    log(x / lag(x)); NaN if only one of them is positive
 *   crossover(x, y)         +1 in the row where x comes to be above y, -1 where it comes
 *                           to be below, else 0.  Where they are equal the side is what
 *                           it was: x that touches y and turns back hasn't crossed, and
 *                           a crossing through equal rows is one.
 *
 * Infinities are values like others; inf - inf and inf / inf are NaN.
 *
 * Layer host/stat.
 */
#include "stat/lag.h"
#include "stat/one.h"
#include "stat/ratio.h"

static const char *const value_field[] = { "value", NULL };
static const char *const two_fields[] = { "value", "count", NULL };

/* ---- the newest, the oldest ---- */

static inline void last_push(const struct tw_stat *s, struct one *o,
                             const double *x, int64_t time)
{
    (void)s, (void)time;
    one_set(o, x[0]);
}

static inline void first_push(const struct tw_stat *s, struct one *o,
                              const double *x, int64_t time)
{
    (void)s, (void)time;
    one_set(o, o->count ? o->value : x[0]);
}

static void first_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct one *o = into;
    const struct one *newer = from;

    (void)s;
    if (o->count == 0) o->value = newer->value;
    o->count += newer->count;
}

ONE_WAY(last, 1, one_merge)
ONE_WAY(first, 1, first_merge)

/* ---- lags ---- */

static inline void single_ago(const struct tw_stat *s, struct lag *l, double x)
{
    (void)s;
    l->old = l->newest;
    l->newest = keep(x);
}

static inline void ring_ago(const struct tw_stat *s, struct lag *l, double x)
{
    lags_push(s, (struct lags *)l, x);
}

static size_t lag_size(const struct tw_stat *s)
{
    return lag_of(s) == 1 ? sizeof(struct lag) : lags_size(s);
}

static void single_merge(const struct tw_stat *s, void *into, const void *from)
{
    const struct lag *newer = from;

    if (newer->newest.bits) single_ago(s, into, kept(newer->newest));
    if (newer->old.bits) ((struct lag *)into)->old = newer->old;
}

static void ring_merge(const struct tw_stat *s, void *into, const void *from)
{
    const struct lags *newer = from;
    const uint32_t n = lag_of(s);
    uint32_t at = (uint32_t)newer->at;

    for (uint32_t i = 0; i < n; i++) {
        if (newer->ring[at].bits) ring_ago(s, into, kept(newer->ring[at]));
        if (++at == n) at = 0;
    }
    if (newer->l.old.bits) ((struct lag *)into)->old = newer->l.old;
}

/* What a lag is read as. */

static inline double lag(const struct tw_stat *s, const struct lag *l)
{
    return l->old.bits ? kept(l->old) : s->o.initial;
}

static inline double delta(const struct tw_stat *s, const struct lag *l)
{
    return kept(l->newest) - lag(s, l);
}

static inline double simple_return(const struct tw_stat *s, const struct lag *l)
{
    const double old = kept(l->old);

    (void)s;
    return (kept(l->newest) - old) / old;
}

static inline double log_return(const struct tw_stat *s, const struct lag *l)
{
    (void)s;
    return log(kept(l->newest) / kept(l->old));
}

#define LAG_WAY(kind, way, its_valid) \
    static inline void kind##_##way##_push(const struct tw_stat *s, struct lag *l, \
                                           const double *x, int64_t time) \
    { \
        (void)time; \
        way##_ago(s, l, x[0]); \
    } \
    static inline double kind##_##way##_value(const struct tw_stat *s, \
                                              const struct lag *l) \
    { \
        return kind(s, l); \
    } \
    TW_STAT_RUN(kind##_##way, struct lag, 1) \
    static const struct tw_stat_ops kind##_##way = { \
        .size = lag_size, .run = kind##_##way##_run, .get = kind##_get, \
        .merge = way##_merge, .valid = its_valid \
    };

#define LAG(kind) \
    static double kind##_get(const struct tw_stat *s, const void *state, unsigned field) \
    { \
        (void)field; \
        return kind(s, state); \
    } \
    LAG_WAY(kind, single, NULL) \
    LAG_WAY(kind, ring, lags_valid) \
    static const struct tw_stat_ops *kind##_choose(const struct tw_stat_options *o) \
    { \
        return o->lag > 1 ? &kind##_ring : &kind##_single; \
    }

LAG(lag)
LAG(delta)
LAG(simple_return)
LAG(log_return)

/* ---- crossings ---- */

struct crossings {
    uint64_t up, down;
    int8_t side, first_side;   /* 1: x above y, -1: below; 0: not yet          */
    int8_t value;
    uint8_t any;               /* a row; no bool, since what is loaded may be any */
    uint8_t fresh;             /* the newest row is the first that has a side  */
};

static inline void cross(struct crossings *c, int8_t side)
{
    c->value = 0;
    if (side && side != c->side) {
        if (c->side) c->value = side;
        c->up += c->value > 0;
        c->down += c->value < 0;
        c->side = side;
    }
    c->any = true;
}

static inline void crossover_push(const struct tw_stat *s, struct crossings *c,
                                  const double *x, int64_t time)
{
    const int8_t side = (int8_t)((x[0] > x[1]) - (x[0] < x[1]));

    (void)s, (void)time;
    c->fresh = side && !c->first_side;
    if (c->fresh) c->first_side = side;
    cross(c, side);
}

static inline double crossover_value(const struct tw_stat *s, const struct crossings *c)
{
    (void)s;
    return c->any ? c->value : NAN;
}

TW_STAT_RUN(crossover, struct crossings, 2)
TW_STAT_STEP(crossover, struct crossings)

TW_STAT_SIZE(crossover, struct crossings)

static double crossover_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct crossings *c = state;

    return field == 0 ? crossover_value(s, c) : (double)(field == 1 ? c->up : c->down);
}

static void crossover_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct crossings *c = into;
    const struct crossings *newer = from;

    (void)s;
    if (!newer->any) return;
    /* The newer rows up to the first that has a side, then the others. */
    c->fresh = newer->fresh && !c->first_side;
    if (!c->first_side) c->first_side = newer->first_side;
    cross(c, newer->first_side);
    if (!newer->fresh) c->value = newer->value;
    if (newer->side) c->side = newer->side;
    c->up += newer->up;
    c->down += newer->down;
}

static const struct tw_stat_ops crossover_ops = {
    .size = crossover_size, .run = crossover_run, .get = crossover_get,
    .merge = crossover_merge, .step = crossover_step, .tells = true
};

TW_STAT_CHOOSE(crossover)

static const char *const crossover_fields[] = { "value", "up", "down", NULL };

/* ---- their names ---- */

static const struct tw_stat_kind last_kind = {
    "last", { "x" }, 0, 0, two_fields, last_choose,
    "the newest x", "by definition",
    "1 ns a value, 16 bytes a key"
}, first_kind = {
    "first", { "x" }, TW_STAT_TIME, 0, two_fields, first_choose,
    "the oldest x", "by definition",
    "1 ns a value, 16 bytes a key"
}, lag_kind = {
    "lag", { "x" }, TW_STAT_LAG | TW_STAT_INITIAL, TW_STAT_LAG, value_field, lag_choose,
    "x of `lag` values before the newest", "by definition",
    "2 ns a value, 24 + 8 lag bytes a key"
}, prev_kind = {
    "prev", { "x" }, TW_STAT_INITIAL, 0, value_field, lag_choose,
    "x of the value before the newest", "by definition",
    "1 ns a value, 16 bytes a key"
}, delta_kind = {
    "delta", { "x" }, TW_STAT_LAG | TW_STAT_INITIAL, 0, value_field, delta_choose,
    "x - lag(x)", "by definition",
    "1 ns a value, 16 bytes a key; from lag 2 on 24 + 8 lag"
}, simple_return_kind = {
    "simple_return", { "x" }, TW_STAT_LAG, 0, value_field, simple_return_choose,
    "x / lag(x) - 1", "by definition",
    "1 ns a value, 16 bytes a key; from lag 2 on 24 + 8 lag"
}, log_return_kind = {
    "log_return", { "x" }, TW_STAT_LAG, 0, value_field, log_return_choose,
    "log(x / lag(x))", "by definition",
    "1 ns a value, 6 when it is read, 16 bytes a key; from lag 2 on 24 + 8 lag"
};

const struct tw_stat_kind tw_stat_crossover = {
    "crossover", { "x", "y" }, TW_STAT_TIME, 0, crossover_fields, crossover_choose,
    "1 where x comes to be above y, -1 where below, else 0", "by definition",
    "2 ns a row, 32 bytes a key"
};

const struct tw_stat_kind *const tw_stat_series[] = {
    &last_kind, &first_kind, &lag_kind, &prev_kind, &delta_kind, &simple_return_kind,
    &log_return_kind, &tw_stat_crossover, NULL
};
