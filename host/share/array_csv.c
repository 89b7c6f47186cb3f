/* array_csv.c - arrays as text that reads back exactly: a line for each row.
 *
 * Layer host/share.  Thread: see array_csv.h.
 */
#include "share/array_csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

size_t tw_number_text(double x, char out[static TW_NUMBER_TEXT])
{
    char *comma;
    int n;

    if (x != x) {   /* printf would show its sign */
        strcpy(out, "nan");
        return strlen("nan");
    }
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(out, TW_NUMBER_TEXT, "%.*g", digits, x);
        if (strtod(out, NULL) == x) break;
    }
    comma = strchr(out, ',');   /* os.setlocale */
    if (comma) *comma = '.';
    return (size_t)n;
}

/* Gathers small pieces. */
struct text {
    bool (*put)(void *ctx, const char *text, size_t n);
    void *ctx;
    bool ended;
    size_t n;
    char bytes[4096];
};

static void flush(struct text *t)
{
    if (t->n && !t->ended) t->ended = !t->put(t->ctx, t->bytes, t->n);
    t->n = 0;
}

static void add(struct text *t, char c)
{
    if (t->n == sizeof t->bytes) flush(t);
    t->bytes[t->n++] = c;
}

static void add_number(struct text *t, double x)
{
    if (sizeof t->bytes - t->n < TW_NUMBER_TEXT) flush(t);
    t->n += tw_number_text(x, t->bytes + t->n);
}

static void add_name(struct text *t, const char *name, size_t n)
{
    bool quoted = n == 0;

    for (size_t i = 0; i < n; i++) quoted |= name[i] && strchr(",\"\r\n", name[i]);
    if (quoted) add(t, '"');
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '"') add(t, '"');
        add(t, name[i]);
    }
    if (quoted) add(t, '"');
}

void tw_array_csv(const struct tw_csv_column *column, unsigned columns,
                  bool (*put)(void *ctx, const char *text, size_t n), void *ctx)
{
    struct text t = { .put = put, .ctx = ctx };
    size_t rows = tw_array_length(column[0].array);

    for (unsigned c = 0; column[0].name && c < columns; c++) {
        add_name(&t, column[c].name, column[c].name_bytes);
        add(&t, c + 1 < columns ? ',' : '\n');
    }
    for (size_t i = 0; i < rows && !t.ended; i++)
        for (unsigned c = 0; c < columns; c++) {
            assert(tw_array_length(column[c].array) == rows);
            add_number(&t, tw_array_data(column[c].array)[i]);
            add(&t, c + 1 < columns ? ',' : '\n');
        }
    flush(&t);
}

struct file { FILE *f; int failed; };

static bool put_to_file(void *ctx, const char *text, size_t n)
{
    struct file *file = ctx;

    errno = 0;
    if (fwrite(text, 1, n, file->f) == n) return true;
    file->failed = errno ? errno : EIO;
    return false;
}

int tw_array_csv_write(const struct tw_csv_column *column, unsigned columns,
                       const char *path, struct tw_error *error)
{
    struct file file = { fopen(path, "we"), 0 };

    if (file.f) {
        tw_array_csv(column, columns, put_to_file, &file);
        errno = 0;
        if (fclose(file.f) && !file.failed) file.failed = errno ? errno : EIO;
    } else {
        file.failed = errno ? errno : EIO;
    }
    if (!file.failed) return TW_OK;
    return tw_fail(error, -file.failed, "csv: %s: %s", path, uv_strerror(-file.failed));
}
