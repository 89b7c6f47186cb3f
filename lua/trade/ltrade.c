/* ltrade.c - module self: what a script does: trades, makes bars, declares statistics.
 *
 *     local order = self:buy { symbol = "AAPL", quantity = 100, price = 187.20 }
 *     self:sell("AAPL", 100)
 *     order:cancel()
 *
 * All arguments are checked before anything is sent; what limits or the venue refuse is
 * told to on_order.
 */
#include <string.h>
#include <uv.h>

#include "trade/account_options.h"
#include "base/fixed.h"
#include "trade/desk.h"
#include "trade/lterms.h"
#include "share/lvalue.h"
#include "reload/outputs.h"
#include "run/script.h"

enum { OCO_MAX = 16 };

/* ---- sending ---- */

/* [-0, +0, e]  What a version does that may yet be refused must not go out, and what
 * becomes of an order can't wait for that. */
static void check_may_send(lua_State *L, const char *what)
{
    const struct ltw_outputs *o = ltw_script_outputs(ltw_state(L)->script);

    if (o && o->way == LTW_OUTPUTS_HELD)
        luaL_error(L, "%s: a version that is not decided on yet (on_reload) can't trade",
                   what);
}

/* [-0, +0, e]  Two versions of a script are compared by what they ask for: `what` is it,
 * and the text on top, which is popped, the rest. */
static void output(lua_State *L, const char *what)
{
    struct tw_any text = ltw_check_any(L, -1);

    ltw_output(L, LTW_ORDER, what, NULL, NULL, &text);
    tw_any_unref(&text);
    lua_pop(L, 1);
}

/* [-0, +0, m]  A name and the value, unless it is 0. */
static void add_fixed(luaL_Buffer *out, const char *name, int64_t value)
{
    char text[TW_FIXED_TEXT];

    if (value == 0) return;
    luaL_addstring(out, name);
    luaL_addlstring(out, text, tw_fixed_format(value, text));
}

/* [-0, +0, e]  "buy", "100 AAPL limit 187.2 gtc". */
static void output_order(lua_State *L, const struct ltw_trader *t, const char *what,
                         const struct tw_order *o)
{
    luaL_Buffer out;

    if (!ltw_outputs_are_compared(L)) return;
    luaL_buffinit(L, &out);
    add_fixed(&out, "", o->quantity);
    luaL_addchar(&out, ' ');
    luaL_addstring(&out, tw_symbols_name(t->host->symbols, o->symbol));
    luaL_addchar(&out, ' ');
    luaL_addstring(&out, tw_order_type_text((enum tw_order_type)o->type));
    add_fixed(&out, " ", o->price);
    add_fixed(&out, " stop ", o->stop);
    add_fixed(&out, " trail ", o->trail);
    add_fixed(&out, " trail_part ", o->trail_part);
    luaL_addchar(&out, ' ');
    luaL_addstring(&out, tw_time_in_force_text((enum tw_time_in_force)o->tif));
    if (o->post_only) luaL_addstring(&out, " post_only");
    if (o->reduce_only) luaL_addstring(&out, " reduce_only");
    luaL_pushresult(&out);
    output(L, what);
}

/* Does it close a position already? */
static bool closes(const struct tw_order *o)
{
    return o->reduce_only && o->type == TW_TYPE_MARKET && o->tif == TW_TIF_GTC
        && !o->held && !o->pending_cancel;
}

/* [-0, +0, e]  Asks to cancel all of a symbol, or (0) all, but those that stay: how
 * many. */
static int cancel_all(lua_State *L, struct ltw_trader *t, uint32_t symbol,
                      bool (*stays)(const struct tw_order *o))
{
    int n = tw_broker_cancel_all(t->broker, symbol, stays);

    if (n < 0) luaL_error(L, "not enough memory");
    if (n == 0 || !ltw_outputs_are_compared(L)) return n;
    lua_pushstring(L, symbol ? tw_symbols_name(t->host->symbols, symbol) : "all");
    output(L, "cancel");
    return n;
}

/* [-0, +0, e]  Room for the order, which is not sent yet. */
static void make_room(lua_State *L, struct ltw_trader *t, const struct tw_order *o)
{
    if (tw_broker_reserve(t->broker, o) < 0) luaL_error(L, "not enough memory");
    ltw_trader_count(L, t);
}

