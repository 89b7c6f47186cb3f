/* script.h - one instance of a script: its file, self, handlers and cursor.
 *
 * Layer lua.  Thread: WORKER, the worker that the instance belongs to.
 */
#ifndef LTW_SCRIPT_H
#define LTW_SCRIPT_H

#include "ltw.h"
#include "share/value.h"

struct ltw_code;
struct ltw_engine;
struct ltw_job;
struct ltw_tracker;
struct ltw_trader;

/* What the app says of an instance.  Constant for the run. */
struct ltw_script_options {
    const char *name;             /* as the app names it: "stats/security.lua" */
    const char *path;             /* of the file                               */
    struct ltw_version *version;  /* that it begins with                       */
    uint32_t id;                  /* 1, 2, ... over all instances of the run   */
    unsigned shard, shards;       /* the shard-th of shards; 0 of 0: all       */
    bool reliable;                /* the tape waits for it                     */
    unsigned restarts;            /* after errors, in a row; 0: none           */
    struct tw_any options;        /* a table or nil: params, symbols, ... */
};

/* atomic: the script's worker stores, MAIN loads; they outlive the script. */
struct ltw_script_counts {
    _Alignas(TW_CACHELINE) _Atomic uint64_t at, handled, lost, errors;
    _Atomic uint64_t version, since;   /* which one runs, from which record on */
    _Atomic uint64_t stage;            /* enum ltw_stage                       */
    _Atomic uint64_t done, of;         /* records of it                        */
    _Atomic uint64_t stage_ns;         /* it began: on the steady clock        */
    _Atomic uint64_t trades;           /* it has an account: 1                 */
    _Atomic uint64_t orders, fills, open;   /* sent, their trades; open now    */
    _Atomic int64_t pnl;               /* equity - deposits, in 1e-9           */
    _Atomic uint64_t passed;           /* see ltw_script_pass; FEED loads      */
};

/* What a new version of it is in, beside it; or the old one, guarded. */
enum ltw_stage { LTW_STAGE_NONE, LTW_STAGE_WARMING, LTW_STAGE_SHADOW, LTW_STAGE_GUARDED };

enum ltw_step { LTW_IDLE, LTW_WORKED, LTW_FAILED, LTW_STOPPED };

/* Runs the file in a coroutine of its own and binds its handlers.  NULL:
 * *error says where and why.  Blocks: while the file's code runs. */
struct ltw_script *ltw_script_new(struct ltw_engine *engine,
                                  const struct ltw_script_options *options,
                                  struct ltw_script_counts *counts,
                                  struct tw_error *error);
void ltw_script_free(struct ltw_script *s);

/* Of the file that is being run, or else of its version. */
struct ltw_code *ltw_script_code(struct ltw_script *s);

/* Runs the file of the version again, for a new self; the cursor stays. */
int ltw_script_restart(struct ltw_script *s, struct tw_error *error);

/* Runs on_start, or up to 256 records, or what was waiting.  After LTW_FAILED
 * the error was logged and nothing runs before a restart.
 * Blocks: while the handlers run. */
enum ltw_step ltw_script_step(struct ltw_script *s);

/* Makes a new version ready beside the one that runs, tells the job, and takes part in
 * it from then on.  Blocks: while the file's code runs. */
void ltw_script_prepare(struct ltw_script *s, struct ltw_job *job);

/* The job is waiting for it: ends the wait that its handler is in. */
void ltw_script_hurry(struct ltw_script *s);

/* It takes part in a job: it must not be restarted now. */
bool ltw_script_is_changing(const struct ltw_script *s);

/* Where what it sends goes; NULL: out, or nowhere when it is muted. */
struct ltw_outputs *ltw_script_outputs(const struct ltw_script *s);

/* What it does comes nowhere: it is a candidate. */
bool ltw_script_is_muted(const struct ltw_script *s);

/* Does what runs now come nowhere? */
static inline bool ltw_is_muted(lua_State *L)
{
    const struct ltw_state *state = ltw_state(L);

    return state->muted || (state->script && ltw_script_is_muted(state->script));
}

/* Between two versions: no code of it runs now. */
bool ltw_script_is_still(const struct ltw_script *s);

/* Would step do something? */
bool ltw_script_ready(const struct ltw_script *s);

/* Ends all waits and tasks; when they have ended a step runs on_stop, and after it:
 * LTW_STOPPED. */
void ltw_script_stop(struct ltw_script *s);

/* It failed or was stopped: nothing of it runs, nor its tasks. */
bool ltw_script_ended(const struct ltw_script *s);

/* The seq of its next record; 0 while it waits or is to be restarted. */
uint64_t ltw_script_quiet(const struct ltw_script *s);

/* Tells the scripts that it shares limits with how far it is; see sequence.h. */
void ltw_script_yield_turn(struct ltw_script *s);

/* Tells the venue of the run how far it is: it has handled all records before its next
 * one, and what it does because of them is done; or it does not read now. */
void ltw_script_pass(struct ltw_script *s);

/* Takes no more records until it is false; what waits in it goes on. */
void ltw_script_pause(struct ltw_script *s, bool paused);

/* [-0, +1, -]  Its self; nil when it has failed. */
void ltw_script_push_self(lua_State *L, const struct ltw_script *s);

bool ltw_script_stopping(const struct ltw_script *s);

/* Of its handlers, and of the tasks that it has detached. */
struct ltw_scope *ltw_script_scope(struct ltw_script *s);

/* Its handler runs now, not a task of it. */
bool ltw_script_is_handling(const struct ltw_script *s);

/* Gives back the record being handled; true when the tape is full of what this
 * script has not read, so that it would wait for itself. */
bool ltw_script_is_full(struct ltw_script *s);

/* [-0, +1, m]  The tracker of what it has declared; nil, and false: it has none. */
bool ltw_script_push_tracker(lua_State *L, const struct ltw_script *s);

/* [-0, +0, m]  Gives it the tracker on top. */
void ltw_script_set_tracker(lua_State *L, struct ltw_script *s, struct ltw_tracker *t);

/* [-0, +0, e]  Its trader, which is made when it has none. */
struct ltw_trader *ltw_script_get_trader(lua_State *L, struct ltw_script *s);

const struct ltw_script_options *ltw_script_options(const struct ltw_script *s);

/* ---- shadow.c ---- */

/* A candidate has failed, or a task of it: why. */
void ltw_shadow_failed(struct ltw_script *candidate, const char *why);

/* Frees the candidates that were dropped, as soon as their tasks have ended, or all. */
void ltw_shadow_sweep(struct ltw_engine *e, bool all);

/* Its candidate runs up to 256 records; did it anything?  ready: would it? */
bool ltw_shadow_step(struct ltw_script *s);

/* Its candidate waits where it did the last time, while the script has gone on, or stands
 * still for it: it is refused. */
void ltw_shadow_check(struct ltw_script *s);
bool ltw_shadow_ready(const struct ltw_script *s);

#endif
