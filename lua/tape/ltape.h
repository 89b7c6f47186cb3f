/* ltape.h - tw.internal.tape: the tape by number.
 *
 * Layer lua.
 */
#ifndef LTW_LTAPE_H
#define LTW_LTAPE_H

#include <lua.h>

int luaopen_tw_internal_tape(lua_State *L);

#endif
