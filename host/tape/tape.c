/* tape.c - the shared ring of records: one total order that every reader sees.
 *
 * Why: the market is parsed once, and a dozen scripts on as many threads read
 * it.  A queue per reader would copy each record a dozen times; one log that
 * nobody removes from copies it once.  A lock, or a counter per record, would
 * make readers fight; here a reader only loads.
 *
 * Layout: slot[seq & mask] holds record seq, until seq + capacity takes it.
 * Word 0 is the stamp, the others are the record's.
 *
 *        ... committed ...      | being written |        free
 *   head - capacity        a reader's next     head      limit
 *
 * Invariants
 *   T1  A seq is claimed once, by raising head; the claimer alone writes the
 *       slot until it has stored the stamp.
 *   T2  A slot is claimed for seq only when its stamp says seq - capacity, or 0 in
 *       the first lap, where no record was before: the writer before has finished,
 *       so writers a lap apart never meet.  A slot that no record has reached is
 *       zeros, which cost neither memory nor time.
 *   T3  The stamp is seq exactly while the record is whole.  While a writer is
 *       inside it is seq - 1, which is later than any record that was there
 *       and earlier than the one to come.
 *   T4  head never passes limit, and limit never passes the slowest reliable
 *       reader by more than the capacity.
 *   T5  A waiter that armed, found nothing and sleeps is woken by the next
 *       tw_tape_wake that follows an append.
 *
 * A claim is a compare-and-swap and not a fetch-add, because a claim can't be
 * given back: room is looked at first, so that a worker that finds none can go
 * on with its other scripts instead of waiting here.  Who is alone (a backtest)
 * need not: a swap waits for all stores before it, 6 ns of each record.
 *
 * Layer host/tape.  Thread: see each function in tape.h.
 */
#include "tape/tape.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { WORDS = 8, META = 3, AHEAD = 8 };

/* A feed that waits looks again after 20 us, then twice that, but never so late
 * that readers, at 50 ns a record, have run out of records meanwhile. */
enum { PATIENCE_NS = 20000, PATIENCE_MAX_NS = 1000000, READ_NS = 25 };

struct slot { _Alignas(TW_CACHELINE) _Atomic uint64_t word[WORDS]; };   /* T3 */

struct reader { _Alignas(TW_CACHELINE) _Atomic uint64_t next; };   /* atomic: the
                                  reader stores, writers load; AWAY when unused */
#define AWAY UINT64_MAX

enum { READERS_BYTES = TW_TAPE_RELIABLE_MAX * sizeof(struct reader) };

struct tw_tape {
    size_t capacity;                  /* constant after tw_tape_new          */
    struct slot *slots;               /* constant; the elements obey T1 - T3 */
    void (*drop)(void *, const struct tw_record *);   /* constant after start */
    void *drop_ctx;                                   /* constant after start */
    struct tw_waiter *waiters;                        /* constant after start */
    bool alone;                       /* constant but while there is one thread */
    bool touched;                     /* constant after start: all has memory */
    struct reader *readers;           /* constant; TW_TAPE_RELIABLE_MAX of them */
    pthread_mutex_t lock;             /* guards joining and moving the limit */
    size_t used;                      /* mutex: readers[0, used) were ever open */
    _Alignas(TW_CACHELINE) _Atomic uint64_t head;    /* atomic: writers raise it */
    _Alignas(TW_CACHELINE) _Atomic uint64_t limit;   /* atomic: under lock, all load */
    _Alignas(TW_CACHELINE) atomic_int sleepers;      /* atomic: armed waiters    */
};

static struct slot *slot_of(const struct tw_tape *t, uint64_t seq)
{
    return &t->slots[seq & (t->capacity - 1)];
}

struct tw_tape *tw_tape_new(size_t capacity)
{
    struct tw_tape *t = tw_calloc_aligned(1, sizeof *t);

    if (!t) return NULL;
    t->capacity = 2;
    while (t->capacity < capacity) t->capacity *= 2;
    t->slots = tw_map(t->capacity * sizeof *t->slots, true);
    t->readers = tw_map(READERS_BYTES, false);          /* few are ever opened */
    if (!t->slots || !t->readers) goto fail;
    pthread_mutex_init(&t->lock, NULL);
    atomic_init(&t->head, 1);
    atomic_init(&t->limit, AWAY);
    return t;
fail:
    tw_unmap(t->slots, t->capacity * sizeof *t->slots);
    tw_unmap(t->readers, READERS_BYTES);
    tw_free(t);
    return NULL;
}

