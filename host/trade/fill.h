/* fill.h - the fill models: at what price, and how much of it, a simulated order trades.
 *
 * A model is a rule for each kind of order and each kind of record; tw_fill_models has
 * it in words, for people.  What all of them keep to:
 *
 *   F1  An order is looked at from the first record of its symbol on that came after the
 *       one on which it was decided, and that began (a bar) or happened when the order
 *       had arrived.  A bar of a day begins when the instrument's calendar opens.
 *   F2  What of it could be seen in time alone counts: within a bar nothing is known of
 *       the order of prices but that it begins with the open, so a stop goes before a
 *       limit, and what is triggered within a bar meets no other price of that bar.
 *   F3  A quantity that was shown is taken once: what one order took of a quote is gone
 *       for the next, until the quote changes.
 *   F4  A bar of bids or asks is for who trades there: buys meet asks, sells bids.  Where
 *       there are bars of the one side alone, it is for both, from the second one on.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.  Memory: none.
 */
#ifndef TW_FILL_H
#define TW_FILL_H

#include "tape/bar.h"
#include "trade/order.h"

enum tw_fill_model {
    TW_FILL_AUTO,          /* touch for bars, quote for quotes, else volume for trades */
    TW_FILL_NEXT_OPEN, TW_FILL_TOUCH, TW_FILL_THROUGH, TW_FILL_QUOTE, TW_FILL_QUEUE,
    TW_FILL_VOLUME,
    TW_FILL_BOOK,          /* no rule for records: orders meet in a venue, see venue.h */
    TW_FILL_MODELS
};

/* A line for each, by the enum; texts of one line. */
struct tw_fill_text { const char *name, *records, *market, *limit, *stop, *auction; };
extern const struct tw_fill_text tw_fill_models[TW_FILL_MODELS];

/* What a venue has seen of a symbol.  Zeroed: nothing. */
struct tw_market {
    int64_t time_ns, began_ns;     /* of the last record; a bar's beginning      */
    uint64_t seq;                  /* its                                        */
    int64_t bid, ask, bid_size, ask_size;   /* as quoted; 0: not there            */
    int64_t bid_left, ask_left;    /* of these, what is not taken (F3); INT64_MAX:
                                    * a price whose size is not known            */
    int64_t last, last_size;       /* price of the last trade, or a bar's close  */
    int64_t left;                  /* of the record's volume, for TW_FILL_VOLUME */
    struct tw_ohlc bar;
    int64_t close[2];              /* of the last bars of bids and of asks        */
    uint8_t kind;                  /* of the last record: enum tw_kind           */
    uint8_t of;                    /* of a bar: enum tw_bar_price                */
    bool quotes, bars;             /* has there been one?                        */
    bool lone;                     /* F4: the other side has no bars             */
    bool is_day, is_first;         /* of a bar: of a day; nothing came right before it */
};

/* F4: may who buys, or sells, trade with the last record? */
static inline bool tw_market_serves(const struct tw_market *m, bool buys)
{
    return m->kind != TW_BAR || m->of == (buys ? TW_BAR_ASK : TW_BAR_BID)
        || (m->of != TW_BAR_BID && m->of != TW_BAR_ASK) || m->lone;
}

/* What who buys, or sells, has last seen a price of that is no quote; 0: none. */
int64_t tw_market_last(const struct tw_market *m, bool buys);

static inline int64_t tw_market_middle(int64_t bid, int64_t ask)
{
    if (!bid || !ask) return bid ? bid : ask;
    return bid + (ask - bid) / 2;
}

/* What something is worth: the middle of bid and ask, where there are both, else the last
 * price; 0: none. */
int64_t tw_market_price(const struct tw_market *m);

/* When it opened, for who goes by the terms: a bar of a day with their calendar, in
 * whatever zone its midnight is. */
int64_t tw_market_opened(const struct tw_market *m, const struct tw_terms *terms);

/* Takes a record of the symbol.  share: of a volume that may be taken (TW_FILL_VOLUME),
 * with nine decimals. */
void tw_market_take(struct tw_market *m, const struct tw_record *r, int64_t share);

/* An order at the venue. */
struct tw_resting {
    struct tw_order *order;
    int64_t arrives_ns;
    bool arrived;                  /* the venue has acknowledged it              */
    bool rests;                    /* a limit that the market was not within     */
    bool triggered;                /* a stop that is no stop any more            */
    int64_t stop;                  /* the price that triggers it now             */
    int64_t ahead;                 /* TW_FILL_QUEUE: shown before it; -1: not yet */
};

struct tw_fill {
    int64_t price, quantity;
    enum tw_liquidity liquidity;
};

/* The model that applies to a record: `model`, or what AUTO is for this symbol; false:
 * it looks at no records of that kind. */
bool tw_fill_applies(enum tw_fill_model model, const struct tw_market *m,
                     enum tw_fill_model *applies);

/* Is a stop triggered by the record?  *price: at which it is a market order now, when it
 * comes to be filled at once by a bar (0: by what the market is). */
bool tw_fill_triggers(enum tw_fill_model model, const struct tw_market *m,
                      struct tw_resting *r, int64_t *price);

/* A trade, of which an order that stands in no line (TW_FILL_QUEUE) knows nothing: its
 * first look is at a quote. */
static inline bool tw_fill_passes(enum tw_fill_model model, const struct tw_market *m,
                                  const struct tw_resting *r)
{
    return model == TW_FILL_QUEUE && m->kind == TW_TRADE && !r->rests;
}

/* What of a market or limit order, or a triggered stop, trades on the record; false:
 * nothing.  Notes whether it rests.  price: as tw_fill_triggers gave it, or 0.  The
 * market's sizes are taken with tw_fill_took. */
bool tw_fill_look(enum tw_fill_model model, const struct tw_market *m,
                  struct tw_resting *r, int64_t price, struct tw_fill *out);
void tw_fill_took(enum tw_fill_model model, struct tw_market *m,
                  const struct tw_resting *r, const struct tw_fill *f);

/* What market orders and stops lose against the price of the model. */
struct tw_slippage {
    int64_t ticks;                   /* of the instrument                           */
    int64_t bps;                     /* of the price, with nine decimals            */
    int64_t impact;                  /* times the price times the square of the
                                      * share of the volume, with nine decimals     */
};

/* The price at which it trades: in whole ticks, against the order. */
int64_t tw_fill_price(const struct tw_slippage *p, const struct tw_order *o,
                      const struct tw_market *m, const struct tw_fill *f);

/* A trailing stop follows the record's prices: when it arrives, and after each look. */
void tw_fill_trail(const struct tw_market *m, struct tw_resting *r);

#endif
