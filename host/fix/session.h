/* session.h - one FIX session, either side of it, without sockets, clocks or threads.
 *
 * Bytes, ticks and commands go in, each with the time; bytes to send, events, the time
 * of the next tick and the wish to hang up come out:
 *
 *     tw_fix_session_connected(s, now, &error);     a connection stands
 *     used = tw_fix_session_receive(s, now, p, n);  the rest comes again, with more
 *     tw_fix_session_tick(s, now);                  when tw_fix_session_wakes says
 *     tw_fix_session_output(s, &p, &n);             after each of these: write that,
 *     tw_fix_session_written(s, now, n);            and say how much of it is gone
 *     if (tw_fix_session_closing(s)) ...            and then hang up
 *     tw_fix_session_disconnected(s, now, why);
 *
 * Handlers are called from within connected, receive, tick, written and disconnected;
 * they may send and give commands, but not call those.  No lock is held meanwhile, for
 * there is none.
 *
 * What is no message is dropped and counted, and makes no event but DROPPED, one for all
 * in a row.  A peer of which more bytes in a row are none than a message may have is cut
 * off, and so is one whose BodyLength is past that: where it ends nobody knows.
 *
 * Messages are delivered at least once: the number of one counts when its handler has
 * returned, so that one whose process was killed in between comes again, as PossDup.
 *
 * Layer host/fix.  Thread: the owner's.  Blocks: never, but as the store does.
 */
#ifndef TW_FIX_SESSION_H
#define TW_FIX_SESSION_H

#include "fix/check.h"
#include "fix/schedule.h"
#include "fix/store.h"
#include "fix/write.h"

struct tw_fix_session;

/* time_ns: since the epoch, for 52 and the schedule; steady_ns: never goes back. */
struct tw_fix_now { int64_t time_ns, steady_ns; };

enum tw_fix_state {
    TW_FIX_DOWN,             /* not connected                                    */
    TW_FIX_LOGGING_ON,       /* connected, waits for the peer's Logon            */
    TW_FIX_UP,
    TW_FIX_LEAVING,          /* has sent a Logout, waits for the peer's          */
    TW_FIX_CLOSING           /* wants the connection closed, and takes nothing   */
};

enum tw_fix_event_kind {
    TW_FIX_LOGGED_ON,        /* text: where its messages are of another version  */
    TW_FIX_LOGGED_OUT,       /* of a session that was up; text: why              */
    TW_FIX_NOT_LOGGED_ON,    /* a connection ended before it was; text: why      */
    TW_FIX_REJECTED,         /* the peer rejected message `from` of ours: message, text */
    TW_FIX_REFUSED,          /* we rejected message `from`: message, text        */
    TW_FIX_DROPPED,          /* bytes that are no message; text: why             */
    TW_FIX_GAP,              /* from to `to` are missing and were asked for      */
    TW_FIX_SKIPPED,          /* from to `to` will not come: the peer, or who set our
                              * numbers, wants it so                             */
    TW_FIX_RESENDING,        /* from to `to` are sent again                      */
    TW_FIX_FORGOTTEN,        /* of those, from to `to` are not kept any more     */
    TW_FIX_RESET,            /* both numbers were set to 1; text: as LOGGED_ON   */
    TW_FIX_STORE_FAILED,     /* text: why; what was to be sent was not: 35=F is, though
                              * it can't be sent again                           */
    TW_FIX_FILLED,           /* from to `to` will not come, for the peer filled them:
                              * whether any was of the application is not known  */
    TW_FIX_UNSENT,           /* of run/fix_engine.h, not of a session            */
    TW_FIX_LOGON_WAITS       /* hold_logon: our Logon, as message, waits         */
};

struct tw_fix_event {
    enum tw_fix_event_kind kind;
    uint64_t from, to;
    const struct tw_fix_message *message;   /* or NULL */
    const char *text;                       /* or ""   */
};

/* UNSUPPORTED: R33.  LATER: it was not taken and does not count; the connection is
 * closed, so that it comes again after the next Logon. */
enum tw_fix_answer { TW_FIX_TAKEN, TW_FIX_UNSUPPORTED, TW_FIX_LATER };

/* Each may be NULL, but message. */
struct tw_fix_handlers {
    /* An application message, in order. */
    enum tw_fix_answer (*message)(void *ctx, const struct tw_fix_message *m);
    /* Whether a message is to be sent again; else its number is filled. */
    bool (*resend)(void *ctx, const struct tw_fix_message *m);
    void (*event)(void *ctx, const struct tw_fix_event *e);
    /* By the schedule it is to log out: who has something to say before does, and then
     * calls tw_fix_session_logout with that text.  NULL: it does so at once. */
    void (*leave)(void *ctx, const char *text);
    /* Every message, as it came and as it is written. */
    void (*log)(void *ctx, bool incoming, const char *p, size_t n);
    void *ctx;
};

