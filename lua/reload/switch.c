/* switch.c - one instance of a script changes to the next version, or stays.
 *
 * Why: a new version can fail to compile, to run, or to take over what the old one
 * kept, in any state that runs it; then it must come nowhere.  So nothing of the old
 * version is let go before all instances have agreed:
 *
 *   prepare     the file runs beside the old version, which goes on
 *   arrive      at the record of the change, when all before it was handled: the old
 *               code is put aside, the new one gets self; on_reload, on_check; agree
 *               or refuse; the instance stands still
 *   commit      what was put aside goes
 *   abort       self is what it was, the old code goes on, with the same record
 *
 * Invariants
 *   W1  Records below the change are handled by the old version, the others by the new
 *       one, or all by the old: each once.
 *   W2  After an abort every table that can be reached from self, or is persisted, has
 *       the fields that it had when the record came.
 *   W3  From taking over to the decision no code of the script runs but its own
 *       on_reload, on_check and migrate.
 *
 * Layer lua.
 */
#include <string.h>

#include "hint.h"
#include "run/instance.h"
#include "reload/remap.h"
#include "task/tasks.h"
#include "watchdog.h"

/* The list in the registry while a change is under way. */
enum { MAP = 1, BACK, TABLES, COPIES };

static void forget(lua_State *L, int *ref)
{
    luaL_unref(L, LUA_REGISTRYINDEX, *ref);
    *ref = LUA_NOREF;
}

void ltw_switch_push_map(lua_State *L, const struct ltw_script *s)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->sw.ref);
    lua_rawgeti(L, -1, MAP);
    lua_remove(L, -2);
}

/* ---- preparing ---- */

static int keep(lua_State *L)
{
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* [-0, +0, m]  All that taking over will need.  Protected. */
static int prepare(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);

    ltw_script_push_self(L, s);                               /* 2 */
    ltw_script_push_frame(L, &s->sw.next, 2);
    s->sw.frame = keep(L);
    s->sw.co = ltw_script_push_coroutine(L, s);
    s->sw.co_ref = keep(L);
    lua_createtable(L, COPIES, 0);                            /* 3 */
    ltw_code_push_module(L, &s->code);
    ltw_code_push_module(L, &s->sw.next);
    ltw_remap_match(L, 4, 5);
    lua_rawseti(L, 3, BACK);
    lua_rawseti(L, 3, MAP);
    lua_settop(L, 3);
    s->sw.ref = keep(L);
    return 0;
}

/* [-0, +2, m]  The state's globals, a list of tables and their copies: a file that fails
 * on its way may have written there.  Protected. */
static int copy_globals(lua_State *L)
{
    lua_newtable(L);
    lua_pushglobaltable(L);
    lua_rawseti(L, 1, 1);
    lua_newtable(L);                       /* no further than what is loaded */
    lua_getglobal(L, "package");
    lua_pushboolean(L, 1);
    lua_rawset(L, 2);
    ltw_remap_collect(L, 1, 2);
    ltw_remap_copy(L, 3);
    return 2;
}

/* [-2, +0, m]  Protected. */
static int restore_globals(lua_State *L)
{
    ltw_remap_restore(L, 1, 2);
    return 0;
}

struct ltw_version *ltw_switch_next(const struct ltw_script *s)
{
    return ltw_job_version(s->sw.job, s->o->path);
}

const struct ltw_script_options *ltw_switch_options(const struct ltw_script *s)
{
    return ltw_version_options(ltw_switch_next(s), s->o->id);
}

/* [-0, +(0|1), -]  Runs the file; its error. */
static int load(struct ltw_script *s)
{
    struct ltw_state *state = s->engine->state;
    lua_State *L = state->L;
    int top = lua_gettop(L), status;

    lua_pushcfunction(L, copy_globals);
    status = lua_pcall(L, 0, 2, 0);
    if (status != LUA_OK) return status;
    state->script = s;
    s->loading = true;
    status = ltw_code_load(state, ltw_switch_options(s), ltw_switch_next(s), &s->sw.next);
    s->loading = false;
    state->script = NULL;
    if (status != LUA_OK) {
        lua_insert(L, top + 1);
        lua_pushcfunction(L, restore_globals);
        lua_insert(L, top + 2);
        if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
        return status;
    }
    lua_settop(L, top);
    return LUA_OK;
}

