/* channel.c - what a value costs through a channel, and what it costs to wake a
 * sleeping task.
 *
 * A value's cost is that of the best of some runs, beside a queue of a mutex and
 * two conditions.  A wake-up is half a round trip of two threads that sleep in
 * turn; the rings are what a thread with a mailbox may sleep on.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "share/channel.h"

enum {
    RUNS = 10, N = 1 << 17,              /* runs, and values of each */
    RING = 1024, KEYS = 512, TRIPS = 10000, SPIN_NS = 50000
};

static void row(const char *what, double ns)
{
    printf("%-62s %9.1f ns\n", what, ns);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double since(int64_t begin, int n)
{
    return (double)(tw_clock_steady_ns() - begin) / n;
}

static void pin(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core % (int)sysconf(_SC_NPROCESSORS_ONLN), &set);
    sched_setaffinity(0, sizeof set, &set);   /* where it may not, it isn't pinned */
}

/* What a thread may sleep on until it was rung. */
struct bell {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool rung;                      /* mutex: under lock     */
    atomic_int word;                /* QUIET, RUNG or ASLEEP */
    uv_loop_t loop;
    uv_async_t async;
};
enum { QUIET, RUNG, ASLEEP };

static void cond_ring(void *ctx)
{
    struct bell *b = ctx;

    pthread_mutex_lock(&b->lock);
    b->rung = true;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void cond_sleep(struct bell *b)
{
    pthread_mutex_lock(&b->lock);
    while (!b->rung) pthread_cond_wait(&b->changed, &b->lock);
    b->rung = false;
    pthread_mutex_unlock(&b->lock);
}

static void futex_ring(void *ctx)
{
    struct bell *b = ctx;

    if (atomic_exchange(&b->word, RUNG) == ASLEEP)
        syscall(SYS_futex, &b->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void futex_sleep(struct bell *b)
{
    int quiet = QUIET;

    if (atomic_compare_exchange_strong(&b->word, &quiet, ASLEEP))
        while (atomic_load(&b->word) == ASLEEP)
            syscall(SYS_futex, &b->word, FUTEX_WAIT_PRIVATE, ASLEEP, NULL, NULL, 0);
    atomic_store(&b->word, QUIET);
}

/* Looks for a while before it sleeps, which takes a core that nobody else needs. */
static void spin_sleep(struct bell *b)
{
    int64_t until = tw_clock_steady_ns() + SPIN_NS;

    while (atomic_load(&b->word) == QUIET && tw_clock_steady_ns() < until) {}
    futex_sleep(b);
}

static void on_async(uv_async_t *async)
{
    (void)async;
}

static void uv_ring(void *ctx)
{
    uv_async_send(&((struct bell *)ctx)->async);
}

static void uv_sleep_on(struct bell *b)
{
    uv_run(&b->loop, UV_RUN_ONCE);
}

static const struct way {
    const char *name;
    void (*ring)(void *ctx);
    void (*sleep)(struct bell *b);
} ways[] = {
    { "a condition", cond_ring, cond_sleep },
    { "a futex", futex_ring, futex_sleep },
    { "a futex after 50 us of looking", futex_ring, spin_sleep },
    { "uv_async and a loop", uv_ring, uv_sleep_on },
};
enum { WAYS = sizeof ways / sizeof *ways };

/* A task that is alone on its thread. */
struct task {
    struct bell bell;
    const struct way *way;
    struct tw_mailbox box;
    struct tw_waker waker;
    struct tw_wait node;
};

static void task_open(struct task *t, const struct way *way)
{
    *t = (struct task){ .way = way, .node.waker = &t->waker };
    pthread_mutex_init(&t->bell.lock, NULL);
    pthread_cond_init(&t->bell.changed, NULL);
    if (uv_loop_init(&t->bell.loop) < 0) abort();
    if (uv_async_init(&t->bell.loop, &t->bell.async, on_async) < 0) abort();
    tw_mailbox_init(&t->box, way->ring, &t->bell);
    tw_waker_init(&t->waker, &t->box);
}

static void task_close(struct task *t)
{
    uv_close((uv_handle_t *)&t->bell.async, NULL);
    uv_run(&t->bell.loop, UV_RUN_DEFAULT);
    uv_loop_close(&t->bell.loop);
    pthread_mutex_destroy(&t->bell.lock);
    pthread_cond_destroy(&t->bell.changed);
}

static void task_await(struct task *t)
{
    struct tw_waker *told;

    while (!(told = tw_mailbox_take(&t->box))) t->way->sleep(&t->bell);
    while (told) told = tw_waker_heard(told);
}

static void task_settle(struct task *t)
{
    struct tw_waker *told = tw_mailbox_take(&t->box);

    while (told) told = tw_waker_heard(told);
}

/* The two ends of a channel as tasks use them. */
static void put(struct tw_channel *c, struct task *t, struct tw_any v)
{
    bool waited = false;

    while (tw_channel_try_send(c, NULL, v) < 0)
        if (tw_channel_wait_send(c, &t->node)) {
            waited = true;
            task_await(t);
        }
    if (waited) tw_channel_leave(c, &t->node, TW_SENDERS);
}

static int64_t get(struct tw_channel *c, struct task *t)
{
    bool waited = false;
    struct tw_any v;

    while (tw_channel_try_recv(c, &v) < 0)
        if (tw_channel_wait_recv(c, &t->node)) {
            waited = true;
            task_await(t);
        }
    if (waited) tw_channel_leave(c, &t->node, TW_RECEIVERS);
    return v.integer;
}

/* What everybody writes first: a ring, a mutex, two conditions. */
struct plain {
    pthread_mutex_t lock;
    pthread_cond_t more, room;
    unsigned first, depth;
    struct tw_any value[RING];
};

static void plain_put(struct plain *q, struct tw_any v)
{
    pthread_mutex_lock(&q->lock);
    while (q->depth == RING) pthread_cond_wait(&q->room, &q->lock);
    q->value[(q->first + q->depth++) % RING] = v;
    pthread_cond_signal(&q->more);
    pthread_mutex_unlock(&q->lock);
}

static int64_t plain_get(struct plain *q)
{
    struct tw_any v;

    pthread_mutex_lock(&q->lock);
    while (!q->depth) pthread_cond_wait(&q->more, &q->lock);
    v = q->value[q->first++ % RING];
    q->depth--;
    pthread_cond_signal(&q->room);
    pthread_mutex_unlock(&q->lock);
    return v.integer;
}

/* N values from one thread to another. */
struct stream {
    struct tw_channel *c;           /* or */
    struct plain *q;
    const struct way *way;
};

static void *source(void *arg)
{
    struct stream *s = arg;
    struct task t;

    pin(1);
    task_open(&t, s->way);
    for (int i = 0; i < N; i++) {
        struct tw_any v = { .kind = TW_VALUE_INTEGER, .integer = i };

        if (s->c) put(s->c, &t, v);
        else plain_put(s->q, v);
    }
    task_settle(&t);
    task_close(&t);
    return NULL;
}

static double stream(struct stream *s)
{
    double best = 1e9;

    for (int run = 0; run < RUNS; run++) {
        struct task t;
        pthread_t th;
        int64_t begin = tw_clock_steady_ns();
        double ns;

        task_open(&t, s->way);
        pthread_create(&th, NULL, source, s);
        for (int i = 0; i < N; i++)
            if ((s->c ? get(s->c, &t) : plain_get(s->q)) != i) abort();
        ns = since(begin, N);
        pthread_join(th, NULL);
        task_settle(&t);
        task_close(&t);
        if (ns < best) best = ns;
    }
    return best;
}

static double same_thread(struct tw_channel *c, struct plain *q, int keys)
{
    double best = 1e9;

    for (int run = 0; run < RUNS; run++) {
        int64_t begin = tw_clock_steady_ns(), sum = 0;
        double ns;

        for (int i = 0; i < N; i++) {
            struct tw_any v = { .kind = TW_VALUE_INTEGER, .integer = i }, key = v;

            key.integer = keys ? i % keys : 0;
            if (c) tw_channel_try_send(c, &key, v);
            else plain_put(q, v);
            if (keys) continue;
            if (c) tw_channel_try_recv(c, &v);
            else v.integer = plain_get(q);
            sum += v.integer;
        }
        ns = since(begin, N);
        if (!keys && sum != (int64_t)N * (N - 1) / 2) abort();
        if (ns < best) best = ns;
    }
    return best;
}

/* One thread tells the other, which tells it back. */
struct trip { struct task t[2]; bool pinned; struct tw_channel *c[2]; };

static void *answer(void *arg)
{
    struct trip *x = arg;

    if (x->pinned) pin(1);
    for (int i = 0; i < TRIPS; i++) {
        if (x->c[0]) {
            put(x->c[1], &x->t[1], (struct tw_any){ .integer = get(x->c[0], &x->t[1]) });
        } else {
            task_await(&x->t[1]);
            tw_waker_fire(&x->t[0].waker);
        }
    }
    return NULL;
}

static double round_trip(struct trip *x, const struct way *way)
{
    static double ns[TRIPS];
    pthread_t th;

    for (int k = 0; k < 2; k++) task_open(&x->t[k], way);
    pthread_create(&th, NULL, answer, x);
    for (int i = 0; i < TRIPS; i++) {
        int64_t begin = tw_clock_steady_ns();

        if (x->c[0]) {
            put(x->c[0], &x->t[0], (struct tw_any){ .integer = i });
            if (get(x->c[1], &x->t[0]) != i) abort();
        } else {
            tw_waker_fire(&x->t[1].waker);
            task_await(&x->t[0]);
        }
        ns[i] = since(begin, 1);
    }
    pthread_join(th, NULL);
    for (int k = 0; k < 2; k++) {
        task_settle(&x->t[k]);
        task_close(&x->t[k]);
    }
    qsort(ns, TRIPS, sizeof *ns, ascending);
    return ns[TRIPS / 2];
}

/* What the one who tells pays while the other is awake, with two looks at the
 * clock. */
static double telling(const struct way *way)
{
    static double ns[TRIPS];
    struct task t;

    task_open(&t, way);
    for (int i = 0; i < TRIPS; i++) {
        int64_t begin = tw_clock_steady_ns();

        tw_waker_fire(&t.waker);
        ns[i] = since(begin, 1);
        task_settle(&t);
        way->sleep(&t.bell);   /* it was rung, so it does not sleep */
    }
    task_close(&t);
    qsort(ns, TRIPS, sizeof *ns, ascending);
    return ns[TRIPS / 2];
}

int main(void)
{
    static struct plain q = { .lock = PTHREAD_MUTEX_INITIALIZER,
                              .more = PTHREAD_COND_INITIALIZER,
                              .room = PTHREAD_COND_INITIALIZER };
    struct tw_channel *c = tw_channel_new(RING, TW_WHEN_FULL_WAIT, NULL);
    struct tw_channel *latest = tw_channel_new(RING, TW_WHEN_FULL_LATEST, NULL);
    struct trip *x = calloc(1, sizeof *x);
    char text[80];

    pin(0);
    row("a value, same thread: mutex and conditions", same_thread(NULL, &q, 0));
    row("  through a channel", same_thread(c, NULL, 0));
    row("  through one that keeps the latest", same_thread(latest, NULL, 0));
    row("  replacing the latest of 512 keys", same_thread(latest, NULL, KEYS));
    row("a value, two threads: mutex and conditions",
        stream(&(struct stream){ NULL, &q, &ways[0] }));
    for (int w = 0; w < WAYS; w++) {
        snprintf(text, sizeof text, "  through a channel, sleeping on %s", ways[w].name);
        row(text, stream(&(struct stream){ c, NULL, &ways[w] }));
    }
    for (int w = 0; w < WAYS; w++) {
        snprintf(text, sizeof text, "telling a task that is awake: %s", ways[w].name);
        row(text, telling(&ways[w]));
    }
    for (int pinned = 1; pinned >= 0; pinned--)
        for (int w = 0; w < WAYS; w++) {
            x->pinned = pinned;
            snprintf(text, sizeof text, "there and back, %s: %s",
                     pinned ? "two cores" : "one core", ways[w].name);
            row(text, round_trip(x, &ways[w]));
        }
    x->pinned = true;
    for (int k = 0; k < 2; k++) x->c[k] = tw_channel_new(1, TW_WHEN_FULL_WAIT, NULL);
    for (int w = 0; w < WAYS; w++) {
        snprintf(text, sizeof text, "  with a value through a channel: %s", ways[w].name);
        row(text, round_trip(x, &ways[w]));
    }
    for (int k = 0; k < 2; k++) tw_channel_unref(x->c[k]);
    tw_channel_unref(latest);
    tw_channel_unref(c);
    free(x);
    return 0;
}
