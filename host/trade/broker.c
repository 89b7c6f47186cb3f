/* broker.c - one strategy's orders: checked, sent, reported, booked. */
#include "trade/broker.h"

#include <uv.h>

#include "base/memory.h"
#include "trade/fees.h"

struct tw_broker {
    struct tw_broker_options o;
    struct tw_account *account;
    struct tw_simulator *venue;
    struct tw_order *open;            /* the newest first                            */
    unsigned n_open;
    struct tw_told *told;             /* a ring: from first on, n of `room`          */
    size_t first, n, room;
    bool lost;                        /* it found no memory                          */
    bool due;                         /* a held order has something to do            */
    bool is_halted;                   /* all was canceled because of that            */
    int64_t *sent;                    /* times of the last limits.orders orders      */
    uint64_t n_sent, next_id;
    int64_t now_ns;
    uint64_t seq;                     /* of the record that is handled               */
    struct tw_session day;
    tw_money day_equity;              /* what was gained when it began               */
    int64_t day_lost;                 /* as the desk knows it                        */
};

/* ---- telling ---- */

static bool reserve(struct tw_broker *b)
{
    size_t room = b->room ? 2 * b->room : 16;
    struct tw_told *grown;

    if (b->n < b->room) return true;
    grown = tw_calloc(room, sizeof *grown);
    if (!grown) return false;
    for (size_t i = 0; i < b->n; i++) grown[i] = b->told[(b->first + i) % b->room];
    tw_free(b->told);
    b->told = grown;
    b->room = room;
    b->first = 0;
    return true;
}

static void tell(struct tw_broker *b, struct tw_order *o, const struct tw_report *r)
{
    const struct tw_position *p = tw_account_find(b->account, o->symbol);

    if (!reserve(b)) {
        b->lost = true;
        return;
    }
    b->told[(b->first + b->n++) % b->room] =
        (struct tw_told){ o, *r, p ? p->quantity : 0, o->cum_qty,
                          (uint8_t)tw_order_status(o) };
    o->untold++;
}

bool tw_broker_next(struct tw_broker *b, struct tw_told *out)
{
    if (b->n == 0) return false;
    *out = b->told[b->first];
    b->first = (b->first + 1) % b->room;
    b->n--;
    out->order->untold--;
    return true;
}

size_t tw_broker_untold(const struct tw_broker *b)
{
    return b->n;
}

/* ---- reports ---- */

static void enlist(struct tw_broker *b, struct tw_order *o)
{
    o->next = b->open;
    o->link = &b->open;
    if (o->next) o->next->link = &o->next;
    b->open = o;
    b->n_open++;
}

static void delist(struct tw_broker *b, struct tw_order *o)
{
    if (!o->link) return;
    *o->link = o->next;
    if (o->next) o->next->link = o->link;
    o->link = NULL;
    b->n_open--;
    if (b->o.desk && !o->held) tw_desk_leave(b->o.desk);
}

/* Those that depend on it learn what it has traded. */
static void tell_children(struct tw_broker *b, const struct tw_order *o)
{
    int64_t due = o->cum_qty > 0 ? o->cum_qty : tw_order_is_open(o) ? 0 : -1;

    for (struct tw_order *child = b->open; child; child = child->next)
        if (child->parent == o->id && child->due != due) {
            child->due = due;
            b->due = true;
        }
}

static void book(struct tw_broker *b, const struct tw_order *o,
                 const struct tw_report *r)
{
    struct tw_position *p = tw_account_position(b->account, o->symbol, o->terms);

    if (p) tw_account_trade(b->account, p, r->last_px, tw_order_sign(o) * r->last_qty,
                            r->fee);
    else b->lost = true;
}

/* From the venue, or from here. */
static void report(void *ctx, struct tw_order *o, const struct tw_report *r)
{
    struct tw_broker *b = ctx;
    struct tw_report done = *r;

    if (r->exec == TW_EXEC_TRADE)
        tw_fees_charge(o->terms ? o->terms->fees : NULL, o,
                       tw_account_traded(b->account), &done);
    if (!tw_order_apply(o, &done)) return;
    if (r->exec == TW_EXEC_TRADE) book(b, o, &done);
    if (!tw_order_is_open(o)) delist(b, o);
    tell(b, o, &done);
    tell_children(b, o);
}

