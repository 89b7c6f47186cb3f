/* distrust.c - states of scripts that the app does not trust.
 *
 * Why so much for "no ffi": who can load a C library, a C module or bytecode that no
 * compiler has made, start a program, reach what functions of C hold or write into the
 * memory of the process by a file of /proc has more than ffi.
 *
 * What is internal stays with the modules that are built in: these have globals and
 * libraries of their own, a copy of what Lua gave, with a require that finds it, and the
 * methods of texts are Lua's for them, whatever a script puts into string.  That is the
 * second wall: functions of internal modules check what they get, as any do.
 *
 *   a script's require      package.loaded, package.preload: nothing internal is there
 *   a built-in module's     what is in the registry, which no script sees, then as above
 *
 * Layer lua.
 */
#include "distrust.h"

#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include <lualib.h>

#include "bundle.h"
#include "share/lvalue.h"
#include "run/script.h"

#define INTERNAL "tw.internal."

/* Its name is the upvalue. */
static int off(lua_State *L)
{
    return luaL_error(L, "%s is off in scripts that the app does not trust",
                      lua_tostring(L, lua_upvalueindex(1)));
}

/* The function that is the upvalue, of what is on the stack. */
static int pass(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static void want_text(lua_State *L, int mode)
{
    if (lua_gettop(L) < mode) lua_settop(L, mode);
    lua_pushliteral(L, "t");
    lua_replace(L, mode);
}

static int load_text(lua_State *L)
{
    want_text(L, 3);
    return pass(L);
}

static int load_text_file(lua_State *L)
{
    want_text(L, 2);
    return pass(L);
}

static int do_text_file(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);

    lua_settop(L, 1);
    if (luaL_loadfilex(L, path, "t") != LUA_OK) return lua_error(L);
    lua_call(L, 0, LUA_MULTRET);
    return lua_gettop(L) - 1;
}

/* In place of Lua's searcher of package.path. */
static int search(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *path;

    lua_getfield(L, lua_upvalueindex(1), "searchpath");
    lua_pushvalue(L, 1);
    lua_getfield(L, lua_upvalueindex(1), "path");
    lua_call(L, 2, 2);
    path = lua_tostring(L, -2);
    if (!path) return 1;
    if (luaL_loadfilex(L, path, "t") != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name,
                          path, lua_tostring(L, -1));
    lua_pushstring(L, path);
    return 2;
}

/* io.open, io.output: a file of /proc may be the memory of this process. */
static int open_file(lua_State *L)
{
    int n = pass(L);
    luaL_Stream *s = luaL_testudata(L, 1, LUA_FILEHANDLE);
    struct statfs fs;

    if (!s || !s->closef || fstatfs(fileno(s->f), &fs) != 0
        || fs.f_type != PROC_SUPER_MAGIC)
        return n;
    fclose(s->f);
    s->closef = NULL;
    return luaL_error(L, "files of /proc are off in scripts that the app does not trust");
}

/* Of functions of scripts alone: what those of C and of built-in modules hold is not
 * theirs. */
static int upvalue(lua_State *L)
{
    lua_Debug of;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (lua_iscfunction(L, 1)) return 0;
    lua_pushvalue(L, 1);
    lua_getinfo(L, ">S", &of);
    if (strncmp(of.source, LTW_BUNDLE_PATH, strlen(LTW_BUNDLE_PATH)) == 0) return 0;
    return pass(L);
}

/* Of Lua functions alone, where it is found by its level: those of C may be what another
 * function here stands before.  It is one level further away from us. */
static int info(lua_State *L)
{
    int arg = lua_isthread(L, 1) ? 2 : 1, n;
    bool is_here = arg == 1 || lua_tothread(L, 1) == L;
    lua_Integer level;

    if (lua_isfunction(L, arg)) return pass(L);
    level = luaL_checkinteger(L, arg);
    if (level < 0 || level >= INT_MAX) {
        luaL_pushfail(L);
        return 1;
    }
    lua_pushinteger(L, level + is_here);
    lua_replace(L, arg);
    n = pass(L);
    if (n != 1 || !lua_istable(L, 1)) return n;
    lua_getfield(L, 1, "func");
    if (lua_iscfunction(L, -1)) {
        lua_pushnil(L);
        lua_setfield(L, 1, "func");
    }
    lua_settop(L, 1);
    return 1;
}

/* Of a text it is what getmetatable gives. */
static int metatable(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING) return luaL_getmetafield(L, 1, "__metatable") != 0;
    return pass(L);
}

/* [-0, +0, m]  The field of the table on top calls f, which has what it was; f NULL: it
 * raises. */
static void replace(lua_State *L, const char *name, const char *full, lua_CFunction f)
{
    if (f) lua_getfield(L, -1, name);
    else lua_pushstring(L, full);
    lua_pushcclosure(L, f ? f : off, 1);
    lua_setfield(L, -2, name);
}

/* [-0, +0, m]  Those of C modules are the last ones, the one of Lua's before them. */
static void replace_searchers(lua_State *L)
{
    lua_Integer n;

    lua_getfield(L, -1, "searchers");
    n = luaL_len(L, -1);
    lua_pushnil(L);
    lua_rawseti(L, -2, n);
    lua_pushnil(L);
    lua_rawseti(L, -2, n - 1);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, search, 1);
    lua_rawseti(L, -2, n - 2);
    lua_pop(L, 1);
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
}

/* [-1, +0, e]  Only these are left of the table on top. */
static void keep_debug(lua_State *L)
{
    static const char *const kept[] = { "traceback", "getinfo", "getmetatable",
                                        "getupvalue", "setupvalue", NULL };

    replace(L, "getinfo", NULL, info);
    replace(L, "getmetatable", NULL, metatable);
    replace(L, "getupvalue", NULL, upvalue);
    replace(L, "setupvalue", NULL, upvalue);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *name = lua_tostring(L, -2);
        int i = 0;

        while (kept[i] && strcmp(kept[i], name) != 0) i++;
        if (kept[i]) continue;
        lua_pushvalue(L, -2);
        lua_pushnil(L);
        lua_rawset(L, -5);
    }
}

