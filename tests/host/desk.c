/* desk.c - the limits of all strategies together: whatever several of them send, cancel
 * and change, on one thread or on many, what is held and open keeps within these.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"
#include "trade/broker.h"

#define ONE TW_FIXED_ONE
#define CENT (ONE / 100)

enum { STRATEGIES = 4, SYMBOLS = 2, ORDERS = 1200, THREADS = 4 };

static int64_t total(struct tw_desk *d, uint32_t symbol, bool buying)
{
    struct tw_desk_symbol *s = tw_desk_symbol(d, symbol);

    return atomic_load(buying ? &s->buying : &s->selling);
}

/* ---- each limit ---- */

static struct tw_broker *open_broker(struct tw_desk *desk, uint64_t venue)
{
    struct tw_broker *b = tw_broker_new(&(struct tw_broker_options){
        .desk = desk, .venue = venue });

    tw_account_deposit(tw_broker_account(b), 0, 1000000 * (tw_money)ONE);
    return b;
}

static void quote(struct tw_broker *b, uint64_t seq, int64_t second, uint32_t symbol,
                  int64_t cents)
{
    struct tw_record r = { .seq = seq, .kind = TW_QUOTE, .symbol = symbol,
        .time = second * ONE, .quote = { .bid = cents * CENT, .ask = (cents + 1) * CENT,
                                         .bid_size = 500 * ONE, .ask_size = 500 * ONE } };

    if (tw_broker_record(b, &r) < 0) abort();
}

/* Why it was refused, or TW_REASON_NONE. */
static enum tw_reason told(struct tw_broker *b)
{
    enum tw_reason why = TW_REASON_NONE;
    struct tw_told t;

    while (tw_broker_next(b, &t))
        if (t.report.exec == TW_EXEC_REJECTED || t.report.exec == TW_EXEC_CANCEL_REJECTED)
            why = (enum tw_reason)t.report.reason;
    return why;
}

static enum tw_reason send(struct tw_broker *b, struct tw_order *o, int side,
                           int64_t quantity, int64_t cents)
{
    struct tw_error error;

    *o = (struct tw_order){ .symbol = 1, .side = (uint8_t)side, .tif = TW_TIF_GTC,
        .type = cents ? TW_TYPE_LIMIT : TW_TYPE_MARKET, .quantity = quantity * ONE,
        .price = cents * CENT };
    if (tw_broker_submit(b, o, &error) < 0) abort();
    return told(b);
}

static void each_limit(void)
{
    struct tw_desk d;
    struct tw_broker *a, *b;
    struct tw_order o[16];
    struct tw_error error;

    tw_desk_init(&d, &(struct tw_limits){ .order_quantity = 10 * ONE,
        .order_value = 81 * (tw_money)ONE, .collar = ONE / 10, .position = 15 * ONE });
    a = open_broker(&d, 0);
    b = open_broker(&d, 0);
    quote(a, 1, 1, 1, 1000);
    quote(b, 1, 1, 1, 1000);
    ok(send(a, &o[0], TW_SIDE_BUY, 11, 1000) == TW_REASON_ORDER_SIZE, "size");
    ok(send(a, &o[0], TW_SIDE_BUY, 9, 1000) == TW_REASON_ORDER_VALUE, "value");
    ok(send(a, &o[0], TW_SIDE_BUY, 5, 890) == TW_REASON_COLLAR, "collar");
    ok(send(a, &o[0], TW_SIDE_BUY, 8, 990) == TW_REASON_NONE
       && send(b, &o[1], TW_SIDE_BUY, 7, 990) == TW_REASON_NONE
       && total(&d, 1, true) == 15 * ONE, "two of them have all of the position");
    ok(send(b, &o[2], TW_SIDE_BUY, 1, 990) == TW_REASON_NET_POSITION
       && total(&d, 1, true) == 15 * ONE, "one more is refused, and counts no more");
    ok(tw_broker_replace(b, &o[1], 8 * ONE, 0, 0, &error) == TW_OK
       && told(b) == TW_REASON_NET_POSITION, "nor can one become larger");
    ok(tw_broker_replace(b, &o[1], 6 * ONE, 0, 0, &error) == TW_OK
       && send(a, &o[3], TW_SIDE_BUY, 1, 990) == TW_REASON_NET_POSITION,
       "what is asked for is not there yet");
    quote(b, 2, 2, 1, 1000);
    told(b);
    ok(send(a, &o[3], TW_SIDE_BUY, 1, 990) == TW_REASON_NONE, "then it is");
    ok(send(a, &o[4], TW_SIDE_SELL, 8, 1010) == TW_REASON_NONE
       && send(b, &o[5], TW_SIDE_SELL, 8, 1010) == TW_REASON_NET_POSITION,
       "the other side counts by itself");
    quote(a, 3, 3, 1, 1000);
    quote(a, 4, 4, 1, 980);
    told(a);
    ok(o[0].status == TW_STATUS_FILLED && total(&d, 1, true) == 15 * ONE
       && total(&d, 1, false) == -1 * ONE, "a trade changes one side only");
    tw_broker_free(a);
    tw_broker_free(b);
    ok(total(&d, 1, true) == 0 && total(&d, 1, false) == 0, "all is gone with them");
    tw_desk_fini(&d);
}

