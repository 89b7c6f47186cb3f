/* stat.c - what a row costs each statistic, and what a key.
 *
 * Nanoseconds a row, scattered evenly over 1, 1,000 and 100,000 keys: without and
 * with a value after each row.  Below some of them a loop written by hand for just
 * that definition, which looks for no missing value, and how many times its cost
 * the statistic has.  Each figure is CPU time, the least of a few rounds over the
 * same rows, whose time goes on.
 *
 * With one argument: only the statistics whose name begins with it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stat/stat.h"

#define STEP_NS INT64_C(1000000)   /* between two rows */

enum { ROWS = 1 << 18, ROUNDS = 5, SCALES = 3, MOST = 100000, WINDOW = 64 };
static const size_t most_bytes = (size_t)1 << 29;   /* of states; more: not measured */
static const int64_t enough_ns = 50000000;          /* no further round after that   */
static const uint32_t scales[SCALES] = { 1, 1000, MOST };

static double column[TW_STAT_INPUTS][ROWS], out[ROWS];
static uint32_t keys[SCALES][ROWS];
static int64_t times[ROWS];

static uint64_t seed = 1;
static double uniform(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (double)(seed >> 11) * 0x1p-53;
}

/* Quotes: bid, bid_size, ask, ask_size. */
static void make_rows(void)
{
    double mid = 100;

    for (unsigned i = 0; i < ROWS; i++) {
        mid += floor(uniform() * 3 - 1) * 0.01;
        column[0][i] = mid - 0.01;
        column[1][i] = 100 + floor(uniform() * 900);
        column[2][i] = mid + 0.01;
        column[3][i] = 100 + floor(uniform() * 900);
        times[i] = INT64_C(1700000000000000000) + i * STEP_NS;
        for (int k = 0; k < SCALES; k++)
            keys[k][i] = (uint32_t)(uniform() * scales[k]);
    }
}

/* ---- by hand ---- */

#define HAND(name, fields, update, value) \
    struct name { fields }; \
    static void name(void *states, const struct tw_stat_rows *r) \
    { \
        for (unsigned i = 0; i < r->n; i++) { \
            struct name *s = (struct name *)states + r->key[i]; \
            const double x = r->x[0][i], y = r->x[1][i]; \
            (void)y; \
            update; \
            if (r->out) r->out[i] = value; \
        } \
    }

HAND(sum, double sum;, s->sum += x, s->sum)

HAND(sum_exact, double sum; double rest;,
     double sum = s->sum + x; double kept = sum - s->sum;
     s->rest += (s->sum - (sum - kept)) + (x - kept); s->sum = sum,
     s->sum + s->rest)

HAND(mean, double n; double mean;, s->mean += (x - s->mean) / ++s->n, s->mean)

HAND(variance, double n; double mean; double m2;,
     double d = x - s->mean; s->mean += d / ++s->n; s->m2 += d * (x - s->mean),
     s->m2 / (s->n - 1))

HAND(ewma, uint64_t n; double mean;,
     if (s->n++) s->mean += 0.05 * (x - s->mean); else s->mean = x, s->mean)

HAND(min, uint64_t n; double min;, if (s->n++ == 0 || x < s->min) s->min = x, s->min)

HAND(max, uint64_t n; double max;, if (s->n++ == 0 || x > s->max) s->max = x, s->max)

HAND(mean_64, double sum; uint32_t n; uint32_t at; double ring[WINDOW];,
     s->sum += x - s->ring[s->at]; s->ring[s->at] = x;
     s->at = (s->at + 1) % WINDOW; s->n += s->n < WINDOW, s->sum / s->n)

HAND(variance_64, double mean; double m2; uint32_t n; uint32_t at; double ring[WINDOW];,
     double old = s->ring[s->at]; double was = s->mean;
     s->ring[s->at] = x; s->at = (s->at + 1) % WINDOW;
     if (s->n < WINDOW) {
         s->mean += (x - was) / ++s->n;
         s->m2 += (x - was) * (x - s->mean);
     } else {
         s->mean += (x - old) / WINDOW;
         s->m2 += (x - old) * (x - s->mean + old - was);
     }, s->m2 / (s->n - 1))

