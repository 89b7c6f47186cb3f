/* tw.c - module tw: waiting, publishing, the time, what is known of symbols. */
#include <string.h>

#include "base/fixed.h"
#include "trade/desk.h"
#include "share/lchannel.h"
#include "trade/lbook.h"
#include "share/lfuture.h"
#include "ltime.h"
#include "share/lvalue.h"
#include "reload/outputs.h"
#include "task/park.h"
#include "reload/reload.h"
#include "run/script.h"
#include "source.h"
#include "tidewire.h"

#define PENDING "tw.message"
enum { RETRY_NS = 1000000 };

/* A handler is told of the end of the run by what it waits with; a task that its script
 * has begun, by its cancellation, which ends its loop too. */
static bool is_told(lua_State *L)
{
    struct ltw_script *s = ltw_state(L)->script;

    return s && ltw_script_is_handling(s) && ltw_script_stopping(s);
}

static int after_sleep(lua_State *L, int status, lua_KContext due_ns)
{
    (void)status;
    do {
        if (is_told(L)) return ltw_fail(L, TW_ESTOPPED);
        if (ltw_task_is_due(L, due_ns)) {
            lua_pushboolean(L, 1);
            return 1;
        }
    } while (!ltw_task_park(L, NULL, 0, due_ns, "sleep"));
    return lua_yieldk(L, 0, due_ns, after_sleep);
}

/* tw.sleep(seconds) -> true | nil, message, code
 * Waits; other tasks run meanwhile.  In a handler the script's cursor waits too: no
 * record is lost or handled twice.
 * Yields: for that time, and at least once.  Blocks: no; outside all tasks the caller
 * alone waits.  Thread: any.
 * Errors: raises when seconds is negative or not a number, when the task is cancelled
 * or its time is over, and where nothing can wait (in table.sort, say); nil in a handler
 * when the run is ending.  Units: seconds. */
static int sleep_for(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 1);
    int64_t due_ns;

    luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 1, "seconds must be in 0 .. 1e9");
    if (is_told(L)) return ltw_fail(L, TW_ESTOPPED);
    due_ns = ltw_task_due_ns(L, 1);
    if (ltw_task_park(L, NULL, 0, due_ns, "sleep"))
        return lua_yieldk(L, 0, due_ns, after_sleep);
    return after_sleep(L, LUA_OK, due_ns);
}

/* A message that is not on the tape yet owns its value. */
static int pending_gc(lua_State *L)
{
    struct tw_record *r = luaL_checkudata(L, 1, PENDING);

    if (!ltw_is_finalizer(L)) return 0;
    if (r->message.value_kind == TW_VALUE_BLOCK) tw_value_unref(r->message.value.block);
    r->message.value_kind = TW_VALUE_NIL;
    return 0;
}

int ltw_append(lua_State *L, int status, lua_KContext context)
{
    struct ltw_host *host = ltw_state(L)->host;
    struct ltw_script *s = ltw_state(L)->script;
    struct tw_record *r = lua_touserdata(L, 3);
    int rc = tw_tape_try_append(host->tape, r, 1);

    (void)status;
    tw_tape_wake(host->tape);
    if (rc == TW_OK) {
        r->message.value_kind = TW_VALUE_NIL;   /* the slot owns it now */
        lua_pushboolean(L, 1);
        return 1;
    }
    if (!ltw_state(L)->task) return ltw_fail(L, TW_EFULL);
    if (is_told(L)) return ltw_fail(L, TW_ESTOPPED);
    if (s && ltw_script_is_handling(s) && ltw_script_is_full(s))
        return luaL_error(L, "tw.publish: no room: the tape (%I records) is full of what"
                          " this script has not read yet; it publishes too much for a"
                          " record, or the tape is too small (app.tape)",
                          (lua_Integer)tw_tape_capacity(host->tape));
    if (ltw_task_park(L, NULL, 0, ltw_again_ns(ltw_state(L), RETRY_NS), "publish"))
        return lua_yieldk(L, 0, context, ltw_append);
    return ltw_append(L, LUA_OK, context);
}

/* tw.publish(topic, value) -> true | nil, message, code
 * Puts a message on the tape: every script with an on_message that wants the
 * topic gets the value, frozen (tw.freeze) and not copied, in one order with the
 * quotes.  The script itself does not.
 * Yields: while another script that the tape waits for is a whole tape behind.
 * Blocks: no.  Thread: any worker.
 * Errors: raises for a topic of 0 or more than 63 bytes, for a value that can't
 * be frozen (it names the part), outside a run, and when the tape is full of what
 * the script itself has not read; nil in a handler when the run is ending.
 * Units: none. */
int ltw_publish(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "tw.publish");
    struct ltw_script *s = ltw_state(L)->script;
    size_t n;
    const char *topic = luaL_checklstring(L, 1, &n);
    int64_t id;
    struct tw_record *r;
    struct tw_any value;

    luaL_checkany(L, 2);
    luaL_argcheck(L, n > 0 && n <= TW_NAME_MAX, 1, "a topic has 1 to 63 bytes");
    id = tw_names_intern(host->topics, topic, n);
    if (id < 0) return luaL_error(L, "tw.publish: topic '%s': %s", topic,
                                  tw_strerror((int)id));
    lua_settop(L, 2);
    r = lua_newuserdatauv(L, sizeof *r, 0);
    *r = (struct tw_record){ .kind = TW_MESSAGE, .time = ltw_now_ns(ltw_state(L)) };
    luaL_setmetatable(L, PENDING);
    value = ltw_check_any(L, 2);
    if (host->replays || !ltw_output(L, LTW_MESSAGE, topic, NULL, NULL, &value)) {
        tw_any_unref(&value);
        lua_pushboolean(L, 1);
        return 1;
    }
    r->received = r->time;
    r->message.topic = (uint32_t)id;
    r->message.script = s ? ltw_script_options(s)->id : 0;
    r->message.value_kind = value.kind;
    r->message.value.integer = value.integer;
    return ltw_append(L, LUA_OK, 0);
}

