/* fix_parts.h - what the files of the FIX engine share.
 *
 *   fix_engine.c   the engine: its start and end, wake-ups, what other threads call
 *   fix_link.c     a session: between its wire and its consumer, timers
 *   fix_make.c     a session's options, store and files: made and freed
 *   fix_door.c     a port: connections until it is known whose they are
 *   fix_tape.c     the consumer that is the tape
 *   fix_missed.c   messages that nobody is there for
 *
 * Layer host/run.  Only those files include it.  Thread: FEED, where nothing else is
 * said.
 */
#ifndef TW_FIX_PARTS_H
#define TW_FIX_PARTS_H

#include "base/clock.h"
#include "fix/arena.h"
#include "run/bell.h"
#include "run/counter.h"
#include "run/dial.h"
#include "run/fix_engine.h"
#include "run/fix_log.h"
#include "run/io.h"
#include "run/outbox.h"
#include "run/wire.h"

struct tw_fix_door;
struct tw_fix_visitor;

enum { TW_FIX_READ_BYTES = 64 << 10 };   /* at most at a time: then there is a turn */

/* What is said at most once a second, and how often it was not. */
struct tw_fix_hush { int64_t said_ns; unsigned said; uint64_t unsaid; };

struct tw_fix_link {
    struct tw_fix_engine *e;             /* constant                                 */
    struct tw_arena texts;               /* constant: of the options                 */
    struct tw_fix_link_options o;        /* constant                                 */
    char who[TW_FIX_NAME_MAX + 5];       /* constant: "fix NAME"                     */
    uint32_t topic, event_topic;         /* constant                                 */
    struct tw_dial_place *places;        /* constant                                 */
    struct tw_tls_context *tls;          /* constant; NULL: none                     */
    size_t in_room;                      /* constant: of `in`                        */

    struct tw_fix_session *s;            /* owner: FEED; NULL: it was removed        */
    struct tw_fix_store *store;          /* owner: FEED                              */
    struct tw_fix_log log;               /* owner: FEED                              */
    char *in;                            /* owner: FEED; [0, n) waits for the rest   */
    size_t in_n;
    struct tw_wire *wire;                /* owner: FEED; NULL: not connected         */
    struct tw_fix_visitor *visitor;      /* owner: FEED; an acceptor's: whose it is   */
    struct tw_wire own;                  /* owner: FEED; an initiator's wire         */
    struct tw_dial dial;                 /* owner: FEED; an initiator's              */
    uv_timer_t timer;                    /* owner: FEED                              */
    int64_t timer_ns;                    /* it fires then; INT64_MAX: never          */
    int64_t look_ns;                     /* the consumer is to be called             */
    int64_t stalled_ns;                  /* since then nothing was written; 0: none is
                                          * to be                                    */
    int64_t greeting_ns;                 /* an initiator's TLS has to stand; 0: it
                                          * does, or there is none                   */
    int64_t unsynced_ns;                 /* the store has changed since; 0: not      */
    struct tw_fix_store_job sync;        /* owner: who works at it, while syncing    */
    uv_work_t work;
    int sync_code;
    bool syncing;                        /* owner: FEED                              */
    struct tw_fix_door *door;            /* constant; of an acceptor, else NULL      */
    bool from_template;                  /* constant: its door made it               */
    bool counted;                        /* mutex: the engine's: it has a place there */
    struct tw_fix_now now;               /* as of what happens now                   */
    bool begun, removing, stalled, was_up;
    bool paused;                         /* it reads nothing: the disk is behind     */
    bool leaving;                        /* it logs out when nothing waits to be sent, */
    int64_t leave_ns;                    /* or then                                  */
    bool disabling;                      /* and takes no connection from then on     */
    struct tw_fix_link *twin;            /* the run ends: its other end, if in it    */
    char farewell[200];                  /* says so, in its Logout                   */
    bool told, failed;                   /* that it can't connect; can't log on      */
    bool told_removed;                   /* that an old log is gone                  */
    bool told_deaf;                      /* that on_fix gets nothing of it           */
    bool told_rules;                     /* how a dictionary gets a venue's fields   */
    bool heard;                          /* by a reader of the tape, as of `readers` */
    unsigned readers;
    bool unheard;                        /* the tape's readers are to be woken       */
    bool is_dirty;                       /* it is in the engine's list               */
    struct tw_fix_link *next_dirty;
    uint64_t tickets;                    /* taken from the outbox                    */
    uint64_t stalls;                     /* times that its peer did not read         */
    struct tw_fix_hush hush;

