/* lchannel.c - tw.channel: a bounded queue of values between tasks of any states.
 *
 *     local jobs = tw.channel(100, { name = "jobs" })    -- in any script
 *     jobs:send { symbol = "AAPL", size = 100 }          -- waits while it is full
 *
 *     for job in tw.channel(100, { name = "jobs" }) do   -- in any other
 *       work(job)                                        -- until jobs:close()
 *     end
 *
 * A value is frozen when it is sent; each is received once.  A channel with a name is
 * the same one in every state; any channel may itself be sent, in a message or over
 * another channel.  It has no owner, so it is closed by whoever knows that nothing
 * more will come, and never by the end of a block.
 */
#include "share/lchannel.h"

#include <string.h>

#include "share/lvalue.h"
#include "reload/outputs.h"
#include "run/script.h"
#include "task/park.h"
#include "share/channels.h"

#define KEY "key"

static const char *const full_names[] = {
    [TW_WHEN_FULL_WAIT] = "wait", [TW_WHEN_FULL_DROP_OLDEST] = "drop_oldest",
    [TW_WHEN_FULL_LATEST] = "latest", [TW_WHEN_FULL_ERROR] = "error", NULL
};

static struct tw_channel *check(lua_State *L)
{
    return (struct tw_channel *)ltw_check_object(L, 1, tw_channel_type.name);
}

struct tw_channel *ltw_test_channel(lua_State *L, int idx)
{
    struct tw_object *o = ltw_test_object(L, idx);

    return o && o->type == &tw_channel_type ? (struct tw_channel *)o : NULL;
}

/* [-0, +1, m] */
static void push_name(lua_State *L, struct tw_channel *c)
{
    const char *name = tw_channel_name(c);

    if (name) lua_pushfstring(L, "channel: %s", name);
    else lua_pushfstring(L, "channel: %p", (void *)c);
}

/* ---- places ---- */

static bool join_receivers(void *c, struct tw_wait *node)
{
    return tw_channel_wait_recv(c, node);
}

static void leave_receivers(void *c, struct tw_wait *node)
{
    tw_channel_leave(c, node, TW_RECEIVERS);
}

static bool join_senders(void *c, struct tw_wait *node)
{
    return tw_channel_wait_send(c, node);
}

static void leave_senders(void *c, struct tw_wait *node)
{
    tw_channel_leave(c, node, TW_SENDERS);
}

struct ltw_place ltw_channel_place(struct tw_channel *c)
{
    return (struct ltw_place){ .join = join_receivers, .leave = leave_receivers,
                               .thing = c };
}

/* Parks the running task at the channel, where it keeps its turn until it leaves. */
static bool park(lua_State *L, struct ltw_place place, lua_KContext due_ns,
                 const char *what)
{
    struct ltw_task *t = ltw_task_current(L);

    if (t->n == 0) t->place = place;
    return ltw_task_park(L, &t->place, 1, due_ns, what);
}

/* ---- sending ---- */

/* [-0, +2, e]  The value at 2 and its key, frozen: the owners of the two. */
static void freeze(lua_State *L, struct tw_channel *c)
{
    const char *field = tw_channel_field(c);
    struct tw_any *value, *key;

    luaL_argcheck(L, !lua_isnoneornil(L, 2), 2, "a value expected; nil is what receiving"
                  " gives when the channel is closed");
    if (!field) {
        lua_pushnil(L);
    } else {
        key = ltw_push_owner(L);
        if (!lua_istable(L, 2) && lua_type(L, 2) != LUA_TUSERDATA)
            luaL_error(L, "value is a %s without the field '%s', which is the channel's"
                       " key", luaL_typename(L, 2), field);
        if (lua_getfield(L, 2, field) == LUA_TNIL)
            luaL_error(L, "value.%s is nil, and it is the channel's key", field);
        *key = ltw_check_any_named(L, -1, field);
        ltw_check_key(L, key, field);
        lua_pop(L, 1);
    }
    value = ltw_push_owner(L);
    *value = ltw_check_any(L, 2);
}

/* 2: the owner of the key  3: of the value.  True when the channel took it. */
static int try_it(lua_State *L, struct tw_channel *c)
{
    struct tw_any *key = lua_touserdata(L, 2), *value = lua_touserdata(L, 3);
    int rc = tw_channel_try_send(c, key, *value);

    if (rc == TW_OK) value->kind = TW_VALUE_NIL;   /* the channel owns it now */
    return rc;
}

/* The same two; false: it only seems to be sent. */
static bool goes_out(lua_State *L, struct tw_channel *c)
{
    return ltw_output(L, LTW_CHANNEL, "", c, lua_touserdata(L, 2), lua_touserdata(L, 3));
}

