/* venue.c - requests that arrive, stops, groups, and what the market sees. */
#include "trade/venue.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "trade/venue_parts.h"

static struct tw_venue_order *find(const struct tw_venue *v, uint32_t owner, uint64_t id)
{
    return tw_venue_orders_find(&v->orders, owner, id);
}

/* ---- reports ---- */

static uint8_t status_after(const struct tw_venue_order *o, enum tw_exec_type exec)
{
    switch (exec) {
    case TW_EXEC_CANCELED: return TW_STATUS_CANCELED;
    case TW_EXEC_EXPIRED:  return TW_STATUS_EXPIRED;
    case TW_EXEC_REJECTED: return TW_STATUS_REJECTED;
    default:
        if (leaves(o) == 0) return TW_STATUS_FILLED;
        return o->filled ? TW_STATUS_PARTIALLY_FILLED : TW_STATUS_NEW;
    }
}

static void tell(struct tw_venue *v, const struct tw_venue_order *o, struct tw_report r,
                 bool answers)
{
    const struct tw_request *q = &o->arrival.q;

    r.order = q->id;
    r.time_ns = v->now_ns;
    v->l.report(v->l.ctx, &(struct tw_venue_report){
        .report = r, .owner = q->owner, .symbol = q->symbol, .side = q->side,
        .status = status_after(o, (enum tw_exec_type)r.exec), .answers = answers,
        .user = q->user });
}

void tw_venue_end(struct tw_venue *v, struct tw_venue_order *o, enum tw_exec_type exec,
                  enum tw_reason reason, bool answers)
{
    tell(v, o, (struct tw_report){ .exec = (uint8_t)exec, .reason = (uint8_t)reason },
         answers || !o->arrived);
    tw_venue_orders_drop(&v->orders, o);
}

void tw_venue_accept(struct tw_venue *v, const struct tw_venue_order *o)
{
    tell(v, o, (struct tw_report){ .exec = TW_EXEC_NEW }, true);
}

/* Its terms are others now. */
static void tell_terms(struct tw_venue *v, const struct tw_venue_order *o,
                       enum tw_reason reason, bool answers)
{
    tell(v, o, (struct tw_report){ .exec = TW_EXEC_REPLACED, .reason = (uint8_t)reason,
        .quantity = o->quantity, .price = o->price, .stop = o->stop }, answers);
}

static void refuse(struct tw_venue *v, const struct tw_request *q, enum tw_reason reason)
{
    v->l.report(v->l.ctx, &(struct tw_venue_report){
        .report = { .order = q->id, .exec = TW_EXEC_CANCEL_REJECTED,
                    .reason = (uint8_t)reason, .time_ns = v->now_ns,
                    .of_change = q->what == TW_REQUEST_REPLACE },
        .owner = q->owner, .symbol = q->symbol, .side = q->side,
        .answers = true, .user = q->user });
}

static struct tw_quote best(const struct tw_venue_symbol *s)
{
    struct tw_quote q = { 0 };
    unsigned n;

    tw_book_level(s->book, TW_SIDE_BUY, 0, &q.bid, &q.bid_size, &n);
    tw_book_level(s->book, TW_SIDE_SELL, 0, &q.ask, &q.ask_size, &n);
    return q;
}

/* ---- what is noted of the one order that is asked for ---- */

/* In an auction there is no best. */
void tw_venue_note(const struct tw_venue *v, const struct tw_venue_order *o,
                   struct tw_step step)
{
    const struct tw_request *q = &o->arrival.q;
    struct tw_quote now = { 0 };

    if (q->id != v->probe->id || q->owner != v->probed) return;
    if (!v->calls) now = best(symbol_of(v, o));
    step.time_ns = v->now_ns;
    step.market = (struct tw_market){ .kind = TW_QUOTE, .time_ns = v->now_ns,
        .bid = now.bid, .ask = now.ask, .bid_size = now.bid_size,
        .ask_size = now.ask_size };
    if (o->rests) tw_book_find(symbol_of(v, o)->book, o->serial, &step.ahead);
    tw_probe_book(v->probe, step);
}

