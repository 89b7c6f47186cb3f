/* channel.c - nothing is lost, doubled or out of order, and no wake-up gets lost
 * with a receiver that gives up (C1 to C5). */
#include "share/channel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "park.h"
#include "tap.h"
#include "text.h"

enum { PRODUCERS = 3, CONSUMERS = 3 };
static int values = 20000, rounds = 10000;

static struct tw_any integer(int64_t n)
{
    return (struct tw_any){ .kind = TW_VALUE_INTEGER, .integer = n };
}

static int send(struct tw_channel *c, int64_t n)
{
    return tw_channel_try_send(c, NULL, integer(n));
}

static int send_key(struct tw_channel *c, int64_t key, int64_t n)
{
    struct tw_any k = integer(key);

    return tw_channel_try_send(c, &k, integer(n));
}

/* The next integer, or the code. */
static int64_t recv(struct tw_channel *c)
{
    struct tw_any v;
    int rc = tw_channel_try_recv(c, &v);

    return rc < 0 ? rc : v.integer;
}

static struct tw_channel_stats stats(struct tw_channel *c)
{
    struct tw_channel_stats s;

    tw_channel_stats(c, &s);
    return s;
}

/* C1, with what else is said of it. */
static bool counts(struct tw_channel *c, uint64_t sent, uint64_t received,
                   uint64_t dropped, uint64_t replaced)
{
    struct tw_channel_stats s = stats(c);

    return s.sent == sent && s.received == received && s.dropped == dropped
        && s.replaced == replaced && sent == received + dropped + replaced + s.depth
        && s.depth <= s.high_water && s.high_water <= s.capacity;
}

static void queue(void)
{
    struct tw_channel *c = tw_channel_new(3, TW_WHEN_FULL_WAIT, "jobs");
    struct tw_channel *other = tw_channel_new(1, TW_WHEN_FULL_ERROR, NULL);
    int wrong = 0;

    ok(tw_channel_object(c)->type == &tw_channel_type, "it is an object");
    ok(strcmp(tw_channel_name(c), "jobs") == 0 && !tw_channel_name(other), "its name");
    ok(tw_channel_when_full(other) == TW_WHEN_FULL_ERROR, "its policy");
    ok(recv(c) == TW_EEMPTY, "empty");
    for (int i = 0; i < 10; i++) {   /* round the ring */
        wrong += send(c, 3 * i) || send(c, 3 * i + 1) || send(c, 3 * i + 2);
        wrong += send(c, -1) != TW_EFULL;
        for (int j = 0; j < 3; j++) wrong += recv(c) != 3 * i + j;
    }
    ok(wrong == 0, "first in, first out, and no more than fit");
    ok(counts(c, 30, 30, 0, 0) && stats(c).high_water == 3, "the counts");
    send(c, 1);
    send(c, 2);
    tw_channel_close(c);
    tw_channel_close(c);
    ok(send(c, 3) == TW_ECLOSED, "closed, it takes nothing");
    ok(recv(c) == 1 && recv(c) == 2 && recv(c) == TW_ECLOSED, "and gives what is left");
    ok(stats(c).closed && !stats(other).closed, "the statistics say so");
    tw_channel_ref(c);
    tw_channel_unref(c);
    tw_channel_unref(c);
    tw_channel_unref(other);
}

