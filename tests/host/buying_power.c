/* buying_power.c - what free cash and margin don't cover is refused: a model adds up what
 * all open orders may cost, and says of each random order whether it passes.
 *
 * Shares in two currencies and a future; long and short, groups, orders at any price, at
 * a simulated venue and at a gateway, where all of a group may trade.
 */
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"
#include "trade/broker.h"

#define ONE TW_FIXED_ONE

enum { SYMBOLS = 3, ORDERS = 200 };

static struct tw_terms terms[SYMBOLS + 1] = {
    [2] = { .currency = 1 }, [3] = { .multiplier = 10 * ONE, .margin = 30 * ONE },
};
static const int64_t rate[SYMBOLS + 1] = { 0, ONE, 5 * ONE / 4, ONE };
static struct tw_order order[ORDERS];
static unsigned n;
static struct tw_broker *b;
static bool is_plain;
static unsigned passed, refused;

static int64_t below(uint64_t limit)
{
    return (int64_t)(next() % limit);
}

static const struct tw_terms *terms_of(void *ctx, uint32_t symbol)
{
    (void)ctx;
    return &terms[symbol];
}

static int64_t held(uint32_t symbol)
{
    const struct tw_position *p = tw_account_find(tw_broker_account(b), symbol);

    return p ? p->quantity : 0;
}

/* ---- the model ---- */

static tw_money cost(const struct tw_order *o, int64_t quantity)
{
    int64_t price = o->price ? o->price : o->stop ? o->stop
                  : tw_broker_price(b, o->symbol);

    if (o->symbol == 3) return tw_money_value(30 * ONE, quantity);
    return tw_money_ratio(tw_money_value(price, quantity), rate[o->symbol], ONE);
}

static bool is_of(const struct tw_order *i, const struct tw_order *o, uint32_t symbol,
                  uint8_t side)
{
    return i != o && tw_order_is_open(i) && i->symbol == symbol && i->side == side;
}

static bool are_one(const struct tw_order *i, const struct tw_order *k)
{
    return i->group && i->group == k->group && i->side == k->side && !is_plain;
}

/* What one side of an instrument may trade and cost, without the order.  Of its group
 * those that are larger than it and all others, by that; of another the largest and the
 * dearest of it. */
static tw_money side_of(const struct tw_order *o, uint32_t symbol, uint8_t side,
                        int64_t closes)
{
    tw_money may = 0, costs = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct tw_order *it = &order[i];
        int64_t most = 0;
        tw_money dearest = 0;
        bool is_first = true;

        if (!is_of(it, o, symbol, side) || it->reduce_only) continue;
        for (unsigned k = 0; k < n; k++) {
            const struct tw_order *other = &order[k];

            if (other == it || !tw_order_is_open(other) || !are_one(other, it)
                || (other->reduce_only && it->group != o->group)) continue;
            if (k < i && other != o) is_first = false;
            if (tw_order_leaves(other) > most) most = tw_order_leaves(other);
            if (cost(other, tw_order_leaves(other)) > dearest)
                dearest = cost(other, tw_order_leaves(other));
        }
        if (o->group && it->group == o->group && !is_plain) {
            int64_t beyond = tw_order_leaves(it) - most;

            if (beyond <= 0) continue;
            may += beyond;
            costs += cost(it, beyond);
        } else if (is_first) {
            if (tw_order_leaves(it) > most) most = tw_order_leaves(it);
            if (cost(it, tw_order_leaves(it)) > dearest)
                dearest = cost(it, tw_order_leaves(it));
            may += most;
            costs += dearest;
        }
    }
    if (closes >= may) return 0;
    return closes <= 0 ? costs : tw_money_ratio(costs, (int64_t)(may - closes),
                                                (int64_t)may);
}

/* Does what is free cover the order, which is among the others? */
static bool is_covered(const struct tw_order *o)
{
    int sign = tw_order_sign(o);
    int64_t closes = -sign * held(o->symbol), more = o->quantity;
    tw_money all = tw_account_free_cash(tw_broker_account(b)), open = 0;

    for (unsigned i = 0; i < n; i++) {
        int64_t most = 0;

        if (!is_of(&order[i], o, o->symbol, o->side)) continue;
        for (unsigned k = 0; k < n; k++)
            if (tw_order_is_open(&order[k]) && are_one(&order[k], &order[i])
                && (k < i || &order[k] == o) && tw_order_leaves(&order[k]) > most)
                most = tw_order_leaves(&order[k]);
        if (tw_order_leaves(&order[i]) > most) open += tw_order_leaves(&order[i]) - most;
    }
    if (o->reduce_only || o->quantity + open <= closes) return true;
    for (uint32_t s = 1; s <= SYMBOLS; s++) {
        int64_t has = held(s) + (s == o->symbol ? sign * o->quantity : 0);
        tw_money buys = side_of(o, s, TW_SIDE_BUY, -has);
        tw_money sells = side_of(o, s, TW_SIDE_SELL, has);

        if (s != o->symbol) all -= buys > sells ? buys : sells;
        else all -= sign > 0 ? buys : sells;
    }
    all = tw_money_ratio(all, ONE, rate[o->symbol]);
    if (closes > 0) more = more > closes ? more - closes : 0;
    if (o->symbol == 3) return tw_money_value(30 * ONE, more) <= all;
    return tw_money_value(o->price ? o->price : o->stop ? o->stop
                          : tw_broker_price(b, o->symbol), more) <= all;
}

