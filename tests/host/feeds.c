/* Feeds that come and go while the io thread runs: tw_io_begin, tw_io_end. */
#include "rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <uv.h>

enum { RECORDS = 2000 };

static const struct tw_feed_options market = {
    .name = "made", .kind = TW_FEED_SYNTHETIC, .limit = RECORDS,
    .synthetic = { .seed = 3, .trades = -1, .correlation = -1 },
};

static struct tw_record got[RECORDS];

/* A market is added to a thread that has had nothing to do, and another when it ended. */
static void one_after_the_other(void)
{
    struct rig *g = rig_open(256);
    struct tw_error error;

    tw_be_main();
    rig_start(g);
    for (int i = 0; i < 3; i++) {
        int right = 0;

        ok(tw_io_add(g->io, &market, &error) == i, "feed %d is added", i);
        ok(rig_status(g, (unsigned)i).state == TW_FEED_WAITING && rig_is_dry(g),
           "and waits");
        tw_io_begin(g->io, (unsigned)i);
        ok(rig_read(g, got, RECORDS) == RECORDS, "its records come");
        for (int k = 0; k < RECORDS; k++) right += got[k].source == i + 1;
        ok(right == RECORDS && rig_await(g, (unsigned)i, TW_FEED_ENDED), "to its end");
    }
    rig_close(g);
}

static void ended_by_hand(void)
{
    struct rig *g = rig_open(1 << 12);
    struct tw_feed_options o = market;
    struct tw_error error;

    tw_be_main();
    rig_start(g);
    o.limit = 0;
    tw_io_add(g->io, &o, &error);
    tw_io_begin(g->io, 0);
    ok(rig_read(g, got, 100) == 100, "a market without end");
    tw_io_add(g->io, &o, &error);
    tw_io_begin(g->io, 1);
    tw_io_end(g->io, 0);
    while (rig_status(g, 0).state != TW_FEED_ENDED) rig_read(g, got, 1);
    ok(rig_await(g, 0, TW_FEED_ENDED) && !strcmp(g->text[0], "stopped"), "is stopped");
    for (int i = 0; i < RECORDS && got[0].source != 2; i++) rig_read(g, got, 1);
    ok(got[0].source == 2, "another goes on");
    tw_io_end(g->io, 0);
    tw_io_end(g->io, 1);
    tw_io_end(g->io, 7);
    while (rig_status(g, 1).state != TW_FEED_ENDED) rig_read(g, got, 1);
    ok(true, "ended twice, and one that is not there");
    tw_io_add(g->io, &o, &error);
    tw_io_end(g->io, 2);
    tw_io_begin(g->io, 2);
    ok(rig_await(g, 2, TW_FEED_ENDED), "one is ended before it begins");
    tw_io_add(g->io, &o, &error);
    rig_close(g);
}

/* ---- a full tape ---- */

static uv_loop_t *loop;
static uv_check_t check;
static atomic_ulong turns;

static void on_turn(uv_check_t *handle)
{
    (void)handle;
    atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed);
}

static void carried(void *ctx)
{
    (void)ctx;
    uv_check_init(loop, &check);
    uv_check_start(&check, on_turn);
}

static void dropped(void *ctx)
{
    (void)ctx;
    uv_close((uv_handle_t *)&check, NULL);
}

/* What shares the loop has its turns while a feed waits for a reader: a turn that waits
 * is followed by one of a single record, and each that does not wait doubles them.  So
 * at most 16 batches that waited come after nine turns or more that did not. */
static void full_tape(void)
{
    struct rig *g = rig_open(256);
    struct tw_feed_options o = market;
    struct tw_feed_status status;
    struct tw_error error;
    unsigned long n;

    tw_be_main();
    loop = tw_io_carry(g->io, &(struct tw_io_guest){ carried, dropped, NULL });
    o.limit = 0;
    ok(tw_io_add(g->io, &o, &error) == 0, "a market without end, and a small tape");
    rig_start(g);
    for (int i = 0; i < 20000; i++) {
        rig_read(g, got, 1);
        sched_yield();
    }
    n = atomic_load_explicit(&turns, memory_order_relaxed);
    status = rig_status(g, 0);
    ok(status.waits > 0 && status.waits <= 2 * n + 16,
       "%lu turns of the loop, in which it waited %lu times", n,
       (unsigned long)status.waits);
    rig_close(g);
}

static void port_in_use(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct rig *g = rig_open(256);
    struct tw_feed_options o = { .name = "in", .kind = TW_FEED_LISTEN };
    struct tw_error error;
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    tw_be_main();
    if (bind(fd, (struct sockaddr *)&at, n) < 0 || listen(fd, 1) < 0
        || getsockname(fd, (struct sockaddr *)&at, &n) < 0)
        abort();
    o.port = ntohs(at.sin_port);
    rig_start(g);
    tw_io_add(g->io, &o, &error);
    tw_io_begin(g->io, 0);
    ok(rig_await(g, 0, TW_FEED_FAILED) && strstr(g->text[0], "127.0.0.1"),
       "a port in use: %s", g->text[0]);
    o.port = 0;
    tw_io_add(g->io, &o, &error);
    tw_io_begin(g->io, 1);
    ok(rig_await(g, 1, TW_FEED_LIVE) && tw_io_port(g->io, 1) > 0, "and a free one");
    ok(rig_await_lines(g, "listening on", 1), "both are in the log");
    rig_close(g);
    close(fd);
}

int main(void)
{
    one_after_the_other();
    ended_by_hand();
    full_tape();
    port_in_use();
    return tap_done();
}
