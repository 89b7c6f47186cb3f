/* market_data_parts.h - what the files of market data over a session share.
 *
 *   market_data.c          subscriptions, and what is asked
 *   market_data_in.c       what comes: 35=W X, books, rejects
 *   market_data_quotes.c   35=S, i and Z, and their acknowledgement
 *   market_data_until.c    until when these are good
 *   market_data_states.c   35=f and h, and the requests for them
 *   market_data_appl.c     numbers of streams
 *   market_data_levels.c   books as records
 *   market_data_instruments.c   what the venue calls them
 *
 * Layer host/fix.  Thread: the owner's.
 */
#ifndef TW_FIX_MARKET_DATA_PARTS_H
#define TW_FIX_MARKET_DATA_PARTS_H

#include <string.h>

#include "feed/fix_entry.h"
#include "fix/market_data.h"
#include "tape/ladder.h"

/* A request is the number of its first subscription, and of which request it is: so an
 * answer is found at once. */
enum { TW_FIX_MD_SUB_BITS = 20, TW_FIX_MD_TOUCHED = 32, TW_FIX_MD_LOOKS = 1 << 20 };

struct tw_fix_touched { int64_t price; bool offer; };

/* A request for a state of trading (35=e, g). */
struct tw_fix_asked {
    uint64_t request;            /* 0: none                                       */
    bool came;                   /* an answer                                     */
    bool again;                  /* it may be lost                                */
    int64_t asked_ns;            /* steady                                        */
};

/* Gaps that cost books, one after the other. */
struct tw_fix_gaps { unsigned tries; uint64_t between; int64_t last_ns; };

struct tw_fix_sub {
    uint32_t symbol;
    uint8_t state;               /* enum tw_fix_md_state                          */
    bool alone;                  /* is asked for without others                   */
    bool cancel;                 /* its request is to be cancelled first          */
    uint64_t request;            /* 0: none                                       */
    uint64_t report;             /* the last 83; 0: none                          */
    struct tw_fix_gaps gaps;     /* in 83                                         */
    bool skips;                  /* 83 leaves numbers out: that is no gap         */
    int64_t asked_ns;            /* steady                                        */
    int64_t pause_ns;            /* asked again so long after that: it doubles    */
    struct tw_quote top;         /* as the last record had it                     */
    struct tw_depth book;
    struct tw_ladder told;       /* as the records of levels have it              */
    bool is_told;                /* told from its beginning                       */
    struct tw_fix_asked asked;   /* its state of trading                          */
    uint64_t quote;              /* of which it is what there is: a hash of 117, not 0;
                                  * 0: of none                                    */
    int64_t until_ns[2];         /* bids, offers: INT64_MAX: they don't run out   */
    uint32_t until_at;           /* 0: neither does; see market_data_until.c      */
};

/* Of application messages (1180), and the last number of it. */
enum { TW_FIX_MD_STREAMS = 16 };
struct tw_fix_stream {
    char name[32];
    uint64_t last;
    unsigned whole;              /* so many came since a gap                      */
    bool jumps;                  /* there was one not long ago                    */
    bool skips;                  /* it leaves numbers out: that is no gap         */
};

/* An entry that was read, or just its 83. */
struct tw_fix_noted {
    struct tw_fix_entry entry;
    struct tw_level_id id, reference;
    uint64_t report;
    int64_t time_ns;
    uint32_t level;
    bool priced;                 /* it says a price */
};

struct tw_fix_md {
    struct tw_fix_md_options o;          /* constant                              */
    struct tw_fix_instruments *instruments;      /* constant; NULL: none          */
    const struct tw_fix_dictionary *dictionary;  /* constant; of requests, with them */
    struct tw_fix_sub *subs;
    uint32_t subs_n;
    size_t subs_max;                     /* that there is room for                */
    uint32_t *by_symbol;                 /* number + 1 of its subscription        */
    size_t symbols_n;                    /* that it has room for                  */
    struct tw_fix_noted *noted;
    size_t noted_n, noted_max;
    uint32_t looks_left;                 /* levels that a message is searched for in */
    uint64_t next_request;
    bool up;
    bool has_work;                       /* something is to be asked or cancelled */
    int64_t wakes_ns;
    uint64_t up_seq;                     /* of the Logon                          */
    bool ungrouped;                      /* before 4.2 35=R has one symbol, no 146 */
    struct tw_fix_clock clock;
    struct tw_fix_md_stats stats;
    struct tw_fix_asked market_asked;    /* its state                             */
    struct tw_fix_stream streams[TW_FIX_MD_STREAMS];
    unsigned streams_n;
    struct tw_fix_gaps gaps;             /* in streams                            */
    uint32_t *members;                   /* of a request, while it is written     */
    char *body;                          /* of a request                          */
    size_t body_room;
    bool early;                          /* changes without a book were told of   */
    bool touched_all;                    /* or these prices, by a message         */
    uint32_t touched_n;
    struct tw_fix_touched touched[TW_FIX_MD_TOUCHED];
    struct tw_rung *rungs;               /* of a side, while it is told           */
    uint32_t rungs_room;
    uint32_t *until;                     /* subs whose quotes run out: a heap     */
    uint32_t until_n;
    size_t until_room;
    int64_t expires_ns;                  /* steady: of the first of them, or later */
    char why[TW_FIX_WHY];
};

