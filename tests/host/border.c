/* border.c - the limits of all strategies at their very border: a model that adds up all
 * that is held and open says of each random order and change why it is refused, or not.
 *
 * Strategies of two currencies trade instruments of two, one of them on margin, at times
 * below 0; with groups, brackets, reduce-only orders, changes on their way and halts.
 * Accounts have no limits of their own.  Amounts of the desk are in the second currency.
 */
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"
#include "trade/broker.h"
#include "trade/terms.h"

#define ONE TW_FIXED_ONE
#define CENT (ONE / 100)
#define EPOCH_S INT64_C(9223372037)          /* see risk.c */

enum { STRATEGIES = 4, SYMBOLS = 3, ORDERS = 3000, STEPS = 8000 };

struct strategy {
    struct tw_broker *b;
    struct tw_order *order;
    unsigned n;
    struct tw_terms terms[SYMBOLS + 1];
    int64_t of_desk, of_third;               /* what 1 of that costs in its own */
    uint64_t venue;
};

static struct tw_desk desk;
static struct strategy all[STRATEGIES];
static int64_t now_ns, cents[SYMBOLS + 1];
static unsigned refused[TW_REASONS], changed[TW_REASONS], differ;

static int64_t below(uint64_t limit)
{
    return (int64_t)(next() % limit);
}

static const struct tw_terms *terms_of(void *ctx, uint32_t symbol)
{
    return &((struct strategy *)ctx)->terms[symbol];
}

static int sign_of(uint8_t side)
{
    return side == TW_SIDE_BUY ? 1 : -1;
}

/* ---- the model ---- */

static tw_money far(tw_money v)
{
    return v < 0 ? -v : v;
}

static bool is_out(const struct tw_order *o)
{
    return tw_order_is_open(o) && !o->held;
}

/* What is asked about, and what it may trade in all: as another order, or a change of one
 * that is open. */
struct question { const struct tw_order *o; int64_t may; };

static int64_t left_of(const struct tw_order *o, const struct question *q)
{
    int64_t most = o->asked > o->quantity ? o->asked : o->quantity;

    if (q && o == q->o) return q->may;
    return is_out(o) ? most - o->cum_qty : 0;
}

/* Of a group the largest of a side counts, the first of those. */
static bool counts(const struct strategy *s, const struct tw_order *o,
                   const struct question *q)
{
    int64_t own = left_of(o, q);

    for (unsigned i = 0; o->group && i < s->n; i++) {
        const struct tw_order *other = &s->order[i];
        int64_t left = left_of(other, q);

        if (other == o || other->group != o->group || other->side != o->side) continue;
        if (left > own || (left == own && other < o)) return false;
    }
    return true;
}

/* Held and open, on that side. */
static tw_money reach(const struct strategy *s, uint32_t symbol, uint8_t side,
                      const struct question *q)
{
    tw_money sum = sign_of(side) * tw_broker_held(s->b, symbol);

    for (unsigned i = 0; i < s->n; i++) {
        const struct tw_order *o = &s->order[i];

        if (o->symbol == symbol && o->side == side && left_of(o, q) > 0
            && counts(s, o, q))
            sum += left_of(o, q);
    }
    return sum;
}

static int64_t any_price(const struct tw_order *o)
{
    return o->price ? o->price : o->side == TW_SIDE_BUY ? INT64_MAX : 1;
}

static bool meets(const struct tw_order *o, const struct tw_order *other)
{
    int sign = sign_of(o->side);
    int64_t own = any_price(o);

    if (!is_out(other) || other->pending_cancel || other->symbol != o->symbol
        || other->side == o->side)
        return false;
    return (sign > 0 ? own >= any_price(other) : own <= any_price(other))
        || (other->asked_price && (sign > 0 ? own >= other->asked_price
                                            : own <= other->asked_price));
}

static bool meets_any(const struct strategy *s, const struct tw_order *o,
                      const struct question *q)
{
    for (const struct strategy *i = all; i < all + STRATEGIES; i++)
        for (unsigned k = 0; i->venue == s->venue && k < i->n; k++)
            if (&i->order[k] != q->o && meets(o, &i->order[k])) return true;
    return false;
}

static bool is_too_far(int64_t price, int64_t last)
{
    return price && last && far((tw_money)price - last)
        > tw_money_ratio(far(last), desk.limits.collar, ONE);
}

/* All multipliers and quantities are whole. */
static tw_money value_of(const struct strategy *s, const struct tw_order *o)
{
    const struct tw_terms *t = &s->terms[o->symbol];
    int64_t price = o->price ? o->price : o->stop;
    tw_money value, rate = t->currency ? s->of_third : ONE;

    if (!price) price = tw_broker_price(s->b, o->symbol);
    value = far((tw_money)price * (o->quantity / ONE));
    if (t->multiplier) value *= t->multiplier / ONE;
    return tw_money_ratio(value, (int64_t)tw_money_ratio(rate, ONE, s->of_desk), ONE);
}

