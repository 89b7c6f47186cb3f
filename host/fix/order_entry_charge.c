/* order_entry_charge.c - what a venue charges for a trade: Commission (12) and NoMiscFees
 * (136), as a report says them, and as they are given back with the trade.
 *
 * Why what was charged is remembered for each trade: the message that takes one back does
 * not say it, and the other trades of its order may have cost another part.
 */
#include "fix/order_entry_parts.h"

#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"

static void number(struct cost *c, const struct tw_fix_field *f)
{
    c->is = tw_fixed_parse(f->at, f->n, &c->v) == TW_OK;
}

void tw_fix_orders_read_cost(struct seen *s, const struct tw_fix_field *f)
{
    struct cost *commission = &s->costs[0], *fee = &s->costs[s->n_fees];
    char letter = f->n == 1 ? *f->at : '?';

    switch (f->tag) {
    case 12:  number(commission, f);                                     return;
    case 13:  commission->type = letter;                                 return;
    case 479: commission->currency = (struct tw_fix_text){ f->at, f->n }; return;
    case 137:
        s->odd_cost |= s->n_fees == FEES_MAX;
        if (s->n_fees < FEES_MAX) number(&s->costs[++s->n_fees], f);
        return;
    default: break;
    }
    if (s->n_fees == 0 || s->odd_cost) return;   /* of none that is kept */
    if (f->tag == 138) fee->currency = (struct tw_fix_text){ f->at, f->n };
    else fee->type = letter == '1' ? '1' : letter == '2' ? '2' : '3';   /* 891 */
}

bool tw_fix_orders_names_costs(const struct seen *s)
{
    bool is = false;

    for (unsigned i = 0; i <= s->n_fees; i++)
        is |= s->costs[i].is && (!s->costs[i].type || strchr("123", s->costs[i].type));
    return is;
}

/* To what is in the instrument's currency, or in the one that was named first. */
static bool add(struct tw_charge *to, tw_money amount, struct tw_fix_text currency)
{
    size_t n = currency.at ? currency.n : 0;

    if (n == 0) {
        to->own += amount;
        return true;
    }
    if (!*to->currency && n < sizeof to->currency && !memchr(currency.at, 0, n))
        memcpy(to->currency, currency.at, n);
    if (strlen(to->currency) != n || memcmp(to->currency, currency.at, n) != 0)
        return amount == 0;
    to->other += amount;
    return true;
}

/* A part of the value is in the currency of that. */
static bool charge(struct tw_charge *to, const struct cost *c, int64_t quantity)
{
    if (!c->is) return true;
    switch (c->type) {
    case '1': return add(to, tw_money_value(c->v, quantity), c->currency);
    case '2':                                 /* .05 is 5 % */
        return !__builtin_add_overflow(to->ratio, c->v, &to->ratio);
    case '3': case 0: return add(to, c->v, c->currency);
    default:  return false;
    }
}

static void tell_odd(struct tw_fix_orders *o, const struct seen *s)
{
    if (o->told_odd || !o->o.stray) return;
    o->told_odd = true;
    o->o.stray(o->o.ctx, &(struct tw_fix_stray){
        .what = "a part of what the venue charges is not booked (here and from now on):"
                " CommType (13) other than 1, 2, 3, or several currencies",
        .id = s->id, .order_id = s->order_id, .symbol = s->symbol,
        .quantity = s->quantity.v, .filled = s->cum.v, .status = s->status });
}

void tw_fix_orders_charge(struct tw_fix_orders *o, struct tw_report *r,
                          const struct seen *s, struct exec *x)
{
    bool is_odd = s->odd_cost;

    for (unsigned i = 0; i <= s->n_fees; i++)
        is_odd |= !charge(&r->charge, &s->costs[i], r->last_qty);
    if (is_odd) tell_odd(o, s);
    r->is_charged = tw_fix_orders_names_costs(s);
    if (!r->is_charged || !x) return;
    if (!x->charge) x->charge = tw_calloc(1, sizeof *x->charge);
    if (x->charge) *x->charge = r->charge;    /* else it is given back by its part */
}

void tw_fix_orders_give_back(struct tw_report *r, const struct exec *x)
{
    const struct tw_charge *was = x ? x->charge : NULL;

    if (!was) return;
    r->is_charged = true;
    r->charge = *was;
    r->charge.ratio = -was->ratio;            /* of the value, which is smaller */
    r->charge.own = -tw_money_ratio(was->own, r->last_qty, x->quantity);
    r->charge.other = -tw_money_ratio(was->other, r->last_qty, x->quantity);
}

/* ---- in lines that are kept: what most charges don't have is left out ---- */

void tw_fix_orders_put_charge(struct tw_fix_lines *out, const struct tw_charge *c)
{
    char currency[TW_FIX_WORD];

    if (c->ratio || c->other)
        tw_fix_lines_put(out, " %" PRId64 " " TW_FIX_MONEY " %s", c->ratio,
                         TW_FIX_SPLIT(c->other), *c->currency
                         ? tw_fix_line_word(c->currency, currency, sizeof currency)
                         : "-");
    tw_fix_lines_add(out, "\n", 1);
}

struct tw_charge tw_fix_orders_charge_at(const struct tw_fix_line *l, size_t own,
                                         size_t rest)
{
    struct tw_charge c = { .own = l->n > own ? tw_fix_line_money(l, own) : 0 };

    if (l->n <= rest) return c;
    c.ratio = tw_fix_line_number(l, rest);
    c.other = tw_fix_line_money(l, rest + 1);
    strncpy(c.currency, tw_fix_line_name(l, rest + 2), sizeof c.currency - 1);
    return c;
}
