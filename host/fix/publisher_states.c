/* publisher_states.c - whether symbols and the market trade, for the peers of an
 * acceptor: 35=e and g in, f and h out.
 *
 * What has been told of a symbol is passed on; of one that nothing was told of it is
 * known whether it has a price, and then it trades.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/publisher_parts.h"

/* A request that is to be answered, once or whenever it changes. */
struct tw_fix_watch {
    struct tw_fix_watch *next;
    uint32_t symbol;                          /* 0: the market                     */
    bool due, once, unknown;
    bool priced;                              /* when it was told last             */
    uint8_t request_n, session_n;
    char request[TW_FIX_REQUEST_ROOM];
    char session[TW_FIX_REQUEST_ROOM];        /* 336, of the market                */
    char name[TW_NAME_MAX];                   /* 55 of an unknown symbol           */
    uint8_t name_n;
};

/* ---- what is known ---- */

int tw_fix_publisher_status(struct tw_fix_publisher *p, uint32_t symbol,
                            const struct tw_status *status)
{
    struct tw_fix_book *b = symbol ? tw_fix_book(p, symbol) : NULL;
    struct tw_status *known = b ? &b->status : &p->status;
    bool *has = b ? &b->has_status : &p->has_status;

    if (symbol && !b) {
        int rc = tw_fix_publisher_list(p, symbol);

        return rc == TW_OK ? tw_fix_publisher_status(p, symbol, status) : rc;
    }
    if (*has && memcmp(known, status, sizeof *known) == 0) return TW_OK;
    *known = *status;
    *has = true;
    for (struct tw_fix_peer *peer = p->peers; peer; peer = peer->next)
        for (struct tw_fix_watch *w = peer->watches; w; w = w->next)
            w->due |= w->symbol == symbol && !w->unknown;
    return TW_OK;
}

static bool is_priced(const struct tw_fix_book *b)
{
    return b && b->depth.side[0].n + b->depth.side[1].n > 0;
}

static bool is_any_priced(const struct tw_fix_publisher *p)
{
    for (uint32_t i = 0; i < p->books_n; i++)
        if (is_priced(p->books[i])) return true;
    return false;
}

/* ---- as FIX says it ---- */

/* Whether the dictionary of the peer lets the field have that value. */
static bool may_be(const struct tw_fix_peer *peer, uint32_t tag, unsigned value)
{
    const struct tw_fix_definition *d = tw_fix_dictionary_field(peer->o.dictionary, tag);
    char text[12];
    int n = snprintf(text, sizeof text, "%u", value);

    return d && (d->choices_n == 0 || tw_fix_choice(d, text, (size_t)n));
}

/* 326 or 340: the code that came, where the version has it, or one that is meant. */
static unsigned code_of(const struct tw_fix_peer *peer, bool symbol, bool has,
                        const struct tw_status *s, bool priced)
{
    static const uint8_t of_symbol[] = {
        [TW_TRADING_HALTED] = 2, [TW_TRADING_OPEN] = 17, [TW_TRADING_CLOSED] = 18,
        [TW_TRADING_PRE_OPEN] = 21, [TW_TRADING_AUCTION] = 22, [TW_TRADING_DELAYED] = 1
    };
    static const uint8_t of_market[] = {
        [TW_TRADING_HALTED] = 1, [TW_TRADING_OPEN] = 2, [TW_TRADING_CLOSED] = 3,
        [TW_TRADING_PRE_OPEN] = 4, [TW_TRADING_PRE_CLOSE] = 5
    };
    const uint8_t *codes = symbol ? of_symbol : of_market;
    size_t n = symbol ? sizeof of_symbol : sizeof of_market;
    uint32_t tag = symbol ? 326 : 340;
    unsigned code = 0;

    if (has && s->code && may_be(peer, tag, s->code)) return s->code;
    if (has && s->status < n) code = codes[s->status];
    if (!has && priced) code = codes[TW_TRADING_OPEN];
    if (code && may_be(peer, tag, code)) return code;
    if (symbol) return 20;
    return may_be(peer, 340, 0) ? 0 : 2;
}

static bool has_member(const struct tw_fix_peer *peer, const char *code, uint32_t tag)
{
    const struct tw_fix_type *t = tw_fix_dictionary_type(peer->o.dictionary, code, 1);

    return t && tw_fix_member(&t->body, tag);
}

/* What it has prices of that it had not when it was told. */
static bool is_open_now(const struct tw_fix_publisher *p, const struct tw_fix_watch *w)
{
    const struct tw_fix_book *b = w->symbol ? tw_fix_book(p, w->symbol) : NULL;

    if (w->priced || w->unknown) return false;
    return b ? !b->has_status && is_priced(b) : !p->has_status && is_any_priced(p);
}

