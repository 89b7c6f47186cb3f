/* park.c - how a task waits: what it stands in line for, and for how long.
 *
 * Invariants
 *   P1  A waiting task stands in the list of each of its places.  It leaves them
 *       when it has looked again, so that a wake-up that it had no use for can be
 *       passed on, and before what it waited for can go.
 *   P2  A task that is told, due or cancelled while it doesn't wait loses nothing:
 *       whoever parks looks at the condition after it has joined.
 */
#include "task/park.h"

#include "lerror.h"
#include "share/lfuture.h"
#include "ltime.h"
#include "task/taskset.h"
#include "watchdog.h"

/* A wait that raises because its scope is over may be caught, so that there is time
 * to tidy up; a job that waits again so often is not about to end. */
enum { STUBBORN = 100 };
enum { TURN = 128 };   /* things that a task may take in a row */

/* ---- for how long ---- */

int64_t ltw_task_due_ns(lua_State *L, int idx)
{
    lua_Number seconds;

    if (lua_isnoneornil(L, idx)) return 0;
    seconds = luaL_checknumber(L, idx);
    luaL_argcheck(L, seconds >= 0, idx, "a number of seconds from 0 on expected");
    if (seconds > 1e9) return 0;   /* 30 years */
    return ltw_steady_ns(ltw_state(L)) + (int64_t)(seconds * 1e9);
}

bool ltw_task_is_due(lua_State *L, int64_t due_ns)
{
    return due_ns != 0 && ltw_steady_ns(ltw_state(L)) >= due_ns;
}

const struct ltw_scope *ltw_task_over(lua_State *L)
{
    struct ltw_task *t = ltw_task_current(L);

    return t ? ltw_scope_over(t->scope) : NULL;
}

void ltw_task_check(lua_State *L, const char *what)
{
    struct ltw_task *t = ltw_task_current(L);
    struct ltw_scope *s;

    if (!t) luaL_error(L, "%s: can't wait here, outside a task and a handler", what);
    s = ltw_scope_over(t->scope);
    if (!s) return;
    ltw_task_leave_places(t);
    if (++s->ended > STUBBORN) ltw_watchdog_stop(ltw_state(L));
    ltw_error_push_over(L, s, what);
    lua_error(L);
}

/* ---- where ---- */

void ltw_task_leave_places(struct ltw_task *t)
{
    for (unsigned i = 0; i < t->n; i++)
        t->places[i].leave(t->places[i].thing, &t->places[i].node);
    t->n = 0;
    t->places = NULL;
}

void ltw_task_leave(lua_State *L)
{
    struct ltw_task *t = ltw_state(L)->task;

    if (t) ltw_task_leave_places(t);
}

void ltw_task_wake(struct ltw_task *t)
{
    if (t->state != LTW_TASK_WAITING) return;   /* P2 */
    ltw_due_remove(&t->of->due, t);
    ltw_task_set_state(t, LTW_TASK_READY);
    t->woken(t);
}

void ltw_task_step_aside(lua_State *L)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_task *t = state->task;

    t->aside = true;
    t->of->n_aside++;
    ltw_task_set_state(t, LTW_TASK_READY);
    t->woken(t);
    state->parked = true;
}

bool ltw_task_park(lua_State *L, struct ltw_place *places, unsigned n, int64_t due_ns,
                   const char *what)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_task *t = state->task;
    struct ltw_tasks *ts = state->tasks;
    int64_t scope_due_ns;
    bool in_place;

    ltw_task_check(L, what);
    in_place = t == &ts->main && !lua_isyieldable(L);
    if (t->places != places) ltw_task_leave_places(t);   /* P1 */
    if (!in_place && !lua_isyieldable(L))
        luaL_error(L, "%s: can't wait here, where a C function called this one"
                   " (table.sort, string.gsub, a finalizer)", what);
    if (!ltw_due_reserve(&ts->due) || !ltw_loop_open(ts))
        luaL_error(L, "not enough memory");
    scope_due_ns = ltw_scope_due_ns(t->scope);
    t->due_ns = due_ns ? due_ns : INT64_MAX;
    if (scope_due_ns < t->due_ns) t->due_ns = scope_due_ns;
    t->places = places;
    t->what = what;
    t->at = L;
    ltw_task_set_state(t, LTW_TASK_WAITING);
    t->n = n;
    for (unsigned i = 0; i < n; i++) {
        struct ltw_place *p = &places[i];

        p->node.waker = &t->waker;
        if (p->join(p->thing, &p->node)) continue;
        ltw_task_leave_places(t);
        ltw_task_set_state(t, LTW_TASK_RUNNING);
        return false;
    }
    if (t->due_ns != INT64_MAX) {
        ltw_due_add(&ts->due, t);
        if (t->timer == 1) ltw_loop_arm(ts);
    }
    if (in_place) {
        ltw_loop_wait_in_place(ts);
        if (!ltw_loop_take_interrupt(ts)) return false;
        ltw_task_leave_places(t);
        luaL_error(L, "interrupted!");
    }
    if (ts->expect && what == ltw_await_what) ts->expect(ts->ctx, LTW_LOOK_NS);
    state->parked = true;
    return true;
}

bool ltw_task_rest(lua_State *L)
{
    struct ltw_task *t = ltw_task_current(L);

    if (!t || !t->own || L != t->co || !lua_isyieldable(L)) return false;
    if (++t->took < TURN) return false;
    t->took = 0;
    ltw_task_set_state(t, LTW_TASK_WAITING);
    ltw_task_wake(t);
    ltw_state(L)->parked = true;
    return true;
}

/* ---- coroutines within a task ---- */

bool ltw_task_pass(lua_State *L, bool *refused)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_task *t = state->task;

    *refused = false;
    if (lua_isyieldable(L)) return true;
    state->parked = false;
    if (t == &state->tasks->main) {
        ltw_loop_wait_in_place(state->tasks);
    } else {
        ltw_due_remove(&t->of->due, t);   /* it looks again when it is resumed */
        ltw_task_leave_places(t);
        ltw_task_set_state(t, LTW_TASK_RUNNING);
        *refused = true;
    }
    return false;
}

static bool lose(struct ltw_task *t, const lua_State *co, const lua_State *innermost)
{
    for (; t; t = t->next) {
        if (t->co == co) return false;
        if (t->at != innermost) continue;
        ltw_task_leave_places(t);
        ltw_task_wake(t);
    }
    return true;
}

bool ltw_task_lose(lua_State *L, const lua_State *co, const lua_State *innermost)
{
    struct ltw_tasks *ts = ltw_state(L)->tasks;

    return !ts || (lose(ts->all, co, innermost) && lose(ts->others, co, innermost));
}
