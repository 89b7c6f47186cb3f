/* shadow.c - a new version of a script beside the one that runs: the candidate.
 *
 * Why: a version that has seen nothing has no statistics, and nobody knows what it will
 * do.  So an instance of it runs beside each instance of the script, in the same state,
 * with a self, a coroutine and a cursor of its own, before it takes over; what it sends
 * comes nowhere.
 *
 *   WARMING     it begins with on_start some way back on the tape, and follows up to
 *               where the script is
 *   COMPARING   it began as a copy of the script, at a record; what both send is compared
 *   COMPARED    so many records were; it waits for the change
 *   GUARDING    behind the change: it is a copy of the script's old version
 *
 * A copy has copies of the script's open orders, its account and what the simulated venue
 * knows of them, and trades there: what it sends is told to nobody else.
 *
 * Invariants
 *   S1  A candidate reads no record that its script has not read, so that it can be
 *       brought to the very record of a change.
 *   S2  It shares no table with its script.
 *   S3  The script's worker steps its scripts first, and a candidate by no more records
 *       than a script.
 *
 * Layer lua.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "reload/copy.h"
#include "run/instance.h"
#include "tape/lrecord.h"
#include "reload/remap.h"
#include "trade/trader.h"

enum { NEAR = 1024, DIFFERENCES = 10 };

struct ltw_shadow {
    enum { WARMING, COMPARING, COMPARED, GUARDING } phase;
    struct ltw_script *candidate;
    struct ltw_trial *trial;          /* one reference                             */
    uint64_t counted, till;           /* compared up to there; and to be           */
    uint64_t left_out, lost;          /* not compared up to there; by its cursor   */
    struct ltw_outputs ours, its;     /* what the script and the candidate send    */
    bool has_started, is_near;        /* on_start is over; it has caught up once   */
    uint64_t from, moved;             /* where it began; records told to the trial */
    uint64_t goal, distance;          /* where the script was, and how far that was */
    uint64_t begun;                   /* compared from there on                    */
    uint64_t waited_at;               /* at the last check; 0: it did not          */
};

/* What status says of it from now on. */
static void note_stage(struct ltw_script *s, enum ltw_stage stage, uint64_t of)
{
    ltw_script_publish(&s->counts->done, 0);
    ltw_script_publish(&s->counts->of, of);
    ltw_script_publish(&s->counts->stage_ns, (uint64_t)tw_clock_steady_ns());
    ltw_script_publish(&s->counts->stage, stage);
}

/* ---- where to begin ---- */

/* The time of the first quote or trade from seq on, below `till`. */
static bool time_from(const struct tw_tape *tape, uint64_t seq, uint64_t till,
                      int64_t *time)
{
    struct tw_record r;

    for (; seq < till; seq++) {
        if (tw_tape_read(tape, seq, &r) != 1) return false;
        if (r.kind != TW_QUOTE && r.kind != TW_TRADE && r.kind != TW_BAR) continue;
        *time = r.time;
        return true;
    }
    return false;
}

/* The time of the last quote or trade from seq on, below `till`. */
static bool time_till(const struct tw_tape *tape, uint64_t seq, uint64_t till,
                      int64_t *time)
{
    struct tw_record r;

    while (till-- > seq) {
        if (tw_tape_read(tape, till, &r) != 1) return false;
        if (r.kind != TW_QUOTE && r.kind != TW_TRADE && r.kind != TW_BAR) continue;
        *time = r.time;
        return true;
    }
    return false;
}

/* Where the candidate of a script that reads `till` next begins.  A quarter of the ring
 * stays between it and the writers, as they don't wait for it. */
static uint64_t begin_at(const struct tw_tape *tape, const struct ltw_terms *terms,
                         uint64_t till, bool *whole)
{
    uint64_t head = tw_tape_head(tape), held = tw_tape_capacity(tape) / 4 * 3;
    uint64_t oldest = head > held ? head - held : 1, from = oldest, high = till;
    int64_t time, end;

    *whole = true;
    if (oldest > till) oldest = from = till;
    if (terms->warm_records > 0) {
        *whole = till - oldest >= terms->warm_records;
        return *whole ? till - terms->warm_records : oldest;
    }
    if (!time_till(tape, oldest, till, &end)) return till;
    while (from < high) {                         /* the first one that late */
        uint64_t middle = from + (high - from) / 2;

        if (time_from(tape, middle, high, &time) && time < end - terms->warm_ns)
            from = middle + 1;
        else
            high = middle;
    }
    *whole = from > oldest;
    return from;
}