/* It is the order's, or goes before it: at its price that is of the line. */
static void note_trade(const struct tw_venue *v, const struct tw_venue_order *rested,
                       const struct tw_venue_order *came, int64_t price, int64_t quantity)
{
    const struct tw_venue_order *o = find(v, v->probed, v->probe->id), *other = rested;
    struct tw_step step = { .verdict = TW_VERDICT_TRADES, .price = price,
                            .quantity = quantity };

    if (!o) return;
    if (o != rested && o != came) {
        if (v->calls && o->arrival.q.side == came->arrival.q.side) other = came;
        if (!o->rests || o->arrival.q.symbol != other->arrival.q.symbol
            || o->arrival.q.side != other->arrival.q.side)
            return;
        step.verdict = TW_VERDICT_AHEAD;
        if (other->price == o->price) v->probe->line -= quantity;
    }
    tw_venue_note(v, o, step);
}

/* What was before it at its price, and did not trade, is not there any more. */
static void note_line(const struct tw_venue *v)
{
    const struct tw_venue_order *o = find(v, v->probed, v->probe->id);
    int64_t ahead = 0, gone;

    if (!o || !o->rests) return;
    tw_book_find(symbol_of(v, o)->book, o->serial, &ahead);
    gone = v->probe->line - ahead;
    v->probe->line = ahead;
    if (gone > 0)
        NOTE(v, o, .verdict = TW_VERDICT_LEFT, .price = o->price, .quantity = gone);
}

/* A change of a level, of the symbol that is told of. */
struct market { struct tw_venue *v; uint32_t symbol; };

static void put_level(void *ctx, const struct tw_level *change)
{
    struct market *m = ctx;

    m->v->l.market(m->v->l.ctx, &(struct tw_record){ .kind = TW_LEVEL,
        .symbol = m->symbol & TW_SYMBOL_MAX, .time = m->v->now_ns, .level = *change });
}

/* Without memory all is told again, the next time. */
static void tell_levels(struct tw_venue *v, struct tw_venue_symbol *s)
{
    struct market m = { v, s->id };
    struct tw_ladder_update u = { .put = put_level, .ctx = &m };
    struct tw_rung now[TW_VENUE_LEVELS];
    int rc = TW_OK;

    if (!s->laddered) tw_ladder_tell_clear(&u, &s->ladder);
    for (int offer = 0; offer < 2 && rc == TW_OK; offer++) {
        enum tw_side side = offer ? TW_SIDE_SELL : TW_SIDE_BUY;
        unsigned n = 0, orders;

        while (n < v->levels && tw_book_level(s->book, side, n, &now[n].price,
                                              &now[n].size, &orders))
            n++;
        rc = tw_ladder_tell_side(&u, &s->ladder, offer, now, n);
    }
    s->laddered = rc == TW_OK;
    tw_ladder_tell_end(&u);
}

/* The best of a side is another, or another size is there.  V3 */
static void tell_quote(struct tw_venue *v, struct tw_venue_symbol *s)
{
    struct tw_quote now = best(s);

    if (v->probe) note_line(v);
    if (v->levels) tell_levels(v, s);
    if (memcmp(&now, &s->told, sizeof now) == 0) return;
    s->told = now;
    v->l.market(v->l.ctx, &(struct tw_record){ .kind = TW_QUOTE, .symbol = s->id,
                                               .time = v->now_ns, .quote = now });
}

/* ---- what a trade does to other orders ---- */

/* It is no larger than that any more. */
static void shrink(struct tw_venue *v, struct tw_venue_order *o, int64_t left,
                   enum tw_reason reason)
{
    if (reason == TW_REASON_REDUCE_ONLY && left < leaves(o))
        NOTE(v, o, .verdict = TW_VERDICT_ROOM, .quantity = left);
    if (left <= 0) {
        tw_venue_end(v, o, TW_EXEC_CANCELED, reason, false);
    } else if (left < leaves(o)) {
        if (o->rests) tw_book_reduce(symbol_of(v, o)->book, o->serial, left);
        o->quantity = o->filled + left;
        tell_terms(v, o, reason, false);
    }
}

/* One cancels the other: of these no more is left than of the one that traded so much; of
 * exits, where one may be smaller than the other, than is held. */
