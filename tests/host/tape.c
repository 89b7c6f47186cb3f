/* tape.c - one total order that every reader sees, whatever the writers and
 * readers do: attacks T1 to T5 of host/tape/tape.c. */
#include "tape/tape.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "tap.h"

enum { WRITERS = 3, READERS = 3 };
static bool small, alone;   /* alone: one thread has the tape */

/* ---- records whose every word follows from who wrote it and as which ---- */

static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return v ^ v >> 29;
}

static struct tw_record make(unsigned writer, uint32_t i)
{
    struct tw_record r = { .time = i, .symbol = i & TW_SYMBOL_MAX, .source = writer,
                           .kind = i % 3 ? TW_QUOTE : TW_MESSAGE, .source_seq = i };

    r.received = (int64_t)mix((uint64_t)writer << 32 | i);
    for (int k = 0; k < 4; k++) r.word[k] = mix((uint64_t)r.received + (unsigned)k);
    return r;
}

static bool whole(const struct tw_record *r)
{
    struct tw_record want = make(r->source, r->source_seq);
    bool same = r->time == want.time && r->received == want.received &&
                r->symbol == want.symbol && r->kind == want.kind;

    for (int k = 0; k < 4; k++) same = same && r->word[k] == want.word[k];
    return same;
}

static struct tw_tape *new_tape(size_t capacity)
{
    struct tw_tape *t = tw_tape_new(capacity);

    tw_tape_set_alone(t, alone);
    return t;
}

/* Appends n records of writer 1, which must fit. */
static bool put(struct tw_tape *t, uint32_t *i, int n)
{
    bool fits = true;

    while (n-- > 0) {
        struct tw_record r = make(1, (*i)++);

        fits = fits && tw_tape_try_append(t, &r, 1) == 0;
    }
    return fits;
}

/* ---- one thread ---- */

static void capacities(void)
{
    static const size_t asked[] = { 0, 1, 2, 3, 4, 5, 1000 };
    static const size_t given[] = { 2, 2, 2, 4, 4, 8, 1024 };
    int wrong = 0, failed;
    struct tw_tape *t;
    uint32_t n = 0;

    for (int i = 0; i < 7; i++) {
        t = tw_tape_new(asked[i]);
        wrong += tw_tape_capacity(t) != given[i];
        tw_tape_free(t);
    }
    ok(wrong == 0, "a capacity is rounded up to a power of two");
    for (failed = 0;; failed++) {
        tw_memory_fail_at((uint64_t)failed + 1);
        if ((t = tw_tape_new(4))) break;
    }
    tw_memory_fail_at(0);
    ok(failed == 3, "each of %d allocations may fail", failed);
    tw_tape_touch(t);
    put(t, &n, 3);
    ok(tw_tape_head(t) == 4, "one that was touched is as empty as before");
    tw_tape_free(t);
    tw_tape_free(NULL);
}

static void reading(void)
{
    struct tw_tape *t = new_tape(4);
    struct tw_record r[2], out = {0};
    uint32_t i = 0;
    int wrong = 0;

    ok(tw_tape_head(t) == 1, "the first seq is 1");
    ok(tw_tape_read(t, 1, &out) == 0, "nothing is committed yet");
    put(t, &i, 1);
    ok(tw_tape_read(t, 1, &out) == 1 && out.seq == 1 && whole(&out), "then it is");
    ok(tw_tape_read(t, 2, &out) == 0, "the next is not");
    ok(tw_tape_read(t, 5, &out) == 0, "nor is one a lap later");
    for (int k = 0; k < 20; k++) {   /* starts at an odd place: these wrap around */
        uint64_t head = tw_tape_head(t);

        r[0] = make(1, i++);
        r[1] = make(1, i++);
        wrong += tw_tape_try_append(t, r, 2) != 0;
        wrong += r[0].seq != head || r[1].seq != head + 1 || tw_tape_head(t) != head + 2;
        for (int j = 0; j < 2; j++)
            wrong += tw_tape_read(t, r[j].seq, &out) != 1 || !whole(&out) ||
                     out.source_seq != r[j].source_seq;
    }
    ok(wrong == 0, "batches that wrap around are next to each other and whole");
    ok(tw_tape_read(t, tw_tape_head(t) - 4, &out) == 1, "a ring of 4 retains 4");
    ok(tw_tape_read(t, tw_tape_head(t) - 5, &out) == TW_EEXPIRED &&
       tw_tape_read(t, 1, &out) == TW_EEXPIRED, "older ones have expired");
    tw_tape_free(t);
}

