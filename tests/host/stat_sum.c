/* stat_sum.c - counts, sums and means against long doubles and integers (X1, X2). */
#include "stat/exact.h"
#include "stat_rig.h"

static double price(void)
{
    return (double)(10000 + next() % 20000) / 100;
}

static double mixed(void)
{
    switch (next() % 8) {
    case 0: return rig_normal() * 1e6;
    case 1: return (double)(next() % 1000);
    case 2: return next() % 20 ? rig_normal() : next() % 2 ? INFINITY : -INFINITY;
    default: return price();
    }
}

/* What is no decimal, small or large, or infinite. */
static double odd(void)
{
    switch (next() % 8) {
    case 0: return next() % 2 ? INFINITY : -INFINITY;
    case 1: return rig_normal() * 1e12;
    default: return rig_normal();
    }
}

static double value_of(const char *kind, const double *x, size_t n, unsigned field)
{
    struct tw_stat s = rig_stat(kind, tw_stat_no_options());
    void *state = rig_state(&s);
    double v;

    rig_feed(&s, state, x, n, NULL);
    v = tw_stat_get(&s, state, field);
    free(state);
    return v;
}

static void few(void)
{
    static const double tenths[] = { .1, .1, .1, .1, .1, .1, .1, .1, .1, .1 };
    static const double some[] = { 1, NAN, 2.5, NAN }, lost[] = { 1e100, 1, -1e100 };
    static const double up[] = { 1, INFINITY, 2 }, both[] = { INFINITY, -INFINITY };
    static const double huge[] = { 1.5e308, 1.5e308 };

    ok(value_of("count", some, 0, 0) == 0 && value_of("sum", some, 0, 0) == 0
       && isnan(value_of("mean", some, 0, 0)), "of none: 0, 0 and NaN");
    ok(value_of("count", some, 4, 0) == 2 && value_of("sum", some, 4, 0) == 3.5
       && value_of("mean", some, 4, 0) == 1.75, "missing values are not counted");
    ok(value_of("sum", some, 4, 1) == 2 && value_of("sum", some, 4, 2) == 1.75
       && value_of("mean", some, 4, 1) == 2 && value_of("mean", some, 4, 2) == 3.5,
       "the fields are each other's");
    ok(value_of("sum", tenths, 10, 0) == 1 && value_of("mean", tenths, 10, 0) == 0.1,
       "ten times 0.1 is 1");
    ok(value_of("sum", lost, 3, 0) == 1, "nothing is lost beside 1e100");
    ok(value_of("sum", up, 3, 0) == INFINITY && value_of("mean", up, 3, 0) == INFINITY
       && isnan(value_of("sum", both, 2, 0)), "infinities are IEEE's");
    ok(value_of("sum", huge, 2, 0) == INFINITY, "past the largest double is infinite");
    ok(value_of("mean", up, 1, 0) == 1, "one value is its mean");
}

/* Decimals of up to nine places and of any size are recognised as what they are. */
static void decimals(void)
{
    int wrong = 0, loose = 0;
    int64_t v;

    for (int i = 0; i < 200000; i++) {
        int64_t near = (int64_t)(next() % (UINT64_C(1) << 51)) >> next() % 50;
        int64_t far = (int64_t)(next() % (UINT64_C(1) << 51)) * 1000;

        if (next() % 2) near = -near, far = -far;
        wrong += !tw_exact_decimal((double)near / 1e9, &v) || v != near;
        wrong += !tw_exact_decimal(tw_fixed_to_double(far), &v) || v != far;
        loose += !tw_exact_decimal(rig_uniform(), &v);
    }
    ok(wrong == 0, "decimals are told from other doubles, near and far");
    ok(loose > 199000, "and others are none");
    ok(!tw_exact_decimal(INFINITY, &v) && !tw_exact_decimal(NAN, &v)
       && !tw_exact_decimal(1e300, &v) && !tw_exact_decimal(0x1p-1074, &v),
       "nor what is not finite, large or tiny");
    ok(tw_exact_decimal(-0.0, &v) && v == 0, "-0 is 0");
}

