/* publisher.c - market data for the peers of an acceptor: books in, 35=W X S Y out.
 *
 * Invariants
 *   P1  what a subscription has as sent is what its peer has, by the messages that were
 *       given to it
 *   P2  a subscription is in its peer's queue when something may be new for it, once
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include "fix/publisher.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "feed/fix_entry.h"
#include "fix/publisher_parts.h"

enum { REQUEST_ROOM = TW_FIX_REQUEST_ROOM, LEVELS_LIMIT = 2048, BODY_FIRST = 4096 };

enum { BIDS = 1, OFFERS = 2, TRADES = 4 };   /* types of entries: 1 << 269 */

struct subscription {
    struct tw_fix_peer *peer;
    struct tw_fix_book *book;
    struct subscription *next, **link;        /* of the book's                     */
    struct subscription *peers_next, **peers_link;   /* of the peer's              */
    struct subscription *queue_next;
    bool queued;                              /* P2                                */
    bool snapshot;                            /* 35=W is due, not X                */
    bool incremental, once;
    uint8_t types, request_n;
    char request[REQUEST_ROOM];
    uint32_t depth;
    struct tw_depth sent;                     /* P1 */
    uint64_t report;                          /* the last 83 */
    struct waiting *trades;                   /* a ring, once it is of trades_max  */
    uint32_t trades_first, trades_n, trades_room;
    uint64_t trades_lost;                     /* since the last message            */
};

struct waiting { struct tw_trade trade; int64_t time_ns; };

/* An entry that is to be written. */
struct part {
    uint8_t action, type;
    uint32_t position;
    int64_t price, size;
    const struct waiting *trade;
};

struct tw_fix_publisher *tw_fix_publisher_new(const struct tw_fix_publisher_options *o)
{
    struct tw_fix_publisher *p = tw_calloc(1, sizeof *p);

    if (!p) return NULL;
    p->o = *o;
    if (!p->o.levels_max) p->o.levels_max = TW_DEPTH_MAX;
    if (p->o.levels_max > LEVELS_LIMIT) p->o.levels_max = LEVELS_LIMIT;
    if (!p->o.trades_max) p->o.trades_max = 1024;
    if (!p->o.subscriptions_max) p->o.subscriptions_max = 4096;
    if (p->o.precision == TW_FIX_S) p->o.precision = TW_FIX_MS;
    p->body_room = BODY_FIRST;
    p->body = tw_calloc(1, p->body_room);
    p->parts = tw_calloc((size_t)4 * p->o.levels_max + p->o.trades_max, sizeof *p->parts);
    if (p->body && p->parts) return p;
    tw_fix_publisher_free(p);
    return NULL;
}

void tw_fix_publisher_free(struct tw_fix_publisher *p)
{
    if (!p) return;
    for (uint32_t i = 0; i < p->books_n; i++) {
        if (!p->books[i]) continue;
        tw_depth_fini(&p->books[i]->depth);
        tw_free(p->books[i]);
    }
    tw_free(p->books);
    tw_free(p->parts);
    tw_free(p->body);
    tw_free(p);
}

/* ---- books ---- */

/* The book of a symbol, made when there is none; NULL: no memory. */
static struct tw_fix_book *book_of(struct tw_fix_publisher *p, uint32_t symbol)
{
    struct tw_fix_book *b = tw_fix_book(p, symbol);

    if (b) return b;
    if (symbol >= p->books_n) {
        struct tw_fix_book **more = tw_extend(p->books, &p->books_n, symbol,
                                              sizeof *more);

        if (!more) return NULL;
        p->books = more;
    }
    b = tw_calloc(1, sizeof *b);
    if (!b) return NULL;
    b->symbol = symbol;
    tw_depth_init(&b->depth);
    return p->books[symbol] = b;
}

static void queue(struct subscription *s)
{
    if (s->queued) return;
    s->queued = true;
    s->queue_next = NULL;
    *s->peer->queue_end = s;
    s->peer->queue_end = &s->queue_next;
}

static void changed(struct tw_fix_book *b, int64_t time_ns)
{
    b->time_ns = time_ns;
    for (struct subscription *s = b->subscriptions; s; s = s->next)
        if (s->types & (BIDS | OFFERS)) queue(s);
}

int tw_fix_publisher_list(struct tw_fix_publisher *p, uint32_t symbol)
{
    return book_of(p, symbol) ? TW_OK : UV_ENOMEM;
}

