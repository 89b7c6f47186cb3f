/* ffi.c - what calling C from Lua costs, nanoseconds: beside a plain lua_CFunction, a
 * bare ffi_call in C, and LuaJIT where it is installed.
 *
 * Each figure is the least of several rounds, an empty loop taken off.
 */
#include <stdio.h>
#include <stdlib.h>

#include <ffi.h>

#include "base/clock.h"
#include "ltw.h"

enum { CALLS = 2000000, ROUNDS = 7 };

/* For LuaJIT, too. */
static const char program[] =
    "local ffi = require 'ffi'\n"
    "local N, ROUNDS = 2000000, 7\n"
    "local function ns(f, ...)\n"
    "  local least = 1e9\n"
    "  for _ = 1, ROUNDS do\n"
    "    local t = os.clock() f(...)\n"
    "    least = math.min(least, os.clock() - t)\n"
    "  end\n"
    "  return least / N * 1e9\n"
    "end\n"
    "local loop = ns(function() for i = 1, N do end end)\n"
    "local function say(name, f, ...)\n"
    "  print(('  %-34s %7.1f'):format(name, ns(f, ...) - loop))\n"
    "end\n"
    "ffi.cdef[[ int abs(int); double fabs(double); size_t strlen(const char *);\n"
    "  typedef struct { int x; double y; } cell; typedef struct { int q, r; } two;\n"
    "  two div(int, int); ]]\n"
    "local abs, C = ffi.C.abs, ffi.C\n"
    "if plain then\n"
    "  say('a lua_CFunction', function(f) for i = 1, N do f(-1) end end, plain)\n"
    "end\n"
    "say('abs(-1), held in a local', function() for i = 1, N do abs(-1) end end)\n"
    "say('ffi.C.abs(-1)', function() for i = 1, N do ffi.C.abs(-1) end end)\n"
    "local fabs, strlen, div = C.fabs, C.strlen, C.div\n"
    "say('fabs(-1.5)', function() for i = 1, N do fabs(-1.5) end end)\n"
    "say('strlen of a Lua string', function() for i = 1, N do strlen('text') end end)\n"
    "say('div(7, 2), a struct by value', function() for i = 1, N do div(7, 2) end end)\n"
    "local c = ffi.new('cell', 1, 2)\n"
    "local p = ffi.cast('cell *', c)\n"
    "local a = ffi.new('int[16]')\n"
    "say('c.x', function() for i = 1, N do local _ = c.x end end)\n"
    "say('c.y = 1', function() for i = 1, N do c.y = 1 end end)\n"
    "say('p.x, behind a pointer', function() for i = 1, N do local _ = p.x end end)\n"
    "say('a[3]', function() for i = 1, N do local _ = a[3] end end)\n"
    "say('a[3] = i', function() for i = 1, N do a[3] = i end end)\n"
    "local cell = ffi.typeof 'cell'\n"
    "say('cell(1, 2)', function() for i = 1, N do cell(1, 2) end end)\n"
    "local back = ffi.cast('int (*)(int)', function(x) return x end)\n"
    "say('a Lua function through C', function() for i = 1, N do back(1) end end)\n";

static int plain_abs(lua_State *L)
{
    lua_pushinteger(L, abs((int)luaL_checkinteger(L, 1)));
    return 1;
}

static void bare(void)
{
    int argument = -1;
    int64_t least = INT64_MAX;
    void *values[] = { &argument };
    ffi_type *types[] = { &ffi_type_sint };
    ffi_arg result;
    ffi_cif cif;

    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 1, &ffi_type_sint, types) != FFI_OK) exit(1);
    for (int r = 0; r < ROUNDS; r++) {
        int64_t began = tw_clock_steady_ns();

        for (int i = 0; i < CALLS; i++) ffi_call(&cif, FFI_FN(abs), &result, values);
        if (tw_clock_steady_ns() - began < least) least = tw_clock_steady_ns() - began;
    }
    printf("  %-34s %7.1f\n", "a bare ffi_call, in C", (double)least / CALLS);
}

static void beside(const char *command, const char *name)
{
    char line[200];
    FILE *p;

    if (system("command -v luajit >/dev/null") != 0) return;
    snprintf(line, sizeof line, "%s -", command);
    p = popen(line, "w");
    if (!p) return;
    printf("%s, where it is installed\n", name);
    fflush(stdout);
    fputs(program, p);
    pclose(p);
}

int main(void)
{
    struct ltw_state *s = ltw_state_new(NULL, 0);

    if (!s) return 1;
    printf("tidewire\n");
    bare();
    lua_register(s->L, "plain", plain_abs);
    if (luaL_dostring(s->L, program) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(s->L, -1));
        return 1;
    }
    ltw_state_free(s);
    beside("luajit -joff", "LuaJIT's interpreter");
    beside("luajit", "LuaJIT");
    return 0;
}
