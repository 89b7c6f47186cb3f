/* lcache.h - tw.cache for Lua.
 *
 * Layer lua.
 */
#ifndef LTW_CACHE_H
#define LTW_CACHE_H

#include "ltw.h"

/* [-0, +0, m]  Teaches the state what a cache is. */
void ltw_cache_open(lua_State *L);

int luaopen_tw_cache(lua_State *L);

#endif
