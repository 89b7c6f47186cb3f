/* lvalue.c - Lua values to frozen ones: the walk over tables.
 *
 * Why: breadth first, so that neither depth nor cycles take stack.  Tables wait
 * in a Lua list until they are opened; the builder knows them by their address.
 * Where a table was found is looked up only when a message has to say so.
 */
#include "share/lvalue.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "share/lfuture.h"
#include "share/lobject.h"
#include "tape/lrecord.h"
#include "share/builder.h"

#define BUILDER "tw.builder"

enum { ROOT_ID = 0, PATH_STEPS = 16 };

struct walk {
    lua_State *L;
    struct tw_builder *b;
    const char *name;         /* of the root                              */
    int root, list;           /* stack: the root; the list of the others  */
    lua_Integer n;            /* tables in the list; its index is the id  */
    lua_Integer id;           /* of the open table                        */
};

/* ---- messages ---- */

struct path { size_t n; char text[400]; };

static void say(struct path *p, const char *format, const char *text)
{
    size_t room = sizeof p->text - p->n;
    int n = snprintf(p->text + p->n, room, format, text);

    p->n += (size_t)n < room ? (size_t)n : room - 1;
}

static bool is_name(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_') return false;
    while (isalnum((unsigned char)*s) || *s == '_') s++;
    return *s == '\0';
}

/* [-0, +0, m] */
static void say_key(lua_State *L, struct path *p, int key)
{
    if (lua_type(L, key) == LUA_TSTRING && is_name(lua_tostring(L, key)))
        say(p, ".%.40s", lua_tostring(L, key));
    else if (lua_type(L, key) == LUA_TSTRING)
        say(p, "[\"%.40s\"]", lua_tostring(L, key));
    else if (lua_type(L, key) == LUA_TNUMBER || lua_type(L, key) == LUA_TBOOLEAN) {
        say(p, "[%s]", luaL_tolstring(L, key, NULL));
        lua_pop(L, 1);
    } else
        say(p, "[a %s]", luaL_typename(L, key));
}

/* [-0, +1, -] */
static void push_table(struct walk *w, lua_Integer id)
{
    if (id == ROOT_ID) lua_pushvalue(w->L, w->root);
    else lua_rawgeti(w->L, w->list, id);
}

/* [-0, +0, m]  The key under which the parent has a table, or `a key` of it. */
static void say_step(struct walk *w, struct path *p, lua_Integer parent, lua_Integer id)
{
    lua_State *L = w->L;
    int top = lua_gettop(L);

    push_table(w, parent);
    push_table(w, id);
    for (lua_pushnil(L); lua_next(L, top + 1); lua_pop(L, 1)) {
        if (!lua_rawequal(L, -1, top + 2) && !lua_rawequal(L, -2, top + 2)) continue;
        say_key(L, p, top + 3);
        break;
    }
    lua_settop(L, top);
}

/* [-0, +0, m]  Where the open table is: the last steps of a long way. */
static void say_path(struct walk *w, struct path *p)
{
    lua_Integer way[PATH_STEPS + 1];
    int n = 0;

    say(p, "%.200s", w->name);
    way[0] = w->id;
    while (way[n] != ROOT_ID && n < PATH_STEPS) {
        way[n + 1] = tw_builder_parent(w->b, (uint32_t)way[n]);
        n++;
    }
    if (way[n] != ROOT_ID) say(p, "%s", "...");
    for (; n > 0; n--) say_step(w, p, way[n], way[n - 1]);
}

static const char *type_of(lua_State *L, int idx)
{
    if (lua_type(L, idx) == LUA_TTHREAD) return "coroutine";
    return luaL_testudata(L, idx, LTW_TASK) ? "task" : luaL_typename(L, idx);
}

/* [-0, +0, e]  Raises for the value at idx; key: of it in the open table, 0 for
 * the root, idx itself when it is the key that is wrong. */
static void refuse(struct walk *w, int idx, int key, const char *format)
{
    lua_State *L = w->L;
    struct path p = { 0 };

    lua_checkstack(L, 10);   /* without them, less is said */
    if (key) say_path(w, &p);
    else say(&p, "%s", w->name);
    if (key && key != idx) say_key(L, &p, key);
    lua_pushfstring(L, format, type_of(L, idx));
    luaL_error(L, "%s%s %s", key == idx ? "a key of " : "", p.text, lua_tostring(L, -1));
}

