/* fix.h - the FIX sessions of a run: from what an app declares to its engine.
 *
 * Layer lua.  Thread: MAIN.
 */
#ifndef LTW_FIX_H
#define LTW_FIX_H

#include "run/app.h"
#include "run/fix_engine.h"

struct ltw_fix;

/* [-0, +0, e]  Adds the ports and sessions of the declarations on top (`fix`, see
 * stdlib/app_fix.lua) to the io, after the feeds.  app->fix is NULL where there are none.
 * Blocks: on dictionaries and stores. */
int ltw_fix_add(lua_State *L, struct tw_app *app, struct tw_error *error) TW_ON(MAIN);

/* [-0, +0, m]  Adds the session of the table on top, which tw.app.fix has read, while the
 * run goes on.  NULL: *error says why.
 * Thread: any of the run.  Blocks: on its dictionaries and its store. */
struct tw_fix_link *ltw_fix_add_one(lua_State *L, struct ltw_fix *f,
                                    struct tw_error *error);

/* By which dictionary messages of a topic are read, as tape files have it: lines of text,
 * the version and the paths of files.  NULL: it is no session's.  ctx is a struct
 * ltw_host.  Thread: any.  Blocks: while a dictionary is read. */
const char *ltw_fix_spelling(void *ctx, const char *topic);

/* A script whose on_fix takes the sessions of the list (patterns, too; NULL: all), which
 * outlives it.  NULL: no memory.  Thread: any.  Blocks: a short lock. */
struct ltw_ear *ltw_fix_listen(struct ltw_host *host, char **names);
void ltw_fix_unlisten(struct ltw_host *host, struct ltw_ear *ear);   /* may be NULL */

/* After the io was freed.  f may be NULL. */
void ltw_fix_free(struct ltw_fix *f) TW_ON(MAIN);

#endif
