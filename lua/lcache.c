/* lcache.c - tw.cache: what is expensive is computed once, whoever asks, wherever.
 *
 *     local vol = tw.cache("vol", { ttl = 60, entries = 1000 })
 *     local f = vol:get(symbol, function(symbol) return slow(symbol) end)
 *     local v = f:await()
 *
 * The same name is the same cache in every state.  get gives a future at once, hit or
 * miss; on a miss the loader runs in the pool, once for all who ask, and every one of
 * them gets the identical frozen value.  Keys are scalars, or lists and tables of them
 * by value.
 *
 * The loader is called as loader(key, load): load.old is the value before, when there
 * was one, and returning it says that it is unchanged; load.ttl (seconds), load.tags and
 * load.depends may be set for this value.  What is invalidated while it loads is given
 * to who waits, but not kept.
 */
#include "lcache.h"

#include <math.h>
#include <string.h>

#include "lerror.h"
#include "lfuture.h"
#include "loader.h"
#include "lsimulate.h"
#include "lvalue.h"
#include "share/cache_dump.h"
#include "share/cache_load.h"
#include "share/caches.h"
#include "task.h"

enum { TRIES = 1000 };

#define KEY "tw.cache.key"
#define KEYS  lua_upvalueindex(1)   /* of all methods: scalars to their keys, weak */
#define SPARE lua_upvalueindex(2)   /* likewise: a list of one empty handle        */

static struct tw_cache *check(lua_State *L)
{
    return (struct tw_cache *)ltw_check_object(L, 1, tw_cache_type.name);
}

/* ---- keys: a userdata struct tw_any that owns its block, and remembers the handle
 * of the last future that was there: a hit makes nothing that is to be collected ---- */

static int key_gc(lua_State *L)
{
    struct tw_any *key = lua_touserdata(L, 1);

    tw_any_unref(key);
    key->kind = TW_VALUE_NIL;
    return 0;
}

/* [-0, +1, e]  The key at idx, for as long as what is pushed stays.  A scalar's is
 * made once and remembered until the collector comes. */
static const struct tw_any *push_key(lua_State *L, int idx)
{
    int type = lua_type(L, idx);
    bool is_scalar = type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
    struct tw_any *key;

    if (is_scalar) {
        lua_pushvalue(L, idx);
        if (lua_rawget(L, KEYS) == LUA_TUSERDATA) return lua_touserdata(L, -1);
        lua_pop(L, 1);
    }
    key = lua_newuserdatauv(L, sizeof *key, 1);
    *key = (struct tw_any){ .kind = TW_VALUE_NIL };
    luaL_setmetatable(L, KEY);
    *key = ltw_check_any_named(L, idx, "key");
    if (key->kind == TW_VALUE_NIL) luaL_argerror(L, idx, "a key can't be nil");
    if (is_scalar && lua_compare(L, idx, idx, LUA_OPEQ)) {   /* NaN is no key */
        lua_pushvalue(L, idx);
        lua_pushvalue(L, -2);
        lua_rawset(L, KEYS);
    }
    return key;
}

/* [-0, +1, m]  An empty handle; made before it is needed, as then nothing may raise. */
static struct ltw_box *push_spare(lua_State *L)
{
    struct ltw_box *spare = (lua_rawgeti(L, SPARE, 1), lua_touserdata(L, -1));

    if (spare && !spare->object) return spare;
    lua_pop(L, 1);   /* it was used up, also by a get that raised */
    spare = ltw_future_push_empty(L);
    lua_pushvalue(L, -1);
    lua_rawseti(L, SPARE, 1);
    return spare;
}

/* ---- get ---- */

/* [-0, +0, e]  On whose behalf, how far the caller has read, and what the options at
 * idx (a table or nil) say that the value will depend on. */
static struct tw_cache_call make_call(lua_State *L, int idx, uint32_t *depends)
{
    struct ltw_state *state = ltw_state(L);
    struct tw_cache_call call = {
        .asking = state->task ? state->task->load : NULL,
        .seq = state->record ? state->record->seq : 0,
        .depends = depends,
    };