static void say(struct tw_broker *b, struct tw_order *o, enum tw_exec_type exec,
                enum tw_reason reason)
{
    report(b, o, &(struct tw_report){ .order = o->id, .exec = (uint8_t)exec,
                                      .reason = (uint8_t)reason, .time_ns = b->now_ns,
                                      .seq = b->seq });
}

/* What its part of the equity buys at a price, in whole lots. */
static int64_t size_of(const struct tw_broker *b, const struct tw_order *o, int64_t price)
{
    int64_t rate = tw_account_rate(b->account, o->terms ? o->terms->currency : 0);
    int64_t lot = o->terms && o->terms->lot ? o->terms->lot : 1;
    tw_money worth = tw_terms_value(o->terms, price, TW_FIXED_ONE), n;
    tw_money equity = tw_account_equity(b->account);

    if (worth <= 0 || rate <= 0 || equity <= 0) return 0;
    n = equity * o->part / rate * TW_FIXED_ONE / worth / lot * lot;
    return n > INT64_MAX / 2 ? INT64_MAX / 2 / lot * lot : (int64_t)n;
}

static int64_t room_of(void *ctx, const struct tw_order *o, int64_t price)
{
    const struct tw_broker *b = ctx;
    const struct tw_position *p = tw_account_find(b->account, o->symbol);
    int64_t held = p ? -tw_order_sign(o) * p->quantity : 0;

    if (o->part && !o->reduce_only) return size_of(b, o, price);
    return held > 0 ? held : 0;
}

/* ---- sending ---- */

static int dispatch(struct tw_broker *b, struct tw_order *o)
{
    if (!b->o.gateway) return tw_simulator_submit(b->venue, o);
    return b->o.gateway->submit(b->o.gateway->ctx, o);
}

/* What open orders of the instrument are, for a check. */
static void add_open(const struct tw_broker *b, const struct tw_order *o,
                     struct tw_exposure *now)
{
    for (const struct tw_order *i = b->open; i; i = i->next) {
        int64_t price = i->price;

        if (i == o || i->held) continue;
        now->open_orders++;
        if (i->symbol != o->symbol) continue;
        if (i->side == TW_SIDE_BUY) {
            now->buying += tw_order_leaves(i);
            if (!price) price = INT64_MAX;
            if (price > now->best_bid) now->best_bid = price;
        } else {
            now->selling += tw_order_leaves(i);
            if (!price) price = 1;
            if (!now->best_ask || price < now->best_ask) now->best_ask = price;
        }
    }
}

static unsigned recent(const struct tw_broker *b)
{
    unsigned n = b->o.limits.orders, count = 0;

    for (unsigned i = 0; i < n && i < b->n_sent; i++)
        count += b->sent[i] > b->now_ns - b->o.limits.per_ns;
    return count;
}

/* All that was gained, deposits aside. */
static tw_money made(const struct tw_broker *b)
{
    return tw_account_equity(b->account) - tw_account_deposits(b->account);
}

static tw_money lost_today(const struct tw_broker *b)
{
    return b->day_equity - made(b);
}

/* Without the order itself. */
static struct tw_exposure exposure(const struct tw_broker *b, const struct tw_order *o)
{
    const struct tw_position *p = tw_account_find(b->account, o->symbol);
    struct tw_exposure now = { .position = p ? p->quantity : 0,
                               .price = tw_broker_price(b, o->symbol) };
    int64_t rate = tw_account_rate(b->account, o->terms ? o->terms->currency : 0);

    add_open(b, o, &now);
    if (b->o.limits.orders) now.recent = recent(b);
    now.lost = lost_today(b);
    now.free = rate ? tw_money_ratio(tw_account_free_cash(b->account), TW_FIXED_ONE, rate)
                    : 0;
    return now;
}

static bool is_halted(const struct tw_broker *b)
{
    return b->o.desk && tw_desk_is_halted(b->o.desk);
}

static enum tw_reason check(struct tw_broker *b, const struct tw_order *o)
{
    struct tw_exposure now = exposure(b, o);
    enum tw_reason why = is_halted(b) ? TW_REASON_HALTED
                                      : tw_risk_check(&b->o.limits, o, &now);

    if (why != TW_REASON_NONE || !b->o.desk) return why;
    return tw_desk_enter(b->o.desk, b->now_ns, tw_risk_reduces(o, &now));
}

