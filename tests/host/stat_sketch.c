/* stat_sketch.c - cardinality within its error; frequent values within their bounds. */
#include "stat_rig.h"

static double level(void)
{
    return floor(rig_normal() * 100) / 100;
}

/* Zipf's: value v with a frequency near 1 / v. */
static double zipf(void)
{
    return floor(exp(rig_uniform() * log(100000)));
}

static struct tw_stat distinct_of(uint32_t precision)
{
    struct tw_stat_options o = tw_stat_no_options();

    o.precision = precision;
    return rig_stat("distinct", o);
}

static struct tw_stat topk_of(uint32_t k)
{
    struct tw_stat_options o = tw_stat_no_options();

    o.k = k;
    return rig_stat("topk", o);
}

/* ---- distinct ---- */

/* Of consecutive integers from a random one; each is pushed twice at first. */
static void cardinality(uint32_t precision)
{
    struct tw_stat s = distinct_of(precision);
    double sigma = 1.04 / sqrt(exp2(precision ? precision : 12)), worst = 0, square = 0;
    int max = getenv("SMALL") ? 100000 : 10000000, checks = 0;

    if (precision && max > 1000000) max = 1000000;
    for (int decade = 1; decade <= max; decade *= 10)
        for (int round = 0; round < (decade < 100000 ? 10 : 1); round++) {
            void *state = rig_state(&s);
            double x[TW_STAT_BATCH], at = (double)(next() >> 20), off;

            for (int i = 0; i < decade; i += TW_STAT_BATCH) {
                int n = decade - i < TW_STAT_BATCH ? decade - i : TW_STAT_BATCH;

                for (int j = 0; j < n; j++) x[j] = at + i + j;
                rig_feed(&s, state, x, (size_t)n, NULL);
                if (i == 0) rig_feed(&s, state, x, (size_t)n, NULL);
            }
            off = fabs(tw_stat_get(&s, state, 0) / decade - 1) / sigma;
            worst = off > worst ? off : worst;
            square += off * off;
            checks++;
            free(state);
        }
    ok(worst < 4 && sqrt(square / checks) < 1.2,
       "precision %u, 1 to %d values: %d errors of %.2f sigma, %.2f at most",
       precision, max, checks, sqrt(square / checks), worst);
}

static void distinct(void)
{
    struct tw_stat s = distinct_of(0), t = distinct_of(16);
    void *state = rig_state(&s);
    static const double same[] = { 0.0, -0.0, NAN, 0.0, INFINITY, -INFINITY, INFINITY };
    double near;

    ok(tw_stat_get(&s, state, 0) == 0 && tw_stat_get(&s, state, 1) == 0,
       "of nothing there are 0 different values");
    rig_feed(&s, state, same, 7, NULL);
    near = tw_stat_get(&s, state, 0);
    ok(fabs(near - 3) < 0.01 && tw_stat_get(&s, state, 1) == 6,
       "0 and -0 are one value, infinities two, NaN none: %.4f", near);
    ok(s.size <= 4096 + 272 && t.size <= 65536 + 272, "%zu bytes, %zu at precision 16",
       s.size, t.size);
    free(state);
    for (uint32_t p = 4; p <= 16; p += 4) cardinality(p == 12 ? 0 : p);
}

/* ---- topk ---- */

enum { VALUES = 100000 };
static uint64_t truth[VALUES + 1];

/* Counts are within their bounds, in order, and no frequent value is left out. */
static void check_topk(const struct tw_stat *s, const void *state, uint64_t rows,
                       const char *what)
{
    static double pairs[1024][2];
    unsigned k = s->o.k ? s->o.k : 10, m = 4 * k < 64 ? 64 : 4 * k;
    unsigned n = s->ops->list(s, state, pairs, 1024), missed = 0;
    double error = tw_stat_get(s, state, 3), last = INFINITY;
    int wrong = 0;

    for (unsigned i = 0; i < n; i++) {
        double is = (double)truth[(size_t)pairs[i][0]], says = pairs[i][1];

        wrong += says < is || says > is + error || says > last;
        last = says;
    }
    for (size_t v = 0; n == k && v <= VALUES; v++) {
        bool found = (double)truth[v] <= last;

        for (unsigned i = 0; i < n && !found; i++) found = pairs[i][0] == (double)v;
        missed += !found;
    }
    ok(wrong == 0 && error <= (double)rows / m && tw_stat_get(s, state, 1) == (double)rows
       && tw_stat_get(s, state, 0) == pairs[0][0]
       && tw_stat_get(s, state, 2) == pairs[0][1],
       "%s, k=%u: counts of %u values are within %.0f of %llu rows", what, k, n, error,
       (unsigned long long)rows);
    ok(missed == 0, "and no value is left out that is more frequent");
}