static void reduce_group(struct tw_venue *v, const struct tw_venue_order *o,
                         int64_t quantity)
{
    struct tw_venue_order *next;
    int64_t left = o->entry ? spare(o) : leaves(o);

    for (struct tw_venue_order *i = o->party->first; i; i = next) {
        next = i->next;
        if (i == o || i->arrival.q.group != o->arrival.q.group) continue;
        NOTE(v, i, .verdict = TW_VERDICT_GROUP, .cause = o->arrival.q.id);
        i->exited += quantity;
        shrink(v, i, o->entry && spare(i) > left ? spare(i) : left, TW_REASON_OCO);
    }
}

/* How much an order of that side may reduce the position by. */
static int64_t room(const struct tw_venue_party *p, const struct tw_venue_order *o)
{
    tw_money held = o->arrival.q.side == TW_SIDE_SELL ? p->position : -p->position;

    return held <= 0 ? 0 : held < INT64_MAX ? (int64_t)held : INT64_MAX;
}

/* V6: the position is smaller; the order that the book has in hand is, too. */
static void reduce_rest(struct tw_venue *v, struct tw_venue_party *p,
                        const struct tw_venue_order *in_hand)
{
    struct tw_venue_order *before;

    for (struct tw_venue_order *o = p->last; o && p->reducing > 0; o = before) {
        before = o->before;
        if (o != in_hand && o->rests && o->arrival.q.reduce_only)
            shrink(v, o, room(p, o), TW_REASON_REDUCE_ONLY);
    }
}

static bool reaches(const struct tw_venue_order *o, int64_t price)
{
    if (o->stop == 0) return false;
    return o->arrival.q.side == TW_SIDE_BUY ? price >= o->stop : price <= o->stop;
}

/* A trailing stop goes after the price. */
static void trail(struct tw_venue_order *o, int64_t price)
{
    const struct tw_request *q = &o->arrival.q;
    bool buys = q->side == TW_SIDE_BUY;
    int64_t stop;

    if (q->type != TW_TYPE_TRAILING_STOP || price == 0) return;
    stop = tw_order_trail_stop(buys, price, q->trail, q->trail_part, q->tick);
    if (o->stop == 0 || (buys ? stop < o->stop : stop > o->stop)) o->stop = stop;
}

static void look_at_stops(struct tw_venue *v, struct tw_venue_symbol *s, int64_t price)
{
    for (struct tw_venue_order *o = s->stops; o; o = o->stop_next) {
        if (!o->triggered && reaches(o, price)) {
            o->triggered = true;
            NOTE(v, o, .verdict = TW_VERDICT_TRIGGERED, .price = price,
                 .level = o->stop);
        }
        trail(o, price);
    }
}

/* They are told before whoever has sent them knows. */
static void tell_exits(const struct tw_venue_order *o)
{
    for (struct tw_venue_order *i = o->party->first; i; i = i->next)
        if (i->entry && i->arrival.q.group == o->arrival.q.id && i->entry < o->filled)
            i->entry = o->filled;
}

static void fill(struct tw_venue *v, struct tw_venue_order *o, int64_t price,
                 int64_t quantity, enum tw_liquidity liquidity)
{
    o->filled += quantity;
    o->party->position += o->arrival.q.side == TW_SIDE_BUY ? quantity : -quantity;
    if (o->has_exits) tell_exits(o);
    tell(v, o, (struct tw_report){ .exec = TW_EXEC_TRADE, .last_px = price,
                                   .last_qty = quantity,
                                   .liquidity = (uint8_t)liquidity }, false);
}

/* Whose order was there before the other one, or before the auction. */
static enum tw_liquidity liquidity_of(const struct tw_venue *v,
                                      const struct tw_venue_order *o, bool rested)
{
    return (v->calls ? !is_called(o) : rested) ? TW_LIQUIDITY_ADDED
                                               : TW_LIQUIDITY_REMOVED;
}

/* V1.  The book has both quantities right already, and has let go of who rested and has
 * nothing left: the maker, in an auction both; it allows that others are taken out. */
