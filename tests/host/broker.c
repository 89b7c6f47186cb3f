/* broker.c - limits, brackets, the kill switch, and what is told. */
#include "trade/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "random.h"
#include "tap.h"

#define ONE TW_FIXED_ONE

struct rig {
    struct tw_broker *b;
    struct tw_terms terms;
    struct tw_order order[64];
    unsigned n;
    uint64_t seq;
    char got[2000];
};

static const struct tw_terms *terms_of(void *ctx, uint32_t symbol)
{
    struct rig *g = ctx;

    return symbol == 9 ? NULL : &g->terms;
}

static struct rig *open_rig(struct tw_broker_options o)
{
    struct rig *g = calloc(1, sizeof *g);

    g->terms = (struct tw_terms){ .tick = ONE / 100, .lot = ONE };
    o.terms = terms_of;
    o.ctx = g;
    o.script = 3;
    g->b = tw_broker_new(&o);
    tw_account_deposit(tw_broker_account(g->b), 0, 100000 * (tw_money)ONE);
    return g;
}

static void close_rig(struct rig *g)
{
    tw_broker_free(g->b);
    free(g);
}

/* Takes what is told: "1 A, 1 0" - id and ExecType, a trade with its quantity, a
 * rejection with its reason's number. */
static const char *told(struct rig *g)
{
    struct tw_told t;

    g->got[0] = '\0';
    while (tw_broker_next(g->b, &t)) {
        char text[64];

        if (t.report.exec == TW_EXEC_TRADE)
            snprintf(text, sizeof text, "%d F%d", (int)t.report.order,
                     (int)(t.report.last_qty / ONE));
        else if (t.report.exec == TW_EXEC_REJECTED)
            snprintf(text, sizeof text, "%d 8/%d", (int)t.report.order, t.report.reason);
        else
            snprintf(text, sizeof text, "%d %c", (int)t.report.order, t.report.exec);
        if (g->got[0]) strcat(g->got, ", ");
        strcat(g->got, text);
    }
    return g->got;
}

static void is_told(struct rig *g, const char *want, const char *name)
{
    told(g);
    ok(strcmp(g->got, want) == 0, "%s: %s", name, want);
    if (strcmp(g->got, want) != 0) printf("# got %s\n", g->got);
}

/* A quote of symbol 1, in whole seconds and hundredths. */
static void quote(struct rig *g, int64_t second, int64_t bid, int64_t ask, int64_t size)
{
    struct tw_record r = { .seq = ++g->seq, .kind = TW_QUOTE, .symbol = 1,
                           .time = second * ONE };

    r.quote = (struct tw_quote){ bid * (ONE / 100), ask * (ONE / 100), size * ONE,
                                 size * ONE };
    tw_broker_record(g->b, &r);
}

static struct tw_order *submit(struct rig *g, struct tw_order o)
{
    struct tw_error error = { .text = "" };
    struct tw_order *made = &g->order[g->n++ % 64];

    *made = o;
    if (!made->symbol) made->symbol = 1;
    if (!made->side) made->side = TW_SIDE_BUY;
    if (!made->type) made->type = made->price ? TW_TYPE_LIMIT : TW_TYPE_MARKET;
    if (!made->tif) made->tif = TW_TIF_GTC;
    made->quantity *= ONE;
    made->price *= ONE / 100;
    made->stop *= ONE / 100;
    if (tw_broker_submit(g->b, made, &error) < 0) printf("# %s\n", error.text);
    return made;
}

static void reason_is(struct rig *g, struct tw_order o, enum tw_reason why,
                      const char *name)
{
    char want[40];
    struct tw_order *made = submit(g, o);

    snprintf(want, sizeof want, "%d A, %d 8/%d", (int)made->id, (int)made->id, why);
    is_told(g, want, name);
}

