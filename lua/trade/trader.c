/* trader.c - a script's broker, and how the script hears of it. */
#include "trade/trader.h"

#include <string.h>

#include "trade/account_options.h"
#include "base/clock.h"
#include "base/fixed.h"
#include "base/memory.h"
#include "trade/desk.h"
#include "run/instance.h"
#include "backtest/journal.h"
#include "ltime.h"
#include "run/floor.h"
#include "task/task.h"

/* What is still to be done about the thing that is told. */
enum { NOTHING, APPEND, ON_ORDER, ON_FILL, ON_POSITION, DONE };
enum { SPARE = 16 << 10 };             /* to say that there is no memory */

/* ---- terms ---- */

static void set_terms(const struct ltw_trader *t, uint32_t symbol, struct tw_terms *out)
{
    const struct ltw_instrument_terms *said = ltw_desk_terms(t->host->desk, symbol);
    struct tw_instrument in = tw_symbols_get(t->host->symbols, symbol);
    int currency = 0;

    *out = (struct tw_terms){ .tick = in.tick_fixed, .lot = in.lot_fixed,
                              .fees = &t->fees };
    if (!said) return;
    out->multiplier = said->multiplier;
    out->margin = said->margin;
    out->settles_daily = said->settles_daily;
    out->calendar = said->calendar;
    if (said->currency[0])
        currency = tw_account_currency(tw_broker_account(t->broker), said->currency);
    out->currency = currency > 0 ? (uint32_t)currency : 0;
}

static TW_APART bool learn(struct ltw_trader *t, uint32_t symbol)
{
    if (symbol >= t->n_terms) {
        struct tw_terms **grown = tw_extend(t->terms, &t->n_terms, symbol, sizeof *grown);

        if (!grown) return false;
        t->terms = grown;
    }
    if (!t->terms[symbol]) {
        t->terms[symbol] = tw_calloc(1, sizeof **t->terms);
        if (t->terms[symbol]) set_terms(t, symbol, t->terms[symbol]);
    }
    return t->terms[symbol] != NULL;
}

bool ltw_trader_learn(struct ltw_trader *t, uint32_t symbol)
{
    return (symbol < t->n_terms && t->terms[symbol]) || learn(t, symbol);
}

static const struct tw_terms *terms_of(void *ctx, uint32_t symbol)
{
    struct ltw_trader *t = ctx;

    return ltw_trader_learn(t, symbol) ? t->terms[symbol] : NULL;
}

/* ---- its life ---- */

void ltw_trader_new(lua_State *L, uint32_t script, const char *name, bool muted,
                    struct ltw_trader **out)
{
    struct ltw_host *host = ltw_check_host(L, "trading");
    struct ltw_trader *t = tw_calloc(1, sizeof *t);
    struct tw_broker_options o = { .terms = terms_of, .ctx = t, .script = script };

    if (!t) luaL_error(L, "not enough memory");
    *out = t;                                /* freed by who has it from here on */
    t->host = host;
    t->muted = muted;
    o.desk = &host->desk->desk;
    o.is_uncounted = muted;
    ltw_desk_ids(host->desk, script, &o.first_id, &o.id_step);
    ltw_account_options(L, lua_gettop(L), t, &o);
    ltw_trader_join(L, t, script, &o);
    t->broker = tw_broker_new(&o);
    if (!t->broker) luaL_error(L, "not enough memory");
    if (t->leaves_by) tw_broker_begin(t->broker, tw_clock_now_ns());
    ltw_account_begin(L, lua_gettop(L), t);
    ltw_trader_inherit(L, t, name);
}

/* Most orders take the place in the registry that one before them has left: luaL_ref and
 * luaL_unref keep a list of places in Lua, for four times as long. */
void ltw_trader_hold(lua_State *L, struct ltw_trader *t, struct ltw_order *own)
{
    if (t->n_spare == 0) {
        own->ref = luaL_ref(L, LUA_REGISTRYINDEX);
        return;
    }
    own->ref = t->spare[--t->n_spare];
    lua_rawseti(L, LUA_REGISTRYINDEX, own->ref);
}

