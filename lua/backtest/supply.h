/* supply.h - the records of a backtest, from its data and a warm-up before it.
 *
 * Layer lua.  Thread: the backtest's.
 */
#ifndef LTW_SUPPLY_H
#define LTW_SUPPLY_H

#include "backtest/backtest.h"

/* The next record that is for the scripts, until it is taken; NULL: the end, or b->error.
 * Blocks: on the disk. */
const struct tw_record *ltw_supply_find(struct ltw_backtest *b);
static inline const struct tw_record *ltw_supply_peek(struct ltw_backtest *b)
{
    return b->next < b->till ? b->next : ltw_supply_find(b);   /* S3 */
}

/* r, a copy of the peeked record, is made fit for the tape: a message has its value,
 * which is the tape's then, or goes back with undo.  Negative: b->error. */
int ltw_supply_value(struct ltw_backtest *b, struct tw_record *r);
void ltw_supply_undo(struct ltw_backtest *b, const struct tw_record *r);

/* What was peeked is on the tape, as r. */
void ltw_supply_take(struct ltw_backtest *b, const struct tw_record *r);

void ltw_supply_free(struct ltw_backtest *b);

#endif
