/* simulator.c - arrivals, ends of sessions, and matching with records. */
#include "trade/simulator.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "trade/terms.h"

enum what { ARRIVE, CANCEL, REPLACE };

/* A request on its way. */
struct due {
    int64_t time_ns;
    uint64_t serial;                 /* first come, first served                    */
    enum what what;
    struct tw_order *order;
    int64_t quantity, price, stop;   /* REPLACE                                     */
};

/* An order at the venue, or on its way to it; o->resting. */
struct live {
    struct tw_resting r;             /* first: it is found by that                  */
    struct live *next;               /* of its symbol, in the order of arrival      */
    int64_t from_ns;                 /* OPG: the open that it is for                */
    int64_t ends_ns;                 /* INT64_MAX: never                            */
    bool dead, tried;                /* it has ended: to be freed; looked at already */
};

struct symbol {
    struct tw_market market;
    struct live *first, **last;
    bool has_dead;
};

struct tw_simulator {
    struct tw_simulator_options o;
    void (*report)(void *ctx, struct tw_order *o, const struct tw_report *r);
    int64_t (*room)(void *ctx, const struct tw_order *o, int64_t price);
    void *ctx;
    struct symbol **symbols;         /* by id; NULL: not seen                       */
    size_t n_symbols;
    struct due *due;                 /* a heap, the first at 0                      */
    size_t n_due, room_due;
    uint64_t serial;
    int64_t next_end_ns;             /* no order ends before                        */
    uint64_t seq;                    /* of the record that is taken, or 0           */
};

/* ---- chance ---- */

static uint64_t hash(uint64_t seed, uint64_t id, unsigned which)
{
    uint64_t z = seed + id * UINT64_C(0x9e3779b97f4a7c15) + which + 1;

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int64_t latency(const struct tw_simulator *s, const struct tw_latency *l,
                       const struct tw_order *o, enum what what)
{
    uint64_t h;

    if (l->kind == TW_LATENCY_CONSTANT) return l->min_ns;
    h = hash(s->o.seed, o->id - s->o.first_id, (unsigned)what + 8 * o->requests);
    if (l->kind == TW_LATENCY_MEASURED) return l->n ? l->list[h % l->n] : 0;
    return l->min_ns + (int64_t)(h % (uint64_t)(l->max_ns - l->min_ns + 1));
}

/* ---- what is due ---- */

static bool comes_before(const struct due *a, const struct due *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->serial < b->serial;
}

/* Room for one more. */
static int reserve(struct tw_simulator *s)
{
    size_t room = s->room_due ? 2 * s->room_due : 16;
    struct due *grown;

    if (s->n_due < s->room_due) return TW_OK;
    grown = tw_realloc(s->due, room * sizeof *grown);
    if (!grown) return UV_ENOMEM;
    s->due = grown;
    s->room_due = room;
    return TW_OK;
}

/* There is room. */
static void add(struct tw_simulator *s, struct due d)
{
    size_t at = s->n_due++;

    d.serial = ++s->serial;
    d.order->requests++;
    for (; at > 0 && comes_before(&d, &s->due[(at - 1) / 2]); at = (at - 1) / 2)
        s->due[at] = s->due[(at - 1) / 2];
    s->due[at] = d;
}

static struct due take(struct tw_simulator *s)
{
    struct due first = s->due[0], last = s->due[--s->n_due];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < s->n_due) {
        if (child + 1 < s->n_due && comes_before(&s->due[child + 1], &s->due[child]))
            child++;
        if (!comes_before(&s->due[child], &last)) break;
        s->due[at] = s->due[child];
        at = child;
    }
    s->due[at] = last;
    first.order->requests--;
    return first;
}

/* ---- symbols ---- */

static struct symbol *symbol_of(struct tw_simulator *s, uint32_t id)
{
    if (id >= s->n_symbols) {
        size_t n = (size_t)id + 64;
        struct symbol **grown = tw_realloc(s->symbols, n * sizeof *grown);

        if (!grown) return NULL;
        memset(grown + s->n_symbols, 0, (n - s->n_symbols) * sizeof *grown);
        s->symbols = grown;
        s->n_symbols = n;
    }
    if (!s->symbols[id]) {
        struct symbol *made = tw_calloc(1, sizeof *made);

        if (!made) return NULL;
        made->last = &made->first;
        s->symbols[id] = made;
    }
    return s->symbols[id];
}

