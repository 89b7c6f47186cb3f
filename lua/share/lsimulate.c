/* lsimulate.c - what caches of other sizes and policies would hit, for Lua. */
#include "share/lsimulate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "feed/trace.h"
#include "ltw.h"

#define TRACE "tw.trace"
#define RESULT "tw.cache.simulation"
enum { TRACE_ARG = 1, POLICIES, SIZES, OPTIONS, BOX };

/* As in enum tw_policy_kind, and the optimum. */
enum { MIN = TW_POLICY_FIFO + 1, POLICY_COUNT };
static const char *const policies[POLICY_COUNT] = { "s3fifo", "lru", "fifo", "min" };

static const char *const formats[TW_TRACE_FORMATS] = {
    "text", "ranges", "int32", "int64"
};

/* [-0, +0, e]  The index in policies of the i-th name. */
static int check_policy(lua_State *L, lua_Integer i)
{
    const char *name = lua_geti(L, POLICIES, i) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    int k = 0;

    while (k < POLICY_COUNT && strcmp(name, policies[k]) != 0) k++;
    if (k == POLICY_COUNT)
        luaL_error(L, "tw.cache.simulate: policies[%I] is none of 's3fifo', 'lru',"
                   " 'fifo', 'min': %s", i, luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
    return k;
}

/* [-0, +0, e]  The i-th size. */
static uint64_t check_size(lua_State *L, lua_Integer i)
{
    int is;
    lua_Integer size;

    lua_geti(L, SIZES, i);
    size = lua_tointegerx(L, -1, &is);
    if (!is || size < 1)
        luaL_error(L, "tw.cache.simulate: sizes[%I] is not a number of entries, 1 or"
                   " more: %s", i, luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
    return (uint64_t)size;
}

/* [-0, +0, e] */
static enum tw_trace_format check_format(lua_State *L)
{
    int format = 0;

    if (lua_isnil(L, OPTIONS)) return TW_TRACE_TEXT;
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, OPTIONS)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

        if (strcmp(key, "format") != 0)
            luaL_error(L, "tw.cache.simulate: no option '%s'; there is format",
                       luaL_tolstring(L, -2, NULL));
        key = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        for (format = 0; format < TW_TRACE_FORMATS; format++)
            if (strcmp(key, formats[format]) == 0) break;
        if (format == TW_TRACE_FORMATS)
            luaL_error(L, "tw.cache.simulate: format is none of 'text', 'ranges',"
                       " 'int32', 'int64': %s", luaL_tolstring(L, -1, NULL));
        lua_pop(L, 1);
    }
    return (enum tw_trace_format)format;
}

/* [-0, +0, e]  Adds the key on top. */
static void add(lua_State *L, struct tw_trace *t)
{
    lua_Integer at = (lua_Integer)tw_trace_requests(t) + 1;
    lua_Number number;
    size_t n;
    const char *text;
    int rc, is;
    lua_Integer integer;

    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &n);
        rc = tw_trace_add(t, tw_trace_hash_text(text, n));
        break;
    case LUA_TNUMBER:
        integer = lua_tointegerx(L, -1, &is);
        number = lua_tonumber(L, -1);
        rc = tw_trace_add(t, is ? tw_trace_hash_number((uint64_t)integer)
                             : tw_trace_hash_text((char *)&number, sizeof number));
        break;
    default:
        luaL_error(L, "tw.cache.simulate: request %I is a %s, not a key (a string or a"
                   " number)", at, luaL_typename(L, -1));
        return;
    }
    if (rc < 0)
        luaL_error(L, "tw.cache.simulate: request %I: %s", at, tw_strerror(rc));
}

