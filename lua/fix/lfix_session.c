/* lfix_session.c - tw.fix: messages of FIX, and the sessions of a run.
 *
 * What comes stands on the tape as the bytes that it was (host/run/fix_tape.c), and is
 * read in the state that asks, with the dictionary of its session, which a recording
 * names.  Where nobody knows it, the one that is built in of its version does.
 */
#include "fix/lfix_session.h"

#include <string.h>

#include "base/clock.h"
#include "fix/fix.h"
#include "fix/fix_instruments.h"
#include "fix/lfix_build.h"
#include "fix/lfix_message.h"
#include "share/lvalue.h"
#include "share/lview.h"
#include "reload/outputs.h"
#include "fix/recorded.h"
#include "run/fix_engine.h"
#include "run/script.h"

#define PREFIX "fix/"
#define SUFFIX "/event"

enum { PREFIX_BYTES = sizeof PREFIX - 1, SUFFIX_BYTES = sizeof SUFFIX - 1 };

/* In the state's table of names, see record.c. */
#define SESSION(topic) ((lua_Integer)8 << 32 | (topic))
#define DICTIONARY(topic) ((lua_Integer)9 << 32 | (topic))

enum { MESSAGE, NAME, EVENT, TEXT, FROM, TO, TIME, RECEIVED, SEQ };

/* ---- what came ---- */

static bool is_event(const char *topic, size_t n)
{
    return n > SUFFIX_BYTES
        && memcmp(topic + n - SUFFIX_BYTES, SUFFIX, SUFFIX_BYTES) == 0;
}

enum ltw_fix_topic ltw_fix_topic(const struct ltw_host *host, const struct tw_record *r)
{
    const char *topic;

    if (r->message.script != 0) return LTW_FIX_NONE;
    topic = tw_names_get(host->topics, r->message.topic);
    if (strncmp(topic, PREFIX, PREFIX_BYTES) != 0) return LTW_FIX_NONE;
    return is_event(topic, strlen(topic)) ? LTW_FIX_EVENT : LTW_FIX_MESSAGE;
}

bool ltw_fix_session(const char *topic, char name[TW_NAME_MAX + 1])
{
    size_t n = strlen(topic);

    if (strncmp(topic, PREFIX, PREFIX_BYTES) != 0) return false;
    if (is_event(topic, n)) n -= SUFFIX_BYTES;
    n -= PREFIX_BYTES;
    memcpy(name, topic + PREFIX_BYTES, n);
    name[n] = 0;
    return true;
}

int ltw_fix_field(bool event, const char *name)
{
    static const char *const names[] = {
        [MESSAGE] = "message", [NAME] = "session", [EVENT] = "event", [TEXT] = "text",
        [FROM] = "from", [TO] = "to", [TIME] = "time", [RECEIVED] = "received",
        [SEQ] = "seq"
    };

    for (int i = 0; i <= SEQ; i++)
        if (strcmp(names[i], name) == 0 && (event || i < EVENT || i > TO)) return i;
    return -1;
}

/* [-0, +1, m]  "NAME" of "fix/NAME" and "fix/NAME/event". */
static void push_session(lua_State *L, const struct ltw_host *host, int names,
                         uint32_t topic)
{
    const char *text;
    size_t n;

    if (lua_rawgeti(L, names, SESSION(topic)) != LUA_TNIL) return;
    lua_pop(L, 1);
    text = tw_names_get(host->topics, topic);
    n = strlen(text);
    if (is_event(text, n)) n -= SUFFIX_BYTES;
    lua_pushlstring(L, text + PREFIX_BYTES, n - PREFIX_BYTES);
    lua_pushvalue(L, -1);
    lua_rawseti(L, names, SESSION(topic));
}

/* The session of that name, though it may have been removed, or NULL. */
static struct tw_fix_link *find(struct tw_fix_engine *e, const char *name)
{
    struct tw_fix_link *l = tw_fix_engine_find(e, name);

    for (unsigned i = tw_fix_engine_count(e); !l && i-- > 0;) {
        struct tw_fix_link *one = tw_fix_engine_link(e, i);   /* once: see fix_engine.c */

        if (strcmp(tw_fix_link_name(one), name) == 0) l = one;
    }
    return l;
}

