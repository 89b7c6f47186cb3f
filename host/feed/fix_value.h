/* fix_value.h - the values of FIX fields: decimal numbers, integers, times.
 *
 * Layer host/feed.
 */
#ifndef TW_FIX_VALUE_H
#define TW_FIX_VALUE_H

#include <string.h>

#include "feed/fix_frame.h"

/* A value within a whole message: at least the 7 bytes of the trailer follow
 * its SOH, so that a word can be read at any of its bytes. */
struct tw_fix_text { const char *at; size_t n; };

/* Always inline: next to nothing of it is left where the text is constant.
 * Thread: any. */
static inline __attribute__((always_inline))
bool tw_fix_is(struct tw_fix_text t, const char *text)
{
    return t.at && t.n == strlen(text) && memcmp(t.at, text, t.n) == 0;
}

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

/* 1 to 8 bytes; digits become 0 to 9, the last one highest, zeros fill the rest.
 * Thread: any. */
static inline uint64_t tw_fix_aligned(struct tw_fix_text t)
{
    return (tw_fix_word(t.at) ^ UINT64_C(0x3030303030303030)) << (64 - 8 * t.n);
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
    w = tw_fix_aligned(t);
    other = tw_fix_no_digits(w);
    if (other) {   /* just one, and that the point: take it out */
        below = other >> 7;
        if (other & (other - 1) || t.n == 1) return false;
        decimals = (unsigned)__builtin_clzll(below) / 8;
        w -= below * ('.' ^ '0');   /* a point leaves 0, another byte does not */
        if (w & below * 255) return false;
        w += (w & (below - 1)) * 255;   /* the digits before it move up a byte */
    }
    *out = (int64_t)tw_fix_eight_digits(w) * unit[decimals];
    return true;
}

/* tw_fix_integer of any length.  Thread: any.  Blocks: never. */
bool tw_fix_long_integer(struct tw_fix_text t, uint64_t *out);

/* A whole number without a sign, of at most 19 digits: more than anyone counts.
 * *out is undefined on failure.  Thread: any.  Blocks: never. */
static inline bool tw_fix_integer(struct tw_fix_text t, uint64_t *out)
{
    uint64_t w;

    if (t.n - 1 > 7) return tw_fix_long_integer(t, out);
    w = tw_fix_aligned(t);
    *out = tw_fix_eight_digits(w);
    return tw_fix_no_digits(w) == 0;
}

/* The last 16 bytes that a time began with, and what they stand for: messages
 * come many to ten seconds. */
struct tw_fix_clock {
    uint64_t text[2];    /* "20240102-09:30:0" */
    int64_t ns;
};

/* Thread: any.  Blocks: never. */
void tw_fix_clock_init(struct tw_fix_clock *c);

/* Whether a time of at least 16 bytes begins as the last one did.
 * Thread: the owner's of c.  Blocks: never. */
static inline bool tw_fix_clock_knows(const struct tw_fix_clock *c, const char *p)
{
    return tw_fix_word(p) == c->text[0] && tw_fix_word(p + 8) == c->text[1];
}

/* tw_fix_time of any text.  Thread: the owner's of c.  Blocks: never. */
int tw_fix_any_time(struct tw_fix_clock *c, struct tw_fix_text t, int64_t *out);

/* YYYYMMDD-HH:MM:SS and up to nine decimals, UTC, to nanoseconds since the
 * epoch; 1970 to 2261, and second 60 is a leap second.  TW_EFORMAT otherwise.
 * Thread: the owner's of c.  Blocks: never. */
static inline int tw_fix_time(struct tw_fix_clock *c, struct tw_fix_text t, int64_t *out)
{
    struct tw_fix_text seconds = { t.at + 16, t.n - 16 };   /* 0.123 */
    int64_t part;   /* as a fixed number, which has nine decimals too */

    if (t.n < 17 || (t.n > 17 && (t.n == 18 || seconds.at[1] != '.')) ||
        *seconds.at == '.' || t.at[15] == '6' || !tw_fix_clock_knows(c, t.at) ||
        !tw_fix_short(seconds, &part))
        return tw_fix_any_time(c, t, out);
    *out = c->ns + part;
    return TW_OK;
}

#endif
