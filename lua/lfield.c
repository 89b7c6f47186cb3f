/* lfield.c - the fields of a table that Lua has made, and checked, for C. */
#include "lfield.h"

const char *ltw_text_at(lua_State *L, int idx, const char *name)
{
    const char *s;

    s = lua_getfield(L, idx, name) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 1);
    return s;
}

double ltw_number_at(lua_State *L, int idx, const char *name, double otherwise)
{
    double d;

    lua_getfield(L, idx, name);
    d = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : otherwise;
    lua_pop(L, 1);
    return d;
}

int64_t ltw_integer_at(lua_State *L, int idx, const char *name, int64_t otherwise)
{
    int64_t i;

    lua_getfield(L, idx, name);
    i = lua_isnumber(L, -1) ? lua_tointeger(L, -1) : otherwise;
    lua_pop(L, 1);
    return i;
}

char ltw_letter_at(lua_State *L, int idx, const char *name)
{
    const char *text = ltw_text_at(L, idx, name);

    return text ? *text : 0;
}

bool ltw_boolean_at(lua_State *L, int idx, const char *name)
{
    bool b;

    lua_getfield(L, idx, name);
    b = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return b;
}
