/* fix_reading.c - what the table of a FIX session says, as the engine has it. */
#include "fix/fix_reading.h"

#include <stdio.h>
#include <string.h>

#include "fix/fix_instruments.h"
#include "lfield.h"

/* [-0, +0, m]  True where nothing is said. */
static bool is_on(lua_State *L, const char *name)
{
    bool on = lua_getfield(L, -1, name) == LUA_TNIL || lua_toboolean(L, -1);

    lua_pop(L, 1);
    return on;
}

size_t ltw_fix_texts(lua_State *L, const char *name, const char **out, size_t room)
{
    int top = lua_gettop(L);
    size_t n = 0;

    if (lua_getfield(L, -1, name) == LUA_TTABLE)
        for (; n < room && lua_rawgeti(L, -1, (lua_Integer)n + 1) == LUA_TSTRING; n++) {
            out[n] = lua_tostring(L, -1);
            lua_pop(L, 1);
        }
    lua_settop(L, top);
    return n;
}

static int read_schedule(lua_State *L, struct ltw_shelf *shelf,
                         struct ltw_fix_reading *r, struct tw_error *error)
{
    struct tw_fix_schedule *s = &r->schedule;
    struct tw_error why;
    const char *fault;
    int rc = TW_OK;

    if (lua_getfield(L, -1, "schedule") == LUA_TTABLE) {
        *s = (struct tw_fix_schedule){
            .non_stop = ltw_boolean_at(L, -1, "non_stop"),
            .start_s = (int32_t)ltw_number_at(L, -1, "open", 0),
            .end_s = (int32_t)ltw_number_at(L, -1, "close", 0),
            .days = (uint8_t)ltw_number_at(L, -1, "days", 0),
            .start_day = (int8_t)ltw_number_at(L, -1, "open_day", TW_FIX_NO_DAY),
            .end_day = (int8_t)ltw_number_at(L, -1, "close_day", TW_FIX_NO_DAY),
            .reset_s = (int32_t)ltw_number_at(L, -1, "reset", TW_FIX_NO_TIME),
        };
        rc = ltw_shelf_zone(shelf, ltw_text_at(L, -1, "zone"), &s->zone, &why);
        if (rc < 0) rc = tw_fail(error, rc, "%s: schedule: %s", r->what, why.text);
        r->o.session.schedule = s;
        fault = rc == TW_OK ? tw_fix_schedule_fault(s) : NULL;
        if (fault) rc = tw_fail(error, TW_EUSAGE, "%s: schedule: %s", r->what, fault);
    }
    lua_pop(L, 1);
    return rc;
}

/* Of the list of { field, value }. */
static int read_logon(lua_State *L, struct ltw_fix_reading *r, struct tw_error *error)
{
    struct tw_fix_session_options *s = &r->o.session;
    int top = lua_gettop(L), rc = TW_OK;

    if (lua_getfield(L, -1, "logon") == LUA_TTABLE)
        for (lua_Integer i = 1; rc == TW_OK && lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
            size_t k = s->logon_n;
            int32_t tag = ltw_fix_tag(L, s->dictionary);

            if (tag <= 0) {
                lua_getfield(L, -1, "field");
                rc = tw_fail(error, TW_EUSAGE, "%s: logon: its dictionary has no field"
                             " %s", r->what, lua_tostring(L, -1));
                lua_pop(L, 1);
            } else if (k == LTW_FIX_LOGON_MAX)
                rc = tw_fail(error, TW_EUSAGE, "%s: logon: more than %d fields", r->what,
                             LTW_FIX_LOGON_MAX);
            else r->logon[s->logon_n++] = (struct tw_fix_extra){
                tag, ltw_text_at(L, -1, "value") };
            while (k > 0 && r->logon[k - 1].tag != tag) k--;
            if (k > 0)
                rc = tw_fail(error, TW_EUSAGE, "%s: logon: %d is there twice", r->what,
                             (int)tag);
            lua_pop(L, 1);
        }
    s->logon = r->logon;
    lua_settop(L, top);
    return rc;
}

