/* lobject.h - shared objects as Lua sees them: one box per object and state.
 *
 * A value that is frozen may hold boxes.
 *
 * Layer lua.
 */
#ifndef LTW_LOBJECT_H
#define LTW_LOBJECT_H

#include "ltw.h"
#include "share/object.h"

/* A full userdata, or the first part of one.  Its mark tells it from all others
 * without a look at metatables. */
struct ltw_box {
    const char *mark;           /* ltw_box_mark, or ltw_task_mark */
    struct tw_object *object;   /* it owns a reference; NULL: it was closed */
    uint64_t note;              /* the binding's own; 0 in a new box        */
};

extern const char ltw_box_mark[], ltw_task_mark[];   /* lfuture.c: a task's handle */

/* [-0, +0, -]  The box with that mark at idx, or NULL. */
static inline struct ltw_box *ltw_to_box(lua_State *L, int idx, const char *mark)
{
    struct ltw_box *b = lua_touserdata(L, idx);

    /* A light userdata has no length. */
    if (!b || lua_rawlen(L, idx) < sizeof *b || b->mark != mark) return NULL;
    return b;
}

/* [-0, +1, m]  An empty box for an object of that type, not shared with others, with
 * so many user values. */
struct ltw_box *ltw_push_box(lua_State *L, const char *type_name, int user_values);

/* [-0, +1, m]  The new metatable of a type, registered under its name, with
 * __gc: for the caller to add __index and the like. */
void ltw_object_open(lua_State *L, const char *type_name);

/* [-0, +1, e]  The state's box for o, which takes a reference of its own when
 * it is new.  Raises when the state has not opened o's type. */
void ltw_push_object(lua_State *L, struct tw_object *o);

/* [-0, +0, m]  The object of the box at idx; NULL when it is something else or
 * closed.  check raises then, and when it is of another type. */
struct tw_object *ltw_test_object(lua_State *L, int idx);
struct tw_object *ltw_check_object(lua_State *L, int idx, const char *type_name);

/* Closes the box at 1: its __gc, and safe twice.  Anything else is left as it is. */
int ltw_object_gc(lua_State *L);

/* [-0, +1, m]  What this state has made for an address: weak values, so that
 * one thing is one userdata for as long as it is in use. */
void ltw_push_interned(lua_State *L);

#endif