const struct tw_market *tw_simulator_market(const struct tw_simulator *s,
                                            uint32_t symbol)
{
    const struct symbol *at = symbol < s->n_symbols ? s->symbols[symbol] : NULL;

    return at && at->market.kind ? &at->market : NULL;
}

/* Behind all others, now that it has arrived. */
static void to_tail(struct symbol *at, struct live *l)
{
    struct live **link = &at->first;

    if (!l->next) return;
    while (*link != l) link = &(*link)->next;
    *link = l->next;
    l->next = NULL;
    *at->last = l;
    at->last = &l->next;
}

static void sweep(struct symbol *at)
{
    if (!at->has_dead) return;
    at->has_dead = false;
    at->last = &at->first;
    while (*at->last) {
        struct live *l = *at->last;

        if (l->dead) {
            *at->last = l->next;
            tw_free(l);
        } else {
            at->last = &l->next;
        }
    }
}

/* ---- reports ---- */

static void tell(struct tw_simulator *s, struct tw_order *o, struct tw_report r)
{
    struct live *l = (struct live *)o->resting;

    r.order = o->id;
    r.seq = s->seq;
    s->report(s->ctx, o, &r);
    if (!l || tw_order_is_open(o)) return;
    l->dead = s->symbols[o->symbol]->has_dead = true;
    o->resting = NULL;
}

static void end(struct tw_simulator *s, struct tw_order *o, enum tw_exec_type exec,
                enum tw_reason reason, int64_t time_ns)
{
    if (!tw_order_is_open(o)) return;
    tell(s, o, (struct tw_report){ .exec = (uint8_t)exec, .reason = (uint8_t)reason,
                                   .time_ns = time_ns });
}

void tw_simulator_end(struct tw_simulator *s, struct tw_order *o,
                      enum tw_exec_type exec, enum tw_reason reason, int64_t time_ns)
{
    if (!tw_order_is_open(o)) return;
    end(s, o, exec, reason, time_ns);
    sweep(s->symbols[o->symbol]);
}

/* One of a group has traded: of the others no more is left than of it. */
static void reduce_group(struct tw_simulator *s, struct symbol *at,
                         const struct tw_order *o, int64_t time_ns)
{
    int64_t leaves = tw_order_leaves(o);

    for (struct live *l = at->first; l; l = l->next) {
        struct tw_order *other = l->r.order;

        if (l->dead || other == o || other->group != o->group) continue;
        if (leaves == 0)
            end(s, other, TW_EXEC_CANCELED, TW_REASON_OCO, time_ns);
        else if (tw_order_leaves(other) > leaves)
            tell(s, other, (struct tw_report){ .exec = TW_EXEC_REPLACED,
                .reason = TW_REASON_OCO, .quantity = other->cum_qty + leaves,
                .price = other->price, .stop = other->stop, .time_ns = time_ns });
    }
}

/* ---- matching ---- */

static bool is_stop(const struct tw_resting *r)
{
    return r->order->type >= TW_TYPE_STOP && !r->triggered;   /* 3, 4 and P */
}

/* S1, and the times that its time in force allows. */
static bool may_trade(const struct live *l, const struct tw_market *m)
{
    return !l->dead && l->r.arrived && l->r.arrives_ns <= m->began_ns
        && m->seq > l->r.order->seq && m->began_ns >= l->from_ns
        && l->r.order->tif != TW_TIF_CLS;
}

static int64_t to_tick(int64_t v, int64_t tick)
{
    return tick > 1 ? (v + tick / 2) / tick * tick : v;
}

/* Against the order, in whole ticks. */
static int64_t slipped(const struct tw_simulator *s, const struct tw_order *o,
                       const struct tw_market *m, const struct tw_fill *f)
{
    const struct tw_slippage *p = &s->o.slippage;
    int64_t tick = o->terms ? o->terms->tick : 0, by = p->ticks * tick, shown;

    if (f->liquidity != TW_LIQUIDITY_REMOVED || o->type == TW_TYPE_LIMIT
        || o->type == TW_TYPE_STOP_LIMIT)
        return f->price;
    if (p->bps)
        by += to_tick((int64_t)tw_money_ratio(f->price, p->bps, 10000 * TW_FIXED_ONE),
                      tick);
    shown = m->kind == TW_QUOTE ? o->side == TW_SIDE_BUY ? m->ask_size : m->bid_size
                                : m->last_size;
    if (p->impact && shown > 0) {
        tw_money share = tw_money_ratio(f->quantity, TW_FIXED_ONE, shown);

        share = tw_money_ratio(share, (int64_t)share, TW_FIXED_ONE);
        share = tw_money_ratio(share, p->impact, TW_FIXED_ONE);
        by += to_tick((int64_t)tw_money_ratio(share, f->price, TW_FIXED_ONE), tick);
    }
    return f->price + tw_order_sign(o) * by;
}

