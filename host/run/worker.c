/* worker.c - a thread with an event loop that steps what it was given.
 *
 * Why: a worker that polled would burn a core for each quiet market, and one
 * that was told of every record would spend the writer's time on waking it.
 * So it works while there is work, tidies when there is none, and sleeps only
 * after it has armed its waiter and looked once more.
 *
 * One turn: step; mailbox; event loop; quiet point.  Nothing to do: idle; spin
 * where there are cores to spare; arm, look, sleep in the event loop.
 *
 * Invariants
 *   W1  A posted call is run, in order, also when it was posted while the
 *       worker went to sleep: post rings after it has queued, and a turn
 *       follows every ring.
 *   W2  Every turn passes a quiet point with no pointer out of the tape held.
 *   W3  ops are called on the worker's thread only, open first, close last.
 *
 * Layer host/run.  Thread: see each function in worker.h.
 */
#include "run/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "run/bell.h"

enum { LOOP_EVERY = 8 };   /* busy turns between two looks at the event loop */

struct letter { struct letter *next; void (*fn)(void *); void *arg; };

struct tw_worker {
    struct tw_worker_options o;       /* constant after tw_worker_new        */
    pthread_t thread;                 /* owner: MAIN                         */
    bool started TW_OWNED(MAIN);      /* owner: MAIN                         */
    clockid_t cpu_clock;              /* owner: MAIN                         */
    struct tw_epoch_reader *reader;   /* owner: the worker                   */
    uv_loop_t loop;                   /* owner: the worker                   */
    struct tw_bell bell;              /* any thread rings it                 */
    int64_t expect_ns;                /* owner: the worker                   */
    bool alone;                       /* constant: there is one processor    */
    uv_prepare_t last_look;           /* owner: the worker                   */
    bool loop_open, quitting;         /* owner: the worker                   */
    struct tw_waiter waiter;          /* see tape.h                          */
    pthread_mutex_t lock;             /* guards the four below               */
    int opened;                       /* mutex: TW_EBUSY, then open's result */
    bool ended;                       /* mutex: cpu_ns is final              */
    int64_t cpu_ns;                   /* mutex                               */
    struct letter *first, **last;     /* mutex: the mailbox                  */
    _Atomic uint64_t quiet;           /* atomic: the worker stores           */
};

/* libuv runs timers first and then sleeps, whatever they did: what a timer has
 * made ready must keep the loop from sleeping. */
static void look_again(uv_prepare_t *look)
{
    struct tw_worker *w = look->data;

    if (w->o.ops->ready(w->o.ctx)) uv_stop(&w->loop);
}

void tw_worker_ring(struct tw_worker *w)
{
    tw_bell_ring(&w->bell);
}

static void ring(void *arg)
{
    tw_worker_ring(arg);
}

unsigned tw_worker_processors(void)
{
    cpu_set_t ours;

    return sched_getaffinity(0, sizeof ours, &ours) < 0 ? 1 : (unsigned)CPU_COUNT(&ours);
}

struct tw_worker *tw_worker_new(const struct tw_worker_options *options)
{
    struct tw_worker *w = tw_calloc_aligned(1, sizeof *w);

    int rc = UV_ENOMEM;

    if (!w) return NULL;
    w->o = *options;
    w->ended = true;   /* until it starts */
    w->alone = tw_worker_processors() == 1;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    if (w->o.epoch && !(w->reader = tw_epoch_join(w->o.epoch))) goto fail;
    if ((rc = uv_loop_init(&w->loop)) < 0) goto fail;
    w->loop_open = true;
    if ((rc = tw_bell_open(&w->bell, &w->loop)) < 0) goto fail;
    uv_prepare_init(&w->loop, &w->last_look);
    w->last_look.data = w;
    if (w->o.tape) tw_waiter_open(&w->waiter, w->o.tape, ring, w);
    return w;
fail:
    tw_worker_free(w);
    errno = -rc;
    return NULL;
}

/* Runs what was posted before this call. */
static void read_mail(struct tw_worker *w)
{
    struct letter *m, *next;

    pthread_mutex_lock(&w->lock);
    m = w->first;
    w->first = NULL;
    w->last = &w->first;
    pthread_mutex_unlock(&w->lock);
    for (; m; m = next) {
        next = m->next;
        m->fn(m->arg);
        tw_free(m);
    }
}

static bool spin(struct tw_worker *w)
{
    bool expects = w->expect_ns > w->o.spin_ns;
    int64_t ns = expects ? w->expect_ns : w->o.spin_ns, end;

    w->expect_ns = 0;
    if (ns <= 0 || w->alone) return false;
    end = tw_clock_steady_ns() + ns;
    do {
        for (int i = 0; i < 64; i++)
            if (w->o.ops->ready(w->o.ctx) || tw_bell_is_rung(&w->bell)) return true;
        if (expects) sched_yield();        /* who brings it may have no other core */
    } while (tw_clock_steady_ns() < end);
    return false;
}

static void sleep_until_needed(struct tw_worker *w)
{
    if (w->o.tape) tw_waiter_arm(&w->waiter);
    if (!w->o.ops->ready(w->o.ctx) && tw_bell_sleep(&w->bell)) {
        /* order [worker.quiet] release: what the scripts did up to here is
         * visible to who sees the number */
        atomic_store_explicit(&w->quiet, w->o.ops->quiet(w->o.ctx),
                              memory_order_release);
        if (w->o.rested) w->o.rested(w->o.told);
        if (w->reader) tw_epoch_away(w->reader);
        uv_run(&w->loop, UV_RUN_ONCE);
        if (w->reader) tw_epoch_back(w->reader);
        tw_bell_wake(&w->bell);
    }
    if (w->o.tape) tw_waiter_disarm(&w->waiter);
}

