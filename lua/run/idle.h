/* idle.h - why a script has done nothing in a run, as a line for its user.
 *
 * Layer lua.  Thread: WORKER, the script's.
 */
#ifndef LTW_IDLE_H
#define LTW_IDLE_H

#include "run/script.h"

enum { LTW_IDLE_TEXT = 512 };

/* A line, at the end of its run: it was never called, or bars that it makes never were,
 * though the market had something, or were left out; all of its orders were rejected; or
 * there was no price for one. False: nothing is to be said. */
bool ltw_idle_text(const struct ltw_script *s, char out[LTW_IDLE_TEXT]);

#endif