static int sent(lua_State *L, int rc)
{
    if (rc < 0) return ltw_fail(L, rc);
    lua_pushboolean(L, 1);
    return 1;
}

static int rested(lua_State *L, int status, lua_KContext n)
{
    (void)L, (void)status;
    return (int)n;
}

/* Returns the n values on top, after a rest when it is time for one. */
static int finish(lua_State *L, int n)
{
    if (ltw_task_rest(L)) return lua_yieldk(L, 0, n, rested);
    return n;
}

static int send_again(lua_State *L, int status, lua_KContext due_ns)
{
    struct tw_channel *c = check(L);
    bool waits = tw_channel_when_full(c) == TW_WHEN_FULL_WAIT;
    struct ltw_place place = { .join = join_senders, .leave = leave_senders, .thing = c };
    int rc;

    (void)status;
    while ((rc = try_it(L, c)) == TW_EFULL && waits) {
        if (ltw_task_is_due(L, due_ns)) {
            rc = UV_ETIMEDOUT;
            break;
        }
        if (park(L, place, due_ns, "send")) return lua_yieldk(L, 0, due_ns, send_again);
    }
    ltw_task_leave(L);
    return finish(L, sent(L, rc));
}

/* channel:send(value [, timeout]) -> true | nil, message, code
 * Puts the value in, frozen.  When the channel is full it does what the channel was
 * made for: waits for room, lets the oldest value go, replaces the one of the same key,
 * or gives nil.
 * Yields: while it is full, when it is one that waits; and for a turn now and then.
 * Blocks: no; outside all tasks the caller alone waits.  Thread: any state's.
 * Errors: nil when it is closed, when it is full and doesn't wait, and when the time is
 * over; raises for nil, for what can't be frozen, for a value without the key's field,
 * and when the task is cancelled.  Units: timeout in seconds. */
static int channel_send(lua_State *L)
{
    struct tw_channel *c = check(L);
    int64_t due_ns = ltw_task_due_ns(L, 3);

    ltw_task_check(L, "send");
    lua_settop(L, 2);
    freeze(L, c);
    lua_remove(L, 2);
    if (!goes_out(L, c)) return sent(L, TW_OK);
    return send_again(L, LUA_OK, due_ns);
}

/* channel:try_send(value) -> true | nil, message, code
 * As send, but never waits.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: nil when it is closed or full; raises for nil, for what can't be frozen and
 * for a value without the key's field.  Units: none. */
static int channel_try_send(lua_State *L)
{
    struct tw_channel *c = check(L);

    lua_settop(L, 2);
    freeze(L, c);
    lua_remove(L, 2);
    return sent(L, goes_out(L, c) ? try_it(L, c) : TW_OK);
}

/* ---- receiving ---- */

/* [-0, +1, e]  What the owner at 2 owns, or the failure. */
static int received(lua_State *L, int rc)
{
    if (rc < 0) return ltw_fail(L, rc);
    ltw_adopt(L);
    return 1;
}

/* What is in a channel is for others than candidates, too: for these it is empty. */
static int take(lua_State *L, struct tw_channel *c, struct tw_any *out)
{
    return ltw_is_muted(L) ? TW_EEMPTY : tw_channel_try_recv(c, out);
}

static int recv_again(lua_State *L, int status, lua_KContext due_ns)
{
    struct tw_channel *c = check(L);
    int rc;

    (void)status;
    while ((rc = take(L, c, lua_touserdata(L, 2))) == TW_EEMPTY) {
        if (ltw_task_is_due(L, due_ns)) {
            rc = UV_ETIMEDOUT;
            break;
        }
        if (ltw_is_muted(L) ? ltw_task_park(L, NULL, 0, due_ns, "recv")
                            : park(L, ltw_channel_place(c), due_ns, "recv"))
            return lua_yieldk(L, 0, due_ns, recv_again);
    }
    ltw_task_leave(L);
    return finish(L, received(L, rc));
}

/* 1: the channel */
static int begin_recv(lua_State *L, int64_t due_ns)
{
    ltw_task_check(L, "recv");
    lua_settop(L, 1);
    ltw_push_owner(L);
    return recv_again(L, LUA_OK, due_ns);
}

/* channel:recv([timeout]) -> value | nil, message, code
 * Takes the oldest value out.
 * Yields: until there is one; and for a turn now and then.  Blocks: no; outside all
 * tasks the caller alone waits.  Thread: any state's.
 * Errors: nil when it is closed and nothing is left in it, and when the time is over;
 * raises when the task is cancelled.  Units: timeout in seconds. */
static int channel_recv(lua_State *L)
{
    check(L);
    return begin_recv(L, ltw_task_due_ns(L, 2));
}

