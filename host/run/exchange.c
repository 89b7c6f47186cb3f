/* exchange.c - a synthetic exchange: serves a made-up market as FIX over TCP.
 *
 * Why a queue of its own per session and no list of writes: a session that
 * reads slower than the market moves needs a bound, and one buffer of that
 * size is it.  Its pages take no memory before the peer falls behind.
 *
 * Layout of a session's queue:
 *
 *   | in libuv's hands | waits        | room              |
 *   0                writing          n               QUEUE_BYTES
 *
 * Invariants
 *   E1  A session gets the updates of a symbol only after its snapshot, and
 *       every one from there on.
 *   E2  Bytes in libuv's hands do not move.
 *   E3  Messages reach a session whole and numbered 1, 2, 3, ..., up to where
 *       it is cut off.
 *
 * Layer host/run.  Thread: see each function in exchange.h; the loop's own
 * callbacks FEED.
 */
#include "run/exchange.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "feed/fix.h"
#include "run/counter.h"
#include "run/net.h"
#include "run/pace.h"
#include "run/pump.h"
#include "run/thread.h"

enum {
    QUEUE_BYTES = 4 << 20,
    WRITE_BYTES = 256 << 10,    /* at most in libuv's hands          */
    STEP = 256,                 /* records between two turns         */
    SCRATCH_BYTES = 4096
};

struct session {
    struct tw_exchange *e;
    uv_tcp_t tcp;
    uv_write_t request;
    struct tw_fix_writer writer;
    uint32_t next;                  /* its next snapshot is of this symbol   */
    bool leaving;                   /* has all it gets; closed when it is out */
    char *queue;
    size_t n, writing;
    unsigned place;                 /* in the exchange's sessions            */
    char name[TW_NET_NAME];
};

struct tw_exchange {
    struct tw_log *log;             /* constant                              */
    uint64_t limit;                 /* constant                              */
    uint16_t port;                  /* constant after start                  */
    char begin_string[16];          /* constant                              */
    uv_loop_t loop;                 /* owner: FEED while there is a thread   */
    uv_tcp_t server;
    uv_async_t quit;                /* MAIN sends                            */
    struct tw_thread thread;
    struct tw_pump pump TW_OWNED(FEED);
    struct tw_symbols *symbols;     /* constant                              */
    struct tw_synthetic *market;    /* owner: FEED while there is a thread   */
    struct tw_quote *last;          /* owner: likewise; by symbol            */
    struct tw_pace pace;            /* owner: likewise                       */
    struct session *sessions[TW_NET_PEERS] TW_OWNED(FEED);
    unsigned count TW_OWNED(FEED);
    _Atomic uint64_t sent;          /* atomic: FEED adds, all load           */
    char scratch[SCRATCH_BYTES];    /* what peers say is not looked at       */
};

static const char who[] = "exchange";

/* ---- the market ---- */

static void move(struct tw_exchange *e, struct tw_record *r)
{
    tw_synthetic_next(e->market, r);
    if (r->kind == TW_QUOTE) e->last[r->symbol] = r->quote;
}

/* Before it opens, so that there is a quote to begin with: of every symbol in
 * a small market, of the busier ones in a big one. */
static void warm_up(struct tw_exchange *e)
{
    uint32_t count = tw_symbols_count(e->symbols), quoted = 0;
    struct tw_record r;

    for (uint64_t i = 0; i < 1000 + UINT64_C(16) * count && quoted < count; i++) {
        tw_synthetic_next(e->market, &r);
        if (r.kind != TW_QUOTE) continue;
        quoted += e->last[r.symbol].ask == 0;
        e->last[r.symbol] = r.quote;
    }
}

/* ---- sessions ---- */

static void free_session(uv_handle_t *tcp)
{
    struct session *s = tcp->data;

    tw_unmap(s->queue, QUEUE_BYTES);
    tw_free(s);
}

static void TW_ON(FEED) leave(struct session *s)
{
    struct tw_exchange *e = s->e;

    e->sessions[s->place] = e->sessions[--e->count];
    e->sessions[s->place]->place = s->place;
    uv_close((uv_handle_t *)&s->tcp, free_session);
    tw_pump_go(&e->pump);   /* the others may have waited for this one */
}

/* A peer that hangs up is no news. */
static void TW_ON(FEED) lose(struct session *s, int why)
{
    if (why != UV_EOF && why != UV_ECONNRESET && why != UV_EPIPE)
        tw_log_printf(s->e->log, TW_LOG_INFO, who, "lost %s: %s", s->name,
                      tw_strerror(why));
    leave(s);
}

/* Takes the length of a message just written behind the queue, or the error
 * that there was no room for it. */
static void TW_ON(FEED) queued(struct session *s, int64_t length)
{
    struct tw_exchange *e = s->e;

    if (length < 0) {
        tw_log_printf(e->log, TW_LOG_WARN, who, "cut off %s: it does not read and "
                      "%d MiB wait for it", s->name, QUEUE_BYTES >> 20);
        leave(s);
        return;
    }
    s->n += (size_t)length;
    tw_counter_add(&e->sent, 1);
    s->leaving = e->limit > 0 && s->writer.seq > e->limit;
}

