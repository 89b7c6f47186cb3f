/* lsqlite.h - tw.internal.sqlite: what a sweep keeps, in a file of SQLite.
 *
 * Layer lua.
 */
#ifndef LTW_LSQLITE_H
#define LTW_LSQLITE_H

#include <lua.h>

int luaopen_tw_internal_sqlite(lua_State *L);

#endif
