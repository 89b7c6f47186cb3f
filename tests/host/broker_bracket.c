/* broker_bracket.c - brackets: exits are for what their entry has traded. */
#include "trade/broker.h"

#include "broker_rig.h"
#include "random.h"

struct bracket {
    struct tw_order *entry, *exit[2];
    int64_t closes;                      /* of what is held the other way round */
};

/* An entry, and two exits for all of it: a target and a stop. */
static struct bracket enter(struct rig *g, struct tw_order entry, int target, int stop)
{
    struct tw_order exit = { .quantity = entry.quantity, .price = target,
        .side = entry.side == TW_SIDE_SELL ? TW_SIDE_BUY : TW_SIDE_SELL };
    struct bracket b = { .entry = submit(g, entry), .closes = 0 };

    exit.parent = b.entry->id;
    b.exit[0] = submit(g, exit);
    exit.price = 0;
    exit.stop = stop;
    exit.type = TW_TYPE_STOP;
    b.exit[1] = submit(g, exit);
    return b;
}

static void brackets(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    struct tw_order *entry, *stop;
    struct bracket b;

    quote(g, 1, 1000, 1001, 500);
    b = enter(g, (struct tw_order){ .quantity = 5, .price = 990 }, 1100, 900);
    entry = b.entry;
    stop = b.exit[1];
    is_told(g, "1 A, 2 A, 3 A", "a bracket");
    quote(g, 2, 1000, 1001, 500);
    is_told(g, "1 0", "its parent is at the venue");
    quote(g, 3, 989, 990, 2);
    is_told(g, "1 F2", "a part of it trades");
    ok(tw_order_leaves(stop) == 2 * ONE, "the stop is for what has traded");
    quote(g, 4, 988, 990, 3);
    told(g);
    ok(entry->status == TW_STATUS_FILLED && tw_order_leaves(stop) == 5 * ONE,
       "all of it trades, the stop grows");
    quote(g, 5, 899, 901, 2);
    is_told(g, "3 F2, 2 5", "a part of the stop: the target shrinks");
    quote(g, 6, 898, 901, 9);
    is_told(g, "3 F3, 2 4", "all of it: the target goes");
    entry = submit(g, (struct tw_order){ .quantity = 5, .price = 890 });
    submit(g, (struct tw_order){ .quantity = 5, .price = 1100, .side = TW_SIDE_SELL,
                                 .parent = entry->id });
    tw_broker_cancel(g->b, entry);
    quote(g, 7, 898, 901, 9);
    is_told(g, "4 A, 5 A, 4 6, 4 0, 4 4, 5 4", "a parent that does not trade");
    ok(tw_broker_open(g->b, NULL) == NULL, "nothing is open");
    close_rig(g);
}

/* Its exits end with it, not with the next record: there may be none. */
static void refused_entry(void)
{
    struct rig *g = open_rig((struct tw_broker_options){
        .limits.order_quantity = 4 * ONE });

    quote(g, 1, 1000, 1001, 500);
    enter(g, (struct tw_order){ .quantity = 5, .price = 990 }, 1100, 900);
    is_told(g, "1 A, 1 8/2, 2 A, 2 4, 3 A, 3 4", "an entry is refused: its exits go");
    ok(tw_broker_open(g->b, NULL) == NULL, "at once");
    quote(g, 2, 1000, 1001, 500);
    is_told(g, "", "and once");
    close_rig(g);
}

/* An entry that turns the position closes what there is first: its exits wait until there
 * is something that they can reduce, and are for that. */
static void turns(void)
{
    for (int ends = 0; ends < 2; ends++) {
        struct rig *g = open_rig((struct tw_broker_options){ 0 });
        struct tw_order exit = { .quantity = 9, .stop = 900, .side = TW_SIDE_SELL,
                                 .type = TW_TYPE_STOP, .reduce_only = true };
        struct tw_order *stop, *target;

        quote(g, 1, 1000, 1001, 500);
        submit(g, (struct tw_order){ .quantity = 5, .side = TW_SIDE_SELL });
        quote(g, 2, 1000, 1001, 500);
        exit.parent = submit(g, (struct tw_order){ .quantity = 9, .price = 1001 })->id;
        stop = submit(g, exit);
        exit.type = TW_TYPE_LIMIT;
        exit.stop = 0;
        exit.price = 1100;
        target = submit(g, exit);
        told(g);
        quote(g, 3, 1000, 1001, 5);
        is_told(g, "2 0, 2 F5", "it has closed, the stop waits");
        if (ends) tw_broker_cancel(g->b, &g->order[1]);
        quote(g, 4, 1000, ends ? 1002 : 1001, 3);
        is_told(g, ends ? "2 6, 2 4, 4 8/13, 3 8/13" : "2 F3", "it goes on, or ends");
        if (!ends) {
            ok(stop->quantity == 3 * ONE && target->quantity == 3 * ONE,
               "they are for what it has opened");
            quote(g, 5, 1000, 1001, 1);
            ok(stop->quantity == 4 * ONE && tw_broker_held(g->b, 1) == 4 * ONE,
               "and grow with that");
        }
        quote(g, 6, 899, 901, 50);
        ok(tw_broker_held(g->b, 1) == 0 && !tw_broker_open(g->b, NULL),
           "nothing is held, nor open");
        close_rig(g);
    }
}

