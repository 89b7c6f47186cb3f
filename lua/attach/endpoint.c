/* endpoint.c - the sockets of running apps: where they are, who may use them.
 *
 * A socket appears under its name only when it listens already.  So one where nobody
 * does is what a killed run has left.
 *
 * Invariants
 *   E1  What makes or removes a socket that is not its own holds the directory's lock.
 *       So none is removed that a process of the same pid has just put in its place.
 *   E2  Who looks whether somebody listens takes no place in the queue there: with
 *       many that look, nobody who wants to be let in is turned away.
 */
#include "attach/endpoint.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };
enum { TWINS = 100 };                      /* runs of one name in one process */
enum { LOCK_TRIES = 200, LOCK_MS = 10 };
enum { CONNECT_SECONDS = 5 };

static int fail(struct tw_error *error, const char *what, const char *path)
{
    int rc = -errno;

    return tw_fail(error, rc, "%s %s: %s", what, path, tw_strerror(rc));
}

/* Where n bytes would be needed. */
static int too_long(struct tw_error *error, const char *path, int n)
{
    return tw_fail(error, TW_ELIMIT, "%.60s...: %d bytes, and the path of a socket may"
                   " have %d; XDG_RUNTIME_DIR says where it is", path, n,
                   LTW_ENDPOINT_PATH - 1);
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
    if (n >= LTW_ENDPOINT_PATH) return too_long(error, dir, n);
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
    return too_long(error, e->path, n);
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

static int socket_for(const char *path, int flags, struct tw_error *error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    return fd < 0 ? fail(error, "socket", path) : fd;
}

/* E1: the directory's lock, or -1, and errno: EWOULDBLOCK when somebody has it for too
 * long. */
static int lock(const char *dir, int tries)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (--tries > 0) {
            poll(NULL, 0, LOCK_MS);
            continue;
        }
        close(fd);
        return -1;
    }
    return fd;
}

/* Does nobody listen there?  A datagram socket is refused because nobody does, or for
 * its type (E2).  Who can't ask takes it for alive. */
static bool is_dead(const char *path)
{
    struct sockaddr_un a = address(path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool refused;

    if (fd < 0) return false;
    refused = connect(fd, (struct sockaddr *)&a, sizeof a) < 0
           && (errno == ECONNREFUSED || errno == ENOENT);
    close(fd);
    return refused;
}

static int bind_hidden(int fd, const char *path, struct tw_error *error)
{
    struct sockaddr_un a = address(path);

    unlink(path);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) return fail(error, "bind", path);
    if (chmod(path, 0600) < 0) return fail(error, "chmod", path);
    return listen(fd, BACKLOG) < 0 ? fail(error, "listen", path) : TW_OK;
}

/* With the lock held. */
static int listen_held(const char *dir, const char *app_path, struct ltw_endpoint *e,
                       struct tw_error *error)
{
    struct ltw_endpoint hidden;
    int fd, rc, twin = 0;

    do {
        set_name(e, app_path, ++twin);
        if ((rc = set_path(e, dir, "", error)) < 0) return rc;
    } while (twin < TWINS && !is_dead(e->path));
    hidden = *e;
    if ((rc = set_path(&hidden, dir, ".", error)) < 0) return rc;
    if ((fd = socket_for(e->path, SOCK_NONBLOCK, error)) < 0) return fd;
    rc = bind_hidden(fd, hidden.path, error);
    if (rc == TW_OK && rename(hidden.path, e->path) < 0)
        rc = fail(error, "rename", hidden.path);
    if (rc == TW_OK) return fd;
    unlink(hidden.path);
    close(fd);
    return rc;
}

int ltw_endpoint_listen(const char *app_path, struct ltw_endpoint *e,
                        struct tw_error *error)
{
    char dir[LTW_ENDPOINT_PATH];
    int rc = directory(dir, error), held;

    if (rc < 0) return rc;
    e->pid = getpid();
    if ((held = lock(dir, LOCK_TRIES)) < 0 && errno != EWOULDBLOCK)
        return fail(error, "cannot open", dir);
    if (held < 0)
        return tw_fail(error, TW_EBUSY, "%s: another process holds its lock", dir);
    rc = listen_held(dir, app_path, e, error);
    close(held);
    return rc;
}

/* "123.market", or with a dot before it: of a run that was killed while it began. */
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

/* True: it is one that listens.  What killed runs have left goes, when that is safe. */
static bool look_at(const char *dir, const char *file, bool is_locked,
                    struct ltw_endpoint *e)
{
    bool is_hidden = file[0] == '.';

    if (!parse(file + is_hidden, e)
        || set_path(e, dir, is_hidden ? "." : "", NULL) < 0)
        return false;
    if (!is_dead(e->path)) return !is_hidden;
    if (is_locked) unlink(e->path);   /* E1 */
    return false;
}

int ltw_endpoint_list(struct ltw_endpoint *list, unsigned max, struct tw_error *error)
{
    char dir[LTW_ENDPOINT_PATH];
    struct dirent *entry;
    unsigned n = 0, at;
    DIR *d;
    int rc = directory(dir, error), held;

    if (rc < 0) return rc;
    if (!(d = opendir(dir))) return fail(error, "open", dir);
    held = lock(dir, 1);
    while (n < max && (entry = readdir(d))) {
        struct ltw_endpoint e;

        if (!look_at(dir, entry->d_name, held >= 0, &e)) continue;
        for (at = n++; at > 0 && list[at - 1].pid > e.pid; at--) list[at] = list[at - 1];
        list[at] = e;
    }
    closedir(d);
    if (held >= 0) close(held);
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

/* One that may be waited for: a full queue is not a refusal. */
int ltw_endpoint_connect(const struct ltw_endpoint *e, struct tw_error *error)
{
    struct timeval patience = { .tv_sec = CONNECT_SECONDS };
    struct sockaddr_un a = address(e->path);
    int fd = socket_for(e->path, 0, error), rc;
    uid_t uid;
    pid_t pid;

    if (fd < 0) return fd;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        if (errno == EAGAIN)
            rc = tw_fail(error, TW_EBUSY, "%s (pid %ld) lets nobody in: it has not looked"
                         " for %d s", e->name, (long)e->pid, CONNECT_SECONDS);
        else if (errno == ENOENT || errno == ECONNREFUSED)
            rc = tw_fail(error, -errno, "%s (pid %ld) has just ended", e->name,
                         (long)e->pid);
        else
            rc = fail(error, "connect", e->path);
    } else if ((rc = ltw_endpoint_check(fd, &uid, &pid)) < 0) {
        tw_fail(error, rc, "%s is user %lu's, not yours", e->path, (unsigned long)uid);
    } else {
        return fd;
    }
    close(fd);
    return rc;
}
