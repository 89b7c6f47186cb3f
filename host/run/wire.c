/* wire.c - one TCP connection as bytes in and out, with TLS or without.
 *
 * Layer host/run.  Thread: the loop's.
 */
#include "run/wire.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { COPY_BYTES = 64 << 10, SEALED_BYTES = 32 << 10 };

bool tw_wire_is_up(const struct tw_wire *w)
{
    return w->tcp && (!w->tls || tw_tls_state(w->tls) == TW_TLS_UP);
}

bool tw_wire_is_idle(const struct tw_wire *w)
{
    const char *p;
    size_t n = 0;

    if (w->tls) tw_tls_output(w->tls, &p, &n);
    return n == 0 && w->writing == 0;
}

void tw_wire_close(struct tw_wire *w)
{
    if (w->tcp && !uv_is_closing((uv_handle_t *)w->tcp))
        uv_read_stop((uv_stream_t *)w->tcp);
    w->tcp = NULL;
    tw_tls_free(w->tls);
    w->tls = NULL;
    tw_free(w->sealed);   /* a session that was removed would keep it */
    w->sealed = NULL;
}

void tw_wire_fini(struct tw_wire *w)
{
    tw_wire_close(w);
    tw_free(w->copy);
    w->copy = NULL;
}

/* ---- out ---- */

static void on_written(uv_write_t *request, int status);

/* A peer that has hung up may have said why before, in bytes that wait here: they are
 * read first, and behind them is the end.  False: nobody reads. */
static bool is_read_first(struct tw_wire *w, int why)
{
    if (w->paused || (why != UV_EPIPE && why != UV_ECONNRESET)) return false;
    w->broken = why;
    return true;
}

/* How many of the bytes went out, or are in libuv's hands. */
static int64_t send_bytes(struct tw_wire *w, const char *p, size_t n)
{
    uv_buf_t buffer = uv_buf_init((char *)p, (unsigned)n);
    size_t done = 0;
    int rc;

    if (w->writing > 0 || n == 0 || w->broken < 0) return 0;
    rc = uv_try_write((uv_stream_t *)w->tcp, &buffer, 1);
    if (rc < 0 && rc != UV_EAGAIN) return is_read_first(w, rc) ? 0 : rc;
    if (rc > 0) done = (size_t)rc;
    if (done == n) return (int64_t)n;
    if (!w->copy) w->copy = tw_calloc(1, COPY_BYTES);
    if (!w->copy) return UV_ENOMEM;
    w->writing = n - done < COPY_BYTES ? n - done : COPY_BYTES;
    memcpy(w->copy, p + done, w->writing);
    buffer = uv_buf_init(w->copy, (unsigned)w->writing);
    w->request.data = w;
    rc = uv_write(&w->request, (uv_stream_t *)w->tcp, &buffer, 1, on_written);
    if (rc < 0) w->writing = 0;
    return rc < 0 ? rc : (int64_t)(done + w->writing);
}

/* What TLS has for the wire. */
static int send_sealed(struct tw_wire *w)
{
    const char *p;
    int64_t done;
    size_t n;

    do {
        tw_tls_output(w->tls, &p, &n);
        done = send_bytes(w, p, n);
        if (done > 0) tw_tls_written(w->tls, (size_t)done);
    } while (done > 0);
    return (int)done;
}

int64_t tw_wire_write(struct tw_wire *w, const char *p, size_t n)
{
    size_t done = 0, more;
    int rc;

    if (!w->tls) return send_bytes(w, p, n);
    do {
        more = tw_tls_write(w->tls, p + done, n - done);
        done += more;
        rc = send_sealed(w);
        if (rc < 0) return rc;
    } while (more > 0 && done < n);
    return (int64_t)done;
}

void tw_wire_goodbye(struct tw_wire *w)
{
    if (!w->tls) return;
    tw_tls_close(w->tls);
    send_sealed(w);
}

