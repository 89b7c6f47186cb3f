/* fix_both.h - a FIX session that has several consumers: market data and orders over one.
 *
 * A message is of the first one that takes it; a BusinessMessageReject (35=j) is of each,
 * as they know their own.  Events are of all.
 *
 * Layer host/run.
 */
#ifndef TW_FIX_BOTH_H
#define TW_FIX_BOTH_H

#include "run/fix_engine.h"

struct tw_fix_both;

/* Both as one; a alone, or b, where the other has no `message`.  *list gets what they
 * share.  ctx is NULL: no memory.  Thread: any that is alone with the list. */
struct tw_fix_consumer tw_fix_both(struct tw_fix_both **list, struct tw_fix_consumer a,
                                   struct tw_fix_consumer b);

/* All of a list, when the engine is gone.  Thread: MAIN. */
void tw_fix_both_free(struct tw_fix_both *list);

#endif