static bool is_warmed(const struct ltw_job *job)
{
    return ltw_job_trial(job) && ltw_terms_warm(ltw_trial_terms(ltw_job_trial(job)));
}

static void agree(struct ltw_script *s)
{
    if (!s->sw.job || s->sw.arrived) return;
    s->sw.arrived = true;
    ltw_switch_warmed(s);
    ltw_switch_compared(s);
    ltw_job_agree(s->sw.job);
}

void ltw_script_prepare(struct ltw_script *s, struct ltw_job *job)
{
    lua_State *L = s->engine->state->L;
    int status;

    if (ltw_job_trial(job)) ltw_shadow_drop(s);   /* else it guards up to the change */
    ltw_job_ref(s->sw.job = job);
    status = load(s);
    if (status == LUA_OK && s->state != SCRIPT_FAILED) {
        lua_pushcfunction(L, prepare);
        lua_pushlightuserdata(L, s);
        status = lua_pcall(L, 1, 0, 0);
    }
    if (status == LUA_OK && s->state != SCRIPT_FAILED && !s->stopping && is_warmed(job)
        && !ltw_shadow_warm(s))
        status = LUA_ERRRUN;
    if (status != LUA_OK) {
        const char *why = lua_tostring(L, -1);

        ltw_switch_refuse(s, why ? why : "not enough memory");
        lua_pop(L, 1);
    } else if (s->stopping) {
        ltw_switch_refuse(s, "the run is ending");
    } else if (s->state == SCRIPT_FAILED) {
        agree(s);
    }
    if (!s->shadow) ltw_switch_warmed(s);
    ltw_job_prepared(job);
}

/* ---- taking part ---- */

void ltw_switch_warmed(struct ltw_script *s)
{
    if (s->sw.warmed || !is_warmed(s->sw.job)) return;
    s->sw.warmed = true;
    ltw_trial_warmed(ltw_job_trial(s->sw.job));
}

void ltw_switch_compared(struct ltw_script *s)
{
    struct ltw_trial *trial = ltw_job_trial(s->sw.job);

    if (s->sw.compared || !trial || ltw_trial_terms(trial)->shadow == 0) return;
    s->sw.compared = true;
    ltw_trial_compared(trial);
}

void ltw_switch_refuse(struct ltw_script *s, const char *why)
{
    if (!s->sw.job || s->sw.arrived) return;
    s->sw.arrived = true;
    ltw_switch_warmed(s);
    ltw_switch_compared(s);
    ltw_job_refuse(s->sw.job, s->engine->who, why);
}

void ltw_switch_fail(struct ltw_script *s)
{
    const struct ltw_trial *trial = s->sw.job ? ltw_job_trial(s->sw.job) : NULL;

    if (trial && ltw_trial_terms(trial)->shadow > 0 && !s->sw.compared)
        ltw_switch_refuse(s, "the script failed before the new version had shown what it"
                          " does beside it");
    else
        agree(s);
}

/* Its cursor is past a record of the job, which is known as soon as it is on the tape;
 * or it was overrun there. */
static bool is_past(const struct ltw_script *s, bool start)
{
    uint64_t seq = start ? ltw_job_start(s->sw.job) : ltw_job_seq(s->sw.job);

    return (s->record.kind == TW_RELOAD && s->record.word[0] == ltw_job_id(s->sw.job)
            && s->record.word[2] == start)
        || (seq != 0 && s->cursor.next > seq);
}

/* It has come to where the versions are compared from, or stands still and never will. */
static bool must_begin(const struct ltw_script *s)
{
    struct ltw_trial *trial = ltw_job_trial(s->sw.job);

    if (s->sw.begun || !trial || ltw_trial_terms(trial)->shadow == 0) return false;
    return is_past(s, true) || (s->paused && ltw_job_start(s->sw.job) != 0);
}

