/* histogram.h - how long things took: counts in buckets that are 1/16 of an
 * octave wide, so that any percentile is within 6.3 percent.
 *
 * One thread adds, any thread reads a percentile meanwhile (relaxed counters).
 *
 * Layer host/base.
 */
#ifndef TW_HISTOGRAM_H
#define TW_HISTOGRAM_H

#include <stdatomic.h>

#include "base/tw.h"

enum { TW_HISTOGRAM_SUB = 16, TW_HISTOGRAM_BUCKETS = 16 + 16 * 60 };

struct tw_histogram {
    _Atomic uint64_t count, max;                      /* atomic: owner adds, all load */
    _Atomic uint64_t bucket[TW_HISTOGRAM_BUCKETS];    /* atomic: owner adds, all load */
};

/* Adds one value; a negative one counts as 0.
 * Thread: the owner's.  Blocks: never.  Memory: none. */
void tw_histogram_add(struct tw_histogram *h, int64_t value);

/* The value that a share p (0 to 1) of the values are at or below: the upper
 * edge of its bucket, never above the largest value; 0 when it is empty.
 * Thread: any.  Blocks: never. */
int64_t tw_histogram_percentile(const struct tw_histogram *h, double p);

/* Thread: any.  Blocks: never. */
uint64_t tw_histogram_count(const struct tw_histogram *h);
int64_t tw_histogram_max(const struct tw_histogram *h);

/* Adds all of `from` to `to`.  Thread: the owner's of `to`. */
void tw_histogram_merge(struct tw_histogram *to, const struct tw_histogram *from);

#endif
