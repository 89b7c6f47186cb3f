/* calendar.h - when a market is open.
 *
 * Layer host/trade.  Thread: any; a calendar is constant once it is made.
 */
#ifndef TW_CALENDAR_H
#define TW_CALENDAR_H

#include "base/tw.h"

struct tw_calendar;

/* One trading session: [open, close), ns since the epoch. */
struct tw_session { int64_t open_ns, close_ns; };

/* The session that time_ns is in, or else the next one; false: there is none any more.
 * c may be NULL: open all the time, a session is a day of UTC.
 * Thread: any.  Blocks: never.  Memory: none. */
bool tw_calendar_session(const struct tw_calendar *c, int64_t time_ns,
                         struct tw_session *out);

#endif
