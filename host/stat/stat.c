/* stat.c - the kinds of statistics by name, their options, a push of one row. */
#include "stat/stat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fixed.h"
#include "stat/kernel.h"

static const struct tw_stat_kind *const *const families[] = {
    tw_stat_sums, tw_stat_moments, tw_stat_averages, tw_stat_extremes,
    tw_stat_quantiles, tw_stat_sketches, tw_stat_pairs, tw_stat_market, tw_stat_series,
    tw_stat_moving, tw_stat_wilder, tw_stat_momentum, tw_stat_bands
};
enum { FAMILIES = sizeof families / sizeof families[0] };

const struct tw_stat_kind *tw_stat_kind(unsigned i)
{
    for (unsigned f = 0; f < FAMILIES; f++)
        for (unsigned k = 0; families[f][k]; k++)
            if (i-- == 0) return families[f][k];
    return NULL;
}

const struct tw_stat_kind *tw_stat_find(const char *name, size_t n)
{
    const struct tw_stat_kind *k;

    for (unsigned i = 0; (k = tw_stat_kind(i)) != NULL; i++)
        if (strlen(k->name) == n && memcmp(k->name, name, n) == 0) return k;
    return NULL;
}

/* ---- options ---- */

enum as { NUMBER, WHOLE, TIME };

/* What can be written, and what that is.  An option in values and in time is two. */
static const struct option {
    const char *name;
    unsigned bit;
    enum as as;
    double min, max;
    const char *range;
} options[] = {
    { "window", TW_STAT_WINDOW, WHOLE, 1, TW_STAT_WINDOW_MAX, "1 to 1048576 values" },
    { "window", TW_STAT_TIME, TIME, 1, 1e18, "a time like 60s" },
    { "alpha", TW_STAT_ALPHA, NUMBER, 0x1p-1022, 1, "above 0, 1 at most" },
    { "span", TW_STAT_ALPHA, NUMBER, 1, 1e15, "1 or more values" },
    { "half_life", TW_STAT_ALPHA, NUMBER, 1e-3, 1e15, "0.001 or more values" },
    { "half_life", TW_STAT_HALF_LIFE, TIME, 1, 1e18, "a time like 10s" },
    { "initial", TW_STAT_INITIAL, NUMBER, -INFINITY, INFINITY, "a number" },
    { "p", TW_STAT_P, NUMBER, 0, 1, "0 to 1" },
    { "lag", TW_STAT_LAG, WHOLE, 1, 65536, "1 to 65536 values" },
    { "k", TW_STAT_K, WHOLE, 1, 1024, "1 to 1024" },
    { "every", TW_STAT_EVERY, TIME, 1, 1e18, "a time like 1s" },
    { "precision", TW_STAT_PRECISION, WHOLE, 4, 16, "4 to 16 bits" },
    { "fast", TW_STAT_FAST, WHOLE, 1, TW_STAT_WINDOW_MAX, "1 to 1048576 values" },
    { "slow", TW_STAT_SLOW, WHOLE, 1, TW_STAT_WINDOW_MAX, "1 to 1048576 values" },
    { "signal", TW_STAT_SIGNAL, WHOLE, 1, TW_STAT_WINDOW_MAX, "1 to 1048576 values" },
    { "smooth", TW_STAT_SMOOTH, WHOLE, 1, TW_STAT_WINDOW_MAX, "1 to 1048576 values" },
    { "deviations", TW_STAT_DEVIATIONS, NUMBER, 1e-3, 1e3, "0.001 to 1000" },
};
enum { OPTIONS = sizeof options / sizeof options[0] };

struct tw_stat_options tw_stat_no_options(void)
{
    return (struct tw_stat_options){ .initial = NAN, .p = NAN };
}

/* The options that are set. */
static unsigned chosen(const struct tw_stat_options *o)
{
    return (o->window ? TW_STAT_WINDOW : 0) | (o->window_ns ? TW_STAT_TIME : 0)
        | (o->alpha > 0 ? TW_STAT_ALPHA : 0) | (o->half_life_ns ? TW_STAT_HALF_LIFE : 0)
        | (isnan(o->initial) ? 0 : TW_STAT_INITIAL) | (isnan(o->p) ? 0 : TW_STAT_P)
        | (o->lag ? TW_STAT_LAG : 0) | (o->k ? TW_STAT_K : 0)
        | (o->every_ns ? TW_STAT_EVERY : 0) | (o->precision ? TW_STAT_PRECISION : 0)
        | (o->fast ? TW_STAT_FAST : 0) | (o->slow ? TW_STAT_SLOW : 0)
        | (o->signal ? TW_STAT_SIGNAL : 0) | (o->smooth ? TW_STAT_SMOOTH : 0)
        | (o->deviations > 0 ? TW_STAT_DEVIATIONS : 0);
}

