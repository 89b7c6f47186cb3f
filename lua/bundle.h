/* bundle.h - the Lua modules and the documentation that are built in.
 *
 * Layer lua.
 */
#ifndef LTW_BUNDLE_H
#define LTW_BUNDLE_H

#include <lua.h>

/* [-0, +0, m]  Lets `require "tw.test"` find what is built in, and
 * `require "tw.bundle"` the files themselves.
 * Thread: the state's.  Blocks: no. */
void ltw_bundle_open(lua_State *L);

#endif