void ltw_trader_release(lua_State *L, struct ltw_trader *t, struct ltw_order *own)
{
    if (own->ref != LUA_NOREF && t->n_spare < LTW_SPARE_REFS) {
        lua_pushboolean(L, 0);
        lua_rawseti(L, LUA_REGISTRYINDEX, own->ref);
        t->spare[t->n_spare++] = own->ref;
    } else {
        luaL_unref(L, LUA_REGISTRYINDEX, own->ref);
    }
    own->ref = LUA_NOREF;
}

/* Nothing refers to it any more, and no more will be told of it. */
static void end(lua_State *L, struct ltw_trader *t, struct ltw_order *own)
{
    if (t->journal) ltw_journal_ended(t->journal, &own->o);
    ltw_trader_release(L, t, own);
}

void ltw_trader_free(lua_State *L, struct ltw_trader *t)
{
    struct tw_order *o = NULL;

    if (!t) return;
    ltw_heir_free(t);
    do ltw_trader_forget(L, t);                 /* what is told no more */
    while (t->broker && tw_broker_next(t->broker, &t->told));
    while (t->broker && (o = tw_broker_open(t->broker, o)) != NULL) {
        struct ltw_order *own = (struct ltw_order *)o;

        luaL_unref(L, LUA_REGISTRYINDEX, own->ref);
        own->ref = LUA_NOREF;
        own->trader = NULL;
    }
    for (struct ltw_order *own = t->ended; own; own = own->next)
        luaL_unref(L, LUA_REGISTRYINDEX, own->ref);
    if (t->adopted) ltw_trader_release(L, t, t->adopted);
    if (t->late && !t->late->listed) ltw_trader_release(L, t, t->late);
    while (t->n_spare > 0) luaL_unref(L, LUA_REGISTRYINDEX, t->spare[--t->n_spare]);
    if (t->known) luaL_unref(L, LUA_REGISTRYINDEX, t->known);
    ltw_words_fini(&t->words);
    ltw_state(L)->bytes -= t->bytes;
    tw_broker_free(t->broker);
    tw_seat_leave(t->seat);
    for (size_t i = 0; i < t->n_terms; i++) tw_free(t->terms[i]);
    tw_free(t->terms);
    tw_free(t->latencies);
    tw_free(t);
}

void ltw_trader_note_time(struct ltw_trader *t, int64_t steady_ns)
{
    uint64_t seq;
    int64_t now_ns;

    tw_broker_now(t->broker, &now_ns, &seq);
    if (now_ns == t->at_ns) return;
    t->at_ns = now_ns;
    t->since_ns = steady_ns;
}

/* Who has waited decides now: by event time; or, where a feed is live, so long after the
 * last record.  A book's own time is that of records. */
static TW_APART void go_on(struct ltw_state *state, struct ltw_trader *t)
{
    int64_t now_ns = ltw_steady_ns(state);

    if (t->host->time) {
        tw_broker_go_on(t->broker, now_ns);
    } else if (t->host->live && t->at_ns && (!t->seat || t->leaves_by)) {
        tw_broker_go_on(t->broker, t->at_ns + now_ns - t->since_ns);
        ltw_trader_note_time(t, now_ns);
    }
}

struct ltw_trader *ltw_check_trader(lua_State *L, const char *what)
{
    const struct ltw_task *task = ltw_task_current(L);
    struct ltw_script *s = ltw_state(L)->script;

    ltw_check_open(L);
    if (!s || s->code.ref == LUA_NOREF)
        luaL_error(L, "%s is for the handlers and tasks of a script in a run", what);
    if (!s->trader) {
        if (task && task->budget && task->budget->is_bounded)   /* it may only look */
            luaL_error(L, "%s: the script has not traded yet", what);
        ltw_script_make_trader(L, s);
        ltw_trader_record(L, s->trader, &s->record);
        ltw_trader_note_time(s->trader, ltw_steady_ns(ltw_state(L)));
    }
    if (s->waited || !ltw_state(L)->record) go_on(ltw_state(L), s->trader);
    return s->trader;
}

/* ---- records ---- */

