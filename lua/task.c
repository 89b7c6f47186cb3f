/* task.c - coroutines that wait: what runs them, what they wait for.
 *
 * Why: a Lua coroutine can yield from any depth, so waiting needs no other kind
 * of function.  What waits is parked at places, in the lists of what it waits
 * for; whoever changes one of these things, on whatever thread, tells the task's
 * waker, and the state's own thread lets it look again.
 *
 *   READY --run--> RUNNING --park--> WAITING --told, due, cancelled--> READY
 *                     '------------> DONE
 *
 * The main task is what runs outside all coroutines, in a plain interpreter: it
 * can't yield, so when it has to wait it runs the others meanwhile.
 *
 * Invariants
 *   T1  A waiting task stands in the list of each of its places.  It leaves them
 *       when it has looked again, so that a wake-up that it had no use for can be
 *       passed on, and before what it waited for can go.
 *   T2  A task that is told, due or cancelled while it doesn't wait loses nothing:
 *       whoever parks looks at the condition after it has joined.
 *   T3  A yield without a park is an error: nothing would ever resume it.
 */
#include "task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "due.h"
#include "lerror.h"
#include "lfuture.h"
#include "ready.h"
#include "run/bell.h"
#include "script.h"
#include "share/cache_load.h"
#include "watchdog.h"

/* A wait that raises because its scope is over may be caught, so that there is time
 * to tidy up; a job that waits again so often is not about to end. */
enum { LOOK_NS = 50000, STUBBORN = 100 };
enum { TURN = 128 };   /* things that a task may take in a row */

struct ltw_tasks {
    struct ltw_state *state;          /* constant                                */
    struct tw_mailbox box;            /* see wait.h                              */
    void (*ring)(void *ctx);          /* constant; the owner's way to be woken   */
    void (*expect)(void *ctx, int64_t ns);   /* constant; see ltw_tasks_on_await */
    void *ctx;                        /* constant; of the two                    */
    struct ltw_task *all;             /* spawned ones                            */
    struct ltw_task *others;          /* the main one, or those of scripts       */
    struct ltw_task main;             /* what runs outside all coroutines        */
    struct ltw_ready ready;           /* those that may run                      */
    unsigned n_aside;                 /* of them                                 */
    struct ltw_due due;               /* those that wait up to a time            */
    unsigned count;                   /* of `all`                                */
    uv_loop_t own, *loop;             /* loop: own, or somebody else's           */
    struct tw_bell bell;              /* of the own loop                         */
    uv_timer_t *timer;                /* for the nearest due_ns                  */
    atomic_bool interrupted;          /* atomic: a signal handler sets it        */
    bool alone;                       /* owner: there is one processor           */
};

/* ---- lists ---- */

static void list(struct ltw_task *t, struct ltw_task **in)
{
    t->next = *in;
    if (t->next) t->next->link = &t->next;
    t->link = in;
    *in = t;
}

static void unlist(struct ltw_task *t)
{
    *t->link = t->next;
    if (t->next) t->next->link = t->link;
}

/* Room for a task is made when it is spawned: becoming ready can't fail. */
static void push_ready(struct ltw_task *t)
{
    ltw_ready_push(&t->of->ready, t);
}

/* ---- timers ---- */

static void on_timer(uv_timer_t *timer);

/* libuv's clock is whole milliseconds, rounded down: a wait that is counted from
 * there could end a millisecond early, so it is the end that is rounded up. */
static void arm(struct ltw_tasks *ts)
{
    struct ltw_task *first = ltw_due_first(&ts->due);
    uint64_t now_ms, due_ms;

    if (!ts->timer) return;
    if (!first) {
        uv_timer_stop(ts->timer);
        return;
    }
    now_ms = uv_now(ts->loop);
    due_ms = ((uint64_t)first->due_ns + 999999) / 1000000;
    uv_timer_start(ts->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct ltw_tasks *ts = timer->data;
    int64_t now_ns = tw_clock_steady_ns();
    struct ltw_task *t;

    while ((t = ltw_due_first(&ts->due)) && t->due_ns <= now_ns) ltw_task_wake(t);
    arm(ts);
    uv_stop(ts->loop);   /* it may run timers first and then sleep, whatever they did */
}

/* ---- waiting ---- */

static void set_state(struct ltw_task *t, enum ltw_task_state state)
{
    t->state = state;
    ltw_census_write(&t->note, state, t->what);
}

static void leave_places(struct ltw_task *t)
{
    for (unsigned i = 0; i < t->n; i++)
        t->places[i].leave(t->places[i].thing, &t->places[i].node);
    t->n = 0;
    t->places = NULL;
}

void ltw_task_wake(struct ltw_task *t)
{
    if (t->state != LTW_TASK_WAITING) return;   /* T2 */
    ltw_due_remove(&t->of->due, t);
    set_state(t, LTW_TASK_READY);
    t->woken(t);
}

void ltw_task_step_aside(lua_State *L)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_task *t = state->task;

    t->aside = true;
    t->of->n_aside++;
    set_state(t, LTW_TASK_READY);
    t->woken(t);
    state->parked = true;
}