/* tw.now() -> integer
 * The wall clock; in a backtest the time of the event.
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.
 * Units: nanoseconds since the epoch, as the time of a quote. */
static int now(lua_State *L)
{
    lua_pushinteger(L, ltw_now_ns(ltw_state(L)));
    return 1;
}

/* tw.clock() -> number
 * A clock that never goes back, to measure durations with; in a backtest as tw.now.
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds. */
static int steady(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)ltw_steady_ns(ltw_state(L)) / 1e9);
    return 1;
}

/* [-0, +1, m]  {id, symbol, sector, weight, tick_size, lot_size, and the user's own} */
static void push_instrument(lua_State *L, struct ltw_host *host, uint32_t id)
{
    struct tw_instrument in = tw_symbols_get(host->symbols, id);

    lua_createtable(L, 0, 6);
    ltw_set_integer(L, "id", id);
    ltw_set_text(L, "symbol", tw_symbols_name(host->symbols, id));
    if (in.sector) {
        ltw_set_text(L, "sector",
                     tw_names_get(tw_symbols_sectors(host->symbols), in.sector));
    }
    ltw_set_number(L, "weight", in.weight);
    ltw_set_number(L, "tick_size", tw_fixed_to_double(in.tick_fixed));
    ltw_set_number(L, "lot_size", tw_fixed_to_double(in.lot_fixed));
    for (unsigned i = 0; i < tw_symbols_attributes(host->symbols); i++) {
        uint32_t value = tw_symbols_attribute_get(host->symbols, id, i);

        if (value == 0) continue;
        ltw_set_text(L, tw_symbols_attribute_name(host->symbols, i),
                     tw_names_get(tw_symbols_values(host->symbols), value));
    }
}

/* tw.instrument(symbol) -> table | nil
 * What is known of a symbol: {id, symbol, sector, weight, tick_size, lot_size}, and
 * its attributes of app.instruments; what nobody gave is 0 (a text: nil).  nil for a
 * symbol that was never seen.  symbol may be its id.
 * Yields: no.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run.  Units: prices and sizes. */
static int instrument(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "tw.instrument");
    uint32_t count = tw_symbols_count(host->symbols), id;
    size_t n;
    const char *name;

    if (lua_isinteger(L, 1)) {
        lua_Integer i = lua_tointeger(L, 1);

        id = i >= 1 && i <= count ? (uint32_t)i : 0;
    } else {
        name = luaL_checklstring(L, 1, &n);
        id = tw_symbols_find(host->symbols, name, n);
    }
    if (id && ltw_has_seen(host, id)) push_instrument(L, host, id);
    else lua_pushnil(L);
    return 1;
}

/* tw.instruments() -> table
 * A list of all symbols seen so far, in the order of their ids; each as
 * tw.instrument gives it.
 * Yields: no.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run.  Units: prices and sizes. */
static int instruments(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "tw.instruments");
    uint32_t count = tw_symbols_count(host->symbols);
    lua_Integer n = 0;

    lua_createtable(L, (int)count, 0);
    for (uint32_t id = 1; id <= count; id++) {
        if (!ltw_has_seen(host, id)) continue;
        push_instrument(L, host, id);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* tw.task is what require "tw.task" gives, and so on. */
static int index_module(lua_State *L)
{
    static const char *const names[] = {
        "array", "backtest", "board", "cache", "channel", "fix", "pool", "ps", "stat",
        "supervise", "sweep", "task", NULL
    };
    const char *name = lua_tostring(L, 2);

    for (int i = 0; name && names[i]; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        lua_getglobal(L, "require");
        lua_pushfstring(L, "tw.%s", name);
        lua_call(L, 1, 1);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, 1);
        return 1;
    }
    return 0;
}

static const luaL_Reg funcs[] = {
    { "all", ltw_future_all },
    { "book", ltw_book },
    { "any", ltw_future_any },
    { "race", ltw_future_race },
    { "promise", ltw_promise_new },
    { "persist", ltw_persist },
    { "reload", ltw_reload },
    { "rollback", ltw_rollback },
    { "sleep", sleep_for },
    { "publish", ltw_publish },
    { "file", ltw_file },
    { "now", now },
    { "clock", steady },
    { "instrument", instrument },
    { "instruments", instruments },
    { "halt", ltw_halt },
    { "resume_trading", ltw_resume_trading },
    { "is_halted", ltw_is_halted },
    { NULL, NULL }
};

int luaopen_tw(lua_State *L)
{
    ltw_push_type(L, PENDING, pending_gc);
    luaL_newlib(L, funcs);
    ltw_view_functions(L);
    ltw_select_function(L);
    lua_pushliteral(L, TW_VERSION);
    lua_setfield(L, -2, "version");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, index_module);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 1;
}
