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
    uint32_t asked;               /* for methods: how often                 */
    bool is_told;                 /* told is the value now                  */
    double told;
    const struct ltw_stat *bound[2];    /* its user values that are ones, or NULL */
    struct tw_stat s;
};

/* [-0, +0, e]  The instance at idx. */
struct ltw_stat *ltw_check_stat(lua_State *L, int idx);

/* [-0, +0, -]  The instance at idx, or NULL. */
const struct ltw_stat *ltw_test_stat(lua_State *L, int idx);

/* [-0, +1, m]  A new, empty instance. */
struct ltw_stat *ltw_push_stat(lua_State *L, const struct tw_stat *s);

/* [-0, +1, m]  One with so many user values, which are the caller's to set: what a push
 * without arguments takes. */
struct ltw_stat *ltw_push_bound_stat(lua_State *L, const struct tw_stat *s, int bound);

/* [-1, +0, -]  The value on top is user value i, 1 or 2, of the instance below it. */
void ltw_stat_bind(lua_State *L, int i);

/* ---- lstat_field.c: of instances and of what is declared ---- */

/* [-0, +1, -]  A field's value: nil for NaN, an integer where it counts. */
void ltw_stat_push_value(lua_State *L, const struct tw_stat *s, unsigned field,
                         double value);
void ltw_stat_push_field(lua_State *L, const struct tw_stat *s, const void *state,
                         unsigned field);

/* [-0, +1, m]  Those that have a value: {value =, count =, ...}. */
void ltw_stat_push_fields(lua_State *L, const struct tw_stat *s, const void *state);

/* [-0, +0, m]  The same as text: "1.23, count 5". */
void ltw_stat_add_fields(luaL_Buffer *out, const struct tw_stat *s, const void *state);

/* [-0, +0, e]  Raises: the value at idx is not the name of a field of `what`. */
int ltw_stat_refuse_field(lua_State *L, const struct tw_stat_kind *k, const char *what,
                          int idx);

/* [-0, +1, m]  The list that a state keeps, at most as many as the integer at n says:
 * {{value =, count =}, ...}.  No state: none. */
void ltw_stat_push_list(lua_State *L, const struct tw_stat *s, const void *state, int n);

/* How statistics of a sort are read.  add_methods [-0, +0, m]: to the table on top,
 * which gets the numbers of the fields too, and is the upvalue of index. */
struct ltw_stat_class {
    const char *name;
    void (*add_methods)(lua_State *L);
    lua_CFunction index;
    const luaL_Reg *meta;         /* beside __index */
};

/* [-0, +1, m]  The metatable for a kind, or NULL: one without fields; made when it is
 * first asked for. */
void ltw_stat_push_metatable(lua_State *L, const struct ltw_stat_class *c,
                             const struct tw_stat_kind *k);

/* [-0, +0, m]  lstat_save.c: adds statistic:save, or stat.load, to the table on top. */
void ltw_stat_add_save(lua_State *L);
void ltw_stat_add_load(lua_State *L);

int luaopen_tw_internal_stat(lua_State *L);   /* lstat_make.c */

#endif
