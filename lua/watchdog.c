/* watchdog.c - stops a script that does not return.
 *
 * Why: a count hook costs Lua half its speed, whatever the count; so none is
 * there until it is needed.  MAIN looks at each worker now and then; one whose
 * handler has not moved for too long gets a signal, and the handler of that
 * signal, on the worker's own thread, sets the hook.  lua_sethook is made to
 * be called from there.
 *
 * The hook yields out of the script instead of raising: an error could be
 * caught by a pcall in an endless loop, a yield can't.  Where a yield is not
 * allowed (inside table.sort, gsub or an error handler) it raises, and goes on
 * raising until it is where it may yield.  What it raises is a failed
 * allocation: that is the one error which calls no message handler, and one
 * that loops would be called with hooks off.  Hooks are off in finalizers too:
 * a __gc that loops can't be stopped.
 *
 * A pool thread gets the signal when a job of its own is to end.  If that is not
 * the one that runs, this one steps aside by the same yield, and goes on later.
 * A job that was told to end, and has caught that, has a hook from then on: what it
 * computes without a wait has a limit, and how fast it does is nobody's concern.
 * So has a task with a budget, the line of somebody attached, from its beginning; the
 * scripts beside it have their turns meanwhile.  A few instructions of it may take long
 * (two texts of megabytes are joined, or compared), so counting them is not enough: a
 * timer of its thread, too, has it look up.
 *
 * A backtest runs on the thread that asked for it, where nobody looks: the look is a
 * signal that a timer sends to the thread itself, now and then (alarm).
 *
 * Layer lua.
 */
#include "watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "task/park.h"

/* Go uses the same signal for the same purpose: nobody else does. */
enum { SIGNAL = SIGURG };
enum { RETRY = 1000, LOOK_SOON = 4000, LOOK = 100000 };   /* instructions */
enum { SLICE_NS = 500000 };             /* of a task with a budget */
enum { HELD_NS = 10000000 };            /* likewise, where it can't step aside */
enum { TIDY_NS = 1000000000 };          /* to end in, where handlers have no limit, or
                                         * one of event time's */
enum { WALK_NS = 100000000 };           /* CPU time between two walks over all calls */
enum { LOOK_NS_MIN = 5000000, LOOK_NS_MAX = 1000000000 };    /* of an alarm */

/* The state that runs on this thread; the signal handler's way to it. */
static _Thread_local struct ltw_state *_Atomic now_running;

static void overrun(lua_State *L, lua_Debug *ar)
{
    struct ltw_state *s = ltw_state(L);

    (void)ar;
    if (!s->overrun) {
        s->overrun = true;
        luaL_traceback(L, L, NULL, 0);
        lua_setfield(L, LUA_REGISTRYINDEX, LTW_OVERRUN);
    }
    ltw_watchdog_end(L);
}

int ltw_watchdog_end(lua_State *L)
{
    if (lua_isyieldable(L)) {
        lua_sethook(L, NULL, 0, 0);
        return lua_yield(L, 0);
    }
    lua_sethook(L, overrun, LUA_MASKCOUNT, 1);
    ltw_state(L)->starved = true;
    lua_newuserdatauv(L, 0, 0);
    return 0;
}

