/* cache.c - hits, misses and times: what a get is given (C1 to C4). */
#include <stdarg.h>

#include "cache_rig.h"

static void one_load(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ 0 });
    struct tw_cache_answer a = get(c, 1), b = get(c, 1), d;
    struct tw_any k = number(1);

    ok(tw_cache_object(c)->type == &tw_cache_type, "it is an object");
    ok(a.load && !b.load && a.future == b.future, "the second joins the first");
    ok(tw_load_key(a.load)->integer == 1 && tw_load_old(a.load)->kind == TW_VALUE_NIL
       && tw_load_cache(a.load) == c, "the load knows its key");
    ok(stats(c)->loading == 1 && stats(c)->entries == 0, "one is loading");
    ok(peek(c, 1) == -1, "peek sees nothing yet");
    tw_load_ref(a.load);
    load_end(a.load, 10);
    ok(!tw_load_done(a.load, text("x"), NULL) && !tw_load_fail(a.load, text("x"))
       && !tw_load_drop(a.load, text("x")) && !tw_load_unchanged(a.load, NULL),
       "a load ends once");
    tw_load_unref(a.load);
    d = get(c, 1);
    ok(!d.load && d.future == a.future, "later ones get the same future");
    ok(answer_end(a) == 10 && answer_end(b) == 10 && answer_end(d) == 10, "and value");
    ok(peek(c, 1) == 10, "peek sees it");
    ok(stats(c)->hits == 1 && stats(c)->misses == 1 && stats(c)->coalesced == 1
       && stats(c)->loads == 1 && stats(c)->entries == 1 && stats(c)->loading == 0
       && tw_histogram_count(&stats(c)->load_ns) == 1, "all of it is counted");
    ok(tw_cache_remove(c, &k) && !tw_cache_remove(c, &k), "removed, once");
    ok(now_at(c, 1) == -1 && stats(c)->bytes == 0, "it is gone");
    tw_cache_unref(c);
}

static void keys(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ 0 });
    struct tw_any key[] = { text("a"), list(2, "a", "b"), list(2, "b", "a"), text("b"),
                            { .kind = TW_VALUE_TRUE }, { .kind = TW_VALUE_FALSE },
                            number(0), { .kind = TW_VALUE_NUMBER, .number = 0.5 } };
    struct tw_any again[] = { text("a"), list(2, "a", "b"), list(2, "b", "a"), text("b"),
                              { .kind = TW_VALUE_TRUE }, { .kind = TW_VALUE_FALSE },
                              { .kind = TW_VALUE_NUMBER, .number = 0 },
                              { .kind = TW_VALUE_NUMBER, .number = 0.5 } };
    struct tw_any nan = { .kind = TW_VALUE_NUMBER, .number = 0.0 / 0.0 }, v;
    struct tw_cache_answer a;
    struct tw_error error = { 0 };
    struct tw_any nil = nothing();
    int right = 0;
    enum { N = sizeof key / sizeof *key };

    for (int i = 0; i < N; i++) tw_cache_put(c, &key[i], number(i), NULL, 0);
    for (int i = 0; i < N; i++) {
        a = get_any(c, &again[i], NULL);
        right += !a.load && answer_end(a) == i;
    }
    ok(right == N && stats(c)->entries == N, "keys are equal by value");
    ok(tw_cache_get(c, &nil, NULL, &a, &error) == TW_EUSAGE && !a.future
       && strstr(error.text, "nil"), "but nil is none");
    ok(tw_cache_get(c, &nan, NULL, &a, &error) == TW_EUSAGE, "nor is NaN");
    ok(tw_cache_put(c, &nan, text("x"), NULL, 0) == TW_EUSAGE, "to put either");
    ok(!tw_cache_peek(c, &nil, &v), "nothing is there");
    for (int i = 0; i < N; i++) {
        tw_any_unref(&key[i]);
        tw_any_unref(&again[i]);
    }
    tw_cache_unref(c);
}

