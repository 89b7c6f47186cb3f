/* fix.c - the FIX sessions of a run: from what an app declares to its engine.
 *
 * stdlib/app_fix.lua has checked names, types and ranges; what needs a dictionary, a file
 * or a zone is found out here.
 */
#include "fix.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "booths.h"
#include "gateway.h"
#include "filter.h"
#include "lfield.h"
#include "lfix_session.h"
#include "recorded.h"
#include "run/fix_both.h"
#include "run/fix_feed.h"
#include "run/fix_serve.h"
#include "run/tls.h"

enum { LOGON_MAX = 32, HOSTS_MAX = 16, TAKE_MAX = 256, TEMPLATES_MAX = 16,
       ROOM = 2 * LOGON_MAX + HOSTS_MAX + TAKE_MAX + 16 };

/* One of a version and files: sessions that say the same share it. */
struct dictionary {
    struct dictionary *next;
    struct tw_fix_dictionary *d;
    char *spelling;                      /* as tape files have it */
    char key[];
};

struct zone {
    struct zone *next;
    struct tw_zone *z;
    char name[];
};

/* A script that has an on_fix. */
struct ltw_ear {
    struct ltw_ear *next;
    char **names;                        /* of the sessions that it takes; NULL: all */
};

struct ltw_fix {
    struct tw_fix_engine *engine;        /* constant                       */
    struct ltw_host *host;               /* constant                       */
    struct tw_io *io;                    /* constant                       */
    struct ltw_booths *booths;           /* constant                       */
    pthread_mutex_t lock;
    struct tw_fix_serve *serve;          /* mutex: of the tape, or NULL    */
    struct tw_fix_both *shared;          /* mutex: sessions with more uses */
    struct dictionary *dictionaries;     /* mutex: under lock              */
    struct zone *zones;                  /* mutex: under lock              */
    pthread_mutex_t ears_lock;           /* held for moments: FEED takes it */
    struct ltw_ear *ears;                /* mutex: under ears_lock         */
};

/* What the options of a session point at. */
struct reading {
    struct tw_fix_link_options o;
    struct tw_fix_schedule schedule;
    struct tw_tls_options tls;
    struct tw_fix_extra logon[LOGON_MAX];
    struct tw_fix_typed typed[TW_FIX_TYPED_MAX];
    const char *hosts[HOSTS_MAX], *take[TAKE_MAX];
    const char *what;                    /* as errors call it */
    char own_port[sizeof "127.0.0.1:65535"];
};

/* ---- reading the table on top ---- */

/* [-0, +0, m]  True where nothing is said. */
static bool is_on(lua_State *L, const char *name)
{
    bool on = lua_getfield(L, -1, name) == LUA_TNIL || lua_toboolean(L, -1);

    lua_pop(L, 1);
    return on;
}

/* [-0, +0, m]  The texts of a list, at most `room`. */
static size_t texts(lua_State *L, const char *name, const char **out, size_t room)
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

/* The error says where it is, and of what, unless it says that itself. */
static void set_what(struct tw_error *error, const char *at, const char *what)
{
    struct tw_error was = *error;
    bool says = strstr(was.text, what) != NULL;

    tw_fail(error, was.code, "%s%s%s%s", at, says ? "" : what, says ? "" : ": ",
            was.text);
}

/* ---- dictionaries and zones ---- */

static int no_memory(struct tw_error *error)
{
    return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
}

/* That of the key, with the lock held; NULL: *error says why. */
static const struct tw_fix_dictionary *share(struct ltw_fix *f, const char *key,
                                             struct tw_error *error)
{
    struct dictionary *one = f->dictionaries;
    int rc;

    while (one && strcmp(one->key, key) != 0) one = one->next;
    if (one) return one->d;
    one = tw_calloc(1, sizeof *one + strlen(key) + 1);
    rc = one ? ltw_recorded_make(key, true, &one->d, error) : no_memory(error);
    if (rc == TW_OK) {
        const char *name = tw_fix_version_name(tw_fix_dictionary_version(one->d));

        one->spelling = tw_calloc(1, strlen(name) + strlen(key) + 1);
        if (!one->spelling) rc = no_memory(error);
        else if (*key == '+') strcpy(one->spelling, key);
        else sprintf(one->spelling, "%s%s", name, key + strcspn(key, "\n"));
    }
    if (rc < 0) {
        if (one) tw_fix_dictionary_free(one->d);
        tw_free(one);
        return NULL;
    }
    strcpy(one->key, key);
    one->next = f->dictionaries;
    f->dictionaries = one;
    return one->d;
}