static int64_t cpu_ns(void)
{
    return tw_clock_of_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void look_again(lua_State *L, lua_Debug *ar);

/* At the next instruction; from a signal handler, too.  Setting a hook walks over all
 * calls that are under way: of a deep recursion that may last until the next signal, so
 * that nothing else is done any more.  What is set already waits, but not for ever: Lua
 * may have been about to take the mark off the one call that goes on. */
static void hook_next(lua_State *L, lua_Hook hook)
{
    static _Thread_local int64_t walked_ns;

    if (lua_gethook(L) == hook && lua_gethookcount(L) == 1
        && cpu_ns() - walked_ns < WALK_NS)
        return;
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    walked_ns = cpu_ns();
}

/* What runs needs no hook, unless it has a time to end in. */
static void let_go(lua_State *L)
{
    if (ltw_state(L)->till_ns == 0) lua_sethook(L, NULL, 0, 0);
    else lua_sethook(L, look_again, LUA_MASKCOUNT,
                     ltw_state(L)->bytes_end ? LOOK_SOON : LOOK);
}

/* It may have been told in another way since the signal, and be tidying up. */
static void unwanted(lua_State *L, lua_Debug *ar)
{
    struct ltw_state *s = ltw_state(L);

    if (!s->may_stop || s->may_stop(s)) overrun(L, ar);
    else let_go(L);
}

/* CPU time since it had its turn. */
static int64_t turn_of(const struct ltw_state *s, int64_t now_ns)
{
    return now_ns - (s->till_ns - s->task->budget->cpu_ns);
}

/* What has a budget lets the scripts run now and then. */
static void take_turns(lua_State *L, int64_t now_ns)
{
    if (turn_of(ltw_state(L), now_ns) < SLICE_NS || !lua_isyieldable(L)) return;
    ltw_task_step_aside(L);
    lua_yield(L, 0);
}

static const struct ltw_scope *root_of(const struct ltw_task *t)
{
    const struct ltw_scope *s = t->own;

    while (s && s->parent) s = s->parent;
    return s;
}

/* Has a task with a budget used it up, or does nobody want it any more? */
static bool is_used_up(const struct ltw_state *s, lua_State *L, int64_t now_ns)
{
    const struct ltw_scope *root = root_of(s->task);

    if (s->bytes >= s->bytes_till) s->task->budget->bytes = 0;   /* it may shrink again */
    if (turn_of(s, now_ns) >= HELD_NS && !lua_isyieldable(L))
        s->task->budget->has_held = true;
    return s->task->budget->has_held || s->bytes >= s->bytes_till || root->cancelled
        || (root->due_ns != INT64_MAX && tw_clock_steady_ns() >= root->due_ns);
}

static void look_again(lua_State *L, lua_Debug *ar)
{
    struct ltw_state *s = ltw_state(L);
    int64_t now_ns = s->till_ns != 0 ? cpu_ns() : 0;

    /* order [watchdog.over] relaxed: nothing but that it is to end */
    if (s->over && atomic_load_explicit(s->over, memory_order_relaxed)) {
        overrun(L, ar);
        return;
    }
    if (now_ns < s->till_ns && !(s->bytes_end && is_used_up(s, L, now_ns))) {
        let_go(L);   /* the timer may have set it to look at each instruction */
        if (s->bytes_end) take_turns(L, now_ns);
        return;
    }
    s->late = s->till_ns != 0;
    unwanted(L, ar);
}

/* What has stepped aside goes on, unless it was to end meanwhile. */
static void go_on(lua_State *L, lua_Debug *ar)
{
    if (ltw_task_current(L)->doomed) overrun(L, ar);
    else let_go(L);
}

/* What runs is in order, but its thread is to look up: a task beside it is to end. */
static void step_aside(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    if (!lua_isyieldable(L)) {   /* inside table.sort, say: as soon as it may */
        lua_sethook(L, step_aside, LUA_MASKCOUNT, RETRY);
        return;
    }
    lua_sethook(L, go_on, LUA_MASKCOUNT, 1);
    ltw_task_step_aside(L);
    lua_yield(L, 0);
}

/* The one thing that all hosts of a process share: the handler is the process's. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned users;                 /* mutex: under lock                          */
static struct sigaction before;        /* constant while there are users             */
static atomic_bool installed;          /* atomic: under lock, all load               */

/* A signal on this thread is for its states. */
static _Thread_local atomic_bool is_ours;

/* A signal came while no Lua code ran. */
static _Thread_local atomic_bool missed;

/* What the program does with the signal where no state is meant. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    if (before.sa_flags & SA_SIGINFO) before.sa_sigaction(number, info, context);
    else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
        before.sa_handler(number);
}

/* The innermost one of this thread. */
static _Thread_local struct ltw_alarm *_Atomic now_alarm;

static uint64_t beat_of(const struct ltw_state *s)
{
    /* order [watchdog.beat] relaxed: only whether it moved matters */
    return s->pulse ? atomic_load_explicit(&s->pulse->beat, memory_order_relaxed) : 0;
}

/* Its timer: has the state been in one handler for too long? */
static void on_alarm(struct ltw_alarm *a, const struct ltw_state *running)
{
    uint64_t beat = beat_of(a->state);
    int64_t now_ns = cpu_ns();

    /* order [watchdog.alarm] relaxed: stored by this same thread */
    if (a != atomic_load_explicit(&now_alarm, memory_order_relaxed)) return;
    if (running != a->state || beat != a->beat) {
        a->beat = beat;
        a->since_ns = now_ns;
    } else if (now_ns - a->since_ns >= a->limit_ns) {
        hook_next(running->running, overrun);
    }
}

/* The timer of a task with a budget: whatever runs by now looks at it. */
static void on_slice(struct ltw_state *s)
{
    if (s && s->bytes_end && !s->overrun)
        hook_next(s->running, look_again);
}

/* The one whose code waits, on this thread, for what s does. */
static struct ltw_state *root_state(struct ltw_state *s)
{
    while (s->outer) s = s->outer;
    return s;
}

/* What a signal means to what runs in a state that is nobody's part. */
static lua_Hook hook_for(const struct ltw_state *root)
{
    if (!root->may_stop) return overrun;
    return root->may_stop(root) ? unwanted : step_aside;
}

/* s, and what waits for it, but the root. */
static void end_within(struct ltw_state *s)
{
    for (; s->outer; s = s->outer) hook_next(s->running, overrun);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    /* order [watchdog.running] relaxed: stored by this same thread */
    struct ltw_state *s = atomic_load_explicit(&now_running, memory_order_relaxed);
    struct ltw_state *root;
    lua_Hook hook;

    /* order [watchdog.ours] relaxed: stored by this same thread */
    if (!atomic_load_explicit(&is_ours, memory_order_relaxed)) {
        pass_on(number, info, context);
        return;
    }
    if (info->si_code == SI_TIMER) {
        if (info->si_value.sival_ptr) on_alarm(info->si_value.sival_ptr, s);
        else on_slice(s);
        return;
    }
    if (!s) {
        /* order [watchdog.missed] relaxed: read by this same thread */
        atomic_store_explicit(&missed, true, memory_order_relaxed);
        return;
    }
    root = root_state(s);
    /* order [watchdog.told] relaxed: read by this same thread */
    atomic_store_explicit(&root->told, true, memory_order_relaxed);
    hook = hook_for(root);
    hook_next(root->running, hook);
    if (hook != step_aside) end_within(s);   /* what is within stands aside for nobody */
}

bool ltw_watchdog_is_told(const struct ltw_state *s)
{
    const struct ltw_state *root = root_state((struct ltw_state *)s);

    /* order [watchdog.told] relaxed: set by this same thread's handler */
    return atomic_load_explicit(&root->told, memory_order_relaxed)
        && hook_for(root) != step_aside;
}

void ltw_watchdog_stop(struct ltw_state *s)
{
    if (s->may_stop) hook_next(s->running, overrun);
}

void ltw_watchdog_signal(struct tw_worker *w)
{
    /* order [watchdog.installed] relaxed: no handler, no signal; nothing else */
    if (atomic_load_explicit(&installed, memory_order_relaxed))
        pthread_kill(tw_worker_thread(w), SIGNAL);
}

/* Is a signal on this thread for its states?  Returns what was so before. */
static bool set_ours(bool ours)
{
    /* order [watchdog.ours] relaxed: read by this same thread's handler */
    return atomic_exchange_explicit(&is_ours, ours, memory_order_relaxed);
}

void ltw_watchdog_join(void)
{
    sigset_t ours;

    set_ours(true);
    sigemptyset(&ours);
    sigaddset(&ours, SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);   /* who started it may have blocked all */
}

static bool is_lent(const struct ltw_host *host)
{
    return !host->embedded || host->embedded->watchdog;
}

void ltw_watchdog_install(const struct ltw_host *host)
{
    struct sigaction action = { .sa_sigaction = on_signal,
                                .sa_flags = SA_RESTART | SA_SIGINFO };

    if (!is_lent(host)) return;
    sigemptyset(&action.sa_mask);
    pthread_mutex_lock(&lock);
    if (users++ == 0) {
        sigaction(SIGNAL, NULL, &before);
        sigaction(SIGNAL, &action, NULL);
        /* order [watchdog.installed] relaxed: whoever signals was started after */
        atomic_store_explicit(&installed, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&lock);
}

/* One that the program has put in its place stays there. */
void ltw_watchdog_remove(const struct ltw_host *host)
{
    struct sigaction now;

    if (!is_lent(host)) return;
    pthread_mutex_lock(&lock);
    if (--users == 0) {
        /* order [watchdog.installed] relaxed: nobody is left to be signalled */
        atomic_store_explicit(&installed, false, memory_order_relaxed);
        if (sigaction(SIGNAL, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO
            && now.sa_sigaction == on_signal)
            sigaction(SIGNAL, &before, NULL);
    }
    pthread_mutex_unlock(&lock);
}

/* When what runs now has to end: in the pool, where its whole job was told to. */
static int64_t end_of(const struct ltw_state *state)
{
    const struct ltw_scope *s = state->task ? root_of(state->task) : NULL;
    int64_t limit_ns = state->host ? state->host->time_max_ns : 0;

    if (!state->may_stop || !s || !s->cancelled) return 0;
    return cpu_ns() + (limit_ns > 0 && !state->host->time ? limit_ns : TIDY_NS);
}

/* One that sends this thread the signal, with that value, again and again. */
static bool start_timer(clockid_t clock, int64_t every_ns, void *value, timer_t *timer)
{
    struct timespec every = { .tv_sec = every_ns / 1000000000,
                              .tv_nsec = every_ns % 1000000000 };
    struct itimerspec times = { every, every };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL,
                              .sigev_value = { .sival_ptr = value } };

    /* order [watchdog.installed] relaxed: no handler, no signal; nothing else */
    if (!atomic_load_explicit(&installed, memory_order_relaxed)) return false;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (timer_create(clock, &event, timer) < 0) return false;
    timer_settime(*timer, 0, &times, NULL);
    return true;
}

/* Its timer goes on and on: the first signal may come too early.  Without one,
 * instructions are counted all the same. */
static void start_slices(struct ltw_budget *budget)
{
    budget->has_timer = start_timer(CLOCK_MONOTONIC, SLICE_NS, NULL, &budget->timer);
}

static void stop_slices(struct ltw_budget *budget)
{
    if (budget->has_timer) timer_delete(budget->timer);
    budget->has_timer = false;
}

/* [-0, +0, -]  Exchanges the methods of texts for those that stdlib/evaluate.lua has left
 * there, and back: all names are there already, nothing is allocated. */
static void exchange_methods(lua_State *L)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, "tw.texts") == LUA_TTABLE) {
        lua_getfield(L, LUA_REGISTRYINDEX, "tw.methods");
        lua_getfield(L, -2, "__index");
        lua_setfield(L, LUA_REGISTRYINDEX, "tw.methods");
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
}

