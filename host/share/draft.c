/* draft.c - values that a program makes: tables, arrays, and what it keeps.
 *
 * Why: a builder wants tables in the order of their ids, breadth first; who writes a
 * table by hand goes down and comes back.  So each table is a value of its own, built
 * when it ends, and a cell of the one around it; each depth has its builder, which
 * serves all tables there.
 *
 * What the builder asserts is checked here, for the caller is a program.
 *
 * Layer host/share.  Thread: the draft's owner, but for what says otherwise in
 * tidewire.h.
 */
#include <math.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "share/array.h"
#include "share/block.h"
#include "share/builder.h"

/* One that is open: its builder, its key in the table around it, how far it is. */
struct level {
    struct tw_builder *builder;   /* kept for the next table of this depth */
    uint64_t elements, pairs;
};

struct tw_draft {
    struct level levels[TW_DRAFT_DEPTH];
    unsigned open;                /* 1: only the outermost */
    uint64_t identity;            /* of the last table or record that was put */
    int error;
};

/* ---- cells ---- */

static bool is_value(struct tw_item item)
{
    switch (item.kind) {
    case TW_VALUE_STRING: return item.text != NULL;
    case TW_VALUE_TABLE:  return item.table != NULL;
    case TW_VALUE_RECORD: return item.record != NULL;
    case TW_VALUE_OBJECT: return item.object != NULL;
    default:              return item.kind < TW_VALUE_STRING;
    }
}

/* Records may stand at one address after each other: each has its own identity. */
static void put(struct tw_builder *b, struct tw_item item, uint64_t identity)
{
    switch (item.kind) {
    case TW_VALUE_STRING: tw_builder_string(b, item.text, item.length); break;
    case TW_VALUE_TABLE:  tw_builder_link(b, item.table); break;
    case TW_VALUE_RECORD: tw_builder_record(b, identity, item.record); break;
    case TW_VALUE_OBJECT: tw_builder_object(b, item.object); break;
    default:              tw_builder_scalar(b, item);
    }
}

int tw_item_keep(struct tw_item item, struct tw_any *out)
{
    struct tw_builder *b;
    int rc;

    *out = (struct tw_any){ .kind = TW_VALUE_NIL };
    if (!is_value(item)) return TW_EUSAGE;
    if (item.kind < TW_VALUE_STRING) {
        *out = (struct tw_any){ .kind = item.kind, .integer = item.integer };
        return TW_OK;
    }
    b = tw_builder_new();
    if (!b) return UV_ENOMEM;
    tw_builder_begin(b);
    put(b, item, 1);
    rc = tw_builder_finish(b, &out->block);
    if (rc == TW_OK) out->kind = TW_VALUE_BLOCK;
    tw_builder_free(b);
    return rc;
}

/* ---- arrays ---- */

int tw_numbers_keep(const double *numbers, size_t n, struct tw_any *out)
{
    struct tw_item item = { .kind = TW_VALUE_OBJECT };
    struct tw_array *a;
    double *data;
    int rc;

    *out = (struct tw_any){ .kind = TW_VALUE_NIL };
    if (!numbers && n > 0) return TW_EUSAGE;
    if (n > TW_ARRAY_MAX) return TW_ELIMIT;
    a = tw_array_new(n, &data);
    if (!a) return UV_ENOMEM;
    if (n > 0) memcpy(data, numbers, n * sizeof *data);
    item.object = tw_array_object(a);
    rc = tw_item_keep(item, out);
    tw_array_unref(a);
    return rc;
}

const double *tw_item_numbers(struct tw_item item, size_t *n)
{
    const struct tw_array *a;

    *n = 0;
    if (item.kind != TW_VALUE_OBJECT || item.object->type != &tw_array_type) return NULL;
    a = (const struct tw_array *)item.object;
    *n = tw_array_length(a);
    return tw_array_data(a);
}

/* ---- drafts ---- */

/* The innermost table, if all is well. */
static struct level *inner(struct tw_draft *d)
{
    return d->error ? NULL : &d->levels[d->open - 1];
}

static void fail(struct tw_draft *d, int code)
{
    if (d->error == TW_OK) d->error = code;
}

/* Opens one more, whose key was put in the one around it. */
static void open_table(struct tw_draft *d)
{
    struct level *l;

    if (d->open == TW_DRAFT_DEPTH) {
        fail(d, TW_ELIMIT);
        return;
    }
    l = &d->levels[d->open];
    if (!l->builder) l->builder = tw_builder_new();
    if (!l->builder) {
        fail(d, UV_ENOMEM);
        return;
    }
    l->elements = l->pairs = 0;
    tw_builder_begin(l->builder);
    tw_builder_table(l->builder, ++d->identity);
    tw_builder_open(l->builder);
    d->open++;
}

