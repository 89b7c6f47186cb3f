/* broker.c - one strategy's orders: checked, sent, reported, booked. */
#include "trade/broker.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "tape/bar.h"
#include "trade/broker_parts.h"
#include "trade/fees.h"
#include "trade/plain.h"

/* ---- telling ---- */

static void tell(struct tw_broker *b, struct tw_order *o, const struct tw_report *r)
{
    const struct tw_position *p = tw_account_find(b->account, o->symbol);
    struct tw_told *to;

    if (tw_told_reserve(&b->told, 1) < 0) {
        b->lost = true;
        return;
    }
    to = tw_told_put(&b->told);
    to->order = o;
    to->report = *r;
    to->position = p ? p->quantity : 0;
    to->filled = o->cum_qty;
    to->status = (uint8_t)tw_order_status(o);
    o->untold++;
}

bool tw_broker_next(struct tw_broker *b, struct tw_told *out)
{
    if (!tw_told_take(&b->told, out)) return false;
    out->order->untold--;
    return true;
}

size_t tw_broker_untold(const struct tw_broker *b)
{
    return b->told.n;
}

struct tw_order *tw_broker_untold_order(const struct tw_broker *b, size_t i)
{
    return tw_told_at(&b->told, i)->order;
}

/* ---- reports ---- */

/* The currency of what is charged in another than the instrument's; below 0: there are
 * too many.  *value: what that is in the instrument's. */
static int other_of(const struct tw_broker *b, const struct tw_terms *terms,
                    const struct tw_charge *c, tw_money *value)
{
    uint32_t own = terms ? terms->currency : 0;
    int of = c->other ? tw_account_currency(b->account, c->currency) : -1;

    *value = of < 0 ? 0 : tw_account_exchange(b->account, c->other, (uint32_t)of, own);
    return of;
}

void tw_broker_charge(struct tw_broker *b, const struct tw_order *o, struct tw_report *r)
{
    tw_money value;

    tw_fees_charge(o->terms ? o->terms->fees : NULL, o, tw_account_traded(b->account), r);
    other_of(b, o->terms, &r->charge, &value);
    r->fee += value;
}

void tw_broker_book(struct tw_broker *b, uint32_t symbol, const struct tw_terms *terms,
                    int sign, const struct tw_report *r)
{
    struct tw_position *p;
    tw_money value;
    int other;

    tw_broker_catch_up(b);
    p = tw_account_position(b->account, symbol, terms);
    if (!p) {
        b->lost = true;
        return;
    }
    other = other_of(b, terms, &r->charge, &value);
    if (r->exec == TW_EXEC_TRADE_CANCELED) {
        tw_account_take_back(b->account, p, r->last_px, sign * r->last_qty,
                             r->fee - value);
        sign = -sign;
    } else {
        tw_account_trade(b->account, p, r->last_px, sign * r->last_qty, r->fee - value);
    }
    if (other >= 0)
        tw_account_charge(b->account, p, (uint32_t)other, r->charge.other, value);
    tw_broker_spent(b, p, sign, r->time_ns);
}

/* Of a change that was asked for. */
static bool is_answer(const struct tw_report *r)
{
    return r->exec == TW_EXEC_REPLACED || r->exec == TW_EXEC_CANCEL_REJECTED;
}

/* It is open, without having been sent.  False: no memory. */
static bool enlist(struct tw_broker *b, struct tw_order *o)
{
    tw_broker_catch_up(b);
    if (!tw_broker_make_room(b, o->symbol)) return false;
    tw_broker_enlist(b, o);
    if (o->held) return true;
    if (tw_broker_desk(b)) tw_desk_add(b->o.desk);
    if (b->shares) tw_broker_share(b, o, true);
    return true;
}

/* Once more. */
static bool reopen(struct tw_broker *b, struct tw_order *o)
{
    if (!enlist(b, o)) return false;
    tw_broker_reopen(b, o);
    return true;
}

