/* terminal.c - the terminal while somebody types: its mode, its signals, its bytes.
 *
 * Ctrl-C stays a signal, so that it also reaches code that runs on this thread while
 * somebody types.  Signal handlers only write a byte into a pipe.
 *
 * Bytes are read one at a time, up to the key that ends the entry: what was typed
 * ahead stays in the terminal, for whatever reads it next.
 *
 * Layer lua/main.
 */
#include "main/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "main/signals.h"

/* Whose it is, for signal handlers, which get no argument. */
static _Atomic(struct ltw_terminal *) taken;

static const struct { int number; char event; } signals[LTW_TERMINAL_SIGNALS] = {
    { SIGINT, LTW_TERMINAL_INTERRUPT }, { SIGWINCH, LTW_TERMINAL_RESIZE },
    { SIGTSTP, LTW_TERMINAL_SUSPEND }, { SIGCONT, LTW_TERMINAL_RESUME },
    { SIGTERM, 0 }, { SIGHUP, 0 }, { SIGQUIT, 0 }
};

/* Those without an event end the process. */
static void on_signal(int number)
{
    /* order [terminal.taken] relaxed: ltw_terminal_take stored it before it installed
     * this handler, on this thread */
    struct ltw_terminal *t = atomic_load_explicit(&taken, memory_order_relaxed);
    int before = errno;
    char event = 0;

    if (!ltw_signal_is_here(number)) return;
    if (!t) return;   /* it is being given back just now */
    for (int i = 0; i < LTW_TERMINAL_SIGNALS; i++)
        if (signals[i].number == number) event = signals[i].event;
    if (number == SIGINT && t->interrupt) t->interrupt(t->ctx);
    if (event) {
        if (write(t->wake[1], &event, 1) < 0) event = 0;   /* it is full of them */
    } else {
        tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
        signal(number, SIG_DFL);
        raise(number);
    }
    errno = before;
}

bool ltw_terminal_open(struct ltw_terminal *t, void (*interrupt)(void *ctx), void *ctx)
{
    t->interrupt = interrupt;
    t->ctx = ctx;
    t->wake[0] = t->wake[1] = -1;
    t->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return t->out >= 0 && pipe2(t->wake, O_CLOEXEC | O_NONBLOCK) == 0;
}

void ltw_terminal_close(struct ltw_terminal *t)
{
    if (t->out >= 0) close(t->out);
    if (t->wake[0] >= 0) close(t->wake[0]);
    if (t->wake[1] >= 0) close(t->wake[1]);
}

/* What somebody types while nothing reads, the kernel keeps in lines; a Ctrl-D is a
 * zero there. */
static void set_raw(struct ltw_terminal *t)
{
    tcsetattr(STDIN_FILENO, TCSADRAIN, &t->raw);
    if (ioctl(STDIN_FILENO, FIONREAD, &t->ahead) < 0) t->ahead = 0;
}

void ltw_terminal_take(struct ltw_terminal *t)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    tcgetattr(STDIN_FILENO, &t->before);
    t->raw = t->before;
    t->raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
    t->raw.c_oflag &= ~(tcflag_t)OPOST;
    t->raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN);
    t->raw.c_cc[VMIN] = 1;
    t->raw.c_cc[VTIME] = 0;
    t->raw.c_cc[VSUSP] = t->raw.c_cc[VQUIT] = _POSIX_VDISABLE;
    /* order [terminal.taken] relaxed: see on_signal */
    atomic_store_explicit(&taken, t, memory_order_relaxed);
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < LTW_TERMINAL_SIGNALS; i++) {
        sigaction(signals[i].number, NULL, &t->old[i]);
        if (i < 2 || t->old[i].sa_handler == SIG_DFL)
            sigaction(signals[i].number, &action, NULL);
    }
    set_raw(t);
}

void ltw_terminal_retake(struct ltw_terminal *t)
{
    set_raw(t);
}

void ltw_terminal_give(struct ltw_terminal *t)
{
    tcsetattr(STDIN_FILENO, TCSADRAIN, &t->before);
    for (int i = 0; i < LTW_TERMINAL_SIGNALS; i++)
        sigaction(signals[i].number, &t->old[i], NULL);
    /* order [terminal.taken] relaxed: see on_signal */
    atomic_store_explicit(&taken, NULL, memory_order_relaxed);
}

struct ltw_tty ltw_terminal_size(const struct ltw_terminal *t)
{
    struct ltw_tty size;

    ltw_tty_size(t->out, &size);
    if (size.columns < 8) size.columns = 8;
    return size;
}

void ltw_terminal_write(const struct ltw_terminal *t, struct tw_bytes *b)
{
    const char *at = b->at;
    size_t left = b->n;

    while (left > 0) {
        ssize_t n = write(t->out, at, left);

        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){ .fd = t->out, .events = POLLOUT }, 1, -1);
        else if (n < 0 && errno != EINTR) break;   /* the terminal is gone */
        if (n > 0) at += n, left -= (size_t)n;
    }
    b->n = 0;
}

static int take_byte(int fd, char *byte)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    ssize_t n;

    if (poll(&p, 1, 0) <= 0) return 0;
    n = read(fd, byte, 1);
    return n == 1 ? 1 : n < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -1;
}

enum ltw_terminal_event ltw_terminal_signal(const struct ltw_terminal *t)
{
    char event = LTW_TERMINAL_NOTHING;

    if (take_byte(t->wake[0], &event) <= 0) event = LTW_TERMINAL_NOTHING;
    return (enum ltw_terminal_event)event;
}

int ltw_terminal_byte(struct ltw_terminal *t, char *byte)
{
    int got = take_byte(STDIN_FILENO, byte);

    if (got > 0 && t->ahead > 0) {
        t->ahead--;
        if (*byte == '\0') *byte = 'D' & 0x1F;
    }
    return got;
}