/* Also around the second that the count begins with. */
static void rate(int64_t second)
{
    struct tw_desk d;
    struct tw_broker *a;
    struct tw_order o[6];

    tw_desk_init(&d, &(struct tw_limits){ .orders = 2 });
    a = open_broker(&d, 0);
    quote(a, 1, second, 1, 1000);
    ok(send(a, &o[0], TW_SIDE_BUY, 1, 990) == TW_REASON_NONE
       && send(a, &o[1], TW_SIDE_BUY, 1, 990) == TW_REASON_NONE
       && send(a, &o[2], TW_SIDE_BUY, 1, 990) == TW_REASON_ORDER_RATE,
       "two orders in second %lld", (long long)second);
    quote(a, 2, second + 1, 1, 1000);
    ok(send(a, &o[3], TW_SIDE_BUY, 1, 990) == TW_REASON_NONE
       && send(a, &o[4], TW_SIDE_BUY, 1, 990) == TW_REASON_NONE
       && send(a, &o[5], TW_SIDE_BUY, 1, 990) == TW_REASON_ORDER_RATE,
       "and two in the next");
    tw_broker_free(a);
    tw_desk_fini(&d);
}

static void self_match(void)
{
    struct tw_desk d;
    struct tw_broker *a, *b, *other;
    struct tw_order o[16];
    struct tw_error error;

    tw_desk_init(&d, &(struct tw_limits){ .self_match = true });
    a = open_broker(&d, 7);
    b = open_broker(&d, 7);
    other = open_broker(&d, 8);
    for (int i = 1; i <= 2; i++) {
        quote(a, (uint64_t)i, i, 1, 1000);
        quote(b, (uint64_t)i, i, 1, 1000);
        quote(other, (uint64_t)i, i, 1, 1000);
    }
    send(a, &o[0], TW_SIDE_BUY, 1, 990);
    ok(send(b, &o[1], TW_SIDE_SELL, 1, 990) == TW_REASON_SELF_MATCH,
       "it would meet another one's");
    ok(send(a, &o[1], TW_SIDE_SELL, 1, 0) == TW_REASON_SELF_MATCH, "or its own");
    ok(send(other, &o[2], TW_SIDE_SELL, 1, 990) == TW_REASON_NONE,
       "at another venue not");
    ok(send(b, &o[3], TW_SIDE_SELL, 1, 991) == TW_REASON_NONE, "at a better price not");
    ok(tw_broker_replace(a, &o[0], 0, 991 * CENT, 0, &error) == TW_OK
       && told(a) == TW_REASON_SELF_MATCH, "nor may it come there");
    ok(tw_broker_replace(a, &o[0], 0, 980 * CENT, 0, &error) == TW_OK
       && send(b, &o[4], TW_SIDE_SELL, 1, 985) == TW_REASON_SELF_MATCH,
       "it is where it was until that is answered");
    quote(a, 3, 3, 1, 1000);
    told(a);
    ok(send(b, &o[4], TW_SIDE_SELL, 1, 985) == TW_REASON_NONE, "then it is not");
    tw_broker_cancel(a, &o[0]);
    quote(a, 4, 4, 1, 1000);
    told(a);
    ok(send(b, &o[5], TW_SIDE_SELL, 1, 975) == TW_REASON_NONE, "one that ended is gone");
    tw_broker_free(b);
    ok(send(a, &o[6], TW_SIDE_BUY, 1, 1000) == TW_REASON_NONE,
       "and so are those of one that is gone");
    tw_broker_free(a);
    tw_broker_free(other);
    tw_desk_fini(&d);
}

/* Once too much is lost nothing becomes larger, by a change either; what may only reduce
 * goes, though as much is open to do so. */
