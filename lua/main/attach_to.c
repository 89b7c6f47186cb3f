/* attach_to.c - a prompt in a running host: `tidewire attach`.
 *
 * It only carries lines there and text back: what they mean is in stdlib/attach.lua,
 * in the host.  At a terminal it listens to both sides, so that what the host logs is
 * shown while somebody types.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#include "main/attach_to.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "attach/endpoint.h"
#include "ltw.h"
#include "main/editor.h"
#include "main/paint.h"

enum { USAGE = 2, RUNS_MAX = 1024, EXPRESSIONS_MAX = 64 };
enum { HELLO_MS = 5000 };

struct options {
    const char *name;                          /* or pid; NULL: the only one */
    const char *expressions[EXPRESSIONS_MAX];  /* -e */
    int n;
    double cpu, memory, wait;                  /* seconds, MiB, seconds */
};

struct client {
    const struct options *o;
    struct ltw_endpoint run;
    int fd;
    unsigned char in[LTW_FRAME_HEAD + LTW_FRAME_MAX];
    size_t n;
    bool waiting;          /* for the end of a line          */
    bool fine;             /* the last one was               */
    bool greeted;          /* the run has said who it is     */
    bool ended;            /* nothing more comes from there  */
    bool terminal;         /* somebody types                 */
    bool typing;           /* now: the terminal is the editor's          */
    struct ltw_editor *editor;     /* or NULL: plain lines               */
    struct ltw_state *lua;         /* for the editor: colours, whole entries */
};

static atomic_bool interrupted;   /* atomic: a signal handler of this thread sets it */

static void on_interrupt(int number)
{
    (void)number;
    /* order [attach.interrupted] relaxed: read by this same thread */
    atomic_store_explicit(&interrupted, true, memory_order_relaxed);
}

static bool is_interrupted(void)
{
    /* order [attach.interrupted] relaxed: set by a signal handler of this thread */
    return atomic_load_explicit(&interrupted, memory_order_relaxed);
}

/* ---- arguments ---- */

static int refuse(const char *format, const char *value)
{
    fputs("tidewire: attach: ", stderr);
    fprintf(stderr, format, value ? value : "");
    fputs("; see `tidewire help attach`\n", stderr);
    return USAGE;
}

static bool parse_number(const char *text, double max, double *out)
{
    char *end;

    *out = text ? strtod(text, &end) : 0;
    return text && *text && !*end && *out > 0 && *out <= max;
}

static int parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){ .cpu = 0.01, .memory = 64, .wait = 10 };
    for (int i = 0; i < argc; i++) {
        const char *option = argv[i], *value = argv[i + 1];

        if (strcmp(option, "-e") == 0) {
            if (!value) return refuse("%s", "-e: an expression is missing");
            if (o->n == EXPRESSIONS_MAX) return refuse("%s", "too many expressions");
            o->expressions[o->n++] = value;
            i++;
        } else if (strcmp(option, "--cpu") == 0) {
            if (!parse_number(value, 3600, &o->cpu))
                return refuse("--cpu %s: a number of seconds expected", value);
            i++;
        } else if (strcmp(option, "--memory") == 0) {
            if (!parse_number(value, 1 << 20, &o->memory))
                return refuse("--memory %s: a number of MiB expected", value);
            i++;
        } else if (strcmp(option, "--wait") == 0) {
            if (!parse_number(value, 86400, &o->wait))
                return refuse("--wait %s: a number of seconds expected", value);
            i++;
        } else if (option[0] == '-') {
            return refuse("unknown option '%s'", option);
        } else if (o->name) {
            return refuse("one run expected, got '%s' too", option);
        } else {
            o->name = option;
        }
    }
    return 0;
}

/* ---- which run ---- */

static void list(const struct ltw_endpoint *runs, int n, const char *name)
{
    bool all = true;

    for (int i = 0; i < n; i++)
        if (name && strcmp(runs[i].name, name) == 0) all = false;
    for (int i = 0; i < n; i++)
        if (all || strcmp(runs[i].name, name) == 0)
            fprintf(stderr, "  tidewire attach %ld    %s\n", (long)runs[i].pid,
                    runs[i].name);
}

