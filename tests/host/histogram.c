/* histogram.c - percentiles against sorted data (H1), and one owner while
 * another thread reads (H2). */
#include "base/histogram.h"

#include <pthread.h>
#include <stdlib.h>

#include "tap.h"

enum { N = 50000 };

static struct tw_histogram h, other;
static int64_t data[N];

static uint64_t seed = 1;
static uint64_t draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return seed >> 11;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void edges(void)
{
    static const int64_t powers[] = { 0, 1, 15, 16, 17, 31, 32, 33, 1000, 65535, 65536,
        INT64_C(1) << 40, (INT64_C(1) << 62) - 1, INT64_C(1) << 62, INT64_MAX };
    int wrong = 0;

    ok(tw_histogram_percentile(&h, 0.5) == 0 && tw_histogram_max(&h) == 0,
       "an empty one says 0");
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        static struct tw_histogram one;
        int64_t p;

        one = (struct tw_histogram){0};
        tw_histogram_add(&one, INT64_MAX);   /* so that max does not cut the edge */
        tw_histogram_add(&one, powers[i]);
        p = tw_histogram_percentile(&one, 0.5);
        wrong += p < powers[i] || (double)p > (double)powers[i] * 1.0625;
    }
    ok(wrong == 0, "the edges of the buckets are right up to the largest int64");
    tw_histogram_add(&h, -5);
    ok(tw_histogram_count(&h) == 1 && tw_histogram_percentile(&h, 1) == 0,
       "a negative value counts as 0");
}

static void percentiles(void)
{
    static const double at[] = { 0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 1 };

    h = (struct tw_histogram){0};
    for (int i = 0; i < N; i++) {
        data[i] = (int64_t)(draw() >> (draw() % 53));   /* from 0 to 2^53 */
        tw_histogram_add(i % 3 ? &h : &other, data[i]);
    }
    tw_histogram_merge(&h, &other);
    qsort(data, N, sizeof *data, ascending);
    ok(tw_histogram_count(&h) == N, "merged, it counts them all");
    ok(tw_histogram_max(&h) == data[N - 1], "and has the largest");
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        int rank = (int)(at[i] * N);
        int64_t exact = data[rank ? rank - 1 : 0], p = tw_histogram_percentile(&h, at[i]);

        ok(p >= exact && (double)p <= (double)exact * 1.0625,
           "p%g is within 1/16: %lld of %lld", at[i] * 100, (long long)p,
           (long long)exact);
    }
    ok(tw_histogram_percentile(&h, 1) == data[N - 1], "p100 is the largest itself");
}

static void *owner(void *arg)
{
    for (int i = 0; i < N; i++) tw_histogram_add(arg, 1000);
    return NULL;
}

static void threads(void)
{
    pthread_t th;
    int wrong = 0;

    h = (struct tw_histogram){0};
    pthread_create(&th, NULL, owner, &h);
    while (tw_histogram_count(&h) < N) {
        int64_t p = tw_histogram_percentile(&h, 0.9);

        wrong += p != 0 && p != 1000;
    }
    pthread_join(th, NULL);
    ok(wrong == 0, "a reader beside the owner sees only what was added");
    ok(tw_histogram_percentile(&h, 0) == 1000, "nothing is lost meanwhile");
}

int main(void)
{
    edges();
    percentiles();
    threads();
    return tap_done();
}
