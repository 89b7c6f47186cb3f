/* fix_door.c - a port of the FIX engine: connections until it is known whose they are.
 *
 * Why a visitor is told nothing but through a session: who is not known gets no byte of
 * an answer, and takes some kilobytes for as long as a Logon may take.
 *
 * Invariants
 *   D1  Visitors that no session has are connections_max at most, each with FIRST_BYTES
 *       and a time until it is cut.
 *   D2  A visitor that is cut is counted under one reason; at most one line a second
 *       says so.
 *
 * Layer host/run.  Thread: make and bind MAIN or FEED, free MAIN, all else FEED.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "run/fix_parts.h"

enum {
    FIRST_BYTES = 16 << 10,       /* more than a first message may have             */
    CONNECTIONS = 256, SESSIONS = 1024, LOGON_MS = 10000,
    LINGER_MS = 1000              /* the peer has so long to read what was written  */
};

struct tw_fix_visitor {
    struct tw_fix_door *door;
    uv_tcp_t tcp;
    uv_shutdown_t shutdown;
    struct tw_wire wire;
    struct tw_fix_link *link;             /* whose it is; NULL: nobody's              */
    int64_t until_ns;                     /* of nobody's: it is closed then           */
    bool leaving;                         /* its session has done with it             */
    struct tw_fix_visitor *next, **from;  /* in the door's list                       */
    size_t n;
    char name[TW_NET_NAME];
    char in[FIRST_BYTES];
};

enum reason { SILENT, GARBLED, UNKNOWN, REFUSED, CROWDED, TLS, REASONS };

struct tw_fix_door {
    struct tw_fix_engine *e;              /* constant                                 */
    struct tw_arena texts;                /* constant: of the options                 */
    struct tw_fix_door_options o;         /* constant                                 */
    struct tw_fix_template *patterns;     /* constant                                 */
    struct tw_tls_context *tls;           /* constant; NULL: none                     */
    char who[32];                         /* constant: "fix port 5001"                */
    struct tw_fix_listener *listener;     /* owner: FEED                              */
    uv_tcp_t tcp;
    uv_timer_t timer;                     /* owner: FEED: the first until_ns          */
    struct tw_fix_visitor *visitors;      /* owner: FEED                              */
    unsigned strangers;                   /* owner: FEED: visitors that are nobody's  */
    unsigned taken;                       /* mutex: the engine's: sessions, those that
                                           * the listener is yet to have among them   */
    bool bound, begun;                    /* owner: FEED, MAIN before                 */
    struct tw_fix_hush hush;
    atomic_uint port;                     /* atomic: who binds, all load              */
    atomic_uint open;                     /* atomic: FEED, all load                   */
    _Atomic uint64_t connects, cuts[REASONS];   /* atomic: FEED adds, all load        */
};

/* ---- visitors ---- */

static void on_gone(uv_handle_t *tcp)
{
    struct tw_fix_visitor *v = (struct tw_fix_visitor *)tcp->data;

    tw_wire_fini(&v->wire);
    tw_free(v);
}

static void say(struct tw_fix_door *d, const char *what, const char *name,
                const char *why)
{
    char more[60] = "";
    uint64_t unsaid;

    if (!tw_fix_may_say(&d->hush, &unsaid)) return;   /* D2 */
    if (unsaid > 0)
        snprintf(more, sizeof more, " (and %" PRIu64 " others before)", unsaid);
    tw_log_printf(d->e->o.log, TW_LOG_WARN, d->who, "%s %s: %s%s", what, name, why, more);
}

static void count_open(struct tw_fix_door *d, int more)
{
    /* order [fix.open] relaxed: a figure, nothing else depends on it */
    unsigned n = atomic_load_explicit(&d->open, memory_order_relaxed);

    /* order [fix.open] relaxed: FEED is the only writer */
    atomic_store_explicit(&d->open, n + (unsigned)more, memory_order_relaxed);
}

static void close_visitor(struct tw_fix_visitor *v)
{
    struct tw_fix_door *d = v->door;

    if (!v->link) d->strangers--;
    count_open(d, -1);
    *v->from = v->next;
    if (v->next) v->next->from = v->from;
    tw_wire_close(&v->wire);
    v->tcp.data = v;
    uv_close((uv_handle_t *)&v->tcp, on_gone);
}

