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

/* The gateway was asked to make it so large (0: as it is), behind all else. */
void tw_plain_asked(const struct tw_broker *b, struct tw_order *o, int64_t quantity);

/* Its parent has traded so much, of which other exits have closed nothing. */
void tw_plain_grow(const struct tw_broker *b, struct tw_order *o, int64_t due);

/* It has traded: of the others of its group no more is left than of it.  What the gateway
 * says. */
int tw_plain_traded(struct tw_broker *b, const struct tw_order *o);

#endif
