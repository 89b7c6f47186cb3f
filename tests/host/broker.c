/* broker.c - limits, the kill switch, and what is told. */
#include "trade/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "broker_rig.h"
#include "fix/draft.h"
#include "fix/order_entry.h"
#include "random.h"

static const struct tw_limits NOTHING = { .open_orders = 0 };

static struct tw_desk *desk_with(struct tw_desk *d, const struct tw_limits *limits)
{
    tw_desk_init(d, limits);
    return d;
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

    submit(g, (struct tw_order){ .quantity = 1, .price = 1 });
    is_told(g, "1 A", "no price is known that it could be far from");
    tw_broker_cancel_all(g->b, 0, NULL);
    quote(g, 1, 4000, 4002, 500);
    told(g);
    reason_is(g, (struct tw_order){ .quantity = 101 }, TW_REASON_ORDER_SIZE, "size");
    g->terms.multiplier = 2 * ONE;
    reason_is(g, (struct tw_order){ .quantity = 100, .price = 4000 },
              TW_REASON_ORDER_VALUE, "value, with the multiplier");
    g->terms.multiplier = 0;
    reason_is(g, (struct tw_order){ .quantity = 10, .price = 3600 }, TW_REASON_COLLAR,
              "too far below");
    submit(g, (struct tw_order){ .quantity = 10, .price = 3601 });
    is_told(g, "5 A", "just near enough");
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
    reason_is(g, (struct tw_order){ .quantity = 1, .stop = 4101, .type = TW_TYPE_STOP },
              TW_REASON_TICK, "of a stop, too");
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
    x = o, x.trail_part = 3, bad(g, x, "a limit order has no trail");
    x = o, x.trail = -3, bad(g, x, "a limit order has no trail");
    x = o, x.trail_part = -3, bad(g, x, "a limit order has no trail");
    x = o, x.type = TW_TYPE_TRAILING_STOP, x.price = 0;
    bad(g, x, "a trailing_stop order needs a trail above 0");
    x.trail = 3, x.trail_part = 3, bad(g, x, "either a trail or a trail_percent");
    x.trail = 0, x.trail_part = ONE, bad(g, x, "trail_percent: below 100 expected");
    x = o, x.tif = TW_TIF_GTD;
    bad(g, x, "gtd and expire, when it ends, need each other");
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

/* Whatever the ids are: chance goes by the orders' numbers, and each is found. */
static void ids(void)
{
    struct tw_broker_options o = { .simulator = {
        .submit = { .kind = TW_LATENCY_UNIFORM, .max_ns = 3 * ONE },
        .cancel = { .kind = TW_LATENCY_UNIFORM, .min_ns = 4 * ONE, .max_ns = 6 * ONE },
        .seed = 5 } };
    struct rig *plain = open_rig(o), *wide;
    uint64_t first = INT64_MAX / 4, step = 4097;
    unsigned differ = 0, wrong = 0, reports = 0;

    o.first_id = first;
    o.id_step = step;
    wide = open_rig(o);
    for (int i = 1; i <= 60; i++) {           /* the rig has room for 64 */
        struct tw_order *one, *other;

        quote(plain, i, 1000, 1001, 5);
        quote(wide, i, 1000, 1001, 5);
        one = submit(plain, (struct tw_order){ .quantity = 1, .price = 1000 + i % 3 });
        other = submit(wide, (struct tw_order){ .quantity = 1, .price = 1000 + i % 3 });
        wrong += one->id != (uint64_t)i
              || other->id != first + (uint64_t)(i - 1) * step;
        differ += tw_broker_untold(plain->b) != tw_broker_untold(wide->b);
        reports += (unsigned)tw_broker_untold(wide->b);
        if (i % 3 == 0) differ += tw_broker_cancel(plain->b, one)
                               != tw_broker_cancel(wide->b, other);
        told(plain);
        told(wide);
    }
    ok(wrong == 0 && tw_broker_next_id(wide->b) == first + 60 * step,
       "each id a step from the one before (%u)", wrong);
    ok(differ == 0 && reports > 120, "the same happens to each (%u of %u)", differ,
       reports);
    close_rig(plain);
    close_rig(wide);
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
    struct tw_desk desk;
    struct rig *g = open_rig((struct tw_broker_options){
        .desk = desk_with(&desk, &NOTHING), .gateway = gateway });
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
    tw_desk_fini(&desk);
}

/* ---- a gateway that speaks FIX ---- */

static void nothing_reported(void *ctx, const struct tw_venue_report *r)
{
    (void)ctx;
    (void)r;
}

/* What goes out of it; cancels don't count. */
static int carry(struct tw_fix_orders *fix, struct tw_request q)
{
    struct tw_fix_outgoing out;
    int rc = tw_fix_orders_send(fix, &q, NULL);

    while (tw_fix_orders_next(fix, ONE, &out)) {
        sent += *out.code == 'D' || *out.code == 'G';
        tw_fix_orders_sent(fix, 1);
    }
    return rc;
}

static int fix_submit(void *ctx, const struct tw_order *o)
{
    return carry(ctx, (struct tw_request){ .what = TW_REQUEST_NEW, .owner = 3,
        .id = o->id, .symbol = o->symbol, .side = o->side, .type = o->type,
        .tif = o->tif, .quantity = o->quantity, .price = o->price, .stop = o->stop });
}

static int fix_cancel(void *ctx, const struct tw_order *o)
{
    return carry(ctx, (struct tw_request){ .what = TW_REQUEST_CANCEL, .id = o->id });
}

static int fix_replace(void *ctx, const struct tw_order *o, int64_t quantity,
                       int64_t price, int64_t stop)
{
    return carry(ctx, (struct tw_request){ .what = TW_REQUEST_REPLACE, .id = o->id,
                       .quantity = quantity, .price = price, .stop = stop });
}

static void halted_fix(void)
{
    struct tw_symbols *symbols = tw_symbols_new(4);
    struct tw_fix_draft *draft = tw_fix_draft_new();
    struct tw_fix_dictionary *dictionary;
    struct tw_fix_orders *fix;
    struct tw_error error;

    tw_symbols_intern(symbols, "A", 1);
    if (tw_fix_draft_version(draft, TW_FIX_44, &error) < 0
        || tw_fix_draft_finish(draft, &dictionary, &error) < 0)
        abort();
    fix = tw_fix_orders_new(&(struct tw_fix_orders_options){
        .dictionary = dictionary, .symbols = symbols, .report = nothing_reported });
    tw_fix_orders_logged_on(fix);
    halted(&(struct tw_gateway){ .submit = fix_submit, .cancel = fix_cancel,
                                 .replace = fix_replace, .ctx = fix }, "a FIX gateway");
    tw_fix_orders_free(fix);
    tw_fix_dictionary_free(dictionary);
    tw_fix_draft_free(draft);
    tw_symbols_free(symbols);
}

static void desks(void)
{
    struct tw_desk desk;
    struct rig *a = open_rig((struct tw_broker_options){ .desk = desk_with(&desk,
        &(struct tw_limits){ .open_orders = 3, .orders = 4, .daily_loss = 100 * ONE }) });
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
        struct tw_desk desk;
        struct rig *g = open_rig((struct tw_broker_options){
            .desk = desk_with(&desk, &NOTHING),
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
        tw_broker_cancel_all(g->b, 0, NULL);
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

/* ---- a copy ---- */

enum { TWINS = 400 };

struct twin { struct rig *rig; struct tw_order *all; unsigned n; };

struct pair { struct tw_order *from, *to; };

static struct tw_order *twin_of(void *ctx, const struct tw_order *o)
{
    const struct pair *p = ctx;

    return &p->to[o - p->from];
}

/* One random step, the same for the same number. */
static void step(struct twin *t, uint64_t number, int64_t second)
{
    struct tw_order *o = t->n ? &t->all[number / 8 % t->n] : NULL;
    int64_t some = (int64_t)(number / 64 % 40);
    struct tw_error error;

    switch (number % 6) {
    case 0:
        t->all[t->n] = (struct tw_order){ .symbol = 1, .tif = "1340"[number / 8 % 4],
            .side = (uint8_t)(1 + some % 2), .quantity = (some % 9 + 1) * ONE,
            .type = "1234P"[number / 32 % 5],
            .parent = o && number / 128 % 3 == 0 ? o->id : 0 };
        o = &t->all[t->n++];
        if (o->type == '2' || o->type == '4') o->price = (990 + some) * (ONE / 100);
        if (o->type == '3' || o->type == '4') o->stop = (1010 - some) * (ONE / 100);
        if (o->type == 'P') o->trail = ONE / 10;
        tw_broker_submit(t->rig->b, o, &error);
        break;
    case 1:
        if (o) tw_broker_cancel(t->rig->b, o);
        break;
    case 2:
        if (o && o->type == TW_TYPE_LIMIT && tw_order_is_open(o))
            tw_broker_replace(t->rig->b, o, o->quantity + ONE, o->price, 0, &error);
        break;
    default:
        quote(t->rig, second, 1000 + some, 1001 + some, some % 9 + 1);
    }
}

static void open_twin(struct twin *t, struct tw_desk *desk, bool is_copy)
{
    t->rig = open_rig((struct tw_broker_options){
        .desk = desk, .is_uncounted = is_copy,
        .limits = { .open_orders = 40, .orders = 3, .per_ns = 9 * ONE },
        .simulator = { .submit = { .kind = TW_LATENCY_UNIFORM, .max_ns = 3 * ONE },
                       .cancel = { .kind = TW_LATENCY_UNIFORM, .max_ns = 3 * ONE } } });
    t->all = calloc(TWINS, sizeof *t->all);
    t->n = 0;
}

static void close_twin(struct twin *t)
{
    close_rig(t->rig);
    free(t->all);
}

/* Some orders of t are the copy's, with what is to be told of them. */
static bool adopt(struct twin *copy, const struct twin *from)
{
    struct pair pair = { from->all, copy->all };

    memcpy(copy->all, from->all, TWINS * sizeof *copy->all);
    copy->n = from->n;
    copy->rig->seq = from->rig->seq;
    return tw_broker_adopt(copy->rig->b, from->rig->b, twin_of, &pair) == TW_OK;
}

/* Copied anywhere in its life it goes on as the first does, which does not notice. */
static void copies(void)
{
    unsigned differ = 0, refused = 0, said = 0, desks_differ = 0;

    for (unsigned run = 0; run < 300; run++) {
        struct tw_desk desk;
        struct twin one, two;
        unsigned fork = (unsigned)(next() % TWINS);
        bool no_memory = run % 3 == 0, fine = true;

        tw_desk_init(&desk, &NOTHING);
        open_twin(&one, &desk, false);
        for (unsigned i = 0; i < fork; i++) {
            step(&one, next(), i);
            if (next() % 4) told(one.rig);       /* else some is still to be told */
        }
        open_twin(&two, &desk, true);
        if (no_memory) tw_memory_fail_at(next() % 12 + 1);
        fine = adopt(&two, &one);
        tw_memory_fail_at(0);
        refused += !fine;
        for (unsigned i = fork; fine && i < TWINS; i++) {
            uint64_t number = next();
            unsigned open = atomic_load(&desk.open);

            step(&two, number, i);
            desks_differ += atomic_load(&desk.open) != open;
            step(&one, number, i);
            differ += strcmp(told(one.rig), told(two.rig)) != 0;
            said += one.rig->got[0] != '\0';
            differ += tw_account_equity(tw_broker_account(one.rig->b))
                   != tw_account_equity(tw_broker_account(two.rig->b));
        }
        close_twin(&two);
        close_twin(&one);
    }
    ok(differ == 0, "a copy goes on as the first does (%u)", differ);
    ok(said > 5000, "in %u steps that had something to tell", said);
    ok(desks_differ == 0, "and the desk does not know it");
    ok(refused > 20, "no memory is said (%u)", refused);
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
    struct tw_gateway gateway = { .submit = count_submit, .cancel = count_cancel,
                                  .replace = count_replace };

    limits();
    sense();
    rate_and_loss();
    buying_power();
    told_as_it_was();
    ids();
    halted(NULL, "the simulator");
    halted(&gateway, "a gateway");
    halted_fix();
    desks();
    random_life();
    copies();
    without_memory();
    return tap_done();
}