HAND(covariance, double n; double x; double y; double xy;,
     double d = x - s->x; s->n++; s->x += d / s->n; s->y += (y - s->y) / s->n;
     s->xy += d * (y - s->y), s->xy / (s->n - 1))

HAND(correlation_64, double x; double y; double xx; double yy; double xy; uint32_t n;
     uint32_t at; uint64_t unused[2]; double ring[WINDOW][2];,
     double *old = s->ring[s->at]; double a = x - s->x; double b = y - s->y;
     if (s->n < WINDOW) {
         s->x += a / ++s->n;
         s->y += b / s->n;
         s->xx += a * (x - s->x);
         s->yy += b * (y - s->y);
         s->xy += a * (y - s->y);
     } else {
         double c = old[0] - s->x; double d = old[1] - s->y;
         double p = (a - c) / WINDOW; double q = (b - d) / WINDOW;
         s->x += p;
         s->y += q;
         s->xx += (a - c) * (a + c - p);
         s->yy += (b - d) * (b + d - q);
         s->xy += a * b - c * d - (a - c) * q;
     }
     old[0] = x; old[1] = y; s->at = (s->at + 1) % WINDOW,
     s->xy / (sqrt(s->xx) * sqrt(s->yy)))

HAND(vwap, double value; double size;, s->value += x * y; s->size += y,
     s->value / s->size)

HAND(prev, double now; double old;, s->old = s->now; s->now = x, s->old)

HAND(flow, double sum; uint64_t n; double bid; double bid_size; double ask;
     double ask_size;,
     double ask = r->x[2][i]; double ask_size = r->x[3][i];
     if (s->n++ > 0)
         s->sum += (x >= s->bid ? y : 0) - (x <= s->bid ? s->bid_size : 0)
             - (ask <= s->ask ? ask_size : 0) + (ask >= s->ask ? s->ask_size : 0);
     s->bid = x; s->bid_size = y; s->ask = ask; s->ask_size = ask_size, s->sum)

static const struct by_hand {
    const char *of, *what;
    size_t size;
    void (*run)(void *states, const struct tw_stat_rows *r);
} by_hand[] = {
    { "sum()", "naive", sizeof(struct sum), sum },
    { "sum()", "compensated", sizeof(struct sum_exact), sum_exact },
    { "mean()", "running mean", sizeof(struct mean), mean },
    { "mean(window=64)", "sum of a ring", sizeof(struct mean_64), mean_64 },
    { "variance()", "Welford", sizeof(struct variance), variance },
    { "variance(window=64)", "Welford", sizeof(struct variance_64), variance_64 },
    { "ewma(alpha=0.05)", "", sizeof(struct ewma), ewma },
    { "min()", "", sizeof(struct min), min },
    { "max()", "", sizeof(struct max), max },
    { "covariance()", "Welford", sizeof(struct covariance), covariance },
    { "correlation(window=64)", "rounding stays", sizeof(struct correlation_64),
      correlation_64 },
    { "vwap()", "two sums", sizeof(struct vwap), vwap },
    { "prev()", "", sizeof(struct prev), prev },
    { "order_flow_imbalance()", "", sizeof(struct flow), flow },
};

/* ---- one line ---- */

struct figures { double plain[SCALES], with_out[SCALES]; };

/* What is measured: a statistic, or a loop by hand. */
struct measured {
    const struct tw_stat *s;
    const struct by_hand *hand;
};

static void once(const struct measured *m, void *states, int scale, bool with_out)
{
    for (unsigned i = 0; i < ROWS; i += TW_STAT_BATCH) {
        struct tw_stat_rows r = { .n = TW_STAT_BATCH, .key = keys[scale] + i,
                                  .time = times + i, .out = with_out ? out + i : NULL };

        for (unsigned j = 0; j < TW_STAT_INPUTS; j++) r.x[j] = column[j] + i;
        if (m->hand) m->hand->run(states, &r);
        else m->s->ops->run(m->s, states, &r);
    }
}

static double least(const struct measured *m, void *states, int scale, bool with_out)
{
    double best = INFINITY;
    int64_t took;

    for (int64_t round = 0, all = 0;
         round < 2 || (round < ROUNDS && all < enough_ns); round++) {
        const int64_t begin = tw_clock_of_ns(CLOCK_THREAD_CPUTIME_ID);

        once(m, states, scale, with_out);
        took = tw_clock_of_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
        best = fmin(best, (double)took / ROWS);
        all += took;
        for (unsigned i = 0; i < ROWS; i++) times[i] += ROWS * STEP_NS;
    }
    return best;
}

