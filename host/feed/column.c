/* column.c - the columns of a text file: how a line splits, what each means.
 *
 * Layer host/feed.
 */
#include "feed/column.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/fixed.h"
#include "base/word.h"
#include "tape/record.h"

enum {
    LETTERS = 20,         /* a longer name is none of ours */
    DECIMALS = 9          /* of 1e-9                       */
};

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

bool tw_column_side(struct tw_csv_field f, uint32_t *side)
{
    static const struct { const char *name; uint32_t side; } names[] = {
        {"buy", TW_SIDE_BUY}, {"b", TW_SIDE_BUY}, {"bid", TW_SIDE_BUY},
        {"1", TW_SIDE_BUY}, {"sell", TW_SIDE_SELL}, {"s", TW_SIDE_SELL},
        {"ask", TW_SIDE_SELL}, {"a", TW_SIDE_SELL}, {"2", TW_SIDE_SELL},
        {"none", TW_SIDE_NONE}, {"n", TW_SIDE_NONE}, {"-", TW_SIDE_NONE},
    };

    *side = TW_SIDE_NONE;
    if (f.n == 0) return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i].name) == f.n
            && strncasecmp(names[i].name, f.p, f.n) == 0) {
            *side = names[i].side;
            return true;
        }
    return false;
}

/* Where the field ends that begins at p, or NULL: it has what needs care. */
static inline const char *find_stop(const char *p, const char *end, char separator)
{
    uint64_t told;

    for (;; p += 8) {               /* *end ends it, which is below '"' */
        const uint64_t w = tw_word_load(p);

        told = tw_word_zeros(w ^ TW_WORD_OF(separator)) | tw_word_below(w, '"' + 1);
        if (told) break;
    }
    p += tw_word_first(told);
    return p == end || *p == separator ? p : NULL;
}

/* Where the number ends that begins at p, or NULL: it is none, or needs care.  Something
 * that is no part of it follows. */
static inline const char *read_number(const char *p, int64_t *fixed)
{
    static const uint32_t units[DECIMALS + 1] = {
        1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1
    };
    const char *first = p;
    uint64_t v = 0;
    unsigned digit;

    for (; (digit = (unsigned char)*p - (unsigned)'0') <= 9; p++) v = v * 10 + digit;
    if ((size_t)(p - first) - 1 >= DECIMALS) return NULL;
    if (digit == (unsigned)'.' - (unsigned)'0') {
        first = ++p;
        for (; (digit = (unsigned char)*p - (unsigned)'0') <= 9; p++) v = v * 10 + digit;
        if (p - first > DECIMALS) return NULL;
        *fixed = (int64_t)(v * units[p - first]);
    } else {
        *fixed = (int64_t)(v * TW_FIXED_ONE);
    }
    return p;
}

bool tw_columns_read_plain(const struct tw_columns *k, char separator, uint32_t numbers,
                           const char *p, const char *end, struct tw_csv_row *row)
{
    const char *stop;
    unsigned i;

    for (i = 0; i < k->wanted; i++, p = stop + 1) {
        const unsigned m = k->meaning[i];

        if (!(numbers >> m & 1) || !(stop = read_number(p, &row->fixed[m]))
            || (stop != end && *stop != separator)) {
            row->fixed[m] = TW_CSV_UNREAD;
            stop = find_stop(p, end, separator);
            if (!stop) return false;
        }
        row->f[m] = (struct tw_csv_field){p, (size_t)(stop - p)};
        if (stop == end) return i + 1 == k->wanted;
    }
    for (; i < k->total; i++, p = stop + 1) {
        if (!(stop = find_stop(p, end, separator))) return false;
        if (stop == end) return true;
    }
    return k->total == 0;
}

void tw_columns_unread(struct tw_csv_row *row)
{
    for (int m = 0; m < TW_CSV_MEANINGS; m++) row->fixed[m] = TW_CSV_UNREAD;
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
