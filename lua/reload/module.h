/* module.h - what loaded modules hold: its name, and finding it by that name.
 *
 * A name is "math" for a module, "math\0sin" for what is in one.
 *
 * Layer lua.
 */
#ifndef LTW_MODULE_H
#define LTW_MODULE_H

#include "ltw.h"

/* [-0, +0, m]  Learns the names again when a module has come or was replaced. */
void ltw_module_refresh(lua_State *L);

/* [-0, +1, m]  The name of the function or table at idx, as of the last refresh,
 * or nil.  Of the globals only C functions have one: others are the script's.
 * Returns true when there is one. */
bool ltw_module_name(lua_State *L, int idx);

/* [-0, +1, e]  What has that name here; the module is required.  Raises when it
 * is missing. */
void ltw_module_find(lua_State *L, const char *name, size_t n);

/* [-0, +1, e]  The function that the string "module.name" at idx stands for: the
 * longest part before a dot that can be required, and the fields that follow.
 * Raises naming what is missing, and the errors of a module that is there. */
void ltw_module_resolve(lua_State *L, int idx);

#endif
