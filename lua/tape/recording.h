/* recording.h - an app and tape files: what it records, what it plays.
 *
 * Layer lua.
 */
#ifndef LTW_RECORDING_H
#define LTW_RECORDING_H

#include "run/app.h"

/* [-0, +0, m]  The field of the table on top that is a time: ns, or a date as in CSV
 * files.  Without one *out stays. */
int ltw_time_option(lua_State *L, const char *name, int64_t *out, struct tw_error *error);

/* [-0, +0, m]  What the table on top says of a feed of a tape file. */
int ltw_tape_feed(lua_State *L, struct tw_app *app, struct tw_tape_feed *out,
                  struct tw_error *error) TW_ON(MAIN);

/* Makes the file that the app's options name, and begins to record; without one it does
 * nothing.  When the feeds are known, before they run. */
int ltw_recording_start(struct tw_app *app, struct tw_error *error) TW_ON(MAIN);

/* Records what is on the tape and closes the file: when nobody appends any more. */
void ltw_recording_stop(struct tw_app *app) TW_ON(MAIN);

/* What start took, and the names of the scripts.  Before the tape is freed, and the
 * io. */
void ltw_recording_free(struct tw_app *app) TW_ON(MAIN);

#endif
