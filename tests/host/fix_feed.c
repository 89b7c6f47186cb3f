/* fix_feed.c - market data over a socket: a publisher behind one session of an engine, a
 * feed behind the other, and what comes on the tape. */
#include "fix_engine_rig.h"

#include "base/fixed.h"
#include "fix/publisher.h"
#include "random.h"
#include "run/fix_feed.h"
#include "run/fix_serve.h"

enum { SYMBOLS = 3 };
static const char *const names[SYMBOLS] = { "AAPL", "MSFT", "XOM" };

/* The server's side: all but `to_do` and `done` is FEED's. */
static struct server {
    struct tw_symbols *symbols;
    const struct tw_fix_dictionary *dictionary;
    struct tw_fix_publisher *publisher;
    struct tw_fix_peer *peer;
    struct tw_fix_session *session;
    struct tw_fix_now now;
    unsigned to_do, done;                /* mutex: rounds of changes            */
    struct tw_quote top[SYMBOLS];        /* mutex: after the last one           */
    unsigned ups;                        /* mutex: times that a peer was there  */
} server_side;

static int on_send(void *ctx, const char *code, const char *body, size_t n)
{
    struct server *v = ctx;

    return tw_fix_session_put(v->session, v->now, code, body, n, NULL, NULL);
}

static enum tw_fix_answer on_message(void *ctx, struct tw_fix_session *s,
                                     struct tw_fix_now now,
                                     const struct tw_fix_message *m)
{
    struct server *v = ctx;

    v->session = s;
    v->now = now;
    return v->peer ? tw_fix_peer_message(v->peer, m) : TW_FIX_UNSUPPORTED;
}

static void on_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                     const struct tw_fix_event *e)
{
    struct server *v = ctx;

    v->session = s;
    v->now = now;
    if (e->kind == TW_FIX_LOGGED_ON) {
        v->peer = tw_fix_publisher_join(v->publisher, &(struct tw_fix_peer_options){
            .dictionary = v->dictionary, .send = on_send, .ctx = v });
        pthread_mutex_lock(&lock);
        v->ups++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    } else if (e->kind == TW_FIX_LOGGED_OUT && v->peer) {
        tw_fix_peer_leave(v->peer);
        v->peer = NULL;
    }
}

static void change(struct server *v)
{
    for (int i = 0; i < 40; i++) {
        uint32_t symbol = 1 + (uint32_t)(next() % SYMBOLS);
        bool offer = next() & 1;
        int64_t price = (int64_t)(100 + (offer ? 10 : 0) + next() % 10) * TW_FIXED_ONE;

        tw_fix_publisher_level(v->publisher, symbol, offer, price,
                               (int64_t)(next() % 4) * TW_FIXED_ONE, v->now.time_ns);
        if (i % 8 == 0) tw_fix_publisher_flush(v->publisher);
    }
    tw_fix_publisher_trade(v->publisher, 1, &(struct tw_trade){
        .price = 100 * TW_FIXED_ONE, .size = TW_FIXED_ONE, .id = 77 }, v->now.time_ns);
    tw_fix_publisher_flush(v->publisher);
}

static int64_t on_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    struct server *v = ctx;

    v->session = s;
    v->now = now;
    pthread_mutex_lock(&lock);
    while (v->done < v->to_do) {
        v->done++;
        change(v);
    }
    for (uint32_t i = 0; i < SYMBOLS; i++)
        v->top[i] = tw_depth_top(tw_fix_publisher_book(v->publisher, i + 1));
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return INT64_MAX;
}

/* What was read of the tape. */
static struct reading {
    struct tw_cursor cursor;
    struct tw_quote last[SYMBOLS];
    unsigned trades, gaps, quotes;
} seen;

static void read_tape(void)
{
    struct tw_record r;

    while (tw_cursor_next(&seen.cursor, &r) > 0) {
        if (r.kind == TW_QUOTE) seen.last[r.symbol - 1] = r.quote, seen.quotes++;
        seen.trades += r.kind == TW_TRADE && r.trade.id == 77;
        seen.gaps += r.kind == TW_GAP && r.source == 1;
    }
    tw_cursor_commit(&seen.cursor);
}