/* [-0, +0, m]  That of the session on top; NULL: *error says why. */
static const struct tw_fix_dictionary *dictionary_of(lua_State *L, struct ltw_fix *f,
                                                     struct tw_error *error)
{
    const char *key = ltw_text_at(L, -1, "spelling");
    const struct tw_fix_dictionary *d;

    pthread_mutex_lock(&f->lock);   /* no call of Lua until it is free */
    d = share(f, key, error);
    pthread_mutex_unlock(&f->lock);
    return d;
}

/* With the lock held. */
static struct zone *share_zone(struct ltw_fix *f, const char *name,
                               struct tw_error *error)
{
    struct zone *one = f->zones;

    while (one && strcmp(one->name, name) != 0) one = one->next;
    if (one) return one;
    one = tw_calloc(1, sizeof *one + strlen(name) + 1);
    if (!one || !(one->z = tw_zone_open(name, error))) {
        if (!one) no_memory(error);
        tw_free(one);
        return NULL;
    }
    strcpy(one->name, name);
    one->next = f->zones;
    return f->zones = one;
}

static int zone_of(struct ltw_fix *f, const char *name, const struct tw_zone **out,
                   struct tw_error *error)
{
    struct zone *one;

    *out = NULL;
    if (!name) return TW_OK;
    pthread_mutex_lock(&f->lock);
    one = share_zone(f, name, error);
    pthread_mutex_unlock(&f->lock);
    if (one) *out = one->z;
    return one ? TW_OK : error->code;
}

/* ---- a session ---- */

static int read_schedule(lua_State *L, struct ltw_fix *f, struct reading *r,
                         struct tw_error *error)
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
        rc = zone_of(f, ltw_text_at(L, -1, "zone"), &s->zone, &why);
        if (rc < 0) rc = tw_fail(error, rc, "%s: schedule: %s", r->what, why.text);
        r->o.session.schedule = s;
        fault = rc == TW_OK ? tw_fix_schedule_fault(s) : NULL;
        if (fault) rc = tw_fail(error, TW_EUSAGE, "%s: schedule: %s", r->what, fault);
    }
    lua_pop(L, 1);
    return rc;
}

/* Of the list of { field, value }. */
static int read_logon(lua_State *L, struct reading *r, struct tw_error *error)
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
            } else if (k == LOGON_MAX)
                rc = tw_fail(error, TW_EUSAGE, "%s: logon: more than %d fields", r->what,
                             LOGON_MAX);
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
static int check_written(const struct reading *r, struct tw_error *error)
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

static struct tw_tls_options tls_of(lua_State *L)
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
static void read_typed(lua_State *L, struct reading *r)
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

