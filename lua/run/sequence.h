/* sequence.h - scripts that share limits handle each record one after the other.
 *
 * Where no feed is live, what one of them has used up of a limit when another one asks
 * would depend on threads, and on how many records each handles at a time.
 *
 * Invariants
 *   Q1  A script handles a record when all that were declared before it have handled
 *       that one, and all others the record before: as in a backtest.  One that waits
 *       in a handler, or does not run, holds nobody up.
 *   Q2  Of several that pass at once, as they do that begin, wait or stop, one sees what
 *       all have passed, and rings who is next.
 *
 * Layer lua.
 */
#ifndef LTW_SEQUENCE_H
#define LTW_SEQUENCE_H

#include "ltw.h"

struct tw_worker;
struct ltw_sequence;

/* In place of the next record: nobody waits for the script. */
#define LTW_HOLDS_NOBODY UINT64_MAX

/* Of scripts 1 .. n, by their numbers; they have not begun.  NULL: no memory.
 * Thread: MAIN. */
struct ltw_sequence *ltw_sequence_new(unsigned n);
void ltw_sequence_free(struct ltw_sequence *q);   /* q may be NULL */

/* Where the script runs.  Thread: MAIN, before it does. */
void ltw_sequence_place(struct ltw_sequence *q, unsigned script, struct tw_worker *w);

/* May it begin?  And how many records, from next on, may it handle now?
 * Thread: any.  Blocks: no. */
bool ltw_sequence_may_begin(const struct ltw_sequence *q, unsigned script);
uint64_t ltw_sequence_room(const struct ltw_sequence *q, unsigned script, uint64_t next);

/* It has begun, and has handled all before next; who is to go on now hears of it.
 * Thread: the script's.  Blocks: no. */
void ltw_sequence_pass(struct ltw_sequence *q, unsigned script, uint64_t next);

#endif
