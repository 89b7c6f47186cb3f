/* simulator.c - arrivals, ends of sessions, and matching with records. */
#include "trade/simulator.h"

#include <uv.h>

#include "base/memory.h"
#include "trade/live_orders.h"
#include "trade/probe.h"
#include "trade/transit.h"
#include "trade/terms.h"

struct tw_simulator {
    struct tw_simulator_options o;
    void (*report)(void *ctx, struct tw_order *o, const struct tw_report *r);
    int64_t (*room)(void *ctx, const struct tw_order *o, int64_t price);
    void *ctx;
    struct tw_live_orders orders;
    struct tw_transit transit;       /* requests on their way                       */
    uint64_t matches;
    bool passes;                     /* records came that the model does not go by  */
    uint64_t seq;                    /* of the record that is taken, or 0           */
    int64_t day_ns;                  /* the end of that, if it is a bar of a day    */
    struct tw_probe *probe;          /* of one order, or NULL                       */
};

/* Of what is sent at time_ns. */
static int64_t arrival(const struct tw_simulator *s, const struct tw_latency *l,
                       const struct tw_order *o, enum tw_transit_kind what,
                       int64_t time_ns)
{
    return time_ns + tw_latency_of(l, s->o.seed, o->number,
                                   (unsigned)what + 8 * o->requests);
}

const struct tw_market *tw_simulator_market(const struct tw_simulator *s,
                                            uint32_t symbol)
{
    const struct tw_live_symbol *at = tw_live_orders_seen(&s->orders, symbol);

    return at && at->market.kind ? &at->market : NULL;
}

int64_t tw_simulator_price(const struct tw_simulator *s, uint32_t symbol)
{
    const struct tw_live_symbol *at = tw_live_orders_seen(&s->orders, symbol);

    return at ? tw_market_price(&at->market) : 0;
}

bool tw_simulator_goes_by_none(const struct tw_simulator *s)
{
    return s->passes && s->matches == 0;
}

/* ---- reports ---- */

static void tell(struct tw_simulator *s, struct tw_order *o, struct tw_report r)
{
    struct tw_live *l = (struct tw_live *)o->resting;

    r.order = o->id;
    r.seq = s->seq;
    s->report(s->ctx, o, &r);
    if (!l || tw_order_is_open(o)) return;
    tw_live_orders_bury(&s->orders, l);
    o->resting = NULL;
}

void tw_simulator_end(struct tw_simulator *s, struct tw_order *o,
                      enum tw_exec_type exec, enum tw_reason reason, int64_t time_ns)
{
    if (!tw_order_is_open(o)) return;
    tell(s, o, (struct tw_report){ .exec = (uint8_t)exec, .reason = (uint8_t)reason,
                                   .time_ns = time_ns });
}

/* One of a group has traded: of the others no more is left than of it. */
static void reduce_group(struct tw_simulator *s, const struct tw_live_group *group,
                         const struct tw_order *o, int64_t time_ns)
{
    int64_t leaves = tw_order_leaves_others(o);
    struct tw_live *next;

    for (struct tw_live *l = group->first; l; l = next) {
        struct tw_order *other = l->r.order;

        next = l->next;
        if (other == o) continue;
        if (s->probe && (leaves == 0 || tw_order_leaves(other) > leaves))
            tw_probe_group(s->probe, other, o);
        if (leaves <= 0)
            tw_simulator_end(s, other, TW_EXEC_CANCELED, TW_REASON_OCO, time_ns);
        else if (tw_order_leaves(other) > leaves)
            tell(s, other, (struct tw_report){ .exec = TW_EXEC_REPLACED,
                .reason = TW_REASON_OCO, .quantity = other->cum_qty + leaves,
                .price = other->price, .stop = other->stop, .time_ns = time_ns });
    }
}

void tw_simulator_resize(struct tw_simulator *s, struct tw_order *o, int64_t quantity,
                         int64_t time_ns)
{
    if (tw_order_is_open(o) && quantity > o->cum_qty)
        tell(s, o, (struct tw_report){ .exec = TW_EXEC_REPLACED, .quantity = quantity,
            .price = o->price, .stop = o->stop, .time_ns = time_ns });
}

/* ---- matching ---- */

/* When the record opened.  A bar over the opening that the order is for opened then, if
 * nothing of the symbol came right before it. */
