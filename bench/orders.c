/* orders.c - what a record and an order cost while 10 or 10,000 other orders are open.
 *
 * The open ones are limits and stops away from the market, some of which follow it, some
 * end, some are in groups: no record touches them.  Nanoseconds, the best of several
 * rounds, and how many times more 10,000 cost than 10; and limits of all strategies than
 * none.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "trade/broker.h"

enum { SYMBOL = 1, ROUNDS = 5 };

struct rig {
    struct tw_broker *broker;
    struct tw_order *open, one;
    int64_t now_ns;
    uint64_t seq;
};

static void quote(struct rig *rig, int64_t cents)
{
    struct tw_record r = { .kind = TW_QUOTE, .symbol = SYMBOL, .seq = ++rig->seq,
                           .time = rig->now_ns += 1000000 };

    r.quote = (struct tw_quote){ .bid = cents * (TW_FIXED_ONE / 100),
        .ask = (cents + 1) * (TW_FIXED_ONE / 100), .bid_size = TW_FIXED_ONE,
        .ask_size = 1000 * TW_FIXED_ONE };
    if (tw_broker_record(rig->broker, &r) < 0) abort();
}

static void tell(struct rig *rig)
{
    struct tw_told told;

    while (tw_broker_next(rig->broker, &told)) { }
}

static void submit(struct rig *rig, struct tw_order *o)
{
    struct tw_error error;

    o->symbol = SYMBOL;
    if (tw_broker_submit(rig->broker, o, &error) < 0) abort();
}

static void open_orders(struct rig *rig, int n)
{
    rig->open = tw_calloc((size_t)n, sizeof *rig->open);
    for (int i = 0; i < n; i++) {
        struct tw_order *o = &rig->open[i];
        int64_t away = (1000 + i % 4000) * (TW_FIXED_ONE / 100);

        *o = (struct tw_order){ .side = i & 1 ? TW_SIDE_BUY : TW_SIDE_SELL,
            .type = i % 3 ? TW_TYPE_LIMIT : TW_TYPE_STOP, .tif = TW_TIF_GTC,
            .quantity = TW_FIXED_ONE, .group = i % 4 ? 0 : (uint64_t)(i / 8 + 1) };
        if (o->type == TW_TYPE_STOP) away = -away;
        if (o->side == TW_SIDE_BUY) away = -away;
        if (i % 6 == 0) {
            o->type = TW_TYPE_TRAILING_STOP;
            o->trail = away < 0 ? -away : away;
        } else if (o->type == TW_TYPE_LIMIT) o->price = 100 * TW_FIXED_ONE + away;
        else o->stop = 100 * TW_FIXED_ONE + away;
        if (i % 5 == 0) {
            o->tif = TW_TIF_GTD;
            o->expire_ns = rig->now_ns + (3600 + i) * TW_FIXED_ONE;
        }
        submit(rig, o);
    }
    quote(rig, 10000);
    quote(rig, 10001);
    tell(rig);
}

/* Nanoseconds a round of what is done. */
static double time_of(struct rig *rig, void (*act)(struct rig *rig, int i), int n)
{
    double best = 1e18;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t began = tw_clock_steady_ns();
        double ns;

        for (int i = 0; i < n; i++) act(rig, i);
        ns = (double)(tw_clock_steady_ns() - began) / n;
        if (ns < best) best = ns;
    }
    return best;
}

static void record(struct rig *rig, int i)
{
    quote(rig, 10000 + i % 7);
}

static void fill(struct rig *rig, int i)
{
    rig->one = (struct tw_order){ .side = i & 1 ? TW_SIDE_BUY : TW_SIDE_SELL,
        .type = TW_TYPE_MARKET, .tif = TW_TIF_GTC, .quantity = TW_FIXED_ONE };
    submit(rig, &rig->one);
    quote(rig, 10000 + i % 7);
    tell(rig);
    if (rig->one.status != TW_STATUS_FILLED) abort();
}

static void cancel(struct rig *rig, int i)
{
    rig->one = (struct tw_order){ .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
        .tif = TW_TIF_GTC, .quantity = TW_FIXED_ONE,
        .price = (9000 + i % 50) * (TW_FIXED_ONE / 100) };
    submit(rig, &rig->one);
    quote(rig, 10000 + i % 7);
    if (tw_broker_cancel(rig->broker, &rig->one) < 0) abort();
    quote(rig, 10000 + i % 7);
    tell(rig);
    if (rig->one.status != TW_STATUS_CANCELED) abort();
}

static const struct {
    const char *name;
    void (*act)(struct rig *rig, int i);
} acts[] = {
    { "a quote", record }, { "a market order, filled by the next quote", fill },
    { "a limit order, canceled, two quotes", cancel },
};

enum { ACTS = sizeof acts / sizeof *acts };

/* few: what they took with few open orders; or, of the first, is set. */
static void measure(int open, struct tw_desk *desk, bool is_first, double few[ACTS])
{
    struct rig rig = { .now_ns = INT64_C(1700000000) * TW_FIXED_ONE };

    rig.broker = tw_broker_new(&(struct tw_broker_options){ .currency = "USD",
                                                            .desk = desk });
    if (!rig.broker) abort();
    tw_account_deposit(tw_broker_account(rig.broker), 0,
                       (tw_money)1000000 * TW_FIXED_ONE);
    open_orders(&rig, open);
    for (int i = 0; i < ACTS; i++) {
        double ns = time_of(&rig, acts[i].act, getenv("SMALL") ? 200 : 4000);

        printf("%6d open: %8.0f ns %s", open, ns, acts[i].name);
        if (is_first) few[i] = ns;
        else printf("   %.2f times", ns / few[i]);
        puts(desk ? ", with limits of all strategies" : "");
    }
    tw_broker_free(rig.broker);
    tw_free(rig.open);
}

int main(void)
{
    static const struct tw_limits limits = { .order_quantity = INT64_MAX / 4,
        .order_value = INT64_MAX, .position = INT64_MAX / 4, .collar = TW_FIXED_ONE,
        .open_orders = 1000000, .orders = 1000000 };
    static struct tw_desk desk;
    double few[ACTS];

    tw_desk_init(&desk, &limits);
    measure(10, NULL, true, few);
    measure(10000, NULL, false, few);
    measure(10, &desk, false, few);
    tw_desk_fini(&desk);
    return 0;
}
