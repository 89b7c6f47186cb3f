/* fix_link.c - a session of the FIX engine: between its wire and its consumer.
 *
 * Why a turn: whatever happens to a session, a read, a timer, a command, what a consumer
 * of another session sent through it, afterwards the same is to be done: what it has to
 * say is written, it may want to hang up, and its timer is set.  What happens while a
 * turn is under way makes it dirty: the loop does not sleep before its next one.
 *
 * Invariants
 *   L1  Consumers are called with no lock held, and never within each other: but a
 *       store that fails is told of (TW_FIX_STORE_FAILED) as they send.
 *   L2  A message of the outbox is sent, or its ticket is told as UNSENT.
 *   L3  The timer fires no later than anything of the session is due; sooner is no harm.
 *
 * Layer host/run.  Thread: FEED.
 */
#include "run/fix_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The time, which what happens at once has in common. */
static struct tw_fix_now see(struct tw_fix_link *l)
{
    return l->now = tw_fix_now();
}

/* ---- what is said of it ---- */

void tw_fix_link_say(struct tw_fix_link *l, enum tw_log_level level, const char *format,
                     ...)
{
    char text[400], more[60] = "";
    uint64_t unsaid;
    va_list args;

    if (!tw_fix_may_say(&l->hush, &unsaid)) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (unsaid > 0)
        snprintf(more, sizeof more, " (and %" PRIu64 " lines before that)", unsaid);
    tw_log_printf(l->e->o.log, level, l->who, "%s%s", text, more);
}

static TW_COLD void say_event(struct tw_fix_link *l, const struct tw_fix_event *e)
{
    struct tw_log *log = l->e->o.log;

    switch (e->kind) {
    case TW_FIX_LOGGED_ON:
        tw_log_printf(log, *e->text ? TW_LOG_WARN : TW_LOG_INFO, l->who, "logged on%s%s",
                      *e->text ? "; " : "", e->text);
        break;
    case TW_FIX_LOGGED_OUT:
        tw_log_printf(log, TW_LOG_INFO, l->who, "logged out: %s", e->text);
        break;
    case TW_FIX_NOT_LOGGED_ON:
        if (l->failed && strcmp(l->status.why, e->text) == 0) break;   /* as before */
        tw_fix_link_say(l, TW_LOG_WARN, "not logged on: %s", e->text);
        l->failed = true;
        break;
    case TW_FIX_LOGON_WAITS:
        break;
    case TW_FIX_STORE_FAILED:
        tw_fix_link_say(l, TW_LOG_ERROR, "%s", e->text);
        break;
    case TW_FIX_RESET:
        tw_log_printf(log, *e->text ? TW_LOG_WARN : TW_LOG_INFO, l->who,
                      "both numbers begin at 1%s%s", *e->text ? "; " : "", e->text);
        break;
    case TW_FIX_DROPPED:
        tw_fix_link_say(l, TW_LOG_WARN, "dropped: %s", e->text);
        break;
    case TW_FIX_REJECTED: case TW_FIX_REFUSED:
        tw_fix_link_say(l, TW_LOG_WARN, "%s %" PRIu64 "%s%s", tw_fix_event_name(e->kind),
                        e->from, *e->text ? ": " : "", e->text);
        break;
    default:
        tw_fix_link_say(l, e->kind == TW_FIX_RESENDING ? TW_LOG_INFO : TW_LOG_WARN,
                        "%s %" PRIu64 " to %" PRIu64 "%s%s", tw_fix_event_name(e->kind),
                        e->from, e->to, *e->text ? ": " : "", e->text);
    }
}

/* ---- the session's handlers ---- */

