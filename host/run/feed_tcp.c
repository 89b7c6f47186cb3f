/* feed_tcp.c - feeds over TCP: one that connects, one that is connected to.
 *
 * Why the delay grows: a market that went down for a minute must be found
 * again within a second, and one that is gone for the day must not be asked
 * ten times a second.  The jitter keeps a hundred hosts from asking together.
 *
 * Invariants
 *   C1  A connect feed has at most one of: a lookup, a connection (beginning,
 *       open or closing), a wait.  Each ends in the next.
 *   C2  The delay starts anew only once bytes came: a peer that accepts and
 *       hangs up at once is not asked more often than one that refuses.
 *   C3  What a cut connection left of a message never meets the bytes of the
 *       next one: tw_reader_end comes between.
 *
 * Layer host/run.  Thread: open, bind and free MAIN, all else FEED.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "run/feed.h"
#include "run/net.h"

enum { DELAY_MIN_MS = 100, DELAY_MAX_MS = 10000, CONNECT_MS = 10000 };

/* ---- connect ---- */

struct dial {
    struct tw_feed feed;
    struct tw_reader reader;
    char where[TW_NET_NAME];         /* constant: host:port                   */
    uv_getaddrinfo_t lookup;
    struct addrinfo *found, *next;   /* what the lookup gave; not yet tried   */
    uv_tcp_t tcp;
    uv_connect_t request;
    uv_timer_t timer;                /* the wait, or the end of our patience  */
    bool live, spoke;                /* it was connected; bytes came          */
    bool told;                       /* that it can't connect                 */
    int why;                         /* why the last connection ended         */
    uint64_t delay_ms;
};

static void dial_next(struct dial *d) TW_ON(FEED);
static void look_up(struct dial *d) TW_ON(FEED);

static int connect_open(struct tw_feed *f, struct tw_error *error)
{
    struct dial *d = (struct dial *)f;

    tw_net_name(f->o.host ? f->o.host : "127.0.0.1", f->port, d->where);
    d->delay_ms = DELAY_MIN_MS;
    return tw_reader_init(&d->reader, f, "", error);
}

static void forget_found(struct dial *d)
{
    uv_freeaddrinfo(d->found);
    d->found = d->next = NULL;
}

static void connect_free(struct tw_feed *f)
{
    struct dial *d = (struct dial *)f;

    forget_found(d);
    tw_reader_fini(&d->reader);
}

static void connect_close(struct tw_feed *f)
{
    struct dial *d = (struct dial *)f;

    uv_cancel((uv_req_t *)&d->lookup);   /* refused when there is none */
    tw_net_close(&d->tcp, NULL);
    tw_net_close(&d->timer, NULL);
}

static void on_wait_over(uv_timer_t *timer)
{
    tw_be_feed();
    look_up(timer->data);
}

/* Between three and five quarters of ms. */
static uint64_t jitter(uint64_t ms)
{
    uint32_t x = 0;

    uv_random(NULL, NULL, &x, sizeof x, 0, NULL);
    return ms - ms / 4 + x % (ms / 2 + 1);
}

/* C1: nothing is open; says why and waits. */
static void TW_ON(FEED) wait_and_retry(struct dial *d)
{
    struct tw_feed *f = &d->feed;
    char text[TW_NET_NAME + 160];
    uint64_t delay_ms;

    if (d->spoke) d->delay_ms = DELAY_MIN_MS;   /* C2 */
    delay_ms = jitter(d->delay_ms);
    d->delay_ms = d->delay_ms * 2 < DELAY_MAX_MS ? d->delay_ms * 2 : DELAY_MAX_MS;
    snprintf(text, sizeof text, "%s %s: %s; next try in %.1f s%s",
             d->live ? "lost" : "cannot connect to", d->where,
             d->why == UV_EOF ? "closed by the peer" : tw_strerror(d->why),
             (double)delay_ms / 1000,
             d->live ? "" : ", later ones further apart and without a line");
    if (d->live || !d->told) tw_log_printf(f->io->o.log, TW_LOG_WARN, f->who, "%s", text);
    d->told = !d->live;
    uv_timer_start(&d->timer, on_wait_over, delay_ms, 0);
    if (d->live) tw_feed_enter(f, TW_FEED_WAITING, text);
    d->live = d->spoke = false;
}

