/* fix_engine_rig.h - a FIX engine on an io thread, with consumers that count, for tests
 * that wait for events. */
#ifndef FIX_ENGINE_RIG_H
#define FIX_ENGINE_RIG_H

#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fix_rig.h"
#include "run/fix_engine.h"
#include "run/io.h"
#include "tap.h"

enum { PATIENCE_S = 60, LOG_BYTES = 1 << 20, EVENTS = TW_FIX_UNSENT + 1, TEXT = 300,
       TAPE = 1 << 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct tw_fix_dictionary *fix42, *fix44;

/* What a consumer has seen: all under the lock. */
struct side {
    unsigned messages, events[EVENTS];
    uint64_t from[EVENTS], to[EVENTS];   /* of the last event of a kind     */
    char text[EVENTS][TEXT];
    char last[40];                       /* 11 of the last message          */
    unsigned out_of_order;               /* 11 is a number: it did not rise */
    long number;
    bool echo, later, flood;             /* what it does with a message     */
    int64_t flood_rc;
    unsigned looks;
};

static enum tw_fix_answer side_message(void *ctx, struct tw_fix_session *s,
                                       struct tw_fix_now now,
                                       const struct tw_fix_message *m)
{
    struct tw_fix_text id = tw_fix_message_body(m, 11);
    struct side *side = ctx;
    struct tw_fix_output *out;
    struct tw_error error;
    bool later;

    if (side->echo && tw_fix_session_begin(s, now, "D", NULL, 0, &out, &error) == 0) {
        tw_fix_put_body(out, m, false);
        tw_fix_session_send(s, NULL, &error);
    }
    pthread_mutex_lock(&lock);
    side->messages++;
    later = side->later;
    snprintf(side->last, sizeof side->last, "%.*s", (int)id.n, id.at ? id.at : "");
    side->out_of_order += atol(side->last) <= side->number;
    side->number = atol(side->last);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return later ? TW_FIX_LATER : TW_FIX_TAKEN;
}

static void side_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                       const struct tw_fix_event *e)
{
    struct side *side = ctx;

    (void)s, (void)now;
    pthread_mutex_lock(&lock);
    side->events[e->kind]++;
    side->from[e->kind] = e->from;
    side->to[e->kind] = e->to;
    snprintf(side->text[e->kind], TEXT, "%s", e->text);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static int64_t side_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    struct side *side = ctx;

    (void)s, (void)now;
    pthread_mutex_lock(&lock);
    side->looks++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return INT64_MAX;
}

static struct tw_fix_consumer side_consumer(struct side *side)
{
    return (struct tw_fix_consumer){
        .message = side_message, .event = side_event, .look = side_look, .ctx = side
    };
}

/* Waits until the counter has come so far; false: our patience is at its end. */
static bool await(const unsigned *counter, unsigned n)
{
    struct timespec until;
    bool met;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&lock);
    while (*counter < n && rc == 0) rc = pthread_cond_timedwait(&changed, &lock, &until);
    met = *counter >= n;
    pthread_mutex_unlock(&lock);
    return met;
}

static inline bool await_event(struct side *side, enum tw_fix_event_kind kind, unsigned n)
{
    return await(&side->events[kind], n);
}

/* What was said of the last such event; it may happen again meanwhile.  Two at a time. */
static inline const char *side_said(const struct side *side, enum tw_fix_event_kind kind)
{
    static char said[2][TEXT];
    static unsigned turn;
    char *own = said[turn++ % 2];

    pthread_mutex_lock(&lock);
    memcpy(own, side->text[kind], TEXT);
    pthread_mutex_unlock(&lock);
    return own;
}

/* ---- the engine ---- */

struct rig {
    struct tw_tape *tape;
    struct tw_names *topics;
    struct tw_symbols *symbols;
    struct tw_log *log;
    struct tw_io *io;
    struct tw_fix_engine *e;
    char lines[1 << 16];
    size_t used;
};

