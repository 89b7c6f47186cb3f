/* venue.c - strategies in one venue: by hand, then what holds of any requests (V1..V7 of
 * trade/venue.h), and without memory. */
#include "trade/venue.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "random.h"
#include "tape/ladder.h"
#include "tap.h"
#include "trade/money.h"
#include "trade/probe.h"

enum { OWNERS = 5, SYMBOLS = 3 };

#define B TW_SIDE_BUY
#define S TW_SIDE_SELL

/* ---- what was told ---- */

static char text[4000];
static uint64_t told;                       /* a hash of all of it */
static tw_money position[OWNERS + 1][SYMBOLS + 1];
static tw_money cash[OWNERS + 1];
static struct tw_quote quote[SYMBOLS + 1];
static uint32_t last_owner;                 /* of the trade's first half */
static uint64_t answers, ends, trades, self_trades, odd_makers, bad;

/* Of each order of the random ones. */
enum { ORDERS = 2048 };
static struct asked {
    bool reduces, all, called;
    int64_t price;                          /* 0: any */
    int64_t filled;
} asked[OWNERS + 1][ORDERS];

/* Of each symbol's last auction. */
static struct { int64_t time_ns, price, bid, ask; bool is; } call[SYMBOLS + 1];
static uint64_t calls, beyond, apart, both_left;

/* V6, and all or nothing. */
static void check_report(const struct tw_venue_report *r, int64_t quantity)
{
    struct asked *a = &asked[r->owner][r->report.order % ORDERS];
    tw_money now = position[r->owner][r->symbol], before = now - quantity;

    if (r->report.exec == TW_EXEC_TRADE) {
        a->filled += r->report.last_qty;
        bad += a->reduces && (before > 0 ? now < 0 || now >= before
                                         : now > 0 || now <= before);
    } else if (r->report.exec == TW_EXEC_CANCELED) {
        bad += a->all && a->filled > 0;
    }
}

static bool accepts(bool buys, int64_t limit, int64_t price)
{
    return limit == 0 || (buys ? limit >= price : limit <= price);
}

/* Nobody trades beyond its limit; V7: of those that were gathered nobody is left who
 * could trade with another one at the auction's price. */
static void check_limit(const struct tw_venue_report *r)
{
    struct asked *a = &asked[r->owner][r->report.order % ORDERS];
    bool buys = r->side == B;

    if (r->report.exec == TW_EXEC_REPLACED && a->price) a->price = r->report.price;
    if (r->report.exec == TW_EXEC_TRADE)
        beyond += !accepts(buys, a->price, r->report.last_px);
    if (r->report.exec == TW_EXEC_EXPIRED && a->called && call[r->symbol].is
        && call[r->symbol].time_ns == r->report.time_ns
        && accepts(buys, a->price, call[r->symbol].price)) {
        *(buys ? &call[r->symbol].bid : &call[r->symbol].ask) = 1;
        both_left += call[r->symbol].bid && call[r->symbol].ask;
    }
}

/* V7: all at one price. */
static void take_trade(const struct tw_record *r)
{
    if (r->trade.side != TW_SIDE_NONE) return;
    if (!call[r->symbol].is || call[r->symbol].time_ns != r->time) {
        calls++;
        call[r->symbol].is = true;
        call[r->symbol].time_ns = r->time;
        call[r->symbol].price = r->trade.price;
        call[r->symbol].bid = call[r->symbol].ask = 0;
    }
    apart += call[r->symbol].price != r->trade.price;
}

static void mix(uint64_t x)
{
    told = (told ^ x) * UINT64_C(0x100000001b3);
}

static void on_report(void *ctx, const struct tw_venue_report *r)
{
    const struct tw_report *p = &r->report;
    size_t n = strlen(text);
    int64_t quantity = 0;

    (void)ctx;
    answers += r->answers;
    if (p->exec == TW_EXEC_TRADE) {
        quantity = r->side == B ? p->last_qty : -p->last_qty;
        position[r->owner][r->symbol] += quantity;
        cash[r->owner] -= tw_money_value(p->last_px, quantity);
        odd_makers += (p->liquidity == TW_LIQUIDITY_ADDED) != (trades % 2 == 0);
        if (trades++ % 2 == 0) last_owner = r->owner;
        else self_trades += last_owner == r->owner;
    }
    check_report(r, quantity);
    check_limit(r);
    ends += p->exec == TW_EXEC_CANCELED || p->exec == TW_EXEC_EXPIRED
         || p->exec == TW_EXEC_REJECTED || r->status == TW_STATUS_FILLED;
    mix(r->owner), mix(p->order), mix(p->exec), mix(p->reason), mix((uint64_t)p->time_ns);
    mix((uint64_t)p->last_px), mix((uint64_t)p->last_qty), mix((uint64_t)p->quantity);
    if (n > sizeof text - 100) return;
    if (p->exec == TW_EXEC_TRADE)
        snprintf(text + n, sizeof text - n, "%u.%d:%lldx%lld%s ", r->owner, (int)p->order,
                 (long long)p->last_qty, (long long)p->last_px,
                 r->status == TW_STATUS_FILLED ? "!" : "");
    else if (p->exec == TW_EXEC_REPLACED)
        snprintf(text + n, sizeof text - n, "%u.%d:5=%lld@%lld ", r->owner, (int)p->order,
                 (long long)p->quantity, (long long)p->price);
    else
        snprintf(text + n, sizeof text - n, p->reason ? "%u.%d:%c(%d) " : "%u.%d:%c ",
                 r->owner, (int)p->order, p->exec, p->reason);
}

