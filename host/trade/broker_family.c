/* broker_family.c - orders that depend on others: exits of a bracket, and groups of which
 * one cancels the others.
 *
 * Why one rule for all: whatever happens to one of a family, those of it that it concerns
 * are looked at, and what is open is to have the quantity of tw_order_wanted: what the
 * entry has traded without what the other exits have, but no more than its owner, or the
 * trades of its group, have left it.  Where it has a larger one, or is to get that, this
 * is asked for, or its cancel; where it has a smaller one, once there is an answer to
 * all that was asked for.  So what is refused, lost or passed by a trade is asked for
 * again by the next look.
 *
 * The simulator makes it so itself, as it trades; the book but for what the entry has
 * traded; a plain gateway nothing of it.
 */
#include "trade/broker_parts.h"

#include <uv.h>

#include "trade/plain.h"

enum { ENDED = -1, LOOK = 1 };       /* ENDED: its parent has, without a trade     */

enum { TRIES = 6 };                  /* refused so often, it stays as it is, till there
                                      * is a trade of the family again             */

static bool is_plain(const struct tw_broker *b)
{
    return b->o.gateway && b->o.gateway->is_plain;
}

/* ---- groups ---- */

/* They are sent one behind the other: what is older than the first is not of it. */
void tw_broker_join(const struct tw_broker *b, struct tw_order *o)
{
    struct tw_order *i = o->group ? b->open : NULL;

    while (i && (i == o || (i->id >= o->group && i->group != o->group))) i = i->next;
    if (!i || i->group != o->group) return;
    o->peer = i->peer ? i->peer : i;
    i->peer = o;
}

void tw_broker_leave(struct tw_order *o)
{
    struct tw_order *i = o->peer;

    if (!i) return;
    while (i->peer != o) i = i->peer;
    i->peer = o->peer != i ? o->peer : NULL;
    o->peer = NULL;
}

/* ---- who is to be looked at ---- */

/* It has its place there or later; where older ones have theirs. */
static struct tw_order **put_due(struct tw_order **link, struct tw_order *o, int8_t due)
{
    o->due = due;
    if (o->due_link) return link;
    while (*link && (*link)->id > o->id) link = &(*link)->next_due;
    o->next_due = *link;
    o->due_link = link;
    if (o->next_due) o->next_due->due_link = &o->next_due;
    *link = o;
    return &o->next_due;
}

void tw_broker_note_due(struct tw_broker *b, struct tw_order *o, int8_t due)
{
    put_due(&b->due, o, due);
}

void tw_broker_leave_due(struct tw_order *o)
{
    if (!o->due_link) return;
    *o->due_link = o->next_due;
    if (o->next_due) o->next_due->due_link = o->due_link;
    o->due_link = NULL;
}

/* Something has traded: there is another reason to ask. */
static void look_anew(struct tw_broker *b, struct tw_order *o)
{
    o->tries = 0;
    o->again_ns = 0;
    tw_broker_note_due(b, o, LOOK);
}

/* An exit has traded, or another one of a group. */
static void tell_peer(struct tw_broker *b, struct tw_order *i, const struct tw_order *o,
                      const struct tw_report *r)
{
    bool trades = r->exec == TW_EXEC_TRADE;
    int64_t left = tw_order_wanted(o) - o->cum_qty;
    int64_t most = i->cum_qty + (left > 0 ? left : 0);

    if (i == o || i->group != o->group) return;
    if (o->parent && i->parent == o->parent)
        i->others_qty += trades ? r->last_qty : -r->last_qty;
    if (is_plain(b) && trades && !tw_order_is_exit(i) && (!i->has_most || most < i->most))
        i->has_most = true, i->most = most;
    if (is_plain(b)) look_anew(b, i);
}

void tw_broker_traded(struct tw_broker *b, struct tw_order *o, const struct tw_report *r)
{
    if (!tw_report_is_trade(r) || o->group == 0) return;
    for (struct tw_order *i = o->peer; i && i != o; i = i->peer) tell_peer(b, i, o, r);
    if (!o->link)                                 /* it has ended before */
        for (struct tw_order *i = tw_broker_open_of(b, o->symbol, NULL); i;
             i = tw_broker_open_of(b, o->symbol, i))
            tell_peer(b, i, o, r);
}

static void tell_child(struct tw_broker *b, struct tw_order *child,
                       const struct tw_order *o)
{
    bool is_other = child->entry_qty != o->cum_qty;

    child->entry_qty = o->cum_qty;
    if (o->cum_qty > 0) child->is_orphan = false;
    if (o->cum_qty == 0 && !tw_order_is_open(o))
        tw_broker_note_due(b, child, ENDED);
    else if (is_other || (child->held && o->cum_qty > 0))
        look_anew(b, child);
}

