/* declare.h - C declarations: text that becomes types and names.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_DECLARE_H
#define LTW_FFI_DECLARE_H

#include "ctype.h"

/* [-0, +0, e]  ffi.cdef: all that the text declares, or, after an error, nothing of it.
 * params: the index of the first value for $ on the stack; 0: none are given. */
void ltw_declare(lua_State *L, struct ltw_ctypes *s, const char *text, size_t n,
                 int params);

/* [-0, +0, e]  The type of a text such as "int (*)[4]" or "struct tm". */
struct ltw_cuse ltw_declare_type(lua_State *L, struct ltw_ctypes *s, const char *text,
                                 size_t n, int params);

/* [-0, +0, e]  ffi.eval: a constant expression's type and value, as a constant's. */
struct ltw_cname ltw_declare_eval(lua_State *L, struct ltw_ctypes *s, const char *text,
                                  size_t n);

#endif
