/* order.h - an order: what was asked for, and how far it has come.
 *
 * Its status is FIX's OrdStatus (39).  What changes it is a report, as FIX's
 * ExecutionReport (35=8), whether a simulated venue made it or a real one:
 *
 *   none --pending new--> PENDING_NEW --new--> NEW --trade--> PARTIALLY_FILLED
 *   PENDING_NEW --rejected--> REJECTED        --trade, all of it--> FILLED
 *   any open one --canceled | expired | done for day--> CANCELED | EXPIRED | DONE_FOR_DAY
 *   any open one --pending cancel | pending replace--> the same, and that is pending
 *   any open one --replaced--> the same, with other terms; --cancel rejected--> the same
 *   any open one --trade canceled--> NEW, or PARTIALLY_FILLED by others
 *   one that has ended --trade, trade canceled--> what the venue says it is then
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_ORDER_H
#define TW_ORDER_H

#include "trade/money.h"

struct tw_resting;
struct tw_terms;

/* The values are FIX's. */
enum tw_order_type {                /* OrdType 40 */
    TW_TYPE_MARKET = '1', TW_TYPE_LIMIT = '2', TW_TYPE_STOP = '3',
    TW_TYPE_STOP_LIMIT = '4', TW_TYPE_TRAILING_STOP = 'P'
};
enum tw_time_in_force {             /* TimeInForce 59 */
    TW_TIF_DAY = '0', TW_TIF_GTC = '1', TW_TIF_OPG = '2', TW_TIF_IOC = '3',
    TW_TIF_FOK = '4', TW_TIF_GTD = '6', TW_TIF_CLS = '7'
};
enum tw_order_status {              /* OrdStatus 39 */
    TW_STATUS_NONE = 0, TW_STATUS_NEW = '0', TW_STATUS_PARTIALLY_FILLED = '1',
    TW_STATUS_FILLED = '2', TW_STATUS_DONE_FOR_DAY = '3', TW_STATUS_CANCELED = '4',
    TW_STATUS_PENDING_CANCEL = '6', TW_STATUS_REJECTED = '8',
    TW_STATUS_PENDING_NEW = 'A', TW_STATUS_EXPIRED = 'C', TW_STATUS_PENDING_REPLACE = 'E'
};
enum tw_exec_type {                 /* ExecType 150 */
    TW_EXEC_NEW = '0', TW_EXEC_DONE_FOR_DAY = '3', TW_EXEC_CANCELED = '4',
    TW_EXEC_REPLACED = '5', TW_EXEC_PENDING_CANCEL = '6', TW_EXEC_REJECTED = '8',
    TW_EXEC_CANCEL_REJECTED = '9',  /* here: OrderCancelReject, 35=9 */
    TW_EXEC_PENDING_NEW = 'A', TW_EXEC_EXPIRED = 'C', TW_EXEC_PENDING_REPLACE = 'E',
    TW_EXEC_TRADE = 'F',
    TW_EXEC_TRADE_CANCELED = 'H'    /* a trade is taken back                    */
};
enum tw_liquidity { TW_LIQUIDITY_NONE, TW_LIQUIDITY_ADDED, TW_LIQUIDITY_REMOVED };
                                    /* LastLiquidityInd 851 */

