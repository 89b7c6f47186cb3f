/* remote.c - tasks that other states send to a worker.
 *
 * Why not the worker's mailbox: what is sent must be settled also when the worker has
 * ended before it came, so sending and ending share a lock.
 *
 *     sender --> inbox --> running: tasks of the worker's state --> future
 *
 * Invariants
 *   R1  The future of what was sent is settled once, by the worker: also when it ends.
 *   R2  A remote has a reference of its future's, until that can't call stop any more,
 *       and one of whoever is to settle it.
 */
#include "task/remote.h"

#include <pthread.h>
#include <stdio.h>

#include "base/memory.h"
#include "run/engine.h"
#include "share/lcall.h"
#include "lerror.h"
#include "share/lfuture.h"
#include "share/lvalue.h"
#include "share/cache_load.h"

struct remote {
    struct ltw_remotes *of;           /* constant                                */
    struct remote *next, **link;      /* inbox: mutex; running: owner the worker */
    struct ltw_task *task;            /* owner: the worker                       */
    struct tw_any call;               /* constant                                */
    struct tw_future *future;         /* constant; one reference                 */
    struct tw_load *load;             /* constant: what it is part of, or NULL   */
    int64_t due_ns;                   /* constant                                */
    uint64_t parent;                  /* constant                                */
    unsigned level;                   /* constant                                */
    char label[LTW_TASK_NAME];        /* constant                                */
    struct tw_any value;              /* owner: the worker; the result           */
    atomic_uint references;           /* atomic: R2                              */
    atomic_bool unwanted;             /* atomic: who abandons it sets it         */
};

struct ltw_remotes {
    struct tw_worker *worker;         /* constant                                */
    struct remote *running;           /* owner: the worker                       */
    unsigned n;                       /* owner: the worker; of running           */
    atomic_bool look;                 /* atomic: there is something to do        */
    atomic_bool distrusted;           /* atomic: the worker stores, as it opens  */
    pthread_mutex_t lock;
    struct remote *first, **last;     /* mutex: the inbox                        */
    bool closed;                      /* mutex                                   */
};

/* ---- lives ---- */

static void unref(struct remote *r)
{
    /* order [remote.references] acq_rel: every use comes before the free */
    if (atomic_fetch_sub_explicit(&r->references, 1, memory_order_acq_rel) > 1) return;
    tw_any_unref(&r->call);
    if (r->load) tw_load_unref(r->load);
    tw_future_unref(r->future);
    tw_free(r);
}

/* R2: who settled it knows that stop will never be called. */
static void done(struct remote *r, bool settled)
{
    if (settled) unref(r);
    unref(r);
}

static void look(struct ltw_remotes *rs)
{
    /* order [remotes.look] release: what there is to see comes before */
    atomic_store_explicit(&rs->look, true, memory_order_release);
    tw_worker_ring(rs->worker);
}

/* The last one who wanted it has left.  Thread: any. */
static void on_abandoned(void *ctx)
{
    struct remote *r = ctx;

    /* order [remote.unwanted] relaxed: look orders it */
    atomic_store_explicit(&r->unwanted, true, memory_order_relaxed);
    look(r->of);
    unref(r);
}

struct ltw_remotes *ltw_remotes_new(struct tw_worker *w)
{
    struct ltw_remotes *rs = tw_calloc(1, sizeof *rs);

    if (!rs) return NULL;
    rs->worker = w;
    rs->last = &rs->first;
    pthread_mutex_init(&rs->lock, NULL);
    return rs;
}

void ltw_remotes_distrust(struct ltw_remotes *rs)
{
    /* order [remotes.distrusted] relaxed: the flag alone */
    atomic_store_explicit(&rs->distrusted, true, memory_order_relaxed);
}

void ltw_remotes_free(struct ltw_remotes *rs)
{
    if (!rs) return;
    ltw_remotes_close(rs);
    pthread_mutex_destroy(&rs->lock);
    tw_free(rs);
}

static struct remote *take_inbox(struct ltw_remotes *rs, bool close)
{
    struct remote *came;

    pthread_mutex_lock(&rs->lock);
    came = rs->first;
    rs->first = NULL;
    rs->last = &rs->first;
    rs->closed = rs->closed || close;
    pthread_mutex_unlock(&rs->lock);
    return came;
}

static void cancel_all(struct remote *list)
{
    for (struct remote *next; list; list = next) {
        next = list->next;
        done(list, tw_future_cancel(list->future));   /* R1 */
    }
}

