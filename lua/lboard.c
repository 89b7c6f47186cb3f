/* lboard.c - tw.board: the latest value by name, shared by all states.
 *
 *     local board = require "tw.board"
 *     board["vol.tech"] = 0.021      -- in any script
 *     print(board["vol.tech"])       -- in any other
 *
 * The module is an empty table whose metatable goes to the host's board.
 */
#include <string.h>

#include "lvalue.h"

/* [-0, +1, m] */
static void push_slot(lua_State *L, const struct tw_board_value *v)
{
    if (v->kind == TW_VALUE_STRING) lua_pushlstring(L, v->text, v->length);
    else ltw_push_any(L, &(struct tw_any){ .kind = v->kind, .integer = v->integer });
}

/* [-0, +0, e]  The value at 3 as a slot holds it. */
static struct tw_board_value check_slot(lua_State *L, const char *name)
{
    struct tw_board_value v = { .kind = TW_VALUE_STRING };
    struct tw_any scalar;
    size_t n;
    const char *text;

    switch (lua_type(L, 3)) {
    case LUA_TNIL: case LUA_TBOOLEAN: case LUA_TNUMBER:
        scalar = ltw_check_any(L, 3);
        v.kind = (uint8_t)scalar.kind;
        v.integer = scalar.integer;
        break;
    case LUA_TSTRING:
        text = lua_tolstring(L, 3, &n);
        if (n > TW_BOARD_TEXT)
            luaL_error(L, "board['%s']: a string of %I bytes, more than %d", name,
                       (lua_Integer)n, TW_BOARD_TEXT);
        v.length = (uint8_t)n;
        memcpy(v.text, text, n);
        break;
    default:
        luaL_error(L, "board['%s']: a %s can't stand on the board", name,
                   luaL_typename(L, 3));
    }
    return v;
}

/* board[name] -> value
 * The latest value that any state wrote there; nil when none did.
 * Yields: no.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run.  Units: none. */
static int board_index(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "tw.board");
    size_t n;
    const char *name = luaL_checklstring(L, 2, &n);
    uint32_t slot = tw_board_find(host->board, name, n);
    struct tw_board_value v = { .kind = TW_VALUE_NIL };

    if (slot) tw_board_get(host->board, slot, &v);
    push_slot(L, &v);
    return 1;
}

/* board[name] = value
 * nil, a boolean, a number or a string of up to 63 bytes.
 * Yields: no.  Blocks: while another state writes this very name.
 * Thread: any worker.
 * Errors: raises outside a run, for another type, a longer string, a name of 0
 * or more than 63 bytes, and past 65,536 names.  Units: none. */
static int board_newindex(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "tw.board");
    size_t n;
    const char *name = luaL_checklstring(L, 2, &n);
    struct tw_board_value v = check_slot(L, name);
    int64_t slot;

    if (n == 0 || n > TW_NAME_MAX)
        return luaL_error(L, "board['%s']: a name has 1 to %d bytes", name, TW_NAME_MAX);
    slot = tw_board_slot(host->board, name, n);
    if (slot < 0)
        return luaL_error(L, "board['%s']: %s", name, tw_strerror((int)slot));
    tw_board_set(host->board, (uint32_t)slot, &v);
    return 0;
}

/* [-0, +2, m]  The next name that has a value: the iterator of pairs. */
static int next(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "tw.board");
    uint32_t slot = 0, count = tw_board_count(host->board);
    struct tw_board_value v;
    size_t n;
    const char *name = luaL_optlstring(L, 2, NULL, &n);

    if (name) slot = tw_board_find(host->board, name, n);
    while (++slot <= count) {
        tw_board_get(host->board, slot, &v);
        if (v.kind == TW_VALUE_NIL) continue;
        lua_pushstring(L, tw_board_name(host->board, slot));
        push_slot(L, &v);
        return 2;
    }
    lua_pushnil(L);
    return 1;
}

/* pairs(board)
 * Every name that has a value, in the order in which the names first came.
 * Yields: no.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run.  Units: none. */
static int board_pairs(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushcfunction(L, next);
    lua_insert(L, 1);
    lua_pushnil(L);
    return 3;
}

static const luaL_Reg board_meta[] = {
    { "__index", board_index },
    { "__newindex", board_newindex },
    { "__pairs", board_pairs },
    { NULL, NULL }
};

int luaopen_tw_board(lua_State *L)
{
    lua_newtable(L);
    luaL_newlib(L, board_meta);
    lua_setmetatable(L, -2);
    return 1;
}
