/* coroutine.c - resume, wrap and close that tasks and the watchdog can follow.
 *
 * As Lua's own, but for two things.  The state knows which coroutine runs: that is
 * the one whose hook must be set to stop it; a runaway that the hook has yielded
 * out of a coroutine goes on outwards here.  And a coroutine that waits (for a
 * future, say) parks the whole task: it yields outwards here too, and later goes
 * on where it was, so who resumed it never sees it.
 */
#include "task/park.h"
#include "task/tasks.h"
#include "watchdog.h"

enum { REFUSED = -1 };   /* of resume: the message is on L, not on co */
#define WAITS "cannot resume a coroutine that waits for something"

/* [-n, +m, -]  Resumes co with the n values on top of L; its m results go to
 * L, the object of an error stays on co. */
static int resume(lua_State *L, lua_State *co, int n, int *results)
{
    struct ltw_state *s = ltw_state(L);
    int status;

    if (!lua_checkstack(co, n)) {
        lua_pushliteral(L, "too many arguments to resume");
        return REFUSED;
    }
    lua_xmove(L, co, n);
    ltw_watchdog_follow(s, co);
    status = lua_resume(co, L, n, results);
    s->running = L;
    if (status > LUA_YIELD) return status;
    if (!lua_checkstack(L, *results + 1)) {
        lua_pop(co, *results);
        lua_pushliteral(L, "too many results to resume");
        return REFUSED;
    }
    lua_xmove(co, L, *results);
    return LUA_OK;
}

static struct ltw_scope *scope_of(lua_State *L)
{
    struct ltw_task *t = ltw_task_current(L);

    return t ? t->scope : NULL;
}

/* A scope that co has entered is not its resumer's; true if it was not left. */
static bool restore_scope(lua_State *L, struct ltw_scope *before)
{
    struct ltw_task *t = ltw_task_current(L);

    if (!t || t->scope == before) return false;
    if (before) ltw_scope_ref(before);
    ltw_scope_unref(t->scope);
    t->scope = before;
    return true;
}

/* Is there any coroutine that only its task may go on with? */
static bool has_tasks(const struct ltw_state *s)
{
    return s->parked_inside > 0 || s->host || (s->tasks && ltw_tasks_count(s->tasks) > 0);
}

/* Does co wait, as a task or a part of one?  One that has yielded by itself is in
 * coroutine.yield. */
static bool is_waiting(lua_State *L, lua_State *co)
{
    struct ltw_state *s = ltw_state(L);
    lua_Debug ar;
    bool waits;

    if (!has_tasks(s) || lua_status(co) != LUA_YIELD || !lua_getstack(co, 0, &ar)
        || !lua_checkstack(co, 1))
        return false;
    lua_getinfo(co, "f", &ar);
    waits = lua_tocfunction(co, -1) != s->yield;
    lua_pop(co, 1);
    return waits;
}

/* Resumes co with the n values on top of L until it has ended or yielded by itself.
 * True: it waits and the caller has to yield, too.  before: the scope of who resumes
 * it. */
static bool resume_until(lua_State *L, lua_State *co, int n, struct ltw_scope *before,
                         int *results, int *status)
{
    struct ltw_state *s = ltw_state(L);
    bool refused = false;

    for (;; n = 0) {
        *status = resume(L, co, n, results);
        if (*status != LUA_OK || !s->parked || s->overrun) break;
        if (ltw_task_pass(L, &refused)) {
            s->parked_inside++;
            return true;
        }
        if (refused) break;
    }
    if (refused) {
        lua_pushliteral(L, "the coroutine can't wait here, where a C function called"
                        " this one (table.sort, string.gsub, a finalizer)");
        *status = REFUSED;
    }
    if (restore_scope(L, before) && *status == LUA_OK) {
        lua_pushliteral(L, "the coroutine yielded inside a task.scope, task.timeout or"
                        " task.shield of its own");
        *status = REFUSED;
    }
    return false;
}

static int resumed(lua_State *L, int n, lua_State *co, struct ltw_scope *before);

static int resume_again(lua_State *L, int status, lua_KContext before)
{
    (void)status;
    ltw_state(L)->parked_inside--;
    return resumed(L, 0, lua_tothread(L, 1), (struct ltw_scope *)before);
}

/* coroutine.resume(co, ...) -> true, ... | false, message
 * As Lua's own.
 * Yields: while co waits for something.  Blocks: as co does.  Thread: the state's.
 * Errors: co's are returned.  Units: none. */