void ltw_task_leave(lua_State *L)
{
    struct ltw_task *t = ltw_state(L)->task;

    if (t) leave_places(t);
}

static void hear(struct ltw_tasks *ts)
{
    struct tw_waker *next;

    for (struct tw_waker *w = tw_mailbox_take(&ts->box); w; w = next) {
        next = tw_waker_heard(w);
        ltw_task_wake((struct ltw_task *)w);
    }
}

struct ltw_task *ltw_task_current(lua_State *L)
{
    return ltw_state(L)->task;
}

int64_t ltw_task_due_ns(lua_State *L, int idx)
{
    lua_Number seconds;

    if (lua_isnoneornil(L, idx)) return 0;
    seconds = luaL_checknumber(L, idx);
    luaL_argcheck(L, seconds >= 0, idx, "a number of seconds from 0 on expected");
    if (seconds > 1e9) return 0;   /* 30 years */
    return tw_clock_steady_ns() + (int64_t)(seconds * 1e9);
}

bool ltw_task_is_due(int64_t due_ns)
{
    return due_ns != 0 && tw_clock_steady_ns() >= due_ns;
}

static struct ltw_scope *over(const struct ltw_task *t, int64_t *due_ns)
{
    /* Most tasks have no deadline and are not cancelled: no need for a clock. */
    struct ltw_scope *s = ltw_scope_over(t->scope, INT64_MIN, due_ns);

    if (s || *due_ns == INT64_MAX) return s;
    return ltw_scope_over(t->scope, tw_clock_steady_ns(), due_ns);
}

const struct ltw_scope *ltw_task_over(lua_State *L)
{
    int64_t due_ns;
    struct ltw_task *t = ltw_task_current(L);

    return t ? over(t, &due_ns) : NULL;
}

void ltw_task_check(lua_State *L, const char *what)
{
    struct ltw_task *t = ltw_task_current(L);
    struct ltw_scope *s;
    int64_t due_ns;

    if (!t) luaL_error(L, "%s: can't wait here, outside a task and a handler", what);
    s = over(t, &due_ns);
    if (!s) return;
    leave_places(t);
    if (++s->ended > STUBBORN) ltw_watchdog_stop(ltw_state(L));
    ltw_error_push_over(L, s, what);
    lua_error(L);
}

static void raise_interrupt(lua_State *L)
{
    struct ltw_tasks *ts = ltw_state(L)->tasks;

    /* order [tasks.interrupted] relaxed: set by a signal handler of this thread */
    if (!atomic_exchange_explicit(&ts->interrupted, false, memory_order_relaxed)) return;
    leave_places(&ts->main);
    luaL_error(L, "interrupted!");
}

/* A wake-up costs as much as a short job: where there is a processor for whoever
 * brings what is awaited, look that long before going to sleep. */
static bool look_out(struct ltw_tasks *ts)
{
    int64_t end_ns;

    if (ts->main.what != ltw_await_what || ts->alone) return false;
    end_ns = tw_clock_steady_ns() + LOOK_NS;
    do
        for (int i = 0; i < 64; i++)
            if (ltw_tasks_ready(ts)) return true;
    while (tw_clock_steady_ns() < end_ns);
    return false;
}

static bool is_interrupted(const struct ltw_tasks *ts)
{
    /* order [tasks.interrupted] relaxed: set by a signal handler of this thread */
    return atomic_load_explicit(&ts->interrupted, memory_order_relaxed);
}

/* One turn of the own loop, with the tasks that are ready; it sleeps when there is
 * nothing to do. */
