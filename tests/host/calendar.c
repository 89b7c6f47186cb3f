/* calendar.c - sessions over weekends, holidays and changes of clocks. */
#include "trade/calendar.h"

#include <string.h>

#include "base/fixed.h"
#include "feed/timestamp.h"
#include "tap.h"

static int64_t at(const char *iso)
{
    int64_t ns = 0;

    tw_timestamp_parse(iso, strlen(iso), TW_CSV_ISO, &ns);
    return ns;
}

static void is(const struct tw_calendar *c, const char *time, const char *open,
               const char *close)
{
    struct tw_session s;
    bool found = tw_calendar_session(c, at(time), &s);

    ok(found && s.open_ns == at(open) && s.close_ns == at(close), "%s: %s to %s", time,
       open, close);
}

static void stocks(void)
{
    struct tw_error error;
    struct tw_zone *zone = tw_zone_open("America/New_York", &error);
    const int64_t midnight = at("2013-10-09T04:00:00Z");
    const struct tw_special_day special[] = {
        { (int32_t)(at("2013-11-29") / 86400 / TW_FIXED_ONE), 13 * 3600 },
        { (int32_t)(at("2013-11-28") / 86400 / TW_FIXED_ONE), -1 },
    };
    struct tw_calendar *c;

    if (!zone) {
        ok(true, "New York # SKIP no zones here");
        return;
    }
    c = tw_calendar_new(&(struct tw_calendar_options){ .zone = zone, .open = 34200,
        .close = 57600, .weekdays = 31, .special = special, .n = 2 });
    is(c, "2013-10-08T14:00:00Z", "2013-10-08T13:30:00Z", "2013-10-08T20:00:00Z");
    is(c, "2013-10-08T19:59:59.999Z", "2013-10-08T13:30:00Z", "2013-10-08T20:00:00Z");
    is(c, "2013-10-08T20:00:00Z", "2013-10-09T13:30:00Z", "2013-10-09T20:00:00Z");
    is(c, "2013-10-11T21:00:00Z", "2013-10-14T13:30:00Z", "2013-10-14T20:00:00Z");
    is(c, "2013-11-01T21:00:00Z", "2013-11-04T14:30:00Z", "2013-11-04T21:00:00Z");
    is(c, "2013-11-27T22:00:00Z", "2013-11-29T14:30:00Z", "2013-11-29T18:00:00Z");
    is(c, "2013-11-29T18:00:00Z", "2013-12-02T14:30:00Z", "2013-12-02T21:00:00Z");
    ok(tw_calendar_opens(c) == 34200
       && tw_calendar_midnight(c, at("2013-10-08T12:00:00Z")) == midnight
       && tw_calendar_midnight(c, midnight) == midnight
       && tw_calendar_midnight(c, midnight + 1) == at("2013-10-10T04:00:00Z"),
       "the zone's midnights");
    tw_calendar_free(c);
}

static void futures(void)
{
    struct tw_error error;
    struct tw_zone *zone = tw_zone_open("America/Chicago", &error);
    struct tw_calendar *c;

    if (!zone) {
        ok(true, "Chicago # SKIP no zones here");
        return;
    }
    c = tw_calendar_new(&(struct tw_calendar_options){ .zone = zone, .open = 61200,
        .close = 57600, .weekdays = 31 });
    is(c, "2013-10-08T12:00:00Z", "2013-10-07T22:00:00Z", "2013-10-08T21:00:00Z");
    is(c, "2013-10-08T21:30:00Z", "2013-10-08T22:00:00Z", "2013-10-09T21:00:00Z");
    is(c, "2013-10-12T12:00:00Z", "2013-10-13T22:00:00Z", "2013-10-14T21:00:00Z");
    is(c, "2013-10-13T23:00:00Z", "2013-10-13T22:00:00Z", "2013-10-14T21:00:00Z");
    tw_calendar_free(c);
}

int main(void)
{
    struct tw_calendar *c = tw_calendar_new(&(struct tw_calendar_options){
        .close = 86400, .weekdays = 0 });
    struct tw_session s;

    is(NULL, "2013-10-08T12:00:00Z", "2013-10-08T00:00:00Z", "2013-10-09T00:00:00Z");
    is(NULL, "1969-12-31T23:59:59.9Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z");
    ok(!tw_calendar_session(c, 0, &s), "a market that never opens");
    tw_calendar_free(c);
    c = tw_calendar_new(&(struct tw_calendar_options){
        .open = 61200, .close = 61200, .weekdays = 31 });
    is(c, "2013-10-08T17:00:00Z", "2013-10-08T17:00:00Z", "2013-10-09T17:00:00Z");
    is(c, "2013-10-11T17:00:00Z", "2013-10-13T17:00:00Z", "2013-10-14T17:00:00Z");
    ok(tw_calendar_opens(c) == 0, "which opens the day before");
    tw_calendar_free(c);
    stocks();
    futures();
    return tap_done();
}
