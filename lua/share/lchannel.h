/* lchannel.h - channels as Lua sees them, and waiting for several things at once.
 *
 * Layer lua.
 */
#ifndef LTW_LCHANNEL_H
#define LTW_LCHANNEL_H

#include "share/lobject.h"
#include "share/channel.h"
#include "task/task.h"

/* [-0, +0, m]  Teaches the state what a channel is. */
void ltw_channel_open(lua_State *L);

/* The channel of the box at idx, or NULL for something else.  [-0, +0, m] */
struct tw_channel *ltw_test_channel(lua_State *L, int idx);

/* [-0, +1, m]  The table that channel:stats gives. */
void ltw_push_channel_stats(lua_State *L, struct tw_channel *c);

/* A place among those who wait to receive from c. */
struct ltw_place ltw_channel_place(struct tw_channel *c);

/* [-0, +0, m]  lselect.c: adds select to the module on top. */
void ltw_select_function(lua_State *L);

int luaopen_tw_channel(lua_State *L);

#endif
