/* script.c - one instance of a script: its file, self, handlers and cursor.
 *
 * Why: the handlers of a script run inside one coroutine, called by the C
 * function `dispatch` through lua_callk.  So a handler may wait (the coroutine
 * yields, the cursor stays, the other scripts go on), an error unwinds to one
 * place without a pcall for each record, and a runaway can be yielded out of.
 *
 * The coroutine's stack, as dispatch sees it, and the list in the registry that
 * it is filled from:
 *
 *   1 self   2 names (record.h)   3 + i: handler i (handler.h), or nil
 */
#include "script.h"

#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine.h"
#include "filter.h"
#include "handler.h"
#include "lerror.h"
#include "record.h"
#include "source.h"
#include "task.h"
#include "tracker.h"
#include "watchdog.h"

enum { SELF = 1, NAMES = 2, HANDLERS = 3 };   /* stack of the coroutine */
enum { BATCH = 256 };


struct ltw_script {
    struct ltw_engine *engine;                  /* constant                      */
    const struct ltw_script_options *o;         /* constant                      */
    struct tw_cursor cursor;
    struct ltw_filter symbols, topics;
    struct ltw_handler handler[LTW_HANDLERS];
    bool one_sided;                             /* wants quotes without a side   */
    struct ltw_task task;                       /* its waits                     */
    struct ltw_scope *scope;                    /* of handlers and tasks         */
    lua_State *co;
    int ref, frame;                             /* registry: co; its stack       */
    struct ltw_tracker *tracker;                /* what it declared, or NULL     */
    int tracker_ref;                            /* registry: it                  */
    unsigned fired, n_fired;                    /* conditions to be called       */
    bool pending;                               /* then the record's handler     */
    enum { RUNNABLE, WAITING, FAILED, STOPPED } state;
    bool after_batch;                           /* it yielded because of that    */
    bool woken;                                 /* it waited, and need no more   */
    bool started, stopping;
    bool paused;                                /* takes no records              */
    int handling;                               /* enum ltw_handler_id, or -1    */
    bool in_condition;                          /* the function of a self:when   */
    unsigned budget;                            /* records left of the batch     */
    uint64_t handled;                           /* by handlers, restarts or not  */
    int64_t first_received;                     /* of the batch, 0: none yet     */
    struct tw_record record;                    /* the one being handled         */
    struct ltw_script_counts *counts;           /* see script.h                  */
};

static void publish(_Atomic uint64_t *counter, uint64_t value)
{
    /* order [script.counts] relaxed: statistics for MAIN, one writer */
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

static uint64_t counted(const _Atomic uint64_t *counter)
{
    /* order [script.counts] relaxed: statistics */
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add(_Atomic uint64_t *counter)
{
    publish(counter, counted(counter) + 1);
}

/* What tw.ps says of it from now on; while it waits, its task says so. */
static void note(struct ltw_script *s, enum ltw_task_state state)
{
    ltw_census_write(&s->task.note, state, "");
}

/* ---- loading ---- */

/* [-0, +0, e]  The option of that name, from the app or else from the file. */
static char **list_option(lua_State *L, int options, int module, const char *name)
{
    char **list;

    if (lua_getfield(L, options, name) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getfield(L, module, name);
    }
    list = ltw_check_list(L, -1, name);
    lua_pop(L, 1);
    return list;
}

static void set_filters(lua_State *L, struct ltw_script *s, int options, int module)
{
    ltw_filter_free(&s->symbols);
    ltw_filter_free(&s->topics);
    s->symbols.sectors = tw_symbols_sectors(s->engine->host->symbols);
    s->symbols.names = list_option(L, options, module, "symbols");
    s->symbols.groups = list_option(L, options, module, "sectors");
    s->symbols.shard = s->o->shard;
    s->symbols.shards = s->o->shards;
    s->symbols.all = !s->symbols.names && !s->symbols.groups && s->o->shards < 2;
    s->topics.names = list_option(L, options, module, "messages");
    s->topics.all = !s->topics.names;
    lua_getfield(L, module, "one_sided");
    s->one_sided = lua_toboolean(L, -1);
    lua_pop(L, 1);
}

/* [-0, +1, e]  self: name, worker, shard, params; methods are the file's, and then
 * track and when. */
static void push_self(lua_State *L, struct ltw_script *s, int options, int module)
{
    lua_newtable(L);
    lua_pushstring(L, s->o->name);
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, s->engine->index);
    lua_setfield(L, -2, "worker");
    lua_pushinteger(L, s->o->shard + 1);
    lua_setfield(L, -2, "shard");
    lua_pushinteger(L, s->o->shards ? s->o->shards : 1);
    lua_setfield(L, -2, "shards");
    lua_getfield(L, options, "params");
    if (lua_isnil(L, -1)) lua_newtable(L), lua_replace(L, -2);
    lua_setfield(L, -2, "params");
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, module);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    if (lua_getmetatable(L, module)) {      /* of the file's own */
        lua_pop(L, 1);
        return;
    }
    lua_createtable(L, 0, 1);
    ltw_push_script_methods(L);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, module);
}

