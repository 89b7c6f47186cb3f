/* stat_quantile.c - rolling quantiles, ranks and deviations against their definitions;
 * the digest against sorted data. */
#include "stat_rig.h"

static const double ps[] = { 0, 0.0001, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99,
                             0.999, 0.9999, 1 };
enum { PS = sizeof ps / sizeof *ps };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Type 7, as the definition has it. */
static double quantile(const double *sorted, int n, double p)
{
    double h = p * (n - 1);
    int k = (int)h;

    return k + 1 < n ? sorted[k] + (h - k) * (sorted[k + 1] - sorted[k]) : sorted[n - 1];
}

static double level(void)
{
    return floor(rig_normal() * 20) / 4;
}

static double normal(void)
{
    return rig_normal();
}

static double wild(void)
{
    switch (next() % 8) {
    case 0: return INFINITY;
    case 1: return -INFINITY;
    case 2: return next() % 2 ? 0.0 : -0.0;
    default: return level();
    }
}

static struct tw_stat quantile_of(double p, uint32_t window)
{
    struct tw_stat_options o = tw_stat_no_options();

    o.p = p;
    o.window = window;
    return rig_stat("quantile", o);
}

/* ---- over the last n ---- */

/* The window that ends at x[i], in order; how many. */
static int window_at(const double *x, int i, int size, double *sorted)
{
    int n = i + 1 < size ? i + 1 : size;

    memcpy(sorted, x + i + 1 - n, (size_t)n * sizeof *x);
    qsort(sorted, (size_t)n, sizeof *x, ascending);
    return n;
}

static void rolling(double (*value)(void), double offset)
{
    enum { N = 1000 };
    static const int sizes[] = { 1, 2, 3, 10, 65, 1200 };
    static double x[N], q[N], med[N], rank[N], mad[N], sorted[N], apart[N];

    for (int i = 0; i < N; i++) x[i] = offset + value();
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        uint32_t size = (uint32_t)sizes[k];
        struct tw_stat a = quantile_of(0.9, size), b = rig_window("median", size),
            c = rig_window("rank", size), d = rig_window("mad", size);
        void *sa = rig_state(&a), *sb = rig_state(&b), *sc = rig_state(&c),
            *sd = rig_state(&d);
        int wrong[4] = { 0 }, n = 0;

        rig_feed(&a, sa, x, N, q);
        rig_feed(&b, sb, x, N, med);
        rig_feed(&c, sc, x, N, rank);
        rig_feed(&d, sd, x, N, mad);
        for (int i = 0; i < N; i++) {
            double less = 0, equal = -1, m;

            n = window_at(x, i, sizes[k], sorted);
            m = quantile(sorted, n, 0.5);
            wrong[0] += q[i] != quantile(sorted, n, 0.9);
            wrong[1] += med[i] != m;
            for (int j = 0; j < n; j++) {
                less += sorted[j] < x[i];
                equal += sorted[j] == x[i];
                apart[j] = fabs(sorted[j] - m);
            }
            wrong[2] += !rig_same(rank[i], n > 1 ? (less + equal / 2) / (n - 1) : NAN);
            qsort(apart, (size_t)n, sizeof *apart, ascending);
            wrong[3] += mad[i] != quantile(apart, n, 0.5);
        }
        ok(wrong[0] + wrong[1] == 0 && tw_stat_get(&a, sa, 1) == n
           && tw_stat_get(&a, sa, 2) == sorted[0]
           && tw_stat_get(&a, sa, 3) == sorted[n - 1],
           "quantiles of the last %u are those of the definition", size);
        ok(wrong[2] == 0 && wrong[3] == 0, "and so are ranks and deviations");
        wrong[0] = 0;
        for (int i = 0; i < PS; i++)
            wrong[0] += a.ops->at(&a, sa, ps[i]) != quantile(sorted, n, ps[i]);
        ok(wrong[0] == 0 && isnan(a.ops->at(&a, sa, 1.5)), "at any p between 0 and 1");
        free(sa), free(sb), free(sc), free(sd);
    }
}

