/* lcache.h - tw.cache for Lua.
 *
 * Layer lua.
 */
#ifndef LTW_CACHE_H
#define LTW_CACHE_H

#include "share/lobject.h"
#include "share/cache.h"

/* [-0, +0, m]  Teaches the state what a cache is. */
void ltw_cache_open(lua_State *L);

/* [-0, +0, m]  Adds the methods of lcache_look.c to the table on top. */
void ltw_cache_look_open(lua_State *L);

/* [-0, +0, m]  The userdata on top lets go what it holds, with close, when the caller
 * returns or raises. */
void ltw_cache_close_with(lua_State *L, lua_CFunction close);

/* [-n, +2, -]  For close: is what is at 1 such a userdata? */
bool ltw_cache_closes(lua_State *L, lua_CFunction close);

/* [-0, +0, e]  The cache at 1; raises for others. */
static inline struct tw_cache *ltw_check_cache(lua_State *L)
{
    return (struct tw_cache *)ltw_check_object(L, 1, tw_cache_type.name);
}

int luaopen_tw_cache(lua_State *L);

#endif