/* The quantity is one that its owner has asked for. */
static void grant(struct tw_order *o, int64_t quantity)
{
    int64_t *w = o->wish;

    while (w < o->wish + TW_WISHES && *w != quantity && *w != -quantity) w++;
    if (w == o->wish + TW_WISHES) return;
    o->most = quantity;
    o->has_most = *w < 0;
    *w = 0;
}

/* From the venue, or from here. */
static void report(void *ctx, struct tw_order *o, const struct tw_report *r)
{
    struct tw_broker *b = ctx;
    int64_t before = tw_broker_beyond(b, o);
    struct tw_report charged;

    if (tw_report_is_trade(r)) {
        charged = *r;
        tw_broker_charge(b, o, &charged);
        r = &charged;
    }
    if (!tw_order_apply(o, r)) return;
    if (r->exec == TW_EXEC_REPLACED) grant(o, r->quantity);
    if (o->requests == 0 && is_answer(r)) {
        o->asked = o->asked_price = 0;
        memset(o->wish, 0, sizeof o->wish);
    }
    tw_broker_add(b, o, tw_broker_beyond(b, o) - before);
    if (tw_report_is_trade(r))
        tw_broker_book(b, o->symbol, o->terms, tw_order_sign(o), r);
    tw_broker_traded(b, o, r);
    if (!tw_order_is_open(o)) tw_broker_delist(b, o);
    else if (!o->link) b->lost |= !reopen(b, o);
    if (b->shares && r->exec != TW_EXEC_PENDING_NEW)
        tw_broker_share(b, o, is_answer(r));
    if (b->probe)
        tw_probe_report(b->probe, o, r, tw_simulator_market(b->venue, o->symbol));
    tell(b, o, r);
    tw_broker_relate(b, o, r);
}

/* off: what is at no tick, or no lot; 0. */
static void refuse_for(struct tw_broker *b, struct tw_order *o, enum tw_exec_type exec,
                       enum tw_reason reason, int64_t off)
{
    report(b, o, &(struct tw_report){ .order = o->id, .exec = (uint8_t)exec,
        .reason = (uint8_t)reason, .time_ns = b->now_ns, .seq = b->seq,
        .last_px = off, .of_change = true });
}

void tw_broker_say(struct tw_broker *b, struct tw_order *o, enum tw_exec_type exec,
                   enum tw_reason reason)
{
    refuse_for(b, o, exec, reason, 0);
}

/* ---- sending ---- */

static int dispatch(struct tw_broker *b, struct tw_order *o)
{
    if (!b->o.gateway) return tw_simulator_submit(b->venue, o);
    return b->o.gateway->submit(b->o.gateway->ctx, o);
}

uint64_t tw_broker_later_id(const struct tw_broker *b, unsigned n)
{
    return b->o.first_id + (b->n_orders + n) * b->o.id_step;
}

uint64_t tw_broker_next_id(const struct tw_broker *b)
{
    return tw_broker_later_id(b, 0);
}

int tw_broker_check(struct tw_broker *b, struct tw_order *o, struct tw_error *error)
{
    char text[TW_FIXED_TEXT];

    tw_broker_catch_up(b);
    o->terms = b->o.terms ? b->o.terms(b->o.ctx, o->symbol) : NULL;
    if (o->part > 0) {
        int64_t price = o->price ? o->price : tw_broker_price(b, o->symbol);

        if (price <= 0)
            return tw_fail(error, TW_EUSAGE, "no price is known that a part of the equity"
                           " could be turned into a quantity with");
        o->quantity = tw_broker_size(b, o, price);
        if (o->quantity == INT64_MAX) {
            tw_fixed_format(price, text);
            return tw_fail(error, TW_EUSAGE, "that part of the equity is more than 9.2e9"
                           " at %s", text);
        }
        if (o->quantity == 0) {               /* refused when it is sent */
            o->quantity = o->terms && o->terms->lot ? o->terms->lot : 1;
            o->unaffordable = true;
        }
    }
    return tw_order_check(o, error);
}

