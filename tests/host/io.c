/* The io thread end to end: bytes in files and sockets to records on the tape
 * (F1 to F3 of feed.c, C1, C2 of dial.c, C3 of feed_tcp.c). */
#include "rig.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>
#include <zlib.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "feed/fix.h"
#include "place.h"

enum { TAPE = 64, MESSAGES_MAX = 4000, MESSAGE_BYTES = 300, NAMES = 4 };

static int messages = MESSAGES_MAX;

/* A stream made by the writers, and the record that each message becomes. */
struct stream {
    struct tw_record want[MESSAGES_MAX];
    size_t begin[MESSAGES_MAX + 1];          /* where each message begins */
    char bytes[MESSAGES_MAX * MESSAGE_BYTES];
};
static struct stream one, two;
static struct tw_record got[3 * MESSAGES_MAX];

static const char *names[2][NAMES] = {
    { "AAPL", "GOOG", "BP", "XOM" }, { "EURUSD", "USDJPY", "GBPUSD", "USDCHF" },
};

static void make_stream(struct stream *s, int set)
{
    struct tw_fix_writer w = { "FIX.4.4", "A", "B", 1 };
    int64_t ms = INT64_C(1700000000000);

    for (int i = 0; i < messages; i++) {
        struct tw_record *r = &s->want[i];
        const char *name = names[set][i % NAMES];
        char *out = s->bytes + s->begin[i];
        int64_t n;

        r->symbol = (uint32_t)(i % NAMES);
        r->time = (ms + i) * 1000000;
        r->source_seq = (uint32_t)i + 1;
        r->kind = i % 7 == 6 ? TW_TRADE : TW_QUOTE;
        if (r->kind == TW_TRADE) {
            r->trade = (struct tw_trade){ .price = 100 * TW_FIXED_ONE + i,
                                          .size = TW_FIXED_ONE, .side = TW_SIDE_BUY };
            n = tw_fix_write_trade(&w, name, &r->trade, r->time, out, MESSAGE_BYTES);
        } else {
            r->quote = (struct tw_quote){ 100 * TW_FIXED_ONE + i, 101 * TW_FIXED_ONE + i,
                                          (1 + i % 9) * TW_FIXED_ONE, TW_FIXED_ONE };
            n = (i < 8 ? tw_fix_write_snapshot : i % 7 == 5 ? tw_fix_write_quote
                       : tw_fix_write_update)(&w, name, &r->quote, r->time, out,
                                              MESSAGE_BYTES);
        }
        s->begin[i + 1] = s->begin[i] + (size_t)n;
    }
}

static size_t whole(const struct stream *s)
{
    return s->begin[messages];
}

static bool is_record(const struct rig *g, const struct tw_record *r,
                      const struct tw_record *want, int set)
{
    bool same = r->kind == want->kind && r->time == want->time && r->received > 0
        && r->source_seq == want->source_seq && r->symbol > 0
        && !strcmp(tw_symbols_name(g->symbols, r->symbol),
                   names[set][want->symbol]);

    if (want->kind == TW_QUOTE) return same && !memcmp(&r->quote, &want->quote, 32);
    return same && r->trade.price == want->trade.price
        && r->trade.size == want->trade.size && r->trade.side == want->trade.side;
}

/* How many of got[0, n) are what messages from, from + 1, ... say. */
static int matching(const struct rig *g, const struct tw_record *r, int n,
                    const struct stream *s, int from, int set)
{
    int same = 0;

    for (int i = 0; i < n; i++) same += is_record(g, &r[i], &s->want[from + i], set);
    return same;
}

static char path[PLACE];

static const char *save(const void *bytes, size_t n)
{
    int fd;

    fd = open(place_file(path), O_WRONLY);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) abort();
    close(fd);
    return path;
}

static const char *save_gz(const void *bytes, size_t n, size_t cut)
{
    gzFile f;

    f = gzopen(save("", 0), "wb");
    gzwrite(f, bytes, (unsigned)n);
    gzclose(f);
    if (cut && truncate(path, (off_t)cut)) abort();
    return path;
}

/* ---- files ---- */

