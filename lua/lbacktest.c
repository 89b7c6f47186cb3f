/* lbacktest.c - tw.internal.backtest: a run over data, from a table to its result.
 *
 * stdlib/backtest.lua has checked the table's names and types.
 */
#include "lbacktest.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "backtest.h"
#include "base/memory.h"
#include "desk.h"
#include "instruments.h"
#include "lresult.h"
#include "lvalue.h"
#include "source.h"
#include "task.h"
#include "tasks.h"

#define BOX "tw.backtest.run"

#define MIB 1048576.0
enum { KEPT_BYTES = 1 << 18, PROBLEMS = 10 };

/* A run, and what it says.  A full userdata, so that an error leaves nothing open. */
struct box {
    struct ltw_backtest *b;
    struct ltw_state *app;        /* the app file's                                 */
    struct ltw_host *host;        /* of who asked                                   */
    lua_State *L;                 /* likewise; its progress is at `progress`        */
    int progress;                 /* 0: none                                        */
    struct tw_any given;          /* to app.backtest                                */
    const char *directory, *search;   /* of the app's state                         */
    bool is_script;               /* the file, not an app                           */
    bool keep, skip_bad;          /* lines are kept; bad ones of data are skipped   */
    char *kept;                   /* lines, each with a newline                     */
    size_t n;
    unsigned dropped, problems;
};

static void close_box(struct box *box)
{
    ltw_backtest_free(box->b);
    ltw_state_free(box->app);
    tw_free(box->kept);
    tw_any_unref(&box->given);
    box->given.kind = TW_VALUE_NIL;
    box->b = NULL;
    box->app = NULL;
    box->kept = NULL;
}

static int box_gc(lua_State *L)
{
    close_box(luaL_checkudata(L, 1, BOX));
    return 0;
}

/* ---- options ---- */

/* [-0, +0, m]  The text lives as long as the table at idx. */
static const char *text(lua_State *L, int idx, const char *name)
{
    const char *s;

    s = lua_getfield(L, idx, name) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 1);
    return s;
}

static int64_t integer(lua_State *L, int idx, const char *name, int64_t otherwise)
{
    int64_t i = lua_getfield(L, idx, name) == LUA_TNIL ? otherwise : lua_tointeger(L, -1);

    lua_pop(L, 1);
    return i;
}

static bool boolean(lua_State *L, int idx, const char *name)
{
    bool b;

    lua_getfield(L, idx, name);
    b = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return b;
}

/* ---- what is said ---- */

static size_t stamp(int64_t ns, char out[40])
{
    time_t s = (time_t)(ns / 1000000000);
    struct tm tm;
    size_t n = strftime(out, 40, "%Y-%m-%d %H:%M:%S", gmtime_r(&s, &tm));

    return n + (size_t)snprintf(out + n, 40 - n, ".%03d ",
                                (int)(ns / 1000000 % 1000));
}

