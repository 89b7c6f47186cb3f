/* epoch.c - retired things wait in line until every reader was quiet.
 *
 * Why: a reference count per read would make readers write; a grace period
 * costs a reader one load per batch.
 *
 * Layout: now counts what was retired.  Each reader shows the now that it saw
 * when it last held nothing.
 *
 *   first chunk -> ... -> last chunk     things with their stamps, ascending
 *   stamps:  1 2 3 4 5 | 6 7 8 9         seen by readers: 5, 7, away
 *     may be released -'
 *
 * Invariants
 *   E1  A thing is out of every slot before now reaches its stamp; a reader
 *       whose seen is at least the stamp can't have got it since it was quiet.
 *   E2  A thing is released when no reader shows a seen below its stamp.
 *   E3  A reader that shows AWAY holds nothing; one that comes back shows its
 *       seen before it reads a slot.
 *   E4  release is called once for each thing and with no lock held.
 *
 * E3 needs more than release and acquire.  A reader stores seen, then loads a
 * slot; whoever retires has stored to the slot, then loads seen.  Were both
 * loads to pass the stores before them, the thing would be read and freed at
 * once.  So there is a seq_cst fence between the two on both sides: either the
 * reader sees the slot overwritten, or the other sees that the reader is back.
 * tw_epoch_quiet needs no fence: what a late load of seen shows is older, and
 * older only makes things wait.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/epoch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/memory.h"

enum { CHUNK = 255, TAKE = 256, EVERY = 32 };
#define AWAY UINT64_MAX

struct chunk {
    struct chunk *next;
    unsigned taken, n;                 /* things in item[taken, n) */
    struct { void *p; uint64_t stamp; } item[CHUNK];
};

struct tw_epoch_reader {
    _Alignas(TW_CACHELINE) _Atomic uint64_t seen;   /* atomic: its own stores */
    struct tw_epoch *epoch;                         /* constant               */
    struct tw_epoch_reader *next;                   /* constant               */
};

struct tw_epoch {
    _Alignas(TW_CACHELINE) _Atomic uint64_t now;    /* atomic: under lock, all load */
    void (*release)(void *p);                       /* constant                 */
    _Alignas(TW_CACHELINE) pthread_mutex_t lock;
    struct tw_epoch_reader *readers;                /* mutex: under lock        */
    struct chunk *first, *last;                     /* mutex: under lock        */
    struct chunk *spare;                            /* mutex: under lock        */
};

struct tw_epoch *tw_epoch_new(void (*release)(void *p))
{
    struct tw_epoch *e = tw_calloc_aligned(1, sizeof *e);

    if (!e) return NULL;
    e->release = release;
    e->first = e->last = tw_calloc(1, sizeof *e->first);
    e->spare = tw_calloc(1, sizeof *e->spare);
    if (!e->first || !e->spare) goto fail;
    pthread_mutex_init(&e->lock, NULL);
    return e;
fail:
    tw_free(e->first);
    tw_free(e->spare);
    tw_free(e);
    return NULL;
}

void tw_epoch_free(struct tw_epoch *e)
{
    if (!e) return;
    for (struct chunk *c = e->first, *next; c; c = next) {
        while (c->taken < c->n) e->release(c->item[c->taken++].p);
        next = c->next;
        tw_free(c);
    }
    for (struct tw_epoch_reader *r = e->readers, *next; r; r = next) {
        next = r->next;
        tw_free(r);
    }
    tw_free(e->spare);
    pthread_mutex_destroy(&e->lock);
    tw_free(e);
}

struct tw_epoch_reader *tw_epoch_join(struct tw_epoch *e)
{
    struct tw_epoch_reader *r = tw_calloc_aligned(1, sizeof *r);

    if (!r) return NULL;
    atomic_init(&r->seen, AWAY);
    r->epoch = e;
    pthread_mutex_lock(&e->lock);
    r->next = e->readers;
    e->readers = r;
    pthread_mutex_unlock(&e->lock);
    return r;
}

