/* ltw.h - what every file of lua/ shares: a state, the host it belongs to.
 *
 * Each C function that touches a stack carries the Lua manual's indicator:
 *   [-o, +p, x]   o popped, p pushed, x errors: - none, m memory, e any.
 *
 * Layer lua.
 */
#ifndef LTW_H
#define LTW_H

#include <stdatomic.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/log.h"
#include "share/board.h"
#include "share/channels.h"
#include "share/epoch.h"
#include "share/future.h"
#include "tape/sources.h"
#include "tape/symbols.h"
#include "tape/tape.h"

/* What is asked of the pool; 0: as many threads as there are processors,
 * TW_POOL_QUEUE, no limit. */
struct ltw_pool_options { unsigned threads; size_t queue, memory_max; };

/* What the program around a host gives to each of its states: see embedded.h. */
struct ltw_embedded {
    struct ltw_given_module {
        const char *name;
        lua_CFunction open;   /* NULL: it is the value */
        struct tw_any value;
    } *modules;
    unsigned n_modules;
    struct ltw_given_text *_Atomic texts;   /* the newest first, in one allocation each */
    bool watchdog;            /* the program lends us the signal that it needs */
    void *ctx;                /* the program's own                             */
};

/* Constant, but for who frees it. */
struct ltw_given_text { struct ltw_given_text *next; const char *path, *text; size_t n; };

struct ltw_census;
struct ltw_desk;
struct ltw_library;
struct tw_caches;
struct tw_fix_engine;
struct ltw_fix;
struct ltw_recorded;
struct tw_pool;

/* Jobs of the pool that states of a host have sent and that have not been let go: the
 * futures of all others have come. */
struct ltw_counted { atomic_uint jobs; };   /* atomic: any thread counts */

/* What all states of one run share.  Constant after start.  Outside a run, in a plain
 * interpreter, there is no tape and nothing that belongs to it. */
struct ltw_host {
    struct tw_tape *tape;
    struct tw_symbols *symbols;
    struct tw_names *topics;
    struct tw_board *board;
    struct ltw_desk *desk;    /* what trading scripts share, see desk.h  */
    struct tw_epoch *epoch;
    struct tw_log *log;       /* NULL outside a run; then there is print     */
    /* Writes a whole line; of a long one stops(ctx) is asked now and then: the rest is
     * left out, and false.  Thread: any. */
    bool (*print)(const char *text, size_t n, bool (*stops)(void *ctx), void *ctx);
    void (*warn)(const char *who, const char *text);   /* any thread         */
    struct ltw_census *census;    /* of tasks, see census.h */
    struct tw_caches *caches;     /* by name */
    struct tw_unseen *unseen; /* failures that nobody looked at */
    struct tw_channels *channels;   /* those that have a name  */
    struct tw_sources sources;    /* names of the feeds */
    struct ltw_remotes **remotes;   /* of each worker, see remote.h */
    struct ltw_reloads *reloads;    /* of its scripts, see reload.h; or NULL */
    struct ltw_sequence *sequence;  /* of scripts that share limits, or NULL */
    unsigned n_workers;
    struct tw_io *io;         /* its feeds; NULL: outside a run */
    struct tw_fix_engine *fix;    /* the FIX sessions of the app, or NULL */
    struct ltw_fix *fixes;    /* what they share, see fix.h; or NULL      */
    struct ltw_recorded *recorded;   /* those of a tape file that is played */
    struct tw_pool *pool;     /* NULL: a plain program has not needed it yet */
    struct ltw_pool_options pool_options;
    struct ltw_counted *counted;   /* NULL: nobody asks how many there are */
    const char *path, *cpath; /* package's, for the pool; NULL: as they are  */
    const char *directory;    /* of the app file, with its slash, or NULL    */
    const struct ltw_embedded *embedded;   /* NULL: the program is tidewire  */
    bool plays;               /* tape files: received is of another run  */
    bool live;                /* a feed is: time goes on between records */
    bool distrusts;           /* none of its scripts is trusted      */
    bool replays;             /* with messages: none are sent            */
    struct ltw_library *library;   /* what the scripts require, or NULL */
    struct ltw_time *time;    /* NULL: the system's, see ltime.h      */
    /* Of a backtest, by symbol: declared, or of a record that has come.  NULL: all that
     * have a number.  atomic: MAIN stores, all load. */
    atomic_bool *seen;
    size_t memory_max;        /* bytes a state may have; 0: no limit  */
    int64_t time_max_ns;      /* a handler may run; 0: no limit       */
};

