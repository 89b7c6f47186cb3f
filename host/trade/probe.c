/* probe.c - why one order filled or did not: each thing that concerned it, in numbers. */
#include "trade/probe.h"

#include "base/memory.h"
#include "trade/terms.h"

void tw_probe_fini(struct tw_probe *p)
{
    tw_free(p->step);
    p->step = NULL;
    p->n = p->room = 0;
}

const char *tw_step_text(enum tw_step_kind kind)
{
    static const char *const text[] = {
        [TW_STEP_DECIDED] = "decided", [TW_STEP_LIMIT] = "limit",
        [TW_STEP_PARENT] = "parent", [TW_STEP_SENT] = "sent",
        [TW_STEP_CANCEL] = "cancel", [TW_STEP_REPLACE] = "replace",
        [TW_STEP_LOOK] = "look", [TW_STEP_ROOM] = "room", [TW_STEP_STOP] = "stop",
        [TW_STEP_BOOK] = "book",
        [TW_STEP_REPORT] = "report", [TW_STEP_END] = "end",
    };

    return text[kind];
}

const char *tw_verdict_text(enum tw_verdict verdict)
{
    static const char *const text[TW_VERDICTS] = {
        [TW_VERDICT_NONE] = "none", [TW_VERDICT_SAME] = "same",
        [TW_VERDICT_NOT_THERE] = "not_there", [TW_VERDICT_KIND] = "kind",
        [TW_VERDICT_SIDE] = "side", [TW_VERDICT_BEFORE_OPEN] = "before_open",
        [TW_VERDICT_BEFORE_CLOSE] = "before_close", [TW_VERDICT_NO_PRICE] = "no_price",
        [TW_VERDICT_STOP] = "stop", [TW_VERDICT_TRIGGERED] = "triggered",
        [TW_VERDICT_NOT_REACHED] = "not_reached", [TW_VERDICT_TOUCHED] = "touched",
        [TW_VERDICT_OPEN] = "open", [TW_VERDICT_INSIDE] = "inside",
        [TW_VERDICT_QUEUED] = "queued", [TW_VERDICT_TAKEN] = "taken",
        [TW_VERDICT_MEETS] = "meets", [TW_VERDICT_ARRIVES] = "arrives",
        [TW_VERDICT_CLOSED] = "closed", [TW_VERDICT_RESTS] = "rests",
        [TW_VERDICT_AHEAD] = "ahead", [TW_VERDICT_LEFT] = "left",
        [TW_VERDICT_TRADES] = "trades", [TW_VERDICT_CROSSES] = "crosses",
        [TW_VERDICT_ROOM] = "room", [TW_VERDICT_SELF] = "self",
        [TW_VERDICT_GROUP] = "group", [TW_VERDICT_GATHERED] = "gathered",
        [TW_VERDICT_AUCTION] = "auction",
    };

    return text[verdict];
}

/* ---- steps ---- */

/* One more, zeroed; NULL: no memory, which is noted. */
static struct tw_step *add(struct tw_probe *p, enum tw_step_kind kind, int64_t time_ns)
{
    struct tw_step *s;

    if (p->n == p->room) {
        struct tw_step *grown = tw_grow(p->step, &p->room, p->n + 1, sizeof *grown);

        if (!grown) {
            p->lost = true;
            return NULL;
        }
        p->step = grown;
    }
    s = &p->step[p->n++];
    *s = (struct tw_step){ .kind = kind, .time_ns = time_ns, .until_ns = time_ns,
                           .count = 1 };
    if (kind != TW_STEP_LOOK) p->looks = p->n;
    return s;
}

static bool trails(const struct tw_order *o)
{
    return o->type == TW_TYPE_TRAILING_STOP;
}

/* The same thing once more? */
static bool is_like(const struct tw_step *s, const struct tw_step *next)
{
    return s->verdict == next->verdict && s->model == next->model
        && (s->shown == 0) == (next->shown == 0)
        && (s->level == 0) == (next->level == 0) && (s->ahead < 0) == (next->ahead < 0)
        && (s->verdict != TW_VERDICT_TAKEN || (s->left == 0) == (next->left == 0))
        && (s->market.kind == next->market.kind || s->verdict == TW_VERDICT_QUEUED);
}

