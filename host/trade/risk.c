/* risk.c - what is checked before an order goes anywhere. */
#include "trade/risk.h"

#include "base/clock.h"
#include "base/memory.h"
#include "trade/terms.h"

#define EPOCH_S INT64_C(9223372037)     /* after the first second that there is */

static tw_money magnitude(tw_money v)
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
    tw_money open = o->side == TW_SIDE_BUY ? now->buying : now->selling;

    return o->reduce_only || o->quantity + open <= held;
}

void tw_risk_best(uint8_t side, int64_t price, int64_t *bid, int64_t *ask)
{
    bool buys = side == TW_SIDE_BUY;

    if (!price) price = buys ? INT64_MAX : 1;
    if (buys && price > *bid) *bid = price;
    if (!buys && (!*ask || price < *ask)) *ask = price;
}

/* Where its own orders could meet it. */
static bool matches_itself(const struct tw_order *o, const struct tw_exposure *now)
{
    bool has_price = o->price != 0;

    if (o->side == TW_SIDE_BUY)
        return now->best_ask && (!has_price || o->price >= now->best_ask);
    return now->best_bid && (!has_price || o->price <= now->best_bid);
}

/* The last price may be below 0. */
static bool is_too_far(const struct tw_limits *l, int64_t price, int64_t from)
{
    return price != 0 && from != 0
        && magnitude((tw_money)price - from)
           > tw_money_ratio(magnitude(from), l->collar, TW_FIXED_ONE);
}

tw_money tw_risk_value(const struct tw_order *o, const struct tw_exposure *now)
{
    int64_t price = o->price ? o->price : o->stop ? o->stop : now->price;
    tw_money value = magnitude(tw_terms_value(o->terms, price, o->quantity));

    return now->rate == TW_FIXED_ONE ? value
                                     : tw_money_ratio(value, now->rate, TW_FIXED_ONE);
}

/* An exit of a bracket closes what its entry, which was asked this, has opened; what else
 * only reduces is as large as what is held at most. */
static enum tw_reason check_size(const struct tw_limits *l, const struct tw_order *o,
                                 const struct tw_exposure *now)
{
    if (o->parent) return TW_REASON_NONE;
    if (l->order_quantity && !o->reduce_only && o->quantity > l->order_quantity)
        return TW_REASON_ORDER_SIZE;
    if (l->order_value && !o->reduce_only && tw_risk_value(o, now) > l->order_value)
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
    int64_t most = l->position ? l->position : INT64_MAX;
    int64_t held = tw_order_sign(o) * now->position;
    tw_money open = o->side == TW_SIDE_BUY ? now->buying : now->selling;
    int64_t price = o->price ? o->price : o->stop ? o->stop : now->price;
    int64_t more = o->quantity;
    tw_money costs;

    if (o->reduce_only && held >= 0) return TW_REASON_REDUCE_ONLY;
    if (tw_risk_reduces(o, now)) return TW_REASON_NONE;
    if (held + open + o->quantity > most) return TW_REASON_POSITION;
    if (l->daily_loss && now->lost >= l->daily_loss) return TW_REASON_DAILY_LOSS;
    if (!l->buying_power) return TW_REASON_NONE;
    if (held < 0) more = more + held > 0 ? more + held : 0;   /* the rest closes */
    if (o->terms && o->terms->margin) costs = tw_money_value(o->terms->margin, more);
    else costs = tw_terms_value(o->terms, price, more);
    return costs > now->free ? TW_REASON_BUYING_POWER : TW_REASON_NONE;
}

/* The newest are within the time. */
unsigned tw_risk_recent(const struct tw_limits *l, const int64_t *ring, uint64_t n,
                        int64_t now_ns)
{
    unsigned low = 0, high = n < l->orders ? (unsigned)n : l->orders;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (ring[(n - 1 - middle) % l->orders] > now_ns - l->per_ns) low = middle + 1;
        else high = middle;
    }
    return low;
}

