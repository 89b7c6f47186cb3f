/* filter.c - which symbols, topics, feeds and FIX sessions a script wants.
 *
 * Why: a name is matched against patterns and shards once, when its id is
 * first seen; a record then costs the look at one byte.
 *
 * A sharded symbol goes to the instance with the highest hash of (symbol,
 * instance): growing from n to n + 1 instances moves 1 / (n + 1) of them.
 */
#include "run/filter.h"

#include <fnmatch.h>
#include <string.h>
#include <uv.h>

#include "base/hashed.h"
#include "base/memory.h"
#include "fix/lfix_session.h"

char **ltw_check_list(lua_State *L, int idx, const char *what)
{
    lua_Integer n;
    char **list, *text;
    size_t bytes = 0;

    idx = lua_absindex(L, idx);
    if (lua_isnil(L, idx)) return NULL;
    if (lua_type(L, idx) == LUA_TSTRING) {
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, idx);
        lua_rawseti(L, -2, 1);
        lua_replace(L, idx);
    }
    if (lua_type(L, idx) != LUA_TTABLE)
        luaL_error(L, "%s: a list of names expected, got a %s", what,
                   luaL_typename(L, idx));
    n = luaL_len(L, idx);
    for (lua_Integer i = 1; i <= n; i++, lua_pop(L, 1)) {
        if (lua_rawgeti(L, idx, i) != LUA_TSTRING)
            luaL_error(L, "%s[%I]: a name expected, got a %s", what, i,
                       luaL_typename(L, -1));
        bytes += lua_rawlen(L, -1) + 1;
    }
    list = tw_calloc(1, (size_t)(n + 1) * sizeof *list + bytes);
    if (!list) luaL_error(L, "%s: not enough memory", what);
    text = (char *)(list + n + 1);
    for (lua_Integer i = 1; i <= n; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, idx, i);
        list[i - 1] = strcpy(text, lua_tostring(L, -1));
        text += strlen(text) + 1;
    }
    return list;
}

void ltw_filter_free(struct ltw_filter *f)
{
    tw_free(f->names);
    tw_free(f->groups);
    tw_free(f->wanted);
    *f = (struct ltw_filter){ 0 };
}

bool ltw_filter_matches(char **list, const char *name)
{
    if (!list) return true;
    for (; *list; list++)
        if (fnmatch(*list, name, 0) == 0) return true;
    return false;
}

/* FNV-1a over the name and the instance, then murmur3's finaliser. */
static uint64_t weigh(const char *name, unsigned instance)
{
    uint64_t h = tw_hash(TW_HASH ^ instance, name, strlen(name) + 1);

    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

static bool is_ours(const struct ltw_filter *f, const char *name)
{
    uint64_t ours;

    if (f->shards < 2) return true;
    ours = weigh(name, f->shard);
    for (unsigned i = 0; i < f->shards; i++) {
        uint64_t other = weigh(name, i);

        if (other > ours || (other == ours && i < f->shard)) return false;
    }
    return true;
}

static int grow(struct ltw_filter *f, uint32_t id)
{
    uint32_t capacity = f->capacity ? f->capacity : 64;
    uint8_t *wanted;

    while (capacity <= id) capacity *= 2;
    if (capacity == f->capacity) return TW_OK;
    wanted = tw_realloc(f->wanted, capacity);
    if (!wanted) return UV_ENOMEM;
    f->wanted = wanted;
    f->capacity = capacity;
    return TW_OK;
}

char **ltw_filter_unknown(char **name, const struct tw_symbols *symbols)
{
    for (; name && *name; name++)
        if (!strpbrk(*name, "*?[") && !tw_symbols_find(symbols, *name, strlen(*name)))
            return name;
    return NULL;
}

int ltw_filter_learn_symbols(struct ltw_filter *f, const struct tw_symbols *symbols,
                             uint32_t id)
{
    if (grow(f, id) < 0) return UV_ENOMEM;
    for (; f->known <= id; f->known++) {
        const char *name = f->known ? tw_symbols_name(symbols, f->known) : "";
        uint32_t sector = f->known ? tw_symbols_get(symbols, f->known).sector : 0;

        f->wanted[f->known] = f->known && ltw_filter_matches(f->names, name)
            && is_ours(f, name)
            && ltw_filter_matches(f->groups,
                                  sector ? tw_names_get(f->sectors, sector) : "");
    }
    return TW_OK;
}

int ltw_filter_learn_topics(struct ltw_filter *f, const struct tw_names *topics,
                            uint32_t id)
{
    if (grow(f, id) < 0) return UV_ENOMEM;
    for (; f->known <= id; f->known++)
        f->wanted[f->known] = f->known
            && ltw_filter_matches(f->names, tw_names_get(topics, f->known));
    return TW_OK;
}

int ltw_filter_learn_sessions(struct ltw_filter *f, const struct tw_names *topics,
                              uint32_t id)
{
    char name[TW_NAME_MAX + 1];

    if (grow(f, id) < 0) return UV_ENOMEM;
    for (; f->known <= id; f->known++)
        f->wanted[f->known] = f->known
            && ltw_fix_session(tw_names_get(topics, f->known), name)
            && ltw_filter_matches(f->names, name);
    return TW_OK;
}

bool ltw_filter_takes(struct ltw_feeds *f, const struct tw_sources *sources, unsigned id)
{
    enum { NEW, NO, YES };

    if (f->wanted[id] == NEW)
        f->wanted[id] = id > 0 && ltw_filter_matches(f->names,
                                                     tw_sources_name(sources, id))
                        ? YES : NO;
    return f->wanted[id] == YES;
}
