/* stat_pair.c - covariance, correlation, slope, beta and autocorrelation against two
 * passes in long double: over all, over a window, weighted. */
#include "stat_rig.h"

enum { N = 10000000, SMALL_N = 100000, WINDOW = 64, RING = 8192 };

static long rows(void)
{
    return getenv("SMALL") ? SMALL_N : N;
}

/* What the fields should be of n pairs. */
struct reference {
    long double a, b, aa, bb, ab;
    long n;
};

static double want(const struct reference *r, const char *kind, const char *field)
{
    const long double slope = r->ab / r->bb;

    if (strcmp(field, "count") == 0) return (double)r->n;
    if (strcmp(field, "intercept") == 0) return (double)(r->a - slope * r->b);
    if (strcmp(field, "r2") == 0) return (double)(r->ab * r->ab / r->aa / r->bb);
    if (strcmp(field, "std_error") == 0)
        return (double)sqrtl((r->aa - slope * r->ab) / (r->n - 2) / r->bb);
    if (strcmp(kind, "covariance") == 0) return (double)(r->ab / (r->n - 1));
    return (double)(strcmp(kind, "correlation") == 0 ? r->ab / sqrtl(r->aa * r->bb)
                    : slope);
}

static struct reference passes(const double (*pairs)[2], long n)
{
    struct reference r = { .n = n };

    for (long i = 0; i < n; i++) {
        r.a += pairs[i][0];
        r.b += pairs[i][1];
    }
    r.a /= n;
    r.b /= n;
    for (long i = 0; i < n; i++) {
        const long double a = pairs[i][0] - r.a, b = pairs[i][1] - r.b;

        r.aa += a * a;
        r.bb += b * b;
        r.ab += a * b;
    }
    return r;
}

static double worst_of(const struct tw_stat *s, const void *state,
                       const struct reference *r)
{
    double worst = 0;

    for (unsigned f = 0; s->kind->fields[f]; f++) {
        const double is = tw_stat_get(s, state, f);
        const double should = want(r, s->kind->name, s->kind->fields[f]);
        /* An intercept is of the size of what it is the difference of. */
        const double unit = strcmp(s->kind->fields[f], "intercept") == 0
            ? (double)fabsl(r->a) + fabs(should) : fabs(should);

        worst = fmax(worst, fabs(is - should) / unit);
    }
    return worst;
}

/* x[1] moves x[0] by half. */
static void pair(double *x, double offset)
{
    x[1] = rig_uniform() * 4 - 2;
    x[0] = offset + x[1] / 2 + rig_uniform() - 0.5;
    x[1] += offset;
}

/* All kinds over all pairs: the rows are pushed once, as their states are alike. */
static void all(double offset, double tolerance)
{
    static const char *const kinds[] = { "covariance", "correlation", "slope" };
    const long n = rows();
    double (*pairs)[2] = malloc((size_t)n * sizeof *pairs), worst = 0;
    struct tw_stat s;
    struct reference r;
    char state[256] = { 0 };

    rig_declare(&s, "slope", NULL, 0, NULL, 0);
    for (long i = 0; i < n; i++) pair(pairs[i], offset);
    for (long i = 0; i < n; i++) tw_stat_push(&s, state, pairs[i], 0);
    r = passes((const double (*)[2])pairs, n);
    for (int k = 0; k < 3; k++) {
        rig_declare(&s, kinds[k], NULL, 0, NULL, 0);
        worst = fmax(worst, worst_of(&s, state, &r));
    }
    ok(worst < tolerance, "%ld pairs around %g: all fields to %.1g", n, offset, worst);
    free(pairs);
}

/* Of the window that ends there, now and then. */
static void windows(double offset, uint32_t window, double tolerance)
{
    const long n = rows() / 10;
    double (*pairs)[2] = malloc((size_t)n * sizeof *pairs), worst = 0;
    struct tw_stat s;
    void *state;

    rig_declare(&s, "slope", "window", window, NULL, 0);
    state = calloc(1, s.size);
    for (long i = 0; i < n; i++) {
        pair(pairs[i], offset);
        tw_stat_push(&s, state, pairs[i], 0);
        if (i > 2 && (i < 200 || i % 997 == 0)) {
            const long k = i + 1 < (long)window ? i + 1 : (long)window;
            const struct reference r = passes((const double (*)[2])pairs + i + 1 - k, k);

            worst = fmax(worst, worst_of(&s, state, &r));
        }
    }
    ok(worst < tolerance, "the last %u around %g: all fields to %.1g", window, offset,
       worst);
    free(state);
    free(pairs);
}

