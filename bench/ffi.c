/* ffi.c - what calling C from Lua costs, nanoseconds: beside a plain lua_CFunction, a
 * userdata of which only its type is checked, a bare ffi_call in C, and LuaJIT where it
 * is installed.
 *
 * A machine that others use, too, is now fast and now slow.  So all is measured in many
 * short rounds, one after another, in time of this thread; each figure is the least of
 * all rounds, an empty loop taken off.  What counts are the ratios behind it.
 */
#include <stdio.h>
#include <stdlib.h>

#include <ffi.h>

#include "ltw.h"

/* For LuaJIT, too. */
static const char program[] =
    "local ffi = require 'ffi'\n"
    "local N, ROUNDS = 20000, 150\n"
    "ffi.cdef[[ int abs(int); double fabs(double); double pow(double, double);\n"
    "  size_t strlen(const char *); int memcmp(const void *, const void *, size_t);\n"
    "  typedef struct { int x; double y; } cell; typedef struct { int q, r; } two;\n"
    "  two div(int, int); ]]\n"
    "local C = ffi.C\n"
    "local abs, fabs, pow, strlen, memcmp, div = C.abs, C.fabs, C.pow, C.strlen,\n"
    "  C.memcmp, C.div\n"
    "local c = ffi.new('cell', 1, 2)\n"
    "local p = ffi.cast('cell *', c)\n"
    "local a = ffi.new('int[16]')\n"
    "local cell = ffi.typeof 'cell'\n"
    "local back = ffi.cast('int (*)(int)', function(x) return x end)\n"
    "local cases = {\n"
    "  { '', function(n) for i = 1, n do end end },\n"
    "  { 'abs(-1), held in a local', function(n) for i = 1, n do abs(-1) end end },\n"
    "  { 'ffi.C.abs(-1)', function(n) for i = 1, n do ffi.C.abs(-1) end end },\n"
    "  { 'fabs(-1.5)', function(n) for i = 1, n do fabs(-1.5) end end },\n"
    "  { 'pow(1, 1.5)', function(n) for i = 1, n do pow(1, 1.5) end end },\n"
    "  { 'strlen of a Lua string', function(n) for i = 1, n do strlen 'text' end end },\n"
    "  { 'memcmp of two arrays', function(n) for i = 1, n do memcmp(a, a, 4) end end },\n"
    "  { 'div(7, 2), struct by value', function(n) for i = 1, n do div(7, 2) end end },\n"
    "  { 'c.x', function(n) for i = 1, n do local _ = c.x end end },\n"
    "  { 'c.y = 1', function(n) for i = 1, n do c.y = 1 end end },\n"
    "  { 'p.x, behind a pointer', function(n) for i = 1, n do local _ = p.x end end },\n"
    "  { 'a[3]', function(n) for i = 1, n do local _ = a[3] end end },\n"
    "  { 'a[3] = i', function(n) for i = 1, n do a[3] = i end end },\n"
    "  { 'cell(1, 2)', function(n) for i = 1, n do cell(1, 2) end end },\n"
    "  { 'a Lua function through C', function(n) for i = 1, n do back(1) end end },\n"
    "}\n"
    "if plain then\n"
    "  table.insert(cases, 2, { 'a lua_CFunction',\n"
    "    function(n) local f = plain for i = 1, n do f(-1) end end })\n"
    "  table.insert(cases, 3, { 'a bare ffi_call, in C', bare, true })\n"
    "  table.insert(cases, 4, { 'a checked __call',\n"
    "    function(n) local f = callable for i = 1, n do f(-1) end end })\n"
    "end\n"
    "local clock, least = os.clock, {}\n"
    "for i = 1, #cases do least[i] = math.huge end\n"
    "for _ = 1, ROUNDS do\n"
    "  for i = 1, #cases do\n"
    "    local f = cases[i][2]\n"
    "    local t = clock() f(N)\n"
    "    t = clock() - t\n"
    "    if t < least[i] then least[i] = t end\n"
    "  end\n"
    "end\n"
    "for i = 2, #cases do\n"
    "  least[i] = (least[i] - (cases[i][3] and 0 or least[1])) / N * 1e9\n"
    "end\n"
    "for i = 2, #cases do\n"
    "  local beside = plain and ('   x%-6.2f   x%.2f'):format(least[i] / least[2],\n"
    "    least[i] / least[3]) or ''\n"
    "  print(('  %-30s %7.1f%s'):format(cases[i][1], least[i], beside))\n"
    "end\n";

static int plain_abs(lua_State *L)
{
    lua_pushinteger(L, abs((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* The least that a call of a userdata takes: it is looked whether it is one of these, and
 * what it holds is called. */
struct callable { const void *mark; int (*f)(int); };

static int call(lua_State *L)
{
    static const char mark;
    struct callable *c = lua_touserdata(L, 1);

    if (!c) {
        c = lua_newuserdatauv(L, sizeof *c, 0);
        *c = (struct callable){ &mark, abs };
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, call);
        lua_setfield(L, -2, "__call");
        lua_setmetatable(L, -2);
        return 1;
    }
    if (lua_rawlen(L, 1) < sizeof *c || c->mark != &mark || lua_gettop(L) != 2)
        return luaL_error(L, "callable(n)");
    lua_pushinteger(L, c->f((int)luaL_checkinteger(L, 2)));
    return 1;
}

/* bare(n): so many calls. */
static int bare(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);
    int argument = -1;
    void *values[] = { &argument };
    ffi_type *types[] = { &ffi_type_sint };
    ffi_arg result;
    ffi_cif cif;

    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 1, &ffi_type_sint, types) != FFI_OK)
        return luaL_error(L, "ffi_prep_cif");
    while (n-- > 0) ffi_call(&cif, FFI_FN(abs), &result, values);
    return 0;
}

static void beside(const char *command, const char *name)
{
    char line[200];
    FILE *p;

    if (system("command -v luajit >/dev/null") != 0) return;
    snprintf(line, sizeof line, "%s -", command);
    p = popen(line, "w");
    if (!p) return;
    printf("%s\n", name);
    fflush(stdout);
    fputs(program, p);
    pclose(p);
}

int main(void)
{
    struct ltw_state *s = ltw_state_new(NULL, 0);

    if (!s) return 1;
    printf("  %-30s %7s   %-7s   %s\n", "tidewire", "ns", "x plain", "x ffi_call");
    lua_register(s->L, "plain", plain_abs);
    lua_register(s->L, "bare", bare);
    lua_pushcfunction(s->L, call);
    if (lua_pcall(s->L, 0, 1, 0) != LUA_OK) return 1;
    lua_setglobal(s->L, "callable");
    if (luaL_dostring(s->L, program) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(s->L, -1));
        return 1;
    }
    ltw_state_free(s);
    beside("luajit -joff", "LuaJIT's interpreter");
    beside("luajit", "LuaJIT");
    return 0;
}
