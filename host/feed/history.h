/* history.h - the records of files, one at a time and in one order of time.
 *
 * What is of one time comes in the order in which its sources were added; timers come
 * last.  Nothing is read on before it is needed, but a piece of each file.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#ifndef TW_HISTORY_H
#define TW_HISTORY_H

#include "feed/csv.h"

struct tw_history;

struct tw_history_file {
    const char *path;
    const char *member;             /* of a zip; NULL: all, one after the other       */
    const char *format;             /* "csv", "fix"; NULL: by its name or first bytes */
    struct tw_csv_options csv;      /* symbols and who is told are the history's; no
                                     * symbol anywhere: the name of the file          */
};

/* problem: told of each line that is no record, or can't be one, with its file and line;
 * false: the history ends there.  crossed: told of the first quote whose bid is above
 * its ask: markets have them, and so has the history.  NULL: no memory. */
struct tw_history *tw_history_new(struct tw_symbols *symbols,
                                  bool (*problem)(void *ctx, const char *text),
                                  void (*crossed)(void *ctx, const char *text),
                                  void *ctx);
void tw_history_free(struct tw_history *h);   /* h may be NULL */

/* Before the first peek.  Fails with *error.  Blocks: on the disk. */
int tw_history_add(struct tw_history *h, const struct tw_history_file *file,
                   struct tw_error *error);

/* Marks at each multiple of interval_ns, from the first record on. */
int tw_history_add_timer(struct tw_history *h, uint32_t timer, int64_t interval_ns,
                         struct tw_error *error);

/* The next record, until tw_history_take; NULL: the end, or *error (code is 0 before)
 * says what is wrong.  Blocks: on the disk. */
const struct tw_record *tw_history_peek(struct tw_history *h, struct tw_error *error);
void tw_history_take(struct tw_history *h);

/* Bytes of all files, and of those that were read: how far it has come. */
uint64_t tw_history_bytes(const struct tw_history *h);
uint64_t tw_history_done(const struct tw_history *h);

#endif
