/* main.c - the tidewire program: which command, and its arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app.h"
#include "attach_to.h"
#include "base/memory.h"
#include "interpreter.h"
#include "pack.h"
#include "payload.h"
#include "program.h"
#include "repl.h"
#include "seal.h"
#include "share/object.h"
#include "share/value.h"
#include "tasks.h"

enum { USAGE = 2, LEAKED = 98 };   /* a command line that makes no sense; see leaks */

static int refuse(const char *format, const char *value)
{
    fputs("tidewire: ", stderr);
    fprintf(stderr, format, value);
    fprintf(stderr, "; see `%s`\n", ltw_payload_app() ? "--help" : "tidewire help");
    return USAGE;
}

static const luaL_Reg modules[] = {
    { "tw.internal.bot",  luaopen_tw_internal_bot },
    { "tw.internal.pack", luaopen_tw_internal_pack },
    { NULL, NULL }
};

/* [-0, +1, e]  Calls main(list of arguments) of the module named at 1. */
static int call_main(lua_State *L)
{
    char **argv = lua_touserdata(L, 2);

    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    luaL_setfuncs(L, modules, 0);
    lua_getglobal(L, "require");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "main");
    lua_newtable(L);
    for (int i = 0; argv[i]; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_call(L, 1, 1);
    return 1;
}

/* A command that is written in Lua: its module's main returns the status. */
static int run_module(const char *module, char **argv)
{
    struct ltw_program *program = ltw_program_new();
    lua_State *L = program ? ltw_program_state(program)->L : NULL;
    int status = EXIT_FAILURE;

    if (!program) return refuse("%s", "not enough memory");
    lua_pushcfunction(L, ltw_traceback);
    lua_pushcfunction(L, call_main);
    lua_pushstring(L, module);
    lua_pushlightuserdata(L, argv);
    if (lua_pcall(L, 2, 1, 1) == LUA_OK) status = (int)lua_tointeger(L, -1);
    else fprintf(stderr, "tidewire: %s\n", lua_tostring(L, -1));
    return ltw_program_end(program, status);
}

static int run_interpreter(int argc, char **argv)
{
    struct ltw_program *program = ltw_program_new();
    int status;

    if (!program) return refuse("%s", "not enough memory");
    status = tw_interpreter_main(ltw_program_state(program)->L, argc, argv);
    return ltw_program_end(program, status);
}

/* A number above `least`, and nothing after it. */
static bool parse_number(const char *text, double least, double *out)
{
    char *end;

    *out = text ? strtod(text, &end) : 0;
    return text && *text && !*end && *out >= least && *out <= 1e9;
}

/* repl: a prompt inside the run, or NULL. */
static int run_app(int argc, char **argv, struct ltw_repl *repl)
{
    struct tw_app_options o = { .signals = true, .screen = true, .attach = true };
    const char **set = calloc((size_t)argc + 1, sizeof *set), *path = NULL;
    char why[TW_APP_ERROR];
    struct tw_app *app = NULL;
    int sets = 0, status = USAGE;
    double number;

    if (!set) return refuse("%s", "not enough memory");
    for (int i = 0; i < argc; i++) {
        const char *option = argv[i], *value = argv[i + 1];

        if (strcmp(option, "--workers") == 0) {
            if (!parse_number(value, 1, &number) || number > 1024
                || number != (unsigned)number) {
                refuse("--workers %s: an integer in 1 .. 1024 expected",
                       value ? value : "");
                goto end;
            }
            o.workers = (unsigned)number;
            i++;
        } else if (strcmp(option, "--seconds") == 0) {
            if (!parse_number(value, 0, &o.seconds)) {
                refuse("--seconds %s: a number of seconds expected", value ? value : "");
                goto end;
            }
            i++;
        } else if (strcmp(option, "--set") == 0) {
            if (!value) {
                refuse("%s name=value: the value is missing", option);
                goto end;
            }
            set[sets++] = value;
            i++;
        } else if (strcmp(option, "--audit") == 0) {
            if (!value) {
                refuse("%s", "--audit FILE: the file is missing");
                goto end;
            }
            o.audit = value;
            i++;
        } else if (strcmp(option, "--watch") == 0) {
            o.watch = true;
        } else if (strcmp(option, "--no-attach") == 0) {
            o.attach = false;
        } else if (option[0] == '-') {
            refuse("run: unknown option '%s'", option);
            goto end;
        } else if (path) {
            refuse("run: one app file expected, got '%s' too", option);
            goto end;
        } else {
            path = option;
        }
    }
    if (!path) {
        refuse("%s", "run: no app file given");
        goto end;
    }
    o.set = set;
    if (repl) ltw_repl_init(repl, &o);
    app = tw_app_open(path, &o, why);
    if (!app) {
        fprintf(stderr, "tidewire: %s\n", why);
        status = EXIT_FAILURE;
        goto end;
    }
    if (repl) repl->app = app;
    status = tw_app_run(app);
    tw_app_close(app);
end:
    free(set);
    return status;
}

