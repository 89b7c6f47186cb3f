/* lexplain.c - what tw.backtest.explain and a saved run need: steps, and what was read.
 *
 * Numbers and names; stdlib/explain.lua makes sentences of them.
 */
#include "backtest/lexplain.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "backtest/backtest.h"
#include "lsha256.h"
#include "reload/version.h"

/* ---- steps ---- */

/* 0: there is none. */
static void set_fixed(lua_State *L, const char *name, int64_t value)
{
    if (value != 0) ltw_set_number(L, name, tw_fixed_to_double(value));
}

static void set_integer(lua_State *L, const char *name, int64_t value)
{
    if (value != 0) ltw_set_integer(L, name, value);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text) ltw_set_text(L, name, text);
}

static void set_true(lua_State *L, const char *name, bool holds)
{
    if (holds) ltw_set_flag(L, name, true);
}

static void set_market(lua_State *L, const struct tw_market *m)
{
    static const char *const kinds[] = { [TW_QUOTE] = "quote", [TW_TRADE] = "trade",
                                         [TW_BAR] = "bar" };

    if (m->kind == 0) return;
    lua_createtable(L, 0, 8);
    set_text(L, "kind", kinds[m->kind]);
    set_integer(L, "seq", (int64_t)m->seq);
    set_integer(L, "time", m->time_ns);
    set_integer(L, "began", m->began_ns);
    if (m->kind == TW_QUOTE) {
        set_fixed(L, "bid", m->bid);
        set_fixed(L, "ask", m->ask);
        set_fixed(L, "bid_size", m->bid_size);
        set_fixed(L, "ask_size", m->ask_size);
    } else if (m->kind == TW_TRADE) {
        set_fixed(L, "price", m->last);
        set_fixed(L, "size", m->last_size);
    } else {
        set_text(L, "side", m->of == TW_BAR_BID ? "bid" : m->of == TW_BAR_ASK ? "ask"
                            : NULL);
        set_fixed(L, "open", m->bar.open);
        set_fixed(L, "high", m->bar.high);
        set_fixed(L, "low", m->bar.low);
        set_fixed(L, "close", m->bar.close);
        set_fixed(L, "volume", m->bar.volume);
    }
    lua_setfield(L, -2, "record");
}

static void set_look(lua_State *L, const struct tw_step *s)
{
    set_text(L, "verdict", tw_verdict_text(s->verdict));
    set_text(L, "model", tw_fill_models[s->model].name);
    set_integer(L, "count", (int64_t)s->count);
    set_integer(L, "until_time", s->until_ns);
    set_true(L, "mixed", s->mixed);
    ltw_set_number(L, "low", tw_fixed_to_double(s->low));
    ltw_set_number(L, "high", tw_fixed_to_double(s->high));
    set_fixed(L, "level", s->level);
    set_fixed(L, "level_to", s->level_to);
    if (s->ahead >= 0) ltw_set_number(L, "ahead", tw_fixed_to_double(s->ahead));
    if (s->ahead_to >= 0) ltw_set_number(L, "ahead_to", tw_fixed_to_double(s->ahead_to));
    if (s->verdict != TW_VERDICT_MEETS && s->verdict != TW_VERDICT_TAKEN) return;
    set_fixed(L, "quantity", s->quantity);
    if (s->left == INT64_MAX) return;
    ltw_set_number(L, "left", tw_fixed_to_double(s->left));
    ltw_set_number(L, "shown", tw_fixed_to_double(s->shown));
}

static void set_book(lua_State *L, const struct tw_step *s)
{
    set_text(L, "verdict", tw_verdict_text(s->verdict));
    set_integer(L, "count", (int64_t)s->count);
    set_integer(L, "until_time", s->until_ns);
    set_integer(L, "cause", (int64_t)s->cause);
    set_fixed(L, "low", s->low);
    set_fixed(L, "high", s->high);
    set_fixed(L, "level", s->level);
    ltw_set_number(L, "quantity", tw_fixed_to_double(s->quantity));
    ltw_set_number(L, "ahead", tw_fixed_to_double(s->ahead));
    ltw_set_number(L, "ahead_to", tw_fixed_to_double(s->ahead_to));
}

static const char *exec_text(uint8_t exec)
{
    switch (exec) {
    case TW_EXEC_NEW:             return "new";
    case TW_EXEC_DONE_FOR_DAY:    return "done_for_day";
    case TW_EXEC_CANCELED:        return "canceled";
    case TW_EXEC_REPLACED:        return "replaced";
    case TW_EXEC_PENDING_CANCEL:  return "pending_cancel";
    case TW_EXEC_REJECTED:        return "rejected";
    case TW_EXEC_CANCEL_REJECTED: return "refused";
    case TW_EXEC_EXPIRED:         return "expired";
    case TW_EXEC_PENDING_REPLACE: return "pending_replace";
    case TW_EXEC_TRADE_CANCELED:  return "trade_canceled";
    default:                      return "trade";
    }
}

static void set_terms(lua_State *L, const struct tw_report *r)
{
    set_fixed(L, "quantity", r->quantity);
    set_fixed(L, "price", r->price);
    set_fixed(L, "stop", r->stop);
}

static void set_report(lua_State *L, const struct tw_step *s)
{
    const struct tw_report *r = &s->report;

    set_text(L, "exec", exec_text(r->exec));
    set_integer(L, "cause", (int64_t)s->cause);
    if (r->exec == TW_EXEC_TRADE) {
        set_fixed(L, "price", r->last_px);
        set_fixed(L, "quantity", r->last_qty);
        ltw_set_number(L, "fee", tw_money_to_double(r->fee));
        set_text(L, "liquidity", r->liquidity == TW_LIQUIDITY_ADDED ? "maker"
                               : r->liquidity == TW_LIQUIDITY_REMOVED ? "taker" : NULL);
    } else {
        set_terms(L, r);
    }
}

