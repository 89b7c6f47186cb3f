/* caches.c - one cache for one name, as long as its registry. */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>

#include "cache_rig.h"
#include "share/caches.h"
#include "tape/tape.h"

enum { THREADS = 4 };

static void by_name(void)
{
    struct tw_tape *tape = tw_tape_new(64);
    struct tw_caches *r = tw_caches_new(tape, NULL);
    struct tw_cache_options o = { .name = "prices", .ttl_ns = SECOND, .capacity = 100 };
    struct tw_cache *c, *d, *e;
    struct tw_error error;
    struct tw_cache_options other[13];
    const char *what[13] = { "policy", "unit", "entries", "ttl", "idle", "jitter", "seed",
                             "refresh", "stale", "stale_error", "failure", "records",
                             "shards" };
    struct tw_record quote = { .kind = TW_QUOTE, .symbol = 3 };
    uint32_t three = 3;
    struct tw_any k = number(1);

    ok(tw_caches_open(r, &o, &c, NULL) == 0 && tw_caches_open(r, &o, &d, NULL) == 0
       && c == d, "the same name is the same cache");
    ok(tw_caches_open(r, &(struct tw_cache_options){ .name = "rates" }, &e, NULL) == 0
       && e != c, "another is another");
    ok(tw_caches_find(r, "prices") == c && !tw_caches_find(r, "x"), "found by name");
    ok(tw_caches_at(r, 0) == c && tw_caches_at(r, 1) == e && !tw_caches_at(r, 2),
       "or in order");
    for (int i = 0; i < 4; i++) tw_cache_unref(c);
    tw_cache_unref(e);
    for (int i = 0; i < 13; i++) other[i] = o;
    other[0].policy = TW_POLICY_LRU;
    other[1].in_bytes = true;
    other[2].capacity = 101;
    other[3].ttl_ns++;
    other[4].idle_ns++;
    other[5].jitter = 0.5;
    other[6].seed++;
    other[7].refresh_ns++;
    other[8].stale_ns++;
    other[9].stale_error_ns++;
    other[10].failure_ns++;
    other[11].records++;
    other[12].shards = 8;
    for (int i = 0; i < 13; i++)
        ok(tw_caches_open(r, &other[i], &d, &error) == TW_EUSAGE && !d
           && strstr(error.text, what[i]), "%s", error.text);
    ok(tw_caches_open(r, &(struct tw_cache_options){ .name = "y", .jitter = 3 }, &d,
                      &error) == TW_EUSAGE && !tw_caches_at(r, 2),
       "one that makes no sense is not made");
    tw_cache_put(c, &k, text("v"), &(struct tw_cache_terms){ .depends = &three,
                                                             .n_depends = 1 }, 0);
    tw_tape_try_append(tape, &quote, 1);
    ok(!tw_caches_advance(r) && !tw_cache_peek(c, &k, &k), "all watch the tape");

    k = number(2);
    tw_cache_put(e, &k, text("kept"), NULL, 0);
    tw_caches_free(r);
    ok(stats(e)->entries == 0 && tw_cache_name(e),
       "one that is held stays, and is empty");
    tw_cache_unref(e);
    tw_tape_free(tape);
}

static void *open_all(void *arg)
{
    struct tw_cache *c;
    char name[20];
    intptr_t sum = 0;

    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "cache %d", i);
        if (tw_caches_open(arg, &(struct tw_cache_options){ .name = name }, &c, NULL) < 0)
            abort();
        sum += (intptr_t)c * (i + 1);
        tw_cache_unref(c);
    }
    return (void *)sum;
}

static void together(void)
{
    struct tw_caches *r = tw_caches_new(NULL, NULL);
    pthread_t th[THREADS];
    void *sum[THREADS];
    int same = 0;

    for (int i = 0; i < THREADS; i++) pthread_create(&th[i], NULL, open_all, r);
    for (int i = 0; i < THREADS; i++) pthread_join(th[i], &sum[i]);
    for (int i = 0; i < THREADS; i++) same += sum[i] == sum[0];
    ok(same == THREADS && !tw_caches_at(r, 50), "opened by many at once");
    tw_caches_free(r);
}

static void no_memory(void)
{
    struct tw_caches *r = NULL;
    struct tw_tape *tape = tw_tape_new(64);
    struct tw_cache *c = NULL;
    int n = 0;

    while (!c && n < 100) {
        tw_memory_fail_at((uint64_t)++n);
        if (!r) r = tw_caches_new(tape, NULL);
        if (r) tw_caches_open(r, &(struct tw_cache_options){ .name = "x" }, &c, NULL);
        tw_memory_fail_at(0);
    }
    ok(c && n > 5, "without memory there is none (%d)", n);
    tw_cache_unref(c);
    tw_caches_free(r);
    tw_tape_free(tape);
}

int main(void)
{
    by_name();
    together();
    no_memory();
    nothing_left();
    return tap_done();
}
