/* lfunction.c - Lua functions as values that other states can run.
 *
 * Why: the graph of functions that a function reaches through its upvalues is
 * walked with a list instead of recursion, so that a chain of any length can go,
 * and each variable (cell) of it is written once, however many functions share it.
 *
 * A description is a frozen table:
 *
 *   cells      kind 1, payload 1, kind 2, payload 2, ...; the first is what is sent
 *   functions  a list of { bytecode, the number of the cell of each upvalue ... }
 *   fresh      true: an upvalue is assigned, so that each job needs a closure of
 *              its own
 *
 * Layer lua.
 */
#include "share/lfunction.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "bytecode.h"
#include "distrust.h"
#include "share/lfuture.h"
#include "share/lobject.h"
#include "share/lvalue.h"
#include "reload/module.h"
#include "tape/lrecord.h"

/* Kinds of cells; the payload is the value, a function's number, or a name. */
enum { VALUE, FUNCTION, NAMED };

/* What a state remembers: tables in one that the registry holds. */
enum {
    BYTECODE = 1,   /* function -> its bytecode                             */
    SENT,           /* function -> what was sent of it, see is_unchanged    */
    ALIKE,          /* bytecode -> the same, of the last function it was of */
    RECEIVED,       /* description -> function                              */
    CACHES = RECEIVED
};

static const char caches_key;

/* [-0, +1, m]  That table, made on first use. */
static void push_caches(lua_State *L)
{
    static const char *const modes[] = {
        [BYTECODE] = "k", [SENT] = "k", [ALIKE] = "v", [RECEIVED] = "k",
    };

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &caches_key) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_createtable(L, CACHES, 0);
    for (int i = 1; i <= CACHES; i++) {
        ltw_push_weak(L, modes[i]);
        lua_rawseti(L, -2, i);
    }
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &caches_key);
}

/* [-0, +1, -]  What the cache has for the key at idx. */
static int push_cached(lua_State *L, int caches, int which, int idx)
{
    int type;

    lua_rawgeti(L, caches, which);
    lua_pushvalue(L, idx);
    type = lua_rawget(L, -2);
    lua_remove(L, -2);
    return type;
}

/* [-0, +0, m]  Both at absolute indexes. */
static void set_cached(lua_State *L, int caches, int which, int key, int value)
{
    lua_rawgeti(L, caches, which);
    lua_pushvalue(L, key);
    lua_pushvalue(L, value);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* ---- packing ---- */

/* The walk, with the stack indexes of what it builds. */
struct packer {
    lua_State *L;
    const char *what;
    int caches;
    int memo;        /* function -> number -> function, the address of an upvalue
                      * -> cell, table -> as frozen                            */
    int cells, functions;
    int sent;        /* see is_unchanged                                       */
    lua_Integer cells_n, functions_n, sent_n;
    bool fresh;      /* an upvalue is assigned                                 */
    bool stable;     /* no part of it can change unseen                        */
};

struct dump { luaL_Buffer buffer; bool begun; };

static int write_dump(lua_State *L, const void *bytes, size_t n, void *ctx)
{
    struct dump *d = ctx;

    if (!d->begun) luaL_buffinit(L, &d->buffer);   /* lua_dump wanted the top itself */
    d->begun = true;
    luaL_addlstring(&d->buffer, bytes, n);
    return 0;
}

/* [-0, +1, m]  The bytecode of the Lua function at idx, with its names and lines. */
static void push_bytecode(lua_State *L, int caches, int idx)
{
    struct dump d = { .begun = false };

    if (push_cached(L, caches, BYTECODE, idx) == LUA_TSTRING) return;
    lua_pop(L, 1);
    lua_pushvalue(L, idx);
    lua_dump(L, write_dump, &d, 0);
    luaL_pushresult(&d.buffer);
    lua_remove(L, -2);
    set_cached(L, caches, BYTECODE, idx, lua_gettop(L));
}

/* [-0, +1, m]  "function at herd.lua:12" */
static const char *push_place(lua_State *L, int idx)
{
    lua_Debug ar;

    lua_pushvalue(L, idx);
    lua_getinfo(L, ">S", &ar);
    return lua_pushfstring(L, "function at %s:%d", ar.short_src, ar.linedefined);
}

static int refuse(struct packer *p, int owner, const char *upvalue, const char *type)
{
    if (!owner) return luaL_error(p->L, "%s: a %s can't be sent", p->what, type);
    return luaL_error(p->L, "%s: upvalue '%s' of %s is a %s: it can't be sent", p->what,
                      upvalue, push_place(p->L, owner), type);
}

#define VALUE_HELD "tw.function.value"

static int release(lua_State *L)
{
    struct tw_any *v = luaL_checkudata(L, 1, VALUE_HELD);

    if (!ltw_is_finalizer(L)) return 0;
    tw_any_unref(v);
    v->kind = TW_VALUE_NIL;
    return 0;
}

/* [-1, +1, e]  The table on top as tw.freeze gives it. */
static void freeze(lua_State *L, const char *name)
{
    int value = lua_gettop(L);
    struct tw_any *v = lua_newuserdatauv(L, sizeof *v, 0);

    v->kind = TW_VALUE_NIL;
    ltw_push_type(L, VALUE_HELD, release);
    lua_setmetatable(L, -2);
    *v = ltw_check_any_named(L, value, name);
    ltw_push_any(L, v);
    tw_any_unref(v);
    v->kind = TW_VALUE_NIL;
    lua_replace(L, value);
    lua_settop(L, value);
}

/* [-1, +1, e]  The same for an upvalue, and once for each table. */
static void freeze_upvalue(struct packer *p, int owner, const char *upvalue)
{
    lua_State *L = p->L;
    int value = lua_gettop(L);

    lua_pushvalue(L, value);
    if (lua_rawget(L, p->memo) == LUA_TNIL) {
        const char *name = lua_pushfstring(L, "%s: in %s, upvalue '%s'", p->what,
                                           push_place(L, owner), upvalue);

        lua_pushvalue(L, value);
        freeze(L, name);
        lua_pushvalue(L, value);
        lua_pushvalue(L, -2);
        lua_rawset(L, p->memo);
    }
    lua_replace(L, value);
    lua_settop(L, value);
}

/* [-1, +1, m]  The Lua function on top becomes its number. */
static void number_function(struct packer *p)
{
    lua_State *L = p->L;

    lua_pushvalue(L, -1);
    if (lua_rawget(L, p->memo) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, p->memo, ++p->functions_n);
        lua_pushvalue(L, -1);
        lua_pushinteger(L, p->functions_n);
        lua_rawset(L, p->memo);
        lua_pushinteger(L, p->functions_n);
    }
    lua_replace(L, -2);
}

