/* library.c - the modules of the versions that run, for states that run no script.
 *
 * Why: a job of the pool names the functions of modules that it needs.  What these names
 * mean is what the script has that sent it, not what stands on the disk by now: that may
 * be half written, or refused, or newer than what was brought back.  Where two scripts
 * run different texts of one module, the text that came last counts.
 *
 * Layer lua.
 */
#include "reload/library.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <lauxlib.h>

#include "base/memory.h"
#include "source.h"

struct entry { struct ltw_version *version; struct entry *next; };

struct ltw_library {
    pthread_mutex_t lock;       /* guards first */
    struct entry *first;        /* mutex: what came last is first */
    atomic_uint edition;        /* atomic: under the lock; anybody loads */
};

struct ltw_library *ltw_library_new(void)
{
    struct ltw_library *l = tw_calloc(1, sizeof *l);

    if (l) pthread_mutex_init(&l->lock, NULL);
    return l;
}

void ltw_library_free(struct ltw_library *l)
{
    if (!l) return;
    for (struct entry *e = l->first, *next; e; e = next) {
        next = e->next;
        ltw_version_unref(e->version);
        tw_free(e);
    }
    pthread_mutex_destroy(&l->lock);
    tw_free(l);
}

bool ltw_library_add(struct ltw_library *l, struct ltw_version *v)
{
    struct entry *e = tw_calloc(1, sizeof *e);

    if (!e) return false;
    ltw_version_ref(e->version = v);
    pthread_mutex_lock(&l->lock);
    e->next = l->first;
    l->first = e;
    pthread_mutex_unlock(&l->lock);
    return true;
}

/* Is the text another than in the version before? */
static bool is_other(void *before, const struct ltw_part *t)
{
    const struct ltw_part *old = *t->name
        ? ltw_version_module(before, NULL, t->name, NULL, NULL)
        : ltw_version_file(before);

    return !old || old->n != t->n || memcmp(old->bytes, t->bytes, t->n) != 0;
}

void ltw_library_replace(struct ltw_library *l, struct ltw_version *v)
{
    const char *path = ltw_version_file(v)->path;
    struct entry **at = &l->first, *e;
    struct ltw_version *before;

    pthread_mutex_lock(&l->lock);
    while (strcmp(ltw_version_file((*at)->version)->path, path) != 0) at = &(*at)->next;
    e = *at;
    *at = e->next;
    e->next = l->first;
    l->first = e;
    before = e->version;
    ltw_version_ref(e->version = v);
    /* order [library.edition] release: who sees it finds the version under the lock */
    if (ltw_version_each(v, is_other, before))
        atomic_fetch_add_explicit(&l->edition, 1, memory_order_release);
    pthread_mutex_unlock(&l->lock);
    ltw_version_unref(before);
}

unsigned ltw_library_edition(const struct ltw_library *l)
{
    /* order [library.edition] acquire: as replace says */
    return atomic_load_explicit(&l->edition, memory_order_acquire);
}

struct finding { struct ltw_version *version; const struct ltw_part *part; };

/* With a reference on the version. */
static bool find(struct ltw_library *l, const char *name, struct finding *out)
{
    pthread_mutex_lock(&l->lock);
    out->part = NULL;
    for (const struct entry *e = l->first; e && !out->part; e = e->next) {
        out->version = e->version;
        out->part = ltw_version_module(e->version, NULL, name, NULL, NULL);
    }
    if (out->part) ltw_version_ref(out->version);
    pthread_mutex_unlock(&l->lock);
    return out->part != NULL;
}

/* [-1, +2, e]  The function of the part, and its path. */
static int load(lua_State *L)
{
    const struct ltw_part *t = lua_touserdata(L, 1);

    if (ltw_source_load_text(L, t->path, t->bytes, t->n) != LUA_OK) return lua_error(L);
    lua_pushstring(L, t->path);
    return 2;
}

/* A searcher of package.searchers; its upvalue is the library. */
static int search(lua_State *L)
{
    struct ltw_library *l = lua_touserdata(L, lua_upvalueindex(1));
    const char *name = luaL_checkstring(L, 1);
    struct finding it = { NULL, NULL };
    int status;

    if (!find(l, name, &it)) {
        lua_pushfstring(L, "no script has '%s'", name);
        return 1;
    }
    lua_pushcfunction(L, load);
    lua_pushlightuserdata(L, (void *)it.part);
    status = lua_pcall(L, 1, 2, 0);
    ltw_version_unref(it.version);
    return status == LUA_OK ? 2 : lua_error(L);
}

void ltw_library_open(lua_State *L, struct ltw_library *l)
{
    int top = lua_gettop(L);

    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) {   /* after the preloaded ones */
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushlightuserdata(L, l);
    lua_pushcclosure(L, search, 1);
    lua_rawseti(L, -2, 2);
    lua_settop(L, top);
}