/* What one exit has traded is not there for the other one, though the entry goes on. */
static void exits_share(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    struct bracket b;

    quote(g, 1, 1000, 1001, 500);
    b = enter(g, (struct tw_order){ .quantity = 9, .price = 1001 }, 1010, 900);
    quote(g, 2, 1000, 1001, 4);
    quote(g, 3, 1010, 1011, 1);
    ok(tw_order_leaves(b.exit[0]) == 3 * ONE && tw_order_leaves(b.exit[1]) == 3 * ONE,
       "one of four is sold: both are for three");
    quote(g, 4, 1000, 1001, 5);
    ok(b.entry->status == TW_STATUS_FILLED && tw_order_leaves(b.exit[0]) == 8 * ONE
       && tw_order_leaves(b.exit[1]) == 8 * ONE, "five more: both are for eight");
    quote(g, 5, 899, 901, 2);
    quote(g, 6, 898, 901, 9);
    ok(b.exit[1]->status == TW_STATUS_FILLED && b.exit[0]->status == TW_STATUS_CANCELED
       && tw_broker_open(g->b, NULL) == NULL, "the position is closed, and nothing open");
    close_rig(g);
}

/* Nothing of an entry stays without an exit: it ends with one that has closed all.  Where
 * it trades as its exit does, that is for more. */
static void entries_end(void)
{
    for (int same = 0; same < 2; same++) {
        struct rig *g = open_rig((struct tw_broker_options){ 0 });
        struct tw_order *entry, *target, *stop;

        quote(g, 1, 1000, 1001, 500);
        entry = submit(g, (struct tw_order){ .quantity = 9, .price = 1001 });
        target = submit(g, (struct tw_order){ .quantity = 9, .price = 1010,
            .side = TW_SIDE_SELL, .parent = entry->id, .reduce_only = true });
        stop = submit(g, (struct tw_order){ .quantity = 9, .stop = 900,
            .parent = entry->id, .side = TW_SIDE_SELL, .type = TW_TYPE_STOP,
            .reduce_only = true });
        quote(g, 2, 1000, 1001, 2);
        quote(g, 3, 1000, 1002, 3);
        told(g);
        quote(g, 4, 1010, same ? 1001 : 1011, 3);     /* crossed: both trade */
        if (same) is_told(g, "1 F3, 2 5, 2 F2, 3 5", "an exit is for what trades");
        else is_told(g, "2 F2, 1 4, 3 4", "an entry ends with its exit");
        ok(tw_order_leaves(entry) == (same ? 4 : 0) * ONE
           && tw_order_leaves(stop) == (same ? 3 : 0) * ONE
           && tw_order_leaves(target) == tw_order_leaves(stop),
           "as much can be closed as is held");
        close_rig(g);
    }
}

/* As above, and both exits trade all that they were for. */
static void exits_meet(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    struct bracket b;

    quote(g, 1, 1000, 1001, 500);
    b = enter(g, (struct tw_order){ .quantity = 9, .price = 1001 }, 1010, 990);
    quote(g, 2, 1000, 1001, 5);
    quote(g, 3, 989, 1002, 2);
    told(g);
    quote(g, 4, 1010, 1001, 6);                       /* crossed: all trade */
    is_told(g, "1 F4, 3 5, 3 F3, 2 5, 2 F3, 3 5", "an entry and both its exits");
    ok(b.entry->status == TW_STATUS_FILLED && tw_order_leaves(b.exit[0]) == ONE
       && tw_order_leaves(b.exit[1]) == ONE, "one is left, which both are for");
    close_rig(g);
}