static void on_written(uv_write_t *request, int status)
{
    struct tw_wire *w = request->data;
    int rc = status;

    w->writing = 0;
    if (!w->tcp || (rc < 0 && is_read_first(w, rc))) return;
    if (rc == 0 && w->tls) rc = send_sealed(w);
    if (rc < 0) w->ops->lost(w, rc, NULL);
    else w->ops->ready(w);
}

/* ---- in ---- */

static void on_alloc(uv_handle_t *tcp, size_t suggested, uv_buf_t *out)
{
    struct tw_wire *w = tcp->data;
    size_t n = SEALED_BYTES;

    (void)suggested;
    out->base = w->tls ? w->sealed : w->ops->room(w, &n);
    out->len = n;
}

/* Hands on what TLS has opened; false: the wire was closed. */
static bool open_sealed(struct tw_wire *w)
{
    size_t n, room;
    char *p;

    do {
        p = w->ops->room(w, &room);
        n = tw_tls_read(w->tls, p, room);
        if (n > 0) w->ops->took(w, n);
    } while (n > 0 && w->tls);
    return w->tls != NULL;
}

/* TLS has failed; what it says outlives it, as the owner closes the wire. */
static void fail(struct tw_wire *w, int why)
{
    char text[500];

    snprintf(text, sizeof text, "%s", tw_tls_why(w->tls));
    w->ops->lost(w, why, text);
}

/* After bytes came: says what became of TLS. */
static void look(struct tw_wire *w)
{
    int rc = send_sealed(w);
    enum tw_tls_state state = tw_tls_state(w->tls);

    if (rc < 0) {
        w->ops->lost(w, rc, NULL);
    } else if (state == TW_TLS_FAILED) {
        fail(w, UV_EPROTO);
    } else if (state == TW_TLS_CLOSED) {
        w->ops->lost(w, UV_EOF, NULL);
    } else if (state == TW_TLS_UP && !w->greeted) {
        w->greeted = true;
        w->ops->ready(w);
    }
}

static void take_sealed(struct tw_wire *w, const char *p, size_t n)
{
    while (n > 0) {
        size_t used = tw_tls_receive(w->tls, p, n);

        if (tw_tls_state(w->tls) == TW_TLS_UP && !w->greeted) look(w);
        if (!w->tls || !open_sealed(w)) return;
        p += used;
        n -= used;
    }
    look(w);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct tw_wire *w = stream->data;

    if (n == 0 || !w->tcp) return;
    if (n == UV_EOF && w->broken < 0) n = w->broken;
    if (n > 0 && w->tls) {
        take_sealed(w, buffer->base, (size_t)n);
    } else if (n > 0) {
        w->ops->took(w, (size_t)n);
    } else {
        if (w->tls) tw_tls_ended(w->tls);
        if (w->tls && n == UV_EOF && tw_tls_state(w->tls) == TW_TLS_FAILED)
            fail(w, (int)n);
        else w->ops->lost(w, (int)n, NULL);
    }
}

void tw_wire_pause(struct tw_wire *w, bool paused)
{
    uv_stream_t *stream = (uv_stream_t *)w->tcp;

    w->paused = paused;
    if (paused) uv_read_stop(stream);
    else uv_read_start(stream, on_alloc, on_read);
}

int tw_wire_open(struct tw_wire *w, uv_tcp_t *tcp, struct tw_tls *tls,
                 const struct tw_wire_ops *ops, void *owner)
{
    int rc;

    w->tcp = tcp;
    w->tls = tls;
    w->ops = ops;
    w->owner = owner;
    w->greeted = w->paused = false;
    w->writing = 0;
    w->broken = 0;
    tcp->data = w;
    if (tls && !w->sealed) w->sealed = tw_calloc(1, SEALED_BYTES);
    if (tls && !w->sealed) return UV_ENOMEM;
    rc = uv_read_start((uv_stream_t *)tcp, on_alloc, on_read);
    if (rc == 0 && tls) rc = send_sealed(w);
    return rc;
}
