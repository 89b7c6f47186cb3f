/* feed_book.c - the venue of the strategies, as a feed: what they do in it comes on the
 * tape as records.
 *
 * Why the io thread drives it: what comes out must stand between the records of the other
 * feeds at a place that does not depend on threads.  It is this thread that puts these on
 * the tape: before each one it lets happen in the venue what comes before it.
 *
 * In step (where the tape waits for its readers anyway): before anything happens it waits
 * until every script has read all of the tape.  Then the same records of the other feeds
 * give the same requests and the same fills, for any number of workers, as in a backtest.
 * Exceptions are what is a matter of real time or threads elsewhere: handlers that wait,
 * tasks, messages that several workers send at once, records that a program pushes.
 * Else, where feeds are live: who is first is served first.
 *
 * Layer host/run.  Thread: see each function in feed.h.
 */
#include <sched.h>
#include <time.h>

#include "base/clock.h"
#include "run/feed.h"
#include "run/floor.h"

/* Who waits looks on for so long, then sleeps, each time twice as long. */
enum { LOOK_NS = 50000, PATIENCE_NS = 20000, PATIENCE_MAX_NS = 1000000 };

/* So often do scripts answer what came of their orders at one time: else for ever. */
enum { ROUNDS_MAX = 20000 };

struct book {
    struct tw_feed feed;
    atomic_bool live;                  /* atomic: FEED stores, all load              */
    bool fed;                          /* owner: FEED: a feed has moved the time     */
    _Atomic int64_t pushed_ns;         /* atomic: of a program's records, all raise  */
};

/* Waits for all scripts; false: the io stops. */
static bool wait_for_scripts(struct tw_feed *f) TW_ON(FEED)
{
    const struct tw_book_feed *o = &f->o.book;
    struct timespec pause = { .tv_nsec = PATIENCE_NS };
    int64_t until_ns = 0;

    if (o->is_quiet(o->ctx)) return true;
    tw_tape_wake(f->io->o.tape);
    while (!o->is_quiet(o->ctx)) {
        if (tw_io_is_stopping(f->io)) return false;
        if (until_ns == 0) until_ns = tw_clock_steady_ns() + LOOK_NS;
        if (tw_clock_steady_ns() < until_ns) {
            sched_yield();
            continue;
        }
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < PATIENCE_MAX_NS) pause.tv_nsec *= 2;
    }
    return true;
}

/* What happens next, up to that time, goes on the tape; false: nothing. */
static bool cross(struct tw_feed *f, int64_t limit_ns) TW_ON(FEED)
{
    struct tw_floor *floor = f->o.book.floor;
    int rc = tw_floor_step(floor, limit_ns);
    struct tw_record *r;
    size_t n;

    if (rc < 0) tw_feed_finish(f, TW_FEED_FAILED, "no memory for what came of an order");
    if (rc <= 0) return false;
    r = tw_floor_out(floor, &n);
    for (size_t i = 0; i < n; i++) r[i].received = tw_clock_now_ns();
    tw_feed_append(f, r, n);
    tw_floor_took(floor, n);
    tw_tape_wake(f->io->o.tape);
    return true;
}

static void happen(struct tw_feed *f, int64_t limit_ns) TW_ON(FEED)
{
    bool in_step = f->o.book.is_quiet != NULL;
    int64_t now_ns = tw_floor_time(f->o.book.floor);
    unsigned rounds = 0;

    while (!f->over && (!in_step || wait_for_scripts(f)) && cross(f, limit_ns)) {
        if (tw_floor_time(f->o.book.floor) > now_ns) rounds = 0;
        now_ns = tw_floor_time(f->o.book.floor);
        if (in_step && ++rounds == ROUNDS_MAX)
            tw_feed_finish(f, TW_FEED_FAILED, "time stands still: scripts answer what"
                           " comes of their orders again and again; a latency ends that");
    }
}

void tw_book_before(struct tw_feed *f, int64_t time_ns)
{
    struct tw_floor *floor = f->o.book.floor;
    int64_t now_ns = tw_floor_time(floor);

    if (now_ns == 0) {
        tw_floor_set_time(floor, time_ns);
        happen(f, time_ns);
        return;
    }
    happen(f, time_ns - 1 > now_ns ? time_ns - 1 : now_ns);
    tw_floor_set_time(floor, time_ns);
}

void tw_book_fed(struct tw_feed *f)
{
    struct book *b = (struct book *)f;

    if (!b->fed) tw_floor_fed(f->o.book.floor);
    b->fed = true;
}

void tw_book_look(struct tw_feed *f)
{
    struct book *b = (struct book *)f;
    struct tw_floor *floor = f->o.book.floor;
    /* order [book.pushed] relaxed: the time alone is used */
    int64_t now_ns = atomic_load_explicit(&b->pushed_ns, memory_order_relaxed);

    /* order [io.retell] relaxed: the flag alone matters */
    if (atomic_exchange_explicit(&f->retell, false, memory_order_relaxed))
        tw_floor_retell(floor);
    if (now_ns != 0) {
        tw_book_fed(f);
        tw_floor_set_time(floor, now_ns);
    }
    now_ns = tw_floor_time(floor);
    if (now_ns != 0 && !f->over) happen(f, now_ns);
}

static void ring(void *ctx)
{
    struct book *b = ctx;

    /* order [book.live] acquire: the bell is there */
    if (atomic_load_explicit(&b->live, memory_order_acquire))
        uv_async_send(&b->feed.io->bell);
}

void tw_book_pushed(struct tw_feed *f, int64_t time_ns)
{
    struct book *b = (struct book *)f;
    /* order [book.pushed] relaxed: the time alone is used */
    int64_t was = atomic_load_explicit(&b->pushed_ns, memory_order_relaxed);

    /* order [book.pushed] relaxed: likewise */
    while (was < time_ns && !atomic_compare_exchange_weak_explicit(&b->pushed_ns, &was,
               time_ns, memory_order_relaxed, memory_order_relaxed))
        continue;
    ring(b);
}

/* ---- the feed ---- */

static int book_open(struct tw_feed *f, struct tw_error *error)
{
    (void)error;
    tw_floor_open(f->o.book.floor, (uint8_t)(f->index + 1), ring, f);
    f->io->book = f;
    return TW_OK;
}

static void book_start(struct tw_feed *f)
{
    struct book *b = (struct book *)f;

    tw_be_feed();
    /* order [book.live] release: the bell is there */
    atomic_store_explicit(&b->live, true, memory_order_release);
    tw_feed_enter(f, TW_FEED_LIVE, "started");
}

static void book_close(struct tw_feed *f)
{
    struct book *b = (struct book *)f;

    /* order [book.live] release: the other side of the one in book_start */
    atomic_store_explicit(&b->live, false, memory_order_release);
}

static void book_free(struct tw_feed *f)
{
    (void)f;
}

const struct tw_feed_ops tw_feed_book_ops = {
    sizeof(struct book), book_open, NULL, book_start, book_close, book_free,
};