/* The books of a subscription, or of all, can't be believed: a gap on the tape, and they
 * are asked for again; but of `fresh`, which may be NULL, a snapshot is just coming.
 * Thread: the owner's. */
void tw_fix_md_lose(struct tw_fix_md *md, struct tw_fix_now now, struct tw_fix_sub *s,
                    uint64_t lost, uint64_t first, struct tw_batch *out);
void tw_fix_md_lose_all(struct tw_fix_md *md, struct tw_fix_now now, uint64_t lost,
                        uint64_t first, struct tw_fix_sub *fresh, struct tw_batch *out);

/* Of numbers that leave some out by the peer's way of counting (a channel's, of which the
 * session gets a part) each new book is lost at once.  One more gap has cost books: true:
 * it is the last of so many in a row that the next ones are to be no gaps.
 * Thread: the owner's. */
enum { TW_FIX_MD_BETWEEN = 64 };
bool tw_fix_md_in_vain(struct tw_fix_gaps *g, struct tw_fix_now now);

/* A report (83) came that does not follow the last one: the book is lost.
 * Thread: the owner's. */
void tw_fix_md_lose_reports(struct tw_fix_md *md, struct tw_fix_now now,
                            struct tw_fix_sub *s, uint64_t report, struct tw_batch *out);

/* What is about to be lost is asked for again, but the later the more often that happens.
 * Thread: the owner's. */
void tw_fix_md_slow_down(struct tw_fix_sub *s, struct tw_fix_now now);

/* The peer refuses a request: a gap where it has answered it.
 * Thread: the owner's. */
void tw_fix_md_refused(struct tw_fix_md *md, struct tw_fix_now now, uint64_t request,
                       const char *why, struct tw_batch *out);

/* A message has touched a price of a side.  Thread: the owner's. */
void tw_fix_md_touch(struct tw_fix_md *md, const struct tw_depth_side *s, int64_t price);

/* Records of what a message has changed in a book, each like the one given; of a book
 * that is not told yet: all of it.  UV_ENOMEM, TW_ELIMIT: some are left out.
 * Thread: the owner's.  Memory: as the book grows. */
int tw_fix_md_tell_levels(struct tw_fix_md *md, struct tw_fix_sub *s,
                          const struct tw_record *like, struct tw_batch *out);

/* Thread: the owner's. */
void tw_fix_md_tell(struct tw_fix_md *md, enum tw_fix_md_kind kind, const char *format,
                    ...) TW_PRINTF(3, 4);

/* How a request of that type names an instrument.  Thread: the owner's. */
void tw_fix_md_put_instrument(const struct tw_fix_md *md, struct tw_fix_output *o,
                              const char *code, uint32_t symbol);

/* The subscription that a message or a part of one is of, whose symbol (55, 48) the venue
 * calls so: by the request, where that is of it alone and instruments are said, else by
 * what the part says.  NULL: of none, or which nobody says.  Thread: the owner's. */
struct tw_fix_sub *tw_fix_md_of_part(const struct tw_fix_md *md, struct tw_fix_text name,
                                     const struct tw_fix_part *p, uint64_t request);
struct tw_fix_sub *tw_fix_md_of_message(const struct tw_fix_md *md,
                                        const struct tw_fix_message *m, uint64_t request);

/* How a message names its symbol.  Thread: the owner's. */
struct tw_fix_text tw_fix_md_symbol(const struct tw_fix_md *md,
                                    const struct tw_fix_message *m);

/* What is noted down of a message. */
struct md_fields {
    bool snapshot;               /* 35=W                                    */
    bool empty;                  /* it has no entries                       */
    uint64_t request;            /* 262 as a number; 0: none of ours        */
    bool has_request;
    uint64_t report;             /* 83 before the entries; 0: none          */
    int64_t time_ns;             /* of the message                          */
    struct tw_fix_text sending;  /* 52 */
    struct tw_fix_text text[MD_FIELDS];
    /* While it is read. */
    const struct tw_fix_message *message;
    const struct tw_fix_field *from;   /* where the part begins; NULL: the body */
    struct tw_fix_text called;         /* the symbol, as the venue calls it     */
};

/* Reads 35=W or X: into f, and its entries into md->noted.  TW_FIX_UNUSABLE: md->why
 * says; f has the symbol and the request, where they were seen.  Thread: the owner's. */
int tw_fix_md_read(struct tw_fix_md *md, const struct tw_fix_message *m, bool snapshot,
                   struct md_fields *f);

/* What a message says when it was: 60, else 52.  TW_FIX_UNUSABLE: md->why says.
 * Thread: the owner's. */
int tw_fix_md_time(struct tw_fix_md *md, const struct tw_fix_message *m, int64_t *out);

