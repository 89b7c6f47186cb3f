/* persist.c - tw.persist: tables that stay when the code around them changes.
 *
 * In the registry, for each instance: [1] what is persisted, [2] what the version does
 * that is coming, both by name, of {version, table, the old version, migrate}.
 *
 * Layer lua.
 */
#include "run/instance.h"

enum { NOW = 1, COMING = 2 };
enum { VERSION = 1, STATE = 2, FROM = 3, MIGRATE = 4 };

/* [-0, +1, m]  The one or the other; made when it is not there. */
static void push(lua_State *L, struct ltw_script *s, int which)
{
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, s->persist) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, 2, 0);
        lua_pushvalue(L, -1);
        s->persist = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    if (lua_rawgeti(L, -1, which) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, which);
    }
    lua_remove(L, -2);
}

/* [-0, +1, e]  The entry of name (1) and version (2), made of the present one, which is
 * at `now` or nil, or of the initial table (3). */
static void push_entry(lua_State *L, int now)
{
    bool is_new = lua_isnil(L, now);
    lua_Integer version = lua_tointeger(L, 2), from = version;

    lua_createtable(L, 4, 0);
    if (!is_new) {
        lua_rawgeti(L, now, VERSION);
        from = lua_tointeger(L, -1);
        lua_pop(L, 1);
        lua_rawgeti(L, now, STATE);
    } else {
        lua_pushvalue(L, 3);
    }
    lua_rawseti(L, -2, STATE);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, VERSION);
    if (from == version) return;
    if (lua_isnil(L, 4))
        luaL_error(L, "tw.persist: '%s' is at version %I, and there is no migrate"
                   " function to make it version %I", lua_tostring(L, 1), from, version);
    lua_pushinteger(L, from);
    lua_rawseti(L, -2, FROM);
    lua_pushvalue(L, 4);
    lua_rawseti(L, -2, MIGRATE);
}

/* tw.persist(name, version, initial [, migrate]) -> table
 * A table that stays when a new version of the script comes: the file's code runs anew,
 * and gets from here what it got before.  The first time that is initial.  When the
 * version is another one than it was, migrate(old_version, table) is called at the
 * change; it alters the table, or returns one whose fields take the place of the old
 * ones.  For locals of the file: local book = tw.persist("book", 1, {}).
 * Yields: no.  Blocks: as migrate does.  Thread: the script's.
 * Errors: raises when the version is another one and there is no migrate; an error of
 * migrate refuses the new version.  Units: none. */
int ltw_persist(lua_State *L)
{
    struct ltw_script *s = ltw_state(L)->script;
    int entries = 5, now = 6;

    luaL_checkstring(L, 1);
    luaL_checkinteger(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    if (!lua_isnoneornil(L, 4)) luaL_checktype(L, 4, LUA_TFUNCTION);
    lua_settop(L, s ? 4 : 3);
    if (!s) return 1;
    push(L, s, s->loading ? COMING : NOW);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, entries) == LUA_TNIL) {
        if (s->loading) {
            push(L, s, NOW);
            lua_pushvalue(L, 1);
            lua_rawget(L, -2);
            lua_replace(L, now);
            lua_settop(L, now);
        }
        push_entry(L, now);
        lua_replace(L, now);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, now);
        lua_rawset(L, entries);
    }
    lua_rawgeti(L, now, STATE);
    return 1;
}

bool ltw_persist_add(lua_State *L, const struct ltw_script *s)
{
    int list = lua_gettop(L), entry = list + 4;
    lua_Integer n = (lua_Integer)lua_rawlen(L, list);
    bool migrates = false;

    if (lua_rawgeti(L, LUA_REGISTRYINDEX, s->persist) == LUA_TTABLE
        && lua_rawgeti(L, -1, COMING) == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, list + 2); lua_settop(L, entry - 1)) {
            migrates = lua_rawgeti(L, entry, FROM) != LUA_TNIL || migrates;
            lua_rawgeti(L, entry, STATE);
            lua_rawseti(L, list, ++n);
        }
    lua_settop(L, list);
    return migrates;
}

/* [-0, +1, m]  The entries of now or coming, by name; empty when there are none. */
static void push_entries(lua_State *L, const struct ltw_script *s, int which)
{
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, s->persist) == LUA_TTABLE)
        lua_rawgeti(L, -1, which);
    else
        lua_pushnil(L);
    lua_remove(L, -2);
    if (!lua_isnil(L, -1)) return;
    lua_pop(L, 1);
    lua_newtable(L);
}

bool ltw_persist_moves(lua_State *L, const struct ltw_script *s)
{
    bool moves;

    lua_newtable(L);
    moves = ltw_persist_add(L, s);
    lua_pop(L, 1);
    return moves;
}

