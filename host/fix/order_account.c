/* order_account.c - the account of a script that trades at a gateway, over runs. */
#include "fix/order_account.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/order_lines.h"

/* ---- lines ---- */

static void put_cash(struct tw_fix_lines *out, const char *name,
                     const struct tw_account *a)
{
    const char *currency;

    for (uint32_t i = 0; (currency = tw_account_currency_name(a, i)) != NULL; i++) {
        struct tw_sums s = tw_account_sums(a, i);

        tw_fix_lines_put(out, "C %s %s %" PRId64 " " TW_FIX_MONEY " " TW_FIX_MONEY " "
            TW_FIX_MONEY " " TW_FIX_MONEY " " TW_FIX_MONEY "\n", name, currency,
            tw_account_rate(a, i), TW_FIX_SPLIT(s.cash), TW_FIX_SPLIT(s.deposits),
            TW_FIX_SPLIT(s.realised), TW_FIX_SPLIT(s.fees), TW_FIX_SPLIT(s.traded));
    }
}

static bool is_charged(const struct tw_fix_due *d)
{
    return d->fees || d->raw_fees || d->charged || d->charged_qty;
}

static struct tw_fix_due due_for(const struct tw_order *o)
{
    return (struct tw_fix_due){ o->id, o->fees, o->raw_fees, o->charged, o->charged_qty };
}

static void put_due(struct tw_fix_lines *out, const char *name,
                    const struct tw_fix_due *d)
{
    if (!is_charged(d)) return;
    tw_fix_lines_put(out, "E %s %" PRIu64 " " TW_FIX_MONEY " " TW_FIX_MONEY, name,
                     d->order, TW_FIX_SPLIT(d->fees), TW_FIX_SPLIT(d->raw_fees));
    if (d->charged || d->charged_qty)
        tw_fix_lines_put(out, " " TW_FIX_MONEY " %" PRId64, TW_FIX_SPLIT(d->charged),
                         d->charged_qty);
    tw_fix_lines_add(out, "\n", 1);
}

char *tw_fix_account_lines(const struct tw_fix_account *a, size_t *n)
{
    const struct tw_account *books = tw_broker_account(a->broker);
    struct tw_fix_lines out = { .n = 0 };
    char name[TW_FIX_WORD], symbol[TW_FIX_WORD], currency[TW_FIX_WORD];
    const struct tw_position *p;
    const struct tw_order *o = NULL;
    struct tw_fix_due due;
    tw_money made;
    int64_t day = tw_broker_day(a->broker, &made);

    tw_fix_line_word(a->name, name, sizeof name);
    tw_fix_lines_put(&out, "A %s %" PRIu64 " %" PRId64 " " TW_FIX_MONEY " %s\n", name,
        a->trades, day, TW_FIX_SPLIT(made),
        tw_fix_line_word(tw_account_currency_name(books, 0), currency, sizeof currency));
    put_cash(&out, name, books);
    for (size_t i = 0; (p = tw_account_at(books, i)) != NULL; i++) {
        tw_fix_line_word(tw_symbols_name(a->symbols, p->symbol), symbol, sizeof symbol);
        tw_fix_lines_put(&out, "H %s %s %" PRId64 " %" PRId64 " %" PRIu64 " " TW_FIX_MONEY
            " " TW_FIX_MONEY " " TW_FIX_MONEY " " TW_FIX_MONEY "\n", name, symbol,
            p->quantity, p->mark, p->trades, TW_FIX_SPLIT(p->cost),
            TW_FIX_SPLIT(p->realised), TW_FIX_SPLIT(p->fees), TW_FIX_SPLIT(p->settled));
    }
    for (size_t i = 0; i < a->n_dues; i++)
        put_due(&out, name, &a->dues[i]);
    while ((o = tw_broker_open(a->broker, o)) != NULL) {   /* the last line counts */
        due = due_for(o);
        put_due(&out, name, &due);
    }
    *n = out.n;
    if (!out.lost) return out.text;
    tw_free(out.text);
    return NULL;
}

/* ---- what orders were charged ---- */