static void time_to_live(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ .ttl_ns = 10 * SECOND });
    struct tw_any k = number(2), old;
    struct tw_cache_answer a;

    set(c, 1, 10);
    pass(9.5);
    ok(now_at(c, 1) == 10, "fresh until its time is over");
    pass(0.5);
    ok(peek(c, 1) == -1, "then peek sees nothing");
    a = get(c, 1);
    ok(a.load && tw_load_old(a.load)->integer == 10, "a load is given the old value");
    ok(stats(c)->expirations == 1 && stats(c)->entries == 0, "it has expired");
    pass(3);
    tw_load_unchanged(a.load, NULL);
    tw_load_unref(a.load);
    ok(answer_end(a) == 10 && stats(c)->entries == 1, "and may say that it is unchanged");
    pass(9.5);
    ok(now_at(c, 1) == 10, "for another time to live");
    tw_cache_put(c, &k, number(20), &(struct tw_cache_terms){ .ttl_ns = 2 * SECOND }, 0);
    pass(1.5);
    ok(now_at(c, 2) == 20, "an entry may have a time of its own");
    pass(0.5);
    a = get(c, 2);
    ok(a.load, "that ends earlier");
    load_with(a.load, 21, (struct tw_cache_terms){ .ttl_ns = TW_CACHE_FOREVER });
    answer_end(a);
    pass(1e6);
    ok(now_at(c, 2) == 21, "or never");
    ok(now_at(c, 1) == -1, "which is its own affair");
    a = get(c, 3);
    load_with(a.load, 30, (struct tw_cache_terms){ .ttl_ns = -1 });
    ok(answer_end(a) == 30 && peek(c, 3) == -1, "one with less is not kept");
    a = get(c, 4);
    tw_load_unchanged(a.load, NULL);
    tw_load_unref(a.load);
    ok(answer_end(a) == -2 && peek(c, 4) == -1, "what was not there can't be unchanged");
    set(c, 5, 50);
    pass(10);
    a = get(c, 5);
    old = *tw_load_old(a.load);
    load_failed(a.load);
    ok(old.integer == 50 && answer_end(a) == -2, "an old value is no help on failure");
    tw_cache_unref(c);
}

static void jitter(void)
{
    enum { KEYS = 1000 };
    struct tw_cache *c = cache_open((struct tw_cache_options){
        .ttl_ns = 100 * SECOND, .jitter = 0.5, .seed = 7 });
    int there[3] = { 0 }, same = 0;
    bool was[KEYS];

    for (int i = 0; i < KEYS; i++) set(c, i, i);
    pass(49.9);
    for (int i = 0; i < KEYS; i++) there[0] += peek(c, i) == i;
    pass(25);
    for (int i = 0; i < KEYS; i++) there[1] += was[i] = peek(c, i) == i;
    pass(25.1);
    for (int i = 0; i < KEYS; i++) there[2] += peek(c, i) == i;
    ok(there[0] == KEYS && there[2] == 0, "jitter takes off up to its share");
    ok(there[1] > KEYS * 4 / 10 && there[1] < KEYS * 6 / 10, "evenly: %d of %d",
       there[1], KEYS);
    for (int i = 0; i < KEYS; i++) set(c, i, i);
    pass(74.9);
    for (int i = 0; i < KEYS; i++) same += was[i] == (peek(c, i) == i);
    ok(same == KEYS, "and by the key alone");
    tw_cache_unref(c);
}

static void idle(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ .idle_ns = 5 * SECOND });

    set(c, 1, 10);
    set(c, 2, 20);
    for (int i = 0; i < 4; i++) {
        pass(4);
        if (now_at(c, 1) != 10) break;
    }
    ok(peek(c, 1) == 10 && peek(c, 2) == -1, "what is used stays");
    pass(4);
    ok(peek(c, 1) == 10, "a peek is no use");
    pass(1);
    ok(now_at(c, 1) == -1 && stats(c)->expirations == 1, "so it goes");
    tw_cache_unref(c);
}

