/* floor.c - seats of several threads around one venue: what is sent in any order by any
 * thread comes to the same, and nothing is lost without memory. */
#include "run/floor.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tap.h"

enum { OWNERS = 4, SOURCE = 7 };

/* ---- one owner on one thread ---- */

struct owner {
    struct tw_floor *floor;
    struct tw_seat *seat;
    uint32_t id;
    unsigned turns;
    pthread_barrier_t *step;
    const struct tw_record *tape;      /* what came of the last turn                  */
    size_t n;
    uint64_t next, answers, told, missed;   /* orders; of these; a hash; no report    */
};

static void mix(uint64_t *h, uint64_t x)
{
    *h = (*h ^ x) * UINT64_C(0x100000001b3);
}

static void take(struct owner *o)
{
    for (size_t i = 0; i < o->n; i++) {
        struct tw_venue_report r;
        int rc;

        if (o->tape[i].kind != TW_ORDER || o->tape[i].execution.script != o->id) continue;
        if (!tw_seat_next(o->seat, &o->tape[i], &r, &rc)) {
            o->missed++;
            continue;
        }
        o->missed += r.report.order != o->tape[i].execution.order
                  || r.report.exec != o->tape[i].execution.exec || r.user != o;
        o->answers += r.answers;
        mix(&o->told, r.report.order);
        mix(&o->told, r.report.exec);
        mix(&o->told, (uint64_t)r.report.last_px);
        mix(&o->told, (uint64_t)r.report.last_qty);
    }
}

static void ask(struct owner *o, unsigned turn)
{
    for (unsigned k = 0; k < 3; k++) {
        uint64_t dice = (turn * 31 + o->id * 7 + k) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
        struct tw_request q = {
            .id = ++o->next, .arrives_ns = turn + dice % 3, .seq = turn, .symbol = 1,
            .side = dice & 8 ? TW_SIDE_BUY : TW_SIDE_SELL, .type = TW_TYPE_LIMIT,
            .tif = TW_TIF_GTC, .price = 100 + (int64_t)(dice >> 4 & 7),
            .quantity = 1 + (int64_t)(dice >> 8 & 7), .user = o,
        };

        if (k == 2 && o->next > 6) {
            q.what = TW_REQUEST_CANCEL;
            q.id = o->next-- - 6;
        }
        if (tw_seat_send(o->seat, &q) != TW_OK) o->missed++;
    }
}

static void *trade(void *arg)
{
    struct owner *o = arg;

    for (unsigned turn = 1; turn <= o->turns; turn++) {
        ask(o, turn);
        pthread_barrier_wait(o->step);     /* the driver's turn  */
        pthread_barrier_wait(o->step);     /* it is over         */
        take(o);
    }
    return NULL;
}

static _Atomic unsigned rings;

static void ring(void *ctx)
{
    (void)ctx;
    rings++;
}

