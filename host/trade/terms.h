/* terms.h - the terms of an instrument: sizes, currency, margin, calendar.
 *
 * Layer host/trade.  Thread: any; constant for a run.
 */
#ifndef TW_TERMS_H
#define TW_TERMS_H

#include "trade/calendar.h"
#include "trade/money.h"

struct tw_fees;

/* Zeros: not known; prices and quantities of any size, worth their product. */
struct tw_terms {
    int64_t tick, lot;              /* prices and quantities are multiples of them  */
    int64_t multiplier;             /* value of 1 at a price of 1; 0: 1             */
    uint32_t currency;              /* an id of the account's; 0: its own           */
    int64_t margin;                 /* of 1, while it is held; 0: paid in full      */
    bool settles_daily;             /* a future: gains are paid each day            */
    const struct tw_calendar *calendar;   /* NULL: open all the time                */
    const struct tw_fees *fees;     /* NULL: none                                   */
};

/* What a price is multiplied with to have what a quantity at it is worth, where that is
 * a whole number; else 0. */
static inline int64_t tw_terms_each(const struct tw_terms *t, int64_t quantity)
{
    int64_t multiplier = t && t->multiplier ? t->multiplier : TW_FIXED_ONE, each;

    if (quantity % TW_FIXED_ONE != 0 || multiplier % TW_FIXED_ONE != 0
        || __builtin_mul_overflow(quantity / TW_FIXED_ONE, multiplier / TW_FIXED_ONE,
                                  &each))
        return 0;
    return each;
}

/* What a quantity at a price is worth. */
static inline tw_money tw_terms_value(const struct tw_terms *t, int64_t price,
                                      int64_t quantity)
{
    int64_t multiplier = t && t->multiplier ? t->multiplier : TW_FIXED_ONE;

    if (multiplier == TW_FIXED_ONE && quantity % TW_FIXED_ONE == 0)
        return (tw_money)price * (quantity / TW_FIXED_ONE);
    return tw_money_ratio((tw_money)price * multiplier, quantity,
                          TW_FIXED_ONE * TW_FIXED_ONE);
}

#endif
