/* stat_crossing.c - averages that cross, or only touch, told to the last digit. */
#include <stdio.h>
#include <zlib.h>

#include "stat/ratio.h"
#include "stat_rig.h"

__extension__ typedef __int128 wide;

/* Nothing but integers: +1, -1 or 0 by the sign of the last difference that was not 0. */
static int crossed(wide difference, int *side)
{
    const int now = (difference > 0) - (difference < 0), was = *side;

    if (now) *side = now;
    return now && was && now != was ? now : 0;
}

static int64_t sum_of(const int64_t *x, int n, int window)
{
    int64_t sum = 0;

    for (int i = n - window; i < n; i++) sum += x[i];
    return sum;
}

/* How many rows cross otherwise than integers do; and doubles, summed on and on. */
static int crossings(const double *x, const int64_t *fixed, int n, int fast, int slow,
                     int *by_doubles)
{
    struct tw_stat f = rig_window("sma", (uint32_t)fast);
    struct tw_stat l = rig_window("sma", (uint32_t)slow);
    struct tw_stat c = rig_stat("crossover", tw_stat_no_options());
    void *fs = rig_state(&f), *ls = rig_state(&l), *cs = rig_state(&c);
    double sum_f = 0, sum_l = 0;
    int side = 0, side_d = 0, wrong = 0;

    for (int i = 0; i < n; i++) {
        const struct tw_compared a = { rig_push(&f, fs, x[i], 0, 0), &f, fs };
        const struct tw_compared b = { rig_push(&l, ls, x[i], 0, 0), &l, ls };
        double d;
        int should;

        sum_f += x[i] - (i >= fast ? x[i - fast] : 0);
        sum_l += x[i] - (i >= slow ? x[i - slow] : 0);
        if (i + 1 < slow) continue;
        should = crossed((wide)sum_of(fixed, i + 1, fast) * slow
                         - (wide)sum_of(fixed, i + 1, slow) * fast, &side);
        d = sum_f / fast - sum_l / slow;
        *by_doubles += crossed((d > 0) - (d < 0), &side_d) != should;
        wrong += rig_push(&c, cs, tw_compare(&a, &b), 0, 0) != should;
        /* The averages, each rounded once, and so do their values. */
        wrong += (a.x > b.x) - (a.x < b.x) != tw_compare(&a, &b);
    }
    free(fs), free(ls), free(cs);
    return wrong;
}

static void pairs(const double *x, const int64_t *fixed, int n, const char *what)
{
    int wrong = 0, by_doubles = 0, n_pairs = 0;

    for (int fast = 1; fast <= 10; fast += 3)
        for (int slow = 2 * fast; slow <= 40; slow += fast) {
            wrong += crossings(x, fixed, n, fast, slow, &by_doubles);
            n_pairs++;
        }
    ok(wrong == 0, "%s: crossings of %d pairs of averages are those of integers", what,
       n_pairs);
    ok(by_doubles > 0, "%s: and %d rows of running sums of doubles are not", what,
       by_doubles);
}

enum { DAYS = 6000 };

/* The closes of a file of bars; 0, and a line of TAP: there is none. */
static int read_closes(const char *name, double *x)
{
    char path[100], line[200];
    gzFile file;
    int n = 0;

    snprintf(path, sizeof path, "../shared/data/%s", name);
    file = gzopen(path, "r");
    if (!file) {
        printf("ok %d # skip no %s here\n", ++tap_count, path);
        return 0;
    }
    while (n < DAYS && gzgets(file, line, sizeof line))
        n += sscanf(line, "%*[^,],%*f,%*f,%*f,%lf", &x[n]) == 1;
    gzclose(file);
    return n;
}

static void ties(void)
{
    static double x[DAYS];
    static int64_t fixed[DAYS];
    int64_t ticks = 107000;
    int n;

    for (int i = 0; i < 3000; i++) {
        ticks += (int64_t)(next() % 5) - 2;
        x[i] = (double)ticks / 1e5;
        fixed[i] = ticks;
    }
    pairs(x, fixed, 3000, "a walk of few ticks");
    n = read_closes("backtesting.py/EURUSD.csv.gz", x);
    if (n == 0) return;
    for (int i = 0; i < n; i++) fixed[i] = llround(x[i] * 1e5);
    ok(n == 5000, "EURUSD: %d hours", n);
    pairs(x, fixed, n, "EURUSD");
}

