/* idle.c - why a script has done nothing in a run, as a line for its user. */
#include "run/idle.h"

#include <stdio.h>
#include <string.h>

#include "run/instance.h"
#include "trade/lbars.h"
#include "tape/symbols.h"
#include "stat/tracker.h"
#include "trade/trader.h"

/* Of the market, what has a handler of its own. */
static const struct { unsigned kind; const char *name; } market[] = {
    { TW_QUOTE, "quotes" }, { TW_TRADE, "trades" }, { TW_BAR, "bars" },
    { TW_LEVEL, "levels of books" },
};
enum { KINDS = sizeof market / sizeof market[0] };

static void add(char *out, size_t room, const char *text)
{
    size_t n = strlen(out);

    snprintf(out + n, room - n, "%s%s", n ? ", " : "", text);
}

/* The kinds of records that its handlers, or what it declares, ask for. */
static unsigned asked(const struct ltw_script *s)
{
    unsigned kinds = s->tracker ? tw_plan_kinds(s->tracker->plan) : 0;

    for (unsigned i = 0; i < KINDS; i++)
        if (s->code.handler[market[i].kind].bound) kinds |= 1u << market[i].kind;
    if (s->code.handler[LTW_ON_BOOK].bound) kinds |= 1u << TW_LEVEL;
    return kinds;
}

/* It has something to do beside the market. */
static bool has_other_handlers(const struct ltw_script *s)
{
    static const int others[] = { LTW_ON_START, LTW_ON_FIX, LTW_ON_FIX_EVENT, TW_MESSAGE,
                                  TW_TIMER, TW_STATUS };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (s->code.handler[others[i]].bound) return true;
    return false;
}

/* Bars that it made of what came, for its on_bar, and that never were. */
static bool has_no_bar(const struct ltw_script *s, char out[LTW_IDLE_TEXT])
{
    char what[100] = "", lack[200];
    unsigned came = 0;

    if (s->o->shards > 1 || (s->trader && s->trader->orders > 0)) return false;
    for (unsigned i = 0; i < KINDS; i++) {
        if (market[i].kind == TW_LEVEL || !(s->kinds & 1u << market[i].kind)) continue;
        came++;
        add(what, sizeof what, market[i].name);
    }
    if (came == 0 || !ltw_bars_lack(s->bars, lack, sizeof lack)) return false;
    snprintf(out, LTW_IDLE_TEXT, "script %.100s: of what came (%s) self:bars made no %s",
             s->o->name, what, lack);
    return true;
}

static bool left_bars_out(const struct ltw_script *s, char out[LTW_IDLE_TEXT])
{
    unsigned long long n = ltw_bars_refused(s->bars);

    if (n == 0) return false;
    snprintf(out, LTW_IDLE_TEXT, "script %.100s: self:bars left out %llu of its bars:"
             " prices so far apart have no place for so many decimals", s->o->name, n);
    return true;
}

static bool was_never_called(const struct ltw_script *s, char out[LTW_IDLE_TEXT])
{
    unsigned kinds = asked(s), came = 0;
    char what[100] = "", lacks[100] = "";

    if (s->handled > 0 || s->bars || s->o->shard > 0) return false;
    for (unsigned i = 0; i < KINDS; i++) {
        if (!(s->kinds & 1u << market[i].kind)) continue;
        came |= 1u << market[i].kind;
        add(what, sizeof what, market[i].name);
        add(lacks, sizeof lacks, ltw_handler_name((int)market[i].kind));
    }
    if (came == 0 || (kinds == 0 && has_other_handlers(s))) return false;
    if ((kinds & came) && s->o->shards > 1) return false;    /* others have symbols */
    if (kinds & came)
        snprintf(out, LTW_IDLE_TEXT, "script %.100s was never called: none of what came"
                 " (%s) is of a symbol that it wants", s->o->name, what);
    else
        snprintf(out, LTW_IDLE_TEXT, "script %.100s was never called: what came were %s,"
                 " and it has no %s%s", s->o->name, what, lacks,
                 kinds & 1u << TW_BAR ? "; for its on_bar self:bars makes bars" : "");
    return true;
}

/* Exits of brackets go when their entry is rejected. */
static bool were_all_rejected(const struct ltw_script *s, char out[LTW_IDLE_TEXT])
{
    const struct ltw_trader *t = s->trader;
    unsigned most = TW_REASON_NONE;
    uint64_t n = 0;
    char part[40] = "";
    const char *why;

    for (unsigned i = 1; i < TW_REASONS; i++) {
        n += t->refused[i];
        if (i != TW_REASON_PARENT && t->refused[i] > t->refused[most]) most = i;
    }
    if (n == 0 || n < t->orders || most == TW_REASON_NONE) return false;
    why = tw_reason_text((enum tw_reason)most);
    if ((most == TW_REASON_LOT || most == TW_REASON_TICK)
        && t->off[most == TW_REASON_LOT][0])
        why = t->off[most == TW_REASON_LOT];
    if (t->refused[most] + t->refused[TW_REASON_PARENT] < n)
        snprintf(part, sizeof part, ", %u of them", t->refused[most]);
    snprintf(out, LTW_IDLE_TEXT, "script %.100s: %s rejected%s: %s", s->o->name,
             n == 1 ? "its only order was" : "all of its orders were", part, why);
    return true;
}

/* One that is open since nobody knows a price; at a gateway that is no matter. */
static bool has_no_price(const struct ltw_script *s, char out[LTW_IDLE_TEXT])
{
    const struct ltw_trader *t = s->trader;
    const struct tw_order *o = NULL;

    if (t->gateway.submit) return false;
    while ((o = tw_broker_open(t->broker, o))) {
        if (tw_broker_price(t->broker, o->symbol) != 0) continue;
        snprintf(out, LTW_IDLE_TEXT, "script %.100s: orders in %.60s are open, but no"
                 " price of it has come", s->o->name,
                 tw_symbols_name(t->host->symbols, o->symbol));
        return true;
    }
    return false;
}

/* Nothing that came is what its fill model goes by. */
static bool has_no_fill(const struct ltw_script *s, char out[LTW_IDLE_TEXT])
{
    const struct ltw_trader *t = s->trader;
    enum tw_fill_model model = tw_broker_get_options(t->broker)->simulator.model;

    if (t->gateway.submit || !tw_broker_goes_by_none(t->broker)) return false;
    snprintf(out, LTW_IDLE_TEXT, "script %.100s: none of its orders could trade: fill ="
             " \"%s\" goes by %s, and of their symbols none came", s->o->name,
             tw_fill_models[model].name, tw_fill_models[model].records);
    return true;
}

bool ltw_idle_text(const struct ltw_script *s, char out[LTW_IDLE_TEXT])
{
    if (s->state == SCRIPT_FAILED) return false;
    if (was_never_called(s, out) || left_bars_out(s, out) || has_no_bar(s, out))
        return true;
    return s->trader && (were_all_rejected(s, out) || has_no_price(s, out)
                         || has_no_fill(s, out));
}