static void edges(void)
{
    static const double x[] = { INFINITY, 1, -INFINITY, 2 };
    static const char *const names[] = { "median", "rank", "mad" };

    for (uint32_t window = 0; window <= 4; window += 4) {
        struct tw_stat s = quantile_of(0.5, window);
        void *state = rig_state(&s);

        ok(isnan(tw_stat_get(&s, state, 0)) && tw_stat_get(&s, state, 1) == 0
           && isnan(tw_stat_get(&s, state, 2)) && isnan(tw_stat_get(&s, state, 3)),
           "window=%u: nothing has no quantile", window);
        rig_feed(&s, state, x, 4, NULL);
        ok(tw_stat_get(&s, state, 0) == 1.5 && tw_stat_get(&s, state, 1) == 4
           && tw_stat_get(&s, state, 2) == -INFINITY
           && tw_stat_get(&s, state, 3) == INFINITY
           && s.ops->at(&s, state, 0.25) == -INFINITY
           && s.ops->at(&s, state, 0.75) == INFINITY
           && s.ops->at(&s, state, 1.0 / 3) == 1 && s.ops->at(&s, state, 2.0 / 3) == 2,
           "window=%u: infinities have their ranks", window);
        free(state);
    }
    for (size_t i = 0; i < 3; i++) {
        struct tw_stat s = rig_window(names[i], 3);
        void *state = rig_state(&s);

        ok(isnan(tw_stat_get(&s, state, 0)), "%s of nothing is NaN", names[i]);
        rig_feed(&s, state, (const double[]){ 1e9, 1e9, 1e9, 1e9 }, 4, NULL);
        ok(tw_stat_get(&s, state, 0) == (i == 0 ? 1e9 : i == 1 ? 0.5 : 0),
           "%s of equal values", names[i]);
        rig_feed(&s, state, (const double[]){ INFINITY, INFINITY }, 2, NULL);
        ok(i == 2 ? isnan(tw_stat_get(&s, state, 0))
           : tw_stat_get(&s, state, 0) == (i == 0 ? INFINITY : 0.75),
           "%s of infinities", names[i]);
        free(state);
    }
}

/* ---- the digest ---- */

static int step;
static double walk_at;

static double lognormal(void)
{
    return exp(2 * rig_normal());
}

static double rising(void)
{
    return step++;
}

static double falling(void)
{
    return -step++;
}

static double ticks(void)
{
    return floor(exp(rig_normal()) * 3) / 100;
}

static double bimodal(void)
{
    return rig_normal() + (next() % 2 ? 100 : 0);
}

static double walk(void)
{
    return walk_at += rig_normal();
}

static double saw(void)
{
    return step++ % 1000;
}

/* How far the ranks of x are from p: 0 if p is among them, or x between two values
 * between whose ranks it is. */
static double rank_error(const double *sorted, int n, double x, double p)
{
    int less = 0, up_to, high = n;
    double h = p * (n - 1);

    for (int low = 0; low < high;) {
        int middle = (low + high) / 2;

        if (sorted[middle] < x) less = low = middle + 1;
        else high = middle;
    }
    for (up_to = less; up_to < n && sorted[up_to] == x;) up_to++;
    return (h < less - 1 ? less - 1 - h : h > up_to ? h - up_to : 0) / n;
}

/* What digest.c promises: half a centroid. */
static double promised(double p)
{
    return 0.02 * pow(4 * p * (1 - p), 0.75);
}

/* The largest part of its promise that an error is. */
static double worst_of(const struct tw_stat *s, const void *state, const double *sorted,
                       int n)
{
    double worst = 0;

    for (int i = 0; i < PS; i++) {
        double x = s->ops->at(s, state, ps[i]), off = rank_error(sorted, n, x, ps[i]);

        if (ps[i] == 0 || ps[i] == 1) off = x == sorted[ps[i] == 0 ? 0 : n - 1] ? 0 : 1;
        else off /= promised(ps[i]);
        worst = off > worst ? off : worst;
    }
    return worst;
}

static void digests(void)
{
    static const struct { const char *name; double (*value)(void); } kinds[] = {
        { "normal", normal }, { "log-normal", lognormal }, { "rising", rising },
        { "falling", falling }, { "ticks", ticks }, { "bimodal", bimodal },
        { "a walk", walk }, { "a saw", saw }
    };
    struct tw_stat s = quantile_of(0.99, 0);
    int n = getenv("SMALL") ? 20000 : 200000;
    double *x = malloc((size_t)n * sizeof *x), worst;

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        void *whole = rig_state(&s), *parts = rig_state(&s);

        step = 0;
        for (int i = 0; i < n; i++) x[i] = kinds[k].value();
        rig_feed(&s, whole, x, (size_t)n, NULL);
        for (int i = 0; i < n; i += n / 200) {      /* short and long parts */
            int cut = n / 200 * (i / (n / 200) % 7) / 7;
            void *a = rig_state(&s), *b = rig_state(&s);

            rig_feed(&s, a, x + i, (size_t)cut, NULL);
            rig_feed(&s, b, x + i + cut, (size_t)(n / 200 - cut), NULL);
            s.ops->merge(&s, a, b);
            s.ops->merge(&s, parts, a);
            free(a), free(b);
        }
        qsort(x, (size_t)n, sizeof *x, ascending);
        worst = worst_of(&s, whole, x, n);
        ok(worst < 1 && tw_stat_get(&s, whole, 1) == n && s.ops->valid(&s, whole)
           && tw_stat_get(&s, whole, 0) == s.ops->at(&s, whole, 0.99),
           "%s: the worst error is %.2f of the promised one", kinds[k].name, worst);
        worst = worst_of(&s, parts, x, n);
        ok(worst < 1 && tw_stat_get(&s, parts, 1) == n && s.ops->valid(&s, parts),
           "%s: of 400 merged parts it is %.2f", kinds[k].name, worst);
        free(whole), free(parts);
    }
    free(x);
}