/* Why an order was rejected, canceled or expired by somebody else than its owner. */
enum tw_reason {
    TW_REASON_NONE,
    TW_REASON_HALTED,               /* the kill switch                            */
    TW_REASON_ORDER_SIZE, TW_REASON_ORDER_VALUE, TW_REASON_POSITION,
    TW_REASON_OPEN_ORDERS, TW_REASON_ORDER_RATE, TW_REASON_COLLAR,
    TW_REASON_DAILY_LOSS, TW_REASON_SELF_MATCH, TW_REASON_BUYING_POWER,
    TW_REASON_TICK, TW_REASON_LOT,  /* not a multiple of it                       */
    TW_REASON_REDUCE_ONLY,          /* it would open or enlarge a position        */
    TW_REASON_POST_ONLY,            /* it would take liquidity                    */
    TW_REASON_IOC, TW_REASON_FOK,   /* could not be filled at once                */
    TW_REASON_CLOSED,               /* the market is                              */
    TW_REASON_OCO,                  /* another one of its group was filled        */
    TW_REASON_PARENT,               /* its parent ended                           */
    TW_REASON_TOO_LATE,             /* it has ended, or traded as much already     */
    TW_REASON_VENUE,                /* the venue's own                            */
    TW_REASON_OFFLINE,              /* the gateway is not connected               */
    TW_REASON_UNSUPPORTED,          /* the gateway knows no such order            */
    TW_REASON_UNKNOWN,              /* to the venue                               */
    TW_REASON_FORMER,               /* new here: it is of a former run            */
    TW_REASON_NET_POSITION,         /* of all strategies                          */
    TW_REASON_PAST,                 /* its time of expiry, when it was sent       */
    TW_REASON_RATE,                 /* none is known of its currency              */
    TW_REASON_BRACKET,              /* an exit of it would trade at once          */
    TW_REASON_UNSOLICITED,          /* the venue has done it, and nobody asked    */
    TW_REASON_EXIT_SIZE,            /* the venue does not make it as it is to be  */
    TW_REASON_WARM_UP,              /* no order goes before its end               */
    TW_REASON_SILENT,               /* the venue, to what was asked               */
    TW_REASONS
};

/* One line for people.  Thread: any. */
const char *tw_reason_text(enum tw_reason reason);

enum { TW_REASON_TEXT = 160 };      /* bytes that tw_order_reason may need        */
enum { TW_WISHES = 4 };             /* changes in flight that are told apart      */

struct tw_order {
    uint64_t id;                    /* ClOrdID 11                                 */
    uint64_t number;                /* the broker's: 1, 2, 3, ... of all it sends */
    const struct tw_terms *terms;   /* of its instrument; NULL: nothing is known  */
    uint32_t symbol;
    uint8_t side;                   /* enum tw_side                               */
    uint8_t type, tif;              /* enums above                                */
    uint8_t status;                 /* see tw_order_status                        */
    bool post_only, reduce_only;
    bool pending_cancel, pending_replace;
    int64_t quantity, price, stop;  /* 38, 44, 99                                 */
    int64_t trail;                  /* of a trailing stop: its distance, or else  */
    int64_t trail_part;             /* the part of the price that it is           */
    int64_t part;                   /* of the equity, with nine decimals: what the
                                     * quantity is made of when it first trades   */
    int64_t expire_ns;              /* 126, for GTD                               */
    int64_t cum_qty;                /* 14: filled                                 */
    int64_t asked, asked_price;     /* the broker's: the most that is asked for and
                                     * not answered; 0: nothing is                */
    tw_money cum_value;             /* sum of price and quantity of its trades    */
    tw_money fees, raw_fees;        /* of its trades; before minimum and maximum  */
    tw_money charged;               /* for those that the venue has charged itself,
                                     * which are not in `fees`,                   */
    int64_t charged_qty;            /* and what they come to                      */
    int64_t time_ns;                /* 60: when it was decided, in event time     */
    uint64_t seq;                   /* the record that was handled then           */
    uint64_t parent, group;         /* ids: bracket; one cancels the other; 0     */
    uint32_t requests;              /* on their way to the venue                  */
    uint32_t untold;                /* reports that its owner has not taken yet   */
    struct tw_resting *resting;     /* the simulated venue's, or NULL             */
    struct tw_order *next, **link;  /* the broker's: open ones, the newest first  */
    struct tw_order *next_of, *before_of;    /* likewise those of its symbol      */
    struct tw_order *same;          /* the broker's: in the table of ids          */
    struct tw_order *children;      /* the broker's: open ones, the newest first  */
    struct tw_order *sibling, **sibling_link;
    struct tw_order *peer;          /* the broker's: a ring of the open ones of its
                                     * group; NULL: there is no other             */
    struct tw_order *next_due, **due_link;   /* the broker's: those with `due`    */
    bool held;                      /* the broker's: it waits for its parent      */
    bool unaffordable;              /* the broker's: its part is less than a lot  */
    bool misplaced;                 /* the broker's: see tw_broker_bracket        */
    int64_t exit_off;               /* likewise: its exit's price that is at no tick */
    bool sized;                     /* the venue's: its part was made a quantity  */
    bool over;                      /* the broker's: at a gateway, where its exit has
                                     * closed all                                 */
    int8_t due;                     /* the broker's: it is to be looked at: see
                                     * broker_family.c                            */
    bool is_orphan;                 /* the broker's: what its parent has traded is not
                                     * known                                      */
    int64_t entry_qty, others_qty;  /* the broker's: what its parent has traded, and
                                     * what of that is not there for it: what the other
                                     * exits have, and what it closed of a position of
                                     * the other side.  Of an entry that is open again:
                                     * what its exits have                        */
    int64_t most;                   /* the broker's, where has_most: how large it may be,
                                     * as its owner, or trades of its group, left it */
    int64_t coming;                 /* the quantity that was asked for last, where the
                                     * answer is not there; 0: the one it has     */
    int64_t wish[TW_WISHES];        /* quantities that its owner has asked for, the last
                                     * first, as there is no answer yet; below 0: it is
                                     * less than it would be; 0: none             */
    bool has_most;
    bool is_asked;                  /* the broker's: it has asked for a change,   */
    bool is_dropped;                /* and for its end,                           */
    bool has_dropped;               /* or, of an entry, for that of an exit       */
    uint8_t tries;                  /* of which so many were refused,             */
    int64_t again_ns;               /* and it asks again then; 0: at once         */
};

