/* remap.c - replaces the old version's functions and classes in what self keeps.
 *
 * Why: what a script keeps may hold code of the version that goes: an object whose
 * metatable is a class of the file, a function that was put into a table.  Such a value
 * is found again in the new version by the way that leads to it: a field of the module,
 * an upvalue of one of its functions, a local of the file, a metatable.  Data is never
 * replaced: a table counts as code when it holds functions or is a metatable.
 *
 * No walk goes deeper on the C stack with the data: each keeps a list of what it has
 * found.
 */
#include "reload/remap.h"

#include <string.h>

/* ---- what stands for what ---- */

/* Stack of a match: the result, and the pairs that were found; the locals of the file by
 * name, as far as its functions use them, of both. */
struct match { lua_State *L; int map, back, pairs, old_names, new_names; lua_Integer n; };

static bool is_function(lua_State *L, int idx)
{
    return lua_isfunction(L, idx) && !lua_iscfunction(L, idx);
}

/* [-2, +0, m]  Notes the pair on top, unless its first was seen before. */
static void offer(struct match *m)
{
    lua_State *L = m->L;
    bool fits = lua_type(L, -1) == lua_type(L, -2) && !lua_rawequal(L, -1, -2)
             && (lua_istable(L, -1) || is_function(L, -1));

    if (fits) {
        lua_pushvalue(L, -2);
        fits = lua_rawget(L, m->pairs) == LUA_TNIL;
        lua_pop(L, 1);
    }
    if (!fits) {
        lua_pop(L, 2);
        return;
    }
    lua_pushvalue(L, -2);
    lua_pushboolean(L, 1);
    lua_rawset(L, m->pairs);                 /* seen */
    lua_rawseti(L, m->pairs, ++m->n + 1);
    lua_rawseti(L, m->pairs, m->n++);
}

/* [-0, +0, m]  The pair on top is code. */
static void add(struct match *m)
{
    lua_State *L = m->L;

    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, m->map);
    lua_pushvalue(L, -1);
    lua_pushvalue(L, -3);
    lua_rawset(L, m->back);
}

