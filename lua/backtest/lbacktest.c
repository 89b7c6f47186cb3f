/* lbacktest.c - tw.internal.backtest: a run over data, from a table to its result.
 *
 * stdlib/backtest.lua has checked the table's names and types.
 */
#include "backtest/lbacktest.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backtest/backtest.h"
#include "base/date.h"
#include "base/memory.h"
#include "trade/desk.h"
#include "distrust.h"
#include "feed/extent.h"
#include "feed/gaps.h"
#include "run/idle.h"
#include "run/instance.h"
#include "trade/instruments.h"
#include "backtest/ldata.h"
#include "lerror.h"
#include "backtest/lexplain.h"
#include "lfield.h"
#include "backtest/lresult.h"
#include "lsha256.h"
#include "share/lvalue.h"
#include "share/lview.h"
#include "fix/recorded.h"
#include "source.h"
#include "task/task.h"
#include "task/tasks.h"
#include "tty.h"
#include "backtest/unread.h"
#include "watchdog.h"
#include "backtest/worth.h"

#define BOX "tw.backtest.run"

#define MIB 1048576.0
#define TIME_MAX 60.0   /* seconds of a handler: it may prepare much, nobody waits */
enum { KEPT_BYTES = 1 << 18, PROBLEMS = 10 };

/* A run, and what it says.  A full userdata, so that an error leaves nothing open. */
struct box {
    struct ltw_backtest *b;
    struct ltw_state *app;        /* the app file's; NULL: a script alone           */
    lua_State *A;                 /* its, or a coroutine of who asked; see read_app  */
    struct ltw_host *host;        /* of who asked                                   */
    lua_State *L;                 /* likewise                                       */
    int progress, warn;           /* functions on its stack; 0: none                */
    struct tw_any given;          /* to app.backtest                                */
    struct tw_any declared;       /* for look                                       */
    const char *directory, *search;   /* on the stack of A                          */
    const char *dictionary;       /* of FIX sessions, on the stack of L; or NULL    */
    bool is_script;               /* the file, not an app                           */
    bool keep, silent;            /* lines are kept; nobody wants them              */
    bool skip_bad;                /* bad lines of data are left out                 */
    char *kept;                   /* lines, each with a newline                     */
    size_t n;
    unsigned dropped, problems;
    int64_t time_max_ns;          /* of a handler; 0: no limit                      */
    struct tw_probe probe;        /* its id is 0: none                              */
};

static void close_box(struct box *box)
{
    ltw_backtest_free(box->b);
    ltw_state_free(box->app);
    tw_free(box->kept);
    tw_probe_fini(&box->probe);
    tw_any_unref(&box->given);
    tw_any_unref(&box->declared);
    box->given.kind = box->declared.kind = TW_VALUE_NIL;
    box->b = NULL;
    box->app = NULL;
    box->kept = NULL;
}

static int box_gc(lua_State *L)
{
    if (ltw_is_finalizer(L)) close_box(luaL_checkudata(L, 1, BOX));
    return 0;
}

/* ---- what is said ---- */

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
    char *line, when[TW_DATE_TEXT] = "";
    size_t room = n + 64, at;

    (void)who;
    if (box->silent) return;
    if (time_ns != 0) tw_date_text(time_ns, TW_DATE_MS, when);   /* 0: nothing is read */
    line = tw_calloc(1, room);
    if (!line) {
        box->dropped++;
        return;
    }
    at = (size_t)snprintf(line, room, "%s%s%s", when, *when ? " " : "", names[level]);
    memcpy(line + at, words, n);
    line[at + n] = '\n';
    if (box->keep) keep(box, line, at + n + 1);
    else say(box, line, at + n + 1);
    tw_free(line);
}

