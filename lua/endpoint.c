/* endpoint.c - the sockets of running apps: where they are, who may use them.
 *
 * A socket appears under its name only when it listens already.  So one that refuses
 * a connection is what a killed run has left, and anybody may remove it.
 */
#include "endpoint.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 16, TWINS = 100 };   /* runs of one name in one process */

static int fail(struct tw_error *error, const char *what, const char *path)
{
    int rc = -errno;

    return tw_fail(error, rc, "%s %s: %s", what, path, tw_strerror(rc));
}

/* The directory, which only its owner can look into.  In /tmp anybody may have made
 * one of that name before. */
static int directory(char dir[LTW_ENDPOINT_PATH], struct tw_error *error)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct stat s;
    int n;

    if (runtime && runtime[0] == '/')
        n = snprintf(dir, LTW_ENDPOINT_PATH, "%s/tidewire", runtime);
    else
        n = snprintf(dir, LTW_ENDPOINT_PATH, "/tmp/tidewire-%lu",
                     (unsigned long)geteuid());
    if (n >= LTW_ENDPOINT_PATH)
        return tw_fail(error, TW_ELIMIT, "%s: the path is too long for a socket", dir);
    if (mkdir(dir, 0700) < 0 && errno != EEXIST) return fail(error, "mkdir", dir);
    if (lstat(dir, &s) < 0) return fail(error, "stat", dir);
    if (!S_ISDIR(s.st_mode) || s.st_uid != geteuid() || (s.st_mode & 077) != 0)
        return tw_fail(error, TW_EUSAGE, "%s: not a directory that only user %lu can"
                       " open", dir, (unsigned long)geteuid());
    return TW_OK;
}

static int set_path(struct ltw_endpoint *e, const char *dir, const char *dot,
                    struct tw_error *error)
{
    int n = snprintf(e->path, sizeof e->path, "%s/%s%ld.%s", dir, dot, (long)e->pid,
                     e->name);

    if (n < (int)sizeof e->path) return TW_OK;
    return tw_fail(error, TW_ELIMIT, "%s: the path is too long for a socket", e->path);
}

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    memcpy(a.sun_path, path, strlen(path) + 1);
    return a;
}

/* The name of the app file without its directory and .lua, as a file name. */
static void set_name(struct ltw_endpoint *e, const char *app_path, int twin)
{
    const char *slash = strrchr(app_path, '/'), *base = slash ? slash + 1 : app_path;
    const char *dot = strstr(base, ".lua");
    size_t n = dot ? (size_t)(dot - base) : strlen(base), max = LTW_ENDPOINT_NAME - 4;

    if (n > max) n = max;
    for (size_t i = 0; i < n; i++)
        e->name[i] = isalnum((unsigned char)base[i]) || base[i] == '-' ? base[i] : '_';
    e->name[n] = '\0';
    if (n == 0) strcpy(e->name, "app");
    if (twin > 1) sprintf(e->name + strlen(e->name), "-%u", (unsigned)twin % 1000);
}

static int socket_for(const char *path, struct tw_error *error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? fail(error, "socket", path) : fd;
}

/* EAGAIN: it listens, and many want it. */
static int try_connect(int fd, const char *path)
{
    struct sockaddr_un a = address(path);

    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 || errno == EAGAIN) return 0;
    return -errno;
}

/* Is there one that listens?  What does not is removed. */
static bool answers(const char *path)
{
    int fd = socket_for(path, NULL), rc;

    if (fd < 0) return false;
    rc = try_connect(fd, path);
    close(fd);
    if (rc == -ECONNREFUSED) unlink(path);
    return rc == 0;
}

static int bind_hidden(int fd, const char *path, struct tw_error *error)
{
    struct sockaddr_un a = address(path);

    unlink(path);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) return fail(error, "bind", path);
    if (chmod(path, 0600) < 0) return fail(error, "chmod", path);
    return listen(fd, BACKLOG) < 0 ? fail(error, "listen", path) : TW_OK;
}

int ltw_endpoint_listen(const char *app_path, struct ltw_endpoint *e,
                        struct tw_error *error)
{
    char dir[LTW_ENDPOINT_PATH];
    struct ltw_endpoint hidden;
    int fd, rc, twin = 0;

    if ((rc = directory(dir, error)) < 0) return rc;
    e->pid = getpid();
    do {
        set_name(e, app_path, ++twin);
        if ((rc = set_path(e, dir, "", error)) < 0) return rc;
    } while (twin < TWINS && answers(e->path));
    hidden = *e;
    if ((rc = set_path(&hidden, dir, ".", error)) < 0) return rc;
    if ((fd = socket_for(e->path, error)) < 0) return fd;
    rc = bind_hidden(fd, hidden.path, error);
    if (rc == TW_OK && rename(hidden.path, e->path) < 0)
        rc = fail(error, "rename", hidden.path);
    if (rc == TW_OK) return fd;
    unlink(hidden.path);
    close(fd);
    return rc;
}

/* "123.market" */
static bool parse(const char *file, struct ltw_endpoint *e)
{
    char *dot;
    long pid = strtol(file, &dot, 10);
    size_t n = strlen(file);

    if (pid <= 0 || *dot != '.' || n - (size_t)(dot + 1 - file) > LTW_ENDPOINT_NAME)
        return false;
    e->pid = (pid_t)pid;
    strcpy(e->name, dot + 1);
    return true;
}

int ltw_endpoint_list(struct ltw_endpoint *list, unsigned max, struct tw_error *error)
{
    char dir[LTW_ENDPOINT_PATH];
    struct dirent *entry;
    unsigned n = 0, at;
    DIR *d;
    int rc = directory(dir, error);

    if (rc < 0) return rc;
    if (!(d = opendir(dir))) return fail(error, "open", dir);
    while (n < max && (entry = readdir(d))) {
        struct ltw_endpoint e;

        if (!parse(entry->d_name, &e) || set_path(&e, dir, "", error) < 0
            || !answers(e.path))
            continue;
        for (at = n++; at > 0 && list[at - 1].pid > e.pid; at--) list[at] = list[at - 1];
        list[at] = e;
    }
    closedir(d);
    return (int)n;
}

int ltw_endpoint_check(int fd, uid_t *uid, pid_t *pid)
{
    struct ucred who;
    socklen_t n = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0) return -errno;
    *uid = who.uid;
    *pid = who.pid;
    return who.uid == geteuid() ? TW_OK : -EACCES;
}

int ltw_endpoint_connect(const struct ltw_endpoint *e, struct tw_error *error)
{
    int fd = socket_for(e->path, error), rc;
    uid_t uid;
    pid_t pid;

    if (fd < 0) return fd;
    rc = try_connect(fd, e->path);
    if (rc == TW_OK) rc = ltw_endpoint_check(fd, &uid, &pid);
    if (rc == TW_OK) return fd;
    close(fd);
    return tw_fail(error, rc, "%s: %s", e->path, tw_strerror(rc));
}
