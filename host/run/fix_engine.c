/* fix_engine.c - the FIX sessions of a run: the engine's start and end, wake-ups, and
 * what other threads call.
 *
 * Why a bell and the loop's two ends: a uv_async_t costs its sender a turn of the loop
 * on a busy machine (see bell.c).  Before the loop sleeps, all that became dirty has had
 * its turn; after it woke, commands and outboxes are looked at.
 *
 * Invariants
 *   N1  A link that was rung is in the stack, or its turn begins after the ring.
 *   N2  Commands of one thread are done in their order, and after what it sent before.
 *
 * Layer host/run.  Thread: see fix_engine.h.
 */
#include "run/fix_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/fix_parts.h"

enum { COMMANDS_BYTES = 1 << 20, STOP_MS = 3000, LATE_MS = 100, SPARED_MAX = 3,
       LINES_A_SECOND = 5 };

struct tw_fix_now tw_fix_now(void)
{
    return (struct tw_fix_now){ tw_clock_now_ns(), tw_clock_steady_ns() };
}

bool tw_fix_may_say(struct tw_fix_hush *h, uint64_t *unsaid)
{
    int64_t now = tw_clock_steady_ns();

    if (h->said_ns == 0 || now - h->said_ns >= 1000000000) {
        h->said_ns = now;
        h->said = 0;
    }
    if (h->said == LINES_A_SECOND) {
        h->unsaid++;
        return false;
    }
    h->said++;
    *unsaid = h->unsaid;
    h->unsaid = 0;
    return true;
}

/* ---- the thread ---- */

unsigned tw_fix_engine_doors(const struct tw_fix_engine *e)
{
    /* order [fix.doors] acquire: those below it are whole */
    return atomic_load_explicit(&e->n_doors, memory_order_acquire);
}

static struct tw_fix_link *link_at(const struct tw_fix_engine *e, unsigned i)
{
    /* order [fix.link] acquire: it is whole */
    return atomic_load_explicit(&e->links[i], memory_order_acquire);
}

static bool is_quiet(struct tw_fix_engine *e) TW_ON(FEED)
{
    for (unsigned i = 0; i < tw_fix_engine_count(e); i++)
        if (!tw_fix_link_is_down(link_at(e, i))) return false;
    for (unsigned i = 0; i < tw_fix_engine_doors(e); i++)
        if (!tw_fix_door_is_empty(e->doors[i])) return false;
    return true;
}

static void finish(struct tw_fix_engine *e) TW_ON(FEED)
{
    if (e->over) return;
    e->over = true;
    for (unsigned i = 0; i < tw_fix_engine_count(e); i++) tw_fix_link_end(link_at(e, i));
    for (unsigned i = 0; i < tw_fix_engine_doors(e); i++) tw_fix_door_close(e->doors[i]);
    uv_close((uv_handle_t *)&e->before, NULL);
    uv_close((uv_handle_t *)&e->after, NULL);
    uv_close((uv_handle_t *)&e->idle, NULL);
    uv_close((uv_handle_t *)&e->limit, NULL);
    uv_close((uv_handle_t *)&e->bell.ear, NULL);
}

static void on_limit(uv_timer_t *timer);

static void set_limit(struct tw_fix_engine *e) TW_ON(FEED)
{
    e->limit_ns = tw_clock_steady_ns() + e->o.stop_ms * INT64_C(1000000);
    uv_update_time(e->loop);
    uv_timer_start(&e->limit, on_limit, (uint64_t)e->o.stop_ms, 0);
}

/* Where it comes late we had no turn, and what peers said waits to be read. */
static void on_limit(uv_timer_t *timer)
{
    struct tw_fix_engine *e = timer->data;

    tw_be_feed();
    if (tw_clock_steady_ns() - e->limit_ns < LATE_MS * INT64_C(1000000)
        || ++e->spared > SPARED_MAX)
        finish(e);
    else set_limit(e);
}

static void do_dirty(struct tw_fix_engine *e) TW_ON(FEED)
{
    struct tw_fix_link *l;

    while ((l = e->dirty)) {
        e->dirty = l->next_dirty;
        l->is_dirty = false;
        tw_fix_link_turn(l);
    }
}

static void on_awake(uv_idle_t *idle)
{
    (void)idle;   /* that it is active keeps the loop from sleeping */
}

static void before_sleep(uv_prepare_t *before)
{
    struct tw_fix_engine *e = before->data;

    tw_be_feed();
    do_dirty(e);
    if (e->stopping && is_quiet(e)) finish(e);
    else if (!tw_bell_sleep(&e->bell)) uv_idle_start(&e->idle, on_awake);
}