/* The policies have closed forms: capacity C, n values, K keys in turn. */
static void policies(void)
{
    enum { C = 5, N = 103, FEW = 4, MANY = 7 };
    struct tw_channel *c = tw_channel_new(C, TW_WHEN_FULL_ERROR, NULL);
    int wrong = 0;

    for (int i = 0; i < N; i++) wrong += send(c, i) != (i < C ? 0 : TW_EFULL);
    ok(wrong == 0 && counts(c, C, 0, 0, 0), "error: the first %d stay, the rest fail", C);
    tw_channel_unref(c);

    c = tw_channel_new(C, TW_WHEN_FULL_DROP_OLDEST, NULL);
    for (int i = 0; i < N; i++) wrong += send(c, i) != 0;
    ok(counts(c, N, 0, N - C, 0), "drop oldest: n - C are dropped");
    for (int i = N - C; i < N; i++) wrong += recv(c) != i;
    ok(wrong == 0 && recv(c) == TW_EEMPTY, "and the last C come, in order");
    tw_channel_unref(c);

    c = tw_channel_new(C, TW_WHEN_FULL_LATEST, NULL);
    for (int i = 0; i < N; i++) wrong += send_key(c, i % FEW, i) != 0;
    ok(counts(c, N, 0, 0, N - FEW), "latest, keys that fit: n - K are replaced");
    for (int k = 0; k < FEW; k++) wrong += recv(c) != (N - 1 - k) / FEW * FEW + k;
    ok(wrong == 0 && recv(c) == TW_EEMPTY, "each key's last value is in its first place");
    tw_channel_unref(c);

    c = tw_channel_new(C, TW_WHEN_FULL_LATEST, NULL);
    for (int i = 0; i < N; i++) wrong += send_key(c, i % MANY, i) != 0;
    ok(counts(c, N, 0, N - C, 0), "latest, more keys than fit: n - C are dropped");
    for (int i = N - C; i < N; i++) wrong += recv(c) != i;
    ok(wrong == 0 && recv(c) == TW_EEMPTY, "and the last C come, in order");
    tw_channel_unref(c);

    c = tw_channel_new(C, TW_WHEN_FULL_LATEST, NULL);
    for (int i = 0; i < N; i++) wrong += send(c, i) != 0;
    ok(wrong == 0 && counts(c, N, 0, 0, N - 1) && recv(c) == N - 1,
       "latest, without a key: the last one");
    tw_channel_unref(c);
}

/* Keys are equal by value; what leaves the channel is let go. */
static void references(void)
{
    enum tw_when_full policy[] = { TW_WHEN_FULL_WAIT, TW_WHEN_FULL_DROP_OLDEST,
                                   TW_WHEN_FULL_LATEST, TW_WHEN_FULL_ERROR };
    struct tw_channel *c = tw_channel_new(4, TW_WHEN_FULL_LATEST, NULL);
    struct tw_any a = text("BP"), b = text("BP"), v;
    struct tw_any one = integer(1), also_one = { .kind = TW_VALUE_NUMBER, .number = 1 };

    tw_channel_try_send(c, &a, text("first"));
    tw_channel_try_send(c, &one, text("one"));
    tw_channel_try_send(c, &b, text("last"));
    tw_channel_try_send(c, &also_one, text("1.0"));
    ok(stats(c).depth == 2 && tw_value_live() == 4, "equal keys are one key");
    tw_any_unref(&a);
    tw_any_unref(&b);
    ok(tw_value_live() == 3, "the channel has its own reference to the first");
    tw_channel_try_recv(c, &v);
    ok(is_text(&v, "last") && tw_value_live() == 2, "a key leaves with its value");
    tw_any_unref(&v);
    tw_channel_unref(c);
    ok(tw_value_live() == 0, "the rest leave with the channel");

    for (int i = 0; i < 4; i++) {
        bool closed;

        c = tw_channel_new(2, policy[i], NULL);
        for (int k = 0; k < 6; k++) {
            a = text(k % 2 ? "odd" : "even");
            v = text("value");
            if (tw_channel_try_send(c, &a, v) < 0) tw_any_unref(&v);
            tw_any_unref(&a);
        }
        tw_channel_close(c);
        v = text("late");
        closed = tw_channel_try_send(c, &v, v) == TW_ECLOSED;
        tw_any_unref(&v);
        tw_channel_unref(c);
        ok(closed && tw_value_live() == 0, "policy %d: sent or not, nothing leaks", i);
    }
}