int tw_fix_publisher_quote(struct tw_fix_publisher *p, uint32_t symbol,
                           const struct tw_quote *q, int64_t time_ns)
{
    struct tw_depth_level best[2] = {
        { .price = q->bid, .size = q->bid_size }, { .price = q->ask, .size = q->ask_size }
    };
    struct tw_fix_book *b = book_of(p, symbol);
    int code = TW_OK;

    if (!b) return UV_ENOMEM;
    for (int i = 0; i < 2; i++) {
        struct tw_depth_side *s = &b->depth.side[i];

        s->n = 0;
        if ((best[i].price | best[i].size) != 0 && code == TW_OK)
            code = tw_depth_insert(s, 0, &best[i], p->o.levels_max);
    }
    changed(b, time_ns);
    return code;
}

int tw_fix_publisher_level(struct tw_fix_publisher *p, uint32_t symbol, bool offer,
                           int64_t price, int64_t size, int64_t time_ns)
{
    struct tw_fix_book *b = book_of(p, symbol);
    int code = b ? tw_depth_set(&b->depth.side[offer], price, size, p->o.levels_max)
                 : UV_ENOMEM;

    if (code == TW_OK) changed(b, time_ns);
    return code;
}

static bool more_trades(struct subscription *s, uint32_t max)
{
    uint32_t room = s->trades_room ? 2 * s->trades_room : 16;
    void *more;

    if (room > max) room = max;
    more = tw_realloc(s->trades, room * sizeof *s->trades);
    if (!more) return false;
    s->trades = more;
    s->trades_room = room;
    return true;
}

static int keep_trade(struct tw_fix_publisher *p, struct subscription *s,
                      const struct waiting *w)
{
    uint32_t max = p->o.trades_max;
    bool fails = s->trades_n == s->trades_room && s->trades_room < max
              && !more_trades(s, max);

    if (fails || s->trades_n == max) {
        s->trades_lost++;
        s->peer->stats.trades_lost++;
    }
    if (fails) return UV_ENOMEM;
    if (s->trades_n == max) {   /* the oldest goes */
        s->trades_first = (s->trades_first + 1) % max;
        s->trades_n--;
    }
    s->trades[(s->trades_first + s->trades_n++) % max] = *w;
    queue(s);
    return TW_OK;
}

int tw_fix_publisher_trade(struct tw_fix_publisher *p, uint32_t symbol,
                           const struct tw_trade *t, int64_t time_ns)
{
    struct tw_fix_book *b = book_of(p, symbol);
    struct waiting w = { *t, time_ns };
    int code = TW_OK;

    if (!b) return UV_ENOMEM;
    for (struct subscription *s = b->subscriptions; s; s = s->next)
        if (s->types & TRADES && keep_trade(p, s, &w) < 0) code = UV_ENOMEM;
    return code;
}

const struct tw_depth *tw_fix_publisher_book(const struct tw_fix_publisher *p,
                                             uint32_t symbol)
{
    struct tw_fix_book *b = tw_fix_book(p, symbol);

    return b ? &b->depth : NULL;
}

/* ---- what a message has in it ---- */

static void add_part(struct tw_fix_publisher *p, unsigned action, int type,
                     uint32_t place, const struct tw_depth_level *l)
{
    p->parts[p->parts_n++] = (struct part){
        .action = (uint8_t)action, .type = (uint8_t)type, .position = place + 1,
        .price = l->price, .size = l->size,
    };
}

static bool is_better(const struct tw_depth_side *s, int64_t a, int64_t b)
{
    return s->bids ? a > b : a < b;
}

/* Whether a change makes one level the other: none takes a size away that was known. */
static bool is_same(const struct tw_depth_level *old, const struct tw_depth_level *new)
{
    return old->price == new->price && (new->size != 0 || old->size == 0);
}

/* What makes `old` the first n levels of `new`.  What goes comes first, so that the peer
 * never has more levels than it asked for; each position is that of its turn. */
static void differ(struct tw_fix_publisher *p, int type, const struct tw_depth_side *old,
                   const struct tw_depth_side *new, uint32_t n)
{
    uint32_t i, j = 0, place = 0;

    for (i = 0; i < old->n; i++) {
        while (j < n && is_better(new, new->at[j].price, old->at[i].price)) j++;
        if (j < n && is_same(&old->at[i], &new->at[j])) place++;
        else add_part(p, TW_FIX_DELETE, type, place, &old->at[i]);
    }
    for (i = j = 0; j < n; j++) {
        const struct tw_depth_level *l = &new->at[j];

        while (i < old->n && is_better(new, old->at[i].price, l->price)) i++;
        if (i == old->n || !is_same(&old->at[i], l))
            add_part(p, TW_FIX_NEW, type, j, l);
        else if (old->at[i].size != l->size)
            add_part(p, TW_FIX_CHANGE, type, j, l);
    }
}

