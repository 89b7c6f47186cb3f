/* bars.h - bars made of quotes, trades or shorter bars.
 *
 * By time, a bar is of [k * span + offset, that + span): a record belongs to the bar that
 * its time (a bar's: its beginning) lies in; a span without records has no bar.  It is
 * complete when time has come to its end: with the first record of any symbol at or
 * after that; made of bars, with the one that ends there.  By count or volume, it is
 * complete with the record that makes it so, which belongs to it whole.
 *
 * Bars that are complete at once come in the order of their ends, then of their symbols'
 * names: neither the order of records of one time matters, nor who was registered first.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_BARS_H
#define TW_BARS_H

#include "tape/bar.h"
#include "tape/symbols.h"

struct tw_bars_options {
    int64_t span_ns, offset_ns;      /* by time: whole seconds; 0: not by time       */
    uint64_t count;                  /* by records; 0: not                           */
    int64_t volume;                  /* by traded quantity; 0: not                   */
    enum tw_bar_price price;         /* bars are made of those of the same price     */
    const struct tw_symbols *symbols;   /* NULL: there are no names, but for ids      */
};

struct tw_bars;

/* NULL: no memory. */
struct tw_bars *tw_bars_new(const struct tw_bars_options *options);
void tw_bars_free(struct tw_bars *b);

/* Takes a record of any kind: completes what is due before it, then adds it.  -ENOMEM:
 * it was not taken. */
int tw_bars_take(struct tw_bars *b, const struct tw_record *r);

/* All that is open is complete: the end of the data.  -ENOMEM. */
int tw_bars_end(struct tw_bars *b);

/* The next complete bar (time: its end; seq: of the record that completed it); false:
 * none now. */
bool tw_bars_next(struct tw_bars *b, struct tw_record *out);

/* Bars whose prices did not fit into a record (tape/bar.h), and were left out.  A volume
 * beyond 64 bits is the largest there is. */
uint64_t tw_bars_refused(const struct tw_bars *b);

/* No bar could be made of what was taken: nothing had the price, or, of bars by volume
 * (*volume), a volume. */
bool tw_bars_lack(const struct tw_bars *b, bool *volume);

#endif