/* By pid or by name; without one the only run that there is. */
static bool choose(const struct options *o, struct ltw_endpoint *runs,
                   struct ltw_endpoint *run)
{
    struct tw_error error;
    int n = ltw_endpoint_list(runs, RUNS_MAX, &error), found = 0;
    char *end = NULL;
    long pid = o->name ? strtol(o->name, &end, 10) : 0;

    if (n < 0) {
        fprintf(stderr, "tidewire: attach: %s\n", error.text);
        return false;
    }
    for (int i = 0; i < n; i++) {
        bool fits = !o->name || (!*end && runs[i].pid == (pid_t)pid)
                 || strcmp(runs[i].name, o->name) == 0;

        if (fits && found++ == 0) *run = runs[i];
    }
    if (found == 1) return true;
    if (n == 0) fputs("tidewire: attach: nothing is running\n", stderr);
    else if (found == 0) fprintf(stderr, "tidewire: attach: no run '%s'; there are\n",
                                 o->name);
    else fprintf(stderr, "tidewire: attach: %d are running; say which:\n", found);
    list(runs, n, found ? o->name : NULL);
    return false;
}

/* ---- frames ---- */

static void show(struct client *c, FILE *to, const char *text, size_t n)
{
    if (c->typing) {
        ltw_editor_print(c->editor, text, n);
        return;
    }
    fwrite(text, 1, n, to);
    fflush(to);
}

static void tell(struct client *c, const char *format, ...) TW_PRINTF(2, 3);
static void tell(struct client *c, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    show(c, stderr, text, strlen(text));
}

static void on_frame(struct client *c, char type, const char *text, size_t n)
{
    switch (type) {
    case LTW_FRAME_OUT:
        show(c, stdout, text, n);
        break;
    case LTW_FRAME_ERR:
        show(c, stderr, text, n);
        break;
    case LTW_FRAME_DONE:
        c->waiting = false;
        c->fine = n == 1 && text[0] == '0';
        break;
    case LTW_FRAME_BYE:
        tell(c, "tidewire: %s: %.*s\n", c->run.name, (int)n, text);
        c->ended = true;
        break;
    case LTW_FRAME_OFFER:
        if (c->editor) ltw_editor_offer(c->editor, text, n);
        break;
    case LTW_FRAME_HELLO:
        c->greeted = true;
        if (c->terminal)
            tell(c, "attached to %.*s; `help` lists the commands\n", (int)n, text);
        break;
    default:
        break;
    }
}

/* Takes what has come.  Blocks: no. */
static void take(struct client *c)
{
    ssize_t got = recv(c->fd, c->in + c->n, sizeof c->in - c->n, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        if (!c->ended) tell(c, "tidewire: %s: the run is gone\n", c->run.name);
        c->ended = true;
        return;
    }
    c->n += (size_t)got;
    for (;;) {
        size_t n = 0;

        for (int i = 0; i < LTW_FRAME_HEAD; i++) n = n << 8 | c->in[i];
        if (c->n < LTW_FRAME_HEAD || c->n < LTW_FRAME_HEAD + n) break;
        if (n == 0 || n > LTW_FRAME_MAX) {
            c->ended = true;
            return;
        }
        on_frame(c, (char)c->in[LTW_FRAME_HEAD], (char *)c->in + LTW_FRAME_HEAD + 1,
                 n - 1);
        c->n -= LTW_FRAME_HEAD + n;
        memmove(c->in, c->in + LTW_FRAME_HEAD + n, c->n);
    }
}

static bool send_all(struct client *c, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(c->fd, bytes, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN) {
            struct pollfd p = { c->fd, POLLOUT, 0 };

            poll(&p, 1, -1);
        } else if (sent < 0 && errno != EINTR) {
            return false;
        } else if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
        }
    }
    return true;
}

static void send_frame(struct client *c, char type, const char *text, size_t n)
{
    unsigned char head[LTW_FRAME_HEAD + 1];

    for (int i = 0; i < LTW_FRAME_HEAD; i++)
        head[i] = (unsigned char)((n + 1) >> (24 - 8 * i));
    head[LTW_FRAME_HEAD] = (unsigned char)type;
    if (!send_all(c, (const char *)head, sizeof head) || !send_all(c, text, n))
        while (!c->ended) take(c);   /* it says why */
}

