/* timestamp.h - the ways a file writes a time, to nanoseconds since the epoch.
 *
 * Layer host/feed.
 */
#ifndef TW_TIMESTAMP_H
#define TW_TIMESTAMP_H

#include "base/tw.h"

/* Numbers since the epoch (or whatever the caller counts from), or a date. */
enum tw_csv_time { TW_CSV_NS, TW_CSV_US, TW_CSV_MS, TW_CSV_S, TW_CSV_ISO };

/* Days from 1970-01-01 to a date of the Gregorian calendar, years 1 and up.
 * False when there is no such day.  Thread: any.  Blocks: never. */
bool tw_timestamp_days(int year, int month, int day, int64_t *days);

/* Reads all of [text, text + n).  A number may have decimals; a date is ISO
 * 8601, extended or basic (2024-01-02T09:30:00.5+05:00, 20240102 093000123,
 * 2024-01-02) and in UTC unless it says otherwise.  Exact or refused:
 * TW_EFORMAT, or TW_ERANGE for a part of a nanosecond or a time that int64
 * nanoseconds do not hold.  *ns is untouched on failure.
 * Thread: any.  Blocks: never.  Memory: none. */
int tw_timestamp_parse(const char *text, size_t n, enum tw_csv_time form,
                       int64_t *ns);

/* The date of one time, which that of the next one in a file mostly is; {0}: none. */
struct tw_timestamp_date { char text[10]; int64_t days; };

/* The same, of times that follow each other.  Thread: the owner's of last.
 * Blocks: never.  Memory: none. */
int tw_timestamp_parse_next(const char *text, size_t n, enum tw_csv_time form,
                            struct tw_timestamp_date *last, int64_t *ns);

/* Of ten bytes, 2006-01-02, and eight, 09:01:00, as most files have them: false: join
 * them and look closer.  Thread: the owner's of last.  Blocks: never.  Memory: none. */
bool tw_timestamp_parse_apart(const char *date, const char *clock,
                              struct tw_timestamp_date *last, int64_t *ns);

/* Does the text of a date and a time say where it is the time of?
 * Thread: any.  Blocks: never. */
bool tw_timestamp_has_zone(const char *text, size_t n);

/* Is it a day without a time, 2006-01-02 or 20060102?  Thread: any.  Blocks: never. */
bool tw_timestamp_is_date(const char *text, size_t n);

/* Which form a text has, or TW_EFORMAT.  A number is told by its digits: up to
 * 11 are seconds, 14 milliseconds, 17 microseconds; 8, 14 or 17 that make a
 * date of this or the last century are one.  Thread: any.  Blocks: never. */
int tw_timestamp_look(const char *text, size_t n);

#endif
