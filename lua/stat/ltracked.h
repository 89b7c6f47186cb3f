/* ltracked.h - what the files about tracked statistics share.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_TRACKED_H
#define LTW_TRACKED_H

#include "stat/tracker.h"

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

/* [-0, +0, -]  The statistic at idx, or NULL. */
const struct ltw_tracked *ltw_test_tracked(lua_State *L, int idx);

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

/* ---- ltracked_key.c ---- */

/* [-0, +0, e]  The statistic at 1, which is by something; raises for a reading. */
const struct ltw_tracked *ltw_check_keyed(lua_State *L);

/* The first key after that one which a row brought; 0: there is none.  Before the
 * first one: 0. */
uint32_t ltw_tracked_next(const struct ltw_tracked *v, uint32_t key);

/* How many there are. */
uint32_t ltw_tracked_count(const struct ltw_tracked *v);

/* [-0, +0, e]  The key whose parts are the values from idx to the top; 0: no row has
 * brought it. */
uint32_t ltw_tracked_find_key(lua_State *L, const struct ltw_tracked *v, int idx);

/* [-0, +0, e]  The key that the call is about: the one there is, or what the values
 * from idx to the top name; 0: no row has brought that. */
uint32_t ltw_tracked_key_of(lua_State *L, const struct ltw_tracked *v, int idx);

/* [-0, +1, m]  A key: its text or number; of several parts a list.  Or one part. */
void ltw_tracked_push_key(lua_State *L, const struct tw_keys *keys, uint32_t key);
void ltw_tracked_push_part(lua_State *L, const struct tw_keys *keys, uint32_t key,
                           unsigned part);

/* [-0, +1, m]  What a statistic is by: "symbol, side". */
const char *ltw_tracked_push_by(lua_State *L, const struct tw_keys *keys);

/* ---- methods ---- */

/* [-0, +0, m]  Those of ltracked_one.c, _all.c and _save.c go into the table on top. */
void ltw_tracked_add_one(lua_State *L);
void ltw_tracked_add_all(lua_State *L);
void ltw_tracked_add_save(lua_State *L);

#endif
