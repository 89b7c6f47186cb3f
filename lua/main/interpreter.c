/* interpreter.c - tidewire as a plain Lua interpreter, with lua's own options.
 *
 * Why: any Lua script runs in this binary, so nobody needs a second Lua beside
 * it.  Section 7 of the Lua manual is the specification.  The command line is
 * read twice: parse() refuses what is wrong before anything has run, then
 * run_options() carries out -e, -l and -W in the order in which they stand.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#include "main/interpreter.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "task/loop.h"
#include "main/prompt.h"
#include "main/signals.h"
#include "task/task.h"
#include "tidewire.h"

#define PROGRAM "tidewire: "

static const char usage[] =
    "usage: tidewire [options] [script [args]]\n"
    "  -e stat   run the statement stat\n"
    "  -l mod    require mod into the global mod\n"
    "  -l g=mod  require mod into the global g\n"
    "  -i        prompt after the script\n"
    "  -v        print the version\n"
    "  -W        turn warnings on\n"
    "  -E        ignore the environment: LUA_INIT, LUA_PATH and LUA_CPATH\n"
    "  --        end of the options\n"
    "  -         end of the options; the script is the standard input\n";

struct command {
    int argc;
    char **argv;
    int script;                   /* index in argv; argc when there is none */
    bool interactive, version, execute, bare;   /* -i, -v, -e, -E */
    int status;                   /* of the process */
};

void tw_interpreter_report(lua_State *L, const char *who)
{
    if (!lua_isstring(L, -1)) {
        lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, -1));
        lua_replace(L, -2);
    }
    fflush(stdout);
    fprintf(stderr, "%s%s\n", who, lua_tostring(L, -1));
    lua_pop(L, 1);
}

/* What warn() does here.  Anchored in the registry, so it outlives every
 * finalizer that may still warn. */
struct warnings {
    bool on;
    bool midway;                  /* the last piece said that more follows */
};

static void warn(void *data, const char *text, int more)
{
    struct warnings *w = data;

    if (!w->midway && !more && text[0] == '@') {
        if (strcmp(text, "@on") == 0)
            w->on = true;
        else if (strcmp(text, "@off") == 0)
            w->on = false;
        return;
    }
    if (w->on)
        fprintf(stderr, "%s%s%s", w->midway ? "" : "Lua warning: ", text,
                more ? "" : "\n");
    w->midway = more;
}

/* [-0, +0, m] */
static void set_warnings(lua_State *L)
{
    struct warnings *w = lua_newuserdatauv(L, sizeof *w, 0);

    *w = (struct warnings){ false, false };
    lua_setfield(L, LUA_REGISTRYINDEX, "tw.warnings");
    lua_setwarnf(L, warn, w);
}

/* The main thread of what Ctrl-C stops; a signal handler gets no argument. */
static _Atomic(lua_State *) running;

static void stop(lua_State *L, lua_Debug *where)
{
    (void)where;
    lua_sethook(L, NULL, 0, 0);
    lua_pushliteral(L, "interrupted!");   /* the traceback tells where */
    lua_error(L);
}