/* [-0, +0, m]  The dictionary of the session that the topic is of, or NULL. */
static const struct tw_fix_dictionary *dictionary_of(lua_State *L,
                                                     const struct ltw_host *host,
                                                     int names, uint32_t topic)
{
    const struct tw_fix_dictionary *d = NULL;
    struct tw_fix_link *l;

    if (!host->fix && !host->recorded) return NULL;
    lua_rawgeti(L, names, DICTIONARY(topic));
    d = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (d) return d;
    push_session(L, host, names, topic);
    l = host->fix ? find(host->fix, lua_tostring(L, -1)) : NULL;
    d = l ? tw_fix_link_dictionary(l)
          : ltw_recorded_dictionary(host, lua_tostring(L, -1));
    lua_pop(L, 1);
    if (!d) return NULL;
    lua_pushlightuserdata(L, (void *)d);
    lua_rawseti(L, names, DICTIONARY(topic));
    return d;
}

/* [-1, +1, e]  The view of the bytes on top, by a dictionary that is built in. */
static void view_plainly(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.fix");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "message");
    lua_replace(L, -2);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
}

/* [-0, +1, e]  The message; nil: the event is about none. */
static void push_message(lua_State *L, const struct ltw_host *host, int names,
                         const struct tw_record *r)
{
    const struct tw_fix_dictionary *d = dictionary_of(L, host, names, r->message.topic);
    struct tw_any value = { .kind = r->message.value_kind };

    value.integer = r->message.value.integer;
    if (d && ltw_fix_topic(host, r) == LTW_FIX_MESSAGE && value.kind == TW_VALUE_BLOCK
        && tw_value_root(value.block).kind == TW_VALUE_STRING) {
        ltw_push_fix_message(L, value.block, d);
        return;
    }
    ltw_push_any(L, &value);
    if (!lua_isstring(L, -1)) {
        lua_getfield(L, -1, "version");
        if (d) d = ltw_fix_of(L, -1, d);
        lua_pop(L, 1);
        lua_getfield(L, -1, "message");
        lua_replace(L, -2);
        if (!lua_isstring(L, -1)) return;
    }
    if (!d) {
        view_plainly(L);
        return;
    }
    lua_pushnil(L);
    if (ltw_push_fix_text(L, lua_gettop(L) - 1, -1, d) < 0)
        luaL_error(L, "FIX message: %s", ltw_fix_reader(L)->why);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* [-0, +1, e]  That field of an event's table. */
static void push_of_event(lua_State *L, const struct tw_record *r, const char *name)
{
    struct tw_any value = { .kind = r->message.value_kind };

    value.integer = r->message.value.integer;
    ltw_push_any(L, &value);
    lua_getfield(L, -1, name);
    lua_replace(L, -2);
}

void ltw_push_fix_field(lua_State *L, const struct ltw_host *host, int names,
                        const struct tw_record *r, int field)
{
    switch (field) {
    case MESSAGE: push_message(L, host, names, r); break;
    case NAME: push_session(L, host, names, r->message.topic); break;
    case EVENT: push_of_event(L, r, "event"); break;
    case TEXT: push_of_event(L, r, "text"); break;
    case FROM: push_of_event(L, r, "from"); break;
    case TO: push_of_event(L, r, "to"); break;
    case TIME: lua_pushinteger(L, r->time); break;
    case RECEIVED: lua_pushinteger(L, r->received); break;
    default: lua_pushinteger(L, (lua_Integer)r->seq); break;
    }
}

/* ---- sessions by name ---- */

/* [-0, +0, e]  That argument 1 names; removed: it may be that. */
static struct tw_fix_link *check(lua_State *L, const char *what)
{
    struct ltw_host *host = ltw_check_host(L, what);
    const char *name = luaL_checkstring(L, 1);
    struct tw_fix_link *l = host->fix ? find(host->fix, name) : NULL;

    if (!host->fix) luaL_error(L, "%s: this app has no FIX sessions", what);
    if (!l && tw_fix_engine_count(host->fix) == 1)
        luaL_error(L, "%s: no session '%s'; there is '%s'", what, name,
                   tw_fix_link_name(tw_fix_engine_link(host->fix, 0)));
    if (!l) luaL_error(L, "%s: no session '%s'", what, name);
    return l;
}

/* [-0, +3, m] */
static int fail(lua_State *L, struct tw_fix_link *l, int code)
{
    luaL_pushfail(L);
    lua_pushfstring(L, "FIX session %s: %s", tw_fix_link_name(l),
                    tw_fix_link_is_removed(l) ? "it was removed"
                    : code == TW_ECLOSED ? "it is not logged on"
                    : code == TW_EFULL ? "its queue is full" : tw_strerror(code));
    lua_pushinteger(L, code);
    return 3;
}

/* [-0, +1, m]  true, or what went wrong. */
static int answer(lua_State *L, struct tw_fix_link *l, int code)
{
    if (code < 0) return fail(L, l, code);
    lua_pushboolean(L, 1);
    return 1;
}

/* Does what a script sends come nowhere, or wait?  [-0, +0, e] */
static bool goes(lua_State *L, const char *session, const char *code, int fields)
{
    struct ltw_state *state = ltw_state(L);
    struct tw_any value;
    bool out;

    if (state->host->replays) return false;
    if (!state->muted && (!state->script || (!ltw_script_outputs(state->script)
                                             && !ltw_script_is_muted(state->script))))
        return true;
    lua_pushfstring(L, "%s\1", code);
    lua_pushvalue(L, fields);
    lua_concat(L, 2);
    value = ltw_check_any(L, -1);
    out = ltw_output(L, LTW_FIX, session, NULL, NULL, &value);
    tw_any_unref(&value);
    lua_pop(L, 1);
    return out;
}

/* [-0, +1, m]  What a table at idx, or none, has of a field; nil. */
static void push_said(lua_State *L, int idx, const char *name, int tag)
{
    if (!lua_istable(L, idx)) lua_pushnil(L);
    else if (lua_getfield(L, idx, name) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_rawgeti(L, idx, tag);
    }
}

/* [-0, +0, e]  The version that ApplVerID on top says: "6", "FIX44" or "FIX.4.4". */
static const struct tw_fix_dictionary *named(lua_State *L, const struct tw_fix_link *l,
                                             const struct tw_fix_dictionary *d)
{
    const struct tw_fix_definition *f = tw_fix_dictionary_field(d, 1128);
    const struct tw_fix_dictionary *of = NULL;
    enum tw_fix_version named;
    size_t n;
    const char *text = luaL_tolstring(L, -1, &n);
    const char *id = f ? tw_fix_choice_named(f, text, n) : NULL;
    int v = id ? tw_fix_appl_version(id, strlen(id)) : tw_fix_appl_version(text, n);

    if (v < 0 && tw_fix_version_named(text, &named)) v = (int)named;
    if (v >= 0) of = tw_fix_dictionary_of(d, (enum tw_fix_version)v);
    if (!of)
        luaL_error(L, "fix.send: ApplVerID (1128) is '%s', but session %s has no such"
                   " version", text, tw_fix_link_name(l));
    lua_pop(L, 1);
    return of;
}

/* The code of the type that a text names, in one of the session's versions. */
static const struct tw_fix_dictionary *of_type(const struct tw_fix_session_options *o,
                                               const char *text, size_t n)
{
    const struct tw_fix_type *t = tw_fix_dictionary_type_named(o->dictionary, text, n);

    for (size_t i = 0; !t && i < o->typed_n; i++)
        t = tw_fix_dictionary_type_named(o->typed[i].dictionary, text, n);
    return t ? tw_fix_session_writes(o, t->code, strlen(t->code))
             : tw_fix_session_writes(o, text, n);
}

/* [-0, +0, e]  By what the message at 2, with the header at 3, is written: ApplVerID says
 * it; else one that came keeps its version, and others have that of their type. */
static void choose_version(lua_State *L, const struct tw_fix_link *l,
                           struct ltw_fix_build *how)
{
    const struct tw_fix_session_options *o = tw_fix_link_says(l);
    const struct tw_fix_message *m = ltw_test_fix_message(L, 2);
    int top = lua_gettop(L);
    size_t n;

    push_said(L, 3, "ApplVerID", 1128);
    if (lua_isnil(L, -1)) push_said(L, 2, "ApplVerID", 1128);
    if (!lua_isnil(L, -1)) {
        how->dictionary = named(L, l, o->dictionary);
    } else if (m) {
        enum tw_fix_version v = tw_fix_dictionary_version(m->dictionary);
        struct tw_fix_text code = tw_fix_message_code(m);
        const struct tw_fix_dictionary *d = tw_fix_dictionary_of(o->dictionary, v);

        if (d) how->dictionary = d;
        if (d && d != tw_fix_session_writes(o, code.at, code.n))
            how->applied = tw_fix_appl_ver_id(v);
    } else if (o->typed_n > 0) {
        push_said(L, 2, "MsgType", 35);
        if (lua_isstring(L, -1)) {
            const char *text = lua_tolstring(L, -1, &n);

            how->dictionary = of_type(o, text, n);
        }
    }
    lua_settop(L, top);
}

/* fix.send(session, message [, header]) -> ticket | nil, message, code
 * Sends a message by a session of the app, by its name: a table of fields, as fix.encode
 * takes it, or one that on_fix got, whose body goes out again.  What is wrong with it by
 * the session's dictionary raises; of a session with several versions (`applications` of
 * app.fix.session) by that which ApplVerID says, "FIX.4.4", or the default of its type;
 * one that on_fix got keeps its version.  header: more fields of the header ({
 * PossResend = true }); the session writes MsgSeqNum, SendingTime and CompIDs.  It has
 * been sent when the session has it; a message that is lost after that is told by
 * on_fix_event ("unsent", from: its ticket).  A version that is only looked at sends
 * nothing.
 * Yields: no.  Blocks: no.  Thread: any of a run.
 * Errors: nil when the session is not logged on, or its queue is full; raises for what
 * can't be.  Units: times: nanoseconds since 1970. */
static int send_message(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "fix.send");
    const struct tw_fix_session_options *o;
    struct ltw_fix_build how = { 0 };
    struct tw_fix_link *l;
    const char *fields;
    int64_t ticket;
    size_t n;

    lua_settop(L, 3);
    if (!lua_isnil(L, 3)) luaL_checktype(L, 3, LUA_TTABLE);
    if (!host->fix && host->time) {
        luaL_pushfail(L);
        lua_pushfstring(L, "FIX session %s: a backtest has no sessions",
                        luaL_checkstring(L, 1));
        lua_pushinteger(L, TW_ECLOSED);
        return 3;
    }
    l = check(L, "fix.send");
    o = tw_fix_link_says(l);
    how.dictionary = o->dictionary;
    if (tw_fix_dictionary_appl_ver_id(o->dictionary)) choose_version(L, l, &how);
    how.precision = o->precision;
    how.lenient = !(o->check & TW_FIX_VALIDATE_VALUES);
    ltw_push_fix_built(L, 2, lua_isnil(L, 3) ? 0 : 3, &how);
    if (!goes(L, lua_tostring(L, 1), lua_tostring(L, 4), 5)) {
        lua_pushinteger(L, 0);
        return 1;
    }
    fields = lua_tolstring(L, 5, &n);
    ticket = tw_fix_link_send(l, lua_tostring(L, 4), fields, n);
    if (ticket == TW_EUSAGE)
        return luaL_error(L, "fix.send: session %s sends messages of type %s itself",
                          tw_fix_link_name(l), lua_tostring(L, 4));
    if (ticket < 0) return fail(L, l, (int)ticket);
    lua_pushinteger(L, ticket);
    return 1;
}