static uint32_t shown(const struct subscription *s, const struct tw_depth_side *side)
{
    return s->depth && s->depth < side->n ? s->depth : side->n;
}

/* The parts of the next message for a subscription. */
static void collect(struct tw_fix_publisher *p, const struct subscription *s, bool whole)
{
    static const struct tw_depth_side none[2] = { { .bids = true }, { .bids = false } };

    p->parts_n = 0;
    for (int i = 0; i < 2; i++) {
        const struct tw_depth_side *now = &s->book->depth.side[i];

        if (s->types >> i & 1)
            differ(p, i, whole ? &none[i] : &s->sent.side[i], now, shown(s, now));
    }
    for (uint32_t i = 0; i < s->trades_n; i++)
        p->parts[p->parts_n++] = (struct part){
            .type = TW_FIX_TRADE_ENTRY,
            .trade = &s->trades[(s->trades_first + i) % p->o.trades_max],
        };
}

/* P1.  No memory: a snapshot is due again. */
static void note_sent(struct tw_fix_publisher *p, struct subscription *s)
{
    s->snapshot = false;
    for (int i = 0; i < 2; i++) {
        const struct tw_depth_side *now = &s->book->depth.side[i];
        struct tw_depth_side *sent = &s->sent.side[i];

        sent->n = 0;
        for (uint32_t k = 0; s->types >> i & 1 && k < shown(s, now); k++)
            if (tw_depth_insert(sent, k, &now->at[k], p->o.levels_max) < 0)
                s->snapshot = true;
    }
    s->trades_n = 0;
    s->trades_lost = 0;
}

/* ---- messages ---- */

static void put_entry_time(const struct tw_fix_publisher *p, struct tw_fix_output *o,
                           int64_t time_ns)
{
    char text[TW_FIX_TIME_TEXT];
    size_t n = tw_fix_time_text(time_ns, p->o.precision, text);

    tw_fix_put_text(o, 272, text, 8);
    tw_fix_put_text(o, 273, text + 9, n - 9);
}

/* An entry but for its RptSeq (83). */
static void put_part(struct tw_fix_output *o, const struct subscription *s,
                     const struct part *part, bool whole, const char *name, bool first)
{
    const struct tw_fix_publisher *p = s->peer->publisher;
    const struct waiting *w = part->trade;
    int64_t price = w ? w->trade.price : part->price;
    int64_t size = w ? w->trade.size : part->size;
    int64_t time_ns = w ? w->time_ns : first ? s->book->time_ns : 0;

    if (!whole) tw_fix_put_char(o, 279, (char)('0' + part->action));
    tw_fix_put_char(o, 269, (char)('0' + part->type));
    if (w && w->trade.id && !whole) tw_fix_put_integer(o, 278, (int64_t)w->trade.id);
    if (!whole) tw_fix_put_text(o, 55, name, strlen(name));
    tw_fix_put_fixed(o, 270, price);
    if (part->action != TW_FIX_DELETE && (size || w)) tw_fix_put_fixed(o, 271, size);
    if (time_ns > 0) put_entry_time(p, o, time_ns);
    if (p->o.positions && !w) tw_fix_put_integer(o, 290, part->position);
    if (w && w->trade.side && s->peer->has_side[!whole])
        tw_fix_put_char(o, 54, (char)('0' + w->trade.side));
}

/* 35=W, or X of what was collected. */
static int write_refresh(struct tw_fix_peer *peer, struct subscription *s, bool whole)
{
    struct tw_fix_publisher *p = peer->publisher;
    const char *name = tw_symbols_name(p->o.symbols, s->book->symbol);
    struct tw_fix_output o;
    uint64_t report;
    int code;

    do {
        bool timed = false;

        o = tw_fix_peer_begin(peer);
        report = s->report + s->trades_lost;
        tw_fix_put_text(&o, 262, s->request, s->request_n);
        if (whole) tw_fix_put_text(&o, 55, name, strlen(name));
        if (whole && peer->has_update)
            tw_fix_put_time(&o, 779, s->book->time_ns, p->o.precision);
        tw_fix_put_integer(&o, 268, p->parts_n);
        for (uint32_t i = 0; i < p->parts_n; i++) {
            const struct part *part = &p->parts[i];
            bool first = !timed && part->type != TW_FIX_TRADE_ENTRY;

            timed |= first;
            if (!whole) report++;
            put_part(&o, s, part, whole, name, first);
            if (peer->has_report[!whole]) tw_fix_put_integer(&o, 83, (int64_t)report);
        }
    } while (o.error == TW_EFULL && tw_fix_peer_more_room(peer));
    code = tw_fix_peer_finish(peer, &o, whole ? "W" : "X");
    if (code == TW_OK) s->report = report;
    return code;
}

