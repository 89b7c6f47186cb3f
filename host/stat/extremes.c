/* extremes.c - minimum, maximum, their range, and the drawdown from a peak.
 *
 *   min, max   Over all: one comparison a value.  Over the last n: recent.h.  The
 *              greatest is minus the least of -x.
 *   range      max - min.  Infinity minus infinity is NaN.
 *   drawdown   With peak = the greatest x so far: (peak - x) / peak, the fraction
 *              of the peak that is lost; `max` is its greatest value so far, as
 *              `max_depth` is of the amount depth = peak - x (Magdon-Ismail and
 *              Atiya, "Maximum drawdown", Risk 2004).  A fraction of a peak that
 *              is 0 or less means nothing: NaN; the amounts are for profits that
 *              may be negative.  Below 0 after a positive peak all is lost: 1;
 *              as is below an infinite one.
 *
 * Merging drawdowns: 1 - x/peak, between 0 and 1, rises with the peak.  So the
 * deepest fall of a then b is a's, b's, or that of b's least value from a's peak.
 *
 * Layer host/stat.
 */
#include "stat/recent.h"

/* ---- over all ---- */

struct least {
    uint64_t count;
    double value;
};

static inline void least_push(struct least *l, double x)
{
    if (l->count++ == 0 || x < l->value) l->value = x;
}

static inline double least_of(const struct least *l)
{
    return l->count ? l->value : NAN;
}

static void least_join(struct least *into, const struct least *from)
{
    if (from->count && (!into->count || from->value < into->value))
        into->value = from->value;
    into->count += from->count;
}

static void least_merge(const struct tw_stat *s, void *into, const void *from)
{
    (void)s;
    least_join(into, from);
}

TW_STAT_SIZE(least, struct least)

/* ---- over the last n ---- */

static inline double recent_count(const struct tw_stat *s, const struct recent *r)
{
    return r->full ? s->o.window : r->next;
}

static size_t recent_size(const struct tw_stat *s)
{
    return recent_bytes(s->o.window);
}

static bool recent_valid(const struct tw_stat *s, const void *state)
{
    return recent_sound(state, s->o.window);
}

/* Until its first block is full the ring has the values themselves. */
static void recent_merge(const struct tw_stat *s, void *into, const void *from)
{
    const struct recent *f = from;

    if (f->full)
        memcpy(into, from, recent_size(s));
    else
        for (uint32_t i = 0; i < f->next; i++) recent_push(s->o.window, into, f->ring[i]);
}

/* ---- min and max: the least of x, and minus that of -x ---- */

#define ONE_SIDED(name, sign) \
    static inline void name##_push(const struct tw_stat *s, struct least *l, \
                                   const double *x, int64_t time) \
    { \
        (void)s, (void)time; \
        least_push(l, sign x[0]); \
    } \
    static inline double name##_value(const struct tw_stat *s, const struct least *l) \
    { \
        (void)s; \
        return sign least_of(l); \
    } \
    TW_STAT_RUN(name, struct least, 1) \
    static double name##_get(const struct tw_stat *s, const void *state, unsigned field) \
    { \
        const struct least *l = state; \
        return field ? (double)l->count : name##_value(s, l); \
    } \
    static const struct tw_stat_ops name##_all = { \
        .size = least_size, .run = name##_run, .get = name##_get, .merge = least_merge \
    }; \
    static inline void name##_n_push(const struct tw_stat *s, struct recent *r, \
                                     const double *x, int64_t time) \
    { \
        (void)time; \
        recent_push(s->o.window, r, sign x[0]); \
    } \
    static inline double name##_n_value(const struct tw_stat *s, const struct recent *r) \
    { \
        (void)s; \
        return sign recent_of(r); \
    } \
    TW_STAT_RUN(name##_n, struct recent, 1) \
    static double name##_n_get(const struct tw_stat *s, const void *state, \
                               unsigned field) \
    { \
        return field ? recent_count(s, state) : name##_n_value(s, state); \
    } \
    static const struct tw_stat_ops name##_window = { \
        .size = recent_size, .run = name##_n_run, .get = name##_n_get, \
        .merge = recent_merge, .valid = recent_valid \
    }; \
    static const struct tw_stat_ops *name##_choose(const struct tw_stat_options *o) \
    { \
        return o->window ? &name##_window : &name##_all; \
    }
