/* prompt.c - the prompt: entries read, evaluated and shown until their end.
 *
 * On a terminal entries are typed into the editor, and the tasks of the state run
 * meanwhile; what they print stands above the entry.  Anywhere else lines are read and
 * printed as lua does it, so that a script may drive it.  stdlib/repl.lua has what is
 * not about reading and calling: completion, colours, commands, how values look.
 *
 * Layer lua/main.
 */
#include "main/prompt.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "task/loop.h"
#include "main/aside.h"
#include "main/editor.h"
#include "main/interpreter.h"
#include "main/paint.h"
#include "run/pool.h"
#include "task/tasks.h"
#include "tty.h"

struct prompt {
    lua_State *L;
    struct ltw_state *state;
    const struct ltw_task *main;      /* the task that the prompt runs in       */
    const struct ltw_beside *beside;  /* or NULL                                */
    struct ltw_feeds *feeds;
    struct ltw_turns *turns;
    struct ltw_editor *editor;        /* NULL: plain lines                      */
    struct ltw_aside *aside;          /* NULL: where there is no editor         */
    uv_poll_t *keys;                  /* of what is typed                       */
    int lines;                        /* epoll of standard input, or -1         */
    bool pretty;                      /* results are for people                 */
    int results;                      /* that _1, _2 ... have                   */
};

/* ---- stdlib/repl.lua ---- */

