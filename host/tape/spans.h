/* spans.h - which blocks a tape file has: by its index, or by looking for them.
 *
 * Layer host/tape.
 */
#ifndef TW_TAPE_SPANS_H
#define TW_TAPE_SPANS_H

#include "tape/reader.h"

/* Fills *spans (to be freed) and info.  UV_ENOMEM.
 * Thread: any.  Blocks: on the disk.  Without an index it looks at each block's head. */
int tw_tape_spans_find(const unsigned char *map, uint64_t bytes,
                       struct tw_tape_span **spans, size_t *n, struct tw_tape_info *info);

/* The checked payload of a block; NULL: it or its head is damaged.  Thread: any. */
const unsigned char *tw_tape_payload(const unsigned char *map,
                                     const struct tw_tape_span *span,
                                     struct tw_tape_block_head *head);

#endif
