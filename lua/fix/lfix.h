/* lfix.h - tw.internal.fix: messages of FIX as tables, and the dictionaries for it.
 *
 * Layer lua.
 */
#ifndef LTW_LFIX_H
#define LTW_LFIX_H

#include <lua.h>

int luaopen_tw_internal_fix(lua_State *L);

#endif
