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
 * Layer host/tape.  Values: copied freely.
 */
#ifndef TW_RECORD_H
#define TW_RECORD_H

#include "base/tw.h"

enum tw_kind {
    TW_NONE,
    TW_QUOTE,     /* best bid and offer of a symbol                         */
    TW_TRADE,     /* a trade between others, as a feed reports it           */
    TW_MESSAGE,   /* a script published a value on a topic                  */
    TW_TIMER,     /* a timer mark: so much time has passed, seen by all     */
    TW_ORDER,     /* an order of ours changed state                         */
    TW_GAP,       /* records (or a feed's messages) that this reader missed */
    TW_KINDS
};

enum { TW_SYMBOL_MAX = (1 << 20) - 1, TW_SOURCE_MAX = 255 };

/* Prices and sizes are fixed point with nine decimals (base/fixed.h).  A side
 * that is not there has size 0 and price 0; size 0 of a price is not known. */
struct tw_quote { int64_t bid, ask, bid_size, ask_size; };

enum tw_side { TW_SIDE_NONE, TW_SIDE_BUY, TW_SIDE_SELL };   /* FIX 54: 1, 2 */

struct tw_trade { int64_t price, size; uint32_t side; uint32_t unused; uint64_t id; };

/* kind of value: enum tw_value_kind (share/value.h); a TW_VALUE_BLOCK is a
 * struct tw_value that the slot owns one reference of. */
struct tw_message {
    uint32_t topic;      /* id in the host's topics         */
    uint32_t script;     /* id of the publisher, 0 for none */
    uint64_t value_kind;
    union { int64_t integer; double number; void *block; } value;
    uint64_t unused;
};

struct tw_timer {
    int64_t interval_ns;
    uint64_t count;
    uint32_t timer, unused[3];
};

/* state and reason: FIX 39 OrdStatus and 102/103 codes.  script: the owner. */
struct tw_order {
    uint64_t order;          /* client order id                          */
    int64_t price, quantity; /* of this event: limit, fill               */
    uint8_t state, side, reason, unused;
    uint32_t script;
};

struct tw_gap { uint64_t lost, first; uint64_t unused[2]; };

struct tw_record {
    uint64_t seq;
    int64_t time, received;
    uint32_t symbol : 20;
    uint32_t source : 8;
    uint32_t kind : 4;
    uint32_t source_seq;
    union {
        struct tw_quote quote;
        struct tw_trade trade;
        struct tw_message message;
        struct tw_timer timer;
        struct tw_order order;
        struct tw_gap gap;
        uint64_t word[4];
    };
};

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