static void limits(void)
{
    struct tw_broker_options o = { .limits = {
        .order_quantity = 100 * ONE, .order_value = 5000 * (tw_money)ONE,
        .position = 150 * ONE, .open_orders = 3, .collar = ONE / 10, .self_match = true,
        .buying_power = true, .daily_loss = 500 * (tw_money)ONE } };
    struct rig *g = open_rig(o);
    struct tw_order *sell;

    quote(g, 1, 4000, 4002, 500);
    reason_is(g, (struct tw_order){ .quantity = 101 }, TW_REASON_ORDER_SIZE, "size");
    g->terms.multiplier = 2 * ONE;
    reason_is(g, (struct tw_order){ .quantity = 100, .price = 4000 },
              TW_REASON_ORDER_VALUE, "value, with the multiplier");
    g->terms.multiplier = 0;
    reason_is(g, (struct tw_order){ .quantity = 10, .price = 3600 }, TW_REASON_COLLAR,
              "too far below");
    submit(g, (struct tw_order){ .quantity = 10, .price = 3601 });
    is_told(g, "4 A", "just near enough");
    submit(g, (struct tw_order){ .quantity = 90, .price = 4000 });
    told(g);
    reason_is(g, (struct tw_order){ .quantity = 51, .price = 4000 }, TW_REASON_POSITION,
              "position, with what is open");
    reason_is(g, (struct tw_order){ .quantity = 1, .price = 4000, .side = TW_SIDE_SELL },
              TW_REASON_SELF_MATCH, "it would meet its own buy");
    reason_is(g, (struct tw_order){ .quantity = 1, .side = TW_SIDE_SELL },
              TW_REASON_SELF_MATCH, "at any price, too");
    sell = submit(g, (struct tw_order){ .quantity = 1, .price = 4100,
                                        .side = TW_SIDE_SELL });
    told(g);
    reason_is(g, (struct tw_order){ .quantity = 1, .price = 4000 },
              TW_REASON_OPEN_ORDERS, "open orders");
    tw_broker_cancel(g->b, sell);
    quote(g, 2, 4000, 4002, 500);
    told(g);
    g->terms.tick = ONE / 20;
    reason_is(g, (struct tw_order){ .quantity = 1, .price = 4001 }, TW_REASON_TICK,
              "tick");
    g->terms.tick = ONE / 100;
    g->terms.lot = 10 * ONE;
    reason_is(g, (struct tw_order){ .quantity = 15, .price = 4001 }, TW_REASON_LOT,
              "lot");
    close_rig(g);
}

static void bad(struct rig *g, struct tw_order o, const char *want)
{
    struct tw_error error = { .text = "" };

    ok(tw_broker_submit(g->b, &o, &error) == TW_EUSAGE && strcmp(error.text, want) == 0,
       "%s", want);
    if (strcmp(error.text, want) != 0) printf("# got %s\n", error.text);
}

static void sense(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    struct tw_order o = { .symbol = 1, .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
                          .tif = TW_TIF_DAY, .quantity = 1, .price = 5 }, x;

    x = o, x.type = 'x', bad(g, x, "no such type of order");
    x = o, x.tif = 'x', bad(g, x, "no such time in force");
    x = o, x.side = 0, bad(g, x, "neither a buy nor a sell");
    x = o, x.symbol = 0, bad(g, x, "no symbol");
    x = o, x.quantity = 0, bad(g, x, "the quantity must be above 0");
    x = o, x.price = 0, bad(g, x, "a limit order needs a price above 0");
    x = o, x.price = -1, bad(g, x, "a limit order needs a price above 0");
    x = o, x.type = TW_TYPE_MARKET, bad(g, x, "a market order has no price");
    x = o, x.stop = 3, bad(g, x, "a limit order has no stop");
    x = o, x.type = TW_TYPE_STOP_LIMIT;
    bad(g, x, "a stop_limit order needs a stop above 0");
    x = o, x.trail = 3, bad(g, x, "a limit order has no trail");
    x = o, x.tif = TW_TIF_GTD;
    bad(g, x, "gtd and a time of expiry need each other");
    x = o, x.type = TW_TYPE_MARKET, x.price = 0, x.post_only = true;
    bad(g, x, "a post-only order is a limit order");
    is_told(g, "", "nothing of that is an order");
    close_rig(g);
}

