/* market_data_quotes.c - quotes that a FIX session receives: one (35=S), many (i), or
 * that they are taken back (Z), and their acknowledgement (AI, b) where
 * QuoteResponseLevel (301) asks for it.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include <stdio.h>
#include <string.h>

#include "base/hashed.h"
#include "fix/market_data_parts.h"

/* QuoteRejectReason (300) and QuoteEntryRejectReason (368). */
enum { ACCEPTED = 0, UNKNOWN_SYMBOL = 1, TOO_LATE = 4, INVALID_PRICE = 8 };

/* Of a QuoteID: never 0. */
static uint64_t hash_of(const struct tw_fix_message *m)
{
    struct tw_fix_text id = tw_fix_message_body(m, 117);

    return tw_hash(TW_HASH, id.at, id.n) | 1;
}

/* ---- until when ---- */

/* What 62 or 367 of a part says; not there: it stays.  TW_FIX_UNUSABLE: md->why says. */
static int read_until(struct tw_fix_md *md, const struct tw_fix_part *p, int32_t tag,
                      int64_t *out)
{
    const struct tw_fix_field *f = tw_fix_part_find(p, tag);
    struct tw_fix_text text = { "", 0 };

    if (f) text = (struct tw_fix_text){ f->at, f->n };
    if (f && tw_fix_time(&md->clock, text, out))
        return tw_fix_refuse(md->why, tag == 62 ? "62=%s is not a time"
                                                : "367=%s is not a time", text);
    return TW_OK;
}

/* ---- sides ---- */

/* The fields of a part, but in its groups: as tw_fix_quote_read wants them. */
static uint32_t fields_of(const struct tw_fix_part *p, struct tw_fix_text text[MD_FIELDS])
{
    uint32_t seen = 0;

    text[MD_SYMBOL] = (struct tw_fix_text){ "", 0 };
    for (uint32_t i = p->first; i < p->end; i = tw_fix_part_after(p, i)) {
        const struct tw_fix_field *f = &p->message->fields[i];
        enum tw_fix_md_field field = tw_fix_md_field((uint32_t)f->tag);

        if (field == MD_OTHER || seen & MD_BIT(field)) continue;
        text[field] = (struct tw_fix_text){ f->at, f->n };
        seen |= MD_BIT(field);
    }
    return seen;
}

static int check_prices(struct tw_fix_md *md, const struct tw_fix_md_sides *q)
{
    for (int i = 0; i < q->n; i++)
        if (q->side[i].price == 0 && q->side[i].size != 0)
            return tw_fix_refuse(md->why, "a price of 0%s",
                                 (struct tw_fix_text){ "", 0 });
    return TW_OK;
}

/* Takes the quote that the part is, whose sides the fields say; why not, as 300 has
 * it. */
static int take(struct tw_fix_md *md, struct tw_fix_now now, struct tw_fix_md_sides *q,
                const struct tw_fix_part *p, const struct tw_fix_text text[MD_FIELDS],
                uint32_t seen, struct tw_batch *out)
{
    q->symbol = text[MD_SYMBOL];
    if (md->instruments)
        q->symbol = tw_fix_md_name_of(md, tw_fix_md_of_part(
            md, q->symbol, p, tw_fix_md_number_of(p->message, 131)));
    q->n = tw_fix_quote_read(text, seen, q->side, md->why);
    if (q->n < 0 || check_prices(md, q) < 0 || read_until(md, p, 62, &q->until_ns) < 0)
        return INVALID_PRICE;
    switch (tw_fix_md_quote(md, now, q, out)) {
    case TW_FIX_MD_USED: return ACCEPTED;
    case TW_FIX_MD_STRANGE: return UNKNOWN_SYMBOL;
    default: return TOO_LATE;
    }
}

/* ---- acknowledgements ---- */

static struct tw_fix_output begin(struct tw_fix_md *md, const struct tw_fix_message *m)
{
    struct tw_fix_output o = {
        .at = md->body, .start = md->body, .end = md->body + md->body_room
    };
    struct tw_fix_text asked = tw_fix_message_body(m, 131);
    struct tw_fix_text id = tw_fix_message_body(m, 117);

    if (asked.n) tw_fix_put_text(&o, 131, asked.at, asked.n);
    if (id.n) tw_fix_put_text(&o, 117, id.at, id.n);
    return o;
}

