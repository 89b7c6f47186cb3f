/* lobject.c - shared objects as Lua sees them: one box per object and state. */
#include "share/lobject.h"

const char ltw_box_mark[] = "box";

void ltw_push_interned(lua_State *L)
{
    static const char key;

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key) == LUA_TTABLE) return;
    lua_pop(L, 1);
    ltw_push_weak(L, "v");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
}

void ltw_object_open(lua_State *L, const char *type_name)
{
    ltw_push_type(L, type_name, ltw_object_gc);
}

struct ltw_box *ltw_push_box(lua_State *L, const char *type_name, int user_values)
{
    struct ltw_box *b;

    ltw_check_open(L);
    b = lua_newuserdatauv(L, sizeof *b, user_values);
    *b = (struct ltw_box){ .mark = ltw_box_mark };
    if (luaL_getmetatable(L, type_name) != LUA_TTABLE)
        luaL_error(L, "this state does not know %s", type_name);
    lua_setmetatable(L, -2);
    return b;
}

void ltw_push_object(lua_State *L, struct tw_object *o)
{
    struct ltw_box *b;

    ltw_push_interned(L);
    lua_rawgetp(L, -1, o);
    b = lua_touserdata(L, -1);
    if (!b || b->object != o) {   /* it may be closed, and its address used again */
        lua_pop(L, 1);
        b = ltw_push_box(L, o->type->name, 0);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, o);
        tw_object_ref(o);
        b->object = o;
    }
    lua_remove(L, -2);
}

struct tw_object *ltw_test_object(lua_State *L, int idx)
{
    struct ltw_box *b = ltw_to_box(L, idx, ltw_box_mark);

    return b ? b->object : NULL;
}

struct tw_object *ltw_check_object(lua_State *L, int idx, const char *type_name)
{
    struct tw_object *o = ltw_test_object(L, idx);

    if (o && o->type->name == type_name) return o;
    luaL_checkudata(L, idx, type_name);
    if (!o) luaL_error(L, "%s is closed", type_name);
    return o;
}

int ltw_object_gc(lua_State *L)
{
    struct ltw_box *b = ltw_to_box(L, 1, ltw_box_mark);
    struct tw_object *o;

    if (!ltw_is_finalizer(L)) return 0;
    if (!b) b = ltw_to_box(L, 1, ltw_task_mark);
    if (!b) return 0;
    o = b->object;
    b->object = NULL;
    if (o) tw_object_unref(o);
    return 0;
}