static void on_trade(void *ctx, const struct tw_entry *maker,
                     const struct tw_entry *taker, int64_t price, int64_t quantity)
{
    struct tw_venue *v = ctx;
    struct tw_venue_order *rested = maker->user, *came = taker->user;
    struct tw_venue_symbol *s = symbol_of(v, came);
    struct tw_venue_party *p = rested->party, *of_came = came->party;

    if (v->probe) note_trade(v, rested, came, price, quantity);
    rested->rests = leaves(rested) > quantity;
    if (v->calls) came->rests = leaves(came) > quantity;
    fill(v, rested, price, quantity, liquidity_of(v, rested, true));
    fill(v, came, price, quantity, liquidity_of(v, came, false));
    v->l.market(v->l.ctx, &(struct tw_record){
        .kind = TW_TRADE, .symbol = s->id, .time = v->now_ns,
        .trade = { .price = price, .size = quantity,
                   .side = v->calls ? TW_SIDE_NONE : came->arrival.q.side,
                   .id = ++v->trades } });
    s->last = price;
    look_at_stops(v, s, price);
    if (rested->arrival.q.group) reduce_group(v, rested, quantity);
    if (came->arrival.q.group) reduce_group(v, came, quantity);
    if (leaves(rested) == 0) tw_venue_orders_drop(&v->orders, rested), rested = NULL;
    if (v->calls && leaves(came) == 0)
        tw_venue_orders_drop(&v->orders, came), came = NULL;
    reduce_rest(v, p, rested);
    reduce_rest(v, of_came, came);
}

/* V2 */
static void on_canceled(void *ctx, const struct tw_entry *e)
{
    const struct tw_venue *v = ctx;
    struct tw_venue_order *o = e->user;

    o->rests = false;
    NOTE(v, o, .verdict = TW_VERDICT_SELF, .cause = v->entering->arrival.q.id);
    tw_venue_end(ctx, o, TW_EXEC_CANCELED, TW_REASON_SELF_MATCH, false);
}

/* ---- into the book ---- */

bool tw_venue_fit(struct tw_venue *v, struct tw_venue_order *o)
{
    int64_t most;

    if (!o->arrival.q.reduce_only) return true;
    most = room(o->party, o);
    shrink(v, o, most, TW_REASON_REDUCE_ONLY);
    return most > 0;
}

/* What is left of an order comes in, and what can't rest ends. */
static void enter(struct tw_venue *v, struct tw_venue_order *o)
{
    const struct tw_request *q = &o->arrival.q;
    unsigned rules = (q->tif == TW_TIF_IOC ? TW_BOOK_IMMEDIATE : 0)
                   | (q->tif == TW_TIF_FOK ? TW_BOOK_ALL : 0)
                   | (q->post_only ? TW_BOOK_POST : 0);
    struct tw_entry e;
    int rc;

    if (!tw_venue_fit(v, o)) return;
    e = (struct tw_entry){ .id = o->serial, .owner = q->owner, .side = q->side,
                           .price = tw_type_has_limit(q->type) ? o->price : 0,
                           .quantity = leaves(o), .user = o,
                           .soft = q->reduce_only || q->group != 0 };
    v->entering = o;
    rc = tw_book_add(symbol_of(v, o)->book, &e, rules, on_canceled);
    if (rc == 1) {
        o->rests = true;
        NOTE(v, o, .verdict = TW_VERDICT_RESTS, .price = o->price);
        return;
    }
    if (rc == TW_EUSAGE)
        NOTE(v, o, .verdict = q->post_only ? TW_VERDICT_CROSSES : TW_VERDICT_TAKEN);
    if (rc == UV_ENOMEM)
        tw_venue_end(v, o, TW_EXEC_CANCELED, TW_REASON_VENUE, false);
    else if (rc == TW_EUSAGE)
        tw_venue_end(v, o, TW_EXEC_CANCELED,
                     q->post_only ? TW_REASON_POST_ONLY : TW_REASON_FOK, false);
    else if (leaves(o) > 0)
        tw_venue_end(v, o, TW_EXEC_CANCELED, TW_REASON_IOC, false);
    else
        tw_venue_orders_drop(&v->orders, o);
}

/* A stop at rest, or in the book when the last price has reached it already. */
static void wait(struct tw_venue *v, struct tw_venue_symbol *s, struct tw_venue_order *o)
{
    struct tw_venue_order **link = &s->stops;

    while (*link) link = &(*link)->stop_next;
    *link = o;
    o->waits = true;
    trail(o, s->last);
    o->triggered = s->last != 0 && reaches(o, s->last);
    NOTE(v, o, .price = s->last, .level = o->stop,
         .verdict = o->triggered ? TW_VERDICT_TRIGGERED : TW_VERDICT_STOP);
}

/* ---- requests that arrive ---- */

