/* backtest.c - a run over recorded data: all scripts in one state, on one thread.
 *
 * Why a driver of its own and not an app at full speed: there, what a script has done by
 * the time that another one reads a record depends on threads.  Here a record is on the
 * tape when all that came before it has been dealt with, so nothing can be known early,
 * and the same data gives the same run on every machine.
 *
 * A lone script without tasks need not come back to the driver for each record: it asks
 * for the next one itself (more), at the same point and by the same rules.
 *
 * Invariants
 *   D1  The tape ends with the record under way and what was published since: nothing
 *       later can be read.
 *   D2  Time is that of the record under way, or of the wait that has ended.  It never
 *       goes back.
 *   D3  Before time goes on, every script has read the tape to its end or waits, nothing
 *       is ready, and what waits for a job of the pool has got it.
 */
#include "backtest/backtest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trade/account_options.h"
#include "base/date.h"
#include "base/memory.h"
#include "trade/desk.h"
#include "distrust.h"
#include "feed/extent.h"
#include "feed/gaps.h"
#include "run/instance.h"
#include "reload/library.h"
#include "task/lpool.h"
#include "run/market.h"
#include "output.h"
#include "run/floor.h"
#include "share/caches.h"
#include "share/failure.h"
#include "backtest/supply.h"
#include "task/tasks.h"
#include "trade/probe.h"
#include "backtest/worth.h"

enum { CAPACITY = 1 << 14, LOG_BYTES = 1 << 20, LOOK_EVERY = 4096 };
enum { TURNS_MAX = 1000000 };             /* at one time, without a record          */
enum { LOOK_NS = 100000000, WAIT_NS = 1000000 };
enum { SEEN_BYTES = (TW_SYMBOL_MAX + 1) * sizeof(atomic_bool) };

/* ---- what scripts say ---- */

static char *copy(const char *text, size_t n)
{
    char *p = tw_calloc(1, n + 1);

    if (p) memcpy(p, text, n);
    return p;
}

static const char *date(const struct ltw_backtest *b, char out[TW_DATE_TEXT])
{
    return tw_date_text(ltw_time_ns(&b->time), TW_DATE_SECOND, out);
}

const char *ltw_backtest_why(const struct ltw_backtest *b)
{
    /* order [backtest.why] acquire: the text is whole */
    return atomic_load_explicit(&b->why, memory_order_acquire);
}

/* With `lines` held: a job of the pool speaks on its own thread. */
static bool keep_why(struct ltw_backtest *b, const char *text, size_t n)
{
    char *why = ltw_backtest_why(b) ? NULL : copy(text, n);

    /* order [backtest.why] release: the text is whole before it is seen */
    if (why) atomic_store_explicit(&b->why, why, memory_order_release);
    return why != NULL;
}

/* The first error is why the run has ended. */
static void on_line(void *ctx, enum tw_log_level level, const char *who,
                    const char *text, size_t n)
{
    struct ltw_backtest *b = ctx;

    if (level == TW_LOG_ERROR && keep_why(b, text, n)) return;
    b->o.line(b->o.ctx, ltw_time_ns(&b->time), level, who, text, n);
}

static void speak(void *ctx)
{
    struct ltw_backtest *b = ctx;

    pthread_mutex_lock(&b->lines);
    tw_log_drain(b->host.log, on_line, b);
    pthread_mutex_unlock(&b->lines);
}

/* On whatever thread a failed future ends. */
static void tell_unseen(void *ctx, const struct tw_any *error)
{
    struct ltw_backtest *b = ctx;
    char what[4096], when[TW_DATE_TEXT];

    tw_failure_text(error, what, sizeof what);
    tw_log_printf(b->host.log, TW_LOG_ERROR, "", "at %s: an error that nobody awaited:"
                  " %s", date(b, when), what);
}

/* ---- making ---- */

