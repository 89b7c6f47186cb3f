/* ffi.c - stands for lua/ffi in the static program, which loads no libraries.
 *
 * Layer lua.
 */
#include <lauxlib.h>

#include "ffi/lffi.h"

int luaopen_tw_ffi(lua_State *L)
{
    return luaL_error(L, "this program is static: it has no ffi; build without --static");
}

int luaopen_tw_internal_ffi(lua_State *L)
{
    return luaopen_tw_ffi(L);
}

void ltw_ffi_open(lua_State *L)
{
    (void)L;
}