/* [-0, +?, e]  Fills the coroutine's stack as dispatch wants it. */
static int load_file(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);
    int options = 2, module = 3;

    lua_settop(L, 1);
    ltw_push_thawed(L, &s->o->options);
    if (lua_isnil(L, options)) {
        lua_newtable(L);
        lua_replace(L, options);
    }
    if (ltw_source_load(L, s->o->path) != LUA_OK) return lua_error(L);
    lua_newtable(L);                        /* its own _ENV, over the globals */
    lua_createtable(L, 0, 1);
    lua_pushglobaltable(L);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setupvalue(L, module, 1);
    lua_call(L, 0, 1);
    if (lua_type(L, module) != LUA_TTABLE)
        return luaL_error(L, "a script returns the table of its handlers, not a %s",
                          luaL_typename(L, module));
    ltw_handler_check(L, module);
    set_filters(L, s, options, module);
    luaL_checkstack(L, TW_KINDS + 8, "script");
    push_self(L, s, options, module);
    ltw_push_names(L);
    for (int i = 0; i < LTW_HANDLERS; i++) {
        const char *name = ltw_handler_name(i);

        s->handler[i] = (struct ltw_handler){ 0 };
        if (!name) lua_pushnil(L);
        else if (lua_getfield(L, module, name) == LUA_TFUNCTION)
            ltw_handler_bind(L, i, name, 0, &s->handler[i]);
        else if (!lua_isnil(L, -1))
            return luaL_error(L, "%s is a %s, not a function", name,
                              luaL_typename(L, -1));
    }
    return lua_gettop(L) - module;
}

static int dispatch(lua_State *L, int status, lua_KContext context);

static int begin(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);

    luaL_checkstack(L, HANDLERS + LTW_HANDLERS + LTW_PARAMS_MAX + 8, "script");
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->frame);
    for (int i = SELF; i < HANDLERS + LTW_HANDLERS; i++) lua_rawgeti(L, 1, i);
    lua_remove(L, 1);
    return dispatch(L, LUA_OK, (lua_KContext)s);
}

/* [-0, +0, m]  A new coroutine that will call f(s). */
static void renew(lua_State *L, struct ltw_script *s, lua_CFunction f)
{
    luaL_unref(L, LUA_REGISTRYINDEX, s->ref);
    s->ref = LUA_NOREF;
    s->co = s->task.co = lua_newthread(L);
    s->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(s->co, f);
    lua_pushlightuserdata(s->co, s);
}

