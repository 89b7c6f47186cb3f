/* order_trades.c - what was traded since the account was kept that is to have it.
 *
 * Why the trades, too, and not the account alone: a gateway books a trade before its
 * script hears of it, and only that knows what the trade costs.  So an account is kept
 * now and then, with the number of the last trade that it has, and each trade at once: a
 * run that begins books those behind the account as the one before would have.
 */
#include "fix/order_entry_parts.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"

static struct traded *append(struct holder *h, const struct tw_fix_trade *is)
{
    struct traded *t = tw_calloc(1, sizeof *t);

    if (is->number > h->trades) h->trades = is->number;
    if (!t) return NULL;
    t->is = *is;
    if (h->traded) h->last->next = t;
    else h->traded = t;
    return h->last = t;
}

void tw_fix_orders_drop_trades(struct holder *h, uint64_t through)
{
    struct traded *t;

    while ((t = h->traded) != NULL && t->is.number <= through) {
        h->traded = t->next;
        tw_free(t);
    }
}

static void put(struct tw_fix_orders *o, const struct holder *h,
                const struct tw_fix_trade *t)
{
    const struct tw_report *r = &t->report;
    char name[TW_FIX_WORD], symbol[TW_FIX_WORD];

    tw_fix_lines_put(&o->lines, "F %s %" PRIu64 " %" PRIu64 " %s %d %d %" PRId64 " %"
        PRId64 " %" PRId64 " %d " TW_FIX_MONEY " %d %" PRId64 " " TW_FIX_MONEY,
        tw_fix_line_word(h->name, name, sizeof name), t->number, r->order,
        tw_fix_line_word(tw_symbols_name(o->o.symbols, t->symbol), symbol, sizeof symbol),
        t->side, r->exec == TW_EXEC_TRADE_CANCELED, r->last_px, r->last_qty, r->time_ns,
        r->is_charged, TW_FIX_SPLIT(r->charge.own), r->liquidity, t->cum,
        TW_FIX_SPLIT(t->value));
    tw_fix_orders_put_charge(&o->lines, &r->charge);
}

void tw_fix_orders_add_trade(struct tw_fix_orders *o, const struct entry *e,
                             const struct tw_report *r)
{
    int sign = r->exec == TW_EXEC_TRADE ? 1 : -1;
    struct holder *h = e->holder;
    struct tw_fix_trade t = {
        .number = h->trades + 1, .symbol = e->symbol, .side = e->side, .report = *r,
        .cum = e->cum - sign * r->last_qty,
        .value = e->value - sign * tw_money_value(r->last_px, r->last_qty) };

    t.report.order = e->id;
    t.report.time_ns = o->now_ns;
    if (append(h, &t)) put(o, h, &t);
    else o->lines.lost = true;
}

void tw_fix_orders_put_account(struct tw_fix_orders *o, const struct holder *h)
{
    tw_fix_lines_add(&o->lines, h->account.text, h->account.n);
    for (const struct traded *t = h->traded; t; t = t->next) put(o, h, &t->is);
}

bool tw_fix_orders_account(struct tw_fix_orders *o, uint32_t owner, uint64_t trades,
                           char *text, size_t n)
{
    struct holder *h = tw_fix_orders_holder(o, owner);
    bool is_new = h && (n != h->account.n || memcmp(text, h->account.text, n) != 0);

    if (!is_new) {
        tw_free(text);
        return false;
    }
    tw_free(h->account.text);
    h->account = (struct tw_fix_lines){ text, n, n, false };
    tw_fix_orders_drop_trades(h, trades);
    tw_fix_lines_add(&o->lines, text, n);
    return true;
}

/* ---- for who joins ---- */

void tw_fix_estate_fini(struct tw_fix_estate *e)
{
    tw_free(e->list);
    tw_free(e->account);
    tw_free(e->trades);
    *e = (struct tw_fix_estate){ .n = 0 };
}

int tw_fix_orders_list_trades(const struct holder *h, struct tw_fix_estate *out)
{
    size_t all = 0;

    out->last = h->trades;
    if (h->account.n == 0) return TW_OK;     /* they can't be added to anything */
    for (const struct traded *t = h->traded; t; t = t->next) all++;
    out->account = tw_calloc(h->account.n + 1, 1);
    out->trades = tw_calloc(all + 1, sizeof *out->trades);
    if (!out->account || !out->trades) return UV_ENOMEM;
    memcpy(out->account, h->account.text, h->account.n);
    for (const struct traded *t = h->traded; t; t = t->next)
        out->trades[out->n_trades++] = t->is;
    return TW_OK;
}

/* ---- reading ---- */

int tw_fix_orders_read_account(struct holder *h, const struct tw_fix_line *l)
{
    if (*l->word[0] == 'A') {
        uint64_t trades = tw_fix_line_count(l, 2);

        h->account.n = 0;
        if (trades > h->trades) h->trades = trades;
        tw_fix_orders_drop_trades(h, trades);
    }
    for (size_t i = 0; i < l->n; i++) {
        tw_fix_lines_add(&h->account, l->word[i], strlen(l->word[i]));
        tw_fix_lines_add(&h->account, i + 1 < l->n ? " " : "\n", 1);
    }
    return h->account.lost ? UV_ENOMEM : TW_OK;
}

int tw_fix_orders_read_trade(struct holder *h, uint32_t symbol,
                             const struct tw_fix_line *l)
{
    struct tw_fix_trade t = {
        .number = tw_fix_line_count(l, 2), .symbol = symbol,
        .side = (uint8_t)tw_fix_line_number(l, 5),
        .report = { .order = tw_fix_line_count(l, 3),
                    .exec = tw_fix_line_number(l, 6) ? TW_EXEC_TRADE_CANCELED
                                                     : TW_EXEC_TRADE,
                    .last_px = tw_fix_line_number(l, 7),
                    .last_qty = tw_fix_line_number(l, 8),
                    .time_ns = tw_fix_line_number(l, 9),
                    .is_charged = tw_fix_line_number(l, 10) != 0,
                    .charge = tw_fix_orders_charge_at(l, 11, 15),
                    .liquidity = (uint8_t)tw_fix_line_number(l, 12) },
        .cum = tw_fix_line_number(l, 13), .value = tw_fix_line_money(l, 14) };

    return append(h, &t) ? TW_OK : UV_ENOMEM;
}
