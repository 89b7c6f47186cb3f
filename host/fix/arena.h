/* arena.h - memory that is given back at once: the parts of a draft or a dictionary.
 *
 * Layer host/fix.  Thread: any, one at a time.  Blocks: no.
 */
#ifndef TW_FIX_ARENA_H
#define TW_FIX_ARENA_H

#include "base/tw.h"

struct tw_arena {
    struct tw_arena_block *blocks;
};

/* Zeroed, aligned for any type; NULL: no memory.  Memory: freed by tw_arena_fini. */
void *tw_arena_take(struct tw_arena *a, size_t bytes);

/* n bytes as a string; NULL: no memory. */
char *tw_arena_text(struct tw_arena *a, const char *text, size_t n);

void tw_arena_fini(struct tw_arena *a);

#endif
