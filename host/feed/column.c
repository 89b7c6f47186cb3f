/* column.c - the columns of a text file: how a line splits, what each means.
 *
 * Layer host/feed.
 */
#include "feed/column.h"

#include <ctype.h>
#include <string.h>

#include "base/word.h"

enum { LETTERS = 20 };   /* a longer name is none of ours */

/* Names that vendors use for more than one thing (last, amount of money) are
 * left out: to take them wrongly is worse than to have them named in a map. */
static const struct { enum tw_csv_column column; const char *name; } aliases[] = {
    {TW_CSV_TIME, "time"}, {TW_CSV_TIME, "timestamp"}, {TW_CSV_TIME, "ts"},
    {TW_CSV_TIME, "datetime"}, {TW_CSV_DATE, "date"}, {TW_CSV_TIME, "tsevent"},
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
    {TW_CSV_OPEN, "open"}, {TW_CSV_HIGH, "high"}, {TW_CSV_LOW, "low"},
    {TW_CSV_CLOSE, "close"},
    {TW_CSV_BID_OPEN, "bidopen"}, {TW_CSV_BID_HIGH, "bidhigh"},
    {TW_CSV_BID_LOW, "bidlow"}, {TW_CSV_BID_CLOSE, "bidclose"},
    {TW_CSV_ASK_OPEN, "askopen"}, {TW_CSV_ASK_HIGH, "askhigh"},
    {TW_CSV_ASK_LOW, "asklow"}, {TW_CSV_ASK_CLOSE, "askclose"},
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

static enum tw_csv_column find(const char *name, size_t n)
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

/* What a name that is not known was probably meant to be. */
static enum tw_csv_column nearest(const char *name, size_t n)
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
        "price", "size", "side", "date", "open", "high", "low", "close",
        "bid_open", "bid_high", "bid_low", "bid_close",
        "ask_open", "ask_high", "ask_low", "ask_close"
    };

    return names[column];
}

static bool blank(char separator, char c)
{
    return (c == ' ' || c == '\t') && c != separator;
}

const char *tw_field_take_any(char separator, const char **at, const char *end,
                              struct tw_csv_field *f)
{
    const char *p = *at, *first, *stop;

    while (p < end && blank(separator, *p)) p++;
    first = p;
    if (p < end && *p == '"') {
        for (first = ++p;; p = stop + 2) {
            stop = memchr(p, '"', (size_t)(end - p));
            if (!stop) return "a quoted field does not end";
            if (stop + 1 == end || stop[1] != '"') break;
        }
        for (p = stop + 1; p < end && blank(separator, *p);) p++;
        if (p < end && *p != separator) return "text after a quoted field";
    } else {
        while (p < end && *p != separator) p++;
        for (stop = p; stop > first && blank(separator, stop[-1]);) stop--;
    }
    *f = (struct tw_csv_field){first, (size_t)(stop - first)};
    *at = p < end ? p + 1 : NULL;
    return NULL;
}

/* The fields that end in the word at p, of which stops tells; false: there are no more
 * columns. */
static inline bool end_fields(const struct tw_columns *k, const char *p, uint64_t stops,
                              unsigned n, const char **first, unsigned *i,
                              struct tw_csv_field f[TW_CSV_MEANINGS])
{
    for (; stops; stops &= stops - 1) {
        const char *stop = p + tw_word_first(stops);

        f[*i < k->wanted ? k->meaning[*i] : TW_CSV_SKIP] =
            (struct tw_csv_field){*first, (size_t)(stop - *first)};
        *first = stop + 1;
        if (++*i == n) return false;
    }
    return true;
}

bool tw_columns_split_plain(const struct tw_columns *k, char separator, const char *p,
                            const char *end, struct tw_csv_field f[TW_CSV_MEANINGS])
{
    const uint64_t separators = TW_WORD_OF(separator);
    const char *first = p;
    unsigned i = 0, n = k->total > k->wanted ? k->total : k->wanted;
    uint64_t w, stops;

    for (; end - p >= 8; p += 8) {
        w = tw_word_load(p);
        stops = tw_word_zeros(w ^ separators);
        if (tw_word_below(w, '"' + 1) & ~stops) return false;
        if (!end_fields(k, p, stops, n, &first, &i, f)) return k->total == 0;
    }
    if (p < end) {
        uint64_t there = (UINT64_C(1) << 8 * (end - p)) - 1;

        w = tw_word_load_part(p, (size_t)(end - p));
        stops = tw_word_zeros(w ^ separators) & there;
        if (tw_word_below(w, '"' + 1) & ~stops & there) return false;
        if (!end_fields(k, p, stops, n, &first, &i, f)) return k->total == 0;
    }
    f[i < k->wanted ? k->meaning[i] : TW_CSV_SKIP] =
        (struct tw_csv_field){first, (size_t)(end - first)};
    return i + 1 >= k->wanted;
}

