/* fix_publisher.c - our market data to our own subscriber, over sessions that break.
 *
 * Whatever happens to random books, and however often the connection is cut, the peer
 * does not read or symbols come and go: when all is quiet, the subscriber has the levels
 * that it asked for, and the best of them as its last record; who reads the records of
 * levels has the same, and so has one who misses some of them and asks for all again. */
#include "fix/publisher.h"

#include "base/fixed.h"
#include "fix/market_data.h"
#include "fix_rig.h"
#include "random.h"
#include "tap.h"
#include "tape/ladder.h"

enum { SYMBOLS = 6, PRICES = 30, WIRE = 1 << 20 };
static const int64_t MS = 1000000;

static const char *const names[SYMBOLS] = { "A", "B", "CCCCCCCCC", "D", "E", "F" };

/* One side of the wire: 0 subscribes, 1 publishes. */
struct side {
    struct tw_fix_session *session;
    struct tw_fix_store *store;
    char *wire;                     /* bytes on their way to it */
    size_t n;
};

/* Who reads levels from the tape. */
struct reader {
    struct tw_ladder book[SYMBOLS + 1];
    bool known[SYMBOLS + 1], asks;
    uint64_t wrong;                 /* a level that was at another place */
};

static struct world {
    struct side sides[2];
    struct tw_fix_now now;
    bool linked, deaf;              /* deaf: 0 does not read */
    struct tw_symbols *symbols;
    struct tw_fix_dictionary *dictionary;
    struct tw_fix_md *md;
    struct tw_fix_md_options mo;
    struct tw_fix_publisher *publisher;
    struct tw_fix_publisher_options po;
    struct tw_fix_peer *peer;
    struct tw_batch batch;
    struct tw_quote last[SYMBOLS + 1];
    int64_t size[SYMBOLS][2][PRICES];     /* the books as they are */
    bool wanted[SYMBOLS];
    uint64_t trades, last_trade[SYMBOLS + 1], trades_seen, trades_wrong;
    uint64_t rejected, cancelled, refused, gaps, lost_trades, updates;
    struct reader readers[2];       /* the second one misses records */
    uint32_t unfinished;            /* an update of it, 0: none      */
    bool attentive;                 /* the second reader misses none */
    unsigned state[SYMBOLS + 1], told[SYMBOLS + 1];   /* 326; 340 of the market, [0] */
} w;

static unsigned pick(unsigned n)
{
    return (unsigned)(next() % n);
}

/* ---- the wire ---- */

static int send_body(struct side *me, const char *code, const char *body, size_t n)
{
    struct tw_fix_output *out;
    int rc = tw_fix_session_begin(me->session, w.now, code, NULL, 0, &out, NULL);

    if (rc < 0) return rc;
    if ((size_t)(out->end - out->at) < n) {
        out->error = TW_EFULL;
    } else {
        memcpy(out->at, body, n);
        out->at += n;
    }
    return tw_fix_session_send(me->session, NULL, NULL);
}

static int on_send(void *ctx, const char *code, const char *body, size_t n)
{
    if (*code == 'Y') {
        if (memmem(body, n, "is not in use", 13)) w.cancelled++;
        else w.rejected++;
    }
    return send_body(ctx, code, body, n);
}

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *m)
{
    struct side *me = ctx;

    if (me == &w.sides[0]) return tw_fix_md_message(w.md, w.now, m, &w.batch);
    return w.peer ? tw_fix_peer_message(w.peer, m) : TW_FIX_TAKEN;
}

static void on_event(void *ctx, const struct tw_fix_event *e)
{
    struct side *me = ctx;

    if (e->kind == TW_FIX_REFUSED || e->kind == TW_FIX_REJECTED
        || e->kind == TW_FIX_DROPPED) {
        if (w.refused++ == 0)
            printf("# %s: %s\n", e->text,
                   e->message ? shown(e->message->bytes, e->message->length) : "");
    }
    if (me == &w.sides[0]) {
        tw_fix_md_session_event(w.md, w.now, e, &w.batch);
    } else if (e->kind == TW_FIX_LOGGED_ON) {
        w.peer = tw_fix_publisher_join(w.publisher, &(struct tw_fix_peer_options){
            .dictionary = w.dictionary, .send = on_send, .ctx = me });
    } else if (e->kind == TW_FIX_LOGGED_OUT && w.peer) {
        w.lost_trades += tw_fix_peer_stats(w.peer).trades_lost;
        tw_fix_peer_leave(w.peer);
        w.peer = NULL;
    }
}

