/* A file's bytes are all there, in order, or an error says what is wrong:
 * nothing that was cut off or damaged ends silently. */
#include "base/memory.h"
#include "feed/input.h"
#include "place.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <minizip/unzip.h>
#include <minizip/zip.h>
#include <zlib.h>

enum { STORED = 0, PARKED = 777 };    /* in steps of that, without a descriptor */

static char folder[PLACE];
static size_t text_bytes = 300000;
static char *text;

static const char *in_folder(const char *name) { return place_in(folder, name); }

static void write_file(const char *name, const char *mode, const void *bytes, size_t n)
{
    FILE *f = fopen(in_folder(name), mode);

    fwrite(bytes, 1, n, f);
    fclose(f);
}

static char *load(const char *name, size_t *n)
{
    FILE *f = fopen(in_folder(name), "r");
    char *bytes = malloc(2 * text_bytes + 4096);

    *n = fread(bytes, 1, 2 * text_bytes + 4096, f);
    fclose(f);
    return bytes;
}

static void write_gzip(const char *name, const char *mode, const char *bytes, size_t n)
{
    gzFile f = gzopen(in_folder(name), mode);

    gzwrite(f, bytes, (unsigned)n);
    gzclose(f);
}

static void add_member(zipFile z, const char *name, int method, int zip64,
                       const char *bytes, size_t n)
{
    zip_fileinfo info = {0};

    zipOpenNewFileInZip64(z, name, &info, NULL, 0, NULL, 0, NULL, method,
                          Z_DEFAULT_COMPRESSION, zip64);
    zipWriteInFileInZip(z, bytes, (unsigned)n);
    zipCloseFileInZip(z);
}

/* Reads all, `step` bytes at a time, a '|' where a member ends and another
 * follows.  NULL: error has the reason. */
static char *read_all(const char *name, const char *member, size_t step, size_t *total,
                      struct tw_error *error)
{
    size_t room = 2 * text_bytes + 4096;
    struct tw_input *in;
    char *all;
    int64_t r;

    memset(error, 0, sizeof *error);
    *total = 0;
    in = tw_input_open(in_folder(name), member, error);
    if (!in) return NULL;
    all = malloc(room);
    for (;;) {
        size_t n = *total + step < room ? step : room - *total;

        if (step == PARKED) tw_input_park(in);
        r = tw_input_read(in, all + *total, n, error);
        *total += r > 0 ? (size_t)r : 0;
        if (r > 0) continue;
        if (r < 0 || !tw_input_more(in)) break;
        all[(*total)++] = '|';
    }
    if (r == 0 && tw_input_read(in, all, 1, error) != 0) r = -1;   /* the end stays */
    if (r < 0 && tw_input_read(in, all, 1, NULL) != error->code) error->text[0] = 0;
    tw_input_close(in);
    if (r == 0) return all;
    free(all);
    return NULL;
}

static bool reads(const char *name, const char *member, const char *want, size_t n)
{
    static const size_t steps[] = { 1 << 20, 4096, PARKED };
    struct tw_error error;
    bool same = true;
    size_t total;

    for (size_t i = 0; i < 3; i++) {
        char *all = read_all(name, member, steps[i], &total, &error);

        same = same && all && total == n && memcmp(all, want, n) == 0;
        if (!all) printf("# %s\n", error.text);
        free(all);
    }
    return same;
}

static bool fails(const char *name, const char *member, const char *says)
{
    struct tw_error error;
    size_t total;
    char *all = read_all(name, member, 4096, &total, &error);
    bool right = !all && error.code < 0 && strstr(error.text, folder)
        && strstr(error.text, says);

    if (!right) printf("# '%s' instead of '%s'\n", all ? "no error" : error.text, says);
    free(all);
    return right;
}

static void plain(void)
{
    struct tw_error error;
    struct tw_input *in;
    char byte[70000];
    int64_t got;

    write_file("plain", "w", text, text_bytes);
    ok(reads("plain", NULL, text, text_bytes), "a plain file");
    write_file("empty", "w", "", 0);
    ok(reads("empty", NULL, "", 0), "an empty file is empty");
    write_file("short", "w", "PK", 2);
    ok(reads("short", NULL, "PK", 2), "a file shorter than a magic number");

    write_file("one", "w", text, text_bytes);
    in = tw_input_open(in_folder("one"), NULL, &error);
    tw_input_park(in);
    rename(in_folder("one"), in_folder("moved"));
    write_file("one", "w", text, text_bytes);
    while ((got = tw_input_read(in, byte, sizeof byte, &error)) > 0) tw_input_park(in);
    ok(got == TW_EFORMAT && strstr(error.text, "/one: it is another file than before"),
       "a file that was replaced while it was parked");
    tw_input_close(in);

    ok(!tw_input_open(in_folder("none"), NULL, &error) && error.code == -2
       && strncmp(error.text, "cannot open ", 12) == 0
       && strstr(error.text, "/none: no such file or directory"), "a missing file");
    ok(fails(".", NULL, "it is a directory"), "a directory");
    ok(fails("plain", "x", "not a zip archive"), "a member of what is no archive");
    ok(!tw_input_open(in_folder("none"), NULL, NULL) , "whose error nobody asks for");
}