void tw_tape_touch(struct tw_tape *t)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE) / sizeof *t->slots;

    t->touched = true;
    if (tw_populate(t->slots, t->capacity * sizeof *t->slots)) return;
    for (size_t i = 0; i < t->capacity; i += page)
        /* order [tape.stamp] relaxed: zero as it is, and nobody reads yet */
        atomic_store_explicit(&t->slots[i].word[0], 0, memory_order_relaxed);
}

size_t tw_tape_capacity(const struct tw_tape *t)
{
    return t->capacity;
}

uint64_t tw_tape_head(const struct tw_tape *t)
{
    /* order [tape.head] relaxed: only the number is used; what stands in the
     * slots below it is ordered by their stamps */
    return atomic_load_explicit(&t->head, memory_order_relaxed);
}

void tw_tape_on_drop(struct tw_tape *t,
                     void (*drop)(void *ctx, const struct tw_record *old), void *ctx)
{
    t->drop = drop;
    t->drop_ctx = ctx;
}

/* ---- writing ---- */

/* Of a slot that nobody writes to now. */
static bool has_message(const struct slot *s)
{
    struct { uint32_t symbol : 20, source : 8, kind : 4; uint32_t source_seq; } m;
    /* order [tape.payload] relaxed: the slot is the caller's */
    uint64_t meta = atomic_load_explicit(&s->word[META], memory_order_relaxed);

    _Static_assert(sizeof m == sizeof meta, "word 3 of a record");
    memcpy(&m, &meta, sizeof m);
    return m.kind == TW_MESSAGE;
}

/* Word by word and never as a block: a block copy loads wider than the stores
 * that it follows, and waits for them (12 ns a record instead of 4). */
static uint64_t get_word(const struct tw_record *r, int i)
{
    uint64_t word;

    memcpy(&word, (const char *)r + i * (int)sizeof word, sizeof word);
    return word;
}

static inline void load_word(const struct slot *s, int i, struct tw_record *out)
{
    /* order [tape.payload] relaxed: the stamp orders the words (T3); they are atomic so
     * that a reader being overrun is defined behaviour */
    uint64_t word = atomic_load_explicit(&s->word[i], memory_order_relaxed);

    memcpy((char *)out + i * (int)sizeof word, &word, sizeof word);
}

static inline void store_word(struct slot *s, int i, const struct tw_record *r)
{
    /* order [tape.payload] relaxed: made visible by the stamp (T3) */
    atomic_store_explicit(&s->word[i], get_word(r, i), memory_order_relaxed);
}

/* A loop would cost as much as the words do. */
_Static_assert(WORDS == 8, "words 1 to 7 are the record's");
#define EACH_WORD(s, do, r) \
    (do(s, 1, r), do(s, 2, r), do(s, 3, r), do(s, 4, r), do(s, 5, r), do(s, 6, r), \
     do(s, 7, r))

static void load_words(const struct slot *s, struct tw_record *out)
{
    EACH_WORD(s, load_word, out);
}

/* T1: only the claimer of r->seq is here. */
static void write_slot(struct tw_tape *t, const struct tw_record *r)
{
    struct slot *s = slot_of(t, r->seq);
    struct tw_record old;
    bool drops = false;

    if (t->drop) {
        drops = has_message(s);               /* the claim made this slot ours */
        if (drops) load_words(s, &old);
    }
    /* order [tape.stamp] relaxed: the fence below orders it before the words */
    atomic_store_explicit(&s->word[0], r->seq - 1, memory_order_relaxed);
    /* order [tape.stamp] release: who sees a new word also sees that the old
     * stamp is gone (T3) */
    atomic_thread_fence(memory_order_release);
    EACH_WORD(s, store_word, r);
    /* order [tape.stamp] release: the words stand before the stamp says so */
    atomic_store_explicit(&s->word[0], r->seq, memory_order_release);
    if (drops) {
        old.seq = r->seq - t->capacity;
        t->drop(t->drop_ctx, &old);
    }
}

