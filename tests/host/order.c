/* order.c - every report in every status: what may happen to an order. */
#include "trade/order.h"

#include <string.h>

#include "tap.h"
#include "trade/terms.h"

static const char execs[] = "A08F4C365E9";
static const char statuses[] = { 0, 'A', '0', '1', '2', '3', '4', '8', 'C' };

/* What each report makes of each status; '.' is refused, '=' leaves it.  An order of 10
 * of which 4 are filled where it is partially filled; a trade is of 6. */
static const char *const becomes[] = {
    /*             A 0 8 F 4 C 3 6 5 E 9 */
    /* none */    "A..........",
    /* A    */    ".081" "4C3===" "=",
    /* 0    */    "...1" "4C3===" "=",
    /* 1    */    "...2" "4C3===" "=",
    /* 2    */    "......" "...." "=",
    /* 3    */    "......" "...." "=",
    /* 4    */    "......" "...." "=",
    /* 8    */    "......" "...." "=",
    /* C    */    "......" "...." "=",
};

static struct tw_order order_in(char status)
{
    struct tw_order o = { .id = 1, .quantity = 10 * TW_FIXED_ONE, .side = TW_SIDE_BUY,
                          .status = (uint8_t)status };

    if (status == '1') o.cum_qty = 4 * TW_FIXED_ONE;
    if (status == '2') o.cum_qty = o.quantity;
    return o;
}

static void changes(void)
{
    for (size_t i = 0; i < sizeof statuses; i++)
        for (size_t k = 0; execs[k]; k++) {
            char want = becomes[i][k], from = statuses[i];
            struct tw_order o = order_in(from), before = o;
            struct tw_report r = { .exec = (uint8_t)execs[k], .last_px = TW_FIXED_ONE,
                                   .last_qty = 6 * TW_FIXED_ONE,
                                   .quantity = 20 * TW_FIXED_ONE, .price = 5 };
            bool done = tw_order_apply(&o, &r);
            char now = want == '=' || want == '.' ? from : want;

            ok(done == (want != '.') && o.status == now
               && (done || memcmp(&o, &before, sizeof o) == 0),
               "%s, %c: %s", tw_order_status_text((enum tw_order_status)from), execs[k],
               want == '.' ? "refused" : tw_order_status_text((enum tw_order_status)now));
        }
}

static bool apply(struct tw_order *o, struct tw_report r)
{
    return tw_order_apply(o, &r);
}

static void numbers(void)
{
    struct tw_order o = order_in('0');

    ok(!apply(&o, (struct tw_report){ .exec = 'F', .last_qty = 11 * TW_FIXED_ONE })
       && !apply(&o, (struct tw_report){ .exec = 'F' })
       && !apply(&o, (struct tw_report){ .exec = 'F', .last_qty = -1 }),
       "a trade of more than is left, of nothing, of less");
    ok(!apply(&o, (struct tw_report){ .exec = '5' }), "nor is it replaced by nothing");
    apply(&o, (struct tw_report){ .exec = 'F', .last_qty = 4 * TW_FIXED_ONE,
                                  .last_px = 3 * TW_FIXED_ONE, .fee = 7 });
    apply(&o, (struct tw_report){ .exec = 'F', .last_qty = 2 * TW_FIXED_ONE,
                                  .last_px = 6 * TW_FIXED_ONE, .fee = 7 });
    ok(tw_order_avg_px(&o) == 4 * TW_FIXED_ONE && tw_order_leaves(&o) == 4 * TW_FIXED_ONE
       && o.fees == 14, "average price, leaves, fees");
    apply(&o, (struct tw_report){ .exec = '6' });
    ok(tw_order_status(&o) == TW_STATUS_PENDING_CANCEL, "pending cancel is told first");
    ok(!apply(&o, (struct tw_report){ .exec = '5', .quantity = 5 * TW_FIXED_ONE }),
       "no replacement below what is filled");
    apply(&o, (struct tw_report){ .exec = '9', .of_change = true });
    ok(tw_order_status(&o) == TW_STATUS_PENDING_CANCEL, "a change is rejected");
    apply(&o, (struct tw_report){ .exec = '9' });
    ok(tw_order_status(&o) == TW_STATUS_PARTIALLY_FILLED, "the cancel is rejected");
    apply(&o, (struct tw_report){ .exec = 'E' });
    ok(tw_order_status(&o) == TW_STATUS_PENDING_REPLACE, "pending replace");
    apply(&o, (struct tw_report){ .exec = '5', .quantity = 8 * TW_FIXED_ONE });
    ok(tw_order_status(&o) == TW_STATUS_PARTIALLY_FILLED
       && o.quantity == 8 * TW_FIXED_ONE, "it is replaced");
    apply(&o, (struct tw_report){ .exec = 'E' });
    ok(apply(&o, (struct tw_report){ .exec = '5', .quantity = 6 * TW_FIXED_ONE })
       && o.status == TW_STATUS_FILLED && !o.pending_replace && tw_order_leaves(&o) == 0,
       "a replacement to what is filled fills it");
    ok(!apply(&o, (struct tw_report){ .exec = 'F', .late = '2' })
       && !apply(&o, (struct tw_report){ .exec = 'F', .late = '2', .last_qty = -1 })
       && o.cum_qty == 6 * TW_FIXED_ONE, "nor is a late trade of nothing, or less");
    ok(apply(&o, (struct tw_report){ .exec = 'F', .late = '2',
            .last_px = 7 * TW_FIXED_ONE, .last_qty = 4 * TW_FIXED_ONE })
       && o.cum_qty == 10 * TW_FIXED_ONE && tw_order_avg_px(&o) == 52 * TW_FIXED_ONE / 10
       && apply(&o, (struct tw_report){ .exec = 'H', .late = '2',
            .last_px = 7 * TW_FIXED_ONE, .last_qty = 4 * TW_FIXED_ONE })
       && o.cum_qty == 6 * TW_FIXED_ONE && tw_order_avg_px(&o) == 4 * TW_FIXED_ONE,
       "a late one counts, and when it is taken back does not");
}

