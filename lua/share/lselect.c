/* lselect.c - tw.select: waiting for whichever of several things comes first.
 *
 * Why: a task that receives from two channels in turn would wait for the one while
 * the other is full.  Here it stands in all the lists at once, with one waker.
 */
#include "share/lchannel.h"
#include "share/lfuture.h"
#include "share/lvalue.h"
#include "task/park.h"

enum { LIST = 1, PLACES, OWNER, ELEMENT };   /* on the stack */

/* [-0, +1, e]  Is the element something to be had?  It is at ELEMENT, and what came
 * from a channel is in the owner.  *closed: there will never be. */
static bool look(lua_State *L, lua_Integer i, bool *closed)
{
    struct ltw_place unused;
    struct tw_channel *c;
    int rc;

    lua_settop(L, OWNER);
    lua_rawgeti(L, LIST, i);
    c = ltw_test_channel(L, ELEMENT);
    *closed = false;
    if (!c) return !ltw_future_is_pending(L, lua_touserdata(L, ELEMENT), &unused);
    rc = tw_channel_try_recv(c, lua_touserdata(L, OWNER));
    *closed = rc == TW_ECLOSED;
    return rc == TW_OK;
}

/* Adds the element at ELEMENT to those that are waited for. */
static void add_place(lua_State *L, unsigned *n)
{
    struct ltw_place *place = (struct ltw_place *)lua_touserdata(L, PLACES) + *n;
    struct tw_channel *c = ltw_test_channel(L, ELEMENT);

    if (c) *place = ltw_channel_place(c);
    else ltw_future_is_pending(L, lua_touserdata(L, ELEMENT), place);
    ++*n;
}

/* [-0, +2, e]  What came, and from which. */
static int take(lua_State *L)
{
    ltw_task_leave(L);
    if (ltw_test_channel(L, ELEMENT)) {
        lua_pushvalue(L, OWNER);
        ltw_adopt(L);
    } else {
        ltw_future_push_value(L, ELEMENT);
    }
    lua_pushvalue(L, ELEMENT);
    return 2;
}

/* Who is asked first changes from time to time: none is starved. */
static lua_Integer turn(lua_State *L)
{
    lua_Integer n = lua_tointeger(L, lua_upvalueindex(1));

    lua_pushinteger(L, (lua_Integer)((lua_Unsigned)n + 1) & LUA_MAXINTEGER);
    lua_replace(L, lua_upvalueindex(1));
    return n;
}

static int select_again(lua_State *L, int status, lua_KContext due_ns)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, LIST), first = turn(L);

    (void)status;
    for (;;) {
        unsigned open = 0;

        ltw_task_leave(L);   /* before the places are made anew */
        for (lua_Integer i = 0; i < n; i++) {
            bool closed;

            if (look(L, (first + i) % n + 1, &closed)) return take(L);
            if (!closed) add_place(L, &open);
        }
        lua_settop(L, OWNER);
        if (open == 0) return ltw_fail(L, TW_ECLOSED);
        if (ltw_task_is_due(L, due_ns)) return ltw_fail(L, UV_ETIMEDOUT);
        if (ltw_task_park(L, lua_touserdata(L, PLACES), open, due_ns, "select"))
            return lua_yieldk(L, 0, due_ns, select_again);
    }
}

/* tw.select(list [, timeout]) -> value, which | nil, message, code
 * Waits for the first of several channels, futures and tasks that has something:
 * the value that was received, or the future's, and which of them it was.  The others
 * are left as they are.  Where more than one has something they take turns.
 * Yields: until one has something.  Blocks: no; outside all tasks the caller alone
 * waits.  Thread: any state's.
 * Errors: nil when the time is over, and when all are channels that are closed and
 * empty; raises a future's failure, and for an empty list or an element that is
 * something else.  Units: timeout in seconds. */
static int select_one(lua_State *L)
{
    int64_t due_ns = ltw_task_due_ns(L, 2);
    lua_Integer n;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = luaL_len(L, 1);
    luaL_argcheck(L, n > 0 && n < 1 << 20, 1, "a list of channels and futures expected");
    ltw_task_check(L, "select");
    lua_settop(L, 1);
    lua_createtable(L, (int)n, 0);   /* a copy: the list may be changed meanwhile */
    for (lua_Integer i = 1; i <= n; i++) {
        lua_geti(L, 1, i);
        if (!ltw_test_channel(L, -1) && !ltw_test_future(L, -1))
            return luaL_error(L, "element %I of the list is a %s, not a channel or a"
                              " future", i, luaL_typename(L, -1));
        lua_rawseti(L, 2, i);
    }
    lua_remove(L, 1);
    lua_newuserdatauv(L, (size_t)n * sizeof(struct ltw_place), 0);
    ltw_push_owner(L);
    return select_again(L, LUA_OK, due_ns);
}

void ltw_select_function(lua_State *L)
{
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, select_one, 1);
    lua_setfield(L, -2, "select");
}
