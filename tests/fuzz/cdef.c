/* cdef.c - libFuzzer: any text is an error in one line that leaves nothing declared, or
 * declares names whose types are written as texts that are read as they are. */
#include "ffi/ctype_parts.h"
#include "ffi/declare.h"
#include "ffi/cdata.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MEMORY = 64 << 20 };

/* No value is a C type here. */
bool ltw_ctype_of_value(lua_State *L, int idx, struct ltw_cuse *out)
{
    (void)L;
    (void)idx;
    (void)out;
    return false;
}

static void *allocate(void *left, void *p, size_t old, size_t n)
{
    size_t *room = left, had = p ? old : 0;

    if (n > had && n - had > *room) return NULL;
    if (n == 0) {
        free(p);
        p = NULL;
    } else {
        p = realloc(p, n);
        if (!p) return NULL;
    }
    *room = *room + had - n;
    return p;
}

struct job { struct ltw_ctypes *s; const char *text; size_t n; int what; };

static int declare(lua_State *L)
{
    const struct job *j = lua_touserdata(L, 1);
    int params = lua_gettop(L) > 1 ? 2 : 0;

    if (j->what == 0) ltw_declare(L, j->s, j->text, j->n, params);
    else if (j->what == 1) ltw_declare_type(L, j->s, j->text, j->n, params);
    else ltw_declare_eval(L, j->s, j->text, j->n);
    return 0;
}

/* The type's text, and the text of the type that it is read as, are equal. */
static int reread(lua_State *L)
{
    struct ltw_ctypes *s = lua_touserdata(L, 1);
    struct ltw_cuse use = *(struct ltw_cuse *)lua_touserdata(L, 2);
    const char *text;
    size_t n;

    ltw_ctype_push_name(L, use);
    text = lua_tolstring(L, -1, &n);
    if (strchr(text, '<') || strstr(text, "…")) return 0;
    ltw_ctype_push_name(L, ltw_declare_type(L, s, text, n, 0));
    if (!lua_rawequal(L, -1, -2)) abort();
    return 0;
}

static void check_names(lua_State *L, struct ltw_ctypes *s, const struct ltw_cword *end)
{
    for (const struct ltw_cword *w = s->newest; w && w != end; w = w->before) {
        struct ltw_cuse use = w->name.use;

        lua_pushcfunction(L, reread);
        lua_pushlightuserdata(L, s);
        lua_pushlightuserdata(L, &use);
        lua_pcall(L, 2, 0, 0);
        lua_settop(L, 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t room = MEMORY;
    const struct ltw_cword *before;
    struct job j;
    lua_State *L;
    char *text;

    if (n == 0) return 0;
    j.what = data[0] % 3;
    text = malloc(--n ? n : 1);         /* its own block: ASan sees both its ends */
    L = lua_newstate(allocate, &room);
    if (!text || !L) abort();
    memcpy(text, data + 1, n);
    j.s = ltw_ctypes_new(L);
    j.text = text;
    j.n = n;
    before = j.s->newest;
    lua_pushcfunction(L, declare);
    lua_pushlightuserdata(L, &j);
    if (memchr(text, '$', n)) {
        lua_pushliteral(L, "name");
        lua_pushinteger(L, 3);
    }
    if (lua_pcall(L, lua_gettop(L) - 2, 0, 0) != LUA_OK) {
        if (strchr(lua_tostring(L, -1), '\n') && !memchr(text, '"', n)) abort();
        if (j.s->newest != before) abort();
    }
    lua_settop(L, 1);
    check_names(L, j.s, before);
    lua_close(L);
    free(text);
    return 0;
}
