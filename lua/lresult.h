/* lresult.h - the result of a backtest as a Lua table; see `tidewire help backtest`.
 *
 * Layer lua.
 */
#ifndef LTW_LRESULT_H
#define LTW_LRESULT_H

#include "backtest.h"

/* [-0, +1, e]  detail: with orders, trades, and curves; without, its figures, days and
 * hash alone.  listed: with the text of the order list, as `list`. */
void ltw_push_result(lua_State *L, struct ltw_backtest *b, bool detail, bool listed);

#endif