static void reliable(void)   /* T4 */
{
    struct tw_tape *t = new_tape(4);
    struct tw_cursor slow, quick;
    struct tw_record r[2], out;
    uint32_t i = 0;
    int wrong = 0;

    tw_cursor_open(&slow, t, true, 1);
    tw_cursor_open(&quick, t, true, 1);
    ok(!tw_cursor_ready(&slow) && tw_cursor_next(&slow, &out) == 0, "it begins empty");
    ok(put(t, &i, 4) && !put(t, &i, 1), "a ring of 4 takes 4, then TW_EFULL");
    ok(tw_tape_head(t) == 5, "what was refused was not appended");
    while (tw_cursor_next(&quick, &out) == 1) tw_cursor_commit(&quick);
    ok(!put(t, &i, 1), "the slowest reader counts");
    ok(tw_cursor_ready(&slow) && tw_cursor_next(&slow, &out) == 1 && out.seq == 1,
       "it reads one");
    ok(!put(t, &i, 1), "which makes no room yet");
    tw_cursor_commit(&slow);
    r[0] = make(1, 100), r[1] = make(1, 101);
    ok(tw_tape_try_append(t, r, 2) == TW_EFULL, "commit makes room for one, not two");
    i = 4;
    ok(put(t, &i, 1) && !put(t, &i, 1), "and the one fits");
    tw_cursor_close(&slow);
    tw_cursor_close(&slow);
    i = 5;
    ok(put(t, &i, 3) && !put(t, &i, 1), "who leaves is waited for no more");
    for (uint32_t k = 4; k < 8; k++)
        wrong += tw_cursor_next(&quick, &out) != 1 || out.source_seq != k || !whole(&out);
    ok(wrong == 0 && tw_cursor_next(&quick, &out) == 0, "the other missed nothing");
    tw_cursor_close(&quick);
    ok(put(t, &i, 10), "with no reliable reader there is always room");
    tw_tape_free(t);
}

static void take(void)
{
    struct tw_tape *t = new_tape(8);
    struct tw_cursor c;
    struct tw_record r[4], out[8];
    uint32_t i = 6;

    for (uint32_t k = 0; k < 4; k++) {
        r[k] = make(1, k);
        r[k].kind = k == 2 ? TW_TIMER : k == 1 ? TW_TRADE : TW_QUOTE;
    }
    tw_cursor_open(&c, t, false, 1);
    ok(tw_cursor_take(&c, 1u << TW_QUOTE, out, 8) == 0, "nothing to take");
    tw_tape_try_append(t, r, 4);
    ok(tw_cursor_take(&c, 1u << TW_QUOTE, out, 8) == 1 && out[0].source_seq == 0,
       "what is of the kind is taken, up to what isn't");
    ok(tw_cursor_take(&c, 1u << TW_QUOTE | 1u << TW_TRADE, out, 8) == 1
       && out[0].source_seq == 1, "a kind of several");
    ok(tw_cursor_take(&c, 1u << TW_QUOTE, out, 8) == 0
       && tw_cursor_next(&c, out) == 1 && out[0].source_seq == 2,
       "the other is left there");
    ok(tw_cursor_take(&c, 1u << TW_QUOTE, out, 0) == 0
       && tw_cursor_take(&c, 1u << TW_QUOTE, out, 8) == 1, "no more than asked for");
    put(t, &i, 20);
    ok(tw_cursor_take(&c, ~0u, out, 8) == 0 && tw_cursor_next(&c, out) == 1
       && out[0].kind == TW_GAP && tw_cursor_take(&c, ~0u, out, 8) > 0,
       "a gap is for tw_cursor_next");
    tw_tape_free(t);
}

