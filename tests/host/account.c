/* account.c - the books: invariants after random trades, and figures by hand. */
#include "trade/account.h"

#include <string.h>

#include "base/memory.h"
#include "random.h"
#include "tap.h"
#include "trade/fees.h"

#define ONE TW_FIXED_ONE

/* Random trades, marks and settlements of three instruments in two currencies. */
static void random_trades(void)
{
    struct tw_account *a = tw_account_new("USD");
    struct tw_terms terms[] = {
        { .currency = 0 },
        { .currency = 1, .multiplier = 7 * ONE / 2 },
        { .currency = 1, .multiplier = 50 * ONE, .margin = 1000 * ONE,
          .settles_daily = true },
    };
    struct tw_position *p[3];
    tw_money cash = 0, spent = 0;
    unsigned off = 0, moved = 0;

    ok(tw_account_currency(a, "EUR") == 1 && tw_account_currency(a, "USD") == 0,
       "currencies have ids");
    tw_account_set_rate(a, 1, ONE + ONE / 4);
    tw_account_deposit(a, 0, 1000 * (tw_money)ONE);
    for (uint32_t i = 0; i < 3; i++) p[i] = tw_account_position(a, i + 1, &terms[i]);
    for (unsigned i = 0; i < 200000; i++) {
        unsigned k = (unsigned)(next() % 3);
        int64_t price = (int64_t)(next() % 200) * 12345678 + ONE;
        int64_t quantity = ((int64_t)(next() % 2001) - 1000) * 1234567;
        tw_money fee = (tw_money)(next() % 1000000);

        if (next() % 10 == 0) tw_account_mark(a, p[k], price);
        else if (next() % 10 == 0) tw_account_settle(a, p[k]);
        else if (quantity != 0) {
            tw_account_trade(a, p[k], price, quantity, fee);
            if (k == 0) cash -= tw_money_value(price, quantity) + fee;
            if (k == 0) spent += fee;
        }
        /* A3, in a rate that has no rounding */
        if (i % 100 == 0) {
            tw_money gained = tw_account_realised(a) + tw_account_unrealised(a)
                            - tw_account_fees(a);
            tw_money made = tw_account_equity(a) - tw_account_deposits(a);

            off += gained - made > 8 || made - gained > 8;
        }
        moved += p[0]->quantity < 0;
    }
    ok(tw_account_cash(a, 0) == cash + 1000 * (tw_money)ONE, "A1: cash is the sum");
    ok(p[0]->fees == spent, "and so are the fees");
    ok(off == 0, "A3: what was gained is what there is more (%u)", off);
    ok(moved > 1000, "long and short");
    tw_account_free(a);
}

static void by_hand(void)
{
    struct tw_account *a = tw_account_new("USD");
    struct tw_position *p = tw_account_position(a, 1, NULL);

    tw_account_deposit(a, 0, 10000 * (tw_money)ONE);
    tw_account_trade(a, p, 10 * ONE, 100 * ONE, ONE);
    tw_account_trade(a, p, 12 * ONE, 100 * ONE, ONE);
    ok(tw_position_price(p) == 11 * ONE && tw_account_cash(a, 0) == 7798 * (tw_money)ONE,
       "two buys: price and cash");
    tw_account_trade(a, p, 13 * ONE, -50 * ONE, ONE);
    ok(p->realised == 100 * (tw_money)ONE && tw_position_price(p) == 11 * ONE
       && tw_position_unrealised(p) == 300 * (tw_money)ONE, "a part is sold");
    tw_account_trade(a, p, 9 * ONE, -250 * ONE, 0);
    ok(p->quantity == -100 * ONE && p->realised == -200 * (tw_money)ONE
       && tw_position_price(p) == 9 * ONE, "through to short");
    tw_account_mark(a, p, 8 * ONE);
    ok(tw_position_unrealised(p) == 100 * (tw_money)ONE
       && tw_account_equity(a) == 9897 * (tw_money)ONE, "short gains when it falls");
    tw_account_trade(a, p, 8 * ONE, 100 * ONE, 0);
    ok(p->quantity == 0 && p->cost == 0 && tw_account_cash(a, 0) == 9897 * (tw_money)ONE
       && tw_account_equity(a) == 9897 * (tw_money)ONE, "flat");
    ok(tw_account_traded(a) == 5900 * (tw_money)ONE, "the value of all trades");
    tw_account_free(a);
}

