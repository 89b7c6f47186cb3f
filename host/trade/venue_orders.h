/* venue_orders.h - the orders at a venue, by owner and id, and by instrument.
 *
 * An order is in a table by its owner and id, and in the list of its owner's orders in
 * its instrument; what rests is in the instrument's book, what waits in its stops.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_VENUE_ORDERS_H
#define TW_VENUE_ORDERS_H

#include "base/hashed.h"
#include "tape/ladder.h"
#include "trade/arrivals.h"
#include "trade/match.h"

struct tw_venue_order {
    struct tw_arrival arrival;         /* first: it is the request that it came with   */
    struct tw_hashed_link hashed;
    struct tw_venue_order *next, *before;   /* of its party, as they were sent         */
    struct tw_venue_party *party;
    struct tw_venue_order *stop_next;  /* of its symbol's stops, or calls              */
    uint64_t serial;                   /* as it arrived: its id in the book            */
    int64_t quantity, price, stop;     /* as they are now                              */
    int64_t filled;
    int64_t entry, exited;             /* of an exit: what its entry has traded, and its
                                        * others; 0: it is none                        */
    int64_t after_ns;                  /* V5: requests for it arrive then or later     */
    int64_t ends_ns;
    int64_t call_ns;                   /* of its auction                               */
    bool arrived, rests, waits;        /* rests: in the book; waits: a stop            */
    bool gathers;                      /* it waits for its auction                     */
    bool triggered;
    bool has_exits;                    /* there were some when it had traded a part    */
    bool over;                         /* it ended on its way                          */
    /* While the price of an auction is found. */
    struct tw_venue_order *behind;     /* of its side, as they would trade             */
    int64_t trial;                     /* what would be left of it,                    */
    int64_t spare;                     /* and of an exit, of what is held              */
};

/* An owner in an instrument. */
struct tw_venue_party {
    uint32_t owner;
    tw_money position;                 /* of any number of trades                      */
    tw_money trial;                    /* likewise                                     */
    unsigned reducing;                 /* reduce-only orders in its list               */
    struct tw_venue_order *first, *last;
    struct tw_venue_party *next;
};

struct tw_venue_symbol {
    uint32_t id;
    struct tw_book *book;
    struct tw_venue_party *parties;    /* by owner, whoever came first                 */
    struct tw_venue_order *stops;      /* in the order of arrival                      */
    struct tw_venue_order *calls;      /* for auctions, likewise                       */
    int64_t open_ns;                   /* stops wait for it; 0: none                   */
    int64_t last;                      /* price of the last trade; 0: none             */
    struct tw_quote told;
    struct tw_ladder ladder;           /* as its levels were told                      */
    bool laddered;                     /* from the beginning                           */
    bool reached;                      /* by a request that has arrived                */
    struct tw_venue_symbol *next;      /* the one reached after it                     */
};

struct tw_venue_orders {
    struct tw_venue_symbol **symbols;  /* by id; NULL: never traded                    */
    size_t n_symbols;
    struct tw_venue_symbol *first, **last;   /* in the order in which they were reached */
    struct tw_hashed orders;           /* by owner and id                              */
};

/* UV_ENOMEM.  fini: the orders go, too, but for those that ended on their way. */
int tw_venue_orders_init(struct tw_venue_orders *t);
void tw_venue_orders_fini(struct tw_venue_orders *t);

/* The instrument, its owner's part in it; NULL: no memory.  traded: NULL: there is none
 * yet. */
struct tw_venue_symbol *tw_venue_orders_symbol(struct tw_venue_orders *t, uint32_t id,
                                               tw_book_trade *on_trade, void *ctx);
struct tw_venue_symbol *tw_venue_orders_traded(const struct tw_venue_orders *t,
                                               uint32_t id);
struct tw_venue_party *tw_venue_orders_party(struct tw_venue_symbol *s, uint32_t owner);

/* A request has arrived there: it comes behind those that were reached before. */
void tw_venue_orders_reach(struct tw_venue_orders *t, struct tw_venue_symbol *s);

/* NULL: there is none. */
struct tw_venue_order *tw_venue_orders_find(const struct tw_venue_orders *t,
                                            uint32_t owner, uint64_t id);

void tw_venue_orders_add(struct tw_venue_orders *t, struct tw_venue_order *o,
                         struct tw_venue_party *p);

/* Its end: out of all that knows it, and freed, if it is not still on its way. */
void tw_venue_orders_drop(struct tw_venue_orders *t, struct tw_venue_order *o);
void tw_venue_orders_leave_stops(struct tw_venue_symbol *s, struct tw_venue_order *o);
void tw_venue_orders_leave_calls(struct tw_venue_symbol *s, struct tw_venue_order *o);

#endif
