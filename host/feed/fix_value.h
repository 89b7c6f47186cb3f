/* fix_value.h - the values of FIX fields: decimal numbers, integers, times.
 *
 * Layer host/feed.
 */
#ifndef TW_FIX_VALUE_H
#define TW_FIX_VALUE_H

#include "feed/fix_frame.h"

/* A value within a whole message: at least the 7 bytes of the trailer follow
 * its SOH, so that a word can be read at any of its bytes. */
struct tw_fix_text { const char *at; size_t n; };

/* Bytes of 0 to 9 as a decimal number, the lowest byte its first digit: pairs,
 * then pairs of pairs, then both halves.  Thread: any. */
static inline uint32_t tw_fix_eight_digits(uint64_t w)
{
    const uint64_t even = UINT64_C(0x000000ff000000ff);

    w = w * 10 + (w >> 8);
    return (uint32_t)(((w & even) * UINT64_C(0x000f424000000064) +
                       (w >> 16 & even) * UINT64_C(0x0000271000000001)) >> 32);
}

/* Not 0 when a byte of w is above 9; its lowest bit is then in the first such.
 * Thread: any. */
static inline uint64_t tw_fix_no_digits(uint64_t w)
{
    return ((w + UINT64_C(0x7676767676767676)) | w) & UINT64_C(0x8080808080808080);
}

/* The fixed number that text of 1 to 8 bytes without a sign is; false when it
 * is something else, which tw_fixed_parse may know.  Always inline: a message
 * has four, and calls with what is spilled around them cost 7 ns.
 * Thread: any.  Blocks: never. */
static inline __attribute__((always_inline))
bool tw_fix_short(struct tw_fix_text t, int64_t *out)
{
    static const int64_t unit[8] = {
        1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100
    };
    unsigned decimals = 0;
    uint64_t w, other, below;

    if (t.n - 1 > 7) return false;
    /* Digits become 0 to 9, the last one highest, and zeros fill the rest. */
    w = (tw_fix_word(t.at) ^ UINT64_C(0x3030303030303030)) << (64 - 8 * t.n);
    other = tw_fix_no_digits(w);
    if (other) {   /* the first that is none has to be the point: take it out */
        below = (other & (0 - other)) >> 7;
        if ((w & below * 255) != below * ('.' ^ '0') || t.n == 1) return false;
        decimals = (unsigned)__builtin_clzll(below) / 8;
        w = (w & ~(below * 256 - 1)) | (w & (below - 1)) << 8;
        if (tw_fix_no_digits(w)) return false;
    }
    *out = (int64_t)tw_fix_eight_digits(w) * unit[decimals];
    return true;
}

/* A whole number without a sign, of at most 19 digits: more than anyone counts.
 * *out is undefined on failure.  Thread: any.  Blocks: never. */
bool tw_fix_integer(struct tw_fix_text t, uint64_t *out);

/* The last 16 bytes that a time began with, and what they stand for: messages
 * come many to ten seconds. */
struct tw_fix_clock {
    uint64_t text[2];    /* "20240102-09:30:0" */
    int64_t ns;
};

/* Thread: any.  Blocks: never. */
void tw_fix_clock_init(struct tw_fix_clock *c);

/* YYYYMMDD-HH:MM:SS and up to nine decimals, UTC, to nanoseconds since the
 * epoch; 1970 to 2261, and second 60 is a leap second.  TW_EFORMAT otherwise.
 * Thread: the owner's of c.  Blocks: never. */
int tw_fix_time(struct tw_fix_clock *c, struct tw_fix_text t, int64_t *out);

#endif
