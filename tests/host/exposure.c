/* exposure.c - limits are checked against what is open, whatever became of it before.
 *
 * The broker keeps sums of its open orders.  Random orders, brackets, groups, changes and
 * cancels; before each submit the test adds up the open orders itself, of a group the
 * largest of each side, and the broker must decide as tw_risk_check does with that.
 */
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"
#include "trade/broker.h"

enum { SYMBOLS = 3, ORDERS = 6000 };
#define TICK (TW_FIXED_ONE / 100)

static struct tw_order order[ORDERS];
static uint8_t refused[ORDERS];              /* reason, from what was told */
static size_t n;
static struct tw_broker *broker;
static const struct tw_limits limits = {
    .open_orders = 40, .position = 150 * TW_FIXED_ONE, .self_match = true, .orders = 9,
    .per_ns = 14 * TW_FIXED_ONE,
};
static int64_t now_ns = INT64_C(1700000000) * TW_FIXED_ONE, sent[ORDERS];
static size_t n_sent;

static int64_t below(uint64_t limit)
{
    return (int64_t)(next() % limit);
}

static void take_told(void)
{
    struct tw_told t;

    while (tw_broker_next(broker, &t))
        if (t.report.exec == TW_EXEC_REJECTED) refused[t.order->id - 1] = t.report.reason;
}

static bool counts(const struct tw_order *o)
{
    return !o->held && tw_order_is_open(o);
}

/* What it adds to those before it, and to o, whose group has at least so much. */
static int64_t adds(const struct tw_order *other, const struct tw_order *o)
{
    bool with_o = o->group == other->group && o->side == other->side;
    int64_t most = with_o ? o->quantity : 0, left = tw_order_leaves(other);

    if (!other->group) return left;
    for (const struct tw_order *i = order; i < other; i++)
        if (i != o && counts(i) && i->group == other->group && i->side == other->side
            && tw_order_leaves(i) > most)
            most = tw_order_leaves(i);
    return left > most ? left - most : 0;
}

/* Of all that is open, but for the order and what waits for its parent. */
static struct tw_exposure add_up(const struct tw_order *o)
{
    const struct tw_position *p = tw_account_find(tw_broker_account(broker), o->symbol);
    struct tw_exposure now = { .position = p ? p->quantity : 0,
                               .price = tw_broker_price(broker, o->symbol),
                               .rate = TW_FIXED_ONE };

    for (size_t i = 0; i < n; i++) {
        const struct tw_order *other = &order[i];
        int64_t price = other->price;

        if (other == o || !counts(other)) continue;
        now.open_orders++;
        if (other->symbol != o->symbol) continue;
        if (other->side == TW_SIDE_BUY) {
            now.buying += adds(other, o);
            if (!price) price = INT64_MAX;
            if (price > now.best_bid) now.best_bid = price;
        } else {
            now.selling += adds(other, o);
            if (!price) price = 1;
            if (!now.best_ask || price < now.best_ask) now.best_ask = price;
        }
    }
    for (size_t i = 0; i < n_sent; i++) now.recent += sent[i] > now_ns - limits.per_ns;
    if (now.recent > limits.orders) now.recent = limits.orders;
    return now;
}

/* True: as it should be decided. */
static bool submit(bool child)
{
    struct tw_order *o = &order[n];
    struct tw_exposure now;
    struct tw_error error;
    enum tw_reason want;

    *o = (struct tw_order){ .symbol = 1 + (uint32_t)below(SYMBOLS), .tif = TW_TIF_GTC,
        .side = below(2) ? TW_SIDE_BUY : TW_SIDE_SELL, .type = TW_TYPE_LIMIT,
        .quantity = (1 + below(20)) * TW_FIXED_ONE };
    o->price = 100 * TW_FIXED_ONE + (o->side == TW_SIDE_BUY ? -1 : 1) * below(30) * TICK;
    if (child) {
        const struct tw_order *parent = &order[below(n)];

        if (!tw_order_is_open(parent) || parent->held || parent->group) return true;
        o->parent = parent->id;
        o->symbol = parent->symbol;
        o->side = parent->side == TW_SIDE_BUY ? TW_SIDE_SELL : TW_SIDE_BUY;
        o->quantity = parent->quantity;
    } else if (below(3) == 0) {
        bool joins = n > 0 && order[n - 1].group && !order[n - 1].parent && below(3);

        o->group = joins ? order[n - 1].group : n + 1;
        if (joins) o->symbol = order[n - 1].symbol;
    }
    now = add_up(o);
    want = tw_risk_check(&limits, o, &now);
    n++;
    if (tw_broker_submit(broker, o, &error) < 0) return false;
    take_told();
    if (child) return o->held && tw_order_is_open(o);
    if (refused[n - 1] == TW_REASON_NONE) sent[n_sent++] = now_ns;
    return refused[n - 1] == want;
}

static void change(void)
{
    struct tw_order *o = &order[below(n)];
    struct tw_error error;

    if (!tw_order_is_open(o)) return;
    if (below(3)) tw_broker_cancel(broker, o);
    else tw_broker_replace(broker, o, o->cum_qty + (1 + below(9)) * TW_FIXED_ONE, 0, 0,
                           &error);
}

static void record(void)
{
    struct tw_record r = { .kind = TW_QUOTE, .symbol = 1 + (uint32_t)below(SYMBOLS) };
    static uint64_t seq;

    r.seq = ++seq;
    r.time = now_ns += below(3) * TW_FIXED_ONE;
    r.quote.bid = 100 * TW_FIXED_ONE + (below(60) - 30) * TICK;
    r.quote.ask = r.quote.bid + TICK;
    r.quote.bid_size = r.quote.ask_size = (1 + below(9)) * TW_FIXED_ONE;
    tw_broker_record(broker, &r);
    take_told();
}

int main(void)
{
    int wrong = 0, reasons[64] = { 0 };

    broker = tw_broker_new(&(struct tw_broker_options){ .limits = limits });
    while (n < (getenv("SMALL") ? 600 : ORDERS - 1)) {
        record();
        wrong += !submit(n > 0 && below(4) == 0);
        if (below(2)) change();
    }
    for (size_t i = 0; i < n; i++) reasons[refused[i]]++;
    ok(wrong == 0, "all are decided as they should be (%d not)", wrong);
    ok(reasons[TW_REASON_NONE] && reasons[TW_REASON_OPEN_ORDERS]
       && reasons[TW_REASON_POSITION] && reasons[TW_REASON_SELF_MATCH],
       "%d go, %d are too many, %d are too much, %d would meet their own",
       reasons[TW_REASON_NONE], reasons[TW_REASON_OPEN_ORDERS],
       reasons[TW_REASON_POSITION], reasons[TW_REASON_SELF_MATCH]);
    ok(reasons[TW_REASON_ORDER_RATE] > 0, "%d come too often",
       reasons[TW_REASON_ORDER_RATE]);
    tw_broker_free(broker);
    return tap_done();
}
