/* request.c - who wants a new version: tw.reload and tw.rollback, on any thread.
 *
 * Layer lua.
 */
#include <stdio.h>

#include "base/memory.h"
#include "lfuture.h"
#include "reloads.h"

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

int ltw_reload_ask(struct ltw_reloads *r, const char *name, int version,
                   struct tw_future *future)
{
    struct ltw_request *q = tw_calloc(1, sizeof *q);
    int rc;

    if (!q) return UV_ENOMEM;
    q->group = ltw_group_find(r, name);
    q->version = version;
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

void ltw_request_leave(struct ltw_reloads *r, struct ltw_request *q)
{
    q->next = r->left;
    r->left = q;
}

/* ---- tw.reload, tw.rollback ---- */

/* [-0, +1|3, e]  The future of a request. */
static int ask(lua_State *L, const char *what, int version)
{
    struct ltw_host *host = ltw_check_host(L, what);
    const char *name = luaL_checkstring(L, 1);
    struct ltw_box *handle;
    struct tw_future *f;
    int rc;

    if (!host->reloads) return luaL_error(L, "%s: no scripts run here", what);
    handle = ltw_future_push_empty(L);
    f = tw_future_new(host->unseen);
    if (!f) return luaL_error(L, "%s: not enough memory", what);
    tw_future_ref(f);
    ltw_future_attach(L, handle, f);
    rc = ltw_reload_ask(host->reloads, name, version, f);
    tw_future_unref(f);
    return rc == TW_OK ? 1 : ltw_fail(L, rc);
}

/* tw.reload(name) -> future | nil, message, code
 * Reads the file of a script again, with what it requires, and has all its instances go
 * on with that at one record of the tape, or none of them.  name: as app.script names
 * it.  The future has the number of the new version; it fails when that was refused: it
 * did not compile or run, or on_reload or on_check said no in any of the instances; the
 * old version goes on then.  A handler of the script itself should not await it: the
 * change waits for the handler.
 * Yields: no; awaiting the future does.  Blocks: no.  Thread: any worker.
 * Errors: raises outside a run; nil when the run is ending.  Units: none. */
int ltw_reload(lua_State *L)
{
    return ask(L, "tw.reload", 0);
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
    return ask(L, "tw.rollback", (int)version);
}
