/* lpromise.c - tw.promise: a future that whoever holds the promise settles.
 *
 *     local p = tw.promise()
 *     tw.publish("please", { answer = p })     -- any state may settle it
 *     print(p.future:await(5))
 *
 * Like a future it may travel in frozen values.  When the last one who could have
 * settled it is gone, its future fails: nobody waits for ever.  A future whose value
 * holds that future itself is never freed.
 */
#include <string.h>

#include "base/memory.h"
#include "lerror.h"
#include "share/lfuture.h"
#include "share/failure.h"

struct promise {
    struct tw_object object;
    struct tw_future *future;   /* constant; one reference */
};

static void promise_free(struct tw_object *o)
{
    struct promise *p = (struct promise *)o;

    /* Who waits is told; where nobody does there is nobody to miss it.  Without memory
     * for the text the error is nil: still a failure. */
    if (tw_future_fail(p->future, tw_failure_new("the promise was dropped before anybody"
                                                 " had settled it")))
        tw_future_saw(p->future);
    tw_future_unref(p->future);
    tw_free(p);
}

static const struct tw_object_type promise_type = { "tw.promise", promise_free };

static struct promise *check(lua_State *L)
{
    return (struct promise *)ltw_check_object(L, 1, promise_type.name);
}

/* promise:resolve(value) -> boolean
 * Gives its future the value, frozen; true when it was pending.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises for a value that can't be frozen.  Units: none. */
static int promise_resolve(lua_State *L)
{
    struct promise *p = check(L);

    lua_settop(L, 2);
    lua_pushboolean(L, tw_future_resolve(p->future, ltw_check_any(L, 2)));
    return 1;
}

/* promise:reject(error) -> boolean
 * Makes its future fail; true when it was pending.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: none.  Units: none. */
static int promise_reject(lua_State *L)
{
    struct promise *p = check(L);

    lua_settop(L, 2);
    lua_pushboolean(L, tw_future_fail(p->future, ltw_error_freeze(L, 2)));
    return 1;
}

static int promise_index(lua_State *L)
{
    struct promise *p = check(L);
    const char *name = luaL_checkstring(L, 2);
    struct ltw_box *h;

    if (strcmp(name, "future") == 0) {
        h = ltw_future_push_empty(L);
        tw_future_ref(p->future);
        ltw_future_attach(L, h, p->future);
    } else if (lua_getfield(L, lua_upvalueindex(1), name) == LUA_TNIL) {
        return luaL_error(L, "a promise has no field '%s'; it has future, resolve and"
                          " reject", name);
    }
    return 1;
}

static int promise_tostring(lua_State *L)
{
    struct promise *p = check(L);

    lua_pushfstring(L, "promise: %p (%s)", (void *)p,
                    ltw_future_states[tw_future_peek(p->future, NULL)]);
    return 1;
}

/* tw.promise() -> promise
 * A future to be settled by hand: promise.future is it, promise:resolve(value) and
 * promise:reject(error) settle it, from any state that the promise was sent to.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises without memory.  Units: none. */
int ltw_promise_new(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    struct ltw_box *box = ltw_push_box(L, promise_type.name, 0);
    struct promise *p;

    p = tw_calloc(1, sizeof *p);
    if (p) p->future = tw_future_new(host ? host->unseen : NULL);
    if (!p || !p->future) {
        tw_free(p);
        return luaL_error(L, "tw.promise: not enough memory");
    }
    tw_object_init(&p->object, &promise_type);
    box->object = &p->object;
    return 1;
}

static const luaL_Reg methods[] = {
    { "resolve", promise_resolve },
    { "reject", promise_reject },
    { NULL, NULL }
};

void ltw_promise_open(lua_State *L)
{
    ltw_object_open(L, promise_type.name);
    luaL_newlib(L, methods);
    lua_pushcclosure(L, promise_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, promise_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}
