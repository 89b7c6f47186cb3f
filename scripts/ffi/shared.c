/* shared.c - a struct that a C program and a Lua script share: the program sets a limit,
 * the script counts in place what is beyond it, and nothing is copied.
 *
 *     cc shared.c $(pkg-config --cflags --libs tidewire) -o shared && ./shared
 */
#include <lauxlib.h>
#include <stdint.h>
#include <stdio.h>
#include <tidewire.h>

/* The struct for the compiler, and its text for the script. */
#define SHARED(...) __VA_ARGS__; static const char declaration[] = #__VA_ARGS__ ";"

SHARED(struct watch {
    double limit;
    uint32_t quotes, wide;
    struct { char symbol[8]; double spread; } widest;
});

static const char app[] = "require 'tw.app'.script 'watch.lua'\n";

static const char script[] =
    "local watch = require 'watch'\n"
    "local M = {}\n"
    "function M.on_quote(symbol, bid, ask)\n"
    "  local spread, widest = ask - bid, watch.widest\n"
    "  watch.quotes = watch.quotes + 1\n"
    "  if spread > watch.limit then watch.wide = watch.wide + 1 end\n"
    "  if spread > widest.spread then widest.symbol, widest.spread = symbol, spread end\n"
    "end\n"
    "return M\n";

/* What the script gets with require "watch". */
static int open_watch(lua_State *L)
{
    tw_lua_push_cdata(L, declaration, "struct watch", tw_lua_context(L));
    return 1;
}

static int run(struct tw_host *host, struct tw_error *error)
{
    int rc;

    if ((rc = tw_host_add_module(host, "watch", open_watch)) < 0) return rc;
    if ((rc = tw_host_add_text(host, "app.lua", app)) < 0) return rc;
    if ((rc = tw_host_add_text(host, "watch.lua", script)) < 0) return rc;
    if ((rc = tw_host_load(host, "app.lua", error)) < 0) return rc;
    if ((rc = tw_host_start(host, error)) < 0) return rc;

    tw_host_quote(host, "AAPL", 0, 187.22, 187.24, 300, 500);
    tw_host_quote(host, "BP", 0, 35.10, 35.15, 1000, 900);
    tw_host_quote(host, "AAPL", 0, 187.22, 187.25, 300, 100);

    tw_host_finish(host);
    return tw_host_wait(host, TW_FOREVER, error);
}

int main(void)
{
    struct watch watch = { .limit = 0.025 };   /* the script's while the host runs */
    struct tw_host_options options = { .workers = 1, .ctx = &watch };
    struct tw_error error = { 0, "" };
    struct tw_host *host = tw_host_new(&options, &error);
    int rc = host ? run(host, &error) : error.code;

    if (rc < 0) fprintf(stderr, "%s\n", *error.text ? error.text : tw_strerror(rc));
    else
        printf("%u of %u quotes are wide, most %s: %.2f\n", (unsigned)watch.wide,
               (unsigned)watch.quotes, watch.widest.symbol, watch.widest.spread);
    tw_host_free(host);
    return rc < 0;
}
