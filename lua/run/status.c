/* status.c - all figures of a running app as one Lua table.
 *
 * What can be asked while the others run: every number here is a relaxed
 * counter, a histogram or a short lock, so nobody waits for who looks.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/app.h"
#include "base/clock.h"
#include "base/fixed.h"
#include "trade/desk.h"
#include "share/lchannel.h"
#include "fix/lfix_session.h"
#include "task/lpool.h"
#include "run/counter.h"
#include "share/caches.h"
#include "share/channels.h"
#include "tty.h"

/* {count, p50, p99, p999, max}, in seconds */
static void set_times(lua_State *L, const char *name, const struct tw_histogram *h)
{
    lua_createtable(L, 0, 5);
    ltw_set_count(L, "count", tw_histogram_count(h));
    ltw_set_number(L, "p50", (double)tw_histogram_percentile(h, 0.5) / 1e9);
    ltw_set_number(L, "p99", (double)tw_histogram_percentile(h, 0.99) / 1e9);
    ltw_set_number(L, "p999", (double)tw_histogram_percentile(h, 0.999) / 1e9);
    ltw_set_number(L, "max", (double)tw_histogram_max(h) / 1e9);
    lua_setfield(L, -2, name);
}

const char *ltw_feed_state_name(enum tw_feed_state state)
{
    static const char *const names[] = { "waiting", "live", "ended", "failed" };

    return names[state];
}

