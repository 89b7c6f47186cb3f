/* schedule.h - when a FIX session is up, and since when its numbers are.
 *
 * A session begins at a time of day on some days of the week and ends at another, as
 * clocks in a zone show them; its numbers begin anew with it, and at the reset time.
 *
 * Layer host/fix.  Thread: any; a schedule is constant.  Blocks: never.
 */
#ifndef TW_FIX_SCHEDULE_H
#define TW_FIX_SCHEDULE_H

#include "base/zone.h"

enum { TW_FIX_DAY_S = 86400, TW_FIX_NO_TIME = -1, TW_FIX_NO_DAY = -1 };

struct tw_fix_schedule {
    bool non_stop;              /* always up; of the others only reset_s counts        */
    const struct tw_zone *zone; /* NULL: UTC                                           */
    int32_t start_s, end_s;     /* of the day; an end that is not after the start is
                                 * on the next day                                     */
    uint8_t days;               /* on which it begins: bit 0 Sunday; 0: on every one   */
    int8_t start_day, end_day;  /* 0 Sunday: begins on one day of the week and ends on
                                 * another; TW_FIX_NO_DAY both: as days says           */
    int32_t reset_s;            /* of each day; TW_FIX_NO_TIME: none                   */
};

/* What a schedule says of a moment. */
struct tw_fix_period {
    bool up;
    int64_t since_ns;    /* numbers from before are of another session: its begin or the
                          * last reset; of the one that ended last when it is not up;
                          * INT64_MIN: there is no such time                           */
    int64_t next_ns;     /* up or since_ns changes then; INT64_MAX: never              */
};

struct tw_fix_period tw_fix_schedule_at(const struct tw_fix_schedule *s, int64_t now_ns);

/* Does it not have the session up then?  out: what is told of that. */
bool tw_fix_schedule_outside(const struct tw_fix_schedule *s, int64_t now_ns,
                             char out[64]);

/* What is wrong with it, or NULL. */
const char *tw_fix_schedule_fault(const struct tw_fix_schedule *s);

#endif