enum { LEVELS = 5 };
static struct tw_ladder ladder[SYMBOLS + 1];
static uint32_t unfinished;      /* a symbol whose update is not whole */
static uint64_t levels;
static bool deep;                /* levels are told */

/* Records of levels are whole updates, and each is of what it says. */
static void take_level(const struct tw_record *r)
{
    const struct tw_level *l = &r->level;
    struct tw_ladder *to = &ladder[r->symbol];

    bad += unfinished && unfinished != r->symbol;
    unfinished = l->last ? 0 : r->symbol;
    if (l->change == TW_LEVEL_GONE)
        bad += tw_ladder_find(to, l->offer, l->price)
               != tw_ladder_at(to, l->offer, l->place);
    bad += tw_ladder_take(to, l) != TW_OK || (l->change == TW_LEVEL_SET && l->size <= 0);
    levels++;
}

static void on_market(void *ctx, const struct tw_record *r)
{
    (void)ctx;
    if (r->kind == TW_LEVEL) take_level(r);
    else bad += unfinished != 0;
    mix(r->kind), mix(r->word[0]), mix(r->word[1]), mix(r->word[2]);
    if (r->kind == TW_QUOTE) quote[r->symbol] = r->quote;
    if (r->kind == TW_TRADE) take_trade(r);
}

static const struct tw_venue_listener listener = { on_report, on_market, NULL };

static struct tw_venue *begin(void)
{
    text[0] = '\0';
    told = UINT64_C(0xcbf29ce484222325);
    memset(position, 0, sizeof position);
    memset(cash, 0, sizeof cash);
    memset(quote, 0, sizeof quote);
    memset(asked, 0, sizeof asked);
    memset(call, 0, sizeof call);
    answers = ends = trades = self_trades = bad = 0;
    return tw_venue_new(&listener);
}

/* ---- by hand ---- */

static int64_t clock_ns;
static uint64_t number;

static void now(struct tw_venue *v, struct tw_request q)
{
    q.arrives_ns = clock_ns;
    q.seq = q.number = ++number;
    q.symbol = 1;
    if (!q.type) q.type = q.price ? TW_TYPE_LIMIT : TW_TYPE_MARKET;
    if (!q.tif) q.tif = TW_TIF_GTC;
    if (tw_venue_send(v, &q) != TW_OK) bad++;
    while (tw_venue_step(v, clock_ns)) continue;
}

static void is(const char *want, const char *name)
{
    ok(strcmp(text, want) == 0, "%s: %s", name, want);
    if (strcmp(text, want) != 0) printf("# got  %s\n", text);
    text[0] = '\0';
}

#define NEW(o, n, s, q, p, ...) now(v, (struct tw_request){ .owner = (o), .id = (n), \
    .side = (s), .quantity = (q), .price = (p), __VA_ARGS__ })
#define CANCEL(o, n) now(v, (struct tw_request){ .what = TW_REQUEST_CANCEL, \
    .owner = (o), .id = (n) })
#define REPLACE(o, n, q, p, s) now(v, (struct tw_request){ .what = TW_REQUEST_REPLACE, \
    .owner = (o), .id = (n), .quantity = (q), .price = (p), .stop = (s) })

