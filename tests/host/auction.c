/* auction.c - the price of auctions in which orders get smaller as others trade, against
 * a model that tries each price (V7 of trade/venue.h). */
#include "trade/venue.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"

enum { OWNERS = 4, MARKET_MAKER = 5, ORDERS = 14, HOUR_S = 3600 };

#define NS INT64_C(1000000000)

/* An order; of the model its rest as the auction begins, and while it goes on. */
struct sent {
    uint32_t owner;
    uint8_t side;
    bool reduces, rests;
    uint64_t group;
    int64_t price, quantity;                /* price 0: any */
    int64_t left, filled;
};

static struct sent order[ORDERS + 1];       /* by id, from 1 */
static unsigned n;
static int64_t held[OWNERS + 1], position[OWNERS + 1];

/* ---- what the venue does ---- */

static int64_t filled[ORDERS + 1], at_price, trades_apart, lost;
static bool begun;                          /* the auction */

static void on_report(void *ctx, const struct tw_venue_report *r)
{
    (void)ctx;
    if (begun && r->report.exec == TW_EXEC_TRADE && r->report.order <= n)
        filled[r->report.order] += r->report.last_qty;
}

static void on_market(void *ctx, const struct tw_record *r)
{
    (void)ctx;
    if (!begun || r->kind != TW_TRADE) return;
    trades_apart += at_price != 0 && at_price != r->trade.price;
    at_price = r->trade.price;
}

static void ask(struct tw_venue *v, struct tw_request q, int64_t hour)
{
    static uint64_t number;

    q.what = TW_REQUEST_NEW;
    q.symbol = 1;
    q.seq = 1;
    q.number = ++number;
    q.type = q.price ? TW_TYPE_LIMIT : TW_TYPE_MARKET;
    q.arrives_ns = hour * HOUR_S * NS;
    lost += tw_venue_send(v, &q) < 0;
    while (tw_venue_step(v, q.arrives_ns)) continue;
}

static void send(struct tw_venue *v, uint64_t id, int64_t hour)
{
    const struct sent *o = &order[id];

    ask(v, (struct tw_request){ .owner = o->owner, .id = id, .side = o->side,
        .price = o->price, .quantity = o->quantity, .reduce_only = o->reduces,
        .group = o->group, .tif = o->rests ? TW_TIF_GTC : TW_TIF_CLS }, hour);
}

/* Who has a position may reduce it; nobody could trade with itself. */
static void draw(uint64_t id)
{
    struct sent *o = &order[id];

    *o = (struct sent){ .owner = 1 + (uint32_t)(next() % OWNERS) };
    o->side = held[o->owner] > 0 || (held[o->owner] == 0 && o->owner % 2)
            ? TW_SIDE_SELL : TW_SIDE_BUY;
    o->reduces = held[o->owner] != 0 && next() % 2;
    o->group = next() % 3 == 0 ? o->owner * 100 + next() % 2 : 0;
    o->quantity = 1 + (int64_t)(next() % 9);
    o->rests = next() % 3 == 0;
    if (o->rests) o->price = o->side == TW_SIDE_BUY ? 90 + (int64_t)(next() % 9)
                                                    : 101 + (int64_t)(next() % 9);
    else if (next() % 4) o->price = 93 + (int64_t)(next() % 15);
}

/* ---- the model ---- */

static int64_t room(const struct sent *o, const int64_t *of)
{
    int64_t most = o->side == TW_SIDE_SELL ? of[o->owner] : -of[o->owner];

    return most > 0 ? most : 0;
}

static bool accepts(const struct sent *o, int64_t price)
{
    if (o->left == 0 || o->price == 0) return o->left > 0;
    return o->side == TW_SIDE_BUY ? o->price >= price : o->price <= price;
}

/* a trades before b: any price, the better one, what rested, who came first (its id). */
static bool is_before(const struct sent *a, const struct sent *b)
{
    if ((a->price == 0) != (b->price == 0)) return a->price == 0;
    if (a->price != b->price)
        return a->side == TW_SIDE_BUY ? a->price > b->price : a->price < b->price;
    return a->rests != b->rests ? a->rests : a < b;
}

static struct sent *first_of(uint8_t side, int64_t price)
{
    struct sent *best = NULL;

    for (unsigned i = 1; i <= n; i++)
        if (order[i].side == side && accepts(&order[i], price)
            && (!best || is_before(&order[i], best)))
            best = &order[i];
    return best;
}

static void take(struct sent *o, int64_t quantity)
{
    o->left -= quantity;
    position[o->owner] += o->side == TW_SIDE_BUY ? quantity : -quantity;
    for (unsigned i = 1; i <= n; i++) {
        struct sent *other = &order[i];

        if (other == o || other->owner != o->owner) continue;
        if (o->group && other->group == o->group && other->left > o->left)
            other->left = o->left;
    }
}

