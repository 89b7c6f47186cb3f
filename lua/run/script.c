/* script.c - one instance of a script: its file, self, coroutine and cursor.
 *
 * Layer lua.
 */
#include "run/script.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "trade/account_options.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/memory.h"
#include "hint.h"
#include "run/instance.h"
#include "trade/lbars.h"
#include "trade/lbook.h"
#include "lerror.h"
#include "ltime.h"
#include "tape/lrecord.h"
#include "run/counter.h"
#include "trade/trader.h"
#include "backtest/unread.h"
#include "watchdog.h"

enum { BATCH = 256 };

void ltw_script_publish(_Atomic uint64_t *counter, uint64_t value)
{
    /* order [script.counts] relaxed: statistics for MAIN, one writer */
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

/* By event time nobody looks on. */
static void publish_trading(struct ltw_script *s)
{
    const struct ltw_trader *t = s->trader;
    struct tw_account *a = tw_broker_account(t->broker);
    tw_money made = tw_account_equity(a) - tw_account_deposits(a);

    ltw_script_publish(&s->counts->trades, 1);
    ltw_script_publish(&s->counts->orders, t->orders);
    ltw_script_publish(&s->counts->fills, t->fills);
    ltw_script_publish(&s->counts->open, tw_broker_count(t->broker));
    if (made > INT64_MAX) made = INT64_MAX;
    if (made < INT64_MIN) made = INT64_MIN;
    /* order [script.counts] relaxed: statistics for MAIN, one writer */
    atomic_store_explicit(&s->counts->pnl, (int64_t)made, memory_order_relaxed);
}

/* What tw.ps says of it from now on; while it waits, its task says so.  By event time a
 * record is a step, and nobody looks on. */
static void note(struct ltw_script *s, enum ltw_task_state state)
{
    if (s->engine->host->time) return;
    ltw_census_write(&s->task.note, state, "");
}

/* ---- loading ---- */

void ltw_script_push_params(lua_State *L, const struct ltw_code *c,
                            const struct ltw_script_options *o)
{
    if (c->declares) {
        ltw_push_thawed(L, &c->params);
        return;
    }
    ltw_push_thawed(L, &o->options);
    if (lua_istable(L, -1)) lua_getfield(L, -1, "params"), lua_remove(L, -2);
    if (lua_isnil(L, -1)) lua_newtable(L), lua_replace(L, -2);
}

void ltw_script_tell_unread(lua_State *L, const struct ltw_script *s,
                            const struct ltw_script_options *o)
{
    char text[LTW_UNREAD_TEXT];

    if (!s->engine->host->time && ltw_unread_text(L, &s->code, o, text))
        tw_log_printf(s->engine->host->log, TW_LOG_WARN, "", "%s", text);
}

/* [-0, +1, e]  self: name, worker, shard, params; methods are the file's. */
static void push_self(lua_State *L, struct ltw_script *s)
{
    lua_newtable(L);
    ltw_set_text(L, "name", s->o->name);
    ltw_set_integer(L, "worker", s->engine->index);
    ltw_set_integer(L, "shard", s->o->shard + 1);
    ltw_set_integer(L, "shards", s->o->shards ? s->o->shards : 1);
    ltw_script_push_params(L, &s->code, s->o);
    lua_setfield(L, -2, "params");
    ltw_push_account(L);
    lua_setfield(L, -2, "account");
    lua_createtable(L, 0, 1);
    ltw_code_push_module(L, &s->code);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

void ltw_script_push_frame(lua_State *L, const struct ltw_code *code, int self)
{
    self = lua_absindex(L, self);
    lua_createtable(L, LTW_FRAME + LTW_HANDLERS, 0);
    lua_pushvalue(L, self);
    lua_rawseti(L, -2, LTW_SELF);
    ltw_push_names(L);
    lua_rawseti(L, -2, LTW_NAMES);
    lua_rawgeti(L, LUA_REGISTRYINDEX, code->ref);
    for (int i = 0; i < LTW_HANDLERS; i++) {
        lua_rawgeti(L, -1, LTW_CODE_HANDLERS + i);
        lua_rawseti(L, -3, LTW_FRAME + i);
    }
    lua_pop(L, 1);
}

static int begin(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);

    luaL_checkstack(L, LTW_FRAME + LTW_HANDLERS + LTW_PARAMS_MAX + 8, "script");
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->frame);
    for (int i = LTW_SELF; i < LTW_FRAME + LTW_HANDLERS; i++) lua_rawgeti(L, 1, i);
    lua_remove(L, 1);
    return ltw_script_dispatch(L, LUA_OK, (lua_KContext)s);
}