static void refresh(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){
        .ttl_ns = 10 * SECOND, .refresh_ns = 6 * SECOND, .stale_ns = 5 * SECOND });
    struct tw_cache_answer a, b;

    set(c, 1, 10);
    pass(5.9);
    a = get(c, 1);
    ok(!a.load && answer_end(a) == 10, "too early for a reload");
    pass(0.1);
    a = get(c, 1);
    b = get(c, 1);
    ok(a.load && !b.load, "one reload beside a value that is given at once");
    ok(answer_end(a) == 10 && answer_end(b) == 10 && stats(c)->hits == 3, "as a hit");
    ok(tw_load_old(a.load)->integer == 10, "it knows the value");
    pass(1);
    load_end(a.load, 11);
    ok(now_at(c, 1) == 11 && stats(c)->entries == 1, "then the new value is given");
    pass(9.9);
    ok(peek(c, 1) == 11, "it has its own time");
    pass(2);
    a = get(c, 1);
    ok(a.load && answer_end(a) == 11 && stats(c)->stale == 1, "stale while it reloads");
    tw_load_unchanged(a.load, NULL);
    tw_load_unref(a.load);
    pass(5);
    a = get(c, 1);
    ok(!a.load && answer_end(a) == 11, "unchanged: fresh again");
    pass(7);
    a = get(c, 1);
    load_failed(a.load);
    ok(answer_end(a) == 11 && stats(c)->failures == 1 && peek(c, 1) == 11,
       "a failed reload changes nothing");
    b = get(c, 1);
    ok(b.load && answer_end(b) == 11, "the next get tries again");
    pass(3.1);
    a = get(c, 1);
    ok(!a.load && tw_future_peek(a.future, NULL) == TW_PENDING,
       "past all its time, a get joins the reload");
    load_end(b.load, 12);
    ok(answer_end(a) == 12, "and is given what it brings");
    pass(12);
    a = get(c, 1);
    answer_end(a);
    pass(4);
    b = get(c, 1);
    ok(!b.load, "whoever joins a reload may leave it");
    answer_end(b);
    load_end(a.load, 13);
    ok(peek(c, 1) == -1, "then what it brings is not kept");
    tw_cache_unref(c);
}

/* A failed reload is not tried again at once where failures are kept. */
static void reload_fails(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){
        .ttl_ns = 10 * SECOND, .refresh_ns = 2 * SECOND, .failure_ns = 3 * SECOND });
    struct tw_cache_answer a;

    set(c, 1, 10);
    pass(2);
    a = get(c, 1);
    load_failed(a.load);
    answer_end(a);
    pass(2.9);
    a = get(c, 1);
    ok(!a.load && answer_end(a) == 10, "a reload that failed is not tried again");
    pass(0.1);
    a = get(c, 1);
    ok(a.load && answer_end(a) == 10, "until its failure is forgotten");
    load_end(a.load, 11);
    ok(now_at(c, 1) == 11, "then it is");
    tw_cache_unref(c);
}

/* The times of an entry count also where the cache has none. */
static void own_times(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ .stale_ns = 5 * SECOND });
    struct tw_cache_answer a = get(c, 1);

    load_with(a.load, 10, (struct tw_cache_terms){ .ttl_ns = 10 * SECOND });
    answer_end(a);
    set(c, 2, 20);
    pass(9.9);
    a = get(c, 1);
    ok(!a.load && answer_end(a) == 10, "a time of its own alone");
    pass(0.1);
    a = get(c, 1);
    ok(a.load && answer_end(a) == 10, "and stale after it");
    load_failed(a.load);
    pass(5);
    ok(now_at(c, 1) == -1 && now_at(c, 2) == 20, "as long as the cache says");
    tw_cache_unref(c);
}

static void stale_on_error(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){
        .ttl_ns = 10 * SECOND, .stale_error_ns = 20 * SECOND, .failure_ns = 3 * SECOND });
    struct tw_cache_answer a;

    set(c, 1, 10);
    pass(11);
    a = get(c, 1);
    ok(a.load && tw_future_peek(a.future, NULL) == TW_PENDING, "past its time: a load");
    load_failed(a.load);
    ok(answer_end(a) == 10 && stats(c)->failures == 1, "it fails: the old value");
    pass(2.9);
    a = get(c, 1);
    ok(!a.load && answer_end(a) == 10, "for as long as failures are kept");
    pass(0.1);
    a = get(c, 1);
    ok(a.load, "then again a load");
    load_failed(a.load);
    ok(answer_end(a) == 10, "that fails");
    pass(15.9);
    a = get(c, 1);
    ok(a.load, "a last one");
    pass(0.1);
    load_failed(a.load);
    ok(answer_end(a) == -2, "ends after the hard limit: the error");
    pass(2.9);
    a = get(c, 1);
    ok(!a.load && answer_end(a) == -2, "which is kept");
    pass(0.1);
    ok(now_at(c, 1) == -1, "no longer than asked");
    tw_cache_unref(c);
}