/* What trades at the price; *rest: who is left and would. */
static int64_t simulate(int64_t price, bool shrinks, int64_t *rest)
{
    struct sent *b, *s;
    int64_t sum = 0;

    memcpy(position, held, sizeof position);
    for (unsigned i = 1; i <= n; i++) {
        order[i].left = order[i].quantity;
        order[i].filled = 0;
        if (order[i].reduces && room(&order[i], held) < order[i].left)
            order[i].left = room(&order[i], held);
    }
    while ((b = first_of(TW_SIDE_BUY, price)) && (s = first_of(TW_SIDE_SELL, price))) {
        int64_t k = b->left < s->left ? b->left : s->left;

        sum += k;
        b->filled += k;
        s->filled += k;
        if (!shrinks) {
            b->left -= k;
            s->left -= k;
            continue;
        }
        take(b, k);
        take(s, k);
        for (unsigned i = 1; i <= n; i++)
            if (order[i].reduces && order[i].left > room(&order[i], position))
                order[i].left = room(&order[i], position);
    }
    *rest = 0;
    for (unsigned i = 1; i <= n; i++)
        if (accepts(&order[i], price)) *rest += order[i].left;
    return sum;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* The price by the rules, 0: none. */
static int64_t find(int64_t reference, bool shrinks)
{
    int64_t best = 0, most = 0, least = 0;

    for (int64_t price = 1; price < 200; price++) {
        bool is_one = price == reference;
        int64_t rest, sum;

        for (unsigned i = 1; i <= n; i++) is_one |= order[i].price == price;
        if (!is_one) continue;
        sum = simulate(price, shrinks, &rest);
        if (sum == 0 || sum < most) continue;
        if (sum == most && (rest > least
                || (rest == least && (!reference || distance(price, reference)
                                                    >= distance(best, reference)))))
            continue;
        best = price;
        most = sum;
        least = rest;
    }
    return best;
}

/* ---- both ---- */

/* Positions of the owners, from the market maker. */
static int64_t open_positions(struct tw_venue *v)
{
    int64_t last = 0;

    for (uint32_t owner = 1; owner <= OWNERS; owner++) {
        int64_t quantity = (int64_t)(next() % 9) - 4;
        bool buys = quantity > 0;

        held[owner] = quantity;
        if (quantity == 0) continue;
        if (!buys) quantity = -quantity;
        ask(v, (struct tw_request){ .owner = MARKET_MAKER, .id = 100 + owner,
            .side = buys ? TW_SIDE_SELL : TW_SIDE_BUY, .price = 100,
            .quantity = quantity, .tif = TW_TIF_GTC }, 1);
        ask(v, (struct tw_request){ .owner = owner, .id = 100 + owner,
            .side = buys ? TW_SIDE_BUY : TW_SIDE_SELL, .quantity = quantity,
            .tif = TW_TIF_IOC }, 1);
        last = 100;
    }
    return last;
}

/* Does the venue do as the model?  *others: the price is another one than without what
 * gets smaller. */
static bool round_of(unsigned *others, unsigned *trades)
{
    struct tw_venue *v = tw_venue_new(&(struct tw_venue_listener){ on_report, on_market,
                                                                   NULL });
    int64_t last, want, rest;
    bool fits;

    begun = false;
    at_price = 0;
    memset(filled, 0, sizeof filled);
    n = 0;
    last = open_positions(v);
    n = 2 + (unsigned)(next() % (ORDERS - 1));
    for (uint64_t id = 1; id <= n; id++) draw(id);
    for (uint64_t id = 1; id <= n; id++) if (order[id].rests) send(v, id, 2);
    for (uint64_t id = 1; id <= n; id++) if (!order[id].rests) send(v, id, 3);
    begun = true;
    while (tw_venue_step(v, 24 * HOUR_S * NS)) continue;
    tw_venue_free(v);
    want = find(last, false);
    *others += want != find(last, true);
    want = find(last, true);
    *trades += want != 0;
    fits = at_price == want;
    simulate(want, true, &rest);
    for (unsigned i = 1; want && i <= n; i++) fits = fits && filled[i] == order[i].filled;
    return fits;
}

int main(void)
{
    unsigned rounds = getenv("SMALL") ? 2000 : 20000, wrong = 0, others = 0, trades = 0;

    for (unsigned i = 0; i < rounds; i++) wrong += !round_of(&others, &trades);
    ok(wrong == 0, "%u auctions of %u are as the model has them (%u not)", trades, rounds,
       wrong);
    ok(trades_apart == 0 && lost == 0, "each at one price");
    ok(others > rounds / 100, "in %u it is not the price of all that could trade",
       others);
    return tap_done();
}
