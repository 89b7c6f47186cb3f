/* dispatch.c - from records to the handlers of a script.
 *
 * Why: the handlers of a script run inside one coroutine, called by the C
 * function `ltw_script_dispatch` through lua_callk.  So a handler may wait (the coroutine
 * yields, the cursor stays, the other scripts go on), an error unwinds to one
 * place without a pcall for each record, and a runaway can be yielded out of.
 *
 * Layer lua.
 */
#include "base/clock.h"
#include "run/instance.h"
#include "trade/lbars.h"
#include "trade/lbook.h"
#include "fix/lfix_session.h"
#include "tape/lrecord.h"
#include "trade/trader.h"
#include "watchdog.h"

/* A quote without a side is for those alone who say so. */
static inline bool lacks_side(const struct ltw_script *s, const struct tw_record *r)
{
    return r->kind == TW_QUOTE && !s->code.one_sided
        && ((r->quote.bid | r->quote.bid_size) == 0
            || (r->quote.ask | r->quote.ask_size) == 0);
}

/* [-0, +0, e]  Has the filter learned what it has not seen? */
static bool learned(struct ltw_script *s, int rc)
{
    if (rc < 0) luaL_error(s->co, "not enough memory");
    return true;
}

/* Of a feed that is wanted? */
static inline bool is_of_feed(struct ltw_script *s, const struct tw_record *r)
{
    struct ltw_feeds *f = &s->code.feeds;

    return !f->names || ltw_filter_takes(f, &s->engine->host->sources, r->source);
}

/* [-0, +0, e]  Is the symbol wanted, and who tells of it? */
static bool passes(struct ltw_script *s, const struct tw_record *r)
{
    const struct ltw_host *host = s->engine->host;
    struct ltw_code *c = &s->code;

    if (!is_of_feed(s, r)) return false;
    return c->symbols.all
        || ((r->symbol < c->symbols.known
             || learned(s, ltw_filter_learn_symbols(&c->symbols, host->symbols,
                                                    r->symbol)))
            && c->symbols.wanted[r->symbol]);
}

/* [-0, +0, e]  Likewise the topic of a message; of a FIX session that. */
static bool is_heard(struct ltw_script *s, const struct tw_record *r)
{
    const struct ltw_host *host = s->engine->host;
    bool fix = ltw_fix_topic(host, r) != LTW_FIX_NONE;
    struct ltw_filter *f = fix ? &s->code.sessions : &s->code.topics;
    uint32_t id = r->message.topic;

    if (!fix && r->message.script == s->o->id) return false;
    return f->all
        || ((id < f->known
             || learned(s, fix ? ltw_filter_learn_sessions(f, host->topics, id)
                               : ltw_filter_learn_topics(f, host->topics, id)))
            && f->wanted[id]);
}

/* The handler that a record is for: its kind's, but of messages of FIX sessions. */
static inline int handler_of(const struct ltw_script *s, const struct tw_record *r)
{
    if (r->kind != TW_MESSAGE) return r->kind;
    switch (ltw_fix_topic(s->engine->host, r)) {
    case LTW_FIX_MESSAGE: return LTW_ON_FIX;
    case LTW_FIX_EVENT: return LTW_ON_FIX_EVENT;
    default: return TW_MESSAGE;
    }
}

/* Every symbol of every feed? */
static inline bool takes_all(const struct ltw_script *s)
{
    return s->code.symbols.all && !s->code.feeds.names;
}

/* Is it for this script, whether it has a handler or not? */
static bool wants(struct ltw_script *s, const struct tw_record *r)
{
    switch (r->kind) {
    case TW_QUOTE:
        return !lacks_side(s, r) && (takes_all(s) || passes(s, r));
    case TW_TRADE:
    case TW_BAR:
    case TW_LEVEL:
        return takes_all(s) || passes(s, r);
    case TW_MESSAGE:
        return is_heard(s, r);
    case TW_STATUS:
        return r->symbol ? passes(s, r) : is_of_feed(s, r);
    case TW_GAP:
        return !r->source || is_of_feed(s, r);
    default:
        return true;
    }
}

