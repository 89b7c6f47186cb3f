/* broker_refused.c - orders that are refused for what the market is, or others are: no
 * rate of their currency has come, they come too often, others may cost all there is, an
 * exit of a bracket would trade at once. */
#include "broker_rig.h"

static uint8_t reason(struct rig *g, struct tw_order o)
{
    struct tw_told t;
    uint8_t why = TW_REASON_NONE;

    submit(g, o);
    while (tw_broker_next(g->b, &t))
        if (t.report.exec == TW_EXEC_REJECTED) why = t.report.reason;
    return why;
}

/* ---- rates ---- */

static void rates(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .currency = "USD" });
    struct tw_account *a = tw_broker_account(g->b);
    struct tw_order one = { .quantity = 10 }, part = { .part = ONE / 2 };
    struct tw_order rest = { .quantity = 10, .price = 900 };
    struct tw_order little = { .symbol = 9, .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
                               .tif = TW_TIF_GTC, .part = 1, .price = 1000000 * ONE };
    struct tw_error error;
    struct tw_desk d;

    g->terms.currency = (uint32_t)tw_account_currency(a, "EUR");
    quote(g, 1, 1000, 1010, 500);
    ok(reason(g, one) == TW_REASON_RATE, "no rate is known: an order is refused");
    ok(reason(g, part) == TW_REASON_RATE, "and a part of the equity");
    ok(tw_broker_count(g->b) == 0 && tw_account_equity(a) == 100000 * (tw_money)ONE,
       "nothing has happened");
    tw_account_set_rate(a, g->terms.currency, 2 * ONE);
    ok(reason(g, rest) == TW_REASON_NONE, "it has come: they go");
    submit(g, part);
    quote(g, 2, 1000, 1010, 5000);
    is_told(g, "4 A, 3 0, 4 0, 4 5, 4 F2475", "and are as large as it says");
    ok(tw_broker_check(g->b, &little, &error) == TW_OK && little.quantity > 0
       && little.unaffordable, "one that is nothing, of what has no terms");
    tw_account_deposit(a, 0, -300000 * (tw_money)ONE);
    little.part = ONE;
    ok(tw_broker_check(g->b, &little, &error) == TW_OK && little.quantity > 0
       && little.unaffordable, "or where there is less than nothing");
    tw_account_deposit(a, 0, 300000 * (tw_money)ONE);
    tw_account_set_rate(a, g->terms.currency, 0);
    ok(reason(g, one) == TW_REASON_RATE, "a former run has left a position without one");
    one.side = TW_SIDE_SELL;
    ok(reason(g, one) == TW_REASON_NONE, "which may become smaller");
    close_rig(g);

    tw_desk_init(&d, &(struct tw_limits){ .order_value = 1000 * (tw_money)ONE });
    strcpy(d.currency, "EUR");
    g = open_rig((struct tw_broker_options){ .currency = "USD", .desk = &d });
    a = tw_broker_account(g->b);
    quote(g, 1, 1000, 1010, 500);
    ok(reason(g, (struct tw_order){ .quantity = 10 }) == TW_REASON_RATE,
       "nor is one of the currency of the limits of all");
    tw_account_set_rate(a, (uint32_t)tw_account_currency(a, "EUR"), 2 * ONE);
    ok(reason(g, (struct tw_order){ .quantity = 10 }) == TW_REASON_NONE, "it has come");
    close_rig(g);
}

/* ---- what closes ---- */

/* Limits of an order's size, and of how many are open, refuse none that only reduces;
 * what is being canceled is in nobody's way. */
