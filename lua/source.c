/* source.c - the text of a file: from the disk, or from inside the program.
 *
 * Why: a built program runs scripts that are files nowhere, or in the directory of
 * --override, where they can be changed while it runs.  A path goes to three places in
 * turn: that directory, the files inside, the disk.  Its name stays the one that the
 * app uses, in messages and for reload.  What is inside a program that has a host
 * (tidewire.h) are the texts that it gave.
 *
 * Layer lua.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>
#include <uv.h>

#include "base/memory.h"
#include "embed/embedded.h"
#include "payload.h"

enum { FILE_MAX_BYTES = 1 << 30 };

static struct { const char *directory; } override;   /* constant once a state is made */

void ltw_source_override(const char *directory)
{
    override.directory = directory;
}

bool ltw_source_is_overridden(void)
{
    return override.directory != NULL;
}

/* Without ".", ".." and what begins at the root: as names inside are. */
static bool normalise(const char *path, char out[PATH_MAX])
{
    size_t n = 0;

    while (*path) {
        size_t part = strcspn(path, "/");

        if (part == 2 && memcmp(path, "..", 2) == 0) {
            while (n > 0 && out[--n] != '/') { }
        } else if (part > 0 && !(part == 1 && *path == '.')) {
            if (n + part + 2 > PATH_MAX) return false;
            if (n > 0) out[n++] = '/';
            memcpy(out + n, path, part);
            n += part;
        }
        path += part;
        while (*path == '/') path++;
    }
    out[n] = '\0';
    return true;
}

static bool in_override(const char *name, char *out, size_t n)
{
    int length = snprintf(out, n, "%s/%s", override.directory, name);

    return length >= 0 && (size_t)length < n;
}

static int fail_read(struct tw_error *error, const char *path, int code)
{
    return tw_fail(error, code, "cannot read %.300s: %s", path, tw_strerror(code));
}

/* What was read, for as long as a state needs it: any call of Lua may raise. */
#define TEXT "tw.source.text"
struct text { char *bytes; size_t n; };

static void free_text(struct text *text)
{
    tw_free(text->bytes);
    text->bytes = NULL;
}

static int text_free(lua_State *L)
{
    if (ltw_is_finalizer(L)) free_text(luaL_checkudata(L, 1, TEXT));
    return 0;
}

/* [-0, +1, m] */
static struct text *push_text(lua_State *L)
{
    struct text *text = lua_newuserdatauv(L, sizeof *text, 0);

    *text = (struct text){ NULL, 0 };
    ltw_push_type(L, TEXT, text_free);
    lua_setmetatable(L, -2);
    return text;
}

static int read_open(int fd, const char *path, struct text *text, struct tw_error *error)
{
    struct stat st;
    size_t size, at = 0;

    if (fstat(fd, &st) < 0) return fail_read(error, path, -errno);
    if (!S_ISREG(st.st_mode)) return fail_read(error, path, UV_EISDIR);
    if (st.st_size > FILE_MAX_BYTES) return fail_read(error, path, UV_EFBIG);
    size = (size_t)st.st_size;
    text->bytes = tw_calloc(1, size + 1);
    if (!text->bytes) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    while (at < size) {
        ssize_t got = read(fd, text->bytes + at, size - at);

        if (got < 0 && errno != EINTR) return fail_read(error, path, -errno);
        if (got == 0) break;   /* it became shorter */
        if (got > 0) at += (size_t)got;
    }
    text->n = at;
    return 1;
}

/* 0: there is no such file. */
static int read_disk(const char *path, struct text *text, struct tw_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? 0
                       : fail_read(error, path, -errno);
    rc = read_open(fd, path, text, error);
    close(fd);
    return rc;
}

/* A text that the program around the host gave; 0: none. */
static int read_given(lua_State *L, const char *path, struct text *text,
                      struct tw_error *error)
{
    const struct ltw_given_text *given = ltw_embedded_text(L, path);

    if (!given) return 0;
    text->bytes = tw_calloc(1, given->n + 1);
    if (!text->bytes) return fail_read(error, path, UV_ENOMEM);
    memcpy(text->bytes, given->text, given->n);
    text->n = given->n;
    return 1;
}

