/* match.c - the limit order book against a list that is searched from end to end. */
#include "trade/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "random.h"
#include "tap.h"

/* ---- by hand ---- */

static char log_text[2000];

static void on_trade(void *ctx, const struct tw_entry *maker,
                     const struct tw_entry *taker, int64_t price, int64_t quantity)
{
    (void)ctx;
    sprintf(log_text + strlen(log_text), "%d>%d %dx%d ", (int)taker->id, (int)maker->id,
            (int)quantity, (int)price);
}

static void on_canceled(void *ctx, const struct tw_entry *e)
{
    (void)ctx;
    sprintf(log_text + strlen(log_text), "-%d ", (int)e->id);
}

static int add(struct tw_book *b, uint64_t id, int side, int64_t price, int64_t quantity,
               unsigned rules, uint32_t owner)
{
    struct tw_entry e = { .id = id, .owner = owner, .side = (uint8_t)side,
                          .price = price, .quantity = quantity };

    log_text[0] = '\0';
    return tw_book_add(b, &e, rules, on_canceled);
}

static void is(const char *want, const char *name)
{
    ok(strcmp(log_text, want) == 0, "%s: %s", name, want);
    if (strcmp(log_text, want) != 0) printf("# got %s\n", log_text);
}

/* A level of more than 64 bits hold. */
static void many(void)
{
    const int64_t much = INT64_C(9000000000000000000);
    struct tw_book *b = tw_book_new(on_trade, NULL);
    int64_t price, quantity, ahead;
    unsigned orders;

    for (uint64_t id = 1; id <= 3; id++) add(b, id, TW_SIDE_BUY, 100, much, 0, 1);
    ok(tw_book_level(b, TW_SIDE_BUY, 0, &price, &quantity, &orders)
       && quantity == INT64_MAX && orders == 3, "a level is as large as can be said");
    ok(tw_book_find(b, 3, &ahead) && ahead == INT64_MAX, "so is what stands before one");
    ok(add(b, 4, TW_SIDE_SELL, 100, much, TW_BOOK_ALL, 2) == 0, "all of one is there");
    ok(tw_book_cancel(b, 2)
       && tw_book_level(b, TW_SIDE_BUY, 0, &price, &quantity, &orders)
       && quantity == much, "what is left is exact");
    tw_book_free(b);
}

static void by_hand(void)
{
    enum { B = TW_SIDE_BUY, S = TW_SIDE_SELL };
    struct tw_book *b = tw_book_new(on_trade, NULL);
    int64_t price, quantity, ahead;
    unsigned orders;

    ok(add(b, 1, B, 100, 5, 0, 1) == 1 && add(b, 2, B, 101, 5, 0, 2) == 1
       && add(b, 3, B, 100, 7, 0, 3) == 1 && add(b, 4, S, 103, 4, 0, 1) == 1,
       "four rest");
    ok(tw_book_level(b, TW_SIDE_BUY, 1, &price, &quantity, &orders) && price == 100
       && quantity == 12 && orders == 2, "the second level");
    ok(tw_book_find(b, 3, &ahead)->quantity == 7 && ahead == 5, "who stands before it");
    ok(add(b, 5, S, 100, 11, 0, 9) == 0, "a sell through two levels");
    is("5>2 5x101 5>1 5x100 5>3 1x100 ", "price, then time");
    ok(add(b, 6, B, 0, 10, 0, 9) == 0, "a market order does not rest");
    is("6>4 4x103 ", "it takes what there is");
    ok(add(b, 7, S, 100, 3, TW_BOOK_POST, 9) == TW_EUSAGE, "post only");
    is("", "it would trade");
    ok(add(b, 8, S, 100, 7, TW_BOOK_ALL, 9) == TW_EUSAGE, "all of seven");
    is("", "there are six");
    ok(add(b, 8, S, 100, 4, TW_BOOK_ALL, 9) == 0, "all of four");
    is("8>3 4x100 ", "are there");
    ok(add(b, 9, S, 99, 5, TW_BOOK_IMMEDIATE, 9) == 0, "at once");
    is("9>3 2x100 ", "the rest is dropped");
    add(b, 10, B, 100, 5, 0, 1);
    add(b, 11, B, 100, 5, 0, 2);
    ok(add(b, 12, S, 100, 7, 0, 1) == 1, "with an own one in its way");
    is("-10 12>11 5x100 ", "which is canceled");
    ok(add(b, 12, S, 105, 7, 0, 1) == TW_EUSAGE, "an id that rests already");
    ok(tw_book_reduce(b, 12, 1) == TW_OK && tw_book_reduce(b, 12, 1) == TW_EUSAGE
       && tw_book_cancel(b, 12) && !tw_book_cancel(b, 12),
       "reduced and canceled");
    ok(!tw_book_level(b, TW_SIDE_SELL, 0, &price, &quantity, &orders), "nothing is left");
    add(b, 13, S, 100, 5, 0, 0);
    ok(add(b, 14, B, 100, 5, TW_BOOK_ALL, 0) == 0, "of no owner, and so of no other one");
    is("14>13 5x100 ", "all of five");
    tw_book_free(b);
}