    struct tw_outbox outbox;             /* any thread puts, FEED takes              */
    atomic_bool up;                      /* atomic: FEED stores, all load            */
    atomic_bool rung;                    /* atomic: it is in the engine's stack      */
    struct tw_fix_link *next_gone;       /* mutex: the engine's                      */
    struct tw_fix_link *next_rung;       /* owner: who made it rung, then FEED       */

    pthread_mutex_t lock;
    struct tw_fix_link_status status;    /* mutex: under lock                        */
};

struct tw_fix_engine {
    struct tw_fix_engine_options o;      /* constant                                 */
    uv_loop_t *loop;                     /* constant                                 */
    pthread_mutex_t lock;                /* of links and their names                 */
    _Atomic(struct tw_fix_link *) links[TW_FIX_LINKS_MAX];  /* atomic: under lock, all
                                          * load: whole below count                  */
    struct tw_fix_link *gone;            /* mutex: removed, and out of their places  */
    atomic_uint count;                   /* atomic: under lock, all load             */
    struct tw_fix_door *doors[TW_FIX_DOORS_MAX];    /* constant below n_doors        */
    atomic_uint n_doors;                 /* atomic: MAIN stores, all load            */
    struct tw_outbox commands;           /* any thread puts, FEED takes              */
    _Atomic(struct tw_fix_link *) rung;  /* atomic: any pushes, FEED takes all       */
    atomic_uint readers;                 /* atomic: any counts changes, FEED loads   */
    struct tw_bell bell;
    uv_prepare_t before;                 /* owner: FEED: before the loop sleeps      */
    uv_check_t after;                    /* and after                                */
    uv_idle_t idle;                      /* it is not to sleep                       */
    uv_timer_t limit;                    /* of the end                               */
    int64_t limit_ns;                    /* owner: FEED: when it is due              */
    unsigned spared;                     /* owner: FEED: how often it began anew     */
    struct tw_fix_link *dirty;           /* owner: FEED: may have something to write */
    bool stopping, over;                 /* owner: FEED                              */
    int64_t answers_ns;                  /* owner: FEED; so long, as it ends       */
};

/* ---- fix_engine.c ---- */

struct tw_fix_now tw_fix_now(void);

/* True: it may be said; then `unsaid` is how often it was not, and is 0 from now on. */
bool tw_fix_may_say(struct tw_fix_hush *h, uint64_t *unsaid);

enum tw_fix_command_kind {
    TW_FIX_DO_BEGIN, TW_FIX_DO_OPEN, TW_FIX_DO_ENABLE, TW_FIX_DO_DISABLE,
    TW_FIX_DO_LOGOUT, TW_FIX_DO_RESET, TW_FIX_DO_NUMBERS, TW_FIX_DO_REMOVE,
    TW_FIX_DO_LOGON
};

struct tw_fix_command {
    enum tw_fix_command_kind kind;
    struct tw_fix_link *link;
    struct tw_fix_door *door;
    uint64_t in, out;
    char text[200];
};

/* A place and a name for the link, and a place at its door; TW_EBUSY: the name is in use;
 * TW_ELIMIT: there is none.  Thread: any. */
int tw_fix_engine_enter(struct tw_fix_engine *e, struct tw_fix_link *l,
                        struct tw_error *error);

/* Its place at its door may be another one's.  Thread: any. */
void tw_fix_engine_leave(struct tw_fix_link *l);

/* ---- fix_make.c ---- */

/* Thread: any; tw_fix_link_drop MAIN, when the loop has ended. */
struct tw_fix_link *tw_fix_link_make(struct tw_fix_engine *e, const char *name,
                                     const struct tw_fix_link_options *o,
                                     struct tw_fix_door *door, struct tw_error *error);
void tw_fix_link_drop(struct tw_fix_link *l);

/* Copies all that the options point at, but what outlives the engine; false: no memory.
 * Thread: any. */
bool tw_fix_link_own(struct tw_arena *a, struct tw_fix_link_options *o);

/* Closes the store, the log and the session: it is removed. */
void tw_fix_link_shut(struct tw_fix_link *l);

/* ---- fix_link.c: all on FEED ---- */

extern const struct tw_fix_handlers tw_fix_link_handlers;   /* ctx is to be the link */

