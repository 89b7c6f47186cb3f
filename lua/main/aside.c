/* aside.c - what the program writes while somebody types, taken aside.
 *
 * Why: a task, another thread or a C library may print at any time, by whatever
 * function; in the midst of what is typed that would be unreadable.  So both outputs
 * are a pipe meanwhile.  A thread reads it: whoever fills the pipe may be the thread
 * that would otherwise have to empty it.
 *
 * Layer lua/main.
 */
#include "main/aside.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"
#include "main/bytes.h"

enum { LINE_BYTES = 1 << 16 };          /* bytes of a line that are held back */

struct ltw_aside {
    void (*put)(void *ctx, const char *text, size_t n);   /* constant             */
    void *ctx;                        /* constant                                 */
    int pipe[2], end[2];              /* constant; end: closed, the thread ends   */
    pthread_t thread;                 /* constant                                 */
    int out, err;                     /* owner: who begins; what they were, or -1 */
    pthread_mutex_t lock;             /* guards reading, and                      */
    struct tw_bytes text;            /* mutex: up to the end of its line         */
};

static void put_lines_held(struct ltw_aside *a)
{
    size_t n = a->text.n;

    while (n > 0 && a->text.at[n - 1] != '\n') n--;
    if (n == 0 && a->text.n > LINE_BYTES) n = a->text.n;
    if (n == 0) return;
    a->put(a->ctx, a->text.at, n);
    a->text.n -= n;
    memmove(a->text.at, a->text.at + n, a->text.n);
}

static void drain_held(struct ltw_aside *a)
{
    char part[4096];
    ssize_t n;

    while ((n = read(a->pipe[0], part, sizeof part)) > 0) {
        if (ltw_bytes_add(&a->text, part, (size_t)n)) continue;
        put_lines_held(a);            /* no memory: what there is, and then this */
        a->put(a->ctx, part, (size_t)n);
    }
    put_lines_held(a);
}

static void *run(void *aside)
{
    struct ltw_aside *a = aside;
    struct pollfd p[] = { { .fd = a->pipe[0], .events = POLLIN },
                          { .fd = a->end[0], .events = POLLIN } };

    do {
        poll(p, 2, -1);
        pthread_mutex_lock(&a->lock);
        drain_held(a);
        pthread_mutex_unlock(&a->lock);
    } while (!p[1].revents);
    return NULL;
}

/* Signals are for the thread that types. */
static int start(struct ltw_aside *a)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&a->thread, NULL, run, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static void close_pair(int pair[2])
{
    if (pair[0] >= 0) close(pair[0]);
    if (pair[1] >= 0) close(pair[1]);
}

struct ltw_aside *ltw_aside_open(void (*put)(void *ctx, const char *text, size_t n),
                                 void *ctx)
{
    struct ltw_aside *a = tw_calloc(1, sizeof *a);

    if (!a) return NULL;
    *a = (struct ltw_aside){ .put = put, .ctx = ctx, .pipe = { -1, -1 },
                             .end = { -1, -1 }, .out = -1, .err = -1 };
    pthread_mutex_init(&a->lock, NULL);
    if (pipe2(a->pipe, O_CLOEXEC) == 0 && pipe2(a->end, O_CLOEXEC) == 0
        && fcntl(a->pipe[0], F_SETFL, O_NONBLOCK) == 0 && start(a) == 0)
        return a;
    close_pair(a->pipe);
    close_pair(a->end);
    pthread_mutex_destroy(&a->lock);
    tw_free(a);
    return NULL;
}

void ltw_aside_close(struct ltw_aside *a)
{
    if (!a) return;
    ltw_aside_end(a);
    close(a->end[1]);
    a->end[1] = -1;
    pthread_join(a->thread, NULL);
    close_pair(a->pipe);
    close_pair(a->end);
    tw_bytes_free(&a->text);
    pthread_mutex_destroy(&a->lock);
    tw_free(a);
}

/* fd becomes the pipe; returns what it was. */
static int divert(const struct ltw_aside *a, int fd)
{
    int before = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (before >= 0) dup2(a->pipe[1], fd);
    return before;
}

static void restore(int *before, int fd)
{
    if (*before < 0) return;
    dup2(*before, fd);
    close(*before);
    *before = -1;
}

void ltw_aside_begin(struct ltw_aside *a)
{
    fflush(stdout);
    a->out = divert(a, STDOUT_FILENO);
    if (isatty(STDERR_FILENO)) a->err = divert(a, STDERR_FILENO);
}

void ltw_aside_end(struct ltw_aside *a)
{
    fflush(stdout);
    restore(&a->out, STDOUT_FILENO);
    restore(&a->err, STDERR_FILENO);
    pthread_mutex_lock(&a->lock);
    drain_held(a);
    if (a->text.n > 0) a->put(a->ctx, a->text.at, a->text.n);
    a->text.n = 0;
    pthread_mutex_unlock(&a->lock);
}
