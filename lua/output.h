/* output.h - what states print: lines that stay whole, whatever thread prints them.
 *
 * Layer lua.
 */
#ifndef LTW_OUTPUT_H
#define LTW_OUTPUT_H

#include "ltw.h"

/* [-0, +0, m]  print, and in a run warnings, go to the host's log, or else to standard
 * output.  Thread: the state's. */
void ltw_output_open(struct ltw_state *state);

#endif
