/* audit.c - the file that says who has changed what in a run.
 *
 * It is opened for each line: so it may be moved away and looked after by others, and a
 * file system that has become full or read-only is noticed.  A line that was written in
 * part has its end in the next one.
 */
#include "attach/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int fail(struct tw_error *error, const char *path, int number)
{
    return tw_fail(error, -number, "audit file %s: %s", path, tw_strerror(-number));
}

/* Does the last line lack its end?  Who can't look adds one that is not needed. */
static bool is_torn(int fd, const struct stat *s)
{
    char last = '\n';

    if (!S_ISREG(s->st_mode) || s->st_size == 0) return false;
    return pread(fd, &last, 1, s->st_size - 1) == 1 && last != '\n';
}

static int append(int fd, const struct stat *s, const char *text, size_t n)
{
    struct iovec parts[] = { { (void *)"\n", 0 }, { (void *)text, n },
                             { (void *)"\n", 1 } };
    ssize_t written;

    parts[0].iov_len = is_torn(fd, s);
    n += parts[0].iov_len + 1;
    do written = writev(fd, parts, 3);   /* one call: O_APPEND keeps it together */
    while (written < 0 && errno == EINTR);
    if (written < 0) return errno;
    if ((size_t)written < n) return ENOSPC;
    return fdatasync(fd) < 0 && errno != EINVAL ? errno : 0;
}

int ltw_audit_write(const char *path, const char *text, size_t n,
                    struct tw_error *error)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                  0600), number = 0;
    struct stat s;

    if (fd < 0) return fail(error, path, errno);
    if (fstat(fd, &s) < 0) number = errno;
    else if (!S_ISREG(s.st_mode) && !S_ISCHR(s.st_mode)) number = EINVAL;
    else if (n > 0) number = append(fd, &s, text, n);
    close(fd);
    return number ? fail(error, path, number) : TW_OK;
}