static void turn(struct ltw_tasks *ts)
{
    bool worked = ltw_tasks_step(ts);

    if (ts->main.state != LTW_TASK_READY) {
        bool sleeps = !worked && !look_out(ts) && !ltw_tasks_ready(ts)
                   && !is_interrupted(ts) && tw_bell_sleep(&ts->bell);

        uv_run(ts->loop, sleeps ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    }
    tw_bell_wake(&ts->bell);
}

/* Runs the others until the main task has been woken. */
static void wait_in_place(struct ltw_tasks *ts)
{
    while (ts->main.state == LTW_TASK_WAITING) {
        if (is_interrupted(ts)) ltw_task_wake(&ts->main);
        else turn(ts);
    }
    ts->state->task = &ts->main;
    ts->state->script = NULL;
    set_state(&ts->main, LTW_TASK_RUNNING);
}

static bool open_loop(struct ltw_tasks *ts);

bool ltw_task_park(lua_State *L, struct ltw_place *places, unsigned n, int64_t due_ns,
                   const char *what)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_task *t = state->task;
    struct ltw_tasks *ts = state->tasks;
    int64_t scope_due_ns;
    bool in_place;

    ltw_task_check(L, what);
    in_place = t == &ts->main && !lua_isyieldable(L);
    if (t->places != places) leave_places(t);   /* T1 */
    if (!in_place && !lua_isyieldable(L))
        luaL_error(L, "%s: can't wait here, where a C function called this one"
                   " (table.sort, string.gsub, a finalizer)", what);
    if (!ltw_due_reserve(&ts->due) || !open_loop(ts)) luaL_error(L, "not enough memory");
    over(t, &scope_due_ns);
    t->due_ns = due_ns ? due_ns : INT64_MAX;
    if (scope_due_ns < t->due_ns) t->due_ns = scope_due_ns;
    t->places = places;
    t->what = what;
    t->at = L;
    set_state(t, LTW_TASK_WAITING);
    t->n = n;
    for (unsigned i = 0; i < n; i++) {
        struct ltw_place *p = &places[i];

        p->node.waker = &t->waker;
        if (p->join(p->thing, &p->node)) continue;
        leave_places(t);
        set_state(t, LTW_TASK_RUNNING);
        return false;
    }
    if (t->due_ns != INT64_MAX) {
        ltw_due_add(&ts->due, t);
        if (t->timer == 1) arm(ts);
    }
    if (in_place) {
        wait_in_place(ts);
        raise_interrupt(L);
        return false;
    }
    if (ts->expect && what == ltw_await_what) ts->expect(ts->ctx, LOOK_NS);
    state->parked = true;
    return true;
}

bool ltw_task_rest(lua_State *L)
{
    struct ltw_task *t = ltw_task_current(L);

    if (!t || !t->own || L != t->co || !lua_isyieldable(L)) return false;
    if (++t->took < TURN) return false;
    t->took = 0;
    set_state(t, LTW_TASK_WAITING);
    ltw_task_wake(t);
    ltw_state(L)->parked = true;
    return true;
}

bool ltw_task_pass(lua_State *L, bool *refused)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_task *t = state->task;

    *refused = false;
    if (lua_isyieldable(L)) return true;
    state->parked = false;
    if (t == &state->tasks->main) {
        wait_in_place(state->tasks);
    } else {
        ltw_due_remove(&t->of->due, t);   /* it looks again when it is resumed */
        leave_places(t);
        set_state(t, LTW_TASK_RUNNING);
        *refused = true;
    }
    return false;
}

static bool lose(struct ltw_task *t, const lua_State *co, const lua_State *innermost)
{
    for (; t; t = t->next) {
        if (t->co == co) return false;
        if (t->at != innermost) continue;
        leave_places(t);
        ltw_task_wake(t);
    }
    return true;
}

bool ltw_task_lose(lua_State *L, const lua_State *co, const lua_State *innermost)
{
    struct ltw_tasks *ts = ltw_state(L)->tasks;

    return !ts || (lose(ts->all, co, innermost) && lose(ts->others, co, innermost));
}

/* Ends the waits of those in the list that s reaches. */
static void wake_within(struct ltw_task *t, const struct ltw_scope *s)
{
    int64_t due_ns;

    for (; t; t = t->next)
        if (t->state == LTW_TASK_WAITING && ltw_scope_is_within(t->scope, s)
            && over(t, &due_ns))
            ltw_task_wake(t);
}

void ltw_scope_cancel(struct ltw_tasks *ts, struct ltw_scope *s, const char *why)
{
    if (s->cancelled) return;
    s->cancelled = true;
    s->why = why;
    wake_within(ts->all, s);
    wake_within(ts->others, s);
}

