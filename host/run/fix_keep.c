/* fix_keep.c - the file of orders and positions that a gateway finds again. */
#include "run/fix_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"

enum { LONG_BYTES = 1 << 20, LONG_TIMES = 8 };

struct tw_fix_keep {
    int fd;                            /* -1: not open                                */
    bool sync;
    size_t size, whole;                /* now; when all was written last              */
    char path[4096], fresh[4096];
};

int tw_fix_keep_folder(const char *folder, struct tw_error *error)
{
    char path[4096];
    size_t n = strlen(folder);

    if (n >= sizeof path) return tw_fail(error, UV_ENAMETOOLONG, "folder %s", folder);
    for (size_t i = 1; i <= n; i++) {
        if (folder[i] != '/' && folder[i] != 0) continue;
        memcpy(path, folder, i);
        path[i] = 0;
        if (mkdir(path, 0700) < 0 && errno != EEXIST && i == n)
            return tw_fail(error, -errno, "cannot make the folder %s: %s", folder,
                           tw_strerror(-errno));
    }
    return TW_OK;
}

struct tw_fix_keep *tw_fix_keep_new(const char *folder, const char *name, bool sync)
{
    struct tw_fix_keep *k = tw_calloc(1, sizeof *k);

    if (!k) return NULL;
    k->fd = -1;
    k->sync = sync;
    snprintf(k->path, sizeof k->path, "%s/%s.orders", folder, name);
    snprintf(k->fresh, sizeof k->fresh, "%s/%s.orders.new", folder, name);
    return k;
}

void tw_fix_keep_free(struct tw_fix_keep *k)
{
    if (k && k->fd >= 0) close(k->fd);
    tw_free(k);
}

const char *tw_fix_keep_path(const struct tw_fix_keep *k)
{
    return k->path;
}

static int read_all(int fd, char *out, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, out, n);

        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        if (got == 0) break;
        out += got;
        n -= (size_t)got;
    }
    *out = 0;
    return TW_OK;
}

/* Zeros are of a block that a machine which stopped had no time to write: as the end of a
 * text they would hide what is behind them. */
static void show_zeros(char *text, size_t n)
{
    char *end = text + n;

    while ((text = memchr(text, 0, (size_t)(end - text))) != NULL) *text = '?';
}

char *tw_fix_keep_read(struct tw_fix_keep *k, size_t *n, struct tw_error *error)
{
    int fd = open(k->path, O_RDONLY | O_CLOEXEC), rc = fd < 0 ? -errno : TW_OK;
    struct stat st;
    char *text = NULL;

    error->code = TW_OK;
    if (rc == -ENOENT) return NULL;
    if (rc == TW_OK && fstat(fd, &st) < 0) rc = -errno;
    if (rc == TW_OK && !(text = tw_calloc((size_t)st.st_size + 1, 1))) rc = UV_ENOMEM;
    if (rc == TW_OK) rc = read_all(fd, text, (size_t)st.st_size);
    if (fd >= 0) close(fd);
    if (rc == TW_OK) {
        *n = (size_t)st.st_size;
        show_zeros(text, *n);
        return text;
    }
    tw_free(text);
    tw_fail(error, rc, "%s: %s", k->path, tw_strerror(rc));
    return NULL;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, p, n);

        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -errno;
        p += put;
        n -= (size_t)put;
    }
    return TW_OK;
}

/* What was there stands until the new one is whole. */
static int write_anew(struct tw_fix_keep *k, const char *text, size_t n)
{
    int fd = open(k->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600);
    int rc;

    if (fd < 0) return -errno;
    rc = write_all(fd, text, n);
    if (rc == TW_OK && fsync(fd) < 0) rc = -errno;
    if (rc == TW_OK && rename(k->fresh, k->path) < 0) rc = -errno;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    if (k->fd >= 0) close(k->fd);
    k->fd = fd;
    k->size = k->whole = n;
    return TW_OK;
}

int tw_fix_keep_write(struct tw_fix_keep *k, const char *text, size_t n, bool all)
{
    int rc;

    if (all || k->fd < 0) return write_anew(k, text, n);
    rc = write_all(k->fd, text, n);
    if (rc == TW_OK && k->sync && fdatasync(k->fd) < 0) rc = -errno;
    if (rc == TW_OK) k->size += n;
    return rc;
}

bool tw_fix_keep_is_long(const struct tw_fix_keep *k)
{
    return k->size > LONG_BYTES && k->size / LONG_TIMES > k->whole;
}
