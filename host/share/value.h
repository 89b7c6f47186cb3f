/* value.h - an immutable value that any state may read without a copy: what a
 * message, a future, the cache and the board hold.
 *
 * A scalar is held in place; a string, a table, a record or a shared object is
 * in a block, counted by reference and never changed.  builder.h makes blocks.
 *
 * Layer host/share.
 */
#ifndef TW_VALUE_H
#define TW_VALUE_H

#include "base/tw.h"

enum tw_value_kind {
    TW_VALUE_NIL, TW_VALUE_FALSE, TW_VALUE_TRUE, TW_VALUE_INTEGER, TW_VALUE_NUMBER,
    TW_VALUE_STRING, TW_VALUE_TABLE, TW_VALUE_RECORD, TW_VALUE_OBJECT,
    TW_VALUE_LINK,     /* inside a block: a table of another block */
    TW_VALUE_BLOCK     /* of a struct tw_any: see block            */
};

enum { TW_VALUE_BYTES_MAX = 1 << 30 };   /* of one block */

struct tw_value;    /* a block                          */
struct tw_table;    /* in a block; lives as long as it  */
struct tw_record;
struct tw_object;

struct tw_any {
    uint64_t kind;   /* nil, a boolean, a number, or BLOCK */
    union { int64_t integer; double number; struct tw_value *block; };
};

/* What reading gives, and what is looked up: never LINK or BLOCK.  What it
 * points to belongs to the block. */
struct tw_item {
    uint32_t kind;     /* enum tw_value_kind                        */
    uint32_t length;   /* of a string; a 0 byte follows its last    */
    union {
        int64_t integer;
        double number;
        const char *text;
        const struct tw_table *table;
        const struct tw_record *record;
        struct tw_object *object;
    };
};

/* Thread: any.  Blocks: never.  The last unref frees, and lets go what the
 * block refers to.  A chain of any length takes no stack. */
void tw_value_ref(struct tw_value *v);
void tw_value_unref(struct tw_value *v);

/* The same for the block of v; a scalar has none.  Thread: any. */
void tw_any_ref(const struct tw_any *v);
void tw_any_unref(const struct tw_any *v);

/* Bytes of memory that the block takes, without those it refers to.
 * Thread: any.  Blocks: never. */
size_t tw_value_bytes_total(const struct tw_value *v);

/* A string, table, record or object.  The table may live in another block.
 * Thread: any.  Blocks: never. */
struct tw_item tw_value_root(const struct tw_value *v);
struct tw_item tw_any_root(const struct tw_any *v);   /* of a scalar: itself */

/* The block that a table lives in.  Thread: any.  Blocks: never. */
struct tw_value *tw_table_block(const struct tw_table *t);

/* Elements 1..length, and the pairs beside them.  Thread: any.  Blocks: never. */
uint32_t tw_table_length(const struct tw_table *t);
uint32_t tw_table_pairs(const struct tw_table *t);

/* The value of a key, nil when there is none.  A number that is an integer
 * finds it; a table or an object is found by its address; records and NaN are
 * never keys.  Thread: any.  Blocks: never. */
struct tw_item tw_table_find(const struct tw_table *t, struct tw_item key);

/* The elements in order, then the pairs as they were added: the entry at a
 * place, counted from 0; false past the last.  Thread: any.  Blocks: never. */
bool tw_table_entry(const struct tw_table *t, uint64_t place, struct tw_item *key,
                    struct tw_item *value);

/* The place of a key; TW_EUSAGE: it is not in the table.
 * Thread: any.  Blocks: never. */
int64_t tw_table_place(const struct tw_table *t, struct tw_item key);

/* By value, all the way down: pairs in any order, 1 equals 1.0, cycles end.
 * Objects and tables used as keys equal only themselves, records those with the
 * same bytes.  A NaN equals nothing; only a table is always equal to itself.
 * Without memory to compare large graphs with, false.  Equal values have equal
 * hashes.
 * Thread: any.  Blocks: as long as it compares.  Memory: for more than a few
 * tables, until it returns. */
bool tw_any_equal(const struct tw_any *a, const struct tw_any *b);
uint64_t tw_any_hash(const struct tw_any *v);

/* Why a value, as a key, would not be found again by another that says the same: what
 * is in it, all the way down.  TABLE: as the key of a pair, one that was not frozen
 * before, so that nobody else has it. */
enum tw_flaw { TW_FLAW_NONE, TW_FLAW_NAN, TW_FLAW_TABLE };

/* The first that is met, or UV_ENOMEM.  Records don't count.
 * Thread: any.  Blocks: as long as it looks.  Memory: for more than a few tables,
 * until it returns. */
int tw_any_flaw(const struct tw_any *v);

/* Notes that somebody has come to know of an error; true when somebody had before.
 * Of a scalar nothing is noted.  Thread: any.  Blocks: never. */
bool tw_any_saw(const struct tw_any *error);

/* Blocks alive in the process: a test that ends with one has a leak.
 * Thread: any. */
uint64_t tw_value_live(void);

#endif