/* ---- against a list ---- */

enum { MOST = 400 };

struct plain { struct tw_entry e[MOST]; unsigned n; char said[4000]; };

static void out(struct plain *p, unsigned i)
{
    memmove(p->e + i, p->e + i + 1, (--p->n - i) * sizeof *p->e);
}

/* The best one against e, the first of these: MOST, when there is none. */
static unsigned best(const struct plain *p, const struct tw_entry *e)
{
    unsigned found = MOST;

    for (unsigned i = 0; i < p->n; i++) {
        const struct tw_entry *o = &p->e[i];
        bool buys = e->side == TW_SIDE_BUY;

        if (o->side == e->side) continue;
        if (e->price && (buys ? o->price > e->price : o->price < e->price)) continue;
        if (found == MOST || (buys ? o->price < p->e[found].price
                                   : o->price > p->e[found].price))
            found = i;
    }
    return found;
}

static int plain_add(struct plain *p, struct tw_entry e, unsigned rules)
{
    int64_t there = 0;

    p->said[0] = '\0';
    for (unsigned i = 0; i < p->n; i++) {
        struct tw_entry one = p->e[i];
        bool crosses = e.side == TW_SIDE_BUY ? one.price <= e.price
                                             : one.price >= e.price;
        bool meets = one.side != e.side && (!e.price || crosses);

        if (meets && (rules & TW_BOOK_POST)) return TW_EUSAGE;
        if (meets && one.owner != e.owner) there += one.quantity;
    }
    if ((rules & TW_BOOK_ALL) && there < e.quantity) return TW_EUSAGE;
    while (e.quantity > 0) {
        unsigned i = best(p, &e);
        int64_t n;

        if (i == MOST) break;
        if (p->e[i].owner == e.owner) {
            sprintf(p->said + strlen(p->said), "-%d ", (int)p->e[i].id);
            out(p, i);
            continue;
        }
        n = e.quantity < p->e[i].quantity ? e.quantity : p->e[i].quantity;
        sprintf(p->said + strlen(p->said), "%d>%d %dx%d ", (int)e.id, (int)p->e[i].id,
                (int)n, (int)p->e[i].price);
        e.quantity -= n;
        p->e[i].quantity -= n;
        if (p->e[i].quantity == 0) out(p, i);
    }
    if (e.quantity == 0 || !e.price || (rules & (TW_BOOK_ALL | TW_BOOK_IMMEDIATE)))
        return 0;
    p->e[p->n++] = e;
    return 1;
}

static bool is_like(const struct tw_book *b, const struct plain *p)
{
    int64_t price[2] = { 0, 0 }, quantity, sum[2] = { 0, 0 }, all[2] = { 0, 0 };
    unsigned orders;

    for (unsigned i = 0; i < p->n; i++)
        all[p->e[i].side == TW_SIDE_SELL] += p->e[i].quantity;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; tw_book_level(b, side ? TW_SIDE_SELL : TW_SIDE_BUY, i,
                                         &price[side], &quantity, &orders); i++) {
            int64_t before = price[side];

            sum[side] += quantity;
            if (i > 0 && tw_book_level(b, side ? TW_SIDE_SELL : TW_SIDE_BUY, i - 1,
                                       &before, &quantity, &orders)
                && (side ? before >= price[side] : before <= price[side]))
                return false;
        }
    return sum[0] == all[0] && sum[1] == all[1];
}

