/* handler.c - the functions that a script may have, and what they ask for.
 *
 * Why: a handler names the fields that it wants as its parameters.  The names
 * are read once, here; for each record just those values are pushed, which is
 * several times cheaper than a call of C for each field that is read.
 */
#include "run/handler.h"

#include <string.h>

#include "fix/lfix_session.h"
#include "tape/lrecord.h"
#include "trade/trader.h"

static const char *const names[LTW_HANDLERS] = {
    [TW_QUOTE] = "on_quote", [TW_TRADE] = "on_trade", [TW_MESSAGE] = "on_message",
    [TW_TIMER] = "on_timer", [TW_GAP] = "on_gap",
    [LTW_ON_START] = "on_start", [LTW_ON_STOP] = "on_stop",
    [TW_BAR] = "on_bar", [TW_LEVEL] = "on_level", [TW_STATUS] = "on_status",
    [LTW_ON_RELOAD] = "on_reload", [LTW_ON_CHECK] = "on_check",
    [LTW_ON_FIX] = "on_fix", [LTW_ON_FIX_EVENT] = "on_fix_event",
    [LTW_ON_BOOK] = "on_book",
    [LTW_ON_ORDER] = "on_order", [LTW_ON_FILL] = "on_fill",
    [LTW_ON_POSITION] = "on_position",
};

const char *ltw_handler_name(int id)
{
    return names[id];
}

/* [-0, +0, e] */
static enum tw_field check_field(lua_State *L, int id, const char *what,
                                 unsigned others, const char *name)
{
    const char *near;
    const struct tw_field_name *field;
    enum tw_field own;

    if (id == LTW_ON_RELOAD && strcmp(name, "old") == 0)
        return (enum tw_field)LTW_RELOAD_OLD;
    if (id == LTW_ON_RELOAD && strcmp(name, "warm") == 0)
        return (enum tw_field)LTW_RELOAD_WARM;
    if (id == LTW_ON_RELOAD)
        luaL_error(L, "%s: it takes self, old and warm, not '%s'", what, name);
    if (id == LTW_ON_FIX || id == LTW_ON_FIX_EVENT) {
        int asked = ltw_fix_field(id == LTW_ON_FIX_EVENT, name);

        if (asked < 0)
            luaL_error(L, "%s: no field '%s'; there are message, session,%s time,"
                       " received and seq", what, name,
                       id == LTW_ON_FIX ? "" : " event, text, from, to,");
        return (enum tw_field)asked;
    }
    if (id >= LTW_ON_ORDER) {
        int told = ltw_told_field(id, name, &near);

        if (told < 0 && near)
            luaL_error(L, "%s: no field '%s'; did you mean '%s'?", what, name, near);
        if (told < 0)
            luaL_error(L, "%s: no field '%s'; there are %s", what, name,
                       ltw_push_told_fields(L, id));
        return (enum tw_field)told;
    }
    if (id == LTW_ON_BOOK) id = TW_LEVEL;
    if (id >= TW_KINDS)
        luaL_error(L, "%s: it takes no parameter but self, not '%s'", what, name);
    field = tw_field_find(1u << id, name, strlen(name), &near);
    if (field) return field->field;
    own = ltw_attribute(ltw_state(L)->host, (enum tw_kind)id, name);
    if (own != TW_NO_FIELD) return own;
    if (tw_field_find(others, name, strlen(name), NULL)) return TW_FIELD_NIL;
    if (near) luaL_error(L, "%s: no field '%s'; did you mean '%s'?", what, name, near);
    luaL_error(L, "%s: no field '%s'; `tidewire help quotes` has them", what, name);
    return TW_NO_FIELD;
}

void ltw_handler_bind(lua_State *L, int id, const char *what, unsigned others,
                      struct ltw_handler *out)
{
    const char *name;
    lua_Debug ar;

    *out = (struct ltw_handler){ .bound = true };
    lua_pushvalue(L, -1);
    if (lua_getinfo(L, ">Su", &ar) && ar.isvararg && ar.what[0] != 'C')
        luaL_error(L, "%s: '...' would get nothing: name the fields", what);
    for (int i = 1; (name = lua_getlocal(L, NULL, i)) != NULL; i++) {
        if (i == 1 && strcmp(name, "self") == 0) {
            out->self = true;
            continue;
        }
        if (out->n == LTW_PARAMS_MAX)
            luaL_error(L, "%s: more than %d parameters", what, LTW_PARAMS_MAX);
        out->field[out->n++] = (uint8_t)check_field(L, id, what, others, name);
    }
}

/* onBar and ONBAR are on_bar; name: in small letters. */
static bool is_meant(const char *word, const char *name)
{
    for (;; word++, name++) {
        while (*word == '_') word++;
        while (*name == '_') name++;
        if ((*word | (*word >= 'A' && *word <= 'Z' ? 32 : 0)) != *name) return false;
        if (!*name) return true;
    }
}

void ltw_handler_check(lua_State *L, int module)
{
    for (lua_pushnil(L); lua_next(L, module); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        bool known = strncmp(name, "on_", 3) != 0 || !lua_isfunction(L, -1);

        for (int id = 0; id < LTW_HANDLERS; id++) {
            if (!names[id] || !lua_isfunction(L, -1)) continue;
            if (strcmp(name, names[id]) == 0) known = true;
            else if (is_meant(name, names[id]))
                luaL_error(L, "%s is not a callback; did you mean '%s'?", name,
                           names[id]);
        }
        if (!known)
            luaL_error(L, "%s is not a callback: there are on_start on_quote on_trade"
                       " on_bar on_message on_timer on_gap on_stop on_reload on_check"
                       " on_order on_fill on_position on_fix on_fix_event"
                       " on_book on_level on_status", name);
    }
}
