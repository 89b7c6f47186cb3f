/* loop.h - the loop that the tasks of a state wait in, and the main task.
 *
 * Layer lua.  Thread: the state's, but for what says otherwise.
 */
#ifndef LTW_LOOP_H
#define LTW_LOOP_H

#include <uv.h>

#include "ltw.h"

/* The loop that turns while the main task waits.  NULL: no memory. */
uv_loop_t *ltw_loop_of(struct ltw_tasks *ts);

/* The main task of a plain interpreter: waits until every task has ended. */
void ltw_loop_finish(struct ltw_tasks *ts);

/* The main task waits for `what`, and the others run, until something in the loop calls
 * go_on.  False: it was interrupted. */
bool ltw_loop_wait(struct ltw_tasks *ts, const char *what);
void ltw_loop_go_on(struct ltw_tasks *ts);

/* Ends the wait of the main task by an error.  Thread: any, signal handlers. */
void ltw_loop_interrupt(struct ltw_tasks *ts);

#endif