static void TW_ON(FEED) add_snapshots(struct session *s, int64_t sending_ns)
{
    struct tw_exchange *e = s->e;
    uint32_t count = tw_symbols_count(e->symbols);

    for (; s->next <= count && s->n < WRITE_BYTES && !s->leaving; s->next++)
        if (e->last[s->next].ask != 0)
            queued(s, tw_fix_write_snapshot(
                &s->writer, tw_symbols_name(e->symbols, s->next), &e->last[s->next],
                sending_ns, s->queue + s->n, QUEUE_BYTES - s->n));
}

static void TW_ON(FEED) add(struct session *s, const struct tw_record *r,
                            int64_t sending_ns)
{
    const char *symbol = tw_symbols_name(s->e->symbols, r->symbol);
    char *out = s->queue + s->n;
    size_t room = QUEUE_BYTES - s->n;
    int64_t n;

    if (r->symbol >= s->next || s->leaving) return;   /* E1 */
    if (r->kind == TW_TRADE)
        n = tw_fix_write_trade(&s->writer, symbol, &r->trade, sending_ns, out, room);
    else
        n = tw_fix_write_update(&s->writer, symbol, &r->quote, sending_ns, out, room);
    queued(s, n);
}

static void TW_ON(FEED) flush(struct session *s);

