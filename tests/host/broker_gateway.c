/* broker_gateway.c - brackets and groups at a gateway whose venue knows of neither.
 *
 * It is hostile: it trades, takes back, refuses and takes its time as chance has it.
 * When all is quiet the exits are for what is held, and nothing is open of what is
 * closed. */
#include "trade/broker.h"

#include "broker_rig.h"
#include "random.h"

enum { MOST = 4000 };                    /* messages of a life, each way */

enum what { NEW, CANCEL, REPLACE };
struct request { enum what what; uint64_t id; int64_t quantity; };
struct answer {
    uint64_t id;
    uint8_t exec, status;
    int64_t quantity;
    bool answers, change;
};

/* An order as the venue has it. */
struct at { bool known, open; int64_t quantity, cum; };

static struct life {
    struct rig *g;
    struct request up[MOST];
    struct answer down[MOST], now;
    int n_up, at_up, n_down, at_down;
    struct at at[64];
    bool offline, refuses;               /* nobody is there; it refuses all changes */
    bool cheats;                         /* what it makes larger is one less */
    bool reopens;                        /* a filled one of which a trade is taken back */
    int refusals, asked, events;         /* of 100 changes it refuses so many */
    int told_stuck;
} *l;

static int below(int n)
{
    return (int)(next() % (unsigned)n);
}

static struct tw_order *order_of(uint64_t id)
{
    return &l->g->order[id - 1];
}

/* ---- the way there ---- */

static int put(const struct tw_order *o, enum what what, int64_t quantity)
{
    if (l->offline) return TW_ECLOSED;
    if (l->n_up == MOST) return TW_OK;
    l->up[l->n_up++] = (struct request){ what, o->id, quantity };
    ((struct tw_order *)o)->requests++;
    l->asked++;
    return TW_OK;
}

static int send_new(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    return put(o, NEW, o->quantity);
}

static int send_cancel(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    return put(o, CANCEL, 0);
}

static int send_replace(void *ctx, const struct tw_order *o, int64_t quantity,
                        int64_t price, int64_t stop)
{
    (void)ctx;
    (void)price;
    (void)stop;
    return put(o, REPLACE, quantity);
}

/* What was heard so far of its family. */
static void know_family(struct tw_order *o)
{
    uint64_t parent = o->parent ? o->parent : o->id;

    o->others_qty = 0;
    for (uint64_t id = 1; id <= l->g->n; id++) {
        if (id != o->id && order_of(id)->parent == parent)
            o->others_qty += order_of(id)->cum_qty;
        if (id == o->parent) o->entry_qty = order_of(id)->cum_qty;
    }
}

static bool hear(void *ctx, const struct tw_record *r, struct tw_order **o,
                 struct tw_report *out)
{
    const struct answer *a = &l->now;
    struct tw_order *its = order_of(a->id);

    (void)ctx;
    (void)r;
    *o = its;
    *out = (struct tw_report){ .order = a->id, .exec = a->exec, .last_px = 10 * ONE,
        .last_qty = a->quantity, .quantity = a->quantity, .price = its->price,
        .stop = its->stop, .of_change = a->change,
        .reason = a->exec == TW_EXEC_CANCEL_REJECTED ? TW_REASON_VENUE : 0 };
    its->requests -= a->answers;
    if (!tw_order_is_open(its)) know_family(its);
    return true;
}

/* ---- the venue ---- */

static void say(uint64_t id, enum tw_exec_type exec, int64_t quantity, bool answers,
                bool change)
{
    const struct at *at = &l->at[id];
    uint8_t status = at->open ? at->cum ? TW_STATUS_PARTIALLY_FILLED : TW_STATUS_NEW
                   : at->cum == at->quantity ? TW_STATUS_FILLED : TW_STATUS_CANCELED;

    if (l->n_down < MOST)
        l->down[l->n_down++] = (struct answer){ id, (uint8_t)exec, status, quantity,
                                                answers, change };
}

