/* tracker.h - what a script has declared: its statistics, and when to enter it.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_TRACKER_H
#define LTW_TRACKER_H

#include "ltw.h"
#include "run/handler.h"
#include "stat/plan.h"

/* Where the samples of an item go; an empty name: nowhere. */
struct ltw_outlet { char board[TW_NAME_MAX + 1], topic[TW_NAME_MAX + 1]; };

/* A sample that waits for being published. */
struct ltw_sample { unsigned item; uint32_t key; double value; };

/* A full userdata, which its views keep alive; user value 1: the functions of its
 * conditions, by index + 1; at -(index + 1) the text, the reset or false. */
struct ltw_tracker {
    struct tw_plan *plan;
    struct ltw_host *host;
    struct tw_symbols *symbols;        /* its own, of a file; NULL: the run's */
    bool is_query;                     /* of a file or the tape, read at once */
    bool muted;                        /* its samples come nowhere           */
    struct ltw_outlet *outlet;         /* of each item                       */
    struct ltw_handler (*handler)[TW_PROGRAMS];   /* of each condition        */
    unsigned n_handlers;
    struct ltw_sample *due;            /* in the order of the samples        */
    unsigned n_due, due_at;
    size_t due_room;
    bool no_memory;                    /* a sample found none                */
    size_t bytes;                      /* of the plan, as the state counts   */
};

/* [-0, +0, m]  Teaches the state what trackers are. */
void ltw_tracker_open(lua_State *L);

/* [-0, +1, m]  The table of a script's methods: track, when. */
void ltw_push_script_methods(lua_State *L);

/* [-0, +1, e]  One that no script has, with symbols of its own; its records' source is
 * 1, which is called "file". */
struct ltw_tracker *ltw_push_file_tracker(lua_State *L);

/* [-0, +1, e]  One that no script has, for what the run's tape holds. */
struct ltw_tracker *ltw_push_tape_tracker(lua_State *L);

/* [-0, +1, e]  Adds a table of declarations to a tracker (both stack indices, absolute);
 * a table of their views. */
void ltw_track(lua_State *L, int declarations, int tracker);

/* [-0, +1, m]  The view of an item: lua/stat/ltracked.c.  tracker: its stack index. */
void ltw_push_tracked(lua_State *L, int tracker, unsigned item);

/* [-0, +3, e]  The next sample to be published, as a call of tw.publish with its two
 * arguments; false, and nothing pushed: there is none. */
bool ltw_tracker_push_due(lua_State *L, struct ltw_tracker *t);

/* [-0, +0, e]  What is declared in t as it was in `old` goes on with what that has. */
void ltw_tracker_adopt(lua_State *L, struct ltw_tracker *t, struct ltw_tracker *old);

/* [-0, +1, e]  A muted one that declares the same and goes on with what it has seen; the
 * functions of its conditions are the same. */
struct ltw_tracker *ltw_tracker_push_copy(lua_State *L, int idx);

/* [-0, +0, m]  In the tables of the list at `tables` the statistics of other trackers
 * become those of the tracker at idx that have their names. */
void ltw_tracker_renew(lua_State *L, int tables, int idx);

/* [-0, +0, e]  Runs the rows that wait; raises without memory or with too many keys. */
void ltw_tracker_run(lua_State *L, struct ltw_tracker *t);

#endif
