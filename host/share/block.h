/* block.h - the memory of a frozen value, for the files that make and read it.
 *
 * Layout: one allocation.  Places in it are counted in bytes from its start, so
 * that it can be built in a buffer that moves.
 *
 *   struct tw_value | strings, records, tables as they were added | owned
 *
 *   string:  hash | bytes | 0             a cell says its length, and where
 *   table:   struct tw_table | array      elements 1..n, none of them nil
 *            | key, value, key, value ..  in the order they were added
 *            | index                      numbers of pairs + 1, 0 is free
 *   owned:   cells: each block and object that a cell refers to, once
 *
 * A cell is a struct tw_item whose string, table or record is a place; an
 * object and the table of a LINK are addresses.
 *
 * Layer host/share.
 */
#ifndef TW_BLOCK_H
#define TW_BLOCK_H

#include <stdatomic.h>
#include <string.h>

#include "share/value.h"

struct tw_value {
    _Atomic uint64_t references;   /* atomic: any thread                       */
    uint64_t bytes;                /* constant: of the whole block             */
    uint64_t owned_at;             /* constant: the place of the cells         */
    uint32_t owned;                /* constant: their number                   */
    atomic_bool seen;              /* atomic: of an error, any thread          */
    struct tw_item root;           /* constant: a cell                         */
    struct tw_value *next;         /* owner: the thread that frees the block   */
};

struct tw_table {
    uint64_t at;                     /* the place of this table      */
    uint32_t array, pairs, mask;     /* slots of the index - 1       */
    uint32_t unused;
    struct tw_item cell[];
};

_Static_assert(sizeof(struct tw_item) == 16, "a cell has two words");

/* The start of the block.  Thread: any. */
static inline const char *tw_block_base(const struct tw_table *t)
{
    return (const char *)t - t->at;
}

/* The key of the first pair.  Thread: any. */
static inline const struct tw_item *tw_block_pairs(const struct tw_table *t)
{
    return t->cell + t->array;
}

/* A cell as its reader sees it.  Thread: any. */
static inline struct tw_item tw_block_item(const char *base, struct tw_item cell)
{
    switch (cell.kind) {
    case TW_VALUE_STRING: case TW_VALUE_TABLE: case TW_VALUE_RECORD:
        cell.text = base + cell.integer;
        break;
    case TW_VALUE_LINK:
        cell.kind = TW_VALUE_TABLE;
        break;
    default:
        break;
    }
    return cell;
}

/* Bijective, so that words that differ stay different.  Thread: any. */
static inline uint64_t tw_block_mix(uint64_t x)
{
    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return x ^ x >> 32;
}

/* The word at p, which need not be aligned.  Thread: any. */
static inline uint64_t tw_block_word(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* The n < 8 bytes at p as a word: by loads of fixed sizes that may overlap, since
 * most strings are short.  Thread: any. */
static inline uint64_t tw_block_bytes(const char *p, size_t n)
{
    uint32_t first, last;

    if (n >= sizeof first) {
        memcpy(&first, p, sizeof first);
        memcpy(&last, p + n - sizeof last, sizeof last);
        return (uint64_t)first << 32 | last;
    }
    if (n == 0) return 0;
    return (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8
           | (unsigned char)p[n - 1];
}

/* Thread: any. */
static inline uint32_t tw_block_hash_text(const char *text, size_t n)
{
    uint64_t h = n * UINT64_C(0x9E3779B97F4A7C15);

    for (; n >= sizeof h; text += sizeof h, n -= sizeof h) {
        h = (h ^ tw_block_word(text)) * UINT64_C(0xD6E8FEB86659FD93);
        h ^= h >> 29;
    }
    return (uint32_t)tw_block_mix(h ^ tw_block_bytes(text, n));
}

/* Do n bytes agree?  As memcmp, without a call for the short.  Thread: any. */
static inline bool tw_block_same(const char *a, const char *b, size_t n)
{
    for (; n >= sizeof(uint64_t); a += sizeof(uint64_t), b += sizeof(uint64_t)) {
        if (tw_block_word(a) != tw_block_word(b)) return false;
        n -= sizeof(uint64_t);
    }
    return tw_block_bytes(a, n) == tw_block_bytes(b, n);
}

/* A number that an integer equals becomes it, as a key of a Lua table does.
 * Thread: any. */
static inline struct tw_item tw_block_normal(struct tw_item v)
{
    if (v.kind == TW_VALUE_NUMBER && v.number >= -0x1p63 && v.number < 0x1p63
        && v.number == (double)(int64_t)v.number)
        return (struct tw_item){ .kind = TW_VALUE_INTEGER,
                                 .integer = (int64_t)v.number };
    return v;
}

/* Of a normal key.  Tables hash by their place: addresses come after the index.
 * Thread: any. */
static inline uint32_t tw_block_hash_key(struct tw_item key)
{
    switch (key.kind) {
    case TW_VALUE_STRING: return tw_block_hash_text(key.text, key.length);
    case TW_VALUE_TABLE:  return (uint32_t)tw_block_mix(key.table->at);
    case TW_VALUE_FALSE: case TW_VALUE_TRUE: return key.kind;
    default:              return (uint32_t)tw_block_mix((uint64_t)key.integer);
    }
}

/* Takes over a finished block: it is alive, with one reference.
 * Thread: any. */
void tw_block_begin(struct tw_value *v);

#endif
