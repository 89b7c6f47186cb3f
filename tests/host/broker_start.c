/* broker_start.c - what is sent before the first record: when that was. */
#include "trade/broker.h"

#include "broker_rig.h"
#include "tape/bar.h"

/* A bar of symbol 1 that ends then, of a minute. */
static void bar(struct rig *g, int64_t second, int64_t open)
{
    struct tw_record r = { .seq = ++g->seq, .kind = TW_BAR, .symbol = 1,
                           .time = second * ONE };
    int64_t price = open * (ONE / 100);

    tw_bar_set(&r, &(struct tw_ohlc){ price, price, price, price, ONE }, 60,
               TW_BAR_TRADES);
    tw_broker_record(g->b, &r);
}

static int64_t time_of(const struct tw_order *o)
{
    return o->time_ns / ONE;
}

/* When what is told next happened. */
static int64_t next_time(struct rig *g)
{
    struct tw_told t;

    return tw_broker_next(g->b, &t) ? t.report.time_ns / ONE : -1;
}

static void at_once(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .currency = "USD" });
    struct tw_order *o = submit(g, (struct tw_order){ .quantity = 5 });

    ok(!tw_broker_tells(g->b), "before there is a time nothing is told");
    quote(g, 100, 1000, 1001, 50);
    ok(tw_broker_tells(g->b) && time_of(o) == 100, "it is of the first record's time");
    ok(next_time(g) == 100 && next_time(g) == 100, "so is what is told of it");
    is_told(g, "1 F5", "it trades with that record");
    close_rig(g);

    g = open_rig((struct tw_broker_options){ .currency = "USD" });
    for (int i = 0; i < 3; i++) submit(g, (struct tw_order){ .quantity = 5 });
    quote(g, 100, 1000, 1001, 50);
    ok(next_time(g) == 100 && next_time(g) == 100 && next_time(g) == 100,
       "all of them are of then");
    quote(g, 90, 1000, 1001, 50);
    told(g);
    ok(time_of(submit(g, (struct tw_order){ .quantity = 5 })) == 100,
       "time does not go back with a record that is late");
    close_rig(g);
}

static void with_latency(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .simulator = {
        .submit = { .min_ns = 30 * ONE }, .cancel = { .min_ns = 10 * ONE } } });
    struct tw_order *gone = submit(g, (struct tw_order){ .quantity = 1, .price = 900 });

    submit(g, (struct tw_order){ .quantity = 5 });
    tw_broker_cancel(g->b, gone);
    quote(g, 100, 1000, 1001, 50);
    is_told(g, "1 A, 2 A, 1 6", "sent, and one is to be canceled");
    quote(g, 109, 1000, 1001, 50);
    is_told(g, "", "neither has arrived");
    quote(g, 110, 1000, 1001, 50);
    is_told(g, "1 4", "the cancel has, before its order");
    quote(g, 129, 1000, 1001, 50);
    is_told(g, "", "the latency counts from the first record");
    quote(g, 130, 1000, 1001, 50);
    is_told(g, "2 0, 2 F5", "till it is over");
    close_rig(g);
}

static void its_day(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .currency = "USD" });

    submit(g, (struct tw_order){ .quantity = 1, .price = 900, .tif = TW_TIF_DAY });
    quote(g, 86400 * 10 + 5, 1000, 1001, 50);
    quote(g, 86400 * 11 - 1, 1000, 1001, 50);
    is_told(g, "1 A, 1 0", "a day order is of the first record's day");
    quote(g, 86400 * 11 + 1, 1000, 1001, 50);
    is_told(g, "1 C", "and ends with that");
    close_rig(g);
}

/* It trades with the bar only where that did not begin before it was decided. */
static void with_bars(int64_t passed_ns, int64_t first, int64_t time, const char *trades,
                      const char *name)
{
    struct rig *g = open_rig((struct tw_broker_options){ .currency = "USD" });
    struct tw_order *o = submit(g, (struct tw_order){ .quantity = 5 });

    if (passed_ns != 0) tw_broker_pass(g->b, passed_ns, 0);
    bar(g, first, 1000);
    ok(time_of(o) == time, "%s: when", name);
    is_told(g, trades, name);
    bar(g, first + 60, 1000);
    ok(o->status == TW_STATUS_FILLED, "%s: with the next one at the latest", name);
    close_rig(g);
}

/* What is decided between two records is of then, unless a clock says so that can't be
 * that of the records. */
static void between(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ .currency = "USD" });
    struct tw_order *o;

    bar(g, 100, 1000);
    tw_broker_pass(g->b, 130 * ONE, 30 * ONE);
    o = submit(g, (struct tw_order){ .quantity = 5 });
    ok(time_of(o) == 130, "a timer's time");
    tw_broker_pass(g->b, 170 * ONE, 30 * ONE);
    o = submit(g, (struct tw_order){ .quantity = 5 });
    ok(time_of(o) == 140, "of another clock: so long after the first one");
    bar(g, 160, 1000);
    is_told(g, "1 A, 2 A, 1 0, 2 0", "a bar that had begun is not for them");
    bar(g, 200, 1000);
    is_told(g, "1 F5, 2 F5", "the next one is");
    close_rig(g);
}

/* Records come so late that a timer ticks meanwhile: what it decides half a minute into a
 * bar is not of its beginning. */
