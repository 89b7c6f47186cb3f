/* tracker.c - what a script has declared: its statistics, and when to enter it.
 *
 * Why: a handler in Lua costs tens of nanoseconds a quote for each statistic; what is
 * declared runs in C over columns of quotes (stat/plan.h), before any handler sees the
 * quote.  Lua is entered for the records that made a condition true.
 */
#include "stat/tracker.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "run/handler.h"
#include "trade/lbars.h"
#include "trade/lterms.h"
#include "stat/ltracked.h"
#include "run/script.h"
#include "stat/adopt.h"
#include "stat/token.h"
#include "trade/trader.h"

#define TRACKER "tw.tracker"

static struct ltw_tracker *check_tracker(lua_State *L, int idx)
{
    return luaL_checkudata(L, idx, TRACKER);
}

/* ---- samples ---- */

/* The name of a key as the board and the topics have it: "name.AAPL.buy"; the name
 * alone by nothing.  False: it is longer than TW_NAME_MAX. */
static bool name_key(const struct ltw_tracker *t, const char *name, unsigned item,
                     uint32_t key, char out[TW_NAME_MAX + 1])
{
    const struct tw_keys *keys = tw_plan_keys(t->plan, item);
    char number[32];
    int at = snprintf(out, TW_NAME_MAX + 1, "%s", name);

    for (unsigned i = 0; i < tw_keys_parts(keys) && at <= TW_NAME_MAX; i++)
        at += snprintf(out + at, TW_NAME_MAX + 1 - (size_t)at, ".%s",
                       tw_keys_text(keys, key, i, number));
    return at <= TW_NAME_MAX;
}

static void set_board(struct ltw_tracker *t, unsigned item, uint32_t key, double value)
{
    struct tw_board_value v = { .kind = TW_VALUE_NUMBER, .number = value };
    char name[TW_NAME_MAX + 1];
    int64_t slot;

    if (!name_key(t, t->outlet[item].board, item, key, name)) return;
    slot = tw_board_slot(t->host->board, name, strlen(name));
    if (slot > 0) tw_board_set(t->host->board, (uint32_t)slot, &v);
}

/* Of the plan, while it runs: publishing may have to wait, so that comes after. */
static void on_sample(void *ctx, unsigned item, uint32_t key, double value, int64_t time)
{
    struct ltw_tracker *t = ctx;

    (void)time;
    if (t->muted) return;
    if (t->outlet[item].board[0]) set_board(t, item, key, value);
    if (!t->outlet[item].topic[0]) return;
    if (t->n_due == t->due_room) {
        struct ltw_sample *due = tw_grow(t->due, &t->due_room, t->n_due + 1,
                                         sizeof *due);

        if (!due) {
            t->no_memory = true;
            return;
        }
        t->due = due;
    }
    t->due[t->n_due++] = (struct ltw_sample){ item, key, value };
}

/* [-0, +0, e]  The plan's memory is the script's. */
static void count_bytes(lua_State *L, struct ltw_tracker *t)
{
    struct ltw_state *s = ltw_state(L);
    size_t bytes = tw_plan_bytes(t->plan);

    if (bytes == t->bytes) return;
    ltw_state_add(s, bytes - t->bytes);
    t->bytes = bytes;
    if (s->bytes_max && s->bytes > s->bytes_max) luaL_error(L, "not enough memory");
}

void ltw_tracker_run(lua_State *L, struct ltw_tracker *t)
{
    int rc = tw_plan_run(t->plan);

    if (rc == TW_ELIMIT)
        luaL_error(L, "track: a statistic by %s has more than %d keys",
                   tw_plan_too_many(t->plan), TW_KEYS_MAX);
    if (rc < 0 || t->no_memory) luaL_error(L, "not enough memory");
    count_bytes(L, t);
}

void ltw_tracker_adopt(lua_State *L, struct ltw_tracker *t, struct ltw_tracker *old)
{
    if (tw_plan_adopt(t->plan, old->plan) < 0) luaL_error(L, "not enough memory");
    count_bytes(L, t);
}