static void ring(void *ctx)
{
    struct ltw_backtest *b = ctx;

    pthread_mutex_lock(&b->lock);
    b->is_rung = true;
    pthread_cond_signal(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

static void on_failed(void *ctx, bool fatal)
{
    (void)ctx, (void)fatal;
}

static bool more(void *ctx, uint64_t next, struct tw_record *out);

static bool make_host(struct ltw_backtest *b)
{
    struct ltw_host *h = &b->host;

    b->unseen = (struct tw_unseen){ .tell = tell_unseen, .ctx = b };
    h->unseen = &b->unseen;
    h->time = &b->time;
    h->seen = tw_map(SEEN_BYTES, false);
    h->counted = &b->counted;
    h->memory_max = h->pool_options.memory_max = b->o.memory_max;
    h->time_max_ns = b->o.time_max_ns;
    if (ltw_market_open(h, b->o.capacity ? b->o.capacity : CAPACITY) < 0) return false;
    h->channels = tw_channels_new();
    h->census = ltw_census_new();
    h->library = ltw_library_new();
    h->caches = tw_caches_new(h->tape, h->unseen);
    h->log = tw_log_new(LOG_BYTES, speak, b);
    b->reader = tw_epoch_join(h->epoch);
    b->search = copy(b->o.search, strlen(b->o.search));
    b->directory = copy(b->o.directory, strlen(b->o.directory));
    h->directory = b->directory;
    return h->seen && b->search && b->directory && h->channels && h->census && h->library
        && h->caches && h->log && b->reader;
}

struct ltw_backtest *ltw_backtest_new(const struct ltw_backtest_options *options)
{
    struct ltw_backtest *b = tw_calloc_aligned(1, sizeof *b);

    if (!b) return NULL;
    b->o = *options;
    b->role = tw_role_now;
    tw_role_set(&MAIN);
    pthread_mutex_init(&b->lock, NULL);
    pthread_mutex_init(&b->lines, NULL);
    pthread_cond_init(&b->rung, NULL);
    ltw_time_set(&b->time, options->from_ns > 0 ? options->from_ns : 0);
    b->warm = options->warmup_ns == 0 && options->warmup_records == 0;
    b->engine.host = &b->host;
    strcpy(b->engine.who, "backtest");
    b->engine.failed = on_failed;
    b->engine.more = more;
    b->engine.ctx = b;
    if (make_host(b)) return b;
    ltw_backtest_free(b);
    return NULL;
}

int ltw_backtest_add(struct ltw_backtest *b, lua_State *L, const char *name,
                     const char *path, struct tw_any options)
{
    struct ltw_script_options *more_scripts, *s;

    more_scripts = tw_realloc(b->scripts, (b->n + 1) * sizeof *b->scripts);
    if (!more_scripts) goto no_memory;
    b->scripts = more_scripts;
    s = &b->scripts[b->n];
    *s = (struct ltw_script_options){
        .name = copy(name, strlen(name)), .path = copy(path, strlen(path)),
        .id = b->n + 1, .reliable = true, .options = options,
    };
    b->n++;
    if (!s->name || !s->path) return tw_fail(&b->error, UV_ENOMEM, "not enough memory");
    for (unsigned i = 0; i + 1 < b->n && !s->version; i++)
        if (strcmp(b->scripts[i].path, path) == 0)
            ltw_version_ref(s->version = b->scripts[i].version);
    if (!s->version) s->version = ltw_version_read(L, path, &b->error);
    return s->version ? TW_OK : b->error.code;
no_memory:
    tw_any_unref(&options);
    return tw_fail(&b->error, UV_ENOMEM, "not enough memory");
}

/* [-0, +0, m]  os.time() and os.date(format) without a time: by event time. */
static int os_time(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_pushinteger(L, tw_clock_spans(ltw_now_ns(ltw_state(L)), 1000000000));
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static const lua_Number SECONDS_MAX = 1e12;        /* year 33,658; 1,000 s in ns */

static int os_date(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_isnumber(L, 2) && lua_tonumber(L, 2) > SECONDS_MAX)
        return luaL_error(L, "os.date: seconds expected, got %s; of a time in ns they are"
                          " time // 1000000000", lua_tostring(L, 2));
    if (lua_isnil(L, 1)) lua_pushliteral(L, "%c"), lua_replace(L, 1);
    if (lua_isnil(L, 2)) {
        lua_pushinteger(L, tw_clock_spans(ltw_now_ns(ltw_state(L)), 1000000000));
        lua_replace(L, 2);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

static void wrap(lua_State *L, const char *name, lua_CFunction f)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, f, 1);
    lua_setfield(L, -2, name);
}

/* [-0, +0, e]  What a state of a run has, and nothing that depends on when it runs. */
static int prepare(lua_State *L)
{
    struct ltw_backtest *b = lua_touserdata(L, 1);

    lua_settop(L, 0);
    lua_pushstring(L, b->search);
    lua_pushlightuserdata(L, &b->engine);
    ltw_engine_set_path(L);
    lua_settop(L, 0);
    lua_getglobal(L, "os");
    wrap(L, "time", os_time);
    wrap(L, "date", os_date);
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, 1);
    lua_pushinteger(L, 0);
    lua_call(L, 2, 0);
    b->host.distrusts = ltw_distrust_as(L, b->o.outer, b->scripts, b->n);
    return 0;
}

static bool make_state(struct ltw_backtest *b)
{
    struct ltw_engine *e = &b->engine;
    struct ltw_state *s = e->state = ltw_state_new(&b->host, b->o.memory_max);

    if (!s) return false;
    s->outer = b->o.outer;
    s->pulse = &e->pulse;
    memcpy(s->who, e->who, sizeof s->who);
    s->time = &b->time;
    s->tasks = ltw_tasks_new_by_event(s, ring, b);
    if (!s->tasks) return false;
    lua_pushcfunction(s->L, prepare);
    lua_pushlightuserdata(s->L, b);
    if (lua_pcall(s->L, 1, 0, 0) != LUA_OK) return false;
    ltw_output_open(s);
    if (b->o.outer && b->o.outer->host)       /* not in an app file, which has its own */
        b->has_alarm = ltw_alarm_set(&b->alarm, s, b->o.outer->host, b->o.time_max_ns);
    return true;
}

struct tw_account *ltw_backtest_account(const struct ltw_backtest *b, unsigned script)
{
    return tw_broker_account(b->traders[script]->broker);
}

static const char *base(const struct ltw_backtest *b)
{
    return tw_account_currency_name(ltw_backtest_account(b, 0), 0);
}

/* [-0, +0, e]  All scripts have accounts from the beginning. */
static int open_traders(lua_State *L)
{
    struct ltw_backtest *b = lua_touserdata(L, 1);

    b->host.desk->started = 0;
    b->host.desk->desk.warms_up = !b->warm;
    b->curve = tw_ledger_new();
    b->journals = tw_calloc(b->n, sizeof *b->journals);
    b->traders = tw_calloc(b->n, sizeof *b->traders);
    if (!b->curve || !b->journals || !b->traders) luaL_error(L, "not enough memory");
    for (unsigned i = 0; i < b->n; i++) {
        b->journals[i] = ltw_journal_new(b->scripts[i].id);
        if (!b->journals[i]) luaL_error(L, "not enough memory");
        if (b->o.brief) tw_ledger_only_outcomes(b->journals[i]->trades);
        b->traders[i] = ltw_script_get_trader(L, b->engine.scripts[i]);
        b->traders[i]->journal = b->journals[i];
        if (b->o.probe && b->scripts[i].id == b->o.probed)
            ltw_trader_probe(b->traders[i], b->o.probe);
        lua_pushfstring(L, "script %s: account", b->scripts[i].name);
        lua_pushfstring(L, "that of %s", b->scripts[0].name);
        ltw_account_check_rate(L, b->traders[i], lua_tostring(L, -2),
                               lua_tostring(L, -1), base(b), "");
        lua_pop(L, 2);
    }
    if (b->o.brief) tw_ledger_only_days(b->curve);
    b->till_ns = INT64_MIN;
    ltw_orderlist_begin(&b->list);
    return 0;
}

/* Where orders of scripts meet, they do so as a feed; one that was recorded is left out
 * (see peek). */
static void open_floor(struct ltw_backtest *b)
{
    struct tw_floor *floor = b->host.desk->floor;

    if (tw_floor_close(floor)) return;
    tw_floor_open(floor, TW_HISTORY_BOOK, NULL, NULL);
    b->floor = floor;
}

static bool is_first(const struct ltw_backtest *b, unsigned script)
{
    for (unsigned i = 0; i < script; i++)
        if (b->scripts[i].version == b->scripts[script].version) return false;
    return true;
}

int ltw_backtest_open(struct ltw_backtest *b)
{
    struct ltw_engine *e = &b->engine;

    b->counts = tw_calloc_aligned(b->n ? b->n : 1, sizeof *b->counts);
    e->scripts = tw_calloc(b->n ? b->n : 1, sizeof *e->scripts);
    if (!b->counts || !e->scripts || !make_state(b))
        return tw_fail(&b->error, UV_ENOMEM, "not enough memory");
    e->options = b->scripts;
    e->counts = b->counts;
    e->n = b->n;
    e->going = true;
    for (unsigned i = 0; i < b->n; i++)
        if (is_first(b, i)
            && (!ltw_version_instruct(b->scripts[i].version, b->scripts, b->n)
                || !ltw_library_add(b->host.library, b->scripts[i].version)))
            return tw_fail(&b->error, UV_ENOMEM, "not enough memory");
    for (unsigned i = 0; i < b->n; i++) {
        e->scripts[i] = ltw_script_new(e, &b->scripts[i], &b->counts[i], &b->error);
        if (!e->scripts[i]) return b->error.code;
    }
    lua_pushcfunction(e->state->L, open_traders);
    lua_pushlightuserdata(e->state->L, b);
    if (lua_pcall(e->state->L, 1, 0, 0) != LUA_OK)
        return tw_fail(&b->error, TW_ESCRIPT, "%s", lua_tostring(e->state->L, -1));
    open_floor(b);
    b->is_single = b->n == 1 && !b->floor && !b->o.single_steps;
    b->opened = true;
    return TW_OK;
}

/* ---- one time ---- */

static int stop(struct ltw_backtest *b, int code, const char *why)
{
    char when[TW_DATE_TEXT];

    return tw_fail(&b->error, code, "at %s: %s", date(b, when), why);
}

static bool look(struct ltw_backtest *b)
{
    int64_t now_ns = tw_clock_steady_ns();

    if (ltw_watchdog_is_told(b->o.outer))
        return stop(b, TW_ESTOPPED, "stopped"), false;
    if (!b->o.progress || now_ns - b->looked_ns < LOOK_NS) return true;
    b->looked_ns = now_ns;
    return b->o.progress(b->o.ctx) || (stop(b, TW_ESTOPPED, "stopped"), false);
}

static bool is_owed(const struct ltw_backtest *b)
{
    /* order [counted.jobs] acquire: the futures of those that have ended */
    return atomic_load_explicit(&b->counted.jobs, memory_order_acquire) > 0;
}

/* Something awaits a future, and the pool has jobs: waits until it has come, or there
 * are no jobs.  D3 */
static void await_jobs(struct ltw_backtest *b)
{
    struct ltw_tasks *ts = b->engine.state->tasks;

    if (!ltw_tasks_are_expecting(ts)) return;
    while (is_owed(b) && !ltw_tasks_ready(ts)) {
        struct timespec until;

        if (!look(b)) return;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_NS;
        if (until.tv_nsec >= 1000000000) until.tv_nsec -= 1000000000, until.tv_sec++;
        pthread_mutex_lock(&b->lock);
        if (!b->is_rung) pthread_cond_timedwait(&b->rung, &b->lock, &until);
        b->is_rung = false;
        pthread_mutex_unlock(&b->lock);
    }
}

static bool step_scripts(struct ltw_backtest *b)
{
    bool worked = false;

    for (unsigned i = 0; i < b->engine.n; i++) {
        enum ltw_step did = ltw_script_step(b->engine.scripts[i]);

        worked = worked || did != LTW_IDLE;
        b->failed = b->failed || did == LTW_FAILED;
    }
    return worked;
}

static bool is_ready(const struct ltw_backtest *b)
{
    for (unsigned i = 0; i < b->engine.n; i++)
        if (ltw_script_ready(b->engine.scripts[i])) return true;
    return ltw_tasks_ready(b->engine.state->tasks);
}

/* Nothing is ready, but another round may bring something: the end of the run, a wait for
 * now, a job of the pool, orders that meet. */
static bool needs_round(const struct ltw_backtest *b)
{
    return b->engine.stopping || b->host.pool || b->floor
        || ltw_tasks_due_ns(b->engine.state->tasks) <= ltw_time_ns(&b->time);
}

/* What is due in the venue happens, and goes on the tape; false: nothing is, or there is
 * no room. */
static bool cross(struct ltw_backtest *b)
{
    struct tw_record *r;
    size_t n, took = 0;

    if (b->engine.stopping) return false;
    tw_floor_set_time(b->floor, ltw_time_ns(&b->time));
    if (tw_floor_step(b->floor, ltw_time_ns(&b->time)) < 0) goto no_memory;
    for (r = tw_floor_out(b->floor, &n); took < n; took++) {
        r[took].received = r[took].time;
        if (tw_tape_try_append(b->host.tape, &r[took], 1) < 0) break;
        if (!b->o.brief && r[took].kind == TW_TRADE && !ltw_worth_draw(b, &r[took]))
            goto no_memory;
    }
    tw_floor_took(b->floor, took);
    return took > 0;
no_memory:
    tw_fail(&b->error, UV_ENOMEM, "not enough memory");
    return false;
}

/* Runs all that can run at this time.  D3 */
static int settle(struct ltw_backtest *b)
{
    struct ltw_tasks *ts = b->engine.state->tasks;
    uint64_t before = b->records;
    unsigned turns = 0;
    bool worked;

    do {
        ltw_tasks_wake_due(ts, ltw_time_ns(&b->time));
        worked = step_scripts(b);
        worked = ltw_tasks_step(ts) || worked;
        tw_epoch_quiet(b->reader);
        if (b->failed || ltw_backtest_why(b)) return b->error.code = TW_ESCRIPT;
        if (!worked && b->host.pool && !is_ready(b)) await_jobs(b);
        if (b->floor && !worked && !is_ready(b)) worked = cross(b);
        if (b->error.code < 0) return b->error.code;
        turns = b->records == before ? turns + 1 : 0;
        before = b->records;
        if (turns == TURNS_MAX)
            return stop(b, TW_ELIMIT, "time stands still: something waits for 0 seconds"
                        " again and again, publishes to itself, or answers what comes of"
                        " its orders");
    } while (is_ready(b) || (worked && needs_round(b)));
    return TW_OK;
}

/* ---- records ---- */

int64_t ltw_backtest_rate(const struct ltw_backtest *b, unsigned script)
{
    struct tw_account *a = ltw_backtest_account(b, script);

    return tw_account_rate(a, (uint32_t)tw_account_currency(a, base(b)));
}

tw_money ltw_backtest_sum(const struct ltw_backtest *b,
                          tw_money (*figure)(const struct tw_account *a))
{
    tw_money sum = 0;

    for (unsigned i = 0; i < b->n; i++) {
        int64_t rate = ltw_backtest_rate(b, i);
        tw_money own = figure(ltw_backtest_account(b, i));

        if (rate == TW_FIXED_ONE) sum += own;
        else if (rate > 0) sum += tw_money_ratio(own, TW_FIXED_ONE, rate);
    }
    return sum;
}

/* Orders pass from here on? */
static void warm_up(struct ltw_backtest *b, const struct tw_record *r)
{
    if (b->o.from_ns > INT64_MIN) b->warm = tw_record_at(r) >= b->o.from_ns;
    else if (b->o.warmup_ns > 0) b->warm = r->time - b->first_ns >= b->o.warmup_ns;
    else b->warm = b->records >= b->o.warmup_records;
    b->host.desk->desk.warms_up = !b->warm;
}

static void see(struct ltw_backtest *b, uint32_t symbol)
{
    /* order [host.seen] relaxed: the flag alone */
    atomic_store_explicit(&b->host.seen[symbol], true, memory_order_relaxed);
}

void ltw_backtest_declared(struct ltw_backtest *b)
{
    uint32_t n = tw_symbols_count(b->host.symbols);

    for (uint32_t id = 1; id <= n; id++) see(b, id);
}

/* D1, D2.  out: as it is on the tape, or NULL.  False: there is no room, because a script
 * sleeps. */
static bool append(struct ltw_backtest *b, const struct tw_record *next,
                   struct tw_record *out)
{
    struct tw_record r = *next;

    if (!ltw_worth_mark(b, r.time)) return false;
    if (r.symbol != b->benchmark && !b->has_others) ltw_worth_meet(b, &r);
    if (r.symbol == b->benchmark) b->beside = r;
    if (!b->o.brief && !ltw_worth_draw(b, next))
        return tw_fail(&b->error, UV_ENOMEM, "not enough memory"), false;
    r.received = r.time;
    if (r.kind == TW_MESSAGE && ltw_supply_value(b, &r) < 0) return false;
    if (tw_tape_try_append(b->host.tape, &r, 1) < 0) {
        ltw_supply_undo(b, &r);
        return false;
    }
    see(b, r.symbol);
    if (b->records == 0) b->first_ns = b->since_ns = b->last_ns = r.time;
    if (r.time > b->last_ns) b->last_ns = r.time;
    b->at_ns = tw_record_at(&r);
    if (r.time > ltw_time_ns(&b->time)) ltw_time_set(&b->time, r.time);
    if (!b->warm) {
        warm_up(b, &r);
        b->since_ns = b->last_ns;
    }
    b->records++;
    b->handled += b->warm;
    ltw_supply_take(b, &r);
    if (out) *out = r;
    return true;
}

/* In the step of a lone script which has read all. */
static bool more(void *ctx, uint64_t next, struct tw_record *out)
{
    struct ltw_backtest *b = ctx;
    const struct tw_record *r;

    if (!b->is_single || b->records % LOOK_EVERY == 0 || b->engine.stopping
        || ltw_tasks_count(b->engine.state->tasks) > 0
        || tw_tape_head(b->host.tape) != next)
        return false;
    r = ltw_supply_peek(b);
    return r && append(b, r, out);
}

/* The script that is furthest behind. */
static int no_room(struct ltw_backtest *b)
{
    char text[300];
    unsigned last = 0;

    for (unsigned i = 1; i < b->n; i++)
        if (ltw_script_quiet(b->engine.scripts[i])
            < ltw_script_quiet(b->engine.scripts[last]))
            last = i;
    snprintf(text, sizeof text, "script %.100s waits in a handler, and the tape is full"
             " of the %zu records that it has not read: let a task wait, or give the tape"
             " more room (app.tape)", b->scripts[last].name,
             tw_tape_capacity(b->host.tape));
    return stop(b, TW_EFULL, text);
}

/* The next thing that happens: waits that end before the next record, or that. */
static int go_on(struct ltw_backtest *b, const struct tw_record *r)
{
    int64_t due_ns = ltw_tasks_due_ns(b->engine.state->tasks);

    if (b->floor && tw_floor_due(b->floor) < due_ns && !tw_floor_is_full(b->floor))
        due_ns = tw_floor_due(b->floor);
    if (due_ns >= r->time && append(b, r, NULL)) return settle(b);
    if (due_ns >= r->time) return b->error.code < 0 ? b->error.code : no_room(b);
    if (due_ns > ltw_time_ns(&b->time)) ltw_time_set(&b->time, due_ns);
    return settle(b);
}

/* ---- the end ---- */

static bool has_ended(const struct ltw_backtest *b)
{
    for (unsigned i = 0; i < b->n; i++)
        if (!ltw_script_ended(b->engine.scripts[i])) return false;
    return true;
}

/* Ends all waits and tasks; then each script's on_stop.  What it waits for then ends by
 * event time, too. */
static int stop_scripts(struct ltw_backtest *b)
{
    b->engine.stopping = true;
    for (unsigned i = 0; i < b->n; i++) ltw_script_stop(b->engine.scripts[i]);
    while (settle(b) == TW_OK && !has_ended(b)) {
        int64_t due_ns = ltw_tasks_due_ns(b->engine.state->tasks);

        if (due_ns == INT64_MAX)
            return stop(b, TW_ECYCLE, "a script waits for what never comes");
        ltw_time_set(&b->time, due_ns);
    }
    return b->error.code;
}

/* Now and then. */
static bool tidy(struct ltw_backtest *b)
{
    if (b->o.forgets) ltw_orderlist_forget(&b->list, b);
    return look(b);
}

static int run(struct ltw_backtest *b)
{
    const struct tw_record *r = ltw_supply_peek(b);
    char wanted[TW_EXTENT_TEXT];

    if (b->error.code < 0) return b->error.code;
    b->is_empty = !r;
    if (!r) return tw_fail(&b->error, TW_EFORMAT, "there is no record%s%s",
                           *tw_extent_wanted(b->o.from_ns, b->o.to_ns, wanted)
                           ? "" : " in the data", wanted);
    ltw_time_set(&b->time, r->time);
    if (ltw_backtest_open(b) < 0 || settle(b) < 0) return b->error.code;
    while ((r = ltw_supply_peek(b)))
        if (go_on(b, r) < 0 || (b->records % LOOK_EVERY == 0 && !tidy(b)))
            return b->error.code;
    if (b->error.code < 0 || stop_scripts(b) < 0) return b->error.code;
    if (ltw_worth_mark(b, INT64_MAX) && b->handled > 0 && !b->rated)
        return tw_fail(&b->error, TW_EUSAGE, "what scripts are worth can't be added"
                       " up: no price has come that is a rate of %s, which account.rates"
                       " names", base(b));
    if (b->o.benchmark && b->benchmark == 0)
        return tw_fail(&b->error, TW_EUSAGE, "benchmark %s: the data have no such symbol",
                       b->o.benchmark);
    return b->error.code;
}

void ltw_backtest_run(struct ltw_backtest *b)
{
    int64_t began_ns = tw_clock_steady_ns();
    int rc;

    tw_epoch_back(b->reader);
    rc = run(b);
    if (rc == TW_OK && ltw_backtest_why(b)) rc = b->error.code = TW_ESCRIPT;
    if (rc == TW_OK && b->o.probe) tw_probe_end(b->o.probe, b->last_ns);
    b->took_ns = tw_clock_steady_ns() - began_ns;
    tw_epoch_away(b->reader);
}

void ltw_backtest_free(struct ltw_backtest *b)
{
    struct ltw_host *h;

    if (!b) return;
    tw_be_main();
    h = &b->host;
    if (b->engine.state) ltw_state_cease(b->engine.state);
    if (h->pool) ltw_pool_stop(h);
    for (unsigned i = 0; b->engine.scripts && i < b->n; i++)
        ltw_script_free(b->engine.scripts[i]);
    if (b->has_alarm) ltw_alarm_clear(&b->alarm, b->o.outer->host);
    ltw_state_free(b->engine.state);
    for (unsigned i = 0; b->journals && i < b->n; i++) ltw_journal_free(b->journals[i]);
    tw_free(b->journals);
    tw_free(b->traders);
    tw_ledger_free(b->curve);
    for (size_t i = 0; i < b->n_charts; i++) ltw_chart_free(&b->charts[i]);
    tw_free(b->charts);
    tw_free(b->market);
    ltw_pool_close(h);
    for (unsigned i = 0; i < b->n; i++) {
        struct ltw_script_options *s = &b->scripts[i];

        tw_free((char *)s->name);
        tw_free((char *)s->path);
        ltw_version_unref(s->version);
        tw_any_unref(&s->options);
    }
    tw_history_free(b->history);
    tw_gaps_free(b->gaps);
    tw_mix_free(b->mix);
    tw_unmap_used(h->seen, SEEN_BYTES, false,
                  h->symbols ? tw_symbols_count(h->symbols) + 1 : 0);
    tw_channels_free(h->channels);
    tw_caches_free(h->caches);
    if (b->reader && h->epoch) tw_epoch_away(b->reader);
    ltw_market_close(h);
    ltw_census_free(h->census);
    ltw_library_free(h->library);
    tw_log_free(h->log);
    pthread_mutex_destroy(&b->lock);
    pthread_mutex_destroy(&b->lines);
    pthread_cond_destroy(&b->rung);
    tw_free(b->engine.scripts);
    tw_free(b->scripts);
    tw_free(b->counts);
    tw_free(b->search);
    tw_free(b->directory);
    ltw_supply_free(b);
    tw_free((char *)ltw_backtest_why(b));
    tw_role_now = b->role;
    tw_free(b);
}
