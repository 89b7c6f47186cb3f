/* fix_market.c - the market data of one FIX message: fields to records.
 *
 * Why: a message is believed as a whole or not at all, so its fields are only
 * noted down first, its entries checked next, and the quotes touched last.
 *
 * What the messages mean here
 *   35=W  a snapshot.  Its best bid and offer replace the symbol's quote, and
 *         a side that it does not have is empty.  With trades or entries of
 *         other types alone it says nothing of the quote; with 268=0 the quote
 *         is empty.
 *   35=X  an update, entry by entry; sides that it does not name stay.
 *   35=S  a quote: 132 with 134, 133 with 135, one side or both; the other
 *         stays.
 *   269   0, 1, 2 and J (empty book) are used, other types passed over.
 *   279   0 when it is not there, and nothing else in a snapshot.  A trade that
 *         is changed or deleted did not happen now: it makes no record.
 *   290, 1023  an entry below the first level is checked and passed over.
 *   278   of a trade is its id when it is a number.
 *   60    may stand in each entry, and 779 in a snapshot; the last one counts.
 * What a price or a size that is not said means
 *   Indicative and FX quotes say no sizes: a bid or offer without 271, 134 or
 *   135 is there with size 0, which stands for "not known".  A size that is
 *   said to be 0 is a side that is not there, and so is a price of 0 without a
 *   size.  A size needs a price, and a trade both.  A delete needs neither.
 *   A change keeps what it does not say; when there is nothing to keep, the
 *   side is still not there.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#include "feed/fix_market.h"

#include <stdio.h>
#include <uv.h>

#include "base/fixed.h"
#include "base/memory.h"


/* What is noted down of a message. */
struct fields {
    uint32_t seen;               /* MD_BIT(field): text[field] is set     */
    bool snapshot;               /* 35=W                                  */
    bool counted, entered;       /* 268 came; the first entry has begun   */
    uint32_t group;              /* the tag that begins an entry          */
    uint64_t left;               /* entries to come                       */
    struct tw_fix_text text[MD_FIELDS];
};

/* The SOHs of a message, one after the other. */
struct marks {
    const char *base;                /* of the 64 bytes that word is about */
    const uint64_t *index;
    uint64_t word;                   /* those to come                      */
};

int tw_fix_market_init(struct tw_fix_market *m, struct tw_symbols *symbols,
                       uint8_t source, size_t max_message)
{
    enum { ENTRIES = 64, QUOTES = 1024 };

    *m = (struct tw_fix_market){ .symbols = symbols, .source = source };
    m->soh = tw_calloc(TW_FIX_INDEX(max_message), sizeof *m->soh);
    m->entries = tw_calloc(ENTRIES, sizeof *m->entries);
    m->quotes = tw_calloc(QUOTES, sizeof *m->quotes);
    if (!m->soh || !m->entries || !m->quotes) return UV_ENOMEM;
    for (int i = 0; i <= TW_FIX_GUESSES; i++)
        m->guesses[i].bytes = 1;   /* no match: see guess_again */
    tw_fix_clock_init(&m->clock);
    m->entries_max = ENTRIES;
    m->quotes_n = QUOTES;
    return TW_OK;
}

void tw_fix_market_fini(struct tw_fix_market *m)
{
    tw_free(m->soh);
    tw_free(m->entries);
    tw_free(m->quotes);
}

void tw_fix_market_reset(struct tw_fix_market *m)
{
    memset(m->quotes, 0, m->quotes_n * sizeof *m->quotes);
}

/* Says why the message is refused; the text is printed for %s. */
static int refuse(struct tw_fix_market *m, const char *format, struct tw_fix_text t)
{
    return tw_fix_refuse(m->why, format, t);
}

static const struct tw_fix_text nothing = { "", 0 };

/* ---- fields to entries ---- */

/* The next SOH: there is one before the end, since the body ends with it. */
static inline const char *next_mark(struct marks *s)
{
    size_t bit;

    if (s->word == 0) {
        do {
            s->word = *++s->index;
            s->base += 64;
        } while (s->word == 0);
    }
    bit = (size_t)__builtin_ctzll(s->word);
    s->word &= s->word - 1;
    return s->base + bit;
}

/* The tag at p; its length, or 0 when there is none with an '=' behind it. */
static size_t read_tag(const char *p, uint32_t *tag)
{
    size_t n = 0;

    for (*tag = 0; n < 7 && p[n] >= '0' && p[n] <= '9'; n++)
        *tag = *tag * 10 + (uint32_t)(p[n] - '0');
    return p[n] == '=' ? n : 0;
}

/* Messages of a feed are alike: the n-th field has mostly the tag that it had
 * in the last one, and then one comparison tells.  False: no tag is there. */
