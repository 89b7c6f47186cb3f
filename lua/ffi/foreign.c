/* foreign.c - calls of Lua by threads of C: handed to the state, and waited for.
 *
 * Why: a Lua function runs on the thread of its state and on no other, but libraries call
 * back on threads of their own.
 *
 *   C's thread        ltw_foreign_run: into the queue, waits ----------> result
 *                                         | wakes                          ^
 *   the state's       its next turn: a task calls the function, answers ---'
 *
 * A state that is in C has no turns, and what it has called may be waiting for the very
 * thread that waits for it.  So a wait ends when the state's thread has been inside the
 * same call of C for PATIENCE_NS: C gets 0, and that call raises an error.  ffi.blocking
 * leaves the state free; what is awaited in Lua does, too.  Where Lua or a function of a
 * C module keeps the state busy the wait goes on: it may be just long.  After SILENCE_NS
 * it is told of, as nobody sees else why a program stands still.
 *
 * Invariants
 *   F1  Who waits does not leave before its call is over, which only the state says, or
 *       before it has taken it out of the queue itself.
 *   F2  When it is closed, C has left: tasks that go on meanwhile touch no call.
 *   F3  When it is closed, nothing of the state is looked at but on the state's thread.
 *
 * Layer lua.
 */
#include "foreign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "callback.h"
#include "lerror.h"
#include "task/loop.h"
#include "task/task.h"

enum { LOOK_NS = 50000000 };                     /* who waits looks that often */
static const int64_t PATIENCE_NS = 2000000000, SILENCE_NS = 5000000000;
enum { RUNNING_MAX = 100 };                      /* at once, of a state        */

struct ltw_foreign {
    struct ltw_cplace place;
    struct ltw_task server;             /* owner: the state; told of calls      */
    atomic_uint references;
    atomic_uint calls;                  /* atomic: see ltw_foreign_count        */
    struct ltw_state *state;            /* constant; until it is closed         */
    pthread_mutex_t lock;
    struct ltw_foreign_call *waiting, **last;   /* mutex: the first came first  */
    struct ltw_foreign_call *running;   /* mutex                                */
    unsigned n_running;                 /* mutex                                */
    bool is_open, is_closed;            /* mutex                                */
    bool has_told;                      /* mutex: that somebody waits for long  */
};

static _Thread_local struct ltw_within *within;   /* what this thread calls */

/* ---- who is inside C ---- */

static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ltw_cplace *places;       /* mutex */

static void add_place(struct ltw_cplace *p)
{
    pthread_mutex_lock(&places_lock);
    p->next = places;
    p->at = &places;
    if (p->next) p->next->at = &p->next;
    places = p;
    pthread_mutex_unlock(&places_lock);
}

static void remove_place(struct ltw_cplace *p)
{
    pthread_mutex_lock(&places_lock);
    *p->at = p->next;
    if (p->next) p->next->at = p->at;
    pthread_mutex_unlock(&places_lock);
}

/* The call of C that the thread is inside, as a number that is another one for another
 * call; 0: it is outside. */
static uint64_t inside(const void *thread)
{
    uint64_t sum = 0;

    pthread_mutex_lock(&places_lock);
    for (const struct ltw_cplace *p = places; p; p = p->next) {
        /* order [ffi.calls] relaxed: looked at again and again */
        uint64_t n = atomic_load_explicit(&p->calls, memory_order_relaxed);

        /* order [ffi.thread] relaxed: likewise */
        if (atomic_load_explicit(&p->thread, memory_order_relaxed) == thread && n % 2)
            sum = sum * 31 + n + (uintptr_t)p;
    }
    pthread_mutex_unlock(&places_lock);
    return sum;
}

/* ---- the state's side ---- */

static void enqueue_held(struct ltw_foreign_call **at, struct ltw_foreign_call *e)
{
    e->next = *at;
    e->at = at;
    if (e->next) e->next->at = &e->next;
    *at = e;
}

static void dequeue_held(struct ltw_foreign *g, struct ltw_foreign_call *e)
{
    *e->at = e->next;
    if (e->next) e->next->at = e->at;
    else if (e->stage == LTW_CALL_WAITS) g->last = e->at;
}

static void answer_held(struct ltw_foreign *g, struct ltw_foreign_call *e,
                        enum ltw_refusal why)
{
    dequeue_held(g, e);
    if (e->stage == LTW_CALL_RUNS) g->n_running--;
    e->stage = LTW_CALL_OVER;
    e->why = why;
    pthread_cond_signal(&e->changed);
}

