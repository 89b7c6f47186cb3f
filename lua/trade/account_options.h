/* account_options.h - an account's options, from an app and a script, to its broker.
 *
 * Layer lua.  Thread: WORKER.
 */
#ifndef LTW_ACCOUNT_H
#define LTW_ACCOUNT_H

#include "trade/trader.h"

/* [-0, +0, e]  What the table at idx says, or nil, as stdlib/trade.lua has checked it;
 * what *o refers to is in t.  Raises for a number that does not fit. */
void ltw_account_options(lua_State *L, int idx, struct ltw_trader *t,
                         struct tw_broker_options *o);

/* [-0, +0, e]  The deposit and the rates of exchange. */
void ltw_account_begin(lua_State *L, int idx, struct ltw_trader *t);

/* A venue charges in that currency: where the account has no rate for it, and will have
 * none, that is logged, once. */
void ltw_account_charged(struct ltw_trader *t, const char *currency);

/* [-0, +0, e]  Raises where it has no rate of that currency, which the subject is in. */
void ltw_account_check_rate(lua_State *L, const struct ltw_trader *t, const char *what,
                            const char *subject, const char *of, const char *or_else);

/* [-0, +0, e]  Raises where the instrument is in a currency that the account has no rate
 * of, and no symbol for it; symbol 0: where any is that the app declares. */
void ltw_account_check(lua_State *L, const struct ltw_trader *t, const char *what,
                       uint32_t symbol);

int luaopen_tw_internal_trade(lua_State *L);

#endif
