/* account.h - cash, positions and what they are worth.
 *
 * Positions are netted: one for each instrument, above 0 when long.  An instrument that
 * is paid in full (terms.margin is 0) moves cash by its value when it is traded; one on
 * margin moves cash by what is gained or lost when it is closed, or each day where it
 * settles daily.
 *
 * Invariants
 *   A1  Of an instrument paid in full: cash moved + fees = minus the sum of the values
 *       of its trades: to the last digit, after any number of them.
 *   A2  equity = cash + value of what is paid in full + what is gained, but not paid
 *       yet, on what is on margin; all in the account's currency.
 *   A3  realised + unrealised - fees = equity - deposits, as long as rates of exchange
 *       stay what they are; what is settled daily is realised.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_ACCOUNT_H
#define TW_ACCOUNT_H

#include "trade/order.h"
#include "trade/terms.h"

enum { TW_CURRENCIES = 32 };

struct tw_position {
    uint32_t symbol;
    const struct tw_terms *terms;
    int64_t quantity;            /* below 0: short                                   */
    tw_money cost;               /* of it, as signed as it is; in its currency       */
    tw_money realised, fees;     /* all that were, likewise                          */
    tw_money settled;            /* daily: paid already for what is open             */
    int64_t mark;                /* price that it is valued at                       */
    int64_t each;                /* times that is its worth; 0: see tw_terms_each    */
    tw_money worth;              /* of it at that, as signed as it is                */
    uint64_t trades;             /* of it                                            */
    struct {                     /* the last that a trade has closed all of: what it */
        int64_t quantity;        /* was then (0: nothing), and that trade's price    */
        tw_money cost, settled;
        int64_t price;
    } closed;
};

struct tw_account;

/* base: the name of its currency.  NULL: no memory. */
struct tw_account *tw_account_new(const char *base);

/* The same once more; terms(ctx, symbol): those of its positions.  NULL: no memory. */
struct tw_account *tw_account_copy(const struct tw_account *from,
                                   const struct tw_terms *(*terms)(void *ctx,
                                                                   uint32_t symbol),
                                   void *ctx);
void tw_account_free(struct tw_account *a);

/* The id of a currency, made when it is new; the base is 0.  TW_ELIMIT: there are
 * TW_CURRENCIES, or the name is longer than 7 letters or empty. */
int tw_account_currency(struct tw_account *a, const char *name);
const char *tw_account_currency_name(const struct tw_account *a, uint32_t id);

/* What 1 of the currency costs in the base; at first not known (0) but for the base. */
void tw_account_set_rate(struct tw_account *a, uint32_t currency, int64_t rate);
int64_t tw_account_rate(const struct tw_account *a, uint32_t currency);

/* Deposits, or takes out (below 0). */
void tw_account_deposit(struct tw_account *a, uint32_t currency, tw_money amount);

/* The position of an instrument, made when it is new: there until the account is freed.
 * NULL: no memory. */
struct tw_position *tw_account_position(struct tw_account *a, uint32_t symbol,
                                        const struct tw_terms *terms);
struct tw_position *tw_account_find(const struct tw_account *a, uint32_t symbol);

/* All sums of a currency but those that positions make, which come back so; and the
 * position is as it was, but for its symbol and terms. */
struct tw_sums { tw_money cash, deposits, realised, fees, traded; };
struct tw_sums tw_account_sums(const struct tw_account *a, uint32_t currency);
void tw_account_set_sums(struct tw_account *a, uint32_t currency,
                         const struct tw_sums *s);
void tw_account_set_position(struct tw_account *a, struct tw_position *p,
                             const struct tw_position *was);

/* What it takes of the memory. */
size_t tw_account_bytes(const struct tw_account *a);

/* All of them, in the order in which they came: i = 0, 1, ... until NULL. */
const struct tw_position *tw_account_at(const struct tw_account *a, size_t i);

/* A trade of the instrument: quantity below 0 for a sell.  fee: in its currency. */
void tw_account_trade(struct tw_account *a, struct tw_position *p, int64_t price,
                      int64_t quantity, tw_money fee);

/* That trade never was: of the last one all is as before it.  What another had closed
 * comes back at the price of what is open, or, where nothing is, of what was open last
 * (none since the account was restored: at that of the trade): so realised and unrealised
 * may be others than without it, but not their sum.  The price is none that it is valued
 * at. */
void tw_account_take_back(struct tw_account *a, struct tw_position *p, int64_t price,
                          int64_t quantity, tw_money fee);

/* Something of the position is charged in another currency than its own; fee: what that
 * is worth in its own. */
void tw_account_charge(struct tw_account *a, struct tw_position *p, uint32_t currency,
                       tw_money amount, tw_money fee);

/* What an amount of one currency is in another; 0: a rate is not known. */
tw_money tw_account_exchange(const struct tw_account *a, tw_money amount, uint32_t from,
                             uint32_t to);

/* The price that it is valued at from now on. */
void tw_account_mark(struct tw_account *a, struct tw_position *p, int64_t price);

/* The end of a day: what was gained on a future since the last one is paid. */
void tw_account_settle(struct tw_account *a, struct tw_position *p);

/* In the currency. */
tw_money tw_account_cash(const struct tw_account *a, uint32_t currency);

/* In the base. */
tw_money tw_account_all_cash(const struct tw_account *a);
tw_money tw_account_equity(const struct tw_account *a);
bool tw_account_is_solvent(const struct tw_account *a);       /* equity is above 0  */
tw_money tw_account_margin(const struct tw_account *a);       /* held for positions */
tw_money tw_account_free_cash(const struct tw_account *a);    /* for new ones       */
tw_money tw_account_realised(const struct tw_account *a);
tw_money tw_account_unrealised(const struct tw_account *a);
tw_money tw_account_fees(const struct tw_account *a);
tw_money tw_account_traded(const struct tw_account *a);       /* value of all trades */
tw_money tw_account_deposits(const struct tw_account *a);

/* What an open position has gained and not paid yet; in its currency. */
tw_money tw_position_unrealised(const struct tw_position *p);

/* Price at which what is open was traded, rounded half to even; 0: nothing is. */
int64_t tw_position_price(const struct tw_position *p);

#endif
