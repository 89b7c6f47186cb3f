/* state.c - making a Lua state: the one way, so that all states are the same.
 *
 * Why: the allocator counts, so that a script that eats memory gets an error
 * of its own instead of ending the host.
 */
#include <lualib.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "trade/account_options.h"
#include "bundle.h"
#include "code.h"
#include "distrust.h"
#include "embed/embedded.h"
#include "hint.h"
#include "share/larray.h"
#include "backtest/lbacktest.h"
#include "share/lcache.h"
#include "share/lchannel.h"
#include "lerror.h"
#include "fix/lfix.h"
#include "share/lfunction.h"
#include "share/lfuture.h"
#include "stat/lquery.h"
#include "share/lsimulate.h"
#include "ffi/lffi.h"
#include "backtest/lsqlite.h"
#include "stat/lstat.h"
#include "backtest/lsweep.h"
#include "tape/ltape.h"
#include "tape/ltapes.h"
#include "trade/lbook.h"
#include "share/lview.h"
#include "payload.h"
#include "tape/lrecord.h"
#include "source.h"
#include "task/tasks.h"
#include "stat/tracker.h"
#include "trade/trader.h"

/* Bytes that only finalizers get when a state may have no others.  One that Lua has
 * no memory to call is never called: what it would let go is lost to all states. */
enum { RESERVE = 64 << 10 };

/* While a finalizer runs, the collector is stopped from within and refuses every
 * request; since Lua 5.4.4. */
static bool is_finalizing(const struct ltw_state *s)
{
    return lua_gc(s->L, LUA_GCISRUNNING) < 0;
}

static bool is_refused(const struct ltw_state *s, size_t more)
{
    bool is_over = (s->bytes_max && s->bytes + more > s->bytes_max)
                || (s->bytes_end && s->bytes + more > s->bytes_end);

    if (!is_over && !s->starved) return false;
    return !is_finalizing(s)
        || (s->bytes_max && s->bytes + more > s->bytes_max + RESERVE);
}

/* On purpose: C may be working with it. */
static void leave(const void *p)
{
#ifdef __SANITIZE_ADDRESS__
    __lsan_ignore_object(p);
#else
    (void)p;
#endif
}

static void *allocate(void *ud, void *p, size_t old, size_t new)
{
    struct ltw_state *s = ud;

    if (!p) old = 0;   /* Lua passes the type of a new object there */
    if (new == 0) {
        s->bytes -= old;
        if (s->leaves) leave(p);
        else free(p);
        return NULL;
    }
    if (new > old && (is_refused(s, new - old)
                      || (tw_memory_may_fail() && tw_memory_fails())))
        return NULL;
    p = realloc(p, new);
    if (!p) return NULL;
    ltw_state_add(s, new - old);
    s->allocations++;
    return p;
}

void ltw_state_reserve(lua_State *L, size_t bytes)
{
    const struct ltw_state *s = ltw_state(L);

    if (bytes >> 10 && lua_gc(L, LUA_GCISRUNNING))
        lua_gc(L, LUA_GCSTEP, (int)(bytes >> 10));
    if (!s->bytes_max || s->bytes + bytes <= s->bytes_max) return;
    lua_gc(L, LUA_GCCOLLECT);
    if (s->bytes + bytes > s->bytes_max) luaL_error(L, "not enough memory");
}

static int fail(lua_State *L, int code, const char *text)
{
    luaL_pushfail(L);
    lua_pushstring(L, text);
    lua_pushinteger(L, code);
    return 3;
}

void ltw_push_type(lua_State *L, const char *name, lua_CFunction gc)
{
    if (!luaL_newmetatable(L, name)) return;
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
}

int ltw_fail(lua_State *L, int code)
{
    return fail(L, code, tw_strerror(code));
}

int ltw_fail_with(lua_State *L, const struct tw_error *error)
{
    return fail(L, error->code, error->text);
}

int ltw_traceback(lua_State *L)
{
    const char *text;

    ltw_hint(L, L, 1);
    text = lua_tostring(L, 1);
    if (!text && luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
        return 1;
    if (!text)
        text = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    luaL_traceback(L, L, text, 1);
    return 1;
}

/* While a hook runs Lua says "hook" of a finalizer, too.  What is a hook itself, as a
 * script may make one, gets the name of an event, which is no object. */
bool ltw_is_finalizer(lua_State *L)
{
    lua_Debug of;

    if (!lua_getstack(L, 0, &of) || !lua_getinfo(L, "n", &of) || !of.name) return false;
    return strcmp(of.namewhat, "hook") == 0
        || (strcmp(of.name, "__gc") == 0 && strcmp(of.namewhat, "metamethod") == 0);
}

void ltw_check_open(lua_State *L)
{
    if (ltw_state(L)->closing) luaL_error(L, "the state is closing");
}

struct ltw_host *ltw_check_host(lua_State *L, const char *what)
{
    struct ltw_host *host = ltw_state(L)->host;

    if (!host || !host->tape)
        luaL_error(L, "%s: no market is running here; use it in a script of"
                   " `tidewire run`", what);
    return host;
}

#define EXIT_WAIT_NS INT64_C(5000000000)

/* exit is not for two threads at once: kept by the one that is in it. */
static pthread_mutex_t leaving = PTHREAD_MUTEX_INITIALIZER;

/* os.exit(status, true) closes the state, in the middle of what runs.  What was printed
 * before is out, unless its reader has stopped. */
static int os_exit(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;

    if (!lua_isboolean(L, 1)) luaL_optinteger(L, 1, EXIT_SUCCESS);
    if (host && host->log) tw_log_wait(host->log, EXIT_WAIT_NS);
    /* what a state waits for when it closes may leave, too */
    if (lua_toboolean(L, 2)) ltw_state_cease(ltw_state(L));
    else pthread_mutex_lock(&leaving);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);   /* without hooks, that raise */
}