/* Looks where the reliable readers are.  T4 */
static void move_limit(struct tw_tape *t)
{
    uint64_t min = AWAY;

    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->used; i++) {
        /* order [tape.next] acquire: the reader is done with what lies below */
        uint64_t next = atomic_load_explicit(&t->readers[i].next, memory_order_acquire);

        if (next < min) min = next;
    }
    /* order [tape.limit] release: passes on what [tape.next] showed */
    atomic_store_explicit(&t->limit, min == AWAY ? AWAY : min + t->capacity,
                          memory_order_release);
    pthread_mutex_unlock(&t->lock);
}

static bool has_room(struct tw_tape *t, uint64_t end)
{
    /* order [tape.limit] acquire: readers are done with slots below the limit */
    if (end <= atomic_load_explicit(&t->limit, memory_order_acquire)) return true;
    move_limit(t);
    /* order [tape.limit] acquire: as above */
    return end <= atomic_load_explicit(&t->limit, memory_order_acquire);
}

/* T2: true when the slots of [from, from + n) hold the lap before, whole. */
static bool is_settled(const struct tw_tape *t, uint64_t from, size_t n)
{
    for (uint64_t seq = from; seq < from + n; seq++)
        /* order [tape.stamp] acquire: the writer before us has finished */
        if (atomic_load_explicit(&slot_of(t, seq)->word[0], memory_order_acquire)
            != (seq > t->capacity ? seq - t->capacity : 0))
            return false;
    return true;
}

void tw_tape_set_alone(struct tw_tape *t, bool alone)
{
    t->alone = alone;
}

/* T2 holds: who is alone has finished what it wrote before. */
static bool claim_alone(struct tw_tape *t, uint64_t head, size_t n)
{
    if (!has_room(t, head + n)) return false;
    /* order [tape.claim] release: as of a claim that others may see */
    atomic_store_explicit(&t->head, head + n, memory_order_release);
    return true;
}

static inline void write_slots(struct tw_tape *t, uint64_t head, struct tw_record *r,
                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        r[i].seq = head + i;
        write_slot(t, &r[i]);
    }
}

/* Appends when `spare` more records would have room too. */
static int append(struct tw_tape *t, struct tw_record *r, size_t n, size_t spare)
{
    uint64_t head;

    assert(n > 0 && n <= t->capacity / 2);
    /* order [tape.claim] acquire: the limit is looked at after the head, see
     * tw_cursor_open */
    head = atomic_load_explicit(&t->head, memory_order_acquire);
    do {
        if (!has_room(t, head + n + spare)) return TW_EFULL;
        if (!is_settled(t, head, n)) {
            /* order [tape.claim] acquire: as above */
            uint64_t now = atomic_load_explicit(&t->head, memory_order_acquire);

            if (now == head) return TW_EFULL;
            head = now;   /* it was another's claim that we looked into */
            continue;
        }
        /* order [tape.claim] acq_rel: passes on the claims before this one */
        if (atomic_compare_exchange_weak_explicit(&t->head, &head, head + n,
                                                  memory_order_acq_rel,
                                                  memory_order_acquire))
            break;
    } while (true);
    write_slots(t, head, r, n);
    return TW_OK;
}

int tw_tape_try_append(struct tw_tape *t, struct tw_record *r, size_t n)
{
    uint64_t head;

    if (!t->alone) return append(t, r, n, 0);
    assert(n > 0 && n <= t->capacity / 2);
    head = tw_tape_head(t);
    if (!claim_alone(t, head, n)) return TW_EFULL;
    write_slots(t, head, r, n);
    return TW_OK;
}

size_t tw_tape_lead(const struct tw_tape *t)
{
    return t->capacity < 8 ? 1 : t->capacity / 8;
}

/* A feed is an eighth of the ring ahead of the slowest reliable reader at most:
 * scripts that publish from their handlers need the rest, up to seven messages
 * a record; and what is read soon after it was written is still in the cache. */
int tw_tape_append(struct tw_tape *t, struct tw_record *r, size_t n,
                   const atomic_bool *stop)
{
    long delay_ns = PATIENCE_NS;

    while (n > 0) {
        size_t lead = tw_tape_lead(t), part = n < lead ? n : lead;
        int rc = append(t, r, part, t->capacity - lead);

        if (rc == TW_OK) {
            r += part;
            n -= part;
            continue;
        }
        /* order [tape.stop] relaxed: the flag alone matters */
        if (atomic_load_explicit(stop, memory_order_relaxed)) return TW_ESTOPPED;
        tw_tape_wake(t);   /* who is in the way may be asleep */
        nanosleep(&(struct timespec){ .tv_nsec = delay_ns }, NULL);
        if (delay_ns < PATIENCE_MAX_NS && (size_t)delay_ns < lead * READ_NS)
            delay_ns *= 2;
    }
    return TW_OK;
}