/* Without an app file, the prompt of the interpreter. */
static int run_repl(int argc, char **argv)
{
    struct ltw_repl repl;

    return argc > 2 ? run_app(argc - 2, argv + 2, &repl) : run_interpreter(1, argv);
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static int run_command(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    if (argc > 1 && !is_file(command)) {   /* a file of that name is a script */
        if (strcmp(command, "run") == 0) return run_app(argc - 2, argv + 2, NULL);
        if (strcmp(command, "repl") == 0) return run_repl(argc, argv);
        if (strcmp(command, "attach") == 0) return tw_attach_to(argc - 2, argv + 2);
        if (strcmp(command, "test") == 0) return run_module("tw.test", argv + 2);
        if (strcmp(command, "stat") == 0) return run_module("tw.query", argv + 2);
        if (strcmp(command, "build") == 0) return run_module("tw.build", argv + 2);
        if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0)
            return run_module("tw.help", argv + 2);
        if (strcmp(command, "--version") == 0) {
            puts("tidewire " TW_VERSION);
            return EXIT_SUCCESS;
        }
        if (command[0] != '-' && !strpbrk(command, "./"))
            return refuse("'%s' is neither a command nor a file", command);
    }
    return run_interpreter(argc, argv);
}

/* A program that carries an app. */
static int run_bot(int argc, char **argv)
{
    struct ltw_repl repl;
    char **args;
    enum ltw_bot kind = ltw_bot_parse(argc, argv, &args);
    int n = 0, status = USAGE;

    while (args && args[n]) n++;
    if (kind == LTW_BOT_RUN) status = run_app(n, args, NULL);
    else if (kind == LTW_BOT_REPL) status = run_app(n, args, &repl);
    else if (kind == LTW_BOT_TELL) status = run_module("tw.bot", args);
    else if (kind == LTW_BOT_INTERPRET) status = run_interpreter(n, args);
    tw_free(args);
    return status;
}

/* For tests: at the end nobody holds what states have shared. */
static bool leaks(void)
{
    unsigned long long values = tw_value_live(), objects = tw_object_live();

    if (values + objects == 0) return false;
    fprintf(stderr, "tidewire: %llu frozen values and %llu shared objects were never let"
            " go\n", values, objects);
    return true;
}

int main(int argc, char **argv)
{
    const char *fail_at = getenv("TW_FAIL");
    struct tw_error error;
    uint64_t seed;
    int status, carries;

    if (fail_at) tw_memory_fail_at(strtoull(fail_at, NULL, 10));
    carries = ltw_seal_check(&error);
    if (carries < 0) {
        fprintf(stderr, "tidewire: %s: %s\n", argc > 0 ? argv[0] : "", error.text);
        return EXIT_FAILURE;
    }
    if (!ltw_tasks_seed(&seed))
        return refuse("TIDEWIRE_SEED=%s: an integer expected", getenv("TIDEWIRE_SEED"));
    status = carries ? run_bot(argc, argv) : run_command(argc, argv);
    return getenv("TW_LEAKS") && leaks() ? LEAKED : status;
}
