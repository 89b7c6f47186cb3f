/* instruments.c - the instruments that an app file declares.
 *
 * stdlib/app.lua has checked names and types; what only C knows is checked here: the
 * limits, and the fields of records, which no attribute may hide.
 */
#include "trade/instruments.h"

#include <string.h>

#include "base/fixed.h"
#include "lfield.h"
#include "tape/field.h"

/* [-0, +0, m]  The instrument on top. */
static int add_instrument(lua_State *L, struct tw_symbols *symbols,
                          struct tw_error *error)
{
    const char *name = ltw_text_at(L, -1, "symbol");
    const char *sector = ltw_text_at(L, -1, "sector");
    int64_t id = tw_symbols_intern(symbols, name, strlen(name)), group = 0;
    struct tw_instrument in = { .weight = ltw_number_at(L, -1, "weight", 0) };

    if (id < 0) return tw_fail(error, (int)id, "symbol '%s': %s", name,
                               tw_strerror((int)id));
    if (sector)
        group = tw_names_intern(tw_symbols_sectors(symbols), sector, strlen(sector));
    if (group < 0) return tw_fail(error, (int)group, "sector '%s': %s", sector,
                                  tw_strerror((int)group));
    in.sector = (uint32_t)group;
    if (tw_fixed_from_double(ltw_number_at(L, -1, "tick_size", 0), &in.tick_fixed) < 0
        || tw_fixed_from_double(ltw_number_at(L, -1, "lot_size", 0), &in.lot_fixed) < 0)
        return tw_fail(error, TW_ERANGE, "symbol '%s': tick_size or lot_size is out of"
                       " range", name);
    tw_symbols_set(symbols, (uint32_t)id, &in);
    return TW_OK;
}

/* [-0, +0, m]  What the instrument on top has of attribute `index`, called name. */
static int add_value(lua_State *L, struct tw_symbols *symbols, unsigned index,
                     const char *name, struct tw_error *error)
{
    const char *symbol = ltw_text_at(L, -1, "symbol"), *value = ltw_text_at(L, -1, name);
    int64_t id;

    if (!value) return TW_OK;
    id = tw_names_intern(tw_symbols_values(symbols), value, strlen(value));
    if (id < 0) return tw_fail(error, (int)id, "%s '%s': %s", name, value,
                               tw_strerror((int)id));
    tw_symbols_attribute_set(symbols, tw_symbols_find(symbols, symbol, strlen(symbol)),
                             index, (uint32_t)id);
    return TW_OK;
}

static int new_attribute(struct tw_symbols *symbols, const char *name,
                         struct tw_error *error)
{
    int index;

    if (tw_field_find(~0u, name, strlen(name), NULL))
        return tw_fail(error, TW_EUSAGE, "app.instruments: '%s' is a field of records: an"
                       " attribute needs another name", name);
    index = tw_symbols_attribute(symbols, name, strlen(name));
    if (index == TW_ELIMIT)
        return tw_fail(error, index, "app.instruments: '%s': there can be %d attributes,"
                       " with names of 1 to %d bytes", name, TW_ATTRIBUTES, TW_NAME_MAX);
    if (index < 0) return tw_fail(error, index, "%s", tw_strerror(index));
    return index;
}

int ltw_add_instruments(lua_State *L, struct tw_symbols *symbols,
                        struct tw_error *error)
{
    int declared = lua_gettop(L), attributes = declared + 1, list = declared + 2;
    unsigned n_attributes, n;
    int rc = TW_OK;

    lua_getfield(L, declared, "attributes");
    lua_getfield(L, declared, "instruments");
    n_attributes = (unsigned)lua_rawlen(L, attributes);
    n = (unsigned)lua_rawlen(L, list);
    for (unsigned i = 1; i <= n && rc >= 0; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, list, i);
        rc = add_instrument(L, symbols, error);
    }
    for (unsigned a = 1; a <= n_attributes && rc >= 0; a++, lua_pop(L, 1)) {
        const char *name;
        int index;

        lua_rawgeti(L, attributes, a);
        name = lua_tostring(L, -1);
        rc = index = new_attribute(symbols, name, error);
        for (unsigned i = 1; i <= n && rc >= 0; i++, lua_pop(L, 1)) {
            lua_rawgeti(L, list, i);
            rc = add_value(L, symbols, (unsigned)index, name, error);
        }
    }
    lua_settop(L, declared);
    return rc < 0 ? rc : TW_OK;
}