static int64_t opened(const struct tw_live *l, const struct tw_market *m)
{
    int64_t at = tw_market_opened(m, l->r.order->terms);

    return at < l->from_ns && l->from_ns < m->time_ns && (m->is_first || m->is_day)
         ? l->from_ns : at;
}

/* S1, F4, and the times that its time in force allows. */
static bool may_trade(const struct tw_live *l, const struct tw_market *m)
{
    int64_t at = opened(l, m);

    return !l->dead && l->r.arrived && l->r.arrives_ns <= at
        && tw_market_serves(m, l->r.order->side == TW_SIDE_BUY)
        && m->seq > l->r.order->seq && at >= l->from_ns
        && l->r.order->tif != TW_TIF_CLS;
}

/* An exit is for all that its entry has traded, with this record too. */
static void trade(struct tw_simulator *s, struct tw_live_symbol *at, struct tw_live *l,
                  enum tw_fill_model model, const struct tw_fill *f)
{
    struct tw_order *o = l->r.order;
    int64_t price = tw_fill_price(&s->o.slippage, o, &at->market, f);
    struct tw_live_group *group = l->group;
    bool alone = group && group->first == l && !l->next;
    int64_t wanted = tw_order_wanted(o);

    tw_fill_took(model, &at->market, &l->r, f);
    if (wanted > o->quantity) tw_simulator_resize(s, o, wanted, at->market.time_ns);
    tell(s, o, (struct tw_report){ .exec = TW_EXEC_TRADE, .time_ns = at->market.time_ns,
                                   .last_px = price, .last_qty = f->quantity,
                                   .liquidity = (uint8_t)f->liquidity });
    if (group && !alone) reduce_group(s, group, o, at->market.time_ns);
}

/* What cannot wait goes after its first look. */
static void end_look(struct tw_simulator *s, struct tw_live *l, int64_t time_ns)
{
    struct tw_order *o = l->r.order;

    if (o->tif == TW_TIF_IOC)
        tw_simulator_end(s, o, TW_EXEC_CANCELED, TW_REASON_IOC, time_ns);
    else if (o->tif == TW_TIF_FOK)
        tw_simulator_end(s, o, TW_EXEC_CANCELED, TW_REASON_FOK, time_ns);
    else if (o->tif == TW_TIF_OPG)
        tw_simulator_end(s, o, TW_EXEC_EXPIRED, TW_REASON_NONE, time_ns);
}

static bool is_immediate(const struct tw_order *o)
{
    return o->tif == TW_TIF_IOC || o->tif == TW_TIF_FOK;
}

/* Of what would trade, what its owner has room for; a part of the equity becomes a
 * quantity here. */
static void make_room(struct tw_simulator *s, struct tw_live_symbol *at,
                      struct tw_order *o, struct tw_fill *f)
{
    int64_t price = tw_fill_price(&s->o.slippage, o, &at->market, f);
    int64_t time_ns = at->market.time_ns, room;

    if (!s->room || !(o->reduce_only || (o->part && !o->sized))) return;
    room = s->room(s->ctx, o, price);
    if (s->probe) tw_probe_room(s->probe, o, time_ns, price, room);
    if (room == 0) {
        tw_simulator_end(s, o, TW_EXEC_CANCELED,
                         o->reduce_only ? TW_REASON_REDUCE_ONLY
                                        : TW_REASON_BUYING_POWER, time_ns);
    } else if (o->part && !o->sized) {
        o->sized = true;
        if (f->quantity == tw_order_leaves(o)) f->quantity = room;   /* all that comes */
        tell(s, o, (struct tw_report){ .exec = TW_EXEC_REPLACED, .quantity = room,
            .price = o->price, .stop = o->stop, .time_ns = time_ns });
    }
    if (f->quantity > room) f->quantity = room;
}

/* A share of a volume in whole lots; false: it is less than one. */
static bool take_lots(const struct tw_order *o, struct tw_fill *f)
{
    int64_t lot = o->terms ? o->terms->lot : 0;

    if (lot > 1 && f->quantity < tw_order_leaves(o)) f->quantity -= f->quantity % lot;
    return f->quantity > 0;
}

/* It is for the open of a bar alone, which is worse than its limit. */
static bool misses_open(const struct tw_order *o, const struct tw_market *m)
{
    return o->tif == TW_TIF_OPG && o->type == TW_TYPE_LIMIT && m->kind == TW_BAR
        && tw_order_sign(o) * (o->price - m->bar.open) < 0;
}

