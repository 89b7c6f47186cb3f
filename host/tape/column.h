/* column.h - a column of numbers in few bytes: what is over the least of them, in units
 * of their greatest common divisor, in as many bytes as the largest needs.
 *
 *   base varint (zigzag) | unit varint | width u8 | the low byte of each number | the
 *   next byte of each | ...
 *
 * Why bytes and not bits: a byte is decoded without a branch, and what a bit field would
 * save is what zstd finds, above all where bytes of one weight stand together.
 *
 * Layer host/tape.  Thread: any.
 */
#ifndef TW_TAPE_COLUMN_H
#define TW_TAPE_COLUMN_H

#include "base/tw.h"

/* How a column would be written. */
struct tw_tape_column {
    uint64_t base, unit;
    unsigned width;         /* bytes of each number               */
    size_t changes;         /* numbers that differ from the last  */
};

/* Numbers are taken as signed; their differences may wrap around.  Thread: any. */
void tw_tape_column_measure(struct tw_tape_column *c, const uint64_t *v, size_t n);

/* Where the bytes end.  Thread: any. */
unsigned char *tw_tape_column_put(const struct tw_tape_column *c, unsigned char *out,
                                  const uint64_t *v, size_t n);

/* Where the bytes end, or NULL: they are none of a column, or go beyond end.
 * Thread: any. */
const unsigned char *tw_tape_column_get(const unsigned char *p, const unsigned char *end,
                                        uint64_t *v, size_t n);

#endif
