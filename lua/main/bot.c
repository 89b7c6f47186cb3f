/* bot.c - a built program: its command line, and what it says of itself.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include <expat.h>
#include <lauxlib.h>
#include <openssl/opensslv.h>
#include <uv.h>
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"
#include "lsha256.h"
#include "options.h"
#include "payload.h"
#include "seal.h"
#include "source.h"
#include "tape/zstd.h"
#include "tidewire.h"

/* Options beside those of `tidewire run`; those that are in neither list are parameters
 * of the app. */
static const struct { const char *name, *value, *purpose; bool tells; } own_options[] = {
    { "--override", "DIR", "files in DIR stand before those inside", false },
    { "--manifest", NULL, "versions, hashes and licences of what is inside", true },
    { "--licences", NULL, "the texts of these licences", true },
    { "--list", NULL, "the names of the files inside", true },
    { "--extract", "DIR", "write them to a directory", true },
    { "--help", NULL, "this text", true },
};
enum { OWN_OPTIONS = sizeof own_options / sizeof *own_options };

static bool wrong(const char *format, const char *what)
{
    fputs("tidewire: ", stderr);
    fprintf(stderr, format, what);
    fputs("; see `--help`\n", stderr);
    return false;
}

/* --override takes effect, and goes from the command line. */
static bool take_override(int *argc, char **argv)
{
    int n = 1;

    for (int i = 1; i < *argc; i++) {
        struct stat st;

        if (strcmp(argv[i], "--override") != 0) {
            argv[n++] = argv[i];
            continue;
        }
        if (!argv[++i]) return wrong("%s DIR: the directory is missing", argv[i - 1]);
        if (stat(argv[i], &st) < 0 || !S_ISDIR(st.st_mode))
            return wrong("--override %s: a directory expected", argv[i]);
        ltw_source_override(argv[i]);
    }
    argv[*argc = n] = NULL;
    return true;
}

/* Where texts are joined: as large as all that comes in, and then some. */
struct list { char **words, *text; int n; };

static struct list new_list(int argc, char **argv)
{
    size_t words = 2 * (size_t)argc + 3, bytes = 0;
    struct list list = { .words = NULL };

    for (int i = 0; i < argc; i++) bytes += strlen(argv[i]) + 2;
    list.words = tw_calloc(1, words * sizeof *list.words + bytes);
    if (list.words) list.text = (char *)(list.words + words);
    return list;
}

static bool is_long(const char *option)
{
    return strncmp(option, "--", 2) == 0 && option[2];
}

/* A parameter: "--name value" or "--name=value".  How many words it took; 0: wrong. */
static int add_parameter(struct list *list, char **argv)
{
    const char *name = argv[0] + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] ? name + length + 1 : argv[1];

    if (!is_long(argv[0]) || length == 0)
        return wrong("'%s' is no option", argv[0]);
    if (!value) return wrong("%s: its value is missing", argv[0]);
    list->words[list->n++] = (char *)"--set";
    list->words[list->n++] = list->text;
    list->text += 1 + sprintf(list->text, "%.*s=%s", (int)length, name, value);
    return name[length] ? 1 : 2;
}

/* The words that stand for the i-th one: how many; 0: wrong. */
static int add_option(struct list *list, char **argv)
{
    const struct ltw_option *option = ltw_option_find(argv[0]);

    for (int i = 0; i < OWN_OPTIONS; i++)
        if (strcmp(argv[0], own_options[i].name) == 0)
            return wrong("%s stands alone", argv[0]);
    if (option) {
        list->words[list->n++] = argv[0];
        if (!option->value) return 1;
        if (!argv[1]) return wrong("%s: its value is missing", argv[0]);
        list->words[list->n++] = argv[1];
        return 2;
    }
    return add_parameter(list, argv);
}

/* TIDEWIRE_REPL=1: a prompt; with options of the interpreter, that. */
static enum ltw_bot kind_of(const char *first)
{
    const char *prompt = getenv("TIDEWIRE_REPL");

    for (int i = 0; first && i < OWN_OPTIONS; i++)
        if (own_options[i].tells && strcmp(first, own_options[i].name) == 0)
            return LTW_BOT_TELL;
    if (!prompt || !*prompt || strcmp(prompt, "0") == 0) return LTW_BOT_RUN;
    return first && !is_long(first) ? LTW_BOT_INTERPRET : LTW_BOT_REPL;
}

enum ltw_bot ltw_bot_parse(int argc, char **argv, char ***args)
{
    enum ltw_bot kind;
    struct list list;
    int step;

    *args = NULL;
    if (!take_override(&argc, argv)) return LTW_BOT_WRONG;
    kind = kind_of(argv[1]);
    list = new_list(argc, argv);
    if (!list.words) {
        wrong("%s", "not enough memory");
        return LTW_BOT_WRONG;
    }
    *args = list.words;
    if (kind == LTW_BOT_TELL || kind == LTW_BOT_INTERPRET) {
        memcpy(list.words, argv, (size_t)argc * sizeof *argv);
        return kind;
    }
    for (int i = 1; i < argc; i += step) {
        step = add_option(&list, argv + i);
        if (step > 0) continue;
        tw_free(list.words);
        *args = NULL;
        return LTW_BOT_WRONG;
    }
    list.words[list.n] = (char *)ltw_payload_app();
    return kind;
}

/* ---- what it says of itself ---- */

