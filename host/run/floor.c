/* floor.c - seats around a venue. */
#include "run/floor.h"

#include <pthread.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"

struct tw_seat {
    struct tw_floor *floor;            /* constant                                  */
    uint32_t owner;                    /* constant                                  */
    uint64_t number;                   /* mutex: of its last request                */
    struct tw_venue_report *told;      /* mutex: a ring, n of `room` from first on  */
    size_t first, n, room;             /* mutex                                     */
    bool lost;                         /* mutex: one found no memory                */
    void (*heard)(void *ctx);          /* mutex: of each report                     */
    void *ctx;                         /* mutex                                     */
};

struct tw_floor {
    pthread_mutex_t lock;              /* guards all of it                          */
    struct tw_venue *venue;            /* mutex; NULL: it is elsewhere              */
    unsigned levels;                   /* owner: MAIN, then the driver              */
    int (*send)(void *ctx, const struct tw_request *q);   /* constant; to there     */
    void (*untold)(void *ctx, const struct tw_venue_report *r);   /* constant; NULL */
    void *elsewhere;                   /* constant                                  */
    struct tw_seat **seats;            /* mutex: by owner                           */
    size_t n_seats, members;           /* mutex                                     */
    struct tw_record *out;             /* mutex; the driver's, between two steps    */
    size_t n_out, room_out, taken;     /* mutex                                     */
    bool lost, closed;                 /* mutex                                     */
    bool fed;                          /* mutex: feeds move the venue's time        */
    uint8_t source;                    /* mutex                                     */
    void (*ring)(void *ctx);           /* mutex                                     */
    void *ctx;                         /* mutex                                     */
};

static void lock(struct tw_floor *f)
{
    pthread_mutex_lock(&f->lock);
}

static void unlock(struct tw_floor *f)
{
    pthread_mutex_unlock(&f->lock);
}

void tw_floor_lock(struct tw_floor *f)
{
    lock(f);
}

void tw_floor_unlock(struct tw_floor *f)
{
    unlock(f);
}

/* ---- what the venue tells; the lock is held ---- */

static void on_market(void *ctx, const struct tw_record *r)
{
    struct tw_floor *f = ctx;

    if (f->n_out == f->room_out) {
        struct tw_record *grown = tw_grow(f->out, &f->room_out, f->n_out + 1,
                                          sizeof *grown);

        if (!grown) {
            f->lost = true;
            return;
        }
        f->out = grown;
    }
    f->out[f->n_out] = *r;
    f->out[f->n_out++].source = f->source;
}

static bool reserve(struct tw_seat *s)
{
    size_t room = s->room ? 2 * s->room : 16;
    struct tw_venue_report *grown;

    if (s->n < s->room) return true;
    grown = tw_calloc(room, sizeof *grown);
    if (!grown) return false;
    for (size_t i = 0; i < s->n; i++) grown[i] = s->told[(s->first + i) % s->room];
    tw_free(s->told);
    s->told = grown;
    s->room = room;
    s->first = 0;
    return true;
}

/* With an aside of its own. */
static void put(struct tw_seat *s, struct tw_venue_report r)
{
    struct tw_venue_aside *copy = r.aside ? tw_calloc(1, sizeof *copy) : NULL;

    if (copy) *copy = *r.aside;
    if ((r.aside && !copy) || !reserve(s)) {
        s->lost = true;
        tw_free(copy);
        return;
    }
    r.aside = copy;
    s->told[(s->first + s->n++) % s->room] = r;
}

static void on_report(void *ctx, const struct tw_venue_report *r)
{
    struct tw_floor *f = ctx;
    struct tw_seat *s = r->owner < f->n_seats ? f->seats[r->owner] : NULL;
    const struct tw_report *p = &r->report;
    bool is_trade = tw_report_is_trade(p);

    if (!s && f->untold) f->untold(f->elsewhere, r);
    if (!s) return;
    put(s, *r);
    on_market(f, &(struct tw_record){
        .kind = TW_ORDER, .time = p->time_ns, .symbol = r->symbol,
        .execution = { .order = p->order, .price = is_trade ? p->last_px : p->price,
                       .quantity = is_trade ? p->last_qty : p->quantity,
                       .exec = p->exec, .status = r->status, .side = r->side,
                       .reason = p->reason, .script = r->owner } });
    if (f->lost) s->lost = true;
    if (s->heard) s->heard(s->ctx);
}

void tw_floor_report_held(struct tw_floor *f, const struct tw_venue_report *r)
{
    on_report(f, r);
}

/* ---- its life ---- */

