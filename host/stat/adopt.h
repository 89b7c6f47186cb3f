/* adopt.h - a new plan takes over the states of the plan that it replaces.
 *
 * Layer host/stat.  Thread: the owner's.
 */
#ifndef TW_ADOPT_H
#define TW_ADOPT_H

#include "stat/plan.h"

/* Each statistic of p that is computed as one of `old` is, by the same keys, goes on
 * with that one's states; an item, where it is sampled alike, with its samples.  Others
 * begin anew, and so do conditions.  No row waits in either.  UV_ENOMEM, or TW_ELIMIT:
 * too many keys; p is good for nothing then.  Memory: for the keys. */
int tw_plan_adopt(struct tw_plan *p, const struct tw_plan *old);

/* Declares in p, which is empty, the items of another plan.  Errors as tw_plan_track. */
int tw_plan_redeclare(struct tw_plan *p, const struct tw_plan *old,
                      struct tw_error *error);

/* The conditions of p are those of `old`, declared anew in their order: they go on with
 * what these have seen.  After tw_plan_adopt.  Errors likewise. */
int tw_plan_adopt_conditions(struct tw_plan *p, const struct tw_plan *old);

#endif
