/* fix_log.c - what a FIX session sends and receives, line by line in a file.
 *
 * Layer host/run.  Thread: the owner's.
 */
#include "run/fix_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "base/word.h"

enum { ENOUGH = 128 << 10, TIME = 24, PREFIX = TIME + 4, PATH_BYTES = 4200 };

/* ---- passwords ---- */

/* The value of the first field with that tag, which stands behind an SOH; NULL: none. */
static char *value_of(char *p, size_t n, const char *tag)
{
    size_t length = strlen(tag);
    char *found = memmem(p, n, tag, length);

    return found ? found + length : NULL;
}

/* Blanks n bytes, where a field ends there, else up to the field's end. */
static void blank(char *value, const char *end, size_t n)
{
    char *stop = memchr(value, TW_FIX_SOH, (size_t)(end - value));

    if (n > 0 && n < (size_t)(end - value) && value[n] == TW_FIX_SOH) stop = value + n;
    if (!stop) stop = value + (end - value);
    memset(value, '*', (size_t)(stop - value));
}

static void blank_all(char *p, size_t n, const char *tag)
{
    char *end = p + n, *value = p;

    while ((value = value_of(value, (size_t)(end - value), tag)))
        blank(value, end, 0);
}

/* Data may hold SOH: the field right before it says how long it is. */
static void blank_data(char *p, size_t n, const char *tag, const char *length_tag)
{
    char *end = p + n, *value = p;

    while ((value = value_of(value, (size_t)(end - value), tag))) {
        const char *soh = value - strlen(tag);
        const char *before = memrchr(p, TW_FIX_SOH, (size_t)(soh - p));
        size_t digits = strlen(length_tag);

        blank(value, end, before && strncmp(before + 1, length_tag, digits) == 0
                          ? (size_t)strtoul(before + 1 + digits, NULL, 10) : 0);
    }
}

/* Whether 35, the third field, is one whose RawData (96) is a password: of a Logon, or a
 * UserRequest, as what logs on or is changed later.  Elsewhere it is what users say. */
static bool has_secrets(const char *p, size_t n)
{
    const char *end = p + n, *soh = memchr(p, TW_FIX_SOH, n);

    if (soh) soh = memchr(soh + 1, TW_FIX_SOH, (size_t)(end - soh - 1));
    return soh && end - soh > 7 && (memcmp(soh, "\00135=A\001", 6) == 0
                                    || memcmp(soh, "\00135=BE\001", 7) == 0);
}

typedef unsigned char bytes16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