static void look(struct tw_simulator *s, struct tw_live_symbol *at, struct tw_live *l,
                 enum tw_fill_model model, int64_t triggered)
{
    struct tw_order *o = l->r.order;
    struct tw_fill f;
    bool trades = !misses_open(o, &at->market)
               && tw_fill_look(model, &at->market, &l->r, triggered, &f)
               && (model != TW_FILL_VOLUME || take_lots(o, &f));

    if (trades && is_immediate(o) && f.liquidity == TW_LIQUIDITY_ADDED) trades = false;
    if (s->probe)
        tw_probe_look(s->probe, &at->market, &l->r, model, triggered, trades ? &f : NULL);
    if (tw_fill_passes(model, &at->market, &l->r)) return;
    if (trades) make_room(s, at, o, &f);
    if (o->post_only && !l->r.rests && !tw_live_is_stop(&l->r))
        tw_simulator_end(s, o, TW_EXEC_CANCELED, TW_REASON_POST_ONLY, at->market.time_ns);
    else if (trades && f.quantity > 0 && !l->dead
             && (o->tif != TW_TIF_FOK || f.quantity == tw_order_leaves(o)))
        trade(s, at, l, model, &f);
    if (!l->dead) end_look(s, l, at->market.time_ns);
}

/* The end of its session, at a price of which all is known. */
static void trade_close(struct tw_simulator *s, struct tw_live_symbol *at,
                        struct tw_live *l)
{
    struct tw_order *o = l->r.order;
    const struct tw_market *m = &at->market;
    bool buys = o->side == TW_SIDE_BUY;
    struct tw_fill f = { .quantity = tw_order_leaves(o),
                         .liquidity = TW_LIQUIDITY_REMOVED };

    if (m->seq > o->seq && m->time_ns >= l->r.arrives_ns && m->began_ns < l->ends_ns)
        f.price = m->kind == TW_QUOTE ? buys ? m->ask : m->bid
                                      : tw_market_last(m, buys);
    if (s->probe) tw_probe_close(s->probe, m, &l->r, f.price);
    if (f.price != 0
        && (o->type != TW_TYPE_LIMIT
            || (buys ? f.price <= o->price : f.price >= o->price)))
        trade(s, at, l, TW_FILL_TOUCH, &f);
}

/* Its session, or its time. */
static void end_session(struct tw_simulator *s, struct tw_live *l)
{
    struct tw_order *o = l->r.order;

    if (o->tif == TW_TIF_CLS) trade_close(s, s->orders.symbols[o->symbol], l);
    if (!l->dead) tw_simulator_end(s, o, TW_EXEC_EXPIRED, TW_REASON_NONE, l->ends_ns);
}

/* What ends with the record; before it, all has ended. */
static void end_due(struct tw_simulator *s, const struct tw_record *r)
{
    struct tw_live *l;

    tw_live_touch(&s->orders.ends, r->time, r->symbol, &s->orders.touched);
    while ((l = tw_live_pop(&s->orders.touched, TW_LIVE_TOUCHED)) != NULL)
        if (!l->dead) end_session(s, l);
}

/* The prices of a record as they are for a side, the lowest and the highest; false: there
 * are none. */
static bool reach(const struct tw_market *m, enum tw_fill_model model, bool buys,
                  int64_t *low, int64_t *high)
{
    int64_t other;

    *low = *high = m->kind == TW_QUOTE ? buys ? m->ask : m->bid : m->last;
    if (!tw_market_serves(m, buys)) return false;
    if (m->kind == TW_BAR) {
        *low = m->bar.low < m->bar.open ? m->bar.low : m->bar.open;
        *high = m->bar.high > m->bar.open ? m->bar.high : m->bar.open;
    } else if (m->kind == TW_QUOTE && model == TW_FILL_QUEUE) {
        other = buys ? m->bid : m->ask;         /* where it stands in line */
        if (other && (!*low || other < *low)) *low = other;
        if (other && other > *high) *high = other;
    }
    return m->kind != TW_QUOTE || *low != 0;
}

static void touch(struct tw_simulator *s, const struct tw_live_symbol *at,
                  const struct tw_live_heap side[2], int64_t buys, int64_t sells)
{
    tw_live_touch(&side[0], buys, at->id, &s->orders.touched);
    tw_live_touch(&side[1], sells, at->id, &s->orders.touched);
}