static void rate_and_loss(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .limits = {
        .orders = 2, .per_ns = 10 * ONE, .daily_loss = 50 * (tw_money)ONE } });

    quote(g, 1, 1000, 1001, 500);
    submit(g, (struct tw_order){ .quantity = 50 });
    submit(g, (struct tw_order){ .quantity = 50 });
    told(g);
    reason_is(g, (struct tw_order){ .quantity = 1 }, TW_REASON_ORDER_RATE,
              "three in 10 s");
    quote(g, 12, 1000, 1001, 500);
    told(g);
    quote(g, 13, 940, 941, 500);
    reason_is(g, (struct tw_order){ .quantity = 1 }, TW_REASON_DAILY_LOSS,
              "a loss of the day");
    submit(g, (struct tw_order){ .quantity = 100, .side = TW_SIDE_SELL });
    is_told(g, "5 A", "what reduces may go");
    quote(g, 86500, 940, 941, 500);
    told(g);
    submit(g, (struct tw_order){ .quantity = 1 });
    is_told(g, "6 A", "and the next day");
    close_rig(g);
}

static void buying_power(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .limits = {
        .buying_power = true } });

    quote(g, 1, 10000, 10000, 5000);
    reason_is(g, (struct tw_order){ .quantity = 1001 }, TW_REASON_BUYING_POWER,
              "more than there is");
    submit(g, (struct tw_order){ .quantity = 600 });
    quote(g, 2, 10000, 10000, 5000);
    told(g);
    reason_is(g, (struct tw_order){ .quantity = 401 }, TW_REASON_BUYING_POWER,
              "more than is left");
    submit(g, (struct tw_order){ .quantity = 1000, .side = TW_SIDE_SELL });
    quote(g, 3, 10000, 10000, 5000);
    is_told(g, "4 A, 4 0, 4 F1000", "through to short");
    reason_is(g, (struct tw_order){ .quantity = 601, .side = TW_SIDE_SELL },
              TW_REASON_BUYING_POWER, "what is short is covered");
    g->terms.margin = 50 * ONE;
    close_rig(g);
}

static void brackets(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    struct tw_order *entry, *stop;

    quote(g, 1, 1000, 1001, 500);
    entry = submit(g, (struct tw_order){ .quantity = 5, .price = 990 });
    submit(g, (struct tw_order){ .quantity = 5, .price = 1100, .side = TW_SIDE_SELL,
                                 .parent = entry->id });
    stop = submit(g, (struct tw_order){ .quantity = 5, .stop = 900, .side = TW_SIDE_SELL,
                                        .type = TW_TYPE_STOP, .parent = entry->id });
    is_told(g, "1 A, 2 A, 3 A", "a bracket");
    quote(g, 2, 1000, 1001, 500);
    is_told(g, "1 0", "its parent is at the venue");
    quote(g, 3, 989, 990, 2);
    is_told(g, "1 F2", "a part of it trades");
    ok(tw_order_leaves(stop) == 2 * ONE, "the stop is for what has traded");
    quote(g, 4, 988, 990, 3);
    told(g);
    ok(entry->status == TW_STATUS_FILLED && tw_order_leaves(stop) == 5 * ONE,
       "all of it trades, the stop grows");
    quote(g, 5, 899, 901, 2);
    is_told(g, "3 F2, 2 5", "a part of the stop: the target shrinks");
    quote(g, 6, 898, 901, 9);
    is_told(g, "3 F3, 2 4", "all of it: the target goes");
    entry = submit(g, (struct tw_order){ .quantity = 5, .price = 890 });
    submit(g, (struct tw_order){ .quantity = 5, .price = 1100, .side = TW_SIDE_SELL,
                                 .parent = entry->id });
    tw_broker_cancel(g->b, entry);
    quote(g, 7, 898, 901, 9);
    is_told(g, "4 A, 5 A, 4 6, 4 0, 4 4, 5 4", "a parent that does not trade");
    ok(tw_broker_open(g->b, NULL) == NULL, "nothing is open");
    close_rig(g);
}

