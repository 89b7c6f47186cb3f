/* epoch.c - nothing is released while a reader may hold it, and everything is
 * released once (E1 to E4). */
#include "share/epoch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "tap.h"

enum { SLOTS = 4, READERS = 3, WRITERS = 2 };
static int rounds = 50000;

static _Atomic int released;

static void count_release(void *p)
{
    ++*(int *)p;
    atomic_fetch_add(&released, 1);
}

static void steps(void)
{
    struct tw_epoch *e = tw_epoch_new(count_release);
    struct tw_epoch_reader *a = tw_epoch_join(e), *b = tw_epoch_join(e);
    int x[5] = {0};

    tw_epoch_back(a);
    tw_epoch_retire(e, &x[0]);
    ok(released == 0, "a reader that was not quiet keeps it");
    tw_epoch_quiet(a);
    ok(released == 1 && x[0] == 1, "quiet, with the other away, lets it go");
    tw_epoch_back(b);
    tw_epoch_retire(e, &x[1]);
    tw_epoch_quiet(a);
    ok(x[1] == 0, "the other is back: it is asked too");
    tw_epoch_quiet(b);
    ok(x[1] == 1, "and when it was quiet it is released");
    tw_epoch_retire(e, &x[2]);
    tw_epoch_quiet(a);
    tw_epoch_retire(e, &x[3]);
    tw_epoch_quiet(b);
    ok(x[2] == 1 && x[3] == 0, "only what all were quiet since");
    tw_epoch_away(a);
    ok(x[3] == 1, "a reader that goes away is waited for no more");
    tw_epoch_away(b);
    tw_epoch_back(a);
    tw_epoch_retire(e, &x[4]);
    tw_epoch_away(a);
    ok(x[4] == 1, "what was retired before it went, too");
    tw_epoch_back(b);
    tw_epoch_retire(e, &x[0]);
    tw_epoch_away(b);
    tw_epoch_free(e);
    ok(released == 6 && x[0] == 2, "each once");
}

static void backlog(void)
{
    enum { N = 10000 };
    static int x[N];
    struct tw_epoch *e = tw_epoch_new(count_release);
    struct tw_epoch_reader *a = tw_epoch_join(e);
    uint64_t before;
    int twice = 0;

    released = 0;
    tw_epoch_back(a);
    for (int i = 0; i < N; i++) tw_epoch_retire(e, &x[i]);
    ok(released == 0, "a stuck reader holds %d things", N);
    tw_epoch_quiet(a);
    ok(released > 0 && released < N, "one call does a bounded part (%d)", released);
    before = tw_memory_count();
    for (int i = 0; released < N && i < N; i++) tw_epoch_away(a);
    ok(released == N, "and the others the rest");
    tw_epoch_back(a);
    for (int i = 0; i < N; i++) {
        tw_epoch_retire(e, &x[i]);
        tw_epoch_quiet(a);
    }
    ok(tw_memory_count() == before, "with no backlog, retiring takes no memory");
    tw_epoch_away(a);
    tw_epoch_retire(e, &x[0]);
    ok(released == 2 * N, "one left");
    tw_epoch_free(e);
    for (int i = 0; i < N; i++) twice += x[i] != 2 + (i == 0);
    ok(twice == 0 && released == 2 * N + 1, "free releases it; each went once");
}

static void no_memory(void)
{
    enum { N = 1000 };
    static int x[N];
    struct tw_epoch *e = NULL;
    struct tw_epoch_reader *a;
    int failed, wrong = 0;

    for (failed = 0; !e; failed++) {
        tw_memory_fail_at((uint64_t)failed + 1);
        e = tw_epoch_new(count_release);
    }
    ok(failed == 4, "each of its 3 allocations may fail");
    tw_memory_fail_at(1);
    ok(!tw_epoch_join(e), "a reader may find no memory");
    a = tw_epoch_join(e);
    tw_epoch_back(a);
    tw_memory_fail_at(1);
    for (int i = 0; i < N; i++) tw_epoch_retire(e, &x[i]);
    tw_memory_fail_at(0);
    tw_epoch_away(a);
    tw_epoch_free(e);
    for (int i = 0; i < N; i++) wrong += x[i] != 1;
    ok(wrong == 0, "a failure while retiring loses nothing");
}