static void cut(struct tw_fix_visitor *v, enum reason reason, const char *why)
{
    struct tw_fix_door *d = v->door;

    tw_counter_add(&d->cuts[reason], 1);
    say(d, "cut", v->name, why);
    close_visitor(v);
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct tw_fix_door *d)
{
    int64_t at = INT64_MAX, wait;

    for (struct tw_fix_visitor *v = d->visitors; v; v = v->next)
        if (!v->link && v->until_ns < at) at = v->until_ns;
    if (at == INT64_MAX) return;
    wait = (at - tw_clock_steady_ns() + TW_MS_NS - 1) / TW_MS_NS;
    uv_timer_start(&d->timer, on_timer, wait > 0 ? (uint64_t)wait : 1, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct tw_fix_door *d = timer->data;
    int64_t now = tw_clock_steady_ns();

    tw_be_feed();
    for (struct tw_fix_visitor *v = d->visitors, *next; v; v = next) {
        next = v->next;
        if (v->link || now < v->until_ns) continue;
        if (v->leaving) close_visitor(v);
        else if (d->tls && !v->wire.greeted) cut(v, TLS, "no handshake in time");
        else cut(v, SILENT, v->n > 0 ? "no whole Logon in time" : "it says nothing");
    }
    set_timer(d);
}

/* ---- the first message ---- */

static void admit(struct tw_fix_visitor *v, const struct tw_fix_caller *c) TW_ON(FEED)
{
    struct tw_fix_door *d = v->door;
    struct tw_fix_session *s;
    struct tw_error error;
    int rc;

    s = tw_fix_listener_find(d->listener, c, tw_fix_now(), &error);
    if (!s) {
        cut(v, error.code == TW_EUSAGE ? UNKNOWN : REFUSED, error.text);
        return;
    }
    v->link = tw_fix_session_options(s)->handlers.ctx;
    d->strangers--;
    rc = tw_fix_link_connect(v->link, v, &v->wire, v->name, v->in, v->n, &error);
    if (rc == TW_OK) return;
    v->link = NULL;
    d->strangers++;
    cut(v, REFUSED, error.text);
}

static char *room(struct tw_wire *w, size_t *n)
{
    struct tw_fix_visitor *v = w->owner;

    *n = FIRST_BYTES - v->n;
    return v->in + v->n;
}

static void took(struct tw_wire *w, size_t n)
{
    struct tw_fix_visitor *v = w->owner;
    struct tw_fix_caller c;
    char why[80];

    tw_be_feed();
    if (v->leaving) return;   /* what comes now is for nobody */
    v->n += n;
    switch (tw_fix_caller_read(v->in, v->n, &c, why)) {
    case TW_FIX_CALL_PARTIAL:
        if (v->n == FIRST_BYTES) cut(v, GARBLED, "a first message without end");
        break;
    case TW_FIX_CALL_NONE: cut(v, GARBLED, why); break;
    case TW_FIX_CALL_LOGON: admit(v, &c); break;
    }
}

static void ready(struct tw_wire *w)
{
    (void)w;   /* TLS stands, or what the session had left has gone */
}

static void lost(struct tw_wire *w, int why, const char *text)
{
    struct tw_fix_visitor *v = w->owner;

    tw_be_feed();
    if (v->leaving) close_visitor(v);
    else if (v->door->tls && !w->greeted)
        cut(v, TLS, text ? text : "it hung up within the handshake");
    else cut(v, v->n > 0 ? GARBLED : SILENT, why == UV_EOF ? "it hung up before a Logon"
             : text ? text : tw_strerror(why));
}

static const struct tw_wire_ops stranger_ops = { room, took, ready, lost };

void tw_fix_visitor_leave(struct tw_fix_visitor *v, bool polite)
{
    struct tw_fix_door *d = v->door;

    v->wire.ops = &stranger_ops;
    v->wire.owner = v;
    if (polite) tw_wire_goodbye(&v->wire);
    if (!polite || uv_shutdown(&v->shutdown, (uv_stream_t *)&v->tcp, NULL) < 0) {
        close_visitor(v);
        return;
    }
    v->link = NULL;
    v->leaving = true;
    v->n = 0;
    d->strangers++;
    v->until_ns = tw_clock_steady_ns() + LINGER_MS * TW_MS_NS;
    set_timer(d);
}

/* ---- the port ---- */

static void refuse(struct tw_fix_door *d)
{
    char name[TW_NET_NAME], why[60];

    tw_counter_add(&d->cuts[CROWDED], 1);
    snprintf(why, sizeof why, "%u connections wait for a Logon already", d->strangers);
    if (tw_net_refuse((uv_stream_t *)&d->tcp, name) < 0)
        snprintf(name, sizeof name, "a connection");
    say(d, "refused", name, why);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct tw_fix_door *d = stream->data;
    struct tw_fix_visitor *v;
    struct tw_tls *tls = NULL;
    struct tw_error error;
    int rc;

    tw_be_feed();
    if (status < 0) {
        say(d, "cannot take", "a connection", tw_strerror(status));
        return;
    }
    tw_counter_add(&d->connects, 1);
    v = d->strangers < d->o.connections_max ? tw_calloc(1, sizeof *v) : NULL;
    if (!v) {
        refuse(d);
        return;
    }
    v->door = d;
    uv_tcp_init(d->e->loop, &v->tcp);
    v->next = d->visitors;
    v->from = &d->visitors;
    if (v->next) v->next->from = &v->next;
    d->visitors = v;
    d->strangers++;
    count_open(d, 1);
    v->until_ns = tw_clock_steady_ns() + d->o.logon_timeout_ms * TW_MS_NS;
    rc = uv_accept(stream, (uv_stream_t *)&v->tcp);
    tw_net_peer_name(&v->tcp, v->name);
    tw_net_tune(&v->tcp);
    if (rc == 0 && d->tls) tw_fix_renew(d->e, d->who, d->tls);
    if (rc == 0 && d->tls && !(tls = tw_tls_new(d->tls, NULL, &error))) rc = error.code;
    if (rc == 0) rc = tw_wire_open(&v->wire, &v->tcp, tls, &stranger_ops, v);
    if (rc < 0) cut(v, REFUSED, tw_strerror(rc));
    set_timer(d);
}

int tw_fix_door_bind(struct tw_fix_door *d, struct tw_error *error)
{
    uint16_t port = d->o.port;
    int rc;

    d->tcp.data = d;
    rc = tw_net_listen(d->e->loop, &d->tcp, d->o.host, &port, on_connection, error);
    if (rc < 0) return rc;
    d->bound = true;
    snprintf(d->who, sizeof d->who, "fix port %u", port);
    /* order [fix.port] relaxed: a number, nothing else depends on it */
    atomic_store_explicit(&d->port, port, memory_order_relaxed);
    return TW_OK;
}

void tw_fix_door_begin(struct tw_fix_door *d)
{
    char name[TW_NET_NAME];
    struct tw_error error;

    uv_timer_init(d->e->loop, &d->timer);
    d->timer.data = d;
    d->begun = true;
    if (!d->bound && tw_fix_door_bind(d, &error) < 0) {
        tw_log_printf(d->e->o.log, TW_LOG_ERROR, d->who, "%s", error.text);
        return;
    }
    /* order [fix.port] relaxed: it was bound by this thread, or before it began */
    tw_net_name(d->o.host ? d->o.host : "127.0.0.1",
                (uint16_t)atomic_load_explicit(&d->port, memory_order_relaxed), name);
    tw_log_printf(d->e->o.log, TW_LOG_INFO, d->who, "listening on %s%s", name,
                  d->tls ? " with TLS" : "");
}

void tw_fix_door_end(struct tw_fix_door *d)
{
    tw_net_close(&d->tcp);
    for (struct tw_fix_visitor *v = d->visitors, *next; v; v = next) {
        next = v->next;
        if (!v->link && !v->leaving) close_visitor(v);
    }
}

bool tw_fix_door_is_empty(const struct tw_fix_door *d)
{
    return !d->visitors;
}

void tw_fix_door_close(struct tw_fix_door *d)
{
    while (d->visitors) close_visitor(d->visitors);
    tw_net_close(&d->tcp);
    if (d->begun) tw_net_close(&d->timer);
}

int tw_fix_door_add(struct tw_fix_door *d, struct tw_fix_session *s,
                    struct tw_error *error)
{
    return tw_fix_listener_add(d->listener, s, error);
}

int tw_fix_door_take(struct tw_fix_door *d, const char *name, struct tw_error *error)
{
    /* order [fix.port] relaxed: a number, nothing else depends on it */
    unsigned port = atomic_load_explicit(&d->port, memory_order_relaxed);

    if (d->taken == d->o.sessions_max)
        return tw_fail(error, TW_ELIMIT, "FIX session %s: port %u has %u already, its"
                       " session_limit", name, port, d->taken);
    d->taken++;
    return TW_OK;
}

void tw_fix_door_give(struct tw_fix_door *d)
{
    d->taken--;
}

void tw_fix_door_remove(struct tw_fix_door *d, const struct tw_fix_session *s)
{
    tw_fix_listener_remove(d->listener, s);
}

/* ---- sessions by template ---- */

/* Adds a text to a name; what no name has as %XX. */
static void add_to_name(char *name, size_t room_n, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_:";
    size_t n = strlen(name);

    if (*text == 0) return;
    n += (size_t)snprintf(name + n, room_n - n, ".");
    for (; *text && n < room_n; text++)
        n += (size_t)snprintf(name + n, room_n - n,
                              strchr(plain, *text) ? "%c" : "%%%02X",
                              (unsigned char)*text);
}

static struct tw_fix_session *make_session(void *ctx, size_t i,
                                           const struct tw_fix_caller *c)
{
    struct tw_fix_door *d = ctx;
    const struct tw_fix_door_template *t = &d->o.templates[i];
    struct tw_fix_link_options o = t->link;
    char name[4 * TW_FIX_ID_MAX];
    struct tw_fix_link *l;
    struct tw_error error;

    tw_be_feed();
    snprintf(name, sizeof name, "%s", o.name);
    add_to_name(name, sizeof name, c->sender);
    add_to_name(name, sizeof name, c->sender_sub);
    if (strcmp(t->sender, "*") == 0) add_to_name(name, sizeof name, c->target);
    o.session.initiator = false;
    o.session.sender = c->target;
    o.session.sender_sub = c->target_sub;
    o.session.sender_location = c->target_location;
    o.session.target = c->sender;
    o.session.target_sub = c->sender_sub;
    o.session.target_location = c->sender_location;
    if (o.consumer.make) {
        o.consumer.ctx = o.consumer.make(t->link.consumer.ctx, name, &error);
        if (!o.consumer.ctx) {
            say(d, "no session", name, error.text);
            return NULL;
        }
    }
    l = tw_fix_link_make(d->e, name, &o, d, &error);
    if (o.consumer.made) o.consumer.made(t->link.consumer.ctx, o.consumer.ctx, l);
    if (!l) {
        say(d, "no session", name, error.text);
        return NULL;
    }
    l->from_template = true;
    tw_fix_link_begin(l);
    return l->s;
}

static int read_templates(struct tw_fix_door *d, struct tw_error *error)
{
    size_t n = d->o.templates_n;
    struct tw_fix_door_template *own;

    if (n == 0) return TW_OK;
    own = tw_arena_take(&d->texts, n * sizeof *own);
    d->patterns = tw_arena_take(&d->texts, n * sizeof *d->patterns);
    if (!own || !d->patterns) return tw_fail(error, UV_ENOMEM, "no memory for a port");
    memcpy(own, d->o.templates, n * sizeof *own);
    d->o.templates = own;
    for (size_t i = 0; i < n; i++) {
        struct tw_fix_session_options *s = &own[i].link.session;

        if (!own[i].link.name || !s->dictionary || !own[i].sender || !own[i].target)
            return tw_fail(error, TW_EUSAGE, "a template without a name, a dictionary or"
                           " patterns of CompIDs");
        own[i].sender = tw_arena_text(&d->texts, own[i].sender, strlen(own[i].sender));
        own[i].target = tw_arena_text(&d->texts, own[i].target, strlen(own[i].target));
        if (!own[i].sender || !own[i].target || !tw_fix_link_own(&d->texts, &own[i].link))
            return tw_fail(error, UV_ENOMEM, "no memory for a port");
        d->patterns[i] = (struct tw_fix_template){
            tw_fix_dictionary_begin_string(s->dictionary), own[i].sender, own[i].target,
            tw_fix_dictionary_appl_ver_id(s->dictionary)
        };
    }
    return TW_OK;
}

/* ---- made and freed ---- */

static int open_door(struct tw_fix_door *d, struct tw_error *error)
{
    int rc = read_templates(d, error);

    if (rc < 0) return rc;
    if (d->o.host) d->o.host = tw_arena_text(&d->texts, d->o.host, strlen(d->o.host));
    if (d->o.tls) {
        d->tls = tw_tls_context_new(d->o.tls, error);
        if (!d->tls) return error->code;
        d->o.tls = NULL;   /* the caller's */
    }
    d->listener = tw_fix_listener_new(&(struct tw_fix_listener_options){
        .templates = d->patterns, .templates_n = d->o.templates_n,
        .make = make_session, .ctx = d, .sessions_max = d->o.sessions_max,
    });
    if (!d->listener) return tw_fail(error, UV_ENOMEM, "no memory for a port");
    return TW_OK;
}

struct tw_fix_door *tw_fix_door_make(struct tw_fix_engine *e,
                                     const struct tw_fix_door_options *o,
                                     struct tw_error *error)
{
    struct tw_fix_door *d = tw_calloc(1, sizeof *d);

    if (o->host && !tw_net_is_host(o->host)) {
        tw_fail(error, TW_EUSAGE, "'%.60s' is not a host", o->host);
        tw_free(d);
        return NULL;
    }
    if (!d) {
        tw_fail(error, UV_ENOMEM, "no memory for a port");
        return NULL;
    }
    d->e = e;
    d->o = *o;
    if (d->o.connections_max == 0) d->o.connections_max = CONNECTIONS;
    if (d->o.sessions_max == 0) d->o.sessions_max = SESSIONS;
    if (d->o.sessions_max > TW_FIX_LINKS_MAX) d->o.sessions_max = TW_FIX_LINKS_MAX;
    if (d->o.logon_timeout_ms == 0) d->o.logon_timeout_ms = LOGON_MS;
    snprintf(d->who, sizeof d->who, "fix port %u", o->port);
    if (open_door(d, error) == TW_OK) return d;
    tw_fix_door_free(d);
    return NULL;
}

void tw_fix_door_free(struct tw_fix_door *d)
{
    tw_fix_listener_free(d->listener);
    tw_tls_context_free(d->tls);
    tw_arena_fini(&d->texts);
    tw_free(d);
}

/* ---- figures ---- */

uint16_t tw_fix_engine_port(const struct tw_fix_engine *e, int door)
{
    /* order [fix.port] relaxed: a number, nothing else depends on it */
    return (uint16_t)atomic_load_explicit(&e->doors[door]->port, memory_order_relaxed);
}

void tw_fix_engine_door(const struct tw_fix_engine *e, int door,
                        struct tw_fix_door_status *out)
{
    const struct tw_fix_door *d = e->doors[door];

    *out = (struct tw_fix_door_status){
        .connects = tw_counter_get(&d->connects),
        .silent = tw_counter_get(&d->cuts[SILENT]),
        .garbled = tw_counter_get(&d->cuts[GARBLED]),
        .unknown = tw_counter_get(&d->cuts[UNKNOWN]),
        .refused = tw_counter_get(&d->cuts[REFUSED]),
        .crowded = tw_counter_get(&d->cuts[CROWDED]),
        .tls = tw_counter_get(&d->cuts[TLS]),
        /* order [fix.open] relaxed: a figure, nothing else depends on it */
        .open = atomic_load_explicit(&d->open, memory_order_relaxed),
    };
}