static void what_closes(const struct tw_limits *own, const struct tw_limits *of_all)
{
    const struct tw_order closes = { .quantity = 8, .side = TW_SIDE_SELL,
                                     .reduce_only = true }, opens = { .quantity = 4 };
    struct tw_desk d;
    struct rig *g;
    struct tw_order *o;
    struct tw_error error;

    tw_desk_init(&d, of_all);
    g = open_rig((struct tw_broker_options){ .desk = &d, .limits = *own,
                                             .simulator.cancel.min_ns = 9 * ONE });
    quote(g, 1, 1000, 1001, 500);
    submit(g, opens);
    submit(g, opens);
    quote(g, 2, 1000, 1001, 500);
    submit(g, (struct tw_order){ .quantity = 2, .price = 990 });
    o = submit(g, (struct tw_order){ .quantity = 2, .price = 980 });
    quote(g, 3, 1000, 1001, 500);
    told(g);
    ok(reason(g, opens) == TW_REASON_OPEN_ORDERS, "what opens is refused");
    ok(reason(g, closes) == TW_REASON_SELF_MATCH, "what closes where it meets our own");
    tw_broker_cancel_all(g->b, 1, NULL);
    tw_broker_replace(g->b, o, 6 * ONE, 0, 0, &error);
    told(g);
    ok(o->pending_cancel, "a change that is refused leaves a cancel on its way");
    ok(reason(g, opens) == TW_REASON_OPEN_ORDERS, "until it has come what opens is");
    ok(reason(g, closes) == TW_REASON_NONE, "not what closes");
    quote(g, 4, 1000, 1001, 500);
    ok(tw_broker_held(g->b, 1) == 0, "which it has");
    close_rig(g);
    tw_desk_fini(&d);
}

/* A change that was refused leaves what counts of the order as it was: also what one
 * before it, which is on its way, has asked for. */
static void refused_changes(void)
{
    struct rig *g = open_rig((struct tw_broker_options){
        .limits.position = 100 * ONE, .simulator.cancel.min_ns = 9 * ONE });
    struct tw_order *o, fits = { .quantity = 40, .price = 990 };
    struct tw_order more = { .quantity = 41, .price = 990 };
    struct tw_order sell = { .quantity = 1, .price = 1010, .side = TW_SIDE_SELL };
    struct tw_error error;

    quote(g, 1, 1000, 1001, 500);
    o = submit(g, (struct tw_order){ .quantity = 10, .price = 990 });
    quote(g, 2, 1000, 1001, 500);
    tw_broker_replace(g->b, o, 60 * ONE, 0, 0, &error);
    told(g);
    tw_broker_replace(g->b, o, 101 * ONE, 0, 0, &error);
    is_told(g, "1 9", "a change to too much, after one to less");
    ok(reason(g, more) == TW_REASON_POSITION, "which counts as before");
    ok(reason(g, fits) == TW_REASON_NONE, "and no more");
    close_rig(g);

    g = open_rig((struct tw_broker_options){
        .limits.self_match = true, .simulator.cancel.min_ns = 9 * ONE });
    quote(g, 1, 1000, 1020, 500);
    o = submit(g, (struct tw_order){ .quantity = 10, .price = 990 });
    quote(g, 2, 1000, 1020, 500);
    tw_broker_replace(g->b, o, 0, 1005 * (ONE / 100), 0, &error);
    tw_broker_replace(g->b, o, 0, 1010 * (ONE / 100), 0, &error);
    tw_broker_replace(g->b, o, 0, 1007 * (ONE / 100), 0, &error);
    ok(reason(g, sell) == TW_REASON_SELF_MATCH,
       "the best price that is on its way counts");
    sell.price++;
    ok(reason(g, sell) == TW_REASON_NONE, "up to it");
    close_rig(g);
}

static bool buys(const struct tw_order *o)
{
    return o->side == TW_SIDE_BUY;
}

/* Each once, and of some those that are to go. */
static void cancels(void)
{
    struct rig *g = open_rig((struct tw_broker_options){
        .simulator.cancel.min_ns = 9 * ONE });

    quote(g, 1, 1000, 1001, 500);
    submit(g, (struct tw_order){ .quantity = 10, .price = 990 });
    submit(g, (struct tw_order){ .quantity = 10, .price = 1010, .side = TW_SIDE_SELL });
    quote(g, 2, 1000, 1001, 500);
    told(g);
    ok(tw_broker_cancel_all(g->b, 0, buys) == 1, "all but buys");
    is_told(g, "2 6", "is a sell");
    ok(tw_broker_cancel_all(g->b, 0, NULL) == 1, "then all");
    is_told(g, "1 6", "but what is on its way");
    close_rig(g);
}