void tw_fix_link_begin(struct tw_fix_link *l) TW_ON(FEED);
void tw_fix_link_command(struct tw_fix_link *l, const struct tw_fix_command *c,
                         const char *body, size_t n) TW_ON(FEED);

/* What tw_fix_link_logon was given: the Logon that waits goes out. */
void tw_fix_link_log_on(struct tw_fix_link *l, const char *p, size_t n) TW_ON(FEED);

/* Somebody rang: what waits in its outbox goes out, the consumer looks. */
void tw_fix_link_rung(struct tw_fix_link *l) TW_ON(FEED);

/* After anything: writes, hangs up, sets the timer, publishes its status. */
void tw_fix_link_turn(struct tw_fix_link *l) TW_ON(FEED);

/* An acceptor's connection is this session's: the first n bytes were read. */
int tw_fix_link_connect(struct tw_fix_link *l, struct tw_fix_visitor *c,
                        struct tw_wire *w, const char *peer, const char *p, size_t n,
                        struct tw_error *error) TW_ON(FEED);

/* It ends: no connection is made any more; what there is logs out when what was sent
 * before has gone out. */
void tw_fix_link_leave(struct tw_fix_link *l, const char *text) TW_ON(FEED);
bool tw_fix_link_is_down(const struct tw_fix_link *l) TW_ON(FEED);
void tw_fix_link_end(struct tw_fix_link *l) TW_ON(FEED);

/* Before a connection: what was revoked since, and whether that can be read.
 * Thread: FEED.  Blocks: on the file. */
void tw_fix_renew(struct tw_fix_engine *e, const char *who, struct tw_tls_context *tls);

/* Log line about it, unless too many were said just now. */
void tw_fix_link_say(struct tw_fix_link *l, enum tw_log_level level, const char *format,
                     ...) TW_PRINTF(3, 4);

/* ---- fix_door.c ---- */

/* Thread: MAIN before the loop runs, or FEED; tw_fix_door_free MAIN, after it. */
struct tw_fix_door *tw_fix_door_make(struct tw_fix_engine *e,
                                     const struct tw_fix_door_options *o,
                                     struct tw_error *error);
void tw_fix_door_free(struct tw_fix_door *d);
int tw_fix_door_bind(struct tw_fix_door *d, struct tw_error *error);

/* A session more that is to be waited for, or less.  TW_ELIMIT: there is no place.
 * Thread: any, with the engine's lock held. */
int tw_fix_door_take(struct tw_fix_door *d, const char *name, struct tw_error *error);
void tw_fix_door_give(struct tw_fix_door *d);

void tw_fix_door_begin(struct tw_fix_door *d) TW_ON(FEED);

/* Nobody comes in any more; then nothing of it is open. */
void tw_fix_door_end(struct tw_fix_door *d) TW_ON(FEED);
bool tw_fix_door_is_empty(const struct tw_fix_door *d) TW_ON(FEED);
void tw_fix_door_close(struct tw_fix_door *d) TW_ON(FEED);

int tw_fix_door_add(struct tw_fix_door *d, struct tw_fix_session *s,
                    struct tw_error *error) TW_ON(FEED);
void tw_fix_door_remove(struct tw_fix_door *d, const struct tw_fix_session *s)
    TW_ON(FEED);

/* The link has done with the connection; polite: the peer may still read. */
void tw_fix_visitor_leave(struct tw_fix_visitor *v, bool polite) TW_ON(FEED);

/* ---- fix_missed.c ---- */

/* Counts and tells a message that was answered so, if nobody was there for it.
 * own: by the link's consumer. */
void tw_fix_link_noted(struct tw_fix_link *l, const struct tw_fix_message *m,
                       enum tw_fix_answer answer, bool own) TW_ON(FEED);

/* What to do is said when the first message is refused by the dictionary: most venues
 * have fields of their own. */
void tw_fix_link_advise(struct tw_fix_link *l, const struct tw_fix_event *e) TW_ON(FEED);

/* ---- fix_tape.c ---- */

/* Names of its topics.  Thread: any. */
int tw_fix_tape_open(struct tw_fix_link *l, struct tw_error *error);

/* Of one that the link's consumer has answered so; without a consumer as UNSUPPORTED. */
enum tw_fix_answer tw_fix_tape_message(struct tw_fix_link *l,
                                       const struct tw_fix_message *m,
                                       enum tw_fix_answer so_far) TW_ON(FEED);
void tw_fix_tape_event(struct tw_fix_link *l, const struct tw_fix_event *e) TW_ON(FEED);

#endif