/* The sum of what the owners were told. */
static uint64_t play(unsigned turns, uint64_t *missed)
{
    struct tw_floor *f = tw_floor_new();
    struct owner owner[OWNERS] = { 0 };
    struct tw_record *tape = NULL;
    pthread_barrier_t step;
    pthread_t thread[OWNERS];
    uint64_t told = 0;
    size_t room = 0;

    rings = 0;
    tw_floor_open(f, SOURCE, ring, NULL);
    pthread_barrier_init(&step, NULL, OWNERS + 1);
    for (unsigned i = 0; i < OWNERS; i++) {
        owner[i] = (struct owner){ .floor = f, .id = i + 1, .turns = turns,
                                   .step = &step };
        *missed += tw_floor_join(f, i + 1, &owner[i].seat) != TW_OK;
        pthread_create(&thread[i], NULL, trade, &owner[i]);
    }
    for (unsigned turn = 1; turn <= turns; turn++) {
        size_t n = 0, part;

        pthread_barrier_wait(&step);
        tw_floor_set_time(f, turn);
        while (tw_floor_step(f, turn) > 0) {
            const struct tw_record *out = tw_floor_out(f, &part);

            if (n + part > room) tape = realloc(tape, (room = 2 * (n + part))
                                                * sizeof *tape);
            memcpy(tape + n, out, part * sizeof *tape);
            *missed += !tw_floor_is_full(f) && part > 0;
            tw_floor_took(f, part);
            n += part;
        }
        *missed += !tw_floor_is_idle(f);
        for (size_t i = 0; i < n; i++) *missed += tape[i].source != SOURCE;
        for (unsigned i = 0; i < OWNERS; i++) owner[i].tape = tape, owner[i].n = n;
        pthread_barrier_wait(&step);
    }
    for (unsigned i = 0; i < OWNERS; i++) {
        pthread_join(thread[i], NULL);
        *missed += owner[i].missed;
        mix(&told, owner[i].told);
        mix(&told, owner[i].answers);
        tw_seat_leave(owner[i].seat);
    }
    *missed += rings != 3 * OWNERS * turns;
    pthread_barrier_destroy(&step);
    tw_floor_free(f);
    free(tape);
    return told;
}

static void threads(void)
{
    unsigned turns = getenv("SMALL") ? 50 : 400;
    uint64_t missed = 0, first = play(turns, &missed), other = 0;

    for (int i = 0; i < 5; i++) other += play(turns, &missed) != first;
    ok(missed == 0, "a report for each record, a ring for each request");
    ok(other == 0, "threads count for nothing");
}

/* ---- its doors ---- */

static void doors(void)
{
    struct tw_floor *f = tw_floor_new();
    struct tw_seat *a, *b;
    struct tw_request q = { .id = 1, .symbol = 1, .quantity = 1, .price = 5,
                            .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
                            .tif = TW_TIF_GTC };
    struct tw_record foreign = { .kind = TW_ORDER, .source = SOURCE,
                                 .execution = { .script = 9 } };
    struct tw_venue_report r;
    size_t n;
    int rc;

    ok(tw_floor_join(f, 3, &a) == TW_OK && !tw_floor_close(f), "somebody is there");
    ok(tw_floor_join(f, 9, &b) == TW_OK, "so others can join");
    tw_floor_open(f, SOURCE, NULL, NULL);
    ok(tw_seat_send(a, &q) == TW_OK && tw_floor_due(f) == 0, "a request is due");
    ok(tw_floor_is_idle(f), "but no time is known yet");
    tw_floor_set_time(f, 4);
    ok(!tw_floor_is_idle(f) && tw_floor_step(f, 4) == 1, "now");
    ok(tw_floor_step(f, INT64_MAX - 1) == 0, "what came out is to be taken first");
    ok(tw_floor_out(f, &n)->kind == TW_ORDER && n == 2, "a report and a quote");
    ok(!tw_seat_next(b, tw_floor_out(f, &n), &r, &rc), "it is not for the other");
    ok(!tw_seat_next(b, &foreign, &r, &rc) && rc == TW_OK, "nor is there one for it");
    ok(tw_seat_next(a, tw_floor_out(f, &n), &r, &rc) && r.answers, "it answers");
    tw_seat_leave(a);
    tw_floor_took(f, n);
    q = (struct tw_request){ .id = 1, .symbol = 1, .quantity = 1, .side = TW_SIDE_SELL,
                             .type = TW_TYPE_MARKET, .tif = TW_TIF_GTC };
    ok(tw_seat_send(b, &q) == TW_OK && tw_floor_step(f, 4) == 1, "its order stays");
    tw_floor_out(f, &n);
    ok(n == 4, "who has left is told nothing: %d records", (int)n);
    tw_seat_leave(b);
    tw_floor_free(f);
    f = tw_floor_new();
    ok(tw_floor_close(f) && tw_floor_join(f, 1, &a) == TW_ECLOSED, "nobody, ever");
    tw_floor_free(f);
}