/* What is lost is said. */
static void finish(struct tw_fix_md *md, const struct tw_fix_output *o, const char *code)
{
    int rc = o->error ? o->error
                      : md->o.send(md->o.ctx, code, o->start, (size_t)(o->at - o->start));

    if (rc < 0)
        tw_fix_md_tell(md, TW_FIX_MD_PROBLEM, "an acknowledgement (35=%s) of quotes"
                       " was not sent: %s", code, tw_strerror(rc));
}

static bool has_type(const struct tw_fix_message *m, const char *code)
{
    return tw_fix_dictionary_type(m->dictionary, code, strlen(code)) != NULL;
}

/* Whether 301 wants to hear of a result. */
static bool is_asked(const struct tw_fix_message *m, bool fine)
{
    uint64_t level = tw_fix_md_number_of(m, 301);

    return level >= 2 || (level == 1 && !fine);
}

static bool has_reason(const struct tw_fix_message *m, const char *code)
{
    const struct tw_fix_type *t = tw_fix_dictionary_type(m->dictionary, code,
                                                         strlen(code));

    return t && tw_fix_member(&t->body, 300);
}

/* 35=AI; before 4.3 it is b. */
static void answer_quote(struct tw_fix_md *md, const struct tw_fix_message *m, int reason)
{
    const char *code = has_type(m, "AI") ? "AI" : "b";
    struct tw_fix_text symbol = tw_fix_message_body(m, 55);
    struct tw_fix_output o;

    if (!is_asked(m, reason == ACCEPTED) || !has_type(m, code)) return;
    o = begin(md, m);
    if (code[1] && symbol.n) tw_fix_put_text(&o, 55, symbol.at, symbol.n);
    tw_fix_put_integer(&o, 297, reason == ACCEPTED ? 0 : 5);
    if (reason != ACCEPTED && has_reason(m, code)) tw_fix_put_integer(&o, 300, reason);
    finish(md, &o, code);
}

/* ---- 35=S ---- */

static void problem(struct tw_fix_md *md, const struct tw_fix_message *m, uint64_t seq)
{
    md->stats.refused++;
    tw_fix_md_tell(md, TW_FIX_MD_PROBLEM, "35=%c, message %llu: %s",
                   *tw_fix_message_code(m).at, (unsigned long long)seq, md->why);
}

static void take_quote(struct tw_fix_md *md, struct tw_fix_now now,
                       struct tw_fix_md_sides *q, const struct tw_fix_message *m,
                       struct tw_batch *out)
{
    struct tw_fix_part body = { m, NULL, m->body, m->trailer };   /* it has no groups */
    struct tw_fix_text text[MD_FIELDS];
    uint32_t seen = fields_of(&body, text);
    int reason = take(md, now, q, &body, text, seen, out);

    if (reason == INVALID_PRICE) problem(md, m, q->seq);
    answer_quote(md, m, reason);
}

/* ---- 35=i ---- */

struct wrong { struct tw_fix_text set, entry; int reason; };

enum { WRONG_MAX = 32 };        /* that an acknowledgement names */

/* What became of a mass quote. */
struct mass { uint64_t entries, refused; struct wrong wrong[WRONG_MAX]; unsigned n; };

static struct tw_fix_text text_of(const struct tw_fix_part *p, int32_t tag)
{
    const struct tw_fix_field *f = tw_fix_part_find(p, tag);

    return f ? (struct tw_fix_text){ f->at, f->n } : (struct tw_fix_text){ "", 0 };
}