static TW_FIX_RARE bool guess_again(struct tw_fix_guess *g, const char *p)
{
    size_t n = read_tag(p, &g->tag);

    if (n == 0) {
        g->mask = 0;   /* which matches nothing */
        g->bytes = 1;
        return false;
    }
    g->mask = UINT64_MAX >> (8 * (7 - n));
    g->bytes = tw_fix_word(p) & g->mask;
    g->length = (uint32_t)n + 1;
    g->field = tw_fix_md_field(g->tag);
    g->stops = MD_BIT(g->field);
    g->sets = g->stops & ~(MD_BIT(MD_OTHER) | MD_BIT(MD_DATA) | MD_BIT(MD_TRANSACT));
    return true;
}

/* Where the data field at p ends that `length` bytes are said to be in. */
static TW_FIX_RARE const char *pass_data(struct tw_fix_market *m, const char *p,
                                         const char *end, struct tw_fix_text length)
{
    uint32_t tag;
    uint64_t n;
    size_t head = p < end ? read_tag(p, &tag) + 1 : 0;

    if (head > 1 && tw_fix_integer(length, &n) && n < (uint64_t)(end - p - head) &&
        p[head + n] == TW_FIX_SOH)
        return p + head + n;
    refuse(m, "%s is not the length of the next field", length);
    return NULL;
}

/* Where the next entry is noted when there is no room; NULL: no memory. */
static TW_FIX_RARE struct tw_fix_entry *more_entries(struct tw_fix_market *m)
{
    void *more = tw_grow(m->entries, &m->entries_max, 0, sizeof *m->entries);

    if (!more) return NULL;
    m->entries = more;
    return &m->entries[m->entries_n];
}

/* Checks the entry that ends here and keeps it when it is of use. */
static inline __attribute__((always_inline))
int close_entry(struct tw_fix_market *m, const struct fields *f, uint32_t seen)
{
    struct tw_fix_entry *e = m->entries_n < m->entries_max ? &m->entries[m->entries_n]
                                                           : more_entries(m);
    uint64_t level;
    int code;

    if (!e) return refuse(m, "no memory for its entries%s", nothing);
    code = tw_fix_entry_read(f->text, seen, f->snapshot ? TW_FIX_NEW : TW_FIX_DELETE, e,
                             &level, m->why);
    if (code < 0) return code;
    e->symbol.at = f->text[MD_SYMBOL].at;
    e->symbol.n = f->text[MD_SYMBOL].n;
    if (e->type == TW_FIX_OTHER_ENTRY) return TW_OK;
    if (e->type == TW_FIX_TRADE_ENTRY ? e->action != TW_FIX_NEW : level > 1) return TW_OK;
    m->entries_n++;
    return TW_OK;
}

/* A field came that cannot come now. */
static TW_FIX_RARE int refuse_field(struct tw_fix_market *m,
                                    const struct tw_fix_guess *g, bool entered,
                                    struct tw_fix_text value)
{
    bool stray = !entered && MD_ENTRY_ONLY & MD_BIT(g->field);
    char format[40];

    snprintf(format, sizeof format, "%u=%%s %s", g->tag,
             stray ? "is in no entry" : "stands there again");
    return refuse(m, format, value);
}

/* Notes the fields in p[0, end); those of a group's entries become entries.
 * Most fields are just noted.  `stop` has a bit for those that mean more now:
 * what was seen already, 268, lengths of data, and the tag that begins an
 * entry; before the first entry also what belongs into one. */
