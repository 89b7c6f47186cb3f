/* extent.c - the times of some records, first to last, as text. */
#include "feed/extent.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/date.h"

void tw_extent_add(struct tw_extent *e, const struct tw_record *r)
{
    int64_t at = tw_record_at(r);

    if (r->kind == TW_MESSAGE || r->kind == TW_TIMER) return;   /* by another clock */
    if (e->n == 0 || at < e->first_ns) e->first_ns = at;
    if (e->n++ == 0 || at > e->last_ns) e->last_ns = at;
    e->has_times = e->has_times || !tw_bar_is_day(r);
}

const char *tw_extent_text(const struct tw_extent *e, char out[TW_EXTENT_TEXT])
{
    char from[TW_DATE_TEXT], to[TW_DATE_TEXT];
    enum tw_date form = e->has_times ? TW_DATE_SECOND : TW_DATE_DAY;

    snprintf(out, TW_EXTENT_TEXT, "%s to %s", tw_date_text(e->first_ns, form, from),
             tw_date_text(e->last_ns, form, to));
    return out;
}

const char *tw_extent_wanted(int64_t from_ns, int64_t to_ns, char out[TW_EXTENT_TEXT])
{
    char from[TW_DATE_TEXT], to[TW_DATE_TEXT];

    tw_date_text(from_ns, from_ns % TW_DAY_NS ? TW_DATE_SECOND : TW_DATE_DAY, from);
    tw_date_text(to_ns, to_ns % TW_DAY_NS ? TW_DATE_SECOND : TW_DATE_DAY, to);
    if (from_ns == INT64_MIN && to_ns == INT64_MAX) out[0] = '\0';
    else if (from_ns == INT64_MIN) snprintf(out, TW_EXTENT_TEXT, " before %s", to);
    else if (to_ns == INT64_MAX) snprintf(out, TW_EXTENT_TEXT, " from %s on", from);
    else snprintf(out, TW_EXTENT_TEXT, " from %s to %s", from, to);
    return out;
}
