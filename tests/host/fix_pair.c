/* fix_pair.c - our initiator against our acceptor while connections break at random.
 *
 * Whatever was sent is delivered, each once and in order, and in the end both sides have
 * the same numbers: through cuts that one side learns of later, half messages, processes
 * that begin anew with the store of the last one, and small bounds on everything. */
#include "fix/session.h"

#include <unistd.h>

#include "fix_rig.h"
#include "random.h"
#include "place.h"
#include "tap.h"

enum { WIRE = 1 << 20, TEXT = 40 };
static const int64_t MS = 1000000;

/* One side: its session, what it sends, what it has heard. */
struct side {
    struct tw_fix_session_options o;
    struct tw_fix_session *session;
    char path[PLACE + 20];
    struct tw_fix_store *store;
    uint64_t sent, heard, wrong;         /* application messages           */
    uint64_t resets;
    char *wire;                          /* bytes on their way to it       */
    size_t n;
    bool linked;                         /* it believes in the connection  */
    int64_t learns;                      /* when it hears that there is none */
};

static struct side sides[2];
static struct tw_fix_now now;
static struct tw_fix_dictionary *dictionaries[2];
static char folder[PLACE];
static bool verbose, damaging, resetting, damaged;
static uint64_t all_sent, all_gaps, all_resent;

static unsigned pick(unsigned n)
{
    return (unsigned)(next() % n);
}

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *m)
{
    struct side *me = ctx;
    struct tw_fix_text id = tw_fix_message_body(m, 11);
    uint64_t n = 0;

    tw_fix_integer(id, &n);
    me->wrong += n != me->heard + 1 && !resetting;
    me->heard = n;
    return TW_FIX_TAKEN;
}

static void on_event(void *ctx, const struct tw_fix_event *e)
{
    struct side *me = ctx;

    me->resets += e->kind == TW_FIX_RESET;
    all_gaps += e->kind == TW_FIX_GAP;
    all_resent += e->kind == TW_FIX_RESENDING;
    me->wrong += e->kind == TW_FIX_FORGOTTEN || e->kind == TW_FIX_STORE_FAILED
              || e->kind == TW_FIX_SKIPPED || (e->kind == TW_FIX_DROPPED && !damaging)
              || ((e->kind == TW_FIX_REFUSED || e->kind == TW_FIX_REJECTED)
                  && !resetting);
    if (verbose)
        printf("# %d: event %d %d-%d %s\n", (int)(me - sides), (int)e->kind,
               (int)e->from, (int)e->to, e->text);
}

static void on_log(void *ctx, bool incoming, const char *p, size_t n)
{
    if (verbose && !incoming)
        printf("# %d> %s\n", (int)((struct side *)ctx - sides), shown(p, n));
}

/* ---- the wires ---- */

static void move_out(struct side *me, struct side *other)
{
    const char *p;
    size_t n, part;

    tw_fix_session_output(me->session, &p, &n);
    if (n == 0) return;
    part = 1 + pick((unsigned)n);
    if (pick(3)) part = n;
    if (!me->linked || me->learns > 0) {   /* it writes into what is no more */
        tw_fix_session_written(me->session, now, part);
        return;
    }
    if (part > WIRE - other->n) part = WIRE - other->n;
    memcpy(other->wire + other->n, p, part);
    other->n += part;
    tw_fix_session_written(me->session, now, part);
}

static void unlink_side(struct side *me, const char *why)
{
    if (!me->linked) return;
    me->linked = false;
    me->n = 0;
    me->learns = 0;
    tw_fix_session_disconnected(me->session, now, why);
}

/* This side closes: the other one reads what is on its way and then the end. */
static void hang_up(struct side *me, struct side *other)
{
    unlink_side(me, NULL);
    if (other->linked && !other->learns) other->learns = now.steady_ns + 1;
}