static void losses(void)
{
    struct tw_desk d;
    struct tw_broker *a, *b;
    struct tw_order o[3], close = { .symbol = 1, .side = TW_SIDE_SELL, .tif = TW_TIF_GTC,
        .type = TW_TYPE_MARKET, .quantity = 50 * ONE, .reduce_only = true };
    struct tw_error error;

    tw_desk_init(&d, &(struct tw_limits){ .daily_loss = 100 * (tw_money)ONE });
    a = open_broker(&d, 0);
    b = open_broker(&d, 0);
    quote(a, 1, 1, 1, 1000);
    quote(b, 1, 1, 1, 1000);
    send(a, &o[0], TW_SIDE_BUY, 50, 0);
    send(b, &o[1], TW_SIDE_BUY, 1, 500);
    quote(a, 2, 2, 1, 1000);
    quote(a, 3, 3, 1, 700);
    quote(b, 3, 3, 1, 700);
    told(b);
    ok(tw_broker_replace(b, &o[1], 1000 * ONE, 0, 0, &error) == TW_OK
       && told(b) == TW_REASON_DAILY_LOSS, "a change of another one's order");
    ok(send(a, &o[2], TW_SIDE_SELL, 50, 1100) == TW_REASON_NONE, "an exit");
    ok(tw_broker_submit(a, &close, &error) == TW_OK && told(a) == TW_REASON_NONE,
       "what closes beside it only reduces");
    quote(a, 4, 4, 1, 700);
    ok(close.status == TW_STATUS_FILLED, "and does");
    quote(b, 5, 86401, 1, 700);
    ok(send(b, &o[0], TW_SIDE_BUY, 1, 690) == TW_REASON_NONE,
       "on the next day it is forgotten, also of one that has read nothing of that yet");
    quote(a, 5, 86402, 1, 700);
    ok(atomic_load(&d.lost) == 0, "and only once");
    tw_broker_free(a);
    tw_broker_free(b);
    tw_desk_fini(&d);
}

/* A part of the equity becomes a quantity when it trades, here at half the price. */
static int64_t part(struct tw_limits own, struct tw_limits of_all, int64_t asked)
{
    struct tw_desk d;
    struct tw_broker *b, *other;
    struct tw_order o[2] = { { .symbol = 1, .side = TW_SIDE_BUY, .tif = TW_TIF_GTC,
                               .type = TW_TYPE_MARKET, .part = ONE / 1000 } };
    struct tw_error error;
    int64_t filled;

    tw_desk_init(&d, &of_all);
    other = open_broker(&d, 0);
    b = tw_broker_new(&(struct tw_broker_options){ .desk = &d, .limits = own });
    tw_account_deposit(tw_broker_account(b), 0, 1000000 * (tw_money)ONE);
    send(other, &o[1], TW_SIDE_BUY, 50, 900);
    quote(b, 1, 1, 1, 1000);
    if (tw_broker_submit(b, &o[0], &error) < 0
        || (asked && tw_broker_replace(b, &o[0], asked, 0, 0, &error) < 0))
        abort();
    quote(b, 2, 2, 1, 499);
    told(b);
    filled = o[0].status == TW_STATUS_FILLED ? o[0].cum_qty / ONE : -1;
    tw_broker_free(b);
    tw_broker_free(other);
    if (total(&d, 1, true) != 0) filled = -1;
    tw_desk_fini(&d);
    return filled;
}

static void parts(void)
{
    const struct tw_limits none = { 0 }, position = { .position = 170 * ONE },
                           size = { .order_quantity = 101 * ONE },
                           others = { .self_match = true };

    ok(part(none, none, 0) == 200, "a part of the equity at half the price");
    ok(part(position, none, 0) == 170, "is no more than its position may be");
    ok(part(none, position, 0) == 120, "nor than that of all");
    ok(part(size, none, 0) == 101 && part(none, size, 0) == 101,
       "nor than an order may be");
    ok(part(none, none, 7 * ONE) == 7, "nor another quantity, which was asked for");
    ok(part(none, others, 0) == 200, "nothing is left of it where only prices are known");
}

static const struct tw_terms *its_terms(void *ctx, uint32_t symbol)
{
    return symbol == 1 ? ctx : NULL;
}

/* Half of an equity that has doubled since it was asked for.  euro: what 1 of the desk's
 * currency costs; 0: it is the account's. */