/* Whether the tape comes to have what the server has last. */
static bool comes_to_agree(struct rig *g)
{
    struct timespec now, until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    do {
        bool equal;

        rig_log(g);
        read_tape();
        pthread_mutex_lock(&lock);
        equal = memcmp(seen.last, server_side.top, sizeof seen.last) == 0;
        pthread_mutex_unlock(&lock);
        if (equal) return true;
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < until.tv_sec);
    return false;
}

static bool round_of(struct rig *g, struct tw_fix_link *l)
{
    unsigned n;

    pthread_mutex_lock(&lock);
    n = ++server_side.to_do;
    pthread_mutex_unlock(&lock);
    tw_fix_link_ring(l);
    return await(&server_side.done, n) && comes_to_agree(g);
}

static void over_a_socket(const struct tw_fix_dictionary *d)
{
    struct rig *g = rig_open();
    struct server *v = &server_side;
    struct tw_feed_options o = {
        .name = "broker", .kind = TW_FEED_FIX,
        .fix = { .symbols = names, .symbols_n = SYMBOLS, .depth = 5,
                 .incremental = true },
    };
    struct tw_fix_link_options accepts = server("server", NULL);
    struct tw_fix_link_options dials = client("client", NULL);
    struct tw_feed_status status;
    struct tw_fix_link *behind;
    struct tw_error error = {0};
    bool agree = true;
    int feed;

    tw_be_main();
    *v = (struct server){ .dictionary = d };
    seen = (struct reading){0};
    accepts.session.dictionary = dials.session.dictionary = d;
    v->symbols = tw_symbols_new(100);
    v->publisher = tw_fix_publisher_new(&(struct tw_fix_publisher_options){
        .symbols = v->symbols, .precision = TW_FIX_NS });
    for (int i = 0; i < SYMBOLS; i++)
        tw_fix_publisher_list(v->publisher,
                              (uint32_t)tw_symbols_intern(v->symbols, names[i],
                                                          strlen(names[i])));
    tw_cursor_open(&seen.cursor, g->tape, true, tw_tape_head(g->tape));
    feed = tw_io_add(g->io, &o, &error);
    ok(feed == 0, "a feed of a session");
    accepts.door = rig_listen(g, &(struct tw_fix_door_options){0});
    accepts.consumer = (struct tw_fix_consumer){
        .message = on_message, .event = on_event, .look = on_look, .ctx = v
    };
    dials.consumer = tw_fix_feed_consumer(g->io, (unsigned)feed);
    behind = rig_add(g, &accepts);
    rig_dial(g, dials, tw_fix_engine_port(g->e, accepts.door));
    rig_start(g);
    ok(await(&v->ups, 1), "is logged on");
    for (int i = 0; i < 20; i++) agree = agree && round_of(g, behind);
    ok(agree, "the tape has the best prices, %u quotes", seen.quotes);
    ok(seen.trades > 0, "and trades");
    tw_io_status(g->io, 0, &status);
    ok(status.state == TW_FEED_LIVE && status.records > 0 && status.codec.messages > 0
       && status.codec.errors == 0 && status.codec.bytes > 0 && status.connects == 1,
       "its figures");
    for (int i = 0; i < 5; i++) {
        unsigned ups;

        pthread_mutex_lock(&lock);
        ups = v->ups;
        pthread_mutex_unlock(&lock);
        tw_fix_link_logout(behind, "later");
        agree = agree && await(&v->ups, ups + 1) && round_of(g, behind);
    }
    ok(agree && seen.gaps >= 5, "each end of the session is a gap, then all comes again");
    tw_cursor_close(&seen.cursor);
    rig_close(g);
    if (v->peer) tw_fix_peer_leave(v->peer);
    tw_fix_publisher_free(v->publisher);
    tw_symbols_free(v->symbols);
}

