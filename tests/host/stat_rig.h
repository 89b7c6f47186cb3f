/* stat_rig.h - what every statistic must keep, whatever it computes: T2 to T5 of
 * stat.h, and that a loaded state is either refused or harmless. */
#ifndef STAT_RIG_H
#define STAT_RIG_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "stat/stat.h"
#include "tap.h"

/* ---- random numbers ---- */

/* 0 to 1, without 1. */
static inline double rig_uniform(void)
{
    return (double)(next() >> 11) * 0x1p-53;
}

static inline double rig_normal(void)
{
    return sqrt(-2 * log(1 - rig_uniform())) * cos(2 * M_PI * rig_uniform());
}

/* Prices or sizes on a coarse grid, so that there are ties. */
static inline double rig_tick(void)
{
    return 100 + (double)(next() % 9) * 0.25;
}

/* A row of such values; if it may, now and then one that is missing. */
static inline void rig_row(double (*value)(void), bool may_miss, double *x)
{
    for (unsigned i = 0; i < TW_STAT_INPUTS; i++) x[i] = value();
    if (may_miss && next() % 16 == 0) x[next() % TW_STAT_INPUTS] = NAN;
}

/* ---- statistics and their states ---- */

static inline struct tw_stat rig_stat(const char *name, struct tw_stat_options o)
{
    const struct tw_stat_kind *k = tw_stat_find(name, strlen(name));
    struct tw_error e = { 0 };
    struct tw_stat s;

    if (!k || tw_stat_init(&s, k, &o, &e) != TW_OK) {
        printf("Bail out! %s: %s\n", name, k ? e.text : "no such kind");
        exit(1);
    }
    return s;
}

static inline struct tw_stat rig_window(const char *name, uint32_t window)
{
    struct tw_stat_options o = tw_stat_no_options();

    o.window = window;
    return rig_stat(name, o);
}

/* Options as they are written, of which some may be NULL: rig_declare(&s, "lag",
 * "lag", 3.0, NULL, 0); a name that begins with '@' is of a time in ns. */
static inline int rig_declare(struct tw_stat *s, const char *kind,
                              const char *one, double a, const char *two, double b)
{
    const struct tw_stat_kind *k = tw_stat_find(kind, strlen(kind));
    struct tw_stat_options o = tw_stat_no_options();
    const char *names[] = { one, two };
    const double values[] = { a, b };
    struct tw_error error = { 0 };
    int rc = 0;

    if (!k) return -1;
    for (int i = 0; i < 2 && rc == 0; i++) {
        const bool time = names[i] && names[i][0] == '@';

        if (!names[i]) continue;
        rc = tw_stat_set(k, &o, names[i] + time, strlen(names[i] + time), values[i], time,
                         &error);
    }
    if (rc == 0) rc = tw_stat_init(s, k, &o, &error);
    if (rc != 0) printf("# %s\n", error.text);
    return rc;
}

/* As it is declared. */
static inline const char *rig_text(const struct tw_stat *s)
{
    static char text[200];

    tw_stat_text(s, text, sizeof text);
    return text;
}

static inline void *rig_states(const struct tw_stat *s, size_t n)
{
    void *states = calloc(n, s->size);

    if (!states) abort();
    return states;
}

static inline void *rig_state(const struct tw_stat *s)
{
    return rig_states(s, 1);
}

/* One row of up to three inputs; the value after it. */
static inline double rig_push(const struct tw_stat *s, void *state, double a, double b,
                              double c)
{
    const double x[TW_STAT_INPUTS] = { a, b, c };

    tw_stat_push(s, state, x, 0);
    return tw_stat_get(s, state, 0);
}

/* n rows into one state, in whole batches. */
static inline void rig_feed(const struct tw_stat *s, void *state, const double *x,
                            size_t n, double *out)
{
    static const uint32_t key[TW_STAT_BATCH];
    static const int64_t time[TW_STAT_BATCH];

    for (size_t i = 0; i < n; i += TW_STAT_BATCH) {
        size_t left = n - i;
        struct tw_stat_rows r = {
            .n = (unsigned)(left < TW_STAT_BATCH ? left : TW_STAT_BATCH),
            .key = key, .x = { x + i }, .time = time, .out = out ? out + i : NULL
        };

        s->ops->run(s, state, &r);
    }
}

static inline bool rig_same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b;
}

static inline bool rig_near(double a, double b, double tolerance)
{
    return rig_same(a, b) || fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b));
}