void ltw_fix_send_frozen(struct ltw_host *host, const char *session,
                         const struct tw_any *value)
{
    struct tw_fix_link *l = host->fix ? find(host->fix, session) : NULL;
    struct tw_item text = tw_value_root(value->block);
    const char *fields = memchr(text.text, TW_FIX_SOH, text.length);
    char code[16];
    int64_t rc = TW_ECLOSED;

    if (l && (size_t)(fields - text.text) < sizeof code) {
        memcpy(code, text.text, (size_t)(fields - text.text));
        code[fields - text.text] = '\0';
        fields++;
        rc = tw_fix_link_send(l, code, fields,
                              text.length - (size_t)(fields - text.text));
    }
    if (rc < 0)
        tw_log_printf(host->log, TW_LOG_WARN, "", "FIX session %s: a message was not"
                      " sent: %s", session, tw_strerror((int)rc));
}

/* ---- figures ---- */

static const char *const states[] = { "down", "logging on", "up", "leaving", "closing" };

/* [-0, +1, m]  The types of messages that nobody was there for. */
static void push_missed(lua_State *L, const struct tw_fix_link_status *s)
{
    lua_createtable(L, (int)s->missed_n, 0);
    for (unsigned i = 0; i < s->missed_n; i++) {
        lua_createtable(L, 0, 3);
        ltw_set_text(L, "type", s->missed[i].code);
        ltw_set_flag(L, "taken", !s->missed[i].answered);
        ltw_set_count(L, "count", s->missed[i].n);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* [-0, +1, m] */
static void push_status(lua_State *L, struct tw_fix_link *l)
{
    const struct tw_fix_session_options *o = tw_fix_link_says(l);
    struct tw_fix_link_status s;
    char outside[64];

    tw_fix_link_status(l, &s);
    lua_createtable(L, 0, 24);
    ltw_set_text(L, "name", tw_fix_link_name(l));
    ltw_set_text(L, "state", s.removed ? "removed" : states[s.session.state]);
    ltw_set_text(L, "version",
             tw_fix_dictionary_begin_string(o->dictionary));
    ltw_set_text(L, "sender", o->sender);
    ltw_set_text(L, "target", o->target);
    ltw_set_text(L, "peer", s.peer);
    ltw_set_text(L, "why", s.session.state == TW_FIX_DOWN && s.session.enabled
                       && o->schedule
                       && tw_fix_schedule_outside(o->schedule, tw_clock_now_ns(), outside)
                       ? outside : s.why);
    ltw_set_flag(L, "initiator", s.initiator);
    ltw_set_flag(L, "enabled", s.session.enabled);
    ltw_set_count(L, "next_in", s.session.next_in);
    ltw_set_count(L, "next_out", s.session.next_out);
    ltw_set_count(L, "missing_to", s.session.missing_to);
    ltw_set_count(L, "received", s.session.received);
    ltw_set_count(L, "sent", s.session.sent);
    ltw_set_count(L, "garbled", s.session.garbled);
    ltw_set_count(L, "refused", s.session.refused);
    ltw_set_count(L, "oversized", s.session.cuts.oversized);
    ltw_set_count(L, "noise", s.session.cuts.noise);
    ltw_set_count(L, "silent", s.session.cuts.silent);
    ltw_set_count(L, "unread", s.session.cuts.unread);
    ltw_set_count(L, "waiting", s.session.waiting);
    ltw_set_count(L, "queued", s.queued);
    ltw_set_count(L, "logons", s.logons);
    ltw_set_count(L, "unsent", s.unsent);
    ltw_set_count(L, "log_lost", s.log_lost);
    ltw_set_count(L, "tape_lost", s.tape_lost);
    ltw_set_count(L, "untaken", s.untaken);
    ltw_set_count(L, "unheard", s.unheard);
    push_missed(L, &s);
    lua_setfield(L, -2, "missed");
}

/* [-0, +1, m]  A port, and why it cut connections that no session had. */
static void push_port(lua_State *L, const struct tw_fix_engine *e, int door)
{
    struct tw_fix_door_status s;

    tw_fix_engine_door(e, door, &s);
    lua_createtable(L, 0, 9);
    ltw_set_count(L, "port", tw_fix_engine_port(e, door));
    ltw_set_count(L, "open", s.open);
    ltw_set_count(L, "connects", s.connects);
    ltw_set_count(L, "silent", s.silent);
    ltw_set_count(L, "garbled", s.garbled);
    ltw_set_count(L, "unknown", s.unknown);
    ltw_set_count(L, "refused", s.refused);
    ltw_set_count(L, "crowded", s.crowded);
    ltw_set_count(L, "tls", s.tls);
}

void ltw_push_fix_statuses(lua_State *L, const struct ltw_host *host)
{
    unsigned doors = host->fix ? tw_fix_engine_doors(host->fix) : 0;
    unsigned n = host->fix ? tw_fix_engine_count(host->fix) : 0;
    lua_Integer at = 0;

    lua_createtable(L, (int)n, 1);
    for (unsigned i = 0; i < n; i++) {
        struct tw_fix_link *l = tw_fix_engine_link(host->fix, i);

        if (tw_fix_link_is_removed(l)) continue;
        push_status(L, l);
        lua_rawseti(L, -2, ++at);
    }
    lua_createtable(L, (int)doors, 0);
    for (unsigned i = 0; i < doors; i++) {
        push_port(L, host->fix, (int)i);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "ports");
}

/* fix.status([session]) -> table
 * The figures of a session, or a list of those of all: name, state ("down", "logging on",
 * "up", "leaving", "closing"), version, sender, target, peer (an address), why (it is not
 * up: what ended it or kept it from connecting, or until when its schedule does not have
 * it up), initiator, enabled, next_in, next_out (the numbers of the next messages),
 * missing_to, received, sent, garbled, refused, unsent, logons, waiting and queued
 * (bytes), log_lost, tape_lost (messages that a feed, gateway, market or book took, for
 * which there was no memory for on_fix), untaken (messages of types that the session does
 * not take), unheard (those that no script has an on_fix for), missed (both by type: a
 * list of tables: type, count, taken), and how often it hung up on its peer: oversized (a
 * message past message_size, or of too many fields), noise (more bytes than that without
 * a message), silent (nothing came), unread (the peer did not read).
 * The list's field ports is a list of those where peers connect: port, open (connections
 * now), connects (ever), and how many it cut before a session had them: silent (no whole
 * Logon in time), garbled (no FIX), unknown (no session is for its Logon), refused (the
 * session takes none now), crowded (too many connections), tls.
 * Yields: no.  Blocks: no.  Thread: any of a run.
 * Errors: raises for a session that there is not.  Units: bytes. */
static int status(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "fix.status");

    if (lua_isnoneornil(L, 1)) ltw_push_fix_statuses(L, host);
    else push_status(L, check(L, "fix.status"));
    return 1;
}

/* ---- commands ---- */

/* fix.enable(session [, enabled]) -> true | nil, message, code
 * A session that is disabled (enabled = false) logs out, and takes no connection until it
 * is enabled again.  What was sent before, orders too, goes out first, and cancels have
 * their answers, as far as that takes no longer than logout_timeout (2 s).
 * Yields: no.  Blocks: no.  Thread: any of a run.
 * Errors: nil when it was removed; raises for a session that there is not.
 * Units: none. */
static int enable(lua_State *L)
{
    struct tw_fix_link *l = check(L, "fix.enable");

    if (ltw_is_muted(L)) return answer(L, l, TW_OK);
    return answer(L, l, tw_fix_link_enable(l, lua_isnoneornil(L, 2)
                                              || lua_toboolean(L, 2)));
}

/* logon(session, fields) -> true | nil, message, code
 * fields: a list of { field, value }, as fix.logon of stdlib/fix.lua makes it. */
static int logon(lua_State *L)
{
    const char *fields;
    struct tw_fix_link *l;
    luaL_Buffer b;
    size_t n;

    if (ltw_check_host(L, "fix.logon")->replays) {   /* it was there then */
        lua_pushboolean(L, 1);
        return 1;
    }
    l = check(L, "fix.logon");
    if (!tw_fix_link_says(l)->hold_logon)
        return luaL_error(L, "fix.logon: the Logon of session %s does not wait: it is"
                          " declared without hold_logon = true", tw_fix_link_name(l));
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    luaL_buffinit(L, &b);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, 2); i++) {
        int32_t tag;

        lua_rawgeti(L, 2, i);
        tag = ltw_fix_tag(L, tw_fix_link_dictionary(l));
        lua_getfield(L, -1, "field");
        if (tag <= 0)
            return luaL_error(L, "fix.logon: session %s: its dictionary has no field %s",
                              tw_fix_link_name(l), lua_tostring(L, -1));
        lua_getfield(L, -2, "value");
        lua_pushfstring(L, "%d=%s", (int)tag, lua_tostring(L, -1));
        lua_replace(L, -4);
        lua_pop(L, 2);
        luaL_addvalue(&b);
        luaL_addchar(&b, 0);
    }
    luaL_pushresult(&b);
    if (ltw_is_muted(L)) return answer(L, l, TW_OK);
    fields = lua_tolstring(L, -1, &n);
    return answer(L, l, tw_fix_link_logon(l, fields, n));
}

