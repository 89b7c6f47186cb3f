/* loop.c - the loop that the tasks of a state wait in, and the main task.
 *
 * Why: in a plain interpreter nothing turns a loop.  The main task, what runs outside
 * all coroutines there, can't yield: when it has to wait it runs the others meanwhile,
 * in a loop of their own.  In a run the loop is its owner's, and has only the timer
 * for the nearest end of a wait.
 */
#include "task/loop.h"

#include "base/clock.h"
#include "base/memory.h"
#include "share/lfuture.h"
#include "run/pool.h"
#include "run/worker.h"
#include "task/tasks.h"
#include "task/taskset.h"

/* ---- the timer ---- */

static void on_timer(uv_timer_t *timer);

/* libuv's clock is whole milliseconds, rounded down: a wait that is counted from
 * there could end a millisecond early, so it is the end that is rounded up. */
void ltw_loop_arm(struct ltw_tasks *ts)
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

    ltw_tasks_wake_due(ts, tw_clock_steady_ns());
    ltw_loop_arm(ts);
    uv_stop(ts->loop);   /* it may run timers first and then sleep, whatever they did */
}

/* ---- opening ---- */

/* The loop of the tasks' own is made when somebody first has to wait: a plain
 * interpreter that never does starts without one. */
bool ltw_loop_open(struct ltw_tasks *ts)
{
    if (ts->by_event) return true;
    if (!ts->loop) {
        if (uv_loop_init(&ts->own) < 0) return false;
        if (tw_bell_open(&ts->bell, &ts->own) < 0) {
            tw_bell_close(&ts->bell);
            uv_loop_close(&ts->own);
            return false;
        }
        ts->loop = &ts->own;
        ts->processors = tw_worker_processors();
    }
    if (!ts->timer) {
        ts->timer = tw_calloc(1, sizeof *ts->timer);
        if (!ts->timer) return false;
        uv_timer_init(ts->loop, ts->timer);
        ts->timer->data = ts;
    }
    return true;
}

uv_loop_t *ltw_loop_of(struct ltw_tasks *ts)
{
    return ltw_loop_open(ts) ? ts->loop : NULL;
}

static void on_closed(uv_handle_t *h)
{
    tw_free(h);
}

void ltw_loop_close(struct ltw_tasks *ts)
{
    if (ts->timer) uv_close((uv_handle_t *)ts->timer, on_closed);
    if (ts->loop != &ts->own) return;
    uv_close((uv_handle_t *)&ts->bell.ear, NULL);
    uv_run(&ts->own, UV_RUN_DEFAULT);
    uv_loop_close(&ts->own);
    tw_bell_close(&ts->bell);
}

/* ---- interrupts ---- */

void ltw_loop_interrupt(struct ltw_tasks *ts)
{
    /* order [tasks.interrupted] relaxed: read by this same thread */
    atomic_store_explicit(&ts->interrupted, true, memory_order_relaxed);
    if (ts->loop == &ts->own) tw_bell_ring(&ts->bell);
}

static bool is_interrupted(const struct ltw_tasks *ts)
{
    /* order [tasks.interrupted] relaxed: set by a signal handler of this thread */
    return atomic_load_explicit(&ts->interrupted, memory_order_relaxed);
}

bool ltw_loop_take_interrupt(struct ltw_tasks *ts)
{
    /* order [tasks.interrupted] relaxed: set by a signal handler of this thread */
    return atomic_exchange_explicit(&ts->interrupted, false, memory_order_relaxed);
}

/* ---- turning ---- */

/* Are all processors wanted: by who brings what is awaited, or the pool's jobs? */
static bool is_crowded(const struct ltw_tasks *ts)
{
    const struct ltw_host *host = ts->state->host;
    struct tw_pool_status s = { .running = 0 };

    if (host && host->pool) tw_pool_status(host->pool, &s);
    return ts->processors == 1 || s.running + s.queued >= ts->processors;
}

/* A wake-up costs as much as a short job: where there is a processor for whoever
 * brings what is awaited, look that long before going to sleep. */
static bool look_out(struct ltw_tasks *ts)
{
    int64_t end_ns;

    if (ts->main.what != ltw_await_what || is_crowded(ts)) return false;
    end_ns = tw_clock_steady_ns() + LTW_LOOK_NS;
    do
        for (int i = 0; i < 64; i++)
            if (ltw_tasks_ready(ts)) return true;
    while (tw_clock_steady_ns() < end_ns);
    return false;
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

void ltw_loop_wait_in_place(struct ltw_tasks *ts)
{
    while (ts->main.state == LTW_TASK_WAITING) {
        if (is_interrupted(ts)) ltw_task_wake(&ts->main);
        else turn(ts);
    }
    ts->state->task = &ts->main;
    ts->state->script = NULL;
    ltw_task_set_state(&ts->main, LTW_TASK_RUNNING);
}

bool ltw_loop_wait(struct ltw_tasks *ts, const char *what)
{
    ts->main.what = what;
    ltw_task_set_state(&ts->main, LTW_TASK_WAITING);
    ltw_loop_wait_in_place(ts);
    return !ltw_loop_take_interrupt(ts);
}

void ltw_loop_go_on(struct ltw_tasks *ts)
{
    ltw_task_wake(&ts->main);
}

void ltw_loop_finish(struct ltw_tasks *ts)
{
    ts->main.what = "the end";
    while (ts->count > 0 && !is_interrupted(ts) && ltw_loop_open(ts)) turn(ts);
}
