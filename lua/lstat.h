/* lstat.h - statistics as Lua sees them: what stdlib/stat.lua is made of.
 *
 * Layer lua.
 */
#ifndef LTW_LSTAT_H
#define LTW_LSTAT_H

#include "ltw.h"

int luaopen_tw_internal_stat(lua_State *L);

#endif
