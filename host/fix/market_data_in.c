/* market_data_in.c - the market data that a FIX session receives: messages to books and
 * records.
 *
 * Why: a message is believed as a whole or not at all, so its entries are noted down and
 * checked first (market_data_read.c), and books touched last.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include "fix/market_data.h"

#include <string.h>

#include "fix/market_data_parts.h"

/* ---- entries to books ---- */

/* What the records of a message have in common. */
struct common { struct tw_fix_now now; uint64_t seq; struct tw_batch *out; };

static struct tw_record *next_record(const struct tw_fix_md *md, const struct common *c,
                                     enum tw_kind kind, uint32_t symbol, int64_t time_ns)
{
    struct tw_record *r = tw_batch_next(c->out);

    r->seq = 0;
    r->time = time_ns;
    r->received = c->now.time_ns;
    r->symbol = symbol & TW_SYMBOL_MAX;
    r->source = md->o.source;
    r->kind = kind;
    r->source_seq = (uint32_t)c->seq;
    return r;
}

/* The level that an entry refers to, or TW_DEPTH_NONE. */
static uint32_t find_level(const struct tw_fix_md *md, const struct tw_depth_side *s,
                           const struct tw_fix_noted *x)
{
    uint32_t at = TW_DEPTH_NONE;

    if (tw_level_has_id(x->reference)) {
        at = tw_depth_find_id(s, x->reference);
        if (at != TW_DEPTH_NONE) return at;
    }
    if (x->level) at = x->level <= s->n ? x->level - 1 : TW_DEPTH_NONE;
    else if (x->priced) at = tw_depth_find_price(s, x->entry.price);
    else at = s->n == 1 ? 0 : TW_DEPTH_NONE;
    /* Of a book of one level a change need not say the old price. */
    if (at == TW_DEPTH_NONE && md->o.depth == 1 && x->entry.action == TW_FIX_CHANGE
        && s->n == 1)
        at = 0;
    /* A level that has an id is not meant by an entry with another one. */
    return at != TW_DEPTH_NONE && tw_level_has_id(x->reference)
        && tw_level_has_id(s->at[at].id) ? TW_DEPTH_NONE : at;
}

static int insert(struct tw_fix_md *md, struct tw_depth_side *s, uint32_t at,
                  const struct tw_depth_level *l)
{
    if (s->n >= md->o.levels_max) md->touched_all = true;   /* one has to go */
    tw_fix_md_touch(md, s, l->price);
    return tw_depth_insert(s, at, l, md->o.levels_max);
}

static void take_out(struct tw_fix_md *md, struct tw_depth_side *s, uint32_t at)
{
    tw_fix_md_touch(md, s, s->at[at].price);
    tw_depth_remove(s, at);
}

static void replace(struct tw_fix_md *md, struct tw_depth_side *s, uint32_t at,
                    const struct tw_depth_level *l)
{
    tw_fix_md_touch(md, s, s->at[at].price);
    if (s->at[at].price != l->price) tw_fix_md_touch(md, s, l->price);
    s->at[at] = *l;
}

static int put_level(struct tw_fix_md *md, struct tw_depth_side *s,
                     const struct tw_fix_noted *x, const struct tw_depth_level *l)
{
    uint32_t at = x->level ? x->level - 1 : tw_depth_place(s, l->price);

    return insert(md, s, at, l);
}

static int add(struct tw_fix_md *md, struct tw_depth_side *s,
               const struct tw_fix_noted *x)
{
    struct tw_depth_level l = { x->entry.price, x->entry.size, x->id };
    uint32_t at = TW_DEPTH_NONE;

    if (!tw_level_has_id(x->id) && (x->level ? x->level == s->n + 1 : md->o.depth != 1)
        && tw_depth_is_worst(s, l.price))
        return insert(md, s, s->n, &l);
    if (tw_level_has_id(x->id)) at = tw_depth_find_id(s, x->id);
    else if (!x->level) at = tw_depth_find_price(s, l.price);
    if (at != TW_DEPTH_NONE && tw_level_has_id(s->at[at].id) == tw_level_has_id(x->id)) {
        /* the same again */
        if (s->at[at].price == l.price || x->level == at + 1) {
            replace(md, s, at, &l);
            return TW_OK;
        }
        take_out(md, s, at);
    }
    if (md->o.depth == 1 && !tw_level_has_id(x->id)) {
        md->touched_all = true;
        s->n = 0;
    }
    return put_level(md, s, x, &l);
}

