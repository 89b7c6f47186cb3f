/* stat_moments.c - moments against two passes in long doubles. */
#include "stat_rig.h"

static const char *const names[] = { "variance", "std", "zscore", "skewness",
                                     "kurtosis" };
enum { NAMES = sizeof names / sizeof *names };

/* By the definitions. */
static double defined(const char *name, const double *x, size_t n)
{
    long double mean = 0, m2 = 0, m3 = 0, m4 = 0, std;

    for (size_t i = 0; i < n; i++) mean += (long double)x[i] - x[0];
    mean /= n;                           /* of x less the first */
    for (size_t i = 0; i < n; i++) {
        long double d = (long double)x[i] - x[0] - mean;

        m2 += d * d;
        m3 += d * d * d;
        m4 += d * d * d * d;
    }
    std = n > 1 ? sqrtl(m2 / (n - 1)) : NAN;
    if (strcmp(name, "variance") == 0) return n > 1 ? (double)(m2 / (n - 1)) : NAN;
    if (strcmp(name, "std") == 0) return (double)std;
    if (strcmp(name, "zscore") == 0)
        return std > 0 ? (double)(((long double)x[n - 1] - x[0] - mean) / std) : NAN;
    if (strcmp(name, "skewness") == 0) return (double)(sqrtl(n) * m3 / powl(m2, 1.5L));
    return (double)(n * m4 / (m2 * m2) - 3);
}

static bool close(double v, double expected, double tolerance)
{
    return rig_same(v, expected) || fabs(v - expected) < tolerance * (1 + fabs(expected))
        || fabs(v - expected) < tolerance * fabs(expected);
}

static void many(double offset)
{
    size_t n = getenv("SMALL") ? 100000 : 10000000 / NAMES;
    double *x = malloc(n * sizeof *x);

    for (size_t i = 0; i < n; i++) {
        double u = rig_uniform();

        x[i] = offset + u * u;      /* skewed */
    }
    for (size_t k = 0; k < NAMES; k++) {
        struct tw_stat s = rig_stat(names[k], tw_stat_no_options());
        void *state = rig_state(&s);
        double v, expected = defined(names[k], x, n);

        rig_feed(&s, state, x, n, NULL);
        v = tw_stat_get(&s, state, 0);
        ok(fabs(v - expected) <= 1e-12 * fabs(expected),
           "%s of %zu values from %g on: off by %.1e", names[k], n, offset,
           fabs(v / expected - 1));
        free(state);
    }
    free(x);
}

enum { N = 4000 };

/* Windows over what `make` makes, each value after each row. */
static void windows(const char *what, double (*make)(int i), double tolerance)
{
    static const uint32_t sizes[] = { 1, 2, 3, 64, 500, 10000 };
    static double x[N], out[N];

    for (int i = 0; i < N; i++) x[i] = make(i);
    for (size_t k = 0; k < NAMES; k++) {
        int wrong = 0;

        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            struct tw_stat s = rig_window(names[k], sizes[j]);
            void *state = rig_state(&s);

            rig_feed(&s, state, x, N, out);
            for (size_t i = 0; i < N; i += 1 + next() % 20) {
                size_t n = i + 1 < sizes[j] ? i + 1 : sizes[j];
                double expected = defined(names[k], x + i + 1 - n, n);

                wrong += !close(out[i], expected, tolerance);
            }
            free(state);
        }
        ok(wrong == 0, "%s in windows over %s", names[k], what);
    }
}

static double noise(int i)
{
    (void)i;
    return rig_normal();
}

static double far_noise(int i)
{
    (void)i;
    return 1e9 + rig_normal();
}

static double walk(int i)
{
    static double at = 100;

    (void)i;
    return at += rig_normal() * 0.01;
}

static double stairs(int i)
{
    return i / 700 * 1e6 + rig_normal();
}

static double outliers(int i)
{
    return i % 611 == 100 ? 1e12 : i % 611 == 400 ? -1e5 : rig_normal();
}

