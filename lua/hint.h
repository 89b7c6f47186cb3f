/* hint.h - which name may have been meant, where a call or a field found nil.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_HINT_H
#define LTW_HINT_H

#include <lua.h>

/* [-0, +0, m]  To an error message on top, as Lua has it ("attempt to call a nil value
 * (method 'buyy')"), adds what has nearly that name within reach of the function at that
 * level of co, which raised it; nothing to any other message. */
void ltw_hint(lua_State *L, lua_State *co, int level);

#endif
