/* editor.c - lines typed at a terminal: keys, history, completion, colours.
 *
 * Why: libedit cannot colour what is typed, nor keep an entry of several lines as one
 * in its history; readline is GPL.  What is needed is a text, a table of keys and a
 * picture of the text that is compared with the one on the screen.
 *
 *   bytes --decode--> key --act--> text, cursor --paint--> rows --draw--> terminal
 *
 * Bytes are read one at a time, up to the key that ends the entry: what was typed
 * ahead stays in the terminal, for whatever reads it next.
 *
 * Ctrl-C stays a signal, so that it also reaches code that runs on this thread while
 * somebody types.  Signal handlers only write a byte into a pipe; the pipe and the
 * terminal are one epoll descriptor, which is what callers wait for.
 *
 * Invariant
 *   E1  Only the holder of the lock writes to the terminal, and `shown` is what is
 *       on it: others may print above the entry.
 *
 * Layer lua/main.
 */
#include "main/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "main/glyph.h"
#include "main/history.h"
#include "main/keys.h"
#include "main/picture.h"
#include "main/text.h"

enum {
    PATTERN_MAX = 200,        /* bytes of what Ctrl-R finds */
    OFFERS_MAX = 500,         /* candidates of a completion */
    OFFERS_SHOWN = 100,
    SIGNALS = 5
};

struct ltw_editor {
    struct ltw_editor_options o;      /* constant                               */
    struct ltw_history *history;      /* constant                               */
    int out, wake[2], all;            /* constant; all: epoll of 0 and wake[0]  */
    bool colours;                     /* constant                               */
    const char *prompt, *more;        /* constant while somebody types          */
    struct ltw_text text;
    struct ltw_bytes draft;           /* the text, while one of history shows   */
    struct ltw_bytes offers;          /* texts with a zero behind each          */
    unsigned n_offers;
    unsigned at;                      /* of the history; its count: the draft   */
    struct ltw_keys keys;
    bool pasting, searching;
    bool completed;                   /* the last key was a Tab                 */
    char pattern[PATTERN_MAX + 1];    /* what is searched                       */
    size_t n_pattern;
    struct termios before;            /* how the terminal was                   */
    struct sigaction old[SIGNALS];    /* what they did                          */
    pthread_mutex_t lock;             /* guards what follows                    */
    bool typing;                      /* mutex: the terminal is ours            */
    struct ltw_picture shown, next;   /* mutex: E1; next: its memory            */
    struct ltw_bytes output;          /* mutex: on its way to the terminal      */
};

/* ---- the screen ---- */

static struct winsize window(const struct ltw_editor *e)
{
    struct winsize w;

    if (ioctl(e->out, TIOCGWINSZ, &w) < 0 || w.ws_col == 0 || w.ws_row == 0)
        w = (struct winsize){ .ws_row = 24, .ws_col = 80 };
    if (w.ws_col < 8) w.ws_col = 8;
    return w;
}

static void flush(struct ltw_editor *e)
{
    const char *at = e->output.at;
    size_t left = e->output.n;

    while (left > 0) {
        ssize_t n = write(e->out, at, left);

        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){ .fd = e->out, .events = POLLOUT }, 1, -1);
        else if (n < 0 && errno != EINTR) break;   /* the terminal is gone */
        if (n > 0) at += n, left -= (size_t)n;
    }
    e->output.n = 0;
}

static void draw_held(struct ltw_editor *e)
{
    struct winsize size = window(e);
    char search[PATTERN_MAX + 16];
    struct ltw_entry_view v = {
        .text = e->text.bytes.at, .n = e->text.bytes.n, .cursor = e->text.cursor,
        .prompt = e->prompt, .more = e->more, .width = size.ws_col, .height = size.ws_row
    };
    unsigned char *style = NULL;
    struct ltw_picture old = e->shown;

    if (e->colours && e->o.paint && v.n > 0) style = tw_calloc(v.n, 1);
    if (style) e->o.paint(e->o.ctx, v.text, v.n, style);
    v.style = style;
    if (e->searching) {
        snprintf(search, sizeof search, "search %s: ", e->pattern);
        v.prompt = search;
    }
    if (ltw_picture_make(&e->next, &v)) {
        ltw_picture_draw(&e->output, &e->shown, &e->next);
        e->shown = e->next;
        e->next = old;
    }
    flush(e);
    tw_free(style);
}