static void set_reason(lua_State *L, enum tw_reason reason)
{
    if (reason != TW_REASON_NONE) set_text(L, "reason", tw_reason_text(reason));
}

/* As account.limits and instruments have it. */
static const char *limit_name(enum tw_reason reason)
{
    static const char *const names[] = {
        [TW_REASON_ORDER_SIZE] = "order_quantity",
        [TW_REASON_ORDER_VALUE] = "order_value",
        [TW_REASON_POSITION] = "position", [TW_REASON_OPEN_ORDERS] = "open_orders",
        [TW_REASON_ORDER_RATE] = "orders", [TW_REASON_COLLAR] = "collar",
        [TW_REASON_DAILY_LOSS] = "daily_loss", [TW_REASON_SELF_MATCH] = "self_match",
        [TW_REASON_BUYING_POWER] = "buying_power", [TW_REASON_TICK] = "tick_size",
        [TW_REASON_LOT] = "lot_size", [TW_REASON_REDUCE_ONLY] = "reduce_only",
    };

    if (reason == TW_REASON_NET_POSITION) return "position";
    return reason <= TW_REASON_REDUCE_ONLY ? names[reason] : NULL;
}

static void push_step(lua_State *L, const struct tw_step *s)
{
    lua_createtable(L, 0, 12);
    set_text(L, "kind", tw_step_text(s->kind));
    set_integer(L, "time", s->time_ns);
    set_integer(L, "seq", (int64_t)s->seq);
    set_integer(L, "arrives", s->arrives_ns);
    set_reason(L, s->kind == TW_STEP_LIMIT ? s->reason
                                           : (enum tw_reason)s->report.reason);
    set_market(L, &s->market);
    switch (s->kind) {
    case TW_STEP_LOOK: set_look(L, s); break;
    case TW_STEP_BOOK: set_book(L, s); break;
    case TW_STEP_REPORT: set_report(L, s); break;
    case TW_STEP_SENT: case TW_STEP_REPLACE: set_terms(L, &s->report); break;
    case TW_STEP_LIMIT:
        set_text(L, "name", limit_name(s->reason));
        set_true(L, "refused", s->refused);
        set_true(L, "of_all", s->of_desk);
        ltw_set_number(L, "limit", s->limit);
        ltw_set_number(L, "value", s->value);
        break;
    case TW_STEP_STOP: set_fixed(L, "level", s->level); break;
    case TW_STEP_ROOM: set_fixed(L, "price", s->price);   /* fall through */
    case TW_STEP_PARENT: ltw_set_number(L, "value", s->value); break;
    default: break;
    }
}

static void push_order(lua_State *L, const struct tw_order *o)
{
    lua_createtable(L, 0, 20);
    set_integer(L, "id", (int64_t)o->id);
    set_integer(L, "time", o->time_ns);
    set_text(L, "side", o->side == TW_SIDE_BUY ? "buy" : "sell");
    set_text(L, "type", tw_order_type_text((enum tw_order_type)o->type));
    set_text(L, "tif", tw_time_in_force_text((enum tw_time_in_force)o->tif));
    set_text(L, "status", ltw_listed_status(tw_order_status(o)));
    set_true(L, "post_only", o->post_only);
    set_true(L, "reduce_only", o->reduce_only);
    set_fixed(L, "quantity", o->quantity);
    set_fixed(L, "price", o->price);
    set_fixed(L, "stop", o->stop);
    set_fixed(L, "trail", o->trail);
    set_fixed(L, "trail_part", o->trail_part);
    set_fixed(L, "part", o->part);
    set_integer(L, "expires", o->expire_ns);
    set_integer(L, "parent", (int64_t)o->parent);
    set_integer(L, "group", (int64_t)o->group);
    ltw_set_number(L, "filled", tw_fixed_to_double(o->cum_qty));
    set_fixed(L, "average", tw_order_avg_px(o));
    ltw_set_number(L, "fees", tw_money_to_double(tw_order_fees(o)));
}

void ltw_push_probe(lua_State *L, const struct tw_probe *p)
{
    if (p->lost) luaL_error(L, "not enough memory");
    if (p->order.id == 0) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, 0, 2);
    push_order(L, &p->order);
    lua_setfield(L, -2, "order");
    lua_createtable(L, (int)p->n, 0);
    for (size_t i = 0; i < p->n; i++) {
        push_step(L, &p->step[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "steps");
}

/* ---- what was read ---- */

struct sources { lua_State *L; lua_Integer n; };

/* [-0, +0, m]  To the table on top. */
static bool add_source(void *ctx, const struct ltw_part *part)
{
    struct sources *to = ctx;

    lua_createtable(to->L, 0, 2);
    set_text(to->L, "path", part->path);
    ltw_push_sha256(to->L, part->bytes, part->n);
    lua_setfield(to->L, -2, "sha256");
    lua_rawseti(to->L, -2, ++to->n);
    return false;
}

void ltw_push_sources(lua_State *L, const struct ltw_backtest *b)
{
    struct sources to = { L, 0 };

    lua_newtable(L);
    for (unsigned i = 0; i < b->n; i++)
        ltw_version_each(b->scripts[i].version, add_source, &to);
}

int ltw_directory(lua_State *L)
{
    char path[PATH_MAX];

    if (!getcwd(path, sizeof path)) return luaL_error(L, "%s", strerror(errno));
    lua_pushstring(L, path);
    return 1;
}
