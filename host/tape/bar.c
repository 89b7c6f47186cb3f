/* bar.c - five numbers into 256 bits, and back. */
#include "tape/bar.h"

enum { BITS = 42 };

static const int64_t units[4] = { 1, 1000, 1000000, 1000000000 };

/* Distances from the close, none below 0 but the open's. */
struct distances { int64_t open, high, low; };

static bool fits(const struct distances *d, int64_t unit)
{
    const int64_t half = INT64_C(1) << (BITS - 1);

    return d->open % unit == 0 && d->high % unit == 0 && d->low % unit == 0
        && d->open / unit >= -half && d->open / unit < half
        && d->high / unit < 2 * half && d->low / unit < 2 * half;
}

/* In units of 1e-9, as nearly all do: nine divisions less. */
static inline bool fits_as_it_is(const struct distances *d)
{
    const uint64_t half = UINT64_C(1) << (BITS - 1);

    return (uint64_t)d->open + half < 2 * half
        && ((uint64_t)d->high | (uint64_t)d->low) < 2 * half;
}

/* In the first unit that will do: its number, or -1. */
static TW_APART int scale(struct distances *d)
{
    int unit;

    for (unit = 1; unit < 4 && !fits(d, units[unit]);) unit++;
    if (unit == 4) return -1;
    d->open /= units[unit];
    d->high /= units[unit];
    d->low /= units[unit];
    return unit;
}

int tw_bar_set(struct tw_record *r, const struct tw_ohlc *bar, uint32_t seconds,
               enum tw_bar_price price)
{
    const uint64_t mask = (UINT64_C(1) << BITS) - 1;
    struct distances d;
    uint64_t open, high, low;
    int unit = 0;

    if (seconds > TW_BAR_SECONDS_MAX) return TW_ERANGE;
    if (bar->low > bar->open || bar->low > bar->close || bar->high < bar->open
        || bar->high < bar->close)
        return TW_EFORMAT;
    if (__builtin_sub_overflow(bar->open, bar->close, &d.open)
        || __builtin_sub_overflow(bar->high, bar->close, &d.high)
        || __builtin_sub_overflow(bar->close, bar->low, &d.low))
        return TW_ERANGE;
    if (!fits_as_it_is(&d) && (unit = scale(&d)) < 0) return TW_ERANGE;
    open = (uint64_t)d.open & mask;
    high = (uint64_t)d.high;
    low = (uint64_t)d.low;
    r->kind = TW_BAR;
    r->source_seq = seconds | (uint32_t)price << 30;
    r->bar.close = bar->close;
    r->bar.volume = bar->volume;
    r->bar.packed[0] = open | high << BITS;
    r->bar.packed[1] = high >> (64 - BITS) | low << (2 * BITS - 64)
                     | (uint64_t)unit << 62;
    return TW_OK;
}

void tw_bar_get(const struct tw_record *r, struct tw_ohlc *out)
{
    const uint64_t mask = (UINT64_C(1) << BITS) - 1;
    uint64_t first = r->bar.packed[0], second = r->bar.packed[1];
    int64_t unit = units[second >> 62];
    int64_t open = (int64_t)(first << (64 - BITS)) >> (64 - BITS);
    uint64_t high = (first >> BITS | second << (64 - BITS)) & mask;
    uint64_t low = second >> (2 * BITS - 64) & mask;

    out->close = r->bar.close;
    out->volume = r->bar.volume;
    out->open = out->close + open * unit;
    out->high = out->close + (int64_t)high * unit;
    out->low = out->close - (int64_t)low * unit;
}