static void on_line(void *ctx, enum tw_log_level level, const char *who,
                    const char *text, size_t n)
{
    struct rig *g = ctx;
    int length;

    if (getenv("VERBOSE")) printf("# %d %s: %.*s\n", level, who, (int)n, text);
    length = snprintf(g->lines + g->used, sizeof g->lines - g->used, "%s: %.*s\n", who,
                      (int)n, text);
    if (g->used + (size_t)length < sizeof g->lines) g->used += (size_t)length;
}

static const char *rig_log(struct rig *g)
{
    tw_log_drain(g->log, on_line, g);
    return g->lines;
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

static void speak(void *ctx)
{
    rig_log(ctx);
}

static void drop(void *ctx, const struct tw_record *old)
{
    (void)ctx;
    if (old->message.value_kind == TW_VALUE_BLOCK)
        tw_any_unref(&(struct tw_any){ .kind = TW_VALUE_BLOCK,
                                       .block = old->message.value.block });
}

static struct rig *rig_open(void)
{
    struct rig *g = calloc(1, sizeof *g);
    struct tw_error error;

    tw_role_set(&MAIN);
    tw_be_main();
    g->tape = tw_tape_new(TAPE);
    tw_tape_on_drop(g->tape, drop, NULL);
    g->topics = tw_names_new(1000);
    g->log = tw_log_new(LOG_BYTES, no_wake, NULL);
    g->symbols = tw_symbols_new(1000);
    g->io = tw_io_new(&(struct tw_io_options){
        .tape = g->tape, .symbols = g->symbols, .log = g->log, .waiting = speak,
        .ctx = g });
    g->e = tw_fix_engine_new(&(struct tw_fix_engine_options){
        .io = g->io, .topics = g->topics, .log = g->log,
        .stop_ms = PATIENCE_S * 1000 }, &error);
    if (!g->e) abort();
    return g;
}

static void rig_start(struct rig *g)
{
    struct tw_error error = {0};

    tw_be_main();
    if (tw_io_start(g->io, &error) < 0) printf("# %s\n", error.text);
}

/* The run ends; what its links were can still be asked. */
static void rig_close_io(struct rig *g)
{
    tw_be_main();
    tw_io_free(g->io);
    rig_log(g);
    g->io = NULL;
}

/* What is left of it. */
static void rig_close_again(struct rig *g)
{
    tw_be_main();
    tw_fix_engine_free(g->e);
    tw_log_free(g->log);
    tw_tape_free(g->tape);
    tw_names_free(g->topics);
    tw_symbols_free(g->symbols);
    free(g);
}

static inline void rig_close(struct rig *g)
{
    rig_close_io(g);
    rig_close_again(g);
}

static int rig_listen(struct rig *g, const struct tw_fix_door_options *o)
{
    struct tw_error error = {0};
    int door;

    tw_be_main();
    door = tw_fix_engine_listen(g->e, o, &error);
    if (door < 0) printf("# %s\n", error.text);
    return door;
}

/* Options of an acceptor's session; and of an initiator's, whose host is to be set. */
static struct tw_fix_link_options server(const char *name, struct side *side)
{
    return (struct tw_fix_link_options){
        .name = name, .consumer = side_consumer(side),
        .session = { .dictionary = fix44, .sender = "SERVER", .target = "CLIENT",
                     .check = TW_FIX_CHECK_STRICT, .message_max = 1 << 16 },
    };
}

static struct tw_fix_link_options client(const char *name, struct side *side)
{
    struct tw_fix_link_options o = server(name, side);

    o.session.sender = "CLIENT";
    o.session.target = "SERVER";
    o.session.initiator = true;
    o.session.heartbeat_s = 30;
    o.retry_min_ms = 1;
    o.retry_max_ms = 10;
    return o;
}

static struct tw_fix_link *rig_add(struct rig *g, const struct tw_fix_link_options *o)
{
    struct tw_error error = {0};
    struct tw_fix_link *l;

    tw_be_main();
    l = tw_fix_engine_add(g->e, o, &error);
    if (!l) printf("# %s\n", error.text);
    return l;
}

/* "127.0.0.1:PORT"; good until the next call. */
static const char *address(uint16_t port)
{
    static char text[40];

    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    return text;
}

/* Adds a client of a port. */
static struct tw_fix_link *rig_dial(struct rig *g, struct tw_fix_link_options o,
                                    uint16_t port)
{
    const char *host = address(port);

    o.hosts = &host;
    o.hosts_n = 1;
    return rig_add(g, &o);
}

static inline size_t order(char *out, long id)
{
    return (size_t)sprintf(out, "11=%ld\00121=1\00155=AAPL\00154=1\00160=20240102-09:30"
                           ":00.000\00138=100\00140=2\00144=187.22\001", id);
}

/* Sends orders from..to, again where the queue is full. */
static inline bool send_orders(struct tw_fix_link *l, long from, long to)
{
    char body[200];

    for (long id = from; id <= to; id++) {
        size_t n = order(body, id);
        int64_t rc;

        do rc = tw_fix_link_send(l, "D", body, n); while (rc == TW_EFULL);
        if (rc < 0) return false;
    }
    return true;
}

/* ---- the tape ---- */

static inline bool is_topic(struct rig *g, const struct tw_record *r, const char *topic)
{
    return r->kind == TW_MESSAGE
        && strcmp(tw_names_get(g->topics, r->message.topic), topic) == 0;
}

static inline struct tw_item value_of(const struct tw_record *r)
{
    struct tw_any any = { .kind = r->message.value_kind };

    any.integer = r->message.value.integer;
    return tw_any_root(&any);
}

/* The next record of the topic; false: there is none in time. */
static inline bool next_of(struct rig *g, struct tw_cursor *c, const char *topic,
                    struct tw_record *r)
{
    int64_t until = time(NULL) + PATIENCE_S;

    while (time(NULL) < until) {
        if (tw_cursor_next(c, r) == 1) {
            tw_cursor_commit(c);
            if (is_topic(g, r, topic)) return true;
        } else {
            sched_yield();
        }
    }
    return false;
}

/* ---- a peer of our own ---- */

/* A port where nobody listens. */
static inline uint16_t raw_dead_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t n = sizeof at;

    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0
        || getsockname(fd, (struct sockaddr *)&at, &n) < 0)
        abort();
    close(fd);
    return ntohs(at.sin_port);
}

