/* lstat.c - tw.stat: statistics at the speed of C.
 *
 *     local stat = require "tw.stat"
 *     local mean = stat.mean { window = 64 }
 *     mean:push(187.23)
 *     print(mean.value, mean.count)
 *
 *     local vol = stat.by_symbol(stat.ewma, 0.05)     -- one for each symbol
 *     vol[symbol]:push(ret * ret)
 *
 * An instance belongs to the state that made it: it can't be frozen.  What crosses to
 * another state, or lives on after a restart, is mean:save(), a string.
 *
 * With the text of an expression first, the same functions declare a statistic: it is
 * fed in C, before the handlers run.  `tidewire help statistics` teaches that.
 *
 *     self:track { spread = stat.mean("ask - bid"):by "symbol" }
 */
#include "lstat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "base/clock.h"
#include "lvalue.h"
#include "stat/expr.h"
#include "stat/stat.h"
#include "stat/token.h"

#define NAME "statistic"

enum { ALIGN = 16, TEXT = 512, IS_COUNT = 256, LIST_MAX = 1024 };

struct box {
    const char *mark;
    void *state;              /* of s.size bytes, behind the box          */
    int64_t time;             /* of the newest row; it never goes back    */
    struct tw_stat s;
};

static const char stat_mark;

/* [-0, +0, -]  Told by its mark, without a look at metatables. */
static inline struct box *to_box(lua_State *L, int idx)
{
    struct box *b = lua_touserdata(L, idx);

    return b && lua_rawlen(L, idx) >= sizeof *b && b->mark == &stat_mark ? b : NULL;
}

/* [-0, +0, e] */
static inline struct box *check(lua_State *L, int idx)
{
    struct box *b = to_box(L, idx);

    if (!b) luaL_typeerror(L, idx, NAME);
    return b;
}

static void clear(struct box *b)
{
    memset(b->state, 0, b->s.size);
    b->time = INT64_MIN;
}

/* ---- rows ---- */

/* [-0, +0, e] */
static int refuse_input(lua_State *L, const struct box *b, unsigned i)
{
    return luaL_error(L, "push: number expected for '%s', got %s", b->s.kind->inputs[i],
                      luaL_typename(L, (int)i + 2));
}

/* [-0, +0, e]  The time at idx, or when there is none the record's, or now. */
static int64_t time_at(lua_State *L, int idx)
{
    const struct tw_record *r = ltw_state(L)->record;

    if (lua_isnoneornil(L, idx)) return r ? r->time : tw_clock_now_ns();
    if (!lua_isinteger(L, idx) || lua_gettop(L) > idx)
        luaL_error(L, "push: after %d number%s at most a time, an integer in ns, expected",
                   idx - 2, idx == 3 ? "" : "s");
    return lua_tointeger(L, idx);
}

/* statistic:push(x, ... [, time])
 * One row: a number for each input.  nil or NaN is missing: such a row is not counted.
 * The time matters to windows and half-lives in time, and to what is by time; without
 * one it is that of the record being handled, else the clock's.  A time that goes back
 * counts as the newest so far.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for what is no number, naming the input.
 * Units: time in ns since the epoch. */
static int push(lua_State *L)
{
    struct box *b = check(L, 1);
    const unsigned n = b->s.n_inputs;
    double x[TW_STAT_INPUTS];
    bool is_missing = false;
    int64_t time;

    for (unsigned i = 0; i < n; i++) {
        int type = lua_type(L, (int)i + 2);

        if (type == LUA_TNUMBER) x[i] = lua_tonumber(L, (int)i + 2);
        else if (type == LUA_TNIL) is_missing = true;
        else return refuse_input(L, b, i);
    }
    time = time_at(L, (int)n + 2);
    if (is_missing) return 0;
    if (time > b->time) b->time = time;
    tw_stat_push(&b->s, b->state, x, b->time);
    return 0;
}

/* statistic:reset()
 * It is empty again, as it was made.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int reset(lua_State *L)
{
    clear(check(L, 1));
    return 0;
}

/* statistic:merge(other)
 * As if the rows of `other` had been pushed here, after its own ones: up to rounding,
 * or to the error of a sketch.  other stays as it is.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises when other is of another kind, has other options or is itself, and for
 * a kind that can't be merged.  Units: none. */