/* Is its market open?  *ends_ns: until then; if it is not, it opens then. */
static bool is_open(const struct tw_venue *v, const struct tw_venue_order *o,
                    int64_t *ends_ns)
{
    struct tw_session session;

    *ends_ns = INT64_MAX;
    if (!tw_calendar_session(o->arrival.q.calendar, v->now_ns, &session)) return false;
    if (session.open_ns > v->now_ns) {
        *ends_ns = session.open_ns;
        return false;
    }
    if (o->arrival.q.tif == TW_TIF_DAY) *ends_ns = session.close_ns;
    if (o->arrival.q.tif == TW_TIF_GTD) *ends_ns = o->arrival.q.expire_ns;
    return true;
}

/* Stops that were triggered come in, as they arrived; that may trigger others.  The price
 * of a closing auction triggers some, too: they wait for the market to open. */
static void run_stops(struct tw_venue *v, struct tw_venue_symbol *s)
{
    for (;;) {
        struct tw_venue_order *o = s->stops;
        int64_t open_ns;

        for (; o; o = o->stop_next) {
            if (!o->triggered) continue;
            if (is_open(v, o, &open_ns)) break;
            if (open_ns != INT64_MAX) tw_venue_await_open(v, s, open_ns);
        }
        if (!o) return;
        tw_venue_orders_leave_stops(s, o);
        enter(v, o);
    }
}

void tw_venue_settle(struct tw_venue *v, struct tw_venue_symbol *s)
{
    run_stops(v, s);
    tell_quote(v, s);
}

static void arrive(struct tw_venue *v, struct tw_venue_order *o)
{
    const struct tw_request *q = &o->arrival.q;

    tw_venue_orders_reach(&v->orders, symbol_of(v, o));
    o->arrived = true;
    o->serial = ++v->serial;
    NOTE(v, o, .verdict = TW_VERDICT_ARRIVES);
    if (is_called(o)) {
        tw_venue_gather(v, o);
        return;
    }
    if (!is_open(v, o, &o->ends_ns)) {
        NOTE(v, o, .verdict = TW_VERDICT_CLOSED, .arrives_ns = o->ends_ns);
        tw_venue_end(v, o, TW_EXEC_REJECTED, TW_REASON_CLOSED, true);
        return;
    }
    if (o->ends_ns < v->next_end_ns) v->next_end_ns = o->ends_ns;
    tw_venue_accept(v, o);
    if (tw_type_is_stop(q->type)) wait(v, symbol_of(v, o), o);
    else enter(v, o);
}

/* What is not named stays as it is. */
static void complete(struct tw_request *q, const struct tw_venue_order *o)
{
    if (!q->quantity) q->quantity = o->quantity;
    if (!q->price) q->price = o->price;
}

/* It has its new terms, and its place as far as these let it. */
static void change(struct tw_venue *v, struct tw_venue_order *o,
                   const struct tw_request *q)
{
    bool answers = q->what == TW_REQUEST_REPLACE;
    bool comes_anew = (answers && q->price != o->price) || q->quantity > o->quantity;
    struct tw_venue_symbol *s = symbol_of(v, o);

    if (answers) {
        o->price = q->price;
        if (q->stop > 0 && o->waits) o->stop = q->stop;
    }
    o->quantity = q->quantity;
    if (o->waits) {
        o->triggered = s->last != 0 && reaches(o, s->last);
        tell_terms(v, o, TW_REASON_NONE, answers);
    } else if (o->gathers) {
        tell_terms(v, o, TW_REASON_NONE, answers);
        if (comes_anew) tw_venue_gather_anew(v, o);
    } else if (comes_anew) {
        if (o->rests) tw_book_cancel(s->book, o->serial);
        o->rests = false;
        o->serial = ++v->serial;
        tell_terms(v, o, TW_REASON_NONE, answers);
        enter(v, o);
    } else {
        tw_book_reduce(s->book, o->serial, leaves(o));
        tell_terms(v, o, TW_REASON_NONE, answers);
    }
}

/* Others may have traded since that was asked for. */
static void grow(struct tw_venue *v, struct tw_venue_order *o, struct tw_request *q)
{
    if (q->entry_qty > o->entry) o->entry = q->entry_qty;
    if (o->entry && q->quantity > o->entry - o->exited)
        q->quantity = o->entry - o->exited;
    if (q->quantity > o->quantity) change(v, o, q);
}