static void do_rung(struct tw_fix_engine *e) TW_ON(FEED)
{
    /* order [fix.rung] acquire: next_rung of those in it; what was sent before */
    struct tw_fix_link *l = atomic_exchange_explicit(&e->rung, NULL,
                                                     memory_order_acquire);

    while (l) {
        struct tw_fix_link *next = l->next_rung;

        /* order [fix.is_rung] acq_rel: from here on it is pushed again (N1); what was
         * put into its outbox before */
        atomic_exchange_explicit(&l->rung, false, memory_order_acq_rel);
        tw_fix_link_rung(l);
        l = next;
    }
}

static void do_commands(struct tw_fix_engine *e) TW_ON(FEED)
{
    const char *p;
    size_t n;

    while ((p = tw_outbox_first(&e->commands, &n))) {
        struct tw_fix_command c;

        memcpy(&c, p, sizeof c);
        if (e->stopping && (c.kind == TW_FIX_DO_OPEN || c.kind == TW_FIX_DO_BEGIN)) {
            tw_outbox_drop(&e->commands);
            continue;
        }
        if (c.kind == TW_FIX_DO_OPEN) tw_fix_door_begin(c.door);
        else tw_fix_link_command(c.link, &c, p + sizeof c, n - sizeof c);
        tw_outbox_drop(&e->commands);
    }
}

static void after_sleep(uv_check_t *after)
{
    struct tw_fix_engine *e = after->data;

    tw_be_feed();
    if (e->over) return;
    tw_bell_wake(&e->bell);
    uv_idle_stop(&e->idle);
    do_rung(e);
    do_commands(e);
}

static void start(void *ctx)
{
    struct tw_fix_engine *e = ctx;

    tw_be_feed();
    do_commands(e);
    uv_prepare_start(&e->before, before_sleep);
    uv_check_start(&e->after, after_sleep);
}

bool tw_fix_link_is_down(const struct tw_fix_link *l)
{
    return !l->s || (!l->wire && tw_fix_session_status(l->s).state == TW_FIX_DOWN);
}

static bool is_other_end(const struct tw_fix_link *l, const struct tw_fix_link *of)
{
    return !l->o.session.initiator
        && strcmp(l->o.session.sender, of->o.session.target) == 0
        && strcmp(l->o.session.target, of->o.session.sender) == 0;
}

/* Where both ends of a session are in this run. */
static void find_twins(struct tw_fix_engine *e) TW_ON(FEED)
{
    unsigned n = tw_fix_engine_count(e);

    for (unsigned i = 0; i < n; i++) {
        struct tw_fix_link *l = link_at(e, i);

        for (unsigned k = 0; l->o.session.initiator && k < n; k++) {
            struct tw_fix_link *other = link_at(e, k);

            if (!other->s || !is_other_end(other, l) || tw_fix_link_is_down(l)) continue;
            l->twin = other;
            other->twin = l;
        }
    }
}

static void stop(void *ctx)
{
    struct tw_fix_engine *e = ctx;

    tw_be_feed();
    do_rung(e);   /* what was sent or commanded before */
    do_commands(e);
    e->stopping = true;
    e->answers_ns = tw_clock_steady_ns() + e->o.stop_ms * INT64_C(1000000) / 3 * 2;
    find_twins(e);
    for (unsigned i = 0; i < tw_fix_engine_doors(e); i++)
        tw_fix_door_end(e->doors[i]);
    for (unsigned i = 0; i < tw_fix_engine_count(e); i++)
        tw_fix_link_leave(link_at(e, i), NULL);
    set_limit(e);
}

/* ---- its life ---- */

struct tw_fix_engine *tw_fix_engine_new(const struct tw_fix_engine_options *options,
                                        struct tw_error *error)
{
    struct tw_fix_engine *e = tw_calloc_aligned(1, sizeof *e);
    int rc;

