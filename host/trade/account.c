/* account.c - cash, positions and what they are worth.
 *
 * Why: figures that a risk check needs before each order are kept up to date as prices
 * come, by currency, so that a check does not walk over all positions.
 */
#include "trade/account.h"

#include <string.h>

#include "base/memory.h"

struct currency {
    char name[8];
    int64_t rate;
    tw_money cash, deposits;
    tw_money worth;               /* of positions paid in full, at their marks       */
    tw_money owed;                /* the part of it that is short: below 0           */
    tw_money cost;                /* of those paid in full                           */
    tw_money gained;              /* on those on margin, not paid yet                */
    tw_money realised, fees, traded, margin;
};

struct tw_account {
    struct currency currency[TW_CURRENCIES];
    unsigned n_currencies;
    struct tw_position **by_symbol;
    size_t n_symbols;
    struct tw_position **all;
    size_t n, room;
};

struct tw_account *tw_account_new(const char *base)
{
    struct tw_account *a = tw_calloc(1, sizeof *a);

    if (!a) return NULL;
    if (tw_account_currency(a, base) < 0) tw_account_currency(a, "USD");
    a->currency[0].rate = TW_FIXED_ONE;
    return a;
}

void tw_account_free(struct tw_account *a)
{
    if (!a) return;
    for (size_t i = 0; i < a->n; i++) tw_free(a->all[i]);
    tw_free(a->all);
    tw_free(a->by_symbol);
    tw_free(a);
}

/* ---- currencies ---- */

int tw_account_currency(struct tw_account *a, const char *name)
{
    size_t n = strlen(name);

    for (unsigned i = 0; i < a->n_currencies; i++)
        if (strcmp(a->currency[i].name, name) == 0) return (int)i;
    if (n == 0 || n >= sizeof a->currency[0].name || a->n_currencies == TW_CURRENCIES)
        return TW_ELIMIT;
    memcpy(a->currency[a->n_currencies].name, name, n);
    return (int)a->n_currencies++;
}

const char *tw_account_currency_name(const struct tw_account *a, uint32_t id)
{
    return id < a->n_currencies ? a->currency[id].name : NULL;
}

void tw_account_set_rate(struct tw_account *a, uint32_t currency, int64_t rate)
{
    if (currency > 0 && currency < a->n_currencies) a->currency[currency].rate = rate;
}

int64_t tw_account_rate(const struct tw_account *a, uint32_t currency)
{
    return currency < a->n_currencies ? a->currency[currency].rate : 0;
}

void tw_account_deposit(struct tw_account *a, uint32_t currency, tw_money amount)
{
    a->currency[currency].cash += amount;
    a->currency[currency].deposits += amount;
}

static struct currency *currency_of(struct tw_account *a, const struct tw_position *p)
{
    uint32_t id = p->terms ? p->terms->currency : 0;

    return &a->currency[id < a->n_currencies ? id : 0];
}

/* ---- positions ---- */

struct tw_position *tw_account_find(const struct tw_account *a, uint32_t symbol)
{
    return symbol < a->n_symbols ? a->by_symbol[symbol] : NULL;
}

static bool grow(struct tw_account *a, uint32_t symbol)
{
    if (symbol >= a->n_symbols) {
        struct tw_position **grown = tw_extend(a->by_symbol, &a->n_symbols, symbol,
                                               sizeof *grown);

        if (!grown) return false;
        a->by_symbol = grown;
    }
    if (a->n == a->room) {
        struct tw_position **grown = tw_grow(a->all, &a->room, a->n + 1, sizeof *grown);

        if (!grown) return false;
        a->all = grown;
    }
    return true;
}

struct tw_position *tw_account_position(struct tw_account *a, uint32_t symbol,
                                        const struct tw_terms *terms)
{
    struct tw_position *p = tw_account_find(a, symbol);

    if (p) return p;
    p = grow(a, symbol) ? tw_calloc(1, sizeof *p) : NULL;
    if (!p) return NULL;
    p->symbol = symbol;
    p->terms = terms;
    a->by_symbol[symbol] = a->all[a->n++] = p;
    return p;
}

