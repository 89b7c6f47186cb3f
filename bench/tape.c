/* tape.c - what a record costs: append, read, hand over, wake, find a symbol.
 *
 * A cost is that of the best of many short runs, as the others were disturbed;
 * a latency is the median of all.  Each stands beside a plain C loop of the same
 * run: 64-byte records copied through an array that fits in the cache, on one
 * core and on two, and a bare cache line handed over.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tape/symbols.h"
#include "tape/tape.h"

enum {
    RUNS = 20, N = 1 << 18,              /* runs, and records of each         */
    RING = 1 << 12, WIDE = 1 << 16,      /* slots for one core, and for two   */
    PINGS = 20000, NAPS = 4000, NAMES = 1024
};

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double best(int64_t *v)
{
    qsort(v, RUNS, sizeof *v, ascending);
    return (double)v[0] / N;
}

static double median(int64_t *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, ascending);
    return (double)v[n / 2];
}

static void pin(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core % (int)sysconf(_SC_NPROCESSORS_ONLN), &set);
    sched_setaffinity(0, sizeof set, &set);   /* where it may not, it isn't pinned */
}

static void row(const char *what, double ns, double base)
{
    printf("%-46s %9.1f ns %9.2f x\n", what, ns, ns / base);
}

static void row2(const char *what, double p50, double p99, double base)
{
    printf("%-46s %9.1f ns %9.2f x   p99 %9.1f ns\n", what, p50, p50 / base, p99);
}

