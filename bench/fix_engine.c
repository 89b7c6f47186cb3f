/* fix_engine.c - orders through the FIX engine over loopback, beside a bare TCP echo.
 *
 * An acceptor sends each order back.  Window 1: there and back, microseconds, beside an
 * echo of as many bytes by a thread that only reads and writes, which takes turns with
 * it; from a call of another thread to the peer; through a session that has each on the
 * disk before it goes out; and through another one meanwhile.  Pipelined: orders a
 * second, as fast as one connection takes them; with a store in a file and a message log,
 * too.
 *
 *     fix_engine PORT     of another's acceptor there (EXCHANGE1, of TIDEWIRE), instead
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fix/draft.h"
#include "run/fix_engine.h"
#include "run/io.h"

enum { BUFFER = 1 << 18, ROUNDS = 20, EACH = 1000, PIPELINED = 1000000 };

static _Thread_local char out[BUFFER], in[BUFFER];
static _Thread_local const char *target = "EXCHANGE1";
static char folder[] = "/tmp/bench_fix_engine.XXXXXX";
static struct tw_fix_dictionary *dictionary;

static void die(const char *why)
{
    printf("%s\n", why);
    exit(1);
}

/* ---- the engine ---- */

static enum tw_fix_answer echo(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                               const struct tw_fix_message *m)
{
    struct tw_fix_output *o;
    struct tw_error error;

    (void)ctx;
    if (tw_fix_session_begin(s, now, "D", NULL, 0, &o, &error) < 0) die(error.text);
    tw_fix_put_body(o, m, false);
    if (tw_fix_session_send(s, NULL, &error) < 0) die(error.text);
    return TW_FIX_TAKEN;
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

static void no_line(void *ctx, enum tw_log_level level, const char *who,
                    const char *text, size_t n)
{
    (void)ctx;
    if (level < TW_LOG_INFO) printf("%s: %.*s\n", who, (int)n, text);
}

struct engine {
    struct tw_io *io;
    struct tw_fix_engine *e;
    struct tw_fix_link *link;
    struct tw_log *log;
};

static void speak(void *ctx)
{
    tw_log_drain(((struct engine *)ctx)->log, no_line, NULL);
}

static struct tw_fix_link *add(struct engine *g, const char *name, const char *sender,
                               const char *store, enum tw_fix_sync sync, const char *log)
{
    struct tw_error error;
    struct tw_fix_link *l = tw_fix_engine_add(g->e, &(struct tw_fix_link_options){
        .name = name, .consumer = { .message = echo },
        .store = store, .sync = sync, .log = log, .session = {
            .dictionary = dictionary, .sender = sender, .target = "TIDEWIRE",
            .check = TW_FIX_CHECK_STRICT, .message_max = 4096, .fields_max = 100,
            .output_max = 16 << 20 } }, &error);

    if (!l) die(error.text);
    return l;
}

static uint16_t open_engine(struct engine *g, const char *store, enum tw_fix_sync sync,
                            const char *log)
{
    struct tw_error error;
    int door;

    tw_be_main();
    g->log = tw_log_new(1 << 20, no_wake, NULL);
    g->io = tw_io_new(&(struct tw_io_options){ .log = g->log, .waiting = speak,
                                               .ctx = g });
    g->e = tw_fix_engine_new(&(struct tw_fix_engine_options){ .io = g->io,
                                                              .log = g->log }, &error);
    if (!g->e) die(error.text);
    door = tw_fix_engine_listen(g->e, &(struct tw_fix_door_options){0}, &error);
    if (door < 0) die(error.text);
    g->link = add(g, "echo", "EXCHANGE1", store, sync, log);
    if (tw_io_start(g->io, &error) < 0) die(error.text);
    return tw_fix_engine_port(g->e, door);
}

static void close_engine(struct engine *g)
{
    tw_be_main();
    tw_io_stop(g->io);
    tw_io_free(g->io);
    speak(g);
    tw_fix_engine_free(g->e);
    tw_log_free(g->log);
}

/* ---- the peer ---- */

static int connect_to(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) die("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static size_t write_one(char *to, size_t room, uint64_t seq)
{
    struct tw_fix_output o;
    int64_t now = tw_clock_now_ns(), n;
    char *p;

    tw_fix_begin(&o, to, room, "FIX.4.4", seq > 1 ? "D" : "A", 1);
    tw_fix_put_integer(&o, 34, (int64_t)seq);
    tw_fix_put_text(&o, 49, "TIDEWIRE", 8);
    tw_fix_put_time(&o, 52, now, TW_FIX_MS);
    tw_fix_put_text(&o, 56, target, strlen(target));
    if (seq == 1) {
        tw_fix_put_char(&o, 98, '0');
        tw_fix_put_integer(&o, 108, 0);
        tw_fix_put_flag(&o, 141, true);
    } else {
        tw_fix_put_integer(&o, 11, (int64_t)(7000000 + seq));
        tw_fix_put_char(&o, 21, '1');
        tw_fix_put_text(&o, 55, "AAPL", 4);
        tw_fix_put_char(&o, 54, '1');
        tw_fix_put_time(&o, 60, now, TW_FIX_MS);
        tw_fix_put_integer(&o, 38, 100);
        tw_fix_put_char(&o, 40, '2');
        tw_fix_put_fixed(&o, 44, INT64_C(187220000000));
    }
    n = tw_fix_finish(&o, &p);
    if (n > 0) memmove(to, p, (size_t)n);
    return n > 0 ? (size_t)n : 0;
}

static void write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

        if (done <= 0) die("the peer hung up");
        p += done;
        n -= (size_t)done;
    }
}

