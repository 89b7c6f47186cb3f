/* live_orders.c - all orders at a simulated venue: where each is, until it has ended. */
#include "trade/live_orders.h"

#include <uv.h>

#include "base/memory.h"

/* ---- symbols ---- */

struct tw_live_symbol *tw_live_orders_add_symbol(struct tw_live_orders *t, uint32_t id)
{
    if (id >= t->n_symbols) {
        size_t before = t->n_symbols;
        struct tw_live_symbol **grown = tw_extend(t->symbols, &t->n_symbols, id,
                                                  sizeof *grown);

        if (!grown) return NULL;
        t->bytes += (t->n_symbols - before) * sizeof *grown;
        t->symbols = grown;
    }
    if (!t->symbols[id]) {
        struct tw_live_symbol *made = tw_calloc(1, sizeof *made);

        if (!made) return NULL;
        made->id = id;
        t->bytes += sizeof *made;
        t->symbols[id] = made;
    }
    return t->symbols[id];
}

/* ---- where they are ---- */

bool tw_live_is_stop(const struct tw_resting *r)
{
    return r->order->type >= TW_TYPE_STOP && !r->triggered;   /* 3, 4 and P */
}

int64_t tw_live_key(const struct tw_live *l)
{
    const struct tw_order *o = l->r.order;

    if (!l->r.arrived || o->tif == TW_TIF_CLS) return INT64_MAX;
    if (tw_live_is_stop(&l->r))
        return l->r.stop == 0 ? INT64_MIN : tw_order_sign(o) * l->r.stop;
    return l->r.rests ? -tw_order_sign(o) * o->price : INT64_MIN;
}

/* Does it follow prices, and has it followed one?  A record moves it that is beyond. */
static bool follows(const struct tw_live *l)
{
    return l->r.order->type == TW_TYPE_TRAILING_STOP && tw_live_is_stop(&l->r)
        && l->r.stop != 0 && tw_live_key(l) != INT64_MAX;
}

/* A record moves it whose best price is beyond this one; of a part of the price, one that
 * is not beyond moves it for sure by nothing. */
static int64_t trail_key(const struct tw_order *o, int64_t stop)
{
    tw_money price = (tw_money)stop * TW_FIXED_ONE;

    if (!o->trail_part) return o->trail - tw_order_sign(o) * stop;
    if (stop <= 0) return INT64_MIN;
    if (o->side == TW_SIDE_BUY)
        return (int64_t)-(price / (TW_FIXED_ONE + o->trail_part) + 1);
    price /= TW_FIXED_ONE - o->trail_part;
    return price < INT64_MAX ? (int64_t)price : INT64_MAX;
}

void tw_live_orders_place(struct tw_live_orders *t, struct tw_live *l)
{
    const struct tw_order *o = l->r.order;
    struct tw_live_symbol *at = t->symbols[o->symbol];
    unsigned side = o->side != TW_SIDE_BUY;

    tw_live_move(&l->heap, &(tw_live_is_stop(&l->r) ? at->stops : at->others)[side],
                 TW_LIVE_PRICE, tw_live_key(l), l);
    if (follows(l))
        tw_live_move(&l->trails, &at->trails[side], TW_LIVE_TRAIL,
                     trail_key(o, l->r.stop), l);
    else
        tw_live_move(&l->trails, NULL, TW_LIVE_TRAIL, 0, l);
}

static void put_end(struct tw_live_orders *t, struct tw_live *l)
{
    if (l->ends_ns != INT64_MAX)
        tw_live_put(&t->ends, TW_LIVE_END, l->ends_ns, l->rank, l);
}

static void remove_end(struct tw_live_orders *t, struct tw_live *l)
{
    if (l->ends_ns != INT64_MAX) tw_live_remove(&t->ends, TW_LIVE_END, l);
}

void tw_live_orders_set_end(struct tw_live_orders *t, struct tw_live *l, int64_t ends_ns)
{
    remove_end(t, l);
    l->ends_ns = ends_ns;
    put_end(t, l);
}

void tw_live_orders_to_tail(struct tw_live_orders *t, struct tw_live *l)
{
    remove_end(t, l);
    l->rank = ++t->rank;
    put_end(t, l);
    if (l->group) tw_live_to_tail(l);
}

void tw_live_orders_bury(struct tw_live_orders *t, struct tw_live *l)
{
    tw_live_remove(l->heap, TW_LIVE_PRICE, l);
    tw_live_move(&l->trails, NULL, TW_LIVE_TRAIL, 0, l);
    remove_end(t, l);
    if (l->group) tw_live_leave(&t->groups, l);
    t->symbols[l->r.order->symbol]->n--;
    t->n--;
    l->dead = true;
    l->next = t->dead;
    t->dead = l;
}

void tw_live_orders_sweep_all(struct tw_live_orders *t)
{
    while (t->dead) {
        struct tw_live *l = t->dead;

        t->dead = l->next;
        if (t->n_spare < TW_LIVE_SPARE) t->spare[t->n_spare++] = l;
        else tw_free(l);
    }
}

/* Zeroed; NULL: no memory. */
static struct tw_live *allocate(struct tw_live_orders *t)
{
    struct tw_live *l;

    if (t->n_spare == 0) return tw_calloc(1, sizeof *l);
    l = t->spare[--t->n_spare];
    *l = (struct tw_live){ .dead = false };
    return l;
}