static void gzip(void)
{
    size_t n, whole, wrong = 0, step;
    struct tw_error error;
    char *bytes, *all;

    write_gzip("a.gz", "w", text, text_bytes);
    ok(reads("a.gz", NULL, text, text_bytes), "gzip");
    bytes = load("a.gz", &whole);
    write_file("plainly.named", "w", bytes, whole);
    ok(reads("plainly.named", NULL, text, text_bytes), "gzip is known by its bytes");

    write_gzip("two.gz", "w", text, 1000);
    write_gzip("two.gz", "a", text + 1000, 0);
    write_gzip("two.gz", "a", text + 1000, text_bytes - 1000);
    ok(reads("two.gz", NULL, text, text_bytes), "gzip of several members");
    write_gzip("nothing.gz", "w", "", 0);
    ok(reads("nothing.gz", NULL, "", 0), "gzip of nothing");

    step = whole / 97;
    for (size_t cut = 0; cut < whole; cut += cut < 40 || whole - cut < 20 ? 1 : step) {
        write_file("cut.gz", "w", bytes, cut);
        all = read_all("cut.gz", NULL, 4096, &n, &error);
        wrong += all || !strstr(error.text, "cut.gz: cut off at byte ");
        free(all);
    }
    ok(wrong == 0, "cut off anywhere is an error that says where");

    wrong = 0;
    for (size_t i = 10; i < whole; i += i + 20 < whole ? step : 1) {
        bytes[i] ^= 0x55;
        write_file("bad.gz", "w", bytes, whole);
        all = read_all("bad.gz", NULL, 4096, &n, &error);
        wrong += all || !strstr(error.text, "bad.gz: ");
        free(all);
        bytes[i] ^= 0x55;
    }
    ok(wrong == 0, "a changed byte is an error");
    write_file("tail.gz", "w", bytes, whole);
    write_file("tail.gz", "a", "tail", 4);
    ok(fails("tail.gz", NULL, "tail.gz: damaged before byte "),
       "what follows is no gzip");
    free(bytes);
}

static size_t put(unsigned char *p, int bytes, uint64_t value)
{
    for (int i = 0; i < bytes; i++) p[i] = i < 8 ? (unsigned char)(value >> 8 * i) : 0;
    return (size_t)bytes;
}

/* A stored entry of which the directory has nothing in 32 bits, as .NET writes them. */
static void wide_zip(void)
{
    static const char rows[] = "rows of a day\n";
    unsigned char all[400];
    size_t n = 0, central = 0, size = sizeof rows - 1;

    for (int i = 0; i < 2; i++) {             /* the entry's own head, the directory's */
        if (i == 1) central = n;
        n += put(all + n, 4, i ? 0x02014b50 : 0x04034b50);
        if (i) n += put(all + n, 2, 45);
        n += put(all + n, 2, 45) + put(all + n + 2, 8, 0);
        n += put(all + n, 4, crc32(0, (const unsigned char *)rows, (unsigned)size));
        n += put(all + n, 8, UINT64_MAX);
        n += put(all + n, 2, 1) + put(all + n + 2, 2, i ? 28 : 20);
        if (i) n += put(all + n, 10, 0) + put(all + n + 10, 4, UINT32_MAX);
        all[n++] = 'd';
        n += put(all + n, 2, 1) + put(all + n + 2, 2, i ? 24 : 16);
        n += put(all + n, 8, size) + put(all + n + 8, 8, size);
        if (i) n += put(all + n, 8, 0);
        else n += (size_t)snprintf((char *)all + n, sizeof all - n, "%s", rows);
    }
    size = n - central;
    n += put(all + n, 4, 0x06054b50) + put(all + n + 4, 4, 0);
    n += put(all + n, 2, 1) + put(all + n + 2, 2, 1);
    n += put(all + n, 4, size) + put(all + n + 4, 4, central) + put(all + n + 8, 2, 0);
    write_file("wide.zip", "w", (char *)all, n);
    ok(reads("wide.zip", NULL, rows, sizeof rows - 1), "sizes and place of 64 bits");
}

