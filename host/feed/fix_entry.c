/* fix_entry.c - an entry of market data: what is rare of it, and the sides of a quote.
 *
 * Layer host/feed.  Thread: any.
 */
#include "feed/fix_entry.h"

#include <stdio.h>

#include "base/fixed.h"

const uint8_t tw_fix_md_fields[TW_FIX_MD_TAGS] = {
    [34] = MD_SEQ, [52] = MD_SENDING, [54] = MD_SIDE, [55] = MD_SYMBOL,
    [60] = MD_TRANSACT, [83] = MD_REPORT, [132] = MD_BID, [133] = MD_OFFER,
    [134] = MD_BID_SIZE, [135] = MD_OFFER_SIZE, [262] = MD_REQUEST, [268] = MD_COUNT,
    [269] = MD_TYPE, [270] = MD_PRICE, [271] = MD_SIZE, [272] = MD_DATE, [273] = MD_TIME,
    [278] = MD_ID, [279] = MD_ACTION, [280] = MD_REFERENCE, [290] = MD_POSITION,
    [779] = MD_TRANSACT, [1023] = MD_LEVEL,
    /* The next field has as many bytes as these say, SOH among them. */
    [90] = MD_DATA, [93] = MD_DATA, [95] = MD_DATA, [212] = MD_DATA, [348] = MD_DATA,
    [350] = MD_DATA, [352] = MD_DATA, [354] = MD_DATA, [356] = MD_DATA, [358] = MD_DATA,
    [360] = MD_DATA, [362] = MD_DATA, [364] = MD_DATA, [445] = MD_DATA, [618] = MD_DATA,
    [621] = MD_DATA,
};

int tw_fix_refuse(char why[TW_FIX_WHY], const char *format, struct tw_fix_text t)
{
    char value[48];

    tw_fix_show(t.at, t.n, value, sizeof value);
    snprintf(why, TW_FIX_WHY, format, value);
    return TW_FIX_UNUSABLE;
}

int tw_fix_md_number(char why[TW_FIX_WHY], unsigned tag, bool price,
                     struct tw_fix_text t, int64_t *out)
{
    char format[64];
    int code = tw_fixed_parse(t.at, t.n, out);

    if (code == TW_OK && (price || *out >= 0)) return TW_OK;
    snprintf(format, sizeof format, "%u=%%s %s", tag,
             code == TW_ERANGE ? "does not fit int64 with nine decimals"
             : price ? "is not a price" : "is not a size");
    return tw_fix_refuse(why, format, t);
}

int tw_fix_md_level(char why[TW_FIX_WHY], const struct tw_fix_text text[MD_FIELDS],
                    uint32_t seen, uint64_t *out)
{
    static const uint8_t says[] = { MD_POSITION, MD_LEVEL };

    *out = 0;
    for (int i = 0; i < 2; i++) {
        struct tw_fix_text t = text[says[i]];
        uint64_t level;

        if (!(seen & MD_BIT(says[i]))) continue;
        if (!tw_fix_integer(t, &level) || level == 0)
            return tw_fix_refuse(why, "level (290, 1023) '%s' is not a number from 1", t);
        if (level > *out) *out = level;
    }
    return TW_OK;
}

/* One side, when it is there; how many. */
static int read_side(const struct tw_fix_text text[MD_FIELDS], uint32_t seen,
                     bool offer, struct tw_fix_entry *e, char why[TW_FIX_WHY])
{
    enum tw_fix_md_field price = offer ? MD_OFFER : MD_BID;
    enum tw_fix_md_field size = offer ? MD_OFFER_SIZE : MD_BID_SIZE;
    unsigned tag = offer ? 133 : 132;
    bool has_size = seen >> size & 1;

    if (!(seen & (MD_BIT(price) | MD_BIT(size)))) return 0;
    if (!(seen & MD_BIT(price)))
        return tw_fix_refuse(why, offer ? "135=%s without OfferPx (133)"
                                        : "134=%s without BidPx (132)", text[size]);
    e->symbol.at = text[MD_SYMBOL].at;
    e->symbol.n = text[MD_SYMBOL].n;
    e->type = offer ? TW_FIX_OFFER_ENTRY : TW_FIX_BID_ENTRY;
    e->action = TW_FIX_NEW;
    e->size = 0;
    if (tw_fix_md_read_number(why, tag, true, text[price], &e->price)
        || (has_size
            && tw_fix_md_read_number(why, tag + 2, false, text[size], &e->size)))
        return TW_FIX_UNUSABLE;
    e->flags = has_size && e->size == 0 ? TW_FIX_GONE : 0;
    return 1;
}

int tw_fix_quote_read(const struct tw_fix_text text[MD_FIELDS], uint32_t seen,
                      struct tw_fix_entry e[2], char why[TW_FIX_WHY])
{
    int bid = read_side(text, seen, false, e, why);
    int offer = bid < 0 ? bid : read_side(text, seen, true, e + bid, why);

    if (offer < 0) return TW_FIX_UNUSABLE;
    if (bid + offer == 0)
        return tw_fix_refuse(why, "neither BidPx (132) nor OfferPx (133)%s",
                             (struct tw_fix_text){ "", 0 });
    return bid + offer;
}
