/* instance.h - what the files of a script's instance share.
 *
 * The coroutine's stack, as dispatch sees it, and the list in the registry that it is
 * filled from (the frame):
 *
 *   1 self   2 names (record.h)   3 + i: handler i (handler.h), or nil
 *
 * Layer lua, for script.c, dispatch.c, switch.c and persist.c alone.  Thread: WORKER,
 * the instance's.
 */
#ifndef LTW_INSTANCE_H
#define LTW_INSTANCE_H

#include "code.h"
#include "run/engine.h"
#include "reload/job.h"
#include "reload/outputs.h"
#include "run/sequence.h"
#include "stat/tracker.h"

enum { LTW_SELF = 1, LTW_NAMES = 2, LTW_FRAME = 3 };   /* stack of the coroutine */

/* A change of version that is under way; see switch.c. */
struct ltw_switch {
    struct ltw_job *job;                        /* holds a reference; NULL: none */
    struct ltw_code next;                       /* after taking over: the old one */
    struct ltw_tracker *tracker;                /* likewise, of the other version */
    int tracker_ref;
    lua_State *co;                              /* for the new version           */
    int co_ref, frame;                          /* registry: co; its stack       */
    int ref;                                    /* registry: see switch.c        */
    bool here;                                  /* the record of it has come     */
    bool arrived;                               /* it has agreed or refused      */
    bool taken_over;                            /* the new version is in place   */
    bool kept_tracker;                          /* but what the old one declared */
    bool warmed;                                /* its candidate has caught up   */
    struct ltw_shadow *guard;                   /* for behind it, or NULL        */
    bool begun, compared;                       /* beside the new one; for long enough */
    uint64_t scopes;                            /* later ones are of its callbacks     */
};

struct ltw_bars;
struct ltw_books;
struct ltw_shadow;
struct ltw_trader;

struct ltw_script {
    struct ltw_engine *engine;                  /* constant                      */
    struct ltw_script *of;                      /* a candidate: beside this one, or
                                                 * NULL: it has been dropped     */
    bool is_candidate;                          /* constant                      */
    struct ltw_script *next;                    /* a candidate that is leaving   */
    struct ltw_shadow *shadow;                  /* its candidate, or NULL        */
    struct ltw_outputs *outputs;                /* see script.h                  */
    struct ltw_outputs held;                    /* of on_reload, until it counts */
    const struct ltw_script_options *o;         /* of the version                */
    struct tw_cursor cursor;
    struct ltw_sequence *sequence;              /* constant; or NULL: any time   */
    struct ltw_version *version;                /* that it runs; one reference   */
    struct ltw_code code;                       /* of it                         */
    struct ltw_task task;                       /* its waits                     */
    struct ltw_scope *scope;                    /* of handlers and tasks         */
    struct ltw_scope *handlers;                 /* in it, of the handlers' waits */
    lua_State *co;
    int ref, frame;                             /* registry: co; its stack       */
    int persist;                                /* registry: see persist.c       */
    struct ltw_tracker *tracker;                /* what it declared, or NULL     */
    int tracker_ref;                            /* registry: it                  */
    struct ltw_bars *bars;                      /* that it has made, or NULL     */
    struct tw_record bar;                       /* of these, being handled       */
    struct ltw_books *books;                    /* that it has read, or NULL     */
    bool keeps_books;                           /* it has asked for one          */
    struct ltw_trader *trader;                  /* NULL: it does not trade       */
    unsigned fired, n_fired;                    /* conditions to be called       */
    bool pending;                               /* then the record's handler     */
    bool pending_book;                          /* then on_book                  */
    enum { SCRIPT_RUNNABLE, SCRIPT_WAITING, SCRIPT_FAILED, SCRIPT_STOPPED } state;
    bool after_batch;                           /* it yielded because of that    */
    bool woken;                                 /* it waited, and need no more   */
    bool waited;                                /* since it took its last record */
    bool paused;                                /* takes no records              */
    bool started, stopping;
    bool loading;                               /* the file of a new version runs */
    int handling;                               /* enum ltw_handler_id, or -1    */
    bool in_condition;                          /* the function of a self:when   */
    unsigned budget;                            /* records left of the batch     */
    uint64_t handled;                           /* by handlers, restarts or not  */
    unsigned kinds;                             /* of records that came          */
    int64_t first_received;                     /* of the batch, 0: none yet     */
    struct tw_record record;                    /* the one being handled         */
    struct ltw_switch sw;
    struct ltw_script_counts *counts;           /* see script.h                  */
};

/* ---- script.c ---- */

/* [-0, +0, e]  Warns of parameters that its code has no use for; not by event time, where
 * the backtest tells of them. */
void ltw_script_tell_unread(lua_State *L, const struct ltw_script *s,
                            const struct ltw_script_options *o);

/* [-0, +1, e]  self.params. */
void ltw_script_push_params(lua_State *L, const struct ltw_code *code,
                            const struct ltw_script_options *o);

/* [-0, +1, m]  The frame of that code; self is at the stack index. */
void ltw_script_push_frame(lua_State *L, const struct ltw_code *code, int self);

/* [-0, +1, m]  A new coroutine that will run dispatch over the frame. */
lua_State *ltw_script_push_coroutine(lua_State *L, struct ltw_script *s);

void ltw_script_publish(_Atomic uint64_t *counter, uint64_t value);

/* The coroutine begins anew, whatever the old one was in; false: no memory. */
bool ltw_script_renew(struct ltw_script *s);

