/* money.c - products, quotients and texts of 128-bit amounts. */
#include "trade/money.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

static wide magnitude(tw_money m)
{
    return m < 0 ? -(wide)m : (wide)m;
}

/* n / d, half to even; most numbers are of 64 bits, which takes a tenth of the time. */
static wide divide(wide n, wide d)
{
    wide q, r;

    if ((n | d) >> 64 == 0) {
        q = (uint64_t)n / (uint64_t)d;
        r = (uint64_t)n % (uint64_t)d;
    } else {
        q = n / d;
        r = n % d;
    }
    return q + (r > d - r || (r == d - r && (q & 1)));
}

/* a * b as two halves: hi * 2^64 + lo, where hi has up to 128 bits. */
tw_money tw_money_ratio(tw_money a, int64_t b, int64_t c)
{
    wide x = magnitude(a), y = magnitude(b), d = (wide)c, q;
    uint64_t low = (uint64_t)x;
    wide high = x >> 64;

    if (x == 0 || y == 0) return 0;
    if (high == 0) {
        q = divide((wide)low * y, d);
    } else {   /* long division, 64 bits at a time */
        wide lower = low * y, upper = high * y + (lower >> 64), r;

        q = upper / d << 64;
        r = (upper % d << 64) | (uint64_t)lower;
        q += divide(r, d);
        /* divide rounds to even by the low digit of its own quotient, which is the low
         * digit of all: what is added is a multiple of 2^64. */
    }
    return (a < 0) != (b < 0) ? -(tw_money)q : (tw_money)q;
}

int64_t tw_money_price(tw_money value, int64_t quantity)
{
    wide q;

    if (quantity == 0) return 0;
    if (quantity % TW_FIXED_ONE == 0)                  /* most are whole */
        q = divide(magnitude(value), magnitude(quantity / TW_FIXED_ONE));
    else
        q = divide(magnitude(value) * (uint64_t)TW_FIXED_ONE, magnitude(quantity));
    return (value < 0) != (quantity < 0) ? -(int64_t)q : (int64_t)q;
}

double tw_money_to_double(tw_money m)
{
    char text[TW_MONEY_TEXT];

    if (m >= INT64_MIN + 1 && m <= INT64_MAX) return tw_fixed_to_double((int64_t)m);
    tw_money_format(m, text);
    return strtod(text, NULL);
}

int tw_money_from_double(double d, tw_money *out)
{
    int64_t part;
    double whole;
    int rc;

    if (!(fabs(d) <= 1e27)) return TW_ERANGE;
    rc = tw_fixed_from_double(modf(d, &whole), &part);
    if (rc < 0) return rc;
    *out = (tw_money)whole * TW_FIXED_ONE + part;
    return TW_OK;
}

size_t tw_money_format(tw_money m, char out[TW_MONEY_TEXT])
{
    wide v = magnitude(m), whole;
    char text[TW_MONEY_TEXT], *at = text + sizeof text, part[TW_FIXED_TEXT];
    size_t n;

    if (v <= INT64_MAX) return tw_fixed_format((int64_t)m, out);
    whole = v / (uint64_t)TW_FIXED_ONE;
    do *--at = (char)('0' + (int)(whole % 10)); while (whole /= 10);
    if (m < 0) *--at = '-';
    n = (size_t)(text + sizeof text - at);
    memcpy(out, at, n);
    tw_fixed_format((int64_t)(v % (uint64_t)TW_FIXED_ONE), part);
    strcpy(out + n, part + 1);   /* without its leading 0 */
    return n + strlen(part + 1);
}