static void restart(struct tw_draft *d)
{
    d->open = 0;
    d->error = TW_OK;
    d->identity = 0;
    open_table(d);
}

struct tw_draft *tw_draft_new(void)
{
    struct tw_draft *d = tw_calloc(1, sizeof *d);

    if (!d) return NULL;
    restart(d);
    if (d->error == TW_OK) return d;
    tw_draft_free(d);
    return NULL;
}

void tw_draft_free(struct tw_draft *d)
{
    if (!d) return;
    for (unsigned i = 0; i < TW_DRAFT_DEPTH; i++) tw_builder_free(d->levels[i].builder);
    tw_free(d);
}

/* False: it can be no key, or is an element's. */
static bool put_key(struct tw_draft *d, struct level *l, struct tw_item key)
{
    bool fits = is_value(key) && key.kind != TW_VALUE_NIL && key.kind != TW_VALUE_RECORD
             && !(key.kind == TW_VALUE_NUMBER && isnan(key.number));

    key = tw_block_normal(key);
    if (!fits || (key.kind == TW_VALUE_INTEGER
                  && (uint64_t)key.integer - 1 <= l->elements)) {
        fail(d, TW_EUSAGE);
        return false;
    }
    if (l->pairs++ == 0) tw_builder_pairs(l->builder);
    put(l->builder, key, 0);
    return true;
}

void tw_draft_put(struct tw_draft *d, struct tw_item key, struct tw_item value)
{
    struct level *l = inner(d);

    if (!l) return;
    if (!is_value(value)) fail(d, TW_EUSAGE);
    else if (value.kind != TW_VALUE_NIL && put_key(d, l, key))
        put(l->builder, value, ++d->identity);
}

void tw_draft_set(struct tw_draft *d, const char *key, struct tw_item value)
{
    tw_draft_put(d, tw_item_text(key), value);
}

static bool may_add(struct tw_draft *d, struct level *l)
{
    if (l->pairs > 0) fail(d, TW_EUSAGE);
    else l->elements++;
    return d->error == TW_OK;
}

void tw_draft_add(struct tw_draft *d, struct tw_item value)
{
    struct level *l = inner(d);

    if (!l) return;
    if (value.kind == TW_VALUE_NIL || !is_value(value)) fail(d, TW_EUSAGE);
    else if (may_add(d, l)) put(l->builder, value, ++d->identity);
}

void tw_draft_begin(struct tw_draft *d, const char *key)
{
    struct level *l = inner(d);

    if (l && (key ? put_key(d, l, tw_item_text(key)) : may_add(d, l))) open_table(d);
}

/* Each pair is found where it stands, or its key came twice. */
static bool has_each_key_once(const struct tw_table *t)
{
    uint64_t place = tw_table_length(t);
    struct tw_item key, value;

    for (; tw_table_entry(t, place, &key, &value); place++)
        if (tw_table_place(t, key) != (int64_t)place) return false;
    return true;
}

/* The innermost table as a value, with one reference. */
static struct tw_value *close_table(struct tw_draft *d)
{
    struct tw_builder *b = d->levels[--d->open].builder;
    struct tw_value *v;
    int rc;

    tw_builder_close(b);
    rc = tw_builder_finish(b, &v);
    if (rc == TW_OK && has_each_key_once(tw_value_root(v).table)) return v;
    if (rc == TW_OK) tw_value_unref(v);
    fail(d, rc < 0 ? rc : TW_EUSAGE);
    return NULL;
}

void tw_draft_end(struct tw_draft *d)
{
    struct tw_value *v;

    if (d->error) return;
    if (d->open == 1) {
        fail(d, TW_EUSAGE);
        return;
    }
    v = close_table(d);
    if (!v) return;
    put(d->levels[d->open - 1].builder, tw_value_root(v), 0);
    tw_value_unref(v);
}

int tw_draft_finish(struct tw_draft *d, struct tw_any *out)
{
    int rc;

    *out = (struct tw_any){ .kind = TW_VALUE_NIL };
    if (d->error == TW_OK && d->open > 1) fail(d, TW_EUSAGE);
    if (d->error == TW_OK) out->block = close_table(d);
    rc = d->error;
    if (rc == TW_OK) out->kind = TW_VALUE_BLOCK;
    else out->integer = 0;
    restart(d);
    return rc;
}
