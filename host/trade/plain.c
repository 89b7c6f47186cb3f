/* plain.c - what a broker sees to itself where the gateway can't. */
#include "trade/plain.h"

enum tw_reason tw_plain_check(const struct tw_gateway *g, const struct tw_order *o,
                              int64_t room)
{
    bool is_plain = g && g->is_plain;

    return is_plain && o->reduce_only && o->quantity > room ? TW_REASON_REDUCE_ONLY
                                                            : TW_REASON_NONE;
}

enum tw_reason tw_plain_reason(int rc)
{
    return rc == TW_ECLOSED ? TW_REASON_OFFLINE
         : rc == TW_EUSAGE ? TW_REASON_UNSUPPORTED : TW_REASON_VENUE;
}

/* How large it is, once all that was asked for is done. */
static int64_t asked_for(const struct tw_order *o)
{
    return o->coming > o->cum_qty ? o->coming : o->quantity;
}

void tw_plain_asked(const struct tw_broker *b, struct tw_order *o, int64_t quantity)
{
    const struct tw_gateway *g = tw_broker_get_options(b)->gateway;

    if (g && g->is_plain && quantity > 0) o->coming = quantity;
}

void tw_plain_grow(const struct tw_broker *b, struct tw_order *o, int64_t due)
{
    const struct tw_gateway *g = tw_broker_get_options(b)->gateway;

    if (g->grow && due > asked_for(o) && g->grow(g->ctx, o, due) == TW_OK)
        tw_plain_asked(b, o, due);
}

static int shrink(struct tw_broker *b, struct tw_order *o, int64_t left)
{
    struct tw_error error;

    if (o->pending_cancel || asked_for(o) - o->cum_qty <= left) return TW_OK;
    if (left <= 0) return tw_broker_cancel(b, o);
    return tw_broker_replace(b, o, o->cum_qty + left, 0, 0, &error);
}

int tw_plain_traded(struct tw_broker *b, const struct tw_order *o)
{
    const struct tw_gateway *g = tw_broker_get_options(b)->gateway;
    struct tw_order *i = tw_broker_open_of(b, o->symbol, NULL), *next;
    int rc = TW_OK;

    if (!g || !g->is_plain || o->group == 0) return TW_OK;
    for (; i && rc == TW_OK; i = next) {
        next = tw_broker_open_of(b, o->symbol, i);
        if ((i != o || o->entry_qty) && i->group == o->group && !i->held)
            rc = shrink(b, i, tw_order_leaves_others(o));
    }
    return rc;
}