/* The number that a field of the body is; 0: it is none, or not there.
 * Thread: the owner's. */
uint64_t tw_fix_md_number_of(const struct tw_fix_message *m, int32_t tag);

/* Adds " 281=0 (UNKNOWN_SYMBOL)" to a text; nothing: it is not there.
 * Thread: the owner's. */
void tw_fix_md_describe(const struct tw_fix_message *m, int32_t tag, char *out,
                        size_t room);

/* A quote: each side that it names is all there is of it. */
struct tw_fix_md_sides {
    uint64_t seq;                /* of its message */
    int64_t time_ns;
    struct tw_fix_text symbol;
    struct tw_fix_entry side[2];
    int n;
    int64_t until_ns;            /* INT64_MAX: until there is another one */
    uint64_t id;                 /* see tw_fix_sub */
};
enum tw_fix_md_use { TW_FIX_MD_USED, TW_FIX_MD_STRANGE, TW_FIX_MD_STALE, TW_FIX_MD_LATE };

/* STRANGE: nobody asked for the symbol; STALE: not now; LATE: it has run out already, so
 * its sides are empty.  Thread: the owner's. */
enum tw_fix_md_use tw_fix_md_quote(struct tw_fix_md *md, struct tw_fix_now now,
                                   const struct tw_fix_md_sides *q, struct tw_batch *out);

/* Until when a side of a book is good; INT64_MAX: it does not run out.  UV_ENOMEM: none
 * of its sides does.  And what is there is no quote's.  Thread: the owner's. */
int tw_fix_md_set_until(struct tw_fix_md *md, struct tw_fix_sub *s, unsigned side,
                        int64_t until_ns);
void tw_fix_md_no_quote(struct tw_fix_md *md, struct tw_fix_sub *s);

/* 35=S, i and Z; f and h.  Thread: the owner's. */
void tw_fix_md_quotes(struct tw_fix_md *md, struct tw_fix_now now, uint64_t seq,
                      const struct tw_fix_message *m, struct tw_batch *out);
void tw_fix_md_status(struct tw_fix_md *md, struct tw_fix_now now, uint64_t seq,
                      const struct tw_fix_message *m, struct tw_batch *out);

/* Asks for states that are wanted and not asked for, or may be lost: that not too often,
 * md->wakes_ns says when.  False: the peer takes no more now.
 * Thread: the owner's. */
bool tw_fix_md_ask_states(struct tw_fix_md *md, struct tw_fix_now now);

/* They are to be asked for again.  Thread: the owner's. */
enum tw_fix_md_lost {
    TW_FIX_MD_SESSION,       /* requests are over                        */
    TW_FIX_MD_ANSWERS,       /* some may have been lost                  */
    TW_FIX_MD_REQUESTS       /* likewise, where no answer has come       */
};
void tw_fix_md_lose_states(struct tw_fix_md *md, enum tw_fix_md_lost what);

/* The peer refuses to tell of something, and does not say which request is refused.
 * Thread: the owner's. */
void tw_fix_md_unasked(struct tw_fix_md *md, const struct tw_fix_message *m,
                       const char *what);

/* A message that refuses a request, which it has the number of in one tag, and why in
 * another.  Thread: the owner's. */
void tw_fix_md_reject(struct tw_fix_md *md, struct tw_fix_now now,
                      const struct tw_fix_message *m, int32_t request_tag,
                      int32_t reason_tag, struct tw_batch *out);

/* Has the message its place in its stream?  False: it is not to be used.  What is missing
 * before it is a gap.  One that is not of market data counts where such ones have the
 * same stream, and is always to be used.  Thread: the owner's. */
bool tw_fix_md_in_stream(struct tw_fix_md *md, struct tw_fix_now now,
                         const struct tw_fix_message *m, struct tw_batch *out);

/* The subscription of a symbol; NULL: there is none.  Thread: the owner's. */
static inline struct tw_fix_sub *tw_fix_md_sub(const struct tw_fix_md *md,
                                               uint32_t symbol)
{
    return symbol < md->symbols_n && md->by_symbol[symbol]
           ? &md->subs[md->by_symbol[symbol] - 1] : NULL;
}

/* What we call it; of NULL what nothing is called.  Thread: the owner's. */
static inline struct tw_fix_text tw_fix_md_name_of(const struct tw_fix_md *md,
                                                   const struct tw_fix_sub *s)
{
    const char *name = s ? tw_symbols_name(md->o.symbols, s->symbol) : "\1";

    return (struct tw_fix_text){ name, strlen(name) };
}

/* The first subscription of a request; NULL: it is over.  Thread: the owner's. */
static inline struct tw_fix_sub *tw_fix_md_of_request(const struct tw_fix_md *md,
                                                      uint64_t request)
{
    uint32_t at = request & ((1u << TW_FIX_MD_SUB_BITS) - 1);

    return request && at < md->subs_n && md->subs[at].request == request
           ? &md->subs[at] : NULL;
}

#endif