static void assign(struct tw_stat_options *o, const struct option *is, double v)
{
    switch (is->bit) {
    case TW_STAT_WINDOW:    o->window = (uint32_t)v; break;
    case TW_STAT_TIME:      o->window_ns = (int64_t)v; break;
    case TW_STAT_HALF_LIFE: o->half_life_ns = (int64_t)v; break;
    case TW_STAT_INITIAL:   o->initial = v; break;
    case TW_STAT_P:         o->p = v; break;
    case TW_STAT_LAG:       o->lag = (uint32_t)v; break;
    case TW_STAT_K:         o->k = (uint32_t)v; break;
    case TW_STAT_EVERY:     o->every_ns = (int64_t)v; break;
    case TW_STAT_PRECISION: o->precision = (uint32_t)v; break;
    case TW_STAT_FAST:      o->fast = (uint32_t)v; break;
    case TW_STAT_SLOW:      o->slow = (uint32_t)v; break;
    case TW_STAT_SIGNAL:    o->signal = (uint32_t)v; break;
    case TW_STAT_SMOOTH:    o->smooth = (uint32_t)v; break;
    case TW_STAT_DEVIATIONS: o->deviations = v; break;
    default:
        if (is->name[0] == 'a') o->alpha = v;
        else if (is->name[0] == 's') o->alpha = 2 / (v + 1);
        else o->alpha = -expm1(-M_LN2 / v);
    }
}

/* The names of the options in a set: "window, alpha". */
static void list_options(unsigned set, char *out, size_t n)
{
    size_t at = 0;

    out[0] = 0;
    for (unsigned i = 0; i < OPTIONS; i++) {
        if (!(options[i].bit & set)) continue;
        if (i > 0 && strcmp(options[i].name, options[i - 1].name) == 0
            && options[i - 1].bit & set) continue;
        if (at < n)
            at += (size_t)snprintf(out + at, n - at, "%s%s", at ? ", " : "",
                                   options[i].name);
    }
}

/* More than one of a set that says one thing. */
static int fail_twice(const struct tw_stat_kind *k, unsigned set, struct tw_error *error)
{
    char list[200];

    list_options(set, list, sizeof list);
    if (!strchr(list, ','))
        return tw_fail(error, TW_EUSAGE, "%s: %s is given twice", k->name, list);
    return tw_fail(error, TW_EUSAGE, "%s: only one of %s can be given", k->name, list);
}

int tw_stat_set(const struct tw_stat_kind *k, struct tw_stat_options *o,
                const char *name, size_t n, double value, bool is_time,
                struct tw_error *error)
{
    const struct option *close = NULL;
    char list[200];

    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option *is = &options[i];

        if (strlen(is->name) != n || memcmp(is->name, name, n) != 0) continue;
        if (!(is->bit & k->options)) continue;
        close = is;
        if ((is->as == TIME) != is_time) continue;
        if (is->bit & chosen(o)) return fail_twice(k, is->bit, error);
        if (!(value >= is->min && value <= is->max)
            || (is->as == WHOLE && value != floor(value))) break;
        assign(o, is, value);
        return TW_OK;
    }
    if (close)
        return tw_fail(error, TW_EUSAGE, "%s: %s must be %s, not %.14g%s", k->name,
                       close->name, close->range, is_time ? value / 1e9 : value,
                       is_time ? "s" : "");
    list_options(k->options, list, sizeof list);
    return tw_fail(error, TW_EUSAGE, "%s has no option '%.*s': %s%s", k->name, (int)n,
                   name, list[0] ? "it takes " : "it takes none", list);
}