static void draw(struct ltw_editor *e)
{
    pthread_mutex_lock(&e->lock);
    if (e->typing) draw_held(e);
    pthread_mutex_unlock(&e->lock);
}

/* Line ends as a raw terminal wants them. */
static void add_lines(struct ltw_bytes *b, const char *text, size_t n)
{
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t line = end ? (size_t)(end - text) : n;

        ltw_bytes_add(b, text, line);
        ltw_bytes_add_text(b, "\r\n");
        line += end != NULL;
        text += line;
        n -= line;
    }
}

void ltw_editor_print(struct ltw_editor *e, const char *text, size_t n)
{
    const struct ltw_picture none = { .rows = 0 };

    pthread_mutex_lock(&e->lock);
    if (e->typing) {
        ltw_picture_erase(&e->output, &e->shown);
        add_lines(&e->output, text, n);
        ltw_picture_draw(&e->output, &none, &e->shown);
        flush(e);
    } else {
        ltw_bytes_add(&e->output, text, n);
        if (n > 0 && text[n - 1] != '\n') ltw_bytes_add_text(&e->output, "\n");
        flush(e);
    }
    pthread_mutex_unlock(&e->lock);
}

/* ---- history ---- */

static void show_entry(struct ltw_editor *e, unsigned at)
{
    const char *text = ltw_history_at(e->history, at);
    unsigned last = ltw_history_count(e->history);

    if (e->at == last && !ltw_bytes_set(&e->draft, e->text.bytes.at, e->text.bytes.n))
        return;
    if (!text) text = e->draft.at ? e->draft.at : "";
    if (!ltw_bytes_set(&e->text.bytes, text, strlen(text))) return;
    e->at = at;
    e->text.cursor = e->text.bytes.n;
}

static void go_history(struct ltw_editor *e, bool down)
{
    if (down && e->at < ltw_history_count(e->history)) show_entry(e, e->at + 1);
    else if (!down && e->at > 0) show_entry(e, e->at - 1);
}

/* The newest entry at or before `from` that has the pattern. */
static void search(struct ltw_editor *e, unsigned from)
{
    for (unsigned i = from + 1; i-- > 0;) {
        const char *text = ltw_history_at(e->history, i);
        const char *found = text && e->n_pattern ? strstr(text, e->pattern) : NULL;

        if (!found) continue;
        show_entry(e, i);
        e->text.cursor = (size_t)(found - text);
        return;
    }
}

/* ---- completion ---- */

void ltw_editor_offer(struct ltw_editor *e, const char *text, size_t n)
{
    if (e->n_offers < OFFERS_MAX && ltw_bytes_add(&e->offers, text, n)
        && ltw_bytes_add(&e->offers, "", 1))
        e->n_offers++;
}

/* The bytes that all candidates begin with, whole characters. */
static size_t common(const struct ltw_editor *e)
{
    const char *first = e->offers.at, *text = first;
    size_t n = strlen(first);

    for (unsigned i = 1; i < e->n_offers; i++) {
        size_t same = 0;

        text += strlen(text) + 1;
        while (same < n && text[same] == first[same]) same++;
        n = same;
    }
    while (n > 0 && ((unsigned char)first[n] & 0xC0) == 0x80) n--;
    return n;
}