/* channel:try_recv() -> value | nil, message, code
 * As recv, but never waits.
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: nil when it is empty, or closed as well.  Units: none. */
static int channel_try_recv(lua_State *L)
{
    struct tw_channel *c = check(L);

    return received(L, take(L, c, ltw_push_owner(L)));
}

/* for value in channel do
 * Receives until the channel is closed and empty.
 * Yields: as recv does.  Blocks: no; outside all tasks the caller alone waits.
 * Thread: any state's.  Errors: as recv does.  Units: none. */
static int channel_call(lua_State *L)
{
    check(L);
    return begin_recv(L, 0);
}

/* ---- the rest of it ---- */

/* channel:close()
 * Nothing goes in any more; what is in it can still be received.  Safe twice.
 * Yields: no.  Blocks: no.  Thread: any state's.  Errors: none.  Units: none. */
static int channel_close(lua_State *L)
{
    struct tw_channel *c = check(L);

    if (!ltw_is_muted(L)) tw_channel_close(c);
    return 0;
}

void ltw_push_channel_stats(lua_State *L, struct tw_channel *c)
{
    struct tw_channel_stats s;

    tw_channel_stats(c, &s);
    lua_createtable(L, 0, 13);
    ltw_set_text(L, "name", tw_channel_name(c));
    ltw_set_text(L, "full", full_names[tw_channel_when_full(c)]);
    ltw_set_text(L, KEY, tw_channel_field(c));
    ltw_set_count(L, "capacity", s.capacity);
    ltw_set_count(L, "depth", s.depth);
    ltw_set_count(L, "high_water", s.high_water);
    ltw_set_count(L, "receivers", s.receivers);
    ltw_set_count(L, "senders", s.senders);
    ltw_set_count(L, "sent", s.sent);
    ltw_set_count(L, "received", s.received);
    ltw_set_count(L, "dropped", s.dropped);
    ltw_set_count(L, "replaced", s.replaced);
    ltw_set_flag(L, "closed", s.closed);
}

/* channel:stats() -> table
 * name, full, key (or nil), capacity, depth (values in it now), high_water (the largest
 * depth ever), receivers and senders (that wait now), sent, received, dropped, replaced
 * and closed.
 * Yields: no.  Blocks: no.  Thread: any state's.  Errors: none.  Units: values. */
static int channel_stats(lua_State *L)
{
    ltw_push_channel_stats(L, check(L));
    return 1;
}

static int channel_len(lua_State *L)
{
    struct tw_channel_stats s;

    tw_channel_stats(check(L), &s);
    lua_pushinteger(L, s.depth);
    return 1;
}

static int channel_tostring(lua_State *L)
{
    struct tw_channel *c = check(L);
    struct tw_channel_stats s;

    tw_channel_stats(c, &s);
    push_name(L, c);
    lua_pushfstring(L, "%s (%d of %d%s)", lua_tostring(L, -1), (int)s.depth,
                    (int)s.capacity, s.closed ? ", closed" : "");
    return 1;
}

/* ---- making one ---- */

/* The same name has to mean the same channel, whoever comes first. */
static void check_same(lua_State *L, struct tw_channel *c, struct tw_channel *wanted)
{
    const char *name = tw_channel_name(c);
    const char *is = tw_channel_field(c), *want = tw_channel_field(wanted);
    struct tw_channel_stats is_stats, want_stats;

    tw_channel_stats(c, &is_stats);
    tw_channel_stats(wanted, &want_stats);
    if (is_stats.capacity != want_stats.capacity)
        luaL_error(L, "tw.channel: '%s' has a capacity of %d, not %d", name,
                   (int)is_stats.capacity, (int)want_stats.capacity);
    if (tw_channel_when_full(c) != tw_channel_when_full(wanted))
        luaL_error(L, "tw.channel: '%s' has full = \"%s\", not \"%s\"", name,
                   full_names[tw_channel_when_full(c)],
                   full_names[tw_channel_when_full(wanted)]);
    if (is && strcmp(is, want) != 0)
        luaL_error(L, "tw.channel: '%s' has key = \"%s\", not \"%s\"", name, is, want);
}

/* [-0, +1, e]  The option of that name, a string of 1 to TW_NAME_MAX bytes, or NULL. */
static const char *option(lua_State *L, const char *name)
{
    const char *s;
    size_t n;

    if (lua_getfield(L, 2, name) == LUA_TNIL) return NULL;
    s = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
    if (!s || n == 0 || n > TW_NAME_MAX || strlen(s) != n)
        luaL_error(L, "tw.channel: %s: a text of 1 to %d bytes expected", name,
                   TW_NAME_MAX);
    return s;
}