/* [-0, +0, m]  Of the value on top, in the table below its key. */
static void renew(lua_State *L, int idx)
{
    const struct ltw_tracker *t = lua_touserdata(L, idx);
    const struct ltw_tracked *v = ltw_test_tracked(L, -1);
    int item;

    if (!v || v->tracker == t || !v->tracker->plan || v->tracker->is_query) return;
    if (v->key != 0 && tw_keys_parts(ltw_tracked_keys(v)) > 0) return;   /* a reading */
    item = tw_plan_find(t->plan, ltw_tracked_name(v));
    if (item < 0) return;
    lua_pushvalue(L, -2);
    ltw_push_tracked(L, idx, (unsigned)item);
    lua_rawset(L, -5);
}

void ltw_tracker_renew(lua_State *L, int tables, int idx)
{
    int table = lua_gettop(L) + 1;

    luaL_checkstack(L, 12, "reload");
    for (lua_Integer i = 1; lua_rawgeti(L, tables, i) == LUA_TTABLE; i++) {
        for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) renew(L, idx);
        lua_settop(L, table - 1);
    }
    lua_settop(L, table - 1);
}

bool ltw_tracker_push_due(lua_State *L, struct ltw_tracker *t)
{
    while (t->due_at < t->n_due) {
        const struct ltw_sample *due = &t->due[t->due_at++];
        char topic[TW_NAME_MAX + 1];

        if (!name_key(t, t->outlet[due->item].topic, due->item, due->key, topic))
            continue;
        lua_pushcfunction(L, ltw_publish);
        lua_pushstring(L, topic);
        lua_pushnumber(L, due->value);
        return true;
    }
    t->n_due = t->due_at = 0;
    return false;
}

/* ---- declaring ---- */

/* [-0, +1, m]  One without a plan. */
static struct ltw_tracker *push_empty(lua_State *L)
{
    struct ltw_tracker *t = lua_newuserdatauv(L, sizeof *t, 1);

    *t = (struct ltw_tracker){ .host = ltw_state(L)->host };
    luaL_setmetatable(L, TRACKER);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    return t;
}

/* [-0, +0, e] */
static void make_plan(lua_State *L, struct ltw_tracker *t, struct tw_symbols *symbols,
                      const struct tw_sources *sources)
{
    struct tw_plan_options o = { { symbols, sources }, on_sample, t };

    t->plan = tw_plan_new(&o);
    if (!t->plan) luaL_error(L, "not enough memory");
}

struct ltw_tracker *ltw_push_file_tracker(lua_State *L)
{
    static const struct tw_sources sources = { { [1] = "file" } };
    struct ltw_tracker *t;

    ltw_check_open(L);
    t = push_empty(L);
    t->is_query = true;
    t->symbols = tw_symbols_new(TW_SYMBOL_MAX);
    if (!t->symbols) luaL_error(L, "not enough memory");
    make_plan(L, t, t->symbols, &sources);
    return t;
}

struct ltw_tracker *ltw_push_tape_tracker(lua_State *L)
{
    struct ltw_tracker *t;

    ltw_check_open(L);
    t = push_empty(L);
    t->is_query = true;
    make_plan(L, t, t->host->symbols, &t->host->sources);
    return t;
}

static int tracker_gc(lua_State *L)
{
    struct ltw_tracker *t = check_tracker(L, 1);

    if (!ltw_is_finalizer(L)) return 0;
    ltw_state(L)->bytes -= t->bytes;
    tw_plan_free(t->plan);
    tw_symbols_free(t->symbols);
    tw_free(t->outlet);
    tw_free(t->handler);
    tw_free(t->due);
    *t = (struct ltw_tracker){ 0 };
    return 0;
}

/* [-0, +1, e]  The tracker of the script that runs, made when it has none. */
static struct ltw_tracker *check_own(lua_State *L, const char *what)
{
    struct ltw_script *s = ltw_state(L)->script;
    struct ltw_tracker *t;

    ltw_check_open(L);
    if (!s) luaL_error(L, "%s is for the code of a script in a run", what);
    if (ltw_script_push_tracker(L, s)) return check_tracker(L, -1);
    lua_pop(L, 1);
    t = push_empty(L);
    t->muted = ltw_script_is_muted(s);
    make_plan(L, t, t->host->symbols, &t->host->sources);
    ltw_script_set_tracker(L, s, t);
    return t;
}

