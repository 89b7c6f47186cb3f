/* cache_watch.c - what the tape says has changed: since when is a value void?
 *
 * Why: to look for the entries of each record would cost every quote a search.  A
 * record only leaves its seq behind, by symbol or topic; a get of an entry that
 * depends on some compares.
 *
 * Invariants
 *   W1  When next is n, every record below n that concerns an id has left its seq
 *       there, or is below `lapped`.
 *   W2  Whoever has caught up sees W1 for all that was committed before.
 *
 * Layer host/share.  Thread: any.
 */
#include <uv.h>

#include "base/memory.h"
#include "share/cache_table.h"
#include "tape/tape.h"

enum { SYMBOLS = TW_SYMBOL_MAX + 1, TOPICS = 1 << 20 };   /* a power of two each */

struct tw_cache_watch {
    struct tw_tape *tape;              /* constant                             */
    _Atomic uint64_t *last;            /* atomic: symbols, then topics; W1     */
    _Alignas(TW_CACHELINE) _Atomic uint64_t next;   /* atomic: under lock, all load */
    _Atomic uint64_t lapped;           /* atomic: the same; older is void      */
    pthread_mutex_t lock;
    struct tw_cursor cursor;           /* mutex: under lock                    */
};

/* Topics share seqs by their low bits, which can only void too much. */
static _Atomic uint64_t *last_of(const struct tw_cache_watch *w, uint32_t id)
{
    if (id & TW_CACHE_TOPIC) return &w->last[SYMBOLS + (id & (TOPICS - 1))];
    return &w->last[id & (SYMBOLS - 1)];
}

int tw_cache_watch(struct tw_cache *c, struct tw_tape *tape)
{
    struct tw_cache_watch *w = tw_calloc_aligned(1, sizeof *w);

    assert(!c->watch);
    if (!w) return UV_ENOMEM;
    w->last = tw_map((SYMBOLS + TOPICS) * sizeof *w->last, false);
    if (!w->last) {
        tw_free(w);
        return UV_ENOMEM;
    }
    w->tape = tape;
    pthread_mutex_init(&w->lock, NULL);
    tw_cursor_open(&w->cursor, tape, false, tw_tape_head(tape));
    atomic_init(&w->next, w->cursor.next);
    atomic_init(&w->lapped, w->cursor.next);
    c->watch = w;
    return TW_OK;
}

void tw_cache_watch_free(struct tw_cache_watch *w)
{
    if (!w) return;
    tw_cursor_close(&w->cursor);
    tw_unmap((void *)w->last, (SYMBOLS + TOPICS) * sizeof *w->last);
    pthread_mutex_destroy(&w->lock);
    tw_free(w);
}

/* W1 from below next on is not known. */
static void lap_held(struct tw_cache_watch *w, uint64_t next)
{
    /* order [cache.watch] relaxed: next is stored after it, see publish_held */
    atomic_store_explicit(&w->lapped, next, memory_order_relaxed);
}

static void note_held(struct tw_cache_watch *w, const struct tw_record *r)
{
    uint32_t id;

    if (r->kind == TW_GAP) lap_held(w, w->cursor.next);
    if (r->kind == TW_QUOTE || r->kind == TW_TRADE || r->kind == TW_BAR) id = r->symbol;
    else if (r->kind == TW_MESSAGE) id = r->message.topic | TW_CACHE_TOPIC;
    else return;
    /* order [cache.watch] relaxed: next is stored after it, see publish_held */
    atomic_store_explicit(last_of(w, id), r->seq, memory_order_relaxed);
}

static void publish_held(struct tw_cache_watch *w)
{
    /* order [cache.watch] release: W1 */
    atomic_store_explicit(&w->next, w->cursor.next, memory_order_release);
}

static bool is_behind(const struct tw_cache_watch *w)
{
    /* order [cache.watch] acquire: W1 */
    return atomic_load_explicit(&w->next, memory_order_acquire) != tw_tape_head(w->tape);
}

/* True: there is more to read. */
static bool read_held(struct tw_cache_watch *w)
{
    struct tw_record r;
    unsigned n = 0;

    while (n++ < TW_CACHE_ADVANCE && tw_cursor_next(&w->cursor, &r)) note_held(w, &r);
    return tw_cursor_ready(&w->cursor);
}

void tw_cache_catch_up(struct tw_cache_watch *w)
{
    if (!is_behind(w)) return;
    pthread_mutex_lock(&w->lock);
    if (read_held(w)) {
        w->cursor.next = tw_tape_head(w->tape);
        lap_held(w, w->cursor.next);
    }
    publish_held(w);
    pthread_mutex_unlock(&w->lock);
}

uint64_t tw_cache_seq(const struct tw_cache *c)
{
    return c->watch ? tw_tape_head(c->watch->tape) - 1 : 0;
}

bool tw_cache_is_void(const struct tw_cache *c, const uint32_t *depends, size_t n,
                      uint64_t seq)
{
    const struct tw_cache_watch *w = c->watch;

    if (!w) return false;
    /* order [cache.watch] relaxed: this thread has caught up before (W2) */
    if (seq + 1 < atomic_load_explicit(&w->lapped, memory_order_relaxed)) return true;
    for (size_t i = 0; i < n; i++)
        /* order [cache.watch] relaxed: this thread has caught up before (W2) */
        if (atomic_load_explicit(last_of(w, depends[i]), memory_order_relaxed) > seq)
            return true;
    return false;
}

/* A few buckets a call, one shard after the other.  What is too many records behind
 * the last one stays: a get may be on behalf of a reader who is behind, too. */
static void sweep(struct tw_cache *c)
{
    struct tw_cache_after after = { 0 };
    int64_t now = tw_cache_now(c);
    /* order [cache.swept] relaxed: a place to look next, any will do */
    uint64_t at = atomic_fetch_add_explicit(&c->swept, 1, memory_order_relaxed);
    struct tw_cache_shard *s = &c->shards[at & c->mask];
    uint64_t bucket = at / (c->mask + 1) * TW_CACHE_STEP, mask;

    pthread_mutex_lock(&s->lock);
    mask = tw_cache_bucket_held(s, UINT64_MAX);
    for (uint64_t i = 0; i < TW_CACHE_STEP && i <= mask; i++) {
        struct tw_cache_entry *next;

        for (struct tw_cache_entry *e = s->buckets[(bucket + i) & mask]; e; e = next) {
            enum tw_cache_reason reason = tw_cache_is_over_held(c, e, now, 0);

            next = e->next;
            if (!reason && e->holds && !e->load && now >= e->stale_ns
                && (c->options.stale_error_ns == 0 || now >= e->error_ns))
                reason = TW_GONE_EXPIRED;
            if (reason) tw_cache_take_held(s, e, reason, &after);
        }
    }
    pthread_mutex_unlock(&s->lock);
    tw_cache_settle(c, &after);
}

bool tw_cache_advance(struct tw_cache *c)
{
    struct tw_cache_watch *w = c->watch;
    bool more = false;

    if (w && is_behind(w)) {
        pthread_mutex_lock(&w->lock);
        more = read_held(w);
        publish_held(w);
        pthread_mutex_unlock(&w->lock);
    }
    sweep(c);
    return more;
}
