/* build.c - makes the parts of a host of what an app file declares.
 *
 * stdlib/app.lua has checked names and types; here the values get their places
 * in C, and what only C can know (a file that can't be opened) is found out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run/appfile.h"
#include "base/clock.h"
#include "base/fixed.h"
#include "base/memory.h"
#include "run/floor.h"
#include "trade/desk.h"
#include "distrust.h"
#include "fix/booths.h"
#include "fix/fix.h"
#include "feed/lean.h"
#include "feed/scan.h"
#include "fix/market_data.h"
#include "trade/instruments.h"
#include "lfield.h"
#include "reload/library.h"
#include "task/lpool.h"
#include "share/lvalue.h"
#include "run/market.h"
#include "tape/recording.h"
#include "reload/reload.h"
#include "task/remote.h"
#include "run/sequence.h"
#include "share/caches.h"
#include "share/failure.h"
#include "reload/version.h"

enum { LOG_BYTES = 1 << 20 };
#define MIB 1048576.0

/* ---- reading tables ---- */

static uint64_t count(lua_State *L, int table, const char *name)
{
    double d = ltw_number_at(L, table, name, 0);

    return d > 0 && d < 1e18 ? (uint64_t)d : 0;
}

/* [-0, +1, m]  Pushes the list of that name; returns its length. */
static unsigned list(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    return (unsigned)lua_rawlen(L, -1);
}

/* ---- feeds ---- */

static struct tw_synthetic_options synthetic_options(lua_State *L)
{
    return (struct tw_synthetic_options){
        .seed = (uint64_t)ltw_integer_at(L, -1, "seed", 0),
        .universe = (uint32_t)count(L, -1, "symbols"),
        .rate = ltw_number_at(L, -1, "rate", 0),
        .trades = ltw_number_at(L, -1, "trades", -1),
        .correlation = ltw_number_at(L, -1, "correlation", -1),
    };
}

static int add_exchanges(lua_State *L, struct tw_app *app, struct tw_error *error)
    TW_ON(MAIN)
{
    unsigned n = list(L, -1, "exchanges");

    app->exchanges = tw_calloc(n ? n : 1, sizeof *app->exchanges);
    if (!app->exchanges) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    for (unsigned i = 1; i <= n; i++, lua_pop(L, 1)) {
        struct tw_exchange_options o;

        lua_rawgeti(L, -1, i);
        o = (struct tw_exchange_options){
            .host = ltw_text_at(L, -1, "host"),
            .port = (uint16_t)count(L, -1, "port"),
            .begin_string = ltw_text_at(L, -1, "begin_string"),
            .speed = ltw_number_at(L, -1, "speed", 1),
            .limit = count(L, -1, "limit"),
            .synthetic = synthetic_options(L),
            .log = app->host.log,
            .waiting = ltw_app_speak,
            .ctx = app,
        };
        app->exchanges[i - 1] = tw_exchange_start(&o, error);
        if (!app->exchanges[i - 1]) return error->code;
        app->n_exchanges = i;
    }
    lua_pop(L, 1);
    return TW_OK;
}

static const struct {
    const char *name;
    enum tw_feed_kind kind;
    double speed;
} kinds[] = {
    { "connect", TW_FEED_CONNECT, 0 }, { "listen", TW_FEED_LISTEN, 0 },
    { "file", TW_FEED_FILE, 0 }, { "stdin", TW_FEED_STDIN, 0 },
    { "tape", TW_FEED_TAPE, 0 },
    { "synthetic", TW_FEED_SYNTHETIC, 1 }, { "timer", TW_FEED_TIMER, 0 },
    { "program", TW_FEED_PROGRAM, 0 }, { "fix", TW_FEED_FIX, 0 },
};

/* By its path as it was given, or else from the root: it may have been named from within
 * the folders that say what it is. */
