/* feed_tcp.c - feeds over TCP: one that connects, one that is connected to.
 *
 * Invariant
 *   C3  What a cut connection left of a message never meets the bytes of the
 *       next one: tw_reader_end comes between.
 *
 * Layer host/run.  Thread: open, bind and free MAIN, all else FEED.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "run/dial.h"
#include "run/feed.h"

/* ---- connect ---- */

struct connect {
    struct tw_feed feed;
    struct tw_reader reader;
    struct tw_dial dial;
    struct tw_dial_place place;      /* constant                              */
    char where[TW_NET_NAME];         /* constant: host:port                   */
    bool told;                       /* that it can't connect                 */
};

static void TW_ON(FEED) on_lost(struct tw_reader *r, int why)
{
    struct connect *c = (struct connect *)r->feed;

    tw_dial_lost(&c->dial, why, r->total > 0);   /* bytes came: it was worth it */
}

static void on_up(struct tw_dial *d)
{
    struct connect *c = d->owner;
    struct tw_feed *f = &c->feed;
    char text[TW_NET_NAME + 32];
    int rc;

    tw_be_feed();
    rc = tw_reader_start(&c->reader, (uv_stream_t *)&d->tcp, on_lost);
    if (rc < 0) {
        tw_dial_lost(d, rc, false);
        return;
    }
    tw_counter_add(&f->connects, 1);
    snprintf(text, sizeof text, "connected to %s", c->where);
    tw_log_printf(f->io->o.log, TW_LOG_INFO, f->who, "%s", text);
    tw_feed_enter(f, TW_FEED_LIVE, text);
}

static void on_waiting(struct tw_dial *d, uint64_t ms)
{
    struct connect *c = d->owner;
    struct tw_feed *f = &c->feed;
    char text[TW_NET_NAME + 160];

    tw_be_feed();
    snprintf(text, sizeof text, "%s %s: %s; next try in %.1f s%s",
             d->live ? "lost" : "cannot connect to", c->where,
             d->why == UV_EOF ? "closed by the peer" : tw_strerror(d->why),
             (double)ms / 1000,
             d->live ? "" : ", later ones further apart and without a line");
    if (d->live || !c->told) tw_log_printf(f->io->o.log, TW_LOG_WARN, f->who, "%s", text);
    c->told = !d->live;
    if (d->live) tw_feed_enter(f, TW_FEED_WAITING, text);
}

static int connect_open(struct tw_feed *f, struct tw_error *error)
{
    struct connect *c = (struct connect *)f;

    c->place = (struct tw_dial_place){ f->o.host ? f->o.host : "127.0.0.1", f->port };
    tw_net_name(c->place.host, c->place.port, c->where);
    c->dial = (struct tw_dial){ .places = &c->place, .n = 1, .up = on_up,
                                .waiting = on_waiting, .owner = c };
    return tw_reader_init(&c->reader, f, "", error);
}

static void connect_start(struct tw_feed *f)
{
    struct connect *c = (struct connect *)f;

    tw_dial_init(&c->dial, &f->io->loop);
    tw_dial_go(&c->dial);
}

static void connect_close(struct tw_feed *f)
{
    tw_dial_close(&((struct connect *)f)->dial);
}

static void connect_free(struct tw_feed *f)
{
    struct connect *c = (struct connect *)f;

    tw_dial_free(&c->dial);
    tw_reader_fini(&c->reader);
}

const struct tw_feed_ops tw_feed_connect_ops = {
    sizeof(struct connect), connect_open, NULL, connect_start, connect_close,
    connect_free,
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
    tw_net_close(&d->tcp);
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