static int change(struct tw_fix_md *md, struct tw_depth_side *s, uint32_t at,
                  const struct tw_fix_noted *x)
{
    struct tw_depth_level l = s->at[at];

    if (!(x->entry.flags & TW_FIX_KEEP_PRICE)) l.price = x->entry.price;
    if (!(x->entry.flags & TW_FIX_KEEP_SIZE)) l.size = x->entry.size;
    if (tw_level_has_id(x->id)) l.id = x->id;
    if (l.price == s->at[at].price || x->level == at + 1) {
        replace(md, s, at, &l);
        return TW_OK;
    }
    take_out(md, s, at);
    return put_level(md, s, x, &l);
}

/* 279=3 and 4: the level and all that are better; or all that are worse. */
static void take_many(struct tw_fix_md *md, struct tw_depth_side *s,
                      const struct tw_fix_noted *x)
{
    uint32_t at = find_level(md, s, x), from = 0, n = s->n;

    if (at != TW_DEPTH_NONE) at += x->entry.action == TW_FIX_DELETE_THRU;
    else if (x->level) at = s->n;
    else at = x->priced ? tw_depth_place(s, x->entry.price) : s->n;
    if (x->entry.action == TW_FIX_DELETE_THRU) n = at;
    else from = at;
    md->touched_all = true;
    while (n-- > from) tw_depth_remove(s, n);
}

static int apply(struct tw_fix_md *md, struct tw_depth_side *s,
                 const struct tw_fix_noted *x)
{
    const struct tw_fix_entry *e = &x->entry;
    bool gone = e->flags & TW_FIX_GONE || (!e->flags && (e->price | e->size) == 0);
    uint32_t at;

    if (x->level) md->touched_all = true;   /* which need not stand in order */
    if (e->action == TW_FIX_DELETE_THRU || e->action == TW_FIX_DELETE_FROM) {
        take_many(md, s, x);
        return TW_OK;
    }
    if (e->action == TW_FIX_NEW && !gone) return add(md, s, x);
    at = find_level(md, s, x);
    if (at != TW_DEPTH_NONE) {
        if (!gone) return change(md, s, at, x);
        take_out(md, s, at);
        return TW_OK;
    }
    if (e->action != TW_FIX_NEW) md->stats.unknown++;
    /* A change of what is not there, but is all said, is a level. */
    return gone || e->flags ? TW_OK : put_level(md, s, x, &(struct tw_depth_level){
                                  e->price, e->size, x->id });
}

/* ---- messages to subscriptions ---- */

/* Whether 83 is the next one; false: the entry is not to be used. */
static bool is_next(struct tw_fix_md *md, const struct common *c, struct tw_fix_sub *s,
                    uint64_t report, uint64_t before)
{
    if (!report || !s->report || report == s->report + 1
        || (s->skips && report > s->report)) {
        if (report) s->report = report;
        s->gaps.between++;
        return true;
    }
    /* Entries of one message may share a number. */
    if (report == s->report && report != before) return true;
    if (report <= s->report && (report > 1 || s->report == 1)) md->stats.stale++;
    else tw_fix_md_lose_reports(md, c->now, s, report, c->out);
    return false;
}

/* Whether the message is of what was asked for last. */
static bool is_current(const struct md_fields *f, const struct tw_fix_sub *s)
{
    if (s->state != TW_FIX_MD_LIVE && s->state != TW_FIX_MD_ASKED) return false;
    if (f->has_request) return s->request == f->request;
    return s->state == TW_FIX_MD_LIVE || f->snapshot;
}

static void put_trade(struct tw_fix_md *md, const struct common *c,
                      const struct tw_fix_sub *s, const struct tw_fix_entry *e,
                      int64_t time_ns)
{
    next_record(md, c, TW_TRADE, s->symbol, time_ns)->trade = (struct tw_trade){
        .price = e->price, .size = e->size, .side = e->side, .id = e->id,
    };
}