/* ---- what is internal ---- */

bool ltw_is_internal(const char *module)
{
    return strncmp(module, INTERNAL, strlen(INTERNAL)) == 0;
}

/* require of what is built in: upvalues Lua's, what opens internal modules. */
static int require_within(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, LTW_INTERNAL_LOADED);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, 2) != LUA_TNIL) return 1;
    lua_pushvalue(L, 1);
    if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL) {
        lua_settop(L, 1);
        return pass(L);
    }
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, 2);
    return 1;
}

/* [-1, +1, m]  What is internal of the table on top, in a table of its own; there off
 * stands in its place, or nothing. */
static void take_internal(lua_State *L, bool is_off)
{
    int from = lua_gettop(L), taken = from + 1;

    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || !ltw_is_internal(lua_tostring(L, -2)))
            continue;
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, taken);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -1);
        if (is_off) lua_pushcclosure(L, off, 1);
        else lua_pop(L, 1), lua_pushnil(L);
        lua_rawset(L, from);
    }
    lua_remove(L, from);
}

/* [-1, +1, m]  A copy of the table on top, without a metatable. */
static void copy(lua_State *L)
{
    int from = lua_gettop(L), to = from + 1;

    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, to);
    }
    lua_remove(L, from);
}

/* [-1, +0, m]  What the table on top has not is looked for in the one at idx. */
static void set_index(lua_State *L, int idx)
{
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, idx);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

/* [-0, +0, m]  Methods of texts: Lua's, then what scripts add to string.  These get a
 * metatable that says as much, and is another one. */
static void set_methods(lua_State *L)
{
    int string = lua_gettop(L) + 1, meta = string + 1;

    lua_getglobal(L, LUA_STRLIBNAME);
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_replace(L, meta);
    lua_pushvalue(L, meta);
    copy(L);
    lua_setfield(L, meta, "__metatable");
    lua_pushvalue(L, string);
    copy(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, meta, "__index");
    set_index(L, string);
    lua_pushvalue(L, meta);
    lua_setfield(L, LUA_REGISTRYINDEX, "tw.texts");
    lua_settop(L, string - 1);
}

/* [-0, +0, e]  The globals of built-in modules.  print may be another one later. */
static void set_within(lua_State *L)
{
    static const char *const libraries[] = {
        LUA_COLIBNAME, LUA_TABLIBNAME, LUA_IOLIBNAME, LUA_OSLIBNAME, LUA_STRLIBNAME,
        LUA_MATHLIBNAME, LUA_UTF8LIBNAME, LUA_DBLIBNAME
    };
    int env = lua_gettop(L) + 1;

    lua_pushglobaltable(L);
    copy(L);
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        lua_getfield(L, env, libraries[i]);
        copy(L);
        lua_setfield(L, env, libraries[i]);
    }
    lua_pushnil(L);
    lua_setfield(L, env, "print");
    lua_pushglobaltable(L);
    lua_pushvalue(L, env);
    set_index(L, env + 1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    take_internal(L, false);
    lua_setfield(L, LUA_REGISTRYINDEX, LTW_INTERNAL_LOADED);
    lua_getglobal(L, "require");
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    take_internal(L, true);
    lua_pushcclosure(L, require_within, 2);
    lua_pushvalue(L, -1);
    lua_setfield(L, env, "require");
    lua_setfield(L, LUA_REGISTRYINDEX, LTW_INTERNAL_REQUIRE);
    lua_settop(L, env);
    lua_setfield(L, LUA_REGISTRYINDEX, LTW_BUNDLE_GLOBALS);
}

void ltw_distrust(lua_State *L)
{
    int top = lua_gettop(L);

    if (ltw_state(L)->distrusted) return;
    ltw_state(L)->distrusted = true;
    set_methods(L);
    lua_pushglobaltable(L);
    replace(L, "load", NULL, load_text);
    replace(L, "loadfile", NULL, load_text_file);
    replace(L, "dofile", NULL, do_text_file);
    lua_getglobal(L, LUA_OSLIBNAME);
    replace(L, "execute", "os.execute", NULL);
    lua_getglobal(L, LUA_IOLIBNAME);
    replace(L, "popen", "io.popen", NULL);
    replace(L, "open", NULL, open_file);
    replace(L, "output", NULL, open_file);
    lua_getglobal(L, LUA_LOADLIBNAME);
    replace(L, "loadlib", "package.loadlib", NULL);
    replace_searchers(L);
    lua_getglobal(L, LUA_DBLIBNAME);
    keep_debug(L);
    set_within(L);
    lua_getfield(L, LUA_REGISTRYINDEX, LTW_INTERNAL_REQUIRE);
    lua_pushliteral(L, "tw.bounded");   /* what stdlib/evaluate.lua puts there */
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "string");
    lua_setfield(L, LUA_REGISTRYINDEX, "tw.methods");
    lua_settop(L, top);
}

bool ltw_is_trusted(lua_State *L, const struct tw_any *options)
{
    bool is = true;

    ltw_push_thawed(L, options);
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "distrusted");
        is = !lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return is;
}

bool ltw_distrust_as(lua_State *L, const struct ltw_state *outer,
                     const struct ltw_script_options *scripts, unsigned n)
{
    bool all = !outer || !outer->distrusted;

    for (unsigned i = 0; all && i < n; i++) all = ltw_is_trusted(L, &scripts[i].options);
    if (!all) ltw_distrust(L);
    return !all;
}
