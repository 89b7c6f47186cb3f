/* lsweep.h - tw.internal.sweep: what a sweep needs beside its runs.
 *
 * Layer lua.
 */
#ifndef LTW_LSWEEP_H
#define LTW_LSWEEP_H

#include <lua.h>

int luaopen_tw_internal_sweep(lua_State *L);

#endif
