/* exact.h - a sum in which decimals are integers.
 *
 * Why: prices are decimal numbers, and a running sum of doubles drifts: two moving
 * means cross where there is no cross.  A value that is a decimal of at most nine
 * places (its nearest such number, as a double, is the value itself) is added to a
 * 128-bit integer, a product of two of them in units of 1e-18: both are exact, in
 * any order, and what is taken out again leaves nothing behind.
 *
 * All other values go to a compensated sum of doubles (Neumaier, "Rundungsfehler-
 * analyse einiger Verfahren zur Summation endlicher Summen", 1974; each step's error
 * is Knuth's TwoSum).  Infinities are counted, so that they too can leave again.
 *
 * A column of values is classified at once (tw_exact_column), in vectors.
 *
 * Invariants
 *   X1  While rest and error are 0, the integer is the sum.
 *   X2  remove(x) after add(x) gives the integer and the counts from before.
 *
 * Layer host/stat.  Thread: who owns it.  Blocks: never.  Memory: none.
 */
#ifndef TW_EXACT_H
#define TW_EXACT_H

#include <math.h>
#include <string.h>

#include "base/fixed.h"

/* Below it a double has enough bits to tell the decimals of nine places apart. */
#define TW_EXACT_NEAR 2251799.0

struct tw_exact {
    uint64_t low;             /* the integer: 128 bits                  */
    int64_t high;
    double rest, error;       /* what is no decimal                     */
    /* How many: in rest (modulo 2^32), infinite, -infinite (2^32 - 1: or more).
     * Sums that take values out have fewer. */
    uint32_t loose, up, down, unused;
};

__extension__ typedef __int128 tw_int128;
__extension__ typedef unsigned __int128 tw_uint128;

/* The same for values from TW_EXACT_NEAR on: six places, up to 2^51 / 1e6. */
bool tw_exact_far(double x, int64_t *fixed);

/* The integer / divisor, rounded once, for one that is not below 2^53. */
double tw_exact_wide(const struct tw_exact *e, uint64_t divisor);

/* tw_exact_merge, of anything. */
void tw_exact_merge_any(struct tw_exact *e, const struct tw_exact *from);

/* What no decimal is as an integer. */
#define TW_EXACT_OTHER INT64_MIN

/* n values as integers: TW_EXACT_OTHER is what is no decimal, or not near. */
void tw_exact_column(unsigned n, const double *x, int64_t *fixed);

/* Adding it rounds to an integer what is below 2^51, and that is then in the low
 * bits. */
#define TW_EXACT_SHIFT 0x1.8p52
#define TW_EXACT_SHIFT_BITS INT64_C(0x4338000000000000)

/* The integer nearest to x * 1e9, for x below TW_EXACT_NEAR. */
static inline int64_t tw_exact_nearest(double x)
{
    const double shifted = x * 1e9 + TW_EXACT_SHIFT;
    int64_t bits;

    memcpy(&bits, &shifted, sizeof bits);
    return bits - TW_EXACT_SHIFT_BITS;
}

/* Whether x is a decimal, and then which. */
static inline bool tw_exact_decimal(double x, int64_t *fixed)
{
    if (!(fabs(x) < TW_EXACT_NEAR)) return tw_exact_far(x, fixed);
    *fixed = tw_exact_nearest(x);
    return (double)*fixed / 1e9 == x;
}

static inline tw_int128 tw_exact_integer(const struct tw_exact *e)
{
    return (tw_int128)((tw_uint128)(uint64_t)e->high << 64 | e->low);
}

static inline void tw_exact_set(struct tw_exact *e, tw_int128 v)
{
    e->low = (uint64_t)v;
    e->high = (int64_t)(v >> 64);
}

static inline void tw_exact_loose(struct tw_exact *e, double x)
{
    double t = e->rest + x, z = t - e->rest;

    e->error += (e->rest - (t - z)) + (x - z);
    e->rest = t;
}

/* Adds, or with sign -1 takes out, what is no decimal. */
void tw_exact_odd(struct tw_exact *e, double x, int sign);

/* A decimal.  In halves: gcc 12 takes a detour over the stack for a tw_int128. */
static inline void tw_exact_add(struct tw_exact *e, int64_t fixed)
{
    const uint64_t low = e->low + (uint64_t)fixed, carry = low < (uint64_t)fixed;

    e->high = (int64_t)((uint64_t)e->high + (uint64_t)(fixed >> 63) + carry);
    e->low = low;
}

