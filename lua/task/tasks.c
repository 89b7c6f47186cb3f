/* tasks.c - the tasks of a state: who is ready, and who may be told. */
#include "task/tasks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "share/lfuture.h"
#include "run/script.h"
#include "task/taskset.h"

/* ---- hearing ---- */

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
    /* order [tasks.thread] relaxed: an address, to be compared */
    if (ts) atomic_store_explicit(&ts->thread, ltw_this_thread(), memory_order_relaxed);
}

void *ltw_tasks_thread(const struct ltw_tasks *ts)
{
    /* order [tasks.thread] relaxed: an address, to be compared */
    return atomic_load_explicit(&ts->thread, memory_order_relaxed);
}

bool ltw_tasks_have_owner(const struct ltw_tasks *ts)
{
    return ts->ring != ring_bell;
}

void ltw_tasks_hear(struct ltw_tasks *ts)
{
    struct tw_waker *next;

    for (struct tw_waker *w = tw_mailbox_take(&ts->box); w; w = next) {
        next = tw_waker_heard(w);
        ltw_task_wake((struct ltw_task *)w);
    }
}

/* ---- running ---- */

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
    ltw_tasks_hear(ts);
    n = ts->ready.n;
    for (unsigned i = 0; i < n; i++) {
        struct ltw_task *t = ltw_ready_pop(&ts->ready);

        if ((t->aside && ts->ready.n >= ts->n_aside)   /* there are others */
            || (t->script && ltw_script_is_still(t->script))) {
            ltw_ready_push(&ts->ready, t);
            continue;
        }
        ts->n_aside -= t->aside;
        t->aside = false;
        ltw_task_run(t);
        if (ts->main.state == LTW_TASK_READY) break;   /* it waits in place for this */
    }
    return n > 0;
}

unsigned ltw_tasks_count(const struct ltw_tasks *ts)
{
    return ts->count;
}

void ltw_tasks_cancel(struct ltw_tasks *ts, const struct ltw_script *s, uint64_t after,
                      const char *why)
{
    for (struct ltw_task *t = ts->all; t; t = t->next)
        if (t->script == s && t->own->id > after) ltw_scope_cancel(ts, t->own, why);
}

static bool awaits(const struct ltw_task *t)
{
    while (t && !(t->state == LTW_TASK_WAITING && t->what == ltw_await_what)) t = t->next;
    return t != NULL;
}

bool ltw_tasks_are_expecting(const struct ltw_tasks *ts)
{
    return awaits(ts->all) || awaits(ts->others) || ltw_tasks_ready(ts);
}

/* ---- all of it ---- */

static void main_woken(struct ltw_task *t)
{
    (void)t;   /* ltw_loop_wait_in_place looks at its state */
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

/* ring_owner NULL: the loop is their own. */
static struct ltw_tasks *new_tasks(struct ltw_state *state, uv_loop_t *loop,
                                   void (*ring_owner)(void *ctx), void *ctx)
{
    struct ltw_tasks *ts = tw_calloc(1, sizeof *ts);

    if (!ts) return NULL;
    ltw_tasks_seed(&ts->ready.seed);
    ts->state = state;
    ts->loop = loop;
    ts->ring = ring_owner ? ring_owner : ring_bell;
    ts->ctx = ring_owner ? ctx : &ts->bell;
    tw_mailbox_init(&ts->box, ring, ts);
    if (!ltw_ready_reserve(&ts->ready, 1)) {
        tw_free(ts);
        return NULL;
    }
    if (!ring_owner) ltw_task_init(&ts->main, ts, NULL, main_woken, "main chunk");
    ts->main.state = LTW_TASK_RUNNING;
    ts->main.co = state->L;
    if (!ring_owner) state->task = &ts->main;
    ltw_tasks_are_mine(ts);
    return ts;
}

struct ltw_tasks *ltw_tasks_new(struct ltw_state *state, uv_loop_t *loop,
                                void (*ring_owner)(void *ctx), void *ctx)
{
    return new_tasks(state, loop, loop ? ring_owner : NULL, ctx);
}

struct ltw_tasks *ltw_tasks_new_by_event(struct ltw_state *state,
                                         void (*ring_owner)(void *ctx), void *ctx)
{
    struct ltw_tasks *ts = new_tasks(state, NULL, ring_owner, ctx);

    if (ts) ts->by_event = true;
    return ts;
}

int64_t ltw_tasks_due_ns(const struct ltw_tasks *ts)
{
    const struct ltw_task *t = ltw_due_first(&ts->due);

    return t ? t->due_ns : INT64_MAX;
}

void ltw_tasks_wake_due(struct ltw_tasks *ts, int64_t now_ns)
{
    struct ltw_task *t;

    while ((t = ltw_due_first(&ts->due)) && t->due_ns <= now_ns) ltw_task_wake(t);
}

void ltw_tasks_free(struct ltw_tasks *ts)
{
    if (!ts) return;
    while (ts->all) ltw_task_drop(ts->all);
    ts->state->task = NULL;
    if (mine == ts) mine = NULL;
    if (ts->main.of) ltw_task_fini(&ts->main);
    ltw_loop_close(ts);
    tw_free(ts->ready.task);
    tw_free(ts->due.task);
    tw_free(ts);
}
