/* ratio.c - averages and decimals compared as the fractions that they are. */
#include "stat/ratio.h"

static bool ratio_of(const struct tw_compared *of, struct tw_ratio *r)
{
    int64_t fixed;

    if (of->s && of->s->ops->ratio && of->s->ops->ratio(of->s, of->state, r))
        return true;
    if (!tw_exact_decimal(of->x, &fixed)) return false;
    *r = (struct tw_ratio){ (uint64_t)fixed, 1, fixed >> 63 };
    return true;
}

/* The whole part, towards the past of 0; what is left is 0 to below - 1. */
static tw_int128 whole_of(const struct tw_ratio *r, uint64_t *left)
{
    const tw_int128 v = (tw_int128)((tw_uint128)(uint64_t)r->high << 64 | r->low);
    tw_int128 whole = v / r->below;

    if (v < 0 && v % r->below) whole--;
    *left = (uint64_t)(v - whole * r->below);
    return whole;
}

int tw_compare(const struct tw_compared *a, const struct tw_compared *b)
{
    struct tw_ratio ra, rb;
    uint64_t left_a, left_b;
    tw_int128 whole_a, whole_b;
    tw_uint128 cross_a, cross_b;

    /* Each value is its fraction, rounded once: unequal ones are in the same order. */
    if (a->x != b->x || !ratio_of(a, &ra) || !ratio_of(b, &rb))
        return (a->x > b->x) - (a->x < b->x);
    whole_a = whole_of(&ra, &left_a);
    whole_b = whole_of(&rb, &left_b);
    if (whole_a != whole_b) return whole_a > whole_b ? 1 : -1;
    /* Cross-multiplied: below 2^80. */
    cross_a = (tw_uint128)left_a * rb.below;
    cross_b = (tw_uint128)left_b * ra.below;
    return (cross_a > cross_b) - (cross_a < cross_b);
}