static void trade(struct tw_simulator *s, struct symbol *at, struct live *l,
                  enum tw_fill_model model, const struct tw_fill *f)
{
    struct tw_order *o = l->r.order;
    int64_t price = slipped(s, o, &at->market, f);

    tw_fill_took(model, &at->market, &l->r, f);
    tell(s, o, (struct tw_report){ .exec = TW_EXEC_TRADE, .time_ns = at->market.time_ns,
                                   .last_px = price, .last_qty = f->quantity,
                                   .liquidity = (uint8_t)f->liquidity });
    if (o->group) reduce_group(s, at, o, at->market.time_ns);
}

/* What cannot wait goes after its first look. */
static void end_look(struct tw_simulator *s, struct live *l, int64_t time_ns)
{
    struct tw_order *o = l->r.order;

    if (is_stop(&l->r)) return;
    if (o->tif == TW_TIF_IOC)
        end(s, o, TW_EXEC_CANCELED, TW_REASON_IOC, time_ns);
    else if (o->tif == TW_TIF_FOK)
        end(s, o, TW_EXEC_CANCELED, TW_REASON_FOK, time_ns);
    else if (o->tif == TW_TIF_OPG)
        end(s, o, TW_EXEC_EXPIRED, TW_REASON_NONE, time_ns);
}

static bool is_immediate(const struct tw_order *o)
{
    return o->tif == TW_TIF_IOC || o->tif == TW_TIF_FOK;
}

/* Of what would trade, what its owner has room for; a part of the equity becomes a
 * quantity here. */
static void make_room(struct tw_simulator *s, struct symbol *at, struct tw_order *o,
                      struct tw_fill *f)
{
    int64_t price = slipped(s, o, &at->market, f), time_ns = at->market.time_ns, room;

    if (!s->room || !(o->reduce_only || (o->part && !o->sized))) return;
    room = s->room(s->ctx, o, price);
    if (room == 0) {
        end(s, o, TW_EXEC_CANCELED,
            o->reduce_only ? TW_REASON_REDUCE_ONLY : TW_REASON_BUYING_POWER, time_ns);
    } else if (o->part && !o->sized) {
        o->sized = true;
        if (f->quantity == tw_order_leaves(o)) f->quantity = room;   /* all that comes */
        tell(s, o, (struct tw_report){ .exec = TW_EXEC_REPLACED, .quantity = room,
            .price = o->price, .stop = o->stop, .time_ns = time_ns });
    }
    if (f->quantity > room) f->quantity = room;
}

static void look(struct tw_simulator *s, struct symbol *at, struct live *l,
                 enum tw_fill_model model, int64_t triggered)
{
    struct tw_order *o = l->r.order;
    struct tw_fill f;
    bool trades = tw_fill_look(model, &at->market, &l->r, triggered, &f);
    bool rests = trades && f.liquidity == TW_LIQUIDITY_ADDED;

    if (trades) make_room(s, at, o, &f);
    if (o->post_only && !l->r.rests && !is_stop(&l->r))
        end(s, o, TW_EXEC_CANCELED, TW_REASON_POST_ONLY, at->market.time_ns);
    else if (trades && f.quantity > 0 && !l->dead && !(rests && is_immediate(o))
             && (o->tif != TW_TIF_FOK || f.quantity == tw_order_leaves(o)))
        trade(s, at, l, model, &f);
    if (!l->dead) end_look(s, l, at->market.time_ns);
}

/* The end of its session, at a price of which all is known. */
static void trade_close(struct tw_simulator *s, struct symbol *at, struct live *l)
{
    struct tw_order *o = l->r.order;
    const struct tw_market *m = &at->market;
    bool buys = o->side == TW_SIDE_BUY;
    struct tw_fill f = { .quantity = tw_order_leaves(o),
                         .liquidity = TW_LIQUIDITY_REMOVED };

    f.price = m->kind == TW_QUOTE ? buys ? m->ask : m->bid : m->last;
    if (f.price != 0 && m->seq > o->seq && m->began_ns >= l->r.arrives_ns
        && m->began_ns < l->ends_ns
        && (o->type != TW_TYPE_LIMIT
            || (buys ? f.price <= o->price : f.price >= o->price)))
        trade(s, at, l, TW_FILL_TOUCH, &f);
}

