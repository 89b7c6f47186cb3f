/* market_data.h - the market data that comes over one FIX session: what is subscribed,
 * the books, and the records that they become.
 *
 *     tw_fix_md_subscribe(md, "AAPL", 4);                at any time
 *     tw_fix_md_session_event(md, now, event, &batch);   each event of the session
 *     tw_fix_md_message(md, now, message, &batch);       each of its messages
 *     tw_fix_md_tick(md, now);                           when tw_fix_md_wakes says
 *
 * Out come requests (35=V) by options.send, events by options.event, and records:
 *   TW_QUOTE  the best bid and offer of a symbol: after each snapshot, and when one of
 *             them has changed
 *   TW_LEVEL  where levels are asked for: what each message has changed of a book, the
 *             sizes of a price added up; all of it, from an empty one on, at first and
 *             after a gap
 *   TW_TRADE  each trade
 *   TW_STATUS whether a symbol trades (35=f), or a market (h)
 *   TW_GAP    of a symbol: reports are missing as RptSeq (83) says, or a message of it
 *             could not be used, or this befell one that shares its request (batch),
 *             which is made anew; without a symbol: of all, for the session was down or
 *             messages of it will not come (lost, first: of them, 0: not known).  The
 *             books are dropped, and asked for again.
 *
 * A book begins with a snapshot, or with an X of our request that needs nothing before
 * it: all that it says of the book is new (279=0; or J; one level deep also what says a
 * price and a size).  Changes that come before are not used, counted as stale, and told
 * of once a session; trades are trades.
 *
 * Times are those of the entry (60, or 272 and 273), else of the message (60, 779, 52).
 *
 * How an entry finds its level: by 280 or 278 where levels have ids; by 290 or 1023,
 * and then new levels move those behind them back; else by its price.  Of a book that is
 * one level deep a new level replaces the old one.
 *
 * Layer host/fix.  Thread: the owner's.  Blocks: never, but as the batch's full.
 */
#ifndef TW_FIX_MARKET_DATA_H
#define TW_FIX_MARKET_DATA_H

#include "fix/depth.h"
#include "fix/instruments.h"
#include "fix/session.h"
#include "tape/record.h"

struct tw_fix_md;

enum tw_fix_md_kind {
    TW_FIX_MD_FAILED,        /* the peer does not serve the symbol: text says why    */
    TW_FIX_MD_LOST,          /* something was missed                                */
    TW_FIX_MD_PROBLEM,       /* a message was not used: what is wrong with it        */
    TW_FIX_MD_STATUS         /* of a symbol (35=f), or of a trading session (35=h)   */
};

struct tw_fix_md_event { enum tw_fix_md_kind kind; const char *text; };

enum { TW_FIX_MD_BIDS = 1, TW_FIX_MD_OFFERS = 2, TW_FIX_MD_TRADES = 4 };
enum { TW_FIX_MD_BATCH_MAX = 1000 };

/* After so many gaps in a row, each soon after a snapshot, numbers (83, 1181) are taken
 * to leave some out, and not to tell of gaps, until the session is up again. */
enum { TW_FIX_MD_TRIES = 5 };

/* 0 is what is said. */
struct tw_fix_md_options {
    struct tw_symbols *symbols;     /* required                                        */
    uint8_t source;                 /* of the records                                  */
    unsigned types;                 /* of entries; 0: all three                        */
    uint32_t depth;                 /* levels of a side; 0: all there are              */
    bool incremental;               /* 265: changes; else all of it each time          */
    bool levels;                    /* levels become records, too                      */
    bool quotes;                    /* asks with 35=R instead, for 35=S and i          */
    bool states;                    /* asks whether all of it trades, by 35=e and g    */
    uint32_t batch;                 /* symbols of a request; 0: 1                      */
    char id_source;                 /* 22: symbols are SecurityIDs (48) of that source;
                                     * 0: they are Symbols (55)                        */
    uint32_t levels_max;            /* that are kept of a side; 0: TW_DEPTH_MAX        */
    uint32_t symbols_max;           /* 0: TW_SYMBOL_MAX                                */
    int64_t start_ns;               /* of this run: ids of requests begin there        */
    /* A message: its body.  0, or TW_EFULL, TW_ECLOSED: later, perhaps. */
    int (*send)(void *ctx, const char *code, const char *body, size_t n);
    void (*event)(void *ctx, const struct tw_fix_md_event *e);   /* may be NULL        */
    void *ctx;
};

