/* columns.c - a row splits into the same fields eight bytes at a time and one by one. */
#include "feed/column.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"

enum { ROW_MAX = 200 };

static size_t any_row(char *row, unsigned fields)
{
    static const char some[] = "0123456789.-ABC:+\xc3\xa9\x7f";
    size_t n = 0;

    for (unsigned i = 0; i < fields; i++) {
        if (i) row[n++] = ',';
        for (uint64_t left = next() % 20; left > 0; left--)
            row[n++] = some[next() % (sizeof some - 1)];
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

static void rows(const struct tw_columns *k, const char *what, int n)
{
    int wrong = 0, split = 0;

    for (int i = 0; i < n; i++) {
        struct tw_csv_field f[TW_CSV_MEANINGS] = {{0}}, want[TW_CSV_MEANINGS] = {{0}};
        char text[ROW_MAX];
        size_t size = any_row(text, 1 + (unsigned)(next() % 8));
        char *row = malloc(size + !size);          /* so that a sanitizer sees its end */
        bool good;

        memcpy(row, text, size);
        good = slowly(k, row, row + size, want);
        if (tw_columns_split_plain(k, ',', row, row + size, f)) {
            split++;
            f[TW_CSV_SKIP] = want[TW_CSV_SKIP];
            wrong += !good || memcmp(f, want, sizeof f) != 0;
        } else if (size > 0) {
            wrong += good && is_plain(row, size);
        }
        free(row);
    }
    ok(wrong == 0 && split > n / 20, "%s: %d of %d rows are split (%d wrong)", what,
       split, n, wrong);
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
    return tap_done();
}
