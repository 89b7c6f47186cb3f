/* fix_entry.h - an entry of market data (35=W, X, S): its fields, and what they say.
 *
 * Why: a stream without a session and a session's messages come to their fields in ways
 * of their own; what an entry means is the same, and stands here once.
 *
 * Layer host/feed.  Thread: any.
 */
#ifndef TW_FIX_ENTRY_H
#define TW_FIX_ENTRY_H

#include "feed/fix_value.h"

/* The fields that are used.  From MD_TYPE on they may stand in a group's entry, the
 * first six of them nowhere else. */
enum tw_fix_md_field {
    MD_OTHER, MD_SEQ, MD_SENDING, MD_COUNT, MD_BID, MD_OFFER, MD_BID_SIZE,
    MD_OFFER_SIZE, MD_REQUEST,
    MD_TYPE, MD_ACTION, MD_PRICE, MD_SIZE, MD_POSITION, MD_LEVEL,
    MD_SIDE, MD_ID, MD_REFERENCE, MD_REPORT, MD_DATE, MD_TIME, MD_TRANSACT, MD_SYMBOL,
    MD_DATA, MD_FIELDS
};
#define MD_BIT(field) (UINT32_C(1) << (field))
#define MD_ENTRY (MD_BIT(MD_FIELDS) - MD_BIT(MD_TYPE))
#define MD_ENTRY_ONLY (MD_BIT(MD_SIDE) - MD_BIT(MD_TYPE))

enum { TW_FIX_MD_TAGS = 1024 };
extern const uint8_t tw_fix_md_fields[TW_FIX_MD_TAGS];   /* by tag */

/* Thread: any. */
static inline enum tw_fix_md_field tw_fix_md_field(uint32_t tag)
{
    return tag < TW_FIX_MD_TAGS ? (enum tw_fix_md_field)tw_fix_md_fields[tag] : MD_OTHER;
}

enum {                                               /* 279 */
    TW_FIX_NEW, TW_FIX_CHANGE, TW_FIX_DELETE, TW_FIX_DELETE_THRU, TW_FIX_DELETE_FROM,
    TW_FIX_OVERLAY
};
enum tw_fix_entry_type {                             /* 269: 0, 1, 2, J */
    TW_FIX_BID_ENTRY, TW_FIX_OFFER_ENTRY, TW_FIX_TRADE_ENTRY, TW_FIX_EMPTY_ENTRY,
    TW_FIX_OTHER_ENTRY
};

/* Price and size are apart: neighbours would be copied as one vector, which waits until
 * the words just stored are in the cache. */
struct tw_fix_entry {
    int64_t price;
    uint64_t id;                 /* of a trade: 278 when it is a number, or 0    */
    int64_t size;
    struct tw_fix_text symbol;   /* the caller's                                 */
    uint32_t symbol_id;          /* the caller's                                 */
    uint8_t type, side, flags, action;
};

/* Of an entry: what it keeps of what was there; that it is not there now. */
enum { TW_FIX_KEEP_PRICE = 1, TW_FIX_KEEP_SIZE = 2, TW_FIX_GONE = 4 };

enum { TW_FIX_UNUSABLE = -2, TW_FIX_WHY = 160 };

/* What is rare is cold and never inline: the rest then stays in registers and is laid
 * out without a jump. */
#define TW_FIX_RARE __attribute__((cold, noinline))

/* Says why a message is refused; the text is printed for %s.  TW_FIX_UNUSABLE.
 * Thread: any.  Blocks: never. */
TW_FIX_RARE int tw_fix_refuse(char why[TW_FIX_WHY], const char *format,
                              struct tw_fix_text t);

/* A number that tw_fix_short does not know, and a level; 0 or TW_FIX_UNUSABLE.
 * Thread: any.  Blocks: never. */
int tw_fix_md_number(char why[TW_FIX_WHY], unsigned tag, bool price,
                     struct tw_fix_text t, int64_t *out);
int tw_fix_md_level(char why[TW_FIX_WHY], const struct tw_fix_text text[MD_FIELDS],
                    uint32_t seen, uint64_t *out);

/* Thread: any.  Blocks: never. */
static inline __attribute__((always_inline))
int tw_fix_md_read_number(char why[TW_FIX_WHY], unsigned tag, bool price,
                          struct tw_fix_text t, int64_t *out)
{
    return tw_fix_short(t, out) ? TW_OK : tw_fix_md_number(why, tag, price, t, out);
}

