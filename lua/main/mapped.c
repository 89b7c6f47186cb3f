/* mapped.c - a file that is cut while it is mapped.
 *
 * Why the system's list of what is mapped is read, and no list of our own: it names every
 * file, whoever has mapped it (tape files, what is hashed, foreign libraries), and nobody
 * has to keep it for what never happens.  What is at no file's place is not ours: it ends
 * the program as ever.
 *
 * Layer lua/main.  Thread: a signal handler, of any thread.
 */
#include "mapped.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 4500, MOST = 20 };   /* a path and what stands before it; digits */

static atomic_bool told;           /* atomic: whoever is first sets it */

/* Of the map that has an address: where in which file. */
struct place { uint64_t byte; const char *path; };

static uint64_t hex(const char **p)
{
    static const char digits[] = "0123456789abcdef";
    const char *at;
    uint64_t n = 0;

    for (; **p && (at = strchr(digits, **p)); ++*p) n = n << 4 | (uint64_t)(at - digits);
    return n;
}

/* "start-end rwxp offset device inode   path": is it a file's, with that address? */
static bool has(const char *line, uint64_t address, struct place *out)
{
    uint64_t start = hex(&line), end;

    if (*line++ != '-') return false;
    end = hex(&line);
    if (address < start || address >= end || strlen(line) < 6) return false;
    line += 6;
    out->byte = hex(&line) + (address - start);
    out->path = strchr(line, '/');
    return out->path != NULL;
}

/* The next line, without its end; false: there is none. */
static bool next_line(int fd, char line[LINE])
{
    size_t n = 0;
    char c;

    while (read(fd, &c, 1) == 1) {
        if (c == '\n') {
            line[n] = 0;
            return true;
        }
        if (n < LINE - 1) line[n++] = c;
    }
    return false;
}

static bool find(uint64_t address, char line[LINE], struct place *out)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    bool found = false;

    while (fd >= 0 && !found && next_line(fd, line)) found = has(line, address, out);
    if (fd >= 0) close(fd);
    return found;
}

static void say(const char *text)
{
    for (size_t n = strlen(text); n > 0;) {
        ssize_t done = write(STDERR_FILENO, text, n);

        if (done <= 0) return;
        text += done;
        n -= (size_t)done;
    }
}

static void on_bus(int number, siginfo_t *info, void *context)
{
    char line[LINE], digits[MOST + 1] = "", *p = digits + MOST;
    struct place at;

    (void)context;
    if (info->si_code <= 0 || !find((uint64_t)(uintptr_t)info->si_addr, line, &at)) {
        signal(number, SIG_DFL);
        if (info->si_code <= 0) raise(number);   /* else it happens again by itself */
        return;
    }
    /* order [mapped.told] relaxed: one thread speaks, the others wait for its end */
    while (atomic_exchange_explicit(&told, true, memory_order_relaxed)) pause();
    do *--p = (char)('0' + at.byte % 10); while (at.byte /= 10);
    say("tidewire: cannot read ");
    say(at.path);
    say(" at byte ");
    say(p);
    say(": it was cut while it was read, or its disk failed\n");
    _exit(EXIT_FAILURE);
}

void ltw_mapped_watch(void)
{
    struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };

    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}