static void happen(struct tw_venue *v, struct tw_arrival *e)
{
    struct tw_request *q = &e->q;
    struct tw_venue_order *o;
    int64_t ends_ns;

    if (q->what == TW_REQUEST_NEW) {
        o = (struct tw_venue_order *)e;
        if (o->over) tw_free(o);
        else arrive(v, o);
        return;
    }
    o = find(v, q->owner, q->id);
    if (o && q->what == TW_REQUEST_REPLACE) complete(q, o);
    if (q->what == TW_REQUEST_GROW) {
        if (o) grow(v, o, q);
    } else if (!o) {
        refuse(v, q, TW_REASON_TOO_LATE);
    } else if (q->what == TW_REQUEST_CANCEL) {
        tw_venue_end(v, o, TW_EXEC_CANCELED, TW_REASON_NONE, true);
    } else if (q->quantity <= o->filled) {
        refuse(v, q, TW_REASON_TOO_LATE);
    } else if (!o->gathers && !is_open(v, o, &ends_ns)) {
        refuse(v, q, TW_REASON_CLOSED);
    } else {
        change(v, o, q);
    }
    tw_free(e);
}

/* ---- sending ---- */

static void set_arrival(const struct tw_venue *v, struct tw_request *q)
{
    if (!q->early || v->now_ns == 0) return;
    q->early = false;
    q->arrives_ns += v->now_ns;
}

static int send_new(struct tw_venue *v, const struct tw_request *q)
{
    struct tw_venue_symbol *s = tw_venue_orders_symbol(&v->orders, q->symbol, on_trade,
                                                       v);
    struct tw_venue_party *p = s ? tw_venue_orders_party(s, q->owner) : NULL;
    struct tw_venue_order *o = p ? tw_calloc(1, sizeof *o) : NULL;
    struct tw_venue_order *entry = q->entry_qty ? find(v, q->owner, q->group) : NULL;

    if (!o) return UV_ENOMEM;
    o->arrival.q = *q;
    set_arrival(v, &o->arrival.q);
    o->quantity = q->quantity;
    o->entry = q->entry_qty;
    if (entry) entry->has_exits = true;
    o->price = q->price;
    o->stop = q->stop;
    o->after_ns = o->arrival.q.arrives_ns;
    o->ends_ns = INT64_MAX;
    tw_venue_orders_add(&v->orders, o, p);
    tw_arrivals_add(&v->coming, &o->arrival);
    return TW_OK;
}

int tw_venue_send(struct tw_venue *v, const struct tw_request *q)
{
    struct tw_venue_order *o = find(v, q->owner, q->id);
    struct tw_arrival *e;

    if (v->coming.n >= TW_VENUE_REQUESTS) return TW_EFULL;
    if (q->what == TW_REQUEST_NEW) return o ? TW_EUSAGE : send_new(v, q);
    e = tw_calloc(1, sizeof *e);
    if (!e) return UV_ENOMEM;
    e->q = *q;
    set_arrival(v, &e->q);
    if (o) {                                  /* V5 */
        if (e->q.arrives_ns < o->after_ns) e->q.arrives_ns = o->after_ns;
        o->after_ns = e->q.arrives_ns;
    }
    tw_arrivals_add(&v->coming, e);
    return TW_OK;
}

/* ---- time ---- */

/* Requests were on their way before there was a time. */
static void begin(struct tw_venue *v)
{
    struct tw_arrivals sent = v->coming;

    v->coming = (struct tw_arrivals){ 0 };
    while (sent.n > 0) {
        struct tw_arrival *e = tw_arrivals_take(&sent);

        if (e->q.early && e->q.what == TW_REQUEST_NEW)
            ((struct tw_venue_order *)e)->after_ns += v->now_ns;
        set_arrival(v, &e->q);
        tw_arrivals_add(&v->coming, e);
    }
}

static void set_time(struct tw_venue *v, int64_t now_ns)
{
    if (now_ns > v->now_ns || v->now_ns == 0) v->now_ns = now_ns;   /* 0: none yet */
}

void tw_venue_set_time(struct tw_venue *v, int64_t now_ns)
{
    bool begins = v->now_ns == 0;

    set_time(v, now_ns);
    if (begins) begin(v);
}