/* [-0, +0, e]  Of what has no ticks, none would be lost. */
static void check_slippage(lua_State *L, const struct ltw_trader *t, const char *what,
                           const struct tw_order *o)
{
    const struct tw_broker_options *b = tw_broker_get_options(t->broker);
    lua_Integer ticks = b->simulator.slippage.ticks;
    const char *symbol;

    if (ticks == 0 || t->terms[o->symbol]->tick > 0 || b->gateway
        || o->type == TW_TYPE_LIMIT || o->type == TW_TYPE_STOP_LIMIT)
        return;
    symbol = tw_symbols_name(t->host->symbols, o->symbol);
    luaL_error(L, "%s: %s has no tick_size, which slippage = { ticks = %I } of the"
               " account counts in: app.instruments { { symbol = \"%s\", tick_size = 0.01"
               " } }, or slippage = { bps = 1 }", what, symbol, ticks, symbol);
}

/* [-0, +0, e]  Checks the order as the broker does. */
static void check(lua_State *L, struct ltw_trader *t, const char *what,
                  struct tw_order *o)
{
    struct tw_error error;

    if (!ltw_trader_learn(t, o->symbol)) luaL_error(L, "not enough memory");
    if (t->host->desk->n > 0) ltw_account_check(L, t, what, o->symbol);
    check_slippage(L, t, what, o);
    if (tw_broker_check(t->broker, o, &error) < 0)
        luaL_error(L, "%s: %s", what, error.text);
    make_room(L, t, o);
}

/* [-0, +0, e]  Sends the order at idx, which was checked; its exits are above it, up to
 * `last`, and are sent next.  O1. */
static void send_order(lua_State *L, struct ltw_trader *t, const char *what, int idx,
                       int last)
{
    struct ltw_order *own = lua_touserdata(L, idx);
    struct tw_error error;
    int rc;

    lua_pushvalue(L, idx);
    ltw_trader_hold(L, t, own);
    own->trader = t;
    for (int i = idx + 1; i <= last; i++)
        t->exits[t->n_exits++] = lua_touserdata(L, i);
    rc = tw_broker_submit(t->broker, &own->o, &error);
    t->n_exits = 0;
    if (rc == TW_OK) {
        if (t->gateway.is_plain) ltw_trader_know(L, t, idx);
        output_order(L, t, own->o.side == TW_SIDE_BUY ? "buy" : "sell", &own->o);
        return;
    }
    ltw_trader_release(L, t, own);
    own->trader = NULL;
    luaL_error(L, "%s: %s", what, error.text);
}

/* [-0, +1, e]  One side of a bracket: what closes `entry` at a price. */
static void push_exit(lua_State *L, struct ltw_trader *t, const char *what,
                      const struct tw_order *entry, int64_t price, bool is_stop)
{
    struct tw_order *o = &ltw_push_new_order(L)->o;

    *o = (struct tw_order){
        .symbol = entry->symbol, .tif = TW_TIF_GTC, .quantity = entry->quantity,
        .side = entry->side == TW_SIDE_BUY ? TW_SIDE_SELL : TW_SIDE_BUY,
        .type = is_stop ? TW_TYPE_STOP : TW_TYPE_LIMIT, .reduce_only = true,
        .price = is_stop ? 0 : price, .stop = is_stop ? price : 0,
    };
    ((struct ltw_order *)o)->label = lua_pushstring(L, is_stop ? "stop_loss"
                                                               : "take_profit");
    lua_setiuservalue(L, -2, 1);
    check(L, t, what, o);
}

/* [-0, +1, e]  The order of the terms, checked; label: stack index, or 0. */
static struct ltw_order *push_order(lua_State *L, struct ltw_trader *t, const char *what,
                                    const struct ltw_order_terms *terms, int label)
{
    struct ltw_order *own = ltw_push_new_order(L);

    ltw_fill_order(L, what, terms, &own->o);
    if (label) {
        lua_pushvalue(L, label);
        own->label = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        lua_setiuservalue(L, -2, 1);
    }
    check(L, t, what, &own->o);
    return own;
}

