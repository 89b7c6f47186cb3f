/* venue.h - an exchange with a limit order book for each instrument, where strategies
 * meet.
 *
 * Why not a simulator each: there a strategy trades with records, here with the others'
 * orders, and what they do is the market: trades and quotes come out.
 *
 *     request --latency--> arrival --> book --> reports to both, trades, the new quote
 *
 * Requests are taken in the order of: time of arrival; seq of the record that they were
 * decided on; owner; the owner's own number.  Nothing of it depends on when they were
 * handed over, so the same requests give the same reports.  There is no liquidity from
 * outside: a feed's quotes say nothing of who was first, and a strategy that quotes
 * around them is ten lines.
 *
 * At the open and the close of its calendar an instrument has a call auction, if there
 * are orders for it (opg, cls): market and limit orders that were gathered till then, and
 * what rests in the book.  It comes before what arrives at that time.
 *
 * Invariants
 *   V1  The positions of all owners in an instrument add up to 0.
 *   V2  No owner trades with itself: its resting order gives way.
 *   V3  After each request the book is not crossed, and the last quote that was told is
 *       the book's best.
 *   V4  A request has one answer, and an order one end.
 *   V5  Requests of one order arrive in the order in which they were made.
 *   V6  A reduce-only order that rests is no larger than the position that it reduces;
 *       when it trades the others give way at once, so no position is turned by them.
 *
 *   V7  In an auction all trades are at one price, at which nobody is left on one of the
 *       sides: of all such prices that at which most trades, as reduce-only orders
 *       and those of a group get smaller by it.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_VENUE_H
#define TW_VENUE_H

#include "tape/record.h"
#include "trade/calendar.h"
#include "trade/order.h"

enum { TW_VENUE_REQUESTS = 1 << 16 };   /* on their way, of all owners */

enum tw_request_what {
    TW_REQUEST_NEW, TW_REQUEST_CANCEL, TW_REQUEST_REPLACE,
    TW_REQUEST_GROW,           /* to a larger quantity, where it is open; no answer.
                                * At a venue elsewhere: nothing                       */
    TW_REQUEST_HOLD,           /* a venue elsewhere: it waits for its parent, and is  */
    TW_REQUEST_DROP            /* kept till then; or is no more.  No answers          */
};

enum { TW_LABEL_MAX = 120 };   /* of a label that is kept, with a 0 byte              */

/* What its owner sees to itself of an order at a venue elsewhere: kept for the next
 * run. */
struct tw_ties {
    uint64_t parent, group;
    bool reduce_only;
    bool held;                 /* it waits for its parent,                            */
    int64_t parent_qty;        /* which has traded that (-1: not known),              */
    int64_t others_qty;        /* and its other exits that; of an entry: its exits    */
    int64_t most;              /* how large its owner wants it at most; 0: not said   */
    char label[TW_LABEL_MAX];  /* "": none                                            */
};

struct tw_request {
    enum tw_request_what what;
    uint32_t owner;            /* from 1 on                                           */
    uint64_t id;               /* of the order; unique among the owner's              */
    int64_t arrives_ns;
    bool early;                /* before there was a time: so long after the venue's  */
    uint64_t seq, number;      /* see above                                           */
    int64_t quantity, price, stop;   /* of a replacement; 0: as it is when that comes */
    void *user;                /* comes back in reports                               */
    /* The rest is of a new one alone. */
    uint32_t symbol;
    uint8_t side, type, tif;   /* see order.h; opg and cls: for an auction            */
    bool post_only, reduce_only;
    int64_t trail, trail_part, tick;      /* see order.h                              */
    int64_t expire_ns;
    uint64_t group;            /* of its owner's orders: one cancels the other; 0     */
    int64_t entry_qty;         /* of an exit, whose group is its entry, and of TW_REQUEST_
                                * GROW: what that has traded; 0: it is none           */
    const struct tw_calendar *calendar;   /* NULL: open all the time                  */
    const struct tw_ties *ties;           /* of the caller; NULL: none                */
    /* Likewise, for a venue elsewhere: what waits for the order (TW_REQUEST_HOLD), which
     * is kept before that can go out; each is asked for on its own, too. */
    const struct tw_request *exits;
    unsigned n_exits;
};

/* What few reports have. */
struct tw_venue_aside {
    char text[120];            /* the venue's own words; "": none                     */
    bool has_code;
    uint32_t code;             /* and its reason, as the venue counts them            */
    bool late;                 /* the order has ended: who knew it has forgotten it   */
    bool adopts;               /* a former run has sent the order, which is new here: */
    struct tw_request order;   /* as it is,                                           */
    struct tw_ties ties;
    int64_t cum_qty;           /* and what it has traded, which was told then; of
                                * `late`, too                                         */
    tw_money cum_value;
};

struct tw_venue_report {
    struct tw_report report;   /* without fees                                        */
    uint32_t owner, symbol;
    uint8_t side, status;
    bool answers;              /* a request, and not only what others did             */
    uint64_t trade;            /* its number of the owner's, where these are kept     */
    void *user;
    struct tw_venue_aside *aside;   /* NULL: nothing more.  Of who tells it           */
};

/* What it tells, in the order in which it happens.  Neither may call anything here. */
struct tw_venue_listener {
    void (*report)(void *ctx, const struct tw_venue_report *r);
    void (*market)(void *ctx, const struct tw_record *r);   /* a trade or a quote     */
    void *ctx;
};

struct tw_probe;
struct tw_venue;

/* NULL: no memory. */
struct tw_venue *tw_venue_new(const struct tw_venue_listener *listener);
void tw_venue_free(struct tw_venue *v);

/* From now on n levels of each side of a book become records, before the quote; 0, as at
 * first: none.  Of each symbol all are told again.  At most TW_VENUE_LEVELS. */
enum { TW_VENUE_LEVELS = 100 };
void tw_venue_tell_levels(struct tw_venue *v, unsigned n);

/* A request is on its way.  TW_EFULL, UV_ENOMEM: it was not taken; TW_EUSAGE: the owner
 * has an open order of that id. */
int tw_venue_send(struct tw_venue *v, const struct tw_request *q);

/* Time goes on, never back; what happens from now on happens then at the earliest. */
void tw_venue_set_time(struct tw_venue *v, int64_t now_ns);
int64_t tw_venue_time(const struct tw_venue *v);

/* When the next thing happens: a request arrives, an order's time is over; INT64_MAX:
 * nothing is to come. */
int64_t tw_venue_due(const struct tw_venue *v);

/* All that happens at that time, if it is not after limit_ns; false: it is. */
bool tw_venue_step(struct tw_venue *v, int64_t limit_ns);

/* What an owner holds of an instrument.  The best of a side; false: there is none. */
tw_money tw_venue_position(const struct tw_venue *v, uint32_t owner, uint32_t symbol);
bool tw_venue_best(const struct tw_venue *v, uint32_t symbol, enum tw_side side,
                   int64_t *price, int64_t *quantity);

/* What concerns an order of that owner is told to p from here on (see probe.h); NULL: to
 * nobody. */
void tw_venue_probe(struct tw_venue *v, uint32_t owner, struct tw_probe *p);

#endif
