/* net.h - listening, and names for the two ends of a connection.
 *
 * Layer host/run.
 */
#ifndef TW_NET_H
#define TW_NET_H

#include <uv.h>

#include "base/tw.h"

enum { TW_NET_NAME = 272, TW_NET_PEERS = 64 };   /* bytes of a name; peers of a port */

/* "127.0.0.1:9878", "[::1]:80".  Thread: any.  Blocks: no. */
void tw_net_name(const char *host, uint16_t port, char out[TW_NET_NAME]);

/* The name of the other end.  Thread: the loop's.  Blocks: no. */
void tw_net_peer_name(const uv_tcp_t *tcp, char out[TW_NET_NAME]);

/* True where both ends are this very socket: who asks for a port that nobody listens at,
 * and that it may be given itself, is connected to itself once in many thousand times.
 * Thread: the loop's.  Blocks: no. */
bool tw_net_is_loop(const uv_tcp_t *tcp);

/* True for a host of 1 to 255 bytes without a blank.  Thread: any. */
bool tw_net_is_host(const char *host);

/* Makes tcp a handle of loop that listens on host (NULL: 127.0.0.1) and *port
 * (0: a free one), and sets *port to what it got.  On failure *error says why,
 * and tcp, if it has a type, is to be closed.
 * Thread: the loop's, or MAIN before it runs.  Blocks: on looking up a name. */
int tw_net_listen(uv_loop_t *loop, uv_tcp_t *tcp, const char *host, uint16_t *port,
                  uv_connection_cb on_connection, struct tw_error *error);

/* Accepts who knocks at server and hangs up; name: who it was.  UV_ENOMEM: it
 * still stands there.  Thread: the loop's. */
int tw_net_refuse(uv_stream_t *server, char name[TW_NET_NAME]);

/* No delay, keepalive: for each connection.  Thread: the loop's. */
void tw_net_tune(uv_tcp_t *tcp);

/* Closes a handle unless it is closing, or zeroed and never was open.
 * Thread: the loop's.  Blocks: no. */
void tw_net_close(void *handle);

#endif