/* Near to what is a decimal, and anything. */
static double doubtful(void)
{
    uint64_t bits = next();
    double any;

    memcpy(&any, &bits, sizeof any);
    switch (next() % 8) {
    case 0: return any;
    case 1: return mixed();
    case 2: return nextafter(price(), next() % 2 ? INFINITY : -INFINITY);
    case 3: return TW_EXACT_NEAR + (double)(int)(next() % 5) - 2;
    case 4: return -TW_EXACT_NEAR + (double)(int)(next() % 5) - 2;
    case 5: return next() % 2 ? NAN : -0.0;
    default: return tw_fixed_to_double((int64_t)next() >> next() % 64);
    }
}

/* In columns of any length as one by one. */
static void columns(void)
{
    enum { ROUNDS = 2000, MOST = 40 };
    int64_t fixed[MOST + 1], one;
    double x[MOST];
    int wrong = 0, of_each[2] = { 0 };

    for (int round = 0; round < ROUNDS; round++) {
        unsigned n = (unsigned)(next() % (MOST + 1));

        for (unsigned i = 0; i < n; i++) x[i] = doubtful();
        fixed[n] = 1;
        tw_exact_column(n, x, fixed);
        for (unsigned i = 0; i < n; i++) {
            bool is = tw_exact_decimal(x[i], &one) && fabs(x[i]) < TW_EXACT_NEAR;

            wrong += fixed[i] != (is ? one : TW_EXACT_OTHER);
            of_each[is]++;
        }
        wrong += fixed[n] != 1;
    }
    ok(wrong == 0 && of_each[0] > ROUNDS && of_each[1] > ROUNDS,
       "columns are recognised as single values are: %d decimals, %d others", of_each[1],
       of_each[0]);
}

/* Quotients of wide integers: q * divisor, and a little more or less, for random q
 * of 53 bits and one below them. */
static void rounded_once(void)
{
    int wrong = 0;

    for (int i = 0; i < 200000; i++) {
        uint64_t unit = i % 2 ? UINT64_C(1000000000) : UINT64_C(1000000000000000000);
        uint64_t divisor = i % 2 ? unit * (1 + next() % 1000000) : unit;
        uint64_t half = (UINT64_C(1) << 53 | next() % (UINT64_C(1) << 53)) | 1;
        int side = (int)(next() % 3) - 1, negative = (int)(next() % 2);
        tw_int128 v = (tw_int128)half * (tw_int128)divisor + side;
        /* half is odd and of 54 bits: a tie between two doubles. */
        double below = (double)(half - 1), above = (double)(half + 1);
        double even = (half >> 1) % 2 ? above : below;
        double expected = side < 0 ? below : side > 0 ? above : even;
        struct tw_exact e = { .low = 0 };

        tw_exact_set(&e, negative ? -v : v);
        wrong += tw_exact_ratio(&e, divisor) != (negative ? -expected : expected);
    }
    ok(wrong == 0, "quotients of 128 bits are rounded once, ties to even");
}

/* X1, X2: moving sums of prices are integers, for ever. */
static void moving(void)
{
    enum { N = 20000, TURN = 5000 };
    static const uint32_t sizes[] = { 1, 2, 5, 64, 1000, 30000 };
    static double x[N], out[N], mean[N];

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct tw_stat sum = rig_window("sum", sizes[k]);
        struct tw_stat avg = rig_window("mean", sizes[k]);
        void *a = rig_state(&sum), *b = rig_state(&avg);
        int64_t cents = 0;
        int wrong = 0;

        for (int i = 0; i < N; i++) x[i] = price();
        for (int i = TURN; i < TURN + 100; i++)   /* what must leave no trace */
            x[i] = odd();
        rig_feed(&sum, a, x, N, out);
        rig_feed(&avg, b, x, N, mean);
        for (int i = 0; i < N; i++) {
            int old = i - (int)sizes[k], n = old < 0 ? i + 1 : (int)sizes[k];

            if (old >= 0 && (old < TURN || old >= TURN + 100))
                cents -= llrint(x[old] * 100);
            if (i >= TURN && i < TURN + 100) continue;
            cents += llrint(x[i] * 100);
            if (i >= TURN && old < TURN + 100) continue;
            wrong += out[i] != (double)cents / 100
                || mean[i] != (double)cents / (100. * n);
        }
        ok(wrong == 0, "sums and means of the last %u prices are exact", sizes[k]);
        free(a), free(b);
    }
}

