/* hint.c - which name may have been meant, where a call or a field found nil.
 *
 * Why: self:buyy() is nil until it is called, and has to be, as a script may ask whether
 * it has a field.  So only the message of the error is another one.  Lua doesn't say in
 * which table the name was looked for, but the locals and upvalues of the function lead
 * there.
 */
#include "hint.h"

#include <stdio.h>
#include <string.h>

#include "share/lvalue.h"
#include "tape/field.h"

enum { CHAIN = 8, KEYS = 100000 }; /* tables that __index leads to; keys of all */

struct hint {
    char name[32];
    char best[32];
    int distance;                  /* of best; without one what is too far     */
    int left;                      /* keys that may be looked at               */
    bool calls;                    /* functions, else tables                   */
    char kind;                     /* 'm'ethod, 'f'ield or 'g'lobal            */
    bool exists;                   /* elsewhere: the table is another          */
};

/* The name that was nil, from the end of the message; false: it says something else. */
static bool parse(const char *text, struct hint *h)
{
    static const char call[] = "attempt to call a nil value (",
                      index[] = "attempt to index a nil value (";
    const char *at = strstr(text, call), *name, *end;

    h->calls = at != NULL;
    if (!at) at = strstr(text, index);
    if (!at) return false;
    at += sizeof call - 1 + !h->calls;
    if (strncmp(at, "method '", 8) != 0 && strncmp(at, "field '", 7) != 0
        && strncmp(at, "global '", 8) != 0) return false;
    h->kind = *at;
    name = strchr(at, '\'') + 1;
    end = strchr(name, '\'');
    if (!end || strcmp(end, "')") != 0 || end == name || end - name >= 31) return false;
    memcpy(h->name, name, (size_t)(end - name));
    h->name[end - name] = '\0';
    return true;
}

static void consider(lua_State *L, struct hint *h)
{
    int type = lua_type(L, -1), d;
    const char *name;

    if (lua_type(L, -2) != LUA_TSTRING
        || (h->calls ? type != LUA_TFUNCTION
                     : type != LUA_TTABLE && type != LUA_TUSERDATA)) return;
    name = lua_tostring(L, -2);
    d = tw_name_distance(h->name, strlen(h->name), name);
    h->exists |= d == 0;
    if (d == 0 || d >= (int)strlen(h->name)) return;
    if (d > h->distance || (d == h->distance && strcmp(name, h->best) >= 0)) return;
    h->distance = d;
    snprintf(h->best, sizeof h->best, "%s", name);
}

/* [-0, +0, -]  Is the value on top _G? */
static bool is_globals(lua_State *L)
{
    bool is;

    lua_pushglobaltable(L);
    is = lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    return is;
}

/* [-1, +0, m]  The keys of the value on top (own) and of what its __index leads to, and,
 * to a depth, of the tables in them. */
static void search(lua_State *L, struct hint *h, bool own, int depth)
{
    int top = lua_gettop(L);

    if (!lua_checkstack(L, 8)) depth = -1;
    for (int i = 0; i < CHAIN && depth >= 0; i++) {
        if (lua_istable(L, -1))
            for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
                if (h->left-- <= 0) {
                    lua_settop(L, top - 1);
                    return;
                }
                if (own) consider(L, h);
                if (depth == 0 || !lua_istable(L, -1) || is_globals(L)) continue;
                lua_pushvalue(L, -1);
                search(L, h, true, depth - 1);
            }
        if (luaL_getmetafield(L, -1, "__index") != LUA_TTABLE) break;
        lua_remove(L, -2);
    }
    lua_settop(L, top - 1);
}

/* [-1, +0, m]  A local or an upvalue of the function.  Globals are in _ENV, whose fields
 * are nothing else. */
static void search_value(lua_State *L, struct hint *h, const char *name)
{
    bool is_env = strcmp(name, "_ENV") == 0;

    if (h->kind == 'g' ? is_env : !is_env || h->kind == 'f')
        search(L, h, !is_env || h->kind == 'g', h->kind != 'g');
    else
        lua_pop(L, 1);
}

/* [-0, +1, m]  "; did you mean 'buy'?", or "".  Protected. */
static int find(lua_State *L)
{
    const char *text = lua_tostring(L, 1), *name;
    lua_State *co = lua_touserdata(L, 2);
    struct hint h = { .left = KEYS };
    lua_Debug ar;
    bool has_frame = text && parse(text, &h)     /* of L this function is level 0 */
        && lua_getstack(co, (int)lua_tointeger(L, 3) + (co == L), &ar);

    h.distance = strlen(h.name) < 6 ? 2 : 3;
    for (int i = 1; has_frame && (name = lua_getlocal(co, &ar, i)); i++) {
        lua_xmove(co, L, 1);
        search_value(L, &h, name);
    }
    if (has_frame && lua_getinfo(co, "f", &ar)) {
        lua_xmove(co, L, 1);
        for (int i = 1; (name = lua_getupvalue(L, 4, i)); i++) search_value(L, &h, name);
    }
    if (h.best[0] && !h.exists)
        lua_pushfstring(L, "%s; did you mean '%s'?", text, h.best);
    else lua_pushvalue(L, 1);
    return 1;
}

void ltw_hint(lua_State *L, lua_State *co, int level)
{
    if (lua_type(L, -1) != LUA_TSTRING || !strstr(lua_tostring(L, -1), " a nil value ("))
        return;
    if (!lua_checkstack(L, 5) || (co != L && !lua_checkstack(co, 1))) return;
    lua_pushcfunction(L, find);
    lua_pushvalue(L, -2);
    lua_pushlightuserdata(L, co);
    lua_pushinteger(L, level);
    if (lua_pcall(L, 3, 1, 0) == LUA_OK) lua_replace(L, -2);
    else lua_pop(L, 1);
}