/* The order that is asked about, while it is here. */
static struct tw_live *probed(const struct tw_simulator *s)
{
    return s->probe && s->probe->live ? (struct tw_live *)s->probe->live->resting : NULL;
}

/* It is looked at in any case, where it is among them. */
static TW_APART void touch_asked(struct tw_simulator *s,
                                 const struct tw_live_heap side[2], int64_t buys,
                                 int64_t sells)
{
    struct tw_live *l = probed(s);
    bool sell = l && l->heap == &side[1];

    if (l && l->heap == &side[sell]
        && l->heap->item[l->at[TW_LIVE_PRICE]].key > (sell ? sells : buys))
        tw_live_put(&s->orders.touched, TW_LIVE_TOUCHED, (int64_t)l->rank, 0, l);
}

/* Why the record is not for the order that is asked about. */
static void probe_passed(struct tw_simulator *s, const struct tw_live_symbol *at,
                         bool applies, enum tw_fill_model model)
{
    const struct tw_market *m = &at->market;
    const struct tw_live *l = probed(s);
    const struct tw_order *o;

    tw_probe_record(s->probe, m);
    if (!l || l->r.order->symbol != at->id || (applies && may_trade(l, m))) return;
    o = l->r.order;
    tw_probe_pass(s->probe, m, &l->r, model,
                  m->seq <= o->seq ? TW_VERDICT_SAME
                  : !l->r.arrived || l->r.arrives_ns > opened(l, m) ? TW_VERDICT_NOT_THERE
                  : !tw_market_serves(m, o->side == TW_SIDE_BUY) ? TW_VERDICT_SIDE
                  : opened(l, m) < l->from_ns ? TW_VERDICT_BEFORE_OPEN
                  : o->tif == TW_TIF_CLS ? TW_VERDICT_BEFORE_CLOSE
                                         : TW_VERDICT_KIND);
}

static void match_stops(struct tw_simulator *s, struct tw_live_symbol *at,
                        enum tw_fill_model model)
{
    struct tw_market *m = &at->market;
    struct tw_live *l;
    int64_t price;
    bool triggers;

    while ((l = tw_live_pop(&s->orders.touched, TW_LIVE_TOUCHED)) != NULL) {
        if (!may_trade(l, m)) continue;
        l->tried = s->matches;
        triggers = tw_fill_triggers(model, m, &l->r, &price);
        if (s->probe) tw_probe_trigger(s->probe, m, &l->r, model, triggers, price);
        if (!triggers) continue;
        l->r.triggered = true;
        look(s, at, l, model, price);
        if (!l->dead) tw_live_orders_place(&s->orders, l);
    }
}

static void match_others(struct tw_simulator *s, struct tw_live_symbol *at,
                         enum tw_fill_model model)
{
    struct tw_market *m = &at->market;
    struct tw_live *l;

    while ((l = tw_live_pop(&s->orders.touched, TW_LIVE_TOUCHED)) != NULL) {
        if (!may_trade(l, m) || l->tried == s->matches) continue;
        look(s, at, l, model, 0);
        if (!l->dead) tw_live_orders_place(&s->orders, l);
    }
}

/* The stops that follow the prices, from `low` for buys, `high` for sells. */
static void move_trails(struct tw_simulator *s, struct tw_live_symbol *at, int64_t low,
                        int64_t high)
{
    const struct tw_market *m = &at->market;
    struct tw_live *l;

    if (m->kind == TW_BAR && m->last < low) low = m->last;
    if (m->kind == TW_BAR && m->last > high) high = m->last;
    touch(s, at, at->stops, INT64_MIN, INT64_MIN);      /* without a price yet */
    touch(s, at, at->trails, -low - 1, high - 1);
    while ((l = tw_live_pop(&s->orders.touched, TW_LIVE_TOUCHED)) != NULL) {
        if (l->r.order->type != TW_TYPE_TRAILING_STOP || tw_live_key(l) == INT64_MAX
            || !tw_market_serves(m, l->r.order->side == TW_SIDE_BUY))
            continue;
        tw_fill_trail(m, &l->r);
        if (s->probe) tw_probe_trail(s->probe, m, &l->r);
        tw_live_orders_place(&s->orders, l);
    }
}

