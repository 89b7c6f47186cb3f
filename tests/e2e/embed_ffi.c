/* embed_ffi.c - C values in a program's host: a struct that both sides write, and
 * whichever allocation fails while a script works with ffi (tests/ffi_memory.lua).
 */
#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>

#include "embed_rig.h"

void tw_memory_fail_row(uint64_t n, uint64_t row);

struct shared { int32_t n; double sum; char last[8]; struct { bool flag; } in; };

static const char declaration[] =
    "struct shared { int32_t n; double sum; char last[8]; struct { bool flag; } in; };";

static struct shared theirs = { .n = 1 };

static int push_shared(lua_State *L)
{
    tw_lua_push_cdata(L, declaration, "struct shared", &theirs);
    return 1;
}

static int push_none(lua_State *L)
{
    tw_lua_push_cdata(L, NULL, "nowhere", &theirs);
    return 1;
}

static int push_no_c(lua_State *L)
{
    tw_lua_push_cdata(L, "struct {", "int", &theirs);
    return 1;
}

/* fail(n): the n-th allocation from now on, and Lua's next try; 0: none. */
static int fail(lua_State *L)
{
    tw_memory_fail_row((uint64_t)luaL_checkinteger(L, 1), 2);
    return 0;
}

static int open_rig(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "shared", push_shared }, { "none", push_none }, { "no_c", push_no_c },
        { "fail", fail }, { NULL, NULL },
    };

    luaL_newlib(L, functions);
    return 1;
}

static const char share[] =
    "local rig = require 'rig'\n"
    "function M.on_start()\n"
    "  local s = rig.shared()\n"
    "  assert(s.n == 1 and rig.shared().n == 1)\n"
    "  s.n, s.sum, s.last, s['in'].flag = 3, 4.5, 'BP', true\n"
    "  print(select(2, pcall(rig.none)))\n"
    "  print(select(2, pcall(rig.no_c)))\n"
    "  local fine, why = pcall(function() s.last = 'longer than 8' end)\n"
    "  print(why)\n"
    "end\n";

/* In the app file: no other thread is there yet, whose allocation would fail instead. */
static const char without_memory[] =
    "package.path = 'tests/?.lua;' .. package.path\n"
    "local refused, carried = require 'ffi_memory' ()\n"
    "print(('%s errors, %s without'):format(refused > 30, carried > 40))\n";

/* A run whose app file or script says all of that. */
static void says(const char *app, const char *script, const char *const *lines,
                 const char *name)
{
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct tw_error error = { 0, "" };
    struct tw_host *host = tw_host_new(&o, &error);
    char whole[4096], first[4096];
    int rc;

    snprintf(first, sizeof first, APP "app.script 's.lua' %s", app);
    snprintf(whole, sizeof whole, SCRIPT "%s return M", script);
    rc = tw_host_add_module(host, "rig", open_rig);
    if (rc == 0) rc = tw_host_add_text(host, "app.lua", first);
    if (rc == 0) rc = tw_host_add_text(host, "s.lua", whole);
    if (rc == 0) rc = tw_host_load(host, "app.lua", &error);
    if (rc == 0) rc = tw_host_start(host, &error);
    if (rc == 0) rc = tw_host_finish(host);
    if (rc == 0) rc = tw_host_wait(host, TW_FOREVER, &error);
    tw_host_free(host);
    ok(rc == 0, "%s", name);
    if (rc != 0) printf("# %d %s\n%s", rc, error.text, said.text);
    for (; *lines; lines++) {
        ok(has_said(&said, *lines), "says %s", *lines);
        if (!has_said(&said, *lines)) printf("# %s", said.text);
    }
}

int main(void)
{
    says("", share, (const char *const[]){ "nowhere", "cdef:1:9: ",
         "13 bytes do not fit an array of 8", NULL }, "a struct of the program's");
    ok(theirs.n == 3 && theirs.sum == 4.5 && theirs.in.flag
       && !strcmp(theirs.last, "BP"), "which the script wrote in place");
    says(without_memory, "", (const char *const[]){ "true errors, true without", NULL },
         "each allocation fails once");
    return tap_done();
}
