/* history.c - the entries that were typed, kept in a file.
 *
 * A line of the file is an entry; in it \n is a line end and \\ a backslash.  Several
 * prompts may share the file: an entry is appended in one write, and a file that has
 * grown too long is replaced by its end, both under a lock of the file.  So no entry is
 * lost; one that was cut off by a full disk takes nothing else with it.
 *
 * Layer lua/main.
 */
#include "main/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "main/bytes.h"

enum { FILE_MAX = 16 << 20, KEPT_MAX = 4 << 20 };   /* bytes: of a file; of its end */

struct ltw_history {
    char *path;                       /* constant; NULL: no file */
    char *entry[LTW_HISTORY_MAX];     /* a ring                  */
    unsigned first, count;
    bool failed, told;                /* once; trouble: why      */
    char trouble[300];
};

static void fail(struct ltw_history *h, const char *what)
{
    if (h->failed) return;
    h->failed = true;
    snprintf(h->trouble, sizeof h->trouble, "history: can't %s %s: %s", what, h->path,
             strerror(errno));
}

const char *ltw_history_trouble(struct ltw_history *h)
{
    if (!h->failed || h->told) return NULL;
    h->told = true;
    return h->trouble;
}

unsigned ltw_history_count(const struct ltw_history *h)
{
    return h->count;
}

const char *ltw_history_at(const struct ltw_history *h, unsigned i)
{
    return i < h->count ? h->entry[(h->first + i) % LTW_HISTORY_MAX] : NULL;
}

/* Takes text over. */
static void push(struct ltw_history *h, char *text)
{
    char **place = &h->entry[(h->first + h->count) % LTW_HISTORY_MAX];

    if (h->count == LTW_HISTORY_MAX) {
        tw_free(*place);
        h->first = (h->first + 1) % LTW_HISTORY_MAX;
    } else {
        h->count++;
    }
    *place = text;
}

/* ---- the file ---- */

static bool encode(struct tw_bytes *line, const char *text)
{
    bool fine = true;

    for (; *text && fine; text++) {
        if (*text == '\n') fine = ltw_bytes_add(line, "\\n", 2);
        else if (*text == '\\') fine = ltw_bytes_add(line, "\\\\", 2);
        else fine = ltw_bytes_add(line, text, 1);
    }
    return fine && ltw_bytes_add(line, "\n", 1);
}

/* In place. */
static char *decode(char *line)
{
    char *out = line;

    for (const char *in = line; *in; in++) {
        if (*in == '\\' && in[1]) *out++ = *++in == 'n' ? '\n' : *in;
        else *out++ = *in;
    }
    *out = '\0';
    return line;
}

/* The file at the path, locked: by the time there is a lock another may stand there.
 * -1: errno says why. */
static int open_locked(const struct ltw_history *h)
{
    for (;;) {
        struct stat ours, there;
        int fd = open(h->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0) return -1;
        while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
            ;                         /* where there are no locks, without one */
        if (fstat(fd, &ours) < 0 || stat(h->path, &there) < 0
            || (ours.st_ino == there.st_ino && ours.st_dev == there.st_dev))
            return fd;
        close(fd);
    }
}

/* Copies the lines of a file's end to another. */
static bool copy_end(FILE *from, FILE *to, size_t skip)
{
    char *line = NULL;
    size_t room = 0;
    bool fine = true;
    ssize_t n;

    while (fine && (n = getline(&line, &room, from)) > 0)
        if (skip > 0) skip--;
        else fine = fwrite(line, 1, (size_t)n, to) == (size_t)n;
    free(line);
    return fine && !ferror(from);
}

static size_t count_lines(FILE *f)
{
    size_t lines = 0;

    for (int c; (c = getc(f)) != EOF;) lines += c == '\n';
    return lines;
}

/* Stands behind a line that is not in the last KEPT_MAX bytes. */
static void seek_end(FILE *f)
{
    rewind(f);
    if (fseek(f, -(long)KEPT_MAX, SEEK_END) != 0) rewind(f);
    else
        for (int c; (c = getc(f)) != EOF && c != '\n';)
            ;
}

/* The last entries of the locked file, in one of their own that then takes its place.
 * If that can't be, the old one stays, and goes on growing. */
