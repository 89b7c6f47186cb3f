/* embed.c - two Lua scripts inside a C program: it gives them a module, pushes quotes,
 * hears their messages and calls one of their functions.
 *
 *     cc embed.c $(pkg-config --cflags --libs tidewire) -o embed && ./embed app.lua
 */
#include <lauxlib.h>
#include <stdio.h>
#include <tidewire.h>

/* limits.spread(symbol): what a script gets with require "limits". */
static int limit(lua_State *L)
{
    lua_pushnumber(L, strcmp(luaL_checkstring(L, 1), "BP") == 0 ? 0.01 : 0.05);
    return 1;
}

static int open_limits(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, limit);
    lua_setfield(L, -2, "spread");
    return 1;
}

static void on_alarm(void *ctx, const struct tw_record *record, const char *topic,
                     const struct tw_item *value)
{
    unsigned *alarms = ctx;

    if (record->kind != TW_MESSAGE) return;   /* a gap: some were lost */
    printf("%s: %s, a spread of %.2f\n", topic,
           tw_item_to_text(tw_item_get(*value, "symbol"), "?"),
           tw_item_to_number(tw_item_get(*value, "spread"), 0));
    ++*alarms;
}

static int run(struct tw_host *host, const char *app, unsigned *alarms,
               struct tw_error *error)
{
    struct tw_item question[] = { tw_item_text("AAPL"), tw_item_integer(3) }, answer;
    struct tw_future *future;
    double mean;
    int rc;

    if ((rc = tw_host_add_module(host, "limits", open_limits)) < 0) return rc;
    if ((rc = tw_host_load(host, app, error)) < 0) return rc;
    if ((rc = tw_host_subscribe(host, "alarm", on_alarm, alarms)) < 0) return rc;
    if ((rc = tw_host_start(host, error)) < 0) return rc;

    tw_host_quote(host, "AAPL", 0, 187.22, 187.24, 300, 500);
    tw_host_quote(host, "BP", 0, 35.10, 35.12, 1000, 900);
    tw_host_quote(host, "AAPL", 0, 187.23, 187.24, 200, 500);
    tw_host_quote(host, "AAPL", 0, 187.22, 187.25, 300, 100);

    rc = tw_host_call(host, "spread.lua", "mean", question, 2, &future, error);
    if (rc < 0) return rc;
    rc = tw_future_await(future, 5, &answer, error);
    mean = tw_item_to_number(answer, 0);
    tw_future_close(future);   /* and answer with it */
    if (rc < 0) return rc;

    tw_host_finish(host);   /* no more quotes: the run ends when all were read */
    rc = tw_host_wait(host, TW_FOREVER, error);
    printf("mean spread of AAPL: %.2f, %u alarm%s\n", mean, *alarms,
           *alarms == 1 ? "" : "s");
    return rc;
}

int main(int argc, char **argv)
{
    struct tw_host_options options = { .workers = 2 };
    struct tw_error error = { 0, "" };
    struct tw_host *host = tw_host_new(&options, &error);
    unsigned alarms = 0;   /* on_alarm counts until the host is freed */
    int rc = error.code;

    if (host) rc = run(host, argc > 1 ? argv[1] : "app.lua", &alarms, &error);

    if (rc < 0) fprintf(stderr, "%s\n", *error.text ? error.text : tw_strerror(rc));
    tw_host_free(host);
    return rc < 0;
}