static int tell(struct tw_fix_peer *peer, struct tw_fix_watch *w)
{
    struct tw_fix_publisher *p = peer->publisher;
    const struct tw_fix_book *b = w->symbol ? tw_fix_book(p, w->symbol) : NULL;
    bool symbol = w->symbol || w->unknown;
    bool has = b ? b->has_status : !symbol && p->has_status;
    const struct tw_status *s = b ? &b->status : &p->status;
    const char *code = symbol ? "f" : "h";
    bool priced = symbol ? is_priced(b) : is_any_priced(p);
    struct tw_fix_output o = tw_fix_peer_begin(peer);

    tw_fix_put_text(&o, symbol ? 324 : 335, w->request, w->request_n);
    if (w->unknown) tw_fix_put_text(&o, 55, w->name, w->name_n);
    else if (b) {
        const char *name = tw_symbols_name(p->o.symbols, b->symbol);

        tw_fix_put_text(&o, 55, name, strlen(name));
    } else tw_fix_put_text(&o, 336, w->session, w->session_n);
    tw_fix_put_integer(&o, symbol ? 326 : 340, code_of(peer, symbol, has, s, priced));
    if (has_member(peer, code, 58)) {
        if (w->unknown) tw_fix_put_text(&o, 58, "unknown symbol", 14);
        else if (has && *s->text) tw_fix_put_text(&o, 58, s->text, strlen(s->text));
    }
    w->priced = priced;
    return tw_fix_peer_finish(peer, &o, code);
}

/* ---- who asks ---- */

static void remove_watch(struct tw_fix_peer *peer, struct tw_fix_watch **at)
{
    struct tw_fix_watch *w = *at;

    *at = w->next;
    peer->watches_n--;
    tw_free(w);
}

void tw_fix_peer_unwatch(struct tw_fix_peer *peer)
{
    while (peer->watches) remove_watch(peer, &peer->watches);
}

bool tw_fix_peer_tell_states(struct tw_fix_peer *peer)
{
    struct tw_fix_watch **at = &peer->watches;

    while (*at) {
        struct tw_fix_watch *w = *at;

        w->due |= is_open_now(peer->publisher, w);
        if (w->due && tell(peer, w) == TW_EFULL) return false;
        w->due = false;
        if (w->once) remove_watch(peer, at);
        else at = &w->next;
    }
    return true;
}

/* The request of that id is over. */
static void forget(struct tw_fix_peer *peer, bool market, struct tw_fix_text id)
{
    struct tw_fix_watch **at = &peer->watches;

    while (*at) {
        struct tw_fix_watch *w = *at;

        if (market == (w->symbol == 0 && !w->unknown) && w->request_n == id.n
            && memcmp(w->request, id.at, id.n) == 0)
            remove_watch(peer, at);
        else at = &w->next;
    }
}

bool tw_fix_peer_asks_state(struct tw_fix_peer *peer, const struct tw_fix_message *m)
{
    struct tw_fix_publisher *p = peer->publisher;
    bool market = *tw_fix_message_code(m).at == 'g';
    struct tw_fix_text id = tw_fix_message_body(m, market ? 335 : 324);
    struct tw_fix_text name = tw_fix_message_body(m, 55);
    struct tw_fix_text session = tw_fix_message_body(m, 336);
    struct tw_fix_text kind = tw_fix_message_body(m, 263);
    struct tw_fix_watch ask = { .due = true }, *w, **end = &peer->watches;

    if (id.n > TW_FIX_REQUEST_ROOM || name.n > TW_NAME_MAX) return false;
    forget(peer, market, id);
    if (kind.n == 1 && *kind.at == '2') return true;
    ask.request_n = (uint8_t)id.n;
    memcpy(ask.request, id.n ? id.at : "", id.n);
    if (!session.n || session.n > TW_FIX_REQUEST_ROOM)
        session = (struct tw_fix_text){ "1", 1 };
    ask.session_n = (uint8_t)session.n;
    memcpy(ask.session, session.at, session.n);
    if (!market) {
        ask.symbol = name.n ? tw_symbols_find(p->o.symbols, name.at, name.n) : 0;
        ask.unknown = !tw_fix_book(p, ask.symbol) || ask.symbol == 0;
        ask.name_n = (uint8_t)name.n;
        memcpy(ask.name, name.n ? name.at : "", name.n);
        if (ask.unknown) ask.symbol = 0;
    }
    ask.once = ask.unknown || !(kind.n == 1 && *kind.at == '1');
    w = peer->watches_n < p->o.subscriptions_max ? tw_calloc(1, sizeof *w) : NULL;
    if (!w) {   /* no room: it is answered, but hears of no change */
        tell(peer, &ask);
        return true;
    }
    *w = ask;
    while (*end) end = &(*end)->next;
    *end = w;
    peer->watches_n++;
    tw_fix_peer_tell_states(peer);
    return true;
}