/* Beside a script, of a version and what the app says to it; it reads from that seq on,
 * and has not run its file: ltw_script_restart.  NULL: no memory. */
struct ltw_script *ltw_script_new_candidate(struct ltw_script *of, struct ltw_version *v,
                                            const struct ltw_script_options *o,
                                            uint64_t from);

/* Opens its scope; false: no memory.  For one whose self is made by somebody else: with
 * frame and coroutine it is ready. */
bool ltw_script_open(struct ltw_script *s);
void ltw_script_ready_from(struct ltw_script *s);

/* Nothing of it runs any more but the tasks that it has made, which are told to end. */
void ltw_script_cease(struct ltw_script *s);

/* [-0, +0, e]  Gives it a trader, of what its code says of its account. */
void ltw_script_make_trader(lua_State *L, struct ltw_script *s);

/* Its coroutine stands between two batches, and nothing has woken it. */
static inline bool ltw_script_is_at_rest(const struct ltw_script *s)
{
    return s->state == SCRIPT_RUNNABLE && s->after_batch && !s->woken;
}

/* ---- dispatch.c ---- */

/* Runs for ever in the script's coroutine: on_start, batches with a yield after each,
 * on_stop. */
int ltw_script_dispatch(lua_State *L, int status, lua_KContext script);

/* ---- switch.c ---- */

/* What is to be done about a change of version, before anything else; true: it stands
 * still. */
bool ltw_switch_step(struct ltw_script *s);
bool ltw_switch_is_ready(const struct ltw_script *s);

/* The cursor is past the record of the change. */
bool ltw_switch_is_due(const struct ltw_script *s);

/* Its coroutine is at rest and the change is due: agrees or refuses. */
void ltw_switch_arrive(struct ltw_script *s);

/* [-0, +1, -]  What stands for what while a change is under way: see remap.h. */
void ltw_switch_push_map(lua_State *L, const struct ltw_script *s);

/* The version that is coming, and what the app says to it then. */
struct ltw_version *ltw_switch_next(const struct ltw_script *s);
const struct ltw_script_options *ltw_switch_options(const struct ltw_script *s);

/* Its candidate has caught up, or it has none; likewise: was compared. */
void ltw_switch_warmed(struct ltw_script *s);
void ltw_switch_compared(struct ltw_script *s);

/* What on_reload has sent and found no room. */
void ltw_switch_send(struct ltw_script *s);

/* A copy of its script's self is to be the new version's; false: the error is on top of
 * the state's stack. */
bool ltw_switch_settle_copy(struct ltw_script *c);

/* Takes no part: why.  It has failed, and will restart with what is decided; but not
 * with a version that was to be compared with it. */
void ltw_switch_refuse(struct ltw_script *s, const char *why);
void ltw_switch_fail(struct ltw_script *s);

/* It is freed. */
void ltw_switch_fini(struct ltw_script *s);

/* ---- shadow.c ---- */

/* Begins to warm a candidate of the version that the job is to.  False: the error is on
 * top of the state's stack. */
bool ltw_shadow_warm(struct ltw_script *s);

/* Is there one, which takes part in the change?  Then it is at the same record as the
 * script when it is there. */
struct ltw_script *ltw_shadow_candidate(const struct ltw_script *s);
bool ltw_shadow_is_there(const struct ltw_script *s);

/* The script stands still until its candidate has caught up. */
bool ltw_shadow_holds(const struct ltw_script *s);

/* At the record where the versions begin to be compared: a copy of the script, of the new
 * version, takes the place of the candidate.  At that of the change: one of the old
 * version, which is to be the new one's shadow.  False: the error is on top of the
 * state's stack. */
bool ltw_shadow_begin(struct ltw_script *s);
bool ltw_shadow_make_guard(struct ltw_script *s);

/* The change is decided: the candidate goes; the old version's copy, too, unless the new
 * version runs now. */
void ltw_shadow_settle(struct ltw_script *s, bool commit);

/* The script has failed beside its shadow of the old version: that counts there, and the
 * script goes on with the next record.  False: it has none. */
bool ltw_shadow_forgives(struct ltw_script *s);

/* The candidate goes, if there is one. */
void ltw_shadow_drop(struct ltw_script *s);

/* ---- persist.c ---- */

/* [-0, +0, m]  Appends what the coming version persists to the list on top.  True:
 * something is to be migrated. */
bool ltw_persist_add(lua_State *L, const struct ltw_script *s);

/* [-0, +0, m]  What the coming version is the first to persist is what the candidate has
 * made of it. */
void ltw_persist_warm(lua_State *L, const struct ltw_script *s,
                      const struct ltw_script *candidate);

/* [-0, +0, m]  Appends the tables that it persists to the list on top. */
void ltw_persist_list(lua_State *L, const struct ltw_script *s);

/* Is something of it to be migrated? */
bool ltw_persist_moves(lua_State *L, const struct ltw_script *s);

/* [-0, +0, m]  A candidate persists what its script does, in the copies that the table at
 * `memo` knows. */
void ltw_persist_copy(lua_State *L, struct ltw_script *candidate, int memo);

/* [-0, +0, e]  Migrates it. */
void ltw_persist_migrate(lua_State *L, const struct ltw_script *s);

/* [-0, +0, m]  What the coming version persists is what is persisted; or is forgotten. */
void ltw_persist_end(lua_State *L, const struct ltw_script *s, bool commit);

#endif