static void fix_file(void)
{
    struct rig *g = rig_open(TAPE);
    struct tw_feed_status s;
    uint64_t allocations;
    int half = messages / 2;

    tw_be_main();
    ok(tw_io_add(g->io, &(struct tw_feed_options){ .name = "file", .kind = TW_FEED_FILE,
                 .path = save(one.bytes, whole(&one)) }, NULL) == 0, "a FIX file");
    ok(tw_io_began_ns(g->io) == 0 && tw_io_cpu_ns(g->io) == 0, "nothing was read yet");
    rig_start(g);
    rig_read(g, got, (size_t)half);
    allocations = tw_memory_count();
    ok(rig_read(g, got + half, (size_t)(messages - half)) == (size_t)(messages - half),
       "all %d records come through a ring of %d", messages, TAPE);
    ok(allocations == tw_memory_count(), "the second half allocates nothing");
    ok(matching(g, got, messages, &one, 0, 0) == messages, "exact and in order (F1)");
    ok(rig_await(g, 0, TW_FEED_ENDED) && rig_is_dry(g), "then it ends");
    s = rig_status(g, 0);
    ok(s.state == TW_FEED_ENDED && s.records == (uint64_t)messages &&
       s.codec.messages == s.records && s.codec.bytes == whole(&one) &&
       s.codec.skips == 0 && s.codec.errors == 0, "and has counted right");
    ok(s.waits > 0, "it waited for the reader %llu times", (unsigned long long)s.waits);
    ok(tw_histogram_count(tw_io_parse_ns(g->io)) >= whole(&one) / 65536 &&
       tw_io_began_ns(g->io) > 0 && tw_io_cpu_ns(g->io) > 0, "the figures are there");
    ok(tw_io_count(g->io) == 1 && !strcmp(tw_io_name(g->io, 0), "file"),
       "so is the name");
    tw_io_stop(g->io);
    tw_io_stop(g->io);
    ok(tw_io_cpu_ns(g->io) > 0, "stopped twice, its CPU time stays");
    rig_close(g);
    unlink(path);
}

static void limited(void)
{
    struct rig *g = rig_open(1 << 16);

    tw_be_main();
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "file", .kind = TW_FEED_FILE,
              .path = save(one.bytes, whole(&one)), .limit = 101 }, NULL);
    rig_start(g);
    ok(rig_await(g, 0, TW_FEED_ENDED) && tw_tape_head(g->tape) == 102 &&
       rig_status(g, 0).records == 101, "a limit is kept exactly (F2)");
    rig_close(g);
    unlink(path);
}

static void csv_gz(void)
{
    enum { ROWS = 3000 };
    static char text[ROWS * 80];
    struct rig *g = rig_open(TAPE);
    size_t n = (size_t)sprintf(text, "time,symbol,bid,ask,bid_size,ask_size\n");
    int right = 0;

    tw_be_main();
    for (int i = 0; i < ROWS; i++)
        n += (size_t)sprintf(text + n, "%lld,S%d,%d.25,%d.5,3,4\n",
                             1700000000000000000LL + i, i % 3, i + 1, i + 1);
    tw_io_add(g->io, &(struct tw_feed_options){
        .name = "csv", .kind = TW_FEED_FILE, .format = TW_FORMAT_CSV,
        .path = save_gz(text, n, 0), .csv.time = "ns" }, NULL);
    rig_start(g);
    rig_read(g, got, ROWS);
    for (int i = 0; i < ROWS; i++)
        right += got[i].kind == TW_QUOTE && got[i].time == 1700000000000000000LL + i
            && got[i].quote.bid == (i + 1) * TW_FIXED_ONE + TW_FIXED_ONE / 4
            && got[i].quote.ask_size == 4 * TW_FIXED_ONE && got[i].source == 1;
    ok(right == ROWS && rig_await(g, 0, TW_FEED_ENDED) && rig_is_dry(g),
       "a csv.gz file of %d rows", ROWS);
    rig_close(g);
    unlink(path);

    g = rig_open(1 << 16);
    tw_io_add(g->io, &(struct tw_feed_options){
        .name = "cut", .kind = TW_FEED_FILE, .format = TW_FORMAT_CSV,
        .path = save_gz(text, n, 2000), .csv.time = "ns" }, NULL);
    rig_start(g);
    ok(rig_await(g, 0, TW_FEED_FAILED) && strstr(g->text[0], path) &&
       rig_status(g, 0).state == TW_FEED_FAILED,
       "one that was cut fails: %s", g->text[0]);
    ok(strstr(rig_log(g), "feed cut: "), "and the log says so");
    rig_close(g);
    unlink(path);
}

/* A record comes no sooner than its time says; one whose time goes back does
 * not overtake.  0.4 s of event time at four times the speed. */
