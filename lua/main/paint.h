/* paint.h - the colours of what is typed.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#ifndef LTW_PAINT_H
#define LTW_PAINT_H

#include <lua.h>

/* [-0, +0, -]  The style of each of n bytes, as stdlib/repl.lua paints them; where it
 * fails they stay as they are. */
void ltw_paint(lua_State *L, const char *text, size_t n, unsigned char *style);

#endif