/* [-0, +0, e]  Are the exits on the sides of the price on which they belong? */
static void check_bracket(lua_State *L, struct ltw_trader *t, const char *what,
                          const struct ltw_order_terms *terms, struct ltw_order *entry)
{
    bool buys = terms->side == TW_SIDE_BUY;
    int64_t room = terms->take_profit - terms->stop_loss;

    if (terms->take_profit && terms->stop_loss && (buys ? room <= 0 : room >= 0))
        luaL_error(L, "%s: take_profit is to be %s stop_loss", what,
                   buys ? "above" : "below");
    tw_broker_bracket(t->broker, &entry->o, terms->take_profit, terms->stop_loss);
}

/* [-0, +0, e]  Of self:what(...). */
static struct ltw_trader *check_call(lua_State *L, const char *what)
{
    ltw_check_self(L, what);
    return ltw_check_trader(L, what);
}

/* [-0, +1, e]  Sends what the terms say, with its bracket. */
static int place(lua_State *L, const char *what, const struct ltw_order_terms *terms,
                 int label)
{
    struct ltw_trader *t = ltw_check_trader(L, what);
    struct ltw_order *entry;
    int first;

    check_may_send(L, what);
    entry = push_order(L, t, what, terms, label);
    first = lua_gettop(L);
    if (terms->take_profit || terms->stop_loss) check_bracket(L, t, what, terms, entry);
    if (terms->take_profit)
        push_exit(L, t, what, &entry->o, terms->take_profit, false);
    if (terms->stop_loss) push_exit(L, t, what, &entry->o, terms->stop_loss, true);
    luaL_checkstack(L, 4, what);
    send_order(L, t, what, first, lua_gettop(L));
    for (int i = first + 1; i <= lua_gettop(L); i++) {
        struct ltw_order *exit = lua_touserdata(L, i);

        exit->o.parent = entry->o.id;
        send_order(L, t, what, i, i);
    }
    lua_settop(L, first);
    return 1;
}

/* [-0, +0, e]  (self, table) or (self, symbol, quantity [, price]); returns where the
 * label is, or 0. */
static int read_order(lua_State *L, const char *what, struct ltw_order_terms *t)
{
    ltw_check_self(L, what);
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_settop(L, 2);
        ltw_check_order_terms(L, 2, what, t);
        lua_getfield(L, 2, "label");
        return 3;
    }
    t->symbol = ltw_check_symbol(L, 2, what);
    t->quantity = ltw_check_fixed(L, 3, what, "quantity");
    if (t->quantity <= 0)
        luaL_error(L, "%s: quantity: a number above 0 expected, got %s", what,
                   luaL_tolstring(L, 3, NULL));
    if (!lua_isnoneornil(L, 4)) {
        t->price = ltw_check_fixed(L, 4, what, "price");
        if (t->price <= 0) luaL_error(L, "%s: price: a number above 0 expected, got %s",
                                      what, luaL_tolstring(L, 4, NULL));
    }
    return 0;
}

static int trade(lua_State *L, const char *what, enum tw_side side)
{
    struct ltw_order_terms t = { 0 };
    int label = read_order(L, what, &t);

    if (t.side && t.side != side)
        return luaL_error(L, "%s: side: it is a %s", what, what);
    t.side = (uint8_t)side;
    return place(L, what, &t, label);
}

/* self:buy(order) -> order
 * Sends an order: { symbol =, quantity = }, or in brief self:buy("AAPL", 100 [, price]).
 * on_order, on_fill and on_position tell what becomes of it, a refusal too.
 *   weight         in place of quantity: the part of the equity that it may take when it
 *                  trades, within limits
 *   type           "market"; by default "limit" with a price, "stop" or "stop_limit" with
 *                  a stop, "trailing_stop" with a trail
 *   price, stop, trail
 *   trail_percent  of the price that the stop follows, at the tick beyond
 *   tif            "gtc", "day", "gtd", "ioc", "fok"; "opg" and "cls" of market and limit
 *                  orders, not post_only
 *   expire         for gtd; a time that is over is rejected
 *   post_only, reduce_only, label
 *   take_profit, stop_loss     prices of a bracket: two exits that wait for this order.
 *                  One cancels the other; their labels say which they are.  They are for
 *                  what this order has traded, but for what that closes of a position of
 *                  the other side: order:modify makes them no larger; one that it makes
 *                  smaller stays so, and leaves the rest to the other.
 *                  When they have traded all of that, what is left of this order is
 *                  canceled.  The order is refused where an exit is at no tick, or would
 *                  trade at once as the market is now
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for what is no order: an option that is not there, a number that is not
 * above 0 and below 9.2e9 (it is rounded to nine decimals), a symbol that is not known,
 * an instrument in a currency that the account has no rate of, or without the tick_size
 * that the account's slippage counts in, a take_profit that is not on the other side of
 * stop_loss, a trail_percent of 100 or more, a weight above 10.
 * Units: prices; trail: of price; quantity: of the instrument; weight: 1 is all;
 * expire: ns since the epoch. */