bool ltw_switch_is_due(const struct ltw_script *s)
{
    return must_begin(s) || is_past(s, false);
}

/* At rest between two batches, it is past the change; or paused, and never will be. */
static bool is_due_at_rest(const struct ltw_script *s)
{
    if (!ltw_script_is_at_rest(s)) return false;
    return s->sw.here || ltw_switch_is_due(s)
        || (s->paused && ltw_job_seq(s->sw.job) != 0);
}

bool ltw_switch_is_ready(const struct ltw_script *s)
{
    return ltw_job_decision(s->sw.job) != LTW_UNDECIDED
        || (!s->sw.arrived && is_due_at_rest(s) && ltw_shadow_is_there(s));
}

void ltw_script_hurry(struct ltw_script *s)
{
    struct ltw_script *both[] = { s, ltw_shadow_candidate(s) };

    for (int i = 0; i < 2 && s->sw.job && !s->sw.arrived; i++)
        if (both[i] && both[i]->state == SCRIPT_WAITING)
            ltw_scope_cancel(s->engine->state->tasks, both[i]->handlers,
                             "a new version of the script waits for it");
}

bool ltw_script_is_changing(const struct ltw_script *s)
{
    return s->sw.job != NULL;
}

bool ltw_script_is_still(const struct ltw_script *s)
{
    return s->sw.taken_over;      /* W3 */
}

/* ---- taking over ---- */

static void exchange_tracker(struct ltw_script *s)
{
    struct ltw_tracker *tracker = s->tracker;
    int ref = s->tracker_ref;

    s->tracker = s->sw.tracker;
    s->sw.tracker = tracker;
    s->tracker_ref = s->sw.tracker_ref;
    s->sw.tracker_ref = ref;
}

/* [-0, +0, -]  What belongs to a version changes places with what was put aside. */
static void exchange(struct ltw_script *s)
{
    struct ltw_code code = s->code;

    s->code = s->sw.next;
    s->sw.next = code;
    exchange_tracker(s);
}

/* [-0, +0, -]  The methods of self are those of the code that runs now. */
static void set_methods(lua_State *L, struct ltw_script *s)
{
    int top = lua_gettop(L);

    ltw_script_push_self(L, s);
    ltw_code_push_module(L, &s->sw.next);
    if (lua_getmetatable(L, top + 1)) {
        lua_pushliteral(L, "__index");
        lua_pushvalue(L, -1);
        lua_rawget(L, top + 3);
        if (lua_rawequal(L, -1, top + 2)) {
            lua_pop(L, 1);
            ltw_code_push_module(L, &s->code);
            lua_rawset(L, top + 3);
        }
    }
    lua_settop(L, top);
}

/* [-0, +?, e]  A callback of the new version, with self and what else it takes. */
static void call(lua_State *L, struct ltw_script *s, int handler, int results,
                 const struct ltw_code *old, const struct ltw_script *warm)
{
    const struct ltw_handler *h = &s->code.handler[handler];

    s->handling = handler;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->code.ref);
    lua_rawgeti(L, -1, LTW_CODE_HANDLERS + handler);
    lua_remove(L, -2);
    if (h->self) ltw_script_push_self(L, s);
    for (int i = 0; i < h->n; i++) {
        if (h->field[i] == LTW_RELOAD_OLD) ltw_code_push_module(L, old);
        else if (warm) ltw_script_push_self(L, warm);
        else lua_pushnil(L);
    }
    lua_call(L, h->self + h->n, results);
}

/* [-0, +0, e]  When on_reload has declared nothing, what was declared goes on; else what
 * is declared as it was has what it had. */