lua_State *ltw_script_push_coroutine(lua_State *L, struct ltw_script *s)
{
    lua_State *co = lua_newthread(L);

    lua_pushcfunction(co, begin);
    lua_pushlightuserdata(co, s);
    return co;
}

/* [-0, +0, m]  Protected. */
static int renew(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);
    lua_State *co = ltw_script_push_coroutine(L, s);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);

    luaL_unref(L, LUA_REGISTRYINDEX, s->ref);
    s->ref = ref;
    s->co = s->task.co = co;
    return 0;
}

struct making { struct ltw_script *s; struct ltw_trader *trader; };

/* [-0, +2 or 3, m]  Its account is on top; its name at a gateway. */
static const char *push_account(lua_State *L, const struct ltw_script *s)
{
    const struct ltw_script_options *o = s->o;
    const char *name = o->name;

    if (o->shards > 1) name = lua_pushfstring(L, "%s %d", name, (int)o->shard);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->code.ref);
    lua_rawgeti(L, -1, LTW_CODE_ACCOUNT);
    return name;
}

/* It trades from its first call on, but what a former run has left is its own from the
 * start: else that looks like nobody's. */
static bool is_awaited(lua_State *L, const struct ltw_script *s)
{
    int top = lua_gettop(L);
    const char *name = push_account(L, s);
    bool is = !s->is_candidate && ltw_trader_is_awaited(L, s->o->id, name);

    lua_settop(L, top);
    return is;
}

/* [-0, +0, e]  Protected. */
static int make_trader(lua_State *L)
{
    struct making *m = lua_touserdata(L, 1);
    const char *name = push_account(L, m->s);

    ltw_trader_new(L, m->s->o->id, name, m->s->is_candidate, &m->trader);
    if (m->s->code.trades) ltw_account_check(L, m->trader, "account", 0);
    return 0;
}

void ltw_script_make_trader(lua_State *L, struct ltw_script *s)
{
    struct making m = { s, NULL };

    lua_pushcfunction(L, make_trader);
    lua_pushlightuserdata(L, &m);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        ltw_trader_free(L, m.trader);
        lua_error(L);
    }
    s->trader = m.trader;
    ltw_script_rely(L, s);
}

/* [-0, +0, m]  A new self, whose coroutine stands ready.  Protected. */
static int make_self(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);

    push_self(L, s);
    ltw_script_push_frame(L, &s->code, 2);
    luaL_unref(L, LUA_REGISTRYINDEX, s->frame);
    s->frame = LUA_NOREF;
    s->frame = luaL_ref(L, LUA_REGISTRYINDEX);
    if (!s->is_candidate) {
        ltw_code_publish(L, &s->code);
        ltw_script_tell_unread(L, s, s->o);
    }
    if (!s->trader && (s->code.trades || is_awaited(L, s)))
        ltw_script_make_trader(L, s);
    return renew(L);
}

static void on_woken(struct ltw_task *t)
{
    struct ltw_script *s = (struct ltw_script *)((char *)t
                                                 - offsetof(struct ltw_script, task));

    s->woken = true;
    if (s->state == SCRIPT_WAITING) s->state = SCRIPT_RUNNABLE;
}

/* The tasks that it has detached end with it. */
static void fail(struct ltw_script *s)
{
    s->state = SCRIPT_FAILED;
    note(s, LTW_TASK_DONE);
    ltw_scope_cancel(s->engine->state->tasks, s->scope, "the script failed");
    ltw_shadow_drop(s);
    ltw_switch_fail(s);
}

static void forget(lua_State *L, int *ref)
{
    luaL_unref(L, LUA_REGISTRYINDEX, *ref);
    *ref = LUA_NOREF;
}

