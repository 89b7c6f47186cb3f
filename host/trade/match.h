/* match.h - a limit order book: price, then time.
 *
 * Invariants
 *   M1  The best bid is below the best ask.
 *   M2  At one price orders trade in the order in which they came; one whose price is
 *       changed, or whose quantity grows, comes anew.
 *   M3  A trade is at the price of the order that rested.
 *   M4  The quantity of a level is the sum of its orders', as far as 64 bits go.
 *
 * For an auction orders are gathered: they rest without a trade, so M1 does not hold
 * till tw_book_uncross has made all trades at one price, where M3 does not hold, and
 * those that were gathered are taken out.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_MATCH_H
#define TW_MATCH_H

#include "trade/order.h"

struct tw_book;

/* An order at rest or on its way in. */
struct tw_entry {
    uint64_t id;                  /* unique among those that rest                    */
    uint32_t owner;               /* for self-match prevention; 0: nobody's          */
    uint8_t side;                 /* enum tw_side                                    */
    int64_t price;                /* 0: at any price, never rests                    */
    int64_t quantity;             /* what is left of it                              */
    void *user;
    bool soft;                    /* it may shrink while it rests: who needs all or
                                   * nothing does not count on it                    */
};

/* Told of each trade, while an order comes in; both quantities are less it already.
 * maker: which rested; it is gone when it has 0 left.  In an auction both rested, and the
 * maker is who buys.  It may take out and make smaller others that rest, but neither of
 * these. */
typedef void tw_book_trade(void *ctx, const struct tw_entry *maker,
                           const struct tw_entry *taker, int64_t price,
                           int64_t quantity);

/* NULL: no memory. */
struct tw_book *tw_book_new(tw_book_trade *trade, void *ctx);
void tw_book_free(struct tw_book *b);

/* What is done with an order that comes. */
enum tw_book_rule {
    TW_BOOK_REST = 0,
    TW_BOOK_IMMEDIATE = 1,        /* what does not trade at once is dropped          */
    TW_BOOK_ALL = 2,              /* it trades whole at once, or not at all          */
    TW_BOOK_POST = 4,             /* it is refused when it would trade               */
    TW_BOOK_GATHER = 8            /* alone: it rests, also one at any price, before
                                   * all others of its side; and trades with none    */
};

/* An order comes in; e->quantity is what is left of it then.  It trades with none of its
 * owner's: what rests of these in its way is taken out first, and told to canceled (may
 * be NULL).  1: it rests; 0: it does not; TW_EUSAGE: POST or ALL could not be kept, or
 * the id rests already: nothing has happened; UV_ENOMEM: likewise. */
int tw_book_add(struct tw_book *b, struct tw_entry *e, unsigned rules,
                void (*canceled)(void *ctx, const struct tw_entry *e));

/* Takes one out; false: it is not there. */
bool tw_book_cancel(struct tw_book *b, uint64_t id);

/* Makes it smaller and keeps its place; TW_EUSAGE: it is not there, or not larger. */
int tw_book_reduce(struct tw_book *b, uint64_t id, int64_t quantity);

/* What rests under an id, or NULL; what rests before it at its price. */
const struct tw_entry *tw_book_find(const struct tw_book *b, uint64_t id,
                                    int64_t *ahead);

/* What trades at a price, where it is less than all that could: some get smaller as
 * others trade.  *left: of those who would trade at it, on the one side that has some. */
typedef tw_money tw_book_trial(void *ctx, int64_t price, tw_money *left);

/* The price of an auction of all that rests: at which most trades; of several the one
 * that leaves least behind, then the one nearest to the reference (0: there is none),
 * then the lowest.  It is a limit of one of them, or the reference.  *quantity: what
 * trades then.  trial: NULL: all that can trades.  false: nothing. */
bool tw_book_cross(const struct tw_book *b, int64_t reference, tw_book_trial *trial,
                   void *ctx, int64_t *price, int64_t *quantity);

/* All that can trades at that price, price before time, of whatever owner. */
void tw_book_uncross(struct tw_book *b, int64_t price);

/* All that rest on a side, in the order in which they trade. */
void tw_book_each(const struct tw_book *b, enum tw_side side,
                  void (*visit)(void *ctx, const struct tw_entry *e), void *ctx);

/* The i-th level of a side, from the best on; false: there are not so many. */
bool tw_book_level(const struct tw_book *b, enum tw_side side, size_t i, int64_t *price,
                   int64_t *quantity, unsigned *orders);

#endif
