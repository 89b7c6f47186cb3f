/* source.c - the text of a file: from the disk, or from inside the program.
 *
 * Layer lua.
 */
#include "source.h"

#include <lauxlib.h>
#include <stdio.h>

int ltw_source_load(lua_State *L, const char *path)
{
    return luaL_loadfilex(L, path, "t");
}

bool ltw_source_on_disk(const char *path, char *out, size_t n)
{
    int length = snprintf(out, n, "%s", path);

    return length >= 0 && (size_t)length < n;
}