void ltw_scope_stop(struct ltw_tasks *ts, struct ltw_scope *s, const char *why)
{
    for (struct ltw_task *t = ts->all; t; t = t->next)
        if (t->aside && ltw_scope_is_within(t->scope, s)) t->doomed = true;
    ltw_scope_cancel(ts, s, why);
}

/* ---- running ---- */

/* In the task's coroutine: what is raised gets its traceback where it happens, and
 * what is to be closed is closed there, so that closing may wait. */
static int body_end(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    if (status != LUA_OK && status != LUA_YIELD) return lua_error(L);
    return lua_gettop(L) - 1;
}

static int body(lua_State *L)
{
    const struct ltw_task *t = ltw_task_current(L);
    int n = lua_gettop(L) - 1;
    struct ltw_scope *s;
    int64_t due_ns;

    if (!t->certain && (s = over(t, &due_ns))) {
        ltw_error_push_over(L, s, "start");
        return lua_error(L);
    }
    lua_pushcfunction(L, ltw_error_handler);
    lua_insert(L, 1);
    return body_end(L, lua_pcallk(L, n, LUA_MULTRET, 1, 0, body_end), 0);
}

struct ltw_task *ltw_task_spawn(lua_State *L, int n, struct ltw_scope *scope,
                                const char *name,
                                void (*ended)(struct ltw_task *, lua_State *, int),
                                void *ctx)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_tasks *ts = state->tasks;
    int function = lua_gettop(L) - n;
    lua_State *co = lua_newthread(L);
    struct ltw_task *t;
    int ref;

    lua_insert(L, function);
    luaL_checkstack(co, n + 8, "too many arguments");
    lua_pushcfunction(co, body);
    lua_xmove(L, co, n + 1);
    ref = luaL_ref(L, LUA_REGISTRYINDEX);
    t = tw_calloc(1, sizeof *t);
    if (!t || !ltw_ready_reserve(&ts->ready, ts->count + 2)
        || !(scope = ltw_scope_new(scope, &state->scopes))) {
        tw_free(t);
        luaL_unref(L, LUA_REGISTRYINDEX, ref);
        luaL_error(L, "task.spawn: not enough memory");
        return NULL;
    }
    t->note.parent = state->task ? state->task->note.id : 0;
    t->script = state->script;
    t->own = scope;
    ltw_task_init(t, ts, scope, push_ready, name);
    t->co = co;
    t->ref = ref;
    t->level = state->task ? state->task->level : 0;
    t->load = state->task ? state->task->load : NULL;
    if (t->load) tw_load_ref(t->load);
    t->budget = state->task ? state->task->budget : NULL;
    if (t->budget) t->budget->references++;
    t->ended = ended;
    t->ctx = ctx;
    ts->count++;
    if (scope->parent) scope->parent->live++;
    push_ready(t);
    return t;
}

bool ltw_task_limit(struct ltw_task *t, int64_t cpu_ns, int64_t bytes)
{
    t->budget = tw_calloc(1, sizeof *t->budget);
    if (!t->budget) return false;
    *t->budget = (struct ltw_budget){ 1, cpu_ns, bytes };
    return true;
}

void ltw_task_init(struct ltw_task *t, struct ltw_tasks *ts, struct ltw_scope *scope,
                   void (*woken)(struct ltw_task *), const char *name)
{
    struct ltw_state *state = ts->state;

    tw_waker_init(&t->waker, &ts->box);
    t->of = ts;
    t->woken = woken;
    t->ref = LUA_NOREF;
    t->due_ns = INT64_MAX;
    t->what = "";
    t->scope = scope;
    if (scope) ltw_scope_ref(scope);
    t->note.who = state->who;
    t->note.script = t->script ? ltw_script_options(t->script)->name : NULL;
    snprintf(t->note.name, sizeof t->note.name, "%s", name);
    set_state(t, LTW_TASK_READY);
    list(t, t->own ? &ts->all : &ts->others);
    ltw_census_enter(state->host ? state->host->census : NULL, &t->note);
}

void ltw_task_fini(struct ltw_task *t)
{
    struct ltw_tasks *ts = t->of;

    unlist(t);
    ltw_census_leave(&t->note);
    leave_places(t);
    ltw_due_remove(&ts->due, t);
    t->state = LTW_TASK_DONE;
    hear(ts);   /* nobody can tell it any more, but it may be in the box */
    ltw_scope_unref(t->scope);
    t->scope = NULL;
}

