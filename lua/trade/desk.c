/* desk.c - what the strategies of a run share: limits of all, terms of instruments.
 *
 * stdlib/trade.lua has checked names and types; what only C knows is checked here.
 */
#include "trade/desk.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "trade/gateway.h"
#include "lfield.h"
#include "run/floor.h"
#include "run/script.h"

/* ---- reading tables ---- */

/* [-0, +0, m]  0 where there is none; false: it does not fit nine decimals. */
static bool fixed(lua_State *L, const char *name, int64_t *out)
{
    int rc = TW_OK;

    *out = 0;
    if (lua_getfield(L, -1, name) == LUA_TNUMBER)
        rc = tw_fixed_from_double(lua_tonumber(L, -1), out);
    lua_pop(L, 1);
    return rc == TW_OK;
}

/* [-0, +0, m]  Likewise. */
static bool money(lua_State *L, const char *name, tw_money *out)
{
    int rc = TW_OK;

    *out = 0;
    if (lua_getfield(L, -1, name) == LUA_TNUMBER)
        rc = tw_money_from_double(lua_tonumber(L, -1), out);
    lua_pop(L, 1);
    return rc == TW_OK;
}

/* ---- calendars ---- */

/* [-0, +0, m]  {{day, close}, ...} of the calendar on top; NULL: no memory. */
static struct tw_special_day *special_days(lua_State *L, size_t *n)
{
    struct tw_special_day *days;

    lua_getfield(L, -1, "special");
    *n = lua_rawlen(L, -1);
    days = tw_calloc(*n + 1, sizeof *days);
    for (size_t i = 0; days && i < *n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        days[i].day = (int32_t)ltw_integer_at(L, -1, "day", 0);
        days[i].close = (int32_t)ltw_integer_at(L, -1, "close", 0);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return days;
}

/* [-0, +0, m]  Of the calendar on top. */
static int add_calendar(lua_State *L, struct ltw_desk *d, struct tw_error *error)
{
    const char *zone = ltw_text_at(L, -1, "zone");
    struct tw_calendar_options o = {
        .open = (int32_t)ltw_integer_at(L, -1, "open", 0),
        .close = (int32_t)ltw_integer_at(L, -1, "close", 0),
        .weekdays = (unsigned)ltw_integer_at(L, -1, "weekdays", 0),
    };
    struct tw_special_day *special;
    struct tw_calendar *c = NULL;
    struct tw_error wrong;

    if (zone && !(o.zone = tw_zone_open(zone, &wrong)))
        return tw_fail(error, wrong.code, "app.calendar '%.60s': %.200s",
                       ltw_text_at(L, -1, "name"), wrong.text);
    o.special = special = special_days(L, &o.n);
    if (special) c = tw_calendar_new(&o);
    tw_free(special);
    if (!c) {
        tw_zone_free(o.zone);
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    }
    d->calendars[d->n_calendars++] = c;
    return TW_OK;
}

static int add_calendars(lua_State *L, struct ltw_desk *d, struct tw_error *error)
{
    size_t n;
    int rc = TW_OK;

    lua_getfield(L, -1, "calendars");
    n = lua_rawlen(L, -1);
    d->calendars = tw_calloc(n + 1, sizeof *d->calendars);
    if (!d->calendars) rc = tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    for (size_t i = 1; i <= n && rc == TW_OK; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        rc = add_calendar(L, d, error);
    }
    lua_pop(L, 1);
    return rc;
}

/* ---- instruments ---- */

/* [-0, +0, m]  Of the instrument on top. */
static int add_terms(lua_State *L, struct ltw_desk *d, struct tw_symbols *symbols,
                     struct tw_error *error)
{
    struct ltw_instrument_terms *t = &d->terms[d->n];
    const char *name = ltw_text_at(L, -1, "symbol");
    const char *currency = ltw_text_at(L, -1, "currency");
    size_t calendar = (size_t)ltw_integer_at(L, -1, "calendar_at", 0);

    t->symbol = tw_symbols_find(symbols, name, strlen(name));
    if (currency) strncpy(t->currency, currency, sizeof t->currency - 1);
    if (!fixed(L, "multiplier", &t->multiplier) || !fixed(L, "margin", &t->margin))
        return tw_fail(error, TW_ERANGE, "symbol '%s': multiplier or margin is out of"
                       " range", name);
    t->settles_daily = ltw_get_flag(L, "settles_daily");
    if (calendar > 0 && calendar <= d->n_calendars)
        t->calendar = d->calendars[calendar - 1];
    if (currency || t->multiplier || t->margin || t->settles_daily || t->calendar) d->n++;
    return TW_OK;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = ((const struct ltw_instrument_terms *)a)->symbol;
    uint32_t y = ((const struct ltw_instrument_terms *)b)->symbol;

    return (x > y) - (x < y);
}

static int add_instruments(lua_State *L, struct ltw_desk *d, struct tw_symbols *symbols,
                           struct tw_error *error)
{
    size_t n;
    int rc = TW_OK;

    lua_getfield(L, -1, "instruments");
    n = lua_rawlen(L, -1);
    d->terms = tw_calloc(n + 1, sizeof *d->terms);
    if (!d->terms) rc = tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    for (size_t i = 1; i <= n && rc == TW_OK; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        rc = add_terms(L, d, symbols, error);
    }
    lua_pop(L, 1);
    if (rc == TW_OK) qsort(d->terms, d->n, sizeof *d->terms, compare);
    return rc;
}

const struct ltw_instrument_terms *ltw_desk_terms(const struct ltw_desk *d,
                                                  uint32_t symbol)
{
    struct ltw_instrument_terms key = { .symbol = symbol };

    if (d->n == 0) return NULL;
    return bsearch(&key, d->terms, d->n, sizeof key, compare);
}

/* ---- all of it ---- */

int ltw_desk_read(lua_State *L, struct ltw_desk *d, struct tw_symbols *symbols,
                  struct tw_error *error)
{
    int top = lua_gettop(L), rc;