int64_t tw_venue_time(const struct tw_venue *v)
{
    return v->now_ns;
}

int64_t tw_venue_due(const struct tw_venue *v)
{
    int64_t due_ns = v->coming.n ? v->coming.first->q.arrives_ns : INT64_MAX;

    if (v->next_call_ns < due_ns) due_ns = v->next_call_ns;
    return v->next_end_ns < due_ns ? v->next_end_ns : due_ns;
}

/* Orders whose time is over by now, symbol by symbol: not by their ids, which depend on
 * who was registered first. */
static void end_due(struct tw_venue *v)
{
    struct tw_venue_order *next;

    v->next_end_ns = INT64_MAX;
    for (struct tw_venue_symbol *s = v->orders.first; s; s = s->next) {
        for (struct tw_venue_party *p = s->parties; p; p = p->next)
            for (struct tw_venue_order *o = p->first; o; o = next) {
                next = o->next;
                if (o->ends_ns <= v->now_ns)
                    tw_venue_end(v, o, TW_EXEC_EXPIRED, TW_REASON_NONE, false);
                else if (o->ends_ns < v->next_end_ns)
                    v->next_end_ns = o->ends_ns;
            }
        tell_quote(v, s);
    }
}

bool tw_venue_step(struct tw_venue *v, int64_t limit_ns)
{
    int64_t due_ns = tw_venue_due(v);

    if (due_ns > limit_ns || due_ns == INT64_MAX) return false;
    set_time(v, due_ns);
    if (v->next_call_ns <= due_ns) {          /* before what arrives then */
        tw_venue_call(v);
        return true;
    }
    if (v->coming.n == 0 || v->coming.first->q.arrives_ns > due_ns) {
        end_due(v);
        return true;
    }
    while (v->coming.n > 0 && v->coming.first->q.arrives_ns <= due_ns) {
        struct tw_arrival *e = tw_arrivals_take(&v->coming);
        const struct tw_venue_order *o = find(v, e->q.owner, e->q.id);
        struct tw_venue_symbol *s = o ? symbol_of(v, o) : NULL;

        happen(v, e);
        if (s) tw_venue_settle(v, s);
    }
    return true;
}

/* ---- all of it ---- */

tw_money tw_venue_position(const struct tw_venue *v, uint32_t owner, uint32_t symbol)
{
    const struct tw_venue_symbol *s = tw_venue_orders_traded(&v->orders, symbol);
    const struct tw_venue_party *p = s ? s->parties : NULL;

    while (p && p->owner != owner) p = p->next;
    return p ? p->position : 0;
}

bool tw_venue_best(const struct tw_venue *v, uint32_t symbol, enum tw_side side,
                   int64_t *price, int64_t *quantity)
{
    const struct tw_venue_symbol *s = tw_venue_orders_traded(&v->orders, symbol);
    unsigned n;

    return s && tw_book_level(s->book, side, 0, price, quantity, &n);
}

void tw_venue_probe(struct tw_venue *v, uint32_t owner, struct tw_probe *p)
{
    v->probe = p;
    v->probed = owner;
}

struct tw_venue *tw_venue_new(const struct tw_venue_listener *listener)
{
    struct tw_venue *v = tw_calloc(1, sizeof *v);

    if (!v) return NULL;
    v->l = *listener;
    v->next_end_ns = v->next_call_ns = INT64_MAX;
    if (tw_venue_orders_init(&v->orders) == TW_OK) return v;
    tw_free(v);
    return NULL;
}

void tw_venue_tell_levels(struct tw_venue *v, unsigned n)
{
    v->levels = n < TW_VENUE_LEVELS ? n : TW_VENUE_LEVELS;
    for (size_t i = 0; i < v->orders.n_symbols; i++)
        if (v->orders.symbols[i]) v->orders.symbols[i]->laddered = false;
}

void tw_venue_free(struct tw_venue *v)
{
    if (!v) return;
    while (v->coming.n > 0) {                 /* open orders go with their symbols */
        struct tw_arrival *e = tw_arrivals_take(&v->coming);

        if (e->q.what != TW_REQUEST_NEW || ((struct tw_venue_order *)e)->over) tw_free(e);
    }
    tw_venue_orders_fini(&v->orders);
    tw_free(v);
}
