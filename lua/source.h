/* source.h - the text of a file: from the disk, or from inside the program.
 *
 * A path is as an app says it.  Scripts, app files and modules are read through here,
 * so that they are found wherever they are, under the same name in every message.
 *
 * Layer lua.
 */
#ifndef LTW_SOURCE_H
#define LTW_SOURCE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/tw.h"

/* Files of that directory stand before those inside the program; it is looked at each
 * time.  Thread: MAIN, before any state is made.  Memory: directory stays. */
void ltw_source_override(const char *directory);
bool ltw_source_is_overridden(void);

/* In place of the path of an app file: the one that replays a tape file, which is built
 * in (stdlib/tapes.lua). */
#define LTW_REPLAY ":replay"

/* The text of a file: 0 and its bytes, with a 0 behind that n does not count, or a
 * failure.  Thread: the state's.  Blocks: on the disk.  Memory: the caller frees with
 * tw_free. */
int ltw_source_read(lua_State *L, const char *path, char **bytes, size_t *n,
                    struct tw_error *error);

/* [-0, +1, m]  As luaL_loadfilex, of a text that was read from path: LUA_OK and the
 * function, or another status and the message. */
int ltw_source_load_text(lua_State *L, const char *path, const char *text, size_t n);

/* [-0, +(0|1), e]  The path of a module inside the program, or NULL: there is none. */
const char *ltw_source_push_module(lua_State *L, const char *name);

/* Where on the disk that text is read from, for those who watch it: true, and the path
 * in `out`, where nothing may be yet; false when it is inside the program, where nothing
 * changes, or when the path has no room.  Thread: any.  Blocks: no. */
bool ltw_source_on_disk(const char *path, char *out, size_t n);

/* Registry field: the directory of the app file, with its slash; "": the current one. */
#define LTW_DIRECTORY "tw.directory"

/* [-0, +0, m]  Sets LTW_DIRECTORY; modules are looked for inside the program first.
 * Thread: the state's. */
void ltw_source_open(lua_State *L);

int ltw_file(lua_State *L);                    /* tw.file */
int luaopen_tw_internal_source(lua_State *L);

#endif