void ltw_remotes_close(struct ltw_remotes *rs)
{
    cancel_all(take_inbox(rs, true));
    cancel_all(rs->running);
    rs->running = NULL;
    rs->n = 0;
}

/* ---- on the worker ---- */

/* [-0, +0, e]  In its task, above 2 values: what the function gave. */
static int finish(lua_State *L, int status, lua_KContext context)
{
    struct remote *r = lua_touserdata(L, 1);
    int n = lua_gettop(L) - 2;

    (void)status, (void)context;
    if (n > 1)
        return luaL_error(L, "task %s returned %d values, and a future has one: put them"
                          " into a table", r->label, n);
    if (n == 1) r->value = ltw_check_any_named(L, 3, "result");
    return 0;
}

static int perform(lua_State *L)
{
    struct remote *r = lua_touserdata(L, 1);
    int n;

    lua_pushnil(L);
    n = ltw_call_push(L, &r->call);
    lua_callk(L, n, LUA_MULTRET, 0, finish);
    return finish(L, LUA_OK, 0);
}

static int freeze_error(lua_State *L)
{
    *(struct tw_any *)lua_touserdata(L, 1) = ltw_error_freeze(L, 2);
    return 0;
}

static void on_ended(struct ltw_task *t, lua_State *co, int status)
{
    struct remote *r = t->ctx;
    lua_State *L = ltw_state(co)->L;
    struct tw_any error = { .kind = TW_VALUE_NIL };

    *r->link = r->next;
    if (r->next) r->next->link = r->link;
    r->of->n--;
    if (status == LUA_OK) {
        done(r, tw_future_resolve(r->future, r->value));   /* R1 */
    } else if (ltw_error_scope(co, -1) == t->own) {
        done(r, tw_future_cancel(r->future));
    } else {
        lua_pushcfunction(L, freeze_error);
        lua_pushlightuserdata(L, &error);
        lua_xmove(co, L, 1);
        if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
        done(r, tw_future_fail(r->future, error));
    }
}

/* [-0, +0, e]  Protected. */
static int begin(lua_State *L)
{
    struct remote *r = lua_touserdata(L, 1);
    struct ltw_task *t;

    lua_pushcfunction(L, perform);
    lua_pushlightuserdata(L, r);
    t = ltw_task_spawn(L, 1, NULL, r->label, on_ended, r);
    if (r->due_ns) t->own->due_ns = r->due_ns;
    ltw_census_sent_by(&t->note, r->parent);
    t->level = r->level;
    t->load = r->load;
    if (t->load) tw_load_ref(t->load);
    r->task = t;
    return 0;
}

static void begin_one(struct ltw_remotes *rs, struct ltw_state *state, struct remote *r)
{
    struct tw_any error = { .kind = TW_VALUE_NIL };

    r->next = rs->running;
    if (r->next) r->next->link = &r->next;
    r->link = &rs->running;
    rs->running = r;
    rs->n++;
    lua_pushcfunction(state->L, begin);
    lua_pushlightuserdata(state->L, r);
    if (lua_pcall(state->L, 1, 0, 0) == LUA_OK) return;
    rs->running = r->next;
    if (r->next) r->next->link = &rs->running;
    rs->n--;
    lua_pushcfunction(state->L, freeze_error);
    lua_insert(state->L, -2);
    lua_pushlightuserdata(state->L, &error);
    lua_insert(state->L, -2);
    if (lua_pcall(state->L, 2, 0, 0) != LUA_OK) lua_pop(state->L, 1);
    done(r, tw_future_fail(r->future, error));
}

static bool is_unwanted(const struct remote *r)
{
    /* order [remote.unwanted] relaxed: look orders it */
    return atomic_load_explicit(&r->unwanted, memory_order_relaxed);
}

bool ltw_remotes_ready(const struct ltw_remotes *rs)
{
    /* order [remotes.look] relaxed: a hint; the exchange in step orders */
    return atomic_load_explicit(&rs->look, memory_order_relaxed);
}

bool ltw_remotes_step(struct ltw_remotes *rs, struct ltw_state *state)
{
    struct remote *came, *next;

    if (!ltw_remotes_ready(rs)) return false;
    /* order [remotes.look] acquire: what was put there before */
    atomic_exchange_explicit(&rs->look, false, memory_order_acquire);
    for (came = take_inbox(rs, false); came; came = next) {
        next = came->next;
        if (is_unwanted(came)) done(came, tw_future_cancel(came->future));
        else begin_one(rs, state, came);
    }
    for (struct remote *r = rs->running; r; r = r->next)
        if (is_unwanted(r))
            ltw_scope_cancel(state->tasks, r->task->own,
                             "nobody wants its result any more");
    return true;
}