/* What is told is how far the order was then; what can't be is known before. */
static void told_as_it_was(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .first_id = 7 });
    struct tw_order o = { .symbol = 1, .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
                          .tif = TW_TIF_GTC, .quantity = ONE };
    struct tw_error error;
    struct tw_told t;
    int right = 0;

    ok(tw_broker_check(g->b, &o, &error) == TW_EUSAGE
       && strstr(error.text, "needs a price") && tw_broker_untold(g->b) == 0
       && tw_broker_open(g->b, NULL) == NULL, "checked, and nothing is sent");
    o.price = ONE;
    ok(tw_broker_check(g->b, &o, &error) == TW_OK && o.terms == &g->terms, "it could be");
    o.part = ONE;
    ok(tw_broker_check(g->b, &o, &error) == TW_OK && o.quantity == 100000 * ONE,
       "a part of the equity, at its price");
    o.price = 0;
    o.type = TW_TYPE_MARKET;
    ok(tw_broker_check(g->b, &o, &error) == TW_EUSAGE
       && strstr(error.text, "no price is known"), "but not without a price");
    ok(tw_broker_next_id(g->b) == 7, "the first id");
    quote(g, 1, 1000, 1001, 5);
    submit(g, (struct tw_order){ .quantity = 8 });
    quote(g, 2, 1000, 1001, 5);
    quote(g, 3, 1000, 1002, 5);
    ok(tw_broker_untold(g->b) == 4 && tw_broker_next_id(g->b) == 8, "four reports");
    for (int i = 0; tw_broker_next(g->b, &t); i++) {
        static const uint8_t status[] = { TW_STATUS_PENDING_NEW, TW_STATUS_NEW,
                                          TW_STATUS_PARTIALLY_FILLED, TW_STATUS_FILLED };
        static const int filled[] = { 0, 0, 5, 8 };
        struct tw_record r;

        tw_broker_report_record(g->b, &t, &r);
        right += t.status == status[i] && t.filled == filled[i] * ONE
            && t.position == t.filled && r.execution.status == status[i];
    }
    ok(right == 4, "each with the status that it made (%d)", right);
    tw_account_deposit(tw_broker_account(g->b), 0,
                       -tw_account_equity(tw_broker_account(g->b)));
    reason_is(g, (struct tw_order){ .part = ONE }, TW_REASON_BUYING_POWER,
              "a part that pays for nothing");
    close_rig(g);
}

static unsigned sent;

static int count_submit(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    (void)o;
    sent++;
    return 0;
}

static int count_cancel(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    (void)o;
    return 0;
}

static int count_replace(void *ctx, const struct tw_order *o, int64_t quantity,
                         int64_t price, int64_t stop)
{
    (void)ctx;
    (void)o;
    (void)quantity;
    (void)price;
    (void)stop;
    sent++;
    return 0;
}

/* Nothing passes a killed switch, at either kind of venue. */
static void halted(const struct tw_gateway *gateway, const char *name)
{
    struct tw_desk desk = { 0 };
    struct rig *g = open_rig((struct tw_broker_options){ .desk = &desk,
                                                         .gateway = gateway });
    struct tw_order *entry, *rest;
    struct tw_error error;

    sent = 0;
    quote(g, 1, 1000, 1001, 500);
    entry = submit(g, (struct tw_order){ .quantity = 5 });
    submit(g, (struct tw_order){ .quantity = 5, .price = 1100, .side = TW_SIDE_SELL,
                                 .parent = entry->id });
    rest = submit(g, (struct tw_order){ .quantity = 5, .price = 900 });
    told(g);
    ok(atomic_load(&desk.open) == 2, "%s: two are counted, one is held", name);
    tw_desk_halt(&desk, true);
    sent = 0;
    reason_is(g, (struct tw_order){ .quantity = 1 }, TW_REASON_HALTED, name);
    ok(tw_broker_replace(g->b, rest, 6 * ONE, 0, 0, &error) == TW_OK
       && strcmp(told(g), "3 9") == 0, "%s: no replacement", name);
    quote(g, 2, 1000, 1001, 500);
    told(g);
    if (gateway) {
        struct tw_record r = { .seq = 50, .kind = TW_ORDER, .time = 2 * ONE,
            .execution = { .order = 1, .exec = TW_EXEC_TRADE, .price = 10 * ONE,
                           .quantity = 5 * ONE, .script = 3 } };

        ok(rest->pending_cancel && entry->pending_cancel, "%s: what rests is canceled",
           name);
        tw_broker_record(g->b, &r);
        is_told(g, "1 F5", "it trades all the same");
    } else {
        ok(entry->status == TW_STATUS_CANCELED && rest->status == TW_STATUS_CANCELED,
           "%s: what rests is canceled", name);
    }
    ok(sent == 0, "%s: nothing was sent", name);
    tw_desk_halt(&desk, false);
    quote(g, 3, 1000, 1001, 500);
    told(g);
    submit(g, (struct tw_order){ .quantity = 1 });
    is_told(g, "5 A", "it goes on when it is told");
    close_rig(g);
}