static void take(const struct request *q)
{
    struct at *at = &l->at[q->id];
    bool refuses = l->refuses || below(100) < l->refusals;

    if (q->what == NEW) {
        *at = (struct at){ true, true, q->quantity, 0 };
        say(q->id, TW_EXEC_NEW, 0, true, false);
    } else if (!at->open || refuses
               || (q->what == REPLACE && q->quantity && q->quantity <= at->cum)) {
        say(q->id, TW_EXEC_CANCEL_REJECTED, 0, true, q->what == REPLACE);
    } else if (q->what == CANCEL) {
        at->open = false;
        say(q->id, TW_EXEC_CANCELED, 0, true, false);
    } else {
        if (q->quantity) at->quantity = q->quantity - (l->cheats ? ONE : 0);
        say(q->id, TW_EXEC_REPLACED, at->quantity, true, false);
    }
}

static void trade(uint64_t id, int64_t n)
{
    struct at *at = &l->at[id];

    at->cum += n;
    at->open = at->cum < at->quantity;
    l->events++;
    say(id, TW_EXEC_TRADE, n, false, false);
}

static void trade_any(uint64_t id)
{
    int64_t n = l->at[id].open ? l->at[id].quantity - l->at[id].cum : 0;

    if (n > 0) trade(id, below(3) ? (1 + below((int)(n / ONE))) * ONE : n);
}

/* So much of what it has traded never was. */
static void take_back(uint64_t id, int64_t n)
{
    struct at *at = &l->at[id];

    if (l->reopens && at->cum == at->quantity) at->open = true;
    at->cum -= n;
    l->events++;
    say(id, TW_EXEC_TRADE_CANCELED, n, false, false);
}

static void take_back_any(uint64_t id)
{
    int n = (int)(l->at[id].cum / ONE);

    if (n > 0) take_back(id, (1 + below(n)) * ONE);
}

/* ---- and back ---- */

static struct tw_error error;
static int64_t second;

static void drain(void)
{
    struct tw_told t;

    while (tw_broker_next(l->g->b, &t))
        l->told_stuck += t.report.reason == TW_REASON_EXIT_SIZE;
}

static void deliver(void)
{
    struct tw_record r = { .seq = ++l->g->seq, .kind = TW_ORDER, .time = second * ONE,
                           .symbol = 1 };

    l->now = l->down[l->at_down++];
    r.execution = (struct tw_execution){ .order = l->now.id, .exec = l->now.exec,
        .status = l->now.status, .script = 3, .side = order_of(l->now.id)->side };
    if (tw_broker_record(l->g->b, &r) < 0) abort();
    drain();
}

static void pass(void)
{
    quote(l->g, ++second, 1000, 1001, 500);
    drain();
}

/* Whatever is on its way comes, and time goes on. */
static void calm_down(void)
{
    l->offline = false;
    for (int i = 0; i < 40; i++) {
        while (l->at_up < l->n_up || l->at_down < l->n_down) {
            while (l->at_up < l->n_up) take(&l->up[l->at_up++]);
            while (l->at_down < l->n_down) deliver();
        }
        pass();
    }
}

/* Of `n` orders, from 1 on, all at once. */
static void storm(int n, int steps, bool busts)
{
    for (int i = 0; i < steps; i++) {
        uint64_t id = (uint64_t)(1 + below(n));

        switch (below(8)) {
        case 0: case 1: if (l->at_up < l->n_up) take(&l->up[l->at_up++]); break;
        case 2: case 3: case 4: if (l->at_down < l->n_down) deliver(); break;
        case 5: case 6: trade_any(id); break;
        default:
            if (busts && below(4) == 0) take_back_any(id);
            else if (below(6) == 0) l->offline = !l->offline;
            else if (below(4) == 0) pass();
        }
    }
}

static struct tw_desk *the_desk;         /* NULL: there is none */

static void open_limited(struct tw_limits limits)
{
    static const struct tw_gateway gateway = { .submit = send_new, .cancel = send_cancel,
        .replace = send_replace, .next = hear, .is_plain = true };

    l = calloc(1, sizeof *l);
    l->g = open_rig((struct tw_broker_options){ .gateway = &gateway, .limits = limits,
                                                .desk = the_desk });
    second = 0;
    pass();
}

