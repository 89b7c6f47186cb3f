/* fees.h - what a trade costs.
 *
 * A fee is counted for an order as a whole: of each further trade of it the difference
 * is charged, so that a minimum is paid once however many trades fill the order.
 *
 * Layer host/trade.  Thread: any; constant for a run.
 */
#ifndef TW_FEES_H
#define TW_FEES_H

#include "trade/order.h"
#include "trade/terms.h"

enum { TW_FEE_TIERS = 8 };

/* Ratios have nine decimals (0.001 is 0.1 %); zeros: none. */
struct tw_fee_tier {
    tw_money from;                   /* once so much value was traded before        */
    int64_t percent, maker, taker;   /* of the value; maker, taker: by liquidity    */
};

struct tw_fees {
    tw_money per_order;              /* once an order trades                        */
    int64_t per_share;               /* for 1 of the quantity                       */
    int64_t percent, maker, taker;   /* of the value                                */
    tw_money minimum;                /* of an order                                 */
    int64_t maximum;                 /* of an order: a ratio of its value           */
    struct tw_fee_tier tier[TW_FEE_TIERS];   /* instead of the three, by `from`     */
    unsigned tiers;
};

/* Sets fee and raw_fee of the next trade of the order, which is not in o yet.  traded:
 * the value that the account has traded before.  A fee below 0 is a rebate; a trade that
 * is taken back pays its share back.  What the venue has charged is as it says, but for
 * what is in another currency, see tw_broker_charge.  f may be NULL.  Thread: any.
 * Blocks: never.  Memory: none. */
void tw_fees_charge(const struct tw_fees *f, const struct tw_order *o, tw_money traded,
                    struct tw_report *trade);

#endif