    if (lua_isnoneornil(L, idx)) return call;
    luaL_checktype(L, idx, LUA_TTABLE);
    lua_getfield(L, idx, "depends");
    call.n_depends = ltw_check_depends(L, lua_gettop(L), depends);
    lua_pop(L, 1);
    return call;
}

static void check_loader(lua_State *L, int idx)
{
    int type = lua_type(L, idx);

    if (type != LUA_TFUNCTION && type != LUA_TSTRING)
        luaL_argerror(L, idx, "a loader expected: a function, or \"module.name\"");
}

/* The loads that a get has to start, if any. */
typedef void begin(lua_State *L, struct tw_load *load, void *ctx);

/* [-0, +1, e]  The handle of the future of the key whose userdata is at idx. */
static void push_future(lua_State *L, struct tw_cache *c, int idx,
                        const struct tw_cache_call *call, begin *start, void *ctx)
{
    const struct tw_any *key = lua_touserdata(L, idx);
    struct ltw_box *handle = push_spare(L), *known;
    struct tw_cache_answer answer;
    struct tw_error error;

    lua_getiuservalue(L, idx, 1);
    known = lua_touserdata(L, -1);
    for (int i = 0; i < TRIES; i++) {
        if (tw_cache_get(c, key, call, &answer, &error) < 0)
            luaL_error(L, "%s", error.text);
        handle->object = tw_future_object(answer.future);
        if (answer.load) start(L, answer.load, ctx);
        handle->object = NULL;
        if (known && known->object == tw_future_object(answer.future)) {
            tw_future_unref(answer.future);
            lua_remove(L, -2);
            return;
        }
        if (ltw_future_attach(L, handle, answer.future)) {
            lua_pushnil(L);
            lua_rawseti(L, SPARE, 1);
            lua_pop(L, 1);
            if (tw_future_peek(answer.future, NULL) == TW_PENDING) return;
            lua_pushvalue(L, -1);   /* of a settled one nobody can leave: all share it */
            lua_setiuservalue(L, idx, 1);
            return;
        }
        handle->object = NULL;   /* it was cancelled just now */
        tw_future_unref(answer.future);
    }
    luaL_error(L, "cache '%s': its loads are cancelled as fast as they begin",
               tw_cache_name(c));
}

/* The loader is at 3. */
static void begin_one(lua_State *L, struct tw_load *load, void *ctx)
{
    (void)ctx;
    ltw_loader_start(L, 3, &load, 1, false);
}

/* cache:get(key, loader [, options]) -> future
 * The future of the key's value, at once.  When there is none, loader(key, load) runs in
 * the pool, once for all who ask; it is a function, sent there as pool.run does, or
 * "module.name".  Options: depends = {symbol, ..., topics = {topic, ...}}: a quote, trade
 * or message that comes for one of these after the load has begun makes the value void.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises for a key or a loader that can't be sent, and when the load that asks
 * would wait for itself, with the path of keys; an error of the loader is the future's.
 * Units: none. */
static int cache_get(lua_State *L)
{
    struct tw_cache *c = check(L);
    uint32_t depends[TW_CACHE_DEPENDS_MAX];
    struct tw_cache_call call;

    check_loader(L, 3);
    lua_settop(L, 4);
    call = make_call(L, 4, depends);
    push_key(L, 2);
    push_future(L, c, 5, &call, begin_one, NULL);
    return 1;
}

/* 1: cache  2: keys  3: loader  4: options  5: futures  6: loads, a userdata */
struct many { size_t n; struct tw_load *load[]; };

static void keep_load(lua_State *L, struct tw_load *load, void *ctx)
{
    struct many *many = ctx;

    (void)L;
    many->load[many->n++] = load;
}

static int many_gc(lua_State *L)
{
    struct many *many = lua_touserdata(L, 1);

    while (many->n > 0) tw_load_unref(many->load[--many->n]);
    return 0;
}