/* The record of the best prices, where they have changed or are all said anew. */
static void put_quote(struct tw_fix_md *md, const struct common *c, struct tw_fix_sub *s,
                      bool anyway, int64_t time_ns)
{
    struct tw_quote top = tw_depth_top(&s->book);

    if (!anyway && memcmp(&top, &s->top, sizeof top) == 0) return;
    s->top = top;
    next_record(md, c, TW_QUOTE, s->symbol, time_ns)->quote = top;
}

/* What the update has changed, on the tape; false: no memory for it. */
static bool put_levels(struct tw_fix_md *md, const struct common *c, struct tw_fix_sub *s,
                       int64_t time_ns)
{
    struct tw_record like = {
        .time = time_ns, .received = c->now.time_ns, .symbol = s->symbol & TW_SYMBOL_MAX,
        .source = md->o.source, .source_seq = (uint32_t)c->seq,
    };

    return !md->o.levels || tw_fix_md_tell_levels(md, s, &like, c->out) == TW_OK;
}

/* What entries say of a book: nothing; what it changes to, which without it is nothing;
 * or what needs nothing that was there before: a snapshot, new levels, and of a book of
 * one level all of that. */
enum { NOTHING, CHANGES, BOOK };

static int said(const struct tw_fix_md *md, const struct md_fields *f,
                const struct tw_fix_noted *x, const struct tw_fix_noted *end)
{
    int what = f->empty ? BOOK : NOTHING;

    for (; x < end; x++) {
        const struct tw_fix_entry *e = &x->entry;

        if (e->type == TW_FIX_TRADE_ENTRY || e->type == TW_FIX_OTHER_ENTRY) continue;
        what = BOOK;
        if (e->type != TW_FIX_EMPTY_ENTRY && e->action != TW_FIX_NEW
            && (md->o.depth != 1 || e->flags))
            return CHANGES;
    }
    return what;
}

/* Changes of a book that has not come. */
static TW_COLD void early(struct tw_fix_md *md, const struct common *c,
                          const struct tw_fix_sub *s)
{
    md->stats.stale++;
    if (md->early) return;
    md->early = true;
    tw_fix_md_tell(md, TW_FIX_MD_PROBLEM, "%s: 35=X, message %llu: changes of"
                   " a book before it has come are not used: it begins with a snapshot"
                   " (35=W), or with an X of new levels (279=0) alone (told once)",
                   tw_symbols_name(md->o.symbols, s->symbol), (unsigned long long)c->seq);
}

/* *quote_ns: the time of the last one that the book heeds. */
static int take_entry(struct tw_fix_md *md, const struct common *c,
                      const struct md_fields *f, struct tw_fix_sub *s,
                      const struct tw_fix_noted *x, int64_t *quote_ns)
{
    const struct tw_fix_entry *e = &x->entry;
    int code;

    if (e->type == TW_FIX_TRADE_ENTRY) {
        if (e->action == TW_FIX_NEW)
            put_trade(md, c, s, e, x->time_ns ? x->time_ns : f->time_ns);
        return TW_OK;
    }
    if (e->type == TW_FIX_OTHER_ENTRY) return TW_OK;
    if (x->time_ns) *quote_ns = x->time_ns;
    if (e->type == TW_FIX_EMPTY_ENTRY) {
        tw_depth_clear(&s->book);
        md->touched_all = true;
        return TW_OK;
    }
    code = apply(md, &s->book.side[e->type], x);
    if (x->level && md->o.depth)   /* what was the last one is gone */
        tw_depth_trim(&s->book.side[e->type], md->o.depth);
    return code;
}

/* To the depth that is asked for; false: what comes next had no room. */
static bool trim(struct tw_fix_md *md, struct tw_fix_sub *s)
{
    for (int i = 0; i < 2; i++) {
        struct tw_depth_side *side = &s->book.side[i];

        if (md->o.depth && side->n > md->o.depth) {
            tw_depth_trim(side, md->o.depth);
            md->touched_all = true;
        }
        if (side->cut && side->n == 0) return false;
    }
    return true;
}