int tw_broker_reserve(struct tw_broker *b, const struct tw_order *o)
{
    if (tw_told_reserve(&b->told, 1) < 0 || !tw_broker_make_room(b, o->symbol))
        return UV_ENOMEM;
    return b->o.gateway ? TW_OK : tw_simulator_reserve(b->venue, o);
}

size_t tw_broker_bytes(const struct tw_broker *b)
{
    return sizeof *b + tw_simulator_bytes(b->venue) + tw_account_bytes(b->account)
        + b->told.room * sizeof *b->told.item + b->size * sizeof *b->by_id
        + b->n_sums * sizeof *b->sum + b->o.limits.orders * sizeof *b->sent;
}

int tw_broker_submit(struct tw_broker *b, struct tw_order *o, struct tw_error *error)
{
    enum tw_reason why;
    int rc = tw_broker_check(b, o, error);

    if (rc < 0) return rc;
    if (tw_told_reserve(&b->told, 1) < 0 || !tw_broker_make_room(b, o->symbol))
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    o->id = tw_broker_next_id(b);
    o->number = ++b->n_orders;
    o->time_ns = b->now_ns;
    o->seq = b->seq;
    o->held = o->parent != 0;
    if (o->parent && !o->group) o->group = o->parent;
    tw_broker_enlist(b, o);
    tw_broker_say(b, o, TW_EXEC_PENDING_NEW, TW_REASON_NONE);
    if (o->held) {
        bool is_alone = !tw_broker_find(b, o->parent);   /* it was refused at once */

        if (is_alone) tw_broker_say(b, o, TW_EXEC_CANCELED, TW_REASON_PARENT);
        else tw_broker_keep(b, o, true);
        return TW_OK;
    }
    if (o->exit_off) why = TW_REASON_TICK;
    else if (o->misplaced) why = TW_REASON_BRACKET;
    else if (!o->unaffordable) why = tw_broker_may_go(b, o);
    else why = tw_broker_has_rate(b, o) ? TW_REASON_BUYING_POWER : TW_REASON_RATE;
    if (why == TW_REASON_NONE && b->o.limits.orders)
        b->sent[b->n_sent++ % b->o.limits.orders] = b->clock_ns;
    rc = why == TW_REASON_NONE ? dispatch(b, o) : TW_OK;
    if (rc < 0) {
        if (tw_broker_desk(b)) tw_desk_leave(b->o.desk);
        why = tw_plain_reason(rc);
    }
    if (why != TW_REASON_NONE) {
        tw_broker_set_held(b, o, true);  /* the desk does not count it */
        refuse_for(b, o, TW_EXEC_REJECTED, why, o->exit_off);
    }
    return TW_OK;
}

int tw_broker_enter(struct tw_broker *b, struct tw_order *o, int64_t parent_qty)
{
    if (!enlist(b, o)) return UV_ENOMEM;
    tw_broker_rejoin(b, o, parent_qty);
    return TW_OK;
}

int tw_broker_hold(struct tw_broker *b, uint32_t symbol)
{
    if (!b->shares) return TW_OK;
    if (!tw_broker_make_room(b, symbol)) return UV_ENOMEM;
    tw_broker_share(b, &(struct tw_order){ .symbol = symbol }, true);
    return TW_OK;
}

/* What the gateway did not take is refused as by the venue: it is not connected, say. */
static int refuse(struct tw_broker *b, struct tw_order *o, int rc)
{
    if (!b->o.gateway || rc == UV_ENOMEM) return rc;
    tw_broker_say(b, o, TW_EXEC_CANCEL_REJECTED, tw_plain_reason(rc));
    return TW_OK;
}

