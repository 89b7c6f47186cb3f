/* simulate.c - hit rates of traces whose answers are known by arithmetic. */
#include "share/simulate.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "random.h"
#include "tap.h"

enum { S3FIFO = TW_POLICY_S3FIFO, LRU = TW_POLICY_LRU, FIFO = TW_POLICY_FIFO };
static int requests = 400000;

static double uniform(void)
{
    return (double)(next() >> 11) / 9007199254740992.0;
}

static void add(struct tw_trace *t, uint64_t key)
{
    tw_trace_add(t, tw_trace_hash_number(key));
}

static int64_t hits(const struct tw_trace *t, int kind, uint64_t size)
{
    return tw_simulate(t, (enum tw_policy_kind)kind, size);
}

static double rate(const struct tw_trace *t, int kind, uint64_t size)
{
    return (double)hits(t, kind, size) / (double)tw_trace_requests(t);
}

static void loops(void)
{
    enum { KEYS = 1000, TIMES = 10 };
    struct tw_trace *scan = tw_trace_new(), *loop = tw_trace_new();

    for (uint64_t i = 0; i < KEYS * TIMES; i++) {
        add(scan, i);
        add(loop, i % KEYS);
    }
    ok(tw_trace_requests(scan) == KEYS * TIMES && tw_trace_keys(scan) == KEYS * TIMES
       && tw_trace_keys(loop) == KEYS, "a trace counts its requests and keys");
    ok(hits(scan, S3FIFO, KEYS) == 0 && hits(scan, LRU, KEYS) == 0
       && hits(scan, FIFO, KEYS) == 0 && tw_simulate_min(scan, KEYS) == 0,
       "a scan hits nothing");
    for (int kind = S3FIFO; kind <= FIFO; kind++)
        ok(hits(loop, kind, KEYS) == KEYS * (TIMES - 1)
           && hits(loop, kind, 10 * KEYS) == KEYS * (TIMES - 1),
           "a loop that fits misses in its first round only (%d)", kind);
    ok(hits(loop, LRU, KEYS - 1) == 0 && hits(loop, FIFO, KEYS - 1) == 0,
       "one entry too few, and LRU and FIFO hit nothing");
    ok(hits(loop, S3FIFO, KEYS * 9 / 10) > 0, "the ghost lets S3-FIFO hit");
    ok(tw_simulate_min(loop, 100) == 100 * (TIMES - 1),
       "the best is to keep 100 of them");
    ok(hits(loop, LRU, 0) == 0 && tw_simulate_min(loop, 0) == 0,
       "a size of 0 hits nothing");
    tw_trace_free(scan);
    tw_trace_free(loop);
}

/* Whatever a policy keeps, a request is for one of it with size / KEYS. */
static void uniform_keys(void)
{
    enum { KEYS = 1000, SIZE = 300 };
    struct tw_trace *t = tw_trace_new();

    for (int i = 0; i < requests; i++) add(t, next() % KEYS);
    for (int kind = S3FIFO; kind <= FIFO; kind++)
        ok(fabs(rate(t, kind, SIZE) - 0.3) < 3 * sqrt(0.21 / requests) + 0.001,
           "keys drawn alike (%d): %.4f of 0.3", kind, rate(t, kind, SIZE));
    tw_trace_free(t);
}

/* Che's approximation: a key stays for a time T; it is hit with 1 - exp(-p T)
 * under LRU, and with p T / (1 + p T) under FIFO. */
static double stays(double p, double time, int kind)
{
    return kind == LRU ? -expm1(-p * time) : p * time / (1 + p * time);
}

static double expected(const double *p, int keys, double size, int kind)
{
    double low = 0, high = 1e9, sum;

    for (int step = 0; step < 200; step++) {
        sum = 0;
        for (int k = 0; k < keys; k++) sum += stays(p[k], (low + high) / 2, kind);
        *(sum < size ? &low : &high) = (low + high) / 2;
    }
    sum = 0;
    for (int k = 0; k < keys; k++) sum += p[k] * stays(p[k], low, kind);
    return sum;
}