/* [-1, +0, e]  The value on top becomes the next cell; returns its number.  owner:
 * where the function is that has it as upvalue, 0 for what is sent itself. */
static lua_Integer add_cell(struct packer *p, int owner, const char *upvalue)
{
    lua_State *L = p->L;
    struct tw_record copy;
    int kind = VALUE;

    switch (lua_type(L, -1)) {
    case LUA_TFUNCTION: case LUA_TTABLE:
        if (ltw_module_name(L, -1)) {
            lua_replace(L, -2);
            kind = NAMED;
            break;
        }
        lua_pop(L, 1);
        if (lua_iscfunction(L, -1))
            refuse(p, owner, upvalue, "C function that is in no module");
        if (lua_isfunction(L, -1)) {
            number_function(p);
            kind = FUNCTION;
            break;
        }
        p->stable = false;
        freeze_upvalue(p, owner, upvalue);
        break;
    case LUA_TLIGHTUSERDATA: case LUA_TUSERDATA:
        if (lua_islightuserdata(L, -1)) p->stable = false;   /* it names what it likes */
        if (!ltw_test_view(L, -1) && !ltw_test_object(L, -1)
            && !ltw_test_record(L, -1, &copy))
            refuse(p, owner, upvalue,
                   luaL_testudata(L, -1, LTW_TASK) ? "task" : "userdata");
        break;
    case LUA_TTHREAD:
        refuse(p, owner, upvalue, "coroutine");
    }
    lua_rawseti(L, p->cells, 2 * ++p->cells_n);
    lua_pushinteger(L, kind);
    lua_rawseti(L, p->cells, 2 * p->cells_n - 1);
    return p->cells_n;
}