struct tw_fix_extra { int32_t tag; const char *value; };

/* Messages of a type are of that version where they have no 1128. */
struct tw_fix_typed { const char *code; const struct tw_fix_dictionary *dictionary; };

enum { TW_FIX_TYPED_MAX = 256, TW_FIX_LOGON_MAX = 32 };   /* fields of a Logon */

/* Texts and what is pointed to outlive the session.  0 is what is said, and of texts
 * NULL: none. */
struct tw_fix_session_options {
    const struct tw_fix_dictionary *dictionary;   /* required; it says the version      */
    struct tw_fix_store *store;                   /* required                           */
    const struct tw_fix_schedule *schedule;       /* NULL: always up                    */
    struct tw_fix_handlers handlers;
    const char *sender, *sender_sub, *sender_location;   /* 49 (required), 50, 142      */
    const char *target, *target_sub, *target_location;   /* 56 (required), 57, 143      */
    bool initiator;
    unsigned check;              /* of check.h                                          */
    int64_t heartbeat_s;         /* 108 of an initiator; 0: no heartbeats               */
    int precision;               /* digits of 52's second, from 4.2 on: 3, 6 or 9; 0: 3 */
    const struct tw_fix_extra *logon;             /* more fields of the Logon: 553, 554 */
    size_t logon_n;
    /* Of the family of its dictionary; the Logon says so, in 384.  TYPED_MAX at most. */
    const struct tw_fix_typed *typed;
    size_t typed_n;
    bool hold_logon;             /* an initiator's Logon waits for tw_fix_session_logon */
    bool reset_on_logon, reset_on_logout, reset_on_disconnect;
    bool forget;                 /* PersistMessages=N: each resend is a gap fill        */
    bool any_comp_id;            /* CheckCompID=N                                       */
    int64_t latency_s;           /* 52 may be off by; 0: 120; negative: not looked at   */
    bool next_expected;          /* 789 in Logon, and what it asks for                  */
    bool last_processed;         /* 369 in each message                                 */
    bool synced;                 /* what goes out waits for tw_fix_session_sync_end     */
    uint64_t resend_chunk;       /* asked for at a time; 0: all                         */
    uint64_t resend_rate;        /* messages a second that are sent again; 0: any       */
    int64_t logon_timeout_s;     /* 0: 10 */
    int64_t logout_timeout_s;    /* 0: 2  */
    size_t early_max;            /* bytes that wait for missing ones; 0: 4 MiB          */
    size_t output_max;           /* bytes that wait for the peer to read; 0: 4 MiB      */
    size_t message_max;          /* bytes; 0: 1 MiB                                     */
    uint32_t fields_max;         /* 0: as message.h has it                              */
};

/* NULL: error says why.  Memory: freed by tw_fix_session_free; none is taken later but
 * for what waits. */
struct tw_fix_session *tw_fix_session_new(const struct tw_fix_session_options *options,
                                          struct tw_error *error);
void tw_fix_session_free(struct tw_fix_session *s);   /* s may be NULL */

/* ---- the connection ---- */

/* Whether it may be connected now: TW_EBUSY: it is; TW_ECLOSED: it is disabled, or the
 * schedule does not have it up. */
int tw_fix_session_may_connect(struct tw_fix_session *s, struct tw_fix_now now,
                               struct tw_error *error);

/* An initiator's Logon goes out.  Errors: as above, and nothing has changed. */
int tw_fix_session_connected(struct tw_fix_session *s, struct tw_fix_now now,
                             struct tw_error *error);

/* Takes whole messages; how many bytes it used. */
size_t tw_fix_session_receive(struct tw_fix_session *s, struct tw_fix_now now,
                              const char *p, size_t n);

/* The bytes to be written next. */
void tw_fix_session_output(struct tw_fix_session *s, const char **p, size_t *n);
void tw_fix_session_written(struct tw_fix_session *s, struct tw_fix_now now, size_t n);

/* Where `synced`: begin when something waits for the disk and no sync is under
 * way; then tw_fix_store_sync_run by any thread, and end.  False: it need not wait any
 * more.  What came meanwhile waits for the next one.  rc: what run said; that it failed
 * is an event. */