/* [-0, +0, e]  Raises when the builder failed. */
static void check_builder(struct walk *w)
{
    switch (tw_builder_error(w->b)) {
    case TW_OK: break;
    case UV_ENOMEM: luaL_error(w->L, "%s: not enough memory", w->name); break;
    default:
        luaL_error(w->L, "%s takes more than %d bytes", w->name, TW_VALUE_BYTES_MAX);
    }
}

/* ---- the walk ---- */

/* [-0, +0, e] */
static void put_table(struct walk *w, int idx, int key)
{
    lua_State *L = w->L;

    if (lua_getmetatable(L, idx))
        refuse(w, idx, key, "has a metatable: only plain %ss can be frozen");
    if (!tw_builder_table(w->b, (uintptr_t)lua_topointer(L, idx)) || key == 0) return;
    if (w->n == 0) {
        lua_newtable(L);
        lua_replace(L, w->list);
    }
    lua_pushvalue(L, idx);
    lua_rawseti(L, w->list, ++w->n);
}

/* [-0, +0, e]  Views, records and shared objects are values too. */
static void put_userdata(struct walk *w, int idx, int key)
{
    lua_State *L = w->L;
    const struct tw_table *t = ltw_test_view(L, idx);
    struct tw_object *o = t ? NULL : ltw_test_object(L, idx);
    const struct tw_record *r;
    struct tw_record copy;

    if (t) {
        tw_builder_link(w->b, t);
    } else if (o) {
        tw_builder_object(w->b, o);
    } else if ((r = ltw_test_record(L, idx, &copy))) {
        if (key == idx) refuse(w, idx, key, "is a record, which is no key when frozen");
        tw_builder_record(w->b, (uintptr_t)lua_touserdata(L, idx), r);
    } else {
        refuse(w, idx, key, "is a %s");
    }
}

static struct tw_item scalar_at(lua_State *L, int idx)
{
    switch (lua_type(L, idx)) {
    case LUA_TBOOLEAN:
        return (struct tw_item){ .kind = lua_toboolean(L, idx) ? TW_VALUE_TRUE
                                                               : TW_VALUE_FALSE };
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx))
            return (struct tw_item){ .kind = TW_VALUE_INTEGER,
                                     .integer = lua_tointeger(L, idx) };
        return (struct tw_item){ .kind = TW_VALUE_NUMBER,
                                 .number = lua_tonumber(L, idx) };
    default:
        return (struct tw_item){ .kind = TW_VALUE_NIL };
    }
}

/* [-0, +0, e]  Puts the value at idx; key as for refuse. */
static void put(struct walk *w, int idx, int key)
{
    lua_State *L = w->L;
    size_t n;
    const char *text;

    switch (lua_type(L, idx)) {
    case LUA_TBOOLEAN: case LUA_TNUMBER:
        tw_builder_scalar(w->b, scalar_at(L, idx));
        break;
    case LUA_TSTRING:
        text = lua_tolstring(L, idx, &n);
        tw_builder_string(w->b, text, n);
        break;
    case LUA_TTABLE:
        put_table(w, idx, key);
        break;
    case LUA_TUSERDATA: case LUA_TLIGHTUSERDATA:
        put_userdata(w, idx, key);
        break;
    default:
        refuse(w, idx, key, "is a %s");
    }
}

/* [-0, +0, e]  The table on top as the next one of the builder.  The elements are
 * those up to the first nil, wherever Lua keeps them; most often `next` gives
 * them first and in order. */
static void put_cells(struct walk *w)
{
    lua_State *L = w->L;
    int t = lua_gettop(L), key = t + 1, value = t + 2;
    lua_Integer n = 0;
    int more;

    tw_builder_open(w->b);
    lua_pushnil(L);
    while ((more = lua_next(L, t)) && lua_isinteger(L, key)
           && lua_tointeger(L, key) == n + 1) {
        put(w, value, key);
        n++;
        lua_pop(L, 1);
    }
    for (;; n++) {
        lua_pushinteger(L, n + 1);
        if (lua_rawgeti(L, t, n + 1) == LUA_TNIL) break;
        put(w, lua_gettop(L), lua_gettop(L) - 1);
        lua_pop(L, 2);
    }
    lua_pop(L, 2);
    tw_builder_pairs(w->b);
    for (; more; more = lua_next(L, t)) {
        if (!lua_isinteger(L, key) || lua_tointeger(L, key) < 1
            || lua_tointeger(L, key) > n) {
            put(w, key, key);
            put(w, value, key);
        }
        lua_pop(L, 1);
    }
    tw_builder_close(w->b);
    check_builder(w);
}

