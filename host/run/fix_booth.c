/* fix_booth.c - peers of FIX sessions that trade in the venue of a run: its own exchange.
 *
 * Layer host/run.  Thread: FEED, where nothing else is said: it drives the floor, too.
 */
#include "run/fix_booth.h"

#include <stdatomic.h>
#include <uv.h>

#include "base/memory.h"

struct tw_fix_booth {
    struct tw_fix_booth_options o;     /* constant                                    */
    struct tw_seat *seat;              /* constant                                    */
    struct tw_fix_desk *desk;          /* owner: FEED                                 */
    _Atomic(struct tw_fix_link *) link;   /* atomic: MAIN stores, ring loads */
    struct tw_fix_session *s;          /* owner: FEED; that is being called           */
    struct tw_fix_now now;
};

/* With the floor locked. */
static void ring(void *ctx)
{
    struct tw_fix_booth *b = ctx;
    /* order [booth.link] acquire: the link is made */
    struct tw_fix_link *link = atomic_load_explicit(&b->link, memory_order_acquire);

    if (link) tw_fix_link_ring(link);
}

/* A peer that does not read loses reports, and its connection: it asks for the status of
 * its orders when it is back. */
static void on_send(void *ctx, const char *code, const char *body, size_t n)
{
    struct tw_fix_booth *b = ctx;
    struct tw_error error;

    if (b->s) tw_fix_session_put(b->s, b->now, code, body, n, NULL, &error);
}

/* What happened to its orders; while it is not logged on that waits in the seat. */
static void tell(struct tw_fix_booth *b, struct tw_fix_session *s, struct tw_fix_now now)
{
    struct tw_venue_report r;

    b->s = s;
    b->now = now;
    while (tw_fix_session_status(s).state == TW_FIX_UP && tw_seat_take(b->seat, &r))
        tw_fix_desk_report(b->desk, &r);
}

static enum tw_fix_answer on_message(void *ctx, struct tw_fix_session *s,
                                     struct tw_fix_now now,
                                     const struct tw_fix_message *m)
{
    struct tw_fix_booth *b = ctx;
    struct tw_request q;
    int rc;

    tell(b, s, now);
    rc = tw_fix_desk_take(b->desk, m, now.time_ns, &q);
    if (rc == TW_EUSAGE) return TW_FIX_UNSUPPORTED;
    if (rc < 0) return TW_FIX_LATER;
    if (rc == 1) {
        if (tw_floor_time(b->o.floor) == 0) tw_floor_set_time(b->o.floor, now.time_ns);
        q.arrives_ns = tw_floor_time(b->o.floor);
        if (tw_seat_send(b->seat, &q) < 0) tw_fix_desk_untaken(b->desk, &q, now.time_ns);
    }
    return TW_FIX_TAKEN;
}

static void on_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                     const struct tw_fix_event *e)
{
    if (e->kind == TW_FIX_LOGGED_ON) tell(ctx, s, now);
}

static int64_t on_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    tell(ctx, s, now);
    return INT64_MAX;
}

/* ---- its life ---- */

struct tw_fix_consumer tw_fix_booth_consumer(struct tw_fix_booth *b)
{
    return (struct tw_fix_consumer){ .message = on_message, .event = on_event,
                                     .look = on_look, .ctx = b };
}

void tw_fix_booth_attach(struct tw_fix_booth *b, struct tw_fix_link *link)
{
    /* order [booth.link] release: the link is made */
    atomic_store_explicit(&b->link, link, memory_order_release);
}

bool tw_fix_booth_renew(struct tw_fix_booth *b,
                        const struct tw_fix_dictionary *dictionary, int precision)
{
    /* order [booth.link] acquire: the link is made */
    struct tw_fix_link *link = atomic_load_explicit(&b->link, memory_order_acquire);
    struct tw_venue_report r;

    /* What FEED did here is done: the link's lock says so. */
    if (!link || !tw_fix_link_is_removed(link)) return false;
    b->s = NULL;
    while (tw_seat_take(b->seat, &r)) tw_fix_desk_report(b->desk, &r);
    return tw_fix_desk_renew(b->desk, dictionary, precision);
}

struct tw_fix_booth *tw_fix_booth_new(const struct tw_fix_booth_options *options,
                                      struct tw_error *error)
{
    struct tw_fix_booth *b = tw_calloc(1, sizeof *b);
    int rc = UV_ENOMEM;

    if (b) {
        b->o = *options;
        b->desk = tw_fix_desk_new(&(struct tw_fix_desk_options){
            .dictionary = options->dictionary, .symbols = options->symbols,
            .owner = options->owner, .first_id = options->first_id,
            .id_step = options->id_step, .precision = options->precision,
            .send = on_send, .ctx = b });
        if (b->desk)
            rc = tw_floor_join(options->floor, options->owner, &b->seat);
        if (rc == TW_OK) {
            tw_seat_on_report(b->seat, ring, b);
            return b;
        }
    }
    tw_fail(error, rc, "%s", tw_strerror(rc));
    tw_fix_booth_free(b);
    return NULL;
}

void tw_fix_booth_free(struct tw_fix_booth *b)
{
    if (!b) return;
    tw_seat_leave(b->seat);
    tw_fix_desk_free(b->desk);
    tw_free(b);
}
