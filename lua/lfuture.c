/* lfuture.c - tw.future: a value to be, awaited by any task of any state.
 *
 * pool.run, cache:get, tw.promise and task.spawn give futures.  Each call gives a
 * handle of its own: who cancels it leaves, and harms nobody who has another.  The
 * work behind it stops when the last one has left.  The value is frozen, and the
 * same in every state; only a task's results stay in its state, as they are.
 *
 * A failed future raises in whoever awaits it: a table with the fields message,
 * traceback, worker, script, task, cause (the error as it was where it happened)
 * and value (what was raised, when it was a table).  A failure that nobody ever
 * looks at is printed and makes the run end with status 1.
 */
#include "lfuture.h"

#include "lerror.h"
#include "park.h"

const char ltw_await_what[] = "await";

/* The note of a handle: the scope it was asked for in, and whether it counts as
 * wanting it. */
enum { WANTS = 1, LEFT = 2, FLAGS = 2 };   /* FLAGS: bits of them */

const char *const ltw_future_states[] = { "pending", "done", "failed", "cancelled" };

/* ---- handles ---- */

const char ltw_task_mark[] = "task";

struct ltw_box *ltw_future_push_empty(lua_State *L)
{
    return ltw_push_box(L, tw_future_type.name, 1);
}

bool ltw_future_attach(lua_State *L, struct ltw_box *handle, struct tw_future *f)
{
    struct ltw_task *t = ltw_task_current(L);
    enum tw_future_state state = tw_future_peek(f, NULL);

    handle->object = tw_future_object(f);
    handle->note = (t && t->scope ? t->scope->id : 0) << FLAGS;
    if (state != TW_PENDING) return state != TW_CANCELLED;
    if (!tw_future_want(f)) return false;
    handle->note |= WANTS;
    return true;
}

/* The handle of a future or a task at idx, or NULL. */
static struct ltw_box *to_handle(lua_State *L, int idx)
{
    struct ltw_box *h = ltw_to_box(L, idx, ltw_box_mark);

    if (h) return h->object && h->object->type == &tw_future_type ? h : NULL;
    return ltw_to_box(L, idx, ltw_task_mark);
}

static struct ltw_box *check(lua_State *L, int idx)
{
    struct ltw_box *h = to_handle(L, idx);

    if (!h || !h->object) luaL_typeerror(L, idx, "future");
    return h;
}

static struct tw_future *of(const struct ltw_box *h)
{
    return (struct tw_future *)h->object;
}

static int future_gc(lua_State *L)
{
    struct ltw_box *h = lua_touserdata(L, 1);

    if (h->object && h->note & WANTS) tw_future_forget(of(h));
    h->note &= ~(uint64_t)WANTS;
    return ltw_object_gc(L);
}

/* A handle that came in a value counts from its first use on. */
static void want(struct ltw_box *h)
{
    if (h->note & (WANTS | LEFT) || tw_future_peek(of(h), NULL) != TW_PENDING) return;
    if (tw_future_want(of(h))) h->note |= WANTS;
}

static void leave(struct ltw_box *h)
{
    want(h);
    if (h->note & WANTS) tw_future_unwant(of(h));
    h->note = (h->note & ~(uint64_t)WANTS) | LEFT;
}

/* ---- waiting ---- */

static bool join_future(void *f, struct tw_wait *node)
{
    return tw_future_wait(f, node);
}

static void leave_future(void *f, struct tw_wait *node)
{
    tw_future_leave(f, node);
}

static struct ltw_place place_of(const struct ltw_box *h)
{
    return (struct ltw_place){ .join = join_future, .leave = leave_future,
                               .thing = of(h) };
}

/* The scope that the task waits in is over: what was asked for within it is left. */
static void leave_if_over(lua_State *L, struct ltw_box *h)
{
    const struct ltw_scope *over = ltw_task_over(L), *s;

    if (!over) return;
    for (s = ltw_task_current(L)->scope; s != over; s = s->parent)
        if (s->id == h->note >> FLAGS) break;
    if (s->id == h->note >> FLAGS) leave(h);
}

static enum tw_future_state look(const struct ltw_box *h, struct tw_any *out)
{
    enum tw_future_state state = tw_future_peek(of(h), out);

    return h->note & LEFT && state != TW_FAILED ? TW_CANCELLED : state;
}