static void keep(struct box *box, const char *line, size_t n)
{
    if (!box->kept) box->kept = tw_calloc(1, KEPT_BYTES);
    if (!box->kept || box->n + n > KEPT_BYTES) {
        box->dropped++;
        return;
    }
    memcpy(box->kept + box->n, line, n);
    box->n += n;
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

static void say(const struct box *box, const char *line, size_t n)
{
    if (box->host->log) tw_log_write(box->host->log, TW_LOG_PRINT, "", line, n - 1);
    else box->host->print(line, n, never, NULL);
}

static void on_line(void *ctx, int64_t time_ns, enum tw_log_level level, const char *who,
                    const char *words, size_t n)
{
    static const char *const names[] = { "error: ", "warning: ", "", "" };
    struct box *box = ctx;
    size_t room = n + 64, at;
    char *line = tw_calloc(1, room);

    (void)who;
    if (!line) {
        box->dropped++;
        return;
    }
    at = stamp(time_ns, line);
    at += (size_t)snprintf(line + at, room - at, "%s", names[level]);
    memcpy(line + at, words, n);
    line[at + n] = '\n';
    if (box->keep) keep(box, line, at + n + 1);
    else say(box, line, at + n + 1);
    tw_free(line);
}

/* A line of data that is none; false: it is why the run ends. */
static bool on_problem(void *ctx, const char *words)
{
    struct box *box = ctx;

    if (!box->skip_bad) return false;
    if (++box->problems <= PROBLEMS)
        tw_log_printf(box->b->host.log, TW_LOG_WARN, "", "%s", words);
    return true;
}

static void on_crossed(void *ctx, const char *words)
{
    struct box *box = ctx;

    tw_log_printf(box->b->host.log, TW_LOG_WARN, "", "%s", words);
}

/* [-0, +0, -]  progress(done, all, records, time) -> go on? */
static bool on_progress(void *ctx)
{
    struct box *box = ctx;
    struct ltw_backtest *b = box->b;
    lua_State *L = box->L;
    bool goes_on;

    if (!box->progress) return true;
    lua_pushvalue(L, box->progress);
    lua_pushinteger(L, (lua_Integer)tw_history_done(b->history));
    lua_pushinteger(L, (lua_Integer)tw_history_bytes(b->history));
    lua_pushinteger(L, (lua_Integer)b->records);
    lua_pushinteger(L, ltw_time_ns(&b->time));
    goes_on = lua_pcall(L, 4, 1, 0) == LUA_OK && lua_toboolean(L, -1);
    lua_pop(L, 1);
    return goes_on;
}

/* ---- the app file ---- */

/* [-0, +0, e]  Modules are looked for beside the file, whose path is at 1. */
static void set_paths(lua_State *L, struct box *box)
{
    const char *file = lua_tostring(L, 1), *slash = strrchr(file, '/');
    int dir = 2;

    lua_pushlstring(L, file, slash ? (size_t)(slash + 1 - file) : 0);
    lua_pushvalue(L, dir);
    lua_setfield(L, LUA_REGISTRYINDEX, LTW_DIRECTORY);
    lua_pushfstring(L, "%s?.lua", lua_tostring(L, dir));
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s;%s", lua_tostring(L, dir + 1), lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_settop(L, dir + 1);
    box->directory = lua_tostring(L, dir);
    box->search = lua_tostring(L, dir + 1);
}

/* [-2, +4, e]  Runs the file: its path, directory, search path, and what it declares stay
 * at 1 to 4, for the others to read. */
static int read_app(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);

    lua_settop(L, 0);
    ltw_push_thawed(L, &box->given);
    lua_getfield(L, 1, "file");
    lua_insert(L, 1);                             /* file, given */
    lua_setfield(L, LUA_REGISTRYINDEX, BOX);
    set_paths(L, box);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.app");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "backtest");
    lua_getfield(L, LUA_REGISTRYINDEX, BOX);
    lua_call(L, 1, 1);
    lua_replace(L, 4);
    return 4;
}

/* [-1, +0, e]  The instruments and scripts of what was declared go to the backtest. */
static int build(lua_State *L)
{
    struct box *box = lua_touserdata(L, 5);
    struct ltw_backtest *b = box->b;

    lua_pushvalue(L, 4);
    if (ltw_add_instruments(L, b->host.symbols, &b->error) < 0
        || ltw_desk_read(L, b->host.desk, b->host.symbols, &b->error) < 0)
        return 0;
    lua_getfield(L, 4, "scripts");
    for (int i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++, lua_pop(L, 3)) {
        const char *path = text(L, -1, "path");
        bool is_whole = path[0] == '/' || box->is_script;

        lua_pushfstring(L, "%s%s", is_whole ? "" : lua_tostring(L, 2), path);
        lua_getfield(L, -2, "options");
        if (ltw_backtest_add(b, L, text(L, -3, "name"), lua_tostring(L, -2),
                             ltw_check_any(L, -1)) < 0)
            return 0;
    }
    return 0;
}

