/* ltracked_all.c - tw.tracked: what is read of all keys of a statistic at once. */
#include <math.h>
#include <stdlib.h>

#include "share/larray.h"
#include "stat/lstat.h"
#include "stat/ltracked.h"
#include "share/lvalue.h"

/* [-0, +0, e]  The field at idx; the value where there is none. */
static unsigned field_at(lua_State *L, const struct ltw_tracked *v, int idx)
{
    const char *name = luaL_optstring(L, idx, "value");
    int field = tw_stat_field(ltw_tracked_stat(v), name);

    if (field < 0)
        ltw_stat_refuse_field(L, ltw_tracked_stat(v)->kind, ltw_tracked_name(v), idx);
    return (unsigned)field;
}

/* tracked:keys() -> table
 * A list of the keys, in the order in which they came; of several parts each is a list.
 * Yields: no.  Blocks: while it makes them, some 0.4 us for each key.
 * Thread: the state's.  Errors: raises when it is by nothing.  Units: none. */
static int keys(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_keyed(L);
    lua_Integer n = 0;

    lua_createtable(L, (int)ltw_tracked_count(v), 0);
    for (uint32_t key = 0; (key = ltw_tracked_next(v, key)) != 0;) {
        ltw_tracked_push_key(L, ltw_tracked_keys(v), key);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* tracked:column([field]) -> array
 * That field ("value") of all keys, in the order of tracked:keys(); NaN: no value yet.
 * Yields: no.  Blocks: while it computes them, some 20 ns for each key.
 * Thread: the state's.
 * Errors: raises for a field that it does not have, and when it is by nothing.
 * Units: those of the expression. */
static int column(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_keyed(L);
    const struct tw_stat *s = ltw_tracked_stat(v);
    unsigned field = field_at(L, v, 2);
    uint32_t n = ltw_tracked_count(v);
    struct ltw_box *box = ltw_array_begin(L, n);
    double *data;

    ltw_array_attach(L, box, tw_array_new(n, &data));
    for (uint32_t key = 0; (key = ltw_tracked_next(v, key)) != 0;)
        *data++ = tw_stat_get(s, ltw_tracked_state(L, v, key), field);
    ltw_array_end(L, box);
    return 1;
}

struct ranked { double value; uint32_t key; };

/* Does a come after b, by descending value and then in the order of the keys? */
static bool is_after(const struct ranked *a, const struct ranked *b)
{
    return a->value < b->value || (a->value == b->value && a->key > b->key);
}

static int compare(const void *a, const void *b)
{
    return is_after(a, b) ? 1 : -1;
}

/* Puts x into a heap of n whose first is the last in rank, from the place i down. */
static void sift(struct ranked *heap, uint32_t n, uint32_t i, struct ranked x)
{
    uint32_t child;

    for (; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && is_after(&heap[child + 1], &heap[child])) child++;
        if (!is_after(&heap[child], &x)) break;
        heap[i] = heap[child];
    }
    heap[i] = x;
}

/* The first `max` in rank of those that have a value, in order; how many. */
static uint32_t rank(lua_State *L, const struct ltw_tracked *v, unsigned field,
                     struct ranked *best, uint32_t max)
{
    const struct tw_stat *s = ltw_tracked_stat(v);
    uint32_t n = 0;

    for (uint32_t key = 0; max > 0 && (key = ltw_tracked_next(v, key)) != 0;) {
        struct ranked x = { tw_stat_get(s, ltw_tracked_state(L, v, key), field), key };

        if (isnan(x.value)) continue;
        if (n < max) {
            best[n++] = x;
            if (n == max) for (uint32_t i = n / 2; i-- > 0;) sift(best, n, i, best[i]);
        } else if (is_after(&best[0], &x)) {
            sift(best, n, 0, x);
        }
    }
    qsort(best, n, sizeof *best, compare);
    return n;
}

/* tracked:top(n [, field]) -> table
 * The n keys of the greatest values of that field ("value"): {{key =, value =}, ...},
 * the greatest first; equal ones as the keys came.
 * Yields: no.  Blocks: while it looks at all keys, some 20 ns for each.
 * Thread: the state's.
 * Errors: raises for a field that it does not have, and when it is by nothing.
 * Units: those of the expression. */
static int top(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_keyed(L);
    const struct tw_stat *s = ltw_tracked_stat(v);
    lua_Integer max = luaL_checkinteger(L, 2), count;
    unsigned field = field_at(L, v, 3);
    struct ranked *best;
    uint32_t n;

    luaL_argcheck(L, max >= 0, 2, "0 or more expected");
    count = ltw_tracked_count(v);
    if (max > count) max = count;
    best = lua_newuserdatauv(L, (size_t)max * sizeof *best, 0);
    n = rank(L, v, field, best, (uint32_t)max);
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        lua_createtable(L, 0, 2);
        ltw_tracked_push_key(L, ltw_tracked_keys(v), best[i].key);
        lua_setfield(L, -2, "key");
        ltw_stat_push_value(L, s, field, best[i].value);
        lua_setfield(L, -2, "value");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* [-1, +0, m]  Puts what is on top into the table at `all`, under a key: of several
 * parts, into tables of tables. */
static void put_by_key(lua_State *L, const struct tw_keys *k, uint32_t key, int all)
{
    unsigned last = tw_keys_parts(k) - 1;

    lua_pushvalue(L, all);
    for (unsigned i = 0; i < last; i++) {
        ltw_tracked_push_part(L, k, key, i);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) == LUA_TNIL) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, -5);
        }
        lua_replace(L, -3);
        lua_pop(L, 1);
    }
    ltw_tracked_push_part(L, k, key, last);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

/* tracked:freeze() -> frozen table
 * All fields as they are now, for other states: {AAPL = {value =, count =}, ...}, of a
 * key of several parts tables in tables: frozen.AAPL.buy.value; of what is by nothing,
 * and of a reading, the fields alone.
 * Yields: no.  Blocks: while it copies, some 3 us for each key.
 * Thread: the state's.  Errors: none.  Units: those of the expression. */
static int freeze(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_stat *s = ltw_tracked_stat(v);
    struct tw_any *owned;

    lua_settop(L, 1);
    if (v->key) {
        ltw_stat_push_fields(L, s, ltw_tracked_state(L, v, v->key));
    } else {
        lua_createtable(L, 0, (int)ltw_tracked_count(v));
        for (uint32_t key = 0; (key = ltw_tracked_next(v, key)) != 0;) {
            ltw_stat_push_fields(L, s, ltw_tracked_state(L, v, key));
            put_by_key(L, ltw_tracked_keys(v), key, 2);
        }
    }
    owned = ltw_push_owner(L);
    *owned = ltw_check_any_named(L, 2, ltw_tracked_name(v));
    ltw_adopt(L);
    return 1;
}

static const luaL_Reg methods[] = {
    { "keys", keys },
    { "column", column },
    { "top", top },
    { "freeze", freeze },
    { NULL, NULL }
};

void ltw_tracked_add_all(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