static inline bool ltw_has_seen(const struct ltw_host *h, uint32_t symbol)
{
    /* order [host.seen] relaxed: the flag alone */
    return !h->seen || atomic_load_explicit(&h->seen[symbol], memory_order_relaxed);
}

struct ltw_script;            /* script.h: one script instance       */
struct ltw_task;              /* task.h: a coroutine that can wait   */
struct ltw_tasks;             /* task.h: those of a state            */
struct ltw_time;              /* ltime.h: event time                 */

/* How the watchdog sees that a state's code runs, and that it moves. */
struct ltw_pulse {
    _Alignas(TW_CACHELINE) _Atomic uint64_t beat;   /* atomic: moves with handlers */
    atomic_bool inside;                             /* atomic: Lua code runs       */
};

/* One Lua state: found from any of its coroutines. */
struct ltw_state {
    lua_State *L;                 /* its main thread                        */
    lua_State *running;           /* the coroutine that runs now (watchdog) */
    struct ltw_host *host;        /* NULL: a plain interpreter              */
    const struct ltw_embedded *embedded;   /* its host's                    */
    struct ltw_script *script;    /* whose code runs now, or NULL           */
    struct ltw_task *task;        /* that runs now; NULL: it can't wait     */
    struct ltw_tasks *tasks;      /* its owner makes them                   */
    struct ltw_time *time;        /* constant; NULL: the system's, see ltime.h */
    uint64_t scopes;              /* made so far, see scope.h               */
    bool parked;                  /* the task waits: yield out to its root  */
    unsigned parked_inside;       /* coroutines that wait within tasks      */
    lua_CFunction yield;          /* constant; coroutine.yield              */
    int orders;                   /* constant; registry: their metatable    */
    struct ltw_state *outer;      /* constant; whose code waits on this thread for
                                   * all of this one's, or NULL             */
    atomic_bool told;             /* atomic: by a signal; since it was entered */
    struct ltw_pulse *pulse;      /* see above; NULL: nobody watches        */
    bool (*may_stop)(const struct ltw_state *);  /* is what runs to be stopped?
                                   * In a signal handler; NULL: yes         */
    char warning[256];            /* pieces of one, until it is complete    */
    char who[16];                 /* constant; "main", "worker 0", "pool 1" */
    const struct tw_record *record;   /* that is being handled, or NULL     */
    int64_t till_ns;              /* CPU time to end in; 0: no limit        */
    bool late;                    /* it is over                             */
    bool overrun;                 /* the watchdog is ending that script     */
    bool starved;                 /* likewise: it gets no more memory       */
    bool closing;                 /* nothing that is made is finalized      */
    bool distrusted;              /* see distrust.h                         */
    bool muted;                   /* what it publishes comes nowhere        */
    int64_t limit_ns;             /* CPU time of each call, where nobody watches; or 0 */
    const atomic_bool *over;      /* likewise: it is to end at once, or NULL */
    bool leaves;                  /* its memory stays when it is closed     */
    struct ltw_foreign *foreign;  /* ffi/foreign.h: who waits for it; or NULL */
    void (*cease)(struct ltw_foreign *);   /* of foreign                    */
    size_t bytes, bytes_max, bytes_peak;
    size_t bytes_from, bytes_till;    /* of a budget: when it began, and its end */
    size_t bytes_end;             /* no allocation passes that; 0: no budget */
    uint64_t allocations;
};

/* [-0, +0, -]  The state that L is a coroutine of. */
static inline struct ltw_state *ltw_state(lua_State *L)
{
    return *(struct ltw_state **)lua_getextraspace(L);
}

