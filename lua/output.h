/* output.h - what states print: lines that stay whole, whatever thread prints them.
 *
 * Layer lua.
 */
#ifndef LTW_OUTPUT_H
#define LTW_OUTPUT_H

#include "ltw.h"

/* [-0, +0, m]  print and warnings go to the host's log, or else to its functions for
 * them.  Thread: the state's. */
void ltw_output_open(struct ltw_state *state);

/* [-0, +1, e]  The arguments of print, all that is on the stack, as its line without the
 * line feed.  Thread: the state's. */
void ltw_push_line(lua_State *L);

#endif