static int merge(lua_State *L)
{
    struct box *b = check(L, 1);
    const struct box *other = check(L, 2);
    char mine[TEXT], its[TEXT];

    if (b == other) return luaL_error(L, "merge: a statistic with itself");
    tw_stat_text(&b->s, mine, sizeof mine);
    tw_stat_text(&other->s, its, sizeof its);
    if (b->s.kind != other->s.kind || memcmp(&b->s.o, &other->s.o, sizeof b->s.o) != 0)
        return luaL_error(L, "merge: %s and %s differ", mine, its);
    if (!b->s.ops->merge) return luaL_error(L, "merge: %s can't be merged", mine);
    b->s.ops->merge(&b->s, b->state, other->state);
    if (other->time > b->time) b->time = other->time;
    return 0;
}

/* ---- reading ---- */

/* [-0, +1, -]  Nil: no value yet. */
static void push_field(lua_State *L, const struct box *b, unsigned field, bool is_count)
{
    double v = tw_stat_get(&b->s, b->state, field);

    if (isnan(v)) lua_pushnil(L);
    else if (is_count && v < 0x1p53) lua_pushinteger(L, (lua_Integer)v);
    else lua_pushnumber(L, v);
}

static bool is_count(const struct tw_stat_kind *k, unsigned field)
{
    return strcmp(field ? k->fields[field] : k->name, "count") == 0;
}

/* [-0, +0, e] */
static int refuse_field(lua_State *L, const struct tw_stat_kind *k)
{
    luaL_Buffer out;

    luaL_tolstring(L, 2, NULL);
    luaL_buffinit(L, &out);
    for (unsigned i = 0; k->fields[i]; i++) {
        if (i > 0) luaL_addstring(&out, ", ");
        luaL_addstring(&out, k->fields[i]);
    }
    luaL_pushresult(&out);
    return luaL_error(L, "%s has no field '%s': it has %s", k->name,
                      lua_tostring(L, -2), lua_tostring(L, -1));
}

/* statistic[field] -> number | nil
 * mean.value, mean.count, ...: each kind's help lists its fields; nil: no value yet.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for a field that it does not have.  Units: those of what is pushed. */
static int stat_index(lua_State *L)
{
    const struct box *b = check(L, 1);
    lua_Integer field;

    lua_pushvalue(L, 2);
    switch (lua_rawget(L, lua_upvalueindex(1))) {
    case LUA_TFUNCTION:
        return 1;
    case LUA_TNUMBER:
        field = lua_tointeger(L, -1);
        push_field(L, b, field & (IS_COUNT - 1), field & IS_COUNT);
        return 1;
    default:
        return refuse_field(L, b->s.kind);
    }
}

/* statistic:quantile(p) -> number | nil
 * The quantile at any p, of a kind that keeps them; nil: no value yet.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for p outside 0 to 1, and for a kind without quantiles.  Units: none. */
static int quantile(lua_State *L)
{
    const struct box *b = check(L, 1);
    double p = luaL_checknumber(L, 2), v;

    if (!b->s.ops->at)
        return luaL_error(L, "quantile: %s keeps none", b->s.kind->name);
    luaL_argcheck(L, p >= 0 && p <= 1, 2, "0 to 1 expected");
    v = b->s.ops->at(&b->s, b->state, p);
    if (isnan(v)) lua_pushnil(L);
    else lua_pushnumber(L, v);
    return 1;
}

/* statistic:list([n]) -> table
 * Of a kind that keeps a list: its values, at most n, best first: {{value =, count =},
 * ...}.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: raises for a kind without a list.  Units: none. */