static void free_task(struct ltw_task *t)
{
    struct ltw_scope *spawned_in = t->own->parent;

    if (spawned_in && --spawned_in->live == 0)
        tw_waiters_tell_all_held(&spawned_in->joiners);
    luaL_unref(t->of->state->L, LUA_REGISTRYINDEX, t->ref);
    t->of->count--;
    ltw_scope_unref(t->own);
    if (t->load) tw_load_unref(t->load);
    if (t->budget && --t->budget->references == 0) tw_free(t->budget);
    ltw_task_fini(t);
    tw_free(t);
}

/* The results or the error of t are on top of its coroutine. */
static void end(struct ltw_task *t, int status)
{
    set_state(t, LTW_TASK_DONE);
    if (t->ended) t->ended(t, t->co, status);
    free_task(t);
}

/* [-0, +1, m]  The error of a coroutine that yielded to nobody (T3). */
static int explain(lua_State *L)
{
    if (lua_toboolean(L, 1)) {
        lua_getfield(L, LUA_REGISTRYINDEX, LTW_OVERRUN);
        lua_pushfstring(L, "it ran for too long without waiting\n%s",
                        lua_tostring(L, -1));
    } else {
        lua_pushliteral(L, "coroutine.yield was called outside a coroutine of its own;"
                        " a task waits with task.sleep");
    }
    ltw_error_wrap(L, L);
    return 1;
}

/* Closes what a suspended coroutine has to close. */
static void reset(struct ltw_task *t)
{
    struct ltw_state *state = t->of->state;

    ltw_watchdog_enter(state, t->co);
    lua_resetthread(t->co);
    ltw_watchdog_leave(state);
    lua_settop(t->co, 0);
}

/* It yielded, but not to wait: that is its error. */
static void refuse(struct ltw_task *t)
{
    struct ltw_state *state = t->of->state;
    bool overrun = state->overrun;

    reset(t);
    lua_pushcfunction(state->L, explain);
    lua_pushboolean(state->L, overrun);
    lua_pcall(state->L, 1, 1, 0);   /* either way there is an error on top */
    lua_xmove(state->L, t->co, 1);
}

static void run(struct ltw_tasks *ts, struct ltw_task *t)
{
    struct ltw_state *state = ts->state;
    struct ltw_task *before = state->task;
    int n, status;

    state->task = t;
    state->script = t->script;
    state->parked = false;
    set_state(t, LTW_TASK_RUNNING);
    ltw_watchdog_enter(state, t->co);
    n = lua_status(t->co) == LUA_YIELD ? 0 : lua_gettop(t->co) - 1;
    status = lua_resume(t->co, state->L, n, &n);
    ltw_watchdog_leave(state);
    if (status == LUA_YIELD && state->parked) {
        state->parked = false;
    } else {
        if (status == LUA_YIELD) refuse(t);   /* T3, or stopped by the watchdog */
        end(t, status);
    }
    state->task = before;
    state->script = before ? before->script : NULL;
}

void ltw_tasks_on_await(struct ltw_tasks *ts, void (*expect)(void *ctx, int64_t ns))
{
    ts->expect = expect;
}

bool ltw_tasks_ready(const struct ltw_tasks *ts)
{
    return ts->ready.n > 0 || !tw_mailbox_is_empty(&ts->box);
}

bool ltw_tasks_step(struct ltw_tasks *ts)
{
    unsigned n;

    if (!ltw_tasks_ready(ts)) return false;
    hear(ts);
    n = ts->ready.n;
    for (unsigned i = 0; i < n; i++) {
        struct ltw_task *t = ltw_ready_pop(&ts->ready);

        if ((t->aside && ts->ready.n >= ts->n_aside)   /* there are others */
            || (t->script && ltw_script_is_still(t->script))) {
            push_ready(t);
            continue;
        }
        ts->n_aside -= t->aside;
        t->aside = false;
        run(ts, t);
        if (ts->main.state == LTW_TASK_READY) break;   /* it waits in place for this */
    }
    return n > 0;
}

unsigned ltw_tasks_count(const struct ltw_tasks *ts)
{
    return ts->count;
}

bool ltw_tasks_are_expecting(const struct ltw_tasks *ts)
{
    for (const struct ltw_task *t = ts->all; t; t = t->next)
        if (t->state == LTW_TASK_WAITING && t->what == ltw_await_what) return true;
    return ltw_tasks_ready(ts);
}

void ltw_tasks_finish(struct ltw_tasks *ts)
{
    ts->main.what = "the end";
    while (ts->count > 0 && !is_interrupted(ts) && open_loop(ts)) turn(ts);
}