/* cache:get_all(keys, loader [, options]) -> list
 * The futures of a list of keys, for tw.all.  Those that there is no value of are loaded
 * by one call, loader(keys), which returns the list of their values.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: as cache:get; a value that is missing in what the loader returns is the failure
 * of its key alone.  Units: none. */
static int cache_get_all(lua_State *L)
{
    struct tw_cache *c = check(L);
    uint32_t depends[TW_CACHE_DEPENDS_MAX];
    struct tw_cache_call call;
    struct many *many;
    lua_Integer n;

    check_loader(L, 3);
    lua_settop(L, 4);
    n = luaL_len(L, 2);
    luaL_argcheck(L, n >= 0 && n <= 1 << 20, 2, "a list of keys expected");
    call = make_call(L, 4, depends);
    lua_createtable(L, (int)n, 0);
    many = lua_newuserdatauv(L, sizeof *many + (size_t)n * sizeof many->load[0], 0);
    many->n = 0;
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, many_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, many_gc);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_toclose(L, 6);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_geti(L, 2, i);
        push_key(L, 7);
        push_future(L, c, 8, &call, keep_load, many);
        lua_rawseti(L, 5, i);
        lua_settop(L, 6);
    }
    if (many->n > 0) {
        size_t loads = many->n;

        many->n = 0;
        ltw_loader_start(L, 3, many->load, loads, true);
    }
    lua_pushvalue(L, 5);
    return 1;
}

/* ---- by hand ---- */

/* cache:peek(key) -> value | nil
 * What get would give at once; it is no use of the entry and starts nothing.
 * Yields: no.  Blocks: no.  Thread: any state's.  Errors: as cache:get.  Units: none. */
static int cache_peek(lua_State *L)
{
    struct tw_cache *c = check(L);
    const struct tw_any *key = push_key(L, 2);
    struct tw_any *owner = ltw_push_owner(L);

    if (tw_cache_peek(c, key, owner)) ltw_adopt(L);
    else lua_pushnil(L);
    return 1;
}

/* cache:put(key, value [, options])
 * Puts a value, frozen, in place of what was there.  Options: ttl, tags = {name, ...},
 * depends, as a loader sets them.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises for a key or a value that can't be frozen, and for nil.
 * Units: ttl in seconds. */
static int cache_put(lua_State *L)
{
    struct tw_cache *c = check(L);
    uint32_t depends[TW_CACHE_DEPENDS_MAX];
    struct tw_cache_terms terms = { .depends = depends };
    struct ltw_state *state = ltw_state(L);
    const struct tw_any *key;
    int rc;

    lua_settop(L, 4);
    luaL_argcheck(L, !lua_isnil(L, 3), 3, "a value expected; remove takes one out");
    key = push_key(L, 2);
    ltw_check_terms(L, 4, &terms, depends);
    rc = tw_cache_put(c, key, ltw_check_any(L, 3), &terms,
                      state->record ? state->record->seq : 0);
    if (rc < 0)
        return luaL_error(L, "cache '%s': put: %s", tw_cache_name(c), tw_strerror(rc));
    return 0;
}

/* cache:remove(key) -> boolean
 * Takes out a value; true if there was one.  Who waits for a load of it gets that.
 * Yields: no.  Blocks: no.  Thread: any state's.  Errors: as cache:get.  Units: none. */
static int cache_remove(lua_State *L)
{
    struct tw_cache *c = check(L);

    lua_pushboolean(L, tw_cache_remove(c, push_key(L, 2)));
    return 1;
}

/* [-0, +1, e] */
static int push_count(lua_State *L, struct tw_cache *c, int64_t n)
{
    if (n < 0)
        return luaL_error(L, "cache '%s': invalidate: %s", tw_cache_name(c),
                          tw_strerror((int)n));
    lua_pushinteger(L, n);
    return 1;
}

/* cache:invalidate(key) -> integer
 * The key's value is not valid any more, nor what a load brings that is under way: who
 * waits gets it, but it is not kept.  Gives how many values there were.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: as cache:get.  Units: entries. */