static int find_lean(const char *path, struct tw_lean *lean, struct tw_error *error)
{
    struct tw_error other;
    char *whole;
    int rc = tw_lean_path(path, lean, error);

    if (rc == TW_OK || path[0] == '/' || !(whole = realpath(path, NULL))) return rc;
    if (tw_lean_path(whole, lean, &other) == TW_OK) rc = TW_OK;
    free(whole);
    return rc;
}

int ltw_csv_options(lua_State *L, struct tw_csv_options *csv, struct tw_lean *lean,
                    struct tw_error *error)
{
    const char *separator = ltw_text_at(L, -1, "separator");
    const char *path = ltw_text_at(L, -1, "path");

    *csv = (struct tw_csv_options){
        .columns = ltw_text_at(L, -1, "columns"),
        .preset = ltw_text_at(L, -1, "preset"),
        .symbol = ltw_text_at(L, -1, "symbol"),
        .time = ltw_text_at(L, -1, "time"),
        .base_ns = ltw_integer_at(L, -1, "base", 0),
        .price_scale = (int64_t)ltw_number_at(L, -1, "price_scale", 0),
        .factors = ltw_text_at(L, -1, "factors"),
        .separator = separator ? separator[0] : 0,
        .zone = ltw_text_at(L, -1, "zone"),
        .interval_ns = (int64_t)(ltw_number_at(L, -1, "interval", 0) * 1e9),
        .label_end = ltw_boolean_at(L, -1, "label_end"),
    };
    if (ltw_time_option(L, "from", &csv->from_ns, error) < 0
        || ltw_time_option(L, "to", &csv->to_ns, error) < 0) return error->code;
    if (!csv->preset || strcmp(csv->preset, "lean") != 0) return TW_OK;
    if (!path)
        return tw_fail(error, TW_EUSAGE, "app.feed.csv: preset \"lean\" needs a file");
    if (find_lean(path, lean, error) < 0) return error->code;
    csv->preset = lean->preset;
    csv->base_ns = lean->base_ns;
    csv->zone = lean->zone;
    csv->interval_ns = lean->interval_ns;
    if (lean->time) csv->time = lean->time;
    if (!csv->symbol) csv->symbol = lean->symbol;
    return TW_OK;
}

int ltw_feed_options(lua_State *L, struct tw_feed_options *o, struct tw_lean *lean,
                     struct tw_error *error)
{
    const char *kind = ltw_text_at(L, -1, "kind"), *format = ltw_text_at(L, -1, "format");

    *o = (struct tw_feed_options){
        .name = ltw_text_at(L, -1, "name"),
        .format = format && strcmp(format, "csv") == 0 ? TW_FORMAT_CSV : TW_FORMAT_FIX,
        .host = ltw_text_at(L, -1, "host"),
        .port = (uint16_t)count(L, -1, "port"),
        .path = ltw_text_at(L, -1, "path"),
        .member = ltw_text_at(L, -1, "member"),
        .limit = count(L, -1, "limit"),
        .synthetic = synthetic_options(L),
        .interval_ns = (int64_t)(ltw_number_at(L, -1, "every", 0) * 1e9),
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, kind) == 0) {
            o->kind = kinds[i].kind;
            o->speed = ltw_number_at(L, -1, "speed", kinds[i].speed);
        }
    return o->format == TW_FORMAT_CSV ? ltw_csv_options(L, &o->csv, lean, error) : TW_OK;
}

/* What a feed of a FIX session subscribes; leaves what holds its names on the stack.
 * [-0, +1, m] */
