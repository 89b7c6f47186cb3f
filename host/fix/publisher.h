/* publisher.h - market data for the peers of an acceptor: books in, 35=W X S Y f h out.
 *
 *     tw_fix_publisher_quote(p, symbol, &quote, time_ns);     what is known, as it comes
 *     tw_fix_publisher_trade(p, symbol, &trade, time_ns);
 *     tw_fix_publisher_flush(p);                              after each batch of it
 *
 *     peer = tw_fix_publisher_join(p, &options);              a session is up
 *     tw_fix_peer_message(peer, message);                     each of its 35=V R e g
 *     tw_fix_peer_leave(peer);                                it is down
 *
 * Why a peer that reads slowly costs nothing more: a subscription knows the levels that
 * it sent last, and an update is the difference to the book of now.  What happened while
 * the peer did not take messages is not kept, so its updates are fewer, never late.
 * Trades can't be drawn together: of those that wait, each subscription keeps some, and
 * where one had to go, RptSeq (83) has a gap.  FIX before 5.0 has no 83 there, and only
 * tw_fix_peer_stats says it then.
 *
 * Levels are known by their prices, and by their positions (290) where that is asked for.
 *
 * Layer host/fix.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_FIX_PUBLISHER_H
#define TW_FIX_PUBLISHER_H

#include "fix/depth.h"
#include "fix/session.h"
#include "tape/symbols.h"

struct tw_fix_publisher;
struct tw_fix_peer;

/* 0 is what is said. */
struct tw_fix_publisher_options {
    struct tw_symbols *symbols;     /* required                                       */
    uint32_t levels_max;            /* that are kept of a side; 0: TW_DEPTH_MAX, and
                                     * 2048 at most                                   */
    uint32_t trades_max;            /* that wait, of a subscription; 0: 1024          */
    uint32_t subscriptions_max;     /* of a peer; 0: 4096                             */
    bool positions;                 /* 290 in each entry, and levels are known by it  */
    enum tw_fix_precision precision;   /* of 273; TW_FIX_S is taken for TW_FIX_MS     */
};

/* NULL: no memory.  free: every peer has left; p may be NULL. */
struct tw_fix_publisher *tw_fix_publisher_new(const struct tw_fix_publisher_options *o);
void tw_fix_publisher_free(struct tw_fix_publisher *p);

/* What there is of a symbol; one that none of these named is not known to peers.
 * list: it has a book, though an empty one.  quote: the book is these two levels.  level:
 * one level of it is so large, 0: not there.  UV_ENOMEM.  Memory: as books grow. */
int tw_fix_publisher_list(struct tw_fix_publisher *p, uint32_t symbol);
int tw_fix_publisher_quote(struct tw_fix_publisher *p, uint32_t symbol,
                           const struct tw_quote *q, int64_t time_ns);
int tw_fix_publisher_level(struct tw_fix_publisher *p, uint32_t symbol, bool offer,
                           int64_t price, int64_t size, int64_t time_ns);
int tw_fix_publisher_trade(struct tw_fix_publisher *p, uint32_t symbol,
                           const struct tw_trade *t, int64_t time_ns);
/* Whether a symbol trades, or the market (0). */
int tw_fix_publisher_status(struct tw_fix_publisher *p, uint32_t symbol,
                            const struct tw_status *status);
const struct tw_depth *tw_fix_publisher_book(const struct tw_fix_publisher *p,
                                             uint32_t symbol);

/* Sends what has changed to all peers that take it; false: some of it waits. */
bool tw_fix_publisher_flush(struct tw_fix_publisher *p);

/* Likewise to one. */
bool tw_fix_peer_flush(struct tw_fix_peer *peer);

/* ---- peers ---- */

struct tw_fix_peer_options {
    const struct tw_fix_dictionary *dictionary;   /* of its session */
    /* A message: its body.  0; TW_EFULL: the peer does not read, and it is tried again
     * with the next flush; others: it is dropped. */
    int (*send)(void *ctx, const char *code, const char *body, size_t n);
    void *ctx;
};

/* NULL: no memory. */
struct tw_fix_peer *tw_fix_publisher_join(struct tw_fix_publisher *p,
                                          const struct tw_fix_peer_options *o);
void tw_fix_peer_leave(struct tw_fix_peer *peer);

/* Takes 35=V R e g, and answers. */
enum tw_fix_answer tw_fix_peer_message(struct tw_fix_peer *peer,
                                       const struct tw_fix_message *m);

/* Whether a message of ours is to be sent again: market data is not, since what it told
 * of is over.  The peer asks again for what it missed. */
bool tw_fix_peer_resend(const struct tw_fix_message *m);

struct tw_fix_peer_stats {
    uint64_t subscriptions;         /* now                     */
    uint64_t trades_lost;           /* that had no room        */
};
struct tw_fix_peer_stats tw_fix_peer_stats(const struct tw_fix_peer *peer);

#endif
