/* ltracked.h - what the files about tracked statistics share.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_TRACKED_H
#define LTW_TRACKED_H

#include "tracker.h"

/* A full userdata; user value 1: the tracker's, which it keeps.  Of what is by
 * nothing, and of a reading, key is the one that it is about; 0: of all keys, and then
 * user value 2 is the metatable of its readings. */
struct ltw_tracked {
    const void *mark;             /* of no other userdata */
    struct ltw_tracker *tracker;
    unsigned item;
    uint32_t key;
};

/* [-0, +0, e]  The statistic at 1, when the rows that waited have been fed to it. */
struct ltw_tracked *ltw_check_tracked(lua_State *L);

static inline const char *ltw_tracked_name(const struct ltw_tracked *v)
{
    return tw_plan_name(v->tracker->plan, v->item);
}

static inline const struct tw_stat *ltw_tracked_stat(const struct ltw_tracked *v)
{
    return tw_plan_stat(v->tracker->plan, v->item);
}

static inline struct tw_keys *ltw_tracked_keys(const struct ltw_tracked *v)
{
    return tw_plan_keys(v->tracker->plan, v->item);
}

/* [-0, +0, e]  The state of a key, which stays where it is until a row is fed; those of
 * all other keys are there too. */
void *ltw_tracked_state(lua_State *L, const struct ltw_tracked *v, uint32_t key);

/* The first key after that one which a row brought; 0: there is none.  Before the
 * first one: 0. */
uint32_t ltw_tracked_next(const struct ltw_tracked *v, uint32_t key);

/* How many there are. */
uint32_t ltw_tracked_count(const struct ltw_tracked *v);

/* [-0, +0, e]  The statistic at 1, which is by something; raises for a reading. */
const struct ltw_tracked *ltw_check_keyed(lua_State *L);

/* [-0, +1, m]  A key: its text or number; of several parts a list.  Or one part. */
void ltw_tracked_push_key(lua_State *L, const struct tw_keys *keys, uint32_t key);
void ltw_tracked_push_part(lua_State *L, const struct tw_keys *keys, uint32_t key,
                           unsigned part);

/* [-0, +1, -]  A field's value: nil for NaN, an integer where it counts. */
void ltw_tracked_push_value(lua_State *L, const struct tw_stat *s, unsigned field,
                            double value);

/* [-0, +0, e]  Raises: the value at idx is not the name of a field. */
int ltw_tracked_refuse(lua_State *L, const struct ltw_tracked *v, int idx);

/* [-0, +0, m]  Adds keys, column, top and freeze to the table on top. */
void ltw_tracked_all_open(lua_State *L);

/* [-0, +0, m]  Adds save, load and merge to the table on top. */
void ltw_tracked_save_open(lua_State *L);

#endif
