/* net.c - listening, and names for the two ends of a connection.
 *
 * Layer host/run.  Thread: see net.h.
 */
#include "run/net.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { KEEPALIVE_S = 30, HOST_MAX = 255 };

/* As many as a port has sessions: all call again at once when it has been away, and who
 * finds no place in line tries again a second later, then three. */
enum { BACKLOG = 4096 };

void tw_net_name(const char *host, uint16_t port, char out[TW_NET_NAME])
{
    snprintf(out, TW_NET_NAME, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
    return ntohs(a->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
                 : ((const struct sockaddr_in *)a)->sin_port);
}

void tw_net_peer_name(const uv_tcp_t *tcp, char out[TW_NET_NAME])
{
    struct sockaddr_storage a;
    char host[INET6_ADDRSTRLEN] = "a peer that has gone";
    int n = sizeof a;

    memset(&a, 0, sizeof a);
    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&a, &n) == 0) {
        if (a.ss_family == AF_INET6)
            uv_ip6_name((const struct sockaddr_in6 *)&a, host, sizeof host);
        else
            uv_ip4_name((const struct sockaddr_in *)&a, host, sizeof host);
    }
    tw_net_name(host, port_of(&a), out);
}

bool tw_net_is_loop(const uv_tcp_t *tcp)
{
    struct sockaddr_storage own, peer;
    int n_own = sizeof own, n_peer = sizeof peer;

    memset(&own, 0, sizeof own);
    memset(&peer, 0, sizeof peer);
    return uv_tcp_getsockname(tcp, (struct sockaddr *)&own, &n_own) == 0
        && uv_tcp_getpeername(tcp, (struct sockaddr *)&peer, &n_peer) == 0
        && n_own == n_peer && memcmp(&own, &peer, (size_t)n_own) == 0;
}

bool tw_net_is_host(const char *host)
{
    size_t n = strlen(host);

    return n > 0 && n <= HOST_MAX && host[strcspn(host, " \t\r\n")] == 0;
}

int tw_net_listen(uv_loop_t *loop, uv_tcp_t *tcp, const char *host, uint16_t *port,
                  uv_connection_cb on_connection, struct tw_error *error)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE };
    struct sockaddr_storage bound;
    int rc, n = sizeof bound;
    char service[8], name[TW_NET_NAME];
    uv_getaddrinfo_t lookup = { .addrinfo = NULL };

    if (!host) host = "127.0.0.1";
    tw_net_name(host, *port, name);
    snprintf(service, sizeof service, "%u", *port);
    rc = uv_getaddrinfo(loop, &lookup, NULL, host, service, &hints);
    if (rc < 0) goto fail;
    rc = uv_tcp_init(loop, tcp);
    if (rc == 0) rc = uv_tcp_bind(tcp, lookup.addrinfo->ai_addr, 0);
    if (rc == 0) rc = uv_listen((uv_stream_t *)tcp, BACKLOG, on_connection);
    if (rc == 0) rc = uv_tcp_getsockname(tcp, (struct sockaddr *)&bound, &n);
    if (rc < 0) goto fail;
    uv_freeaddrinfo(lookup.addrinfo);
    *port = port_of(&bound);
    return TW_OK;
fail:
    uv_freeaddrinfo(lookup.addrinfo);
    return tw_fail(error, rc, "cannot listen on %s: %s", name, tw_strerror(rc));
}

static void free_handle(uv_handle_t *tcp)
{
    tw_free(tcp);
}

int tw_net_refuse(uv_stream_t *server, char name[TW_NET_NAME])
{
    uv_tcp_t *tcp = tw_calloc(1, sizeof *tcp);

    if (!tcp) return UV_ENOMEM;
    uv_tcp_init(server->loop, tcp);
    uv_accept(server, (uv_stream_t *)tcp);
    tw_net_peer_name(tcp, name);
    uv_close((uv_handle_t *)tcp, free_handle);
    return TW_OK;
}

void tw_net_tune(uv_tcp_t *tcp)
{
    uv_tcp_nodelay(tcp, 1);
    uv_tcp_keepalive(tcp, 1, KEEPALIVE_S);
}

void tw_net_close(void *handle)
{
    uv_handle_t *h = handle;

    if (h->type != UV_UNKNOWN_HANDLE && !uv_is_closing(h)) uv_close(h, NULL);
}