void tw_tape_free(struct tw_tape *t)
{
    uint64_t head;

    if (!t) return;
    head = tw_tape_head(t);
    for (uint64_t seq = 1; t->drop && seq <= t->capacity && seq < head; seq++) {
        struct tw_record r = { .seq = 0 };

        if (!has_message(slot_of(t, seq))) continue;
        load_words(slot_of(t, seq), &r);
        t->drop(t->drop_ctx, &r);
    }
    pthread_mutex_destroy(&t->lock);
    if (t->touched || head > t->capacity) head = t->capacity;
    tw_unmap_used(t->slots, t->capacity * sizeof *t->slots, true,
                  head * sizeof *t->slots);
    tw_unmap_used(t->readers, READERS_BYTES, false, t->used * sizeof *t->readers);
    tw_free(t);
}

/* ---- reading ---- */

int tw_tape_read(const struct tw_tape *t, uint64_t seq, struct tw_record *out)
{
    const struct slot *s = slot_of(t, seq);
    uint64_t stamp;

    /* order [tape.stamp] acquire: the words of record seq are visible (T3) */
    stamp = atomic_load_explicit(&s->word[0], memory_order_acquire);
    if (stamp != seq) return (int64_t)(stamp - seq) < 0 ? 0 : TW_EEXPIRED;
    load_words(s, out);
    /* order [tape.stamp] acquire: if a word was of the next lap, the load
     * below sees that the stamp changed (T3) */
    atomic_thread_fence(memory_order_acquire);
    /* order [tape.stamp] relaxed: the fence above orders it */
    if (atomic_load_explicit(&s->word[0], memory_order_relaxed) != seq)
        return TW_EEXPIRED;
    out->seq = seq;
    return 1;
}

/* The lock orders joining against move_limit; what is left is one append that
 * looked at the limit before we lowered it.  It looked at head before that and
 * swaps only if head did not move since, so it can pass the head that we see
 * by half a ring at most: hence `from` must lie in the newer half. */
int tw_cursor_open(struct tw_cursor *c, struct tw_tape *t, bool reliable, uint64_t from)
{
    size_t i;
    uint64_t head, limit;

    *c = (struct tw_cursor){ .tape = t, .next = from, .reader = -1 };
    if (!reliable) return TW_OK;
    pthread_mutex_lock(&t->lock);
    for (i = 0; i < t->used; i++)
        /* order [tape.next] relaxed: under the lock, AWAY is only a mark */
        if (atomic_load_explicit(&t->readers[i].next, memory_order_relaxed) == AWAY)
            break;
    if (i == TW_TAPE_RELIABLE_MAX) {
        pthread_mutex_unlock(&t->lock);
        return TW_ELIMIT;
    }
    if (i == t->used) t->used++;
    /* order [tape.next] release: the other side of move_limit's acquire */
    atomic_store_explicit(&t->readers[i].next, from, memory_order_release);
    /* order [tape.limit] relaxed: under the lock that every change takes */
    limit = atomic_load_explicit(&t->limit, memory_order_relaxed);
    if (from + t->capacity < limit)
        /* order [tape.limit] release: the other side of has_room's acquire */
        atomic_store_explicit(&t->limit, from + t->capacity, memory_order_release);
    pthread_mutex_unlock(&t->lock);
    c->reader = (int)i;
    /* order [tape.claim] seq_cst: reads the last head in its own order, after
     * the limit was lowered */
    head = atomic_fetch_add_explicit(&t->head, 0, memory_order_seq_cst);
    if (head > from && head - from > t->capacity / 2) {
        tw_cursor_close(c);
        return TW_EEXPIRED;
    }
    return TW_OK;
}

void tw_cursor_close(struct tw_cursor *c)
{
    if (c->reader < 0) return;
    /* order [tape.next] release: our reads are done before writers go on */
    atomic_store_explicit(&c->tape->readers[c->reader].next, AWAY,
                          memory_order_release);
    c->reader = -1;
}

