/* census.h - lists every task of every state: tw.ps.
 *
 * Layer lua.
 */
#ifndef LTW_CENSUS_H
#define LTW_CENSUS_H

#include "ltw.h"

struct ltw_script_counts;

enum { LTW_TASK_NAME = 48 };
enum ltw_task_state { LTW_TASK_READY, LTW_TASK_RUNNING, LTW_TASK_WAITING, LTW_TASK_DONE };

struct ltw_census;   /* one for a host */

/* A task's entry. */
struct ltw_note {
    struct ltw_census *in;          /* constant; NULL: in none                       */
    struct ltw_note *next, **link;  /* under the census's lock                       */
    uint64_t id;                    /* constant; over all states                     */
    uint64_t parent;                /* under the lock; 0: none                       */
    const char *who, *script;       /* constant; "worker 0"; NULL: of no script      */
    char name[LTW_TASK_NAME];       /* constant                                      */
    const struct ltw_script_counts *counts;   /* constant; NULL: no script itself    */
    _Atomic int state;              /* atomic: the task's thread stores              */
    const char *_Atomic what;       /* atomic: likewise; a constant text             */
    _Atomic int64_t since_ns;       /* atomic: likewise; steady clock                */
};

/* NULL: no memory.  Thread: MAIN. */
struct ltw_census *ltw_census_new(void);
void ltw_census_free(struct ltw_census *c);

/* Gives the note its id and lists it; c may be NULL: then it does nothing.  leave is
 * safe for one that is in none.  Thread: the task's.  Blocks: a short lock. */
void ltw_census_enter(struct ltw_census *c, struct ltw_note *note);
void ltw_census_leave(struct ltw_note *note);

/* It was sent by that task of another state.  Thread: the task's.  Blocks: a short
 * lock. */
void ltw_census_sent_by(struct ltw_note *note, uint64_t parent);

/* What the task does from now on.  Thread: the task's.  Blocks: never. */
void ltw_census_write(struct ltw_note *note, enum ltw_task_state state, const char *what);

int ltw_census_list(lua_State *L);   /* what stdlib/ps.lua draws a tree of */

#endif