/* In columns, above the entry. */
static void list_offers(struct ltw_editor *e)
{
    unsigned width = window(e).ws_col - 1u, widest = 0, per, n = e->n_offers;
    unsigned lines, shown = n < OFFERS_SHOWN ? n : OFFERS_SHOWN;
    const char *text[OFFERS_SHOWN], *at = e->offers.at;
    struct ltw_bytes list = { .n = 0 };
    char rest[64];

    for (unsigned i = 0; i < shown; i++, at += strlen(at) + 1) {
        unsigned columns = ltw_glyph_width(at, strlen(at));

        text[i] = at;
        if (columns > widest) widest = columns;
    }
    per = width / (widest + 2) ? width / (widest + 2) : 1;
    lines = (shown + per - 1) / per;
    for (unsigned row = 0; row < lines; row++) {
        for (unsigned i = row; i < shown; i += lines) {
            unsigned pad = widest + 2 - ltw_glyph_width(text[i], strlen(text[i]));

            ltw_bytes_add_text(&list, text[i]);
            for (; i + lines < shown && pad > 0; pad--) ltw_bytes_add_text(&list, " ");
        }
        ltw_bytes_add_text(&list, "\n");
    }
    snprintf(rest, sizeof rest, "and %s%u more\n", n == OFFERS_MAX ? "at least " : "",
             n - shown);
    if (n > shown) ltw_bytes_add_text(&list, rest);
    ltw_editor_print(e, list.at, list.n);
    ltw_bytes_free(&list);
}

static void complete(struct ltw_editor *e)
{
    size_t from = e->text.cursor, n;
    bool again = e->completed;

    e->offers.n = 0;
    e->n_offers = 0;
    n = ltw_text_line_start(&e->text, e->text.cursor);
    while (n < e->text.cursor && e->text.bytes.at[n] == ' ') n++;
    if (n == e->text.cursor || !e->o.complete) {   /* at the start of a line it indents */
        ltw_text_insert(&e->text, "  ", 2);
        return;
    }
    e->o.complete(e->o.ctx, e, e->text.bytes.at, e->text.cursor, &from);
    if (e->n_offers == 0 || from > e->text.cursor) return;
    n = common(e);
    if (n > e->text.cursor - from || (e->n_offers == 1 && n > 0)) {
        size_t to = e->text.cursor;

        ltw_text_cut(&e->text, from, to);
        ltw_text_insert(&e->text, e->offers.at, n);
    } else if (again || n == e->text.cursor - from) {
        list_offers(e);
    }
    e->completed = true;
}

/* ---- keys ---- */

static enum ltw_editor_event enter(struct ltw_editor *e)
{
    size_t start = ltw_text_line_start(&e->text, e->text.cursor), indent = start;
    struct ltw_bytes line = { .n = 0 };

    if (!e->o.is_complete
        || e->o.is_complete(e->o.ctx, e->text.bytes.at, e->text.bytes.n)) {
        e->text.cursor = e->text.bytes.n;
        return LTW_EDITOR_ENTRY;
    }
    while (indent < e->text.cursor && e->text.bytes.at[indent] == ' ') indent++;
    if (ltw_bytes_add_text(&line, "\n")
        && ltw_bytes_add(&line, e->text.bytes.at + start, indent - start))
        ltw_text_insert(&e->text, line.at, line.n);
    ltw_bytes_free(&line);
    return LTW_EDITOR_MORE;
}

/* While Ctrl-R searches.  False: the key ends that, and counts. */
static bool search_key(struct ltw_editor *e, int key)
{
    if (key == LTW_CTRL('R')) {
        if (e->at > 0) search(e, e->at - 1);
    } else if (key == LTW_CTRL('G')) {
        show_entry(e, ltw_history_count(e->history));
        e->searching = false;
    } else if (key == 0x7F || key == LTW_CTRL('H')) {
        while (e->n_pattern > 0
               && ((unsigned char)e->pattern[--e->n_pattern] & 0xC0) == 0x80)
            ;
        e->pattern[e->n_pattern] = '\0';
        search(e, ltw_history_count(e->history));
    } else if (key >= 0x20 && e->keys.n > 0 && e->n_pattern + e->keys.n < PATTERN_MAX) {
        memcpy(e->pattern + e->n_pattern, e->keys.bytes, e->keys.n);
        e->n_pattern += e->keys.n;
        e->pattern[e->n_pattern] = '\0';
        search(e, e->at);
    } else {
        e->searching = false;
        return false;
    }
    return true;
}

