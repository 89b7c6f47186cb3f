/* fix.c - the FIX sessions of a run: from what an app declares to its engine. */
#include "fix/fix.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/booths.h"
#include "run/filter.h"
#include "fix/fix_instruments.h"
#include "fix/fix_reading.h"
#include "trade/gateway.h"
#include "lfield.h"
#include "fix/lfix_session.h"
#include "fix/recorded.h"
#include "run/fix_both.h"
#include "run/fix_feed.h"
#include "run/fix_serve.h"

enum { TEMPLATES_MAX = 16,
       ROOM = 2 * LTW_FIX_LOGON_MAX + LTW_FIX_HOSTS_MAX + LTW_FIX_TAKE_MAX + 16 };

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
    struct ltw_shelf *shelf;             /* constant                       */
    pthread_mutex_t lock;
    struct tw_fix_serve *serve;          /* mutex: of the tape, or NULL    */
    struct tw_fix_both *shared;          /* mutex: sessions with more uses */
    pthread_mutex_t ears_lock;           /* held for moments: FEED takes it */
    struct ltw_ear *ears;                /* mutex: under ears_lock         */
};

/* The error says where it is, and of what, unless it says that itself. */
static void set_what(struct tw_error *error, const char *at, const char *what)
{
    struct tw_error was = *error;
    bool says = strstr(was.text, what) != NULL;

    tw_fail(error, was.code, "%s%s%s%s", at, says ? "" : what, says ? "" : ": ",
            was.text);
}

static int no_memory(struct tw_error *error)
{
    return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
}

/* ---- a session ---- */

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
    struct ltw_fix_given given = { .fields_n = 0 };
    int top = lua_gettop(L), rc;
    struct ltw_fix_user by = { .what = "app.feed.fix", .name = o->name,
                               .session = &o->session, .symbols = f->host->symbols };
    unsigned feed;

    if (lua_getfield(L, -1, "feed") != LUA_TTABLE) {
        lua_settop(L, top);
        return TW_OK;
    }
    feed = (unsigned)ltw_integer_at(L, -1, "index", 0);
    by.code = ltw_boolean_at(L, -1, "quotes") ? "R" : "V";
    by.dictionary = tw_fix_session_writes(&o->session, by.code, 1);
    by.id_source = ltw_letter_at(L, -1, "security_id_source");
    if (ltw_boolean_at(L, -1, "is_lent")) by.code = NULL;   /* the gateway's say more */
    rc = ltw_fix_read_given(L, &by, &given, error);
    if (rc == TW_OK && given.instruments_n > 0)
        rc = tw_fix_feed_instruments(f->io, feed, by.dictionary, given.instruments,
                                     given.instruments_n);
    if (rc == UV_ENOMEM) no_memory(error);
    lua_settop(L, top);
    return rc < 0 ? rc : use(f, o, tw_fix_feed_consumer(f->io, feed), true, error);
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
    struct ltw_fix_reading r;

    rc = ltw_fix_read(L, app->fix->shelf, app->fix->engine, &r, error);
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
    const char *take[LTW_FIX_TAKE_MAX];
    size_t n = ltw_fix_texts(L, "take", take, LTW_FIX_TAKE_MAX);
    int rc = TW_OK;

    if (ltw_integer_at(L, -1, "check", 0) == TW_FIX_CHECK_OFF) return TW_OK;
    for (size_t i = 0; i < n && rc == TW_OK; i++)
        if (!ltw_shelf_has_type(f->shelf, take[i]))
            rc = tw_fail(error, TW_EUSAGE, "take: no dictionary of the run has a MsgType"
                         " '%.20s'", take[i]);
    if (rc < 0) set_what(error, "", ltw_text_at(L, -1, "what"));
    return rc;
}

/* Which port the session on top waits at. */
static int find_door(lua_State *L, struct ltw_fix *f, struct ltw_fix_reading *r,
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
    struct ltw_fix_reading r;

    luaL_checkstack(L, ROOM, "fix");
    rc = ltw_fix_read(L, f->shelf, f->engine, &r, error);
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
    struct ltw_fix *f = host->fixes;
    const char *spelling = NULL;
    char name[TW_NAME_MAX + 1];
    struct tw_fix_link *l;

    if (!ltw_fix_session(topic, name)) return NULL;
    if (!f) return ltw_recorded_spelling(host, name);
    l = tw_fix_engine_find(f->engine, name);
    if (l) spelling = ltw_shelf_spelling(f->shelf, tw_fix_link_dictionary(l));
    return spelling ? spelling : ltw_recorded_spelling(host, name);
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
    struct ltw_fix_reading *r = lua_newuserdatauv(L, TEMPLATES_MAX * sizeof *r, 0);
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
        tls = ltw_fix_tls(L);
        o.tls = &tls;
    }
    lua_getfield(L, top, "templates");
    luaL_checkstack(L, TEMPLATES_MAX + 8, "fix");
    for (int i = 0; rc == TW_OK && i < TEMPLATES_MAX; i++) {
        if (lua_rawgeti(L, top + 2, i + 1) != LUA_TTABLE) break;
        rc = ltw_fix_read(L, app->fix->shelf, app->fix->engine, &r[i], error);
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
        app->fix->shelf = ltw_shelf_new();
        if (!app->fix->booths || !app->fix->shelf) return no_memory(error);
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
    if (!f) return;
    tw_fix_engine_free(f->engine);
    tw_fix_both_free(f->shared);
    tw_fix_serve_free(f->serve);
    ltw_booths_free(f->booths);
    ltw_shelf_free(f->shelf);
    pthread_mutex_destroy(&f->lock);
    pthread_mutex_destroy(&f->ears_lock);
    tw_free(f);
}