/* Thread: any.  Blocks: never. */
static inline enum tw_fix_entry_type tw_fix_entry_type(struct tw_fix_text t)
{
    if (t.n != 1) return TW_FIX_OTHER_ENTRY;
    if (*t.at >= '0' && *t.at <= '2')
        return (enum tw_fix_entry_type)(TW_FIX_BID_ENTRY + (*t.at - '0'));
    return *t.at == 'J' ? TW_FIX_EMPTY_ENTRY : TW_FIX_OTHER_ENTRY;
}

/* Checks an entry of 35=W or X, of whose fields `seen` has a MD_BIT each; `most`: the
 * last action that it may have, TW_FIX_NEW in a snapshot; *level: the larger one of 290
 * and 1023, 0 where there is none.  0 or TW_FIX_UNUSABLE.
 * Of a type that is not used, the type alone is set.
 * Always inline: an entry is read in a few ns, and is what a message is made of.
 * Thread: any.  Blocks: never. */
static inline __attribute__((always_inline))
int tw_fix_entry_read(const struct tw_fix_text text[MD_FIELDS], uint32_t seen,
                      unsigned most, struct tw_fix_entry *e, uint64_t *level,
                      char why[TW_FIX_WHY])
{
    const uint32_t both = MD_BIT(MD_PRICE) | MD_BIT(MD_SIZE);
    unsigned action = TW_FIX_NEW;

    *level = 0;
    if (!(seen & MD_BIT(MD_TYPE)) || text[MD_TYPE].n == 0)
        return tw_fix_refuse(why, "an entry has no MDEntryType (269)%s",
                             (struct tw_fix_text){ "", 0 });
    e->type = (uint8_t)tw_fix_entry_type(text[MD_TYPE]);
    if (e->type == TW_FIX_OTHER_ENTRY) return TW_OK;
    if (seen & MD_BIT(MD_ACTION)) {
        action = (unsigned char)*text[MD_ACTION].at - (unsigned)'0';
        if (text[MD_ACTION].n != 1 || action > most)
            return tw_fix_refuse(why, "279=%s is not an action here", text[MD_ACTION]);
    }
    e->action = (uint8_t)action;
    e->price = e->size = 0;
    e->flags = action >= TW_FIX_DELETE && action != TW_FIX_OVERLAY ? TW_FIX_GONE : 0;
    if (seen & MD_BIT(MD_PRICE)
        && tw_fix_md_read_number(why, 270, true, text[MD_PRICE], &e->price))
        return TW_FIX_UNUSABLE;
    if (seen & MD_BIT(MD_SIZE)) {
        if (tw_fix_md_read_number(why, 271, false, text[MD_SIZE], &e->size))
            return TW_FIX_UNUSABLE;
        if (e->size == 0) e->flags = TW_FIX_GONE;
    }
    if ((seen & both) != both) {
        if (action == TW_FIX_CHANGE) {
            if (!(seen & MD_BIT(MD_PRICE))) e->flags |= TW_FIX_KEEP_PRICE;
            if (!(seen & MD_BIT(MD_SIZE))) e->flags |= TW_FIX_KEEP_SIZE;
        } else if (action == TW_FIX_NEW && e->type != TW_FIX_EMPTY_ENTRY) {
            if (!(seen & MD_BIT(MD_PRICE)))
                return tw_fix_refuse(why, "269=%s has no MDEntryPx (270)",
                                     text[MD_TYPE]);
            if (e->type == TW_FIX_TRADE_ENTRY)
                return tw_fix_refuse(why, "269=%s has no MDEntrySize (271)",
                                     text[MD_TYPE]);
        }
    }
    if (seen & (MD_BIT(MD_POSITION) | MD_BIT(MD_LEVEL))
        && tw_fix_md_level(why, text, seen, level))
        return TW_FIX_UNUSABLE;
    if (e->type == TW_FIX_TRADE_ENTRY) {
        e->side = TW_SIDE_NONE;
        if (seen & MD_BIT(MD_SIDE) && text[MD_SIDE].n == 1)
            e->side = *text[MD_SIDE].at == '1' ? TW_SIDE_BUY
                      : *text[MD_SIDE].at == '2' ? TW_SIDE_SELL : TW_SIDE_NONE;
        if (!(seen & MD_BIT(MD_ID)) || !tw_fix_integer(text[MD_ID], &e->id)) e->id = 0;
    }
    return TW_OK;
}

/* The sides of a 35=S: how many it has, or TW_FIX_UNUSABLE.
 * Thread: any.  Blocks: never. */
int tw_fix_quote_read(const struct tw_fix_text text[MD_FIELDS], uint32_t seen,
                      struct tw_fix_entry e[2], char why[TW_FIX_WHY]);

#endif
