/* ltracked.c - a statistic that a script tracks, as Lua sees it. */
#include "tracker.h"

void ltw_tracked_open(lua_State *L)
{
    (void)L;
}

void ltw_push_tracked(lua_State *L, int tracker, unsigned item)
{
    (void)tracker;
    lua_pushinteger(L, item);
}