static enum tw_reason check_alone(const struct strategy *s, const struct tw_order *o)
{
    const struct tw_limits *l = &desk.limits;
    int64_t last = tw_broker_price(s->b, o->symbol);

    if (o->reduce_only && sign_of(o->side) * tw_broker_held(s->b, o->symbol) >= 0)
        return TW_REASON_REDUCE_ONLY;
    if (!o->reduce_only && o->quantity > l->order_quantity) return TW_REASON_ORDER_SIZE;
    if (!o->reduce_only && value_of(s, o) > l->order_value) return TW_REASON_ORDER_VALUE;
    return is_too_far(o->price, last) || is_too_far(o->stop, last) ? TW_REASON_COLLAR
                                                                   : TW_REASON_NONE;
}

/* Why it is to be refused: the order as it would be, without what has traded of it. */
static enum tw_reason expect(const struct strategy *s, const struct tw_order *o,
                             const struct question *q, bool grows)
{
    const struct tw_limits *l = &desk.limits;
    enum tw_reason why = check_alone(s, o);
    tw_money own = reach(s, o->symbol, o->side, q) - q->may + o->quantity, sum = 0;

    if (tw_desk_is_halted(&desk)) return TW_REASON_HALTED;
    if (why != TW_REASON_NONE) return why;
    for (const struct strategy *i = all; i < all + STRATEGIES; i++)
        sum += reach(i, o->symbol, o->side, i == s ? q : NULL);
    if (grows && sum > l->position && !o->reduce_only && !o->parent)
        return TW_REASON_NET_POSITION;
    if (!o->reduce_only && own > 0 && atomic_load(&desk.lost) >= l->daily_loss)
        return TW_REASON_DAILY_LOSS;
    return l->self_match && meets_any(s, o, q) ? TW_REASON_SELF_MATCH : TW_REASON_NONE;
}

/* And of a new one. */
static enum tw_reason expect_new(const struct strategy *s, const struct tw_order *o)
{
    enum tw_reason why = expect(s, o, &(struct question){ o, o->quantity }, true);
    bool same = atomic_load(&desk.second) == now_ns / ONE + EPOCH_S;
    unsigned open = 1;

    if (why != TW_REASON_NONE) return why;
    if (same && atomic_load(&desk.sent) >= desk.limits.orders)
        return TW_REASON_ORDER_RATE;
    for (const struct strategy *i = all; i < all + STRATEGIES; i++)
        for (unsigned k = 0; k < i->n; k++) open += &i->order[k] != o
                                                  && is_out(&i->order[k]);
    return open > desk.limits.open_orders && !o->reduce_only ? TW_REASON_OPEN_ORDERS
                                                             : TW_REASON_NONE;
}

/* ---- what the desk has ---- */

static void audit(void)
{
    tw_money lost = 0;
    unsigned open = 0;

    for (const struct strategy *s = all; s < all + STRATEGIES; s++) {
        struct tw_account *a = tw_broker_account(s->b);

        lost += tw_money_ratio(tw_account_deposits(a) - tw_account_equity(a), ONE,
                               s->of_desk);
        for (unsigned i = 0; i < s->n; i++) open += is_out(&s->order[i]);
    }
    differ += lost != atomic_load(&desk.lost) || open != atomic_load(&desk.open);
    for (uint32_t symbol = 1; symbol <= SYMBOLS; symbol++) {
        struct tw_desk_symbol *d = tw_desk_symbol(&desk, symbol);
        tw_money buying = 0, selling = 0;

        for (const struct strategy *s = all; s < all + STRATEGIES; s++) {
            buying += reach(s, symbol, TW_SIDE_BUY, NULL);
            selling += reach(s, symbol, TW_SIDE_SELL, NULL);
        }
        differ += buying != atomic_load(&d->buying)
               || selling != atomic_load(&d->selling);
    }
}

/* ---- strategies ---- */

/* Why the order was refused. */
static enum tw_reason told(struct strategy *s, const struct tw_order *o)
{
    enum tw_reason why = TW_REASON_NONE;
    struct tw_told t;

    while (tw_broker_next(s->b, &t))
        if (t.order == o && (t.report.exec == TW_EXEC_REJECTED
                             || t.report.exec == TW_EXEC_CANCEL_REJECTED))
            why = (enum tw_reason)t.report.reason;
    return why;
}

