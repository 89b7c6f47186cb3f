/* output.h - what the states of a run print goes to MAIN: one log, one order.
 *
 * Layer lua.
 */
#ifndef LTW_OUTPUT_H
#define LTW_OUTPUT_H

#include "ltw.h"

/* [-0, +0, m]  print and warnings go to the host's log.  Thread: the state's. */
void ltw_output_open(struct ltw_state *state);

#endif
