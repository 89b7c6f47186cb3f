/* repl.c - the prompt inside a run: `tidewire repl app.lua`.
 *
 * Entries are evaluated in MAIN's state, where the app file ran.  The run's loop turns
 * while somebody types, while an entry waits and while one computes (turns.c).
 *
 * The feeds may end and scripts may fail: the prompt stays, to look at what there is.
 *
 * Layer lua/main.
 */
#include "main/repl.h"

#include <signal.h>

#include "main/interpreter.h"
#include "main/prompt.h"

static bool put_line(void *ctx, enum tw_log_level level, const char *who,
                     const char *text, size_t n)
{
    (void)ctx, (void)level, (void)who, (void)text, (void)n;
    return false;                     /* as in a run without a prompt */
}

static void look(void *ctx)
{
    (void)ctx;
}

static bool is_over(void *ctx)
{
    const struct ltw_repl *r = ctx;

    /* order [app.flag] relaxed: the bell orders what the flag is about */
    return atomic_load_explicit(&r->app->stop, memory_order_relaxed);
}

static void on_terminate(uv_signal_t *signal, int number)
{
    struct tw_app *app = signal->data;

    app->status = 128 + number;
    tw_app_stop(app);
}

static int converse(lua_State *L)
{
    struct ltw_repl *r = lua_touserdata(L, 1);
    struct ltw_beside beside = { .loop = &r->app->loop, .is_over = is_over, .ctx = r,
                                 .app = r->app };

    lua_settop(L, 0);
    ltw_prompt(L, &beside);
    return 0;
}

static void begun(void *ctx)
{
    struct ltw_repl *r = ctx;
    lua_State *L = r->app->state->L;

    uv_signal_start(&r->app->terminate, on_terminate, SIGTERM);
    lua_pushcfunction(L, converse);
    lua_pushlightuserdata(L, r);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) tw_interpreter_report(L, "tidewire: ");
    tw_app_stop(r->app);
}

void ltw_repl_init(struct ltw_repl *r, struct tw_app_options *o)
{
    *r = (struct ltw_repl){ .embedder = { .given = { .watchdog = true }, .line = put_line,
                                          .begun = begun, .look = look, .ctx = r } };
    o->signals = o->screen = false;
    o->embedder = &r->embedder;
}
