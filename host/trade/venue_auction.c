/* venue_auction.c - call auctions: orders for an open or a close are gathered till then,
 * and trade with each other and with what rests in the book, all at one price.
 *
 * Why what rests, too: an auction beside the book could trade through it.  So it joins
 * the book, which is crossed for that moment; who was gathered leaves it again, and the
 * rest can't be crossed, as it was not before.
 *
 * Some orders get smaller as others trade (reduce-only, groups).  Where there are some,
 * what trades at a price is found by trying, in the order in which it will be.
 */
#include <uv.h>

#include "trade/venue_parts.h"

/* ---- before it ---- */

/* When the auction of an order is that comes now; false: there is none. */
static bool time_of(const struct tw_venue *v, const struct tw_request *q,
                    int64_t *call_ns)
{
    struct tw_session session;

    if (!tw_calendar_session(q->calendar, v->now_ns, &session)) return false;
    if (q->tif == TW_TIF_OPG && session.open_ns <= v->now_ns
        && !tw_calendar_session(q->calendar, session.close_ns, &session))
        return false;
    *call_ns = q->tif == TW_TIF_OPG ? session.open_ns : session.close_ns;
    return true;
}

/* At some price both would trade. */
static bool meet(const struct tw_venue_order *a, const struct tw_venue_order *b)
{
    const struct tw_venue_order *buys = a->arrival.q.side == TW_SIDE_BUY ? a : b;
    const struct tw_venue_order *sells = buys == a ? b : a;

    return a->arrival.q.side != b->arrival.q.side
        && (!tw_type_has_limit(a->arrival.q.type) || !tw_type_has_limit(b->arrival.q.type)
            || buys->price >= sells->price);
}

static void give_way(struct tw_venue *v, struct tw_venue_order *o,
                     const struct tw_venue_order *to)
{
    NOTE(v, o, .verdict = TW_VERDICT_SELF, .cause = to->arrival.q.id);
    tw_venue_end(v, o, TW_EXEC_CANCELED, TW_REASON_SELF_MATCH, false);
}

/* Behind all that wait; those of its owner that it could meet give way.  V2 */
static void line_up(struct tw_venue *v, struct tw_venue_order *o)
{
    struct tw_venue_symbol *s = symbol_of(v, o);
    struct tw_venue_order **link = &s->calls, *i;

    while ((i = *link) != NULL) {
        if (i->party == o->party && i->call_ns == o->call_ns && meet(i, o))
            give_way(v, i, o);                 /* and another one is in its place */
        else
            link = &i->stop_next;
    }
    *link = o;
    o->stop_next = NULL;
    o->gathers = true;
    if (o->call_ns < v->next_call_ns) v->next_call_ns = o->call_ns;
    NOTE(v, o, .verdict = TW_VERDICT_GATHERED, .arrives_ns = o->call_ns);
}

void tw_venue_gather(struct tw_venue *v, struct tw_venue_order *o)
{
    const struct tw_request *q = &o->arrival.q;

    if ((q->type != TW_TYPE_MARKET && q->type != TW_TYPE_LIMIT) || q->post_only) {
        tw_venue_end(v, o, TW_EXEC_REJECTED, TW_REASON_VENUE, true);
    } else if (!time_of(v, q, &o->call_ns)) {
        tw_venue_end(v, o, TW_EXEC_REJECTED, TW_REASON_CLOSED, true);
    } else {
        tw_venue_accept(v, o);
        line_up(v, o);
    }
}

void tw_venue_gather_anew(struct tw_venue *v, struct tw_venue_order *o)
{
    tw_venue_orders_leave_calls(symbol_of(v, o), o);
    line_up(v, o);
}

void tw_venue_await_open(struct tw_venue *v, struct tw_venue_symbol *s, int64_t open_ns)
{
    if (s->open_ns == 0 || open_ns < s->open_ns) s->open_ns = open_ns;
    if (open_ns < v->next_call_ns) v->next_call_ns = open_ns;
}

/* ---- the auction ---- */

/* Into the book, behind what rests there at its price; of its owner's what it could meet
 * gives way.  V2, V6 */
static void join(struct tw_venue *v, struct tw_venue_symbol *s, struct tw_venue_order *o)
{
    const struct tw_request *q = &o->arrival.q;
    struct tw_venue_order *next;
    struct tw_entry e;

    if (!tw_venue_fit(v, o)) return;
    for (struct tw_venue_order *i = o->party->first; i; i = next) {
        next = i->next;
        if (i->rests && meet(i, o)) give_way(v, i, o);
    }
    e = (struct tw_entry){ .id = o->serial, .owner = q->owner, .side = q->side,
                           .price = tw_type_has_limit(q->type) ? o->price : 0,
                           .quantity = leaves(o), .user = o };
    if (tw_book_add(s->book, &e, TW_BOOK_GATHER, NULL) == 1) o->rests = true;
    else tw_venue_end(v, o, TW_EXEC_CANCELED, TW_REASON_VENUE, false);
}

/* Who was gathered, and has not all, leaves. */
static void disperse(struct tw_venue *v, struct tw_venue_symbol *s)
{
    struct tw_venue_order *next;

    for (struct tw_venue_party *p = s->parties; p; p = p->next)
        for (struct tw_venue_order *o = p->first; o; o = next) {
            next = o->next;
            if (o->rests && is_called(o))
                tw_venue_end(v, o, TW_EXEC_EXPIRED, TW_REASON_NONE, false);
        }
}