/* W2 */
static void pass_quiet_point(struct tw_worker *w)
{
    if (w->reader) tw_epoch_quiet(w->reader);
}

static void turn(struct tw_worker *w, unsigned *busy_turns)
{
    const struct tw_worker_ops *ops = w->o.ops;
    bool busy;

    if (tw_bell_is_rung(&w->bell)) tw_bell_wake(&w->bell);
    busy = ops->step(w->o.ctx);
    if (busy && ++*busy_turns % LOOP_EVERY) {
        pass_quiet_point(w);
        return;
    }
    read_mail(w);
    pass_quiet_point(w);
    if (w->quitting) return;
    if (!busy && !ops->ready(w->o.ctx) && !ops->idle(w->o.ctx) && !spin(w))
        sleep_until_needed(w);       /* in the event loop */
    else
        uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void pin(const struct tw_worker *w)
{
    cpu_set_t ours, one;
    unsigned skip = w->o.index;

    if (sched_getaffinity(0, sizeof ours, &ours) < 0) return;
    skip %= (unsigned)CPU_COUNT(&ours);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &ours) || skip-- > 0) continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        pthread_setaffinity_np(pthread_self(), sizeof one, &one);
        return;
    }
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h)) uv_close(h, NULL);
}

static void *run(void *arg)
{
    struct tw_worker *w = arg;
    char name[16];
    unsigned busy_turns = 0;
    int rc;

    tw_role_set(&WORKER);
    snprintf(name, sizeof name, "%s-%u", w->o.name ? w->o.name : "tw-worker",
             w->o.index % 10000);
    pthread_setname_np(pthread_self(), name);
    if (w->o.nice) setpriority(PRIO_PROCESS, 0, w->o.nice);   /* 0: this thread */
    if (w->o.pin) pin(w);
    if (w->reader) tw_epoch_back(w->reader);
    rc = w->o.ops->open(w->o.ctx);
    pthread_mutex_lock(&w->lock);
    w->opened = rc;
    pthread_mutex_unlock(&w->lock);
    if (w->o.opened) w->o.opened(w->o.told);
    uv_prepare_start(&w->last_look, look_again);
    while (rc >= 0 && !w->quitting) turn(w, &busy_turns);
    uv_prepare_stop(&w->last_look);
    read_mail(w);
    w->o.ops->close(w->o.ctx);
    if (w->reader) tw_epoch_away(w->reader);
    pthread_mutex_lock(&w->lock);
    w->cpu_ns = tw_clock_of_ns(CLOCK_THREAD_CPUTIME_ID);
    w->ended = true;
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int tw_worker_start(struct tw_worker *w)
{
    int rc;

    w->opened = TW_EBUSY;
    w->ended = false;
    rc = -pthread_create(&w->thread, NULL, run, w);
    if (rc < 0) {
        w->ended = true;
        return rc;
    }
    w->started = true;
    pthread_getcpuclockid(w->thread, &w->cpu_clock);
    return TW_OK;
}

int tw_worker_opened(struct tw_worker *w)
{
    int rc;

    pthread_mutex_lock(&w->lock);
    rc = w->opened;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

int tw_worker_post(struct tw_worker *w, void (*fn)(void *arg), void *arg)
{
    struct letter *m = tw_calloc(1, sizeof *m);

    if (!m) return UV_ENOMEM;
    m->fn = fn;
    m->arg = arg;
    pthread_mutex_lock(&w->lock);
    *w->last = m;
    w->last = &m->next;
    pthread_mutex_unlock(&w->lock);
    tw_worker_ring(w);   /* W1 */
    return TW_OK;
}

void tw_worker_expect(struct tw_worker *w, int64_t ns)
{
    w->expect_ns = ns;
}

void tw_worker_quit(struct tw_worker *w)
{
    w->quitting = true;
}

void tw_worker_join(struct tw_worker *w)
{
    if (!w->started) return;
    pthread_join(w->thread, NULL);
    w->started = false;
}

void tw_worker_free(struct tw_worker *w)
{
    struct letter *next;

    if (!w) return;
    tw_worker_join(w);
    for (; w->first; w->first = next) {
        next = w->first->next;
        tw_free(w->first);
    }
    if (w->loop_open) {
        uv_walk(&w->loop, close_handle, NULL);
        uv_run(&w->loop, UV_RUN_DEFAULT);
        uv_loop_close(&w->loop);
    }
    tw_bell_close(&w->bell);
    pthread_mutex_destroy(&w->lock);
    tw_free(w);
}

uv_loop_t *tw_worker_loop(struct tw_worker *w)
{
    return &w->loop;
}

uint64_t tw_worker_quiet(const struct tw_worker *w)
{
    /* order [worker.quiet] acquire: what the scripts did up to there */
    return atomic_load_explicit(&w->quiet, memory_order_acquire);
}

uv_thread_t tw_worker_thread(const struct tw_worker *w)
{
    return w->thread;
}

int64_t tw_worker_cpu_ns(struct tw_worker *w)
{
    int64_t ns;

    pthread_mutex_lock(&w->lock);
    ns = w->ended ? w->cpu_ns : tw_clock_of_ns(w->cpu_clock);
    pthread_mutex_unlock(&w->lock);
    return ns;
}