static void compare(const char *what, const struct strategy *s, const struct tw_order *o,
                    enum tw_reason want, enum tw_reason got)
{
    if (want == got || differ++ > 9) return;
    printf("# %s of %d, order %d: '%s', not '%s'\n", what, (int)(s - all), (int)o->id,
           tw_reason_text(got), tw_reason_text(want));
}

static void send(struct strategy *s, struct tw_order *o)
{
    struct tw_error error;

    if (tw_broker_submit(s->b, o, &error) < 0) abort();
}

static int64_t at_least_a_cent(int64_t price)
{
    return price > 0 ? price * CENT : CENT;
}

static void submit(struct strategy *s)
{
    struct tw_order *o = &s->order[s->n], *last = s->n > 0 ? o - 1 : NULL;
    int64_t kind = below(6), at;
    enum tw_reason want, got;

    if (s->n + 3 > ORDERS) return;
    *o = (struct tw_order){ .symbol = 1 + (uint32_t)below(SYMBOLS), .tif = TW_TIF_GTC,
        .type = kind == 0 ? TW_TYPE_MARKET : kind == 1 ? TW_TYPE_STOP : TW_TYPE_LIMIT,
        .side = below(2) ? TW_SIDE_BUY : TW_SIDE_SELL, .quantity = (1 + below(20)) * ONE,
        .reduce_only = below(8) == 0 };
    if (below(6) == 0) {
        bool joins = last && last->group && !last->parent && below(4);

        o->group = joins ? last->group : tw_broker_next_id(s->b);
        if (joins) o->symbol = last->symbol;
    }
    at = cents[o->symbol];
    if (kind == 1) o->stop = at_least_a_cent(at + sign_of(o->side) * below(30));
    else if (kind > 1) o->price = at_least_a_cent(at + below(60) - 30);
    s->n++;
    want = expect_new(s, o);
    send(s, o);
    got = told(s, o);
    refused[got]++;
    compare("an order", s, o, want, got);
}

static void add_exits(struct strategy *s)
{
    const struct tw_order *entry = &s->order[s->n - 1];

    if (s->n == 0 || s->n + 2 > ORDERS || !is_out(entry) || entry->group
        || entry->parent || entry->cum_qty || entry->type != TW_TYPE_LIMIT)
        return;
    for (int stop = 0; stop < 2; stop++) {
        struct tw_order *o = &s->order[s->n++];
        int64_t by = sign_of(entry->side) * (stop ? -40 : 15);

        *o = (struct tw_order){ .symbol = entry->symbol, .tif = TW_TIF_GTC,
            .side = entry->side == TW_SIDE_BUY ? TW_SIDE_SELL : TW_SIDE_BUY,
            .type = stop ? TW_TYPE_STOP : TW_TYPE_LIMIT, .quantity = entry->quantity,
            .parent = entry->id, .reduce_only = true };
        *(stop ? &o->stop : &o->price) = at_least_a_cent(entry->price / CENT + by);
        send(s, o);
        told(s, o);
    }
}

static void change(struct strategy *s)
{
    struct tw_order *o, rest;
    int64_t quantity = 0, price = 0, may;
    enum tw_reason want, got;
    struct tw_error error;

    if (s->n == 0) return;
    o = &s->order[s->n - 1 - (unsigned)below(s->n < 40 ? s->n : 40)];
    if (!is_out(o) || o->pending_cancel || o->parent) return;
    if (below(4) == 0) {
        tw_broker_cancel(s->b, o);
        told(s, o);
        return;
    }
    if (below(3)) quantity = o->cum_qty + (1 + below(22)) * ONE;
    if (o->price && !o->children && below(2))
        price = at_least_a_cent(o->price / CENT + below(41) - 20);
    rest = *o;
    if (price) rest.price = price;
    if (quantity) rest.quantity = quantity;
    may = rest.quantity > o->asked ? rest.quantity : o->asked;
    if (o->quantity > may) may = o->quantity;
    rest.quantity -= o->cum_qty;
    want = expect(s, &rest, &(struct question){ o, may - o->cum_qty },
                  rest.quantity > o->quantity - o->cum_qty);
    if (want != TW_REASON_REDUCE_ONLY && want != TW_REASON_HALTED
        && rest.price == o->price && rest.quantity <= o->quantity - o->cum_qty)
        want = TW_REASON_NONE;                    /* it only becomes less */
    if (tw_broker_replace(s->b, o, quantity, price, 0, &error) < 0) abort();
    got = told(s, o);
    changed[got]++;
    compare("a change", s, o, want, got);
}

