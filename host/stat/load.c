/* load.c - fields of records as columns: a missing price is NaN, a name its id.
 *
 * Why prices and sizes go in two passes: the division by 1e9 is most of the cost, and
 * two or four at a time it is half.  What is missing, or wider than a double, is rare,
 * and mended after.
 *
 * Layer host/stat.
 */
#include <math.h>
#include <stddef.h>

#include "base/fixed.h"
#include "stat/program.h"
#include "tape/bar.h"

typedef double numbers __attribute__((vector_size(32), may_alias));

/* n fixed-point numbers, each at `at` of its record. */
static void load_fixed(size_t at, unsigned n, const struct tw_record *rows,
                       union tw_column *out)
{
    uint64_t wide = 0;

    if (n == 1) {
        out->number[0] = tw_fixed_to_double(*(const int64_t *)((const char *)rows + at));
        return;
    }
#define FIXED(i) (*(const int64_t *)((const char *)&rows[i] + at))
    for (unsigned i = 0; i < n; i++) {
        wide |= ((uint64_t)FIXED(i) + (UINT64_C(1) << 53)) >> 54;
        out->number[i] = (double)FIXED(i);
    }
    for (unsigned i = 0; i < n; i += TW_COLUMN_STEP) *(numbers *)&out->number[i] /= 1e9;
    for (unsigned i = 0; wide && i < n; i++)
        out->number[i] = tw_fixed_to_double(FIXED(i));
#undef FIXED
}

/* Likewise of a price; without its size (at `size`) the side is not there. */
static void load_price(size_t at, size_t size, unsigned n, const struct tw_record *rows,
                       union tw_column *out)
{
    bool missing = false;

#define WORD(i, at) (*(const int64_t *)((const char *)&rows[i] + (at)))
#define IS_MISSING(i) ((WORD(i, at) | WORD(i, size)) == 0)
    load_fixed(at, n, rows, out);
    for (unsigned i = 0; i < n; i++) missing |= IS_MISSING(i);
    for (unsigned i = 0; missing && i < n; i++)
        if (IS_MISSING(i)) out->number[i] = NAN;
#undef IS_MISSING
#undef WORD
}

static struct tw_instrument instrument(const struct tw_symbols *symbols, uint32_t id)
{
    struct tw_instrument none = { 0 };

    return id ? tw_symbols_get(symbols, id) : none;
}

static struct tw_ohlc bar_of(const struct tw_record *r)
{
    struct tw_ohlc b;

    tw_bar_get(r, &b);
    return b;
}

#define EACH(member, value) \
    for (unsigned i = 0; i < n; i++) { \
        const struct tw_record *r = &rows[i]; \
        out->member[i] = (value); \
    } \
    break

static void load_attribute(unsigned index, unsigned n, const struct tw_record *rows,
                           const struct tw_symbols *symbols, union tw_column *out)
{
    for (unsigned i = 0; i < n; i++)
        out->integer[i] = rows[i].symbol
            ? tw_symbols_attribute_get(symbols, rows[i].symbol, index) : 0;
}

#define AT(member) offsetof(struct tw_record, member)

static TW_APART void load_other(enum tw_field field, unsigned n,
                                const struct tw_record *rows,
                                const struct tw_symbols *symbols, union tw_column *out)
{
    switch (field) {
    case TW_FIELD_SECTOR:     EACH(integer, instrument(symbols, r->symbol).sector);
    case TW_FIELD_WEIGHT:     EACH(number, instrument(symbols, r->symbol).weight);
    case TW_FIELD_TICK_SIZE:
        EACH(number, tw_fixed_to_double(instrument(symbols, r->symbol).tick_fixed));
    case TW_FIELD_LOT_SIZE:
        EACH(number, tw_fixed_to_double(instrument(symbols, r->symbol).lot_fixed));
    case TW_FIELD_SIDE:       EACH(integer, tw_side_of(r));
    case TW_FIELD_ID:         EACH(integer, (int64_t)r->trade.id);
    case TW_FIELD_RECEIVED:   EACH(integer, r->received);
    case TW_FIELD_SEQ:        EACH(integer, (int64_t)r->seq);
    case TW_FIELD_SOURCE:     EACH(integer, r->source);
    case TW_FIELD_SOURCE_SEQ: EACH(integer, r->source_seq);
    case TW_FIELD_OPEN:       EACH(number, tw_fixed_to_double(bar_of(r).open));
    case TW_FIELD_HIGH:       EACH(number, tw_fixed_to_double(bar_of(r).high));
    case TW_FIELD_LOW:        EACH(number, tw_fixed_to_double(bar_of(r).low));
    case TW_FIELD_INTERVAL:   EACH(number, tw_bar_seconds(r));
    case TW_FIELD_SPREAD:     /* exact: the difference of integers */
        EACH(number, (r->quote.bid | r->quote.bid_size) == 0
                     || (r->quote.ask | r->quote.ask_size) == 0
                     ? NAN : tw_fixed_to_double(r->quote.ask - r->quote.bid));
    default:
        assert(field >= TW_FIELD_ATTRIBUTE);
        load_attribute(field - TW_FIELD_ATTRIBUTE, n, rows, symbols, out);
    }
}

void tw_column_load(enum tw_field field, unsigned n, const struct tw_record *rows,
                    const struct tw_symbols *symbols, union tw_column *out)
{
    switch (field) {
    case TW_FIELD_SYMBOL:
    case TW_FIELD_SYMBOL_ID:  EACH(integer, r->symbol);
    case TW_FIELD_TIME:       EACH(integer, r->time);
    case TW_FIELD_PRICE:      load_fixed(AT(trade.price), n, rows, out); break;
    case TW_FIELD_SIZE:       load_fixed(AT(trade.size), n, rows, out); break;
    case TW_FIELD_BID: load_price(AT(quote.bid), AT(quote.bid_size), n, rows, out); break;
    case TW_FIELD_ASK: load_price(AT(quote.ask), AT(quote.ask_size), n, rows, out); break;
    case TW_FIELD_BID_SIZE:   load_fixed(AT(quote.bid_size), n, rows, out); break;
    case TW_FIELD_ASK_SIZE:   load_fixed(AT(quote.ask_size), n, rows, out); break;
    case TW_FIELD_CLOSE:      load_fixed(AT(bar.close), n, rows, out); break;
    case TW_FIELD_VOLUME:     load_fixed(AT(bar.volume), n, rows, out); break;
    default:                  load_other(field, n, rows, symbols, out);
    }
}