void ltw_persist_copy(lua_State *L, struct ltw_script *candidate, int memo)
{
    int top = lua_gettop(L), from = top + 1, to = top + 2, name = top + 3;

    push_entries(L, candidate->of, NOW);
    push(L, candidate, NOW);
    for (lua_pushnil(L); lua_next(L, from); lua_settop(L, name)) {
        lua_pushvalue(L, name);
        lua_createtable(L, 2, 0);
        lua_rawgeti(L, name + 1, VERSION);
        lua_rawseti(L, -2, VERSION);
        lua_rawgeti(L, name + 1, STATE);
        lua_rawget(L, memo);
        lua_rawseti(L, -2, STATE);
        lua_rawset(L, to);
    }
    lua_settop(L, top);
}

void ltw_persist_list(lua_State *L, const struct ltw_script *s)
{
    int list = lua_gettop(L), entry = list + 4;
    lua_Integer n = (lua_Integer)lua_rawlen(L, list);

    if (lua_rawgeti(L, LUA_REGISTRYINDEX, s->persist) == LUA_TTABLE
        && lua_rawgeti(L, -1, NOW) == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, list + 2); lua_settop(L, entry - 1)) {
            lua_rawgeti(L, entry, STATE);
            lua_rawseti(L, list, ++n);
        }
    lua_settop(L, list);
}

/* [-1, +0, m]  The fields of the table on top become those of the one at `state`. */
static void become(lua_State *L, int state)
{
    int from = lua_gettop(L);

    for (lua_pushnil(L); lua_next(L, state); lua_settop(L, from + 1)) {
        lua_pushvalue(L, -2);
        lua_pushnil(L);
        lua_rawset(L, state);
    }
    lua_settop(L, from);
    for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, state);
    }
    if (lua_getmetatable(L, from)) lua_setmetatable(L, state);
    lua_settop(L, from - 1);
}

void ltw_persist_warm(lua_State *L, const struct ltw_script *s,
                      const struct ltw_script *candidate)
{
    int top = lua_gettop(L), now = top + 1, coming = top + 2, made = top + 3;
    int name = top + 4, entry = top + 5;

    push_entries(L, s, NOW);
    push_entries(L, s, COMING);
    push_entries(L, candidate, NOW);
    for (lua_pushnil(L); lua_next(L, coming); lua_settop(L, name)) {
        lua_pushvalue(L, name);
        if (lua_rawget(L, now) != LUA_TNIL) continue;
        lua_pushvalue(L, name);
        if (lua_rawget(L, made) == LUA_TNIL) continue;
        lua_rawgeti(L, entry, STATE);
        lua_rawgeti(L, entry + 2, STATE);
        become(L, entry + 3);
    }
    lua_settop(L, top);
}

void ltw_persist_migrate(lua_State *L, const struct ltw_script *s)
{
    int top = lua_gettop(L), entry = top + 4, state = entry + 1;

    if (lua_rawgeti(L, LUA_REGISTRYINDEX, s->persist) == LUA_TTABLE
        && lua_rawgeti(L, -1, COMING) == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, top + 2); lua_settop(L, entry - 1)) {
            lua_rawgeti(L, entry, STATE);
            if (lua_rawgeti(L, entry, MIGRATE) == LUA_TNIL) continue;
            lua_rawgeti(L, entry, FROM);
            lua_pushvalue(L, state);
            lua_call(L, 2, 1);
            if (lua_isnil(L, -1) || lua_rawequal(L, -1, state)) continue;
            if (!lua_istable(L, -1))
                luaL_error(L, "tw.persist: migrate of '%s' returned a %s, not a table",
                           lua_tostring(L, entry - 1), luaL_typename(L, -1));
            become(L, state);
        }
    lua_settop(L, top);
}

void ltw_persist_end(lua_State *L, const struct ltw_script *s, bool commit)
{
    int top = lua_gettop(L), all = top + 1, coming = top + 2, now = top + 3;

    if (lua_rawgeti(L, LUA_REGISTRYINDEX, s->persist) == LUA_TTABLE
        && lua_rawgeti(L, all, COMING) == LUA_TTABLE) {
        if (lua_rawgeti(L, all, NOW) != LUA_TTABLE && commit) {
            lua_pushvalue(L, coming);
            lua_rawseti(L, all, NOW);
        }
        for (lua_pushnil(L); commit && lua_istable(L, now) && lua_next(L, coming);) {
            for (int i = FROM; i <= MIGRATE; i++) {
                lua_pushnil(L);
                lua_rawseti(L, -2, i);
            }
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, now);
        }
        lua_pushnil(L);
        lua_rawseti(L, all, COMING);
    }
    lua_settop(L, top);
}