/* [-0, +0, e]  Declares the condition again in t (at `to`), as in `old`. */
static void redeclare(lua_State *L, int to, const struct ltw_tracker *old, unsigned i)
{
    struct ltw_tracker *t = lua_touserdata(L, to);
    struct tw_plan_edge edge = { 0 };
    struct tw_error error;
    const char *text;
    size_t n;

    lua_getiuservalue(L, to, 1);
    lua_rawgeti(L, -1, -(lua_Integer)i - 1);
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    lua_rawgeti(L, -3, 3);
    lua_rawgeti(L, -4, 4);
    text = lua_tolstring(L, -4, &n);
    edge.reset = lua_tolstring(L, -3, &edge.reset_n);
    edge.interval_ns = lua_tointeger(L, -2);
    edge.level = lua_toboolean(L, -1);
    if (tw_plan_when(t->plan, text, n, &edge, &error) < 0)
        luaL_error(L, "%s", error.text);
    memcpy(&t->handler[i], &old->handler[i], sizeof t->handler[i]);
    t->n_handlers++;
    lua_pop(L, 6);
}

struct ltw_tracker *ltw_tracker_push_copy(lua_State *L, int idx)
{
    struct ltw_tracker *old = lua_touserdata(L, idx), *t;
    unsigned items = tw_plan_items(old->plan);
    struct tw_error error;
    int to;

    ltw_tracker_run(L, old);
    t = push_empty(L);
    to = lua_gettop(L);
    t->muted = true;
    make_plan(L, t, t->host->symbols, &t->host->sources);
    t->outlet = tw_calloc(items + 1, sizeof *t->outlet);
    t->handler = tw_calloc(old->n_handlers + 1, sizeof *t->handler);
    if (!t->outlet || !t->handler) luaL_error(L, "not enough memory");
    if (items > 0) memcpy(t->outlet, old->outlet, items * sizeof *t->outlet);
    if (tw_plan_redeclare(t->plan, old->plan, &error) < 0)
        luaL_error(L, "%s", error.text);
    lua_getiuservalue(L, to, 1);
    lua_getiuservalue(L, idx, 1);
    for (lua_pushnil(L); lua_next(L, to + 2); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, to + 1);
    }
    lua_settop(L, to);
    for (unsigned i = 0; i < old->n_handlers; i++) redeclare(L, to, old, i);
    if (tw_plan_adopt(t->plan, old->plan) < 0
        || tw_plan_adopt_conditions(t->plan, old->plan) < 0)
        luaL_error(L, "not enough memory");
    count_bytes(L, t);
    return t;
}

/* [-0, +0, e]  A duration at the top: seconds, or a text like "500ms". */
static int64_t check_duration(lua_State *L, const char *what)
{
    int64_t ns = 0;

    if (lua_type(L, -1) == LUA_TNUMBER) {
        double s = lua_tonumber(L, -1);

        if (!(s > 0 && s < 1e9))
            luaL_error(L, "%s: seconds above 0 expected, got %f", what, s);
        return (int64_t)(s * 1e9);
    }
    if (lua_type(L, -1) != LUA_TSTRING
        || !tw_token_time(lua_tostring(L, -1), lua_rawlen(L, -1), &ns))
        luaL_error(L, "%s: seconds or a time like '500ms' expected, got %s", what,
                   luaL_tolstring(L, -1, NULL));
    return ns;
}

/* [-0, +0, e]  board or publish: true is the item's own name. */
static void check_outlet(lua_State *L, int sampling, const char *field, const char *name,
                         char out[TW_NAME_MAX + 1])
{
    size_t n = 0;
    const char *text = name;

    out[0] = 0;
    if (lua_getfield(L, sampling, field) != LUA_TNIL && lua_toboolean(L, -1)) {
        if (lua_type(L, -1) == LUA_TSTRING) text = lua_tostring(L, -1);
        else if (!lua_isboolean(L, -1))
            luaL_error(L, "track: %s.%s: true or a name expected, got a %s", name, field,
                       luaL_typename(L, -1));
        n = strlen(text);
        if (n == 0 || n > TW_NAME_MAX)
            luaL_error(L, "track: %s.%s: a name has 1 to %d bytes", name, field,
                       TW_NAME_MAX);
        memcpy(out, text, n + 1);
    }
    lua_pop(L, 1);
}