/* [-0, +0, -]  What is to be said of data: warn(text), or it goes into the log. */
static void on_note(void *ctx, const char *words)
{
    struct box *box = ctx;
    lua_State *L = box->L;

    if (!box->warn) {
        tw_log_printf(box->b->host.log, TW_LOG_WARN, "", "%s", words);
        return;
    }
    lua_pushvalue(L, box->warn);
    lua_pushstring(L, words);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

/* A line of data that is none; false: it is why the run ends. */
static bool on_problem(void *ctx, const char *words)
{
    struct box *box = ctx;

    if (!box->skip_bad) return false;
    if (++box->problems <= PROBLEMS) on_note(box, words);
    return true;
}

/* Does a script of that name in a recording run here?  "mean#2" is the second instance of
 * "mean"; a lone script has no folder in its name. */
static bool is_own(void *ctx, const char *script)
{
    const struct box *box = ctx;
    const char *slash = strrchr(script, '/'), *name = script, *end;

    if (box->is_script && slash) name = slash + 1;
    end = strrchr(name, '#');
    if (!end || end[1] == '\0' || end[1 + strspn(end + 1, "0123456789")] != '\0')
        end = name + strlen(name);
    for (unsigned i = 0; i < box->b->n; i++) {
        const char *own = box->b->scripts[i].name;

        if (strncmp(own, name, (size_t)(end - name)) == 0
            && own[end - name] == '\0') return true;
    }
    return false;
}

/* By which dictionary messages of a FIX session are read: what the caller says, or what
 * the file does. */
static void on_topic(void *ctx, const char *topic, const char *dictionary) TW_ON(MAIN)
{
    struct box *box = ctx;
    struct tw_error why;

    if (box->dictionary) dictionary = box->dictionary;
    if (!ltw_recorded_add(&box->b->host, topic, dictionary, &why))
        on_note(box, why.text);
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

/* [-0, +2, m]  The directory of the file, whose path is at 1, and the path by which
 * modules are looked for there. */
static void push_paths(lua_State *L, struct box *box)
{
    const char *file = lua_tostring(L, 1), *slash = strrchr(file, '/');

    box->directory = lua_pushlstring(L, file, slash ? (size_t)(slash + 1 - file) : 0);
    box->search = lua_pushfstring(L, "%s?.lua", box->directory);
}

/* [-0, +0, m]  An app file's own state looks for modules there. */
static void set_paths(lua_State *L, const struct box *box)
{
    lua_pushstring(L, box->directory);
    lua_setfield(L, LUA_REGISTRYINDEX, LTW_DIRECTORY);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s;%s", box->search, lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 2);
}

/* [-1, +4, e]  Runs the file, but not a script: its path, directory, search path, and
 * what it declares stay at 1 to 4, for the others to read. */
static int read_app(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);

    lua_settop(L, 0);
    ltw_push_thawed(L, &box->given);
    lua_getfield(L, 1, "file");
    lua_insert(L, 1);
    if (lua_type(L, 1) != LUA_TSTRING)
        return luaL_error(L, "file: a path expected, got %s", luaL_typename(L, 1));
    push_paths(L, box);
    lua_rotate(L, 2, -1);                         /* file, directory, search, given */
    if (box->app) set_paths(L, box);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.app");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "backtest");
    lua_pushvalue(L, 4);
    lua_call(L, 1, 1);
    lua_replace(L, 4);
    lua_settop(L, 4);
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
    ltw_backtest_declared(b);
    lua_getfield(L, 4, "scripts");
    for (int i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++, lua_pop(L, 3)) {
        const char *path = ltw_text_at(L, -1, "path");
        bool is_whole = path[0] == '/' || box->is_script;

        lua_pushfstring(L, "%s%s", is_whole ? "" : lua_tostring(L, 2), path);
        lua_getfield(L, -2, "options");
        if (ltw_backtest_add(b, L, ltw_text_at(L, -3, "name"), lua_tostring(L, -2),
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

/* [-1, +0, -]  Why its code failed, which is on top.  What ends a script alone is told to
 * the state that reads it: only an app has a limit of its own. */
static void tell_failure(lua_State *L, const struct box *box, struct tw_error *error)
{
    const char *why = lua_tostring(L, -1);
    bool is_over = ltw_state(L)->overrun;

    if (is_over && box->app && !ltw_watchdog_is_told(box->app)) {
        lua_getfield(L, LUA_REGISTRYINDEX, LTW_OVERRUN);   /* a name that is there */
        tw_fail(error, TW_ESCRIPT, "the app file ran for more than %g s without returning"
                "\n%s", (double)box->time_max_ns / 1e9, lua_tostring(L, -1));
        lua_pop(L, 2);
        return;
    }
    if (is_over) why = "stopped";
    tw_fail(error, TW_ESCRIPT, "%s", why ? why : "an error that is not a text");
    lua_pop(L, 1);
}

/* Calls f on A, above what is on its stack. */
static int in_app(struct box *box, lua_CFunction f, int results, struct tw_error *error)
{
    lua_State *L = box->A;
    int n = lua_gettop(L), status;
    struct ltw_alarm alarm;
    bool has_alarm = box->app && ltw_alarm_set(&alarm, box->app, box->host,
                                               box->time_max_ns);

    error->code = TW_OK;
    lua_pushcfunction(L, ltw_error_as_text);
    lua_pushcfunction(L, f);
    for (int i = 1; i <= n; i++) lua_pushvalue(L, i);
    lua_pushlightuserdata(L, box);
    if (box->app) ltw_watchdog_enter(box->app, L);
    status = lua_pcall(L, n + 1, results, n + 1);
    lua_remove(L, n + 1);
    if (box->app) ltw_watchdog_leave(box->app);
    if (has_alarm) ltw_alarm_clear(&alarm, box->host);
    if (status != LUA_OK) tell_failure(L, box, error);
    return error->code;
}

/* [-0, +0, e] */
static int distrust(lua_State *L)
{
    ltw_distrust(L);
    return 0;
}

/* [-0, +1, m]  An app file runs in a state of its own, where nothing has an effect; of a
 * script alone nothing runs yet: a coroutine, which is on the stack, will do. */
static int open_app(lua_State *L, struct box *box, struct tw_error *error)
{
    struct ltw_state *s;

    box->A = lua_newthread(L);
    if (box->is_script) return in_app(box, read_app, 4, error);
    s = box->app = ltw_state_new(NULL, 0);
    if (s) s->tasks = ltw_tasks_new(s, NULL, NULL, NULL);
    if (!s || !s->tasks) return tw_fail(error, UV_ENOMEM, "not enough memory");
    box->A = s->L;
    strcpy(s->who, "main");
    if (ltw_state(L)->distrusted && in_app(box, distrust, 0, error) < 0)
        return error->code;
    s->outer = ltw_state(box->L);
    return in_app(box, read_app, 4, error);
}

/* All records were of the warm-up. */
static void nothing_left(struct ltw_backtest *b)
{
    unsigned long long n = b->records;
    char wanted[TW_EXTENT_TEXT];

    if (b->o.from_ns > INT64_MIN)
        tw_fail(&b->error, TW_EFORMAT, "there is no record%s, but for %llu of the"
                " warm-up", tw_extent_wanted(b->o.from_ns, b->o.to_ns, wanted), n);
    else
        tw_fail(&b->error, TW_EFORMAT, "the warm-up is longer than the data: all %llu"
                " records are of it", n);
}

/* From when on records are needed: all, where they are counted, or timers count from the
 * first one. */
static int64_t since(const struct box *box)
{
    const struct ltw_backtest_options *o = &box->b->o;
    lua_State *A = box->A;
    bool counts;

    lua_getfield(A, 4, "feeds");
    counts = lua_rawlen(A, -1) > 0 || o->warmup_records > 0;
    lua_pop(A, 1);
    return counts || o->from_ns < INT64_MIN + o->warmup_ns ? 0
           : o->from_ns - o->warmup_ns;
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

/* [-0, +0, e]  Of a script; the first such text is a field of the result on top. */
static void tell(lua_State *L, struct box *box, const char *field, const char *text)
{
    on_note(box, text);
    if (lua_getfield(L, -1, field) == LUA_TNIL) {
        lua_pushstring(L, text);
        lua_setfield(L, -3, field);
    }
    lua_pop(L, 1);
}

/* [-0, +0, e]  Scripts that have done nothing, spent what they had not, or never read
 * what they were given. */
static void tell_of_scripts(lua_State *L, struct box *box)
{
    const struct ltw_backtest *b = box->b;
    char text[LTW_IDLE_TEXT], more[LTW_WORTH_TEXT];

    for (unsigned i = 0; i < b->n; i++) {
        if (ltw_idle_text(b->engine.scripts[i], text))
            tell(L, box, "idle", text);
        if (ltw_worth_overdrawn(b, i, more)) tell(L, box, "overdrawn", more);
        if (ltw_unread_text(L, &b->engine.scripts[i]->code, b->engine.scripts[i]->o,
                            text))
            tell(L, box, "unread", text);
    }
}

/* [-0, +1, e] */
static void push_result(lua_State *L, struct box *box)
{
    char gaps[TW_GAPS_TEXT];

    ltw_push_result(L, box->b, !ltw_boolean_at(L, 1, "brief"),
                    ltw_boolean_at(L, 1, "list"));
    ltw_set_count(L, "bad", box->problems);
    tell_of_scripts(L, box);
    ltw_push_unknown(L, box->b);
    lua_setfield(L, -2, "unknown");
    if (box->b->gaps && tw_gaps_text(box->b->gaps, box->b->host.symbols, gaps))
        ltw_set_text(L, "gaps", gaps);
    if (ltw_boolean_at(L, 1, "sources")) {
        ltw_push_sources(L, box->b);
        lua_setfield(L, -2, "sources");
        lua_getfield(L, 1, "modules");
        lua_setfield(L, -2, "modules");
    }
    if (box->probe.id) {
        ltw_push_probe(L, &box->probe);
        lua_setfield(L, -2, "probe");
    }
    if (!box->keep) return;
    push_log(L, box);
    lua_setfield(L, -2, "log");
    ltw_set_count(L, "log_dropped", box->dropped);
}

/* ---- for Lua ---- */

/* What the caller says, and what the app file does where the caller says nothing. */
static void read_options(lua_State *L, struct box *box, struct ltw_backtest_options *o)
{
    lua_State *A = box->A;
    double time = ltw_number_at(L, 1, "time", -1);

    if (time < 0) time = ltw_number_at(A, 4, "time", TIME_MAX);
    box->time_max_ns = (int64_t)(time * 1e9);
    *o = (struct ltw_backtest_options){
        .time_max_ns = box->time_max_ns,
        .from_ns = ltw_integer_at(L, 1, "from", INT64_MIN),
        .to_ns = ltw_integer_at(L, 1, "to", INT64_MAX),
        .warmup_ns = ltw_integer_at(L, 1, "warmup_ns", 0),
        .benchmark = ltw_text_at(L, 1, "benchmark"),
        .warmup_records = (uint64_t)ltw_integer_at(L, 1, "warmup_records", 0),
        .capacity = (size_t)ltw_integer_at(A, 4, "capacity", 0),
        .single_steps = ltw_boolean_at(L, 1, "single_steps"),
        .brief = ltw_boolean_at(L, 1, "brief"),
        .forgets = ltw_boolean_at(L, 1, "brief") && !ltw_boolean_at(L, 1, "list"),
        .directory = box->directory, .search = box->search, .outer = ltw_state(L),
        .line = on_line, .ctx = box,
    };
    if (lua_getfield(L, 1, "probe") == LUA_TTABLE) {
        int table = lua_gettop(L);

        box->probe.id = (uint64_t)ltw_integer_at(L, table, "id", 0);
        o->probed = (uint32_t)ltw_integer_at(L, table, "script", 0);
        o->probe = &box->probe;
    }
    lua_pop(L, 1);
    lua_getfield(A, 4, "memory");
    lua_getfield(L, 1, "memory");
    o->memory_max = (size_t)(luaL_optnumber(L, -1, luaL_optnumber(A, -1, 1024)) * MIB);
    lua_pop(A, 1);
    lua_pop(L, 1);
    if (lua_getfield(L, 1, "progress") == LUA_TFUNCTION) {
        box->progress = lua_gettop(L);
        o->progress = on_progress;
    }
    if (lua_getfield(L, 1, "warn") == LUA_TFUNCTION) box->warn = lua_gettop(L);
}

/* [-0, +0, m]  Paths of the modules that the app file has required: to the options. */
static void keep_modules(lua_State *L, lua_State *A)
{
    lua_newtable(L);
    lua_getfield(A, 4, "modules");
    for (int i = 1; lua_rawgeti(A, -1, i) == LUA_TSTRING; i++, lua_pop(A, 1)) {
        lua_pushstring(L, lua_tostring(A, -1));
        lua_rawseti(L, -2, i);
    }
    lua_pop(A, 2);
    lua_setfield(L, 1, "modules");
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
    struct tw_resolutions only;
    struct ltw_backtest *b;
    struct tw_error error;

    box->given = ltw_check_any_named(L, 2, "options");
    box->is_script = ltw_boolean_at(L, 2, "script");
    box->skip_bad = ltw_boolean_at(L, 1, "skip_bad");
    box->keep = ltw_boolean_at(L, 1, "keep");
    box->dictionary = ltw_text_at(L, 1, "dictionary");
    box->silent = ltw_boolean_at(L, 1, "silent");
    box->time_max_ns = (int64_t)(ltw_number_at(L, 1, "time", TIME_MAX) * 1e9);
    if (open_app(L, box, &error) < 0) return not_run(L, &error, NULL);
    read_options(L, box, &o);
    keep_modules(L, box->A);
    b = box->b = ltw_backtest_new(&o);
    if (!b) return luaL_error(L, "not enough memory");
    if (ltw_state(L)->task && ltw_state(L)->task->level > 0)
        b->host.pool_options.threads = 1;   /* the other threads have runs of their own */
    b->history = tw_history_new(b->host.symbols, on_problem, on_note, box);
    if (!b->history || (!box->silent && !(b->mix = tw_mix_new())))
        return luaL_error(L, "not enough memory");
    tw_history_name_sources(b->history, &b->host.sources);
    ltw_read_resolutions(L, 1, &only);
    tw_history_only(b->history, &only);
    b->gaps_of_ticks = ltw_integer_at(L, 1, "gaps", 0) > 0;
    if (ltw_integer_at(L, 1, "gaps", -1) >= 0
        && !(b->gaps = tw_gaps_new(ltw_integer_at(L, 1, "gaps", 0))))
        return luaL_error(L, "not enough memory");
    if (ltw_boolean_at(L, 1, "messages"))
        tw_history_add_messages(b->history, b->host.topics, is_own, on_topic);
    if (in_app(box, build, 0, &b->error) == TW_OK
        && ltw_add_data(L, 1, since(box), b->history, &b->error) == TW_OK)
        in_app(box, add_timers, 0, &b->error);
    ltw_state_free(box->app);
    box->app = NULL;
    if (b->error.code == TW_OK) ltw_backtest_run(b);
    if (b->is_empty && (only.n > 0 || o.from_ns > INT64_MIN || o.to_ns < INT64_MAX))
        ltw_tell_extent(L, 1, only.n > 0, &b->error);
    if (b->error.code == TW_OK && b->handled == 0) nothing_left(b);
    if (b->error.code < 0)
        return not_run(L, &b->error, ltw_backtest_why(b));
    if (!box->silent) ltw_tell_data(b, on_note, box);
    push_result(L, box);
    if (box->is_script && b->engine.scripts[0]->code.declares) {
        ltw_push_thawed(L, &b->engine.scripts[0]->code.params);
        lua_setfield(L, -2, "params");
    }
    return 1;
}

/* [-0, +1, m] */
static struct box *new_box(lua_State *L)
{
    struct box *box = lua_newuserdatauv(L, sizeof *box, 0);

    *box = (struct box){ .host = ltw_state(L)->host, .L = L,
                         .time_max_ns = (int64_t)(TIME_MAX * 1e9) };
    luaL_setmetatable(L, BOX);
    return box;
}

/* [-1, +0, e]  What decides how a run goes, of what is declared at 4. */
static int declare(lua_State *L)
{
    static const char *const names[] = {
        "scripts", "feeds", "instruments", "attributes", "calendars", "risk", "venue",
        "capacity", "memory", "params", NULL
    };
    struct box *box = lua_touserdata(L, 5);

    lua_newtable(L);
    for (int i = 0; names[i]; i++) {
        lua_getfield(L, 4, names[i]);
        lua_setfield(L, -2, names[i]);
    }
    box->declared = ltw_check_any_named(L, -1, "what the app declares");
    return 0;
}

/* [-0, +?, e]  (given, box): protected. */
static int perform_look(lua_State *L)
{
    struct box *box = lua_touserdata(L, 2);
    struct tw_error error;

    box->given = ltw_check_any_named(L, 1, "options");
    box->is_script = ltw_boolean_at(L, 1, "script");
    if (open_app(L, box, &error) < 0 || in_app(box, declare, 0, &error) < 0)
        return not_run(L, &error, NULL);
    ltw_push_thawed(L, &box->declared);
    return 1;
}

/* [-0, +0, e]  What the script in the state of the run declares.  Protected. */
static int take_declaration(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);

    if (ltw_code_push_declaration(L, &box->b->engine.scripts[0]->code))
        box->declared = ltw_check_any_named(L, -1, "what the script declares");
    return 0;
}

/* [-0, +?, e]  (given, box): protected. */
static int perform_declared(lua_State *L)
{
    struct box *box = lua_touserdata(L, 2);
    struct ltw_backtest_options o = {
        .memory_max = (size_t)(1024 * MIB), .time_max_ns = box->time_max_ns,
        .outer = ltw_state(L), .line = on_line, .ctx = box,
    };
    struct ltw_backtest *b;
    struct tw_error error;

    box->given = ltw_check_any_named(L, 1, "options");
    box->is_script = box->silent = true;
    if (open_app(L, box, &error) < 0) return not_run(L, &error, NULL);
    o.directory = box->directory;
    o.search = box->search;
    b = box->b = ltw_backtest_new(&o);
    if (!b) return luaL_error(L, "not enough memory");
    tw_epoch_back(b->reader);
    if (in_app(box, build, 0, &b->error) == TW_OK && ltw_backtest_open(b) == TW_OK) {
        lua_State *S = b->engine.state->L;

        lua_pushcfunction(S, take_declaration);
        lua_pushlightuserdata(S, box);
        if (lua_pcall(S, 1, 0, 0) != LUA_OK)
            tw_fail(&b->error, TW_ESCRIPT, "%s", lua_tostring(S, -1));
    }
    tw_epoch_away(b->reader);
    if (b->error.code < 0) return not_run(L, &b->error, ltw_backtest_why(b));
    ltw_push_thawed(L, &box->declared);
    return 1;
}

/* [-0, +?, e]  Calls f(the n tables that there are to be, a box). */
static int with_box(lua_State *L, lua_CFunction f, int n)
{
    struct ltw_state *outer = ltw_state(L);
    struct box *box;
    int status;

    for (int i = 1; i <= n; i++) luaL_checktype(L, i, LUA_TTABLE);
    lua_settop(L, n);
    box = new_box(L);
    lua_pushcfunction(L, f);
    for (int i = 1; i <= n; i++) lua_pushvalue(L, i);
    lua_pushlightuserdata(L, box);
    status = lua_pcall(L, n + 1, LUA_MULTRET, 0);
    close_box(box);
    ltw_tasks_are_mine(outer->tasks);
    if (status != LUA_OK) return lua_error(L);
    return lua_gettop(L) - n - 1;
}

/* run(options, given) -> result | nil, message, code
 * options: see read_options, and data; given: as app.backtest takes it. */
static int run(lua_State *L)
{
    return with_box(L, perform, 2);
}

/* look(given) -> table | nil, message, code
 * What an app declares that decides how its backtest goes; given as app.backtest takes
 * it. */
static int look(lua_State *L)
{
    return with_box(L, perform_look, 1);
}

/* declared(given) -> table | nil [, message, code]
 * What a script declares with tw.strategy; nil alone: nothing.  given: its file. */
static int declared(lua_State *L)
{
    return with_box(L, perform_declared, 1);
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

/* columns(fd) -> integer | nil: of the terminal that it is; 80 where that doesn't say */
static int columns(lua_State *L)
{
    int fd = (int)luaL_checkinteger(L, 1);
    struct ltw_tty size;

    if (!isatty(fd)) return 0;
    ltw_tty_size(fd, &size);
    lua_pushinteger(L, size.columns);
    return 1;
}

static const luaL_Reg internal[] = {
    { "run", run },
    { "look", look },
    { "declared", declared },
    { "sha256", ltw_sha256_of_file },
    { "directory", ltw_directory },
    { "time", read_time },
    { "columns", columns },
    { NULL, NULL }
};

int luaopen_tw_internal_backtest(lua_State *L)
{
    ltw_push_type(L, BOX, box_gc);
    luaL_newlib(L, internal);
    return 1;
}