/* What 1 of a currency costs is the price of a symbol, or 1 over that. */
static TW_APART void follow_rates(struct ltw_trader *t, const struct tw_record *r)
{
    for (unsigned i = 0; i < t->n_rates; i++) {
        int64_t price;

        if (t->rate[i].symbol != r->symbol) continue;
        price = tw_broker_price(t->broker, r->symbol);
        if (price > 0 && t->rate[i].inverse)
            price = tw_money_price((tw_money)TW_FIXED_ONE, price);
        if (price > 0)
            tw_account_set_rate(tw_broker_account(t->broker), t->rate[i].currency, price);
    }
}

static void list_ended(struct ltw_trader *t, struct ltw_order *own)
{
    if (!t->ended) t->last = &t->ended;
    own->next = NULL;
    own->listed = true;
    *t->last = own;
    t->last = &own->next;
}

/* Those that had ended, but were still on their way to the venue: a few each time. */
static TW_APART void release_ended(lua_State *L, struct ltw_trader *t)
{
    for (int i = 0; i < 4 && t->ended; i++) {
        struct ltw_order *own = t->ended;

        t->ended = own->next;
        own->listed = false;
        if (tw_order_is_done(&own->o)) end(L, t, own);
        else list_ended(t, own);
    }
}

void ltw_trader_record(lua_State *L, struct ltw_trader *t, const struct tw_record *r)
{
    if (r->kind != TW_QUOTE && r->kind != TW_TRADE && r->kind != TW_BAR
        && !(t->gateway.submit && (r->kind == TW_ORDER || r->kind == TW_TIMER))) {
        if (r->kind != 0)
            tw_broker_pass(t->broker, r->time,
                           r->kind == TW_TIMER ? r->timer.interval_ns : 0);
        return;
    }
    if (t->seat || t->gateway.is_plain) ltw_trader_expect(L, t, r);
    if (tw_broker_record(t->broker, r) < 0 || t->lost)
        luaL_error(L, "not enough memory");
    if (t->n_rates) follow_rates(t, r);
    if (t->leaves_by) ltw_heir_record(t, r);
    if (t->ended) release_ended(L, t);
}

bool ltw_trader_begin(lua_State *L, struct ltw_trader *t)
{
    if (tw_broker_untold(t->broker) == 0 || ltw_trader_has_told(t)) return false;
    tw_broker_begin(t->broker, ltw_now_ns(ltw_state(L)));
    return true;
}

void ltw_trader_heed(lua_State *L, struct ltw_trader *t)
{
    if (tw_broker_heed(t->broker) < 0 || t->lost) luaL_error(L, "not enough memory");
}

/* ---- telling ---- */

/* What was told is over. */
static void finish(lua_State *L, struct ltw_trader *t)
{
    struct ltw_order *own = (struct ltw_order *)t->told.order;

    t->stage = NOTHING;
    t->told.order = NULL;
    if (!own || tw_order_is_open(&own->o)) return;
    if (t->leaves_by && t->told.report.exec != TW_EXEC_CANCEL_REJECTED)
        tw_fix_account_ended(&t->heir.account, &own->o);
    if (own->listed || own->o.untold > 0) return;
    if (own->o.requests == 0) end(L, t, own);
    else list_ended(t, own);
}

void ltw_trader_count(lua_State *L, struct ltw_trader *t)
{
    struct ltw_state *s = ltw_state(L);
    size_t bytes = tw_broker_bytes(t->broker), max;

    if (t->journal) bytes += ltw_journal_bytes(t->journal);
    ltw_state_add(s, bytes - t->bytes);
    t->bytes = bytes;
    if (!s->bytes_max || s->bytes + SPARE <= s->bytes_max) return;
    lua_gc(L, LUA_GCCOLLECT);
    if (s->bytes + SPARE <= s->bytes_max) return;
    max = s->bytes_max;
    s->bytes_max = 0;                        /* for what is said about it */
    luaL_where(L, 1);
    lua_pushfstring(L, "%snot enough memory (%d orders are open)", lua_tostring(L, -1),
                    (int)tw_broker_count(t->broker));
    s->bytes_max = max;
    lua_error(L);
}