static void take_set(struct tw_fix_md *md, struct tw_fix_now now,
                     struct tw_fix_md_sides *q, const struct tw_fix_message *m,
                     const struct tw_fix_part *set, struct mass *r, struct tw_batch *out)
{
    static const int32_t tags[] = { 293, 294 };
    static const enum tw_fix_md_field price[] = { MD_BID, MD_OFFER },
                                      size[] = { MD_BID_SIZE, MD_OFFER_SIZE };
    int64_t until_ns = INT64_MAX;
    bool timed = read_until(md, set, 367, &until_ns) == TW_OK;
    struct tw_fix_part entry;
    struct tw_fix_group g;

    if (!tw_fix_part_group(set, 295, &g)) return;
    while (tw_fix_group_next(&g, &entry)) {
        struct tw_fix_text text[MD_FIELDS];
        uint32_t seen = fields_of(&entry, text);
        int reason = INVALID_PRICE;

        for (int i = 0; i < 2; i++) {   /* sizes that the head says for all */
            struct tw_fix_text usual = tw_fix_message_body(m, tags[i]);

            if (!usual.n || seen & MD_BIT(size[i]) || !(seen & MD_BIT(price[i])))
                continue;
            text[size[i]] = usual;
            seen |= MD_BIT(size[i]);
        }
        q->until_ns = until_ns;
        if (timed) reason = take(md, now, q, &entry, text, seen, out);
        r->entries++;
        if (reason == ACCEPTED) continue;
        if (reason == INVALID_PRICE && r->refused == 0) problem(md, m, q->seq);
        r->refused++;
        if (r->n < WRONG_MAX)
            r->wrong[r->n++] = (struct wrong){ text_of(set, 302), text_of(&entry, 299),
                                               reason };
    }
}

/* With the first n that were refused: a set for each, which all versions can say. */
static struct tw_fix_output write_mass(struct tw_fix_md *md,
                                       const struct tw_fix_message *m,
                                       const struct mass *r, unsigned n)
{
    struct tw_fix_output o = begin(md, m);

    tw_fix_put_integer(&o, 297, r->refused == r->entries ? 5 : 0);
    if (r->n > 0 && r->refused == r->entries)
        tw_fix_put_integer(&o, 300, r->wrong[0].reason);
    if (n > 0) tw_fix_put_integer(&o, 296, n);
    for (unsigned i = 0; i < n; i++) {
        tw_fix_put_text(&o, 302, r->wrong[i].set.at, r->wrong[i].set.n);
        tw_fix_put_integer(&o, 304, 1);
        tw_fix_put_integer(&o, 295, 1);
        tw_fix_put_text(&o, 299, r->wrong[i].entry.at, r->wrong[i].entry.n);
        tw_fix_put_integer(&o, 368, r->wrong[i].reason);
    }
    return o;
}

/* 35=b, whose names of entries may be longer than there is room for. */
static void answer_mass(struct tw_fix_md *md, const struct tw_fix_message *m,
                        const struct mass *r)
{
    bool fine = r->entries > 0 && r->refused == 0;
    struct tw_fix_output o;
    unsigned n = r->n;

    if (!is_asked(m, fine) || !has_type(m, "b")) return;
    o = write_mass(md, m, r, n);
    while (o.error && n > 0) o = write_mass(md, m, r, n /= 2);
    finish(md, &o, "b");
}

static void take_mass(struct tw_fix_md *md, struct tw_fix_now now,
                      struct tw_fix_md_sides *q, const struct tw_fix_message *m,
                      struct tw_batch *out)
{
    struct tw_fix_part body = tw_fix_part_body(m), set;
    struct mass r = { .entries = 0 };
    struct tw_fix_group g;

    if (tw_fix_part_group(&body, 296, &g))
        while (tw_fix_group_next(&g, &set)) take_set(md, now, q, m, &set, &r, out);
    if (r.entries == 0) {
        snprintf(md->why, sizeof md->why, "no quotes in it (296, 295)");
        problem(md, m, q->seq);
    }
    answer_mass(md, m, &r);
}

/* ---- 35=Z ---- */

/* QuoteCancelType (298). */
enum { SYMBOLS = 1, ALL = 4, ONE_QUOTE = 5 };

/* False: it has no quote. */
static bool cancel(struct tw_fix_md *md, struct tw_fix_now now, struct tw_fix_md_sides *q,
                   struct tw_fix_sub *s, struct tw_batch *out)
{
    if (!s || !s->quote) return false;
    q->symbol = tw_fix_md_name_of(md, s);
    for (q->n = 0; q->n < 2; q->n++)
        q->side[q->n] = (struct tw_fix_entry){ .type = (uint8_t)q->n,
                                               .flags = TW_FIX_GONE };
    tw_fix_md_quote(md, now, q, out);
    return true;
}

/* Those of the symbols that it names; *symbol: the first one.  *nameless: an entry has
 * none. */
