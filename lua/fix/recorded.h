/* recorded.h - FIX sessions of a tape file that is played: by which dictionaries their
 * messages are read.
 *
 * Layer lua.
 */
#ifndef LTW_RECORDED_H
#define LTW_RECORDED_H

#include "fix/dictionary.h"
#include "ltw.h"

/* What is said of a topic, by the file or by who plays it; NULL: nothing.  Of one session
 * what was said first stands.  false: *why says which file can't be had, where the
 * version's own dictionary serves, or that there is no memory.  Blocks: while files are
 * read. */
bool ltw_recorded_add(struct ltw_host *host, const char *topic, const char *spelling,
                      struct tw_error *why) TW_ON(MAIN);

/* The dictionary of such a text, without its files where they can't be had: lines of a
 * version, or "XML", and of paths.  Those of a family follow; each begins with '+', and
 * so does the first where an older version comes over FIXT.1.1.
 * Thread: any.  Blocks: while they are read. */
int ltw_recorded_make(const char *spelling, bool files, struct tw_fix_dictionary **out,
                      struct tw_error *error);
void ltw_recorded_free(struct ltw_recorded *all);   /* may be NULL */

/* Of a session by its name; NULL: none of that name was recorded, or nobody knows.
 * Thread: any. */
const struct tw_fix_dictionary *ltw_recorded_dictionary(const struct ltw_host *host,
                                                        const char *session);
const char *ltw_recorded_spelling(const struct ltw_host *host, const char *session);

#endif
