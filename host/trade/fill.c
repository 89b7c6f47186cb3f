/* fill.c - the fill models. */
#include "trade/fill.h"

#include "trade/calendar.h"
#include "trade/terms.h"

#define HOUR_NS (3600 * TW_FIXED_ONE)

const struct tw_fill_text tw_fill_models[TW_FILL_MODELS] = {
    [TW_FILL_AUTO] = { "auto", "all",
        "touch on bars, quote on quotes, volume on trades where there is nothing else",
        "likewise", "likewise",
        "opg on the first record of the session, cls at the last price before its end" },
    [TW_FILL_NEXT_OPEN] = { "next_open", "bars",
        "at the open of the next bar",
        "at an open that is as good as the limit",
        "at an open that is at the stop or past it",
        "as auto" },
    [TW_FILL_TOUCH] = { "touch", "bars",
        "at the open of the next bar",
        "at the limit when the bar reaches it; at the open when that is better",
        "at the stop when the bar reaches it; at the open when that is past it",
        "as auto" },
    [TW_FILL_THROUGH] = { "through", "bars",
        "at the open of the next bar",
        "at the limit when the bar trades through it; at the open when that is better",
        "at the stop when the bar reaches it; at the open when that is past it",
        "as auto" },
    [TW_FILL_QUOTE] = { "quote", "quotes",
        "at the other side's price, up to its size, then at the next quotes",
        "as market while the other side is within its limit; then it rests: at the limit,"
        " when the other side comes to it",
        "triggered when the other side is at the stop; then a market order",
        "as auto" },
    [TW_FILL_QUEUE] = { "queue", "quotes, and trades beside them",
        "as quote",
        "as quote, and at the best price when trades there have used up what was shown"
        " before it",
        "as quote", "as auto" },
    [TW_FILL_VOLUME] = { "volume", "bars and trades",
        "as touch, at most a share of the record's volume, then at the next ones",
        "as touch, at most a share of the record's volume",
        "as touch, at most a share of the record's volume", "as auto" },
    [TW_FILL_BOOK] = { "book", "orders of scripts",
        "against what rests in the book, the best price first, then the oldest; the rest"
        " of it is canceled",
        "as that, within its limit; what is left rests",
        "triggered by a trade at the stop; then a market order",
        "opg and cls in a call auction at the open or close, with what rests in the book,"
        " all at one price" },
};

/* ---- what the venue sees ---- */

/* What is left of a side: less what was taken, until price or size is another. */
static int64_t left_of(int64_t price, int64_t size, int64_t was, int64_t was_size,
                       int64_t left)
{
    if (price == was && size == was_size) return left;
    return size > 0 ? size : price ? INT64_MAX : 0;
}

static void take_quote(struct tw_market *m, const struct tw_quote *q)
{
    m->bid_left = left_of(q->bid, q->bid_size, m->bid, m->bid_size, m->bid_left);
    m->ask_left = left_of(q->ask, q->ask_size, m->ask, m->ask_size, m->ask_left);
    m->bid = q->bid;
    m->ask = q->ask;
    m->bid_size = q->bid_size;
    m->ask_size = q->ask_size;
    m->quotes = true;
}

static int64_t share_of(int64_t volume, int64_t share)
{
    if (share == TW_FIXED_ONE) return volume > 0 ? volume : 0;
    return volume > 0 ? (int64_t)tw_money_ratio(volume, share, TW_FIXED_ONE) : 0;
}

/* F4.  A day of 23 hours began when the one before it had ended. */
static void take_bar(struct tw_market *m, const struct tw_record *r, int64_t before_ns)
{
    enum tw_bar_price of = tw_bar_price(r);
    bool asks = of == TW_BAR_ASK, is_second = m->close[asks] != 0;

    tw_bar_get(r, &m->bar);
    m->began_ns = tw_bar_began(r);
    m->is_day = tw_bar_is_day(r);
    m->is_first = before_ns < m->began_ns;
    if (m->is_day && before_ns > m->began_ns && before_ns - m->began_ns <= HOUR_NS)
        m->began_ns = before_ns;
    m->last = r->bar.close;            /* not of m->bar, which was only just written */
    m->last_size = r->bar.volume;
    m->of = (uint8_t)of;
    m->bars = true;
    if (of != TW_BAR_BID && of != TW_BAR_ASK) return;
    m->close[asks] = m->bar.close;
    m->lone = is_second && m->close[!asks] == 0;
}