/* It is counted already; what it will be, without what is filled. */
static enum tw_reason recheck(const struct tw_broker *b, const struct tw_order *o,
                              struct tw_order next)
{
    struct tw_exposure now = exposure(b, o);

    next.quantity -= next.cum_qty;
    return is_halted(b) ? TW_REASON_HALTED
                        : tw_risk_check(&b->o.limits, &next, &now);
}

/* TW_EUSAGE: what no venue could make sense of. */
static int validate(const struct tw_order *o, struct tw_error *error)
{
    bool has_limit = o->type == TW_TYPE_LIMIT || o->type == TW_TYPE_STOP_LIMIT;
    bool has_stop = o->type == TW_TYPE_STOP || o->type == TW_TYPE_STOP_LIMIT;
    const char *type = tw_order_type_text((enum tw_order_type)o->type);

    if (!type) return tw_fail(error, TW_EUSAGE, "no such type of order");
    if (!tw_time_in_force_text((enum tw_time_in_force)o->tif))
        return tw_fail(error, TW_EUSAGE, "no such time in force");
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
    if ((o->type == TW_TYPE_TRAILING_STOP) != (o->trail > 0) || o->trail < 0)
        return tw_fail(error, TW_EUSAGE, "a %s order %s", type,
                       o->type == TW_TYPE_TRAILING_STOP ? "needs a trail above 0"
                                                        : "has no trail");
    if ((o->tif == TW_TIF_GTD) != (o->expire_ns != 0))
        return tw_fail(error, TW_EUSAGE, "gtd and a time of expiry need each other");
    if (o->post_only && !has_limit)
        return tw_fail(error, TW_EUSAGE, "a post-only order is a limit order");
    return TW_OK;
}

static void note_time(struct tw_broker *b)
{
    if (b->o.limits.orders) b->sent[b->n_sent++ % b->o.limits.orders] = b->now_ns;
}

uint64_t tw_broker_next_id(const struct tw_broker *b)
{
    return b->next_id;
}

int tw_broker_check(const struct tw_broker *b, struct tw_order *o,
                    struct tw_error *error)
{
    o->terms = b->o.terms ? b->o.terms(b->o.ctx, o->symbol) : NULL;
    if (o->part > 0) {
        int64_t price = o->price ? o->price : tw_broker_price(b, o->symbol);

        if (price <= 0)
            return tw_fail(error, TW_EUSAGE, "no price is known that a part of the equity"
                           " could be turned into a quantity with");
        o->quantity = size_of(b, o, price);
        if (o->quantity == 0) {               /* refused when it is sent */
            o->quantity = o->terms && o->terms->lot ? o->terms->lot : 1;
            o->unaffordable = true;
        }
    }
    return validate(o, error);
}

int tw_broker_submit(struct tw_broker *b, struct tw_order *o, struct tw_error *error)
{
    enum tw_reason why;
    int rc = tw_broker_check(b, o, error);

    if (rc < 0) return rc;
    if (!reserve(b)) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    o->id = b->next_id++;
    o->time_ns = b->now_ns;
    o->seq = b->seq;
    o->held = o->parent != 0;
    if (o->parent && !o->group) o->group = o->parent;
    enlist(b, o);
    say(b, o, TW_EXEC_PENDING_NEW, TW_REASON_NONE);
    if (o->held) return TW_OK;
    why = o->unaffordable ? TW_REASON_BUYING_POWER : check(b, o);
    if (why == TW_REASON_NONE) note_time(b);
    if (why == TW_REASON_NONE && dispatch(b, o) < 0) {
        if (b->o.desk) tw_desk_leave(b->o.desk);
        why = TW_REASON_VENUE;
    }
    if (why != TW_REASON_NONE) {
        o->held = true;                  /* the desk does not count it */
        say(b, o, TW_EXEC_REJECTED, why);
    }
    return TW_OK;
}

int tw_broker_cancel(struct tw_broker *b, struct tw_order *o)
{
    int rc;

    if (!tw_order_is_open(o)) return TW_EUSAGE;
    if (o->held) {
        say(b, o, TW_EXEC_CANCELED, TW_REASON_NONE);
        return TW_OK;
    }
    rc = b->o.gateway ? b->o.gateway->cancel(b->o.gateway->ctx, o)
                      : tw_simulator_cancel(b->venue, o, b->now_ns);
    if (rc == TW_OK) say(b, o, TW_EXEC_PENDING_CANCEL, TW_REASON_NONE);
    return rc;
}

