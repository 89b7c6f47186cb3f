/* value.h - an immutable value that any state may read without a copy: what a
 * message, a future, the cache and the board hold.
 *
 * A scalar is held in place; a string, a table, a record or a shared object is
 * in a block, counted by reference and never changed.  builder.h makes blocks; what
 * an embedder reads them with is in tidewire.h.
 *
 * Layer host/share.
 */
#ifndef TW_VALUE_H
#define TW_VALUE_H

#include "base/tw.h"

enum { TW_VALUE_BYTES_MAX = 1 << 30 };   /* of one block */

/* Thread: any.  Blocks: never.  The last unref frees, and lets go what the
 * block refers to.  A chain of any length takes no stack. */
void tw_value_ref(struct tw_value *v);
void tw_value_unref(struct tw_value *v);

/* The same for the block of v; a scalar has none.  Thread: any. */
void tw_any_ref(const struct tw_any *v);

/* Bytes of memory that the block takes, without those it refers to.
 * Thread: any.  Blocks: never. */
size_t tw_value_bytes_total(const struct tw_value *v);

/* A string, table, record or object.  The table may live in another block.
 * Thread: any.  Blocks: never. */
struct tw_item tw_value_root(const struct tw_value *v);

/* The block that a table lives in.  Thread: any.  Blocks: never. */
struct tw_value *tw_table_block(const struct tw_table *t);

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
