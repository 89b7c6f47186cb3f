/* lresult.h - the result of a backtest as a Lua table; see `tidewire help backtest`.
 *
 * Layer lua.
 */
#ifndef LTW_LRESULT_H
#define LTW_LRESULT_H

#include "backtest/backtest.h"

/* [-0, +1, e]  detail: with orders, trades, and curves; without, its figures, days and
 * hash alone.  listed: with the text of the order list, as `list`. */
void ltw_push_result(lua_State *L, struct ltw_backtest *b, bool detail, bool listed);

/* figures(days, trades, start [, ruined]) -> table: those of an equity curve and of
 * trades, both as a result has them, of what there was before the first day, and since
 * when there was nothing left. */
int ltw_figures(lua_State *L);

#endif