static void open_life(void)
{
    open_limited((struct tw_limits){ 0 });
}

static void close_life(void)
{
    close_rig(l->g);
    free(l);
}

/* ---- brackets ---- */

static void enter(int quantity)
{
    struct tw_order exit = { .quantity = quantity, .side = TW_SIDE_SELL };
    struct tw_order *entry = submit(l->g, (struct tw_order){ .quantity = exit.quantity });

    exit.parent = entry->id;
    exit.price = 1100;
    submit(l->g, exit);
    exit.price = 0;
    exit.stop = 900;
    exit.type = TW_TYPE_STOP;
    submit(l->g, exit);
    l->offline = false;
}

/* What is open at the venue and is not to be; 0: nothing. */
static int wrong(bool cuts)
{
    const struct at *entry = &l->at[1];
    int64_t held = entry->cum - l->at[2].cum - l->at[3].cum;
    int64_t exited = l->at[2].cum + l->at[3].cum;
    bool exits = l->at[2].open || l->at[3].open || !l->at[2].known;

    for (int id = 2; id <= 3; id++) {
        const struct at *at = &l->at[id];

        if (at->open != tw_order_is_open(order_of((uint64_t)id)) && at->known) return 1;
        if (!at->open) continue;
        if (at->quantity - at->cum > (held > 0 ? held : 0)) return 2;
        if (at->quantity - at->cum < held && !cuts) return 3;
    }
    if (entry->open && (exits ? held == 0 && exited : entry->quantity > exited)) return 4;
    return order_of(1)->pending_replace || order_of(2)->requests ? 5 : 0;
}

static void cut_any(void)
{
    struct tw_order *o = order_of((uint64_t)(2 + below(2)));

    if (tw_order_is_open(o))
        tw_broker_replace(l->g->b, o, (1 + below(8)) * ONE, 0, 0, &error);
    drain();
}

/* Its owner wants another price, or the venue another quantity. */
static void meddle(void)
{
    uint64_t id = (uint64_t)(2 + below(2));
    struct tw_order *o = order_of(id);
    int price = 1050 + below(50);

    l->events++;
    if (below(2) && l->at[id].open) {
        l->at[id].quantity = l->at[id].cum + (1 + below(5)) * ONE;
        say(id, TW_EXEC_REPLACED, l->at[id].quantity, false, false);
    } else if (tw_order_is_open(o) && id == 2) {
        tw_broker_replace(l->g->b, o, 0, price * (ONE / 100), 0, &error);
    } else if (tw_order_is_open(o)) {
        tw_broker_replace(l->g->b, o, 0, 0, (price - 150) * (ONE / 100), &error);
    }
    drain();
}

static void random_brackets(void)
{
    const int lives = getenv("SMALL") ? 1000 : 20000;
    int bad[6] = { 0 }, loud = 0, bare = 0, both = 0;

    for (int life = 0; life < lives; life++) {
        bool cuts = life % 4 == 3;

        open_life();
        enter(4 + below(20));
        l->refusals = life % 3 * 30;
        l->reopens = life % 4 < 2;
        for (int i = 0; i < 5; i++) {
            storm(3, 20, life % 2);
            if (cuts) cut_any();
            if (life % 5 == 4) meddle();
        }
        l->refusals = 0;
        calm_down();
        bad[wrong(cuts)]++;
        loud += l->asked > 20 + 14 * l->events;
        bare += !l->at[2].open && !l->at[3].open
             && l->at[1].cum > l->at[2].cum + l->at[3].cum;
        both += l->at[2].cum > 0 && l->at[3].cum > 0;
        close_life();
    }
    ok(bad[0] == lives, "in %d lives all is right in the end (not: %d unknown, %d too "
       "large, %d too small, %d entries, %d without answers)", lives, bad[1], bad[2],
       bad[3], bad[4], bad[5]);
    ok(loud == 0, "no more is asked for than what happens gives reason to (%d)", loud);
    ok(both > lives / 20, "in %d both exits have traded", both);
    printf("# %d are without exits, as these had closed all before the entry went on\n",
           bare);
}