static void note_warm(struct ltw_shadow *w, const struct ltw_script *s, bool whole)
{
    const struct tw_tape *tape = s->engine->host->tape;
    int64_t first, last;

    if (!time_from(tape, w->from, s->cursor.next, &first)
        || !time_till(tape, w->from, s->cursor.next, &last))
        first = last = 0;
    ltw_trial_note_warm(w->trial, s->cursor.next - w->from, last - first, whole);
}

/* ---- its life ---- */

static bool no_memory(struct ltw_script *s)
{
    lua_pushliteral(s->engine->state->L, "not enough memory");
    return false;
}

bool ltw_shadow_warm(struct ltw_script *s)
{
    struct ltw_trial *trial = ltw_job_trial(s->sw.job);
    struct ltw_shadow *w = tw_calloc(1, sizeof *w);
    struct tw_error error;
    bool whole;

    if (!w) return no_memory(s);
    w->from = begin_at(s->engine->host->tape, ltw_trial_terms(trial), s->cursor.next,
                       &whole);
    w->candidate = ltw_script_new_candidate(s, ltw_switch_next(s), ltw_switch_options(s),
                                            w->from);
    if (!w->candidate) {
        tw_free(w);
        return no_memory(s);
    }
    w->goal = s->cursor.next;
    w->distance = w->goal - w->from;
    ltw_trial_ref(w->trial = trial);
    s->shadow = w;
    note_stage(s, LTW_STAGE_WARMING, w->distance);
    note_warm(w, s, whole);
    if (ltw_script_restart(w->candidate, &error) == TW_OK) return true;
    lua_pushstring(s->engine->state->L, error.text);
    return false;
}

static void drop(struct ltw_script *s, struct ltw_shadow *w)
{
    struct ltw_script *c = w->candidate;

    if (w->phase == GUARDING) ltw_trial_compared(w->trial);
    c->outputs = NULL;
    ltw_script_cease(c);
    c->next = s->engine->leaving;
    s->engine->leaving = c;
    ltw_outputs_clear(&w->ours);
    ltw_outputs_clear(&w->its);
    ltw_trial_unref(w->trial);
    tw_free(w);
}

void ltw_shadow_drop(struct ltw_script *s)
{
    struct ltw_shadow *w = s->shadow;

    if (!w) return;
    s->shadow = NULL;
    s->outputs = NULL;
    note_stage(s, LTW_STAGE_NONE, 0);
    drop(s, w);
}

void ltw_shadow_sweep(struct ltw_engine *e, bool all)
{
    for (struct ltw_script **link = &e->leaving, *s; (s = *link) != NULL;) {
        if (!all && !ltw_script_ended(s)) {
            link = &s->next;
            continue;
        }
        *link = s->next;
        ltw_script_free(s);
    }
}

struct ltw_script *ltw_shadow_candidate(const struct ltw_script *s)
{
    return s->shadow && s->shadow->phase != GUARDING ? s->shadow->candidate : NULL;
}

bool ltw_shadow_is_there(const struct ltw_script *s)
{
    const struct ltw_script *c = ltw_shadow_candidate(s);

    return !c || (ltw_script_is_at_rest(c) && c->started
                  && c->cursor.next >= s->cursor.next);
}

bool ltw_shadow_holds(const struct ltw_script *s)
{
    return s->shadow && s->shadow->phase == WARMING && ltw_trial_waits(s->shadow->trial)
        && !ltw_shadow_is_there(s) && s->shadow->candidate->state != SCRIPT_FAILED;
}

/* ---- copies ---- */

enum { COPIES = 1, MEMO };

