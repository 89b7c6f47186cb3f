/* plain.h - what a broker sees to itself where the gateway can't: reduce-only orders, and
 * groups of which one order cancels the others.
 *
 * Why: most venues beyond a wire know neither.  What is done here is as good as the way
 * to them is fast: two orders of a group may both trade before one is canceled.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_PLAIN_H
#define TW_PLAIN_H

#include "trade/broker.h"

/* Why an order does not go to the gateway g (which may be NULL); room: by how much it may
 * reduce what is held. */
enum tw_reason tw_plain_check(const struct tw_gateway *g, const struct tw_order *o,
                              int64_t room);

/* Why it did not take it: of a negative code. */
enum tw_reason tw_plain_reason(int rc);

#endif