/* What a task with a budget may still use, from now on. */
static void open_budget(struct ltw_state *state, struct ltw_budget *budget)
{
    size_t bytes = budget->bytes > 0 ? (size_t)budget->bytes : 0;

    state->till_ns = cpu_ns() + (budget->cpu_ns > 0 ? budget->cpu_ns : 0);
    state->bytes_from = state->bytes;
    state->bytes_till = state->bytes + bytes;
    state->bytes_end = state->bytes_till + bytes;
    if (budget->is_bounded) exchange_methods(state->L);
    start_slices(budget);
}

static void close_budget(struct ltw_state *state, struct ltw_budget *budget)
{
    stop_slices(budget);
    if (budget->is_bounded) exchange_methods(state->L);
    budget->cpu_ns = state->till_ns - cpu_ns();
    if (budget->bytes > 0)   /* else what is freed behind it would be given to it */
        budget->bytes -= (int64_t)state->bytes - (int64_t)state->bytes_from;
    state->bytes_till = state->bytes_end = 0;
}

/* Several looks for each limit: so that is passed by a part of it at most. */
bool ltw_alarm_set(struct ltw_alarm *a, struct ltw_state *s, const struct ltw_host *host,
                   int64_t limit_ns)
{
    int64_t every_ns = limit_ns / 8;

    /* order [watchdog.alarm] relaxed: stored by this same thread */
    *a = (struct ltw_alarm){
        .state = s, .beat = beat_of(s), .since_ns = cpu_ns(), .limit_ns = limit_ns,
        .outer = atomic_load_explicit(&now_alarm, memory_order_relaxed),
    };
    if (every_ns < LOOK_NS_MIN) every_ns = LOOK_NS_MIN;
    if (every_ns > LOOK_NS_MAX) every_ns = LOOK_NS_MAX;
    if (limit_ns <= 0 || !is_lent(host)) return false;
    ltw_watchdog_install(host);
    a->was_ours = set_ours(true);
    ltw_watchdog_join();
    if (!start_timer(CLOCK_THREAD_CPUTIME_ID, every_ns, a, &a->timer)) {
        set_ours(a->was_ours);
        ltw_watchdog_remove(host);
        if (host->warn) host->warn(s->who, "no timer: a handler may run for ever");
        return false;
    }
    /* order [watchdog.alarm] relaxed: read by this same thread's handler */
    atomic_store_explicit(&now_alarm, a, memory_order_relaxed);
    return true;
}

