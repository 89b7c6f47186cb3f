/* zone.h - the time of day in a place: time zones of the system's database.
 *
 * Why: libc knows one zone a process, by a variable of the environment that threads
 * must not change.  This reads the same files (TZif, RFC 8536), any number of them.
 *
 * Layer host/base.  Thread: any; a zone is constant once it is open.
 */
#ifndef TW_ZONE_H
#define TW_ZONE_H

#include "base/tw.h"

struct tw_zone;

/* "America/New_York", "UTC", or a constant offset, "+05:30".  NULL: *error says why.
 * Blocks: on the disk.  Memory: freed by tw_zone_free. */
struct tw_zone *tw_zone_open(const char *name, struct tw_error *error);

/* The same from the bytes of a file; name is for errors.  Blocks: never. */
struct tw_zone *tw_zone_read(const char *name, const unsigned char *bytes, size_t n,
                             struct tw_error *error);
void tw_zone_free(struct tw_zone *z);

/* Seconds east of UTC at a time (seconds since the epoch); z NULL: UTC.
 * Blocks: never. */
int32_t tw_zone_offset(const struct tw_zone *z, int64_t time);

/* The time at which clocks there show `local` (seconds since 1970-01-01 00:00 of those
 * clocks): the first, where they show it twice; where they skip it, as many seconds after
 * the skip as it is into it.  Blocks: never. */
int64_t tw_zone_time(const struct tw_zone *z, int64_t local);

#endif