/* Random sends and receives beside a list that is searched from its start. */
static void model(void)
{
    enum { C = 24, KEYS = 40 };
    struct tw_channel *c = tw_channel_new(C, TW_WHEN_FULL_LATEST, NULL);
    struct { int64_t key, value; } list[C + 1];
    uint64_t sent = 0, received = 0, dropped = 0, replaced = 0;
    unsigned seed = 1, n = 0, at;
    int wrong = 0;

    for (int i = 0; i < values; i++) {
        unsigned r = (seed = seed * 1664525 + 1013904223) >> 12;

        if (r % 5 < 2) {
            int64_t want = n ? list[0].value : TW_EEMPTY;

            wrong += recv(c) != want;
            received += n > 0;
            if (n > 0) memmove(list, list + 1, --n * sizeof *list);
        } else {
            /* Far apart and near, so that homes collide and probes wrap. */
            int64_t key = (int64_t)(r / 5 % KEYS) << r / 200 % 2 * 20;

            wrong += send_key(c, key, i) != 0;
            sent++;
            for (at = 0; at < n && list[at].key != key; at++) {}
            if (at < n) {
                replaced++;
            } else if (n == C) {
                dropped++;
                memmove(list, list + 1, --n * sizeof *list);
                at--;
            }
            if (at == n) n++;
            list[at].key = key;
            list[at].value = i;
        }
    }
    ok(wrong == 0, "latest per key does as a plain list does");
    ok(counts(c, sent, received, dropped, replaced) && dropped && replaced,
       "and counts the same");
    tw_channel_unref(c);
}

static void no_memory(void)
{
    struct tw_channel *c = NULL;
    int failed = 0;
    uint64_t before;

    for (; !c; failed++) {
        tw_memory_fail_at((uint64_t)failed + 1);
        c = tw_channel_new(100, TW_WHEN_FULL_LATEST, "name");
    }
    tw_memory_fail_at(0);
    ok(failed == 5 && tw_object_live() == 1, "each of its 4 allocations may fail");
    before = tw_memory_count();
    for (int i = 0; i < 1000; i++) send_key(c, i % 150, i);
    while (recv(c) >= 0) {}
    ok(tw_memory_count() == before, "later it takes none");
    tw_channel_unref(c);
}

/* A task: its place in the line, and whether it was told since last asked. */
struct task { struct park park; struct tw_waker waker; struct tw_wait node; };

static void task_open(struct task *t)
{
    park_open(&t->park);
    tw_waker_init(&t->waker, &t->park.box);
    t->node = (struct tw_wait){ .waker = &t->waker };
}

static bool was_told(struct task *t)
{
    return park_settle(&t->park);
}

