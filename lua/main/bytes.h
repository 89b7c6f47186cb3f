/* bytes.h - text that grows: what is typed, and what is on its way to the terminal.
 *
 * With no memory it stays as it is and says so; a zero stands behind it.
 *
 * Layer lua/main.
 */
#ifndef LTW_BYTES_H
#define LTW_BYTES_H

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

struct ltw_bytes { char *at; size_t n, room; };

static inline bool ltw_bytes_reserve(struct ltw_bytes *b, size_t more)
{
    size_t room = b->room ? b->room : 64;
    char *at;

    if (b->n + more + 1 <= b->room) return true;
    while (room < b->n + more + 1) room *= 2;
    at = tw_realloc(b->at, room);
    if (!at) return false;
    b->at = at;
    b->room = room;
    return true;
}

static inline bool ltw_bytes_add(struct ltw_bytes *b, const char *text, size_t n)
{
    if (!ltw_bytes_reserve(b, n)) return false;
    if (n > 0) memcpy(b->at + b->n, text, n);
    b->n += n;
    b->at[b->n] = '\0';
    return true;
}

static inline bool ltw_bytes_add_text(struct ltw_bytes *b, const char *text)
{
    return ltw_bytes_add(b, text, strlen(text));
}

static inline bool ltw_bytes_set(struct ltw_bytes *b, const char *text, size_t n)
{
    if (!ltw_bytes_reserve(b, n)) return false;
    b->n = 0;
    return ltw_bytes_add(b, text, n);
}

static inline void ltw_bytes_free(struct ltw_bytes *b)
{
    tw_free(b->at);
    *b = (struct ltw_bytes){ .at = NULL };
}

#endif