/* What is taken back of an open one is as if it had never been; what the venue has
 * charged itself is counted apart, and never more than has traded, nor below 0. */
static void taken_back(void)
{
    struct tw_order o = order_in('0');
    struct tw_report part = { .exec = 'F', .last_px = 3 * TW_FIXED_ONE,
                              .last_qty = 4 * TW_FIXED_ONE, .is_charged = true };
    struct tw_report back = { .exec = 'H', .last_px = 6 * TW_FIXED_ONE,
                              .last_qty = 2 * TW_FIXED_ONE, .is_charged = true };

    apply(&o, part);
    apply(&o, (struct tw_report){ .exec = 'F', .last_qty = 2 * TW_FIXED_ONE,
                                  .last_px = 6 * TW_FIXED_ONE });
    ok(!apply(&o, (struct tw_report){ .exec = 'F', .last_qty = 5 * TW_FIXED_ONE }),
       "no trade of more than is left of one that has traded");
    ok(apply(&o, back) && tw_order_avg_px(&o) == 3 * TW_FIXED_ONE
       && o.charged_qty == 2 * TW_FIXED_ONE, "a trade is taken back");
    back.last_px = back.last_qty = 3 * TW_FIXED_ONE;
    back.is_charged = false;
    ok(apply(&o, back) && o.charged_qty == TW_FIXED_ONE, "another");
    apply(&o, (struct tw_report){ .exec = '5', .quantity = 9 * TW_FIXED_ONE, .stop = 8 });
    ok(o.stop == 8, "its stop is another");
    apply(&o, (struct tw_report){ .exec = '6' });
    apply(&o, (struct tw_report){ .exec = 'E' });
    ok(apply(&o, (struct tw_report){ .exec = '4' })
       && tw_order_status(&o) == TW_STATUS_CANCELED, "nothing is pending at its end");
    part.late = back.late = '4';
    part.is_charged = false;
    apply(&o, part);
    part.is_charged = back.is_charged = true;
    ok(apply(&o, part) && o.charged_qty == 5 * TW_FIXED_ONE && apply(&o, back)
       && o.charged_qty == 2 * TW_FIXED_ONE, "a late one is charged, and not");
    back.last_qty = 5 * TW_FIXED_ONE;
    ok(apply(&o, back) && o.cum_qty == TW_FIXED_ONE && o.charged_qty == 0,
       "no less than nothing");
}

static const char *why(const struct tw_order *o, enum tw_reason reason)
{
    static char text[TW_REASON_TEXT];

    return tw_order_reason(o, reason, 0, text);
}

