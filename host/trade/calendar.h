/* calendar.h - when a market is open.
 *
 * A session belongs to a day of the market's zone: the day on which it closes.  One that
 * opens later in the day than it closes opens on the day before.
 *
 * Layer host/trade.  Thread: any; a calendar is constant once it is made.
 */
#ifndef TW_CALENDAR_H
#define TW_CALENDAR_H

#include "base/zone.h"

struct tw_calendar;

/* One trading session: [open, close), ns since the epoch. */
struct tw_session { int64_t open_ns, close_ns; };

/* A day that is not as the others: days since 1970-01-01.  close < 0: none is traded. */
struct tw_special_day { int32_t day, close; };

struct tw_calendar_options {
    struct tw_zone *zone;             /* goes to the calendar; NULL: UTC             */
    int32_t open, close;              /* seconds of the day; close up to 86400       */
    unsigned weekdays;                /* a bit for each, Monday's is 1               */
    const struct tw_special_day *special;    /* copied, in any order                 */
    size_t n;
};

/* NULL: no memory; the zone is the caller's still. */
struct tw_calendar *tw_calendar_new(const struct tw_calendar_options *options);
void tw_calendar_free(struct tw_calendar *c);

/* The session that time_ns is in, or else the next one; false: there is none within a
 * year.  c may be NULL: open all the time, a session is a day of UTC.
 * Thread: any.  Blocks: never.  Memory: none. */
bool tw_calendar_session(const struct tw_calendar *c, int64_t time_ns,
                         struct tw_session *out);

/* Seconds of the day at which it opens; 0: the day before.  Thread: any. */
int32_t tw_calendar_opens(const struct tw_calendar *c);

/* The first midnight of its zone at time_ns or later.  Thread: any.  Blocks: never. */
int64_t tw_calendar_midnight(const struct tw_calendar *c, int64_t time_ns);

#endif