/* What a spike covered is there again in the row in which it leaves. */
static void spikes(void)
{
    double pairs[1000][2], worst = 0;
    struct tw_stat s;
    void *state;

    rig_declare(&s, "slope", "window", WINDOW, NULL, 0);
    state = calloc(1, s.size);
    for (int i = 0; i < 1000; i++) {
        pair(pairs[i], 0);
        pairs[i][0] *= 1e-3;
        if (i % 100 == 50) pairs[i][0] = 1e9;
        if (i % 100 == 60) pairs[i][1] = -1e9;
        tw_stat_push(&s, state, pairs[i], 0);
        if (i >= WINDOW && (i % 100 < 50 && i % 100 >= 60 + WINDOW - 100)) {
            const struct reference r = passes((const double (*)[2])pairs + i + 1 - WINDOW,
                                              WINDOW);

            worst = fmax(worst, worst_of(&s, state, &r));
        }
    }
    ok(worst < 1e-10, "after a spike of 1e12 times the rest: to %.1g", worst);
    free(state);
}

/* What a slow decay leaves behind is gone after four laps. */
static void decay(void)
{
    enum { DECAY = 300, PAIRS = DECAY + 5 * WINDOW };
    double pairs[PAIRS][2], worst;
    struct tw_stat s;
    struct reference r;
    void *state;

    rig_declare(&s, "slope", "window", WINDOW, NULL, 0);
    state = calloc(1, s.size);
    for (int i = 0; i < PAIRS; i++) {
        pair(pairs[i], 0);
        pairs[i][0] += i < DECAY ? 1e12 * pow(0.85, i) : 0;
        tw_stat_push(&s, state, pairs[i], 0);
    }
    r = passes((const double (*)[2])pairs + PAIRS - WINDOW, WINDOW);
    worst = worst_of(&s, state, &r);
    ok(worst < 1e-10, "after values that fell slowly from 1e12: to %.1g", worst);
    free(state);
}

/* Weights written out: alpha * (1 - alpha)^age, the first has what is left. */
static void weighted(double offset, double tolerance)
{
    enum { ROWS = 500 };
    const double alpha = 0.05;
    double pairs[ROWS][2], worst = 0;
    struct tw_stat s;
    char state[256];

    for (int i = 0; i < ROWS; i++) pair(pairs[i], offset);
    for (int k = 0; k < 3; k++) {
        static const char *const kinds[] = { "covariance", "correlation", "beta" };

        rig_declare(&s, kinds[k], "alpha", alpha, NULL, 0);
        memset(state, 0, sizeof state);
        for (int n = 1; n <= ROWS; n++) {
            struct reference r = { .n = 2 };      /* so that n - 1 is 1 */

            tw_stat_push(&s, state, pairs[n - 1], 0);
            if (n < 2) continue;
            for (int pass = 0; pass < 2; pass++) {
                long double left = 1, w;

                for (int i = n - 1; i >= 0; i--, left -= w) {
                    const long double a = pairs[i][0] - r.a, b = pairs[i][1] - r.b;

                    w = i ? left * alpha : left;
                    if (pass) r.aa += w * a * a, r.bb += w * b * b, r.ab += w * a * b;
                }
                if (pass == 0) {
                    long double ma = 0, mb = 0;

                    left = 1;
                    for (int i = n - 1; i >= 0; i--, left -= w) {
                        w = i ? left * alpha : left;
                        ma += w * pairs[i][0];
                        mb += w * pairs[i][1];
                    }
                    r.a = ma;
                    r.b = mb;
                }
            }
            /* A covariance near 0 is as good as the deviations are. */
            worst = fmax(worst, fabs(tw_stat_get(&s, state, 0)
                                     - want(&r, kinds[k], "value")));
        }
    }
    ok(worst < tolerance, "weighted, around %g: to %.1g", offset, worst);
    rig_declare(&s, "slope", "alpha", alpha, NULL, 0);
    ok(isnan(tw_stat_get(&s, state, 3)), "and its slope has no std_error");
}

static void autocorrelations(uint32_t lag, uint32_t window)
{
    enum { ROWS = 3000 };
    struct tw_stat s, pairwise;
    void *state, *other;
    double x[ROWS];
    int wrong = 0;

    if (window) {
        rig_declare(&s, "autocorrelation", "lag", lag, "window", window);
        rig_declare(&pairwise, "correlation", "window", window, NULL, 0);
    } else {
        rig_declare(&s, "autocorrelation", "lag", lag, NULL, 0);
        rig_declare(&pairwise, "correlation", NULL, 0, NULL, 0);
    }
    state = calloc(1, s.size);
    other = calloc(1, pairwise.size);
    for (uint32_t i = 0; i < ROWS; i++) {
        x[i] = rig_normal() + (i ? x[i - 1] / 2 : 0);
        tw_stat_push(&s, state, &x[i], 0);
        if (i >= lag) {
            const double row[] = { x[i], x[i - lag] };

            tw_stat_push(&pairwise, other, row, 0);
        }
        for (unsigned f = 0; f < 2; f++)
            wrong += !rig_same(tw_stat_get(&s, state, f),
                               tw_stat_get(&pairwise, other, f));
    }
    ok(wrong == 0, "autocorrelation, lag %u, window %u, is correlation(x, lag(x))", lag,
       window);
    if (window == 0)
        ok(fabs(tw_stat_get(&s, state, 0) - pow(0.5, lag)) < 0.06,
           "of an AR(1) of 1/2: %.3f", tw_stat_get(&s, state, 0));
    free(state);
    free(other);
}

