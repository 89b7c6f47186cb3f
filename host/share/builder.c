/* builder.c - lays the cells, strings and tables of a frozen value into a block.
 *
 * Why: one pass over the caller's graph, which may be slow to walk and can't be
 * walked twice at once.  A table's cells are gathered beside the block, since
 * strings land in the block meanwhile; a cell of a table holds its id until the
 * end, when every table has its place.
 *
 * Invariants
 *   F1  The tables 0 .. opened - 1 have their places; ids are given in the
 *       order in which tables first come.
 *   F2  `owned` holds one reference for each of its cells until the block does.
 *   F3  After an error nothing is put, so a size never wraps.
 *
 * Layer host/share.  Thread: the owner's.
 */
#include "share/builder.h"

#include <uv.h>

#include "base/memory.h"
#include "share/block.h"
#include "share/object.h"
#include "tape/record.h"

enum { KEEP_BYTES = 1 << 16 };   /* of each buffer, from value to value */

/* An array that grows. */
struct buffer { char *p; size_t n, max; };   /* bytes */

/* What was put before: a table, record or reference by its identity, a string
 * by its hash.  Neither an address nor a quote's handle begins like TEXT. */
struct seen { uint64_t key; uint32_t length; uint32_t what; };   /* key 0: free */
#define TEXT UINT64_C(0x8000000000000000)

struct place { uint32_t at, parent; };   /* of a table */

struct tw_builder {
    struct buffer block;    /* struct tw_value, then what is in it     */
    struct buffer cells;    /* struct tw_item: of the open table       */
    struct buffer places;   /* struct place: of each table, by its id  */
    struct buffer owned;    /* struct tw_item: F2                      */
    struct seen *seen;      /* slots: a power of two, at most half full */
    size_t slots, used;
    struct tw_item root;
    bool rooted, open, in_pairs;
    uint32_t opened, array;
    int error;
};

struct tw_builder *tw_builder_new(void)
{
    return tw_calloc(1, sizeof(struct tw_builder));
}

static void fail(struct tw_builder *b, int code)
{
    if (b->error == TW_OK) b->error = code;
}

/* Room for n more bytes at the end of a buffer, or NULL and an error. */
static void *extend(struct tw_builder *b, struct buffer *u, size_t n)
{
    if (b->error) return NULL;
    if (n > TW_VALUE_BYTES_MAX - u->n) return fail(b, TW_ELIMIT), NULL;
    if (u->n + n > u->max) {
        size_t max = u->max ? u->max * 2 : 1024;
        char *p;

        while (max < u->n + n) max *= 2;
        p = tw_realloc(u->p, max);
        if (!p) return fail(b, UV_ENOMEM), NULL;
        u->p = p;
        u->max = max;
    }
    u->n += n;
    return u->p + u->n - n;
}

/* Room in the block that begins on a multiple of `align`. */
static void *lay(struct tw_builder *b, size_t align, size_t n)
{
    size_t gap = -b->block.n & (align - 1);
    char *p = extend(b, &b->block, gap + n);

    if (p) memset(p, 0, gap);
    return p ? p + gap : NULL;
}

static uint32_t place_of(const struct tw_builder *b, const void *p)
{
    return (uint32_t)((const char *)p - b->block.p);
}

static struct place *places(const struct tw_builder *b)
{
    return (struct place *)b->places.p;
}

static uint32_t tables(const struct tw_builder *b)
{
    return (uint32_t)(b->places.n / sizeof(struct place));
}

static void trim(struct buffer *u)
{
    if (u->max > KEEP_BYTES) {
        tw_free(u->p);
        *u = (struct buffer){ 0 };
    }
    u->n = 0;
}

static void clear(struct tw_builder *b)
{
    const struct tw_item *owned = (const struct tw_item *)b->owned.p;

    for (size_t i = 0; i < b->owned.n / sizeof *owned; i++) {
        if (owned[i].kind == TW_VALUE_OBJECT) tw_object_unref(owned[i].object);
        else tw_value_unref(tw_table_block(owned[i].table));
    }
    trim(&b->block);
    trim(&b->cells);
    trim(&b->places);
    trim(&b->owned);
    if (b->slots * sizeof *b->seen > KEEP_BYTES) {
        tw_free(b->seen);
        b->seen = NULL;
        b->slots = 0;
    } else if (b->used) {
        memset(b->seen, 0, b->slots * sizeof *b->seen);
    }
    b->used = 0;
    b->rooted = b->open = b->in_pairs = false;
    b->opened = b->array = 0;
    b->error = TW_OK;
}

void tw_builder_begin(struct tw_builder *b)
{
    clear(b);
    extend(b, &b->block, sizeof(struct tw_value));
}

void tw_builder_free(struct tw_builder *b)
{
    if (!b) return;
    clear(b);
    tw_free(b->block.p);
    tw_free(b->cells.p);
    tw_free(b->places.p);
    tw_free(b->owned.p);
    tw_free(b->seen);
    tw_free(b);
}

int tw_builder_error(const struct tw_builder *b)
{
    return b->error;
}

