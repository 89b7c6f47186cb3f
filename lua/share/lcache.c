/* lcache.c - tw.cache: what is expensive is computed once, whoever asks, wherever.
 *
 *     local vol = tw.cache("vol", { ttl = 60, entries = 1000 })
 *     local f = vol:get(symbol, function(symbol) return slow(symbol) end)
 *     local v = f:await()
 *
 * The same name is the same cache in every state.  get gives a future at once, hit or
 * miss; on a miss the loader runs in the pool, once for all who ask, and every one of
 * them gets the identical frozen value.  Keys are scalars, or lists and tables of them
 * by value; what equals only itself is an error in a key: NaN, a table as a key of it.
 *
 * The loader is called as loader(key, load): load.old is the value before, when there
 * was one, and returning it says that it is unchanged; load.ttl (seconds), load.tags and
 * load.depends may be set for this value.  It returns one value: several are an error.
 * What is invalidated while it loads is given to who waits, but not kept.
 */
#include "share/lcache.h"

#include "share/lfuture.h"
#include "share/loader.h"
#include "share/lvalue.h"

enum { TRIES = 1000, MANY = 1 << 20 };   /* keys of a get_all */

#define KEY "tw.cache.key"
#define KEYS  lua_upvalueindex(1)   /* of all methods: scalars to their keys, weak */
#define SPARE lua_upvalueindex(2)   /* each its own: an empty handle, or not yet   */
#define HAND  lua_upvalueindex(3)   /* likewise: an owner, for as long as a call   */

/* ---- keys ---- */

/* A userdata; its user value is the handle of the last settled future that was there,
 * so that a hit makes nothing that is to be collected. */
struct key {
    struct tw_any any;     /* one reference */
    uint64_t hash;
};

static int key_gc(lua_State *L)
{
    struct key *key = luaL_checkudata(L, 1, KEY);

    if (!ltw_is_finalizer(L)) return 0;
    tw_any_unref(&key->any);
    key->any.kind = TW_VALUE_NIL;
    return 0;
}

/* [-0, +1, e] */
static struct key *make_key(lua_State *L, int idx)
{
    struct key *key = lua_newuserdatauv(L, sizeof *key, 1);

    *key = (struct key){ .any.kind = TW_VALUE_NIL };
    luaL_setmetatable(L, KEY);
    key->any = ltw_check_any_named(L, idx, "key");
    if (key->any.kind == TW_VALUE_NIL) luaL_error(L, "a key can't be nil");
    ltw_check_key(L, &key->any, "a key");
    key->hash = tw_any_hash(&key->any);
    return key;
}

/* [-0, +1, e]  The key at idx, for as long as what is pushed stays.  A scalar's is
 * made once and remembered until the collector comes. */
static struct key *push_key(lua_State *L, int idx)
{
    int type = lua_type(L, idx);
    bool is_scalar = type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
    struct key *key;

    if (is_scalar) {
        lua_pushvalue(L, idx);
        if (lua_rawget(L, KEYS) == LUA_TUSERDATA) return lua_touserdata(L, -1);
        lua_pop(L, 1);
    }
    key = make_key(L, idx);
    if (is_scalar) {
        lua_pushvalue(L, idx);
        lua_pushvalue(L, -2);
        lua_rawset(L, KEYS);
    }
    return key;
}

/* [-0, +0, m]  An empty handle, in SPARE: made before it is needed, as then nothing may
 * raise. */
static struct ltw_box *spare(lua_State *L)
{
    struct ltw_box *box = lua_touserdata(L, SPARE);

    if (box && !box->object) return box;   /* it is not, after a get that raised */
    box = ltw_future_push_empty(L);
    lua_replace(L, SPARE);
    return box;
}

/* ---- get ---- */

/* [-0, +0, e]  On whose behalf, how far the caller has read, and what the options at
 * idx (a table or nil) say that the value will depend on. */
static struct tw_cache_call make_call(lua_State *L, int idx, uint32_t *depends)
{
    static const char *const fields[] = { "depends", NULL };
    struct ltw_state *state = ltw_state(L);
    struct tw_cache_call call = {
        .asking = state->task ? state->task->load : NULL,
        .seq = state->record ? state->record->seq : 0,
        .depends = depends,
    };

    if (lua_isnoneornil(L, idx)) return call;
    luaL_checktype(L, idx, LUA_TTABLE);
    ltw_check_fields(L, idx, "options", fields, 0);
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

/* What starts a load, now or later; its reference passes on. */
typedef void begin(lua_State *L, struct tw_load *load, void *ctx);

/* [-0, +1, e]  The handle of the future of the key whose userdata is at idx. */
static void push_future(lua_State *L, struct tw_cache *c, int idx,
                        struct tw_cache_call *call, begin *start, void *ctx)
{
    struct key *key = lua_touserdata(L, idx);
    struct ltw_box *handle = spare(L), *known;
    struct tw_cache_answer answer;
    struct tw_error error;