/* [-0, +0, -]  Is the value on top a table of a script's globals, over the state's? */
static bool is_environment(lua_State *L)
{
    bool is = false;

    if (lua_istable(L, -1) && luaL_getmetafield(L, -1, "__index") != LUA_TNIL) {
        lua_pushglobaltable(L);
        is = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    return is;
}

/* [-1, +0, m]  Notes an upvalue, whose value is on top, for is_unchanged. */
static void note(struct packer *p, int owner, lua_Integer number, int upvalue)
{
    lua_State *L = p->L;

    lua_rawseti(L, p->sent, p->sent_n + 3);
    lua_pushinteger(L, upvalue);
    lua_rawseti(L, p->sent, p->sent_n + 2);
    if (number == 1) lua_pushboolean(L, 0);
    else lua_pushvalue(L, owner);
    lua_rawseti(L, p->sent, p->sent_n + 1);
    p->sent_n += 3;
}

/* [-0, +1, e]  What is to be known of a function. */
static void push_function(struct packer *p, lua_Integer number)
{
    lua_State *L = p->L;
    int f = lua_gettop(L) + 1, out = f + 1;
    const char *name, *code;
    size_t n;

    lua_rawgeti(L, p->memo, number);
    lua_newtable(L);
    push_bytecode(L, p->caches, f);
    code = lua_tolstring(L, -1, &n);
    p->fresh = p->fresh || ltw_bytecode_assigns(code, n);
    lua_rawseti(L, out, 1);
    for (int u = 1; (name = lua_getupvalue(L, f, u)); u++) {
        const void *id = lua_upvalueid(L, f, u);

        if (lua_rawgetp(L, p->memo, id) == LUA_TNIL) {
            lua_pop(L, 1);
            lua_pushvalue(L, -1);
            note(p, f, number, u);
            if (strcmp(name, "_ENV") == 0 && is_environment(L)) {
                lua_pop(L, 1);
                lua_pushglobaltable(L);
            }
            lua_pushinteger(L, add_cell(p, f, name));
            lua_pushvalue(L, -1);
            lua_rawsetp(L, p->memo, id);
        } else {
            lua_replace(L, -2);
        }
        lua_rawseti(L, out, u + 1);
    }
    lua_replace(L, f);
}

/* Numbers are the same when they look the same: 1 isn't 1.0, NaN is NaN. */
static bool is_same(lua_State *L, int a, int b)
{
    lua_Number x, y;

    if (lua_type(L, a) != LUA_TNUMBER) return lua_rawequal(L, a, b);
    if (lua_type(L, b) != LUA_TNUMBER || lua_isinteger(L, a) != lua_isinteger(L, b))
        return false;
    if (lua_isinteger(L, a)) return lua_tointeger(L, a) == lua_tointeger(L, b);
    x = lua_tonumber(L, a);
    y = lua_tonumber(L, b);
    return memcmp(&x, &y, sizeof x) == 0;
}

/* Does the function at f have the upvalues that it had when `sent` was made, and
 * so all that it reaches?  sent: the description, then owner (false: f itself),
 * number and value of every variable. */
static bool is_unchanged(lua_State *L, int f, int sent)
{
    int top = lua_gettop(L);
    bool same = true;

    for (lua_Integer i = 2; same && lua_rawgeti(L, sent, i) != LUA_TNIL; i += 3) {
        int owner = lua_isboolean(L, -1) ? f : lua_gettop(L);

        lua_rawgeti(L, sent, i + 1);
        lua_getupvalue(L, owner, (int)lua_tointeger(L, -1));
        lua_rawgeti(L, sent, i + 2);
        same = is_same(L, -2, -1);
        lua_settop(L, top);
    }
    lua_settop(L, top);
    return same;
}

/* [-0, +1, m]  What was sent of the function at f, or else of one with the same
 * bytecode, when it still holds; or nil. */
static bool push_sent(lua_State *L, int caches, int f)
{
    int sent = lua_gettop(L) + 1;

    if (push_cached(L, caches, SENT, f) == LUA_TTABLE && is_unchanged(L, f, sent))
        return true;
    lua_pop(L, 1);
    if (lua_iscfunction(L, f)) return false;
    push_bytecode(L, caches, f);
    if (push_cached(L, caches, ALIKE, sent) != LUA_TTABLE
        || !is_unchanged(L, f, sent + 1)) {
        lua_settop(L, sent - 1);
        return false;
    }
    lua_replace(L, sent);
    set_cached(L, caches, SENT, f, sent);
    return true;
}

/* [-0, +1, e]  Describes the function at f, and remembers it when that can be
 * told to hold the next time. */
static void push_description(struct packer *p, int f)
{
    lua_State *L = p->L;
    int top = lua_gettop(L), description = top + 1;

    ltw_module_refresh(L);
    lua_createtable(L, 0, 3);
    p->memo = description + 1;
    p->cells = description + 2;
    p->functions = description + 3;
    p->sent = description + 4;
    for (int i = p->memo; i <= p->sent; i++) lua_newtable(L);
    lua_pushvalue(L, f);
    add_cell(p, 0, NULL);
    for (lua_Integer i = 1; i <= p->functions_n; i++) {
        push_function(p, i);
        lua_rawseti(L, p->functions, i);
    }
    lua_pushvalue(L, p->cells);
    lua_setfield(L, description, "cells");
    lua_pushvalue(L, p->functions);
    lua_setfield(L, description, "functions");
    lua_pushboolean(L, p->fresh);
    lua_setfield(L, description, "fresh");
    lua_pushvalue(L, description);
    freeze(L, p->what);
    lua_replace(L, description);
    lua_pushvalue(L, description);
    lua_rawseti(L, p->sent, 1);
    if (p->stable) set_cached(L, p->caches, SENT, f, p->sent);
    if (p->stable && !p->fresh && p->functions_n > 0) {
        push_bytecode(L, p->caches, f);
        set_cached(L, p->caches, ALIKE, lua_gettop(L), p->sent);
    }
    lua_settop(L, description);
}

void ltw_function_pack(lua_State *L, int idx, const char *what)
{
    int f = lua_absindex(L, idx), caches = lua_gettop(L) + 1;
    struct packer p = { .L = L, .what = what, .caches = caches, .sent_n = 1,
                        .stable = true };

    luaL_checkstack(L, 40, what);
    if (lua_type(L, f) == LUA_TSTRING) {
        if (ltw_state(L)->distrusted && ltw_is_internal(lua_tostring(L, f)))
            luaL_error(L, "%s: %s is off in scripts that the app does not trust", what,
                       lua_tostring(L, f));
        lua_pushvalue(L, f);
        return;
    }
    if (!lua_isfunction(L, f))
        luaL_error(L, "%s: a function or the name of one expected, got %s", what,
                   luaL_typename(L, f));
    push_caches(L);
    if (push_sent(L, caches, f)) lua_rawgeti(L, -1, 1);
    else push_description(&p, f);
    lua_replace(L, caches);
    lua_settop(L, caches);
}

/* ---- unpacking ---- */

/* Stack of the making of a function. */
enum { CELLS = 1, FUNCTIONS, MADE /* number -> closure */, OWNERS, TABLES = OWNERS };

/* Where a cell stands first: in one integer for OWNERS. */
enum { UPVALUE_BITS = 8 };

/* [-0, +1, e]  The value of a cell. */
static void push_cell(lua_State *L, int base, lua_Integer cell)
{
    const char *name;
    size_t n;
    lua_Integer kind;

    lua_geti(L, base + CELLS, 2 * cell - 1);
    kind = lua_tointeger(L, -1);
    lua_geti(L, base + CELLS, 2 * cell);
    lua_remove(L, -2);
    if (kind == FUNCTION) {
        lua_rawgeti(L, base + MADE, lua_tointeger(L, -1));
    } else if (kind == NAMED) {
        name = lua_tolstring(L, -1, &n);
        ltw_module_find(L, name, n);
    } else {
        return;
    }
    lua_remove(L, -2);
}

/* [-0, +0, e]  Gives closure f its upvalues; a cell that one has already is shared. */
static void fill(lua_State *L, int base, lua_Integer f)
{
    int closure = lua_gettop(L) + 1, cells = closure + 1;
    lua_Integer n;

    lua_rawgeti(L, base + MADE, f);
    lua_geti(L, base + FUNCTIONS, f);
    n = luaL_len(L, cells) - 1;
    for (int u = 1; u <= n; u++) {
        lua_Integer cell, owner;

        lua_geti(L, cells, u + 1);
        cell = lua_tointeger(L, -1);
        lua_rawgeti(L, base + OWNERS, cell);
        owner = lua_tointeger(L, -1);
        if (owner) {
            lua_rawgeti(L, base + MADE, owner >> UPVALUE_BITS);
            lua_upvaluejoin(L, closure, u, -1, (int)(owner & ((1 << UPVALUE_BITS) - 1)));
        } else {
            push_cell(L, base, cell);
            lua_setupvalue(L, closure, u);
            lua_pushinteger(L, f << UPVALUE_BITS | u);
            lua_rawseti(L, base + OWNERS, cell);
        }
        lua_settop(L, cells);
    }
    lua_settop(L, closure - 1);
}

/* [-0, +1, e]  A new function from the description at idx. */
static void push_new(lua_State *L, int idx)
{
    int base = lua_gettop(L);
    lua_Integer n;
    const char *code;
    size_t bytes;

    lua_getfield(L, idx, "cells");
    lua_getfield(L, idx, "functions");
    lua_newtable(L);
    lua_newtable(L);
    n = luaL_len(L, base + FUNCTIONS);
    for (lua_Integer f = 1; f <= n; f++) {
        lua_geti(L, base + FUNCTIONS, f);
        lua_geti(L, -1, 1);
        code = lua_tolstring(L, -1, &bytes);
        if (luaL_loadbufferx(L, code, bytes, "function", "b") != LUA_OK) lua_error(L);
        lua_rawseti(L, base + MADE, f);
        lua_settop(L, base + TABLES);
    }
    for (lua_Integer f = 1; f <= n; f++) fill(L, base, f);
    push_cell(L, base, 1);
    lua_replace(L, base + 1);
    lua_settop(L, base + 1);
}

void ltw_function_unpack(lua_State *L, int idx)
{
    int caches = lua_gettop(L) + 1, f = caches + 1;

    idx = lua_absindex(L, idx);
    luaL_checkstack(L, 40, "function");
    if (lua_type(L, idx) == LUA_TSTRING) {
        ltw_module_resolve(L, idx);
        return;
    }
    push_caches(L);
    if (push_cached(L, caches, RECEIVED, idx) == LUA_TNIL) {
        lua_pop(L, 1);
        push_new(L, idx);
        lua_getfield(L, idx, "fresh");
        if (!lua_toboolean(L, -1)) set_cached(L, caches, RECEIVED, idx, f);
    }
    lua_settop(L, f);
    lua_replace(L, caches);
}

/* ---- for tests: no part of what scripts are told of ---- */

/* [-0, +0, e] */
static void check_trusted(lua_State *L, const char *name)
{
    if (ltw_state(L)->distrusted)
        luaL_error(L, "%s is off in scripts that the app does not trust", name);
}

/* (internal) pack(f) -> description
 * Yields: no.  Blocks: no.  Thread: any.
 * Errors: as ltw_function_pack.  Units: none. */
static int pack(lua_State *L)
{
    luaL_checkany(L, 1);
    ltw_function_pack(L, 1, "pack");
    return 1;
}

/* (internal) unpack(description) -> function
 * Yields: no.  Blocks: no.  Thread: any.
 * Errors: as ltw_function_unpack.  Units: none. */
static int unpack(lua_State *L)
{
    luaL_checkany(L, 1);
    check_trusted(L, "unpack");   /* it may be no description that pack has made */
    ltw_function_unpack(L, 1);
    return 1;
}

/* (internal) fail_at(n [, row])
 * The n-th allocation from now fails, and the row - 1 behind it (0); n = 0: none.
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: allocations. */
static int fail_at(lua_State *L)
{
    check_trusted(L, "fail_at");
    tw_memory_fail_row((uint64_t)luaL_checkinteger(L, 1),
                       (uint64_t)luaL_optinteger(L, 2, 1));
    return 0;
}

/* (internal) starve(n)
 * The state gets n bytes more and no others; 0: as many as it likes.
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: bytes. */
static int starve(lua_State *L)
{
    struct ltw_state *s = ltw_state(L);
    size_t n = (size_t)luaL_checkinteger(L, 1);

    check_trusted(L, "starve");
    s->bytes_max = n > 0 ? s->bytes + n : 0;
    return 0;
}

/* [-0, +0, e]  Protected. */
static int become_distrusted(lua_State *L)
{
    ltw_distrust(L);
    return 0;
}

/* (internal) distrust(n, text) -> string
 * Distrusts a new state, while the n-th allocation fails (0: none), and runs the text in
 * it: what it returns, or the error.
 * Yields: no.  Blocks: while it runs.  Thread: any.
 * Errors: raises when there is no state.  Units: allocations. */
static int distrust(lua_State *L)
{
    uint64_t n = (uint64_t)luaL_checkinteger(L, 1);
    const char *text = luaL_checkstring(L, 2);
    struct ltw_state *s;
    char result[256];
    int status;

    check_trusted(L, "distrust");
    s = ltw_state_new(ltw_state(L)->host, 0);
    if (!s) return luaL_error(L, "distrust: not enough memory");
    lua_pushcfunction(s->L, become_distrusted);
    tw_memory_fail_row(n, 2);
    status = lua_pcall(s->L, 0, 0, 0);
    tw_memory_fail_at(0);
    if (status == LUA_OK && luaL_loadstring(s->L, text) == LUA_OK)
        lua_pcall(s->L, 0, 1, 0);
    snprintf(result, sizeof result, "%s", luaL_tolstring(s->L, -1, NULL));
    ltw_state_free(s);
    lua_pushstring(L, result);
    return 1;
}

/* (internal) blocks() -> integer
 * Frozen values alive in the process.
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int blocks(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tw_value_live());
    return 1;
}

static const luaL_Reg funcs[] = {
    { "pack", pack },
    { "unpack", unpack },
    { "fail_at", fail_at },
    { "starve", starve },
    { "distrust", distrust },
    { "blocks", blocks },
    { NULL, NULL }
};

int luaopen_tw_internal_function(lua_State *L)
{
    luaL_newlib(L, funcs);
    return 1;
}