/* Messages that we write alike are of one version. */
static int check_alike(const struct tw_fix_link_options *o, const char *what,
                       const char *codes, struct tw_error *error)
{
    const struct tw_fix_dictionary *first = NULL;

    for (size_t n; *codes; codes += n + (codes[n] == ' ')) {
        const struct tw_fix_dictionary *d;

        n = strcspn(codes, " ");
        d = tw_fix_session_writes(&o->session, codes, n);
        if (first && d != first)
            return tw_fail(error, TW_EUSAGE, "%s: default_for: %.*s is of another version"
                           " than what goes with it", what, (int)n, codes);
        first = d;
    }
    return TW_OK;
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

/* [-0, +n, m]  Of the session on top; what stays on the stack are texts of it. */
static int read_link(lua_State *L, struct ltw_fix *f, struct reading *r,
                     struct tw_error *error)
{
    struct tw_fix_link_options *o = &r->o;
    int rc, table = lua_gettop(L), door;

    *r = (struct reading){ .what = ltw_text_at(L, -1, "what") };
    o->name = ltw_text_at(L, -1, "name");
    o->session.dictionary = dictionary_of(L, f, error);
    if (!o->session.dictionary) return error->code;
    read_session(L, &o->session);
    read_typed(L, r);
    read_files(L, o);
    o->door = (int)ltw_number_at(L, -1, "door", 0);
    o->hosts = r->hosts;
    o->hosts_n = texts(L, "hosts", r->hosts, HOSTS_MAX);
    door = (int)ltw_number_at(L, -1, "loopback", -1);
    if (door >= 0) {
        snprintf(r->own_port, sizeof r->own_port, "127.0.0.1:%u",
                 tw_fix_engine_port(f->engine, door));
        r->hosts[0] = r->own_port;
    }
    o->tape = ltw_boolean_at(L, -1, "tape");
    if (!is_on(L, "take_all")) {
        o->take = r->take;
        o->take_n = texts(L, "take", r->take, TAKE_MAX);
    }
    if (lua_getfield(L, -1, "tls") == LUA_TTABLE) {
        r->tls = tls_of(L);
        o->tls = &r->tls;
    }
    lua_settop(L, table);
    rc = read_schedule(L, f, r, error);
    if (rc == TW_OK) rc = read_logon(L, r, error);
    return rc == TW_OK ? check_written(r, error) : rc;
}

/* One more use of its messages: the first of them, or the last. */
static int use(struct ltw_fix *f, struct tw_fix_link_options *o,
               struct tw_fix_consumer consumer, bool first, struct tw_error *error)
{
    struct tw_fix_consumer was = o->consumer;

    pthread_mutex_lock(&f->lock);
    o->consumer = tw_fix_both(&f->shared, first ? consumer : was,
                              first ? was : consumer);
    pthread_mutex_unlock(&f->lock);
    return o->consumer.ctx ? TW_OK : no_memory(error);
}

/* [-0, +0, m]  Whether peers of the session on top trade in the run's own book.  *out
 * goes to ltw_booths_give. */
static int take_booth(lua_State *L, struct ltw_fix *f, struct tw_fix_link_options *o,
                      struct ltw_booth **out, struct tw_error *error)
{
    int rc;

    if (!ltw_boolean_at(L, -1, "orders")) return TW_OK;
    rc = check_alike(o, ltw_text_at(L, -1, "what"), "8 9", error);
    if (rc == TW_OK) rc = ltw_booths_take(f->booths, o, out, error);
    return rc < 0 ? rc : use(f, o, ltw_booths_consumer(*out), false, error);
}

/* [-0, +0, m]  Those of the sessions that are made of the template on top. */
static int set_orders(lua_State *L, struct ltw_fix *f, struct tw_fix_link_options *o,
                      struct tw_error *error)
{
    struct tw_fix_consumer consumer;

    if (!ltw_boolean_at(L, -1, "orders")) return TW_OK;
    if (check_alike(o, ltw_text_at(L, -1, "what"), "8 9", error) < 0) return error->code;
    consumer = ltw_booths_template(f->booths, o);
    return consumer.ctx ? use(f, o, consumer, false, error) : no_memory(error);
}

/* [-0, +0, m]  A feed reads the messages of the session on top: before others do, as most
 * are its. */
static int set_feed(lua_State *L, struct ltw_fix *f, struct tw_fix_link_options *o,
                    struct tw_error *error) TW_ON(MAIN)
{
    struct tw_fix_consumer consumer = { .ctx = NULL };

    if (lua_getfield(L, -1, "feed") == LUA_TTABLE)
        consumer = tw_fix_feed_consumer(f->io,
                                        (unsigned)ltw_integer_at(L, -1, "index", 0));
    lua_pop(L, 1);
    return consumer.message ? use(f, o, consumer, true, error) : TW_OK;
}

/* [-0, +0, m]  The session or template on top serves what is on the tape. */
static int set_market(lua_State *L, struct ltw_fix *f, struct tw_fix_link_options *o,
                      struct tw_error *error)
{
    struct tw_fix_consumer consumer = { .ctx = NULL };

    if (!ltw_boolean_at(L, -1, "market")) return TW_OK;
    if (check_alike(o, ltw_text_at(L, -1, "what"), "W X Y h f", error) < 0)
        return error->code;
    pthread_mutex_lock(&f->lock);
    if (!f->serve)
        f->serve = tw_fix_serve_new(&(struct tw_fix_serve_options){
            .io = f->io, .tape = f->host->tape, .symbols = f->host->symbols,
            .precision = (enum tw_fix_precision)o->session.precision });
    if (f->serve) consumer = tw_fix_serve_consumer(
        f->serve, tw_fix_session_writes(&o->session, "W", 1));
    pthread_mutex_unlock(&f->lock);
    return consumer.ctx ? use(f, o, consumer, false, error) : no_memory(error);
}

static int add_session(lua_State *L, struct tw_app *app, struct tw_error *error)
    TW_ON(MAIN)
{
    struct tw_fix_gateway *gateway = NULL;
    struct ltw_booth *booth = NULL;
    struct tw_fix_link *link = NULL;
    int top = lua_gettop(L), rc;
    struct reading r;

    rc = read_link(L, app->fix, &r, error);
    lua_pushvalue(L, top);
    if (rc == TW_OK)
        rc = ltw_gateway_make(L, &app->host, app->io, &r.o, &gateway, error);
    if (gateway && rc == TW_OK) rc = check_alike(&r.o, r.what, "D F G H AF", error);
    if (rc == TW_OK) rc = set_feed(L, app->fix, &r.o, error);
    if (rc == TW_OK) rc = take_booth(L, app->fix, &r.o, &booth, error);
    if (rc == TW_OK) rc = set_market(L, app->fix, &r.o, error);
    if (rc == TW_OK) {
        link = tw_fix_engine_add(app->fix->engine, &r.o, error);
        if (!link) rc = error->code;
    }
    if (gateway && link) rc = tw_fix_gateway_attach(gateway, link, error);
    if (booth) ltw_booths_give(app->fix->booths, booth, link);
    lua_settop(L, top);
    return rc;
}

/* [-0, +0, m]  What the session on top takes some dictionary has: one list may do for
 * sessions of several versions. */
static int check_take(lua_State *L, struct ltw_fix *f, struct tw_error *error)
{
    const char *take[TAKE_MAX];
    size_t n = texts(L, "take", take, TAKE_MAX);
    int rc = TW_OK;

    if (ltw_integer_at(L, -1, "check", 0) == TW_FIX_CHECK_OFF) return TW_OK;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < n && rc == TW_OK; i++) {
        const struct dictionary *one = f->dictionaries;

        while (one && !tw_fix_dictionary_type(one->d, take[i], strlen(take[i])))
            one = one->next;
        if (!one)
            rc = tw_fail(error, TW_EUSAGE, "take: no dictionary of the run has a MsgType"
                         " '%.20s'", take[i]);
    }
    pthread_mutex_unlock(&f->lock);
    if (rc < 0) set_what(error, "", ltw_text_at(L, -1, "what"));
    return rc;
}

