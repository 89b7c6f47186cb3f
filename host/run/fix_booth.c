/* fix_booth.c - peers of FIX sessions that trade in the venue of a run: its own exchange.
 *
 * Layer host/run.  Thread: FEED, where nothing else is said: it drives the floor, too.
 */
#include "run/fix_booth.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/memory.h"

/* A peer that sends on while so many bytes wait for it to read is cut off. */
enum { BODY_MAX = 4096, RETRY_NS = 50000000, WAITING_MAX = 64 << 20 };

/* A message that waits for its session, before its bytes. */
struct waiting {
    uint64_t exec;                     /* 17 of what is kept; 0: it is not            */
    uint32_t n;
    char code[2];
};

struct tw_fix_booth {
    struct tw_fix_booth_options o;     /* constant                                    */
    struct tw_seat *seat;              /* constant                                    */
    _Atomic(struct tw_fix_link *) link;   /* atomic: MAIN stores, ring loads */
    struct tw_fix_keeper keeper;       /* constant                                    */
    bool looked;                       /* owner: FEED: into the session's store       */
    /* mutex: the floor's, all of them */
    struct tw_fix_desk *desk;
    char name[TW_FIX_NAME_MAX + 1];    /* of the session                              */
    struct tw_bytes out;               /* messages that wait, from `first` on         */
    size_t first;
    uint64_t told;                     /* 17 of the last that the session was given   */
    uint64_t doubt;                    /* up to here it may have been given more      */
    bool reports, notes;               /* what is sent is kept, and that is all       */
    bool lost;                         /* there was no memory for a message           */
};

/* ---- with the floor locked ---- */

static bool put_message(struct tw_fix_booth *b, const struct waiting *w, const char *body)
{
    size_t was = b->out.n;

    if (tw_bytes_put(&b->out, w, sizeof *w) && tw_bytes_put(&b->out, body, w->n))
        return true;
    b->out.n = was;
    return false;
}

/* 8 and 9 of the desk. */
static void on_send(void *ctx, const char *code, const char *body, size_t n)
{
    struct tw_fix_booth *b = ctx;
    bool is_kept = b->o.journal && b->reports && *code == '8';
    struct waiting w = { .exec = is_kept ? tw_fix_desk_number(body, n, 17) : 0,
                         .n = (uint32_t)n, .code = { *code } };

    if (is_kept) tw_fix_journal_put_held(b->o.journal, b->name, b->told, body, n);
    if (b->notes) return;
    if (b->first > b->out.n / 2) {
        b->out.n -= b->first;
        memmove(b->out.at, b->out.at + b->first, b->out.n);
        b->first = 0;
    }
    if (!put_message(b, &w, body)) b->lost = true;
}

/* The message at a place, and the next place; false: there is none. */
static bool waits(const struct tw_fix_booth *b, size_t *at, struct waiting *w,
                  const char **body)
{
    if (*at + sizeof *w > b->out.n) return false;
    memcpy(w, b->out.at + *at, sizeof *w);
    if (*at + sizeof *w + w->n > b->out.n) return false;
    *body = b->out.at + *at + sizeof *w;
    *at += sizeof *w + w->n;
    return true;
}

/* What was kept and need not be any more. */
static void forget_told(struct tw_fix_booth *b)
{
    size_t at = b->first;
    struct waiting w;
    const char *body;

    while (waits(b, &at, &w, &body) && w.exec > 0 && w.exec <= b->told) b->first = at;
}

static void report(struct tw_fix_booth *b, const struct tw_venue_report *r)
{
    b->reports = true;
    tw_fix_desk_report(b->desk, r);
    b->reports = false;
}

/* Its session looks; the floor need not be locked. */
static void ring(struct tw_fix_booth *b)
{
    /* order [booth.link] acquire: the link is made */
    struct tw_fix_link *link = atomic_load_explicit(&b->link, memory_order_acquire);

    if (link) tw_fix_link_ring(link);
}

static void on_report(void *ctx)
{
    struct tw_fix_booth *b = ctx;
    struct tw_venue_report r;

    while (tw_seat_take_held(b->seat, &r)) report(b, &r);
    ring(b);
}

static void note(struct tw_fix_booth *b, uint64_t id, int64_t now_ns)
{
    b->reports = b->notes = true;
    tw_fix_desk_note(b->desk, id, now_ns);
    b->reports = b->notes = false;
}

static void put_all(void *ctx)
{
    struct tw_fix_booth *b = ctx;
    size_t at = b->first;
    struct waiting w;
    const char *body;

    tw_fix_journal_put_held(b->o.journal, b->name, b->told, "", 0);
    note(b, 0, tw_clock_now_ns());
    while (waits(b, &at, &w, &body))
        if (w.exec)
            tw_fix_journal_put_held(b->o.journal, b->name, b->told, body, w.n);
}