static void on_closed(uv_handle_t *tcp)
{
    struct dial *d = tcp->data;

    tw_be_feed();
    if (d->feed.over) return;
    if (d->next) dial_next(d);
    else wait_and_retry(d);
}

static void TW_ON(FEED) hang_up(struct dial *d, int why)
{
    d->why = why;
    d->tcp.data = d;
    uv_timer_stop(&d->timer);
    uv_close((uv_handle_t *)&d->tcp, on_closed);
}

static void on_lost(struct tw_reader *r, int why)
{
    struct dial *d = (struct dial *)r->feed;

    tw_be_feed();
    d->spoke = r->total > 0;
    hang_up(d, why);
}

static void on_patience_over(uv_timer_t *timer)
{
    tw_be_feed();
    hang_up(timer->data, UV_ETIMEDOUT);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct dial *d = request->data;
    struct tw_feed *f = &d->feed;
    char text[TW_NET_NAME + 32];

    tw_be_feed();
    if (uv_is_closing((uv_handle_t *)&d->tcp)) return;   /* patience, or the end */
    uv_timer_stop(&d->timer);
    if (status == 0) {
        tw_net_tune(&d->tcp);
        status = tw_reader_start(&d->reader, (uv_stream_t *)&d->tcp, on_lost);
    }
    if (status < 0) {
        hang_up(d, status);
        return;
    }
    forget_found(d);
    d->live = true;
    tw_counter_add(&f->connects, 1);
    snprintf(text, sizeof text, "connected to %s", d->where);
    tw_log_printf(f->io->o.log, TW_LOG_INFO, f->who, "%s", text);
    tw_feed_enter(f, TW_FEED_LIVE, text);
}

static void dial(struct dial *d, const struct sockaddr *address) TW_ON(FEED)
{
    int rc = uv_tcp_init(&d->feed.io->loop, &d->tcp);

    assert(rc == 0);   /* it makes no socket yet */
    d->request.data = d;
    uv_timer_start(&d->timer, on_patience_over, CONNECT_MS, 0);
    rc = uv_tcp_connect(&d->request, &d->tcp, address, on_connect);
    if (rc < 0) hang_up(d, rc);
}

static void dial_next(struct dial *d)
{
    struct addrinfo *a = d->next;

    d->next = a->ai_next;
    dial(d, a->ai_addr);
}

static void on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct dial *d = lookup->data;

    tw_be_feed();
    d->found = d->next = found;
    if (d->feed.over) return;
    if (status == 0) {
        dial_next(d);
        return;
    }
    d->why = status;
    wait_and_retry(d);
}

static void look_up(struct dial *d)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    const char *host = d->feed.o.host ? d->feed.o.host : "127.0.0.1";
    char port[8];
    int rc;
    union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } a;

    forget_found(d);
    if (uv_ip4_addr(host, d->feed.port, &a.v4) == 0 ||
        uv_ip6_addr(host, d->feed.port, &a.v6) == 0) {
        dial(d, &a.any);
        return;
    }
    d->lookup.data = d;
    snprintf(port, sizeof port, "%u", d->feed.port);
    rc = uv_getaddrinfo(&d->feed.io->loop, &d->lookup, on_found, host, port, &hints);
    if (rc == 0) return;
    d->why = rc;
    wait_and_retry(d);
}

static void connect_start(struct tw_feed *f)
{
    struct dial *d = (struct dial *)f;

    tw_be_feed();
    uv_timer_init(&f->io->loop, &d->timer);
    d->timer.data = d;
    look_up(d);
}

const struct tw_feed_ops tw_feed_connect_ops = {
    sizeof(struct dial), connect_open, NULL, connect_start, connect_close, connect_free,
};

/* ---- listen ---- */

struct peer {
    struct tw_reader reader;
    uv_tcp_t tcp;
    unsigned place;                   /* in the door's peers                   */
    char name[TW_NET_NAME];           /* constant                              */
    char label[TW_NET_NAME + 2];      /* constant: heads the peer's problems   */
};

struct door {
    struct tw_feed feed;
    uv_tcp_t tcp;
    struct peer *peers[TW_NET_PEERS];
    unsigned count;
};

/* Columns that are not known are an error now and not at the first peer. */
static int listen_open(struct tw_feed *f, struct tw_error *error)
{
    struct tw_reader trial;
    int rc = tw_reader_init(&trial, f, "", error);

    tw_reader_fini(&trial);
    return rc;
}

