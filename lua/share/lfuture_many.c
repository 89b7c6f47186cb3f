/* lfuture_many.c - tw.all, tw.any, tw.race: waiting for several futures. */
#include "share/lfuture.h"
#include "task/park.h"

enum mode { ALL, ANY, RACE, FIRST };

/* How n futures stand together: the index of the one that decides, n + 1 when all
 * do, 0 when it is not decided.  Then places has the *pending ones, just those that
 * were seen to be: one that is settled meanwhile refuses to be waited for. */
static lua_Integer decide(lua_State *L, enum mode mode, lua_Integer n,
                          struct ltw_place *places, unsigned *pending)
{
    *pending = 0;
    for (lua_Integer i = 1; i <= n; i++) {
        enum tw_future_state state;
        struct ltw_box *h;

        lua_rawgeti(L, 1, i);
        h = lua_touserdata(L, -1);
        lua_pop(L, 1);
        state = ltw_future_look(h, NULL);
        if (state == TW_PENDING) places[(*pending)++] = ltw_future_place(h);
        else if (mode >= RACE || (mode == ANY) == (state == TW_RESOLVED)) return i;
        else if (state == TW_FAILED)         /* it is passed over */
            tw_future_saw((struct tw_future *)h->object);
    }
    return *pending == 0 ? n + 1 : 0;
}

/* [-0, +2, e]  Of the one at index i: its value and index, or its failure raised. */
static int finish_one(lua_State *L, lua_Integer i)
{
    lua_rawgeti(L, 1, i);
    ltw_future_push_value(L, 3);
    lua_pushinteger(L, i);
    return 2;
}

/* [-0, +1, e]  The values of all of them. */
static int finish_all(lua_State *L, lua_Integer n)
{
    lua_createtable(L, (int)n, 1);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        ltw_future_push_value(L, 4);
        lua_rawseti(L, 3, i);
        lua_settop(L, 3);
    }
    lua_pushinteger(L, n);
    lua_setfield(L, 3, "n");
    return 1;
}

/* [-0, +0, e]  None has a value: raises the first failure, with the others. */
static int fail_any(lua_State *L, lua_Integer n)
{
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = n; i >= 1; i--) {
        struct tw_any error;
        enum tw_future_state state;

        lua_rawgeti(L, 1, i);
        state = ltw_future_look(lua_touserdata(L, 4), &error);
        ltw_future_push_failure(L, 4, state, &error);
        lua_remove(L, 4);
        if (i > 1) lua_rawseti(L, 3, i - 1);
    }
    if (n > 1) {
        lua_pushvalue(L, 3);
        lua_setfield(L, 4, "also");
    }
    return lua_error(L);
}

static void leave_all_if_over(lua_State *L, lua_Integer n)
{
    if (!ltw_task_over(L)) return;
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        ltw_future_leave_if_over(L, lua_touserdata(L, -1));
        lua_pop(L, 1);
    }
}

/* 1: list of handles  2: places  */
static int wait_for_many(lua_State *L, enum mode mode, lua_KContext due_ns,
                         lua_KFunction again)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, 1), i;
    struct ltw_place *places = lua_touserdata(L, 2);
    unsigned pending;

    ltw_task_leave(L);   /* before the places are made anew */
    while ((i = decide(L, mode, n, places, &pending)) == 0
           && !ltw_task_is_due(L, due_ns)) {
        leave_all_if_over(L, n);
        if (ltw_task_park(L, places, pending, due_ns, ltw_await_what))
            return lua_yieldk(L, 0, due_ns, again);
        ltw_task_leave(L);
    }
    if (i == 0) return ltw_fail(L, UV_ETIMEDOUT);
    lua_settop(L, 2);
    if (mode == FIRST) {
        lua_pushinteger(L, i);
        return 1;
    }
    if (i <= n) return finish_one(L, i);
    return mode == ALL ? finish_all(L, n) : fail_any(L, n);
}

/* Copies the list of handles: it may be changed while this waits. */
static int begin_many(lua_State *L, lua_KFunction again)
{
    int64_t due_ns = ltw_task_due_ns(L, 2);
    lua_Integer n;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = luaL_len(L, 1);
    luaL_argcheck(L, n >= 0 && n < 1 << 24, 1, "a list of futures expected");
    lua_settop(L, 1);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_geti(L, 1, i);
        if (!ltw_test_future(L, -1))
            return luaL_error(L, "element %I of the list is a %s, not a future", i,
                              luaL_typename(L, -1));
        lua_rawseti(L, 2, i);
    }
    lua_remove(L, 1);
    lua_newuserdatauv(L, (size_t)(n ? n : 1) * sizeof(struct ltw_place), 0);
    return again(L, LUA_OK, due_ns);
}

static int all(lua_State *L, int status, lua_KContext due_ns)
{
    (void)status;
    return wait_for_many(L, ALL, due_ns, all);
}

/* tw.all(list [, timeout]) -> table | nil, message, code
 * Waits for every future of the list: their values in its order, and n.  The first
 * failure is raised at once; the others go on.
 * Yields: until all are there, or one failed.  Blocks: no; outside all tasks the caller
 * alone waits.  Thread: any state's.
 * Errors: raises the first failure, and for an element that is no future; nil when the
 * time is over.  Units: timeout in seconds. */
int ltw_future_all(lua_State *L)
{
    return begin_many(L, all);
}

static int any(lua_State *L, int status, lua_KContext due_ns)
{
    (void)status;
    return wait_for_many(L, ANY, due_ns, any);
}

/* tw.any(list [, timeout]) -> value, index | nil, message, code
 * Waits for the first future that has a value.  The others go on.
 * Yields: until one has a value.  Blocks: no; outside all tasks the caller alone waits.
 * Thread: any state's.
 * Errors: when all have failed raises the first one's error, with the others in its
 * field also; raises for an empty list; nil when the time is over.
 * Units: timeout in seconds. */
int ltw_future_any(lua_State *L)
{
    luaL_argcheck(L, lua_type(L, 1) != LUA_TTABLE || luaL_len(L, 1) > 0, 1,
                  "at least one future expected");
    return begin_many(L, any);
}

static int race(lua_State *L, int status, lua_KContext due_ns)
{
    (void)status;
    return wait_for_many(L, RACE, due_ns, race);
}

/* tw.race(list [, timeout]) -> value, index | nil, message, code
 * Waits for the first future that is settled: its value, or its failure raised.  The
 * others go on.
 * Yields: until one is settled.  Blocks: no; outside all tasks the caller alone waits.
 * Thread: any state's.
 * Errors: raises that one's failure, and for an empty list; nil when the time is over.
 * Units: timeout in seconds. */
int ltw_future_race(lua_State *L)
{
    luaL_argcheck(L, lua_type(L, 1) != LUA_TTABLE || luaL_len(L, 1) > 0, 1,
                  "at least one future expected");
    return begin_many(L, race);
}

static int first(lua_State *L, int status, lua_KContext due_ns)
{
    (void)status;
    return wait_for_many(L, FIRST, due_ns, first);
}

int ltw_future_first(lua_State *L)
{
    return begin_many(L, first);
}
