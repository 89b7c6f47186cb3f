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
 * as large as what it has traded, but for what others of them have, and what it closes of
 * a position of the other side, and go when it ends without a trade.  One that its owner
 * has made smaller is no larger than that.
 *
 * Layer host/trade.  Thread: the owner's, but the desk.  Blocks: never.
 */
#ifndef TW_BROKER_H
#define TW_BROKER_H

#include "trade/account.h"
#include "trade/risk.h"
#include "trade/simulator.h"
#include "trade/told.h"

/* Where orders go that no simulator of the strategy's own fills.  What comes back is on
 * the tape, as TW_ORDER records.  The first four return 0, or a negative code when it was
 * not sent: TW_ECLOSED: it is not connected; TW_EUSAGE: it has no such orders. */
struct tw_gateway {
    int (*submit)(void *ctx, const struct tw_order *o);
    int (*cancel)(void *ctx, const struct tw_order *o);
    /* 0: as it is, or as it was asked for before. */
    int (*replace)(void *ctx, const struct tw_order *o, int64_t quantity, int64_t price,
                   int64_t stop);
    /* An exit of a bracket is for more, as its parent has traded that; not where it is
     * plain: there it is replaced.  NULL: it stays as it was sent. */
    int (*grow)(void *ctx, const struct tw_order *o, int64_t quantity);
    /* A held order is so, or is no more: it may be kept.  NULL: it need not know. */
    void (*hold)(void *ctx, const struct tw_order *o, bool held);
    /* What such a record of the strategy's reports; false: nothing.  *o (NULL: none of
     * its open orders) and *out are what the record says.  One that has ended may be
     * put there: what it trades yet, or is taken back, is told, and it is what the
     * record's status says; entry_qty and others_qty of it are as of then, also of an
     * entry.  A trade of no order is only booked.  NULL: that is all. */
    bool (*next)(void *ctx, const struct tw_record *r, struct tw_order **o,
                 struct tw_report *out);
    void *ctx;
    bool is_plain;             /* it has no reduce-only orders and no groups: plain.h */
};

struct tw_broker_options {
    const char *currency;             /* of the account                              */
    struct tw_limits limits;
    struct tw_desk *desk;             /* of the run; NULL: none                      */
    uint64_t venue;                   /* only orders of one venue meet: see risk.h   */
    bool is_uncounted;                /* it obeys the desk, which does not know it   */
    const struct tw_terms *(*terms)(void *ctx, uint32_t symbol);   /* NULL: not known */
    void *ctx;
    struct tw_simulator_options simulator;
    const struct tw_gateway *gateway; /* NULL: the simulator                         */
    uint64_t first_id, id_step;       /* ids of its orders: the first one's (0: 1),
                                       * and how far one is from the next (0: 1)     */
    uint32_t script;                  /* in records of its orders                    */
};

struct tw_broker;

/* NULL: no memory. */
struct tw_broker *tw_broker_new(const struct tw_broker_options *options);

/* What it was made of; texts are the maker's. */
const struct tw_broker_options *tw_broker_get_options(const struct tw_broker *b);

/* All that `from` knows, of copies of its orders, goes to b, which is new and has the
 * same limits and venue: copy(ctx, o) is that of each order that is not done.  What b
 * does from then on, asked for the same things, is what `from` does.  UV_ENOMEM: b is to
 * be freed. */
int tw_broker_adopt(struct tw_broker *b, struct tw_broker *from, tw_order_copy *copy,
                    void *ctx);

/* Orders at the simulator are gone then; those at a gateway stay what they are. */
void tw_broker_free(struct tw_broker *b);

/* What concerns an order is told to p from here on (see probe.h); NULL: to nobody. */
void tw_broker_probe(struct tw_broker *b, struct tw_probe *p);

/* Each record that the strategy reads, before it is told of it: marks, matches, books.
 * UV_ENOMEM: something was not taken, the strategy can't go on. */
int tw_broker_record(struct tw_broker *b, const struct tw_record *r);

/* Has it done what the desk's kill switch asks for?  tw_broker_heed cancels all, if it is
 * to; tw_broker_record begins so.  UV_ENOMEM: as there. */
bool tw_broker_heeds(const struct tw_broker *b);
int tw_broker_heed(struct tw_broker *b);

/* The next thing to tell the owner; false: no more now. */
bool tw_broker_next(struct tw_broker *b, struct tw_told *out);

/* How many things are to be told; the order of the i-th of them. */
size_t tw_broker_untold(const struct tw_broker *b);
struct tw_order *tw_broker_untold_order(const struct tw_broker *b, size_t i);

/* An open order by its id, or NULL. */
struct tw_order *tw_broker_find(const struct tw_broker *b, uint64_t id);

/* The id that the next order will have. */
uint64_t tw_broker_next_id(const struct tw_broker *b);
uint64_t tw_broker_later_id(const struct tw_broker *b, unsigned n);   /* n behind it */

/* What tw_broker_submit would refuse, before anything is sent; sets what it would set of
 * the terms and the quantity.  TW_EUSAGE: *error says what can't be. */
int tw_broker_check(struct tw_broker *b, struct tw_order *o, struct tw_error *error);

/* It will have exits at these prices (0: none); where one of them is at no tick, or would
 * trade as soon as the order has, as the market is, it is refused when it is sent. */
void tw_broker_bracket(const struct tw_broker *b, struct tw_order *o, int64_t take_profit,
                       int64_t stop_loss);

/* Is it known what the currency of the order, which was checked, costs?  Else it is
 * refused. */
bool tw_broker_has_rate(const struct tw_broker *b, const struct tw_order *o);

/* Room for one more order like that, so that the next submit finds it.  UV_ENOMEM: there
 * is none. */