/* A stop counts as every price, so it meets what is left of its entry. */
static void stops_go(const struct tw_limits *own, const struct tw_limits *of_all)
{
    struct tw_desk d;
    struct rig *g;
    struct tw_order *entry;

    tw_desk_init(&d, of_all);
    g = open_rig((struct tw_broker_options){ .desk = &d, .limits = *own });
    quote(g, 1, 1000, 1001, 500);
    entry = submit(g, (struct tw_order){ .quantity = 5, .price = 1001 });
    submit(g, (struct tw_order){ .quantity = 5, .stop = 900, .side = TW_SIDE_SELL,
        .type = TW_TYPE_STOP, .parent = entry->id, .reduce_only = true });
    quote(g, 2, 1000, 1001, 2);
    quote(g, 3, 1000, 1002, 2);
    is_told(g, "1 A, 2 A, 1 0, 1 F2, 2 0", "a part of an entry has its stop");
    close_rig(g);
    tw_desk_fini(&d);
}

/* ---- how often ---- */

/* An exit was asked for with its entry: what limits how often leaves no position bare. */
static void exits_are_of_their_entry(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .limits = {
        .orders = 1, .per_ns = 10 * ONE } });
    struct tw_order one = { .quantity = 1 }, *entry;

    quote(g, 1, 1000, 1001, 500);
    entry = submit(g, (struct tw_order){ .quantity = 5 });
    submit(g, (struct tw_order){ .quantity = 5, .stop = 900, .side = TW_SIDE_SELL,
                                 .type = TW_TYPE_STOP, .parent = entry->id });
    quote(g, 2, 1000, 1001, 500);
    ok(reason(g, one) == TW_REASON_ORDER_RATE, "a second order is too many");
    quote(g, 3, 1000, 1001, 500);
    is_told(g, "2 0", "an exit of the first is not");
    close_rig(g);
}

/* ---- buying power ---- */

/* What is open may cost as well: there are 100,000, and 1,000 of something is that. */
static void open_orders_cost(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .limits = {
        .buying_power = true } });
    struct tw_order *o, some = { .quantity = 1, .price = 100 };
    struct tw_error error;

    quote(g, 1, 10000, 10000, 5000);
    o = submit(g, (struct tw_order){ .quantity = 800, .price = 5000 });
    submit(g, (struct tw_order){ .quantity = 600, .price = 10000 });
    is_told(g, "1 A, 2 A", "orders that may cost all there is");
    ok(reason(g, some) == TW_REASON_BUYING_POWER, "one more");
    some.symbol = 2;
    ok(reason(g, some) == TW_REASON_BUYING_POWER, "of something else");
    submit(g, (struct tw_order){ .quantity = 1000, .price = 10000,
                                 .side = TW_SIDE_SELL });
    is_told(g, "5 A", "a sell is another way: both can't enlarge");
    tw_broker_replace(g->b, o, 801 * ONE, 0, 0, &error);
    is_told(g, "1 9", "a change counts the others");
    tw_broker_replace(g->b, o, 799 * ONE, 0, 0, &error);
    is_told(g, "1 E", "and not itself");
    tw_broker_cancel_all(g->b, 0, NULL);
    quote(g, 2, 10000, 10000, 5000);
    told(g);
    submit(g, (struct tw_order){ .quantity = 1000, .price = 10000, .group = 6 });
    submit(g, (struct tw_order){ .quantity = 900, .price = 10000, .group = 6 });
    is_told(g, "6 A, 7 A", "of a group the largest");
    ok(reason(g, some) == TW_REASON_BUYING_POWER, "beside which there is no more");
    quote(g, 3, 9999, 10000, 5000);
    told(g);
    submit(g, (struct tw_order){ .quantity = 600, .price = 11000, .side = TW_SIDE_SELL });
    submit(g, (struct tw_order){ .quantity = 400, .price = 12000, .side = TW_SIDE_SELL });
    is_told(g, "9 A, 10 A", "all is held: what closes it costs nothing");
    some = (struct tw_order){ .quantity = 1, .price = 11000, .side = TW_SIDE_SELL };
    ok(reason(g, some) == TW_REASON_BUYING_POWER, "what goes beyond that does");
    close_rig(g);
}

