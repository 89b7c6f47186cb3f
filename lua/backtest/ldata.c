/* ldata.c - the data of a backtest, and what is said of it at the end. */
#include "backtest/ldata.h"

#include <stdio.h>
#include <string.h>

#include "run/app.h"
#include "feed/extent.h"
#include "run/instance.h"
#include "lfield.h"

int ltw_add_data(lua_State *L, int idx, int64_t since_ns, struct tw_history *h,
                 struct tw_error *error)
{
    struct tw_lean lean;
    int rc = TW_OK, top = lua_gettop(L);

    if (lua_getfield(L, idx, "data") != LUA_TTABLE)
        return luaL_error(L, "data: a list of files expected, got %s",
                          luaL_typename(L, -1));
    for (int i = 1; rc == TW_OK && lua_rawgeti(L, top + 1, i) == LUA_TTABLE; i++) {
        struct tw_history_file file = {
            .path = ltw_text_at(L, -1, "path"), .member = ltw_text_at(L, -1, "member"),
            .format = ltw_text_at(L, -1, "format"),
            .source = ltw_text_at(L, -1, "source"), .since_ns = since_ns,
            .bytes = (uint64_t)ltw_integer_at(L, -1, "bytes", 0),
        };

        if (!file.path) return luaL_error(L, "data: file %d has no path", i);
        rc = ltw_csv_options(L, &file.csv, &lean, error);
        if (rc == TW_OK) rc = tw_history_add(h, &file, error);
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
    return rc;
}

void ltw_read_resolutions(lua_State *L, int idx, struct tw_resolutions *out)
{
    out->n = 0;
    if (lua_getfield(L, idx, "resolution") == LUA_TTABLE)
        for (int i = 1; out->n < TW_RESOLUTIONS
             && lua_rawgeti(L, -1, i) == LUA_TNUMBER; i++, lua_pop(L, 1))
            out->seconds[out->n++] = (uint32_t)lua_tointeger(L, -1);
    lua_settop(L, -2);
}

/* ---- what is said ---- */

static bool is_bad(void *ctx, const char *words)
{
    (void)ctx, (void)words;
    return true;
}

static void is_odd(void *ctx, const char *words)
{
    (void)ctx, (void)words;
}

void ltw_tell_extent(lua_State *L, int idx, bool resolutions, struct tw_error *error)
{
    struct tw_symbols *symbols = tw_symbols_new(TW_SYMBOL_MAX);
    struct tw_history *h = symbols ? tw_history_new(symbols, is_bad, is_odd, NULL) : NULL;
    struct tw_mix *mix = tw_mix_new();
    struct tw_extent all = { .n = 0 };
    const struct tw_record *r;
    char text[TW_EXTENT_TEXT], kinds[TW_MIX_TEXT];
    struct tw_error wrong = { .code = TW_OK }, why = *error;

    if (h && mix && ltw_add_data(L, idx, 0, h, &wrong) == TW_OK)
        for (; (r = tw_history_peek(h, &wrong)); tw_history_take(h)) {
            tw_extent_add(&all, r);
            tw_mix_look(mix, r);
        }
    if (all.n > 0 && wrong.code == TW_OK) {
        bool tells = resolutions && tw_mix_all(mix, kinds);

        tw_fail(error, why.code, "%s%s: the data are from %s%s%s", why.text,
                tells ? " of that resolution" : "", tw_extent_text(&all, text),
                tells ? ", of " : "", tells ? kinds : "");
    }
    tw_history_free(h);
    tw_mix_free(mix);
    tw_symbols_free(symbols);
}

static char **names_of(const struct ltw_backtest *b, unsigned script)
{
    return b->engine.scripts[script]->code.symbols.names;
}

void ltw_push_unknown(lua_State *L, const struct ltw_backtest *b)
{
    int n = 0;

    lua_newtable(L);
    for (unsigned i = 0; i < b->n; i++) {
        char **name = names_of(b, i);

        while ((name = ltw_filter_unknown(name, b->host.symbols))) {
            lua_pushstring(L, *name++);
            lua_rawseti(L, -2, ++n);
        }
    }
    if (n > 0) return;
    lua_pop(L, 1);
    lua_pushnil(L);
}

void ltw_tell_data(const struct ltw_backtest *b,
                   void (*note)(void *ctx, const char *text), void *ctx)
{
    char text[TW_MIX_TEXT];

    for (unsigned i = 0; i < b->n; i++) {
        char **name = names_of(b, i);

        while ((name = ltw_filter_unknown(name, b->host.symbols))) {
            snprintf(text, sizeof text, "script %.150s wants the symbol %.100s, which the"
                     " data do not have", b->scripts[i].name, *name++);
            note(ctx, text);
        }
    }
    if (tw_mix_text(b->mix, b->host.symbols, text)) note(ctx, text);
    if (tw_mix_sides(b->mix, b->host.symbols, text)) note(ctx, text);
}
