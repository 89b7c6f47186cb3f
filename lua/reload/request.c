/* request.c - who wants a new version: tw.reload and tw.rollback, on any thread.
 *
 * Layer lua.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "share/lfuture.h"
#include "reload/reloads.h"
#include "run/script.h"
#include "stat/token.h"

static int post(struct ltw_reloads *r, struct ltw_request *q)
{
    bool stopped;

    pthread_mutex_lock(&r->lock);
    stopped = r->stopped;
    if (!stopped) {
        *r->last = q;
        r->last = &q->next;
    }
    pthread_mutex_unlock(&r->lock);
    if (stopped) return TW_ESTOPPED;
    ltw_app_ring(r->app);
    return TW_OK;
}

struct ltw_terms ltw_request_usual(struct ltw_reloads *r)
{
    struct ltw_terms terms;

    pthread_mutex_lock(&r->lock);
    terms = r->terms;
    pthread_mutex_unlock(&r->lock);
    return terms;
}

void ltw_request_set_usual(struct ltw_reloads *r, const struct ltw_terms *terms)
{
    pthread_mutex_lock(&r->lock);
    r->terms = *terms;
    pthread_mutex_unlock(&r->lock);
}

int ltw_reload_ask(struct ltw_reloads *r, const char *name, int version,
                   const struct ltw_terms *terms, struct tw_future *future)
{
    struct ltw_request *q = tw_calloc(1, sizeof *q);
    int rc;

    if (!q) return UV_ENOMEM;
    q->group = ltw_group_find(r, name);
    q->version = version;
    if (terms) q->terms = *terms;
    else if (version == 0) q->terms = ltw_request_usual(r);
    q->future = future;
    snprintf(q->name, sizeof q->name, "%s", name);
    tw_future_ref(future);
    rc = post(r, q);
    if (rc == TW_OK) return rc;
    tw_future_unref(future);
    tw_free(q);
    return rc;
}

struct ltw_request *ltw_request_take(struct ltw_reloads *r, bool stop)
{
    struct ltw_request *q;

    pthread_mutex_lock(&r->lock);
    r->stopped = r->stopped || stop;
    q = r->first;
    if (q) r->first = q->next;
    if (!r->first) r->last = &r->first;
    pthread_mutex_unlock(&r->lock);
    return q;
}

bool ltw_request_stopped(struct ltw_reloads *r)
{
    bool stopped;

    pthread_mutex_lock(&r->lock);
    stopped = r->stopped;
    pthread_mutex_unlock(&r->lock);
    return stopped;
}

void ltw_request_drop(struct ltw_request *q)
{
    if (!q) return;
    if (q->future) tw_future_unref(q->future);
    tw_free(q);
}

bool ltw_request_is_waiting(struct ltw_reloads *r, const struct ltw_group *g)
{
    const struct ltw_request *q;

    pthread_mutex_lock(&r->lock);
    for (q = r->first; q && q->group != g; q = q->next) continue;
    pthread_mutex_unlock(&r->lock);
    return q != NULL;
}

bool ltw_request_is_held(struct ltw_reloads *r, char name[256])
{
    struct ltw_request *q;

    pthread_mutex_lock(&r->lock);
    for (q = r->first; q && q->is_held; q = q->next) continue;
    if (q) {
        q->is_held = true;
        snprintf(name, 256, "%s", q->group ? q->group->name : q->name);
    }
    pthread_mutex_unlock(&r->lock);
    return q != NULL;
}

bool ltw_request_push(struct ltw_reloads *r, struct ltw_group *g, int version,
                      unsigned guarded)
{
    struct ltw_request *q = tw_calloc(1, sizeof *q);

    if (!q) return false;
    q->group = g;
    q->version = version;
    q->guarded = guarded;
    if (post(r, q) != TW_OK) tw_free(q);
    return true;
}

void ltw_request_leave(struct ltw_reloads *r, struct ltw_request *q)
{
    q->next = r->left;
    r->left = q;
}

/* ---- tw.reload, tw.rollback ---- */

/* [-0, +0, e]  The value on top: a count, or a time like "10m". */
static void check_warm(lua_State *L, const char *what, struct ltw_terms *terms)
{
    int is_integer;
    lua_Integer n = lua_tointegerx(L, -1, &is_integer);
    size_t length;
    const char *text;

    terms->warm_ns = 0;
    terms->warm_records = 0;
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) return;
    if (lua_type(L, -1) == LUA_TNUMBER && is_integer && n >= 0) {
        terms->warm_records = (uint64_t)n;
        return;
    }
    text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (!text || !tw_token_time(text, length, &terms->warm_ns) || terms->warm_ns < 0)
        luaL_error(L, "%s: warm: a number of records or a time like '10m' expected, got"
                   " %s", what, luaL_tolstring(L, -1, NULL));
}

