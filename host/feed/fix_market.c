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
 *   60    may stand in each entry; the last one counts.
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

/* The fields that are used.  From TYPE on they may stand in a group's entry,
 * the first six of them nowhere else. */
enum field {
    OTHER, SEQ, SENDING, COUNT, BID, OFFER, BID_SIZE, OFFER_SIZE,
    TYPE, ACTION, PRICE, SIZE, POSITION, LEVEL,
    SIDE, ID, TRANSACT, SYMBOL, DATA, FIELDS
};
#define BIT(field) (UINT32_C(1) << (field))
#define ENTRY_FIELDS (BIT(FIELDS) - BIT(TYPE))
#define ENTRY_ONLY (BIT(SIDE) - BIT(TYPE))

enum { TAGS = 1024 };

static const uint8_t field_of[TAGS] = {
    [34] = SEQ, [52] = SENDING, [54] = SIDE, [55] = SYMBOL, [60] = TRANSACT,
    [132] = BID, [133] = OFFER, [134] = BID_SIZE, [135] = OFFER_SIZE,
    [268] = COUNT, [269] = TYPE, [270] = PRICE, [271] = SIZE, [278] = ID,
    [279] = ACTION, [290] = POSITION, [1023] = LEVEL,
    /* The next field has as many bytes as these say, SOH among them. */
    [90] = DATA, [93] = DATA, [95] = DATA, [212] = DATA, [348] = DATA,
    [350] = DATA, [352] = DATA, [354] = DATA, [356] = DATA, [358] = DATA,
    [360] = DATA, [362] = DATA, [364] = DATA, [445] = DATA, [618] = DATA,
    [621] = DATA,
};

enum action { NEW, CHANGE, DELETE };
enum type { BID_ENTRY, OFFER_ENTRY, TRADE_ENTRY, EMPTY_ENTRY, OTHER_ENTRY };

/* Price and size are apart, as time and received are below: neighbours would be
 * copied as one vector, which waits until the words just stored are in the cache. */
struct tw_fix_entry {
    int64_t price;
    uint64_t id;
    int64_t size;
    struct tw_fix_text symbol;
    uint32_t symbol_id;
    uint8_t type, side, flags;
};

/* Of an entry: what it keeps of the quote; that the side is not there now. */
enum { KEEP_PRICE = 1, KEEP_SIZE = 2, GONE = 4 };

/* What is noted down of a message. */
struct fields {
    uint32_t seen;               /* BIT(field): text[field] is set        */
    bool snapshot;               /* 35=W                                  */
    bool counted, entered;       /* 268 came; the first entry has begun   */
    uint32_t group;              /* the tag that begins an entry          */
    uint64_t left;               /* entries to come                       */
    struct tw_fix_text text[FIELDS];
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

/* What is rare is cold and never inline: the rest then stays in registers and
 * is laid out without a jump. */
#define RARE __attribute__((cold, noinline))

/* Says why the message is refused; the text is printed for %s. */
static RARE int refuse(struct tw_fix_market *m, const char *format, struct tw_fix_text t)
{
    char value[48];

    tw_fix_show(t.at, t.n, value, sizeof value);
    snprintf(m->why, sizeof m->why, format, value);
    return TW_FIX_REFUSED;
}

static const struct tw_fix_text nothing = { "", 0 };

/* ---- values ---- */

static __attribute__((noinline))
int long_number(struct tw_fix_market *m, unsigned tag, bool price,
                       struct tw_fix_text t, int64_t *out)
{
    char format[64];
    int code = tw_fixed_parse(t.at, t.n, out);

    if (code == TW_OK && (price || *out >= 0)) return TW_OK;
    snprintf(format, sizeof format, "%u=%%s %s", tag,
             code == TW_ERANGE ? "does not fit int64 with nine decimals"
             : price ? "is not a price" : "is not a size");
    return refuse(m, format, t);
}

static inline __attribute__((always_inline))
int read_number(struct tw_fix_market *m, unsigned tag, bool price,
                struct tw_fix_text t, int64_t *out)
{
    return tw_fix_short(t, out) ? TW_OK : long_number(m, tag, price, t, out);
}

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
static RARE bool guess_again(struct tw_fix_guess *g, const char *p)
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
    g->field = g->tag < TAGS ? field_of[g->tag] : OTHER;
    g->stops = BIT(g->field);
    g->sets = BIT(g->field) & ~(BIT(OTHER) | BIT(DATA) | BIT(TRANSACT));
    return true;
}

/* Where the data field at p ends that `length` bytes are said to be in. */
static RARE const char *pass_data(struct tw_fix_market *m, const char *p, const char *end,
                             struct tw_fix_text length)
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

/* Whether an entry is on the first level; TW_FIX_REFUSED: nobody knows. */
static __attribute__((noinline))
int first_level(struct tw_fix_market *m, const struct fields *f, uint32_t seen)
{
    static const uint8_t says[] = { POSITION, LEVEL };
    bool first = true;

    for (int i = 0; i < 2; i++) {
        struct tw_fix_text t = f->text[says[i]];
        uint64_t level;

        if (!(seen & BIT(says[i]))) continue;
        if (!tw_fix_integer(t, &level) || level == 0)
            return refuse(m, "level (290, 1023) '%s' is not a number from 1", t);
        first &= level == 1;
    }
    return first;
}