static void lossy(void)
{
    static const size_t rings[] = { 2, 4, 64 };
    int wrong = 0;

    for (int k = 0; k < 3; k++) {
        struct tw_tape *t = new_tape(rings[k]);
        struct tw_cursor c;
        struct tw_record out;
        uint64_t seen = 0, next = 1, gaps = 0;
        uint32_t i = 0;

        tw_cursor_open(&c, t, false, 1);
        for (int n = 0; n < 300; n += 7) {
            wrong += !put(t, &i, n);
            while (tw_cursor_ready(&c)) {
                wrong += tw_cursor_next(&c, &out) != 1;
                if (out.kind == TW_GAP) {
                    wrong += out.gap.first != next || out.gap.lost == 0 ||
                             out.seq != next + out.gap.lost - 1;
                    gaps++;
                } else {
                    wrong += out.seq != next || !whole(&out);
                    seen++;
                }
                next = out.seq + 1;
            }
            wrong += tw_cursor_next(&c, &out) != 0;
        }
        wrong += seen + c.lost != i || next != tw_tape_head(t) || gaps == 0;
        tw_cursor_close(&c);
        tw_tape_free(t);
    }
    ok(wrong == 0, "a lapped reader gets gaps: seen and lost are all there was");
}

/* What was written alone is where others go on. */
static void taken_back(void)
{
    struct tw_tape *t = tw_tape_new(4);
    struct tw_cursor c;
    struct tw_record r;
    uint32_t n = 0, whole_ones = 0;

    tw_tape_set_alone(t, true);
    tw_cursor_open(&c, t, true, 1);
    ok(put(t, &n, 4) && !put(t, &n, 1), "alone, too, a reliable reader is waited for");
    n--;
    tw_tape_set_alone(t, false);
    ok(!put(t, &n, 1), "and when others may append");
    n--;
    while (tw_cursor_next(&c, &r)) whole_ones += whole(&r);
    tw_cursor_commit(&c);
    ok(put(t, &n, 3) && tw_tape_head(t) == 8, "who go on behind what is there");
    while (tw_cursor_next(&c, &r)) whole_ones += whole(&r) && r.seq == r.source_seq + 1;
    ok(whole_ones == 7, "in one order, all whole: %u", whole_ones);
    tw_cursor_close(&c);
    tw_tape_free(t);
}

static void joining(void)
{
    static struct tw_cursor c[TW_TAPE_RELIABLE_MAX], more;
    struct tw_tape *t = tw_tape_new(8);
    struct tw_record out;
    uint32_t i = 0;
    int wrong = 0;

    put(t, &i, 20);
    ok(tw_cursor_open(&more, t, true, 1) == TW_EEXPIRED, "none can start in the past");
    ok(put(t, &i, 20), "nor does the attempt hold anybody back");
    ok(tw_cursor_open(&more, t, true, tw_tape_head(t) - 4) == 0, "half a ring back");
    ok(tw_cursor_next(&more, &out) == 1 && out.source_seq == i - 4, "it gets that one");
    tw_cursor_close(&more);
    ok(tw_cursor_open(&more, t, false, 1) == 0 && tw_cursor_next(&more, &out) == 1 &&
       out.kind == TW_GAP && out.gap.first == 1, "a lossy one gets a gap");
    for (int k = 0; k < TW_TAPE_RELIABLE_MAX; k++)
        wrong += tw_cursor_open(&c[k], t, true, tw_tape_head(t)) != 0;
    ok(wrong == 0, "%d reliable readers join", TW_TAPE_RELIABLE_MAX);
    ok(tw_cursor_open(&more, t, true, tw_tape_head(t)) == TW_ELIMIT, "one more can't");
    tw_cursor_close(&more);
    tw_cursor_close(&c[7]);
    ok(tw_cursor_open(&c[7], t, true, tw_tape_head(t)) == 0, "until one has left");
    ok(put(t, &i, 8) && !put(t, &i, 1), "each of them holds writers back");
    for (int k = 0; k < TW_TAPE_RELIABLE_MAX; k++) tw_cursor_close(&c[k]);
    ok(put(t, &i, 1), "until the last has left");
    tw_tape_free(t);
}

/* Another writer comes by while one is halfway through a batch: of 9 and 10 in
 * a ring of 4, 9 is committed and its old message dropped, 10 is not yet. */
struct halfway {
    struct tw_tape *t;
    bool once;
    int unready, lap, past_it, next_lap;   /* what the other writer was told */
};

static void come_by(void *ctx, const struct tw_record *old)
{
    struct halfway *h = ctx;
    struct tw_record r[2] = { make(2, 1), make(2, 2) }, out;

    if (old->seq != 5 || h->once) return;
    h->once = true;
    h->unready = tw_tape_read(h->t, 10, &out);
    h->lap = tw_tape_try_append(h->t, r, 2);        /* 11 and 12 */
    h->next_lap = tw_tape_try_append(h->t, r, 2);   /* 13 and 14, where 10 is */
    h->past_it = tw_tape_try_append(h->t, r, 1);    /* 13, where 9 is */
}

