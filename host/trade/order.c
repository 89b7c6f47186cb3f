/* order.c - what may happen to an order, and the names of it all. */
#include "trade/order.h"

#include <stdio.h>
#include <string.h>

#include "base/fixed.h"
#include "trade/terms.h"

static const char *const reasons[] = {
    [TW_REASON_NONE] = "",
    [TW_REASON_HALTED] = "trading is halted",
    [TW_REASON_ORDER_SIZE] = "the quantity is above the limit for an order",
    [TW_REASON_ORDER_VALUE] = "the value is above the limit for an order",
    [TW_REASON_POSITION] = "the position would be above its limit",
    [TW_REASON_OPEN_ORDERS] = "too many orders are open",
    [TW_REASON_ORDER_RATE] = "too many orders in this time",
    [TW_REASON_COLLAR] = "the price is too far from the market",
    [TW_REASON_DAILY_LOSS] = "the limit for a day's loss is reached",
    [TW_REASON_SELF_MATCH] = "it would trade with an order of our own",
    [TW_REASON_BUYING_POWER] = "not enough cash or margin",
    [TW_REASON_TICK] = "the price is not a multiple of the tick size",
    [TW_REASON_LOT] = "the quantity is not a multiple of the lot size",
    [TW_REASON_REDUCE_ONLY] = "reduce-only: it can only reduce the position",
    [TW_REASON_POST_ONLY] = "post-only: it would trade at once",
    [TW_REASON_IOC] = "immediate or cancel: the rest was not there at once",
    [TW_REASON_FOK] = "fill or kill: not all of it was there at once",
    [TW_REASON_CLOSED] = "the market is closed",
    [TW_REASON_OCO] = "one cancels the other: another one was filled",
    [TW_REASON_PARENT] = "the order that it depends on has ended",
    [TW_REASON_TOO_LATE] = "too late: it had ended, or traded as much",
    [TW_REASON_VENUE] = "the venue refused it",
    [TW_REASON_OFFLINE] = "the gateway is not connected",
    [TW_REASON_UNSUPPORTED] = "the gateway has no such kind of order",
    [TW_REASON_UNKNOWN] = "the venue does not know it",
    [TW_REASON_FORMER] = "it was sent by a former run",
    [TW_REASON_NET_POSITION] = "the position of all scripts would be above its limit",
    [TW_REASON_PAST] = "gtd: its time of expiry is over already",
    [TW_REASON_RATE] = ("no rate of exchange has come yet for the instrument's"
                        " currency, or that of app.risk"),
    [TW_REASON_BRACKET] = "the bracket's take_profit or stop_loss would trade at once",
    [TW_REASON_UNSOLICITED] = "unsolicited: the venue did it, nobody asked for it",
    [TW_REASON_EXIT_SIZE] = ("the venue refuses again and again to cancel it or to"
                             " change its quantity"),
    [TW_REASON_WARM_UP] = "no order is sent before the end of the warm-up",
    [TW_REASON_SILENT] = "the venue has not answered it",
};

const char *tw_reason_text(enum tw_reason reason)
{
    return (size_t)reason < sizeof reasons / sizeof *reasons ? reasons[reason] : "?";
}

static int64_t grid_of(const struct tw_order *o, enum tw_reason reason)
{
    return !o->terms ? 0 : reason == TW_REASON_LOT ? o->terms->lot
                         : reason == TW_REASON_TICK ? o->terms->tick : 0;
}

int64_t tw_order_off_grid(const struct tw_order *o, enum tw_reason reason)
{
    int64_t step = grid_of(o, reason);
    int64_t value = reason == TW_REASON_LOT ? o->quantity : o->price;

    if (step <= 0) return 0;
    if (reason == TW_REASON_TICK && value % step == 0) value = o->stop;
    return value % step == 0 ? 0 : value;
}

