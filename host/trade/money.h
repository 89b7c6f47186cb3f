/* money.h - amounts of a currency: 128-bit integers with nine decimals.
 *
 * Why: cash is a sum of many products of a price and a quantity.  In integers it is
 * what the statement says, to the last digit, after any number of trades; 64 bits
 * would end at nine billion.
 *
 * Layer host/trade.  Thread: any.  Blocks: never.  Memory: none.
 */
#ifndef TW_MONEY_H
#define TW_MONEY_H

#include "base/fixed.h"

/* Aligned as all that Lua gives memory for: an order is in a userdata. */
__extension__ typedef __int128 tw_money __attribute__((aligned(8)));

enum { TW_MONEY_TEXT = 48 };   /* bytes that tw_money_format may need */

/* a * b / c, rounded once, half to even; c is above 0, and the result fits. */
tw_money tw_money_ratio(tw_money a, int64_t b, int64_t c);

/* What a quantity costs at a price, both with nine decimals. */
static inline tw_money tw_money_value(int64_t price, int64_t quantity)
{
    if (quantity % TW_FIXED_ONE == 0) return (tw_money)price * (quantity / TW_FIXED_ONE);
    return tw_money_ratio(price, quantity, TW_FIXED_ONE);
}

/* The price (nine decimals, rounded half to even) at which a quantity has that value;
 * 0 for none. */
int64_t tw_money_price(tw_money value, int64_t quantity);

/* The double nearest to the amount. */
double tw_money_to_double(tw_money m);

/* The nearest amount, half away from zero; TW_ERANGE when d is not finite or above
 * 10^27. */
int tw_money_from_double(double d, tw_money *out);

/* Writes the shortest decimal text and a 0 byte; returns its length. */
size_t tw_money_format(tw_money m, char out[TW_MONEY_TEXT]);

#endif
