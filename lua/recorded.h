/* recorded.h - FIX sessions of a tape file that is played: by which dictionaries their
 * messages are read.
 *
 * Layer lua.
 */
#ifndef LTW_RECORDED_H
#define LTW_RECORDED_H

#include "app.h"
#include "fix/dictionary.h"

/* What the file says of a topic, of which app->spelling, where it is one, stands over it;
 * ctx is a struct tw_app.  Blocks: while files are read.  What can't be had is in the
 * log, and the version's own dictionary serves. */
void ltw_recorded_add(void *ctx, const char *topic, const char *spelling) TW_ON(MAIN);
void ltw_recorded_free(struct ltw_recorded *all);   /* may be NULL */

/* Of a session by its name; NULL: none of that name was recorded, or nobody knows.
 * Thread: any. */
const struct tw_fix_dictionary *ltw_recorded_dictionary(const struct ltw_host *host,
                                                        const char *session);
const char *ltw_recorded_spelling(const struct ltw_host *host, const char *session);

#endif