struct tw_floor *tw_floor_new(void)
{
    struct tw_floor *f = tw_calloc(1, sizeof *f);

    if (!f) return NULL;
    pthread_mutex_init(&f->lock, NULL);
    f->venue = tw_venue_new(&(struct tw_venue_listener){ on_report, on_market, f });
    if (f->venue) return f;
    tw_floor_free(f);
    return NULL;
}

struct tw_floor *tw_floor_new_elsewhere(int (*send)(void *ctx,
                                                    const struct tw_request *q),
                                        void (*untold)(void *ctx,
                                                       const struct tw_venue_report *r),
                                        void *ctx)
{
    struct tw_floor *f = tw_calloc(1, sizeof *f);

    if (!f) return NULL;
    pthread_mutex_init(&f->lock, NULL);
    f->send = send;
    f->untold = untold;
    f->elsewhere = ctx;
    return f;
}

static void free_seat(struct tw_seat *s)
{
    for (size_t i = 0; s && i < s->n; i++)
        tw_free(s->told[(s->first + i) % s->room].aside);
    if (s) tw_free(s->told);
    tw_free(s);
}

void tw_floor_free(struct tw_floor *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->n_seats; i++) free_seat(f->seats[i]);
    tw_venue_free(f->venue);
    pthread_mutex_destroy(&f->lock);
    tw_free(f->seats);
    tw_free(f->out);
    tw_free(f);
}

void tw_floor_open(struct tw_floor *f, uint8_t source, void (*ring)(void *ctx), void *ctx)
{
    lock(f);
    f->source = source;
    f->ring = ring;
    f->ctx = ctx;
    unlock(f);
}

void tw_floor_tell_levels(struct tw_floor *f, unsigned n)
{
    lock(f);
    f->levels = n;
    if (f->venue) tw_venue_tell_levels(f->venue, n);
    unlock(f);
}

void tw_floor_retell(struct tw_floor *f)
{
    tw_floor_tell_levels(f, f->levels);
}

bool tw_floor_close(struct tw_floor *f)
{
    bool closed;

    lock(f);
    closed = f->closed = f->members == 0;
    unlock(f);
    return closed;
}

/* ---- seats ---- */

static int join(struct tw_floor *f, struct tw_seat *s)
{
    if (f->closed) return TW_ECLOSED;
    if (s->owner >= f->n_seats) {
        struct tw_seat **grown = tw_extend(f->seats, &f->n_seats, s->owner,
                                           sizeof *grown);

        if (!grown) return UV_ENOMEM;
        f->seats = grown;
    }
    f->seats[s->owner] = s;
    f->members++;
    return TW_OK;
}

int tw_floor_join(struct tw_floor *f, uint32_t owner, struct tw_seat **out)
{
    struct tw_seat *s = tw_calloc(1, sizeof *s);
    int rc;

    if (!s) return UV_ENOMEM;
    s->floor = f;
    s->owner = owner;
    lock(f);
    rc = join(f, s);
    unlock(f);
    if (rc == TW_OK) *out = s;
    else free_seat(s);
    return rc;
}

void tw_seat_leave(struct tw_seat *s)
{
    struct tw_floor *f = s ? s->floor : NULL;

    if (!s) return;
    lock(f);
    f->seats[s->owner] = NULL;
    for (size_t i = 0; f->untold && i < s->n; i++)
        f->untold(f->elsewhere, &s->told[(s->first + i) % s->room]);
    unlock(f);
    free_seat(s);
}

int tw_seat_send(struct tw_seat *s, struct tw_request *q)
{
    struct tw_floor *f = s->floor;
    void (*ring)(void *ctx), *ctx;
    int rc;

    q->owner = s->owner;
    lock(f);
    q->number = ++s->number;
    rc = f->venue ? tw_venue_send(f->venue, q) : f->send(f->elsewhere, q);
    if (f->venue && !f->fed && !s->heard)   /* they look when it is due */
        for (size_t i = 0; i < f->n_seats; i++)
            if (f->seats[i] && f->seats[i]->heard) f->seats[i]->heard(f->seats[i]->ctx);
    ring = f->ring;
    ctx = f->ctx;
    unlock(f);
    if (rc == TW_OK && ring) ring(ctx);
    return rc;
}

uint8_t tw_seat_source(const struct tw_seat *s)
{
    uint8_t source;

    lock(s->floor);
    source = s->floor->source;
    unlock(s->floor);
    return source;
}

static bool take_told(struct tw_seat *s, struct tw_venue_report *out)
{
    if (s->n == 0) return false;
    *out = s->told[s->first];
    s->first = (s->first + 1) % s->room;
    s->n--;
    return true;
}