static inline void tw_exact_step(struct tw_exact *e, double x, int sign)
{
    int64_t fixed;

    if (tw_exact_decimal(x, &fixed)) tw_exact_add(e, sign * fixed);
    else tw_exact_odd(e, x, sign);
}

/* The product of two decimals, that is about `near`: the sum is in units of 1e-18. */
static inline void tw_exact_add_product(struct tw_exact *e, int64_t a, int64_t b,
                                        double near, int sign)
{
    tw_int128 sum;

    /* Products below 1e12 (2^100 units) leave room for 2^27 of them; then the
     * integer is full and goes on as a double. */
    if (!(fabs(near) < 1e12)) {
        tw_exact_odd(e, near, sign);
        return;
    }
    if (__builtin_add_overflow(tw_exact_integer(e), (tw_int128)(sign * a) * b, &sum)) {
        tw_exact_loose(e, (double)tw_exact_integer(e) / 1e18);
        sum = (tw_int128)(sign * a) * b;
    }
    tw_exact_set(e, sum);
}

static inline void tw_exact_product(struct tw_exact *e, double x, double y, int sign)
{
    int64_t a, b;

    if (tw_exact_decimal(x, &a) && tw_exact_decimal(y, &b))
        tw_exact_add_product(e, a, b, x * y, sign);
    else
        tw_exact_odd(e, x * y, sign);
}

/* The integer as a double, up to a rounding or two. */
static inline double tw_exact_about(const struct tw_exact *e)
{
    tw_int128 v = tw_exact_integer(e);
    tw_uint128 a = v < 0 ? 0 - (tw_uint128)v : (tw_uint128)v;
    /* In parts of which each fits an int64_t: no other becomes a double as fast. */
    double d = (double)(int64_t)(a >> 64) * 0x1p64
        + ((double)(int64_t)((uint64_t)a >> 32) * 0x1p32 + (double)(uint32_t)a);

    return v < 0 ? -d : d;
}

/* Nothing but decimals were added that are still in. */
static inline bool tw_exact_only_decimals(const struct tw_exact *e)
{
    return (e->loose | e->up | e->down) == 0;
}

/* X1. */
static inline bool tw_exact_whole(const struct tw_exact *e)
{
    return e->rest == 0 && e->error == 0 && (e->up | e->down) == 0;
}

/* Adds all of `from`, as if its values came after those of `e`. */
static inline void tw_exact_merge(struct tw_exact *e, const struct tw_exact *from)
{
    tw_int128 sum;

    if (tw_exact_only_decimals(from) && from->rest == 0 && from->error == 0
        && !__builtin_add_overflow(tw_exact_integer(e), tw_exact_integer(from), &sum))
        tw_exact_set(e, sum);
    else
        tw_exact_merge_any(e, from);
}

/* The integer / divisor, rounded once.  divisor: 1e9 or 1e18, below 2^63. */
static inline double tw_exact_ratio(const struct tw_exact *e, uint64_t divisor)
{
    int64_t v = (int64_t)e->low;

    if (v >> 63 == e->high && v < INT64_C(1) << 53 && v > -(INT64_C(1) << 53))
        return (double)v / (double)(int64_t)divisor;
    return tw_exact_wide(e, divisor);
}

/* tw_exact_value, where not all is the integer. */
double tw_exact_mixed(const struct tw_exact *e, uint64_t unit);

/* The sum; unit is 1e9, or 1e18 for one of products. */
static inline double tw_exact_value(const struct tw_exact *e, uint64_t unit)
{
    return tw_exact_whole(e) ? tw_exact_ratio(e, unit) : tw_exact_mixed(e, unit);
}

/* The mean of n values, of at least one: one rational number is one double, whatever
 * the sum and n that it comes from. */
static inline double tw_exact_mean(const struct tw_exact *e, uint64_t n)
{
    if (tw_exact_whole(e) && n < UINT64_C(1) << 32)
        return tw_exact_ratio(e, n * (uint64_t)TW_FIXED_ONE);
    return tw_exact_value(e, (uint64_t)TW_FIXED_ONE) / (double)n;
}

/* a - b, of two decimals the double nearest to their difference: so equal differences
 * of prices are equal. */
static inline double tw_exact_minus(double a, double b)
{
    int64_t x, y;

    if (!tw_exact_decimal(a, &x) || !tw_exact_decimal(b, &y)
        || x - y >= INT64_C(1) << 53 || y - x >= INT64_C(1) << 53)
        return a - b;
    return (double)(x - y) / 1e9;
}

#endif