/* One of a group of as many trades, and whichever it is, it must be paid. */
static void groups_cost(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .limits = {
        .buying_power = true } });
    struct tw_order some = { .quantity = 101, .price = 10000 };

    quote(g, 1, 20000, 20000, 5000);
    submit(g, (struct tw_order){ .quantity = 900, .price = 10000, .group = 1 });
    submit(g, (struct tw_order){ .quantity = 900, .price = 9000, .group = 1 });
    submit(g, (struct tw_order){ .quantity = 900, .price = 8000, .group = 1 });
    is_told(g, "1 A, 2 A, 3 A", "a group");
    ok(reason(g, some) == TW_REASON_BUYING_POWER, "its dearest one counts");
    some.symbol = 2;
    ok(reason(g, some) == TW_REASON_BUYING_POWER, "to something else, too");
    some.quantity--;
    ok(reason(g, some) == TW_REASON_NONE, "and only that one");
    close_rig(g);
}

/* What closes what is short is paid, and no part of what else may be bought. */
static void parts_that_turn(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .limits = {
        .buying_power = true } });

    quote(g, 1, 10000, 10000, 5000);
    submit(g, (struct tw_order){ .quantity = 100, .side = TW_SIDE_SELL });
    quote(g, 2, 10000, 10000, 5000);
    told(g);
    submit(g, (struct tw_order){ .part = ONE / 2 });
    quote(g, 3, 10000, 10000, 5000);
    is_told(g, "2 A, 2 0, 2 5, 2 F500", "half of the equity");
    close_rig(g);
}

/* ---- brackets ---- */

static struct rig *market(void)
{
    return open_rig((struct tw_broker_options){ .currency = "USD" });
}

/* Is an order of this kind refused, with exits in hundredths? */
static bool refused(struct rig *g, struct tw_order o, int64_t take_profit,
                    int64_t stop_loss)
{
    struct tw_order own = o;

    own.symbol = 1;
    own.price *= ONE / 100;
    own.stop *= ONE / 100;
    if (!own.side) own.side = TW_SIDE_BUY;
    if (!own.type) own.type = own.price ? TW_TYPE_LIMIT : TW_TYPE_MARKET;
    tw_broker_bracket(g->b, &own, take_profit * (ONE / 100), stop_loss * (ONE / 100));
    o.misplaced = own.misplaced;
    o.quantity = 10;
    return reason(g, o) == TW_REASON_BRACKET;
}

static void brackets(void)
{
    struct rig *g = market();
    struct tw_order buy = { .side = TW_SIDE_BUY }, sell = { .side = TW_SIDE_SELL };
    struct tw_order low = { .price = 900 }, high = { .price = 1200 };
    struct tw_order stop = { .type = TW_TYPE_STOP, .stop = 1100 };
    struct tw_order past = { .type = TW_TYPE_STOP, .stop = 950 };
    struct tw_order trail = { .type = TW_TYPE_TRAILING_STOP, .trail = ONE };

    ok(!refused(g, buy, 900, 1100), "without a price nothing is known");
    ok(refused(g, low, 890, 0) && refused(g, low, 0, 910) && refused(g, low, 900, 0),
       "but of a limit");
    quote(g, 1, 1000, 1010, 500);
    ok(!refused(g, buy, 1100, 900), "a buy: it gains above, loses below");
    ok(refused(g, buy, 990, 900) && refused(g, buy, 1100, 1000)
       && refused(g, buy, 1000, 0) && !refused(g, buy, 1001, 999),
       "its exits look at the bid");
    ok(!refused(g, sell, 900, 1100) && refused(g, sell, 1010, 0)
       && refused(g, sell, 0, 1010) && !refused(g, sell, 1009, 1011),
       "a sell: the other way round, at the ask");
    ok(!refused(g, low, 950, 850) && refused(g, low, 950, 950),
       "a limit that rests: at its price");
    ok(!refused(g, high, 1100, 990) && refused(g, high, 1300, 1100),
       "one that trades at once: at the market's");
    ok(!refused(g, stop, 1150, 1050) && refused(g, stop, 1050, 0),
       "a stop: at its price");
    ok(!refused(g, past, 1050, 990) && refused(g, past, 980, 900),
       "one that the market is beyond: at that");
    ok(!refused(g, trail, 900, 1100), "a trailing stop has no price yet");
    close_rig(g);
}

