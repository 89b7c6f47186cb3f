/* lstat_make.c - what stdlib/stat.lua calls: kinds, options, texts of declarations. */
#include "stat/lstat.h"

#include "stat/expr.h"
#include "stat/ratio.h"
#include "stat/token.h"

/* time(text) -> ns | nil */
static int time_of(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    int64_t ns;

    if (tw_token_time(text, n, &ns)) lua_pushinteger(L, ns);
    else lua_pushnil(L);
    return 1;
}

/* [-0, +0, -]  The option whose name and value are on top. */
static int set_option(lua_State *L, const struct tw_stat_kind *k,
                      struct tw_stat_options *o, struct tw_error *error)
{
    size_t n, length;
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &n) : NULL;
    const char *text;
    int64_t ns;

    if (!name)
        return tw_fail(error, TW_EUSAGE, "%s: options have names, and one is a %s",
                       k->name, luaL_typename(L, -2));
    if (lua_type(L, -1) == LUA_TNUMBER)
        return tw_stat_set(k, o, name, n, lua_tonumber(L, -1), false, error);
    if (lua_type(L, -1) != LUA_TSTRING)
        return tw_fail(error, TW_EUSAGE, "%s: %s: a number or a time, as \"60s\","
                       " expected, got %s", k->name, name, luaL_typename(L, -1));
    text = lua_tolstring(L, -1, &length);
    if (!tw_token_time(text, length, &ns))
        return tw_fail(error, TW_EUSAGE, "%s: %s: '%.40s' is no time: a number and"
                       " ns, us, ms, s, m, h or d", k->name, name, text);
    return tw_stat_set(k, o, name, n, (double)ns, true, error);
}

/* [-0, +2, -] */
static int fail(lua_State *L, const struct tw_error *error)
{
    lua_pushnil(L);
    lua_pushstring(L, error->text);
    return 2;
}

/* new(kind, options | nil) -> statistic | nil, message: by the name of the kind */
static int new(lua_State *L)
{
    size_t n;
    const char *name = luaL_checklstring(L, 1, &n);
    const struct tw_stat_kind *k = tw_stat_find(name, n);
    struct tw_stat_options o = tw_stat_no_options();
    struct tw_error error;
    struct tw_stat s;

    luaL_argcheck(L, k, 1, "no such statistic");
    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1))
            if (set_option(L, k, &o, &error) < 0) return fail(L, &error);
    if (tw_stat_init(&s, k, &o, &error) < 0) return fail(L, &error);
    ltw_push_stat(L, &s);
    return 1;
}

/* crossing(x, y) -> statistic: of two statistics or numbers, read at each push() */
static int crossing(lua_State *L)
{
    const struct tw_stat_options o = tw_stat_no_options();
    struct tw_stat s;

    for (int i = 1; i <= 2; i++) {
        const struct ltw_stat *side = ltw_test_stat(L, i);

        if (lua_type(L, i) != LUA_TNUMBER && !side)
            return luaL_typeerror(L, i, "statistic or number");
        luaL_argcheck(L, !side || side->s.kind != &tw_stat_crossover, i, "a crossing");
    }
    (void)tw_stat_init(&s, &tw_stat_crossover, &o, NULL);   /* which needs no option */
    ltw_push_bound_stat(L, &s, 2);
    for (int i = 1; i <= 2; i++) {
        lua_pushvalue(L, i);
        ltw_stat_bind(L, i);
    }
    return 1;
}

/* check(text) -> nothing | message: is it a declaration? */
static int check_text(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    struct tw_error error;
    struct tw_declaration *d = tw_declaration_parse(text, n, false, &error);

    if (!d) {
        lua_pushstring(L, error.text);
        return 1;
    }
    tw_declaration_free(d);
    return 0;
}

static const struct { unsigned bit; const char *name, *example; } options[] = {
    { TW_STAT_ALPHA, "alpha", "alpha=0.05" },
    { TW_STAT_ALPHA, "span", "span=39" },
    { TW_STAT_ALPHA, "half_life", "half_life=13" },
    { TW_STAT_HALF_LIFE, "half_life", "half_life=\"10s\"" },
    { TW_STAT_P, "p", "p=0.99" },
    { TW_STAT_WINDOW, "window", "window=64" },
    { TW_STAT_TIME, "window", "window=\"60s\"" },
    { TW_STAT_LAG, "lag", "lag=1" },
    { TW_STAT_K, "k", "k=10" },
    { TW_STAT_EVERY, "every", "every=\"5m\"" },
    { TW_STAT_PRECISION, "precision", "precision=12" },
    { TW_STAT_INITIAL, "initial", "initial=0" },
    { TW_STAT_FAST, "fast", "fast=12" },
    { TW_STAT_SLOW, "slow", "slow=26" },
    { TW_STAT_SIGNAL, "signal", "signal=9" },
    { TW_STAT_SMOOTH, "smooth", "smooth=3" },
    { TW_STAT_DEVIATIONS, "deviations", "deviations=2" }
};

/* [-0, +0, m]  The text as a field of the table on top. */
/* [-0, +0, m]  The list of names as a field of the table on top. */
static void set_names(lua_State *L, const char *name, const char *const *names)
{
    lua_newtable(L);
    for (lua_Integer i = 0; names[i]; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, name);
}

/* [-0, +0, m]  A kind's options as a field of the table on top. */
static void set_options(lua_State *L, const struct tw_stat_kind *k)
{
    lua_Integer n = 0;

    lua_newtable(L);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (!(k->options & options[i].bit)) continue;
        lua_createtable(L, 0, 4);
        ltw_set_text(L, "name", options[i].name);
        ltw_set_text(L, "example", options[i].example);
        ltw_set_flag(L, "required", (k->required & options[i].bit) != 0);
        lua_pushboolean(L, (TW_STAT_TIME | TW_STAT_HALF_LIFE | TW_STAT_EVERY)
                           & options[i].bit);
        lua_setfield(L, -2, "is_time");
        lua_rawseti(L, -2, ++n);
    }
    lua_setfield(L, -2, "options");
}

/* names() -> list of the kinds' names */
static int names(lua_State *L)
{
    const struct tw_stat_kind *k;

    lua_newtable(L);
    for (unsigned i = 0; (k = tw_stat_kind(i)) != NULL; i++) {
        lua_pushstring(L, k->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* kind(name) -> {name, inputs, options, fields, formula, source, cost} */
static int kind(lua_State *L)
{
    size_t n;
    const char *name = luaL_checklstring(L, 1, &n);
    const struct tw_stat_kind *k = tw_stat_find(name, n);

    luaL_argcheck(L, k, 1, "a statistic expected");
    lua_createtable(L, 0, 8);
    ltw_set_text(L, "name", k->name);
    ltw_set_text(L, "formula", k->formula);
    ltw_set_text(L, "source", k->source);
    ltw_set_text(L, "cost", k->cost);
    set_names(L, "inputs", k->inputs);
    set_names(L, "fields", k->fields);
    set_options(L, k);
    return 1;
}

static const luaL_Reg internal[] = {
    { "new", new },
    { "crossing", crossing },
    { "check", check_text },
    { "time", time_of },
    { "names", names },
    { "kind", kind },
    { NULL, NULL }
};

int luaopen_tw_internal_stat(lua_State *L)
{
    luaL_newlib(L, internal);
    ltw_stat_add_load(L);
    return 1;
}
