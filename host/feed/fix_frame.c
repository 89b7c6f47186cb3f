/* fix_frame.c - where a FIX message ends, and whether it arrived whole.
 *
 * Why: each byte of a message has to be added up for tag 10 and compared with
 * SOH to split the fields.  Doing both in one pass over words leaves the reader
 * of the fields with bits to count, not bytes to look at.
 *
 * Layer host/feed.  Thread: any.
 */
#include "feed/fix_frame.h"

#include <stdio.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char *const heads[] = {
    "8=FIXT.1.1\0019=", "8=FIX.4.4\0019=", "8=FIX.4.3\0019=",
    "8=FIX.4.2\0019=", "8=FIX.4.1\0019=", "8=FIX.4.0\0019=",
};

const char *tw_fix_show(const char *text, size_t n, char *out, size_t room)
{
    size_t length = n < room ? n : room - 1;

    for (size_t i = 0; i < length; i++)
        out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    out[length] = 0;
    return out;
}

/* The same of a version that nobody knows: up to ten letters, digits and points behind
 * FIX. */
static size_t strange_version(const char *p, size_t n, enum tw_fix_found *found)
{
    enum { FIRST = 5, LONGEST = FIRST + 10 };
    size_t at = FIRST, rest;

    *found = TW_FIX_GARBLED;
    if (memcmp(p, "8=FIX", n < FIRST ? n : FIRST) != 0) return 0;
    while (at < n && at < LONGEST
           && ((p[at] >= '0' && p[at] <= '9') || (p[at] >= 'A' && p[at] <= 'Z')
               || p[at] == '.'))
        at++;
    rest = n > at ? n - at : 0;
    if (memcmp(p + at, "\0019=", rest < 3 ? rest : 3) != 0) return 0;
    *found = rest < 3 ? TW_FIX_PARTIAL : TW_FIX_STRANGE;
    return rest < 3 ? 0 : at + 3;
}

/* The length of "8=...|9=" at p; 0 when p ends before it does. */
static size_t begin_string(const char *p, size_t n, enum tw_fix_found *found)
{
    *found = TW_FIX_PARTIAL;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        size_t length = strlen(heads[i]);

        if (memcmp(p, heads[i], n < length ? n : length) == 0) {
            if (n < length) return 0;
            *found = TW_FIX_WHOLE;
            return length;
        }
    }
    return strange_version(p, n, found);
}

/* The number that the lowest three bytes of w are; 1000 when they are none. */
static inline unsigned three_digits(uint64_t w)
{
    unsigned d = ((unsigned)w & 0xffffff) ^ 0x303030;

    if (((d + 0x767676) | d) & 0x808080) return 1000;
    return (d & 255) * 100 + (d >> 8 & 255) * 10 + (d >> 16);
}

/* Reads "8=FIX.4.?|9=ddd|", as nearly all begin; false: it is something else,
 * or of no use, which read_header explains. */
static inline bool usual_header(const char *p, size_t n, size_t max,
                                struct tw_fix_frame *f)
{
    enum { HEADER = 16 };
    const uint64_t first = UINT64_C(0x2e342e5849463d38);    /* 8=FIX.4. */
    const uint64_t second = UINT64_C(0x010000003d390100);   /* ?|9=ddd| */
    const uint64_t second_mask = UINT64_C(0xff000000ffffff00);

    if (n < HEADER || tw_fix_word(p) != first || p[8] < '0' || p[8] > '4' ||
        (tw_fix_word(p + 8) & second_mask) != second)
        return false;
    f->header = HEADER;
    f->body = three_digits(tw_fix_word(p + 8) >> 32);
    return f->body < 1000 && f->body + HEADER + TW_FIX_TRAILER <= max;
}

/* Reads tags 8 and 9: WHOLE and STRANGE are for the caller to see. */
static enum tw_fix_found read_header(const char *p, size_t n, size_t max,
                                     struct tw_fix_frame *f)
{
    enum { DIGITS = 10 };
    enum tw_fix_found found;
    char text[20];
    size_t at = begin_string(p, n, &found), first = at, length = 0;

    f->body = 0;
    if (at == 0) {
        if (found == TW_FIX_PARTIAL) return found;
        f->header = n >= 5 && memcmp(p, "8=FIX", 5) == 0 ? 5 : 1;
        if (n > 1 && (p[0] == 21 || p[0] == 22) && p[1] == 3)   /* alert, handshake */
            snprintf(f->why, sizeof f->why, "TLS where FIX was expected");
        else
            snprintf(f->why, sizeof f->why, "'%s' does not begin a message",
                     tw_fix_show(p, n, text, sizeof text));
        return TW_FIX_GARBLED;
    }
    for (; at < n && at - first < DIGITS; at++) {
        unsigned digit = (unsigned char)p[at] - (unsigned)'0';

        if (digit > 9) break;
        length = length * 10 + digit;
    }
    if (at == n) return TW_FIX_PARTIAL;
    f->header = at + (p[at] == TW_FIX_SOH);
    if (p[at] != TW_FIX_SOH || at == first) {
        snprintf(f->why, sizeof f->why, "BodyLength %s is not a number",
                 tw_fix_show(p + first, at + 1 - first, text, sizeof text));
        return TW_FIX_GARBLED;
    }
    if (length > max || length + f->header + TW_FIX_TRAILER > max) {
        snprintf(f->why, sizeof f->why, "BodyLength %zu is past the limit of %zu bytes",
                 length, max);
        return TW_FIX_TOO_LONG;
    }
    f->body = length;
    return found;
}

#if defined(__SSE2__) && !defined(TW_PORTABLE)

/* A bit for each of the 16 bytes that is SOH; their sum is added to *sum. */
static inline uint64_t look(__m128i v, __m128i *sum)
{
    *sum = _mm_add_epi64(*sum, _mm_sad_epu8(v, _mm_setzero_si128()));
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(TW_FIX_SOH)));
}