/* Also where its cancel is on its way. */
static void canceled_entries_end(void)
{
    struct rig *g = open_rig((struct tw_broker_options){
        .simulator.cancel.min_ns = 9 * ONE });
    struct bracket b;

    quote(g, 1, 1000, 1001, 500);
    b = enter(g, (struct tw_order){ .quantity = 9, .price = 1001 }, 1010, 900);
    quote(g, 2, 1000, 1001, 2);
    quote(g, 3, 1000, 1002, 3);
    tw_broker_cancel(g->b, b.entry);
    told(g);
    quote(g, 4, 1010, 1011, 3);
    quote(g, 5, 1000, 1001, 3);
    is_told(g, "2 F2, 1 4, 3 4", "an entry with a cancel on its way ends");
    quote(g, 13, 1000, 1001, 3);
    is_told(g, "1 9", "which comes too late");
    close_rig(g);
}

/* The position has its other exit also where one was made smaller. */
static void scales_out(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    struct bracket b;
    struct tw_error error;

    quote(g, 1, 1000, 1001, 500);
    b = enter(g, (struct tw_order){ .quantity = 9 }, 1010, 900);
    quote(g, 2, 1000, 1001, 500);
    quote(g, 3, 1000, 1001, 500);
    tw_broker_replace(g->b, b.exit[0], 4 * ONE, 0, 0, &error);
    quote(g, 4, 1010, 1011, 1);
    ok(tw_order_leaves(b.exit[0]) == 3 * ONE && tw_order_leaves(b.exit[1]) == 8 * ONE,
       "a stop is for all that is held");
    quote(g, 5, 1010, 1011, 500);
    ok(b.exit[0]->status == TW_STATUS_FILLED && tw_order_leaves(b.exit[1]) == 5 * ONE,
       "also behind a target that was for a part");
    quote(g, 6, 899, 901, 500);
    ok(tw_broker_held(g->b, 1) == 0 && tw_broker_count(g->b) == 0, "and closes it");
    close_rig(g);
}

/* What its owner makes larger closes what is held, and no more. */
static void outgrows(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    struct bracket b;
    struct tw_error error;

    quote(g, 1, 1000, 1001, 500);
    b = enter(g, (struct tw_order){ .quantity = 9, .price = 1001 }, 1010, 900);
    quote(g, 2, 1000, 1001, 4);
    tw_broker_replace(g->b, b.exit[0], 20 * ONE, 0, 0, &error);
    quote(g, 3, 1000, 1002, 4);
    ok(tw_order_leaves(b.exit[0]) == 4 * ONE, "an exit is for no more than is held");
    quote(g, 4, 1000, 1001, 2);
    ok(tw_order_leaves(b.exit[0]) == 6 * ONE, "and goes on with its entry");
    quote(g, 5, 1010, 1011, 500);
    ok(tw_broker_held(g->b, 1) == 0 && tw_broker_count(g->b) == 0, "which it closes");
    close_rig(g);
}

/* An exit that its entry's end is not told of yet, as the user cancels it: it is not
 * looked at again, and may be gone. */
static void gone_before(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    struct tw_order *first, *entry, *exit;

    first = submit(g, (struct tw_order){ .quantity = 5, .price = 900 });
    entry = submit(g, (struct tw_order){ .quantity = 5, .price = 990,
                                         .parent = first->id });
    exit = submit(g, (struct tw_order){ .quantity = 5, .price = 1100,
        .side = TW_SIDE_SELL, .parent = entry->id });
    tw_broker_cancel(g->b, entry);
    tw_broker_cancel(g->b, exit);
    is_told(g, "1 A, 2 A, 3 A, 2 4, 3 4", "an entry that waits, and its exit");
    memset(exit, 0xff, sizeof *exit);
    quote(g, 1, 1000, 1001, 500);
    is_told(g, "1 0", "which is gone");
    close_rig(g);
}

/* One that its owner has made smaller stays so as its entry trades on, until he makes it
 * larger again; as long as it waits, too. */
