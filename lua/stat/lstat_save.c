/* lstat_save.c - tw.stat: a statistic as a string, and back.
 *
 * Layout: the head, whose sum covers all that follows it, then the state as it is.
 */
#include "stat/lstat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <zlib.h>

enum { VERSION = 2 };

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
_Static_assert(sizeof(struct tw_stat_options) == 8 * 4 + 7 * 8, "no holes");

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
    const struct ltw_stat *b = ltw_check_stat(L, 1);
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
        { "precision", o->precision, o->precision, false },
        { "fast", o->fast, o->fast, false },
        { "slow", o->slow, o->slow, false },
        { "signal", o->signal, o->signal, false },
        { "smooth", o->smooth, o->smooth, false },
        { "deviations", o->deviations, o->deviations != 0, false }
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
    struct ltw_stat *b;

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
    b = ltw_push_stat(L, &s);
    memcpy(b->state, state, h.size);
    b->time = h.time;
    if (s.ops->valid && !s.ops->valid(&s, b->state))
        return not_loaded(L, "the text is corrupted");
    return 1;
}

static const luaL_Reg saving[] = {
    { "save", save },
    { NULL, NULL }
};

static const luaL_Reg loading[] = {
    { "load", load },
    { NULL, NULL }
};

void ltw_stat_add_save(lua_State *L)
{
    luaL_setfuncs(L, saving, 0);
}

void ltw_stat_add_load(lua_State *L)
{
    luaL_setfuncs(L, loading, 0);
}
