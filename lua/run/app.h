/* app.h - a running system, as its parts see it.
 *
 * Layer lua.  Thread: MAIN, but for what says otherwise.
 */
#ifndef LTW_APP_H
#define LTW_APP_H

#include <stdatomic.h>
#include <uv.h>

#include "run/engine.h"
#include "feed/lean.h"
#include "run/exchange.h"
#include "run/io.h"
#include "run/pool.h"
#include "tape/writer.h"
#include "watchdog.h"

enum { LTW_WHY = 200, TW_APP_ERROR = sizeof ((struct tw_error *)0)->text };

/* The program that an app runs inside: what it gives, and wants to hear.  Constant. */
struct ltw_embedder {
    struct ltw_embedded given;
    size_t memory_max;          /* of a state; 0: as the app says                  */
    /* MAIN; what is printed and logged; false: it goes where it always goes */
    bool (*line)(void *ctx, enum tw_log_level level, const char *who, const char *text,
                 size_t n);
    void (*begun)(void *ctx);   /* MAIN; every script is loaded, the feeds run     */
    void (*look)(void *ctx);    /* MAIN; it was rung                               */
    void *ctx;
};

struct tw_app_options {
    unsigned workers;           /* Lua states, a thread each; 0: as many as cores  */
    double seconds;             /* of feeds, then it ends; 0: when they end        */
    const char *const *set;     /* "name=value" for app.param; ends in NULL        */
    bool signals;               /* SIGINT and SIGTERM stop the run                 */
    const struct ltw_embedder *embedder;   /* NULL: the program is tidewire        */
    bool screen;                /* a live screen where standard output is a terminal */
    bool watch;                 /* files of scripts: a new version when they change */
    const char *record;         /* a tape file to make of the run; NULL: none      */
    enum tw_tape_sync sync;     /* of that file: see tape/writer.h                 */
    bool zstd;                  /* that file is packed                             */
    bool attach;                /* `tidewire attach` reaches it: a socket of its owner */
    const char *audit;          /* the file that says who changed what, or NULL     */
};

/* A change of a feed on its way from the io thread to the app file. */
struct ltw_change { unsigned feed; enum tw_feed_state state; char why[LTW_WHY]; };

struct ltw_fix;

struct tw_app {
    struct tw_app_options o;          /* constant                                */
    const char *path;                 /* constant; of the app file               */
    struct ltw_version *version;      /* constant; as it was read first          */
    struct ltw_state *state;          /* MAIN's Lua state                        */
    struct ltw_appfile *file;         /* what was taken up since, or NULL        */
    struct tw_any declared;           /* what the app file declares, see appfile.h */
    struct ltw_attach *attach;        /* or NULL: nobody can                     */
    enum tw_log_level log_level;      /* beyond it nothing is printed            */
    struct ltw_host host;             /* constant while workers run              */
    struct tw_io *io;
    struct ltw_fix *fix;              /* its sessions, or NULL: see fix.h        */
    struct tw_exchange **exchanges;
    unsigned n_exchanges;
    struct ltw_script_options *scripts;   /* by worker                           */
    struct ltw_script_counts *counts;     /* likewise                            */
    unsigned n_scripts;
    struct ltw_engine *engines;       /* o.workers of them                       */
    struct tw_worker **workers;
    struct ltw_watch *watches;
    uv_loop_t loop;
    uv_async_t bell;                  /* any thread sends                        */
    uv_timer_t tick;
    uv_signal_t interrupt, terminate;
    struct ltw_reloads *reloads;      /* owner: MAIN, see reload.h               */
    struct tw_recorder *recorder;     /* or NULL, see recording.h                */
    char **script_names;              /* or NULL, see recording.h                */
    const char *spelling;             /* of a tape feed that is added, see recording.c */
    unsigned version_number;          /* of the app file, since that record      */
    uint64_t version_since;
    bool loop_open, bell_open;
    unsigned ticks;
    int64_t began_ns, went_ns, ended_ns;    /* went: all is loaded, feeds begin  */
    atomic_bool stop;                 /* atomic: any thread sets it              */
    atomic_bool failed;               /* atomic: workers and feeds set it        */
    atomic_bool unseen_failure;       /* atomic: any thread sets it              */
    struct tw_unseen unseen;          /* constant                                */
    atomic_bool draining;             /* atomic: the io thread sets it           */
    bool endless[TW_SOURCE_MAX];      /* feeds that nobody waits for             */
    bool dials[TW_SOURCE_MAX];        /* feeds that connect to a peer            */
    bool reads[TW_SOURCE_MAX];        /* feeds that have a file, or stdin        */
    bool reliable;                    /* no feed is live: the tape waits         */
    bool book;                        /* it declares that orders meet in a venue */
    int program;                      /* the feed that the embedder is, or -1    */
    atomic_uint halted;               /* atomic: engines whose scripts are ending */
    atomic_uint closed;               /* atomic: engines that have closed        */
    pthread_mutex_t lock;             /* guards the two below                    */
    struct ltw_change changes[64];    /* mutex: for on_feed; the oldest gives way */
    unsigned n_changes;               /* mutex                                   */
    int status;                       /* of the process                          */
};