uint32_t tw_builder_parent(const struct tw_builder *b, uint32_t id)
{
    return places(b)[id].parent;
}

/* ---- what was seen ---- */

static bool grow_seen(struct tw_builder *b)
{
    size_t slots = b->slots ? b->slots * 2 : 32;
    struct seen *seen = tw_calloc(slots, sizeof *seen);

    if (!seen) return fail(b, UV_ENOMEM), false;
    for (size_t i = 0; i < b->slots; i++) {
        size_t at = tw_block_mix(b->seen[i].key) & (slots - 1);

        if (b->seen[i].key == 0) continue;
        while (seen[at].key) at = (at + 1) & (slots - 1);
        seen[at] = b->seen[i];
    }
    tw_free(b->seen);
    b->seen = seen;
    b->slots = slots;
    return true;
}

/* The slot of a key (and of the bytes, for a text): with key 0 it is free, and
 * then there is room to use it.  NULL: an error. */
static struct seen *look(struct tw_builder *b, uint64_t key, const char *text, size_t n)
{
    size_t at;

    assert(key != 0);
    if (b->error || (b->used * 2 >= b->slots && !grow_seen(b))) return NULL;
    for (at = tw_block_mix(key) & (b->slots - 1); b->seen[at].key;
         at = (at + 1) & (b->slots - 1)) {
        struct seen *s = &b->seen[at];

        if (s->key != key) continue;
        if (!text || (s->length == n && tw_block_same(b->block.p + s->what, text, n)))
            break;
    }
    return &b->seen[at];
}

static void note(struct tw_builder *b, struct seen *s, uint64_t key, size_t n,
                 uint32_t what)
{
    *s = (struct seen){ .key = key, .length = (uint32_t)n, .what = what };
    b->used++;
}

/* ---- cells ---- */

static void put(struct tw_builder *b, struct tw_item cell)
{
    struct tw_item *p;

    assert(b->open || !b->rooted);
    if (b->open) {
        p = extend(b, &b->cells, sizeof cell);
        if (p) *p = cell;
    } else {
        b->root = cell;
        b->rooted = true;
    }
}

void tw_builder_scalar(struct tw_builder *b, struct tw_item scalar)
{
    assert(scalar.kind <= TW_VALUE_NUMBER);
    put(b, scalar);
}

void tw_builder_integer(struct tw_builder *b, int64_t integer)
{
    put(b, (struct tw_item){ .kind = TW_VALUE_INTEGER, .integer = integer });
}

void tw_builder_string(struct tw_builder *b, const char *text, size_t n)
{
    uint32_t hash, *laid;
    struct seen *s;

    if (n >= TW_VALUE_BYTES_MAX) fail(b, TW_ELIMIT);
    if (b->error) return;
    hash = tw_block_hash_text(text, n);
    s = look(b, TEXT | hash, text, n);
    if (s && s->key == 0) {
        laid = lay(b, sizeof hash, sizeof hash + n + 1);
        if (!laid) return;
        *laid = hash;
        memcpy(laid + 1, text, n);
        ((char *)(laid + 1))[n] = '\0';
        note(b, s, TEXT | hash, n, place_of(b, laid + 1));
    }
    if (s) put(b, (struct tw_item){ .kind = TW_VALUE_STRING, .length = (uint32_t)n,
                                    .integer = s->what });
}

void tw_builder_record(struct tw_builder *b, uint64_t identity, const struct tw_record *r)
{
    struct seen *s = look(b, identity, NULL, 0);
    struct tw_record *laid;

    if (s && s->key == 0) {
        laid = lay(b, _Alignof(struct tw_record), sizeof *laid);
        if (!laid) return;
        *laid = *r;
        note(b, s, identity, 0, place_of(b, laid));
    }
    if (s) put(b, (struct tw_item){ .kind = TW_VALUE_RECORD, .integer = s->what });
}

bool tw_builder_table(struct tw_builder *b, uint64_t identity)
{
    struct seen *s = look(b, identity, NULL, 0);
    bool new = s && s->key == 0;
    struct place *p;

    if (!s) return false;
    if (new) {
        p = extend(b, &b->places, sizeof *p);
        if (!p) return false;
        *p = (struct place){ .parent = b->opened ? b->opened - 1 : 0 };
        note(b, s, identity, 0, tables(b) - 1);
    }
    put(b, (struct tw_item){ .kind = TW_VALUE_TABLE, .integer = s->what });
    return new;
}

/* True when the block has to take a reference of its own, F2. */
static bool own(struct tw_builder *b, uint64_t identity, struct tw_item cell)
{
    struct seen *s = look(b, identity, NULL, 0);
    struct tw_item *p;

    if (!s || s->key) return false;
    p = extend(b, &b->owned, sizeof cell);
    if (!p) return false;
    *p = cell;
    note(b, s, identity, 0, 0);
    return true;
}

void tw_builder_object(struct tw_builder *b, struct tw_object *o)
{
    struct tw_item cell = { .kind = TW_VALUE_OBJECT, .object = o };

    if (own(b, (uintptr_t)o, cell)) tw_object_ref(o);
    put(b, cell);
}