/* Which port the session on top waits at. */
static int find_door(lua_State *L, struct ltw_fix *f, struct reading *r,
                     struct tw_error *error)
{
    uint16_t port = (uint16_t)ltw_number_at(L, -1, "acceptor_port", 0);

    if (ltw_boolean_at(L, -1, "initiator")) return TW_OK;
    r->o.door = tw_fix_engine_door_of(f->engine, port);
    if (r->o.door >= 0) return TW_OK;
    if (port > 0)
        return tw_fail(error, TW_EUSAGE, "%s: the run has no port %u", r->what, port);
    return tw_fail(error, TW_EUSAGE, "%s: acceptor = true: the run has not one port;"
                   " say which", r->what);
}

struct tw_fix_link *ltw_fix_add_one(lua_State *L, struct ltw_fix *f,
                                    struct tw_error *error)
{
    struct ltw_booth *booth = NULL;
    struct tw_fix_link *link = NULL;
    int top = lua_gettop(L), rc;
    struct reading r;

    luaL_checkstack(L, ROOM, "fix");
    rc = read_link(L, f, &r, error);
    lua_pushvalue(L, top);
    if (rc == TW_OK) rc = check_take(L, f, error);
    if (rc == TW_OK) rc = find_door(L, f, &r, error);
    if (rc == TW_OK && tw_fix_engine_find(f->engine, r.o.name))
        rc = tw_fail(error, TW_EBUSY, "there is a FIX session %s already", r.o.name);
    if (rc == TW_OK) rc = take_booth(L, f, &r.o, &booth, error);
    if (rc == TW_OK) rc = set_market(L, f, &r.o, error);
    if (rc == TW_OK) link = tw_fix_engine_add(f->engine, &r.o, error);
    if (booth) ltw_booths_give(f->booths, booth, link);
    if (booth && link) tw_fix_link_ring(link);   /* it may have an order already */
    lua_settop(L, top);
    return link;
}

/* ---- recordings ---- */