/* Runs the app file and checks what it declares.  NULL: `error` has one line.
 * Thread: any, which is then MAIN.  Blocks: while the file's code runs. */
struct tw_app *tw_app_open(const char *path, const struct tw_app_options *options,
                           char error[TW_APP_ERROR]);

/* Runs until the time is over, every feed has ended and every script has read
 * all, a script failed, or it is told to stop.  0; 1 when something failed (which
 * was printed); 128 + the signal that stopped it.
 * Blocks: for the whole run. */
int tw_app_run(struct tw_app *app);

/* Thread: any, and signal handlers.  Blocks: never. */
void tw_app_stop(struct tw_app *app);

/* app may be NULL. */
void tw_app_close(struct tw_app *app);

/* [-0, +0, e]  Builds what the table on top declares (see stdlib/app.lua); the
 * table stays.  A failure is in *error. */
int ltw_app_build(lua_State *L, struct tw_app *app, struct tw_error *error) TW_ON(MAIN);
/* Starts the exchanges, then adds the feeds, which may connect to them. */
int ltw_app_add_feeds(lua_State *L, struct tw_app *app, struct tw_error *error)
    TW_ON(MAIN);
/* The venue of the run becomes a feed, when a script has a seat or may take one.  The
 * scripts are loaded; none of them runs. */
int ltw_app_add_book(struct tw_app *app, struct tw_error *error) TW_ON(MAIN);
void ltw_app_unbuild(struct tw_app *app) TW_ON(MAIN);

/* [-0, +0, m]  What the table on top says of a CSV file, whose texts *csv refers to.  The
 * path of one of LEAN's says in *lean what would else be given one by one. */
int ltw_csv_options(lua_State *L, struct tw_csv_options *csv, struct tw_lean *lean,
                    struct tw_error *error);

/* [-0, +0, m]  What the table on top, of tw.app, says of a feed; *o refers to its texts
 * and to *lean. */
int ltw_feed_options(lua_State *L, struct tw_feed_options *o, struct tw_lean *lean,
                     struct tw_error *error);

/* [-1, +1, m]  From the app (a light userdata) a table of all its figures: what
 * tw.monitor draws and an app's on_end gets. */
int ltw_status(lua_State *L);

/* "waiting", "live", "ended" or "failed", as scripts see it. */
const char *ltw_feed_state_name(enum tw_feed_state state);

/* Prints what the log holds and tells the app file of changed feeds. */
void ltw_app_speak(void *app);

/* A line of the log: printed, and told to who is attached. */
void ltw_app_print(void *app, enum tw_log_level level, const char *who,
                   const char *text, size_t n);

/* Have all feeds ended that can?  Timers tick for ever: they count only where there is
 * nothing else.  *n: how many have. */
bool ltw_app_feeds_ended(struct tw_app *app, unsigned *n) TW_ON(MAIN);

/* Tells MAIN to look.  Thread: any. */
void ltw_app_ring(void *app);

#endif