/* fix.logout(session [, text]) -> true | nil, message, code
 * It logs out, after what was sent before, as in fix.enable; an initiator connects again
 * after a while.
 * Yields: no.  Blocks: no.  Thread: any of a run.
 * Errors: as fix.enable; raises for a text with SOH.  Units: none. */
static int logout(lua_State *L)
{
    struct tw_fix_link *l = check(L, "fix.logout");
    const char *text = luaL_optstring(L, 2, NULL);

    luaL_argcheck(L, !text || !strchr(text, TW_FIX_SOH), 2,
                  "a text without SOH (byte 1), which ends a field, expected");
    if (ltw_is_muted(L)) return answer(L, l, TW_OK);
    return answer(L, l, tw_fix_link_logout(l, text));
}

/* fix.reset(session) -> true | nil, message, code
 * Both numbers become 1: at once, or of a session that is up with a Logon that says so;
 * FIX.4.0 has none such, so it logs out first, and the peer has to reset, too.  While it
 * logs on or out they do so when its connection has ended.
 * Yields: no.  Blocks: no.  Thread: any of a run.
 * Errors: as fix.enable.  Units: none. */
static int reset(lua_State *L)
{
    struct tw_fix_link *l = check(L, "fix.reset");

    if (ltw_is_muted(L)) return answer(L, l, TW_OK);
    return answer(L, l, tw_fix_link_reset(l));
}

