/* output.c - what states print: lines that stay whole, whatever thread prints them.
 *
 * In a run they go to MAIN: one log, one order.
 */
#include "output.h"

#include <stdio.h>
#include <string.h>

#include "run/script.h"

void ltw_push_line(lua_State *L)
{
    luaL_Buffer b;
    int top = lua_gettop(L);

    luaL_buffinit(L, &b);
    for (int i = 1; i <= top; i++) {
        if (i > 1) luaL_addchar(&b, '\t');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
}

static int nothing(lua_State *L)
{
    (void)L;
    return 0;
}

/* Ctrl-C sets a hook, which a call has run.  True: it raised, the error is on top. */
static bool stops(void *ctx)
{
    lua_State *L = ctx;

    lua_pushcfunction(L, nothing);
    return lua_pcall(L, 0, 0, 0) != LUA_OK;
}

/* [-0, +0, e]  print(...)
 * Writes its arguments as a line, in order with the other output of the run.
 * Yields: no.  Blocks: while the output, or 1 MiB of it in a run, waits to be read.
 * Thread: any state's.  Errors: as tostring does.  Units: none. */
static int print(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    size_t n;
    const char *text;

    if (ltw_is_muted(L)) return 0;
    ltw_push_line(L);
    if (!host->log) {
        lua_pushliteral(L, "\n");
        lua_concat(L, 2);
    }
    text = lua_tolstring(L, -1, &n);
    if (host->log) tw_log_write(host->log, TW_LOG_PRINT, "", text, n);
    else if (!host->print(text, n, stops, L)) return lua_error(L);
    return 0;
}

/* Lua warns of what it can't raise: an error in a __gc, say.  A warning comes
 * in pieces. */
static void warn(void *ctx, const char *piece, int more)
{
    struct ltw_state *s = ctx;
    size_t n = strlen(s->warning);

    if (n == 0 && !more && piece[0] == '@') return;   /* a control message */
    snprintf(s->warning + n, sizeof s->warning - n, "%s", piece);
    if (more) return;
    if (s->host->log) tw_log_printf(s->host->log, TW_LOG_WARN, s->who, "%s", s->warning);
    else s->host->warn(s->who, s->warning);
    s->warning[0] = '\0';
}

void ltw_output_open(struct ltw_state *state)
{
    lua_register(state->L, "print", print);
    lua_setwarnf(state->L, warn, state);
}