/* [-0, +0, m]  Adds { name, value, purpose } to the list on the top. */
static void add_text(lua_State *L, const char *name, const char *value,
                     const char *purpose)
{
    lua_createtable(L, 0, 3);
    ltw_set_text(L, "name", name + strlen("--"));
    ltw_set_text(L, "value", value);
    ltw_set_text(L, "purpose", purpose);
    lua_rawseti(L, -2, luaL_len(L, -2) + 1);
}

/* bot.options() -> table of { name, value | nil, purpose }.  No parameter has such a
 * name. */
static int list_options(lua_State *L)
{
    lua_newtable(L);
    for (const struct ltw_option *o = ltw_options; o->name; o++)
        add_text(L, o->name, o->value, o->purpose);
    for (int i = 0; i < OWN_OPTIONS; i++)
        add_text(L, own_options[i].name, own_options[i].value, own_options[i].purpose);
    return 1;
}

/* bot.names() -> table.  The files inside. */
static int names(lua_State *L)
{
    const char *name;

    lua_newtable(L);
    for (size_t i = 0; (name = ltw_payload_name(i)); i++) {
        lua_pushstring(L, name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* bot.seal() -> digest, bytes of the program, bytes of the files inside */
static int seal(lua_State *L)
{
    struct ltw_seal s;

    ltw_seal_read(&s);
    ltw_push_digest(L, s.digest);
    lua_pushinteger(L, (lua_Integer)s.program);
    lua_pushinteger(L, (lua_Integer)s.payload);
    return 3;
}

/* What the program is made of.  "": that library does not say its version. */
struct part { const char *name, *version, *licence, *holder; };

/* [-0, +0, m]  Adds a part to the list on the top. */
static void add_part(lua_State *L, const struct part *part)
{
    lua_createtable(L, 0, 4);
    ltw_set_text(L, "name", part->name);
    ltw_set_text(L, "version", part->version);
    ltw_set_text(L, "licence", part->licence);
    ltw_set_text(L, "holder", part->holder);
    lua_rawseti(L, -2, luaL_len(L, -2) + 1);
}

#define TEXT(x) #x
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)
#define EXPAT_VERSION DOTTED(XML_MAJOR_VERSION, XML_MINOR_VERSION, XML_MICRO_VERSION)

/* bot.parts(is_static) -> table of { name, version, licence, holder } */
static int list_parts(lua_State *L)
{
    const struct part parts[] = {
        { "tidewire", TW_VERSION, "MIT", "the tidewire authors" },
        { "Lua", LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE, "MIT",
          "Lua.org, PUC-Rio" },
        { "libuv", uv_version_string(), "MIT", "libuv project contributors" },
        { "zlib", zlibVersion(), "Zlib", "Jean-loup Gailly and Mark Adler" },
        { "minizip", "", "Zlib", "Gilles Vollant, Even Rouault, Mathias Svensson" },
        { "OpenSSL (SHA-256)", OPENSSL_FULL_VERSION_STR, "Apache-2.0",
          "The OpenSSL Project" },
    };
    const struct part zstd = { "zstd", ZSTD_VERSION_STRING, "BSD-3-Clause",
                               "Meta Platforms, Inc. and affiliates" };
    const struct part expat = { "expat", EXPAT_VERSION, "MIT", "Expat maintainers" };
#ifdef __GLIBC__
    const struct part glibc = {
        "glibc", gnu_get_libc_version(), "LGPL-2.1", "Free Software Foundation"
    };
#endif

    lua_newtable(L);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) add_part(L, &parts[i]);
    if (!tw_zstd_lack() && !lua_toboolean(L, 1)) {
        add_part(L, &zstd);
        add_part(L, &expat);
    }
#ifdef __GLIBC__
    if (lua_toboolean(L, 1)) add_part(L, &glibc);
#endif
    return 1;
}

static int make_directories(char *path)
{
    for (char *p = path + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST) {
            *p = '/';
            return -errno;
        }
    }
    return 0;
}

static int write_all(const char *path, const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), rc = 0;

    if (fd < 0) return -errno;
    for (size_t at = 0; at < n && rc == 0;) {
        ssize_t written = write(fd, text + at, n - at);

        if (written >= 0) at += (size_t)written;
        else if (errno != EINTR) rc = -errno;
    }
    if (close(fd) < 0 && rc == 0) rc = -errno;
    if (rc < 0) unlink(path);
    return rc;
}

/* bot.create(path, text) -> true | nil, message, code.  A new file, and the directories
 * that it needs. */
static int create(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char copy[PATH_MAX];
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);
    int rc = UV_ENAMETOOLONG;

    if (snprintf(copy, sizeof copy, "%s", path) < (int)sizeof copy)
        rc = make_directories(copy);
    if (rc == 0) rc = write_all(path, text, n);
    if (rc < 0) {
        luaL_pushfail(L);
        lua_pushfstring(L, "cannot write %s: %s", path, tw_strerror(rc));
        lua_pushinteger(L, rc);
        return 3;
    }
    lua_pushboolean(L, true);
    return 1;
}

static const luaL_Reg internal[] = {
    { "names", names }, { "sha256", ltw_sha256 }, { "seal", seal },
    { "parts", list_parts }, { "create", create }, { "options", list_options },
    { NULL, NULL }
};

int luaopen_tw_internal_bot(lua_State *L)
{
    luaL_newlib(L, internal);
    return 1;
}