/* A future with a multiplier of 10 and a margin of 1000. */
static void future(void)
{
    struct tw_account *a = tw_account_new("USD");
    struct tw_terms terms = { .multiplier = 10 * ONE, .margin = 1000 * ONE,
                              .settles_daily = true };
    struct tw_position *p = tw_account_position(a, 1, &terms);

    tw_account_deposit(a, 0, 10000 * (tw_money)ONE);
    tw_account_trade(a, p, 100 * ONE, ONE, 2 * ONE);
    ok(tw_account_cash(a, 0) == 9998 * (tw_money)ONE
       && tw_account_margin(a) == 1000 * (tw_money)ONE, "a future costs its fee");
    tw_account_mark(a, p, 103 * ONE);
    ok(tw_account_equity(a) == 10028 * (tw_money)ONE
       && tw_account_cash(a, 0) == 9998 * (tw_money)ONE, "a gain before the day's end");
    tw_account_settle(a, p);
    ok(tw_account_cash(a, 0) == 10028 * (tw_money)ONE && p->realised == 30 * (tw_money)ONE
       && tw_account_unrealised(a) == 0, "is paid then");
    tw_account_trade(a, p, 102 * ONE, -ONE, 2 * ONE);
    ok(tw_account_cash(a, 0) == 10016 * (tw_money)ONE
       && p->realised == 20 * (tw_money)ONE && tw_account_margin(a) == 0, "and closed");
    tw_account_trade(a, p, 100 * ONE, 2 * ONE, 0);
    tw_account_mark(a, p, 103 * ONE);
    tw_account_settle(a, p);
    tw_account_trade(a, p, 104 * ONE, -ONE, 0);
    ok(p->realised == 90 * (tw_money)ONE
       && tw_position_unrealised(p) == 10 * (tw_money)ONE
       && tw_account_equity(a) == 10096 * (tw_money)ONE, "of the next, a half");
    tw_account_trade(a, p, 104 * ONE, -ONE, 0);
    ok(p->realised == 100 * (tw_money)ONE && p->settled == 0
       && tw_account_cash(a, 0) == 10096 * (tw_money)ONE, "and all of it");
    tw_account_free(a);
}

static tw_money charged(const struct tw_fees *f, int64_t price, const int64_t *quantity,
                        enum tw_liquidity liquidity, tw_money traded)
{
    struct tw_order o = { .quantity = 1000000 * ONE, .status = TW_STATUS_NEW,
                          .side = TW_SIDE_BUY };

    for (; *quantity; quantity++) {
        struct tw_report r = { .exec = TW_EXEC_TRADE, .last_px = price,
                               .last_qty = *quantity * ONE,
                               .liquidity = (uint8_t)liquidity };

        tw_fees_charge(f, &o, traded, &r);
        tw_order_apply(&o, &r);
    }
    return o.fees;
}