/* A new state with Lua's libraries, tidewire's modules and nothing else: the
 * one way that any state is made.  NULL: no memory.
 * Thread: the one that will own it.  Blocks: no. */
struct ltw_state *ltw_state_new(struct ltw_host *host, size_t bytes_max);
void ltw_state_free(struct ltw_state *state);

/* So much more is the state's, in Lua or beside it. */
static inline void ltw_state_add(struct ltw_state *s, size_t bytes)
{
    s->bytes += bytes;
    if (s->bytes > s->bytes_peak) s->bytes_peak = s->bytes;
}

/* [-0, +0, e]  Before it has so much more beside Lua: the collector works for that, and
 * there is room, or an error. */
void ltw_state_reserve(lua_State *L, size_t bytes);

/* [-0, +0, m]  Modules that require finds.  What is internal of them shows no names. */
void ltw_preload(lua_State *L, const luaL_Reg *list);

/* [-0, +1, m]  The metatable of userdata which gc ends. */
void ltw_push_type(lua_State *L, const char *name, lua_CFunction gc);

/* [-0, +1, m]  A new table whose keys ("k"), values ("v") or both are weak. */
void ltw_push_weak(lua_State *L, const char *mode);

/* None of its tasks runs any more: what waits for it in C need not.  Before the owner
 * waits for other threads.  Safe twice. */
void ltw_state_cease(struct ltw_state *state);

/* [-0, +3, m]  nil, message, code: the shape of every expected failure. */
int ltw_fail(lua_State *L, int code);
int ltw_fail_with(lua_State *L, const struct tw_error *error);

/* [-0, +0, e]  Sets that field of the table on top. */
static inline void ltw_set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static inline void ltw_set_number(lua_State *L, const char *name, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static inline void ltw_set_integer(lua_State *L, const char *name, lua_Integer i)
{
    lua_pushinteger(L, i);
    lua_setfield(L, -2, name);
}

static inline void ltw_set_count(lua_State *L, const char *name, uint64_t n)
{
    ltw_set_integer(L, name, (lua_Integer)n);
}

static inline void ltw_set_flag(lua_State *L, const char *name, bool is)
{
    lua_pushboolean(L, is);
    lua_setfield(L, -2, name);
}

/* [-0, +0, e]  Is that field of the table on top true? */
static inline bool ltw_get_flag(lua_State *L, const char *name)
{
    bool is;

    lua_getfield(L, -1, name);
    is = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is;
}

/* [-1, +1, -]  A message handler for lua_pcall: adds which name may have been meant, and
 * the traceback; an error object without __tostring is named by its type. */
int ltw_traceback(lua_State *L);

/* [-0, +0, -]  Does the collector call the running function, as a finalizer?  A script
 * that calls one by hand may be in the middle of using what it would let go. */
bool ltw_is_finalizer(lua_State *L);

/* [-0, +0, e]  Raises while the state closes: of what its last finalizers make nothing
 * is finalized, so it must hold nothing. */
void ltw_check_open(lua_State *L);

/* [-0, +1, e]  The host, or an error that names what was called. */
struct ltw_host *ltw_check_host(lua_State *L, const char *what);

/* Registry field: the traceback of a script that the watchdog stopped. */
#define LTW_OVERRUN "tw.overrun"

/* [-0, +0, m]  Puts our resume and wrap into the coroutine library. */
void ltw_coroutine_open(lua_State *L);

int ltw_publish(lua_State *L);            /* tw.c: tw.publish          */

/* [-0, +(1|3), e]  Appends the record that the userdata at 3 is, or waits for room: a
 * continuation of itself.  A value in it belongs to the tape then. */
int ltw_append(lua_State *L, int status, lua_KContext context);

int ltw_persist(lua_State *L);            /* persist.c: tw.persist     */
int luaopen_tw(lua_State *L);             /* tw.c: sleep, publish, now   */
int luaopen_tw_board(lua_State *L);       /* lboard.c                    */
int luaopen_tw_internal_task(lua_State *L);   /* ltask.c                 */
int luaopen_tw_internal_pool(lua_State *L);   /* lpool.c                 */

#endif
