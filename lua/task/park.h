/* park.h - how a task waits.
 *
 * A function that waits tries what it is for; when it can't be yet, it parks
 * the task and, when it runs again, tries anew:
 *
 *     static int recv(lua_State *L, int status, lua_KContext due_ns)
 *     {
 *         while (nothing is there to receive) {
 *             if (ltw_task_is_due(L, due_ns)) { failed: it is over; break; }
 *             if (ltw_task_park(L, &place, 1, due_ns, "recv"))
 *                 return lua_yieldk(L, 0, due_ns, recv);
 *         }
 *         ltw_task_leave(L);
 *         ...
 *     }
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_PARK_H
#define LTW_PARK_H

#include "task/task.h"

/* [-0, +0, e]  Parks the running task at places, up to due_ns (ltw_steady_ns; 0 or
 * INT64_MAX: for ever).  True: the caller has to yield now, with itself as the
 * continuation.  False: look again, there is no need to wait, or the main task has
 * waited in place.  Raises: the scope is over; where nothing can yield. */
bool ltw_task_park(lua_State *L, struct ltw_place *places, unsigned n, int64_t due_ns,
                   const char *what);

/* Takes a turn off a task that has taken many things in a row without waiting, for
 * the others' sake: true: the caller has to yield now, with its results on top. */
bool ltw_task_rest(lua_State *L);

/* Leaves the places of the last park.  What waited calls it before it returns. */
void ltw_task_leave(lua_State *L);

/* [-0, +0, e]  Raises when the scope that the running task is in is over: at the
 * beginning of every function that could wait. */
void ltw_task_check(lua_State *L, const char *what);

/* The scope for which ltw_task_check would raise, or NULL. */
const struct ltw_scope *ltw_task_over(lua_State *L);

/* When a wait of that many seconds from now ends: 0 (none) for none or nil at
 * idx.  [-0, +0, e]  Raises for what is no number or below 0. */
int64_t ltw_task_due_ns(lua_State *L, int idx);
bool ltw_task_is_due(lua_State *L, int64_t due_ns);

/* The running task, which is about to yield where it has not asked to, is ready again,
 * behind all others. */
void ltw_task_step_aside(lua_State *L);

/* A coroutine that the running task resumed has parked it: true: yield, too; false:
 * resume it again, or (*refused) it can't wait here.  For coroutine.c. */
bool ltw_task_pass(lua_State *L, bool *refused);

/* co, whose innermost coroutine waits, is about to be closed: the task that it is a part
 * of leaves what it waits for and looks again.  False: co is a task's own. */
bool ltw_task_lose(lua_State *L, const lua_State *co, const lua_State *innermost);

#endif