static int list(lua_State *L)
{
    const struct box *b = check(L, 1);
    lua_Integer max = luaL_optinteger(L, 2, LIST_MAX);
    double pairs[LIST_MAX][2];
    unsigned n;

    if (!b->s.ops->list) return luaL_error(L, "list: %s keeps none", b->s.kind->name);
    luaL_argcheck(L, max >= 0, 2, "0 or more expected");
    n = b->s.ops->list(&b->s, b->state, pairs, max < LIST_MAX ? (unsigned)max : LIST_MAX);
    lua_createtable(L, (int)n, 0);
    for (unsigned i = 0; i < n; i++) {
        lua_createtable(L, 0, 2);
        lua_pushnumber(L, pairs[i][0]);
        lua_setfield(L, -2, "value");
        lua_pushinteger(L, (lua_Integer)pairs[i][1]);
        lua_setfield(L, -2, "count");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* statistic:freeze() -> frozen table
 * Its fields as they are now, for other states: {value =, count =, ...}.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int freeze(lua_State *L)
{
    const struct box *b = check(L, 1);
    const struct tw_stat_kind *k = b->s.kind;
    struct tw_any *owned;

    lua_settop(L, 1);
    lua_newtable(L);
    for (unsigned i = 0; k->fields[i]; i++) {
        push_field(L, b, i, is_count(k, i));
        lua_setfield(L, 2, k->fields[i]);
    }
    owned = ltw_push_owner(L);
    *owned = ltw_check_any(L, 2);
    ltw_adopt(L);
    return 1;
}

/* [-0, +1, e]  "mean(window=64): 1.23, count 5". */
static int stat_tostring(lua_State *L)
{
    const struct box *b = check(L, 1);
    const struct tw_stat_kind *k = b->s.kind;
    char text[TEXT];
    size_t n = tw_stat_text(&b->s, text, sizeof text);
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    luaL_addlstring(&out, text, n - (text[n - 2] == '(' ? 2 : 0));
    for (unsigned i = 0; k->fields[i]; i++) {
        double v = tw_stat_get(&b->s, b->state, i);

        if (isnan(v) && i > 0) continue;
        snprintf(text, sizeof text, "%s%s%s%.14g", i ? ", " : ": ",
                 i ? k->fields[i] : "", i ? " " : "", v);
        luaL_addstring(&out, isnan(v) ? ": no value" : text);
    }
    luaL_pushresult(&out);
    return 1;
}

/* ---- making ---- */

static int copy(lua_State *L);
static int save(lua_State *L);

static const luaL_Reg methods[] = {
    { "push", push },
    { "reset", reset },
    { "merge", merge },
    { "copy", copy },
    { "save", save },
    { "quantile", quantile },
    { "list", list },
    { "freeze", freeze },
    { NULL, NULL }
};

/* [-0, +1, m]  The metatable of a kind: methods, and fields by their numbers. */
static void push_metatable(lua_State *L, const struct tw_stat_kind *k)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, k) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_newtable(L);
    luaL_newlib(L, methods);
    for (unsigned i = 0; k->fields[i]; i++) {
        lua_pushinteger(L, (lua_Integer)i | (is_count(k, i) ? IS_COUNT : 0));
        lua_setfield(L, -2, k->fields[i]);
    }
    lua_pushcclosure(L, stat_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, stat_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, NAME);
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, NAME);
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, k);
}

/* [-0, +1, m]  An empty instance. */
static struct box *push_new(lua_State *L, const struct tw_stat *s)
{
    struct box *b = lua_newuserdatauv(L, sizeof *b + ALIGN + s->size, 0);
    uintptr_t end = (uintptr_t)(b + 1);

