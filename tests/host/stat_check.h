/* stat_check.h - what must hold of any statistic, whatever it computes. */
#ifndef STAT_CHECK_H
#define STAT_CHECK_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/stat.h"
#include "tap.h"

enum { CHECK_ROWS = 1500, CHECK_KEYS = 5, CHECK_SPLITS = 200 };

static uint64_t check_seed = 1;

static inline uint64_t draw(void)
{
    check_seed = check_seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return check_seed >> 11;
}

/* Of 0 to 1. */
static inline double uniform(void)
{
    return (double)draw() * 0x1p-53;
}

/* Nearly normal: mean 0, deviation 1. */
static inline double normal(void)
{
    double sum = -6;

    for (int i = 0; i < 12; i++) sum += uniform();
    return sum;
}

/* Options as they are written: declare(&s, "lag", "lag", 3.0, NULL); a name that
 * begins with '@' is of a time in ns. */
static inline int declare(struct tw_stat *s, const char *kind,
                          const char *one, double a, const char *two, double b)
{
    const struct tw_stat_kind *k = tw_stat_find(kind, strlen(kind));
    struct tw_stat_options o = tw_stat_no_options();
    const char *names[] = { one, two };
    const double values[] = { a, b };
    struct tw_error error = {0};
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

static inline bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

static inline bool near(double a, double b, double tolerance)
{
    return same(a, b) || fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b));
}

static inline unsigned check_fields(const struct tw_stat *s)
{
    unsigned n = 0;

    while (s->kind->fields[n]) n++;
    return n;
}

/* A row of prices or sizes on a coarse grid, so that there are ties; now and then
 * one that is missing. */
static inline void check_row(double *x, bool may_miss)
{
    for (unsigned i = 0; i < TW_STAT_INPUTS; i++)
        x[i] = 100 + (double)(draw() % 9) * 0.25;
    if (may_miss && draw() % 16 == 0) x[draw() % TW_STAT_INPUTS] = NAN;
}

/* Columns in batches of any length are single pushes (T5), with a value after each
 * row; what is missing changes nothing (T2); nothing has a value at first (T3). */
static inline void check_batches(const struct tw_stat *s, const char *what)
{
    static double x[TW_STAT_INPUTS][CHECK_ROWS], out[CHECK_ROWS];
    static int64_t time[CHECK_ROWS];
    static uint32_t key[CHECK_ROWS];
    char *batched = calloc(CHECK_KEYS, s->size), *single = calloc(CHECK_KEYS, s->size);
    char *before = malloc(s->size);
    int wrong_out = 0, wrong_miss = 0;

    ok(isnan(tw_stat_get(s, single, 0)), "%s: nothing has no value", what);
    for (int i = 0; i < CHECK_ROWS; i++) {
        double row[TW_STAT_INPUTS];

        check_row(row, true);
        for (unsigned j = 0; j < TW_STAT_INPUTS; j++) x[j][i] = row[j];
        key[i] = draw() % CHECK_KEYS;
        time[i] = i * INT64_C(1000000000) + (int64_t)(draw() % 1000000000);
    }
    for (unsigned i = 0, n; i < CHECK_ROWS; i += n) {
        struct tw_stat_rows r = { .key = key + i, .time = time + i, .out = out + i };

        n = 1 + draw() % TW_STAT_BATCH;
        if (n > CHECK_ROWS - i) n = CHECK_ROWS - i;
        r.n = n;
        for (unsigned j = 0; j < TW_STAT_INPUTS; j++) r.x[j] = x[j] + i;
        s->ops->run(s, batched, &r);
    }
    for (int i = 0; i < CHECK_ROWS; i++) {
        char *state = single + key[i] * s->size;
        double row[TW_STAT_INPUTS];
        bool missing = false;

        for (unsigned j = 0; j < TW_STAT_INPUTS; j++) row[j] = x[j][i];
        for (unsigned j = 0; j < s->n_inputs; j++) missing |= isnan(row[j]);
        memcpy(before, state, s->size);
        tw_stat_push(s, state, row, time[i]);
        wrong_miss += missing && memcmp(before, state, s->size) != 0;
        wrong_out += !same(out[i], tw_stat_get(s, state, 0));
    }
    ok(memcmp(batched, single, CHECK_KEYS * s->size) == 0,
       "%s: batches are single rows", what);
    ok(wrong_out == 0, "%s: the column has the value after each row", what);
    ok(wrong_miss == 0, "%s: a missing row changes nothing", what);
    free(batched);
    free(single);
    free(before);
}

/* Every field, to so much of 1 or of itself. */
static inline bool check_equal(const struct tw_stat *a, const void *is,
                               const struct tw_stat *b, const void *should,
                               double tolerance)
{
    for (unsigned f = 0; f < check_fields(a); f++) {
        const double x = tw_stat_get(a, is, f), y = tw_stat_get(b, should, f);

        if (!same(x, y) && !(fabs(x - y) <= tolerance * fmax(1, fabs(y)))) return false;
    }
    return true;
}

/* Random rows split anywhere into three, the last two merged, then all, are as
 * pushed into one (T4), then and after more rows. */
