/* fix_gateway.c - strategies on several threads trade with each other at a venue behind
 * FIX over a loopback socket: every request has its answer, every report its record, and
 * what one buys another sells; also when the connection breaks. */
#include "run/fix_gateway.h"

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "fix/order_desk.h"
#include "fix_engine_rig.h"
#include "run/fix_parts.h"

enum { OWNERS = 3, SOURCE = 9, PIECES = 50 };
static unsigned orders = 400, burst;        /* sent at once, as it is logged on */
static bool leaves;                         /* and it is to log out             */

static struct tw_symbols *symbols;

/* ---- the venue, on the io thread ---- */

struct exchange {
    struct side side;
    struct tw_fix_desk *desk;
    struct tw_venue *venue;
    struct tw_fix_session *s;          /* that is being called                  */
    struct tw_fix_now now;
    uint64_t number;
    atomic_bool deaf;                  /* it takes nothing and says nothing     */
    atomic_bool misses;                /* the next message: that comes again    */
    atomic_bool fills;                 /* as the next one comes, in PIECES      */
    atomic_uint statuses;              /* 35=H                                  */
};

static void exchange_send(void *ctx, const char *code, const char *body, size_t n)
{
    struct exchange *x = ctx;
    struct tw_error error;

    tw_fix_session_put(x->s, x->now, code, body, n, NULL, &error);
}

static void exchange_report(void *ctx, const struct tw_venue_report *r)
{
    struct exchange *x = ctx;

    tw_fix_desk_report(x->desk, r);
}

static void exchange_market(void *ctx, const struct tw_record *r)
{
    (void)ctx;
    (void)r;
}

static enum tw_fix_answer exchange_message(void *ctx, struct tw_fix_session *s,
                                           struct tw_fix_now now,
                                           const struct tw_fix_message *m)
{
    struct exchange *x = ctx;
    struct tw_request q;
    int rc;

    if (x->deaf) {
        pthread_mutex_lock(&lock);
        x->side.messages++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
        return TW_FIX_TAKEN;
    }
    x->s = s;
    x->now = now;
    if (atomic_exchange(&x->misses, false)) {
        char body[40];
        struct tw_fix_text seq = tw_fix_message_header(m, 34);
        int n = snprintf(body, sizeof body, "7=%.*s\00116=0\1", (int)seq.n, seq.at);

        exchange_send(x, "2", body, (size_t)n);
        return TW_FIX_TAKEN;
    }
    x->statuses += *tw_fix_message_code(m).at == 'H';
    for (int i = 0; i < PIECES && atomic_load(&x->fills); i++) {
        char body[40];
        int n = snprintf(body, sizeof body, "36=%" PRIu64 "\001123=Y\1",
                         tw_fix_session_status(s).next_out + 1);

        exchange_send(x, "4", body, (size_t)n);
        exchange_send(x, "8", "39=0\1", 5);        /* it is refused */
    }
    atomic_store(&x->fills, false);
    tw_venue_set_time(x->venue, now.time_ns);
    rc = tw_fix_desk_take(x->desk, m, now.time_ns, &q);
    if (rc == 1) {
        q.owner = 1 + q.id % 3;             /* orders of several meet */
        q.arrives_ns = tw_venue_time(x->venue);
        q.seq = q.number = ++x->number;
        if (tw_venue_send(x->venue, &q) < 0)
            tw_fix_desk_untaken(x->desk, &q, now.time_ns);
        while (tw_venue_step(x->venue, tw_venue_time(x->venue))) continue;
    }
    return rc == TW_EUSAGE ? TW_FIX_UNSUPPORTED : TW_FIX_TAKEN;
}

static void exchange_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                           const struct tw_fix_event *e)
{
    struct exchange *x = ctx;

    side_event(&x->side, s, now, e);
}

static struct tw_fix_link_options exchange_open(struct exchange *x)
{
    struct tw_fix_link_options o = server("venue", &x->side);

    x->venue = tw_venue_new(&(struct tw_venue_listener){ exchange_report,
                                                         exchange_market, x });
    x->desk = tw_fix_desk_new(&(struct tw_fix_desk_options){
        .dictionary = fix44, .symbols = symbols, .owner = 1, .precision = 9,
        .send = exchange_send, .ctx = x });
    o.consumer = (struct tw_fix_consumer){ .message = exchange_message,
                                           .event = exchange_event, .ctx = x };
    return o;
}

/* ---- a strategy on its thread ---- */