static void by_hand(void)
{
    struct tw_venue *v = begin();

    clock_ns = 1000;
    NEW(1, 1, B, 10, 99, 0);
    NEW(1, 2, S, 10, 101, 0);
    is("1.1:0 1.2:0 ", "two rest");
    ok(quote[1].bid == 99 && quote[1].ask == 101 && quote[1].ask_size == 10, "quoted");
    NEW(2, 1, B, 4, 0, 0);
    is("2.1:0 1.2:4x101 2.1:4x101! ", "a market order takes");
    NEW(2, 2, B, 9, 0, 0);
    is("2.2:0 1.2:6x101! 2.2:6x101 2.2:4(15) ", "what is not there is canceled");
    ok(tw_venue_position(v, 2, 1) == 10 && tw_venue_position(v, 1, 1) == -10, "held");
    CANCEL(1, 2);
    is("1.2:9(20) ", "too late");
    REPLACE(1, 1, 12, 99, 0);
    is("1.1:5=12@99 ", "larger: behind");
    REPLACE(1, 1, 5, 0, 0);                 /* at the same price */
    CANCEL(1, 1);
    is("1.1:5=5@99 1.1:4 ", "smaller, canceled");
    ok(quote[1].bid == 0, "no bid is quoted");

    NEW(1, 3, S, 5, 100, .post_only = true);
    NEW(2, 3, B, 5, 100, .post_only = true);
    is("1.3:0 2.3:0 2.3:4(14) ", "post only");
    NEW(2, 4, B, 6, 100, .tif = TW_TIF_FOK);
    is("2.4:0 2.4:4(16) ", "all or nothing");
    NEW(2, 5, B, 6, 100, .tif = TW_TIF_IOC);
    is("2.5:0 1.3:5x100! 2.5:5x100 2.5:4(15) ", "at once, the rest not");
    NEW(1, 4, S, 5, 100, 0);
    NEW(1, 5, B, 3, 100, 0);
    is("1.4:0 1.5:0 1.4:4(9) ", "never with itself");
    CANCEL(1, 5);
    text[0] = '\0';
    NEW(1, 6, S, 1, 0, .tif = TW_TIF_CLS, .type = TW_TYPE_STOP, .stop = 90);
    NEW(1, 6, S, 1, 100, .tif = TW_TIF_OPG, .post_only = true);
    is("1.6:8(21) 1.6:8(21) ", "no stops in auctions, nor what must not take");
    NEW(3, 1, B, 5, 0, .type = TW_TYPE_STOP, .stop = 105);
    NEW(3, 2, B, 5, 104, .type = TW_TYPE_STOP_LIMIT, .stop = 103);
    NEW(3, 3, S, 5, 0, .type = TW_TYPE_TRAILING_STOP, .trail = 2);
    is("3.1:0 3.2:0 3.3:0 ", "stops wait");
    NEW(1, 7, S, 1, 103, 0);
    NEW(1, 8, S, 4, 104, 0);
    NEW(1, 9, S, 9, 105, 0);
    NEW(2, 6, B, 1, 103, 0);
    is("1.7:0 1.8:0 1.9:0 2.6:0 1.7:1x103! 2.6:1x103! 1.8:4x104! 3.2:4x104 ",
       "the first is triggered, and trades at its limit");
    NEW(2, 7, B, 1, 105, 0);
    is("2.7:0 1.9:1x105 2.7:1x105! 1.9:5x105 3.1:5x105! ", "then the other one");
    NEW(3, 4, B, 2, 0, .type = TW_TYPE_STOP, .stop = 105);
    is("3.4:0 1.9:2x105 3.4:2x105! ", "one that the last price has reached, at once");
    NEW(3, 5, B, 1, 0, .type = TW_TYPE_STOP, .stop = 110);
    REPLACE(3, 5, 0, 0, 104);
    is("3.5:0 3.5:5=1@0 1.9:1x105! 3.5:1x105! ", "also by a change");
    for (int i = 0; i < 2; i++)
        NEW(3, 8U + i, B, 1, 90, .tif = TW_TIF_GTD, .expire_ns = clock_ns + 1 + i);
    while (tw_venue_step(v, clock_ns + 2)) continue;
    is("3.8:0 3.9:0 3.8:C 3.9:C ", "each ends at its time");
    for (int i = 0; i < 2; i++)             /* V5 */
        tw_venue_send(v, &(struct tw_request){ .what = i ? TW_REQUEST_CANCEL : 0,
            .owner = 3, .id = 7, .side = B, .quantity = 1, .price = 90, .symbol = 1,
            .type = TW_TYPE_LIMIT, .tif = TW_TIF_GTC, .arrives_ns = clock_ns + 3 - i });
    while (tw_venue_step(v, clock_ns + 3)) continue;
    is("3.7:0 3.7:4 ", "a faster cancel comes after its order");
    ok(odd_makers == 0, "who rested has added liquidity, who came has not");
    tw_venue_free(v);
}

static void trailing_buys(void)
{
    struct tw_venue *v = begin();

    NEW(1, 1, S, 1, 105, 0);
    NEW(2, 1, B, 1, 105, 0);
    NEW(3, 1, B, 5, 0, .type = TW_TYPE_TRAILING_STOP, .trail = 3);
    NEW(1, 2, S, 1, 101, 0);
    NEW(2, 2, B, 1, 101, 0);
    NEW(1, 3, S, 1, 103, 0);
    NEW(1, 4, S, 9, 104, 0);
    NEW(2, 3, B, 1, 103, 0);
    text[0] = '\0';
    NEW(2, 4, B, 1, 104, 0);
    is("2.4:0 1.4:1x104 2.4:1x104! 1.4:5x104 3.1:5x104! ",
       "a buy follows a price that falls, and goes where it has risen as much");
    tw_venue_free(v);
}

