/* attach.c - whoever is attached to a run: a socket of its owner on MAIN's loop.
 *
 * Why: MAIN handles no quotes, so what is said here delays none.  The bytes are moved
 * here; what they mean is in stdlib/attach.lua, and what a worker is asked goes through
 * its mailbox (evaluate.h) and comes back through `news`.
 *
 *     client --frames--> MAIN --evaluation--> worker
 *            <--frames--      <----news-----
 *
 * Layer lua.  Thread: MAIN.
 */
#include "attach/attach.h"

#include <string.h>
#include <unistd.h>

#include "attach/attached.h"
#include "base/memory.h"

/* [-n, +0, -]  Calls tw.attach's function with the n values on top. */
void ltw_attach_call(struct ltw_attach *a, const char *function, int n)
{
    lua_State *L = a->app->state->L;
    int bottom = lua_gettop(L) - n;

    lua_pushcfunction(L, ltw_traceback);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "tw.attach");
    lua_getfield(L, -1, function);
    lua_replace(L, -3);
    lua_pop(L, 1);
    lua_rotate(L, bottom + 1, 2);
    if (lua_pcall(L, n, 0, bottom + 1) != LUA_OK)
        tw_log_printf(a->app->host.log, TW_LOG_ERROR, "", "attach: %s",
                      lua_tostring(L, -1));
    lua_settop(L, bottom);
}

/* [-0, +0, e]  Protected: loads tw.attach and gives it these. */
static int open_module(lua_State *L)
{
    struct ltw_attach *a = lua_touserdata(L, 1);

    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.attach");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "open");
    ltw_attach_push_core(L, a);
    lua_pushstring(L, a->endpoint.name);
    lua_pushinteger(L, (lua_Integer)a->endpoint.pid);
    lua_pushinteger(L, a->app->o.workers);
    lua_call(L, 4, 0);
    return 0;
}

static void on_bell(uv_async_t *bell)
{
    tw_be_main();
    ltw_request_hear(bell->data);
}

static void on_connection(uv_poll_t *poll, int status, int events);

/* Without a descriptor for who comes next it would be told of it for ever. */
static void look_out(struct ltw_attach *a)
{
    if (a->deaf) uv_poll_stop(&a->listener);
    else uv_poll_start(&a->listener, UV_READABLE, on_connection);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct ltw_attach *a = poll->data;

    (void)status, (void)events;
    tw_be_main();
    ltw_clients_accept(a);
    if (a->deaf) look_out(a);
}

static void on_closed(uv_handle_t *h)
{
    struct ltw_attach *a = h->data;

    a->handles--;
}

struct ltw_attach *ltw_attach_open(struct tw_app *app, const char *path,
                                   struct tw_error *error)
{
    struct ltw_attach *a = tw_calloc(1, sizeof *a);
    lua_State *L = app->state->L;

    if (!a || (a->fd = ltw_endpoint_listen(path, &a->endpoint, error)) < 0) {
        if (!a) tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
        tw_free(a);
        return NULL;
    }
    a->app = app;
    a->last = &a->first;
    pthread_mutex_init(&a->lock, NULL);
    uv_async_init(&app->loop, &a->bell, on_bell);
    uv_poll_init(&app->loop, &a->listener, a->fd);
    a->bell.data = a->listener.data = a;
    a->handles = 2;
    lua_pushcfunction(L, open_module);
    lua_pushlightuserdata(L, a);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        tw_fail(error, TW_ESCRIPT, "%s", lua_tostring(L, -1));
        lua_pop(L, 1);
        ltw_attach_close(a);
        return NULL;
    }
    look_out(a);
    return a;
}

void ltw_attach_go(struct ltw_attach *a)
{
    if (!a) return;
    a->going = true;
    ltw_clients_go(a);
}

void ltw_attach_stop(struct ltw_attach *a)
{
    if (!a || a->stopping) return;
    ltw_request_cancel(a, 0);
    a->stopping = true;
    unlink(a->endpoint.path);
    ltw_clients_dismiss(a, "the run has ended");
}

void ltw_attach_close(struct ltw_attach *a)
{
    if (!a) return;
    ltw_attach_stop(a);
    ltw_clients_drop(a);
    uv_close((uv_handle_t *)&a->listener, on_closed);
    uv_close((uv_handle_t *)&a->bell, on_closed);
    while (a->handles > 0) uv_run(&a->app->loop, UV_RUN_NOWAIT);
    close(a->fd);
    ltw_request_forget_all(a);
    pthread_mutex_destroy(&a->lock);
    tw_free(a);
}

void ltw_attach_log(struct ltw_attach *a, enum tw_log_level level, const char *who,
                    const char *text, size_t n)
{
    lua_State *L;

    if (!a) return;
    L = a->app->state->L;
    lua_pushinteger(L, level);
    lua_pushstring(L, who);
    lua_pushlstring(L, text, n);
    ltw_attach_call(a, "log", 3);
}

void ltw_attach_tick(struct ltw_attach *a)
{
    if (!a) return;
    ltw_attach_call(a, "tick", 0);
    ltw_request_remind(a);
    if (!a->deaf) return;
    a->deaf = false;
    look_out(a);
}
