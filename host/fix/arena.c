/* arena.c - memory that is given back at once: the parts of a draft or a dictionary.
 *
 * Layer host/fix.  Thread: any, one at a time.
 */
#include "fix/arena.h"

#include <string.h>

#include "base/memory.h"

enum { FIRST = 1 << 10, BLOCK = 16 << 10, ALIGN = _Alignof(max_align_t) };

struct tw_arena_block {
    struct tw_arena_block *next;
    size_t used, size;
    _Alignas(max_align_t) char bytes[];
};

void *tw_arena_take(struct tw_arena *a, size_t bytes)
{
    struct tw_arena_block *b = a->blocks;
    size_t need = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    void *p;

    if (!b || b->size - b->used < need) {
        size_t size = b ? BLOCK : FIRST;   /* of a session: some texts */

        if (size < need) size = need;
        b = tw_calloc(1, sizeof *b + size);
        if (!b) return NULL;
        b->size = size;
        b->next = a->blocks;
        a->blocks = b;
    }
    p = b->bytes + b->used;
    b->used += need;
    return p;
}

char *tw_arena_text(struct tw_arena *a, const char *text, size_t n)
{
    char *s = tw_arena_take(a, n + 1);

    return s ? memcpy(s, text, n) : NULL;
}

void tw_arena_fini(struct tw_arena *a)
{
    for (struct tw_arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        tw_free(b);
    }
    *a = (struct tw_arena){0};
}