/* What its coroutine and its tables hold belongs to the other scripts of the state. */
static void let_go(struct ltw_script *s)
{
    lua_State *L = s->engine->state->L;

    forget(L, &s->ref);
    forget(L, &s->frame);
    forget(L, &s->tracker_ref);
    forget(L, &s->persist);
    ltw_code_drop(s->engine->state, &s->code);
    s->tracker = NULL;
    ltw_bars_free(s->bars);
    s->bars = NULL;
    s->co = s->task.co = s->task.at = NULL;
}

/* A scope for the waits of handlers alone, within the script's. */
static int open_handlers(struct ltw_script *s)
{
    struct ltw_scope *scope = ltw_scope_new(s->engine->state, s->scope);

    if (!scope) return UV_ENOMEM;
    if (s->task.scope) ltw_scope_unref(s->task.scope);
    s->handlers = s->task.scope = scope;
    return TW_OK;
}

/* The scope of the script as it runs from now on. */
static int open_scope(struct ltw_script *s)
{
    struct ltw_tasks *tasks = s->engine->state->tasks;
    char name[sizeof s->task.note.name];

    if (s->scope) {
        ltw_task_fini(&s->task);
        ltw_scope_unref(s->scope);
    }
    s->scope = ltw_scope_new(s->engine->state, NULL);
    if (!s->scope) return UV_ENOMEM;
    s->task = (struct ltw_task){ .script = s, .note.counts = s->counts };
    snprintf(name, sizeof name, "%s%s", s->o->name, s->is_candidate ? ", candidate" : "");
    ltw_task_init(&s->task, tasks, NULL, on_woken, name);
    return open_handlers(s);
}

int ltw_script_restart(struct ltw_script *s, struct tw_error *error)
{
    struct ltw_state *state = s->engine->state;
    lua_State *L = state->L;
    int rc;

    let_go(s);
    rc = open_scope(s);
    s->state = SCRIPT_FAILED;
    if (rc < 0)
        return tw_fail(error, rc, "script %s: %s", s->o->name, tw_strerror(rc));
    s->after_batch = s->woken = s->started = s->pending = s->pending_book = false;
    s->fired = s->n_fired = 0;
    if (s->trader) ltw_trader_forget(L, s->trader);
    s->handling = -1;
    note(s, LTW_TASK_RUNNING);
    state->script = s;
    rc = ltw_code_load(state, s->o, s->version, &s->code);
    state->script = NULL;
    if (rc == TW_OK) {
        lua_pushcfunction(L, make_self);
        lua_pushlightuserdata(L, s);
        rc = lua_pcall(L, 1, 0, 0);
    }
    if (rc != TW_OK) {
        rc = tw_fail(error, TW_ESCRIPT, "script %s: %s", s->o->name, lua_tostring(L, -1));
        lua_pop(L, 1);
        fail(s);
        return rc;
    }
    s->state = SCRIPT_RUNNABLE;
    note(s, LTW_TASK_READY);
    return TW_OK;
}

/* NULL: no memory. */
static struct ltw_script *allocate(struct ltw_engine *engine, struct ltw_version *v,
                                   const struct ltw_script_options *o,
                                   struct ltw_script_counts *counts)
{
    struct ltw_script *s = tw_calloc_aligned(1, sizeof *s);

    if (!s) return NULL;
    s->engine = engine;
    s->o = o;
    s->counts = counts;
    ltw_version_ref(s->version = v);
    s->ref = s->frame = s->tracker_ref = s->persist = LUA_NOREF;
    s->sw.ref = s->sw.tracker_ref = LUA_NOREF;
    s->cursor.reader = -1;
    s->handling = -1;
    return s;
}

bool ltw_script_open(struct ltw_script *s)
{
    return open_scope(s) == TW_OK;
}

void ltw_script_ready_from(struct ltw_script *s)
{
    s->started = s->after_batch = true;
    s->state = SCRIPT_RUNNABLE;
    note(s, LTW_TASK_READY);
}