/* The handler's first sight of a batch: how long has it been on the way? */
static void note_arrival(struct ltw_script *s, const struct tw_record *r)
{
    const struct ltw_host *host = s->engine->host;

    if (host->plays || host->time) return;   /* it was not received now */
    s->first_received = r->received;
    if (s->first_received && !s->is_candidate)
        tw_histogram_add(&s->engine->reach_ns, tw_clock_now_ns() - s->first_received);
}

static void note_gap(struct ltw_script *s, const struct tw_record *r)
{
    ltw_script_publish(&s->counts->lost, s->cursor.lost);
    if (s->code.handler[TW_GAP].bound || s->is_candidate) return;
    if (r->source || r->time) return;   /* its feed has said so; it was recorded */
    tw_log_printf(s->engine->host->log, TW_LOG_WARN, s->engine->who,
                  "script %s fell behind and lost %llu records (%llu in all)", s->o->name,
                  (unsigned long long)r->gap.lost, (unsigned long long)s->cursor.lost);
}

/* [-0, +n, m]  What h asks for of a message or event of a FIX session. */
static TW_APART void push_of_fix(lua_State *L, const struct ltw_host *host,
                                 const struct ltw_handler *h, const struct tw_record *r)
{
    for (int i = 0; i < h->n; i++)
        ltw_push_fix_field(L, host, LTW_NAMES, r, h->field[i]);
}

/* [-0, +n, m]  self, where h takes it, and what it asks for; returns their number. */
static int push_arguments(lua_State *L, struct ltw_script *s, const struct ltw_handler *h,
                          const struct tw_record *r)
{
    const struct ltw_host *host = s->engine->host;

    ltw_watchdog_beat(s->engine->state);
    if (h->self) lua_pushvalue(L, LTW_SELF);
    if (s->handling == LTW_ON_FIX || s->handling == LTW_ON_FIX_EVENT)
        push_of_fix(L, host, h, r);
    else
        for (int i = 0; i < h->n; i++)
            ltw_push_field(L, host, LTW_NAMES, r, (enum tw_field)h->field[i]);
    return h->n + h->self;
}

/* [-0, +1..n, m]  The handler and its arguments; returns their number. */
static int push_call(lua_State *L, struct ltw_script *s, int index)
{
    s->handling = index;
    s->in_condition = false;
    lua_pushvalue(L, LTW_FRAME + index);
    return push_arguments(L, s, &s->code.handler[index], &s->record);
}

/* [-0, +1..n, m]  on_bar and its arguments, of the bar that was made; it is not on the
 * tape, so its record is a kept one. */
static int push_made_bar(lua_State *L, struct ltw_script *s, uint32_t series)
{
    const struct ltw_handler *h = &s->code.handler[TW_BAR];
    int first;

    s->handling = TW_BAR;
    s->in_condition = false;
    lua_pushvalue(L, LTW_FRAME + TW_BAR);
    first = lua_gettop(L) + 1 + h->self;
    push_arguments(L, s, h, &s->bar);
    for (int i = 0; i < h->n; i++) {
        if (h->field[i] != TW_FIELD_RECORD && h->field[i] != TW_FIELD_SERIES) continue;
        lua_pushinteger(L, series);
        if (h->field[i] == TW_FIELD_RECORD) {
            ltw_push_kept(L, &s->bar);
            lua_insert(L, -2);
            lua_setiuservalue(L, -2, LTW_KEPT_SERIES);
        }
        lua_replace(L, first + i);
    }
    return h->n + h->self;
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
                                     [tw_program_of(s->record.kind)], &s->record);
}

/* [-0, +1..n, m]  What is to be called because of what happened to an order, likewise;
 * -1: nothing. */
static int push_told(lua_State *L, struct ltw_script *s)
{
    const struct ltw_handler *h;
    int id, n = ltw_trader_push(L, s->trader, s->code.handler, &id);

    if (n < 0 || id < 0) return n;
    h = &s->code.handler[id];
    s->handling = id;
    s->in_condition = false;
    ltw_watchdog_beat(s->engine->state);
    lua_pushvalue(L, LTW_FRAME + id);
    if (h->self) lua_pushvalue(L, LTW_SELF);
    for (int i = 0; i < h->n; i++)
        ltw_push_told(L, s->trader, LTW_NAMES, id, h->field[i]);
    return h->n + h->self;
}

/* Runs the rows; of a single one, what has become true is to be called. */
static void run_rows(lua_State *L, struct ltw_script *s, bool single)
{
    const uint16_t *which;

    ltw_tracker_run(L, s->tracker);
    s->n_fired = single ? tw_plan_fired(s->tracker->plan, &which) : 0;
    s->fired = 0;
}

