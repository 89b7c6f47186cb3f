/* fixed.c - decimal text and doubles to int64 with nine decimals and back. */
#include "base/fixed.h"

#include <string.h>

#include "base/word.h"

enum {
    DECIMALS = 9,
    LONG = 40,                     /* digits before an exponent */
    FAR = 2 * LONG,                /* an exponent               */
    SPREAD = LONG + FAR + 2
};

static const uint64_t power10[DECIMALS + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000
};

static __attribute__((noinline)) int parse_long(const char *text, size_t n, int64_t *out)
{
    const char *end = text + n;
    bool negative = n > 0 && *text == '-', point = false, digits = false, fits = true;
    unsigned decimals = 0;
    uint64_t v = 0;

    /* All of it is read even when it no longer fits: text that is no number
     * at all is told from a number that is too big. */
    for (text += negative; text < end; text++) {
        unsigned digit = (unsigned char)*text - (unsigned)'0';

        if (digit > 9) {
            if (*text != '.' || point) return TW_EFORMAT;
            point = true;
            continue;
        }
        digits = true;
        if (decimals == DECIMALS) {
            fits &= digit == 0;
            continue;
        }
        decimals += point;
        if (v >= UINT64_MAX / 10) fits = false;
        else v = v * 10 + digit;
    }
    if (!digits) return TW_EFORMAT;
    if (!fits || __builtin_mul_overflow(v, power10[DECIMALS - decimals], &v)
        || v > INT64_MAX)
        return TW_ERANGE;
    *out = negative ? -(int64_t)v : (int64_t)v;
    return TW_OK;
}

int tw_fixed_parse(const char *text, size_t n, int64_t *out)
{
    if (n - 1 < 8 && tw_word_fixed(tw_word_load_part(text, n), n, out)) return TW_OK;
    return parse_long(text, n, out);
}

/* Of a number that parse_long refuses for its decimals. */
static __attribute__((noinline)) int parse_noisy(const char *text, size_t n, int64_t *out)
{
    const char *point = memchr(text, '.', n);
    size_t i = point ? (size_t)(point - text) + 1 + DECIMALS : n;
    uint64_t unit = TW_FIXED_ONE, rest = 0, v;
    bool up, negative = *text == '-';
    int64_t cut;

    if (i >= n || tw_fixed_parse(text, i, &cut) < 0) return TW_ERANGE;
    for (; i < n; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0';

        if (digit > 9) return TW_EFORMAT;
        unit /= 10;
        rest += unit * digit;
    }
    up = rest > TW_FIXED_ONE / 2;
    if (up) rest = TW_FIXED_ONE - rest;
    v = (negative ? 0 - (uint64_t)cut : (uint64_t)cut) + up;
    if (v > INT64_MAX || rest * 1000 >= v) return TW_ERANGE;
    *out = negative ? -(int64_t)v : (int64_t)v;
    return TW_OK;
}

/* "1.25e-05" as digits, "-" first and then a point where it has one; 0: it is no such
 * number.  An exponent beyond FAR is as that: nothing but 0 fits with either. */
static size_t spread(const char *text, size_t n, char out[SPREAD])
{
    const char *end = text + n, *p = text;
    int power = 0, whole = 0, digits = 0, place = 0;
    bool point = false, negative;

    if (p < end && *p == '-') *out++ = *p++, place++;
    text = p;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.' ? point : *p < '0' || *p > '9') return 0;
        if (*p == '.') point = true;
        else digits++, whole += !point;
    }
    if (digits == 0 || digits > LONG || end - p < 2) return 0;
    negative = *++p == '-';
    if ((negative || *p == '+') && ++p == end) return 0;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9') return 0;
        if (power < FAR) power = power * 10 + (*p - '0');
    }
    if (power > FAR) power = FAR;
    whole += negative ? -power : power;
    for (int at = whole < 0 ? whole : 0; at < whole || digits > 0; at++) {
        if (at == whole) *out++ = '.', place++;
        if (at >= 0 && digits > 0 && *text == '.') text++;
        *out++ = at >= 0 && digits > 0 ? (digits--, *text++) : '0';
        place++;
    }
    return (size_t)place;
}

