/* column.c - what the columns of a text file may be called. */
#include "feed/column.h"

#include <ctype.h>
#include <string.h>

enum { LETTERS = 20 };   /* a longer name is none of ours */

/* Names that vendors use for more than one thing (last, amount of money) are
 * left out: to take them wrongly is worse than to have them named in a map. */
static const struct { enum tw_csv_column column; const char *name; } aliases[] = {
    {TW_CSV_TIME, "time"}, {TW_CSV_TIME, "timestamp"}, {TW_CSV_TIME, "ts"},
    {TW_CSV_TIME, "datetime"}, {TW_CSV_TIME, "date"}, {TW_CSV_TIME, "tsevent"},
    {TW_CSV_TIME, "eventtime"}, {TW_CSV_TIME, "gmttime"}, {TW_CSV_TIME, "utctime"},
    {TW_CSV_SYMBOL, "symbol"}, {TW_CSV_SYMBOL, "sym"}, {TW_CSV_SYMBOL, "ticker"},
    {TW_CSV_SYMBOL, "instrument"}, {TW_CSV_SYMBOL, "security"},
    {TW_CSV_BID, "bid"}, {TW_CSV_BID, "bidprice"}, {TW_CSV_BID, "bidpx"},
    {TW_CSV_BID, "bidpx00"}, {TW_CSV_BID, "bestbid"}, {TW_CSV_BID, "bestbidprice"},
    {TW_CSV_ASK, "ask"}, {TW_CSV_ASK, "askprice"}, {TW_CSV_ASK, "askpx"},
    {TW_CSV_ASK, "askpx00"}, {TW_CSV_ASK, "bestask"}, {TW_CSV_ASK, "bestaskprice"},
    {TW_CSV_ASK, "offer"}, {TW_CSV_ASK, "offerprice"},
    {TW_CSV_BID_SIZE, "bidsize"}, {TW_CSV_BID_SIZE, "bidqty"},
    {TW_CSV_BID_SIZE, "bidquantity"}, {TW_CSV_BID_SIZE, "bidvolume"},
    {TW_CSV_BID_SIZE, "bidamount"}, {TW_CSV_BID_SIZE, "bidsz"},
    {TW_CSV_BID_SIZE, "bidsz00"}, {TW_CSV_BID_SIZE, "bestbidqty"},
    {TW_CSV_ASK_SIZE, "asksize"}, {TW_CSV_ASK_SIZE, "askqty"},
    {TW_CSV_ASK_SIZE, "askquantity"}, {TW_CSV_ASK_SIZE, "askvolume"},
    {TW_CSV_ASK_SIZE, "askamount"}, {TW_CSV_ASK_SIZE, "asksz"},
    {TW_CSV_ASK_SIZE, "asksz00"}, {TW_CSV_ASK_SIZE, "bestaskqty"},
    {TW_CSV_ASK_SIZE, "offersize"},
    {TW_CSV_PRICE, "price"}, {TW_CSV_PRICE, "px"}, {TW_CSV_PRICE, "tradeprice"},
    {TW_CSV_SIZE, "size"}, {TW_CSV_SIZE, "quantity"}, {TW_CSV_SIZE, "qty"},
    {TW_CSV_SIZE, "volume"}, {TW_CSV_SIZE, "vol"}, {TW_CSV_SIZE, "tradesize"},
    {TW_CSV_SIDE, "side"}, {TW_CSV_SIDE, "aggressor"}, {TW_CSV_SIDE, "takerside"},
};

enum { ALIASES = sizeof aliases / sizeof aliases[0] };

/* The letters and digits of a name, in lower case; their number. */
static size_t plain(const char *name, size_t n, char out[LETTERS + 1])
{
    size_t length = 0;

    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)name[i])) continue;
        if (length == LETTERS) return 0;
        out[length++] = (char)tolower((unsigned char)name[i]);
    }
    out[length] = 0;
    return length;
}

enum tw_csv_column tw_column_find(const char *name, size_t n)
{
    char word[LETTERS + 1];

    if (plain(name, n, word) == 0) return TW_CSV_SKIP;
    for (size_t i = 0; i < ALIASES; i++)
        if (strcmp(aliases[i].name, word) == 0) return aliases[i].column;
    return TW_CSV_SKIP;
}

/* Letters to add, drop or change to make b of a. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[LETTERS + 1];
    size_t n = strlen(b);

    for (unsigned j = 0; j <= n; j++) row[j] = j;
    for (unsigned i = 0; a[i]; i++) {
        unsigned corner = row[0]++;

        for (size_t j = 0; j < n; j++) {
            unsigned best = corner + (a[i] != b[j]);

            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j + 1] + 1 < best) best = row[j + 1] + 1;
            corner = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[n];
}

enum tw_csv_column tw_column_near(const char *name, size_t n)
{
    enum tw_csv_column column = TW_CSV_SKIP;
    char word[LETTERS + 1];
    size_t length = plain(name, n, word);
    unsigned best = length < 3 ? 0 : length < 6 ? 1 : 2;

    if (length == 0) return TW_CSV_SKIP;
    for (size_t i = 0; i < ALIASES; i++) {
        unsigned d = distance(word, aliases[i].name);

        if (d < best || (d == best && column == TW_CSV_SKIP)) {
            best = d;
            column = aliases[i].column;
        }
    }
    return column;
}

const char *tw_column_name(enum tw_csv_column column)
{
    static const char *const names[] = {
        "-", "time", "symbol", "bid", "ask", "bid_size", "ask_size",
        "price", "size", "side"
    };

    return names[column];
}
