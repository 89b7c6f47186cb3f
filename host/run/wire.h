/* wire.h - one TCP connection as bytes in and out, with TLS or without.
 *
 * The socket is its owner's, who opens and closes it.  What does not go out at once is
 * kept here, up to a bound, and then in the hands of who wants to write it.
 *
 * Layer host/run.  Thread: the loop's.  Blocks: never.
 */
#ifndef TW_WIRE_H
#define TW_WIRE_H

#include "run/net.h"
#include "run/tls.h"

struct tw_wire;

struct tw_wire_ops {
    char *(*room)(struct tw_wire *w, size_t *n);  /* where what comes goes; never none */
    void (*took)(struct tw_wire *w, size_t n);    /* it is there; may close the wire   */
    void (*ready)(struct tw_wire *w);     /* bytes have gone, or TLS stands            */
    void (*lost)(struct tw_wire *w, int why, const char *text);   /* to be closed      */
};

struct tw_wire {
    uv_tcp_t *tcp;                /* NULL: it is not open                   */
    const struct tw_wire_ops *ops;
    void *owner;
    struct tw_tls *tls;           /* NULL: none                             */
    char *sealed;                 /* what TLS is to read                    */
    bool greeted;                 /* TLS stands, as `ready` was told        */
    uv_write_t request;
    char *copy;                   /* in libuv's hands: so many bytes of it  */
    size_t writing;
    bool paused;                  /* nothing is read                        */
    int broken;                   /* why nothing can be written; 0: it can  */
};

/* Reads from now on.  tls is the wire's, and NULL: none.  Errors: UV codes; it is to be
 * closed then. */
int tw_wire_open(struct tw_wire *w, uv_tcp_t *tcp, struct tw_tls *tls,
                 const struct tw_wire_ops *ops, void *owner);

/* How many of the bytes it took, or why it is lost. */
int64_t tw_wire_write(struct tw_wire *w, const char *p, size_t n);

/* Nothing is read meanwhile. */
void tw_wire_pause(struct tw_wire *w, bool paused);

/* All that it took has gone. */
bool tw_wire_is_idle(const struct tw_wire *w);

/* Bytes may go: without TLS at once. */
bool tw_wire_is_up(const struct tw_wire *w);

/* All was written: TLS says so to the peer. */
void tw_wire_goodbye(struct tw_wire *w);

/* Nothing is called any more.  Its memory stays until the socket is closed. */
void tw_wire_close(struct tw_wire *w);

/* When the socket is closed.  Safe on memory of zeros. */
void tw_wire_fini(struct tw_wire *w);

#endif