    b->mark = &stat_mark;
    b->s = *s;
    b->state = (void *)((end + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
    clear(b);
    push_metatable(L, s->kind);
    lua_setmetatable(L, -2);
    return b;
}

/* statistic:copy() -> statistic
 * Another one with the same rows, that goes its own way.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int copy(lua_State *L)
{
    const struct box *b = check(L, 1);
    struct box *new = push_new(L, &b->s);

    memcpy(new->state, b->state, b->s.size);
    new->time = b->time;
    return 1;
}

/* A time as it is declared, "60s", in ns. */
static bool read_time(const char *text, size_t n, int64_t *ns)
{
    struct tw_error ignored;
    struct tw_source s = { .text = text, .n = (unsigned)n, .error = &ignored };
    struct tw_token t, end;

    if (n > TEXT || strlen(text) != n) return false;
    t = tw_token_read(&s, 0);
    end = tw_token_read(&s, t.to);
    *ns = t.integer;
    return !s.failed && t.type == TW_TOKEN_TIME && end.type == TW_TOKEN_END;
}

/* time(text) -> ns | nil */
static int time_of(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    int64_t ns;

    if (read_time(text, n, &ns)) lua_pushinteger(L, ns);
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
        return tw_fail(error, TW_EUSAGE, "%s: %s: a number or a time, as \"60s\", expected,"
                       " got %s", k->name, name, luaL_typename(L, -1));
    text = lua_tolstring(L, -1, &length);
    if (!read_time(text, length, &ns))
        return tw_fail(error, TW_EUSAGE, "%s: %s: '%.40s' is no time: a number and ns, us,"
                       " ms, s, m, h or d", k->name, name, text);
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
    push_new(L, &s);
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

/* ---- saving ---- */

enum { VERSION = 1 };

/* What a saved one begins with; its state follows. */
struct head {
    char magic[8];
    uint32_t version;
    uint32_t crc;             /* of all that follows */
    char kind[32];
    int64_t time;
    uint64_t size;
    struct tw_stat_options o;
};

static const char magic[8] = "tw.stat";

_Static_assert(sizeof(struct head) == 64 + sizeof(struct tw_stat_options), "no holes");
_Static_assert(sizeof(struct tw_stat_options) == 4 * 4 + 6 * 8, "no holes");

static uint32_t sum(const struct head *h, const void *state, size_t n)
{
    const size_t from = offsetof(struct head, kind);
    uLong crc = crc32(0, (const Bytef *)h + from, (uInt)(sizeof *h - from));

    return (uint32_t)crc32_z(crc, state, n);
}

/* statistic:save() -> string
 * All of it, with its options: for stat.load, in any state, later, after a restart.
 * Its bytes are those of this kind of processor.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int save(lua_State *L)
{
    const struct box *b = check(L, 1);
    struct head h = { .version = VERSION, .time = b->time, .size = b->s.size,
                      .o = b->s.o };
    luaL_Buffer out;

    memcpy(h.magic, magic, sizeof magic);
    snprintf(h.kind, sizeof h.kind, "%s", b->s.kind->name);
    h.crc = sum(&h, b->state, b->s.size);
    luaL_buffinitsize(L, &out, sizeof h + b->s.size);
    luaL_addlstring(&out, (const char *)&h, sizeof h);
    luaL_addlstring(&out, b->state, b->s.size);
    luaL_pushresult(&out);
    return 1;
}

/* Each option once more through what checks it: a text may come from anywhere. */
static int restore(struct tw_stat *s, const struct tw_stat_kind *k,
                   const struct tw_stat_options *o, struct tw_error *error)
{
    const struct { const char *name; double value; bool is_set, is_time; } all[] = {
        { "window", o->window, o->window, false },
        { "window", (double)o->window_ns, o->window_ns, true },
        { "alpha", o->alpha, o->alpha != 0, false },
        { "half_life", (double)o->half_life_ns, o->half_life_ns, true },
        { "initial", o->initial, !isnan(o->initial), false },
        { "p", o->p, !isnan(o->p), false },
        { "lag", o->lag, o->lag, false },
        { "k", o->k, o->k, false },
        { "every", (double)o->every_ns, o->every_ns, true },
        { "precision", o->precision, o->precision, false }
    };
    struct tw_stat_options to = tw_stat_no_options();

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].is_set) {
            int rc = tw_stat_set(k, &to, all[i].name, strlen(all[i].name), all[i].value,
                                 all[i].is_time, error);
            if (rc < 0) return rc;
        }
    return tw_stat_init(s, k, &to, error);
}

/* [-0, +3, m] */
static int not_loaded(lua_State *L, const char *why)
{
    luaL_pushfail(L);
    lua_pushfstring(L, "can't load a statistic: %s", why);
    lua_pushinteger(L, TW_EFORMAT);
    return 3;
}

/* stat.load(saved) -> statistic | nil, message, code
 * What statistic:save() has made.
 * Yields: no.  Blocks: no.  Thread: any.
 * Errors: nil when the text is truncated, corrupted, no saved statistic, or of another
 * version; raises for what is no string.  Units: none. */
static int load(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n), *state = text + sizeof(struct head);
    const struct tw_stat_kind *k;
    struct tw_error error;
    struct tw_stat s;
    struct head h;
    struct box *b;

