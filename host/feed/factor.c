/* factor.c - factors of prices, day by day, for later splits and dividends. */
#include "feed/factor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "feed/timestamp.h"

enum { ROWS_MAX = 1 << 14, LINE_BYTES = 256 };

struct row { int64_t day, factor; };

struct tw_factors {
    struct row *rows;
    size_t n, at;             /* the row of the last price: the next is near it */
};

/* The product, to the nearest 1e-9; false: it does not fit. */
static bool multiply(int64_t *a, int64_t b)
{
    __int128 product = (__int128)*a * b, half = TW_FIXED_ONE / 2;

    product = (product + (product < 0 ? -half : half)) / TW_FIXED_ONE;
    *a = (int64_t)product;
    return *a == product;
}

/* A number that is above 0, and no more than 10,000. */
static bool read_factor(const char *p, size_t n, int64_t *out)
{
    return tw_fixed_parse(p, n, out) == 0 && *out > 0
        && *out <= 10000 * TW_FIXED_ONE;
}

static bool read_row(const char *line, struct row *out)
{
    const char *price = strchr(line, ','), *split = price ? strchr(price + 1, ',') : NULL;
    size_t n = split ? strcspn(split + 1, ",\r\n") : 0;
    int year, month, day;
    int64_t split_fixed;

    if (!split || price - line != 8 || strspn(line, "0123456789") != 8) return false;
    sscanf(line, "%4d%2d%2d", &year, &month, &day);
    if (!tw_timestamp_days(year, month, day, &out->day)
        || !read_factor(price + 1, (size_t)(split - price - 1), &out->factor)
        || !read_factor(split + 1, n, &split_fixed))
        return false;
    return multiply(&out->factor, split_fixed) && out->factor > 0;
}

static int read_rows(struct tw_factors *f, FILE *file, const char *path,
                     struct tw_error *error)
{
    char line[LINE_BYTES];

    for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
        if (line[strspn(line, " \r\n")] == '\0') continue;
        if (f->n == ROWS_MAX)
            return tw_fail(error, TW_ERANGE, "%s: more than %d factors", path, ROWS_MAX);
        if (!read_row(line, &f->rows[f->n]))
            return tw_fail(error, TW_EFORMAT, "%s: line %u: a date (YYYYMMDD), a price"
                           " factor and a split factor expected", path, number);
        if (f->n > 0 && f->rows[f->n].day <= f->rows[f->n - 1].day)
            return tw_fail(error, TW_EFORMAT, "%s: line %u: its date is not behind that"
                           " of the line before", path, number);
        f->n++;
    }
    if (ferror(file)) return tw_fail(error, -EIO, "%s: %s", path, strerror(EIO));
    return TW_OK;
}

struct tw_factors *tw_factors_open(const char *path, struct tw_error *error)
{
    struct tw_factors *f = tw_calloc(1, sizeof *f);
    FILE *file = fopen(path, "re");
    int code;

    if (!file) {
        tw_fail(error, -errno, "%s: %s", path, strerror(errno));
        tw_free(f);
        return NULL;
    }
    if (f) f->rows = tw_calloc(ROWS_MAX, sizeof *f->rows);
    code = f && f->rows ? read_rows(f, file, path, error)
         : tw_fail(error, -ENOMEM, "%s: not enough memory", path);
    fclose(file);
    if (code == TW_OK) return f;
    tw_factors_free(f);
    return NULL;
}

int tw_factors_adjust(struct tw_factors *f, int64_t day, int64_t *price_fixed)
{
    if (!f) return TW_OK;
    while (f->at > 0 && f->rows[f->at - 1].day >= day) f->at--;
    while (f->at < f->n && f->rows[f->at].day < day) f->at++;
    return f->at == f->n || multiply(price_fixed, f->rows[f->at].factor) ? TW_OK
         : TW_ERANGE;
}

void tw_factors_free(struct tw_factors *f)
{
    if (!f) return;
    tw_free(f->rows);
    tw_free(f);
}
