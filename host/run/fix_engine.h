/* fix_engine.h - the FIX sessions of a run, carried on the IO thread.
 *
 * The engine has sockets, clocks, files and timers; what FIX says is in host/fix.
 *
 *     engine = tw_fix_engine_new(&(struct tw_fix_engine_options){ ... }, &error);
 *     door = tw_fix_engine_listen(engine, &acceptor, &error);
 *     link = tw_fix_engine_add(engine, &options, &error);      before or during the run
 *     tw_io_start(io, &error);
 *     ...
 *     tw_io_stop(io);                                          logs out, in order
 *     tw_io_free(io);
 *     tw_fix_engine_free(engine);
 *
 * A session of the engine is a link.  What comes goes to its one consumer, on the IO
 * thread and with no lock held: to functions, or on the tape where there are none.  It
 * goes there as well, after them, where the link's options say so.
 * What is sent comes from any thread through a bounded queue; of one sender, in order.
 *
 * Layer host/run.
 */
#ifndef TW_FIX_ENGINE_H
#define TW_FIX_ENGINE_H

#include "base/log.h"
#include "fix/listener.h"
#include "tape/names.h"

struct tw_io;
struct tw_tls_options;
struct tw_fix_engine;
struct tw_fix_link;

enum {
    TW_FIX_NAME_MAX = 53,         /* bytes of a link's name: see TW_NAME_MAX          */
    TW_FIX_LINKS_MAX = 4096,      /* at a time                                         */
    TW_FIX_DOORS_MAX = 64
};

struct tw_fix_engine_options {
    struct tw_io *io;             /* whose thread and tape it has; not started yet    */
    struct tw_names *topics;      /* of the tape; NULL: every link has a consumer     */
    struct tw_log *log;
    int64_t stop_ms;              /* peers have so long to log out; 0: 3000           */
    /* Does a reader of the tape want the messages of the session of that name?  NULL: it
     * is not known.  Thread: FEED.  Blocks: a short lock. */
    bool (*heard)(void *ctx, const char *name);
    void *heard_ctx;
};

/* ---- what comes in ---- */

/* All are called on the IO thread.  They may send by tw_fix_session_begin or
 * tw_fix_session_put, and give commands of session.h; what they have sent goes out when
 * they have returned.  Each may be NULL. */
struct tw_fix_consumer {
    /* An application message, in order.  NULL: the tape gets messages and events. */
    enum tw_fix_answer (*message)(void *ctx, struct tw_fix_session *s,
                                  struct tw_fix_now now,
                                  const struct tw_fix_message *m);
    /* TW_FIX_STORE_FAILED: also within what another one of these sends. */
    void (*event)(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                  const struct tw_fix_event *e);
    /* Logged on: before its status says so and event does; what is to be sent waits for
     * that.  NULL: nothing is to be done. */
    void (*up)(void *ctx);
    /* Once in the beginning, after tw_fix_link_ring, and when the time that it returned
     * last has come: when it is to be called again, in steady_ns; INT64_MAX: when it is
     * rung.  Not called once the link is removed. */
    int64_t (*look)(void *ctx, struct tw_fix_session *s, struct tw_fix_now now);
    /* It is to log out: what it sends now goes out before.  ends: the run does. */
    void (*leaves)(void *ctx, bool ends);
    /* It has more to send when the peer has read, or waits for answers before it logs
     * out, where these are waited for. */
    bool (*waits)(void *ctx, bool answers);
    /* As of struct tw_fix_handlers. */
    bool (*resend)(void *ctx, const struct tw_fix_message *m);
    /* Of a template: the ctx of a session that is made of it, of that name; NULL: *error
     * says why.  Where there is no make they share the template's.  Then, of what was
     * made, the session, before it begins; NULL: there is none, and nobody calls with
     * that ctx. */
    void *(*make)(void *ctx, const char *name, struct tw_error *error);
    void (*made)(void *ctx, void *made, struct tw_fix_link *link);
    void *ctx;
};

/* On the tape, a message is a TW_MESSAGE record of topic "fix/NAME" whose value is its
 * bytes, a string, or where a Logon alone says of which version it is, a table:
 *     { message = bytes, version = "FIX.4.4" }
 * an event one of "fix/NAME/event", a table:
 *     { event = "logged_on", text = "", from = 0, to = 0, message = bytes or nil }
 * without passwords.  The names are those of tw_fix_event_name.  A reliable reader that
 * is behind holds the IO thread up, as for feeds. */

/* "logged_on" for TW_FIX_LOGGED_ON.  Thread: any. */
const char *tw_fix_event_name(enum tw_fix_event_kind kind);