static void random_orders(void)
{
    struct tw_book *b = tw_book_new(on_trade, NULL);
    struct plain *p = calloc(1, sizeof *p);
    unsigned wrong = 0, trades = 0;

    for (uint64_t id = 1; id < 100000; id++) {
        unsigned rules = next() % 4 ? 0 : 1u << next() % 3;
        struct tw_entry e = { id, (uint32_t)(next() % 5 + 1), (uint8_t)(1 + next() % 2),
                              next() % 9 ? (int64_t)(next() % 30 + 100) : 0,
                              (int64_t)(next() % 9 + 1), NULL, false };
        int want, got;

        if (p->n > 0 && (next() % 3 == 0 || p->n > MOST - 2)) {
            unsigned i = (unsigned)(next() % p->n);
            int64_t smaller = (int64_t)(next() % 9 + 1);

            if (next() % 2) {
                wrong += (tw_book_reduce(b, p->e[i].id, smaller) == TW_OK)
                      != (smaller < p->e[i].quantity);
                if (smaller < p->e[i].quantity) p->e[i].quantity = smaller;
            } else {
                wrong += !tw_book_cancel(b, p->e[i].id);
                out(p, i);
            }
        }
        want = plain_add(p, e, rules);
        log_text[0] = '\0';
        got = tw_book_add(b, &e, rules, on_canceled);
        trades += strchr(log_text, '>') != NULL;
        wrong += got != want || strcmp(log_text, p->said) != 0;
        if (id % 50 == 0) wrong += !is_like(b, p);
    }
    ok(wrong == 0, "100,000 orders like the list (%u)", wrong);
    ok(trades > 10000, "with %u that traded", trades);
    free(p);
    tw_book_free(b);
}

/* ---- auctions ---- */

enum { GATHERED = 40 };

static struct tw_entry gathered[GATHERED];
static unsigned n_gathered, wrong_trades;
static int64_t called_at, traded[GATHERED], all_traded;

/* ids are 1 + the place in gathered. */
static void on_call(void *ctx, const struct tw_entry *buys, const struct tw_entry *sells,
                    int64_t price, int64_t quantity)
{
    (void)ctx;
    wrong_trades += price != called_at || quantity <= 0 || buys->side != TW_SIDE_BUY
                 || sells->side != TW_SIDE_SELL;
    traded[buys->id - 1] += quantity;
    traded[sells->id - 1] += quantity;
    all_traded += quantity;
}

static bool accepts(const struct tw_entry *e, int64_t price)
{
    return e->price == 0
        || (e->side == TW_SIDE_BUY ? e->price >= price : e->price <= price);
}

static int64_t sum_at(unsigned side, int64_t price)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < n_gathered; i++)
        if (gathered[i].side == side && accepts(&gathered[i], price))
            sum += gathered[i].quantity;
    return sum;
}

/* The rule, word by word, over all limits and the reference. */
static int64_t plain_cross(int64_t reference, int64_t *price)
{
    int64_t most = 0, least = 0;

    for (unsigned i = 0; i <= n_gathered; i++) {
        int64_t p = i < n_gathered ? gathered[i].price : reference, left, n;
        bool better;

        if (p == 0) continue;
        n = sum_at(TW_SIDE_BUY, p);
        left = sum_at(TW_SIDE_SELL, p);
        if (left < n) { int64_t t = n; n = left; left = t; }
        left -= n;
        if (n == 0 || n < most) continue;
        better = n > most || left < least;
        if (!better && left == least) {
            int64_t far = llabs(p - reference), was = llabs(*price - reference);

            better = reference && far != was ? far < was : p < *price;
        }
        if (!better) continue;
        most = n;
        least = left;
        *price = p;
    }
    return most;
}

/* Does a come before b? */
static bool is_before(const struct tw_entry *a, const struct tw_entry *b)
{
    if (a->price != b->price) {
        if (!a->price || !b->price) return !a->price;
        return a->side == TW_SIDE_BUY ? a->price > b->price : a->price < b->price;
    }
    return a->id < b->id;
}

#define CROSS(reference) tw_book_cross(b, reference, NULL, NULL, &price, &quantity)

