/* load.c - fields of records as columns: a missing price is NaN, a name its id.
 *
 * Layer host/stat.
 */
#include <math.h>

#include "base/fixed.h"
#include "stat/program.h"

/* A price whose side is not there (no size either) is missing. */
static inline double price_of(int64_t price, int64_t size)
{
    return (price | size) == 0 ? NAN : tw_fixed_to_double(price);
}

static struct tw_instrument instrument(const struct tw_symbols *symbols, uint32_t id)
{
    struct tw_instrument none = { 0 };

    return id ? tw_symbols_get(symbols, id) : none;
}

#define EACH(member, value) \
    for (unsigned i = 0; i < n; i++) { \
        const struct tw_record *r = &rows[i]; \
        out->member[i] = (value); \
    } \
    break

static void load_quote(enum tw_field field, unsigned n, const struct tw_record *rows,
                       union tw_column *out)
{
    switch (field) {
    case TW_FIELD_BID:      EACH(number, price_of(r->quote.bid, r->quote.bid_size));
    case TW_FIELD_ASK:      EACH(number, price_of(r->quote.ask, r->quote.ask_size));
    case TW_FIELD_BID_SIZE: EACH(number, tw_fixed_to_double(r->quote.bid_size));
    case TW_FIELD_ASK_SIZE: EACH(number, tw_fixed_to_double(r->quote.ask_size));
    case TW_FIELD_MID:
        EACH(number, (price_of(r->quote.bid, r->quote.bid_size)
                      + price_of(r->quote.ask, r->quote.ask_size)) * 0.5);
    default:                /* TW_FIELD_SPREAD, exact: the difference of integers */
        EACH(number, (r->quote.bid | r->quote.bid_size) == 0
                     || (r->quote.ask | r->quote.ask_size) == 0
                     ? NAN : tw_fixed_to_double(r->quote.ask - r->quote.bid));
    }
}

static void load_attribute(unsigned index, unsigned n, const struct tw_record *rows,
                           const struct tw_symbols *symbols, union tw_column *out)
{
    for (unsigned i = 0; i < n; i++)
        out->integer[i] = rows[i].symbol
            ? tw_symbols_attribute_get(symbols, rows[i].symbol, index) : 0;
}

void tw_column_load(enum tw_field field, unsigned n, const struct tw_record *rows,
                    const struct tw_symbols *symbols, union tw_column *out)
{
    switch (field) {
    case TW_FIELD_SYMBOL:
    case TW_FIELD_SYMBOL_ID:  EACH(integer, r->symbol);
    case TW_FIELD_SECTOR:     EACH(integer, instrument(symbols, r->symbol).sector);
    case TW_FIELD_WEIGHT:     EACH(number, instrument(symbols, r->symbol).weight);
    case TW_FIELD_TICK_SIZE:
        EACH(number, tw_fixed_to_double(instrument(symbols, r->symbol).tick_fixed));
    case TW_FIELD_LOT_SIZE:
        EACH(number, tw_fixed_to_double(instrument(symbols, r->symbol).lot_fixed));
    case TW_FIELD_PRICE:      EACH(number, tw_fixed_to_double(r->trade.price));
    case TW_FIELD_SIZE:       EACH(number, tw_fixed_to_double(r->trade.size));
    case TW_FIELD_SIDE:       EACH(integer, r->trade.side);
    case TW_FIELD_ID:         EACH(integer, (int64_t)r->trade.id);
    case TW_FIELD_TIME:       EACH(integer, r->time);
    case TW_FIELD_RECEIVED:   EACH(integer, r->received);
    case TW_FIELD_SEQ:        EACH(integer, (int64_t)r->seq);
    case TW_FIELD_SOURCE:     EACH(integer, r->source);
    case TW_FIELD_SOURCE_SEQ: EACH(integer, r->source_seq);
    default:
        if (field >= TW_FIELD_ATTRIBUTE)
            load_attribute(field - TW_FIELD_ATTRIBUTE, n, rows, symbols, out);
        else
            load_quote(field, n, rows, out);
    }
}
