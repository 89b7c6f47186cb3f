/* value.c - reading blocks, and counting who refers to them.
 *
 * Why: a table of the heap's own objects would have to be walked to be freed,
 * and its parts would lie all over the memory.  A block is one allocation, and
 * one count however many tables are in it.
 *
 * Invariants
 *   V1  Nothing in a block changes after its builder gave it away, but for the
 *       count and, when that is 0, `next`.
 *   V2  A block holds one reference on each block and object in `owned`, and a
 *       cell points out of the block only to those.
 *   V3  Freeing takes the same stack however long the chain: what becomes free
 *       meanwhile waits in the thread's list.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/value.h"

#include "base/memory.h"
#include "share/block.h"
#include "share/object.h"

static _Atomic uint64_t live;       /* atomic: any thread */

/* The blocks that this thread has still to free, V3. */
static _Thread_local struct { struct tw_value *first; bool busy; } doomed;

void tw_block_begin(struct tw_value *v)
{
    atomic_init(&v->references, 1);
    atomic_init(&v->seen, false);
    /* order [value.live] relaxed: a statistic, it orders nothing */
    atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
}

uint64_t tw_value_live(void)
{
    /* order [value.live] relaxed: a statistic, it orders nothing */
    return atomic_load_explicit(&live, memory_order_relaxed);
}

void tw_value_ref(struct tw_value *v)
{
    /* order [value.references] relaxed: the caller has one, so it is alive */
    atomic_fetch_add_explicit(&v->references, 1, memory_order_relaxed);
}

static void release_owned(struct tw_value *v)
{
    const struct tw_item *cell = (const struct tw_item *)((char *)v + v->owned_at);

    for (uint32_t i = 0; i < v->owned; i++) {
        if (cell[i].kind == TW_VALUE_OBJECT) tw_object_unref(cell[i].object);
        else tw_value_unref(tw_table_block(cell[i].table));
    }
}

void tw_value_unref(struct tw_value *v)
{
    /* order [value.references] acq_rel: every use comes before the free */
    uint64_t before = atomic_fetch_sub_explicit(&v->references, 1, memory_order_acq_rel);

    assert(before > 0);
    if (before > 1) return;
    v->next = doomed.first;
    doomed.first = v;
    if (doomed.busy) return;
    doomed.busy = true;
    while ((v = doomed.first)) {   /* V3 */
        doomed.first = v->next;
        release_owned(v);
        tw_free(v);
        /* order [value.live] relaxed: a statistic, it orders nothing */
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    }
    doomed.busy = false;
}

bool tw_any_saw(const struct tw_any *error)
{
    if (error->kind != TW_VALUE_BLOCK) return false;
    /* order [value.seen] relaxed: a mark, it orders nothing */
    return atomic_exchange_explicit(&error->block->seen, true, memory_order_relaxed);
}

void tw_any_ref(const struct tw_any *v)
{
    if (v->kind == TW_VALUE_BLOCK) tw_value_ref(v->block);
}

void tw_any_unref(const struct tw_any *v)
{
    if (v->kind == TW_VALUE_BLOCK) tw_value_unref(v->block);
}

size_t tw_value_bytes_total(const struct tw_value *v)
{
    return v->bytes;
}

struct tw_item tw_value_root(const struct tw_value *v)
{
    return tw_block_item((const char *)v, v->root);
}

struct tw_item tw_any_root(const struct tw_any *v)
{
    if (v->kind == TW_VALUE_BLOCK) return tw_value_root(v->block);
    return (struct tw_item){ .kind = (uint32_t)v->kind, .integer = v->integer };
}

struct tw_value *tw_table_block(const struct tw_table *t)
{
    return (struct tw_value *)((uintptr_t)t - t->at);
}

uint32_t tw_table_length(const struct tw_table *t)
{
    return t->array;
}

uint32_t tw_table_pairs(const struct tw_table *t)
{
    return t->pairs;
}

static bool is_key(const char *base, struct tw_item cell, struct tw_item key)
{
    if (cell.kind == TW_VALUE_STRING)
        return key.kind == TW_VALUE_STRING && cell.length == key.length
               && tw_block_same(base + cell.integer, key.text, key.length);
    cell = tw_block_item(base, cell);
    return cell.kind == key.kind && (key.kind < TW_VALUE_INTEGER
                                     || cell.integer == key.integer);
}

/* The 0-based pair that has a normal key, or -1. */
static int64_t find_pair(const struct tw_table *t, struct tw_item key)
{
    const struct tw_item *pair = tw_block_pairs(t);
    const uint32_t *index = (const uint32_t *)(pair + 2 * (size_t)t->pairs);
    const char *base = tw_block_base(t);

    if (t->pairs == 0) return -1;
    for (uint32_t i = tw_block_hash_key(key); index[i & t->mask]; i++) {
        uint32_t p = index[i & t->mask] - 1;

        if (is_key(base, pair[2 * (size_t)p], key)) return p;
    }
    return -1;
}

static bool is_element(const struct tw_table *t, struct tw_item key)
{
    return key.kind == TW_VALUE_INTEGER && (uint64_t)key.integer - 1 < t->array;
}

struct tw_item tw_table_find(const struct tw_table *t, struct tw_item key)
{
    int64_t p;

    key = tw_block_normal(key);
    if (is_element(t, key))
        return tw_block_item(tw_block_base(t), t->cell[key.integer - 1]);
    p = find_pair(t, key);
    if (p < 0) return (struct tw_item){ .kind = TW_VALUE_NIL };
    return tw_block_item(tw_block_base(t), tw_block_pairs(t)[2 * p + 1]);
}

bool tw_table_entry(const struct tw_table *t, uint64_t place, struct tw_item *key,
                    struct tw_item *value)
{
    const char *base = tw_block_base(t);
    const struct tw_item *pair = tw_block_pairs(t);

    if (place < t->array) {
        *key = (struct tw_item){ .kind = TW_VALUE_INTEGER,
                                 .integer = (int64_t)place + 1 };
        *value = tw_block_item(base, t->cell[place]);
        return true;
    }
    place -= t->array;
    if (place >= t->pairs) return false;
    *key = tw_block_item(base, pair[2 * place]);
    *value = tw_block_item(base, pair[2 * place + 1]);
    return true;
}

int64_t tw_table_place(const struct tw_table *t, struct tw_item key)
{
    int64_t p;

    key = tw_block_normal(key);
    if (is_element(t, key)) return key.integer - 1;
    p = find_pair(t, key);
    return p < 0 ? TW_EUSAGE : p + t->array;
}