/* The line behind what it may use. */
static void send_line(struct client *c, char type, const char *line, size_t n)
{
    char limits[96];
    int head = snprintf(limits, sizeof limits, "%.6f %.0f %.6f\n", c->o->cpu,
                        c->o->memory * 1048576, c->o->wait);
    char *text;

    if (n + (size_t)head >= LTW_FRAME_MAX) {
        fprintf(stderr, "tidewire: attach: a line of more than %d bytes\n",
                LTW_FRAME_MAX - head);
        c->fine = false;
        return;
    }
    text = tw_calloc(1, n + (size_t)head + 1);
    if (!text) {
        fputs("tidewire: attach: not enough memory\n", stderr);
        c->fine = false;
        return;
    }
    memcpy(text, limits, (size_t)head);
    memcpy(text + head, line, n);
    send_frame(c, type, text, n + (size_t)head);
    tw_free(text);
    c->waiting = true;
}

/* Listens until the line has ended; Ctrl-C ends it there. */
static void wait_for_end(struct client *c)
{
    while (c->waiting && !c->ended) {
        struct pollfd p = { c->fd, POLLIN, 0 };

        /* order [attach.interrupted] relaxed: set by a handler of this thread */
        if (atomic_exchange_explicit(&interrupted, false, memory_order_relaxed))
            send_frame(c, LTW_FRAME_CANCEL, "", 0);
        if (poll(&p, 1, -1) > 0) take(c);
    }
    if (c->waiting) c->fine = false;
}

/* ---- the editor ---- */

static void paint(void *ctx, const char *text, size_t n, unsigned char *style)
{
    const struct client *c = ctx;

    ltw_paint(c->lua->L, text, n, style);
}

/* [-1, +1, e] */
static int is_whole(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.attach");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "is_whole");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static bool is_complete(void *ctx, const char *text, size_t n)
{
    const struct client *c = ctx;
    lua_State *L = c->lua->L;
    bool is;

    lua_pushcfunction(L, is_whole);
    lua_pushlstring(L, text, n);
    is = lua_pcall(L, 1, 1, 0) != LUA_OK || lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is;
}

/* The host knows what may follow. */
static void complete(void *ctx, struct ltw_editor *e, const char *text, size_t cursor,
                     size_t *from)
{
    struct client *c = ctx;

    (void)e;
    *from = cursor;
    while (*from > 0 && (isalnum((unsigned char)text[*from - 1])
                         || text[*from - 1] == '_'))
        --*from;
    send_line(c, LTW_FRAME_COMPLETE, text, cursor);
    wait_for_end(c);
}

static void open_editor(struct client *c)
{
    char history[1024];
    bool keeps = ltw_editor_history_path(history, sizeof history);
    struct ltw_editor_options o = {
        .history = keeps ? history : NULL, .is_complete = is_complete,
        .complete = complete, .paint = ltw_editor_colours() ? paint : NULL, .ctx = c,
    };

    if (!c->terminal || !ltw_editor_possible()) return;
    c->lua = ltw_state_new(NULL, 0);
    if (c->lua) c->editor = ltw_editor_open(&o);
}

static void close_editor(struct client *c)
{
    ltw_editor_close(c->editor);
    ltw_state_free(c->lua);
}

static bool evaluate(struct client *c, const char *line, size_t n)
{
    c->fine = false;
    send_line(c, LTW_FRAME_LINE, line, n);
    wait_for_end(c);
    return c->fine;
}

/* ---- where lines come from ---- */

static bool is_quit(const char *line)
{
    return strcmp(line, "quit") == 0 || strcmp(line, "exit") == 0;
}

/* At a prompt: what the host says is shown meanwhile.  False: no more. */
static bool wait_for_line(struct client *c)
{
    for (;;) {
        struct pollfd p[] = { { STDIN_FILENO, POLLIN, 0 }, { c->fd, POLLIN, 0 } };
        int n = poll(p, 2, -1);

        if (is_interrupted()) return false;
        if (n < 0) continue;
        if (p[1].revents) take(c);
        if (c->ended) return false;
        if (p[0].revents) return true;
    }
}

/* Unbuffered, so that poll sees what is left.  False: the end. */
static bool read_line(char **line, size_t *capacity, size_t *n)
{
    char byte;
    ssize_t got;

    for (*n = 0;;) {
        if (*n + 1 >= *capacity) {
            char *more = realloc(*line, *capacity ? 2 * *capacity : 256);

            if (!more) return false;
            *line = more;
            *capacity = *capacity ? 2 * *capacity : 256;
        }
        got = read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR && !is_interrupted()) continue;
        if (got <= 0 || byte == '\n') break;
        (*line)[(*n)++] = byte;
    }
    (*line)[*n] = '\0';
    return got > 0 || *n > 0;
}