int tw_broker_replace(struct tw_broker *b, struct tw_order *o, int64_t quantity,
                      int64_t price, int64_t stop, struct tw_error *error)
{
    struct tw_order next = *o;
    enum tw_reason why = TW_REASON_NONE;
    int rc;

    if (!tw_order_is_open(o)) return tw_fail(error, TW_EUSAGE, "the order is not open");
    if (quantity) next.quantity = quantity;
    if (price) next.price = price;
    if (stop) next.stop = stop;
    rc = validate(&next, error);
    if (rc < 0) return rc;
    if (o->held) {
        o->quantity = next.quantity;
        o->price = next.price;
        o->stop = next.stop;
        return TW_OK;
    }
    why = recheck(b, o, next);
    if (why != TW_REASON_NONE) {
        say(b, o, TW_EXEC_CANCEL_REJECTED, why);
        return TW_OK;
    }
    rc = b->o.gateway ? b->o.gateway->replace(b->o.gateway->ctx, o, next.quantity,
                                              next.price, next.stop)
                      : tw_simulator_replace(b->venue, o, next.quantity, next.price,
                                             next.stop, b->now_ns);
    if (rc == TW_OK) say(b, o, TW_EXEC_PENDING_REPLACE, TW_REASON_NONE);
    else tw_fail(error, rc, "%s", tw_strerror(rc));
    return rc;
}

int tw_broker_cancel_all(struct tw_broker *b, uint32_t symbol)
{
    struct tw_order *next;
    int n = 0;

    for (struct tw_order *o = b->open; o; o = next) {
        int rc = 0;

        next = o->next;
        if ((symbol && o->symbol != symbol) || o->pending_cancel) continue;
        rc = tw_broker_cancel(b, o);
        if (rc < 0) return rc;
        n++;
    }
    return n;
}

/* ---- what depends on others ---- */

/* A held order's parent has traded, or has ended. */
static void follow(struct tw_broker *b, struct tw_order *o)
{
    int64_t due = o->due;
    enum tw_reason why;

    o->due = 0;
    if (!tw_order_is_open(o)) return;
    if (!o->held) {
        if (due > o->quantity && !b->o.gateway)
            tw_simulator_resize(b->venue, o, due, b->now_ns);
        return;
    }
    if (due < 0) {
        say(b, o, TW_EXEC_CANCELED, TW_REASON_PARENT);
        return;
    }
    o->quantity = due;
    o->time_ns = b->now_ns;
    o->seq = b->seq;
    why = check(b, o);
    if (why != TW_REASON_NONE) {
        say(b, o, TW_EXEC_REJECTED, why);
        return;
    }
    o->held = false;
    if (dispatch(b, o) < 0) say(b, o, TW_EXEC_REJECTED, TW_REASON_VENUE);
}

static void follow_all(struct tw_broker *b)
{
    while (b->due) {
        struct tw_order *o = b->open;

        b->due = false;
        while (o) {
            struct tw_order *next = o->next;

            if (o->due != 0) follow(b, o);
            o = next;
        }
    }
}

/* ---- records ---- */

/* A new day: what is settled daily is paid, and losses are counted anew. */
static void begin_day(struct tw_broker *b)
{
    const struct tw_position *p;

    for (size_t i = 0; (p = tw_account_at(b->account, i)) != NULL; i++)
        tw_account_settle(b->account, tw_account_find(b->account, p->symbol));
    if (!tw_calendar_session(b->o.calendar, b->now_ns, &b->day))
        b->day.close_ns = INT64_MAX;
    b->day_equity = made(b);
}

/* The desk's sum of losses has this strategy's. */
static void tell_loss(struct tw_broker *b)
{
    tw_money lost = lost_today(b);
    int64_t now = lost > INT64_MAX ? INT64_MAX : lost < -INT64_MAX ? -INT64_MAX
                                                                   : (int64_t)lost;

    if (now != b->day_lost) tw_desk_add_loss(b->o.desk, now - b->day_lost);
    b->day_lost = now;
}