/* [-0, +0, e]  Reads the file; then a new coroutine stands ready.  Protected. */
static int load(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);
    struct ltw_state *state = s->engine->state;
    lua_Debug ar;
    int n, status;

    renew(L, s, load_file);
    state->script = s;
    ltw_watchdog_enter(state, s->co);
    status = lua_resume(s->co, L, 1, &n);
    ltw_watchdog_leave(state);
    state->script = NULL;
    if (state->overrun) {
        lua_getfield(L, LUA_REGISTRYINDEX, LTW_OVERRUN);
        return luaL_error(L, "it ran for more than %f s without returning\n%s",
                          (double)s->engine->host->time_max_ns / 1e9,
                          lua_tostring(L, -1));
    }
    if (status == LUA_YIELD)
        return luaL_error(L, "the file itself can't wait; its on_start can");
    if (status != LUA_OK) {
        const char *text = (lua_xmove(s->co, L, 1), luaL_tolstring(L, -1, NULL));

        /* Only the file's own code has a way of calls worth telling. */
        if (lua_getstack(s->co, 1, &ar)) luaL_traceback(L, s->co, text, 0);
        else lua_pushstring(L, text);
        return lua_error(L);
    }
    lua_createtable(L, n, 0);
    lua_xmove(s->co, L, n);
    for (int i = n; i > 0; i--) lua_rawseti(L, 2, i);
    luaL_unref(L, LUA_REGISTRYINDEX, s->frame);
    s->frame = luaL_ref(L, LUA_REGISTRYINDEX);
    renew(L, s, begin);
    return 0;
}

static int renew_protected(lua_State *L)
{
    renew(L, lua_touserdata(L, 1), begin);
    return 0;
}

static void on_woken(struct ltw_task *t)
{
    struct ltw_script *s = (struct ltw_script *)((char *)t
                                                 - offsetof(struct ltw_script, task));

    s->woken = true;
    if (s->state == WAITING) s->state = RUNNABLE;
}

/* The tasks that it has detached end with it. */
static void fail(struct ltw_script *s)
{
    s->state = FAILED;
    note(s, LTW_TASK_DONE);
    ltw_scope_cancel(s->engine->state->tasks, s->scope, "the script failed");
}

/* What its coroutine and its table hold belongs to the other scripts of the state. */
static void let_go(struct ltw_script *s)
{
    lua_State *L = s->engine->state->L;

    luaL_unref(L, LUA_REGISTRYINDEX, s->ref);
    luaL_unref(L, LUA_REGISTRYINDEX, s->frame);
    luaL_unref(L, LUA_REGISTRYINDEX, s->tracker_ref);
    s->ref = s->frame = s->tracker_ref = LUA_NOREF;
    s->tracker = NULL;
    s->co = s->task.co = s->task.at = NULL;
}

/* The scope of the script as it runs from now on. */
static int open_scope(struct ltw_script *s)
{
    struct ltw_tasks *tasks = s->engine->state->tasks;

    if (s->scope) {
        ltw_task_fini(&s->task);
        ltw_scope_unref(s->scope);
    }
    s->scope = ltw_scope_new(NULL, &s->engine->state->scopes);
    if (!s->scope) return UV_ENOMEM;
    s->task = (struct ltw_task){ .script = s };
    ltw_task_init(&s->task, tasks, s->scope, on_woken, s->o->name);
    return TW_OK;
}

int ltw_script_restart(struct ltw_script *s, struct tw_error *error)
{
    lua_State *L = s->engine->state->L;
    int rc = open_scope(s);

    s->state = FAILED;
    if (rc < 0)
        return tw_fail(error, rc, "script %s: %s", s->o->name, tw_strerror(rc));
    s->after_batch = s->woken = s->started = s->pending = false;
    s->fired = s->n_fired = 0;
    s->tracker = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, s->tracker_ref);
    s->tracker_ref = LUA_NOREF;
    s->handling = -1;
    note(s, LTW_TASK_RUNNING);
    lua_pushcfunction(L, load);
    lua_pushlightuserdata(L, s);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        const char *text = lua_tostring(L, -1);

        rc = tw_fail(error, TW_ESCRIPT, "script %s: %s", s->o->name, text);
        lua_pop(L, 1);
        fail(s);
        return rc;
    }
    s->state = RUNNABLE;
    note(s, LTW_TASK_READY);
    return TW_OK;
}

struct ltw_script *ltw_script_new(struct ltw_engine *engine,
                                  const struct ltw_script_options *options,
                                  struct ltw_script_counts *counts,
                                  struct tw_error *error)
{
    struct ltw_script *s = tw_calloc_aligned(1, sizeof *s);
    int rc;