static bool is_sided(const struct tw_market *m)
{
    return m->kind == TW_BAR && (m->of == TW_BAR_BID || m->of == TW_BAR_ASK);
}

int64_t tw_market_last(const struct tw_market *m, bool buys)
{
    return is_sided(m) && m->close[buys] ? m->close[buys] : m->last;
}

int64_t tw_market_price(const struct tw_market *m)
{
    if (m->kind == TW_QUOTE) return tw_market_middle(m->bid, m->ask);
    return is_sided(m) ? tw_market_middle(m->close[0], m->close[1]) : m->last;
}

int64_t tw_market_opened(const struct tw_market *m, const struct tw_terms *terms)
{
    return m->began_ns + (m->is_day && terms && terms->calendar
                          ? tw_calendar_opens(terms->calendar) * TW_FIXED_ONE : 0);
}

void tw_market_take(struct tw_market *m, const struct tw_record *r, int64_t share)
{
    int64_t before_ns = m->kind ? m->time_ns : INT64_MIN;

    m->time_ns = m->began_ns = r->time;
    m->is_day = m->is_first = false;
    m->seq = r->seq;
    m->kind = (uint8_t)r->kind;
    if (r->kind == TW_QUOTE) {
        take_quote(m, &r->quote);
    } else if (r->kind == TW_TRADE) {
        m->last = r->trade.price;
        m->last_size = r->trade.size;
        m->left = share_of(r->trade.size, share);
    } else if (r->kind == TW_BAR) {
        take_bar(m, r, before_ns);
        m->left = share_of(m->bar.volume, share);
    }
}

bool tw_fill_applies(enum tw_fill_model model, const struct tw_market *m,
                     enum tw_fill_model *applies)
{
    if (model == TW_FILL_AUTO) {
        if (m->kind == TW_BAR) model = TW_FILL_TOUCH;
        else if (m->kind == TW_QUOTE) model = TW_FILL_QUOTE;
        else model = m->quotes || m->bars ? TW_FILL_QUOTE : TW_FILL_VOLUME;
    }
    *applies = model;
    switch (model) {
    case TW_FILL_QUOTE:  return m->kind == TW_QUOTE;
    case TW_FILL_QUEUE:  return m->kind == TW_QUOTE || (m->kind == TW_TRADE && m->quotes);
    case TW_FILL_VOLUME: return m->kind == TW_BAR || m->kind == TW_TRADE;
    case TW_FILL_BOOK:   return false;
    default:             return m->kind == TW_BAR;
    }
}

/* ---- stops ---- */

/* a is at least as far as b in the direction in which the side buys or sells up. */
static bool reaches(const struct tw_order *o, int64_t price, int64_t level)
{
    return o->side == TW_SIDE_BUY ? price >= level : price <= level;
}

bool tw_fill_triggers(enum tw_fill_model model, const struct tw_market *m,
                      struct tw_resting *r, int64_t *price)
{
    const struct tw_order *o = r->order;
    bool buys = o->side == TW_SIDE_BUY;
    int64_t far;

    *price = 0;
    if (r->stop == 0) return false;            /* no price was there to follow */
    if (m->kind == TW_QUOTE) {
        far = buys ? m->ask : m->bid;
        return far != 0 && reaches(o, far, r->stop);
    }
    if (m->kind == TW_TRADE)
        return model == TW_FILL_VOLUME && reaches(o, m->last, r->stop);
    if (reaches(o, m->bar.open, r->stop)) {
        *price = m->bar.open;
        return true;
    }
    if (model == TW_FILL_NEXT_OPEN) return false;
    *price = r->stop;
    return reaches(o, buys ? m->bar.high : m->bar.low, r->stop);
}

