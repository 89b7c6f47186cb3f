/* loader.c - the loaders of a cache: jobs of the pool that end loads.
 *
 * A loading is the job's: its end lets the loads go, and a load that is let go
 * without an end fails, so no key is ever stuck.  A load that nobody wants any more
 * tells the loading's stopper, which lives as long as the loads; when that is so of
 * all of them, the job is stopped.
 */
#include "share/loader.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "lerror.h"
#include "task/lpool.h"
#include "share/lvalue.h"
#include "share/failure.h"

struct stopper {
    atomic_uint references;          /* atomic: any thread                      */
    atomic_uint wanted;              /* atomic: loads that somebody still wants */
    _Atomic(struct tw_future *) job; /* atomic: one reference; NULL: not yet    */
    atomic_bool stopped;             /* atomic: nobody wants any of them        */
    atomic_bool told;                /* atomic: the job knows that              */
};

struct loading {
    struct stopper *stopper;         /* one reference                           */
    bool many;
    size_t n;
    struct tw_load *load[];          /* one reference each                      */
};

static void unref(void *ctx)
{
    struct stopper *s = ctx;
    struct tw_future *job;

    /* order [stopper.references] acq_rel: every use comes before the free */
    if (atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) > 1) return;
    /* order [stopper.job] relaxed: the last reference has nobody beside it */
    job = atomic_load_explicit(&s->job, memory_order_relaxed);
    if (job) tw_future_unref(job);
    tw_free(s);
}