static void join(struct tw_step *s, const struct tw_step *next)
{
    s->count += next->count;
    s->mixed = s->mixed || s->market.kind != next->market.kind;
    if (next->low < s->low) s->low = next->low;
    if (next->high > s->high) s->high = next->high;
    s->level_to = next->level_to;
    s->ahead_to = next->ahead_to;
    s->until_ns = next->until_ns;
    s->until_seq = next->until_seq;
}

/* A look, with what is of the record; time_ns and the like are filled in here. */
static void look(struct tw_probe *p, const struct tw_market *m,
                 const struct tw_resting *r, struct tw_step look)
{
    struct tw_step *s;

    look.kind = TW_STEP_LOOK;
    look.count = 1;
    look.low = look.high = look.price;
    look.level_to = look.level;
    look.ahead = look.ahead_to = r->ahead;
    look.time_ns = look.until_ns = m->time_ns;
    look.seq = look.until_seq = m->seq;
    look.arrives_ns = r->arrives_ns;
    look.market = *m;
    for (size_t i = p->looks; i < p->n; i++)
        if (is_like(&p->step[i], &look)) {
            join(&p->step[i], &look);
            return;
        }
    s = add(p, TW_STEP_LOOK, m->time_ns);
    if (s) *s = look;
}

/* ---- orders and limits ---- */

void tw_probe_report(struct tw_probe *p, const struct tw_order *o,
                     const struct tw_report *r, const struct tw_market *market)
{
    bool is_new = r->exec == TW_EXEC_PENDING_NEW;
    struct tw_step *s;

    if (o->id != p->id) return;
    p->order = *o;
    p->live = tw_order_is_open(o) ? o : NULL;
    s = add(p, is_new ? TW_STEP_DECIDED : TW_STEP_REPORT, r->time_ns);
    if (!s) return;
    s->report = *r;
    s->seq = r->seq;
    s->cause = p->cause;
    p->cause = 0;
    if (market) s->market = *market;
}

/* What a venue noted has its time. */
void tw_probe_begin(struct tw_probe *p, int64_t now_ns)
{
    if (p->n > 0) p->order.time_ns = now_ns;
    for (size_t i = 0; i < p->n; i++) {
        struct tw_step *s = &p->step[i];

        if (s->kind == TW_STEP_BOOK) continue;
        s->time_ns += now_ns;
        s->until_ns += now_ns;
        s->arrives_ns += now_ns;
    }
}

static struct tw_step *add_limit(struct tw_probe *p, int64_t time_ns,
                                 enum tw_reason reason, double value, double limit)
{
    struct tw_step *s = add(p, TW_STEP_LIMIT, time_ns);

    if (!s) return NULL;
    s->reason = reason;
    s->value = value;
    s->limit = limit;
    return s;
}

static int64_t distance(int64_t price, int64_t from)
{
    return price == 0 || from == 0 ? 0 : price < from ? from - price : price - from;
}

/* How far the order has come in what tw_risk_check looks at: limits behind the one that
 * refused it are not told of. */
struct limits {
    struct tw_probe *p;
    int64_t time_ns;
    enum tw_reason why;
    bool refused;
};

static void say(struct limits *s, enum tw_reason reason, double value, double limit)
{
    struct tw_step *step;

    if (s->refused) return;
    s->refused = reason == s->why;
    step = add_limit(s->p, s->time_ns, reason, value, limit);
    if (step) step->refused = s->refused;
}

static double number(int64_t fixed)
{
    return tw_fixed_to_double(fixed);
}

static void say_sizes(struct limits *s, const struct tw_limits *l,
                      const struct tw_order *o, const struct tw_exposure *now)
{
    int64_t far = distance(o->price, now->price), stop = distance(o->stop, now->price);

    if (l->order_quantity && !o->reduce_only)
        say(s, TW_REASON_ORDER_SIZE, number(o->quantity), number(l->order_quantity));
    if (l->order_value && !o->reduce_only)
        say(s, TW_REASON_ORDER_VALUE, tw_money_to_double(tw_risk_value(o, now)),
            tw_money_to_double(l->order_value));
    if (l->collar)
        say(s, TW_REASON_COLLAR, number(far > stop ? far : stop),
            tw_money_to_double(tw_money_ratio(now->price < 0 ? -now->price : now->price,
                                              l->collar, TW_FIXED_ONE)));
}

