/* broker_risk.c - what a broker's orders are checked for: its own limits, then those of
 * all strategies, which are told what it has.
 */
#include "trade/broker_parts.h"

#include "trade/plain.h"

/* All of a group may trade. */
static bool is_apart(const struct tw_broker *b, const struct tw_order *o)
{
    return !o->parent && b->o.gateway && b->o.gateway->is_plain;
}

int64_t tw_broker_beyond(const struct tw_broker *b, const struct tw_order *o)
{
    int64_t most = 0, own = tw_broker_leaves(o);

    if (!o->peer || is_apart(b, o)) return own;
    for (const struct tw_order *i = o->peer; i && i != o; i = i->peer) {
        int64_t left = i->side == o->side && !i->held ? tw_broker_leaves(i) : 0;

        if (left > most) most = left;
    }
    return own > most ? own - most : 0;
}

/* ---- what it has ---- */

int64_t tw_broker_size(const struct tw_broker *b, const struct tw_order *o, int64_t price)
{
    int64_t rate = tw_account_rate(b->account, o->terms ? o->terms->currency : 0);
    int64_t lot = o->terms && o->terms->lot ? o->terms->lot : 1;
    tw_money worth = tw_terms_value(o->terms, price, TW_FIXED_ONE), n;
    tw_money equity = tw_account_equity(b->account);
    double product = (double)equity * (double)o->part;

    if (worth <= 0 || rate <= 0 || equity <= 0) return 0;
    if (product > 1e38 || product / (double)rate > 1e29) return INT64_MAX;
    n = equity * o->part / rate * TW_FIXED_ONE / worth / lot * lot;
    return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

bool tw_broker_has_rate(const struct tw_broker *b, const struct tw_order *o)
{
    return tw_account_rate(b->account, o->terms ? o->terms->currency : 0) > 0;
}

static tw_money least(tw_money a, tw_money b)
{
    return a < b ? a : b;
}

/* The open orders without the order itself. */
static void add_open(const struct tw_broker *b, const struct tw_order *o,
                     struct tw_exposure *now)
{
    const struct open *sum = &b->sum[o->symbol];
    bool counts = o->link && !o->held, buys = o->side == TW_SIDE_BUY;
    int64_t own = counts ? tw_broker_leaves(o) : 0;

    now->open_orders = b->n_open - b->n_held - counts;
    now->buying = sum->buying - (buys ? own : 0);
    now->selling = sum->selling - (buys ? 0 : own);
}

/* The best prices among them, without that order.  What is asked to be canceled is gone
 * where the next one comes to: cancels go the same way, before it. */
static void add_best(const struct tw_broker *b, uint32_t symbol, const struct tw_order *o,
                     struct tw_exposure *now)
{
    for (const struct tw_order *i = b->sum[symbol].orders; i; i = i->next_of) {
        if (i == o || i->held || i->pending_cancel) continue;
        tw_risk_best(i->side, i->price, &now->best_bid, &now->best_ask);
        if (i->asked_price)
            tw_risk_best(i->side, i->asked_price, &now->best_bid, &now->best_ask);
    }
}

/* ---- what the desk knows ---- */

bool tw_broker_meet(struct tw_broker *b, uint32_t symbol)
{
    struct tw_desk *d = tw_broker_desk(b);
    struct open *sum = &b->sum[symbol];

    if (!sum->all) sum->all = tw_desk_symbol(d, symbol);
    if (!sum->all) return false;
    if (!d->limits.self_match) return true;
    if (!sum->quote) sum->quote = tw_desk_quote_new(d, sum->all, b->o.venue);
    return sum->quote != NULL;
}

/* It may be at the best price: who comes after it has another one. */
static bool is_best(const struct tw_desk_quote *q, const struct tw_order *o)
{
    int64_t bid = 0, ask = 0;

    if (o->asked_price) return true;
    tw_risk_best(o->side, o->price, &bid, &ask);
    return bid ? bid == q->bid : ask == q->ask;
}

static void share_prices(struct tw_broker *b, struct open *sum, uint32_t symbol)
{
    struct tw_exposure now = { .best_bid = 0 };

    add_best(b, symbol, NULL, &now);
    tw_desk_quote_set(b->o.desk, sum->quote, now.best_bid, now.best_ask);
}

/* For the desk. */
static int64_t bounded(tw_money v)
{
    return v > INT64_MAX ? INT64_MAX : v < -INT64_MAX ? -INT64_MAX : (int64_t)v;
}

void tw_broker_share(struct tw_broker *b, const struct tw_order *o, bool other_price)
{
    struct open *sum = o->symbol < b->n_sums ? &b->sum[o->symbol] : NULL;
    const struct tw_position *p;
    int64_t held, buying, selling;

    if (!sum || !sum->all) return;
    p = tw_account_find(b->account, o->symbol);
    held = p ? p->quantity : 0;
    buying = bounded(held + sum->buying);
    selling = bounded(sum->selling - held);
    tw_desk_share(sum->all, buying - sum->told_buying, selling - sum->told_selling);
    sum->told_buying = buying;
    sum->told_selling = selling;
    if (sum->quote && (other_price || ((!tw_order_is_open(o) || o->pending_cancel)
                                       && is_best(sum->quote, o))))
        share_prices(b, sum, o->symbol);
}

void tw_broker_unshare(struct tw_broker *b)
{
    for (size_t i = 0; i < b->n_sums; i++) {
        struct open *sum = &b->sum[i];

        if (!sum->all) continue;
        tw_desk_share(sum->all, -sum->told_buying, -sum->told_selling);
        if (sum->quote) tw_desk_quote_set(b->o.desk, sum->quote, 0, 0);
    }
}

/* ---- checks ---- */

/* What 1 of the desk's currency costs in the account's; 0: not known. */
static int64_t desk_rate(const struct tw_broker *b)
{
    if (b->desk_currency <= 0) return b->desk_currency < 0 ? 0 : TW_FIXED_ONE;
    return tw_account_rate(b->account, (uint32_t)b->desk_currency);
}

static tw_money lost_today(const struct tw_broker *b)
{
    return b->day_equity - tw_broker_made(b);
}

static tw_money cost_of(const struct tw_broker *b, const struct tw_order *o, int64_t n)
{
    int64_t price = o->price ? o->price : o->stop;
    int64_t rate = tw_account_rate(b->account, o->terms ? o->terms->currency : 0);
    tw_money cost;

    if (!price) price = tw_broker_price(b, o->symbol);
    cost = o->terms && o->terms->margin ? tw_money_value(o->terms->margin, n)
                                        : tw_terms_value(o->terms, price, n);
    if (cost <= 0) return 0;
    return rate == TW_FIXED_ONE ? cost : tw_money_ratio(cost, rate, TW_FIXED_ONE);
}

/* What the costs of a side come to without what only closes. */
static tw_money enlarging(const struct open *sum, bool buys, tw_money closes)
{
    tw_money may = sum->may[buys];

    if (closes >= may) return 0;
    if (closes <= 0 || may > INT64_MAX) return sum->costs[buys];
    return tw_money_ratio(sum->costs[buys], (int64_t)(may - closes), (int64_t)may);
}

/* What an open order may trade, and cost.  Of a group the newest of a side stands for
 * all: with the most that any of them may. */
static int64_t may_cost(const struct tw_broker *b, const struct tw_order *o,
                        tw_money *cost)
{
    int64_t most = tw_broker_leaves(o);

    *cost = cost_of(b, o, most);
    if (is_apart(b, o)) return most;
    for (const struct tw_order *i = o->peer; i && i != o; i = i->peer) {
        int64_t may = tw_broker_leaves(i);
        tw_money costs = cost_of(b, i, may);

        if (i->side != o->side || i->held || i->reduce_only) continue;
        if (i->id > o->id) return 0;
        if (may > most) most = may;
        if (costs > *cost) *cost = costs;
    }
    return most;
}

/* What the open orders may cost, without the order itself, which closes first: of each
 * instrument the side that costs more; of the order's own, its side; of its group, whose
 * others were asked this as it is, what they may trade beyond it. */
static tw_money taken(const struct tw_broker *b, const struct tw_order *o)
{
    tw_money all = 0;

    for (const struct tw_order *i = b->open; i; i = i->next) {
        bool buys = i->side == TW_SIDE_BUY;
        tw_money cost;
        int64_t may;

        if (i == o || i->held || i->reduce_only) continue;
        if (i->group == 0 || i->group != o->group) may = may_cost(b, i, &cost);
        else cost = cost_of(b, i, may = tw_broker_beyond(b, i));
        if (may <= 0) continue;
        b->sum[i->symbol].may[buys] += may;
        b->sum[i->symbol].costs[buys] += cost;
    }
    for (const struct tw_order *i = b->open; i; i = i->next) {
        struct open *sum = &b->sum[i->symbol];
        const struct tw_position *p;
        tw_money held, buys, sells;

        if ((sum->may[0] | sum->may[1]) == 0) continue;
        p = tw_account_find(b->account, i->symbol);
        held = p ? p->quantity : 0;
        if (i->symbol == o->symbol) held += tw_order_sign(o) * o->quantity;
        buys = enlarging(sum, true, -held);
        sells = enlarging(sum, false, held);
        if (i->symbol != o->symbol) all += buys > sells ? buys : sells;
        else all += o->side == TW_SIDE_BUY ? buys : sells;
        sum->costs[0] = sum->costs[1] = 0;
        sum->may[0] = sum->may[1] = 0;
    }
    return all;
}

/* Without the order itself. */
static struct tw_exposure exposure(const struct tw_broker *b, const struct tw_order *o)
{
    const struct tw_position *p = tw_account_find(b->account, o->symbol);
    struct tw_exposure now = { .position = p ? p->quantity : 0,
                               .price = tw_broker_price(b, o->symbol) };
    int64_t rate = tw_account_rate(b->account, o->terms ? o->terms->currency : 0);

    now.rate = rate;
    add_open(b, o, &now);
    if (b->o.limits.self_match) add_best(b, o->symbol, o, &now);
    now.recent = tw_risk_recent(&b->o.limits, b->sent, b->n_sent, b->clock_ns);
    if (b->o.limits.daily_loss) now.lost = lost_today(b);
    if (b->o.limits.buying_power)
        now.free = rate ? tw_money_ratio(tw_account_free_cash(b->account) - taken(b, o),
                                         TW_FIXED_ONE, rate) : 0;
    return now;
}

/* What 1 of the instrument's currency costs in the desk's; 0: not known. */
static int64_t rate_for_desk(const struct tw_broker *b, int64_t rate)
{
    int64_t its = desk_rate(b);

    if (its == TW_FIXED_ONE) return rate;
    return its > 0 ? (int64_t)tw_money_ratio(rate, TW_FIXED_ONE, its) : 0;
}

/* ---- parts of the equity ---- */

/* So much of n, which has that value, as a limit leaves. */
static tw_money worth(tw_money n, tw_money value, tw_money limit)
{
    while (value > INT64_MAX) {
        value = value / 2 + 1;
        limit /= 2;
    }
    return value <= limit ? n : limit > 0 ? n * limit / value : 0;
}

/* Of n, which its part buys at the price, what limits of amounts leave. */
static tw_money within_amounts(const struct tw_broker *b, const struct tw_order *o,
                               int64_t price, tw_money n)
{
    const struct tw_limits *l = &b->o.limits;
    const struct tw_desk *d = tw_broker_desk(b);
    struct tw_exposure now = exposure(b, o);
    struct tw_order as = *o;
    tw_money closes = -tw_order_sign(o) * (tw_money)now.position, cost;

    as.price = price;
    as.quantity = (int64_t)n;
    if (l->order_value) n = worth(n, tw_risk_value(&as, &now), l->order_value);
    as.quantity = (int64_t)n;
    now.rate = rate_for_desk(b, now.rate);
    if (d && d->limits.order_value)
        n = worth(n, tw_risk_value(&as, &now), d->limits.order_value);
    if (closes < 0) closes = 0;
    if (!l->buying_power || n <= closes) return n;
    n -= closes;
    cost = o->terms && o->terms->margin ? tw_money_value(o->terms->margin, (int64_t)n)
                                        : tw_terms_value(o->terms, price, (int64_t)n);
    return closes + worth(n, cost, now.free);
}

/* Of what its part buys as prices are, what its own limits leave beside all that is open:
 * so much as it was checked for at least. */
static int64_t part_within(const struct tw_broker *b, const struct tw_order *o,
                           int64_t price)
{
    const struct tw_limits *l = &b->o.limits;
    const struct tw_desk *d = tw_broker_desk(b);
    const struct open *sum = &b->sum[o->symbol];
    tw_money more = (l->position ? l->position : INT64_MAX)
                  - tw_order_sign(o) * (tw_money)tw_broker_held(b, o->symbol)
                  - (o->side == TW_SIDE_BUY ? sum->buying : sum->selling);
    tw_money n = tw_broker_size(b, o, price);

    if (n == 0) return 0;
    if (l->order_quantity) n = least(n, l->order_quantity);
    if (d && d->limits.order_quantity) n = least(n, d->limits.order_quantity);
    n = least(n, tw_order_leaves(o) + (more > 0 ? more : 0));
    return (int64_t)within_amounts(b, o, price, n);
}

/* Of that what the position of all leaves, which counts it from here on: others may grow
 * at this moment, too. */
static int64_t part_of_all(struct tw_broker *b, const struct tw_order *o, int64_t n)
{
    struct open *sum = &b->sum[o->symbol];
    bool buys = o->side == TW_SIDE_BUY;
    int64_t more = n - tw_order_leaves(o);

    if (more <= 0 || !sum->all) return n;
    more = tw_desk_take(b->o.desk, sum->all, buys, more);
    *(buys ? &sum->told_buying : &sum->told_selling) += more;
    return tw_order_leaves(o) + more;
}

int64_t tw_broker_room(void *ctx, const struct tw_order *o, int64_t price)
{
    struct tw_broker *b = ctx;
    const struct tw_position *p = tw_account_find(b->account, o->symbol);
    int64_t held = p ? -tw_order_sign(o) * p->quantity : 0, n;

    if (!o->part || o->reduce_only) return held > 0 ? held : 0;
    n = part_of_all(b, o, part_within(b, o, price));
    return o->terms && o->terms->lot ? n - n % o->terms->lot : n;
}

/* Against its own limits. */
static enum tw_reason check_own(const struct tw_broker *b, const struct tw_order *o,
                                const struct tw_exposure *now)
{
    enum tw_reason why = TW_REASON_HALTED;

    if (tw_broker_is_halted(b)) return why;
    if (b->o.desk && b->o.desk->warms_up) return TW_REASON_WARM_UP;
    if ((now->rate <= 0 || desk_rate(b) <= 0) && !tw_risk_reduces(o, now))
        return TW_REASON_RATE;
    why = tw_risk_check(&b->o.limits, o, now);
    if (b->probe) tw_probe_check(b->probe, &b->o.limits, o, now, b->now_ns, why);
    return why;
}

/* Against those of all, in which it is counted. */
static enum tw_reason check_desk(struct tw_broker *b, const struct tw_order *o,
                                 struct tw_exposure *now, bool grows)
{
    struct open *sum = &b->sum[o->symbol];
    struct tw_desk *d = tw_broker_desk(b);
    enum tw_reason why;

    now->rate = rate_for_desk(b, now->rate);
    why = tw_desk_check(d, grows ? sum->all : NULL, o, now);
    if (why == TW_REASON_NONE && sum->quote
        && !tw_desk_quote_enter(d, sum->all, sum->quote, o))
        why = TW_REASON_SELF_MATCH;
    return why;
}

enum tw_reason tw_broker_may_go(struct tw_broker *b, const struct tw_order *o)
{
    struct tw_exposure now = exposure(b, o);
    enum tw_reason why = check_own(b, o, &now);

    if (why == TW_REASON_NONE && o->tif == TW_TIF_GTD && o->expire_ns <= b->now_ns)
        why = TW_REASON_PAST;
    if (why == TW_REASON_NONE)
        why = tw_plain_check(b->o.gateway, o, tw_broker_room(b, o, 0));
    if (why != TW_REASON_NONE || !tw_broker_desk(b)) return why;
    tw_broker_share(b, o, false);
    why = check_desk(b, o, &now, true);
    if (why == TW_REASON_NONE)
        why = tw_desk_enter(b->o.desk, o, b->clock_ns);
    if (b->probe) tw_probe_desk(b->probe, b->o.desk, o, b->now_ns, why);
    return why;
}

/* It is counted already; what it will be, without what is filled.  One that only becomes
 * less takes less of each limit. */
enum tw_reason tw_broker_may_change(struct tw_broker *b, const struct tw_order *o,
                                    const struct tw_order *next)
{
    static const struct tw_limits none = { 0 };
    bool grows = next->quantity > o->quantity;
    struct tw_exposure now = exposure(b, o);
    struct tw_order rest = *next;
    enum tw_reason why;

    rest.quantity -= rest.cum_qty;
    if (!grows && next->price == o->price && next->stop == o->stop
        && !tw_broker_is_halted(b))
        return tw_risk_check(&none, &rest, &now);
    why = check_own(b, &rest, &now);
    if (why == TW_REASON_NONE && grows)
        why = tw_plain_check(b->o.gateway, &rest, tw_broker_room(b, o, 0));
    if (why != TW_REASON_NONE || !tw_broker_desk(b)) return why;
    tw_broker_share(b, o, false);
    why = check_desk(b, &rest, &now, grows);
    if (b->probe) tw_probe_desk(b->probe, b->o.desk, o, b->now_ns, why);
    return why;
}

void tw_broker_tell_loss(struct tw_broker *b)
{
    int64_t rate = desk_rate(b);
    tw_money lost;

    tw_broker_catch_up(b);
    lost = lost_today(b);
    if (rate <= 0) return;                /* nothing is traded till then */
    if (rate != TW_FIXED_ONE) lost = tw_money_ratio(lost, TW_FIXED_ONE, rate);
    tw_desk_tell_loss(b->o.desk, &b->told_loss, b->day.close_ns, bounded(lost));
}
