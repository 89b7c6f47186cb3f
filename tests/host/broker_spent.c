/* broker_spent.c - a broker tells when more was bought than there was cash for, and only
 * then: 100,000 are there, and the market is at 100. */
#include "broker_rig.h"

/* A quote of symbol 2, at 100 as well. */
static void other_quote(struct rig *g, int64_t second)
{
    struct tw_record r = { .seq = ++g->seq, .kind = TW_QUOTE, .symbol = 2,
                           .time = second * ONE };

    r.quote = (struct tw_quote){ 100 * ONE, 100 * ONE, 9000 * ONE, 9000 * ONE };
    tw_broker_record(g->b, &r);
}

/* Trades so many, below 0: sells, at 100 in that second. */
static void trade(struct rig *g, int64_t second, int64_t quantity)
{
    submit(g, (struct tw_order){ .quantity = quantity < 0 ? -quantity : quantity,
                                 .side = quantity < 0 ? TW_SIDE_SELL : TW_SIDE_BUY });
    quote(g, second, 10000, 10000, 9000);
    told(g);
}

static bool is_short_of(const struct rig *g, int64_t most, int64_t second)
{
    struct tw_overdraft o = tw_broker_overdraft(g->b);

    if (o.most == most * (tw_money)ONE && (most == 0 || o.since_ns == second * ONE))
        return true;
    printf("# %lld since %lld\n", (long long)(o.most / ONE),
           (long long)(o.since_ns / ONE));
    return false;
}

static struct rig *begin(struct tw_broker_options o)
{
    struct rig *g = open_rig(o);

    quote(g, 1, 10000, 10000, 9000);
    other_quote(g, 1);
    return g;
}

static void what_was_bought(void)
{
    struct rig *g = begin((struct tw_broker_options){ .currency = "USD" });

    trade(g, 2, 1000);
    ok(is_short_of(g, 0, 0), "all of the cash is no more than there is");
    trade(g, 3, 10);
    ok(is_short_of(g, 1000, 3), "what is bought beyond it is told");
    trade(g, 4, 500);
    trade(g, 5, -1000);
    trade(g, 6, 600);
    ok(is_short_of(g, 51000, 3), "how much it was at most, and the first time");
    close_rig(g);

    g = begin((struct tw_broker_options){ .limits = { .buying_power = true } });
    trade(g, 2, 1001);
    ok(is_short_of(g, 0, 0), "never where that is refused");
    close_rig(g);
}

static void what_was_not(void)
{
    struct rig *g = begin((struct tw_broker_options){ .currency = "USD" });

    trade(g, 2, -3000);
    trade(g, 3, 2000);
    ok(is_short_of(g, 0, 0), "a short position brings cash");
    quote(g, 4, 50000, 50000, 9000);
    submit(g, (struct tw_order){ .quantity = 1000 });
    quote(g, 5, 50000, 50000, 9000);
    ok(tw_account_cash(tw_broker_account(g->b), 0) < 0 && is_short_of(g, 0, 0),
       "and buying it back is a loss");
    close_rig(g);

    g = begin((struct tw_broker_options){ .currency = "USD" });
    g->terms.margin = 10 * ONE;
    trade(g, 2, 5000);
    ok(is_short_of(g, 0, 0), "what is on margin needs no more");
    close_rig(g);

    g = begin((struct tw_broker_options){ .currency = "USD" });
    g->terms.currency = (uint32_t)tw_account_currency(tw_broker_account(g->b), "EUR");
    tw_account_set_rate(tw_broker_account(g->b), g->terms.currency, 2 * ONE);
    trade(g, 2, 500);
    ok(tw_account_cash(tw_broker_account(g->b), g->terms.currency) < 0
       && is_short_of(g, 0, 0), "another currency is bought with one's own");
    trade(g, 3, 1);
    ok(is_short_of(g, 200, 3), "as far as that goes");
    close_rig(g);

    g = begin((struct tw_broker_options){ .currency = "USD" });
    tw_account_deposit(tw_broker_account(g->b), 0, -100000 * (tw_money)ONE);
    trade(g, 2, 1);
    ok(is_short_of(g, 0, 0), "without any cash none is counted");
    close_rig(g);
}

/* What is sold and what is bought for it trade as their records come. */
static void at_one_time(void)
{
    struct rig *g = begin((struct tw_broker_options){ .currency = "USD" });

    trade(g, 2, 1000);
    submit(g, (struct tw_order){ .quantity = 900, .symbol = 2 });
    submit(g, (struct tw_order){ .quantity = 1000, .side = TW_SIDE_SELL });
    other_quote(g, 3);
    ok(is_short_of(g, 90000, 3), "bought before the sale that pays for it");
    quote(g, 3, 10000, 10000, 9000);
    ok(is_short_of(g, 0, 0), "which comes at the same time");
    trade(g, 4, 200);
    trade(g, 5, -200);
    ok(is_short_of(g, 10000, 4), "a later one does not make it undone");
    close_rig(g);
}

int main(void)
{
    what_was_bought();
    what_was_not();
    at_one_time();
    return tap_done();
}
