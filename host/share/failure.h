/* failure.h - the error of a future: a frozen table, as C makes and reads it.
 *
 * Its fields: message, traceback, worker, script, task, value, code, cause (another
 * such table) and also (a list of them); all but the message may be missing.
 *
 * Layer host/share.
 */
#ifndef TW_FAILURE_H
#define TW_FAILURE_H

#include "share/value.h"

/* {message = text}, with one reference; nil without memory.
 * Thread: any.  Blocks: no. */
struct tw_any tw_failure_new(const char *format, ...) TW_PRINTF(1, 2);

/* The message, then where each error of the chain happened, the first cause first;
 * what does not fit is cut off.  Thread: any.  Blocks: never.  Memory: none. */
void tw_failure_text(const struct tw_any *failure, char *out, size_t n);

#endif