static void settle_tracker(lua_State *L, struct ltw_script *s, struct ltw_script *c)
{
    struct ltw_tracker *warm = c ? c->tracker : NULL;

    if (!s->tracker && warm) {
        warm->muted = s->is_candidate;
        ltw_script_push_tracker(L, c);
        ltw_script_set_tracker(L, s, warm);
        lua_pop(L, 1);
    } else if (warm) {
        ltw_tracker_adopt(L, s->tracker, warm);
    }
    s->sw.kept_tracker = !s->tracker;
    if (s->sw.kept_tracker) exchange_tracker(s);
    else if (s->sw.tracker) ltw_tracker_adopt(L, s->tracker, s->sw.tracker);
}

/* [-0, +0, m]  What the candidate has made becomes the new version's: what refers to its
 * self, its functions and classes refers to those of the script. */
static void convert(lua_State *L, struct ltw_script *s, const struct ltw_script *c)
{
    int map = lua_gettop(L) + 3, tables = map + 1;

    ltw_code_push_module(L, &c->code);
    ltw_code_push_module(L, &s->code);
    ltw_remap_match(L, map - 2, map - 1);
    lua_pop(L, 1);
    lua_newtable(L);
    ltw_script_push_self(L, c);
    lua_rawseti(L, -2, 1);
    ltw_persist_list(L, c);
    if (ltw_script_push_tracker(L, c)) {
        lua_getiuservalue(L, -1, 1);
        lua_rawseti(L, tables, (lua_Integer)lua_rawlen(L, tables) + 1);
    }
    lua_settop(L, tables);
    ltw_remap_collect(L, tables, map);
    lua_replace(L, tables);
    ltw_script_push_self(L, c);
    ltw_script_push_self(L, s);
    lua_rawset(L, map);
    ltw_remap_rebind(L, tables, map);
    ltw_remap_apply(L, tables, map);
    lua_settop(L, map - 3);
}

/* [-0, +0, m]  What only the new version has comes from its candidate. */
static void warm_up(lua_State *L, struct ltw_script *s, const struct ltw_script *c)
{
    int self = lua_gettop(L) + 1, warm = self + 1;

    convert(L, s, c);
    ltw_script_push_self(L, s);
    ltw_script_push_self(L, c);
    for (lua_pushnil(L); lua_next(L, warm); lua_settop(L, warm + 1)) {
        lua_pushvalue(L, warm + 1);
        if (lua_rawget(L, self) != LUA_TNIL) continue;
        lua_pop(L, 1);
        lua_pushvalue(L, warm + 1);
        lua_insert(L, -2);
        lua_rawset(L, self);
    }
    lua_settop(L, self - 1);
    ltw_persist_warm(L, s, c);
}

/* [-0, +0, e]  self is the new version's: what this has to say about it. */
static void settle(lua_State *L, struct ltw_script *s, const struct ltw_code *old,
                   struct ltw_script *warm, bool migrates)
{
    if (warm) warm_up(L, s, warm);
    if (migrates) ltw_persist_migrate(L, s);
    if (s->code.handler[LTW_ON_RELOAD].bound) call(L, s, LTW_ON_RELOAD, 0, old, warm);
    settle_tracker(L, s, warm);
    if (s->code.handler[LTW_ON_CHECK].bound) {
        call(L, s, LTW_ON_CHECK, 2, old, warm);
        if (!lua_toboolean(L, -2))
            luaL_error(L, "%s", lua_isnil(L, -1)
                       ? "it did not return true" : luaL_tolstring(L, -1, NULL));
    }
}