void tw_interpreter_interrupt(lua_State *co)
{
    lua_sethook(co, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

/* Lua may be anywhere now; lua_sethook is what it lets a signal do.  The hook
 * then raises at the next instruction, call or return.  The coroutine that runs
 * may be giving control back just now, so the main thread gets the hook too, but
 * not in another task's turn: then its wait ends, which goes through its loop. */
static void on_interrupt(int number)
{
    const struct ltw_state *s;
    lua_State *L;
    bool waits, is_main;

    if (!ltw_signal_is_here(number)) return;
    signal(number, SIG_DFL);
    /* order [interpreter.running] relaxed: it was stored before this handler
     * was installed, and nothing else is read through it */
    L = atomic_load_explicit(&running, memory_order_relaxed);
    s = ltw_state(L);
    waits = s->task && s->task->state == LTW_TASK_WAITING;
    is_main = !s->task || s->task->co == L;
    if (!waits && is_main) tw_interpreter_interrupt(L);
    if (!waits) tw_interpreter_interrupt(s->running);
    ltw_loop_interrupt(s->tasks);
}

/* A second Ctrl-C ends the process: C code does not see the first.  Without
 * SA_RESTART a script that waits for input is interrupted too. */
int tw_interpreter_call(lua_State *L, int args, int results)
{
    struct sigaction action = { .sa_handler = on_interrupt }, before;
    int handler = lua_gettop(L) - args, status;

    lua_pushcfunction(L, ltw_traceback);
    lua_insert(L, handler);
    /* order [interpreter.running] relaxed: on_interrupt can only run after
     * the sigaction call below */
    atomic_store_explicit(&running, L, memory_order_relaxed);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before);
    status = lua_pcall(L, args, results, handler);
    sigaction(SIGINT, &before, NULL);
    if (lua_gethook(L) == stop)              /* Ctrl-C came as it returned */
        lua_sethook(L, NULL, 0, 0);
    lua_remove(L, handler);
    return status;
}

/* Runs a chunk that was just loaded with this status, or reports why it can't.
 * [-(args + 1), +0, m] */
static bool run(lua_State *L, int status, int args)
{
    if (status == LUA_OK)
        status = tw_interpreter_call(L, args, 0);
    else
        lua_pop(L, args);
    if (status != LUA_OK)
        tw_interpreter_report(L, PROGRAM);
    return status == LUA_OK;
}

static bool run_string(lua_State *L, const char *text, const char *name)
{
    return run(L, luaL_loadbuffer(L, text, strlen(text), name), 0);
}

/* -l mod and -l global=mod  [-0, +0, e] */
static bool run_library(lua_State *L, const char *text)
{
    const char *equals = strchr(text, '=');
    bool fine;

    lua_pushlstring(L, text, equals ? (size_t)(equals - text) : strlen(text));
    lua_getglobal(L, "require");
    lua_pushstring(L, equals ? equals + 1 : text);
    fine = tw_interpreter_call(L, 1, 1) == LUA_OK;
    if (fine)
        lua_setglobal(L, lua_tostring(L, -2));
    else
        tw_interpreter_report(L, PROGRAM);
    lua_pop(L, 1);
    return fine;
}

/* The variable of this Lua version hides the general one. */
static bool run_environment(lua_State *L)
{
    static const char *const names[] = { "=LUA_INIT" LUA_VERSUFFIX, "=LUA_INIT" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = getenv(names[i] + 1);

        if (text != NULL && text[0] == '@')
            return run(L, luaL_loadfile(L, text + 1), 0);
        if (text != NULL)
            return run_string(L, text, names[i]);
    }
    return true;
}

/* [-0, +0, e] */
static bool run_options(lua_State *L, const struct command *c)
{
    bool fine = true;

    for (int i = 1; i < c->script && fine; i++) {
        const char *option = c->argv[i], *value = option + 2;
        bool takes_value = option[1] == 'e' || option[1] == 'l';

        if (takes_value && *value == '\0')
            value = c->argv[++i];
        if (option[1] == 'e')
            fine = run_string(L, value, "=(command line)");
        else if (option[1] == 'l')
            fine = run_library(L, value);
        else if (option[1] == 'W')
            lua_warning(L, "@on", 0);
    }
    return fine;
}

/* The script's arguments are those of the table arg as it is now: LUA_INIT and
 * -e may have changed it.  [-0, +n, e] */
static int push_arguments(lua_State *L)
{
    int table = lua_gettop(L) + 1, n;

    if (lua_getglobal(L, "arg") != LUA_TTABLE)
        luaL_error(L, "'arg' is not a table");
    n = (int)luaL_len(L, table);
    luaL_checkstack(L, n + 3, "too many arguments to script");
    for (int i = 1; i <= n; i++)
        lua_rawgeti(L, table, i);
    lua_remove(L, table);
    return n;
}

/* "-" is the standard input, but after "--" it is a file of that name.
 * [-0, +0, e] */
static bool run_script(lua_State *L, char **argv)
{
    bool is_stdin = strcmp(argv[0], "-") == 0 && strcmp(argv[-1], "--") != 0;
    int status = luaL_loadfile(L, is_stdin ? NULL : argv[0]);

    return run(L, status, status == LUA_OK ? push_arguments(L) : 0);
}

/* -- The command line ------------------------------------------------------ */

/* Reads the options up to the script; NULL, or the option at fault and why. */
static const char *parse(struct command *c, const char **why)
{
    int i;

    for (i = 1; i < c->argc && c->argv[i][0] == '-'; i++) {
        const char *option = c->argv[i];
        char letter = option[1];

        if (letter == '\0')
            break;
        if (strcmp(option, "--") == 0) {
            i++;
            break;
        }
        *why = "unrecognized option";
        if (strchr("elivWE", letter) == NULL)
            return option;
        if (letter == 'e' || letter == 'l') {
            c->execute |= letter == 'e';
            if (option[2] != '\0')
                continue;
            i++;
            *why = "no argument after";
            if (i == c->argc || c->argv[i][0] == '-')
                return option;
        } else if (option[2] != '\0') {
            return option;
        }
        c->interactive |= letter == 'i';
        c->version |= letter == 'i' || letter == 'v';
        c->bare |= letter == 'E';
    }
    c->script = i;
    return NULL;
}

/* The table arg: the script at 0, its arguments above, what came before it
 * below.  With no script the program itself is at 0.  [-0, +0, m] */
static void set_arg(lua_State *L, const struct command *c)
{
    int zero = c->script == c->argc ? 0 : c->script;

    lua_createtable(L, c->argc - zero, zero);
    for (int i = 0; i < c->argc; i++) {
        lua_pushstring(L, c->argv[i]);
        lua_rawseti(L, -2, i - zero);
    }
    lua_setglobal(L, "arg");
}

static void print_version(bool is_prompt)
{
    printf("tidewire " TW_VERSION " (" LUA_RELEASE ")%s\n",
           is_prompt ? "  :help tells what there is, Ctrl-D ends" : "");
    fflush(stdout);
}

/* -E: L was made with the environment's search paths.  Opening the library
 * again computes them without; only they are taken from that copy.
 * [-0, +0, e] */
static void reset_paths(lua_State *L)
{
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    lua_getglobal(L, "require");
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_pushcfunction(L, luaopen_package);
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "path");
    lua_setfield(L, -3, "path");
    lua_getfield(L, -1, "cpath");
    lua_setfield(L, -3, "cpath");
    lua_pop(L, 2);
    lua_setglobal(L, "require");
}

