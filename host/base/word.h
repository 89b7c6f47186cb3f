/* word.h - text, eight bytes at a time.
 *
 * Why: a number or a field has a few bytes.  A loop over them costs more in branches that
 * are guessed wrong than all of the arithmetic here.
 *
 * Layer host/base.  Thread: any.  Blocks: never.  Memory: none.
 */
#ifndef TW_WORD_H
#define TW_WORD_H

#include <string.h>

#include "base/tw.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte 0 is the lowest");

/* A word of eight such bytes. */
#define TW_WORD_OF(byte) (UINT64_C(0x0101010101010101) * (unsigned char)(byte))

static inline uint64_t tw_word_load(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
    return w;
}

/* The first n bytes, 1 to 8, and then zeros: nothing beyond them is read. */
static inline uint64_t tw_word_load_part(const char *p, size_t n)
{
    const unsigned char *b = (const unsigned char *)p;
    uint32_t low, high;

    if (n < 4)
        return b[0] | (uint64_t)b[n / 2] << 8 * (n / 2)
            | (uint64_t)b[n - 1] << 8 * (n - 1);
    memcpy(&low, p, 4);
    memcpy(&high, p + n - 4, 4);
    return low | (uint64_t)high << 8 * (n - 4);
}

/* The highest bit of each byte that is 0; of each below `limit`, which is 1 to 128. */
static inline uint64_t tw_word_zeros(uint64_t w)
{
    const uint64_t low = TW_WORD_OF(0x7f);

    return ~(((w & low) + low) | w | low);
}

static inline uint64_t tw_word_below(uint64_t w, unsigned limit)
{
    uint64_t reaches = (w & TW_WORD_OF(0x7f)) + TW_WORD_OF(0x80 - limit);

    return ~(reaches | w) & TW_WORD_OF(0x80);
}

/* The number of the first byte of which one of these told. */
static inline unsigned tw_word_first(uint64_t told)
{
    return (unsigned)__builtin_ctzll(told) / 8;
}

/* What eight digits stand for; false: they are not. */
static inline bool tw_word_number(uint64_t w, uint64_t *v)
{
    const uint64_t pairs = UINT64_C(0x000000ff000000ff);
    uint64_t digits = w - TW_WORD_OF('0');

    if ((digits | (w + TW_WORD_OF(0x7f - '9'))) & TW_WORD_OF(0x80)) return false;
    /* Two digits in every second byte; then each pair comes into the upper half, times
     * its power of ten. */
    digits = digits * 10 + (digits >> 8);
    *v = ((digits & pairs) * (100 + (UINT64_C(1000000) << 32))
          + (digits >> 16 & pairs) * (1 + (UINT64_C(10000) << 32))) >> 32;
    return true;
}

/* The decimal number that is the first n bytes, 1 to 8, of a word that has zeros behind
 * them, in units of 1e-9; false: it has a sign, or is none. */
static inline bool tw_word_fixed(uint64_t w, size_t n, int64_t *out)
{
    static const uint64_t units[8] = {
        1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100
    };
    uint64_t point = tw_word_zeros(w ^ TW_WORD_OF('.')), v;
    size_t decimals = 0;

    if (point) {
        unsigned at = tw_word_first(point);
        uint64_t before = (UINT64_C(1) << 8 * at) - 1;

        w = (w & before) | (w >> 8 & ~before);
        decimals = --n - at;
        if (n == 0) return false;
    }
    if (n < 8) w = w << (64 - 8 * n) | TW_WORD_OF('0') >> 8 * n;
    if (!tw_word_number(w, &v)) return false;
    *out = (int64_t)(v * units[decimals]);
    return true;
}

#endif