static int64_t richer_in(int64_t euro, struct tw_limits own, struct tw_limits of_all,
                         int64_t margin)
{
    struct tw_terms terms = { .lot = ONE, .margin = margin };
    struct tw_order o[2] = { { .symbol = 1, .side = TW_SIDE_BUY, .tif = TW_TIF_GTC,
                               .type = TW_TYPE_MARKET, .part = ONE / 2 },
                             { .symbol = 2, .side = TW_SIDE_BUY, .tif = TW_TIF_GTC,
                               .type = TW_TYPE_MARKET, .quantity = 500 * ONE } };
    struct tw_desk d;
    struct tw_broker *b;
    struct tw_error error;
    int64_t sized;

    tw_desk_init(&d, &of_all);
    if (euro) memcpy(d.currency, "EUR", 4);
    b = tw_broker_new(&(struct tw_broker_options){ .desk = &d, .limits = own,
        .terms = its_terms, .ctx = &terms });
    tw_account_set_rate(tw_broker_account(b), 1, euro);
    tw_account_deposit(tw_broker_account(b), 0, 1000 * (tw_money)ONE);
    quote(b, 1, 1, 1, 99);
    quote(b, 2, 1, 2, 99);
    if (tw_broker_submit(b, &o[1], &error) < 0) abort();
    quote(b, 3, 2, 2, 99);
    if (tw_broker_submit(b, &o[0], &error) < 0) abort();
    quote(b, 4, 3, 2, 299);
    quote(b, 5, 4, 1, 99);
    told(b);
    sized = o[0].quantity % ONE ? -1 : o[0].quantity / ONE;
    tw_broker_free(b);
    tw_desk_fini(&d);
    return sized;
}

static int64_t richer(struct tw_limits own, struct tw_limits of_all, int64_t margin)
{
    return richer_in(0, own, of_all, margin);
}

static void richer_parts(void)
{
    const struct tw_limits none = { 0 }, value = { .order_value = 700 * (tw_money)ONE },
                           power = { .buying_power = true },
                           euros = { .order_value = 350 * (tw_money)ONE },
                           odd = { .position = 601 * ONE + ONE / 2 };

    ok(richer(none, none, 0) == 998, "a part of the equity that has doubled");
    ok(richer(value, none, 0) == 700 && richer(none, value, 0) == 700,
       "is worth no more than an order may be");
    ok(richer(power, none, 0) == 500 && richer(power, none, ONE / 4) == 998,
       "nor than there is cash, or margin, for");
    ok(richer_in(2 * ONE, none, euros, 0) == 700, "in another currency, too");
    ok(richer(none, odd, 0) == 601 && richer(odd, none, 0) == 601, "and in whole lots");
}

/* Oil was at -37.63 once. */
static void below_zero(void)
{
    struct tw_desk d;
    struct tw_broker *a;
    struct tw_order o[3];

    tw_desk_init(&d, &(struct tw_limits){ .collar = ONE + ONE / 100,
                                          .order_value = 90 * (tw_money)ONE });
    a = open_broker(&d, 0);
    quote(a, 1, 1, 1, -1000);
    ok(send(a, &o[0], TW_SIDE_BUY, 1, 11) == TW_REASON_COLLAR
       && send(a, &o[1], TW_SIDE_BUY, 1, 9) == TW_REASON_NONE,
       "a price below 0: a collar around it");
    ok(send(a, &o[2], TW_SIDE_SELL, 10, 0) == TW_REASON_ORDER_VALUE,
       "and what it is worth");
    tw_broker_free(a);
    tw_desk_fini(&d);
}

/* ---- random strategies on one thread ---- */

struct strategy {
    struct tw_broker *b;
    struct tw_order *order;
    unsigned n;
};

struct life {
    struct tw_desk d;
    struct strategy s[STRATEGIES];
    unsigned refused[TW_REASONS], sent, trades;
    bool reduces;                /* there are orders that can only do that: they pass  */
    bool brackets;
    const char *wrong;
};

static const struct tw_limits LIMITS = {
    .order_quantity = 9 * ONE, .order_value = 90 * (tw_money)ONE, .collar = ONE / 20,
    .position = 30 * ONE, .open_orders = 24, .orders = 7, .self_match = true,
};
static const struct tw_limits OWN = { .position = 21 * ONE };

static bool is_open(const struct tw_order *o)
{
    return tw_order_is_open(o) && !o->held;
}

/* What it adds to those of its group and side that are older: the largest counts. */
static int64_t adds(const struct strategy *s, const struct tw_order *o)
{
    int64_t most = 0, left = tw_order_leaves(o);

    for (const struct tw_order *i = s->order; o->group && i < o; i++)
        if (is_open(i) && i->group == o->group && i->side == o->side
            && tw_order_leaves(i) > most)
            most = tw_order_leaves(i);
    return left > most ? left - most : 0;
}