/* Who reads has changed: o.heard is asked anew.  Thread: any.  Blocks: never. */
void tw_fix_engine_rehear(struct tw_fix_engine *e);

/* ---- links ---- */

struct tw_fix_link_options {
    const char *name;             /* letters, digits, "-_.:%"; no other link has it    */
    /* All that session.h says but store and handlers, which are the engine's.  Texts,
     * fields of the Logon, types and the schedule are copied; dictionary and zone outlive
     * the engine. */
    struct tw_fix_session_options session;
    struct tw_fix_consumer consumer;
    /* For the tape: codes of the messages that are taken ("D", "AE"), others are
     * answered as unsupported (R33).  NULL: all are taken. */
    const char *const *take;
    size_t take_n;
    bool tape;                    /* of a link with a consumer: what `take` names goes
                                   * on the tape when the consumer has had it, whether
                                   * or not that took it; so do events               */
    /* An initiator: "host:port" or "[::1]:port", tried one after the other. */
    const char *const *hosts;
    size_t hosts_n;
    int64_t retry_min_ms, retry_max_ms;   /* 0: 100, 10000; see run/dial.h             */
    int door;                     /* of an acceptor: tw_fix_engine_listen's            */
    const char *store;            /* folder, made where it is not there; NULL: memory  */
    size_t store_bytes;           /* as of store.h                                     */
    enum tw_fix_sync sync;
    int64_t sync_ms;              /* TIMED: each so often; 0: 100                      */
    const char *log;              /* folder of its message log, NAME.log; NULL: none   */
    uint64_t log_bytes;           /* of a file of it; 0: 64 MiB                        */
    unsigned log_files;           /* that are full, and stay; 0: 15                    */
    size_t queue_bytes;           /* of what other threads send; 0: 1 MiB              */
    bool hold;                    /* what is sent while it is not logged on waits in
                                   * the queue; else it is refused                     */
    bool disabled;                /* in the beginning                                  */
    int64_t stall_ms;             /* a peer that reads nothing for so long is cut off;
                                   * 0: 10000                                          */
    const struct tw_tls_options *tls;     /* an initiator's; NULL: none                */
};

/* Adds a session.  Its store is opened here.  NULL: error says why: TW_EUSAGE: the
 * options, or a session of that name that was removed had another dictionary;
 * TW_EBUSY: the name or the store is in use; TW_ELIMIT: there are too many, or too many
 * at its port; UV codes.
 * Thread: any.  Blocks: on the disk. */
struct tw_fix_link *tw_fix_engine_add(struct tw_fix_engine *e,
                                      const struct tw_fix_link_options *o,
                                      struct tw_error *error);

/* A template of sessions for callers that nobody knows: "*" is any; sessions are called
 * NAME.SENDER.TARGET (of the caller; bytes that no name has as %XX), and get the rest
 * from `link`, whose session's dictionary says the version. */
struct tw_fix_door_template {
    const char *sender, *target;          /* ours and theirs                           */
    struct tw_fix_link_options link;
};

struct tw_fix_door_options {
    const char *host;             /* NULL: 127.0.0.1                                   */
    uint16_t port;                /* 0: a free one                                     */
    const struct tw_fix_door_template *templates;
    size_t templates_n;
    unsigned connections_max;     /* 0: 256                                            */
    unsigned sessions_max;        /* that wait here; 0: 1024; TW_FIX_LINKS_MAX at most */
    int64_t logon_timeout_ms;     /* for the first message; 0: 10000                   */
    const struct tw_tls_options *tls;     /* NULL: none                                */
};

/* Opens a port; its number, 0, 1, ..., for the links that wait there.
 * Thread: MAIN.  Blocks: on looking up the host.  Errors: TW_ELIMIT, UV codes; once the
 * thread runs, that the port can't be had is in the log. */
int tw_fix_engine_listen(struct tw_fix_engine *e, const struct tw_fix_door_options *o,
                         struct tw_error *error) TW_ON(MAIN);

/* How many ports there are: 0, 1, ...  Thread: any. */
unsigned tw_fix_engine_doors(const struct tw_fix_engine *e);

/* The port that it got; 0: none (yet).  Thread: any. */
uint16_t tw_fix_engine_port(const struct tw_fix_engine *e, int door);

/* The number of the port; of 0: of the only one there is.  -1: there is none.
 * Thread: any. */
int tw_fix_engine_door_of(const struct tw_fix_engine *e, uint16_t port);

/* Connections that were cut before a session had them, by reason. */
struct tw_fix_door_status {
    uint64_t connects;
    uint64_t silent, garbled, unknown, refused, crowded, tls;
    unsigned open;                /* connections now                                   */
};