static TW_APART void match(struct tw_simulator *s, struct tw_live_symbol *at)
{
    struct tw_market *m = &at->market;
    enum tw_fill_model model;
    bool applies = tw_fill_applies(s->o.model, m, &model);
    int64_t low[2], high[2], key[2];
    bool buys, sells;

    if (s->probe) probe_passed(s, at, applies, model);
    if (!applies) {
        s->passes = true;
        return;
    }
    buys = reach(m, model, true, &low[0], &high[0]);
    sells = reach(m, model, false, &low[1], &high[1]);
    s->matches++;
    key[0] = buys ? high[0] : INT64_MIN;
    key[1] = sells ? -low[1] : INT64_MIN;
    touch(s, at, at->stops, key[0], key[1]);
    if (s->probe) touch_asked(s, at->stops, key[0], key[1]);
    match_stops(s, at, model);                          /* S2: stops first */
    key[0] = buys ? -low[0] : INT64_MIN;
    key[1] = sells ? high[1] : INT64_MIN;
    touch(s, at, at->others, key[0], key[1]);
    if (s->probe) touch_asked(s, at->others, key[0], key[1]);
    match_others(s, at, model);
    move_trails(s, at, buys ? low[0] : INT64_MAX, sells ? high[1] : INT64_MIN + 1);
}

/* ---- requests that arrive ---- */

/* The session that time_ns is in, or else the next one.  A bar of a day stands for the
 * session of that day, which ends with it: at midnights of the calendar's zone, of which
 * some are 23 or 25 hours apart, where the last bar ended at one; else all 24 hours. */
static bool find_session(const struct tw_simulator *s, const struct tw_order *o,
                         int64_t time_ns, struct tw_session *out)
{
    const struct tw_calendar *c = o->terms ? o->terms->calendar : NULL;
    const struct tw_market *m = &s->orders.symbols[o->symbol]->market;
    int64_t end_ns = m->is_day ? m->time_ns : m->kind == 0 ? s->day_ns : 0, over;

    if (!tw_calendar_session(c, time_ns, out)) return false;
    if (end_ns == 0) return true;
    if (c && end_ns % TW_DAY_NS != 0 && tw_calendar_midnight(c, end_ns) == end_ns) {
        out->close_ns = tw_calendar_midnight(c, out->close_ns);
        out->open_ns = tw_calendar_midnight(c, out->close_ns - TW_DAY_NS / 12 * 13);
    } else {
        over = (out->close_ns - end_ns) % TW_DAY_NS;
        if (over != 0) out->close_ns += over > 0 ? TW_DAY_NS - over : -over;
        out->open_ns = out->close_ns - TW_DAY_NS;
    }
    out->open_ns += c ? tw_calendar_opens(c) * TW_FIXED_ONE : 0;
    return true;
}

static void arrive(struct tw_simulator *s, const struct tw_transit_item *d)
{
    struct tw_order *o = d->order;
    struct tw_live *l = (struct tw_live *)o->resting;
    struct tw_live_symbol *at = s->orders.symbols[o->symbol];
    struct tw_session session;

    if (!l) return;                   /* it has ended on its way */
    l->r.arrived = true;
    tw_live_orders_to_tail(&s->orders, l);
    if (o->type == TW_TYPE_TRAILING_STOP) tw_fill_trail(&at->market, &l->r);
    tw_live_orders_place(&s->orders, l);
    tell(s, o, (struct tw_report){ .exec = TW_EXEC_NEW, .time_ns = d->time_ns });
    if (s->probe && o->type == TW_TYPE_TRAILING_STOP)
        tw_probe_stop(s->probe, &at->market, &l->r, d->time_ns);
    if (o->tif == TW_TIF_GTC || o->tif == TW_TIF_IOC || o->tif == TW_TIF_FOK) return;
    if (o->tif == TW_TIF_GTD) {
        session.close_ns = o->expire_ns > d->time_ns ? o->expire_ns : d->time_ns;
    } else if (!find_session(s, o, d->time_ns, &session)
               || (o->tif == TW_TIF_OPG && session.open_ns < d->time_ns
                   && !find_session(s, o, session.close_ns, &session))) {
        tw_simulator_end(s, o, TW_EXEC_EXPIRED, TW_REASON_CLOSED, d->time_ns);
        return;
    } else if (o->tif == TW_TIF_OPG) {
        l->from_ns = session.open_ns;
    }
    tw_live_orders_set_end(&s->orders, l, session.close_ns);
}