int tw_broker_cancel(struct tw_broker *b, struct tw_order *o)
{
    int rc;

    if (!tw_order_is_open(o)) return TW_EUSAGE;
    if (o->held) {
        tw_broker_say(b, o, TW_EXEC_CANCELED, TW_REASON_NONE);
        return TW_OK;
    }
    rc = b->o.gateway ? b->o.gateway->cancel(b->o.gateway->ctx, o)
                      : tw_simulator_cancel(b->venue, o, b->now_ns);
    if (rc != TW_OK) return refuse(b, o, rc);
    tw_broker_say(b, o, TW_EXEC_PENDING_CANCEL, TW_REASON_NONE);
    return TW_OK;
}

static bool is_better(const struct tw_order *o, int64_t price, int64_t than)
{
    return than == 0 || tw_order_sign(o) * price > tw_order_sign(o) * than;
}

/* They count until they are answered. */
void tw_broker_asks(struct tw_broker *b, struct tw_order *o, int64_t quantity,
                    int64_t price)
{
    tw_broker_ask(b, o, quantity > o->asked ? quantity : o->asked,
        is_better(o, price, o->asked_price) ? price : o->asked_price);
}

/* What it would be for, if its owner had not said. */
static int64_t full_size(const struct tw_broker *b, const struct tw_order *o)
{
    const struct tw_order *parent = o->held ? tw_broker_find(b, o->parent) : NULL;

    return parent ? parent->quantity : o->entry_qty - o->others_qty;
}

/* Its owner wants it so large (0: as it is): it is no larger then, where that is less
 * than it would be.  Zero: nobody has traded it. */
static void wish(const struct tw_broker *b, struct tw_order *o, int64_t quantity)
{
    int64_t full = full_size(b, o);

    if (quantity == 0 || !(o->parent || o->has_most)) return;
    memmove(o->wish + 1, o->wish, sizeof o->wish - sizeof *o->wish);
    o->wish[0] = !o->parent || quantity < full ? -quantity : quantity;
    if (o->held) grant(o, quantity);
}

/* It waits here: no one else need agree. */
static void change_held(struct tw_broker *b, struct tw_order *o,
                        const struct tw_order *next)
{
    o->quantity = next->quantity;
    o->price = next->price;
    o->stop = next->stop;
    tw_broker_keep(b, o, true);
    if (b->probe)
        tw_probe_request(b->probe, o, TW_STEP_REPLACE, b->now_ns, b->now_ns,
            &(struct tw_report){ .quantity = o->quantity, .price = o->price,
                                 .stop = o->stop });
}

int tw_broker_replace(struct tw_broker *b, struct tw_order *o, int64_t quantity,
                      int64_t price, int64_t stop, struct tw_error *error)
{
    struct tw_order next = *o;
    enum tw_reason why;
    int64_t asked, at, off, wished[TW_WISHES];
    int rc;

    if (!tw_order_is_open(o)) return tw_fail(error, TW_EUSAGE, "the order is not open");
    if (tw_order_is_exit(o) && !o->held && !o->reduce_only && quantity > full_size(b, o)
        && full_size(b, o) > o->cum_qty)
        quantity = full_size(b, o);              /* more would turn the position */
    if (quantity) next.quantity = quantity;
    if (price) next.price = price;
    if (stop) next.stop = stop;
    rc = tw_order_check(&next, error);
    if (rc < 0) return rc;
    off = o->held ? tw_order_off_grid(&next, TW_REASON_TICK) : 0;
    if (off || tw_broker_misplaces(b, o, &next)) {
        refuse_for(b, o, TW_EXEC_CANCEL_REJECTED,
                   off ? TW_REASON_TICK : TW_REASON_BRACKET, off);
        return TW_OK;
    }
    if (o->held) {
        wish(b, o, quantity);
        change_held(b, o, &next);
        return TW_OK;
    }
    asked = o->asked;
    at = o->asked_price;
    tw_broker_asks(b, o, next.quantity, next.price);
    why = tw_broker_may_change(b, o, &next);
    if (why != TW_REASON_NONE) {
        tw_broker_ask(b, o, asked, at);
        refuse_for(b, o, TW_EXEC_CANCEL_REJECTED, why, tw_order_off_grid(&next, why));
        return TW_OK;
    }
    memcpy(wished, o->wish, sizeof wished);
    wish(b, o, quantity);
    rc = b->o.gateway ? b->o.gateway->replace(b->o.gateway->ctx, o, quantity, price, stop)
                      : tw_simulator_replace(b->venue, o, quantity, price, stop,
                                             b->now_ns);
    if (rc == TW_OK) {
        if (quantity && b->o.gateway && b->o.gateway->is_plain) o->coming = quantity;
        tw_broker_say(b, o, TW_EXEC_PENDING_REPLACE, TW_REASON_NONE);
        return TW_OK;
    }
    memcpy(o->wish, wished, sizeof wished);
    tw_broker_ask(b, o, asked, at);
    tw_broker_share(b, o, true);
    rc = refuse(b, o, rc);
    return rc < 0 ? tw_fail(error, rc, "%s", tw_strerror(rc)) : TW_OK;
}

