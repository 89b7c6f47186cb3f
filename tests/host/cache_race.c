/* cache_race.c - many threads: one load for all, no value that was never put, no key
 * that sticks, and circles of loads found while they are being made (C1, G2).
 */
#include <pthread.h>
#include <stdarg.h>

#include "cache_rig.h"
#include "park.h"
#include "tape/tape.h"

enum { THREADS = 6, KEYS = 1000, LOADS = 24 };
static int operations = 10000, rounds = 300;

static uint64_t next_of(uint64_t *x)
{
    *x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *x >> 33;
}

/* Waits until it is settled, in its thread's park. */
static void await(struct park *p, struct tw_future *f)
{
    struct tw_waker w;
    struct tw_wait node = { .waker = &w };

    tw_waker_init(&w, &p->box);
    while (tw_future_wait(f, &node)) {
        if (!park_await(p)) abort();
        tw_future_leave(f, &node);
    }
    tw_future_leave(f, &node);
    park_settle(p);
}

/* ---- a model ---- */

struct track { struct tw_cache *c; uint64_t seed; int wrong, loads; };

/* A value is always key + KEYS * n.  Whatever a get gives has to be of its key. */
static void *operate(void *arg)
{
    struct track *t = arg;
    struct tw_any tag = list(1, "even");
    struct park p;

    park_open(&p);
    for (int i = 0; i < operations; i++) {
        struct tw_any k = number((int64_t)(next_of(&t->seed) % KEYS)), v;
        struct tw_cache_terms terms = { .tags = k.integer % 2 ? nothing() : tag };
        int64_t value = k.integer + KEYS * (int64_t)(next_of(&t->seed) % 1000);
        uint64_t what = next_of(&t->seed) % 100;
        struct tw_cache_answer a;

        if (what < 5) {
            tw_cache_put(t->c, &k, number(value), &terms, 0);
        } else if (what < 8) {
            tw_cache_invalidate(t->c, &k);
        } else if (what == 8) {
            tw_cache_invalidate_tag(t->c, "even", 4);
        } else if (what < 12) {
            if (tw_cache_peek(t->c, &k, &v))
                t->wrong += v.integer % KEYS != k.integer;
        } else if (what == 12 && i % 20 == 0) {
            tw_cache_invalidate_all(t->c);
        } else {
            a = get_any(t->c, &k, NULL);
            if (a.load && what < 20) load_failed(a.load);
            else if (a.load && what < 22) tw_load_unref(a.load);
            else if (a.load) load_with(a.load, value, terms);
            t->loads += a.load != NULL;
            if (what > 30) await(&p, a.future);
            if (what > 30 && tw_future_peek(a.future, &v) == TW_RESOLVED)
                t->wrong += v.integer % KEYS != k.integer;
            answer_end(a);
        }
        if (i % 100 == 0) pass(0.01);
    }
    tw_any_unref(&tag);
    park_close(&p);
    return NULL;
}