/* ---- groups ---- */

static void random_groups(void)
{
    const int lives = getenv("SMALL") ? 500 : 5000;
    int bad = 0, traded = 0;

    for (int life = 0; life < lives; life++) {
        int64_t size, left;

        open_life();
        size = (4 + below(20)) * ONE;
        for (int i = 0; i < 3; i++)
            submit(l->g, (struct tw_order){ .quantity = size / ONE, .price = 900,
                                            .group = 1 });
        l->refusals = life % 3 * 30;
        storm(3, 40, false);
        l->refusals = 0;
        calm_down();
        left = size - l->at[1].cum - l->at[2].cum - l->at[3].cum;
        traded += left < size;
        for (int id = 1; id <= 3; id++)
            bad += (l->at[id].open ? l->at[id].quantity - l->at[id].cum : 0)
                != (left > 0 ? left : 0);
        close_life();
    }
    ok(bad == 0, "of %d groups as much is left as none has traded (%d)", lives, bad);
    ok(traded > lives / 2, "in %d one has traded", traded);
}

/* ---- a venue that refuses without end ---- */

static void refuses_all(void)
{
    open_life();
    enter(10);
    calm_down();
    l->refuses = true;
    trade(1, 4 * ONE);
    calm_down();
    l->asked = 0;
    trade(1, 6 * ONE);
    calm_down();
    ok(l->asked == 12 && l->told_stuck == 2,
       "exits that a venue lets not grow: told once each (%d), after %d requests",
       l->told_stuck, l->asked);
    l->refuses = false;
    trade(2, 2 * ONE);
    calm_down();
    ok(l->at[2].quantity == 10 * ONE && l->at[3].quantity == 8 * ONE,
       "they are asked for again when there is another trade");
    close_life();
}

/* It takes a change, and makes something else of it. */
static void cheats(void)
{
    open_life();
    enter(10);
    calm_down();
    trade(1, 4 * ONE);
    calm_down();
    l->asked = 0;
    l->cheats = true;
    trade(1, 6 * ONE);
    calm_down();
    ok(l->asked == 12 && l->told_stuck == 2 && l->at[2].quantity == 9 * ONE,
       "a venue that makes less of it is not asked without end (%d)", l->asked);
    close_life();
}

/* What the venue takes back of an entry is not there to be sold, also when that has
 * ended, and an exit that has; and what it lets stand again is. */
static void taken_back(void)
{
    open_life();
    enter(10);
    calm_down();
    trade(1, 10 * ONE);
    calm_down();
    take_back(1, 3 * ONE);
    calm_down();
    ok(l->at[2].quantity == 7 * ONE && l->at[3].quantity == 7 * ONE,
       "exits are for what is left of an entry that has ended");
    trade(2, 5 * ONE);
    take_back(2, 1 * ONE);
    calm_down();
    ok(l->at[3].quantity == 3 * ONE, "and of what the other one has traded");
    take_back(1, 7 * ONE);
    calm_down();
    ok(!l->at[2].open && !l->at[3].open, "they go where nothing is left");
    close_life();
    open_life();
    enter(10);
    calm_down();
    trade(1, 10 * ONE);
    calm_down();
    trade(2, 10 * ONE);
    l->refuses = true;
    calm_down();
    take_back(2, 4 * ONE);
    l->refuses = false;
    calm_down();
    ok(!l->at[2].open && l->at[3].quantity == 4 * ONE,
       "and stay for what an exit has not traded after all");
    close_life();
}

/* ---- orders of a former run, and what happens after their end ---- */

