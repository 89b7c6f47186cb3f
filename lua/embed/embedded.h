/* embedded.h - what the states of a host have of the program around it.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_EMBEDDED_H
#define LTW_EMBEDDED_H

#include "ltw.h"

/* [-0, +0, m]  Gives the state the program's modules; os.exit raises.  Nothing, where
 * the program is tidewire. */
void ltw_embedded_open(lua_State *L);

/* The text that the program gave for a path, or NULL. */
const struct ltw_given_text *ltw_embedded_text(lua_State *L, const char *path);

int luaopen_tw_internal_embedded(lua_State *L);

/* (name, instance, function, ...), (name, instance, text), (name, paused) */
#define LTW_EMBEDDED_CALL     "tw.internal.embedded.call"
#define LTW_EMBEDDED_EVALUATE "tw.internal.embedded.evaluate"
#define LTW_EMBEDDED_PAUSE    "tw.internal.embedded.pause"

#endif