int tw_broker_cancel_all(struct tw_broker *b, uint32_t symbol,
                         bool (*stays)(const struct tw_order *o))
{
    struct tw_order *next;
    int n = 0, rc;

    for (struct tw_order *o = tw_broker_open_of(b, symbol, NULL); o; o = next) {
        next = tw_broker_open_of(b, symbol, o);
        if (o->pending_cancel || (stays && stays(o))) continue;
        rc = tw_broker_cancel(b, o);
        if (rc < 0) return rc;
        n++;
    }
    return n;
}

/* It waits no longer. */
void tw_broker_release(struct tw_broker *b, struct tw_order *o, int64_t quantity)
{
    enum tw_reason why;
    int rc;

    o->quantity = quantity;
    o->time_ns = b->now_ns;
    o->seq = b->seq;
    if (b->probe) tw_probe_parent(b->probe, o, quantity);
    tw_broker_set_held(b, o, false);
    why = tw_broker_may_go(b, o);
    if (why != TW_REASON_NONE) {
        tw_broker_set_held(b, o, true);  /* the desk does not count it */
        tw_broker_say(b, o, TW_EXEC_REJECTED, why);
        return;
    }
    rc = dispatch(b, o);
    if (rc == TW_OK) return;
    tw_broker_keep(b, o, false);
    tw_broker_say(b, o, TW_EXEC_REJECTED, tw_plain_reason(rc));
}

/* ---- records ---- */

/* Of an order that is none here: charged with what the venue says alone. */
static void book_stray(struct tw_broker *b, uint32_t symbol, uint8_t side,
                       struct tw_report *r)
{
    struct tw_order o = { .symbol = symbol, .side = side,
                          .terms = b->o.terms ? b->o.terms(b->o.ctx, symbol) : NULL };

    if (r->is_charged) tw_broker_charge(b, &o, r);
    tw_broker_book(b, symbol, o.terms, tw_order_sign(&o), r);
}

/* From a gateway: an execution of one of ours. */
static TW_APART void take_execution(struct tw_broker *b, const struct tw_record *r)
{
    const struct tw_execution *e = &r->execution;
    struct tw_order *o = tw_broker_find(b, e->order);
    struct tw_report done = tw_told_read(r, o);

    if (b->o.gateway->next && !b->o.gateway->next(b->o.gateway->ctx, r, &o, &done))
        return;
    done.seq = r->seq;
    done.taped = true;
    if (tw_report_is_trade(&done)) b->amends = done.is_amended;
    if (o && !tw_order_is_open(o) && tw_report_is_trade(&done)) done.late = e->status;
    if (o) report(b, o, &done);
    else if (tw_report_is_trade(&done) && b->o.gateway->next)
        book_stray(b, r->symbol, e->side, &done);
}

bool tw_broker_heeds(const struct tw_broker *b)
{
    return b->is_halted == tw_broker_is_halted(b);
}