/* 0: neither the embedder, the directory nor the program has it. */
static int read_inside(lua_State *L, const char *path, struct text *text,
                       struct tw_error *error)
{
    char name[PATH_MAX], file[PATH_MAX];
    int rc = read_given(L, path, text, error);

    if (rc != 0 || !ltw_payload_app() || !normalise(path, name)) return rc;
    if (override.directory && in_override(name, file, sizeof file)) {
        rc = read_disk(file, text, error);
        if (rc != 0) return rc;
    }
    return ltw_payload_read(name, &text->bytes, &text->n, error);
}

/* The app file that replays a tape file. */
static int read_replay(struct text *text, struct tw_error *error)
{
    static const char app[] = "require 'tw.tapes'.app()\n";

    text->bytes = tw_calloc(1, sizeof app);
    if (!text->bytes) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    memcpy(text->bytes, app, sizeof app);
    text->n = sizeof app - 1;
    return 1;
}

int ltw_source_read(lua_State *L, const char *path, char **bytes, size_t *n,
                    struct tw_error *error)
{
    struct text text = { NULL, 0 };
    int rc = strcmp(path, LTW_REPLAY) == 0 ? read_replay(&text, error)
                                           : read_inside(L, path, &text, error);

    if (rc == 0) rc = read_disk(path, &text, error);
    if (rc == 0)
        rc = tw_fail(error, UV_ENOENT, "cannot open %.300s: %s", path, strerror(ENOENT));
    if (rc < 0) free_text(&text);
    *bytes = text.bytes;
    *n = text.n;
    return rc < 0 ? rc : TW_OK;
}

int ltw_source_load_text(lua_State *L, const char *path, const char *text, size_t n)
{
    const char *chunk = lua_pushfstring(L, "@%s", path);
    int status;

    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3, n -= 3;
    if (n > 0 && *text == '#') {
        const char *end = memchr(text, '\n', n);

        n = end ? n - (size_t)(end - text) : 0;
        text = end ? end : "";
    }
    status = luaL_loadbufferx(L, text, n, chunk, "t");
    lua_remove(L, -2);
    return status;
}

/* [-0, +1, m]  As luaL_loadfilex, of a file that may be inside the program. */
static int load_file(lua_State *L, const char *path)
{
    struct text *text = push_text(L);
    struct tw_error error;
    int rc = read_inside(L, path, text, &error);

    if (rc == 0) rc = luaL_loadfilex(L, path, "t");
    else if (rc > 0) rc = ltw_source_load_text(L, path, text->bytes, text->n);
    else lua_pushstring(L, error.text), rc = LUA_ERRFILE;
    free_text(text);
    lua_remove(L, -2);
    return rc;
}

static bool is_inside(const char *name)
{
    const char *other;

    for (size_t i = 0; (other = ltw_payload_name(i)); i++)
        if (strcmp(name, other) == 0) return true;
    return false;
}

bool ltw_source_on_disk(const char *path, char *out, size_t n)
{
    char name[PATH_MAX];
    int length;

    if (ltw_payload_app() && normalise(path, name)) {
        if (override.directory) return in_override(name, out, n);
        if (is_inside(name)) return false;
    }
    length = snprintf(out, n, "%s", path);
    return length >= 0 && (size_t)length < n;
}

/* [-0, +1, -] */
static const char *push_directory(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LTW_DIRECTORY);
    return lua_tostring(L, -1);
}

/* [-0, +1 or 3, m]  What came of reading that file. */
static int push_read(lua_State *L, int rc, const char *path, struct text *text,
                     struct tw_error *error)
{
    if (rc == 0) rc = fail_read(error, path, UV_ENOENT);
    if (rc < 0) return ltw_fail_with(L, error);
    lua_pushlstring(L, text->bytes, text->n);
    free_text(text);
    return 1;
}

/* tw.file(name) -> string | nil, message, code
 * The bytes of a data file; name is relative to the app file.  In a built program it is
 * the one inside (see app.files), or the one in the directory of --override.
 * Yields: no.  Blocks: on the disk.  Thread: any.
 * Errors: nil when it can't be read.  Units: none. */
