/* bar.h - open, high, low, close and volume of a span of time, in one record.
 *
 * A bar's time is that of its end: when it is known.  The payload holds close and
 * volume whole, and the distances of the other three from the close in 42 bits each,
 * in the smallest unit of 1e-9, 1e-6, 1e-3 and 1 that is exact for all three; what
 * does not fit into that is refused.  source_seq holds the length in seconds (30
 * bits) and what the prices are of.
 *
 * Layer host/tape.  Thread: any.  Blocks: never.  Memory: none.
 */
#ifndef TW_BAR_H
#define TW_BAR_H

#include "base/clock.h"
#include "tape/record.h"

enum { TW_BAR_SECONDS_MAX = (1 << 30) - 1 };

enum tw_bar_price { TW_BAR_TRADES, TW_BAR_BID, TW_BAR_ASK, TW_BAR_MID };

struct tw_ohlc { int64_t open, high, low, close, volume; };

/* Makes r a bar: kind, payload and source_seq; the rest is the caller's.  seconds: its
 * length; 0: not by time.  TW_EFORMAT: low <= open, close <= high does not hold;
 * TW_ERANGE: the prices are too far from each other for so many decimals, or seconds is
 * too large. */
int tw_bar_set(struct tw_record *r, const struct tw_ohlc *bar, uint32_t seconds,
               enum tw_bar_price price);

void tw_bar_get(const struct tw_record *r, struct tw_ohlc *out);

static inline uint32_t tw_bar_seconds(const struct tw_record *r)
{
    return r->source_seq & TW_BAR_SECONDS_MAX;
}

static inline enum tw_bar_price tw_bar_price(const struct tw_record *r)
{
    return (enum tw_bar_price)(r->source_seq >> 30);
}

/* When it began; its end, where it is not by time. */
static inline int64_t tw_bar_began(const struct tw_record *r)
{
    return r->time - tw_bar_seconds(r) * TW_SECOND_NS;
}

static inline bool tw_bar_is_day(const struct tw_record *r)
{
    return r->kind == TW_BAR && tw_bar_seconds(r) == 86400;
}

/* Where it stands when a part of the records is asked for by time.  A bar of a day is of
 * that day, in whatever zone, though it ends with the next one's midnight: its middle. */
static inline int64_t tw_record_at(const struct tw_record *r)
{
    return tw_bar_is_day(r) ? r->time - TW_DAY_NS / 2 : r->time;
}

#endif