static void make_dirty(struct tw_fix_link *l)
{
    if (l->is_dirty) return;
    l->is_dirty = true;
    l->next_dirty = l->e->dirty;
    l->e->dirty = l;
}

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *m)
{
    struct tw_fix_link *l = ctx;
    const struct tw_fix_consumer *c = &l->o.consumer;
    enum tw_fix_answer answer = TW_FIX_UNSUPPORTED;
    bool own;

    tw_be_feed();
    if (c->message) answer = c->message(c->ctx, l->s, l->now, m);
    own = answer != TW_FIX_UNSUPPORTED;
    if (!c->message || l->o.tape) answer = tw_fix_tape_message(l, m, answer);
    tw_fix_link_noted(l, m, answer, own);
    return answer;
}

static void tell(struct tw_fix_link *l, const struct tw_fix_event *e) TW_ON(FEED)
{
    const struct tw_fix_consumer *c = &l->o.consumer;

    if (c->message && c->event) c->event(c->ctx, l->s, see(l), e);
    if (!c->message || l->o.tape || e->kind == TW_FIX_LOGON_WAITS)
        tw_fix_tape_event(l, e);
}

/* What others see of it. */
static void publish(struct tw_fix_link *l)
{
    struct tw_fix_session_status now = tw_fix_session_status(l->s);

    now.cuts.unread += l->stalls;
    /* order [fix.up] release: its Logon has been handled */
    atomic_store_explicit(&l->up, now.state == TW_FIX_UP, memory_order_release);
    pthread_mutex_lock(&l->lock);
    l->status.session = now;
    l->status.log_lost = l->log.lost;
    pthread_mutex_unlock(&l->lock);
}

static void on_event(void *ctx, const struct tw_fix_event *e)
{
    struct tw_fix_link *l = ctx;

    tw_be_feed();
    say_event(l, e);
    tw_fix_link_advise(l, e);
    pthread_mutex_lock(&l->lock);
    if (e->kind == TW_FIX_LOGGED_ON) {
        l->status.logons++;
        *l->status.why = 0;
    }
    if (e->kind == TW_FIX_LOGGED_OUT || e->kind == TW_FIX_NOT_LOGGED_ON)
        snprintf(l->status.why, sizeof l->status.why, "%s", e->text);
    pthread_mutex_unlock(&l->lock);
    if (e->kind == TW_FIX_LOGGED_ON) {
        l->was_up = true;
        l->told = l->failed = false;
        if (l->o.consumer.up) l->o.consumer.up(l->o.consumer.ctx);
    }
    publish(l);   /* before anybody hears of it */
    make_dirty(l);
    tell(l, e);
}

static bool on_resend(void *ctx, const struct tw_fix_message *m)
{
    struct tw_fix_link *l = ctx;
    const struct tw_fix_consumer *c = &l->o.consumer;

    return !c->resend || c->resend(c->ctx, m);
}

static void on_leave(void *ctx, const char *text)
{
    struct tw_fix_link *l = ctx;

    tw_be_feed();
    if (!l->leaving) tw_fix_link_leave(l, text);
}

static void on_log(void *ctx, bool incoming, const char *p, size_t n)
{
    struct tw_fix_link *l = ctx;

    if (!incoming) make_dirty(l);
    if (!l->log.bytes) return;
    tw_fix_log_put(&l->log, tw_clock_now_ns(), l->now.steady_ns, incoming, p, n);
    make_dirty(l);
}

const struct tw_fix_handlers tw_fix_link_handlers = {
    on_message, on_resend, on_event, on_leave, on_log, NULL
};

/* ---- connections ---- */

/* The wire is no longer the session's; polite: the peer may read what was written. */
static TW_COLD void let_go(struct tw_fix_link *l, int code, const char *why, bool polite)
    TW_ON(FEED)
{
    struct tw_fix_visitor *visitor = l->visitor;
    bool good = l->was_up;

    if (!l->wire) return;
    l->wire = NULL;
    l->visitor = NULL;
    l->in_n = 0;
    l->stalled_ns = 0;
    l->was_up = l->stalled = false;
    if (visitor) {
        tw_fix_visitor_leave(visitor, polite);
    } else {
        if (polite) tw_wire_goodbye(&l->own);
        tw_wire_close(&l->own);
        tw_dial_lost(&l->dial, code, good);
    }
    pthread_mutex_lock(&l->lock);
    *l->status.peer = 0;
    pthread_mutex_unlock(&l->lock);
    if (tw_fix_session_status(l->s).state != TW_FIX_DOWN)
        tw_fix_session_disconnected(l->s, see(l), why);
    make_dirty(l);
    if (l->twin) make_dirty(l->twin);   /* it may log out now */
}