int tw_broker_heed(struct tw_broker *b)
{
    if (tw_broker_heeds(b)) return TW_OK;
    b->is_halted = !b->is_halted;
    if (b->is_halted) b->lost |= tw_broker_cancel_all(b, 0, NULL) < 0;
    return b->lost ? UV_ENOMEM : TW_OK;
}

void tw_broker_begin(struct tw_broker *b, int64_t now_ns)
{
    b->begun = true;
    b->now_ns = b->read_ns = b->clock_ns = now_ns;
    for (unsigned i = 0; i < b->n_sent && i < b->o.limits.orders; i++)
        b->sent[i] = now_ns;
    for (struct tw_order *o = b->open; o; o = o->next) o->time_ns = now_ns;
    for (size_t i = 0; i < b->told.n; i++) {
        struct tw_told *t = (struct tw_told *)tw_told_at(&b->told, i);

        t->report.time_ns = t->order->time_ns = now_ns;
    }
    if (!b->o.gateway) tw_simulator_begin(b->venue, now_ns);
    if (b->probe) tw_probe_begin(b->probe, now_ns);
}

/* With the first record; a bar began before it came.  What was decided after another
 * record must not be of before that, but a clock may be years from this one. */
static TW_APART void begin(struct tw_broker *b, const struct tw_record *r)
{
    int64_t now_ns = r->kind == TW_BAR && !b->o.gateway ? tw_bar_began(r) : r->time;

    if (b->passed_ns > now_ns) now_ns = b->passed_ns < r->time ? b->passed_ns : r->time;
    tw_broker_begin(b, now_ns);
}

int tw_broker_record(struct tw_broker *b, const struct tw_record *r)
{
    bool is_market = r->kind == TW_QUOTE || r->kind == TW_TRADE || r->kind == TW_BAR;
    struct tw_position *p;
    int rc;

    if (!b->begun) begin(b, r);
    if (r->time > b->read_ns || b->seq == 0) b->read_ns = r->time;
    b->now_ns = b->read_ns;
    if (b->now_ns > b->clock_ns) b->clock_ns = b->now_ns;
    b->seq = r->seq;
    if (b->now_ns > b->day.close_ns) tw_broker_begin_day(b, b->now_ns);
    if (b->is_halted != tw_broker_is_halted(b)) tw_broker_heed(b);
    rc = tw_simulator_record(b->venue, r);
    if (b->o.gateway && r->kind == TW_ORDER && r->execution.script == b->o.script)
        take_execution(b, r);
    if (b->now_ns >= b->again_ns) tw_broker_ask_again(b);
    if (b->due && !b->amends) tw_broker_follow_all(b);
    p = is_market ? tw_account_find(b->account, r->symbol) : NULL;
    if (p && p->quantity != 0) tw_broker_mark(b, p, r);
    if (tw_broker_desk(b) && b->o.desk->limits.daily_loss) tw_broker_tell_loss(b);
    return rc < 0 || b->lost ? UV_ENOMEM : TW_OK;
}

bool tw_broker_goes_by_none(const struct tw_broker *b)
{
    return tw_simulator_goes_by_none(b->venue);
}

bool tw_broker_tells(const struct tw_broker *b)
{
    return b->told.n > 0 && b->begun;
}

/* ---- all of it ---- */

const struct tw_broker_options *tw_broker_get_options(const struct tw_broker *b)
{
    return &b->o;
}

struct tw_broker *tw_broker_new(const struct tw_broker_options *options)
{
    struct tw_broker *b = tw_calloc(1, sizeof *b);