/* [-0, +1, e] */
static void push_function(lua_State *L, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.repl");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* Calls the function name(text [, cursor]) of repl.lua: its results, or none when it
 * fails: then there is nothing to offer or to paint.  True: results are on the stack.
 * [-0, +(results | 0), -] */
static int ask(lua_State *L)
{
    const char *name = lua_touserdata(L, 1);

    push_function(L, name);
    lua_replace(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static bool ask_repl(lua_State *L, const char *name, const char *text, size_t n,
                     size_t cursor, int results)
{
    lua_pushcfunction(L, ask);
    lua_pushlightuserdata(L, (void *)name);
    lua_pushlstring(L, text, n);
    lua_pushinteger(L, (lua_Integer)cursor);
    if (lua_pcall(L, 3, results, 0) == LUA_OK) return true;
    lua_pop(L, 1);
    return false;
}

/* ---- what the editor asks ---- */

static void paint(void *ctx, const char *text, size_t n, unsigned char *style)
{
    const struct prompt *p = ctx;

    ltw_paint(p->L, text, n, style);
}

static void complete(void *ctx, struct ltw_editor *e, const char *text, size_t cursor,
                     size_t *from)
{
    struct prompt *p = ctx;
    lua_State *L = p->L;
    lua_Integer first;

    if (!ask_repl(L, "complete", text, strlen(text), cursor, 2)) return;
    first = lua_tointeger(L, -2);
    if (first >= 1 && (size_t)first <= cursor + 1 && lua_istable(L, -1)) {
        *from = (size_t)first - 1;
        for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
            size_t n;
            const char *word = lua_tolstring(L, -1, &n);

            ltw_editor_offer(e, word, n);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

/* Commands stand before a colon or a question mark; ::label:: is Lua. */
static bool is_command(const char *text)
{
    text += strspn(text, " \t");
    return *text == '?' || (*text == ':' && text[1] != ':');
}

/* Loads the text on top, as an expression if it is one.  [-1, +1, m] */
static int load_either(lua_State *L)
{
    size_t n;
    const char *text;
    int status;

    lua_pushliteral(L, "return ");
    lua_pushvalue(L, -2);
    lua_concat(L, 2);
    text = lua_tolstring(L, -1, &n);
    status = luaL_loadbuffer(L, text, n, "=stdin");
    if (status != LUA_OK) {
        lua_pop(L, 2);
        text = lua_tolstring(L, -1, &n);
        status = luaL_loadbuffer(L, text, n, "=stdin");
    } else {
        lua_remove(L, -2);
    }
    lua_remove(L, -2);
    return status;
}

/* A statement that could go on fails where the text ends. */
static bool is_incomplete(lua_State *L, const char *text, size_t size)
{
    static const char mark[] = "near <eof>";
    size_t n, at = sizeof mark - 1;
    const char *why;
    bool is;

    if (is_command(text)) return false;
    lua_pushlstring(L, text, size);
    why = load_either(L) == LUA_ERRSYNTAX ? lua_tolstring(L, -1, &n) : NULL;
    is = why != NULL && n >= at && strcmp(why + n - at, mark) == 0;
    lua_pop(L, 1);
    return is;
}

static bool is_complete(void *ctx, const char *text, size_t n)
{
    const struct prompt *p = ctx;

    return !is_incomplete(p->L, text, n);
}

/* In a signal handler, while somebody types: a task may be running. */
static void interrupt(void *ctx)
{
    const struct prompt *p = ctx;

    if (p->state->task != p->main) tw_interpreter_interrupt(p->state->running);
}

/* ---- reading ---- */

static void on_keys(uv_poll_t *keys, int status, int events)
{
    const struct prompt *p = keys->data;

    (void)status, (void)events;
    ltw_loop_go_on(p->state->tasks);
}

/* The editor's entry: true with the text on top; false at the end.  [-0, +1, e] */
static bool read_entry(struct prompt *p, const char *first, const char *more)
{
    enum ltw_editor_event event;
    const char *text;
    size_t n;

    do {
        ltw_aside_begin(p->aside);
        ltw_editor_begin(p->editor, first, more);
        uv_poll_start(p->keys, UV_READABLE, on_keys);
        do ltw_loop_wait(p->state->tasks, "the prompt");
        while ((event = ltw_editor_step(p->editor)) == LTW_EDITOR_MORE
               && !ltw_turns_over(p->turns));
        uv_poll_stop(p->keys);
        ltw_editor_end(p->editor);
        ltw_aside_end(p->aside);
    } while (event == LTW_EDITOR_INTERRUPTED && !ltw_turns_over(p->turns));
    text = ltw_editor_text(p->editor, &n);
    lua_pushlstring(p->L, text, n);
    return event == LTW_EDITOR_ENTRY;
}

/* Pushes one line without its end.  [-0, +1, e] */
static bool read_line(lua_State *L, const char *prompt)
{
    luaL_Buffer line;
    int c;

    fputs(prompt, stdout);
    fflush(stdout);
    clearerr(stdin);
    luaL_buffinit(L, &line);
    while ((c = getc(stdin)) != EOF && c != '\n') luaL_addchar(&line, c);
    luaL_pushresult(&line);
    return c != EOF || lua_rawlen(L, -1) > 0;
}

/* Lines until they make a chunk, or can't.  [-0, +1, e] */
static bool read_lines(lua_State *L, const char *first, const char *more)
{
    if (!read_line(L, first)) return false;
    while (is_incomplete(L, lua_tostring(L, -1), lua_rawlen(L, -1))) {
        lua_pushliteral(L, "\n");
        if (!read_line(L, more)) {
            lua_pop(L, 2);
            return true;
        }
        lua_concat(L, 3);
    }
    return true;
}

/* Lets the loop beside turn until there is a line, or the beginning of one. */
static void wait_for_line(struct prompt *p, const char *prompt)
{
    fputs(prompt, stdout);
    fflush(stdout);
    uv_poll_start(p->keys, UV_READABLE, on_keys);
    ltw_loop_wait(p->state->tasks, "the prompt");
    uv_poll_stop(p->keys);
}

/* [-0, +1, e]  _PROMPT, or _PROMPT2, as text. */
static const char *push_prompt(lua_State *L, const char *variable, const char *usual)
{
    if (lua_getglobal(L, variable) == LUA_TNIL) lua_pushstring(L, usual);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}

/* True: the text of an entry is all that is on the stack.  [-0, +1, e] */
static bool read_text(struct prompt *p)
{
    const char *first = push_prompt(p->L, "_PROMPT", "> ");
    const char *more = push_prompt(p->L, "_PROMPT2", ">> ");
    bool is;

    if (!p->editor && p->keys) wait_for_line(p, first);
    is = p->editor ? read_entry(p, first, more)
       : !ltw_turns_over(p->turns) && read_lines(p->L, p->keys ? "" : first, more);
    if (!is) return false;
    lua_replace(p->L, 1);
    lua_settop(p->L, 1);
    return true;
}

/* ---- evaluating ---- */

/* _1, _2 ... are the results on the stack; those of before that are more are gone.
 * [-0, +0, e] */
static void keep_results(struct prompt *p)
{
    int n = lua_gettop(p->L);
    char name[16];

    for (int i = 1; i <= n || i <= p->results; i++) {
        snprintf(name, sizeof name, "_%d", i);
        if (i <= n) lua_pushvalue(p->L, i);
        else lua_pushnil(p->L);
        lua_setglobal(p->L, name);
    }
    p->results = n;
}

/* Shows all values on the stack, by the global print where no people look.
 * [-n, +0, e] */
static void show_results(struct prompt *p)
{
    lua_State *L = p->L;
    int n = lua_gettop(L);

    if (n == 0) return;
    luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
    keep_results(p);
    if (p->pretty) push_function(L, "show");
    else lua_getglobal(L, "print");
    lua_insert(L, 1);
    if (tw_interpreter_call(L, n, 0) != LUA_OK)
        tw_interpreter_report(L, p->pretty ? "" : "error calling 'print': ");
}

/* The text that is all that is on the stack.  [-1, +0, e] */
static void evaluate(struct prompt *p)
{
    lua_State *L = p->L;
    int status;

    ltw_turns_begin(p->turns);
    if (is_command(lua_tostring(L, 1))) {
        push_function(L, "command");
        lua_insert(L, 1);
        lua_pushboolean(L, p->pretty);
        status = tw_interpreter_call(L, 2, 0);
    } else {
        status = load_either(L);
        if (status == LUA_OK) status = tw_interpreter_call(L, 0, LUA_MULTRET);
    }
    if (status == LUA_OK) show_results(p);
    else tw_interpreter_report(L, "");
    ltw_turns_end(p->turns);
}

/* ---- opening and closing ---- */

static void put(void *editor, const char *text, size_t n)
{
    ltw_editor_print(editor, text, n);
}

static void on_closed(uv_handle_t *h)
{
    tw_free(h);
}

/* Without memory lines are read plainly. */
static void open_editor(struct prompt *p, uv_loop_t *loop)
{
    char path[PATH_MAX];
    struct ltw_editor_options o = {
        .history = ltw_editor_history_path(path, sizeof path) ? path : NULL,
        .is_complete = is_complete, .complete = complete, .paint = paint,
        .interrupt = interrupt, .ctx = p
    };

    if (!ltw_editor_possible()) return;
    p->editor = ltw_editor_open(&o);
    if (!p->editor) return;
    p->aside = ltw_aside_open(put, p->editor);
    p->keys = tw_calloc(1, sizeof *p->keys);
    if (!p->aside || !p->keys
        || uv_poll_init(loop, p->keys, ltw_editor_fd(p->editor)) < 0) {
        tw_free(p->keys);
        ltw_aside_close(p->aside);
        ltw_editor_close(p->editor);
        p->keys = NULL;
        p->aside = NULL;
        p->editor = NULL;
        return;
    }
    p->keys->data = p;
    setvbuf(stdout, NULL, _IOLBF, 0);   /* it is a pipe now and then */
}

/* Where lines are read plainly: something to wait for, other than the descriptor
 * itself, which libuv would change for all who have it.  Files can always be read. */
static void open_lines(struct prompt *p, uv_loop_t *loop)
{
    struct epoll_event event = { .events = EPOLLIN };

    p->lines = epoll_create1(EPOLL_CLOEXEC);
    if (p->lines < 0 || epoll_ctl(p->lines, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0)
        return;
    p->keys = tw_calloc(1, sizeof *p->keys);
    if (!p->keys || uv_poll_init(loop, p->keys, p->lines) < 0) {
        tw_free(p->keys);
        p->keys = NULL;
        return;
    }
    p->keys->data = p;
    setvbuf(stdin, NULL, _IONBF, 0);   /* what is read ahead can't be waited for */
}

static void close_prompt(struct prompt *p)
{
    ltw_aside_close(p->aside);   /* it puts into the editor */
    if (p->keys) uv_close((uv_handle_t *)p->keys, on_closed);
    ltw_turns_close(p->turns);
    ltw_feeds_close(p->feeds);
    ltw_editor_close(p->editor);
    if (p->lines >= 0) close(p->lines);
}

/* size() -> columns, rows: of the terminal */
static int size(lua_State *L)
{
    struct ltw_tty size;

    ltw_tty_size(STDOUT_FILENO, &size);
    lua_pushinteger(L, size.columns);
    lua_pushinteger(L, size.rows);
    return 2;
}

/* directory(path): the list of what is in it */
static int directory(lua_State *L)
{
    uv_fs_t request;
    uv_dirent_t entry;
    int n = uv_fs_scandir(NULL, &request, luaL_checkstring(L, 1), 0, NULL);

    lua_newtable(L);
    for (lua_Integer i = 1; n > 0 && uv_fs_scandir_next(&request, &entry) == 0; i++) {
        lua_pushstring(L, entry.name);
        lua_rawseti(L, -2, i);
    }
    uv_fs_req_cleanup(&request);
    return 1;
}

static const luaL_Reg internal[] = {
    { "size", size },
    { "directory", directory },
    { NULL, NULL }
};

/* [-1, +0, e] */
static int converse(lua_State *L)
{
    struct prompt *p = lua_touserdata(L, 1);
    uv_loop_t *loop = ltw_loop_of(p->state->tasks);

    lua_settop(L, 0);
    if (!loop) luaL_error(L, "not enough memory");
    open_editor(p, loop);
    if (p->beside && !p->editor) open_lines(p, loop);
    p->feeds = ltw_feeds_open(L, p->beside ? p->beside->app : NULL, loop);
    if (p->feeds) p->turns = ltw_turns_open(L, loop, p->beside, p->feeds);
    if (!p->turns) luaL_error(L, "not enough memory");
    push_function(L, "open");
    lua_pushboolean(L, p->editor && ltw_editor_colours());
    luaL_newlib(L, internal);
    ltw_feeds_push(L, p->feeds);
    lua_setfield(L, -2, "feeds");
    lua_call(L, 2, 0);
    while (!ltw_turns_over(p->turns) && read_text(p)) evaluate(p);
    if (!p->editor) putchar('\n');
    return 0;
}

/* ---- what still runs ---- */

enum { CHECK_MS = 20, LONG_MS = 1000 };

/* What entries began, and nobody waits for any more. */
struct rest {
    struct ltw_state *state;
    int64_t since_ns;
    bool told;
};

static unsigned count_rest(const struct rest *r)
{
    struct tw_pool_status jobs = { .threads = 0 };

    if (r->state->host->pool) tw_pool_status(r->state->host->pool, &jobs);
    return ltw_tasks_count(r->state->tasks) + (unsigned)(jobs.queued + jobs.running);
}

static void on_check(uv_timer_t *check)
{
    struct rest *r = check->data;
    unsigned n = count_rest(r);

    if (n == 0) ltw_loop_go_on(r->state->tasks);
    if (n == 0 || r->told) return;
    if (tw_clock_steady_ns() - r->since_ns < LONG_MS * INT64_C(1000000)) return;
    r->told = true;
    fprintf(stderr, n == 1 ? "1 task still runs; Ctrl-C ends it\n"
                           : "%u tasks still run; Ctrl-C ends them\n", n);
}

static int wait_for_rest(lua_State *L)
{
    const struct rest *r = lua_touserdata(L, 1);

    if (!ltw_loop_wait(r->state->tasks, "the end")) luaL_error(L, "interrupted!");
    return 0;
}

/* False: Ctrl-C. */
static bool finish(lua_State *L)
{
    struct rest r = { .state = ltw_state(L), .since_ns = tw_clock_steady_ns() };
    uv_loop_t *loop = ltw_loop_of(r.state->tasks);
    uv_timer_t *check = count_rest(&r) > 0 ? tw_calloc(1, sizeof *check) : NULL;
    int status;

    if (!check) return true;
    uv_timer_init(loop, check);
    check->data = &r;
    uv_timer_start(check, on_check, CHECK_MS, CHECK_MS);
    lua_pushcfunction(L, wait_for_rest);
    lua_pushlightuserdata(L, &r);
    status = tw_interpreter_call(L, 1, 0);
    if (status != LUA_OK) lua_pop(L, 1);
    uv_close((uv_handle_t *)check, on_closed);
    return status == LUA_OK;
}

bool ltw_prompt(lua_State *L, const struct ltw_beside *beside)
{
    struct ltw_state *state = ltw_state(L);
    struct prompt p = { .L = L, .state = state, .main = state->task, .beside = beside,
                        .lines = -1, .pretty = isatty(STDOUT_FILENO) };
    int status;

    lua_pushcfunction(L, converse);
    lua_pushlightuserdata(L, &p);
    status = lua_pcall(L, 1, 0, 0);
    close_prompt(&p);
    if (status != LUA_OK) lua_error(L);
    return beside != NULL || finish(L);
}