/* Nothing that is known before leaves a position without its exit: a price at no tick is
 * refused with the entry, and limits of an order's size and price are the entry's. */
static void exits_go(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .limits = {
        .order_value = 100 * (tw_money)ONE, .collar = ONE / 20 } });
    struct tw_order off = { .symbol = 1, .side = TW_SIDE_BUY, .type = TW_TYPE_MARKET,
                            .tif = TW_TIF_GTC, .quantity = 9 * ONE };
    struct tw_order *entry, *exit;
    struct tw_error error;
    struct tw_told t[2];

    quote(g, 1, 1000, 1001, 9);
    tw_broker_check(g->b, &off, &error);
    tw_broker_bracket(g->b, &off, 12 * ONE, 8 * ONE + 1);
    tw_broker_submit(g->b, &off, &error);
    ok(tw_broker_next(g->b, &t[0]) && tw_broker_next(g->b, &t[1])
       && t[1].report.reason == TW_REASON_TICK && t[1].report.last_px == 8 * ONE + 1,
       "a stop_loss at no tick: its entry is refused");
    g->terms.lot = 9 * ONE;
    entry = submit(g, (struct tw_order){ .quantity = 9 });
    exit = submit(g, (struct tw_order){ .quantity = 9, .price = 1200,
        .side = TW_SIDE_SELL, .reduce_only = true, .parent = entry->id });
    told(g);
    ok(tw_broker_replace(g->b, exit, 0, 12 * ONE + 1, 0, &error) == TW_OK
       && exit->price == 12 * ONE, "nor may it come to no tick");
    quote(g, 2, 1000, 1001, 5);
    quote(g, 3, 1000, 1001, 5);
    is_told(g, "3 9, 2 0, 2 F5, 3 0",
            "an exit far away, of less than a lot, goes");
    quote(g, 4, 1000, 1001, 9);
    told(g);
    entry = submit(g, (struct tw_order){ .quantity = 9 });
    submit(g, (struct tw_order){ .quantity = 9, .price = 1200, .side = TW_SIDE_SELL,
                                 .reduce_only = true, .parent = entry->id });
    quote(g, 5, 1000, 1001, 5);
    quote(g, 6, 1000, 1001, 5);
    is_told(g, "4 A, 5 A, 4 0, 4 F5, 5 0", "beside what else is held, too");
    close_rig(g);
}

/* What traded by odd sizes that were shown can be closed. */
static void odd_lots(void)
{
    struct rig *g = market();
    struct tw_order *o, part = { .quantity = 3, .side = TW_SIDE_SELL };
    struct tw_order all = { .quantity = 4, .side = TW_SIDE_SELL };

    g->terms.lot = 10 * ONE;
    quote(g, 1, 1000, 1001, 9);
    o = submit(g, (struct tw_order){ .quantity = 10 });
    quote(g, 2, 1000, 1001, 4);
    tw_broker_cancel(g->b, o);
    quote(g, 3, 1000, 1001, 4);
    ok(tw_broker_held(g->b, 1) == 4 * ONE && reason(g, part) == TW_REASON_LOT
       && reason(g, all) == TW_REASON_NONE, "all of an odd lot can go, no part of it");
    close_rig(g);
}

