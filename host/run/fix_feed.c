/* fix_feed.c - a feed of market data over a session of the FIX engine.
 *
 * The engine has the session and its connection; it calls the feed for what comes, and
 * the feed's state is that of the session.
 *
 * Layer host/run.  Thread: open and free MAIN, all else FEED.
 */
#include "run/fix_feed.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "feed/fault.h"
#include "fix/market_data.h"
#include "run/feed.h"

enum { LOOK_NS = 200000000 };

struct fix_feed {
    struct tw_feed feed;
    struct tw_fix_md *md;
    struct tw_fix_session *session;      /* of the call that it is in          */
    struct tw_fix_now now;               /* likewise                           */
    struct tw_fix_md_stats seen;         /* what was published so far          */
    int64_t latest_ns;                   /* of its records                     */
    unsigned told;                       /* of what is odd: see fault.h        */
};

/* ---- what the subscriber wants ---- */

static int on_send(void *ctx, const char *code, const char *body, size_t n)
{
    struct fix_feed *x = ctx;

    /* Requests are tried again. */
    if (strchr("VReg", *code) && tw_fix_session_is_behind(x->session)) return TW_EFULL;
    return tw_fix_session_put(x->session, x->now, code, body, n, NULL, NULL);
}

static void on_md_event(void *ctx, const struct tw_fix_md_event *e)
{
    struct tw_feed *f = ctx;

    tw_be_feed();
    if (e->kind == TW_FIX_MD_STATUS)
        tw_log_printf(f->io->o.log, TW_LOG_INFO, f->who, "%s", e->text);
    else tw_feed_problem(f, "", e->text);
}

/* What is odd is told once, but time: entries have times of their own. */
static void look(struct tw_batch *batch)
{
    struct fix_feed *x = batch->owner;
    unsigned n = batch->n;

    tw_be_feed();
    batch->n = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct tw_record *r = &batch->r[i];
        const struct tw_place place = { .message = r->source_seq };
        char text[TW_FAULT_TEXT], where[TW_PLACE_TEXT];
        const char *why = tw_feed_look(&x->feed, r, &place, &x->latest_ns, &x->told, "");

        if (!why) {
            batch->r[batch->n++] = *r;
            continue;
        }
        snprintf(text, sizeof text, "%s: %s", tw_place_text(&place, where), why);
        tw_feed_problem(&x->feed, "", text);
    }
    if (batch->n > 0) tw_feed_full(batch);
}

/* ---- the session ---- */

static void enter_call(struct fix_feed *x, struct tw_fix_session *s,
                       struct tw_fix_now now)
{
    x->session = s;
    x->now = now;
}

/* Adds to the feed's counters what was counted since last time. */
static void publish(struct fix_feed *x, size_t bytes) TW_ON(FEED)
{
    struct tw_fix_md_stats now = tw_fix_md_stats(x->md);
    struct tw_codec_stats more = {
        .bytes = bytes, .messages = bytes > 0,
        .ignored = now.stale + now.strange - x->seen.stale - x->seen.strange,
        .errors = now.refused - x->seen.refused,
    };
    uint64_t counts[TW_CODEC_COUNTERS];

    memcpy(counts, &more, sizeof counts);
    for (int i = 0; i < TW_CODEC_COUNTERS; i++)
        if (counts[i]) tw_counter_add(&x->feed.codec[i], counts[i]);
    x->seen = now;
}

static enum tw_fix_answer on_message(void *ctx, struct tw_fix_session *s,
                                     struct tw_fix_now now,
                                     const struct tw_fix_message *m)
{
    struct fix_feed *x = ctx;
    enum tw_fix_answer answer;

    tw_be_feed();
    if (x->feed.over) return TW_FIX_TAKEN;
    tw_feed_began(&x->feed, now.steady_ns);
    enter_call(x, s, now);
    answer = tw_fix_md_message(x->md, now, m, &x->feed.batch);
    publish(x, m->length);
    tw_feed_flush(&x->feed);
    return answer;
}

