/* bytes.c - bytes that are appended to. */
#include "base/bytes.h"

#include <string.h>

#include "base/memory.h"

bool tw_bytes_reserve(struct tw_bytes *b, size_t n)
{
    char *grown;

    if (b->n + n <= b->room) return true;
    grown = tw_grow(b->at, &b->room, b->n + n, 1);
    if (grown) b->at = grown;
    return grown != NULL;
}

bool tw_bytes_put(struct tw_bytes *b, const void *p, size_t n)
{
    if (!tw_bytes_reserve(b, n)) return false;
    if (n > 0) memcpy(b->at + b->n, p, n);
    b->n += n;
    return true;
}

void tw_bytes_free(struct tw_bytes *b)
{
    tw_free(b->at);
    *b = (struct tw_bytes){ .at = NULL };
}