static void begin_search(struct ltw_editor *e)
{
    e->searching = true;
    e->n_pattern = 0;
    e->pattern[0] = '\0';
}

static void clear_screen(struct ltw_editor *e)
{
    pthread_mutex_lock(&e->lock);
    ltw_bytes_add_text(&e->output, "\33[H\33[2J");
    e->shown.rows = 0;
    pthread_mutex_unlock(&e->lock);
}

static void suspend(struct ltw_editor *e);

static enum ltw_editor_event act(struct ltw_editor *e, int key)
{
    bool completed = e->completed;

    if (key == LTW_KEY_MORE) return LTW_EDITOR_MORE;
    if (key == LTW_KEY_PASTE || key == LTW_KEY_PASTED) {
        e->pasting = key == LTW_KEY_PASTE;
        return LTW_EDITOR_MORE;
    }
    if (e->pasting) {
        if (key == '\r') ltw_text_insert(&e->text, "\n", 1);
        else if (key < LTW_KEY_MORE && (key >= 0x20 || key == '\n' || key == '\t'))
            ltw_text_insert(&e->text, e->keys.bytes, e->keys.n);
        return LTW_EDITOR_MORE;
    }
    if (e->searching && search_key(e, key)) return LTW_EDITOR_MORE;
    e->completed = false;
    if (key == '\r' || key == '\n') return enter(e);
    if (key == LTW_CTRL('D') && e->text.bytes.n == 0) return LTW_EDITOR_END;
    if (ltw_text_key(&e->text, key)) return LTW_EDITOR_MORE;
    switch (key) {
    case LTW_CTRL('P'): case LTW_KEY_UP: go_history(e, false); break;
    case LTW_CTRL('N'): case LTW_KEY_DOWN: go_history(e, true); break;
    case '\t':
        e->completed = completed;
        complete(e);
        break;
    case LTW_CTRL('R'): begin_search(e); break;
    case LTW_CTRL('L'): clear_screen(e); break;
    case LTW_CTRL('Z'): suspend(e); break;
    default:
        if (key >= 0x20 && key < LTW_KEY_MORE)
            ltw_text_insert(&e->text, e->keys.bytes, e->keys.n);
        break;
    }
    return LTW_EDITOR_MORE;
}

/* ---- the terminal ---- */

/* Whose it is, for signal handlers, which get no argument. */
static _Atomic(struct ltw_editor *) typing;

static const int signals[SIGNALS] = { SIGINT, SIGWINCH, SIGTERM, SIGHUP, SIGQUIT };

/* SIGINT and SIGWINCH are bytes for ltw_editor_step, the others end the process: the
 * terminal is given back before. */
static void on_signal(int number)
{
    /* order [editor.typing] relaxed: take_terminal stored it before it installed this
     * handler, on this thread */
    struct ltw_editor *e = atomic_load_explicit(&typing, memory_order_relaxed);
    int before = errno;
    char byte = number == SIGINT ? 'C' : 'W';

    if (!e) return;   /* it is being given back just now */
    if (number == SIGINT || number == SIGWINCH) {
        if (number == SIGINT && e->o.interrupt) e->o.interrupt(e->o.ctx);
        if (write(e->wake[1], &byte, 1) < 0) byte = 0;   /* it is full of them */
    } else {
        tcsetattr(STDIN_FILENO, TCSANOW, &e->before);
        signal(number, SIG_DFL);
        raise(number);
    }
    errno = before;
}

static void take_terminal(struct ltw_editor *e)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct termios raw;

    tcgetattr(STDIN_FILENO, &e->before);
    raw = e->before;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = raw.c_cc[VQUIT] = _POSIX_VDISABLE;
    /* order [editor.typing] relaxed: see on_signal */
    atomic_store_explicit(&typing, e, memory_order_relaxed);
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], NULL, &e->old[i]);
        if (i < 2 || e->old[i].sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    }
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    ltw_bytes_add_text(&e->output, "\33[?2004h");
    e->shown.rows = 0;
}

