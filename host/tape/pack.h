/* pack.h - records as columns, and back: the payload of a block of records.
 *
 *   seq, time, received, symbol, source, kind, source_seq of all; then for each kind
 *   that is there, the four words of its payload.  Each is
 *
 *   guess u8 | with TW_GUESS_LAST: column of those that have no last one | column
 *
 * where a number is what it is, or its difference from what it is guessed by: the last
 * record's (of words: of its kind and symbol), or the column before, so that an ask is
 * a spread and received a delay.  Of a message whose value is a block, the place of the
 * value is its length: values stand in the order of their messages.
 *
 * Words are taken as they are, so that a new kind of record is no new version.
 *
 * Layer host/tape.
 */
#ifndef TW_TAPE_PACK_H
#define TW_TAPE_PACK_H

#include "tape/column.h"
#include "tape/record.h"

enum { TW_PACK_RECORDS = 4096 };   /* that a block has at most */
enum tw_pack_guess { TW_GUESS_NONE, TW_GUESS_LAST, TW_GUESS_LEFT, TW_GUESSES };

/* What unpacking needs room for; not on a stack. */
struct tw_pack {
    uint64_t column[2][TW_PACK_RECORDS];      /* this one and the one before it  */
    uint64_t parts[TW_PACK_RECORDS];          /* those without a last, the rest  */
    uint16_t row[TW_PACK_RECORDS];            /* records in the order of kinds   */
    uint16_t last[TW_PACK_RECORDS];           /* the row to guess by, or itself  */
    size_t firsts;                            /* rows whose last one is itself   */
    uint16_t seen[4096];                      /* by symbol, its low bits         */
    unsigned char kind[TW_PACK_RECORDS];
};

/* What packing needs.  Many read at one time, few write: theirs is less. */
struct tw_packer {
    struct tw_pack pack;
    uint64_t left[TW_PACK_RECORDS];           /* differences                     */
};

/* Bytes that n records take at most: with every kind that there can be. */
enum { TW_KINDS_MAX = 16 };
#define TW_PACK_MAX(n) (11 * 8 * (size_t)(n) + (7 + 4 * TW_KINDS_MAX) * 64)

/* How many bytes.  Of messages with a block, value.integer is its length.
 * Thread: the owner's of packer.  Blocks: never.  Memory: none. */
size_t tw_pack_write(struct tw_packer *packer, const struct tw_record *r, size_t n,
                     unsigned char *out);

/* False: they are not the bytes of n records, which have so many bytes of values.
 * Of messages with a block, value.integer has the place of the value in its low 32 bits
 * and its length in the high ones.
 * Thread: the owner's of pack.  Blocks: never.  Memory: none. */
bool tw_pack_read(struct tw_pack *pack, const unsigned char *p, size_t bytes,
                  struct tw_record *r, size_t n, size_t values);

#endif
