/* feed_made.c - feeds that nobody sends: the synthetic market, and timers.
 *
 * Layer host/run.  Thread: open and free MAIN, all else FEED.
 */
#include "base/clock.h"
#include "run/feed.h"
#include "run/pace.h"
#include "run/pump.h"

enum { STEP = 8 * TW_BATCH };   /* records between two turns of the loop */

/* ---- synthetic ---- */

struct market {
    struct tw_feed feed;
    struct tw_pump pump;
    struct tw_synthetic *synthetic;
    struct tw_pace pace;
};

static int64_t step_market(void *arg)
{
    struct market *m = arg;
    struct tw_feed *f = &m->feed;
    int64_t received = tw_clock_now_ns(), now = tw_clock_steady_ns(), wait_ns = 0;
    uint64_t most;

    tw_be_feed();
    most = tw_feed_turn(f, m->pace.speed > 0, STEP);
    tw_feed_began(f, now);
    for (uint64_t n = f->left < most ? f->left : most; n > 0; n--) {
        struct tw_record *r;

        wait_ns = tw_pace_wait(&m->pace, tw_synthetic_time(m->synthetic), now);
        if (wait_ns > 0) break;
        r = tw_batch_next(&f->batch);
        tw_synthetic_next(m->synthetic, r);
        r->received = received;
    }
    tw_feed_flush(f);
    return wait_ns;
}

static int market_open(struct tw_feed *f, struct tw_error *error)
{
    struct market *m = (struct market *)f;
    struct tw_synthetic_options o = f->o.synthetic;

    o.symbols = f->io->o.symbols;
    o.source = (uint8_t)(f->index + 1);
    if (o.start_ns == 0) o.start_ns = tw_clock_now_ns();
    m->synthetic = tw_synthetic_new(&o);
    m->pace.speed = f->o.speed;
    if (m->synthetic) return TW_OK;
    return tw_fail(error, TW_ELIMIT, "no room for a market of %u symbols", o.universe);
}

static void market_start(struct tw_feed *f)
{
    struct market *m = (struct market *)f;

    tw_be_feed();
    tw_feed_enter(f, TW_FEED_LIVE, "started");
    tw_pump_start(&m->pump, &f->io->loop, step_market, m);
}

static void market_close(struct tw_feed *f)
{
    tw_be_feed();
    tw_pump_close(&((struct market *)f)->pump);
}

static void market_free(struct tw_feed *f)
{
    tw_synthetic_free(((struct market *)f)->synthetic);
}

const struct tw_feed_ops tw_feed_synthetic_ops = {
    sizeof(struct market), market_open, NULL, market_start, market_close, market_free,
};

/* ---- timer ---- */

struct timer {
    struct tw_feed feed;
    struct tw_pump pump;
    int64_t steady_ns, wall_ns;   /* when it began, on both clocks */
    uint64_t count;               /* marks so far                  */
};

/* Mark k is due k intervals after the start: a late one moves no other, and
 * none is left out. */
static int64_t step_timer(void *arg)
{
    struct timer *t = arg;
    struct tw_feed *f = &t->feed;
    int64_t interval = f->o.interval_ns, now = tw_clock_steady_ns(), wait_ns = 0;

    tw_be_feed();
    for (size_t n = tw_feed_turn(f, true, STEP); n > 0; n--) {
        int64_t after = (int64_t)(t->count + 1) * interval;

        wait_ns = t->steady_ns + after - now;
        if (wait_ns > 0) break;
        *tw_batch_next(&f->batch) = (struct tw_record){
            .time = t->wall_ns + after, .received = tw_clock_now_ns(),
            .source = (uint8_t)(f->index + 1), .kind = TW_TIMER,
            .timer = { .interval_ns = interval, .count = ++t->count,
                       .timer = f->o.timer },
        };
    }
    tw_feed_flush(f);
    return wait_ns;
}

static int timer_open(struct tw_feed *f, struct tw_error *error)
{
    (void)f;
    (void)error;
    return TW_OK;
}

static void timer_start(struct tw_feed *f)
{
    struct timer *t = (struct timer *)f;

    tw_be_feed();
    t->steady_ns = tw_clock_steady_ns();
    t->wall_ns = tw_clock_now_ns();
    tw_feed_enter(f, TW_FEED_LIVE, "started");
    tw_pump_start(&t->pump, &f->io->loop, step_timer, t);
}

static void timer_close(struct tw_feed *f)
{
    tw_be_feed();
    tw_pump_close(&((struct timer *)f)->pump);
}

static void timer_free(struct tw_feed *f)
{
    (void)f;
}

const struct tw_feed_ops tw_feed_timer_ops = {
    sizeof(struct timer), timer_open, NULL, timer_start, timer_close, timer_free,
};
