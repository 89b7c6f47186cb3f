/* cache_image.c - frozen values as bytes: tables in the order they first come.
 *
 *   value   cell, then each table that was named, in the order of ids
 *   table   elements u32, pairs u32, cells
 *   cell    kind u8, then an int64, a double, u32 and bytes of a string, or the id
 *           of a table: 0, 1, ... as they first come
 *
 * Records are no part of it: the numbers of their symbols are those of one run.
 *
 * Layer host/share.
 */
#include "share/cache_image.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "share/block.h"

bool tw_image_take(struct tw_image_view *m, void *out, size_t n)
{
    if (n > m->n) return false;
    memcpy(out, m->p, n);
    m->p += n;
    m->n -= n;
    return true;
}

/* ---- writing ---- */

/* The tables that were named: in order, and found by an open-addressing index. */
struct walk {
    struct tw_bytes *m;
    const struct tw_table **tables;
    uint32_t *index;                /* of numbers + 1; slots: a power of two */
    uint32_t n, max, slots;
    int error;
};

static void add(struct walk *w, const void *p, size_t n)
{
    if (w->error == TW_OK && !tw_bytes_put(w->m, p, n)) w->error = UV_ENOMEM;
}

static uint32_t *slot_of(const struct walk *w, const struct tw_table *t)
{
    uint32_t i = (uint32_t)tw_block_mix((uintptr_t)t);

    for (;; i++) {
        uint32_t *slot = &w->index[i & (w->slots - 1)];

        if (*slot == 0 || w->tables[*slot - 1] == t) return slot;
    }
}

static bool grow(struct walk *w)
{
    uint32_t max = w->max ? w->max * 2 : 16;
    const struct tw_table **tables = tw_realloc(w->tables, max * sizeof *tables);

    if (!tables) return false;
    w->tables = tables;
    tw_free(w->index);
    w->slots = max * 2;
    w->index = tw_calloc(w->slots, sizeof *w->index);
    if (!w->index) return false;
    w->max = max;
    for (uint32_t i = 0; i < w->n; i++) *slot_of(w, tables[i]) = i + 1;
    return true;
}

static uint32_t id_of(struct walk *w, const struct tw_table *t)
{
    uint32_t *slot;

    if (w->n == w->max && !grow(w)) {
        w->error = UV_ENOMEM;
        return 0;
    }
    slot = slot_of(w, t);
    if (*slot == 0) {
        w->tables[w->n++] = t;
        *slot = w->n;
    }
    return *slot - 1;
}

static void add_cell(struct walk *w, struct tw_item v)
{
    uint8_t kind = (uint8_t)v.kind;
    uint32_t id;

    if (w->error) return;
    add(w, &kind, sizeof kind);
    switch (v.kind) {
    case TW_VALUE_NIL: case TW_VALUE_FALSE: case TW_VALUE_TRUE: break;
    case TW_VALUE_INTEGER: add(w, &v.integer, sizeof v.integer); break;
    case TW_VALUE_NUMBER:  add(w, &v.number, sizeof v.number); break;
    case TW_VALUE_STRING:
        add(w, &v.length, sizeof v.length);
        add(w, v.text, v.length);
        break;
    case TW_VALUE_TABLE:
        id = id_of(w, v.table);
        add(w, &id, sizeof id);
        break;
    default: w->error = TW_EUSAGE; break;
    }
}

static void add_table(struct walk *w, const struct tw_table *t)
{
    uint32_t array = tw_table_length(t), pairs = tw_table_pairs(t);
    struct tw_item key, value;

    add(w, &array, sizeof array);
    add(w, &pairs, sizeof pairs);
    for (uint64_t i = 0; w->error == TW_OK && tw_table_entry(t, i, &key, &value); i++) {
        if (i >= array) add_cell(w, key);
        add_cell(w, value);
    }
}

int tw_image_write(struct tw_bytes *m, const struct tw_any *v)
{
    struct walk w = { .m = m };
    size_t before = m->n;

    add_cell(&w, tw_any_root(v));
    for (uint32_t i = 0; w.error == TW_OK && i < w.n; i++) add_table(&w, w.tables[i]);
    tw_free(w.tables);
    tw_free(w.index);
    if (w.error) m->n = before;
    return w.error;
}

/* ---- reading ---- */

struct build {
    struct tw_image_view *m;
    struct tw_builder *b;
    uint32_t known;         /* tables that were named */
};

/* One cell to the builder; key: a pair's, whose table has so many elements. */
static bool read_cell(struct build *x, bool root, bool key, uint32_t array)
{
    struct tw_item v = { 0 };
    uint8_t kind;
    uint32_t n;

    if (!tw_image_take(x->m, &kind, sizeof kind)) return false;
    v.kind = kind;
    switch (kind) {
    case TW_VALUE_NIL:
        if (!root) return false;
        break;
    case TW_VALUE_FALSE: case TW_VALUE_TRUE: break;
    case TW_VALUE_INTEGER:
        if (!tw_image_take(x->m, &v.integer, sizeof v.integer)) return false;
        if (key && v.integer == (int64_t)array + 1) return false;
        break;
    case TW_VALUE_NUMBER:
        if (!tw_image_take(x->m, &v.number, sizeof v.number)) return false;
        if (key && v.number != v.number) return false;
        break;
    case TW_VALUE_STRING:
        if (!tw_image_take(x->m, &n, sizeof n) || n > x->m->n) return false;
        tw_builder_string(x->b, x->m->p, n);
        x->m->p += n;
        x->m->n -= n;
        return true;
    case TW_VALUE_TABLE:
        if (!tw_image_take(x->m, &n, sizeof n) || n > x->known) return false;
        x->known += tw_builder_table(x->b, (uint64_t)n + 1);
        return true;
    default: return false;
    }
    tw_builder_scalar(x->b, v);
    return true;
}

static bool read_table(struct build *x)
{
    uint32_t array, pairs;

    if (!tw_image_take(x->m, &array, sizeof array)) return false;
    if (!tw_image_take(x->m, &pairs, sizeof pairs)) return false;
    tw_builder_open(x->b);
    for (uint32_t i = 0; i < array; i++)
        if (!read_cell(x, false, false, array)) return false;
    if (pairs) tw_builder_pairs(x->b);
    for (uint32_t i = 0; i < pairs; i++)
        if (!read_cell(x, false, true, array) || !read_cell(x, false, false, array))
            return false;
    tw_builder_close(x->b);
    return true;
}

int tw_image_read(struct tw_image_view *m, struct tw_builder *b, struct tw_any *out)
{
    struct build x = { .m = m, .b = b };
    struct tw_image_view start = *m;
    uint8_t kind;
    int rc;

    *out = (struct tw_any){ .kind = TW_VALUE_NIL };
    if (!tw_image_take(m, &kind, sizeof kind)) return TW_EFORMAT;
    if (kind <= TW_VALUE_NUMBER) {   /* a scalar takes no block */
        out->kind = kind;
        if (kind >= TW_VALUE_INTEGER && !tw_image_take(m, &out->integer, 8))
            return TW_EFORMAT;
        return TW_OK;
    }
    *m = start;
    tw_builder_begin(b);
    if (!read_cell(&x, true, false, 0)) return TW_EFORMAT;
    for (uint32_t i = 0; i < x.known; i++) {
        if (tw_builder_error(b)) return tw_builder_error(b);
        if (!read_table(&x)) return TW_EFORMAT;
    }
    rc = tw_builder_finish(b, &out->block);
    if (rc == TW_OK) out->kind = TW_VALUE_BLOCK;
    return rc;
}