static void TW_ON(FEED) written(struct session *s, size_t n)
{
    s->n -= n;
    memmove(s->queue, s->queue + n, s->n);
    if (s->n > 0) return;
    if (s->leaving) {
        tw_log_printf(s->e->log, TW_LOG_INFO, who, "hung up on %s after %llu messages",
                      s->name, (unsigned long long)s->writer.seq - 1);
        leave(s);
    } else if (s->e->pace.speed <= 0) {
        tw_pump_go(&s->e->pump);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct session *s = request->data;
    size_t n = s->writing;

    tw_be_feed();
    if (uv_is_closing((uv_handle_t *)&s->tcp)) return;
    s->writing = 0;
    if (status < 0) {
        lose(s, status);
        return;
    }
    written(s, n);
    if (s->n > 0) flush(s);
}

static void flush(struct session *s)
{
    uv_stream_t *stream = (uv_stream_t *)&s->tcp;
    uv_buf_t all = uv_buf_init(s->queue, (unsigned)s->n), part;
    int rc;

    if (s->writing > 0 || s->n == 0) return;   /* E2 */
    rc = uv_try_write(stream, &all, 1);
    if (rc < 0 && rc != UV_EAGAIN) {
        lose(s, rc);
        return;
    }
    if (rc > 0) written(s, (size_t)rc);
    if (rc > 0 && (unsigned)rc == all.len) return;
    s->writing = s->n < WRITE_BYTES ? s->n : WRITE_BYTES;
    part = uv_buf_init(s->queue, (unsigned)s->writing);
    s->request.data = s;
    rc = uv_write(&s->request, stream, &part, 1, on_written);
    if (rc < 0) lose(s, rc);
}

/* At speed 0 the market moves once all sessions have what there was. */
static bool TW_ON(FEED) is_held(const struct tw_exchange *e)
{
    for (unsigned i = 0; i < e->count; i++)
        if (e->pace.speed <= 0 && e->sessions[i]->n > 0) return true;
    return false;
}

/* Sessions may leave within: hence from the last to the first. */
static int64_t step(void *arg)
{
    struct tw_exchange *e = arg;
    int64_t sending_ns = tw_clock_now_ns(), now = tw_clock_steady_ns(), wait_ns = 0;
    struct tw_record r;

    tw_be_feed();
    if (e->count == 0) {
        e->pace.first_ns = 0;   /* the clock begins anew with the next peer */
        return TW_PUMP_REST;
    }
    if (is_held(e)) return TW_PUMP_REST;
    for (unsigned i = e->count; i-- > 0;) add_snapshots(e->sessions[i], sending_ns);
    for (int n = 0; n < STEP && e->count > 0; n++) {
        wait_ns = tw_pace_wait(&e->pace, tw_synthetic_time(e->market), now);
        if (wait_ns > 0) break;
        move(e, &r);
        for (unsigned i = e->count; i-- > 0;) add(e->sessions[i], &r, sending_ns);
    }
    for (unsigned i = e->count; i-- > 0;) flush(e->sessions[i]);
    return wait_ns;
}

static void on_alloc(uv_handle_t *tcp, size_t suggested, uv_buf_t *out)
{
    struct session *s = tcp->data;

    (void)suggested;
    *out = uv_buf_init(s->e->scratch, SCRATCH_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    tw_be_feed();
    if (n < 0) lose(stream->data, (int)n);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct tw_exchange *e = server->data;
    struct session *s = NULL;
    char *queue = NULL, name[TW_NET_NAME];
    int rc = status;

    tw_be_feed();
    if (rc == 0 && e->count == TW_NET_PEERS) {
        rc = tw_net_refuse(server, name);
        if (rc == 0) {
            tw_log_printf(e->log, TW_LOG_WARN, who, "refused %s: %d peers already",
                          name, TW_NET_PEERS);
            return;
        }
    }
    if (rc == 0) {
        s = tw_calloc(1, sizeof *s);
        queue = tw_map(QUEUE_BYTES, false);
        if (!s || !queue) rc = UV_ENOMEM;
    }
    if (rc < 0) {
        tw_free(s);
        tw_unmap(queue, QUEUE_BYTES);
        tw_log_printf(e->log, TW_LOG_ERROR, who, "cannot take a peer: %s",
                      tw_strerror(rc));
        return;
    }
    *s = (struct session){
        .e = e, .queue = queue, .next = 1, .place = e->count,
        .writer = { e->begin_string, "TIDEWIRE", "CLIENT", 1 },
    };
    uv_tcp_init(&e->loop, &s->tcp);
    s->tcp.data = s;
    e->sessions[e->count++] = s;
    rc = uv_accept(server, (uv_stream_t *)&s->tcp);
    tw_net_peer_name(&s->tcp, s->name);
    tw_net_tune(&s->tcp);
    if (rc == 0) rc = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
    if (rc < 0) {
        lose(s, rc);
        return;
    }
    tw_log_printf(e->log, TW_LOG_INFO, who, "%s connected", s->name);
    tw_pump_go(&e->pump);
}

/* ---- start and end ---- */

static void on_quit(uv_async_t *quit)
{
    struct tw_exchange *e = quit->data;

    tw_be_feed();
    while (e->count > 0) leave(e->sessions[e->count - 1]);
    tw_pump_close(&e->pump);
    uv_close((uv_handle_t *)&e->server, NULL);
    uv_close((uv_handle_t *)quit, NULL);
}

static void run(void *arg)
{
    struct tw_exchange *e = arg;

    tw_be_feed();
    tw_pump_start(&e->pump, &e->loop, step, e);
    uv_run(&e->loop, UV_RUN_DEFAULT);
}

static int open_market(struct tw_exchange *e, const struct tw_exchange_options *o)
{
    struct tw_synthetic_options synthetic = o->synthetic;

    e->symbols = tw_symbols_new(TW_SYMBOL_MAX);
    if (!e->symbols) return UV_ENOMEM;
    synthetic.symbols = e->symbols;
    if (synthetic.start_ns == 0) synthetic.start_ns = tw_clock_now_ns();
    e->market = tw_synthetic_new(&synthetic);
    e->last = tw_calloc(tw_symbols_count(e->symbols) + 1, sizeof *e->last);
    if (!e->market || !e->last) return UV_ENOMEM;
    warm_up(e);
    return TW_OK;
}

static void free_exchange(struct tw_exchange *e)
{
    tw_synthetic_free(e->market);
    tw_symbols_free(e->symbols);
    tw_free(e->last);
    tw_free(e);
}

struct tw_exchange *tw_exchange_start(const struct tw_exchange_options *o,
                                      struct tw_error *error)
{
    struct tw_exchange *e = tw_calloc(1, sizeof *e);
    int rc = UV_ENOMEM;

    if (e) rc = uv_loop_init(&e->loop);
    if (rc < 0) {
        tw_fail(error, rc, "cannot start the exchange: %s", tw_strerror(rc));
        tw_free(e);
        return NULL;
    }
    e->log = o->log;
    e->limit = o->limit;
    e->port = o->port;
    e->pace.speed = o->speed;
    snprintf(e->begin_string, sizeof e->begin_string, "%s",
             o->begin_string ? o->begin_string : "FIX.4.4");
    e->server.data = e->quit.data = e;
    rc = open_market(e, o);
    if (rc < 0) {
        tw_fail(error, rc, "no memory for a market of %u symbols", o->synthetic.universe);
        goto fail;
    }
    rc = tw_net_listen(&e->loop, &e->server, o->host, &e->port, on_connection, error);
    if (rc < 0) goto fail;
    rc = uv_async_init(&e->loop, &e->quit, on_quit);
    e->thread.waiting = o->waiting;
    e->thread.ctx = o->ctx;
    if (rc == 0) rc = tw_thread_start(&e->thread, "tw-exchange", run, e);
    if (rc == 0) return e;
    tw_fail(error, rc, "cannot start the exchange: %s", tw_strerror(rc));
fail:
    tw_net_close(&e->server);
    tw_net_close(&e->quit);
    uv_run(&e->loop, UV_RUN_DEFAULT);
    uv_loop_close(&e->loop);
    free_exchange(e);
    return NULL;
}

void tw_exchange_stop(struct tw_exchange *e)
{
    int rc;

    if (!e) return;
    uv_async_send(&e->quit);
    tw_thread_join(&e->thread);
    rc = uv_loop_close(&e->loop);
    assert(rc == 0);
    (void)rc;
    free_exchange(e);
}

uint16_t tw_exchange_port(const struct tw_exchange *e)
{
    return e->port;
}

uint64_t tw_exchange_sent(const struct tw_exchange *e)
{
    return tw_counter_get(&e->sent);
}

int64_t tw_exchange_cpu_ns(const struct tw_exchange *e)
{
    return tw_thread_cpu_ns(&e->thread);
}