static void auctions(void)
{
    unsigned wrong = 0, out_of_line = 0, through = 0, none = 0;
    int64_t all = 0;

    wrong_trades = 0;
    for (unsigned round = 0; round < 20000; round++) {
        struct tw_book *b = tw_book_new(on_call, NULL);
        int64_t reference = next() % 3 ? (int64_t)(next() % 24 + 98) : 0;
        int64_t price = 0, quantity = 0, want = 0, most, bought = 0, sold = 0;
        bool found, left[2] = { false, false };

        n_gathered = (unsigned)(next() % GATHERED);
        all_traded = 0;
        memset(traded, 0, sizeof traded);
        for (unsigned i = 0; i < n_gathered; i++) {
            gathered[i] = (struct tw_entry){ .id = i + 1, .owner = i + 1,
                .side = (uint8_t)(1 + next() % 2), .quantity = (int64_t)(next() % 9 + 1),
                .price = next() % 5 ? (int64_t)(next() % 20 + 100) : 0 };
            struct tw_entry e = gathered[i];
            wrong += tw_book_add(b, &e, TW_BOOK_GATHER, NULL) != 1;
        }
        most = plain_cross(reference, &want);
        found = CROSS(reference);
        wrong += found != (most > 0) || (found && (price != want || quantity != most));
        none += !found;
        called_at = price;
        if (found) tw_book_uncross(b, price);
        wrong += all_traded != most;
        all += all_traded;
        for (unsigned i = 0; i < n_gathered; i++) {
            const struct tw_entry *e = &gathered[i];
            bool more = traded[i] < e->quantity;

            *(e->side == TW_SIDE_BUY ? &bought : &sold) += traded[i];
            wrong += traded[i] > e->quantity || tw_book_cancel(b, e->id) != more;
            through += traded[i] > 0 && !accepts(e, price);
            left[e->side == TW_SIDE_SELL] |= found && more && accepts(e, price);
            for (unsigned k = 0; k < n_gathered && more && found; k++)
                out_of_line += gathered[k].side == e->side && traded[k] > 0
                            && is_before(e, &gathered[k]);
        }
        wrong += bought != sold;
        through += left[0] && left[1];
        tw_book_free(b);
    }
    ok(wrong == 0 && wrong_trades == 0,
       "20,000 auctions: the price and all that trades at it, as the rule says (%u, %u)",
       wrong, wrong_trades);
    ok(through == 0, "nobody trades beyond its limit, nor is left on both sides");
    ok(out_of_line == 0, "price, then time");
    ok(none > 100 && all > 20000, "%u without a trade, %d traded", none, (int)all);
}

static void auction_by_hand(void)
{
    enum { B = TW_SIDE_BUY, S = TW_SIDE_SELL };
    struct tw_book *b = tw_book_new(on_trade, NULL);
    int64_t price = 0, quantity = 0;

    ok(!CROSS(100), "an auction of nobody");
    add(b, 1, B, 0, 5, TW_BOOK_GATHER, 1);
    ok(!CROSS(100), "of one side");
    add(b, 2, S, 0, 3, TW_BOOK_GATHER, 2);
    ok(!CROSS(0), "without any price");
    ok(CROSS(100) && price == 100 && quantity == 3,
       "at the reference");
    add(b, 3, S, 101, 4, TW_BOOK_GATHER, 3);
    ok(CROSS(100) && price == 101 && quantity == 5,
       "more trades at the limit");
    add(b, 4, B, 103, 2, 0 | TW_BOOK_GATHER, 4);
    ok(CROSS(102) && price == 102 && quantity == 7,
       "from 101 to 103 all trade: the nearest to the reference");
    ok(CROSS(90) && price == 101, "nearest from below");
    ok(CROSS(0) && price == 101, "without one the lowest");
    log_text[0] = '\0';
    tw_book_uncross(b, 102);
    is("2>1 3x102 3>1 2x102 3>4 2x102 ", "who takes any price before limits");
    ok(!tw_book_level(b, TW_SIDE_BUY, 0, &price, &quantity, &(unsigned){ 0 })
       && !tw_book_level(b, TW_SIDE_SELL, 0, &price, &quantity, &(unsigned){ 0 }),
       "nothing is left");
    tw_book_free(b);
}

static void without_memory(void)
{
    unsigned refused = 0;

    for (uint64_t n = 1; n < 100; n++) {
        struct tw_book *b;
        unsigned rests = 0, there = 0;

        tw_memory_fail_at(n);
        b = tw_book_new(on_trade, NULL);
        for (uint64_t id = 1; b && id < 80; id++) {
            int rc = add(b, id, TW_SIDE_BUY, (int64_t)id, 1, 0, 0);

            rests += rc == 1;
            refused += rc < 0;
        }
        tw_memory_fail_at(0);
        for (uint64_t id = 1; b && id < 80; id++) there += tw_book_cancel(b, id);
        refused += !b;
        if (there != rests) refused += 1000;
        tw_book_free(b);
    }
    ok(refused > 70 && refused < 100, "no memory is said, the others rest (%u)", refused);
}

int main(void)
{
    by_hand();
    many();
    random_orders();
    auction_by_hand();
    auctions();
    without_memory();
    return tap_done();
}