/* Where the next entry is noted when there is no room; NULL: no memory. */
static RARE struct tw_fix_entry *more_entries(struct tw_fix_market *m)
{
    void *more = tw_realloc(m->entries, 2 * m->entries_max * sizeof *m->entries);

    if (!more) return NULL;
    m->entries = more;
    m->entries_max *= 2;
    return &m->entries[m->entries_n];
}

static inline enum type type_of(struct tw_fix_text t)
{
    if (t.n != 1) return OTHER_ENTRY;
    if (*t.at >= '0' && *t.at <= '2') return (enum type)(BID_ENTRY + (*t.at - '0'));
    return *t.at == 'J' ? EMPTY_ENTRY : OTHER_ENTRY;
}

/* Checks the entry that ends here and keeps it when it is of use. */
static inline __attribute__((always_inline))
int close_entry(struct tw_fix_market *m, const struct fields *f, uint32_t seen)
{
    const struct tw_fix_text *text = f->text;
    struct tw_fix_entry *e = m->entries_n < m->entries_max ? &m->entries[m->entries_n]
                                                           : more_entries(m);
    const uint32_t both = BIT(PRICE) | BIT(SIZE);
    unsigned action = NEW;

    if (!e) return refuse(m, "no memory for its entries%s", nothing);
    if (!(seen & BIT(TYPE)) || text[TYPE].n == 0)
        return refuse(m, "an entry has no MDEntryType (269)%s", nothing);
    e->symbol.at = text[SYMBOL].at;
    e->symbol.n = text[SYMBOL].n;
    e->type = (uint8_t)type_of(text[TYPE]);
    if (e->type == OTHER_ENTRY) return TW_OK;
    if (seen & BIT(ACTION)) {
        action = (unsigned char)*text[ACTION].at - (unsigned)'0';
        if (text[ACTION].n != 1 || action > (f->snapshot ? NEW : DELETE))
            return refuse(m, "279=%s is not an action here", text[ACTION]);
    }
    e->price = e->size = 0;
    e->flags = action == DELETE ? GONE : 0;
    if (seen & BIT(PRICE) && read_number(m, 270, true, text[PRICE], &e->price))
        return TW_FIX_REFUSED;
    if (seen & BIT(SIZE)) {
        if (read_number(m, 271, false, text[SIZE], &e->size)) return TW_FIX_REFUSED;
        if (e->size == 0) e->flags = GONE;
    }
    if ((seen & both) != both) {
        if (action == CHANGE) {
            if (!(seen & BIT(PRICE))) e->flags |= KEEP_PRICE;
            if (!(seen & BIT(SIZE))) e->flags |= KEEP_SIZE;
        } else if (action == NEW && e->type != EMPTY_ENTRY) {
            if (!(seen & BIT(PRICE)))
                return refuse(m, "269=%s has no MDEntryPx (270)", text[TYPE]);
            if (e->type == TRADE_ENTRY)
                return refuse(m, "269=%s has no MDEntrySize (271)", text[TYPE]);
        }
    }
    if (seen & (BIT(POSITION) | BIT(LEVEL))) {
        int first = first_level(m, f, seen);

        if (first < 0) return TW_FIX_REFUSED;
        if (!first && e->type != TRADE_ENTRY) return TW_OK;
    }
    if (e->type == TRADE_ENTRY) {
        if (action != NEW) return TW_OK;
        e->side = TW_SIDE_NONE;
        if (seen & BIT(SIDE) && text[SIDE].n == 1)
            e->side = *text[SIDE].at == '1' ? TW_SIDE_BUY
                      : *text[SIDE].at == '2' ? TW_SIDE_SELL : TW_SIDE_NONE;
        if (!(seen & BIT(ID)) || !tw_fix_integer(text[ID], &e->id)) e->id = 0;
    }
    m->entries_n++;
    return TW_OK;
}