static int connect_session(struct tw_fix_link *l, struct tw_wire *w, const char *peer,
                           struct tw_error *error) TW_ON(FEED)
{
    int rc;

    l->wire = w;
    l->paused = false;
    l->in_n = 0;
    l->was_up = l->stalled = false;
    l->stalled_ns = 0;
    rc = tw_fix_session_connected(l->s, see(l), error);
    if (rc < 0) {
        l->wire = NULL;
        return rc;
    }
    pthread_mutex_lock(&l->lock);
    snprintf(l->status.peer, sizeof l->status.peer, "%.*s",
             (int)sizeof l->status.peer - 1, peer);
    pthread_mutex_unlock(&l->lock);
    return TW_OK;
}

static char *room(struct tw_wire *w, size_t *n)
{
    struct tw_fix_link *l = w->owner;

    *n = l->in_room - l->in_n;
    if (*n > TW_FIX_READ_BYTES) *n = TW_FIX_READ_BYTES;
    return l->in + l->in_n;
}

static void took(struct tw_wire *w, size_t n)
{
    struct tw_fix_link *l = w->owner;
    size_t used;

    tw_be_feed();
    l->in_n += n;
    used = tw_fix_session_receive(l->s, see(l), l->in, l->in_n);
    if (l->wire != w) return;
    l->in_n -= used;
    memmove(l->in, l->in + used, l->in_n);
    tw_fix_link_turn(l);
}

static TW_COLD void ready(struct tw_wire *w)
{
    struct tw_fix_link *l = w->owner;
    struct tw_error error;

    tw_be_feed();
    l->greeting_ns = 0;
    if (!l->wire) {   /* TLS of an initiator stands */
        char peer[TW_NET_NAME];

        tw_net_peer_name(w->tcp, peer);
        if (connect_session(l, w, peer, &error) < 0) {
            tw_wire_close(w);
            tw_dial_lost(&l->dial, UV_ECANCELED, false);
            return;
        }
    }
    tw_fix_link_turn(l);
}

/* There is a connection, but never one of the session. */
static TW_COLD void not_connected(struct tw_fix_link *l, const char *why)
{
    on_event(l, &(struct tw_fix_event){ .kind = TW_FIX_NOT_LOGGED_ON, .text = why });
}

static TW_COLD void lost(struct tw_wire *w, int why, const char *text)
{
    struct tw_fix_link *l = w->owner;

    tw_be_feed();
    if (!text && why != UV_EOF) text = tw_strerror(why);
    if (l->wire == w) {
        let_go(l, why, text, false);
        tw_fix_link_turn(l);
        return;
    }
    l->greeting_ns = 0;
    tw_wire_close(w);   /* an initiator's TLS did not come to stand */
    not_connected(l, text ? text : "the peer hung up within TLS");
    tw_dial_lost(&l->dial, why, false);
}

static const struct tw_wire_ops wire_ops = { room, took, ready, lost };

int tw_fix_link_connect(struct tw_fix_link *l, struct tw_fix_visitor *c,
                        struct tw_wire *w, const char *peer, const char *p, size_t n,
                        struct tw_error *error)
{
    int rc;