/* Those that rest on a side, in a row. */
static void line_up_side(void *ctx, const struct tw_entry *e)
{
    struct tw_venue_order ***last = ctx, *o = e->user;

    o->behind = NULL;
    **last = o;
    *last = &o->behind;
}

struct trial { struct tw_venue_symbol *s; struct tw_venue_order *buys, *sells; };

static bool accepts(const struct tw_venue_order *o, int64_t price)
{
    return !tw_type_has_limit(o->arrival.q.type)
        || (o->arrival.q.side == TW_SIDE_BUY ? o->price >= price : o->price <= price);
}

/* It would trade so much; others of its owner's get smaller, as in venue.c. */
static void try_trade(struct tw_venue_order *o, int64_t quantity)
{
    struct tw_venue_party *p = o->party;

    o->trial -= quantity;
    o->spare -= quantity;
    p->trial += o->arrival.q.side == TW_SIDE_BUY ? quantity : -quantity;
    for (struct tw_venue_order *i = p->first; i; i = i->next) {
        tw_money room = i->arrival.q.side == TW_SIDE_SELL ? p->trial : -p->trial;
        int64_t left = o->entry ? o->spare : o->trial;

        if (i != o && o->arrival.q.group && i->arrival.q.group == o->arrival.q.group) {
            i->spare -= quantity;
            if (o->entry && i->spare > left) left = i->spare;
            if (i->trial > left) i->trial = left > 0 ? left : 0;
        }
        if (i->arrival.q.reduce_only && i->trial > room)
            i->trial = room > 0 ? (int64_t)room : 0;
    }
}

static tw_money left_of(const struct tw_venue_order *o, int64_t price)
{
    tw_money sum = 0;

    for (; o && accepts(o, price); o = o->behind) sum += o->trial;
    return sum;
}

/* What trades at that price. */
static tw_money try_price(void *ctx, int64_t price, tw_money *left)
{
    const struct trial *t = ctx;
    struct tw_venue_order *buys = t->buys, *sells = t->sells;
    tw_money sum = 0;

    for (struct tw_venue_party *p = t->s->parties; p; p = p->next) {
        p->trial = p->position;
        for (struct tw_venue_order *o = p->first; o; o = o->next)
            o->trial = o->rests ? leaves(o) : 0, o->spare = spare(o);
    }
    for (;;) {
        int64_t n;

        while (buys && buys->trial == 0) buys = buys->behind;
        while (sells && sells->trial == 0) sells = sells->behind;
        if (!buys || !sells || !accepts(buys, price) || !accepts(sells, price)) break;
        n = buys->trial < sells->trial ? buys->trial : sells->trial;
        try_trade(buys, n);
        try_trade(sells, n);
        sum += n;
    }
    *left = left_of(buys, price) + left_of(sells, price);
    return sum;
}

/* V7 */
static bool find_price(struct tw_venue_symbol *s, int64_t *price, int64_t *quantity)
{
    struct trial t = { .s = s };
    struct tw_venue_order **last = &t.buys;
    bool shrinks = false;

    for (const struct tw_venue_party *p = s->parties; p && !shrinks; p = p->next)
        for (const struct tw_venue_order *o = p->first; o && !shrinks; o = o->next)
            shrinks = o->rests && (o->arrival.q.reduce_only || o->arrival.q.group);
    if (shrinks) {
        tw_book_each(s->book, TW_SIDE_BUY, line_up_side, &last);
        last = &t.sells;
        tw_book_each(s->book, TW_SIDE_SELL, line_up_side, &last);
    }
    return tw_book_cross(s->book, s->last, shrinks ? try_price : NULL, &t, price,
                         quantity);
}

/* Is anything of the symbol due?  V7 */
static bool call(struct tw_venue *v, struct tw_venue_symbol *s)
{
    struct tw_venue_order **link = &s->calls, *o;
    int64_t price = 0, quantity = 0;
    bool any = false;

    v->calls = true;
    while ((o = *link) != NULL) {
        if (o->call_ns > v->now_ns) {
            link = &o->stop_next;
            continue;
        }
        *link = o->stop_next;
        o->gathers = false;
        any = true;
        join(v, s, o);
    }
    if (any) {
        bool trades = find_price(s, &price, &quantity);
        const struct tw_venue_order *asked =
            v->probe ? tw_venue_orders_find(&v->orders, v->probed, v->probe->id) : NULL;

        if (asked && asked->rests && symbol_of(v, asked) == s)
            NOTE(v, asked, .verdict = TW_VERDICT_AUCTION, .price = price,
                 .quantity = quantity);
        if (trades) tw_book_uncross(s->book, price);
        disperse(v, s);
    }
    v->calls = false;
    return any;
}

void tw_venue_call(struct tw_venue *v)
{
    v->next_call_ns = INT64_MAX;
    for (struct tw_venue_symbol *s = v->orders.first; s; s = s->next) {
        bool opens = s->open_ns != 0 && s->open_ns <= v->now_ns;

        if (opens) s->open_ns = 0;
        if (call(v, s) || opens) tw_venue_settle(v, s);
        if (s->open_ns != 0 && s->open_ns < v->next_call_ns) v->next_call_ns = s->open_ns;
        for (const struct tw_venue_order *o = s->calls; o; o = o->stop_next)
            if (o->call_ns < v->next_call_ns) v->next_call_ns = o->call_ns;
    }
}
