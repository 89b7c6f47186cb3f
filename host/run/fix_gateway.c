/* fix_gateway.c - orders of a run that go to a venue by a FIX session.
 *
 * One lock at a time: under the floor's lock it is worked out what is to be sent and what
 * has happened; it is sent, put on the tape and logged without it.
 *
 * Layer host/run.  Thread: see each function.
 */
#include "run/fix_gateway.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/fixed.h"
#include "base/memory.h"
#include "fix/arena.h"
#include "run/fix_keep.h"
#include "run/io.h"

enum { LINES = 16, LINE = 240,     /* of the log, that wait        */
       RECORDS = 64,               /* that go on the tape together */
       AT_ONCE = 256,              /* sent; then others have their turn */
       RETRY_NS = 5000000 };       /* while the peer is behind     */

struct tw_fix_gateway {
    struct tw_fix_gateway_options o;     /* constant; its texts are of the arena      */
    struct tw_arena texts;               /* constant                                  */
    char who[TW_FIX_NAME_MAX + 10];      /* constant                                  */
    struct tw_fix_link *link;            /* constant after attach                     */
    struct tw_floor *floor;              /* constant                                  */
    struct tw_fix_orders *orders;        /* mutex: the floor's                        */
    struct tw_fix_keep *keep;            /* owner: MAIN, FEED, MAIN; NULL: none       */
    bool restored;                       /* constant after attach; it can be written  */
    bool keep_failed;                    /* owner: FEED; and it was said              */
    bool ends;                           /* mutex: the floor's; scripts have ended    */
    bool missed;                         /* owner: FEED; messages, which is to be told */
    int64_t looks_ns;                    /* owner: FEED; when on_look will; 0: never  */
    char line[LINES][LINE];              /* mutex: the floor's; n_lines               */
    unsigned n_lines, unsaid;            /* mutex: the floor's                        */
};

/* ---- with the floor locked ---- */

static void note(struct tw_fix_gateway *g, const char *format, ...) TW_PRINTF(2, 3);

static void note(struct tw_fix_gateway *g, const char *format, ...)
{
    va_list args;

    if (g->n_lines == LINES) {
        g->unsaid++;
        return;
    }
    va_start(args, format);
    vsnprintf(g->line[g->n_lines++], LINE, format, args);
    va_end(args);
}

/* No script hears of it any more. */
static void on_untold(void *ctx, const struct tw_venue_report *r)
{
    struct tw_fix_gateway *g = ctx;
    const struct tw_report *p = &r->report;
    char quantity[TW_FIXED_TEXT], price[TW_FIXED_TEXT];

    if (!tw_report_is_trade(p)) return;
    tw_fixed_format(p->last_qty, quantity);
    tw_fixed_format(p->last_px, price);
    note(g, "order %" PRIu64 ": %s%s %s of %s at %s: its script has ended and has not"
         " heard of it%s", p->order, p->exec == TW_EXEC_TRADE ? "" : "taken back: ",
         r->side == TW_SIDE_BUY ? "bought" : "sold", quantity,
         tw_symbols_name(g->o.orders.symbols, r->symbol), price,
         g->keep ? "; the next run books it" : "; it is booked nowhere");
    tw_fix_link_ring(g->link);               /* on_look */
}

static void on_report(void *ctx, const struct tw_venue_report *r)
{
    struct tw_fix_gateway *g = ctx;

    tw_floor_report_held(g->floor, r);
}

static const char *shown(struct tw_fix_text t, char *out, size_t room)
{
    return t.at ? tw_fix_show(t.at, t.n, out, room) : "";
}

static void on_stray(void *ctx, const struct tw_fix_stray *s)
{
    char id[40], order_id[40], symbol[40], text[80], count[40] = "";
    char quantity[TW_FIXED_TEXT], filled[TW_FIXED_TEXT];

    tw_fixed_format(s->quantity, quantity);
    tw_fixed_format(s->filled, filled);
    if (s->count) snprintf(count, sizeof count, " (%" PRIu64 " so far)", s->count);
    note(ctx, "%s%s%s%s: ClOrdID %s OrderID %s %s, OrdStatus %c, %s of %s filled %s",
         s->what, s->owner ? ", " : "", s->owner ? s->owner : "", count,
         shown(s->id, id, sizeof id), shown(s->order_id, order_id, sizeof order_id),
         shown(s->symbol, symbol, sizeof symbol), s->status ? s->status : '?', filled,
         quantity, shown(s->text, text, sizeof text));
}

