/* symbols.c - instruments: a names table, and a row of attributes for each id.
 *
 * Invariants
 *   S1  A row never moves; one that was not set reads as all zeros.
 *   S2  Each attribute is read and written whole.
 *   S3  The column of one of the user's attributes is there before its name can be
 *       found, and then stays: an index that was found needs no lock.
 *
 * Layer host/tape.  Thread: see each function.
 */
#include "tape/symbols.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/memory.h"

enum { SECTORS_MAX = 65535, VALUES_MAX = 65535 };

struct row {
    _Atomic int64_t tick_fixed, lot_fixed;   /* atomic: any stores, any loads */
    _Atomic double weight;                   /* atomic: any stores, any loads */
    _Atomic uint32_t sector;                 /* atomic: any stores, any loads */
};

struct tw_symbols {
    struct tw_names *names, *sectors;        /* constant                */
    struct tw_names *attributes, *values;    /* constant                */
    struct row *rows;                        /* constant; elements: S1  */
    size_t n_rows;                           /* constant                */
    _Atomic uint32_t *column[TW_ATTRIBUTES]; /* set once, under lock: S3; elements S2 */
    pthread_mutex_t lock;
};

static void *new_rows(const struct tw_symbols *s, size_t size)
{
    return tw_map(s->n_rows * size, false);
}

struct tw_symbols *tw_symbols_new(uint32_t max)
{
    struct tw_symbols *s = tw_calloc(1, sizeof *s);

    if (!s) return NULL;
    if (max > TW_SYMBOL_MAX) max = TW_SYMBOL_MAX;
    pthread_mutex_init(&s->lock, NULL);
    s->n_rows = (size_t)max + 1;
    s->rows = new_rows(s, sizeof s->rows[0]);
    s->names = tw_names_new(max);
    s->sectors = tw_names_new(SECTORS_MAX);
    s->attributes = tw_names_new(TW_ATTRIBUTES);
    s->values = tw_names_new(VALUES_MAX);
    if (s->rows && s->names && s->sectors && s->attributes && s->values) return s;
    tw_symbols_free(s);
    return NULL;
}

static void free_rows(const struct tw_symbols *s, void *rows, size_t size)
{
    size_t n = s->names ? (size_t)tw_symbols_count(s) + 1 : 0;

    tw_unmap_used(rows, s->n_rows * size, false, n * size);
}

void tw_symbols_free(struct tw_symbols *s)
{
    if (!s) return;
    free_rows(s, s->rows, sizeof s->rows[0]);
    for (int i = 0; i < TW_ATTRIBUTES; i++)
        free_rows(s, (void *)s->column[i], sizeof s->column[i][0]);
    tw_names_free(s->sectors);
    tw_names_free(s->names);
    tw_names_free(s->attributes);
    tw_names_free(s->values);
    pthread_mutex_destroy(&s->lock);
    tw_free(s);
}

int64_t tw_symbols_intern(struct tw_symbols *s, const char *name, size_t n)
{
    return tw_names_intern(s->names, name, n);
}

uint32_t tw_symbols_find(const struct tw_symbols *s, const char *name, size_t n)
{
    return tw_names_find(s->names, name, n);
}

const char *tw_symbols_name(const struct tw_symbols *s, uint32_t id)
{
    return tw_names_get(s->names, id);
}

uint32_t tw_symbols_count(const struct tw_symbols *s)
{
    return tw_names_count(s->names);
}

struct tw_instrument tw_symbols_get(const struct tw_symbols *s, uint32_t id)
{
    const struct row *r = &s->rows[id];
    struct tw_instrument in;

