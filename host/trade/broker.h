/* broker.h - one strategy's orders: checked, sent, reported, booked.
 *
 *     submit --> limits --> venue (the simulator, or a gateway) --> report
 *     report --> order, account --> the owner, by tw_broker_next
 *
 * Invariants
 *   B1  An order has had the check of all limits before anything outside hears of it;
 *       while the desk is halted nothing goes out but cancels.
 *   B2  What happened is told once, in the order in which it happened, and is in order
 *       and account already when it is told.
 *
 * A bracket: an order and those whose parent it is.  They are held until it trades, are
 * as large as what it has traded, and go when it ends without a trade; they are one
 * group: of the others no more is left than of the one that has traded.
 *
 * Layer host/trade.  Thread: the owner's, but the desk.  Blocks: never.
 */
#ifndef TW_BROKER_H
#define TW_BROKER_H

#include "trade/account.h"
#include "trade/risk.h"
#include "trade/simulator.h"

/* Where real orders go.  What comes back is on the tape, as TW_ORDER records.  Each
 * returns 0, or a negative code when it was not sent. */
struct tw_gateway {
    int (*submit)(void *ctx, const struct tw_order *o);
    int (*cancel)(void *ctx, const struct tw_order *o);
    int (*replace)(void *ctx, const struct tw_order *o, int64_t quantity, int64_t price,
                   int64_t stop);
    void *ctx;
};

struct tw_broker_options {
    const char *currency;             /* of the account                              */
    struct tw_limits limits;
    struct tw_desk *desk;             /* of the run; NULL: none                      */
    const struct tw_terms *(*terms)(void *ctx, uint32_t symbol);   /* NULL: not known */
    void *ctx;
    struct tw_simulator_options simulator;
    const struct tw_gateway *gateway; /* NULL: the simulator                         */
    const struct tw_calendar *calendar;   /* days of loss and settlement; NULL: UTC  */
    uint64_t first_id;                /* of its orders; the next ones follow         */
    uint32_t script;                  /* in records of its orders                    */
};

struct tw_broker;

/* What happened to an order; what follows is as it was right after that. */
struct tw_told {
    struct tw_order *order;
    struct tw_report report;
    int64_t position;                 /* of its instrument                           */
    int64_t filled;                   /* of the order                                */
    uint8_t status;                   /* see tw_order_status                         */
};

/* NULL: no memory. */
struct tw_broker *tw_broker_new(const struct tw_broker_options *options);

/* Orders at the simulator are gone then; those at a gateway stay what they are. */
void tw_broker_free(struct tw_broker *b);

/* Each record that the strategy reads, before it is told of it: marks, matches, books.
 * UV_ENOMEM: something was not taken, the strategy can't go on. */
int tw_broker_record(struct tw_broker *b, const struct tw_record *r);

/* The next thing to tell the owner; false: no more now. */
bool tw_broker_next(struct tw_broker *b, struct tw_told *out);

/* How many things are to be told. */
size_t tw_broker_untold(const struct tw_broker *b);

/* The id that the next order will have. */
uint64_t tw_broker_next_id(const struct tw_broker *b);

/* What tw_broker_submit would refuse, before anything is sent; sets what it would set of
 * the terms and the quantity.  TW_EUSAGE: *error says what can't be. */
int tw_broker_check(const struct tw_broker *b, struct tw_order *o,
                    struct tw_error *error);

/* Sends an order: symbol, side, type, tif, quantity and what these need are set, all else
 * is 0.  Its memory is the owner's, and stays until tw_order_is_done.  What becomes of it
 * is told, a refusal by a limit too.  TW_EUSAGE: *error says what can't be; UV_ENOMEM:
 * it is not an order, then. */
int tw_broker_submit(struct tw_broker *b, struct tw_order *o, struct tw_error *error);

/* Asks to cancel an order, or to give it other terms (0: as it is).  TW_EUSAGE: it is
 * not open. */
int tw_broker_cancel(struct tw_broker *b, struct tw_order *o);
int tw_broker_replace(struct tw_broker *b, struct tw_order *o, int64_t quantity,
                      int64_t price, int64_t stop, struct tw_error *error);

/* Of all open orders of an instrument; 0: of all.  How many, or UV_ENOMEM. */
int tw_broker_cancel_all(struct tw_broker *b, uint32_t symbol);

/* Open orders, the newest first: NULL gives the first, then each the next. */
struct tw_order *tw_broker_open(const struct tw_broker *b, const struct tw_order *after);

struct tw_account *tw_broker_account(struct tw_broker *b);

/* The price of the last record of an instrument, the middle of a quote; 0: none. */
int64_t tw_broker_price(const struct tw_broker *b, uint32_t symbol);

/* A record of a report, for the tape. */
void tw_broker_report_record(const struct tw_broker *b, const struct tw_told *t,
                             struct tw_record *out);

#endif