static void settling(void)   /* T1, T2 */
{
    struct halfway h = { .t = tw_tape_new(4) };
    struct tw_record r[2], out;
    int wrong = 0;

    tw_tape_on_drop(h.t, come_by, &h);
    for (uint32_t i = 0; i < 10; i += 2) {
        r[0] = make(1, i * 3);   /* a message */
        r[1] = make(1, i * 3 + 1);
        wrong += tw_tape_try_append(h.t, r, 2) != 0;
    }
    ok(wrong == 0 && h.once, "a batch overwrote a message");
    ok(h.unready == 0, "what is claimed and not written can't be read");
    ok(h.lap == 0 && h.past_it == 0, "others may append meanwhile");
    ok(h.next_lap == TW_EFULL, "but not into a slot that is still being written");
    ok(tw_tape_read(h.t, 10, &out) == 1 && out.source == 1 && whole(&out) &&
       tw_tape_read(h.t, 13, &out) == 1 && out.source == 2 && whole(&out),
       "both writers' records are whole");
    ok(tw_tape_try_append(h.t, r, 1) == 0, "written, the slot is free for the next lap");
    tw_tape_free(h.t);
}

static int wakes;
static void count_wake(void *ctx) { ++*(int *)ctx; }

static void waking(void)   /* T5 */
{
    struct tw_tape *t = tw_tape_new(4);
    struct tw_waiter a, b;
    int others = 0;

    tw_waiter_open(&a, t, count_wake, &wakes);
    tw_waiter_open(&b, t, count_wake, &others);
    tw_tape_wake(t);
    ok(wakes == 0, "who is awake is not woken");
    tw_waiter_arm(&a);
    tw_tape_wake(t);
    tw_tape_wake(t);
    ok(wakes == 1 && others == 0, "who armed is woken once");
    tw_waiter_arm(&a);
    tw_waiter_disarm(&a);
    tw_waiter_disarm(&a);
    tw_tape_wake(t);
    ok(wakes == 1, "who disarmed is not");
    tw_waiter_arm(&a);
    tw_waiter_arm(&a);
    tw_waiter_arm(&b);
    tw_tape_wake(t);
    ok(wakes == 2 && others == 1, "all who armed are woken");
    tw_waiter_arm(&b);
    tw_tape_wake(t);
    ok(wakes == 2 && others == 2, "and each can arm again");
    tw_tape_free(t);
}

/* ---- a feed that waits ---- */

struct feed {
    struct tw_tape *t;
    uint32_t from;
    int n, rc;
    atomic_bool stop;
};

static void *run_feed(void *arg)
{
    struct feed *f = arg;
    struct tw_record r[8];

    tw_role_set(&FEED);
    tw_be_feed();
    for (int k = 0; k < f->n; k++) r[k] = make(2, f->from + (uint32_t)k);
    f->rc = tw_tape_append(f->t, r, (size_t)f->n, &f->stop);
    return NULL;
}

static void post(void *ctx) { sem_post(ctx); }

/* A feed that waits wakes whoever may be in its way: that is how the test
 * knows, without sleeping, that it does. */
static void feeds(void)
{
    static const char *const how[] = { "commits", "leaves", "stops the feed" };

    for (int k = 0; k < 3; k++) {
        struct tw_tape *t = tw_tape_new(8);
        struct feed f = { .t = t, .from = 7, .n = 3 };
        struct tw_waiter w;
        struct tw_cursor c;
        struct tw_record out;
        pthread_t th;
        sem_t waiting;
        uint32_t i = 0;

        sem_init(&waiting, 0, 0);
        tw_waiter_open(&w, t, post, &waiting);
        tw_cursor_open(&c, t, true, 1);
        put(t, &i, 7);
        tw_waiter_arm(&w);
        pthread_create(&th, NULL, run_feed, &f);
        sem_wait(&waiting);
        ok(tw_tape_head(t) == 8, "a feed waits for a reliable reader");
        while (k == 0 && c.next < 11) {   /* a feed has a lead of one record here */
            if (tw_cursor_next(&c, &out) == 1) tw_cursor_commit(&c);
            else sched_yield();
        }
        if (k == 1) tw_cursor_close(&c);
        if (k == 2) atomic_store(&f.stop, true);
        pthread_join(th, NULL);
        ok(k == 2 ? f.rc == TW_ESTOPPED && tw_tape_head(t) == 8
                  : f.rc == 0 && tw_tape_head(t) == 11, "until it %s", how[k]);
        tw_cursor_close(&c);
        tw_tape_free(t);
        sem_destroy(&waiting);
    }
}