ONE_SIDED(min, +)
ONE_SIDED(max, -)

static const char *const extreme_fields[] = { "value", "count", NULL };

static const struct tw_stat_kind min_kind = {
    "min", { "x" }, TW_STAT_WINDOW | TW_STAT_TIME, 0, extreme_fields, min_choose,
    "the least x", "over n values: van Herk 1992, Gil and Werman 1993",
    "1 ns a value, 16 bytes a key; over n values 5 ns, 16 + 8 n bytes"
};
static const struct tw_stat_kind max_kind = {
    "max", { "x" }, TW_STAT_WINDOW | TW_STAT_TIME, 0, extreme_fields, max_choose,
    "the greatest x", "over n values: van Herk 1992, Gil and Werman 1993",
    "1 ns a value, 16 bytes a key; over n values 5 ns, 16 + 8 n bytes"
};

/* ---- range: both at once ---- */

struct range {
    struct least low, high;     /* high: of -x */
};

/* The two halves of a window's state: high is of -x. */
#define LOW(state) ((struct recent *)(state))
#define HIGH(s, state) ((struct recent *)((char *)(state) + recent_size(s)))
#define LOW_OF(state) ((const struct recent *)(state))
#define HIGH_OF(s, state) \
    ((const struct recent *)((const char *)(state) + recent_size(s)))

static double range_field(unsigned field, double low, double high, double count)
{
    switch (field) {
    case 0: return high - low;
    case 1: return count;
    case 2: return low;
    default: return high;
    }
}

static inline void range_push(const struct tw_stat *s, struct range *r, const double *x,
                              int64_t time)
{
    (void)s, (void)time;
    least_push(&r->low, x[0]);
    least_push(&r->high, -x[0]);
}

static inline double range_value(const struct tw_stat *s, const struct range *r)
{
    (void)s;
    return -least_of(&r->high) - least_of(&r->low);
}
TW_STAT_RUN(range, struct range, 1)

static double range_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct range *r = state;

    (void)s;
    return range_field(field, least_of(&r->low), -least_of(&r->high),
                       (double)r->low.count);
}

static void range_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct range *r = into;
    const struct range *f = from;

    (void)s;
    least_join(&r->low, &f->low);
    least_join(&r->high, &f->high);
}

TW_STAT_SIZE(range, struct range)

static const struct tw_stat_ops range_all = {
    .size = range_size, .run = range_run, .get = range_get, .merge = range_merge
};

static inline void range_n_push(const struct tw_stat *s, void *state, const double *x,
                                int64_t time)
{
    (void)time;
    recent_push(s->o.window, LOW(state), x[0]);
    recent_push(s->o.window, HIGH(s, state), -x[0]);
}

static inline double range_n_value(const struct tw_stat *s, const void *state)
{
    return -recent_of(HIGH_OF(s, state)) - recent_of(LOW_OF(state));
}
TW_STAT_RUN(range_n, void, 1)

static double range_n_get(const struct tw_stat *s, const void *state, unsigned field)
{
    return range_field(field, recent_of(LOW_OF(state)), -recent_of(HIGH_OF(s, state)),
                       recent_count(s, LOW_OF(state)));
}

static void range_n_merge(const struct tw_stat *s, void *into, const void *from)
{
    recent_merge(s, LOW(into), LOW_OF(from));
    recent_merge(s, HIGH(s, into), HIGH_OF(s, from));
}

static size_t range_n_size(const struct tw_stat *s)
{
    return 2 * recent_size(s);
}

static bool range_n_valid(const struct tw_stat *s, const void *state)
{
    return recent_valid(s, LOW_OF(state)) && recent_valid(s, HIGH_OF(s, state));
}

