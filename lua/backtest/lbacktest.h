/* lbacktest.h - tw.internal.backtest: a run over data, from a table to its result.
 *
 * Layer lua.
 */
#ifndef LTW_LBACKTEST_H
#define LTW_LBACKTEST_H

#include <lua.h>

int luaopen_tw_internal_backtest(lua_State *L);

#endif