/* [-0, +0, m] */
static void wrap_exit(lua_State *L)
{
    lua_getglobal(L, LUA_OSLIBNAME);
    lua_getfield(L, -1, "exit");
    lua_pushcclosure(L, os_exit, 1);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
}

static const luaL_Reg modules[] = {
    { "tw", luaopen_tw },
    { "tw.array", luaopen_tw_array },
    { "tw.board", luaopen_tw_board },
    { "tw.channel", luaopen_tw_channel },
    { "tw.internal.backtest", luaopen_tw_internal_backtest },
    { "tw.internal.embedded", luaopen_tw_internal_embedded },
    { "tw.internal.fix", luaopen_tw_internal_fix },
    { "tw.internal.function", luaopen_tw_internal_function },
    { "tw.internal.pool", luaopen_tw_internal_pool },
    { "tw.internal.ffi", luaopen_tw_internal_ffi },
    { "tw.internal.query", luaopen_tw_internal_query },
    { "tw.internal.source", luaopen_tw_internal_source },
    { "tw.internal.sqlite", luaopen_tw_internal_sqlite },
    { "tw.internal.stat", luaopen_tw_internal_stat },
    { "tw.internal.sweep", luaopen_tw_internal_sweep },
    { "tw.internal.tape", luaopen_tw_internal_tape },
    { "tw.internal.tapes", luaopen_tw_internal_tapes },
    { "tw.internal.task", luaopen_tw_internal_task },
    { "tw.internal.trade", luaopen_tw_internal_trade },
    { "ffi", luaopen_tw_ffi },
    { "cffi", luaopen_tw_ffi },
    { "tw.cache", luaopen_tw_cache },
    { "tw.cache.simulate", luaopen_tw_cache_simulate },
    { NULL, NULL }
};

/* An internal module, which the upvalue opens, as a table that shows none of its fields:
 * Lua names functions in its errors by what package.loaded has, and users know them as
 * those of other modules. */
static int open_internal(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 1;
}

void ltw_preload(lua_State *L, const luaL_Reg *list)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (; list->name; list++) {
        lua_pushcfunction(L, list->func);
        if (ltw_is_internal(list->name)) lua_pushcclosure(L, open_internal, 1);
        lua_setfield(L, -2, list->name);
    }
    lua_pop(L, 1);
}

/* [-0, +0, e]  Everything that can raise runs here, under pcall.  There is nothing to
 * collect yet. */
static int open_libraries(lua_State *L)
{
    luaL_checkversion(L);
    lua_gc(L, LUA_GCSTOP);
    luaL_openlibs(L);
    wrap_exit(L);
    ltw_coroutine_open(L);
    ltw_preload(L, modules);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    ltw_bundle_open(L);
    ltw_source_open(L);
    ltw_record_open(L);
    ltw_tracker_open(L);
    ltw_order_open(L);
    ltw_account_open(L);
    ltw_view_open(L);
    ltw_book_open(L);
    ltw_error_open(L);
    ltw_future_open(L);
    ltw_promise_open(L);
    ltw_cache_open(L);
    ltw_channel_open(L);
    ltw_array_open(L);
    ltw_ffi_open(L);
    ltw_code_open(L);
    ltw_embedded_open(L);
    lua_gc(L, LUA_GCRESTART);
    return 0;
}

void ltw_push_weak(lua_State *L, const char *mode)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    ltw_set_text(L, "__mode", mode);
    lua_setmetatable(L, -2);
}

struct ltw_state *ltw_state_new(struct ltw_host *host, size_t bytes_max)
{
    struct ltw_state *s = ltw_payload_is_sound() ? tw_calloc(1, sizeof *s) : NULL;

    if (!s) return NULL;
    s->host = host;
    s->embedded = host ? host->embedded : NULL;
    s->L = lua_newstate(allocate, s);
    if (!s->L) goto fail;
    s->running = s->L;
    *(struct ltw_state **)lua_getextraspace(s->L) = s;
    lua_pushcfunction(s->L, open_libraries);
    if (lua_pcall(s->L, 0, 0, 0) != LUA_OK) goto fail;
    s->bytes_max = bytes_max;
    return s;
fail:
    ltw_state_free(s);
    return NULL;
}

void ltw_state_cease(struct ltw_state *s)
{
    if (s->foreign) s->cease(s->foreign);
}

/* Those whose memory C works with: they stay, and are not lost. */
static _Atomic(struct ltw_state *) left;

void ltw_state_free(struct ltw_state *s)
{
    if (!s) return;
    ltw_state_cease(s);
    ltw_tasks_free(s->tasks);
    s->tasks = NULL;
    s->closing = true;
    if (s->L) lua_close(s->L);
    /* order [state.left] relaxed: nobody looks there */
    if (s->leaves) s->outer = atomic_exchange_explicit(&left, s, memory_order_relaxed);
    else tw_free(s);
}