/* A bar of bids or of asks that stands, at whole prices. */
static void bar(struct rig *g, int64_t second, enum tw_bar_price of, int64_t price)
{
    struct tw_record r = { .seq = ++g->seq, .symbol = 1, .time = second * ONE };
    struct tw_ohlc bar = { price * ONE, price * ONE, price * ONE, price * ONE, 0 };

    tw_bar_set(&r, &bar, 1, of);
    tw_broker_record(g->b, &r);
}

static void trade(struct rig *g, int64_t second, int64_t price)
{
    struct tw_record r = { .seq = ++g->seq, .kind = TW_TRADE, .symbol = 1,
                           .time = second * ONE };

    r.trade = (struct tw_trade){ .price = price * ONE, .size = ONE };
    tw_broker_record(g->b, &r);
}

static void sides(void)
{
    struct rig *g = market();
    struct tw_order buy = { .side = TW_SIDE_BUY }, sell = { .side = TW_SIDE_SELL };
    struct tw_order stop = { .type = TW_TYPE_STOP, .stop = 1500 };

    bar(g, 1, TW_BAR_BID, 10);
    bar(g, 1, TW_BAR_ASK, 20);
    ok(!refused(g, buy, 1500, 500) && refused(g, buy, 1500, 1200),
       "a buy leaves by bars of bids, though one of asks came last");
    bar(g, 2, TW_BAR_BID, 10);
    ok(refused(g, buy, 1500, 1200) && !refused(g, sell, 1500, 2500)
       && refused(g, sell, 500, 1500), "a sell by those of asks");
    ok(refused(g, stop, 1400, 1200) && !refused(g, stop, 1400, 500),
       "what enters looks at its own side");
    close_rig(g);
    g = market();
    quote(g, 1, 1000, 2000, 500);
    trade(g, 2, 20);
    ok(!refused(g, buy, 1500, 500) && refused(g, buy, 1500, 1200),
       "quotes are looked at, though a trade came last");
    close_rig(g);
    g = market();
    trade(g, 1, 20);
    ok(refused(g, buy, 1500, 500) && !refused(g, buy, 2500, 500),
       "trades where there are no quotes");
    close_rig(g);
}

/* ---- brackets that are changed ---- */

struct bracket { struct tw_order *entry, *profit, *loss; };

/* In hundredths; an entry without a price is a market order. */
static struct bracket bracket(struct rig *g, struct tw_order entry, int64_t profit,
                              int64_t loss)
{
    enum tw_side other = entry.side == TW_SIDE_SELL ? TW_SIDE_BUY : TW_SIDE_SELL;
    struct bracket made;

    entry.quantity = 10;
    made.entry = submit(g, entry);
    made.profit = submit(g, (struct tw_order){
        .side = other, .quantity = 10, .price = profit, .parent = made.entry->id });
    made.loss = submit(g, (struct tw_order){
        .side = other, .quantity = 10, .type = TW_TYPE_STOP, .stop = loss,
        .parent = made.entry->id });
    return made;
}

/* Is another price of it (a stop's: of its stop) refused?  Then it has the old one. */
static bool stays(struct rig *g, struct tw_order *o, int64_t price)
{
    bool is_stop = o->type == TW_TYPE_STOP;
    int64_t was = is_stop ? o->stop : o->price;
    struct tw_error error = { .text = "" };
    bool is_so = false;
    struct tw_told t;

    told(g);
    tw_broker_replace(g->b, o, 0, is_stop ? 0 : price * (ONE / 100),
                      is_stop ? price * (ONE / 100) : 0, &error);
    while (tw_broker_next(g->b, &t))
        is_so = is_so || (t.report.exec == TW_EXEC_CANCEL_REJECTED
                          && t.report.reason == TW_REASON_BRACKET && t.order == o);
    return is_so && was == (is_stop ? o->stop : o->price);
}

