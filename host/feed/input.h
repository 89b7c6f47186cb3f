/* input.h - the bytes of a file: plain, gzip, or the members of a zip archive.
 *
 * Layer host/feed.
 */
#ifndef TW_INPUT_H
#define TW_INPUT_H

#include "base/tw.h"

struct tw_input;

/* Opens a file by what its first bytes say it is.  member: a name or an
 * fnmatch pattern within a zip, NULL for all of them, one after the other.
 * NULL: error says why.  Thread: any.  Blocks: on the disk. */
struct tw_input *tw_input_open(const char *path, const char *member,
                               struct tw_error *error);

/* Up to n bytes: how many, 0 at the end, negative with *error for a damaged or
 * truncated file (never a silent end).  At the end of a zip member it returns
 * 0 once with tw_input_more true; the next read goes on with the next member.
 * Thread: the owner's.  Blocks: on the disk. */
int64_t tw_input_read(struct tw_input *in, char *out, size_t n, struct tw_error *error);

/* Closes its descriptors until the next read, which fails when the file is another one by
 * then; nothing where it is no regular file.  So there may be more inputs than
 * descriptors.  Thread: the owner's. */
void tw_input_park(struct tw_input *in);

/* Bytes of the file that were read, packed as it is.  Thread: the owner's. */
uint64_t tw_input_taken(const struct tw_input *in);

/* After a 0: another member follows.  Thread: the owner's. */
bool tw_input_more(const struct tw_input *in);

/* Thread: the owner's.  in may be NULL. */
void tw_input_close(struct tw_input *in);

#endif