/* ---- all of it ---- */

static void main_woken(struct ltw_task *t)
{
    (void)t;   /* wait_in_place looks at its state */
}

static void ring_bell(void *bell)
{
    tw_bell_ring(bell);
}

/* The tasks of this thread: it hears them before it sleeps, without a ring. */
static _Thread_local struct ltw_tasks *mine;

static void ring(void *ctx)
{
    struct ltw_tasks *ts = ctx;

    if (ts != mine) ts->ring(ts->ctx);
}

void ltw_tasks_are_mine(struct ltw_tasks *ts)
{
    mine = ts;
}

/* The loop of the tasks' own is made when somebody first has to wait: a plain
 * interpreter that never does starts without one. */
static bool open_loop(struct ltw_tasks *ts)
{
    if (!ts->loop) {
        if (uv_loop_init(&ts->own) < 0) return false;
        if (tw_bell_open(&ts->bell, &ts->own) < 0) {
            tw_bell_close(&ts->bell);
            uv_loop_close(&ts->own);
            return false;
        }
        ts->loop = &ts->own;
        ts->alone = tw_worker_processors() == 1;
    }
    if (!ts->timer) {
        ts->timer = tw_calloc(1, sizeof *ts->timer);
        if (!ts->timer) return false;
        uv_timer_init(ts->loop, ts->timer);
        ts->timer->data = ts;
    }
    return true;
}

uv_loop_t *ltw_tasks_loop(struct ltw_tasks *ts)
{
    return open_loop(ts) ? ts->loop : NULL;
}

bool ltw_tasks_wait(struct ltw_tasks *ts, const char *what)
{
    ts->main.what = what;
    set_state(&ts->main, LTW_TASK_WAITING);
    wait_in_place(ts);
    /* order [tasks.interrupted] relaxed: set by a signal handler of this thread */
    return !atomic_exchange_explicit(&ts->interrupted, false, memory_order_relaxed);
}

void ltw_tasks_go_on(struct ltw_tasks *ts)
{
    ltw_task_wake(&ts->main);
}

bool ltw_tasks_seed(uint64_t *seed)
{
    const char *text = getenv("TIDEWIRE_SEED");
    char *end;

    *seed = 0;
    if (!text) return true;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

struct ltw_tasks *ltw_tasks_new(struct ltw_state *state, uv_loop_t *loop,
                                void (*ring_owner)(void *ctx), void *ctx)
{
    struct ltw_tasks *ts = tw_calloc(1, sizeof *ts);

    if (!ts) return NULL;
    ltw_tasks_seed(&ts->ready.seed);
    ts->state = state;
    ts->loop = loop;
    ts->ring = loop ? ring_owner : ring_bell;
    ts->ctx = loop ? ctx : &ts->bell;
    tw_mailbox_init(&ts->box, ring, ts);
    if (!ltw_ready_reserve(&ts->ready, 1)) {
        tw_free(ts);
        return NULL;
    }
    if (!loop) ltw_task_init(&ts->main, ts, NULL, main_woken, "main chunk");
    ts->main.state = LTW_TASK_RUNNING;
    ts->main.co = state->L;
    if (!loop) state->task = &ts->main;
    mine = ts;
    return ts;
}

static void on_closed(uv_handle_t *h)
{
    tw_free(h);
}

void ltw_tasks_free(struct ltw_tasks *ts)
{
    if (!ts) return;
    while (ts->all) {
        ts->state->task = ts->all;
        reset(ts->all);
        free_task(ts->all);
    }
    ts->state->task = NULL;
    if (mine == ts) mine = NULL;
    if (ts->main.of) ltw_task_fini(&ts->main);
    if (ts->timer) uv_close((uv_handle_t *)ts->timer, on_closed);
    if (ts->loop == &ts->own) {
        uv_close((uv_handle_t *)&ts->bell.ear, NULL);
        uv_run(&ts->own, UV_RUN_DEFAULT);
        uv_loop_close(&ts->own);
        tw_bell_close(&ts->bell);
    }
    tw_free(ts->ready.task);
    tw_free(ts->due.task);
    tw_free(ts);
}

void ltw_tasks_interrupt(struct ltw_tasks *ts)
{
    /* order [tasks.interrupted] relaxed: read by this same thread */
    atomic_store_explicit(&ts->interrupted, true, memory_order_relaxed);
    if (ts->loop == &ts->own) tw_bell_ring(&ts->bell);
}
