/* ltapes.h - tw.internal.tapes: tape files, made of others, and looked into.
 *
 * Layer lua.
 */
#ifndef LTW_LTAPES_H
#define LTW_LTAPES_H

#include <lua.h>

int luaopen_tw_internal_tapes(lua_State *L);

#endif
