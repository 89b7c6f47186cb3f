/* exact.c - the rare halves of exact sums. */
#include "stat/exact.h"

#include <string.h>

bool tw_exact_far(double x, int64_t *fixed)
{
    double units = rint(x * 1e6);

    if (!(fabs(units) < 0x1p51)) return false;
    *fixed = (int64_t)units * 1000;
    return units / 1e6 == x;
}

void tw_exact_infinite(struct tw_exact *e, double x, int sign)
{
    uint64_t one = (uint64_t)(int64_t)sign;

    if (!(x < 0)) e->up += one;
    if (!(x > 0)) e->down += one;
}

void tw_exact_merge(struct tw_exact *e, const struct tw_exact *from)
{
    tw_int128 sum;

    if (__builtin_add_overflow(tw_exact_integer(e), tw_exact_integer(from), &sum)) {
        /* As in tw_exact_product: only sums of products come so far. */
        tw_exact_loose(e, (double)tw_exact_integer(e) / 1e18);
        sum = tw_exact_integer(from);
    }
    tw_exact_set(e, sum);
    tw_exact_loose(e, from->rest);
    e->error += from->error;
    e->loose += from->loose;
    e->up += from->up;
    e->down += from->down;
}

double tw_exact_wide(const struct tw_exact *e, uint64_t divisor)
{
    tw_int128 v = tw_exact_integer(e);
    tw_uint128 a = v < 0 ? 0 - (tw_uint128)v : (tw_uint128)v;
    uint64_t top = (uint64_t)(a >> 64), q, bits, lost = 0;
    int used = 128 - (top ? __builtin_clzll(top) : 64 + __builtin_clzll((uint64_t)a));
    int shift = 127 - __builtin_clzll(divisor) - used;
    double scale, d;

    /* So shifted, the quotient has 63 or 64 bits: what lies below them only says
     * whether it is a tie. */
    if (shift < 0) {
        lost = (uint64_t)(a << (128 + shift) != 0);
        a >>= -shift;
    } else {
        a <<= shift;
    }
    q = (uint64_t)(a / divisor);
    lost |= (uint64_t)a != q * divisor;
    d = (double)(q | lost);
    /* 2^-shift */
    bits = (uint64_t)(1023 - shift) << 52;
    memcpy(&scale, &bits, sizeof scale);
    return v < 0 ? -(d * scale) : d * scale;
}
