/* venue_parts.h - what the files of the venue share.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_VENUE_PARTS_H
#define TW_VENUE_PARTS_H

#include "trade/probe.h"
#include "trade/venue.h"
#include "trade/venue_orders.h"

struct tw_venue {
    struct tw_venue_listener l;
    struct tw_venue_orders orders;     /* open ones, and those on their way            */
    struct tw_arrivals coming;         /* requests on their way                        */
    int64_t now_ns, next_end_ns;       /* no order ends before                         */
    int64_t next_call_ns;              /* no auction, or open that is waited for       */
    uint64_t serial, trades;
    struct tw_probe *probe;            /* of one order of an owner, or NULL            */
    unsigned levels;                   /* of a side, that become records               */
    uint32_t probed;                   /* that owner                                   */
    const struct tw_venue_order *entering;   /* a book                                 */
    bool calls;                        /* an auction: its book may be crossed          */
};

static inline struct tw_venue_symbol *symbol_of(const struct tw_venue *v,
                                                const struct tw_venue_order *o)
{
    return v->orders.symbols[o->arrival.q.symbol];
}

static inline int64_t leaves(const struct tw_venue_order *o)
{
    return o->quantity - o->filled;
}

/* Of an exit: what is held of what its entry has traded. */
static inline int64_t spare(const struct tw_venue_order *o)
{
    return o->entry - o->exited - o->filled;
}

/* Made for an auction. */
static inline bool is_called(const struct tw_venue_order *o)
{
    return o->arrival.q.tif == TW_TIF_OPG || o->arrival.q.tif == TW_TIF_CLS;
}

/* The step is not even made where nobody asks. */
#define NOTE(v, o, ...) do { \
    if ((v)->probe) tw_venue_note(v, o, (struct tw_step){ __VA_ARGS__ }); \
} while (0)

/* ---- venue.c ---- */

void tw_venue_end(struct tw_venue *v, struct tw_venue_order *o, enum tw_exec_type exec,
                  enum tw_reason reason, bool answers);
void tw_venue_note(const struct tw_venue *v, const struct tw_venue_order *o,
                   struct tw_step step);

/* A request for a new one is answered: it is there. */
void tw_venue_accept(struct tw_venue *v, const struct tw_venue_order *o);

/* A reduce-only order is no larger than the position; false: it has ended. */
bool tw_venue_fit(struct tw_venue *v, struct tw_venue_order *o);

/* Behind all that may have changed a book: stops come in, the quote is told. */
void tw_venue_settle(struct tw_venue *v, struct tw_venue_symbol *s);

/* ---- venue_auction.c ---- */

/* An order for an auction has arrived: it is told, and waits for that. */
void tw_venue_gather(struct tw_venue *v, struct tw_venue_order *o);

/* Its terms are others: it waits as if it had come now. */
void tw_venue_gather_anew(struct tw_venue *v, struct tw_venue_order *o);

/* Something waits for the market to open then. */
void tw_venue_await_open(struct tw_venue *v, struct tw_venue_symbol *s, int64_t open_ns);

/* All auctions whose time has come, symbol by symbol. */
void tw_venue_call(struct tw_venue *v);

#endif