/* [-0, +0, e]  The tables that its script keeps, once more.  Protected. */
static int copy_tables(lua_State *L)
{
    struct ltw_script *c = lua_touserdata(L, 1);
    int roots = 2, map = 3, memo = 4, copies = 5;

    lua_settop(L, 1);
    lua_newtable(L);
    ltw_script_push_self(L, c->of);
    lua_rawseti(L, roots, 1);
    ltw_persist_list(L, c->of);
    ltw_switch_push_map(L, c->of);
    lua_newtable(L);
    if (c->of->trader) ltw_trader_copy(L, c->of->trader, memo, &c->trader);
    ltw_copy_tables(L, roots, map, memo);
    ltw_persist_copy(L, c, memo);
    lua_createtable(L, MEMO, 0);
    lua_pushvalue(L, copies);
    lua_rawseti(L, -2, COPIES);
    lua_pushvalue(L, memo);
    lua_rawseti(L, -2, MEMO);
    c->sw.ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* [-0, +0, m]  The copy of self at idx has a metatable of its own, with the methods of
 * the candidate's code. */
static void set_methods(lua_State *L, const struct ltw_script *c, int self)
{
    int meta = lua_gettop(L) + 2;

    lua_newtable(L);
    if (!lua_getmetatable(L, self)) {
        lua_pop(L, 1);
        return;
    }
    for (lua_pushnil(L); lua_next(L, meta); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, meta - 1);
    }
    ltw_code_push_module(L, &c->of->code);
    lua_getfield(L, meta - 1, "__index");
    if (lua_rawequal(L, -1, -2)) {
        ltw_code_push_module(L, &c->code);
        lua_setfield(L, meta - 1, "__index");
    }
    lua_settop(L, meta - 1);
    lua_setmetatable(L, self);
}

/* [-0, +0, e]  What was copied becomes the candidate's: its code is loaded.  Its tracker
 * is put aside where what it has declared is to be declared anew.  Protected. */
static int adopt_copies(lua_State *L)
{
    struct ltw_script *c = lua_touserdata(L, 1), *s = c->of;
    bool aside = lua_toboolean(L, 2);
    int list = 3, copies = 4, memo = 5, map = 6, self = 7, tracker = 8;

    lua_rawgeti(L, LUA_REGISTRYINDEX, c->sw.ref);
    lua_rawgeti(L, list, COPIES);
    lua_rawgeti(L, list, MEMO);
    ltw_code_push_module(L, &s->code);
    ltw_code_push_module(L, &c->code);
    ltw_remap_match(L, 6, 7);
    lua_pop(L, 1);
    lua_replace(L, map);
    lua_settop(L, map);
    ltw_script_push_self(L, s);
    lua_rawget(L, memo);
    if (ltw_script_push_tracker(L, s)) {
        struct ltw_tracker *t = ltw_tracker_push_copy(L, tracker);

        lua_replace(L, tracker);
        lua_getiuservalue(L, tracker, 1);
        lua_rawseti(L, copies, (lua_Integer)lua_rawlen(L, copies) + 1);
        ltw_tracker_renew(L, copies, tracker);
        lua_pushvalue(L, tracker);
        *(aside ? &c->sw.tracker_ref : &c->tracker_ref) = luaL_ref(L, LUA_REGISTRYINDEX);
        *(aside ? &c->sw.tracker : &c->tracker) = t;
    }
    ltw_copy_functions(L, copies, memo, map);
    ltw_remap_apply(L, copies, map);
    set_methods(L, c, self);
    ltw_script_push_frame(L, &c->code, self);
    c->frame = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static bool protect(struct ltw_script *c, lua_CFunction f, bool flag)
{
    lua_State *L = c->engine->state->L;

    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, c);
    lua_pushboolean(L, flag);
    return lua_pcall(L, 2, 0, 0) == LUA_OK;
}

static bool load(struct ltw_script *c, bool is_next)
{
    struct ltw_state *state = c->engine->state;
    int status;

    state->script = c;
    c->loading = is_next;
    status = ltw_code_load(state, c->o, c->version, &c->code);
    c->loading = false;
    state->script = NULL;
    return status == LUA_OK;
}