const char *ltw_fix_spelling(void *ctx, const char *topic)
{
    struct ltw_host *host = ctx;
    const struct tw_fix_dictionary *d = NULL;
    const struct dictionary *one;
    struct ltw_fix *f = host->fixes;
    char name[TW_NAME_MAX + 1];
    struct tw_fix_link *l;

    if (!ltw_fix_session(topic, name)) return NULL;
    if (!f) return ltw_recorded_spelling(host, name);
    l = tw_fix_engine_find(f->engine, name);
    if (l) d = tw_fix_link_dictionary(l);
    pthread_mutex_lock(&f->lock);
    for (one = f->dictionaries; one && one->d != d; one = one->next) continue;
    pthread_mutex_unlock(&f->lock);
    return one ? one->spelling : ltw_recorded_spelling(host, name);
}

/* ---- who hears of them ---- */

struct ltw_ear *ltw_fix_listen(struct ltw_host *host, char **names)
{
    struct ltw_ear *ear = tw_calloc(1, sizeof *ear);
    struct ltw_fix *f = host->fixes;

    if (!ear || !f) return ear;
    ear->names = names;
    pthread_mutex_lock(&f->ears_lock);
    ear->next = f->ears;
    f->ears = ear;
    pthread_mutex_unlock(&f->ears_lock);
    tw_fix_engine_rehear(f->engine);
    return ear;
}

void ltw_fix_unlisten(struct ltw_host *host, struct ltw_ear *ear)
{
    struct ltw_fix *f = host->fixes;
    struct ltw_ear **at;

    if (ear && f) {
        pthread_mutex_lock(&f->ears_lock);
        for (at = &f->ears; *at && *at != ear; at = &(*at)->next) continue;
        if (*at) *at = ear->next;
        pthread_mutex_unlock(&f->ears_lock);
        tw_fix_engine_rehear(f->engine);
    }
    tw_free(ear);
}

static bool is_heard(void *ctx, const char *session)
{
    struct ltw_fix *f = ctx;
    const struct ltw_ear *ear;

    pthread_mutex_lock(&f->ears_lock);
    for (ear = f->ears; ear && !ltw_filter_matches(ear->names, session); ear = ear->next)
        continue;
    pthread_mutex_unlock(&f->ears_lock);
    return ear != NULL;
}

/* ---- ports ---- */

static int add_door(lua_State *L, struct tw_app *app, struct tw_error *error)
    TW_ON(MAIN)
{
    struct tw_fix_door_template templates[TEMPLATES_MAX];
    struct reading *r = lua_newuserdatauv(L, TEMPLATES_MAX * sizeof *r, 0);
    struct tw_tls_options tls;
    struct tw_fix_door_options o = { .templates = templates };
    int top, rc = TW_OK;

    lua_insert(L, -2);
    top = lua_gettop(L);
    o.host = ltw_text_at(L, -1, "host");
    o.port = (uint16_t)ltw_number_at(L, -1, "port", 0);
    o.connections_max = (unsigned)ltw_number_at(L, -1, "connections", 0);
    o.sessions_max = (unsigned)ltw_number_at(L, -1, "session_limit", 0);
    o.logon_timeout_ms = (int64_t)(ltw_number_at(L, -1, "logon_timeout", 0) * 1000);
    if (lua_getfield(L, top, "tls") == LUA_TTABLE) {
        tls = tls_of(L);
        o.tls = &tls;
    }
    lua_getfield(L, top, "templates");
    luaL_checkstack(L, TEMPLATES_MAX + 8, "fix");
    for (int i = 0; rc == TW_OK && i < TEMPLATES_MAX; i++) {
        if (lua_rawgeti(L, top + 2, i + 1) != LUA_TTABLE) break;
        rc = read_link(L, app->fix, &r[i], error);
        lua_rawgeti(L, top + 2, i + 1);
        if (rc == TW_OK) rc = set_orders(L, app->fix, &r[i].o, error);
        if (rc == TW_OK) rc = set_market(L, app->fix, &r[i].o, error);
        lua_pop(L, 1);
        if (rc < 0) set_what(error, "", r[i].what);
        templates[o.templates_n++] = (struct tw_fix_door_template){
            r[i].o.session.sender, r[i].o.session.target, r[i].o };
    }
    if (rc == TW_OK) rc = tw_fix_engine_listen(app->fix->engine, &o, error);
    lua_settop(L, top);
    lua_remove(L, -2);
    return rc < 0 ? rc : TW_OK;
}