static bool on_resend(void *ctx, const struct tw_fix_message *m)
{
    return ctx == &w.sides[0] ? tw_fix_md_resend(m) : tw_fix_peer_resend(m);
}

/* A side that sends all of it again. */
static bool always(void *ctx, const struct tw_fix_message *m)
{
    (void)ctx;
    (void)m;
    return true;
}

static bool move_bytes(struct side *from, struct side *to)
{
    const char *p;
    size_t n, room = (size_t)WIRE - to->n;

    tw_fix_session_output(from->session, &p, &n);
    if (to == &w.sides[0] && w.deaf) room = to->n < 3000 ? 3000 - to->n : 0;
    if (n > room) n = room;
    if (n == 0) return false;
    memcpy(to->wire + to->n, p, n);
    to->n += n;
    tw_fix_session_written(from->session, w.now, n);
    return true;
}

static void read_level(struct reader *me, const struct tw_record *r)
{
    const struct tw_level *l = &r->level;
    struct tw_ladder *book = &me->book[r->symbol];

    if (l->change == TW_LEVEL_CLEAR) me->known[r->symbol] = true;
    if (!me->known[r->symbol]) {
        me->asks = true;
        return;
    }
    if (l->change == TW_LEVEL_GONE
        && tw_ladder_find(book, l->offer, l->price)
               != tw_ladder_at(book, l->offer, l->place))
        me->wrong++;
    tw_ladder_take(book, l);
    if (l->change == TW_LEVEL_SET
        && tw_ladder_find(book, l->offer, l->price)
               != tw_ladder_at(book, l->offer, l->place))
        me->wrong++;
}

static void forget_books(struct reader *me, const struct tw_record *gap)
{
    for (unsigned s = 1; s <= SYMBOLS; s++)
        if (!gap || gap->symbol == 0 || gap->symbol == s) {
            me->known[s] = false;
            tw_ladder_clear(&me->book[s]);
        }
}

/* Updates are whole, and of one symbol. */
static void read_books(const struct tw_record *r)
{
    bool missed = w.mo.levels && !w.attentive && pick(100) == 0;

    if (r->kind == TW_GAP)
        for (int i = 0; i < 2; i++) forget_books(&w.readers[i], r);
    if (r->kind == TW_LEVEL) {
        w.readers[0].wrong += w.unfinished && w.unfinished != r->symbol;
        w.unfinished = r->level.last ? 0 : r->symbol;
        w.updates += r->level.last;
        read_level(&w.readers[0], r);
        if (!missed) read_level(&w.readers[1], r);
    } else {
        w.readers[0].wrong += w.unfinished != 0;
    }
    if (missed) forget_books(&w.readers[1], NULL);
}

static void take_records(struct tw_batch *b)
{
    for (unsigned i = 0; i < b->n; i++) {
        const struct tw_record *r = &b->r[i];

        read_books(r);
        if (r->kind == TW_QUOTE) w.last[r->symbol] = r->quote;
        w.gaps += r->kind == TW_GAP;
        if (r->kind == TW_STATUS) w.told[r->symbol] = r->status.code;
        if (r->kind != TW_TRADE) continue;
        if (!r->trade.id) continue;   /* as a snapshot of FIX before 5.0 has it */
        w.trades_wrong += r->trade.id <= w.last_trade[r->symbol];
        w.last_trade[r->symbol] = r->trade.id;
        w.trades_seen++;
    }
    b->n = 0;
}

static void read_some(struct side *me, bool all)
{
    size_t n = all ? me->n : me->n ? 1 + pick((unsigned)me->n) : 0, used;
    char *copy;

    if (n == 0 || (me == &w.sides[0] && w.deaf)) return;
    copy = malloc(n);   /* so that a byte too far is found */
    memcpy(copy, me->wire, n);
    used = tw_fix_session_receive(me->session, w.now, copy, n);
    free(copy);
    memmove(me->wire, me->wire + used, me->n - used);
    me->n -= used;
    take_records(&w.batch);
}

static void link_up(void)
{
    if (w.linked) return;
    for (int i = 0; i < 2; i++) {
        w.sides[i].n = 0;
        if (tw_fix_session_connected(w.sides[i].session, w.now, NULL) < 0) {
            printf("# can't connect\n");
            exit(1);
        }
    }
    w.linked = true;
}

static void cut(void)
{
    if (!w.linked) return;
    w.linked = false;
    for (int i = 0; i < 2; i++) {
        w.sides[i].n = 0;
        tw_fix_session_disconnected(w.sides[i].session, w.now, "cut");
    }
    take_records(&w.batch);
}