static void in_percent(void)
{
    struct tw_venue *v = begin();

    NEW(1, 1, S, 1, 105, 0);
    NEW(2, 1, B, 1, 105, 0);
    NEW(3, 1, S, 5, 0, .type = TW_TYPE_TRAILING_STOP, .tick = 2,
        .trail_part = TW_FIXED_ONE / 100 * 3);
    NEW(1, 2, B, 1, 101, 0);
    text[0] = '\0';
    NEW(2, 2, S, 1, 101, 0);
    is("2.2:0 1.2:1x101! 2.2:1x101! ", "97 % of 105 are 100, in ticks of 2");
    NEW(1, 3, S, 1, 110, 0);
    NEW(2, 3, B, 1, 110, 0);
    NEW(1, 4, B, 9, 107, 0);
    NEW(2, 4, S, 1, 107, 0);
    NEW(1, 5, B, 9, 106, 0);
    text[0] = '\0';
    NEW(2, 5, S, 8, 107, 0);
    is("2.5:0 1.4:8x107! 2.5:8x107! ", "of 110 they are 106");
    NEW(2, 6, S, 1, 106, 0);
    is("2.6:0 1.5:1x106 2.6:1x106! 1.5:5x106 3.1:5x106! ", "where it trades");
    tw_venue_free(v);
}

/* What is held of an instrument, and what rests at a price, may come to more than an
 * order can. */
static void much(void)
{
    const int64_t much = INT64_C(9000000000000000000);
    struct tw_venue *v = begin();

    for (uint64_t id = 1; id <= 2; id++) NEW(1, id, S, much, 100, 0);
    ok(quote[1].ask_size == INT64_MAX, "two rest, of which no size can be told");
    for (uint64_t id = 1; id <= 2; id++) NEW(2, id, B, much, 100, 0);
    ok(tw_venue_position(v, 2, 1) == 2 * (tw_money)much
       && tw_venue_position(v, 1, 1) == -2 * (tw_money)much, "all of it is held");
    NEW(2, 3, S, 5, 100, .reduce_only = true);
    ok(quote[1].ask_size == 5, "and can be reduced");
    tw_venue_free(v);
}

/* ---- any requests ---- */

static uint64_t orders[OWNERS + 1];         /* that each has sent */

static bool is_small(void)
{
    return getenv("SMALL") != NULL;
}

/* With a calendar: by sessions, with auctions; a turn of time takes so long then. */
static const struct tw_calendar *calendar;
static int64_t unit_ns = 1;

static struct tw_request random_request(uint32_t owner, int64_t time_ns, uint64_t seq)
{
    static const char types[] = { '2', '2', '2', '2', '1', '3', '4', 'P' };
    static const char all_day[] = { '1', '1', '1', '0', '3', '4', '6', '7' };
    static const char sessions[] = { '1', '1', '2', '0', '2', '4', '7', '7' };
    const char *tifs = calendar ? sessions : all_day;
    uint64_t dice = next();
    struct tw_request q = {
        .owner = owner, .seq = seq, .number = ++number,
        .arrives_ns = time_ns + unit_ns * (int64_t)(dice % 4 * (dice >> 8 & 31)),
        .calendar = calendar,
        .quantity = (int64_t)(dice >> 16 & 15) + 1,
        .side = (dice >> 20 & 1) ? B : S, .symbol = 1 + (uint32_t)(dice >> 56) % SYMBOLS,
        .type = (uint8_t)types[dice >> 24 & 7], .tif = (uint8_t)tifs[dice >> 27 & 7],
        .post_only = (dice >> 30 & 7) == 0, .reduce_only = (dice >> 33 & 7) == 0,
        .group = (dice >> 36 & 7) == 0 ? 1 + (dice >> 39 & 3) : 0,
    };
    int64_t price = 100 + (int64_t)(dice >> 42 & 15) - 8;

    if (orders[owner] > 0 && (dice >> 50 & 3) == 0) {
        q.what = (dice >> 52 & 1) ? TW_REQUEST_CANCEL : TW_REQUEST_REPLACE;
        q.id = orders[owner] - (dice >> 53) % (orders[owner] < 8 ? orders[owner] : 8);
    } else {
        q.id = ++orders[owner];
    }
    if (q.type == TW_TYPE_LIMIT || q.type == TW_TYPE_STOP_LIMIT) q.price = price;
    else if (q.what == TW_REQUEST_REPLACE) q.price = price;
    if (q.type == TW_TYPE_STOP || q.type == TW_TYPE_STOP_LIMIT) q.stop = price + 1;
    if (q.type == TW_TYPE_TRAILING_STOP) q.trail = 3;
    if (q.trail && dice >> 63) {
        q.trail = 0;
        q.trail_part = TW_FIXED_ONE / 100 * 3;
        q.tick = 2;
    }
    if (q.type != TW_TYPE_LIMIT) q.post_only = false;
    if (q.tif == TW_TIF_GTD) q.expire_ns = time_ns + 50 * unit_ns;
    if (q.what == TW_REQUEST_NEW)
        asked[owner][q.id % ORDERS] = (struct asked){
            .reduces = q.reduce_only, .all = q.tif == TW_TIF_FOK, .price = q.price,
            .called = q.tif == TW_TIF_OPG || q.tif == TW_TIF_CLS };
    return q;
}