    if (!s) {
        tw_fail(error, UV_ENOMEM, "script %s: %s", options->name, tw_strerror(UV_ENOMEM));
        return NULL;
    }
    s->engine = engine;
    s->o = options;
    s->counts = counts;
    s->ref = s->frame = s->tracker_ref = LUA_NOREF;
    s->cursor.reader = -1;
    rc = tw_cursor_open(&s->cursor, engine->host->tape, options->reliable,
                        tw_tape_head(engine->host->tape));
    if (rc < 0)
        tw_fail(error, rc, "script %s: %s", options->name, tw_strerror(rc));
    if (rc < 0 || ltw_script_restart(s, error) < 0) {
        ltw_script_free(s);
        return NULL;
    }
    return s;
}

void ltw_script_free(struct ltw_script *s)
{
    if (!s) return;
    if (s->scope) ltw_task_fini(&s->task);
    ltw_scope_unref(s->scope);
    tw_cursor_close(&s->cursor);
    ltw_filter_free(&s->symbols);
    ltw_filter_free(&s->topics);
    tw_free(s);
}

/* ---- dispatching ---- */

/* A quote without a side is for those alone who say so. */
static inline bool lacks_side(const struct ltw_script *s, const struct tw_record *r)
{
    return r->kind == TW_QUOTE && !s->one_sided
        && ((r->quote.bid | r->quote.bid_size) == 0
            || (r->quote.ask | r->quote.ask_size) == 0);
}

/* Is it for this script, whether it has a handler or not? */
static bool wants(struct ltw_script *s, const struct tw_record *r)
{
    const struct ltw_host *host = s->engine->host;
    struct ltw_filter *f = &s->symbols;
    uint32_t id = r->symbol;

    switch (r->kind) {
    case TW_QUOTE:
        if (lacks_side(s, r)) return false;
        break;
    case TW_TRADE:
        break;
    case TW_MESSAGE:
        f = &s->topics;
        id = r->message.topic;
        if (r->message.script == s->o->id) return false;
        break;
    default:
        return true;
    }
    if (f->all) return true;
    if (id >= f->known) {
        int rc = r->kind == TW_MESSAGE ? ltw_filter_learn_topics(f, host->topics, id)
                                       : ltw_filter_learn_symbols(f, host->symbols, id);
        if (rc < 0) luaL_error(s->co, "not enough memory");
    }
    return f->wanted[id];
}

/* The handler's first sight of a batch: how long has it been on the way? */
static void note_arrival(struct ltw_script *s, const struct tw_record *r)
{
    s->first_received = r->received;
    if (s->first_received)
        tw_histogram_add(&s->engine->reach_ns, tw_clock_now_ns() - s->first_received);
}

static void note_gap(struct ltw_script *s, const struct tw_record *r)
{
    publish(&s->counts->lost, s->cursor.lost);
    if (s->handler[TW_GAP].bound) return;
    tw_log_printf(s->engine->host->log, TW_LOG_WARN, s->engine->who,
                  "script %s fell behind and lost %llu records (%llu in all)", s->o->name,
                  (unsigned long long)r->gap.lost, (unsigned long long)s->cursor.lost);
}

/* [-0, +n, m]  self, where h takes it, and what it asks for; returns their number. */
static int push_arguments(lua_State *L, struct ltw_script *s, const struct ltw_handler *h)
{
    ltw_watchdog_beat(s->engine->state);
    if (h->self) lua_pushvalue(L, SELF);
    for (int i = 0; i < h->n; i++)
        ltw_push_field(L, s->engine->host, NAMES, &s->record,
                       (enum tw_field)h->field[i]);
    return h->n + h->self;
}

/* [-0, +1..n, m]  The handler and its arguments; returns their number. */
static int push_call(lua_State *L, struct ltw_script *s, int index)
{
    s->handling = index;
    s->in_condition = false;
    lua_pushvalue(L, HANDLERS + index);
    return push_arguments(L, s, &s->handler[index]);
}