/* The copy of an order, where all that refers to orders is copied. */
typedef struct tw_order *tw_order_copy(void *ctx, const struct tw_order *o);

/* What a venue charges for a trade itself; below 0: a rebate. */
struct tw_charge {
    tw_money own, other;            /* in the instrument's currency, in another   */
    int64_t ratio;                  /* and this part of the trade's value         */
    char currency[8];               /* of `other`                                 */
};

/* What happened to an order. */
struct tw_report {
    uint64_t order;                 /* its id                                     */
    int64_t time_ns;
    uint64_t seq;                   /* of the record that caused it; 0: none      */
    uint8_t exec, reason, liquidity;
    int64_t last_px, last_qty;      /* 31, 32: of a trade, or what is taken back;
                                     * of a change refused: see tw_order_off_grid */
    int64_t quantity, price, stop;  /* of TW_EXEC_REPLACED: the terms now         */
    uint32_t words;                 /* the venue's own, as its owner counts them; 0 */
    tw_money fee, raw_fee;          /* of a trade, see fees.h                     */
    struct tw_charge charge;        /* where it is_charged                        */
    bool is_charged;                /* by the venue, not by fees.h                */
    bool taped;                     /* it came on the tape                        */
    bool of_change;                 /* what was refused is no cancel that was on its
                                     * way, but there may be one                  */
    bool is_amended;                /* of a trade that is taken back: what is in its
                                     * place is the next report of a trade        */
    uint8_t late;                   /* of a trade after the order's end: OrdStatus
                                     * 39 by now; 0: it is not                    */
};

/* TW_EUSAGE: what is asked for is nothing that any venue could make sense of. */
int tw_order_check(const struct tw_order *o, struct tw_error *error);

/* Refused for its tick or lot: the value that is on no grid; else 0.  Thread: any. */
int64_t tw_order_off_grid(const struct tw_order *o, enum tw_reason reason);

/* The reason, with what was off the grid, and the grid, where it is for that; out or a
 * constant.  off: of the terms that were asked for; 0: the order's.  Thread: any. */
const char *tw_order_reason(const struct tw_order *o, enum tw_reason reason, int64_t off,
                            char out[TW_REASON_TEXT]);