/* ---- a venue elsewhere ---- */

enum { REPORTS = 5000 };

static int send_nothing(void *ctx, const struct tw_request *q)
{
    (void)ctx, (void)q;
    return TW_OK;
}

/* As who joins is told of the orders that a former run has left. */
static void *tell(void *arg)
{
    struct tw_floor *f = arg;

    for (uint64_t i = 1; i <= REPORTS; i++) {
        tw_floor_lock(f);
        tw_floor_report_held(f, &(struct tw_venue_report){
            .owner = 1, .report = { .order = i } });
        tw_floor_unlock(f);
    }
    return NULL;
}

static void count_untold(void *ctx, const struct tw_venue_report *r)
{
    uint64_t *n = ctx;

    *n += r->report.order == *n + 1;
}

/* Its driver takes what came out while another thread reports. Then nobody is there. */
static void elsewhere(void)
{
    uint64_t untold = 0;
    struct tw_floor *f = tw_floor_new_elsewhere(send_nothing, count_untold, &untold);
    struct tw_record r[64];
    struct tw_seat *seat;
    pthread_t thread;
    uint64_t next = 1;
    bool in_order = true;

    if (tw_floor_join(f, 1, &seat) < 0) abort();
    pthread_create(&thread, NULL, tell, f);
    while (next <= REPORTS) {
        size_t n = tw_floor_take(f, r, 64);

        for (size_t i = 0; i < n; i++) in_order &= r[i].execution.order == next++;
        if (n == 0) sched_yield();
    }
    pthread_join(thread, NULL);
    ok(in_order && tw_floor_take(f, r, 64) == 0, "each record is there once, in order");
    ok(untold == 0, "who sits there may hear of them yet");
    tw_seat_leave(seat);
    tw_floor_lock(f);
    tw_floor_report_held(f, &(struct tw_venue_report){
        .owner = 1, .report = { .order = REPORTS + 1 } });
    tw_floor_unlock(f);
    ok(untold == REPORTS + 1, "and who has left does not: each is told of, in order");
    tw_floor_free(f);
}

/* ---- without memory ---- */

static void no_memory(void)
{
    uint64_t silent = 0, n = 1;

    for (; n < 200; n++) {
        uint64_t before = tw_memory_count(), sent = 0, answers = 0;
        struct tw_seat *seat = NULL;
        struct tw_floor *f;
        bool said = false;

        tw_memory_fail_at(n);
        f = tw_floor_new();
        if (!f) continue;
        tw_floor_open(f, SOURCE, NULL, NULL);
        if (tw_floor_join(f, 1, &seat) != TW_OK) {
            tw_floor_free(f);
            continue;
        }
        tw_floor_set_time(f, 1);
        for (unsigned i = 1; i <= 40; i++) {
            struct tw_request q = { .id = i, .symbol = 1, .quantity = 1, .price = i,
                                    .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
                                    .tif = TW_TIF_GTC };

            sent += tw_seat_send(seat, &q) == TW_OK;
        }
        for (int rc; (rc = tw_floor_step(f, 1)) != 0;) {
            struct tw_venue_report r;
            const struct tw_record *out;
            size_t part;

            said = said || rc < 0;
            if (rc < 0) break;
            out = tw_floor_out(f, &part);
            for (size_t i = 0; i < part; i++) {
                if (tw_seat_next(seat, &out[i], &r, &rc)) answers += r.answers;
                said = said || rc < 0;
            }
            tw_floor_took(f, part);
        }
        silent += !said && answers != sent;
        tw_seat_leave(seat);
        tw_floor_free(f);
        if (tw_memory_count() - before < n) break;
    }
    tw_memory_fail_at(0);
    ok(n > 20 && n < 200, "%d allocations failed, one after the other", (int)n);
    ok(silent == 0, "each was said, or all was answered");
}

int main(void)
{
    doors();
    threads();
    elsewhere();
    no_memory();
    return tap_done();
}