/* What a program pushes, out by one session and in by another. */
static void around(void)
{
    struct rig *g = rig_open();
    struct tw_feed_options program = { .name = "program", .kind = TW_FEED_PROGRAM };
    struct tw_feed_options broker = {
        .name = "broker", .kind = TW_FEED_FIX,
        .fix = { .symbols = names, .symbols_n = SYMBOLS, .incremental = true },
    };
    struct tw_fix_link_options accepts = server("server", NULL);
    struct tw_fix_link_options dials = client("client", NULL);
    struct tw_fix_serve *serve;
    struct tw_error error = {0};
    uint64_t trades = 0, rounds = getenv("SMALL") ? 5 : 50;
    bool agree = true;
    struct timespec now, until;

    tw_be_main();
    seen = (struct reading){0};
    tw_cursor_open(&seen.cursor, g->tape, true, tw_tape_head(g->tape));
    tw_io_add(g->io, &program, &error);
    tw_io_add(g->io, &broker, &error);
    serve = tw_fix_serve_new(&(struct tw_fix_serve_options){
        .io = g->io, .tape = g->tape, .symbols = g->symbols, .interval_ms = 1,
        .precision = TW_FIX_NS });
    accepts.door = rig_listen(g, &(struct tw_fix_door_options){0});
    accepts.consumer = tw_fix_serve_consumer(serve, fix44);
    dials.consumer = tw_fix_feed_consumer(g->io, 1);
    rig_add(g, &accepts);
    rig_dial(g, dials, tw_fix_engine_port(g->e, accepts.door));
    rig_start(g);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    for (uint64_t round = 1; round <= rounds && agree; round++) {
        struct tw_quote want[SYMBOLS] = {{0}}, got[SYMBOLS] = {{0}};

        for (uint32_t i = 0; i < SYMBOLS; i++) {
            struct tw_record r = { .symbol = i + 1, .kind = TW_QUOTE };

            for (int k = 0; k < 4; k++)
                r.word[k] = (1 + next() % 1000) * (uint64_t)TW_FIXED_ONE;
            want[i] = r.quote;
            tw_io_push(g->io, 0, &r, 1, 0);
        }
        do {
            struct tw_record r;

            rig_log(g);
            while (tw_cursor_next(&seen.cursor, &r) > 0) {
                if (r.kind == TW_QUOTE && r.source == 2) got[r.symbol - 1] = r.quote;
                trades += r.kind == TW_TRADE && r.source == 2;
            }
            tw_cursor_commit(&seen.cursor);
            agree = memcmp(want, got, sizeof want) == 0;
            sched_yield();
            clock_gettime(CLOCK_MONOTONIC, &now);
        } while (!agree && now.tv_sec < until.tv_sec);
        tw_io_push(g->io, 0, &(struct tw_record){ .symbol = 1, .kind = TW_TRADE,
            .trade = { .price = 1, .size = 1, .id = round } }, 1, 0);
    }
    ok(agree, "what is on the tape goes out by one session and comes in by another");
    ok(trades >= rounds / 2, "trades, too");
    tw_cursor_close(&seen.cursor);
    rig_close(g);
    tw_fix_serve_free(serve);
}

static void refused(void)
{
    static const char *const none[] = { "" };
    struct rig *g = rig_open();
    struct tw_error error = {0};

    tw_be_main();
    ok(tw_io_add(g->io, &(struct tw_feed_options){
           .name = "x", .kind = TW_FEED_FIX, .fix = { .symbols = none, .symbols_n = 1 }
       }, &error) == TW_ELIMIT && strstr(error.text, "cannot subscribe ''"),
       "a symbol without a name is refused");
    rig_close(g);
}

int main(void)
{
    fix42 = dictionary(TW_FIX_42, NULL);
    fix44 = dictionary(TW_FIX_44, NULL);
    over_a_socket(fix42);
    over_a_socket(fix44);
    around();
    refused();
    tw_fix_dictionary_free(fix42);
    tw_fix_dictionary_free(fix44);
    return tap_done();
}