static struct stopper *ref(struct stopper *s)
{
    /* order [stopper.references] relaxed: the caller has one */
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

static void release(void *ctx)
{
    struct loading *l = ctx;

    for (size_t i = 0; i < l->n; i++) tw_load_unref(l->load[i]);
    unref(l->stopper);
    tw_free(l);
}

/* Stops the job once it is known and nobody wants it; whoever comes second does. */
static void stop_job(struct stopper *s)
{
    /* order [stopper.job] seq_cst: of the two, stopped and job, who stores one
     * and then loads the other, one at least sees both */
    struct tw_future *job = atomic_load_explicit(&s->job, memory_order_seq_cst);

    /* order [stopper.stopped] seq_cst: see above */
    if (!job || !atomic_load_explicit(&s->stopped, memory_order_seq_cst)) return;
    /* order [stopper.told] relaxed: only that one of the two does it */
    if (atomic_exchange_explicit(&s->told, true, memory_order_relaxed)) return;
    tw_future_unwant(job);
}

/* One load is wanted no more.  Thread: any. */
static void on_abandoned(void *ctx)
{
    struct stopper *s = ctx;

    /* order [stopper.wanted] relaxed: only the last one counts */
    if (atomic_fetch_sub_explicit(&s->wanted, 1, memory_order_relaxed) > 1) return;
    /* order [stopper.stopped] seq_cst: see stop_job */
    atomic_store_explicit(&s->stopped, true, memory_order_seq_cst);
    stop_job(s);
}

/* ---- the end, on the pool's thread ---- */

struct ending { struct loading *l; lua_State *co; };

/* [-0, +0, e]  The value on top is what the load gives.  The old value is unchanged
 * when nothing new was said of it. */
static void give(lua_State *L, struct tw_load *load, const struct tw_cache_terms *terms)
{
    bool unchanged;

    if (lua_isnil(L, -1)) {
        tw_load_drop(load, tw_failure_new("cache '%s': the loader returned nothing",
                                          tw_cache_name(tw_load_cache(load))));
        return;
    }
    ltw_push_any(L, tw_load_old(load));
    unchanged = lua_rawequal(L, -1, -2) && terms->tags.kind == TW_VALUE_NIL
             && terms->n_depends == 0;
    lua_pop(L, 1);
    if (unchanged) tw_load_unchanged(load, terms);
    else tw_load_done(load, ltw_check_any_named(L, -1, "result"), terms);
}

/* [-0, +0, e]  Protected; 1: the load of one key of many  2: its value */
static int give_one(lua_State *L)
{
    static const struct tw_cache_terms none;

    give(L, lua_touserdata(L, 1), &none);
    return 0;
}

/* [-0, +0, e]  The list at idx has the values; what is wrong with one is the failure
 * of its key alone. */
static void give_many(lua_State *L, int idx, struct loading *l)
{
    if (!lua_istable(L, idx) && !ltw_test_view(L, idx))
        luaL_error(L, "cache '%s': the loader of several keys returns the list of their"
                   " values, not %s", tw_cache_name(tw_load_cache(l->load[0])),
                   luaL_typename(L, idx));
    for (size_t i = 0; i < l->n; i++) {
        lua_pushcfunction(L, give_one);
        lua_pushlightuserdata(L, l->load[i]);
        lua_geti(L, idx, (lua_Integer)i + 1);
        if (lua_pcall(L, 2, 0, 0) == LUA_OK) continue;
        tw_load_fail(l->load[i], ltw_error_freeze(L, -1));
        lua_pop(L, 1);
    }
}

/* [-0, +0, e]  Protected. */
static int finish(lua_State *L)
{
    struct ending *e = lua_touserdata(L, 1);
    struct loading *l = e->l;
    uint32_t depends[TW_CACHE_DEPENDS_MAX];
    struct tw_cache_terms terms = { .depends = depends };

    int n = lua_gettop(e->co) - !l->many;   /* load_one puts what it said before it */

    if (n > 1)
        return luaL_error(L, "cache '%s': the loader returned %d values, and a load has"
                          " one: put them into a table",
                          tw_cache_name(tw_load_cache(l->load[0])), n);
    lua_settop(e->co, 2 - l->many);
    lua_xmove(e->co, L, 2 - l->many);
    if (l->many) {
        give_many(L, 2, l);
        return 0;
    }
    ltw_check_terms(L, 2, true, &terms, depends);
    lua_pushvalue(L, 3);
    give(L, l->load[0], &terms);
    return 0;
}

/* told: the caller raises the error, too. */
static void fail_all(struct loading *l, struct tw_any error, bool told)
{
    for (size_t i = 0; i < l->n; i++) {
        tw_any_ref(&error);
        if (told) tw_load_saw(l->load[i]);
        tw_load_fail(l->load[i], error);   /* those that have ended stay as they are */
    }
    tw_any_unref(&error);
}

static void on_ended(void *ctx, lua_State *co, int status)
{
    struct ending e = { ctx, co };
    lua_State *L = ltw_state(co)->L;
    struct tw_any error;

    if (status == LUA_OK) {
        lua_pushcfunction(L, finish);
        lua_pushlightuserdata(L, &e);
        if (lua_pcall(L, 1, 0, 0) == LUA_OK) return;
    } else {
        lua_xmove(co, L, 1);
    }
    error = ltw_error_freeze(L, -1);
    lua_pop(L, 1);
    fail_all(e.l, error, false);
}

/* ---- the start ---- */

static struct loading *make(struct tw_load *const *loads, size_t n, bool many)
{
    struct loading *l = tw_calloc(1, sizeof *l + n * sizeof l->load[0]);

