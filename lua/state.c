/* state.c - making a Lua state: the one way, so that all states are the same.
 *
 * Why: the allocator counts, so that a script that eats memory gets an error
 * of its own instead of ending the host; coroutine.resume and wrap are ours,
 * so that the watchdog knows which coroutine is running.
 */
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "bundle.h"
#include "ltw.h"
#include "record.h"

static void *allocate(void *ud, void *p, size_t old, size_t new)
{
    struct ltw_state *s = ud;

    if (!p) old = 0;   /* Lua passes the type of a new object there */
    if (new == 0) {
        s->bytes -= old;
        free(p);
        return NULL;
    }
    if (new > old && s->bytes_max && s->bytes + (new - old) > s->bytes_max) return NULL;
    if (new > old && tw_memory_fails()) return NULL;
    p = realloc(p, new);
    if (!p) return NULL;
    s->bytes += new - old;
    s->allocations++;
    if (s->bytes > s->bytes_peak) s->bytes_peak = s->bytes;
    return p;
}

int ltw_fail(lua_State *L, int code)
{
    luaL_pushfail(L);
    lua_pushstring(L, tw_strerror(code));
    lua_pushinteger(L, code);
    return 3;
}

int ltw_traceback(lua_State *L)
{
    const char *text = lua_tostring(L, 1);

    if (!text && luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
        return 1;
    if (!text) text = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    luaL_traceback(L, L, text, 1);
    return 1;
}

struct ltw_host *ltw_check_host(lua_State *L, const char *what)
{
    struct ltw_host *host = ltw_state(L)->host;

    if (!host) luaL_error(L, "%s: no market is running here; use it in a script of"
                          " `tidewire run`", what);
    return host;
}

/* ---- coroutines that the watchdog can find ---- */

enum { REFUSED = -1 };   /* of resume: the message is on L, not on co */

/* [-n, +m, -]  Resumes co with the n values on top of L; its m results go to
 * L, the object of an error stays on co. */
static int resume(lua_State *L, lua_State *co, int n, int *results)
{
    struct ltw_state *s = ltw_state(L);
    int status;

    if (!lua_checkstack(co, n)) {
        lua_pushliteral(L, "too many arguments to resume");
        return REFUSED;
    }
    if (lua_status(co) == LUA_OK && lua_gettop(co) == 0) {
        lua_pushliteral(L, "cannot resume dead coroutine");
        return REFUSED;
    }
    lua_xmove(L, co, n);
    s->running = co;
    status = lua_resume(co, L, n, results);
    s->running = L;
    if (status > LUA_YIELD) return status;
    if (!lua_checkstack(L, *results + 1)) {
        lua_pop(co, *results);
        lua_pushliteral(L, "too many results to resume");
        return REFUSED;
    }
    lua_xmove(co, L, *results);
    return LUA_OK;
}

/* A runaway that was yielded out of a coroutine of its own goes on outwards. */
static int leave(lua_State *L)
{
    if (lua_isyieldable(L)) return lua_yield(L, 0);
    return luaL_error(L, "the script ran too long");
}

/* coroutine.resume(co, ...) -> true, ... | false, message
 * As Lua's own.
 * Yields: no.  Blocks: as co does.  Thread: the state's.
 * Errors: co's are returned.  Units: none. */
static int co_resume(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    int n, status;

    luaL_argexpected(L, co, 1, "coroutine");
    status = resume(L, co, lua_gettop(L) - 1, &n);
    if (ltw_state(L)->overrun) return leave(L);
    if (status == LUA_OK) {
        lua_pushboolean(L, 1);
        lua_insert(L, -(n + 1));
        return n + 1;
    }
    if (status != REFUSED) lua_xmove(co, L, 1);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int n, status = resume(L, co, lua_gettop(L), &n);

    if (ltw_state(L)->overrun) return leave(L);
    if (status == LUA_OK) return n;
    if (status != REFUSED) {
        lua_resetthread(co);   /* closes what was to be closed */
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/* coroutine.wrap(f) -> function
 * As Lua's own.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises when f is not a function.  Units: none. */
static int co_wrap(lua_State *L)
{
    lua_State *co;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

static const luaL_Reg co_funcs[] = {
    { "resume", co_resume },
    { "wrap", co_wrap },
    { NULL, NULL }
};

/* ---- making ---- */

static const luaL_Reg modules[] = {
    { "tw", luaopen_tw },
    { "tw.board", luaopen_tw_board },
    { NULL, NULL }
};

/* [-0, +0, e]  Everything that can raise runs here, under pcall. */
static int open_libraries(lua_State *L)
{
    luaL_checkversion(L);
    luaL_openlibs(L);
    lua_getglobal(L, LUA_COLIBNAME);
    luaL_setfuncs(L, co_funcs, 0);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    luaL_setfuncs(L, modules, 0);
    ltw_bundle_open(L);
    ltw_record_open(L);
    return 0;
}

struct ltw_state *ltw_state_new(struct ltw_host *host, size_t bytes_max)
{
    struct ltw_state *s = tw_calloc(1, sizeof *s);

    if (!s) return NULL;
    s->host = host;
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

void ltw_state_free(struct ltw_state *s)
{
    if (!s) return;
    if (s->L) lua_close(s->L);
    tw_free(s);
}
