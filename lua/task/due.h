/* due.h - tasks in the order in which their waits end.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_DUE_H
#define LTW_DUE_H

#include "ltw.h"

/* A binary heap by due_ns, and what is due at once by who came first; the nearest at 1;
 * zeroed it is empty. */
struct ltw_due { struct ltw_task **task; size_t n, room; uint64_t added; };

/* Room for one more; false: no memory. */
bool ltw_due_reserve(struct ltw_due *d);
void ltw_due_add(struct ltw_due *d, struct ltw_task *t);

/* Safe for one that is not in it. */
void ltw_due_remove(struct ltw_due *d, struct ltw_task *t);

/* The nearest, or NULL. */
struct ltw_task *ltw_due_first(const struct ltw_due *d);

#endif