    if (l->removing)   /* the disk has it still */
        return tw_fail(error, TW_ECLOSED, "the session with %s is being removed",
                       l->o.session.target);
    rc = connect_session(l, w, peer, error);
    if (rc < 0) return rc;
    l->visitor = c;
    w->ops = &wire_ops;
    w->owner = l;
    assert(n <= l->in_room);
    memcpy(l->in, p, n);
    took(w, n);
    return TW_OK;
}

/* ---- an initiator's ---- */

void tw_fix_renew(struct tw_fix_engine *e, const char *who, struct tw_tls_context *tls)
{
    struct tw_error error;
    int rc = tw_tls_renew(tls, &error);

    if (rc != 0)
        tw_log_printf(e->o.log, rc < 0 ? TW_LOG_WARN : TW_LOG_INFO, who, "%s%s",
                      error.text, rc < 0 ? "; the one before is used on" : "");
}

static TW_COLD void on_up(struct tw_dial *d)
{
    struct tw_fix_link *l = d->owner;
    struct tw_tls *tls = NULL;
    struct tw_error error;
    int rc;

    tw_be_feed();
    if (l->tls) {
        tw_fix_renew(l->e, l->who, l->tls);
        tls = tw_tls_new(l->tls, d->places[d->place].host, &error);
        if (!tls) {
            not_connected(l, error.text);
            tw_dial_lost(d, error.code, false);
            return;
        }
    }
    rc = tw_wire_open(&l->own, &d->tcp, tls, &wire_ops, l);
    if (rc < 0) {
        tw_wire_close(&l->own);
        tw_dial_lost(d, rc, false);
    } else if (!tls) {
        ready(&l->own);
    } else {
        l->greeting_ns = tw_clock_steady_ns()
                       + tw_fix_session_options(l->s)->logon_timeout_s * 1000 * TW_MS_NS;
        make_dirty(l);
    }
}

static TW_COLD void on_waiting(struct tw_dial *d, uint64_t ms)
{
    struct tw_fix_link *l = d->owner;
    char where[TW_NET_NAME], why[sizeof l->status.why];

    tw_be_feed();
    if (d->live) return;
    tw_net_name(d->places[d->place].host, d->places[d->place].port, where);
    snprintf(why, sizeof why, "cannot connect to %.100s%s: %s", where,
             d->n > 1 ? " and others" : "", tw_strerror(d->why));
    pthread_mutex_lock(&l->lock);
    memcpy(l->status.why, why, sizeof why);
    pthread_mutex_unlock(&l->lock);
    if (!l->told)
        tw_log_printf(l->e->o.log, TW_LOG_WARN, l->who, "%s; next try in %.3g s, later"
                      " ones %swithout a line", why, (double)ms / 1000,
                      d->max_ms > d->min_ms ? "further apart and " : "");
    l->told = true;
}

static TW_COLD bool may_dial(struct tw_dial *d)
{
    struct tw_fix_link *l = d->owner;

    return l->s && !l->removing && !l->e->stopping
        && tw_fix_session_may_connect(l->s, tw_fix_now(), NULL) == TW_OK;
}

/* ---- what other threads send ---- */

/* The head of a message in the outbox. */
struct sent { char code[16]; };

static void tell_unsent(struct tw_fix_link *l, const char *why) TW_ON(FEED)
{
    struct tw_fix_event e = {
        .kind = TW_FIX_UNSENT, .from = l->tickets, .to = l->tickets, .text = why
    };

    pthread_mutex_lock(&l->lock);
    l->status.unsent++;
    pthread_mutex_unlock(&l->lock);
    say_event(l, &e);
    tell(l, &e);
}

