/* lstat.h - statistics as Lua sees them: instances, and what stdlib/stat.lua calls.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_LSTAT_H
#define LTW_LSTAT_H

#include "ltw.h"
#include "stat/stat.h"

/* A full userdata, told from all others by its mark; its state is behind it. */
struct ltw_stat {
    const char *mark;             /* lstat.c's own                          */
    void *state;                  /* of s.size bytes                        */
    int64_t time;                 /* of the newest row; it never goes back  */
    struct tw_stat s;
};

/* [-0, +0, e]  The instance at idx. */
struct ltw_stat *ltw_check_stat(lua_State *L, int idx);

/* [-0, +1, m]  A new, empty instance. */
struct ltw_stat *ltw_push_stat(lua_State *L, const struct tw_stat *s);

/* [-0, +1, m]  The list that a state keeps, at most as many as the integer at n says:
 * {{value =, count =}, ...}.  No state: none. */
void ltw_push_stat_list(lua_State *L, const struct tw_stat *s, const void *state, int n);

/* [-0, +0, m]  lstat_save.c: adds statistic:save, or stat.load, to the table on top. */
void ltw_stat_add_save(lua_State *L);
void ltw_stat_add_load(lua_State *L);

int luaopen_tw_internal_stat(lua_State *L);   /* lstat_make.c */

#endif