/* Reads one message, or as many bytes as were sent. */
static void read_one(int fd, size_t bytes)
{
    size_t n = 0;

    while (bytes ? n < bytes : n < 20 || memcmp(in + n - 8, "\00110=", 4) != 0) {
        ssize_t got = recv(fd, in + n, sizeof in - n, 0);

        if (got <= 0) die("the peer hung up");
        n += (size_t)got;
    }
}

static int log_on(uint16_t port)
{
    int fd = connect_to(port);

    write_all(fd, out, write_one(out, sizeof out, 1));
    read_one(fd, 0);
    return fd;
}

/* ---- window 1 ---- */

static void *bare_echo(void *arg)
{
    static char bytes[4096];
    int fd = accept(*(int *)arg, NULL, NULL), on = 1;
    ssize_t n;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        if (send(fd, bytes, (size_t)n, MSG_NOSIGNAL) != n) break;
    close(fd);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void tell(const char *label, int64_t *took, size_t n)
{
    qsort(took, n, sizeof *took, by_value);
    printf("  %-25s %7.1f %8.1f %8.1f\n", label, (double)took[0] / 1000,
           (double)took[n / 2] / 1000, (double)took[n * 99 / 100] / 1000);
}

/* From a call of this thread's to the bytes at the peer. */
static int64_t send_one(struct engine *g, int fd)
{
    static const char body[] = "11=1\00121=1\00155=AAPL\00154=1\00160=20240102-09:30:00.0"
                               "00\00138=100\00140=2\00144=187.22\001";
    int64_t began = tw_clock_steady_ns();

    if (tw_fix_link_send(g->link, "D", body, sizeof body - 1) < 0) die("not logged on");
    read_one(fd, 0);
    return tw_clock_steady_ns() - began;
}

/* other: the port of an acceptor, or 0: ours. */
static void window_1(uint16_t other)
{
    static int64_t bare[ROUNDS * EACH], orders[ROUNDS * EACH], sent[ROUNDS * EACH];
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t length = sizeof at;
    int listening = socket(AF_INET, SOCK_STREAM, 0), fd, plain;
    struct engine g;
    uint64_t seq = 2;
    pthread_t thread;

    if (bind(listening, (struct sockaddr *)&at, sizeof at) < 0 || listen(listening, 1) < 0
        || getsockname(listening, (struct sockaddr *)&at, &length) < 0)
        die("cannot listen");
    pthread_create(&thread, NULL, bare_echo, &listening);
    plain = connect_to(ntohs(at.sin_port));
    fd = log_on(other ? other : open_engine(&g, NULL, TW_FIX_SYNC_NEVER, NULL));
    for (int i = 0; i < ROUNDS * EACH; i++) {
        bool turn = i / EACH % 2 == 0;

        for (int both = 0; both < 2; both++) {
            size_t n = write_one(out, sizeof out, turn ? seq++ : 2);
            int64_t began = tw_clock_steady_ns();

            write_all(turn ? fd : plain, out, n);
            read_one(turn ? fd : plain, turn ? 0 : n);
            *(turn ? &orders[i] : &bare[i]) = tw_clock_steady_ns() - began;
            turn = !turn;
        }
    }
    printf("one order at a time, us        min   median      99%%\n");
    tell("bare TCP echo", bare, ROUNDS * EACH);
    tell("order through a session", orders, ROUNDS * EACH);
    for (int i = 0; !other && i < ROUNDS * EACH; i++) sent[i] = send_one(&g, fd);
    if (!other) tell("sent by another thread", sent, ROUNDS * EACH);
    close(fd);
    close(plain);
    pthread_join(thread, NULL);
    close(listening);
    if (!other) close_engine(&g);
}

static int64_t order(int fd, uint64_t seq)
{
    size_t n = write_one(out, sizeof out, seq);
    int64_t began = tw_clock_steady_ns();

    write_all(fd, out, n);
    read_one(fd, 0);
    return tw_clock_steady_ns() - began;
}

static int64_t synced[EACH];

/* Orders through the session that syncs, one at a time. */
static void *sync_all(void *port)
{
    int fd;

    target = "EXCHANGE2";
    fd = log_on(*(uint16_t *)port);
    for (unsigned i = 0; i < EACH; i++) synced[i] = order(fd, i + 2);
    close(fd);
    return NULL;
}

/* Two sessions of an engine: while one waits for the disk the other does not. */
static void beside(const char *store)
{
    static int64_t took[ROUNDS * EACH];
    struct engine g;
    uint16_t port = open_engine(&g, NULL, TW_FIX_SYNC_NEVER, NULL);
    pthread_t thread;
    int fd = log_on(port), n = 0;

    add(&g, "synced", "EXCHANGE2", store, TW_FIX_SYNC_EACH, NULL);
    pthread_create(&thread, NULL, sync_all, &port);
    do took[n] = order(fd, (uint64_t)n + 2);
    while (pthread_tryjoin_np(thread, NULL) != 0 && ++n < ROUNDS * EACH);
    if (n == ROUNDS * EACH) pthread_join(thread, NULL);
    else n++;
    tell("synced before it goes out", synced, EACH);
    tell("beside it, in memory", took, (size_t)n);
    close(fd);
    close_engine(&g);
}

/* ---- pipelined ---- */

/* How many orders begin in in[0, n), whose last bytes may be the begin of one: they are
 * moved to the front. */
static size_t count_orders(size_t *n)
{
    static const char mark[] = "\00135=D\001";
    size_t length = sizeof mark - 1, count = 0, keep;
    char *p = in, *end = in + *n, *found;

    while ((found = memmem(p, (size_t)(end - p), mark, length))) {
        p = found + length;
        count++;
    }
    keep = (size_t)(end - p) < length ? (size_t)(end - p) : length - 1;
    memmove(in, end - keep, keep);
    *n = keep;
    return count;
}

/* How many orders a second come back, of so many. */
static double stream(int fd, size_t orders)
{
    size_t n = 0, at = 0, received = 0, kept = 0;
    uint64_t seq = 2, end = orders + 2;
    int64_t began = tw_clock_steady_ns();

    while (received < orders) {
        bool sent = false;
        ssize_t done;

        if (at == n)
            for (n = at = 0; seq < end && n < 32768; seq++)
                n += write_one(out + n, sizeof out - n, seq);
        if (at < n) {
            done = send(fd, out + at, n - at, MSG_NOSIGNAL | MSG_DONTWAIT);
            sent = done > 0;
            if (sent) at += (size_t)done;
        }
        done = recv(fd, in + kept, sizeof in - kept, sent ? MSG_DONTWAIT : 0);
        if (done == 0) die("the peer hung up");
        if (done < 0) continue;
        kept += (size_t)done;
        received += count_orders(&kept);
    }
    return (double)orders * 1e9 / (double)(tw_clock_steady_ns() - began);
}

static void pipelined(const char *label, const char *store, enum tw_fix_sync sync,
                      const char *log)
{
    struct engine g;
    char own[80];   /* its numbers begin at 1 */
    int fd;
    double rate;
    int64_t cpu;

    snprintf(own, sizeof own, "%s/%d", store ? store : "", sync);
    fd = log_on(open_engine(&g, store ? own : NULL, sync, log));
    cpu = tw_io_cpu_ns(g.io);
    rate = stream(fd, PIPELINED);
    printf("  %-24s %8.0f %8.0f\n", label, rate,
           (double)(tw_io_cpu_ns(g.io) - cpu) / PIPELINED);
    fflush(stdout);
    close(fd);
    close_engine(&g);
}

static void beside_ours(uint16_t port)
{
    int fd;

    window_1(port);
    fd = log_on(port);
    printf("pipelined                  orders/s\n  %-24s %8.0f\n", "in memory",
           stream(fd, PIPELINED / 10));
    close(fd);
}

int main(int argc, char **argv)
{
    struct tw_fix_draft *t = tw_fix_draft_new();
    char store[60], log[60], command[100];
    struct tw_error error = { .text = "no memory" };

    if (!t || tw_fix_draft_version(t, TW_FIX_44, &error) < 0
        || tw_fix_draft_finish(t, &dictionary, &error) < 0 || !mkdtemp(folder))
        die(error.text);
    tw_fix_draft_free(t);
    tw_role_set(&MAIN);
    if (argc > 1) {
        beside_ours((uint16_t)atoi(argv[1]));
        tw_fix_dictionary_free(dictionary);
        return rmdir(folder) == 0 ? 0 : 1;
    }
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(log, sizeof log, "%s/log", folder);
    window_1(0);
    beside(store);
    printf("pipelined                  orders/s   ns of the IO thread each\n");
    pipelined("in memory", NULL, TW_FIX_SYNC_NEVER, NULL);
    pipelined("with a store", store, TW_FIX_SYNC_NEVER, NULL);
    pipelined("synced each 100 ms", store, TW_FIX_SYNC_TIMED, NULL);
    pipelined("synced before it goes out", store, TW_FIX_SYNC_EACH, NULL);
    pipelined("with a message log", NULL, TW_FIX_SYNC_NEVER, log);
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0) printf("%s stays\n", folder);
    tw_fix_dictionary_free(dictionary);
    return 0;
}