/* What ends up to a time: before it, or with it. */
static void end_due(struct tw_simulator *s, struct symbol *at, int64_t time_ns)
{
    for (struct live *l = at->first; l; l = l->next) {
        struct tw_order *o = l->r.order;

        if (l->dead || !l->r.arrived || l->ends_ns > time_ns) continue;
        if (o->tif == TW_TIF_CLS) trade_close(s, at, l);
        if (!l->dead) end(s, o, TW_EXEC_EXPIRED, TW_REASON_NONE, l->ends_ns);
    }
    sweep(at);
}

static void match(struct tw_simulator *s, struct symbol *at)
{
    struct tw_market *m = &at->market;
    enum tw_fill_model model;
    int64_t price;

    if (!tw_fill_applies(s->o.model, m, &model)) return;
    for (struct live *l = at->first; l; l = l->next) {     /* S2: stops first */
        if (!may_trade(l, m) || !is_stop(&l->r)) continue;
        l->tried = true;
        if (tw_fill_triggers(model, m, &l->r, &price)) {
            l->r.triggered = true;
            look(s, at, l, model, price);
        }
    }
    for (struct live *l = at->first; l; l = l->next) {
        if (may_trade(l, m) && !l->tried) look(s, at, l, model, 0);
        if (!l->dead && l->r.order->type == TW_TYPE_TRAILING_STOP && !l->r.triggered
            && l->r.arrived)
            tw_fill_trail(m, &l->r);
        l->tried = false;
    }
}

/* ---- requests that arrive ---- */

static void arrive(struct tw_simulator *s, const struct due *d)
{
    struct tw_order *o = d->order;
    struct live *l = (struct live *)o->resting;
    struct symbol *at = s->symbols[o->symbol];
    const struct tw_calendar *calendar = o->terms ? o->terms->calendar : NULL;
    struct tw_session session;

    if (!l) return;                   /* it has ended on its way */
    l->r.arrived = true;
    to_tail(at, l);
    if (o->type == TW_TYPE_TRAILING_STOP) tw_fill_trail(&at->market, &l->r);
    tell(s, o, (struct tw_report){ .exec = TW_EXEC_NEW, .time_ns = d->time_ns });
    if (o->tif == TW_TIF_GTC || o->tif == TW_TIF_IOC || o->tif == TW_TIF_FOK) return;
    if (o->tif == TW_TIF_GTD) {
        l->ends_ns = o->expire_ns;
    } else if (!tw_calendar_session(calendar, d->time_ns, &session)
               || (o->tif == TW_TIF_OPG && session.open_ns < d->time_ns
                   && !tw_calendar_session(calendar, session.close_ns, &session))) {
        end(s, o, TW_EXEC_EXPIRED, TW_REASON_CLOSED, d->time_ns);
        return;
    } else {
        l->ends_ns = session.close_ns;
        if (o->tif == TW_TIF_OPG) l->from_ns = session.open_ns;
    }
    if (l->ends_ns < s->next_end_ns) s->next_end_ns = l->ends_ns;
}

static void replace(struct tw_simulator *s, const struct due *d)
{
    struct tw_order *o = d->order;
    struct live *l = (struct live *)o->resting;
    bool loses_place = d->price != o->price || d->quantity > o->quantity;

    if (d->quantity <= o->cum_qty) {
        tell(s, o, (struct tw_report){ .exec = TW_EXEC_CANCEL_REJECTED,
                                       .reason = TW_REASON_TOO_LATE,
                                       .time_ns = d->time_ns });
        return;
    }
    l->r.stop = d->stop;
    if (loses_place) {
        l->r.ahead = -1;
        l->r.rests = false;
        l->r.arrives_ns = d->time_ns;
        to_tail(s->symbols[o->symbol], l);
    }
    tell(s, o, (struct tw_report){ .exec = TW_EXEC_REPLACED, .quantity = d->quantity,
                                   .price = d->price, .stop = d->stop,
                                   .time_ns = d->time_ns });
}

static void happen(struct tw_simulator *s, const struct due *d)
{
    struct tw_order *o = d->order;

    if (d->what == ARRIVE) {
        arrive(s, d);
    } else if (!tw_order_is_open(o)) {
        tell(s, o, (struct tw_report){ .exec = TW_EXEC_CANCEL_REJECTED,
                                       .reason = TW_REASON_TOO_LATE,
                                       .time_ns = d->time_ns });
    } else if (d->what == CANCEL) {
        end(s, o, TW_EXEC_CANCELED, TW_REASON_NONE, d->time_ns);
    } else {
        replace(s, d);
    }
    sweep(s->symbols[o->symbol]);
}

