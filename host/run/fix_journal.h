/* fix_journal.h - what peers that trade in a run's own book find again after a restart:
 * their orders, and reports that they have not got yet.
 *
 * Why one file for all whose stores are in one folder: a trade has two sides, and is kept
 * for both by one write or for neither.  What is kept are reports (8), as fields:
 *
 *     session SOH told SOH fields, or none \n ... \n \n
 *
 * told: the ExecID of the last report that the session was given.  No field begins with a
 * line's end, so SOH \n ends a line, and a group of them that was written at once one
 * more \n: what comes after the last of these is no group.
 *
 * Layer host/run.  Blocks: on the file, where nothing else is said.
 */
#ifndef TW_FIX_JOURNAL_H
#define TW_FIX_JOURNAL_H

#include "base/log.h"
#include "run/floor.h"

struct tw_fix_journal;

/* Who has something to keep: all of it, by tw_fix_journal_put_held. */
struct tw_fix_keeper {
    struct tw_fix_keeper *next;
    void (*put_all)(void *ctx);       /* with the floor locked */
    void *ctx;
};

/* Of a folder, which is made.  NULL: *error says why; TW_EBUSY: another run has it.
 * Thread: any.  Memory: freed by tw_fix_journal_free. */
struct tw_fix_journal *tw_fix_journal_open(const char *folder, bool sync,
                                           struct tw_floor *floor, struct tw_log *log,
                                           struct tw_error *error);
void tw_fix_journal_free(struct tw_fix_journal *j);   /* j may be NULL */

/* All with the floor locked.  Thread: any.  Blocks: no.  put: body may be of no bytes.
 * keep: a line is of a session that is not there, for the next one of that name.
 * take: the next line of a session that a former run has kept, from *at (0) on; it is
 * kept no longer.  Its body stands as long as nothing is kept. */
void tw_fix_journal_join_held(struct tw_fix_journal *j, struct tw_fix_keeper *m);
void tw_fix_journal_put_held(struct tw_fix_journal *j, const char *name, uint64_t told,
                             const char *body, size_t n);
void tw_fix_journal_keep_held(struct tw_fix_journal *j, bool on);
bool tw_fix_journal_take_held(struct tw_fix_journal *j, const char *name, size_t *at,
                              uint64_t *told, const char **body, size_t *n);

/* What was put is in the file: before anybody is told.  What can't be written is in the
 * log, and all is written anew the next time.  Thread: FEED. */
void tw_fix_journal_write(struct tw_fix_journal *j);

#endif