size_t tw_account_bytes(const struct tw_account *a)
{
    return sizeof *a + a->n_symbols * sizeof *a->by_symbol + a->room * sizeof *a->all
        + a->n * sizeof **a->all;
}

const struct tw_position *tw_account_at(const struct tw_account *a, size_t i)
{
    return i < a->n ? a->all[i] : NULL;
}

static bool is_on_margin(const struct tw_position *p)
{
    return p->terms && p->terms->margin > 0;
}

static int64_t magnitude(int64_t quantity)
{
    return quantity < 0 ? -quantity : quantity;
}

/* Signed as the quantity. */
static tw_money worth(const struct tw_position *p, int64_t price, int64_t quantity)
{
    return tw_terms_value(p->terms, price, quantity);
}

tw_money tw_position_unrealised(const struct tw_position *p)
{
    return p->worth - p->cost - p->settled;
}

int64_t tw_position_price(const struct tw_position *p)
{
    int64_t multiplier = p->terms && p->terms->multiplier ? p->terms->multiplier
                                                          : TW_FIXED_ONE;

    if (p->quantity == 0) return 0;
    return tw_money_price(tw_money_ratio(p->cost, TW_FIXED_ONE, multiplier), p->quantity);
}

/* The part of it that is short. */
static tw_money owed(tw_money value)
{
    return value < 0 ? value : 0;
}

/* Takes what the position adds to the figures of its currency out, or (1) puts it in. */
static void count(struct tw_account *a, const struct tw_position *p, int sign)
{
    struct currency *c = currency_of(a, p);

    if (is_on_margin(p)) {
        c->gained += sign * tw_position_unrealised(p);
        c->margin += sign * tw_money_value(p->terms->margin, magnitude(p->quantity));
    } else {
        c->worth += sign * p->worth;
        c->cost += sign * p->cost;
        c->owed += sign * owed(p->worth);
    }
}

struct tw_sums tw_account_sums(const struct tw_account *a, uint32_t currency)
{
    const struct currency *c = &a->currency[currency];

    return (struct tw_sums){ c->cash, c->deposits, c->realised, c->fees, c->traded };
}

void tw_account_set_sums(struct tw_account *a, uint32_t currency, const struct tw_sums *s)
{
    struct currency *c = &a->currency[currency];

    c->cash = s->cash;
    c->deposits = s->deposits;
    c->realised = s->realised;
    c->fees = s->fees;
    c->traded = s->traded;
}

void tw_account_set_position(struct tw_account *a, struct tw_position *p,
                             const struct tw_position *was)
{
    struct tw_position is = *was;

    is.symbol = p->symbol;
    is.terms = p->terms;
    is.each = tw_terms_each(is.terms, is.quantity);
    is.worth = worth(&is, is.mark, is.quantity);
    count(a, p, -1);
    *p = is;
    count(a, p, 1);
}

/* Closes so much of it, below 0 what is long; what was gained is realised. */
static void close(struct tw_position *p, struct currency *c, int64_t price,
                  int64_t quantity)
{
    int64_t open = magnitude(p->quantity), part = magnitude(quantity);
    tw_money cost = part == open ? p->cost : tw_money_ratio(p->cost, part, open);
    tw_money settled = part == open ? p->settled : tw_money_ratio(p->settled, part, open);
    tw_money gained = -worth(p, price, quantity) - cost - settled;

    p->cost -= cost;
    p->settled -= settled;
    p->quantity += quantity;
    p->realised += gained;
    c->realised += gained;
    if (is_on_margin(p)) c->cash += gained;
}

/* What was paid for it (below 0: got), the fee, and what that makes of the turnover. */
static void pay(struct tw_position *p, struct currency *c, tw_money value, tw_money fee,
                tw_money turnover)
{
    if (!is_on_margin(p)) c->cash -= value;
    c->cash -= fee;
    c->fees += fee;
    c->traded += turnover;
    p->fees += fee;
    p->each = tw_terms_each(p->terms, p->quantity);
    p->worth = worth(p, p->mark, p->quantity);
}

