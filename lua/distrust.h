/* distrust.h - states of scripts that the app does not trust.
 *
 * Layer lua.
 */
#ifndef LTW_DISTRUST_H
#define LTW_DISTRUST_H

#include "share/value.h"
#include "ltw.h"

/* In the registry of a distrusted state: the internal modules that are loaded, and the
 * require that gives them to what is built in. */
#define LTW_INTERNAL_LOADED "tw.internal.loaded"
#define LTW_INTERNAL_REQUIRE "tw.internal.require"

/* Is it one that only what is built in may require, where scripts are not trusted? */
bool ltw_is_internal(const char *module);

/* [-0, +0, e]  From here on the state runs no code but Lua's and the program's own.
 * After all that adds searchers, before any script. */
void ltw_distrust(lua_State *L);

/* [-0, +0, e]  Is one of the n scripts not to be trusted, or is the state around this one
 * distrusted?  Then so is this one. */
struct ltw_script_options;
bool ltw_distrust_as(lua_State *L, const struct ltw_state *outer,
                     const struct ltw_script_options *scripts, unsigned n);

/* [-0, +0, m]  What the app says of a script: is it to be trusted? */
bool ltw_is_trusted(lua_State *L, const struct tw_any *options);

#endif