static void drop(struct subscription *s)
{
    struct tw_fix_peer *peer = s->peer;

    *s->link = s->next;
    if (s->next) s->next->link = s->link;
    *s->peers_link = s->peers_next;
    if (s->peers_next) s->peers_next->peers_link = s->peers_link;
    if (s->queued) {
        struct subscription **at = &peer->queue;

        while (*at != s) at = &(*at)->queue_next;
        *at = s->queue_next;
        if (!*at) peer->queue_end = at;
    }
    tw_depth_fini(&s->sent);
    tw_free(s->trades);
    tw_free(s);
    peer->stats.subscriptions--;
}

static bool had_levels(const struct subscription *s)
{
    return s->sent.side[0].n + s->sent.side[1].n > 0;
}

/* What is new for a subscription, if anything.  A snapshot of trades alone says nothing
 * of the book: that this is empty now has one of its own. */
static int serve(struct tw_fix_peer *peer, struct subscription *s)
{
    struct tw_fix_publisher *p = peer->publisher;
    bool whole = s->snapshot || !s->incremental;
    int code;

    collect(p, s, whole);
    if (!whole && p->parts_n == 0) return TW_OK;
    if (whole && p->parts_n > 0 && p->parts_n == s->trades_n && had_levels(s)) {
        p->parts_n = 0;
        code = write_refresh(peer, s, true);
        if (code < 0) return code;
        collect(p, s, true);
    }
    code = write_refresh(peer, s, whole);
    if (code < 0) return code;
    note_sent(p, s);
    return TW_OK;
}

bool tw_fix_peer_flush(struct tw_fix_peer *peer)
{
    if (!tw_fix_peer_tell_states(peer) || !tw_fix_peer_tell_quotes(peer)) return false;
    while (peer->queue) {
        struct subscription *s = peer->queue;
        int code = serve(peer, s);

        if (code == TW_EFULL) return false;
        peer->queue = s->queue_next;
        if (!peer->queue) peer->queue_end = &peer->queue;
        s->queued = false;
        if (code < 0 || s->once) {
            drop(s);
        } else if (s->snapshot) {   /* there was no memory to note it: again, later */
            queue(s);
            return false;
        }
    }
    return true;
}

bool tw_fix_publisher_flush(struct tw_fix_publisher *p)
{
    bool all = true;

    for (struct tw_fix_peer *peer = p->peers; peer; peer = peer->next)
        all &= tw_fix_peer_flush(peer);
    return all;
}

/* ---- requests ---- */

/* A field of a message's body; NULL: it has none such. */
static const struct tw_fix_member *member(const struct tw_fix_dictionary *d,
                                          const char *code, uint32_t tag)
{
    const struct tw_fix_type *t = tw_fix_dictionary_type(d, code, 1);

    return t ? tw_fix_member(&t->body, tag) : NULL;
}

/* Whether its entries have a field. */
static bool has_member(const struct tw_fix_dictionary *d, const char *code, uint32_t tag)
{
    const struct tw_fix_member *m = member(d, code, 268);

    return m && m->group && tw_fix_member(m->group, tag);
}

struct tw_fix_peer *tw_fix_publisher_join(struct tw_fix_publisher *p,
                                          const struct tw_fix_peer_options *o)
{
    static const char *const codes[] = { "W", "X" };
    struct tw_fix_peer *peer = tw_calloc(1, sizeof *peer);

    if (!peer) return NULL;
    peer->publisher = p;
    peer->o = *o;
    peer->queue_end = &peer->queue;
    peer->asked_end = &peer->asked;
    peer->has_update = member(o->dictionary, "W", 779) != NULL;
    for (int i = 0; i < 2; i++) {
        peer->has_report[i] = has_member(o->dictionary, codes[i], 83);
        peer->has_side[i] = has_member(o->dictionary, codes[i], 54);
    }
    peer->next = p->peers;
    peer->link = &p->peers;
    if (peer->next) peer->next->link = &peer->next;
    p->peers = peer;
    return peer;
}

