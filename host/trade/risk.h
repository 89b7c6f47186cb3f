/* risk.h - what is checked before an order goes anywhere.
 *
 * Limits are those of one strategy (tw_limits) and of all strategies of a run together
 * (a desk).  An order that reduces a position passes the limits of position and loss;
 * the kill switch it does not pass.
 *
 * Layer host/trade.
 */
#ifndef TW_RISK_H
#define TW_RISK_H

#include <stdatomic.h>

#include "trade/order.h"

/* Zeros: no limit. */
struct tw_limits {
    int64_t order_quantity;      /* of an order                                      */
    tw_money order_value;        /* likewise; a market order's by the last price     */
    int64_t position;            /* of an instrument, long or short, with all that is
                                  * open and would enlarge it                        */
    unsigned open_orders;
    unsigned orders;             /* in any span of `per_ns`                          */
    int64_t per_ns;
    int64_t collar;              /* how far a price may be from the last one: a ratio
                                  * of that, with nine decimals                      */
    tw_money daily_loss;         /* of equity, since the day began                   */
    bool self_match;             /* refuse what could trade with an own order        */
    bool buying_power;           /* refuse what cash and margin don't cover          */
};

/* What is so now, of the order's strategy and instrument. */
struct tw_exposure {
    int64_t position;            /* held                                             */
    int64_t buying, selling;     /* left of open orders                              */
    unsigned open_orders, recent;    /* recent: in the last per_ns                   */
    int64_t price;               /* the last one; 0: none is known                   */
    int64_t best_bid, best_ask;  /* of own open orders: the highest price that buys,
                                  * the lowest that sells; 0: none.  A market order
                                  * counts as every price: INT64_MAX and 1           */
    tw_money lost;               /* since the day began; below 0: gained             */
    tw_money free;               /* equity that no margin is held for, in the currency
                                  * of the instrument                                */
};

/* The reason why the order must not go, or TW_REASON_NONE.
 * Thread: any.  Blocks: never.  Memory: none. */
enum tw_reason tw_risk_check(const struct tw_limits *l, const struct tw_order *o,
                             const struct tw_exposure *now);

/* All of the order, with what is open on its side, makes the position smaller at most.
 * Thread: any. */
bool tw_risk_reduces(const struct tw_order *o, const struct tw_exposure *now);

/* All strategies of a run.  A limit that two strategies come to at once may be passed by
 * neither, or by the one whose thread was first: each counts itself in, then looks. */
struct tw_desk {
    unsigned open_orders, orders;    /* constant: limits, 0: none; orders a second   */
    int64_t daily_loss;              /* constant: of all, in 1e-9 of the base; 0     */
    atomic_bool halted;              /* atomic: any thread sets it                   */
    _Atomic int64_t open;            /* atomic: open orders                          */
    _Atomic int64_t second, sent;    /* atomic: orders in that second of event time  */
    _Atomic int64_t lost;            /* atomic: sum of what the strategies lost today */
};

/* The kill switch: from here on no order passes, until it is false again.
 * Thread: any.  Blocks: never. */
void tw_desk_halt(struct tw_desk *d, bool halted);
bool tw_desk_is_halted(const struct tw_desk *d);

/* Counts the order in: TW_REASON_NONE; else why it must not go, and it is not counted.
 * reduces: it can only make a position smaller.  Thread: any.  Blocks: never. */
enum tw_reason tw_desk_enter(struct tw_desk *d, int64_t time_ns, bool reduces);

/* An order has ended.  Thread: any.  Blocks: never. */
void tw_desk_leave(struct tw_desk *d);

/* A strategy's loss of the day is so much more (or less).  Thread: any. */
void tw_desk_add_loss(struct tw_desk *d, int64_t more);

#endif