static void model(struct tw_cache_options o, const char *what)
{
    struct tw_cache *c = cache_open(o);
    struct track t[THREADS];
    pthread_t th[THREADS];
    struct tw_any k;
    uint64_t held = 0;
    int wrong = 0, loads = -atomic_load(&given_up);
    const struct tw_cache_stats *s;

    for (int i = 0; i < THREADS; i++) {
        t[i] = (struct track){ .c = c, .seed = (uint64_t)i + 1 };
        pthread_create(&th[i], NULL, operate, &t[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(th[i], NULL);
        wrong += t[i].wrong;
        loads += t[i].loads;
    }
    loads += atomic_load(&given_up);
    ok(wrong == 0, "%s: every value is of its key", what);
    s = stats(c);
    ok(s->loading == 0 && s->loads + s->failures + s->cancelled == (uint64_t)loads,
       "every load has ended, once");
    ok(s->entries <= tw_cache_options(c)->capacity, "no more entries than may be");
    for (int i = 0; i < KEYS; i++) {
        struct tw_any v;

        k = number(i);
        held += tw_cache_peek(c, &k, &v);
        tw_any_unref(&v);
    }
    ok(held <= stats(c)->entries, "what can be seen is counted");
    for (int i = 0; i < KEYS; i++) {
        k = number(i);
        tw_cache_remove(c, &k);
    }
    s = stats(c);
    ok(s->entries == 0 && s->bytes == 0, "removed one by one, nothing is left");
    tw_cache_unref(c);
}

/* ---- a herd ---- */

struct herd {
    struct tw_cache *c;
    pthread_barrier_t start;
    _Atomic int loads, right;
    bool fails;
};

enum { EACH = 170 };   /* gets of a thread */

static void *gather(void *arg)
{
    struct herd *h = arg;
    struct tw_cache_answer a[EACH];
    struct tw_load *load = NULL;
    struct park p;

    park_open(&p);
    pthread_barrier_wait(&h->start);
    for (int i = 0; i < EACH; i++) {
        a[i] = get(h->c, 1);
        if (a[i].load) {
            load = a[i].load;
            atomic_fetch_add(&h->loads, 1);
        }
    }
    pthread_barrier_wait(&h->start);
    if (load && h->fails) load_failed(load);
    else if (load) load_end(load, 77);
    for (int i = 0; i < EACH; i++) {
        await(&p, a[i].future);
        if (h->fails && peek(h->c, 1) != -1) abort();
        if (answer_end(a[i]) == (h->fails ? -2 : 77)) atomic_fetch_add(&h->right, 1);
    }
    park_close(&p);
    return NULL;
}

static void herd(bool fails)
{
    struct herd h = { .c = cache_open((struct tw_cache_options){ 0 }), .fails = fails };
    pthread_t th[THREADS];

    pthread_barrier_init(&h.start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) pthread_create(&th[i], NULL, gather, &h);
    for (int i = 0; i < THREADS; i++) pthread_join(th[i], NULL);
    ok(h.loads == 1 && h.right == THREADS * EACH, "%d gets, %d load, %d %s",
       THREADS * EACH, h.loads, h.right, fails ? "failures" : "values");
    pthread_barrier_destroy(&h.start);
    tw_cache_unref(h.c);
}

/* ---- who is first ---- */

struct first {
    struct tw_cache *c;
    pthread_barrier_t barrier;
    _Atomic int loads;
};

/* In each round all of them miss a new key, and then find its value due. */
static void *be_first(void *arg)
{
    struct first *f = arg;
    struct tw_cache_answer a;

    for (int i = 0; i < rounds; i++)
        for (int due = 0; due < 2; due++) {
            if (pthread_barrier_wait(&f->barrier) && due) pass(2);
            pthread_barrier_wait(&f->barrier);
            a = get(f->c, i);
            pthread_barrier_wait(&f->barrier);
            if (a.load) {
                atomic_fetch_add(&f->loads, 1);
                load_end(a.load, i);
            }
            answer_end(a);
        }
    return NULL;
}

static void first(void)
{
    struct first f = { .c = cache_open((struct tw_cache_options){
        .ttl_ns = 100 * SECOND, .refresh_ns = SECOND }) };
    pthread_t th[THREADS];

    pthread_barrier_init(&f.barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) pthread_create(&th[i], NULL, be_first, &f);
    for (int i = 0; i < THREADS; i++) pthread_join(th[i], NULL);
    ok(f.loads == 2 * rounds, "one load a miss, and one a reload: %d", f.loads);
    pthread_barrier_destroy(&f.barrier);
    tw_cache_unref(f.c);
}

/* ---- leaving ---- */

/* Each gets, and half of them leave before it has come: a key that has a value that
 * nobody can get, or a load that is never stopped, would show. */
static void *come_and_go(void *arg)
{
    struct track *t = arg;

    for (int i = 0; i < operations; i++) {
        struct tw_cache_answer a = get(t->c, (int64_t)(next_of(&t->seed) % 3));
        bool first = next_of(&t->seed) % 2;

        if (first && a.load) load_end(a.load, 5);
        t->wrong += answer_end(a) == -2;
        if (!first && a.load) load_end(a.load, 5);
        if (i % 7 == 0) tw_cache_invalidate_all(t->c);
    }
    return NULL;
}

static void leaving(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ 0 });
    struct track t[THREADS];
    pthread_t th[THREADS];
    int wrong = 0, right = 0;

    for (int i = 0; i < THREADS; i++) {
        t[i] = (struct track){ .c = c, .seed = (uint64_t)i + 1 };
        pthread_create(&th[i], NULL, come_and_go, &t[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(th[i], NULL);
        wrong += t[i].wrong;
    }
    for (int i = 0; i < 3; i++) {
        struct tw_cache_answer a = get(c, i);

        if (a.load) load_end(a.load, 5);
        right += answer_end(a) == 5;
    }
    ok(wrong == 0 && right == 3, "coming and going leaves no key stuck");
    tw_cache_unref(c);
}

/* ---- the tape ---- */

/* Its writer first makes the new version, then appends the quote, then says that the
 * quote is committed; a reader looks at that before it gets, so what it is given may
 * not be older. */
struct ticker {
    struct tw_cache *c;
    struct tw_tape *tape;
    _Atomic int64_t version, committed;
    _Atomic bool over;
    _Atomic int stale, hits;
};

static void *tick(void *arg)
{
    struct ticker *t = arg;
    struct tw_record r;

    /* The readers may come late. */
    for (int i = 1; i <= operations || atomic_load(&t->hits) == 0; i++) {
        r = (struct tw_record){ .kind = TW_QUOTE, .symbol = i % 5 ? 1 : 7 };
        if (r.symbol == 7) atomic_store(&t->version, i);
        if (tw_tape_try_append(t->tape, &r, 1) < 0) abort();
        if (r.symbol == 7) atomic_store(&t->committed, i);
        if (i % 64 == 0) tw_cache_advance(t->c);
    }
    atomic_store(&t->over, true);
    return NULL;
}

static void *read_ticks(void *arg)
{
    struct ticker *t = arg;
    uint32_t seven = 7;
    struct tw_cache_terms terms = { .depends = &seven, .n_depends = 1 };

    do {
        int64_t committed = atomic_load(&t->committed), n;
        struct tw_cache_answer a = get(t->c, 1);

        if (a.load) {
            tw_load_done(a.load, number(atomic_load(&t->version)), &terms);
            tw_load_unref(a.load);
            answer_end(a);
            continue;
        }
        if (tw_future_peek(a.future, NULL) != TW_RESOLVED) {
            answer_end(a);
            continue;
        }
        n = answer_end(a);
        atomic_fetch_add(&t->hits, 1);
        if (n < committed) atomic_fetch_add(&t->stale, 1);
    } while (!atomic_load(&t->over));
    return NULL;
}

static void ticking(void)
{
    struct ticker t = { .c = cache_open((struct tw_cache_options){ 0 }),
                        .tape = tw_tape_new(256) };
    pthread_t th[3];

    tw_cache_watch(t.c, t.tape);
    pthread_create(&th[0], NULL, tick, &t);
    for (int i = 1; i < 3; i++) pthread_create(&th[i], NULL, read_ticks, &t);
    for (int i = 0; i < 3; i++) pthread_join(th[i], NULL);
    ok(t.stale == 0 && t.hits > 0, "nothing that a quote has voided is given (%d hits)",
       t.hits);
    tw_cache_unref(t.c);
    tw_tape_free(t.tape);
}

/* ---- circles ---- */

static void paths(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ .name = "prices" });
    struct tw_cache *d = cache_open((struct tw_cache_options){ .name = "rates" });
    struct tw_any a = text("A"), b = list(2, "B", "x");
    struct tw_any seven = number(7), nine = number(9), eleven = number(11);
    struct tw_cache_answer x, y, z, w;
    struct tw_cache_call call = { 0 };
    struct tw_error error = { 0 };
    int failed = 0;

    x = get_any(c, &a, NULL);
    call.asking = x.load;
    ok(tw_cache_get(c, &a, &call, &w, &error) == TW_ECYCLE && !w.future && !w.load
       && strstr(error.text, "prices[A] -> prices[A]"), "%s", error.text);
    y = get_any(d, &b, &call);
    call.asking = y.load;
    z = get_any(d, &seven, &call);
    call.asking = z.load;
    ok(tw_cache_get(c, &a, &call, &w, &error) == TW_ECYCLE
       && strstr(error.text, "prices[A] -> rates[{B, x}] -> rates[7] -> prices[A]"),
       "%s", error.text);
    call.asking = x.load;
    w = get_any(d, &seven, &call);
    ok(!w.load, "two ways to one load are no circle");
    answer_end(w);
    load_end(z.load, 1);
    answer_end(z);
    call.asking = y.load;
    for (int n = 1; n < 100 && failed < 2; n++) {
        tw_memory_fail_at((uint64_t)n);
        failed = 2;
        if (tw_cache_get(d, &nine, &call, &w, NULL) < 0) failed = 0;
        tw_memory_fail_at(0);
        if (failed) {
            tw_future_want(w.future);
            load_end(w.load, 9);
            answer_end(w);
        }
    }
    ok(failed == 2, "without memory for an edge no load begins");
    load_end(y.load, 1);
    answer_end(y);
    tw_load_ref(x.load);
    load_end(x.load, 1);
    answer_end(x);
    call.asking = x.load;
    z = get_any(d, &eleven, &call);
    ok(z.load, "what a load has left running may ask (G1)");
    load_end(z.load, 1);
    answer_end(z);
    z = get_any(c, &a, &call);
    ok(!z.load, "for the load's own key, too");
    answer_end(z);
    tw_load_unref(x.load);
    ok(stats(c)->loading + stats(d)->loading == 0, "all have ended");
    tw_any_unref(&a);
    tw_any_unref(&b);
    tw_cache_unref(c);
    tw_cache_unref(d);
}

