/* editor.c - lines typed at a terminal: keys, history, completion, colours.
 *
 * Why: libedit cannot colour what is typed, nor keep an entry of several lines as one
 * in its history; readline is GPL.  What is needed is a text, a table of keys and a
 * picture of the text that is compared with the one on the screen.
 *
 *   bytes --decode--> key --act--> text, cursor --paint--> rows --draw--> terminal
 *
 * Signals, which terminal.c has as bytes of a pipe, and the terminal are one epoll
 * descriptor: what callers wait for.
 *
 * Invariant
 *   E1  Only the holder of the lock writes to the terminal, and `shown` is what is
 *       on it: others may print above the entry.
 *
 * Layer lua/main.
 */
#include "main/editor.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/memory.h"
#include "main/keys.h"
#include "main/offers.h"
#include "main/picture.h"
#include "main/recall.h"
#include "main/terminal.h"

struct ltw_editor {
    struct ltw_editor_options o;      /* constant                               */
    struct ltw_history *history;      /* constant                               */
    struct ltw_terminal terminal;
    int all;                          /* constant; epoll of both: see above     */
    bool colours;                     /* constant                               */
    const char *prompt, *more;        /* constant while somebody types          */
    struct ltw_text text;
    struct ltw_recall recall;
    struct ltw_offers offers;
    struct ltw_keys keys;
    bool pasting;
    bool completed, listed;           /* by the last key, a Tab                 */
    pthread_mutex_t lock;             /* guards what follows                    */
    bool typing;                      /* mutex: the terminal is ours            */
    struct ltw_picture shown, next;   /* mutex: E1; next: its memory            */
    struct tw_bytes output;          /* mutex: on its way to the terminal      */
};

/* ---- the screen ---- */

static void flush(struct ltw_editor *e)
{
    ltw_terminal_write(&e->terminal, &e->output);
}