/* [-0, +0, e]  What the table at the top says of sampling. */
static void check_sampling(lua_State *L, struct tw_plan_item *item,
                           struct ltw_outlet *out)
{
    int sampling = lua_gettop(L);
    char what[100];

    snprintf(what, sizeof what, "track: %.60s.every", item->name);
    check_outlet(L, sampling, "board", item->name, out->board);
    check_outlet(L, sampling, "publish", item->name, out->topic);
    if (lua_getfield(L, sampling, "history") != LUA_TNIL) {
        lua_Integer n = lua_tointeger(L, -1);

        if (n < 1 || n > TW_PLAN_HISTORY_MAX)
            luaL_error(L, "track: %s.history: 1 to %d samples expected, got %s",
                       item->name, TW_PLAN_HISTORY_MAX, luaL_tolstring(L, -1, NULL));
        item->history = (uint32_t)n;
    }
    lua_pop(L, 1);
    if (lua_getfield(L, sampling, "records") != LUA_TNIL) {
        lua_Integer n = lua_tointeger(L, -1);

        if (n < 1 || n > UINT32_MAX)
            luaL_error(L, "track: %s.records: a number of records expected, got %s",
                       item->name, luaL_tolstring(L, -1, NULL));
        item->every_rows = (uint32_t)n;
    }
    lua_pop(L, 1);
    item->tell = out->board[0] || out->topic[0];
    if (lua_getfield(L, sampling, "every") != LUA_TNIL) {
        if (item->every_rows)
            luaL_error(L, "track: %s: either every or records", item->name);
        item->every_ns = check_duration(L, what);
    }
    lua_pop(L, 1);
    if ((item->history || item->tell) && !item->every_rows && !item->every_ns)
        item->every_ns = INT64_C(1000000000);
}

/* [-0, +1, m]  The names of the table at idx, sorted. */
static lua_Integer push_names(lua_State *L, int idx)
{
    lua_Integer n = 0;

    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "track: the statistics have names: { spread = ... }, got [%s]",
                       luaL_tolstring(L, -2, NULL));
        lua_pushvalue(L, -2);
        lua_rawseti(L, -4, ++n);
    }
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_remove(L, -2);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 0);
    return n;
}

static bool is_name(const char *s)
{
    static const char letters[] = "0123456789_"
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return strspn(s, letters) == strlen(s) && strcspn(s, "0123456789") > 0;
}

/* [-0, +2, e]  One declaration, a text or what tostring makes one of; its text and the
 * table (or nil) stay on the stack. */
static void check_item(lua_State *L, int declarations, struct tw_plan_item *item,
                       struct ltw_outlet *out)
{
    if (!is_name(item->name))
        luaL_error(L, "track: '%s' is no name: letters, digits and _", item->name);
    lua_getfield(L, declarations, item->name);
    item->text = luaL_tolstring(L, -1, &item->n);
    if (lua_type(L, -2) == LUA_TTABLE) {
        if (lua_getfield(L, -2, "sampling") == LUA_TTABLE) check_sampling(L, item, out);
        lua_pop(L, 1);
    } else if (lua_type(L, -2) != LUA_TSTRING) {
        luaL_error(L, "track: %s: a declaration expected, got a %s", item->name,
                   luaL_typename(L, -2));
    }
}

/* [-0, +1, m]  The views by name.  In a run a declaration that is a table gets its own:
 * there it is tracked once, while it may be of any number of files. */
