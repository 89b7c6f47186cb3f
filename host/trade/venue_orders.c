/* venue_orders.c - the orders at a venue, by owner and id, and by instrument. */
#include "trade/venue_orders.h"

#include <uv.h>

#include "base/memory.h"

/* ---- by owner and id ---- */

static struct tw_venue_order *order_of(const struct tw_hashed_link *l)
{
    return TW_HASHED(l, struct tw_venue_order, hashed);
}

static uint64_t hash_of(uint32_t owner, uint64_t id)
{
    return tw_hash_id(id ^ (uint64_t)owner << 40);
}

struct tw_venue_order *tw_venue_orders_find(const struct tw_venue_orders *t,
                                            uint32_t owner, uint64_t id)
{
    struct tw_hashed_link *l = tw_hashed_first(&t->orders, hash_of(owner, id));

    for (; l; l = tw_hashed_next(l)) {
        struct tw_venue_order *o = order_of(l);

        if (o->arrival.q.id == id && o->arrival.q.owner == owner) return o;
    }
    return NULL;
}

void tw_venue_orders_add(struct tw_venue_orders *t, struct tw_venue_order *o,
                         struct tw_venue_party *p)
{
    o->party = p;
    o->before = p->last;
    if (p->last) p->last->next = o;
    else p->first = o;
    p->last = o;
    p->reducing += o->arrival.q.reduce_only;
    tw_hashed_add(&t->orders, &o->hashed, hash_of(o->arrival.q.owner, o->arrival.q.id));
}

static void leave(struct tw_venue_order **link, struct tw_venue_order *o)
{
    while (*link != o) link = &(*link)->stop_next;
    *link = o->stop_next;
}

void tw_venue_orders_leave_stops(struct tw_venue_symbol *s, struct tw_venue_order *o)
{
    leave(&s->stops, o);
    o->waits = false;
}

void tw_venue_orders_leave_calls(struct tw_venue_symbol *s, struct tw_venue_order *o)
{
    leave(&s->calls, o);
    o->gathers = false;
}

void tw_venue_orders_drop(struct tw_venue_orders *t, struct tw_venue_order *o)
{
    struct tw_venue_symbol *s = t->symbols[o->arrival.q.symbol];
    struct tw_venue_party *p = o->party;

    if (o->rests) tw_book_cancel(s->book, o->serial);
    if (o->waits) tw_venue_orders_leave_stops(s, o);
    if (o->gathers) tw_venue_orders_leave_calls(s, o);
    tw_hashed_remove(&t->orders, &o->hashed);
    if (o->before) o->before->next = o->next;
    else p->first = o->next;
    if (o->next) o->next->before = o->before;
    else p->last = o->before;
    p->reducing -= o->arrival.q.reduce_only;
    if (o->arrived) tw_free(o);
    else o->over = true;
}

/* ---- by instrument ---- */

struct tw_venue_symbol *tw_venue_orders_traded(const struct tw_venue_orders *t,
                                               uint32_t id)
{
    return id < t->n_symbols ? t->symbols[id] : NULL;
}

struct tw_venue_symbol *tw_venue_orders_symbol(struct tw_venue_orders *t, uint32_t id,
                                               tw_book_trade *on_trade, void *ctx)
{
    struct tw_venue_symbol *s;

    if (id >= t->n_symbols) {
        struct tw_venue_symbol **grown = tw_extend(t->symbols, &t->n_symbols, id,
                                                   sizeof *grown);

        if (!grown) return NULL;
        t->symbols = grown;
    }
    if (t->symbols[id]) return t->symbols[id];
    s = tw_calloc(1, sizeof *s);
    if (!s) return NULL;
    s->id = id;
    s->book = tw_book_new(on_trade, ctx);
    if (s->book) return t->symbols[id] = s;
    tw_free(s);
    return NULL;
}

struct tw_venue_party *tw_venue_orders_party(struct tw_venue_symbol *s, uint32_t owner)
{
    struct tw_venue_party **link = &s->parties, *p;

    while (*link && (*link)->owner < owner) link = &(*link)->next;
    if (*link && (*link)->owner == owner) return *link;
    p = tw_calloc(1, sizeof *p);
    if (!p) return NULL;
    p->owner = owner;
    p->next = *link;
    return *link = p;
}

void tw_venue_orders_reach(struct tw_venue_orders *t, struct tw_venue_symbol *s)
{
    if (s->reached) return;
    s->reached = true;
    *t->last = s;
    t->last = &s->next;
}

/* ---- all of it ---- */

int tw_venue_orders_init(struct tw_venue_orders *t)
{
    *t = (struct tw_venue_orders){ 0 };
    t->last = &t->first;
    return tw_hashed_init(&t->orders);
}

static void free_symbol(struct tw_venue_symbol *s)
{
    struct tw_venue_party *next;
    struct tw_venue_order *other;

    for (struct tw_venue_party *p = s->parties; p; p = next) {
        next = p->next;
        for (struct tw_venue_order *o = p->first; o; o = other) {
            other = o->next;
            tw_free(o);
        }
        tw_free(p);
    }
    tw_book_free(s->book);
    tw_ladder_fini(&s->ladder);
    tw_free(s);
}

void tw_venue_orders_fini(struct tw_venue_orders *t)
{
    for (size_t i = 0; i < t->n_symbols; i++)
        if (t->symbols[i]) free_symbol(t->symbols[i]);
    tw_free(t->symbols);
    tw_hashed_fini(&t->orders, NULL, NULL);
}