static int on_send(void *ctx, const struct tw_request *q)
{
    struct tw_fix_gateway *g = ctx;
    struct tw_error error = { 0 };
    int rc = tw_fix_orders_send(g->orders, q, &error);

    if (rc == TW_EUSAGE) {
        note(g, "order %llu is refused: %s", (unsigned long long)q->id, error.text);
        tw_fix_link_ring(g->link);
    }
    return rc;
}

/* ---- on the io thread ---- */

static void say(struct tw_fix_gateway *g)
{
    char line[LINES][LINE];
    unsigned n, unsaid;

    tw_floor_lock(g->floor);
    n = g->n_lines;
    unsaid = g->unsaid;
    memcpy(line, g->line, n * sizeof line[0]);
    g->n_lines = g->unsaid = 0;
    tw_floor_unlock(g->floor);
    for (unsigned i = 0; i < n; i++)
        tw_log_printf(g->o.log, TW_LOG_WARN, g->who, "%s", line[i]);
    if (unsaid)
        tw_log_printf(g->o.log, TW_LOG_WARN, g->who, "and %u lines more", unsaid);
}

/* What is to be found again after a restart: before anybody hears of it. */
static void keep(struct tw_fix_gateway *g)
{
    bool all = g->keep && (g->keep_failed || tw_fix_keep_is_long(g->keep)), done;
    char *text = NULL;
    size_t n = 0;
    int rc;

    if (!g->keep) return;
    tw_floor_lock(g->floor);
    done = tw_fix_orders_lines(g->orders, all, &text, &n);
    tw_floor_unlock(g->floor);
    rc = !done ? UV_ENOMEM : n > 0 ? tw_fix_keep_write(g->keep, text, n, all) : TW_OK;
    tw_free(text);
    if (rc < 0 && !g->keep_failed)
        tw_log_printf(g->o.log, TW_LOG_ERROR, g->who, "%s: %s: after a restart orders and"
                      " positions are not what they are now", tw_fix_keep_path(g->keep),
                      tw_strerror(rc));
    g->keep_failed = rc < 0;
}

/* What happened goes on the tape. */
static void tell(struct tw_fix_gateway *g) TW_ON(FEED)
{
    struct tw_record r[RECORDS];
    bool any = false;
    size_t n;

    keep(g);
    while ((n = tw_floor_take(g->floor, r, RECORDS)) > 0) {
        for (size_t i = 0; i < n; i++) r[i].received = tw_clock_now_ns();
        tw_io_append(g->o.io, r, n);     /* a run that ends reads no more */
        any = true;
    }
    if (any) tw_io_wake(g->o.io);
    say(g);
}

static void send_next(struct tw_fix_gateway *g, struct tw_fix_session *s,
                      struct tw_fix_now now, const struct tw_fix_outgoing *out)
    TW_ON(FEED)
{
    struct tw_error error;
    uint64_t seq = 0;
    int rc;

    keep(g);
    rc = tw_fix_session_put(s, now, out->code, out->body, out->n, &seq, &error);
    tw_floor_lock(g->floor);
    if (rc == TW_OK) tw_fix_orders_sent(g->orders, seq);
    else tw_fix_orders_unsent(g->orders);
    if (rc < 0) note(g, "35=%s was not sent: %s", out->code, error.text);
    tw_floor_unlock(g->floor);
    if (*out->code == 'H' || !g->looks_ns) tw_fix_link_ring(g->link);   /* on_look */
}

/* What is to be sent is, as far as the peer reads; then, what came of it.  False: there
 * is more, when it has read. */
static bool turn(struct tw_fix_gateway *g, struct tw_fix_session *s,
                 struct tw_fix_now now) TW_ON(FEED)
{
    bool is_due = true, is_behind = false;