bool tw_seat_next(struct tw_seat *s, const struct tw_record *r,
                  struct tw_venue_report *out, int *rc)
{
    struct tw_floor *f = s->floor;
    bool is_there;

    *rc = TW_OK;
    if (r->kind != TW_ORDER || r->execution.script != s->owner || r->source == 0)
        return false;
    lock(f);
    if (s->lost) *rc = UV_ENOMEM;
    is_there = r->source == f->source && !s->lost && take_told(s, out);
    unlock(f);
    return is_there;
}

void tw_seat_label(struct tw_seat *s, char out[TW_LABEL_MAX])
{
    const struct tw_venue_report *next;

    lock(s->floor);
    next = s->n > 0 ? &s->told[s->first] : NULL;
    *out = 0;
    if (next && next->aside && (next->aside->adopts || next->aside->late))
        memcpy(out, next->aside->ties.label, TW_LABEL_MAX);
    unlock(s->floor);
}

void tw_seat_on_report(struct tw_seat *s, void (*heard)(void *ctx), void *ctx)
{
    lock(s->floor);
    s->heard = heard;
    s->ctx = ctx;
    unlock(s->floor);
}

bool tw_seat_take_held(struct tw_seat *s, struct tw_venue_report *out)
{
    return take_told(s, out);
}

void tw_seat_probe(struct tw_seat *s, struct tw_probe *p)
{
    lock(s->floor);
    if (s->floor->venue) tw_venue_probe(s->floor->venue, s->owner, p);
    unlock(s->floor);
}

/* ---- the driver ---- */

static int64_t of_venue(struct tw_floor *f, int64_t (*get)(const struct tw_venue *v))
{
    int64_t ns;

    lock(f);
    ns = get(f->venue);
    unlock(f);
    return ns;
}

int64_t tw_floor_time(struct tw_floor *f)
{
    return of_venue(f, tw_venue_time);
}

int64_t tw_floor_due(struct tw_floor *f)
{
    return of_venue(f, tw_venue_due);
}

bool tw_floor_is_idle(struct tw_floor *f)
{
    bool is_idle;

    lock(f);
    is_idle = f->taken == f->n_out
           && (tw_venue_due(f->venue) > tw_venue_time(f->venue)
               || tw_venue_time(f->venue) == 0);
    unlock(f);
    return is_idle;
}

void tw_floor_set_time(struct tw_floor *f, int64_t now_ns)
{
    lock(f);
    tw_venue_set_time(f->venue, now_ns);
    unlock(f);
}

void tw_floor_fed(struct tw_floor *f)
{
    lock(f);
    f->fed = true;
    unlock(f);
}

int64_t tw_floor_pass(struct tw_floor *f, int64_t now_ns)
{
    int64_t due_ns = INT64_MAX;
    void (*ring)(void *ctx) = NULL, *ctx;

    lock(f);
    if (!f->fed) {
        tw_venue_set_time(f->venue, now_ns);
        due_ns = tw_venue_due(f->venue);
        if (due_ns <= now_ns) ring = f->ring;
    }
    ctx = f->ctx;
    unlock(f);
    if (ring) ring(ctx);
    return due_ns;
}

int tw_floor_step(struct tw_floor *f, int64_t limit_ns)
{
    int rc = 0;

    lock(f);
    if (f->taken == f->n_out) {
        f->taken = f->n_out = 0;
        rc = tw_venue_step(f->venue, limit_ns);
    }
    if (f->lost) rc = UV_ENOMEM;
    unlock(f);
    return rc;
}

bool tw_floor_is_full(struct tw_floor *f)
{
    bool is_full;

    lock(f);
    is_full = f->taken < f->n_out;
    unlock(f);
    return is_full;
}

struct tw_record *tw_floor_out(struct tw_floor *f, size_t *n)
{
    struct tw_record *out;

    lock(f);
    *n = f->n_out - f->taken;
    out = f->out ? f->out + f->taken : NULL;
    unlock(f);
    return out;
}

void tw_floor_took(struct tw_floor *f, size_t n)
{
    lock(f);
    f->taken += n;
    unlock(f);
}

size_t tw_floor_take(struct tw_floor *f, struct tw_record *out, size_t n)
{
    lock(f);
    if (n > f->n_out - f->taken) n = f->n_out - f->taken;
    if (n > 0) memcpy(out, f->out + f->taken, n * sizeof *out);
    f->taken += n;
    if (f->taken == f->n_out) f->taken = f->n_out = 0;
    unlock(f);
    return n;
}