static int buy(lua_State *L)
{
    return trade(L, "buy", TW_SIDE_BUY);
}

/* self:sell(order) -> order
 * As self:buy, of the other side; a position goes below 0 where it sells more than is
 * held, but for reduce_only.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: as of self:buy.  Units: as of self:buy. */
static int sell(lua_State *L)
{
    return trade(L, "sell", TW_SIDE_SELL);
}

/* self:oco(order, order, ...) -> order, order, ...
 * One cancels the other: sends up to 16 orders of one symbol, each with its side
 * ({ side = "sell", ... }); of the others no more is left than of the one that trades.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: as of self:buy; then none of them is sent.  Units: as of self:buy. */
static int oco(lua_State *L)
{
    struct ltw_trader *t;
    uint64_t group;
    int n = lua_gettop(L) - 1, first;

    ltw_check_self(L, "oco");
    if (n < 2 || n > OCO_MAX)
        return luaL_error(L, "oco: 2 to %d orders expected, got %d", OCO_MAX, n);
    t = ltw_check_trader(L, "oco");
    check_may_send(L, "oco");
    luaL_checkstack(L, n + 8, "oco");
    first = lua_gettop(L) + 1;
    for (int i = 0; i < n; i++) {
        struct ltw_order_terms terms = { 0 };

        luaL_checktype(L, i + 2, LUA_TTABLE);
        ltw_check_order_terms(L, i + 2, "oco", &terms);
        if (terms.take_profit || terms.stop_loss)
            return luaL_error(L, "oco: an order of it has no bracket");
        lua_getfield(L, i + 2, "label");
        push_order(L, t, "oco", &terms, lua_gettop(L));
        lua_remove(L, -2);
        if (((struct tw_order *)lua_touserdata(L, -1))->symbol
            != ((struct tw_order *)lua_touserdata(L, first))->symbol)
            return luaL_error(L, "oco: its orders are of one symbol");
    }
    group = tw_broker_next_id(t->broker);
    for (int i = first; i < first + n; i++) {
        ((struct tw_order *)lua_touserdata(L, i))->group = group;
        send_order(L, t, "oco", i, i);
    }
    return n;
}

/* ---- targets ---- */

/* Does it count where a target is aimed at?  Not what waits for a parent or a price, nor
 * what is being canceled. */
static bool is_coming(const struct tw_order *o)
{
    return !o->parent && !o->pending_cancel
        && (o->type == TW_TYPE_MARKET || o->type == TW_TYPE_LIMIT);
}

/* What it may trade, beyond what is counted of its group: all of that trades no more than
 * the largest of it. */
static int64_t beyond_group(const struct tw_order *o)
{
    int64_t most = 0;

    for (const struct tw_order *i = o->peer; i && i != o; i = i->peer)
        if (i->id < o->id && i->side == o->side && is_coming(i)
            && tw_order_leaves(i) > most)
            most = tw_order_leaves(i);
    return tw_order_leaves(o) > most ? tw_order_leaves(o) - most : 0;
}

/* What open orders will make of the position. */
static tw_money coming(const struct ltw_trader *t, uint32_t symbol)
{
    const struct tw_order *o = NULL;
    tw_money sum = 0;

    while ((o = tw_broker_open_of(t->broker, symbol, o)) != NULL)
        if (is_coming(o)) sum += tw_order_sign(o) * beyond_group(o);
    return sum;
}

