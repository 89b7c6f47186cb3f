/* risk.c - what is checked before an order goes anywhere. */
#include "trade/risk.h"

#include "trade/terms.h"

static int64_t magnitude(int64_t v)
{
    return v < 0 ? -v : v;
}

static bool is_on_grid(int64_t v, int64_t step)
{
    return step <= 0 || v % step == 0;
}

bool tw_risk_reduces(const struct tw_order *o, const struct tw_exposure *now)
{
    int64_t held = -tw_order_sign(o) * now->position;
    int64_t open = o->side == TW_SIDE_BUY ? now->buying : now->selling;

    return o->quantity + open <= held;
}

/* Where its own orders could meet it. */
static bool matches_itself(const struct tw_order *o, const struct tw_exposure *now)
{
    bool has_price = o->price != 0;

    if (o->side == TW_SIDE_BUY)
        return now->best_ask && (!has_price || o->price >= now->best_ask);
    return now->best_bid && (!has_price || o->price <= now->best_bid);
}

static bool is_too_far(const struct tw_limits *l, int64_t price, int64_t from)
{
    return price != 0 && from != 0
        && magnitude(price - from) > tw_money_ratio(from, l->collar, TW_FIXED_ONE);
}

static enum tw_reason check_size(const struct tw_limits *l, const struct tw_order *o,
                                 const struct tw_exposure *now)
{
    int64_t price = o->price ? o->price : o->stop ? o->stop : now->price;

    if (l->order_quantity && o->quantity > l->order_quantity)
        return TW_REASON_ORDER_SIZE;
    if (l->order_value && tw_terms_value(o->terms, price, o->quantity) > l->order_value)
        return TW_REASON_ORDER_VALUE;
    if (l->collar && (is_too_far(l, o->price, now->price)
                      || is_too_far(l, o->stop, now->price)))
        return TW_REASON_COLLAR;
    return TW_REASON_NONE;
}

/* What it would make of the position. */
static enum tw_reason check_position(const struct tw_limits *l, const struct tw_order *o,
                                     const struct tw_exposure *now)
{
    int64_t held = tw_order_sign(o) * now->position;
    int64_t open = o->side == TW_SIDE_BUY ? now->buying : now->selling;
    int64_t price = o->price ? o->price : o->stop ? o->stop : now->price;
    int64_t more = o->quantity;
    tw_money costs;

    if (o->reduce_only && held >= 0) return TW_REASON_REDUCE_ONLY;
    if (o->reduce_only || tw_risk_reduces(o, now)) return TW_REASON_NONE;
    if (l->position && held + open + o->quantity > l->position) return TW_REASON_POSITION;
    if (l->daily_loss && now->lost >= l->daily_loss) return TW_REASON_DAILY_LOSS;
    if (!l->buying_power) return TW_REASON_NONE;
    if (held < 0) more += held;           /* the rest closes what is held */
    if (o->terms && o->terms->margin) costs = tw_money_value(o->terms->margin, more);
    else costs = tw_terms_value(o->terms, price, more);
    return costs > now->free ? TW_REASON_BUYING_POWER : TW_REASON_NONE;
}

enum tw_reason tw_risk_check(const struct tw_limits *l, const struct tw_order *o,
                             const struct tw_exposure *now)
{
    enum tw_reason why;

    if (o->terms && !is_on_grid(o->quantity, o->terms->lot)) return TW_REASON_LOT;
    if (o->terms && (!is_on_grid(o->price, o->terms->tick)
                     || !is_on_grid(o->stop, o->terms->tick)))
        return TW_REASON_TICK;
    if (l->open_orders && now->open_orders >= l->open_orders)
        return TW_REASON_OPEN_ORDERS;
    if (l->orders && now->recent >= l->orders) return TW_REASON_ORDER_RATE;
    why = check_size(l, o, now);
    if (why == TW_REASON_NONE) why = check_position(l, o, now);
    if (why == TW_REASON_NONE && l->self_match && matches_itself(o, now))
        why = TW_REASON_SELF_MATCH;
    return why;
}

/* ---- the desk ---- */

void tw_desk_halt(struct tw_desk *d, bool halted)
{
    /* order [desk.halted] seq_cst: who asks after this returned finds it */
    atomic_store_explicit(&d->halted, halted, memory_order_seq_cst);
}

bool tw_desk_is_halted(const struct tw_desk *d)
{
    /* order [desk.halted] seq_cst: see tw_desk_halt */
    return atomic_load_explicit(&d->halted, memory_order_seq_cst);
}

static int64_t add(_Atomic int64_t *v, int64_t more)
{
    /* order [desk.counts] relaxed: a count alone, nothing hangs on it */
    return atomic_fetch_add_explicit(v, more, memory_order_relaxed) + more;
}

static int64_t get(const _Atomic int64_t *v)
{
    /* order [desk.counts] relaxed: likewise */
    return atomic_load_explicit(v, memory_order_relaxed);
}

/* Orders in the second of event time that is the latest so far. */
static bool is_too_often(struct tw_desk *d, int64_t time_ns)
{
    int64_t second = time_ns / TW_FIXED_ONE, now = get(&d->second);

    while (second > now) {
        /* order [desk.counts] relaxed: likewise */
        if (!atomic_compare_exchange_weak_explicit(&d->second, &now, second,
                memory_order_relaxed, memory_order_relaxed))
            continue;
        /* order [desk.counts] relaxed: likewise */
        atomic_store_explicit(&d->sent, 0, memory_order_relaxed);
        break;
    }
    return add(&d->sent, 1) > (int64_t)d->orders;
}

enum tw_reason tw_desk_enter(struct tw_desk *d, int64_t time_ns, bool reduces_only)
{
    if (tw_desk_is_halted(d)) return TW_REASON_HALTED;
    if (d->daily_loss && !reduces_only && get(&d->lost) >= d->daily_loss)
        return TW_REASON_DAILY_LOSS;
    if (d->orders && is_too_often(d, time_ns)) return TW_REASON_ORDER_RATE;
    if (add(&d->open, 1) <= (int64_t)d->open_orders || d->open_orders == 0)
        return TW_REASON_NONE;
    add(&d->open, -1);
    return TW_REASON_OPEN_ORDERS;
}

void tw_desk_leave(struct tw_desk *d)
{
    add(&d->open, -1);
}

void tw_desk_add_loss(struct tw_desk *d, int64_t more)
{
    add(&d->lost, more);
}
