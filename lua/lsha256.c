/* lsha256.c - SHA-256 for Lua: of texts and files, as hexadecimal digits. */
#include "lsha256.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void ltw_push_digest(lua_State *L, const unsigned char digest[TW_SHA256])
{
    char hex[2 * TW_SHA256 + 1];

    tw_sha256_hex(digest, hex);
    lua_pushstring(L, hex);
}

void ltw_push_sha256(lua_State *L, const void *bytes, size_t n)
{
    unsigned char digest[TW_SHA256];

    tw_sha256(bytes, n, digest);
    ltw_push_digest(L, digest);
}

int ltw_sha256(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);

    ltw_push_sha256(L, text, n);
    return 1;
}

/* Of an open file, or of its first bytes; 0, or a negative errno. */
static int hash(int fd, int64_t most, unsigned char digest[TW_SHA256], int64_t *size)
{
    struct stat st;
    void *bytes = NULL;

    if (fstat(fd, &st) < 0) return -errno;
    if (!S_ISREG(st.st_mode)) return S_ISDIR(st.st_mode) ? -EISDIR : -ESPIPE;
    *size = most > 0 && most < st.st_size ? most : st.st_size;
    if (*size > 0) bytes = mmap(NULL, (size_t)*size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return -errno;
    if (bytes) madvise(bytes, (size_t)*size, MADV_SEQUENTIAL);
    tw_sha256(bytes ? bytes : "", (size_t)*size, digest);
    if (bytes) munmap(bytes, (size_t)*size);
    return 0;
}

int ltw_sha256_of_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    unsigned char digest[TW_SHA256];
    int64_t most = luaL_optinteger(L, 2, 0), size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? -errno : hash(fd, most, digest, &size);

    if (fd >= 0) close(fd);
    if (rc < 0) {
        luaL_pushfail(L);
        lua_pushfstring(L, "%s: %s", path, rc == -ESPIPE
                        ? "it can be read only once, and its hash is needed, too"
                        : tw_strerror(rc));
        lua_pushinteger(L, rc);
        return 3;
    }
    ltw_push_digest(L, digest);
    lua_pushinteger(L, size);
    return 2;
}
