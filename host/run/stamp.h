/* stamp.h - which file a path leads to, to see later whether it is another one.
 *
 * Layer host/run.  Thread: any.
 */
#ifndef TW_STAMP_H
#define TW_STAMP_H

#include <sys/stat.h>

#include "base/tw.h"

/* Or why there is none. */
struct tw_stamp {
    uint64_t device, inode, bytes;
    int64_t time_s, time_ns;
    int code;
};

struct tw_stamp tw_stamp_of(const struct stat *st);

/* Of the file that has that path now.  Blocks: on the file system. */
struct tw_stamp tw_stamp_at(const char *path);

bool tw_stamp_same(const struct tw_stamp *a, const struct tw_stamp *b);

#endif
