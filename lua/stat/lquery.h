/* lquery.h - declared statistics over a file: what stdlib/query.lua is made of.
 *
 * Layer lua.
 */
#ifndef LTW_LQUERY_H
#define LTW_LQUERY_H

#include "ltw.h"

int luaopen_tw_internal_query(lua_State *L);

#endif
