/* lcall.h - a function and its arguments on their way to another state.
 *
 * Layer lua.
 */
#ifndef LTW_CALL_H
#define LTW_CALL_H

#include "ltw.h"
#include "share/value.h"

/* [-all from idx on, +0, e]  The call at idx: `via` or nil, the function (or
 * "module.name"), its arguments; one reference, the caller's.  via: the call goes to
 * that function of tw.chunk, which gets the function as its first argument.  label gets
 * "herd.lua:12"; what ("pool.run") begins the errors. */
struct tw_any ltw_call_pack(lua_State *L, int idx, const char *what, char *label,
                            size_t label_bytes);

/* [-0, +(n + 1), e]  In the other state: the function and its n arguments.  The value
 * below them, a nil that the caller has pushed, becomes what they live in. */
int ltw_call_push(lua_State *L, const struct tw_any *call);

#endif
