/* cache_dump.h - a cache in a file, for a warm start.
 *
 * Layer host/share.
 */
#ifndef TW_CACHE_DUMP_H
#define TW_CACHE_DUMP_H

#include "share/cache.h"

struct tw_cache_dump {
    uint64_t entries;   /* written, or put                                    */
    uint64_t skipped;   /* hold an object or a record, depend on the tape, are over */
    uint64_t damaged;   /* bytes of the file that could not be read           */
};

/* Writes what is valid, in place of the file when all of it is written.  Negative:
 * what the system said.  Thread: any.  Blocks: while it writes. */
int tw_cache_dump(struct tw_cache *c, const char *path, struct tw_cache_dump *out,
                  struct tw_error *error);

/* Puts what is in the file; the time to live of each goes on from when the file
 * was written.  Of a damaged file the entries that are whole are put, and the
 * result is TW_EFORMAT with a text that says what was lost.  Else: what the system
 * said, or UV_ENOMEM.  Thread: any.  Blocks: while it reads. */
int tw_cache_restore(struct tw_cache *c, const char *path, struct tw_cache_dump *out,
                     struct tw_error *error);

#endif
