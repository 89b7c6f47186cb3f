/* method.c - module ffi: what callbacks can do, and calls that take long.
 *
 * Layer lua.
 */
#include <string.h>

#include "blocking.h"
#include "cdata.h"

/* [-0, +?, e]  Of a callback, at 1: what it is made of on top. */
static void check_callback(lua_State *L, const char *what)
{
    if (!ltw_cdata_test(L, 1) || lua_getiuservalue(L, 1, 1) != LUA_TUSERDATA
        || !ltw_callback_is(L, -1))
        luaL_error(L, "%s: a callback expected, as ffi.cast makes it", what);
}

/* callback:free()
 * Lets its function go: when C calls it from now on, that is an error.  What it takes in
 * C is freed when the cdata is collected.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: it is no callback.  Units: none. */
static int callback_free(lua_State *L)
{
    check_callback(L, "free");
    ltw_callback_set(L, -1, 0);
    return 0;
}

/* callback:set(function)
 * Gives it another function.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: it is no callback, or no function.  Units: none. */
static int callback_set(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    check_callback(L, "set");
    ltw_callback_set(L, -1, 2);
    return 0;
}

/* callback:refuse()
 * On threads that are not its state's it is not called any more: C gets 0 there at once,
 * and the state's next call of C that comes back raises an error.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: it is no callback.  Units: none. */
static int callback_refuse(lua_State *L)
{
    check_callback(L, "refuse");
    ltw_callback_refuse(L, -1);
    return 0;
}

static const luaL_Reg callback_methods[] = {
    { "free", callback_free },
    { "set", callback_set },
    { "refuse", callback_refuse },
    { NULL, NULL },
};

lua_CFunction ltw_callback_method(const char *name)
{
    const luaL_Reg *m = callback_methods;

    while (m->name && strcmp(m->name, name) != 0) m++;
    return m->func;
}

/* ffi.blocking(fn) -> function
 * A C function that takes long, as one that runs on a thread of the pool: who calls it
 * waits, and the state's quotes, timers and tasks go on meanwhile.  Several may run at
 * once, so fn must be safe for that.  The call can't be stopped: the end of a run waits
 * for it; os.exit(status, true) does not, and then what C may work with stays: of ffi
 * nothing is freed or finalized.  A Lua function that fn calls back is run by its state.
 * In a job of the pool the call has a thread of its own, one of 256.
 * Yields: what it returns, until fn has returned.  Blocks: no.  Thread: the state's.
 * Errors: no C function, or a variadic one; the pool is full or has ended; what a Lua
 * function that fn has called has raised.  Units: none. */
int ltw_ffi_make_blocking(lua_State *L)
{
    return ltw_ffi_blocking(L);
}