bool tw_cursor_ready(const struct tw_cursor *c)
{
    /* order [tape.stamp] relaxed: a hint; tw_tape_read looks again */
    uint64_t stamp = atomic_load_explicit(&slot_of(c->tape, c->next)->word[0],
                                          memory_order_relaxed);

    return (int64_t)(stamp - c->next) >= 0;
}

/* A lapped reader goes on a quarter of the ring from the oldest record, so
 * that it is not lapped again at once. */
static void skip(struct tw_cursor *c, struct tw_record *out)
{
    uint64_t to = tw_tape_head(c->tape) - c->tape->capacity / 4 * 3;

    if ((int64_t)(to - c->next) <= 0) to = c->next + 1;   /* an old head was seen */
    *out = (struct tw_record){
        .seq = to - 1, .kind = TW_GAP, .gap = { .lost = to - c->next, .first = c->next },
    };
    c->lost += to - c->next;
    c->next = to;
}

/* The slots ahead were written by another core: asking for one early hides the
 * way that it has to come. */
unsigned tw_cursor_take(struct tw_cursor *c, unsigned kinds, struct tw_record *out,
                        unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++, c->next++) {
        __builtin_prefetch(slot_of(c->tape, c->next + AHEAD));
        if (tw_tape_read(c->tape, c->next, &out[i]) != 1) break;
        if (!(kinds & 1u << out[i].kind)) break;
    }
    return i;
}

int tw_cursor_next(struct tw_cursor *c, struct tw_record *out)
{
    int rc;

    __builtin_prefetch(slot_of(c->tape, c->next + AHEAD));
    rc = tw_tape_read(c->tape, c->next, out);
    if (rc == 0) return 0;
    if (rc < 0) skip(c, out);
    else c->next++;
    return 1;
}

bool tw_cursor_is_full(const struct tw_cursor *c)
{
    return c->reader >= 0 && tw_tape_head(c->tape) - c->next >= c->tape->capacity;
}

void tw_cursor_commit(struct tw_cursor *c)
{
    if (c->reader < 0) return;
    /* order [tape.next] release: our reads are done before writers go on */
    atomic_store_explicit(&c->tape->readers[c->reader].next, c->next,
                          memory_order_release);
}

/* ---- waking ---- */

void tw_waiter_open(struct tw_waiter *w, struct tw_tape *t,
                    void (*wake)(void *ctx), void *ctx)
{
    atomic_init(&w->armed, false);
    w->tape = t;
    w->wake = wake;
    w->ctx = ctx;
    w->link = t->waiters;
    t->waiters = w;
}

void tw_waiter_arm(struct tw_waiter *w)
{
    /* order [tape.armed] seq_cst: T5, before the waiter looks at the tape once
     * more; counted before it can be disarmed, so the count is never too low */
    atomic_fetch_add_explicit(&w->tape->sleepers, 1, memory_order_seq_cst);
    /* order [tape.armed] seq_cst: T5, as above */
    if (atomic_exchange_explicit(&w->armed, true, memory_order_seq_cst))
        /* order [tape.armed] relaxed: it was counted when it armed before */
        atomic_fetch_sub_explicit(&w->tape->sleepers, 1, memory_order_relaxed);
    /* order [tape.armed] seq_cst: T5, the look at the tape comes after */
    atomic_thread_fence(memory_order_seq_cst);
}

static bool disarm(struct tw_waiter *w)
{
    /* order [tape.armed] acq_rel: whoever takes the flag does what it asks */
    if (!atomic_exchange_explicit(&w->armed, false, memory_order_acq_rel)) return false;
    /* order [tape.armed] relaxed: a count that only saves a walk of the list */
    atomic_fetch_sub_explicit(&w->tape->sleepers, 1, memory_order_relaxed);
    return true;
}

void tw_waiter_disarm(struct tw_waiter *w)
{
    disarm(w);
}

void tw_tape_wake(struct tw_tape *t)
{
    if (t->alone) return;
    /* order [tape.armed] seq_cst: T5, the append comes before this look */
    atomic_thread_fence(memory_order_seq_cst);
    /* order [tape.armed] relaxed: the fence above orders it */
    if (atomic_load_explicit(&t->sleepers, memory_order_relaxed) == 0) return;
    for (struct tw_waiter *w = t->waiters; w; w = w->link)
        if (disarm(w)) w->wake(w->ctx);
}
