/* future.c - settled once, told to all, stopped when nobody wants it (F1 to F4). */
#include "share/future.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "text.h"
#include "park.h"
#include "tap.h"

enum { THREADS = 4 };
static int rounds = 5000;

static struct tw_any integer(int64_t n)
{
    return (struct tw_any){ .kind = TW_VALUE_INTEGER, .integer = n };
}

static void count(void *ctx)
{
    ++*(int *)ctx;
}

static void settling(void)
{
    struct tw_future *f = tw_future_new(NULL);
    struct tw_any v = integer(7);

    ok(tw_future_object(f)->type == &tw_future_type, "it is an object");
    ok(tw_future_peek(f, &v) == TW_PENDING && v.kind == TW_VALUE_NIL,
       "pending, with nil");
    ok(tw_future_resolve(f, text("one")), "resolved");
    ok(!tw_future_resolve(f, text("two")) && !tw_future_fail(f, text("three"))
       && !tw_future_cancel(f), "once");
    ok(tw_future_peek(f, &v) == TW_RESOLVED && is_text(&v, "one"), "by the first");
    ok(tw_future_peek(f, NULL) == TW_RESOLVED, "its state alone");
    ok(tw_value_live() == 1, "what came too late is let go");
    tw_future_unref(f);

    f = tw_future_new(NULL);
    ok(tw_future_cancel(f) && !tw_future_cancel(f), "cancelled, once");
    ok(tw_future_peek(f, &v) == TW_CANCELLED && v.kind == TW_VALUE_NIL, "with nil");
    ok(!tw_future_resolve(f, integer(1)), "a cancelled one is not resolved");
    ok(!tw_future_want(f), "nor wanted");
    tw_future_unref(f);

    f = tw_future_new(NULL);
    ok(tw_future_fail(f, text("why")), "failed");
    ok(tw_future_peek(f, &v) == TW_FAILED && is_text(&v, "why"), "with its error");
    tw_future_unref(f);
}

static void waiting(void)
{
    struct tw_future *f = tw_future_new(NULL);
    struct park p;
    struct tw_waker w[3];
    struct tw_wait node[3] = {0};

    park_open(&p);
    for (int i = 0; i < 3; i++) {
        tw_waker_init(&w[i], &p.box);
        node[i].waker = &w[i];
        ok(tw_future_wait(f, &node[i]), "%d waits", i);
    }
    ok(tw_future_waiting(f) == 3, "three wait");
    tw_future_leave(f, &node[1]);
    tw_future_leave(f, &node[1]);
    ok(tw_future_waiting(f) == 2, "one leaves, twice");
    ok(tw_future_wait(f, &node[1]) && tw_future_waiting(f) == 3, "and comes again");
    tw_future_leave(f, &node[0]);
    ok(tw_mailbox_is_empty(&p.box), "nobody is told");
    tw_future_resolve(f, integer(1));
    ok(tw_mailbox_take(&p.box) == &w[2] && w[2].next == &w[1] && !w[1].next,
       "settled, it tells those who still wait, in order");
    tw_waker_heard(&w[2]);
    tw_waker_heard(&w[1]);
    ok(tw_future_waiting(f) == 0, "none waits");
    for (int i = 0; i < 3; i++) tw_future_leave(f, &node[i]);
    ok(!node[1].told && !node[2].told, "who has left may wait elsewhere");
    ok(!tw_future_wait(f, &node[0]) && !node[0].prev && !node[0].next,
       "a settled one has nothing to wait for");
    tw_future_unref(f);
    park_close(&p);
}

static void wanting(void)
{
    struct tw_future *f = tw_future_new(NULL);
    int stops = 0;

    tw_future_on_abandoned(f, count, &stops);
    ok(tw_future_want(f) && tw_future_want(f), "two want it");
    tw_future_unwant(f);
    ok(stops == 0 && tw_future_peek(f, NULL) == TW_PENDING, "one leaves: it goes on");
    tw_future_unwant(f);
    ok(stops == 1 && tw_future_peek(f, NULL) == TW_CANCELLED, "the last stops it");
    ok(!tw_future_want(f), "what was stopped can't be wanted");
    tw_future_unref(f);

    f = tw_future_new(NULL);
    tw_future_on_abandoned(f, count, &stops);
    tw_future_want(f);
    tw_future_resolve(f, integer(1));
    ok(tw_future_want(f), "a resolved one may be wanted");
    tw_future_unwant(f);
    tw_future_unwant(f);
    ok(stops == 1 && tw_future_peek(f, NULL) == TW_RESOLVED, "and left: it stays");
    tw_future_unref(f);

    f = tw_future_new(NULL);
    tw_future_want(f);
    tw_future_unwant(f);
    ok(tw_future_peek(f, NULL) == TW_CANCELLED, "with nothing to stop it is cancelled");
    tw_future_unref(f);

    f = tw_future_new(NULL);
    tw_future_on_abandoned(f, count, &stops);
    tw_future_unref(f);
    ok(stops == 1, "one that nobody ever wanted is not stopped");
}

static int told;

