/* broker_orders.c - a broker's open orders: found by age, id and instrument, what they
 * may trade in all, and how one gets in and out.
 */
#include "trade/broker_parts.h"

#include "base/memory.h"

/* ---- found ---- */

static struct tw_order **slot_of(const struct tw_broker *b, uint64_t id)
{
    return &b->by_id[id & (b->size - 1)];
}

struct tw_order *tw_broker_find(const struct tw_broker *b, uint64_t id)
{
    struct tw_order *o = b->size ? *slot_of(b, id) : NULL;

    while (o && o->id != id) o = o->same;
    return o;
}

struct tw_order *tw_broker_open(const struct tw_broker *b, const struct tw_order *after)
{
    return after ? after->next : b->open;
}

struct tw_order *tw_broker_open_of(const struct tw_broker *b, uint32_t symbol,
                                   const struct tw_order *after)
{
    if (symbol == 0) return tw_broker_open(b, after);
    if (after) return after->next_of;
    return symbol < b->n_sums ? b->sum[symbol].orders : NULL;
}

unsigned tw_broker_count(const struct tw_broker *b)
{
    return b->n_open;
}

/* ---- what they may trade ---- */

void tw_broker_add(struct tw_broker *b, const struct tw_order *o, int64_t more)
{
    if (!o->link || o->held || more == 0) return;
    if (o->side == TW_SIDE_BUY) b->sum[o->symbol].buying += more;
    else b->sum[o->symbol].selling += more;
}

/* They have it, or (-1) have it no more. */
static void count(struct tw_broker *b, const struct tw_order *o, int sign)
{
    if (o->link && o->held) b->n_held += (unsigned)sign;
    tw_broker_add(b, o, sign * tw_broker_beyond(b, o));
}

void tw_broker_set_held(struct tw_broker *b, struct tw_order *o, bool held)
{
    count(b, o, -1);
    o->held = held;
    count(b, o, 1);
}

void tw_broker_ask(struct tw_broker *b, struct tw_order *o, int64_t quantity,
                   int64_t price)
{
    count(b, o, -1);
    o->asked = quantity;
    o->asked_price = price;
    count(b, o, 1);
}

/* ---- in, and out ---- */

void tw_broker_keep(const struct tw_broker *b, const struct tw_order *o, bool held)
{
    const struct tw_gateway *g = b->o.gateway;

    if (o->parent && g && g->hold) g->hold(g->ctx, o, held);
}

bool tw_broker_make_room(struct tw_broker *b, uint32_t symbol)
{
    if (symbol >= b->n_sums) {
        struct open *grown = tw_extend(b->sum, &b->n_sums, symbol, sizeof *grown);

        if (!grown) return false;
        b->sum = grown;
    }
    if (b->shares && !tw_broker_meet(b, symbol)) return false;
    if (b->n_open == b->size) {
        size_t size = b->size ? 2 * b->size : 16;
        struct tw_order **table = tw_calloc(size, sizeof *table);

        if (!table) return false;
        tw_free(b->by_id);
        b->by_id = table;
        b->size = size;
        for (struct tw_order *o = b->open; o; o = o->next) {
            o->same = *slot_of(b, o->id);
            *slot_of(b, o->id) = o;
        }
    }
    return true;
}

void tw_broker_enlist(struct tw_broker *b, struct tw_order *o)
{
    struct tw_order *parent = o->parent ? tw_broker_find(b, o->parent) : NULL;

    o->link = &b->open;                      /* one that is open again is older */
    while (*o->link && (*o->link)->id > o->id) o->link = &(*o->link)->next;
    o->next = *o->link;
    if (o->next) o->next->link = &o->next;
    *o->link = o;
    o->before_of = NULL;
    o->next_of = b->sum[o->symbol].orders;
    while (o->next_of && o->next_of->id > o->id)
        o->before_of = o->next_of, o->next_of = o->next_of->next_of;
    if (o->next_of) o->next_of->before_of = o;
    *(o->before_of ? &o->before_of->next_of : &b->sum[o->symbol].orders) = o;
    b->n_open++;
    tw_broker_join(b, o);
    o->same = *slot_of(b, o->id);
    *slot_of(b, o->id) = o;
    count(b, o, 1);
    if (parent) tw_broker_join_parent(o, parent);
}

void tw_broker_join_parent(struct tw_order *o, struct tw_order *parent)
{
    o->sibling = parent->children;
    o->sibling_link = &parent->children;
    if (o->sibling) o->sibling->sibling_link = &o->sibling;
    parent->children = o;
}

void tw_broker_leave_parent(struct tw_order *o)
{
    if (!o->sibling_link) return;
    *o->sibling_link = o->sibling;
    if (o->sibling) o->sibling->sibling_link = o->sibling_link;
    o->sibling_link = NULL;
}

void tw_broker_delist(struct tw_broker *b, struct tw_order *o)
{
    struct tw_order **link;

    if (!o->link) return;
    count(b, o, -1);
    for (link = slot_of(b, o->id); *link != o; link = &(*link)->same) { }
    *link = o->same;
    tw_broker_leave_parent(o);
    tw_broker_leave(o);
    tw_broker_leave_due(o);
    *o->link = o->next;
    if (o->next) o->next->link = o->link;
    o->link = NULL;
    *(o->before_of ? &o->before_of->next_of : &b->sum[o->symbol].orders) = o->next_of;
    if (o->next_of) o->next_of->before_of = o->before_of;
    b->n_open--;
    if (tw_broker_desk(b) && !o->held) tw_desk_leave(b->o.desk);
    if (o->held) tw_broker_keep(b, o, false);
}
