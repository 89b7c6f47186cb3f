/* remap.h - replaces the old version's functions and classes in what self keeps.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_REMAP_H
#define LTW_REMAP_H

#include "ltw.h"

/* [-0, +2, m]  What stands for what: two tables, from each function, and each table
 * that holds functions or a metatable's fields, of the value at `old` to the one of the
 * same place in the value at `new`, and back.  Places are fields by name, upvalues of
 * functions by name, and metatables. */
void ltw_remap_match(lua_State *L, int old, int new);

/* [-0, +1, m]  The list of all tables reachable from those in the list at `roots`, by
 * keys and values, but through none that `map` knows. */
void ltw_remap_collect(lua_State *L, int roots, int map);

/* [-0, +0, -]  In each table of the list at `tables` the values and the metatable that
 * `map` knows become what they stand for.  Allocates nothing. */
void ltw_remap_apply(lua_State *L, int tables, int map);

/* [-0, +0, m]  Functions that the tables of the list hold and `map` does not know were
 * made by those that it knows: what they share with these, locals of a file, they share
 * from now on with what these stand for; other upvalues become what they stand for. */
void ltw_remap_rebind(lua_State *L, int tables, int map);

/* [-0, +1, m]  Of all upvalues of the functions that `map` knows: from what identifies
 * one to {the function that stands for its own, the upvalue's index there}. */
void ltw_remap_push_boxes(lua_State *L, int map);

/* [-0, +1, m]  A list of copies of the tables in the list, each {fields, metatable}. */
void ltw_remap_copy(lua_State *L, int tables);

/* [-0, +0, m]  Makes the tables what they were when they were copied. */
void ltw_remap_restore(lua_State *L, int tables, int copies);

#endif