static void fees(void)
{
    const int64_t once[] = { 697, 0 }, parts[] = { 100, 200, 50, 0 }, few[] = { 10, 0 };
    struct tw_fees lean = { .per_share = 5000000, .minimum = ONE };
    struct tw_fees capped = { .per_share = 5000000, .minimum = ONE,
                              .maximum = ONE / 100 };
    struct tw_fees flat = { .per_order = 2 * ONE, .percent = ONE / 1000 };
    struct tw_fees maker = { .maker = -ONE / 10000, .taker = ONE / 1000 };
    struct tw_fees tiers = { .percent = ONE / 100, .tiers = 2,
        .tier = { { 1000 * (tw_money)ONE, ONE / 200, 0, 0 },
                  { 5000 * (tw_money)ONE, ONE / 500, 0, 0 } } };

    ok(charged(NULL, ONE, once, 0, 0) == 0, "no fees");
    ok(charged(&lean, 150 * ONE, once, 0, 0) == 3485000000, "697 shares at 0.005");
    ok(charged(&lean, 150 * ONE, parts, 0, 0) == 1750000000,
       "a minimum is paid once: three trades of an order");
    ok(charged(&lean, 150 * ONE, few, 0, 0) == ONE, "the minimum");
    ok(charged(&capped, ONE / 2, few, 0, 0) == ONE / 20
       && charged(&capped, ONE / 10, once, 0, 0) == 697 * ONE / 1000,
       "at most a part of the value");
    ok(charged(&capped, ONE / 10, parts, 0, 0) == 350 * ONE / 1000, "of all its trades");
    ok(charged(&flat, 10 * ONE, parts, 0, 0) == 5500000000, "once, and 0.1 %%");
    ok(charged(&maker, 10 * ONE, few, TW_LIQUIDITY_ADDED, 0) == -10000000
       && charged(&maker, 10 * ONE, few, TW_LIQUIDITY_REMOVED, 0) == 100000000,
       "maker and taker");
    ok(charged(&flat, -10 * ONE, parts, 0, 0) == 5500000000
       && charged(&capped, -ONE / 2, few, 0, 0) == ONE / 20, "below 0 it costs the same");
    ok(charged(&tiers, 10 * ONE, few, 0, 0) == ONE
       && charged(&tiers, 10 * ONE, few, 0, 1000 * (tw_money)ONE) == ONE / 2
       && charged(&tiers, 10 * ONE, few, 0, 6000 * (tw_money)ONE) == ONE / 5, "tiers");
}

/* But for what is rounded. */
static bool is_near(tw_money a, tw_money b)
{
    return a - b <= 40 && b - a <= 40;
}

/* Where a trade is taken back at once all is as before; the sums are right whenever it
 * was. */
static void taken_back(void)
{
    struct tw_account *a = tw_account_new("USD");
    struct tw_terms terms[] = {
        { .currency = 0 },
        { .currency = 0, .multiplier = 50 * ONE, .margin = 1000 * ONE },
        { .currency = 0, .multiplier = 2 * ONE, .margin = ONE, .settles_daily = true },
    };
    struct { unsigned k; int64_t price, quantity; } past[16] = { { 0, 0, 0 } };
    unsigned other = 0, off = 0, n = 0;

    for (unsigned i = 0; i < 100000; i++) {
        unsigned k = (unsigned)(next() % 3), which = (unsigned)(next() % 16);
        struct tw_position *p = tw_account_position(a, k + 1, &terms[k]), was = *p;
        struct tw_sums sums = tw_account_sums(a, 0), now;
        int64_t price = (int64_t)(next() % 200) * ONE + ONE;
        int64_t quantity = ((int64_t)(next() % 41) - 20) * ONE;
        tw_money all;

        if (quantity == 0) continue;
        if (next() % 8 == 0) tw_account_settle(a, p);
        if (next() % 8 == 0 && past[which].quantity) {
            k = past[which].k;
            p = tw_account_position(a, k + 1, NULL);
            tw_account_take_back(a, p, past[which].price, past[which].quantity, -1);
            past[which].quantity = 0;
        } else if (next() % 3 == 0) {
            was = *p;
            sums = tw_account_sums(a, 0);
            all = was.realised - was.cost - was.settled;
            tw_account_trade(a, p, price, quantity, 5);
            tw_account_take_back(a, p, price, quantity, -5);
            now = tw_account_sums(a, 0);
            other += p->quantity != was.quantity || p->fees != was.fees
                  || p->trades != was.trades || now.traded != sums.traded
                  || p->realised - p->cost - p->settled != all
                  || !is_near(p->cost, was.cost) || !is_near(p->settled, was.settled)
                  || !is_near(p->realised, was.realised)
                  || !is_near(now.cash, sums.cash);
        } else {
            tw_account_trade(a, p, price, quantity, 1);
            past[n % 16].k = k;
            past[n % 16].price = price;
            past[n++ % 16].quantity = quantity;
        }
        all = tw_account_realised(a) + tw_account_unrealised(a) - tw_account_fees(a);
        off += tw_account_equity(a) != all;
    }
    ok(other == 0, "a trade that is taken back leaves nothing (%u)", other);
    ok(off == 0, "what was gained is what there is (%u)", off);
    tw_account_free(a);
}

