/* fix_serve.c - what is on the tape, as market data for peers of the FIX engine.
 *
 * Why by the clock and not by the record: a peer gets what has changed since the last
 * look, so that a market which moves a million times a second costs it, and us, no more
 * than one that moves at the clock's pace.
 *
 * Layer host/run.  Thread: FEED, but for new, free and consumer.
 */
#include "run/fix_serve.h"

#include <pthread.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/memory.h"
#include "run/feed.h"

/* A server that is made while the run goes on knows what so many records have said; a
 * look reads so many at most, as it holds up all feeds. */
enum { PAST = 1 << 16, AT_ONCE = 1 << 14 };

/* Where a book comes from: sources; 0: none. */
struct origin {
    uint8_t levels;                           /* 0: quotes are the book              */
    uint8_t quotes;
};

struct tw_fix_serve {
    struct tw_fix_serve_options o;            /* constant                            */
    struct tw_fix_publisher *publisher;       /* owner: FEED, between new and free   */
    struct tw_cursor cursor;                  /* owner: FEED; lossy                  */
    uint32_t listed;                          /* owner: FEED; symbols                */
    struct origin *of;                        /* owner: FEED; by symbol              */
    size_t of_n;                              /* owner: FEED                         */
    bool within;                              /* owner: FEED; an update is not whole */
    int64_t within_ns;                        /* owner: FEED; steady; more of it came */
    int64_t now_ns;                           /* owner: FEED; steady; it was read    */
    bool more;                                /* owner: FEED; of the tape is unread  */
    pthread_mutex_t lock;
    struct served *links;                     /* mutex                               */
};

/* A link that is served. */
struct served {
    struct tw_fix_serve *v;
    struct served *next;
    const struct tw_fix_dictionary *dictionary;
    struct tw_fix_peer *peer;                 /* NULL: its session is down           */
    struct tw_fix_session *session;
    struct tw_fix_now now;
};

struct tw_fix_serve *tw_fix_serve_new(const struct tw_fix_serve_options *o)
{
    struct tw_fix_serve *v = tw_calloc(1, sizeof *v);
    uint64_t head = tw_tape_head(o->tape);

    if (!v) return NULL;
    v->o = *o;
    if (!v->o.interval_ms) v->o.interval_ms = TW_FIX_SERVE_MS;
    v->publisher = tw_fix_publisher_new(&(struct tw_fix_publisher_options){
        .symbols = o->symbols, .precision = o->precision });
    if (head <= PAST || tw_cursor_open(&v->cursor, o->tape, false, head - PAST) < 0)
        tw_cursor_open(&v->cursor, o->tape, false, head <= PAST ? 1 : head);
    pthread_mutex_init(&v->lock, NULL);
    if (v->publisher) return v;
    pthread_mutex_destroy(&v->lock);
    tw_free(v);
    return NULL;
}

void tw_fix_serve_free(struct tw_fix_serve *v)
{
    struct served *l, *next;

    if (!v) return;
    for (l = v->links; l; l = next) {
        next = l->next;
        if (l->peer) tw_fix_peer_leave(l->peer);
        tw_free(l);
    }
    tw_fix_publisher_free(v->publisher);
    pthread_mutex_destroy(&v->lock);
    tw_free(v->of);
    tw_free(v);
}

/* ---- the tape ---- */

static bool is_of_session(const struct tw_fix_serve *v, const struct tw_record *r)
{
    unsigned feed = r->source - 1;

    return feed < tw_io_count(v->o.io) && v->o.io->feeds[feed]->ops == &tw_feed_fix_ops;
}

/* Each symbol of the run can be asked for, though nothing is known of it yet. */
static void list_symbols(struct tw_fix_serve *v)
{
    uint32_t n = tw_symbols_count(v->o.symbols);

    while (v->listed < n && tw_fix_publisher_list(v->publisher, v->listed + 1) == TW_OK)
        v->listed++;
}