struct strategy {
    struct tw_seat *seat;
    struct tw_cursor cursor;
    uint32_t owner;
    struct tw_order *order;
    unsigned n, asked, answers, refused, wrong;
    int64_t bought, sold;
};

static void report(struct strategy *t, const struct tw_record *r)
{
    struct tw_venue_report told;
    struct tw_order *o;
    int rc;

    if (!tw_seat_next(t->seat, r, &told, &rc)) {
        t->wrong += rc < 0 || (r->kind == TW_ORDER && r->execution.script == t->owner);
        return;
    }
    tw_free(told.aside);
    o = told.user;
    t->wrong += told.report.order != r->execution.order
             || told.report.exec != r->execution.exec || !o;
    if (!o) return;
    t->answers += told.answers;
    if (!tw_order_apply(o, &told.report)) t->wrong += !told.answers;
    if (told.report.exec != TW_EXEC_TRADE) return;
    if (o->side == TW_SIDE_BUY) t->bought += told.report.last_qty;
    else t->sold += told.report.last_qty;
}

static atomic_uint finished;

static bool read_some(struct strategy *t)
{
    struct tw_record r;
    bool any = false;

    while (tw_cursor_next(&t->cursor, &r) == 1) report(t, &r), any = true;
    tw_cursor_commit(&t->cursor);
    return any;
}

static void ask(struct strategy *t, struct tw_request q)
{
    q.user = &t->order[q.id % 1000000];
    if (tw_seat_send(t->seat, &q) == TW_OK) t->asked++;
    else t->refused++;
}

static struct tw_request a_request(struct strategy *t, uint64_t *dice)
{
    uint64_t d = *dice = *dice * UINT64_C(6364136223846793005) + 1442695040888963407;
    struct tw_request q = { .symbol = 1, .side = (uint8_t)(1 + (d >> 40) % 2),
        .type = TW_TYPE_LIMIT, .tif = TW_TIF_GTC,
        .quantity = (int64_t)(1 + (d >> 42) % 9) * TW_FIXED_ONE,
        .price = (int64_t)(95 + (d >> 46) % 11) * TW_FIXED_ONE };

    q.id = (uint64_t)t->owner * 1000000 + t->n++;
    t->order[q.id % 1000000] = (struct tw_order){ .id = q.id, .symbol = 1, .side = q.side,
        .type = q.type, .tif = q.tif, .quantity = q.quantity, .price = q.price,
        .status = TW_STATUS_PENDING_NEW };
    return q;
}

static void *trade(void *ctx)
{
    struct strategy *t = ctx;
    uint64_t dice = t->owner;

    for (unsigned k = 0; k < orders; k++) {
        struct tw_request q = a_request(t, &dice);

        ask(t, q);
        if (k % 3 == 2) {
            q.what = k % 2 ? TW_REQUEST_CANCEL : TW_REQUEST_REPLACE;
            ask(t, q);
        }
        read_some(t);
    }
    while (t->answers < t->asked)
        if (!read_some(t)) sched_yield();
    atomic_fetch_add(&finished, 1);
    while (atomic_load(&finished) < OWNERS)   /* the tape waits for each reader */
        if (!read_some(t)) sched_yield();
    return NULL;
}

/* ---- all of it ---- */

struct scene {
    struct rig *g;
    struct exchange x;
    struct tw_fix_gateway *gateway;
    struct tw_fix_link *link, *venue;
    struct strategy s[OWNERS];
    struct tw_fix_consumer inner;      /* the gateway's                         */
    struct tw_seat *eager;             /* who sends orders as the status is up  */
    atomic_uint ups, accepted;         /* it was up, and took a request         */
    atomic_uint late_s, waits_s;       /* so late it looks; it will again in    */
};

/* Before the gateway has heard of it, the status is up: it takes requests by then. */
static void on_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                     const struct tw_fix_event *e)
{
    struct scene *c = ctx;
    struct tw_fix_link_status status;
    uint64_t dice = 7;

    if (e->kind == TW_FIX_LOGGED_ON) {
        tw_fix_link_status(tw_fix_engine_find(c->g->e, "broker"), &status);
        c->ups += status.session.state == TW_FIX_UP;
        c->accepted += tw_seat_send(c->eager, &(struct tw_request){
            .what = TW_REQUEST_GROW, .id = 1 }) != TW_ECLOSED;
        for (unsigned i = 0; c->ups == 1 && i < burst; i++)
            ask(&c->s[0], a_request(&c->s[0], &dice));
    }
    c->inner.event(c->inner.ctx, s, now, e);
    tw_be_feed();
    if (e->kind == TW_FIX_LOGGED_ON && leaves && c->ups == 1)
        tw_fix_link_logout(tw_fix_engine_find(c->g->e, "broker"), NULL);
}