/* The best level of a side is the book's, and there are no more than were asked for. */
static void check_levels(uint32_t symbol, bool offer, int64_t price, int64_t size)
{
    const struct tw_rung *r = tw_ladder_at(&ladder[symbol], offer, 1);

    if (!deep) return;
    bad += ladder[symbol].side[offer].n > LEVELS || (r ? r->price : 0) != price
        || (r ? r->size : 0) != size;
}

static void check(const struct tw_venue *v)
{
    for (uint32_t s = 1; s <= SYMBOLS; s++) {
        int64_t bid = 0, ask = 0, bids = 0, asks = 0;
        tw_money sum = 0;
        bool both = tw_venue_best(v, s, B, &bid, &bids);

        both = tw_venue_best(v, s, S, &ask, &asks) && both;
        check_levels(s, false, bid, bids);
        check_levels(s, true, ask, asks);
        bad += both && bid >= ask;                                       /* V3 */
        bad += quote[s].bid != bid || quote[s].ask != ask || quote[s].bid_size != bids
            || quote[s].ask_size != asks;
        for (uint32_t o = 1; o <= OWNERS; o++) {
            sum += tw_venue_position(v, o, s);
            bad += tw_venue_position(v, o, s) != position[o][s];
        }
        bad += sum != 0;                                                 /* V1 */
    }
}

/* In turns, as at the records of a tape: all that owners decide, then what arrives.
 * backwards: the owners hand their requests over the other way round. */
static uint64_t play(unsigned turns, bool backwards, uint64_t *sent, uint64_t *took)
{
    struct tw_venue *v = begin();
    uint64_t made = 0;

    tw_venue_tell_levels(v, LEVELS);
    deep = true;
    *sent = 0;
    memset(orders, 0, sizeof orders);
    number = 0;
    for (unsigned turn = 1; turn <= turns; turn++) {
        struct tw_request q[OWNERS][3];

        for (unsigned i = 0; i < OWNERS; i++)
            for (unsigned k = 0; k < 3; k++) {
                q[i][k] = random_request(i + 1, 10 * turn * unit_ns, turn);
                made += q[i][k].what == TW_REQUEST_NEW;
            }
        for (unsigned i = 0; i < OWNERS; i++)
            for (unsigned k = 0; k < 3; k++) {
                if (tw_venue_send(v, &q[backwards ? OWNERS - 1 - i : i][k]) == TW_OK)
                    ++*sent;
            }
        tw_venue_set_time(v, 10 * turn * unit_ns);
        while (tw_venue_step(v, 10 * turn * unit_ns)) check(v);
    }
    while (tw_venue_step(v, INT64_MAX - 1)) check(v);
    for (uint32_t o = 1; o <= OWNERS; o++)          /* what is left ends, too */
        for (uint64_t id = 1; id <= orders[o]; id++) {
            struct tw_request q = { .what = TW_REQUEST_CANCEL, .owner = o, .id = id,
                                    .number = ++number };

            *sent += tw_venue_send(v, &q) == TW_OK;
            if (id % 1000 == 0) while (tw_venue_step(v, INT64_MAX - 1)) continue;
        }
    while (tw_venue_step(v, INT64_MAX - 1)) check(v);
    for (unsigned s = 0; s <= SYMBOLS; s++) tw_ladder_fini(&ladder[s]);
    deep = false;
    tw_venue_free(v);
    if (took) *took = made;
    return told;
}

static void any_requests(void)
{
    unsigned rounds = is_small() ? 5 : 40, turns = is_small() ? 50 : 400;
    uint64_t different = 0, unanswered = 0, endless = 0, selves = 0, wrong = 0, all = 0;
    tw_money cash_left = 0;
    int64_t held = 0;

    for (unsigned i = 0; i < rounds; i++) {
        uint64_t from = seed = i + 1, sent, made, first, second;

        first = play(turns, false, &sent, &made);
        unanswered += answers != sent;
        endless += ends != made;
        selves += self_trades;
        wrong += bad;
        all += trades;
        for (unsigned o = 1; o <= OWNERS; o++) cash_left += cash[o];
        for (unsigned s = 1; s <= SYMBOLS; s++)
            for (unsigned o = 1; o <= OWNERS; o++) held += position[o][s];
        seed = from;
        second = play(turns, true, &sent, &made);
        different += first != second;
    }
    ok(all > rounds * turns, "%d trades", (int)all / 2);
    ok(wrong == 0, "V1, V3 and V6 after every step: %d", (int)wrong);
    ok(levels > 1000, "%d levels told", (int)levels);
    ok(selves == 0, "V2: nobody trades with itself");
    ok(unanswered == 0, "V4: every request has one answer");
    ok(endless == 0, "V4: every order has one end");
    ok(cash_left == 0 && held == 0, "what one pays the other gets");
    ok(different == 0, "the order in which they were handed over counts for nothing");
    ok(beyond == 0, "nobody trades beyond its limit");
    if (!calendar) return;
    ok(calls > rounds * 10, "%d auctions", (int)calls);
    ok(apart == 0 && both_left == 0, "V7: at one price, with nobody left on both sides");
}