void tw_builder_link(struct tw_builder *b, const struct tw_table *t)
{
    struct tw_item cell = { .kind = TW_VALUE_LINK, .table = t };

    if (own(b, (uintptr_t)tw_table_block(t), cell)) tw_value_ref(tw_table_block(t));
    put(b, cell);
}

/* ---- tables ---- */

void tw_builder_open(struct tw_builder *b)
{
    assert(!b->open && (b->error || (b->rooted && b->opened < tables(b))));
    b->open = true;
    b->in_pairs = false;
    b->cells.n = 0;
    b->opened++;
}

static uint32_t cells(const struct tw_builder *b)
{
    return (uint32_t)(b->cells.n / sizeof(struct tw_item));
}

void tw_builder_pairs(struct tw_builder *b)
{
    assert(b->open && !b->in_pairs);
    b->in_pairs = true;
    b->array = cells(b);
}

void tw_builder_close(struct tw_builder *b)
{
    struct tw_table head = { .mask = 0 }, *t;
    size_t slots = 0;

    if (!b->in_pairs) tw_builder_pairs(b);
    b->open = false;
    head.array = b->array;
    head.pairs = (cells(b) - b->array) / 2;
    assert(b->error || head.array + 2 * head.pairs == cells(b));
    if (head.pairs)
        for (slots = 2; slots < 2 * (size_t)head.pairs; slots *= 2) continue;
    head.mask = (uint32_t)(slots ? slots - 1 : 0);
    t = lay(b, _Alignof(struct tw_table),
            sizeof *t + b->cells.n + slots * sizeof(uint32_t));
    if (!t) return;
    head.at = place_of(b, t);
    *t = head;
    if (b->cells.n) memcpy(t->cell, b->cells.p, b->cells.n);
    memset((char *)t->cell + b->cells.n, 0, slots * sizeof(uint32_t));
    places(b)[b->opened - 1].at = (uint32_t)head.at;
}

/* ---- the end ---- */

static void settle(const struct tw_builder *b, struct tw_item *cell)
{
    if (cell->kind == TW_VALUE_TABLE) cell->integer = places(b)[cell->integer].at;
}

/* The hash of a string was computed when it was put. */
static uint32_t hash_of(const char *base, struct tw_item cell)
{
    if (cell.kind == TW_VALUE_STRING) return *(const uint32_t *)(base + cell.integer - 4);
    return tw_block_hash_key(tw_block_item(base, cell));
}

/* Gives the cells of tables their places, and the pairs their index. */
static void settle_table(const struct tw_builder *b, struct tw_table *t)
{
    struct tw_item *cell = t->cell, *end = cell + t->array + 2 * (size_t)t->pairs;
    uint32_t *index = (uint32_t *)end;

    for (uint32_t i = 0; i < t->array; i++) settle(b, cell++);
    for (uint32_t p = 0; p < t->pairs; p++, cell += 2) {
        uint32_t i;

        settle(b, &cell[0]);
        settle(b, &cell[1]);
        cell[0] = tw_block_normal(cell[0]);
        assert(cell[0].kind != TW_VALUE_NIL && cell[0].kind != TW_VALUE_RECORD);
        assert(cell[0].kind != TW_VALUE_INTEGER
               || (uint64_t)cell[0].integer - 1 > t->array);
        i = hash_of(b->block.p, cell[0]) & t->mask;
        while (index[i]) i = (i + 1) & t->mask;
        index[i] = p + 1;
    }
}

/* The bytes as an allocation of their own: a small block is copied, so that the
 * buffer stays for the next; a large one takes the buffer along. */
static struct tw_value *detach(struct tw_builder *b)
{
    struct tw_value *v;

    if (b->block.n > KEEP_BYTES) {
        v = tw_realloc(b->block.p, b->block.n);
        if (v) b->block = (struct buffer){ 0 };
    } else {
        v = tw_realloc(NULL, b->block.n);
        if (v) memcpy(v, b->block.p, b->block.n);
    }
    if (!v) fail(b, UV_ENOMEM);
    return v;
}

int tw_builder_finish(struct tw_builder *b, struct tw_value **out)
{
    struct tw_value head = { .root = b->root }, *v;
    char *owned = lay(b, _Alignof(struct tw_item), b->owned.n);

    *out = NULL;
    if (b->error) return b->error;
    assert(b->rooted && !b->open && b->opened == tables(b));
    if (b->owned.n) memcpy(owned, b->owned.p, b->owned.n);
    for (uint32_t id = 0; id < b->opened; id++)
        settle_table(b, (struct tw_table *)(b->block.p + places(b)[id].at));
    settle(b, &head.root);
    head.bytes = b->block.n;
    head.owned_at = place_of(b, owned);
    head.owned = (uint32_t)(b->owned.n / sizeof(struct tw_item));
    v = detach(b);
    if (!v) return b->error;
    memcpy(v, &head, sizeof head);
    tw_block_begin(v);
    b->owned.n = 0;   /* F2: they are the block's */
    clear(b);
    *out = v;
    return TW_OK;
}