static void zipf(void)
{
    enum { KEYS = 2000 };
    static const int size[] = { 20, 100, 500 };
    static double p[KEYS], upto[KEYS];
    struct tw_trace *t = tw_trace_new();
    double sum = 0;

    for (int k = 0; k < KEYS; k++) sum += p[k] = 1.0 / (k + 1);
    for (int k = 0; k < KEYS; k++) {
        p[k] /= sum;
        upto[k] = p[k] + (k ? upto[k - 1] : 0);
    }
    for (int i = 0; i < requests; i++) {
        double x = uniform();
        int low = 0, high = KEYS - 1;

        while (low < high) {
            int middle = (low + high) / 2;

            if (x < upto[middle]) high = middle;
            else low = middle + 1;
        }
        add(t, (uint64_t)low);
    }
    for (int i = 0; i < 3; i++) {
        double noise = 0.003 + 2 / sqrt(requests);

        for (int kind = LRU; kind <= FIFO; kind++) {
            double want = expected(p, KEYS, size[i], kind);
            double got = rate(t, kind, (uint64_t)size[i]);

            ok(fabs(got - want) < noise, "Zipf's law, %d of %d (%d): %.4f of %.4f",
               size[i], KEYS, kind, got, want);
        }
        ok(rate(t, S3FIFO, (uint64_t)size[i]) > rate(t, LRU, (uint64_t)size[i])
           && rate(t, S3FIFO, (uint64_t)size[i]) < upto[size[i] - 1] + noise,
           "S3-FIFO is above LRU, and below what keeps the likeliest");
    }
    tw_trace_free(t);
}

/* Belady's rule by looking ahead, for every request anew; a newcomer is the
 * one to go when it is used last. */
static int64_t slow_min(const uint8_t *key, int n, int size)
{
    bool cached[256] = {0};
    int count = 0;
    int64_t found = 0;

    for (int i = 0; i < n; i++) {
        int worst = 0, worst_use = -1;

        found += cached[key[i]];
        count += !cached[key[i]];
        cached[key[i]] = true;
        for (int k = 0; count > size && k < 256; k++) {
            int use = i + 1;

            if (!cached[k]) continue;
            while (use < n && key[use] != k) use++;
            if (use > worst_use) worst = k, worst_use = use;
        }
        if (count <= size) continue;
        cached[worst] = false;
        count--;
    }
    return found;
}

static void best(void)
{
    enum { N = 700, TRIALS = 20 };
    uint8_t key[N];
    int wrong = 0, below = 0;

    for (int trial = 0; trial < TRIALS; trial++) {
        struct tw_trace *t = tw_trace_new();
        unsigned keys = 2 + (unsigned)(next() % 100);
        unsigned size = 1 + (unsigned)(next() % keys);

        for (int i = 0; i < N; i++) {
            key[i] = (uint8_t)(next() % 3 ? next() % keys : (unsigned)i % keys);
            add(t, key[i]);
        }
        wrong += tw_simulate_min(t, size) != slow_min(key, N, (int)size);
        for (int kind = S3FIFO; kind <= FIFO; kind++)
            below += hits(t, kind, size) > tw_simulate_min(t, size);
        tw_trace_free(t);
    }
    ok(wrong == 0, "min is what looking ahead gives");
    ok(below == 0, "and no policy hits more");
}

static void memory(void)
{
    struct tw_trace *t;
    int failed = 0, wrong = 0;

    tw_memory_fail_at(1);
    ok(!tw_trace_new(), "a trace without memory");
    t = tw_trace_new();
    for (uint64_t i = 0; i < 5000; i++) {
        tw_memory_fail_at(1);
        if (tw_trace_add(t, tw_trace_hash_number(i)) != TW_OK) {
            failed++;
            tw_memory_fail_at(2);
            if (tw_trace_add(t, tw_trace_hash_number(i)) != TW_OK) {
                failed++;
                tw_memory_fail_at(0);
                wrong += tw_trace_add(t, tw_trace_hash_number(i)) != TW_OK;
            }
        }
    }
    ok(failed > 4 && wrong == 0 && tw_trace_requests(t) == 5000
       && tw_trace_keys(t) == 5000, "what could not be added is not in it (%d)", failed);
    for (failed = 0; ; failed++) {
        tw_memory_fail_at((uint64_t)failed + 1);
        if (tw_simulate(t, TW_POLICY_LRU, 10) >= 0) break;
    }
    ok(failed == 2, "simulating needs memory");
    for (failed = 0; ; failed++) {
        tw_memory_fail_at((uint64_t)failed + 1);
        if (tw_simulate_min(t, 10) >= 0) break;
    }
    tw_memory_fail_at(0);
    ok(failed == 5, "finding the best needs more");
    tw_trace_free(t);
    tw_trace_free(NULL);
    t = tw_trace_new();
    ok(tw_simulate(t, TW_POLICY_LRU, 10) == 0 && tw_simulate_min(t, 10) == 0,
       "nothing hits in no requests");
    tw_trace_free(t);
}

int main(void)
{
    if (getenv("SMALL")) requests = 40000;
    loops();
    uniform_keys();
    zipf();
    best();
    memory();
    return tap_done();
}