static int read_fields(struct tw_fix_market *m, struct fields *f, struct marks s,
                       const char *p, const char *end)
{
    uint32_t stop = MD_ENTRY_ONLY | MD_BIT(MD_COUNT) | MD_BIT(MD_DATA), bit;
    struct tw_fix_guess *g = m->guesses;

    for (; p < end; g++) {
        const char *at = next_mark(&s);
        struct tw_fix_text value;

        if ((tw_fix_word(p) & g->mask) != g->bytes) {
            if (g == m->guesses + TW_FIX_GUESSES) g = m->guesses;
            if (!guess_again(g, p)) {
                value = (struct tw_fix_text){ p, (size_t)(at - p) };
                refuse(m, "'%s' is not tag=value", value);
                return TW_FIX_NO_FIELDS;
            }
        }
        value.at = p + g->length;
        value.n = (size_t)(at - value.at);
        p = at + 1;
        if (stop & g->stops) {
            if (g->tag == f->group) {
                if (f->entered && close_entry(m, f, stop)) return TW_FIX_UNUSABLE;
                if (f->left-- == 0)
                    return refuse(m, "268=%s but more entries", f->text[MD_COUNT]);
                f->entered = true;
                stop = (stop & (~MD_ENTRY | MD_BIT(MD_DATA))) | g->stops;
            } else if (g->field == MD_COUNT && !f->counted) {
                if (!tw_fix_integer(value, &f->left))
                    return refuse(m, "268=%s is not a number", value);
                f->counted = true;
                if (f->left > 0 && p < end) {
                    f->group = g[1].tag;
                    if ((tw_fix_word(p) & g[1].mask) != g[1].bytes)
                        read_tag(p, &f->group);
                    bit = MD_BIT(tw_fix_md_field(f->group));
                    if (bit & (MD_BIT(MD_COUNT) | MD_BIT(MD_DATA)))
                        return refuse(m, "268=%s and then no entry", value);
                    stop |= bit;
                }
            } else if (g->field == MD_DATA) {
                const char *past = pass_data(m, p, end, value);

                if (!past) return TW_FIX_UNUSABLE;
                do at = next_mark(&s); while (at < past);
                p = at + 1;
            } else if (g->field != MD_OTHER) {
                return refuse_field(m, g, f->entered, value);
            }
        }
        f->text[g->field] = value;
        stop |= g->sets;
    }
    if (f->entered && close_entry(m, f, stop)) return TW_FIX_UNUSABLE;
    if (f->left > 0) return refuse(m, "268=%s but fewer entries", f->text[MD_COUNT]);
    f->seen = stop;
    return TW_OK;
}

/* Sets *id to that of a name, with room for its quote. */
static __attribute__((noinline))
int intern(struct tw_fix_market *m, struct tw_fix_text name, uint32_t *id)
{
    int64_t code;

    if (name.n == 0) return refuse(m, "no Symbol (55)%s", nothing);
    code = tw_symbols_intern(m->symbols, name.at, name.n);
    if (code < 0) {
        char format[80];

        snprintf(format, sizeof format, "55=%%s: %s", tw_strerror((int)code));
        return refuse(m, format, name);
    }
    *id = (uint32_t)code;
    if (*id >= m->quotes_n) {
        uint32_t n = 2 * *id;
        void *more = tw_realloc(m->quotes, n * sizeof *m->quotes);

        if (!more) return refuse(m, "55=%s: no memory for its quote", name);
        m->quotes = more;
        memset(m->quotes + m->quotes_n, 0, (n - m->quotes_n) * sizeof *m->quotes);
        m->quotes_n = n;
    }
    return TW_OK;
}

/* Most names come again and are short: one word, which is compared at once. */
static inline int find_symbol(struct tw_fix_market *m, struct tw_fix_text name,
                              uint32_t *id)
{
    struct tw_fix_recent *r;
    uint64_t w;

    if (name.n > 7) return intern(m, name, id);
    w = tw_fix_word(name.at) & UINT64_MAX >> (56 - 8 * name.n);
    r = &m->recent[w * UINT64_C(0xbf58476d1ce4e5b9) >> (64 - TW_FIX_RECENT_BITS)];
    if (r->name != w) {
        uint32_t found;

        if (intern(m, name, &found)) return TW_FIX_UNUSABLE;
        r->name = w;
        r->id = found;
    }
    *id = (uint32_t)r->id;
    return TW_OK;
}

/* Gives each entry its symbol's id. */
static int find_symbols(struct tw_fix_market *m)
{
    struct tw_fix_entry *e = m->entries, *end = e + m->entries_n;
    const char *last = NULL;
    uint32_t id = 0;

    for (; e < end; e++) {
        if (e->symbol.at != last) {
            last = e->symbol.at;
            if (find_symbol(m, e->symbol, &id)) return TW_FIX_UNUSABLE;
        }
        e->symbol_id = id;
    }
    return TW_OK;
}

/* ---- entries to records ---- */

struct side { int64_t price, size; };

static inline bool there(struct side s) { return (s.price | s.size) != 0; }

/* One side of a quote after e.  better: 1 when a higher price is, -1 when a
 * lower one is, and the entry only counts if it is; 0 when it counts anyway. */
static inline struct side next_side(struct side old, const struct tw_fix_entry *e,
                                    int better)
{
    struct side new = { e->price, e->size };

    if (better && e->flags & TW_FIX_GONE) return old;
    if (better && there(old) && (better > 0 ? e->price <= old.price
                                            : e->price >= old.price))
        return old;
    if (e->flags) {
        if (e->flags & TW_FIX_GONE || !there(old)) return (struct side){0};
        if (e->flags & TW_FIX_KEEP_PRICE) new.price = old.price;
        if (e->flags & TW_FIX_KEEP_SIZE) new.size = old.size;
    }
    return new;
}

/* What a message's records have in common. */
struct common { int64_t time; uint32_t source, source_seq; int64_t received; };

