/* reload.h - new versions of scripts in a running app.
 *
 * Layer lua.  Thread: MAIN, but for what says otherwise.
 */
#ifndef LTW_RELOAD_H
#define LTW_RELOAD_H

#include "run/app.h"
#include "reload/trial.h"

struct ltw_reloads;

/* Knows the scripts of an app that is built; what app.reload says is in the table on
 * top of L.  NULL: no memory.  [-0, +0, e] */
struct ltw_reloads *ltw_reloads_new(lua_State *L, struct tw_app *app) TW_ON(MAIN);

/* [-1, +0, e]  What app.reload says, or nil.  MAIN. */
void ltw_reload_configure(lua_State *L, struct ltw_reloads *r);

/* What the app says now to its script of that index.  Thread: MAIN, or the work of a
 * change. */
const struct ltw_script_options *ltw_reload_options(struct ltw_reloads *r,
                                                    unsigned script);

/* Nothing that the state does has an effect, and it has limits, also of time: as no
 * watchdog looks at it.  When *over it ends.  Thread: the state's. */
void ltw_scratch_limit(struct ltw_state *state, const struct ltw_host *host,
                       const atomic_bool *over);

/* After the loop has closed all its handles.  r may be NULL. */
void ltw_reloads_free(struct ltw_reloads *r) TW_ON(MAIN);

/* Begins to watch files, where that is asked for. */
void ltw_reloads_start(struct ltw_reloads *r) TW_ON(MAIN);

/* Does what there is to do: after a ring. */
void ltw_reloads_look(struct ltw_reloads *r) TW_ON(MAIN);

/* The run is ending: nothing begins any more.  Before the workers are told. */
void ltw_reloads_stop(struct ltw_reloads *r) TW_ON(MAIN);

/* A reload (version 0: of the file as it is now), or a rollback to an earlier version
 * (-1: the one before).  name: as the app names the script, or its path.  The future is
 * resolved with the number of the version that runs then; it fails when that is refused.
 * terms: what is asked of it before; NULL: what the app says.  It takes a reference of
 * the future.  UV_ENOMEM; TW_ESTOPPED.  Thread: any. */
int ltw_reload_ask(struct ltw_reloads *r, const char *name, int version,
                   const struct ltw_terms *terms, struct tw_future *future);

/* Any file that belongs to scripts may have changed. */
void ltw_reload_suspect(struct ltw_reloads *r) TW_ON(MAIN);

/* Calls look(ctx, path) for each file that belongs to a script now. */
void ltw_reload_each_file(struct ltw_reloads *r,
                          void (*look)(void *ctx, const char *path), void *ctx)
    TW_ON(MAIN);

/* All who take part in the change look at it.  Thread: any. */
void ltw_reloads_tell(struct ltw_reloads *r);

int ltw_reload(lua_State *L);     /* tw.reload   */
int ltw_rollback(lua_State *L);   /* tw.rollback */

#endif
