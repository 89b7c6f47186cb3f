/* lvalue.h - Lua values to frozen ones, which every state may read.
 *
 * Layer lua.
 */
#ifndef LTW_LVALUE_H
#define LTW_LVALUE_H

#include "share/lview.h"

/* [-0, +0, e]  The value at idx; a block in it has one reference, the caller's.
 * Raises, naming the path, for what can't be frozen: `value.a[3] is a function`;
 * `named` says what stands there for "value". */
struct tw_any ltw_check_any(lua_State *L, int idx);
struct tw_any ltw_check_any_named(lua_State *L, int idx, const char *name);

/* [-0, +(0|1), -]  The same without raising: 0, or a negative code and the
 * message on the stack. */
int ltw_try_any(lua_State *L, int idx, struct tw_any *out);

/* [-0, +0, e]  Raises when v, called name, could not be found as a key: tw_any_flaw. */
void ltw_check_key(lua_State *L, const struct tw_any *v, const char *name);

#endif
