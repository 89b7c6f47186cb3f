/* date.h - a time as people write it: 2024-05-07 14:30:00, in UTC.
 *
 * Layer host/base.  Thread: any.  Blocks: never.
 */
#ifndef TW_DATE_H
#define TW_DATE_H

#include <stdint.h>

enum { TW_DATE_TEXT = 32 };

/* EXACT: with as many digits behind the second as it has. */
enum tw_date { TW_DATE_DAY, TW_DATE_SECOND, TW_DATE_MS, TW_DATE_EXACT };

/* Returns out. */
const char *tw_date_text(int64_t ns, enum tw_date to, char out[TW_DATE_TEXT]);

#endif