/* L2.  While the peer is slow they stay there: then who sends is told that it is full. */
static void empty_outbox(struct tw_fix_link *l) TW_ON(FEED)
{
    const struct tw_fix_session_options *o = tw_fix_session_options(l->s);
    bool ends = l->removing || l->e->stopping;
    const char *p;
    size_t n;

    see(l);
    while ((p = tw_outbox_first(&l->outbox, &n))) {
        struct tw_fix_session_status now = tw_fix_session_status(l->s);
        const struct sent *head = (const void *)p;
        struct tw_error error;

        if (now.state == TW_FIX_UP && now.waiting > o->output_max / 2) break;
        if (now.state != TW_FIX_UP && l->o.hold && !ends) break;
        l->tickets++;
        if (tw_fix_session_put(l->s, l->now, head->code, p + sizeof *head,
                               n - sizeof *head, NULL, &error) < 0)
            tell_unsent(l, error.text);
        tw_outbox_drop(&l->outbox);
    }
}

int64_t tw_fix_link_send(struct tw_fix_link *l, const char *code, const char *body,
                         size_t n)
{
    struct sent head = { "" };
    size_t code_n = strlen(code);
    int64_t ticket;

    if (code_n == 0 || code_n >= sizeof head.code
        || (n > 0 && body[n - 1] != TW_FIX_SOH)
        || (code_n == 1 && strchr("012345A", *code)))
        return TW_EUSAGE;
    /* order [fix.up] acquire: a hint; the session decides */
    if (!l->o.hold && !atomic_load_explicit(&l->up, memory_order_acquire))
        return TW_ECLOSED;
    memcpy(head.code, code, code_n);
    ticket = tw_outbox_put(&l->outbox, &head, sizeof head, body, n);
    if (ticket > 0) tw_fix_link_ring(l);
    return ticket;
}

static void look(struct tw_fix_link *l) TW_ON(FEED)
{
    const struct tw_fix_consumer *c = &l->o.consumer;

    if (c->look) l->look_ns = c->look(c->ctx, l->s, see(l));
}

void tw_fix_link_rung(struct tw_fix_link *l)
{
    if (!l->s || !l->begun) return;
    look(l);
    tw_fix_link_turn(l);
}

/* ---- turns ---- */

static void on_sync(uv_work_t *work)
{
    struct tw_fix_link *l = work->data;

    l->sync_code = tw_fix_store_sync_run(&l->sync);
}

static void on_synced(uv_work_t *work, int status)
{
    struct tw_fix_link *l = work->data;
    struct tw_error error;

    tw_be_feed();
    see(l);
    l->syncing = false;
    if (status == 0) status = l->sync_code;
    if (l->o.sync == TW_FIX_SYNC_EACH) {
        tw_fix_session_sync_end(l->s, &l->sync, status);
    } else if (tw_fix_store_sync_end(l->store, &l->sync, status, &error) < 0) {
        tw_fix_link_say(l, TW_LOG_ERROR, "%s", error.text);
    }
    if (!l->e->over) tw_fix_link_turn(l);
}

/* Of a store that is synced now and then: is it time? */
static bool is_sync_due(struct tw_fix_link *l) TW_ON(FEED)
{
    int64_t now = l->now.steady_ns;

    if (l->unsynced_ns == 0 && tw_fix_store_is_dirty(l->store)) l->unsynced_ns = now;
    if (l->unsynced_ns == 0 || now - l->unsynced_ns < l->o.sync_ms * TW_MS_NS)
        return false;
    l->unsynced_ns = 0;
    return tw_fix_store_sync_begin(l->store, &l->sync);
}

/* A store is synced by a thread of libuv's: the disk takes its time, and the loop has
 * none.  What goes out waits for it where `sync` is each; what comes together meanwhile
 * goes by one sync, the next. */
static void look_after_store(struct tw_fix_link *l) TW_ON(FEED)
{
    if (l->syncing || l->o.sync == TW_FIX_SYNC_NEVER) return;
    if (l->o.sync == TW_FIX_SYNC_EACH ? !tw_fix_session_sync_begin(l->s, &l->sync)
                                      : !is_sync_due(l))
        return;
    l->work.data = l;
    l->syncing = uv_queue_work(l->e->loop, &l->work, on_sync, on_synced) == 0;
    assert(l->syncing);   /* else there is no function */
}

