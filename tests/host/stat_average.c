/* stat_average.c - exponential weights against their definitions. */
#include "stat_rig.h"

enum { N = 3000 };
#define SECOND INT64_C(1000000000)

static double x[N];
static int64_t at[N];

static void *new_state(const struct tw_stat *s)
{
    void *state = calloc(1, s->size);

    if (!state) abort();
    return state;
}

static void make(double offset)
{
    int64_t t = INT64_C(1700000000) * SECOND;

    for (int i = 0; i < N; i++) {
        x[i] = offset + rig_normal();
        /* Often the same instant, now and then a time before the last, or much later. */
        t += next() % 3 ? (int64_t)(next() % (uint64_t)SECOND) : 0;
        if (next() % 100 == 0) t += 30 * SECOND;
        at[i] = next() % 50 ? t : t - SECOND;
    }
}

/* S1 and S3 of the peer benchmark, to the bit. */
static void recurrences(void)
{
    struct tw_stat first, zero, span, half;
    void *a, *b, *c, *d;
    double e = 0, z = 0;
    int wrong = 0;

    ok(!rig_declare(&first, "ewma", "alpha", 0.05, NULL, 0)
       && !rig_declare(&zero, "ewma", "alpha", 0.01, "initial", 0)
       && !rig_declare(&span, "ewma", "span", 39, NULL, 0)
       && !rig_declare(&half, "ewma", "half_life", 1, NULL, 0),
       "ewma by alpha, span, half-life");
    a = new_state(&first), b = new_state(&zero);
    c = new_state(&span), d = new_state(&half);
    ok(isnan(tw_stat_get(&first, a, 0)) && tw_stat_get(&zero, b, 0) == 0
       && tw_stat_get(&zero, b, 1) == 0, "of no values there is but the initial one");
    make(100);
    for (int i = 0; i < N; i++) {
        double r = x[i] - 100;

        e = i == 0 ? x[i] : e + 0.05 * (x[i] - e);
        z += 0.01 * (r * r - z);
        r *= r;
        tw_stat_push(&first, a, &x[i], 0);
        tw_stat_push(&zero, b, &r, 0);
        tw_stat_push(&span, c, &x[i], 0);
        wrong += tw_stat_get(&first, a, 0) != e || tw_stat_get(&zero, b, 0) != z
            || tw_stat_get(&span, c, 0) != e || tw_stat_get(&first, a, 1) != i + 1;
    }
    ok(wrong == 0, "e += alpha (x - e), from the first value or from 0");
    tw_stat_push(&half, d, (double[]){ 8 }, 0);
    tw_stat_push(&half, d, (double[]){ 0 }, 0);
    ok(tw_stat_get(&half, d, 0) == 4, "a half-life of one value halves");
    free(a), free(b), free(c), free(d);
}

/* Mean and variance of a population with those weights, in two passes; n of them,
 * and `initial` before them unless it is NaN. */
static void population(const long double *w, int n, double initial, long double first,
                       double *mean, double *variance)
{
    long double all = 0, sum = 0, squares = 0;
    bool has = !isnan(initial);

    if (has) all = first, sum = first * initial;
    for (int i = 0; i < n; i++) {
        all += w[i];
        sum += w[i] * x[i];
    }
    *mean = (double)(sum / all);
    if (has) squares = first * (initial - sum / all) * (initial - sum / all);
    for (int i = 0; i < n; i++)
        squares += w[i] * (x[i] - sum / all) * (x[i] - sum / all);
    *variance = (double)(squares / all);
}

static int differ(const char *kind, const char *option, double v, double initial, int n,
                  double mean, double variance)
{
    struct tw_stat s;
    void *state;
    int wrong = rig_declare(&s, kind, option, v, isnan(initial) ? NULL : "initial",
                            initial);
    bool is_std = strcmp(kind, "ewstd") == 0, is_mean = strcmp(kind, "ewma") == 0;

    if (wrong) return 1;
    state = new_state(&s);
    for (int i = 0; i < n; i++) tw_stat_push(&s, state, &x[i], at[i]);
    wrong += !rig_near(tw_stat_get(&s, state, 0),
                   is_mean ? mean : is_std ? sqrt(variance) : variance, 1e-8)
        || tw_stat_get(&s, state, 1) != n;
    if (!is_mean)
        wrong += !rig_near(tw_stat_get(&s, state, 2), mean, 1e-13)
            || !rig_near(tw_stat_get(&s, state, 3), is_std ? variance : sqrt(variance),
                         1e-8);
    free(state);
    return wrong;
}