    if (e) atomic_init(&e->readers, 1);   /* of which no link knows yet */
    if (!e || tw_outbox_init(&e->commands, COMMANDS_BYTES) < 0) {
        tw_free(e);
        tw_fail(error, UV_ENOMEM, "no memory for FIX sessions");
        return NULL;
    }
    e->o = *options;
    if (e->o.stop_ms == 0) e->o.stop_ms = STOP_MS;
    e->loop = tw_io_carry(e->o.io, &(struct tw_io_guest){ start, stop, e });
    rc = tw_bell_open(&e->bell, e->loop);
    if (rc < 0) {
        tw_fail(error, rc, "cannot make a bell: %s", tw_strerror(rc));
        tw_io_carry(e->o.io, &(struct tw_io_guest){0});
        tw_bell_close(&e->bell);
        tw_outbox_fini(&e->commands);
        tw_free(e);
        return NULL;
    }
    pthread_mutex_init(&e->lock, NULL);
    uv_prepare_init(e->loop, &e->before);
    uv_check_init(e->loop, &e->after);
    uv_idle_init(e->loop, &e->idle);
    uv_timer_init(e->loop, &e->limit);
    e->before.data = e->after.data = e->idle.data = e->limit.data = e;
    return e;
}

void tw_fix_engine_free(struct tw_fix_engine *e)
{
    struct tw_fix_link *next;

    if (!e) return;
    for (unsigned i = 0; i < tw_fix_engine_count(e); i++) tw_fix_link_drop(link_at(e, i));
    for (struct tw_fix_link *l = e->gone; l; l = next) {
        next = l->next_gone;
        tw_fix_link_drop(l);
    }
    for (unsigned i = 0; i < tw_fix_engine_doors(e); i++) tw_fix_door_free(e->doors[i]);
    tw_bell_close(&e->bell);
    tw_outbox_fini(&e->commands);
    pthread_mutex_destroy(&e->lock);
    tw_free(e);
}

/* ---- links ---- */

unsigned tw_fix_engine_count(const struct tw_fix_engine *e)
{
    /* order [fix.links] acquire: those below it are whole */
    return atomic_load_explicit(&e->count, memory_order_acquire);
}

struct tw_fix_link *tw_fix_engine_link(const struct tw_fix_engine *e, unsigned i)
{
    return i < tw_fix_engine_count(e) ? link_at(e, i) : NULL;
}

bool tw_fix_link_is_removed(struct tw_fix_link *l)
{
    bool removed;

    pthread_mutex_lock(&l->lock);
    removed = l->status.removed;
    pthread_mutex_unlock(&l->lock);
    return removed;
}

/* The place of a name, or n. */
static unsigned place_of(const struct tw_fix_engine *e, const char *name, unsigned n)
{
    unsigned i = 0;

    while (i < n && strcmp(link_at(e, i)->o.name, name) != 0) i++;
    return i;
}

struct tw_fix_link *tw_fix_engine_find(struct tw_fix_engine *e, const char *name)
{
    unsigned n = tw_fix_engine_count(e);

    for (unsigned i = 0; i < n; i++) {
        struct tw_fix_link *l = link_at(e, i);   /* once: the place may get another */

        if (strcmp(l->o.name, name) == 0) return tw_fix_link_is_removed(l) ? NULL : l;
    }
    return NULL;
}

/* The place for one of that name: its own, a new one or, where there is none, that of any
 * that was removed. */
static unsigned place_for(const struct tw_fix_engine *e, const char *name)
{
    unsigned n = tw_fix_engine_count(e), i = place_of(e, name, n);

    if (i < TW_FIX_LINKS_MAX) return i;
    for (i = 0; i < n && !tw_fix_link_is_removed(link_at(e, i));) i++;
    return i;
}

/* Who was removed and makes room stays till the end: others may still look at it. */
static void put_at(struct tw_fix_engine *e, unsigned i, struct tw_fix_link *l)
{
    bool is_new = i == tw_fix_engine_count(e);

    if (!is_new) {
        struct tw_fix_link *old = link_at(e, i);

        old->next_gone = e->gone;
        e->gone = old;
    }
    /* order [fix.link] release: it is whole */
    atomic_store_explicit(&e->links[i], l, memory_order_release);
    /* order [fix.links] release: it is there */
    if (is_new) atomic_store_explicit(&e->count, i + 1, memory_order_release);
}

/* One that was removed and had that name; NULL: none is known.  With the lock held. */
static const struct tw_fix_link *former(const struct tw_fix_engine *e, const char *name)
{
    unsigned n = tw_fix_engine_count(e), i = place_of(e, name, n);
    const struct tw_fix_link *l = i < n ? link_at(e, i) : e->gone;

    while (l && strcmp(l->o.name, name) != 0) l = l->next_gone;
    return l;
}

