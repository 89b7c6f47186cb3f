/* ltracked_key.c - tw.tracked: the keys of a statistic, as Lua names them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stat/ltracked.h"

uint32_t ltw_tracked_next(const struct ltw_tracked *v, uint32_t key)
{
    const struct tw_keys *keys = ltw_tracked_keys(v);
    const uint32_t count = tw_keys_count(keys);

    while (++key <= count)
        if (tw_keys_was_seen(keys, key)) return key;
    return 0;
}

uint32_t ltw_tracked_count(const struct ltw_tracked *v)
{
    uint32_t n = 0;

    for (uint32_t key = 0; (key = ltw_tracked_next(v, key)) != 0;) n++;
    return n;
}

const char *ltw_tracked_push_by(lua_State *L, const struct tw_keys *keys)
{
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    for (unsigned i = 0; i < tw_keys_parts(keys); i++) {
        if (i > 0) luaL_addstring(&out, ", ");
        luaL_addstring(&out, tw_keys_part(keys, i));
    }
    luaL_pushresult(&out);
    return lua_tostring(L, -1);
}

/* [-0, +0, e] */
static void refuse_part(lua_State *L, const struct ltw_tracked *v, unsigned part, int idx)
{
    const struct tw_keys *keys = ltw_tracked_keys(v);

    luaL_error(L, "%s: a %s expected for %s, got %s", ltw_tracked_name(v),
               tw_keys_is_number(keys, part) ? "number" : "string",
               tw_keys_part(keys, part), luaL_typename(L, idx));
}

uint32_t ltw_tracked_find_key(lua_State *L, const struct ltw_tracked *v, int idx)
{
    const struct tw_keys *keys = ltw_tracked_keys(v);
    unsigned n = tw_keys_parts(keys);
    char number[TW_EXPR_KEYS][32];
    const char *part[TW_EXPR_KEYS];
    int given = lua_gettop(L) - idx + 1;
    bool is_text = true;
    uint32_t key;
    size_t length;

    if (given != (int)n)
        luaL_error(L, "%s is by %s: %d part%s of a key expected, got %d",
                   ltw_tracked_name(v), ltw_tracked_push_by(L, keys), (int)n,
                   n == 1 ? "" : "s", given);
    for (unsigned i = 0; i < n; i++, idx++) {
        bool is_number = tw_keys_is_number(keys, i);

        if (lua_type(L, idx) != (is_number ? LUA_TNUMBER : LUA_TSTRING))
            refuse_part(L, v, i, idx);
        if (is_number) {
            snprintf(number[i], sizeof number[i], "%.17g", lua_tonumber(L, idx));
            part[i] = number[i];
        } else {
            part[i] = lua_tolstring(L, idx, &length);
            is_text = is_text && strlen(part[i]) == length;
        }
    }
    key = is_text ? tw_keys_find(keys, part, n) : 0;
    return key && tw_keys_was_seen(keys, key) ? key : 0;
}

uint32_t ltw_tracked_key_of(lua_State *L, const struct ltw_tracked *v, int idx)
{
    if (!v->key) return ltw_tracked_find_key(L, v, idx);
    if (lua_gettop(L) >= idx)
        luaL_error(L, "%s: no key expected: this is of one", ltw_tracked_name(v));
    return v->key;
}

const struct ltw_tracked *ltw_check_keyed(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);

    if (!v->key) return v;
    if (tw_keys_parts(ltw_tracked_keys(v)) == 0)
        luaL_error(L, "%s is by nothing: it has no keys", ltw_tracked_name(v));
    luaL_error(L, "%s: this is of one key; ask the statistic", ltw_tracked_name(v));
    return NULL;
}

void ltw_tracked_push_part(lua_State *L, const struct tw_keys *keys, uint32_t key,
                           unsigned i)
{
    char number[32];
    const char *text = tw_keys_text(keys, key, i, number);
    lua_Integer whole;
    double x;

    if (!tw_keys_is_number(keys, i)) {
        lua_pushstring(L, text);
        return;
    }
    x = strtod(text, NULL);
    if (lua_numbertointeger(x, &whole) && (double)whole == x) lua_pushinteger(L, whole);
    else lua_pushnumber(L, x);
}

void ltw_tracked_push_key(lua_State *L, const struct tw_keys *keys, uint32_t key)
{
    unsigned n = tw_keys_parts(keys);

    if (n == 1) {
        ltw_tracked_push_part(L, keys, key, 0);
        return;
    }
    lua_createtable(L, (int)n, 0);
    for (unsigned i = 0; i < n; i++) {
        ltw_tracked_push_part(L, keys, key, i);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}