/* [-0, +0, e]  In a coroutine of its own. */
static int take_over(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);
    const struct ltw_handler *h = s->sw.next.handler;
    struct ltw_script *c = ltw_shadow_candidate(s);
    int list = 2, map = 3, tables = 4;
    bool migrates;
    bool instructs = !tw_any_equal(&ltw_switch_options(s)->options, &s->o->options)
                  || s->sw.next.declares || s->code.declares;

    lua_rawgeti(L, LUA_REGISTRYINDEX, s->sw.ref);
    lua_rawgeti(L, list, MAP);
    lua_newtable(L);
    ltw_script_push_self(L, s);
    lua_rawseti(L, -2, 1);
    migrates = ltw_persist_add(L, s);
    ltw_remap_collect(L, -1, map);
    lua_replace(L, tables);
    lua_pushvalue(L, tables);
    lua_rawseti(L, list, TABLES);
    if (c || migrates || instructs || h[LTW_ON_RELOAD].bound || h[LTW_ON_CHECK].bound) {
        ltw_remap_copy(L, tables);
        lua_rawseti(L, list, COPIES);
    }
    s->sw.taken_over = true;
    exchange(s);
    set_methods(L, s);
    ltw_remap_apply(L, tables, map);
    if (instructs) {
        ltw_script_push_self(L, s);
        ltw_script_push_params(L, &s->code, ltw_switch_options(s));
        lua_setfield(L, -2, "params");
        lua_pop(L, 1);
    }
    ltw_script_tell_unread(L, s, ltw_switch_options(s));
    settle(L, s, &s->sw.next, c, migrates);
    return 0;
}

struct outcome { struct ltw_script *s; lua_State *co; int status; };

/* A callback of s is run by a function in a coroutine of its own. */
struct trying { struct ltw_script *s; lua_CFunction f; };

/* [-0, +1, e]  Why a version was refused.  Protected. */
static int describe(lua_State *L)
{
    struct outcome *o = lua_touserdata(L, 1);
    struct ltw_script *s = o->s;
    const char *doing = s->handling < 0 ? "it" : ltw_handler_name(s->handling);

    if (ltw_state(L)->overrun) {
        lua_getfield(L, LUA_REGISTRYINDEX, LTW_OVERRUN);
        lua_pushfstring(L, "%s ran for more than %f s without returning\n%s",
                        doing, (double)s->engine->host->time_max_ns / 1e9,
                        lua_tostring(L, -1));
    } else if (o->status == LUA_YIELD) {
        lua_pushfstring(L, "%s can't wait", doing);
    } else {
        lua_xmove(o->co, L, 1);
        luaL_tolstring(L, -1, NULL);
        ltw_hint(L, o->co, 0);
        luaL_traceback(L, o->co, lua_tostring(L, -1), 0);
        lua_pushfstring(L, "%s failed: %s", doing, lua_tostring(L, -1));
    }
    return 1;
}

/* [-0, +0, e]  Protected. */
static int try_it(lua_State *L)
{
    const struct trying *it = lua_touserdata(L, 1);
    struct ltw_script *s = it->s;
    struct ltw_state *state = ltw_state(L);
    struct outcome o = { s, lua_newthread(L), 0 };
    int n;

    lua_pushcfunction(o.co, it->f);
    lua_pushlightuserdata(o.co, s);
    s->handling = -1;
    state->script = s;
    ltw_watchdog_enter(state, o.co);
    o.status = lua_resume(o.co, L, 1, &n);
    ltw_watchdog_leave(state);
    state->script = NULL;
    if (o.status != LUA_OK) {
        lua_pushcfunction(L, describe);
        lua_pushlightuserdata(L, &o);
        lua_call(L, 1, 1);
        return lua_error(L);
    }
    s->handling = -1;
    return 0;
}

/* False: the error is on top of the state's stack. */
static bool try_callbacks(struct ltw_script *s, lua_CFunction f)
{
    lua_State *L = s->engine->state->L;
    struct trying it = { s, f };

    lua_pushcfunction(L, try_it);
    lua_pushlightuserdata(L, &it);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return true;
    s->handling = -1;
    return false;
}

/* What is on top of the state's stack is why. */
static void refuse_with_error(struct ltw_script *s)
{
    struct ltw_state *state = s->engine->state;
    size_t bytes_max = state->bytes_max;
    lua_State *L = state->L;

    state->bytes_max = 0;      /* the script's, not of what is said about it */
    ltw_switch_refuse(s, lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1)
                                                        : "not enough memory");
    state->bytes_max = bytes_max;
    lua_pop(L, 1);
}