/* ---- many writers, many readers ---- */

struct shared {
    struct tw_tape *t;
    uint32_t each;                  /* constant: records of each writer         */
    uint64_t total;                 /* constant                                 */
    uint64_t *order;                /* order[seq]: its writer's entry, no other */
    _Atomic uint8_t *dropped;       /* by writer and number: how often          */
    atomic_int torn_drops;
    atomic_bool stop;
};

struct job {
    struct shared *s;
    unsigned k;
    bool reliable;
    uint64_t *saw;                  /* saw[seq], 0 where it was lost */
    uint64_t seen, wrong;
    struct tw_cursor c;
};

static uint64_t id_of(const struct tw_record *r)
{
    return (uint64_t)(r->source + 1) << 32 | r->source_seq;
}

static void drop(void *ctx, const struct tw_record *old)
{
    struct shared *s = ctx;

    if (!whole(old)) atomic_fetch_add(&s->torn_drops, 1);
    else atomic_fetch_add(&s->dropped[old->source * s->each + old->source_seq], 1);
}

/* Writer 0 is a feed, which waits in place; the others go on by themselves. */
static void *write_all(void *arg)
{
    struct job *j = arg;
    struct shared *s = j->s;
    size_t most = tw_tape_capacity(s->t) / 2 < 8 ? tw_tape_capacity(s->t) / 2 : 8;
    struct tw_record r[8];

    tw_role_set(&FEED);
    tw_be_feed();
    for (uint32_t i = 0; i < s->each;) {
        size_t n = 1 + mix(i + j->k) % most;

        if (n > s->each - i) n = s->each - i;
        for (size_t b = 0; b < n; b++) r[b] = make(j->k, i + (uint32_t)b);
        if (j->k == 0 ? tw_tape_append(s->t, r, n, &s->stop)
                      : tw_tape_try_append(s->t, r, n)) {
            sched_yield();
            continue;
        }
        for (size_t b = 0; b < n; b++) {
            j->wrong += r[b].seq > s->total ||
                        (j->k == 0 ? b > 0 && r[b].seq <= r[b - 1].seq
                                   : r[b].seq != r[0].seq + b);
            if (r[b].seq <= s->total) s->order[r[b].seq] = id_of(&r[b]);
        }
        i += (uint32_t)n;
    }
    return NULL;
}

static void *read_all(void *arg)
{
    struct job *j = arg;
    uint32_t next[WRITERS] = {0};
    uint64_t expect = 1;

    while (expect <= j->s->total) {
        struct tw_record r;

        if (!tw_cursor_ready(&j->c)) {
            tw_cursor_commit(&j->c);
            sched_yield();
            continue;
        }
        j->wrong += tw_cursor_next(&j->c, &r) != 1;
        if (r.kind == TW_GAP) {
            j->wrong += j->reliable || r.gap.first != expect || r.gap.lost == 0 ||
                        r.seq != expect + r.gap.lost - 1;
            expect = r.seq + 1;
            continue;
        }
        j->wrong += r.seq != expect || r.source >= WRITERS || !whole(&r);
        if (j->wrong) break;
        j->wrong += j->reliable ? r.source_seq != next[r.source]
                                : r.source_seq < next[r.source];
        next[r.source] = r.source_seq + 1;
        j->saw[r.seq] = id_of(&r);
        j->seen++;
        expect++;
        if (r.seq % 16 == 0) tw_cursor_commit(&j->c);
    }
    tw_cursor_close(&j->c);
    return NULL;
}