static enum tw_fix_answer on_message(void *ctx, struct tw_fix_session *s,
                                     struct tw_fix_now now,
                                     const struct tw_fix_message *m)
{
    struct scene *c = ctx;

    return c->inner.message(c->inner.ctx, s, now, m);
}

static void on_up(void *ctx)
{
    struct scene *c = ctx;

    c->inner.up(c->inner.ctx);
}

static int64_t on_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    struct scene *c = ctx;
    int64_t late_ns = c->late_s * TW_FIXED_ONE, due_ns;

    now.time_ns += late_ns;
    now.steady_ns += late_ns;
    due_ns = c->inner.look(c->inner.ctx, s, now);
    c->waits_s = due_ns == INT64_MAX ? 0
               : (unsigned)((due_ns - now.steady_ns) / TW_FIXED_ONE) + 1;
    return due_ns;
}

static bool waits(void *ctx, bool ends)
{
    struct scene *c = ctx;

    return c->inner.waits(c->inner.ctx, ends);
}

static bool await_up(struct scene *c, unsigned logons)
{
    return await_event(&c->x.side, TW_FIX_LOGGED_ON, logons);
}

/* The initiator's side knows it, too. */
static void await_seat(struct strategy *t)
{
    struct tw_request q = { .what = TW_REQUEST_GROW, .id = 1 };   /* asks for nothing */

    while (tw_seat_send(t->seat, &q) == TW_ECLOSED) sched_yield();
}

/* fields: more of each order; all of it is kept in so many bytes (0: enough). */
static void open_scene(struct scene *c, const struct tw_fix_extra *fields, size_t n,
                       size_t store_bytes)
{
    struct tw_fix_link_options v, o = client("broker", &c->x.side);

    memset(c, 0, sizeof *c);
    c->g = rig_open();
    v = exchange_open(&c->x);
    v.door = rig_listen(c->g, &(struct tw_fix_door_options){ 0 });
    c->venue = rig_add(c->g, &v);
    c->gateway = tw_fix_gateway_new(&(struct tw_fix_gateway_options){
        .name = "broker", .io = c->g->io, .log = c->g->log, .source = SOURCE,
        .orders = { .dictionary = fix44, .symbols = symbols, .precision = 9,
                    .no_mass_status = true, .fields = fields, .fields_n = n } });
    c->inner = tw_fix_gateway_consumer(c->gateway);
    o.consumer = (struct tw_fix_consumer){ .message = on_message, .event = on_event,
        .up = on_up, .look = on_look, .waits = waits, .resend = c->inner.resend,
        .ctx = c };
    o.store_bytes = store_bytes;
    if (tw_floor_join(tw_fix_gateway_floor(c->gateway), OWNERS + 1, &c->eager) < 0)
        abort();
    for (uint32_t i = 0; i < OWNERS; i++) {
        c->s[i] = (struct strategy){ .owner = i + 1, .order = calloc(orders, sizeof
                                                                     *c->s[i].order) };
        if (tw_cursor_open(&c->s[i].cursor, c->g->tape, true, 1) < 0
            || tw_floor_join(tw_fix_gateway_floor(c->gateway), i + 1, &c->s[i].seat) < 0)
            abort();
    }
    c->link = rig_dial(c->g, o, tw_fix_engine_port(c->g->e, v.door));
    if (tw_fix_gateway_attach(c->gateway, c->link, &(struct tw_error){ 0 }) < 0) abort();
    rig_start(c->g);
    for (int i = 0; i < OWNERS; i++) await_seat(&c->s[i]);
}

static void close_scene(struct scene *c)
{
    for (int i = 0; i < OWNERS; i++) {
        tw_cursor_close(&c->s[i].cursor);
        tw_seat_leave(c->s[i].seat);
        free(c->s[i].order);
    }
    rig_close(c->g);
    tw_seat_leave(c->eager);
    tw_fix_gateway_free(c->gateway);
    tw_fix_desk_free(c->x.desk);
    tw_venue_free(c->x.venue);
}