static void equal(void)
{
    static const uint32_t sizes[] = { 0, 1, 2, 64, 1000 };
    int wrong = 0;

    for (size_t k = 0; k < NAMES; k++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            struct tw_stat s = rig_window(names[k], sizes[j]);
            void *state = rig_state(&s);
            double x;

            wrong += !isnan(tw_stat_get(&s, state, 0)) || tw_stat_get(&s, state, 1) != 0;
            for (unsigned i = 0; sizes[j] && i < 2 * sizes[j]; i++) {
                x = rig_normal();
                tw_stat_push(&s, state, &x, 0);
            }
            x = 0.1;
            for (int i = 0; i < 1000; i++) tw_stat_push(&s, state, &x, 0);
            wrong += tw_stat_get(&s, state, 2) != 0.1;
            if (k > 1 || sizes[j] == 1) wrong += !isnan(tw_stat_get(&s, state, 0));
            else wrong += tw_stat_get(&s, state, 0) != 0;
            free(state);
        }
    ok(wrong == 0, "equal values vary by exactly 0, and then have no shape");
}

static void infinities(void)
{
    static const double wild[] = { INFINITY, -INFINITY, 1e200, -1e80 };
    int wrong = 0;

    for (size_t k = 0; k < NAMES; k++) {
        struct tw_stat all = rig_stat(names[k], tw_stat_no_options());
        struct tw_stat last = rig_window(names[k], 5);
        void *a = rig_state(&all), *b = rig_state(&last);
        double x[400];

        for (int i = 0; i < 400; i++) {
            x[i] = i > 7 && i < 47 && i % 2 ? wild[i % 4] : rig_normal();
            if (i > 60 && i < 80) x[i] = INFINITY;
            tw_stat_push(&all, a, &x[i], 0);
            tw_stat_push(&last, b, &x[i], 0);
            if ((i > 10 && i < 50) || (i > 60 && i < 84))
                wrong += !isnan(tw_stat_get(&last, b, 0));
            else if (i > 5)
                wrong += !close(tw_stat_get(&last, b, 0),
                                defined(names[k], x + i - 4, 5), 1e-9);
        }
        wrong += !isnan(tw_stat_get(&all, a, 0)) || tw_stat_get(&all, a, 1) != 400;
        free(a), free(b);
    }
    ok(wrong == 0, "infinities make NaN: of all values for good, of a window until then");
}

static void fields(void)
{
    static const double x[] = { 2, 4, 4, 4, 5, 5, 7, 9 };

    for (uint32_t window = 0; window <= 8; window += 8) {
        struct tw_stat s = rig_window("variance", window);
        struct tw_stat k = rig_window("kurtosis", window);
        void *a = rig_state(&s), *b = rig_state(&k);

        rig_feed(&s, a, x, 8, NULL);
        rig_feed(&k, b, x, 8, NULL);
        ok(close(tw_stat_get(&s, a, 0), 32. / 7, 1e-15) && tw_stat_get(&s, a, 1) == 8
           && tw_stat_get(&s, a, 2) == 5
           && close(tw_stat_get(&s, a, 3), sqrt(32. / 7), 1e-15),
           "variance, count, mean, std");
        ok(close(tw_stat_get(&k, b, 0), 8 * 356. / 1024 - 3, 1e-14)
           && tw_stat_get(&k, b, 2) == 5 && close(tw_stat_get(&k, b, 5), 0.65625, 1e-14),
           "kurtosis, mean, skewness");
        free(a), free(b);
    }
}

int main(void)
{
    static const uint32_t sizes[] = { 0, 1, 7, 64 };

    fields();
    equal();
    many(0);
    many(1e9);
    windows("noise", noise, 1e-10);
    windows("noise far from 0", far_noise, 1e-9);
    windows("a random walk", walk, 1e-9);
    windows("stairs", stairs, 1e-8);
    windows("outliers", outliers, 1e-8);
    infinities();
    for (size_t k = 0; k < NAMES; k++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            struct tw_stat s = rig_window(names[k], sizes[j]);

            rig_all(&s, 1e-9);
        }
    return tap_done();
}