static void failures(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ 0 });
    struct tw_cache_answer a = get(c, 1), b = get(c, 1);

    load_failed(a.load);
    ok(is_why(a.future) && answer_end(a) == -2 && answer_end(b) == -2,
       "both are given the error");
    a = get(c, 1);
    ok(a.load && stats(c)->failures == 1, "by default a failure is not kept");
    tw_load_unref(a.load);
    ok(answer_end(a) == -2 && stats(c)->cancelled == 1, "a load that is lost is dropped");
    a = get(c, 1);
    ok(a.load, "and its key is not stuck");
    load_end(a.load, 1);
    answer_end(a);
    tw_cache_unref(c);

    c = cache_open((struct tw_cache_options){ .failure_ns = SECOND });
    a = get(c, 1);
    tw_load_drop(a.load, text("stopped"));
    tw_load_unref(a.load);
    b = get(c, 1);
    ok(answer_end(a) == -2 && b.load, "what was dropped is never kept");
    load_failed(b.load);
    answer_end(b);
    b = get(c, 1);
    ok(!b.load && answer_end(b) == -2 && stats(c)->entries == 0, "a failure is no value");
    set(c, 1, 5);
    ok(now_at(c, 1) == 5, "a put takes its place");
    tw_cache_unref(c);
}

static void stop(void *ctx)
{
    ++*(int *)ctx;
}

static void done(void *ctx)
{
    *(int *)ctx += 100;
}

static void abandoned(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ 0 });
    struct tw_cache_answer a = get(c, 1), b = get(c, 1), d;
    int calls = 0;

    ok(tw_load_on_abandoned(a.load, stop, done, &calls), "somebody wants it");
    answer_end(a);
    ok(calls == 0, "one leaves, the other waits");
    tw_future_ref(b.future);
    answer_end(b);
    ok(calls == 1, "the last one leaves: it is stopped");
    d = get(c, 1);
    ok(d.load && d.future != b.future, "a get begins anew");
    tw_load_done(a.load, number(1), NULL);
    ok(calls == 1, "it may be called as long as the load lives");
    tw_load_unref(a.load);
    ok(calls == 101, "and then never");
    ok(peek(c, 1) == -1, "what it brought is not kept");
    tw_future_unref(b.future);
    answer_end(d);
    ok(!tw_load_on_abandoned(d.load, stop, done, &calls) && calls == 101,
       "who was left before is told at once");
    tw_load_drop(d.load, nothing());
    tw_load_unref(d.load);
    ok(calls == 101, "and not again");
    tw_cache_unref(c);
}

/* Rung while a future is being cancelled, before its entry can be taken out. */
struct rung { struct tw_cache *c; struct tw_cache_answer a; };

static void get_again(void *ctx)
{
    struct rung *r = ctx;

    r->a = get(r->c, 1);
}

static void between(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ 0 });
    struct rung r = { .c = c };
    struct tw_mailbox box;
    struct tw_waker w;
    struct tw_wait node = { .waker = &w };
    struct tw_cache_answer a = get(c, 1);
    struct tw_cache_page page = { 0 };

    tw_mailbox_init(&box, get_again, &r);
    tw_waker_init(&w, &box);
    tw_future_wait(a.future, &node);
    tw_future_ref(a.future);
    answer_end(a);
    ok(r.a.load && r.a.future != a.future, "a future that is cancelled now is not given");
    tw_waker_heard(tw_mailbox_take(&box));
    tw_future_leave(a.future, &node);
    tw_future_unref(a.future);
    load_end(a.load, 1);
    ok(peek(c, 1) == -1, "its load is not taken for the new one");
    answer_end(r.a);
    ok(tw_cache_page_next(c, &page) == 0, "what nobody wants leaves nothing behind");
    tw_cache_page_fini(&page);
    load_end(r.a.load, 2);
    ok(stats(c)->entries == 0 && stats(c)->loading == 0, "nor does its end");
    tw_cache_unref(c);
}

static void bounds(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){
        .capacity = 10, .policy = TW_POLICY_LRU });
    struct tw_any k = number(1), big;
    char *text_of_big = calloc(1, 100001);
    int there = 0;

    for (int i = 0; i < 100; i++) set(c, i, i);
    for (int i = 90; i < 100; i++) there += peek(c, i) == i;
    ok(there == 10 && stats(c)->entries == 10 && stats(c)->evictions == 90,
       "bound by count");
    now_at(c, 90);
    set(c, 100, 100);
    ok(peek(c, 90) == 90 && peek(c, 91) == -1, "the least recently used goes");
    tw_cache_unref(c);

    c = cache_open((struct tw_cache_options){ .capacity = 50000, .in_bytes = true });
    memset(text_of_big, 'x', 100000);
    for (int i = 0; i < 10; i++) {
        text_of_big[10000] = 0;
        k = number(i);
        tw_cache_put(c, &k, text(text_of_big), NULL, 0);
        text_of_big[10000] = 'x';
    }
    ok(stats(c)->entries == 4 && stats(c)->bytes <= 50000 && stats(c)->bytes > 40000,
       "bound by bytes");
    big = text(text_of_big);
    k = number(50);
    tw_cache_put(c, &k, big, NULL, 0);
    ok(peek(c, 50) == -1 && stats(c)->entries == 4, "what is too heavy is not kept");
    tw_cache_unref(c);
    free(text_of_big);
}