    if (!l) return NULL;
    l->stopper = tw_calloc(1, sizeof *l->stopper);
    if (!l->stopper) {
        tw_free(l);
        return NULL;
    }
    atomic_init(&l->stopper->references, 1);
    atomic_init(&l->stopper->wanted, (unsigned)n);
    l->many = many;
    l->n = n;
    memcpy(l->load, loads, n * sizeof l->load[0]);
    return l;
}

/* [-0, +n, e]  What the loader is called through and with. */
static void push_call(lua_State *L, int idx, const struct loading *l)
{
    lua_pushstring(L, l->many ? "load_all" : "load_one");
    lua_pushvalue(L, idx);
    if (!l->many) {
        ltw_push_any(L, tw_load_key(l->load[0]));
        ltw_push_any(L, tw_load_old(l->load[0]));
        return;
    }
    lua_createtable(L, (int)l->n, 0);
    for (size_t i = 0; i < l->n; i++) {
        ltw_push_any(L, tw_load_key(l->load[i]));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* [-0, +1, e]  Protected; 1: the loading, which is the job's when this returns 0, but
 * the caller has a reference of its stopper  2: the loader.  A negative code: it can't
 * be queued. */
static int submit(lua_State *L)
{
    struct loading *l = lua_touserdata(L, 1);
    struct ltw_job_watch watch = { on_ended, release, l, l->load[0] };
    struct stopper *s = l->stopper;
    struct tw_future *job;
    int rc;

    push_call(L, 2, l);
    rc = ltw_pool_submit(L, 3, "cache:get", TW_LEVEL_URGENT, &watch, &job);
    if (rc == UV_ENOMEM) return luaL_error(L, "cache:get: not enough memory");
    lua_pushinteger(L, rc);
    if (rc < 0) return 1;
    tw_future_saw(job);          /* its failure is the loads' */
    if (tw_future_want(job)) {   /* until the loads are not */
        /* order [stopper.job] seq_cst: see stop_job */
        atomic_store_explicit(&s->job, job, memory_order_seq_cst);
        stop_job(s);
    } else {
        tw_future_unref(job);    /* the pool has ended */
    }
    return 1;
}

void ltw_loader_start(lua_State *L, int idx, struct tw_load *const *loads, size_t n,
                      bool many)
{
    struct loading *l = make(loads, n, many);
    struct stopper *s;
    struct tw_any error;
    int rc, status;

    if (!l) {
        for (size_t i = 0; i < n; i++) {
            tw_load_saw(loads[i]);
            tw_load_unref(loads[i]);
        }
        luaL_error(L, "cache: not enough memory");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (tw_load_on_abandoned(l->load[i], on_abandoned, unref, ref(l->stopper)))
            continue;
        unref(l->stopper);
        on_abandoned(l->stopper);
    }
    s = ref(l->stopper);   /* the loading may be gone before the job's future is here */
    lua_pushcfunction(L, submit);
    lua_pushlightuserdata(L, l);
    lua_pushvalue(L, idx);
    status = lua_pcall(L, 2, 1, 0);
    unref(s);
    if (status != LUA_OK) {
        error = ltw_error_freeze(L, -1);
        fail_all(l, error, true);
        release(l);
        lua_error(L);
    }
    rc = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (rc == TW_OK) return;
    error = tw_failure_new("cache '%s': the loader can't be queued: %s",
                           tw_cache_name(tw_load_cache(l->load[0])), tw_strerror(rc));
    fail_all(l, error, false);
    release(l);
}

/* ---- what is known of a value ---- */

void ltw_check_fields(lua_State *L, int idx, const char *what,
                      const char *const *fields, lua_Integer n)
{
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        const char *const *known = fields;
        lua_Integer i = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;

        if (i >= 1 && i <= n) continue;
        while (name && *known && strcmp(*known, name) != 0) known++;
        if (!name || !*known)
            luaL_error(L, "%s: '%s' is no field of it", what,
                       luaL_tolstring(L, -2, NULL));
    }
}

/* [-0, +0, e]  Adds the ids of the list of names at idx. */
static size_t add_names(lua_State *L, int idx, uint32_t *depends, size_t n, bool topics)
{
    struct ltw_host *host = ltw_check_host(L, "depends");
    lua_Integer names = luaL_len(L, idx);

    for (lua_Integer i = 1; i <= names; i++, lua_pop(L, 1)) {
        size_t length;
        const char *name;
        int64_t id;

        lua_geti(L, idx, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "depends: element %I is a %s, not the name of a %s", i,
                       luaL_typename(L, -1), topics ? "topic" : "symbol");
        name = lua_tolstring(L, -1, &length);
        if (n == TW_CACHE_DEPENDS_MAX)
            luaL_error(L, "depends: more than %d names", TW_CACHE_DEPENDS_MAX);
        id = topics ? tw_names_intern(host->topics, name, length)
                    : tw_symbols_intern(host->symbols, name, length);
        if (id < 0) luaL_error(L, "depends: '%s': %s", name, tw_strerror((int)id));
        depends[n++] = (uint32_t)id | (topics ? TW_CACHE_TOPIC : 0);
    }
    return n;
}

size_t ltw_check_depends(lua_State *L, int idx, uint32_t *depends)
{
    static const char *const fields[] = { "topics", NULL }, *const none[] = { NULL };
    size_t n;

    if (lua_isnil(L, idx)) return 0;
    if (!lua_istable(L, idx))
        luaL_error(L, "depends: {symbol, ..., topics = {topic, ...}} expected, got %s",
                   luaL_typename(L, idx));
    ltw_check_fields(L, idx, "depends", fields, luaL_len(L, idx));
    n = add_names(L, idx, depends, 0, false);
    if (lua_getfield(L, idx, "topics") != LUA_TNIL) {
        if (!lua_istable(L, -1))
            luaL_error(L, "depends.topics: {topic, ...} expected, got %s",
                       luaL_typename(L, -1));
        ltw_check_fields(L, lua_gettop(L), "depends.topics", none, luaL_len(L, -1));
        n = add_names(L, lua_gettop(L), depends, n, true);
    }
    lua_pop(L, 1);
    return n;
}

/* [-0, +0, e]  The seconds on top, 0: not to be kept. */
static int64_t check_ttl(lua_State *L, const char *what)
{
    lua_Number ttl = lua_tonumber(L, -1);

    if (lua_type(L, -1) != LUA_TNUMBER || !(ttl >= 0))
        luaL_error(L, "%s.ttl: seconds from 0 on expected, got %s", what,
                   luaL_tolstring(L, -1, NULL));
    if (ttl == 0) return -1;
    return ttl > 1e9 ? TW_CACHE_FOREVER : ttl < 1e-9 ? 1 : (int64_t)(ttl * 1e9);
}

/* [-0, +1, e]  The list of strings on top, frozen, in an owner in its place. */
static struct tw_any check_tags(lua_State *L, const char *what)
{
    static const char *const none[] = { NULL };
    int idx = lua_gettop(L);
    struct tw_any *owner;
    lua_Integer n;

    if (!lua_istable(L, idx))
        luaL_error(L, "%s.tags: a list of strings expected, got %s", what,
                   luaL_typename(L, idx));
    n = luaL_len(L, idx);
    ltw_check_fields(L, idx, "tags", none, n);
    if (n > TW_CACHE_TAGS_MAX)
        luaL_error(L, "%s.tags: at most %d, got %I", what, TW_CACHE_TAGS_MAX, n);
    for (lua_Integer i = 1; i <= n; i++, lua_pop(L, 1))
        if (lua_geti(L, idx, i) != LUA_TSTRING)
            luaL_error(L, "%s.tags: element %I is a %s, not a string", what, i,
                       luaL_typename(L, -1));
    owner = ltw_push_owner(L);
    *owner = ltw_check_any_named(L, idx, "tags");
    return *owner;
}

void ltw_check_terms(lua_State *L, int idx, bool of_load, struct tw_cache_terms *terms,
                     uint32_t *depends)
{
    static const char *const fields[] = { "old", "ttl", "tags", "depends", NULL };
    const char *what = of_load ? "load" : "options";

    terms->tags.kind = TW_VALUE_NIL;
    if (lua_isnil(L, idx)) return;
    luaL_checktype(L, idx, LUA_TTABLE);
    ltw_check_fields(L, idx, what, fields + !of_load, 0);
    if (lua_getfield(L, idx, "ttl") != LUA_TNIL) terms->ttl_ns = check_ttl(L, what);
    lua_getfield(L, idx, "depends");
    terms->n_depends = ltw_check_depends(L, lua_gettop(L), depends);
    if (lua_getfield(L, idx, "tags") != LUA_TNIL) terms->tags = check_tags(L, what);
}
