/* column.h - the columns of a text file: how a line splits, what each means.
 *
 * Layer host/feed.
 */
#ifndef TW_COLUMN_H
#define TW_COLUMN_H

#include "base/tw.h"

enum tw_csv_column {
    TW_CSV_SKIP, TW_CSV_TIME, TW_CSV_SYMBOL, TW_CSV_BID, TW_CSV_ASK,
    TW_CSV_BID_SIZE, TW_CSV_ASK_SIZE, TW_CSV_PRICE, TW_CSV_SIZE, TW_CSV_SIDE,
    TW_CSV_DATE,                       /* where the time of day is another column   */
    /* Bars: four in a row, of trades and of each side of quotes. */
    TW_CSV_OPEN, TW_CSV_HIGH, TW_CSV_LOW, TW_CSV_CLOSE,
    TW_CSV_BID_OPEN, TW_CSV_BID_HIGH, TW_CSV_BID_LOW, TW_CSV_BID_CLOSE,
    TW_CSV_ASK_OPEN, TW_CSV_ASK_HIGH, TW_CSV_ASK_LOW, TW_CSV_ASK_CLOSE,
    TW_CSV_MEANINGS
};
enum { TW_CSV_COLUMNS = 32 };

/* A part of somebody's text. */
struct tw_csv_field { const char *p; size_t n; };

struct tw_columns {
    unsigned total;                    /* of a header; 0: rows may have any number  */
    unsigned wanted;                   /* all that mean something are the first few */
    uint8_t meaning[TW_CSV_COLUMNS];   /* enum tw_csv_column                        */
    int at[TW_CSV_MEANINGS];           /* which column, or -1                       */
};

/* Are rows bars?  Thread: any.  Blocks: never. */
static inline bool tw_columns_have_bars(const struct tw_columns *k)
{
    return k->at[TW_CSV_OPEN] >= 0 || k->at[TW_CSV_BID_OPEN] >= 0
        || k->at[TW_CSV_ASK_OPEN] >= 0;
}

/* The column's own name: "bid_size".  Thread: any.  Blocks: never. */
const char *tw_column_name(enum tw_csv_column column);

/* Takes any field: the slow half of tw_field_take.
 * Thread: any.  Blocks: never.  Memory: none. */
const char *tw_field_take_any(char separator, const char **at, const char *end,
                              struct tw_csv_field *f);

/* Takes one field off the front of [*at, end); *at becomes NULL when it was
 * the line's last.  The field's quotes are off, doubled ones within it stay
 * double.  Returns NULL, or what is wrong with its quotes.
 * Thread: any.  Blocks: never.  Memory: none. */
static inline const char *tw_field_take(char separator, const char **at,
                                        const char *end, struct tw_csv_field *f)
{
    const char *stop = *at;

    /* Blanks and quotes, which need care, sort before all that a number has. */
    while (stop < end && *stop > '"' && *stop != separator) stop++;
    if (stop < end && *stop != separator)
        return tw_field_take_any(separator, at, end, f);
    *f = (struct tw_csv_field){*at, (size_t)(stop - *at)};
    *at = stop < end ? stop + 1 : NULL;
    return NULL;
}

/* Which side of the market a text is: none where it is empty; false: no side.
 * Thread: any.  Blocks: never. */
bool tw_column_side(struct tw_csv_field f, uint32_t *side);

/* A row: its fields by their meaning, and what those are that are plain numbers, in units
 * of 1e-9; TW_CSV_UNREAD: others. */
struct tw_csv_row {
    struct tw_csv_field f[TW_CSV_MEANINGS];
    int64_t fixed[TW_CSV_MEANINGS];
};

#define TW_CSV_UNREAD INT64_MIN

enum { TW_CSV_BEYOND = 8 };

/* The meanings that are numbers: all of them, and those that are prices. */
#define TW_CSV_SIZES (1u << TW_CSV_BID_SIZE | 1u << TW_CSV_ASK_SIZE | 1u << TW_CSV_SIZE)
#define TW_CSV_PRICES (1u << TW_CSV_BID | 1u << TW_CSV_ASK | 1u << TW_CSV_PRICE \
                       | ((1u << TW_CSV_MEANINGS) - (1u << TW_CSV_OPEN)))

/* The fields of a row [p, end) that has at least those that are wanted; of the meanings
 * in `numbers` the plain numbers, too.  *end is a blank or ends the line, and may be read
 * with all of the TW_CSV_BEYOND bytes from there on.
 * False: it has blanks, quotes or too many columns, which need care, or too few.
 * Thread: any.  Blocks: never.  Memory: none. */
bool tw_columns_read_plain(const struct tw_columns *k, char separator, uint32_t numbers,
                           const char *p, const char *end, struct tw_csv_row *row);

/* No field is known to be a number.  Thread: any.  Blocks: never. */
void tw_columns_unread(struct tw_csv_row *row);

/* What each name of a header line [p, end) means.  Only letters and digits
 * count, in either case ("Bid Size" is bid_size), names that are not known are
 * skipped; where none is a time, a first column without a name is.  symbol: a
 * row needs a symbol.  TW_EUSAGE: error says what is wrong.
 * Thread: any.  Blocks: never.  Memory: none. */
int tw_columns_header(struct tw_columns *k, const char *p, const char *end,
                      char separator, bool symbol, struct tw_error *error);

/* The same of a map, "time,bid,-,ask", where a name must be known; "-" and an
 * empty one skip a column.  Thread: any.  Blocks: never.  Memory: none. */
int tw_columns_map(struct tw_columns *k, const char *map, bool symbol,
                   struct tw_error *error);

#endif