static void late(int64_t lag)
{
    struct rig *g = open_rig((struct tw_broker_options){ .currency = "USD" });
    struct tw_order *o;

    tw_broker_pass(g->b, (59 + lag) * ONE, ONE / 2);
    bar(g, 60, 1000);
    tw_broker_pass(g->b, (60 + lag) * ONE, ONE / 2);
    o = submit(g, (struct tw_order){ .quantity = 5 });
    ok(time_of(o) == 60, "lag %d: the first mark is of the record's time", (int)lag);
    tw_broker_pass(g->b, (90 + lag) * ONE, ONE / 2);
    o = submit(g, (struct tw_order){ .quantity = 5 });
    ok(time_of(o) == 90, "later ones are of their distance from it");
    bar(g, 120, 1000);
    is_told(g, "1 A, 2 A, 1 0, 2 0, 1 F5", "so the bar is not for what it decided then");
    tw_broker_pass(g->b, (120 + lag) * ONE + 1, ONE / 2);
    o = submit(g, (struct tw_order){ .quantity = 5 });
    ok(time_of(o) == 120, "each record begins it anew");
    bar(g, 180, 1000);
    is_told(g, "3 A, 3 0, 2 F5, 3 F5", "the next one is");
    close_rig(g);
}

/* Records come later than a clock says that they are: what these decide is of theirs. */
static void ahead(void)
{
    struct rig *g = open_rig((struct tw_broker_options){
        .limits = { .orders = 2, .per_ns = 20 * ONE } });
    struct tw_order *o;

    bar(g, 60, 1000);
    tw_broker_pass(g->b, 122 * ONE, 62 * ONE);
    o = submit(g, (struct tw_order){ .quantity = 5 });
    ok(time_of(o) == 122, "a timer is ahead of a bar that is under way");
    bar(g, 120, 1000);
    o = submit(g, (struct tw_order){ .quantity = 5 });
    ok(time_of(o) == 120 && tw_broker_read_ns(g->b) == 120 * ONE, "what that decides");
    submit(g, (struct tw_order){ .quantity = 5 });
    is_told(g, "1 A, 2 A, 3 A, 3 8/6", "orders in a time count by the clock");
    tw_broker_pass(g->b, 182 * ONE, 60 * ONE);
    o = submit(g, (struct tw_order){ .quantity = 5 });
    ok(time_of(o) == 182, "which has not gone back");
    bar(g, 180, 1000);
    is_told(g, "4 A, 2 0, 1 0, 2 F5", "an order of a bar trades with the next one");
    bar(g, 240, 1000);
    is_told(g, "4 0, 1 F5", "one of a timer not with what had begun");
    bar(g, 300, 1000);
    is_told(g, "4 F5", "likewise a later one");
    close_rig(g);
}

/* Its day begins then, too, and yesterday's loss is over. */
static void after_midnight(struct tw_broker_options o, const char *name)
{
    struct rig *g = open_rig(o);

    quote(g, 86400 * 11 - 30, 1000, 1001, 500);
    submit(g, (struct tw_order){ .quantity = 100 });
    quote(g, 86400 * 11 - 20, 1000, 1001, 500);
    quote(g, 86400 * 11 - 10, 900, 901, 500);
    told(g);
    tw_broker_pass(g->b, 86400 * 11 * ONE, 60 * ONE);
    submit(g, (struct tw_order){ .quantity = 1 });
    tw_broker_pass(g->b, (86400 * 11 + 1) * ONE, 60 * ONE);
    submit(g, (struct tw_order){ .quantity = 1 });
    is_told(g, "2 A, 2 8/8, 3 A", name);
    close_rig(g);
}

static void its_rate(void)
{
    struct rig *g = open_rig((struct tw_broker_options){
        .limits = { .orders = 2, .per_ns = ONE } });

    submit(g, (struct tw_order){ .quantity = 1, .price = 900 });
    submit(g, (struct tw_order){ .quantity = 1, .price = 900 });
    quote(g, 100, 1000, 1001, 50);
    told(g);
    submit(g, (struct tw_order){ .quantity = 1, .price = 900 });
    is_told(g, "3 A, 3 8/6", "they count in the first second");
    quote(g, 101, 1000, 1001, 50);
    submit(g, (struct tw_order){ .quantity = 1, .price = 900 });
    is_told(g, "4 A", "and no longer");
    close_rig(g);
}

int main(void)
{
    const struct tw_limits limits = { .daily_loss = 50 * (tw_money)ONE };
    struct tw_desk desk;

    at_once();
    with_latency();
    its_day();
    with_bars(0, 100, 40, "1 A, 1 0, 1 F5", "a bar began before it came");
    with_bars(0, -100, -160, "1 A, 1 0, 1 F5", "before 1970");
    with_bars(70 * ONE, 100, 70, "1 A, 1 0", "what passed before is known");
    with_bars(ONE * ONE, 100, 100, "1 A, 1 0", "what passed has another clock");
    between();
    ahead();
    late(1);
    late(1000000000);
    after_midnight((struct tw_broker_options){ .limits = limits },
                   "a timer decides after midnight");
    tw_desk_init(&desk, &limits);
    after_midnight((struct tw_broker_options){ .desk = &desk },
                   "and that counts for all");
    tw_desk_fini(&desk);
    its_rate();
    return tap_done();
}
