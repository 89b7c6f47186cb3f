/* fix_schedule.c - when sessions are up: against clocks asked minute by minute. */
#include "fix/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random.h"
#include "tap.h"

static const int64_t S = 1000000000;

/* UTC. */
static int64_t at(int month, int day, int hour, int minute)
{
    struct tm tm = { .tm_year = 124, .tm_mon = month - 1, .tm_mday = day,
                     .tm_hour = hour, .tm_min = minute };

    return timegm(&tm) * S;
}

/* "08:30:05" or "08:30" */
static int32_t time_of_day(const char *text)
{
    int hour, minute, second = 0;

    sscanf(text, "%d:%d:%d", &hour, &minute, &second);
    return hour * 3600 + minute * 60 + second;
}

static struct tw_fix_schedule daily(const char *start, const char *end)
{
    return (struct tw_fix_schedule){
        .start_s = time_of_day(start), .end_s = time_of_day(end),
        .start_day = TW_FIX_NO_DAY, .end_day = TW_FIX_NO_DAY, .reset_s = TW_FIX_NO_TIME,
    };
}

static bool is(const struct tw_fix_schedule *s, int64_t now, bool up, int64_t since,
               int64_t next)
{
    struct tw_fix_period p = tw_fix_schedule_at(s, now);

    if (p.up == up && p.since_ns == since && p.next_ns == next) return true;
    printf("# up %d since %lld next %lld\n", p.up, (long long)(p.since_ns / S),
           (long long)(p.next_ns / S));
    return false;
}

static void table(void)
{
    struct tw_fix_schedule s = daily("08:00:00", "17:00");

    /* 2024-01-02 was a Tuesday. */
    ok(is(&s, at(1, 2, 7, 59), false, at(1, 1, 8, 0), at(1, 2, 8, 0)), "before");
    ok(is(&s, at(1, 2, 8, 0), true, at(1, 2, 8, 0), at(1, 2, 17, 0)), "its first moment");
    ok(is(&s, at(1, 2, 17, 0), false, at(1, 2, 8, 0), at(1, 3, 8, 0)), "its end");
    s.days = 1 << 1 | 1 << 5;                            /* Monday, Friday */
    ok(is(&s, at(1, 2, 12, 0), false, at(1, 1, 8, 0), at(1, 5, 8, 0)), "some days");
    s = daily("22:00:00", "06:00:00");
    ok(is(&s, at(1, 2, 3, 0), true, at(1, 1, 22, 0), at(1, 2, 6, 0)), "over midnight");
    s = daily("00:00:00", "00:00:00");
    ok(is(&s, at(1, 2, 3, 0), true, at(1, 2, 0, 0), at(1, 3, 0, 0)), "all day, each day");
    s = daily("00:00:00", "24:00:00");
    ok(is(&s, at(1, 2, 3, 0), true, at(1, 2, 0, 0), at(1, 3, 0, 0)), "24:00 is the same");
    s = daily("17:00:00", "16:00:00");
    s.start_day = 0;
    s.end_day = 5;                                       /* Sunday to Friday */
    ok(is(&s, at(1, 3, 3, 0), true, at(12, 31, 17, 0) - 366 * 86400 * S,
          at(1, 5, 16, 0)), "a week's session");
    ok(is(&s, at(1, 6, 3, 0), false, at(12, 31, 17, 0) - 366 * 86400 * S,
          at(1, 7, 17, 0)), "and its weekend");
    s.end_day = 0;
    s.end_s = s.start_s;
    ok(is(&s, at(1, 3, 3, 0), true, at(12, 31, 17, 0) - 366 * 86400 * S,
          at(1, 7, 17, 0)), "a week without an end");
    s = daily("08:00:00", "17:00:00");
    s.reset_s = 12 * 3600;
    ok(is(&s, at(1, 2, 11, 0), true, at(1, 2, 8, 0), at(1, 2, 12, 0)), "before a reset");
    ok(is(&s, at(1, 2, 12, 0), true, at(1, 2, 12, 0), at(1, 2, 17, 0)), "after it");
    s = (struct tw_fix_schedule){ .non_stop = true, .reset_s = TW_FIX_NO_TIME };
    ok(is(&s, at(1, 2, 3, 0), true, INT64_MIN, INT64_MAX), "non-stop");
    s.reset_s = 5 * 3600;
    ok(is(&s, at(1, 2, 3, 0), true, at(1, 1, 5, 0), at(1, 2, 5, 0)), "with a reset");
}

