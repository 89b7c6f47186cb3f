/* exact.c - the rare halves of exact sums; columns of decimals. */
#include "stat/exact.h"

/* As in column.c: the same vectors twice, and the same bits of both. */
typedef double numbers __attribute__((vector_size(32)));
typedef uint64_t integers __attribute__((vector_size(32)));   /* that wrap around */
enum { STEP = sizeof(numbers) / sizeof(double) };

#define COLUMN(name, target) \
    target static void name(unsigned n, const double *x, int64_t *fixed) \
    { \
        for (unsigned i = 0; i < n; i += STEP) { \
            numbers v, shifted; \
            integers is, out; \
            memcpy(&v, x + i, sizeof v); \
            shifted = v * 1e9 + TW_EXACT_SHIFT; \
            is = (integers)(((shifted - TW_EXACT_SHIFT) / 1e9 == v) \
                            & (v < TW_EXACT_NEAR) & (v > -TW_EXACT_NEAR)); \
            out = (((integers)shifted - (uint64_t)TW_EXACT_SHIFT_BITS) & is) \
                | ((uint64_t)TW_EXACT_OTHER & ~is); \
            memcpy(fixed + i, &out, sizeof out); \
        } \
    }
COLUMN(column_plain, )
#if defined(__x86_64__)
COLUMN(column_avx2, __attribute__((target("avx2"))))
#endif

void tw_exact_column(unsigned n, const double *x, int64_t *fixed)
{
    unsigned i = n - n % STEP;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) column_avx2(i, x, fixed);
    else
#endif
        column_plain(i, x, fixed);
    for (; i < n; i++)
        if (!(fabs(x[i]) < TW_EXACT_NEAR) || !tw_exact_decimal(x[i], &fixed[i]))
            fixed[i] = TW_EXACT_OTHER;
}

bool tw_exact_far(double x, int64_t *fixed)
{
    double units = rint(x * 1e6);

    if (!(fabs(units) < 0x1p51)) return false;
    *fixed = (int64_t)units * 1000;
    return units / 1e6 == x;
}

/* As many more, and at the end no more. */
static void count(uint32_t *n, uint32_t more)
{
    *n = more > UINT32_MAX - *n ? UINT32_MAX : *n + more;
}

/* Counts an infinity, or a NaN (0 times infinity) as one of either sign. */
static void infinite(struct tw_exact *e, double x, int sign)
{
    uint32_t *const counts[] = { &e->up, &e->down };
    const bool is[] = { !(x < 0), !(x > 0) };

    for (int i = 0; i < 2; i++)
        if (!is[i]) continue;
        else if (sign < 0) --*counts[i];
        else count(counts[i], 1);
}

void tw_exact_odd(struct tw_exact *e, double x, int sign)
{
    if (isfinite(x)) {
        tw_exact_loose(e, sign * x);
        e->loose += (uint32_t)sign;
    } else {
        infinite(e, x, sign);
    }
}

double tw_exact_mixed(const struct tw_exact *e, uint64_t unit)
{
    const double rest = e->rest + e->error;

    if (e->up || e->down) return e->up && e->down ? NAN : e->up ? INFINITY : -INFINITY;
    /* Past the largest double the error is none. */
    return isnan(rest) ? e->rest : tw_exact_ratio(e, unit) + rest;
}

void tw_exact_merge_any(struct tw_exact *e, const struct tw_exact *from)
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
    count(&e->up, from->up);
    count(&e->down, from->down);
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
