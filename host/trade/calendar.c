/* calendar.c - when a market is open. */
#include "trade/calendar.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum { DAY = 86400 };

struct tw_calendar {
    struct tw_zone *zone;
    int32_t open, close;
    unsigned weekdays;
    size_t n;
    struct tw_special_day special[];  /* by day */
};

static int by_day(const void *a, const void *b)
{
    int32_t x = ((const struct tw_special_day *)a)->day;
    int32_t y = ((const struct tw_special_day *)b)->day;

    return (x > y) - (x < y);
}

struct tw_calendar *tw_calendar_new(const struct tw_calendar_options *options)
{
    size_t bytes = options->n * sizeof *options->special;
    struct tw_calendar *c = tw_calloc(1, sizeof *c + bytes);

    if (!c) return NULL;
    c->zone = options->zone;
    c->open = options->open;
    c->close = options->close;
    c->weekdays = options->weekdays;
    c->n = options->n;
    if (bytes) memcpy(c->special, options->special, bytes);
    qsort(c->special, c->n, sizeof *c->special, by_day);
    return c;
}

void tw_calendar_free(struct tw_calendar *c)
{
    if (!c) return;
    tw_zone_free(c->zone);
    tw_free(c);
}

/* Seconds at which the day's session closes, or -1. */
static int32_t close_of(const struct tw_calendar *c, int64_t day)
{
    struct tw_special_day key = { .day = (int32_t)day };
    const struct tw_special_day *found =
        c->n ? bsearch(&key, c->special, c->n, sizeof key, by_day) : NULL;
    int weekday = (int)(((day + 3) % 7 + 7) % 7);   /* 1970-01-01 was a Thursday: 3 */

    if (found) return found->close;
    return c->weekdays & 1u << weekday ? c->close : -1;
}

int32_t tw_calendar_opens(const struct tw_calendar *c)
{
    return c->open < c->close ? c->open : 0;
}

int64_t tw_calendar_midnight(const struct tw_calendar *c, int64_t time_ns)
{
    int64_t time = -tw_clock_spans(-time_ns, TW_SECOND_NS);     /* rounded up */
    int64_t local = time + tw_zone_offset(c->zone, time);

    return tw_zone_time(c->zone, -tw_clock_spans(-local, DAY) * DAY) * TW_SECOND_NS;
}

bool tw_calendar_session(const struct tw_calendar *c, int64_t time_ns,
                         struct tw_session *out)
{
    int64_t time = tw_clock_spans(time_ns, TW_SECOND_NS);
    int64_t today;

    if (!c) {
        out->open_ns = tw_clock_spans(time, DAY) * DAY * TW_SECOND_NS;
        out->close_ns = out->open_ns + DAY * TW_SECOND_NS;
        return true;
    }
    today = tw_clock_spans(time + tw_zone_offset(c->zone, time), DAY);
    for (int64_t day = today; day < today + 366; day++) {
        int32_t close = close_of(c, day);
        int64_t from = (c->open < c->close ? day : day - 1) * DAY + c->open;

        if (close < 0) continue;
        out->close_ns = tw_zone_time(c->zone, day * DAY + close) * TW_SECOND_NS;
        out->open_ns = tw_zone_time(c->zone, from) * TW_SECOND_NS;
        if (time_ns < out->close_ns) return true;
    }
    return false;
}