static void clocks_that_change(void)
{
    struct tw_error error;
    struct tw_zone *z = tw_zone_open("America/New_York", &error);
    struct tw_fix_schedule s = daily("01:30:00", "04:00:00");

    if (!z) {
        ok(true, "daylight saving time # SKIP no zones here");
        return;
    }
    s.zone = z;                                  /* 10 March and 3 November 2024 */
    ok(is(&s, at(3, 10, 7, 0), true, at(3, 10, 6, 30), at(3, 10, 8, 0)),
       "an hour and a half long when clocks go forward");
    ok(is(&s, at(11, 3, 7, 0), true, at(11, 3, 5, 30), at(11, 3, 9, 0)),
       "three and a half when they go back");
    s = daily("02:00:00", "03:00:00");
    s.zone = z;
    ok(is(&s, at(3, 10, 7, 0), false, at(3, 10, 7, 0), at(3, 11, 6, 0)),
       "no session in the hour that is skipped");
    tw_zone_free(z);
}

/* What a period says holds at both its ends and between them: each next is the first
 * moment at which it says something else. */
static void walks(void)
{
    struct tw_error error;
    struct tw_zone *zones[] = { NULL, tw_zone_open("America/New_York", &error),
                                tw_zone_open("Australia/Lord_Howe", &error) };
    unsigned wrong = 0, runs = getenv("SMALL") ? 50 : 1000;

    for (unsigned i = 0; i < runs; i++) {
        struct tw_fix_schedule s = daily("00:00", "00:00");
        int64_t now = at(1, 1, 0, 0) + (int64_t)(next() % (366 * 86400)) * S;

        s.zone = zones[next() % 3];
        s.start_s = (int32_t)(next() % 96) * 900;
        s.end_s = (int32_t)(next() % 97) * 900;
        if (next() % 3 == 0) {
            s.start_day = (int8_t)(next() % 7);
            s.end_day = (int8_t)(next() % 7);
        } else {
            s.days = (uint8_t)(next() % 128);
        }
        if (next() % 3 == 0) s.reset_s = (int32_t)(next() % 96) * 900;
        for (int k = 0; k < 20; k++) {
            struct tw_fix_period p = tw_fix_schedule_at(&s, now), q, r;
            int64_t between = p.next_ns - now;

            if (p.next_ns <= now || p.since_ns > now) {
                wrong++;
                break;
            }
            q = tw_fix_schedule_at(&s, now + (int64_t)(next() % (uint64_t)between));
            r = tw_fix_schedule_at(&s, p.next_ns - 1);
            wrong += q.up != p.up || q.since_ns != p.since_ns || q.next_ns != p.next_ns;
            wrong += r.up != p.up || r.since_ns != p.since_ns || r.next_ns != p.next_ns;
            q = tw_fix_schedule_at(&s, p.next_ns);
            wrong += q.up == p.up && q.since_ns == p.since_ns;
            now = p.next_ns;
        }
    }
    ok(wrong == 0, "what holds, holds until the next change (%u)", wrong);
    for (int i = 1; i < 3; i++) tw_zone_free(zones[i]);
}

static void faults(void)
{
    struct tw_fix_schedule s = daily("08:00", "17:00");

    ok(!tw_fix_schedule_fault(&s), "nothing is wrong");
    s.end_s = TW_FIX_NO_TIME;
    ok(tw_fix_schedule_fault(&s), "no end time");
    s = daily("08:00", "17:00");
    s.start_day = 1;
    ok(tw_fix_schedule_fault(&s), "a start day alone");
    s.end_day = 7;
    ok(tw_fix_schedule_fault(&s), "day 7");
    s.end_day = 5;
    s.days = 1;
    ok(tw_fix_schedule_fault(&s), "a start day and days");
    s.days = 0;
    ok(!tw_fix_schedule_fault(&s), "a week's session is fine");
    s.reset_s = 86400;
    ok(tw_fix_schedule_fault(&s), "a reset time past the day");
    s = daily("00:00", "00:00");
    s.reset_s = 0;
    ok(!tw_fix_schedule_fault(&s), "from midnight to midnight, with a reset there");
    s.end_s = 86400;
    ok(!tw_fix_schedule_fault(&s), "or to 24:00");
    s.start_s = 86400;
    ok(tw_fix_schedule_fault(&s), "nothing begins at 24:00");
    s = daily("17:00", "16:00");
    s.start_day = 0;
    s.end_day = 6;
    ok(!tw_fix_schedule_fault(&s), "from Sunday to Saturday");
}

int main(void)
{
    table();
    clocks_that_change();
    walks();
    faults();
    return tap_done();
}
