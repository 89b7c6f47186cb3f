/* paint.c - the colours of what is typed. */
#include "main/paint.h"

#include "main/editor.h"

/* [-1, +1, e]  The text's styles, a digit for each byte. */
static int styles_of(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.repl");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "paint");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

void ltw_paint(lua_State *L, const char *text, size_t n, unsigned char *style)
{
    const char *styles;
    size_t size;

    lua_pushcfunction(L, styles_of);
    lua_pushlstring(L, text, n);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
        styles = lua_tolstring(L, -1, &size);
        for (size_t i = 0; styles && i < n && i < size; i++)
            if (styles[i] > '0' && styles[i] < '0' + LTW_STYLES)
                style[i] = (unsigned char)(styles[i] - '0');
    }
    lua_pop(L, 1);
}