/* Loads that ask for keys at random, over all threads.  The model has the edges that
 * were let in, in a matrix: with one that was refused there must be a circle, and
 * what was let in must have none. */
struct circle {
    struct tw_cache *c;
    struct tw_cache_answer load[LOADS];
    pthread_barrier_t start;
    uint64_t seed;
    bool upward;                              /* ask only for larger keys */
    _Atomic unsigned char edge[LOADS][LOADS], refused[LOADS][LOADS];
};

struct asker { struct circle *g; int k; };

static void *ask(void *arg)
{
    struct asker *me = arg;
    struct circle *g = me->g;
    uint64_t x = g->seed * 977 + (uint64_t)me->k * 31;

    pthread_barrier_wait(&g->start);
    for (int from = me->k; from < LOADS; from += THREADS)
        for (int n = 0; n < 3; n++) {
            int to = (int)(next_of(&x) % LOADS);
            struct tw_cache_call call = { .asking = g->load[from].load };
            struct tw_cache_answer a;
            struct tw_any k = number(to);

            if (g->upward && to <= from) continue;
            if (tw_cache_get(g->c, &k, &call, &a, NULL) < 0) {
                atomic_store(&g->refused[from][to], 1);
                continue;
            }
            atomic_store(&g->edge[from][to], 1);
            tw_future_unref(a.future);
        }
    return NULL;
}