void tw_fill_trail(const struct tw_market *m, struct tw_resting *r)
{
    const struct tw_order *o = r->order;
    bool buys = o->side == TW_SIDE_BUY;
    int64_t best, stop;

    if (m->kind == TW_QUOTE) best = buys ? m->ask : m->bid;
    else if (m->kind == TW_BAR && tw_market_opened(m, o->terms) >= r->arrives_ns
             && tw_market_serves(m, buys))
        best = buys ? m->bar.low : m->bar.high;
    else best = tw_market_last(m, buys);
    if (best == 0) return;
    stop = tw_order_trail_stop(buys, best, o->trail, o->trail_part,
                               o->terms ? o->terms->tick : 0);
    if (r->stop == 0 || (buys ? stop < r->stop : stop > r->stop)) r->stop = stop;
}

/* ---- looking ---- */

static bool give(struct tw_fill *out, int64_t price, int64_t quantity,
                 enum tw_liquidity liquidity)
{
    *out = (struct tw_fill){ price, quantity, liquidity };
    return quantity > 0;
}

static bool on_bar(enum tw_fill_model model, const struct tw_market *m,
                   struct tw_resting *r, int64_t triggered, struct tw_fill *out)
{
    const struct tw_order *o = r->order;
    int64_t leaves = tw_order_leaves(o), far;
    bool inside = triggered != 0 && triggered != m->bar.open;

    if (model == TW_FILL_VOLUME && leaves > m->left) leaves = m->left;
    if (!tw_type_has_limit(o->type))
        return give(out, triggered ? triggered : m->bar.open, leaves,
                    TW_LIQUIDITY_REMOVED);
    if (inside) {                         /* F2: it meets the stop's price alone */
        r->rests = !tw_order_within(o, triggered);
        return !r->rests && give(out, triggered, leaves, TW_LIQUIDITY_REMOVED);
    }
    if (tw_order_within(o, m->bar.open))
        return give(out, m->bar.open, leaves,
                    r->rests ? TW_LIQUIDITY_ADDED : TW_LIQUIDITY_REMOVED);
    r->rests = true;
    if (model == TW_FILL_NEXT_OPEN) return false;
    far = o->side == TW_SIDE_BUY ? m->bar.low : m->bar.high;
    if (!tw_order_within(o, far) || (model == TW_FILL_THROUGH && far == o->price))
        return false;
    return give(out, o->price, leaves, TW_LIQUIDITY_ADDED);
}

/* At the price of the other side, of which so much is left. */
static bool on_price(int64_t price, int64_t left, struct tw_resting *r,
                     struct tw_fill *out)
{
    const struct tw_order *o = r->order;
    int64_t leaves = tw_order_leaves(o);

    if (tw_type_has_limit(o->type) && (price == 0 || !tw_order_within(o, price)))
        r->rests = true;
    else if (price != 0)
        return give(out, r->rests ? o->price : price, leaves < left ? leaves : left,
                    r->rests ? TW_LIQUIDITY_ADDED : TW_LIQUIDITY_REMOVED);
    return false;
}

static bool on_quote(const struct tw_market *m, struct tw_resting *r,
                     struct tw_fill *out)
{
    return r->order->side == TW_SIDE_BUY ? on_price(m->ask, m->ask_left, r, out)
                                         : on_price(m->bid, m->bid_left, r, out);
}

/* The shown quantity at the order's price goes before it, from when it is first seen
 * there; it can shrink, and trades use it up. */
