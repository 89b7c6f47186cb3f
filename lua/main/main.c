/* main.c - the tidewire program: which command, and its arguments. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "run/app.h"
#include "attach_to.h"
#include "base/clock.h"
#include "base/memory.h"
#include "interpreter.h"
#include "mapped.h"
#include "options.h"
#include "pack.h"
#include "payload.h"
#include "program.h"
#include "repl.h"
#include "seal.h"
#include "signals.h"
#include "source.h"
#include "share/object.h"
#include "share/value.h"
#include "tape/field.h"
#include "task/tasks.h"

enum { USAGE = 2, LEAKED = 98 };   /* a command line that makes no sense; see leaks */

static int refuse(const char *format, const char *value)
{
    fputs("tidewire: ", stderr);
    fprintf(stderr, format, value);
    fprintf(stderr, "; see `%s`\n", ltw_payload_app() ? "--help" : "tidewire help");
    return USAGE;
}

/* As refuse, of a word that one of the names was meant by; names end in NULL. */
static int refuse_word(const char *format, const char *word, const char *const *names)
{
    const char *best = NULL;
    int least = (int)strlen(word) / 3 + 1;
    char text[200];

    for (; *names; names++) {
        int d = tw_name_distance(word, strlen(word), *names);

        if (d >= least) continue;
        best = *names;
        least = d;
    }
    snprintf(text, sizeof text, best ? "'%.100s'; did you mean '%s'?" : "'%.100s'", word,
             best);
    return refuse(format, text);
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

    ltw_preload(L, modules);
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

/* An option of `record`: how many words it is, 0: it is none, or negative. */
static int record_option(struct tw_app_options *o, const char *option, const char *value)
{
    static const char *const syncs[] = { "never", "block", "record" };

    o->zstd = o->zstd || strcmp(option, "--zstd") == 0;
    if (strcmp(option, "--zstd") == 0) return 1;
    if (strcmp(option, "--sync") != 0) return 0;
    for (int i = 0; value && i < 3; i++)
        if (strcmp(value, syncs[i]) == 0) {
            o->sync = (enum tw_tape_sync)i;
            return 2;
        }
    refuse("--sync %s: never, block or record expected", value ? value : "");
    return -1;
}

/* False: it makes no sense, and it was said why. */
static bool parse_run(int argc, char **argv, struct ltw_options *o, bool records)
{
    int words;

    for (int i = 0; i < argc; i++) {
        const char *word = argv[i], *value = NULL;
        const struct ltw_option *option = ltw_option_find(word);
        char what[200];

        if (option && option->value && !(value = argv[++i]))
            return refuse("%s: its value is missing", word), false;
        if (option && !option->take(o, value)) {
            snprintf(what, sizeof what, "%s %.60s: %s expected", word, value,
                     option->expected);
            return refuse("%s", what), false;
        }
        if (option) continue;
        words = records ? record_option(&o->app, word, argv[i + 1]) : 0;
        if (words < 0) return false;
        i += words > 0 ? words - 1 : 0;
        if (words > 0) continue;
        if (word[0] == '-') {
            const char *names[LTW_OPTIONS + 3] = { 0 };

            for (int j = 0; j < LTW_OPTIONS; j++) names[j] = ltw_options[j].name;
            if (records) names[LTW_OPTIONS] = "--zstd";
            if (records) names[LTW_OPTIONS + 1] = "--sync";
            return refuse_word(records ? "record: unknown option %s"
                                       : "run: unknown option %s", word, names),
                   false;
        }
        if (o->path && records && !o->app.record) {
            o->app.record = word;
            continue;
        }
        if (o->path)
            return refuse("run: one app file expected, got '%s' too", word), false;
        o->path = word;
    }
    if (!o->path)
        return refuse("%s: no app file given", records ? "record" : "run"), false;
    if (records && !o->app.record)
        return refuse("%s", "record: no tape file given"), false;
    return true;
}

/* repl: a prompt inside the run, or NULL.  records: the file to make is named, too. */
static int run_app(int argc, char **argv, struct ltw_repl *repl, bool records)
{
    struct ltw_options o = {
        .app = { .signals = true, .screen = true, .attach = true },
        .set = calloc((size_t)argc + 1, sizeof *o.set),
    };
    char why[TW_APP_ERROR];
    struct tw_app *app = NULL;
    int status = USAGE;

    if (!o.set) return refuse("%s", "not enough memory");
    if (!parse_run(argc, argv, &o, records)) goto end;
    o.app.set = o.set;
    if (repl) ltw_repl_init(repl, &o.app);
    app = tw_app_open(o.path, &o.app, why);
    if (!app) {
        fprintf(stderr, "tidewire: %s\n", why);
        status = EXIT_FAILURE;
        goto end;
    }
    if (repl) repl->app = app;
    status = tw_app_run(app);
    tw_app_close(app);
end:
    free(o.set);
    return status;
}

/* The app that replays a file is built in (stdlib/tapes.lua): but for options of every
 * run, the command line is a parameter of it, "\1" behind each word.  --set is for the
 * scripts. */
static int run_replay(int argc, char **argv)
{
    char **args = calloc((size_t)argc + 4, sizeof *args), *words;
    int n = 0, status = EXIT_FAILURE;
    size_t bytes = 8;

    for (int i = 0; i < argc; i++) bytes += strlen(argv[i]) + 1;
    words = calloc(1, bytes);
    if (!args || !words) {
        refuse("%s", "not enough memory");
        goto end;
    }
    strcpy(words, "words=");
    args[n++] = (char *)LTW_REPLAY;
    args[n++] = (char *)"--set";
    args[n++] = words;
    for (int i = 0; i < argc; i++) {
        const struct ltw_option *option = ltw_option_find(argv[i]);

        if (option && strcmp(argv[i], "--set") != 0) {
            args[n++] = argv[i];
            if (option->value && i + 1 < argc) args[n++] = argv[++i];
        } else {
            strcat(strcat(words, argv[i]), "\1");
        }
    }
    status = run_app(n, args, NULL, false);
end:
    free(args);
    free(words);
    return status;
}

/* Without an app file, the prompt of the interpreter. */
static int run_repl(int argc, char **argv)
{
    struct ltw_repl repl;

    if (argc > 2) return run_app(argc - 2, argv + 2, &repl, false);
    return run_interpreter(1, argv);
}

static const char *const commands[] = {
    "run", "repl", "attach", "backtest", "sweep", "explain", "build", "test", "stat",
    "fix", "record", "replay", "convert", "tape", "help", NULL
};

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static int run_command(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    if (argc > 1) {                        /* a file of that name is ./run */
        if (strcmp(command, "run") == 0)
            return run_app(argc - 2, argv + 2, NULL, false);
        if (strcmp(command, "record") == 0)
            return run_app(argc - 2, argv + 2, NULL, true);
        if (strcmp(command, "replay") == 0) return run_replay(argc - 2, argv + 2);
        if (strcmp(command, "convert") == 0 || strcmp(command, "tape") == 0)
            return run_module("tw.tapes", argv + 1);
        if (strcmp(command, "repl") == 0) return run_repl(argc, argv);
        if (strcmp(command, "attach") == 0) return tw_attach_to(argc - 2, argv + 2);
        if (strcmp(command, "test") == 0) return run_module("tw.test", argv + 2);
        if (strcmp(command, "stat") == 0) return run_module("tw.query", argv + 2);
        if (strcmp(command, "backtest") == 0)
            return run_module("tw.backtest_command", argv + 2);
        if (strcmp(command, "sweep") == 0)
            return run_module("tw.sweep_command", argv + 2);
        if (strcmp(command, "explain") == 0) return run_module("tw.explain", argv + 2);
        if (strcmp(command, "fix") == 0) return run_module("tw.fix", argv + 2);
        if (strcmp(command, "build") == 0) return run_module("tw.build", argv + 2);
        if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0)
            return run_module("tw.help", argv + 2);
        if (strcmp(command, "--version") == 0) {
            puts("tidewire " TW_VERSION);
            return EXIT_SUCCESS;
        }
        if (command[0] != '-' && !strpbrk(command, "./") && !is_file(command))
            return refuse_word("no command or file %s", command, commands);
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
    if (kind == LTW_BOT_RUN) status = run_app(n, args, NULL, false);
    else if (kind == LTW_BOT_REPL) status = run_app(n, args, &repl, false);
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

/* exit writes what is buffered for standard output without a lock, while MAIN may be
 * about to: from here on it is this thread's, unless its reader has stopped. */
static void take_output(void)
{
    int64_t till_ns = tw_clock_steady_ns() + 5000000000;

    while (ftrylockfile(stdout) != 0 && tw_clock_steady_ns() < till_ns)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* What was printed and is nowhere, as on a full disk, is an error that somebody tells;
 * but not where who reads a pipe has had enough. */
static bool loses_output(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
    int code;

    take_output();
    code = fflush(stdout) == 0 ? 0 : errno;
    if (!ferror(stdout) || (poll(&out, 1, 0) > 0 && out.revents & POLLERR)) return false;
    fprintf(stderr, "tidewire: standard output: %s\n",
            code ? strerror(code) : "it did not take all that was printed");
    return true;
}

/* Where a script leaves by os.exit, too. */
static void check_output(int status, void *none)
{
    (void)none;
    take_output();
    if (status != EXIT_SUCCESS || !loses_output()) return;
    fflush(NULL);
    _exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    const char *name = argc > 0 ? argv[0] : "", *fail_at;
    char *row;
    struct tw_error error;
    uint64_t seed;
    int status, carries;

    ltw_seal_check(name);
    if (!ltw_payload_is_sound()) ltw_seal_refuse(name, "it is damaged");
    ltw_seal_trust();
    ltw_mapped_watch();
    ltw_signal_heed(SIGXFSZ);
    on_exit(check_output, NULL);
    fail_at = getenv("TW_FAIL");
    if (fail_at) {
        uint64_t n = strtoull(fail_at, &row, 10);

        tw_memory_fail_row(n, *row ? strtoull(row + 1, NULL, 10) : 1);
    }
    carries = ltw_payload_open(&error);
    if (carries < 0) ltw_seal_refuse(name, error.text);
    if (!ltw_tasks_seed(&seed))
        return refuse("TIDEWIRE_SEED=%s: an integer expected", getenv("TIDEWIRE_SEED"));
    status = carries ? run_bot(argc, argv) : run_command(argc, argv);
    return getenv("TW_LEAKS") && leaks() ? LEAKED : status;
}