static void crowd(size_t capacity, uint32_t each, int reliable_readers)
{
    struct shared s = { .t = tw_tape_new(capacity), .each = each,
                        .total = (uint64_t)each * WRITERS };
    struct job j[WRITERS + READERS];
    pthread_t th[WRITERS + READERS];
    uint64_t wrong = 0, differ = 0, undropped = 0, lost = 0, messages = 0;

    s.order = calloc(s.total + 1, sizeof *s.order);
    s.dropped = calloc(s.total, 1);
    tw_tape_on_drop(s.t, drop, &s);
    for (unsigned k = 0; k < WRITERS + READERS; k++) {
        j[k] = (struct job){ .s = &s, .k = k };
        if (k < WRITERS) continue;
        j[k].reliable = (int)k - WRITERS < reliable_readers;
        j[k].saw = calloc(s.total + 1, sizeof *j[k].saw);
        tw_cursor_open(&j[k].c, s.t, j[k].reliable, 1);
    }
    for (unsigned k = 0; k < WRITERS + READERS; k++)
        pthread_create(&th[k], NULL, k < WRITERS ? write_all : read_all, &j[k]);
    for (unsigned k = 0; k < WRITERS + READERS; k++) {
        pthread_join(th[k], NULL);
        wrong += j[k].wrong;
    }
    for (uint64_t seq = 1; seq <= s.total; seq++) {
        differ += s.order[seq] == 0;
        for (int k = WRITERS; k < WRITERS + READERS; k++)
            differ += j[k].saw[seq] != s.order[seq] && (j[k].reliable || j[k].saw[seq]);
    }
    for (int k = WRITERS; k < WRITERS + READERS; k++) {
        wrong += j[k].seen + j[k].c.lost != s.total || (j[k].reliable && j[k].c.lost);
        lost += j[k].c.lost;
        free(j[k].saw);
    }
    ok(wrong == 0, "ring of %zu, %d of %d readers reliable: whole records, in each "
       "writer's order, with the gaps counted (%llu of %llu lost)", capacity,
       reliable_readers, READERS, (unsigned long long)lost,
       (unsigned long long)s.total * READERS);
    ok(differ == 0, "every reader saw the one total order that the writers were told");
    tw_tape_free(s.t);
    for (uint64_t i = 0; i < s.total; i++) {
        bool message = i % each % 3 == 0;

        undropped += s.dropped[i] != message;
        messages += message;
    }
    ok(undropped == 0 && s.torn_drops == 0, "each of %llu messages was dropped once",
       (unsigned long long)messages);
    free(s.order);
    free((void *)s.dropped);
}

/* A reliable reader that joins while writers run is never lapped. */
static void *write_until_stop(void *arg)
{
    struct shared *s = arg;

    for (uint32_t i = 0; !atomic_load(&s->stop);) {
        struct tw_record r[2] = { make(1, i), make(1, i + 1) };

        if (tw_tape_try_append(s->t, r, 1 + i % 2) == 0) i += 1 + i % 2;
        else sched_yield();
    }
    return NULL;
}

static void join_and_leave(void)
{
    struct shared s = { .t = tw_tape_new(4) };
    int rounds = small ? 2000 : 20000, wrong = 0, joined = 0;
    pthread_t th[2];

    for (int k = 0; k < 2; k++) pthread_create(&th[k], NULL, write_until_stop, &s);
    while (joined < rounds) {
        struct tw_cursor c;
        struct tw_record r;
        uint64_t from = tw_tape_head(s.t);
        int rc = tw_cursor_open(&c, s.t, true, from);

        if (rc == TW_EEXPIRED) continue;
        wrong += rc != 0;
        for (uint64_t seq = from; seq < from + 6;) {
            if (tw_cursor_next(&c, &r) == 0) {
                tw_cursor_commit(&c);
                sched_yield();
                continue;
            }
            wrong += r.kind == TW_GAP || r.seq != seq || !whole(&r);
            seq++;
        }
        tw_cursor_close(&c);
        joined++;
    }
    atomic_store(&s.stop, true);
    for (int k = 0; k < 2; k++) pthread_join(th[k], NULL);
    ok(wrong == 0, "%d times a reliable reader joined in full flow, and missed nothing",
       rounds);
    tw_tape_free(s.t);
}

/* ---- sleepers: who armed and found nothing is woken (T5) ---- */

struct sleeper {
    struct tw_waiter w;
    struct tw_cursor c;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool woken;                     /* mutex: under lock */
    uint64_t total, sleeps, missed;
    atomic_bool *stop;
};

static void wake_sleeper(void *ctx)
{
    struct sleeper *s = ctx;

    pthread_mutex_lock(&s->lock);
    s->woken = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->lock);
}