    if (n < sizeof h.magic || memcmp(text, magic, sizeof magic) != 0)
        return not_loaded(L, "the text is none");
    if (n < sizeof h) return not_loaded(L, "the text is truncated");
    memcpy(&h, text, sizeof h);
    if (h.version != VERSION) return not_loaded(L, "it was saved by another version");
    if (n - sizeof h < h.size) return not_loaded(L, "the text is truncated");
    if (n - sizeof h > h.size || sum(&h, state, h.size) != h.crc
        || memchr(h.kind, 0, sizeof h.kind) == NULL)
        return not_loaded(L, "the text is corrupted");
    k = tw_stat_find(h.kind, strlen(h.kind));
    if (!k) return not_loaded(L, "it is of a kind that is not known here");
    if (restore(&s, k, &h.o, &error) < 0) return not_loaded(L, error.text);
    if (s.size != h.size) return not_loaded(L, "it was saved by another version");
    b = push_new(L, &s);
    memcpy(b->state, state, h.size);
    b->time = h.time;
    if (s.ops->valid && !s.ops->valid(&s, b->state))
        return not_loaded(L, "the text is corrupted");
    return 1;
}

/* ---- what there is ---- */

static const struct { unsigned bit; const char *name, *example; } options[] = {
    { TW_STAT_ALPHA, "alpha", "alpha = 0.05" },
    { TW_STAT_ALPHA, "span", "span = 39" },
    { TW_STAT_ALPHA, "half_life", "half_life = 13" },
    { TW_STAT_HALF_LIFE, "half_life", "half_life = \"10s\"" },
    { TW_STAT_P, "p", "p = 0.99" },
    { TW_STAT_WINDOW, "window", "window = 64" },
    { TW_STAT_TIME, "window", "window = \"60s\"" },
    { TW_STAT_LAG, "lag", "lag = 1" },
    { TW_STAT_K, "k", "k = 10" },
    { TW_STAT_EVERY, "every", "every = \"5m\"" },
    { TW_STAT_PRECISION, "precision", "precision = 12" },
    { TW_STAT_INITIAL, "initial", "initial = 0" }
};

/* [-0, +0, m]  The text as a field of the table on top. */
static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

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
        set_text(L, "name", options[i].name);
        set_text(L, "example", options[i].example);
        lua_pushboolean(L, (k->required & options[i].bit) != 0);
        lua_setfield(L, -2, "required");
        lua_pushboolean(L, (TW_STAT_TIME | TW_STAT_HALF_LIFE | TW_STAT_EVERY)
                           & options[i].bit);
        lua_setfield(L, -2, "is_time");
        lua_rawseti(L, -2, ++n);
    }
    lua_setfield(L, -2, "options");
}

/* kinds() -> list of {name, inputs, options, fields, formula, source, cost} */
static int kinds(lua_State *L)
{
    const struct tw_stat_kind *k;

    lua_newtable(L);
    for (unsigned i = 0; (k = tw_stat_kind(i)) != NULL; i++) {
        lua_createtable(L, 0, 8);
        set_text(L, "name", k->name);
        set_text(L, "formula", k->formula);
        set_text(L, "source", k->source);
        set_text(L, "cost", k->cost);
        set_names(L, "inputs", k->inputs);
        set_names(L, "fields", k->fields);
        set_options(L, k);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const luaL_Reg internal[] = {
    { "new", new },
    { "load", load },
    { "check", check_text },
    { "time", time_of },
    { "kinds", kinds },
    { NULL, NULL }
};

int luaopen_tw_internal_stat(lua_State *L)
{
    luaL_newlib(L, internal);
    return 1;
}