static bool reach[LOADS][LOADS];

static void close_over(struct circle *g)
{
    for (int i = 0; i < LOADS; i++)
        for (int j = 0; j < LOADS; j++) reach[i][j] = g->edge[i][j];
    for (int k = 0; k < LOADS; k++)
        for (int i = 0; i < LOADS; i++)
            for (int j = 0; j < LOADS; j++)
                reach[i][j] |= reach[i][k] && reach[k][j];
}

static void circles(bool upward)
{
    static struct circle g;
    pthread_t th[THREADS];
    struct asker me[THREADS];
    int hangs = 0, false_alarms = 0, refused = 0;

    g.c = cache_open((struct tw_cache_options){ 0 });
    g.upward = upward;
    pthread_barrier_init(&g.start, NULL, THREADS);
    for (int round = 0; round < rounds; round++) {
        memset((void *)g.edge, 0, sizeof g.edge);
        memset((void *)g.refused, 0, sizeof g.refused);
        g.seed = (uint64_t)round;
        for (int i = 0; i < LOADS; i++) g.load[i] = get(g.c, i);
        for (int i = 0; i < THREADS; i++) {
            me[i] = (struct asker){ &g, i };
            pthread_create(&th[i], NULL, ask, &me[i]);
        }
        for (int i = 0; i < THREADS; i++) pthread_join(th[i], NULL);
        close_over(&g);
        for (int i = 0; i < LOADS; i++) {
            hangs += reach[i][i];
            for (int j = 0; j < LOADS; j++) {
                refused += g.refused[i][j];
                false_alarms += g.refused[i][j] && i != j && !reach[j][i];
            }
        }
        for (int i = 0; i < LOADS; i++) load_end(g.load[i].load, 1);
        for (int i = 0; i < LOADS; i++) answer_end(g.load[i]);
        tw_cache_invalidate_all(g.c);
    }
    pthread_barrier_destroy(&g.start);
    ok(hangs == 0, "no circle of loads comes to be (%d refused)", refused);
    ok(false_alarms == 0 && (refused == 0) == upward, "%s",
       upward ? "and where none can be, nothing is refused"
              : "nothing is refused in vain");
    tw_cache_unref(g.c);
}

int main(void)
{
    if (getenv("SMALL")) operations = 1000, rounds = 30;
    atomic_store(&clock_ns, 1000 * SECOND);
    model((struct tw_cache_options){ .capacity = 10000, .shards = 4 }, "all fits");
    model((struct tw_cache_options){ .capacity = 200, .shards = 2 }, "a fifth fits");
    model((struct tw_cache_options){ .capacity = 200, .policy = TW_POLICY_LRU,
                                     .ttl_ns = SECOND / 2, .refresh_ns = SECOND / 4,
                                     .stale_ns = SECOND / 4,
                                     .stale_error_ns = SECOND / 2,
                                     .failure_ns = SECOND / 10,
                                     .idle_ns = SECOND / 3 }, "with all the times");
    herd(false);
    herd(true);
    first();
    leaving();
    ticking();
    paths();
    circles(false);
    circles(true);
    nothing_left();
    return tap_done();
}
