/* gateway.c - where orders of scripts go that leave the run: app.gateway.fix.
 *
 * stdlib/app_gateway.lua has checked names and types; here fields get their tags.
 */
#include "gateway.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "desk.h"
#include "lfield.h"
#include "lfix_build.h"

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
static bool is_written(const struct tw_fix_session_options *of, int32_t tag, bool account,
                       char id_source)
{
    static const int16_t tags[] = {
        8, 9, 10, 11, 34, 35, 37, 38, 40, 41, 43, 44, 49, 52, 54, 55, 56, 59, 60, 99, 122,
        126, 211, 369, 1094
    };

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (tags[i] == tag) return true;
    if (id_source && (tag == 22 || tag == 48)) return true;
    return (tag == 1 && account) || (tag == 50 && of->sender_sub)
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

/* [-0, +n, m]  The fields of all orders, of the table on top; their values stay. */
static int read_fields(lua_State *L, const struct tw_fix_link_options *link,
                       struct tw_fix_extra *out, size_t *n, struct tw_error *error)
{
    char id_source = ltw_letter_at(L, -1, "security_id_source");
    bool account = lua_getfield(L, -1, "account") != LUA_TNIL;
    const struct tw_fix_dictionary *d = tw_fix_session_writes(&link->session, "D", 1);
    size_t bytes = 0;
    int list;

    lua_pop(L, 1);
    lua_getfield(L, -1, "fields");
    list = lua_gettop(L);
    *n = 0;
    luaL_checkstack(L, FIELDS_MAX + 4, "gateway");
    for (lua_Integer i = 1; lua_rawgeti(L, list, i) == LUA_TTABLE; i++) {
        int32_t tag = ltw_fix_tag(L, d);

        lua_getfield(L, -1, "value");
        lua_remove(L, -2);
        if (*n == FIELDS_MAX)
            return tw_fail(error, TW_ELIMIT, "app.gateway.fix '%s': more than %d fields",
                           link->name, FIELDS_MAX);
        if (tag <= 0) {
            lua_rawgeti(L, list, i);
            lua_getfield(L, -1, "field");
            return tw_fail(error, TW_EUSAGE, "app.gateway.fix '%s': fields: no field '%s'"
                           " is in its dictionary", link->name, lua_tostring(L, -1));
        }
        if (is_written(&link->session, tag, account, id_source))
            return tw_fail(error, TW_EUSAGE, "app.gateway.fix '%s': fields: %d is no"
                           " field to add: orders have it already", link->name, (int)tag);
        for (size_t k = 0; k < *n; k++)
            if (out[k].tag == tag)
                return tw_fail(error, TW_EUSAGE, "app.gateway.fix '%s': fields: %d is"
                               " there twice", link->name, (int)tag);
        if (!read_group(L, d, tag))
            return tw_fail(error, TW_EUSAGE, "app.gateway.fix '%s': fields: %s",
                           link->name, lua_tostring(L, -1));
        bytes += 8 + lua_rawlen(L, -1);
        if (bytes > BYTES_MAX)
            return tw_fail(error, TW_ELIMIT, "app.gateway.fix '%s': fields: more than"
                           " %d bytes", link->name, BYTES_MAX);
        out[(*n)++] = (struct tw_fix_extra){ tag, lua_tostring(L, -1) };
    }
    return TW_OK;
}

/* A number that no feed has; 0: there is none. */
static uint8_t free_source(const struct ltw_host *host)
{
    for (unsigned id = TW_SOURCE_MAX; id > TW_SOURCE_MAX / 2; id--)
        if (strcmp(tw_sources_name(&host->sources, id), "?") == 0) return (uint8_t)id;
    return 0;
}

static int add(struct ltw_host *host, const struct tw_fix_gateway_options *o,
               struct tw_fix_gateway **out, struct tw_error *error)
{
    struct ltw_gateway *g = tw_calloc(1, sizeof *g), **at = &host->desk->gateways;

    if (g) g->fix = tw_fix_gateway_new(o);
    if (!g || !g->fix) {
        tw_free(g);
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    }
    snprintf(g->name, sizeof g->name, "%s", o->name);
    snprintf(g->source, sizeof g->source, "gateway %s", o->name);
    tw_sources_set(&host->sources, o->source, g->source);
    while (*at) at = &(*at)->next;
    *at = g;
    *out = g->fix;
    return TW_OK;
}

int ltw_gateway_make(lua_State *L, struct ltw_host *host, struct tw_io *io,
                     struct tw_fix_link_options *link, struct tw_fix_gateway **out,
                     struct tw_error *error)
{
    struct tw_fix_extra fields[FIELDS_MAX];
    struct tw_fix_gateway_options o = { .name = link->name, .io = io, .log = host->log };
    int top = lua_gettop(L), rc;
    bool adopts;

    *out = NULL;
    if (lua_getfield(L, -1, "gateway") != LUA_TTABLE) {
        lua_settop(L, top);
        return TW_OK;
    }
    o.orders = (struct tw_fix_orders_options){
        .dictionary = tw_fix_session_writes(&link->session, "D", 1),
        .symbols = host->symbols,
        .fields = fields, .precision = link->session.precision,
        .cancel_on_disconnect = ltw_boolean_at(L, -1, "cancel_on_disconnect"),
        .desk = &host->desk->desk,
        .cancel_unknown = ltw_boolean_at(L, -1, "cancel_unknown"),
        .no_mass_status = !ltw_boolean_at(L, -1, "mass_status"),
    };
    adopts = ltw_boolean_at(L, -1, "adopt");
    if (adopts) o.orders.first_id = host->desk->started;
    if (adopts) o.folder = link->store;
    o.sync = link->sync == TW_FIX_SYNC_EACH;
    o.orders.uuid = ltw_text_at(L, -1, "cl_ord_id") != NULL;
    o.orders.id_source = ltw_letter_at(L, -1, "security_id_source");
    lua_getfield(L, -1, "account");
    o.orders.account = lua_tostring(L, -1);
    lua_insert(L, -2);
    rc = read_fields(L, link, fields, &o.orders.fields_n, error);
    o.source = rc == TW_OK ? free_source(host) : 0;
    if (rc == TW_OK && o.source == 0)
        rc = tw_fail(error, TW_ELIMIT, "app.gateway.fix '%s': too many feeds",
                     link->name);
    if (rc == TW_OK) rc = add(host, &o, out, error);
    if (rc == TW_OK) link->consumer = tw_fix_gateway_consumer(*out);
    lua_settop(L, top);
    return rc;
}

struct tw_fix_gateway *ltw_gateway_find(const struct ltw_desk *d, const char *name)
{
    const struct ltw_gateway *g = d->gateways;

    while (g && strcmp(g->name, name) != 0) g = g->next;
    return g ? g->fix : NULL;
}

void ltw_gateways_free(struct ltw_desk *d)
{
    struct ltw_gateway *next;

    for (struct ltw_gateway *g = d->gateways; g; g = next) {
        next = g->next;
        tw_fix_gateway_free(g->fix);
        tw_free(g);
    }
    d->gateways = NULL;
}