/* Of a former run, which the venue has. */
static void enter_former(int id, int quantity, uint64_t parent)
{
    struct tw_order *o = order_of((uint64_t)id);

    *o = (struct tw_order){ .id = (uint64_t)id, .symbol = 1, .type = TW_TYPE_LIMIT,
        .side = TW_SIDE_SELL, .tif = TW_TIF_GTC, .quantity = quantity * ONE,
        .price = 11 * ONE, .status = TW_STATUS_PENDING_NEW, .parent = parent,
        .group = parent, .terms = &l->g->terms };
    l->at[id] = (struct at){ true, true, quantity * ONE, 0 };
    if (tw_broker_enter(l->g->b, o, 0) < 0) abort();
    say((uint64_t)id, TW_EXEC_NEW, 0, false, false);
}

/* What their entry has traded nobody knows any more: they are for what they are. */
static void orphans(void)
{
    open_life();
    enter_former(1, 10, 40);
    enter_former(2, 10, 40);
    calm_down();
    trade(1, 4 * ONE);
    calm_down();
    ok(l->at[2].open && l->at[2].quantity == 6 * ONE,
       "exits of an entry that is not known leave each other what is left");
    trade(1, 6 * ONE);
    calm_down();
    ok(!l->at[2].open && !tw_order_is_open(order_of(2)), "and end each other");
    close_life();
}

/* What it has traded was taken back, and it trades again. */
static void reopened(void)
{
    open_life();
    enter(10);
    calm_down();
    trade(1, 10 * ONE);
    calm_down();
    l->at[1].open = true;
    take_back(1, 3 * ONE);
    calm_down();
    ok(tw_order_is_open(order_of(1)) && l->at[2].quantity == 7 * ONE,
       "an entry is open again");
    trade(1, 2 * ONE);
    calm_down();
    ok(l->at[2].quantity == 9 * ONE && l->at[3].quantity == 9 * ONE,
       "its exits grow with it");
    close_life();
}

/* Which of them is open again first does not matter. */
static void both_reopened(void)
{
    open_life();
    enter(10);
    enter(10);
    calm_down();
    trade(1, 10 * ONE);
    trade(4, 10 * ONE);
    calm_down();
    l->refuses = l->reopens = true;
    trade(2, 10 * ONE);
    trade(5, 10 * ONE);
    calm_down();
    take_back(2, 4 * ONE);
    take_back(5, 4 * ONE);
    trade(6, 2 * ONE);
    l->refuses = false;
    calm_down();
    ok(l->at[5].quantity == 8 * ONE && l->at[6].quantity == 4 * ONE,
       "exits of two brackets that are open again know those of their own (%d, %d)",
       (int)(l->at[5].quantity / ONE), (int)(l->at[6].quantity / ONE));
    close_life();
}

/* Nothing is left of what it has traded: its exits go, and so does it, as what else it
 * trades would have none; also where it had traded on by then, and is open again. */
static void bare_entry(void)
{
    for (int again = 0; again < 2; again++) {
        open_life();
        enter(10);
        calm_down();
        trade(1, 4 * ONE);
        calm_down();
        l->reopens = true;
        take_back(1, 4 * ONE);
        while (again && l->at_down < l->n_down) deliver();
        if (again) trade(1, 10 * ONE);
        calm_down();
        if (again) take_back(1, 3 * ONE);
        calm_down();
        ok(!l->at[2].open && !l->at[3].open && !l->at[1].open && l->at[2].known,
           "an entry does not go on without exits");
        close_life();
    }
}

static void late_of_group(void)
{
    open_life();
    for (int i = 0; i < 2; i++)
        submit(l->g, (struct tw_order){ .quantity = 10, .price = 900, .group = 1 });
    calm_down();
    trade(1, 3 * ONE);
    calm_down();
    tw_broker_cancel(l->g->b, order_of(1));
    calm_down();
    trade(1, 2 * ONE);
    l->at[1].open = false;
    l->down[l->n_down - 1].status = TW_STATUS_CANCELED;
    calm_down();
    ok(l->at[2].open && l->at[2].quantity == 5 * ONE,
       "a trade behind its end takes from the others of its group what it is");
    close_life();
}