static void stand_in_line(const struct tw_market *m, struct tw_resting *r)
{
    const struct tw_order *o = r->order;
    bool buys = o->side == TW_SIDE_BUY;
    int64_t best = buys ? m->bid : m->ask, shown = buys ? m->bid_size : m->ask_size;

    if (best == 0) return;
    if (best == o->price) {
        if (r->ahead < 0 || shown < r->ahead) r->ahead = shown;
    } else if (tw_order_within(o, best)) {   /* better than the best: the first there */
        r->ahead = 0;
    }
}

static bool on_queue(const struct tw_market *m, struct tw_resting *r, struct tw_fill *out)
{
    const struct tw_order *o = r->order;
    bool buys = o->side == TW_SIDE_BUY;
    int64_t leaves = tw_order_leaves(o), over;

    if (m->kind == TW_QUOTE) {
        if (on_quote(m, r, out)) return true;
        if (tw_type_has_limit(o->type)) stand_in_line(m, r);
        return false;
    }
    if (tw_fill_passes(TW_FILL_QUEUE, m, r)) return false;
    if (m->last != o->price)           /* through its price: all before it has gone */
        return (buys ? m->last < o->price : m->last > o->price)
            && give(out, o->price, leaves < m->left ? leaves : m->left,
                    TW_LIQUIDITY_ADDED);
    if (r->ahead < 0) return false;
    over = m->left - r->ahead;
    r->ahead = over >= 0 ? 0 : -over;
    return give(out, o->price, leaves < over ? leaves : over, TW_LIQUIDITY_ADDED);
}

bool tw_fill_look(enum tw_fill_model model, const struct tw_market *m,
                  struct tw_resting *r, int64_t price, struct tw_fill *out)
{
    if (m->kind == TW_BAR) return on_bar(model, m, r, price, out);
    if (model == TW_FILL_QUEUE) return on_queue(m, r, out);
    if (m->kind == TW_TRADE) return on_price(m->last, m->left, r, out);
    return on_quote(m, r, out);
}

static void less(int64_t *left, int64_t quantity)
{
    if (*left != INT64_MAX) *left -= quantity;
}

void tw_fill_took(enum tw_fill_model model, struct tw_market *m,
                  const struct tw_resting *r, const struct tw_fill *f)
{
    if (model == TW_FILL_VOLUME || m->kind == TW_TRADE) less(&m->left, f->quantity);
    else if (m->kind == TW_QUOTE)
        less(r->order->side == TW_SIDE_BUY ? &m->ask_left : &m->bid_left, f->quantity);
}

/* ---- slippage ---- */

#define SHARE_MAX (1000000 * TW_FIXED_ONE)     /* so that no product is too large */

int64_t tw_fill_price(const struct tw_slippage *p, const struct tw_order *o,
                      const struct tw_market *m, const struct tw_fill *f)
{
    int64_t tick = o->terms ? o->terms->tick : 0, shown;
    tw_money by = (tw_money)p->ticks * tick, price;

    if (f->liquidity != TW_LIQUIDITY_REMOVED || o->type == TW_TYPE_LIMIT
        || o->type == TW_TYPE_STOP_LIMIT || (p->ticks | p->bps | p->impact) == 0)
        return f->price;
    if (p->bps)
        by += tw_money_ratio(f->price, p->bps, 10000 * TW_FIXED_ONE);
    shown = m->kind == TW_QUOTE ? o->side == TW_SIDE_BUY ? m->ask_size : m->bid_size
                                : m->last_size;
    if (p->impact && shown > 0) {
        tw_money share = tw_money_ratio(f->quantity, TW_FIXED_ONE, shown);

        if (share > SHARE_MAX) share = SHARE_MAX;
        share = tw_money_ratio(share, (int64_t)share, TW_FIXED_ONE);
        share = tw_money_ratio(share, p->impact, TW_FIXED_ONE);
        by += tw_money_ratio(share, f->price, TW_FIXED_ONE);
    }
    price = f->price + tw_order_sign(o) * by;
    if (price <= 0 && f->price > 0) return tick > 1 ? tick : 1;   /* nothing is paid */
    return price > INT64_MAX ? INT64_MAX : (int64_t)price;
}