/* Sessions of eight hours, of which a turn is 40 minutes. */
static void any_auctions(void)
{
    struct tw_calendar_options o = { .open = 9 * 3600, .close = 17 * 3600,
                                     .weekdays = 0x7f };
    struct tw_calendar *c = tw_calendar_new(&o);

    calendar = c;
    unit_ns = INT64_C(240000000000);
    any_requests();
    calendar = NULL;
    unit_ns = 1;
    tw_calendar_free(c);
}

/* ---- V6 ---- */

static void reduce_only(void)
{
    struct tw_venue *v = begin();

    NEW(1, 1, S, 10, 100, 0);
    NEW(2, 1, B, 10, 100, 0);
    text[0] = '\0';
    NEW(2, 2, S, 12, 105, .reduce_only = true);
    NEW(2, 3, S, 8, 106, .reduce_only = true);
    is("2.2:0 2.2:5=10@105 2.3:0 ", "each no more than is held");
    NEW(2, 4, S, 3, 104, 0);
    NEW(1, 2, B, 3, 104, 0);
    is("2.4:0 1.2:0 2.4:3x104! 1.2:3x104! 2.3:5=7@106 2.2:5=7@105 ",
       "less is held: so they are smaller");
    NEW(3, 1, B, 7, 110, .tif = TW_TIF_FOK);
    is("3.1:0 3.1:4(16) ", "all or nothing does not count on them");
    NEW(1, 3, B, 9, 110, 0);
    is("1.3:0 2.2:7x105! 1.3:7x105 2.3:4(13) ", "and it can't be sold twice");
    NEW(2, 5, S, 1, 0, .reduce_only = true);
    is("2.5:0 2.5:4(13) ", "nothing is left to reduce");
    CANCEL(1, 3);
    text[0] = '\0';

    NEW(2, 6, B, 6, 90, 0);
    NEW(1, 4, S, 6, 90, 0);
    text[0] = '\0';
    NEW(2, 7, S, 6, 95, .reduce_only = true, .group = 1);
    NEW(2, 8, S, 6, 0, .type = TW_TYPE_STOP, .stop = 85, .reduce_only = true,
        .group = 1);
    NEW(1, 5, B, 2, 95, 0);
    is("2.7:0 2.8:0 1.5:0 2.7:2x95 1.5:2x95! 2.8:5=4@0 ", "a bracket shrinks as one");
    NEW(1, 6, B, 9, 84, 0);
    NEW(3, 2, S, 1, 84, 0);
    is("1.6:0 3.2:0 1.6:1x84 3.2:1x84! 1.6:4x84 2.8:4x84! 2.7:4(18) ",
       "its stop takes what is held, and the other goes");
    ok(tw_venue_position(v, 2, 1) == 0, "flat");
    tw_venue_free(v);
}

/* ---- sessions ---- */

static void sessions(void)
{
    const int64_t hour = INT64_C(3600000000000);
    struct tw_calendar_options o = { .open = 9 * 3600, .close = 17 * 3600,
                                     .weekdays = 0x7f };
    struct tw_calendar *c = tw_calendar_new(&o);
    struct tw_venue *v = begin();

    clock_ns = 8 * hour;
    NEW(1, 1, B, 1, 99, .calendar = c);
    is("1.1:8(17) ", "closed");
    clock_ns = 10 * hour;
    NEW(1, 2, B, 1, 99, .calendar = c, .tif = TW_TIF_DAY);
    NEW(1, 3, B, 1, 98, .calendar = c);
    ok(tw_venue_due(v) == 17 * hour, "the day ends at five");
    while (tw_venue_step(v, 18 * hour)) continue;
    is("1.2:0 1.3:0 1.2:C ", "and with it what is for the day");
    clock_ns = 18 * hour;
    REPLACE(1, 3, 1, 97, 0);
    CANCEL(1, 3);
    is("1.3:9(17) 1.3:4 ", "after that it can only be canceled");
    tw_venue_free(v);
    tw_calendar_free(c);
}

/* ---- too many ---- */