static void read_in(struct side *me, struct side *other)
{
    size_t part = me->n, used;
    char *copy;

    if (part == 0 || !me->linked) return;
    if (pick(2)) part = 1 + pick((unsigned)part);
    copy = malloc(part);   /* so that a byte too far is found */
    memcpy(copy, me->wire, part);
    /* Once a connection: two that cancel each other out would be no damage to see. */
    if (damaging && !damaged && pick(20) == 0) {
        copy[pick((unsigned)part)] ^= (char)(1 << pick(8));
        damaged = true;
        memcpy(me->wire, copy, part);
    }
    used = tw_fix_session_receive(me->session, now, copy, part);
    free(copy);
    memmove(me->wire, me->wire + used, me->n - used);
    me->n -= used;
    if (tw_fix_session_closing(me->session)) {
        while (tw_fix_session_status(me->session).waiting) move_out(me, other);
        hang_up(me, other);
    }
}

/* The connection is gone; each side hears of it at its own time, and some of what was on
 * its way still comes. */
static void cut(void)
{
    for (int i = 0; i < 2; i++) {
        if (!sides[i].linked || sides[i].learns) continue;
        sides[i].n = sides[i].n ? pick((unsigned)sides[i].n + 1) : 0;
        sides[i].learns = now.steady_ns + 1 + pick(4000) * MS;
    }
}

static void try_connect(void)
{
    struct side *a = &sides[0], *b = &sides[1];

    if (a->linked) return;
    if (tw_fix_session_may_connect(b->session, now, NULL) < 0) return;   /* hung up */
    if (tw_fix_session_connected(a->session, now, NULL) < 0) return;
    tw_fix_session_connected(b->session, now, NULL);
    damaged = false;
    for (int i = 0; i < 2; i++) {
        sides[i].linked = true;
        sides[i].n = 0;
        sides[i].learns = 0;
    }
}

/* ---- sides ---- */

static void open_side(struct side *me)
{
    struct tw_error error = {0};

    if (!me->store)
        me->store = tw_fix_store_open(&(struct tw_fix_store_options){
            .path = *me->path ? me->path : NULL, .now_ns = now.time_ns,
            .bytes = 1 << 20, .sync = TW_FIX_SYNC_NEVER }, &error);
    me->o.store = me->store;
    me->session = tw_fix_session_new(&me->o, &error);
    if (!me->session || error.code) {
        printf("# %s\n", error.text);
        exit(1);
    }
}

/* A new process with what the last one has stored. */
static void restart(struct side *me, struct side *other)
{
    hang_up(me, other);
    tw_fix_session_free(me->session);
    if (*me->path) {
        tw_fix_store_close(me->store);
        me->store = NULL;
    }
    open_side(me);
}

static void send_one(struct side *me)
{
    char id[24], text[TEXT];
    struct tw_fix_output *out;
    size_t n = (size_t)sprintf(id, "%llu", (unsigned long long)me->sent + 1);

    memset(text, 'x', sizeof text);
    if (tw_fix_session_begin(me->session, now, "C", NULL, 0, &out, NULL) < 0) return;
    tw_fix_put_text(out, 11, id, n);
    tw_fix_put_text(out, 58, text, 1 + pick(TEXT));
    if (tw_fix_session_send(me->session, NULL, NULL) == TW_OK) me->sent++, all_sent++;
}

static void options(struct side *me, bool initiator, bool file)
{
    *me = (struct side){ .wire = me->wire };
    if (file) snprintf(me->path, sizeof me->path, "%s/%d", folder, initiator);
    me->o = (struct tw_fix_session_options){
        .dictionary = dictionaries[0], .initiator = initiator,
        .sender = initiator ? "A" : "B", .target = initiator ? "B" : "A",
        .heartbeat_s = 5, .check = TW_FIX_CHECK_STRICT,
        .resend_chunk = pick(2) ? 0 : 1 + pick(10),
        .resend_rate = pick(2) ? 0 : 1 + pick(100),
        .last_processed = pick(2), .early_max = pick(2) ? 0 : 300 + pick(2000),
        .message_max = 2000, .fields_max = 100,
        .handlers = { .message = on_message, .event = on_event, .log = on_log,
                      .ctx = me },
    };
}

/* ---- a run ---- */