static void paced(void)
{
    enum { ROWS = 400 };
    static char text[ROWS * 40];
    struct rig *g = rig_open(TAPE);
    size_t n = 0;
    int64_t slack = 2000000, last = 0;   /* the two clocks need not agree */
    int early = 0, order = 0;

    tw_be_main();
    for (int i = 0; i < ROWS; i++)
        n += (size_t)sprintf(text + n, "%lld,%d,%d\n",
                             1700000000000000000LL + (i == 300 ? 0 : i * 1000000LL),
                             i + 1, i + 2);
    tw_io_add(g->io, &(struct tw_feed_options){
        .name = "paced", .kind = TW_FEED_FILE, .format = TW_FORMAT_CSV, .speed = 4,
        .path = save(text, n),
        .csv = { .columns = "time,bid,ask", .symbol = "X", .time = "ns" } }, NULL);
    rig_start(g);
    ok(rig_read(g, got, ROWS) == ROWS, "a paced file of %d rows", ROWS);
    for (int i = 0; i < ROWS; i++) {
        int64_t due = got[0].received + (got[i].time - got[0].time) / 4;

        early += got[i].received < due - slack;
        order += got[i].quote.bid == (i + 1) * TW_FIXED_ONE && got[i].received >= last;
        last = got[i].received - slack;
    }
    ok(early == 0 && order == ROWS, "none too early, all in order");
    ok(rig_await(g, 0, TW_FEED_ENDED) && rig_is_dry(g), "then it ends");
    rig_close(g);
    unlink(path);
}

/* Standard input as a pipe, then as a file of which some was read before. */
static void standard_input(void)
{
    int saved = dup(0), ends[2], fd;
    size_t n = one.begin[100];

    for (int as_file = 0; as_file < 2; as_file++) {
        struct rig *g = rig_open(1 << 12);
        int from = as_file ? 10 : 0;

        tw_be_main();
        if (as_file) {
            fd = open(save(one.bytes, n), O_RDONLY);
            lseek(fd, (off_t)one.begin[from], SEEK_SET);
        } else {
            if (pipe(ends) || write(ends[1], one.bytes, n) != (ssize_t)n) abort();
            close(ends[1]);
            fd = ends[0];
        }
        dup2(fd, 0);
        close(fd);
        tw_io_add(g->io, &(struct tw_feed_options){ .name = "stdin",
                  .kind = TW_FEED_STDIN }, NULL);
        rig_start(g);
        ok(rig_await(g, 0, TW_FEED_ENDED) &&
           rig_read(g, got, (size_t)(100 - from)) == (size_t)(100 - from) &&
           matching(g, got, 100 - from, &one, from, 0) == 100 - from && rig_is_dry(g),
           "standard input that is a %s", as_file ? "file" : "pipe");
        rig_close(g);
    }
    unlink(path);
    dup2(saved, 0);
    close(saved);
}

static void problems(void)
{
    enum { BAD = 1500 };
    static char text[BAD * 40];
    char says[sizeof path + 60];
    struct rig *g = rig_open(1 << 12);
    size_t n = 0;
    int lines = 0;

    tw_be_main();
    for (int i = 0; i < BAD; i++)
        n += (size_t)sprintf(text + n, "8=FIX.4.4\0019=5\00135=0\00110=000\001");
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "bad", .kind = TW_FEED_FILE,
              .path = save(text, n) }, NULL);
    rig_start(g);
    ok(rig_await(g, 0, TW_FEED_ENDED) && rig_status(g, 0).codec.skips == BAD &&
       rig_status(g, 0).codec.skipped == n, "%d bad messages are counted", BAD);
    snprintf(says, sizeof says, "feed bad: %s: fix: ", path);
    for (const char *p = rig_log(g); (p = strstr(p, says)); p++) lines++;
    ok(lines == 10, "the first ten are logged");
    snprintf(says, sizeof says, "feed bad: 1,490 more problems, last: %s: fix: ", path);
    ok(strstr(g->lines, says), "the rest in one line");
    rig_close(g);
    unlink(path);
}

/* ---- sockets ---- */

static int listener(uint16_t *port, bool listening)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = PATIENCE_S };   /* of accept */
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (bind(fd, (struct sockaddr *)&a, n) || (listening && listen(fd, 8)) ||
        getsockname(fd, (struct sockaddr *)&a, &n)) abort();
    *port = ntohs(a.sin_port);
    return fd;
}