static inline struct tw_record *next_record(struct tw_batch *out,
                                            const struct common *like,
                                            enum tw_kind kind, uint32_t symbol)
{
    struct tw_record *r = tw_batch_next(out);

    r->seq = 0;
    r->time = like->time;
    r->received = like->received;
    r->symbol = symbol & TW_SYMBOL_MAX;
    r->source = like->source;
    r->kind = kind;
    r->source_seq = like->source_seq;
    return r;
}

static int write_records(struct tw_fix_market *m, const struct common *like,
                         bool snapshot, struct tw_batch *out)
{
    const struct tw_fix_entry *e = m->entries, *end = e + m->entries_n;
    int n = 0;

    while (e < end) {
        uint32_t symbol = e->symbol_id;
        struct tw_quote *q = &m->quotes[symbol];
        struct side bid = {0}, ask = {0};
        bool quoted = false;
        struct tw_record *r;

        if (!snapshot) {
            bid = (struct side){ q->bid, q->bid_size };
            ask = (struct side){ q->ask, q->ask_size };
        }

        for (; e < end && e->symbol_id == symbol; e++) {
            switch ((enum tw_fix_entry_type)e->type) {
            case TW_FIX_BID_ENTRY:
                bid = next_side(bid, e, snapshot);
                break;
            case TW_FIX_OFFER_ENTRY:
                ask = next_side(ask, e, -(int)snapshot);
                break;
            case TW_FIX_TRADE_ENTRY:
                r = next_record(out, like, TW_TRADE, symbol);
                r->trade = (struct tw_trade){
                    .price = e->price, .size = e->size, .side = e->side, .id = e->id,
                };
                n++;
                continue;
            default:
                bid = ask = (struct side){0};
                break;
            }
            quoted = true;
        }
        if (!quoted) continue;
        r = next_record(out, like, TW_QUOTE, symbol);
        q->bid = r->quote.bid = bid.price;
        q->ask = r->quote.ask = ask.price;
        q->bid_size = r->quote.bid_size = bid.size;
        q->ask_size = r->quote.ask_size = ask.size;
        n++;
    }
    return n;
}

int tw_fix_market_read(struct tw_fix_market *m, const char *p,
                       const struct tw_fix_frame *frame, int64_t received_ns,
                       struct tw_batch *out)
{
    const char *type = p + frame->header + 3;
    struct common like = { .received = received_ns };
    struct marks marks = { p, m->soh, m->soh[0] };
    struct fields f;
    uint64_t seq;
    int code;

    if (type[1] != TW_FIX_SOH || (*type != 'W' && *type != 'X' && *type != 'S'))
        return TW_FIX_OTHER;
    m->entries_n = 0;
    marks.word &= UINT64_MAX << (frame->header + 5);   /* past tags 8, 9 and 35 */
    f.text[MD_SYMBOL].at = f.text[MD_SEQ].at = p;
    f.text[MD_SENDING].at = f.text[MD_TRANSACT].at = p;
    f.text[MD_SYMBOL].n = f.text[MD_SEQ].n = f.text[MD_SENDING].n = 0;
    f.snapshot = *type == 'W';
    f.counted = f.entered = false;
    f.group = UINT32_MAX;
    f.left = 0;
    code = read_fields(m, &f, marks, type + 2, p + frame->header + frame->body);
    if (code != TW_OK) return code;

    if (*type == 'S') {
        if (f.counted) return refuse(m, "268=%s is of no quote", f.text[MD_COUNT]);
        code = tw_fix_quote_read(f.text, f.seen, m->entries, m->why);
        if (code < 0) return code;
        m->entries_n = (size_t)code;
    } else if (!f.counted) {
        return refuse(m, "no NoMDEntries (268)%s", nothing);
    } else if (f.snapshot && !f.entered) {
        m->entries[m->entries_n++] = (struct tw_fix_entry){
            .symbol = f.text[MD_SYMBOL], .type = TW_FIX_EMPTY_ENTRY,
        };
    }
    if (!tw_fix_integer(f.text[MD_SEQ], &seq))
        return refuse(m, "34=%s is not a number", f.text[MD_SEQ]);
    like.source = m->source;
    like.source_seq = (uint32_t)seq;
    if (f.text[MD_TRANSACT].at != p) {
        if (tw_fix_time(&m->clock, f.text[MD_TRANSACT], &like.time))
            return refuse(m, "60=%s is not a time", f.text[MD_TRANSACT]);
    } else if (tw_fix_time(&m->clock, f.text[MD_SENDING], &like.time)) {
        return refuse(m, "52=%s is not a time", f.text[MD_SENDING]);
    }
    if (find_symbols(m)) return TW_FIX_UNUSABLE;
    code = write_records(m, &like, f.snapshot, out);
    return code ? code : TW_FIX_OTHER;
}