static void reasons(void)
{
    struct tw_terms terms = { .tick = TW_FIXED_ONE / 20, .lot = 10 * TW_FIXED_ONE };
    struct tw_order o = { .terms = &terms, .quantity = 15 * TW_FIXED_ONE,
                          .price = TW_FIXED_ONE / 20, .stop = TW_FIXED_ONE / 100 };
    struct tw_order all = { .symbol = 1, .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
                            .quantity = 1, .price = 1, .post_only = true };
    struct tw_error error;
    char text[TW_REASON_TEXT];

    ok(strcmp(why(&o, TW_REASON_LOT), "the quantity is not a multiple of the lot size:"
              " 15 with lots of 10") == 0, "%s", why(&o, TW_REASON_LOT));
    ok(strcmp(why(&o, TW_REASON_TICK), "the price is not a multiple of the tick size:"
              " 0.01 with ticks of 0.05") == 0, "%s", why(&o, TW_REASON_TICK));
    o.quantity = 20 * TW_FIXED_ONE;
    ok(why(&o, TW_REASON_LOT) == tw_reason_text(TW_REASON_LOT), "not of one that is");
    ok(strstr(tw_order_reason(&o, TW_REASON_LOT, 7 * TW_FIXED_ONE, text),
              ": 7 with lots of 10"), "but of one that was asked for");
    ok(why(&o, TW_REASON_IOC) == tw_reason_text(TW_REASON_IOC), "nor of another");
    o.terms = NULL;
    ok(why(&o, TW_REASON_TICK) == tw_reason_text(TW_REASON_TICK), "nor without terms");
    for (const char *tif = "0123467"; *tif; tif++) {
        bool never = *tif != TW_TIF_DAY && *tif != TW_TIF_GTC && *tif != TW_TIF_GTD;

        all.tif = (uint8_t)*tif;
        all.expire_ns = *tif == TW_TIF_GTD;
        ok((tw_order_check(&all, &error) < 0) == never, "post-only and %s",
           tw_time_in_force_text((enum tw_time_in_force)*tif));
    }
    for (const char *type = "34P"; *type; type++) {
        struct tw_order stop = { .symbol = 1, .side = TW_SIDE_BUY, .quantity = 1,
            .type = (uint8_t)*type, .tif = TW_TIF_CLS,
            .price = *type == TW_TYPE_STOP_LIMIT,
            .stop = *type != TW_TYPE_TRAILING_STOP,
            .trail = *type == TW_TYPE_TRAILING_STOP };

        ok(tw_order_check(&stop, &error) < 0
           && strstr(error.text, "only market and limit"), "a stop at the close: %s",
           error.text);
        stop.tif = TW_TIF_OPG;
        ok(tw_order_check(&stop, &error) < 0, "nor at the open");
        stop.tif = TW_TIF_DAY;
        ok(tw_order_check(&stop, &error) == TW_OK, "but on a day");
    }
}

/* 1/3 of 30.01 is 10.003...; never nearer to the price than asked for. */
static void trails(void)
{
    const struct { bool buys; int64_t price, trail, part, tick, stop; } all[] = {
        { false, 3001, 1003, 0, 5, 1998 }, { true, 3001, 1003, 0, 5, 4004 },
        { false, 3001, 0, 333333333, 0, 2000 }, { true, 3001, 0, 333333333, 0, 4002 },
        { false, 3001, 0, 333333333, 5, 2000 }, { true, 3001, 0, 333333333, 5, 4005 },
        { false, 3000, 0, TW_FIXED_ONE / 10, 5, 2700 },
        { true, 3000, 0, TW_FIXED_ONE / 10, 5, 3300 },
        { false, -3001, 0, 333333333, 5, -4005 }, { true, -3001, 0, 333333333, 5, -2000 },
        { true, -3001, 0, 333333333, 7, -1995 },
        { false, 4, 0, 999999999, 5, 0 }, { false, 4, 5, 0, 0, -1 },
        { true, INT64_MAX, 0, 1, 0, INT64_MAX },
        { true, INT64_MAX - 1, INT64_MAX, 0, 0, INT64_MAX },
        { false, -INT64_MAX, INT64_MAX, 0, 0, -INT64_MAX },
        { true, 9000000000 * TW_FIXED_ONE, 0, 999999999, 1, INT64_MAX },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int64_t stop = tw_order_trail_stop(all[i].buys, all[i].price, all[i].trail,
                                           all[i].part, all[i].tick);

        ok(stop == all[i].stop, "trailing stop %zu: %lld", i, (long long)stop);
    }
}

static void names(void)
{
    ok(tw_order_type_find("stop_limit") == TW_TYPE_STOP_LIMIT
       && tw_order_type_find("lmit") == -1, "types by name");
    ok(tw_time_in_force_find("cls") == TW_TIF_CLS && tw_time_in_force_find("") == -1,
       "times in force by name");
    ok(strcmp(tw_order_type_text(TW_TYPE_TRAILING_STOP), "trailing_stop") == 0
       && strcmp(tw_time_in_force_text(TW_TIF_GTD), "gtd") == 0, "and back");
    for (int i = TW_REASON_HALTED; i <= TW_REASON_VENUE; i++)
        ok(strlen(tw_reason_text((enum tw_reason)i)) > 5, "%s",
           tw_reason_text((enum tw_reason)i));
}

int main(void)
{
    changes();
    numbers();
    taken_back();
    reasons();
    trails();
    names();
    return tap_done();
}