    if (!b) return NULL;
    b->o = *options;
    if (b->o.first_id == 0) b->o.first_id = 1;
    if (b->o.id_step == 0) b->o.id_step = 1;
    b->day.close_ns = b->passed_ns = INT64_MIN;
    b->again_ns = INT64_MAX;
    b->shares = tw_broker_desk(b) && tw_desk_has_symbols(b->o.desk);
    b->account = tw_account_new(options->currency ? options->currency : "USD");
    b->venue = tw_simulator_new(&b->o.simulator, report, tw_broker_room, b);
    if (options->limits.orders)
        b->sent = tw_calloc(options->limits.orders, sizeof *b->sent);
    if (b->account && tw_broker_desk(b) && tw_desk_has_amounts(b->o.desk)
        && b->o.desk->currency[0])
        b->desk_currency = tw_account_currency(b->account, b->o.desk->currency);
    if (b->account && b->venue && (b->sent || !options->limits.orders)) return b;
    tw_broker_free(b);
    return NULL;
}

static int adopt_told(struct tw_broker *b, const struct tw_told_ring *from,
                      tw_order_copy *copy, void *ctx)
{
    if (tw_told_reserve(&b->told, from->n) < 0) return UV_ENOMEM;
    for (size_t i = 0; i < from->n; i++) {
        struct tw_told t = *tw_told_at(from, i);

        t.order = copy(ctx, t.order);
        *tw_told_put(&b->told) = t;
    }
    return TW_OK;
}

/* The oldest first, so that there are parents before children. */
static int adopt_open(struct tw_broker *b, const struct tw_broker *from,
                      tw_order_copy *copy, void *ctx)
{
    struct tw_order *oldest = NULL, *next;

    for (struct tw_order *o = from->open; o; o = o->next) {
        struct tw_order *own = copy(ctx, o);

        own->link = own->sibling_link = NULL;
        own->children = own->peer = NULL;
        own->next = oldest;
        oldest = own;
    }
    for (struct tw_order *o = oldest; o; o = next) {
        bool is_due = o->due_link != NULL;

        next = o->next;
        o->due_link = NULL;
        if (!tw_broker_make_room(b, o->symbol)) return UV_ENOMEM;
        tw_broker_enlist(b, o);
        if (is_due) tw_broker_note_due(b, o, o->due);
    }
    return TW_OK;
}

int tw_broker_adopt(struct tw_broker *b, struct tw_broker *from, tw_order_copy *copy,
                    void *ctx)
{
    struct tw_account *account;

    tw_broker_catch_up(from);
    account = tw_account_copy(from->account, b->o.terms, b->o.ctx);

    if (!account) return UV_ENOMEM;
    tw_account_free(b->account);
    b->account = account;
    if (tw_simulator_adopt(b->venue, from->venue, copy, ctx) < 0
        || adopt_told(b, &from->told, copy, ctx) < 0
        || adopt_open(b, from, copy, ctx) < 0)
        return UV_ENOMEM;
    b->is_halted = from->is_halted;
    if (b->sent) memcpy(b->sent, from->sent, b->o.limits.orders * sizeof *b->sent);
    b->n_sent = from->n_sent;
    b->n_orders = from->n_orders;
    b->begun = from->begun;
    b->passed_ns = from->passed_ns;
    b->now_ns = from->now_ns;
    b->read_ns = from->read_ns;
    b->clock_ns = from->clock_ns;
    b->marked_seq = from->marked_seq;
    b->marked_ns = from->marked_ns;
    b->seq = from->seq;
    b->again_ns = from->again_ns;
    b->amends = from->amends;
    b->day = from->day;
    b->day_equity = from->day_equity;
    b->overdraft = from->overdraft;
    b->spent = from->spent;
    return TW_OK;
}

void tw_broker_probe(struct tw_broker *b, struct tw_probe *p)
{
    b->probe = p;
    tw_simulator_probe(b->venue, p);
}

void tw_broker_free(struct tw_broker *b)
{
    if (!b) return;
    while (b->open && !b->o.gateway) tw_broker_delist(b, b->open);
    if (!b->o.gateway) tw_broker_unshare(b);
    tw_simulator_free(b->venue);
    tw_account_free(b->account);
    tw_free(b->told.item);
    tw_free(b->by_id);
    tw_free(b->sum);
    tw_free(b->sent);
    tw_free(b);
}