static void replace(struct tw_simulator *s, const struct tw_transit_item *d)
{
    struct tw_order *o = d->order;
    struct tw_live *l = (struct tw_live *)o->resting;
    int64_t quantity = d->quantity ? d->quantity : o->quantity;
    int64_t price = d->price ? d->price : o->price;
    bool loses_place = price != o->price || quantity > o->quantity;

    if (quantity <= o->cum_qty) {
        tell(s, o, (struct tw_report){ .exec = TW_EXEC_CANCEL_REJECTED,
                                       .reason = TW_REASON_TOO_LATE, .of_change = true,
                                       .time_ns = d->time_ns });
        return;
    }
    if (d->stop) l->r.stop = d->stop;     /* one that follows stays where it is */
    if (d->quantity) o->sized = true;
    if (loses_place) {
        l->r.ahead = -1;
        l->r.rests = false;
        l->r.arrives_ns = d->time_ns;
        tw_live_orders_to_tail(&s->orders, l);
    }
    tell(s, o, (struct tw_report){ .exec = TW_EXEC_REPLACED, .quantity = quantity,
                                   .price = price, .stop = d->stop ? d->stop : o->stop,
                                   .time_ns = d->time_ns });
    if (!l->dead) tw_live_orders_place(&s->orders, l);
}

static void happen(struct tw_simulator *s, const struct tw_transit_item *d)
{
    struct tw_order *o = d->order;

    if (d->what == TW_TRANSIT_SUBMIT) {
        arrive(s, d);
    } else if (!tw_order_is_open(o)) {
        tell(s, o, (struct tw_report){ .exec = TW_EXEC_CANCEL_REJECTED,
                                       .reason = TW_REASON_TOO_LATE,
                                       .time_ns = d->time_ns });
    } else if (d->what == TW_TRANSIT_CANCEL) {
        tw_simulator_end(s, o, TW_EXEC_CANCELED, TW_REASON_NONE, d->time_ns);
    } else {
        replace(s, d);
    }
    tw_live_orders_sweep(&s->orders);
}

/* All that is due before the record, in its order. */
static TW_APART void advance(struct tw_simulator *s, int64_t time_ns)
{
    for (;;) {
        bool request = tw_transit_next_ns(&s->transit) <= time_ns;
        int64_t end_ns = s->orders.ends.n > 0 ? s->orders.ends.item[0].key : INT64_MAX;

        if (end_ns < time_ns && (!request || end_ns < tw_transit_next_ns(&s->transit))) {
            end_session(s, s->orders.ends.item[0].live);
            tw_live_orders_sweep(&s->orders);
        } else if (request) {
            struct tw_transit_item d = tw_transit_take(&s->transit);

            happen(s, &d);
        } else {
            return;
        }
    }
}

int tw_simulator_record(struct tw_simulator *s, const struct tw_record *r)
{
    bool is_market = r->kind == TW_QUOTE || r->kind == TW_TRADE || r->kind == TW_BAR;
    struct tw_live_symbol *at = is_market ? tw_live_orders_symbol(&s->orders, r->symbol)
                                          : NULL;
    int64_t share = s->o.model == TW_FILL_VOLUME && s->o.share ? s->o.share
                                                              : TW_FIXED_ONE;

    if (is_market && !at) return UV_ENOMEM;
    s->seq = r->seq;
    s->day_ns = tw_bar_is_day(r) ? r->time : 0;
    if (s->orders.ends.n > 0 || tw_transit_next_ns(&s->transit) <= r->time)
        advance(s, r->time);
    if (at) {
        tw_market_take(&at->market, r, share);
        if (at->n > 0) {
            match(s, at);
            end_due(s, r);
            tw_live_orders_sweep(&s->orders);
        }
    }
    s->seq = 0;
    return TW_OK;
}

/* ---- requests ---- */

int tw_simulator_reserve(struct tw_simulator *s, const struct tw_order *o)
{
    if (tw_transit_reserve(&s->transit, 1) < 0) return UV_ENOMEM;
    return tw_live_orders_reserve(&s->orders, o);
}

size_t tw_simulator_bytes(const struct tw_simulator *s)
{
    return sizeof *s + tw_live_orders_bytes(&s->orders)
        + s->transit.room * sizeof *s->transit.item;
}