    for (int n = 0; is_due && !is_behind && n < AT_ONCE; n++) {
        struct tw_fix_outgoing out;

        is_behind = tw_fix_session_is_behind(s);
        tw_floor_lock(g->floor);
        is_due = is_behind ? tw_fix_orders_is_due(g->orders)
                           : tw_fix_orders_next(g->orders, now.time_ns, &out);
        tw_floor_unlock(g->floor);
        if (is_due && !is_behind) send_next(g, s, now, &out);
    }
    tell(g);
    if (is_due && !is_behind) tw_fix_link_ring(g->link);   /* on_look */
    return !is_due || !is_behind;
}

/* Likewise, in between. */
static void turn_soon(struct tw_fix_gateway *g, struct tw_fix_session *s,
                      struct tw_fix_now now) TW_ON(FEED)
{
    if (!turn(g, s, now)) tw_fix_link_ring(g->link);       /* on_look */
}

static enum tw_fix_answer on_message(void *ctx, struct tw_fix_session *s,
                                     struct tw_fix_now now,
                                     const struct tw_fix_message *m)
{
    struct tw_fix_gateway *g = ctx;
    enum tw_fix_answer answer;

    tw_be_feed();
    tw_floor_lock(g->floor);
    answer = tw_fix_orders_message(g->orders, m);
    tw_floor_unlock(g->floor);
    turn_soon(g, s, now);
    return answer;
}

/* Who sees that the session is up may send orders. */
static void on_up(void *ctx)
{
    struct tw_fix_gateway *g = ctx;

    tw_floor_lock(g->floor);
    tw_fix_orders_logged_on(g->orders);
    tw_floor_unlock(g->floor);
}

/* With the floor locked. */
static void note_orphans(struct tw_fix_gateway *g)
{
    char quantity[TW_FIXED_TEXT], price[TW_FIXED_TEXT];
    struct tw_fix_holding is;
    const char *name;

    while ((name = tw_fix_orders_orphan(g->orders, &is)) != NULL) {
        tw_fixed_format(is.quantity, quantity);
        tw_fixed_format(is.price, price);
        note(g, "%s, a script that this run does not have, holds %s of %s at %s: no"
             " limit counts that", name, quantity,
             tw_symbols_name(g->o.orders.symbols, is.symbol), price);
    }
}

/* With the floor locked. */
static void note_unanswered(struct tw_fix_gateway *g)
{
    size_t n = g->ends ? tw_fix_orders_cancels(g->orders) : 0;

    if (n > 0)
        note(g, "the run ends without an answer to %zu of its cancels: these orders may"
             " be open at the venue, or trade", n);
}

static void on_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                     const struct tw_fix_event *e)
{
    struct tw_fix_gateway *g = ctx;
    bool is_gap = e->kind == TW_FIX_SKIPPED || e->kind == TW_FIX_FILLED
               || e->kind == TW_FIX_RESET;

    tw_be_feed();
    if (e->kind == TW_FIX_STORE_FAILED) return;   /* it may be told within our sending */
    tw_floor_lock(g->floor);
    if (e->kind == TW_FIX_LOGGED_ON) note_orphans(g);
    if (e->kind == TW_FIX_LOGGED_OUT) {
        note_unanswered(g);
        tw_fix_orders_logged_out(g->orders, now.time_ns);
    }
    if (e->kind == TW_FIX_REJECTED)
        tw_fix_orders_rejected(g->orders, e->from, e->message);
    if (e->kind == TW_FIX_RESENDING)
        tw_fix_orders_resending(g->orders, e->from, e->to);
    if (e->kind == TW_FIX_REFUSED && e->message)
        is_gap = tw_fix_orders_refused(g->orders, e->message);
    tw_floor_unlock(g->floor);
    if (is_gap) g->missed = true;
    if (is_gap || e->kind == TW_FIX_RESENDING) tw_fix_link_ring(g->link);   /* on_look */
    else turn_soon(g, s, now);
}

