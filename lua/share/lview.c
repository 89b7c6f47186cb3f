/* lview.c - frozen values as Lua reads them: views, and private copies.
 *
 * Why: a state takes one reference on a block however many views it has of it,
 * so that readers on many threads don't fight over the count.
 *
 *   interned (weak): address -> userdata
 *
 *   view of a table  --+
 *   kept record      --+-- user value --> root: owns the block's reference
 *
 * One address has one userdata, so a table of a block is one value in all places
 * of the state: it equals itself and serves as a key.
 *
 * What a block takes counts as the memory of each state that refers to it: else
 * a limit would be none, and the collector would see a megabyte as a few bytes.
 *
 * A finalizer may meet a view whose root was finalized first: it is closed then.
 */
#include "share/lview.h"

#include "share/lobject.h"
#include "share/lshow.h"
#include "share/lvalue.h"
#include "tape/lrecord.h"

#define ROOT "tw.frozen.root"
#define VIEW "tw.frozen"

struct root {
    struct tw_any owned;   /* a block, or nil: let go         */
    size_t bytes;          /* that it added to the state's    */
};

struct view {
    const void *mark;               /* &is_view: of no other userdata */
    const struct tw_table *table;
    const struct root *root;        /* the view's user value          */
};

static const char is_view;

static bool owns(const struct root *r, const struct tw_value *block)
{
    return r && r->owned.kind == TW_VALUE_BLOCK && r->owned.block == block;
}

static void let_go(lua_State *L, struct root *r)
{
    struct tw_any v = r->owned;

    ltw_state(L)->bytes -= r->bytes;
    r->bytes = 0;
    r->owned.kind = TW_VALUE_NIL;
    tw_any_unref(&v);
}

static int root_gc(lua_State *L)
{
    if (ltw_is_finalizer(L)) let_go(L, luaL_checkudata(L, 1, ROOT));
    return 0;
}

struct tw_any *ltw_push_owner(lua_State *L)
{
    struct root *r;

    ltw_check_open(L);
    r = lua_newuserdatauv(L, sizeof *r, 0);
    *r = (struct root){ .owned = { .kind = TW_VALUE_NIL } };
    luaL_setmetatable(L, ROOT);
    return &r->owned;
}

/* [-0, +0, e]  Adds to the state what the root's block takes. */
static void count(lua_State *L, struct root *r)
{
    size_t bytes = tw_value_bytes_total(r->owned.block);

    ltw_state_reserve(L, bytes);
    r->bytes = bytes;
    ltw_state_add(ltw_state(L), bytes);
}

/* [-0, +0, e]  Makes the root on top that of its block. */
static void intern_root(lua_State *L, int interned)
{
    struct root *r = lua_touserdata(L, -1);

    count(L, r);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, interned, r->owned.block);
}

/* [-0, +1, e] */
static void push_root(lua_State *L, int interned, struct tw_value *block)
{
    struct tw_any *owned;

    lua_rawgetp(L, interned, block);
    if (owns(lua_touserdata(L, -1), block)) return;
    lua_pop(L, 1);
    owned = ltw_push_owner(L);
    tw_value_ref(block);
    *owned = (struct tw_any){ .kind = TW_VALUE_BLOCK, .block = block };
    intern_root(L, interned);
}

/* The view at idx, or NULL. */
static const struct view *test(lua_State *L, int idx)
{
    const struct view *v = lua_touserdata(L, idx);

    /* A light userdata has no length; what else has one is no userdata. */
    if (!v || lua_rawlen(L, idx) != sizeof *v || v->mark != &is_view) return NULL;
    return v;
}

/* [-0, +1, e] */
static void push_table(lua_State *L, int interned, const struct tw_table *t)
{
    const struct view *known;
    struct view *v;

    lua_rawgetp(L, interned, t);
    known = test(L, -1);   /* of a closed box, the address may be used again */
    if (known && owns(known->root, tw_table_block(t))) return;
    lua_pop(L, 1);
    v = lua_newuserdatauv(L, sizeof *v, 1);
    push_root(L, interned, tw_table_block(t));
    *v = (struct view){ &is_view, t, lua_touserdata(L, -1) };
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, VIEW);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, interned, t);
}

