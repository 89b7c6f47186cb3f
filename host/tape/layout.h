/* layout.h - the bytes of a tape file: its head, the heads of its blocks, its end.
 *
 *   file    head (64) | block | block | ... | block of the index | end (32)
 *   block   head (80) | payload | zeros, up to a multiple of 8
 *
 *   head of the file   "TWTAPE\r\n", version u32, flags u32, created i64, zeros,
 *                      checksum u64 of all that
 *   head of a block    "TWB1", type u8, packing u8, 0 u16, stored u32, raw u32,
 *                      records u32, values u32, number u64, first and last seq u64,
 *                      earliest and latest time i64, checksum u64 of the payload with
 *                      its zeros, checksum u64 of the head and where it stands
 *   end                "TWEND\r\n", 0, place of the index u64, records u64, checksum u64
 *
 *   names    type u8, length of the text u8, bytes of the entry u16, id u32;
 *            a symbol: sector u32, 0 u32, tick i64, lot i64, weight f64; text, 0, zeros
 *            up to a multiple of 8.  A dictionary has the id of its topic
 *   records  columns, see pack.h, then the values of messages
 *   index    of each block before: place u64, first and last seq, earliest and latest
 *            time, stored u32, records u32, type u32, packing u32
 *
 * Numbers are little-endian, times ns since the epoch.  Every byte is under a checksum.
 *
 * Layer host/tape.
 */
#ifndef TW_TAPE_LAYOUT_H
#define TW_TAPE_LAYOUT_H

#include <string.h>

#include "base/tw.h"

enum {
    TW_TAPE_VERSION = 1, TW_TAPE_HEAD = 64, TW_TAPE_BLOCK_HEAD = 80, TW_TAPE_END = 32,
    TW_TAPE_INDEX_ENTRY = 56
};
enum { TW_TAPE_ZSTD = 1 };                      /* a flag of the file; a packing   */
enum tw_tape_type {
    TW_TAPE_HOLE,                               /* damage: never in a file         */
    TW_TAPE_NAMES, TW_TAPE_RECORDS, TW_TAPE_INDEX, TW_TAPE_TYPES
};

struct tw_tape_head { uint32_t version, flags; int64_t created_ns; };

struct tw_tape_block_head {
    enum tw_tape_type type;
    uint8_t packing;
    uint32_t stored, raw;           /* bytes: in the file, and unpacked            */
    uint32_t records, values;       /* of the raw bytes the last are of values     */
    uint64_t number;                /* of the block: 0, 1, ...                     */
    uint64_t first_seq, last_seq;
    int64_t first_ns, last_ns;      /* the earliest and the latest                 */
    uint64_t checksum;              /* of the payload                              */
};

struct tw_tape_end { uint64_t index_at, records; };

/* Thread: any. */
static inline uint64_t tw_tape_get(const void *from, int bytes)
{
    const unsigned char *p = from;
    uint64_t v = 0;

    while (bytes-- > 0) v = v << 8 | p[bytes];
    return v;
}

/* Thread: any. */
static inline void tw_tape_put(void *to, int bytes, uint64_t v)
{
    unsigned char *p = to;

    for (int i = 0; i < bytes; i++, v >>= 8) p[i] = (unsigned char)v;
}

/* Bytes that a payload takes in the file.  Thread: any. */
static inline uint64_t tw_tape_padded(uint64_t bytes)
{
    return (bytes + 7) & ~UINT64_C(7);
}

/* Of n bytes.  A change within one aligned word of 8 bytes is always found: each step
 * is a bijection of the word and of the sum.  Thread: any. */
uint64_t tw_tape_checksum(const void *p, size_t n, uint64_t seed);

/* Bytes from structs, and back; false: the magic or the checksum is wrong.  at: where
 * the block's head stands, so that a block in another's place is none.  Thread: any. */
void tw_tape_head_put(unsigned char out[TW_TAPE_HEAD], const struct tw_tape_head *h);
bool tw_tape_head_get(const unsigned char *p, struct tw_tape_head *h);
void tw_tape_block_head_put(unsigned char out[TW_TAPE_BLOCK_HEAD],
                            const struct tw_tape_block_head *h, uint64_t at);
bool tw_tape_block_head_get(const unsigned char *p, struct tw_tape_block_head *h,
                            uint64_t at);
void tw_tape_end_put(unsigned char out[TW_TAPE_END], const struct tw_tape_end *e);
bool tw_tape_end_get(const unsigned char *p, struct tw_tape_end *e);

#endif