/* [-0, +1..n, m]  The function of a condition that has become true, likewise. */
static int push_condition(lua_State *L, struct ltw_script *s, unsigned condition)
{
    s->handling = s->record.kind;
    s->in_condition = true;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->tracker_ref);
    lua_getiuservalue(L, -1, 1);
    lua_rawgeti(L, -1, (lua_Integer)condition + 1);
    lua_replace(L, -3);
    lua_pop(L, 1);
    return push_arguments(L, s, &s->tracker->handler[condition]
                                     [s->record.kind == TW_TRADE]);
}

/* Runs the rows; of a single one, what has become true is to be called. */
static void run_rows(lua_State *L, struct ltw_script *s, bool single)
{
    const uint16_t *which;

    ltw_tracker_run(L, s->tracker);
    s->n_fired = single ? tw_plan_fired(s->tracker->plan, &which) : 0;
    s->fired = 0;
}

/* Takes the next records as rows while Lua need not see single ones. */
static void take_rows(lua_State *L, struct ltw_script *s)
{
    struct tw_plan *plan = s->tracker->plan;
    unsigned kinds = tw_plan_kinds(plan), room, n, kept = 0;
    struct tw_record *row = tw_plan_rows(plan, &room);

    for (int k = TW_QUOTE; k <= TW_TRADE; k++)
        if (s->handler[k].bound) kinds &= ~(1u << k);
    if (tw_plan_is_stepwise(plan) || kinds == 0) return;
    n = tw_cursor_take(&s->cursor, kinds, row, room < s->budget ? room : s->budget);
    if (n == 0) return;
    if (s->first_received == 0) note_arrival(s, row);
    s->budget -= n;
    for (unsigned i = 0; i < n; i++)
        if (s->symbols.all ? !lacks_side(s, &row[i]) : wants(s, &row[i])) {
            if (kept < i) row[kept] = row[i];
            kept++;
        }
    s->handled += kept;
    if (!tw_plan_add(plan, kept)) run_rows(L, s, false);
}

/* Takes records until one is for Lua; false: none now. */
static bool advance(lua_State *L, struct ltw_script *s)
{
    struct ltw_tracker *t;

    while (s->budget > 0 && !s->stopping) {
        bool row, handled;
        unsigned room;

        t = s->tracker;
        if (t) take_rows(L, s);
        if (s->budget == 0 || !tw_cursor_next(&s->cursor, &s->record)) break;
        s->budget--;
        if (s->first_received == 0) note_arrival(s, &s->record);
        if (s->record.kind == TW_GAP) note_gap(s, &s->record);
        handled = s->handler[s->record.kind].bound;
        row = t && tw_plan_kinds(t->plan) & 1u << s->record.kind;
        if ((!row && !handled) || !wants(s, &s->record)) continue;
        s->handled++;
        s->pending = handled;
        if (t) run_rows(L, s, false);      /* what came before it */
        if (row) {
            *tw_plan_rows(t->plan, &room) = s->record;
            tw_plan_add(t->plan, 1);
            run_rows(L, s, true);
        }
        if (handled || s->n_fired > 0 || (t && t->n_due > 0)) return true;
    }
    if (!s->tracker) return false;
    run_rows(L, s, false);
    return s->tracker->n_due > 0;
}

/* [-0, +?, e]  The next function to call, and its arguments; -1: none now.  Samples are
 * published first, then the conditions' functions are called, then the handler. */
static int push_next(lua_State *L, struct ltw_script *s)
{
    do {
        const uint16_t *which;

        if (s->tracker && ltw_tracker_push_due(L, s->tracker)) return 2;
        if (s->fired < s->n_fired) {
            tw_plan_fired(s->tracker->plan, &which);
            return push_condition(L, s, which[s->fired++]);
        }
        if (s->pending) {
            s->pending = false;
            return push_call(L, s, s->record.kind);
        }
    } while (advance(L, s));
    return -1;
}

/* [-0, +0, e]  Runs for ever in the script's coroutine: on_start, batches with a
 * yield after each, on_stop. */