/* Of all of them, from their orders and accounts alone. */
static void look(struct life *l)
{
    int64_t open = 0, reducing = 0;

    for (uint32_t symbol = 1; symbol <= SYMBOLS; symbol++) {
        int64_t held = 0, buying = 0, selling = 0;
        int64_t bid[2] = { 0, 0 }, ask[2] = { INT64_MAX, INT64_MAX };

        for (unsigned i = 0; i < STRATEGIES; i++) {
            const struct strategy *s = &l->s[i];
            const struct tw_position *p =
                tw_account_find(tw_broker_account(s->b), symbol);
            const struct tw_order *o = NULL;
            int64_t own = p ? p->quantity : 0, buys_own = 0, sells_own = 0;

            held += own;
            while ((o = tw_broker_open(s->b, o)) != NULL) {
                bool buys = o->side == TW_SIDE_BUY;
                int64_t price = o->price ? o->price : buys ? INT64_MAX - 1 : 1;

                if (!is_open(o) || o->symbol != symbol) continue;
                open++;
                reducing += o->reduce_only;
                if (o->quantity > LIMITS.order_quantity && !o->reduce_only && !o->parent)
                    l->wrong = "size";
                if (buys) buys_own += adds(s, o);
                else sells_own += adds(s, o);
                if (o->parent || o->pending_cancel) continue;
                if (buys && price > bid[i % 2]) bid[i % 2] = price;
                if (!buys && price < ask[i % 2]) ask[i % 2] = price;
            }
            buying += buys_own;
            selling += sells_own;
            if (own + buys_own > OWN.position && !l->reduces) l->wrong = "own long";
            if (sells_own - own > OWN.position && !l->reduces) l->wrong = "own short";
        }
        if (held + buying > LIMITS.position && !l->reduces) l->wrong = "long";
        if (selling - held > LIMITS.position && !l->reduces) l->wrong = "short";
        if (held + buying > total(&l->d, symbol, true)
            || selling - held > total(&l->d, symbol, false)) l->wrong = "counts";
        if (bid[0] >= ask[0] || bid[1] >= ask[1]) l->wrong = "self-match";
    }
    if (open - reducing > LIMITS.open_orders) l->wrong = "open orders";
    if (open != atomic_load(&l->d.open)) l->wrong = "count of open orders";
}

static void hear(struct life *l, struct strategy *s)
{
    struct tw_told t;

    while (tw_broker_next(s->b, &t)) {
        l->trades += t.report.exec == TW_EXEC_TRADE;
        if (t.report.exec != TW_EXEC_REJECTED && t.report.exec != TW_EXEC_CANCEL_REJECTED)
            continue;
        l->refused[t.report.reason]++;
        if (t.report.reason == TW_REASON_NET_POSITION
            && (t.order->parent || t.order->reduce_only))
            l->wrong = "what only reduces is refused";
    }
}

static void submit(struct life *l, struct strategy *s, int64_t cents, int64_t second)
{
    struct tw_order *o = &s->order[s->n++];
    uint64_t n = next();
    struct tw_error error;

    *o = (struct tw_order){ .symbol = (uint32_t)(next() % SYMBOLS + 1),
        .side = n & 1 ? TW_SIDE_BUY : TW_SIDE_SELL, .type = TW_TYPE_LIMIT,
        .tif = TW_TIF_GTC, .quantity = (int64_t)(next() % 10 + 1) * ONE };
    o->price = (cents + (int64_t)(next() % 31) - 15) * CENT;
    if (n % 16 == 2) o->type = TW_TYPE_MARKET, o->price = 0;
    if (n % 16 == 4) o->type = TW_TYPE_STOP, o->stop = o->price, o->price = 0;
    if (n % 8 == 6) o->price += (n & 1 ? -60 : 60) * CENT;
    if (n % 16 == 7) o->reduce_only = l->reduces;
    if (n % 16 == 9) o->tif = TW_TIF_IOC;
    if (n % 16 == 3) o->part = (int64_t)(next() % 9 + 1) * (ONE / 100000);
    if (n % 32 == 8) {
        o->type = TW_TYPE_TRAILING_STOP;
        o->trail = (int64_t)(next() % 20 + 1) * CENT;
        o->price = 0;
    }
    if (n % 16 == 10 && s->n > 1 && tw_order_is_open(o - 1) && !o[-1].parent) {
        o->group = o[-1].group;
        o->symbol = o[-1].symbol;
    } else if (n % 16 == 12 || n % 16 == 15) {
        o->group = s->n;                        /* its id */
    }
    if (n % 16 == 11) {
        o->tif = TW_TIF_GTD;
        o->expire_ns = (second + (int64_t)(next() % 4)) * ONE;
    }
    if (n % 16 == 13 && s->n > 1 && l->brackets && tw_order_is_open(o - 1)
        && !o[-1].parent) {
        o->parent = o[-1].id;
        o->side = o[-1].side == TW_SIDE_BUY ? TW_SIDE_SELL : TW_SIDE_BUY;
        o->symbol = o[-1].symbol;
    }
    if (tw_broker_submit(s->b, o, &error) < 0) abort();
    l->sent++;
}

