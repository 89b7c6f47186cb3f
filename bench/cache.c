/* cache.c - what a get costs: hits, one key and many, one thread and two; a mix of
 * gets and puts; and what a herd of gets costs the one who loads.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "host/text.h"
#include "share/cache_load.h"
#include "tape/tape.h"

enum { GETS = 2000000, KEYS = 1024, HERD = 1000, ROUNDS = 200 };

static void row(const char *what, double ns)
{
    printf("%-52s %8.1f ns\n", what, ns);
}

static struct tw_cache *cache_of(struct tw_cache_options o)
{
    struct tw_cache *c;

    o.name = "bench";
    if (tw_cache_new(&o, NULL, &c, NULL) < 0) abort();
    return c;
}

struct run {
    struct tw_cache *c;
    const struct tw_any *keys;
    unsigned n;                /* keys, a power of two        */
    unsigned puts;             /* one of so many is a put     */
    bool apart;                /* each thread has its own key */
    int threads;
    pthread_barrier_t start;
    int64_t ns;                /* owner: the first thread     */
};

struct runner { struct run *run; int k; };

static void hit(struct tw_cache *c, const struct tw_any *key)
{
    struct tw_cache_answer a;

    if (tw_cache_get(c, key, NULL, &a, NULL) < 0 || a.load) abort();
    tw_future_unref(a.future);
}

static void put(struct tw_cache *c, const struct tw_any *key)
{
    tw_cache_put(c, key, (struct tw_any){ .kind = TW_VALUE_TRUE }, NULL, 0);
}

static void *gets(void *arg)
{
    struct runner *me = arg;
    struct run *r = me->run;
    uint64_t x = (uint64_t)me->k * 1234567 + 1;
    int64_t begin;
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(me->k, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    pthread_barrier_wait(&r->start);
    begin = tw_clock_steady_ns();
    for (int i = 0; i < GETS; i++) {
        const struct tw_any *key;

        x = x * UINT64_C(6364136223846793005) + 1;
        key = &r->keys[(r->apart ? (uint64_t)me->k : x >> 40) & (r->n - 1)];
        if (r->puts && (x >> 33) % r->puts == 0)
            put(r->c, key);
        else
            hit(r->c, key);
    }
    pthread_barrier_wait(&r->start);
    if (me->k == 0) r->ns = tw_clock_steady_ns() - begin;
    return NULL;
}

/* Nanoseconds from one call of a thread to its next. */
static double run(struct run *r)
{
    struct runner me[2] = { { r, 0 }, { r, 1 } };
    pthread_t th[2];

    for (unsigned i = 0; i < r->n; i++) put(r->c, &r->keys[i]);
    pthread_barrier_init(&r->start, NULL, (unsigned)r->threads);
    for (int k = 0; k < r->threads; k++) pthread_create(&th[k], NULL, gets, &me[k]);
    for (int k = 0; k < r->threads; k++) pthread_join(th[k], NULL);
    pthread_barrier_destroy(&r->start);
    return (double)r->ns / GETS;
}

static void both(const char *what, struct run r)
{
    char line[100];

    for (r.threads = 1; r.threads <= 2; r.threads++) {
        snprintf(line, sizeof line, "%s, %d thread%s", what, r.threads,
                 r.threads > 1 ? "s" : "");
        row(line, run(&r));
    }
}

/* One miss, and all the others join it. */
static void herd(struct tw_cache *c)
{
    static struct tw_cache_answer a[HERD];
    int64_t joined = 0, ended = 0, begin;

    for (int round = 0; round < ROUNDS; round++) {
        struct tw_any key = { .kind = TW_VALUE_INTEGER, .integer = 1000000 + round };

        begin = tw_clock_steady_ns();
        for (int i = 0; i < HERD; i++) {
            if (tw_cache_get(c, &key, NULL, &a[i], NULL) < 0) abort();
            tw_future_want(a[i].future);
            if ((i == 0) != (a[i].load != NULL)) abort();
        }
        joined += tw_clock_steady_ns() - begin;
        begin = tw_clock_steady_ns();
        tw_load_done(a[0].load, key, NULL);
        tw_load_unref(a[0].load);
        ended += tw_clock_steady_ns() - begin;
        for (int i = 0; i < HERD; i++) {
            tw_future_unwant(a[i].future);
            tw_future_unref(a[i].future);
        }
    }
    row("a herd of 1,000: to join, each", (double)joined / ROUNDS / HERD);
    row("  to end its one load", (double)ended / ROUNDS);
}

static double misses(struct tw_cache *c)
{
    int64_t begin = tw_clock_steady_ns();
    struct tw_cache_answer a;

    for (int i = 0; i < GETS / 10; i++) {
        struct tw_any key = { .kind = TW_VALUE_INTEGER, .integer = 5000000 + i };

        if (tw_cache_get(c, &key, NULL, &a, NULL) < 0) abort();
        tw_load_done(a.load, key, NULL);
        tw_load_unref(a.load);
        tw_future_unref(a.future);
    }
    return (double)(tw_clock_steady_ns() - begin) / (GETS / 10);
}

/* A value that depends on a symbol, while others are quoted; then the same get with
 * so many quotes to catch up with. */
static void watched(void)
{
    enum { QUOTES = 10000 };
    struct tw_cache *c = cache_of((struct tw_cache_options){ 0 });
    struct tw_tape *tape = tw_tape_new(1 << 16);
    struct tw_any key = { .kind = TW_VALUE_INTEGER, .integer = 1 };
    uint32_t one = 1;
    struct tw_cache_terms terms = { .depends = &one, .n_depends = 1 };
    int64_t begin, ns;

    tw_cache_watch(c, tape);
    tw_cache_put(c, &key, key, &terms, 0);
    begin = tw_clock_steady_ns();
    for (int i = 0; i < GETS; i++) hit(c, &key);
    ns = tw_clock_steady_ns() - begin;
    row("hit, a value that depends on a symbol", (double)ns / GETS);
    ns = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct tw_record r = { .kind = TW_QUOTE };

        for (unsigned i = 0; i < QUOTES; i++) {
            r.symbol = (i % 500 + 2) & TW_SYMBOL_MAX;
            if (tw_tape_try_append(tape, &r, 1) < 0) abort();
        }
        begin = tw_clock_steady_ns();
        hit(c, &key);
        ns += tw_clock_steady_ns() - begin;
    }
    row("  for each quote since the last get", (double)ns / ROUNDS / QUOTES);
    tw_cache_unref(c);
    tw_tape_free(tape);
}