static void draw_held(struct ltw_editor *e)
{
    struct ltw_tty size = ltw_terminal_size(&e->terminal);
    char search[LTW_PATTERN_MAX + 32];
    struct ltw_entry_view v = {
        .text = e->text.bytes.at, .n = e->text.bytes.n, .cursor = e->text.cursor,
        .prompt = e->prompt, .more = e->more, .width = size.columns, .height = size.rows
    };
    unsigned char *style = NULL;
    struct ltw_picture old = e->shown;

    if (e->colours && e->o.paint && v.n > 0) style = tw_calloc(v.n, 1);
    if (style) e->o.paint(e->o.ctx, v.text, v.n, style);
    v.style = style;
    if (e->recall.searching) {
        snprintf(search, sizeof search, "%s %s: ",
                 e->recall.failed ? "not found" : "search", e->recall.pattern);
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
static void add_lines(struct tw_bytes *b, const char *text, size_t n)
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

/* ---- completion ---- */

void ltw_editor_offer(struct ltw_editor *e, const char *text, size_t n)
{
    ltw_offers_add(&e->offers, text, n);
}

/* Above the entry. */
static void list_offers(struct ltw_editor *e)
{
    struct tw_bytes list = { .n = 0 };

    ltw_offers_list(&e->offers, ltw_terminal_size(&e->terminal).columns, &list);
    ltw_editor_print(e, list.at, list.n);
    tw_bytes_free(&list);
}

static void complete(struct ltw_editor *e)
{
    size_t from = e->text.cursor, n;
    bool again = e->completed, listed = e->listed;

    ltw_offers_clear(&e->offers);
    n = ltw_text_line_start(&e->text, e->text.cursor);
    while (n < e->text.cursor && e->text.bytes.at[n] == ' ') n++;
    if (n == e->text.cursor || !e->o.complete) {   /* at the start of a line it indents */
        ltw_text_insert(&e->text, "  ", 2);
        return;
    }
    e->o.complete(e->o.ctx, e, e->text.bytes.at, e->text.cursor, &from);
    if (e->offers.n == 0 || from > e->text.cursor) return;
    n = ltw_offers_common(&e->offers);
    if (n > e->text.cursor - from || (e->offers.n == 1 && n > 0)) {
        size_t to = e->text.cursor;

        ltw_text_cut(&e->text, from, to);
        ltw_text_insert(&e->text, e->offers.texts.at, n);
    } else if (again || n == e->text.cursor - from) {
        if (!listed) list_offers(e);
        e->listed = true;
    }
    e->completed = true;
}

/* ---- keys ---- */

static enum ltw_editor_event enter(struct ltw_editor *e)
{
    size_t start = ltw_text_line_start(&e->text, e->text.cursor), indent = start;
    struct tw_bytes line = { .n = 0 };

    if (!e->o.is_complete
        || e->o.is_complete(e->o.ctx, e->text.bytes.at, e->text.bytes.n)) {
        e->text.cursor = e->text.bytes.n;
        return LTW_EDITOR_ENTRY;
    }
    while (indent < e->text.cursor && e->text.bytes.at[indent] == ' ') indent++;
    if (ltw_bytes_add_text(&line, "\n")
        && ltw_bytes_add(&line, e->text.bytes.at + start, indent - start))
        ltw_text_insert(&e->text, line.at, line.n);
    tw_bytes_free(&line);
    return LTW_EDITOR_MORE;
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
    bool completed = e->completed, listed = e->listed;

    if (key == LTW_KEY_MORE) return LTW_EDITOR_MORE;
    if (!e->pasting) ltw_text_step(&e->text);
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
    if (e->recall.searching
        && ltw_recall_key(&e->recall, key, e->keys.bytes, e->keys.n))
        return LTW_EDITOR_MORE;
    e->completed = e->listed = false;
    if (key == '\r' || key == '\n') return enter(e);
    if (key == LTW_CTRL('D') && e->text.bytes.n == 0) return LTW_EDITOR_END;
    if (ltw_text_key(&e->text, key)) return LTW_EDITOR_MORE;
    switch (key) {
    case LTW_CTRL('P'): case LTW_KEY_UP: ltw_recall_go(&e->recall, false); break;
    case LTW_CTRL('N'): case LTW_KEY_DOWN: ltw_recall_go(&e->recall, true); break;
    case '\t':
        e->completed = completed;
        e->listed = listed;
        complete(e);
        break;
    case LTW_CTRL('R'): case LTW_CTRL('S'): ltw_recall_search(&e->recall); break;
    case LTW_KEY_META | '.': ltw_recall_argument(&e->recall); break;
    case LTW_CTRL('L'): clear_screen(e); break;
    case LTW_CTRL('Z'): suspend(e); break;
    default:
        if (key >= 0x20 && key < LTW_KEY_MORE)
            ltw_text_type(&e->text, e->keys.bytes, e->keys.n);
        break;
    }
    return LTW_EDITOR_MORE;
}

/* ---- the terminal ---- */

/* Who types, for the end of the process. */
static _Atomic(struct ltw_editor *) typing;

static void take_terminal(struct ltw_editor *e)
{
    /* order [editor.typing] relaxed: on_exit_of_process is called on this thread */
    atomic_store_explicit(&typing, e, memory_order_relaxed);
    ltw_terminal_take(&e->terminal);
    ltw_bytes_add_text(&e->output, "\33[?2004h");
    e->shown.rows = 0;
}

static void give_terminal(struct ltw_editor *e)
{
    ltw_bytes_add_text(&e->output, "\33[?2004l");
    flush(e);
    ltw_terminal_give(&e->terminal);
    /* order [editor.typing] relaxed: see take_terminal */
    atomic_store_explicit(&typing, NULL, memory_order_relaxed);
}

/* The process ends while somebody types. */
static void on_exit_of_process(void)
{
    /* order [editor.typing] relaxed: see take_terminal */
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
    unsigned width = ltw_terminal_size(&e->terminal).columns;

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
    ltw_text_begin(&e->text);
    ltw_recall_begin(&e->recall);
    e->keys = (struct ltw_keys){ .n = 0 };
    e->pasting = e->completed = e->listed = false;
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
        e->recall.searching = false;
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

static void redraw(struct ltw_editor *e)
{
    pthread_mutex_lock(&e->lock);
    ltw_picture_reflow(&e->shown, ltw_terminal_size(&e->terminal).columns);
    ltw_picture_erase(&e->output, &e->shown);
    e->shown.rows = 0;
    pthread_mutex_unlock(&e->lock);
}

/* Somebody else has used the terminal. */
static void resume(struct ltw_editor *e)
{
    pthread_mutex_lock(&e->lock);
    ltw_terminal_retake(&e->terminal);
    ltw_bytes_add_text(&e->output, "\r\33[J\33[?2004h");
    e->shown.rows = 0;
    pthread_mutex_unlock(&e->lock);
}

/* What a signal told.  False: there is no other. */
static bool happened(struct ltw_editor *e, enum ltw_editor_event *event)
{
    switch (ltw_terminal_signal(&e->terminal)) {
    case LTW_TERMINAL_NOTHING: return false;
    case LTW_TERMINAL_INTERRUPT: *event = LTW_EDITOR_INTERRUPTED; break;
    case LTW_TERMINAL_RESIZE: redraw(e); break;
    case LTW_TERMINAL_SUSPEND: suspend(e); break;
    case LTW_TERMINAL_RESUME: resume(e); break;
    }
    return true;
}

enum ltw_editor_event ltw_editor_step(struct ltw_editor *e)
{
    enum ltw_editor_event event = LTW_EDITOR_MORE;
    int got = 0;
    char byte;

    while (event == LTW_EDITOR_MORE && happened(e, &event))
        ;
    while (event == LTW_EDITOR_MORE
           && (got = ltw_terminal_byte(&e->terminal, &byte)) > 0)
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
    e->all = -1;
    pthread_mutex_init(&e->lock, NULL);
    atexit(on_exit_of_process);
    e->history = ltw_history_open(e->o.history);
    e->o.history = NULL;
    e->recall.history = e->history;
    e->recall.text = &e->text;
    e->all = epoll_create1(EPOLL_CLOEXEC);
    if (!ltw_terminal_open(&e->terminal, e->o.interrupt, e->o.ctx) || !e->history
        || e->all < 0 || !watch(e->all, e->terminal.wake[0])
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
    ltw_terminal_close(&e->terminal);
    if (e->all >= 0) close(e->all);
    ltw_history_close(e->history);
    ltw_text_free(&e->text);
    ltw_recall_free(&e->recall);
    tw_bytes_free(&e->offers.texts);
    tw_bytes_free(&e->output);
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
