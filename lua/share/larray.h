/* larray.h - columns of doubles as Lua sees them: tw.array.
 *
 * Layer lua.
 */
#ifndef LTW_LARRAY_H
#define LTW_LARRAY_H

#include "share/lobject.h"
#include "share/array.h"

/* [-0, +0, m]  Teaches the state what an array is. */
void ltw_array_open(lua_State *L);

/* [-0, +0, e]  The array at idx; raises for what is none. */
struct tw_array *ltw_check_array(lua_State *L, int idx);

/* A new array, on its way to Lua: what raises meanwhile lets it go.
 *
 *   box = ltw_array_begin(L, n);
 *   a = tw_array_new(n, &data);        or what else makes one of n elements
 *   ltw_array_attach(L, box, a);
 *   data[0] = ...                      here Lua may raise
 *   ltw_array_end(L, box);
 *
 * begin: [-0, +1, e]  An empty box, and room for n elements in the state's memory.
 * attach: [-0, +0, e]  Raises when a is NULL.
 * end: [-0, +0, m]  The box on top is the state's one for its array. */
struct ltw_box *ltw_array_begin(lua_State *L, size_t n);
void ltw_array_attach(lua_State *L, struct ltw_box *box, struct tw_array *a);
void ltw_array_end(lua_State *L, struct ltw_box *box);

/* [-0, +0, e]  Raises when the two are not of one length. */
void ltw_check_lengths(lua_State *L, const struct tw_array *a, const struct tw_array *b);

/* [-0, +0, m]  larray_csv.c: adds csv to the methods, or to the module, on top. */
void ltw_array_csv_method(lua_State *L);
void ltw_array_csv_function(lua_State *L);

int luaopen_tw_array(lua_State *L);   /* larray_make.c */

#endif
