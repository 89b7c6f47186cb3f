/* lfuture.h - futures as Lua sees them: handles, and waiting for them.
 *
 * Layer lua.
 */
#ifndef LTW_LFUTURE_H
#define LTW_LFUTURE_H

#include "share/lobject.h"
#include "share/future.h"
#include "task/task.h"

/* [-0, +0, m]  Teaches the state what futures, tasks' handles, promises are. */
void ltw_future_open(lua_State *L);
void ltw_promise_open(lua_State *L);

/* [-0, +1, m]  An empty handle: to be filled by ltw_future_attach, so that no Lua call
 * that could raise is between that and making f. */
struct ltw_box *ltw_future_push_empty(lua_State *L);

/* [-0, +0, -]  The handle owns the caller's reference of f from now on, and the running
 * task wants it; false: f is cancelled. */
bool ltw_future_attach(lua_State *L, struct ltw_box *handle, struct tw_future *f);

/* [-0, +0, m]  The handle (or task) at idx, which is wanted from now on; or NULL. */
struct ltw_box *ltw_test_future(lua_State *L, int idx);

/* [-0, +0, e]  Is it pending?  Then place is one among those who wait for it. */
bool ltw_future_is_pending(lua_State *L, struct ltw_box *handle,
                           struct ltw_place *place);

/* [-0, +1, e]  The value of the settled one at idx, or its failure raised. */
void ltw_future_push_value(lua_State *L, int idx);

/* Its state, and what it has: a future that was left is cancelled. */
enum tw_future_state ltw_future_look(const struct ltw_box *h, struct tw_any *out);

/* [-0, +1, e]  The error of the one at idx, which has no value. */
void ltw_future_push_failure(lua_State *L, int idx, enum tw_future_state state,
                             const struct tw_any *error);

/* A place among those who wait for it. */
struct ltw_place ltw_future_place(const struct ltw_box *h);

/* The scope that the task waits in is over: what was asked for within it is left. */
void ltw_future_leave_if_over(lua_State *L, struct ltw_box *h);

extern const char ltw_await_what[];   /* what a task waits for that awaits */
extern const char *const ltw_future_states[];   /* names of enum tw_future_state */

int ltw_future_all(lua_State *L);     /* tw.all     */
int ltw_future_any(lua_State *L);     /* tw.any     */
int ltw_future_race(lua_State *L);    /* tw.race    */
int ltw_future_first(lua_State *L);   /* the index of the first that is settled */
int ltw_promise_new(lua_State *L);    /* tw.promise */

/* A task's handle: a box with two user values, what the task returned as a table
 * with n, or its error; and the scope that it was spawned in. */
#define LTW_TASK "tw.task"

#endif