/* A buy, and a sale of a part; the market's price stays. */
static void taken_back_by_hand(void)
{
    struct tw_account *a = tw_account_new("USD");
    struct tw_position *p = tw_account_position(a, 1, NULL);

    tw_account_trade(a, p, 10 * ONE, 5 * ONE, 0);
    tw_account_trade(a, p, 12 * ONE, 5 * ONE, 0);
    tw_account_take_back(a, p, 12 * ONE, 5 * ONE, 0);
    ok(tw_position_price(p) == 10 * ONE && p->realised == 0 && p->trades == 1,
       "what is left has cost what it had");
    tw_account_trade(a, p, 13 * ONE, -4 * ONE, 0);
    tw_account_mark(a, p, 14 * ONE);
    tw_account_take_back(a, p, 13 * ONE, -4 * ONE, 0);
    ok(tw_position_price(p) == 10 * ONE && p->realised == 0 && p->mark == 14 * ONE
       && tw_account_equity(a) == 20 * (tw_money)ONE, "what was not sold, too");
    tw_account_trade(a, p, 14 * ONE, -5 * ONE, 0);
    ok(p->quantity == 0 && p->realised == 20 * (tw_money)ONE, "all of it is sold");
    tw_account_take_back(a, p, 14 * ONE, -5 * ONE, 0);
    ok(tw_position_price(p) == 10 * ONE && p->realised == 0,
       "and that was not: it has cost what it had");
    tw_account_trade(a, p, 14 * ONE, -5 * ONE, 0);
    tw_account_take_back(a, p, 10 * ONE, 5 * ONE, 0);
    ok(p->quantity == -5 * ONE && tw_position_price(p) == 14 * ONE && p->realised == 0,
       "it was sold, but had not been bought: it is short from there");
    tw_account_free(a);
}

/* What is taken back is given back: of all that was charged, its part. */
static void fees_back(void)
{
    const struct tw_fees f = { .per_share = ONE / 100, .minimum = 5 * ONE };
    struct tw_order o = { .quantity = 100 * ONE, .cum_qty = 40 * ONE, .fees = 5 * ONE,
                          .raw_fees = 4 * ONE / 10 };
    struct tw_report r = { .exec = TW_EXEC_TRADE_CANCELED, .last_px = 10 * ONE,
                           .last_qty = 10 * ONE };

    tw_fees_charge(&f, &o, 0, &r);
    ok(r.fee == -5 * ONE / 4 && r.raw_fee == -ONE / 10, "a trade that is taken back");
}

/* Some trades of an order are charged by the venue, some are not: neither changes what
 * the other costs, nor what it gives back. */