static int cache_invalidate(lua_State *L)
{
    struct tw_cache *c = check(L);

    return push_count(L, c, tw_cache_invalidate(c, push_key(L, 2)));
}

/* cache:invalidate_tag(tag) -> integer
 * As cache:invalidate, of all that have the tag, also of loads that only then name it.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises for what is no string.  Units: entries. */
static int cache_invalidate_tag(lua_State *L)
{
    struct tw_cache *c = check(L);
    size_t n;
    const char *tag = luaL_checklstring(L, 2, &n);

    return push_count(L, c, tw_cache_invalidate_tag(c, tag, n));
}

/* cache:invalidate_prefix(prefix) -> integer
 * As cache:invalidate, of all keys that begin so: of strings with a string, of lists with
 * a list.
 * Yields: no.  Blocks: for as long as it takes to look at every key.
 * Thread: any state's.  Errors: raises for another prefix.  Units: entries. */
static int cache_invalidate_prefix(lua_State *L)
{
    struct tw_cache *c = check(L);

    return push_count(L, c, tw_cache_invalidate_prefix(c, push_key(L, 2)));
}

/* cache:invalidate_all() -> integer
 * As cache:invalidate, of all keys.
 * Yields: no.  Blocks: for as long as it takes to free every value.
 * Thread: any state's.  Errors: none.  Units: entries. */
static int cache_invalidate_all(lua_State *L)
{
    struct tw_cache *c = check(L);

    return push_count(L, c, tw_cache_invalidate_all(c));
}

/* ---- looking on ---- */

static int page_gc(lua_State *L)
{
    tw_cache_page_fini(lua_touserdata(L, 1));
    return 0;
}

/* [-0, +1, m]  A page that lets go what it holds when the caller returns or raises. */
static struct tw_cache_page *push_page(lua_State *L)
{
    struct tw_cache_page *page = lua_newuserdatauv(L, sizeof *page, 0);

    memset(page, 0, sizeof *page);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, page_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, page_gc);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_toclose(L, lua_gettop(L));
    return page;
}

static bool next_page(lua_State *L, struct tw_cache *c, struct tw_cache_page *page)
{
    int rc = tw_cache_page_next(c, page);

    if (rc < 0) luaL_error(L, "cache '%s': %s", tw_cache_name(c), tw_strerror(rc));
    return rc > 0;
}

/* cache:invalidate_if(predicate) -> integer
 * As cache:invalidate, of the keys for which predicate(key, value) is true; value is nil
 * while it is loaded.
 * Yields: no.  Blocks: while it calls predicate for every key.
 * Thread: any state's.  Errors: raises what predicate raises.  Units: entries. */
static int cache_invalidate_if(lua_State *L)
{
    struct tw_cache *c = check(L);
    struct tw_cache_page *page;
    int64_t n = 0;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    page = push_page(L);
    while (next_page(L, c, page))
        for (size_t i = 0; i < page->n; i++) {
            lua_pushvalue(L, 2);
            ltw_push_any(L, &page->at[i].key);
            ltw_push_any(L, &page->at[i].value);
            lua_call(L, 2, 1);
            if (lua_toboolean(L, -1)) n += tw_cache_invalidate(c, &page->at[i].key);
            lua_settop(L, 3);
        }
    return push_count(L, c, n);
}

static void set_seconds(lua_State *L, const char *name, int64_t ns)
{
    if (ns == TW_CACHE_FOREVER) lua_pushnumber(L, HUGE_VAL);
    else lua_pushnumber(L, (lua_Number)ns / 1e9);
    lua_setfield(L, -2, name);
}

static void set_count(lua_State *L, const char *name, uint64_t n)
{
    lua_pushinteger(L, (lua_Integer)n);
    lua_setfield(L, -2, name);
}