/* False: the end. */
static bool read_entry(struct client *c, const char *prompt)
{
    enum ltw_editor_event event;

    do {
        ltw_editor_begin(c->editor, prompt, ">> ");
        c->typing = true;
        do {
            struct pollfd p[] = { { ltw_editor_fd(c->editor), POLLIN, 0 },
                                  { c->fd, POLLIN, 0 } };

            event = LTW_EDITOR_MORE;
            if (poll(p, 2, -1) < 0) continue;
            if (p[1].revents) take(c);
            if (p[0].revents) event = ltw_editor_step(c->editor);
        } while (event == LTW_EDITOR_MORE && !c->ended);
        c->typing = false;
        ltw_editor_end(c->editor);
    } while (event == LTW_EDITOR_INTERRUPTED && !c->ended);
    return event == LTW_EDITOR_ENTRY;
}

/* Entries from the editor. */
static void run_entries(struct client *c)
{
    char prompt[LTW_ENDPOINT_NAME + 3];
    const char *text;
    size_t n;

    snprintf(prompt, sizeof prompt, "%s> ", c->run.name);
    while (!c->ended && read_entry(c, prompt)) {
        text = ltw_editor_text(c->editor, &n);
        if (is_quit(text)) break;
        evaluate(c, text, n);
    }
}

/* A line at a time; the status says whether all were fine. */
static bool run_lines(struct client *c)
{
    char *line = NULL;
    size_t capacity = 0, n;
    bool fine = true;

    while (!c->ended) {
        if (c->terminal) {
            printf("%s> ", c->run.name);
            fflush(stdout);
            if (!wait_for_line(c)) break;
        }
        if (!read_line(&line, &capacity, &n) || is_quit(line)) break;
        fine = evaluate(c, line, n) && fine;
    }
    if (c->terminal && !c->ended) putchar('\n');
    free(line);
    return fine || c->terminal;
}

/* One that was stopped, or is debugged, has a socket and says nothing. */
static bool is_greeted(struct client *c)
{
    struct pollfd p = { c->fd, POLLIN, 0 };

    while (!c->greeted && !c->ended) {
        int n = poll(&p, 1, HELLO_MS);

        if (n > 0) {
            take(c);
        } else if (n == 0 || is_interrupted()) {
            tell(c, "tidewire: attach: %s (pid %ld) does not answer\n", c->run.name,
                 (long)c->run.pid);
            c->ended = true;
        }
    }
    return c->greeted;
}

static int attach(struct client *c)
{
    struct sigaction action = { .sa_handler = on_interrupt };   /* ends poll and read */
    struct tw_error error;
    bool fine = true;

    c->fd = ltw_endpoint_connect(&c->run, &error);
    if (c->fd < 0) {
        fprintf(stderr, "tidewire: attach: %s\n", error.text);
        return EXIT_FAILURE;
    }
    sigaction(SIGINT, &action, NULL);
    fine = is_greeted(c);
    for (int i = 0; i < c->o->n && !c->ended; i++)
        fine = evaluate(c, c->o->expressions[i], strlen(c->o->expressions[i])) && fine;
    if (c->o->n == 0 && !c->ended) open_editor(c);
    if (c->editor) run_entries(c);
    else if (c->o->n == 0 && !c->ended) fine = run_lines(c);
    close_editor(c);
    close(c->fd);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}

int tw_attach_to(int argc, char **argv)
{
    struct options o;
    struct ltw_endpoint *runs;
    struct client *c;
    int status = parse(&o, argc, argv);

    if (status != 0) return status;
    c = tw_calloc(1, sizeof *c);
    runs = tw_calloc(RUNS_MAX, sizeof *runs);
    if (!c || !runs) {
        tw_free(c);
        tw_free(runs);
        return refuse("%s", "not enough memory");
    }
    c->o = &o;
    c->terminal = o.n == 0 && isatty(STDIN_FILENO);
    status = choose(&o, runs, &c->run) ? attach(c) : EXIT_FAILURE;
    tw_free(runs);
    tw_free(c);
    return status;
}
