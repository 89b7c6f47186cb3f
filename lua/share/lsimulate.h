/* lsimulate.h - what caches of other sizes and policies would hit, for Lua.
 *
 * Layer lua.
 */
#ifndef LTW_SIMULATE_H
#define LTW_SIMULATE_H

#include <lua.h>

/* [-0, +1, m]  The function tw.cache.simulate. */
int luaopen_tw_cache_simulate(lua_State *L);

#endif