/* ---- all of it ---- */

/* [-0, +0, m]  Of what is declared on top, which is the i-th: the error says where. */
static void set_place(lua_State *L, const char *list, int i, struct tw_error *error)
{
    const char *what = ltw_text_at(L, -1, "what"), *at = NULL;
    char key[TW_NAME_MAX + 1];

    snprintf(key, sizeof key, "%s %d", list, i);
    if (lua_getfield(L, -3, "places") == LUA_TTABLE) at = ltw_text_at(L, -1, key);
    lua_pop(L, 1);
    if (at) set_what(error, at, what);
}

/* [-0, +0, e]  Each of the list of that name in the table on top. */
static int each(lua_State *L, struct tw_app *app, const char *name,
                int (*add)(lua_State *L, struct tw_app *app, struct tw_error *error),
                struct tw_error *error)
{
    int rc = TW_OK;

    lua_getfield(L, -1, name);
    for (lua_Integer i = 1; rc == TW_OK && lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
        rc = add(L, app, error);
        if (rc < 0) set_place(L, name, (int)i, error);
        lua_pop(L, 1);
    }
    return rc;
}

static int check_session(lua_State *L, struct tw_app *app, struct tw_error *error)
{
    return check_take(L, app->fix, error);
}

static int check_door(lua_State *L, struct tw_app *app, struct tw_error *error)
{
    int top = lua_gettop(L), rc = each(L, app, "templates", check_session, error);

    lua_settop(L, top);
    return rc;
}

/* [-0, +0, e]  What app.fix.config had to say. */
static void warn(lua_State *L, struct tw_app *app)
{
    const char *text;

    if (lua_getfield(L, -1, "warnings") != LUA_TTABLE) return;
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        text = lua_tostring(L, -1);
        tw_log_printf(app->host.log, TW_LOG_WARN, "", "%s", text);
        lua_pop(L, 1);
    }
}

int ltw_fix_add(lua_State *L, struct tw_app *app, struct tw_error *error)
{
    int top = lua_gettop(L), rc = TW_OK;

    warn(L, app);
    lua_settop(L, top);
    if (lua_getfield(L, -1, "fix") == LUA_TTABLE && ltw_boolean_at(L, -1, "is_used")) {
        app->fix = tw_calloc(1, sizeof *app->fix);
        if (!app->fix) return no_memory(error);
        pthread_mutex_init(&app->fix->lock, NULL);
        pthread_mutex_init(&app->fix->ears_lock, NULL);
        app->fix->host = &app->host;
        app->fix->io = app->io;
        app->fix->booths = ltw_booths_new(&app->host, app->n_scripts + 1);
        if (!app->fix->booths) return no_memory(error);
        app->fix->engine = tw_fix_engine_new(&(struct tw_fix_engine_options){
            .io = app->io, .topics = app->host.topics, .log = app->host.log,
            .heard = is_heard, .heard_ctx = app->fix }, error);
        app->host.fix = app->fix->engine;
        app->host.fixes = app->fix;
        rc = app->fix->engine ? each(L, app, "doors", add_door, error) : error->code;
        lua_settop(L, top + 1);
        if (rc == TW_OK) rc = each(L, app, "sessions", add_session, error);
        lua_settop(L, top + 1);
        if (rc == TW_OK) rc = each(L, app, "doors", check_door, error);
        lua_settop(L, top + 1);
        if (rc == TW_OK) rc = each(L, app, "sessions", check_session, error);
    }
    lua_settop(L, top);
    return rc;
}

void ltw_fix_free(struct ltw_fix *f)
{
    struct dictionary *next;
    struct zone *other;

    if (!f) return;
    tw_fix_engine_free(f->engine);
    tw_fix_both_free(f->shared);
    tw_fix_serve_free(f->serve);
    ltw_booths_free(f->booths);
    for (struct dictionary *d = f->dictionaries; d; d = next) {
        next = d->next;
        tw_fix_dictionary_free(d->d);
        tw_free(d->spelling);
        tw_free(d);
    }
    for (struct zone *z = f->zones; z; z = other) {
        other = z->next;
        tw_zone_free(z->z);
        tw_free(z);
    }
    pthread_mutex_destroy(&f->lock);
    pthread_mutex_destroy(&f->ears_lock);
    tw_free(f);
}
