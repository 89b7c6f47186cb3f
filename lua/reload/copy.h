/* copy.h - a deep copy of what a script keeps.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_COPY_H
#define LTW_COPY_H

#include "ltw.h"

/* [-0, +1, e]  Copies of all tables reachable from those in the list at `roots`, but
 * through none that `map` knows: the list of them; those that `memo`, a table from each
 * original to its copy, has already are not in it, and all go there.  Statistics are
 * copied, too; functions and other userdata that memo does not know are shared.  Raises
 * for a coroutine, which has no copy. */
void ltw_copy_tables(lua_State *L, int roots, int map, int memo);

/* [-0, +0, e]  In the tables of the list at `copies`, functions that `map` does not know
 * become functions of their own, whose upvalues are copies, or what map says. */
void ltw_copy_functions(lua_State *L, int copies, int memo, int map);

#endif
