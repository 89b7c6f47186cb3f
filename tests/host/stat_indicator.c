/* stat_indicator.c - the indicators beside their formulas, computed the long way, and
 * beside known values. */
#include "stat_rig.h"

typedef long double exactly;

/* ---- the long way: everything anew from all the rows there are ---- */

enum { ROWS = 300 };
static double high[ROWS], low[ROWS], closes[ROWS], volume[ROWS];
static const struct tw_stat *of;       /* whose options are asked */

static int option(uint32_t is, int usual)
{
    return is ? (int)is : usual;
}

static exactly mean_of(const exactly *x, int n)
{
    exactly sum = 0;

    for (int i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

/* Of x[0..n-1]: smoothed with weight 1 / span, from the mean of the first `first` on. */
static exactly smoothed(const exactly *x, int n, int first, exactly span)
{
    exactly e;

    if (n < first) return NAN;
    e = mean_of(x, first);
    for (int i = first; i < n; i++) e = e * (1 - 1 / span) + x[i] / span;
    return e;
}

static exactly ema_of(const exactly *x, int n, int window)
{
    return smoothed(x, n, window, (window + 1) / 2.0L);
}

static exactly sma_of(const exactly *x, int n, int window)
{
    return n < window ? (exactly)NAN : mean_of(x + n - window, window);
}

static exactly wma_of(const exactly *x, int n, int window)
{
    exactly sum = 0, weights = 0;

    if (n < window) return NAN;
    for (int i = 1; i <= window; i++) {
        sum += i * x[n - window + i - 1];
        weights += i;
    }
    return sum / weights;
}

static exactly all_closes[ROWS];

static exactly sma(int n, unsigned field)
{
    const int window = (int)of->o.window;

    return field ? n < window ? n : window : sma_of(all_closes, n, window);
}

static exactly ema(int n, unsigned field)
{
    return field ? n : ema_of(all_closes, n, (int)of->o.window);
}

static exactly smma(int n, unsigned field)
{
    return field ? n : smoothed(all_closes, n, (int)of->o.window, of->o.window);
}

static exactly wma(int n, unsigned field)
{
    return field ? sma(n, 1) : wma_of(all_closes, n, (int)of->o.window);
}

static exactly hma(int n, unsigned field)
{
    const int window = (int)of->o.window, half = window > 1 ? window / 2 : 1;
    exactly ahead[ROWS];
    int root = 1;

    if (field) return sma(n, 1);
    while ((root + 1) * (root + 1) <= window) root++;
    if (n < window + root - 1) return NAN;
    for (int i = 0; i < root; i++) {
        const int to = n - root + 1 + i;

        ahead[i] = 2 * wma_of(all_closes, to, half) - wma_of(all_closes, to, window);
    }
    return wma_of(ahead, root, root);
}

static exactly macd(int n, unsigned field)
{
    const int fast = option(of->o.fast, 12), slow = option(of->o.slow, 26);
    exactly line[ROWS], value;
    int lines = 0;

    for (int i = fast > slow ? fast : slow; i <= n; i++)
        line[lines++] = ema_of(all_closes, i, fast) - ema_of(all_closes, i, slow);
    value = lines ? line[lines - 1] : (exactly)NAN;
    if (field < 2) return field ? n : value;
    return field == 2 ? ema_of(line, lines, option(of->o.signal, 9))
        : value - ema_of(line, lines, option(of->o.signal, 9));
}

static exactly rsi(int n, unsigned field)
{
    const int window = option(of->o.window, 14);
    exactly gain[ROWS], loss[ROWS], g, l;

    if (field == 1) return n;
    for (int i = 1; i < n; i++) {
        const exactly d = all_closes[i] - all_closes[i - 1];

        gain[i - 1] = d > 0 ? d : 0;
        loss[i - 1] = d < 0 ? -d : 0;
    }
    g = smoothed(gain, n - 1, window, window);
    l = smoothed(loss, n - 1, window, window);
    if (field) return field == 2 ? g : l;
    return l == 0 ? g == 0 ? 50 : 100 : 100 - 100 / (1 + g / l);
}

static exactly range_of(int i)
{
    exactly range = (exactly)high[i] - low[i];

    if (i > 0) {
        range = fmaxl(range, fabsl((exactly)high[i] - closes[i - 1]));
        range = fmaxl(range, fabsl((exactly)low[i] - closes[i - 1]));
    }
    return range;
}

static exactly atr(int n, unsigned field)
{
    const int window = option(of->o.window, 14);
    exactly range[ROWS];

    if (field) return field == 1 ? n : range_of(n - 1);
    for (int i = 0; i < n; i++) range[i] = range_of(i);
    return smoothed(range, n, window, window);
}

/* The decimal that a difference of decimals must be. */
static exactly decimal(exactly x)
{
    const exactly near = roundl(x * 1e9L) / 1e9L;

    return fabsl(near - x) < 1e-14L ? near : x;
}

static exactly adx(int n, unsigned field)
{
    const int window = option(of->o.window, 14);
    exactly up[ROWS], down[ROWS], range[ROWS], plus = NAN, minus = NAN, dx[ROWS];
    exactly value;
    int directions = 0;

    if (field == 1) return n;
    for (int i = 1; i < n; i++) {
        const exactly rise = decimal((exactly)high[i] - high[i - 1]);
        const exactly fall = decimal((exactly)low[i - 1] - low[i]);

        range[i - 1] = range_of(i);
        up[i - 1] = rise > fall && rise > 0 ? rise : 0;
        down[i - 1] = fall > rise && fall > 0 ? fall : 0;
        if (i < window) continue;
        plus = 100 * smoothed(up, i, window, window);
        minus = 100 * smoothed(down, i, window, window);
        dx[directions++] = plus + minus == 0 ? 0
            : 100 * fabsl(plus - minus) / (plus + minus);
    }
    if (field == 0) return smoothed(dx, directions, window, window);
    if (directions == 0) return NAN;
    if (field == 4) return dx[directions - 1];
    value = smoothed(range, n - 1, window, window);
    return value == 0 ? 0 : (field == 2 ? plus : minus) / value;
}

static exactly extreme(const double *x, int n, int window, int sign)
{
    exactly most = -INFINITY;

    for (int i = n - window; i < n; i++) most = fmaxl(most, sign * x[i]);
    return sign * most;
}

static exactly stochastic(int n, unsigned field)
{
    const int window = option(of->o.window, 14), smooth = option(of->o.smooth, 1);
    exactly raw[ROWS], k[ROWS];
    int rows = 0, ks = 0;

    if (field == 1) return n;
    for (int i = window; i <= n; i++) {
        const exactly least = extreme(low, i, window, -1);
        const exactly range = extreme(high, i, window, 1) - least;

        raw[rows++] = range == 0 ? 50 : 100 * (closes[i - 1] - least) / range;
        if (rows >= smooth) k[ks++] = sma_of(raw, rows, smooth);
    }
    return field ? sma_of(k, ks, option(of->o.signal, 3)) : ks ? k[ks - 1] : (exactly)NAN;
}

static exactly roc(int n, unsigned field)
{
    const int window = option(of->o.window, 10);

    if (field) return n;
    return n <= window ? (exactly)NAN
        : 100 * (all_closes[n - 1] / all_closes[n - 1 - window] - 1);
}

static exactly cci(int n, unsigned field)
{
    const int window = option(of->o.window, 20);
    exactly t[ROWS], mean, away = 0;

    if (field) return n < window ? n : window;
    if (n < window) return NAN;
    for (int i = 0; i < n; i++) t[i] = ((exactly)high[i] + low[i] + closes[i]) / 3;
    mean = sma_of(t, n, window);
    for (int i = n - window; i < n; i++) away += fabsl(t[i] - mean) / window;
    return away < 1e-15L ? 0 : (t[n - 1] - mean) / (0.015L * away);
}

static exactly obv(int n, unsigned field)
{
    exactly sum = 0;

    for (int i = 1; i < n; i++)
        sum += closes[i] > closes[i - 1] ? volume[i]
            : closes[i] < closes[i - 1] ? -volume[i] : 0;
    return field ? n : sum;
}

static exactly bollinger(int n, unsigned field)
{
    const int window = option(of->o.window, 20);
    const exactly mean = sma_of(all_closes, n, window);
    const exactly k = of->o.deviations > 0 ? of->o.deviations : 2;
    exactly away = 0;

    if (field == 1) return n < window ? n : window;
    if (n < window || field == 0) return mean;
    for (int i = n - window; i < n; i++)
        away += (all_closes[i] - mean) * (all_closes[i] - mean) / window;
    away = away < 1e-30L ? 0 : k * sqrtl(away);
    switch (field) {
    case 2: return mean + away;
    case 3: return mean - away;
    case 4: return away == 0 ? (exactly)NAN
        : (all_closes[n - 1] - mean + away) / (2 * away);
    default: return 2 * away / mean;
    }
}

static exactly donchian(int n, unsigned field)
{
    const int window = option(of->o.window, 20);

    if (field == 1) return n < window ? n : window;
    if (n < window) return NAN;
    if (field == 0)
        return (extreme(high, n, window, 1) + extreme(low, n, window, -1)) / 2;
    return field == 2 ? extreme(high, n, window, 1) : extreme(low, n, window, -1);
}

static const struct long_way {
    const char *kind;
    exactly (*value)(int n, unsigned field);
    const double *x[TW_STAT_INPUTS];
    struct tw_stat_options o[3];
} kinds[] = {
    { "sma", sma, { closes }, { { .window = 1 }, { .window = 7 }, { .window = 64 } } },
    { "ema", ema, { closes }, { { .window = 1 }, { .window = 7 }, { .window = 64 } } },
    { "smma", smma, { closes }, { { .window = 1 }, { .window = 7 }, { .window = 64 } } },
    { "wma", wma, { closes }, { { .window = 1 }, { .window = 7 }, { .window = 64 } } },
    { "hma", hma, { closes }, { { .window = 1 }, { .window = 9 }, { .window = 55 } } },
    { "macd", macd, { closes },
      { { 0 }, { .fast = 3, .slow = 10, .signal = 16 }, { .fast = 9, .slow = 2 } } },
    { "rsi", rsi, { closes }, { { 0 }, { .window = 1 }, { .window = 5 } } },
    { "atr", atr, { high, low, closes }, { { 0 }, { .window = 1 }, { .window = 30 } } },
    { "adx", adx, { high, low, closes }, { { 0 }, { .window = 1 }, { .window = 5 } } },
    { "stochastic", stochastic, { high, low, closes },
      { { 0 }, { .window = 5, .smooth = 3, .signal = 3 },
        { .window = 1, .signal = 9 } } },
    { "roc", roc, { closes }, { { 0 }, { .window = 1 }, { .window = 33 } } },
    { "cci", cci, { high, low, closes }, { { 0 }, { .window = 1 }, { .window = 9 } } },
    { "obv", obv, { closes, volume }, { { 0 } } },
    { "bollinger", bollinger, { closes },
      { { 0 }, { .window = 1 }, { .window = 9, .deviations = 1.5 } } },
    { "donchian", donchian, { high, low }, { { 0 }, { .window = 1 }, { .window = 9 } } },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static double rounded(double x, double unit)
{
    return unit > 0 ? round(x / unit) / round(1 / unit) : x;
}

/* Bars; unit 0: no decimals. */
static void make_bars(double unit)
{
    double x = 1.2;

    for (int i = 0; i < ROWS; i++) {
        const double up = rig_uniform() / 500, down = rig_uniform() / 500;

        x += rig_normal() / 1000;
        if (i > 100 && i < 170) x = 1.25;
        closes[i] = rounded(x, unit);
        high[i] = i > 120 && i < 160 ? closes[i] : rounded(x + up, unit);
        low[i] = i > 120 && i < 160 ? closes[i] : rounded(x - down, unit);
        volume[i] = (double)(next() % 1000) / 8;
        all_closes[i] = closes[i];
    }
}

/* The state goes on from its bytes after each row, as one that was loaded does. */
static void the_long_way(const char *what)
{
    static const struct tw_stat_options none;

    for (int k = 0; k < KINDS; k++) {
        int wrong = 0, n = 0;

        for (int j = 0; j < 3; j++) {
            struct tw_stat_options o = kinds[k].o[j];
            struct tw_stat s;
            void *state, *other;

            if (j > 0 && memcmp(&o, &none, sizeof o) == 0) continue;
            o.initial = o.p = NAN;
            s = rig_stat(kinds[k].kind, o);
            of = &s;
            state = rig_state(&s);
            for (int i = 0; i < ROWS; i++) {
                double x[TW_STAT_INPUTS];

                for (unsigned in = 0; in < s.n_inputs; in++) x[in] = kinds[k].x[in][i];
                tw_stat_push(&s, state, x, i);
                other = rig_state(&s);
                memcpy(other, state, s.size);
                free(state);
                state = other;
                for (unsigned f = 0; s.kind->fields[f]; f++) {
                    const double is = tw_stat_get(&s, state, f);
                    const double should = (double)kinds[k].value(i + 1, f);

                    n++;
                    if (isnan(is) == isnan(should)
                        && !(fabs(is - should) > 1e-9 * fmax(1, fabs(should)))) continue;
                    if (wrong++ < 3)
                        printf("# %s, row %d, %s: %.17g, not %.17g\n", rig_text(&s), i,
                               s.kind->fields[f], is, should);
                }
            }
            free(state);
        }
        ok(wrong == 0, "%s: %d fields of %s", kinds[k].kind, n, what);
    }
}

/* ---- known values ---- */

/* Each to two decimals, from `first` on. */
static void is_printed(const char *name, const struct tw_stat *s, const double *x,
                       const double *out, int n, int first)
{
    void *state = rig_state(s);
    int wrong = 0;

    for (int i = 0; i < n; i++) {
        const double value = rig_push(s, state, x[i], 0, 0);

        wrong += i < first ? !isnan(value) : !(fabs(value - out[i - first]) < 0.00501);
    }
    ok(wrong == 0, "%s: as it is printed", name);
    free(state);
}

static void known(void)
{
    /* A worked example of Wilder's RSI(14) and one of an EMA(10), in many texts. */
    static const double rsi_x[] = {
        44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433,
        46.0826, 45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116,
        46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548, 44.0288,
        44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314
    }, rsi_out[] = {
        70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71,
        50.42, 39.99, 41.46, 41.87, 45.46, 37.30, 33.08, 37.77
    }, ema_x[] = {
        22.2734, 22.1940, 22.0847, 22.1741, 22.1840, 22.1344, 22.2337, 22.4323, 22.2436,
        22.2933, 22.1542, 22.3926, 22.3816, 22.6109, 23.3558, 24.0519, 23.7530, 23.8324,
        23.9516, 23.6338, 23.8225, 23.8722, 23.6537, 23.1870, 23.0976, 23.3260, 22.6805,
        23.0976, 22.4025, 22.1725
    }, ema_out[] = {
        22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.80, 22.97, 23.13, 23.28, 23.34,
        23.43, 23.51, 23.54, 23.47, 23.40, 23.39, 23.26, 23.23, 23.08, 22.92
    };
    struct tw_stat s = rig_stat("rsi", tw_stat_no_options());
    char *state = rig_state(&s);
    double value = 0;

    is_printed("rsi", &s, rsi_x, rsi_out, sizeof rsi_x / sizeof *rsi_x, 14);
    s = rig_window("ema", 10);
    is_printed("ema", &s, ema_x, ema_out, sizeof ema_x / sizeof *ema_x, 9);

    s = rig_stat("rsi", tw_stat_no_options());
    for (int i = 0; i < 20; i++) value = rig_push(&s, state, 5, 0, 0);
    ok(value == 50, "rsi: nothing moved");
    for (int i = 0; i < 20; i++) value = rig_push(&s, state, 5.1 + i, 0, 0);
    ok(value == 100, "rsi: only gains");
    free(state);

    /* By hand: 1 2 4 is (1 1 + 2 2 + 3 4) / 6; hma(4) of a line lies on it. */
    s = rig_window("wma", 3);
    state = rig_state(&s);
    rig_push(&s, state, 1, 0, 0), rig_push(&s, state, 2, 0, 0);
    ok(rig_push(&s, state, 4, 0, 0) == 17 / 6.0, "wma by hand");
    ok(rig_push(&s, state, 0.5, 0, 0) == (2 + 8 + 1.5) / 6, "wma, and one leaves");
    free(state);
    s = rig_window("hma", 4);
    state = rig_state(&s);
    for (int i = 1; i <= 9; i++) value = rig_push(&s, state, i, 0, 0);
    /* 2 (i - 1/3) - (i - 1) = i + 1/3, and its wma(2) is 1/3 less. */
    ok(fabs(value - 9) < 1e-14, "hma of a line is the line");
    free(state);
    /* Twenty of 1 and 3 by turns deviate by 1. */
    s = rig_stat("bollinger", tw_stat_no_options());
    state = rig_state(&s);
    for (int i = 0; i < 40; i++) value = rig_push(&s, state, i % 2 ? 3 : 1, 0, 0);
    ok(value == 2 && tw_stat_get(&s, state, 2) == 4 && tw_stat_get(&s, state, 3) == 0
       && tw_stat_get(&s, state, 4) == 0.75 && tw_stat_get(&s, state, 5) == 2,
       "bollinger by hand");
    free(state);
    /* Up by one each row, a range of 2: all +DM, and the true range is 2. */
    s = rig_stat("adx", tw_stat_no_options());
    state = rig_state(&s);
    for (int i = 1; i < 28; i++) value = rig_push(&s, state, i + 1, i - 1, i);
    ok(isnan(value), "adx: none before row 28");
    ok(rig_push(&s, state, 29, 27, 28) == 100 && tw_stat_get(&s, state, 2) == 50
       && tw_stat_get(&s, state, 3) == 0, "adx by hand");
    free(state);
    s = rig_stat("obv", tw_stat_no_options());
    state = rig_state(&s);
    ok(rig_push(&s, state, 10, 100, 0) == 0 && rig_push(&s, state, 11, 0.1, 0) == 0.1
       && rig_push(&s, state, 11, 50, 0) == 0.1 && rig_push(&s, state, 12, 0.2, 0) == 0.3
       && rig_push(&s, state, 9, 0.3, 0) == 0, "obv by hand, and in decimals");
    free(state);
    /* Equal moves up and down, as decimals, are no direction. */
    s = rig_window("adx", 1);
    state = rig_state(&s);
    rig_push(&s, state, 110.01, 109.98, 110);
    rig_push(&s, state, 110.02, 109.97, 110);
    ok(tw_stat_get(&s, state, 2) == 0 && tw_stat_get(&s, state, 3) == 0,
       "adx: 110.02 - 110.01 is 109.98 - 109.97");
    free(state);
}

/* ---- without end ---- */

/* What is infinite, or sums up to that, leaves a window as it came. */
static void heals(void)
{
    static const double bad[] = { INFINITY, -INFINITY, 1.7e308, 1.7e308, -1.7e308 };
    static const char *const names[] = {
        "sma", "wma", "hma", "bollinger", "cci", "roc", "stochastic", "donchian"
    };

    for (unsigned k = 0; k < sizeof names / sizeof *names; k++) {
        struct tw_stat s = rig_window(names[k], 9);
        void *state = rig_state(&s), *fresh = rig_state(&s);
        int wrong = 0;

        for (int round = 0; round < 300; round++) {
            const double third = round % 2 ? 3 : 1;

            memset(fresh, 0, s.size);
            for (uint64_t i = next() % 4; i > 0; i--)
                rig_push(&s, state, bad[next() % 5], bad[next() % 5], bad[next() % 5]);
            for (uint64_t i = 12 + next() % 30; i > 0; i--) {
                const double x = rig_tick() / third;

                rig_push(&s, state, x + 1, x, x);
                rig_push(&s, fresh, x + 1, x, x);
            }
            for (unsigned f = 0; s.kind->fields[f]; f++)
                wrong += f != 1 && !rig_near(tw_stat_get(&s, state, f),
                                             tw_stat_get(&s, fresh, f), 1e-12);
        }
        ok(wrong == 0, "%s: infinities leave", names[k]);
        free(state), free(fresh);
    }
}

/* Far from where it began a band is still exact. */
static void far_bands(void)
{
    struct tw_stat s = rig_window("bollinger", 20);
    void *state = rig_state(&s);
    double away;

    for (int i = 0; i < 60; i++)
        rig_push(&s, state, i < 5 ? 1 : i % 2 ? 100000.00001 : 100000.00003, 0, 0);
    away = tw_stat_get(&s, state, 5) * tw_stat_get(&s, state, 0) / 4;
    ok(fabs(away - 1e-5) < 1e-17, "bollinger: a deviation of 1e-5 around 1e5");
    free(state);
}

/* Around 1e9, with what is no decimal and infinite in between: at last no rounding is
 * left. */
static void without_end(void)
{
    static const char *const names[] = { "sma", "wma", "hma", "bollinger", "ema" };
    const int n = getenv("SMALL") ? 100000 : 1000000;

    for (int k = 0; k < 5; k++) {
        struct tw_stat s = rig_window(names[k], 50);
        void *state = rig_state(&s);
        exactly x[1000];
        double is, should;

        for (int i = 0; i < n; i++) {
            double v = 1e9 + (double)(next() % 2000000) / 1e6;

            if (i % 1000 == 7) v = 1e9 / 3;
            if (i % 5000 == 8 && k < 4 && i < n - 1000)
                v = i % 10000 == 8 ? INFINITY : 1e18;
            if (i >= n - 1000) x[i - (n - 1000)] = v;
            rig_push(&s, state, v, 0, 0);
            if (i % 1000 == 500 && k < 2) {
                double again[50];
                void *fresh = rig_state(&s);

                for (int j = 0; j < 50; j++) {
                    again[j] = 1e9 + (double)(next() % 1000000) / 1e6;
                    rig_push(&s, state, again[j], 0, 0);
                    rig_push(&s, fresh, again[j], 0, 0);
                }
                if (tw_stat_get(&s, state, 0) != tw_stat_get(&s, fresh, 0)) {
                    ok(false, "%s: something is left at %d", names[k], i);
                    i = n;
                }
                free(fresh);
            }
        }
        is = tw_stat_get(&s, state, 0);
        if (k == 3) is = tw_stat_get(&s, state, 2);
        memcpy(all_closes, x + 900, 100 * sizeof *x);
        of = &s;
        should = k == 0 ? (double)sma(100, 0) : k == 1 ? (double)wma(100, 0)
            : k == 2 ? (double)hma(100, 0) : k == 3 ? (double)bollinger(100, 2)
            : (double)ema_of(x, 1000, 50);
        ok(fabs(is - should) < 1e-6, "%s: %d values around 1e9", names[k],
           n);
        if (!(fabs(is - should) < 1e-6)) printf("# %.17g, not %.17g\n", is, should);
        free(state);
    }
}

int main(void)
{
    make_bars(1e-5);
    the_long_way("prices");
    make_bars(0);
    the_long_way("no decimals");
    known();
    heals();
    far_bands();
    without_end();
    for (int k = 0; k < KINDS; k++) {
        struct tw_stat_options o = kinds[k].o[1];
        struct tw_stat s;

        o.initial = o.p = NAN;
        s = rig_stat(kinds[k].kind, o);
        rig_empty(&s);
        rig_batches(&s, rig_tick);
        rig_batches(&s, rig_normal);
        if (s.ops->valid) rig_damage(&s);
    }
    return tap_done();
}
