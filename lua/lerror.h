/* lerror.h - errors that know where they happened, in whatever state.
 *
 * Layer lua.
 */
#ifndef LTW_LERROR_H
#define LTW_LERROR_H

#include "share/lvalue.h"
#include "task/scope.h"

/* [-0, +0, m]  Teaches the state what an error is. */
void ltw_error_open(lua_State *L);

/* [-0, +1, m]  What was raised, the value at idx, as a text: a table by what it holds, if
 * that can be frozen, unless it says itself (__tostring). */
const char *ltw_error_push_text(lua_State *L, int idx);

/* [-1, +1, m]  A message handler for lua_pcall: that text. */
int ltw_error_as_text(lua_State *L);

/* [-1, +1, m]  A message handler for lua_pcall: what was raised becomes an error
 * with the traceback of L; an error stays what it is. */
int ltw_error_handler(lua_State *L);

/* [-1, +1, m]  The value on top as an error, with the traceback of co. */
void ltw_error_wrap(lua_State *L, lua_State *co);

/* [-1, +1, m]  A new error about the one on top, which is its cause: it says where
 * on the way the error came to light. */
void ltw_error_chain(lua_State *L);

/* [-0, +1, m]  The error of a wait that s has ended; it holds s, so that no later
 * scope can be taken for it. */
void ltw_error_push_over(lua_State *L, struct ltw_scope *s, const char *what);

/* [-0, +1, m]  The error of who waited for something that was cancelled. */
void ltw_error_push_cancelled(lua_State *L, const char *what, const char *why);

/* [-0, +0, m]  The scope that has ended a wait, when that is the error at idx.  NULL:
 * it is some other value. */
const struct ltw_scope *ltw_error_scope(lua_State *L, int idx);

/* [-0, +0, m]  The error at idx as it crosses states; its reference is the
 * caller's.  Without memory it is nil. */
struct tw_any ltw_error_freeze(lua_State *L, int idx);

/* [-0, +0, -]  Tells of such an error, of the code that runs, which nobody awaits. */
void ltw_error_tell(lua_State *L, const struct tw_any *error);

/* [-0, +1, m]  Such an error in this state. */
void ltw_error_push(lua_State *L, const struct tw_any *error);

#endif
