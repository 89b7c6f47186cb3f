/* scope.h - how far a cancellation or a deadline reaches: a tree over tasks.
 *
 * Every task runs in a scope; task.scope, task.timeout and task.shield put a
 * new one around what they call.  A cancelled scope ends the waits of all that
 * runs in it or below, up to the next shield.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_SCOPE_H
#define LTW_SCOPE_H

#include "ltw.h"
#include "share/wait.h"

struct ltw_scope {
    struct ltw_scope *parent;    /* holds one reference of it              */
    unsigned references;
    const struct ltw_state *of;  /* constant                               */
    uint64_t id;                 /* of this state; 0: none                 */
    unsigned live;               /* tasks spawned in it that have not ended */
    struct tw_waiters joiners;   /* for live to be 0                        */
    int64_t due_ns;              /* ltw_steady_ns; INT64_MAX: none          */
    bool cancelled, shield;
    unsigned ended;              /* waits that raised because it is over    */
    const char *why;             /* it was cancelled: a constant text       */
    void *job;                   /* of the pool, whose outermost one it is  */
};

/* A scope of the state within parent, which may be NULL.  NULL: no memory. */
struct ltw_scope *ltw_scope_new(struct ltw_state *state, struct ltw_scope *parent);
void ltw_scope_ref(struct ltw_scope *s);
void ltw_scope_unref(struct ltw_scope *s);

/* The innermost scope from s up to its shield that is cancelled or past its due_ns, or
 * NULL.  s may be NULL. */
struct ltw_scope *ltw_scope_over(struct ltw_scope *s);

/* The nearest deadline on the way there; INT64_MAX: none. */
int64_t ltw_scope_due_ns(struct ltw_scope *s);

/* Is s within (or the same as) outer?  Shields don't matter. */
bool ltw_scope_is_within(const struct ltw_scope *s, const struct ltw_scope *outer);

/* Ends the waits in a scope; every later one ends at once, too.  stop: and whoever has
 * stepped aside in it. */
void ltw_scope_stop(struct ltw_tasks *ts, struct ltw_scope *s, const char *why);
void ltw_scope_cancel(struct ltw_tasks *ts, struct ltw_scope *s, const char *why);

#endif