/* So it is with weights: one price is the mean again when all others have left. */
static void moving_weighted(void)
{
    static const uint32_t sizes[] = { 1, 2, 5, 64 };
    int wrong = 0;

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct tw_stat s = rig_window("weighted_mean", sizes[k]);
        void *state = rig_state(&s);

        for (int round = 0; round < 200; round++) {
            double row[2], weight = 0;

            for (int i = (int)(next() % 100); i > 0; i--) {
                row[0] = next() % 2 ? odd() : price();
                row[1] = next() % 2 ? odd() : price();
                tw_stat_push(&s, state, row, 0);
            }
            for (uint32_t i = 0; i < sizes[k]; i++) {
                row[0] = 187.23;
                row[1] = (double)(1 + next() % 1000);
                weight += row[1];
                tw_stat_push(&s, state, row, 0);
            }
            wrong += tw_stat_get(&s, state, 0) != 187.23
                || tw_stat_get(&s, state, 2) != weight;
        }
        free(state);
    }
    ok(wrong == 0, "of rows that have left no weight is left");
}

/* Prices that repeat: the means of 5 and of 15 are one rational number. */
static void ties(void)
{
    struct tw_stat a = rig_window("mean", 5), b = rig_window("mean", 15);
    struct tw_stat all = rig_stat("mean", tw_stat_no_options());
    void *sa = rig_state(&a), *sb = rig_state(&b), *sc = rig_state(&all);
    double five[5];
    int wrong = 0;

    for (int i = 0; i < 5; i++) five[i] = price();
    for (int i = 0; i < 20000; i++) {
        const double *x = &five[i % 5];

        tw_stat_push(&a, sa, x, 0);
        tw_stat_push(&b, sb, x, 0);
        tw_stat_push(&all, sc, x, 0);
        if (i % 5 < 4 || i < 15) continue;
        wrong += tw_stat_get(&a, sa, 0) != tw_stat_get(&b, sb, 0)
            || tw_stat_get(&all, sc, 0) != tw_stat_get(&a, sa, 0);
    }
    ok(wrong == 0, "equal means tie, whatever their windows");
    free(sa), free(sb), free(sc);
}

static double relative(double v, long double exact)
{
    return (double)fabsl((v - exact) / exact);
}

static void many(double offset, bool weights)
{
    enum { BATCH = TW_STAT_BATCH };
    int n = getenv("SMALL") ? 100000 : 10000000;
    struct tw_stat s = rig_stat(weights ? "weighted_mean" : "mean", tw_stat_no_options());
    void *state = rig_state(&s);
    /* Long doubles have 11 bits more: of these sums too few without compensation. */
    long double sum = 0, carry = 0, weight = 0;
    double x[BATCH], w[BATCH];
    uint32_t key[BATCH] = { 0 };
    int64_t time[BATCH] = { 0 };

    for (int i = 0; i < n; i += BATCH) {
        struct tw_stat_rows r = { .n = (unsigned)(n - i < BATCH ? n - i : BATCH),
                                  .key = key, .x = { x, w }, .time = time };

        for (unsigned j = 0; j < r.n; j++) {
            long double y, t;

            x[j] = offset + rig_uniform();
            w[j] = weights ? rig_uniform() : 1;
            y = (long double)x[j] * w[j] - carry;
            t = sum + y;
            carry = (t - sum) - y;
            sum = t;
            weight += w[j];
        }
        s.ops->run(&s, state, &r);
    }
    ok(relative(tw_stat_get(&s, state, 0), sum / weight) < 4e-16
       && relative(tw_stat_get(&s, state, 3 - !weights), sum) < 4e-16,
       "%s of %d values from %g on, and their sum", s.kind->name, n, offset);
    free(state);
}