/* [-0, +0, m]  The order has them: a text, and a number. */
static void push_words(lua_State *L, struct ltw_trader *t, const struct ltw_order *own)
{
    struct ltw_word w;

    lua_rawgeti(L, LUA_REGISTRYINDEX, own->ref);
    lua_pushnil(L);
    lua_pushnil(L);
    if (ltw_words_take(&t->words, t->told.report.words, &w)) {
        if (w.has_code) {
            lua_pushinteger(L, w.code);
            lua_replace(L, -2);
        }
        if (w.text[0]) {
            lua_pushstring(L, w.text);
            lua_replace(L, -3);
        }
    }
    lua_setiuservalue(L, -3, 3);
    lua_setiuservalue(L, -2, 2);
    lua_pop(L, 1);
}

static void count_refused(struct ltw_trader *t, const struct ltw_order *own,
                          enum tw_reason why)
{
    t->refused[why]++;
    if (why == TW_REASON_LOT || why == TW_REASON_TICK) {
        char *off = t->off[why == TW_REASON_LOT];

        if (!off[0]) tw_order_reason(&own->o, why, own->off, off);
    }
}

static bool begin(lua_State *L, struct ltw_trader *t)
{
    struct ltw_order *own;

    if (t->told.order) finish(L, t);
    t->stage = NOTHING;
    if (!tw_broker_next(t->broker, &t->told)) return false;
    own = (struct ltw_order *)t->told.order;
    own->reason = t->told.report.reason;
    own->off = tw_report_is_trade(&t->told.report) ? 0 : t->told.report.last_px;
    own->words = t->told.report.words != 0;
    if (own->words) push_words(L, t, own);
    if (t->journal
        && !ltw_journal_told(t->journal, tw_broker_account(t->broker), &t->told))
        luaL_error(L, "not enough memory");
    t->orders += t->told.report.exec == TW_EXEC_PENDING_NEW;
    t->fills += t->told.report.exec == TW_EXEC_TRADE;
    if (t->told.report.exec == TW_EXEC_REJECTED
        || (t->told.report.exec == TW_EXEC_CANCELED
            && t->told.report.reason == TW_REASON_PARENT))
        count_refused(t, own, (enum tw_reason)t->told.report.reason);
    tw_broker_report_record(t->broker, &t->told, &t->record);
    t->stage = t->muted || t->host->replays || t->told.report.taped ? ON_ORDER : APPEND;
    return true;
}

/* [-0, +1, e]  Puts the report on the tape; waits for room. */
static int append(lua_State *L)
{
    struct ltw_trader *t = lua_touserdata(L, 1);

    lua_settop(L, 2);
    lua_pushlightuserdata(L, &t->record);
    return ltw_append(L, LUA_OK, 0);
}

static bool append_now(struct ltw_trader *t)
{
    int rc;

    t->record.received = t->host->time ? t->record.time : tw_clock_now_ns();
    rc = tw_tape_try_append(t->host->tape, &t->record, 1);
    tw_tape_wake(t->host->tape);
    return rc == TW_OK;
}

/* [-0, +1, -]  What the stage calls: a handler of that number. */
static int stage_handler(const struct ltw_trader *t, unsigned stage)
{
    const struct tw_report *r = &t->told.report;

    if (stage == ON_ORDER) return LTW_ON_ORDER;
    if (stage == ON_FILL) return r->exec == TW_EXEC_TRADE ? LTW_ON_FILL : -1;
    return tw_report_is_trade(r) ? LTW_ON_POSITION : -1;
}

static bool hears(const struct ltw_handler *handlers)
{
    return handlers[LTW_ON_ORDER].bound || handlers[LTW_ON_FILL].bound
        || handlers[LTW_ON_POSITION].bound;
}

int ltw_trader_push(lua_State *L, struct ltw_trader *t,
                    const struct ltw_handler *handlers, int *id)
{
    for (;;) {
        unsigned stage;

        if ((t->stage == NOTHING || t->stage == DONE) && !begin(L, t)) return -1;
        stage = t->stage++;
        if (stage == APPEND) {
            if (append_now(t)) {
                if (!hears(handlers)) t->stage = DONE;
                continue;
            }
            *id = -1;
            lua_pushcfunction(L, append);
            lua_pushlightuserdata(L, t);
            return 1;
        }
        *id = stage_handler(t, stage);
        if (*id >= 0 && handlers[*id].bound) return 0;
    }
}

