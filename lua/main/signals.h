/* signals.h - signals that are for the main thread alone, or for nobody.
 *
 * Layer lua/main.
 */
#ifndef LTW_SIGNALS_H
#define LTW_SIGNALS_H

#include <stdbool.h>

/* The kernel gives a signal of the process to any thread that does not block it, and
 * a handler that looks at a Lua state must run on the state's own thread.  True: this
 * is the main thread.  False: the signal was sent on to it, return.
 * Thread: a signal handler, of any thread. */
bool ltw_signal_is_here(int number);

/* What that signal is of fails with an error code, which is told, instead of ending the
 * process.  Not ignored: programs that are started would inherit that.
 * Thread: MAIN, before there are others. */
void ltw_signal_heed(int number);

#endif