int tw_simulator_submit(struct tw_simulator *s, struct tw_order *o)
{
    int64_t arrives_ns = arrival(s, &s->o.submit, o, TW_TRANSIT_SUBMIT, o->time_ns);

    if (tw_transit_reserve(&s->transit, 1) < 0
        || !tw_live_orders_add(&s->orders, o, arrives_ns))
        return UV_ENOMEM;
    tw_transit_add(&s->transit, (struct tw_transit_item){
        .what = TW_TRANSIT_SUBMIT, .order = o, .time_ns = arrives_ns });
    if (s->probe)
        tw_probe_request(s->probe, o, TW_STEP_SENT, o->time_ns, arrives_ns, NULL);
    return TW_OK;
}

int tw_simulator_cancel(struct tw_simulator *s, struct tw_order *o, int64_t time_ns)
{
    int64_t arrives_ns = arrival(s, &s->o.cancel, o, TW_TRANSIT_CANCEL, time_ns);

    if (tw_transit_reserve(&s->transit, 1) < 0) return UV_ENOMEM;
    tw_transit_add(&s->transit, (struct tw_transit_item){
        .what = TW_TRANSIT_CANCEL, .order = o, .time_ns = arrives_ns });
    if (s->probe)
        tw_probe_request(s->probe, o, TW_STEP_CANCEL, time_ns, arrives_ns, NULL);
    return TW_OK;
}

int tw_simulator_replace(struct tw_simulator *s, struct tw_order *o, int64_t quantity,
                         int64_t price, int64_t stop, int64_t time_ns)
{
    int64_t arrives_ns = arrival(s, &s->o.submit, o, TW_TRANSIT_REPLACE, time_ns);
    struct tw_report terms = { .quantity = quantity, .price = price, .stop = stop };

    if (tw_transit_reserve(&s->transit, 1) < 0) return UV_ENOMEM;
    tw_transit_add(&s->transit, (struct tw_transit_item){
        .what = TW_TRANSIT_REPLACE, .order = o, .quantity = quantity, .price = price,
        .stop = stop, .time_ns = arrives_ns });
    if (s->probe)
        tw_probe_request(s->probe, o, TW_STEP_REPLACE, time_ns, arrives_ns, &terms);
    return TW_OK;
}

/* All is as much later, so its order stays. */
void tw_simulator_begin(struct tw_simulator *s, int64_t now_ns)
{
    for (size_t i = 0; i < s->transit.n; i++) {
        struct tw_transit_item *d = &s->transit.item[i];
        struct tw_live *l = (struct tw_live *)d->order->resting;

        d->time_ns += now_ns;
        if (d->what == TW_TRANSIT_SUBMIT && l) l->r.arrives_ns = d->time_ns;
    }
}

/* ---- all of it ---- */

void tw_simulator_probe(struct tw_simulator *s, struct tw_probe *p)
{
    s->probe = p;
}

struct tw_simulator *tw_simulator_new(const struct tw_simulator_options *options,
                                      void (*report)(void *ctx, struct tw_order *o,
                                                     const struct tw_report *r),
                                      int64_t (*room)(void *ctx,
                                                      const struct tw_order *o,
                                                      int64_t price),
                                      void *ctx)
{
    struct tw_simulator *s = tw_calloc(1, sizeof *s);

    if (!s) return NULL;
    s->o = *options;
    s->report = report;
    s->room = room;
    s->ctx = ctx;
    return s;
}

int tw_simulator_adopt(struct tw_simulator *s, const struct tw_simulator *from,
                       tw_order_copy *copy, void *ctx)
{
    s->matches = from->matches;
    if (tw_live_orders_adopt(&s->orders, &from->orders, copy, ctx) < 0) return UV_ENOMEM;
    if (tw_transit_reserve(&s->transit, from->transit.n) < 0) return UV_ENOMEM;
    for (size_t r = 0; r < from->transit.n; r++) {
        s->transit.item[r] = from->transit.item[r];
        s->transit.item[r].order = copy(ctx, from->transit.item[r].order);
    }
    s->transit.n = from->transit.n;
    s->transit.serial = from->transit.serial;
    return TW_OK;
}

void tw_simulator_free(struct tw_simulator *s)
{
    if (!s) return;
    tw_live_orders_fini(&s->orders);
    tw_free(s->transit.item);
    tw_free(s);
}