/* Ends of sessions before a time, on all symbols. */
static void end_all(struct tw_simulator *s, int64_t time_ns)
{
    s->next_end_ns = INT64_MAX;
    for (size_t i = 0; i < s->n_symbols; i++) {
        if (!s->symbols[i] || !s->symbols[i]->first) continue;
        end_due(s, s->symbols[i], time_ns);
        for (struct live *l = s->symbols[i]->first; l; l = l->next)
            if (l->ends_ns < s->next_end_ns) s->next_end_ns = l->ends_ns;
    }
}

/* All that is due before the record, in its order. */
static void advance(struct tw_simulator *s, int64_t time_ns)
{
    for (;;) {
        bool request = s->n_due > 0 && s->due[0].time_ns <= time_ns;

        if (s->next_end_ns < time_ns
            && (!request || s->next_end_ns < s->due[0].time_ns)) {
            end_all(s, s->next_end_ns);
        } else if (request) {
            struct due d = take(s);

            happen(s, &d);
        } else {
            return;
        }
    }
}

void tw_simulator_resize(struct tw_simulator *s, struct tw_order *o, int64_t quantity,
                         int64_t time_ns)
{
    if (tw_order_is_open(o) && quantity > o->cum_qty)
        tell(s, o, (struct tw_report){ .exec = TW_EXEC_REPLACED, .quantity = quantity,
            .price = o->price, .stop = o->stop, .time_ns = time_ns });
}

int tw_simulator_record(struct tw_simulator *s, const struct tw_record *r)
{
    bool is_market = r->kind == TW_QUOTE || r->kind == TW_TRADE || r->kind == TW_BAR;
    struct symbol *at = is_market ? symbol_of(s, r->symbol) : NULL;
    int64_t share = s->o.model == TW_FILL_VOLUME && s->o.share ? s->o.share
                                                              : TW_FIXED_ONE;

    if (is_market && !at) return UV_ENOMEM;
    s->seq = r->seq;
    advance(s, r->time);
    if (at) {
        tw_market_take(&at->market, r, share);
        if (at->first) {
            match(s, at);
            end_due(s, at, r->time);
        }
    }
    s->seq = 0;
    return TW_OK;
}

/* ---- requests ---- */

int tw_simulator_submit(struct tw_simulator *s, struct tw_order *o)
{
    struct symbol *at = symbol_of(s, o->symbol);
    struct live *l = tw_calloc(1, sizeof *l);

    if (!at || !l || reserve(s) < 0) {
        tw_free(l);
        return UV_ENOMEM;
    }
    l->r.order = o;
    l->r.arrives_ns = o->time_ns + latency(s, &s->o.submit, o, ARRIVE);
    l->r.stop = o->stop;
    l->r.ahead = -1;
    l->from_ns = INT64_MIN;
    l->ends_ns = INT64_MAX;
    *at->last = l;
    at->last = &l->next;
    o->resting = &l->r;
    add(s, (struct due){ .what = ARRIVE, .order = o, .time_ns = l->r.arrives_ns });
    return TW_OK;
}

int tw_simulator_cancel(struct tw_simulator *s, struct tw_order *o, int64_t time_ns)
{
    if (reserve(s) < 0) return UV_ENOMEM;
    add(s, (struct due){ .what = CANCEL, .order = o,
                         .time_ns = time_ns + latency(s, &s->o.cancel, o, CANCEL) });
    return TW_OK;
}

int tw_simulator_replace(struct tw_simulator *s, struct tw_order *o, int64_t quantity,
                         int64_t price, int64_t stop, int64_t time_ns)
{
    if (reserve(s) < 0) return UV_ENOMEM;
    add(s, (struct due){ .what = REPLACE, .order = o, .quantity = quantity,
                         .price = price, .stop = stop,
                         .time_ns = time_ns + latency(s, &s->o.submit, o, REPLACE) });
    return TW_OK;
}

/* ---- all of it ---- */

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
    s->next_end_ns = INT64_MAX;
    return s;
}

void tw_simulator_free(struct tw_simulator *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n_symbols; i++) {
        struct live *next;

        if (!s->symbols[i]) continue;
        for (struct live *l = s->symbols[i]->first; l; l = next) {
            next = l->next;
            tw_free(l);
        }
        tw_free(s->symbols[i]);
    }
    tw_free(s->symbols);
    tw_free(s->due);
    tw_free(s);
}
