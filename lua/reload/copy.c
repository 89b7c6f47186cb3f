/* copy.c - a deep copy of what a script keeps.
 *
 * Why: two versions that run beside each other must not see what the other one does.  So
 * everything that can change is copied, also what closures hold; what is shared between
 * states anyhow, and handles of it, is not.
 */
#include "reload/copy.h"

#include <string.h>

#include "stat/lstat.h"
#include "reload/remap.h"

/* ---- tables ---- */

static bool is_coroutine(lua_State *L, int idx)
{
    bool is = lua_isthread(L, idx);

    if (lua_iscfunction(L, idx) && lua_getupvalue(L, idx, 1)) {
        is = lua_isthread(L, -1);          /* of coroutine.wrap */
        lua_pop(L, 1);
    }
    return is;
}

static void replace(lua_State *L, int memo);

/* [-0, +1, e]  A copy of the statistic on top; a crossing's is of the copies of what it
 * crosses, which are no crossings. */
static void push_stat(lua_State *L, const struct ltw_stat *from, int memo)
{
    const int idx = lua_gettop(L);
    const int bound = lua_getiuservalue(L, idx, 1) == LUA_TNONE ? 0 : 2;
    struct ltw_stat *to = ltw_push_bound_stat(L, &from->s, bound);

    memcpy(to->state, from->state, from->s.size);
    to->time = from->time;
    lua_replace(L, idx + 1);
    for (int i = 1; i <= bound; i++) {
        lua_getiuservalue(L, idx, i);
        replace(L, memo);
        ltw_stat_bind(L, i);
    }
}

/* [-1, +1, e]  The value on top, or its copy. */
static void replace(lua_State *L, int memo)
{
    const struct ltw_stat *from;

    if (is_coroutine(L, -1))
        luaL_error(L, "what the script keeps holds a coroutine, which has no copy");
    if (!lua_istable(L, -1) && lua_type(L, -1) != LUA_TUSERDATA) return;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, memo) != LUA_TNIL) {
        lua_replace(L, -2);
        return;
    }
    lua_pop(L, 1);
    from = ltw_test_stat(L, -1);
    if (from) {
        push_stat(L, from, memo);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, memo);
        lua_replace(L, -2);
    }
}

/* [-0, +0, e]  The fields of the table at `from` to its copy at `to`. */
static void fill(lua_State *L, int from, int to, int memo)
{
    for (lua_pushnil(L); lua_next(L, from); lua_settop(L, to + 1)) {
        lua_pushvalue(L, -2);
        replace(L, memo);
        lua_insert(L, -2);
        replace(L, memo);
        lua_rawset(L, to);
    }
    if (!lua_getmetatable(L, from)) return;
    replace(L, memo);
    lua_setmetatable(L, to);
}

void ltw_copy_tables(lua_State *L, int roots, int map, int memo)
{
    int copies = lua_gettop(L) + 1, all = copies + 1, from = all + 1;
    lua_Integer n = 0;

    luaL_checkstack(L, 20, "reload");
    roots = lua_absindex(L, roots);
    map = lua_absindex(L, map);
    memo = lua_absindex(L, memo);
    lua_newtable(L);
    ltw_remap_collect(L, roots, map);
    for (lua_Integer i = 1; lua_rawgeti(L, all, i) == LUA_TTABLE; i++) {
        lua_pushvalue(L, from);
        if (lua_rawget(L, memo) == LUA_TNIL) {
            lua_pushvalue(L, from);
            lua_rawseti(L, all, ++n);
            lua_pushvalue(L, from);
            lua_newtable(L);
            lua_pushvalue(L, -1);
            lua_rawseti(L, copies, n);
            lua_rawset(L, memo);
        }
        lua_settop(L, all);
    }
    lua_settop(L, all);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, all, i);
        lua_rawgeti(L, copies, i);
        fill(L, from, from + 1, memo);
        lua_settop(L, all);
    }
    lua_settop(L, copies);
}

/* ---- functions ---- */

static int add_piece(lua_State *L, const void *bytes, size_t n, void *out)
{
    (void)L;
    luaL_addlstring(out, bytes, n);
    return 0;
}

/* [-0, +1, e]  A function of the same code as the one at idx, with upvalues of its own,
 * which are nil. */