/* Writes what there is to write; false: the wire was let go. */
static bool write_out(struct tw_fix_link *l) TW_ON(FEED)
{
    const char *p;
    size_t n;

    for (;;) {
        int64_t done;

        if (l->o.sync == TW_FIX_SYNC_EACH) look_after_store(l);
        tw_fix_session_output(l->s, &p, &n);
        done = n > 0 ? tw_wire_write(l->wire, p, n) : 0;
        if (done < 0) {
            let_go(l, (int)done, tw_strerror((int)done), false);
            return false;
        }
        l->stalled = n > 0 && done == 0;
        if (done == 0) return true;
        l->stalled_ns = 0;
        tw_fix_session_written(l->s, l->now, (size_t)done);
    }
}

/* What comes is often answered: it may wait in the system while the disk is behind. */
static void mind_disk(struct tw_fix_link *l) TW_ON(FEED)
{
    size_t most = tw_fix_session_options(l->s)->output_max / 2;
    bool behind = tw_fix_session_held(l->s) > most;

    if (behind == l->paused) return;
    l->paused = behind;
    tw_wire_pause(l->wire, behind);
}

/* How long a peer that takes nothing is waited for. */
static int64_t patience_ns(const struct tw_fix_link *l)
{
    int64_t usual = l->o.stall_ms * TW_MS_NS;

    if (!tw_fix_session_closing(l->s)) return usual;
    return least(usual, tw_fix_session_options(l->s)->logout_timeout_s * 1000 * TW_MS_NS);
}

/* Whether what was written has gone; one that takes nothing for long is cut off. */
static void look_after_wire(struct tw_fix_link *l) TW_ON(FEED)
{
    int64_t now = l->now.steady_ns;
    bool idle = !l->stalled && tw_wire_is_idle(l->wire);
    char why[80];

    if (idle) {
        l->stalled_ns = 0;
        if (tw_fix_session_held(l->s) > 0) return;
        if (tw_fix_session_closing(l->s)) let_go(l, UV_EOF, NULL, true);
        return;
    }
    if (l->stalled_ns == 0) l->stalled_ns = now;
    if (now - l->stalled_ns < patience_ns(l)) return;
    l->stalls += !tw_fix_session_closing(l->s);
    snprintf(why, sizeof why, "the peer does not read: %zu bytes wait",
             tw_fix_session_status(l->s).waiting);
    let_go(l, UV_ETIMEDOUT, why, false);
}

static TW_COLD void say_log_error(struct tw_fix_link *l)
{
    if (l->log.error < 0)
        tw_fix_link_say(l, TW_LOG_ERROR, "its message log: %s",
                        tw_strerror(l->log.error));
    l->log.error = 0;
    if (l->log.removed && !l->told_removed)
        tw_log_printf(l->e->o.log, TW_LOG_WARN, l->who, "its message log: the oldest of"
                      " %u full files was removed, and so will later ones", l->log.keep);
    l->told_removed |= l->log.removed;
}

static void look_after_log(struct tw_fix_link *l) TW_ON(FEED)
{
    if (l->log.n > 0 && l->now.steady_ns - l->log.since_ns >= TW_FIX_LOG_MS * TW_MS_NS)
        tw_fix_log_flush(&l->log);
    say_log_error(l);
}

static void on_timer(uv_timer_t *timer);

/* L3. */
static void set_timer(struct tw_fix_link *l) TW_ON(FEED)
{
    int64_t at = least(tw_fix_session_wakes(l->s, l->now), l->look_ns);
    int64_t wait;

    if (l->stalled_ns > 0) at = least(at, l->stalled_ns + patience_ns(l));
    if (l->greeting_ns > 0) at = least(at, l->greeting_ns);
    if (l->unsynced_ns > 0) at = least(at, l->unsynced_ns + l->o.sync_ms * TW_MS_NS);
    if (l->log.n > 0) at = least(at, l->log.since_ns + TW_FIX_LOG_MS * TW_MS_NS);
    if (l->leaving && l->now.steady_ns < l->leave_ns) at = least(at, l->leave_ns);
    if (at >= l->timer_ns) return;
    l->timer_ns = at;
    wait = (at - tw_clock_steady_ns() + TW_MS_NS - 1) / TW_MS_NS;
    uv_timer_start(&l->timer, on_timer, wait > 0 ? (uint64_t)wait : 1, 0);
}

