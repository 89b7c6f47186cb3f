/* trace.h - files that say which keys were asked of a cache, in order.
 *
 * Layer host/feed.
 */
#ifndef TW_TRACE_H
#define TW_TRACE_H

#include "share/simulate.h"

enum tw_trace_format {
    TW_TRACE_TEXT,      /* a key a line; none on an empty line or one of a lone '*' */
    TW_TRACE_RANGES,    /* lines "first count ...": count keys from first on        */
    TW_TRACE_INT32,     /* big-endian                                               */
    TW_TRACE_INT64,
    TW_TRACE_FORMATS
};

/* Adds all requests of a file, plain or packed with gzip; negative with *error
 * for one that can't be read, is cut off or isn't of that format.
 * Thread: any.  Blocks: on the disk.  Memory: as tw_trace_add. */
int tw_trace_read(struct tw_trace *t, const char *path, enum tw_trace_format format,
                  struct tw_error *error);

#endif