/* A candidate never reads past its script, S1. */
static uint64_t readable(const struct ltw_script *s)
{
    if (s->sequence) return ltw_sequence_room(s->sequence, s->o->id, s->cursor.next);
    if (!s->is_candidate) return UINT64_MAX;
    if (!s->of || s->cursor.next >= s->of->cursor.next) return 0;
    return s->of->cursor.next - s->cursor.next;
}

/* Takes the next records as rows while Lua need not see single ones: the plan is not
 * stepwise. */
static void take_rows(lua_State *L, struct ltw_script *s)
{
    struct tw_plan *plan = s->tracker->plan;
    unsigned kinds = tw_plan_kinds(plan), room, n, kept = 0;
    bool all = takes_all(s);
    struct tw_record *row = tw_plan_rows(plan, &room);

    for (unsigned k = 0; k < TW_PROGRAMS; k++)
        if (s->code.handler[tw_program_kind(k)].bound)
            kinds &= ~(1u << tw_program_kind(k));
    if (kinds == 0) return;
    if (s->bars || (s->trader && tw_broker_open(s->trader->broker, NULL))) return;
    if (room > s->budget) room = s->budget;
    if (room > readable(s)) room = (unsigned)readable(s);
    n = tw_cursor_take(&s->cursor, kinds, row, room);
    if (n == 0) return;
    if (s->first_received == 0) note_arrival(s, row);
    s->budget -= n;
    for (unsigned i = 0; s->trader && i < n; i++)
        ltw_trader_record(L, s->trader, &row[i]);
    for (unsigned i = 0; i < n; i++)
        if (all ? !lacks_side(s, &row[i]) : wants(s, &row[i])) {
            if (kept < i) row[kept] = row[i];
            kept++;
        }
    s->handled += kept;
    if (!tw_plan_add(plan, kept)) run_rows(L, s, false);
}

/* Bars are made of what the script wants, with or without a handler for it; whether they
 * have looked at the record. */
static bool take_bars(lua_State *L, struct ltw_script *s)
{
    const struct tw_record *r = &s->record;

    if (r->kind != TW_QUOTE && r->kind != TW_TRADE && r->kind != TW_BAR) return false;
    if (!passes(s, r)) return false;
    if (!ltw_bars_take(s->bars, s->engine->host->symbols, r))
        luaL_error(L, "not enough memory");
    return true;
}

/* Levels that the script wants, with or without a handler for each, and gaps; whether
 * on_book is due. */
static bool take_books(lua_State *L, struct ltw_script *s)
{
    const struct tw_record *r = &s->record;
    const struct ltw_handler *h = s->code.handler;

    if (!s->books && !s->keeps_books && !h[LTW_ON_BOOK].bound && !h[TW_LEVEL].bound)
        return false;
    if (r->kind == TW_LEVEL && !passes(s, r))
        return false;
    if (!ltw_books_take(&s->books, s->engine->host, r))
        luaL_error(L, "not enough memory");
    return r->kind == TW_LEVEL && h[LTW_ON_BOOK].bound && ltw_books_due(s->books, r);
}

/* The next record, from the tape or from who writes to it for this script alone. */
static bool take(struct ltw_script *s)
{
    const struct ltw_engine *e = s->engine;

    if (!e->more || !e->more(e->ctx, s->cursor.next, &s->record))
        return tw_cursor_next(&s->cursor, &s->record);
    s->cursor.next++;
    return true;
}

enum { NONE = -2, SOME = -1 };           /* see push_next for SOME */

/* Takes records until one is for Lua; where that is for one handler alone, the number of
 * it. */
