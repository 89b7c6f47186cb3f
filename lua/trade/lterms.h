/* lterms.h - from what a script writes, { symbol = ..., quantity = ... }, to an order.
 *
 * Layer lua.
 */
#ifndef LTW_LTERMS_H
#define LTW_LTERMS_H

#include "trade/trader.h"

/* Zeros: nothing was said. */
struct ltw_order_terms {
    uint32_t symbol;
    uint8_t side, type, tif;
    bool post_only, reduce_only;
    int64_t quantity, weight, price, stop, trail, trail_part, take_profit, stop_loss;
    int64_t expire_ns;
};

/* [-0, +0, e]  What the table at idx (absolute) says, added to *t; raises for what can't
 * be.  The label is the caller's to read. */
void ltw_check_order_terms(lua_State *L, int idx, const char *what,
                           struct ltw_order_terms *t);

/* [-0, +0, e]  That a method was called with a colon: a self is at 1.  self.cancel(order)
 * would else cancel all orders, as self:cancel() does. */
void ltw_check_self(lua_State *L, const char *what);

/* [-0, +0, e]  The number at idx. */
int64_t ltw_check_fixed(lua_State *L, int idx, const char *what, const char *name);

/* [-0, +0, e]  The part of the equity at idx: below 0 too. */
int64_t ltw_check_weight(lua_State *L, int idx, const char *what);

/* [-0, +0, e]  The order of these terms, the bracket aside; raises for what lacks. */
void ltw_fill_order(lua_State *L, const char *what, const struct ltw_order_terms *t,
                    struct tw_order *o);

#endif