/* Blocks are never freed here, so that a use after release is seen and not
 * just undefined; the canary is not atomic, so that the sanitizer sees it too. */
enum { LIVE = 0x1ee7, DEAD = 0xdead };
struct block { uint64_t canary; };

struct shared {
    struct tw_epoch *e;
    _Atomic(struct block *) slot[SLOTS];
    atomic_int writers;
    struct block *blocks;
};
struct job {
    struct shared *s;
    int k;
    struct tw_epoch_reader *r;
    uint64_t wrong;
};

static void poison(void *p)
{
    struct block *b = p;

    if (b->canary != LIVE) abort();   /* released twice */
    b->canary = DEAD;
    atomic_fetch_add(&released, 1);
}

static void *reader(void *arg)
{
    struct job *j = arg;

    tw_epoch_back(j->r);
    for (unsigned i = 0; atomic_load(&j->s->writers); i++) {
        struct block *held[8];
        int n = 0;

        for (; n < 8; n++) {
            /* order [test.slot] acquire: the block is initialised */
            held[n] = atomic_load_explicit(&j->s->slot[(i + (unsigned)n) % SLOTS],
                                           memory_order_acquire);
            if (n == 3 && i % 16 == 0) sched_yield();
        }
        while (n-- > 0) j->wrong += held[n]->canary != LIVE;
        if (i % 8 == (unsigned)j->k) {
            tw_epoch_away(j->r);
            tw_epoch_back(j->r);
        } else {
            tw_epoch_quiet(j->r);
        }
    }
    tw_epoch_away(j->r);
    return NULL;
}

static void *writer(void *arg)
{
    struct job *j = arg;

    for (int i = 0; i < rounds; i++) {
        struct block *b = &j->s->blocks[SLOTS + i * WRITERS + j->k];

        b->canary = LIVE;
        /* order [test.slot] acq_rel: the block is initialised, the old one ours */
        b = atomic_exchange_explicit(&j->s->slot[(i + j->k) % SLOTS], b,
                                     memory_order_acq_rel);
        tw_epoch_retire(j->s->e, b);
    }
    atomic_fetch_sub(&j->s->writers, 1);
    return NULL;
}

static void threads(void)
{
    struct shared s = { .e = tw_epoch_new(poison), .writers = WRITERS };
    struct job j[READERS + WRITERS];
    pthread_t th[READERS + WRITERS];
    uint64_t wrong = 0;

    released = 0;
    s.blocks = calloc((size_t)(SLOTS + rounds * WRITERS), sizeof *s.blocks);
    for (int i = 0; i < SLOTS; i++) {
        s.blocks[i].canary = LIVE;
        atomic_init(&s.slot[i], &s.blocks[i]);
    }
    for (int k = 0; k < READERS + WRITERS; k++) {
        bool reads = k < READERS;

        j[k] = (struct job){ .s = &s, .k = reads ? k : k - READERS };
        if (reads) j[k].r = tw_epoch_join(s.e);
        pthread_create(&th[k], NULL, reads ? reader : writer, &j[k]);
    }
    for (int k = 0; k < READERS + WRITERS; k++) {
        pthread_join(th[k], NULL);
        wrong += j[k].wrong;
    }
    ok(wrong == 0, "no reader saw a released block");
    ok(released > 0, "blocks were released meanwhile: %d", released);
    tw_epoch_free(s.e);
    ok(released == rounds * WRITERS, "at the end all are");
    free(s.blocks);
}

int main(void)
{
    if (getenv("SMALL")) rounds = 5000;
    steps();
    backlog();
    no_memory();
    threads();
    return tap_done();
}
