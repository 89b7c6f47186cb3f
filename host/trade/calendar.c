/* calendar.c - when a market is open. */
#include "trade/calendar.h"

bool tw_calendar_session(const struct tw_calendar *c, int64_t time_ns,
                         struct tw_session *out)
{
    const int64_t day = INT64_C(86400000000000);
    int64_t into = time_ns % day;

    (void)c;
    if (into < 0) into += day;
    out->open_ns = time_ns - into;
    out->close_ns = out->open_ns + day;
    return true;
}