/* ---- lives ---- */

static int sent(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    (void)o;
    return TW_OK;
}

static void quote(uint64_t seq, uint32_t symbol, int64_t price)
{
    struct tw_record r = { .seq = seq, .kind = TW_QUOTE, .symbol = symbol,
        .time = (int64_t)seq * ONE, .quote = { price, price + ONE / 100, 50 * ONE,
                                              50 * ONE } };
    struct tw_told t;

    if (tw_broker_record(b, &r) < 0) abort();
    while (tw_broker_next(b, &t)) { }
}

/* True: as the model says. */
static bool submit(void)
{
    struct tw_order *o = &order[n++];
    struct tw_error error;
    struct tw_told t;
    bool is_first = n == 1 || below(3) > 0, was_refused = false;

    *o = (struct tw_order){ .symbol = 1 + (uint32_t)below(SYMBOLS), .tif = TW_TIF_GTC,
        .side = below(2) ? TW_SIDE_BUY : TW_SIDE_SELL, .type = TW_TYPE_LIMIT,
        .quantity = (1 + below(60)) * ONE, .price = (80 + below(40)) * ONE };
    if (below(6) == 0) o->type = TW_TYPE_MARKET, o->price = 0;
    else if (below(6) == 0) o->type = TW_TYPE_STOP, o->stop = o->price, o->price = 0;
    if (below(8) == 0 && !is_plain) o->reduce_only = true;
    if (below(3) == 0) {
        o->group = is_first || !o[-1].group ? n : o[-1].group;
        if (o->group != n) o->symbol = o[-1].symbol;
    }
    if (tw_broker_submit(b, o, &error) < 0) abort();
    while (tw_broker_next(b, &t))
        if (t.report.exec == TW_EXEC_REJECTED) {
            if (t.report.reason != TW_REASON_BUYING_POWER
                && t.report.reason != TW_REASON_REDUCE_ONLY) abort();
            was_refused = t.report.reason == TW_REASON_BUYING_POWER;
            if (t.report.reason == TW_REASON_REDUCE_ONLY) return true;
        }
    o->status = TW_STATUS_PENDING_NEW;
    was_refused ? refused++ : passed++;
    if (is_covered(o) == was_refused) return false;
    if (was_refused) o->status = TW_STATUS_REJECTED;
    return true;
}

static unsigned live(uint64_t orders)
{
    static const struct tw_gateway gateway = { .submit = sent, .cancel = sent,
                                               .is_plain = true };
    unsigned wrong = 0;
    uint64_t seq = 0;
    struct tw_account *a;

    b = tw_broker_new(&(struct tw_broker_options){ .terms = terms_of,
        .limits = { .buying_power = true }, .gateway = is_plain ? &gateway : NULL,
        .simulator = { .model = TW_FILL_QUOTE } });
    a = tw_broker_account(b);
    tw_account_currency(a, "EUR");
    tw_account_set_rate(a, 1, rate[2]);
    tw_account_deposit(a, 0, 20000 * (tw_money)ONE);
    memset(order, 0, sizeof order);
    n = 0;
    for (uint32_t s = 1; s <= SYMBOLS; s++) quote(++seq, s, 100 * ONE);
    while (n < orders) {
        wrong += !submit();
        if (below(2)) quote(++seq, 1 + (uint32_t)below(SYMBOLS), (95 + below(10)) * ONE);
    }
    tw_broker_free(b);
    return wrong;
}

int main(void)
{
    const unsigned lives = getenv("SMALL") ? 100 : 800;
    unsigned wrong = 0;

    for (unsigned i = 0; i < lives; i++) {
        is_plain = i % 4 == 3;
        wrong += live(is_plain ? 20 : 60);
    }
    ok(wrong == 0, "%u orders pass, %u are refused as the model says (not: %u)", passed,
       refused, wrong);
    ok(passed > lives * 5 && refused > lives * 5, "both");
    return tap_done();
}
