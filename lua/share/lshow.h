/* lshow.h - frozen tables as text: what tostring, print and the prompt show.
 *
 * Layer lua.
 */
#ifndef LTW_LSHOW_H
#define LTW_LSHOW_H

#include "ltw.h"
#include "share/value.h"

/* [-0, +1, e]  The text of t, like a Lua literal, of at most 1,000 bytes:
 *     {1, 2.5, "three", name = "AAPL", ["odd key"] = true, nested = {…}}
 * Elements come first, then the pairs in the order of their keys. */
void ltw_show(lua_State *L, const struct tw_table *t);

#endif