static void options(void)
{
    struct tw_cache *c;
    struct tw_error error;

    ok(tw_cache_new(&(struct tw_cache_options){ .name = "x", .ttl_ns = -1 }, NULL, &c,
                    &error) == TW_EUSAGE && strstr(error.text, "ttl is negative"),
       "%s", error.text);
    ok(tw_cache_new(&(struct tw_cache_options){ .name = "x", .jitter = 2 }, NULL, &c,
                    &error) == TW_EUSAGE, "%s", error.text);
    ok(tw_cache_new(&(struct tw_cache_options){ .name = "x", .shards = 3 }, NULL, &c,
                    &error) == TW_EUSAGE, "%s", error.text);
    ok(tw_cache_new(&(struct tw_cache_options){ .ttl_ns = 3 }, NULL, &c,
                    &error) == TW_EUSAGE, "%s", error.text);
}

/* All that a cache does, with keys and tags enough for its tables to grow; false when
 * something could not be done. */
static bool do_all(struct tw_cache *c, struct tw_channel *to, const struct tw_any *tags)
{
    struct tw_any k = number(1);
    struct tw_cache_terms terms = { .tags = *tags };
    struct tw_cache_page page = { 0 };
    struct tw_cache_answer a;
    bool fine = true;

    tw_cache_on_removal(c, to);
    for (int i = 0; i < 40; i++) {
        k = number(i);
        if (i % 2) {
            fine &= tw_cache_put(c, &k, number(i), &terms, 0) == 0;
        } else if (tw_cache_get(c, &k, NULL, &a, NULL) == 0) {
            tw_future_want(a.future);
            load_with(a.load, i, terms);
            fine &= peek(c, i) == i;
            answer_end(a);
        } else {
            fine = false;
        }
    }
    pass(7);
    k = number(2);
    if (tw_cache_get(c, &k, NULL, &a, NULL) == 0) {
        tw_future_want(a.future);
        fine &= a.load != NULL;
        if (a.load) load_end(a.load, 3);
        answer_end(a);
    } else {
        fine = false;
    }
    fine &= tw_cache_page_next(c, &page) == 1;
    tw_cache_page_fini(&page);
    tw_cache_invalidate_tag(c, "a", 1);
    return fine && stats(c)->untold == 0;
}

static void no_memory(void)
{
    struct tw_cache_options o = { .name = "m", .now_ns = clock_now, .ttl_ns = 10 * SECOND,
                                  .refresh_ns = 5 * SECOND, .shards = 1 };
    struct tw_channel *to = tw_channel_new(64, TW_WHEN_FULL_DROP_OLDEST, NULL);
    struct tw_any tags = list(2, "a", "b"), event;
    struct tw_cache *c;
    int stuck = 0, refused = 0, fine = 0, wrong = 0;

    for (int n = 1; n < 800; n++) {
        c = NULL;
        tw_memory_fail_at((uint64_t)n);
        if (tw_cache_new(&o, NULL, &c, NULL) == 0) fine += do_all(c, to, &tags);
        else refused++;
        tw_memory_fail_at(0);
        if (!c) continue;
        for (int i = 0; i < 40; i++) {
            now_at(c, i);
            set(c, i, i);
            stuck += now_at(c, i) != i;
        }
        wrong += stats(c)->loading != 0 || stats(c)->entries != 40;
        tw_cache_on_removal(c, NULL);
        tw_cache_unref(c);
        while (tw_channel_try_recv(to, &event) == 0) tw_any_unref(&event);
    }
    ok(refused > 3 && fine > 0 && fine < 700, "steps fail (%d, %d went well)", refused,
       fine);
    ok(stuck == 0 && wrong == 0, "but nothing sticks, and the counts are right");
    tw_any_unref(&tags);
    tw_channel_unref(to);
}

int main(void)
{
    atomic_store(&clock_ns, 1000 * SECOND);
    one_load();
    keys();
    time_to_live();
    jitter();
    idle();
    refresh();
    reload_fails();
    own_times();
    stale_on_error();
    failures();
    abandoned();
    between();
    bounds();
    options();
    no_memory();
    nothing_left();
    return tap_done();
}