static void zip(void)
{
    size_t whole, n, wrong = 0, step;
    struct tw_error error;
    char *bytes, *all, *want = malloc(text_bytes + 100);
    zipFile z;

    for (int zip64 = 0; zip64 < 2; zip64++) {
        z = zipOpen64(in_folder("a.zip"), APPEND_STATUS_CREATE);
        add_member(z, "day/", STORED, zip64, "", 0);
        add_member(z, "day/a.csv", Z_DEFLATED, zip64, text, text_bytes);
        add_member(z, "day/none.csv", Z_DEFLATED, zip64, "", 0);
        add_member(z, "read.me", STORED, zip64, "hello", 5);
        add_member(z, "b.csv", Z_DEFLATED, zip64, "b", 1);
        zipClose(z, NULL);
        n = text_bytes;
        memcpy(want, text, n);
        memcpy(want + n, "||hello|b", 9);
        ok(reads("a.zip", NULL, want, n + 9), "all of a zip%s", zip64 ? ", zip64" : "");
    }
    ok(reads("a.zip", "read.me", "hello", 5), "a member by its name, stored");
    ok(reads("a.zip", "day/none.csv", "", 0), "an empty member");
    memcpy(want + text_bytes, "||b", 3);
    ok(reads("a.zip", "*.csv", want, text_bytes + 3), "members by a pattern");
    ok(fails("a.zip", "*.txt", "no member matches '*.txt'; the last of 5 is 'b.csv'"),
       "no member by that pattern");

    z = zipOpen64(in_folder("dirs.zip"), APPEND_STATUS_CREATE);
    add_member(z, "day/", STORED, 0, "", 0);
    zipClose(z, NULL);
    ok(fails("dirs.zip", NULL, "no file in the zip archive"), "only a directory in it");
    write_file("empty.zip", "w", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
    ok(fails("empty.zip", NULL, "empty zip archive"), "nothing in it");
    write_file("zero.zip", "w", "", 0);
    ok(fails("zero.zip", NULL, "cut off at byte 0"), "no byte in it");

    z = zipOpen64(in_folder("one.zip"), APPEND_STATUS_CREATE);
    add_member(z, "one.csv", Z_DEFLATED, 0, text, text_bytes);
    zipClose(z, NULL);
    bytes = load("one.zip", &whole);
    step = whole / 97;
    for (size_t cut = 4; cut < whole; cut += step) {
        write_file("cut.zip", "w", bytes, cut);
        all = read_all("cut.zip", NULL, 4096, &n, &error);
        wrong += all || !strstr(error.text, "cut.zip: ");
        free(all);
    }
    ok(wrong == 0, "a zip cut off anywhere is an error");
    wrong = 0;
    for (size_t i = 50; i < whole - 100; i += step) {   /* within its data */
        bytes[i] ^= 0x55;
        write_file("bad.zip", "w", bytes, whole);
        all = read_all("bad.zip", NULL, 4096, &n, &error);
        wrong += all || !strstr(error.text, "bad.zip: member one.csv: ");
        free(all);
        bytes[i] ^= 0x55;
    }
    ok(wrong == 0, "a changed byte of a member is an error");
    free(bytes);

    z = zipOpen64(in_folder("stored.zip"), APPEND_STATUS_CREATE);
    add_member(z, "a.csv", STORED, 0, "hello", 5);
    zipClose(z, NULL);
    bytes = load("stored.zip", &whole);
    *(char *)memmem(bytes, whole, "hello", 5) = 'j';
    write_file("stored.zip", "w", bytes, whole);
    ok(fails("stored.zip", NULL, "member a.csv: its checksum is wrong"),
       "the checksum counts");
    free(bytes);
    free(want);
}

static void no_memory(void)
{
    struct tw_error error;
    size_t n, wrong = 0;
    int failed = 0;
    char *all;

    for (uint64_t i = 1;; i++) {
        tw_memory_fail_at(i);
        all = read_all("a.gz", NULL, 4096, &n, &error);
        tw_memory_fail_at(0);
        if (all) break;
        failed++;
        wrong += !strstr(error.text, "no memory");
    }
    free(all);
    ok(failed >= 3 && wrong == 0, "each of %d allocations fails once", failed);
}

int main(void)
{
    uint32_t x = 1;

    if (getenv("SMALL")) text_bytes = 70000;
    text = malloc(text_bytes);
    for (size_t i = 0; i < text_bytes; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = (char)('0' + (x >> 28) % 12);
    }
    place_folder(folder);
    plain();
    gzip();
    zip();
    wide_zip();
    no_memory();
    place_remove(folder);
    free(text);
    return tap_done();
}