static int dial(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&a, sizeof a)) abort();
    return fd;
}

/* In pieces of 1, 2, 3, ..., 1000, 1, ... bytes. */
static void send_oddly(int fd, const char *p, size_t n)
{
    size_t piece = 1;

    for (; n > 0; piece = piece % 1000 + 1) {
        ssize_t sent = send(fd, p, piece < n ? piece : n, MSG_NOSIGNAL);

        if (sent <= 0) abort();
        p += sent;
        n -= (size_t)sent;
    }
}

struct server { int fd, cut; };

/* Dies within message `cut`, comes back with the one after it, then hangs up
 * and takes no more. */
static void *serve(void *arg)
{
    struct server *s = arg;
    int peer = accept(s->fd, NULL, NULL);

    send_oddly(peer, one.bytes, one.begin[s->cut] + 50);
    close(peer);
    peer = accept(s->fd, NULL, NULL);
    send_oddly(peer, one.bytes + one.begin[s->cut + 1],
               whole(&one) - one.begin[s->cut + 1]);
    close(peer);
    close(s->fd);
    return NULL;
}

static void reconnects(void)
{
    struct rig *g = rig_open(TAPE);
    struct server s = { .cut = messages / 3 };
    struct tw_feed_status status;
    uint16_t port;
    pthread_t thread;
    int n = messages - 1;

    tw_be_main();
    s.fd = listener(&port, true);
    pthread_create(&thread, NULL, serve, &s);
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "fix", .kind = TW_FEED_CONNECT,
              .port = port }, NULL);
    rig_start(g);
    ok(rig_read(g, got, (size_t)n) == (size_t)n, "a server that dies and comes back");
    ok(matching(g, got, s.cut, &one, 0, 0) == s.cut &&
       matching(g, got + s.cut, n - s.cut, &one, s.cut + 1, 0) == n - s.cut,
       "all but the message that was cut, in order (C3)");
    pthread_join(thread, NULL);
    ok(rig_await_lines(g, "cannot connect", 1), "after its end it is asked again");
    status = rig_status(g, 0);
    ok(status.codec.skips == 1 && status.codec.skipped == 50 && status.connects == 2 &&
       status.records == (uint64_t)n && status.state == TW_FEED_WAITING,
       "one skip of 50 bytes, two connects");
    ok(strstr(g->lines, "feed fix: connected to 127.0.0.1:") &&
       strstr(g->lines, ": closed by the peer; next try in 0.1 s") &&
       strstr(g->lines, "connection refused; next try in "), "the log tells it");
    rig_close(g);
}

/* A name and not a number, so that it is looked up. */
static void refused(void)
{
    struct rig *g;
    struct addrinfo *found;
    uint16_t port;
    int fd = listener(&port, false), peer;

    if (getaddrinfo("localhost", NULL, NULL, &found) != 0) {
        ok(true, "refused by name # SKIP localhost has no address here");
        close(fd);
        return;
    }
    freeaddrinfo(found);
    g = rig_open(1 << 16);
    tw_be_main();
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "fix", .kind = TW_FEED_CONNECT,
              .host = "localhost", .port = port, .limit = 5 }, NULL);
    rig_start(g);
    ok(rig_await_lines(g, "feed fix: cannot connect to localhost:", 1) &&
       strstr(g->lines, "connection refused; next try in 0.1 s"),
       "refused is not the end");
    if (listen(fd, 1)) abort();
    peer = accept(fd, NULL, NULL);
    ok(rig_await(g, 0, TW_FEED_LIVE), "it finds a server that came later");
    send_oddly(peer, one.bytes, one.begin[5]);
    ok(rig_await(g, 0, TW_FEED_ENDED) && rig_status(g, 0).records == 5 &&
       rig_status(g, 0).connects == 1, "and ends at its limit");
    close(peer);
    close(fd);
    rig_close(g);
}

static void *send_two(void *arg)
{
    send_oddly(*(int *)arg, two.bytes, whole(&two));
    close(*(int *)arg);
    return NULL;
}