const char *tw_order_reason(const struct tw_order *o, enum tw_reason reason, int64_t off,
                            char out[TW_REASON_TEXT])
{
    char of[TW_FIXED_TEXT], at[TW_FIXED_TEXT];

    if (off == 0) off = tw_order_off_grid(o, reason);
    if (off == 0) return tw_reason_text(reason);
    tw_fixed_format(off, of);
    tw_fixed_format(grid_of(o, reason), at);
    snprintf(out, TW_REASON_TEXT, "%s: %s with %s of %s", tw_reason_text(reason), of,
             reason == TW_REASON_LOT ? "lots" : "ticks", at);
    return out;
}

/* Prices may be below 0. */
int64_t tw_order_trail_stop(bool buys, int64_t price, int64_t trail, int64_t part,
                            int64_t tick)
{
    tw_money far = trail, rest;
    int64_t stop;

    if (part) {
        far = (tw_money)(price < 0 ? -(tw_money)price : price) * part;
        far = far / TW_FIXED_ONE + (far % TW_FIXED_ONE != 0);
    } else if (!__builtin_add_overflow(price, buys ? trail : -trail, &stop)) {
        return stop;
    }
    far = buys ? (tw_money)price + far : (tw_money)price - far;
    rest = part && tick ? far % tick : 0;
    if (buys && rest != 0) far += rest > 0 ? tick - rest : -rest;
    else if (rest != 0) far -= rest > 0 ? rest : tick + rest;
    return far > INT64_MAX ? INT64_MAX : far < -INT64_MAX ? -INT64_MAX : (int64_t)far;
}

/* ---- changes ---- */

void tw_order_pay(struct tw_order *o, const struct tw_report *r, int64_t quantity)
{
    if (!r->is_charged) {
        o->fees += r->fee;
        o->raw_fees += r->raw_fee;
        quantity = 0;
    } else {
        o->charged += r->fee;
    }
    o->charged_qty += quantity;
    if (o->charged_qty > o->cum_qty) o->charged_qty = o->cum_qty;
    if (o->charged_qty < 0) o->charged_qty = 0;
}

static bool trade(struct tw_order *o, const struct tw_report *r)
{
    if (r->last_qty <= 0 || r->last_qty > o->quantity - o->cum_qty) return false;
    o->cum_qty += r->last_qty;
    o->cum_value += tw_money_value(r->last_px, r->last_qty);
    tw_order_pay(o, r, r->last_qty);
    o->status = o->cum_qty == o->quantity ? TW_STATUS_FILLED : TW_STATUS_PARTIALLY_FILLED;
    return true;
}

/* One of a former run may have traded there. */
static enum tw_order_status rested(const struct tw_order *o)
{
    return o->cum_qty ? TW_STATUS_PARTIALLY_FILLED : TW_STATUS_NEW;
}

static bool take_back(struct tw_order *o, const struct tw_report *r)
{
    if (r->last_qty <= 0 || r->last_qty > o->cum_qty) return false;
    o->cum_qty -= r->last_qty;
    o->cum_value -= tw_money_value(r->last_px, r->last_qty);
    tw_order_pay(o, r, -r->last_qty);
    o->status = rested(o);
    return true;
}

/* It has ended, but not all that was traded was known, or not all of it holds. */
static bool trade_late(struct tw_order *o, const struct tw_report *r)
{
    bool is_back = r->exec == TW_EXEC_TRADE_CANCELED;
    int64_t quantity = is_back && r->last_qty > o->cum_qty ? o->cum_qty : r->last_qty;
    tw_money value = tw_money_value(r->last_px, quantity);

    if (!tw_report_is_trade(r) || r->last_qty <= 0) return false;
    o->cum_qty += is_back ? -quantity : quantity;
    o->cum_value += is_back ? -value : value;
    tw_order_pay(o, r, is_back ? -quantity : quantity);
    o->status = r->late;
    return true;
}

