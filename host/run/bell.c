/* bell.c - wakes the thread of an event loop, and only when it sleeps.
 *
 *              sleep                         The bell is written only when the
 *     AWAKE ------------> ASLEEP            owner sleeps, so one that is awake
 *       ^  \                |  ring: write   costs who rings an exchange.
 *       |   `-- ring --.    v
 *       `---- wake ----- RUNG
 *
 * It is an eventfd of our own and no uv_async_t: a loop that hears one of those
 * spins until uv_async_send has returned, and on a busy machine the sender is the
 * very thread that it has just displaced (measured on one core with the sender at
 * nice 10: 268 us there and back, against 7).
 *
 * Layer host/run.  Thread: see each function in bell.h.
 */
#include "run/bell.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { AWAKE, ASLEEP, RUNG };

static void on_ring(uv_poll_t *ear, int status, int events)
{
    struct tw_bell *b = ear->data;
    uint64_t rings;

    (void)status, (void)events;
    /* It ends the wait of uv_run; what to do is found out by the owner. */
    while (read(b->fd, &rings, sizeof rings) < 0 && errno == EINTR) {
    }
}

int tw_bell_open(struct tw_bell *b, uv_loop_t *loop)
{
    int rc;

    atomic_init(&b->state, AWAKE);
    b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (b->fd < 0) return -errno;
    rc = uv_poll_init(loop, &b->ear, b->fd);
    if (rc < 0) return rc;
    b->ear.data = b;
    return uv_poll_start(&b->ear, UV_READABLE, on_ring);
}

void tw_bell_close(struct tw_bell *b)
{
    if (b->fd > 0) close(b->fd);
    b->fd = -1;
}

void tw_bell_ring(struct tw_bell *b)
{
    const uint64_t once = 1;
    int before = errno;   /* a signal handler must leave it as it was */

    /* order [bell.state] release: what it is rung for comes before */
    if (atomic_exchange_explicit(&b->state, RUNG, memory_order_release) != ASLEEP)
        return;
    while (write(b->fd, &once, sizeof once) < 0 && errno == EINTR) {
    }
    errno = before;
}

bool tw_bell_is_rung(const struct tw_bell *b)
{
    /* order [bell.state] relaxed: a hint; sleep and wake make sure */
    return atomic_load_explicit(&b->state, memory_order_relaxed) == RUNG;
}

bool tw_bell_sleep(struct tw_bell *b)
{
    int state = AWAKE;

    /* order [bell.state] relaxed: who rings from here on finds a sleeper */
    return atomic_compare_exchange_strong_explicit(&b->state, &state, ASLEEP,
                                                   memory_order_relaxed,
                                                   memory_order_relaxed);
}

void tw_bell_wake(struct tw_bell *b)
{
    /* order [bell.state] acquire: what was done before the ring */
    atomic_exchange_explicit(&b->state, AWAKE, memory_order_acquire);
}
