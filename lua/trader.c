/* trader.c - a script's broker, and how the script hears of it. */
#include "trader.h"

#include <string.h>
#include <uv.h>

#include "account.h"
#include "base/clock.h"
#include "base/fixed.h"
#include "base/memory.h"
#include "desk.h"
#include "instance.h"
#include "journal.h"

/* What is still to be done about the thing that is told. */
enum { NOTHING, APPEND, ON_ORDER, ON_FILL, ON_POSITION, DONE };

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

bool ltw_trader_learn(struct ltw_trader *t, uint32_t symbol)
{
    if (symbol >= t->n_terms) {
        uint32_t n = symbol + symbol / 2 + 16;
        struct tw_terms **grown = tw_realloc(t->terms, n * sizeof *grown);

        if (!grown) return false;
        memset(grown + t->n_terms, 0, (n - t->n_terms) * sizeof *grown);
        t->terms = grown;
        t->n_terms = n;
    }
    if (!t->terms[symbol]) {
        t->terms[symbol] = tw_calloc(1, sizeof **t->terms);
        if (t->terms[symbol]) set_terms(t, symbol, t->terms[symbol]);
    }
    return t->terms[symbol] != NULL;
}

static const struct tw_terms *terms_of(void *ctx, uint32_t symbol)
{
    const struct ltw_trader *t = ctx;

    return symbol < t->n_terms ? t->terms[symbol] : NULL;   /* learnt before */
}

/* ---- its life ---- */

void ltw_trader_new(lua_State *L, uint32_t script, bool muted, struct ltw_trader **out)
{
    struct ltw_host *host = ltw_check_host(L, "trading");
    struct ltw_trader *t = tw_calloc(1, sizeof *t);
    struct tw_broker_options o = { .terms = terms_of, .ctx = t, .script = script };

    if (!t) luaL_error(L, "not enough memory");
    *out = t;                                /* freed by who has it from here on */
    t->host = host;
    t->muted = muted;
    o.desk = muted ? NULL : &host->desk->desk;
    o.first_id = host->desk->first_id;
    if (o.first_id > 1) o.first_id += (uint64_t)(script & 1023) << 22;
    ltw_account_options(L, lua_gettop(L), t, &o);
    t->broker = tw_broker_new(&o);
    if (!t->broker) luaL_error(L, "not enough memory");
    ltw_account_begin(L, lua_gettop(L), t);
}

void ltw_trader_free(lua_State *L, struct ltw_trader *t)
{
    struct tw_order *o = NULL;

    if (!t) return;
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
    tw_broker_free(t->broker);
    for (uint32_t i = 0; i < t->n_terms; i++) tw_free(t->terms[i]);
    tw_free(t->terms);
    tw_free(t->latencies);
    tw_free(t);
}

struct ltw_trader *ltw_check_trader(lua_State *L, const char *what)
{
    struct ltw_script *s = ltw_state(L)->script;

    ltw_check_open(L);
    if (!s || s->code.ref == LUA_NOREF)
        luaL_error(L, "%s is for the handlers and tasks of a script in a run", what);
    if (s->trader) return s->trader;
    ltw_script_make_trader(L, s);
    ltw_trader_record(L, s->trader, &s->record);
    return s->trader;
}

/* ---- records ---- */

/* What 1 of a currency costs is the price of a symbol, or 1 over that. */
static void follow_rates(struct ltw_trader *t, const struct tw_record *r)
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

/* O1.  Nothing refers to it any more. */
static void release(lua_State *L, struct ltw_order *own)
{
    luaL_unref(L, LUA_REGISTRYINDEX, own->ref);
    own->ref = LUA_NOREF;
}

/* Those that had ended, but were still on their way to the venue. */
static void release_ended(lua_State *L, struct ltw_trader *t)
{
    struct ltw_order **link = &t->ended, *own;

    while ((own = *link) != NULL) {
        if (!tw_order_is_done(&own->o)) {
            link = &own->next;
            continue;
        }
        *link = own->next;
        own->listed = false;
        release(L, own);
    }
}

void ltw_trader_record(lua_State *L, struct ltw_trader *t, const struct tw_record *r)
{
    if (r->kind != TW_QUOTE && r->kind != TW_TRADE && r->kind != TW_BAR) return;
    if (tw_broker_record(t->broker, r) < 0) luaL_error(L, "not enough memory");
    if (t->n_rates) follow_rates(t, r);
    if (t->ended) release_ended(L, t);
}

/* ---- telling ---- */

/* What was told is over. */
static void finish(lua_State *L, struct ltw_trader *t)
{
    struct ltw_order *own = (struct ltw_order *)t->told.order;

    t->stage = NOTHING;
    t->told.order = NULL;
    if (!own || own->listed || tw_order_is_open(&own->o) || own->o.untold > 0) return;
    if (own->o.requests == 0) {
        release(L, own);
    } else {
        own->next = t->ended;
        own->listed = true;
        t->ended = own;
    }
}

static bool begin(lua_State *L, struct ltw_trader *t)
{
    struct ltw_order *own;

    finish(L, t);
    if (!tw_broker_next(t->broker, &t->told)) return false;
    own = (struct ltw_order *)t->told.order;
    own->reason = t->told.report.reason;
    if (t->journal && !ltw_journal_told(L, t->journal, &t->told))
        luaL_error(L, "not enough memory");
    t->orders += t->told.report.exec == TW_EXEC_PENDING_NEW;
    t->fills += t->told.report.exec == TW_EXEC_TRADE;
    tw_broker_report_record(t->broker, &t->told, &t->record);
    t->stage = t->muted || t->host->replays ? ON_ORDER : APPEND;
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
    bool is_trade = t->told.report.exec == TW_EXEC_TRADE;

    if (stage == ON_ORDER) return LTW_ON_ORDER;
    if (!is_trade) return -1;
    return stage == ON_FILL ? LTW_ON_FILL : LTW_ON_POSITION;
}

int ltw_trader_push(lua_State *L, struct ltw_trader *t,
                    const struct ltw_handler *handlers, int *id)
{
    for (;;) {
        unsigned stage;

        if ((t->stage == NOTHING || t->stage == DONE) && !begin(L, t)) return -1;
        stage = t->stage++;
        if (stage == APPEND) {
            if (append_now(t)) continue;
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