static void step(struct life *l, uint64_t i, int64_t *cents, int64_t second)
{
    struct strategy *s = &l->s[next() % STRATEGIES];
    struct tw_order *o = s->n ? &s->order[next() % s->n] : NULL;
    struct tw_error error;

    switch (next() % 8) {
    case 0: case 1: case 2:
        if (s->n < ORDERS) submit(l, s, *cents, second);
        break;
    case 3:
        if (o && tw_order_is_open(o)) tw_broker_cancel(s->b, o);
        break;
    case 4:
        if (!o || !tw_order_is_open(o)) break;
        tw_broker_replace(s->b, o, o->cum_qty + (int64_t)(next() % 10 + 1) * ONE,
            o->price ? o->price + ((int64_t)(next() % 11) - 5) * CENT : 0, 0, &error);
        break;
    default:
        *cents += (int64_t)(next() % 7) - 3;
        for (unsigned k = 0; k < STRATEGIES; k++) {
            quote(l->s[k].b, i, second, (uint32_t)(i % SYMBOLS + 1), *cents);
            hear(l, &l->s[k]);
            look(l);
        }
    }
    hear(l, s);
    look(l);
}

static void random_strategies(void)
{
    const unsigned lives = getenv("SMALL") ? 4 : 30, steps = 4000;
    unsigned refused[TW_REASONS] = { 0 }, trades = 0, sent = 0;
    int64_t left = 0;
    const char *wrong = NULL;

    for (unsigned n = 0; n < lives && !wrong; n++) {
        struct life *l = calloc(1, sizeof *l);
        int64_t cents = 1000;

        l->brackets = n / 3 % 3;
        l->reduces = n / 3 % 3 == 2;
        tw_desk_init(&l->d, &LIMITS);
        for (unsigned i = 0; i < STRATEGIES; i++) {
            l->s[i].order = calloc(ORDERS, sizeof *l->s[i].order);
            l->s[i].b = tw_broker_new(&(struct tw_broker_options){
                .desk = &l->d, .venue = i % 2, .limits = OWN, .simulator = {
                    .model = n % 2 ? TW_FILL_QUOTE : TW_FILL_QUEUE, .seed = n + i,
                    .submit = { .kind = TW_LATENCY_UNIFORM, .max_ns = (n % 3) * ONE },
                    .cancel = { .kind = TW_LATENCY_UNIFORM, .max_ns = (n % 3) * ONE } }
            });
            tw_account_deposit(tw_broker_account(l->s[i].b), 0, 1000000 * (tw_money)ONE);
        }
        for (unsigned i = 1; i <= steps && !l->wrong; i++)
            step(l, i, &cents, 1700000000 + i / 32);
        for (unsigned i = 0; i < STRATEGIES; i++) tw_broker_free(l->s[i].b);
        for (uint32_t symbol = 1; symbol <= SYMBOLS; symbol++)
            left += llabs(total(&l->d, symbol, true))
                  + llabs(total(&l->d, symbol, false));
        for (unsigned i = 0; i < TW_REASONS; i++) refused[i] += l->refused[i];
        for (unsigned i = 0; i < STRATEGIES; i++) free(l->s[i].order);
        trades += l->trades;
        sent += l->sent;
        wrong = l->wrong;
        tw_desk_fini(&l->d);
        free(l);
    }
    ok(!wrong, "no limit is passed by %u orders (%s)", sent, wrong ? wrong : "none");
    ok(left == 0, "nothing is left of those that are gone");
    ok(trades > 500, "%u trades", trades);
    ok(refused[TW_REASON_ORDER_SIZE] > 20 && refused[TW_REASON_ORDER_VALUE] > 10
       && refused[TW_REASON_COLLAR] > 20 && refused[TW_REASON_NET_POSITION] > 20
       && refused[TW_REASON_OPEN_ORDERS] > 20 && refused[TW_REASON_ORDER_RATE] > 10
       && refused[TW_REASON_SELF_MATCH] > 20 && refused[TW_REASON_PAST] > 5,
       "each is come to: %u %u %u %u %u %u %u %u", refused[TW_REASON_ORDER_SIZE],
       refused[TW_REASON_ORDER_VALUE], refused[TW_REASON_COLLAR],
       refused[TW_REASON_NET_POSITION], refused[TW_REASON_OPEN_ORDERS],
       refused[TW_REASON_ORDER_RATE], refused[TW_REASON_SELF_MATCH],
       refused[TW_REASON_PAST]);
}