static void push_views(lua_State *L, int declarations, int tracker, int names, int first)
{
    const struct ltw_tracker *t = lua_touserdata(L, tracker);

    lua_createtable(L, 0, (int)lua_rawlen(L, names));
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, names); i++) {
        lua_rawgeti(L, names, i);
        ltw_push_tracked(L, tracker, (unsigned)(first + i - 1));
        lua_pushvalue(L, -2);
        if (lua_rawget(L, declarations) == LUA_TTABLE && !t->is_query) {
            lua_pushliteral(L, "tracked");
            lua_pushvalue(L, -3);
            lua_rawset(L, -3);
        }
        lua_pop(L, 1);
        lua_rawset(L, -3);
    }
}

void ltw_track(lua_State *L, int declarations, int tracker)
{
    struct ltw_tracker *t = lua_touserdata(L, tracker);
    struct tw_plan_item *item;
    struct ltw_outlet *out, *outlet;
    struct tw_error error;
    int names = lua_gettop(L) + 1, first;
    lua_Integer n = push_names(L, declarations);

    luaL_checkstack(L, 2 * (int)(n < TW_PLAN_ITEMS ? n : TW_PLAN_ITEMS) + 10, "track");
    if (n > TW_PLAN_ITEMS) luaL_error(L, "track: more than %d statistics", TW_PLAN_ITEMS);
    item = lua_newuserdatauv(L, (size_t)(n + 1) * (sizeof *item + sizeof *out), 0);
    out = (struct ltw_outlet *)(item + n + 1);
    memset(item, 0, (size_t)(n + 1) * (sizeof *item + sizeof *out));
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, names, i + 1);
        item[i].name = lua_tostring(L, -1);
        lua_pop(L, 1);
        check_item(L, declarations, &item[i], &out[i]);
        if (t->is_query && item[i].tell)
            luaL_error(L, "track: %s: a query has no board and publishes nothing",
                       item[i].name);
    }
    first = (int)tw_plan_items(t->plan);
    outlet = tw_realloc(t->outlet, (size_t)(first + n + 1) * sizeof *outlet);
    if (!outlet) luaL_error(L, "not enough memory");
    memcpy(outlet + first, out, (size_t)n * sizeof *outlet);
    t->outlet = outlet;
    if (tw_plan_track(t->plan, item, (unsigned)n, &error) < 0)
        luaL_error(L, "%s", error.text);
    push_views(L, declarations, tracker, names, first);
    lua_replace(L, names);
    lua_settop(L, names);
}

/* self:track(declarations) -> table
 * Declares statistics: { name = declaration, ... }, each a text like
 * "mean(ask - bid) by symbol" or what tw.stat makes.  They may name each other.  C
 * feeds them with every quote, trade or bar that the script is given, before its
 * handlers see it.  A statistic of fields that several of them have reads all of these.
 * Bars that self:bars makes are not on the tape: on_bar can push them.  The result has
 * the statistic of each name, to be read.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises, with the text and the column, for a declaration that can't be; then
 * none of them is there.  Units: of the expressions. */
static int track(lua_State *L)
{
    ltw_check_self(L, "track");
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    check_own(L, "track");
    ltw_track(L, 2, 3);
    return 1;
}

/* [-0, +0, e]  The options of a condition at idx, or none. */
static struct tw_plan_edge check_edge(lua_State *L, int idx)
{
    struct tw_plan_edge edge = { 0 };

    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

        if (strcmp(name, "reset") == 0) {
            edge.reset = luaL_tolstring(L, -1, &edge.reset_n);
            lua_pop(L, 1);      /* the table has it, if it was a string */
            if (lua_type(L, -1) != LUA_TSTRING)
                luaL_error(L, "when: reset: a condition expected, got a %s",
                           luaL_typename(L, -1));
        } else if (strcmp(name, "interval") == 0) {
            edge.interval_ns = check_duration(L, "when: interval");
        } else if (strcmp(name, "level") == 0) {
            edge.level = lua_toboolean(L, -1);
        } else {
            luaL_error(L, "when: no option '%s': there are reset, interval, level",
                       luaL_tolstring(L, -2, NULL));
        }
    }
    if (edge.level && edge.reset)
        luaL_error(L, "when: a reset has no meaning with level");
    return edge;
}

