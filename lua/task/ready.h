/* ready.h - tasks that may run, in the order in which they will.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_READY_H
#define LTW_READY_H

#include "ltw.h"

/* A ring: n of room, from first; zeroed it is empty.  seed: of the order in which they
 * are taken; 0: first come, first served. */
struct ltw_ready {
    struct ltw_task **task;
    unsigned first, n, room;
    uint64_t seed;
};

/* Room for n in all, so that to push one can't fail; false: no memory. */
bool ltw_ready_reserve(struct ltw_ready *r, unsigned n);
void ltw_ready_push(struct ltw_ready *r, struct ltw_task *t);

/* One of them; there has to be one. */
struct ltw_task *ltw_ready_pop(struct ltw_ready *r);

#endif