static bool is_deep(const struct tw_fix_serve *v, uint32_t symbol)
{
    return symbol < v->of_n && v->of[symbol].levels != 0;
}

/* Of a symbol; NULL: no memory. */
static struct origin *origin(struct tw_fix_serve *v, uint32_t symbol)
{
    if (symbol >= v->of_n) {
        struct origin *more = tw_extend(v->of, &v->of_n, symbol, sizeof *more);

        if (!more) return NULL;
        v->of = more;
    }
    return &v->of[symbol];
}

static void take_quote(struct tw_fix_serve *v, const struct tw_record *r)
{
    struct origin *of = origin(v, r->symbol);

    if (!of || of->levels) return;
    of->quotes = r->source;
    tw_fix_publisher_quote(v->publisher, r->symbol, &r->quote, r->time);
}

static void clear(struct tw_fix_serve *v, uint32_t symbol, int64_t time_ns)
{
    static const struct tw_quote none = {0};

    tw_fix_publisher_quote(v->publisher, symbol, &none, time_ns);
}

/* Of a symbol whose book comes from two sources, the one that was first counts. */
static void take_level(struct tw_fix_serve *v, const struct tw_record *r)
{
    const struct tw_level *l = &r->level;

    if (!is_deep(v, r->symbol)) {
        struct origin *of;

        if (l->change != TW_LEVEL_CLEAR) {   /* it is not known: see lbook.c */
            tw_io_retell(v->o.io, r->source);
            return;
        }
        of = origin(v, r->symbol);
        if (!of) return;
        of->levels = r->source;
    }
    if (v->of[r->symbol].levels != r->source) return;
    v->within = !l->last;
    v->within_ns = v->now_ns;
    if (l->change != TW_LEVEL_CLEAR
        && tw_fix_publisher_level(v->publisher, r->symbol, l->offer, l->price,
                                  l->change == TW_LEVEL_GONE ? 0 : l->size,
                                  r->time) == TW_OK) return;
    clear(v, r->symbol, r->time);
    if (l->change == TW_LEVEL_CLEAR) return;
    v->of[r->symbol].levels = 0;              /* no memory: it is to be told anew */
    tw_io_retell(v->o.io, r->source);
}

/* Books that may be wrong are empty, until they are told again: those by level are of
 * quotes until then. */
static void take_gap(struct tw_fix_serve *v, const struct tw_record *r)
{
    int64_t time_ns = r->time ? r->time : tw_clock_now_ns();

    for (uint32_t i = 0; i < v->of_n; i++) {
        struct origin *of = &v->of[i];

        if ((r->symbol && r->symbol != i) || (!of->levels && !of->quotes)
            || (r->source && r->source != (of->levels ? of->levels : of->quotes)))
            continue;
        *of = (struct origin){ 0, 0 };
        clear(v, i, time_ns);
    }
    v->within = false;
}

/* A feed may have ended within an update: for one of which no more comes nobody waits. */
static bool is_half(const struct tw_fix_serve *v)
{
    return v->more || (v->within && v->now_ns - v->within_ns < TW_SECOND_NS);
}

/* What has come since the last look; false: there is more.  No memory for a quote: it is
 * as it was, or of one side; for a trade: that is missing, as its number says. */
static bool read_tape(struct tw_fix_serve *v, struct tw_fix_now now)
{
    struct tw_record r;

    v->now_ns = now.steady_ns;
    v->more = false;
    for (int i = 0; i < AT_ONCE; i++) {
        if (tw_cursor_next(&v->cursor, &r) == 0) return true;
        if (r.kind == TW_GAP) take_gap(v, &r);
        if ((r.kind != TW_QUOTE && r.kind != TW_TRADE && r.kind != TW_LEVEL
             && r.kind != TW_STATUS)
            || is_of_session(v, &r))
            continue;
        if (r.kind == TW_LEVEL) take_level(v, &r);
        else if (r.kind == TW_STATUS)
            tw_fix_publisher_status(v->publisher, r.symbol, &r.status);
        else if (r.kind == TW_QUOTE) take_quote(v, &r);
        else tw_fix_publisher_trade(v->publisher, r.symbol, &r.trade, r.time);
    }
    v->more = true;
    return false;
}

