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
#include "share/lfuture.h"

#include "lerror.h"
#include "task/park.h"

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
    struct ltw_box *h = to_handle(L, 1);

    if (!ltw_is_finalizer(L)) return 0;
    if (!h) return 0;
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

struct ltw_place ltw_future_place(const struct ltw_box *h)
{
    return (struct ltw_place){ .join = join_future, .leave = leave_future,
                               .thing = of(h) };
}

void ltw_future_leave_if_over(lua_State *L, struct ltw_box *h)
{
    const struct ltw_scope *over = ltw_task_over(L), *s;

    if (!over) return;
    for (s = ltw_task_current(L)->scope; s != over; s = s->parent)
        if (s->id == h->note >> FLAGS) break;
    if (s->id == h->note >> FLAGS) leave(h);
}

enum tw_future_state ltw_future_look(const struct ltw_box *h, struct tw_any *out)
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
void ltw_future_push_failure(lua_State *L, int idx, enum tw_future_state state,
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

    while ((*state = (int)ltw_future_look(h, value)) == TW_PENDING
           && !ltw_task_is_due(L, due_ns)) {
        ltw_future_leave_if_over(L, h);
        ltw_task_leave(L);   /* before its place is made anew */
        if (t) t->place = ltw_future_place(h);
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
    ltw_future_push_failure(L, 1, (enum tw_future_state)state, &value);
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
    ltw_future_push_failure(L, 1, (enum tw_future_state)state, &value);
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
    enum tw_future_state state = ltw_future_look(h, &value);

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
    const struct ltw_box *h = to_handle(L, 1);

    if (!h && !ltw_to_box(L, 1, ltw_box_mark)) return luaL_typeerror(L, 1, "future");
    if (h && h->object)
        lua_pushfstring(L, "%s: %p (%s)",
                        luaL_testudata(L, 1, LTW_TASK) ? "task" : "future",
                        (void *)h->object, ltw_future_states[ltw_future_look(h, NULL)]);
    else lua_pushliteral(L, "future: closed");
    return 1;
}

/* ---- for others ---- */

struct ltw_box *ltw_test_future(lua_State *L, int idx)
{
    struct ltw_box *h = to_handle(L, idx);

    if (h) want(h);
    return h;
}

bool ltw_future_is_pending(lua_State *L, struct ltw_box *h, struct ltw_place *place)
{
    ltw_future_leave_if_over(L, h);
    *place = ltw_future_place(h);
    return ltw_future_look(h, NULL) == TW_PENDING;
}

void ltw_future_push_value(lua_State *L, int idx)
{
    struct ltw_box *h = lua_touserdata(L, idx);
    struct tw_any value;
    enum tw_future_state state = ltw_future_look(h, &value);
    int top = lua_gettop(L), n;

    if (state != TW_RESOLVED) {
        ltw_future_push_failure(L, idx, state, &value);
        lua_error(L);
    }
    n = push_value(L, idx, &value);
    if (n == 0) lua_pushnil(L);
    else lua_pushvalue(L, -n);   /* a task's first result */
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
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