static void definitions(double offset)
{
    static const char *const kinds[] = { "ewma", "ewvar", "ewstd" };
    static const int lengths[] = { 1, 2, 3, 100, N };
    int wrong = 0, wrong_in_time = 0;

    make(offset);
    for (int j = 0; j < 5; j++)
        for (int given = 0; given < 2; given++) {
            const double initial = given ? offset + 3 : NAN, alpha = 0.02;
            int n = lengths[j];
            long double w[N], first;
            int64_t now = at[0];
            double mean, variance;

            for (int i = 0; i < n; i++) w[i] = alpha * powl(1 - alpha, n - 1 - i);
            first = powl(1 - alpha, n);
            if (!given) w[0] += first;
            population(w, n, initial, first, &mean, &variance);
            for (int k = 0; k < 3; k++)
                wrong += differ(kinds[k], "alpha", alpha, initial, n, mean, variance);
            for (int i = 0; i < n; i++) {
                if (at[i] > now) now = at[i];
                w[i] = now - at[0];      /* when it counts as seen */
            }
            now -= at[0];
            for (int i = 0; i < n; i++) w[i] = exp2l((w[i] - now) / (5 * SECOND));
            first = w[0];
            population(w, n, initial, first, &mean, &variance);
            for (int k = 0; k < 3; k++)
                wrong_in_time += differ(kinds[k], "@half_life", 5e9, initial, n, mean,
                                        variance);
        }
    ok(wrong == 0, "by alpha, around %g, the population of the definition", offset);
    ok(wrong_in_time == 0, "and by half-life in time");
}

static void edges(void)
{
    struct tw_stat s, t;
    void *a, *b;
    double inf = INFINITY, one = 1;

    ok(!rig_declare(&s, "ewvar", "alpha", 0.3, NULL, 0)
       && !rig_declare(&t, "ewvar", "@half_life", 1e9, NULL, 0), "ewvar both ways");
    a = new_state(&s), b = new_state(&t);
    for (int i = 0; i < 100; i++) {
        double v = 0.1;

        tw_stat_push(&s, a, &v, i);
        tw_stat_push(&t, b, &v, i * INT64_C(77777777));
        if (i == 0) ok(tw_stat_get(&s, a, 0) == 0 && tw_stat_get(&t, b, 0) == 0,
                       "one value has no variance");
    }
    ok(tw_stat_get(&s, a, 0) == 0 && tw_stat_get(&t, b, 0) == 0
       && tw_stat_get(&t, b, 2) == 0.1, "equal values vary by exactly 0");
    tw_stat_push(&t, b, &one, INT64_MAX);
    ok(tw_stat_get(&t, b, 2) == 1, "after an age only the newest value counts");
    tw_stat_push(&s, a, &inf, 0);
    tw_stat_push(&t, b, &inf, INT64_MAX);
    ok(isinf(tw_stat_get(&s, a, 2)) && isinf(tw_stat_get(&t, b, 2)),
       "an infinity makes the mean infinite");
    tw_stat_push(&s, a, &one, 0);
    tw_stat_push(&t, b, &one, INT64_MAX);
    ok(isnan(tw_stat_get(&s, a, 2)) && isnan(tw_stat_get(&t, b, 2)), "then NaN");
    free(a), free(b);
}

/* 10^7 values: the weights end, so only the last ones count. */
static void many(void)
{
    struct tw_stat s;
    void *state;
    int n = getenv("SMALL") ? 100000 : 10000000;
    long double e = 0, v = 0;

    ok(!rig_declare(&s, "ewvar", "alpha", 0.001, NULL, 0), "ewvar");
    state = new_state(&s);
    for (int i = 0; i < n; i += TW_STAT_BATCH) {
        double row[TW_STAT_BATCH];
        uint32_t key[TW_STAT_BATCH] = { 0 };
        int64_t time[TW_STAT_BATCH] = { 0 };
        struct tw_stat_rows r = { .n = TW_STAT_BATCH, .key = key, .x = { row },
                                  .time = time };

        for (int j = 0; j < TW_STAT_BATCH; j++) {
            long double d;

            row[j] = 1e9 + 4 * rig_uniform();      /* that deviate by about 1 */
            if (i + j == 0) e = row[0];
            d = row[j] - e;
            e += 0.001 * d;
            v = (1 - 0.001L) * (v + 0.001L * d * d);
        }
        s.ops->run(&s, state, &r);
    }
    ok(rig_near(tw_stat_get(&s, state, 2), (double)e, 1e-15)
       && rig_near(tw_stat_get(&s, state, 0), (double)v, 1e-7),
       "of %d values from 1e9 on: off by %.1e", n,
       fabs(tw_stat_get(&s, state, 0) / (double)v - 1));
    free(state);
}

int main(void)
{
    static const char *const kinds[] = { "ewma", "ewvar", "ewstd" };

    recurrences();
    definitions(0);
    definitions(1e6);
    edges();
    many();
    for (int k = 0; k < 3; k++) {
        struct tw_stat s;

        if (!rig_declare(&s, kinds[k], "alpha", 0.1, NULL, 0)) rig_all(&s, 1e-9);
        if (!rig_declare(&s, kinds[k], "alpha", 1, NULL, 0)) rig_all(&s, 1e-9);
        if (!rig_declare(&s, kinds[k], "@half_life", 2e9, NULL, 0)) rig_all(&s, 1e-9);
        if (!rig_declare(&s, kinds[k], "alpha", 0.1, "initial", 90)
            && !rig_declare(&s, kinds[k], "@half_life", 2e9, "initial", 90))
            rig_merge(&s, rig_tick, 1e-9);
    }
    return tap_done();
}
