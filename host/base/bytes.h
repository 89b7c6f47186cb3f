/* bytes.h - bytes that are appended to.  Zeroed, it is empty.
 *
 * Layer host/base.  Thread: the owner's.  Blocks: no.
 */
#ifndef TW_BYTES_H
#define TW_BYTES_H

#include "base/tw.h"

struct tw_bytes { char *at; size_t n, room; };

/* There is room for n more; false: no memory, and all is as it was. */
bool tw_bytes_reserve(struct tw_bytes *b, size_t n);

/* False: no memory, and nothing is appended. */
bool tw_bytes_put(struct tw_bytes *b, const void *p, size_t n);

/* It is empty then. */
void tw_bytes_free(struct tw_bytes *b);

#endif
