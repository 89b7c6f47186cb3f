/* chart.h - a price over time, in a bounded number of points.
 *
 * Of each span of time the last price is kept; when there are too many, spans become
 * twice as long.
 *
 * Layer lua.  Thread: the owner's.
 */
#ifndef LTW_CHART_H
#define LTW_CHART_H

#include "base/tw.h"

enum { LTW_CHART_POINTS = 4096 };

struct ltw_chart {
    struct ltw_chart_point { int64_t time_ns, price; } *point;   /* n of room */
    size_t n, room;
    int64_t span_ns, till_ns;       /* till: the last point's span ends     */
};

/* False: no memory.  The times never go back. */
bool ltw_chart_add(struct ltw_chart *c, int64_t time_ns, int64_t price);
void ltw_chart_free(struct ltw_chart *c);

#endif
