/* bundle.c - tw.bundle: (internal) the Lua modules and texts that are built in.
 *
 * Why: the program is one file.  The assembler copies each file, compressed, into the
 * constants: no generated arrays, and the bytes that `help` reads are the ones that run.
 * Several are packed one after the other, and to read one is to skip those before it.
 * The Makefile writes bundle.inc, a line for each packed file and one for each text.
 *
 * Layer lua.
 */
#include "bundle.h"

#include <lauxlib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <zlib.h>

#include "base/memory.h"

/* name is "tw.test" for stdlib/test.lua, "reference" for the comments of the C
 * functions, "licences". */
struct file {
    const char *name;
    const unsigned char *packed;
    unsigned n_packed;
    size_t at, n;             /* of what is unpacked */
};

#define TEXT(name, id, at, n)
#define PACKED(id, path, n) \
    extern const unsigned char ltw_texts_##id[]; \
    __asm__(".pushsection .rodata\n" \
            ".global ltw_texts_" #id "\n" \
            ".hidden ltw_texts_" #id "\n" \
            "ltw_texts_" #id ":\n" \
            ".incbin \"" path "\"\n" \
            ".popsection\n"); \
    enum { BYTES_##id = n };
#include "bundle.inc"
#undef TEXT
#undef PACKED

#define PACKED(id, path, n)
#define TEXT(name, id, at, n) { name, ltw_texts_##id, BYTES_##id, at, n },
static const struct file files[] = {
#include "bundle.inc"
    { NULL, NULL, 0, 0, 0 }
};

enum { PIECE = 4096 };

struct reader { z_stream z; size_t left; Bytef piece[PIECE]; };

static const struct file *find(const char *name)
{
    for (const struct file *f = files; f->name; f++)
        if (strcmp(f->name, name) == 0) return f;
    return NULL;
}

/* The next bytes, at most `left`; 0: there are none, or they are damaged. */
static size_t read_some(struct reader *r)
{
    size_t n = r->left < PIECE ? r->left : PIECE;

    r->z.next_out = r->piece;
    r->z.avail_out = (uInt)n;
    inflate(&r->z, Z_SYNC_FLUSH);
    n -= r->z.avail_out;
    r->left -= n;
    return n;
}

/* False: no memory. */
static bool open_packed(const struct file *f, struct reader *r)
{
    r->z = (z_stream){ .next_in = (Bytef *)f->packed, .avail_in = f->n_packed };
    if (inflateInit2(&r->z, MAX_WBITS + 16) != Z_OK) return false;   /* of gzip's */
    r->left = f->at;
    while (read_some(r) > 0) continue;
    r->left = r->left > 0 ? 0 : f->n;
    return true;
}

/* bundle.names() -> table
 * The names of all that is built in: modules as "tw.test", and "reference".
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int bundle_names(lua_State *L)
{
    lua_newtable(L);
    for (lua_Integer n = 0; files[n].name; n++) {
        lua_pushstring(L, files[n].name);
        lua_rawseti(L, -2, n + 1);
    }
    return 1;
}

/* bundle.read(name) -> string
 * The bytes of a built-in file.
 * Yields: no.  Blocks: no.  Thread: any.
 * Errors: raises when there is no such file.  Units: none. */
static int bundle_read(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct file *f = find(name);
    struct reader r;
    luaL_Buffer text;
    size_t n = 0;

    if (!f) return luaL_error(L, "bundle.read: no built-in file '%s'", name);
    luaL_buffinitsize(L, &text, f->n);
    if (!open_packed(f, &r)) return luaL_error(L, "not enough memory");
    for (size_t more; (more = read_some(&r)) > 0; n += more)
        memcpy(luaL_buffaddr(&text) + n, r.piece, more);
    inflateEnd(&r.z);
    if (n < f->n) return luaL_error(L, "bundle.read: %s is damaged", name);
    luaL_pushresultsize(&text, f->n);
    return 1;
}

static const luaL_Reg bundle_funcs[] = {
    { "names", bundle_names },
    { "read",  bundle_read },
    { NULL, NULL }
};

static int open_bundle(lua_State *L)   /* [-0, +1, m] */
{
    luaL_newlib(L, bundle_funcs);
    return 1;
}

/* Of the text of a module, for lua_load. */
static const char *read_piece(lua_State *L, void *ctx, size_t *n)
{
    struct reader *r = ctx;

    (void)L;
    *n = read_some(r);
    return (const char *)r->piece;
}

/* What a module was compiled to: a backtest has two states of its own, and reads it in a
 * tenth of the time that compiling takes.  For as long as the process lives. */
struct compiled { size_t n, room; char bytes[]; };

/* atomic: who has compiled a module first stores it, all load */
static struct compiled *_Atomic compiled[sizeof files / sizeof *files];

/* [-0, +1, e] */
static void compile(lua_State *L, const struct file *f, const char *chunk)
{
    struct reader r;
    int status;

    if (!open_packed(f, &r)) {
        luaL_error(L, "not enough memory");
        return;
    }
    status = lua_load(L, read_piece, &r, chunk, "t");
    inflateEnd(&r.z);
    if (status != LUA_OK) lua_error(L);
}

static int write_piece(lua_State *L, const void *p, size_t n, void *ctx)
{
    struct compiled **at = ctx, *c = *at;

    (void)L;
    if (c->n + n > c->room) {
        size_t room = 2 * (c->n + n);

        c = tw_realloc(c, sizeof *c + room);
        if (!c) return 1;
        c->room = room;
        *at = c;
    }
    memcpy(c->bytes + c->n, p, n);
    c->n += n;
    return 0;
}

/* [-0, +0, -]  The function on top, for other states.  Where there is no memory for it
 * they compile it too. */
static void keep(lua_State *L, struct compiled *_Atomic *at, size_t room)
{
    struct compiled *c = tw_calloc(1, sizeof *c + room), *none = NULL, *fit;

    if (!c) return;
    c->room = room;
    if (lua_dump(L, write_piece, &c, 0) != 0) goto unused;
    fit = tw_realloc(c, sizeof *c + c->n);
    if (fit) c = fit;
    /* order [bundle.compiled] acq_rel: who sees it sees its bytes */
    if (atomic_compare_exchange_strong_explicit(at, &none, c, memory_order_acq_rel,
                                                memory_order_acquire))
        return;
unused:
    tw_free(c);
}

/* [-0, +1, e]  The preloader of a built-in module; `tw.test` shows in messages
 * and tracebacks as tw/test.lua. */
static int load_module(lua_State *L)
{
    const struct file *f = lua_touserdata(L, lua_upvalueindex(1));
    const char *name = f->name + strlen("tw.");
    const char *chunk = lua_pushfstring(L, LTW_BUNDLE_PATH "%s.lua", name);
    struct compiled *_Atomic *at = &compiled[f - files];
    /* order [bundle.compiled] acquire: the bytes are complete */
    const struct compiled *c = atomic_load_explicit(at, memory_order_acquire);

    if (!c) {
        compile(L, f, chunk);
        keep(L, at, f->n);
    } else if (luaL_loadbufferx(L, c->bytes, c->n, chunk, "b") != LUA_OK) {
        return lua_error(L);
    }
    lua_getfield(L, LUA_REGISTRYINDEX, LTW_BUNDLE_GLOBALS);
    if (lua_isnil(L, -1)) lua_pop(L, 1);
    else lua_setupvalue(L, -2, 1);
    lua_pushstring(L, f->name);
    lua_call(L, 1, 1);
    return 1;
}

void ltw_bundle_open(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (const struct file *f = files; f->name; f++) {
        if (strncmp(f->name, "tw.", strlen("tw.")) != 0) continue;
        lua_pushlightuserdata(L, (void *)f);
        lua_pushcclosure(L, load_module, 1);
        lua_setfield(L, -2, f->name);
    }
    lua_pushcfunction(L, open_bundle);
    lua_setfield(L, -2, "tw.bundle");
    lua_pop(L, 1);
}
