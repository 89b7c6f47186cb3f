/* lfield.h - the fields of a table that Lua has made, and checked, for C.
 *
 * Layer lua.
 */
#ifndef LTW_LFIELD_H
#define LTW_LFIELD_H

#include "ltw.h"

/* Of the table at idx.  [-0, +0, e] each. */

/* NULL: it is no text.  It lives as long as the table that holds it. */
const char *ltw_text_at(lua_State *L, int idx, const char *name);

/* What is no number is `otherwise`. */
double ltw_number_at(lua_State *L, int idx, const char *name, double otherwise);
int64_t ltw_integer_at(lua_State *L, int idx, const char *name, int64_t otherwise);

bool ltw_boolean_at(lua_State *L, int idx, const char *name);

/* [-0, +0, m]  The first byte of a text; 0: there is none. */
char ltw_letter_at(lua_State *L, int idx, const char *name);

#endif