static int64_t on_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    struct tw_fix_gateway *g = ctx;
    int64_t due_ns;

    tw_be_feed();
    tw_floor_lock(g->floor);
    if (g->missed) tw_fix_orders_missed(g->orders);   /* once for all pieces of a gap */
    g->missed = false;
    due_ns = tw_fix_orders_tick(g->orders, now.time_ns);
    tw_floor_unlock(g->floor);
    if (g->looks_ns > now.time_ns && g->looks_ns < due_ns) due_ns = g->looks_ns;
    g->looks_ns = due_ns == INT64_MAX ? 0 : due_ns;
    if (!turn(g, s, now) && due_ns > now.time_ns + RETRY_NS)
        due_ns = now.time_ns + RETRY_NS;
    return due_ns == INT64_MAX ? due_ns : now.steady_ns + (due_ns - now.time_ns);
}

static void leaves(void *ctx, bool ends)
{
    struct tw_fix_gateway *g = ctx;

    tw_floor_lock(g->floor);
    g->ends = ends;
    tw_fix_orders_leaving(g->orders);
    tw_floor_unlock(g->floor);
}

static bool waits(void *ctx, bool answers)
{
    struct tw_fix_gateway *g = ctx;
    bool does;

    tw_floor_lock(g->floor);
    does = tw_fix_orders_is_due(g->orders)
        || (answers && tw_fix_orders_cancels(g->orders) > 0);
    tw_floor_unlock(g->floor);
    return does;
}

static bool on_resend(void *ctx, const struct tw_fix_message *m)
{
    (void)ctx;
    return tw_fix_orders_resend(m);
}

/* On any thread. */
static void ring(void *ctx)
{
    struct tw_fix_gateway *g = ctx;

    tw_fix_link_ring(g->link);
}

/* ---- its life ---- */

struct tw_fix_consumer tw_fix_gateway_consumer(struct tw_fix_gateway *g)
{
    return (struct tw_fix_consumer){ .message = on_message, .event = on_event,
                                     .up = on_up, .look = on_look,
                                     .leaves = leaves, .waits = waits,
                                     .resend = on_resend, .ctx = g };
}

/* What a former run has kept, and that as it is then. */
static int restore(struct tw_fix_gateway *g, struct tw_error *error)
{
    const char *path = tw_fix_keep_path(g->keep);
    size_t n = 0, strange = 0;
    char *text = tw_fix_keep_read(g->keep, &n, error);
    bool is_there = text != NULL;
    int rc = error->code;
    struct tw_error why;

    if (is_there) rc = tw_fix_orders_restore(g->orders, text, &strange, &why);
    tw_free(text);
    if (is_there && rc < 0) return tw_fail(error, rc, "%s: %s", path, why.text);
    if (strange)
        tw_log_printf(g->o.log, TW_LOG_WARN, g->who, "%s: %zu lines are left out:"
                      " they make no sense, or were not written to their end", path,
                      strange);
    text = NULL;
    n = 0;
    if (rc == TW_OK && !tw_fix_orders_lines(g->orders, true, &text, &n)) rc = UV_ENOMEM;
    if (rc == TW_OK) rc = tw_fix_keep_write(g->keep, text ? text : "", n, true);
    tw_free(text);
    return rc < 0 ? tw_fail(error, rc, "%s: %s", path, tw_strerror(rc)) : TW_OK;
}

int tw_fix_gateway_attach(struct tw_fix_gateway *g, struct tw_fix_link *link,
                          struct tw_error *error)
{
    int rc = g->keep ? restore(g, error) : TW_OK;

    g->link = link;
    g->restored = g->keep && rc == TW_OK;
    if (rc == TW_OK) tw_floor_open(g->floor, g->o.source, ring, g);
    return rc;
}

bool tw_fix_gateway_knows(struct tw_fix_gateway *g, const char *name)
{
    bool knows;

    tw_floor_lock(g->floor);
    knows = tw_fix_orders_knows(g->orders, name);
    tw_floor_unlock(g->floor);
    return knows;
}

int tw_fix_gateway_expect(struct tw_fix_gateway *g, uint32_t owner, const char *name,
                          const char *account)
{
    int rc = TW_OK;

    tw_floor_lock(g->floor);
    tw_fix_orders_expect(g->orders, owner);
    if (account) rc = tw_fix_orders_set_account(g->orders, name, account);
    tw_floor_unlock(g->floor);
    return rc;
}