static void listen_free(struct tw_feed *f)
{
    (void)f;
}

static void free_peer(uv_handle_t *tcp)
{
    struct tw_reader *r = tcp->data;
    struct peer *p = (struct peer *)r;

    tw_reader_fini(r);
    tw_free(p);
}

static void listen_close(struct tw_feed *f)
{
    struct door *d = (struct door *)f;

    for (unsigned i = 0; i < d->count; i++)
        uv_close((uv_handle_t *)&d->peers[i]->tcp, free_peer);
    d->count = 0;
    tw_net_close(&d->tcp, NULL);
}

static void TW_ON(FEED) drop_peer(struct door *d, struct peer *p, int why)
{
    struct tw_feed *f = &d->feed;

    tw_log_printf(f->io->o.log, why == UV_EOF ? TW_LOG_INFO : TW_LOG_WARN, f->who,
                  "lost %s: %s", p->name,
                  why == UV_EOF ? "closed by the peer" : tw_strerror(why));
    d->peers[p->place] = d->peers[--d->count];
    d->peers[p->place]->place = p->place;
    uv_close((uv_handle_t *)&p->tcp, free_peer);
}

static void on_peer_lost(struct tw_reader *r, int why)
{
    tw_be_feed();
    drop_peer((struct door *)r->feed, (struct peer *)r, why);
}

static void TW_ON(FEED) refuse(struct door *d)
{
    struct tw_feed *f = &d->feed;
    char name[TW_NET_NAME];

    if (tw_net_refuse((uv_stream_t *)&d->tcp, name) < 0)
        tw_feed_finish(f, TW_FEED_FAILED, "no memory to refuse a peer");
    else
        tw_log_printf(f->io->o.log, TW_LOG_WARN, f->who, "refused %s: %d peers already",
                      name, TW_NET_PEERS);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct door *d = stream->data;
    struct tw_feed *f = &d->feed;
    struct tw_error error;
    struct peer *p;
    int rc;

    tw_be_feed();
    if (status < 0) {
        tw_log_printf(f->io->o.log, TW_LOG_WARN, f->who, "cannot take a peer: %s",
                      tw_strerror(status));
        return;
    }
    if (d->count == TW_NET_PEERS) {
        refuse(d);
        return;
    }
    p = tw_calloc(1, sizeof *p);
    if (!p || tw_reader_init(&p->reader, f, p->label, &error) < 0) {
        if (p) tw_reader_fini(&p->reader);
        tw_free(p);
        tw_feed_finish(f, TW_FEED_FAILED, "no memory for a peer");
        return;
    }
    uv_tcp_init(&f->io->loop, &p->tcp);
    p->tcp.data = &p->reader;
    p->place = d->count;
    d->peers[d->count++] = p;
    rc = uv_accept(stream, (uv_stream_t *)&p->tcp);
    tw_net_peer_name(&p->tcp, p->name);
    snprintf(p->label, sizeof p->label, "%s: ", p->name);
    tw_net_tune(&p->tcp);
    if (rc == 0) rc = tw_reader_start(&p->reader, (uv_stream_t *)&p->tcp, on_peer_lost);
    if (rc < 0) {
        drop_peer(d, p, rc);
        return;
    }
    tw_counter_add(&f->connects, 1);
    tw_log_printf(f->io->o.log, TW_LOG_INFO, f->who, "%s connected", p->name);
}

static int listen_bind(struct tw_feed *f, struct tw_error *error)
{
    struct door *d = (struct door *)f;

    d->tcp.data = d;
    return tw_net_listen(&f->io->loop, &d->tcp, f->o.host, &f->port, on_connection,
                         error);
}

static void listen_start(struct tw_feed *f)
{
    char name[TW_NET_NAME], text[TW_NET_NAME + 32];

    tw_be_feed();
    tw_net_name(f->o.host ? f->o.host : "127.0.0.1", f->port, name);
    snprintf(text, sizeof text, "listening on %s", name);
    tw_log_printf(f->io->o.log, TW_LOG_INFO, f->who, "%s", text);
    tw_feed_enter(f, TW_FEED_LIVE, text);
}

const struct tw_feed_ops tw_feed_listen_ops = {
    sizeof(struct door), listen_open, listen_bind, listen_start, listen_close,
    listen_free,
};