static void fix_feed_options(lua_State *L, struct tw_fix_feed *o)
{
    int options = lua_gettop(L);
    unsigned n = list(L, -1, "subscribe");
    const char **names = lua_newuserdatauv(L, (n + 1) * sizeof *names, 0);

    for (unsigned i = 0; i < n; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, -2, i + 1);
        names[i] = lua_tostring(L, -1);   /* the table has it */
    }
    lua_remove(L, -2);
    *o = (struct tw_fix_feed){
        .symbols = names, .symbols_n = n,
        .depth = (uint32_t)count(L, options, "depth"),
        .batch = (uint32_t)count(L, options, "batch"),
        .levels_max = (uint32_t)count(L, options, "levels"),
        .types = ltw_boolean_at(L, options, "no_trades")
                 ? TW_FIX_MD_BIDS | TW_FIX_MD_OFFERS : 0,
        .incremental = ltw_boolean_at(L, options, "incremental"),
        .quotes = ltw_boolean_at(L, options, "quotes"),
        .states = ltw_boolean_at(L, options, "states"),
        .book = count(L, options, "depth") != 1,
        .id_source = ltw_letter_at(L, options, "security_id_source"),
    };
}

/* A file of one symbol may be named after it.  A pipe can't be looked at before. */
static void name_symbol(struct tw_feed_options *o, char name[TW_NAME_MAX + 1])
{
    struct tw_scan scan = { .in = NULL };
    struct tw_error error;
    struct stat st;

    if (o->kind != TW_FEED_FILE || o->format != TW_FORMAT_CSV || stat(o->path, &st) != 0
        || !S_ISREG(st.st_mode)) return;
    if (tw_scan_open(&scan, o->path, o->member, &error) == TW_OK
        && tw_scan_lacks_symbol(&scan, &o->csv))
        o->csv.symbol = tw_scan_symbol(o->path, name);
    tw_scan_close(&scan);
}

static int add_feed(lua_State *L, struct tw_app *app, struct tw_error *error)
    TW_ON(MAIN)
{
    unsigned exchange = (unsigned)count(L, -1, "exchange");
    struct tw_lean lean;
    struct tw_feed_options o;
    char symbol[TW_NAME_MAX + 1];
    int rc = ltw_feed_options(L, &o, &lean, error);

    if (rc < 0) return rc;
    name_symbol(&o, symbol);
    if (exchange) o.port = tw_exchange_port(app->exchanges[exchange - 1]);
    o.timer = tw_io_count(app->io) + 1;
    if (o.kind == TW_FEED_TAPE && ltw_tape_feed(L, app, &o.tape, error) < 0)
        return error->code;
    if (o.kind == TW_FEED_FIX) fix_feed_options(L, &o.fix);
    rc = tw_io_add(app->io, &o, error);
    if (o.kind == TW_FEED_FIX) lua_pop(L, 1);
    if (rc < 0) return rc;
    lua_pushinteger(L, rc);
    lua_setfield(L, -2, "index");   /* for its session */
    tw_sources_set(&app->host.sources, (unsigned)rc + 1,
                   tw_io_name(app->io, (unsigned)rc));
    app->endless[rc] = o.kind == TW_FEED_TIMER || ltw_boolean_at(L, -1, "endless");
    if (o.kind == TW_FEED_PROGRAM) app->program = rc;
    app->dials[rc] = o.kind == TW_FEED_CONNECT || o.kind == TW_FEED_FIX;
    app->reads[rc] = o.kind == TW_FEED_FILE || o.kind == TW_FEED_STDIN
                     || o.kind == TW_FEED_TAPE;
    return TW_OK;
}

/* [-0, +0, e]  Where the app file declares the i-th feed; under the feeds and that one is
 * what is declared. */
static void set_place(lua_State *L, lua_Integer i, struct tw_error *error)
{
    const struct tw_error of = *error;
    const char *place = "";

    if (lua_getfield(L, -3, "places") == LUA_TTABLE && lua_rawgeti(L, -1, i) != LUA_TNIL)
        place = lua_tostring(L, -1);
    tw_fail(error, of.code, "%.100s%.390s", place, of.text);
}