/* One of its port whom a caller could mean as well; NULL: none.  With the lock held. */
static struct tw_fix_link *twin(const struct tw_fix_engine *e,
                                const struct tw_fix_link *l)
{
    unsigned n = l->door ? tw_fix_engine_count(e) : 0;

    for (unsigned i = 0; i < n; i++) {
        struct tw_fix_link *other = link_at(e, i);

        if (other->door == l->door
            && tw_fix_same_identity(&other->o.session, &l->o.session)
            && !tw_fix_link_is_removed(other))
            return other;
    }
    return NULL;
}

int tw_fix_engine_enter(struct tw_fix_engine *e, struct tw_fix_link *l,
                        struct tw_error *error)
{
    const struct tw_fix_link *was, *other;
    int rc = TW_OK;
    unsigned i;

    pthread_mutex_lock(&e->lock);
    i = place_for(e, l->o.name);
    was = former(e, l->o.name);
    if (tw_fix_engine_find(e, l->o.name))
        rc = tw_fail(error, TW_EBUSY, "there is a FIX session %s already", l->o.name);
    else if (was && was->o.session.dictionary != l->o.session.dictionary)
        /* What is on the tape says by the name how it is read. */
        rc = tw_fail(error, TW_EUSAGE, "FIX session %s had another dictionary in this"
                     " run: take another name", l->o.name);
    else if ((other = twin(e, l)) != NULL)
        rc = tw_fail(error, TW_EUSAGE, "FIX session %s: session %s has the same CompIDs"
                     " and version at its port", l->o.name, other->o.name);
    else if (i == TW_FIX_LINKS_MAX)
        rc = tw_fail(error, TW_ELIMIT, "more than %d FIX sessions", TW_FIX_LINKS_MAX);
    else if (!l->door || (rc = tw_fix_door_take(l->door, l->o.name, error)) == TW_OK) {
        l->counted = l->door != NULL;
        put_at(e, i, l);
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

void tw_fix_engine_leave(struct tw_fix_link *l)
{
    pthread_mutex_lock(&l->e->lock);
    if (l->counted) tw_fix_door_give(l->door);
    l->counted = false;
    pthread_mutex_unlock(&l->e->lock);
}

static bool has_door(const struct tw_fix_engine *e, const struct tw_fix_link_options *o)
{
    return o->session.initiator
        || (o->door >= 0 && (unsigned)o->door < tw_fix_engine_doors(e));
}

static int put_command(struct tw_fix_engine *e, const struct tw_fix_command *c,
                       const char *body, size_t n)
{
    int64_t rc = tw_outbox_put(&e->commands, c, sizeof *c, body, n);

    if (rc < 0) return (int)rc;
    tw_bell_ring(&e->bell);
    return TW_OK;
}

struct tw_fix_link *tw_fix_engine_add(struct tw_fix_engine *e,
                                      const struct tw_fix_link_options *o,
                                      struct tw_error *error)
{
    struct tw_fix_command c = { .kind = TW_FIX_DO_BEGIN };
    struct tw_fix_door *door;

    if (!has_door(e, o)) {
        tw_fail(error, TW_EUSAGE, "there is no port %d for FIX session %.60s", o->door,
                o->name ? o->name : "");
        return NULL;
    }
    door = o->session.initiator ? NULL : e->doors[o->door];
    c.link = tw_fix_link_make(e, o->name, o, door, error);
    if (!c.link || put_command(e, &c, NULL, 0) == TW_OK) return c.link;
    tw_outbox_close(&c.link->outbox);   /* it never began */
    tw_fix_link_shut(c.link);
    tw_fail(error, TW_EFULL, "too many commands for FIX sessions wait");
    return NULL;
}

const char *tw_fix_link_name(const struct tw_fix_link *l)
{
    return l->o.name;
}

const struct tw_fix_dictionary *tw_fix_link_dictionary(const struct tw_fix_link *l)
{
    return l->o.session.dictionary;
}

const struct tw_fix_session_options *tw_fix_link_says(const struct tw_fix_link *l)
{
    return &l->o.session;
}

void tw_fix_link_status(struct tw_fix_link *l, struct tw_fix_link_status *out)
{
    pthread_mutex_lock(&l->lock);
    *out = l->status;
    pthread_mutex_unlock(&l->lock);
    out->initiator = l->o.session.initiator;
    out->queued = tw_outbox_bytes(&l->outbox);
}

/* ---- ports ---- */

int tw_fix_engine_door_of(const struct tw_fix_engine *e, uint16_t port)
{
    unsigned n = tw_fix_engine_doors(e);

    if (port == 0) return n == 1 ? 0 : -1;
    for (unsigned i = 0; i < n; i++)
        if (tw_fix_engine_port(e, (int)i) == port) return (int)i;
    return -1;
}

int tw_fix_engine_listen(struct tw_fix_engine *e, const struct tw_fix_door_options *o,
                         struct tw_error *error)
{
    struct tw_fix_command c = { .kind = TW_FIX_DO_OPEN };
    unsigned n = tw_fix_engine_doors(e);
    int rc = TW_OK;

    if (n == TW_FIX_DOORS_MAX)
        return tw_fail(error, TW_ELIMIT, "more than %d FIX ports", TW_FIX_DOORS_MAX);
    c.door = tw_fix_door_make(e, o, error);
    if (!c.door) return error->code;
    if (!tw_io_is_started(e->o.io)) rc = tw_fix_door_bind(c.door, error);
    e->doors[n] = c.door;   /* bound or not: its handle is the loop's */
    /* order [fix.doors] release: it is whole */
    atomic_store_explicit(&e->n_doors, n + 1, memory_order_release);
    if (rc == TW_OK && put_command(e, &c, NULL, 0) < 0)
        rc = tw_fail(error, TW_EFULL, "too many commands for FIX sessions wait");
    return rc < 0 ? rc : (int)n;
}

/* ---- commands ---- */

void tw_fix_link_ring(struct tw_fix_link *l)
{
    struct tw_fix_engine *e = l->e;
    struct tw_fix_link *first;

    /* order [fix.is_rung] acq_rel: what was put into its outbox before */
    if (atomic_exchange_explicit(&l->rung, true, memory_order_acq_rel)) return;
    /* order [fix.rung] relaxed: the exchange below looks again */
    first = atomic_load_explicit(&e->rung, memory_order_relaxed);
    do l->next_rung = first;
    /* order [fix.rung] release: next_rung; relaxed: as above */
    while (!atomic_compare_exchange_weak_explicit(&e->rung, &first, l,
                                                  memory_order_release,
                                                  memory_order_relaxed));
    tw_bell_ring(&e->bell);
}

static int command(struct tw_fix_link *l, enum tw_fix_command_kind kind,
                   const char *text)
{
    struct tw_fix_command c = { .kind = kind, .link = l };

    if (text) snprintf(c.text, sizeof c.text, "%s", text);
    return tw_fix_link_is_removed(l) ? TW_ECLOSED : put_command(l->e, &c, NULL, 0);
}

int tw_fix_link_enable(struct tw_fix_link *l, bool enabled)
{
    return command(l, enabled ? TW_FIX_DO_ENABLE : TW_FIX_DO_DISABLE, NULL);
}

int tw_fix_link_logon(struct tw_fix_link *l, const char *fields, size_t n)
{
    struct tw_fix_command c = { .kind = TW_FIX_DO_LOGON, .link = l };

    return tw_fix_link_is_removed(l) ? TW_ECLOSED : put_command(l->e, &c, fields, n);
}

void tw_fix_link_log_on(struct tw_fix_link *l, const char *p, size_t n)
{
    struct tw_fix_extra more[TW_FIX_LOGON_MAX + 1];   /* it refuses more */
    const char *end = p + n;
    struct tw_error error;
    size_t count = 0;

    for (; p < end && count <= TW_FIX_LOGON_MAX; p += strlen(p) + 1) {
        more[count].tag = (int32_t)strtol(p, NULL, 10);
        p = strchr(p, '=') + 1;
        more[count++].value = p;
    }
    if (tw_fix_session_logon(l->s, tw_fix_now(), more, count, &error) < 0)
        tw_fix_link_say(l, TW_LOG_WARN, "fix.logon: %s", error.text);
}

int tw_fix_link_logout(struct tw_fix_link *l, const char *text)
{
    return command(l, TW_FIX_DO_LOGOUT, text);
}

int tw_fix_link_reset(struct tw_fix_link *l)
{
    return command(l, TW_FIX_DO_RESET, NULL);
}

int tw_fix_link_remove(struct tw_fix_link *l)
{
    return command(l, TW_FIX_DO_REMOVE, NULL);
}

int tw_fix_link_set_numbers(struct tw_fix_link *l, uint64_t next_in, uint64_t next_out)
{
    struct tw_fix_command c = {
        .kind = TW_FIX_DO_NUMBERS, .link = l, .in = next_in, .out = next_out
    };

    if (next_in == 0 || next_out == 0 || next_in > INT64_MAX || next_out > INT64_MAX)
        return TW_EUSAGE;
    return tw_fix_link_is_removed(l) ? TW_ECLOSED : put_command(l->e, &c, NULL, 0);
}