static struct tw_fix_due *find_due(const struct tw_fix_account *a, uint64_t order)
{
    for (size_t i = a->n_dues; i-- > 0; )
        if (a->dues[i].order == order) return &a->dues[i];
    return NULL;
}

static struct tw_fix_due *add_due(struct tw_fix_account *a, uint64_t order)
{
    size_t room = a->room ? 2 * a->room : 16;
    struct tw_fix_due *grown;

    if (a->n_dues == a->room) {
        grown = tw_realloc(a->dues, room * sizeof *grown);
        if (!grown) return NULL;
        a->dues = grown;
        a->room = room;
    }
    a->dues[a->n_dues] = (struct tw_fix_due){ .order = order };
    return &a->dues[a->n_dues++];
}

/* Made when it is new; NULL: no memory. */
static struct tw_fix_due *due_of(struct tw_fix_account *a, uint64_t order)
{
    struct tw_fix_due *d = find_due(a, order);

    return d ? d : add_due(a, order);
}

void tw_fix_account_charge(const struct tw_fix_account *a, struct tw_order *o)
{
    const struct tw_fix_due *d = find_due(a, o->id);

    if (!d) return;
    o->fees = d->fees;
    o->raw_fees = d->raw_fees;
    o->charged = d->charged;
    o->charged_qty = d->charged_qty;
}

void tw_fix_account_ended(struct tw_fix_account *a, const struct tw_order *o)
{
    struct tw_fix_due *d = find_due(a, o->id), now = due_for(o);

    if (!d && !is_charged(&now)) return;
    if (!d && a->n_dues >= 2 * TW_FIX_DUES && a->awaited == 0) {
        size_t old = a->n_dues - TW_FIX_DUES;

        memmove(a->dues, a->dues + old, TW_FIX_DUES * sizeof *a->dues);
        a->n_dues = TW_FIX_DUES;
    }
    if (!d) d = add_due(a, o->id);
    if (d) *d = now;                          /* else it is as if it were too old */
}

/* ---- reading them ---- */

static struct tw_position *position_of(const struct tw_fix_account *a, uint32_t symbol)
{
    const struct tw_broker_options *o = tw_broker_get_options(a->broker);

    return tw_account_position(tw_broker_account(a->broker), symbol,
                               o->terms ? o->terms(o->ctx, symbol) : NULL);
}

static int read_cash(struct tw_fix_account *a, const struct tw_fix_line *l)
{
    struct tw_account *books = tw_broker_account(a->broker);
    int id = tw_account_currency(books, tw_fix_line_name(l, 2));
    struct tw_sums s = { .deposits = tw_fix_line_money(l, 5),
                         .realised = tw_fix_line_money(l, 6),
                         .fees = tw_fix_line_money(l, 7),
                         .traded = tw_fix_line_money(l, 8) };
    tw_money more;

    if (id < 0) return id;
    more = tw_account_sums(books, (uint32_t)id).deposits - s.deposits;
    s.cash = tw_fix_line_money(l, 4) + more;
    s.deposits += more;
    a->moved += more;
    tw_account_set_sums(books, (uint32_t)id, &s);
    if (tw_account_rate(books, (uint32_t)id) == 0)
        tw_account_set_rate(books, (uint32_t)id, tw_fix_line_number(l, 3));
    return TW_OK;
}

static int read_position(struct tw_fix_account *a, const struct tw_fix_line *l)
{
    const char *name = tw_fix_line_name(l, 2);
    int64_t symbol = tw_symbols_intern(a->symbols, name, strlen(name));
    struct tw_position *p = symbol > 0 ? position_of(a, (uint32_t)symbol) : NULL;

    if (symbol <= 0) return (int)symbol;
    if (!p) return UV_ENOMEM;
    tw_account_set_position(tw_broker_account(a->broker), p, &(struct tw_position){
        .quantity = tw_fix_line_number(l, 3), .mark = tw_fix_line_number(l, 4),
        .trades = tw_fix_line_count(l, 5), .cost = tw_fix_line_money(l, 6),
        .realised = tw_fix_line_money(l, 7), .fees = tw_fix_line_money(l, 8),
        .settled = tw_fix_line_money(l, 9) });
    return TW_OK;
}