static void desks(void)
{
    struct tw_desk desk = { .open_orders = 3, .orders = 4,
                            .daily_loss = 100 * ONE };
    struct rig *a = open_rig((struct tw_broker_options){ .desk = &desk });
    struct rig *b = open_rig((struct tw_broker_options){ .desk = &desk });

    quote(a, 1, 1000, 1001, 500);
    quote(b, 1, 1000, 1001, 500);
    submit(a, (struct tw_order){ .quantity = 1, .price = 900 });
    submit(a, (struct tw_order){ .quantity = 50 });
    submit(b, (struct tw_order){ .quantity = 1, .price = 900 });
    told(a);
    told(b);
    reason_is(b, (struct tw_order){ .quantity = 1 }, TW_REASON_OPEN_ORDERS,
              "of all strategies");
    reason_is(b, (struct tw_order){ .quantity = 1 }, TW_REASON_ORDER_RATE,
              "in a second, of all");
    quote(a, 2, 1000, 1001, 500);
    quote(a, 3, 700, 701, 500);
    quote(b, 3, 700, 701, 500);
    told(b);
    reason_is(b, (struct tw_order){ .quantity = 1 }, TW_REASON_DAILY_LOSS,
              "lost by another one");
    submit(a, (struct tw_order){ .quantity = 1, .price = 600, .side = TW_SIDE_SELL });
    ok(atomic_load(&desk.open) == 1, "what is open");
    close_rig(a);
    close_rig(b);
    ok(atomic_load(&desk.open) == 0, "is gone with its venue");
}