/* [-0, +1, e] */
static void push_record(lua_State *L, int interned, struct tw_value *block,
                        const struct tw_record *r)
{
    bool alive;

    if (lua_rawgetp(L, interned, r) == LUA_TUSERDATA) {
        lua_getiuservalue(L, -1, 1);
        alive = owns(lua_touserdata(L, -1), block);
        lua_pop(L, 1);
        if (alive) return;
    }
    lua_pop(L, 1);
    ltw_push_kept(L, r);
    push_root(L, interned, block);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, interned, r);
}

/* [-0, +1, e]  An item of a block. */
static void push_item(lua_State *L, int interned, struct tw_value *block,
                      struct tw_item item)
{
    switch (item.kind) {
    case TW_VALUE_FALSE: case TW_VALUE_TRUE:
        lua_pushboolean(L, item.kind == TW_VALUE_TRUE);
        break;
    case TW_VALUE_INTEGER: lua_pushinteger(L, item.integer); break;
    case TW_VALUE_NUMBER:  lua_pushnumber(L, item.number); break;
    case TW_VALUE_STRING:  lua_pushlstring(L, item.text, item.length); break;
    case TW_VALUE_TABLE:   push_table(L, interned, item.table); break;
    case TW_VALUE_RECORD:  push_record(L, interned, block, item.record); break;
    case TW_VALUE_OBJECT:  ltw_push_object(L, item.object); break;
    default:               lua_pushnil(L); break;
    }
}

void ltw_push_any(lua_State *L, const struct tw_any *v)
{
    int interned = lua_gettop(L) + 1;

    if (v->kind != TW_VALUE_BLOCK) {
        push_item(L, 0, NULL, tw_any_root(v));
        return;
    }
    ltw_push_interned(L);
    push_item(L, interned, v->block, tw_any_root(v));
    lua_remove(L, interned);
}

bool ltw_push_known(lua_State *L, struct tw_value *block)
{
    int interned = lua_gettop(L) + 1;
    bool known;

    ltw_push_interned(L);
    lua_rawgetp(L, interned, block);
    known = owns(lua_touserdata(L, -1), block);
    if (known) push_item(L, interned, block, tw_value_root(block));
    else lua_pushnil(L);
    lua_replace(L, interned);
    lua_settop(L, known ? interned : interned - 1);
    return known;
}

void ltw_adopt(lua_State *L)
{
    int owner = lua_gettop(L), interned = owner + 1;
    struct root *r = lua_touserdata(L, owner);
    struct tw_value *block = r->owned.block;
    struct tw_item item = tw_any_root(&r->owned);

    ltw_push_interned(L);
    if (item.kind == TW_VALUE_TABLE || item.kind == TW_VALUE_RECORD) {
        lua_rawgetp(L, interned, block);
        if (owns(lua_touserdata(L, -1), block)) {
            let_go(L, r);
        } else {
            lua_pushvalue(L, owner);
            intern_root(L, interned);
        }
    }
    push_item(L, interned, block, item);
    if (item.kind == TW_VALUE_STRING || item.kind == TW_VALUE_OBJECT) let_go(L, r);
    lua_replace(L, owner);
    lua_settop(L, owner);
}

/* ---- reading a view ---- */

const struct tw_table *ltw_test_view(lua_State *L, int idx)
{
    const struct view *v = test(L, idx);

    if (v && v->root->owned.kind == TW_VALUE_NIL)
        luaL_error(L, "this frozen table was let go (by a finalizer's turn)");
    return v ? v->table : NULL;
}

/* [-0, +0, e] */
static const struct tw_table *check(lua_State *L)
{
    const struct tw_table *t = ltw_test_view(L, 1);

    if (!t) luaL_typeerror(L, 1, "frozen table");
    return t;
}