void tw_account_trade(struct tw_account *a, struct tw_position *p, int64_t price,
                      int64_t quantity, tw_money fee)
{
    struct currency *c = currency_of(a, p);
    tw_money value = worth(p, price, quantity);
    int64_t closing = 0;

    count(a, p, -1);
    if (p->quantity != 0 && (quantity < 0) != (p->quantity < 0))
        closing = magnitude(quantity) < magnitude(p->quantity) ? quantity : -p->quantity;
    if (closing && closing == -p->quantity) {
        p->closed.quantity = p->quantity;
        p->closed.cost = p->cost;
        p->closed.settled = p->settled;
        p->closed.price = price;
    }
    if (closing) close(p, c, price, closing);
    p->quantity += quantity - closing;
    p->cost += value - worth(p, price, closing);
    p->mark = price;
    pay(p, c, value, fee, value < 0 ? -value : value);
    p->trades++;
    count(a, p, 1);
}

void tw_account_charge(struct tw_account *a, struct tw_position *p, uint32_t currency,
                       tw_money amount, tw_money fee)
{
    a->currency[currency].cash -= amount;
    a->currency[currency].fees += amount;
    p->fees += fee;
}

tw_money tw_account_exchange(const struct tw_account *a, tw_money amount, uint32_t from,
                             uint32_t to)
{
    int64_t rate = tw_account_rate(a, from), into = tw_account_rate(a, to);

    if (from == to) return amount;
    return rate > 0 && into > 0 ? tw_money_ratio(amount, rate, into) : 0;
}

/* So much of what is open was never traded. */
static void unopen(struct tw_position *p, struct currency *c, int64_t price,
                   int64_t quantity)
{
    tw_money left = p->cost - worth(p, price, quantity);

    if (quantity == p->quantity || (left < 0) != (p->quantity < 0)) {
        close(p, c, price, -quantity);
        return;
    }
    p->cost = left;
    p->quantity -= quantity;
}

/* So much of it was never closed; or, where what was open last is on the other side, what
 * closed that has opened it. */
static void unclose(struct tw_position *p, struct currency *c, int64_t price,
                    int64_t quantity)
{
    tw_money value = worth(p, price, quantity), cost = p->cost, settled = p->settled;
    int64_t of = p->quantity;
    tw_money gained;

    if (of == 0 && p->closed.quantity != 0
        && (p->closed.quantity < 0) == (quantity < 0)) {
        of = p->closed.quantity;
        cost = p->closed.cost;
        settled = p->closed.settled;
    } else if (of == 0) {
        of = quantity;
        cost = p->closed.quantity ? worth(p, p->closed.price, quantity) : value;
    }
    cost = tw_money_ratio(cost, magnitude(quantity), magnitude(of));
    settled = tw_money_ratio(settled, magnitude(quantity), magnitude(of));
    gained = cost + settled - value;
    p->cost += cost;
    p->settled += settled;
    p->quantity += quantity;
    p->realised += gained;
    c->realised += gained;
    if (is_on_margin(p)) c->cash += gained;
}

void tw_account_take_back(struct tw_account *a, struct tw_position *p, int64_t price,
                          int64_t quantity, tw_money fee)
{
    struct currency *c = currency_of(a, p);
    tw_money value = worth(p, price, quantity);
    int64_t opened = 0;

    count(a, p, -1);
    if (p->quantity != 0 && (quantity < 0) == (p->quantity < 0))
        opened = magnitude(quantity) < magnitude(p->quantity) ? quantity : p->quantity;
    if (opened) unopen(p, c, price, opened);
    if (quantity != opened) unclose(p, c, price, opened - quantity);
    if (p->mark == 0) p->mark = price;
    pay(p, c, -value, fee, value < 0 ? value : -value);
    if (p->trades > 0) p->trades--;
    count(a, p, 1);
}