/* ---- links ---- */

static int on_send(void *ctx, const char *code, const char *body, size_t n)
{
    struct served *l = ctx;

    /* These are tried again, when the peer has read, and what is known is of one time. */
    if (strchr("WXfhSbA", *code)
        && (tw_fix_session_is_behind(l->session) || is_half(l->v)))
        return TW_EFULL;
    return tw_fix_session_put(l->session, l->now, code, body, n, NULL, NULL);
}

static enum tw_fix_answer on_message(void *ctx, struct tw_fix_session *s,
                                     struct tw_fix_now now,
                                     const struct tw_fix_message *m)
{
    struct served *l = ctx;

    l->session = s;
    l->now = now;
    if (!l->peer) return TW_FIX_UNSUPPORTED;
    list_symbols(l->v);
    read_tape(l->v, now);   /* a snapshot is of now */
    return tw_fix_peer_message(l->peer, m);
}

static void on_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                     const struct tw_fix_event *e)
{
    struct served *l = ctx;

    l->session = s;
    l->now = now;
    if (e->kind != TW_FIX_LOGGED_ON && e->kind != TW_FIX_LOGGED_OUT) return;
    if (l->peer) tw_fix_peer_leave(l->peer);
    l->peer = NULL;
    if (e->kind == TW_FIX_LOGGED_ON)
        l->peer = tw_fix_publisher_join(l->v->publisher, &(struct tw_fix_peer_options){
            .dictionary = l->dictionary, .send = on_send, .ctx = l });
}

/* Each link looks for itself: what one has read of the tape is in the books of all. */
static int64_t on_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    struct served *l = ctx;

    l->session = s;
    l->now = now;
    if (!read_tape(l->v, now)) return now.steady_ns;
    if (l->peer) tw_fix_peer_flush(l->peer);
    return now.steady_ns + l->v->o.interval_ms * 1000000;
}

static bool on_resend(void *ctx, const struct tw_fix_message *m)
{
    (void)ctx;
    return tw_fix_peer_resend(m);
}

static struct served *add(struct tw_fix_serve *v, const struct tw_fix_dictionary *d)
{
    struct served *l = tw_calloc(1, sizeof *l);

    if (!l) return NULL;
    l->v = v;
    l->dictionary = d;
    pthread_mutex_lock(&v->lock);
    l->next = v->links;
    v->links = l;
    pthread_mutex_unlock(&v->lock);
    return l;
}

static void *make(void *ctx, const char *name, struct tw_error *error)
{
    const struct served *l = ctx;
    struct served *one = add(l->v, l->dictionary);

    if (!one) tw_fail(error, UV_ENOMEM, "%s: %s", name, tw_strerror(UV_ENOMEM));
    return one;
}

/* What was made for a session that could not be is freed: callers may try for ever. */
static void made(void *ctx, void *of, struct tw_fix_link *link)
{
    struct tw_fix_serve *v = ((const struct served *)ctx)->v;
    struct served **at = &v->links;

    if (link) return;
    pthread_mutex_lock(&v->lock);
    while (*at != of) at = &(*at)->next;
    *at = (*at)->next;
    pthread_mutex_unlock(&v->lock);
    tw_free(of);
}

struct tw_fix_consumer tw_fix_serve_consumer(struct tw_fix_serve *v,
                                             const struct tw_fix_dictionary *d)
{
    return (struct tw_fix_consumer){
        .message = on_message, .event = on_event, .look = on_look, .resend = on_resend,
        .make = make, .made = made, .ctx = add(v, d),
    };
}