static bool replace(struct tw_order *o, const struct tw_report *r)
{
    if (r->quantity < o->cum_qty || r->quantity <= 0) return false;
    o->quantity = r->quantity;
    o->price = r->price;
    o->stop = r->stop;
    o->pending_replace = false;
    if (o->cum_qty == o->quantity) o->status = TW_STATUS_FILLED;
    return true;
}

static bool end(struct tw_order *o, enum tw_order_status status)
{
    o->status = status;
    return true;
}

/* To one that is open. */
static bool change(struct tw_order *o, const struct tw_report *r)
{
    bool waits = o->status == TW_STATUS_PENDING_NEW;

    switch (r->exec) {
    case TW_EXEC_NEW:            return waits && end(o, rested(o));
    case TW_EXEC_REJECTED:       return waits && end(o, TW_STATUS_REJECTED);
    case TW_EXEC_TRADE:          return trade(o, r);
    case TW_EXEC_TRADE_CANCELED: return take_back(o, r);
    case TW_EXEC_REPLACED:       return replace(o, r);
    case TW_EXEC_CANCELED:       return end(o, TW_STATUS_CANCELED);
    case TW_EXEC_EXPIRED:        return end(o, TW_STATUS_EXPIRED);
    case TW_EXEC_DONE_FOR_DAY:   return end(o, TW_STATUS_DONE_FOR_DAY);
    case TW_EXEC_PENDING_CANCEL: return o->pending_cancel = true;
    case TW_EXEC_PENDING_REPLACE: return o->pending_replace = true;
    default:                     return false;
    }
}

bool tw_order_apply(struct tw_order *o, const struct tw_report *r)
{
    if (r->exec == TW_EXEC_CANCEL_REJECTED) {   /* it may have ended meanwhile */
        if (o->status == TW_STATUS_NONE) return false;
        o->pending_replace = false;
        if (!r->of_change) o->pending_cancel = false;
        return true;
    }
    if (o->status == TW_STATUS_NONE)
        return r->exec == TW_EXEC_PENDING_NEW && end(o, TW_STATUS_PENDING_NEW);
    if (!tw_order_is_open(o)) return r->late && trade_late(o, r);
    if (!change(o, r)) return false;
    if (!tw_order_is_open(o)) o->pending_cancel = o->pending_replace = false;
    return true;
}

enum tw_order_status tw_order_status(const struct tw_order *o)
{
    if (o->pending_cancel) return TW_STATUS_PENDING_CANCEL;
    if (o->pending_replace) return TW_STATUS_PENDING_REPLACE;
    return o->status;
}

/* ---- names ---- */

struct name { int value; const char *text; };

static const struct name types[] = {
    { TW_TYPE_MARKET, "market" }, { TW_TYPE_LIMIT, "limit" }, { TW_TYPE_STOP, "stop" },
    { TW_TYPE_STOP_LIMIT, "stop_limit" }, { TW_TYPE_TRAILING_STOP, "trailing_stop" },
    { -1, NULL }
};
static const struct name tifs[] = {
    { TW_TIF_DAY, "day" }, { TW_TIF_GTC, "gtc" }, { TW_TIF_OPG, "opg" },
    { TW_TIF_IOC, "ioc" }, { TW_TIF_FOK, "fok" }, { TW_TIF_GTD, "gtd" },
    { TW_TIF_CLS, "cls" }, { -1, NULL }
};
static const struct name statuses[] = {
    { TW_STATUS_NONE, "none" }, { TW_STATUS_NEW, "new" },
    { TW_STATUS_PARTIALLY_FILLED, "partially_filled" }, { TW_STATUS_FILLED, "filled" },
    { TW_STATUS_DONE_FOR_DAY, "done_for_day" }, { TW_STATUS_CANCELED, "canceled" },
    { TW_STATUS_PENDING_CANCEL, "pending_cancel" }, { TW_STATUS_REJECTED, "rejected" },
    { TW_STATUS_PENDING_NEW, "pending_new" }, { TW_STATUS_EXPIRED, "expired" },
    { TW_STATUS_PENDING_REPLACE, "pending_replace" }, { -1, NULL }
};