struct ltw_script *ltw_script_new_candidate(struct ltw_script *of, struct ltw_version *v,
                                            const struct ltw_script_options *o,
                                            uint64_t from)
{
    struct ltw_script_counts *counts = tw_calloc_aligned(1, sizeof *counts);
    struct ltw_script *s = counts ? allocate(of->engine, v, o, counts) : NULL;

    if (!s) {
        tw_free(counts);
        return NULL;
    }
    s->of = of;
    s->is_candidate = true;
    ltw_script_publish(&counts->version, ltw_version_get_number(v));
    ltw_script_publish(&counts->since, from);
    tw_cursor_open(&s->cursor, of->engine->host->tape, false, from);
    return s;
}

struct ltw_script *ltw_script_new(struct ltw_engine *engine,
                                  const struct ltw_script_options *options,
                                  struct ltw_script_counts *counts,
                                  struct tw_error *error)
{
    struct ltw_script *s = allocate(engine, options->version,
        ltw_version_options(options->version, options->id), counts);
    int rc;

    if (!s) {
        tw_fail(error, UV_ENOMEM, "script %s: %s", options->name, tw_strerror(UV_ENOMEM));
        return NULL;
    }
    s->sequence = engine->host->sequence;
    ltw_script_publish(&counts->version, 1);
    rc = tw_cursor_open(&s->cursor, engine->host->tape, options->reliable,
                        tw_tape_head(engine->host->tape));
    ltw_script_publish(&counts->since, s->cursor.next);
    if (rc < 0)
        tw_fail(error, rc, "script %s: %s", options->name, tw_strerror(rc));
    if (rc < 0 || ltw_script_restart(s, error) < 0) {
        ltw_script_free(s);
        return NULL;
    }
    return s;
}

struct ltw_code *ltw_script_code(struct ltw_script *s)
{
    return s->loading && s->sw.next.version ? &s->sw.next : &s->code;
}

void ltw_script_free(struct ltw_script *s)
{
    if (!s) return;
    ltw_switch_fini(s);
    ltw_shadow_drop(s);
    if (s->scope && s->task.of) ltw_task_fini(&s->task);
    ltw_scope_unref(s->scope);
    tw_cursor_close(&s->cursor);
    ltw_trader_free(s->engine->state->L, s->trader);
    ltw_bars_free(s->bars);
    ltw_books_free(s->books);
    ltw_code_drop(s->engine->state, &s->code);
    ltw_version_unref(s->version);
    if (s->is_candidate) tw_free(s->counts);
    tw_free(s);
}

/* ---- running ---- */

static const char *doing(const struct ltw_script *s)
{
    if (s->handling < 0) return "it";
    return s->in_condition ? "a condition's function" : ltw_handler_name(s->handling);
}

/* What report hands to describe. */
struct failure { struct ltw_script *s; int status; bool overrun; const char *record; };

/* [-0, +1, e]  Why the script stopped, where and at which record. */
static int describe(lua_State *L)
{
    struct failure *f = lua_touserdata(L, 1);
    struct ltw_script *s = f->s;
    const char *who = s->engine->who;

    lua_pushfstring(L, "script %s (version %d%s, %s): %s", s->o->name,
                    (int)ltw_version_get_number(s->version),
                    s->is_candidate ? ", the candidate" : "", who, doing(s));
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
        ltw_error_push_text(L, 3);
        ltw_hint(L, s->co, 0);
        luaL_traceback(L, s->co, lua_tostring(L, -1), 0);
        lua_pushfstring(L, "%s failed%s\n%s", lua_tostring(L, 2), f->record,
                        lua_tostring(L, -1));
    }
    return 1;
}

static void tell_failure(struct ltw_script *s, const char *text)
{
    if (s->is_candidate) ltw_shadow_failed(s, text);
    else tw_log_write(s->engine->host->log, TW_LOG_ERROR, "", text, strlen(text));
}

/* Where time is that of events: when that was. */
static void add_time(const struct ltw_state *state, char *text, size_t room)
{
    char at[TW_DATE_TEXT];
    size_t n = strlen(text);

    if (!state->time) return;
    snprintf(text + n, room - n, n > 0 ? " (%s)" : " at %s",
             tw_date_text(ltw_time_ns(state->time), TW_DATE_SECOND, at));
}

/* [-0, +0, -]  The memory limit is the script's, not of what is said about it;
 * an error object may have code of its own. */