    assert(id != 0 && id <= tw_symbols_count(s));
    /* order [symbols.row] relaxed: S2 asks no more than whole words */
    in.sector = atomic_load_explicit(&r->sector, memory_order_relaxed);
    /* order [symbols.row] relaxed: S2 */
    in.tick_fixed = atomic_load_explicit(&r->tick_fixed, memory_order_relaxed);
    /* order [symbols.row] relaxed: S2 */
    in.lot_fixed = atomic_load_explicit(&r->lot_fixed, memory_order_relaxed);
    /* order [symbols.row] relaxed: S2 */
    in.weight = atomic_load_explicit(&r->weight, memory_order_relaxed);
    return in;
}

void tw_symbols_set(struct tw_symbols *s, uint32_t id, const struct tw_instrument *in)
{
    struct row *r = &s->rows[id];

    assert(id != 0 && id <= tw_symbols_count(s));
    /* order [symbols.row] relaxed: S2 asks no more than whole words */
    atomic_store_explicit(&r->sector, in->sector, memory_order_relaxed);
    /* order [symbols.row] relaxed: S2 */
    atomic_store_explicit(&r->tick_fixed, in->tick_fixed, memory_order_relaxed);
    /* order [symbols.row] relaxed: S2 */
    atomic_store_explicit(&r->lot_fixed, in->lot_fixed, memory_order_relaxed);
    /* order [symbols.row] relaxed: S2 */
    atomic_store_explicit(&r->weight, in->weight, memory_order_relaxed);
}

void tw_symbols_complete(struct tw_symbols *s, uint32_t id,
                         const struct tw_instrument *in)
{
    struct tw_instrument now = tw_symbols_get(s, id);

    if (now.sector == 0) now.sector = in->sector;
    if (now.tick_fixed == 0) now.tick_fixed = in->tick_fixed;
    if (now.lot_fixed == 0) now.lot_fixed = in->lot_fixed;
    if (now.weight == 0) now.weight = in->weight;
    tw_symbols_set(s, id, &now);
}

struct tw_names *tw_symbols_sectors(struct tw_symbols *s)
{
    return s->sectors;
}

/* ---- the user's attributes ---- */

static int64_t add_held(struct tw_symbols *s, const char *name, size_t n)
{
    uint32_t i = tw_names_count(s->attributes);

    if (i == TW_ATTRIBUTES) return TW_ELIMIT;
    if (!s->column[i]) s->column[i] = new_rows(s, sizeof s->column[i][0]);
    return s->column[i] ? tw_names_intern(s->attributes, name, n) : UV_ENOMEM;
}

int tw_symbols_attribute(struct tw_symbols *s, const char *name, size_t n)
{
    int64_t id;

    pthread_mutex_lock(&s->lock);
    id = tw_names_find(s->attributes, name, n);
    if (id == 0) id = add_held(s, name, n);
    pthread_mutex_unlock(&s->lock);
    return id < 0 ? (int)id : (int)id - 1;
}

int tw_symbols_attribute_find(const struct tw_symbols *s, const char *name, size_t n)
{
    return (int)tw_names_find(s->attributes, name, n) - 1;
}

unsigned tw_symbols_attributes(const struct tw_symbols *s)
{
    return tw_names_count(s->attributes);
}

const char *tw_symbols_attribute_name(const struct tw_symbols *s, unsigned index)
{
    return tw_names_get(s->attributes, index + 1);
}

uint32_t tw_symbols_attribute_get(const struct tw_symbols *s, uint32_t id, unsigned index)
{
    assert(id != 0 && id <= tw_symbols_count(s) && index < tw_symbols_attributes(s));
    /* order [symbols.row] relaxed: S2 */
    return atomic_load_explicit(&s->column[index][id], memory_order_relaxed);
}

void tw_symbols_attribute_set(struct tw_symbols *s, uint32_t id, unsigned index,
                              uint32_t value)
{
    assert(id != 0 && id <= tw_symbols_count(s) && index < tw_symbols_attributes(s));
    /* order [symbols.row] relaxed: S2 */
    atomic_store_explicit(&s->column[index][id], value, memory_order_relaxed);
}

struct tw_names *tw_symbols_values(struct tw_symbols *s)
{
    return s->values;
}
