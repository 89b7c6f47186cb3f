/* A scan gives the codec each byte of a file once, in order, whatever the pieces: lines
 * that cross reads, messages longer than the buffer, the members of an archive. */
#include "feed/csv.h"
#include "feed/fix.h"
#include "feed/scan.h"
#include "place.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#include <minizip/zip.h>

enum { ROWS = 20000, LONG_BYTES = 700000 };

static char folder[PLACE];

static const char *in_folder(const char *name) { return place_in(folder, name); }

static void write_file(const char *name, const char *bytes, size_t n)
{
    FILE *f = fopen(in_folder(name), "w");

    fwrite(bytes, 1, n, f);
    fclose(f);
}

/* Sums that a lost, doubled or reordered record would change. */
struct seen { uint64_t n, in_order; };

static void take(struct tw_batch *b)
{
    struct seen *seen = b->owner;

    for (unsigned i = 0; i < b->n; i++)
        seen->in_order += b->r[i].time == (int64_t)++seen->n;
    b->n = 0;
}

/* Reads all of a file; the last result of a step. */
static int scan(const char *name, struct tw_codec *codec, struct seen *seen,
                struct tw_error *error)
{
    static struct tw_batch batch;
    struct tw_scan s;
    int rc;

    *seen = (struct seen){ 0 };
    *error = (struct tw_error){ 0 };
    batch = (struct tw_batch){ .full = take, .owner = seen };
    rc = tw_scan_open(&s, in_folder(name), NULL, error);
    if (rc >= 0) do rc = tw_scan_step(&s, codec, 0, &batch, error); while (rc > 0);
    take(&batch);
    tw_scan_close(&s);
    return rc;
}

static size_t write_rows(char *out, int from, int to)
{
    size_t n = (size_t)sprintf(out, "time,symbol,bid,ask\n");

    for (int i = from; i <= to; i++)
        n += (size_t)sprintf(out + n, "%d,S%d,%d.25,%d.5\n", i, i % 7, i % 100, i % 100);
    return n;
}

static void test_csv(struct tw_symbols *symbols, char *text)
{
    struct tw_csv_options o = { .symbols = symbols, .time = "ns" };
    struct tw_error error;
    struct tw_codec *codec = tw_csv_decoder_new(&o, &error);
    size_t n = write_rows(text, 1, ROWS);
    struct seen seen;
    zipFile z;

    write_file("rows.csv", text, n);
    ok(scan("rows.csv", codec, &seen, &error) == 0 && seen.n == ROWS
       && seen.in_order == ROWS, "every row once, in order");
    ok(codec->stats.bytes == n, "every byte");
    write_file("short.csv", text, n - 1);
    ok(scan("short.csv", codec, &seen, &error) == 0 && seen.n == ROWS,
       "a last line without its end");
    write_file("empty.csv", text, 0);
    ok(scan("empty.csv", codec, &seen, &error) == 0 && seen.n == 0, "an empty file");
    ok(scan("none.csv", codec, &seen, &error) < 0 && strstr(error.text, "none.csv"),
       "no file");

    z = zipOpen(in_folder("two.zip"), 0);
    for (int m = 0; m < 2; m++) {
        n = write_rows(text, m * ROWS / 2 + 1, (m + 1) * ROWS / 2);
        zipOpenNewFileInZip(z, m ? "b.csv" : "a.csv", NULL, NULL, 0, NULL, 0, NULL,
                            Z_DEFLATED, Z_DEFAULT_COMPRESSION);
        zipWriteInFileInZip(z, text, (unsigned)n);
        zipCloseFileInZip(z);
    }
    zipClose(z, NULL);
    ok(scan("two.zip", codec, &seen, &error) == 0 && seen.n == ROWS
       && seen.in_order == ROWS, "two members, each with its header");
    codec->ops->free(codec);
}

static void test_fix(struct tw_symbols *symbols, char *text)
{
    struct tw_codec *codec = tw_fix_decoder_new(&(struct tw_fix_options){
        .symbols = symbols });
    struct tw_fix_writer w = { "FIX.4.4", "A", "B", 1 };
    struct tw_quote q = { 1000000000, 2000000000, 1000000000, 1000000000 };
    struct tw_error error;
    struct seen seen;
    size_t n;
    unsigned sum = 0;

    /* A message that no buffer of the first size holds, and one after it. */
    n = (size_t)sprintf(text, "8=FIX.4.4\0019=%d\00135=0\00158=", LONG_BYTES + 9);
    memset(text + n, 'x', LONG_BYTES);
    n += LONG_BYTES;
    text[n++] = 1;
    for (size_t i = 0; i < n; i++) sum += (unsigned char)text[i];
    n += (size_t)sprintf(text + n, "10=%03u\001", sum % 256);
    n += (size_t)tw_fix_write_quote(&w, "S", &q, 1, text + n, 1000);
    write_file("long.fix", text, n);
    ok(scan("long.fix", codec, &seen, &error) == 0 && seen.n == 1,
       "a message longer than the buffer, and what follows it");
    ok(codec->stats.messages == 2 && codec->stats.skips == 0, "neither is skipped");
    write_file("cut.fix", text, n - 20);
    ok(scan("cut.fix", codec, &seen, &error) == 0 && seen.n == 0
       && codec->stats.skips == 1, "one that was cut off is skipped, and counted");
    codec->ops->free(codec);
}

int main(void)
{
    struct tw_symbols *symbols = tw_symbols_new(100);
    char *text = malloc(2 << 20);

    place_folder(folder);
    test_csv(symbols, text);
    test_fix(symbols, text);
    place_remove(folder);
    free(text);
    tw_symbols_free(symbols);
    return tap_done();
}
