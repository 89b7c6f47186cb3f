/* feeds.c - the feeds of a prompt: begun, listed and ended by who types there.
 *
 * Inside a run they are added to those that it has.  A prompt that stands alone gets a
 * market with its first feed: the tape and an io thread, but no workers, for nobody
 * handles quotes; they are looked at.
 *
 * Layer lua/main.
 */
#include "main/feeds.h"

#include <stdio.h>

#include "run/app.h"
#include "base/memory.h"
#include "run/market.h"

enum { LOG_BYTES = 1 << 16 };

struct ltw_feeds {
    struct tw_app *app;               /* or NULL: all but L, loop and bell is its own */
    struct ltw_host *host;
    struct tw_io *io;                 /* NULL: there was no feed yet             */
    struct tw_log *log;
    struct tw_epoch_reader *reader;
    uv_loop_t *loop;
    uv_async_t *bell;                 /* the io thread has logged something      */
};

static void print_line(void *ctx, enum tw_log_level level, const char *who,
                       const char *text, size_t n)
{
    (void)ctx;
    fprintf(stderr, "tidewire: %s%s: %.*s\n", level == TW_LOG_WARN ? "warning: " : "",
            who, (int)n, text);
}

void ltw_feeds_look(struct ltw_feeds *f, bool is_quiet)
{
    if (f->log) tw_log_drain(f->log, print_line, NULL);
    if (f->reader && is_quiet) tw_epoch_quiet(f->reader);
}

/* ---- a market for a prompt that stands alone ---- */

static void drain(void *feeds)
{
    ltw_feeds_look(feeds, false);
}

static void on_bell(uv_async_t *bell)
{
    drain(bell->data);
}

static void ring(void *feeds)
{
    const struct ltw_feeds *f = feeds;

    uv_async_send(f->bell);
}

static void on_closed(uv_handle_t *bell)
{
    tw_free(bell);
}

static int open_bell(struct ltw_feeds *f)
{
    int rc = UV_ENOMEM;

    f->bell = tw_calloc(1, sizeof *f->bell);
    if (f->bell && (rc = uv_async_init(f->loop, f->bell, on_bell)) == 0) {
        f->bell->data = f;
        uv_unref((uv_handle_t *)f->bell);
        return TW_OK;
    }
    tw_free(f->bell);
    f->bell = NULL;
    return rc;
}

static void close_market(struct ltw_feeds *f) TW_ON(MAIN)
{
    tw_io_free(f->io);
    if (f->log) drain(f);
    tw_log_free(f->log);
    if (f->bell) uv_close((uv_handle_t *)f->bell, on_closed);
    if (f->reader) tw_epoch_away(f->reader);
    f->io = NULL;
    f->log = NULL;
    f->bell = NULL;
    f->reader = NULL;
}

/* The pool's threads look at the host without a lock: they must not be at work. */
static bool is_busy(struct tw_pool *pool)
{
    struct tw_pool_status status = { .threads = 0 };

    if (pool) tw_pool_status(pool, &status);
    return status.queued + status.running > 0;
}

static int open_market(struct ltw_feeds *f, struct tw_error *error) TW_ON(MAIN)
{
    struct tw_io_options o = { .waiting = drain, .ctx = f };
    int rc;

    if (is_busy(f->host->pool))
        return tw_fail(error, TW_EBUSY, "jobs of the pool are running: once more when"
                       " they have ended");
    rc = f->host->tape ? TW_OK : ltw_market_open(f->host, TW_TAPE_CAPACITY);
    if (rc < 0) goto fail;
    o.tape = f->host->tape;
    o.symbols = f->host->symbols;
    rc = open_bell(f);
    if (rc < 0) goto fail;
    rc = UV_ENOMEM;
    f->reader = tw_epoch_join(f->host->epoch);
    if (!f->reader) goto fail;
    tw_epoch_back(f->reader);
    o.log = f->log = tw_log_new(LOG_BYTES, ring, f);
    if (!f->log) goto fail;
    errno = 0;
    f->io = tw_io_new(&o);
    if (!f->io && errno) rc = -errno;
    if (!f->io) goto fail;
    if (tw_io_start(f->io, error) == 0) return TW_OK;
    close_market(f);
    return error->code;
fail:
    close_market(f);
    return tw_fail(error, rc, "%s", tw_strerror(rc));
}

/* ---- what is called from Lua ---- */

static struct ltw_feeds *feeds_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static int add(struct ltw_feeds *f, lua_State *L, struct tw_error *error) TW_ON(MAIN)
{
    struct tw_feed_options o;
    struct tw_lean lean;
    int feed;

    if (ltw_feed_options(L, &o, &lean, error) < 0) return error->code;
    if (!f->io && open_market(f, error) < 0) return error->code;
    o.timer = tw_io_count(f->io) + 1;
    feed = tw_io_add(f->io, &o, error);
    if (feed < 0) return feed;
    tw_sources_set(&f->host->sources, (unsigned)feed + 1,
                   tw_io_name(f->io, (unsigned)feed));
    if (f->app) f->app->endless[feed] = true;
    tw_io_begin(f->io, (unsigned)feed);
    return TW_OK;
}

/* add(options): begins what app.check_feed gave; raises */
static int feeds_add(lua_State *L)
{
    struct tw_error error = { .code = TW_OK };

    tw_be_main();
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (add(feeds_of(L), L, &error) < 0) return luaL_error(L, "%s", error.text);
    return 0;
}

/* stop(i): the i-th of the list ends */
static int feeds_stop(lua_State *L)
{
    struct ltw_feeds *f = feeds_of(L);

    tw_be_main();
    if (f->io) tw_io_end(f->io, (unsigned)luaL_checkinteger(L, 1) - 1);
    return 0;
}

/* list(): {{name, state, records, errors}, ...} */
static int feeds_list(lua_State *L)
{
    const struct ltw_feeds *f = feeds_of(L);
    unsigned n = f->io ? tw_io_count(f->io) : 0;

    lua_createtable(L, (int)n, 0);
    for (unsigned i = 0; i < n; i++) {
        struct tw_feed_status status;

        tw_io_status(f->io, i, &status);
        lua_createtable(L, 0, 4);
        ltw_set_text(L, "name", tw_io_name(f->io, i));
        ltw_set_text(L, "state", ltw_feed_state_name(status.state));
        ltw_set_count(L, "records", status.records);
        ltw_set_count(L, "errors", status.codec.errors);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static const luaL_Reg internal[] = {
    { "add", feeds_add },
    { "stop", feeds_stop },
    { "list", feeds_list },
    { NULL, NULL }
};

void ltw_feeds_push(lua_State *L, struct ltw_feeds *f)
{
    luaL_newlibtable(L, internal);
    lua_pushlightuserdata(L, f);
    luaL_setfuncs(L, internal, 1);
}

/* ---- the whole ---- */

struct ltw_feeds *ltw_feeds_open(lua_State *L, struct tw_app *app, uv_loop_t *loop)
{
    struct ltw_feeds *f = tw_calloc(1, sizeof *f);

    if (!f) return NULL;
    f->app = app;
    f->loop = loop;
    f->host = ltw_state(L)->host;
    f->reader = app ? tw_epoch_join(app->host.epoch) : NULL;
    if (app && !f->reader) {
        tw_free(f);
        return NULL;
    }
    if (app) {
        tw_epoch_back(f->reader);
        f->io = app->io;
    }
    return f;
}

void ltw_feeds_close(struct ltw_feeds *f)
{
    tw_be_main();
    if (!f) return;
    if (f->app) tw_epoch_away(f->reader);
    else close_market(f);
    tw_free(f);
}
