/* signals.h - signals that are for the main thread alone.
 *
 * Layer lua/main.  Thread: a signal handler, of any thread.
 */
#ifndef LTW_SIGNALS_H
#define LTW_SIGNALS_H

#include <stdbool.h>

/* The kernel gives a signal of the process to any thread that does not block it, and
 * a handler that looks at a Lua state must run on the state's own thread.  True: this
 * is the main thread.  False: the signal was sent on to it, return. */
bool ltw_signal_is_here(int number);

#endif