void tw_fix_peer_leave(struct tw_fix_peer *peer)
{
    while (peer->subscriptions) drop(peer->subscriptions);
    tw_fix_peer_unwatch(peer);
    tw_fix_peer_forget_quotes(peer);
    *peer->link = peer->next;
    if (peer->next) peer->next->link = peer->link;
    tw_free(peer);
}

/* What a request asks for. */
struct request {
    struct tw_fix_text id;
    char kind;                   /* 263 */
    uint64_t depth;
    bool incremental;
    uint8_t types;
};

/* MDReqRejReason (281). */
enum {
    UNKNOWN_SYMBOL = '0', DUPLICATE = '1', NO_ROOM = '2', KIND = '4', DEPTH = '5',
    UPDATE_TYPE = '6', ENTRY_TYPE = '8', NONE = 0
};

static void reject(struct tw_fix_peer *peer, struct tw_fix_text id, char reason,
                   const char *text)
{
    struct tw_fix_output o = tw_fix_peer_begin(peer);

    tw_fix_put_text(&o, 262, id.at, id.n);
    if (reason) tw_fix_put_char(&o, 281, reason);
    tw_fix_put_text(&o, 58, text, strlen(text));
    tw_fix_peer_finish(peer, &o, "Y");
}

static char char_of(const struct tw_fix_message *m, int32_t tag)
{
    struct tw_fix_text t = tw_fix_message_body(m, tag);

    return t.n == 1 ? *t.at : 0;
}

/* False: it was rejected. */
static bool read_request(struct tw_fix_peer *peer, const struct tw_fix_message *m,
                         struct request *r)
{
    struct tw_fix_part body = tw_fix_part_body(m), entry;
    struct tw_fix_text depth = tw_fix_message_body(m, 264);
    char update = char_of(m, 265);
    struct tw_fix_group g;

    r->id = tw_fix_message_body(m, 262);
    r->kind = char_of(m, 263);
    r->incremental = update == '1' && r->kind == '1';
    r->types = 0;
    if (r->id.n == 0 || r->id.n > REQUEST_ROOM) {
        r->id = r->id.n ? r->id : (struct tw_fix_text){ "NONE", 4 };
        reject(peer, r->id, NONE, "MDReqID (262) has no byte, or more than 64");
        return false;
    }
    if (r->kind == '2') return true;
    if (r->kind != '0' && r->kind != '1') {
        reject(peer, r->id, KIND, "SubscriptionRequestType (263) is not 0, 1 or 2");
        return false;
    }
    if (!depth.n || !tw_fix_integer(depth, &r->depth) || r->depth > UINT32_MAX) {
        reject(peer, r->id, DEPTH, "MarketDepth (264) is not served");
        return false;
    }
    if (r->kind == '1' && update != '0' && update != '1') {
        reject(peer, r->id, UPDATE_TYPE, "MDUpdateType (265) is not 0 or 1");
        return false;
    }
    if (tw_fix_part_group(&body, 267, &g))
        while (tw_fix_group_next(&g, &entry)) {
            const struct tw_fix_field *f = &m->fields[entry.first];
            enum tw_fix_entry_type type = tw_fix_entry_type(
                (struct tw_fix_text){ f->at, f->n });

            r->types |= (uint8_t)(1 << type);
        }
    if (r->types == 0 || r->types >> TW_FIX_EMPTY_ENTRY) {
        reject(peer, r->id, ENTRY_TYPE, "MDEntryType (269) is not 0, 1 or 2");
        return false;
    }
    return true;
}

static bool is_of(const struct subscription *s, struct tw_fix_text id)
{
    return s->request_n == id.n && memcmp(s->request, id.at, id.n) == 0;
}

/* All that one request has; false: it has nothing. */
static bool cancel(struct tw_fix_peer *peer, struct tw_fix_text id)
{
    struct subscription *s = peer->subscriptions, *next;
    uint64_t before = peer->stats.subscriptions;

    for (; s; s = next) {
        next = s->peers_next;
        if (is_of(s, id)) drop(s);
    }
    return peer->stats.subscriptions < before;
}

