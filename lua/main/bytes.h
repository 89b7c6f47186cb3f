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

#include "base/bytes.h"

static inline bool ltw_bytes_reserve(struct tw_bytes *b, size_t more)
{
    return tw_bytes_reserve(b, more + 1);
}

static inline bool ltw_bytes_add(struct tw_bytes *b, const char *text, size_t n)
{
    if (!ltw_bytes_reserve(b, n)) return false;
    if (n > 0) memcpy(b->at + b->n, text, n);
    b->n += n;
    b->at[b->n] = '\0';
    return true;
}

static inline bool ltw_bytes_add_text(struct tw_bytes *b, const char *text)
{
    return ltw_bytes_add(b, text, strlen(text));
}

static inline bool ltw_bytes_set(struct tw_bytes *b, const char *text, size_t n)
{
    if (!ltw_bytes_reserve(b, n)) return false;
    b->n = 0;
    return ltw_bytes_add(b, text, n);
}

#endif