static void leave(struct tw_fix_link *l) TW_ON(FEED);
static void retire(struct tw_fix_link *l) TW_ON(FEED);

void tw_fix_link_turn(struct tw_fix_link *l)
{
    if (!l->s || !l->begun) return;
    empty_outbox(l);
    leave(l);
    if (l->wire && tw_wire_is_up(l->wire) && write_out(l)) look_after_wire(l);
    if (l->wire) mind_disk(l);
    if (l->wire && !l->stalled && tw_fix_session_status(l->s).state == TW_FIX_UP
        && tw_outbox_bytes(&l->outbox) > 0)
        tw_fix_link_ring(l);   /* others have their turn first */
    if (l->unheard) tw_io_wake(l->e->o.io);
    l->unheard = false;
    if (l->o.session.initiator && !l->wire) tw_dial_go(&l->dial);
    look_after_store(l);
    look_after_log(l);
    set_timer(l);
    publish(l);
    if (l->removing && !l->syncing && tw_fix_link_is_down(l)) retire(l);
}

static void on_timer(uv_timer_t *timer)
{
    struct tw_fix_link *l = timer->data;

    tw_be_feed();
    l->timer_ns = INT64_MAX;
    if (!l->s) return;
    if (l->greeting_ns > 0 && see(l).steady_ns >= l->greeting_ns)
        lost(&l->own, UV_ETIMEDOUT, "tls: the server says nothing");
    tw_fix_session_tick(l->s, see(l));
    if (l->now.steady_ns >= l->look_ns) look(l);
    tw_fix_link_turn(l);
}

/* ---- its life ---- */

TW_COLD void tw_fix_link_begin(struct tw_fix_link *l)
{
    const struct tw_fix_schedule *schedule = l->o.session.schedule;
    struct tw_error error;
    char outside[64];

    uv_timer_init(l->e->loop, &l->timer);
    l->timer.data = l;
    l->begun = true;
    if (l->o.session.initiator) {
        l->dial = (struct tw_dial){
            .places = l->places, .n = (unsigned)l->o.hosts_n,
            .min_ms = (uint64_t)l->o.retry_min_ms, .max_ms = (uint64_t)l->o.retry_max_ms,
            .up = on_up, .waiting = on_waiting, .may = may_dial, .owner = l,
        };
        tw_dial_init(&l->dial, l->e->loop);
    } else if (!l->from_template
               && tw_fix_door_add(l->door, l->s, &error) < 0) {
        tw_log_printf(l->e->o.log, TW_LOG_ERROR, l->who, "%s", error.text);
        l->removing = true;
    }
    if (l->o.disabled)
        tw_fix_session_enable(l->s, see(l), false);
    else if (schedule && tw_fix_schedule_outside(schedule, tw_clock_now_ns(), outside))
        tw_log_printf(l->e->o.log, TW_LOG_INFO, l->who, "%s", outside);
    look(l);
    make_dirty(l);
}

void tw_fix_link_leave(struct tw_fix_link *l, const char *text)
{
    const struct tw_fix_consumer *c = &l->o.consumer;

    if (!l->s) return;
    if (c->leaves && tw_fix_session_status(l->s).state == TW_FIX_UP) {
        c->leaves(c->ctx, l->e->stopping);
        tw_fix_link_ring(l);
    }
    l->leaving = true;
    l->leave_ns = see(l).steady_ns
                + tw_fix_session_options(l->s)->logout_timeout_s * 1000 * TW_MS_NS;
    if (l->e->stopping) l->leave_ns = least(l->leave_ns, l->e->answers_ns);
    snprintf(l->farewell, sizeof l->farewell, "%s", text ? text : "");
    make_dirty(l);
}