/* [-0, +0, m]  The pair of functions on top. */
static void match_functions(struct match *m)
{
    lua_State *L = m->L;
    int old = lua_gettop(L) - 1, new = old + 1;
    const char *name, *other;

    add(m);
    for (int i = 1; (name = lua_getupvalue(L, old, i)) != NULL; i++) {
        for (int k = 1; *name && (other = lua_getupvalue(L, new, k)) != NULL; k++) {
            if (strcmp(name, other) == 0) {
                lua_pushvalue(L, -2);
                lua_insert(L, -2);
                offer(m);
                break;
            }
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
}

/* [-0, +0, m]  The locals of the file that both have. */
static void match_names(struct match *m)
{
    lua_State *L = m->L;

    for (lua_pushnil(L); lua_next(L, m->old_names); lua_pop(L, 1)) {
        lua_pushvalue(L, -1);
        lua_pushvalue(L, -3);
        lua_rawget(L, m->new_names);
        offer(m);
    }
}

/* [-0, +0, -]  Is the value on top a key of the table at idx? */
static bool is_key(lua_State *L, int idx)
{
    bool is;

    lua_pushvalue(L, -1);
    is = lua_rawget(L, idx) != LUA_TNIL;
    lua_pop(L, 1);
    return is;
}

/* [-1, +0, m]  The value on top becomes a key of the table at `seen`, and the n-th of the
 * list. */
static lua_Integer append(lua_State *L, int list, int seen, lua_Integer n)
{
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, seen);
    lua_rawseti(L, list, n);
    return n;
}

/* [-1, +0, m]  Adds the value on top to the list at `found`, when it is code that was
 * not in it. */
static lua_Integer find(lua_State *L, int found, lua_Integer n)
{
    if ((lua_istable(L, -1) || is_function(L, -1)) && !is_key(L, found))
        return append(L, found, found, n + 1);
    lua_pop(L, 1);
    return n;
}

/* [-0, +0, m]  Notes an upvalue, whose value is on top; false: a name that means several
 * values. */
static void note_name(lua_State *L, int names, const char *name)
{
    if (lua_getfield(L, names, name) != LUA_TNIL && !lua_rawequal(L, -1, -2)) {
        lua_pushboolean(L, 0);
        lua_setfield(L, names, name);
    }
    if (lua_isnil(L, -1)) {
        lua_pushvalue(L, -2);
        lua_setfield(L, names, name);
    }
    lua_pop(L, 1);
}

/* [-0, +1, m]  What the upvalues are called of all functions that are reached from the
 * module at idx: through it, through other functions and through classes. */
static void push_upvalues(lua_State *L, int idx)
{
    int names = lua_gettop(L) + 1, found = names + 1, value = names + 2;
    lua_Integer n = 0;
    const char *name;

    lua_newtable(L);
    lua_newtable(L);
    lua_pushvalue(L, idx);
    n = find(L, found, n);
    for (lua_Integer i = 1; i <= n; i++, lua_settop(L, found)) {
        lua_rawgeti(L, found, i);
        if (lua_isfunction(L, value)) {
            for (int k = 1; (name = lua_getupvalue(L, value, k)) != NULL; k++) {
                if (*name && strcmp(name, "_ENV") != 0) {
                    note_name(L, names, name);
                    n = find(L, found, n);
                } else {
                    lua_pop(L, 1);
                }
            }
            continue;
        }
        lua_pushliteral(L, "__index");
        if (i > 1 && lua_rawget(L, value) == LUA_TNIL) continue;   /* data, maybe a lot */
        lua_settop(L, value);
        for (lua_pushnil(L); lua_next(L, value);) n = find(L, found, n);
    }
    lua_settop(L, names);
}

static void match_tables(struct match *m, bool code)
{
    lua_State *L = m->L;
    int old = lua_gettop(L) - 1, new = old + 1;

    for (lua_pushnil(L); lua_next(L, new); lua_pop(L, 1)) {
        code = code || lua_isfunction(L, -1)
            || (lua_type(L, -2) == LUA_TSTRING
                && strcmp(lua_tostring(L, -2), "__index") == 0);
        if (lua_istable(L, -2) || lua_isfunction(L, -2)) continue;
        lua_pushvalue(L, -2);
        lua_rawget(L, old);
        lua_pushvalue(L, -2);
        offer(m);
    }
    if (code) add(m);
    if (lua_getmetatable(L, old)) {
        if (lua_getmetatable(L, new)) offer(m);
        else lua_pop(L, 1);
    }
}

void ltw_remap_match(lua_State *L, int old, int new)
{
    struct match m = { .L = L };

    luaL_checkstack(L, 24, "reload");
    old = lua_absindex(L, old);
    new = lua_absindex(L, new);
    lua_newtable(L);
    lua_newtable(L);
    lua_newtable(L);
    push_upvalues(L, old);
    push_upvalues(L, new);
    m.new_names = lua_gettop(L);
    m.old_names = m.new_names - 1;
    m.pairs = m.new_names - 2;
    m.back = m.new_names - 3;
    m.map = m.new_names - 4;
    lua_pushvalue(L, old);
    lua_pushvalue(L, new);
    offer(&m);
    match_names(&m);
    for (lua_Integer i = 1; i <= m.n; i += 2, lua_settop(L, m.new_names)) {
        lua_rawgeti(L, m.pairs, i);
        lua_rawgeti(L, m.pairs, i + 1);
        if (lua_istable(L, -1)) match_tables(&m, i == 1);
        else match_functions(&m);
    }
    lua_pop(L, 3);
}

/* ---- what a script keeps ---- */

/* [-1, +0, m]  Adds the value on top, when it is a table that is neither known as code
 * nor in the list. */
static lua_Integer reach(lua_State *L, int list, int seen, int map, lua_Integer n)
{
    if (lua_istable(L, -1) && !is_key(L, seen) && !is_key(L, map))
        return append(L, list, seen, n + 1);
    lua_pop(L, 1);
    return n;
}

void ltw_remap_collect(lua_State *L, int roots, int map)
{
    int list = lua_gettop(L) + 1, seen = list + 1;
    lua_Integer n = 0, n_roots;

    luaL_checkstack(L, 10, "reload");
    roots = lua_absindex(L, roots);
    map = lua_absindex(L, map);
    n_roots = (lua_Integer)lua_rawlen(L, roots);
    lua_newtable(L);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= n_roots; i++) {
        lua_rawgeti(L, roots, i);
        n = reach(L, list, seen, map, n);
    }
    for (lua_Integer i = 1; i <= n; i++, lua_settop(L, seen)) {
        lua_rawgeti(L, list, i);
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            if (lua_istable(L, -2)) {
                lua_pushvalue(L, -2);
                n = reach(L, list, seen, map, n);
            }
            if (lua_istable(L, -1)) {
                lua_pushvalue(L, -1);
                n = reach(L, list, seen, map, n);
            }
        }
    }
    lua_pop(L, 1);
}

