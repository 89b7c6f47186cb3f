/* names.c - strings to small numbers, found without a lock.
 *
 * Why: a feed looks a name up for every message and almost never sees a new
 * one, so finding must cost a few nanoseconds and wait for nobody, while
 * adding may be slow.  A chained table would be simpler to grow but costs a
 * cache miss per link; a table that is copied per name would be too slow to
 * fill with a million symbols.
 *
 * Layout:  table ---> slot[2^n]: hash (upper 32 bits) | id (lower 32), 0 free
 *          text  ---> text[id]:  64 bytes, the name, zeros, and in the last
 *                                byte 63 - length: 0 just when it ends the name
 *
 * Invariants
 *   N1  A name has one id; ids are dense: 1, 2, ... count.
 *   N2  text[id] is complete before id shows in count or in a slot, and is
 *       never written again, nor moved.
 *   N3  At most a quarter of a table's slots are taken, so a search ends,
 *       mostly at the first slot, which the branch predictor likes.
 *   N4  Every name is in the newest table; an older one, which a search may
 *       still be using, is kept until tw_names_free.
 *
 * Layer host/tape.  Thread: see each function.
 */
#include "tape/names.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"

enum { STRIDE = TW_NAME_MAX + 1, FIRST_BITS = 8 };

struct table {
    struct table *older;        /* constant                              */
    unsigned bits;              /* constant: of the number of slots      */
    _Atomic uint64_t slot[];    /* atomic: set once, under lock, all load */
};

struct tw_names {
    char (*text)[STRIDE];             /* constant; elements obey N2          */
    uint32_t max;                     /* constant                            */
    struct table *_Atomic table;      /* atomic: stored under lock, all load */
    _Atomic uint32_t count;           /* atomic: stored under lock, all load */
    _Alignas(TW_CACHELINE) pthread_mutex_t lock;
};

static uint64_t load8(const char *p) { uint64_t w; memcpy(&w, p, 8); return w; }
static uint64_t load4(const char *p) { uint32_t w; memcpy(&w, p, 4); return w; }

/* All of 1 to 8 bytes in one word, reading none beyond them. */
static uint64_t load(const char *p, size_t n)
{
    const unsigned char *b = (const unsigned char *)p;

    if (n >= 4) return load4(p) | load4(p + n - 4) << 32;
    return b[0] | (uint64_t)b[n / 2] << 8 | (uint64_t)b[n - 1] << 16;
}

