/* fault.h - what is wrong with a record though it could be read, and where it is.
 *
 * A fault is why it can't be a record of a market: it is left out.  What is odd is taken
 * as it is, and told of once.
 *
 * Layer host/feed.  Thread: any.  Blocks: never.  Memory: none.
 */
#ifndef TW_FAULT_H
#define TW_FAULT_H

#include "tape/record.h"

enum { TW_FAULT_TEXT = 300, TW_PLACE_TEXT = 80, TW_ODD_TEXT = 200 };

/* Where a record stands in its file: line of CSV, message of FIX, or number in a tape
 * file and where its block begins there; 0: not known. */
struct tw_place {
    const char *path;
    uint64_t line, message, record, block;
};

/* "csv: line 3", "message 3", "record 17 (block at byte 96)", or "". */
const char *tw_place_text(const struct tw_place *p, char out[TW_PLACE_TEXT]);

enum tw_odd { TW_ODD_BACK = 1, TW_ODD_CROSSED = 2, TW_ODD_NEGATIVE = 4 };

/* Why it can't be a record of a market, or NULL. */
const char *tw_record_fault(const struct tw_record *r);

/* What is odd with the next record of a stream, of what is not in *told, where it goes
 * then; 0: nothing.  *last_ns: the latest time of the stream, INT64_MIN at its begin.
 * Bars are of the past, and so are not odd for their time. */
unsigned tw_record_odd(const struct tw_record *r, int64_t *last_ns, unsigned *told);

/* The same of a bar, but for its time. */
bool tw_bar_is_sound(const struct tw_record *r);

/* True: nothing is wrong with the record or odd, which is so of nearly all, and costs
 * little to see.  False: ask the two above. */
static inline bool tw_record_is_sound(const struct tw_record *r, int64_t *last_ns)
{
    const struct tw_quote *q = &r->quote;

    if (r->time < *last_ns) return false;
    if (r->kind == TW_QUOTE ? q->bid <= 0 || q->ask < q->bid
            || (q->bid_size | q->ask_size) < 0
        : r->kind == TW_BAR ? !tw_bar_is_sound(r)
        : r->kind != TW_TRADE || r->trade.price <= 0 || r->trade.size < 0) return false;
    *last_ns = r->time;
    return true;
}

/* A line on one of them, without a place; last_ns: as it was for the record. */
const char *tw_odd_text(unsigned odd, const struct tw_record *r, int64_t last_ns,
                        char out[TW_ODD_TEXT]);

/* "time goes back, from 2020-01-06 09:00:02 to 2020-01-06 09:00:01": of a record that is
 * before last_ns; UTC. */
const char *tw_back_text(const struct tw_record *r, int64_t last_ns,
                         char out[TW_ODD_TEXT]);

#endif
