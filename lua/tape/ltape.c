/* ltape.c - tw.internal.tape: the tape by number; stdlib/tape.lua makes more of it. */
#include "tape/ltape.h"

#include "ltw.h"
#include "tape/lrecord.h"

/* is(): is there a tape here? */
static int tape_is(lua_State *L)
{
    const struct ltw_host *host = ltw_state(L)->host;

    lua_pushboolean(L, host && host->tape);
    return 1;
}

/* head(): the seq that the next record gets */
static int tape_head(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tw_tape_head(ltw_check_host(L, "tape")->tape));
    return 1;
}

/* capacity(): how many records it holds */
static int tape_capacity(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tw_tape_capacity(ltw_check_host(L, "tape")->tape));
    return 1;
}

/* at(seq): the record, or nil when it is not there */
static int tape_at(lua_State *L)
{
    const struct ltw_host *host = ltw_check_host(L, "tape");
    lua_Integer seq = luaL_checkinteger(L, 1);
    struct tw_record r;

    if (seq < 1 || tw_tape_read(host->tape, (uint64_t)seq, &r) != 1) lua_pushnil(L);
    else ltw_push_field(L, host, 0, &r, TW_FIELD_RECORD);   /* needs no names */
    return 1;
}

static const luaL_Reg internal[] = {
    { "is", tape_is },
    { "head", tape_head },
    { "capacity", tape_capacity },
    { "at", tape_at },
    { NULL, NULL }
};

int luaopen_tw_internal_tape(lua_State *L)
{
    luaL_newlib(L, internal);
    return 1;
}