void ltw_remotes_stop(struct ltw_remotes *rs, struct ltw_state *state)
{
    cancel_all(take_inbox(rs, true));
    for (struct remote *r = rs->running; r; r = r->next)
        ltw_scope_cancel(state->tasks, r->task->own, "the run is ending");
}

unsigned ltw_remotes_running(const struct ltw_remotes *rs)
{
    return rs->n;
}

/* ---- sending ---- */

static int post(struct ltw_remotes *rs, struct remote *r)
{
    bool closed;

    pthread_mutex_lock(&rs->lock);
    closed = rs->closed;
    if (!closed) {
        *rs->last = r;
        rs->last = &r->next;
    }
    pthread_mutex_unlock(&rs->lock);
    if (closed) return TW_ESTOPPED;
    look(rs);
    return TW_OK;
}

static void inherit(lua_State *L, struct remote *r)
{
    struct ltw_task *t = ltw_task_current(L);
    int64_t due_ns;

    if (!t) return;
    due_ns = ltw_scope_due_ns(t->scope);
    if (due_ns != INT64_MAX) r->due_ns = due_ns;
    r->parent = t->note.id;
    r->level = t->level;
    r->load = t->load;
    if (r->load) tw_load_ref(r->load);
}

/* The call's reference is its own, also when there is no memory: NULL. */
static struct remote *make(struct ltw_remotes *rs, const struct tw_unseen *unseen,
                           struct tw_any call, const char *label)
{
    struct remote *r = tw_calloc(1, sizeof *r);

    if (r) r->future = tw_future_new(unseen);
    if (!r || !r->future) {
        tw_any_unref(&call);
        tw_free(r);
        return NULL;
    }
    r->of = rs;
    r->call = call;
    snprintf(r->label, sizeof r->label, "%s", label);
    atomic_init(&r->references, 2);
    tw_future_on_abandoned(r->future, on_abandoned, r);
    return r;
}

int ltw_remote_send(struct ltw_remotes *rs, const struct tw_unseen *unseen,
                    struct tw_any call, const char *label, struct tw_future **out)
{
    struct remote *r = make(rs, unseen, call, label);
    int rc;

    if (!r) return UV_ENOMEM;
    *out = r->future;
    tw_future_ref(r->future);
    rc = post(rs, r);
    if (rc == TW_OK) return TW_OK;
    done(r, tw_future_cancel(r->future));
    tw_future_unref(*out);
    return rc;
}

int ltw_remote_spawn(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    lua_Integer worker = luaL_checkinteger(L, 1);
    struct ltw_remotes *rs;
    struct ltw_box *handle;
    struct remote *r;
    struct tw_any call;
    char label[LTW_TASK_NAME];
    int rc;

    if (!host || host->n_workers == 0)
        return luaL_error(L, "scope:spawn_on: there are no workers here, only \"pool\";"
                          " a run has them");
    if (worker < 0 || worker >= (lua_Integer)host->n_workers)
        return luaL_error(L, "scope:spawn_on: worker %I of %I (0 .. %I)", worker,
                          (lua_Integer)host->n_workers,
                          (lua_Integer)host->n_workers - 1);
    rs = host->remotes[worker];
    /* order [remotes.distrusted] relaxed: the flag alone */
    if (ltw_state(L)->distrusted
        && !atomic_load_explicit(&rs->distrusted, memory_order_relaxed))
        return luaL_error(L, "scope:spawn_on: worker %I runs scripts that the app trusts,"
                          " and this one it does not", worker);
    handle = ltw_future_push_empty(L);
    lua_replace(L, 1);
    lua_pushnil(L);
    lua_insert(L, 2);
    call = ltw_call_pack(L, 2, "scope:spawn_on", label, sizeof label);
    r = make(rs, host->unseen, call, label);
    if (!r) return luaL_error(L, "scope:spawn_on: not enough memory");
    inherit(L, r);
    tw_future_ref(r->future);
    ltw_future_attach(L, handle, r->future);
    rc = post(rs, r);
    if (rc == TW_OK) return 1;
    done(r, tw_future_cancel(r->future));
    return ltw_fail(L, rc);
}