static int co_resume(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);

    luaL_argexpected(L, co, 1, "coroutine");
    if (is_waiting(L, co)) {
        lua_pushboolean(L, 0);
        lua_pushliteral(L, WAITS);
        return 2;
    }
    return resumed(L, lua_gettop(L) - 1, co, scope_of(L));
}

static int resumed(lua_State *L, int n, lua_State *co, struct ltw_scope *before)
{
    int status;

    if (resume_until(L, co, n, before, &n, &status))
        return lua_yieldk(L, 0, (lua_KContext)before, resume_again);
    if (ltw_state(L)->overrun) return ltw_watchdog_end(L);
    if (status == LUA_OK) {
        lua_pushboolean(L, 1);
        lua_insert(L, -(n + 1));
        return n + 1;
    }
    if (status != REFUSED) lua_xmove(co, L, 1);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int go_on(lua_State *L, struct ltw_scope *before);

static int wrapped_again(lua_State *L, int status, lua_KContext before)
{
    (void)status;
    ltw_state(L)->parked_inside--;
    lua_settop(L, 0);
    return go_on(L, (struct ltw_scope *)before);
}

static int wrapped(lua_State *L)
{
    if (is_waiting(L, lua_tothread(L, lua_upvalueindex(1))))
        return luaL_error(L, "%s", WAITS);
    return go_on(L, scope_of(L));
}

static int go_on(lua_State *L, struct ltw_scope *before)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    struct ltw_state *s = ltw_state(L);
    int n, status;

    if (resume_until(L, co, lua_gettop(L), before, &n, &status))
        return lua_yieldk(L, 0, (lua_KContext)before, wrapped_again);
    if (status > LUA_YIELD && lua_status(co) > LUA_YIELD) {
        ltw_watchdog_follow(s, co);   /* what was to be closed has code of its own */
        lua_resetthread(co);
        s->running = L;
    }
    if (s->overrun) return ltw_watchdog_end(L);
    if (status == LUA_OK) return n;
    if (status != REFUSED) lua_xmove(co, L, 1);
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/* coroutine.wrap(f) -> function
 * As Lua's own.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises when f is not a function.  Units: none. */
static int co_wrap(lua_State *L)
{
    lua_State *co;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

/* The coroutine that co, which waits, has resumed and so on: the one that parked.
 * *n: how many there are between the two. */
static lua_State *innermost(lua_State *co, unsigned *n)
{
    for (*n = 0;; ++*n) {
        lua_State *inner;
        lua_CFunction f;
        lua_Debug ar;

        if (!lua_getstack(co, 0, &ar) || !lua_checkstack(co, 2)) return co;
        lua_getinfo(co, "f", &ar);
        f = lua_tocfunction(co, -1);
        if (f == wrapped) lua_getupvalue(co, -1, 1);
        else if (f != co_resume || !lua_getlocal(co, &ar, 1)) lua_pushnil(co);
        inner = lua_tothread(co, -1);
        lua_pop(co, 2);
        if (!inner) return co;
        co = inner;
    }
}

/* coroutine.close(co) -> true | false, message
 * As Lua's own, which is the upvalue.
 * Yields: no.  Blocks: as what co has to close does.  Thread: the state's.
 * Errors: raises when co is running, or a task's own.  Units: none. */
static int co_close(lua_State *L)
{
    struct ltw_state *s = ltw_state(L);
    lua_State *co = lua_tothread(L, 1);

    if (co && is_waiting(L, co)) {
        unsigned n;

        if (!ltw_task_lose(L, co, innermost(co, &n)))
            return luaL_error(L, "cannot close the coroutine of a task or a handler");
        s->parked_inside -= n;   /* nobody resumes these again */
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (co && lua_status(co) != LUA_OK)
        ltw_watchdog_follow(s, co);   /* then it can't raise */
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    s->running = L;
    return s->overrun ? ltw_watchdog_end(L) : lua_gettop(L);
}

static const luaL_Reg co_funcs[] = {
    { "resume", co_resume },
    { "wrap", co_wrap },
    { NULL, NULL }
};

void ltw_coroutine_open(lua_State *L)
{
    lua_getglobal(L, "coroutine");
    lua_getfield(L, -1, "yield");
    ltw_state(L)->yield = lua_tocfunction(L, -1);
    lua_pop(L, 1);
    luaL_setfuncs(L, co_funcs, 0);
    lua_getfield(L, -1, "close");
    lua_pushcclosure(L, co_close, 1);
    lua_setfield(L, -2, "close");
    lua_pop(L, 1);
}