/* Entries of one symbol that follow each other. */
static void take_entries(struct tw_fix_md *md, const struct common *c,
                         const struct md_fields *f, struct tw_fix_sub *s,
                         const struct tw_fix_noted *x, const struct tw_fix_noted *end)
{
    int64_t quote_ns = f->time_ns;
    uint64_t before = s->report;
    int what = f->snapshot || s->state != TW_FIX_MD_LIVE ? said(md, f, x, end) : CHANGES;

    md->touched_n = 0;
    md->touched_all = f->snapshot;
    if (s->quote) tw_fix_md_no_quote(md, s);
    if (f->snapshot) {
        if (what == BOOK) tw_depth_clear(&s->book);
        s->report = f->report;
    }
    if (what == BOOK || !(md->o.types & (TW_FIX_MD_BIDS | TW_FIX_MD_OFFERS)))
        s->state = TW_FIX_MD_LIVE;
    else if (what == CHANGES && s->state != TW_FIX_MD_LIVE) early(md, c, s);
    for (; x < end; x++) {
        if (f->snapshot) {
            if (x->report > s->report) s->report = x->report;
        } else if (!is_next(md, c, s, x->report, before)) {
            if (s->state == TW_FIX_MD_WAITING) return;
            continue;
        }
        if (s->state != TW_FIX_MD_LIVE && x->entry.type != TW_FIX_TRADE_ENTRY) continue;
        if (take_entry(md, c, f, s, x, &quote_ns) < 0) {   /* no memory for it */
            tw_fix_md_lose(md, c->now, s, 0, 0, c->out);
            return;
        }
    }
    if (s->state != TW_FIX_MD_LIVE) return;
    if (!trim(md, s) || !put_levels(md, c, s, quote_ns)) {
        tw_fix_md_lose(md, c->now, s, 0, 0, c->out);
        return;
    }
    put_quote(md, c, s, what == BOOK, quote_ns);
}

/* The subscription that the entries are of; NULL: none. */
static struct tw_fix_sub *find_sub(struct tw_fix_md *md, const struct md_fields *f,
                                   struct tw_fix_text name)
{
    struct tw_fix_sub *s = NULL;
    uint32_t symbol;

    if (name.n) {
        symbol = tw_symbols_find(md->o.symbols, name.at, name.n);
        s = symbol ? tw_fix_md_sub(md, symbol) : NULL;
    }
    if (!s && (!name.n || (md->o.id_source && !md->instruments)) && f->has_request
        && md->o.batch == 1)
        s = tw_fix_md_of_request(md, f->request);   /* who asked for one knows it */
    if (!s) md->stats.strange++;
    return s;
}

static void take_runs(struct tw_fix_md *md, const struct common *c,
                      const struct md_fields *f)
{
    const struct tw_fix_noted *x = md->noted, *end = x + md->noted_n;

    do {
        struct tw_fix_text name = x < end ? x->entry.symbol : f->text[MD_SYMBOL];
        struct tw_fix_sub *s = find_sub(md, f, name);
        const struct tw_fix_noted *run = x;

        while (x < end
               && (x->entry.symbol.at == name.at
                   || (x->entry.symbol.n == name.n
                       && memcmp(x->entry.symbol.at, name.at, name.n) == 0)))
            x++;
        if (s && is_current(f, s)) take_entries(md, c, f, s, run, x);
        else if (s) md->stats.stale++;
    } while (x < end);
}

/* 35=W and X. */
static void take_refresh(struct tw_fix_md *md, const struct common *c,
                         const struct tw_fix_message *m, char type)
{
    struct md_fields f;
    struct tw_fix_sub *s;

    if (tw_fix_md_read(md, m, type == 'W', &f) == TW_OK) {
        if (f.snapshot || md->noted_n > 0) take_runs(md, c, &f);
        return;
    }
    md->stats.refused++;
    tw_fix_md_tell(md, TW_FIX_MD_PROBLEM, "35=%c, message %llu: %s", type,
                   (unsigned long long)c->seq, md->why);
    if (!f.text[MD_SYMBOL].n && !f.has_request) return;
    s = find_sub(md, &f, f.text[MD_SYMBOL]);
    if (s && is_current(&f, s)) tw_fix_md_lose(md, c->now, s, 0, 0, c->out);
}