/* [-0, +1, e] */
static void push_info(lua_State *L, const struct tw_cache_info *info)
{
    static const char *const states[] = { "loading", "fresh", "stale", "void", "failed" };

    lua_createtable(L, 0, 9);
    ltw_push_any(L, &info->key);
    lua_setfield(L, -2, "key");
    ltw_push_any(L, &info->value);
    lua_setfield(L, -2, "value");
    lua_pushstring(L, states[info->state]);
    lua_setfield(L, -2, "state");
    set_seconds(L, "age", info->age_ns);
    set_seconds(L, "ttl_left", info->ttl_left_ns);
    if (info->loading) set_seconds(L, "loading", info->loading_ns);
    set_count(L, "bytes", info->bytes);
    set_count(L, "hits", info->hits);
    set_count(L, "waiters", info->waiters);
}

/* cache:inspect() -> list
 * Of every key {key, value, state, age, ttl_left, loading (for how long, or nil), bytes,
 * hits, waiters}; state is "loading", "fresh", "stale", "void" or "failed".
 * Yields: no.  Blocks: for as long as it takes to copy it; others go on.
 * Thread: any state's.  Errors: none.  Units: seconds, bytes. */
static int cache_inspect(lua_State *L)
{
    struct tw_cache *c = check(L);
    struct tw_cache_page *page;
    lua_Integer n = 0;

    lua_settop(L, 1);
    lua_newtable(L);
    page = push_page(L);
    while (next_page(L, c, page))
        for (size_t i = 0; i < page->n; i++) {
            push_info(L, &page->at[i]);
            lua_rawseti(L, 2, ++n);
        }
    lua_pushvalue(L, 2);
    return 1;
}

/* cache:stats() -> table
 * {hits, stale, misses, coalesced, loads, failures, cancelled, evictions, expirations,
 * invalidations, entries, bytes, loading, untold, load = {count, p50, p99, max}}.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: none.  Units: seconds, bytes. */
static int cache_stats(lua_State *L)
{
    struct tw_cache_stats *s;
    struct tw_cache *c = check(L);

    s = lua_newuserdatauv(L, sizeof *s, 0);   /* it is large: a histogram */
    tw_cache_stats(c, s);
    lua_createtable(L, 0, 15);
    set_count(L, "hits", s->hits);
    set_count(L, "stale", s->stale);
    set_count(L, "misses", s->misses);
    set_count(L, "coalesced", s->coalesced);
    set_count(L, "loads", s->loads);
    set_count(L, "failures", s->failures);
    set_count(L, "cancelled", s->cancelled);
    set_count(L, "evictions", s->evictions);
    set_count(L, "expirations", s->expirations);
    set_count(L, "invalidations", s->invalidations);
    set_count(L, "entries", s->entries);
    set_count(L, "bytes", s->bytes);
    set_count(L, "loading", s->loading);
    set_count(L, "untold", s->untold);
    lua_createtable(L, 0, 4);
    set_count(L, "count", tw_histogram_count(&s->load_ns));
    set_seconds(L, "p50", (int64_t)tw_histogram_percentile(&s->load_ns, 0.5));
    set_seconds(L, "p99", (int64_t)tw_histogram_percentile(&s->load_ns, 0.99));
    set_seconds(L, "max", (int64_t)tw_histogram_max(&s->load_ns));
    lua_setfield(L, -2, "load");
    return 1;
}

/* cache:on_removal(channel | nil)
 * Every removal is sent to the channel as {key, value, reason}: "expired", "idle",
 * "evicted", "replaced", "invalidated", "removed", or "failed" of a load.  nil: no more.
 * Yields: no.  Blocks: no; a full channel does as it was told to, but for waiting.
 * Thread: any state's.  Errors: raises for what is no channel.  Units: none. */
static int cache_on_removal(lua_State *L)
{
    struct tw_cache *c = check(L);
    struct tw_object *channel = NULL;

    luaL_checkany(L, 2);
    if (!lua_isnil(L, 2)) channel = ltw_check_object(L, 2, "tw.channel");
    tw_cache_on_removal(c, (struct tw_channel *)channel);
    return 0;
}

