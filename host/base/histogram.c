/* histogram.c - buckets: each value below 16 has its own, each octave above
 * has sixteen.
 *
 * Invariants
 *   H1  A value lies in the bucket whose upper edge is the least at or above it.
 *   H2  Only the owner stores a counter, so adding needs no read-modify-write.
 *
 * Layer host/base.  Thread: see each function.
 */
#include "base/histogram.h"

enum { SUB = TW_HISTOGRAM_SUB, SUB_BITS = 4 };

_Static_assert(SUB == 1 << SUB_BITS, "an octave has a power of two of buckets");

static unsigned bucket_of(uint64_t v)
{
    unsigned shift;

    if (v < SUB) return (unsigned)v;
    shift = (unsigned)(63 - __builtin_clzll(v)) - SUB_BITS;
    return SUB + shift * SUB + (unsigned)(v >> shift) % SUB;
}

static uint64_t upper_edge(unsigned i)   /* H1 */
{
    unsigned shift = i / SUB - 1;

    return i < SUB ? i : ((uint64_t)(SUB + i % SUB + 1) << shift) - 1;
}

static uint64_t get(const _Atomic uint64_t *p)
{
    /* order [histogram] relaxed: counters, each right on its own */
    return atomic_load_explicit(p, memory_order_relaxed);
}

static void set(_Atomic uint64_t *p, uint64_t v)
{
    /* order [histogram] relaxed: counters, each right on its own (H2) */
    atomic_store_explicit(p, v, memory_order_relaxed);
}

void tw_histogram_add(struct tw_histogram *h, int64_t value)
{
    uint64_t v = value < 0 ? 0 : (uint64_t)value;
    _Atomic uint64_t *b = &h->bucket[bucket_of(v)];

    if (v > get(&h->max)) set(&h->max, v);
    set(b, get(b) + 1);
    set(&h->count, get(&h->count) + 1);
}

/* Counts the buckets itself: while the owner adds, their sum and h->count may
 * differ, and the rank must lie within what the second walk finds. */
int64_t tw_histogram_percentile(const struct tw_histogram *h, double p)
{
    uint64_t total = 0, seen = 0, rank, max = get(&h->max), edge = 0;

    for (unsigned i = 0; i < TW_HISTOGRAM_BUCKETS; i++) total += get(&h->bucket[i]);
    if (total == 0) return 0;
    rank = p <= 0 ? 0 : p >= 1 ? total : (uint64_t)(p * (double)total);
    if (rank == 0 || (double)rank < p * (double)total) rank++;
    if (rank > total) rank = total;
    for (unsigned i = 0; seen < rank; i++) {
        seen += get(&h->bucket[i]);
        edge = upper_edge(i);
    }
    return (int64_t)(edge < max ? edge : max);
}

uint64_t tw_histogram_count(const struct tw_histogram *h)
{
    return get(&h->count);
}

int64_t tw_histogram_max(const struct tw_histogram *h)
{
    return (int64_t)get(&h->max);
}

void tw_histogram_merge(struct tw_histogram *to, const struct tw_histogram *from)
{
    if (get(&from->max) > get(&to->max)) set(&to->max, get(&from->max));
    for (unsigned i = 0; i < TW_HISTOGRAM_BUCKETS; i++)
        set(&to->bucket[i], get(&to->bucket[i]) + get(&from->bucket[i]));
    set(&to->count, get(&to->count) + get(&from->count));
}
