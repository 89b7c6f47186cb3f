/* risk.h - what is checked before an order goes anywhere.
 *
 * Limits are those of one strategy (tw_limits) and of all strategies of a run together
 * (a desk).  An order that reduces a position passes the limits of position and loss, one
 * that is reduce-only those of an order's size, of open orders and of all strategies'
 * position, an exit of a bracket all of the desk; the kill switch none passes.
 *
 * Layer host/trade.
 */
#ifndef TW_RISK_H
#define TW_RISK_H

#include <pthread.h>
#include <stdatomic.h>

#include "trade/order.h"

/* Zeros: no limit. */
struct tw_limits {
    int64_t order_quantity;      /* of an order                                      */
    tw_money order_value;        /* likewise; a market order's by the last price; this
                                  * and daily_loss are of one currency               */
    int64_t position;            /* of an instrument, long or short, with all that is
                                  * open and would enlarge it: 0: what 64 bits hold  */
    unsigned open_orders;
    unsigned orders;             /* in any span of `per_ns`; an exit is of its entry */
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
    tw_money buying, selling;    /* left of open orders                              */
    unsigned open_orders, recent;    /* recent: in the last per_ns                   */
    int64_t price;               /* the last one; 0: none is known                   */
    int64_t best_bid, best_ask;  /* of own open orders, but for those that are asked to
                                  * be canceled: the highest price that buys,
                                  * the lowest that sells; 0: none.  A market order
                                  * counts as every price: INT64_MAX and 1           */
    int64_t rate;                /* what 1 of its currency costs in that of the limits;
                                  * 0: not known, so its value counts nothing        */
    tw_money lost;               /* since the day began; below 0: gained             */
    tw_money free;               /* what no margin is held for, nor open orders may cost,
                                  * in the currency of the instrument                */
};

/* Of the last l->orders orders, in a ring of their times that n have been put into, those
 * within l->per_ns.  Thread: any.  Blocks: never. */
unsigned tw_risk_recent(const struct tw_limits *l, const int64_t *ring, uint64_t n,
                        int64_t now_ns);

/* The reason why the order must not go, or TW_REASON_NONE.
 * Thread: any.  Blocks: never.  Memory: none. */
enum tw_reason tw_risk_check(const struct tw_limits *l, const struct tw_order *o,
                             const struct tw_exposure *now);

/* What the order is worth, in the currency of the limits.  Thread: any. */
tw_money tw_risk_value(const struct tw_order *o, const struct tw_exposure *now);

/* The best prices, with that of an order of the side, too; 0: any.  Thread: any. */
void tw_risk_best(uint8_t side, int64_t price, int64_t *bid, int64_t *ask);

/* It makes the position smaller at most: all of it, with what is open on its side; or it
 * may do no more than that.  Thread: any. */
bool tw_risk_reduces(const struct tw_order *o, const struct tw_exposure *now);

/* Of one instrument, of all strategies. */
struct tw_desk_symbol {
    _Atomic int64_t buying;          /* atomic: held, long, and all open to buy      */
    _Atomic int64_t selling;         /* atomic: held, short, and all open to sell    */
    struct tw_desk_quote *quotes;    /* mutex: of the desk                           */
};

/* The best prices at which a strategy would trade; see self_match. */
struct tw_desk_quote {
    struct tw_desk_quote *next;      /* mutex: of the desk                           */
    uint64_t venue;                  /* constant: what goes to the same can meet     */
    int64_t bid, ask;                /* mutex: the strategy writes; see tw_exposure  */
};

enum { TW_DESK_PAGE = 1024 };        /* symbols; as many pages are all               */

/* All strategies of a run.  A limit that two strategies come to at once may be passed by
 * neither, or by the one whose thread was first: each counts itself in, then looks. */
struct tw_desk {
    struct tw_limits limits;         /* constant: of all; orders: in a second of event
                                      * time.  buying_power is not looked at            */
    char currency[8];                /* constant: of these; "": that of each account    */
    atomic_bool halted;              /* atomic: any thread sets it                      */
    bool warms_up;                   /* owner: the one thread of a backtest: no order is
                                      * sent yet, whether halted or not                 */
    _Atomic int64_t open;            /* atomic: open orders                             */
    _Atomic int64_t second, sent;    /* atomic: orders in that second of event time     */
    _Atomic int64_t lost;            /* atomic: what the strategies lost on the day    */
    int64_t day_ns;                  /* mutex: when it ends, the latest of theirs       */
    pthread_mutex_t lock;
    struct tw_desk_symbol *_Atomic page[TW_DESK_PAGE];   /* atomic: as needed       */
};

