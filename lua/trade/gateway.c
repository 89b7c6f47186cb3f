/* gateway.c - where orders of scripts go that leave the run: app.gateway.fix. */
#include "trade/gateway.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "trade/desk.h"
#include "fix/fix_instruments.h"
#include "lfield.h"

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
    struct tw_fix_gateway_options o = { .name = link->name, .io = io, .log = host->log };
    struct ltw_fix_given given = { .fields_n = 0 };
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
        .precision = link->session.precision,
        .cancel_on_disconnect = ltw_boolean_at(L, -1, "cancel_on_disconnect"),
        .desk = &host->desk->desk,
        .cancel_unknown = ltw_boolean_at(L, -1, "cancel_unknown"),
        .no_mass_status = !ltw_boolean_at(L, -1, "mass_status"),
    };
    adopts = ltw_boolean_at(L, -1, "adopt");
    if (adopts) o.orders.first_id = host->desk->started;
    if (adopts) o.folder = link->store;
    o.sync = link->sync == TW_FIX_SYNC_EACH;
    o.orders.id_form = (enum tw_fix_id_form)ltw_integer_at(L, -1, "id_form", 0);
    o.orders.id_source = ltw_letter_at(L, -1, "security_id_source");
    o.orders.account = ltw_text_at(L, -1, "account");
    rc = ltw_fix_read_given(L, &(struct ltw_fix_user){
        .what = "app.gateway.fix", .name = link->name, .session = &link->session,
        .dictionary = o.orders.dictionary, .symbols = host->symbols,
        .id_source = o.orders.id_source }, &given, error);
    o.orders.fields = given.fields;
    o.orders.fields_n = given.fields_n;
    o.orders.instruments = given.instruments;
    o.orders.instruments_n = given.instruments_n;
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