    lua_getiuservalue(L, idx, 1);
    known = lua_touserdata(L, -1);
    call->hash = key->hash;
    call->held = known ? (struct tw_future *)known->object : NULL;
    for (int i = 0; i < TRIES; i++) {
        if (tw_cache_get(c, &key->any, call, &answer, &error) < 0)
            luaL_error(L, "%s", error.text);
        if (answer.future == call->held) {
            if (answer.load) start(L, answer.load, ctx);
            return;
        }
        if (ltw_future_attach(L, handle, answer.future)) {
            lua_pushvalue(L, SPARE);
            lua_replace(L, -2);
            lua_pushnil(L);
            lua_replace(L, SPARE);
            if (answer.load) start(L, answer.load, ctx);
            if (tw_future_peek(answer.future, NULL) != TW_RESOLVED) return;
            lua_pushvalue(L, -1);   /* of a settled one nobody can leave: all share it */
            lua_setiuservalue(L, idx, 1);
            return;
        }
        handle->object = NULL;   /* it was cancelled just now */
        tw_future_unref(answer.future);
        if (answer.load) tw_load_unref(answer.load);
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
 * or message for one of these makes the value void, when it came after the record that
 * was being handled as the load began, or outside a handler after the load began.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises for a key or a loader that can't be sent, and when the load that asks
 * would wait for itself, with the path of keys; an error of the loader is the future's,
 * and so is that the pool's queue is full.  Units: none. */
static int cache_get(lua_State *L)
{
    struct tw_cache *c = ltw_check_cache(L);
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

    if (!ltw_cache_closes(L, many_gc)) return 0;
    while (many->n > 0) {   /* get_all has raised */
        tw_load_saw(many->load[--many->n]);
        tw_load_unref(many->load[many->n]);
    }
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
    struct tw_cache *c = ltw_check_cache(L);
    uint32_t depends[TW_CACHE_DEPENDS_MAX];
    struct tw_cache_call call;
    struct many *many;
    lua_Integer n;

    check_loader(L, 3);
    lua_settop(L, 4);
    if (!lua_istable(L, 2) && !ltw_test_view(L, 2)) luaL_typeerror(L, 2, "list of keys");
    n = luaL_len(L, 2);
    luaL_argcheck(L, n <= MANY, 2, "too many keys");
    call = make_call(L, 4, depends);
    lua_createtable(L, (int)n, 0);
    many = lua_newuserdatauv(L, sizeof *many + (size_t)n * sizeof many->load[0], 0);
    many->n = 0;
    ltw_cache_close_with(L, many_gc);
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

/* [-0, +1, m]  An owner of nothing.  A call that raised may have left something in the
 * last one, or it is in use: collecting may call any function. */
static struct tw_any *push_hand(lua_State *L)
{
    struct tw_any *hand = lua_touserdata(L, HAND);

    if (hand->kind != TW_VALUE_NIL) {
        ltw_push_owner(L);
        lua_replace(L, HAND);
    }
    lua_pushvalue(L, HAND);
    return lua_touserdata(L, -1);
}

/* cache:peek(key) -> value | nil
 * What get would give at once; it is no use of the entry and starts nothing.
 * Yields: no.  Blocks: no.  Thread: any state's.  Errors: as cache:get.  Units: none. */
static int cache_peek(lua_State *L)
{
    struct tw_cache *c = ltw_check_cache(L);
    const struct key *key = push_key(L, 2);
    struct tw_any *hand = push_hand(L);

    tw_cache_peek(c, &key->any, hand);   /* nil: there is none */
    ltw_push_any(L, hand);
    tw_any_unref(hand);
    hand->kind = TW_VALUE_NIL;
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
    struct tw_cache *c = ltw_check_cache(L);
    uint32_t depends[TW_CACHE_DEPENDS_MAX];
    struct tw_cache_terms terms = { .depends = depends };
    struct ltw_state *state = ltw_state(L);
    const struct key *key;
    int rc;

    lua_settop(L, 4);
    luaL_argcheck(L, !lua_isnil(L, 3), 3, "a value expected; remove takes one out");
    key = push_key(L, 2);
    ltw_check_terms(L, 4, false, &terms, depends);
    rc = tw_cache_put(c, &key->any, ltw_check_any(L, 3), &terms,
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
    struct tw_cache *c = ltw_check_cache(L);

    lua_pushboolean(L, tw_cache_remove(c, &push_key(L, 2)->any));
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
    struct tw_cache *c = ltw_check_cache(L);

    return push_count(L, c, tw_cache_invalidate(c, &push_key(L, 2)->any));
}

/* cache:invalidate_tag(tag) -> integer
 * As cache:invalidate, of all that have the tag, also of loads that only then name it.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises for what is no string.  Units: entries. */
static int cache_invalidate_tag(lua_State *L)
{
    struct tw_cache *c = ltw_check_cache(L);
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
    struct tw_cache *c = ltw_check_cache(L);
    int64_t n = tw_cache_invalidate_prefix(c, &push_key(L, 2)->any);

    luaL_argcheck(L, n != TW_EUSAGE, 2, "a prefix is a string, or a list of scalars");
    return push_count(L, c, n);
}

/* cache:invalidate_all() -> integer
 * As cache:invalidate, of all keys.
 * Yields: no.  Blocks: for as long as it takes to free every value.
 * Thread: any state's.  Errors: none.  Units: entries. */
static int cache_invalidate_all(lua_State *L)
{
    struct tw_cache *c = ltw_check_cache(L);

    return push_count(L, c, tw_cache_invalidate_all(c));
}

/* ---- the type ---- */

static int cache_len(lua_State *L)
{
    struct tw_cache_stats *s;
    struct tw_cache *c = ltw_check_cache(L);

    s = lua_newuserdatauv(L, sizeof *s, 0);
    tw_cache_stats(c, s);
    lua_pushinteger(L, (lua_Integer)s->entries);
    return 1;
}

static int cache_tostring(lua_State *L)
{
    lua_pushfstring(L, "cache: %s", tw_cache_name(ltw_check_cache(L)));
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
    { NULL, NULL }
};

void ltw_cache_open(lua_State *L)
{
    ltw_push_type(L, KEY, key_gc);
    ltw_object_open(L, tw_cache_type.name);
    lua_newtable(L);
    ltw_push_weak(L, "v");
    lua_pushnil(L);
    ltw_push_owner(L);
    luaL_setfuncs(L, methods, 3);
    ltw_cache_look_open(L);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, cache_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, cache_len);
    lua_setfield(L, -2, "__len");
    lua_pop(L, 2);
}