int ltw_app_add_feeds(lua_State *L, struct tw_app *app, struct tw_error *error)
{
    unsigned n;

    if (add_exchanges(L, app, error) < 0) return error->code;
    n = list(L, -1, "feeds");
    for (unsigned i = 1; i <= n; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, -1, i);
        if (add_feed(L, app, error) < 0) {
            set_place(L, i, error);
            return error->code;
        }
    }
    lua_pop(L, 1);
    return ltw_fix_add(L, app, error);
}

/* Has every script handled all that is on the tape?  Thread: FEED. */
static bool are_in_step(void *ctx)
{
    const struct tw_app *app = ctx;
    uint64_t head = tw_tape_head(app->host.tape);

    for (unsigned i = 0; i < app->n_scripts; i++)
        /* order [script.passed] acquire: see ltw_script_pass */
        if (atomic_load_explicit(&app->counts[i].passed, memory_order_acquire) < head)
            return false;
    return head == tw_tape_head(app->host.tape);
}

int ltw_app_add_book(struct tw_app *app, struct tw_error *error)
{
    struct tw_feed_options o = {
        .name = TW_BOOK, .kind = TW_FEED_BOOK,
        .book = { app->host.desk->floor, app->reliable ? are_in_step : NULL, app },
    };
    int rc;

    if (!app->book && tw_floor_close(app->host.desk->floor)) return TW_OK;
    rc = tw_io_add(app->io, &o, error);
    if (rc < 0) return rc;
    tw_sources_set(&app->host.sources, (unsigned)rc + 1, o.name);
    app->endless[rc] = true;
    for (unsigned i = 0; i < app->o.workers; i++)
        app->engines[i].in_step = app->reliable;
    return TW_OK;
}

/* ---- scripts and workers ---- */

/* [-0, +0, e]  The version that all instances of a file begin with. */
static struct ltw_version *first_version(lua_State *L, struct tw_app *app,
                                         const struct ltw_script_options *s)
{
    struct ltw_version *v;
    struct tw_error error;

    for (unsigned i = 0; &app->scripts[i] < s; i++)
        if (strcmp(app->scripts[i].path, s->path) == 0) {
            ltw_version_ref(app->scripts[i].version);
            return app->scripts[i].version;
        }
    v = ltw_version_read(L, s->path, &error);
    if (!v) luaL_error(L, "script %s: %s", s->name, error.text);
    return v;
}

/* [-0, +0, e]  The options of the script on top, as the i-th. */
static void add_script(lua_State *L, struct tw_app *app, const char *dir, uint32_t id,
                       struct ltw_script_options *s)
{
    const char *path = ltw_text_at(L, -1, "path");
    size_t n = strlen(dir) + strlen(path) + 2;
    char *full = tw_calloc(1, n);

    if (full) snprintf(full, n, "%s%s", path[0] == '/' ? "" : dir, path);
    *s = (struct ltw_script_options){
        .name = ltw_text_at(L, -1, "name"),
        .path = full,
        .id = id,
        .shard = (unsigned)count(L, -1, "shard"),
        .shards = (unsigned)count(L, -1, "shards"),
        .reliable = ltw_boolean_at(L, -1, "reliable"),
        .restarts = (unsigned)count(L, -1, "restarts"),
    };
    app->n_scripts++;
    if (!full) luaL_error(L, "not enough memory");
    lua_getfield(L, -1, "options");
    s->options = ltw_check_any(L, -1);
    lua_pop(L, 1);
    app->host.distrusts = (app->host.distrusts || app->n_scripts == 1)
                       && !ltw_is_trusted(L, &s->options);
    s->version = first_version(L, app, s);
}

static bool is_first(const struct tw_app *app, unsigned script)
{
    for (unsigned i = 0; i < script; i++)
        if (app->scripts[i].version == app->scripts[script].version) return false;
    return true;
}

/* [-0, +0, e]  Fills app->scripts worker by worker, so that an engine's stand
 * together; each engine gets its part. */
