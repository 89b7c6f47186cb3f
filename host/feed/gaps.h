/* gaps.h - gaps: times at which the data should have records and have none.
 *
 * Of bars: steps that are missing within a session.  Nights, weekends, holidays and what
 * is left out at the same time on other days, too, are none.  Nor are the holes of a
 * symbol that has a bar only when something trades: many.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#ifndef TW_GAPS_H
#define TW_GAPS_H

#include "feed/fault.h"
#include "tape/bar.h"
#include "tape/symbols.h"

struct tw_gaps;

enum { TW_GAPS_TEXT = 600 };

/* limit_ns: of bars, quotes and trades of a symbol each gap within a session that is
 * longer; 0: bars that are missing, as above.  NULL: no memory. */
struct tw_gaps *tw_gaps_new(int64_t limit_ns);
void tw_gaps_free(struct tw_gaps *g);

/* The record is the next bar of its symbol, one length behind the last one and in the
 * same hour: so it is counted, and tw_gaps_look need not see it.  Blocks: never. */
bool tw_gaps_goes_on(struct tw_gaps *g, const struct tw_record *r);

/* The next record, by time.  The path of its place lives as long as g.  UV_ENOMEM.
 * Blocks: never.  Memory: for what is new: a symbol, a gap at another time of day. */
int tw_gaps_look(struct tw_gaps *g, const struct tw_record *r,
                 const struct tw_place *place);

/* One line, of all that were seen; false: there is none.  Blocks: never. */
bool tw_gaps_text(const struct tw_gaps *g, const struct tw_symbols *symbols,
                  char out[TW_GAPS_TEXT]);

#endif
