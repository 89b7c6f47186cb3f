/* bundle.c - tw.bundle: the Lua modules and texts that are built in.
 *
 * Why: the program is one file.  The assembler copies each file of stdlib/
 * into the constants as it is: no generated arrays, and the bytes that `help`
 * reads are the ones that run.  The Makefile writes bundle.inc, one line for
 * each file.
 *
 * Layer lua.
 */
#include "bundle.h"

#include <lauxlib.h>
#include <string.h>

#define BUILT_IN(id, name, path, size) \
    extern const char ltw_file_##id[]; \
    __asm__(".pushsection .rodata\n" \
            ".global ltw_file_" #id "\n" \
            ".hidden ltw_file_" #id "\n" \
            "ltw_file_" #id ":\n" \
            ".incbin \"" path "\"\n" \
            ".byte 0\n" \
            ".popsection\n");
#include "bundle.inc"
#undef BUILT_IN

#define BUILT_IN(id, name, path, size) { name, ltw_file_##id, size },
static const struct ltw_bundle_file files[] = {
#include "bundle.inc"
    { NULL, NULL, 0 }
};

const struct ltw_bundle_file *ltw_bundle_next(const struct ltw_bundle_file *f)
{
    f = f ? f + 1 : files;
    return f->name ? f : NULL;
}

const struct ltw_bundle_file *ltw_bundle_find(const char *name)
{
    const struct ltw_bundle_file *f = NULL;

    while ((f = ltw_bundle_next(f)))
        if (strcmp(f->name, name) == 0) break;
    return f;
}

/* bundle.names() -> table
 * The names of all that is built in: modules as "tw.test", and "reference".
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int bundle_names(lua_State *L)
{
    const struct ltw_bundle_file *f = NULL;
    lua_Integer n = 0;

    lua_newtable(L);
    while ((f = ltw_bundle_next(f))) {
        lua_pushstring(L, f->name);
        lua_rawseti(L, -2, ++n);
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
    const struct ltw_bundle_file *f = ltw_bundle_find(name);

    if (!f) return luaL_error(L, "bundle.read: no built-in file '%s'", name);
    lua_pushlstring(L, f->bytes, f->size);
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

/* [-0, +1, e]  The preloader of a built-in module; `tw.test` shows in messages
 * and tracebacks as tw/test.lua. */
static int load_module(lua_State *L)
{
    const struct ltw_bundle_file *f = lua_touserdata(L, lua_upvalueindex(1));
    const char *chunk = lua_pushfstring(L, "@tw/%s.lua", f->name + strlen("tw."));

    if (luaL_loadbufferx(L, f->bytes, f->size, chunk, "t")) return lua_error(L);
    lua_pushstring(L, f->name);
    lua_call(L, 1, 1);
    return 1;
}

void ltw_bundle_open(lua_State *L)
{
    const struct ltw_bundle_file *f = NULL;

    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    while ((f = ltw_bundle_next(f))) {
        if (strncmp(f->name, "tw.", strlen("tw.")) != 0) continue;
        lua_pushlightuserdata(L, (void *)f);
        lua_pushcclosure(L, load_module, 1);
        lua_setfield(L, -2, f->name);
    }
    lua_pushcfunction(L, open_bundle);
    lua_setfield(L, -2, "tw.bundle");
    lua_pop(L, 1);
}