static void mark(struct tw_broker *b, const struct tw_record *r)
{
    struct tw_position *p = tw_account_find(b->account, r->symbol);
    int64_t price = p && p->quantity ? tw_broker_price(b, r->symbol) : 0;

    if (price) tw_account_mark(b->account, p, price);
}

/* From a gateway: an execution of one of ours. */
static void take_execution(struct tw_broker *b, const struct tw_record *r)
{
    const struct tw_execution *e = &r->execution;
    struct tw_order *o = b->open;
    struct tw_report done = { .order = e->order, .exec = e->exec, .reason = e->reason,
                              .time_ns = r->time, .seq = r->seq };

    while (o && o->id != e->order) o = o->next;
    if (!o) return;
    if (e->exec == TW_EXEC_TRADE) {
        done.last_px = e->price;
        done.last_qty = e->quantity;
    } else {
        done.price = e->price;
        done.quantity = e->quantity;
        done.stop = o->stop;
    }
    report(b, o, &done);
}

int tw_broker_record(struct tw_broker *b, const struct tw_record *r)
{
    bool is_market = r->kind == TW_QUOTE || r->kind == TW_TRADE || r->kind == TW_BAR;
    int rc;

    if (r->time > b->now_ns) b->now_ns = r->time;
    b->seq = r->seq;
    if (b->now_ns > b->day.close_ns) begin_day(b);
    if (b->o.desk && !b->is_halted && is_halted(b))
        b->lost |= tw_broker_cancel_all(b, 0) < 0;
    if (b->o.desk) b->is_halted = is_halted(b);
    rc = tw_simulator_record(b->venue, r);
    if (b->o.gateway && r->kind == TW_ORDER && r->execution.script == b->o.script)
        take_execution(b, r);
    follow_all(b);
    if (is_market) mark(b, r);
    if (b->o.desk && b->o.desk->daily_loss) tell_loss(b);
    return rc < 0 || b->lost ? UV_ENOMEM : TW_OK;
}

int64_t tw_broker_price(const struct tw_broker *b, uint32_t symbol)
{
    const struct tw_market *m = tw_simulator_market(b->venue, symbol);

    if (!m) return 0;
    if (m->kind != TW_QUOTE) return m->last;
    if (!m->bid || !m->ask) return m->bid ? m->bid : m->ask;
    return m->bid + (m->ask - m->bid) / 2;
}

void tw_broker_report_record(const struct tw_broker *b, const struct tw_told *t,
                             struct tw_record *out)
{
    bool is_trade = t->report.exec == TW_EXEC_TRADE;
    const struct tw_order *o = t->order;

    *out = (struct tw_record){ .kind = TW_ORDER, .time = t->report.time_ns,
                               .symbol = o->symbol };
    out->execution = (struct tw_execution){ .order = o->id, .exec = t->report.exec,
        .price = is_trade ? t->report.last_px : o->price,
        .quantity = is_trade ? t->report.last_qty : o->quantity,
        .status = t->status, .side = o->side,
        .reason = t->report.reason, .script = b->o.script };
}

/* ---- all of it ---- */

struct tw_order *tw_broker_open(const struct tw_broker *b, const struct tw_order *after)
{
    return after ? after->next : b->open;
}

struct tw_account *tw_broker_account(struct tw_broker *b)
{
    return b->account;
}

struct tw_broker *tw_broker_new(const struct tw_broker_options *options)
{
    struct tw_broker *b = tw_calloc(1, sizeof *b);

    if (!b) return NULL;
    b->o = *options;
    b->next_id = options->first_id ? options->first_id : 1;
    b->o.simulator.first_id = b->next_id - 1;
    b->day.close_ns = INT64_MIN;
    b->account = tw_account_new(options->currency ? options->currency : "USD");
    b->venue = tw_simulator_new(&b->o.simulator, report, room_of, b);
    if (options->limits.orders)
        b->sent = tw_calloc(options->limits.orders, sizeof *b->sent);
    if (b->account && b->venue && (b->sent || !options->limits.orders)) return b;
    tw_broker_free(b);
    return NULL;
}

void tw_broker_free(struct tw_broker *b)
{
    if (!b) return;
    while (b->open && !b->o.gateway) delist(b, b->open);
    tw_simulator_free(b->venue);
    tw_account_free(b->account);
    tw_free(b->told);
    tw_free(b->sent);
    tw_free(b);
}