/* [-0, +1, e]  A future's value; its handle keeps the view that is not found as fast. */
static void push_one(lua_State *L, int idx, const struct tw_any *value)
{
    if (value->kind != TW_VALUE_BLOCK) {
        ltw_push_any(L, value);
        return;
    }
    if (lua_getiuservalue(L, idx, 1) > LUA_TNIL) return;
    lua_pop(L, 1);
    ltw_push_any(L, value);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, idx, 1);
}

/* [-0, +n, e]  A task's results are its handle's; a future's value is one. */
static int push_value(lua_State *L, int idx, const struct tw_any *value)
{
    int n;

    if (!ltw_to_box(L, idx, ltw_task_mark)) {
        push_one(L, idx, value);
        return 1;
    }
    if (lua_getiuservalue(L, idx, 1) != LUA_TTABLE) return 0;
    lua_getfield(L, -1, "n");
    n = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, n, "too many results");
    for (int i = 1; i <= n; i++) lua_rawgeti(L, -i, i);
    return n;
}

/* [-0, +1, e]  What await raises.  Who is cancelled together with what it waits for
 * is told of its own end. */
static void push_failure(lua_State *L, int idx, enum tw_future_state state,
                         const struct tw_any *error)
{
    if (state == TW_CANCELLED) {
        ltw_task_check(L, ltw_await_what);   /* a job has the time limit of who sent it */
        ltw_error_push_cancelled(L, ltw_await_what, "its work was told to stop");
        return;
    }
    tw_future_saw(of(lua_touserdata(L, idx)));
    if (lua_getiuservalue(L, idx, 1) != LUA_TTABLE) {   /* no task's */
        lua_pop(L, 1);
        ltw_error_push(L, error);
    }
    ltw_error_chain(L);
}

/* Waits until the future of h is settled; TW_PENDING: the time is over.  True: the
 * caller has to yield, and come back. */
static bool wait_for(lua_State *L, lua_KContext due_ns, struct ltw_box *h, int *state,
                     struct tw_any *value)
{
    struct ltw_task *t = ltw_task_current(L);

    while ((*state = (int)look(h, value)) == TW_PENDING && !ltw_task_is_due(due_ns)) {
        leave_if_over(L, h);
        ltw_task_leave(L);   /* before its place is made anew */
        if (t) t->place = place_of(h);
        if (ltw_task_park(L, t ? &t->place : NULL, 1, due_ns, ltw_await_what))
            return true;
    }
    ltw_task_leave(L);
    return false;
}

static int await(lua_State *L, int status, lua_KContext due_ns)
{
    struct ltw_box *h = lua_touserdata(L, 1);
    struct tw_any value;
    int state;

    (void)status;
    if (wait_for(L, due_ns, h, &state, &value)) return lua_yieldk(L, 0, due_ns, await);
    if (state == TW_PENDING) return ltw_fail(L, UV_ETIMEDOUT);
    if (state == TW_RESOLVED) return push_value(L, 1, &value);
    push_failure(L, 1, (enum tw_future_state)state, &value);
    return lua_error(L);
}

/* future:await([timeout]) -> value | nil, message, code
 * Waits for the value.  A task's handle gives all that the task returned.
 * Yields: until it is settled.  Blocks: no; outside all tasks the caller alone waits.
 * Thread: any state's.
 * Errors: raises the failure again, with the tracebacks of where it happened and of
 * this call, and when the future, or the task that waits, was cancelled; nil when the
 * time is over: the work goes on.  Units: timeout in seconds. */
static int future_await(lua_State *L)
{
    int64_t due_ns;

    want(check(L, 1));
    due_ns = ltw_task_due_ns(L, 2);
    lua_settop(L, 1);
    return await(L, LUA_OK, due_ns);
}

static int pawait(lua_State *L, int status, lua_KContext due_ns)
{
    struct ltw_box *h = lua_touserdata(L, 1);
    struct tw_any value;
    int state;

    (void)status;
    if (wait_for(L, due_ns, h, &state, &value)) return lua_yieldk(L, 0, due_ns, pawait);
    if (state == TW_PENDING) return ltw_fail(L, UV_ETIMEDOUT);
    lua_pushboolean(L, state == TW_RESOLVED);
    if (state == TW_RESOLVED) return 1 + push_value(L, 1, &value);
    push_failure(L, 1, (enum tw_future_state)state, &value);
    return 2;
}

/* future:pawait([timeout]) -> true, value | false, error | nil, message, code
 * Waits for the value or the failure; as pcall returns them.
 * Yields: until it is settled.  Blocks: no; outside all tasks the caller alone waits.
 * Thread: any state's.
 * Errors: returns the future's; raises when the task that waits was cancelled; nil
 * when the time is over.  Units: timeout in seconds. */
