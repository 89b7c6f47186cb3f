/* simulate.c - what share of a trace's requests a cache of some size would hit.
 *
 * Why: a cache's size and policy are best chosen by what was asked of it.  A
 * trace is kept as small numbers for its keys, so that a simulated cache needs
 * no table: an entry is found by its number.
 *
 * MIN is the exact optimum: of the keys that are cached it gives up the one
 * whose next use is last.  Next uses are different requests, so the cache is a
 * set of small integers: a tree of bitmaps, 64 to a word, whose maximum is
 * found with one look per level.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/simulate.h"

#include <errno.h>
#include <limits.h>

#include "base/hashed.h"
#include "base/memory.h"

enum { ROOM_MIN = 1024, REQUESTS_MAX = INT32_MAX, LEVELS = 6 };

struct slot {
    uint64_t hash;
    uint32_t key;                  /* its number + 1; 0: free */
};

struct tw_trace {
    uint32_t *key;                 /* of each request          */
    size_t requests, room;
    struct slot *table;            /* open addressing, at most half full */
    size_t keys, slots;            /* slots: 0 or a power of two         */
};

struct tw_trace *tw_trace_new(void)
{
    return tw_calloc(1, sizeof(struct tw_trace));
}

void tw_trace_free(struct tw_trace *t)
{
    if (!t) return;
    tw_free(t->key);
    tw_free(t->table);
    tw_free(t);
}

/* The slot of a hash, or the free one where it belongs. */
static struct slot *find(const struct tw_trace *t, uint64_t hash)
{
    size_t i = hash & (t->slots - 1);

    while (t->table[i].key && t->table[i].hash != hash) i = (i + 1) & (t->slots - 1);
    return &t->table[i];
}

static int grow_table(struct tw_trace *t)
{
    struct tw_trace grown = { .slots = t->slots ? 2 * t->slots : ROOM_MIN };

    grown.table = tw_calloc(grown.slots, sizeof *grown.table);
    if (!grown.table) return -ENOMEM;
    for (size_t i = 0; i < t->slots; i++)
        if (t->table[i].key) *find(&grown, t->table[i].hash) = t->table[i];
    tw_free(t->table);
    t->table = grown.table;
    t->slots = grown.slots;
    return 0;
}

static int grow_requests(struct tw_trace *t)
{
    uint32_t *key = tw_grow(t->key, &t->room, t->room + 1, sizeof *key);

    if (!key) return -ENOMEM;
    t->key = key;
    return 0;
}

int tw_trace_add(struct tw_trace *t, uint64_t hash)
{
    struct slot *s;

    if (t->requests == REQUESTS_MAX) return TW_ELIMIT;
    if (t->requests == t->room && grow_requests(t) != 0) return -ENOMEM;
    if (2 * t->keys >= t->slots && grow_table(t) != 0) return -ENOMEM;
    s = find(t, hash);
    if (!s->key) *s = (struct slot){ hash, (uint32_t)++t->keys };
    t->key[t->requests++] = s->key - 1;
    return TW_OK;
}

/* The finaliser of splitmix64: it maps no two numbers to one. */
uint64_t tw_trace_hash_number(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

uint64_t tw_trace_hash_text(const char *text, size_t n)
{
    return tw_trace_hash_number(tw_hash(TW_HASH, text, n));
}

size_t tw_trace_requests(const struct tw_trace *t)
{
    return t->requests;
}

size_t tw_trace_keys(const struct tw_trace *t)
{
    return t->keys;
}

int64_t tw_simulate(const struct tw_trace *t, enum tw_policy_kind kind, uint64_t size)
{
    struct tw_policy_node *nodes = tw_calloc(t->keys + 1, sizeof *nodes);
    struct tw_policy *p = tw_policy_new(kind, size);
    int64_t hits = nodes && p ? 0 : -ENOMEM;

    for (size_t i = 0; hits >= 0 && i < t->requests; i++) {
        struct tw_policy_node *n = &nodes[t->key[i]];

        if (n->queue) {
            tw_policy_touch(p, n);
            hits++;
        } else {
            tw_policy_victim(p, 1);
            tw_policy_insert(p, n, tw_trace_hash_number(t->key[i]), 1);
        }
    }
    tw_policy_free(p);
    tw_free(nodes);
    return hits;
}

/* A set of integers below a bound; bit i of a word of level l + 1 says that
 * word i of level l is not 0. */
struct bitmap {
    uint64_t *level[LEVELS];
    int levels;
};

static bool bitmap_init(struct bitmap *b, size_t bound)
{
    *b = (struct bitmap){0};
    do {
        bound = bound / 64 + 1;
        b->level[b->levels] = tw_calloc(bound, sizeof(uint64_t));
        if (!b->level[b->levels++]) return false;
    } while (bound > 1);
    return true;
}

static void bitmap_fini(struct bitmap *b)
{
    for (int l = 0; l < b->levels; l++) tw_free(b->level[l]);
}

static void bitmap_set(struct bitmap *b, size_t i)
{
    for (int l = 0; l < b->levels; l++, i /= 64)
        b->level[l][i / 64] |= UINT64_C(1) << i % 64;
}

static void bitmap_clear(struct bitmap *b, size_t i)
{
    for (int l = 0; l < b->levels; l++, i /= 64)
        if ((b->level[l][i / 64] &= ~(UINT64_C(1) << i % 64)) != 0) return;
}

/* The greatest of a set that is not empty. */
static size_t bitmap_max(const struct bitmap *b)
{
    size_t i = 0;

    for (int l = b->levels - 1; l >= 0; l--)
        i = i * 64 + 63 - (size_t)__builtin_clzll(b->level[l][i]);
    return i;
}

/* next[i]: the request after i for the same key, or `requests` when there is
 * none. */
static void find_next(const struct tw_trace *t, uint32_t *next, uint32_t *last)
{
    for (size_t k = 0; k < t->keys; k++) last[k] = (uint32_t)t->requests;
    for (size_t i = t->requests; i-- > 0; ) {
        next[i] = last[t->key[i]];
        last[t->key[i]] = (uint32_t)i;
    }
}

int64_t tw_simulate_min(const struct tw_trace *t, uint64_t size)
{
    uint32_t *next = tw_calloc(t->requests + 1, sizeof *next);
    uint32_t *last = tw_calloc(t->keys + 1, sizeof *last);
    struct bitmap cached = {0};    /* by the next use of each key in the cache */
    uint64_t count = 0;            /* of them                                  */
    int64_t hits = 0;

    if (!next || !last || !bitmap_init(&cached, t->requests)) {
        hits = -ENOMEM;
        goto done;
    }
    find_next(t, next, last);
    for (size_t i = 0; i < t->requests; i++) {
        if (cached.level[0][i / 64] >> i % 64 & 1) {
            bitmap_clear(&cached, i);
            count--;
            hits++;
        }
        if (next[i] == t->requests) continue;   /* never again: best not kept */
        bitmap_set(&cached, next[i]);
        if (++count <= size) continue;
        bitmap_clear(&cached, bitmap_max(&cached));
        count--;
    }
done:
    bitmap_fini(&cached);
    tw_free(next);
    tw_free(last);
    return hits;
}
