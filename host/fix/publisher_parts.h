/* publisher_parts.h - what publisher.c, which serves books, publisher_quotes.c, which
 * serves single quotes, and publisher_states.c, which serves states of trading, share.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#ifndef TW_FIX_PUBLISHER_PARTS_H
#define TW_FIX_PUBLISHER_PARTS_H

#include "fix/publisher.h"

enum { TW_FIX_REQUEST_ROOM = 64 };            /* bytes of a request's id           */

struct subscription;
struct part;
struct tw_fix_watch;
struct tw_fix_asked;

struct tw_fix_book {
    uint32_t symbol;
    struct tw_depth depth;
    int64_t time_ns;
    struct subscription *subscriptions;
    bool has_status;
    struct tw_status status;
};

struct tw_fix_peer {
    struct tw_fix_publisher *publisher;
    struct tw_fix_peer_options o;
    struct tw_fix_peer *next, **link;
    struct subscription *subscriptions, *queue, **queue_end;
    bool has_report[2], has_side[2];          /* 83 and 54, in 35=W and X          */
    bool has_update;                          /* 779 in 35=W                       */
    uint64_t quotes;                          /* 117 */
    struct tw_fix_asked *asked, **asked_end;  /* of quotes; the oldest first       */
    size_t asked_bytes;
    struct tw_fix_watch *watches;             /* of states                         */
    unsigned watches_n;
    struct tw_fix_peer_stats stats;
};

struct tw_fix_publisher {
    struct tw_fix_publisher_options o;        /* constant */
    struct tw_fix_book **books;               /* by symbol; NULL: not known        */
    size_t books_n;
    struct tw_fix_peer *peers;
    bool has_status;                          /* of the market                     */
    struct tw_status status;
    struct part *parts;                       /* of the message that is written    */
    uint32_t parts_n;
    char *body;
    size_t body_room;
};

/* NULL: it is not known.  Thread: the owner's. */
static inline struct tw_fix_book *tw_fix_book(const struct tw_fix_publisher *p,
                                              uint32_t symbol)
{
    return symbol < p->books_n ? p->books[symbol] : NULL;
}

/* A message to a peer.  Thread: the owner's. */
static inline struct tw_fix_output tw_fix_peer_begin(const struct tw_fix_peer *peer)
{
    struct tw_fix_publisher *p = peer->publisher;

    return (struct tw_fix_output){
        .at = p->body, .start = p->body, .end = p->body + p->body_room
    };
}

/* Thread: the owner's. */
static inline int tw_fix_peer_finish(struct tw_fix_peer *peer,
                                     const struct tw_fix_output *o, const char *code)
{
    if (o->error) return o->error;
    return peer->o.send(peer->o.ctx, code, o->start, (size_t)(o->at - o->start));
}

/* Twice the room for a message; false: there is no more.  Thread: the owner's. */
bool tw_fix_peer_more_room(struct tw_fix_peer *peer);

/* 35=R; false: too much of what was asked waits, or there is no memory.
 * Thread: the owner's. */
bool tw_fix_peer_asks_quotes(struct tw_fix_peer *peer, const struct tw_fix_message *m);

/* Quotes that were asked for; false: some of it waits.  Thread: the owner's. */
bool tw_fix_peer_tell_quotes(struct tw_fix_peer *peer);

/* It gets none of them any more.  Thread: the owner's. */
void tw_fix_peer_forget_quotes(struct tw_fix_peer *peer);

/* 35=e or g; false: with an id or a symbol that is too long.  Thread: the owner's. */
bool tw_fix_peer_asks_state(struct tw_fix_peer *peer, const struct tw_fix_message *m);

/* What has changed, to who asked for it; false: some of it waits.
 * Thread: the owner's. */
bool tw_fix_peer_tell_states(struct tw_fix_peer *peer);

/* It asks for none any more.  Thread: the owner's. */
void tw_fix_peer_unwatch(struct tw_fix_peer *peer);

#endif