static double uniform(void)
{
    return floor(rig_uniform() * 1000);
}

static double two(void)
{
    return next() % 4 ? 7 : 8;
}

static void topk(void)
{
    static const struct { const char *name; double (*value)(void); } streams[] = {
        { "Zipf's", zipf }, { "uniform", uniform }, { "two values", two }
    };
    static const uint32_t ks[] = { 0, 1, 100, 1024 };
    int rows = getenv("SMALL") ? 20000 : 300000;

    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        for (size_t j = 0; j < sizeof ks / sizeof *ks; j++) {
            struct tw_stat s = topk_of(ks[j]);
            void *state = rig_state(&s), *parts[3];
            char text[40];

            for (int p = 0; p < 3; p++) parts[p] = rig_state(&s);
            memset(truth, 0, sizeof truth);
            for (int n = 0; n < rows; n++) {
                double x = streams[i].value();

                truth[(size_t)x]++;
                tw_stat_push(&s, state, &x, 0);
                /* The parts are of unlike streams: small values go into the first. */
                tw_stat_push(&s, parts[x < 20 ? 0 : n % 50 ? 1 : 2], &x, 0);
            }
            check_topk(&s, state, (uint64_t)rows, streams[i].name);
            s.ops->merge(&s, parts[0], parts[1]);
            s.ops->merge(&s, parts[2], parts[0]);
            ok(s.ops->valid(&s, parts[2]), "merged, it is in order");
            snprintf(text, sizeof text, "%s merged", streams[i].name);
            check_topk(&s, parts[2], (uint64_t)rows, text);
            free(state);
            for (int p = 0; p < 3; p++) free(parts[p]);
        }
}

static void few(void)
{
    struct tw_stat s = topk_of(2);
    void *state = rig_state(&s);
    double pairs[4][2];

    ok(isnan(tw_stat_get(&s, state, 0)) && tw_stat_get(&s, state, 1) == 0
       && isnan(tw_stat_get(&s, state, 2)) && isnan(tw_stat_get(&s, state, 3))
       && s.ops->list(&s, state, pairs, 4) == 0, "nothing has no frequent value");
    rig_feed(&s, state, (const double[]){ 5, -0.0, 3, 0.0, INFINITY, 3, 0.0 }, 7, NULL);
    ok(s.ops->list(&s, state, pairs, 4) == 2 && pairs[0][0] == 0 && pairs[0][1] == 3
       && pairs[1][0] == 3 && pairs[1][1] == 2 && tw_stat_get(&s, state, 3) == 0,
       "while every value has a counter the counts are exact");
    ok(s.ops->list(&s, state, pairs, 1) == 1, "and a list may be shorter");
    free(state);
}

/* What many small merges add up to: the bound is that of all rows. */
static void panes(void)
{
    struct tw_stat s = topk_of(0), d = distinct_of(0);
    void *whole = rig_state(&s), *all = rig_state(&d), *once = rig_state(&d);
    double near;

    memset(truth, 0, sizeof truth);
    for (int pane = 0; pane < 200; pane++) {
        void *state = rig_state(&s), *other = rig_state(&d);

        for (int i = 0; i < 500; i++) {
            double x = zipf();

            truth[(size_t)x]++;
            tw_stat_push(&s, state, &x, 0);
            tw_stat_push(&d, other, &x, 0);
            tw_stat_push(&d, once, &x, 0);
        }
        s.ops->merge(&s, whole, state);
        d.ops->merge(&d, all, other);
        free(state), free(other);
    }
    check_topk(&s, whole, 200 * 500, "200 panes");
    near = tw_stat_get(&d, all, 0);
    ok(near == tw_stat_get(&d, once, 0), "merged registers are those of the whole");
    free(whole), free(all), free(once);
}

int main(void)
{
    static const uint32_t sizes[] = { 0, 1, 4, 16, 100 };

    distinct();
    topk();
    few();
    panes();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct tw_stat d = distinct_of(sizes[i] == 100 || sizes[i] == 1 ? 5 : sizes[i]);
        struct tw_stat t = topk_of(sizes[i]);

        rig_batches(&d, level);
        rig_merge(&d, level, 0);
        rig_damage(&d);
        rig_batches(&t, zipf);
        rig_damage(&t);
    }
    return tap_done();
}