static void changes(void)
{
    struct rig *g = market();
    struct tw_order buy = { .price = 900 }, sell = { .side = TW_SIDE_SELL };
    struct tw_order trail = { .type = TW_TYPE_TRAILING_STOP, .trail = ONE };
    struct tw_error error;
    struct bracket b;

    quote(g, 1, 1000, 1010, 500);
    b = bracket(g, buy, 950, 850);
    ok(stays(g, b.profit, 900) && stays(g, b.profit, 800) && stays(g, b.loss, 900),
       "exits that wait: on the wrong side of the entry's price");
    ok(!stays(g, b.profit, 910) && !stays(g, b.loss, 870)
       && b.profit->price == 91 * ONE / 10 && b.loss->stop == 87 * ONE / 10,
       "on the right one they change");
    ok(stays(g, b.entry, 910) && stays(g, b.entry, 870) && !stays(g, b.entry, 905),
       "the entry does not pass its exits");
    quote(g, 2, 890, 895, 500);
    ok(tw_order_status(b.entry) == TW_STATUS_FILLED && !b.profit->held,
       "the entry has traded");
    ok(stays(g, b.loss, 890) && stays(g, b.loss, 990) && stays(g, b.profit, 890)
       && stays(g, b.profit, 880), "exits at the venue: the market's price counts");
    ok(tw_broker_replace(g->b, b.profit, 8 * ONE, 0, 0, &error) == TW_OK
       && !stays(g, b.profit, 920) && !stays(g, b.loss, 880),
       "the right side, and a quantity alone, are not refused");
    close_rig(g);

    g = market();
    quote(g, 1, 1000, 1010, 500);
    b = bracket(g, sell, 900, 1100);
    quote(g, 2, 1000, 1010, 500);
    ok(stays(g, b.loss, 1010) && stays(g, b.profit, 1010) && !stays(g, b.loss, 1011)
       && !stays(g, b.profit, 1009), "of a sell, which looks at the ask");
    b.entry = submit(g, (struct tw_order){ .quantity = 1, .price = 500 });
    ok(!stays(g, b.entry, 400), "an order without exits goes where it likes");
    close_rig(g);

    g = market();
    b = bracket(g, trail, 1200, 900);
    ok(stays(g, b.profit, 900) && stays(g, b.loss, 1200) && !stays(g, b.loss, 1199),
       "where no price is known they still don't pass each other");
    close_rig(g);
}

/* A position is of 64 bits, with nine decimals. */
static void sums(void)
{
    enum { MUCH = 9 };                       /* billions */
    const int64_t billion = 1000000000;
    struct rig *g = open_rig((struct tw_broker_options){ .currency = "USD" });
    struct tw_order big = { .quantity = MUCH * billion }, *o;

    quote(g, 1, 4000, 4002, MUCH * billion);
    submit(g, big);
    o = submit(g, big);
    ok(o->status == TW_STATUS_REJECTED, "more than a position can be, with what is open");
    big.side = TW_SIDE_SELL;
    o = submit(g, big);
    ok(o->status == TW_STATUS_PENDING_NEW, "the other way");
    tw_broker_cancel(g->b, o);
    quote(g, 2, 4000, 4002, MUCH * billion);
    ok(tw_broker_held(g->b, 1) == MUCH * billion * ONE, "it is filled");
    o = submit(g, (struct tw_order){ .quantity = billion });
    ok(o->status == TW_STATUS_REJECTED, "with what is held");
    o = submit(g, big);
    ok(o->status == TW_STATUS_PENDING_NEW, "it can be sold");
    told(g);
    close_rig(g);
}

int main(void)
{
    const struct tw_limits none = { 0 }, most = { .order_quantity = 5 * ONE,
        .order_value = 51 * (tw_money)ONE, .open_orders = 2, .self_match = true };

    sums();
    rates();
    refused_changes();
    cancels();
    what_closes(&most, &none);
    what_closes(&none, &most);
    stops_go(&most, &none);
    stops_go(&none, &most);
    exits_are_of_their_entry();
    open_orders_cost();
    groups_cost();
    parts_that_turn();
    brackets();
    exits_go();
    odd_lots();
    sides();
    changes();
    return tap_done();
}