static void prices_by_size(void)
{
    struct tw_stat s = rig_stat("vwap", tw_stat_no_options());
    struct tw_stat w = rig_window("vwap", 10), sum = rig_stat("weighted_sum", s.o);
    void *a = rig_state(&s), *b = rig_state(&w), *c = rig_state(&sum);
    static const double rows[][2] = { { 10.01, 100 }, { 10.03, 300 }, { 10.02, 0 } };
    static const double odd[][2] = { { 1, INFINITY }, { INFINITY, 0 }, { 1e200, 1e200 } };
    int wrong = 0;

    for (int i = 0; i < 3; i++) {
        tw_stat_push(&s, a, rows[i], 0);
        tw_stat_push(&sum, c, rows[i], 0);
    }
    ok(tw_stat_get(&s, a, 0) == 10.025 && tw_stat_get(&s, a, 1) == 3
       && tw_stat_get(&s, a, 2) == 400 && tw_stat_get(&s, a, 3) == 4010,
       "a VWAP, its size and turnover");
    ok(tw_stat_get(&sum, c, 0) == 4010 && tw_stat_get(&sum, c, 3) == 10.025,
       "and the weighted sum");
    for (int i = 0; i < 3; i++) tw_stat_push(&w, b, odd[i], 0);
    ok(isnan(tw_stat_get(&w, b, 0)), "infinities in a window");
    for (int i = 0; i < 5000; i++) {
        double row[2] = { 187.23, (double)(1 + next() % 1000) };

        tw_stat_push(&w, b, row, 0);
        if (i >= 10) wrong += tw_stat_get(&w, b, 0) != 187.23;
    }
    ok(wrong == 0, "leave, and the VWAP of equal prices is that price");
    for (int i = 0; i < 100; i++) {
        double large[2] = { 2e6, 499999 };

        tw_stat_push(&sum, c, large, 0);
    }
    ok(tw_stat_get(&sum, c, 0) == 99999800004010., "large turnovers are exact");
    free(a), free(b), free(c);
}

/* 2^27 products as large as an integer takes, without pushing them one by one. */
static void full(void)
{
    struct tw_stat s = rig_stat("weighted_sum", tw_stat_no_options());
    void *a = rig_state(&s), *b = rig_state(&s);
    static const double x[2] = { 1e6, 999999.999 };

    tw_stat_push(&s, a, x, 0);
    for (int i = 0; i < 28; i++) {
        memcpy(b, a, s.size);
        s.ops->merge(&s, a, b);
    }
    tw_stat_push(&s, a, x, 0);
    ok(relative(tw_stat_get(&s, a, 0), 999999999000.L * 268435457) < 1e-15,
       "an integer that is full goes on as a double");
    free(a), free(b);
}

int main(void)
{
    static const char *const names[] = { "sum", "mean" };
    static const char *const weighted[] = { "weighted_mean", "vwap", "weighted_sum" };
    static const uint32_t sizes[] = { 0, 1, 7, 64 };

    few();
    decimals();
    columns();
    rounded_once();
    moving();
    moving_weighted();
    ties();
    many(0, false);
    many(1e9, false);
    many(0, true);
    many(1e9, true);
    prices_by_size();
    full();
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        for (size_t i = 0; i < 2; i++) {
            struct tw_stat s = rig_window(names[i], sizes[k]);

            rig_batches(&s, mixed);
            rig_merge(&s, price, 0);
            rig_damage(&s);
        }
        for (size_t i = 0; i < 3; i++) {
            struct tw_stat s = rig_window(weighted[i], sizes[k]);

            if (i < 2) rig_empty(&s);
            rig_batches(&s, mixed);
            rig_merge(&s, price, 0);
            rig_damage(&s);
        }
    }
    return tap_done();
}