/* What a session of that name has left, in another run or in this; how many lines of it
 * could not be used. */
static unsigned restore(struct tw_fix_booth *b, const char *name)
{
    struct tw_fix_journal *j = b->o.journal;
    unsigned strange = 0;
    size_t at = 0, n;
    const char *body;
    uint64_t told;

    snprintf(b->name, sizeof b->name, "%s", name);
    b->told = b->doubt = 0;
    b->looked = false;
    if (!j) return 0;
    while (tw_fix_journal_take_held(j, name, &at, &told, &body, &n)) {
        if (told > b->told) b->told = told;
        if (n == 0) continue;
        if (n > BODY_MAX || !tw_fix_desk_restore(b->desk, body, n)) {
            strange++;
            continue;
        }
        told = tw_fix_desk_number(body, n, 17);
        if (told == 0) continue;
        b->doubt = told;
        if (!put_message(b, &(struct waiting){ told, (uint32_t)n, "8" }, body)) strange++;
    }
    forget_told(b);
    b->reports = true;
    tw_fix_desk_end_former(b->desk, tw_clock_now_ns());
    b->reports = false;
    return strange;
}

static void say(const struct tw_fix_booth *b, const char *name, unsigned strange)
{
    if (strange)
        tw_log_printf(b->o.log, TW_LOG_WARN, "orders", "%s: %u reports that a former run"
                      " has kept make no sense, and are left out", name, strange);
}

/* ---- on the io thread ---- */

/* The last report that is in the session's store, which may have been given to it after
 * anything was kept. */
static uint64_t last_in(const struct tw_fix_store *store)
{
    struct tw_fix_kept k = { .seq = tw_fix_store_numbers(store).next_out };

    while (tw_fix_store_find_before(store, k.seq, &k)) {
        uint64_t exec = tw_fix_is(tw_fix_desk_field(k.at, k.n, 35), "8")
                      ? tw_fix_desk_number(k.at, k.n, 17) : 0;

        if (exec > 0) return exec;
    }
    return 0;
}

static void look_back(struct tw_fix_booth *b, struct tw_fix_session *s)
{
    uint64_t last = b->doubt ? last_in(tw_fix_session_options(s)->store) : 0;

    tw_floor_lock(b->o.floor);
    b->looked = true;
    if (last > b->told) b->told = last;
    if (last > 0) b->doubt = 0;
    forget_told(b);
    tw_floor_unlock(b->o.floor);
}

/* The next message, with room for "97=Y"; false: there is none. */
static bool first_of(struct tw_fix_booth *b, struct waiting *w, char *out)
{
    size_t at = b->first;
    const char *body;
    bool is_there;

    tw_floor_lock(b->o.floor);
    is_there = waits(b, &at, w, &body);
    if (is_there && w->exec > 0 && w->exec <= b->doubt) {
        memcpy(out, "97=Y\1", 5);
        memcpy(out + 5, body, w->n);
        w->n += 5;
    } else if (is_there) {
        memcpy(out, body, w->n);
    }
    tw_floor_unlock(b->o.floor);
    return is_there;
}

static void done(struct tw_fix_booth *b, const struct waiting *w)
{
    size_t at;
    struct waiting is;
    const char *body;

    tw_floor_lock(b->o.floor);
    at = b->first;
    if (waits(b, &at, &is, &body)) b->first = at;
    if (b->first == b->out.n) b->first = b->out.n = 0;
    if (w->exec) b->told = w->exec;
    tw_floor_unlock(b->o.floor);
}

static bool has_lost(struct tw_fix_booth *b)
{
    bool lost;

    tw_floor_lock(b->o.floor);
    lost = b->lost;
    b->lost = false;
    tw_floor_unlock(b->o.floor);
    return lost;
}

/* What happened to its orders is kept, and told; while it is not logged on that waits.
 * When there is more to be done. */
static int64_t tell(struct tw_fix_booth *b, struct tw_fix_session *s,
                    struct tw_fix_now now)
{
    char body[BODY_MAX + 5];
    struct tw_error error;
    struct waiting w;
    int rc;

    if (b->o.journal) tw_fix_journal_write(b->o.journal);
    if (!b->looked) look_back(b, s);
    while (tw_fix_session_status(s).state == TW_FIX_UP && first_of(b, &w, body)) {
        if (tw_fix_session_is_behind(s)) return now.steady_ns + RETRY_NS;
        rc = tw_fix_session_put(s, now, w.code, body, w.n, NULL, &error);
        if (rc < 0 && rc != TW_EFORMAT && rc != TW_EUSAGE)
            return now.steady_ns + RETRY_NS;
        done(b, &w);
    }
    if (has_lost(b))
        tw_fix_session_logout(s, now, "no memory for a report: ask for your orders");
    return INT64_MAX;
}