/* What options have us write is known to its dictionary: a peer that looks at fields
 * would refuse the Logon, and so would we refuse the peer's. */
static int check_written(const struct ltw_fix_reading *r, struct tw_error *error)
{
    const struct tw_fix_session_options *s = &r->o.session;
    const struct tw_fix_type *logon = tw_fix_dictionary_type(s->dictionary, "A", 1);

    if (s->check == TW_FIX_CHECK_OFF) return TW_OK;
    if (s->next_expected && !(logon && tw_fix_member(&logon->body, 789)))
        return tw_fail(error, TW_EUSAGE, "%s: next_expected: the Logon of its dictionary"
                       " has no NextExpectedMsgSeqNum (789), which is of FIX.4.4 on",
                       r->what);
    if (!s->last_processed || tw_fix_member(tw_fix_dictionary_header(s->dictionary), 369))
        return TW_OK;
    return tw_fail(error, TW_EUSAGE, "%s: last_processed: the header of its dictionary"
                   " has no LastMsgSeqNumProcessed (369), which is of FIX.4.2 on",
                   r->what);
}

struct tw_tls_options ltw_fix_tls(lua_State *L)
{
    return (struct tw_tls_options){
        .server = ltw_boolean_at(L, -1, "server"),
        .certificate = ltw_text_at(L, -1, "certificate"),
        .key = ltw_text_at(L, -1, "key"), .ca_file = ltw_text_at(L, -1, "ca"),
        .ca_folder = ltw_text_at(L, -1, "ca_folder"),
        .crl_file = ltw_text_at(L, -1, "crl"), .name = ltw_text_at(L, -1, "name"),
        .ask = ltw_boolean_at(L, -1, "ask"), .only_13 = ltw_boolean_at(L, -1, "only_13"),
        .ciphers = ltw_text_at(L, -1, "ciphers"), .suites = ltw_text_at(L, -1, "suites"),
    };
}

/* Of the list of { code, version }. */
static void read_typed(lua_State *L, struct ltw_fix_reading *r)
{
    struct tw_fix_session_options *s = &r->o.session;
    int top = lua_gettop(L);
    enum tw_fix_version v;

    if (lua_getfield(L, -1, "typed") == LUA_TTABLE)
        while (s->typed_n < TW_FIX_TYPED_MAX
               && lua_rawgeti(L, -1, (lua_Integer)s->typed_n + 1) == LUA_TTABLE) {
            if (tw_fix_version_named(ltw_text_at(L, -1, "version"), &v))
                r->typed[s->typed_n++] = (struct tw_fix_typed){
                    ltw_text_at(L, -1, "code"), tw_fix_dictionary_of(s->dictionary, v) };
            lua_pop(L, 1);
        }
    s->typed = r->typed;
    lua_settop(L, top);
}

/* What session.h says of it. */
static void read_session(lua_State *L, struct tw_fix_session_options *s)
{
    *s = (struct tw_fix_session_options){
        .dictionary = s->dictionary,
        .sender = ltw_text_at(L, -1, "sender"),
        .sender_sub = ltw_text_at(L, -1, "sender_sub"),
        .sender_location = ltw_text_at(L, -1, "sender_location"),
        .target = ltw_text_at(L, -1, "target"),
        .target_sub = ltw_text_at(L, -1, "target_sub"),
        .target_location = ltw_text_at(L, -1, "target_location"),
        .initiator = ltw_boolean_at(L, -1, "initiator"),
        .check = (unsigned)ltw_number_at(L, -1, "check", 0),
        .heartbeat_s = (int64_t)ltw_number_at(L, -1, "heartbeat", 0),
        .precision = (int)ltw_number_at(L, -1, "precision", 0),
        .hold_logon = ltw_boolean_at(L, -1, "hold_logon"),
        .reset_on_logon = ltw_boolean_at(L, -1, "reset_on_logon"),
        .reset_on_logout = ltw_boolean_at(L, -1, "reset_on_logout"),
        .reset_on_disconnect = ltw_boolean_at(L, -1, "reset_on_disconnect"),
        .forget = !is_on(L, "persist"),
        .any_comp_id = !is_on(L, "check_comp_id"),
        .latency_s = (int64_t)ltw_number_at(L, -1, "latency", 0),
        .next_expected = ltw_boolean_at(L, -1, "next_expected"),
        .last_processed = ltw_boolean_at(L, -1, "last_processed"),
        .resend_chunk = (uint64_t)ltw_number_at(L, -1, "resend_chunk", 0),
        .resend_rate = (uint64_t)ltw_number_at(L, -1, "resend_rate", 0),
        .logon_timeout_s = (int64_t)ltw_number_at(L, -1, "logon_timeout", 0),
        .logout_timeout_s = (int64_t)ltw_number_at(L, -1, "logout_timeout", 0),
        .message_max = (size_t)ltw_number_at(L, -1, "message_size", 0),
    };
}

