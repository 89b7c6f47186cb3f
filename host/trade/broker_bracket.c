/* broker_bracket.c - where exits of a bracket may be: not where they trade at once. */
#include "trade/broker_parts.h"

/* What a buy, or a sell, has to meet; 0: not known. */
static int64_t market_price(const struct tw_broker *b, uint32_t symbol, bool buys)
{
    const struct tw_market *m = tw_simulator_market(b->venue, symbol);

    if (!m) return 0;
    if (m->quotes && m->kind != TW_BAR) return buys ? m->ask : m->bid;
    return tw_market_last(m, buys);
}

/* The price at which the exits of an order are looked at first: of the market, or, while
 * it waits for that, its own.  0: not known. */
static int64_t exits_begin(const struct tw_broker *b, const struct tw_order *o)
{
    bool buys = o->side == TW_SIDE_BUY;
    int64_t enters = market_price(b, o->symbol, buys);
    int64_t leaves = market_price(b, o->symbol, !buys);
    int64_t own = o->type == TW_TYPE_LIMIT ? o->price : o->stop;
    int64_t above = tw_order_sign(o) * (enters - own);

    if (o->type == TW_TYPE_TRAILING_STOP) return 0;
    if (o->type == TW_TYPE_MARKET) return leaves;
    if (enters == 0) return own;
    return (o->type == TW_TYPE_LIMIT ? above > 0 : above < 0) ? own : leaves;
}

void tw_broker_bracket(const struct tw_broker *b, struct tw_order *o, int64_t take_profit,
                       int64_t stop_loss)
{
    int64_t price = exits_begin(b, o), sign = tw_order_sign(o);

    o->exit_off = tw_order_off_grid(&(struct tw_order){
        .terms = o->terms, .price = take_profit, .stop = stop_loss }, TW_REASON_TICK);
    o->misplaced = price > 0 && ((take_profit && sign * (take_profit - price) <= 0)
                                 || (stop_loss && sign * (price - stop_loss) <= 0));
}

/* Would an exit of these terms trade where the market is at `price`? */
static bool exit_trades(const struct tw_order *exit, int64_t price)
{
    int64_t sign = tw_order_sign(exit);

    if (price <= 0) return false;
    if (exit->type == TW_TYPE_LIMIT) return sign * (exit->price - price) >= 0;
    return exit->type == TW_TYPE_STOP && sign * (price - exit->stop) >= 0;
}

/* Has an exit passed the other one?  Somewhere between them both would trade. */
static bool exits_cross(const struct tw_order *entry, const struct tw_order *o,
                        const struct tw_order *next)
{
    for (const struct tw_order *i = entry->children; i; i = i->sibling) {
        const struct tw_order *stop = next->type == TW_TYPE_STOP ? next : i;
        const struct tw_order *limit = stop == next ? i : next;

        if (i != o && stop->type == TW_TYPE_STOP && limit->type == TW_TYPE_LIMIT
            && tw_order_sign(next) * (limit->price - stop->stop) >= 0)
            return true;
    }
    return false;
}

bool tw_broker_misplaces(const struct tw_broker *b, const struct tw_order *o,
                         const struct tw_order *next)
{
    const struct tw_order *entry = o->held ? tw_broker_find(b, o->parent) : NULL;
    int64_t price = 0;

    if (next->price == o->price && next->stop == o->stop) return false;
    if (o->parent && !o->held)
        return exit_trades(next, market_price(b, o->symbol, o->side == TW_SIDE_BUY));
    if (entry)
        return exit_trades(next, exits_begin(b, entry)) || exits_cross(entry, o, next);
    if (o->children) price = exits_begin(b, next);
    for (const struct tw_order *i = o->children; i; i = i->sibling)
        if (i->held && exit_trades(i, price)) return true;
    return false;
}