static enum tw_fix_answer on_message(void *ctx, struct tw_fix_session *s,
                                     struct tw_fix_now now,
                                     const struct tw_fix_message *m)
{
    struct tw_fix_booth *b = ctx;
    struct tw_request q;
    int rc;

    tw_floor_lock(b->o.floor);
    rc = b->out.n - b->first > WAITING_MAX ? TW_EFULL
         : tw_fix_desk_take(b->desk, m, now.time_ns, &q);
    if (rc == 1 && q.what == TW_REQUEST_NEW) note(b, q.id, now.time_ns);
    tw_floor_unlock(b->o.floor);
    if (rc == TW_EUSAGE) return TW_FIX_UNSUPPORTED;
    if (rc < 0) {   /* it comes again after the next Logon */
        tw_log_printf(b->o.log, TW_LOG_WARN, "orders", "%s: %s", b->name,
                      rc == TW_EFULL ? "64 MB of reports wait for the peer to read"
                                     : tw_strerror(rc));
        return TW_FIX_LATER;
    }
    if (rc == 1) {
        tw_floor_pass(b->o.floor, now.time_ns);
        q.arrives_ns = tw_floor_time(b->o.floor);
        if (tw_seat_send(b->seat, &q) < 0) {
            tw_floor_lock(b->o.floor);
            b->reports = true;
            tw_fix_desk_untaken(b->desk, &q, now.time_ns);
            b->reports = false;
            tw_floor_unlock(b->o.floor);
        }
    }
    if (tell(b, s, now) < INT64_MAX) ring(b);
    return TW_FIX_TAKEN;
}

static void on_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                     const struct tw_fix_event *e)
{
    if (e->kind == TW_FIX_LOGGED_ON && tell(ctx, s, now) < INT64_MAX) ring(ctx);
}

/* Also where no feed moves the time orders end, and auctions come. */
static int64_t on_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    const struct tw_fix_booth *b = ctx;
    bool has_begun = tw_floor_time(b->o.floor) != 0;
    int64_t due_ns = has_begun ? tw_floor_pass(b->o.floor, now.time_ns) : INT64_MAX;
    int64_t again_ns = tell(ctx, s, now), wait_ns = RETRY_NS;

    if (due_ns == INT64_MAX) return again_ns;
    if (due_ns - now.time_ns > wait_ns) wait_ns = due_ns - now.time_ns;
    return again_ns < now.steady_ns + wait_ns ? again_ns : now.steady_ns + wait_ns;
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

bool tw_fix_booth_renew(struct tw_fix_booth *b, const char *name,
                        const struct tw_fix_dictionary *dictionary, int precision)
{
    /* order [booth.link] acquire: the link is made */
    struct tw_fix_link *link = atomic_load_explicit(&b->link, memory_order_acquire);
    struct tw_fix_journal *j = b->o.journal;
    unsigned strange = 0;
    bool is_free;

    /* What FEED did here is done: the link's lock says so. */
    if (link && !tw_fix_link_is_removed(link)) return false;
    tw_floor_lock(b->o.floor);
    is_free = tw_fix_desk_renew(b->desk, dictionary, precision);
    if (is_free) {
        if (j) {
            tw_fix_journal_keep_held(j, true);
            put_all(b);
            tw_fix_journal_keep_held(j, false);
        }
        b->first = b->out.n = 0;
        strange = restore(b, name);
    }
    tw_floor_unlock(b->o.floor);
    say(b, name, strange);
    return is_free;
}

struct tw_fix_booth *tw_fix_booth_new(const struct tw_fix_booth_options *options,
                                      struct tw_error *error)
{
    struct tw_fix_booth *b = tw_calloc(1, sizeof *b);
    unsigned strange;
    int rc = UV_ENOMEM;

    if (b) {
        b->o = *options;
        b->desk = tw_fix_desk_new(&(struct tw_fix_desk_options){
            .dictionary = options->dictionary, .symbols = options->symbols,
            .owner = options->owner, .first_id = options->first_id,
            .id_step = options->id_step, .precision = options->precision,
            .calendar = options->calendar, .of = options->of,
            .send = on_send, .ctx = b });
        if (b->desk)
            rc = tw_floor_join(options->floor, options->owner, &b->seat);
        if (rc == TW_OK) {
            tw_seat_on_report(b->seat, on_report, b);
            b->keeper = (struct tw_fix_keeper){ .put_all = put_all, .ctx = b };
            tw_floor_lock(options->floor);
            if (options->journal) tw_fix_journal_join_held(options->journal, &b->keeper);
            strange = restore(b, options->name);
            tw_floor_unlock(options->floor);
            say(b, options->name, strange);
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
    tw_bytes_free(&b->out);
    tw_free(b);
}