int ltw_file(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *directory = push_directory(L);
    const char *path = *name == '/' ? name : lua_pushfstring(L, "%s%s", directory, name);
    struct text *text = push_text(L);
    struct tw_error error;
    int rc = read_inside(L, path, text, &error);

    if (rc == 0) rc = read_disk(path, text, &error);
    return push_read(L, rc, path, text, &error);
}

/* source.load(path) -> function | nil, message.  What `tidewire run` reads its app file
 * with. */
static int load(lua_State *L)
{
    if (load_file(L, luaL_checkstring(L, 1)) == LUA_OK) return 1;
    luaL_pushfail(L);
    lua_insert(L, -2);
    return 2;
}

/* source.app() -> string | nil.  The app file of a built program. */
static int app(lua_State *L)
{
    lua_pushstring(L, ltw_payload_app());
    return 1;
}

/* source.inside(name) -> string | nil, message, code.  As the program was built with. */
static int inside(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct text *text = push_text(L);
    struct tw_error error;
    int rc = ltw_payload_read(name, &text->bytes, &text->n, &error);

    return push_read(L, rc, name, text, &error);
}

/* source.directory(directory).  From now on tw.file begins there; with its slash. */
static int set_directory(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, LTW_DIRECTORY);
    return 0;
}

static const luaL_Reg internal[] = {
    { "load", load }, { "app", app }, { "inside", inside },
    { "directory", set_directory }, { NULL, NULL }
};

int luaopen_tw_internal_source(lua_State *L)
{
    luaL_newlib(L, internal);
    return 1;
}

const char *ltw_source_push_module(lua_State *L, const char *name)
{
    static const char *const ends[] = { ".lua", "/init.lua" };
    int top = lua_gettop(L);
    const char *directory = push_directory(L), *base = luaL_gsub(L, name, ".", "/");
    struct text *text = push_text(L);

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *path = lua_pushfstring(L, "%s%s%s", directory, base, ends[i]);
        struct tw_error error;
        int rc = read_inside(L, path, text, &error);

        free_text(text);
        if (rc < 0) luaL_error(L, "%s", error.text);
        if (rc > 0) {
            lua_replace(L, top + 1);
            lua_settop(L, top + 1);
            return path;
        }
    }
    lua_settop(L, top);
    return NULL;
}

/* [-0, +1, e]  A searcher as of package.searchers: name.lua or name/init.lua, beside the
 * app file. */
static int search(lua_State *L)
{
    static const char *const ends[] = { ".lua", "/init.lua" };
    const char *module = luaL_checkstring(L, 1), *directory = push_directory(L);
    const char *base = luaL_gsub(L, module, ".", "/");
    struct text *text = push_text(L);

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *path = lua_pushfstring(L, "%s%s%s", directory, base, ends[i]);
        struct tw_error error;
        int rc = read_inside(L, path, text, &error);

        if (rc < 0) return luaL_error(L, "%s", error.text);
        if (rc == 0) continue;
        rc = ltw_source_load_text(L, path, text->bytes, text->n);
        free_text(text);
        if (rc != LUA_OK)
            return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s",
                              module, path, lua_tostring(L, -1));
        lua_pushstring(L, path);
        return 2;
    }
    lua_pushfstring(L, "no file '%s%s.lua' inside the program", directory, base);
    return 1;
}

void ltw_source_open(lua_State *L)
{
    const struct ltw_host *host = ltw_state(L)->host;
    const char *inside = ltw_payload_app(), *slash = inside ? strrchr(inside, '/') : NULL;
    int top = lua_gettop(L);

    if (host && host->directory) lua_pushstring(L, host->directory);
    else lua_pushlstring(L, inside, slash ? (size_t)(slash + 1 - inside) : 0);
    lua_setfield(L, LUA_REGISTRYINDEX, LTW_DIRECTORY);
    if (!inside && !ltw_state(L)->embedded) return;
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) {   /* after the preloaded ones */
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, search);
    lua_rawseti(L, -2, 2);
    lua_settop(L, top);
}