/* A copy of the script, as it stands; next: to be the version that is coming.  NULL: the
 * error is on top of the state's stack. */
static struct ltw_script *copy(struct ltw_script *s, bool next)
{
    struct ltw_script *c = ltw_script_new_candidate(s,
        next ? ltw_switch_next(s) : s->version, next ? ltw_switch_options(s) : s->o,
        s->cursor.next);
    lua_State *L = s->engine->state->L;
    bool fine;

    if (!c || !ltw_script_open(c)) {
        ltw_script_free(c);
        no_memory(s);
        return NULL;
    }
    fine = protect(c, copy_tables, false) && load(c, next)
        && protect(c, adopt_copies, next) && (!next || ltw_switch_settle_copy(c));
    if (fine && !ltw_script_renew(c)) {
        no_memory(s);
        fine = false;
    }
    luaL_unref(L, LUA_REGISTRYINDEX, c->sw.ref);
    luaL_unref(L, LUA_REGISTRYINDEX, c->sw.tracker_ref);
    c->sw.ref = c->sw.tracker_ref = LUA_NOREF;
    c->sw.tracker = NULL;
    if (fine) {
        ltw_script_ready_from(c);
        return c;
    }
    ltw_script_cease(c);
    c->next = s->engine->leaving;
    s->engine->leaving = c;
    return NULL;
}

/* NULL: the error is on top of the state's stack. */
static struct ltw_shadow *make(struct ltw_script *s, struct ltw_trial *trial, bool next)
{
    struct ltw_shadow *w = tw_calloc(1, sizeof *w);

    if (!w) {
        no_memory(s);
        return NULL;
    }
    w->candidate = copy(s, next);
    if (!w->candidate) {
        tw_free(w);
        return NULL;
    }
    w->phase = next ? COMPARING : COMPARED;
    w->its.way = LTW_OUTPUTS_STAY;
    ltw_trial_ref(w->trial = trial);
    return w;
}

/* The script has its candidate from now on, and both are listened to. */
static void observe(struct ltw_script *s, struct ltw_shadow *w)
{
    s->shadow = w;
    w->counted = w->begun = s->cursor.next;
    w->till = w->counted + ltw_trial_terms(w->trial)->shadow;
    note_stage(s, w->phase == GUARDING ? LTW_STAGE_GUARDED : LTW_STAGE_SHADOW,
               w->till - w->begun);
    s->outputs = &w->ours;
    w->candidate->outputs = &w->its;
}

bool ltw_shadow_begin(struct ltw_script *s)
{
    struct ltw_shadow *w = make(s, ltw_job_trial(s->sw.job), true);

    if (!w) return false;
    ltw_shadow_drop(s);
    observe(s, w);
    return true;
}

bool ltw_shadow_make_guard(struct ltw_script *s)
{
    s->sw.guard = make(s, ltw_job_guard(s->sw.job), false);
    return s->sw.guard != NULL;
}

void ltw_shadow_settle(struct ltw_script *s, bool commit)
{
    struct ltw_shadow *guard = s->sw.guard;

    ltw_shadow_drop(s);
    s->sw.guard = NULL;
    if (guard && commit && s->sw.taken_over && !s->stopping) {
        guard->phase = GUARDING;
        observe(s, guard);
        return;
    }
    if (guard) drop(s, guard);
    if (commit && ltw_job_guard(s->sw.job)) ltw_trial_compared(ltw_job_guard(s->sw.job));
}

/* ---- comparing ---- */

struct line { struct ltw_shadow *w; const struct ltw_difference *d; };