    if (lua_getfield(L, -1, "risk") == LUA_TTABLE) {
        struct tw_limits *l = &d->desk.limits;
        const char *currency = ltw_text_at(L, -1, "currency");

        strcpy(d->desk.currency, "USD");
        if (!currency && lua_getfield(L, -2, "account") == LUA_TTABLE)
            currency = ltw_text_at(L, -1, "currency");
        if (currency) strncpy(d->desk.currency, currency, sizeof d->desk.currency - 1);
        lua_settop(L, top + 1);

        l->open_orders = (unsigned)ltw_integer_at(L, -1, "open_orders", 0);
        l->orders = (unsigned)ltw_integer_at(L, -1, "orders", 0);
        l->self_match = ltw_get_flag(L, "self_match");
        if (!fixed(L, "order_quantity", &l->order_quantity)
            || !fixed(L, "position", &l->position) || !fixed(L, "collar", &l->collar)
            || !money(L, "order_value", &l->order_value)
            || !money(L, "daily_loss", &l->daily_loss))
            return tw_fail(error, TW_ERANGE, "app.risk: a limit is out of range");
    }
    lua_pop(L, 1);
    if (lua_getfield(L, -1, "venue") == LUA_TTABLE)
        tw_floor_tell_levels(d->floor, (unsigned)ltw_integer_at(L, -1, "levels", 0));
    lua_pop(L, 1);
    rc = add_calendars(L, d, error);
    return rc == TW_OK ? add_instruments(L, d, symbols, error) : rc;
}

struct ltw_desk *ltw_desk_new(void)
{
    struct ltw_desk *d = tw_calloc(1, sizeof *d);

    if (!d) return NULL;
    tw_desk_init(&d->desk, &(struct tw_limits){ .open_orders = 0 });
    d->floor = tw_floor_new();
    if (d->floor) return d;
    tw_desk_fini(&d->desk);
    tw_free(d);
    return NULL;
}

/* An odd step: broker_orders.c finds an order by the low bits of its id. */
void ltw_desk_start(struct ltw_desk *d, int64_t time_ns, unsigned below)
{
    const int64_t since = INT64_C(1577836800) * TW_FIXED_ONE;

    d->started = (uint64_t)(time_ns > since ? time_ns - since : time_ns);
    d->lanes = below | 1;
}

void ltw_desk_ids(const struct ltw_desk *d, unsigned of, uint64_t *first, uint64_t *step)
{
    assert(d->started == 0 || of < d->lanes);
    *first = d->started ? d->started + of : 1;
    *step = d->started ? d->lanes : 1;
}

void ltw_desk_free(struct ltw_desk *d)
{
    if (!d) return;
    for (size_t i = 0; i < d->n_calendars; i++) tw_calendar_free(d->calendars[i]);
    tw_free(d->calendars);
    tw_free(d->terms);
    tw_floor_free(d->floor);
    ltw_gateways_free(d);
    tw_desk_fini(&d->desk);
    tw_free(d);
}

/* ---- the kill switch ---- */

void ltw_desk_halt(struct ltw_host *host, const char *who, bool halted, const char *why)
{
    tw_desk_halt(&host->desk->desk, halted);
    if (host->tape) tw_tape_wake(host->tape);          /* gateways do it at once */
    for (struct ltw_gateway *g = host->desk->gateways; halted && g; g = g->next)
        tw_fix_gateway_halted(g->fix);
    /* In the text: the log keeps no names of its lines. */
    tw_log_printf(host->log, TW_LOG_WARN, "", "%s: %s%s%s", who,
                  halted ? "trading is halted: no order goes out, open ones are canceled"
                         : "trading goes on",
                  why ? ": " : "", why ? why : "");
}

/* [-0, +1, e] */
static int set_halted(lua_State *L, const char *what, bool halted)
{
    struct ltw_host *host = ltw_check_host(L, what);
    struct ltw_script *s = ltw_state(L)->script;
    const char *why = luaL_optstring(L, 1, NULL);

    if (ltw_is_muted(L)) return 0;
    lua_pushfstring(L, "script %s", s ? ltw_script_options(s)->name : "?");
    ltw_desk_halt(host, s ? lua_tostring(L, -1) : ltw_state(L)->who, halted, why);
    return 0;
}

/* tw.halt([reason])
 * The kill switch of the run: from here on no order of any script passes, and what is
 * open is canceled: at a gateway at once, at a simulated venue at the next quote, trade
 * or bar that its script reads, in a book also at a timer's mark.  Orders that are sent
 * nevertheless are rejected, "trading is halted", and so are changes; cancels pass.  The
 * log says who halted it.
 * Yields: no.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run.  Units: none. */
int ltw_halt(lua_State *L)
{
    return set_halted(L, "tw.halt", true);
}

/* tw.resume_trading([reason])
 * The end of tw.halt: orders pass again; those that were canceled stay so.
 * Yields: no.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run.  Units: none. */
int ltw_resume_trading(lua_State *L)
{
    return set_halted(L, "tw.resume_trading", false);
}

/* tw.is_halted() -> boolean
 * Was trading halted, by tw.halt or by `halt` of tidewire attach?
 * Yields: no.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run.  Units: none. */
int ltw_is_halted(lua_State *L)
{
    lua_pushboolean(L, tw_desk_is_halted(&ltw_check_host(L, "tw.is_halted")->desk->desk));
    return 1;
}
