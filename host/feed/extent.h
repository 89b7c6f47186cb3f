/* extent.h - the times of some records, first to last, as text.
 *
 * Layer host/feed.  Thread: any.  Blocks: never.  Memory: none.
 */
#ifndef TW_EXTENT_H
#define TW_EXTENT_H

#include "tape/bar.h"

/* Of the records that were added.  All zero: of none. */
struct tw_extent {
    uint64_t n;
    int64_t first_ns, last_ns;        /* of tw_record_at                       */
    bool has_times;                   /* some are of a time, not all of a day  */
};

enum { TW_EXTENT_TEXT = 80 };

void tw_extent_add(struct tw_extent *e, const struct tw_record *r);

/* "2004-08-19 to 2013-03-01", with the time of day where it matters; UTC. */
const char *tw_extent_text(const struct tw_extent *e, char out[TW_EXTENT_TEXT]);

/* What was asked for: " from 2004-08-23 to 2004-08-24", " before 2004-08-24", " from
 * 2004-08-23 on", "" where all was: from_ns is INT64_MIN, to_ns INT64_MAX. */
const char *tw_extent_wanted(int64_t from_ns, int64_t to_ns, char out[TW_EXTENT_TEXT]);

#endif
