/* order_entry_late.c - trades that come, or are taken back, when their order has ended;
 * what is told of orders beside their reports; and their end before that of a session.
 *
 * Why an order that has ended is described anew: who had sent it may have let go of it,
 * and is told of the trade as of any other.
 */
#include <string.h>

#include "fix/order_entry_parts.h"

void tw_fix_orders_leaving(struct tw_fix_orders *o)
{
    for (struct entry *e = o->open; e; e = e->next) tw_fix_orders_found(o, e);
}

size_t tw_fix_orders_cancels(const struct tw_fix_orders *o)
{
    size_t n = 0;

    for (const struct ask *a = o->up ? o->sent.first : NULL; a; a = a->next)
        n += a->what == ASK_CANCEL && !a->stale;
    return n;
}

uint8_t tw_fix_orders_status(const struct entry *e, uint8_t exec)
{
    switch (exec) {
    case TW_EXEC_CANCELED:     return TW_STATUS_CANCELED;
    case TW_EXEC_EXPIRED:      return TW_STATUS_EXPIRED;
    case TW_EXEC_REJECTED:     return TW_STATUS_REJECTED;
    case TW_EXEC_DONE_FOR_DAY: return TW_STATUS_DONE_FOR_DAY;
    default:
        if (e->over) return e->ended;
        if (e->cum == e->quantity) return TW_STATUS_FILLED;
        return e->cum ? TW_STATUS_PARTIALLY_FILLED : TW_STATUS_NEW;
    }
}

void tw_fix_orders_describe(const struct entry *e, struct tw_venue_aside *out)
{
    out->order = (struct tw_request){
        .id = e->id, .symbol = e->symbol, .side = e->side, .type = e->type,
        .tif = e->tif, .post_only = e->post_only, .quantity = e->quantity,
        .price = e->price, .stop = e->stop, .trail = e->trail,
        .expire_ns = e->expire_ns };
    out->cum_qty = e->cum;
    out->cum_value = e->value;
    if (e->ties) out->ties = *e->ties;
}

static void note(struct tw_fix_orders *o, const struct entry *e, const char *what)
{
    const char *symbol = tw_symbols_name(o->o.symbols, e->symbol);
    char id[ID_MAX];

    if (!o->o.stray) return;
    o->o.stray(o->o.ctx, &(struct tw_fix_stray){
        .what = what, .id = { id, tw_fix_orders_id(e->id_form, e->id, e->accepted, id) },
        .order_id = { e->order_id, e->order_id_n }, .symbol = { symbol, strlen(symbol) },
        .quantity = e->quantity, .filled = e->cum });
}

void tw_fix_orders_note_late(struct tw_fix_orders *o, const struct entry *e)
{
    if (e->over && e->owner)
        note(o, e, "a trade, or its end, after the end of its order: it is booked");
}

void tw_fix_orders_note_silent(struct tw_fix_orders *o, const struct entry *e)
{
    if (o->told_silent || tw_fix_orders_is_asked_in_all(o)) return;
    o->told_silent = true;
    note(o, e, "no answer to 35=H: what was missed of this order, and of others, is not"
         " known here");
}

/* No answer to what was asked came in time.  Seldom, where that goes on. */
static void ask_what_is(struct tw_fix_orders *o, struct ask *a, int64_t now_ns)
{
    bool is_due = a->sent_ns > 0;         /* else it is of another connection */

    tw_fix_orders_put_back(o, a, now_ns);
    if (!is_due || (a->rounds & (a->rounds + 1)) != 0) {
        a->rounds += is_due;
        return;
    }
    if (a->rounds++ == 0)
        note(o, a->entry,
             a->what == ASK_NEW ? "no answer to 35=D for 30 s: 35=H asks"
             : a->what == ASK_CANCEL ? "no answer to 35=F for 30 s: 35=H asks"
                                     : "no answer to 35=G for 30 s: 35=H asks");
    a->stale = true;
    tw_fix_orders_ask_status(o, a->entry);
}

int64_t tw_fix_orders_tick(struct tw_fix_orders *o, int64_t now_ns)
{
    int64_t due_ns = INT64_MAX;
    struct ask *a;

    if (!o->up) return due_ns;
    while ((a = o->statuses.first) != NULL && a->sent_ns + STATUS_NS <= now_ns) {
        o->now_ns = now_ns;
        tw_fix_orders_no_status(o, a);        /* others go with it */
    }
    if (a) due_ns = a->sent_ns + STATUS_NS;
    while ((a = o->sent.first) != NULL && a->sent_ns + ANSWER_NS <= now_ns)
        ask_what_is(o, a, now_ns);
    if (a && a->sent_ns + ANSWER_NS < due_ns) due_ns = a->sent_ns + ANSWER_NS;
    return due_ns;
}