static void add_scripts(lua_State *L, struct tw_app *app, const char *dir)
{
    unsigned n = list(L, -1, "scripts");

    app->scripts = tw_calloc(n ? n : 1, sizeof *app->scripts);
    app->counts = tw_calloc_aligned(n ? n : 1, sizeof *app->counts);
    if (!app->scripts || !app->counts) luaL_error(L, "not enough memory");
    for (unsigned w = 0; w < app->o.workers; w++) {
        app->engines[w].options = app->scripts + app->n_scripts;
        app->engines[w].counts = app->counts + app->n_scripts;
        for (unsigned i = 1; i <= n; i++, lua_pop(L, 1)) {
            lua_rawgeti(L, -1, i);
            if (count(L, -1, "worker") != w) continue;
            add_script(L, app, dir, i, &app->scripts[app->n_scripts]);
            app->engines[w].n++;
        }
    }
    lua_pop(L, 1);
    for (unsigned i = 0; i < app->n_scripts; i++)
        if (is_first(app, i)
            && !ltw_version_instruct(app->scripts[i].version, app->scripts, n))
            luaL_error(L, "not enough memory");
}

static void on_failed(void *ctx, bool fatal)
{
    struct tw_app *app = ctx;

    /* order [app.flag] relaxed: the bell orders what the flag is about */
    if (fatal) atomic_store_explicit(&app->failed, true, memory_order_relaxed);
    ltw_app_ring(app);
}

static void on_halted(void *ctx)
{
    struct tw_app *app = ctx;

    /* order [app.engines] release: its scripts were told before */
    atomic_fetch_add_explicit(&app->halted, 1, memory_order_release);
    ltw_app_ring(app);
}

static void on_closed(void *ctx)
{
    struct tw_app *app = ctx;

    /* order [app.engines] release: all that the engine did comes before */
    atomic_fetch_add_explicit(&app->closed, 1, memory_order_release);
    ltw_app_ring(app);
}

/* Only when the feeds have ended does MAIN want to know who sleeps. */
static void on_rested(void *ctx)
{
    struct tw_app *app = ctx;

    /* order [app.flag] relaxed: the bell orders what the flag is about */
    if (atomic_load_explicit(&app->draining, memory_order_relaxed)) ltw_app_ring(app);
}

static int make_workers(struct tw_app *app, const char *path, struct tw_error *error)
    TW_ON(MAIN)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    for (unsigned i = 0; i < app->o.workers; i++) {
        struct ltw_engine *e = &app->engines[i];
        struct tw_worker_options o = {
            .index = i,
            .pin = app->o.workers < (unsigned long)cores,
            .spin_ns = app->o.workers + 1 < (unsigned long)cores ? 50000 : 0,
            .tape = app->host.tape,
            .epoch = app->host.epoch,
            .ops = &ltw_engine_ops,
            .ctx = e,
            .opened = ltw_app_ring,
            .rested = on_rested,
            .told = app,
        };

        e->host = &app->host;
        e->path = path;
        e->index = i;
        snprintf(e->who, sizeof e->who, "worker %u", i % 100000);
        e->failed = on_failed;
        e->halted = on_halted;
        e->closed = on_closed;
        e->ctx = app;
        e->worker = app->workers[i] = tw_worker_new(&o);
        e->remotes = app->host.remotes[i] = e->worker ? ltw_remotes_new(e->worker) : NULL;
        if (!e->remotes) return tw_fail(error, -errno, "%s", tw_strerror(-errno));
        app->host.n_workers = i + 1;
    }
    return TW_OK;
}

/* Where time is that of records, what one script leaves of a limit for another one does
 * not depend on threads. */
