/* feeds.h - the feeds of a prompt: begun, listed and ended by who types there.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#ifndef LTW_FEEDS_H
#define LTW_FEEDS_H

#include <stdbool.h>
#include <uv.h>

#include <lua.h>

struct ltw_feeds;
struct tw_app;

/* app: the run that the prompt is in; NULL: it stands alone, and its first feed makes
 * the tape.  loop turns while somebody types.  NULL: no memory. */
struct ltw_feeds *ltw_feeds_open(lua_State *L, struct tw_app *app, uv_loop_t *loop);

/* Ends those of a prompt that stands alone; those of a run stay.  The bell closes in the
 * loop's next turn.  feeds may be NULL. */
void ltw_feeds_close(struct ltw_feeds *feeds);

/* [-0, +1, m]  {add = f, stop = f, list = f} for stdlib/repl.lua. */
void ltw_feeds_push(lua_State *L, struct ltw_feeds *feeds);

/* Prints what they logged.  Between two instructions of Lua, or while it waits:
 * is_quiet says that nothing of the tape is being looked at. */
void ltw_feeds_look(struct ltw_feeds *feeds, bool is_quiet);

#endif
