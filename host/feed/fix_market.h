/* fix_market.h - the market data of one FIX message: fields to records.
 *
 * Layer host/feed.
 */
#ifndef TW_FIX_MARKET_H
#define TW_FIX_MARKET_H

#include "feed/fix_entry.h"
#include "feed/fix_frame.h"
#include "tape/record.h"
#include "tape/symbols.h"

/* What a message is beside a number of records. */
enum { TW_FIX_OTHER = -1, TW_FIX_NO_FIELDS = -3 };   /* and TW_FIX_UNUSABLE */

/* What the n-th field of a message was, for the next message. */
enum { TW_FIX_GUESSES = 64 };
struct tw_fix_guess {
    uint64_t mask, bytes;            /* of the first word: tag and '='   */
    uint32_t tag, length;
    uint32_t field, stops, sets;     /* see read_fields in fix_market.c  */
};

/* A symbol of up to 7 bytes that came before, by a hash of its name. */
enum { TW_FIX_RECENT_BITS = 12 };
struct tw_fix_recent { uint64_t name, id; };   /* name: with its SOH, then zeros */

struct tw_fix_market {
    struct tw_symbols *symbols;      /* constant after init             */
    uint8_t source;                  /* constant after init             */
    uint64_t *soh;                   /* index of the message to be read */
    struct tw_fix_entry *entries;    /* of the message being read       */
    size_t entries_n, entries_max;
    struct tw_quote *quotes;         /* by symbol id: the last known    */
    uint32_t quotes_n;
    struct tw_fix_clock clock;
    struct tw_fix_guess guesses[TW_FIX_GUESSES + 1];   /* the last: no match */
    struct tw_fix_recent recent[1 << TW_FIX_RECENT_BITS];
    char why[TW_FIX_WHY];            /* refused: what and the value     */
};

/* UV_ENOMEM: fini is still to be called.  max_message: bytes.
 * Thread: any, then one at a time.  Blocks: no.  Memory: freed by fini. */
int tw_fix_market_init(struct tw_fix_market *m, struct tw_symbols *symbols,
                       uint8_t source, size_t max_message);
void tw_fix_market_fini(struct tw_fix_market *m);

/* Forgets all quotes: what comes is of a new stream.
 * Thread: the owner's.  Blocks: no. */
void tw_fix_market_reset(struct tw_fix_market *m);

/* Appends the records of the whole message at p, framed by f and indexed in
 * m->soh, to out.  How many there were; TW_FIX_OTHER: a message of a kind that
 * makes none; TW_FIX_UNUSABLE: m->why says what is wrong; TW_FIX_NO_FIELDS: it
 * is not made of tag=value, as m->why says.  The last two change nothing.
 * Thread: the owner's.  Blocks: as out->full does.
 * Memory: grows with the most entries of a message and the highest symbol id. */
int tw_fix_market_read(struct tw_fix_market *m, const char *p,
                       const struct tw_fix_frame *f, int64_t received_ns,
                       struct tw_batch *out);

#endif
