/* lstat_field.c - what statistics have, pushed or declared: fields, a list, metatables.
 *
 * A statistic's __index has a table of its methods and, by name, of its fields' numbers.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stat/lstat.h"

enum { LIST_MAX = 1024 };

void ltw_stat_push_value(lua_State *L, const struct tw_stat *s, unsigned field,
                         double value)
{
    const char *name = field ? s->kind->fields[field] : s->kind->name;

    if (isnan(value)) lua_pushnil(L);
    else if (value < 0x1p53 && strcmp(name, "count") == 0)
        lua_pushinteger(L, (lua_Integer)value);
    else lua_pushnumber(L, value);
}

void ltw_stat_push_field(lua_State *L, const struct tw_stat *s, const void *state,
                         unsigned field)
{
    ltw_stat_push_value(L, s, field, tw_stat_get(s, state, field));
}

void ltw_stat_push_fields(lua_State *L, const struct tw_stat *s, const void *state)
{
    lua_newtable(L);
    for (unsigned i = 0; s->kind->fields[i]; i++) {
        ltw_stat_push_field(L, s, state, i);
        lua_setfield(L, -2, s->kind->fields[i]);
    }
}

void ltw_stat_add_fields(luaL_Buffer *out, const struct tw_stat *s, const void *state)
{
    char text[100];

    for (unsigned i = 0; s->kind->fields[i]; i++) {
        double x = tw_stat_get(s, state, i);

        if (isnan(x) && i > 0) continue;
        snprintf(text, sizeof text, "%s%s%s%.14g", i ? ", " : "",
                 i ? s->kind->fields[i] : "", i ? " " : "", x);
        luaL_addstring(out, isnan(x) ? "no value" : text);
    }
}

int ltw_stat_refuse_field(lua_State *L, const struct tw_stat_kind *k, const char *what,
                          int idx)
{
    const char *name = luaL_tolstring(L, idx, NULL);
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    for (unsigned i = 0; k->fields[i]; i++) {
        if (i > 0) luaL_addstring(&out, ", ");
        luaL_addstring(&out, k->fields[i]);
    }
    luaL_pushresult(&out);
    return luaL_error(L, "%s has no field '%s': %s has %s", what, name, k->name,
                      lua_tostring(L, -1));
}

void ltw_stat_push_list(lua_State *L, const struct tw_stat *s, const void *state, int n)
{
    lua_Integer max = luaL_optinteger(L, n, LIST_MAX);
    double pair[LIST_MAX][2];
    unsigned found = 0;

    luaL_argcheck(L, max >= 0, n, "0 or more expected");
    if (max > LIST_MAX) max = LIST_MAX;
    if (state) found = s->ops->list(s, state, pair, (unsigned)max);
    lua_createtable(L, (int)found, 0);
    for (unsigned i = 0; i < found; i++) {
        lua_createtable(L, 0, 2);
        ltw_set_number(L, "value", pair[i][0]);
        ltw_set_integer(L, "count", (lua_Integer)pair[i][1]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* [-0, +1, m] */
static void push_new_metatable(lua_State *L, const struct ltw_stat_class *c,
                               const struct tw_stat_kind *k)
{
    lua_newtable(L);
    luaL_setfuncs(L, c->meta, 0);
    lua_newtable(L);
    c->add_methods(L);
    for (unsigned i = 0; k && k->fields[i]; i++)
        ltw_set_integer(L, k->fields[i], i);
    lua_pushcclosure(L, c->index, 1);
    lua_setfield(L, -2, "__index");
    ltw_set_text(L, "__name", c->name);
    ltw_set_text(L, "__metatable", c->name);
}

void ltw_stat_push_metatable(lua_State *L, const struct ltw_stat_class *c,
                             const struct tw_stat_kind *k)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, c->name);
    if (lua_rawgetp(L, -1, k) == LUA_TNIL) {
        lua_pop(L, 1);
        push_new_metatable(L, c, k);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, k);
    }
    lua_remove(L, -2);
}