static void tell(void *ctx, const struct tw_any *error)
{
    told += ctx == &told && is_text(error, "lost");
}

static const struct tw_unseen unseen = { .tell = tell, .ctx = &told };

static void unseen_failures(void)
{
    struct tw_future *f = tw_future_new(&unseen);

    tw_future_fail(f, text("lost"));
    tw_future_ref(f);
    tw_future_unref(f);
    ok(told == 0, "as long as it is held, its failure may be seen");
    tw_future_unref(f);
    ok(told == 1, "nobody has seen it: it is told");

    f = tw_future_new(&unseen);
    tw_future_fail(f, text("lost"));
    tw_future_peek(f, NULL);
    tw_future_saw(f);
    tw_future_unref(f);
    ok(told == 1, "one that was seen is not");

    f = tw_future_new(&unseen);
    tw_future_saw(f);
    tw_future_fail(f, text("lost"));
    tw_future_unref(f);
    ok(told == 1, "nor one that somebody will see");

    f = tw_future_new(&unseen);
    tw_future_resolve(f, text("lost"));
    tw_future_fail(f, text("lost"));
    tw_future_unref(f);
    f = tw_future_new(&unseen);
    tw_future_cancel(f);
    tw_future_unref(f);
    tw_future_unref(tw_future_new(&unseen));
    ok(told == 1, "resolved, cancelled or pending, it has not failed");

    for (int looks = 0; looks < 2; looks++) {   /* two that fail with one error */
        struct tw_future *other = tw_future_new(&unseen);
        struct tw_any error = text("lost");

        f = tw_future_new(&unseen);
        tw_any_ref(&error);
        tw_future_fail(f, error);
        tw_future_fail(other, error);
        if (looks) tw_future_saw(other);
        tw_future_unref(f);
        tw_future_unref(other);
        ok(told == 2, looks ? "of two with one error, seeing one is enough"
                            : "unseen, it is told once");
    }
}

static void no_memory(void)
{
    int failed = 0;
    struct tw_future *f = NULL;
    uint64_t before;

    for (; !f; failed++) {
        tw_memory_fail_at((uint64_t)failed + 1);
        f = tw_future_new(NULL);
    }
    tw_memory_fail_at(0);
    ok(failed == 2 && tw_object_live() == 1, "without memory there is none");
    before = tw_memory_count();
    tw_future_want(f);
    tw_future_fail(f, integer(1));
    tw_future_unwant(f);
    tw_future_unref(f);
    ok(tw_memory_count() == before, "settling it takes none");
}

/* Threads that go through the same rounds together; each round has a future. */
struct race {
    pthread_barrier_t start, end;
    struct tw_future *f;
    atomic_int won, stops, holders, early, lost;
    int winner;                       /* owner: who won, then main */
};
struct racer { struct race *race; int k; };

static void race_open(struct race *r)
{
    *r = (struct race){ .f = NULL };
    pthread_barrier_init(&r->start, NULL, THREADS + 1);
    pthread_barrier_init(&r->end, NULL, THREADS + 1);
}

static void race_close(struct race *r)
{
    pthread_barrier_destroy(&r->start);
    pthread_barrier_destroy(&r->end);
}

/* Runs all rounds; before and after each, on this thread. */
static void race_run(struct race *r, void *(*body)(void *),
                     void (*before)(struct race *), void (*after)(struct race *))
{
    struct racer racer[THREADS];
    pthread_t th[THREADS];

    for (int k = 0; k < THREADS; k++) {
        racer[k] = (struct racer){ r, k };
        pthread_create(&th[k], NULL, body, &racer[k]);
    }
    for (int i = 0; i < rounds; i++) {
        r->f = tw_future_new(NULL);
        before(r);
        pthread_barrier_wait(&r->start);
        pthread_barrier_wait(&r->end);
        after(r);
        tw_future_unref(r->f);
    }
    for (int k = 0; k < THREADS; k++) pthread_join(th[k], NULL);
}

/* Racers settle it, each in its way, and wait until it is settled. */
static void *settle(void *arg)
{
    struct racer *me = arg;
    struct race *r = me->race;
    struct park p;
    struct tw_waker w;
    struct tw_wait node = { .waker = &w };

    park_open(&p);
    tw_waker_init(&w, &p.box);
    for (int i = 0; i < rounds; i++) {
        bool waits, won;

        pthread_barrier_wait(&r->start);
        waits = tw_future_wait(r->f, &node);
        if (me->k == 3 && i % 4) won = false;
        else if (me->k == 2) won = tw_future_cancel(r->f);
        else if (me->k == 1) won = tw_future_fail(r->f, text("failed"));
        else won = tw_future_resolve(r->f, text("resolved"));
        if (won) {
            atomic_fetch_add(&r->won, 1);
            r->winner = me->k;
        }
        if (waits && !park_await(&p)) atomic_fetch_add(&r->lost, 1);
        if (tw_future_peek(r->f, NULL) == TW_PENDING) atomic_fetch_add(&r->lost, 1);
        tw_future_leave(r->f, &node);
        pthread_barrier_wait(&r->end);
    }
    park_close(&p);
    return NULL;
}

