/* lexplain.h - what tw.backtest.explain and a saved run need: steps, and what was read.
 *
 * Layer lua.
 */
#ifndef LTW_LEXPLAIN_H
#define LTW_LEXPLAIN_H

#include <lua.h>

#include "trade/probe.h"

struct ltw_backtest;

/* [-0, +1, m]  { order = {...}, steps = {...} }; nil: there was no such order. */
void ltw_push_probe(lua_State *L, const struct tw_probe *p);

/* [-0, +1, m]  { { path =, sha256 = }, ... }: the scripts, and the modules that they
 * have required, as they were read. */
void ltw_push_sources(lua_State *L, const struct ltw_backtest *b);


/* directory() -> path: the process's */
int ltw_directory(lua_State *L);

#endif