static void record(uint64_t seq)
{
    uint32_t symbol = 1 + (uint32_t)below(SYMBOLS);
    struct tw_record r = { .kind = TW_QUOTE, .symbol = symbol, .seq = seq };
    int64_t at = cents[symbol] += below(9) - 4, size = (1 + below(12)) * ONE;

    r.time = now_ns += below(3) == 0 ? below(3) * ONE / 2 : 0;
    r.quote = (struct tw_quote){ at * CENT, (at + 2) * CENT, size, size };
    for (int i = 0; i < STRATEGIES; i++) {
        if (tw_broker_record(all[i].b, &r) < 0) abort();
        told(&all[i], NULL);
    }
}

/* The last one's own currency is the desk's. */
static void begin(struct strategy *s, unsigned life)
{
    bool is_last = s == all + STRATEGIES - 1;
    struct tw_latency latency = { .kind = TW_LATENCY_UNIFORM, .max_ns = life % 3 * ONE };
    struct tw_account *a;

    *s = (struct strategy){ .venue = (uint64_t)(s - all) % 2, .of_third = ONE / 2,
        .order = calloc(ORDERS, sizeof *s->order),
        .of_desk = is_last ? ONE : ONE / 4 * 5 };
    s->b = tw_broker_new(&(struct tw_broker_options){ .desk = &desk, .venue = s->venue,
        .currency = is_last ? "EUR" : "USD", .terms = terms_of, .ctx = s,
        .simulator = { .model = life % 2 ? TW_FILL_QUOTE : TW_FILL_QUEUE, .seed = life,
                       .submit = latency, .cancel = latency } });
    a = tw_broker_account(s->b);
    tw_account_deposit(a, 0, 1000000 * (tw_money)ONE);
    tw_account_set_rate(a, (uint32_t)tw_account_currency(a, "EUR"), s->of_desk);
    s->terms[2] = (struct tw_terms){ .multiplier = 2 * ONE, .margin = 3 * ONE,
                                     .settles_daily = true };
    s->terms[3].currency = (uint32_t)tw_account_currency(a, "JPY");
    tw_account_set_rate(a, s->terms[3].currency, s->of_third);
}

static void live(unsigned life)
{
    tw_desk_init(&desk, &(struct tw_limits){ .order_quantity = 19 * ONE,
        .order_value = 190 * (tw_money)ONE, .collar = ONE / 40, .position = 60 * ONE,
        .open_orders = 40, .orders = 12, .self_match = life % 3 != 0,
        .daily_loss = (life % 2 ? 12 : 60) * (tw_money)ONE });
    memcpy(desk.currency, "EUR", 4);
    now_ns = INT64_C(1700000000) * ONE;
    for (int i = 1; i <= SYMBOLS; i++) cents[i] = life % 4 == 3 && i == 2 ? -500
                                                : 900 + 100 * i;
    for (int i = 0; i < STRATEGIES; i++) begin(&all[i], life);
    for (unsigned i = 1; i <= STEPS; i++) {
        struct strategy *s = &all[below(STRATEGIES)];

        switch (below(8)) {
        case 0: case 1: submit(s); break;
        case 2: submit(s); add_exits(s); break;
        case 3: case 4: change(s); break;
        case 5:
            if (below(tw_desk_is_halted(&desk) ? 4 : 50) == 0)
                tw_desk_halt(&desk, !tw_desk_is_halted(&desk));
            break;
        default: record(i); audit();
        }
    }
    for (int i = 0; i < STRATEGIES; i++) {
        tw_broker_free(all[i].b);
        free(all[i].order);
    }
    tw_desk_fini(&desk);
}

int main(void)
{
    static const enum tw_reason each[] = { TW_REASON_NONE, TW_REASON_HALTED,
        TW_REASON_ORDER_SIZE, TW_REASON_ORDER_VALUE, TW_REASON_COLLAR,
        TW_REASON_NET_POSITION, TW_REASON_DAILY_LOSS, TW_REASON_SELF_MATCH };
    unsigned orders = 0, changes = 0, missing = 0;

    for (unsigned life = 0; life < (getenv("SMALL") ? 4 : 12); life++) live(life);
    for (unsigned i = 0; i < TW_REASONS; i++) {
        orders += refused[i];
        changes += changed[i];
    }
    ok(differ == 0, "%u orders and %u changes are decided as the model does", orders,
       changes);
    for (unsigned i = 0; i < sizeof each / sizeof *each; i++) {
        missing += refused[each[i]] == 0 || changed[each[i]] == 0;
        printf("# %u and %u: %s\n", refused[each[i]], changed[each[i]],
               tw_reason_text(each[i]));
    }
    ok(missing == 0 && refused[TW_REASON_REDUCE_ONLY] && refused[TW_REASON_ORDER_RATE]
       && refused[TW_REASON_OPEN_ORDERS], "for each reason that there is");
    return tap_done();
}
