/* clib.c - C libraries: their symbols by name.
 *
 * A library that was loaded stays so until the program ends: functions of it may be held
 * anywhere.
 *
 * Layer lua.
 */
#include <dlfcn.h>
#include <string.h>

#include "cdata.h"

/* [-0, +0, e]  The address of a symbol; NULL: the library has none. */
static void *resolve(void *library, const char *symbol)
{
    static const char *const more[] = { "libc.so.6", "libm.so.6" };
    void *p = dlsym(library, symbol);

    /* A program that was linked statically has no symbols of its own to look up. */
    for (int i = 0; !p && library == RTLD_DEFAULT && i < 2; i++) {
        void *l = dlopen(more[i], RTLD_LAZY);

        if (l) p = dlsym(l, symbol);
    }
    return p;
}

static void *library_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(2));
}

/* [-0, +0, e]  What the name at idx is declared as, and where it lies. */
static const struct ltw_cname *look(lua_State *L, struct ltw_ffi *f, int idx, void **at)
{
    size_t n;
    const char *name = luaL_checklstring(L, idx, &n);
    const struct ltw_cname *found;

    found = ltw_cname_find(f->types, ltw_cintern(L, f->types, name, n));
    if (!found || found->kind == LTW_C_TYPEDEF)
        luaL_error(L, "no C declaration of '%s': ffi.cdef it", name);
    if (found->kind == LTW_C_OBJECT) {
        *at = resolve(library_of(L), found->symbol);
        if (!*at) luaL_error(L, "no symbol '%s' in the library", found->symbol);
    }
    return found;
}

/* The cache's __index: functions and constants are put into the cache. */
static int on_index(lua_State *L)
{
    struct ltw_ffi *f = lua_touserdata(L, lua_upvalueindex(1));
    void *at = NULL;
    const struct ltw_cname *name = look(L, f, 2, &at);

    if (name->kind == LTW_C_OBJECT && name->use.type->kind != LTW_C_FUNCTION) {
        struct ltw_cuse use = name->use;

        if (use.type->kind == LTW_C_ARRAY || use.type->kind == LTW_C_RECORD)
            ltw_cdata_view(L, f, use, at, 0);
        else
            ltw_cpush(L, f, use, at, 0);
        return 1;
    }
    if (name->kind == LTW_C_CONSTANT) ltw_cpush(L, f, name->use, (void *)&name->value, 0);
    else ltw_cdata_view(L, f, name->use, at, 2);     /* keeps its name */
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 1);
    return 1;
}

static int on_newindex(lua_State *L)
{
    struct ltw_ffi *f = lua_touserdata(L, lua_upvalueindex(1));
    void *at = NULL;
    const struct ltw_cname *name = look(L, f, 2, &at);

    if (name->kind != LTW_C_OBJECT || name->use.constant
        || name->use.type->kind == LTW_C_FUNCTION)
        return luaL_error(L, "'%s' is no variable", name->name);
    if (ltw_cfixed(name->use)) return ltw_crefuse_fixed(L, name->use);
    f->argument = 0;
    ltw_cstore(L, f, name->use, at, 3, LTW_C_ASSIGN);
    return 0;
}

/* [-0, +1, e]  Another name to try for a library: libNAME.so. */
static const char *file_of(lua_State *L, const char *name)
{
    if (strchr(name, '/')) return lua_pushstring(L, name);
    return lua_pushfstring(L, "%s%s%s", strncmp(name, "lib", 3) ? "lib" : "", name,
                           strchr(name, '.') ? "" : ".so");
}

/* Of glibc's parts: libm.so is a text for the linker, or is not installed. */
static const char *runtime_of(const char *name)
{
    static const char *const all[][2] = {
        { "c", "libc.so.6" }, { "m", "libm.so.6" }, { "dl", "libdl.so.2" },
        { "pthread", "libpthread.so.0" }, { "rt", "librt.so.1" },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(name, all[i][0])) return all[i][1];
    return name;
}

void ltw_clib_push(lua_State *L, int self, const char *name, bool global)
{
    void *library = RTLD_DEFAULT;
    int mode = RTLD_LAZY | (global ? RTLD_GLOBAL : RTLD_LOCAL);

    if (name) {
        library = dlopen(file_of(L, name), mode);
        lua_pop(L, 1);
        if (!library) {
            lua_pushstring(L, dlerror());
            library = dlopen(runtime_of(name), mode);
            if (!library) luaL_error(L, "ffi.load: %s", lua_tostring(L, -1));
            lua_pop(L, 1);
        }
    }
    lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 4);
    lua_newtable(L);                              /* the cache */
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, self);
    lua_pushlightuserdata(L, library);
    lua_pushcclosure(L, on_index, 2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, self);
    lua_pushlightuserdata(L, library);
    lua_pushcclosure(L, on_newindex, 2);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "ffi");
    lua_setfield(L, -2, "__metatable");
    lua_pushfstring(L, "ffi: %s", name ? name : "C");
    lua_setfield(L, -2, "__name");
    lua_setmetatable(L, -2);
}