static void say_position(struct limits *s, const struct tw_limits *l,
                         const struct tw_order *o, const struct tw_exposure *now)
{
    int64_t held = tw_order_sign(o) * now->position, more = o->quantity;
    tw_money open = o->side == TW_SIDE_BUY ? now->buying : now->selling;
    int64_t price = o->price ? o->price : o->stop ? o->stop : now->price;

    if (o->reduce_only && held >= 0)
        say(s, TW_REASON_REDUCE_ONLY, number(now->position), 0);
    if (tw_risk_reduces(o, now)) return;
    if (l->position || s->why == TW_REASON_POSITION)
        say(s, TW_REASON_POSITION, tw_money_to_double(held + open + o->quantity),
            number(l->position ? l->position : INT64_MAX));
    if (l->daily_loss)
        say(s, TW_REASON_DAILY_LOSS, tw_money_to_double(now->lost),
            tw_money_to_double(l->daily_loss));
    if (!l->buying_power) return;
    if (held < 0) more = more + held > 0 ? more + held : 0;
    say(s, TW_REASON_BUYING_POWER,
        tw_money_to_double(o->terms && o->terms->margin
                           ? tw_money_value(o->terms->margin, more)
                           : tw_terms_value(o->terms, price, more)),
        tw_money_to_double(now->free));
}

void tw_probe_check(struct tw_probe *p, const struct tw_limits *l,
                    const struct tw_order *o, const struct tw_exposure *now,
                    int64_t time_ns, enum tw_reason why)
{
    struct limits s = { p, time_ns, why, false };

    if (o->id != p->id) return;
    if (why == TW_REASON_LOT) say(&s, why, number(o->quantity), number(o->terms->lot));
    if (why == TW_REASON_TICK)
        say(&s, why, number(o->price ? o->price : o->stop), number(o->terms->tick));
    if (l->open_orders && !o->reduce_only)
        say(&s, TW_REASON_OPEN_ORDERS, now->open_orders + 1.0, l->open_orders);
    if (l->orders && !o->parent)
        say(&s, TW_REASON_ORDER_RATE, now->recent + 1.0, l->orders);
    if (!o->parent) say_sizes(&s, l, o, now);
    say_position(&s, l, o, now);
    if (l->self_match && !o->parent)
        say(&s, TW_REASON_SELF_MATCH, number(o->price),
            number(o->side == TW_SIDE_BUY ? now->best_ask : now->best_bid));
}

void tw_probe_desk(struct tw_probe *p, const struct tw_desk *d, const struct tw_order *o,
                   int64_t time_ns, enum tw_reason why)
{
    const struct tw_limits *l = &d->limits;
    double limit = 0;
    struct tw_step *s;

    if (o->id != p->id) return;
    switch (why) {
    case TW_REASON_ORDER_SIZE: limit = number(l->order_quantity); break;
    case TW_REASON_ORDER_VALUE: limit = tw_money_to_double(l->order_value); break;
    case TW_REASON_COLLAR: limit = number(l->collar) * 100; break;
    case TW_REASON_NET_POSITION: limit = number(l->position); break;
    case TW_REASON_OPEN_ORDERS: limit = l->open_orders; break;
    case TW_REASON_ORDER_RATE: limit = l->orders; break;
    case TW_REASON_DAILY_LOSS: limit = tw_money_to_double(l->daily_loss); break;
    case TW_REASON_SELF_MATCH: break;
    default: return;
    }
    s = add_limit(p, time_ns, why, limit, limit);
    if (s) s->of_desk = s->refused = true;
}

void tw_probe_parent(struct tw_probe *p, const struct tw_order *o, int64_t traded)
{
    struct tw_step *s = o->id == p->id ? add(p, TW_STEP_PARENT, o->time_ns) : NULL;

    if (s) s->value = number(traded);
}

void tw_probe_request(struct tw_probe *p, const struct tw_order *o,
                      enum tw_step_kind kind, int64_t time_ns, int64_t arrives_ns,
                      const struct tw_report *terms)
{
    struct tw_step *s = o->id == p->id ? add(p, kind, time_ns) : NULL;

    if (!s) return;
    s->arrives_ns = arrives_ns;
    s->report.quantity = o->quantity;
    if (!terms) return;
    s->report = *terms;
    if (!terms->quantity) s->report.quantity = o->quantity;
    if (!terms->price) s->report.price = o->price;
    if (!terms->stop) s->report.stop = o->stop;
}