/* Uniform at an offset: the rank of x is x itself. */
static void long_day(void)
{
    struct tw_stat s = rig_stat("median", tw_stat_no_options());
    int n = getenv("SMALL") ? 100000 : 4000000;
    void *state = rig_state(&s);
    double worst = 0, before = -1;
    int falls = 0;

    for (int i = 0; i < n; i++) {
        double x = 1e9 + rig_uniform();

        tw_stat_push(&s, state, &x, 0);
    }
    for (double p = 0.001; p < 1; p += 0.001) {
        double at = s.ops->at(&s, state, p) - 1e9;
        double noise = 5 * sqrt(p * (1 - p) / n) + 1e-6;

        falls += at < before;
        before = at;
        worst = fmax(worst, (fabs(at - p) - noise) / promised(p));
    }
    ok(worst < 1 && falls == 0, "%d values at an offset of 1e9: %.2f of the promised"
       " error, ascending", n, worst);
    free(state);
}

static void exact_while_few(void)
{
    enum { N = 191 };
    struct tw_stat s = quantile_of(0.5, 0);
    void *state = rig_state(&s);
    double x[N], sorted[N];
    int wrong = 0;

    for (int n = 1; n <= N; n++) {
        x[n - 1] = next() % 4 ? level() : rig_normal();
        tw_stat_push(&s, state, &x[n - 1], 0);
        memcpy(sorted, x, sizeof x);
        qsort(sorted, (size_t)n, sizeof *x, ascending);
        for (int i = 0; i < PS; i++) {
            double off = s.ops->at(&s, state, ps[i]) - quantile(sorted, n, ps[i]);

            wrong += !(fabs(off) <= 1e-12);
        }
    }
    ok(wrong == 0, "up to %d values the digest is exact", N);
    free(state);
    state = rig_state(&s);
    for (int i = 0; i < 100000; i++)
        tw_stat_push(&s, state, &(double){ floor(N * rig_uniform() * rig_uniform()) }, 0);
    wrong = 0;
    for (int i = 0; i < PS; i++) {
        double at = s.ops->at(&s, state, ps[i]);

        wrong += at != floor(at);
    }
    ok(wrong == 0, "and so it is for as many different ones: no mean of two");
    free(state);
    state = rig_state(&s);
    for (int i = 0; i < N; i++) tw_stat_push(&s, state, &x[i], 0);
    for (int i = 0; i < 100000; i++) tw_stat_push(&s, state, &(double){ 0.1 }, 0);
    ok(s.ops->at(&s, state, 0.5) == 0.1 && s.ops->at(&s, state, 1) == sorted[N - 1],
       "what is equal stays so, to the bit");
    free(state);
    state = rig_state(&s);
    for (int i = 0; i < 10000; i++)
        tw_stat_push(&s, state, &(double){ ldexp(i % 2 ? -1 : 1, i % 1024) }, 0);
    ok(isfinite(s.ops->at(&s, state, 0.5)) && s.ops->at(&s, state, 1) == INFINITY
       && s.ops->at(&s, state, 0) == -INFINITY && s.ops->valid(&s, state),
       "values of any size: no mean overflows");
    free(state);
}

int main(void)
{
    static const char *const names[] = { "median", "rank", "mad" };
    static const uint32_t sizes[] = { 1, 2, 7, 200 };
    struct tw_stat s = quantile_of(0.9, 0);

    rolling(level, 0);
    rolling(normal, 1e9);
    edges();
    digests();
    long_day();
    exact_while_few();
    rig_batches(&s, wild);
    rig_damage(&s);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            s = rig_window(names[i], sizes[k]);
            rig_batches(&s, wild);
            rig_merge(&s, wild, 0);
            rig_damage(&s);
        }
    return tap_done();
}
