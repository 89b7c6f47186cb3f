/* early.h - messages that came ahead of missing ones, kept until those come.
 *
 * Bounded: what has no room is not kept, and is asked for again.
 *
 * Layer host/fix.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_FIX_EARLY_H
#define TW_FIX_EARLY_H

#include "base/tw.h"

struct tw_fix_early_entry { uint64_t seq; size_t at, n; };

struct tw_fix_early {
    char *bytes;
    size_t max, used;                     /* of bytes                            */
    struct tw_fix_early_entry *entries;   /* by seq, from first to end           */
    size_t first, end, entries_max;
};

/* UV_ENOMEM: fini is still to be called.  Memory: what its messages take. */
int tw_fix_early_init(struct tw_fix_early *e, size_t bytes_max);
void tw_fix_early_fini(struct tw_fix_early *e);

/* Keeps a copy, where there is room; of the same seq the first one. */
void tw_fix_early_put(struct tw_fix_early *e, uint64_t seq, const char *p, size_t n);

/* The one with the lowest seq, which it forgets; its bytes stand until the next put.
 * NULL: there is none. */
const char *tw_fix_early_take(struct tw_fix_early *e, uint64_t *seq, size_t *n);

/* The lowest seq; 0: none. */
uint64_t tw_fix_early_first(const struct tw_fix_early *e);

void tw_fix_early_clear(struct tw_fix_early *e);

#endif
