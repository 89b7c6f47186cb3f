/* bundle.h - the Lua modules and the documentation that are built in.
 *
 * Layer lua.
 */
#ifndef LTW_BUNDLE_H
#define LTW_BUNDLE_H

#include <lua.h>

/* What the names of their chunks begin with: "@tw/test.lua". */
#define LTW_BUNDLE_PATH "@tw/"

/* In the registry: the globals of what is built in, where they are not the state's. */
#define LTW_BUNDLE_GLOBALS "tw.bundle.globals"

/* [-0, +0, m]  Lets `require "tw.test"` find what is built in, and
 * `require "tw.bundle"` the files themselves.
 * Thread: the state's.  Blocks: no. */
void ltw_bundle_open(lua_State *L);

#endif