static void answer(struct ltw_foreign_call *e)
{
    struct ltw_foreign *g = e->of;

    pthread_mutex_lock(&g->lock);
    answer_held(g, e, LTW_CALLED);
    if (g->waiting) tw_waker_fire(&g->server.waker);   /* there is room for it */
    pthread_mutex_unlock(&g->lock);
}

/* [-1, +0, m]  (a place for a reference, a value): protected. */
static int keep(lua_State *L)
{
    *(int *)lua_touserdata(L, 1) = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* [-1, +0, -]  Keeps the error on top for who awaits it: a reference, or LUA_NOREF. */
static int keep_error(lua_State *L)
{
    int ref = LUA_NOREF;

    lua_pushcfunction(L, keep);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, &ref);
    lua_insert(L, -2);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
    return ref;
}

/* [-0, +0, e]  Protected: the error at 1 goes to where those go that nobody awaits. */
static int tell(lua_State *L)
{
    struct tw_any error;

    ltw_error_wrap(L, L);
    error = ltw_error_freeze(L, 1);
    ltw_error_tell(L, &error);
    tw_any_unref(&error);
    return 0;
}

/* [-1, +0, -]  Nobody awaits the error on top. */
static void tell_error(lua_State *L)
{
    lua_pushcfunction(L, tell);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return;
    lua_pop(L, 1);
    ltw_error_tell(L, &(struct tw_any){ .kind = TW_VALUE_NIL });
}

/* [-1, +0, -] */
static void fail(lua_State *L, struct ltw_foreign_call *e)
{
    e->failed = true;
    if (e->is_awaited) e->error = keep_error(L);
    else tell_error(L);
}

/* There is no memory to say why, which is what no error stands for. */
static void fail_full(lua_State *L, struct ltw_foreign_call *e)
{
    e->failed = true;
    if (!e->is_awaited) ltw_error_tell(L, &(struct tw_any){ .kind = TW_VALUE_NIL });
}

/* [-0, +1, e]  (the task's coroutine, its scope): the error on top of the first, or nil
 * when it is the end of a wait that the scope has ended.  Protected. */
static int take_error(lua_State *L)
{
    const struct ltw_task *t = lua_touserdata(L, 1);
    const struct ltw_scope *by = ltw_error_scope(t->co, -1);

    if (by && ltw_scope_is_within(t->own, by)) lua_pushnil(L);
    else lua_xmove(t->co, L, 1);
    return 1;
}

static void on_ended(struct ltw_task *t, lua_State *co, int status)
{
    struct ltw_foreign_call *e = ltw_foreign_is_over(ltw_state(co)) ? NULL : t->ctx;
    lua_State *L = ltw_state(co)->L;

    if (status != LUA_OK) {
        lua_pushcfunction(L, take_error);
        lua_pushlightuserdata(L, t);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_isnil(L, -1)) lua_pop(L, 1);
        else if (e) fail(L, e);
        else tell_error(L);
    }
    if (e) answer(e);
}

/* [-0, +0, e]  Protected: the task that calls it. */
static int begin(lua_State *L)
{
    struct ltw_foreign_call *e = lua_touserdata(L, 1);
    struct ltw_state *state = ltw_state(L);
    struct ltw_scope *scope = NULL;
    char name[LTW_TASK_NAME];
    int n = ltw_callback_push_call(L, e, &state->script, &scope, name, sizeof name);

    ltw_task_spawn(L, n, scope, name, on_ended, e);
    return 0;
}

static struct ltw_foreign_call *take(struct ltw_foreign *g)
{
    struct ltw_foreign_call *e = NULL;

    pthread_mutex_lock(&g->lock);
    if (g->n_running < RUNNING_MAX && (e = g->waiting)) {
        dequeue_held(g, e);
        e->stage = LTW_CALL_RUNS;
        enqueue_held(&g->running, e);
        g->n_running++;
    }
    pthread_mutex_unlock(&g->lock);
    return e;
}

/* What runs meanwhile is no part of these calls. */
static void on_woken(struct ltw_task *server)
{
    struct ltw_foreign *g =
        (struct ltw_foreign *)((char *)server - offsetof(struct ltw_foreign, server));
    struct ltw_state *state = g->state;
    struct ltw_script *script = state->script;
    struct ltw_task *task = state->task;
    struct ltw_foreign_call *e;
    lua_State *L = state->L;

    server->state = LTW_TASK_WAITING;
    while ((e = take(g))) {
        state->task = server;
        state->script = NULL;
        if (!lua_checkstack(L, 8)) {
            fail_full(L, e);
            answer(e);
            continue;
        }
        lua_pushcfunction(L, begin);
        lua_pushlightuserdata(L, e);
        if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
            fail(L, e);
            answer(e);
        }
    }
    state->task = task;
    state->script = script;
}