/* Its owner asks for a price, and then its entry has less. */
static void priced(void)
{
    open_life();
    enter(10);
    calm_down();
    trade(1, 6 * ONE);
    calm_down();
    tw_broker_replace(l->g->b, order_of(2), 0, 1050 * (ONE / 100), 0, &error);
    take_back(1, 1 * ONE);
    while (l->at_down < l->n_down) deliver();
    ok(order_of(2)->asked_price == 1050 * (ONE / 100) && order_of(2)->coming == 5 * ONE,
       "the price that was asked for counts till it is answered");
    close_life();
}

/* Its owner asks for several sizes, of which the venue grants one: it is that one. */
static void cut_often(void)
{
    const int sizes[] = { 5, 7, 6, 8 };

    for (int granted = 0; granted < 4; granted++) {
        open_life();
        enter(10);
        calm_down();
        trade(1, 10 * ONE);
        calm_down();
        for (int i = 0; i < 4; i++)
            tw_broker_replace(l->g->b, order_of(2), sizes[i] * ONE, 0, 0, &error);
        for (int i = 0; i < 4; i++) {
            l->refuses = i != granted;
            take(&l->up[l->at_up++]);
        }
        l->refuses = false;
        calm_down();
        ok(l->at[2].quantity == sizes[granted] * ONE && l->at[3].quantity == 10 * ONE,
           "of four changes of an exit the one that was not refused stays");
        close_life();
    }
}

/* All of a group may trade before one is canceled; of a bracket's exits one counts. */
static void limited(void)
{
    const struct tw_order of_group = { .quantity = 6, .price = 900, .group = 1 };
    struct tw_order sell = { .quantity = 12, .side = TW_SIDE_SELL, .price = 1200 };

    open_limited((struct tw_limits){ .position = 12 * ONE });
    for (int i = 0; i < 3; i++) submit(l->g, of_group);
    is_told(l->g, "1 A, 2 A, 3 A, 3 8/4", "a group counts whole for a limit");
    close_life();
    open_limited((struct tw_limits){ .position = 12 * ONE });
    enter(10);
    calm_down();
    trade(1, 10 * ONE);
    calm_down();
    told(l->g);
    ok(l->at[2].open && l->at[3].open, "of two exits one counts");
    submit(l->g, sell);
    sell.quantity = 1;
    submit(l->g, sell);
    is_told(l->g, "4 A, 5 A, 5 8/4", "and no more of that side than the limit is left");
    close_life();
}

/* What was asked for counts until it is answered, and no longer; orders of a former run
 * count from when they are known. */
static void counted(void)
{
    struct tw_desk d;
    struct tw_order of_five = { .quantity = 5, .price = 900 }, *o;

    open_limited((struct tw_limits){ .position = 10 * ONE });
    submit(l->g, of_five);
    calm_down();
    l->refuses = true;
    tw_broker_replace(l->g->b, order_of(1), 10 * ONE, 0, 0, &error);
    told(l->g);
    submit(l->g, of_five);
    is_told(l->g, "2 A, 2 8/4", "a change that is asked for counts");
    calm_down();
    l->refuses = false;
    told(l->g);
    submit(l->g, of_five);
    is_told(l->g, "3 A", "till it was refused");
    close_life();

    tw_desk_init(&d, &(struct tw_limits){ .position = 10 * ONE, .open_orders = 2,
                                          .self_match = true });
    the_desk = &d;
    open_life();
    for (int i = 0; i < 2; i++) {
        o = &l->g->order[l->g->n++];
        *o = (struct tw_order){ .id = (uint64_t)i + 1, .symbol = 1, .tif = TW_TIF_GTC,
            .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT, .quantity = 8 * ONE,
            .price = 9 * ONE, .status = TW_STATUS_PENDING_NEW, .held = i == 1,
            .parent = (uint64_t)i };
        ok(tw_broker_enter(l->g->b, o, 0) == TW_OK, "of a former run");
    }
    ok(atomic_load(&d.open) == 1
       && atomic_load(&tw_desk_symbol(&d, 1)->buying) == 8 * ONE,
       "it counts for all scripts, unless it waits for its parent");
    ok(!tw_desk_quote_enter(&d, tw_desk_symbol(&d, 1), tw_desk_symbol(&d, 1)->quotes,
           &(struct tw_order){ .side = TW_SIDE_SELL, .price = 9 * ONE }),
       "and so does its price");
    tw_broker_cancel(l->g->b, &l->g->order[1]);
    close_life();
    the_desk = NULL;
    tw_desk_fini(&d);
}