/* Where a trailing stop is that follows the price: at that distance, or away by that part
 * of it at least, at a tick (0: there are none). */
int64_t tw_order_trail_stop(bool buys, int64_t price, int64_t trail, int64_t part,
                            int64_t tick);

/* Applies the report.  False, and nothing is changed: no such thing can happen to an
 * order in that status, or the numbers can't be (a trade of more than is left). */
bool tw_order_apply(struct tw_order *o, const struct tw_report *r);

/* It is charged for a trade of so much (below 0: that is taken back), which its cum_qty
 * has already. */
void tw_order_pay(struct tw_order *o, const struct tw_report *r, int64_t quantity);

/* The OrdStatus to tell: what is pending comes before what is. */
enum tw_order_status tw_order_status(const struct tw_order *o);
const char *tw_order_status_text(enum tw_order_status status);   /* "new", ... */

static inline bool tw_type_has_limit(uint8_t type)
{
    return type == TW_TYPE_LIMIT || type == TW_TYPE_STOP_LIMIT;
}

static inline bool tw_type_is_stop(uint8_t type)
{
    return type == TW_TYPE_STOP || type == TW_TYPE_STOP_LIMIT
        || type == TW_TYPE_TRAILING_STOP;
}

/* A trade, or one that is taken back: both have last_px and last_qty. */
static inline bool tw_report_is_trade(const struct tw_report *r)
{
    return r->exec == TW_EXEC_TRADE || r->exec == TW_EXEC_TRADE_CANCELED;
}

/* It may still be filled. */
static inline bool tw_order_is_open(const struct tw_order *o)
{
    return o->status == TW_STATUS_PENDING_NEW || o->status == TW_STATUS_NEW
        || o->status == TW_STATUS_PARTIALLY_FILLED;
}

/* Nothing of it is to come any more: its memory can go. */
static inline bool tw_order_is_done(const struct tw_order *o)
{
    return !tw_order_is_open(o) && o->requests == 0 && o->untold == 0;
}

/* LeavesQty 151. */
static inline int64_t tw_order_leaves(const struct tw_order *o)
{
    return tw_order_is_open(o) ? o->quantity - o->cum_qty : 0;
}

/* It is for what its parent has traded and its other exits have not. */
static inline bool tw_order_is_exit(const struct tw_order *o)
{
    return o->parent != 0 && !o->is_orphan;
}

/* What may be left of the others of its group: of an exit as much as is held of what its
 * parent has traded, else as of itself. */
static inline int64_t tw_order_leaves_others(const struct tw_order *o)
{
    return tw_order_is_exit(o) ? o->entry_qty - o->others_qty - o->cum_qty
                               : tw_order_leaves(o);
}

/* The quantity that it is to have; no more than it has traded: it is to go. */
static inline int64_t tw_order_wanted(const struct tw_order *o)
{
    int64_t n = o->over ? 0
              : tw_order_is_exit(o) ? o->entry_qty - o->others_qty : o->quantity;

    return o->has_most && o->most < n ? o->most : n;
}

/* AvgPx 6, rounded half to even; 0: no trade. */
static inline int64_t tw_order_avg_px(const struct tw_order *o)
{
    return tw_money_price(o->cum_value, o->cum_qty);
}

/* A price that is as good as its limit, for who buys or sells there. */
static inline bool tw_order_within(const struct tw_order *o, int64_t price)
{
    return o->side == TW_SIDE_BUY ? price <= o->price : price >= o->price;
}

static inline tw_money tw_order_fees(const struct tw_order *o)
{
    return o->fees + o->charged;
}

/* +1 for a buy, -1 for a sell. */
static inline int tw_order_sign(const struct tw_order *o)
{
    return o->side == TW_SIDE_BUY ? 1 : -1;
}

/* The names that scripts use, and back (-1: no such name); NULL past the last. */
const char *tw_order_type_text(enum tw_order_type type);
const char *tw_time_in_force_text(enum tw_time_in_force tif);
int tw_order_type_find(const char *name);
int tw_time_in_force_find(const char *name);

#endif