static void lines(void)
{
    struct tw_channel *c = tw_channel_new(2, TW_WHEN_FULL_WAIT, NULL);
    struct task t[4];

    for (int i = 0; i < 4; i++) task_open(&t[i]);
    for (int i = 0; i < 3; i++) tw_channel_wait_recv(c, &t[i].node);
    ok(stats(c).receivers == 3, "three wait");
    send(c, 1);
    ok(was_told(&t[0]) && !was_told(&t[1]) && stats(c).receivers == 2,
       "a value tells who waits longest");
    tw_channel_leave(c, &t[0].node, TW_RECEIVERS);
    ok(was_told(&t[1]) && !was_told(&t[2]), "who leaves without it passes it on");
    ok(recv(c) == 1, "another is faster");
    ok(tw_channel_wait_recv(c, &t[1].node) && stats(c).receivers == 2, "told in vain");
    send(c, 2);
    ok(was_told(&t[1]) && !was_told(&t[2]), "it kept its place");
    send(c, 3);
    ok(was_told(&t[2]), "the second value tells the next");
    ok(!tw_channel_wait_recv(c, &t[3].node),
       "who comes while there are some does not wait");
    ok(recv(c) == 2, "the first has its value");
    tw_channel_wait_recv(c, &t[0].node);
    tw_channel_leave(c, &t[1].node, TW_RECEIVERS);
    ok(recv(c) == 3 && tw_channel_wait_recv(c, &t[0].node) && !was_told(&t[0]),
       "and tells nobody of one that is another's");
    tw_channel_leave(c, &t[2].node, TW_RECEIVERS);
    tw_channel_leave(c, &t[2].node, TW_RECEIVERS);
    tw_channel_leave(c, &t[3].node, TW_RECEIVERS);
    ok(stats(c).receivers == 1, "leaving is safe twice, and without waiting");
    tw_channel_leave(c, &t[0].node, TW_RECEIVERS);

    send(c, 4);
    send(c, 5);
    for (int i = 0; i < 3; i++) tw_channel_wait_send(c, &t[i].node);
    ok(stats(c).senders == 3 && recv(c) == 4 && was_told(&t[0]) && !was_told(&t[1]),
       "a free slot tells the sender that waits longest");
    ok(send(c, 6) == 0 && tw_channel_wait_send(c, &t[0].node), "another is faster");
    recv(c);
    ok(was_told(&t[0]) && !was_told(&t[1]), "it kept its place");
    tw_channel_leave(c, &t[0].node, TW_SENDERS);
    ok(was_told(&t[1]) && !was_told(&t[2]), "who leaves the slot free passes it on");
    tw_channel_wait_recv(c, &t[0].node);
    tw_channel_close(c);
    ok(was_told(&t[2]) && stats(c).senders == 0, "closing tells those who wait");
    ok(!tw_channel_wait_send(c, &t[1].node) && !tw_channel_wait_recv(c, &t[0].node),
       "closed, it has nothing to wait for");
    for (int i = 0; i < 3; i++) tw_channel_leave(c, &t[i].node, TW_SENDERS);
    tw_channel_unref(c);

    for (int policy = TW_WHEN_FULL_DROP_OLDEST; policy <= TW_WHEN_FULL_ERROR; policy++) {
        c = tw_channel_new(1, (enum tw_when_full)policy, NULL);
        send(c, 1);
        ok(!tw_channel_wait_send(c, &t[0].node), "policy %d: no sender waits", policy);
        tw_channel_unref(c);
    }
    for (int i = 0; i < 4; i++) park_close(&t[i].park);
}

/* The two ends as tasks use them: true when done, false when it is closed or a
 * wake-up got lost. */
static bool wait_send(struct tw_channel *c, struct task *t, int64_t n, atomic_int *lost)
{
    bool heard = true;
    int rc;

    while (heard && (rc = send(c, n)) == TW_EFULL)
        if (tw_channel_wait_send(c, &t->node)) heard = park_await(&t->park);
    tw_channel_leave(c, &t->node, TW_SENDERS);
    was_told(t);
    if (!heard) atomic_fetch_add(lost, 1);
    return heard && rc == 0;
}

static bool wait_recv(struct tw_channel *c, struct task *t, int64_t *n, atomic_int *lost)
{
    bool heard = true;

    while (heard && (*n = recv(c)) == TW_EEMPTY)
        if (tw_channel_wait_recv(c, &t->node)) heard = park_await(&t->park);
    tw_channel_leave(c, &t->node, TW_RECEIVERS);
    was_told(t);
    if (!heard) atomic_fetch_add(lost, 1);
    return heard && *n >= 0;
}

struct plant {
    struct tw_channel *c;
    atomic_int lost;
    int per_producer;            /* constant; -1: until it is closed      */
    int close_after;             /* constant: values received; -1: never  */
    atomic_int received;
    atomic_uchar *seen;          /* by producer and number                */
};
struct hand { struct plant *p; int k; int64_t sent; int wrong; };

static void *produce(void *arg)
{
    struct hand *h = arg;
    struct task t;

    task_open(&t);
    while (h->sent != h->p->per_producer
           && wait_send(h->p->c, &t, h->k * values + h->sent, &h->p->lost))
        h->sent++;
    park_close(&t.park);
    return NULL;
}