static void on_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                     const struct tw_fix_event *e)
{
    struct fix_feed *x = ctx;

    tw_be_feed();
    if (x->feed.over) return;
    enter_call(x, s, now);
    if (e->kind == TW_FIX_LOGGED_ON) {
        tw_counter_add(&x->feed.connects, 1);
        tw_feed_enter(&x->feed, TW_FEED_LIVE, "logged on");
    } else if (e->kind == TW_FIX_LOGGED_OUT) {
        tw_feed_enter(&x->feed, TW_FEED_WAITING, e->text);
    }
    tw_fix_md_session_event(x->md, now, e, &x->feed.batch);
    publish(x, 0);
    tw_feed_flush(&x->feed);
}

static int64_t on_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    struct fix_feed *x = ctx;
    int64_t wakes, again = now.steady_ns + LOOK_NS;
    uint64_t expired;

    tw_be_feed();
    if (x->feed.over) return INT64_MAX;
    enter_call(x, s, now);
    /* order [io.retell] relaxed: the flag alone matters */
    if (atomic_exchange_explicit(&x->feed.retell, false, memory_order_relaxed)) {
        tw_fix_md_retell(x->md, now, &x->feed.batch);
        tw_feed_flush(&x->feed);
    }
    expired = tw_fix_md_stats(x->md).expired;
    tw_fix_md_expire(x->md, now, &x->feed.batch);
    if (tw_fix_md_stats(x->md).expired > expired) tw_feed_flush(&x->feed);
    tw_fix_md_tick(x->md, now);
    wakes = tw_fix_md_wakes(x->md);
    return wakes < again ? wakes : again;   /* a message may have left something to do */
}

static bool on_resend(void *ctx, const struct tw_fix_message *m)
{
    (void)ctx;
    return tw_fix_md_resend(m);
}

struct tw_fix_consumer tw_fix_feed_consumer(struct tw_io *io, unsigned feed)
{
    return (struct tw_fix_consumer){
        .message = on_message, .event = on_event, .look = on_look, .resend = on_resend,
        .ctx = io->feeds[feed],
    };
}

int tw_fix_feed_instruments(struct tw_io *io, unsigned feed,
                            const struct tw_fix_dictionary *d,
                            const struct tw_fix_instrument *list, size_t n)
{
    return tw_fix_md_set_instruments(((struct fix_feed *)io->feeds[feed])->md, d, list,
                                     n);
}

/* ---- the feed ---- */

static int fix_open(struct tw_feed *f, struct tw_error *error)
{
    struct fix_feed *x = (struct fix_feed *)f;
    const struct tw_fix_feed *o = &f->o.fix;

    f->batch.full = look;
    x->latest_ns = INT64_MIN;
    x->told = TW_ODD_BACK;
    x->md = tw_fix_md_new(&(struct tw_fix_md_options){
        .symbols = f->io->o.symbols, .source = (uint8_t)(f->index + 1),
        .levels = o->book, .types = o->types, .depth = o->depth,
        .incremental = o->incremental, .quotes = o->quotes, .batch = o->batch,
        .states = o->states, .id_source = o->id_source,
        .levels_max = o->levels_max, .start_ns = tw_clock_now_ns(),
        .send = on_send, .event = on_md_event, .ctx = x,
    });
    if (!x->md) return tw_fail(error, UV_ENOMEM, "no memory for a FIX feed");
    for (size_t i = 0; i < o->symbols_n; i++) {
        int code = tw_fix_md_subscribe(x->md, o->symbols[i], strlen(o->symbols[i]));

        if (code < 0)
            return tw_fail(error, code, "cannot subscribe '%s': %s", o->symbols[i],
                           tw_strerror(code));
    }
    f->o.fix.symbols = NULL;   /* which are the caller's */
    return TW_OK;
}

static void nothing(struct tw_feed *f)
{
    (void)f;
}

static void fix_free(struct tw_feed *f)
{
    tw_fix_md_free(((struct fix_feed *)f)->md);
}

const struct tw_feed_ops tw_feed_fix_ops = {
    sizeof(struct fix_feed), fix_open, NULL, nothing, nothing, fix_free,
};