static void push_again(lua_State *L, int idx)
{
    luaL_Buffer out;
    size_t n;
    const char *code;

    lua_pushvalue(L, idx);
    luaL_buffinit(L, &out);
    lua_pushvalue(L, idx);
    if (lua_dump(L, add_piece, &out, 0) != 0) luaL_error(L, "a function has no copy");
    lua_pop(L, 1);
    luaL_pushresult(&out);
    lua_remove(L, -2);
    code = lua_tolstring(L, -1, &n);
    if (luaL_loadbufferx(L, code, n, "=copy", "b") != LUA_OK) lua_error(L);
    lua_remove(L, -2);
}

struct copying { lua_State *L; int copies, memo, map, boxes; };

static void copy_value(struct copying *c);

/* [-0, +0, e]  The i-th upvalue of the function at `from`, for its copy at `to`. */
static void copy_upvalue(struct copying *c, int from, int to, int i)
{
    lua_State *L = c->L;
    void *id = lua_upvalueid(L, from, i);

    if (lua_rawgetp(L, c->boxes, id) == LUA_TTABLE) {
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        lua_upvaluejoin(L, to, i, -2, (int)lua_tointeger(L, -1));
        return;
    }
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, to);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, i);
    lua_rawseti(L, -2, 2);
    lua_rawsetp(L, c->boxes, id);
    lua_getupvalue(L, from, i);
    copy_value(c);
    lua_setupvalue(L, to, i);
}

/* [-1, +1, e]  The value on top, a copy of it, or what it stands for. */
static void copy_value(struct copying *c)
{
    lua_State *L = c->L;
    int value = lua_gettop(L);

    luaL_checkstack(L, 20, "reload");
    lua_pushvalue(L, value);
    if (!lua_isnil(L, value) && lua_rawget(L, c->map) != LUA_TNIL) {
        lua_replace(L, value);
        lua_settop(L, value);
        return;
    }
    lua_settop(L, value);
    if (lua_istable(L, value)) {
        lua_pushvalue(L, value);
        if (lua_rawget(L, c->memo) == LUA_TNIL) {   /* closures alone reach it */
            lua_Integer n = (lua_Integer)lua_rawlen(L, c->copies);

            lua_createtable(L, 1, 0);
            lua_pushvalue(L, value);
            lua_rawseti(L, -2, 1);
            ltw_copy_tables(L, -1, c->map, c->memo);
            for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++)
                lua_rawseti(L, c->copies, ++n);
            lua_pushvalue(L, value);
            lua_rawget(L, c->memo);
        }
        lua_replace(L, value);
    } else if (lua_isfunction(L, value) && !lua_iscfunction(L, value)) {
        lua_pushvalue(L, value);
        if (lua_rawget(L, c->memo) == LUA_TNIL) {
            lua_pop(L, 1);
            push_again(L, value);
            lua_pushvalue(L, value);
            lua_pushvalue(L, -2);
            lua_rawset(L, c->memo);
            for (int i = 1; lua_getupvalue(L, value, i) != NULL; i++) {
                lua_settop(L, value + 1);
                copy_upvalue(c, value, value + 1, i);
                lua_settop(L, value + 1);
            }
        }
        lua_replace(L, value);
    } else {
        replace(L, c->memo);
    }
    lua_settop(L, value);
}

void ltw_copy_functions(lua_State *L, int copies, int memo, int map)
{
    struct copying c = { L, lua_absindex(L, copies), lua_absindex(L, memo),
                         lua_absindex(L, map), lua_gettop(L) + 1 };
    int table = c.boxes + 1;

    luaL_checkstack(L, 20, "reload");
    ltw_remap_push_boxes(L, c.map);
    for (lua_Integer i = 1; lua_rawgeti(L, c.copies, i) == LUA_TTABLE; i++) {
        for (lua_pushnil(L); lua_next(L, table); lua_settop(L, table + 1)) {
            if (!lua_isfunction(L, -1) || lua_iscfunction(L, -1)) continue;
            copy_value(&c);
            lua_pushvalue(L, table + 1);
            lua_insert(L, -2);
            lua_rawset(L, table);
        }
        lua_settop(L, c.boxes);
    }
    lua_settop(L, c.boxes - 1);
}
