/* lvalue.c - Lua values to immutable ones that cross threads, and back.
 *
 * A block's bytes: a kind byte, then for an integer or number its 8 bytes, for
 * a string its length in 4 bytes and its text, for a table the count of its
 * pairs in 4 bytes and then each key and value.
 *
 * It is built in a buffer of the thread's: nothing that writes there calls
 * back into Lua code, so one at a time is enough.
 */
#include "lvalue.h"

#include <stdio.h>
#include <string.h>

static _Thread_local char scratch[TW_VALUE_BYTES_MAX];

struct writer {
    lua_State *L;
    size_t n;            /* bytes in scratch           */
    char path[128];      /* of the value being written */
};

static void put(struct writer *w, const void *bytes, size_t n)
{
    if (n > TW_VALUE_BYTES_MAX - w->n)
        luaL_error(w->L, "%s: the value takes more than %d bytes", w->path,
                   TW_VALUE_BYTES_MAX);
    memcpy(scratch + w->n, bytes, n);
    w->n += n;
}

static void put_kind(struct writer *w, enum tw_value_kind kind)
{
    put(w, &(uint8_t){ (uint8_t)kind }, 1);
}

static void put_count(struct writer *w, size_t n)
{
    put(w, &(uint32_t){ (uint32_t)n }, sizeof(uint32_t));
}

static void put_value(struct writer *w, int idx, int depth);

/* Appends the key at idx to the path; returns where to cut it off again. */
static size_t extend_path(struct writer *w, int idx)
{
    size_t end = strlen(w->path), room = sizeof w->path - end;
    lua_State *L = w->L;

    lua_pushvalue(L, idx);   /* lua_tostring would change a number's type */
    snprintf(w->path + end, room, lua_type(L, idx) == LUA_TSTRING ? ".%s" : "[%s]",
             lua_isstring(L, -1) ? lua_tostring(L, -1) : luaL_typename(L, -1));
    lua_pop(L, 1);
    return end;
}

static void put_table(struct writer *w, int idx, int depth)
{
    lua_State *L = w->L;
    size_t count_at, count = 0;

    if (depth == TW_VALUE_DEPTH_MAX)
        luaL_error(L, "%s: tables nest deeper than %d (a cycle?)", w->path,
                   TW_VALUE_DEPTH_MAX);
    luaL_checkstack(L, 6, "value");
    put_kind(w, TW_VALUE_TABLE);
    count_at = w->n;
    put_count(w, 0);
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1), count++) {
        int key = lua_gettop(L) - 1;
        size_t end = extend_path(w, key);

        put_value(w, key, depth + 1);
        put_value(w, key + 1, depth + 1);
        w->path[end] = '\0';
    }
    memcpy(scratch + count_at, &(uint32_t){ (uint32_t)count }, sizeof(uint32_t));
}

static void put_value(struct writer *w, int idx, int depth)
{
    lua_State *L = w->L;
    size_t n;
    const char *text;

    switch (lua_type(L, idx)) {
    case LUA_TNIL:
        put_kind(w, TW_VALUE_NIL);
        break;
    case LUA_TBOOLEAN:
        put_kind(w, lua_toboolean(L, idx) ? TW_VALUE_TRUE : TW_VALUE_FALSE);
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx)) {
            put_kind(w, TW_VALUE_INTEGER);
            put(w, &(lua_Integer){ lua_tointeger(L, idx) }, sizeof(lua_Integer));
        } else {
            put_kind(w, TW_VALUE_NUMBER);
            put(w, &(lua_Number){ lua_tonumber(L, idx) }, sizeof(lua_Number));
        }
        break;
    case LUA_TSTRING:
        text = lua_tolstring(L, idx, &n);
        put_kind(w, TW_VALUE_STRING);
        put_count(w, n);
        put(w, text, n);
        break;
    case LUA_TTABLE:
        put_table(w, idx, depth);
        break;
    default:
        luaL_error(L, "%s is a %s: only nil, booleans, numbers, strings and tables of"
                   " them can be sent", w->path, luaL_typename(L, idx));
    }
}

struct tw_any ltw_check_any(lua_State *L, int idx)
{
    struct tw_any v = { .kind = TW_VALUE_NIL };
    struct writer w = { .L = L, .path = "value" };

    switch (lua_type(L, idx)) {
    case LUA_TNIL:
        break;
    case LUA_TBOOLEAN:
        v.kind = lua_toboolean(L, idx) ? TW_VALUE_TRUE : TW_VALUE_FALSE;
        break;
    case LUA_TNUMBER:
        v.kind = lua_isinteger(L, idx) ? TW_VALUE_INTEGER : TW_VALUE_NUMBER;
        if (lua_isinteger(L, idx)) v.integer = lua_tointeger(L, idx);
        else v.number = lua_tonumber(L, idx);
        break;
    default:
        put_value(&w, lua_absindex(L, idx), 0);
        v.block = tw_value_new(scratch, w.n);
        if (!v.block) luaL_error(L, "value: not enough memory");
        v.kind = TW_VALUE_BLOCK;
    }
    return v;
}

struct reader { lua_State *L; const char *p; };

static void take(struct reader *r, void *out, size_t n)
{
    memcpy(out, r->p, n);
    r->p += n;
}

/* The bytes were made by put_value in this process: they are well formed. */
static void push_value(struct reader *r)
{
    lua_State *L = r->L;
    uint8_t kind;
    uint32_t n;
    lua_Integer i;
    lua_Number d;

    take(r, &kind, 1);
    switch (kind) {
    case TW_VALUE_FALSE: case TW_VALUE_TRUE:
        lua_pushboolean(L, kind == TW_VALUE_TRUE);
        break;
    case TW_VALUE_INTEGER:
        take(r, &i, sizeof i);
        lua_pushinteger(L, i);
        break;
    case TW_VALUE_NUMBER:
        take(r, &d, sizeof d);
        lua_pushnumber(L, d);
        break;
    case TW_VALUE_STRING:
        take(r, &n, sizeof n);
        lua_pushlstring(L, r->p, n);
        r->p += n;
        break;
    case TW_VALUE_TABLE:
        take(r, &n, sizeof n);
        luaL_checkstack(L, 4, "value");
        lua_newtable(L);
        while (n-- > 0) {
            push_value(r);
            push_value(r);
            lua_rawset(L, -3);
        }
        break;
    default:
        lua_pushnil(L);
    }
}

void ltw_push_any(lua_State *L, const struct tw_any *v)
{
    struct reader r = { .L = L };

    switch (v->kind) {
    case TW_VALUE_FALSE: case TW_VALUE_TRUE:
        lua_pushboolean(L, v->kind == TW_VALUE_TRUE);
        break;
    case TW_VALUE_INTEGER: lua_pushinteger(L, v->integer); break;
    case TW_VALUE_NUMBER:  lua_pushnumber(L, v->number); break;
    case TW_VALUE_BLOCK:
        r.p = tw_value_bytes(v->block, &(size_t){ 0 });
        push_value(&r);
        break;
    default:               lua_pushnil(L); break;
    }
}