static uint64_t oldest_seen_held(const struct tw_epoch *e)
{
    uint64_t min = AWAY;

    for (const struct tw_epoch_reader *r = e->readers; r; r = r->next) {
        /* order [epoch.seen] acquire: that reader is done with older things */
        uint64_t seen = atomic_load_explicit(&r->seen, memory_order_acquire);

        if (seen < min) min = seen;
    }
    return min;
}

/* The first chunk is empty: it is used again, at once or later. */
static void pop_held(struct tw_epoch *e)
{
    struct chunk *c = e->first;

    if (c->next) {
        e->first = c->next;
        tw_free(e->spare);
        e->spare = c;
    }
    c->next = NULL;
    c->taken = c->n = 0;
}

/* Releases up to TAKE things (E2, E4), unless another is about it. */
static void collect(struct tw_epoch *e)
{
    void *out[TAKE];
    unsigned n = 0;
    uint64_t min;

    if (pthread_mutex_trylock(&e->lock)) return;
    /* order [epoch.away] seq_cst: E3, what was retired left its slot before we
     * look who is away */
    atomic_thread_fence(memory_order_seq_cst);
    min = oldest_seen_held(e);
    while (n < TAKE) {
        struct chunk *c = e->first;

        if (c->taken == c->n || c->item[c->taken].stamp > min) break;
        out[n++] = c->item[c->taken++].p;
        if (c->taken == c->n && (c->n == CHUNK || !c->next)) pop_held(e);
    }
    pthread_mutex_unlock(&e->lock);
    for (unsigned i = 0; i < n; i++) e->release(out[i]);
}

void tw_epoch_quiet(struct tw_epoch_reader *r)
{
    /* order [epoch.now] acquire: what was retired up to it left its slot (E1) */
    uint64_t now = atomic_load_explicit(&r->epoch->now, memory_order_acquire);
    /* order [epoch.seen] relaxed: this thread alone stores it */
    uint64_t seen = atomic_load_explicit(&r->seen, memory_order_relaxed);

    assert(seen != AWAY);
    if (now == seen) return;
    /* order [epoch.seen] release: our reads come before (E2) */
    atomic_store_explicit(&r->seen, now, memory_order_release);
    collect(r->epoch);
}

void tw_epoch_away(struct tw_epoch_reader *r)
{
    /* order [epoch.seen] release: our reads come before (E2) */
    atomic_store_explicit(&r->seen, AWAY, memory_order_release);
    collect(r->epoch);
}

void tw_epoch_back(struct tw_epoch_reader *r)
{
    /* order [epoch.now] acquire: what was retired up to it left its slot (E1) */
    uint64_t now = atomic_load_explicit(&r->epoch->now, memory_order_acquire);

    /* order [epoch.seen] release: as in tw_epoch_quiet */
    atomic_store_explicit(&r->seen, now, memory_order_release);
    /* order [epoch.away] seq_cst: E3, we show that we are back before we read */
    atomic_thread_fence(memory_order_seq_cst);
}

static bool room_held(struct tw_epoch *e)
{
    if (e->last->n < CHUNK) return true;
    if (!e->spare) e->spare = tw_calloc(1, sizeof *e->spare);
    if (!e->spare) return false;
    e->last->next = e->spare;
    e->last = e->spare;
    e->spare = NULL;
    return true;
}

void tw_epoch_retire(struct tw_epoch *e, void *p)
{
    struct chunk *c;
    uint64_t stamp;

    /* order [epoch.away] seq_cst: E3, p left its slot before any later look at
     * who is away, whichever thread takes it */
    atomic_thread_fence(memory_order_seq_cst);
    pthread_mutex_lock(&e->lock);
    while (!room_held(e)) {
        pthread_mutex_unlock(&e->lock);
        collect(e);
        sched_yield();
        pthread_mutex_lock(&e->lock);
    }
    /* order [epoch.now] relaxed: only the holder of the lock stores it */
    stamp = atomic_load_explicit(&e->now, memory_order_relaxed) + 1;
    c = e->last;
    c->item[c->n].p = p;
    c->item[c->n++].stamp = stamp;
    /* order [epoch.now] release: p left its slot before (E1) */
    atomic_store_explicit(&e->now, stamp, memory_order_release);
    pthread_mutex_unlock(&e->lock);
    if (stamp % EVERY == 0) collect(e);
}