/* ---- C's side ---- */

static void wait_a_while(struct ltw_foreign *g, struct ltw_foreign_call *e)
{
    struct timespec till;

    clock_gettime(CLOCK_MONOTONIC, &till);
    till.tv_nsec += LOOK_NS;
    if (till.tv_nsec >= 1000000000) till.tv_sec++, till.tv_nsec -= 1000000000;
    pthread_cond_timedwait(&e->changed, &g->lock, &till);
}

/* On any thread, while g is not closed (F3), or on the state's. */
static void warn(const struct ltw_state *s, const char *text)
{
    if (s->host->log) tw_log_printf(s->host->log, TW_LOG_WARN, s->who, "%s", text);
    else if (s->host->warn) s->host->warn(s->who, text);
}

/* Once for each state. */
static void tell_held(struct ltw_foreign *g)
{
    if (g->has_told || g->is_closed) return;
    g->has_told = true;
    warn(g->state, "C on another thread has waited 5 s for a Lua function, as the state"
                   " is busy. Does what it runs wait for that thread? Then it never"
                   " ends: see `tidewire help ffi`");
}

/* Until it is called, or until the state's thread has been inside one call of C for too
 * long. */
static void wait_for_turn(struct ltw_foreign *g, struct ltw_foreign_call *e,
                          const void *thread)
{
    uint64_t call = 0;
    int64_t since_ns = 0, began_ns = tw_clock_steady_ns();

    while (e->stage == LTW_CALL_WAITS) {
        uint64_t now;

        wait_a_while(g, e);
        pthread_mutex_unlock(&g->lock);
        now = inside(thread);
        pthread_mutex_lock(&g->lock);
        if (now == 0 || now != call) {
            call = now;
            since_ns = tw_clock_steady_ns();
        } else if (e->stage == LTW_CALL_WAITS
                   && tw_clock_steady_ns() - since_ns > PATIENCE_NS) {
            answer_held(g, e, LTW_REFUSED_LATE);
        }
        if (now == 0 && e->stage == LTW_CALL_WAITS && g->n_running < RUNNING_MAX
            && tw_clock_steady_ns() - began_ns > SILENCE_NS)
            tell_held(g);
    }
}

