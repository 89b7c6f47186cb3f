/* worth.h - the equity of a backtest's scripts over time, and the benchmark.
 *
 * Layer lua.  Thread: the backtest's.
 */
#ifndef LTW_WORTH_H
#define LTW_WORTH_H

#include "backtest/backtest.h"

/* A record of a symbol that is not the benchmark, as far as is known: it may be. */
void ltw_worth_meet(struct ltw_backtest *b, const struct tw_record *r);

/* Its price is a point of its symbol's chart.  False: no memory. */
bool ltw_worth_draw(struct ltw_backtest *b, const struct tw_record *r);

enum { LTW_WORTH_TEXT = 512 };

/* A line of a script that has bought more than it had cash for; false: it has not. */
bool ltw_worth_overdrawn(const struct ltw_backtest *b, unsigned script,
                         char out[LTW_WORTH_TEXT]);

/* The parts of ltw_worth_mark: is what they began with gone; and the curves' next point.
 * False: b->error. */
void ltw_worth_look_for_ruin(struct ltw_backtest *b, int64_t next_ns);
bool ltw_worth_mark_curves(struct ltw_backtest *b, int64_t next_ns);

/* Each of them: then so are all. */
static inline bool ltw_worth_is_solvent(const struct ltw_backtest *b)
{
    unsigned i = 0;

    while (i < b->n && tw_broker_is_solvent(b->traders[i]->broker)) i++;
    return i == b->n;
}

/* The record under way is dealt with, the next one is of next_ns: what all are worth,
 * where the curves need it, or there is a position, without which it can't change.
 * INT64_MAX: there is none.
 * False: b->error. */
static inline bool ltw_worth_mark(struct ltw_backtest *b, int64_t next_ns)
{
    bool open = false;

    if (b->handled == 0) return true;
    for (unsigned i = 0; i < b->n; i++) open |= b->journals[i]->open > 0;
    if (open && next_ns < INT64_MAX && next_ns > b->last_ns)
        b->exposed_ns += (uint64_t)next_ns - (uint64_t)b->last_ns;
    if ((open || b->was_open) && !ltw_worth_is_solvent(b))
        ltw_worth_look_for_ruin(b, next_ns);
    b->was_open = open;
    return next_ns < b->till_ns || ltw_worth_mark_curves(b, next_ns);
}

#endif