static int dispatch(lua_State *L, int status, lua_KContext context)
{
    struct ltw_script *s = (struct ltw_script *)context;

    (void)status;
    if (!s->started) {
        s->started = true;
        if (s->handler[LTW_ON_START].bound)
            lua_callk(L, push_call(L, s, LTW_ON_START), 0, context, dispatch);
    }
    for (;;) {
        int n;

        while ((n = push_next(L, s)) >= 0) lua_callk(L, n, 0, context, dispatch);
        s->handling = -1;
        if (s->stopping && s->scope->live == 0) break;   /* on_stop comes last */
        s->after_batch = true;
        return lua_yieldk(L, 0, context, dispatch);
    }
    if (s->handler[LTW_ON_STOP].bound) {
        int n = push_call(L, s, LTW_ON_STOP);

        s->handler[LTW_ON_STOP].bound = false;   /* once, also when it waits */
        lua_callk(L, n, 0, context, dispatch);
    }
    return 0;
}

static const char *doing(const struct ltw_script *s)
{
    if (s->handling < 0) return "it";
    return s->in_condition ? "a condition's function" : ltw_handler_name(s->handling);
}

/* What report hands to describe. */
struct failure { struct ltw_script *s; int status; bool overrun; const char *record; };

/* [-0, +0, e]  Logs why the script stopped, where and at which record. */
static int describe(lua_State *L)
{
    struct failure *f = lua_touserdata(L, 1);
    struct ltw_script *s = f->s;
    const char *who = s->engine->who;

    lua_pushfstring(L, "script %s (version 1, %s): %s", s->o->name, who, doing(s));
    if (f->overrun) {
        lua_getfield(L, LUA_REGISTRYINDEX, LTW_OVERRUN);
        lua_pushfstring(L, "%s%s ran for more than %f s without returning\n%s",
                        lua_tostring(L, 2), f->record,
                        (double)s->engine->host->time_max_ns / 1e9, lua_tostring(L, 3));
    } else if (f->status == LUA_YIELD) {
        lua_pushfstring(L, "%s%s called coroutine.yield outside a coroutine; a handler"
                        " waits with tw.sleep", lua_tostring(L, 2), f->record);
    } else {
        lua_xmove(s->co, L, 1);
        luaL_traceback(L, s->co, luaL_tolstring(L, 3, NULL), 0);
        lua_pushfstring(L, "%s failed%s\n%s", lua_tostring(L, 2), f->record,
                        lua_tostring(L, -1));
    }
    tw_log_write(s->engine->host->log, TW_LOG_ERROR, "", lua_tostring(L, -1),
                 lua_rawlen(L, -1));
    return 0;
}

/* [-0, +0, -]  The memory limit is the script's, not of what is said about it;
 * an error object may have code of its own. */
static void report(struct ltw_script *s, int status)
{
    struct ltw_state *state = s->engine->state;
    char record[256] = "";
    struct failure f = { s, status, state->overrun, record };
    size_t bytes_max = state->bytes_max;

    if (s->handling >= 0 && s->handling < TW_KINDS) {
        strcpy(record, " at ");
        ltw_record_text(s->engine->host, &s->record, record + 4, sizeof record - 4);
    }
    state->bytes_max = 0;
    ltw_watchdog_enter(state, state->L);
    lua_pushcfunction(state->L, describe);
    lua_pushlightuserdata(state->L, &f);
    if (lua_pcall(state->L, 1, 0, 0) != LUA_OK) {
        tw_log_printf(s->engine->host->log, TW_LOG_ERROR, "",
                      "script %s (version 1, %s): %s failed%s, and so did its error"
                      " message", s->o->name, s->engine->who,
                      doing(s), record);
        lua_pop(state->L, 1);
    }
    ltw_watchdog_leave(state);
    state->bytes_max = bytes_max;
}

/* A wait that the end of the run has ended is no failure: on_stop comes next. */
static bool was_stopped(struct ltw_script *s, int status)
{
    lua_State *L = s->engine->state->L;

    if (status <= LUA_YIELD || !s->stopping || ltw_error_scope(s->co, -1) != s->scope)
        return false;
    lua_pushcfunction(L, renew_protected);
    lua_pushlightuserdata(L, s);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return true;
    lua_pop(L, 1);
    return false;
}

