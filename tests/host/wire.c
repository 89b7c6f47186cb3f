/* wire: what a peer has said is read, though it hung up before we had written. */
#include "run/wire.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static struct end {
    uv_loop_t loop;
    uv_tcp_t door, tcp;
    struct tw_wire wire;
    int peer;                     /* the other end                       */
    char in[100];
    size_t n;
    bool opened, was_lost;
    int why;
    char text[100];               /* what had come before that           */
} e;

static char *room(struct tw_wire *w, size_t *n)
{
    (void)w;
    *n = sizeof e.in - 1 - e.n;
    return e.in + e.n;
}

static void took(struct tw_wire *w, size_t n)
{
    (void)w;
    e.n += n;
    e.in[e.n] = 0;
}

static void ready(struct tw_wire *w)
{
    (void)w;
}

static void lost(struct tw_wire *w, int why, const char *text)
{
    (void)text;
    e.was_lost = true;
    e.why = why;
    snprintf(e.text, sizeof e.text, "%s", e.in);
    tw_wire_close(w);
    uv_close((uv_handle_t *)&e.tcp, NULL);
    uv_close((uv_handle_t *)&e.door, NULL);
}

static const struct tw_wire_ops ops = { room, took, ready, lost };

static void on_call(uv_stream_t *door, int status)
{
    if (status < 0 || uv_tcp_init(&e.loop, &e.tcp) < 0) abort();
    if (uv_accept(door, (uv_stream_t *)&e.tcp) < 0) abort();
    e.opened = tw_wire_open(&e.wire, &e.tcp, NULL, &ops, NULL) == 0;
}

static void open_end(void)
{
    struct sockaddr_in at;
    int length = sizeof at;

    e = (struct end){ .peer = -1 };
    if (uv_loop_init(&e.loop) < 0 || uv_tcp_init(&e.loop, &e.door) < 0) abort();
    uv_ip4_addr("127.0.0.1", 0, &at);
    if (uv_tcp_bind(&e.door, (struct sockaddr *)&at, 0) < 0
        || uv_listen((uv_stream_t *)&e.door, 1, on_call) < 0
        || uv_tcp_getsockname(&e.door, (struct sockaddr *)&at, &length) < 0)
        abort();
    e.peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(e.peer, (struct sockaddr *)&at, sizeof at) < 0) abort();
    while (!e.opened) uv_run(&e.loop, UV_RUN_ONCE);
}

/* The peer's last words, and a reset, which has come when this returns. */
static void hang_up(const char *words)
{
    struct linger now = { .l_onoff = 1 };
    struct pollfd one = { .events = POLLIN };
    uv_os_fd_t fd;

    if (uv_fileno((uv_handle_t *)&e.tcp, &fd) < 0) abort();
    one.fd = fd;
    if (write(e.peer, words, strlen(words)) != (ssize_t)strlen(words)) abort();
    setsockopt(e.peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(e.peer);
    do {
        one.revents = 0;
        if (poll(&one, 1, 60000) <= 0) abort();
    } while (!(one.revents & POLLERR));
}

static void end_it(void)
{
    uv_run(&e.loop, UV_RUN_DEFAULT);
    tw_wire_fini(&e.wire);
    if (uv_loop_close(&e.loop) < 0) abort();
}

int main(void)
{
    open_end();
    hang_up("why");
    ok(tw_wire_write(&e.wire, "x", 1) == 0 && !e.was_lost, "nothing goes out any more");
    ok(tw_wire_write(&e.wire, "x", 1) == 0 && tw_wire_is_idle(&e.wire),
       "nor the second time, and nothing waits");
    end_it();
    ok(e.was_lost && strcmp(e.text, "why") == 0, "its last words are read");
    ok(e.why == UV_ECONNRESET, "then it is lost, for what was seen first: %s",
       uv_strerror(e.why));

    open_end();
    tw_wire_pause(&e.wire, true);
    hang_up("why");
    ok(tw_wire_write(&e.wire, "x", 1) == UV_ECONNRESET && !e.was_lost,
       "where nothing is read, that is said at once");
    lost(&e.wire, UV_ECONNRESET, NULL);
    end_it();
    return tap_done();
}