/* Every field, to so much of 1 or of itself. */
static inline bool rig_equal(const struct tw_stat *a, const void *is,
                             const struct tw_stat *b, const void *should,
                             double tolerance)
{
    for (unsigned f = 0; a->kind->fields[f]; f++) {
        const double x = tw_stat_get(a, is, f), y = tw_stat_get(b, should, f);

        if (!rig_same(x, y) && !(fabs(x - y) <= tolerance * fmax(1, fabs(y))))
            return false;
    }
    return true;
}

/* ---- what must hold ---- */

/* T3. */
static inline void rig_empty(const struct tw_stat *s)
{
    void *state = rig_state(s);

    ok(isnan(tw_stat_get(s, state, 0)), "%s: nothing has no value", rig_text(s));
    free(state);
}

/* Columns in batches of any length are single pushes (T5), with a value after each
 * row or without; what is missing changes nothing (T2). */
static inline void rig_batches(const struct tw_stat *s, double (*value)(void))
{
    enum { KEYS = 5, ROWS = 2000 };
    const int64_t second = 1000000000;
    double x[TW_STAT_INPUTS][TW_STAT_BATCH], out[TW_STAT_BATCH];
    char *batched = rig_states(s, KEYS), *single = rig_states(s, KEYS);
    char *before = rig_state(s);
    int64_t time[TW_STAT_BATCH];
    uint32_t key[TW_STAT_BATCH];
    int wrong_out = 0, wrong_get = 0, wrong_miss = 0;

    for (unsigned row = 0, n; row < ROWS; row += n) {
        struct tw_stat_rows r = { .key = key, .time = time,
                                  .out = next() % 2 ? out : NULL };

        r.n = n = 1 + (unsigned)(next() % TW_STAT_BATCH);
        for (unsigned j = 0; j < TW_STAT_INPUTS; j++) r.x[j] = x[j];
        for (unsigned i = 0; i < n; i++) {
            double one[TW_STAT_INPUTS];

            rig_row(value, true, one);
            for (unsigned j = 0; j < TW_STAT_INPUTS; j++) x[j][i] = one[j];
            key[i] = (uint32_t)(next() % KEYS);
            time[i] = (row + i) * second + (int64_t)(next() % (uint64_t)second);
        }
        s->ops->run(s, batched, &r);
        for (unsigned i = 0; i < n; i++) {
            char *state = single + key[i] * s->size;
            double one[TW_STAT_INPUTS];
            bool missing = false;

            for (unsigned j = 0; j < TW_STAT_INPUTS; j++) one[j] = x[j][i];
            for (unsigned j = 0; j < s->n_inputs; j++) missing |= isnan(one[j]);
            memcpy(before, state, s->size);
            if (missing || i % 2) {
                tw_stat_push(s, state, one, time[i]);
            } else {
                const double told = tw_stat_push_get(s, state, one, time[i]);

                wrong_get += !rig_same(told, tw_stat_get(s, state, 0));
            }
            wrong_miss += missing && memcmp(before, state, s->size) != 0;
            wrong_out += r.out && !rig_same(out[i], tw_stat_get(s, state, 0));
        }
    }
    ok(memcmp(batched, single, KEYS * s->size) == 0,
       "%s: batches are single rows, to the bit", rig_text(s));
    ok(wrong_out == 0, "%s: the column has the value after each row", rig_text(s));
    ok(wrong_get == 0, "%s: a push that tells the value tells that", rig_text(s));
    ok(wrong_miss == 0, "%s: a missing row changes nothing", rig_text(s));
    free(batched), free(single), free(before);
}

/* Random rows split anywhere into three, the last two merged, then all, are as
 * pushed into one (T4), then and after more rows. */
static inline void rig_merge(const struct tw_stat *s, double (*value)(void),
                             double tolerance)
{
    enum { ROUNDS = 200, MORE = 10 };
    int wrong = 0;

    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t n = next() % (round % 2 ? 300 : 12);
        const uint64_t first = next() % (n + 1);
        const uint64_t second = first + next() % (n + 1 - first);
        char *whole = rig_state(s), *part[3];

        for (int i = 0; i < 3; i++) part[i] = rig_state(s);
        for (uint64_t i = 0; i < n + MORE; i++) {
            double x[TW_STAT_INPUTS];
            const int64_t time = (int64_t)i * 700000000;

            if (i == n) {
                s->ops->merge(s, part[1], part[2]);
                s->ops->merge(s, part[0], part[1]);
                wrong += !rig_equal(s, part[0], s, whole, tolerance);
            }
            rig_row(value, true, x);
            tw_stat_push(s, whole, x, time);
            tw_stat_push(s, part[i >= n || i < first ? 0 : i < second ? 1 : 2], x, time);
            wrong += i >= n && !rig_equal(s, part[0], s, whole, tolerance);
        }
        for (int i = 0; i < 3; i++) free(part[i]);
        free(whole);
    }
    ok(wrong == 0, "%s: merged parts are the whole, and go on as it does", rig_text(s));
}