static void listens(void)
{
    struct rig *g = rig_open(1 << 14);
    struct tw_feed_status s;
    pthread_t thread;
    uint16_t port;
    int a, b, crowd[64], n[2] = {0, 0}, right = 0, total;
    char byte;

    tw_be_main();
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "in",
              .kind = TW_FEED_LISTEN }, NULL);
    rig_start(g);
    port = tw_io_port(g->io, 0);
    ok(port != 0 && rig_await(g, 0, TW_FEED_LIVE), "a free port is taken");
    a = dial(port);
    b = dial(port);
    pthread_create(&thread, NULL, send_two, &b);
    send_oddly(a, one.bytes, whole(&one));
    send_oddly(a, one.bytes, 40);
    close(a);
    total = (int)rig_read(g, got, 2 * (size_t)messages);
    ok(total == 2 * messages, "two peers at once");
    pthread_join(thread, NULL);
    for (int i = 0; i < total; i++) {
        const char *name = tw_symbols_name(g->symbols, got[i].symbol);
        int set = 1;

        for (int k = 0; k < NAMES; k++) if (!strcmp(name, names[0][k])) set = 0;
        if (n[set] < messages)
            right += is_record(g, &got[i], &(set ? &two : &one)->want[n[set]], set);
        n[set]++;
    }
    ok(right == 2 * messages, "each peer's records are exact and in order (F1)");
    ok(rig_await_lines(g, "closed by the peer\n", 2), "each peer's end is logged");
    ok(strstr(g->lines, "the stream ended in a message"), "and the half message");
    s = rig_status(g, 0);
    ok(s.connects == 2 && s.codec.messages == 2 * (uint64_t)messages &&
       s.codec.skips == 1, "counts are summed over the peers");

    for (int i = 0; i < 64; i++) crowd[i] = dial(port);
    a = dial(port);
    ok(read(a, &byte, 1) == 0 && rig_await_lines(g, "64 peers already", 1),
       "the 65th peer is refused");
    for (int i = 0; i < 64; i++) close(crowd[i]);
    close(a);
    rig_close(g);
}

static void port_in_use(void)
{
    struct rig *g = rig_open(TAPE);
    struct tw_error error = {0};
    uint16_t port;
    int fd = listener(&port, true);
    char where[32];

    tw_be_main();
    snprintf(where, sizeof where, "127.0.0.1:%u", port);
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "in", .kind = TW_FEED_LISTEN,
              .port = port }, NULL);
    ok(tw_io_start(g->io, &error) == UV_EADDRINUSE && strstr(error.text, where),
       "a port in use: %s", error.text);
    rig_close(g);
    close(fd);
}

/* ---- made up ---- */

static void synthetic(void)
{
    enum { N = 1000 };
    struct tw_synthetic_options o = { .seed = 7, .trades = -1, .correlation = -1,
                                      .start_ns = 1700000000000000000 };
    static struct tw_record want[N];
    struct tw_symbols *symbols = tw_symbols_new(10);
    struct tw_synthetic *market;

    o.symbols = symbols;
    o.source = 1;
    market = tw_synthetic_new(&o);
    for (int i = 0; i < N; i++) tw_synthetic_next(market, &want[i]);
    tw_synthetic_free(market);
    tw_symbols_free(symbols);
    for (int speed = 0; speed < 2; speed++) {
        struct rig *g = rig_open(TAPE);
        int same = 0;

        tw_be_main();
        tw_io_add(g->io, &(struct tw_feed_options){
            .name = "made", .kind = TW_FEED_SYNTHETIC, .limit = N, .speed = speed,
            .synthetic = o }, NULL);
        rig_start(g);
        rig_read(g, got, N);
        for (int i = 0; i < N; i++) {
            same += got[i].received > 0 && got[i].seq == (uint64_t)i + 1;
            got[i].seq = 0;
            got[i].received = 0;
            same += !memcmp(&got[i], &want[i], sizeof want[i]);
        }
        ok(same == 2 * N && rig_await(g, 0, TW_FEED_ENDED) && rig_is_dry(g),
           "a synthetic market %s: its seed's records, %d of them",
           speed ? "at its own rate" : "flat out", N);
        rig_close(g);
    }
}

static void timer(void)
{
    struct rig *g = rig_open(TAPE);
    int right = 0;

    tw_be_main();
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "tick", .kind = TW_FEED_TIMER,
              .interval_ns = 300000, .timer = 9, .limit = 200 }, NULL);
    rig_start(g);
    rig_read(g, got, 200);
    for (int i = 0; i < 200; i++)
        right += got[i].kind == TW_TIMER && got[i].timer.count == (uint64_t)i + 1
            && got[i].timer.timer == 9 && got[i].timer.interval_ns == 300000
            && got[i].time == got[0].time + i * 300000 && got[i].source == 1
            && got[i].received >= got[i].time - 2000000;
    ok(right == 200 && rig_await(g, 0, TW_FEED_ENDED) && rig_is_dry(g),
       "timer marks: every interval once, without drift");
    rig_close(g);
}

