/* bar.c - bars: what fits into a record comes back, the rest is refused. */
#include "tape/bar.h"

#include <string.h>

#include "base/fixed.h"
#include "random.h"
#include "tap.h"

/* A distance of up to 41 bits in one of the units. */
static int64_t distance(int64_t unit)
{
    return (int64_t)(next() >> (23 + next() % 41)) * unit;
}

static bool is_same(const struct tw_ohlc *a, const struct tw_ohlc *b)
{
    return a->open == b->open && a->high == b->high && a->low == b->low
        && a->close == b->close && a->volume == b->volume;
}

static void comes_back(void)
{
    static const int64_t units[] = { 1, 1000, 1000000 };
    unsigned wrong = 0;

    for (unsigned i = 0; i < 300000; i++) {
        int64_t unit = units[i % 3], up = distance(unit), down = distance(unit);
        int64_t at = (int64_t)(next() % (uint64_t)((up + down) / unit + 1)) * unit;
        struct tw_ohlc got, bar = { .close = (int64_t)(next() >> 6),
                                    .volume = (int64_t)next() };
        struct tw_record r = { .seq = 3, .time = 600 * TW_FIXED_ONE };

        bar.high = bar.close + up;
        bar.low = bar.close - down;
        bar.open = bar.low + at;
        if (bar.open - bar.close >= (INT64_C(1) << 41) * unit) continue;
        wrong += tw_bar_set(&r, &bar, i, TW_BAR_ASK) < 0;
        tw_bar_get(&r, &got);
        wrong += !is_same(&bar, &got) || tw_bar_seconds(&r) != i || r.seq != 3
              || tw_bar_price(&r) != TW_BAR_ASK || r.kind != TW_BAR;
    }
    ok(wrong == 0, "300,000 bars come back (%u)", wrong);
}

static int set(int64_t open, int64_t high, int64_t low, int64_t close, uint32_t seconds)
{
    struct tw_ohlc bar = { open, high, low, close, 0 };
    struct tw_record r = { 0 };

    return tw_bar_set(&r, &bar, seconds, TW_BAR_TRADES);
}

/* Of bars that close at 7. */
static bool comes_back_as_it_is(int64_t open, int64_t high, int64_t low)
{
    struct tw_ohlc got, bar = { 7 + open, 7 + high, 7 + low, 7, 1 };
    struct tw_record r = { 0 };

    if (tw_bar_set(&r, &bar, 60, TW_BAR_TRADES) < 0) return false;
    tw_bar_get(&r, &got);
    return is_same(&bar, &got);
}

int main(void)
{
    struct tw_ohlc bar = { 1, 2, 1, 2, 5 };
    struct tw_record r = { .time = 600 * TW_FIXED_ONE };

    comes_back();
    ok(set(5, 5, 5, 5, 0) == TW_OK, "one price");
    ok(set(5, 4, 3, 4, 60) == TW_EFORMAT, "an open above the high");
    ok(set(2, 4, 3, 4, 60) == TW_EFORMAT, "an open below the low");
    ok(set(4, 4, 3, 5, 60) == TW_EFORMAT, "a close above the high");
    ok(set(4, 4, 3, 2, 60) == TW_EFORMAT, "a close below the low");
    ok(set(1, INT64_C(1) << 43, 0, 7, 60) == TW_ERANGE, "too far for nine decimals");
    ok(set(7, 7 + (INT64_C(1) << 42), 7, 7, 60) == TW_ERANGE
       && set(7, 7, 7 - (INT64_C(1) << 42), 7, 60) == TW_ERANGE
       && set(7 + (INT64_C(1) << 41), 7 + (INT64_C(1) << 41), 7, 7, 60) == TW_ERANGE
       && set(7 - (INT64_C(1) << 41) - 1, 7, 7 - (INT64_C(1) << 41) - 1, 7, 60)
          == TW_ERANGE, "a distance too far, each");
    ok(comes_back_as_it_is((INT64_C(1) << 41) - 1, (INT64_C(1) << 42) - 1, 0)
       && comes_back_as_it_is(-(INT64_C(1) << 41), 0, -(INT64_C(1) << 42) + 1),
       "the farthest of nine decimals");
    ok(set(0, 8000000000 * TW_FIXED_ONE, 0, 0, 60) == TW_OK, "far in whole units");
    ok(set(INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX, 60) == TW_ERANGE, "all there is");
    ok(set(1, 2, 1, 2, TW_BAR_SECONDS_MAX) == TW_OK
       && set(1, 2, 1, 2, (uint32_t)TW_BAR_SECONDS_MAX + 1) == TW_ERANGE, "its length");
    tw_bar_set(&r, &bar, 60, TW_BAR_BID);
    ok(tw_bar_began(&r) == 540 * TW_FIXED_ONE, "it began a minute before");
    return tap_done();
}