static void step(bool faults)
{
    int64_t pause = (1 + pick(200)) * MS;

    now.time_ns += pause;
    now.steady_ns += pause;
    for (int i = 0; i < 2; i++) {
        struct side *me = &sides[i], *other = &sides[!i];

        read_in(me, other);
        if (me->linked && me->learns && me->learns <= now.steady_ns && me->n == 0)
            unlink_side(me, "cut");
        if (faults && pick(3)) send_one(me);
        tw_fix_session_tick(me->session, now);
        move_out(me, other);
        if (tw_fix_session_closing(me->session)) hang_up(me, other);
    }
    /* What can't be read any more does not keep a side from learning. */
    for (int i = 0; i < 2; i++)
        if (sides[i].learns && sides[i].learns + 2000 * MS < now.steady_ns)
            unlink_side(&sides[i], "cut");
    if (pick(5) == 0) try_connect();
    if (!faults) return;
    if (pick(40) == 0) cut();
    if (pick(100) == 0) {
        unsigned i = pick(2);

        restart(&sides[i], &sides[!i]);
    }
    if (resetting && pick(100) == 0) tw_fix_session_reset(sides[pick(2)].session, now);
    if (pick(200) == 0) tw_fix_session_logout(sides[pick(2)].session, now, "done");
}

static bool is_settled(void)
{
    struct tw_fix_session_status a = tw_fix_session_status(sides[0].session);
    struct tw_fix_session_status b = tw_fix_session_status(sides[1].session);

    return a.state == TW_FIX_UP && b.state == TW_FIX_UP && a.waiting + b.waiting == 0
        && sides[0].n + sides[1].n == 0 && a.next_in == b.next_out
        && b.next_in == a.next_out;
}

/* What went wrong, or NULL. */
static const char *run(uint64_t from)
{
    bool file = from % 10 == 0, expected;
    const char *fault = NULL;
    int quiet = 0;

    seed = from;
    now = (struct tw_fix_now){ INT64_C(1700000000000000000), 5 };
    expected = pick(2);
    damaging = from % 4 == 1;
    resetting = from % 4 == 2;
    for (int i = 0; i < 2; i++) {
        options(&sides[i], i == 0, file);
        sides[i].o.next_expected = expected;
        open_side(&sides[i]);
    }
    for (int i = 0; i < 400; i++) step(true);
    while (quiet < 20000 && !is_settled()) {
        step(false);
        quiet++;
    }
    if (!is_settled()) fault = "they do not settle";
    else if (sides[0].wrong || sides[1].wrong) fault = "out of order, or refused";
    else if (!resetting
             && (sides[0].sent != sides[1].heard || sides[1].sent != sides[0].heard))
        fault = "something was lost";
    if (fault)
        printf("# seed %llu: %s; sent %llu %llu, heard %llu %llu, wrong %llu %llu\n",
               (unsigned long long)from, fault, (unsigned long long)sides[0].sent,
               (unsigned long long)sides[1].sent, (unsigned long long)sides[0].heard,
               (unsigned long long)sides[1].heard, (unsigned long long)sides[0].wrong,
               (unsigned long long)sides[1].wrong);
    for (int i = 0; i < 2; i++) {
        tw_fix_session_free(sides[i].session);
        tw_fix_store_close(sides[i].store);
        if (file) unlink(sides[i].path);
    }
    return fault;
}

int main(int argc, char **argv)
{
    unsigned runs = getenv("SMALL") ? 30 : 2000, bad = 0;

    place_folder(folder);
    dictionaries[0] = dictionary(TW_FIX_44, "C OrderMassCancel app 11! 58\n");
    for (int i = 0; i < 2; i++) sides[i].wire = malloc(WIRE);
    if (argc > 1) {
        verbose = true;
        run(strtoull(argv[1], NULL, 10));
        return 0;
    }
    for (unsigned i = 1; i <= runs; i++) bad += run(i) != NULL;
    ok(bad == 0, "%u runs: all comes once, in order (%u not)", runs, bad);
    printf("# %llu messages, %llu gaps, %llu resends\n", (unsigned long long)all_sent,
           (unsigned long long)all_gaps, (unsigned long long)all_resent);
    ok(all_sent > runs * 100 && all_gaps > runs && all_resent > all_gaps / 2,
       "and there was something to deliver");
    for (int i = 0; i < 2; i++) free(sides[i].wire);
    tw_fix_dictionary_free(dictionaries[0]);
    rmdir(folder);
    return tap_done();
}
