/* stat_extremes.c - minimum, maximum, range and drawdown against their definitions. */
#include "stat_rig.h"

static double walk_at = 100;

/* Prices: a random walk above 0, with ties. */
static double price(void)
{
    walk_at += floor(rig_normal() * 3);
    if (walk_at < 1) walk_at = 1;
    return walk_at;
}

/* Profits: they may be negative, and so may all of their peaks. */
static double profit(void)
{
    return floor(rig_normal() * 4) - (double)(next() % 8);
}

static double wild(void)
{
    switch (next() % 8) {
    case 0: return INFINITY;
    case 1: return -INFINITY;
    default: return rig_normal();
    }
}

static void windows(void)
{
    enum { N = 3000 };
    static const uint32_t sizes[] = { 1, 2, 3, 7, 64, 1000, 5000 };
    static double x[N], low[N], high[N], spread[N];

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct tw_stat min = rig_window("min", sizes[k]),
            max = rig_window("max", sizes[k]),
            range = rig_window("range", sizes[k]);
        void *a = rig_state(&min), *b = rig_state(&max), *c = rig_state(&range);
        int wrong = 0;

        for (int i = 0; i < N; i++) x[i] = i < N / 2 ? price() : rig_normal();
        rig_feed(&min, a, x, N, low);
        rig_feed(&max, b, x, N, high);
        rig_feed(&range, c, x, N, spread);
        for (int i = 0; i < N; i++) {
            double l = x[i], h = x[i];

            for (int j = i; j >= 0 && j > i - (int)sizes[k]; j--) {
                l = x[j] < l ? x[j] : l;
                h = x[j] > h ? x[j] : h;
            }
            wrong += low[i] != l || high[i] != h || spread[i] != h - l;
        }
        ok(wrong == 0, "the extremes of the last %u are those of the definition",
           sizes[k]);
        ok(tw_stat_get(&min, a, 1) == (sizes[k] < N ? sizes[k] : N)
           && tw_stat_get(&range, c, 2) == low[N - 1]
           && tw_stat_get(&range, c, 3) == high[N - 1], "and so are the fields");
        free(a), free(b), free(c);
    }
}

static void whole(void)
{
    int n = getenv("SMALL") ? 100000 : 5000000;
    struct tw_stat min = rig_stat("min", tw_stat_no_options()),
        max = rig_stat("max", tw_stat_no_options()),
        range = rig_stat("range", tw_stat_no_options());
    double *x = malloc((size_t)n * sizeof *x), l = INFINITY, h = -INFINITY;
    void *a = rig_state(&min), *b = rig_state(&max), *c = rig_state(&range);

    for (int i = 0; i < n; i++) {
        x[i] = 1e9 + rig_uniform();
        l = fmin(l, x[i]);
        h = fmax(h, x[i]);
    }
    ok(isnan(tw_stat_get(&min, a, 0)) && isnan(tw_stat_get(&range, c, 0))
       && tw_stat_get(&max, b, 1) == 0, "nothing has no extremes");
    rig_feed(&min, a, x, (size_t)n, NULL);
    rig_feed(&max, b, x, (size_t)n, NULL);
    rig_feed(&range, c, x, (size_t)n, NULL);
    ok(tw_stat_get(&min, a, 0) == l && tw_stat_get(&max, b, 0) == h
       && tw_stat_get(&range, c, 0) == h - l && tw_stat_get(&range, c, 1) == n
       && tw_stat_get(&range, c, 2) == l && tw_stat_get(&range, c, 3) == h,
       "the extremes of %d values at an offset of 1e9", n);
    free(a), free(b), free(c), free(x);
}

static void infinities(void)
{
    static const double x[] = { 1, INFINITY, -INFINITY };
    struct tw_stat min = rig_window("min", 2), range = rig_window("range", 2);
    void *a = rig_state(&min), *c = rig_state(&range);
    double out[3];

    rig_feed(&min, a, x, 3, out);
    ok(out[0] == 1 && out[1] == 1 && out[2] == -INFINITY, "an infinity is an extreme");
    rig_feed(&range, c, x, 3, out);
    ok(out[0] == 0 && out[1] == INFINITY && out[2] == INFINITY,
       "and a range may be infinite");
    free(a), free(c);
}

/* By the definition, field by field. */
static int drawdown_wrong(const struct tw_stat *s, const double *x, int n)
{
    void *state = rig_state(s);
    double peak = -INFINITY, deepest = 0, max_depth = 0;
    int wrong = 0;

    for (int i = 0; i < n; i++) {
        double lost;

        peak = fmax(peak, x[i]);
        lost = peak > 0 ? fmin((peak - x[i]) / peak, 1) : NAN;
        deepest = fmax(deepest, lost);      /* fmax leaves a NaN out */
        max_depth = fmax(max_depth, peak - x[i]);
        tw_stat_push(s, state, &x[i], 0);
        wrong += !rig_same(tw_stat_get(s, state, 0), lost)
            || tw_stat_get(s, state, 1) != i + 1
            || !rig_same(tw_stat_get(s, state, 2), peak > 0 ? deepest : NAN)
            || tw_stat_get(s, state, 3) != peak
            || !rig_same(tw_stat_get(s, state, 4), peak - x[i])
            || tw_stat_get(s, state, 5) != max_depth;
    }
    free(state);
    return wrong;
}

static void drawdowns(void)
{
    enum { N = 2000 };
    static double x[N];
    struct tw_stat s = rig_stat("drawdown", tw_stat_no_options());
    void *state = rig_state(&s);
    int wrong = 0;

    for (unsigned f = 0; s.kind->fields[f]; f++)
        wrong += !rig_same(tw_stat_get(&s, state, f), f == 1 ? 0 : NAN);
    ok(wrong == 0, "nothing has no drawdown");
    for (int i = 0; i < N; i++) x[i] = price();
    ok(drawdown_wrong(&s, x, N) == 0, "drawdowns of prices are those of the definition");
    for (int i = 0; i < N; i++) x[i] = i < 5 ? -1 - i : profit();
    ok(drawdown_wrong(&s, x, N) == 0, "and of profits: NaN until a peak is above 0");
    rig_feed(&s, state, (const double[]){ 100, 120, 90, 130, 117 }, 5, NULL);
    ok(tw_stat_get(&s, state, 0) == 0.1 && tw_stat_get(&s, state, 2) == 0.25
       && tw_stat_get(&s, state, 4) == 13 && tw_stat_get(&s, state, 5) == 30,
       "100 120 90 130 117: a tenth lost now, a quarter at worst");
    rig_feed(&s, state, (const double[]){ -5 }, 1, NULL);
    ok(tw_stat_get(&s, state, 0) == 1 && tw_stat_get(&s, state, 4) == 135,
       "below 0 all is lost, and the amount says how far");
    rig_feed(&s, state, (const double[]){ INFINITY, 1 }, 2, NULL);
    ok(tw_stat_get(&s, state, 0) == 1, "below an infinite peak all is lost");
    free(state);
}

int main(void)
{
    static const char *const names[] = { "min", "max", "range", "drawdown" };
    static const uint32_t sizes[] = { 0, 1, 5, 100 };

    windows();
    whole();
    infinities();
    drawdowns();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            struct tw_stat s;

            if (i == 3 && sizes[k]) continue;
            s = rig_window(names[i], sizes[k]);
            rig_batches(&s, wild);
            rig_merge(&s, price, 0);
            rig_merge(&s, profit, 0);
            rig_merge(&s, wild, 0);
            rig_damage(&s);
        }
    return tap_done();
}