int main(void)
{
    struct tw_cache *c = cache_of((struct tw_cache_options){ .capacity = 1 << 17 });
    struct tw_cache *timed = cache_of((struct tw_cache_options){
        .capacity = 1 << 17, .ttl_ns = INT64_C(3600000000000) });
    static struct tw_any numbers[KEYS], names[KEYS];
    char s[32];

    for (int i = 0; i < KEYS; i++) {
        snprintf(s, sizeof s, "symbol %d", i);
        names[i] = text(s);
        numbers[i] = (struct tw_any){ .kind = TW_VALUE_INTEGER, .integer = i };
    }
    both("hit, an integer, one hot key", (struct run){ .c = c, .keys = numbers, .n = 1 });
    both("hit, a string, one hot key", (struct run){ .c = c, .keys = names, .n = 1 });
    both("hit, a string, with a time to live",
         (struct run){ .c = timed, .keys = names, .n = 1 });
    both("hit, a string, a key for each thread",
         (struct run){ .c = c, .keys = names, .n = 2, .apart = true });
    both("hit, 1,024 strings", (struct run){ .c = c, .keys = names, .n = KEYS });
    both("90 gets, 10 puts, 1,024 strings",
         (struct run){ .c = c, .keys = names, .n = KEYS, .puts = 10 });
    row("miss, load and end", misses(c));
    herd(c);
    watched();
    for (int i = 0; i < KEYS; i++) tw_any_unref(&names[i]);
    tw_cache_unref(c);
    tw_cache_unref(timed);
    return 0;
}
