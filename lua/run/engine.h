/* engine.h - what a worker runs: one Lua state and its scripts.
 *
 * Layer lua.
 */
#ifndef LTW_ENGINE_H
#define LTW_ENGINE_H

#include "base/histogram.h"
#include "ltw.h"
#include "run/worker.h"
#include "run/script.h"
#include "task/task.h"

struct ltw_engine {
    struct ltw_host *host;                    /* constant                        */
    const char *path;                         /* constant; package.path          */
    struct ltw_script_options *options;       /* constant; one for each script   */
    struct ltw_script_counts *counts;         /* constant; likewise              */
    unsigned n;                               /* constant                        */
    unsigned index;                           /* constant                        */
    char who[16];                             /* constant; "worker 0"            */
    void (*failed)(void *ctx, bool fatal);    /* constant; a script failed       */
    void (*halted)(void *ctx);                /* constant; its scripts were told to end */
    void (*closed)(void *ctx);                /* constant; the last that it does */
    /* constant; appends the next record to the tape where a script has read all below
     * `next`, which it becomes, and gives it; false: it did not.  NULL: others write to
     * the tape. */
    bool (*more)(void *ctx, uint64_t next, struct tw_record *out);
    void *ctx;                                /* constant; of all these          */
    struct ltw_state *state;                  /* owner: the worker               */
    struct tw_worker *worker;                 /* constant                        */
    struct ltw_remotes *remotes;              /* constant; see remote.h          */
    struct ltw_job *job;                      /* MAIN, before it posts prepare   */
    bool in_step;                             /* MAIN, before it posts go: each record
                                               * waits for the scripts           */
    struct ltw_script **scripts;              /* owner: the worker, n of them    */
    struct ltw_script *leaving;               /* owner: the worker; candidates whose
                                               * tasks are still ending          */
    uv_timer_t *restarts;                     /* owner: the worker, n of them    */
    struct tw_error error;                    /* owner: the worker, MAIN after start */
    size_t collected;                         /* owner: the worker; bytes after GC */
    bool going;                               /* owner: the worker; see go       */
    bool stopping, has_halted, has_told;      /* owner: the worker               */
    unsigned handles;                         /* owner: the worker; open timers  */
    struct ltw_pulse pulse;                   /* see ltw.h                       */
    _Atomic uint64_t bytes, bytes_peak, allocations;  /* atomic: of the state     */
    struct tw_histogram reach_ns, done_ns;    /* received to handler begun / done */
};

/* Registry field: the engine, a light userdata. */
#define LTW_ENGINE "tw.engine"

extern const struct tw_worker_ops ltw_engine_ops;   /* ctx: struct ltw_engine * */

/* [-0, +0, e]  package.path begins with the text at 1, where the app file is. */
int ltw_engine_set_path(lua_State *L);

/* Lets the scripts run: when every worker's are loaded, so that what one of them
 * publishes in on_start reaches all.  Thread: WORKER, its own. */
void ltw_engine_go(struct ltw_engine *e);

/* Prepares the instances of e->job's scripts for it.  Thread: WORKER, its own. */
void ltw_engine_prepare(struct ltw_engine *e);

/* Ends the waits of those that the job waits for.  Thread: WORKER, its own. */
void ltw_engine_hurry(struct ltw_engine *e);

/* Refuses candidates that have waited since the last time.  Thread: WORKER, its own. */
void ltw_engine_check(struct ltw_engine *e);

/* All feeds have ended: tells of symbols that scripts name and no feed has had.
 * Thread: WORKER, its own. */
void ltw_engine_tell_unknown(struct ltw_engine *e);

/* Ends the waits and tasks of every script, and starts on_stop when they have ended;
 * the worker quits when all is done.  Thread: WORKER, its own. */
void ltw_engine_stop(struct ltw_engine *e);

/* Ends what others have sent: when every worker has halted, so that a script that
 * waits for it was told of the end before.  Thread: WORKER, its own. */
void ltw_engine_stop_remotes(struct ltw_engine *e);

#endif