int tw_fixed_parse_near(const char *text, size_t n, int64_t *out)
{
    char digits[SPREAD];
    int rc = tw_fixed_parse(text, n, out);

    if (rc == TW_EFORMAT && (n = spread(text, n, digits)) > 0)
        rc = tw_fixed_parse(text = digits, n, out);
    return rc == TW_ERANGE ? parse_noisy(text, n, out) : rc;
}

const char *tw_fixed_why(const char *text, size_t n, int code)
{
    char digits[SPREAD];
    size_t first = 0, last, all = spread(text, n, digits);

    if (code != TW_ERANGE) return "is not a number";
    if (all > 0) text = digits, n = all;
    while (first < n && (text[first] < '1' || text[first] > '9') && text[first] != '.')
        first++;
    for (last = first; last < n && text[last] >= '0' && text[last] <= '9';) last++;
    return last - first > 10 || (last - first == 10
                                 && memcmp(text + first, "9223372036", 10) >= 0)
         ? "is out of range: up to 9223372036 fits; the option columns leaves columns out"
         : "does not fit nine decimals";
}

size_t tw_fixed_format(int64_t v, char out[TW_FIXED_TEXT])
{
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint64_t whole = magnitude / (uint64_t)TW_FIXED_ONE;
    uint32_t part = (uint32_t)(magnitude % (uint64_t)TW_FIXED_ONE);
    char text[TW_FIXED_TEXT], *at = text + sizeof text;
    size_t n;

    *--at = 0;
    if (part) {
        unsigned left = DECIMALS;

        if (part % 100000 == 0) part /= 100000, left -= 5;   /* most prices */
        for (; part % 10 == 0; part /= 10) left--;
        for (; left; left--, part /= 10) *--at = (char)('0' + part % 10);
        *--at = '.';
    }
    do *--at = (char)('0' + whole % 10); while (whole /= 10);
    if (v < 0) *--at = '-';
    n = (size_t)(text + sizeof text - at);
    memcpy(out, at, n);
    return n - 1;
}

/* In integers, because d * 1e9 is rounded before the rounding that is meant.
 * d is mantissa * 2^-shift, so 83 bits hold mantissa * 1e9 exactly. */
int tw_fixed_from_double(double d, int64_t *out)
{
    const uint64_t hidden = UINT64_C(1) << 52;   /* the mantissa's unwritten bit */
    unsigned __int128 scaled;
    uint64_t bits, v;
    int shift;

    if (!(d > -9.3e9 && d < 9.3e9)) return TW_ERANGE;
    memcpy(&bits, &d, sizeof bits);
    shift = 1075 - (int)(bits >> 52 & 0x7ff);
    if (shift > 100) {   /* below 2^-47: nearer to 0 than to 1e-9 */
        *out = 0;
        return TW_OK;
    }
    bits = (bits & (hidden - 1)) | hidden;
    scaled = (unsigned __int128)bits * (uint64_t)TW_FIXED_ONE;
    v = (uint64_t)(((scaled >> (shift - 1)) + 1) >> 1);
    if (v > INT64_MAX) return TW_ERANGE;
    *out = d < 0 ? -(int64_t)v : (int64_t)v;
    return TW_OK;
}

/* The quotient with 55 to 63 bits and, in its lowest bit, whether a remainder
 * is left over: making a double of that rounds once, and rightly. */
double tw_fixed_to_double_wide(int64_t v)
{
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint64_t whole = magnitude / (uint64_t)TW_FIXED_ONE;
    uint64_t part = magnitude % (uint64_t)TW_FIXED_ONE, quotient;
    int shift;
    double d;

    if (part == 0) {   /* a size of ten million shares */
        d = (double)whole;
    } else {
        shift = __builtin_clzll(whole | 1) - 1;   /* part has 30 bits: 34 at most */
        if (shift > 34) shift = 34;
        part <<= shift;
        quotient = whole << shift | part / (uint64_t)TW_FIXED_ONE;
        quotient |= part % (uint64_t)TW_FIXED_ONE != 0;
        d = (double)(int64_t)quotient / (double)(UINT64_C(1) << shift);
    }
    return v < 0 ? -d : d;
}
