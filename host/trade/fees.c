/* fees.c - what a trade costs. */
#include "trade/fees.h"

static tw_money ratio_of(tw_money value, int64_t ratio)
{
    return tw_money_ratio(value, ratio, TW_FIXED_ONE);
}

/* Where prices are below 0 it is as above. */
static tw_money magnitude(tw_money value)
{
    return value < 0 ? -value : value;
}

/* The ratios that apply, as a tier without `from`. */
static struct tw_fee_tier rates(const struct tw_fees *f, tw_money traded)
{
    struct tw_fee_tier now = { 0, f->percent, f->maker, f->taker };

    for (unsigned i = 0; i < f->tiers && f->tier[i].from <= traded; i++)
        now = f->tier[i];
    return now;
}

/* What the venue says, but for what is in another currency. */
static tw_money said(const struct tw_order *o, const struct tw_report *trade)
{
    tw_money value = trade->charge.ratio
        ? magnitude(tw_terms_value(o->terms, trade->last_px, trade->last_qty)) : 0;

    return trade->charge.own + ratio_of(value, trade->charge.ratio);
}

/* What is taken back is one of those that the account's fees were charged for, as long as
 * there are such: the venue names its own charge otherwise. */
static void give_back(const struct tw_order *o, struct tw_report *trade)
{
    int64_t n = trade->last_qty < o->cum_qty ? trade->last_qty : o->cum_qty;
    int64_t rest = o->cum_qty - o->charged_qty;

    trade->is_charged = n > rest;
    if (n <= 0) return;
    if (trade->is_charged) {
        trade->fee = -tw_money_ratio(tw_order_fees(o), n, o->cum_qty);
    } else {
        trade->fee = -tw_money_ratio(o->fees, n, rest);
        trade->raw_fee = -tw_money_ratio(o->raw_fees, n, rest);
    }
}

void tw_fees_charge(const struct tw_fees *f, const struct tw_order *o, tw_money traded,
                    struct tw_report *trade)
{
    tw_money value, all, least, most;
    struct tw_fee_tier now;
    int64_t by_liquidity;

    trade->fee = trade->raw_fee = 0;
    if (trade->is_charged) {
        trade->fee = said(o, trade);
        return;
    }
    if (trade->exec == TW_EXEC_TRADE_CANCELED) {
        give_back(o, trade);
        return;
    }
    if (!f) return;
    now = rates(f, traded);
    by_liquidity = trade->liquidity == TW_LIQUIDITY_ADDED ? now.maker : now.taker;
    value = now.percent | by_liquidity | f->maximum
          ? magnitude(tw_terms_value(o->terms, trade->last_px, trade->last_qty)) : 0;
    if (now.percent) trade->raw_fee += ratio_of(value, now.percent);
    if (by_liquidity) trade->raw_fee += ratio_of(value, by_liquidity);
    if (f->per_share) trade->raw_fee += tw_money_value(f->per_share, trade->last_qty);
    if (o->cum_qty == 0) trade->raw_fee += f->per_order;
    all = o->raw_fees + trade->raw_fee;
    least = f->minimum;
    if (f->maximum) {
        most = tw_terms_value(o->terms, tw_order_avg_px(o), o->cum_qty);
        most = ratio_of(value + magnitude(most), f->maximum);
        if (all > most) all = most;
        if (least > most) least = most;
    }
    if (all < least && f->minimum) all = least;
    trade->fee = all - o->fees;
}
