/* bundle.h - the Lua modules and the documentation that are built in.
 *
 * Layer lua.
 */
#ifndef LTW_BUNDLE_H
#define LTW_BUNDLE_H

#include <lua.h>
#include <stddef.h>

/* name is "tw.test" for stdlib/test.lua, or "reference" for the comments of
 * the C functions.  A 0 byte that size does not count follows the bytes. */
struct ltw_bundle_file {
    const char *name;
    const char *bytes;
    size_t size;
};

/* The file of that name, or NULL.  Thread: any.  Blocks: never.
 * Memory: constant for ever. */
const struct ltw_bundle_file *ltw_bundle_find(const char *name);

/* The file after f, the first one for NULL; NULL after the last.
 * Thread: any.  Blocks: never.  Memory: constant for ever. */
const struct ltw_bundle_file *ltw_bundle_next(const struct ltw_bundle_file *f);

/* [-0, +0, m]  Lets `require "tw.test"` find what is built in, and
 * `require "tw.bundle"` the files themselves.
 * Thread: the state's.  Blocks: no. */
void ltw_bundle_open(lua_State *L);

#endif
