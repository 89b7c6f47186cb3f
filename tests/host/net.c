/* net.c - who knocks while the loop is busy stands in line: all sessions of a port call
 * again at once when it has been away. */
#include "run/net.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "tap.h"

enum { CALLERS = 400, PATIENCE_MS = 500 };

/* Connections that the system lets wait at a port, at most. */
static int most_in_line(void)
{
    FILE *f = fopen("/proc/sys/net/core/somaxconn", "r");
    int n = 0;

    if (f && fscanf(f, "%d", &n) != 1) n = 0;
    if (f) fclose(f);
    return n;
}

static void on_connection(uv_stream_t *server, int status)
{
    (void)server, (void)status;
}

static bool is_through(int fd, const struct sockaddr_in *to)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    if (fd < 0) return false;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return connect(fd, (const struct sockaddr *)to, sizeof *to) == 0
        || (poll(&p, 1, PATIENCE_MS) == 1 && !(p.revents & (POLLERR | POLLHUP)));
}

static void many_at_once(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct tw_error error;
    int fd[CALLERS], n = 0;
    uint16_t port = 0;
    uv_loop_t loop;
    uv_tcp_t tcp;

    uv_loop_init(&loop);
    ok(tw_net_listen(&loop, &tcp, NULL, &port, on_connection, &error) == TW_OK, "a port");
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    while (n < CALLERS && is_through(fd[n] = socket(AF_INET, SOCK_STREAM, 0), &to)) n++;
    ok(n == CALLERS, "%d of %d are connected before anybody looks", n, CALLERS);
    for (int i = 0; i < CALLERS && i <= n; i++) close(fd[i]);
    tw_net_close(&tcp);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

int main(void)
{
    if (most_in_line() < CALLERS) ok(1, "few may wait at a port # SKIP");
    else many_at_once();
    return tap_done();
}