static const char *text_of(const struct name *n, int value)
{
    while (n->text && n->value != value) n++;
    return n->text;
}

static int find(const struct name *n, const char *text)
{
    while (n->text && strcmp(n->text, text) != 0) n++;
    return n->value;
}

const char *tw_order_status_text(enum tw_order_status status)
{
    return text_of(statuses, (int)status);
}

const char *tw_order_type_text(enum tw_order_type type)
{
    return text_of(types, (int)type);
}

const char *tw_time_in_force_text(enum tw_time_in_force tif)
{
    return text_of(tifs, (int)tif);
}

int tw_order_type_find(const char *name)
{
    return find(types, name);
}

int tw_time_in_force_find(const char *name)
{
    return find(tifs, name);
}

int tw_order_check(const struct tw_order *o, struct tw_error *error)
{
    bool has_limit = o->type == TW_TYPE_LIMIT || o->type == TW_TYPE_STOP_LIMIT;
    bool is_called = o->tif == TW_TIF_OPG || o->tif == TW_TIF_CLS;
    const char *tif = tw_time_in_force_text((enum tw_time_in_force)o->tif);
    bool has_stop = o->type == TW_TYPE_STOP || o->type == TW_TYPE_STOP_LIMIT;
    const char *type = tw_order_type_text((enum tw_order_type)o->type);

    if (!type) return tw_fail(error, TW_EUSAGE, "no such type of order");
    if (!tif) return tw_fail(error, TW_EUSAGE, "no such time in force");
    if (o->side != TW_SIDE_BUY && o->side != TW_SIDE_SELL)
        return tw_fail(error, TW_EUSAGE, "neither a buy nor a sell");
    if (o->symbol == 0) return tw_fail(error, TW_EUSAGE, "no symbol");
    if (o->quantity <= 0)
        return tw_fail(error, TW_EUSAGE, "the quantity must be above 0");
    if (has_limit != (o->price > 0) || o->price < 0)
        return tw_fail(error, TW_EUSAGE, "a %s order %s", type,
                       has_limit ? "needs a price above 0" : "has no price");
    if (has_stop != (o->stop > 0) && o->type != TW_TYPE_TRAILING_STOP)
        return tw_fail(error, TW_EUSAGE, "a %s order %s", type,
                       has_stop ? "needs a stop above 0" : "has no stop");
    if (o->trail && o->trail_part)
        return tw_fail(error, TW_EUSAGE, "either a trail or a trail_percent");
    if ((o->type == TW_TYPE_TRAILING_STOP) != (o->trail > 0 || o->trail_part > 0)
        || o->trail < 0 || o->trail_part < 0)
        return tw_fail(error, TW_EUSAGE, "a %s order %s", type,
                       o->type == TW_TYPE_TRAILING_STOP ? "needs a trail above 0"
                                                        : "has no trail");
    if (o->trail_part >= TW_FIXED_ONE)
        return tw_fail(error, TW_EUSAGE, "trail_percent: below 100 expected");
    if ((o->tif == TW_TIF_GTD) != (o->expire_ns != 0))
        return tw_fail(error, TW_EUSAGE, "gtd and expire, when it ends, need each other");
    if (o->post_only && !has_limit)
        return tw_fail(error, TW_EUSAGE, "a post-only order is a limit order");
    if (o->post_only && (o->tif == TW_TIF_IOC || o->tif == TW_TIF_FOK))
        return tw_fail(error, TW_EUSAGE, "post-only and %s: it may neither trade at once"
                       " nor wait", tif);
    if (is_called && (o->post_only || !(o->type == TW_TYPE_MARKET
                                        || o->type == TW_TYPE_LIMIT)))
        return tw_fail(error, TW_EUSAGE, "%s with %s: at the open or close there are only"
                       " market and limit orders", tif,
                       o->post_only ? "post_only" : type);
    return TW_OK;
}