static void pass(int64_t ns)
{
    w.now.time_ns += ns;
    w.now.steady_ns += ns;
    for (int i = 0; i < 2; i++) tw_fix_session_tick(w.sides[i].session, w.now);
    tw_fix_md_tick(w.md, w.now);
    if (w.readers[1].asks) tw_fix_md_retell(w.md, w.now, &w.batch);
    w.readers[1].asks = false;
    take_records(&w.batch);
    for (int i = 0; i < 2; i++)
        if (tw_fix_session_closing(w.sides[i].session)) cut();
}

static void settle(void)
{
    w.deaf = false;
    link_up();
    for (int i = 0; i < 400; i++) {
        tw_fix_publisher_flush(w.publisher);
        for (int k = 0; k < 2; k++) {
            move_bytes(&w.sides[k], &w.sides[!k]);
            read_some(&w.sides[!k], true);
        }
        pass(i < 200 ? 5 * MS : 700 * MS);
        if (!w.linked) link_up();
    }
}

/* ---- a world ---- */

static void open_world(void)
{
    static const enum tw_fix_version versions[] = {
        TW_FIX_42, TW_FIX_43, TW_FIX_44, TW_FIX_50, TW_FIX_50SP1, TW_FIX_50SP2
    };
    static const uint32_t depths[] = { 0, 1, 2, 3, 5, 10 };
    struct tw_error error = {0};
    char *wires[2] = { w.sides[0].wire, w.sides[1].wire };

    memset(&w, 0, sizeof w);
    w.now = (struct tw_fix_now){ INT64_C(1704196800000000000), 7000000000 };
    w.symbols = tw_symbols_new(1000);
    w.dictionary = dictionary(versions[pick(6)], NULL);
    w.batch.full = take_records;
    w.po = (struct tw_fix_publisher_options){
        .symbols = w.symbols, .positions = pick(2), .trades_max = 1 + pick(5),
        .precision = pick(2) ? TW_FIX_NS : 0,
    };
    w.publisher = tw_fix_publisher_new(&w.po);
    w.mo = (struct tw_fix_md_options){
        .symbols = w.symbols, .source = 1, .depth = depths[pick(6)],
        .levels = pick(4), .incremental = pick(3), .batch = pick(4), .states = pick(2),
        .send = on_send, .ctx = &w.sides[0], .start_ns = w.now.time_ns,
    };
    w.md = tw_fix_md_new(&w.mo);
    for (int i = 0; i < SYMBOLS; i++) {
        tw_symbols_intern(w.symbols, names[i], strlen(names[i]));
        tw_fix_publisher_list(w.publisher, (uint32_t)i + 1);
    }
    for (int i = 0; i < 2; i++) {
        struct side *me = &w.sides[i];

        me->wire = wires[i] ? wires[i] : malloc(WIRE);
        me->store = tw_fix_store_open(&(struct tw_fix_store_options){
            .now_ns = w.now.time_ns, .bytes = 1 << 20 }, &error);
        me->session = tw_fix_session_new(&(struct tw_fix_session_options){
            .dictionary = w.dictionary, .store = me->store, .initiator = i == 0,
            .sender = i ? "US" : "THEM", .target = i ? "THEM" : "US", .heartbeat_s = 30,
            .check = TW_FIX_CHECK_STRICT | TW_FIX_VALIDATE_UNORDERED_GROUP_FIELDS,
            .forget = pick(2), .output_max = 8000 + pick(20000),
            .handlers = { .message = on_message, .event = on_event, .ctx = me,
                          .resend = i == 1 && pick(2) ? always : on_resend },
        }, &error);
        if (!me->session) {
            printf("# %s\n", error.text);
            exit(1);
        }
    }
}

static void close_world(void)
{
    cut();
    if (w.peer) tw_fix_peer_leave(w.peer);
    for (int i = 0; i < 2; i++) {
        tw_fix_session_free(w.sides[i].session);
        tw_fix_store_close(w.sides[i].store);
    }
    tw_fix_md_free(w.md);
    for (int i = 0; i < 2; i++)
        for (int s = 0; s <= SYMBOLS; s++) tw_ladder_fini(&w.readers[i].book[s]);
    tw_fix_publisher_free(w.publisher);
    tw_fix_dictionary_free(w.dictionary);
    tw_symbols_free(w.symbols);
}

/* None is 0: what has a size has a price. */
#define PRICE(i) ((int64_t)((i) + 1) * TW_FIXED_ONE / 8)