enum tw_fix_md_use tw_fix_md_quote(struct tw_fix_md *md, struct tw_fix_now now,
                                   const struct tw_fix_md_sides *q, struct tw_batch *out)
{
    struct common c = { now, q->seq, out };
    struct md_fields f = { .snapshot = true };
    struct tw_fix_sub *s = find_sub(md, &f, q->symbol);
    bool late = q->until_ns <= now.time_ns;

    if (!s) return TW_FIX_MD_STRANGE;
    if (!is_current(&f, s)) {
        md->stats.stale++;
        return TW_FIX_MD_STALE;
    }
    for (int i = 0; i < q->n; i++) {
        const struct tw_fix_entry *e = &q->side[i];
        struct tw_depth_side *side = &s->book.side[e->type];
        struct tw_depth_level l = { .price = e->price, .size = e->size };
        bool gone = late || e->flags & TW_FIX_GONE || !(l.price | l.size);

        side->n = 0;
        if ((!gone && tw_depth_insert(side, 0, &l, md->o.levels_max) < 0)
            || tw_fix_md_set_until(md, s, e->type, gone ? INT64_MAX : q->until_ns) < 0) {
            tw_fix_md_lose(md, now, s, 0, 0, out);
            return TW_FIX_MD_STALE;
        }
    }
    s->state = TW_FIX_MD_LIVE;
    s->quote = s->book.side[0].n + s->book.side[1].n > 0 ? q->id : 0;
    md->touched_n = 0;
    md->touched_all = true;
    if (!put_levels(md, &c, s, q->time_ns)) {
        tw_fix_md_lose(md, now, s, 0, 0, out);
        return TW_FIX_MD_STALE;
    }
    put_quote(md, &c, s, true, q->time_ns);
    return late ? TW_FIX_MD_LATE : TW_FIX_MD_USED;
}

/* ---- messages without entries ---- */

/* Prices that come again: those of before the Logon are of requests that are over. */
static bool is_resent(const struct tw_fix_message *m, struct tw_fix_text code)
{
    return tw_fix_is(tw_fix_message_header(m, 43), "Y") && code.n == 1
        && strchr("WXSiZ", *code.at);
}

enum tw_fix_answer tw_fix_md_message(struct tw_fix_md *md, struct tw_fix_now now,
                                     const struct tw_fix_message *m,
                                     struct tw_batch *out)
{
    struct common c = { now, 0, out };
    struct tw_fix_text code = tw_fix_message_code(m);
    struct tw_fix_text of, seq;
    enum tw_fix_answer answer = TW_FIX_TAKEN;

    if (md->until_n > 0) tw_fix_md_expire(md, now, out);
    seq = tw_fix_message_header(m, 34);
    if (!seq.n || !tw_fix_integer(seq, &c.seq)) c.seq = 0;
    if (tw_fix_is(code, "AG")) {
        tw_fix_md_reject(md, now, m, 131, 658, out);
        return TW_FIX_TAKEN;
    }
    if (c.seq < md->up_seq && is_resent(m, code)) {
        md->stats.stale++;
        return TW_FIX_TAKEN;
    }
    if (!tw_fix_md_in_stream(md, now, m, out)) return TW_FIX_TAKEN;
    switch (code.n == 1 ? *code.at : 0) {
    case 'W': case 'X': take_refresh(md, &c, m, *code.at); break;
    case 'S': case 'i': case 'Z': tw_fix_md_quotes(md, now, c.seq, m, out); break;
    case 'Y': tw_fix_md_reject(md, now, m, 262, 281, out); break;
    case 'f': case 'h': tw_fix_md_status(md, now, c.seq, m, out); break;
    case 'b':                               /* in 4.2 that is what answers 35=R */
        if (tw_fix_md_of_request(md, tw_fix_md_number_of(m, 131))
            && tw_fix_md_number_of(m, 297) == 5)
            tw_fix_md_reject(md, now, m, 131, 300, out);
        else answer = TW_FIX_UNSUPPORTED;
        break;
    case 'j':
        of = tw_fix_message_body(m, 372);
        if (tw_fix_is(of, "V") || tw_fix_is(of, "R"))
            tw_fix_md_reject(md, now, m, 379, 380, out);
        else if (tw_fix_is(of, "e") || tw_fix_is(of, "g"))
            tw_fix_md_unasked(md, m, "states of trading are");
        else answer = TW_FIX_UNSUPPORTED;
        break;
    default: answer = TW_FIX_UNSUPPORTED; break;
    }
    if (md->until_n > 0) tw_fix_md_expire(md, now, out);   /* when it wakes */
    if (md->has_work) tw_fix_md_tick(md, now);
    return answer;
}