static void threads(void)
{
    struct scene *c = calloc(1, sizeof *c);
    pthread_t thread[OWNERS];
    unsigned wrong = 0, answers = 0, refused = 0;
    int64_t bought = 0, sold = 0;

    open_scene(c, NULL, 0, 0);
    ok(await_up(c, 1), "logged on");
    for (int i = 0; i < OWNERS; i++) pthread_create(&thread[i], NULL, trade, &c->s[i]);
    for (int i = 0; i < OWNERS; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < OWNERS; i++) {
        read_some(&c->s[i]);
        wrong += c->s[i].wrong;
        answers += c->s[i].answers;
        refused += c->s[i].refused;
        bought += c->s[i].bought;
        sold += c->s[i].sold;
    }
    ok(wrong == 0 && refused == 0, "each record has its report");
    ok(c->ups == 1 && c->accepted == 1, "as its status is up it takes requests");
    ok(answers >= OWNERS * orders && bought > 0, "%u requests have their answers",
       answers);
    ok(bought == sold || wrong, "what one buys another sells: %g",
       tw_fixed_to_double(bought));
    close_scene(c);
    free(c);
}

static void until(struct strategy *t, unsigned answers)
{
    while (t->answers < answers)
        if (!read_some(t)) sched_yield();
}

/* What was on its way when it broke has an answer, and what was filled is known. */
static void broken(void)
{
    struct scene *c = calloc(1, sizeof *c);
    struct strategy *t;
    struct tw_request q;
    uint64_t dice = 7;

    open_scene(c, NULL, 0, 0);
    t = &c->s[0];
    q = a_request(t, &dice);
    ask(t, q);
    until(t, 1);
    ok(t->order[0].status == TW_STATUS_NEW, "an order rests");
    atomic_store(&c->x.deaf, true);
    ask(t, a_request(t, &dice));
    q.what = TW_REQUEST_CANCEL;
    ask(t, q);
    ok(await(&c->x.side.messages, 2), "what comes now is lost");
    atomic_store(&c->x.deaf, false);
    tw_fix_link_logout(c->venue, "bye");
    ok(await_event(&c->x.side, TW_FIX_LOGGED_OUT, 1), "it breaks");
    ok(await_up(c, 2), "and is there again");
    until(t, 3);
    ok(t->order[1].status == TW_STATUS_REJECTED, "what the venue never heard of is over");
    ok(t->order[0].status == TW_STATUS_NEW && !t->order[0].pending_cancel,
       "what it has is as it was");
    await_seat(t);
    q = a_request(t, &dice);
    q.type = TW_TYPE_TRAILING_STOP;
    q.reduce_only = true;
    ask(t, q);
    ok(t->refused == 1, "what FIX can't say is refused at once");
    tw_fix_link_enable(c->link, false);
    ok(await_event(&c->x.side, TW_FIX_LOGGED_OUT, 2), "disabled");
    q = (struct tw_request){ .what = TW_REQUEST_CANCEL, .id = t->order[0].id };
    ask(t, q);
    ok(t->refused == 2 || (until(t, 4), t->answers == 4), "nobody is there to ask");
    rig_log(c->g);
    ok(strstr(c->g->lines, "has no reduce-only orders") != NULL, "the log says why");
    close_scene(c);
    free(c);
}

/* What the venue does not answer is asked for half a minute later, by its own timer. */
static void unanswered(void)
{
    struct scene *c = calloc(1, sizeof *c);
    struct strategy *t;
    struct tw_request q;
    uint64_t dice = 7;

    open_scene(c, NULL, 0, 0);
    t = &c->s[0];
    q = a_request(t, &dice);
    ask(t, q);
    until(t, 1);
    atomic_store(&c->x.deaf, true);
    q.what = TW_REQUEST_CANCEL;
    ask(t, q);
    ok(await(&c->x.side.messages, 1), "a cancel that the venue does not answer");
    while (c->waits_s < 25) sched_yield();
    ok(c->waits_s <= 30, "is looked at in %u s", c->waits_s);
    atomic_store(&c->x.deaf, false);
    c->late_s = 31;
    tw_fix_link_ring(c->link);
    until(t, 2);
    ok(c->x.statuses == 1 && t->order[0].status == TW_STATUS_NEW
       && !t->order[0].pending_cancel, "then the order's status says what it is");
    ask(t, q);
    until(t, 3);
    ok(t->order[0].status == TW_STATUS_CANCELED, "and it can be canceled");
    rig_log(c->g);
    ok(strstr(c->g->lines, "no answer to 35=F for 30 s: 35=H asks") != NULL,
       "the log says so");
    close_scene(c);
    free(c);
}