static void report(struct ltw_script *s, int status)
{
    struct ltw_state *state = s->engine->state;
    char record[256] = "";
    struct failure f = { s, status, state->overrun, record };
    size_t bytes_max = state->bytes_max;

    if (s->handling >= 0 && (s->handling < TW_KINDS || s->handling >= LTW_ON_FIX)
        && s->record.kind != TW_NONE) {
        strcpy(record, " at ");
        ltw_record_text(s->engine->host, &s->record, record + 4, sizeof record - 4);
    }
    add_time(state, record, sizeof record);
    state->bytes_max = 0;
    ltw_watchdog_enter(state, state->L);
    lua_pushcfunction(state->L, describe);
    lua_pushlightuserdata(state->L, &f);
    if (lua_pcall(state->L, 1, 1, 0) == LUA_OK && lua_isstring(state->L, -1)) {
        tell_failure(s, lua_tostring(state->L, -1));
    } else {
        char text[512];

        snprintf(text, sizeof text, "script %s (version %u, %s): %s failed%s, and so did"
                 " its error message", s->o->name, ltw_version_get_number(s->version),
                 s->engine->who, doing(s), record);
        tell_failure(s, text);
    }
    lua_pop(state->L, 1);
    ltw_watchdog_leave(state);
    state->bytes_max = bytes_max;
}

bool ltw_script_renew(struct ltw_script *s)
{
    lua_State *L = s->engine->state->L;

    lua_pushcfunction(L, renew);
    lua_pushlightuserdata(L, s);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return true;
    lua_pop(L, 1);
    return false;
}

/* A wait that was ended from outside is no failure: by the end of the run, after which
 * on_stop comes; or for a new version, which does not wait longer. */
static bool was_ended(struct ltw_script *s, int status)
{
    const struct ltw_scope *scope = NULL;

    if (status > LUA_YIELD) scope = ltw_error_scope(s->co, -1);
    if (scope && scope == s->handlers) {
        if (!s->is_candidate)
            tw_log_printf(s->engine->host->log, TW_LOG_WARN, s->engine->who, "script %s:"
                          " %s waited when a new version came: its wait was ended",
                          s->o->name, s->handling < 0 ? "it"
                          : ltw_handler_name(s->handling));
        return ltw_script_renew(s) && open_handlers(s) == TW_OK;
    }
    return scope && scope == s->scope && s->stopping && ltw_script_renew(s);
}

/* Runs its coroutine until it waits, has handled a batch or ends: its status. */
static int resume(struct ltw_script *s)
{
    struct ltw_state *state = s->engine->state;
    int n, status;

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
    return status;
}

/* What others see of it. */
static void publish(struct ltw_script *s, int64_t began_ns)
{
    ltw_script_publish(&s->counts->at, s->cursor.next);
    ltw_script_publish(&s->counts->handled, s->handled);
    if (s->trader && began_ns) ltw_trader_note_time(s->trader, began_ns);
    if (s->trader && !s->engine->host->time) publish_trading(s);
    if (s->first_received && !s->is_candidate)
        tw_histogram_add(&s->engine->done_ns, tw_clock_now_ns() - s->first_received);
}

enum ltw_step ltw_script_step(struct ltw_script *s)
{
    struct ltw_state *state = s->engine->state;
    uint64_t before = s->cursor.next;
    bool waited = s->woken;
    int64_t began_ns;
    int status;

    if (s->sw.job && ltw_switch_step(s)) return LTW_IDLE;
    ltw_switch_send(s);
    if (!ltw_script_ready(s)) return LTW_IDLE;
    began_ns = s->engine->host->live ? tw_clock_steady_ns() : 0;
    s->waited = waited;
    status = resume(s);
    publish(s, began_ns);
    if (status == LUA_YIELD && !state->overrun) {
        if (s->after_batch) {
            note(s, LTW_TASK_READY);
            if (s->handlers->cancelled) open_handlers(s);   /* it has caught that */
            if (s->sw.here && ltw_shadow_is_there(s)) ltw_switch_arrive(s);
            return waited || s->cursor.next != before ? LTW_WORKED : LTW_IDLE;
        }
        if (state->parked) {
            s->state = SCRIPT_WAITING;
            return LTW_WORKED;
        }
    }
    if (status == LUA_OK) {
        s->state = SCRIPT_STOPPED;
        note(s, LTW_TASK_DONE);
        return LTW_STOPPED;
    }
    if (was_ended(s, status)) {
        note(s, LTW_TASK_READY);
        return LTW_WORKED;
    }
    tw_counter_add(&s->counts->errors, 1);
    report(s, status);
    if (ltw_shadow_forgives(s) && ltw_script_renew(s)) {
        note(s, LTW_TASK_READY);
        s->pending = false;
        s->fired = s->n_fired = 0;
        s->handling = -1;
        s->after_batch = true;
        return LTW_WORKED;
    }
    fail(s);
    let_go(s);
    return LTW_FAILED;
}