/* What stands at idx as a key; nil for what is never one. */
static struct tw_item key_at(lua_State *L, int idx)
{
    struct tw_item key = { .kind = TW_VALUE_NIL };
    const struct view *v;
    size_t n;

    switch (lua_type(L, idx)) {
    case LUA_TBOOLEAN:
        key.kind = lua_toboolean(L, idx) ? TW_VALUE_TRUE : TW_VALUE_FALSE;
        break;
    case LUA_TNUMBER:
        key.kind = lua_isinteger(L, idx) ? TW_VALUE_INTEGER : TW_VALUE_NUMBER;
        if (key.kind == TW_VALUE_INTEGER) key.integer = lua_tointeger(L, idx);
        else key.number = lua_tonumber(L, idx);
        break;
    case LUA_TSTRING:
        key.text = lua_tolstring(L, idx, &n);
        if (n >= TW_VALUE_BYTES_MAX) break;
        key.kind = TW_VALUE_STRING;
        key.length = (uint32_t)n;
        break;
    case LUA_TUSERDATA:
        v = test(L, idx);
        if (v) key.table = v->table;
        else key.object = ltw_test_object(L, idx);
        key.kind = v ? TW_VALUE_TABLE : key.object ? TW_VALUE_OBJECT : TW_VALUE_NIL;
        break;
    default:
        break;
    }
    return key;
}

static int view_index(lua_State *L)
{
    const struct tw_table *t = check(L);

    push_item(L, lua_upvalueindex(1), tw_table_block(t), tw_table_find(t, key_at(L, 2)));
    return 1;
}

static int view_newindex(lua_State *L)
{
    return luaL_error(L, "a frozen table can't be changed (field '%s')",
                      luaL_tolstring(L, 2, NULL));
}

static int view_len(lua_State *L)
{
    lua_pushinteger(L, tw_table_length(check(L)));
    return 1;
}

static int view_tostring(lua_State *L)
{
    ltw_show(L, check(L));
    return 1;
}

/* [-0, +(1|2), e]  The iterator of pairs. */
static int view_next(lua_State *L)
{
    const struct tw_table *t = check(L);
    struct tw_item key = key_at(L, 2), value;
    int64_t place = lua_isnoneornil(L, 2) ? -1 : tw_table_place(t, key);

    lua_settop(L, 2);
    if (place == TW_EUSAGE) return luaL_error(L, "invalid key to 'next'");
    if (!tw_table_entry(t, (uint64_t)(place + 1), &key, &value)) {
        lua_pushnil(L);
        return 1;
    }
    push_item(L, lua_upvalueindex(1), tw_table_block(t), key);
    push_item(L, lua_upvalueindex(1), tw_table_block(t), value);
    return 2;
}

