/* lbars.c - what a script does by its self: here, bars made of what it reads. */
#include "trade/lbars.h"

#include <stdio.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "run/instance.h"
#include "trade/lterms.h"
#include "stat/token.h"
#include "trade/bars.h"

struct ltw_bars {
    struct tw_bars *made;
    struct ltw_filter symbols;
    struct tw_bars_options o;
    uint32_t series;                 /* 1, 2, ...: its place in the list */
    struct ltw_bars *next;
};

static const char *const prices[] = { "trades", "bid", "ask", "mid" };

void ltw_bars_free(struct ltw_bars *b)
{
    while (b) {
        struct ltw_bars *next = b->next;

        tw_bars_free(b->made);
        ltw_filter_free(&b->symbols);
        tw_free(b);
        b = next;
    }
}

bool ltw_bars_take(struct ltw_bars *b, const struct tw_symbols *symbols,
                   const struct tw_record *r)
{
    for (; b; b = b->next) {
        struct ltw_filter *f = &b->symbols;

        if (!f->all) {
            if (r->symbol >= f->known
                && ltw_filter_learn_symbols(f, symbols, r->symbol) < 0)
                return false;
            if (!f->wanted[r->symbol]) continue;
        }
        if (tw_bars_take(b->made, r) < 0) return false;
    }
    return true;
}

uint32_t ltw_bars_next(struct ltw_bars *b, struct tw_record *out)
{
    for (; b; b = b->next)
        if (tw_bars_next(b->made, out)) return b->series;
    return 0;
}

bool ltw_bars_lack(const struct ltw_bars *b, char *out, size_t room)
{
    char volume[TW_FIXED_TEXT];
    bool lacks_volume;

    for (; b; b = b->next) {
        if (!tw_bars_lack(b->made, &lacks_volume)) continue;
        if (lacks_volume)
            snprintf(out, room, "bars of %s by volume = %s: none of it has a volume",
                     prices[b->o.price],
                     (tw_fixed_format(b->o.volume, volume), volume));
        else
            snprintf(out, room, "bars of %s: none of it fits their of, symbols and every",
                     prices[b->o.price]);
        return true;
    }
    return false;
}

uint64_t ltw_bars_refused(const struct ltw_bars *b)
{
    uint64_t n = 0;

    for (; b; b = b->next) n += tw_bars_refused(b->made);
    return n;
}

/* ---- declaring ---- */

/* [-0, +0, e]  The time at the top, seconds or a text; name: the option's. */
static int64_t check_span(lua_State *L, const char *name)
{
    int64_t ns = 0;

    if (lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) < TW_BAR_SECONDS_MAX)
        ns = (int64_t)(lua_tonumber(L, -1) * 1e9);
    else if (lua_type(L, -1) == LUA_TSTRING)
        tw_token_time(lua_tostring(L, -1), lua_rawlen(L, -1), &ns);
    if (ns <= 0 || ns % 1000000000 != 0 || ns / 1000000000 > TW_BAR_SECONDS_MAX)
        luaL_error(L, "bars: %s: whole seconds or a time like '1m' expected, got %s",
                   name, luaL_tolstring(L, -1, NULL));
    return ns;
}

/* [-0, +0, e] */
static enum tw_bar_price check_price(lua_State *L)
{
    for (int i = 0; lua_type(L, -1) == LUA_TSTRING && i < 4; i++)
        if (strcmp(lua_tostring(L, -1), prices[i]) == 0) return (enum tw_bar_price)i;
    luaL_error(L, "bars: of: trades, bid, ask or mid expected, got %s",
               luaL_tolstring(L, -1, NULL));
    return TW_BAR_TRADES;
}

/* [-0, +0, e]  The table at 2 but for its symbols. */
static struct tw_bars_options check_options(lua_State *L)
{
    struct tw_bars_options o = { .price = TW_BAR_TRADES };

    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

