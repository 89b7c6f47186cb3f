/* lcache_open.c - tw.cache: tw.cache(name, options), and the list of all caches. */
#include <math.h>
#include <string.h>

#include "share/lcache.h"
#include "share/lsimulate.h"
#include "ltime.h"
#include "share/caches.h"

/* [-0, +0, e]  The option of that name, or 0; it is taken out of the table at 2.
 * zero: it may be 0. */
static double take_number(lua_State *L, const char *name, bool zero, double most)
{
    double d = 0;

    if (lua_getfield(L, 2, name) != LUA_TNIL) {
        d = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!(d >= 0 && d <= most) || (d == 0 && !zero))
            luaL_error(L, "tw.cache: %s: a number %s 0 up to %I expected, got %s", name,
                       zero ? "from" : "above", (LUAI_UACINT)most,
                       luaL_tolstring(L, -1, NULL));
        lua_pushnil(L);
        lua_setfield(L, 2, name);
    }
    lua_pop(L, 1);
    return d;
}

static uint64_t take_count(lua_State *L, const char *name)
{
    double d = take_number(L, name, false, 1e15);

    if (d != floor(d))
        luaL_error(L, "tw.cache: %s: an integer expected, got %f", name, d);
    return (uint64_t)d;
}

static int64_t take_seconds(lua_State *L, const char *name, bool zero)
{
    double s = take_number(L, name, zero, 1e9);

    return s > 0 && s < 1e-9 ? 1 : (int64_t)(s * 1e9);
}

/* [-0, +0, e]  As take_number. */
static enum tw_policy_kind take_policy(lua_State *L)
{
    enum tw_policy_kind kind = TW_POLICY_S3FIFO;
    const char *name;

    if (lua_getfield(L, 2, "policy") != LUA_TNIL) {
        name = luaL_tolstring(L, -1, NULL);
        if (strcmp(name, "lru") == 0) kind = TW_POLICY_LRU;
        else if (strcmp(name, "s3fifo") != 0)
            luaL_error(L, "tw.cache: policy: \"s3fifo\" or \"lru\" expected, got %s",
                       name);
        lua_pop(L, 1);
        lua_pushnil(L);
        lua_setfield(L, 2, "policy");
    }
    lua_pop(L, 1);
    return kind;
}

/* [-0, +0, e]  What the table at 2, a copy of the caller's, says. */
static void take_options(lua_State *L, struct tw_cache_options *o)
{
    uint64_t entries = take_count(L, "entries"), bytes = take_count(L, "bytes");

    if (entries > 0 && bytes > 0)
        luaL_error(L, "tw.cache: entries or bytes bound a cache, not both");
    o->capacity = entries > 0 ? entries : bytes;
    o->in_bytes = bytes > 0;
    o->ttl_ns = take_seconds(L, "ttl", false);
    o->idle_ns = take_seconds(L, "idle", false);
    o->refresh_ns = take_seconds(L, "refresh", false);
    o->stale_ns = take_seconds(L, "stale", true);
    o->stale_error_ns = take_seconds(L, "stale_error", true);
    o->failure_ns = take_seconds(L, "failures", true);
    o->records = take_count(L, "records");
    o->jitter = take_number(L, "jitter", true, 1);
    o->policy = take_policy(L);
    lua_pushnil(L);
    if (lua_next(L, 2))
        luaL_error(L, "tw.cache: no option '%s'; there are entries, bytes, policy, ttl,"
                   " idle, jitter, refresh, stale, stale_error, failures and records",
                   luaL_tolstring(L, -2, NULL));
}

static const char *check_name(lua_State *L)
{
    size_t n;
    const char *name;

    luaL_checktype(L, 1, LUA_TSTRING);
    name = lua_tolstring(L, 1, &n);
    if (n == 0 || n > TW_NAME_MAX || strlen(name) != n)
        luaL_error(L, "tw.cache: name: a text of 1 to %d bytes expected", TW_NAME_MAX);
    return name;
}

static int64_t event_ns(void *time)
{
    return ltw_time_ns(time);
}

/* tw.cache(name [, options]) -> cache
 * The cache of that name, the same in every state.  Options:
 *   entries      how many; default 10,000; or bytes, of keys and values
 *   policy       "s3fifo" or "lru"
 *   ttl, idle    how long a value lives, since it came, and since its last use
 *   jitter       up to this share of ttl is taken off, so that not all end at once
 *   refresh      from this age on a get gives the value and loads it anew beside that
 *   stale        so long after ttl the same
 *   stale_error  so long after ttl a load that fails gives the old value
 *   failures     how long a failure is kept; default: not at all
 *   records      how many records of the tape a value may be behind
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises for a name of 0 or more than 63 bytes, for a wrong option, and when the
 * name is open with others.
 * Units: seconds, entries, bytes, records. */
static int cache_open(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    struct tw_cache_options o = { .name = check_name(L), .seed = 1 };
    struct tw_cache *c = NULL;
    struct tw_error error;
    struct ltw_box *box;
    bool any;
    int rc;

    if (!host || !host->caches)
        return luaL_error(L, "tw.cache: there is none in an app file; use it in a"
                          " script");
    lua_settop(L, 2);
    any = lua_isnil(L, 2);   /* as it is, or with nothing but defaults */
    lua_newtable(L);
    if (!any) {
        luaL_checktype(L, 2, LUA_TTABLE);
        for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, 3);
        }
    }
    lua_replace(L, 2);
    box = ltw_push_box(L, tw_cache_type.name, 0);
    if (any) c = tw_caches_find(host->caches, o.name);
    if (!c) {
        take_options(L, &o);
        if (host->time) o.now_ns = event_ns, o.ctx = host->time;
        rc = tw_caches_open(host->caches, &o, &c, &error);
        if (rc < 0) return luaL_error(L, "tw.cache: %s", error.text);
    }
    box->object = tw_cache_object(c);
    ltw_push_object(L, box->object);
    return 1;
}

/* tw.cache.list() -> list
 * All caches, in the order in which they were opened.
 * Yields: no.  Blocks: no.  Thread: any state's.  Errors: none.  Units: none. */
static int cache_list(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    struct tw_cache *c;

    lua_newtable(L);
    for (size_t i = 0; host && host->caches; i++) {
        struct ltw_box *box = ltw_push_box(L, tw_cache_type.name, 0);

        c = tw_caches_at(host->caches, i);
        if (!c) {
            lua_pop(L, 1);
            break;
        }
        box->object = tw_cache_object(c);
        ltw_push_object(L, box->object);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
        lua_pop(L, 1);
    }
    return 1;
}

/* [-0, +1, e]  The module is called: it stands before the arguments. */
static int call_module(lua_State *L)
{
    lua_remove(L, 1);
    return cache_open(L);
}

int luaopen_tw_cache(lua_State *L)
{
    lua_newtable(L);
    luaopen_tw_cache_simulate(L);
    lua_setfield(L, -2, "simulate");
    lua_pushcfunction(L, cache_list);
    lua_setfield(L, -2, "list");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, call_module);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    return 1;
}