/* What the venue asks for again is not sent again: it is not there, nor its change. */
static void missed(void)
{
    struct scene *c = calloc(1, sizeof *c);
    struct strategy *t;
    struct tw_request q;
    uint64_t dice = 7;

    open_scene(c, NULL, 0, 0);
    t = &c->s[0];
    atomic_store(&c->x.misses, true);
    ask(t, a_request(t, &dice));
    until(t, 1);
    ok(t->order[0].status == TW_STATUS_REJECTED, "an order that a venue has missed");
    q = a_request(t, &dice);
    ask(t, q);
    until(t, 2);
    atomic_store(&c->x.misses, true);
    q.what = TW_REQUEST_REPLACE;
    q.quantity *= 2;
    ask(t, q);
    until(t, 3);
    ok(t->order[1].status == TW_STATUS_NEW && t->order[1].quantity < q.quantity,
       "a change that it has missed");
    c->x.statuses = 0;
    atomic_store(&c->x.fills, true);
    ask(t, a_request(t, &dice));
    until(t, 4);
    while (c->x.statuses == 0) sched_yield();
    ask(t, a_request(t, &dice));
    until(t, 5);
    ok(c->x.statuses < PIECES, "a gap in %d pieces, and as many reports of nothing, are"
       " asked about at once, not for each", PIECES);
    close_scene(c);
    free(c);
}

/* What is told of that within the sending is no reason to send it again. */
static void unkept(void)
{
    struct scene *c = calloc(1, sizeof *c);
    struct tw_fix_extra note = { 58, NULL };
    char text[3950];
    uint64_t dice = 7;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    note.value = text;
    open_scene(c, &note, 1, 4096);
    ask(&c->s[0], a_request(&c->s[0], &dice));
    until(&c->s[0], 1);
    ok(c->s[0].order[0].status == TW_STATUS_REJECTED, "an order that can't be kept is"
       " refused");
    rig_log(c->g);
    ok(strstr(c->g->lines, "35=D was not sent: a message of 4") != NULL,
       "the log says why");
    await_seat(&c->s[0]);
    ok(!tw_fix_link_is_removed(c->link), "the session goes on");
    close_scene(c);
    free(c);
}

/* More at once than may wait for a peer: it is sent as that reads. */
static void many(void)
{
    struct scene *c = calloc(1, sizeof *c);
    struct tw_fix_extra note = { 58, NULL };
    char text[3801];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    note.value = text;
    orders = burst = 2000;
    open_scene(c, &note, 1, 0);
    while (c->s[0].answers < burst)
        for (int i = 0; i < OWNERS; i++) read_some(&c->s[i]);
    ok(c->s[0].refused == 0 && c->s[0].wrong == 0 && c->ups == 1
       && c->s[0].order[burst - 1].status != TW_STATUS_REJECTED,
       "7.6 MB of orders at once, and the session is still up");
    close_scene(c);
    free(c);
}

/* More at once than go out in a turn: they are last words, too. */
static void last(void)
{
    struct scene *c = calloc(1, sizeof *c);
    unsigned rejected = 0;

    orders = burst = 2000;
    leaves = true;
    open_scene(c, NULL, 0, 0);
    while (c->s[0].answers < burst)
        for (int i = 0; i < OWNERS; i++) read_some(&c->s[i]);
    for (unsigned i = 0; i < burst; i++)
        rejected += c->s[0].order[i].status == TW_STATUS_REJECTED;
    ok(c->s[0].refused == 0 && c->s[0].wrong == 0 && rejected == 0,
       "what was asked for before goes out before its Logout (%u not)", rejected);
    close_scene(c);
    free(c);
}

int main(void)
{
    (void)raw_send, (void)raw_drain, (void)raw_connect, (void)send_orders;
    if (getenv("SMALL")) orders = 60;
    symbols = tw_symbols_new(4);
    tw_symbols_intern(symbols, "AAPL", 4);
    fix42 = dictionary(TW_FIX_42, NULL);
    fix44 = dictionary(TW_FIX_44, NULL);
    threads();
    broken();
    unanswered();
    missed();
    unkept();
    many();
    last();
    tw_fix_dictionary_free(fix42);
    tw_fix_dictionary_free(fix44);
    tw_symbols_free(symbols);
    return tap_done();
}