static int add_sequence(struct tw_app *app, struct tw_error *error) TW_ON(MAIN)
{
    struct ltw_sequence *q;

    if (!app->reliable || app->n_scripts < 2
        || !tw_desk_is_shared(&app->host.desk->desk)) return TW_OK;
    q = app->host.sequence = ltw_sequence_new(app->n_scripts);
    if (!q) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    for (unsigned w = 0; w < app->o.workers; w++) {
        const struct ltw_engine *e = &app->engines[w];

        for (unsigned i = 0; i < e->n; i++)
            ltw_sequence_place(q, e->options[i].id, e->worker);
        app->engines[w].in_step = true;
    }
    return TW_OK;
}

/* ---- all of it ---- */

/* On whatever thread a failed future ends. */
static void tell_unseen(void *ctx, const struct tw_any *error)
{
    struct tw_app *app = ctx;
    char what[4096];

    tw_failure_text(error, what, sizeof what);
    tw_log_printf(app->host.log, TW_LOG_ERROR, "", "an error that nobody awaited: %s",
                  what);
    /* order [app.flag] relaxed: MAIN looks when all threads have ended */
    atomic_store_explicit(&app->unseen_failure, true, memory_order_relaxed);
}

static int make_host(lua_State *L, struct tw_app *app, struct tw_error *error)
{
    const struct ltw_embedder *embedder = app->o.embedder;
    struct ltw_host *h = &app->host;
    double memory = ltw_number_at(L, -1, "memory", 1024);
    double time = ltw_number_at(L, -1, "time", 1);
    size_t capacity = (size_t)ltw_number_at(L, -1, "capacity", TW_TAPE_CAPACITY);

    h->embedded = embedder ? &embedder->given : NULL;
    if (embedder && embedder->memory_max > 0)
        memory = (double)embedder->memory_max / MIB;
    h->memory_max = (size_t)(memory * MIB);
    h->unseen = &app->unseen;
    app->unseen = (struct tw_unseen){ .tell = tell_unseen, .ctx = app };
    h->path = ltw_text_at(L, -1, "search");
    h->directory = ltw_text_at(L, -1, "dir");
    lua_getfield(L, -1, "pool");
    if (lua_istable(L, -1))
        h->pool_options = (struct ltw_pool_options){
            .threads = (unsigned)count(L, -1, "threads"),
            .queue = (size_t)count(L, -1, "queue"),
            .memory_max = (size_t)(ltw_number_at(L, -1, "memory", memory) * MIB),
        };
    else
        h->pool_options.memory_max = h->memory_max;
    lua_pop(L, 1);
    h->time_max_ns = embedder && !embedder->given.watchdog ? 0 : (int64_t)(time * 1e9);
    if (ltw_market_open(h, capacity) < 0)
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    h->channels = tw_channels_new();
    h->census = ltw_census_new();
    h->library = ltw_library_new();
    h->caches = tw_caches_new(h->tape, h->unseen);
    h->log = tw_log_new(LOG_BYTES, ltw_app_ring, app);
    app->engines = tw_calloc_aligned(app->o.workers, sizeof *app->engines);
    app->workers = tw_calloc(app->o.workers, sizeof *app->workers);
    h->remotes = tw_calloc(app->o.workers, sizeof *h->remotes);
    app->watches = tw_calloc(app->o.workers, sizeof *app->watches);
    if (!h->channels || !h->census || !h->library || !h->caches || !h->log
        || !app->engines || !app->workers || !app->watches || !h->remotes)
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    return TW_OK;
}

static void on_change(void *ctx, unsigned feed, enum tw_feed_state state, const char *why)
{
    struct tw_app *app = ctx;
    struct ltw_change *change;

    /* order [app.flag] relaxed: the bell orders what the flag is about */
    if (state == TW_FEED_FAILED)
        atomic_store_explicit(&app->failed, true, memory_order_relaxed);
    /* order [app.flag] relaxed: set before the workers can have read all */
    if (state == TW_FEED_ENDED)
        atomic_store_explicit(&app->draining, true, memory_order_relaxed);
    pthread_mutex_lock(&app->lock);
    if (app->n_changes == sizeof app->changes / sizeof app->changes[0])
        memmove(app->changes, app->changes + 1, --app->n_changes * sizeof *change);
    change = &app->changes[app->n_changes++];
    change->feed = feed;
    change->state = state;
    snprintf(change->why, sizeof change->why, "%s", why ? why : "");
    pthread_mutex_unlock(&app->lock);
    ltw_app_ring(app);
}

