/* lboard.c - tw.board: the latest value by name, shared by all states.
 *
 *     local board = require "tw.board"
 *     board["vol.tech"] = 0.021             -- in any script
 *     print(board["vol.tech"])              -- in any other
 *     board.limits = { tech = 1e6 }         -- frozen: nothing is copied
 *
 * The module is an empty table whose metatable goes to the host's board.
 */
#include <string.h>

#include "share/lvalue.h"
#include "reload/outputs.h"
#include "run/script.h"

/* [-0, +1, e]  What stands in a slot: a block that this state knows is found
 * without touching its count. */
static void push_slot(lua_State *L, struct tw_board *board, uint32_t slot,
                      const struct tw_board_value *v)
{
    struct tw_board_value held;
    struct tw_any *owned;

    if (v->kind == TW_VALUE_STRING) {
        lua_pushlstring(L, v->text, v->length);
    } else if (v->kind != TW_VALUE_BLOCK) {
        ltw_push_any(L, &(struct tw_any){ .kind = v->kind, .integer = v->integer });
    } else if (!ltw_push_known(L, v->block)) {
        owned = ltw_push_owner(L);
        tw_board_hold(board, slot, &held);
        if (held.kind == TW_VALUE_STRING) {   /* it was set again meanwhile */
            lua_pop(L, 1);
            lua_pushlstring(L, held.text, held.length);
        } else {
            *owned = (struct tw_any){ .kind = held.kind, .integer = held.integer };
            if (held.kind == TW_VALUE_BLOCK) owned->block = held.block;
            ltw_adopt(L);
        }
    }
}

/* [-0, +0, e]  The value at 3 as a slot holds it; a block has a reference. */
static struct tw_board_value check_slot(lua_State *L, const char *name)
{
    struct tw_board_value v = { .kind = TW_VALUE_STRING };
    struct tw_any any;
    size_t n;
    const char *text;

    if (lua_type(L, 3) == LUA_TSTRING) {
        text = lua_tolstring(L, 3, &n);
        if (n <= TW_BOARD_TEXT) {
            v.length = (uint8_t)n;
            memcpy(v.text, text, n);
            return v;
        }
    }
    any = ltw_check_any_named(L, 3, lua_pushfstring(L, "board['%s']", name));
    v.kind = (uint8_t)any.kind;
    if (v.kind == TW_VALUE_BLOCK) v.block = any.block;
    else v.integer = any.integer;
    return v;
}

/* board[name] -> value
 * The latest value that any state wrote there, frozen; nil when none did.
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
    push_slot(L, host->board, slot, &v);
    return 1;
}

static bool is_looked_at(lua_State *L)
{
    const struct ltw_script *s = ltw_state(L)->script;

    return s && ltw_script_outputs(s);
}

/* board[name] = value
 * Any value that tw.freeze takes; a table stands there frozen.
 * Yields: no.  Blocks: while another state writes this very name, and while it
 * freezes a table.  Thread: any worker.
 * Errors: raises outside a run, for what can't be frozen, a name of 0 or more
 * than 63 bytes, and past 65,536 names.  Units: none. */
static int board_newindex(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "tw.board");
    size_t n;
    const char *name = luaL_checklstring(L, 2, &n);
    struct tw_board_value v;
    int64_t slot;

    if (n == 0 || n > TW_NAME_MAX)
        return luaL_error(L, "board['%s']: a name has 1 to %d bytes", name, TW_NAME_MAX);
    if (memchr(name, '\0', n))
        return luaL_error(L, "board['%s']: a name has no zero byte", name);
    slot = tw_board_slot(host->board, name, n);
    if (slot < 0)
        return luaL_error(L, "board['%s']: %s", name, tw_strerror((int)slot));
    if (ltw_is_muted(L) || is_looked_at(L)) {
        struct tw_any *value = ltw_push_owner(L);

        *value = ltw_check_any_named(L, 3, lua_pushfstring(L, "board['%s']", name));
        if (!ltw_output(L, LTW_BOARD, name, NULL, NULL, value)) return 0;
    }
    v = check_slot(L, name);   /* nothing may raise from here on */
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

    if (name && (slot = tw_board_find(host->board, name, n)) == 0) slot = count;
    while (++slot <= count) {
        tw_board_get(host->board, slot, &v);
        if (v.kind == TW_VALUE_NIL) continue;
        lua_pushstring(L, tw_board_name(host->board, slot));
        push_slot(L, host->board, slot, &v);
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