/* ---- looks ---- */

/* What the record shows to that side: the other side of a quote, a bar's `far`. */
static int64_t shown_price(const struct tw_market *m, const struct tw_order *o,
                           int64_t far)
{
    if (m->kind == TW_QUOTE) return o->side == TW_SIDE_BUY ? m->ask : m->bid;
    return m->kind == TW_BAR ? far : m->last;
}

/* F3 */
static void set_sizes(const struct tw_probe *p, const struct tw_market *m,
                      const struct tw_order *o, enum tw_fill_model model,
                      struct tw_step *s)
{
    bool buys = o->side == TW_SIDE_BUY;

    s->shown = s->left = INT64_MAX;
    if (m->kind == TW_QUOTE) {
        s->left = buys ? m->ask_left : m->bid_left;
        if (s->left != INT64_MAX) s->shown = buys ? m->ask_size : m->bid_size;
    } else if (m->kind == TW_TRADE || model == TW_FILL_VOLUME) {
        s->left = m->left;
        s->shown = p->left;
    }
}

void tw_probe_record(struct tw_probe *p, const struct tw_market *m)
{
    p->left = m->left;
}

void tw_probe_pass(struct tw_probe *p, const struct tw_market *m,
                   const struct tw_resting *r, enum tw_fill_model model,
                   enum tw_verdict why)
{
    if (r->order->id == p->id)
        look(p, m, r, (struct tw_step){ .verdict = why, .model = model,
                                        .level = trails(r->order) ? r->stop : 0 });
}

void tw_probe_trigger(struct tw_probe *p, const struct tw_market *m,
                      const struct tw_resting *r, enum tw_fill_model model,
                      bool triggers, int64_t price)
{
    const struct tw_order *o = r->order;
    int64_t far = o->side == TW_SIDE_BUY ? m->bar.high : m->bar.low;
    struct tw_step s = { .model = model, .level = r->stop };

    if (o->id != p->id) return;
    if (model == TW_FILL_NEXT_OPEN) far = m->bar.open;
    s.price = triggers && price ? price : shown_price(m, o, far);
    s.verdict = triggers ? TW_VERDICT_TRIGGERED
              : m->kind == TW_TRADE && model != TW_FILL_VOLUME ? TW_VERDICT_KIND
              : s.price == 0 ? TW_VERDICT_NO_PRICE : TW_VERDICT_STOP;
    look(p, m, r, s);
}

static enum tw_verdict verdict_on_bar(enum tw_fill_model model, const struct tw_market *m,
                                      const struct tw_order *o, int64_t triggered,
                                      int64_t *price)
{
    int64_t far = o->side == TW_SIDE_BUY ? m->bar.low : m->bar.high;

    *price = triggered ? triggered : m->bar.open;
    if (!tw_type_has_limit(o->type) || tw_order_within(o, *price))
        return TW_VERDICT_TAKEN;
    if (triggered && triggered != m->bar.open) return TW_VERDICT_INSIDE;
    if (model == TW_FILL_NEXT_OPEN || o->tif == TW_TIF_IOC || o->tif == TW_TIF_FOK
        || o->tif == TW_TIF_OPG)
        return TW_VERDICT_OPEN;
    *price = far;
    if (!tw_order_within(o, far)) return TW_VERDICT_NOT_REACHED;
    return model == TW_FILL_THROUGH && far == o->price ? TW_VERDICT_TOUCHED
                                                       : TW_VERDICT_TAKEN;
}

/* Why nothing of it traded. */
static enum tw_verdict verdict_on(enum tw_fill_model model, const struct tw_market *m,
                                  const struct tw_resting *r, int64_t triggered,
                                  int64_t *price)
{
    const struct tw_order *o = r->order;

    if (m->kind == TW_BAR) return verdict_on_bar(model, m, o, triggered, price);
    *price = shown_price(m, o, 0);
    if (tw_fill_passes(model, m, r)) return TW_VERDICT_KIND;
    if (*price == 0) return TW_VERDICT_NO_PRICE;
    if (model == TW_FILL_QUEUE && tw_type_has_limit(o->type)
        && (r->ahead >= 0 || (m->kind == TW_TRADE && *price == o->price))
        && (!tw_order_within(o, *price) || *price == o->price))
        return TW_VERDICT_QUEUED;
    if (tw_type_has_limit(o->type) && !tw_order_within(o, *price))
        return TW_VERDICT_NOT_REACHED;
    if (r->rests) *price = o->price;
    return TW_VERDICT_TAKEN;
}

