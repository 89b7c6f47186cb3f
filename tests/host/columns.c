/* columns.c - a row splits into the same fields, and numbers, at once and one by one. */
#include "feed/column.h"

#include <stdlib.h>
#include <string.h>

#include "base/fixed.h"
#include "random.h"
#include "tap.h"

enum { ROW_MAX = 200 };

static size_t any_row(char *row, unsigned fields)
{
    static const char some[] = "01234567890123456789..-ABC:+\xc3\xa9\x7f";
    size_t n = 0;

    for (unsigned i = 0; i < fields; i++) {
        size_t kinds = next() % 4 ? 21 : sizeof some - 1;   /* mostly digits and points */

        if (i) row[n++] = ',';
        for (uint64_t left = next() % 22; left > 0; left--)
            row[n++] = some[next() % kinds];
    }
    if (next() % 8 == 0 && n > 0) row[next() % n] = " \"\t\x01"[next() % 4];
    return n;
}

/* By tw_field_take: true when the row has what is wanted, and not too much. */
static bool slowly(const struct tw_columns *k, const char *p, const char *end,
                   struct tw_csv_field *f)
{
    unsigned i, n = k->total > k->wanted ? k->total : k->wanted;

    for (i = 0; i < n && p; i++)
        if (tw_field_take(',', &p, end, &f[i < k->wanted ? k->meaning[i] : TW_CSV_SKIP]))
            return false;
    return i >= k->wanted && !(k->total && p);
}

static bool is_plain(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] <= '"') return false;
    return true;
}

/* The numbers that were read are those that their texts are; what is not one of the
 * `numbers` was not. */
static bool has_numbers(const struct tw_csv_row *row, const struct tw_columns *k,
                        uint32_t numbers, int *read)
{
    bool good = true;

    for (unsigned i = 0; i < k->wanted; i++) {
        const unsigned m = k->meaning[i];
        int64_t v;

        if (row->fixed[m] == TW_CSV_UNREAD) continue;
        good &= (numbers >> m & 1) && row->f[m].p[0] != '-'
            && tw_fixed_parse(row->f[m].p, row->f[m].n, &v) == TW_OK
            && v == row->fixed[m];
        ++*read;
    }
    return good;
}

static void rows(const struct tw_columns *k, const char *what, int n)
{
    const uint32_t numbers = TW_CSV_SIZES | TW_CSV_PRICES;
    int wrong = 0, split = 0, read = 0;

    for (int i = 0; i < n; i++) {
        struct tw_csv_row got = {{{0}}, {0}};
        struct tw_csv_field want[TW_CSV_MEANINGS] = {{0}};
        char text[ROW_MAX];
        size_t size = any_row(text, 1 + (unsigned)(next() % 8));
        char *row = malloc(size + TW_CSV_BEYOND);   /* a sanitizer sees its end */
        bool good;

        memcpy(row, text, size);
        for (int b = 0; b < TW_CSV_BEYOND; b++) row[size + b] = "1.,\n"[next() % 4];
        row[size] = "\n\r "[next() % 3];
        tw_columns_unread(&got);
        good = slowly(k, row, row + size, want);
        if (tw_columns_read_plain(k, ',', i % 8 ? numbers : 0, row, row + size, &got)) {
            split++;
            got.f[TW_CSV_SKIP] = want[TW_CSV_SKIP];
            wrong += !good || memcmp(got.f, want, sizeof want) != 0
                || !has_numbers(&got, k, i % 8 ? numbers : 0, &read);
        } else if (size > 0) {
            wrong += good && is_plain(row, size);
        }
        free(row);
    }
    ok(wrong == 0 && split > n / 20 && read > n / 50,
       "%s: %d of %d rows are split (%d wrong), %d numbers read", what, split, n, wrong,
       read);
}

/* One field that is a bid: what it is as a number, or UNREAD. */
static int64_t number(const char *text)
{
    struct tw_columns k = { .wanted = 1, .meaning = { TW_CSV_BID } };
    struct tw_csv_row row = {{{0}}, {0}};
    char line[40 + TW_CSV_BEYOND] = "";

    strcpy(line, text);
    tw_columns_unread(&row);
    if (!tw_columns_read_plain(&k, ',', TW_CSV_PRICES, line, strchr(line, '\n'), &row))
        return -1;
    return row.fixed[TW_CSV_BID];
}

static void numbers(void)
{
    ok(number("999999999.999999999\n") == INT64_C(999999999999999999)
       && number("000000001\n") == TW_FIXED_ONE && number("7.\n") == 7 * TW_FIXED_ONE
       && number("0.000000001\n") == 1 && number("0\n") == 0,
       "the longest that is plain, and the least");
    ok(number("1000000000\n") == TW_CSV_UNREAD && number("1.0000000000\n")
       == TW_CSV_UNREAD && number(".5\n") == TW_CSV_UNREAD
       && number("1.2.3\n") == TW_CSV_UNREAD && number("-1\n") == TW_CSV_UNREAD
       && number("1e3\n") == TW_CSV_UNREAD && number(".\n") == TW_CSV_UNREAD
       && number("\n") == TW_CSV_UNREAD, "what needs a closer look");
}

int main(void)
{
    int n = getenv("SMALL") ? 1000 : 100000;
    const char *header = "time,symbol,bid,note,ask";
    struct tw_columns k;
    struct tw_error error;

    ok(tw_columns_map(&k, "time,-,symbol,bid", true, &error) == 0, "a map");
    rows(&k, "a map", n);
    ok(tw_columns_header(&k, header, header + strlen(header), ',', true, &error) == 0,
       "a header");
    rows(&k, "a header", n);
    numbers();
    return tap_done();
}
