/* lcache_look.c - tw.cache: what a cache holds, how it does, its way to a file and back.
 *
 * Each walk over the keys takes them a page at a time, so that nobody waits for it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "share/lcache.h"
#include "share/lvalue.h"
#include "share/cache_dump.h"
#include "task/task.h"

void ltw_cache_close_with(lua_State *L, lua_CFunction close)
{
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_toclose(L, lua_gettop(L));
}

bool ltw_cache_closes(lua_State *L, lua_CFunction close)
{
    lua_settop(L, 1);
    return lua_isuserdata(L, 1) && luaL_getmetafield(L, 1, "__gc") != LUA_TNIL
        && lua_tocfunction(L, -1) == close;
}

static int page_gc(lua_State *L)
{
    if (ltw_cache_closes(L, page_gc)) tw_cache_page_fini(lua_touserdata(L, 1));
    return 0;
}

/* [-0, +1, m]  A page that lets go what it holds when the caller returns or raises. */
static struct tw_cache_page *push_page(lua_State *L)
{
    struct tw_cache_page *page = lua_newuserdatauv(L, sizeof *page, 0);

    memset(page, 0, sizeof *page);
    ltw_cache_close_with(L, page_gc);
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
 * Thread: any state's.
 * Errors: raises what predicate raises, which can't wait.  Units: entries. */
static int cache_invalidate_if(lua_State *L)
{
    struct tw_cache *c = ltw_check_cache(L);
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
    lua_pushinteger(L, n);
    return 1;
}

static void set_seconds(lua_State *L, const char *name, int64_t ns)
{
    if (ns == TW_CACHE_FOREVER) lua_pushnumber(L, HUGE_VAL);
    else lua_pushnumber(L, (lua_Number)ns / 1e9);
    lua_setfield(L, -2, name);
}

/* Who waits for a future, as many as there is room for. */
struct waiter { char who[16], name[LTW_TASK_NAME], script[48]; int64_t since_ns; };
struct crowd { unsigned n, max; struct waiter at[]; };

/* Under the future's lock. */
static void add_waiter(void *ctx, const struct tw_waker *waker)
{
    struct crowd *crowd = ctx;
    const struct ltw_note *note = &((const struct ltw_task *)waker)->note;
    struct waiter *w = &crowd->at[crowd->n];

    if (crowd->n == crowd->max) return;
    crowd->n++;
    snprintf(w->who, sizeof w->who, "%s", note->who);
    snprintf(w->name, sizeof w->name, "%s", note->name);
    snprintf(w->script, sizeof w->script, "%s", note->script ? note->script : "");
    /* order [census.note] relaxed: it is shown as it is */
    w->since_ns = atomic_load_explicit(&note->since_ns, memory_order_relaxed);
}

/* [-0, +1, m]  A list of {worker, name, script, since}. */
static void push_waiters(lua_State *L, struct tw_future *f, unsigned n)
{
    size_t bytes = sizeof(struct crowd) + n * sizeof(struct waiter);
    struct crowd *crowd = lua_newuserdatauv(L, bytes, 0);
    int64_t now_ns;

    crowd->n = 0;
    crowd->max = n;
    tw_future_each_waiting(f, add_waiter, crowd);
    now_ns = tw_clock_steady_ns();
    lua_createtable(L, (int)crowd->n, 0);
    for (unsigned i = 0; i < crowd->n; i++) {
        const struct waiter *w = &crowd->at[i];

        lua_createtable(L, 0, 4);
        ltw_set_text(L, "worker", w->who);
        ltw_set_text(L, "name", w->name);
        if (w->script[0]) ltw_set_text(L, "script", w->script);
        set_seconds(L, "since", now_ns > w->since_ns ? now_ns - w->since_ns : 0);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_remove(L, -2);
}

/* [-0, +1, e] */
static void push_info(lua_State *L, const struct tw_cache_info *info,
                      struct tw_future *future)
{
    static const char *const states[] = { "loading", "fresh", "stale", "void", "failed" };

    lua_createtable(L, 0, 9);
    ltw_push_any(L, &info->key);
    lua_setfield(L, -2, "key");
    ltw_push_any(L, &info->value);
    lua_setfield(L, -2, "value");
    ltw_set_text(L, "state", states[info->state]);
    set_seconds(L, "age", info->age_ns);
    if (info->value.kind != TW_VALUE_NIL) set_seconds(L, "ttl_left", info->ttl_left_ns);
    if (info->loading) set_seconds(L, "loading", info->loading_ns);
    ltw_set_count(L, "bytes", info->bytes);
    ltw_set_count(L, "hits", info->hits);
    push_waiters(L, future, info->waiters);
    lua_setfield(L, -2, "waiting");
}

/* cache:inspect() -> list
 * Of every key {key, value, state, age, ttl_left, loading (for how long, or nil), bytes,
 * hits, waiting}; state is "loading", "fresh", "stale", "void" or "failed"; waiting has
 * of each task that awaits it {worker, name, script, since}.
 * Yields: no.  Blocks: for as long as it takes to copy it; others go on.
 * Thread: any state's.  Errors: none.  Units: seconds, bytes. */
static int cache_inspect(lua_State *L)
{
    struct tw_cache *c = ltw_check_cache(L);
    struct tw_cache_page *page;
    lua_Integer n = 0;

    lua_settop(L, 1);
    lua_newtable(L);
    page = push_page(L);
    while (next_page(L, c, page))
        for (size_t i = 0; i < page->n; i++) {
            push_info(L, &page->at[i], page->futures[i]);
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
    struct tw_cache *c = ltw_check_cache(L);

    s = lua_newuserdatauv(L, sizeof *s, 0);   /* it is large: a histogram */
    tw_cache_stats(c, s);
    lua_createtable(L, 0, 15);
    ltw_set_count(L, "hits", s->hits);
    ltw_set_count(L, "stale", s->stale);
    ltw_set_count(L, "misses", s->misses);
    ltw_set_count(L, "coalesced", s->coalesced);
    ltw_set_count(L, "loads", s->loads);
    ltw_set_count(L, "failures", s->failures);
    ltw_set_count(L, "cancelled", s->cancelled);
    ltw_set_count(L, "evictions", s->evictions);
    ltw_set_count(L, "expirations", s->expirations);
    ltw_set_count(L, "invalidations", s->invalidations);
    ltw_set_count(L, "entries", s->entries);
    ltw_set_count(L, "bytes", s->bytes);
    ltw_set_count(L, "loading", s->loading);
    ltw_set_count(L, "untold", s->untold);
    lua_createtable(L, 0, 4);
    ltw_set_count(L, "count", tw_histogram_count(&s->load_ns));
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
    struct tw_cache *c = ltw_check_cache(L);
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
    if (rc < 0) return ltw_fail_with(L, error);
    lua_pushinteger(L, (lua_Integer)d->entries);
    lua_pushinteger(L, (lua_Integer)d->skipped);
    return 2;
}

/* cache:dump(path) -> entries, skipped | nil, message, code
 * Writes what is valid to a file, for cache:load; skipped are values that hold shared
 * objects or records, which mean something in one run only, or depend on the tape.
 * Yields: no.  Blocks: while it writes.  Thread: any state's.
 * Errors: nil, and why, when the file can't be written: what was there stays.
 * Units: entries. */
static int cache_dump(lua_State *L)
{
    struct tw_cache *c = ltw_check_cache(L);
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
    struct tw_cache *c = ltw_check_cache(L);
    struct tw_cache_dump d = { 0 };
    struct tw_error error;
    int rc = tw_cache_restore(c, luaL_checkstring(L, 2), &d, &error);

    return push_dump(L, rc, &d, &error);
}

static const luaL_Reg methods[] = {
    { "invalidate_if", cache_invalidate_if },
    { "inspect", cache_inspect },
    { "stats", cache_stats },
    { "on_removal", cache_on_removal },
    { "dump", cache_dump },
    { "load", cache_load },
    { NULL, NULL }
};

void ltw_cache_look_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