void tw_probe_look(struct tw_probe *p, const struct tw_market *m,
                   const struct tw_resting *r, enum tw_fill_model model,
                   int64_t triggered, const struct tw_fill *f)
{
    const struct tw_order *o = r->order;
    struct tw_step s = { .model = model, .level = o->price };

    if (o->id != p->id) return;
    set_sizes(p, m, o, model, &s);
    if (f) {
        s.verdict = TW_VERDICT_MEETS;
        s.price = f->price;
        s.quantity = f->quantity;
    } else {
        s.verdict = verdict_on(model, m, r, triggered, &s.price);
    }
    look(p, m, r, s);
}

void tw_probe_close(struct tw_probe *p, const struct tw_market *m,
                    const struct tw_resting *r, int64_t price)
{
    const struct tw_order *o = r->order;
    bool beyond = tw_type_has_limit(o->type) && !tw_order_within(o, price);

    if (o->id != p->id) return;
    look(p, m, r, (struct tw_step){ .price = price, .level = o->price,
        .quantity = tw_order_leaves(o), .shown = INT64_MAX, .left = INT64_MAX,
        .verdict = price == 0 ? TW_VERDICT_NO_PRICE
                 : beyond ? TW_VERDICT_NOT_REACHED : TW_VERDICT_MEETS });
}

void tw_probe_stop(struct tw_probe *p, const struct tw_market *m,
                   const struct tw_resting *r, int64_t time_ns)
{
    struct tw_step *s = r->order->id == p->id ? add(p, TW_STEP_STOP, time_ns) : NULL;

    if (!s) return;
    s->level = r->stop;
    s->market = *m;
}

void tw_probe_trail(struct tw_probe *p, const struct tw_market *m,
                    const struct tw_resting *r)
{
    if (r->order->id != p->id) return;
    for (size_t i = p->looks; i < p->n; i++)      /* the one that saw this record */
        if (p->step[i].until_seq == m->seq) p->step[i].level_to = r->stop;
}

void tw_probe_room(struct tw_probe *p, const struct tw_order *o, int64_t time_ns,
                   int64_t price, int64_t room)
{
    struct tw_step *s = o->id == p->id ? add(p, TW_STEP_ROOM, time_ns) : NULL;

    if (!s) return;
    s->price = price;
    s->value = number(room);
}

/* ---- in a book ---- */

static bool is_joined(enum tw_verdict v)
{
    return v == TW_VERDICT_AHEAD || v == TW_VERDICT_LEFT || v == TW_VERDICT_TRADES;
}

void tw_probe_book(struct tw_probe *p, struct tw_step step)
{
    size_t looks = p->looks;
    struct tw_step *s;

    if (step.verdict == TW_VERDICT_RESTS || step.verdict == TW_VERDICT_AUCTION)
        p->line = step.ahead;
    step.kind = TW_STEP_BOOK;
    step.count = 1;
    step.low = step.high = step.price;
    step.ahead = step.ahead_to = p->line;
    step.until_ns = step.time_ns;
    for (size_t i = looks; is_joined(step.verdict) && i < p->n; i++)
        if (p->step[i].verdict == step.verdict) {
            p->step[i].quantity += step.quantity;
            join(&p->step[i], &step);
            return;
        }
    s = add(p, TW_STEP_BOOK, step.time_ns);
    if (!s) return;
    *s = step;
    if (is_joined(step.verdict)) p->looks = looks;
}

void tw_probe_group(struct tw_probe *p, const struct tw_order *o,
                    const struct tw_order *by)
{
    if (o->id == p->id) p->cause = by->id;
}

void tw_probe_end(struct tw_probe *p, int64_t time_ns)
{
    if (p->order.id == 0) return;
    if (p->live) p->order = *p->live;
    add(p, TW_STEP_END, time_ns);
}
