/* tape.h - the shared ring of records: one total order that every reader sees.
 *
 * Layer host/tape.
 */
#ifndef TW_TAPE_H
#define TW_TAPE_H

#include <stdatomic.h>

#include "tape/record.h"

enum {
    TW_TAPE_CAPACITY = 1 << 20,   /* records, when nobody says otherwise */
    TW_TAPE_RELIABLE_MAX = 1024   /* reliable readers at one time        */
};

struct tw_tape;

/* A ring of at least `capacity` records (a power of two, 2 or more), whose pages
 * take memory when records reach them.  NULL: no memory.  Thread: any.  Blocks: no. */
struct tw_tape *tw_tape_new(size_t capacity);

/* Touches every page, so that no append has to wait for one.
 * Thread: MAIN, before the first append.  Blocks: 0.2 ms a MiB. */
void tw_tape_touch(struct tw_tape *t);

/* Every reader and waiter is closed before.  Thread: any.  Blocks: no. */
void tw_tape_free(struct tw_tape *t);

/* Records the ring holds: how many a reader may fall behind.
 * Thread: any.  Blocks: never. */
size_t tw_tape_capacity(const struct tw_tape *t);

/* The seq that the next append gets; every record below is committed or about
 * to be.  The first is 1.  Thread: any.  Blocks: never. */
uint64_t tw_tape_head(const struct tw_tape *t);

/* Who is told that a TW_MESSAGE record is being overwritten (or the tape
 * freed), so that what it refers to can be let go.
 * Thread: MAIN, before the first append.  Blocks: no. */
void tw_tape_on_drop(struct tw_tape *t,
                     void (*drop)(void *ctx, const struct tw_record *old), void *ctx);

/* alone: until it is taken back all that appends, opens a reliable cursor or waits is one
 * thread, so that an append claims without a compare-and-swap, which is half of its time.
 * Taken back before another thread begins.  Thread: that one.  Blocks: never. */
void tw_tape_set_alone(struct tw_tape *t, bool alone);

/* Appends n records (1 to the capacity / 2), in order and next to each other;
 * each r[i].seq is set.  TW_EFULL, and nothing appended, while a reliable
 * reader or another writer still uses a slot.  Wakes nobody.
 * Thread: any.  Blocks: never.  Memory: none. */
int tw_tape_try_append(struct tw_tape *t, struct tw_record *r, size_t n);

/* How far a feed gets ahead of the slowest reliable reader: an eighth of the ring,
 * 1 at least.  Thread: any.  Blocks: never. */
size_t tw_tape_lead(const struct tw_tape *t);

/* The same for any n, one lead after the other, waiting in place while the slowest
 * reliable reader is further behind than that: TW_ESTOPPED when *stop becomes
 * true; what fits into one lead was appended whole then, or not at all.
 * Thread: FEED.  Blocks: as long as that.  Memory: none. */
int tw_tape_append(struct tw_tape *t, struct tw_record *r, size_t n,
                   const atomic_bool *stop) TW_ON(FEED);

/* Wakes the sleeping waiters; once after a batch of appends.
 * Thread: any.  Blocks: never.  Costs a load when nobody sleeps. */
void tw_tape_wake(struct tw_tape *t);

/* Copies record seq.  1: copied; 0: not committed yet; TW_EEXPIRED: it was
 * overwritten.  Thread: any.  Blocks: never.  Memory: none. */
int tw_tape_read(const struct tw_tape *t, uint64_t seq, struct tw_record *out);

/* A reader's place.  A reliable one holds writers back; a lossy one may be
 * overrun, and is then given a TW_GAP record with the count that it lost. */
struct tw_cursor {
    struct tw_tape *tape;
    uint64_t next;      /* owner: the reader; the next seq it gets    */
    uint64_t lost;      /* owner: the reader; records it never got    */
    int reader;         /* constant: its reliable slot, -1 when lossy */
};

/* Opens a reader at `from` (tw_tape_head for what comes now); a reliable one
 * must not be behind what the ring holds.  TW_ELIMIT: too many reliable
 * readers; TW_EEXPIRED: `from` is overwritten.
 * Thread: any, then the reader's own.  Blocks: never. */
int tw_cursor_open(struct tw_cursor *c, struct tw_tape *t, bool reliable, uint64_t from);

/* Leaves: writers wait for it no more.  Safe twice.
 * Thread: the reader's.  Blocks: never. */
void tw_cursor_close(struct tw_cursor *c);

/* The next record: 1, or 0 when there is none now.
 * Thread: the reader's.  Blocks: never.  Memory: none. */
int tw_cursor_next(struct tw_cursor *c, struct tw_record *out);

/* The next records, n at most, as long as they are of these kinds (a bit for each enum
 * tw_kind) and none was lost: that is for tw_cursor_next.  How many.
 * Thread: the reader's.  Blocks: never.  Memory: none. */
unsigned tw_cursor_take(struct tw_cursor *c, unsigned kinds, struct tw_record *out,
                        unsigned n);

/* True when tw_cursor_next would give a record.
 * Thread: the reader's.  Blocks: never. */
bool tw_cursor_ready(const struct tw_cursor *c);

/* True when a writer finds no room because of this reader: the ring is full of
 * what it has not read.  Thread: the reader's.  Blocks: never. */
bool tw_cursor_is_full(const struct tw_cursor *c);

/* Lets writers have the records read so far: once per batch.  A lossy reader
 * need not.  Thread: the reader's.  Blocks: never. */
void tw_cursor_commit(struct tw_cursor *c);

/* One sleeper.  Sleep in three steps: tw_waiter_arm; look whether there is
 * something to do after all; then sleep, or tw_waiter_disarm. */
struct tw_waiter {
    _Alignas(TW_CACHELINE) atomic_bool armed;  /* atomic: see tape.c        */
    struct tw_tape *tape;                      /* constant after open       */
    void (*wake)(void *ctx);                   /* constant; called by any   */
    void *ctx;                                 /* constant                  */
    struct tw_waiter *link;                    /* constant: the tape's list */
};

/* Joins the tape's waiters for as long as the tape lives.
 * Thread: MAIN, before the first append.  Blocks: never. */
void tw_waiter_open(struct tw_waiter *w, struct tw_tape *t,
                    void (*wake)(void *ctx), void *ctx);

/* From here on the next tw_tape_wake calls `wake`, once.
 * Thread: the waiter's.  Blocks: never. */
void tw_waiter_arm(struct tw_waiter *w);

/* Thread: the waiter's.  Blocks: never.  Safe when it is not armed. */
void tw_waiter_disarm(struct tw_waiter *w);

#endif