/* Random requests and quotes: what is told leads from nothing to what is. */
static void random_life(void)
{
    enum { LIVES = 20, STEPS = 4000 };
    unsigned wrong = 0, trades = 0, ends = 0;

    for (unsigned life = 0; life < LIVES; life++) {
        struct tw_desk desk = { 0 };
        struct rig *g = open_rig((struct tw_broker_options){ .desk = &desk,
            .simulator = { .model = TW_FILL_QUEUE, .seed = life,
                           .submit = { .kind = TW_LATENCY_UNIFORM, .max_ns = 3 * ONE },
                           .cancel = { .kind = TW_LATENCY_UNIFORM,
                                       .max_ns = 3 * ONE } } });
        struct tw_order *all = calloc(STEPS, sizeof *all);
        struct tw_order *copy = calloc(STEPS, sizeof *copy);
        int64_t position = 0, open = 0;
        unsigned n = 0;
        struct tw_told t;

        for (unsigned i = 0; i < STEPS; i++) {
            struct tw_order *o = n ? &all[next() % n] : NULL;
            struct tw_error error;
            int64_t mid = 1000 + (int64_t)(next() % 40);

            switch (next() % 6) {
            case 0:
                all[n] = (struct tw_order){ .symbol = 1, .tif = "1340"[next() % 4],
                    .side = (uint8_t)(1 + next() % 2),
                    .quantity = (int64_t)(next() % 9 + 1) * ONE,
                    .type = "1234P"[next() % 5],
                    .parent = o && next() % 3 == 0 ? o->id : 0 };
                if (all[n].type == '2' || all[n].type == '4')
                    all[n].price = (990 + (int64_t)(next() % 50)) * (ONE / 100);
                if (all[n].type == '3' || all[n].type == '4')
                    all[n].stop = (990 + (int64_t)(next() % 50)) * (ONE / 100);
                if (all[n].type == 'P') all[n].trail = ONE / 10;
                wrong += tw_broker_submit(g->b, &all[n], &error) != TW_OK;
                n++;
                break;
            case 1:
                if (o) tw_broker_cancel(g->b, o);
                break;
            case 2:
                if (o && o->type == TW_TYPE_LIMIT && tw_order_is_open(o))
                    tw_broker_replace(g->b, o, o->quantity + ONE, o->price, 0, &error);
                break;
            default:
                quote(g, i, mid, mid + 1 + (int64_t)(next() % 3),
                      (int64_t)(next() % 9 + 1));
            }
            while (tw_broker_next(g->b, &t)) {
                struct tw_order *c = &copy[t.order - all];

                if (t.report.exec == TW_EXEC_PENDING_NEW) {
                    *c = all[t.order - all];
                    c->status = 0;
                    c->cum_qty = 0;
                    c->cum_value = 0;
                    c->pending_cancel = c->pending_replace = false;
                }
                if (t.report.exec == TW_EXEC_TRADE) {
                    position += tw_order_sign(c) * t.report.last_qty;
                    trades++;
                    if (c->parent && c->quantity - c->cum_qty < t.report.last_qty)
                        c->quantity = t.order->quantity;
                }
                if (c->parent && t.report.exec == TW_EXEC_NEW)
                    c->quantity = t.order->quantity;
                wrong += !tw_order_apply(c, &t.report);
                wrong += t.report.exec == TW_EXEC_TRADE && t.position != position;
            }
        }
        for (struct tw_order *o = tw_broker_open(g->b, NULL); o;
             o = tw_broker_open(g->b, o))
            open += !o->held;
        wrong += open != atomic_load(&desk.open);
        tw_broker_cancel_all(g->b, 0);
        quote(g, STEPS + 10, 1000, 1001, 5);
        while (tw_broker_next(g->b, &t)) {
        }
        for (unsigned i = 0; i < n; i++) ends += tw_order_is_done(&all[i]);
        wrong += atomic_load(&desk.open) != 0 || tw_broker_open(g->b, NULL) != NULL;
        for (unsigned i = 0; i < n; i++) wrong += !tw_order_is_done(&all[i]);
        close_rig(g);
        free(all);
        free(copy);
    }
    ok(wrong == 0, "what is told leads to what is (%u)", wrong);
    ok(trades > 1000 && ends > 5000, "in %u trades of %u orders", trades, ends);
}

static void without_memory(void)
{
    unsigned refused = 0;

    for (uint64_t n = 1; n < 60; n++) {
        struct tw_broker_options o = { .limits = { .orders = 4, .per_ns = 1 } };
        struct tw_broker *b;

        tw_memory_fail_at(n);
        b = tw_broker_new(&o);
        if (!b) {
            refused++;
        } else {
            struct tw_order order[40];
            struct tw_told t;

            for (int i = 0; i < 40; i++) {
                struct tw_record r = { .seq = (uint64_t)i + 1, .kind = TW_QUOTE,
                                       .symbol = 1,
                    .time = i, .quote = { ONE, ONE, ONE, ONE } };
                struct tw_error error;

                order[i] = (struct tw_order){ .symbol = 1, .side = TW_SIDE_BUY,
                    .type = TW_TYPE_MARKET, .tif = TW_TIF_GTC, .quantity = ONE };
                refused += tw_broker_submit(b, &order[i], &error) < 0;
                refused += tw_broker_record(b, &r) < 0;
            }
            while (tw_broker_next(b, &t))
                refused += t.report.exec == TW_EXEC_REJECTED;
            tw_broker_free(b);
        }
        tw_memory_fail_at(0);
    }
    ok(refused > 50, "no memory is said (%u)", refused);
}

int main(void)
{
    struct tw_gateway gateway = { count_submit, count_cancel, count_replace, NULL };

    limits();
    sense();
    rate_and_loss();
    buying_power();
    brackets();
    told_as_it_was();
    halted(NULL, "the simulator");
    halted(&gateway, "a gateway");
    desks();
    random_life();
    without_memory();
    return tap_done();
}