/* With a receive buffer of so many bytes; 0: the usual one.  One that gets smaller once
 * it is connected refuses what was on its way, and with it the news that it may send. */
static inline int raw_connect_small(uint16_t port, int bytes)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bytes > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) abort();
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO,
               &(struct timeval){ .tv_sec = PATIENCE_S }, sizeof(struct timeval));
    return fd;
}

static inline int raw_connect(uint16_t port)
{
    return raw_connect_small(port, 0);
}

/* Reads until the peer hangs up; how many bytes. */
static inline size_t raw_drain(int fd, char *out, size_t room)
{
    size_t n = 0;
    ssize_t got;

    while (n < room && (got = recv(fd, out + n, room - n, 0)) > 0) n += (size_t)got;
    return n;
}

/* "35=A|34=1|..." with 49, 52 and 56; good until the next call. */
static inline const char *raw_text(const char *type, unsigned seq, const char *sender,
                                   const char *target, const char *body)
{
    static char text[4096];
    char at[TW_FIX_TIME_TEXT + 1];
    struct timespec now;
    size_t n;

    clock_gettime(CLOCK_REALTIME, &now);
    n = tw_fix_time_text(now.tv_sec * INT64_C(1000000000), TW_FIX_S, at);
    at[n] = 0;
    snprintf(text, sizeof text, "35=%s|34=%u|49=%s|52=%s|56=%s|%s", type, seq, sender, at,
             target, body);
    return text;
}

/* Sends it with 8, 9 and 10; false: the peer takes no more. */
static inline bool raw_send(int fd, enum tw_fix_version v, const char *type, unsigned seq,
                            const char *sender, const char *target, const char *body)
{
    size_t n;
    char *p = whole(v, raw_text(type, seq, sender, target, body), &n);
    bool all = send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;

    free(p);
    return all;
}

#endif
