/* appfile.h - the app file: read at the start, and again while the app runs.
 *
 * Layer lua.
 */
#ifndef LTW_APPFILE_H
#define LTW_APPFILE_H

#include "run/app.h"
#include "reload/job.h"

/* A state that an app file can run in; it has no host yet.  NULL: *error says why. */
struct ltw_state *ltw_appfile_new_state(struct tw_app *app, struct tw_error *error);

/* [-0, +1, e]  Runs the file of the version as the program of the state: pushes the table
 * of what it declares (see stdlib/app.lua), which the registry holds as "tw.declared". */
void ltw_appfile_run(lua_State *L, struct tw_app *app, struct ltw_version *v);

/* [-0, +0, e]  Notes what the table on top declares: later versions are compared with
 * it. */
void ltw_appfile_note(lua_State *L, struct tw_app *app) TW_ON(MAIN);

/* A version of the app file on its way. */
struct ltw_appfile;

/* Runs it where nothing has an effect, and compares what it declares with what runs.
 * NULL: `why` says what is wrong with it, or can't follow.  When *over it ends at once.
 * Thread: any, while MAIN leaves alone what runs.  Blocks: while the file's code runs. */
struct ltw_appfile *ltw_appfile_try(struct tw_app *app, struct ltw_version *v,
                                    const atomic_bool *over, char why[LTW_REASON]);

/* What differs, for the log; and what it says to the instances, as app->scripts. */
const char *ltw_appfile_differs(const struct ltw_appfile *file);
const struct ltw_script_options *ltw_appfile_scripts(const struct ltw_appfile *file);

/* Takes it up: the app's own from now on.  False: no memory, and nothing has changed. */
bool ltw_appfile_commit(struct tw_app *app, struct ltw_appfile *file) TW_ON(MAIN);

/* file may be NULL. */
void ltw_appfile_free(struct ltw_appfile *file);

#endif
