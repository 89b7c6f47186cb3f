/* pack.c - writes a program that carries files: tidewire build.
 *
 * The same program and the same files give the same bytes: the archive has no times,
 * its entries are sorted, and nothing says where or by whom it was made.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#include "pack.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <minizip/ioapi.h>
#include <minizip/zip.h>
#include <uv.h>

#include "ltw.h"
#include "seal.h"

enum { DOS_1980 = 1 << 21 | 1 << 16 };              /* no file has a time */
enum { MADE_BY_UNIX = 3 << 8 | 20, UTF8_NAMES = 1 << 11 };
static const unsigned long readable = 0100644ul << 16;   /* for unzip */

/* What is being written; on an error all of it goes. */
struct output {
    FILE *file;
    char path[PATH_MAX];            /* until it is complete */
    struct ltw_image program, written;
    zipFile zip;
    bool is_guarded;
};

#define OUTPUT "tw.pack.output"

/* What ends the process in the middle unlinks the file, too. */
static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU };
enum { DEADLY = sizeof deadly / sizeof *deadly };
static struct sigaction before[DEADLY];
static char unfinished[PATH_MAX];   /* constant while the signals are taken */

static void on_signal(int number)
{
    unlink(unfinished);
    raise(number);                  /* held back until this returns; then it is deadly */
}

static void guard(struct output *o)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };

    memcpy(unfinished, o->path, sizeof unfinished);
    o->is_guarded = true;
    for (int i = 0; i < DEADLY; i++) {
        sigaction(deadly[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) sigaction(deadly[i], &action, NULL);
    }
}

static void unguard(struct output *o)
{
    for (int i = 0; i < DEADLY && o->is_guarded; i++)
        sigaction(deadly[i], &before[i], NULL);
}

static int output_close(lua_State *L)
{
    struct output *o = luaL_checkudata(L, 1, OUTPUT);

    if (o->zip) zipClose(o->zip, NULL);
    if (o->file) fclose(o->file);
    if (*o->path) unlink(o->path);
    unguard(o);
    ltw_image_close(&o->program);
    ltw_image_close(&o->written);
    memset(o, 0, sizeof *o);
    return 0;
}

/* [-0, +1, m] */
static struct output *push_output(lua_State *L)
{
    struct output *o = lua_newuserdatauv(L, sizeof *o, 0);

    memset(o, 0, sizeof *o);
    if (luaL_newmetatable(L, OUTPUT)) {
        lua_pushcfunction(L, output_close);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, output_close);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return o;
}

static int fail_write(const char *path, struct tw_error *error)
{
    int code = errno ? -errno : UV_EIO;

    return tw_fail(error, code, "cannot write %.300s: %s", path, tw_strerror(code));
}