/* Something happens in a book. */
static void move_market(void)
{
    unsigned s = pick(SYMBOLS), side = pick(2), price = pick(PRICES);
    uint32_t id = s + 1;

    if (pick(8) == 0) {
        struct tw_trade t = { PRICE(price), TW_FIXED_ONE, pick(3), 0, ++w.trades };

        tw_fix_publisher_trade(w.publisher, id, &t, w.now.time_ns);
    } else if (pick(20) == 0) {
        struct tw_quote q = {
            PRICE(price), PRICE(price + 1), (int64_t)(1 + pick(9)) * TW_FIXED_ONE, 0
        };

        if (pick(2) || price + 1 == PRICES) q.ask = 0;
        else q.ask_size = (int64_t)(1 + pick(9)) * TW_FIXED_ONE;
        if (price == 0) q.bid_size = q.bid = 0;
        memset(w.size[s], 0, sizeof w.size[s]);
        w.size[s][0][price] = q.bid_size;
        if (q.ask) w.size[s][1][price + 1] = q.ask_size;
        tw_fix_publisher_quote(w.publisher, id, &q, w.now.time_ns);
    } else {
        int64_t size = (int64_t)pick(5) * TW_FIXED_ONE / 4;

        w.size[s][side][price] = size;
        tw_fix_publisher_level(w.publisher, id, side, PRICE(price), size,
                               w.now.time_ns);
    }
}

/* A symbol, or the market, is halted, or trades again. */
static void move_states(void)
{
    unsigned s = pick(SYMBOLS + 1);
    bool open = pick(2);

    w.state[s] = s ? (open ? 3 : 2) : open ? 2 : 1;
    tw_fix_publisher_status(w.publisher, s, &(struct tw_status){
        .status = open ? TW_TRADING_OPEN : TW_TRADING_HALTED, .code = w.state[s] });
}

static void fault(void)
{
    unsigned s = pick(SYMBOLS);

    switch (pick(12)) {
    case 0: cut(); break;
    case 1: w.deaf = true; break;
    case 2: case 3: w.deaf = false; break;
    case 4: case 5: link_up(); break;
    case 6:
        w.wanted[s] = false;
        tw_fix_md_unsubscribe(w.md, w.now, names[s], strlen(names[s]), &w.batch);
        break;
    case 7: case 8: case 9:
        w.wanted[s] = true;
        tw_fix_md_subscribe(w.md, names[s], strlen(names[s]));
        break;
    default: pass(pick(2000) * MS); break;
    }
}

/* Whether one side of a book is the one that there is. */
static bool agrees(unsigned s, int side)
{
    const struct tw_depth *book = tw_fix_md_book(w.md, s + 1);
    uint32_t at = 0;

    for (int i = 0; i < PRICES; i++) {
        int price = side ? i : PRICES - 1 - i;
        int64_t size = w.size[s][side][price];

        if (size == 0 || (w.mo.depth && at == w.mo.depth)) continue;
        if (at >= book->side[side].n || book->side[side].at[at].size != size
            || book->side[side].at[at].price != PRICE(price))
            return false;
        at++;
    }
    return at == book->side[side].n;
}

/* Whether a reader of the tape has that side. */
static bool reads(const struct reader *me, unsigned s, int side)
{
    uint32_t at = 0;

    for (int i = 0; i < PRICES; i++) {
        int price = side ? i : PRICES - 1 - i;
        int64_t size = w.size[s][side][price];
        const struct tw_rung *r;

        if (size == 0 || (w.mo.depth && at == w.mo.depth)) continue;
        r = tw_ladder_at(&me->book[s + 1], side, ++at);
        if (!r || r->size != size || r->price != PRICE(price))
            return false;
    }
    return at == me->book[s + 1].side[side].n && me->known[s + 1];
}

/* The second reader may have missed the last record that there was. */
static bool all_read(unsigned s)
{
    for (int i = 0; w.mo.levels && i < 2; i++) {
        struct reader *me = &w.readers[i];

        if (i == 1 && !me->known[s + 1]) {
            w.attentive = true;
            tw_fix_md_retell(w.md, w.now, &w.batch);
            take_records(&w.batch);
            w.attentive = false;
        }
        if (me->wrong || !reads(me, s, 0) || !reads(me, s, 1)) {
            printf("# %s: reader %d has %u and %u levels, known %d, wrong %llu\n",
                   names[s], i, me->book[s + 1].side[0].n, me->book[s + 1].side[1].n,
                   me->known[s + 1], (unsigned long long)me->wrong);
            return false;
        }
    }
    return true;
}

