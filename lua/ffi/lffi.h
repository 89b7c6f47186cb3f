/* lffi.h - the module ffi.
 *
 * Layer lua.
 */
#ifndef LTW_LFFI_H
#define LTW_LFFI_H

#include <lua.h>

/* [-0, +1, e]  require "ffi", and require "cffi". */
int luaopen_tw_ffi(lua_State *L);

/* [-0, +1, m]  What a thread of the pool calls for ffi.blocking. */
int luaopen_tw_internal_ffi(lua_State *L);

/* [-0, +0, m]  Teaches a state what such calls are. */
void ltw_ffi_open(lua_State *L);

#endif