static int view_pairs(lua_State *L)
{
    check(L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* ---- private copies ---- */

/* [-0, +1, m]  The copy of a table, which waits in `queue` when it is new. */
static void push_copy(lua_State *L, int copies, int queue, lua_Integer *n,
                      const struct tw_table *t)
{
    if (lua_rawgetp(L, copies, t) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_createtable(L, (int)tw_table_length(t), (int)tw_table_pairs(t));
    lua_pushvalue(L, -1);
    lua_rawsetp(L, copies, t);
    lua_pushlightuserdata(L, (void *)(uintptr_t)t);
    lua_rawseti(L, queue, ++*n);
}

/* [-0, +1, e]  Breadth first: no depth takes stack, and a table that comes again
 * is the copy it was. */
static void thaw(lua_State *L, const struct tw_table *t)
{
    int interned = lua_gettop(L) + 1, copies = interned + 1, queue = interned + 2;
    int copy = interned + 4;   /* above that of the root */
    lua_Integer n = 0;

    luaL_checkstack(L, 12, "tw.thaw");
    ltw_push_interned(L);
    lua_newtable(L);
    lua_newtable(L);
    push_copy(L, copies, queue, &n, t);
    for (lua_Integer i = 1; i <= n; i++) {
        struct tw_item item[2];

        lua_rawgeti(L, queue, i);
        t = lua_touserdata(L, -1);
        lua_pop(L, 1);
        lua_rawgetp(L, copies, t);
        for (uint64_t place = 0; tw_table_entry(t, place, &item[0], &item[1]); place++) {
            for (int k = 0; k < 2; k++)
                if (item[k].kind == TW_VALUE_TABLE)
                    push_copy(L, copies, queue, &n, item[k].table);
                else
                    push_item(L, interned, tw_table_block(t), item[k]);
            lua_rawset(L, copy);
        }
        lua_pop(L, 1);
    }
    lua_replace(L, interned);
    lua_settop(L, interned);
}

void ltw_push_thawed(lua_State *L, const struct tw_any *v)
{
    ltw_push_any(L, v);
    if (tw_any_root(v).kind != TW_VALUE_TABLE) return;
    thaw(L, tw_any_root(v).table);
    lua_remove(L, -2);
}

/* [-0, +0, m]  The value at 1 never changes; a quote may still expire. */
static bool is_frozen(lua_State *L)
{
    struct tw_record copy;

    switch (lua_type(L, 1)) {
    case LUA_TNIL: case LUA_TBOOLEAN: case LUA_TNUMBER: case LUA_TSTRING: return true;
    case LUA_TUSERDATA:
        return test(L, 1) || ltw_test_object(L, 1) || ltw_test_record(L, 1, &copy);
    default: return false;
    }
}

/* tw.thaw(view) -> value
 * A private copy of a frozen table that can be changed: shared and cyclic
 * references stay what they were.  What can't be changed anyway comes back as
 * it is: scalars, strings, records, futures, channels and caches.
 * Yields: no.  Blocks: while it copies, about 0.1 us for each field.
 * Thread: any.  Errors: raises for anything else.  Units: none. */
static int thaw_view(lua_State *L)
{
    const struct tw_table *t = ltw_test_view(L, 1);

    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (t) thaw(L, t);
    else if (!is_frozen(L)) luaL_typeerror(L, 1, "frozen value");
    return 1;
}

/* tw.freeze(value) -> value
 * The same for ever, and for every state: a table becomes a frozen one, with all
 * that is in it; shared and cyclic references stay.  It reads like a table
 * (index, #, pairs, ipairs, table.concat, table.unpack), equals only itself and
 * can't be changed.  tostring, and so print, shows what is in it: its elements,
 * then its pairs sorted by key.  `…` is where it leaves something out: 60 entries
 * are shown (of a table inside 16), 4 tables in each other, 60 bytes of a string,
 * 1,000 bytes in all.  Handing it to another state (tw.publish, the board, the
 * pool, a channel) copies nothing.  What is frozen already, a scalar and a
 * string come back as they are; a quote comes back as record:keep gives it.
 * Yields: no.  Blocks: while it copies, about 0.1 us for each field.
 * Thread: any.
 * Errors: raises, with the path, for a function, a coroutine, foreign userdata
 * and a table that has a metatable; for a record used as a key; past 1 GiB.
 * Units: none. */
static int freeze(lua_State *L)
{
    struct tw_any *owned;

    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (is_frozen(L)) return 1;
    owned = ltw_push_owner(L);
    *owned = ltw_check_any(L, 1);
    ltw_adopt(L);
    return 1;
}

static const luaL_Reg funcs[] = {
    { "freeze", freeze },
    { "thaw", thaw_view },
    { NULL, NULL }
};

void ltw_view_functions(lua_State *L)
{
    luaL_setfuncs(L, funcs, 0);
}

static const luaL_Reg view_meta[] = {
    { "__index", view_index },
    { "__newindex", view_newindex },
    { "__len", view_len },
    { "__pairs", view_pairs },
    { "__tostring", view_tostring },
    { NULL, NULL }
};

void ltw_view_open(lua_State *L)
{
    ltw_push_type(L, ROOT, root_gc);
    luaL_newmetatable(L, VIEW);
    ltw_push_interned(L);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, view_next, 1);
    luaL_setfuncs(L, view_meta, 2);
    lua_pushliteral(L, "frozen table");
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, "frozen");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}