enum tw_reason tw_risk_check(const struct tw_limits *l, const struct tw_order *o,
                             const struct tw_exposure *now)
{
    enum tw_reason why;

    if (o->terms && !o->parent && !is_on_grid(o->quantity, o->terms->lot)
        && o->quantity != -tw_order_sign(o) * now->position)      /* closes all of it */
        return TW_REASON_LOT;
    if (o->terms && (!is_on_grid(o->price, o->terms->tick)
                     || !is_on_grid(o->stop, o->terms->tick)))
        return TW_REASON_TICK;
    if (l->open_orders && !o->reduce_only && now->open_orders >= l->open_orders)
        return TW_REASON_OPEN_ORDERS;
    if (l->orders && !o->parent && now->recent >= l->orders) return TW_REASON_ORDER_RATE;
    why = check_size(l, o, now);
    if (why == TW_REASON_NONE) why = check_position(l, o, now);
    if (why == TW_REASON_NONE && l->self_match && !o->parent && matches_itself(o, now))
        why = TW_REASON_SELF_MATCH;
    return why;
}

/* ---- the desk ---- */

void tw_desk_init(struct tw_desk *d, const struct tw_limits *limits)
{
    *d = (struct tw_desk){ .limits = *limits, .day_ns = INT64_MIN };
    pthread_mutex_init(&d->lock, NULL);
}

void tw_desk_fini(struct tw_desk *d)
{
    for (unsigned i = 0; i < TW_DESK_PAGE; i++) {
        /* order [desk.page] relaxed: nobody else is left */
        struct tw_desk_symbol *page = atomic_load_explicit(&d->page[i],
                                                           memory_order_relaxed);

        for (unsigned s = 0; page && s < TW_DESK_PAGE; s++)
            for (struct tw_desk_quote *q = page[s].quotes, *next; q; q = next) {
                next = q->next;
                tw_free(q);
            }
        tw_free(page);
    }
    pthread_mutex_destroy(&d->lock);
}

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

struct tw_desk_symbol *tw_desk_symbol(struct tw_desk *d, uint32_t symbol)
{
    struct tw_desk_symbol *_Atomic *at = &d->page[symbol / TW_DESK_PAGE];
    /* order [desk.page] acquire: the page is all 0 */
    struct tw_desk_symbol *page = atomic_load_explicit(at, memory_order_acquire), *made;

    if (!page) {
        made = tw_calloc(TW_DESK_PAGE, sizeof *made);
        if (!made) return NULL;
        /* order [desk.page] acq_rel: the page is all 0 before another thread sees it;
         * where that was first, its page is */
        if (atomic_compare_exchange_strong_explicit(at, &page, made,
                memory_order_acq_rel, memory_order_acquire))
            page = made;
        else
            tw_free(made);
    }
    return &page[symbol % TW_DESK_PAGE];
}

void tw_desk_share(struct tw_desk_symbol *s, int64_t buying, int64_t selling)
{
    if (buying) add(&s->buying, buying);
    if (selling) add(&s->selling, selling);
}

struct tw_desk_quote *tw_desk_quote_new(struct tw_desk *d, struct tw_desk_symbol *s,
                                        uint64_t venue)
{
    struct tw_desk_quote *q = tw_calloc(1, sizeof *q);

    if (!q) return NULL;
    q->venue = venue;
    pthread_mutex_lock(&d->lock);
    q->next = s->quotes;
    s->quotes = q;
    pthread_mutex_unlock(&d->lock);
    return q;
}

void tw_desk_quote_set(struct tw_desk *d, struct tw_desk_quote *q, int64_t bid,
                       int64_t ask)
{
    pthread_mutex_lock(&d->lock);
    q->bid = bid;
    q->ask = ask;
    pthread_mutex_unlock(&d->lock);
}

bool tw_desk_quote_enter(struct tw_desk *d, struct tw_desk_symbol *s,
                         struct tw_desk_quote *q, const struct tw_order *o)
{
    struct tw_exposure all = { .best_bid = 0 };
    bool meets;