/* [-0, +n, m]  What became of a file. */
static int push_dump(lua_State *L, int rc, const struct tw_cache_dump *d,
                     const struct tw_error *error)
{
    if (rc < 0) {
        luaL_pushfail(L);
        lua_pushstring(L, error->text);
        lua_pushinteger(L, rc);
        return 3;
    }
    lua_pushinteger(L, (lua_Integer)d->entries);
    lua_pushinteger(L, (lua_Integer)d->skipped);
    return 2;
}

/* cache:dump(path) -> entries, skipped | nil, message, code
 * Writes what is valid to a file, for cache:load; skipped are values that hold shared
 * objects or depend on the tape.
 * Yields: no.  Blocks: while it writes.  Thread: any state's.
 * Errors: nil, and why, when the file can't be written: what was there stays.
 * Units: entries. */
static int cache_dump(lua_State *L)
{
    struct tw_cache *c = check(L);
    struct tw_cache_dump d = { 0 };
    struct tw_error error;
    int rc = tw_cache_dump(c, luaL_checkstring(L, 2), &d, &error);

    return push_dump(L, rc, &d, &error);
}

/* cache:load(path) -> entries, skipped | nil, message, code
 * Puts what cache:dump wrote; times to live go on from when it was written.
 * Yields: no.  Blocks: while it reads.  Thread: any state's.
 * Errors: nil, and why, when the file can't be read; of a damaged file what is whole is
 * put, and the message says what was lost.  Units: entries. */
static int cache_load(lua_State *L)
{
    struct tw_cache *c = check(L);
    struct tw_cache_dump d = { 0 };
    struct tw_error error;
    int rc = tw_cache_restore(c, luaL_checkstring(L, 2), &d, &error);

    return push_dump(L, rc, &d, &error);
}

static int cache_len(lua_State *L)
{
    struct tw_cache_stats *s;
    struct tw_cache *c = check(L);

    s = lua_newuserdatauv(L, sizeof *s, 0);
    tw_cache_stats(c, s);
    lua_pushinteger(L, (lua_Integer)s->entries);
    return 1;
}

static int cache_tostring(lua_State *L)
{
    lua_pushfstring(L, "cache: %s", tw_cache_name(check(L)));
    return 1;
}

/* ---- opening ---- */

/* [-0, +0, e]  The option of that name, from 0 on; taken out of the table at 3. */
static double take_number(lua_State *L, const char *name, double most)
{
    double d = 0;

    if (lua_getfield(L, 3, name) != LUA_TNIL) {
        d = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!(d >= 0 && d <= most))
            luaL_error(L, "tw.cache: %s: a number in 0 .. %f expected, got %s", name,
                       most, luaL_tolstring(L, -1, NULL));
        lua_pushnil(L);
        lua_setfield(L, 3, name);
    }
    lua_pop(L, 1);
    return d;
}

static int64_t take_seconds(lua_State *L, const char *name)
{
    return (int64_t)(take_number(L, name, 1e9) * 1e9);
}

/* [-0, +0, e]  What the table at 3, a copy of the caller's, says. */
static void take_options(lua_State *L, struct tw_cache_options *o)
{
    static const char *const policies[] = { "s3fifo", "lru", NULL };
    static const enum tw_policy_kind kinds[] = { TW_POLICY_S3FIFO, TW_POLICY_LRU };
    double entries = take_number(L, "entries", 1e15);
    double bytes = take_number(L, "bytes", 1e18);

    if (entries > 0 && bytes > 0)
        luaL_error(L, "tw.cache: entries or bytes bound a cache, not both");
    o->capacity = (uint64_t)(entries > 0 ? entries : bytes);
    o->in_bytes = bytes > 0;
    o->ttl_ns = take_seconds(L, "ttl");
    o->idle_ns = take_seconds(L, "idle");
    o->refresh_ns = take_seconds(L, "refresh");
    o->stale_ns = take_seconds(L, "stale");
    o->stale_error_ns = take_seconds(L, "stale_error");
    o->failure_ns = take_seconds(L, "failures");
    o->records = (uint64_t)take_number(L, "records", 1e15);
    o->jitter = take_number(L, "jitter", 1);
    if (lua_getfield(L, 3, "policy") != LUA_TNIL) {
        o->policy = kinds[luaL_checkoption(L, -1, NULL, policies)];
        lua_pushnil(L);
        lua_setfield(L, 3, "policy");
    }
    lua_pop(L, 1);
    lua_pushnil(L);
    if (lua_next(L, 3))
        luaL_error(L, "tw.cache: no option '%s'; there are entries, bytes, policy, ttl,"
                   " idle, jitter, refresh, stale, stale_error, failures and records",
                   luaL_tolstring(L, -2, NULL));
}