static int advance(lua_State *L, struct ltw_script *s)
{
    struct ltw_tracker *t;

    if (s->trader && ltw_trader_is_halting(s->trader)) {
        ltw_trader_heed(L, s->trader);
        if (ltw_trader_has_told(s->trader)) return SOME;
    }
    while (s->budget > 0 && !s->stopping && !s->sw.here) {
        bool stepwise, row, handled, bars, told = false, book = false;
        unsigned room, kind;
        int index;

        t = s->tracker;
        stepwise = t && tw_plan_is_stepwise(t->plan);
        if (t && !stepwise) take_rows(L, s);
        if (s->budget == 0 || readable(s) == 0 || !take(s)) break;
        s->budget--;
        kind = s->record.kind;
        s->kinds |= 1u << kind;
        if (s->first_received == 0) note_arrival(s, &s->record);
        if (kind == TW_GAP) note_gap(s, &s->record);
        if (s->trader) {
            s->waited = false;
            ltw_trader_record(L, s->trader, &s->record);
            told = ltw_trader_has_told(s->trader);
        }
        if (s->sw.job && kind >= TW_GAP) s->sw.here = ltw_switch_is_due(s);
        bars = s->bars && take_bars(L, s);
        if (kind == TW_LEVEL || kind == TW_GAP)
            book = take_books(L, s);
        index = handler_of(s, &s->record);
        handled = s->code.handler[index].bound;
        row = t && tw_plan_kinds(t->plan) & 1u << kind;
        if ((!row && !handled && !book) || !wants(s, &s->record)) {
            s->handled += bars;
            if (told || s->bars) return SOME;
            continue;
        }
        s->handled++;
        if (handled && !told && !book && !t && !s->bars) return index;
        s->pending = handled;
        s->pending_book = book;
        s->n_fired = s->fired = 0;
        if (t && !stepwise) run_rows(L, s, false);      /* what came before it */
        if (row) {
            *tw_plan_rows(t->plan, &room) = s->record;
            tw_plan_add(t->plan, 1);
            run_rows(L, s, true);
        }
        if (told || handled || book || s->bars || s->n_fired > 0 || (t && t->n_due > 0))
            return SOME;
    }
    if (!s->tracker) return NONE;
    run_rows(L, s, false);
    return s->tracker->n_due > 0 ? SOME : NONE;
}

/* [-0, +?, e]  The next function to call, and its arguments; -1: none now.  Samples are
 * published first, then the conditions' functions are called, then the handler. */
static int push_next(lua_State *L, struct ltw_script *s)
{
    for (;;) {
        const uint16_t *which;
        uint32_t series;
        int index;
        int n = s->trader && ltw_trader_has_told(s->trader) ? push_told(L, s) : -1;

        if (n >= 0) return n;
        if (s->bars && (series = ltw_bars_next(s->bars, &s->bar)) > 0)
            return push_made_bar(L, s, series);
        if (s->tracker && ltw_tracker_push_due(L, s->tracker)) return 2;
        if (s->fired < s->n_fired) {
            tw_plan_fired(s->tracker->plan, &which);
            return push_condition(L, s, which[s->fired++]);
        }
        if (s->pending) {
            s->pending = false;
            return push_call(L, s, handler_of(s, &s->record));
        }
        if (s->pending_book) {
            s->pending_book = false;
            return push_call(L, s, LTW_ON_BOOK);
        }
        index = advance(L, s);
        if (index == NONE) return -1;
        if (index != SOME) return push_call(L, s, index);
    }
}

/* [-0, +0, e] */
int ltw_script_dispatch(lua_State *L, int status, lua_KContext context)
{
    struct ltw_script *s = (struct ltw_script *)context;

    (void)status;
    if (!s->started) {
        s->started = true;
        if (s->code.handler[LTW_ON_START].bound)
            lua_callk(L, push_call(L, s, LTW_ON_START), 0, context, ltw_script_dispatch);
    }
    for (;;) {
        int n;

        while ((n = push_next(L, s)) >= 0)
            lua_callk(L, n, 0, context, ltw_script_dispatch);
        s->handling = -1;
        if (s->stopping && s->scope->live == 0) {        /* on_stop comes last */
            if (s->trader && ltw_trader_begin(L, s->trader)) continue;
            break;
        }
        s->after_batch = true;
        return lua_yieldk(L, 0, context, ltw_script_dispatch);
    }
    if (s->code.handler[LTW_ON_STOP].bound) {
        int n = push_call(L, s, LTW_ON_STOP);

        s->code.handler[LTW_ON_STOP].bound = false;   /* once, also when it waits */
        do {                                          /* and what its orders came to */
            lua_callk(L, n, 0, context, ltw_script_dispatch);
            if (s->trader) ltw_trader_begin(L, s->trader);
        } while ((n = push_next(L, s)) >= 0);
    }
    return 0;
}
