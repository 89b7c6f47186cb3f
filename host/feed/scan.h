/* scan.h - a whole file through a codec, without a thread, a loop or a tape.
 *
 * Layer host/feed.
 */
#ifndef TW_SCAN_H
#define TW_SCAN_H

#include "feed/csv.h"
#include "feed/input.h"
#include "tape/names.h"

/* A file that is being read.  All zero: none. */
struct tw_scan {
    struct tw_input *in;
    char *bytes;          /* [0, n) wait for the codec */
    size_t n, cap;
    bool begun;           /* what was read to be looked at has been decoded */
};

/* Opens a file (see input.h) and reads its first bytes: s->bytes, s->n, to be looked at.
 * Fails with *error; s is to be closed in any case.
 * Thread: any, then one at a time.  Blocks: on the disk.  Memory: freed by close. */
int tw_scan_open(struct tw_scan *s, const char *path, const char *member,
                 struct tw_error *error);

/* Is it CSV, by its name and else by its first bytes, or FIX?  Thread: the owner's. */
bool tw_scan_is_csv(const struct tw_scan *s, const char *path);

/* Does nothing in the file, or in the options, say of what symbol a row of CSV is?
 * Thread: the owner's. */
bool tw_scan_lacks_symbol(const struct tw_scan *s, const struct tw_csv_options *o);

/* Then it is that which the file is named after, up to its first dot: out.
 * Thread: any.  Blocks: never. */
const char *tw_scan_symbol(const char *path, char out[TW_NAME_MAX + 1]);

/* Decodes the next piece into out: 1, 0 when that was the last, or negative with
 * *error.  The members of an archive are one stream each.
 * Thread: the owner's.  Blocks: on the disk, and as out->full does.
 * Memory: grows to two of the longest message that the codec takes. */
int tw_scan_step(struct tw_scan *s, struct tw_codec *codec, int64_t received_ns,
                 struct tw_batch *out, struct tw_error *error);

/* Thread: the owner's. */
void tw_scan_close(struct tw_scan *s);

#endif