static void cuts_last(void)
{
    struct rig *g = open_rig((struct tw_broker_options){ 0 });
    struct bracket b;
    struct tw_error error;

    quote(g, 1, 1000, 1001, 500);
    b = enter(g, (struct tw_order){ .quantity = 9, .price = 1001 }, 1010, 900);
    tw_broker_replace(g->b, b.exit[1], 8 * ONE, 0, 0, &error);
    quote(g, 2, 1000, 1001, 4);
    quote(g, 3, 1000, 1002, 4);
    tw_broker_replace(g->b, b.exit[0], 3 * ONE, 0, 0, &error);
    quote(g, 4, 1000, 1002, 4);
    quote(g, 5, 1000, 1001, 3);
    ok(tw_order_leaves(b.exit[0]) == 3 * ONE && tw_order_leaves(b.exit[1]) == 7 * ONE,
       "three of four stay three of seven");
    tw_broker_replace(g->b, b.exit[0], 7 * ONE, 0, 0, &error);
    quote(g, 6, 1000, 1002, 4);
    quote(g, 7, 1000, 1001, 9);
    ok(tw_order_leaves(b.exit[0]) == 9 * ONE && tw_order_leaves(b.exit[1]) == 8 * ONE,
       "all of seven become all of nine, and what waited is for no more than was said");
    quote(g, 8, 1010, 1011, 2);
    tw_broker_replace(g->b, b.exit[1], 9 * ONE, 0, 0, &error);
    quote(g, 9, 1000, 1001, 9);
    ok(tw_order_leaves(b.exit[1]) == 7 * ONE && tw_broker_held(g->b, 1) == 7 * ONE,
       "nor is one for what the other has traded");
    close_rig(g);
}

/* ---- random lives ---- */

static int below(int n)
{
    return (int)(next() % (unsigned)n);
}

static struct bracket enter_any(struct rig *g, int price)
{
    int sign = below(2) ? 1 : -1, kind = below(3);
    int target = price + sign * (1 + below(15)), stop = price - sign * (1 + below(15));
    struct tw_order o = { .quantity = 2 + below(15),
                          .side = sign > 0 ? TW_SIDE_BUY : TW_SIDE_SELL };
    struct tw_account *a = tw_broker_account(g->b);
    struct bracket b;

    if (kind == 1) o.price = price + sign * (below(8) - 4);
    if (kind == 2) {
        o.type = TW_TYPE_STOP;
        o.stop = price + sign * below(6);
    }
    b = enter(g, o, target, stop);
    b.closes = below(2) ? below(12) * ONE : 0;
    b.exit[0]->reduce_only = b.exit[1]->reduce_only = b.closes > 0;
    tw_account_trade(a, tw_account_position(a, 1, &g->terms), 10 * ONE, -sign * b.closes,
                     0);
    return b;
}

/* As much can be closed as it has opened, by each exit that is there; and one is. */
static bool is_covered(const struct bracket *b)
{
    int64_t opened = b->entry->cum_qty - b->closes;
    int64_t held = (opened > 0 ? opened : 0) - b->exit[0]->cum_qty - b->exit[1]->cum_qty;
    bool is_open = false, is_wrong = false;

    for (int i = 0; i < 2; i++) {
        const struct tw_order *o = b->exit[i];

        if (!tw_order_is_open(o)) continue;
        is_open = true;
        if (!o->held) is_wrong |= tw_order_leaves(o) != held;
    }
    if (held == 0 && opened > 0) is_wrong |= tw_order_is_open(b->entry);
    return !is_wrong && held >= 0 && (held == 0 || is_open);
}

/* Entries, exits, cancels and changes at once, with latencies and small sizes. */
static void random_lives(void)
{
    const int lives = getenv("SMALL") ? 500 : 5000;
    int bare = 0, both = 0;

    for (int life = 0; life < lives; life++) {
        struct rig *g = open_rig((struct tw_broker_options){ .simulator = {
            .submit.min_ns = below(3) * ONE / 2, .cancel.min_ns = below(3) * 2 * ONE } });
        struct bracket b = { .entry = NULL };
        struct tw_order *target;
        struct tw_error error;
        int price = 1000;

        for (int second = 1; second < 40; second++) {
            price += below(21) - 10;
            quote(g, second, price + below(2) * below(9), price + 1 + below(3),
                  1 + below(8));
            told(g);
            if (b.entry) bare += !is_covered(&b);
            if (second == 1) b = enter_any(g, price);
            target = b.exit[0];
            if (below(20) == 0 && tw_order_is_open(b.entry))
                tw_broker_cancel(g->b, b.entry);
            if (below(8) == 0 && tw_order_is_open(target))
                tw_broker_replace(g->b, target, 0,
                                  target->price + (below(9) - 4) * ONE / 100, 0, &error);
        }
        both += b.exit[0]->cum_qty > 0 && b.exit[1]->cum_qty > 0;
        close_rig(g);
    }
    ok(bare == 0, "in %d lives nothing is without exit (%d)", lives, bare);
    ok(both > lives / 50, "in %d both have traded", both);
}

int main(void)
{
    brackets();
    refused_entry();
    turns();
    exits_share();
    entries_end();
    exits_meet();
    canceled_entries_end();
    scales_out();
    outgrows();
    gone_before();
    cuts_last();
    random_lives();
    return tap_done();
}