/* Thread: any. */
void tw_fix_engine_door(const struct tw_fix_engine *e, int door,
                        struct tw_fix_door_status *out);

/* ---- the engine ---- */

/* NULL: no memory.  Thread: MAIN.  Blocks: no. */
struct tw_fix_engine *tw_fix_engine_new(const struct tw_fix_engine_options *options,
                                        struct tw_error *error) TW_ON(MAIN);

/* Thread: MAIN, after tw_io_free.  Blocks: on the disk.  e may be NULL. */
void tw_fix_engine_free(struct tw_fix_engine *e) TW_ON(MAIN);

/* Links by number, 0, 1, ...; those that were removed too, until another one of that name
 * is added, or all numbers are in use.  A link lives as long as the
 * engine.  Thread: any. */
unsigned tw_fix_engine_count(const struct tw_fix_engine *e);
struct tw_fix_link *tw_fix_engine_link(const struct tw_fix_engine *e, unsigned i);

/* Thread: any.  Blocks: a short lock. */
bool tw_fix_link_is_removed(struct tw_fix_link *l);

/* By name, of those that were not removed; NULL: there is none.
 * Thread: any.  Blocks: a short lock. */
struct tw_fix_link *tw_fix_engine_find(struct tw_fix_engine *e, const char *name);

/* Constant.  Thread: any. */
const char *tw_fix_link_name(const struct tw_fix_link *l);
const struct tw_fix_dictionary *tw_fix_link_dictionary(const struct tw_fix_link *l);
const struct tw_fix_session_options *tw_fix_link_says(const struct tw_fix_link *l);

/* The consumer's `look` is called soon.  Thread: any.  Blocks: never. */
void tw_fix_link_ring(struct tw_fix_link *l);

/* ---- what goes out ---- */

/* Queues a message: body is fields as "tag=value SOH", those of the header first.  Its
 * ticket, 1, 2, ... for the link: what is not sent after all is told by an event
 * TW_FIX_UNSENT with from = to = ticket.  TW_ECLOSED: it is not logged on, or removed;
 * TW_EFULL: the queue is full; TW_EUSAGE: body does not end in SOH, or the code is none
 * or of a message of the session, 0 to 5 and A;
 * TW_ELIMIT: larger than a message may be.
 * Thread: any.  Blocks: a short lock.  Memory: none. */
int64_t tw_fix_link_send(struct tw_fix_link *l, const char *code, const char *body,
                         size_t n);

/* ---- commands: done soon, in the order of one thread's calls ---- */

/* Thread: any.  Blocks: a short lock.  Errors: no memory; TW_ECLOSED: it was removed, or
 * the engine ends; of numbers TW_EUSAGE.  text may be NULL. */
int tw_fix_link_enable(struct tw_fix_link *l, bool enabled);
int tw_fix_link_logout(struct tw_fix_link *l, const char *text);
/* The Logon that waits (hold_logon) goes out with these fields, each "tag=value" and a
 * byte 0.  TW_EFULL, TW_ELIMIT: too many commands, or bytes. */
int tw_fix_link_logon(struct tw_fix_link *l, const char *fields, size_t n);
int tw_fix_link_reset(struct tw_fix_link *l);
int tw_fix_link_set_numbers(struct tw_fix_link *l, uint64_t next_in, uint64_t next_out);
/* Logs out first.  What it had is freed, but for its name and figures. */
int tw_fix_link_remove(struct tw_fix_link *l);

/* A type of messages that nobody was there for: `answered` as unsupported; or on the
 * tape, which no reader of it wanted. */
struct tw_fix_missed { char code[8]; bool answered; uint64_t n; };

enum { TW_FIX_MISSED_MAX = 16 };  /* of a session; of others there is only the sum     */

struct tw_fix_link_status {
    struct tw_fix_session_status session;
    bool initiator, removed;
    char peer[TW_FIX_ID_MAX];     /* address of the other end; "": none               */
    char why[200];                /* it is not connected or logged on; "": it is      */
    uint64_t logons, unsent;
    size_t queued;                /* bytes in the queue                                */
    uint64_t log_lost;            /* messages that are not in the log                  */
    uint64_t tape_lost;           /* that the consumer took, and there was no memory
                                   * for them on the tape                              */
    uint64_t untaken, unheard;    /* sums of `missed`                                  */
    unsigned missed_n;
    struct tw_fix_missed missed[TW_FIX_MISSED_MAX];   /* as they came                  */
};

/* As of the last turn of the loop.  Thread: any.  Blocks: a short lock. */
void tw_fix_link_status(struct tw_fix_link *l, struct tw_fix_link_status *out);

#endif