/* Last words come first, with answers: for as long as that to a Logout may take, or till
 * the run's end, where answers leave time for a Logout.  There, who is served by this run
 * has its own before. */
static bool has_last_words(struct tw_fix_link *l) TW_ON(FEED)
{
    const struct tw_fix_consumer *c = &l->o.consumer;
    bool ends = l->e->stopping, serves = !l->o.session.initiator;
    bool in_time = l->now.steady_ns < l->leave_ns;

    if (tw_fix_session_status(l->s).state != TW_FIX_UP) return false;
    if (ends && serves && l->twin && !tw_fix_link_is_down(l->twin)) return true;
    if (!ends && !in_time) return false;
    return tw_outbox_bytes(&l->outbox) > 0 || (c->waits && c->waits(c->ctx, in_time));
}

static void leave(struct tw_fix_link *l) TW_ON(FEED)
{
    if (!l->leaving || has_last_words(l)) return;
    l->leaving = false;
    if (l->disabling) tw_fix_session_enable(l->s, see(l), false);
    l->disabling = false;
    tw_fix_session_logout(l->s, see(l), *l->farewell ? l->farewell : NULL);
}

/* Its handles are closed and its files; senders have no effect any more. */
TW_COLD void tw_fix_link_end(struct tw_fix_link *l)
{
    if (!l->begun || !l->s) return;
    let_go(l, UV_ECANCELED, "the run ends", false);
    empty_outbox(l);
    tw_fix_log_flush(&l->log);
    say_log_error(l);
    publish(l);
    tw_wire_close(&l->own);   /* TLS that does not stand yet is nobody's to let go */
    if (l->o.session.initiator) tw_dial_close(&l->dial);
    tw_net_close(&l->timer);
}

static TW_COLD void retire(struct tw_fix_link *l)
{
    if (l->door) tw_fix_door_remove(l->door, l->s);
    tw_outbox_close(&l->outbox);
    tw_fix_link_end(l);
    tw_outbox_shed(&l->outbox);
    tw_tls_context_free(l->tls);
    l->tls = NULL;
    tw_fix_link_shut(l);
    tw_log_printf(l->e->o.log, TW_LOG_INFO, l->who, "removed");
}

TW_COLD void tw_fix_link_command(struct tw_fix_link *l, const struct tw_fix_command *c,
                                 const char *body, size_t n)
{
    struct tw_fix_now now = see(l);
    const char *text = *c->text ? c->text : NULL;
    struct tw_error error;

    if (c->kind == TW_FIX_DO_BEGIN) tw_fix_link_begin(l);
    if (!l->s) return;
    empty_outbox(l);   /* what the same thread sent before */
    if (c->kind == TW_FIX_DO_ENABLE || c->kind == TW_FIX_DO_DISABLE)
        l->disabling = c->kind == TW_FIX_DO_DISABLE;
    switch (c->kind) {
    case TW_FIX_DO_ENABLE: tw_fix_session_enable(l->s, now, true); break;
    case TW_FIX_DO_DISABLE: case TW_FIX_DO_LOGOUT: case TW_FIX_DO_REMOVE:
        l->removing |= c->kind == TW_FIX_DO_REMOVE;
        tw_fix_link_leave(l, text);
        leave(l);
        break;
    case TW_FIX_DO_LOGON: tw_fix_link_log_on(l, body, n); break;
    case TW_FIX_DO_RESET: tw_fix_session_reset(l->s, now); break;
    case TW_FIX_DO_NUMBERS:
        tw_fix_session_set_numbers(l->s, c->in, c->out, &error);   /* they can be */
        break;
    default: break;
    }
    make_dirty(l);
}
