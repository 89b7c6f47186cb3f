/* attach_core.c - tw.internal.attach: the functions that stdlib/attach.lua is given.
 *
 * Their first upvalue is the struct ltw_attach.
 */
#include "attach/attached.h"

#include "attach/audit.h"
#include "trade/desk.h"
#include "attach/evaluate.h"

static struct ltw_attach *self(lua_State *L)   /* [-0, +0, -] */
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* send(client, type, text)
 * A frame to who is attached, if it still is.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_send(lua_State *L)
{
    uint64_t client = (uint64_t)luaL_checkinteger(L, 1);
    const char *type = luaL_checkstring(L, 2);
    size_t n;
    const char *text = luaL_checklstring(L, 3, &n);

    ltw_client_send(self(L), client, type[0], text, n);
    return 0;
}

/* threads() -> integer
 * Of the pool.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_threads(lua_State *L)
{
    struct tw_pool_status status = { 0 };

    if (self(L)->app->host.pool) tw_pool_status(self(L)->app->host.pool, &status);
    lua_pushinteger(L, status.threads);
    return 1;
}

/* evaluate(request, place, script, what, line, cpu, bytes, wait) -> true | nil,
 * message, code
 * Asks a worker or, beyond them, a thread of the pool; tw.attach hears of the request in
 * said and ended.  script: an index in the worker, or -1.
 * Yields: no.  Blocks: no.  Thread: MAIN.
 * Errors: nil without memory, and when the run is ending.  Units: seconds, bytes. */
static int core_evaluate(lua_State *L)
{
    struct ltw_attach *a = self(L);
    uint64_t request = (uint64_t)luaL_checkinteger(L, 1);
    lua_Integer place = luaL_checkinteger(L, 2);
    const char *const what[] = { "look", "change", "collect", "complete", NULL };
    int function = luaL_checkoption(L, 4, NULL, what);
    size_t n;
    const char *line = luaL_checklstring(L, 5, &n);
    struct ltw_evaluation *e;
    int rc;

    core_threads(L);
    luaL_argcheck(L, place >= 0 && place < a->app->o.workers + lua_tointeger(L, -1), 2,
                  "no such worker");
    if (a->stopping) return ltw_fail(L, TW_ESTOPPED);
    e = ltw_evaluation_new(line, n);
    if (!e) return ltw_fail(L, UV_ENOMEM);
    e->request = request;
    e->script = (int)lua_tointeger(L, 3);
    e->what = what[function];
    e->cpu_ns = (int64_t)(lua_tonumber(L, 6) * 1e9);
    e->bytes = (int64_t)lua_tonumber(L, 7);
    e->wait_ns = (int64_t)(lua_tonumber(L, 8) * 1e9);
    rc = ltw_request_send(a, e, (unsigned)place);
    if (rc < 0) return ltw_fail(L, rc);
    lua_pushboolean(L, 1);
    return 1;
}

/* cancel(request)
 * Ends the waits of what workers were asked.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_cancel(lua_State *L)
{
    ltw_request_cancel(self(L), (uint64_t)luaL_checkinteger(L, 1));
    return 0;
}

/* status() -> table
 * All figures of the run, as its summary has them.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: seconds, bytes. */
static int core_status(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushcfunction(L, ltw_status);
    lua_pushlightuserdata(L, self(L)->app);
    lua_call(L, 1, 1);
    return 1;
}

static void pause_script(void *script)
{
    ltw_script_pause(script, true);
}

static void resume_script(void *script)
{
    ltw_script_pause(script, false);
}

/* pause(worker, script, paused) -> true | nil, message, code
 * A script of a worker takes no records, or does again.
 * Yields: no.  Blocks: no.  Thread: MAIN.
 * Errors: nil without memory, and when the run is ending.  Units: none. */
static int core_pause(lua_State *L)
{
    struct ltw_attach *a = self(L);
    lua_Integer worker = luaL_checkinteger(L, 1), i = luaL_checkinteger(L, 2);
    struct ltw_engine *e;
    int rc;

    luaL_argcheck(L, worker >= 0 && worker < a->app->o.workers, 1, "no such worker");
    e = &a->app->engines[worker];
    luaL_argcheck(L, i >= 0 && i < e->n, 2, "no such script");
    if (a->stopping) return ltw_fail(L, TW_ESTOPPED);
    rc = tw_worker_post(e->worker, lua_toboolean(L, 3) ? pause_script : resume_script,
                        e->scripts[i]);
    if (rc < 0) return ltw_fail(L, rc);
    lua_pushboolean(L, 1);
    return 1;
}

/* scripts() -> list
 * {name, worker, index, reliable} of every instance, in the order of core.status().
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_scripts(lua_State *L)
{
    struct tw_app *app = self(L)->app;
    lua_Integer n = 0;

    lua_newtable(L);
    for (unsigned w = 0; w < app->o.workers; w++)
        for (unsigned i = 0; i < app->engines[w].n; i++) {
            lua_createtable(L, 0, 4);
            ltw_set_text(L, "name", app->engines[w].options[i].name);
            ltw_set_count(L, "worker", w);
            ltw_set_count(L, "index", i);
            ltw_set_flag(L, "reliable", app->engines[w].options[i].reliable);
            lua_rawseti(L, -2, ++n);
        }
    return 1;
}

/* audit(text) -> true | nil, message, code
 * A line in the run's audit file, if it has one.
 * Yields: no.  Blocks: on the file system.  Thread: MAIN.
 * Errors: nil when it can't be written.  Units: none. */
static int core_audit(lua_State *L)
{
    const char *path = self(L)->app->o.audit;
    struct tw_error error;
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);

    lua_pushboolean(L, 1);
    if (!path || ltw_audit_write(path, text, n, &error) == TW_OK) return 1;
    lua_pushnil(L);
    lua_pushstring(L, error.text);
    lua_pushinteger(L, error.code);
    return 3;
}

/* log(text)
 * A line in the run's log, of who is attached.
 * Yields: no.  Blocks: on the terminal.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_log(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);

    ltw_app_print(self(L)->app, TW_LOG_INFO, "audit", text, n);
    return 0;
}

/* log_level([level]) -> integer
 * What the run prints: lines up to that level; an audit is always printed.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_log_level(lua_State *L)
{
    struct tw_app *app = self(L)->app;

    if (!lua_isnoneornil(L, 1)) app->log_level = (enum tw_log_level)lua_tointeger(L, 1);
    lua_pushinteger(L, app->log_level);
    return 1;
}

/* halt(halted, who, why)
 * The kill switch of the run; see tw.halt.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_halt(lua_State *L)
{
    ltw_desk_halt(&self(L)->app->host, luaL_checkstring(L, 2), lua_toboolean(L, 1),
                  luaL_optstring(L, 3, NULL));
    return 0;
}

static const luaL_Reg core[] = {
    { "send", core_send }, { "threads", core_threads }, { "evaluate", core_evaluate },
    { "cancel", core_cancel }, { "status", core_status }, { "pause", core_pause },
    { "scripts", core_scripts }, { "audit", core_audit }, { "log", core_log },
    { "log_level", core_log_level }, { "halt", core_halt }, { NULL, NULL }
};

void ltw_attach_push_core(lua_State *L, struct ltw_attach *a)
{
    luaL_newlibtable(L, core);
    lua_pushlightuserdata(L, a);
    luaL_setfuncs(L, core, 1);
}