static struct figures measure(const struct measured *m, size_t size)
{
    struct figures f;

    for (int k = 0; k < SCALES; k++) {
        void *states = NULL;

        f.plain[k] = f.with_out[k] = NAN;
        if (size * scales[k] > most_bytes) continue;
        /* On a line of the cache, as a slab of states is. */
        if (posix_memalign(&states, 64, size * scales[k]) != 0) abort();
        memset(states, 0, size * scales[k]);
        f.plain[k] = least(m, states, k, false);
        memset(states, 0, size * scales[k]);
        f.with_out[k] = least(m, states, k, true);
        free(states);
    }
    return f;
}

static void numbers(const struct figures *f)
{
    for (int k = 0; k < SCALES; k++)
        if (isnan(f->plain[k])) printf(" %8s %7s", "-", "-");
        else printf(" %8.1f %7.1f", f->plain[k], f->with_out[k]);
}

static void line(const struct tw_stat *s)
{
    const struct measured m = { .s = s };
    const struct figures f = measure(&m, s->size);
    char text[100];

    tw_stat_text(s, text, sizeof text);
    printf("%-36s", text);
    numbers(&f);
    printf(" %9zu %9.1f\n", s->size, (double)s->size * MOST / 1e6);
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        const struct measured hand = { .hand = &by_hand[i] };
        struct figures h;

        if (strcmp(by_hand[i].of, text) != 0) continue;
        h = measure(&hand, by_hand[i].size);
        printf("  by hand%s%-27s", by_hand[i].what[0] ? ": " : "  ", by_hand[i].what);
        numbers(&h);
        printf(" %9zu %9.1f\n%-36s", by_hand[i].size,
               (double)by_hand[i].size * MOST / 1e6, "  ratio");
        for (int k = 0; k < SCALES; k++)
            printf(" %8.2f %7.2f", f.plain[k] / h.plain[k],
                   f.with_out[k] / h.with_out[k]);
        printf("\n");
    }
    fflush(stdout);
}

/* ---- every way of every kind ---- */

/* What is asked of each kind that takes it; the required ones always. */
static const struct way {
    unsigned bit;
    const char *name;
    double value;
    bool is_time;
} ways[] = {
    { 0, NULL, 0, false },
    { TW_STAT_WINDOW, "window", WINDOW, false },
    { TW_STAT_TIME, "window", 10e9, true },
    { TW_STAT_ALPHA, "alpha", 0.05, false },
    { TW_STAT_HALF_LIFE, "half_life", 10e9, true },
    { TW_STAT_EVERY, "every", 1e9, true },
}, needed[] = {
    { TW_STAT_P, "p", 0.5, false },
    { TW_STAT_LAG, "lag", 4, false },
    { TW_STAT_K, "k", 10, false },
};

static int set(const struct tw_stat_kind *k, struct tw_stat_options *o,
               const struct way *w)
{
    return tw_stat_set(k, o, w->name, strlen(w->name), w->value, w->is_time, NULL);
}

static void kind(const struct tw_stat_kind *k)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct tw_stat_options o = tw_stat_no_options();
        struct tw_stat s;

        if (ways[i].bit && (!(ways[i].bit & k->options) || set(k, &o, &ways[i]) != TW_OK))
            continue;
        for (size_t j = 0; j < sizeof needed / sizeof *needed; j++)
            if (needed[j].bit & k->required) set(k, &o, &needed[j]);
        /* Not without an option that it needs. */
        if (tw_stat_init(&s, k, &o, NULL) == TW_OK) line(&s);
    }
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    const struct tw_stat_kind *k;

    make_rows();
    printf("%-36s %16s %16s %16s %9s %9s\n", "ns a row (and with each value)", "1 key",
           "1,000 keys", "100,000 keys", "bytes", "MB/100k");
    for (unsigned i = 0; (k = tw_stat_kind(i)) != NULL; i++)
        if (strncmp(k->name, only, strlen(only)) == 0) kind(k);
    return 0;
}