/* [-0, +0, e]  A count, or nothing. */
static uint64_t check_count(lua_State *L, const char *what, const char *name)
{
    int is_integer;
    lua_Integer n = lua_tointegerx(L, -1, &is_integer);

    if (lua_isnil(L, -1)) return 0;
    if (lua_type(L, -1) != LUA_TNUMBER || !is_integer || n < 0)
        luaL_error(L, "%s: %s: a count expected, got %s", what, name,
                   luaL_tolstring(L, -1, NULL));
    return (uint64_t)n;
}

/* [-0, +0, e]  The value on top: a count, or a table. */
static void check_shadow(lua_State *L, const char *what, struct ltw_terms *terms)
{
    static const char *const names[] = { "records", "differences", "errors" };
    uint64_t *const to[] = { &terms->shadow, &terms->differences, &terms->errors };

    terms->shadow = terms->differences = terms->errors = 0;
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) return;
    if (!lua_istable(L, -1)) {
        terms->shadow = check_count(L, what, "shadow");
        return;
    }
    for (int i = 0; i < 3; i++) {
        char name[40];

        snprintf(name, sizeof name, "shadow.%s", names[i]);
        lua_getfield(L, -1, names[i]);
        *to[i] = check_count(L, what, name);
        lua_pop(L, 1);
    }
}

void ltw_request_terms(lua_State *L, int idx, const char *what, struct ltw_terms *terms)
{
    if (lua_isnoneornil(L, idx)) return;
    luaL_checktype(L, idx, LUA_TTABLE);
    if (lua_getfield(L, idx, "warm") != LUA_TNIL) check_warm(L, what, terms);
    lua_pop(L, 1);
    if (lua_getfield(L, idx, "shadow") != LUA_TNIL) check_shadow(L, what, terms);
    lua_pop(L, 1);
}

/* [-0, +1|3, e]  The future of a request. */
static int ask(lua_State *L, const char *what, int version,
               const struct ltw_terms *terms)
{
    struct ltw_host *host = ltw_check_host(L, what);
    const char *name = luaL_checkstring(L, 1);
    struct ltw_box *handle;
    struct tw_future *f;
    int rc;

    if (!host->reloads) return luaL_error(L, "%s: no scripts run here", what);
    if (ltw_is_muted(L)) return ltw_fail(L, UV_EPERM);
    handle = ltw_future_push_empty(L);
    f = tw_future_new(host->unseen);
    if (!f) return luaL_error(L, "%s: not enough memory", what);
    tw_future_ref(f);
    ltw_future_attach(L, handle, f);
    rc = ltw_reload_ask(host->reloads, name, version, terms, f);
    tw_future_unref(f);
    return rc == TW_OK ? 1 : ltw_fail(L, rc);
}

/* [-0, +0, e]  Only these options are there. */
static void check_options(lua_State *L)
{
    if (lua_isnoneornil(L, 2)) return;
    luaL_checktype(L, 2, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

        if (strcmp(name, "warm") != 0 && strcmp(name, "shadow") != 0)
            luaL_error(L, "tw.reload: no option '%s': there are warm and shadow",
                       luaL_tolstring(L, -2, NULL));
    }
}

/* tw.reload(name [, options]) -> future | nil, message, code
 * Reads the file of a script again, with what it requires, and has all its instances go
 * on with that at one record of the tape, or none of them.  name: as app.script names
 * it.  The future has the number of the new version; it fails when that was refused: it
 * did not compile or run, or on_reload or on_check said no in any of the instances; the
 * old version goes on then.  A handler of the script itself should not await it: the
 * change waits for the handler.  Options; what is left out is as app.reload says:
 *   warm   "10m", or a number of records: before it takes over, the new version reads
 *          that much of what the tape still holds, and what it sends comes nowhere
 *   shadow   records that it then handles beside the old version; what both send is
 *          compared.  It takes over when nothing differs, or no more than
 *          { records =, differences =, errors = } says; and the same limits bring the old
 *          version back within as many records after that
 * Yields: no; awaiting the future does.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run and for an option that is not there; nil when the run is
 * ending, and for a candidate.  Units: none. */
int ltw_reload(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "tw.reload");
    struct ltw_terms terms = { 0 };

    check_options(L);
    if (host->reloads) terms = ltw_request_usual(host->reloads);
    ltw_request_terms(L, 2, "tw.reload", &terms);
    return ask(L, "tw.reload", 0, &terms);
}

/* tw.rollback(name [, version]) -> future | nil, message, code
 * As tw.reload, with the text of an earlier version of this run; the one before, when
 * none is named.  It gets a number of its own.
 * Yields: no; awaiting the future does.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run, and when version is not above 0; nil when the run is
 * ending.  Units: none. */
int ltw_rollback(lua_State *L)
{
    lua_Integer version = luaL_optinteger(L, 2, -1);

    luaL_argcheck(L, lua_isnoneornil(L, 2) || (version > 0 && version < INT32_MAX), 2,
                  "a version's number expected");
    return ask(L, "tw.rollback", (int)version, NULL);
}