int tw_stat_init(struct tw_stat *s, const struct tw_stat_kind *k,
                 const struct tw_stat_options *o, struct tw_error *error)
{
    unsigned set = chosen(o), missing = k->required & ~set;
    unsigned memory = set & (TW_STAT_WINDOW | TW_STAT_TIME | TW_STAT_ALPHA
                             | TW_STAT_HALF_LIFE);
    char list[200];

    if (set & ~k->options) {
        list_options(set & ~k->options, list, sizeof list);
        return tw_fail(error, TW_EUSAGE, "%s has no option '%s'", k->name, list);
    }
    *s = (struct tw_stat){ .kind = k, .o = *o };
    /* Which of some options it needs is the kind's to say: choose gives NULL. */
    s->ops = missing ? NULL : k->choose(o);
    if (!s->ops) {
        list_options(missing ? missing : k->options & ~(unsigned)TW_STAT_INITIAL, list,
                     sizeof list);
        return tw_fail(error, TW_EUSAGE, "%s needs %s%s", k->name,
                       missing ? "" : "one of ", list);
    }
    if (memory & (memory - 1)) return fail_twice(k, memory, error);
    if (o->window_ns) {
        s->inner = s->ops;
        s->ops = tw_stat_panes(s->inner);
        if (!s->ops)
            return tw_fail(error, TW_EUSAGE, "%s: a window in time is not possible: use"
                           " a window in values", k->name);
    }
    while (k->inputs[s->n_inputs]) s->n_inputs++;
    s->size = tw_stat_round(s->ops->size(s));
    return TW_OK;
}

/* ---- use ---- */

static inline void push(const struct tw_stat *s, void *state, const double *x,
                        int64_t time, double *out)
{
    static const uint32_t first = 0;
    struct tw_stat_rows rows = { .n = 1, .key = &first, .time = &time, .out = out };

    for (unsigned i = 0; i < s->n_inputs; i++) rows.x[i] = &x[i];
    s->ops->run(s, state, &rows);
}

void tw_stat_push(const struct tw_stat *s, void *state, const double *x, int64_t time)
{
    push(s, state, x, time, NULL);
}

double tw_stat_push_get(const struct tw_stat *s, void *state, const double *x,
                        int64_t time)
{
    double v;

    if (s->ops->step) return s->ops->step(s, state, x, time);
    push(s, state, x, time, &v);
    return v;
}

int tw_stat_field(const struct tw_stat *s, const char *name)
{
    for (int i = 0; s->kind->fields[i]; i++)
        if (strcmp(s->kind->fields[i], name) == 0) return i;
    return -1;
}

/* The shortest text that reads as v again. */
static const char *number(double v, char out[32])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, v);
        if (strtod(out, NULL) == v) break;
    }
    return out;
}

/* Nanoseconds are the ninth decimal of seconds. */
static const char *seconds(int64_t ns, char out[32])
{
    strcpy(out + tw_fixed_format(ns, out), "s");
    return out;
}

size_t tw_stat_text(const struct tw_stat *s, char *out, size_t n)
{
    const struct tw_stat_options *o = &s->o;
    const char *comma = "";
    char text[32];
    size_t at = 0;

#define ADD(...) do { \
        int did = snprintf(at < n ? out + at : NULL, at < n ? n - at : 0, __VA_ARGS__); \
        at += (size_t)did; \
    } while (0)
#define OPTION(is_set, format, value) do { \
        if (is_set) { ADD("%s" format, comma, value); comma = ", "; } \
    } while (0)
    ADD("%s(", s->kind->name);
    OPTION(o->window, "window=%u", o->window);
    OPTION(o->window_ns, "window=%s", seconds(o->window_ns, text));
    OPTION(o->alpha > 0, "alpha=%s", number(o->alpha, text));
    OPTION(o->half_life_ns, "half_life=%s", seconds(o->half_life_ns, text));
    OPTION(!isnan(o->initial), "initial=%s", number(o->initial, text));
    OPTION(!isnan(o->p), "p=%s", number(o->p, text));
    OPTION(o->lag, "lag=%u", o->lag);
    OPTION(o->k, "k=%u", o->k);
    OPTION(o->every_ns, "every=%s", seconds(o->every_ns, text));
    OPTION(o->precision, "precision=%u", o->precision);
    OPTION(o->fast, "fast=%u", o->fast);
    OPTION(o->slow, "slow=%u", o->slow);
    OPTION(o->signal, "signal=%u", o->signal);
    OPTION(o->smooth, "smooth=%u", o->smooth);
    OPTION(o->deviations > 0, "deviations=%s", number(o->deviations, text));
    ADD(")");
#undef OPTION
#undef ADD
    return at;
}