static inline bytes16 load16(const char *p)
{
    bytes16 v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* Bytes of 255 where p has the '=' of a tag of three digits, the last of them 4 or 5. */
static inline words2 like_password(const char *p)
{
    return (words2)((load16(p) == '=') & ((load16(p - 1) & 0xfe) == '4')
                    & (load16(p - 4) == TW_FIX_SOH));
}

/* Whether one of so many bytes is the '=' of 554 or 925. */
static bool begin_password(const char *p, size_t n)
{
    for (; n > 0; n--, p++)
        if (*p == '=' && (memcmp(p - 4, "\001554", 4) == 0
                          || memcmp(p - 4, "\001925", 4) == 0))
            return true;
    return false;
}

/* Most messages have none, and are looked at only once, the last 32 bytes maybe twice.
 * Neither is in the first eight bytes of one. */
static bool has_password(const char *p, size_t n)
{
    enum { BEGIN = 8, PIECE = 32 };

    if (n < BEGIN + PIECE) return n > BEGIN && begin_password(p + BEGIN, n - BEGIN);
    for (size_t at = BEGIN; at < n; at += PIECE) {
        const char *piece = p + (at < n - PIECE ? at : n - PIECE);
        words2 found = like_password(piece) | like_password(piece + 16);

        if ((found[0] | found[1]) && begin_password(piece, PIECE)) return true;
    }
    return false;
}

bool tw_fix_must_blank(const char *p, size_t n)
{
    return has_secrets(p, n) || has_password(p, n);
}

void tw_fix_blank(char *p, size_t n)
{
    bool secrets = has_secrets(p, n);
    unsigned sum = 0;

    if (!secrets && !has_password(p, n)) return;
    if (secrets) {
        blank_data(p, n, "\00196=", "95=");
        blank_data(p, n, "\0011402=", "1401=");   /* EncryptedPassword    */
        blank_data(p, n, "\0011404=", "1403=");   /* EncryptedNewPassword */
    }
    blank_all(p, n, "\001554=");
    blank_all(p, n, "\001925=");
    if (n < TW_FIX_TRAILER || memcmp(p + n - TW_FIX_TRAILER, "10=", 3) != 0) return;
    for (size_t i = 0; i < n - TW_FIX_TRAILER; i++) sum += (unsigned char)p[i];
    sum %= 256;
    p[n - 4] = (char)('0' + sum / 100);
    p[n - 3] = (char)('0' + sum % 100 / 10);
    p[n - 2] = (char)('0' + sum % 10);
}

/* ---- the file ---- */

static int open_file(struct tw_fix_log *log)
{
    struct stat st;

    log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log->fd < 0) return -errno;
    log->size = fstat(log->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
    return TW_OK;
}

int tw_fix_log_open(struct tw_fix_log *log, const char *path, size_t max,
                    uint64_t size_max, unsigned keep, struct tw_error *error)
{
    int rc = UV_ENOMEM;

    *log = (struct tw_fix_log){ .fd = -1, .room = ENOUGH + PREFIX + max,
                                .size_max = size_max, .keep = keep ? keep : 1,
                                .second_ns = INT64_MIN / 2 };
    log->bytes = tw_map(log->room, false);
    log->path = tw_calloc(1, strlen(path) + 1);
    if (log->path && log->bytes) {
        strcpy(log->path, path);
        rc = open_file(log);
    }
    if (rc == TW_OK) return TW_OK;
    tw_fail(error, rc, "cannot open %s: %s", path, tw_strerror(rc));
    if (log->bytes) tw_unmap(log->bytes, log->room);
    tw_free(log->path);
    log->bytes = log->path = NULL;
    return rc;
}

/* Whether the path names another file by now, or none. */
static bool is_moved(const struct tw_fix_log *log)
{
    struct stat here, there;

    return log->fd >= 0 && fstat(log->fd, &here) == 0
        && (stat(log->path, &there) < 0 || here.st_ino != there.st_ino
            || here.st_dev != there.st_dev);
}

/* PATH.1 becomes PATH.2, and so on; PATH becomes PATH.1. */
static void rotate(struct tw_fix_log *log)
{
    char from[PATH_BYTES], to[PATH_BYTES];

    for (unsigned i = log->keep; i > 0; i--) {
        snprintf(to, sizeof to, "%s.%u", log->path, i);
        if (i == log->keep && access(to, F_OK) == 0) log->removed = true;
        if (i == 1) snprintf(from, sizeof from, "%s", log->path);
        else snprintf(from, sizeof from, "%s.%u", log->path, i - 1);
        rename(from, to);
    }
}

/* The file that the next n bytes go to. */
static void choose_file(struct tw_fix_log *log, size_t n)
{
    bool full = log->fd >= 0 && log->size_max > 0 && log->size > 0
             && log->size + n > log->size_max, moved = is_moved(log);

    if (full && !moved) rotate(log);
    if (log->fd >= 0 && (full || moved)) {
        close(log->fd);
        log->fd = -1;
    }
    log->error = log->fd < 0 ? open_file(log) : TW_OK;
}

static void write_out(struct tw_fix_log *log, const char *p, size_t n, uint64_t messages)
{
    choose_file(log, n);
    if (log->error < 0) log->lost += messages;
    while (n > 0 && log->fd >= 0) {
        ssize_t done = write(log->fd, p, n);

        if (done < 0 && errno == EINTR) continue;
        if (done < 0) {
            log->error = -errno;
            log->lost += messages;
            return;
        }
        p += done;
        n -= (size_t)done;
        log->size += (uint64_t)done;
    }
}

void tw_fix_log_flush(struct tw_fix_log *log)
{
    if (log->n == 0) return;
    write_out(log, log->bytes, log->n, log->waiting);
    log->n = 0;
    log->waiting = 0;
}

void tw_fix_log_close(struct tw_fix_log *log)
{
    if (!log->bytes) return;
    tw_fix_log_flush(log);
    if (log->fd >= 0) close(log->fd);
    tw_unmap(log->bytes, log->room);
    tw_free(log->path);
    log->bytes = log->path = NULL;
}

/* The time of a line; most are in the second of the one before. */
static void put_time(struct tw_fix_log *log, int64_t now_ns, char *out)
{
    uint64_t past = (uint64_t)(now_ns - log->second_ns);
    char *digit = log->time + TIME;

    if (past >= 1000000000) {
        tw_fix_time_text(now_ns, TW_FIX_US, log->time);
        log->second_ns = now_ns - now_ns % 1000000000;
    } else {
        uint32_t us = (uint32_t)past / 1000;

        for (int i = 0; i < 6; i++, us /= 10) *--digit = (char)('0' + us % 10);
    }
    memcpy(out, log->time, TIME);
}

void tw_fix_log_put(struct tw_fix_log *log, int64_t now_ns, int64_t steady_ns,
                    bool incoming, const char *p, size_t n)
{
    char *at;

    assert(log->room - log->n >= n + PREFIX);
    if (log->size_max > 0 && log->size + log->n + n + PREFIX > log->size_max)
        tw_fix_log_flush(log);   /* what waits still fits into the file */
    if (log->n == 0) log->since_ns = steady_ns;
    at = log->bytes + log->n;
    put_time(log, now_ns, at);
    at += TIME;
    memcpy(at, incoming ? " < " : " > ", 3);
    memcpy(at + 3, p, n);
    tw_fix_blank(at + 3, n);
    at[3 + n] = '\n';
    log->n = (size_t)(at + 4 + n - log->bytes);
    log->waiting++;
    if (log->n > ENOUGH) tw_fix_log_flush(log);
}
