/* The synthetic exchange serves FIX to an io thread over loopback TCP (E1 to
 * E3 of exchange.c). */
#include "rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/memory.h"
#include "feed/fix.h"
#include "run/exchange.h"

enum { MESSAGES_MAX = 20000 };

static int messages = MESSAGES_MAX;
static struct tw_record got[MESSAGES_MAX];

static struct tw_exchange *serve(struct rig *g, double speed, double rate,
                                 uint32_t universe, uint64_t limit)
{
    struct tw_error error = {0};
    struct tw_exchange *e;

    tw_be_main();
    e = tw_exchange_start(&(struct tw_exchange_options){
        .speed = speed, .limit = limit, .log = g->log,
        .synthetic = { .universe = universe, .rate = rate, .trades = -1,
                       .correlation = -1 } }, &error);
    if (!e) printf("# %s\n", error.text);
    return e;
}

static void listen_to(struct rig *g, const struct tw_exchange *e, uint64_t limit)
{
    tw_be_main();
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "fix", .kind = TW_FEED_CONNECT,
              .port = tw_exchange_port(e), .limit = limit }, NULL);
}

/* Whether the n records at r are of one session from its first message on:
 * numbered without a hole, quotes not crossed, and each symbol's first record
 * a quote, which its snapshot is (E1). */
static bool is_session(const struct tw_record *r, int n, int symbols)
{
    static bool known[10000];
    int distinct = 0;

    memset(known, 0, sizeof known);
    for (int i = 0; i < n; i++) {
        bool whole = r[i].kind == TW_QUOTE
            ? r[i].quote.bid < r[i].quote.ask && r[i].quote.bid > 0 &&
              r[i].quote.bid_size > 0 && r[i].quote.ask_size > 0
            : r[i].kind == TW_TRADE && r[i].trade.price > 0 && r[i].trade.size > 0;

        if (!whole || r[i].source_seq != (uint32_t)i + 1) return false;
        if (known[r[i].symbol]) continue;
        if (r[i].kind != TW_QUOTE) return false;
        known[r[i].symbol] = true;
        distinct++;
    }
    return distinct == symbols;
}

static void at_a_rate(void)
{
    struct rig *g = rig_open(1 << 12);
    struct tw_exchange *e = serve(g, 1, 100000, 0, (uint64_t)messages);
    struct tw_feed_status s;
    int64_t age;

    tw_be_main();
    ok(e && tw_exchange_port(e) != 0 && tw_exchange_sent(e) == 0, "an exchange opens");
    listen_to(g, e, (uint64_t)messages);
    rig_start(g);
    ok(rig_read(g, got, (size_t)messages) == (size_t)messages, "%d messages at a rate",
       messages);
    ok(is_session(got, messages, 4), "whole, numbered, each symbol's snapshot first");
    age = got[messages - 1].received - got[messages - 1].time;
    ok(age > -1000000 && age < INT64_C(1000000000) * PATIENCE_S,
       "sending time is the present");
    ok(rig_await(g, 0, TW_FEED_ENDED) && rig_await_lines(g, "hung up on 127.0.0.1:", 1),
       "it hangs up at its limit");
    s = rig_status(g, 0);
    ok(tw_exchange_sent(e) == (uint64_t)messages && s.codec.skips == 0 &&
       s.codec.errors == 0 && s.records == (uint64_t)messages, "and has sent as many");
    ok(tw_exchange_cpu_ns(e) > 0, "which took it time");
    tw_exchange_stop(e);
    tw_exchange_stop(NULL);
    rig_close(g);
}

/* The small ring makes the reader slow, and nothing is cut off. */
static void flat_out(void)
{
    struct rig *g = rig_open(64);
    struct tw_exchange *e = serve(g, 0, 0, 200, 0);

    tw_be_main();
    listen_to(g, e, (uint64_t)messages);
    rig_start(g);
    ok(rig_read(g, got, (size_t)messages) == (size_t)messages &&
       is_session(got, messages, 200) && rig_await(g, 0, TW_FEED_ENDED) && rig_is_dry(g),
       "%d messages of 200 symbols, as fast as they are read", messages);
    ok(!strstr(rig_log(g), "cut off"), "a slow reader is waited for");
    tw_exchange_stop(e);
    rig_close(g);
}

static int dial(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(fd, (struct sockaddr *)&a, sizeof a)) abort();
    return fd;
}

static void drop_records(struct tw_batch *b)
{
    b->n = 0;
}