static void read_files(lua_State *L, struct tw_fix_link_options *o)
{
    const char *sync = ltw_text_at(L, -1, "sync");

    o->store = ltw_text_at(L, -1, "store");
    o->store_bytes = (size_t)ltw_number_at(L, -1, "store_size", 0);
    o->sync = sync && strcmp(sync, "never") == 0 ? TW_FIX_SYNC_NEVER
            : sync && strcmp(sync, "each") == 0 ? TW_FIX_SYNC_EACH : TW_FIX_SYNC_TIMED;
    o->sync_ms = (int64_t)(ltw_number_at(L, -1, "sync_time", 0.1) * 1000);
    o->log = ltw_text_at(L, -1, "log");
    o->log_bytes = (uint64_t)ltw_number_at(L, -1, "log_size", 0);
    o->log_files = (unsigned)ltw_number_at(L, -1, "log_files", 0);
    o->queue_bytes = (size_t)ltw_number_at(L, -1, "queue", 0);
    o->hold = ltw_boolean_at(L, -1, "hold");
    o->disabled = !is_on(L, "enabled");
    if (lua_getfield(L, -1, "retry") == LUA_TTABLE) {
        o->retry_min_ms = (int64_t)(ltw_number_at(L, -1, "first", 0) * 1000);
        o->retry_max_ms = (int64_t)(ltw_number_at(L, -1, "last", 0) * 1000);
    }
    lua_pop(L, 1);
}

int ltw_fix_read(lua_State *L, struct ltw_shelf *s, const struct tw_fix_engine *engine,
                 struct ltw_fix_reading *r, struct tw_error *error)
{
    struct tw_fix_link_options *o = &r->o;
    int rc, table = lua_gettop(L), door;

    *r = (struct ltw_fix_reading){ .what = ltw_text_at(L, -1, "what") };
    o->name = ltw_text_at(L, -1, "name");
    o->session.dictionary = ltw_shelf_dictionary(s, ltw_text_at(L, -1, "spelling"),
                                                 error);
    if (!o->session.dictionary) return error->code;
    read_session(L, &o->session);
    read_typed(L, r);
    read_files(L, o);
    o->door = (int)ltw_number_at(L, -1, "door", 0);
    o->hosts = r->hosts;
    o->hosts_n = ltw_fix_texts(L, "hosts", r->hosts, LTW_FIX_HOSTS_MAX);
    door = (int)ltw_number_at(L, -1, "loopback", -1);
    if (door >= 0) {
        snprintf(r->own_port, sizeof r->own_port, "127.0.0.1:%u",
                 tw_fix_engine_port(engine, door));
        r->hosts[0] = r->own_port;
    }
    o->tape = ltw_boolean_at(L, -1, "tape");
    if (!is_on(L, "take_all")) {
        o->take = r->take;
        o->take_n = ltw_fix_texts(L, "take", r->take, LTW_FIX_TAKE_MAX);
    }
    if (lua_getfield(L, -1, "tls") == LUA_TTABLE) {
        r->tls = ltw_fix_tls(L);
        o->tls = &r->tls;
    }
    lua_settop(L, table);
    rc = read_schedule(L, s, r, error);
    if (rc == TW_OK) rc = read_logon(L, r, error);
    return rc == TW_OK ? check_written(r, error) : rc;
}