int tw_broker_reserve(struct tw_broker *b, const struct tw_order *o);

/* What it takes of the memory; orders are their owner's. */
size_t tw_broker_bytes(const struct tw_broker *b);

/* Sends an order: symbol, side, type, tif, quantity and what these need are set, all else
 * is 0.  Its memory is the owner's, and stays until tw_order_is_done.  What becomes of it
 * is told, a refusal by a limit too.  TW_EUSAGE: *error says what can't be; UV_ENOMEM:
 * it is not an order, then. */
int tw_broker_submit(struct tw_broker *b, struct tw_order *o, struct tw_error *error);

/* An order of a former run, at the gateway or held: all of it is set, what it has traded
 * too, and its status is TW_STATUS_PENDING_NEW (of a held one TW_STATUS_NONE); the report
 * that it is there comes next.
 * parent_qty: what its parent has traded, as far as is known.  No limit is asked.
 * UV_ENOMEM: it is not an order, then. */
int tw_broker_enter(struct tw_broker *b, struct tw_order *o, int64_t parent_qty);

/* What is held of an instrument was booked by another one than the broker: the desk is
 * told.  UV_ENOMEM: it is not. */
int tw_broker_hold(struct tw_broker *b, uint32_t symbol);

/* When the day ends in which it counts losses (INT64_MIN: none has begun), and what was
 * gained in all, deposits aside, when that began; and that of a former run. */
int64_t tw_broker_day(const struct tw_broker *b, tw_money *made);
void tw_broker_set_day(struct tw_broker *b, int64_t close_ns, tw_money made);

/* Sets what its next trade costs, or what one that is taken back gives back, in the
 * instrument's currency.  What the venue charges in one of which no rate is known is
 * booked in that, and counts nothing here. */
void tw_broker_charge(struct tw_broker *b, const struct tw_order *o,
                      struct tw_report *r);

/* A trade of a former run, which was charged, is booked as it would have been then.
 * UV_ENOMEM: it is not. */
int tw_broker_book_late(struct tw_broker *b, const struct tw_order *o,
                        const struct tw_report *r);

/* The account is that of a former run from now on, or its day has begun: the desk is told
 * of its losses. */
void tw_broker_resume(struct tw_broker *b);

/* Asks to cancel an order, or to give it other terms (0: as it is).  Those that would put
 * an exit of a bracket where it trades at once are refused, which is told, and so is what
 * the gateway does not take.  TW_EUSAGE: it is not open. */
int tw_broker_cancel(struct tw_broker *b, struct tw_order *o);
int tw_broker_replace(struct tw_broker *b, struct tw_order *o, int64_t quantity,
                      int64_t price, int64_t stop, struct tw_error *error);

/* Of all open orders of an instrument (0: of all) but those that stay (NULL: none does).
 * How many, or UV_ENOMEM. */
int tw_broker_cancel_all(struct tw_broker *b, uint32_t symbol,
                         bool (*stays)(const struct tw_order *o));

/* Open orders, all or those of an instrument (0: all), the newest first: NULL gives the
 * first, then each the next. */
struct tw_order *tw_broker_open(const struct tw_broker *b, const struct tw_order *after);
struct tw_order *tw_broker_open_of(const struct tw_broker *b, uint32_t symbol,
                                   const struct tw_order *after);

/* How many. */
unsigned tw_broker_count(const struct tw_broker *b);

/* As all prices are now; who has kept it from before a record asks again.  Without what
 * it is worth: is its equity above 0, and how much does it hold of an instrument? */
struct tw_account *tw_broker_account(struct tw_broker *b);
bool tw_broker_is_solvent(struct tw_broker *b);
int64_t tw_broker_held(const struct tw_broker *b, uint32_t symbol);

/* Of what is paid in full more was bought than there was cash for: how much at most, in
 * the base, and since when; what else was sold at that time has paid.  Never with
 * limits.buying_power, nor of an account that began without cash, nor for what margin and
 * short positions cost. */
struct tw_overdraft { tw_money most; int64_t since_ns; };
struct tw_overdraft tw_broker_overdraft(const struct tw_broker *b);

/* See tw_simulator_goes_by_none. */
bool tw_broker_goes_by_none(const struct tw_broker *b);

/* What was sent before the first record is of then, and its latency counts from then;
 * until it is known, time is 0.  tw_broker_record does so by itself: the time at which
 * that record began, but not before any of tw_broker_pass. */
void tw_broker_begin(struct tw_broker *b, int64_t now_ns);

/* A record that is not for the broker, of that time, perhaps by another clock: what is
 * decided from here on is of then, till the next record, where that is no more than
 * most_ns later than all before; else so long after the last record as it is after the
 * first one that came behind that.  most_ns: 0, or what is between two of them. */
void tw_broker_pass(struct tw_broker *b, int64_t time_ns, int64_t most_ns);

/* What is decided from here on is of now_ns, if it has begun, till the next record. */
void tw_broker_go_on(struct tw_broker *b, int64_t now_ns);

/* Is something to be told whose time is known? */
bool tw_broker_tells(const struct tw_broker *b);

/* The record that is handled: its time, or that of one before it that was later; or what
 * has passed since. */
void tw_broker_now(const struct tw_broker *b, int64_t *time_ns, uint64_t *seq);

/* The latest time of its records: nothing more will be decided before. */
int64_t tw_broker_read_ns(const struct tw_broker *b);

/* The price of the last record of an instrument, the middle of a quote; 0: none. */
int64_t tw_broker_price(const struct tw_broker *b, uint32_t symbol);

/* A record of a report, for the tape. */
static inline void tw_broker_report_record(const struct tw_broker *b,
                                           const struct tw_told *t, struct tw_record *out)
{
    tw_told_record(t, tw_broker_get_options(b)->script, out);
}

#endif
