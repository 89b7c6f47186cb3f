/* cache_image.h - frozen values as bytes, for files that are read where they were
 * written.
 *
 * Layer host/share.
 */
#ifndef TW_CACHE_IMAGE_H
#define TW_CACHE_IMAGE_H

#include "base/bytes.h"
#include "share/builder.h"

/* Appends a value with all that it refers to, tables of other blocks too.  TW_EUSAGE:
 * it holds an object or a record.  Thread: the owner's.  Blocks: as long as it walks. */
int tw_image_write(struct tw_bytes *m, const struct tw_any *v);

/* Bytes that are read.  Each takes from the front. */
struct tw_image_view { const char *p; size_t n; };

/* False: there are not so many.  Thread: any. */
bool tw_image_take(struct tw_image_view *m, void *out, size_t n);

/* A value as it was written, in one block, with one reference.  TW_EFORMAT: it is
 * none; UV_ENOMEM.  Thread: the owner's of b.  Blocks: as long as it builds. */
int tw_image_read(struct tw_image_view *m, struct tw_builder *b, struct tw_any *out);

#endif
