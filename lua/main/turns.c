/* turns.c - what goes on beside a prompt: while somebody types, waits or computes.
 *
 * A run's loop prints what its threads log, looks after handlers that take too long and
 * answers who is attached: it must not stand still for an entry that computes.  So each
 * 20 ms of CPU time that an entry takes end in a signal, which has Lua call us at its
 * next instruction, as Ctrl-C does.  A function of C that takes long is not held up.
 *
 * Layer lua/main.
 */
#include "main/turns.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "task/loop.h"

enum { TURN_MS = 20, TURN_NS = 20000000, DEEP = 50, SIGNAL = SIGVTALRM };

struct ltw_turns {
    struct ltw_state *state;
    struct ltw_beside beside;         /* loop NULL: there is none                */
    struct ltw_feeds *feeds;
    uv_poll_t *turns;                 /* of the loop beside                      */
    uv_timer_t *tick;                 /* its timers are looked at that often     */
    timer_t timer;                    /* of the CPU time of an entry             */
    struct sigaction before;          /* what the signal did                     */
    int depth;                        /* calls below an entry                    */
    bool timed;                       /* there is such a timer                   */
    bool inside;                      /* a turn is on its way                    */
    bool over;
};

/* Whose entry computes: a signal handler gets no argument. */
static _Atomic(struct ltw_turns *) computing;

/* What the loop beside calls must not wait: the main task may be waiting already. */
static void turn(struct ltw_turns *t, bool is_quiet)
{
    struct ltw_task *task = t->state->task;

    if (t->inside || !lua_checkstack(t->state->L, LUA_MINSTACK)) return;
    t->inside = true;
    t->state->task = NULL;
    if (t->beside.loop) uv_run(t->beside.loop, UV_RUN_NOWAIT);
    ltw_feeds_look(t->feeds, is_quiet);
    t->state->task = task;
    t->inside = false;
    if (t->over || !t->beside.loop || !t->beside.is_over(t->beside.ctx)) return;
    t->over = true;
    ltw_loop_interrupt(t->state->tasks);
}

static void on_turn(uv_poll_t *turns, int status, int events)
{
    (void)status, (void)events;
    turn(turns->data, true);
}

static void on_tick(uv_timer_t *tick)
{
    turn(tick->data, true);
}

/* ---- while an entry computes ---- */

static int depth(lua_State *L)
{
    lua_Debug frame;
    int n = 0;

    while (n < DEEP && lua_getstack(L, n, &frame)) n++;
    return n;
}

/* A function of C that has called us may be looking at the tape. */
static bool is_quiet(lua_State *L, const struct ltw_turns *t)
{
    int n = depth(L);
    lua_Debug frame;

    if (n == DEEP) return false;
    if (L == t->state->L) n -= t->depth;
    for (int i = 0; i < n; i++) {
        lua_getstack(L, i, &frame);
        lua_getinfo(L, "S", &frame);
        if (*frame.what == 'C') return false;
    }
    return true;
}

static void on_hook(lua_State *L, lua_Debug *where)
{
    /* order [turns.computing] relaxed: this thread stored it */
    struct ltw_turns *t = atomic_load_explicit(&computing, memory_order_relaxed);
    sigset_t interrupt, before;

    (void)where;
    lua_sethook(L, NULL, 0, 0);
    if (!t) return;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);    /* Ctrl-C is for the entry */
    pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    turn(t, is_quiet(L, t));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Ctrl-C, and a hook of the user's own, go before. */
static void hold_up(lua_State *L)
{
    if (!lua_gethook(L))
        lua_sethook(L, on_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

static void on_signal(int number)
{
    /* order [turns.computing] relaxed: ltw_turns_begin stored it, on this thread */
    struct ltw_turns *t = atomic_load_explicit(&computing, memory_order_relaxed);

    (void)number;
    if (t && !t->inside) hold_up(t->state->running);
}

static void set_timer(struct ltw_turns *t, long every_ns)
{
    struct itimerspec when = { .it_interval.tv_nsec = every_ns,
                               .it_value.tv_nsec = every_ns };

    if (t->timed) timer_settime(t->timer, 0, &when, NULL);
}

void ltw_turns_begin(struct ltw_turns *t)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaction(SIGNAL, &action, &t->before);
    t->depth = depth(t->state->L);
    /* order [turns.computing] relaxed: see on_signal */
    atomic_store_explicit(&computing, t, memory_order_relaxed);
    set_timer(t, TURN_NS);
}

/* A signal that is on its way comes before the handler goes: it is this thread's. */
void ltw_turns_end(struct ltw_turns *t)
{
    lua_State *L = t->state->L;

    set_timer(t, 0);
    /* order [turns.computing] relaxed: see on_signal */
    atomic_store_explicit(&computing, NULL, memory_order_relaxed);
    sigaction(SIGNAL, &t->before, NULL);
    if (lua_gethook(L) == on_hook) lua_sethook(L, NULL, 0, 0);
}

static void open_timer(struct ltw_turns *t)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL };

#ifdef sigev_notify_thread_id
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
#else
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
#endif
    t->timed = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &t->timer) == 0;
}

/* ---- the whole ---- */

static void on_closed(uv_handle_t *h)
{
    tw_free(h);
}

static void close_handle(void *handle)
{
    if (handle) uv_close(handle, on_closed);
}

static bool open_handles(struct ltw_turns *t, uv_loop_t *loop)
{
    uv_poll_t *turns = tw_calloc(1, sizeof *turns);
    uv_timer_t *tick = tw_calloc(1, sizeof *tick);

    if (!turns || !tick
        || uv_poll_init(loop, turns, uv_backend_fd(t->beside.loop)) < 0) {
        tw_free(turns);
        tw_free(tick);
        return false;
    }
    uv_timer_init(loop, tick);
    t->turns = turns;
    t->tick = tick;
    turns->data = tick->data = t;
    uv_poll_start(turns, UV_READABLE, on_turn);
    uv_timer_start(tick, on_tick, TURN_MS, TURN_MS);
    return true;
}

struct ltw_turns *ltw_turns_open(lua_State *L, uv_loop_t *loop,
                                 const struct ltw_beside *beside,
                                 struct ltw_feeds *feeds)
{
    struct ltw_turns *t = tw_calloc(1, sizeof *t);

    if (!t) return NULL;
    t->state = ltw_state(L);
    t->feeds = feeds;
    if (beside) t->beside = *beside;
    if (beside && !open_handles(t, loop)) {
        tw_free(t);
        return NULL;
    }
    open_timer(t);
    return t;
}

void ltw_turns_close(struct ltw_turns *t)
{
    if (!t) return;
    /* order [turns.computing] relaxed: see on_signal */
    if (atomic_load_explicit(&computing, memory_order_relaxed) == t) ltw_turns_end(t);
    close_handle(t->turns);
    close_handle(t->tick);
    if (t->timed) timer_delete(t->timer);
    tw_free(t);
}

bool ltw_turns_over(const struct ltw_turns *t)
{
    return t->over;
}