void tw_account_mark(struct tw_account *a, struct tw_position *p, int64_t price)
{
    tw_money before = p->worth, now;
    struct currency *c;

    if (price == p->mark) return;
    p->mark = price;
    now = p->each ? (tw_money)price * p->each : worth(p, price, p->quantity);
    p->worth = now;
    c = currency_of(a, p);
    if (is_on_margin(p)) {
        c->gained += now - before;
        return;
    }
    c->worth += now - before;
    if (now < 0 || before < 0) c->owed += owed(now) - owed(before);
}

void tw_account_settle(struct tw_account *a, struct tw_position *p)
{
    tw_money gained = tw_position_unrealised(p);
    struct currency *c = currency_of(a, p);

    if (!is_on_margin(p) || !p->terms->settles_daily || gained == 0) return;
    count(a, p, -1);
    p->settled += gained;
    p->realised += gained;
    c->realised += gained;
    c->cash += gained;
    count(a, p, 1);
}

struct tw_account *tw_account_copy(const struct tw_account *from,
                                   const struct tw_terms *(*terms)(void *ctx,
                                                                   uint32_t symbol),
                                   void *ctx)
{
    struct tw_account *a = tw_calloc(1, sizeof *a);

    if (!a) return NULL;
    memcpy(a->currency, from->currency, sizeof a->currency);
    a->n_currencies = from->n_currencies;
    for (size_t i = 0; i < from->n; i++) {
        uint32_t symbol = from->all[i]->symbol;
        struct tw_position *p = tw_account_position(a, symbol, NULL);

        if (!p) {
            tw_account_free(a);
            return NULL;
        }
        *p = *from->all[i];
        p->terms = terms ? terms(ctx, symbol) : NULL;
    }
    return a;
}

/* ---- figures ---- */

tw_money tw_account_cash(const struct tw_account *a, uint32_t currency)
{
    return currency < a->n_currencies ? a->currency[currency].cash : 0;
}

/* In the base.  A rate that is not known counts nothing: nothing is traded before it is,
 * see tw_broker_has_rate. */
static inline tw_money total(const struct tw_account *a, size_t figure)
{
    tw_money sum, amount;

    memcpy(&sum, (const char *)&a->currency[0] + figure, sizeof sum);
    for (unsigned i = 1; i < a->n_currencies; i++) {
        const struct currency *c = &a->currency[i];

        memcpy(&amount, (const char *)c + figure, sizeof amount);
        sum += tw_money_ratio(amount, c->rate, TW_FIXED_ONE);
    }
    return sum;
}

#define TOTAL(a, figure) total(a, offsetof(struct currency, figure))

tw_money tw_account_all_cash(const struct tw_account *a)
{
    return a->n_currencies == 1 ? a->currency[0].cash : TOTAL(a, cash);
}

tw_money tw_account_equity(const struct tw_account *a)
{
    return TOTAL(a, cash) + TOTAL(a, worth) + TOTAL(a, gained);
}

bool tw_account_is_solvent(const struct tw_account *a)
{
    const struct currency *c = a->currency;

    return (a->n_currencies == 1 ? c->cash + c->worth + c->gained
                                 : tw_account_equity(a)) > 0;
}

tw_money tw_account_margin(const struct tw_account *a)
{
    return TOTAL(a, margin);
}

/* What is short will be bought back, and as much is held for it. */
tw_money tw_account_free_cash(const struct tw_account *a)
{
    return TOTAL(a, cash) + TOTAL(a, gained) - TOTAL(a, margin) + 2 * TOTAL(a, owed);
}

tw_money tw_account_realised(const struct tw_account *a)
{
    return TOTAL(a, realised);
}

tw_money tw_account_unrealised(const struct tw_account *a)
{
    tw_money sum = 0;

    for (unsigned i = 0; i < a->n_currencies; i++) {
        const struct currency *c = &a->currency[i];

        sum += tw_money_ratio(c->worth - c->cost + c->gained, c->rate, TW_FIXED_ONE);
    }
    return sum;
}

tw_money tw_account_fees(const struct tw_account *a)
{
    return TOTAL(a, fees);
}

tw_money tw_account_traded(const struct tw_account *a)
{
    return TOTAL(a, traded);
}

tw_money tw_account_deposits(const struct tw_account *a)
{
    return TOTAL(a, deposits);
}