/* Those that depend on it learn what it has traded, the last time when it has ended; and
 * of trades behind that. */
static void tell_children(struct tw_broker *b, struct tw_order *o,
                          const struct tw_report *r)
{
    struct tw_order *child = o->children;

    for (; child; child = child->sibling) tell_child(b, child, o);
    while (!tw_order_is_open(o) && o->children) tw_broker_leave_parent(o->children);
    if (!r->late) return;
    for (child = tw_broker_open_of(b, o->symbol, NULL); child;
         child = tw_broker_open_of(b, o->symbol, child))
        if (child->parent == o->id) tell_child(b, child, o);
}

/* Exits have traded all that there was of an entry, or are gone: what else trades would
 * have none, so its rest is canceled. */
static void end_entry(struct tw_broker *b, struct tw_order *o, const struct tw_report *r)
{
    bool has_gone = o->is_dropped && !tw_order_is_open(o);
    struct tw_order *entry = r->exec == TW_EXEC_TRADE || has_gone
                           ? tw_broker_find(b, o->parent) : NULL;

    if (!entry || !tw_order_is_open(entry)) return;
    if (tw_order_leaves_others(o) > 0 && (tw_order_is_open(o) || entry->children)) return;
    entry->over = b->o.gateway != NULL;
    if (entry->over) look_anew(b, entry);
    else tw_simulator_end(b->venue, entry, TW_EXEC_CANCELED, TW_REASON_OCO, b->now_ns);
}

static bool is_busy(const struct tw_order *o)
{
    return o->requests > 0 || o->pending_replace;
}

/* What was asked for here was refused, or the venue has made it another size: again at
 * once, then after 1, 2, 4 and 8 seconds; that it is in vain is told. */
static void note_answer(struct tw_broker *b, struct tw_order *o,
                        const struct tw_report *r)
{
    bool is_refusal = r->exec == TW_EXEC_CANCEL_REJECTED ? o->is_asked
                    : r->exec == TW_EXEC_REPLACED && o->quantity != tw_order_wanted(o);

    if (is_busy(o)) return;
    o->coming = 0;
    if (is_refusal || r->exec == TW_EXEC_REPLACED) o->is_asked = o->is_dropped = false;
    if (!is_refusal || o->tries == TRIES) return;
    if (++o->tries == TRIES)
        tw_broker_say(b, o, TW_EXEC_CANCEL_REJECTED, TW_REASON_EXIT_SIZE);
    else if (o->tries > 1)
        o->again_ns = b->now_ns + (TW_FIXED_ONE << (o->tries - 2));
}

void tw_broker_relate(struct tw_broker *b, struct tw_order *o, const struct tw_report *r)
{
    if (o->children || r->late) tell_children(b, o, r);
    if (o->parent) end_entry(b, o, r);
    if (!b->o.gateway || !(o->group || o->over) || !tw_order_is_open(o)) return;
    if (tw_report_is_trade(r)) look_anew(b, o);
    note_answer(b, o, r);
    if (is_plain(b) || o->over) tw_broker_note_due(b, o, o->due ? o->due : LOOK);
}

/* ---- what comes of a look ---- */

/* What its entry has closed is not there for it either, as what another exit has traded;
 * room: what it can reduce, 0: not known. */
static void leave_closed(struct tw_order *o, int64_t room)
{
    int64_t n = o->entry_qty - o->others_qty - o->cum_qty;

    if (room > 0 && room < n) o->others_qty += n - room;
}

static void ask_later(struct tw_broker *b, const struct tw_order *o)
{
    if (o->again_ns < b->again_ns) b->again_ns = o->again_ns;
}

/* At a gateway: what is wanted is asked for; 0: its end. */
static void ask_for(struct tw_broker *b, struct tw_order *o, int64_t wanted)
{
    const struct tw_gateway *g = b->o.gateway;
    struct tw_order *entry = tw_broker_find(b, o->parent);
    int rc = wanted ? g->replace(g->ctx, o, wanted, 0, 0) : g->cancel(g->ctx, o);

    if (entry && !wanted) entry->has_dropped = true;
    if (rc == UV_ENOMEM) {
        b->lost = true;
    } else if (rc == TW_ECLOSED) {
        o->again_ns = b->now_ns + TW_FIXED_ONE;
        ask_later(b, o);
    } else {
        o->is_asked = true;
        if (!wanted) o->is_dropped = true;
        if (wanted && rc == TW_OK)
            tw_broker_asks(b, o, wanted, o->price), o->coming = wanted;
        tw_broker_say(b, o, rc < 0 ? TW_EXEC_CANCEL_REJECTED
                          : wanted ? TW_EXEC_PENDING_REPLACE : TW_EXEC_PENDING_CANCEL,
                      rc < 0 ? tw_plain_reason(rc) : TW_REASON_NONE);
    }
}

