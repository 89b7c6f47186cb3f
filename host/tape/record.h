/* record.h - the 64 bytes that everything on the tape is made of.
 *
 * Layout: one cache line, eight words.
 *
 *   word 0   seq         position on the tape: 1, 2, 3, ...; set by append
 *   word 1   time        of the event, as its source says; ns since the epoch
 *   word 2   received    when the host got it; ns since the epoch
 *   word 3   symbol, source, kind, source_seq
 *   word 4-7 payload     by kind
 *
 * symbol has 20 bits, so a host knows at most 1,048,575 symbols, and source
 * 8 bits (255 feeds): that leaves room for source_seq, the feed's own message
 * number (FIX tag 34, its low 32 bits), in the one cache line.
 *
 * The structs themselves are public: tidewire.h has them.
 *
 * Layer host/tape.  Values: copied freely.
 */
#ifndef TW_RECORD_H
#define TW_RECORD_H

#include "base/tw.h"

_Static_assert(sizeof(struct tw_record) == 64, "a record is one cache line");
_Static_assert(TW_KINDS <= 16, "kind has four bits");

/* Records on their way to the tape: a codec fills it, its owner empties it. */
enum { TW_BATCH = 64 };
struct tw_batch {
    unsigned n;
    void (*full)(struct tw_batch *);   /* empties r: called when n == TW_BATCH */
    void *owner;
    struct tw_record r[TW_BATCH];
};

/* Room for the next record, not cleared.
 * Thread: the batch's own.  Blocks: as `full` does.  Memory: none. */
static inline struct tw_record *tw_batch_next(struct tw_batch *b)
{
    if (b->n == TW_BATCH) b->full(b);
    return &b->r[b->n++];
}

#endif