/* tw.cache(name [, options]) -> cache
 * The cache of that name, the same in every state.  Options: entries (how many; default
 * 10,000) or bytes (of keys and values); policy: "s3fifo" or "lru"; ttl, from when a
 * value came; idle, from its last use; jitter: up to this share of ttl is taken off, so
 * that not all end at once; refresh: from this age on a get reloads beside the value that
 * it gives; stale: so long after ttl the same; stale_error: so long after ttl a failed
 * reload gives the old value; failures: a failure is kept so long (default: not at all);
 * records: of the tape, that a value may be behind.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises for a wrong option, and when the name is open with others.
 * Units: seconds, entries, bytes, records. */
static int cache_open(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    struct tw_cache_options o = { .name = luaL_checkstring(L, 2), .seed = 1 };
    struct tw_cache *c;
    struct tw_error error;
    int rc;

    if (!host || !host->caches) return luaL_error(L, "tw.cache: there is none here");
    lua_settop(L, 3);
    if (lua_isnil(L, 3)) {   /* as it is, or with nothing but defaults */
        c = tw_caches_find(host->caches, o.name);
        lua_newtable(L);
    } else {
        c = NULL;
        luaL_checktype(L, 3, LUA_TTABLE);
        lua_newtable(L);
        for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, 4);
        }
    }
    lua_replace(L, 3);
    if (!c) {
        take_options(L, &o);
        rc = tw_caches_open(host->caches, &o, &c, &error);
        if (rc < 0) return luaL_error(L, "tw.cache: %s", error.text);
    }
    ltw_push_object(L, tw_cache_object(c));
    tw_cache_unref(c);
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
    for (size_t i = 0; host && host->caches && (c = tw_caches_at(host->caches, i)); i++) {
        ltw_push_object(L, tw_cache_object(c));
        tw_cache_unref(c);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    { "get", cache_get },
    { "get_all", cache_get_all },
    { "peek", cache_peek },
    { "put", cache_put },
    { "remove", cache_remove },
    { "invalidate", cache_invalidate },
    { "invalidate_tag", cache_invalidate_tag },
    { "invalidate_prefix", cache_invalidate_prefix },
    { "invalidate_all", cache_invalidate_all },
    { "invalidate_if", cache_invalidate_if },
    { "inspect", cache_inspect },
    { "stats", cache_stats },
    { "on_removal", cache_on_removal },
    { "dump", cache_dump },
    { "load", cache_load },
    { NULL, NULL }
};

void ltw_cache_open(lua_State *L)
{
    luaL_newmetatable(L, KEY);
    lua_pushcfunction(L, key_gc);
    lua_setfield(L, -2, "__gc");
    ltw_object_open(L, tw_cache_type.name);
    luaL_newlibtable(L, methods);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 2);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, cache_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, cache_len);
    lua_setfield(L, -2, "__len");
    lua_pop(L, 2);
}

int luaopen_tw_cache(lua_State *L)
{
    lua_newtable(L);
    luaopen_tw_cache_simulate(L);
    lua_setfield(L, -2, "simulate");
    lua_pushcfunction(L, cache_list);
    lua_setfield(L, -2, "list");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, cache_open);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    return 1;
}