/* [-0, +1, e]  Sends what is missing from a target; options at 4.  nil: nothing is. */
static int aim(lua_State *L, struct ltw_trader *t, const char *what, uint32_t symbol,
               int64_t target)
{
    tw_money more = target - coming(t, symbol) - tw_broker_held(t->broker, symbol);
    struct ltw_order_terms terms = { .symbol = symbol };
    int label = 0;

    if (!lua_isnoneornil(L, 4)) {
        luaL_checktype(L, 4, LUA_TTABLE);
        lua_settop(L, 4);
        ltw_check_order_terms(L, 4, what, &terms);
        if (terms.symbol != symbol || terms.quantity || terms.weight)
            luaL_error(L, "%s: symbol, quantity and weight are no options of it", what);
        lua_getfield(L, 4, "label");
        label = 5;
    }
    if (more == 0) {
        lua_pushnil(L);
        return 1;
    }
    if (more > INT64_MAX || more < -INT64_MAX)
        luaL_error(L, "%s: more than 9.2e9 would be missing", what);
    terms.quantity = (int64_t)(more > 0 ? more : -more);
    terms.side = more > 0 ? TW_SIDE_BUY : TW_SIDE_SELL;
    return place(L, what, &terms, label);
}

/* self:order_target(symbol, quantity [, options]) -> order | nil
 * Sends an order for what is missing to a position of that quantity (below 0: short); nil
 * when nothing is.  Open market and limit orders count as traded, but for those that are
 * being canceled and exits of brackets; of a self:oco the largest of each side counts, as
 * no more of them can trade.  options: as of self:buy.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: as of self:buy.  Units: of the instrument. */
static int order_target(lua_State *L)
{
    struct ltw_trader *t = check_call(L, "order_target");
    uint32_t symbol = ltw_check_symbol(L, 2, "order_target");
    int64_t target = ltw_check_fixed(L, 3, "order_target", "quantity");

    return aim(L, t, "order_target", symbol, target);
}

/* self:order_target_percent(symbol, weight [, options]) -> order | nil
 * As self:order_target, of the quantity that such a part of the equity pays for at the
 * last price, in whole lots; of an instrument without a lot_size in fractions.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: as of self:buy; raises while no price is known.
 * Units: weight: 0.5 is half the equity, 1 all, 10 at most; below 0: short. */
static int order_target_percent(lua_State *L)
{
    struct ltw_trader *t = check_call(L, "order_target_percent");
    uint32_t symbol = ltw_check_symbol(L, 2, "order_target_percent");
    int64_t weight = ltw_check_weight(L, 3, "order_target_percent"), target;
    struct tw_order o = { .symbol = symbol, .side = TW_SIDE_BUY, .type = TW_TYPE_MARKET,
                          .tif = TW_TIF_GTC };
    struct ltw_order_terms terms = { .symbol = symbol };

    o.part = weight < 0 ? -weight : weight;
    if (o.part) check(L, t, "order_target_percent", &o);
    if (o.unaffordable && !tw_broker_has_rate(t->broker, &o)) {
        terms.side = weight < 0 ? TW_SIDE_SELL : TW_SIDE_BUY;
        terms.weight = o.part;
        return place(L, "order_target_percent", &terms, 0);    /* which is refused */
    }
    target = o.unaffordable ? 0 : weight < 0 ? -o.quantity : o.quantity;
    return aim(L, t, "order_target_percent", symbol, o.part ? target : 0);
}

/* [-0, +1, e]  Closes so much of the symbol's position; nil: there is none. */
static int close_one(lua_State *L, const char *what, uint32_t symbol, int64_t quantity)
{
    struct ltw_order_terms terms = {
        .symbol = symbol, .reduce_only = true, .type = TW_TYPE_MARKET,
        .quantity = quantity < 0 ? -quantity : quantity,
        .side = quantity < 0 ? TW_SIDE_BUY : TW_SIDE_SELL,
    };

    if (quantity != 0) return place(L, what, &terms, 0);
    lua_pushnil(L);
    return 1;
}

/* What is left of a position when what closes it already has traded. */
static int64_t unclosed(const struct ltw_trader *t, uint32_t symbol)
{
    const struct tw_order *o = NULL;
    int64_t held = tw_broker_held(t->broker, symbol), left = held;

    while ((o = tw_broker_open_of(t->broker, symbol, o)) != NULL)
        if (closes(o) && (o->side == TW_SIDE_BUY) == (held < 0))
            left += tw_order_sign(o) * tw_order_leaves(o);
    return (left < 0) == (held < 0) ? left : 0;
}

