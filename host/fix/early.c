/* early.c - messages that came ahead of missing ones, kept until those come.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include "fix/early.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"

enum {
    LEAST = 64,            /* bytes of a message, about: so many entries have room */
    ENTRIES_MAX = 16384    /* each may have to be moved for one that comes before it */
};

int tw_fix_early_init(struct tw_fix_early *e, size_t bytes_max)
{
    *e = (struct tw_fix_early){ .max = bytes_max, .entries_max = bytes_max / LEAST + 1 };
    if (e->entries_max > ENTRIES_MAX) e->entries_max = ENTRIES_MAX;
    e->bytes = tw_map(e->max, false);
    e->entries = tw_map(e->entries_max * sizeof *e->entries, false);
    return e->bytes && e->entries ? TW_OK : UV_ENOMEM;
}

void tw_fix_early_fini(struct tw_fix_early *e)
{
    tw_unmap(e->bytes, e->max);
    tw_unmap(e->entries, e->entries_max * sizeof *e->entries);
    *e = (struct tw_fix_early){0};
}

void tw_fix_early_put(struct tw_fix_early *e, uint64_t seq, const char *p, size_t n)
{
    size_t i;

    if (e->first == e->end) tw_fix_early_clear(e);
    i = e->end;
    while (i > e->first && e->entries[i - 1].seq >= seq) i--;
    if (i < e->end && e->entries[i].seq == seq) return;
    if (e->end == e->entries_max || n > e->max - e->used) return;
    memmove(&e->entries[i + 1], &e->entries[i], (e->end - i) * sizeof *e->entries);
    e->entries[i] = (struct tw_fix_early_entry){ seq, e->used, n };
    memcpy(e->bytes + e->used, p, n);
    e->used += n;
    e->end++;
}

const char *tw_fix_early_take(struct tw_fix_early *e, uint64_t *seq, size_t *n)
{
    const struct tw_fix_early_entry *entry = &e->entries[e->first];

    if (e->first == e->end) return NULL;
    e->first++;
    *seq = entry->seq;
    *n = entry->n;
    return e->bytes + entry->at;
}

uint64_t tw_fix_early_first(const struct tw_fix_early *e)
{
    return e->first == e->end ? 0 : e->entries[e->first].seq;
}

void tw_fix_early_clear(struct tw_fix_early *e)
{
    e->first = e->end = 0;
    e->used = 0;
}