static void fees_of_both(void)
{
    const struct tw_fees f = { .percent = ONE / 1000, .minimum = ONE / 10 };
    struct tw_terms terms = { .multiplier = 50 * ONE };
    struct tw_order o = { .quantity = 100 * ONE, .terms = &terms, .status = '0' };
    struct tw_report r = { .exec = TW_EXEC_TRADE, .last_px = -10 * ONE,
                           .last_qty = 4 * ONE, .is_charged = true,
                           .charge = { .own = ONE / 2, .ratio = ONE / 100 } };

    tw_fees_charge(&f, &o, 0, &r);
    ok(r.fee == ONE / 2 + 20 * ONE, "a part of the value has the multiplier");
    tw_order_apply(&o, &r);
    r.is_charged = false;
    r.last_px = 10 * ONE;
    r.last_qty = 6 * ONE;
    tw_fees_charge(&f, &o, 0, &r);
    ok(r.fee == 3 * ONE, "the next one costs what the account says");
    tw_order_apply(&o, &r);
    ok(tw_order_fees(&o) == 47 * ONE / 2, "both are the order's");
    r.exec = TW_EXEC_TRADE_CANCELED;
    tw_fees_charge(&f, &o, 0, &r);
    ok(r.fee == -3 * ONE && !r.is_charged, "which is taken back");
    tw_order_apply(&o, &r);
    r.last_qty = 4 * ONE;
    tw_fees_charge(&f, &o, 0, &r);
    ok(r.fee == -41 * ONE / 2, "and what nobody says, to the last");
    tw_order_apply(&o, &r);
    ok(tw_order_fees(&o) == 0, "nothing is left");
    r.is_charged = false;
    tw_fees_charge(&f, &o, 0, &r);
    ok(r.fee == 0, "of nothing there is nothing to give back");
}

/* What is whole is multiplied, the rest divided: the same worth; short is held twice. */
static void marks(void)
{
    static const int64_t multiplier[] = { 0, ONE, 50 * ONE, 7 * ONE / 2 };
    static const int64_t quantity[] = { 3, -3, ONE, -7 * ONE, 12345 * ONE, 5 * ONE / 2,
                                        INT64_MAX / ONE * ONE };
    static const int64_t price[] = { 1, 30 * ONE, -2 * ONE, 9000000000 * ONE, ONE / 3 };
    unsigned off = 0, whole = 0;

    for (unsigned i = 0; i < 4 * 7; i++) {
        struct tw_terms terms = { .multiplier = multiplier[i % 4] };
        struct tw_account *a = tw_account_new("USD");
        struct tw_position *p = tw_account_position(a, 1, &terms);
        tw_money cash;

        tw_account_trade(a, p, ONE, quantity[i / 4], 0);
        cash = tw_account_cash(a, 0);
        whole += p->each != 0;
        for (unsigned k = 0; k < 5; k++) {
            tw_money worth = tw_terms_value(&terms, price[k], quantity[i / 4]);

            tw_account_mark(a, p, price[k]);
            off += p->worth != worth || tw_account_equity(a) != cash + worth
                || tw_account_unrealised(a) != tw_position_unrealised(p)
                || tw_account_free_cash(a) != cash + 2 * (worth < 0 ? worth : 0);
        }
        tw_account_free(a);
    }
    ok(off == 0, "worth at any price (%u)", off);
    ok(whole == 12, "some of them by a product (%u)", whole);
}

/* Of two currencies, with a future that does not settle daily: 100 USD each, 1 EUR is
 * 1.25 USD. */