/* The time limit is only there so that a missed wake-up fails and doesn't hang. */
static bool sleep_until_woken(struct sleeper *s)
{
    struct timespec limit;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 60;
    pthread_mutex_lock(&s->lock);
    while (!s->woken && rc == 0) rc = pthread_cond_timedwait(&s->cond, &s->lock, &limit);
    s->woken = false;
    pthread_mutex_unlock(&s->lock);
    return rc == 0;
}

static void *sleep_and_read(void *arg)
{
    struct sleeper *s = arg;
    struct tw_record r;

    while (s->c.next <= s->total) {
        while (tw_cursor_next(&s->c, &r) == 1) tw_cursor_commit(&s->c);
        if (s->c.next > s->total) break;
        tw_waiter_arm(&s->w);
        if (tw_cursor_ready(&s->c)) {
            tw_waiter_disarm(&s->w);
            continue;
        }
        s->sleeps++;
        if (sleep_until_woken(s)) continue;
        s->missed++;
        atomic_store(s->stop, true);
        break;
    }
    tw_cursor_close(&s->c);
    return NULL;
}

/* Wakes only after an append: one that was missed stays missed. */
static void *write_and_wake(void *arg)
{
    struct job *j = arg;

    for (uint32_t i = 0; i < j->s->each;) {
        struct tw_record r = make(j->k, i);

        if (tw_tape_try_append(j->s->t, &r, 1)) {
            if (atomic_load(&j->s->stop)) break;
            sched_yield();
            continue;
        }
        tw_tape_wake(j->s->t);
        i++;
    }
    return NULL;
}

static void sleepers(unsigned n)
{
    struct shared s = { .t = tw_tape_new(2), .each = (small ? 10000 : 100000) / n };
    static struct sleeper sl[3];
    struct job j[3];
    pthread_t writer[3], reader[3];
    uint64_t sleeps = 0, missed = 0;

    for (unsigned k = 0; k < n; k++) {
        sl[k] = (struct sleeper){ .lock = PTHREAD_MUTEX_INITIALIZER,
                                  .cond = PTHREAD_COND_INITIALIZER,
                                  .total = (uint64_t)s.each * n, .stop = &s.stop };
        j[k] = (struct job){ .s = &s, .k = k };
        tw_waiter_open(&sl[k].w, s.t, wake_sleeper, &sl[k]);
        tw_cursor_open(&sl[k].c, s.t, true, 1);
    }
    for (unsigned k = 0; k < n; k++) {
        pthread_create(&reader[k], NULL, sleep_and_read, &sl[k]);
        pthread_create(&writer[k], NULL, write_and_wake, &j[k]);
    }
    for (unsigned k = 0; k < n; k++) {
        pthread_join(writer[k], NULL);
        pthread_join(reader[k], NULL);
        sleeps += sl[k].sleeps;
        missed += sl[k].missed;
    }
    ok(missed == 0, "%u writers, %u readers, %u records: slept %llu times, always woken",
       n, n, s.each * n, (unsigned long long)sleeps);
    tw_tape_free(s.t);
}

/* What its pages have taken is given back, though no record has come. */
static void touched(void)
{
    size_t bytes = ((size_t)1 << 16) * sizeof(struct tw_record);
    struct tw_tape *t = tw_tape_new(1 << 16);
    unsigned char in = 0;
    void *p;

    tw_tape_touch(t);
    tw_tape_free(t);
    p = tw_map(bytes, true);
    ok(p && mincore(p, (size_t)sysconf(_SC_PAGESIZE), &in) == 0 && !(in & 1),
       "a tape that was touched keeps no memory when it goes");
    tw_unmap(p, bytes);
}

int main(void)
{
    small = getenv("SMALL") != NULL;
    capacities();
    for (int i = 0; i < 2; i++) {
        reading();
        reliable();
        take();
        lossy();
        alone = !alone;
    }
    taken_back();
    joining();
    settling();
    waking();
    touched();
    feeds();
    crowd(4, small ? 1000 : 6000, 2);
    crowd(4, small ? 1000 : 20000, 0);
    if (!small) crowd(1 << 16, 60000, 2);
    join_and_leave();
    for (unsigned n = 1; n <= 3; n += 2) sleepers(n);
    return tap_done();
}
