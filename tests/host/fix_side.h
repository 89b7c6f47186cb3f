/* fix_side.h - our end of a connection, an engine in a process of its own, which speaks
 * with a test as tests/peers/quickfix.cpp does: see there. */
#ifndef FIX_SIDE_H
#define FIX_SIDE_H

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "fix_rig.h"
#include "run/fix_engine.h"
#include "run/io.h"
#include "run/tls.h"

enum { COMMANDS = 4096, SIDE_LOG = 1 << 20, SIDE_TAPE = 1 << 10 };

static struct side {
    bool is_42, verbose;
    pthread_mutex_t lock;
    char commands[COMMANDS];              /* mutex: lines for the IO thread */
    size_t commands_n;                    /* mutex */
} side = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void tell(const char *what, const char *which, int n)
{
    flockfile(stdout);
    printf("%s%s%.*s\n", what, n ? " " : "", n, which);
    fflush(stdout);
    funlockfile(stdout);
}

/* ---- the application, on the IO thread ---- */

/* An order, or the report of one, as the version has it. */
static bool side_send(struct tw_fix_session *s, struct tw_fix_now now, const char *type,
                      const char *id, size_t n)
{
    char time[TW_FIX_TIME_TEXT];
    struct tw_fix_output *o;
    struct tw_error error;
    bool report = *type == '8';

    if (tw_fix_session_begin(s, now, type, NULL, 0, &o, &error) < 0) return false;
    if (report) {
        tw_fix_put_text(o, 37, id, n);
        tw_fix_put_text(o, 17, id, n);
        if (side.is_42) tw_fix_put_text(o, 20, "0", 1);
        tw_fix_put_text(o, 150, side.is_42 ? "2" : "F", 1);
        tw_fix_put_text(o, 39, "2", 1);
    }
    tw_fix_put_text(o, 11, id, n);
    if (!report) tw_fix_put_text(o, 21, "1", 1);
    tw_fix_put_text(o, 55, "AAPL", 4);
    tw_fix_put_text(o, 54, "1", 1);
    if (!report)
        tw_fix_put_text(o, 60, time, tw_fix_time_text(now.time_ns, TW_FIX_MS, time));
    tw_fix_put_text(o, 38, "100", 3);
    if (report) {
        tw_fix_put_text(o, 151, "0", 1);
        tw_fix_put_text(o, 14, "100", 3);
        tw_fix_put_text(o, 6, "187.5", 5);
    } else {
        tw_fix_put_text(o, 40, "1", 1);
    }
    return tw_fix_session_send(s, NULL, &error) == TW_OK;
}

static enum tw_fix_answer side_message(void *ctx, struct tw_fix_session *s,
                                       struct tw_fix_now now,
                                       const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m), id = tw_fix_message_body(m, 11);

    (void)ctx;
    if (code.n != 1 || (*code.at != 'D' && *code.at != '8')) return TW_FIX_UNSUPPORTED;
    tell(*code.at == 'D' ? "order" : "fill", id.at, (int)id.n);
    if (*code.at == 'D') side_send(s, now, "8", id.at, id.n);
    return TW_FIX_TAKEN;
}

static void side_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                       const struct tw_fix_event *e)
{
    (void)ctx, (void)s, (void)now;
    if (e->kind == TW_FIX_LOGGED_ON) tell("logon", "", 0);
    if (e->kind == TW_FIX_LOGGED_OUT) tell("logout", "", 0);
    if (e->kind == TW_FIX_REJECTED || e->kind == TW_FIX_REFUSED
        || e->kind == TW_FIX_DROPPED || e->kind == TW_FIX_SKIPPED
        || e->kind == TW_FIX_STORE_FAILED)
        tell("wrong", e->text, (int)strlen(e->text));
}

static void obey(const char *line, struct tw_fix_session *s, struct tw_fix_now now)
{
    struct tw_fix_session_status st = tw_fix_session_status(s);
    char text[60];
    int n;

    if (strncmp(line, "send ", 5) == 0) {
        size_t length = strlen(line + 5);

        tell(side_send(s, now, "D", line + 5, length) ? "sent" : "unsent", line + 5,
             (int)length);
    } else if (strcmp(line, "numbers") == 0) {
        n = snprintf(text, sizeof text, "%llu %llu", (unsigned long long)st.next_in,
                     (unsigned long long)st.next_out);
        tell("numbers", text, n);
    } else {
        tw_fix_session_enable(s, now, strcmp(line, "logon") == 0);
    }
}