bool tw_fix_session_sync_begin(struct tw_fix_session *s, struct tw_fix_store_job *job);
void tw_fix_session_sync_end(struct tw_fix_session *s,
                             const struct tw_fix_store_job *job, int rc);

/* Bytes that wait for the disk. */
size_t tw_fix_session_held(const struct tw_fix_session *s);

/* Half of what may wait for the peer does: who has much to say says the rest later, or
 * the peer is cut off without having had the time to read.  Thread: the owner's. */
bool tw_fix_session_is_behind(const struct tw_fix_session *s);

/* Why the connection is to be closed when the output is written; NULL: it is not. */
const char *tw_fix_session_closing(const struct tw_fix_session *s);

/* It was closed; why: where it was not us.  NULL: the peer hung up. */
void tw_fix_session_disconnected(struct tw_fix_session *s, struct tw_fix_now now,
                                 const char *why);

/* ---- time ---- */

void tw_fix_session_tick(struct tw_fix_session *s, struct tw_fix_now now);

/* In steady_ns: when the next tick has something to do; INT64_MAX: never. */
int64_t tw_fix_session_wakes(struct tw_fix_session *s, struct tw_fix_now now);

/* ---- commands ---- */

/* Begins an application message with its header; `header` has more fields for it, which
 * are sorted.  *out takes the body, until tw_fix_session_send; nothing else is called in
 * between.  TW_ECLOSED: not logged on; TW_EFULL: the peer does not read. */
int tw_fix_session_begin(struct tw_fix_session *s, struct tw_fix_now now,
                         const char *code, const struct tw_fix_field *header, size_t n,
                         struct tw_fix_output **out, struct tw_error *error);

/* Keeps and sends it; *seq, which may be NULL: its number.  Nothing was sent on an
 * error: TW_EFULL: too large, TW_EFORMAT: a value that can't be, and as the store. */
int tw_fix_session_send(struct tw_fix_session *s, uint64_t *seq, struct tw_error *error);

/* Both at once: body is fields as "tag=value SOH" that are in order, those of the header
 * first.  Errors: of both; TW_EUSAGE: it does not end in SOH, or has a field of the
 * header that the session writes. */
int tw_fix_session_put(struct tw_fix_session *s, struct tw_fix_now now, const char *code,
                       const char *body, size_t n, uint64_t *seq,
                       struct tw_error *error);

/* The Logon that waits goes out as it was told of, with its MsgSeqNum and SendingTime,
 * and n fields more; one that options.logon has, too, is as here.  TW_ECLOSED: none
 * waits; TW_ELIMIT: more than 32 fields. */
int tw_fix_session_logon(struct tw_fix_session *s, struct tw_fix_now now,
                         const struct tw_fix_extra *more, size_t n,
                         struct tw_error *error);

/* Logs out where it is up; text may be NULL. */
void tw_fix_session_logout(struct tw_fix_session *s, struct tw_fix_now now,
                           const char *text);

/* Both numbers to 1: at once, or of one that is up with a Logon that has 141=Y; of 4.0,
 * which has none, after a Logout: the peer has to do it, too, before the next Logon. */
void tw_fix_session_reset(struct tw_fix_session *s, struct tw_fix_now now);

/* TW_EUSAGE: 0 is no number.  */
int tw_fix_session_set_numbers(struct tw_fix_session *s, uint64_t next_in,
                               uint64_t next_out, struct tw_error *error);

/* A session that is disabled logs out and takes no connection. */
void tw_fix_session_enable(struct tw_fix_session *s, struct tw_fix_now now, bool enabled);

/* How often it hung up on a peer: for a BodyLength past message_max, or more fields than
 * fields_max; for bytes that are no messages; because it said nothing (R32), or did not
 * read what was sent. */
struct tw_fix_cuts { uint64_t oversized, noise, silent, unread; };

struct tw_fix_session_status {
    enum tw_fix_state state;
    uint64_t next_in, next_out;
    uint64_t missing_to;         /* next_in to this is missing; 0: nothing is  */
    uint64_t received, sent, garbled, refused;   /* messages                   */
    struct tw_fix_cuts cuts;
    size_t waiting;              /* bytes to be written                        */
    bool enabled;
};

/* What a message of the type is written with, where it has no 1128. */
const struct tw_fix_dictionary *tw_fix_session_writes(
    const struct tw_fix_session_options *o, const char *code, size_t n);

struct tw_fix_session_status tw_fix_session_status(const struct tw_fix_session *s);
const struct tw_fix_session_options *tw_fix_session_options(
    const struct tw_fix_session *s);

#endif
