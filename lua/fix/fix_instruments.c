/* fix_instruments.c - what a venue calls the symbols of a session, and fields that it
 * wants: `fields` and `instruments` of app.gateway.fix and app.feed.fix.
 *
 * stdlib/declare.lua has checked names and types; here fields get their tags.
 */
#include "fix/fix_instruments.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lfield.h"
#include "fix/lfix_build.h"

enum { FIELDS_MAX = 64, BYTES_MAX = 2048 };   /* half of what an order may have */

int32_t ltw_fix_tag(lua_State *L, const struct tw_fix_dictionary *d)
{
    const struct tw_fix_definition *f = NULL;
    int32_t tag = 0;
    const char *name;
    size_t n;

    lua_getfield(L, -1, "field");
    if (lua_isinteger(L, -1)) {
        tag = (int32_t)lua_tointeger(L, -1);
    } else {
        name = lua_tolstring(L, -1, &n);
        f = tw_fix_dictionary_field_named(d, name, n);
        if (f) tag = (int32_t)f->tag;
    }
    lua_pop(L, 1);
    return tag;
}

/* What an order has already: once more, and venues choose which of the two is meant. */
static bool is_written(const struct tw_fix_session_options *of, int32_t tag,
                       char id_source)
{
    static const int16_t tags[] = {
        8, 9, 10, 11, 34, 35, 37, 38, 40, 41, 43, 44, 49, 52, 54, 55, 56, 59, 60, 99, 122,
        126, 211, 369, 1094
    };

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (tags[i] == tag) return true;
    if (id_source && (tag == 22 || tag == 48)) return true;
    return (tag == 50 && of->sender_sub)
           || (tag == 57 && of->target_sub) || (tag == 142 && of->sender_location)
           || (tag == 143 && of->target_location);
}

/* (list, tag, how) -> text: what stands behind the tag of a group, its entries too. */
static int group_text(lua_State *L)
{
    const struct ltw_fix_build *how = lua_touserdata(L, 3);
    const char *text;
    size_t n, head;

    lua_settop(L, 3);
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "D");
    lua_setfield(L, 4, "MsgType");
    lua_pushvalue(L, 1);
    lua_rawseti(L, 4, lua_tointeger(L, 2));
    ltw_push_fix_built(L, 4, 0, how);
    text = lua_tolstring(L, -1, &n);
    if (strlen(text) != n) return luaL_error(L, "a byte 0 can't be in fields of orders");
    head = strcspn(text, "=") + 1;
    lua_pushlstring(L, text + head, n - head - 1);
    return 1;
}

/* [-1, +1, e]  The value on top as text, if it is a group's; false: it can't be, and why
 * is on top. */
static bool read_group(lua_State *L, const struct tw_fix_dictionary *d, int32_t tag)
{
    struct ltw_fix_build how = { .dictionary = d, .lenient = true };
    const struct tw_fix_type *order = tw_fix_dictionary_type(d, "D", 1);
    const struct tw_fix_member *m = order ? tw_fix_member(&order->body, (uint32_t)tag)
                                          : NULL;

    if (!lua_istable(L, -1) && !(m && m->group)) return true;
    lua_pushcfunction(L, group_text);
    lua_insert(L, -2);
    lua_pushinteger(L, tag);
    lua_pushlightuserdata(L, &how);
    return lua_pcall(L, 3, 1, 0) == LUA_OK;
}

/* A list of fields, as they are read. */
struct reading {
    const struct ltw_fix_user *by;
    const char *symbol;           /* whose they are; NULL: of all orders          */
    struct tw_error *error;
    struct tw_fix_extra list[FIELDS_MAX];
    size_t n, bytes;
};

/* "app.gateway.fix 'x': instruments: ES: fields: why" */
static int refuse(const struct reading *r, int code, const char *format, ...)
{
    const char *symbol = r->symbol ? r->symbol : "";
    char why[200];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return tw_fail(r->error, code, "%s '%s': %s%s%sfields: %s",
                   r->by->what, r->by->name, *symbol ? "instruments: " : "", symbol,
                   *symbol ? ": " : "", why);
}

static int add_field(struct reading *r, struct tw_fix_extra x)
{
    if (r->n == FIELDS_MAX) return refuse(r, TW_ELIMIT, "more than %d", FIELDS_MAX);
    r->bytes += 8 + strlen(x.value);
    if (r->bytes > BYTES_MAX)
        return refuse(r, TW_ELIMIT, "more than %d bytes", BYTES_MAX);
    r->list[r->n++] = x;
    return TW_OK;
}

static bool has_tag(const struct reading *r, int32_t tag)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->list[i].tag == tag) return true;
    return false;
}