/* self:close(symbol) -> order | nil
 * Closes the position with a market order, which only reduces; nil when there is none, or
 * all of it is being closed so already.  Other open orders stay.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for a symbol that is not known.  Units: none. */
static int close_position(lua_State *L)
{
    struct ltw_trader *t = check_call(L, "close");
    uint32_t symbol = ltw_check_symbol(L, 2, "close");

    return close_one(L, "close", symbol, unclosed(t, symbol));
}

/* self:flatten() -> integer
 * Cancels all open orders and closes all positions: how many.  Orders that close them
 * already stay.  A position may be left: with a latency an order may trade
 * before its cancel arrives, and limits on the rate of orders may refuse a closing one.
 * So it can be called again.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises outside a script, and for a symbol.  Units: none. */
static int flatten(lua_State *L)
{
    struct ltw_trader *t = check_call(L, "flatten");
    const struct tw_position *p;
    lua_Integer n = 0;

    if (lua_gettop(L) > 1)
        return luaL_error(L, "flatten: it closes all positions; self:close(symbol) closes"
                          " one");
    check_may_send(L, "flatten");
    cancel_all(L, t, 0, closes);
    for (size_t i = 0; (p = tw_account_at(tw_broker_account(t->broker), i)); i++) {
        if (p->quantity == 0) continue;
        close_one(L, "flatten", p->symbol, unclosed(t, p->symbol));
        lua_pop(L, 1);
        n++;
    }
    lua_pushinteger(L, n);
    return 1;
}

/* ---- changing ---- */

/* [-0, +0, e]  The order at 1 and the trader that it is of. */
static struct ltw_order *check_own(lua_State *L, const char *what,
                                   struct ltw_trader **t)
{
    struct ltw_order *own = ltw_check_order(L, 1);

    *t = ltw_check_trader(L, what);
    check_may_send(L, what);
    if (own->trader && own->trader != *t && tw_order_is_open(&own->o))
        luaL_error(L, "%s: the order is of another script", what);
    return own;
}

int ltw_order_cancel(lua_State *L)
{
    struct ltw_trader *t;
    struct ltw_order *own = check_own(L, "cancel", &t);
    int rc = TW_EUSAGE;

    if (own->trader && !own->o.pending_cancel)
        rc = tw_broker_cancel(t->broker, &own->o);
    if (rc == UV_ENOMEM) return luaL_error(L, "not enough memory");
    if (rc == TW_OK) output_order(L, t, "cancel", &own->o);
    lua_pushboolean(L, rc == TW_OK);
    return 1;
}

int ltw_order_modify(lua_State *L)
{
    struct ltw_order_terms terms = { 0 };
    struct ltw_trader *t;
    struct ltw_order *own = check_own(L, "modify", &t);
    struct tw_error error;
    struct tw_order asked;
    int rc;

    luaL_checktype(L, 2, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

        if (strcmp(name, "price") != 0 && strcmp(name, "quantity") != 0
            && strcmp(name, "stop") != 0)
            return luaL_error(L, "modify: there are quantity, price and stop, not '%s'",
                              luaL_tolstring(L, -2, NULL));
    }
    ltw_check_order_terms(L, 2, "modify", &terms);
    if (!own->trader || !tw_order_is_open(&own->o)) {
        lua_pushboolean(L, 0);
        return 1;
    }
    rc = tw_broker_replace(t->broker, &own->o, terms.quantity, terms.price, terms.stop,
                           &error);
    if (rc != TW_OK) return luaL_error(L, "modify: %s", error.text);
    asked = own->o;
    if (terms.quantity) asked.quantity = terms.quantity;
    if (terms.price) asked.price = terms.price;
    if (terms.stop) asked.stop = terms.stop;
    output_order(L, t, "modify to", &asked);
    lua_pushboolean(L, 1);
    return 1;
}

/* self:cancel([order | symbol]) -> boolean | integer
 * Asks to cancel an order, as order:cancel(); or all open ones of a symbol, or all: how
 * many.  All are meant by self:cancel() alone: nil is an order that is not there.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for nil, an order of another script, and a symbol that is not known.
 * Units: none. */