static void shorten(const struct ltw_history *h, FILE *old)
{
    struct tw_bytes name = { .n = 0 };
    FILE *f = NULL;
    size_t lines;
    bool fine;

    if (ltw_bytes_add_text(&name, h->path) && ltw_bytes_add_text(&name, ".new"))
        f = fopen(name.at, "we");
    if (f) {
        long from;

        seek_end(old);
        from = ftell(old);
        lines = count_lines(old);
        fine = fchmod(fileno(f), 0600) == 0 && from >= 0
            && fseek(old, from, SEEK_SET) == 0
            && copy_end(old, f, lines > LTW_HISTORY_MAX ? lines - LTW_HISTORY_MAX : 0);
        fine = fclose(f) == 0 && fine;
        if (!fine || rename(name.at, h->path) < 0) unlink(name.at);
    }
    tw_bytes_free(&name);
}

static void shorten_locked(const struct ltw_history *h)
{
    int fd = open_locked(h);
    FILE *old = fd < 0 ? NULL : fdopen(fd, "r+e");

    if (old) {
        shorten(h, old);
        fclose(old);
    } else if (fd >= 0) {
        close(fd);
    }
}

static void load(struct ltw_history *h)
{
    struct stat status;
    FILE *f = fopen(h->path, "re");
    size_t room = 0, lines = 0;
    char *line = NULL;
    ssize_t n;

    if (!f) {
        if (errno != ENOENT) fail(h, "read");
        return;
    }
    if (fstat(fileno(f), &status) < 0 || !S_ISREG(status.st_mode)) {
        fclose(f);                    /* a device may never end */
        return;
    }
    if (fseek(f, -(long)FILE_MAX, SEEK_END) == 0) getline(&line, &room, f);
    while ((n = getline(&line, &room, f)) > 0) {
        char *text;

        if (line[n - 1] == '\n') line[--n] = '\0';
        text = n > 0 ? tw_calloc(1, (size_t)n + 1) : NULL;
        if (text) push(h, decode(memcpy(text, line, (size_t)n)));
        lines++;
    }
    if (ferror(f)) fail(h, "read");
    free(line);
    fclose(f);
    if (lines > 2 * LTW_HISTORY_MAX && !h->failed) shorten_locked(h);
}

/* What was cut off before ends here. */
static bool ends_within_line(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char last;

    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static void append(struct ltw_history *h, const char *text)
{
    int fd = open_locked(h);
    struct tw_bytes line = { .n = 0 };
    off_t size = 0;

    if (fd < 0) {
        fail(h, "write");
        return;
    }
    if ((!ends_within_line(fd) || ltw_bytes_add(&line, "\n", 1)) && encode(&line, text)) {
        ssize_t n = write(fd, line.at, line.n);

        if (n >= 0 && (size_t)n < line.n) errno = ENOSPC;
        if (n < 0 || (size_t)n < line.n) fail(h, "write");
        size = lseek(fd, 0, SEEK_END);
    }
    tw_bytes_free(&line);
    close(fd);
    if (size > FILE_MAX) shorten_locked(h);
}

/* ---- the whole ---- */

struct ltw_history *ltw_history_open(const char *path)
{
    struct ltw_history *h = tw_calloc(1, sizeof *h);
    size_t n = path ? strlen(path) + 1 : 0;

    if (!h || !path) return h;
    h->path = tw_calloc(1, n);
    if (!h->path) {
        tw_free(h);
        return NULL;
    }
    memcpy(h->path, path, n);
    load(h);
    return h;
}

void ltw_history_close(struct ltw_history *h)
{
    if (!h) return;
    for (unsigned i = 0; i < LTW_HISTORY_MAX; i++) tw_free(h->entry[i]);
    tw_free(h->path);
    tw_free(h);
}

void ltw_history_add(struct ltw_history *h, const char *text)
{
    const char *last = ltw_history_at(h, h->count - 1);
    size_t n = strlen(text);
    char *own;

    if (text[0] == ' ' || text[strspn(text, " \t\n")] == '\0') return;
    if (h->count > 0 && strcmp(last, text) == 0) return;
    own = tw_calloc(1, n + 1);
    if (!own) return;
    push(h, memcpy(own, text, n));
    if (h->path) append(h, text);
}