/* [-0, +0, e] */
static void prompt(lua_State *L, struct command *c)
{
    if (!ltw_prompt(L, NULL)) c->status = 128 + SIGINT;
}

/* All that may raise outside a script's own call.  [-1, +0, e] */
static int interpret(lua_State *L)
{
    struct command *c = lua_touserdata(L, 1);

    set_warnings(L);
    if (c->version)
        print_version(c->interactive && isatty(STDIN_FILENO));
    if (c->bare)
        reset_paths(L);
    set_arg(L, c);
    if (!(c->bare || run_environment(L)) || !run_options(L, c))
        return 0;
    if (c->script < c->argc && !run_script(L, c->argv + c->script))
        return 0;
    c->status = EXIT_SUCCESS;
    if (c->interactive) {
        prompt(L, c);
    } else if (c->script == c->argc && !c->execute && !c->version) {
        if (isatty(STDIN_FILENO)) {
            print_version(true);
            prompt(L, c);
        } else if (!run(L, luaL_loadfile(L, NULL), 0)) {
            c->status = EXIT_FAILURE;
        }
    }
    return 0;
}

int tw_interpreter_main(lua_State *L, int argc, char **argv)
{
    struct command c = { .argc = argc, .argv = argv, .status = EXIT_FAILURE };
    const char *why, *fault = parse(&c, &why);

    if (fault != NULL) {
        fprintf(stderr, PROGRAM "%s '%s'\n%s", why, fault, usage);
        return 1;
    }
    lua_pushcfunction(L, interpret);
    lua_pushlightuserdata(L, &c);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        tw_interpreter_report(L, PROGRAM);
        return 1;
    }
    return c.status;
}
