/* blocking.h - calls of C that take long: in the pool, while the state goes on.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_BLOCKING_H
#define LTW_FFI_BLOCKING_H

#include <lua.h>

/* ffi.blocking, as it is documented; its first upvalue is the ffi.  method.c */
int ltw_ffi_make_blocking(lua_State *L);

/* What it does. */
int ltw_ffi_blocking(lua_State *L);

#endif
