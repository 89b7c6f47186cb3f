/* broker_mark.c - what a broker's account holds is worth what the market says.
 *
 * Why: while there is a position, each record of its symbol changes what the account is
 * worth, and mostly nobody asks: but for a backtest, whether anything is left at all.  So
 * of the position whose price moves the last price waits here until somebody looks at the
 * account, as long as no price within some bounds can take all that there is.
 *
 * Invariants
 *   K1  Where a price waits, no order is open, and what the account was worth without it
 *       has not changed since the bounds were drawn.
 *   K2  Who reads or changes the account has called tw_broker_catch_up.
 */
#include "trade/broker_parts.h"

enum { PATIENCE = 3 };               /* marks that nobody asks for, before one waits */

void tw_broker_catch_up(struct tw_broker *b)
{
    if (b->late.waits) tw_account_mark(b->account, b->late.of, b->late.price);
    b->late.waits = false;
    b->late.of = NULL;
    b->late.unasked = 0;
}

/* K1.  A price within them takes less from the account than there is. */
static void draw_bounds(struct tw_broker *b, struct tw_position *p, int64_t price)
{
    tw_money equity = tw_account_equity(b->account), room;

    if (b->open || p->each == 0 || (p->terms && p->terms->currency != 0)
        || (tw_broker_desk(b) && b->o.desk->limits.daily_loss))
        return;
    room = equity / (p->each < 0 ? -(tw_money)p->each : p->each);
    if (room > INT64_MAX / 4) room = INT64_MAX / 4;
    if (room <= 0 || price > INT64_MAX / 2 || price < INT64_MIN / 2) return;
    b->late.of = p;
    b->late.low = price - (int64_t)room;
    b->late.high = price + (int64_t)room;
}

static TW_APART void mark_now(struct tw_broker *b, struct tw_position *p, int64_t price)
{
    unsigned unasked = p == b->late.last ? b->late.unasked + 1 : 0;

    tw_broker_catch_up(b);
    tw_account_mark(b->account, p, price);
    b->late.last = p;
    b->late.unasked = unasked;
    if (unasked >= PATIENCE) draw_bounds(b, p, price);
}

void tw_broker_mark(struct tw_broker *b, struct tw_position *p, const struct tw_record *r)
{
    int64_t price = r->kind == TW_QUOTE ? tw_market_middle(r->quote.bid, r->quote.ask)
                                        : tw_simulator_price(b->venue, p->symbol);

    if (price == 0) return;
    if (p != b->late.of || price <= b->late.low || price >= b->late.high) {
        mark_now(b, p, price);
        return;
    }
    b->late.price = price;
    b->late.waits = true;
}

bool tw_broker_is_solvent(struct tw_broker *b)
{
    return b->late.of || tw_account_is_solvent(b->account);
}

struct tw_account *tw_broker_account(struct tw_broker *b)
{
    tw_broker_catch_up(b);
    return b->account;
}

int64_t tw_broker_price(const struct tw_broker *b, uint32_t symbol)
{
    return tw_simulator_price(b->venue, symbol);
}

int64_t tw_broker_held(const struct tw_broker *b, uint32_t symbol)
{
    const struct tw_position *p = tw_account_find(b->account, symbol);

    return p ? p->quantity : 0;
}

/* What lacked at one time, when no sale of that time has brought it, to the rest. */
static void add_overdraft(struct tw_overdraft *all, const struct tw_overdraft *one)
{
    if (one->most <= all->most) return;
    if (all->most == 0) all->since_ns = one->since_ns;
    all->most = one->most;
}

/* All that was there has been spent, and more, on what it holds now: what was sold short
 * has paid for something, too. */
void tw_broker_spent(struct tw_broker *b, const struct tw_position *p, int sign,
                     int64_t time_ns)
{
    bool is_paid = !(p->terms && p->terms->margin) && p->quantity > 0;
    struct tw_overdraft *now = &b->spent;
    tw_money lacks;

    if (b->o.limits.buying_power || tw_account_deposits(b->account) <= 0) return;
    lacks = -tw_account_all_cash(b->account);
    if (lacks <= 0 && now->most == 0) return;
    if (lacks < 0) lacks = 0;
    if (now->most > 0 && now->since_ns != time_ns) {
        add_overdraft(&b->overdraft, now);
        now->most = 0;
    }
    now->since_ns = time_ns;
    if ((sign > 0 && is_paid) || lacks < now->most) now->most = lacks;
}

struct tw_overdraft tw_broker_overdraft(const struct tw_broker *b)
{
    struct tw_overdraft all = b->overdraft;

    add_overdraft(&all, &b->spent);
    return all;
}