/* [-0, +0, e]  Scripts and sessions are numbered from 1 on, one after the other. */
static unsigned orderers(lua_State *L)
{
    unsigned n = list(L, -1, "scripts") + 1;

    if (lua_getfield(L, -2, "fix") == LUA_TTABLE) {
        n += list(L, -1, "sessions") + LTW_FIX_BOOTHS;
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return n;
}

int ltw_app_build(lua_State *L, struct tw_app *app, struct tw_error *error)
{
    const char *dir = ltw_text_at(L, -1, "dir"), *path = ltw_text_at(L, -1, "search");
    struct tw_io_options io = {
        .changed = on_change, .waiting = ltw_app_speak, .ctx = app,
    };

    if (make_host(L, app, error) < 0
        || ltw_add_instruments(L, app->host.symbols, error) < 0
        || ltw_desk_read(L, app->host.desk, app->host.symbols, error) < 0)
        return error->code;
    app->reliable = ltw_boolean_at(L, -1, "reliable");
    app->host.live = !app->reliable;
    app->book = ltw_boolean_at(L, -1, "book");
    add_scripts(L, app, dir);
    if (!app->reliable || ltw_boolean_at(L, -1, "gateways")
        || ltw_boolean_at(L, -1, "orders"))
        ltw_desk_start(app->host.desk, tw_clock_now_ns(), orderers(L));
    app->reloads = app->host.reloads = ltw_reloads_new(L, app);
    if (!app->reloads) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    io.tape = app->host.tape;
    io.symbols = app->host.symbols;
    io.log = app->host.log;
    app->io = tw_io_new(&io);
    if (!app->io) return tw_fail(error, -errno, "%s", tw_strerror(-errno));
    app->host.io = app->io;
    return make_workers(app, path, error) < 0 ? error->code : add_sequence(app, error);
}

void ltw_app_unbuild(struct tw_app *app)
{
    struct ltw_host *h = &app->host;

    ltw_pool_close(h);
    ltw_reloads_free(app->reloads);
    tw_io_free(app->io);
    ltw_fix_free(app->fix);
    ltw_recording_free(app);
    for (unsigned i = 0; i < app->n_exchanges; i++) tw_exchange_stop(app->exchanges[i]);
    for (unsigned i = 0; app->workers && i < app->o.workers; i++)
        tw_worker_free(app->workers[i]);
    ltw_appfile_free(app->file);
    ltw_state_free(app->state);   /* it may hold what the host's parts belong to */
    app->state = NULL;
    ltw_version_unref(app->version);
    tw_any_unref(&app->declared);
    for (unsigned i = 0; h->remotes && i < app->o.workers; i++)
        ltw_remotes_free(h->remotes[i]);
    tw_free(h->remotes);
    for (unsigned i = 0; i < app->n_scripts; i++) {
        tw_free((char *)app->scripts[i].path);
        ltw_version_unref(app->scripts[i].version);
        if (app->scripts[i].options.kind == TW_VALUE_BLOCK)
            tw_value_unref(app->scripts[i].options.block);
    }
    tw_channels_free(h->channels);
    tw_caches_free(h->caches);
    ltw_market_close(h);
    ltw_census_free(h->census);
    ltw_library_free(h->library);
    ltw_sequence_free(h->sequence);
    tw_log_free(h->log);
    tw_free(app->exchanges);
    tw_free(app->scripts);
    tw_free(app->counts);
    tw_free(app->engines);
    tw_free(app->workers);
    tw_free(app->watches);
}