/* What other systems trade on these: their test suites say how often. */
static void other_systems(void)
{
    struct tw_stat fast = rig_window("sma", 10), slow = rig_window("sma", 30);
    struct tw_stat day = rig_window("sma", 15);
    struct tw_stat cross = rig_stat("crossover", tw_stat_no_options());
    void *f = rig_state(&fast), *l = rig_state(&slow), *d = rig_state(&day);
    void *c = rig_state(&cross);
    static double x[DAYS];
    int n = read_closes("backtrader/2006-day-001.txt.gz", x), buys = 0, sells = 0;

    for (int i = 0; i < n; i++) {
        const double mean = rig_push(&day, d, x[i], 0, 0);
        const double now = isnan(mean) ? 0 : rig_push(&cross, c, x[i], mean, 0);

        if (now > 0 && buys == sells) buys++;
        else if (now < 0 && buys > sells) sells++;
    }
    if (n > 0) ok(buys == 12 && sells == 11, "%d buys and %d sells of 2006", buys, sells);
    n = read_closes("backtesting.py/GOOG.csv.gz", x);
    memset(c, 0, cross.size);
    for (int i = 0; i < n; i++) {
        const struct tw_compared a = { rig_push(&fast, f, x[i], 0, 0), &fast, f };
        const struct tw_compared b = { rig_push(&slow, l, x[i], 0, 0), &slow, l };

        if (!isnan(b.x)) rig_push(&cross, c, tw_compare(&a, &b), 0, 0);
    }
    if (n > 0)
        ok(tw_stat_get(&cross, c, 1) + tw_stat_get(&cross, c, 2) == 66,
           "66 trades on crossings of GOOG");
    free(f), free(l), free(d), free(c);
}

/* Fractions that no double tells apart, and sides of any sort. */
static void compares(void)
{
    struct tw_stat a = rig_window("sma", 3), b = rig_window("sma", 2000);
    struct tw_stat e = rig_window("ema", 1), w = rig_window("wma", 2);
    void *as = rig_state(&a), *bs = rig_state(&b), *es = rig_state(&e);
    void *ws = rig_state(&w);
    struct tw_compared sa = { 0, &a, as }, sb = { 0, &b, bs }, se = { 0, &e, es };
    struct tw_compared sw = { 0, &w, ws }, number = { 123456.5, NULL, NULL };

    for (int i = 0; i < 3; i++) sa.x = rig_push(&a, as, 123456.5, 0, 0);
    for (int i = 0; i < 2000; i++)
        sb.x = rig_push(&b, bs, i ? 123456.5 : 123456.500000001, 0, 0);
    ok(sa.x == sb.x && tw_compare(&sa, &sb) == -1 && tw_compare(&sb, &sa) == 1,
       "5e-13 of 123456.5 is a difference that no double has");
    ok(tw_compare(&sb, &number) == 1 && tw_compare(&number, &sa) == 0
       && tw_compare(&number, &sb) == -1, "beside a number");
    se.x = rig_push(&e, es, 123456.5, 0, 0);
    ok(tw_compare(&se, &sa) == 0, "beside what is no fraction, but a decimal now");
    se.x = rig_push(&e, es, 1e9 / 3, 0, 0);
    ok(tw_compare(&se, &sa) == 1 && tw_compare(&sa, &se) == -1, "beside a double");
    rig_push(&w, ws, -1, 0, 0);
    sw.x = rig_push(&w, ws, -1.1, 0, 0);
    number.x = -16 / 15.0;
    ok(tw_compare(&sw, &number) == 0, "-16/15 as a double is -16/15");
    number.x = -1.066666667;
    ok(tw_compare(&sw, &number) == 1 && tw_compare(&number, &sw) == -1,
       "below 0 as well");
    free(as), free(bs), free(es), free(ws);
}

int main(void)
{
    ties();
    other_systems();
    compares();
    return tap_done();
}