static void give_terminal(struct ltw_editor *e)
{
    ltw_bytes_add_text(&e->output, "\33[?2004l");
    flush(e);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &e->before);
    for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &e->old[i], NULL);
    /* order [editor.typing] relaxed: see on_signal */
    atomic_store_explicit(&typing, NULL, memory_order_relaxed);
}

/* The process ends while somebody types. */
static void on_exit_of_process(void)
{
    /* order [editor.typing] relaxed: see on_signal */
    struct ltw_editor *e = atomic_load_explicit(&typing, memory_order_relaxed);

    if (e) ltw_editor_end(e);
}

/* As the shell's job control does it: the terminal is the shell's until we go on. */
static void suspend(struct ltw_editor *e)
{
    pthread_mutex_lock(&e->lock);
    ltw_picture_erase(&e->output, &e->shown);
    e->shown.rows = 0;
    give_terminal(e);
    raise(SIGTSTP);
    take_terminal(e);
    pthread_mutex_unlock(&e->lock);
}

/* What was printed last may not have ended its line: the mark then stays behind it,
 * and the entry begins in the next line; otherwise it is painted over. */
static void begin_line(struct ltw_editor *e)
{
    unsigned width = window(e).ws_col;

    ltw_bytes_add_text(&e->output, "\33[7m%\33[m");
    for (unsigned i = 1; i < width; i++) ltw_bytes_add_text(&e->output, " ");
    ltw_bytes_add_text(&e->output, "\r\33[K");
}

void ltw_editor_begin(struct ltw_editor *e, const char *prompt, const char *more)
{
    const char *trouble = ltw_history_trouble(e->history);

    if (trouble) ltw_editor_print(e, trouble, strlen(trouble));
    e->prompt = prompt;
    e->more = more;
    ltw_bytes_set(&e->text.bytes, "", 0);
    ltw_bytes_set(&e->draft, "", 0);
    e->text.cursor = 0;
    e->at = ltw_history_count(e->history);
    e->keys = (struct ltw_keys){ .n = 0 };
    e->pasting = e->searching = e->completed = false;
    pthread_mutex_lock(&e->lock);
    take_terminal(e);
    begin_line(e);
    e->typing = true;
    draw_held(e);
    pthread_mutex_unlock(&e->lock);
}

static void finish(struct ltw_editor *e, const char *end)
{
    pthread_mutex_lock(&e->lock);
    if (e->typing) {
        e->searching = false;
        e->text.cursor = e->text.bytes.n;
        draw_held(e);
        ltw_bytes_add_text(&e->output, end);
        e->typing = false;
        give_terminal(e);
    }
    pthread_mutex_unlock(&e->lock);
}

void ltw_editor_end(struct ltw_editor *e)
{
    finish(e, "\r\n");
}

/* A byte when there is one: 1; 0: there is none; -1: there never will be. */
static int take_byte(int fd, char *byte)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    ssize_t n;

    if (poll(&p, 1, 0) <= 0) return 0;
    n = read(fd, byte, 1);
    return n == 1 ? 1 : n < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -1;
}

static void resize(struct ltw_editor *e)
{
    pthread_mutex_lock(&e->lock);
    ltw_picture_reflow(&e->shown, window(e).ws_col);
    ltw_picture_erase(&e->output, &e->shown);
    e->shown.rows = 0;
    pthread_mutex_unlock(&e->lock);
}

enum ltw_editor_event ltw_editor_step(struct ltw_editor *e)
{
    enum ltw_editor_event event = LTW_EDITOR_MORE;
    int got = 0;
    char byte;

