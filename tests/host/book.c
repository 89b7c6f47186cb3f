/* book.c - the venue as a feed: in step with the threads that read the tape, with a
 * program's records, and when the io is stopped while it waits. */
#include "rig.h"

#include <uv.h>

#include "place.h"
#include "run/floor.h"

enum { SCRIPTS = 3, TICKS = 400, MARKET = 5 };   /* MARKET: the symbol of the book */

/* ---- threads that read and trade ---- */

struct script {
    struct tw_tape *tape;
    struct tw_seat *seat;
    uint32_t id;
    uint64_t orders, missed;
    _Atomic uint64_t passed;
    const atomic_bool *over;
    pthread_t thread;
};

static struct script script[SCRIPTS];

static bool are_in_step(void *ctx)
{
    struct tw_tape *tape = ctx;
    uint64_t head = tw_tape_head(tape);

    for (int i = 0; i < SCRIPTS; i++) if (script[i].passed < head) return false;
    return head == tw_tape_head(tape);
}

/* On a quote of the clock and on one of the book, each its own way. */
static void handle(struct script *s, const struct tw_record *r)
{
    uint64_t dice = (r->seq * 31 + s->id) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
    struct tw_request q = {
        .id = s->orders + 1, .arrives_ns = r->time + (int64_t)(dice & 0xfffff),
        .seq = r->seq, .symbol = MARKET, .type = TW_TYPE_LIMIT, .tif = TW_TIF_GTC,
        .side = dice & 1 ? TW_SIDE_BUY : TW_SIDE_SELL, .user = s,
        .price = 100 + (int64_t)(dice >> 2 & 7), .quantity = 1 + (int64_t)(dice >> 5 & 3),
    };
    struct tw_venue_report report;
    int rc;

    if (r->kind == TW_ORDER && r->execution.script == s->id)
        s->missed += !tw_seat_next(s->seat, r, &report, &rc) || report.user != s;
    if (r->kind != TW_QUOTE || (r->symbol == MARKET && dice % 3 > 0)) return;
    s->missed += tw_seat_send(s->seat, &q) != TW_OK;
    s->orders++;
}

static void *run_script(void *arg)
{
    struct script *s = arg;
    struct tw_cursor cursor;
    struct tw_record r;

    tw_cursor_open(&cursor, s->tape, true, 1);
    s->passed = 1;
    while (!*s->over) {
        if (!tw_cursor_next(&cursor, &r)) {
            sched_yield();
            continue;
        }
        handle(s, &r);
        tw_cursor_commit(&cursor);
        s->passed = cursor.next;
    }
    tw_cursor_close(&cursor);
    return NULL;
}

static const struct tw_feed_options ticks = {
    .name = "made", .kind = TW_FEED_SYNTHETIC, .limit = TICKS,
    .synthetic = { .seed = 3, .trades = -1, .correlation = -1,
                   .start_ns = INT64_C(1700000000000000000) },
};

/* A hash of the tape; 0: something went wrong. */
static uint64_t play(unsigned n, uint64_t *of_book)
{
    struct rig *g = rig_open(1 << 12);
    struct tw_floor *floor = tw_floor_new();
    struct tw_feed_options book = { .name = "book", .kind = TW_FEED_BOOK,
                                    .book = { floor, are_in_step, g->tape } };
    atomic_bool over = false;
    uint64_t hash = 1, missed = 0, clock = 0;
    struct tw_error error;

    tw_be_main();
    *of_book = 0;
    tw_io_add(g->io, &ticks, &error);
    tw_io_add(g->io, &book, &error);
    for (unsigned i = 0; i < SCRIPTS; i++) {
        script[i] = (struct script){ .tape = g->tape, .id = i + 1, .over = &over };
        tw_floor_join(floor, i + 1, &script[i].seat);
        pthread_create(&script[i].thread, NULL, run_script, &script[i]);
    }
    rig_start(g);
    while (clock < n) {
        struct tw_record r;

        if (rig_read(g, &r, 1) != 1) break;
        clock += r.source == 1;
        *of_book += r.source == 2;
        r.received = 0;
        for (int i = 0; i < 8; i++)
            hash = (hash ^ ((const uint64_t *)&r)[i]) * UINT64_C(0x100000001b3);
    }
    over = true;
    tw_io_stop(g->io);
    for (int i = 0; i < SCRIPTS; i++) {
        pthread_join(script[i].thread, NULL);
        missed += script[i].missed;
        tw_seat_leave(script[i].seat);
    }
    rig_close(g);
    tw_floor_free(floor);
    return clock == n && missed == 0 ? hash : 0;
}

static void in_step(void)
{
    unsigned n = getenv("SMALL") ? TICKS / 8 : TICKS;
    uint64_t of_book, again, first = play(n, &of_book), other = 0;

    ok(first != 0 && of_book > n, "%d records of the book", (int)of_book);
    for (int i = 0; i < 3; i++) other += play(n, &again) != first || again != of_book;
    ok(other == 0, "the same tape each time, to the last byte");
}

/* ---- with a program's records ---- */