/* A signal that is on its way comes before timer_delete returns: it is this thread's. */
void ltw_alarm_clear(struct ltw_alarm *a, const struct ltw_host *host)
{
    timer_delete(a->timer);
    if (a->outer) a->outer->since_ns = cpu_ns();
    /* order [watchdog.alarm] relaxed: read by this same thread's handler */
    atomic_store_explicit(&now_alarm, a->outer, memory_order_relaxed);
    set_ours(a->was_ours);
    ltw_watchdog_remove(host);
}

void ltw_watchdog_follow(struct ltw_state *state, lua_State *co)
{
    state->running = co;
    if (state->till_ns != 0 && !lua_gethook(co)) let_go(co);
}

void ltw_watchdog_enter(struct ltw_state *state, lua_State *co)
{
    state->overrun = state->late = false;
    /* order [watchdog.told] relaxed: set by this same thread's handler */
    if (!state->outer) atomic_store_explicit(&state->told, false, memory_order_relaxed);
    state->till_ns = state->limit_ns ? cpu_ns() + state->limit_ns : end_of(state);
    if (state->task && state->task->budget) open_budget(state, state->task->budget);
    ltw_watchdog_follow(state, co);
    /* order [watchdog.running] relaxed: read by this same thread's handler */
    atomic_store_explicit(&now_running, state, memory_order_relaxed);
    /* order [watchdog.missed] relaxed: set by this same thread's handler */
    if (atomic_load_explicit(&missed, memory_order_relaxed)) {
        /* order [watchdog.missed] relaxed: a signal from here on finds the state */
        atomic_store_explicit(&missed, false, memory_order_relaxed);
        if (state->may_stop) hook_next(co, step_aside);
    }
    if (state->outer && ltw_watchdog_is_told(state)) end_within(state);
    if (state->pulse) {
        ltw_watchdog_beat(state);
        /* order [watchdog.inside] relaxed: a hint for MAIN's next look */
        atomic_store_explicit(&state->pulse->inside, true, memory_order_relaxed);
    }
}