/* [-0, +0, e]  Protected. */
static int note_difference(lua_State *L)
{
    const struct line *l = lua_touserdata(L, 1);
    const struct ltw_difference *d = l->d;
    const struct ltw_script *s = l->w->candidate->of;
    bool after = l->w->phase == GUARDING;
    char record[200];
    struct tw_record r;

    if (tw_tape_read(s->engine->host->tape, d->seq, &r) == 1)
        ltw_record_text(s->engine->host, &r, record, sizeof record);
    else
        snprintf(record, sizeof record, "record %llu", (unsigned long long)d->seq);
    ltw_push_outputs(L, d->a, d->n_a);
    ltw_push_outputs(L, d->b, d->n_b);
    lua_pushfstring(L, "  %s at %s\n    old: %s\n    new: %s", s->o->name, record,
                    lua_tostring(L, after ? -1 : -2), lua_tostring(L, after ? -2 : -1));
    ltw_trial_note(l->w->trial, lua_tostring(L, -1));
    return 0;
}

static void differs(void *ctx, const struct ltw_difference *d)
{
    struct ltw_shadow *w = ctx;
    lua_State *L = w->candidate->engine->state->L;
    struct line l = { w, d };

    ltw_trial_add(w->trial, LTW_TRIAL_DIFFERENCES, 1);
    if (ltw_trial_get(w->trial, LTW_TRIAL_DIFFERENCES) > DIFFERENCES) return;
    lua_pushcfunction(L, note_difference);
    lua_pushlightuserdata(L, &l);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);   /* it is counted */
}

/* Up to which record it has sent all that it will. */
static uint64_t done(const struct ltw_script *s)
{
    return ltw_script_is_at_rest(s) ? s->cursor.next : s->record.seq;
}

static void leave_out(struct ltw_shadow *w)
{
    uint64_t lost = w->ours.lost > w->its.lost ? w->ours.lost : w->its.lost;
    uint64_t from = w->left_out + 1 > w->counted ? w->left_out + 1 : w->counted;

    if (w->candidate->cursor.lost > w->lost) {          /* it was overrun */
        w->lost = w->candidate->cursor.lost;
        if (w->candidate->cursor.next - 1 > lost) lost = w->candidate->cursor.next - 1;
        w->its.lost = lost;
    }
    if (lost < from) return;
    if (lost >= w->till) lost = w->till - 1;
    ltw_trial_add(w->trial, LTW_TRIAL_LEFT_OUT, lost + 1 - from);
    w->left_out = lost;
}

/* The version before comes back, at a record that MAIN has still to put on the tape:
 * until then errors are forgiven (ltw_shadow_forgives), but for no more than a tape
 * holds. */
static void wait_for_change(struct ltw_shadow *w, struct ltw_script *s)
{
    if (s->cursor.next - w->till > tw_tape_capacity(s->engine->host->tape))
        ltw_shadow_drop(s);
}

static void compare(struct ltw_shadow *w, struct ltw_script *s)
{
    uint64_t ours = done(s), its = done(w->candidate), till = ours < its ? ours : its;

    if (till > w->till) till = w->till;
    if (till <= w->counted) {
        if (w->phase == GUARDING && w->counted == w->till) wait_for_change(w, s);
        return;
    }
    leave_out(w);
    ltw_outputs_compare(&w->ours, &w->its, till, differs, w);
    ltw_trial_add(w->trial, LTW_TRIAL_RECORDS, till - w->counted);
    w->counted = till;
    ltw_script_publish(&s->counts->done, till - w->begun);
    if (w->phase == GUARDING) {
        bool is_over = ltw_trial_is_over(w->trial);

        if (is_over) ltw_trial_tell(w->trial);
        if (till == w->till && !is_over) ltw_shadow_drop(s);
        else if (till == w->till) s->outputs = w->candidate->outputs = NULL;
    } else if (till == w->till) {
        w->phase = COMPARED;
        s->outputs = w->candidate->outputs = NULL;
        ltw_switch_compared(s);
    }
}

/* ---- errors ---- */

void ltw_shadow_failed(struct ltw_script *candidate, const char *why)
{
    struct ltw_script *s = candidate->of;
    struct ltw_shadow *w = s ? s->shadow : NULL;
    char report[LTW_REASON];

    if (!w) return;                            /* a task of one that is leaving */
    if (w->phase == WARMING) {
        ltw_switch_refuse(s, why);
        return;
    }
    if (w->phase == GUARDING) return;          /* the old version's: it just goes */
    ltw_trial_add(w->trial, LTW_TRIAL_ERRORS, 1);
    ltw_trial_note(w->trial, why);
    if (!ltw_trial_is_over(w->trial)
        || ltw_trial_get(w->trial, LTW_TRIAL_ERRORS)
               <= ltw_trial_terms(w->trial)->errors)
        return;
    ltw_trial_report(w->trial, report, sizeof report);
    ltw_switch_refuse(s, report);
}