static inline __m128i load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

/* [p, end), less than 16 bytes, with what is before it as zeros: nothing is read past
 * the end, where there are 16 bytes in all. */
static inline __m128i last_piece(const char *p, const char *end)
{
    static const unsigned char keep[32] = {
        [16] = 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255,
    };

    return _mm_and_si128(load(end - 16), load(keep + (end - p)));
}

/* The sum of the bytes that both halves were added up from, modulo 256. */
static inline unsigned total(__m128i sum)
{
    sum = _mm_add_epi64(sum, _mm_srli_si128(sum, 8));
    return (unsigned)_mm_cvtsi128_si32(sum) & 255;
}

unsigned tw_fix_sum(const char *p, size_t n)
{
    const __m128i zero = _mm_setzero_si128();
    const char *end = p + n;
    __m128i sum = zero;
    unsigned short_sum = 0;

    if (n < 16) {
        while (p < end) short_sum += (unsigned char)*p++;
        return short_sum & 255;
    }
    for (; end - p >= 16; p += 16) sum = _mm_add_epi64(sum, _mm_sad_epu8(load(p), zero));
    return total(_mm_add_epi64(sum, _mm_sad_epu8(last_piece(p, end), zero)));
}

/* The index of p[0, n), n >= 16; returns the sum of the bytes modulo 256. */
static unsigned index_fields(const char *p, size_t n, uint64_t *soh)
{
    const char *end = p + n;
    __m128i sum = _mm_setzero_si128();
    uint64_t word = 0;
    unsigned bit = 0;

    for (; end - p >= 64; p += 64)
        *soh++ = look(load(p), &sum) | look(load(p + 16), &sum) << 16 |
                 look(load(p + 32), &sum) << 32 | look(load(p + 48), &sum) << 48;
    for (; end - p >= 16; p += 16, bit += 16) word |= look(load(p), &sum) << bit;
    word |= look(last_piece(p, end), &sum) >> (16 - (end - p)) << bit;
    *soh = word;
    return total(sum);
}

#else

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* A bit for each byte of w that is SOH, the first byte's lowest. */
static inline uint64_t marks(uint64_t w)
{
    uint64_t x = w ^ EACH(TW_FIX_SOH);

    x = ~(((x & EACH(0x7f)) + EACH(0x7f)) | x) & EACH(0x80);
    return (x >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* The sum of the bytes of w; at most 2040. */
static inline unsigned add_up(uint64_t w)
{
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);

    w = (w & even) + (w >> 8 & even);
    return (unsigned)(w * UINT64_C(0x0001000100010001) >> 48);
}

unsigned tw_fix_sum(const char *p, size_t n)
{
    unsigned sum = 0;

    for (; n >= 8; n -= 8, p += 8) sum += add_up(tw_fix_word(p));
    for (; n > 0; n--) sum += (unsigned char)*p++;
    return sum & 255;
}

/* The index of p[0, n), n >= 8; returns the sum of the bytes modulo 256. */
static unsigned index_fields(const char *p, size_t n, uint64_t *soh)
{
    uint64_t word = 0, w;
    unsigned sum = 0;
    size_t i;

    for (i = 0; i + 8 <= n; i += 8) {
        w = tw_fix_word(p + i);
        sum += add_up(w);
        word |= marks(w) << (i & 63);
        if ((i & 63) == 56) {
            soh[i / 64] = word;
            word = 0;
        }
    }
    if (i < n) {   /* what was counted already is shifted out */
        w = tw_fix_word(p + n - 8) >> (8 * (8 - (n - i)));
        sum += add_up(w);
        word |= marks(w) << (i & 63);
    }
    soh[i / 64] = word;
    return sum & 255;
}

#endif

enum tw_fix_found tw_fix_frame_find(const char *p, size_t n, size_t max,
                                    struct tw_fix_frame *f, uint64_t *soh)
{
    /* The body's last SOH, "10=", three digits and SOH are just one word. */
    const uint64_t trailer = UINT64_C(0x010000003d303101);
    const uint64_t trailer_mask = UINT64_C(0xff000000ffffffff);
    enum tw_fix_found found = TW_FIX_WHOLE;
    unsigned sum, said;
    uint64_t w;

    if (!usual_header(p, n, max, f)) {
        found = read_header(p, n, max, f);
        if (found != TW_FIX_WHOLE && found != TW_FIX_STRANGE) return found;
    }
    if (n - f->header < f->body + TW_FIX_TRAILER) return TW_FIX_PARTIAL;
    p += f->header;
    if (f->body < 5 || (tw_fix_word(p) & 0xffffff) != 0x3d3533) {   /* 35= */
        snprintf(f->why, sizeof f->why, "BodyLength %zu and no MsgType (35) behind it",
                 f->body);
        return TW_FIX_GARBLED;
    }
    w = tw_fix_word(p + f->body - 1);
    said = three_digits(w >> 32);
    if ((w & trailer_mask) != trailer || said == 1000) {
        snprintf(f->why, sizeof f->why, "BodyLength %zu but tag 10 is not there",
                 f->body);
        return TW_FIX_GARBLED;
    }
    sum = index_fields(p - f->header, f->header + f->body, soh);
    if (said != sum) {
        snprintf(f->why, sizeof f->why, "CheckSum %03u, computed %03u", said, sum);
        return TW_FIX_GARBLED;
    }
    if (found == TW_FIX_STRANGE) {
        p -= f->header - 2;
        snprintf(f->why, sizeof f->why, "BeginString %.*s is of no version known here",
                 (int)((const char *)memchr(p, TW_FIX_SOH, f->header) - p), p);
    }
    return found;
}