static bool add(struct tw_fix_peer *peer, const struct request *r, struct tw_fix_book *b)
{
    struct subscription *s = tw_calloc(1, sizeof *s);

    if (!s) return false;
    s->peer = peer;
    s->book = b;
    s->snapshot = true;
    s->incremental = r->incremental;
    s->once = r->kind == '0';
    s->types = r->types;
    s->depth = (uint32_t)r->depth;
    s->request_n = (uint8_t)r->id.n;
    memcpy(s->request, r->id.at, r->id.n);
    tw_depth_init(&s->sent);
    s->next = b->subscriptions;
    s->link = &b->subscriptions;
    if (s->next) s->next->link = &s->next;
    b->subscriptions = s;
    s->peers_next = peer->subscriptions;
    s->peers_link = &peer->subscriptions;
    if (s->peers_next) s->peers_next->peers_link = &s->peers_next;
    peer->subscriptions = s;
    peer->stats.subscriptions++;
    queue(s);
    return true;
}

/* The next symbol of a request and its book, or NULL; false: there is none left. */
static bool next_book(const struct tw_fix_publisher *p, struct tw_fix_group *g,
                      struct tw_fix_text *name, struct tw_fix_book **out)
{
    struct tw_fix_part entry;
    const struct tw_fix_field *f;

    if (!tw_fix_group_next(g, &entry)) return false;
    f = tw_fix_part_find(&entry, 55);
    *name = f ? (struct tw_fix_text){ f->at, f->n } : (struct tw_fix_text){ "", 0 };
    *out = f ? tw_fix_book(p, tw_symbols_find(p->o.symbols, f->at, f->n)) : NULL;
    return true;
}

static void subscribe(struct tw_fix_peer *peer, const struct tw_fix_message *m,
                      const struct request *r)
{
    struct tw_fix_part body = tw_fix_part_body(m);
    struct tw_fix_publisher *p = peer->publisher;
    struct tw_fix_text name;
    struct tw_fix_group g;
    struct tw_fix_book *b;
    uint64_t n = 0;

    for (struct subscription *s = peer->subscriptions; s; s = s->peers_next)
        if (is_of(s, r->id)) {
            reject(peer, r->id, DUPLICATE, "MDReqID (262) is in use");
            return;
        }
    if (tw_fix_part_group(&body, 146, &g))
        for (; next_book(p, &g, &name, &b); n++)
            if (!b) {
                char text[80] = "unknown symbol ", shown_name[64];

                strcat(text, tw_fix_show(name.at, name.n, shown_name,
                                         sizeof shown_name));
                reject(peer, r->id, UNKNOWN_SYMBOL, text);
                return;
            }
    if (n == 0) {
        reject(peer, r->id, UNKNOWN_SYMBOL, "no symbol (146, 55)");
        return;
    }
    if (n > p->o.subscriptions_max - peer->stats.subscriptions) {
        reject(peer, r->id, NO_ROOM, "too many subscriptions");
        return;
    }
    tw_fix_part_group(&body, 146, &g);
    while (next_book(p, &g, &name, &b)) {
        const struct subscription *last = b->subscriptions;

        /* A symbol that is there twice is served once, or who adds up what comes errs. */
        if (last && last->peer == peer && is_of(last, r->id)) continue;
        if (!add(peer, r, b)) {
            cancel(peer, r->id);
            reject(peer, r->id, NO_ROOM, "no memory");
            return;
        }
    }
}

enum tw_fix_answer tw_fix_peer_message(struct tw_fix_peer *peer,
                                       const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m);
    struct request r;

    if (code.n != 1 || !strchr("VReg", *code.at)) return TW_FIX_UNSUPPORTED;
    if (*code.at == 'e' || *code.at == 'g')
        return tw_fix_peer_asks_state(peer, m) ? TW_FIX_TAKEN : TW_FIX_UNSUPPORTED;
    if (*code.at == 'R') {
        if (!tw_fix_peer_asks_quotes(peer, m)) return TW_FIX_LATER;
    } else if (read_request(peer, m, &r)) {
        if (r.kind != '2') subscribe(peer, m, &r);
        else if (!cancel(peer, r.id))
            reject(peer, r.id, NONE, "MDReqID (262) is not in use");
    }
    tw_fix_peer_flush(peer);
    return TW_FIX_TAKEN;
}

bool tw_fix_peer_resend(const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m);

    return code.n != 1 || !strchr("WXSfh", *code.at);
}

struct tw_fix_peer_stats tw_fix_peer_stats(const struct tw_fix_peer *peer)
{
    return peer->stats;
}
