/* value.h - an immutable value that any state may read: what a message carries.
 *
 * A scalar is held in place; a string or a table is a block of bytes, counted
 * by reference and never changed.
 *
 * Layer host/share.
 */
#ifndef TW_VALUE_H
#define TW_VALUE_H

#include "base/tw.h"

enum tw_value_kind {
    TW_VALUE_NIL, TW_VALUE_FALSE, TW_VALUE_TRUE, TW_VALUE_INTEGER, TW_VALUE_NUMBER,
    TW_VALUE_STRING,   /* in a block: its bytes                             */
    TW_VALUE_TABLE,    /* in a block: count of pairs, then key, value, ...  */
    TW_VALUE_BLOCK     /* of a struct tw_any: see block                     */
};

enum {
    TW_VALUE_BYTES_MAX = 65536,   /* of one block                */
    TW_VALUE_DEPTH_MAX = 16       /* tables within tables        */
};

struct tw_value;   /* a block */

struct tw_any {
    uint64_t kind;   /* enum tw_value_kind; never STRING or TABLE here */
    union { int64_t integer; double number; struct tw_value *block; };
};

/* A block that starts with one reference, holding a copy of bytes.  NULL: no
 * memory.  Thread: any.  Blocks: no. */
struct tw_value *tw_value_new(const void *bytes, size_t n);
const void *tw_value_bytes(const struct tw_value *v, size_t *n);

/* Thread: any.  Blocks: never.  The last unref frees. */
void tw_value_ref(struct tw_value *v);
void tw_value_unref(struct tw_value *v);

static inline void tw_any_ref(const struct tw_any *v)
{
    if (v->kind == TW_VALUE_BLOCK) tw_value_ref(v->block);
}

static inline void tw_any_unref(const struct tw_any *v)
{
    if (v->kind == TW_VALUE_BLOCK) tw_value_unref(v->block);
}

/* Blocks alive in the process: a test that ends with one has a leak.
 * Thread: any. */
uint64_t tw_value_live(void);

#endif