bool ltw_shadow_forgives(struct ltw_script *s)
{
    struct ltw_shadow *w = s->is_candidate ? s->of->shadow : s->shadow;
    char line[120];

    if (!w) return false;
    if (s->is_candidate) return w->phase == COMPARING || w->phase == COMPARED;
    if (w->phase != GUARDING) return false;
    snprintf(line, sizeof line, "  %s: an error at record %llu, see above", s->o->name,
             (unsigned long long)s->record.seq);
    ltw_trial_note(w->trial, line);
    ltw_trial_add(w->trial, LTW_TRIAL_ERRORS, 1);
    if (ltw_trial_is_over(w->trial)) ltw_trial_tell(w->trial);
    return true;
}

/* ---- its steps ---- */

/* It can't keep up: it is no nearer than when it began this stretch. */
static bool falls_behind(struct ltw_shadow *w, const struct ltw_script *s)
{
    uint64_t distance = s->cursor.next - w->candidate->cursor.next;
    bool is_no_nearer = w->has_started && distance > w->distance / 8 * 7;

    if (w->has_started && w->candidate->cursor.next < w->goal) return false;
    w->has_started |= ltw_script_is_at_rest(w->candidate);   /* on_start may take long */
    w->goal = s->cursor.next;
    w->distance = distance;
    return is_no_nearer;
}

static void follow(struct ltw_shadow *w, struct ltw_script *s)
{
    const struct ltw_script *c = w->candidate;
    bool waits = ltw_trial_waits(w->trial);

    if (w->is_near) return;
    ltw_script_publish(&s->counts->done, c->cursor.next - w->from);
    if (c->started && ltw_script_is_at_rest(c) && s->cursor.next - c->cursor.next
                                                  <= (waits ? 0 : NEAR)) {
        w->is_near = true;
        ltw_trial_add(w->trial, LTW_TRIAL_LOST, c->cursor.lost);
        ltw_switch_warmed(s);
    } else if (!waits && falls_behind(w, s)) {
        ltw_switch_refuse(s, "the new version can't keep up with the market, beside the"
                          " old one");
    }
}

bool ltw_shadow_step(struct ltw_script *s)
{
    struct ltw_shadow *w = s->shadow;
    enum ltw_step did;

    if (!w || s->sw.arrived) return false;
    did = ltw_script_step(w->candidate);
    if (did == LTW_FAILED && w->phase == GUARDING) ltw_shadow_drop(s);
    if (did == LTW_FAILED) return true;           /* it goes when that is decided */
    ltw_trial_move(w->trial, w->candidate->cursor.next - w->moved);
    w->moved = w->candidate->cursor.next;
    if (w->phase == WARMING) follow(w, s);
    else if (w->phase != COMPARED) compare(w, s);
    return did != LTW_IDLE;
}

void ltw_shadow_check(struct ltw_script *s)
{
    struct ltw_shadow *w = s->shadow;
    const struct ltw_script *c = ltw_shadow_candidate(s);
    bool waits = c && s->sw.job && !s->sw.arrived && c->state == SCRIPT_WAITING
              && (w->phase == WARMING || ltw_script_is_at_rest(s)
                  || c->cursor.next < s->cursor.next);

    if (!w) return;
    if (waits && w->waited_at == c->cursor.next)
        ltw_switch_refuse(s, w->phase == WARMING ? "the new version does not get on with"
                          " what it is to read before it takes over: it waits"
                          : "the new version does not get on beside the old one: it"
                          " waits");
    w->waited_at = waits ? c->cursor.next : 0;
}

bool ltw_shadow_ready(const struct ltw_script *s)
{
    return s->shadow && !s->sw.arrived && ltw_script_ready(s->shadow->candidate);
}
