/* publisher_quotes.c - single quotes, for the peers of an acceptor: 35=R in, S b AG out.
 *
 * One request may name more symbols than a session has room for answers: they go out as
 * the peer reads.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include <string.h>

#include "base/memory.h"
#include "fix/publisher_parts.h"

enum { ASKED_MAX = 4 << 20 };                 /* bytes of requests that wait       */

/* A request, and what it names: the id, then each symbol with its length before it. */
struct tw_fix_asked {
    struct tw_fix_asked *next;
    size_t at, n, room;
    uint32_t id_n;
    char text[];
};

bool tw_fix_peer_more_room(struct tw_fix_peer *peer)
{
    struct tw_fix_publisher *p = peer->publisher;
    void *more = p->body_room < TW_FIX_MESSAGE_MAX ? tw_realloc(p->body, 2 * p->body_room)
                                                   : NULL;

    if (!more) return false;
    p->body = more;
    p->body_room *= 2;
    return true;
}

/* ---- who asks ---- */

static void put(struct tw_fix_asked *a, const char *p, uint32_t n)
{
    memcpy(a->text + a->n, &n, sizeof n);
    if (n > 0) memcpy(a->text + a->n + sizeof n, p, n);
    a->n += sizeof n + n;
}

/* Before 4.2 it has one symbol, without a group. */
bool tw_fix_peer_asks_quotes(struct tw_fix_peer *peer, const struct tw_fix_message *m)
{
    struct tw_fix_part body = tw_fix_part_body(m), entry;
    struct tw_fix_text id = tw_fix_message_body(m, 131);
    struct tw_fix_text name = tw_fix_message_body(m, 55);
    size_t room = m->length + (m->n + 1) * sizeof(uint32_t);
    struct tw_fix_asked *a;
    struct tw_fix_group g;

    if (peer->asked_bytes > ASKED_MAX) return false;
    a = tw_calloc(1, sizeof *a + room);
    if (!a) return false;
    a->room = sizeof *a + room;
    a->id_n = (uint32_t)id.n;
    if (id.n > 0) memcpy(a->text, id.at, id.n);
    a->at = a->n = id.n;
    if (tw_fix_part_group(&body, 146, &g)) {
        while (tw_fix_group_next(&g, &entry)) {
            const struct tw_fix_field *f = tw_fix_part_find(&entry, 55);

            put(a, f ? f->at : "", f ? f->n : 0);
        }
    } else if (name.n) {
        put(a, name.at, (uint32_t)name.n);
    }
    *peer->asked_end = a;
    peer->asked_end = &a->next;
    peer->asked_bytes += a->room;
    return true;
}

/* ---- answers ---- */

/* What tells of a symbol that is not known, or NULL: before 4.3 AG is none, and before
 * 4.2 there is just a quote without prices. */
static const char *put_unknown(const struct tw_fix_peer *peer, struct tw_fix_output *o,
                               struct tw_fix_text name)
{
    enum tw_fix_version version = tw_fix_dictionary_version(peer->o.dictionary);

    if (version < TW_FIX_42) return NULL;
    if (version == TW_FIX_42) {
        tw_fix_put_integer(o, 297, 5);
        tw_fix_put_integer(o, 300, 1);
        return "b";
    }
    tw_fix_put_integer(o, 658, 1);
    tw_fix_put_integer(o, 146, 1);
    tw_fix_put_text(o, 55, name.at, name.n);
    return "AG";
}

/* A side that is not there has price and size 0. */
static void put_quote(const struct tw_fix_peer *peer, struct tw_fix_output *o,
                      struct tw_fix_text name, const struct tw_fix_book *b)
{
    struct tw_quote q = { 0 };

    if (b) q = tw_depth_top(&b->depth);
    tw_fix_put_integer(o, 117, (int64_t)peer->quotes + 1);
    tw_fix_put_text(o, 55, name.at, name.n);
    tw_fix_put_fixed(o, 132, q.bid);
    tw_fix_put_fixed(o, 133, q.ask);
    if (q.bid_size || !q.bid) tw_fix_put_fixed(o, 134, q.bid_size);
    if (q.ask_size || !q.ask) tw_fix_put_fixed(o, 135, q.ask_size);
}

/* TW_EFULL: later. */
static int tell(struct tw_fix_peer *peer, struct tw_fix_text id, struct tw_fix_text name)
{
    const struct tw_fix_publisher *p = peer->publisher;
    const struct tw_fix_book *b =
        tw_fix_book(p, name.n ? tw_symbols_find(p->o.symbols, name.at, name.n) : 0);
    struct tw_fix_output o;
    const char *code;
    int rc;

    do {
        o = tw_fix_peer_begin(peer);
        if (id.n) tw_fix_put_text(&o, 131, id.at, id.n);
        code = b ? NULL : put_unknown(peer, &o, name);
        if (!code) put_quote(peer, &o, name, b);
    } while (o.error == TW_EFULL && tw_fix_peer_more_room(peer));
    rc = o.error ? TW_EFORMAT : tw_fix_peer_finish(peer, &o, code ? code : "S");
    if (rc == TW_EFULL) return rc;
    peer->quotes += !code;
    return rc;
}

static void remove_first(struct tw_fix_peer *peer)
{
    struct tw_fix_asked *a = peer->asked;

    peer->asked = a->next;
    if (!peer->asked) peer->asked_end = &peer->asked;
    peer->asked_bytes -= a->room;
    tw_free(a);
}

bool tw_fix_peer_tell_quotes(struct tw_fix_peer *peer)
{
    struct tw_fix_asked *a;

    while ((a = peer->asked)) {
        while (a->at < a->n) {
            struct tw_fix_text name = { .at = a->text + a->at + sizeof(uint32_t) };
            uint32_t n;

            memcpy(&n, a->text + a->at, sizeof n);
            name.n = n;
            if (tell(peer, (struct tw_fix_text){ a->text, a->id_n }, name) == TW_EFULL)
                return false;
            a->at += sizeof n + n;
        }
        remove_first(peer);
    }
    return true;
}

void tw_fix_peer_forget_quotes(struct tw_fix_peer *peer)
{
    while (peer->asked) remove_first(peer);
}