/* [-0, +0, e]  A table of options at 2, and none that nobody reads. */
static void check_options(lua_State *L)
{
    static const char *const known[] = { "full", KEY, "name", NULL };

    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        lua_newtable(L);
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        const char *name = luaL_tolstring(L, -2, NULL);
        int i = 0;

        while (known[i] && strcmp(known[i], name) != 0) i++;
        if (!known[i])
            luaL_error(L, "tw.channel: there is no option '%s', only full, key and name",
                       name);
        lua_pop(L, 1);
    }
}

static enum tw_when_full check_full(lua_State *L, const char *full)
{
    for (int i = 0; full_names[i]; i++)
        if (strcmp(full_names[i], full) == 0) return (enum tw_when_full)i;
    luaL_error(L, "tw.channel: full = '%s' is none of wait, drop_oldest, latest and"
               " error", full);
    return TW_WHEN_FULL_WAIT;
}

/* [-0, +1, m]  An owner of a channel to be. */
static struct ltw_box *push_box(lua_State *L)
{
    struct ltw_box *box = ltw_push_box(L, tw_channel_type.name, 0);

    return box;
}

/* tw.channel(capacity [, options]) -> channel
 * A queue of that many values at most.  Options:
 *   name  the channel of that name, the same one in every state
 *   full  what sending to a full one does: "wait" (the default); "drop_oldest" lets the
 *         oldest value go; "latest" keeps one value per key, the newest, and drops the
 *         oldest key when there are too many; "error" gives nil
 *   key   for "latest": the field of the value that is its key, such as "symbol"
 * Yields: no.  Blocks: no.  Thread: any state's.
 * Errors: raises for a capacity below 1 or above 2^20, for options that don't exist, and
 * when the channel of that name has others.  Units: values. */
static int new_channel(lua_State *L)
{
    lua_Integer capacity = luaL_checkinteger(L, 1);
    struct ltw_host *host = ltw_state(L)->host;
    const char *name, *field, *full;
    enum tw_when_full when_full = TW_WHEN_FULL_WAIT;
    struct ltw_box *box, *named;
    struct tw_channel *c;
    int rc;

    luaL_argcheck(L, capacity >= 1 && capacity <= TW_CHANNEL_MAX, 1,
                  "a channel has room for 1 to 2^20 values");
    lua_settop(L, 2);
    check_options(L);
    name = option(L, "name");
    field = option(L, KEY);
    full = option(L, "full");
    if (full) when_full = check_full(L, full);
    if ((when_full == TW_WHEN_FULL_LATEST) != (field != NULL))
        return luaL_error(L, "tw.channel: full = \"latest\" and key belong together");
    if (name && !(host && host->channels))
        return luaL_error(L, "tw.channel: an app file has no names; use it in a script");
    named = push_box(L);
    box = push_box(L);
    c = field ? tw_channel_new_keyed((uint32_t)capacity, field, name)
              : tw_channel_new((uint32_t)capacity, when_full, name);
    if (!c) return luaL_error(L, "tw.channel: not enough memory");
    box->object = tw_channel_object(c);
    if (name) {
        struct tw_channel *one;

        rc = tw_channels_enter(host->channels, c, &one);
        if (rc < 0) return luaL_error(L, "tw.channel: '%s': %s", name, tw_strerror(rc));
        named->object = tw_channel_object(one);
        check_same(L, one, c);
        box = named;
    }
    ltw_push_object(L, box->object);
    return 1;
}

/* tw.channel.list() -> list
 * The channels that have a name, in the order in which they were made.
 * Yields: no.  Blocks: no.  Thread: any state's.  Errors: none.  Units: none. */
static int list(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    struct tw_channel *c;

    lua_newtable(L);
    for (unsigned i = 0; host && host->channels; i++) {
        struct ltw_box *box = push_box(L);

        c = tw_channels_at(host->channels, i);
        if (!c) {
            lua_pop(L, 1);
            break;
        }
        box->object = tw_channel_object(c);
        ltw_push_object(L, box->object);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
        lua_pop(L, 1);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    { "send", channel_send },
    { "recv", channel_recv },
    { "try_send", channel_try_send },
    { "try_recv", channel_try_recv },
    { "close", channel_close },
    { "stats", channel_stats },
    { NULL, NULL }
};

static const luaL_Reg meta[] = {
    { "__call", channel_call },
    { "__len", channel_len },
    { "__tostring", channel_tostring },
    { NULL, NULL }
};

void ltw_channel_open(lua_State *L)
{
    ltw_object_open(L, tw_channel_type.name);
    luaL_setfuncs(L, meta, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

/* [-0, +1, e]  The module is called: it stands before the arguments. */
static int call_module(lua_State *L)
{
    lua_remove(L, 1);
    return new_channel(L);
}

int luaopen_tw_channel(lua_State *L)
{
    static const luaL_Reg funcs[] = { { "list", list }, { NULL, NULL } };

    luaL_newlib(L, funcs);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, call_module);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    return 1;
}