/* [-1, +0, m]  Timers come behind all files. */
static int add_timers(lua_State *L)
{
    struct box *box = lua_touserdata(L, 5);
    struct ltw_backtest *b = box->b;

    lua_getfield(L, 4, "feeds");
    for (uint32_t i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++, lua_pop(L, 1)) {
        int64_t interval_ns;

        lua_getfield(L, -1, "every");
        interval_ns = (int64_t)(lua_tonumber(L, -1) * 1e9);
        lua_pop(L, 1);
        if (tw_history_add_timer(b->history, i, interval_ns, &b->error) < 0) return 0;
    }
    return 0;
}

/* Calls f in the app's state, above what is on its stack. */
static int in_app(struct box *box, lua_CFunction f, int results, struct tw_error *error)
{
    lua_State *L = box->app->L;
    int n = lua_gettop(L);

    error->code = TW_OK;
    lua_pushcfunction(L, f);
    for (int i = 1; i <= n; i++) lua_pushvalue(L, i);
    lua_pushlightuserdata(L, box);
    if (lua_pcall(L, n + 1, results, 0) != LUA_OK) {
        const char *why = lua_tostring(L, -1);

        tw_fail(error, TW_ESCRIPT, "%s", why ? why : "an error that is not a text");
        lua_pop(L, 1);
    }
    return error->code;
}

/* A state of its own, where nothing has an effect. */
static int open_app(struct box *box, struct tw_error *error)
{
    struct ltw_state *s = box->app = ltw_state_new(NULL, 0);

    if (s) s->tasks = ltw_tasks_new(s, NULL, NULL, NULL);
    if (!s || !s->tasks) return tw_fail(error, UV_ENOMEM, "not enough memory");
    strcpy(s->who, "main");
    return in_app(box, read_app, 4, error);
}

/* ---- data ---- */

/* [-0, +0, m]  The files of the list `data` of the table at 1. */
static int add_data(lua_State *L, struct ltw_backtest *b)
{
    struct tw_error *error = &b->error;
    struct tw_lean lean;

    lua_getfield(L, 1, "data");
    for (int i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++, lua_pop(L, 1)) {
        struct tw_history_file file = {
            .path = text(L, -1, "path"), .member = text(L, -1, "member"),
            .format = text(L, -1, "format"),
        };

        if (ltw_csv_options(L, &file.csv, &lean, error) < 0) return error->code;
        file.csv.source = 1;
        if (tw_history_add(b->history, &file, error) < 0) return error->code;
    }
    lua_pop(L, 2);
    return TW_OK;
}

/* ---- the result ---- */

static void push_log(lua_State *L, const struct box *box)
{
    const char *at = box->kept, *end = box->kept + box->n, *stop;

    lua_newtable(L);
    for (int i = 1; at < end; i++, at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        lua_pushlstring(L, at, (size_t)(stop - at));
        lua_rawseti(L, -2, i);
    }
}

/* [-0, +1, e] */
static void push_result(lua_State *L, const struct box *box)
{
    ltw_push_result(L, box->b, !boolean(L, 1, "brief"), boolean(L, 1, "list"));
    ltw_set_count(L, "bad", box->problems);
    if (!box->keep) return;
    push_log(L, box);
    lua_setfield(L, -2, "log");
    ltw_set_count(L, "log_dropped", box->dropped);
}

/* ---- for Lua ---- */

