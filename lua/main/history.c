/* history.c - the entries that were typed, kept in a file.
 *
 * A line of the file is an entry; in it \n is a line end and \\ a backslash.  Entries
 * are appended, each in one write, so that several prompts may share the file; one
 * that was cut off by a full disk takes nothing else with it.  A file that has grown
 * to twice what is read of it is replaced by what was read.
 *
 * Layer lua/main.
 */
#include "main/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "main/bytes.h"

enum { FILE_MAX = 16 << 20 };   /* bytes read of a file: its end */

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

static bool encode(struct ltw_bytes *line, const char *text)
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

/* All entries, in a file of their own that then takes the place of the old one. */
static void rewrite(struct ltw_history *h)
{
    struct ltw_bytes name = { .n = 0 }, line = { .n = 0 };
    FILE *f = NULL;
    bool fine;

    if (!ltw_bytes_add_text(&name, h->path) || !ltw_bytes_add_text(&name, ".new"))
        goto end;
    f = fopen(name.at, "w");
    if (!f) goto end;                 /* the old one stays, and goes on growing */
    fine = fchmod(fileno(f), 0600) == 0;
    for (unsigned i = 0; i < h->count && fine; i++) {
        line.n = 0;
        fine = encode(&line, ltw_history_at(h, i))
            && fwrite(line.at, 1, line.n, f) == line.n;
    }
    fine = fclose(f) == 0 && fine;
    if (!fine || rename(name.at, h->path) < 0) unlink(name.at);
end:
    ltw_bytes_free(&name);
    ltw_bytes_free(&line);
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
    if (lines > 2 * LTW_HISTORY_MAX && !h->failed) rewrite(h);
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
    int fd = open(h->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    struct ltw_bytes line = { .n = 0 };

    if (fd < 0) {
        fail(h, "write");
        return;
    }
    if ((!ends_within_line(fd) || ltw_bytes_add(&line, "\n", 1)) && encode(&line, text)) {
        ssize_t n = write(fd, line.at, line.n);

        if (n >= 0 && (size_t)n < line.n) errno = ENOSPC;
        if (n < 0 || (size_t)n < line.n) fail(h, "write");
    }
    ltw_bytes_free(&line);
    close(fd);
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