static void spin_hint(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* The sum of what was read: printed, so that no loop is optimised away. */
static uint64_t sum;

/* ---- one core ---- */

static struct tw_record *array;

static double copy_array(void)
{
    int64_t ns[RUNS];

    for (int k = 0; k < RUNS; k++) {
        struct tw_record r = { .kind = TW_QUOTE };
        int64_t start = tw_clock_steady_ns();

        for (uint64_t i = 0; i < N; i++) {
            r.seq = i;
            memcpy(&array[i % RING], &r, sizeof r);
            __asm__ volatile("" ::: "memory");   /* each record is stored */
        }
        for (uint64_t i = 0; i < N; i++) {
            memcpy(&r, &array[i % RING], sizeof r);
            __asm__ volatile("" ::: "memory");   /* and loaded */
            sum += r.seq;
        }
        ns[k] = tw_clock_steady_ns() - start;
    }
    return best(ns);
}

/* Half a ring is appended, then read, so that both are timed alone. */
static void one_core(size_t batch, double base)
{
    struct tw_tape *t = tw_tape_new(RING);
    struct tw_record r[TW_BATCH] = {{ .kind = TW_QUOTE }}, out;
    int64_t append[RUNS], read[RUNS];
    struct tw_cursor c;
    char what[64];

    tw_cursor_open(&c, t, true, 1);
    for (int k = 0; k < RUNS; k++) {
        append[k] = read[k] = 0;
        for (int part = 0; part < N / (RING / 2); part++) {
            int64_t start = tw_clock_steady_ns(), middle;

            for (size_t i = 0; i < RING / 2; i += batch) {
                tw_tape_try_append(t, r, batch);
                tw_tape_wake(t);
            }
            middle = tw_clock_steady_ns();
            while (tw_cursor_next(&c, &out)) sum += out.seq;
            tw_cursor_commit(&c);
            read[k] += tw_clock_steady_ns() - middle;
            append[k] += middle - start;
        }
    }
    snprintf(what, sizeof what, "append, 1 core, batches of %zu", batch);
    row(what, best(append), base / 2);
    if (batch == 1) row("read, 1 core", best(read), base / 2);
    tw_cursor_close(&c);
    tw_tape_free(t);
}

static void find_symbol(double base)
{
    struct tw_symbols *s = tw_symbols_new(TW_SYMBOL_MAX);
    static char name[NAMES][8];
    int64_t ns[RUNS];

    for (int i = 0; i < NAMES; i++)
        tw_symbols_intern(s, name[i], (size_t)snprintf(name[i], 8, "SY%04d", i));
    for (int k = 0; k < RUNS; k++) {
        int64_t start = tw_clock_steady_ns();

        for (uint32_t i = 0, at = 1; i < N; i++) {
            at = at * 1664525 + 1013904223;
            sum += (uint64_t)tw_symbols_intern(s, name[at >> 22], 6);
        }
        ns[k] = tw_clock_steady_ns() - start;
    }
    row("symbol found by name, 1024 in random order", best(ns), base / 2);
    tw_symbols_free(s);
}

/* ---- two cores ---- */

struct pair {
    struct tw_tape *t;
    struct tw_cursor c;
    struct tw_waiter w;
    int fd;                                  /* eventfd of the sleeper         */
    int64_t *ns;                             /* latency of each record         */
    bool sleeps;
    _Alignas(TW_CACHELINE) _Atomic uint64_t there;   /* a bare line, to and fro  */
    _Alignas(TW_CACHELINE) _Atomic uint64_t back;
    atomic_bool asleep;
};

static void *drain(void *arg)
{
    struct pair *p = arg;
    struct tw_record r;

    pin(1);
    while (p->c.next <= N) {
        if (!tw_cursor_next(&p->c, &r)) {
            tw_cursor_commit(&p->c);
            spin_hint();
            continue;
        }
        sum += r.seq;
        if (r.seq % 256 == 0) tw_cursor_commit(&p->c);
    }
    return NULL;
}

static void two_cores(size_t batch, double base)
{
    int64_t ns[RUNS];
    char what[64];

    for (int k = 0; k < RUNS; k++) {
        struct pair p = { .t = tw_tape_new(WIDE) };
        struct tw_record r[TW_BATCH] = {{ .kind = TW_QUOTE }};
        pthread_t th;
        int64_t start;

        tw_cursor_open(&p.c, p.t, true, 1);
        start = tw_clock_steady_ns();
        pthread_create(&th, NULL, drain, &p);
        for (int i = 0; i < N; i += (int)batch) {
            while (tw_tape_try_append(p.t, r, batch)) spin_hint();
            tw_tape_wake(p.t);
        }
        pthread_join(th, NULL);
        ns[k] = tw_clock_steady_ns() - start;
        tw_cursor_close(&p.c);
        tw_tape_free(p.t);
    }
    snprintf(what, sizeof what, "append to read, 2 cores, batches of %zu", batch);
    row(what, best(ns), base);
}

/* The array of the plain loop, published by an index once per `batch`. */
static void *drain_array(void *arg)
{
    struct pair *p = arg;
    struct tw_record r;
    uint64_t i = 0;

    pin(1);
    while (i < N) {
        /* order [bench.there] acquire: the records below it are stored */
        uint64_t to = atomic_load_explicit(&p->there, memory_order_acquire);

        if (i == to) {
            spin_hint();
            continue;
        }
        for (; i < to; i++) {
            memcpy(&r, &array[i % WIDE], sizeof r);
            sum += r.seq;
        }
        /* order [bench.back] release: they are read */
        atomic_store_explicit(&p->back, i, memory_order_release);
    }
    return NULL;
}

static double two_cores_array(void)
{
    int64_t ns[RUNS];

    for (int k = 0; k < RUNS; k++) {
        struct pair p = {0};
        struct tw_record r = { .kind = TW_QUOTE };
        int64_t start = tw_clock_steady_ns();
        pthread_t th;

        pthread_create(&th, NULL, drain_array, &p);
        for (uint64_t i = 0; i < N; i++) {
            if (i % 64 == 0)
                /* order [bench.back] acquire: these slots were read */
                while (i + 64 - atomic_load_explicit(&p.back, memory_order_acquire)
                       > WIDE)
                    spin_hint();
            r.seq = i;
            memcpy(&array[i % WIDE], &r, sizeof r);
            if (i % 64 == 63)
                /* order [bench.there] release: the records are stored */
                atomic_store_explicit(&p.there, i + 1, memory_order_release);
        }
        pthread_join(th, NULL);
        ns[k] = tw_clock_steady_ns() - start;
    }
    return best(ns);
}

/* ---- waking ---- */

static void *answer_line(void *arg)
{
    struct pair *p = arg;

    pin(1);
    for (uint64_t i = 1; i <= PINGS; i++) {
        /* order [bench.there] acquire: the ball */
        while (atomic_load_explicit(&p->there, memory_order_acquire) < i) spin_hint();
        /* order [bench.back] release: the ball */
        atomic_store_explicit(&p->back, i, memory_order_release);
    }
    return NULL;
}

/* One way of a bare cache line: half of the time to and fro. */
static double line_latency(int64_t *ns, double *p99)
{
    struct pair p = {0};
    pthread_t th;
    double p50;

    pthread_create(&th, NULL, answer_line, &p);
    for (uint64_t i = 1; i <= PINGS; i++) {
        int64_t start = tw_clock_steady_ns();

        /* order [bench.there] release: the ball */
        atomic_store_explicit(&p.there, i, memory_order_release);
        /* order [bench.back] acquire: the ball */
        while (atomic_load_explicit(&p.back, memory_order_acquire) < i) spin_hint();
        ns[i - 1] = (tw_clock_steady_ns() - start) / 2;
    }
    pthread_join(th, NULL);
    p50 = median(ns, PINGS);
    *p99 = (double)ns[PINGS / 100 * 99];
    return p50;
}

static void ring_bell(void *ctx)
{
    struct pair *p = ctx;
    uint64_t one = 1;

    if (write(p->fd, &one, sizeof one) != sizeof one) abort();
}

static void *receive(void *arg)
{
    struct pair *p = arg;
    int count = p->sleeps ? NAPS : PINGS;
    struct tw_record r;
    uint64_t n;

    pin(1);
    for (int i = 0; i < count;) {
        if (tw_cursor_next(&p->c, &r)) {
            p->ns[i++] = tw_clock_steady_ns() - r.time;
            /* order [bench.back] release: the writer may send the next */
            atomic_store_explicit(&p->back, (uint64_t)i, memory_order_release);
            continue;
        }
        if (!p->sleeps) {
            spin_hint();
            continue;
        }
        tw_waiter_arm(&p->w);
        if (tw_cursor_ready(&p->c)) {
            tw_waiter_disarm(&p->w);
            continue;
        }
        atomic_store(&p->asleep, true);
        poll(&(struct pollfd){ .fd = p->fd, .events = POLLIN }, 1, -1);
        if (read(p->fd, &n, sizeof n) != sizeof n) abort();
    }
    return NULL;
}

/* From before the append to the reader's first read of the record. */
static void latency(bool sleeps, int64_t *ns, double base)
{
    struct pair p = { .t = tw_tape_new(RING), .fd = eventfd(0, EFD_NONBLOCK), .ns = ns,
                      .sleeps = sleeps };
    int count = sleeps ? NAPS : PINGS;
    pthread_t th;
    double p50;

    tw_waiter_open(&p.w, p.t, ring_bell, &p);
    tw_cursor_open(&p.c, p.t, false, 1);
    pthread_create(&th, NULL, receive, &p);
    for (int i = 0; i < count; i++) {
        struct tw_record r = { .kind = TW_QUOTE };
        int64_t until;

        if (sleeps) while (!atomic_exchange(&p.asleep, false)) spin_hint();
        /* It says so just before it sleeps: a while later it does. */
        until = tw_clock_steady_ns() + (sleeps ? 30000 : 1000);
        while (tw_clock_steady_ns() < until) spin_hint();
        r.time = tw_clock_steady_ns();
        tw_tape_try_append(p.t, &r, 1);
        tw_tape_wake(p.t);
        /* order [bench.back] acquire: it was received */
        while (atomic_load_explicit(&p.back, memory_order_acquire) <= (uint64_t)i)
            spin_hint();
    }
    pthread_join(th, NULL);
    p50 = median(ns, count);
    row2(sleeps ? "append to a reader asleep in poll" : "append to a reader that spins",
         p50, (double)ns[count / 100 * 99], base);
    tw_cursor_close(&p.c);
    tw_tape_free(p.t);
    close(p.fd);
}

int main(void)
{
    int64_t *ns = tw_calloc(PINGS, sizeof *ns);
    double base, base2, line, p99;

    array = tw_calloc_aligned(WIDE, sizeof *array);
    if (!array || !ns) return 1;
    pin(0);
    copy_array();   /* warms up */
    base = copy_array();
    row("plain C: store and load a record, 1 core", base, base);
    one_core(1, base);
    one_core(64, base);
    find_symbol(base);
    base2 = two_cores_array();
    row("plain C: array and index per 64, 2 cores", base2, base2);
    two_cores(1, base2);
    two_cores(64, base2);
    line = line_latency(ns, &p99);
    row2("plain C: a cache line handed over", line, p99, line);
    latency(false, ns, line);
    latency(true, ns, line);
    printf("# %ld cores, ratios to the plain C row above (half of it for one of store "
           "and load), checksum %llx\n", sysconf(_SC_NPROCESSORS_ONLN),
           (unsigned long long)sum);
    tw_free(array);
    tw_free(ns);
    return 0;
}