static inline void check_merge(const struct tw_stat *s, const char *what,
                               double tolerance)
{
    int wrong = 0;

    for (int split = 0; split < CHECK_SPLITS; split++) {
        char *whole = calloc(1, s->size), *part[3];
        const uint64_t n = draw() % (split % 2 ? 300 : 12);
        const uint64_t first = draw() % (n + 1);
        const uint64_t second = first + draw() % (n + 1 - first);

        for (int i = 0; i < 3; i++) part[i] = calloc(1, s->size);
        for (uint64_t i = 0; i < n + 10; i++) {
            double x[TW_STAT_INPUTS];
            const int64_t time = (int64_t)i * 700000000;

            if (i == n) {
                s->ops->merge(s, part[1], part[2]);
                s->ops->merge(s, part[0], part[1]);
                wrong += !check_equal(s, part[0], s, whole, tolerance);
            }
            check_row(x, true);
            tw_stat_push(s, whole, x, time);
            tw_stat_push(s, part[i >= n || i < first ? 0 : i < second ? 1 : 2], x, time);
            wrong += i >= n && !check_equal(s, part[0], s, whole, tolerance);
        }
        for (int i = 0; i < 3; i++) free(part[i]);
        free(whole);
    }
    ok(wrong == 0, "%s: merged parts are the whole", what);
}

/* Over a window in time it is what the rows have made that came after some moment
 * between window and window * 31 / 32 ago. */
static inline void check_time(const struct tw_stat *s, const char *what, double tolerance)
{
    enum { TIMED_ROWS = 400 };
    const int64_t window = INT64_C(10000000000), sure = window / 32 * 31;
    static double x[TIMED_ROWS][TW_STAT_INPUTS];
    static int64_t time[TIMED_ROWS];
    struct tw_stat_options o = s->o;
    struct tw_stat timed;
    char *panes, *plain = malloc(s->size);
    int wrong = 0;

    o.window_ns = window;
    if (tw_stat_init(&timed, s->kind, &o, NULL) != TW_OK) abort();
    panes = calloc(1, timed.size);
    for (int i = 0; i < TIMED_ROWS; i++) {
        bool found = false;

        check_row(x[i], false);
        time[i] = i ? time[i - 1] : INT64_C(1700000000000000000);
        time[i] += draw() % 50 ? (int64_t)(draw() % 300000000) : window;
        tw_stat_push(&timed, panes, x[i], time[i]);
        for (int from = i; from >= 0 && !found && time[from] > time[i] - window; from--) {
            if (from > 0 && time[from - 1] > time[i] - sure) continue;
            memset(plain, 0, s->size);
            for (int k = from; k <= i; k++) tw_stat_push(s, plain, x[k], time[k]);
            found = check_equal(&timed, panes, s, plain, tolerance);
        }
        wrong += !found;
    }
    ok(wrong == 0, "%s: over 10 s", what);
    free(panes);
    free(plain);
}

/* A state with bytes changed that is still valid takes rows, and parts like itself:
 * the sanitizers see what is out of bounds. */
static inline void check_damage(const struct tw_stat *s, const char *what)
{
    unsigned char *state = malloc(s->size), *other = malloc(s->size);
    unsigned valid = 0, refused = 0;

    for (int round = 0; round < 300; round++) {
        double x[TW_STAT_INPUTS];

        memset(state, 0, s->size);
        memset(other, 0, s->size);
        for (uint64_t rows = draw() % 300; rows > 0; rows--) {
            check_row(x, true);
            tw_stat_push(s, draw() % 2 ? state : other, x, (int64_t)rows);
        }
        for (size_t i = 0; round % 4 == 0 && i < s->size; i++)
            state[i] = (unsigned char)draw();
        for (uint64_t bytes = draw() % 4; bytes > 0; bytes--)   /* near its beginning */
            state[draw() % s->size % 64] = draw() % (bytes % 2 ? 8 : 256);
        if (s->ops->valid && !s->ops->valid(s, state)) {
            refused++;
            continue;
        }
        valid++;
        for (int i = 0; i < 1000; i++) {
            check_row(x, true);
            tw_stat_push(s, state, x, i);
            if (s->ops->merge && i % 500 == 100) s->ops->merge(s, state, other);
            if (s->ops->merge && i % 500 == 200) s->ops->merge(s, other, state);
        }
        for (unsigned f = 0; f < check_fields(s); f++) (void)tw_stat_get(s, state, f);
    }
    ok(valid > 0 && (refused > 0 || !s->ops->valid),
       "%s: of damaged states %u are refused, %u do no harm", what, refused, valid);
    free(state);
    free(other);
}

/* All of it. */
static inline void check_all(const struct tw_stat *s, double tolerance)
{
    char what[200];

    tw_stat_text(s, what, sizeof what);
    check_batches(s, what);
    if (s->ops->merge) check_merge(s, what, tolerance);
    if (s->kind->options & TW_STAT_TIME && !s->o.window && !(s->o.alpha > 0))
        check_time(s, what, tolerance);
    check_damage(s, what);
}

#endif