/* [-0, +0, e]  Protected. */
static int keep_account(lua_State *L)
{
    const struct ltw_script *s = lua_touserdata(L, 1);

    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.trade");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "keep");
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->code.ref);
    lua_rawgeti(L, -1, LTW_CODE_ACCOUNT);
    lua_replace(L, -2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->sw.next.ref);
    lua_rawgeti(L, -1, LTW_CODE_ACCOUNT);
    lua_replace(L, -2);
    lua_call(L, 2, 0);
    return 0;
}

/* Its account goes on.  False: the new version has another, and is refused. */
static bool keeps_account(struct ltw_script *s)
{
    lua_State *L = s->engine->state->L;

    if (!s->trader) return true;
    lua_pushcfunction(L, keep_account);
    lua_pushlightuserdata(L, s);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return true;
    refuse_with_error(s);
    return false;
}

/* From here on the new version runs beside the old one, with a copy of its self. */
static void begin_shadow(struct ltw_script *s)
{
    s->sw.begun = true;
    s->sw.here = false;
    if (s->sw.arrived || ltw_job_decision(s->sw.job) != LTW_UNDECIDED) return;
    if (keeps_account(s) && !ltw_shadow_begin(s)) refuse_with_error(s);
}

/* [-0, +0, e]  In a coroutine of its own: of a copy that is to be the new version's. */
static int settle_copy(lua_State *L)
{
    struct ltw_script *c = lua_touserdata(L, 1);

    settle(L, c, &c->of->code, ltw_shadow_candidate(c->of), ltw_persist_moves(L, c));
    ltw_persist_end(L, c, true);
    return 0;
}

bool ltw_switch_settle_copy(struct ltw_script *c)
{
    return try_callbacks(c, settle_copy);
}

void ltw_switch_arrive(struct ltw_script *s)
{
    if (must_begin(s)) {
        begin_shadow(s);
        return;
    }
    if (s->sw.arrived || ltw_job_decision(s->sw.job) != LTW_UNDECIDED) return;
    ltw_job_arrive(s->sw.job);
    if (!keeps_account(s)) return;
    if (ltw_job_guard(s->sw.job) && !ltw_shadow_make_guard(s)) {
        refuse_with_error(s);
        return;
    }
    s->held.way = LTW_OUTPUTS_HELD;
    s->outputs = &s->held;
    s->sw.scopes = s->engine->state->scopes;
    if (try_callbacks(s, take_over)) agree(s);
    else refuse_with_error(s);
    s->outputs = NULL;
}

/* ---- the end ---- */

/* [-0, +0, m]  W2.  Protected. */
static int undo(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);

    if (s->sw.taken_over) {
        if (s->sw.kept_tracker) exchange_tracker(s);
        exchange(s);
        set_methods(L, s);
        lua_rawgeti(L, LUA_REGISTRYINDEX, s->sw.ref);
        lua_rawgeti(L, 2, TABLES);
        if (lua_rawgeti(L, 2, COPIES) == LUA_TTABLE) {
            ltw_remap_restore(L, 3, 4);
        } else {
            lua_rawgeti(L, 2, BACK);
            ltw_remap_apply(L, 3, 5);
        }
    }
    ltw_persist_end(L, s, false);
    return 0;
}

/* [-0, +0, m]  Protected. */
static int publish(lua_State *L)
{
    struct ltw_script *s = lua_touserdata(L, 1);
    int list = 2, map = 3, tables = 4;

    ltw_persist_end(L, s, true);
    ltw_code_publish(L, &s->code);
    if (!ltw_shadow_candidate(s) || !s->tracker) return 0;
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->sw.ref);
    lua_rawgeti(L, list, BACK);
    lua_newtable(L);
    ltw_script_push_self(L, s);
    lua_rawseti(L, -2, 1);
    ltw_persist_list(L, s);
    ltw_remap_collect(L, tables, map);
    ltw_script_push_tracker(L, s);
    ltw_tracker_renew(L, lua_gettop(L) - 1, lua_gettop(L));
    return 0;
}