static void start(struct tw_columns *k)
{
    *k = (struct tw_columns){0};
    for (int m = 0; m < TW_CSV_MEANINGS; m++) k->at[m] = -1;
}

/* Sets the meaning of column number i (from 0). */
static int mean(struct tw_columns *k, unsigned i, enum tw_csv_column m,
                struct tw_error *error)
{
    if (m == TW_CSV_SKIP) return 0;
    if (k->at[m] >= 0)
        return tw_fail(error, TW_EUSAGE, "columns %d and %u are both %s",
                       k->at[m] + 1, i + 1, tw_column_name(m));
    if (i >= TW_CSV_COLUMNS)
        return tw_fail(error, TW_EUSAGE, "%s is column %u, only the first %d are read",
                       tw_column_name(m), i + 1, TW_CSV_COLUMNS);
    k->meaning[i] = (uint8_t)m;
    k->at[m] = (int)i;
    if (k->wanted < i + 1) k->wanted = i + 1;
    return 0;
}

/* How many of a bar's four columns there are, from that one on. */
static int bar_columns(const struct tw_columns *k, enum tw_csv_column open)
{
    int n = 0;

    for (int i = 0; i < 4; i++) n += k->at[(int)open + i] >= 0;
    return n;
}

static int complete(struct tw_columns *k, bool symbol, struct tw_error *error)
{
    bool bars = tw_columns_have_bars(k), whole = true;
    const char *lacks;

    for (int open = TW_CSV_OPEN; bars && open <= TW_CSV_ASK_OPEN; open += 4)
        whole = whole && bar_columns(k, (enum tw_csv_column)open) % 4 == 0;
    if (k->at[TW_CSV_TIME] < 0 && k->at[TW_CSV_DATE] >= 0) {
        k->at[TW_CSV_TIME] = k->at[TW_CSV_DATE];
        k->meaning[k->at[TW_CSV_TIME]] = TW_CSV_TIME;
        k->at[TW_CSV_DATE] = -1;
    }
    lacks = k->at[TW_CSV_TIME] < 0 ? "no time column"
        : !whole ? "a bar needs open, high, low and close"
        : !bars && k->at[TW_CSV_BID] < 0 && k->at[TW_CSV_ASK] < 0
          && k->at[TW_CSV_PRICE] < 0
        ? "no bid, ask or price column"
        : symbol && k->at[TW_CSV_SYMBOL] < 0
        ? "no symbol column, and no symbol given" : NULL;

    return lacks ? tw_fail(error, TW_EUSAGE, "%s", lacks) : 0;
}

int tw_columns_header(struct tw_columns *k, const char *p, const char *end,
                      char separator, bool symbol, struct tw_error *error)
{
    struct tw_csv_field f;
    const char *wrong;
    bool nameless = false;
    int r;

    for (start(k); p; k->total++) {
        wrong = tw_field_take(separator, &p, end, &f);
        if (wrong) return tw_fail(error, TW_EUSAGE, "%s", wrong);
        if (k->total == 0) nameless = f.n == 0;
        r = mean(k, k->total, find(f.p, f.n), error);
        if (r) return r;
    }
    if (nameless && k->at[TW_CSV_TIME] < 0 && k->at[TW_CSV_DATE] < 0)
        mean(k, 0, TW_CSV_TIME, error);
    return complete(k, symbol, error);
}

int tw_columns_map(struct tw_columns *k, const char *map, bool symbol,
                   struct tw_error *error)
{
    const char *end = map + strlen(map);
    enum tw_csv_column m, near;
    struct tw_csv_field f;
    int r;

    start(k);
    for (unsigned i = 0; map; i++) {
        const char *wrong = tw_field_take(',', &map, end, &f);

        if (wrong) return tw_fail(error, TW_EUSAGE, "%s", wrong);
        m = find(f.p, f.n);
        if (m == TW_CSV_SKIP && f.n && !(f.n == 1 && *f.p == '-')) {
            near = nearest(f.p, f.n);
            return tw_fail(error, TW_EUSAGE, "no column is called '%.*s'%s%s%s",
                           f.n < 40 ? (int)f.n : 40, f.p, near ? "; did you mean " : "",
                           near ? tw_column_name(near) : "", near ? "?" : "");
        }
        r = mean(k, i, m, error);
        if (r) return r;
    }
    return complete(k, symbol, error);
}