/* Thread: MAIN, before the strategies and after them. */
void tw_desk_init(struct tw_desk *d, const struct tw_limits *limits);
void tw_desk_fini(struct tw_desk *d);

/* The kill switch: from here on no order passes, until it is false again.
 * Thread: any.  Blocks: never. */
void tw_desk_halt(struct tw_desk *d, bool halted);
bool tw_desk_is_halted(const struct tw_desk *d);

/* Has it limits that are amounts of its currency?  Thread: any. */
static inline bool tw_desk_has_amounts(const struct tw_desk *d)
{
    return d->limits.order_value != 0 || d->limits.daily_loss != 0;
}

/* Do its limits need what the strategies have of each instrument?  Thread: any. */
static inline bool tw_desk_has_symbols(const struct tw_desk *d)
{
    return d->limits.position != 0 || d->limits.self_match;
}

/* Is there a limit of which one strategy leaves less to the others?  Thread: any. */
static inline bool tw_desk_is_shared(const struct tw_desk *d)
{
    return tw_desk_has_symbols(d) || d->limits.open_orders || d->limits.orders
        || d->limits.daily_loss;
}

/* NULL: no memory.  Thread: any.  Blocks: never.  Memory: of the desk. */
struct tw_desk_symbol *tw_desk_symbol(struct tw_desk *d, uint32_t symbol);

/* What a strategy has of an instrument is so much more (or less).
 * Thread: any.  Blocks: never. */
void tw_desk_share(struct tw_desk_symbol *s, int64_t buying, int64_t selling);

/* Prices of a strategy that has none yet; NULL: no memory.
 * Thread: any.  Blocks: a short lock.  Memory: of the desk. */
struct tw_desk_quote *tw_desk_quote_new(struct tw_desk *d, struct tw_desk_symbol *s,
                                        uint64_t venue);

/* They are these.  Thread: the strategy's.  Blocks: a short lock. */
void tw_desk_quote_set(struct tw_desk *d, struct tw_desk_quote *q, int64_t bid,
                       int64_t ask);

/* False: it would meet an order of a strategy, its own too, at that venue.  Else its
 * price is one of q from here on.  Thread: the strategy's.  Blocks: a short lock. */
bool tw_desk_quote_enter(struct tw_desk *d, struct tw_desk_symbol *s,
                         struct tw_desk_quote *q, const struct tw_order *o);

/* What an order, or a change of one, is checked for alone: its size, value and price, the
 * loss; and the position, where it is counted in already (s; NULL: it does not make it
 * larger).  Thread: any.  Blocks: never. */
enum tw_reason tw_desk_check(const struct tw_desk *d, const struct tw_desk_symbol *s,
                             const struct tw_order *o, const struct tw_exposure *now);

/* Counts so much more of an instrument in, no more than that position leaves: how much it
 * was.  Thread: any.  Blocks: never. */
int64_t tw_desk_take(const struct tw_desk *d, struct tw_desk_symbol *s, bool buys,
                     int64_t more);

/* Counts the order in: TW_REASON_NONE; else why it must not go, and it is not counted.
 * Thread: any.  Blocks: never. */
enum tw_reason tw_desk_enter(struct tw_desk *d, const struct tw_order *o,
                             int64_t time_ns);

/* An order is open that was sent before the run: it is counted in, whatever the limits.
 * Thread: any.  Blocks: never. */
void tw_desk_add(struct tw_desk *d);

/* An order has ended.  Thread: any.  Blocks: never. */
void tw_desk_leave(struct tw_desk *d);

/* What a strategy has lost on the day that ends then, in the desk's currency; *told is
 * what it has said before, which counts until anybody's next day.  Zeroed: nothing.
 * Thread: any.  Blocks: a short lock, where that is another amount. */
struct tw_desk_loss { int64_t day_ns, lost; };
void tw_desk_tell_loss(struct tw_desk *d, struct tw_desk_loss *told, int64_t day_ns,
                       int64_t lost);

#endif
