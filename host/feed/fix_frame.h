/* fix_frame.h - where a FIX message ends, and whether it arrived whole.
 *
 * Layer host/feed.
 */
#ifndef TW_FIX_FRAME_H
#define TW_FIX_FRAME_H

#include <string.h>

#include "base/tw.h"

enum { TW_FIX_SOH = 1, TW_FIX_TRAILER = 7 };   /* 10=ddd and its SOH */

/* TOO_LONG: garbled, for its BodyLength is past the limit.  STRANGE: whole, but of a
 * BeginString that is of no version. */
enum tw_fix_found {
    TW_FIX_PARTIAL, TW_FIX_WHOLE, TW_FIX_GARBLED, TW_FIX_TOO_LONG, TW_FIX_STRANGE
};

/* A whole message is header + body + TW_FIX_TRAILER bytes.  A garbled one is
 * to be dropped up to header + body, then the next "8=FIX" looked for. */
struct tw_fix_frame {
    size_t header;    /* bytes of tags 8 and 9                         */
    size_t body;      /* as tag 9 says; 0 when garbled before it       */
    char why[80];     /* but of a WHOLE one: what and the value         */
};

/* Words of the index that tw_fix_frame_find writes for a message of n bytes. */
#define TW_FIX_INDEX(n) ((n) / 64 + 1)

/* Looks at the message that begins at p.  No message may be longer than max
 * bytes.  Of a whole one, and of a strange one, soh gets a bit for each byte of
 * header and body that is SOH: bit i % 64 of word i / 64 for p[i].  Reads nothing
 * outside p[0, n).
 * Thread: any.  Blocks: never.  Memory: none. */
enum tw_fix_found tw_fix_frame_find(const char *p, size_t n, size_t max,
                                    struct tw_fix_frame *f, uint64_t *soh);

/* The sum of n bytes modulo 256.  Thread: any.  Blocks: never.  Memory: none. */
unsigned tw_fix_sum(const char *p, size_t n);

/* Up to `room - 1` bytes of [text, text + n) that can be printed, as a string.
 * Thread: any.  Blocks: never.  Memory: none. */
const char *tw_fix_show(const char *text, size_t n, char *out, size_t room);

/* Eight bytes as a number, the first of them lowest.
 * Thread: any.  Blocks: never. */
static inline uint64_t tw_fix_word(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

#endif