bool ltw_script_ready(const struct ltw_script *s)
{
    if (s->sw.job && ltw_switch_is_ready(s)) return true;
    if (s->state != SCRIPT_RUNNABLE || s->sw.arrived) return false;
    if (!s->started && s->sequence && !s->stopping)
        return ltw_sequence_may_begin(s->sequence, s->o->id);
    if (!s->started || s->woken) return true;
    if (s->trader && !s->stopping
        && (ltw_trader_has_told(s->trader) || ltw_trader_is_halting(s->trader)))
        return true;
    if (s->stopping) return s->scope->live == 0;
    if (s->is_candidate && s->cursor.next >= s->of->cursor.next) return false;
    if (s->paused || ltw_shadow_holds(s) || !tw_cursor_ready(&s->cursor)) return false;
    return !s->sequence
        || ltw_sequence_room(s->sequence, s->o->id, s->cursor.next) > 0;
}

void ltw_script_cease(struct ltw_script *s)
{
    struct ltw_state *state = s->engine->state;

    if (s->state == SCRIPT_WAITING) {          /* it may have something to close */
        state->script = s;
        ltw_watchdog_enter(state, s->co);
        lua_resetthread(s->co);
        ltw_watchdog_leave(state);
        state->script = NULL;
    }
    s->state = SCRIPT_STOPPED;
    s->of = NULL;
    if (s->scope) {
        ltw_scope_cancel(state->tasks, s->scope, "its version was not taken");
        ltw_task_fini(&s->task);
        s->task.of = NULL;
    }
    let_go(s);
}

void ltw_script_stop(struct ltw_script *s)
{
    s->stopping = true;
    ltw_switch_refuse(s, "the run is ending");
    ltw_shadow_drop(s);
    if (!s->scope) return;
    ltw_scope_cancel(s->engine->state->tasks, s->scope, "the run is ending");
    ltw_task_wake(&s->task);
}

bool ltw_script_ended(const struct ltw_script *s)
{
    return (s->state == SCRIPT_FAILED || s->state == SCRIPT_STOPPED)
        && (!s->scope || s->scope->live == 0);
}

void ltw_script_pass(struct ltw_script *s)
{
    bool reads = s->state == SCRIPT_RUNNABLE && !s->paused;

    /* order [script.passed] release: what it has sent on records before that one */
    atomic_store_explicit(&s->counts->passed, reads ? s->cursor.next : UINT64_MAX,
                          memory_order_release);
}

void ltw_script_yield_turn(struct ltw_script *s)
{
    bool reads = s->state == SCRIPT_RUNNABLE && !s->paused && !s->stopping
              && !s->sw.arrived;

    if (!s->sequence || (reads && !s->started)) return;
    ltw_sequence_pass(s->sequence, s->o->id, reads ? s->cursor.next : LTW_HOLDS_NOBODY);
}

uint64_t ltw_script_quiet(const struct ltw_script *s)
{
    if (s->sw.job) return 0;
    switch (s->state) {
    case SCRIPT_WAITING: return 0;
    case SCRIPT_FAILED:  return s->o->restarts ? 0 : UINT64_MAX;
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
    lua_rawgeti(L, -1, LTW_SELF);
    lua_replace(L, -2);
}

struct ltw_outputs *ltw_script_outputs(const struct ltw_script *s)
{
    return s->outputs;
}

bool ltw_script_is_muted(const struct ltw_script *s)
{
    return s->is_candidate;
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

struct ltw_trader *ltw_script_get_trader(lua_State *L, struct ltw_script *s)
{
    if (!s->trader) ltw_script_make_trader(L, s);
    return s->trader;
}
