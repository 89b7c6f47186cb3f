/* order_account.h - the account of a script that trades at a gateway, over runs.
 *
 * Lines of text say how it was after so many of the script's trades:
 *
 *     A owner trades day made currency    day: when its day ends, made: what was gained
 *                                         when that began, in the account's currency
 *     C owner currency rate cash deposits realised fees traded
 *     H owner symbol quantity mark trades cost realised fees settled    a position
 *     E owner order fees uncut            what an order was charged that may trade more,
 *                                         or has ended, and a trade is taken back; and
 *                                         then what the venue has charged, and for what
 *                                         quantity
 *
 * and those after that are booked by the run that follows, with its fees.
 *
 * Layer host/fix.  Thread: the broker's.  Blocks: never, but where the desk does.
 */
#ifndef TW_FIX_ORDER_ACCOUNT_H
#define TW_FIX_ORDER_ACCOUNT_H

#include "fix/order_entry.h"
#include "trade/broker.h"

struct tw_fix_due {
    uint64_t order;
    tw_money fees, raw_fees, charged;   /* as the order's                            */
    int64_t charged_qty;
};

enum { TW_FIX_DUES = 256 };       /* orders that ended last, at least: a venue may take
                                   * back trades of them                             */

struct tw_fix_account {
    struct tw_broker *broker;     /* at a gateway                                    */
    struct tw_symbols *symbols;
    char name[64];                /* of its owner over runs                          */
    uint64_t trades;              /* that it has                                     */
    struct tw_fix_due *dues;      /* n_dues, of orders of a former run and of such that
                                   * have ended; by tw_free                          */
    size_t n_dues, room;
    size_t awaited;               /* orders of a former run, to be reported          */
    tw_money moved;               /* deposits now, less those that were kept         */
};

/* It is what a former run has left; the broker is new, with its deposits, which stay: a
 * difference is in `moved`.  Without lines the positions alone are.
 * UV_ENOMEM; TW_ELIMIT: more currencies than it can have. */
int tw_fix_account_inherit(struct tw_fix_account *a, const struct tw_fix_estate *e);

/* The order, of a former run, or that nobody has any more, was charged that. */
void tw_fix_account_charge(const struct tw_fix_account *a, struct tw_order *o);

/* It has ended: what it was charged is remembered for a while. */
void tw_fix_account_ended(struct tw_fix_account *a, const struct tw_order *o);

/* The lines of it as it is now: the caller's, by tw_free.  NULL: no memory. */
char *tw_fix_account_lines(const struct tw_fix_account *a, size_t *n);

#endif