static int future_pawait(lua_State *L)
{
    int64_t due_ns;

    want(check(L, 1));
    due_ns = ltw_task_due_ns(L, 2);
    lua_settop(L, 1);
    return pawait(L, LUA_OK, due_ns);
}

/* future:peek() -> state, value
 * How it stands: "pending"; "done" and the value; "failed" and the error;
 * "cancelled".
 * Yields: no.  Blocks: no.  Thread: any state's.  Errors: none.  Units: none. */
static int future_peek(lua_State *L)
{
    struct ltw_box *h = check(L, 1);
    struct tw_any value;
    enum tw_future_state state = look(h, &value);

    lua_pushstring(L, ltw_future_states[state]);
    if (state == TW_RESOLVED) return 1 + push_value(L, 1, &value);
    if (state != TW_FAILED) return 1;
    tw_future_saw(of(h));
    ltw_error_push(L, &value);
    return 2;
}

/* future:cancel()
 * Leaves: awaiting this handle raises from now on.  Others who asked for the same are
 * not harmed; when this was the last handle, the work stops: a queued job never runs, a
 * running one is ended.  Of a settled future: nothing.  A task is told to end: its next
 * wait raises.
 * Yields: no.  Blocks: no.  Thread: any state's.  Errors: none.  Units: none. */
static int future_cancel(lua_State *L)
{
    struct ltw_box *h = check(L, 1);

    if (tw_future_peek(of(h), NULL) == TW_PENDING) leave(h);
    return 0;
}

static int future_eq(lua_State *L)
{
    lua_pushboolean(L, check(L, 1)->object == check(L, 2)->object);
    return 1;
}

static int future_tostring(lua_State *L)
{
    struct ltw_box *h = lua_touserdata(L, 1);

    if (h->object)
        lua_pushfstring(L, "%s: %p (%s)",
                        luaL_testudata(L, 1, LTW_TASK) ? "task" : "future",
                        (void *)h->object, ltw_future_states[look(h, NULL)]);
    else lua_pushliteral(L, "future: closed");
    return 1;
}

/* ---- several ---- */

struct ltw_box *ltw_test_future(lua_State *L, int idx)
{
    struct ltw_box *h = to_handle(L, idx);

    if (h) want(h);
    return h;
}

bool ltw_future_is_pending(lua_State *L, struct ltw_box *h, struct ltw_place *place)
{
    leave_if_over(L, h);
    *place = place_of(h);
    return look(h, NULL) == TW_PENDING;
}

void ltw_future_push_value(lua_State *L, int idx)
{
    struct ltw_box *h = lua_touserdata(L, idx);
    struct tw_any value;
    enum tw_future_state state = look(h, &value);
    int top = lua_gettop(L), n;

    if (state != TW_RESOLVED) {
        push_failure(L, idx, state, &value);
        lua_error(L);
    }
    n = push_value(L, idx, &value);
    if (n == 0) lua_pushnil(L);
    else lua_pushvalue(L, -n);   /* a task's first result */
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

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
        state = look(h, NULL);
        if (state == TW_PENDING) places[(*pending)++] = place_of(h);
        else if (mode >= RACE || (mode == ANY) == (state == TW_RESOLVED)) return i;
        else if (state == TW_FAILED) tw_future_saw(of(h));   /* it is passed over */
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
        state = look(lua_touserdata(L, 4), &error);
        push_failure(L, 4, state, &error);
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
        leave_if_over(L, lua_touserdata(L, -1));
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
    while ((i = decide(L, mode, n, places, &pending)) == 0 && !ltw_task_is_due(due_ns)) {
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

static const luaL_Reg methods[] = {
    { "await", future_await },
    { "pawait", future_pawait },
    { "peek", future_peek },
    { "cancel", future_cancel },
    { NULL, NULL }
};

static const luaL_Reg meta[] = {
    { "__gc", future_gc },
    { "__eq", future_eq },
    { "__tostring", future_tostring },
    { NULL, NULL }
};

void ltw_future_open(lua_State *L)
{
    ltw_object_open(L, tw_future_type.name);
    luaL_setfuncs(L, meta, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newmetatable(L, LTW_TASK);   /* no __tw_object: it stays in its state */
    luaL_setfuncs(L, meta, 0);
    lua_pop(L, 1);
}
