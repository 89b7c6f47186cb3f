/* lview.h - frozen values as Lua reads them: views, and private copies.
 *
 * Layer lua.
 */
#ifndef LTW_LVIEW_H
#define LTW_LVIEW_H

#include "ltw.h"
#include "share/value.h"

/* [-0, +0, m]  Teaches the state what a view is. */
void ltw_view_open(lua_State *L);

/* [-0, +1, e]  What v is here: a scalar, a string, a view, a kept record or the
 * box of a shared object.  The state takes a reference of its own. */
void ltw_push_any(lua_State *L, const struct tw_any *v);

/* [-0, +1, m]  An owner of nothing: the reference on a block that is put into it
 * is the state's, whatever raises. */
struct tw_any *ltw_push_owner(lua_State *L);

/* [-1, +1, e]  What the owner on top owns, as ltw_push_any pushes it. */
void ltw_adopt(lua_State *L);

/* [-0, +(0|1), m]  What the block is here when the state refers to it already:
 * so the block may be one that others let go meanwhile.  False: it does not. */
bool ltw_push_known(lua_State *L, struct tw_value *block);

/* [-0, +1, e]  A private copy of v: tables that can be changed. */
void ltw_push_thawed(lua_State *L, const struct tw_any *v);

/* [-0, +0, e]  The table of the view at idx, or NULL for something else. */
const struct tw_table *ltw_test_view(lua_State *L, int idx);

/* [-0, +0, m]  Adds freeze and thaw to the module on top. */
void ltw_view_functions(lua_State *L);

#endif