/* What the gateway did not take counts for nobody. */
static void not_taken(void)
{
    struct tw_desk d;
    struct tw_desk_symbol *s;

    tw_desk_init(&d, &(struct tw_limits){ .position = 20 * ONE, .self_match = true });
    s = tw_desk_symbol(&d, 1);
    the_desk = &d;
    open_life();
    l->offline = true;
    submit(l->g, (struct tw_order){ .quantity = 5, .price = 900 });
    ok(order_of(1)->status == TW_STATUS_REJECTED && atomic_load(&d.open) == 0
       && atomic_load(&s->buying) == 0, "an order that was not sent is not open");
    l->offline = false;
    submit(l->g, (struct tw_order){ .quantity = 5, .price = 900 });
    calm_down();
    l->offline = true;
    tw_broker_replace(l->g->b, order_of(2), 10 * ONE, 950 * (ONE / 100), 0, &error);
    ok(atomic_load(&d.open) == 1 && atomic_load(&s->buying) == 5 * ONE
       && s->quotes->bid == 9 * ONE, "nor is a change that was not");
    l->offline = false;
    tw_account_trade(tw_broker_account(l->g->b), tw_account_position(
        tw_broker_account(l->g->b), 1, &l->g->terms), 9 * ONE, 7 * ONE, 0);
    ok(tw_broker_hold(l->g->b, 1) == TW_OK && atomic_load(&s->buying) == 12 * ONE
       && atomic_load(&s->selling) == -7 * ONE, "what is held of a former run counts");
    close_life();
    the_desk = NULL;
    tw_desk_fini(&d);
}

/* It knows no reduce-only orders: one goes where all of it reduces what is held. */
static void reduces(void)
{
    struct tw_order sell = { .quantity = 11, .side = TW_SIDE_SELL, .price = 1200,
                             .reduce_only = true };

    open_life();
    submit(l->g, (struct tw_order){ .quantity = 10 });
    calm_down();
    trade(1, 10 * ONE);
    calm_down();
    told(l->g);
    submit(l->g, sell);
    is_told(l->g, "2 A, 2 8/13", "it would do more than reduce");
    sell.quantity = 9;
    submit(l->g, sell);
    calm_down();
    ok(l->at[3].open && l->at[3].quantity == 9 * ONE, "or less");
    tw_broker_replace(l->g->b, order_of(3), 11 * ONE, 0, 0, &error);
    is_told(l->g, "3 9", "nor can it be made so large");
    tw_broker_replace(l->g->b, order_of(3), 10 * ONE, 0, 0, &error);
    calm_down();
    ok(l->at[3].quantity == 10 * ONE, "but as large as what is held");
    close_life();
}

/* A time that is over is refused here, one that is not goes. */
static void expires(void)
{
    struct tw_order o = { .quantity = 1, .price = 900, .tif = TW_TIF_GTD };

    open_life();
    tw_broker_now(l->g->b, &o.expire_ns, &(uint64_t){ 0 });
    submit(l->g, o);
    is_told(l->g, "1 A, 1 8/27", "it ends now");
    o.expire_ns++;
    submit(l->g, o);
    is_told(l->g, "2 A", "it ends later");
    close_life();
}

int main(void)
{
    limited();
    counted();
    not_taken();
    reduces();
    expires();
    random_brackets();
    random_groups();
    refuses_all();
    cheats();
    taken_back();
    orphans();
    reopened();
    both_reopened();
    bare_entry();
    late_of_group();
    priced();
    cut_often();
    return tap_done();
}