void ltw_trader_forget(lua_State *L, struct ltw_trader *t)
{
    finish(L, t);
}

/* ---- a copy ---- */

/* [-0, +0, m]  O1.  Once for each order. */
static void copy_order(lua_State *L, struct ltw_trader *t, struct tw_order *o, int memo)
{
    struct ltw_order *from = (struct ltw_order *)o, *own;
    int top = lua_gettop(L);

    lua_rawgeti(L, LUA_REGISTRYINDEX, from->ref);
    lua_pushvalue(L, top + 1);
    if (lua_rawget(L, memo) == LUA_TNIL) {
        own = from->twin = ltw_push_new_order(L);
        own->o = *o;
        if (t->gateway.submit) own->o.requests = 0;   /* none is its own */
        own->o.resting = NULL;
        own->o.next = NULL;
        own->o.link = NULL;
        own->reason = from->reason;
        own->off = from->off;
        own->words = from->words;
        own->trader = t;
        for (int i = 1; i <= 3; i++) {
            lua_getiuservalue(L, top + 1, i);
            lua_setiuservalue(L, -2, i);
        }
        lua_pushvalue(L, top + 1);
        lua_pushvalue(L, -2);
        lua_rawset(L, memo);
        own->ref = luaL_ref(L, LUA_REGISTRYINDEX);
        own->o.terms = terms_of(t, o->symbol);
    }
    lua_settop(L, top);
}

static void copy_orders(lua_State *L, struct ltw_trader *t, const struct ltw_trader *from,
                        int memo)
{
    struct tw_order *o = NULL;

    while ((o = tw_broker_open(from->broker, o))) copy_order(L, t, o, memo);
    for (size_t i = 0; i < tw_broker_untold(from->broker); i++)
        copy_order(L, t, tw_broker_untold_order(from->broker, i), memo);
    for (struct ltw_order *own = from->ended; own; own = own->next) {
        copy_order(L, t, &own->o, memo);
        list_ended(t, own->twin);
    }
}

static struct tw_order *twin_of(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    return &((const struct ltw_order *)o)->twin->o;
}

static void copy_latencies(lua_State *L, struct ltw_trader *t,
                           struct tw_simulator_options *o)
{
    size_t n = o->submit.n, all = n + o->cancel.n;

    t->latencies = tw_calloc(all + 1, sizeof *t->latencies);
    if (!t->latencies) luaL_error(L, "not enough memory");
    if (n) memcpy(t->latencies, o->submit.list, n * sizeof *t->latencies);
    if (o->cancel.n)
        memcpy(t->latencies + n, o->cancel.list, o->cancel.n * sizeof *t->latencies);
    o->submit.list = t->latencies;
    o->cancel.list = t->latencies + n;
}

void ltw_trader_copy(lua_State *L, struct ltw_trader *from, int memo,
                     struct ltw_trader **out)
{
    struct tw_broker_options o = *tw_broker_get_options(from->broker);
    struct ltw_trader *t = tw_calloc(1, sizeof *t);

    if (!t) luaL_error(L, "not enough memory");
    *out = t;                                /* freed by who has it from here on */
    finish(L, from);                         /* what was told last */
    t->host = from->host;
    t->muted = true;
    t->fees = from->fees;
    memcpy(t->rate, from->rate, sizeof t->rate);
    t->n_rates = from->n_rates;
    t->at_ns = from->at_ns;
    t->since_ns = from->since_ns;
    o.ctx = t;
    ltw_trader_echo(t, from, &o);
    o.currency = NULL;                       /* that of the account, which is copied */
    o.is_uncounted = true;
    copy_latencies(L, t, &o.simulator);
    t->broker = tw_broker_new(&o);
    for (uint32_t i = 0; t->broker && i < from->n_terms; i++)
        if (from->terms[i] && !ltw_trader_learn(t, i)) luaL_error(L, "not enough memory");
    if (t->broker) copy_orders(L, t, from, memo);
    if (!t->broker || tw_broker_adopt(t->broker, from->broker, twin_of, NULL) < 0)
        luaL_error(L, "not enough memory");
}