/* Decodes what a peer got until it was cut off. */
static struct tw_codec_stats rest_of(int fd)
{
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_codec *c = tw_fix_decoder_new(&(struct tw_fix_options){
        .symbols = symbols });
    struct tw_batch batch = { .full = drop_records };
    struct tw_codec_stats stats;
    static char bytes[1 << 16];
    size_t have = 0, done;
    ssize_t n;

    while ((n = read(fd, bytes + have, sizeof bytes - have)) > 0) {
        have += (size_t)n;
        done = c->ops->decode(c, bytes, have, 1, &batch);
        have -= done;
        memmove(bytes, bytes + done, have);
    }
    c->ops->end(c, bytes, have, 1, &batch);
    stats = c->stats;
    c->ops->free(c);
    tw_symbols_free(symbols);
    return stats;
}

static void cut_off(void)
{
    struct rig *g = rig_open(1 << 12);
    struct tw_exchange *e = serve(g, 1, 1e9, 0, 0);
    struct tw_codec_stats stats;
    struct tw_record r;
    unsigned looks = 0;
    int fd, n = 0;
    bool in_order = true;

    tw_be_main();
    fd = dial(tw_exchange_port(e));
    ok(write(fd, "8=FIX.4.4\001", 10) == 10, "a peer that talks and does not read");
    listen_to(g, e, 0);
    rig_start(g);
    while (!strstr(rig_log(g), "cut off 127.0.0.1:") && rig_look(&looks))
        while (tw_cursor_next(&g->cursor, &r)) {
            in_order = in_order && r.source_seq == (uint32_t)++n;
            tw_cursor_commit(&g->cursor);
        }
    ok(strstr(g->lines, ": it does not read and 4 MiB wait for it"), "is cut off");
    for (int more = n + 1000; n < more && looks < PATIENCE_S * 10000u;) {
        if (!tw_cursor_next(&g->cursor, &r)) {
            rig_look(&looks);
            continue;
        }
        in_order = in_order && r.source_seq == (uint32_t)++n;
        tw_cursor_commit(&g->cursor);
    }
    ok(in_order && looks < PATIENCE_S * 10000u, "the other goes on without a hole");
    stats = rest_of(fd);
    ok(stats.messages > 100 && stats.errors == 0 && stats.skips <= 1,
       "what came before was whole: %llu messages (E3)",
       (unsigned long long)stats.messages);
    ok(tw_exchange_sent(e) > stats.messages, "of %llu sent",
       (unsigned long long)tw_exchange_sent(e));
    close(fd);
    tw_cursor_close(&g->cursor);   /* nothing holds the io thread back now */
    tw_exchange_stop(e);
    ok(rig_await(g, 0, TW_FEED_WAITING), "its end is seen by who listens");
    rig_close(g);
}

/* Comes, goes, comes again: another session each time, numbered from 1. */
static void in_turn(void)
{
    struct rig *g = rig_open(1 << 12);
    struct tw_exchange *e = serve(g, 0, 0, 0, 50);
    struct tw_codec_stats a, b;
    struct tw_error error = {0};
    int fd;

    tw_be_main();
    fd = dial(tw_exchange_port(e));
    a = rest_of(fd);
    close(fd);
    fd = dial(tw_exchange_port(e));
    b = rest_of(fd);
    close(fd);
    ok(a.messages == 50 && b.messages == 50 && a.skips + b.skips == 0 &&
       tw_exchange_sent(e) == 100, "each session has the limit for itself");
    ok(!tw_exchange_start(&(struct tw_exchange_options){
           .port = tw_exchange_port(e), .log = g->log }, &error) &&
       error.code == UV_EADDRINUSE, "a port in use: %s", error.text);
    tw_exchange_stop(e);
    rig_close(g);
}

/* The n-th allocation fails, for each n: an error with a text, and no leak. */
static void without_memory(void)
{
    struct rig *g = rig_open(64);
    struct tw_exchange *e = NULL;
    int failed = 0, silent = 0;

    tw_be_main();
    for (uint64_t n = 1; !e && n < 200; n++) {
        struct tw_error error = {0};

        tw_memory_fail_at(n);
        e = tw_exchange_start(&(struct tw_exchange_options){ .log = g->log }, &error);
        tw_memory_fail_at(0);
        failed += !e;
        silent += !e && (error.code >= 0 || !error.text[0]);
    }
    ok(e && failed > 5 && silent == 0, "%d allocations that failed were told", failed);
    tw_exchange_stop(e);
    rig_close(g);
}

int main(void)
{
    if (getenv("SMALL")) messages = 4000;
    at_a_rate();
    flat_out();
    cut_off();
    in_turn();
    without_memory();
    return tap_done();
}