static void in_all(void)
{
    struct tw_account *a = tw_account_new("USD"), *copy;
    struct tw_terms future = { .multiplier = 10 * ONE, .margin = 30 * ONE };
    struct tw_terms share = { .currency = 1 };
    struct tw_position *p, *q, was;
    struct tw_sums sums;

    tw_account_currency(a, "EUR");
    tw_account_set_rate(a, 0, 2 * ONE);               /* the base costs 1 */
    tw_account_set_rate(a, 1, ONE + ONE / 4);
    tw_account_deposit(a, 0, 100 * (tw_money)ONE);
    tw_account_deposit(a, 1, 80 * (tw_money)ONE);
    p = tw_account_position(a, 1, &future);
    q = tw_account_position(a, 2, &share);
    ok(tw_account_all_cash(a) == 200 * (tw_money)ONE && tw_account_rate(a, 0) == ONE,
       "cash of two currencies");
    tw_account_trade(a, p, 10 * ONE, 2 * ONE, 0);
    tw_account_mark(a, p, 9 * ONE);
    tw_account_settle(a, p);
    ok(p->settled == 0 && p->realised == 0
       && tw_account_all_cash(a) == 200 * (tw_money)ONE,
       "what does not settle daily is paid when it is closed");
    ok(tw_account_free_cash(a) == (200 - 20 - 60) * (tw_money)ONE,
       "what is lost, and margin, is not free");
    tw_account_trade(a, q, 8 * ONE, -4 * ONE, 0);
    ok(tw_account_free_cash(a) == (240 - 20 - 60 - 2 * 40) * (tw_money)ONE,
       "nor is what was got for what is short, twice");
    tw_account_mark(a, q, 43 * ONE);
    ok(tw_account_is_solvent(a) && tw_account_equity(a) == 5 * (tw_money)ONE, "solvent");
    tw_account_mark(a, q, 44 * ONE);
    ok(!tw_account_is_solvent(a) && tw_account_equity(a) == 0, "and not any more");
    copy = tw_account_copy(a, NULL, NULL);
    ok(tw_account_find(copy, 1)->terms == NULL, "a copy has other terms");
    tw_account_free(copy);
    sums = tw_account_sums(a, 0);
    was = *p;
    tw_account_free(a);
    a = tw_account_new("USD");
    p = tw_account_position(a, 7, &future);
    tw_account_trade(a, p, ONE, ONE, 0);
    tw_account_set_sums(a, 0, &sums);
    tw_account_set_position(a, p, &was);
    ok(tw_account_deposits(a) == 100 * (tw_money)ONE
       && tw_account_margin(a) == 60 * (tw_money)ONE
       && tw_account_equity(a) == 80 * (tw_money)ONE, "of a former run, over another");
    tw_account_trade(a, tw_account_position(a, 8, NULL), 10 * ONE, 9 * ONE, 0);
    tw_account_mark(a, p, 11 * ONE / 2);
    ok(tw_account_is_solvent(a) && tw_account_all_cash(a) == 10 * (tw_money)ONE,
       "of one currency: by what is held, too");
    tw_account_mark(a, p, 5 * ONE);
    ok(!tw_account_is_solvent(a), "and by what was lost");
    tw_account_free(a);
}

/* The trade itself was of a former run. */
static void taken_back_unseen(void)
{
    struct tw_account *a = tw_account_new("USD");
    struct tw_position *p = tw_account_position(a, 1, NULL);

    tw_account_take_back(a, p, 10 * ONE, 5 * ONE, 0);
    ok(p->quantity == -5 * ONE && p->trades == 0 && p->mark == 10 * ONE
       && tw_account_equity(a) == 0 && tw_account_unrealised(a) == 0,
       "what was never seen is valued at its own price");
    tw_account_free(a);
}

static void without_memory(void)
{
    unsigned refused = 0;

    for (uint64_t n = 1; n < 12; n++) {
        struct tw_account *a;

        tw_memory_fail_at(n);
        a = tw_account_new("USD");
        for (uint32_t i = 1; a && i < 100; i++)
            if (!tw_account_position(a, i, NULL)) {
                refused++;
                if (!tw_account_position(a, i, NULL)) refused += 100;
            }
        refused += !a;
        tw_memory_fail_at(0);
        tw_account_free(a);
    }
    ok(refused == 11, "no memory is said, and no harm (%u)", refused);
}

int main(void)
{
    random_trades();
    by_hand();
    future();
    fees();
    fees_back();
    fees_of_both();
    taken_back();
    taken_back_by_hand();
    taken_back_unseen();
    marks();
    in_all();
    without_memory();
    return tap_done();
}