/* Opens path.tmp: what stands at path stays until the new one is complete. */
static int open_output(struct output *o, const char *path, struct tw_error *error)
{
    struct stat st;
    int fd;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return tw_fail(error, UV_EEXIST, "cannot write %.300s: it is not a file", path);
    if (snprintf(o->path, sizeof o->path, "%s.%ld.tmp", path, (long)getpid())
        >= (int)sizeof o->path) {
        *o->path = '\0';
        return tw_fail(error, UV_ENAMETOOLONG, "cannot write %.300s: %s", path,
                       tw_strerror(UV_ENAMETOOLONG));
    }
    guard(o);
    fd = open(o->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
    if (fd < 0) {
        fail_write(errno == EEXIST ? o->path : path, error);
        *o->path = '\0';
        return error->code;
    }
    o->file = fdopen(fd, "w+");
    if (o->file) return TW_OK;
    close(fd);
    return fail_write(path, error);
}

/* Without section headers: they are of what is left out. */
static int write_program(struct output *o, const struct ltw_program_part *part)
{
    static const struct ltw_seal none;
    size_t at = sizeof(Elf64_Ehdr), after = part->seal + sizeof none;
    const unsigned char *bytes = o->program.bytes;
    Elf64_Ehdr elf;

    memcpy(&elf, bytes, sizeof elf);
    elf.e_shoff = 0;
    elf.e_shentsize = elf.e_shnum = elf.e_shstrndx = 0;
    return fwrite(&elf, 1, sizeof elf, o->file) == sizeof elf
        && fwrite(bytes + at, 1, part->seal - at, o->file) == part->seal - at
        && fwrite(&none, 1, sizeof none, o->file) == sizeof none
        && fwrite(bytes + after, 1, part->n - after, o->file) == part->n - after ? 0 : -1;
}

/* minizip writes to the file that is open. */
static voidpf ZCALLBACK open_file(voidpf file, const void *name, int mode)
{
    (void)name, (void)mode;
    return file;
}

static int ZCALLBACK close_file(voidpf opaque, voidpf file)
{
    (void)opaque;
    return fflush(file);
}

static int write_entry(zipFile zip, const char *name, const char *text, size_t n)
{
    zip_fileinfo info = { .dosDate = DOS_1980, .external_fa = readable };

    if (zipOpenNewFileInZip4_64(zip, name, &info, NULL, 0, NULL, 0, NULL, Z_DEFLATED,
                                Z_BEST_COMPRESSION, 0, -MAX_WBITS, MAX_MEM_LEVEL - 1,
                                Z_DEFAULT_STRATEGY, NULL, 0, MADE_BY_UNIX, UTF8_NAMES, 0)
        != ZIP_OK)
        return -1;
    for (size_t at = 0; at < n;) {
        unsigned piece = n - at < 1 << 20 ? (unsigned)(n - at) : 1 << 20;

        if (zipWriteInFileInZip(zip, text + at, piece) != ZIP_OK) return -1;
        at += piece;
    }
    return zipCloseFileInZip(zip) == ZIP_OK ? 0 : -1;
}

/* [-0, +0, e]  The files of the list at `files`, { name, text } each. */
static int write_files(lua_State *L, struct output *o, int files, const char *app)
{
    zlib_filefunc64_def f;
    lua_Integer count = luaL_len(L, files);
    int rc = 0;

    fill_fopen64_filefunc(&f);
    f.opaque = o->file;
    f.zopen64_file = open_file;
    f.zclose_file = close_file;
    o->zip = zipOpen2_64("payload", APPEND_STATUS_CREATEAFTER, NULL, &f);
    if (!o->zip) return -1;
    for (lua_Integer i = 1; i <= count && rc == 0; i++, lua_pop(L, 3)) {
        size_t n;
        const char *text;

        lua_rawgeti(L, files, i);
        lua_getfield(L, -1, "name");
        lua_getfield(L, -2, "text");
        text = luaL_checklstring(L, -1, &n);
        rc = write_entry(o->zip, luaL_checkstring(L, -2), text, n);
    }
    if (zipClose(o->zip, app) != ZIP_OK) rc = -1;
    o->zip = NULL;
    return rc;
}

/* All is written but the seal. */
static int write_seal(struct output *o, const struct ltw_program_part *part,
                      struct tw_error *error)
{
    struct ltw_seal seal = { .program = part->n };
    off_t end;

    if (fseeko(o->file, 0, SEEK_END) != 0 || (end = ftello(o->file)) < 0) return -1;
    seal.payload = (uint64_t)end - part->n;
    if (fseeko(o->file, (off_t)part->seal, SEEK_SET) != 0
        || fwrite(&seal, 1, sizeof seal, o->file) != sizeof seal
        || fflush(o->file) != 0 || ltw_image_open(o->path, &o->written, error) < 0)
        return -1;
    ltw_seal_digest(&o->written, part->seal, seal.digest);
    if (fseeko(o->file, (off_t)part->seal, SEEK_SET) != 0
        || fwrite(&seal, 1, sizeof seal, o->file) != sizeof seal
        || fflush(o->file) != 0 || fsync(fileno(o->file)) != 0)
        return -1;
    return 0;
}

/* pack.write { out = path, program = path | nil, app = name, files = list } -> bytes |
 * nil, message, code.  The files are { name, text } each, sorted; program: what is
 * copied, else the running one. */
static int write_program_with(lua_State *L)
{
    struct output *o;
    struct tw_error error = { .code = TW_OK };
    struct ltw_program_part part;
    const char *out, *program, *app;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "out");
    lua_getfield(L, 1, "program");
    lua_getfield(L, 1, "app");
    lua_getfield(L, 1, "files");
    out = luaL_checkstring(L, 2);
    program = luaL_optstring(L, 3, NULL);
    app = luaL_checkstring(L, 4);
    o = push_output(L);
    if (ltw_image_open(program, &o->program, &error) < 0
        || ltw_program_part(&o->program, &part, &error) < 0
        || open_output(o, out, &error) < 0)
        goto fail;
    errno = 0;
    if (write_program(o, &part) < 0 || write_files(L, o, 5, app) < 0
        || write_seal(o, &part, &error) < 0 || rename(o->path, out) < 0) {
        if (error.code == TW_OK) fail_write(out, &error);
        goto fail;
    }
    *o->path = '\0';
    lua_pushinteger(L, (lua_Integer)o->written.n);
    return 1;
fail:
    return ltw_fail_with(L, &error);
}

/* pack.is_static([path]) -> boolean | nil, message.  Of the running program without a
 * path. */
static int is_static(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    struct ltw_program_part part;
    struct ltw_image image;
    struct tw_error error;
    int rc = ltw_image_open(path, &image, &error);

    if (rc == TW_OK) rc = ltw_program_part(&image, &part, &error);
    ltw_image_close(&image);
    if (rc < 0) {
        luaL_pushfail(L);
        lua_pushstring(L, error.text);
        return 2;
    }
    lua_pushboolean(L, part.is_static);
    return 1;
}

/* pack.directory() -> string.  The current one. */
static int directory(lua_State *L)
{
    char path[PATH_MAX];

    if (!getcwd(path, sizeof path))
        return luaL_error(L, "the current directory: %s", tw_strerror(-errno));
    lua_pushstring(L, path);
    return 1;
}

/* pack.program() -> string | nil.  The path of the running one. */
static int running(lua_State *L)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);

    if (n <= 0 || (size_t)n >= sizeof path) return 0;
    lua_pushlstring(L, path, (size_t)n);
    return 1;
}

/* pack.glob(pattern) -> table.  The files that match, sorted; none: an empty one. */
static int match(lua_State *L)
{
    const char *pattern = luaL_checkstring(L, 1);
    glob_t *found = lua_newuserdatauv(L, sizeof *found, 0);
    int rc = glob(pattern, 0, NULL, found);

    lua_newtable(L);
    for (size_t i = 0; rc == 0 && i < found->gl_pathc; i++) {
        lua_pushstring(L, found->gl_pathv[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    globfree(found);
    return 1;
}

static const luaL_Reg internal[] = {
    { "write", write_program_with }, { "is_static", is_static },
    { "directory", directory }, { "program", running }, { "glob", match },
    { NULL, NULL }
};

int luaopen_tw_internal_pack(lua_State *L)
{
    luaL_newlib(L, internal);
    return 1;
}