/* What the caller says, and what the app file does where the caller says nothing. */
static void read_options(lua_State *L, struct box *box, struct ltw_backtest_options *o)
{
    lua_State *A = box->app->L;

    *o = (struct ltw_backtest_options){
        .from_ns = integer(L, 1, "from", INT64_MIN),
        .to_ns = integer(L, 1, "to", INT64_MAX),
        .warmup_ns = integer(L, 1, "warmup_ns", 0),
        .warmup_records = (uint64_t)integer(L, 1, "warmup_records", 0),
        .capacity = (size_t)integer(A, 4, "capacity", 0),
        .single_steps = boolean(L, 1, "single_steps"), .charts = !boolean(L, 1, "brief"),
        .directory = box->directory, .search = box->search, .outer = ltw_state(L),
        .line = on_line, .ctx = box,
    };
    lua_getfield(A, 4, "memory");
    lua_getfield(L, 1, "memory");
    o->memory_max = (size_t)(luaL_optnumber(L, -1, luaL_optnumber(A, -1, 1024)) * MIB);
    lua_pop(A, 1);
    lua_pop(L, 1);
    if (lua_getfield(L, 1, "progress") == LUA_TFUNCTION) {
        box->progress = lua_gettop(L);
        o->progress = on_progress;
    }
}

/* [-0, +3, m] */
static int not_run(lua_State *L, const struct tw_error *error, const char *why)
{
    if (error->code == UV_ENOMEM && !why) return luaL_error(L, "%s", error->text);
    luaL_pushfail(L);
    lua_pushstring(L, why ? why : error->text);
    lua_pushinteger(L, error->code);
    return 3;
}

/* [-0, +?, e]  (options, given, box): protected. */
static int perform(lua_State *L)
{
    struct box *box = lua_touserdata(L, 3);
    struct ltw_backtest_options o;
    struct ltw_backtest *b;
    struct tw_error error;

    box->given = ltw_check_any_named(L, 2, "options");
    box->is_script = boolean(L, 2, "script");
    box->skip_bad = boolean(L, 1, "skip_bad");
    box->keep = boolean(L, 1, "keep");
    if (open_app(box, &error) < 0) return not_run(L, &error, NULL);
    read_options(L, box, &o);
    b = box->b = ltw_backtest_new(&o);
    if (!b) return luaL_error(L, "not enough memory");
    if (ltw_state(L)->task && ltw_state(L)->task->level > 0)
        b->host.pool_options.threads = 1;   /* the other threads have runs of their own */
    b->history = tw_history_new(b->host.symbols, on_problem, on_crossed, box);
    if (!b->history) return luaL_error(L, "not enough memory");
    if (in_app(box, build, 0, &b->error) == TW_OK && add_data(L, b) == TW_OK)
        in_app(box, add_timers, 0, &b->error);
    ltw_state_free(box->app);
    box->app = NULL;
    if (b->error.code < 0 || ltw_backtest_run(b) < 0)
        return not_run(L, &b->error, b->why);
    push_result(L, box);
    return 1;
}

/* run(options, given) -> result | nil, message, code
 * options: see read_options, and data; given: as app.backtest takes it. */
static int run(lua_State *L)
{
    struct ltw_state *outer = ltw_state(L);
    struct box *box;
    int status;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct box){ .host = outer->host, .L = L };
    luaL_setmetatable(L, BOX);
    lua_pushcfunction(L, perform);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushlightuserdata(L, box);
    status = lua_pcall(L, 3, LUA_MULTRET, 0);
    close_box(box);
    ltw_tasks_are_mine(outer->tasks);
    if (status != LUA_OK) return lua_error(L);
    return lua_gettop(L) - 3;
}

/* time(text) -> ns | nil: a date, in UTC unless it says otherwise */
static int read_time(lua_State *L)
{
    size_t n;
    const char *words = luaL_checklstring(L, 1, &n);
    int64_t ns;

    if (tw_timestamp_parse(words, n, TW_CSV_ISO, &ns) < 0) return 0;
    lua_pushinteger(L, ns);
    return 1;
}

/* is_terminal() -> boolean: may progress be drawn on standard error? */
static int is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty(STDERR_FILENO));
    return 1;
}

static const luaL_Reg internal[] = {
    { "run", run },
    { "time", read_time },
    { "is_terminal", is_terminal },
    { NULL, NULL }
};

int luaopen_tw_internal_backtest(lua_State *L)
{
    luaL_newmetatable(L, BOX);
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, internal);
    return 1;
}