/* Over a window in time it is what the rows have made that came after some moment
 * between window and window * 31 / 32 ago. */
static inline void rig_time(const struct tw_stat *s, double tolerance)
{
    enum { ROWS = 400 };
    const int64_t window = INT64_C(10000000000), sure = window / 32 * 31;
    static double x[ROWS][TW_STAT_INPUTS];
    static int64_t time[ROWS];
    struct tw_stat_options o = s->o;
    struct tw_stat timed;
    char *panes, *plain = rig_state(s);
    int wrong = 0;

    o.window_ns = window;
    if (tw_stat_init(&timed, s->kind, &o, NULL) != TW_OK) abort();
    panes = rig_state(&timed);
    for (int i = 0; i < ROWS; i++) {
        bool found = false;

        rig_row(rig_tick, false, x[i]);
        time[i] = i ? time[i - 1] : INT64_C(1700000000000000000);
        time[i] += next() % 50 ? (int64_t)(next() % 300000000) : window;
        tw_stat_push(&timed, panes, x[i], time[i]);
        for (int from = i; from >= 0 && !found && time[from] > time[i] - window; from--) {
            if (from > 0 && time[from - 1] > time[i] - sure) continue;
            memset(plain, 0, s->size);
            for (int k = from; k <= i; k++) tw_stat_push(s, plain, x[k], time[k]);
            found = rig_equal(&timed, panes, s, plain, tolerance);
        }
        wrong += !found;
    }
    ok(wrong == 0, "%s: over 10 s", rig_text(s));
    free(panes), free(plain);
}

/* Calls whatever can be called. */
static inline void rig_use(const struct tw_stat *s, void *state, void *other)
{
    double pairs[64][2];

    for (int i = 0; i < 1000; i++) {
        double x[TW_STAT_INPUTS];

        rig_row(i % 3 ? rig_tick : rig_normal, true, x);
        if (i % 5 == 0) x[0] *= 1e9;
        tw_stat_push(s, state, x, i);
        if (s->ops->merge && i % 500 == 100) s->ops->merge(s, state, other);
        if (i % 100) continue;
        for (unsigned f = 0; s->kind->fields[f]; f++) (void)tw_stat_get(s, state, f);
        for (double p = 0; s->ops->at && p <= 1; p += 0.125) s->ops->at(s, state, p);
        if (s->ops->list) s->ops->list(s, state, pairs, 64);
    }
}

/* Random and damaged states: what valid() lets through takes rows and parts like
 * itself without harm, which the sanitizers see. */
static inline void rig_damage(const struct tw_stat *s)
{
    int passed = 0, refused = 0, rounds = getenv("SMALL") ? 100 : 400;

    for (int round = 0; round < rounds; round++) {
        unsigned char *state = rig_state(s), *other = rig_state(s);

        for (uint64_t rows = next() % 500; rows > 0; rows--) {
            double x[TW_STAT_INPUTS];

            rig_row(rig_tick, true, x);
            x[0] = floor(rig_normal() * 30);
            tw_stat_push(s, state, x, (int64_t)rows);
            tw_stat_push(s, other, x, (int64_t)rows);
        }
        for (size_t i = 0; round % 4 == 0 && i < s->size; i++)
            state[i] = (unsigned char)next();
        for (uint64_t bytes = next() % 8; bytes > 0; bytes--) {
            /* The first bytes are where the counts are. */
            size_t at = next() % (next() % 2 || s->size < 64 ? s->size : 64);

            state[at] = (unsigned char)(next() % (bytes % 2 ? 8 : 256));
        }
        if (!s->ops->valid || s->ops->valid(s, state)) {
            passed++;
            rig_use(s, state, other);
            rig_use(s, other, state);
        } else {
            refused++;
        }
        free(state), free(other);
    }
    ok(passed > 0 && (!s->ops->valid || refused > 0),
       "%s: of damaged states %d are refused, %d do no harm", rig_text(s), refused,
       passed);
}

/* All of it. */
static inline void rig_all(const struct tw_stat *s, double tolerance)
{
    rig_empty(s);
    rig_batches(s, rig_tick);
    if (s->ops->merge) rig_merge(s, rig_tick, tolerance);
    if (s->kind->options & TW_STAT_TIME && !s->o.window && !(s->o.alpha > 0))
        rig_time(s, tolerance);
    rig_damage(s);
}

#endif
