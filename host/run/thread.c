/* thread.c - a named thread on the wire's side: role FEED, no signals but of faults.
 *
 * Why no signals: SIGINT belongs to MAIN, and a write to a peer that has gone
 * must be an error code (EPIPE) and not the end of the process.
 *
 * Layer host/run.  Thread: see thread.h.
 */
#include "run/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"

enum { NEW, RUNNING, JOINED };
enum { PATIENCE_NS = 5000000 };

/* The program's signals are for its own threads, but for those that are about what this
 * one does: blocked they would end the process past whoever wants to say why. */
static void block_signals(void)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    sigset_t others;

    sigfillset(&others);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&others, own[i]);
    pthread_sigmask(SIG_SETMASK, &others, NULL);
}

static void body(void *arg)
{
    struct tw_thread *t = arg;

    block_signals();
    pthread_setname_np(pthread_self(), t->name);
    tw_role_set(&FEED);
    t->run(t->arg);
    /* order [thread.cpu] relaxed: a figure, nothing else depends on it */
    atomic_store_explicit(&t->cpu_ns, tw_clock_of_ns(CLOCK_THREAD_CPUTIME_ID),
                          memory_order_relaxed);
}

int tw_thread_start(struct tw_thread *t, const char *name,
                    void (*run)(void *arg), void *arg)
{
    int rc;

    t->name = name;
    t->run = run;
    t->arg = arg;
    rc = uv_thread_create(&t->id, body, t);
    if (rc < 0) return rc;
    pthread_getcpuclockid(t->id, &t->clock);
    /* order [thread.state] release: clock is set before it says so */
    atomic_store_explicit(&t->state, RUNNING, memory_order_release);
    return TW_OK;
}

static void deadline(struct timespec *until)
{
    int64_t at = tw_clock_now_ns() + PATIENCE_NS;

    until->tv_sec = at / 1000000000;
    until->tv_nsec = at % 1000000000;
}

void tw_thread_join(struct tw_thread *t)
{
    struct timespec until;

    /* order [thread.state] relaxed: MAIN itself stored it */
    if (atomic_load_explicit(&t->state, memory_order_relaxed) != RUNNING) return;
    do {
        if (t->waiting) t->waiting(t->ctx);
        deadline(&until);
    } while (pthread_timedjoin_np(t->id, NULL, &until) == ETIMEDOUT);
    /* order [thread.state] release: cpu_ns is final before it says so */
    atomic_store_explicit(&t->state, JOINED, memory_order_release);
}

int64_t tw_thread_cpu_ns(const struct tw_thread *t)
{
    struct timespec now;

    /* order [thread.state] acquire: clock is set */
    if (atomic_load_explicit(&t->state, memory_order_acquire) == RUNNING &&
        clock_gettime(t->clock, &now) == 0)
        return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    /* order [thread.cpu] relaxed: a figure; 0 while there is no thread */
    return atomic_load_explicit(&t->cpu_ns, memory_order_relaxed);
}
