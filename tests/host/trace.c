/* trace.c - the requests that files say, and what is wrong with those that don't. */
#include "feed/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"
#include "place.h"
#include "tap.h"

static char path[PLACE];

static void write_file(const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");

    fwrite(bytes, 1, n, f);
    fclose(f);
}

static int read_file(enum tw_trace_format format, size_t *requests, size_t *keys,
                     struct tw_error *error)
{
    struct tw_trace *t = tw_trace_new();
    int rc;

    *error = (struct tw_error){0};
    rc = tw_trace_read(t, path, format, error);
    *requests = tw_trace_requests(t);
    *keys = tw_trace_keys(t);
    tw_trace_free(t);
    return rc;
}

static void reads(const char *what, enum tw_trace_format format, const char *bytes,
                  size_t n, size_t requests, size_t keys)
{
    struct tw_error error;
    size_t r, k;
    int rc;

    write_file(bytes, n);
    rc = read_file(format, &r, &k, &error);
    ok(rc == 0 && r == requests && k == keys, "%s: %zu requests, %zu keys", what, r, k);
    if (rc) printf("# %s\n", error.text);
}

static void refuses(const char *why, enum tw_trace_format format, const char *bytes,
                    size_t n)
{
    struct tw_error error;
    size_t r, k;
    int rc;

    write_file(bytes, n);
    rc = read_file(format, &r, &k, &error);
    ok(rc < 0 && error.code == rc && strstr(error.text, why), "%s", error.text);
}

#define TEXT(s) s, sizeof s - 1

static void formats(void)
{
    reads("text", TW_TRACE_TEXT, TEXT("a\nb\n a \r\n\n*\na b\n**\nb"), 6, 4);
    reads("nothing", TW_TRACE_TEXT, "", 0, 0, 0);
    reads("ranges", TW_TRACE_RANGES, TEXT("10 3 0 1\n12 2\n\n5 0\n7\t1\n"), 6, 5);
    reads("int32", TW_TRACE_INT32, TEXT("\0\0\0\1\0\0\0\2\1\0\0\0\0\0\0\1"), 4, 3);
    reads("int64", TW_TRACE_INT64, TEXT("\0\0\0\1\0\0\0\2\1\0\0\0\0\0\0\1"), 2, 2);
    refuses("line 2: '7' is not", TW_TRACE_RANGES, TEXT("1 2\n7\n"));
    refuses("line 1: 'x 1' is not", TW_TRACE_RANGES, TEXT("x 1"));
    refuses("line 1: '1 2x' is not", TW_TRACE_RANGES, TEXT("1 2x"));
    refuses("is not 'first count'", TW_TRACE_RANGES, TEXT("1 99999999999999999999"));
    refuses("3 bytes of a key of 4", TW_TRACE_INT32, TEXT("\0\0\0\1\0\0\1"));
    refuses("zstd -d", TW_TRACE_TEXT, TEXT("\x28\xb5\x2f\xfd...."));
    refuses("xz -d", TW_TRACE_INT32, TEXT("\xfd" "7zXZ\0\0\0"));
}

static void long_ones(void)
{
    enum { N = 100000, LONG = 65536 };
    static char text[N * 8], line[LONG + 2];
    size_t n = 0, r, k;
    struct tw_error error;
    gzFile z;

    for (int i = 0; i < N; i++) n += (size_t)sprintf(text + n, "%d\n", i % 3000);
    reads("more than fits the buffer", TW_TRACE_TEXT, text, n, N, 3000);
    z = gzopen(path, "wb");
    gzwrite(z, text, (unsigned)n);
    gzclose(z);
    ok(read_file(TW_TRACE_TEXT, &r, &k, &error) == 0 && r == N && k == 3000, "gzip");
    ok(truncate(path, 5000) == 0 && read_file(TW_TRACE_TEXT, &r, &k, &error) < 0
       && strstr(error.text, "cut off"), "a truncated one: %s", error.text);
    memset(line, 'x', sizeof line);
    line[LONG - 1] = '\n';
    reads("the longest line", TW_TRACE_TEXT, line, LONG, 1, 1);
    line[LONG - 1] = 'x';
    refuses("line 1 is longer", TW_TRACE_TEXT, line, sizeof line);
}

static void failures(void)
{
    struct tw_error error;
    size_t r, k;
    int failed;

    write_file(TEXT("1\n2\n3\n"));
    for (failed = 0; ; failed++) {
        int rc;

        tw_memory_fail_at((uint64_t)failed + 2);      /* the trace is the first */
        rc = read_file(TW_TRACE_TEXT, &r, &k, &error);
        if (rc == 0 || error.code != rc || !*error.text) break;
    }
    tw_memory_fail_at(0);
    ok(failed == 5 && r == 3, "without memory it says so (%d)", failed);
    unlink(path);
    ok(read_file(TW_TRACE_TEXT, &r, &k, &error) == -ENOENT, "%s", error.text);
}

int main(void)
{
    place_file(path);
    formats();
    long_ones();
    failures();
    return tap_done();
}