void ltw_watchdog_leave(struct ltw_state *state)
{
    /* order [watchdog.inside] relaxed: a hint for MAIN's next look */
    if (state->pulse)
        atomic_store_explicit(&state->pulse->inside, false, memory_order_relaxed);
    /* order [watchdog.running] relaxed: read by this same thread's handler */
    atomic_store_explicit(&now_running, state->outer, memory_order_relaxed);
    state->running = state->L;
    if (state->bytes_end) close_budget(state, state->task->budget);
    state->till_ns = 0;
    state->starved = false;
}

/* The time that counts is the worker's CPU time: on a busy machine, or while a
 * print waits for who reads it, a handler takes long and does nothing wrong. */
void ltw_watchdog_look(struct ltw_engine *e, struct ltw_watch *watch)
{
    /* order [watchdog.beat] relaxed: only whether it moved matters */
    uint64_t beat = atomic_load_explicit(&e->pulse.beat, memory_order_relaxed);
    int64_t limit = e->host->time_max_ns, cpu_ns, took_ns;

    /* order [watchdog.inside] relaxed: a hint, looked at again next time */
    if (!atomic_load_explicit(&e->pulse.inside, memory_order_relaxed) || limit <= 0) {
        *watch = (struct ltw_watch){ .beat = ~beat };
        return;
    }
    cpu_ns = tw_worker_cpu_ns(e->worker);
    if (beat != watch->beat) {
        *watch = (struct ltw_watch){ .beat = beat, .cpu_ns = cpu_ns };
        return;
    }
    took_ns = cpu_ns - watch->cpu_ns;
    if (took_ns < limit) return;
    ltw_watchdog_signal(e->worker);
    if (watch->told || took_ns < 2 * limit) return;
    watch->told = true;
    tw_log_printf(e->host->log, TW_LOG_WARN, e->who,
                  "a script has been inside one C function or finalizer for %.1f s:"
                  " it is stopped when that returns", (double)took_ns / 1e9);
}