struct ask *tw_fix_orders_sent_as(const struct tw_fix_orders *o, uint64_t seq)
{
    struct ask *a = seq ? o->sent.first : NULL;

    while (a && a->seq != seq) a = a->next;
    if (!a && seq) a = o->statuses.first;
    while (a && a->seq != seq) a = a->next;
    return a;
}

bool tw_fix_orders_is_misnamed(const struct entry *e, const struct ask *a,
                               struct tw_fix_text orig)
{
    unsigned nth;

    if (a->what != ASK_CANCEL || a->again || e->over || e->ending.exec) return false;
    return tw_fix_orders_oldest(e, ASK_STATUS)
        || (tw_fix_orders_read_id(orig, &(uint64_t){ 0 }, &nth) && nth != e->accepted);
}

/* What is left of it may trade, as the venue has it now that a trade is taken back. */
static bool lives(const struct entry *e, const struct seen *s)
{
    bool is_back = s->kind == TW_EXEC_TRADE_CANCELED || s->kind == CORRECTED || e->doubts;
    bool rests = s->leaves.is ? s->leaves.v > 0   /* 4.0 has no LeavesQty */
               : s->quantity.is && s->cum.is && s->quantity.v > s->cum.v;

    return is_back && (s->status == '0' || s->status == '1') && rests;
}

void tw_fix_orders_change_late(struct tw_fix_orders *o, struct entry *e)
{
    const struct seen *s = o->seen;
    char status = s ? s->status : 0;

    if (status && strchr("2348C", status)) e->ended = (uint8_t)status;
    else if (e->cum >= e->quantity) e->ended = TW_STATUS_FILLED;
    else if (e->ended != TW_STATUS_FILLED) return;
    else if (s && lives(e, s)) tw_fix_orders_revive(o, e);
    else e->ended = TW_STATUS_CANCELED;
}

int64_t tw_fix_orders_undone(struct entry *e, const struct seen *s, int64_t quantity,
                             int64_t *price)
{
    int64_t more = s->kind == CORRECTED && s->last_qty.is ? s->last_qty.v : 0;
    int64_t n = s->cum.is ? quantity - (e->cum + more - s->cum.v) : 0;

    if (n > quantity) n = quantity;
    if (n > e->undone) n = e->undone;
    if (n < 0) n = 0;
    e->undone -= n;
    *price = e->undone_px;
    return n;
}

bool tw_fix_orders_fits(const struct entry *e, const struct seen *s,
                        const struct exec *ref)
{
    tw_money held = tw_fix_orders_held(e), back = ref ? ref->quantity : 0, more;

    more = s->last_qty.is && (s->kind == TW_EXEC_TRADE || s->kind == CORRECTED)
         ? s->last_qty.v : 0;
    if (s->cum.is && s->cum.v - e->cum > more) more = s->cum.v - e->cum;
    more = (more > back ? more - back : 0) + e->undone;
    return e->cum + more <= INT64_MAX && held + more <= INT64_MAX
        && held - e->cum >= -INT64_MAX;
}

/* A price of some of it was corrected, by the digits that a venue gives of an average: it
 * may round them, or cut off the rest. */
static bool is_other(int64_t average, int64_t mean)
{
    int64_t unit = 1, off = average > mean ? average - mean : mean - average;

    while (unit < TW_FIXED_ONE && average % (10 * unit) == 0) unit *= 10;
    return average > 0 && off >= unit && off > 1;
}

int64_t tw_fix_orders_excess(const struct entry *e, int64_t cum, int64_t average,
                             int64_t *price)
{
    int64_t n = e->doubts ? e->cum - cum : 0, mean = tw_money_price(e->value, e->cum);

    if (e->doubts && n == 0 && is_other(average, mean)) {   /* all of it, then */
        *price = mean;
        return e->cum;
    }
    if (n <= 0) return 0;
    *price = tw_money_price(e->value - tw_money_value(average, cum), n);
    if ((cum > 0 && average <= 0) || *price < mean / 2 || *price / 2 >= mean)
        *price = mean;                        /* it names none that can be */
    return n;
}