    while (event == LTW_EDITOR_MORE && take_byte(e->wake[0], &byte) > 0) {
        if (byte == 'C') event = LTW_EDITOR_INTERRUPTED;
        else resize(e);
    }
    while (event == LTW_EDITOR_MORE && (got = take_byte(STDIN_FILENO, &byte)) > 0)
        event = act(e, ltw_keys_take(&e->keys, byte));
    if (got < 0) event = LTW_EDITOR_END;
    if (event == LTW_EDITOR_MORE) draw(e);
    else finish(e, event == LTW_EDITOR_INTERRUPTED ? "^C\r\n" : "\r\n");
    if (event == LTW_EDITOR_ENTRY) ltw_history_add(e->history, e->text.bytes.at);
    return event;
}

/* ---- the whole ---- */

bool ltw_editor_possible(void)
{
    const char *term = getenv("TERM");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term
        && strcmp(term, "dumb") != 0;
}

bool ltw_editor_colours(void)
{
    const char *no = getenv("NO_COLOR");

    return !no || !*no;
}

bool ltw_editor_history_path(char *path, size_t size)
{
    const char *given = getenv("TIDEWIRE_HISTORY"), *home = getenv("HOME");
    int n;

    if (given) n = snprintf(path, size, "%s", given);
    else n = home ? snprintf(path, size, "%s/.tidewire_history", home) : 0;
    return n > 0 && (size_t)n < size;
}

static bool watch(int all, int fd)
{
    return epoll_ctl(all, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN })
        == 0;
}

struct ltw_editor *ltw_editor_open(const struct ltw_editor_options *options)
{
    struct ltw_editor *e = tw_calloc(1, sizeof *e);

    if (!e) return NULL;
    e->o = *options;
    e->colours = ltw_editor_colours();
    e->out = e->all = e->wake[0] = e->wake[1] = -1;
    pthread_mutex_init(&e->lock, NULL);
    atexit(on_exit_of_process);
    e->history = ltw_history_open(e->o.history);
    e->o.history = NULL;
    e->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    e->all = epoll_create1(EPOLL_CLOEXEC);
    if (!e->history || e->out < 0 || e->all < 0
        || pipe2(e->wake, O_CLOEXEC | O_NONBLOCK) < 0 || !watch(e->all, e->wake[0])
        || !watch(e->all, STDIN_FILENO) || !ltw_bytes_set(&e->text.bytes, "", 0)) {
        ltw_editor_close(e);
        return NULL;
    }
    return e;
}

void ltw_editor_close(struct ltw_editor *e)
{
    if (!e) return;
    ltw_editor_end(e);
    if (e->out >= 0) close(e->out);
    if (e->all >= 0) close(e->all);
    if (e->wake[0] >= 0) close(e->wake[0]);
    if (e->wake[1] >= 0) close(e->wake[1]);
    ltw_history_close(e->history);
    ltw_text_free(&e->text);
    ltw_bytes_free(&e->draft);
    ltw_bytes_free(&e->offers);
    ltw_bytes_free(&e->output);
    ltw_picture_free(&e->shown);
    ltw_picture_free(&e->next);
    pthread_mutex_destroy(&e->lock);
    tw_free(e);
}

int ltw_editor_fd(const struct ltw_editor *e)
{
    return e->all;
}

const char *ltw_editor_text(const struct ltw_editor *e, size_t *n)
{
    *n = e->text.bytes.n;
    return e->text.bytes.at;
}

const char *ltw_editor_read(struct ltw_editor *e, const char *prompt, const char *more,
                            bool *interrupted)
{
    enum ltw_editor_event event;
    size_t n;

    *interrupted = false;
    ltw_editor_begin(e, prompt, more);
    do poll(&(struct pollfd){ .fd = e->all, .events = POLLIN }, 1, -1);
    while ((event = ltw_editor_step(e)) == LTW_EDITOR_MORE);
    if (event == LTW_EDITOR_END) return NULL;
    *interrupted = event == LTW_EDITOR_INTERRUPTED;
    return *interrupted ? "" : ltw_editor_text(e, &n);
}
