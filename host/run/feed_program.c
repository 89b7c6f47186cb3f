/* feed_program.c - what the program around the host pushes itself.
 *
 * Why not through the IO thread: the tape takes records from any thread, so a queue
 * would only cost a copy and a wake-up.  The feed is there so that a run knows whether
 * more may come, and for the figures.
 *
 * Layer host/run.  Thread: see each function in io.h.
 */
#include "base/clock.h"
#include "run/feed.h"

/* Who waits for room looks again after 20 us, then after twice that, up to 1 ms. */
enum { PATIENCE_NS = 20000, PATIENCE_MAX_NS = 1000000 };

static int program_open(struct tw_feed *f, struct tw_error *error)
{
    (void)f;
    (void)error;
    return TW_OK;
}

/* As tw_feed_enter, on any thread, when it is in the state before. */
static void enter(struct tw_feed *f, int before, enum tw_feed_state state,
                  const char *text)
{
    /* order [feed.state] acq_rel: what was pushed comes before */
    if (!atomic_compare_exchange_strong_explicit(&f->state, &before, state,
                                                 memory_order_acq_rel,
                                                 memory_order_acquire))
        return;
    if (f->io->o.changed) f->io->o.changed(f->io->o.ctx, f->index, state, text);
}

/* Before there is a thread: from here on tw_io_finish may be called. */
static int program_bind(struct tw_feed *f, struct tw_error *error)
{
    (void)error;
    enter(f, TW_FEED_WAITING, TW_FEED_LIVE, "started");
    return TW_OK;
}

static void nothing(struct tw_feed *f)
{
    (void)f;
}

const struct tw_feed_ops tw_feed_program_ops = {
    sizeof(struct tw_feed), program_open, program_bind, nothing, nothing, nothing,
};

void tw_io_finish(struct tw_io *io, unsigned feed)
{
    enter(io->feeds[feed], TW_FEED_LIVE, TW_FEED_ENDED, "the program has pushed all");
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    /* order [counter] relaxed: a figure, nothing else depends on it */
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Appends all or nothing, waiting for reliable readers: no more than one lead. */
static bool append(struct tw_feed *f, struct tw_record *r, size_t n, int64_t until_ns)
    TW_ATTR(no_thread_safety_analysis)   /* nothing here is FEED's alone */
{
    static const atomic_bool at_once = true;
    struct timespec pause = { .tv_nsec = PATIENCE_NS };
    bool waited = false;

    while (tw_tape_append(f->io->o.tape, r, n, &at_once) != TW_OK) {
        if (!waited) count(&f->waits, 1);
        waited = true;
        if (tw_io_is_stopping(f->io) || tw_clock_steady_ns() >= until_ns) return false;
        tw_tape_wake(f->io->o.tape);   /* who is in the way may be asleep */
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < PATIENCE_MAX_NS) pause.tv_nsec *= 2;
    }
    return true;
}

size_t tw_io_push(struct tw_io *io, unsigned feed, const struct tw_record *r, size_t n,
                  int64_t until_ns)
{
    struct tw_feed *f = io->feeds[feed];
    size_t most = tw_tape_lead(io->o.tape), done = 0;
    int64_t now = tw_clock_now_ns();
    struct tw_record part[TW_BATCH];

    if (most > TW_BATCH) most = TW_BATCH;
    while (done < n) {
        size_t k = n - done < most ? n - done : most;

        for (size_t i = 0; i < k; i++) {
            part[i] = r[done + i];
            part[i].source = feed + 1;
            if (part[i].received == 0) part[i].received = now;
            if (part[i].time == 0) part[i].time = now;
        }
        if (!append(f, part, k, until_ns)) break;
        done += k;
    }
    count(&f->records, done);
    tw_tape_wake(io->o.tape);
    if (io->book && done > 0)
        tw_book_pushed(io->book, r[done - 1].time ? r[done - 1].time : now);
    return done;
}