static int read_due(struct tw_fix_account *a, const struct tw_fix_line *l)
{
    struct tw_fix_due *d = due_of(a, tw_fix_line_count(l, 2));

    if (!d) return UV_ENOMEM;
    d->fees = tw_fix_line_money(l, 3);
    d->raw_fees = tw_fix_line_money(l, 4);
    d->charged = l->n > 5 ? tw_fix_line_money(l, 5) : 0;
    d->charged_qty = l->n > 5 ? tw_fix_line_number(l, 6) : 0;
    return TW_OK;
}

/* A baseline of losses is in the account's currency. */
static void read_day(struct tw_fix_account *a, const struct tw_fix_line *l)
{
    const char *base = tw_account_currency_name(tw_broker_account(a->broker), 0);

    if (strcmp(tw_fix_line_name(l, 5), base) == 0)
        tw_broker_set_day(a->broker, tw_fix_line_number(l, 3), tw_fix_line_money(l, 4));
}

/* The gateway has checked them. */
static int read_all(struct tw_fix_account *a, char *text)
{
    int rc = TW_OK;
    char *end;

    for (; rc == TW_OK && (end = strchr(text, '\n')) != NULL; text = end + 1) {
        struct tw_fix_line l;

        *end = 0;
        tw_fix_line_split(&l, text);
        switch (*l.word[0]) {
        case 'A': read_day(a, &l);           break;
        case 'C': rc = read_cash(a, &l);     break;
        case 'H': rc = read_position(a, &l); break;
        default:  rc = read_due(a, &l);      break;
        }
    }
    return rc;
}

/* ---- what came after them ---- */

static int book(struct tw_fix_account *a, const struct tw_fix_trade *t)
{
    const struct tw_position *p = position_of(a, t->symbol);
    struct tw_fix_due *d = due_of(a, t->report.order);
    struct tw_report r = t->report;
    struct tw_order o = { .id = r.order, .side = t->side, .symbol = t->symbol,
                          .cum_qty = t->cum, .cum_value = t->value,
                          .terms = p ? p->terms : NULL };
    int64_t quantity = r.exec == TW_EXEC_TRADE ? r.last_qty : -r.last_qty;

    if (!p || !d) return UV_ENOMEM;
    tw_fix_account_charge(a, &o);
    tw_broker_charge(a->broker, &o, &r);
    o.cum_qty += quantity;
    tw_order_pay(&o, &r, quantity);
    *d = due_for(&o);
    return tw_broker_book_late(a->broker, &o, &r);
}

static int64_t listed(const struct tw_fix_estate *e, uint32_t symbol)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->list[i].symbol == symbol) return e->list[i].quantity;
    return 0;
}

/* The position is what the gateway has, at its price: where the lines are of an older
 * program, or were mended by hand. */
static int agree(struct tw_fix_account *a, uint32_t symbol, int64_t quantity,
                 int64_t price)
{
    struct tw_position *p = position_of(a, symbol);
    int64_t more = p ? quantity - p->quantity : 0;

    if (!p) return UV_ENOMEM;
    if (more != 0)
        tw_account_trade(tw_broker_account(a->broker), p, price, more, 0);
    return tw_broker_hold(a->broker, symbol);
}

int tw_fix_account_inherit(struct tw_fix_account *a, const struct tw_fix_estate *e)
{
    const struct tw_account *books = tw_broker_account(a->broker);
    int rc = e->account ? read_all(a, e->account) : TW_OK;
    const struct tw_position *p;

    a->trades = e->last;
    for (size_t i = 0; rc == TW_OK && i < e->n_trades; i++)
        rc = book(a, &e->trades[i]);
    for (size_t i = 0; rc == TW_OK && (p = tw_account_at(books, i)) != NULL; i++)
        if (p->quantity != 0 && listed(e, p->symbol) == 0)
            rc = agree(a, p->symbol, 0, p->mark);
    for (size_t i = 0; rc == TW_OK && i < e->n; i++)
        rc = agree(a, e->list[i].symbol, e->list[i].quantity, e->list[i].price);
    tw_broker_resume(a->broker);
    return rc;
}