/* [-1, +0, m] */
static int builder_gc(lua_State *L)
{
    struct tw_builder **b = luaL_checkudata(L, 1, BUILDER);

    if (!ltw_is_finalizer(L)) return 0;
    tw_builder_free(*b);
    *b = NULL;
    return 0;
}

static const char builder_key;

/* [-0, +1, m]  Takes the state's builder out of the registry: it is missing while
 * in use, so a finalizer that freezes meanwhile makes one of its own; and after an
 * error it is garbage with all that it refers to. */
static struct tw_builder *take_builder(lua_State *L)
{
    struct tw_builder **b;

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &builder_key) != LUA_TUSERDATA) {
        lua_pop(L, 1);
        b = lua_newuserdatauv(L, sizeof *b, 0);
        *b = NULL;
        ltw_push_type(L, BUILDER, builder_gc);
        lua_setmetatable(L, -2);
        *b = tw_builder_new();
        if (!*b) luaL_error(L, "not enough memory");
    }
    b = lua_touserdata(L, -1);
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &builder_key);
    return *b;
}

/* [-0, +0, e]  A block for what is no scalar. */
static struct tw_value *freeze(lua_State *L, int idx, const char *name)
{
    int top = lua_gettop(L);
    struct walk w = { .L = L, .name = name, .root = idx, .list = top + 2 };
    const struct tw_table *t = ltw_test_view(L, idx);
    struct tw_value *v;

    ltw_check_open(L);
    if (t && tw_value_root(tw_table_block(t)).table == t) {
        tw_value_ref(tw_table_block(t));
        return tw_table_block(t);
    }
    luaL_checkstack(L, 12, "value");
    w.b = take_builder(L);
    lua_pushnil(L);
    tw_builder_begin(w.b);
    put(&w, idx, 0);
    check_builder(&w);
    if (lua_istable(L, idx))
        for (; w.id <= w.n; w.id++) {
            push_table(&w, w.id);
            put_cells(&w);
            lua_pop(L, 1);
        }
    tw_builder_finish(w.b, &v);
    check_builder(&w);
    lua_pushvalue(L, top + 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &builder_key);   /* it has its slot: can't fail */
    lua_settop(L, top);
    return v;
}

struct tw_any ltw_check_any_named(lua_State *L, int idx, const char *name)
{
    struct tw_any v = { .kind = TW_VALUE_BLOCK };
    struct tw_item scalar;

    switch (lua_type(L, idx)) {
    case LUA_TNIL: case LUA_TBOOLEAN: case LUA_TNUMBER:
        scalar = scalar_at(L, idx);
        v.kind = scalar.kind;
        v.integer = scalar.integer;
        break;
    default:
        v.block = freeze(L, lua_absindex(L, idx), name);
    }
    return v;
}

struct tw_any ltw_check_any(lua_State *L, int idx)
{
    return ltw_check_any_named(L, idx, "value");
}

/* [-0, +0, e]  ltw_try_any, protected. */
static int try_any(lua_State *L)
{
    *(struct tw_any *)lua_touserdata(L, 2) = ltw_check_any(L, 1);
    return 0;
}

int ltw_try_any(lua_State *L, int idx, struct tw_any *out)
{
    idx = lua_absindex(L, idx);
    lua_pushcfunction(L, try_any);
    lua_pushvalue(L, idx);
    lua_pushlightuserdata(L, out);
    switch (lua_pcall(L, 2, 0, 0)) {
    case LUA_OK:     return TW_OK;
    case LUA_ERRMEM: return UV_ENOMEM;
    default:         return TW_EUSAGE;
    }
}

void ltw_check_key(lua_State *L, const struct tw_any *v, const char *name)
{
    switch (tw_any_flaw(v)) {
    case TW_FLAW_NONE: return;
    case TW_FLAW_NAN:
        luaL_error(L, "%s can't %s", name,
                   v->kind == TW_VALUE_NUMBER ? "be NaN" : "hold a NaN");
        return;
    case TW_FLAW_TABLE:
        luaL_error(L, "%s can't hold a table as a key, unless it was frozen before",
                   name);
        return;
    default: luaL_error(L, "%s: not enough memory", name);
    }
}
