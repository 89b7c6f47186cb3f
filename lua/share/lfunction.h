/* lfunction.h - Lua functions as values that other states can run.
 *
 * A function goes as its bytecode and its upvalues:
 *
 *   nil, a boolean, number, string    as it is
 *   a table, a record, a shared       frozen, as it is when the function is
 *   object, a frozen table            packed; the other side can't change it
 *   a Lua function                    likewise: bytecode and upvalues
 *   a function or table of a loaded   by name: the other state requires the
 *   module, a library's too           module and takes its own
 *   _ENV, the globals                 the other state's globals
 *
 * Functions that share an upvalue share it on the other side.  A global that a
 * script has set in its own _ENV is not sent: a function that needs it gets the
 * other state's global of that name, which is nil.  All else is an error that
 * names the upvalue, its function and the path.
 *
 * Bytecode is never read from outside the process: unpacking trusts it.
 *
 * Layer lua.
 */
#ifndef LTW_LFUNCTION_H
#define LTW_LFUNCTION_H

#include "ltw.h"

/* [-0, +1, e]  A frozen description of the function at idx; the very same one
 * while neither it nor any upvalue has changed.  A string ("module.name") is its
 * own description.  what ("pool.run") begins the errors. */
void ltw_function_pack(lua_State *L, int idx, const char *what);

/* [-0, +1, e]  The function that the description at idx stands for, with the
 * upvalues as they were when it was packed.  Of a function that assigns none of
 * them one closure serves every call with this description.  Of a string: the
 * function in the longest part of "module.name" that can be required.  Raises
 * when a module or a field of it is missing here. */
void ltw_function_unpack(lua_State *L, int idx);

int luaopen_tw_internal_function(lua_State *L);   /* for tests */

#endif