        if (strcmp(name, "every") == 0) {
            o.span_ns = check_span(L, name);
        } else if (strcmp(name, "offset") == 0) {
            o.offset_ns = check_span(L, name);
        } else if (strcmp(name, "count") == 0) {
            if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1)
                luaL_error(L, "bars: count: an integer above 0 expected, got %s",
                           luaL_tolstring(L, -1, NULL));
            o.count = (uint64_t)lua_tointeger(L, -1);
        } else if (strcmp(name, "volume") == 0) {
            if (lua_type(L, -1) != LUA_TNUMBER
                || tw_fixed_from_double(lua_tonumber(L, -1), &o.volume) < 0
                || o.volume <= 0)
                luaL_error(L, "bars: volume: a number above 0 expected, got %s",
                           luaL_tolstring(L, -1, NULL));
        } else if (strcmp(name, "of") == 0) {
            o.price = check_price(L);
        } else if (strcmp(name, "symbols") != 0) {
            luaL_error(L, "bars: no option '%s': there are every, offset, count,"
                       " volume, of, symbols", luaL_tolstring(L, -2, NULL));
        }
    }
    if ((o.span_ns > 0) + (o.count > 0) + (o.volume > 0) != 1)
        luaL_error(L, "bars: one of every, count and volume is needed");
    if (o.offset_ns > 0 && o.offset_ns >= o.span_ns)
        luaL_error(L, "bars: offset: a time below every expected");
    if (o.span_ns > 0 && o.span_ns % (7 * TW_DAY_NS) == 0)
        o.offset_ns = (o.offset_ns + 4 * TW_DAY_NS) % o.span_ns;   /* 1970-01-05 */
    return o;
}

/* self:bars(options) -> series
 * Makes bars of what the script reads, which on_bar is given: every = "1m" (or whole
 * seconds), by time; or count =, by records; or volume =, by what was traded.  Those by
 * time begin at its multiples, in UTC: days at midnight, weeks ("7d") on Mondays; with
 * offset = "30m" so much later.  of = "trades" (the default), "bid", "ask" or "mid" of
 * quotes, or shorter bars of these; symbols = a list of names or patterns.  It may be
 * called several times: on_bar's series, 1 for the first call, tells whose bars they are,
 * and interval those by time; it is 0 of others.  A volume is 9.2e9 at most.  A bar by
 * time comes with the first record at or after its end, before that record; a span
 * without records has none.  Of several symbols they come by their ends, then by name.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for an option that is not there or can't be.
 * Units: every, offset: seconds, or a text. */
static int bars(lua_State *L)
{
    struct ltw_script *s = ltw_state(L)->script;
    struct ltw_bars **last, *b;
    struct tw_bars_options o;
    uint32_t series = 1;
    char **names;

    ltw_check_self(L, "bars");
    luaL_checktype(L, 2, LUA_TTABLE);
    if (!s || s->code.ref == LUA_NOREF)
        return luaL_error(L, "bars is for the handlers of a script in a run");
    if (!s->code.handler[TW_BAR].bound)
        return luaL_error(L, "bars: the script has no on_bar that would be given them");
    o = check_options(L);
    o.symbols = s->engine->host->symbols;
    lua_getfield(L, 2, "symbols");
    names = ltw_check_list(L, -1, "symbols");
    for (last = &s->bars; *last; last = &(*last)->next) series++;
    b = tw_calloc(1, sizeof *b);
    if (b) b->made = tw_bars_new(&o);
    if (!b || !b->made) {
        tw_free(b);
        tw_free(names);
        return luaL_error(L, "not enough memory");
    }
    b->symbols.sectors = tw_symbols_sectors(ltw_state(L)->host->symbols);
    b->symbols.names = names;
    b->symbols.all = !names;
    b->series = series;
    b->o = o;
    *last = b;                           /* freed with the instance from here on */
    lua_pushinteger(L, series);
    return 1;
}

void ltw_bars_method(lua_State *L)
{
    lua_pushcfunction(L, bars);
    lua_setfield(L, -2, "bars");
}