/* NULL: no memory.  Memory: freed by tw_fix_md_free. */
struct tw_fix_md *tw_fix_md_new(const struct tw_fix_md_options *options);
void tw_fix_md_free(struct tw_fix_md *md);   /* md may be NULL */

/* What the venue calls the symbols of a list, and what requests say of them, as far as
 * the dictionary has it there: before the first of these calls.  UV_ENOMEM. */
int tw_fix_md_set_instruments(struct tw_fix_md *md, const struct tw_fix_dictionary *d,
                              const struct tw_fix_instrument *list, size_t n);

/* A symbol more or less; asked for, or cancelled, by the next tick or message.  Others of
 * a request that is cancelled are asked for again: a gap of each whose book is lost.
 * TW_ELIMIT: too many, or no name; UV_ENOMEM. */
int tw_fix_md_subscribe(struct tw_fix_md *md, const char *name, size_t n);
void tw_fix_md_unsubscribe(struct tw_fix_md *md, struct tw_fix_now now, const char *name,
                           size_t n, struct tw_batch *out);

void tw_fix_md_session_event(struct tw_fix_md *md, struct tw_fix_now now,
                             const struct tw_fix_event *e, struct tw_batch *out);

/* Whether a message of ours is to be sent again: a request is made anew, under another
 * number, and just cancelled again. */
bool tw_fix_md_resend(const struct tw_fix_message *m);

/* Takes 35=W X S i Z Y AG f h, and j of what was asked.  Memory: as books grow, up to
 * levels_max. */
enum tw_fix_answer tw_fix_md_message(struct tw_fix_md *md, struct tw_fix_now now,
                                     const struct tw_fix_message *m,
                                     struct tw_batch *out);

/* Tells all of the books again, for one who has not seen them from the beginning. */
void tw_fix_md_retell(struct tw_fix_md *md, struct tw_fix_now now, struct tw_batch *out);

/* Sides of quotes that have run out (62, 367) by now.time_ns are taken out of their
 * books, at the time when they did.  tw_fix_md_message does so first, and tw_fix_md_wakes
 * knows when it is to be called. */
void tw_fix_md_expire(struct tw_fix_md *md, struct tw_fix_now now, struct tw_batch *out);

/* Asks for what waits; when it is to be called again, in steady_ns: INT64_MAX: after
 * the next call of one of these. */
void tw_fix_md_tick(struct tw_fix_md *md, struct tw_fix_now now);
int64_t tw_fix_md_wakes(const struct tw_fix_md *md);

enum tw_fix_md_state {
    TW_FIX_MD_NONE,          /* not subscribed                        */
    TW_FIX_MD_WAITING,       /* is to be asked for                    */
    TW_FIX_MD_ASKED,
    TW_FIX_MD_LIVE,
    TW_FIX_MD_REFUSED        /* until the session is up again         */
};

/* Of a symbol by its id.  NULL: there is no book. */
enum tw_fix_md_state tw_fix_md_state(const struct tw_fix_md *md, uint32_t symbol);
const struct tw_depth *tw_fix_md_book(const struct tw_fix_md *md, uint32_t symbol);

struct tw_fix_md_stats {
    uint64_t refused;                /* messages                                  */
    uint64_t stale;                  /* of a request that is over, or came before */
    uint64_t strange;                /* of symbols that nobody asked for          */
    uint64_t unknown;                /* entries that refer to a level not there   */
    uint64_t expired;                /* quotes that ran out                       */
};
struct tw_fix_md_stats tw_fix_md_stats(const struct tw_fix_md *md);

#endif
