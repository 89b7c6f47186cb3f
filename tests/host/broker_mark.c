/* broker_mark.c - a price that waits: who asks seldom is told what who asks always is. */
#include "trade/broker.h"

#include "broker_rig.h"
#include "random.h"
#include "trade/broker_parts.h"

struct seen { unsigned waited, ruined, differed, wrong; };

static void one_quote(struct rig *g, uint32_t symbol, int64_t time_ns, int64_t bid)
{
    struct tw_record r = { .seq = ++g->seq, .kind = TW_QUOTE, .symbol = symbol,
                           .time = time_ns };

    r.quote = (struct tw_quote){ bid, bid + ONE / 100, 100000 * ONE, 100000 * ONE };
    tw_broker_record(g->b, &r);
    told(g);
}

static void compare(struct rig *always, struct rig *seldom, struct seen *s)
{
    struct tw_account *a = tw_broker_account(always->b);
    struct tw_account *b = tw_broker_account(seldom->b);
    const struct tw_position *p = tw_account_find(a, 1), *q = tw_account_find(b, 1);

    s->differed += tw_account_equity(a) != tw_account_equity(b)
        || tw_account_free_cash(a) != tw_account_free_cash(b)
        || tw_account_unrealised(a) != tw_account_unrealised(b)
        || tw_account_all_cash(a) != tw_account_all_cash(b)
        || (p && (p->mark != q->mark || p->worth != q->worth));
}

/* Prices that jump, of one instrument, and now and then of another; an order from time to
 * time; days end.  K1, K2 */
static struct seen run(int64_t multiplier, int64_t margin)
{
    struct rig *always = open_rig((struct tw_broker_options){ .script = 3 });
    struct rig *seldom = open_rig((struct tw_broker_options){ .script = 3 });
    struct rig *both[] = { always, seldom };
    struct seen s = { 0 };
    int64_t price[3] = { 0, 20 * ONE, 30 * ONE };

    for (int i = 0; i < 2; i++) {
        both[i]->terms.multiplier = multiplier;
        both[i]->terms.margin = margin;
        both[i]->terms.settles_daily = margin > 0;
    }
    for (int64_t second = 1; second < 60000; second++) {
        uint32_t symbol = next() % 40 == 0 ? 2 : 1;
        int64_t step = (int64_t)(next() % 21 - 10) * (ONE / 100);
        bool orders = next() % 60 == 0, buys = next() % 2;
        int64_t quantity = (int64_t)(next() % 900 + 1);

        if (next() % 300 == 0) step *= 100;
        if (price[symbol] + step > ONE) price[symbol] += step;
        for (int i = 0; i < 2; i++) {
            one_quote(both[i], symbol, second * 90 * ONE, price[symbol]);
            if (!orders) continue;
            submit(both[i], (struct tw_order){ .symbol = symbol, .quantity = quantity,
                       .side = buys ? TW_SIDE_BUY : TW_SIDE_SELL });
            told(both[i]);
        }
        s.waited += seldom->b->late.waits;
        s.ruined += tw_account_equity(tw_broker_account(always->b)) <= 0;
        s.wrong += tw_broker_is_solvent(seldom->b)
                   != (tw_account_equity(tw_broker_account(always->b)) > 0);
        if (next() % 50 == 0) compare(always, seldom, &s);
    }
    close_rig(always);
    close_rig(seldom);
    return s;
}

static void check(const char *what, int64_t multiplier, int64_t margin, bool waits)
{
    struct seen s = run(multiplier, margin);

    ok(s.differed == 0, "%s: the same account (%u)", what, s.differed);
    ok(s.wrong == 0, "%s: as solvent (%u)", what, s.wrong);
    ok(s.ruined > 100 && s.ruined < 59000, "%s: or not (%u)", what, s.ruined);
    ok(waits == (s.waited > 1000), "%s: prices %s (%u)", what, waits ? "wait" : "don't",
       s.waited);
}

/* Futures are settled behind midnight, at the last price of the day before. */
static void days(void)
{
    const int64_t midnight = 86400 * ONE;
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    tw_money made, cash;

    g->terms.margin = 50 * ONE;
    g->terms.settles_daily = true;
    for (uint32_t symbol = 1; symbol <= 2; symbol++) {
        one_quote(g, symbol, ONE, 20 * ONE - ONE / 100);
        submit(g, (struct tw_order){ .symbol = symbol, .quantity = 10 });
        for (int i = 0; i < 2; i++) one_quote(g, symbol, 2 * ONE, 20 * ONE - ONE / 100);
    }
    cash = tw_account_all_cash(tw_broker_account(g->b));
    for (uint32_t symbol = 1; symbol <= 2; symbol++)
        one_quote(g, symbol, midnight, 23 * ONE - ONE / 200);
    ok(tw_account_all_cash(tw_broker_account(g->b)) == cash
       && tw_broker_day(g->b, &made) == midnight, "midnight is of the day that ends");
    one_quote(g, 1, midnight + 1, 30 * ONE);
    ok(tw_account_all_cash(tw_broker_account(g->b)) == cash + 60 * ONE
       && tw_broker_day(g->b, &made) == 2 * midnight && made == 60 * ONE,
       "what follows is not: both are settled");
    close_rig(g);
    g = open_rig((struct tw_broker_options){ 0 });
    one_quote(g, 1, midnight, 20 * ONE);
    ok(tw_broker_day(g->b, &made) == midnight, "and where nothing came before it");
    close_rig(g);
}

int main(void)
{
    days();
    check("shares", 0, 0, true);
    check("a future", 2 * ONE, 50 * ONE, true);
    check("parts of 1", 3 * ONE / 2, 0, false);
    return tap_done();
}