/* fix.set_numbers(session, next_in, next_out) -> true | nil, message, code
 * The numbers of the next message that comes, and of the next that goes out.  What a
 * higher next_in leaves out is told as skipped; the status of orders is asked for.
 * Yields: no.  Blocks: no.  Thread: any of a run.
 * Errors: as fix.enable; raises for a number below 1.  Units: none. */
static int set_numbers(lua_State *L)
{
    struct tw_fix_link *l = check(L, "fix.set_numbers");
    lua_Integer in = luaL_checkinteger(L, 2), out = luaL_checkinteger(L, 3);

    luaL_argcheck(L, in > 0, 2, "a number from 1 on expected");
    luaL_argcheck(L, out > 0, 3, "a number from 1 on expected");
    if (ltw_is_muted(L)) return answer(L, l, TW_OK);
    return answer(L, l, tw_fix_link_set_numbers(l, (uint64_t)in, (uint64_t)out));
}

/* fix.remove(session) -> true | nil, message, code
 * It logs out and is no more; its store stays, and so do its name and figures: some 4 KB
 * of memory till the end of the run, for others may look at it.
 * Yields: no.  Blocks: no.  Thread: any of a run.
 * Errors: as fix.enable.  Units: none. */
static int remove_session(lua_State *L)
{
    struct tw_fix_link *l = check(L, "fix.remove");

    if (ltw_is_muted(L)) return answer(L, l, TW_OK);
    return answer(L, l, tw_fix_link_remove(l));
}

/* add(options) -> name | nil, message, code
 * options: as fix.add of stdlib/fix.lua has read them. */
static int add(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "fix.add");
    struct tw_error error;

    if (!host->fixes)
        return luaL_error(L, host->time ? "fix.add: a backtest has no sessions"
                          : "fix.add: the app file declares neither a FIX session nor"
                            " app.fix.open()");
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (!ltw_is_muted(L) && !ltw_fix_add_one(L, host->fixes, &error))
        return ltw_fail_with(L, &error);
    lua_getfield(L, 1, "name");
    return 1;
}

static const luaL_Reg functions[] = {
    { "send", send_message }, { "status", status }, { "enable", enable },
    { "logout", logout }, { "reset", reset }, { "set_numbers", set_numbers },
    { "remove", remove_session }, { NULL, NULL }
};

/* Of those fix.lua has functions of its own. */
static const luaL_Reg internal[] = {
    { "add", add }, { "logon", logon }, { NULL, NULL }
};

void ltw_fix_functions(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
    luaL_setfuncs(L, internal, 0);
}
