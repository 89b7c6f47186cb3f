/* trace.c - files that say which keys were asked of a cache, in order.
 *
 * Layer host/feed.  Thread: any, one per trace.
 */
#include "feed/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "feed/input.h"

enum { BUFFER_BYTES = 64 * 1024 };

struct reader {
    struct tw_trace *trace;
    const char *path;
    struct tw_error *error;
    bool begun;
    uint64_t line;                 /* lines read */
    size_t n;                      /* bytes in the buffer, not yet used */
    char buffer[BUFFER_BYTES];
};

static int add(struct reader *r, uint64_t hash)
{
    int rc = tw_trace_add(r->trace, hash);

    return rc == 0 ? 0 : tw_fail(r->error, rc, "%.300s: request %zu: %s", r->path,
                                 tw_trace_requests(r->trace) + 1, tw_strerror(rc));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static int add_text(struct reader *r, const char *p, size_t n)
{
    return n == 1 && *p == '*' ? 0 : add(r, tw_trace_hash_text(p, n));
}

/* Takes a number and the spaces behind it from the beginning of [*p, end). */
static bool take_number(const char **p, const char *end, uint64_t *number)
{
    const char *from = *p;

    for (*number = 0; *p < end && **p >= '0' && **p <= '9'; ++*p) {
        if (*number > (UINT64_MAX - 9) / 10) return false;
        *number = *number * 10 + (uint64_t)(**p - '0');
    }
    if (*p == from || (*p < end && !is_space(**p))) return false;
    while (*p < end && is_space(**p)) ++*p;
    return true;
}

static int add_range(struct reader *r, const char *p, size_t n)
{
    const char *at = p, *end = p + n;
    uint64_t first, count;
    int rc = 0;

    if (!take_number(&at, end, &first) || !take_number(&at, end, &count))
        return tw_fail(r->error, TW_EFORMAT, "%.300s: line %" PRIu64 ": '%.*s' is not"
                       " 'first count'", r->path, r->line, n < 80 ? (int)n : 80, p);
    while (count-- > 0 && rc == 0) rc = add(r, tw_trace_hash_number(first++));
    return rc;
}

static int add_line(struct reader *r, enum tw_trace_format format, const char *p,
                    const char *end)
{
    r->line++;
    while (p < end && is_space(*p)) p++;
    while (p < end && is_space(end[-1])) end--;
    if (p == end) return 0;
    return format == TW_TRACE_TEXT ? add_text(r, p, (size_t)(end - p))
                                   : add_range(r, p, (size_t)(end - p));
}

/* The whole lines of the buffer; the last one ends with the file. */
static int add_lines(struct reader *r, enum tw_trace_format format, bool last)
{
    const char *p = r->buffer, *end = r->buffer + r->n, *newline;
    int rc = 0;

    while (rc == 0 && p < end && (newline = memchr(p, '\n', (size_t)(end - p)))) {
        rc = add_line(r, format, p, newline);
        p = newline + 1;
    }
    if (rc == 0 && last && p < end) {
        rc = add_line(r, format, p, end);
        p = end;
    }
    if (rc == 0 && end - p == BUFFER_BYTES)
        return tw_fail(r->error, TW_EFORMAT, "%.300s: line %" PRIu64 " is longer than %d"
                       " bytes", r->path, r->line + 1, BUFFER_BYTES);
    r->n = (size_t)(end - p);
    memmove(r->buffer, p, r->n);
    return rc;
}

static int add_numbers(struct reader *r, size_t bytes, bool last)
{
    size_t used = 0;
    int rc = 0;

    for (; rc == 0 && used + bytes <= r->n; used += bytes) {
        uint64_t number = 0;

        for (size_t i = 0; i < bytes; i++)
            number = number << 8 | (unsigned char)r->buffer[used + i];
        rc = add(r, tw_trace_hash_number(number));
    }
    r->n -= used;
    memmove(r->buffer, r->buffer + used, r->n);
    if (rc == 0 && last && r->n > 0)
        return tw_fail(r->error, TW_EFORMAT, "%.300s: cut off: %zu bytes of a key of %zu"
                       " are at its end", r->path, r->n, bytes);
    return rc;
}

/* Packed in a way that tw_input does not know. */
static int check_packing(const struct reader *r)
{
    static const struct { const char *magic, *name; } packing[] = {
        { "\x28\xb5\x2f\xfd", "zstd" }, { "\xfd" "7zX", "xz" },
    };

    for (int i = 0; i < 2; i++)
        if (r->n >= 4 && memcmp(r->buffer, packing[i].magic, 4) == 0)
            return tw_fail(r->error, TW_EUSAGE, "%.300s is packed with %s, which is not"
                           " read here: unpack it first (%s -d)", r->path,
                           packing[i].name, packing[i].name);
    return 0;
}

/* 1 when there is more to read. */
static int read_some(struct reader *r, struct tw_input *in, enum tw_trace_format format)
{
    int64_t n = tw_input_read(in, r->buffer + r->n, BUFFER_BYTES - r->n, r->error);
    bool last = n == 0 && !tw_input_more(in);
    int rc;

    if (n < 0) return (int)n;
    r->n += (size_t)n;
    rc = r->begun ? 0 : check_packing(r);
    r->begun = true;
    if (rc == 0)
        rc = format == TW_TRACE_TEXT || format == TW_TRACE_RANGES
             ? add_lines(r, format, last)
             : add_numbers(r, format == TW_TRACE_INT32 ? 4 : 8, last);
    return rc < 0 ? rc : !last;
}

int tw_trace_read(struct tw_trace *t, const char *path, enum tw_trace_format format,
                  struct tw_error *error)
{
    struct reader *r = tw_calloc(1, sizeof *r);
    struct tw_input *in = NULL;
    int rc = -ENOMEM;

    if (!r) {
        tw_fail(error, rc, "%.300s: %s", path, tw_strerror(rc));
    } else {
        r->trace = t;
        r->path = path;
        r->error = error;
        in = tw_input_open(path, NULL, error);
        rc = in ? 1 : error->code;
        while (rc > 0) rc = read_some(r, in, format);
    }
    tw_input_close(in);
    tw_free(r);
    return rc;
}