static void *consume(void *arg)
{
    struct hand *h = arg;
    struct plant *p = h->p;
    struct task t;
    int64_t n, last[PRODUCERS];

    task_open(&t);
    for (int k = 0; k < PRODUCERS; k++) last[k] = -1;
    while (wait_recv(p->c, &t, &n, &p->lost)) {
        int64_t k = n / values;

        h->wrong += n <= last[k];                               /* in order */
        last[k] = n;
        h->wrong += atomic_fetch_add(&p->seen[n], 1) != 0;      /* once     */
        if (atomic_fetch_add(&p->received, 1) + 1 == p->close_after)
            tw_channel_close(p->c);
    }
    park_close(&t.park);
    return NULL;
}

/* Producers and consumers over a small ring; returns what they sent, or -1. */
static int64_t run(uint32_t capacity, int per_producer, int close_after)
{
    struct plant p = { .c = tw_channel_new(capacity, TW_WHEN_FULL_WAIT, NULL),
                       .per_producer = per_producer, .close_after = close_after };
    struct hand h[PRODUCERS + CONSUMERS];
    pthread_t th[PRODUCERS + CONSUMERS];
    int64_t sent = 0, wrong = 0;

    p.seen = calloc((size_t)PRODUCERS * (size_t)values, 1);
    for (int k = 0; k < PRODUCERS + CONSUMERS; k++) {
        bool makes = k < PRODUCERS;

        h[k] = (struct hand){ .p = &p, .k = makes ? k : k - PRODUCERS };
        pthread_create(&th[k], NULL, makes ? produce : consume, &h[k]);
    }
    for (int k = 0; k < PRODUCERS; k++) pthread_join(th[k], NULL);
    tw_channel_close(p.c);
    for (int k = 0; k < CONSUMERS; k++) pthread_join(th[PRODUCERS + k], NULL);
    for (int k = 0; k < PRODUCERS; k++) {
        for (int i = 0; i < values; i++)
            wrong += atomic_load(&p.seen[k * values + i]) != (i < h[k].sent);
        sent += h[k].sent;
    }
    for (int k = 0; k < CONSUMERS; k++) wrong += h[PRODUCERS + k].wrong;
    wrong += !counts(p.c, (uint64_t)sent, (uint64_t)sent, 0, 0);
    wrong += stats(p.c).senders || stats(p.c).receivers;
    wrong += atomic_load(&p.received) != sent || atomic_load(&p.lost);
    free(p.seen);
    tw_channel_unref(p.c);
    return wrong ? -1 : sent;
}

static void threads(void)
{
    for (uint32_t capacity = 1; capacity <= 64; capacity *= 8)
        ok(run(capacity, values, -1) == (int64_t)PRODUCERS * values,
           "%d to %d threads through %u: all values, once, in order", PRODUCERS,
           CONSUMERS, capacity);
    for (int i = 1; i <= 3; i++)
        ok(run(2, -1, values / 8 * i) >= values / 8 * i,
           "closed amid it: what was sent is received, no more");
}

/* Values come one at a time, each after the one before was received.  Half of
 * the receivers wait until they are told; the others put themselves in the line
 * and go again at once, often just when they were told.  A wake-up that gets lost
 * with them leaves a value lying there, and nobody sends another. */
struct hall {
    struct tw_channel *c, *acks;
    atomic_int lost;
    atomic_bool stop;
    atomic_uint_fast64_t passed;     /* told, and gone without a look */
};

static void *patient(void *arg)
{
    struct hall *hall = arg;
    struct task t;
    int64_t n;

    task_open(&t);
    while (wait_recv(hall->c, &t, &n, &hall->lost))
        if (send(hall->acks, n) < 0) atomic_fetch_add(&hall->lost, 1);
    park_close(&t.park);
    return NULL;
}

static void *impatient(void *arg)
{
    struct hall *hall = arg;
    struct task t;
    unsigned i = 0;

    task_open(&t);
    while (!atomic_load(&hall->stop)) {
        bool waits = tw_channel_wait_recv(hall->c, &t.node);

        if (++i % 4 == 0) sched_yield();
        tw_channel_leave(hall->c, &t.node, TW_RECEIVERS);
        if (was_told(&t)) atomic_fetch_add(&hall->passed, waits);
    }
    park_close(&t.park);
    return NULL;
}