static void wait_for(struct ltw_foreign *g, struct ltw_foreign_call *e)
{
    void *thread;

    pthread_mutex_lock(&g->lock);
    if (!g->is_open || g->is_closed) {
        if (!g->is_closed) e->why = LTW_REFUSED;
        pthread_mutex_unlock(&g->lock);
        return;
    }
    thread = ltw_tasks_thread(g->server.of);
    if (thread == ltw_this_thread()) {
        pthread_mutex_unlock(&g->lock);
        e->why = LTW_REFUSED_HERE;
        return;
    }
    enqueue_held(g->last, e);
    g->last = &e->next;
    tw_waker_fire(&g->server.waker);
    wait_for_turn(g, e, thread);
    while (e->stage != LTW_CALL_OVER) pthread_cond_wait(&e->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

void ltw_foreign_run(struct ltw_foreign *g, struct ltw_foreign_call *e, bool refuses)
{
    struct ltw_within *w = within && within->of == g ? within : NULL;
    int error = errno;

    if (w && (w->failed || w->refused)) return;   /* C is on its way back */
    e->of = g;
    e->error = LUA_NOREF;
    e->is_awaited = w != NULL;
    if (refuses) {
        e->why = LTW_REFUSED;
    } else {
        pthread_condattr_t steady;

        pthread_condattr_init(&steady);
        pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
        pthread_cond_init(&e->changed, &steady);
        pthread_condattr_destroy(&steady);
        ltw_foreign_ref(g);
        wait_for(g, e);
        pthread_cond_destroy(&e->changed);
    }
    if (w) {
        w->failed = e->failed;
        w->error = e->error;
        w->refused = e->why;
    } else if (e->why != LTW_CALLED) {
        /* order [ffi.astray] relaxed: the word alone */
        atomic_store_explicit(&g->place.astray, (int)e->why, memory_order_relaxed);
    }
    if (!refuses) ltw_foreign_unref(g);
    errno = error;
}

/* ---- calls of ffi.blocking ---- */

void ltw_foreign_enter(struct ltw_within *w, struct ltw_foreign *g)
{
    *w = (struct ltw_within){ .of = g, .error = LUA_NOREF };
    within = w;
    ltw_cplace_enter(&w->place);
    add_place(&w->place);
}

void ltw_foreign_leave(struct ltw_within *w)
{
    within = NULL;
    remove_place(&w->place);
}

void ltw_foreign_count(struct ltw_foreign *g, int more)
{
    /* order [ffi.pending] acq_rel: C has done with its memory before it is zero */
    atomic_fetch_add_explicit(&g->calls, (unsigned)more, memory_order_acq_rel);
}

bool ltw_foreign_is_leaving(const struct ltw_foreign *g)
{
    /* order [ffi.pending] acquire: as above */
    return g->is_closed && atomic_load_explicit(&g->calls, memory_order_acquire) > 0;
}

/* ---- all of it ---- */

void ltw_foreign_raise(lua_State *L, enum ltw_refusal why)
{
    static const char *const texts[] = {
        [LTW_REFUSED] = "C called a Lua function on a thread that is not its state's",
        [LTW_REFUSED_LATE] = "C called a Lua function on a thread that is not its"
            " state's, and the state had no turn for it, as its thread was in C;"
            " ffi.blocking leaves it free",
        [LTW_REFUSED_HERE] = "C called a Lua function of a state that was not in C",
        [LTW_REFUSED_FREED] = "C called a callback that was freed",
        [LTW_REFUSED_ROOM] = "C called a Lua function, and there was no memory for it",
    };

    if (why != LTW_CALLED) luaL_error(L, "%s", texts[why]);
}

struct ltw_foreign *ltw_foreign_new(struct ltw_state *state)
{
    struct ltw_foreign *g = tw_calloc(1, sizeof *g);

    if (!g) return NULL;
    atomic_init(&g->references, 1);
    g->state = state;
    g->last = &g->waiting;
    pthread_mutex_init(&g->lock, NULL);
    add_place(&g->place);
    state->foreign = g;
    state->cease = ltw_foreign_close;
    return g;
}

void ltw_foreign_ref(struct ltw_foreign *g)
{
    /* order [ffi.references] relaxed: the caller has one already */
    atomic_fetch_add_explicit(&g->references, 1, memory_order_relaxed);
}

void ltw_foreign_unref(struct ltw_foreign *g)
{
    /* order [ffi.free] acq_rel: who frees it sees all that was done with it */
    if (!g || atomic_fetch_sub_explicit(&g->references, 1, memory_order_acq_rel) > 1)
        return;
    remove_place(&g->place);
    pthread_mutex_destroy(&g->lock);
    tw_free(g);
}

struct ltw_cplace *ltw_foreign_place(struct ltw_foreign *g)
{
    return &g->place;
}

bool ltw_foreign_is_closed(const struct ltw_foreign *g)
{
    return g->is_closed;   /* this thread alone sets it */
}

bool ltw_foreign_is_over(const struct ltw_state *state)
{
    return !state->foreign || ltw_foreign_is_closed(state->foreign);
}

void ltw_foreign_open(struct ltw_foreign *g)
{
    struct ltw_state *s = g->state;
    struct ltw_task *t = s->task;

    if (t && t->level > g->server.level) g->server.level = t->level;
    if (g->is_open || g->is_closed || !s->tasks || !s->host
        || (s->host->log && !ltw_tasks_have_owner(s->tasks)))
        return;   /* an app file has no turns */
    if (!ltw_tasks_have_owner(s->tasks) && !ltw_loop_of(s->tasks)) return;
    ltw_task_init(&g->server, s->tasks, NULL, on_woken, "calls of C's threads");
    ltw_census_leave(&g->server.note);   /* nobody need see it */
    g->server.note.id = 0;
    g->server.state = LTW_TASK_WAITING;
    pthread_mutex_lock(&g->lock);
    g->is_open = true;
    pthread_mutex_unlock(&g->lock);
}

void ltw_foreign_drop(struct ltw_foreign *g, const void *callback)
{
    struct ltw_foreign_call *e, *next;

    pthread_mutex_lock(&g->lock);
    for (e = g->waiting; e; e = next) {
        next = e->next;
        if (e->callback == callback) answer_held(g, e, LTW_REFUSED_FREED);
    }
    pthread_mutex_unlock(&g->lock);
}

void ltw_foreign_close(struct ltw_foreign *g)
{
    unsigned n = 0;
    bool was_open;

    if (!g) return;
    pthread_mutex_lock(&g->lock);
    was_open = g->is_open && !g->is_closed;
    g->is_closed = true;
    for (; g->waiting; n++) answer_held(g, g->waiting, LTW_CALLED);
    for (; g->running; n++) answer_held(g, g->running, LTW_CALLED);
    pthread_mutex_unlock(&g->lock);
    if (!was_open) return;
    ltw_task_fini(&g->server);
    if (n > 0)
        warn(g->state, "C on another thread waited for a Lua function when the state"
                       " ended, and got 0");
}