/* ---- one more ---- */

int tw_live_orders_reserve(struct tw_live_orders *t, const struct tw_order *o)
{
    struct tw_live_symbol *at = tw_live_orders_symbol(t, o->symbol);
    unsigned i = o->side != TW_SIDE_BUY;

    if (!at || tw_live_reserve(&t->ends, t->n + 1, &t->bytes) < 0
        || tw_live_reserve(&t->touched, t->n + 1, &t->bytes) < 0
        || tw_live_reserve(&at->stops[i], at->n + 1, &t->bytes) < 0
        || (o->type == TW_TYPE_TRAILING_STOP
            && tw_live_reserve(&at->trails[i], at->n + 1, &t->bytes) < 0)
        || tw_live_reserve(&at->others[i], at->n + 1, &t->bytes) < 0)
        return UV_ENOMEM;
    return TW_OK;
}

struct tw_live *tw_live_orders_add(struct tw_live_orders *t, struct tw_order *o,
                                   int64_t arrives_ns)
{
    struct tw_live *l = tw_live_orders_reserve(t, o) < 0 ? NULL : allocate(t);

    if (!l) return NULL;
    l->r.order = o;
    if (o->group && tw_live_join(&t->groups, l) < 0) {
        tw_free(l);
        return NULL;
    }
    l->r.arrives_ns = arrives_ns;
    l->r.stop = o->stop;
    l->r.ahead = -1;
    l->rank = ++t->rank;
    l->from_ns = INT64_MIN;
    l->ends_ns = INT64_MAX;
    tw_live_orders_place(t, l);
    t->symbols[o->symbol]->n++;
    t->n++;
    o->resting = &l->r;
    return l;
}

/* ---- all of it ---- */

/* The copies of the orders in a heap; their groups come later. */
static int adopt_orders(struct tw_live_orders *t, struct tw_live_symbol *at,
                        const struct tw_live_heap *from, tw_order_copy *copy, void *ctx)
{
    for (size_t i = 0; i < from->n; i++) {
        struct tw_live *l = tw_calloc(1, sizeof *l);
        struct tw_order *o = copy(ctx, from->item[i].live->r.order);

        if (!l || tw_live_orders_reserve(t, o) < 0) {
            tw_free(l);
            return UV_ENOMEM;
        }
        *l = *from->item[i].live;
        l->r.order = o;
        l->heap = l->trails = NULL;
        l->group = NULL;
        o->resting = &l->r;
        tw_live_orders_place(t, l);
        put_end(t, l);
        at->n++;
        t->n++;
    }
    return TW_OK;
}

static int adopt_symbol(struct tw_live_orders *t, const struct tw_live_symbol *from,
                        tw_order_copy *copy, void *ctx)
{
    struct tw_live_symbol *at = tw_live_orders_symbol(t, from->id);
    int rc = at ? TW_OK : UV_ENOMEM;

    if (at) at->market = from->market;
    for (int i = 0; i < 2 && rc == TW_OK; i++) {
        rc = adopt_orders(t, at, &from->stops[i], copy, ctx);
        if (rc == TW_OK) rc = adopt_orders(t, at, &from->others[i], copy, ctx);
    }
    return rc;
}

static int adopt_groups(struct tw_live_orders *t, const struct tw_live_groups *from,
                        tw_order_copy *copy, void *ctx)
{
    for (size_t i = 0; i < from->size; i++)
        for (const struct tw_live_group *g = from->bucket[i]; g; g = g->next)
            for (const struct tw_live *l = g->first; l; l = l->next)
                if (tw_live_join(&t->groups, (struct tw_live *)
                                             copy(ctx, l->r.order)->resting) < 0)
                    return UV_ENOMEM;
    return TW_OK;
}

static void free_orders(struct tw_live_orders *t, struct tw_live_heap *h)
{
    for (size_t i = 0; i < h->n; i++) {
        struct tw_live *l = h->item[i].live;

        if (l->group) tw_live_leave(&t->groups, l);
        tw_free(l);
    }
    tw_free(h->item);
}

int tw_live_orders_adopt(struct tw_live_orders *t, const struct tw_live_orders *from,
                         tw_order_copy *copy, void *ctx)
{
    t->rank = from->rank;
    for (size_t i = 0; i < from->n_symbols; i++)
        if (from->symbols[i] && adopt_symbol(t, from->symbols[i], copy, ctx) < 0)
            return UV_ENOMEM;
    return adopt_groups(t, &from->groups, copy, ctx);
}

size_t tw_live_orders_bytes(const struct tw_live_orders *t)
{
    return t->bytes + t->n * sizeof(struct tw_live) + tw_live_groups_bytes(&t->groups);
}

void tw_live_orders_fini(struct tw_live_orders *t)
{
    for (size_t i = 0; i < t->n_symbols; i++) {
        struct tw_live_symbol *at = t->symbols[i];

        if (!at) continue;
        for (int side = 0; side < 2; side++) {
            free_orders(t, &at->stops[side]);
            free_orders(t, &at->others[side]);
            tw_free(at->trails[side].item);
        }
        tw_free(at);
    }
    while (t->n_spare > 0) tw_free(t->spare[--t->n_spare]);
    tw_free(t->groups.bucket);
    tw_free(t->ends.item);
    tw_free(t->touched.item);
    tw_free(t->symbols);
}