/* [-0, +0, e]  Adds the requests of argument 1; negative with *error. */
static int read_trace(lua_State *L, struct tw_trace *t, enum tw_trace_format format,
                      struct tw_error *error)
{
    switch (lua_type(L, TRACE_ARG)) {
    case LUA_TSTRING:
        return tw_trace_read(t, lua_tostring(L, TRACE_ARG), format, error);
    case LUA_TTABLE:
        for (lua_Integer i = 1, n = luaL_len(L, TRACE_ARG); i <= n; i++) {
            lua_geti(L, TRACE_ARG, i);
            add(L, t);
            lua_pop(L, 1);
        }
        return 0;
    default:
        for (;;) {
            lua_pushvalue(L, TRACE_ARG);
            lua_call(L, 0, 1);
            if (lua_isnil(L, -1)) break;
            add(L, t);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
        return 0;
    }
}

/* [-0, +1, m]  One row of the result. */
static void push_row(lua_State *L, int policy, uint64_t size, size_t requests,
                     int64_t hits)
{
    lua_createtable(L, 0, 5);
    ltw_set_text(L, "policy", policies[policy]);
    ltw_set_count(L, "size", size);
    ltw_set_count(L, "requests", requests);
    ltw_set_integer(L, "hits", hits);
    ltw_set_number(L, "hit_rate", (lua_Number)hits / (lua_Number)requests);
}

/* [-0, +1, e]  Simulates everything: a list of rows, a policy after the other
 * for each size. */
static void push_rows(lua_State *L, const struct tw_trace *t)
{
    lua_Integer sizes = luaL_len(L, SIZES), kinds = luaL_len(L, POLICIES);

    lua_createtable(L, (int)(sizes * kinds), 2);
    ltw_set_count(L, "requests", tw_trace_requests(t));
    ltw_set_count(L, "keys", tw_trace_keys(t));
    for (lua_Integer i = 1; i <= sizes; i++)
        for (lua_Integer k = 1; k <= kinds; k++) {
            uint64_t size = check_size(L, i);
            int policy = check_policy(L, k);
            int64_t hits = policy == MIN ? tw_simulate_min(t, size)
                           : tw_simulate(t, (enum tw_policy_kind)policy, size);

            if (hits < 0)
                luaL_error(L, "tw.cache.simulate: %s", tw_strerror((int)hits));
            push_row(L, policy, size, tw_trace_requests(t), hits);
            lua_seti(L, -2, (i - 1) * kinds + k);
        }
}

static void add_cell(luaL_Buffer *b, const char *format, ...) TW_PRINTF(2, 3);
static void add_cell(luaL_Buffer *b, const char *format, ...)
{
    char cell[64];
    va_list args;

    va_start(args, format);
    vsnprintf(cell, sizeof cell, format, args);
    va_end(args);
    luaL_addstring(b, cell);
}

/* [-0, +1, e]  Field `name` of the i-th row. */
static void push_field(lua_State *L, lua_Integer i, const char *name)
{
    lua_geti(L, 1, i);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* [-0, +0, e] */
static lua_Number number_at(lua_State *L, lua_Integer i, const char *name)
{
    lua_Number value;

    push_field(L, i, name);
    value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

/* A line a size, a column a policy, hits in percent.  [-0, +1, e] */
static int to_string(lua_State *L)
{
    lua_Integer n = luaL_len(L, 1);
    lua_Number size = n > 0 ? number_at(L, 1, "size") : 0;
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    add_cell(&b, "%12s", "size");
    for (lua_Integer i = 1; i <= n && number_at(L, i, "size") == size; i++) {
        const char *name;

        push_field(L, i, "policy");
        name = lua_tostring(L, -1);
        lua_pop(L, 1);   /* the row holds it */
        add_cell(&b, "%9s", name ? name : "?");
    }
    for (lua_Integer i = 1; i <= n; i++) {
        if (i == 1 || number_at(L, i, "size") != size) {
            size = number_at(L, i, "size");
            add_cell(&b, "\n%12.0f", size);
        }
        add_cell(&b, "%9.2f", 100 * number_at(L, i, "hit_rate"));
    }
    luaL_pushresult(&b);
    return 1;
}

/* It is closed when simulate returns or raises; collected when even that can't. */
static int free_trace(lua_State *L)
{
    struct tw_trace **box = luaL_checkudata(L, 1, TRACE);

    tw_trace_free(*box);
    *box = NULL;
    return 0;
}

/* tw.cache.simulate(trace, policies, sizes [, options]) -> rows | nil, message, code
 * What share of the requests of a trace a cache would have hit, for each policy
 * and size, beginning with an empty cache.  trace: the path of a file, a list of
 * keys, or a function that returns the next key and at the end nil; a key is a
 * string or a number.  policies: a list of "s3fifo", "lru", "fifo" and "min", the
 * best there can be (Belady's).  sizes: a list of numbers of entries.
 * rows is a list of {policy, size, requests, hits, hit_rate}, each size with all
 * policies, and has the fields requests and keys (different ones); print(rows)
 * shows a table with a line for each size, in percent.
 * A file may be packed with gzip.  options.format says what is in it: "text", a
 * key a line (empty ones and those of a lone "*" are skipped); "ranges", lines
 * that begin with a first number and a count of keys; "int32" and "int64",
 * big-endian.
 * Yields: no.  Blocks: while it reads, and 5 to 50 ns for each request, policy
 * and size.  Thread: any.
 * Errors: nil for a file that can't be read; raises for wrong arguments, for a
 * trace of no or more than 2^31 - 1 requests, and without memory.
 * Units: hit_rate from 0 to 1. */
static int simulate(lua_State *L)
{
    struct tw_error error = {0};
    struct tw_trace **box;
    enum tw_trace_format format;
    int type = lua_type(L, TRACE_ARG);

    luaL_argexpected(L, type == LUA_TSTRING || type == LUA_TTABLE
                     || type == LUA_TFUNCTION, TRACE_ARG, "path, list or function");
    luaL_checktype(L, POLICIES, LUA_TTABLE);
    luaL_checktype(L, SIZES, LUA_TTABLE);
    lua_settop(L, OPTIONS);
    luaL_argcheck(L, luaL_len(L, POLICIES) > 0, POLICIES, "no policies");
    luaL_argcheck(L, luaL_len(L, SIZES) > 0, SIZES, "no sizes");
    for (lua_Integer i = luaL_len(L, POLICIES); i > 0; i--) check_policy(L, i);
    for (lua_Integer i = luaL_len(L, SIZES); i > 0; i--) check_size(L, i);
    format = check_format(L);

    box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, TRACE);
    lua_toclose(L, BOX);
    *box = tw_trace_new();
    if (!*box) return luaL_error(L, "tw.cache.simulate: not enough memory");
    if (read_trace(L, *box, format, &error) < 0) return ltw_fail_with(L, &error);
    if (tw_trace_requests(*box) == 0)
        return luaL_error(L, "tw.cache.simulate: the trace has no requests");
    push_rows(L, *box);
    luaL_setmetatable(L, RESULT);
    return 1;
}

static const luaL_Reg trace_meta[] = {
    { "__gc", free_trace },
    { "__close", free_trace },
    { NULL, NULL }
};

static const luaL_Reg result_meta[] = {
    { "__tostring", to_string },
    { NULL, NULL }
};

int luaopen_tw_cache_simulate(lua_State *L)
{
    luaL_newmetatable(L, TRACE);
    luaL_setfuncs(L, trace_meta, 0);
    luaL_newmetatable(L, RESULT);
    luaL_setfuncs(L, result_meta, 0);
    lua_pop(L, 2);
    lua_pushcfunction(L, simulate);
    return 1;
}
