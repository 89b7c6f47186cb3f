/* callback.h - Lua functions that C calls.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_CALLBACK_H
#define LTW_FFI_CALLBACK_H

#include "cdata.h"
#include "foreign.h"

/* [-0, +0, m]  Into f's registry: what callbacks need.  f is at the index self, and
 * finalized behind all that is made from now on. */
void ltw_callback_open(lua_State *L, struct ltw_ffi *f, int self);

/* [-0, +0, e]  Behind a call of C: raises what a callback has raised, or what was refused
 * on another thread. */
void ltw_callback_raise(lua_State *L, struct ltw_ffi *f);

/* [-0, +(1 + n), e]  For a call of another thread: what a task is to call, with its n
 * arguments; of which script it is, its scope, and the task's name. */
int ltw_callback_push_call(lua_State *L, struct ltw_foreign_call *e,
                           struct ltw_script **script, struct ltw_scope **scope,
                           char *name, size_t n);

/* Was a call on another thread not run?  See ltw_callback_raise. */
static inline bool ltw_callback_is_astray(const struct ltw_ffi *f)
{
    /* order [ffi.astray] relaxed: the word alone */
    return atomic_load_explicit(&f->place->astray, memory_order_relaxed) != LTW_CALLED;
}

#endif