void tw_fix_gateway_halted(struct tw_fix_gateway *g)
{
    tw_floor_lock(g->floor);
    tw_fix_orders_halted(g->orders);
    tw_floor_unlock(g->floor);
    if (waits(g, false)) tw_fix_link_ring(g->link);
}

int tw_fix_gateway_join(struct tw_fix_gateway *g, uint32_t owner, const char *name,
                        const char *account, struct tw_fix_estate *out)
{
    bool is_due;
    int rc = TW_OK;

    *out = (struct tw_fix_estate){ .n = 0 };
    tw_floor_lock(g->floor);
    if (account) rc = tw_fix_orders_set_account(g->orders, name, account);
    if (rc == TW_OK)
        rc = tw_fix_orders_join(g->orders, owner, name, tw_clock_now_ns(), out);
    is_due = tw_fix_orders_is_due(g->orders);
    tw_floor_unlock(g->floor);
    if (rc > 0 || (rc == 0 && out->n > 0))
        tw_log_printf(g->o.log, TW_LOG_INFO, g->who, "%s goes on with %d orders and %zu"
                      " positions of a former run", name, rc, out->n);
    if (rc > 0 || is_due) tw_fix_link_ring(g->link);
    return rc < 0 ? rc : TW_OK;
}

void tw_fix_gateway_account(struct tw_fix_gateway *g, uint32_t owner, uint64_t trades,
                            char *text, size_t n, bool ends)
{
    bool is_new;

    tw_floor_lock(g->floor);
    is_new = tw_fix_orders_account(g->orders, owner, trades, text, n);
    tw_floor_unlock(g->floor);
    if (is_new && !ends) tw_fix_link_ring(g->link);
}

struct tw_floor *tw_fix_gateway_floor(const struct tw_fix_gateway *g)
{
    return g->floor;
}

static bool own_text(struct tw_fix_gateway *g, const char **text)
{
    if (*text) *text = tw_arena_text(&g->texts, *text, strlen(*text));
    return *text != NULL;
}

static bool own_fields(struct tw_fix_gateway *g, const struct tw_fix_extra **all,
                       size_t n)
{
    struct tw_fix_extra *fields = tw_arena_take(&g->texts, (n + 1) * sizeof *fields);

    for (size_t i = 0; fields && i < n; i++) {
        fields[i] = (*all)[i];
        if (!own_text(g, &fields[i].value)) return false;
    }
    *all = fields;
    return fields != NULL;
}

/* The texts and fields are its own; false: no memory. */
static bool own(struct tw_fix_gateway *g)
{
    struct tw_fix_orders_options *o = &g->o.orders;

    return (!o->account || own_text(g, &o->account))
        && own_fields(g, &o->fields, o->fields_n);
}

struct tw_fix_gateway *tw_fix_gateway_new(const struct tw_fix_gateway_options *options)
{
    struct tw_fix_gateway *g = tw_calloc(1, sizeof *g);

    if (!g) return NULL;
    g->o = *options;
    snprintf(g->who, sizeof g->who, "gateway %s", options->name);
    g->o.orders.report = on_report;
    g->o.orders.stray = on_stray;
    g->o.orders.ctx = g;
    g->o.orders.keeps = options->folder != NULL;
    if (options->folder)
        g->keep = tw_fix_keep_new(options->folder, options->name, options->sync);
    g->floor = tw_floor_new_elsewhere(on_send, on_untold, g);
    if (g->floor && (g->keep || !options->folder) && own(g))
        g->orders = tw_fix_orders_new(&g->o.orders);
    g->o.orders.instruments = NULL;      /* the caller's */
    if (g->orders) return g;
    tw_fix_gateway_free(g);
    return NULL;
}

void tw_fix_gateway_free(struct tw_fix_gateway *g)
{
    if (!g) return;
    if (g->restored) keep(g);            /* what scripts have left as they ended */
    tw_fix_orders_free(g->orders);
    tw_fix_keep_free(g->keep);
    tw_floor_free(g->floor);
    tw_arena_fini(&g->texts);
    tw_free(g);
}