static uint64_t cancel_symbols(struct tw_fix_md *md, struct tw_fix_now now,
                               struct tw_fix_md_sides *q, const struct tw_fix_message *m,
                               struct tw_fix_text *symbol, bool *nameless,
                               struct tw_batch *out)
{
    struct tw_fix_part body = tw_fix_part_body(m), entry;
    struct tw_fix_group g;
    uint64_t n = 0, entries = 0;

    *nameless = !tw_fix_part_group(&body, 295, &g);
    if (*nameless) return 0;
    while (tw_fix_group_next(&g, &entry)) {
        struct tw_fix_text name = text_of(&entry, 55);
        struct tw_fix_sub *s = tw_fix_md_of_part(md, name, &entry,
                                                 tw_fix_md_number_of(m, 131));

        if (!symbol->n) *symbol = name;
        *nameless |= !name.n;
        entries++;
        n += cancel(md, now, q, s, out);
    }
    *nameless |= entries < g.count;   /* one begins with its symbol */
    return n;
}

/* All of them, or those of an id. */
static uint64_t cancel_all(struct tw_fix_md *md, struct tw_fix_now now,
                           struct tw_fix_md_sides *q, uint64_t id, struct tw_batch *out)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < md->subs_n; i++)
        if (id == 0 || md->subs[i].quote == id)
            n += cancel(md, now, q, &md->subs[i], out);
    return n;
}

/* 35=AI, of one symbol or none; before 4.3 it is b. */
static void answer_cancel(struct tw_fix_md *md, const struct tw_fix_message *m,
                          uint64_t type, struct tw_fix_text symbol, bool fine)
{
    const char *code = has_type(m, "AI") ? "AI" : "b";
    int64_t status = type <= ALL ? (int64_t)type : SYMBOLS;
    struct tw_fix_output o;

    if (!is_asked(m, fine) || !has_type(m, code)) return;
    if (!symbol.n) symbol = (struct tw_fix_text){ "[N/A]", 5 };
    o = begin(md, m);
    if (code[1]) tw_fix_put_text(&o, 55, symbol.at, symbol.n);
    tw_fix_put_integer(&o, 297, fine ? status : code[1] ? 9 : 5);
    finish(md, &o, code);
}

/* It names quotes by something else than their symbols or their id: any may be gone, and
 * all are asked for again. */
static void lose(struct tw_fix_md *md, struct tw_fix_now now, uint64_t seq, uint64_t type,
                 struct tw_batch *out)
{
    tw_fix_md_tell(md, TW_FIX_MD_PROBLEM, "35=Z, message %llu: of which symbols quotes"
                   " are taken back nobody here can tell (298=%llu): all are asked for"
                   " again", (unsigned long long)seq, (unsigned long long)type);
    for (uint32_t i = 0; i < md->subs_n; i++) tw_fix_md_slow_down(&md->subs[i], now);
    tw_fix_md_lose_all(md, now, 0, 0, NULL, out);
}

static void take_cancel(struct tw_fix_md *md, struct tw_fix_now now,
                        struct tw_fix_md_sides *q, const struct tw_fix_message *m,
                        struct tw_batch *out)
{
    uint64_t type = tw_fix_md_number_of(m, 298), n;
    struct tw_fix_text symbol = { "", 0 };
    bool nameless = false;

    n = type == ALL ? cancel_all(md, now, q, 0, out)
                    : cancel_symbols(md, now, q, m, &symbol, &nameless, out);
    if (type == ONE_QUOTE && !symbol.n && tw_fix_message_body(m, 117).n)
        n = cancel_all(md, now, q, hash_of(m), out);
    else if (nameless || (type != ALL && !symbol.n)) {
        lose(md, now, q->seq, type, out);
        n = 1;
    }
    answer_cancel(md, m, type, symbol, n > 0 || type == ALL);
}

void tw_fix_md_quotes(struct tw_fix_md *md, struct tw_fix_now now, uint64_t seq,
                      const struct tw_fix_message *m, struct tw_batch *out)
{
    struct tw_fix_md_sides q = { .seq = seq, .until_ns = INT64_MAX, .id = hash_of(m) };

    if (tw_fix_md_time(md, m, &q.time_ns) < 0) problem(md, m, seq);
    else if (*tw_fix_message_code(m).at == 'Z') take_cancel(md, now, &q, m, out);
    else if (*tw_fix_message_code(m).at == 'S') take_quote(md, now, &q, m, out);
    else take_mass(md, now, &q, m, out);
}