static void with_a_program(void)
{
    struct rig *g = rig_open(256);
    struct tw_floor *floor = tw_floor_new();
    struct tw_feed_options o = { .name = "book", .kind = TW_FEED_BOOK,
                                 .book = { .floor = floor } };
    struct tw_record tick = { .kind = TW_TIMER, .time = 10 }, got[2];
    struct tw_request q = { .id = 1, .arrives_ns = 15, .symbol = MARKET, .quantity = 1,
                            .price = 5, .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
                            .tif = TW_TIF_GTC };
    struct tw_seat *seat;
    struct tw_error error;
    unsigned looks = 0;

    tw_be_main();
    tw_floor_join(floor, 1, &seat);
    tw_io_add(g->io, &(struct tw_feed_options){ .name = "program",
                                                .kind = TW_FEED_PROGRAM }, &error);
    tw_io_add(g->io, &o, &error);
    ok(tw_io_add(g->io, &o, &error) == TW_EUSAGE, "a second venue: %s", error.text);
    rig_start(g);
    rig_await(g, 1, TW_FEED_LIVE);
    tw_io_push(g->io, 0, &tick, 1, 0);
    ok(rig_read(g, got, 1) == 1 && tw_seat_send(seat, &q) == TW_OK, "a request at 10");
    tick.time = 14;
    tw_io_push(g->io, 0, &tick, 1, 0);
    tick.time = 20;
    tw_io_push(g->io, 0, &tick, 1, 0);
    ok(rig_read(g, got, 2) == 2 && got[1].time == 20, "it is on its way");
    ok(rig_read(g, got, 2) == 2 && got[0].kind == TW_ORDER && got[0].source == 2
       && got[0].time >= 15 && got[1].kind == TW_QUOTE, "it has arrived");
    while (!tw_floor_is_idle(floor) && rig_look(&looks)) continue;
    ok(tw_floor_is_idle(floor), "that is all");
    tw_seat_leave(seat);
    rig_close(g);
    tw_floor_free(floor);
}

/* ---- stopped while it waits ---- */

static bool never(void *ctx)
{
    atomic_bool *asked = ctx;

    *asked = true;
    return false;
}

static void stopped(void)
{
    struct rig *g = rig_open(256);
    struct tw_floor *floor = tw_floor_new();
    atomic_bool asked = false;
    struct tw_feed_options book = { .name = "book", .kind = TW_FEED_BOOK,
                                    .book = { floor, never, &asked } };
    struct tw_error error;
    unsigned looks = 0;

    tw_be_main();
    tw_io_add(g->io, &ticks, &error);
    tw_io_add(g->io, &book, &error);
    rig_start(g);
    while (!asked && rig_look(&looks)) continue;
    tw_io_stop(g->io);
    ok(asked, "an io that waits for scripts can be stopped");
    rig_close(g);
    tw_floor_free(floor);
}

/* ---- behind ---- */

/* A guest of the loop that has a look at the tape in each turn. */
struct guest {
    struct tw_tape *tape;
    uv_loop_t *loop;
    uv_prepare_t look;
    uint64_t head, most;   /* owner: FEED, then who has stopped it */
};

static void look(uv_prepare_t *prepare)
{
    struct guest *g = prepare->data;
    uint64_t head = tw_tape_head(g->tape);

    if (head - g->head > g->most) g->most = head - g->head;
    g->head = head;
}

static void start_guest(void *ctx)
{
    struct guest *g = ctx;

    g->look.data = g;
    uv_prepare_init(g->loop, &g->look);
    uv_prepare_start(&g->look, look);
}

static void stop_guest(void *ctx)
{
    uv_close((uv_handle_t *)&((struct guest *)ctx)->look, NULL);
}

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

enum { LATE = 300 };

/* All records are due at once; what else is in the loop has its turn between them. */
static void behind(const char *what, struct tw_feed_options *o)
{
    static struct tw_record got[LATE];
    struct rig *g = rig_open(1 << 12);
    struct tw_floor *floor = tw_floor_new();
    struct tw_feed_options book = { .name = "book", .kind = TW_FEED_BOOK,
                                    .book = { floor, always, NULL } };
    struct guest guest = { .tape = g->tape, .head = tw_tape_head(g->tape) };
    struct tw_error error;
    size_t n;

    tw_be_main();
    o->name = "late";
    o->limit = LATE;
    tw_io_add(g->io, o, &error);
    tw_io_add(g->io, &book, &error);
    guest.loop = tw_io_carry(g->io, &(struct tw_io_guest){ start_guest, stop_guest,
                                                           &guest });
    rig_start(g);
    n = rig_read(g, got, LATE);
    tw_io_stop(g->io);
    ok(n == LATE && guest.most == 1, "%s: %d of %d records in a turn", what,
       (int)guest.most, (int)n);
    rig_close(g);
    tw_floor_free(floor);
}

static void behind_in_a_file(void)
{
    char path[PLACE];
    FILE *file = fopen(place_file(path), "w");

    fputs("time,symbol,bid,ask\n", file);
    for (int i = 0; i < LATE; i++) fprintf(file, "%d,A,1,2\n", 1700000000 + i);
    fclose(file);
    behind("a file", &(struct tw_feed_options){ .kind = TW_FEED_FILE, .path = path,
        .format = TW_FORMAT_CSV, .speed = 1e15 });
    unlink(path);
}

int main(void)
{
    behind("a timer", &(struct tw_feed_options){ .kind = TW_FEED_TIMER,
                                                 .interval_ns = 1 });
    behind("a market", &(struct tw_feed_options){ .kind = TW_FEED_SYNTHETIC,
        .speed = 1e15, .synthetic = ticks.synthetic });
    behind_in_a_file();
    in_step();
    with_a_program();
    stopped();
    return tap_done();
}