/* It is at the venue. */
static void settle(struct tw_broker *b, struct tw_order *o)
{
    const struct tw_gateway *g = b->o.gateway;
    int64_t wanted = tw_order_wanted(o);
    int64_t coming = o->coming ? o->coming : o->quantity;
    bool goes = wanted <= o->cum_qty, grows = wanted > coming;

    if (!g) {
        if (grows) tw_simulator_resize(b->venue, o, wanted, b->now_ns);
    } else if (!g->is_plain && !o->over) {
        if (grows && g->grow && !b->is_halted)
            b->lost |= g->grow(g->ctx, o, wanted) == UV_ENOMEM;
    } else if (!o->pending_cancel && o->tries < TRIES
               && (goes || wanted < coming
                   || (grows && !is_busy(o) && !b->is_halted))) {
        if (o->again_ns <= b->now_ns) ask_for(b, o, goes ? 0 : wanted);
        else ask_later(b, o);
    }
}

/* It waits no longer, unless its entry, which trades on, has only closed what was held
 * the other way round so far. */
static void release(struct tw_broker *b, struct tw_order *o)
{
    int64_t room = o->reduce_only ? tw_broker_room(b, o, 0) : INT64_MAX;

    if (room == 0 && tw_broker_find(b, o->parent)) return;
    leave_closed(o, room);
    tw_broker_release(b, o, tw_order_wanted(o));
}

/* Something that it depends on has traded, or has ended. */
static void follow(struct tw_broker *b, struct tw_order *o)
{
    int8_t due = o->due;

    o->due = 0;
    if (!o->held) settle(b, o);
    else if (due == ENDED) tw_broker_say(b, o, TW_EXEC_CANCELED, TW_REASON_PARENT);
    else if (tw_order_wanted(o) > 0 && o->entry_qty > 0) release(b, o);
}

/* The newest first; what becomes due meanwhile has its turn after the older ones, or in
 * the next round. */
TW_APART void tw_broker_follow_all(struct tw_broker *b)
{
    while (b->due) {
        struct tw_order *o = b->due;
        uint64_t last;

        do {
            last = o->id;
            tw_broker_leave_due(o);
            if (o->due != 0) follow(b, o);
            o = b->due;
            while (o && o->id > last) o = o->next_due;
        } while (o);
    }
}

TW_APART void tw_broker_ask_again(struct tw_broker *b)
{
    struct tw_order **at = &b->due;

    b->again_ns = INT64_MAX;
    for (struct tw_order *o = b->open; o; o = o->next) {
        if (o->again_ns == 0) continue;
        if (o->again_ns <= b->now_ns) at = put_due(at, o, LOOK);
        else ask_later(b, o);
    }
}

/* ---- those of a former run, and what is open again ---- */

void tw_broker_rejoin(struct tw_broker *b, struct tw_order *o, int64_t parent_qty)
{
    const struct tw_order *parent = tw_broker_find(b, o->parent);

    if (!o->parent) return;
    if (parent && parent->cum_qty > parent_qty) parent_qty = parent->cum_qty;
    if (parent_qty > 0) o->entry_qty = parent_qty;
    if (!o->held && o->reduce_only) {         /* it does not get smaller by that */
        int64_t room = tw_broker_room(b, o, 0), left = o->quantity - o->cum_qty;

        leave_closed(o, room > 0 && room < left ? left : room);
    }
    o->is_orphan = o->entry_qty == 0;
    if (o->held && !parent && o->is_orphan) tw_broker_note_due(b, o, ENDED);
    else if (o->entry_qty > 0) look_anew(b, o);
}

/* Of an entry: it goes if what else it trades would have no exit. */
void tw_broker_reopen(struct tw_broker *b, struct tw_order *o)
{
    struct tw_order *child = tw_broker_open_of(b, o->symbol, NULL);
    bool bare;

    o->is_asked = o->is_dropped = false;
    if (o->parent && o->reduce_only) leave_closed(o, tw_broker_room(b, o, 0));
    for (; child; child = tw_broker_open_of(b, o->symbol, child))
        if (child->parent == o->id) tw_broker_join_parent(child, o);
    bare = o->cum_qty <= o->others_qty || !o->children;
    o->over = !o->parent && o->quantity > o->others_qty
           && (o->over || ((o->others_qty > 0 || o->has_dropped) && bare));
}