/* ---- the rest ---- */

static void stop_while_waiting(void)
{
    struct rig *g = rig_open(TAPE);
    unsigned looks = 0;
    uint64_t records;

    tw_be_main();
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "made",
              .kind = TW_FEED_SYNTHETIC }, NULL);
    rig_start(g);
    while (rig_status(g, 0).waits == 0 && rig_look(&looks)) {}
    ok(rig_status(g, 0).waits == 1, "a feed waits for a reader that does not read");
    tw_io_stop(g->io);
    records = rig_status(g, 0).records;
    ok(records == tw_tape_head(g->tape) - 1 && records <= TAPE, "and can be stopped");
    rig_close(g);
}

static void wrong_use(void)
{
    struct rig *g = rig_open(TAPE);
    struct tw_error error = {0};
    struct tw_feed_options o = { .name = "x", .kind = TW_FEED_FILE,
                                 .path = "/no/such/file" };

    tw_be_main();
    ok(tw_io_add(g->io, &o, &error) == UV_ENOENT && strstr(error.text, o.path),
       "a missing file: %s", error.text);
    o.path = save("", 0);
    o.format = TW_FORMAT_CSV;
    o.csv.columns = "time,bidd,ask";
    ok(tw_io_add(g->io, &o, &error) < 0 && strstr(error.text, "bidd"), "%s", error.text);
    o.kind = TW_FEED_LISTEN;
    ok(tw_io_add(g->io, &o, &error) < 0, "also for peers to come");
    o = (struct tw_feed_options){ .name = "x", .kind = TW_FEED_CONNECT, .port = 0 };
    ok(tw_io_add(g->io, &o, &error) == TW_EUSAGE, "%s", error.text);
    o.port = 1;
    o.host = "two words";
    ok(tw_io_add(g->io, &o, &error) == TW_EUSAGE, "%s", error.text);
    o = (struct tw_feed_options){ .name = "x", .kind = TW_FEED_SYNTHETIC, .speed = -1 };
    ok(tw_io_add(g->io, &o, &error) == TW_EUSAGE, "%s", error.text);
    o = (struct tw_feed_options){ .name = "x", .kind = TW_FEED_TIMER };
    ok(tw_io_add(g->io, &o, &error) == TW_EUSAGE, "%s", error.text);
    o.interval_ns = 1000000000;
    for (int i = 0; i < TW_SOURCE_MAX; i++) tw_io_add(g->io, &o, &error);
    ok(tw_io_count(g->io) == TW_SOURCE_MAX && tw_io_add(g->io, &o, &error) == TW_ELIMIT,
       "%s", error.text);
    rig_close(g);
    unlink(path);
}

/* The n-th allocation fails, for each n: an error with a text, and no leak. */
static void without_memory(void)
{
    static const enum tw_feed_kind kinds[] = {
        TW_FEED_CONNECT, TW_FEED_LISTEN, TW_FEED_FILE, TW_FEED_SYNTHETIC, TW_FEED_TIMER
    };
    struct tw_feed_options o = { .name = "x", .host = "localhost", .port = 1,
                                 .path = save("", 0), .interval_ns = 1 };
    struct rig *g = rig_open(TAPE);
    int failed = 0, silent = 0, made = 0;

    tw_be_main();
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int n = 1, rc = -1; rc < 0 && n < 100; n++) {
            struct tw_error error = {0};

            o.kind = kinds[i];
            tw_memory_fail_at((uint64_t)n);
            rc = tw_io_add(g->io, &o, &error);
            tw_memory_fail_at(0);
            failed += rc < 0;
            made += rc >= 0;
            silent += rc < 0 && (!error.text[0] || error.code != rc);
        }
    ok(made == 5 && failed > 20 && silent == 0, "%d allocations that failed were told",
       failed);
    rig_close(g);
    unlink(path);
}

int main(void)
{
    if (getenv("SMALL")) messages = 300;
    make_stream(&one, 0);
    make_stream(&two, 1);
    fix_file();
    limited();
    csv_gz();
    paced();
    standard_input();
    problems();
    reconnects();
    refused();
    listens();
    port_in_use();
    synthetic();
    timer();
    stop_while_waiting();
    wrong_use();
    without_memory();
    return tap_done();
}