static void push_feeds(lua_State *L, struct tw_app *app)
{
    lua_newtable(L);
    for (unsigned i = 0; i < tw_io_count(app->io); i++) {
        struct tw_feed_status f;

        tw_io_status(app->io, i, &f);
        lua_createtable(L, 0, 12);
        ltw_set_text(L, "name", tw_io_name(app->io, i));
        ltw_set_text(L, "state", ltw_feed_state_name(f.state));
        ltw_set_count(L, "records", f.records);
        ltw_set_count(L, "waits", f.waits);
        ltw_set_count(L, "connects", f.connects);
        ltw_set_count(L, "bytes", f.codec.bytes);
        ltw_set_count(L, "messages", f.codec.messages);
        ltw_set_count(L, "ignored", f.codec.ignored);
        ltw_set_count(L, "errors", f.codec.errors);
        ltw_set_count(L, "skips", f.codec.skips);
        ltw_set_count(L, "skipped", f.codec.skipped);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_workers(lua_State *L, struct tw_app *app) TW_ON(MAIN)
{
    lua_newtable(L);
    for (unsigned i = 0; i < app->o.workers; i++) {
        struct ltw_engine *e = &app->engines[i];

        lua_createtable(L, 0, 6);
        ltw_set_number(L, "cpu", (double)tw_worker_cpu_ns(app->workers[i]) / 1e9);
        ltw_set_count(L, "bytes", tw_counter_get(&e->bytes));
        ltw_set_count(L, "bytes_peak", tw_counter_get(&e->bytes_peak));
        ltw_set_count(L, "allocations", tw_counter_get(&e->allocations));
        set_times(L, "reach", &e->reach_ns);
        set_times(L, "done", &e->done_ns);
        lua_rawseti(L, -2, i + 1);
    }
}

/* [-0, +0, m]  What a new version is in beside the instance whose table is on top. */
static void set_stage(lua_State *L, const struct ltw_script_counts *c, int64_t now)
{
    static const char *const names[] = { NULL, "warming", "in shadow", "guarded" };
    uint64_t stage = tw_counter_get(&c->stage);

    if (stage == LTW_STAGE_NONE) return;
    lua_createtable(L, 0, 4);
    ltw_set_text(L, "name", names[stage]);
    ltw_set_count(L, "done", tw_counter_get(&c->done));
    ltw_set_count(L, "of", tw_counter_get(&c->of));
    ltw_set_number(L, "elapsed",
                   (double)(now - (int64_t)tw_counter_get(&c->stage_ns)) / 1e9);
    lua_setfield(L, -2, "stage");
}

/* [-0, +0, m]  What a script that trades has done. */
static void set_trading(lua_State *L, const struct ltw_script_counts *c)
{
    ltw_set_count(L, "orders", tw_counter_get(&c->orders));
    ltw_set_count(L, "fills", tw_counter_get(&c->fills));
    ltw_set_count(L, "open", tw_counter_get(&c->open));
    /* order [script.counts] relaxed: statistics */
    ltw_set_number(L, "pnl", tw_fixed_to_double(
        atomic_load_explicit(&c->pnl, memory_order_relaxed)));
}

static void push_scripts(lua_State *L, struct tw_app *app, uint64_t head)
{
    lua_Integer n = 0;

    lua_newtable(L);
    for (unsigned w = 0; w < app->o.workers; w++)
        for (unsigned i = 0; i < app->engines[w].n; i++) {
            const struct ltw_script_options *o = &app->engines[w].options[i];
            const struct ltw_script_counts *c = &app->engines[w].counts[i];
            uint64_t at = tw_counter_get(&c->at);

            lua_createtable(L, 0, 11);
            ltw_set_text(L, "name", o->name);
            ltw_set_count(L, "version", tw_counter_get(&c->version));
            ltw_set_count(L, "since", tw_counter_get(&c->since));
            ltw_set_count(L, "worker", w);
            ltw_set_count(L, "shard", o->shard + 1);
            ltw_set_count(L, "shards", o->shards ? o->shards : 1);
            ltw_set_count(L, "lag", at && at < head ? head - at : 0);
            ltw_set_count(L, "handled", tw_counter_get(&c->handled));
            ltw_set_count(L, "lost", tw_counter_get(&c->lost));
            ltw_set_count(L, "errors", tw_counter_get(&c->errors));
            set_stage(L, c, tw_clock_steady_ns());
            if (tw_counter_get(&c->trades)) set_trading(L, c);
            lua_rawseti(L, -2, ++n);
        }
}

/* [-0, +1, m]  Those that have a name. */
static void push_channels(lua_State *L, struct tw_channels *channels)
{
    struct tw_channel *c;

    lua_newtable(L);
    for (unsigned i = 0; (c = tw_channels_at(channels, i)); i++) {
        ltw_push_channel_stats(L, c);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
        tw_object_unref((struct tw_object *)c);
    }
}

/* [-0, +1, m]  {name, entries, bytes, hits, misses, coalesced, failures, load} */
static void push_caches(lua_State *L, struct tw_caches *caches)
{
    struct tw_cache_stats *s = lua_newuserdatauv(L, sizeof *s, 0);   /* it is large */
    struct tw_cache *c;

    lua_newtable(L);
    for (size_t i = 0; (c = tw_caches_at(caches, i)); i++) {
        tw_cache_stats(c, s);
        lua_createtable(L, 0, 8);
        ltw_set_text(L, "name", tw_cache_name(c));
        ltw_set_count(L, "entries", s->entries);
        ltw_set_count(L, "bytes", s->bytes);
        ltw_set_count(L, "hits", s->hits);
        ltw_set_count(L, "misses", s->misses);
        ltw_set_count(L, "coalesced", s->coalesced);
        ltw_set_count(L, "failures", s->failures);
        set_times(L, "load", &s->load_ns);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
        tw_cache_unref(c);
    }
    lua_remove(L, -2);
}

/* [-0, +1, m]  The app file: {name, version, since} */
static void push_app(lua_State *L, const struct tw_app *app)
{
    const char *slash = strrchr(app->path, '/');

    lua_createtable(L, 0, 3);
    ltw_set_text(L, "name", slash ? slash + 1 : app->path);
    ltw_set_count(L, "version", app->version_number);
    ltw_set_count(L, "since", app->version_since);
}

/* Proportional set size, in bytes; 0 where the kernel does not say. */
static uint64_t resident(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[128];
    unsigned long long kib = 0;

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Pss: %llu kB", &kib) == 1) break;
    if (f) fclose(f);
    return kib * 1024;
}

/* [-0, +0, m]  What the exchanges have sent, in the table on top. */
static void set_exchanges(lua_State *L, const struct tw_app *app)
{
    uint64_t sent = 0;
    int64_t cpu = 0;

    if (app->n_exchanges == 0) return;
    for (unsigned i = 0; i < app->n_exchanges; i++) {
        sent += tw_exchange_sent(app->exchanges[i]);
        cpu += tw_exchange_cpu_ns(app->exchanges[i]);
    }
    ltw_set_count(L, "sent", sent);
    ltw_set_number(L, "exchange_cpu", (double)cpu / 1e9);
}

int ltw_status(lua_State *L)
{
    struct ltw_tty terminal;
    struct tw_pool_status pool = { 0 };
    struct tw_app *app = lua_touserdata(L, 1);
    uint64_t head = tw_tape_head(app->host.tape);
    int64_t now = app->ended_ns ? app->ended_ns : tw_clock_steady_ns();
    int64_t from = tw_io_began_ns(app->io);

    tw_be_main();
    lua_settop(L, 0);
    lua_createtable(L, 0, 14);
    push_app(L, app);
    lua_setfield(L, -2, "app");
    ltw_set_number(L, "elapsed", (double)(now - app->began_ns) / 1e9);
    ltw_set_number(L, "reading", from ? (double)(now - from) / 1e9 : 0);
    ltw_set_number(L, "cpu", (double)tw_clock_of_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9);
    ltw_set_number(L, "io_cpu", (double)tw_io_cpu_ns(app->io) / 1e9);
    ltw_set_count(L, "records", head - 1);
    if (ltw_tty_size(STDOUT_FILENO, &terminal)) {
        ltw_set_count(L, "columns", terminal.columns);
        ltw_set_count(L, "rows", terminal.rows);
    }
    if (app->ended_ns) ltw_set_count(L, "pss", resident());   /* slow: once, at the end */
    if (app->host.pool) tw_pool_status(app->host.pool, &pool);
    ltw_push_pool_status(L, &pool);
    lua_setfield(L, -2, "pool");
    push_channels(L, app->host.channels);
    lua_setfield(L, -2, "channels");
    push_caches(L, app->host.caches);
    lua_setfield(L, -2, "caches");
    ltw_set_flag(L, "halted", tw_desk_is_halted(&app->host.desk->desk));
    ltw_set_count(L, "capacity", tw_tape_capacity(app->host.tape));
    ltw_set_count(L, "symbols", tw_symbols_count(app->host.symbols));
    set_times(L, "parse", tw_io_parse_ns(app->io));
    set_exchanges(L, app);
    push_feeds(L, app);
    lua_setfield(L, -2, "feeds");
    if (app->host.fix) {
        ltw_push_fix_statuses(L, &app->host);
        lua_setfield(L, -2, "fix");
    }
    push_workers(L, app);
    lua_setfield(L, -2, "workers");
    push_scripts(L, app, head);
    lua_setfield(L, -2, "scripts");
    return 1;
}