/* A field came that cannot come now. */
static RARE int refuse_field(struct tw_fix_market *m, const struct tw_fix_guess *g,
                             bool entered, struct tw_fix_text value)
{
    bool stray = !entered && ENTRY_ONLY & BIT(g->field);
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
    uint32_t stop = ENTRY_ONLY | BIT(COUNT) | BIT(DATA), bit;
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
                if (f->entered && close_entry(m, f, stop)) return TW_FIX_REFUSED;
                if (f->left-- == 0)
                    return refuse(m, "268=%s but more entries", f->text[COUNT]);
                f->entered = true;
                stop = (stop & (~ENTRY_FIELDS | BIT(DATA))) | g->stops;
            } else if (g->field == COUNT && !f->counted) {
                if (!tw_fix_integer(value, &f->left))
                    return refuse(m, "268=%s is not a number", value);
                f->counted = true;
                if (f->left > 0 && p < end) {
                    f->group = g[1].tag;
                    if ((tw_fix_word(p) & g[1].mask) != g[1].bytes)
                        read_tag(p, &f->group);
                    bit = BIT(f->group < TAGS ? field_of[f->group] : OTHER);
                    if (bit & (BIT(COUNT) | BIT(DATA)))
                        return refuse(m, "268=%s and then no entry", value);
                    stop |= bit;
                }
            } else if (g->field == DATA) {
                const char *past = pass_data(m, p, end, value);

                if (!past) return TW_FIX_REFUSED;
                do at = next_mark(&s); while (at < past);
                p = at + 1;
            } else if (g->field != OTHER) {
                return refuse_field(m, g, f->entered, value);
            }
        }
        f->text[g->field] = value;
        stop |= g->sets;
    }
    if (f->entered && close_entry(m, f, stop)) return TW_FIX_REFUSED;
    if (f->left > 0) return refuse(m, "268=%s but fewer entries", f->text[COUNT]);
    f->seen = stop;
    return TW_OK;
}

/* One side of a 35=S, when it is there. */
static int quote_entry(struct tw_fix_market *m, const struct fields *f, enum type type,
                       enum field price, enum field size, unsigned price_tag)
{
    struct tw_fix_entry *e = &m->entries[m->entries_n];
    bool has_size = f->seen >> size & 1;

    if (!(f->seen & (BIT(price) | BIT(size)))) return TW_OK;
    if (!(f->seen & BIT(price)))
        return refuse(m, type == BID_ENTRY ? "134=%s without BidPx (132)"
                                           : "135=%s without OfferPx (133)",
                      f->text[size]);
    e->symbol.at = f->text[SYMBOL].at;
    e->symbol.n = f->text[SYMBOL].n;
    e->type = (uint8_t)type;
    e->size = 0;
    if (read_number(m, price_tag, true, f->text[price], &e->price) ||
        (has_size && read_number(m, price_tag + 2, false, f->text[size], &e->size)))
        return TW_FIX_REFUSED;
    e->flags = has_size && e->size == 0 ? GONE : 0;
    m->entries_n++;
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

        if (intern(m, name, &found)) return TW_FIX_REFUSED;
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
            if (find_symbol(m, e->symbol, &id)) return TW_FIX_REFUSED;
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

    if (better && e->flags & GONE) return old;
    if (better && there(old) && (better > 0 ? e->price <= old.price
                                            : e->price >= old.price))
        return old;
    if (e->flags) {
        if (e->flags & GONE || !there(old)) return (struct side){0};
        if (e->flags & KEEP_PRICE) new.price = old.price;
        if (e->flags & KEEP_SIZE) new.size = old.size;
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
            switch ((enum type)e->type) {
            case BID_ENTRY:
                bid = next_side(bid, e, snapshot);
                break;
            case OFFER_ENTRY:
                ask = next_side(ask, e, -(int)snapshot);
                break;
            case TRADE_ENTRY:
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
    f.text[SYMBOL].at = f.text[SEQ].at = f.text[SENDING].at = f.text[TRANSACT].at = p;
    f.text[SYMBOL].n = f.text[SEQ].n = f.text[SENDING].n = 0;
    f.snapshot = *type == 'W';
    f.counted = f.entered = false;
    f.group = UINT32_MAX;
    f.left = 0;
    code = read_fields(m, &f, marks, type + 2, p + frame->header + frame->body);
    if (code != TW_OK) return code;

    if (*type == 'S') {
        if (f.counted) return refuse(m, "268=%s is of no quote", f.text[COUNT]);
        if (quote_entry(m, &f, BID_ENTRY, BID, BID_SIZE, 132) ||
            quote_entry(m, &f, OFFER_ENTRY, OFFER, OFFER_SIZE, 133))
            return TW_FIX_REFUSED;
        if (m->entries_n == 0)
            return refuse(m, "neither BidPx (132) nor OfferPx (133)%s", nothing);
    } else if (!f.counted) {
        return refuse(m, "no NoMDEntries (268)%s", nothing);
    } else if (f.snapshot && !f.entered) {
        m->entries[m->entries_n++] = (struct tw_fix_entry){
            .symbol = f.text[SYMBOL], .type = EMPTY_ENTRY,
        };
    }
    if (!tw_fix_integer(f.text[SEQ], &seq))
        return refuse(m, "34=%s is not a number", f.text[SEQ]);
    like.source = m->source;
    like.source_seq = (uint32_t)seq;
    if (f.text[TRANSACT].at != p) {
        if (tw_fix_time(&m->clock, f.text[TRANSACT], &like.time))
            return refuse(m, "60=%s is not a time", f.text[TRANSACT]);
    } else if (tw_fix_time(&m->clock, f.text[SENDING], &like.time)) {
        return refuse(m, "52=%s is not a time", f.text[SENDING]);
    }
    if (find_symbols(m)) return TW_FIX_REFUSED;
    code = write_records(m, &like, f.snapshot, out);
    return code ? code : TW_FIX_OTHER;
}