static int wrong, settled[4];

static void nothing(struct race *r)
{
    (void)r;
}

static void after_settle(struct race *r)
{
    static const char *value[] = { "resolved", "failed", NULL, "resolved" };
    static const enum tw_future_state want[] = {
        TW_RESOLVED, TW_FAILED, TW_CANCELLED, TW_RESOLVED };
    struct tw_any v;
    enum tw_future_state state = tw_future_peek(r->f, &v);

    wrong += atomic_exchange(&r->won, 0) != 1 || state != want[r->winner];
    wrong += value[r->winner] ? !is_text(&v, value[r->winner])
                             : v.kind != TW_VALUE_NIL;
    wrong += tw_value_live() != (value[r->winner] != NULL);
    settled[state]++;
}

static void settle_race(void)
{
    struct race r;

    race_open(&r);
    race_run(&r, settle, nothing, after_settle);
    ok(wrong == 0, "%d races: one of %d settles it, with its value", rounds, THREADS);
    ok(atomic_load(&r.lost) == 0, "and every waiter is told");
    printf("# resolved %d, failed %d, cancelled %d\n", settled[TW_RESOLVED],
           settled[TW_FAILED], settled[TW_CANCELLED]);
    race_close(&r);
}

/* Racers want it and leave it; the first one resolves some before it leaves. */
static void on_stop(void *ctx)
{
    struct race *r = ctx;

    atomic_fetch_add(&r->stops, 1);
    if (atomic_load(&r->holders) != 0) atomic_fetch_add(&r->early, 1);
}

static void *want(void *arg)
{
    struct racer *me = arg;
    struct race *r = me->race;

    for (int i = 0; i < rounds; i++) {
        pthread_barrier_wait(&r->start);
        for (int j = 0; j < 3; j++) {
            if (!tw_future_want(r->f)) break;
            atomic_fetch_add(&r->holders, 1);
            if (me->k == 0 && i % 2 == 0 && tw_future_resolve(r->f, text("done")))
                atomic_fetch_add(&r->won, 1);
            atomic_fetch_sub(&r->holders, 1);
            tw_future_unwant(r->f);
        }
        pthread_barrier_wait(&r->end);
    }
    return NULL;
}

static int held;

static void before_want(struct race *r)
{
    tw_future_on_abandoned(r->f, on_stop, r);
}

static void after_want(struct race *r)
{
    int stops = atomic_exchange(&r->stops, 0), won = atomic_exchange(&r->won, 0);

    wrong += stops + won != 1;   /* all have left: it was the one or the other */
    wrong += tw_future_peek(r->f, NULL) != (stops ? TW_CANCELLED : TW_RESOLVED);
    settled[won]++;
}

/* The same while this thread wants it throughout. */
static void before_hold(struct race *r)
{
    before_want(r);
    tw_future_want(r->f);
}

static void after_hold(struct race *r)
{
    int won = atomic_exchange(&r->won, 0);

    held += won;
    wrong += atomic_load(&r->stops) != 0;
    wrong += tw_future_peek(r->f, NULL) != (won ? TW_RESOLVED : TW_PENDING);
    tw_future_unwant(r->f);
    wrong += atomic_exchange(&r->stops, 0) != !won;
}

static void want_race(void)
{
    struct race r;

    wrong = settled[0] = settled[1] = 0;
    race_open(&r);
    race_run(&r, want, before_want, after_want);
    ok(wrong == 0, "%d races of %d who want it: stopped once, or resolved", rounds,
       THREADS);
    ok(atomic_load(&r.early) == 0, "never while one of them wanted it");
    printf("# stopped %d, resolved %d\n", settled[0], settled[1]);
    race_run(&r, want, before_hold, after_hold);
    ok(wrong == 0 && held == rounds / 2, "nor while one wants it throughout");
    race_close(&r);
}

/* Each of them saw it, or it is told: never both, and never twice. */
static void *see(void *arg)
{
    struct racer *me = arg;
    struct race *r = me->race;

    for (int i = 0; i < rounds; i++) {
        pthread_barrier_wait(&r->start);
        if (i % (THREADS + 1) == me->k) tw_future_saw(r->f);
        tw_future_unref(r->f);
        pthread_barrier_wait(&r->end);
    }
    return NULL;
}

static void before_see(struct race *r)
{
    tw_future_unref(r->f);
    r->f = tw_future_new(&unseen);
    for (int k = 0; k < THREADS; k++) tw_future_ref(r->f);
    tw_future_fail(r->f, text("lost"));
}

static void see_race(void)
{
    struct race r;

    told = 0;
    race_open(&r);
    race_run(&r, see, before_see, nothing);
    ok(told == rounds / (THREADS + 1), "a failure is told when no thread saw it");
    race_close(&r);
}

int main(void)
{
    if (getenv("SMALL")) rounds = 500;
    settling();
    waiting();
    wanting();
    unseen_failures();
    no_memory();
    settle_race();
    want_race();
    see_race();
    ok(tw_object_live() == 0, "no object is left");
    ok(tw_value_live() == 0, "and no block");
    return tap_done();
}