/* bind_function(fn, functions, tracker, condition): fn is what it calls. */
static int bind_function(lua_State *L)
{
    struct ltw_tracker *t = lua_touserdata(L, 3);
    unsigned which = (unsigned)lua_tointeger(L, 4);
    unsigned kinds = tw_plan_condition_kinds(t->plan, which);

    lua_pushvalue(L, 1);
    for (unsigned k = 0; k < TW_PROGRAMS; k++)
        if (kinds & 1u << tw_program_kind(k))
            ltw_handler_bind(L, (int)tw_program_kind(k), "when", kinds,
                             &t->handler[which][k]);
    lua_rawseti(L, 2, which + 1);
    return 0;
}

/* [-0, +0, m]  For a copy: of the text at 2, in the functions of the tracker at 5. */
static void note_text(lua_State *L, int which, const struct tw_plan_edge *edge)
{
    lua_getiuservalue(L, 5, 1);
    lua_createtable(L, 4, 0);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, 1);
    if (edge->reset) lua_pushlstring(L, edge->reset, edge->reset_n);
    else lua_pushboolean(L, 0);
    lua_rawseti(L, -2, 2);
    lua_pushinteger(L, edge->interval_ns);
    lua_rawseti(L, -2, 3);
    lua_pushboolean(L, edge->level);
    lua_rawseti(L, -2, 4);
    lua_rawseti(L, -2, -(lua_Integer)which - 1);
    lua_pop(L, 1);
}

/* self:when(condition, [options,] fn)
 * Calls fn when the condition becomes true, with the record that made it so: fn names
 * what it wants as a handler does, function(self, q, bid) ... end.  It comes after the
 * statistics have seen the record and before on_quote, on_trade or on_bar.  What becomes
 * true is looked at for each key alone: by what the condition is `by`, or else its
 * statistics are.  Options: reset, a condition that must have been true before it can
 * become true again (else: that it was not true); interval, seconds between two calls;
 * level = true: at each record where it is true.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises, with the text and the column, for a condition that can't be.
 * Units: interval seconds of record time, or a text like "500ms". */
static int when(lua_State *L)
{
    struct ltw_tracker *t;
    struct tw_plan_edge edge = { 0 };
    struct ltw_handler (*handlers)[TW_PROGRAMS];
    struct tw_error error;
    const char *text;
    size_t n;
    int which;

    ltw_check_self(L, "when");
    text = luaL_checklstring(L, 2, &n);
    if (lua_type(L, 3) == LUA_TTABLE) edge = check_edge(L, 3);
    else lua_pushnil(L), lua_insert(L, 3);      /* so that fn is at 4 */
    luaL_checktype(L, 4, LUA_TFUNCTION);
    lua_settop(L, 4);
    t = check_own(L, "when");
    ltw_tracker_run(L, t);
    handlers = tw_realloc(t->handler, (t->n_handlers + 1) * sizeof *handlers);
    if (!handlers) return luaL_error(L, "not enough memory");
    t->handler = handlers;
    memset(&handlers[t->n_handlers], 0, sizeof *handlers);
    which = tw_plan_when(t->plan, text, n, &edge, &error);
    if (which < 0) return luaL_error(L, "%s", error.text);
    lua_pushcfunction(L, bind_function);
    lua_pushvalue(L, 4);
    lua_getiuservalue(L, 5, 1);
    lua_pushlightuserdata(L, t);
    lua_pushinteger(L, which);
    if (lua_pcall(L, 4, 0, 0) != LUA_OK) {
        tw_plan_undo_when(t->plan);
        return lua_error(L);
    }
    note_text(L, which, &edge);
    t->n_handlers++;
    return 0;
}

static const luaL_Reg methods[] = {
    { "track", track },
    { "when", when },
    { NULL, NULL }
};

void ltw_push_script_methods(lua_State *L)
{
    if (luaL_getsubtable(L, LUA_REGISTRYINDEX, "tw.script.methods")) return;
    luaL_setfuncs(L, methods, 0);
    ltw_trade_methods(L);
    ltw_bars_method(L);
}

void ltw_tracker_open(lua_State *L)
{
    ltw_push_type(L, TRACKER, tracker_gc);
    lua_pop(L, 1);
}