enum ltw_step ltw_script_step(struct ltw_script *s)
{
    struct ltw_state *state = s->engine->state;
    uint64_t before = s->cursor.next;
    bool waited = s->woken;
    int n, status;

    if (!ltw_script_ready(s)) return LTW_IDLE;
    s->budget = s->paused ? 0 : BATCH;
    s->first_received = 0;
    s->after_batch = s->woken = false;
    state->script = s;
    state->record = &s->record;
    state->task = &s->task;
    state->parked = false;
    note(s, LTW_TASK_RUNNING);
    ltw_watchdog_enter(state, s->co);
    status = lua_resume(s->co, state->L, lua_status(s->co) == LUA_YIELD ? 0 : 1, &n);
    ltw_watchdog_leave(state);
    state->script = NULL;
    state->record = NULL;
    state->task = NULL;
    tw_cursor_commit(&s->cursor);
    publish(&s->counts->at, s->cursor.next);
    publish(&s->counts->handled, s->handled);
    if (s->first_received)
        tw_histogram_add(&s->engine->done_ns, tw_clock_now_ns() - s->first_received);
    if (status == LUA_YIELD && !state->overrun) {
        if (s->after_batch) {
            note(s, LTW_TASK_READY);
            return waited || s->cursor.next != before ? LTW_WORKED : LTW_IDLE;
        }
        if (state->parked) {
            s->state = WAITING;
            return LTW_WORKED;
        }
    }
    if (status == LUA_OK) {
        s->state = STOPPED;
        note(s, LTW_TASK_DONE);
        return LTW_STOPPED;
    }
    if (was_stopped(s, status)) {
        note(s, LTW_TASK_READY);
        return LTW_WORKED;
    }
    add(&s->counts->errors);
    report(s, status);
    fail(s);
    let_go(s);
    return LTW_FAILED;
}

bool ltw_script_ready(const struct ltw_script *s)
{
    if (s->state != RUNNABLE) return false;
    if (!s->started || s->woken) return true;
    if (s->stopping) return s->scope->live == 0;
    return !s->paused && tw_cursor_ready(&s->cursor);
}

void ltw_script_stop(struct ltw_script *s)
{
    s->stopping = true;
    if (!s->scope) return;
    ltw_scope_cancel(s->engine->state->tasks, s->scope, "the run is ending");
    ltw_task_wake(&s->task);
}

bool ltw_script_ended(const struct ltw_script *s)
{
    return (s->state == FAILED || s->state == STOPPED)
        && (!s->scope || s->scope->live == 0);
}

uint64_t ltw_script_quiet(const struct ltw_script *s)
{
    switch (s->state) {
    case WAITING: return 0;
    case FAILED:  return s->o->restarts ? 0 : UINT64_MAX;
    default:      return s->cursor.next;
    }
}

void ltw_script_pause(struct ltw_script *s, bool paused)
{
    s->paused = paused;
}

void ltw_script_push_self(lua_State *L, const struct ltw_script *s)
{
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, s->frame) != LUA_TTABLE) return;
    lua_rawgeti(L, -1, SELF);
    lua_replace(L, -2);
}

bool ltw_script_stopping(const struct ltw_script *s)
{
    return s->stopping;
}

struct ltw_scope *ltw_script_scope(struct ltw_script *s)
{
    return s->scope;
}

bool ltw_script_is_handling(const struct ltw_script *s)
{
    return s->engine->state->task == &s->task;
}

bool ltw_script_is_full(struct ltw_script *s)
{
    tw_cursor_commit(&s->cursor);
    return tw_cursor_is_full(&s->cursor);
}

bool ltw_script_push_tracker(lua_State *L, const struct ltw_script *s)
{
    return lua_rawgeti(L, LUA_REGISTRYINDEX, s->tracker_ref) != LUA_TNIL;
}

void ltw_script_set_tracker(lua_State *L, struct ltw_script *s, struct ltw_tracker *t)
{
    lua_pushvalue(L, -1);
    s->tracker_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    s->tracker = t;
}

const struct ltw_script_options *ltw_script_options(const struct ltw_script *s)
{
    return s->o;
}