/* What the test has said meanwhile. */
static int64_t side_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    char lines[COMMANDS], *line = lines, *end;
    size_t n;

    (void)ctx;
    pthread_mutex_lock(&side.lock);
    n = side.commands_n;
    while (n > 0 && side.commands[n - 1] != '\n') n--;
    memcpy(lines, side.commands, n);
    side.commands_n -= n;
    memmove(side.commands, side.commands + n, side.commands_n);
    pthread_mutex_unlock(&side.lock);
    while ((end = memchr(line, '\n', n - (size_t)(line - lines)))) {
        *end = 0;
        obey(line, s, now);
        line = end + 1;
    }
    return INT64_MAX;
}

/* ---- the process ---- */

static void on_log_line(void *ctx, enum tw_log_level level, const char *who,
                        const char *text, size_t n)
{
    (void)ctx, (void)level;
    if (side.verbose) fprintf(stderr, "# %s: %.*s\n", who, (int)n, text);
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

/* Commands go to the IO thread, until there are no more. */
static void serve(struct tw_fix_link *l, struct tw_log *log)
{
    struct pollfd in = { 0, POLLIN, 0 };
    char bytes[COMMANDS];

    for (;;) {
        ssize_t n = 0;

        tw_log_drain(log, on_log_line, NULL);
        if (poll(&in, 1, 20) <= 0) continue;
        pthread_mutex_lock(&side.lock);
        n = read(0, bytes, COMMANDS - side.commands_n);
        if (n > 0) {
            memcpy(side.commands + side.commands_n, bytes, (size_t)n);
            side.commands_n += (size_t)n;
        }
        pthread_mutex_unlock(&side.lock);
        if (n <= 0) return;
        tw_fix_link_ring(l);
    }
}

/* acceptor|initiator FIX.4.4 PORT FOLDER [TLS]: TLS is a folder of certificates. */
static int be_side(int n, char **argv)
{
    enum tw_fix_version v = strcmp(argv[1], "FIX.4.2") == 0 ? TW_FIX_42 : TW_FIX_44;
    bool initiator = strcmp(argv[0], "initiator") == 0;
    struct tw_fix_dictionary *d = dictionary(v, NULL);
    struct tw_log *log = tw_log_new(SIDE_LOG, no_wake, NULL);
    struct tw_tape *tape = tw_tape_new(SIDE_TAPE);
    char at[40], certificate[200] = "", ca[200] = "";
    const char *host = at;
    struct tw_tls_options tls = { .server = !initiator, .certificate = certificate,
                                  .ca_file = ca, .ask = !initiator };
    struct tw_fix_link_options o = {
        .name = "peer", .hosts = &host, .hosts_n = initiator, .store = argv[3],
        .retry_min_ms = 5, .retry_max_ms = 10, .tls = n > 4 && initiator ? &tls : NULL,
        .session = { .sender = "TW", .target = "QF", .check = TW_FIX_CHECK_STRICT,
                     .dictionary = d, .initiator = initiator,
                     .heartbeat_s = 5, .message_max = 1 << 16 },
        .consumer = { .message = side_message, .event = side_event, .look = side_look },
    };
    struct tw_error error = {0};
    struct tw_fix_engine *e;
    struct tw_fix_link *l;
    struct tw_io *io;

    tw_role_set(&MAIN);
    tw_be_main();
    side.verbose = getenv("VERBOSE");
    side.is_42 = v == TW_FIX_42;
    if (side.verbose) o.log = argv[3];
    if (n > 4) {
        snprintf(certificate, sizeof certificate, "%s/ours", argv[4]);
        snprintf(ca, sizeof ca, "%s/ca", argv[4]);
    }
    snprintf(at, sizeof at, "127.0.0.1:%s", argv[2]);
    io = tw_io_new(&(struct tw_io_options){ .tape = tape, .log = log });
    e = tw_fix_engine_new(&(struct tw_fix_engine_options){ .io = io, .log = log },
                          &error);
    if (!initiator)
        o.door = tw_fix_engine_listen(e, &(struct tw_fix_door_options){
            .port = (uint16_t)atoi(argv[2]), .tls = n > 4 ? &tls : NULL }, &error);
    l = o.door < 0 ? NULL : tw_fix_engine_add(e, &o, &error);
    if (!l || tw_io_start(io, &error) < 0) {
        tell("failed", error.text, (int)strlen(error.text));
        return 1;
    }
    tell("ready", "", 0);
    serve(l, log);
    tw_io_stop(io);
    tw_io_free(io);
    tw_log_drain(log, on_log_line, NULL);
    tw_fix_engine_free(e);
    tw_log_free(log);
    tw_tape_free(tape);
    tw_fix_dictionary_free(d);
    return 0;
}

#endif