static uint64_t hash(const char *p, size_t n)
{
    uint64_t h = n;

    for (; n > 8; n -= 8, p += 8) {
        h = (h ^ load8(p)) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    h ^= load(p, n);
    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (h ^ h >> 29) * UINT64_C(0x9e3779b97f4a7c15);
}

static bool same(const char *text, const char *p, size_t n)
{
    if (text[TW_NAME_MAX] != (char)(TW_NAME_MAX - n)) return false;
    for (; n > 8; n -= 8, p += 8, text += 8)
        if (load8(p) != load8(text)) return false;
    return load(p, n) == load(text, n);
}

/* The bits of h above the id that a slot keeps are all that a position needs,
 * so a table grows without looking at a name. */
static size_t first(const struct table *b, uint64_t h) { return h >> (64 - b->bits); }
static size_t next(const struct table *b, size_t i)
{
    return (i + 1) & (((size_t)1 << b->bits) - 1);
}

static uint32_t search(const struct tw_names *t, uint64_t h, const char *name, size_t n)
{
    /* order [names.table] acquire: the slots copied into it are there */
    const struct table *b = atomic_load_explicit(&t->table, memory_order_acquire);

    for (size_t i = first(b, h);; i = next(b, i)) {
        /* order [names.slot] acquire: text[id] is complete (N2) */
        uint64_t s = atomic_load_explicit(&b->slot[i], memory_order_acquire);

        if (s == 0) return 0;
        if ((s ^ h) >> 32 == 0 && same(t->text[(uint32_t)s], name, n))
            return (uint32_t)s;
    }
}

static void put(struct table *b, uint64_t entry)
{
    size_t i = first(b, entry);

    /* order [names.slot] relaxed: only the holder of the lock writes slots */
    while (atomic_load_explicit(&b->slot[i], memory_order_relaxed))
        i = next(b, i);
    /* order [names.slot] release: text[id] and count come first (N2) */
    atomic_store_explicit(&b->slot[i], entry, memory_order_release);
}

static struct table *table_new(unsigned bits, struct table *older)
{
    struct table *b = tw_calloc(1, sizeof *b + (sizeof b->slot[0] << bits));

    if (!b) return NULL;
    b->bits = bits;
    b->older = older;
    for (size_t i = 0; older && i < (size_t)1 << older->bits; i++) {
        /* order [names.slot] relaxed: only the holder of the lock writes slots */
        uint64_t s = atomic_load_explicit(&older->slot[i], memory_order_relaxed);

        if (s) put(b, s);
    }
    return b;
}

struct tw_names *tw_names_new(uint32_t max)
{
    struct tw_names *t = tw_calloc_aligned(1, sizeof *t);
    struct table *b;

    assert(max < 1 << 30);   /* N3: a position has 32 bits */
    if (!t) return NULL;
    t->max = max;
    t->text = tw_map(((size_t)max + 1) * STRIDE, false);
    if (!t->text) goto fail;
    b = table_new(FIRST_BITS, NULL);
    if (!b) goto fail;
    atomic_init(&t->table, b);
    pthread_mutex_init(&t->lock, NULL);
    return t;
fail:
    tw_unmap(t->text, ((size_t)max + 1) * STRIDE);
    tw_free(t);
    return NULL;
}

void tw_names_free(struct tw_names *t)
{
    if (!t) return;
    /* order [names.table] relaxed: the caller is the last user */
    struct table *b = atomic_load_explicit(&t->table, memory_order_relaxed);

    while (b) {
        struct table *older = b->older;

        tw_free(b);
        b = older;
    }
    pthread_mutex_destroy(&t->lock);
    tw_unmap_used(t->text, ((size_t)t->max + 1) * STRIDE, false,
                  ((size_t)tw_names_count(t) + 1) * STRIDE);
    tw_free(t);
}

static int64_t add_held(struct tw_names *t, uint64_t h, const char *name, size_t n)
{
    /* order [names.count] relaxed: only the holder of the lock writes it */
    uint32_t id = atomic_load_explicit(&t->count, memory_order_relaxed) + 1;
    /* order [names.table] relaxed: only the holder of the lock writes it */
    struct table *b = atomic_load_explicit(&t->table, memory_order_relaxed);

    if (id > t->max) return TW_ELIMIT;
    if ((uint64_t)id * 4 > (uint64_t)1 << b->bits) {     /* N3 */
        b = table_new(b->bits + 1, b);
        if (!b) return -ENOMEM;
        /* order [names.table] release: every slot is copied (N4) */
        atomic_store_explicit(&t->table, b, memory_order_release);
    }
    memcpy(t->text[id], name, n);
    t->text[id][TW_NAME_MAX] = (char)(TW_NAME_MAX - n);
    /* order [names.count] release: text[id] is complete (N2) */
    atomic_store_explicit(&t->count, id, memory_order_release);
    put(b, h >> 32 << 32 | id);
    return id;
}

int64_t tw_names_intern(struct tw_names *t, const char *name, size_t n)
{
    uint64_t h;
    int64_t id;

    if (n == 0 || n > TW_NAME_MAX) return TW_ELIMIT;
    h = hash(name, n);
    id = search(t, h, name, n);
    if (id) return id;
    pthread_mutex_lock(&t->lock);
    id = search(t, h, name, n);       /* N1: another may have added it */
    if (!id) id = add_held(t, h, name, n);
    pthread_mutex_unlock(&t->lock);
    return id;
}

uint32_t tw_names_find(const struct tw_names *t, const char *name, size_t n)
{
    return n == 0 || n > TW_NAME_MAX ? 0 : search(t, hash(name, n), name, n);
}

const char *tw_names_get(const struct tw_names *t, uint32_t id)
{
    assert(id != 0 && id <= tw_names_count(t));
    return t->text[id];
}

uint32_t tw_names_count(const struct tw_names *t)
{
    /* order [names.count] acquire: text[1..count] is complete (N2) */
    return atomic_load_explicit(&t->count, memory_order_acquire);
}
