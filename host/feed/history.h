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
#include "feed/fault.h"
#include "feed/resolution.h"
#include "tape/names.h"
#include "tape/sources.h"

struct tw_history;

/* The source of records that came of a venue in a recorded run (TW_BOOK). */
enum { TW_HISTORY_BOOK = TW_SOURCE_MAX };

/* The name of those sources for which there is no number left. */
#define TW_HISTORY_REST "other files"

struct tw_history_file {
    const char *path;
    const char *member;             /* of a zip; NULL: all, one after the other       */
    const char *source;             /* of a text, in its records; NULL: the file's name */
    const char *format;             /* "csv", "fix"; NULL: by its name or first bytes */
    uint64_t bytes;                 /* of a tape file only the first, of which it is known
                                     * that it was not closed; 0: all             */
    int64_t since_ns;               /* of a tape file no earlier record is needed; 0: all
                                     * are                                            */
    struct tw_csv_options csv;      /* symbols, source, who is told: the history's; no
                                     * symbol anywhere: the name of the file          */
};

/* problem: told of each line that is no record, or can't be one, with its file and line,
 * and likewise of records and damaged blocks of a tape file; false: the history ends
 * there.  note: told of what is odd (fault.h), which is read, of the first gap of each
 * tape file, and of what was cut from one that was not closed.  NULL: no memory. */
struct tw_history *tw_history_new(struct tw_symbols *symbols,
                                  bool (*problem)(void *ctx, const char *text),
                                  void (*note)(void *ctx, const char *text),
                                  void *ctx);
void tw_history_free(struct tw_history *h);   /* h may be NULL */

/* Before the first file.  The sources of records have their names there when they are
 * peeked, those of tape files as they had when they were recorded; the texts live as long
 * as h. */
void tw_history_name_sources(struct tw_history *h, struct tw_sources *sources);

/* Before the first peek.  Fails with *error.  Blocks: on the disk. */
int tw_history_add(struct tw_history *h, const struct tw_history_file *file,
                   struct tw_error *error);

/* Marks at each multiple of interval_ns, from the first record on; those of tape files
 * are left out then. */
int tw_history_add_timer(struct tw_history *h, uint32_t timer, int64_t interval_ns,
                         struct tw_error *error);

/* Before the first file.  Messages of tape files are records, too, but for those of
 * scripts of whose names there is_own says so; ctx is the history's.  Their topics have
 * numbers of `topics`, and none has a script.  A message has the time of the record
 * before it in its file, or of the first one: its own was that of a clock on the wall.
 * topic: told of each topic of a file as that is added, with its dictionary (writer.h),
 * which may be NULL. */
void tw_history_add_messages(struct tw_history *h, struct tw_names *topics,
                             bool (*is_own)(void *ctx, const char *script),
                             void (*topic)(void *ctx, const char *topic,
                                           const char *dictionary));

/* Of records of the market these alone. */
void tw_history_only(struct tw_history *h, const struct tw_resolutions *only);

/* The next record, until tw_history_take; NULL: the end, or *error (code is 0 before)
 * says what is wrong.  Its `received` is for nobody.  Blocks: on the disk. */
const struct tw_record *tw_history_peek(struct tw_history *h, struct tw_error *error);
void tw_history_take(struct tw_history *h);

/* How many records, what was peeked the first of them, are in hand in one array and come
 * before all others; 1: nothing is known of that. */
size_t tw_history_run(const struct tw_history *h);

/* The bytes of the value of a message that was peeked, where that is a block, for
 * tw_image_read: until the next peek. */
const char *tw_history_value(const struct tw_history *h, size_t *n);

/* Of what was peeked: its line is that of CSV. */
struct tw_place tw_history_place(const struct tw_history *h);

/* Bytes of all files, and of those that were read: how far it has come. */
uint64_t tw_history_bytes(const struct tw_history *h);
uint64_t tw_history_done(const struct tw_history *h);

#endif