static int cancel(lua_State *L)
{
    struct ltw_trader *t;
    uint32_t symbol = 0;

    ltw_check_self(L, "cancel");
    if (lua_isuserdata(L, 2)) {
        ltw_check_order(L, 2);    /* here, as its place is another one below */
        lua_remove(L, 1);
        return ltw_order_cancel(L);
    }
    t = ltw_check_trader(L, "cancel");
    check_may_send(L, "cancel");
    if (lua_isnil(L, 2))
        return luaL_argerror(L, 2, "order or symbol expected, got nil; self:cancel()"
                             " cancels all");
    if (!lua_isnone(L, 2)) symbol = ltw_check_symbol(L, 2, "cancel");
    lua_pushinteger(L, cancel_all(L, t, symbol, NULL));
    return 1;
}

/* self:modify(order, changes) -> boolean
 * As order:modify(changes).
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: as of order:modify.  Units: as of the order. */
static int modify(lua_State *L)
{
    ltw_check_self(L, "modify");
    ltw_check_order(L, 2);        /* here, as their places are others below */
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_remove(L, 1);
    return ltw_order_modify(L);
}

/* ---- looking ---- */

/* self:position(symbol) -> number
 * How much of it is held; below 0: short.  More is in self.account:position(symbol).
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for a symbol that is not known.  Units: of the instrument. */
static int position(lua_State *L)
{
    struct ltw_trader *t = check_call(L, "position");
    uint32_t symbol = ltw_check_symbol(L, 2, "position");

    lua_pushnumber(L, tw_fixed_to_double(tw_broker_held(t->broker, symbol)));
    return 1;
}

/* self:session(symbol, time) -> open, close
 * When the market of the instrument, by its calendar, opens and closes: the session that
 * the time is in, or else the next one; a day of UTC where it has no calendar.  A bar's
 * time is its end, so of a bar it is self:session(symbol, time - 1).
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for a symbol that is not known, and for a calendar that is not open
 * within a year.  Units: ns since the epoch. */
static int session(lua_State *L)
{
    struct ltw_trader *t = check_call(L, "session");
    uint32_t symbol = ltw_check_symbol(L, 2, "session");
    const struct ltw_instrument_terms *said = ltw_desk_terms(t->host->desk, symbol);
    int64_t time = luaL_checkinteger(L, 3);
    struct tw_session s;

    luaL_argcheck(L, time > INT64_MIN / 2 && time < INT64_MAX / 2, 3,
                  "ns since the epoch expected");
    if (!tw_calendar_session(said ? said->calendar : NULL, time, &s))
        return luaL_error(L, "session: its market is not open within a year");
    lua_pushinteger(L, s.open_ns);
    lua_pushinteger(L, s.close_ns);
    return 2;
}

/* self:orders([symbol]) -> table
 * A list of the open orders, of one symbol or all, the oldest first.  All are meant by
 * self:orders() alone: nil is a symbol that is not there.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for nil, and for a symbol that is not known.  Units: none. */
static int orders(lua_State *L)
{
    struct ltw_trader *t = check_call(L, "orders");
    const struct tw_order *o = NULL;
    uint32_t symbol = 0;
    lua_Integer n = 0;

    if (lua_isnil(L, 2))
        return luaL_argerror(L, 2, "symbol expected, got nil; self:orders() lists all");
    if (!lua_isnone(L, 2)) symbol = ltw_check_symbol(L, 2, "orders");
    while ((o = tw_broker_open_of(t->broker, symbol, o)) != NULL) n++;
    lua_createtable(L, (int)n, 0);
    while ((o = tw_broker_open_of(t->broker, symbol, o)) != NULL) {
        ltw_push_order(L, o);
        lua_rawseti(L, -2, n--);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    { "buy", buy },
    { "sell", sell },
    { "oco", oco },
    { "order_target", order_target },
    { "order_target_percent", order_target_percent },
    { "close", close_position },
    { "flatten", flatten },
    { "cancel", cancel },
    { "modify", modify },
    { "position", position },
    { "positions", ltw_positions },
    { "orders", orders },
    { "session", session },
    { NULL, NULL }
};

void ltw_trade_methods(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