/* [-1, +1, -]  What the value on top stands for, and true; or itself. */
static bool replace(lua_State *L, int map)
{
    lua_pushvalue(L, -1);
    if (lua_rawget(L, map) == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    lua_replace(L, -2);
    return true;
}

void ltw_remap_apply(lua_State *L, int tables, int map)
{
    int table = lua_gettop(L) + 1;

    tables = lua_absindex(L, tables);
    map = lua_absindex(L, map);
    for (lua_Integer i = 1; lua_rawgeti(L, tables, i) == LUA_TTABLE; i++) {
        for (lua_pushnil(L); lua_next(L, table); lua_settop(L, table + 1)) {
            if (!lua_istable(L, -1) && !lua_isfunction(L, -1)) continue;
            if (!replace(L, map)) continue;
            lua_pushvalue(L, table + 1);
            lua_insert(L, -2);
            lua_rawset(L, table);
        }
        if (lua_getmetatable(L, table) && replace(L, map)) lua_setmetatable(L, table);
        lua_settop(L, table - 1);
    }
    lua_settop(L, table - 1);
}

void ltw_remap_push_boxes(lua_State *L, int map)
{
    int boxes = lua_gettop(L) + 1, old = boxes + 1, new = boxes + 2;
    const char *name, *other;

    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, map); lua_settop(L, old)) {
        if (!is_function(L, old) || !is_function(L, new)) continue;
        for (int i = 1; (name = lua_getupvalue(L, old, i)) != NULL; i++) {
            lua_pop(L, 1);
            for (int k = 1; *name && (other = lua_getupvalue(L, new, k)) != NULL; k++) {
                lua_pop(L, 1);
                if (strcmp(name, other) != 0) continue;
                lua_createtable(L, 2, 0);
                lua_pushvalue(L, new);
                lua_rawseti(L, -2, 1);
                lua_pushinteger(L, k);
                lua_rawseti(L, -2, 2);
                lua_rawsetp(L, boxes, lua_upvalueid(L, old, i));
                break;
            }
        }
    }
}

/* [-0, +0, m]  Of the function on top. */
static void rebind(lua_State *L, int boxes, int map)
{
    int f = lua_gettop(L);
    const char *name;

    for (int i = 1; (name = lua_getupvalue(L, f, i)) != NULL; i++, lua_settop(L, f)) {
        if (lua_rawgetp(L, boxes, lua_upvalueid(L, f, i)) == LUA_TTABLE) {
            lua_rawgeti(L, -1, 1);
            lua_rawgeti(L, -2, 2);
            lua_upvaluejoin(L, f, i, -2, (int)lua_tointeger(L, -1));
            continue;
        }
        lua_pop(L, 1);
        if (replace(L, map)) lua_setupvalue(L, f, i);
    }
}

void ltw_remap_rebind(lua_State *L, int tables, int map)
{
    int boxes = lua_gettop(L) + 1, table = boxes + 1;

    luaL_checkstack(L, 12, "reload");
    tables = lua_absindex(L, tables);
    map = lua_absindex(L, map);
    ltw_remap_push_boxes(L, map);
    for (lua_Integer i = 1; lua_rawgeti(L, tables, i) == LUA_TTABLE; i++) {
        for (lua_pushnil(L); lua_next(L, table); lua_settop(L, table + 1)) {
            if (!is_function(L, -1)) continue;
            lua_pushvalue(L, -1);
            if (lua_rawget(L, map) != LUA_TNIL) continue;
            lua_pop(L, 1);
            rebind(L, boxes, map);
        }
        lua_settop(L, boxes);
    }
    lua_settop(L, boxes - 1);
}

void ltw_remap_copy(lua_State *L, int tables)
{
    int copies = lua_gettop(L) + 1, table = copies + 1;

    luaL_checkstack(L, 10, "reload");
    tables = lua_absindex(L, tables);
    lua_newtable(L);
    for (lua_Integer i = 1; lua_rawgeti(L, tables, i) == LUA_TTABLE; i++) {
        lua_createtable(L, 2, 0);
        lua_createtable(L, (int)lua_rawlen(L, table), 0);
        for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, table + 2);
        }
        lua_rawseti(L, table + 1, 1);
        if (lua_getmetatable(L, table)) lua_rawseti(L, table + 1, 2);
        lua_rawseti(L, copies, i);
        lua_settop(L, copies);
    }
    lua_settop(L, copies);
}

void ltw_remap_restore(lua_State *L, int tables, int copies)
{
    int table = lua_gettop(L) + 1, fields = table + 2;

    tables = lua_absindex(L, tables);
    copies = lua_absindex(L, copies);
    for (lua_Integer i = 1; lua_rawgeti(L, tables, i) == LUA_TTABLE; i++) {
        lua_rawgeti(L, copies, i);
        lua_rawgeti(L, table + 1, 1);
        for (lua_pushnil(L); lua_next(L, table); lua_settop(L, fields + 1)) {
            lua_pushvalue(L, fields + 1);
            if (lua_rawget(L, fields) != LUA_TNIL) continue;
            lua_pushvalue(L, fields + 1);
            lua_pushnil(L);
            lua_rawset(L, table);
        }
        lua_settop(L, fields);
        for (lua_pushnil(L); lua_next(L, fields); lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, table);
        }
        lua_rawgeti(L, table + 1, 2);
        lua_setmetatable(L, table);
        lua_settop(L, table - 1);
    }
    lua_settop(L, table - 1);
}
