/* column.c - a column of numbers in few bytes.
 *
 * Whether a number is a multiple of the unit is asked by a multiplication, as is the
 * quotient: with odd u, x * inverse(u) is x / u where that is whole, and beyond
 * (2^64 - 1) / u where it is not.  A division would cost more than all the rest.
 *
 * Layer host/tape.  Thread: any.
 */
#include "tape/column.h"

enum { WIDTH_MAX = 8 };

/* A number to divide by: 2^shift * odd. */
struct divisor { uint64_t inverse, most; unsigned shift; };

static struct divisor divisor_of(uint64_t unit)
{
    unsigned shift = (unsigned)__builtin_ctzll(unit);
    uint64_t odd = unit >> shift, x = odd * 3 ^ 2;   /* right in 5 bits */

    for (int bits = 5; bits < 64; bits *= 2) x *= 2 - odd * x;
    return (struct divisor){ x, UINT64_MAX / odd, shift };
}

static bool divides(struct divisor d, uint64_t x)
{
    return (x & ((UINT64_C(1) << d.shift) - 1)) == 0
        && (x >> d.shift) * d.inverse <= d.most;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static uint64_t unit_of(const uint64_t *v, size_t n, uint64_t base, uint64_t range)
{
    struct divisor d = divisor_of(range);
    uint64_t unit = range;

    for (size_t i = 0; i < n && unit > 1; i++) {
        if (divides(d, v[i] - base)) continue;
        unit = gcd(unit, v[i] - base);
        d = divisor_of(unit);
    }
    return unit;
}

void tw_tape_column_measure(struct tw_tape_column *c, const uint64_t *v, size_t n)
{
    int64_t least = n ? (int64_t)v[0] : 0, most = least;
    uint64_t range;

    *c = (struct tw_tape_column){ .unit = 1 };
    for (size_t i = 1; i < n; i++) {
        int64_t x = (int64_t)v[i];

        if (x < least) least = x;
        if (x > most) most = x;
        c->changes += v[i] != v[i - 1];
    }
    c->base = (uint64_t)least;
    range = (uint64_t)most - (uint64_t)least;
    if (range == 0) return;
    c->unit = unit_of(v, n, c->base, range);
    for (range /= c->unit; range; range >>= 8) c->width++;
}

static unsigned char *put_varint(unsigned char *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) *p++ = (unsigned char)(v | 0x80);
    *p++ = (unsigned char)v;
    return p;
}

unsigned char *tw_tape_column_put(const struct tw_tape_column *c, unsigned char *p,
                                  const uint64_t *v, size_t n)
{
    struct divisor d = divisor_of(c->unit);

    p = put_varint(p, c->base << 1 ^ (uint64_t)((int64_t)c->base >> 63));
    p = put_varint(p, c->unit);
    *p++ = (unsigned char)c->width;
    for (size_t i = 0; c->width > 0 && i < n; i++) {
        uint64_t x = ((v[i] - c->base) >> d.shift) * d.inverse;

        for (unsigned k = 0; k < c->width; k++, x >>= 8) p[k * n + i] = (unsigned char)x;
    }
    return p + c->width * n;
}

static const unsigned char *get_varint(const unsigned char *p, const unsigned char *end,
                                       uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; p && p < end && shift < 64; shift += 7) {
        *v |= (uint64_t)(*p & 0x7f) << shift;
        if (*p++ < 0x80) return p;
    }
    return NULL;
}

/* One loop for each width, so that each has no inner one. */
static void get_bytes(const unsigned char *p, unsigned width, uint64_t *v, size_t n,
                      uint64_t base, uint64_t unit)
{
    const unsigned char *b = p + n, *c = b + n, *d = c + n;

    switch (width) {
    case 0:
        for (size_t i = 0; i < n; i++) v[i] = base;
        break;
    case 1:
        for (size_t i = 0; i < n; i++) v[i] = base + unit * p[i];
        break;
    case 2:
        for (size_t i = 0; i < n; i++)
            v[i] = base + unit * (p[i] | (uint64_t)b[i] << 8);
        break;
    case 3:
        for (size_t i = 0; i < n; i++)
            v[i] = base + unit * (p[i] | (uint64_t)b[i] << 8 | (uint64_t)c[i] << 16);
        break;
    case 4:
        for (size_t i = 0; i < n; i++)
            v[i] = base + unit * (p[i] | (uint64_t)b[i] << 8 | (uint64_t)c[i] << 16
                                  | (uint64_t)d[i] << 24);
        break;
    default:
        for (size_t i = 0; i < n; i++) {
            uint64_t x = 0;

            for (unsigned k = width; k-- > 0;) x = x << 8 | p[k * n + i];
            v[i] = base + unit * x;
        }
    }
}

const unsigned char *tw_tape_column_get(const unsigned char *p, const unsigned char *end,
                                        uint64_t *v, size_t n)
{
    uint64_t base, unit;
    unsigned width;

    p = get_varint(p, end, &base);
    p = get_varint(p, end, &unit);
    if (!p || p == end) return NULL;
    width = *p++;
    if (width > WIDTH_MAX || (size_t)(end - p) / (width ? width : 1) < (width ? n : 0))
        return NULL;
    get_bytes(p, width, v, n, base >> 1 ^ -(base & 1), unit);
    return p + width * n;
}