/* [-0, +0, -]  Without memory it is not whole, which is said. */
static void finish(struct ltw_script *s, lua_CFunction f)
{
    struct ltw_state *state = s->engine->state;
    size_t bytes_max = state->bytes_max;

    state->bytes_max = 0;
    lua_pushcfunction(state->L, f);
    lua_pushlightuserdata(state->L, s);
    if (lua_pcall(state->L, 1, 0, 0) != LUA_OK) {
        tw_log_printf(s->engine->host->log, TW_LOG_ERROR, s->engine->who,
                      "script %s: what it keeps is damaged: not enough memory to change"
                      " its version", s->o->name);
        lua_pop(state->L, 1);
    }
    state->bytes_max = bytes_max;
}

void ltw_switch_send(struct ltw_script *s)
{
    if (s->held.n > 0 && ltw_outputs_send(&s->held, s->engine->host, s->o->id))
        ltw_outputs_clear(&s->held);
}

static void commit(struct ltw_script *s)
{
    struct ltw_version *version = ltw_switch_next(s);
    lua_State *L = s->engine->state->L;
    uint64_t seq = ltw_job_seq(s->sw.job);

    if (s->sw.taken_over) {
        forget(L, &s->ref);
        forget(L, &s->frame);
        s->ref = s->sw.co_ref;
        s->co = s->task.co = s->sw.co;
        s->frame = s->sw.frame;
        s->sw.co_ref = s->sw.frame = LUA_NOREF;
        s->fired = s->n_fired = 0;
        finish(s, publish);
        ltw_switch_send(s);
        if (s->sw.kept_tracker && s->tracker)
            tw_log_printf(s->engine->host->log, TW_LOG_INFO, s->engine->who, "script %s:"
                          " on_reload declares no statistics and no conditions: those"
                          " that were declared go on", s->o->name);
    }
    s->o = ltw_switch_options(s);
    ltw_version_unref(s->version);
    ltw_version_ref(s->version = version);
    ltw_script_publish(&s->counts->version, ltw_version_get_number(version));
    ltw_script_publish(&s->counts->since, s->cursor.next > seq ? seq : s->cursor.next);
}

/* All that it has put aside or made ready goes, and it takes part no more. */
static void leave(struct ltw_script *s)
{
    struct ltw_state *state = s->engine->state;
    struct ltw_job *job = s->sw.job;

    ltw_shadow_settle(s, ltw_job_decision(job) == LTW_COMMIT);
    forget(state->L, &s->sw.ref);
    forget(state->L, &s->sw.co_ref);
    forget(state->L, &s->sw.frame);
    forget(state->L, &s->sw.tracker_ref);
    ltw_code_drop(state, &s->sw.next);
    s->sw = (struct ltw_switch){ .ref = LUA_NOREF, .co_ref = LUA_NOREF,
                                 .frame = LUA_NOREF, .tracker_ref = LUA_NOREF };
    ltw_job_leave(job);
    ltw_job_unref(job);
}

bool ltw_switch_step(struct ltw_script *s)
{
    switch (ltw_job_decision(s->sw.job)) {
    case LTW_COMMIT:
        commit(s);
        leave(s);
        return false;
    case LTW_ABORT:
        ltw_outputs_clear(&s->held);
        if (s->sw.taken_over)
            ltw_tasks_cancel(s->engine->state->tasks, s, s->sw.scopes,
                             "its version was not taken");
        finish(s, undo);
        leave(s);
        return false;
    default:
        if (!s->sw.arrived && is_due_at_rest(s)) {
            if (!ltw_shadow_is_there(s)) return true;
            ltw_switch_arrive(s);
        }
        return s->sw.arrived;
    }
}

void ltw_switch_fini(struct ltw_script *s)
{
    ltw_outputs_clear(&s->held);
    if (!s->sw.job) return;
    ltw_switch_refuse(s, "the run is ending");
    leave(s);
}
