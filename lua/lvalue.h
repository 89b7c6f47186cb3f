/* lvalue.h - Lua values to immutable ones that cross threads, and back.
 *
 * Layer lua.
 */
#ifndef LTW_LVALUE_H
#define LTW_LVALUE_H

#include "ltw.h"
#include "share/value.h"

/* [-0, +0, e]  The value at idx; a block in it has one reference, the caller's.
 * Raises, naming the path, for what can't cross: `value.a[3] is a function`;
 * for more than TW_VALUE_DEPTH_MAX tables in each other (a cycle, say) and more
 * than TW_VALUE_BYTES_MAX bytes. */
struct tw_any ltw_check_any(lua_State *L, int idx);

/* [-0, +1, m]  A copy of v: a new table for a table. */
void ltw_push_any(lua_State *L, const struct tw_any *v);

#endif