static void too_many(void)
{
    struct tw_venue *v = begin();
    unsigned taken = 0;
    int rc = TW_OK;

    for (uint64_t id = 1; rc == TW_OK && id < 1000000; id++) {
        struct tw_request q = { .owner = 1, .id = id, .number = id, .symbol = 1,
                                .arrives_ns = 1000000 - (int64_t)(id * 7919 % 65536),
                                .side = B, .type = TW_TYPE_LIMIT, .tif = TW_TIF_GTC,
                                .price = (int64_t)(id % 100) + 1, .quantity = 1 };

        rc = tw_venue_send(v, &q);
        taken += rc == TW_OK;
    }
    ok(rc == TW_EFULL && taken == TW_VENUE_REQUESTS, "no more than %d are on their way",
       (int)taken);
    while (tw_venue_step(v, INT64_MAX - 1)) continue;
    ok(answers == taken && quote[1].bid == 100, "all of them arrive");
    tw_venue_free(v);
}

/* ---- a probe ---- */

static void steps(const struct tw_probe *p, const char *want, const char *name)
{
    char got[600] = "";

    for (size_t i = 0, n = 0; i < p->n; i++, n = strlen(got))
        snprintf(got + n, sizeof got - n, "%s:%d:%lldx%lld-%lld<%lld ",
                 tw_verdict_text(p->step[i].verdict), (int)p->step[i].count,
                 (long long)p->step[i].quantity, (long long)p->step[i].low,
                 (long long)p->step[i].high, (long long)p->step[i].ahead_to);
    ok(strcmp(got, want) == 0, "%s: %s", name, want);
    if (strcmp(got, want) != 0) printf("# got  %s\n", got);
}

static void probed(void)
{
    struct tw_venue *v = begin();
    struct tw_probe p = { .id = 7 }, later = { .id = 8 };

    clock_ns = 1000;
    tw_venue_probe(v, 2, &p);
    NEW(1, 7, S, 10, 101, 0);
    NEW(1, 2, S, 5, 101, 0);
    ok(p.n == 0, "another owner's order of that id is not told of");
    NEW(2, 7, S, 6, 101, 0);
    NEW(1, 3, S, 4, 101, 0);
    NEW(1, 4, S, 2, 100, 0);
    NEW(3, 1, B, 9, 0, 0);                  /* 2 at 100, 7 at 101 */
    CANCEL(1, 3);                           /* behind it */
    CANCEL(1, 7);
    REPLACE(1, 2, 4, 101, 0);
    clock_ns = 2000;
    NEW(3, 2, B, 5, 101, 0);
    steps(&p, "arrives:1:0x0-0<0 rests:1:0x101-101<15 ahead:3:13x100-101<0 "
              "left:2:4x101-101<4 trades:1:1x101-101<0 ", "a place in line");
    ok(p.step[1].market.ask == 101 && p.step[1].market.ask_size == 21
       && p.step[1].market.bid == 0, "with the best of both sides");
    ok(p.step[2].time_ns == 1000 && p.step[2].until_ns == 2000, "from when to when");
    REPLACE(2, 7, 6, 102, 0);
    ok(p.n == 6 && p.step[5].verdict == TW_VERDICT_RESTS && p.step[5].price == 102,
       "another place");
    tw_venue_probe(v, 2, NULL);
    CANCEL(2, 7);
    ok(p.n == 6, "not asked any more");
    tw_venue_probe(v, 2, &later);
    tw_memory_fail_at(2);   /* behind the order itself */
    NEW(2, 8, B, 1, 90, 0);
    tw_memory_fail_at(0);
    ok(later.lost && tw_venue_best(v, 1, B, &(int64_t){ 0 }, &(int64_t){ 0 }),
       "without memory it says so, and the venue goes on");
    tw_probe_fini(&p);
    tw_probe_fini(&later);
    tw_venue_free(v);
}

/* ---- auctions ---- */

