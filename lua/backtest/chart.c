/* chart.c - a price over time, in a bounded number of points. */
#include "backtest/chart.h"

#include "base/clock.h"
#include "base/memory.h"

enum { SPAN_FIRST_NS = 1000000 };

static int64_t end_of_span(const struct ltw_chart *c, int64_t time_ns)
{
    return (tw_clock_spans(time_ns, c->span_ns) + 1) * c->span_ns;
}

/* Spans become longer until half of the room is free. */
static void thin(struct ltw_chart *c)
{
    while (c->n > LTW_CHART_POINTS / 2) {
        size_t kept = 0;

        c->span_ns *= 2;
        for (size_t i = 0; i < c->n; i++) {
            if (kept > 0 && end_of_span(c, c->point[kept - 1].time_ns)
                         == end_of_span(c, c->point[i].time_ns))
                kept--;
            c->point[kept++] = c->point[i];
        }
        c->n = kept;
    }
}

static bool reserve(struct ltw_chart *c)
{
    struct ltw_chart_point *grown;

    if (c->n < c->room) return true;
    grown = tw_grow(c->point, &c->room, c->n + 1, sizeof *grown);
    if (!grown) return false;
    c->point = grown;
    return true;
}

bool ltw_chart_add(struct ltw_chart *c, int64_t time_ns, int64_t price)
{
    if (c->n > 0 && time_ns < c->till_ns) {
        c->point[c->n - 1] = (struct ltw_chart_point){ time_ns, price };
        return true;
    }
    if (c->span_ns == 0) c->span_ns = SPAN_FIRST_NS;
    if (c->n == LTW_CHART_POINTS) thin(c);
    if (!reserve(c)) return false;
    c->point[c->n++] = (struct ltw_chart_point){ time_ns, price };
    c->till_ns = end_of_span(c, time_ns);
    return true;
}

void ltw_chart_free(struct ltw_chart *c)
{
    tw_free(c->point);
}