/* Those of orders are left out: one list does for both. */
static bool is_said(const struct ltw_fix_user *by, int32_t tag)
{
    const struct tw_fix_dictionary *d = by->dictionary;
    const struct tw_fix_type *order = tw_fix_dictionary_type(d, "D", 1);
    const struct tw_fix_level *levels[] = {
        tw_fix_instrument_level(d, by->code), order ? &order->body : NULL,
        tw_fix_dictionary_header(d) };

    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (levels[i] && tw_fix_member(levels[i], (uint32_t)tag)) return true;
    return false;
}

/* [-1, +0, m]  One of the list on top, which has its text from here on. */
static int read_field(lua_State *L, struct reading *r)
{
    int32_t tag = ltw_fix_tag(L, r->by->dictionary);
    const char *text;

    if (tag <= 0) {
        lua_getfield(L, -1, "field");
        return refuse(r, TW_EUSAGE, "no field '%s' is in its dictionary",
                      lua_tostring(L, -1));
    }
    if (tag == 1)
        return refuse(r, TW_EUSAGE, "1 is no field to add: account says it, of the"
                      " gateway or of a script's account");
    if (is_written(r->by->session, tag, r->by->id_source))
        return refuse(r, TW_EUSAGE, "%d is no field to add: it is there already",
                      (int)tag);
    if (r->by->code && !is_said(r->by, tag))
        return refuse(r, TW_EUSAGE, "%d is no field of an instrument in 35=%s, by its"
                      " dictionary", (int)tag, r->by->code);
    if (has_tag(r, tag)) return refuse(r, TW_EUSAGE, "%d is there twice", (int)tag);
    lua_getfield(L, -1, "value");
    if (!read_group(L, r->by->dictionary, tag))
        return refuse(r, TW_EUSAGE, "%s", lua_tostring(L, -1));
    text = lua_tostring(L, -1);
    lua_setfield(L, -2, "value");
    lua_pop(L, 1);
    return add_field(r, (struct tw_fix_extra){ tag, text });
}

/* [-0, +0, m]  The `fields` of the table on top. */
static int read_fields(lua_State *L, struct reading *r)
{
    int rc = TW_OK, top = lua_gettop(L);

    r->n = r->bytes = 0;
    if (lua_getfield(L, -1, "fields") == LUA_TTABLE)
        for (lua_Integer i = 1;
             rc == TW_OK && lua_rawgeti(L, top + 1, i) == LUA_TTABLE; i++)
            rc = read_field(L, r);
    lua_settop(L, top);
    return rc;
}

/* [-0, +1, m]  What was read, in memory of Lua. */
static const struct tw_fix_extra *push_fields(lua_State *L, const struct reading *r)
{
    size_t bytes = r->n * sizeof *r->list;

    return memcpy(lua_newuserdatauv(L, bytes + 1, 0), r->list, bytes);
}

/* [-1, +1, m]  One of `instruments`: its fields, with those of all. */
static int read_instrument(lua_State *L, struct reading *r,
                           const struct ltw_fix_given *all,
                           struct tw_fix_instrument *out)
{
    int64_t symbol;
    int rc;

    r->symbol = ltw_text_at(L, -1, "symbol");
    symbol = tw_symbols_intern(r->by->symbols, r->symbol, strlen(r->symbol));
    if (symbol < 0)
        return tw_fail(r->error, (int)symbol, "%s '%s': instruments: %s: %s", r->by->what,
                       r->by->name, r->symbol, tw_strerror((int)symbol));
    rc = read_fields(L, r);
    *out = (struct tw_fix_instrument){ .symbol = (uint32_t)symbol, .own_n = r->n,
                                       .name = ltw_text_at(L, -1, "name") };
    for (size_t i = 0; rc == TW_OK && i < all->fields_n; i++)
        if (!has_tag(r, all->fields[i].tag)) rc = add_field(r, all->fields[i]);
    out->fields_n = r->n;
    lua_pop(L, 1);
    out->fields = push_fields(L, r);
    return rc;
}

int ltw_fix_read_given(lua_State *L, const struct ltw_fix_user *by,
                       struct ltw_fix_given *out, struct tw_error *error)
{
    struct reading r = { .by = by, .error = error };
    struct tw_fix_instrument *list;
    int rc = read_fields(L, &r), at;
    size_t n;

    if (rc < 0) return rc;
    lua_getfield(L, -1, "instruments");
    at = lua_gettop(L);
    *out = (struct ltw_fix_given){ .fields = push_fields(L, &r), .fields_n = r.n };
    n = lua_rawlen(L, at);
    list = lua_newuserdatauv(L, (n + 1) * sizeof *list, 0);
    lua_newtable(L);
    for (size_t i = 0; i < n && rc == TW_OK; i++) {
        lua_rawgeti(L, at, (lua_Integer)i + 1);
        rc = read_instrument(L, &r, out, &list[i]);
        if (rc == TW_OK) lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    out->instruments = list;
    out->instruments_n = n;
    return rc;
}
