/* schedule.c - when a FIX session is up, and since when its numbers are.
 *
 * Why: begins are found by looking at the days around a moment, one by one, instead of by
 * arithmetic on the time of day: a day may have 23 or 25 hours, and each begin is the
 * moment that clocks in the zone show it.
 *
 * Layer host/fix.  Thread: any.
 */
#include "fix/schedule.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/date.h"

enum { WEEK = 7, AROUND = WEEK + 2 };   /* days between begins, and a span's last one */

/* A schedule, with its two ways to say days made one. */
struct plan { const struct tw_fix_schedule *s; uint8_t days; int span; };

static struct plan plan_of(const struct tw_fix_schedule *s)
{
    struct plan p = { s, s->days ? s->days : 127, s->end_s <= s->start_s };

    if (s->start_day != TW_FIX_NO_DAY) {
        p.days = (uint8_t)(1 << s->start_day);
        p.span = (s->end_day - s->start_day + WEEK) % WEEK;
        if (p.span == 0 && s->end_s <= s->start_s) p.span = WEEK;
    }
    return p;
}

/* When clocks show that time of that day (days since 1970-01-01). */
static int64_t moment(const struct tw_fix_schedule *s, int64_t day, int32_t at_s)
{
    return tw_zone_time(s->zone, day * TW_FIX_DAY_S + at_s);
}

static bool begins_on(const struct plan *p, int64_t day)
{
    int64_t weekday =                           /* 1970-01-01 was a Thursday */
        day + 4 - tw_clock_spans(day + 4, WEEK) * WEEK;

    return p->days >> weekday & 1;
}

/* The first or last day, from `day` on in steps of `step`, on which a session begins
 * and begins after now, or (step -1) not after it. */
static int64_t find_begin(const struct plan *p, int64_t day, int step, int64_t now)
{
    for (int i = 0; i < AROUND; i++, day += step)
        if (begins_on(p, day)
            && (moment(p->s, day, p->s->start_s) > now) == (step > 0))
            break;
    return day;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct tw_fix_period tw_fix_schedule_at(const struct tw_fix_schedule *s, int64_t now_ns)
{
    struct tw_fix_period found = { true, INT64_MIN, INT64_MAX };
    struct plan p = plan_of(s);
    int64_t now = tw_clock_spans(now_ns, TW_SECOND_NS);
    int64_t since = INT64_MIN, next = INT64_MAX;
    int64_t today = tw_clock_spans(now + tw_zone_offset(s->zone, now), TW_FIX_DAY_S);

    if (!s->non_stop) {
        int64_t last = find_begin(&p, today + 1, -1, now), end;

        next = moment(s, find_begin(&p, today - 1, 1, now), s->start_s);
        end = least(moment(s, last + p.span, s->end_s), next);
        since = moment(s, last, s->start_s);
        found.up = now < end;
        if (found.up) next = end;
    }
    if (s->reset_s != TW_FIX_NO_TIME && found.up) {
        int64_t day = today + 1;

        while (moment(s, day, s->reset_s) > now) {
            next = least(next, moment(s, day, s->reset_s));
            day--;
        }
        if (moment(s, day, s->reset_s) > since) since = moment(s, day, s->reset_s);
    }
    if (since != INT64_MIN) found.since_ns = since * TW_SECOND_NS;
    if (next != INT64_MAX) found.next_ns = next * TW_SECOND_NS;
    return found;
}

bool tw_fix_schedule_outside(const struct tw_fix_schedule *s, int64_t now_ns,
                             char out[64])
{
    struct tw_fix_period now = tw_fix_schedule_at(s, now_ns);
    char next[TW_DATE_TEXT];

    if (now.up) return false;
    snprintf(out, 64, "outside its schedule, until %.19s UTC",
             tw_date_text(now.next_ns, TW_DATE_SECOND, next));
    return true;
}

const char *tw_fix_schedule_fault(const struct tw_fix_schedule *s)
{
    if (s->reset_s != TW_FIX_NO_TIME && (s->reset_s < 0 || s->reset_s >= TW_FIX_DAY_S))
        return "the reset time is not within a day";
    if (s->non_stop) return NULL;
    if (s->start_s < 0 || s->start_s >= TW_FIX_DAY_S || s->end_s < 0
        || s->end_s > TW_FIX_DAY_S)
        return "the start time or the end time is not within a day";
    if ((s->start_day == TW_FIX_NO_DAY) != (s->end_day == TW_FIX_NO_DAY))
        return "a start day needs an end day, and the other way round";
    if (s->start_day < TW_FIX_NO_DAY || s->start_day >= WEEK
        || s->end_day < TW_FIX_NO_DAY || s->end_day >= WEEK || s->days > 127)
        return "there is no such day of the week";
    if (s->start_day != TW_FIX_NO_DAY && s->days)
        return "days of the week, and a start day too";
    return NULL;
}