static void giving_up(void)
{
    struct hall hall = { .c = tw_channel_new(4, TW_WHEN_FULL_WAIT, NULL),
                         .acks = tw_channel_new(1, TW_WHEN_FULL_WAIT, NULL) };
    pthread_t th[4];
    struct task t;
    int64_t n = -1;
    int i, wrong = 0;

    task_open(&t);
    for (int k = 0; k < 4; k++)
        pthread_create(&th[k], NULL, k % 2 ? patient : impatient, &hall);
    for (i = 0; i < rounds && atomic_load(&hall.lost) == 0; i++) {
        wrong += send(hall.c, i) != 0;
        wrong += !wait_recv(hall.acks, &t, &n, &hall.lost) || n != i;
    }
    atomic_store(&hall.stop, true);
    tw_channel_close(hall.c);
    tw_channel_close(hall.acks);
    for (int k = 0; k < 4; k++) pthread_join(th[k], NULL);
    ok(wrong == 0 && i == rounds && atomic_load(&hall.lost) == 0,
       "%d values come although receivers give up: no wake-up gets lost", rounds);
    printf("# %llu gave up when they had been told\n",
           (unsigned long long)atomic_load(&hall.passed));
    ok(counts(hall.c, (uint64_t)rounds, (uint64_t)rounds, 0, 0), "each is received once");
    tw_channel_unref(hall.c);
    tw_channel_unref(hall.acks);
    park_close(&t.park);
}

/* One task waits for two channels with two nodes and one waker. */
static void *feed(void *arg)
{
    struct plant *p = arg;
    struct task t;

    task_open(&t);
    for (int i = 0; i < rounds; i++) wait_send(p->c, &t, i, &p->lost);
    tw_channel_close(p->c);
    park_close(&t.park);
    return NULL;
}

static void selecting(void)
{
    struct plant p[2] = {{ .c = tw_channel_new(1, TW_WHEN_FULL_WAIT, NULL) },
                         { .c = tw_channel_new(3, TW_WHEN_FULL_WAIT, NULL) }};
    struct tw_wait node[2] = {0};
    struct task t;
    pthread_t th[2];
    int64_t next[2] = {0};
    int wrong = 0, open = 2;

    task_open(&t);
    for (int k = 0; k < 2; k++) {
        node[k].waker = &t.waker;
        pthread_create(&th[k], NULL, feed, &p[k]);
    }
    while (open) {
        bool got = false;

        for (int k = 0; k < 2; k++) {
            int64_t n = next[k] < 0 ? TW_EEMPTY : recv(p[k].c);

            if (n == TW_EEMPTY) continue;
            got = true;
            wrong += n >= 0 ? n != next[k] : n != TW_ECLOSED || next[k] != rounds;
            if (n >= 0) next[k]++;
            else next[k] = -1, open--;
        }
        if (got || !open) continue;
        got = false;
        for (int k = 0; k < 2; k++)
            if (next[k] >= 0) got |= !tw_channel_wait_recv(p[k].c, &node[k]);
        if (!got) wrong += !park_await(&t.park);
        for (int k = 0; k < 2; k++) tw_channel_leave(p[k].c, &node[k], TW_RECEIVERS);
        if (got) was_told(&t);
    }
    for (int k = 0; k < 2; k++) {
        pthread_join(th[k], NULL);
        wrong += !counts(p[k].c, (uint64_t)rounds, (uint64_t)rounds, 0, 0);
        tw_channel_unref(p[k].c);
    }
    ok(wrong == 0, "a task that waits for two channels misses nothing of either");
    park_close(&t.park);
}

int main(void)
{
    if (getenv("SMALL")) values = 4000, rounds = 1000;
    queue();
    policies();
    references();
    model();
    no_memory();
    lines();
    threads();
    giving_up();
    selecting();
    ok(tw_object_live() == 0, "no channel is left");
    ok(tw_value_live() == 0, "and no value");
    return tap_done();
}