    pthread_mutex_lock(&d->lock);
    for (const struct tw_desk_quote *i = s->quotes; i; i = i->next) {
        if (i->venue != q->venue) continue;
        if (i->bid > all.best_bid) all.best_bid = i->bid;
        if (i->ask && (!all.best_ask || i->ask < all.best_ask)) all.best_ask = i->ask;
    }
    meets = !o->parent && matches_itself(o, &all);
    if (!meets) tw_risk_best(o->side, o->price, &q->bid, &q->ask);
    pthread_mutex_unlock(&d->lock);
    return !meets;
}

int64_t tw_desk_take(const struct tw_desk *d, struct tw_desk_symbol *s, bool buys,
                     int64_t more)
{
    _Atomic int64_t *sum = buys ? &s->buying : &s->selling;
    int64_t now = get(sum);
    tw_money left;

    do {
        left = d->limits.position ? (tw_money)d->limits.position - now : more;
        if (left <= 0) return 0;
        if (more > left) more = (int64_t)left;
        /* order [desk.counts] relaxed: likewise */
    } while (!atomic_compare_exchange_weak_explicit(sum, &now, now + more,
                 memory_order_relaxed, memory_order_relaxed));
    return more;
}

/* With what is counted in already. */
static bool is_above(const struct tw_desk *d, const struct tw_desk_symbol *s, bool buys)
{
    return s && d->limits.position
        && get(buys ? &s->buying : &s->selling) > d->limits.position;
}

enum tw_reason tw_desk_check(const struct tw_desk *d, const struct tw_desk_symbol *s,
                             const struct tw_order *o, const struct tw_exposure *now)
{
    enum tw_reason why = check_size(&d->limits, o, now);

    if (why == TW_REASON_NONE && !o->parent && !o->reduce_only
        && is_above(d, s, o->side == TW_SIDE_BUY))
        why = TW_REASON_NET_POSITION;
    if (why == TW_REASON_NONE && d->limits.daily_loss && !tw_risk_reduces(o, now)
        && get(&d->lost) >= d->limits.daily_loss)
        why = TW_REASON_DAILY_LOSS;
    return why;
}

/* Orders in the second of event time that is the latest so far. */
static bool is_too_often(struct tw_desk *d, int64_t time_ns)
{
    int64_t second = tw_clock_spans(time_ns, TW_FIXED_ONE) + EPOCH_S;
    int64_t now = get(&d->second);

    while (second > now) {
        /* order [desk.counts] relaxed: likewise */
        if (!atomic_compare_exchange_weak_explicit(&d->second, &now, second,
                memory_order_relaxed, memory_order_relaxed))
            continue;
        /* order [desk.counts] relaxed: likewise */
        atomic_store_explicit(&d->sent, 0, memory_order_relaxed);
        break;
    }
    return add(&d->sent, 1) > (int64_t)d->limits.orders;
}

enum tw_reason tw_desk_enter(struct tw_desk *d, const struct tw_order *o, int64_t time_ns)
{
    if (tw_desk_is_halted(d)) return TW_REASON_HALTED;
    if (d->limits.orders && is_too_often(d, time_ns) && !o->parent)
        return TW_REASON_ORDER_RATE;
    if (add(&d->open, 1) <= (int64_t)d->limits.open_orders || d->limits.open_orders == 0
        || o->reduce_only)
        return TW_REASON_NONE;
    add(&d->open, -1);
    return TW_REASON_OPEN_ORDERS;
}

void tw_desk_add(struct tw_desk *d)
{
    add(&d->open, 1);
}

void tw_desk_leave(struct tw_desk *d)
{
    add(&d->open, -1);
}

void tw_desk_tell_loss(struct tw_desk *d, struct tw_desk_loss *told, int64_t day_ns,
                       int64_t lost)
{
    if (told->lost == lost && told->day_ns == day_ns) return;
    pthread_mutex_lock(&d->lock);
    if (day_ns > d->day_ns) {
        add(&d->lost, -get(&d->lost));
        d->day_ns = day_ns;
    }
    if (told->day_ns == d->day_ns) add(&d->lost, -told->lost);
    if (day_ns == d->day_ns) add(&d->lost, lost);
    pthread_mutex_unlock(&d->lock);
    *told = (struct tw_desk_loss){ day_ns, lost };
}