/* Whether all is told as it was said, and what nobody has said as it may be. */
static bool states_agree(void)
{
    for (unsigned s = 0; s <= SYMBOLS; s++) {
        bool asked = w.mo.states && (s == 0 || w.wanted[s - 1]);
        unsigned said = w.told[s];

        if (!asked || (w.state[s] ? said == w.state[s] : said != 1 && said < 21))
            continue;
        printf("# state of %s: %u, but told %u\n", s ? names[s - 1] : "the market",
               w.state[s], said);
        return false;
    }
    return true;
}

static bool all_agree(void)
{
    if (!states_agree()) return false;
    for (unsigned s = 0; s < SYMBOLS; s++) {
        struct tw_quote top, *q = &w.last[s + 1];

        if (!w.wanted[s]) {
            if (tw_fix_md_state(w.md, s + 1) != TW_FIX_MD_NONE) return false;
            continue;
        }
        if (!tw_fix_md_book(w.md, s + 1)) {
            printf("# %s is not live but %d\n", names[s], tw_fix_md_state(w.md, s + 1));
            return false;
        }
        if (!all_read(s)) return false;
        top = tw_depth_top(tw_fix_md_book(w.md, s + 1));
        if (!agrees(s, 0) || !agrees(s, 1) || memcmp(&top, q, sizeof top) != 0) {
            printf("# %s: %g x %g, %g x %g; last record %g x %g, %g x %g\n", names[s],
                   (double)top.bid / 1e9, (double)top.bid_size / 1e9,
                   (double)top.ask / 1e9, (double)top.ask_size / 1e9,
                   (double)q->bid / 1e9, (double)q->bid_size / 1e9,
                   (double)q->ask / 1e9, (double)q->ask_size / 1e9);
            return false;
        }
    }
    return true;
}

static void random_worlds(int worlds, int rounds)
{
    uint64_t rejected = 0, refused = 0, gaps = 0, trades = 0, wrong = 0, lost = 0;
    uint64_t subscriber_refused = 0, unknown = 0, cancelled = 0;
    uint64_t updates = 0;
    int agreed = 0, checked = 0;

    for (int i = 0; i < worlds; i++) {
        bool right = true;

        open_world();
        for (int s = 0; s < SYMBOLS; s++)
            if (pick(2)) {
                w.wanted[s] = true;
                tw_fix_md_subscribe(w.md, names[s], strlen(names[s]));
            }
        link_up();
        for (int round = 0; round < rounds && right; round++) {
            for (unsigned k = pick(200); k > 0; k--) {
                for (unsigned moves = pick(4); moves > 0; moves--) move_market();
                if (pick(3)) tw_fix_publisher_flush(w.publisher);
                if (w.linked)
                    for (int side = 0; side < 2; side++) {
                        move_bytes(&w.sides[side], &w.sides[!side]);
                        if (pick(2)) read_some(&w.sides[!side], false);
                    }
                if (pick(20) == 0) fault();
                if (pick(20) == 0) move_states();
                pass(pick(3) * MS);
            }
            settle();
            right = all_agree();
            checked++;
        }
        agreed += right;
        if (!right)
            printf("# world %d: %s, depth %u, incremental %d, positions %d, batch %u\n",
                   i, tw_fix_begin_string(tw_fix_dictionary_version(w.dictionary)),
                   w.mo.depth, w.mo.incremental, w.po.positions, w.mo.batch);
        cut();
        rejected += w.rejected;
        cancelled += w.cancelled;
        refused += w.refused;
        gaps += w.gaps;
        trades += w.trades_seen;
        updates += w.updates;
        wrong += w.trades_wrong;
        lost += w.lost_trades;
        subscriber_refused += tw_fix_md_stats(w.md).refused;
        unknown += tw_fix_md_stats(w.md).unknown;
        close_world();
    }
    free(w.sides[0].wire);
    free(w.sides[1].wire);
    ok(agreed == worlds, "%d random worlds: books agree, %d times looked", worlds,
       checked);
    ok(refused == 0, "each message is what the dictionary says");
    printf("# %llu cancelled twice, %llu messages refused, %llu entries unknown\n",
           (unsigned long long)cancelled, (unsigned long long)subscriber_refused,
           (unsigned long long)unknown);
    ok(rejected == 0 && subscriber_refused == 0 && unknown == 0,
       "no request is refused, no message and no entry");
    ok(wrong == 0 && trades > 0, "%llu trades, each once and in order",
       (unsigned long long)trades);
    ok(updates > 0, "%llu updates of books by level", (unsigned long long)updates);
    ok(lost > 0 && gaps > 0, "of those that a slow peer did not take, some are lost");
}

int main(void)
{
    bool small = getenv("SMALL") != NULL;

    random_worlds(small ? 40 : 120, small ? 4 : 12);
    return tap_done();
}