static const struct tw_stat_ops range_window = {
    .size = range_n_size, .run = range_n_run, .get = range_n_get,
    .merge = range_n_merge, .valid = range_n_valid
};

static const struct tw_stat_ops *range_choose(const struct tw_stat_options *o)
{
    return o->window ? &range_window : &range_all;
}

static const char *const range_fields[] = { "value", "count", "min", "max", NULL };

static const struct tw_stat_kind range_kind = {
    "range", { "x" }, TW_STAT_WINDOW | TW_STAT_TIME, 0, range_fields, range_choose,
    "max - min", "over n values: van Herk 1992, Gil and Werman 1993",
    "2 ns a value, 32 bytes a key; over n values 7 ns, 32 + 16 n bytes"
};

/* ---- drawdown ---- */

struct drawdown {
    uint64_t count;
    double last, peak, least;
    double max, max_depth;
};

/* NaN where a fraction of the peak means nothing. */
static inline double fraction(double peak, double x)
{
    double lost = (peak - x) / peak;

    if (!(peak > 0)) return NAN;
    return x >= peak ? 0 : lost < 1 ? lost : 1;
}

/* The fall from a peak to x, if it is the deepest. */
static inline void fall(struct drawdown *d, double peak, double x)
{
    double lost = fraction(peak, x), depth = peak - x;

    if (lost > d->max) d->max = lost;
    if (depth > d->max_depth) d->max_depth = depth;
}

static inline void drawdown_push(const struct tw_stat *s, struct drawdown *d,
                                 const double *x, int64_t time)
{
    (void)s, (void)time;
    if (d->count++ == 0) d->peak = d->least = x[0];
    if (x[0] > d->peak) d->peak = x[0];
    if (x[0] < d->least) d->least = x[0];
    d->last = x[0];
    fall(d, d->peak, x[0]);
}

static inline double drawdown_value(const struct tw_stat *s, const struct drawdown *d)
{
    (void)s;
    return fraction(d->peak, d->last);      /* empty: the peak is 0 */
}
TW_STAT_RUN(drawdown, struct drawdown, 1)

static double drawdown_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct drawdown *d = state;

    if (field == 1) return (double)d->count;
    if (!d->count) return NAN;
    switch (field) {
    case 0: return drawdown_value(s, d);
    case 2: return d->peak > 0 ? d->max : NAN;
    case 3: return d->peak;
    case 4: return d->peak - d->last;
    default: return d->max_depth;
    }
}

static void drawdown_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct drawdown *d = into;
    const struct drawdown *f = from;

    (void)s;
    if (!f->count) return;
    if (!d->count) {
        *d = *f;
        return;
    }
    fall(d, d->peak, f->least);
    if (f->max > d->max) d->max = f->max;
    if (f->max_depth > d->max_depth) d->max_depth = f->max_depth;
    if (f->peak > d->peak) d->peak = f->peak;
    if (f->least < d->least) d->least = f->least;
    d->last = f->last;
    d->count += f->count;
}

TW_STAT_SIZE(drawdown, struct drawdown)

static const struct tw_stat_ops drawdown_ops = {
    .size = drawdown_size, .run = drawdown_run, .get = drawdown_get,
    .merge = drawdown_merge
};
TW_STAT_CHOOSE(drawdown)

static const char *const drawdown_fields[] = {
    "value", "count", "max", "peak", "depth", "max_depth", NULL
};

static const struct tw_stat_kind drawdown_kind = {
    "drawdown", { "x" }, TW_STAT_TIME, 0, drawdown_fields, drawdown_choose,
    "(peak - x) / peak, peak = the greatest x so far; NaN while peak <= 0",
    "Magdon-Ismail and Atiya, Maximum drawdown, Risk 2004",
    "3 ns a value, 48 bytes a key"
};

const struct tw_stat_kind *const tw_stat_extremes[] = {
    &min_kind, &max_kind, &range_kind, &drawdown_kind, NULL
};
