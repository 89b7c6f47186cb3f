/* ltracked_one.c - tw.tracked: what is asked of one key beside its fields. */
#include <string.h>

#include "share/larray.h"
#include "stat/lstat.h"
#include "stat/ltracked.h"

/* tracked:history([n [, key, ...]]) -> array, table
 * The last n samples (all that are kept), oldest first, and a list of their times.
 * Yields: no.  Blocks: while it copies, some 10 ns for each sample.
 * Thread: the state's.
 * Errors: raises when no history is kept, and for the wrong number of parts of a key.
 * Units: those of the expression; times in ns since the epoch, integers. */
static int history(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_plan *p = v->tracker->plan;
    lua_Integer max = tw_plan_history_max(p, v->item), n = luaL_optinteger(L, 2, max);
    struct ltw_box *box;
    uint32_t key;
    double *value, *data;
    int64_t *time;

    luaL_argcheck(L, n >= 0, 2, "0 or more expected");
    if (lua_gettop(L) < 2) lua_settop(L, 2);
    if (max == 0) return luaL_error(L, "%s keeps no history", ltw_tracked_name(v));
    key = ltw_tracked_key_of(L, v, 3);
    if (n > max) n = max;
    value = lua_newuserdatauv(L, (size_t)n * (sizeof *value + sizeof *time), 0);
    time = (int64_t *)(value + n);
    n = key ? tw_plan_history(p, v->item, key, (unsigned)n, value, time) : 0;
    box = ltw_array_begin(L, (size_t)n);
    ltw_array_attach(L, box, tw_array_new((size_t)n, &data));
    memcpy(data, value, (size_t)n * sizeof *data);
    ltw_array_end(L, box);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 0; i < n; i++) {
        lua_pushinteger(L, time[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 2;
}

/* tracked:quantile(p [, key, ...]) -> number | nil
 * The quantile at any p, of a kind that keeps them; nil: no value yet.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for p outside 0 to 1, for a kind without quantiles, and for the wrong
 * number of parts of a key.  Units: those of the expression. */
static int quantile(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_stat *s = ltw_tracked_stat(v);
    double p = luaL_checknumber(L, 2);
    uint32_t key;

    if (!s->ops->at)
        return luaL_error(L, "%s: %s keeps no quantiles", ltw_tracked_name(v),
                          s->kind->name);
    luaL_argcheck(L, p >= 0 && p <= 1, 2, "0 to 1 expected");
    key = ltw_tracked_key_of(L, v, 3);
    if (key)
        ltw_stat_push_value(L, s, 0, s->ops->at(s, ltw_tracked_state(L, v, key), p));
    else
        lua_pushnil(L);
    return 1;
}

/* tracked:list([n [, key, ...]]) -> table
 * Of a kind that keeps a list: its values, at most n, best first: {{value =, count =},
 * ...}.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for a kind without a list, and for the wrong number of parts of a key.
 * Units: those of the expression. */
static int list(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_stat *s = ltw_tracked_stat(v);
    uint32_t key;

    if (!s->ops->list)
        return luaL_error(L, "%s: %s keeps no list", ltw_tracked_name(v), s->kind->name);
    if (lua_gettop(L) < 2) lua_settop(L, 2);
    key = ltw_tracked_key_of(L, v, 3);
    ltw_stat_push_list(L, s, key ? ltw_tracked_state(L, v, key) : NULL, 2);
    return 1;
}

/* tracked:reset([key, ...])
 * It is empty again: for that key, or for all.  What its history has stays.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for the wrong number of parts of a key.  Units: none. */
static int reset(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    size_t size = ltw_tracked_stat(v)->size;
    uint32_t key;

    if (v->key || lua_gettop(L) > 1) {
        key = ltw_tracked_key_of(L, v, 2);
        if (key) memset(ltw_tracked_state(L, v, key), 0, size);
        return 0;
    }
    for (key = 0; (key = ltw_tracked_next(v, key)) != 0;)
        memset(ltw_tracked_state(L, v, key), 0, size);
    return 0;
}

static const luaL_Reg methods[] = {
    { "history", history },
    { "quantile", quantile },
    { "list", list },
    { "reset", reset },
    { NULL, NULL }
};

void ltw_tracked_add_one(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
