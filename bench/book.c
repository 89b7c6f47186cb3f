/* book.c - what an order costs in a limit order book, and in the venue around it.
 *
 * Nanoseconds of CPU time each, the least of a few rounds: an order that rests, one that
 * is canceled, one that takes another; at 10 and at 1,000 levels a side with 8 orders
 * each.  In the venue a request is copied, sorted by arrival, and answered; what comes
 * out is counted.  The field's books in plain C take 100 to 300 ns for each.
 */
#include <stdio.h>
#include <time.h>

#include "trade/match.h"
#include "trade/venue.h"

enum { N = 1 << 10, ROUNDS = 100, EACH = 8 };

static uint64_t told;

static void on_trade(void *ctx, const struct tw_entry *maker,
                     const struct tw_entry *taker, int64_t price, int64_t quantity)
{
    (void)ctx, (void)maker, (void)taker;
    told += (uint64_t)(price + quantity);
}

static void on_report(void *ctx, const struct tw_venue_report *r)
{
    (void)ctx;
    told += r->report.order;
}

static void on_market(void *ctx, const struct tw_record *r)
{
    (void)ctx;
    told += r->symbol;
}

static uint64_t seed = 1;

/* Near the best price more often than far from it, as in markets. */
static int64_t level(unsigned levels)
{
    uint64_t a, b;

    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    a = (seed >> 33) % levels;
    b = (seed >> 45) % levels;
    return (int64_t)(a < b ? a : b);
}

static int64_t price_of(unsigned i, unsigned levels)
{
    return i & 1 ? 100000 - 1 - level(levels) : 100001 + level(levels);
}

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void least(double *best, int64_t began_ns)
{
    double ns = (double)(cpu_ns() - began_ns) / N;

    if (*best == 0 || ns < *best) *best = ns;
}

/* ---- the book alone ---- */

static void put(struct tw_book *b, uint64_t id, unsigned i, unsigned levels)
{
    struct tw_entry e = { .id = id, .quantity = 1, .side = i & 1 ? 1 : 2,
                          .price = price_of(i, levels) };

    tw_book_add(b, &e, 0, NULL);
}

static void book(unsigned levels)
{
    double add = 0, cancel = 0, take = 0;
    struct tw_book *b = tw_book_new(on_trade, NULL);
    uint64_t id = 0;

    for (unsigned i = 0; i < 2 * levels * EACH; i++) put(b, ++id, i, levels);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t began_ns = cpu_ns();

        for (unsigned i = 0; i < N; i++) put(b, ++id, i, levels);
        least(&add, began_ns);
        began_ns = cpu_ns();
        for (unsigned i = 0; i < N; i++)
            tw_book_cancel(b, id - (i * UINT64_C(40503) & (N - 1)));
        least(&cancel, began_ns);
        for (unsigned i = 0; i < N; i++) put(b, ++id, i, levels);
        began_ns = cpu_ns();
        for (unsigned i = 0; i < N; i++) {
            struct tw_entry e = { .id = ++id, .quantity = 1, .side = i & 1 ? 1 : 2 };

            tw_book_add(b, &e, TW_BOOK_IMMEDIATE, NULL);
        }
        least(&take, began_ns);
    }
    tw_book_free(b);
    printf("%-6s %7u %8.0f %8.0f %8.0f\n", "book", levels, add, cancel, take);
}

/* ---- the venue ---- */

static void ask(struct tw_venue *v, struct tw_request q)
{
    static uint64_t number;

    q.number = ++number;
    if (q.owner == 0) q.owner = 1 + (uint32_t)(q.id % 3);
    q.arrives_ns = (int64_t)number;
    q.seq = number;
    q.symbol = 1;
    q.tif = TW_TIF_GTC;
    tw_venue_send(v, &q);
    tw_venue_step(v, INT64_MAX - 1);
}

static void quote(struct tw_venue *v, uint64_t id, unsigned i, unsigned levels)
{
    ask(v, (struct tw_request){ .id = id, .quantity = 1, .side = i & 1 ? 1 : 2,
                                .type = TW_TYPE_LIMIT, .price = price_of(i, levels) });
}

static void venue(unsigned levels)
{
    double add = 0, cancel = 0, take = 0;
    struct tw_venue_listener l = { on_report, on_market, NULL };
    struct tw_venue *v = tw_venue_new(&l);
    uint64_t id = 0;

    for (unsigned i = 0; i < 2 * levels * EACH; i++) quote(v, ++id, i, levels);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t began_ns = cpu_ns();

        for (unsigned i = 0; i < N; i++) quote(v, ++id, i, levels);
        least(&add, began_ns);
        began_ns = cpu_ns();
        for (unsigned i = 0; i < N; i++)
            ask(v, (struct tw_request){ .what = TW_REQUEST_CANCEL,
                                        .id = id - (i * UINT64_C(40503) & (N - 1)) });
        least(&cancel, began_ns);
        for (unsigned i = 0; i < N; i++) quote(v, ++id, i, levels);
        began_ns = cpu_ns();
        for (unsigned i = 0; i < N; i++)
            ask(v, (struct tw_request){ .id = ++id, .quantity = 1, .side = i & 1 ? 1 : 2,
                                        .type = TW_TYPE_MARKET, .owner = 4 });
        least(&take, began_ns);
    }
    tw_venue_free(v);
    printf("%-6s %7u %8.0f %8.0f %8.0f\n", "venue", levels, add, cancel, take);
}

int main(void)
{
    printf("ns      levels    rests  cancels    takes\n");
    book(10);
    book(1000);
    venue(10);
    venue(1000);
    return told == 0;
}