static double value_of(struct tw_stat *s, const double (*pairs)[2], int n)
{
    static char state[RING];

    memset(state, 0, sizeof state);
    for (int i = 0; i < n; i++) tw_stat_push(s, state, pairs[i], 0);
    return tw_stat_get(s, state, 0);
}

/* Few rows, equal ones, infinite ones. */
static void edges(const char *one, double a)
{
    static const double equal[][2] = { { 0.1, 1 }, { 0.1, 2 }, { 0.1, 4 }, { 0.1, 0 } };
    static const double line[][2] = { { 0.1, 1 }, { 0.2, 2 }, { 0.4, 4 }, { 0, 0 } };
    static const double infinite[][2] = { { 1, 1 }, { INFINITY, 2 }, { 4, 4 } };
    struct tw_stat covariance, correlation, slope;
    char what[100];

    rig_declare(&covariance, "covariance", one, a, NULL, 0);
    rig_declare(&correlation, "correlation", one, a, NULL, 0);
    rig_declare(&slope, "slope", one, a, NULL, 0);
    tw_stat_text(&slope, what, sizeof what);
    ok(isnan(value_of(&covariance, line, 1)) && isnan(value_of(&correlation, line, 1))
       && isnan(value_of(&slope, line, 1)), "%s: one pair isn't enough", what);
    ok(value_of(&covariance, equal, 4) == 0 && isnan(value_of(&correlation, equal, 4))
       && value_of(&slope, equal, 4) == 0, "%s: y that never changes", what);
    ok(rig_near(value_of(&correlation, line, 4), 1, 1e-14)
       && value_of(&correlation, line, 4) <= 1
       && rig_near(value_of(&slope, line, 4), 0.1, 1e-14), "%s: a line", what);
    ok(isnan(value_of(&covariance, infinite, 3)) && isnan(value_of(&slope, infinite, 3)),
       "%s: an infinity makes NaN", what);
}

static void window_edges(void)
{
    static const double left[][2] = { { INFINITY, 1 }, { 1, 2 }, { 2, 1 }, { 3, 3 },
                                      { 2, 1 }, { 1, 1 }, { 2, 3 } };
    double equal[100][2];
    struct tw_stat s;

    rig_declare(&s, "covariance", "window", 1, NULL, 0);
    ok(isnan(value_of(&s, left + 1, 5)), "a window of 1 has no covariance");
    rig_declare(&s, "covariance", "window", 3, NULL, 0);
    ok(isnan(value_of(&s, left, 3)) && value_of(&s, left, 4) == 0.5
       && rig_near(value_of(&s, left, 7), 1.0 / 3, 1e-15),
       "an infinity that leaves is gone");
    rig_declare(&s, "correlation", "window", 7, NULL, 0);
    for (int i = 0; i < 100; i++) {
        equal[i][0] = i < 50 ? i : 0.1;
        equal[i][1] = i;
    }
    ok(isnan(value_of(&s, (const double (*)[2])equal, 60)),
       "equal values after others have no correlation");
}

int main(void)
{
    static const struct { const char *kind, *one; double a; const char *two; double b; }
        kinds[] = {
        { "covariance", NULL, 0, NULL, 0 }, { "covariance", "window", 5, NULL, 0 },
        { "covariance", "window", 64, NULL, 0 }, { "covariance", "alpha", 0.1, NULL, 0 },
        { "correlation", NULL, 0, NULL, 0 }, { "correlation", "window", 7, NULL, 0 },
        { "slope", NULL, 0, NULL, 0 }, { "beta", "window", 1, NULL, 0 },
        { "beta", "span", 20, NULL, 0 }, { "autocorrelation", "lag", 1, NULL, 0 },
        { "autocorrelation", "lag", 3, "window", 10 }
    };
    struct tw_stat s;

    all(0, 1e-10);
    all(1e9, 1e-6);
    windows(0, WINDOW, 1e-10);
    windows(1e9, WINDOW, 1e-5);
    windows(1e9, 1000, 1e-5);
    spikes();
    decay();
    weighted(0, 1e-13);
    weighted(1e9, 1e-6);
    for (uint32_t lag = 1; lag < 10; lag += 4) {
        autocorrelations(lag, 0);
        autocorrelations(lag, 1);
        autocorrelations(lag, WINDOW);
    }
    edges(NULL, 0);
    edges("window", 4);
    edges("alpha", 0.25);
    window_edges();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const int rc = rig_declare(&s, kinds[i].kind, kinds[i].one, kinds[i].a,
                                   kinds[i].two, kinds[i].b);

        if (rc != 0) return 1;
        rig_all(&s, 1e-9);
    }
    return tap_done();
}
