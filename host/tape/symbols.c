/* symbols.c - instruments: a names table, and a row of attributes for each id.
 *
 * Invariants
 *   S1  A row never moves; one that was not set reads as all zeros.
 *   S2  Each attribute is read and written whole.
 *
 * Layer host/tape.  Thread: see each function.
 */
#include "tape/symbols.h"

#include <stdatomic.h>

#include "base/memory.h"
#include "tape/record.h"

enum { SECTORS_MAX = 65535 };

struct row {
    _Atomic int64_t tick_fixed, lot_fixed;   /* atomic: any stores, any loads */
    _Atomic double weight;                   /* atomic: any stores, any loads */
    _Atomic uint32_t sector;                 /* atomic: any stores, any loads */
};

struct tw_symbols {
    struct tw_names *names, *sectors;        /* constant                */
    struct row *rows;                        /* constant; elements: S1  */
    size_t bytes;                            /* constant: of the rows   */
};

struct tw_symbols *tw_symbols_new(uint32_t max)
{
    struct tw_symbols *s = tw_calloc(1, sizeof *s);

    if (!s) return NULL;
    if (max > TW_SYMBOL_MAX) max = TW_SYMBOL_MAX;
    s->bytes = ((size_t)max + 1) * sizeof s->rows[0];
    s->rows = tw_map(s->bytes, false);
    s->names = tw_names_new(max);
    s->sectors = tw_names_new(SECTORS_MAX);
    if (s->rows && s->names && s->sectors) return s;
    tw_symbols_free(s);
    return NULL;
}

void tw_symbols_free(struct tw_symbols *s)
{
    if (!s) return;
    tw_names_free(s->sectors);
    tw_names_free(s->names);
    tw_unmap(s->rows, s->bytes);
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

struct tw_names *tw_symbols_sectors(struct tw_symbols *s)
{
    return s->sectors;
}