static void auctions(void)
{
    const int64_t hour = INT64_C(3600000000000), day = 24 * hour;
    struct tw_calendar_options o = { .open = 9 * 3600, .close = 17 * 3600,
                                     .weekdays = 0x7f };
    struct tw_calendar *c = tw_calendar_new(&o);
    struct tw_probe p = { .id = 3 };
    struct tw_venue *v = begin();

#define CALL(o, n, s, q, p, t, ...) NEW(o, n, s, q, p, .calendar = c, \
                                        .tif = TW_TIF_ ## t, __VA_ARGS__)
    clock_ns = 8 * hour;
    CALL(1, 1, B, 10, 101, OPG, 0);
    CALL(2, 1, S, 4, 99, OPG, 0);
    CALL(3, 1, S, 3, 0, OPG, 0);
    ok(tw_venue_due(v) == 9 * hour && quote[1].bid == 0 && quote[1].ask == 0,
       "gathered till nine, and nothing is shown");
    REPLACE(1, 1, 8, 102, 0);
    CALL(2, 2, B, 2, 100, OPG, 0);
    is("1.1:0 2.1:0 3.1:0 1.1:5=8@102 2.2:0 2.1:4(9) ",
       "changed though it is closed; one's own gives way to what comes later");
    CALL(2, 3, S, 5, 101, OPG, 0);
    CANCEL(3, 1);
    text[0] = '\0';
    tw_venue_probe(v, 2, &p);
    while (tw_venue_step(v, 9 * hour)) continue;
    is("1.1:5x101 2.3:5x101! 1.1:C 2.2:C ", "the open: one price, the rest leaves");
    steps(&p, "auction:1:5x101-101<0 trades:1:5x101-101<0 ", "told to who asks");
    tw_venue_probe(v, 2, NULL);
    tw_probe_fini(&p);
    clock_ns = 9 * hour;
    CALL(1, 2, B, 1, 0, OPG, 0);
    ok(tw_venue_due(v) == day + 9 * hour, "at nine it is late: it is for the next day");

    clock_ns = 10 * hour;
    NEW(1, 3, B, 5, 98, .calendar = c);
    NEW(2, 4, S, 5, 103, .calendar = c);
    NEW(4, 1, S, 1, 0, .calendar = c, .type = TW_TYPE_STOP, .stop = 98);
    NEW(4, 2, B, 1, 0, .calendar = c, .type = TW_TYPE_STOP, .stop = 110,
        .tif = TW_TIF_DAY);
    CALL(3, 2, S, 7, 97, CLS, 0);
    CALL(2, 5, B, 1, 104, CLS, 0);
    text[0] = '\0';
    while (tw_venue_step(v, 17 * hour)) continue;
    is("2.4:4(9) 2.5:1x98! 3.2:1x98 1.3:5x98! 3.2:5x98 3.2:C 4.2:C ",
       "the close, with what rests in the book; then the day ends");
    ok(quote[1].bid == 0 && tw_venue_due(v) == day + 9 * hour,
       "a stop that the close has reached waits for the open");
    NEW(5, 1, S, 2, 100, .calendar = c);
    is("5.1:8(17) ", "which alone takes no orders but for auctions");
    while (tw_venue_step(v, day + 9 * hour)) continue;
    is("1.2:C 4.1:4(15) ", "and comes in behind the auction");
    tw_venue_free(v);

    v = begin();
    clock_ns = 7 * hour;
    NEW(1, 1, B, 10, 100, 0);
    NEW(2, 1, S, 10, 100, 0);
    NEW(1, 2, S, 4, 103, .reduce_only = true);
    clock_ns = 8 * hour;
    CALL(1, 3, S, 30, 98, OPG, .reduce_only = true);
    CALL(1, 4, S, 8, 97, OPG, .reduce_only = true);
    CALL(3, 1, B, 8, 99, OPG, 0);
    CALL(3, 2, B, 9, 96, OPG, 0);
    CALL(4, 1, S, 3, 99, OPG, .group = 1);
    CALL(4, 2, S, 3, 0, OPG, .group = 1);
    text[0] = '\0';
    while (tw_venue_step(v, 9 * hour)) continue;
    is("1.3:5=10@98 3.1:3x97 4.2:3x97! 4.1:4(18) 3.1:5x97! 1.4:5x97 1.3:5=5@98 1.3:C "
       "1.4:C 3.2:C ", "what is held is sold once, and one of a group");
    ok(tw_venue_position(v, 1, 1) == 5 && tw_venue_position(v, 4, 1) == -3, "no more");
    tw_venue_free(v);
    tw_calendar_free(c);
#undef CALL
}

/* ---- without memory ---- */

static void no_memory(void)
{
    uint64_t lost = 0, wrong = 0, n = 1;

    for (; n < 400; n++) {
        struct tw_venue *v;
        uint64_t sent = 0, before = tw_memory_count();

        seed = 9;
        memset(orders, 0, sizeof orders);
        number = 0;
        tw_memory_fail_at(n);
        v = begin();
        if (!v) continue;
        for (unsigned turn = 1; turn <= 20; turn++) {
            for (unsigned i = 1; i <= OWNERS; i++) {
                struct tw_request q = random_request(i, 10 * turn, turn);

                sent += tw_venue_send(v, &q) == TW_OK;
            }
            while (tw_venue_step(v, 10 * turn)) check(v);
        }
        while (tw_venue_step(v, INT64_MAX - 1)) check(v);
        lost += sent != answers;
        wrong += bad;
        tw_venue_free(v);
        if (tw_memory_count() - before < n) break;
    }
    tw_memory_fail_at(0);
    ok(n > 20 && n < 400, "%d allocations failed, one after the other", (int)n);
    ok(lost == 0 && wrong == 0, "all that was taken was answered, and V1, V3 held");
}

int main(void)
{
    by_hand();
    trailing_buys();
    in_percent();
    much();
    any_requests();
    any_auctions();
    reduce_only();
    sessions();
    too_many();
    probed();
    auctions();
    no_memory();
    return tap_done();
}