/* ---- on many threads ---- */

/* What the venue has: less than the desk counts at any time, as what ends is gone here
 * before its broker hears of it. */
static struct {
    pthread_mutex_t lock;
    int64_t buying, selling, bids[3], asks[3];    /* by price                     */
    unsigned wrong, sent, refused;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum { HELD_MAX = 40 };

static void change(const struct tw_order *o, int64_t buying, int64_t selling, int count)
{
    int64_t *at = o->side == TW_SIDE_BUY ? all.bids : all.asks;

    pthread_mutex_lock(&all.lock);
    all.buying += buying;
    all.selling += selling;
    at[o->price / ONE - 10] += count;
    all.wrong += all.buying > HELD_MAX * ONE || all.selling > HELD_MAX * ONE;
    for (int bid = 0; bid < 3; bid++)
        for (int ask = 0; ask <= bid; ask++)
            all.wrong += all.bids[bid] > 0 && all.asks[ask] > 0;
    all.sent += count > 0;
    pthread_mutex_unlock(&all.lock);
}

static int at_venue(void *ctx, const struct tw_order *o)
{
    bool buys = o->side == TW_SIDE_BUY;

    (void)ctx;
    change(o, buys ? o->quantity : 0, buys ? 0 : o->quantity, 1);
    return TW_OK;
}

static int nothing(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    (void)o;
    return TW_OK;
}

static int replace(void *ctx, const struct tw_order *o, int64_t quantity, int64_t price,
                   int64_t stop)
{
    (void)ctx;
    (void)o;
    (void)quantity;
    (void)price;
    (void)stop;
    return TW_EUSAGE;
}

/* It trades all of it, or is canceled. */
static void end(struct tw_broker *b, struct tw_order *o, uint64_t seq, bool trades)
{
    bool buys = o->side == TW_SIDE_BUY;
    struct tw_record r = { .seq = seq, .kind = TW_ORDER, .time = (int64_t)seq * ONE,
        .symbol = 1, .execution = { .order = o->id, .script = 3, .price = o->price,
            .exec = trades ? TW_EXEC_TRADE : TW_EXEC_CANCELED,
            .quantity = trades ? o->quantity : 0, .side = o->side } };

    if (buys) change(o, trades ? 0 : -o->quantity, trades ? -o->quantity : 0, -1);
    else change(o, trades ? -o->quantity : 0, trades ? 0 : -o->quantity, -1);
    if (tw_broker_record(b, &r) < 0) abort();
}

struct trading { struct tw_desk *desk; uint64_t seed; };

static void *trade(void *ctx)
{
    const struct trading *of = ctx;
    const struct tw_gateway gateway = { .submit = at_venue, .cancel = nothing,
                                        .replace = replace };
    const unsigned steps = getenv("SMALL") ? 3000 : 30000;
    struct tw_broker *b = tw_broker_new(&(struct tw_broker_options){
        .desk = of->desk, .gateway = &gateway, .script = 3 });
    struct tw_order order[8];
    uint64_t state = of->seed;
    unsigned refused = 0;
    struct tw_told t;

    memset(order, 0, sizeof order);
    for (unsigned i = 1; i <= steps; i++) {
        struct tw_order *o;
        struct tw_error error;
        uint64_t n;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        n = state >> 33;
        o = &order[n % 8];
        if (tw_order_is_open(o)) {
            end(b, o, i, n & 8);
        } else {
            *o = (struct tw_order){ .symbol = 1, .side = n & 8 ? TW_SIDE_BUY
                : TW_SIDE_SELL, .type = TW_TYPE_LIMIT, .tif = TW_TIF_GTC,
                .quantity = (int64_t)(n / 16 % 9 + 1) * ONE,
                .price = (int64_t)(10 + n / 256 % 3) * ONE };
            if (tw_broker_submit(b, o, &error) < 0) abort();
        }
        while (tw_broker_next(b, &t)) refused += t.report.exec == TW_EXEC_REJECTED;
    }
    for (int i = 0; i < 8; i++)
        if (tw_order_is_open(&order[i])) end(b, &order[i], steps + 1, false);
    while (tw_broker_next(b, &t)) { }
    pthread_mutex_lock(&all.lock);
    all.refused += refused;
    pthread_mutex_unlock(&all.lock);
    tw_broker_free(b);
    return NULL;
}

static void threads(void)
{
    struct tw_desk d;
    struct trading of[THREADS];
    pthread_t thread[THREADS];

    tw_desk_init(&d, &(struct tw_limits){ .position = HELD_MAX * ONE,
                                          .self_match = true });
    for (int i = 0; i < THREADS; i++) {
        of[i] = (struct trading){ &d, next() };
        pthread_create(&thread[i], NULL, trade, &of[i]);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    ok(all.wrong == 0, "on threads no limit is passed (%u)", all.wrong);
    ok(all.sent > 100 && all.refused > 100, "%u were sent, %u refused", all.sent,
       all.refused);
    ok(total(&d, 1, true) == all.buying && total(&d, 1, false) == all.selling
       && all.buying == -all.selling, "what is held at the venue is still counted");
    tw_desk_fini(&d);
}

/* Of all of them, which only buy, and sell that again. */
static struct { _Atomic uint64_t met; _Atomic int64_t held, most; } bought;

enum { PARTS_MAX = 100 };

/* Both go on at the same moment: a lock would wake one of them late. */
static void meet(uint64_t n)
{
    atomic_fetch_add(&bought.met, 1);
    while (atomic_load(&bought.met) < 2 * n) sched_yield();
}

/* Both ask for a part of the equity at once, which is 40 at 10.00, and 100 at 4.00, where
 * it trades: 20 are left for one of them, or some for each. */
static void *take_parts(void *ctx)
{
    const struct trading *of = ctx;
    const uint64_t rounds = getenv("SMALL") ? 200 : 12000;
    struct tw_broker *b = open_broker(of->desk, of->seed);
    int64_t most = 0, now;

    for (uint64_t i = 1; i <= rounds; i++) {
        struct tw_order buy = { .symbol = 1, .side = TW_SIDE_BUY, .tif = TW_TIF_GTC,
            .type = TW_TYPE_MARKET, .part = 4 * (ONE / 10000) };
        struct tw_error error;
        struct tw_order sell;

        quote(b, 4 * i, (int64_t)(4 * i), 1, 1000);
        if (tw_broker_submit(b, &buy, &error) < 0) abort();
        told(b);
        meet(2 * i - 1);
        quote(b, 4 * i + 1, (int64_t)(4 * i + 1), 1, 400);
        told(b);
        now = atomic_fetch_add(&bought.held, buy.cum_qty) + buy.cum_qty;
        if (now > most) most = now;
        meet(2 * i);
        atomic_fetch_sub(&bought.held, buy.cum_qty);
        if (buy.cum_qty == 0) continue;
        send(b, &sell, TW_SIDE_SELL, buy.cum_qty / ONE, 0);
        quote(b, 4 * i + 2, (int64_t)(4 * i + 2), 1, 400);
        told(b);
    }
    tw_broker_free(b);
    for (now = atomic_load(&bought.most); most > now;)
        if (atomic_compare_exchange_strong(&bought.most, &now, most)) break;
    return NULL;
}

static void parts_on_threads(void)
{
    struct tw_desk d;
    struct trading of[2];
    pthread_t thread[2];

    tw_desk_init(&d, &(struct tw_limits){ .position = PARTS_MAX * ONE });
    for (int i = 0; i < 2; i++) {
        of[i] = (struct trading){ &d, 0 };
        pthread_create(&thread[i], NULL, take_parts, &of[i]);
    }
    for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
    ok(atomic_load(&bought.most) == PARTS_MAX * ONE,
       "nor by parts of the equity that grow at once (%lld)",
       (long long)(atomic_load(&bought.most) / ONE));
    ok(total(&d, 1, true) == 0 && total(&d, 1, false) == 0, "nothing is left of these");
    tw_desk_fini(&d);
}

int main(void)
{
    each_limit();
    rate(1);
    rate(0);
    rate(-1);
    rate(-1325376000);
    self_match();
    losses();
    parts();
    richer_parts();
    below_zero();
    random_strategies();
    threads();
    parts_on_threads();
    return tap_done();
}
